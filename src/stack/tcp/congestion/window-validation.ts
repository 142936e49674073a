/**
 * Congestion window validation (RFC 7661): how much of its window a connection has used of late. A window that was not used
 * says nothing about the path: it may not grow, a loss is answered from what was used instead, and after minutes it shrinks.
 *
 * pipeACK is the most that was acknowledged within a round trip, over the last seconds. The window is validated while pipeACK
 * is at least half of it, and while the window is what holds the sender back.
 */

import type { AckSample } from './ack-sample.ts';

/** §4.4: how long a window that is not used is kept (the non-validated period), ms. */
const NON_VALIDATED_PERIOD = 300_000;
/** §4.2: pipeACK looks back over three round trips, at least a second. */
const LEAST_SAMPLING_PERIOD = 1000;
const SAMPLING_ROUNDS = 3;

export class WindowValidation {
  /** §4.2: bytes; negative while it is undefined, which counts as validated. */
  pipeAck = -1;
  /** Since when the window has been more than was used; negative while it is validated. */
  #nonValidatedSince = -1;
  /** The measurement under way: bytes since then. */
  #sampleStart = -1;
  #sampleBytes = 0;
  /** The largest samples of the thirds of the sampling period, the latest first. */
  #latest = 0;
  #middle = 0;
  #oldest = 0;
  #latestStart = 0;

  get isValidated(): boolean {
    return this.#nonValidatedSince < 0;
  }

  /** Bytes were acknowledged. */
  onAck(sample: AckSample, cwnd: number): void {
    this.#measure(sample);
    if (sample.isCwndLimited || this.pipeAck < 0 || 2 * this.pipeAck >= cwnd) this.#nonValidatedSince = -1;
    else if (this.#nonValidatedSince < 0) this.#nonValidatedSince = sample.now;
  }

  /** Whether the window has been too large for too long (§4.4.3); the period then begins again. */
  hasExpired(now: number): boolean {
    if (this.isValidated || now - this.#nonValidatedSince < NON_VALIDATED_PERIOD) return false;
    this.#nonValidatedSince += NON_VALIDATED_PERIOD;
    return true;
  }

  /** Nothing was sent since then. */
  onIdle(since: number): void {
    if (this.isValidated) this.#nonValidatedSince = Math.max(0, since);
    if (this.pipeAck > 0) this.pipeAck = 0;
    this.#sampleStart = -1;
  }

  /** What a reduction starts from (§4.4.1): what was in flight, and in the non-validated phase what was delivered of late. */
  reductionBase(flightSize: number): number {
    return this.isValidated ? flightSize : Math.max(this.pipeAck, flightSize);
  }

  /** §4.2: undefined again, as after an episode of loss. */
  reset(): void {
    this.pipeAck = -1;
    this.#nonValidatedSince = -1;
    this.#sampleStart = -1;
    this.#latest = 0;
    this.#middle = 0;
    this.#oldest = 0;
  }

  #measure({ now, acked, srtt }: AckSample): void {
    if (srtt <= 0) return;
    if (this.#sampleStart < 0) {
      this.#sampleStart = now;
      this.#latestStart = now;
      this.#sampleBytes = 0;
    } else if (now - this.#sampleStart >= srtt) {
      this.#take(this.#sampleBytes, now, srtt);
      this.#sampleStart = now;
      this.#sampleBytes = 0;
    }
    this.#sampleBytes += acked;
  }

  #take(bytes: number, now: number, srtt: number): void {
    const third = Math.max(LEAST_SAMPLING_PERIOD, SAMPLING_ROUNDS * srtt) / 3;
    const elapsed = now - this.#latestStart;
    if (elapsed >= third) {
      // A silence of several thirds forgets as many.
      if (elapsed >= 3 * third) this.#oldest = 0;
      else this.#oldest = elapsed >= 2 * third ? this.#latest : this.#middle;
      this.#middle = elapsed >= 2 * third ? 0 : this.#latest;
      this.#latest = 0;
      this.#latestStart = now;
    }
    if (bytes > this.#latest) this.#latest = bytes;
    this.pipeAck = Math.max(this.#latest, this.#middle, this.#oldest);
  }
}
