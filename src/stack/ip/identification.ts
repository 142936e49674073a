/**
 * IPv4 identifications (RFC 6864): a number of counters, each for the address pairs that hash to it under a key, so that a
 * pair's numbers repeat as late as they can and tell nobody how much is sent to others (RFC 7739 §5.3).
 */

import { i32, type Random } from '../../base/index.ts';

const COUNTERS = 2048;

export class Identifications {
  readonly #counters = new Uint16Array(COUNTERS);
  readonly #key0: number;
  readonly #key1: number;

  /** @param secret at least 16 bytes. */
  constructor(random: Random, secret: Uint8Array) {
    this.#key0 = i32(secret, 4);
    this.#key1 = i32(secret, 8);
    for (let i = 0; i < COUNTERS; i++) this.#counters[i] = random.next();
  }

  /** The counter of an address pair, for {@link next}. */
  counterOf(source: number, destination: number): number {
    let h = Math.imul(this.#key0 ^ source, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15) ^ destination, 0xc2b2ae35);
    h = Math.imul((h ^ (h >>> 13)) + this.#key1, 0x27d4eb2f);
    return (h ^ (h >>> 16)) & (COUNTERS - 1);
  }

  /** 1 … 65535, 0 … */
  next(counter: number): number {
    const id = ((this.#counters[counter] as number) + 1) & 0xffff;
    this.#counters[counter] = id;
    return id;
  }
}
