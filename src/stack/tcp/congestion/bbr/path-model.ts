/**
 * BBR's model of the path: the bandwidth that it delivers, the data that it takes in flight, and what recent losses say of
 * both. Names are the draft's (draft-ietf-ccwg-bbr, "Updating Network Path Model Parameters").
 *
 *  - Long term: `maxBw`, of this and the last cycle of probing, and `inflightLongterm`, past which probing met too much loss.
 *  - Short term: `bwShortterm` and `inflightShortterm`, what was delivered in rounds with loss, until the next probing.
 *
 * Sizes are bytes, times ms, rates bytes per ms.
 */

import type { AckSample } from '../ack-sample.ts';
import { RoundCounter } from '../rounds.ts';
import { AckAggregation } from './aggregation.ts';
import { MinRtt } from './min-rtt.ts';
import { TwoSlotMax } from './two-slot-max.ts';

/** No bound is known. */
export const UNBOUNDED = Number.POSITIVE_INFINITY;

/** BBR.LossThresh: the share of a round trip that may be lost while probing. */
export const LOSS_THRESH = 0.02;
/** BBR.Beta: what a round with loss leaves of the short-term bounds. */
export const BETA = 0.7;
/** Rounds without this growth are a plateau; so many of them mean that the pipe is full. */
const FULL_BW_GROWTH = 1.25;
const FULL_BW_ROUNDS = 3;

export class PathModel {
  readonly rounds = new RoundCounter();
  readonly minRtt = new MinRtt();
  readonly aggregation = new AckAggregation();
  readonly #maxBw = new TwoSlotMax();
  /** BBR.round_start: this ACK begins a round trip. */
  isRoundStart = false;
  /** BBR.bw: what the path delivers, all bounds considered. */
  bw = 0;
  bwShortterm = UNBOUNDED;
  inflightShortterm = UNBOUNDED;
  inflightLongterm = UNBOUNDED;
  /** Most of the last round trip. */
  #bwLatest = 0;
  inflightLatest = 0;
  isLossInRound = false;
  /** ACKs of this round that reported losses. */
  lossEvents = 0;
  /** This ACK ends a round trip since a loss was noted, or since the last such. */
  isLossRoundStart = false;
  #lossRoundDelivered = 0;
  /** BBR.full_bw_reached: the pipe has been full once. `isFullBwNow`: since the last reset. */
  isFullBwReached = false;
  isFullBwNow = false;
  #fullBw = 0;
  #fullBwCount = 0;

  get maxBw(): number {
    return this.#maxBw.value;
  }

  /** Data that fills the path and no queue; 0 while it is not known. */
  get bdp(): number {
    return this.minRtt.value === UNBOUNDED ? 0 : this.bw * this.minRtt.value;
  }

  /** What comes first on each ACK: rounds, bandwidth, and once a round what losses mean. @param isProbing for bandwidth */
  update(sample: AckSample, isAppLimited: boolean, isProbing: boolean, cwnd: number): void {
    const { deliveryRate } = sample;
    this.isLossRoundStart = false;
    this.#bwLatest = Math.max(this.#bwLatest, deliveryRate);
    this.inflightLatest = Math.max(this.inflightLatest, sample.rateDelivered);
    if (sample.delivered > 0 && sample.priorDelivered >= this.#lossRoundDelivered) {
      this.#lossRoundDelivered = sample.totalDelivered;
      this.isLossRoundStart = true;
    }
    this.isRoundStart = sample.delivered > 0 && this.rounds.update(sample);
    if (deliveryRate > 0 && (deliveryRate >= this.maxBw || !isAppLimited)) this.#maxBw.update(deliveryRate);
    if (!this.isLossRoundStart) return;
    if (this.isLossInRound && !isProbing) this.#lowerBounds(cwnd);
    this.isLossInRound = false;
  }

  /** What comes last. */
  finish(sample: AckSample): void {
    if (this.isLossRoundStart) {
      this.#bwLatest = sample.deliveryRate;
      this.inflightLatest = sample.rateDelivered;
      this.lossEvents = 0;
    }
    this.bw = Math.min(this.maxBw, this.bwShortterm);
  }

  /** NoteLoss. @returns whether it is the first of this round trip */
  noteLoss(totalDelivered: number): boolean {
    const isFirst = !this.isLossInRound;
    if (isFirst) this.#lossRoundDelivered = totalDelivered;
    this.isLossInRound = true;
    this.lossEvents++;
    return isFirst;
  }

  /** CheckFullBWReached: three rounds without much growth. */
  checkFullBw(sample: AckSample, isAppLimited: boolean): void {
    if (this.isFullBwNow || !this.isRoundStart || isAppLimited || sample.rateInterval === 0) return;
    if (sample.deliveryRate >= this.#fullBw * FULL_BW_GROWTH) {
      this.resetFullBw(sample.deliveryRate);
      return;
    }
    this.#fullBwCount++;
    this.isFullBwNow = this.#fullBwCount >= FULL_BW_ROUNDS;
    if (this.isFullBwNow) this.isFullBwReached = true;
  }

  /** The search for a plateau begins, at `bw`. */
  resetFullBw(bw: number): void {
    this.#fullBw = bw;
    this.#fullBwCount = 0;
    this.isFullBwNow = false;
  }

  /** AdvanceMaxBwFilter: a cycle of probing is over. */
  advanceMaxBw(): void {
    this.#maxBw.advance();
  }

  resetCongestionSignals(): void {
    this.isLossInRound = false;
    this.lossEvents = 0;
    this.#bwLatest = 0;
    this.inflightLatest = 0;
  }

  resetShortTerm(): void {
    this.bwShortterm = UNBOUNDED;
    this.inflightShortterm = UNBOUNDED;
  }

  /** InitLowerBounds and LossLowerBounds. */
  #lowerBounds(cwnd: number): void {
    if (this.bwShortterm === UNBOUNDED) this.bwShortterm = this.maxBw;
    if (this.inflightShortterm === UNBOUNDED) this.inflightShortterm = cwnd;
    this.bwShortterm = Math.max(this.#bwLatest, BETA * this.bwShortterm);
    this.inflightShortterm = Math.max(this.inflightLatest, BETA * this.inflightShortterm);
  }
}

/** IsInflightTooHigh: whether of what was in flight with the segment delivered last, more was lost than may be. */
export function isInflightTooHigh(sample: AckSample): boolean {
  return sample.lostSince + sample.lost > LOSS_THRESH * sample.txInFlight;
}
