/**
 * The service-provider catalog as a running process sees it: an ordered list of entries. A process keeps the one that it
 * started with; what installs, removes or reorders makes a new one.
 */

import { LAYERED_PROTOCOL, PFL_HIDDEN, type WSAPROTOCOL_INFO } from '../abi/index.ts';
import {
  BASE_PROVIDER_ID,
  BASE_PROVIDER_ID_V6,
  DEFAULT_CATALOG,
  isBaseProvider,
  WSPM_PROVIDER_ID,
} from './default-catalog.ts';
import { type LayerCategories, mayLoad } from './lsp-categories.ts';
import { type Selection, type SocketQuery, selectByInfo, selectEntry } from './selection.ts';

/** Where the base provider is said to be installed; nothing is loaded from there. */
export const BASE_PROVIDER_PATH = '%SystemRoot%\\system32\\mswsock.dll';
/** And on Windows Mobile (WM-01). */
const WSPM_PATH = 'wspm.dll';
const BASE_PROVIDER_IDS = [BASE_PROVIDER_ID, BASE_PROVIDER_ID_V6, WSPM_PROVIDER_ID];

/** What Windows' listing shows as the base provider's DLL. */
export function baseProviderPath(providerId: string): string {
  return providerId === WSPM_PROVIDER_ID ? WSPM_PATH : BASE_PROVIDER_PATH;
}

export class Catalog {
  /** Every entry in catalog order: layers, chains and hidden ones too. */
  readonly entries: readonly WSAPROTOCOL_INFO[];
  /** Where each provider was installed from, by its GUID. */
  readonly #paths: ReadonlyMap<string, string>;
  /** Those that this application may be served by. */
  readonly #permitted: readonly WSAPROTOCOL_INFO[];

  /**
   * @param paths the module of each provider that is not built in, by GUID
   * @param categories which layers the application may load; absent: all
   */
  constructor(
    entries: readonly WSAPROTOCOL_INFO[] = DEFAULT_CATALOG,
    paths: ReadonlyMap<string, string> = new Map(),
    categories: LayerCategories | null = null,
  ) {
    this.entries = entries;
    this.#paths = paths;
    this.#permitted =
      categories === null ? entries : entries.filter((entry) => mayLoad(entry, entries, categories));
  }

  /** The entry with that id, or `null`. */
  byId(dwCatalogEntryId: number): WSAPROTOCOL_INFO | null {
    return this.entries.find((entry) => entry.dwCatalogEntryId === dwCatalogEntryId) ?? null;
  }

  /** The first entry of an address family that can be used by applications, or `null`. */
  byFamily(family: number): WSAPROTOCOL_INFO | null {
    return (
      this.#permitted.find(
        (entry) => entry.iAddressFamily === family && entry.ChainLen !== LAYERED_PROTOCOL,
      ) ?? null
    );
  }

  /**
   * Which entry serves a socket; see {@link selectEntry} and {@link selectByInfo}. Chains with a layer that the application is exempt
   * from are passed over, also when one of them is asked for by its info (CAT-LSPCAT-04).
   */
  select(query: SocketQuery, info: WSAPROTOCOL_INFO | null): Selection | number {
    if (info === null) return selectEntry(this.#permitted, query);
    const selection = selectByInfo(this.entries, query, info);
    if (typeof selection === 'number' || this.#permitted.includes(selection.entry)) return selection;
    const { af, type, protocol } = selection;
    return selectEntry(this.#permitted, { af, type, protocol });
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

  /** Where a provider is loaded from; `null` for an unknown one. */
  providerPath(providerId: string): string | null {
    const path = this.#paths.get(providerId);
    if (path !== undefined && path !== '') return path;
    return isBaseProvider(providerId) ? baseProviderPath(providerId) : null;
  }

  /** Whether what is installed at a path is the built-in base provider. */
  isBasePath(path: string): boolean {
    return BASE_PROVIDER_IDS.some((id) => this.providerPath(id) === path);
  }
}
