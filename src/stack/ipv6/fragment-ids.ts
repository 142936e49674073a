/**
 * Identifications of fragmented IPv6 packets (RFC 7739 §5.3): a number of counters, each for the address pairs that hash to it
 * under a key, from a random start: a pair's numbers repeat as late as they can, and tell nobody how much is sent to others.
 */

import { type IpAddress, i32, type Random } from '../../base/index.ts';

const COUNTERS = 1024;

export class FragmentIds {
  readonly #counters = new Int32Array(COUNTERS);
  readonly #key0: number;
  readonly #key1: number;

  /** @param secret at least 16 bytes */
  constructor(random: Random, secret: Uint8Array) {
    this.#key0 = i32(secret, 8);
    this.#key1 = i32(secret, 12);
    for (let i = 0; i < COUNTERS; i++) this.#counters[i] = random.next();
  }

  /** A number for the fragments of one packet, as a `| 0` word. */
  next(source: IpAddress, destination: IpAddress): number {
    let h = Math.imul(this.#key0 ^ source.w3, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15) ^ source.w2 ^ Math.imul(source.w1 ^ source.w0, 0x9e3779b1), 0xc2b2ae35);
    h = Math.imul((h ^ (h >>> 13)) + (destination.w3 ^ this.#key1), 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 16) ^ destination.w2, 0x165667b1);
    h = Math.imul(h ^ (h >>> 15) ^ Math.imul(destination.w1 ^ destination.w0, 0x9e3779b1), 0x85ebca6b);
    const slot = (h ^ (h >>> 16)) & (COUNTERS - 1);
    const id = ((this.#counters[slot] as number) + 1) | 0;
    this.#counters[slot] = id;
    return id;
  }
}
