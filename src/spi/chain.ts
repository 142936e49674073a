/**
 * From a catalog entry to the calls of its provider: loaded at the first socket that needs it, checked, and kept for the
 * process (CAT-LOAD-01 … 02, SPI-START-03 … 07).
 *
 * ws2_32 starts the provider of the entry that matched, and no other: in a chain that is the topmost layer, which starts the
 * next one itself. Modules are loaded by promises while WSPStartup cannot wait, so all of a chain are loaded before.
 */

import {
  MAX_PROTOCOL_CHAIN,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEPROVIDERFAILEDINIT,
  WSANOTINITIALISED,
  type WSAPROTOCOL_INFO,
  XP1_IFS_HANDLES,
} from '../abi/index.ts';
import { describeValue } from '../base/index.ts';
import { type BaseProvider, SPI_VERSION } from './base-provider.ts';
import { tapTable, type WatchedProvider } from './call-tap.ts';
import type { Catalog } from './catalog.ts';
import type { LayerRecord, ProviderFailure } from './chain-observer.ts';
import { isBaseProvider } from './default-catalog.ts';
import { guardStartup } from './guard.ts';
import { trust } from './guard-calls.ts';
import type { GuardHost } from './guard-host.ts';
import { isCompleteTable, type WSPDATA, type WSPPROC_TABLE, type WSPStartup } from './provider.ts';

/** A provider that was started for an entry. */
export interface StartedProvider {
  readonly entry: WSAPROTOCOL_INFO;
  readonly table: WSPPROC_TABLE;
  /** Its sockets are real handles, which any provider below can be asked about. */
  readonly isIfs: boolean;
  /** It and those below it that were started with it, the topmost first. */
  readonly chain: readonly WatchedProvider[];
}

/**
 * Finds the export of a provider that is not built in, by where it was installed; `null` when there is none. A promise that rejects
 * says why.
 */
export type LoadProvider = (path: string) => WSPStartup | null | Promise<WSPStartup | null>;

/** What providers are started with. */
export interface ProvidersHost extends GuardHost {
  readonly base: BaseProvider;
  readonly load: LoadProvider;
  /** The catalog of the process now. */
  readonly catalog: Catalog;
}

/** Longest time that a module may take to load, ms. */
const LOAD_LIMIT = 30_000;

export class Providers {
  readonly #host: ProvidersHost;
  readonly #started = new Map<number, StartedProvider>();
  readonly #starting = new Map<number, Promise<StartedProvider | number>>();
  /** By path: as it was exported, and as others call it. */
  readonly #loaded = new Map<string, { readonly own: WSPStartup; readonly guarded: WSPStartup }>();
  readonly #loading = new Map<string, Promise<void>>();
  /** The base provider's table as a layer was given it, by the id of its entry. */
  readonly #below = new Map<number, StartedProvider>();
  readonly #failures = new Map<number, ProviderFailure>();
  /** Why what is being started now fails, as far as anybody has said. */
  #reason = '';
  #generation = 0;

  constructor(host: ProvidersHost) {
    this.#host = host;
  }

  /** Why entries could not be started, each with its latest failure. */
  get failures(): readonly ProviderFailure[] {
    return [...this.#failures.values()];
  }

  /** Says why the WSPStartup that runs now is about to fail. */
  explain(reason: string): void {
    if (this.#reason === '') this.#reason = reason;
  }

  /**
   * The provider that serves an entry; started now when it was not, which takes a promise when modules must be loaded.
   * @returns minus a WSA code when it cannot be
   */
  start(entry: WSAPROTOCOL_INFO): StartedProvider | number | Promise<StartedProvider | number> {
    const id = entry.dwCatalogEntryId;
    const running = this.#started.get(id) ?? this.#starting.get(id);
    if (running !== undefined) return running;
    this.#reason = '';
    const loading = this.#loadChain(entry);
    if (loading.length === 0) return this.#startNow(entry);
    const generation = this.#generation;
    const starting = this.#startLater(entry, loading, generation).finally(() => this.#starting.delete(id));
    this.#starting.set(id, starting);
    return starting;
  }

  /** The provider of an entry, if it was started, by itself or below a layer. */
  started(dwCatalogEntryId: number): StartedProvider | null {
    return this.#started.get(dwCatalogEntryId) ?? this.#below.get(dwCatalogEntryId) ?? null;
  }

  /** The WSPStartup at a path that is loaded or built in; `null`: there is none. */
  at(path: string): WSPStartup | null {
    if (this.#host.catalog.isBasePath(path)) return this.#startBase;
    return this.#loaded.get(path)?.guarded ?? null;
  }

  /**
   * What a layer leaves with ws2_32 to be called back, as ws2_32 calls it: what it throws stays the layer's.
   * @param layer whose it is; that which runs now, when absent
   */
  contained<A extends readonly unknown[], R>(
    callback: (...args: A) => R,
    otherwise: R,
    layer: Pick<LayerRecord, 'name' | 'path'> | null = this.#host.running,
  ): (...args: A) => R {
    return (...args) => {
      try {
        return callback(...args);
      } catch (thrown) {
        const detail = describeValue(thrown);
        const { name, path } = layer ?? { name: 'a layer', path: '' };
        this.#host.failed({ layer: name, path, call: 'callback', s: 0, kind: 'threw', detail });
        return otherwise;
      }
    };
  }

  isLoadedFrom(startup: WSPStartup, path: string): boolean {
    return this.#loaded.get(path)?.own === startup;
  }

  /** Undoes every start: the last WSACleanup of the process. */
  cleanup(): void {
    this.#generation++;
    const providers = [...this.#started.values()];
    this.#started.clear();
    this.#below.clear();
    for (const { table } of providers) void table.WSPCleanup();
  }

  /** Loads what an entry's chain is made of and is not there yet. @returns what takes time */
  #loadChain(entry: WSAPROTOCOL_INFO): Promise<void>[] {
    const { catalog, load } = this.#host;
    const members = entry.ChainEntries.slice(0, entry.ChainLen).map((id) => catalog.byId(id));
    const loading: Promise<void>[] = [];
    for (const member of [entry, ...members]) {
      if (member === null || isBaseProvider(member.ProviderId)) continue;
      const path = catalog.providerPath(member.ProviderId);
      if (path === null || this.#loaded.has(path)) continue;
      const underWay = this.#loading.get(path);
      if (underWay !== undefined) {
        loading.push(underWay);
        continue;
      }
      try {
        const found = load(path);
        if (!(found instanceof Promise)) {
          this.#keep(path, found);
          continue;
        }
        const taking = this.#take(path, found).finally(() => this.#loading.delete(path));
        this.#loading.set(path, taking);
        loading.push(taking);
      } catch (error) {
        this.explain(`${path}: ${describeValue(error)}`);
      }
    }
    return loading;
  }

  async #take(path: string, loading: Promise<WSPStartup | null>): Promise<void> {
    const { scheduler } = this.#host;
    let cancel = (): void => {};
    const late = new Promise<never>((_resolve, reject) => {
      cancel = scheduler.after(LOAD_LIMIT, () => reject(new Error('it takes too long to load')));
    });
    try {
      this.#keep(path, await Promise.race([loading, late]));
    } catch (error) {
      this.explain(`${path}: ${describeValue(error)}`);
    } finally {
      cancel();
    }
  }

  #keep(path: string, startup: WSPStartup | null): void {
    if (startup === null) this.explain(`${path}: there is no provider`);
    else this.#loaded.set(path, { own: startup, guarded: guardStartup(this.#host, path, startup) });
  }

  async #startLater(
    entry: WSAPROTOCOL_INFO,
    loading: readonly Promise<void>[],
    generation: number,
  ): Promise<StartedProvider | number> {
    await Promise.all(loading);
    if (generation !== this.#generation) return -WSANOTINITIALISED;
    return this.#started.get(entry.dwCatalogEntryId) ?? this.#startNow(entry);
  }

  #startNow(entry: WSAPROTOCOL_INFO): StartedProvider | number {
    const { catalog, upcalls } = this.#host;
    if (entry.ChainLen > MAX_PROTOCOL_CHAIN) {
      return this.#fail(
        entry,
        WSAEPROVIDERFAILEDINIT,
        `a chain of ${entry.ChainLen} entries: 7 are the most`,
      );
    }
    const path = catalog.providerPath(entry.ProviderId);
    const startup = path === null ? null : this.at(path);
    if (startup === null) return this.#fail(entry, WSAEPROVIDERFAILEDINIT, 'its provider is not installed');
    const data: WSPDATA = { wVersion: 0, wHighVersion: 0, szDescription: '' };
    const table: Partial<WSPPROC_TABLE> = {};
    const { started } = this.#host.tap;
    started.length = 0;
    const error = startup(SPI_VERSION, data, entry, upcalls, table);
    if (error !== 0) {
      const told = error === WSAEINVALIDPROCTABLE ? error : WSAEPROVIDERFAILEDINIT;
      return this.#fail(entry, told, `its WSPStartup answered ${error}`);
    }
    if (data.wVersion !== SPI_VERSION || !isCompleteTable(table)) {
      void table.WSPCleanup?.();
      return this.#fail(
        entry,
        WSAEINVALIDPROVIDER,
        `it wants version ${data.wVersion.toString(16)} of the interface`,
      );
    }
    const isIfs = (entry.dwServiceFlags1 & XP1_IFS_HANDLES) !== 0;
    const chain = started.splice(0).sort((a, b) => a.depth - b.depth);
    const provider: StartedProvider = { entry, table, isIfs, chain };
    this.#started.set(entry.dwCatalogEntryId, provider);
    this.#failures.delete(entry.dwCatalogEntryId);
    return provider;
  }

  /** The base provider's export. Handles that it makes are its own until a layer takes its place. */
  readonly #startBase: WSPStartup = (requested, data, info, upcalls, table) => {
    const error = this.#host.base.WSPStartup(requested, data, info, upcalls, table);
    if (error !== 0 || !isCompleteTable(table)) return error;
    const { tap } = this.#host;
    const provider = { name: data.szDescription, path: '', chain: info, depth: tap.starting };
    tap.started.push(provider);
    Object.assign(table, tapTable({ ...table }, tap, provider));
    trust(table);
    trust(this.#host.base.extensions.functions);
    this.#below.set(info.dwCatalogEntryId, {
      entry: info,
      table: { ...table },
      isIfs: true,
      chain: [provider],
    });
    return 0;
  };

  #fail(entry: WSAPROTOCOL_INFO, error: number, reason: string): number {
    const failure: ProviderFailure = { entry, error, reason: this.#reason === '' ? reason : this.#reason };
    this.#failures.set(entry.dwCatalogEntryId, failure);
    this.#host.observer.failed?.(failure);
    return -error;
  }
}
