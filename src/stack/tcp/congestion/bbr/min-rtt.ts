/**
 * BBR.min_rtt: the round trip without a queue, and when it has to be measured again with little in flight.
 */

/** BBR.MinRTTFilterLen and BBR.ProbeRTTInterval, ms. */
const MIN_RTT_FILTER_LEN = 10_000;
const PROBE_RTT_INTERVAL = 5000;

const UNKNOWN = Number.POSITIVE_INFINITY;

export class MinRtt {
  /** ms; `Infinity` before the first sample. */
  value = UNKNOWN;
  /** BBR.probe_rtt_expired: no lower sample came for so long that it is time for ProbeRTT. */
  isExpired = false;
  #stamp = 0;
  #probeDelay = UNKNOWN;
  #probeStamp = 0;

  start(rtt: number, now: number): void {
    this.value = rtt > 0 ? rtt : UNKNOWN;
    this.#probeDelay = this.value;
    this.#stamp = now;
    this.#probeStamp = now;
  }

  /** UpdateMinRTT. @param rtt negative when the ACK brought no sample */
  update(rtt: number, now: number): void {
    this.isExpired = now > this.#probeStamp + PROBE_RTT_INTERVAL;
    if (rtt >= 0 && (rtt < this.#probeDelay || this.isExpired)) {
      this.#probeDelay = rtt;
      this.#probeStamp = now;
    }
    if (this.#probeDelay < this.value || now > this.#stamp + MIN_RTT_FILTER_LEN) {
      this.value = this.#probeDelay;
      this.#stamp = this.#probeStamp;
    }
  }

  /** It was measured with little in flight: the next time is an interval from now. */
  scheduleNext(now: number): void {
    this.#probeStamp = now;
  }
}
