/**
 * What waits for one receiver of an in-process wire: frames copied in by senders, handed over in batches a moment later.
 *
 * A link must not call its receiver from inside another's `transmit`, or two stacks on one wire would run inside each other.
 * So the inbox files the frames and asks the scheduler for a turn; everything that came until then is one batch. Two
 * batches take turns, one filling while the other is lent to the receiver. They start small and double up to the bounds.
 */

import {
  type Cancel,
  carryFrame,
  createFrameBatch,
  FRAME_COLUMNS,
  type FrameBatch,
  type Medium,
  type Scheduler,
  type TransmitBatch,
  transmitLength,
} from '../base/index.ts';
import { linkHeaderLength } from '../wire/index.ts';
import type { LinkReceiver } from './link.ts';

/** Bounds of what waits. A batch of 64 super-segments is 4 MB: the default holds two of them. */
export interface InboxLimits {
  /** Most frames waiting. Default 1024. */
  readonly queueFrames?: number;
  /** Most bytes waiting. Default 8 MiB. */
  readonly queueBytes?: number;
}

export class FrameInbox {
  readonly #scheduler: Scheduler;
  readonly #maxFrames: number;
  readonly #maxBytes: number;
  readonly #lead: number;
  #filling: FrameBatch = createFrameBatch(FIRST_FRAMES, FIRST_BYTES);
  #lent: FrameBatch = createFrameBatch(FIRST_FRAMES, FIRST_BYTES);
  #end = 0;
  #receiver: LinkReceiver | null = null;
  #turn: Cancel | null = null;
  /** Called after a batch was delivered: there is room again. */
  readonly #onDelivered: () => void;
  /** Frames refused because a bound was reached. */
  dropped = 0;

  constructor(scheduler: Scheduler, medium: Medium, limits: InboxLimits, onDelivered: () => void) {
    this.#scheduler = scheduler;
    this.#lead = -linkHeaderLength(medium) & 3;
    this.#maxFrames = limits.queueFrames ?? 1024;
    this.#maxBytes = limits.queueBytes ?? 8 << 20;
    this.#onDelivered = onDelivered;
  }

  get isOpen(): boolean {
    return this.#receiver !== null;
  }

  /** More than half full: senders hold back until the next delivery. */
  get isCrowded(): boolean {
    return this.#filling.count * 2 > this.#maxFrames || this.#end * 2 > this.#maxBytes;
  }

  open(receiver: LinkReceiver): void {
    this.#receiver = receiver;
  }

  /** Forgets what waits and takes no more. */
  close(): void {
    this.#receiver = null;
    this.#turn?.();
    this.#turn = null;
    this.#empty(this.#filling);
    this.#end = 0;
  }

  /** Copies frame `index` of `batch` in. Frames for a receiver that is not there vanish, as on a cable that ends open. */
  offer(batch: TransmitBatch, index: number): void {
    if (this.#receiver === null) return;
    const length = transmitLength(batch, index);
    const at = this.#end + this.#lead;
    if (!this.#makeRoom(at + length)) {
      this.dropped++;
      return;
    }
    this.#end = (carryFrame(batch, index, this.#filling, at) + 3) & ~3;
    this.#turn ??= this.#scheduler.after(0, this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#turn = null;
    const batch = this.#filling;
    this.#filling = this.#lent;
    this.#lent = batch;
    this.#end = 0;
    this.#receiver?.receive(batch);
    this.#empty(batch);
    this.#onDelivered();
  };

  #empty(batch: FrameBatch): void {
    // Endpoints must not live on in a batch that nobody reads.
    batch.owners.fill(null, 0, batch.count);
    batch.count = 0;
  }

  /** Whether one more frame that ends at `end` fits, after growing where the bounds allow it. */
  #makeRoom(end: number): boolean {
    const { bytes, table, count } = this.#filling;
    if (count >= this.#maxFrames || end > this.#maxBytes) return false;
    const hasRow = (count + 1) * FRAME_COLUMNS <= table.length;
    if (hasRow && end <= bytes.length) return true;
    const frames = hasRow ? table.length / FRAME_COLUMNS : Math.min(count * 2, this.#maxFrames);
    let room = bytes.length;
    while (room < end) room *= 2;
    const bigger = createFrameBatch(frames, Math.max(bytes.length, Math.min(room, this.#maxBytes)));
    bigger.bytes.set(bytes.subarray(0, this.#end));
    bigger.table.set(table.subarray(0, count * FRAME_COLUMNS));
    bigger.count = count;
    this.#filling = bigger;
    return true;
  }
}

const FIRST_FRAMES = 16;
const FIRST_BYTES = 16 << 10;
