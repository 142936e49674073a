/**
 * States in memory: the catalog of one embedded process, of a test, and of a Windows Mobile device, whose catalog ends with it (WM-03).
 */

import { NO_ERROR } from '../abi/index.ts';
import type { CatalogRecord } from '../port/index.ts';
import type { KeptState, StateJournal } from './keeper.ts';
import { type CatalogDefaults, type CatalogState, freshState } from './state.ts';

/** States and records that are kept. */
export const STATES_KEPT = 64;
export const RECORDS_KEPT = 1000;

export class MemoryJournal implements StateJournal {
  readonly #states: { readonly serial: number; readonly state: CatalogState }[];
  #records: CatalogRecord[] = [];

  constructor(defaults: CatalogDefaults) {
    this.#states = [{ serial: 0, state: freshState(defaults) }];
  }

  newest(): KeptState {
    const { serial, state } = this.#states[this.#states.length - 1] as {
      serial: number;
      state: CatalogState;
    };
    return { serial, state, skipped: [], isWritable: true };
  }

  at(serial: number): CatalogState | null {
    return this.#states.find((kept) => kept.serial === serial)?.state ?? null;
  }

  add(state: CatalogState, made: CatalogRecord): number {
    this.#states.push({ serial: made.serial, state });
    if (this.#states.length > STATES_KEPT) this.#states.shift();
    this.#records = [made, ...this.#records].slice(0, RECORDS_KEPT);
    return NO_ERROR;
  }

  records(): readonly CatalogRecord[] {
    return this.#records.map((record) => ({ ...record, isKept: this.at(record.serial) !== null }));
  }

  /** Nobody else can add. */
  watch(): () => void {
    return () => {};
  }

  close(): void {}
}
