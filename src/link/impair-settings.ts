/**
 * What may happen to a packet on the way: the knobs of an impaired link, one set a direction.
 *
 * A router that knows explicit congestion notification marks packets where it would drop them (RFC 3168 §5): `mark` is the chance
 * for it, and `markAboveBytes` a queue that says when it gets long. Only packets whose sender said ECT can be marked; the others
 * pass, and meet the end of the queue.
 */

import { type Random, randomFraction } from '../base/index.ts';

/**
 * Losses in bursts, after Gilbert and Elliott: the path is good or bad, each with its own chance of loss, and changes
 * between the two packet by packet. The share of packets that meet it bad is `toBad / (toBad + toGood)`.
 */
export interface BurstLoss {
  /** Chance, for each packet, that a good path turns bad. */
  readonly toBad: number;
  /** Chance, for each packet, that a bad path turns good. */
  readonly toGood: number;
  /** Chance of loss while bad. Default 1. */
  readonly lossInBad?: number;
  /** Chance of loss while good. Default 0. */
  readonly lossInGood?: number;
}

/** Chances are 0 … 1, times in ms. What is not named is off. */
export interface ImpairSettings {
  /** Chance that a packet is lost, each for itself. */
  readonly loss?: number;
  readonly burst?: BurstLoss | null;
  /** Time that every packet takes. */
  readonly delay?: number;
  /** Random time on top of `delay`, evenly spread over 0 … `jitter`. */
  readonly jitter?: number;
  /** Whether jitter may let a packet overtake one that was sent before. Default false: it waits behind. */
  readonly jitterReorders?: boolean;
  /** Chance that a packet is held back by `reorderBy`, so that later ones overtake it. */
  readonly reorder?: number;
  /** Default 10. */
  readonly reorderBy?: number;
  /** Chance that a second copy follows. */
  readonly duplicate?: number;
  /** Chance that `corruptBits` bits of the packet are flipped. */
  readonly corrupt?: number;
  /** Default 1. */
  readonly corruptBits?: number;
  /** Chance that a packet that allows it is marked as having met congestion (IP's ECN field says CE). */
  readonly mark?: number;
  /** Bytes that pass in a second; 0: as many as come. */
  readonly rateBytesPerSec?: number;
  /** Bytes that wait for their turn when a rate is set; past it packets are lost. Default 256 KiB. */
  readonly queueBytes?: number;
  /**
   * Packets that find at least this many bytes waiting for the rate are marked, as a switch with a step threshold does it
   * (RFC 8257 §3.1); 0: none. Without a rate nothing waits.
   */
  readonly markAboveBytes?: number;
}

/** Settings with every field. */
export type FullSettings = { readonly [K in keyof ImpairSettings]-?: ImpairSettings[K] };

export const NO_IMPAIRMENT: FullSettings = {
  loss: 0,
  burst: null,
  delay: 0,
  jitter: 0,
  jitterReorders: false,
  reorder: 0,
  reorderBy: 10,
  duplicate: 0,
  corrupt: 0,
  corruptBits: 1,
  mark: 0,
  rateBytesPerSec: 0,
  queueBytes: 256 << 10,
  markAboveBytes: 0,
};

/**
 * `base` with `changes`.
 * @throws {RangeError} when a chance is outside 0 … 1 or a time or size is negative or no number.
 */
export function withChanges(base: FullSettings, changes: ImpairSettings): FullSettings {
  const full: FullSettings = { ...base, ...changes };
  for (const name of ['loss', 'reorder', 'duplicate', 'corrupt', 'mark'] as const)
    checkChance(name, full[name]);
  for (const name of [
    'delay',
    'jitter',
    'reorderBy',
    'corruptBits',
    'rateBytesPerSec',
    'queueBytes',
    'markAboveBytes',
  ] as const) {
    if (!(full[name] >= 0 && full[name] < Number.POSITIVE_INFINITY)) {
      throw new RangeError(`${name}: ${full[name]} is not a number of 0 or more`);
    }
  }
  if (full.burst !== null) {
    checkChance('burst.toBad', full.burst.toBad);
    checkChance('burst.toGood', full.burst.toGood);
    checkChance('burst.lossInBad', full.burst.lossInBad ?? 1);
    checkChance('burst.lossInGood', full.burst.lossInGood ?? 0);
  }
  return full;
}

function checkChance(name: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new RangeError(`${name}: ${value} is not a chance between 0 and 1`);
}

/** Whether nothing can happen to a packet: then frames pass whole, super-segments included. */
export function isTransparent(settings: FullSettings): boolean {
  return (
    settings.loss === 0 &&
    settings.burst === null &&
    settings.delay === 0 &&
    settings.jitter === 0 &&
    settings.reorder === 0 &&
    settings.duplicate === 0 &&
    settings.corrupt === 0 &&
    settings.mark === 0 &&
    settings.rateBytesPerSec === 0
  );
}

/** The state of a Gilbert-Elliott path. */
export class BurstState {
  #isBad = false;

  /** Moves on by one packet. @returns whether it is lost. */
  next(burst: BurstLoss, random: Random): boolean {
    if (randomFraction(random) < (this.#isBad ? burst.toGood : burst.toBad)) this.#isBad = !this.#isBad;
    const loss = this.#isBad ? (burst.lossInBad ?? 1) : (burst.lossInGood ?? 0);
    return loss > 0 && randomFraction(random) < loss;
  }
}
