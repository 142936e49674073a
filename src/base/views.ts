/**
 * Views of ranges, kept: a fast copy out of the middle of an array (`into.set(view, at)`) needs a view of the range, an object
 * of some hundred bytes. Frames of a bulk transfer come at the same places of the same batches over and over, so that the
 * views of the last ones serve again, and a steady stream makes no garbage.
 */

/** A power of two, some times what a batch has frames. */
const SLOTS = 256;
/** Knuth's multiplicative hash: places a constant stride apart fall into different slots. */
const HASH = 0x9e3779b1 | 0;
const HASH_SHIFT = 24;

const { imul } = Math;

/** The views of one array. */
class SourceViews {
  source: Uint8Array | null = null;
  readonly #views = new Array<Uint8Array | null>(SLOTS).fill(null);
  readonly #starts = new Int32Array(SLOTS);
  readonly #lengths = new Int32Array(SLOTS);
  /** The first of `#filled` are the slots in use. */
  readonly #filled = new Int32Array(SLOTS);
  #count = 0;

  of(source: Uint8Array, start: number, length: number): Uint8Array {
    const slot = imul(start, HASH) >>> HASH_SHIFT;
    const kept = this.#views[slot] as Uint8Array | null;
    if (kept !== null && this.#starts[slot] === start && this.#lengths[slot] === length) return kept;
    const view = source.subarray(start, start + length);
    if (kept === null) this.#filled[this.#count++] = slot;
    this.#views[slot] = view;
    this.#starts[slot] = start;
    this.#lengths[slot] = length;
    return view;
  }

  change(source: Uint8Array): void {
    for (let i = 0; i < this.#count; i++) this.#views[this.#filled[i] as number] = null;
    this.#count = 0;
    this.source = source;
  }
}

/** Keeps views of the two arrays that it was asked about last: an inbox has one that fills and one that is read. */
export class RangeViews {
  #last = new SourceViews();
  #before = new SourceViews();

  /** A view of `length` bytes from `start`, borrowed until the next call. */
  of(source: Uint8Array, start: number, length: number): Uint8Array {
    if (source !== this.#last.source) this.#turn(source);
    return this.#last.of(source, start, length);
  }

  #turn(source: Uint8Array): void {
    const views = this.#before;
    if (source !== views.source) views.change(source);
    this.#before = this.#last;
    this.#last = views;
  }
}
