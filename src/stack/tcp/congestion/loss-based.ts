/**
 * What controls that take loss for congestion have in common: slow start, and when the window may grow at all, shrinks after a
 * timeout, comes back after a false alarm, and restarts after idle time. How it grows in congestion avoidance, and by how much
 * a loss shrinks it, is what tells NewReno from CUBIC.
 *
 *  - Slow start: RFC 5681 §3.1 with the byte counting of RFC 3465; the first one ends by HyStart++ (RFC 9406).
 *  - A window that is not used: RFC 7661, and RFC 5681 §4.1.
 *  - Back to the state before a spurious episode: RFC 4015 §3.
 */

import type { AckSample } from './ack-sample.ts';
import {
  type CongestionControl,
  type CongestionSignal,
  initialWindow,
  MAX_CWND,
  NO_THRESHOLD,
} from './control.ts';
import { HyStart } from './hystart.ts';
import { WindowValidation } from './window-validation.ts';

/**
 * RFC 3465's L after a timeout: most segments by which one acknowledgement opens the window, because it may cover data that
 * had arrived before (§2.3).
 *
 * Deviation: otherwise slow start counts all that is acknowledged. Receivers behind a device that merges segments, and this
 * stack itself, acknowledge once a batch; with the RFC's 2 (or RFC 9406's 8) the window would open by as little a round trip.
 * Deviation: 8 rather than 1 after a timeout, for the same reason.
 */
const LIMIT_AFTER_TIMEOUT = 8;

export abstract class LossBased implements CongestionControl {
  abstract readonly name: string;
  readonly isModelBased = false;
  pacingRate = 0;
  isPaced = false;
  smss = 536;
  cwnd = 536;
  ssthresh = NO_THRESHOLD;
  readonly #hystart = new HyStart();
  readonly #validation = new WindowValidation();
  /** The ACK at hand ended fast recovery: what it acknowledges had been delivered in it, and opens no window. */
  #isRecoveryAck = false;
  /** Slow start follows a timeout. */
  #isAfterTimeout = false;
  /** What the last reduction started from, when the window was not validated; else 0. */
  #nonValidatedBase = 0;
  /** Bytes lost since. */
  #lostSince = 0;
  /** The windows before the last reduction; 0 when there is nothing to go back to. */
  #priorCwnd = 0;
  #priorSsthresh = 0;

  /** The part of the window that a loss leaves. */
  protected abstract readonly beta: number;
  /** Congestion avoidance: the window is full, and `sample.acked` bytes were acknowledged. */
  protected abstract avoidCongestion(sample: AckSample): void;
  /** The window is about to be reduced. */
  protected abstract beforeReduction(isTimeout: boolean): void;
  /** Takes back what `beforeReduction` did. */
  protected abstract undoReduction(): void;
  /** At `now` the sender has nothing that fills its window. */
  protected abstract notLimited(now: number): void;

  start(smss: number, isSynLost: boolean): void {
    this.smss = smss;
    this.cwnd = isSynLost ? smss : initialWindow(smss);
  }

  onAck(sample: AckSample): void {
    const isRecoveryAck = this.#isRecoveryAck;
    this.#isRecoveryAck = false;
    this.#validation.onAck(sample, this.cwnd);
    if (this.#validation.hasExpired(sample.now)) this.#shrinkUnused();
    if (sample.isInRecovery) {
      this.#lostSince += sample.lost;
      return;
    }
    if (!sample.isCwndLimited) {
      this.notLimited(sample.now);
      return;
    }
    if (sample.acked === 0 || isRecoveryAck) return;
    if (this.cwnd < this.ssthresh) this.slowStart(sample);
    else {
      this.#isAfterTimeout = false;
      this.avoidCongestion(sample);
    }
  }

  onCongestion(signal: CongestionSignal, flightSize: number): void {
    // A mark is no loss that could turn out to be none: it ends what could be undone.
    this.#remember(signal === 'loss');
    this.beforeReduction(false);
    this.#reduce(flightSize);
    this.cwnd = Math.min(this.cwnd, this.ssthresh);
  }

  onRecovered(flightSize: number): void {
    this.#isRecoveryAck = true;
    if (this.#nonValidatedBase > 0) {
      // RFC 7661 §4.4.1: less what had to be sent again.
      this.#setThreshold(this.#nonValidatedBase - this.#lostSince);
      this.#nonValidatedBase = 0;
    }
    // RFC 6582 §3.2 step 3, the second option, with a bound for the burst when little is in flight.
    this.cwnd = Math.min(this.ssthresh, this.#burstLimit(flightSize));
  }

  onTimeout(flightSize: number, isFirst: boolean): void {
    // A second timeout of the same segment keeps the threshold (RFC 5681 §3.1).
    if (isFirst) {
      this.#remember(true);
      this.beforeReduction(true);
      this.#reduce(flightSize);
    }
    this.cwnd = this.smss;
    this.#isAfterTimeout = true;
  }

  onSpurious(flightSize: number): void {
    if (this.#priorCwnd === 0) return;
    this.undoReduction();
    // RFC 4015 §3.3: slow start leads back to the window before, so that it does not come back as one burst.
    this.ssthresh = Math.max(this.ssthresh, this.#priorSsthresh, this.#priorCwnd);
    this.cwnd = Math.max(this.cwnd, Math.min(this.#priorCwnd, this.#burstLimit(flightSize)));
    this.#priorCwnd = 0;
    this.#nonValidatedBase = 0;
    this.#isAfterTimeout = false;
  }

  onRestart(idle: number, _rto: number, now: number): void {
    this.#validation.onIdle(now - idle);
    this.notLimited(now - idle);
    while (this.#validation.hasExpired(now)) this.#shrinkUnused();
    // RFC 7661 §4.4.2 keeps the window where bursts are controlled, RFC 5681 §4.1 has the say where they are not.
    if (this.isPaced) return;
    const restartWindow = initialWindow(this.smss);
    if (this.cwnd <= restartWindow) return;
    this.ssthresh = Math.max(this.ssthresh, this.cwnd - (this.cwnd >> 2));
    this.cwnd = restartWindow;
  }

  /** For the window's arithmetic in subclasses: it stays an integer in bounds. */
  protected setCwnd(bytes: number): void {
    this.cwnd = Math.max(this.smss, Math.min(MAX_CWND, Math.floor(bytes)));
  }

  /** Slow start: the window is full, and `sample.acked` bytes were acknowledged. */
  protected slowStart(sample: AckSample): void {
    let counted = sample.acked;
    if (this.#isAfterTimeout) counted = Math.min(counted, LIMIT_AFTER_TIMEOUT * this.smss);
    if (this.ssthresh !== NO_THRESHOLD) {
      this.setCwnd(Math.min(this.cwnd + counted, this.ssthresh));
      return;
    }
    const isOver = this.#hystart.onAck(sample);
    this.setCwnd(this.cwnd + counted / this.#hystart.divisor);
    if (isOver) this.ssthresh = this.cwnd;
  }

  /** RFC 5681 equation (4) and RFC 9438 §4.6, from what was used of the window (RFC 7661 §4.4.1). */
  #reduce(flightSize: number): void {
    const base = this.#validation.reductionBase(flightSize);
    this.#nonValidatedBase = this.#validation.isValidated ? 0 : base;
    this.#lostSince = 0;
    this.#setThreshold(base);
    this.#validation.reset();
  }

  #setThreshold(base: number): void {
    this.ssthresh = Math.max(Math.floor(base * this.beta), 2 * this.smss);
  }

  #remember(canUndo: boolean): void {
    this.#priorCwnd = canUndo ? this.cwnd : 0;
    this.#priorSsthresh = this.ssthresh;
  }

  /** As much as may be in flight so that what leaves at once is no more than an initial window. */
  #burstLimit(flightSize: number): number {
    return flightSize + initialWindow(this.smss);
  }

  /** RFC 7661 §4.4.3. */
  #shrinkUnused(): void {
    const least = Math.min(this.cwnd, initialWindow(this.smss));
    this.ssthresh = Math.max(this.ssthresh, this.cwnd - (this.cwnd >> 2));
    this.cwnd = Math.max(this.cwnd >> 1, least);
  }
}
