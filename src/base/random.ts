/**
 * Chance as everything below `engine/` sees it: handed in, so that a seed reproduces a run to the byte.
 */

/** A source of random 32-bit integers. */
export interface Random {
  /** The next number, any `| 0` integer with equal probability. */
  next(): number;
}

/**
 * A small, fast, seedable generator (xoshiro128**, Blackman and Vigna 2018). For simulation and tests: it is predictable,
 * so a host on a real network is given the operating system's source instead.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    // SplitMix32 spreads a small seed over the four words, none of which may all be zero.
    let z = seed | 0;
    const word = (): number => {
      z = (z + 0x9e3779b9) | 0;
      let x = z;
      x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
      x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
      return x ^ (x >>> 16);
    };
    this.#a = word();
    this.#b = word();
    this.#c = word();
    this.#d = word() | 1;
  }

  next(): number {
    const scrambled = Math.imul(this.#b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result | 0;
  }
}

/** A number in [0, 1) with 32 bits of chance. */
export function randomFraction(random: Random): number {
  return (random.next() >>> 0) / 0x1_0000_0000;
}

/** An integer in [0, bound), `bound` ≤ 2³¹. */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(randomFraction(random) * bound);
}
