/**
 * Round-trip time and the retransmission timeout (RFC 6298).
 *
 * A sample is the time from sending a segment to the acknowledgement that covers it. Samples of retransmitted segments are
 * not taken (Karn's rule, §3) unless a timestamp says which transmission was acknowledged (RFC 7323 §4).
 */

/** RFC 6298 §2.1: the timeout before the first sample. */
export const INITIAL_RTO = 1000;

export class RttEstimator {
  readonly #minRto: number;
  readonly #maxRto: number;
  /** Smoothed round-trip time, ms; negative before the first sample. */
  srtt = -0.5;
  rttvar = 0.5;
  /** The least sample of the connection, `Infinity` before the first. */
  minRtt = Number.POSITIVE_INFINITY;
  /** The timeout from the samples, without back-off. */
  base = INITIAL_RTO + 0.5;
  /** How often the timer ran out since the last new acknowledgement: each doubles the timeout (§5.5). */
  #backoff = 0;
  /** The timeout now, ms: kept, since each ACK asks for it. */
  #rto = INITIAL_RTO + 0.5;

  constructor(minRto: number, maxRto: number) {
    this.#minRto = minRto;
    this.#maxRto = maxRto;
    this.#setBase(INITIAL_RTO);
  }

  /** The first time-out is `ms`: before anything was sent. */
  startWith(ms: number): void {
    this.#setBase(ms);
  }

  get hasSample(): boolean {
    return this.srtt >= 0;
  }

  /** The timeout now, ms. */
  get rto(): number {
    return this.#rto;
  }

  /** Whether the timer ran out since the last new acknowledgement. */
  get isBackedOff(): boolean {
    return this.#backoff > 0;
  }

  /** The timer ran out: the timeout doubles (§5.5). */
  backOff(): void {
    this.#backoff++;
    this.#rto = Math.min(this.#maxRto, this.base * 2 ** this.#backoff);
  }

  /** The way is another one now: the timeouts that doubled it say nothing of this one. */
  endBackOff(): void {
    this.#setBase(this.base);
  }

  /** Takes a sample of `rtt` ms and ends any back-off (§5.7: the exponential back-off is kept until a sample comes). */
  sample(rtt: number): void {
    if (rtt < this.minRtt) this.minRtt = rtt;
    if (this.srtt < 0) {
      this.srtt = rtt;
      this.rttvar = rtt / 2;
    } else {
      // §2.3: α = 1/8, β = 1/4, the variance first.
      this.rttvar += (Math.abs(this.srtt - rtt) - this.rttvar) / 4;
      this.srtt += (rtt - this.srtt) / 8;
    }
    // The floor applies to the variance term, so that a stable path of any length keeps room for a delayed ACK.
    this.#setBase(this.srtt + Math.max(this.#minRto, 4 * this.rttvar));
  }

  /**
   * A timeout was spurious, and `rtt` is what the segment really took: the estimate takes it whole, so that the path's new
   * length does not make the timer run out again (RFC 4015 §3.3).
   */
  adaptAfterSpurious(rtt: number): void {
    this.srtt = Math.max(this.srtt, rtt);
    this.rttvar = Math.max(this.rttvar, this.srtt / 2);
    this.#setBase(this.srtt + Math.max(this.#minRto, 4 * this.rttvar));
  }

  /** The handshake's SYN was retransmitted: without a sample the timeout is 3 s once data flows (§5.7). */
  restartAfterSynLoss(): void {
    this.#setBase(this.hasSample ? this.base : 3 * INITIAL_RTO);
  }

  /** The timeout is `ms`, and back-off is over. */
  #setBase(ms: number): void {
    this.base = Math.min(this.#maxRto, ms);
    this.#backoff = 0;
    this.#rto = this.base;
  }
}
