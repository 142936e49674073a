/**
 * A fuzzed link: passes on what arrives, and now and then a mutated copy besides. So a stack behind it meets nonsense while
 * its real conversations go on, and must drop the one and keep the other.
 */

import {
  copy,
  createFrameBatch,
  FRAME_COLUMNS,
  FRAME_CSUM_VALID,
  FRAME_FLAGS,
  FRAME_LENGTH,
  FRAME_OFFSET,
  type FrameBatch,
  type Random,
  randomBelow,
  randomFraction,
} from '../base/index.ts';
import { linkHeaderLength } from '../wire/index.ts';
import { LinkDecorator } from './decorator.ts';
import type { Link } from './link.ts';

export interface FuzzOptions {
  /** The link whose inbound frames are mutated; the decorator owns it from now on. */
  readonly link: Link;
  readonly random: Random;
  /** Chance, for each frame, that a mutated copy follows it. Default 0.1. */
  readonly chance?: number;
  /** Most bytes changed in one frame. Default 8. */
  readonly maxChanges?: number;
}

/** Longest frame that is mutated; longer ones only pass. */
const MAX_LENGTH = 2048;
/** Mutated bytes lie in the headers, where most of the decisions are. */
const HEADER_BYTES = 80;

export class FuzzedLink extends LinkDecorator {
  readonly #random: Random;
  readonly #chance: number;
  readonly #maxChanges: number;
  readonly #lead: number;
  readonly #mutant = createFrameBatch(1, MAX_LENGTH + 4);
  /** Mutated frames so far. */
  mutants = 0;

  constructor(options: FuzzOptions) {
    super(options.link);
    this.#random = options.random;
    this.#chance = options.chance ?? 0.1;
    this.#maxChanges = options.maxChanges ?? 8;
    this.#lead = -linkHeaderLength(options.link.medium) & 3;
  }

  override receive(batch: FrameBatch): void {
    this.receiver?.receive(batch);
    for (let i = 0; i < batch.count; i++) {
      if (randomFraction(this.#random) < this.#chance && this.#mutate(batch, i)) {
        this.mutants++;
        this.receiver?.receive(this.#mutant);
      }
    }
  }

  /** Puts a changed copy of frame `index` into `#mutant`: bytes replaced, and now and then the end cut off. */
  #mutate(batch: FrameBatch, index: number): boolean {
    const row = index * FRAME_COLUMNS;
    const length = batch.table[row + FRAME_LENGTH] as number;
    if (length === 0 || length > MAX_LENGTH) return false;
    const { bytes, table } = this.#mutant;
    copy(batch.bytes, batch.table[row + FRAME_OFFSET] as number, bytes, this.#lead, length);
    table.set(batch.table.subarray(row, row + FRAME_COLUMNS));
    // Trusted checksums let changes reach the transport; a device's word about them is kept half of the time.
    const isTrusted = (this.#random.next() & 1) === 0;
    if (isTrusted) table[FRAME_FLAGS] = FRAME_CSUM_VALID;
    table[FRAME_OFFSET] = this.#lead;
    const changes = 1 + randomBelow(this.#random, this.#maxChanges);
    for (let i = 0; i < changes; i++) {
      bytes[this.#lead + randomBelow(this.#random, Math.min(length, HEADER_BYTES))] = this.#random.next();
    }
    const isCut = randomBelow(this.#random, 4) === 0;
    table[FRAME_LENGTH] = isCut ? randomBelow(this.#random, length) : length;
    this.#mutant.owners[0] = null;
    this.#mutant.count = 1;
    return true;
  }
}
