/**
 * How much memory the buffers of all connections take, and who may still take some.
 *
 *     0           low           pressure      high        limit
 *     |  all that they like, a connection as much as its limit  |
 *                  |<- under pressure ->|
 *
 * Past `pressure` and until it is below `low` again, a ring grows only within its fair share, an equal part of the limit;
 * windows are opened no further than that, and nothing grows for text that came early. Past `high` only the first piece of
 * a ring is given, so that every connection can take a segment and go on. Past `limit` nothing is. A ring that gets nothing
 * is no error: text is dropped before it is acknowledged, and a write falls short.
 *
 * What is done to get out of it is in `shedding.ts`.
 */

import { type BufferAllocator, pieceSize, RING_FIRST_BYTES } from '../../../base/index.ts';
import type { StackCounters } from '../../counters.ts';

export class TcpMemory implements BufferAllocator {
  readonly #source: BufferAllocator;
  readonly #counters: StackCounters;
  readonly limit: number;
  /** Marks in bytes: see the drawing. */
  readonly low: number;
  readonly pressure: number;
  readonly high: number;
  /** Bytes that rings hold. */
  inUse = 0;
  /** Rings that hold some. */
  #holders = 0;
  /** `pressure` was passed, and `low` not reached since. */
  isPressed = false;

  /** @param limit bytes of all connections' buffers together */
  constructor(source: BufferAllocator, counters: StackCounters, limit: number) {
    this.#source = source;
    this.#counters = counters;
    this.limit = limit;
    this.low = limit / 2;
    this.pressure = (limit / 4) * 3;
    this.high = (limit / 8) * 7;
  }

  /** What a ring may hold under pressure. */
  get share(): number {
    return Math.floor(this.limit / Math.max(1, this.#holders));
  }

  take(bytes: number): Uint8Array | null {
    const size = pieceSize(bytes);
    const memory = this.#isAllowed(size) ? this.#source.take(bytes) : null;
    if (memory === null) {
      this.#counters.tcpMemoryRefused++;
      return null;
    }
    this.#holders++;
    this.inUse += memory.length;
    if (!this.isPressed && this.inUse > this.pressure) {
      this.isPressed = true;
      this.#counters.tcpMemoryPressures++;
    }
    return memory;
  }

  give(memory: Uint8Array): void {
    this.#holders--;
    this.inUse -= memory.length;
    if (this.isPressed && this.inUse < this.low) this.isPressed = false;
    this.#source.give(memory);
  }

  /** Gives back what is kept for the next taker. */
  trim(): void {
    this.#source.trim?.();
  }

  #isAllowed(size: number): boolean {
    const after = this.inUse + size;
    if (after > this.limit) return false;
    if (size <= RING_FIRST_BYTES) return true;
    return after <= this.high && (!this.isPressed || size <= this.share);
  }
}
