/**
 * The service-provider catalog as a running process sees it: an ordered list of entries. A process keeps the one that it
 * started with; what installs, removes or reorders makes a new one.
 */

import { LAYERED_PROTOCOL, PFL_HIDDEN, type WSAPROTOCOL_INFO } from '../abi/index.ts';
import { DEFAULT_CATALOG, isBaseProvider } from './default-catalog.ts';
import { type Selection, type SocketQuery, selectByInfo, selectEntry } from './selection.ts';

export class Catalog {
  /** Every entry in catalog order: layers, chains and hidden ones too. */
  readonly entries: readonly WSAPROTOCOL_INFO[];
  /** Where each provider was installed from, by its GUID. */
  readonly #paths: ReadonlyMap<string, string>;

  /**
   * @param paths the module of each provider that is not built in, by GUID
   */
  constructor(
    entries: readonly WSAPROTOCOL_INFO[] = DEFAULT_CATALOG,
    paths: ReadonlyMap<string, string> = new Map(),
  ) {
    this.entries = entries;
    this.#paths = paths;
  }

  /** The entry with that id, or `null`. */
  byId(dwCatalogEntryId: number): WSAPROTOCOL_INFO | null {
    return this.entries.find((entry) => entry.dwCatalogEntryId === dwCatalogEntryId) ?? null;
  }

  /** The first entry of an address family that can be used by applications, or `null`. */
  byFamily(family: number): WSAPROTOCOL_INFO | null {
    return (
      this.entries.find((entry) => entry.iAddressFamily === family && entry.ChainLen !== LAYERED_PROTOCOL) ??
      null
    );
  }

  /** Which entry serves a socket; see {@link selectEntry} and {@link selectByInfo}. */
  select(query: SocketQuery, info: WSAPROTOCOL_INFO | null): Selection | number {
    return info === null ? selectEntry(this.entries, query) : selectByInfo(this.entries, query, info);
  }

  /**
   * What WSAEnumProtocols shows: neither hidden entries nor layers (CAT-CHAIN-08).
   * @param protocols the protocol numbers wanted; `null`: all
   */
  enumerate(protocols: readonly number[] | null): WSAPROTOCOL_INFO[] {
    return this.entries.filter(
      (entry) =>
        entry.ChainLen !== LAYERED_PROTOCOL &&
        (entry.dwProviderFlags & PFL_HIDDEN) === 0 &&
        (protocols === null || protocols.includes(entry.iProtocol)),
    );
  }

  /** Where a provider is loaded from; the empty string for the built-in base provider, `null` for an unknown one. */
  providerPath(providerId: string): string | null {
    if (isBaseProvider(providerId)) return '';
    return this.#paths.get(providerId) ?? null;
  }
}
