/**
 * From a catalog entry to the calls of its provider: loaded at the first socket that needs it, checked, and kept for the
 * process (CAT-LOAD-01 … 02, SPI-START-03 … 07).
 *
 * ws2_32 starts the provider of the entry that matched, and no other: in a chain that is the topmost layer, which starts the
 * next one itself.
 */

import {
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEPROVIDERFAILEDINIT,
  type WSAPROTOCOL_INFO,
  XP1_IFS_HANDLES,
} from '../abi/index.ts';
import { type BaseProvider, SPI_VERSION } from './base-provider.ts';
import type { Catalog } from './catalog.ts';
import { isBaseProvider } from './default-catalog.ts';
import { WSP_ENTRIES, type WSPDATA, type WSPPROC_TABLE, type WSPStartup } from './provider.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

/** A provider that was started for an entry. */
export interface StartedProvider {
  readonly entry: WSAPROTOCOL_INFO;
  readonly table: WSPPROC_TABLE;
  /** Its sockets are real handles, which any provider below can be asked about. */
  readonly isIfs: boolean;
}

/** Finds the export of a provider that is not built in, by where it was installed; `null` when it cannot be loaded. */
export type LoadProvider = (path: string) => WSPStartup | null;

export class Providers {
  readonly #catalog: Catalog;
  readonly #base: BaseProvider;
  readonly #load: LoadProvider;
  readonly #upcalls: WSPUPCALLTABLE;
  readonly #started = new Map<number, StartedProvider>();

  constructor(catalog: Catalog, base: BaseProvider, upcalls: WSPUPCALLTABLE, load: LoadProvider) {
    this.#catalog = catalog;
    this.#base = base;
    this.#upcalls = upcalls;
    this.#load = load;
  }

  /** The provider that serves an entry; started now when it was not. @returns minus a WSA code when it cannot be */
  start(entry: WSAPROTOCOL_INFO): StartedProvider | number {
    const running = this.#started.get(entry.dwCatalogEntryId);
    if (running !== undefined) return running;
    const startup = this.#find(entry.ProviderId);
    if (startup === null) return -WSAEPROVIDERFAILEDINIT;
    const data: WSPDATA = { wVersion: 0, wHighVersion: 0, szDescription: '' };
    const table: Partial<WSPPROC_TABLE> = {};
    if (!startsWell(startup, data, entry, this.#upcalls, table)) return -WSAEPROVIDERFAILEDINIT;
    const error = data.wVersion !== SPI_VERSION ? WSAEINVALIDPROVIDER : 0;
    if (error !== 0 || !isComplete(table)) {
      void table.WSPCleanup?.();
      return error !== 0 ? -error : -WSAEINVALIDPROCTABLE;
    }
    const isIfs = (entry.dwServiceFlags1 & XP1_IFS_HANDLES) !== 0;
    const provider: StartedProvider = { entry, table, isIfs };
    this.#started.set(entry.dwCatalogEntryId, provider);
    return provider;
  }

  /** The provider of an entry, if it was started. */
  started(dwCatalogEntryId: number): StartedProvider | null {
    return this.#started.get(dwCatalogEntryId) ?? null;
  }

  /** Undoes every start: the last WSACleanup of the process. */
  cleanup(): void {
    const providers = [...this.#started.values()];
    this.#started.clear();
    for (const { table } of providers) void table.WSPCleanup();
  }

  #find(providerId: string): WSPStartup | null {
    if (isBaseProvider(providerId)) return this.#base.WSPStartup;
    const path = this.#catalog.providerPath(providerId);
    return path === null ? null : this.#load(path);
  }
}

/** Runs WSPStartup. A provider that throws has failed to start, like one that answers an error (SPI-START-07). */
function startsWell(
  startup: WSPStartup,
  data: WSPDATA,
  entry: WSAPROTOCOL_INFO,
  upcalls: WSPUPCALLTABLE,
  table: Partial<WSPPROC_TABLE>,
): boolean {
  try {
    return startup(SPI_VERSION, data, entry, upcalls, table) === 0;
  } catch {
    return false;
  }
}

/** SPI-START-04: all 30 entries. */
function isComplete(table: Partial<WSPPROC_TABLE>): table is WSPPROC_TABLE {
  return WSP_ENTRIES.every((name) => typeof table[name] === 'function');
}
