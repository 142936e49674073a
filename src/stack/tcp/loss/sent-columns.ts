/**
 * Memory of `SentList`s: one column for each thing that is remembered of a segment. What a list no longer needs goes to a
 * pool, because most connections have nothing in flight most of the time.
 */

/** Columns of one list. Times are ms, sizes bytes. */
export class SentColumns {
  readonly capacity: number;
  /** First sequence number, and one past the last. */
  readonly start: Int32Array;
  readonly end: Int32Array;
  /** Neighbours in sequence space; `next` also chains free slots. */
  readonly previous: Int32Array;
  readonly next: Int32Array;
  /** Neighbours among those in flight, in the order in which they were sent. */
  readonly earlier: Int32Array;
  readonly later: Int32Array;
  /** A `SentState`. */
  readonly state: Uint8Array;
  /** How often it was sent again, up to 255. */
  readonly resent: Uint8Array;
  /** When it was sent last. */
  readonly sentAt: Float64Array;
  // What the connection had delivered when it was sent: see `delivery-rate.ts`.
  readonly delivered: Float64Array;
  readonly deliveredAt: Float64Array;
  readonly firstSentAt: Float64Array;
  readonly lost: Float64Array;
  readonly inFlight: Float64Array;
  readonly isAppLimited: Uint8Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.start = new Int32Array(capacity);
    this.end = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.earlier = new Int32Array(capacity);
    this.later = new Int32Array(capacity);
    this.state = new Uint8Array(capacity);
    this.resent = new Uint8Array(capacity);
    this.sentAt = new Float64Array(capacity);
    this.delivered = new Float64Array(capacity);
    this.deliveredAt = new Float64Array(capacity);
    this.firstSentAt = new Float64Array(capacity);
    this.lost = new Float64Array(capacity);
    this.inFlight = new Float64Array(capacity);
    this.isAppLimited = new Uint8Array(capacity);
  }

  /** Copies the slots of smaller columns to the same places. */
  copyFrom(other: SentColumns): void {
    this.start.set(other.start);
    this.end.set(other.end);
    this.previous.set(other.previous);
    this.next.set(other.next);
    this.earlier.set(other.earlier);
    this.later.set(other.later);
    this.state.set(other.state);
    this.resent.set(other.resent);
    this.sentAt.set(other.sentAt);
    this.delivered.set(other.delivered);
    this.deliveredAt.set(other.deliveredAt);
    this.firstSentAt.set(other.firstSentAt);
    this.lost.set(other.lost);
    this.inFlight.set(other.inFlight);
    this.isAppLimited.set(other.isAppLimited);
  }
}

/** What a list starts with, slots. */
const LEAST_CAPACITY = 16;
/** Sizes double: 16, 32, … */
const SIZES = 10;
/** Most that a list takes, slots: 12 MB of full packets, in 600 KB. */
export const MOST_SLOTS = LEAST_CAPACITY << (SIZES - 1);
/**
 * Kept of each size; what comes on top is left to the collector. Many of the least, 3 KB each: ten thousand connections that
 * have a message in flight now and then would keep the collector busy for a third of the time.
 */
const KEPT = [8192, 1024, 64, 32, 16, 8, 4, 2, 1, 1];

/** What no list uses now. One for each stack. */
export class SentColumnsPool {
  readonly #kept: SentColumns[][] = Array.from({ length: SIZES }, () => []);

  /** Columns of at least `capacity` slots, a power of two; their content is undefined. */
  take(capacity: number): SentColumns {
    const size = Math.max(LEAST_CAPACITY, capacity);
    return this.#kept[sizeIndex(size)]?.pop() ?? new SentColumns(size);
  }

  give(columns: SentColumns): void {
    const index = sizeIndex(columns.capacity);
    const kept = this.#kept[index];
    if (kept !== undefined && kept.length < (KEPT[index] as number)) kept.push(columns);
  }
}

function sizeIndex(capacity: number): number {
  return 31 - Math.clz32(capacity / LEAST_CAPACITY);
}
