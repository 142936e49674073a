/**
 * HyStart++ (RFC 9406): leaves slow start when round trips grow, before the queue at the bottleneck overflows. Growing delay
 * may be noise, so that it goes on for some rounds at a quarter of the speed first (Conservative Slow Start, CSS), and back to
 * slow start when the delay has gone.
 *
 *     slow start ──delay rose──▶ CSS ──five rounds──▶ congestion avoidance
 *          ▲────delay fell────────┘
 */

import type { AckSample } from './ack-sample.ts';
import { RoundCounter } from './rounds.ts';

/** RFC 9406 §4.3; ms. */
const MIN_RTT_THRESH = 4;
const MAX_RTT_THRESH = 16;
const MIN_RTT_DIVISOR = 8;
const N_RTT_SAMPLE = 8;
const CSS_GROWTH_DIVISOR = 4;
const CSS_ROUNDS = 5;

const UNKNOWN = Number.POSITIVE_INFINITY;

export class HyStart {
  readonly #rounds = new RoundCounter();
  #lastRoundMinRtt = UNKNOWN;
  #currentRoundMinRtt = UNKNOWN;
  #rttSampleCount = 0;
  #cssBaselineMinRtt = UNKNOWN;
  /** Rounds of CSS so far, the one in which it began included (§4.2); 0 in slow start. */
  #cssRounds = 0;

  /** By what the growth of slow start is divided now. */
  get divisor(): number {
    return this.#cssRounds > 0 ? CSS_GROWTH_DIVISOR : 1;
  }

  /** An ACK of slow start (§4.2). @returns whether slow start is over */
  onAck(sample: AckSample): boolean {
    if (this.#rounds.update(sample) && this.#beginRound()) return true;
    if (sample.rtt < 0) return false;
    if (sample.rtt < this.#currentRoundMinRtt) this.#currentRoundMinRtt = sample.rtt;
    this.#rttSampleCount++;
    if (this.#rttSampleCount < N_RTT_SAMPLE) return false;
    if (this.#cssRounds > 0) {
      if (this.#currentRoundMinRtt < this.#cssBaselineMinRtt) this.#cssRounds = 0;
    } else if (this.#hasRisen()) {
      this.#cssBaselineMinRtt = this.#currentRoundMinRtt;
      this.#cssRounds = 1;
    }
    return false;
  }

  /** @returns whether CSS has lasted long enough */
  #beginRound(): boolean {
    this.#lastRoundMinRtt = this.#currentRoundMinRtt;
    this.#currentRoundMinRtt = UNKNOWN;
    this.#rttSampleCount = 0;
    if (this.#cssRounds === 0) return false;
    this.#cssRounds++;
    return this.#cssRounds > CSS_ROUNDS;
  }

  #hasRisen(): boolean {
    const last = this.#lastRoundMinRtt;
    if (last === UNKNOWN) return false;
    const threshold = Math.max(MIN_RTT_THRESH, Math.min(last / MIN_RTT_DIVISOR, MAX_RTT_THRESH));
    return this.#currentRoundMinRtt >= last + threshold;
  }
}
