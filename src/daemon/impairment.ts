/**
 * Breaking the network on purpose, while the daemon runs: the impairments of its link, and the seed of their chance.
 */

import { type Random, type Scheduler, SeededRandom } from '../base/index.ts';
import {
  type FullSettings,
  type ImpairCounters,
  ImpairedLink,
  type ImpairSettings,
  type Link,
} from '../link/index.ts';

/** Which way packets go, as the host sees it. */
export type ImpairDirection = 'in' | 'out' | 'both';

/** One direction's settings, and what has come of them. */
export interface ImpairLaneView {
  readonly settings: FullSettings;
  readonly counters: ImpairCounters;
}

export interface ImpairView {
  readonly isActive: boolean;
  readonly seed: number;
  readonly out: ImpairLaneView;
  readonly in: ImpairLaneView;
}

/** What takes all impairments away. */
const NONE: ImpairSettings = {
  loss: 0,
  burst: null,
  delay: 0,
  jitter: 0,
  jitterReorders: false,
  reorder: 0,
  duplicate: 0,
  corrupt: 0,
  rateBytesPerSec: 0,
};

/** A generator that can be started over. */
class ReseededRandom implements Random {
  #inner: SeededRandom;

  constructor(seed: number) {
    this.#inner = new SeededRandom(seed);
  }

  reseed(seed: number): void {
    this.#inner = new SeededRandom(seed);
  }

  next(): number {
    return this.#inner.next();
  }
}

export class Impairment {
  /** What the driver is given: the link, with frames untouched while nothing is impaired. */
  readonly link: ImpairedLink;
  readonly #random: ReseededRandom;
  #seed: number;

  constructor(link: Link, scheduler: Scheduler, seed: number) {
    this.#seed = seed;
    this.#random = new ReseededRandom(seed);
    this.link = new ImpairedLink({ link, scheduler, random: this.#random });
  }

  get view(): ImpairView {
    const { outbound, inbound } = this.link;
    return {
      isActive: isActive(outbound.settings) || isActive(inbound.settings),
      seed: this.#seed,
      out: { settings: outbound.settings, counters: outbound.counters },
      in: { settings: inbound.settings, counters: inbound.counters },
    };
  }

  /**
   * Changes what is named, from now on. A seed starts chance over.
   * @throws {RangeError} for settings that make no sense; then nothing has changed.
   */
  change(settings: ImpairSettings, direction: ImpairDirection, seed: number | undefined): void {
    const { outbound, inbound } = this.link;
    const before = outbound.settings;
    if (direction !== 'in') outbound.change(settings);
    try {
      if (direction !== 'out') inbound.change(settings);
    } catch (error) {
      outbound.change(before);
      throw error;
    }
    if (seed === undefined) return;
    this.#seed = seed;
    this.#random.reseed(seed);
  }

  /** Takes all impairments of a direction away. */
  clear(direction: ImpairDirection): void {
    this.change(NONE, direction, undefined);
  }
}

function isActive(settings: FullSettings): boolean {
  return (
    settings.loss + settings.delay + settings.jitter + settings.reorder > 0 ||
    settings.duplicate + settings.corrupt + settings.rateBytesPerSec > 0 ||
    settings.burst !== null
  );
}
