/**
 * Where addresses live on a segment: learned from where their frames come from, as a switch does (IEEE 802.1D §7.8).
 * Addresses are Ethernet's on an Ethernet segment, else those of IPv4 and IPv6.
 */

import {
  i32,
  type Medium,
  type TransmitBatch,
  TX_COLUMNS,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  u8,
  u16,
} from '../base/index.ts';

/** Most addresses that are remembered; a flood of made-up ones costs no more than this. */
const CAPACITY = 4096;

/** An address is four words: the last three zero-filled for short ones. */
interface Entry<Port> {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
  port: Port;
}

export class AddressTable<Port> {
  /** By a mix of the four words; two addresses that mix alike share a place, and the later one has it. */
  readonly #entries = new Map<number, Entry<Port>>();

  /**
   * Learns the source of frame `index` and looks its destination up.
   * @returns the one port that it is for, or `null` when it is for all: not known, or a group address.
   */
  route(batch: TransmitBatch, index: number, medium: Medium, from: Port): Port | null {
    const { headers: bytes } = batch;
    const row = index * TX_COLUMNS;
    const at = batch.table[row + TX_HEADER_OFFSET] as number;
    const length = batch.table[row + TX_HEADER_LENGTH] as number;
    if (medium === 'ethernet') {
      if (length < 14) return null;
      this.#learn(u16(bytes, at + 6), i32(bytes, at + 8), 0, 0, from);
      if ((u8(bytes, at) & 1) !== 0) return null;
      return this.#find(u16(bytes, at), i32(bytes, at + 2), 0, 0);
    }
    const version = length < 20 ? 0 : u8(bytes, at) >>> 4;
    if (version === 4) {
      this.#learn(i32(bytes, at + 12), 0, 0, 4, from);
      return this.#find(i32(bytes, at + 16), 0, 0, 4);
    }
    if (version !== 6 || length < 40) return null;
    this.#learn(i32(bytes, at + 8), i32(bytes, at + 12), i32(bytes, at + 16), i32(bytes, at + 20), from);
    return this.#find(i32(bytes, at + 24), i32(bytes, at + 28), i32(bytes, at + 32), i32(bytes, at + 36));
  }

  /** Forgets what lived at `port`. */
  forget(port: Port): void {
    for (const [key, entry] of this.#entries) if (entry.port === port) this.#entries.delete(key);
  }

  #find(w0: number, w1: number, w2: number, w3: number): Port | null {
    const entry = this.#entries.get(mix(w0, w1, w2, w3));
    return entry !== undefined && isSame(entry, w0, w1, w2, w3) ? entry.port : null;
  }

  #learn(w0: number, w1: number, w2: number, w3: number, port: Port): void {
    const key = mix(w0, w1, w2, w3);
    const entry = this.#entries.get(key);
    if (entry !== undefined && isSame(entry, w0, w1, w2, w3)) {
      entry.port = port;
    } else if (entry !== undefined || this.#entries.size < CAPACITY) {
      this.#entries.set(key, { w0, w1, w2, w3, port });
    }
  }
}

function isSame(entry: Entry<unknown>, w0: number, w1: number, w2: number, w3: number): boolean {
  return entry.w0 === w0 && entry.w1 === w1 && entry.w2 === w2 && entry.w3 === w3;
}

function mix(w0: number, w1: number, w2: number, w3: number): number {
  return w0 ^ Math.imul(w1, 0x9e3779b1) ^ Math.imul(w2, 0x85ebca6b) ^ Math.imul(w3, 0xc2b2ae35);
}
