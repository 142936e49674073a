/**
 * For how long an answer proves that a neighbour is there, and how long one is waited for (RFC 4861 §6.3.2, §10): one of each for a
 * family and an interface. Routers may say what both are for IPv6 (§6.3.4); ARP's stay as they are.
 */

import { type Random, randomFraction } from '../../base/index.ts';

/** RFC 4861 §10: REACHABLE_TIME and RETRANS_TIMER; ms. */
const REACHABLE_TIME = 30_000;
const RETRANS_TIMER = 1000;
/** MIN_RANDOM_FACTOR and MAX_RANDOM_FACTOR of the reachable time, and how often it is drawn anew (§6.3.2: "a few hours"). */
const MIN_RANDOM_FACTOR = 0.5;
const MAX_RANDOM_FACTOR = 1.5;
const REDRAW_INTERVAL = 2 * 3_600_000;
/** What a router says is brought within these: no flood, no more than §6.2.1 has, and nobody deaf for long by one forged message. */
const LEAST_TIME = 100;
const MOST_REACHABLE_TIME = 3_600_000;
const MOST_RETRANS_TIMER = 60_000;

export class NeighborTimes {
  /** Between two questions, and behind the last, ms. */
  retransTimer = RETRANS_TIMER;
  readonly #random: Random;
  #base = REACHABLE_TIME;
  #reachable = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The time for which a confirmation holds, ms. */
  reachableTime(now: number): number {
    if (now - this.#drawnAt >= REDRAW_INTERVAL) {
      const spread = MAX_RANDOM_FACTOR - MIN_RANDOM_FACTOR;
      this.#reachable = this.#base * (MIN_RANDOM_FACTOR + spread * randomFraction(this.#random));
      this.#drawnAt = now;
    }
    return this.#reachable;
  }

  /** Takes over what a router advertises, ms; 0: not said, no change. */
  set(reachableTime: number, retransTimer: number): void {
    if (retransTimer > 0) this.retransTimer = bounded(retransTimer, MOST_RETRANS_TIMER);
    const base = reachableTime > 0 ? bounded(reachableTime, MOST_REACHABLE_TIME) : this.#base;
    if (base === this.#base) return;
    this.#base = base;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  /** No router says anything any more. */
  reset(): void {
    this.set(REACHABLE_TIME, RETRANS_TIMER);
  }
}

function bounded(ms: number, most: number): number {
  return Math.min(Math.max(ms, LEAST_TIME), most);
}
