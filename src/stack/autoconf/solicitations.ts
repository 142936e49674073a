/**
 * Asking for routers (RFC 4861 §6.3.7, RFC 7559): after a short random delay, then again and again, ever more seldom, until one
 * answers that wants to be a default router.
 */

import type { Random } from '../../base/index.ts';
import type { Part } from './lifetime.ts';

/** RFC 4861 §10: MAX_RTR_SOLICITATION_DELAY, ms. */
const MAX_DELAY = 1000;
/** RFC 7559 §2: IRT and MRT, ms. */
const FIRST_INTERVAL = 4000;
const LAST_INTERVAL = 3_600_000;

export class Solicitations implements Part {
  readonly #random: Random;
  readonly #send: () => void;
  #nextAt = Number.POSITIVE_INFINITY;
  /** 0 until the first has been sent. */
  #interval = 0;
  #isAnswered = false;

  /** @param send sends a Router Solicitation */
  constructor(random: Random, send: () => void) {
    this.#random = random;
    this.#send = send;
  }

  get isRunning(): boolean {
    return this.#nextAt !== Number.POSITIVE_INFINITY;
  }

  /** The interface came up, or its last router is gone or silent. */
  start(now: number): void {
    this.#interval = 0;
    this.#isAnswered = false;
    this.#nextAt = now + this.#chance() * MAX_DELAY;
  }

  /**
   * A router has answered. When it did so before it was asked it is asked once all the same: what it says by itself may be less than
   * what it answers (§6.3.7).
   */
  stop(): void {
    this.#isAnswered = true;
    if (this.#interval > 0) this.#nextAt = Number.POSITIVE_INFINITY;
  }

  run(now: number): number {
    if (now < this.#nextAt) return this.#nextAt;
    this.#send();
    // RFC 8415 §15: RT = 2·RTprev + RAND·RTprev, with RAND between −0.1 and 0.1.
    const rand = 0.2 * this.#chance() - 0.1;
    const isFirst = this.#interval === 0;
    const doubled = isFirst ? FIRST_INTERVAL * (1 + rand) : this.#interval * (2 + rand);
    this.#interval = doubled > LAST_INTERVAL ? LAST_INTERVAL * (1 + rand) : doubled;
    this.#nextAt = this.#isAnswered ? Number.POSITIVE_INFINITY : now + this.#interval;
    return this.#nextAt;
  }

  /** 0 … 1 */
  #chance(): number {
    return (this.#random.next() >>> 0) / 2 ** 32;
  }
}
