/**
 * What was sent and is not yet acknowledged, segment by segment: the scoreboard of RFC 6675 §3 with the times that RFC 8985
 * needs. A super-segment is one entry until a part of it fares differently from the rest.
 *
 *     sndUna                                                 sndNxt
 *       | lost | sacked | in flight, sent again | in flight |
 *     first ────────────── next ──────────────────────────▶ last          in sequence space
 *              oldest ── later ──▶ newest                                 of what is in flight, as it was sent
 *
 * Entries are slots in columns of typed arrays, chained twice: changing one costs nothing that grows with what is in flight.
 */

import { seqDiff, seqGeq, seqLeq, seqLt } from '../../../base/index.ts';
import { MOST_SLOTS, SentColumns, type SentColumnsPool } from './sent-columns.ts';

/** Where a segment is. */
export const SentState = {
  /** In the network, for all that is known. */
  inFlight: 0,
  /** The peer has it and said so. */
  sacked: 1,
  /** Given up, and not sent again yet. */
  lost: 2,
} as const;

/** Bytes from which on an entry is not extended: about a super-segment. */
const MOST_JOINED = 65_536;
/** No slot. */
export const NONE = -1;
const NO_COLUMNS = new SentColumns(0);

export class SentList {
  /** The columns, for those who look at a slot: never kept, since they change as the list grows. */
  columns = NO_COLUMNS;
  first = NONE;
  last = NONE;
  /** Of what is in flight, what was sent first and last. */
  oldest = NONE;
  newest = NONE;
  /** How many entries there are, and how many of them are SACKed. */
  count = 0;
  sackedCount = 0;
  /** Bytes of sequence space by state. */
  inFlightBytes = 0;
  sackedBytes = 0;
  lostBytes = 0;
  readonly #pool: SentColumnsPool;
  /** First free slot; those from `#fresh` on were never used. */
  #free = NONE;
  #fresh = 0;
  /** No entry before it is lost. */
  #lostHint = NONE;
  /** Where the last search ended: SACK blocks mostly grow where they were. */
  #cursor = NONE;

  constructor(pool: SentColumnsPool) {
    this.#pool = pool;
  }

  /** Adds what was just sent behind the rest. @returns its slot */
  append(start: number, end: number, now: number): number {
    const slot = this.#take();
    if (slot === NONE) return this.#stretchLast(end, now);
    const { columns: c } = this;
    c.start[slot] = start;
    c.end[slot] = end;
    c.state[slot] = SentState.inFlight;
    c.resent[slot] = 0;
    c.sentAt[slot] = now;
    this.#linkAfter(slot, this.last);
    this.#linkNewest(slot);
    this.inFlightBytes += (end - start) | 0;
    return slot;
  }

  /**
   * Takes what was just sent into the last entry, when that left at the same time and holds whole segments of `smss` bytes: they
   * are one entry as a super-segment is, until a part of it fares differently.
   * @returns whether it did
   */
  extendLast(start: number, end: number, smss: number, now: number): boolean {
    const { columns: c, last } = this;
    if (last === NONE || c.sentAt[last] !== now || c.end[last] !== start) return false;
    if (c.state[last] !== SentState.inFlight || c.resent[last] !== 0) return false;
    const length = this.lengthOf(last);
    if (length >= MOST_JOINED || length % smss !== 0) return false;
    c.end[last] = end;
    c.inFlight[last] = (c.inFlight[last] as number) + ((end - start) | 0);
    this.inFlightBytes += (end - start) | 0;
    return true;
  }

  lengthOf(slot: number): number {
    const { columns: c } = this;
    return ((c.end[slot] as number) - (c.start[slot] as number)) | 0;
  }

  /** The entry that holds the byte `seq`, else the first behind it; `NONE` when all end before it. */
  find(seq: number): number {
    const { columns: c } = this;
    let slot = this.#cursor === NONE ? this.first : this.#cursor;
    if (slot === NONE) return NONE;
    while (slot !== NONE && seqLeq(c.end[slot] as number, seq)) slot = c.next[slot] as number;
    if (slot === NONE) return NONE;
    let before = c.previous[slot] as number;
    while (before !== NONE && seqLt(seq, c.end[before] as number)) {
      slot = before;
      before = c.previous[slot] as number;
    }
    this.#cursor = slot;
    return slot;
  }

  /**
   * Makes `seq` an edge between entries.
   * @returns the entry that starts there; `NONE` when there is no memory for one more entry
   */
  split(slot: number, seq: number): number {
    if (seq === (this.columns.start[slot] as number)) return slot;
    const right = this.#take();
    if (right === NONE) return NONE;
    const { columns: c } = this;
    c.start[right] = seq;
    c.end[right] = c.end[slot] as number;
    c.end[slot] = seq;
    c.state[right] = c.state[slot] as number;
    c.resent[right] = c.resent[slot] as number;
    c.sentAt[right] = c.sentAt[slot] as number;
    c.delivered[right] = c.delivered[slot] as number;
    c.deliveredAt[right] = c.deliveredAt[slot] as number;
    c.firstSentAt[right] = c.firstSentAt[slot] as number;
    c.lost[right] = c.lost[slot] as number;
    c.inFlight[right] = c.inFlight[slot] as number;
    c.isAppLimited[right] = c.isAppLimited[slot] as number;
    this.#linkAfter(right, slot);
    if (c.state[slot] === SentState.inFlight) this.#linkLater(right, slot);
    else if (c.state[slot] === SentState.sacked) this.sackedCount++;
    return right;
  }

  /** The peer has it. */
  markSacked(slot: number): void {
    const length = this.#leave(slot);
    this.columns.state[slot] = SentState.sacked;
    this.sackedBytes += length;
    this.sackedCount++;
  }

  /** It has to be sent again. */
  markLost(slot: number): void {
    const length = this.#leave(slot);
    this.columns.state[slot] = SentState.lost;
    this.lostBytes += length;
    const { start } = this.columns;
    const hint = this.#lostHint;
    if (hint === NONE || seqLt(start[slot] as number, start[hint] as number)) this.#lostHint = slot;
  }

  /** It was sent again just now. */
  markResent(slot: number, now: number): void {
    const length = this.#leave(slot);
    const { columns: c } = this;
    c.state[slot] = SentState.inFlight;
    if ((c.resent[slot] as number) < 255) c.resent[slot] = (c.resent[slot] as number) + 1;
    c.sentAt[slot] = now;
    this.inFlightBytes += length;
    this.#linkNewest(slot);
  }

  /** It was not lost after all: in flight, sent before everything else that is. Call it from the last to the first. */
  markFound(slot: number): void {
    const length = this.#leave(slot);
    const { columns: c } = this;
    c.state[slot] = SentState.inFlight;
    this.inFlightBytes += length;
    c.earlier[slot] = NONE;
    c.later[slot] = this.oldest;
    if (this.oldest === NONE) this.newest = slot;
    else c.earlier[this.oldest] = slot;
    this.oldest = slot;
  }

  /** Joins the entry after `slot` to it; both are in the same state, and `slot` keeps its times. */
  joinNext(slot: number): void {
    const { columns: c } = this;
    const right = c.next[slot] as number;
    const end = c.end[right] as number;
    const length = this.lengthOf(right);
    this.#leave(right);
    this.#unlink(right);
    c.end[slot] = end;
    if (c.state[slot] === SentState.inFlight) this.inFlightBytes += length;
    else if (c.state[slot] === SentState.sacked) this.sackedBytes += length;
    else this.lostBytes += length;
  }

  /** The first entry that is lost; `NONE` when none is. */
  get firstLost(): number {
    if (this.lostBytes === 0) return NONE;
    const { state, next } = this.columns;
    let slot = this.#lostHint === NONE ? this.first : this.#lostHint;
    while (slot !== NONE && state[slot] !== SentState.lost) slot = next[slot] as number;
    this.#lostHint = slot;
    return slot;
  }

  /** Takes away everything before `seq`, which lies in the first entry or at its edges. */
  trimFirst(seq: number): void {
    const slot = this.first;
    const { columns: c } = this;
    if (seqGeq(seq, c.end[slot] as number)) {
      this.#leave(slot);
      this.#unlink(slot);
      return;
    }
    const cut = seqDiff(seq, c.start[slot] as number);
    c.start[slot] = seq;
    if (c.state[slot] === SentState.inFlight) this.inFlightBytes -= cut;
    else if (c.state[slot] === SentState.sacked) this.sackedBytes -= cut;
    else this.lostBytes -= cut;
  }

  /** Gives the memory back. */
  clear(): void {
    if (this.columns !== NO_COLUMNS) this.#pool.give(this.columns);
    this.columns = NO_COLUMNS;
    this.first = this.last = this.oldest = this.newest = NONE;
    this.count = this.sackedCount = 0;
    this.inFlightBytes = this.sackedBytes = this.lostBytes = 0;
    this.#free = this.#lostHint = this.#cursor = NONE;
    this.#fresh = 0;
  }

  /** A free slot; `NONE` when the list is as long as it may be. */
  #take(): number {
    let slot = this.#free;
    if (slot !== NONE) this.#free = this.columns.next[slot] as number;
    else {
      if (this.#fresh === this.columns.capacity && !this.#grow()) return NONE;
      slot = this.#fresh++;
    }
    this.count++;
    return slot;
  }

  #grow(): boolean {
    const { columns } = this;
    if (columns.capacity >= MOST_SLOTS) return false;
    const larger = this.#pool.take(2 * columns.capacity);
    if (columns !== NO_COLUMNS) {
      larger.copyFrom(columns);
      this.#pool.give(columns);
    }
    this.columns = larger;
    return true;
  }

  /** Too many entries: the last one takes in what was sent behind it, and counts as sent now. */
  #stretchLast(end: number, now: number): number {
    const { columns: c, last } = this;
    const added = seqDiff(end, c.end[last] as number);
    if (c.state[last] !== SentState.inFlight) this.markResent(last, now);
    c.end[last] = end;
    c.sentAt[last] = now;
    this.inFlightBytes += added;
    return last;
  }

  /** Takes an entry out of the sums, and out of the order of sending. @returns its length */
  #leave(slot: number): number {
    const { state } = this.columns;
    const length = this.lengthOf(slot);
    if (state[slot] === SentState.inFlight) {
      this.inFlightBytes -= length;
      this.#unlinkLater(slot);
    } else if (state[slot] === SentState.sacked) {
      this.sackedBytes -= length;
      this.sackedCount--;
    } else this.lostBytes -= length;
    return length;
  }

  #linkAfter(slot: number, before: number): void {
    const { previous, next } = this.columns;
    const after = before === NONE ? this.first : (next[before] as number);
    previous[slot] = before;
    next[slot] = after;
    if (before === NONE) this.first = slot;
    else next[before] = slot;
    if (after === NONE) this.last = slot;
    else previous[after] = slot;
  }

  /** Frees a slot that has left its state. */
  #unlink(slot: number): void {
    const { previous, next } = this.columns;
    const before = previous[slot] as number;
    const after = next[slot] as number;
    if (before === NONE) this.first = after;
    else next[before] = after;
    if (after === NONE) this.last = before;
    else previous[after] = before;
    if (this.#cursor === slot) this.#cursor = after;
    if (this.#lostHint === slot) this.#lostHint = after;
    next[slot] = this.#free;
    this.#free = slot;
    this.count--;
    if (this.count === 0) this.clear();
  }

  #linkNewest(slot: number): void {
    const { earlier, later } = this.columns;
    earlier[slot] = this.newest;
    later[slot] = NONE;
    if (this.newest === NONE) this.oldest = slot;
    else later[this.newest] = slot;
    this.newest = slot;
  }

  /** `slot` was sent with `before`, and comes after it. */
  #linkLater(slot: number, before: number): void {
    const { earlier, later } = this.columns;
    const after = later[before] as number;
    earlier[slot] = before;
    later[slot] = after;
    later[before] = slot;
    if (after === NONE) this.newest = slot;
    else earlier[after] = slot;
  }

  #unlinkLater(slot: number): void {
    const { earlier, later } = this.columns;
    const before = earlier[slot] as number;
    const after = later[slot] as number;
    if (before === NONE) this.oldest = after;
    else later[before] = after;
    if (after === NONE) this.newest = before;
    else earlier[after] = before;
  }
}
