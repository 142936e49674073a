/**
 * A sorted list of disjoint ranges of sequence space: what a receiver holds early (RFC 9293 §3.10.7.4, seventh) and what a
 * sender knows to have arrived (the scoreboard of RFC 6675 §3).
 *
 * Edges lie in one `Int32Array` that grows by doubling up to a bound, so that a peer that sends every other byte costs
 * bounded memory and a steady stream of losses costs no allocation. All edges must be less than 2³¹ apart.
 */

import { seqDiff, seqGeq, seqGt, seqLeq, seqLt, seqMax, seqMin } from '../../../base/index.ts';

/** What an empty list takes at its first range. */
const FIRST_RANGES = 8;
const NO_EDGES = new Int32Array(0);

export class SequenceRanges {
  /** Starts at even, ends (exclusive) at odd indexes, ascending. */
  #edges = NO_EDGES;
  readonly #limit: number;
  /** How many ranges there are. */
  count = 0;
  /** Sum of their lengths. */
  bytes = 0;

  /** @param limit most ranges it will hold */
  constructor(limit: number) {
    this.#limit = limit;
  }

  startOf(index: number): number {
    return this.#edges[2 * index] as number;
  }

  /** One past the last of the range. */
  endOf(index: number): number {
    return this.#edges[2 * index + 1] as number;
  }

  /** The end of the last range; only when `count` > 0. */
  get highest(): number {
    return this.#edges[2 * this.count - 1] as number;
  }

  /** The first range that ends after `seq`; `count` when none does. */
  indexAfter(seq: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (seqGt(this.endOf(middle), seq)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Whether the byte `seq` is in a range. */
  has(seq: number): boolean {
    const index = this.indexAfter(seq);
    return index < this.count && seqLeq(this.startOf(index), seq);
  }

  /** How many bytes of `start … end` are in ranges. */
  bytesWithin(start: number, end: number): number {
    let sum = 0;
    for (let i = this.indexAfter(start); i < this.count && seqLt(this.startOf(i), end); i++) {
      sum += seqDiff(seqMin(this.endOf(i), end), seqMax(this.startOf(i), start));
    }
    return sum;
  }

  /**
   * Adds `start … end`, joining it with what it touches.
   * @returns how many of its bytes are new, or -1 when it would be one range too many: then nothing changes.
   */
  add(start: number, end: number): number {
    // Ranges `from … to` touch the new one; newcomers mostly belong at the end.
    let to = this.count;
    while (to > 0 && seqGt(this.startOf(to - 1), end)) to--;
    let from = to;
    while (from > 0 && seqGeq(this.endOf(from - 1), start)) from--;
    if (from === to) return this.#insert(from, start, end);

    const joinedStart = seqMin(start, this.startOf(from));
    const joinedEnd = seqMax(end, this.endOf(to - 1));
    let before = 0;
    for (let i = from; i < to; i++) before += seqDiff(this.endOf(i), this.startOf(i));
    this.#edges.copyWithin(2 * from + 2, 2 * to, 2 * this.count);
    this.count -= to - from - 1;
    this.#edges[2 * from] = joinedStart;
    this.#edges[2 * from + 1] = joinedEnd;
    const added = seqDiff(joinedEnd, joinedStart) - before;
    this.bytes += added;
    return added;
  }

  /** Forgets everything before `seq`. */
  dropBelow(seq: number): void {
    if (this.count === 0 || seqGeq(this.startOf(0), seq)) return;
    const kept = this.indexAfter(seq);
    for (let i = 0; i < kept; i++) this.bytes -= seqDiff(this.endOf(i), this.startOf(i));
    if (kept > 0) {
      this.#edges.copyWithin(0, 2 * kept, 2 * this.count);
      this.count -= kept;
    }
    if (this.count > 0 && seqLt(this.startOf(0), seq)) {
      this.bytes -= seqDiff(seq, this.startOf(0));
      this.#edges[0] = seq;
    }
  }

  /** Forgets everything, and gives the list's memory back. */
  clear(): void {
    this.count = 0;
    this.bytes = 0;
    this.#edges = NO_EDGES;
  }

  #insert(at: number, start: number, end: number): number {
    if (this.count === this.#limit) return -1;
    if (2 * this.count === this.#edges.length) {
      const larger = new Int32Array(2 * Math.min(this.#limit, Math.max(FIRST_RANGES, 2 * this.count)));
      larger.set(this.#edges);
      this.#edges = larger;
    }
    this.#edges.copyWithin(2 * at + 2, 2 * at, 2 * this.count);
    this.#edges[2 * at] = start;
    this.#edges[2 * at + 1] = end;
    this.count++;
    const added = seqDiff(end, start);
    this.bytes += added;
    return added;
  }
}
