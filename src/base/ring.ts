/**
 * A byte ring over memory from a {@link BufferAllocator}: taken at the first byte, doubled as it fills up to `limit`, and
 * given back when it is empty. The next time it starts with what it needed the last time, so that a stream that comes in
 * bursts isn't copied from size to size in each of them.
 *
 * Positions are relative to the oldest byte held, so a TCP sender can look at any part of what is not yet acknowledged,
 * and a receiver can put a segment that came early where it belongs (`writeAt`) and later `commit` it.
 *
 *        0            used           used + gap
 *        |  readable  |  early bytes  | free |
 */

import { EMPTY } from './bytes.ts';
import type { BufferAllocator } from './memory.ts';
import type { RangeViews } from './views.ts';

/** What an empty ring takes at its first byte. */
export const RING_FIRST_BYTES = 4096;
/** A ring that could do with this part of its memory is worth copying. */
const COMPACT_FACTOR = 4;

export class Ring {
  readonly #allocator: BufferAllocator;
  /** The memory, for gather writes out of it; replaced when the ring grows. */
  memory: Uint8Array = EMPTY;
  /** Where the oldest byte is in `memory`. */
  start = 0;
  /** Bytes readable in order. */
  used = 0;
  /** Most bytes it will hold; may be changed at any time, and never drops what is held. */
  limit: number;
  /** How far bytes have reached since it took memory, and had when it last gave it back. */
  #reach = 0;
  #reachBefore = 0;

  constructor(allocator: BufferAllocator, limit: number) {
    this.#allocator = allocator;
    this.limit = limit;
  }

  /** Room for in-order bytes; 0 when `limit` was lowered below what is held. */
  get free(): number {
    return Math.max(0, this.limit - this.used);
  }

  /**
   * Copies up to `length` bytes in behind those held.
   * @returns how many fitted: fewer when the ring is full or the allocator is at its bound.
   */
  write(from: Uint8Array, at: number, length: number): number {
    const wanted = Math.min(length, this.free);
    let written = this.writeAt(this.used, from, at, wanted);
    if (written < wanted) {
      written = this.writeAt(
        this.used,
        from,
        at,
        Math.min(wanted, this.reserveMost(this.used + wanted) - this.used),
      );
    }
    this.used += written;
    return written;
  }

  /**
   * Copies bytes to `position` past the oldest byte without making them readable. The caller keeps within `limit`.
   * @param views of `from`, when bytes come from the same places of it again and again
   * @returns `length`, or 0 when no memory could be had.
   */
  writeAt(
    position: number,
    from: Uint8Array,
    at: number,
    length: number,
    views: RangeViews | null = null,
  ): number {
    if (length <= 0) return 0;
    if (position + length > this.memory.length && !this.#grow(position + length)) return 0;
    if (position + length > this.#reach) this.#reach = position + length;
    const { memory } = this;
    const mask = memory.length - 1;
    const first = (this.start + position) & mask;
    const untilEnd = memory.length - first;
    if (length <= untilEnd) {
      if (length === from.length) memory.set(from, first);
      else if (views !== null) memory.set(views.of(from, at, length), first);
      else memory.set(from.subarray(at, at + length), first);
    } else {
      memory.set(from.subarray(at, at + untilEnd), first);
      memory.set(from.subarray(at + untilEnd, at + length), 0);
    }
    return length;
  }

  /** Makes `length` more bytes readable that `writeAt` has put in place. */
  commit(length: number): void {
    this.used += length;
  }

  /** Copies out up to `length` bytes from `position` on without removing them. @returns how many. */
  peek(position: number, into: Uint8Array, at: number, length: number): number {
    const take = Math.min(length, this.used - position);
    if (take <= 0) return 0;
    const { memory } = this;
    const first = (this.start + position) & (memory.length - 1);
    const untilEnd = memory.length - first;
    if (take <= untilEnd) {
      into.set(memory.subarray(first, first + take), at);
    } else {
      into.set(memory.subarray(first), at);
      into.set(memory.subarray(0, take - untilEnd), at + untilEnd);
    }
    return take;
  }

  /** Where in `memory` the byte at `position` is; a range of it may run on at offset 0. */
  offsetOf(position: number): number {
    return (this.start + position) & (this.memory.length - 1);
  }

  /** Drops the oldest `length` bytes. `keep` is how far early bytes reach: memory that holds some is not given back. */
  discard(length: number, keep = 0): void {
    this.used -= length;
    if (this.used === 0 && keep === 0) {
      this.release();
      return;
    }
    this.start = (this.start + length) & (this.memory.length - 1);
  }

  /** Has memory for `length` bytes from the oldest on. @returns false when none could be had; then nothing changes */
  reserve(length: number): boolean {
    return length <= this.memory.length || this.#grow(length);
  }

  /** As {@link reserve}, or for as much of it as can be had. @returns the bytes that it has memory for */
  reserveMost(length: number): number {
    let wanted = length;
    while (wanted > this.memory.length && !this.#grow(wanted)) wanted >>= 1;
    return this.memory.length;
  }

  /**
   * Moves what it holds, and `keep` early bytes behind it, to less memory if that is worth it.
   * Frames whose payload lies in the ring must have left.
   */
  compact(keep: number): void {
    const held = this.used + keep;
    if (held === 0) this.release();
    const old = this.memory;
    const wanted = Math.max(held, RING_FIRST_BYTES);
    if (old.length < COMPACT_FACTOR * wanted) return;
    const smaller = this.#allocator.take(wanted);
    if (smaller === null) return;
    const untilEnd = Math.min(held, old.length - this.start);
    smaller.set(old.subarray(this.start, this.start + untilEnd), 0);
    smaller.set(old.subarray(0, held - untilEnd), untilEnd);
    this.memory = smaller;
    this.start = 0;
    this.#allocator.give(old);
  }

  /** Drops everything and gives the memory back. */
  release(): void {
    this.used = 0;
    this.start = 0;
    if (this.memory.length === 0) return;
    this.#reachBefore = this.#reach;
    this.#reach = 0;
    const { memory } = this;
    this.memory = EMPTY;
    this.#allocator.give(memory);
  }

  #grow(atLeast: number): boolean {
    const old = this.memory;
    // Doubling to fit, so that the copies below stay proportional to the bytes written.
    const least = Math.max(atLeast, old.length * 2, RING_FIRST_BYTES);
    let bigger: Uint8Array | null = null;
    if (old.length === 0 && this.#reachBefore > least) bigger = this.#allocator.take(this.#reachBefore);
    bigger ??= this.#allocator.take(least);
    if (bigger === null) return false;
    if (old.length === 0) {
      this.memory = bigger;
      return true;
    }
    const untilEnd = old.length - this.start;
    // All of it, not only what is readable: early bytes lie past `used`.
    bigger.set(old.subarray(this.start), 0);
    bigger.set(old.subarray(0, this.start), untilEnd);
    this.memory = bigger;
    this.start = 0;
    this.#allocator.give(old);
    return true;
  }
}
