/**
 * How many ICMP errors we send (RFC 1812 §4.3.2.8): a token bucket for all, so that a flood of bad packets makes no flood
 * of answers.
 */

import { type Random, randomBelow } from '../../base/index.ts';

/** Errors a second in the long run, and at once. */
const RATE_PER_SEC = 200;
const BURST = 50;
/** Of each burst so many are left out, by chance: who counts our errors learns nothing about other senders' packets. */
const JITTER = 4;

export class IcmpRateLimiter {
  readonly #random: Random;
  #tokens = BURST;
  #filledAt = 0;

  constructor(random: Random, now: number) {
    this.#random = random;
    this.#filledAt = now;
  }

  /** Whether one more error may go at `now`; if so it is counted. */
  take(now: number): boolean {
    const earned = Math.floor(((now - this.#filledAt) * RATE_PER_SEC) / 1000);
    if (earned > 0) {
      this.#filledAt += (earned * 1000) / RATE_PER_SEC;
      const tokens = this.#tokens + earned;
      this.#tokens = tokens >= BURST ? BURST - randomBelow(this.#random, JITTER) : tokens;
    }
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
