/**
 * NewReno: the congestion avoidance of RFC 5681 with appropriate byte counting (RFC 3465 §2.1), a segment more each window. The
 * recovery that goes with it (RFC 6582, or RFC 6675 with SACK) is not part of the control.
 */

import type { AckSample } from './ack-sample.ts';
import { LossBased } from './loss-based.ts';

export class NewReno extends LossBased {
  readonly name = 'newreno';
  protected readonly beta = 0.5;
  /** Bytes acknowledged since the window last grew in congestion avoidance. */
  #bytesAcked = 0;

  protected avoidCongestion({ acked }: AckSample): void {
    this.#bytesAcked += acked;
    if (this.#bytesAcked < this.cwnd) return;
    this.#bytesAcked -= this.cwnd;
    this.setCwnd(this.cwnd + this.smss);
  }

  protected beforeReduction(): void {
    this.#bytesAcked = 0;
  }

  protected undoReduction(): void {}

  protected notLimited(): void {}
}
