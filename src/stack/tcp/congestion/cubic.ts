/**
 * CUBIC (RFC 9438), the default. In congestion avoidance the window follows a cubic function of the time since the last
 * reduction: fast up to near the window where that loss was (W_max), slowly past it, then ever faster. It so depends little on
 * the round trip, and where NewReno would be faster the window follows an estimate of NewReno's instead.
 *
 *     cwnd         concave             convex
 *       │                                  ╱
 *     W_max ┄┄┄┄┄┄┄┄┄┄┄┄┄____─────────┄╱┄┄┄      W_cubic(t) = C·(t − K)³ + W_max
 *       │          _.-'
 *       │       ╱
 *     β·W_max ╱
 *       └─────┬────────────────┬──────────────▶ t
 *           epochStart         K
 *
 * Windows are bytes here, so C is multiplied by SMSS; times are ms in the code and seconds in the function.
 */

import type { AckSample } from './ack-sample.ts';
import { LossBased } from './loss-based.ts';

/** §4.6. */
const BETA = 0.7;
/** §5: how aggressive the function is, in segments per second cubed. */
const C = 0.4;
/** §4.3: with it the estimate of NewReno's window grows so that both have the same average. */
const ALPHA = (3 * (1 - BETA)) / (1 + BETA);
/** §4.2: most that the window grows in a round trip. */
const LARGEST_TARGET = 1.5;

/** What a reduction changes and a spurious one gives back (§4.9). */
interface CubicState {
  wMax: number;
  cwndPrior: number;
  k: number;
  epochStart: number;
  wEst: number;
}

function initialState(): CubicState {
  return { wMax: 0, cwndPrior: 0, k: 0, epochStart: -1, wEst: 0 };
}

function copyState(from: CubicState, to: CubicState): void {
  to.wMax = from.wMax;
  to.cwndPrior = from.cwndPrior;
  to.k = from.k;
  to.epochStart = from.epochStart;
  to.wEst = from.wEst;
}

export class Cubic extends LossBased {
  readonly name = 'cubic';
  protected readonly beta = BETA;
  readonly #state = initialState();
  readonly #prior = initialState();
  /** Whether the window was reduced by a loss, so that there is a plateau to come back to; else this epoch starts one. */
  #hasPlateau = false;
  #hadPlateau = false;
  /** Since when the window has not been what held the sender back; negative when it is. */
  #notLimitedSince = -1;
  /** Part of a byte that the window has grown by. */
  #fraction = 0;

  protected avoidCongestion(sample: AckSample): void {
    const { now, srtt } = sample;
    const state = this.#state;
    if (state.epochStart < 0) this.#startEpoch(now);
    else if (this.#notLimitedSince >= 0) {
      // §5.8: time in which the application had too little to send does not count.
      state.epochStart += now - this.#notLimitedSince;
    }
    this.#notLimitedSince = -1;
    const { cwnd } = this;
    const acked = Math.min(sample.acked, cwnd);
    this.#growEstimate(acked);
    const elapsed = now - state.epochStart;
    if (this.#curve(elapsed) < state.wEst) {
      // §4.3: where NewReno is faster.
      if (state.wEst > cwnd) this.setCwnd(state.wEst);
      return;
    }
    // §4.4 and §4.5: a round trip from now the window is on the curve.
    const target = Math.max(cwnd, Math.min(this.#curve(elapsed + srtt), LARGEST_TARGET * cwnd));
    const grown = ((target - cwnd) * acked) / cwnd + this.#fraction;
    const whole = Math.floor(grown);
    this.#fraction = grown - whole;
    if (whole > 0) this.setCwnd(cwnd + whole);
  }

  protected beforeReduction(isTimeout: boolean): void {
    const state = this.#state;
    copyState(state, this.#prior);
    this.#hadPlateau = this.#hasPlateau;
    const { cwnd } = this;
    // §4.7, fast convergence: a plateau that sinks says that others have come, who need room.
    state.wMax = cwnd < state.wMax ? (cwnd * (1 + BETA)) / 2 : cwnd;
    state.cwndPrior = cwnd;
    state.epochStart = -1;
    // §4.8: after a timeout the curve starts flat where slow start ends.
    this.#hasPlateau = !isTimeout;
  }

  protected undoReduction(): void {
    copyState(this.#prior, this.#state);
    this.#hasPlateau = this.#hadPlateau;
  }

  protected notLimited(now: number): void {
    if (this.#notLimitedSince < 0) this.#notLimitedSince = now;
  }

  /** Congestion avoidance begins (§4.2, §4.3). */
  #startEpoch(now: number): void {
    const state = this.#state;
    const { cwnd } = this;
    state.epochStart = now;
    state.wEst = cwnd;
    this.#fraction = 0;
    if (!this.#hasPlateau || state.wMax <= cwnd) {
      // §4.8, §4.10: no loss says where the path is full.
      state.wMax = cwnd;
      state.k = 0;
    } else {
      state.k = Math.cbrt((state.wMax - cwnd) / (C * this.smss));
    }
  }

  /** §4.3, equation (4), in bytes. */
  #growEstimate(acked: number): void {
    const state = this.#state;
    const alpha = state.wEst >= state.cwndPrior ? 1 : ALPHA;
    state.wEst += (alpha * acked * this.smss) / this.cwnd;
  }

  /** W_cubic (§4.2, equation (1)) `elapsed` ms after the epoch began, bytes. */
  #curve(elapsed: number): number {
    const t = elapsed / 1000 - this.#state.k;
    return C * this.smss * t * t * t + this.#state.wMax;
  }
}
