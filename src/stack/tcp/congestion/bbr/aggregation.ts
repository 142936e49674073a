/**
 * BBR.extra_acked: how much more is acknowledged at a time than the bandwidth explains, because links, devices and receivers
 * gather packets and ACKs. The window is larger by that, so that the sender does not run dry between two bunches.
 */

import type { AckSample } from '../ack-sample.ts';
import { TwoSlotMax } from './two-slot-max.ts';

/** BBR.ExtraAckedFilterLen, round trips: two slots of half of it. In Startup one round trip. */
const FILTER_LEN = 10;

export class AckAggregation {
  readonly #filter = new TwoSlotMax();
  #slotStart = 0;
  #intervalStart = 0;
  #delivered = 0;

  /** Bytes. */
  get extraAcked(): number {
    return this.#filter.value;
  }

  /** A new interval begins now: the connection was idle, or is new. */
  restart(now: number): void {
    this.#intervalStart = now;
    this.#delivered = 0;
  }

  /** UpdateACKAggregation; `round` counts round trips. */
  update(sample: AckSample, bw: number, cwnd: number, round: number, isFullBwReached: boolean): void {
    const length = isFullBwReached ? FILTER_LEN >> 1 : 1;
    if (round - this.#slotStart >= length) {
      this.#slotStart = round;
      this.#filter.advance();
    }
    let expected = bw * (sample.now - this.#intervalStart);
    if (this.#delivered <= expected) {
      this.restart(sample.now);
      expected = 0;
    }
    this.#delivered += sample.delivered;
    this.#filter.update(Math.min(this.#delivered - expected, cwnd));
  }
}
