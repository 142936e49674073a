/**
 * A catalog that is kept: changes are applied to the newest state and added to the states that are there. Several may do so at once, in
 * one process or in many: a state is added only when nobody was first, otherwise the change is applied again, to what the other one made.
 */

import { NO_ERROR, WSAEINPROGRESS, WSANO_RECOVERY } from '../abi/index.ts';
import type {
  CatalogAnswer,
  CatalogChange,
  CatalogRecord,
  CatalogSnapshot,
  SkippedPart,
} from '../port/index.ts';
import { applyChange } from './apply.ts';
import { describeChange } from './describe.ts';
import { type CatalogDefaults, type CatalogState, snapshotOf } from './state.ts';

/** A state as it is kept. */
export interface KeptState {
  readonly serial: number;
  readonly state: CatalogState;
  readonly skipped: readonly SkippedPart[];
  /** False: it is not understood (a newer format), and must stay as it is. */
  readonly isWritable: boolean;
}

/** Who makes a change: of a client, what the kernel says of it. */
export type CatalogWriter = CatalogRecord['who'];

/** Where states are kept. */
export interface StateJournal {
  newest(): KeptState;
  at(serial: number): CatalogState | null;
  /**
   * Adds the state after `newest`.
   * @returns 0; `late` when another one was added meanwhile; otherwise the WSA code of what went wrong
   */
  add(state: CatalogState, made: CatalogRecord): number | 'late';
  /** Newest first. */
  records(): readonly CatalogRecord[];
  /** Tells states that somebody adds; of this journal's own, it may tell again. @returns ends it */
  watch(tell: () => void): () => void;
  close(): void;
}

export interface KeeperOptions {
  readonly journal: StateJournal;
  readonly defaults: CatalogDefaults;
  newGuid(): string;
  /** Milliseconds since 1970. */
  now(): number;
}

/** How often a change is applied again because another one was first. */
const ATTEMPTS = 100;

export class CatalogKeeper {
  readonly #options: KeeperOptions;
  readonly #watchers = new Set<(serial: number) => void>();
  #lastTold: number;
  readonly #stop: () => void;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#lastTold = options.journal.newest().serial;
    this.#stop = options.journal.watch(() => this.#tell());
  }

  read(): CatalogSnapshot {
    const { state, serial, skipped } = this.#options.journal.newest();
    return snapshotOf(state, serial, skipped);
  }

  apply(change: CatalogChange, who: CatalogWriter): CatalogAnswer {
    const { journal, defaults } = this.#options;
    const newGuid = () => this.#options.newGuid();
    const context = { defaults, newGuid, earlier: (serial: number) => journal.at(serial) };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const { state, serial, isWritable } = journal.newest();
      if (!isWritable) return failed(WSANO_RECOVERY, serial);
      const outcome = applyChange(state, change, context);
      if (typeof outcome === 'number') return failed(outcome, serial);
      const { ids, previous } = outcome;
      if (outcome.state === state) return { error: NO_ERROR, serial, ids, previous };
      const made: CatalogRecord = {
        serial: serial + 1,
        when: this.#options.now(),
        who,
        kind: change.kind,
        what: describeChange(change),
        isKept: true,
      };
      const added = journal.add(outcome.state, made);
      if (added === 'late') continue;
      if (added !== 0) return failed(added, serial);
      this.#tell();
      return { error: NO_ERROR, serial: made.serial, ids, previous };
    }
    return failed(WSAEINPROGRESS, journal.newest().serial);
  }

  history(): readonly CatalogRecord[] {
    return this.#options.journal.records();
  }

  /** @param tell gets the serial after each change, whoever made it. @returns ends it */
  watch(tell: (serial: number) => void): () => void {
    this.#watchers.add(tell);
    return () => this.#watchers.delete(tell);
  }

  close(): void {
    this.#stop();
    this.#watchers.clear();
    this.#options.journal.close();
  }

  #tell(): void {
    const { serial } = this.#options.journal.newest();
    if (serial === this.#lastTold) return;
    this.#lastTold = serial;
    for (const tell of [...this.#watchers]) tell(serial);
  }
}

function failed(error: number, serial: number): CatalogAnswer {
  return { error, serial, ids: [], previous: 0 };
}
