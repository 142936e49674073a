/** Catalogs of tests: changes in a row, and layered providers as an installer makes them. */

import {
  LAYERED_PROTOCOL,
  PFL_HIDDEN,
  type WSAPROTOCOL_INFO,
  XP1_IFS_HANDLES,
} from '../../../src/abi/index.ts';
import {
  applyChange,
  type CatalogDefaults,
  type CatalogState,
  type ChangeContext,
  freshState,
} from '../../../src/catalog/index.ts';
import type { CatalogChange } from '../../../src/port/index.ts';
import { catalogDefaults } from '../../../src/spi/index.ts';

export const DEFAULTS: CatalogDefaults = catalogDefaults('windows');

export const guid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

/** A catalog that changes are made to. */
export class Bench implements ChangeContext {
  readonly defaults: CatalogDefaults = DEFAULTS;
  state: CatalogState;
  readonly states: CatalogState[] = [];
  #guids = 0;

  constructor(state: CatalogState = freshState(DEFAULTS)) {
    this.state = state;
  }

  newGuid(): string {
    return guid(900_000 + this.#guids++);
  }

  earlier(serial: number): CatalogState | null {
    return this.states[serial] ?? null;
  }

  /** @returns the ids, or the error */
  apply(change: CatalogChange): readonly number[] | number {
    const outcome = applyChange(this.state, change, this);
    if (typeof outcome === 'number') return outcome;
    this.states.push(this.state);
    this.state = outcome.state;
    return outcome.ids;
  }

  get ids(): number[] {
    return this.state.entries.map(({ info }) => info.dwCatalogEntryId);
  }

  info(id: number): WSAPROTOCOL_INFO {
    const found = this.state.entries.find(({ info }) => info.dwCatalogEntryId === id);
    if (found === undefined) throw new Error(`no entry ${id}`);
    return found.info;
  }
}

/** The TCP entry of a fresh catalog. */
export const TCP: WSAPROTOCOL_INFO = (DEFAULTS.entries[0] as { info: WSAPROTOCOL_INFO }).info;

/** The layered entry of an LSP as an installer makes it (CFG-SEQ-01). */
export function layer(name: string, isIfs = false): WSAPROTOCOL_INFO {
  const flags = isIfs ? TCP.dwServiceFlags1 : TCP.dwServiceFlags1 & ~XP1_IFS_HANDLES;
  return {
    ...TCP,
    dwServiceFlags1: flags,
    dwProviderFlags: TCP.dwProviderFlags | PFL_HIDDEN,
    ChainLen: LAYERED_PROTOCOL,
    szProtocol: name,
  };
}

/** A chain entry over another entry (CFG-SEQ-02). */
export function chainOver(below: WSAPROTOCOL_INFO, layerId: number, name = 'chain'): WSAPROTOCOL_INFO {
  return {
    ...below,
    ChainLen: below.ChainLen + 1,
    ChainEntries: [layerId, below.dwCatalogEntryId, ...below.ChainEntries.slice(1)],
    szProtocol: `${name} over [${below.szProtocol}]`,
  };
}

export const install = (n: number, ...entries: WSAPROTOCOL_INFO[]): CatalogChange => ({
  kind: 'install-provider',
  providerId: guid(n),
  path: `/lsp/${n}.mjs`,
  entries,
});

export const installChains = (n: number, serviceFlags = 0, over: 'tcp' | 'all' = 'tcp'): CatalogChange => ({
  kind: 'install-chains',
  providerId: guid(n),
  path: `/lsp/${n}.mjs`,
  name: `LSP ${n}`,
  serviceFlags,
  over: over === 'all' ? null : [{ iAddressFamily: 2, iSocketType: 1, iProtocol: 6 }],
});
