/**
 * Breaking the network on purpose, while the daemon runs: the impairments of its link, both ways alike, and the seed of their
 * chance.
 */

import { type Random, type Scheduler, SeededRandom } from '../base/index.ts';
import { ImpairedLink, type ImpairSettings, type Link } from '../link/index.ts';
import type { ImpairmentSettings, ImpairmentStatus } from '../port/index.ts';

/** The settings of the control API, all off. */
const NONE = {
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  mark: 0,
  delay: 0,
  jitter: 0,
  rateBytesPerSec: 0,
  markAboveBytes: 0,
} satisfies ImpairSettings;
const NAMES = Object.keys(NONE) as readonly (keyof typeof NONE)[];
const FATES = [
  'passed',
  'lost',
  'delayed',
  'duplicated',
  'reordered',
  'corrupted',
  'marked',
  'overflowed',
] as const;

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

  get status(): ImpairmentStatus {
    const { outbound, inbound } = this.link;
    const fates: Record<string, number> = {};
    for (const fate of FATES) fates[fate] = outbound.counters[fate] + inbound.counters[fate];
    const named = NAMES.filter((name) => outbound.settings[name] > 0);
    const settings = Object.fromEntries(named.map((name) => [name, outbound.settings[name]]));
    return { link: this.link.name, settings: { ...settings, seed: this.#seed }, fates };
  }

  /**
   * Puts `settings` in the place of those before; what is not named is off. A seed starts chance over.
   * @throws {RangeError} for settings that make no sense; then nothing has changed.
   */
  set({ seed, ...settings }: ImpairmentSettings): void {
    const wanted: ImpairSettings = { ...NONE, ...settings };
    // Both lanes check alike: when the first takes it, so does the second.
    this.link.outbound.change(wanted);
    this.link.inbound.change(wanted);
    if (seed === undefined) return;
    this.#seed = seed;
    this.#random.reseed(seed);
  }
}
