/**
 * Chance from the operating system: what a host on a real network draws its ISNs, ports and identifiers from (RFC 6528,
 * RFC 6056 need numbers that cannot be guessed).
 */

import type { Random } from '../base/index.ts';

/** Numbers drawn at a time: a call into the system costs as much as some hundred of them. */
const BATCH = 256;

/** Cryptographically strong numbers, drawn from the system a few hundred at a time. */
export class SystemRandom implements Random {
  readonly #numbers = new Int32Array(BATCH);
  #used = BATCH;

  next(): number {
    if (this.#used === BATCH) {
      crypto.getRandomValues(this.#numbers);
      this.#used = 0;
    }
    const number = this.#numbers[this.#used] as number;
    // A number that was given out must not be found in memory later.
    this.#numbers[this.#used++] = 0;
    return number;
  }
}
