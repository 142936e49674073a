/**
 * Frames that a full device could not take: copied, in order, up to a bound.
 */

import {
  createTransmitBatch,
  flattenFrame,
  type TransmitBatch,
  TX_COLUMNS,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
  transmitLength,
} from '../../base/index.ts';

/**
 * A queue of whole frames, laid out as a {@link TransmitBatch} so that it is written as any other batch. Headers and
 * payloads lie in one slab, which is allocated when the first frame has to wait.
 */
export class Backlog {
  /** The frames that wait are rows `first` … `batch.count - 1`. */
  first = 0;
  readonly #frames: number;
  readonly #bytes: number;
  #batch: TransmitBatch | null = null;
  #end = 0;

  /** Holds at most `frames` frames of `bytes` bytes together. */
  constructor(frames: number, bytes: number) {
    this.#frames = frames;
    this.#bytes = bytes;
  }

  get isEmpty(): boolean {
    return this.#batch === null || this.first === this.#batch.count;
  }

  /** What waits; `null` before anything ever did. */
  get batch(): TransmitBatch | null {
    return this.#batch;
  }

  /** Copies the frames of `from` from row `first` on. @returns how many found no room. */
  append(from: TransmitBatch, first: number): number {
    const batch = this.#prepare();
    let lost = 0;
    for (let index = first; index < from.count; index++) {
      // Later frames may be smaller: each is tried.
      if (!this.#add(batch, from, index)) lost++;
    }
    return lost;
  }

  /** `count` frames are gone. */
  advance(count: number): void {
    this.first += count;
    if (this.isEmpty) this.clear();
  }

  /** Forgets all frames, keeps the memory. */
  clear(): void {
    this.first = 0;
    this.#end = 0;
    if (this.#batch !== null) this.#batch.count = 0;
  }

  #prepare(): TransmitBatch {
    if (this.#batch !== null) return this.#batch;
    const slab = new Uint8Array(this.#bytes);
    this.#batch = {
      ...createTransmitBatch(0),
      headers: slab,
      table: new Int32Array(this.#frames * TX_COLUMNS),
      payloads: new Array<Uint8Array>(this.#frames).fill(slab),
      capacity: this.#frames,
    };
    return this.#batch;
  }

  #add(batch: TransmitBatch, from: TransmitBatch, index: number): boolean {
    const length = transmitLength(from, index);
    if (batch.count === this.#frames || this.#end + length > this.#bytes) this.#compact(batch);
    if (batch.count === this.#frames || this.#end + length > this.#bytes) return false;
    const { table } = batch;
    const row = batch.count * TX_COLUMNS;
    const source = index * TX_COLUMNS;
    for (let column = 0; column < TX_COLUMNS; column++) {
      table[row + column] = from.table[source + column] as number;
    }
    const headerLength = table[row + TX_HEADER_LENGTH] as number;
    flattenFrame(from, index, batch.headers, this.#end);
    table[row + TX_HEADER_OFFSET] = this.#end;
    table[row + TX_PAYLOAD1_OFFSET] = this.#end + headerLength;
    table[row + TX_PAYLOAD1_LENGTH] = length - headerLength;
    table[row + TX_PAYLOAD2_OFFSET] = 0;
    table[row + TX_PAYLOAD2_LENGTH] = 0;
    this.#end += length;
    batch.count++;
    return true;
  }

  /** Moves what waits to the front of table and slab. */
  #compact(batch: TransmitBatch): void {
    if (this.first === 0) return;
    const { table, headers } = batch;
    const shift =
      this.first < batch.count ? (table[this.first * TX_COLUMNS + TX_HEADER_OFFSET] as number) : this.#end;
    headers.copyWithin(0, shift, this.#end);
    table.copyWithin(0, this.first * TX_COLUMNS, batch.count * TX_COLUMNS);
    batch.count -= this.first;
    this.first = 0;
    this.#end -= shift;
    for (let row = 0; row < batch.count * TX_COLUMNS; row += TX_COLUMNS) {
      table[row + TX_HEADER_OFFSET] = (table[row + TX_HEADER_OFFSET] as number) - shift;
      table[row + TX_PAYLOAD1_OFFSET] = (table[row + TX_PAYLOAD1_OFFSET] as number) - shift;
    }
  }
}
