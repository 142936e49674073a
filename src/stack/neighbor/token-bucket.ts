/** A bound on how often something is done: so many times a second in the long run, and some at once. */

export class TokenBucket {
  readonly #ratePerSec: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;

  constructor(ratePerSec: number, burst: number, now: number) {
    this.#ratePerSec = ratePerSec;
    this.#burst = burst;
    this.#tokens = burst;
    this.#filledAt = now;
  }

  /** Whether it may be done once more at `now`; if so it is counted. */
  take(now: number): boolean {
    const earned = ((now - this.#filledAt) * this.#ratePerSec) / 1000;
    this.#filledAt = now;
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, earned));
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
