/**
 * Round trips counted by what was delivered (draft-ietf-ccwg-bbr, "Packet-Timed Round Trips"): a round is over when something
 * is delivered that was sent after the round had begun. Congestion control sees no sequence numbers, and needs none for it.
 */

import type { AckSample } from './ack-sample.ts';

export class RoundCounter {
  /** Rounds since the beginning. */
  count = 0;
  /** BBR.next_round_delivered: C.delivered when the round began. */
  #nextRoundDelivered = 0;

  /** @returns whether a round begins with this ACK */
  update(sample: AckSample): boolean {
    if (sample.priorDelivered < this.#nextRoundDelivered) return false;
    this.restart(sample.totalDelivered);
    this.count++;
    return true;
  }

  /** A round begins now, `delivered` being C.delivered. */
  restart(delivered: number): void {
    this.#nextRoundDelivered = delivered;
  }
}
