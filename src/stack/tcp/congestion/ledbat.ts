/**
 * LEDBAT++ (draft-irtf-iccrg-ledbat-plus-plus): for transfers that nobody waits for. It keeps the queue at the bottleneck below a
 * target delay, so that it takes what others leave: any loss-based flow fills the queue further, and LEDBAT++ gives way.
 *
 *  - Slow start grows by a gain that is small where round trips are short, and ends at three quarters of the target.
 *  - Then the window grows by the gain a round trip while the queue is below the target, and shrinks in proportion above it.
 *  - Now and then it slows down to two segments for two round trips, so that the queue empties and the true delay shows; without,
 *    late comers would take the delay that the others make for the path's.
 *
 * Delay is the round trip here: the draft's choice, since TCP knows it without the peer's help. Times are ms.
 */

import type { AckSample } from './ack-sample.ts';
import { BaseDelay } from './base-delay.ts';
import { NO_THRESHOLD } from './control.ts';
import { LossBased } from './loss-based.ts';

/** The queue that it allows itself. */
const TARGET = 60;
/** Of the target: where slow start ends. */
const SLOW_START_EXIT = 0.75;
/** GAIN is no less than a part of so many. */
const MOST_GAIN_DIVISOR = 16;
/** How strongly the window shrinks above the target. */
const DECREASE = 1;
/** Segments, the window in a slowdown and the least of any. */
const LEAST_CWND = 2;
/** Round trips from the end of the first slow start to the first slowdown, and of each slowdown. */
const SLOWDOWN_ROUNDS = 2;
/** The next slowdown comes after so many times what the last one took: a tenth of the time at most is lost to them. */
const SLOWDOWN_PERIOD = 9;

/** Where in its slowdowns it is. */
const Slowdown = {
  /** The first slow start is not over. */
  none: 0,
  /** The next one begins at `#nextAt`. */
  waiting: 1,
  /** At the least window, until `#nextAt`. */
  held: 2,
  /** In slow start, back to the window before. */
  growing: 3,
} as const;

export class LedbatPlusPlus extends LossBased {
  readonly name = 'ledbat';
  protected readonly beta = 0.5;
  readonly #delay = new BaseDelay();
  #slowdown = Slowdown.none as number;
  #nextAt = 0;
  #slowdownStart = 0;
  /** Parts of a byte that the window has grown by. */
  #fraction = 0;

  override onAck(sample: AckSample): void {
    if (sample.rtt >= 0) this.#delay.update(sample.rtt, sample.now);
    if (!sample.isInRecovery) this.#scheduleSlowdown(sample);
    if (this.#slowdown !== Slowdown.held) super.onAck(sample);
  }

  protected override slowStart(sample: AckSample): void {
    const isFirst = this.#slowdown === Slowdown.none;
    if (isFirst && this.#delay.queueing > SLOW_START_EXIT * TARGET) {
      this.ssthresh = this.cwnd;
      return;
    }
    this.#add(this.#gain * sample.acked);
    if (this.cwnd > this.ssthresh) this.setCwnd(this.ssthresh);
  }

  protected avoidCongestion({ acked }: AckSample): void {
    const { cwnd, smss } = this;
    const share = Math.min(1, acked / cwnd);
    let growth = this.#gain * smss;
    const over = this.#delay.queueing / TARGET - 1;
    // Multiplicative decrease, by no more than a half in a round trip.
    if (over > 0) growth = Math.max(growth - DECREASE * cwnd * over, -cwnd / 2);
    this.#add(growth * share);
    this.setCwnd(Math.max(this.cwnd, LEAST_CWND * smss));
    // What it gave up is not to be had back by slow start.
    if (this.cwnd < this.ssthresh) this.ssthresh = this.cwnd;
  }

  protected beforeReduction(): void {
    // The window from before a slowdown is not to come back to.
    if (this.#slowdown === Slowdown.held) this.#slowdown = Slowdown.growing;
  }

  protected undoReduction(): void {}

  protected notLimited(): void {}

  /** GAIN: 1 on paths longer than twice the target, less on shorter ones, where a NewReno flow would grow faster in time. */
  get #gain(): number {
    const { base } = this.#delay;
    if (base <= 0 || base === Number.POSITIVE_INFINITY) return 1 / MOST_GAIN_DIVISOR;
    return 1 / Math.min(MOST_GAIN_DIVISOR, Math.ceil((2 * TARGET) / base));
  }

  #scheduleSlowdown({ now, srtt }: AckSample): void {
    switch (this.#slowdown) {
      case Slowdown.none:
        if (this.ssthresh === NO_THRESHOLD || this.cwnd < this.ssthresh) break;
        this.#slowdown = Slowdown.waiting;
        this.#nextAt = now + SLOWDOWN_ROUNDS * srtt;
        break;
      case Slowdown.waiting:
        if (now < this.#nextAt) break;
        this.#slowdown = Slowdown.held;
        this.#slowdownStart = now;
        this.#nextAt = now + SLOWDOWN_ROUNDS * srtt;
        this.ssthresh = this.cwnd;
        this.setCwnd(LEAST_CWND * this.smss);
        break;
      case Slowdown.held:
        if (now >= this.#nextAt) this.#slowdown = Slowdown.growing;
        break;
      default:
        if (this.cwnd < this.ssthresh) break;
        this.#slowdown = Slowdown.waiting;
        this.#nextAt = now + SLOWDOWN_PERIOD * (now - this.#slowdownStart);
        break;
    }
  }

  #add(bytes: number): void {
    const sum = bytes + this.#fraction;
    const whole = Math.floor(sum);
    this.#fraction = sum - whole;
    this.setCwnd(this.cwnd + whole);
  }
}
