/**
 * NewReno: slow start and congestion avoidance of RFC 5681 with appropriate byte counting (RFC 3465). The recovery that goes
 * with it (RFC 6582, or RFC 6675 with SACK) is in `recovery.ts`.
 */

import type { AckSample } from './ack-sample.ts';
import { type CongestionControl, type CongestionSignal, initialWindow } from './control.ts';

/**
 * RFC 3465's L after a timeout: most segments by which one acknowledgement opens the window, because it may cover data that
 * had arrived before (§2.3).
 *
 * Deviation: otherwise slow start counts all that is acknowledged. Receivers behind a device that merges segments, and this
 * stack itself, acknowledge once a batch; with the RFC's 2 (or RFC 9406's 8) the window would open by as little a round trip.
 * Deviation: 8 rather than 1 after a timeout, for the same reason.
 */
const LIMIT_AFTER_TIMEOUT = 8;
/** RFC 5681 §3.1: "arbitrarily high". */
const NO_THRESHOLD = 0x3fffffff;
/** Windows past it could not be used (RFC 7323 §2.3), and have to stay small integers. */
const MAX_CWND = 0x3fffffff;

export class NewReno implements CongestionControl {
  readonly name = 'newreno';
  readonly isModelBased = false;
  pacingRate = 0;
  smss = 536;
  cwnd = 536;
  ssthresh = NO_THRESHOLD;
  /** Bytes acknowledged since the window last grew in congestion avoidance. */
  #bytesAcked = 0;
  /** Windows before the last reduction. */
  #priorCwnd = 0;
  #priorSsthresh = 0;
  /** Slow start follows a timeout. */
  #isAfterTimeout = false;

  start(smss: number, isSynLost: boolean): void {
    this.smss = smss;
    this.cwnd = isSynLost ? smss : initialWindow(smss);
  }

  onAck({ acked, isCwndLimited, isInRecovery }: AckSample): void {
    if (!isCwndLimited || isInRecovery || acked === 0) return;
    if (this.cwnd < this.ssthresh) {
      const counted = this.#isAfterTimeout ? Math.min(acked, LIMIT_AFTER_TIMEOUT * this.smss) : acked;
      this.cwnd = Math.min(MAX_CWND, this.cwnd + counted);
      return;
    }
    this.#isAfterTimeout = false;
    this.#bytesAcked += acked;
    if (this.#bytesAcked < this.cwnd) return;
    this.#bytesAcked -= this.cwnd;
    this.cwnd = Math.min(MAX_CWND, this.cwnd + this.smss);
  }

  onCongestion(_signal: CongestionSignal, flightSize: number): void {
    this.#priorCwnd = this.cwnd;
    this.#priorSsthresh = this.ssthresh;
    this.#halve(flightSize);
    this.cwnd = this.ssthresh;
  }

  onRecovered(flightSize: number): void {
    // RFC 6582 §3.2 step 3, first option: no burst when little is in flight.
    this.cwnd = Math.min(this.ssthresh, Math.max(flightSize, this.smss) + this.smss);
  }

  onTimeout(flightSize: number, isFirst: boolean): void {
    // A second timeout of the same segment keeps the threshold (RFC 5681 §3.1).
    if (isFirst) {
      this.#priorCwnd = this.cwnd;
      this.#priorSsthresh = this.ssthresh;
      this.#halve(flightSize);
    }
    this.cwnd = this.smss;
    this.#isAfterTimeout = true;
  }

  onSpurious(): void {
    this.cwnd = Math.max(this.cwnd, this.#priorCwnd);
    this.ssthresh = Math.max(this.ssthresh, this.#priorSsthresh);
    this.#isAfterTimeout = false;
  }

  onRestart(): void {
    this.cwnd = Math.min(this.cwnd, initialWindow(this.smss));
  }

  /** RFC 5681 equation (4). */
  #halve(flightSize: number): void {
    this.ssthresh = Math.max(flightSize >> 1, 2 * this.smss);
    this.#bytesAcked = 0;
  }
}
