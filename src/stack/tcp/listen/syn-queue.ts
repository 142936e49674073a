/**
 * The SYN queue of a listener: half-open connections, and when to send each one's SYN-ACK again.
 *
 * The wait before the next transmission depends only on how many there were, so there is a first-in-first-out list for each
 * number: its head is the first that is due, and one timer serves all. Everything takes constant time, whatever comes.
 *
 *     sent once   [oldest … youngest]   again after 1 s
 *     sent twice  [oldest … youngest]   again after 2 s
 *     …
 *     held        [oldest … youngest]   not answered: the application is to decide (SEM-COND-04)
 */

import type { TimerOwner } from '../../../base/index.ts';
import type { Host } from '../../host.ts';
import { INITIAL_RTO } from '../loss/rtt.ts';
import type { HalfOpen } from './half-open.ts';

/** Half-open connections in the order in which they came. */
class Line {
  head: HalfOpen | null = null;
  tail: HalfOpen | null = null;
  size = 0;

  push(record: HalfOpen): void {
    record.previous = this.tail;
    record.next = null;
    if (this.tail === null) this.head = record;
    else this.tail.next = record;
    this.tail = record;
    record.isQueued = true;
    this.size++;
  }

  remove(record: HalfOpen): void {
    const { previous, next } = record;
    if (previous === null) this.head = next;
    else previous.next = next;
    if (next === null) this.tail = previous;
    else next.previous = previous;
    record.previous = null;
    record.next = null;
    record.isQueued = false;
    this.size--;
  }
}

/** What becomes of an entry whose time is up. */
export interface SynQueueOwner {
  /** Nobody has answered the last SYN-ACK, or decided about a SYN that was held: the entry is out of the queue already. */
  expired(record: HalfOpen): void;
}

const NO_TIMER = -1;

export class SynQueue implements TimerOwner {
  readonly #host: Host;
  readonly #owner: SynQueueOwner;
  readonly #maxRto: number;
  readonly #holdMs: number;
  /** By `HalfOpen.retransmissions`, and those held last. */
  readonly #lines: Line[] = [];
  readonly #held = new Line();
  #size = 0;
  #timer = NO_TIMER;

  /**
   * @param maxRetransmissions SYN-ACKs sent again before an entry is given up
   * @param maxRto longest wait between two, ms
   * @param holdMs how long the application may take to decide about a SYN
   */
  constructor(host: Host, owner: SynQueueOwner, maxRetransmissions: number, maxRto: number, holdMs: number) {
    this.#host = host;
    this.#owner = owner;
    this.#maxRto = maxRto;
    this.#holdMs = holdMs;
    for (let line = 0; line <= maxRetransmissions; line++) this.#lines.push(new Line());
  }

  /** Entries, held ones included. */
  get size(): number {
    return this.#size;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /** The SYN that has waited longest for the application's decision. */
  get firstHeld(): HalfOpen | null {
    return this.#held.head;
  }

  /** Takes in an entry whose SYN-ACK was just sent. */
  add(record: HalfOpen): void {
    record.isHeld = false;
    this.#size++;
    this.#file(record);
  }

  /** Takes in an entry that is not answered yet. */
  hold(record: HalfOpen): void {
    record.isHeld = true;
    record.deadline = this.#host.now + this.#holdMs;
    this.#size++;
    this.#held.push(record);
    this.#arm(record.deadline);
  }

  remove(record: HalfOpen): void {
    this.#size--;
    this.#lineOf(record).remove(record);
    if (this.#size === 0) this.close();
  }

  /** The entry that has gone unanswered for longest: most retransmissions first. */
  get stalest(): HalfOpen | null {
    for (let line = this.#lines.length - 1; line >= 0; line--) {
      const { head } = this.#lines[line] as Line;
      if (head !== null) return head;
    }
    return null;
  }

  /** The first, of those sent least often, whose peer has answered and waits for room in the accept queue. */
  get firstAcked(): HalfOpen | null {
    for (const record of this) if (record.isAcked) return record;
    return null;
  }

  *[Symbol.iterator](): IterableIterator<HalfOpen> {
    for (const line of this.#lines) yield* entriesOf(line);
    yield* entriesOf(this.#held);
  }

  /** Sends again what is due. */
  timeout(_kind: number, now: number): void {
    for (let at = this.#lines.length - 1; at >= 0; at--) {
      const line = this.#lines[at] as Line;
      for (let due = line.head; due !== null && due.deadline <= now; due = line.head) {
        line.remove(due);
        if (at === this.#lines.length - 1) {
          this.#size--;
          this.#owner.expired(due);
          continue;
        }
        due.retransmissions++;
        due.answer();
        this.#file(due);
      }
    }
    for (let due = this.#held.head; due !== null && due.deadline <= now; due = this.#held.head) {
      this.#held.remove(due);
      this.#size--;
      this.#owner.expired(due);
    }
    if (this.#size === 0) this.close();
    else this.#armNext();
  }

  /** Lets go of the timer: an empty queue costs nothing. */
  close(): void {
    if (this.#timer !== NO_TIMER) this.#host.timers.destroy(this.#timer);
    this.#timer = NO_TIMER;
  }

  #lineOf(record: HalfOpen): Line {
    return record.isHeld ? this.#held : (this.#lines[record.retransmissions] as Line);
  }

  #file(record: HalfOpen): void {
    const { retransmissions } = record;
    record.deadline = this.#host.now + Math.min(this.#maxRto, INITIAL_RTO * 2 ** retransmissions);
    (this.#lines[retransmissions] as Line).push(record);
    this.#arm(record.deadline);
  }

  #arm(deadline: number): void {
    const { timers } = this.#host;
    if (this.#timer === NO_TIMER) this.#timer = timers.create(this, 0);
    if (timers.deadlineOf(this.#timer) > deadline) timers.arm(this.#timer, deadline);
  }

  #armNext(): void {
    for (const line of this.#lines) if (line.head !== null) this.#arm(line.head.deadline);
    if (this.#held.head !== null) this.#arm(this.#held.head.deadline);
  }
}

function* entriesOf(line: Line): IterableIterator<HalfOpen> {
  for (let record = line.head; record !== null; ) {
    const { next } = record;
    yield record;
    record = next;
  }
}
