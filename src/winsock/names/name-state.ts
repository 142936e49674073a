/**
 * What a process keeps for its name functions: the resolver's session, the name spaces, the services database, open lookups and
 * requests that are under way.
 */

import type { WSANAMESPACE_INFOEX } from '../../abi/index.ts';
import { type BehaviorProfile, type NamePort, NO_NAMES } from '../../port/index.ts';
import {
  createLocalNameSpace,
  createNetworkNameSpace,
  createTcpipNameSpace,
  DEFAULT_NAME_SPACES,
  LOCAL_NAME_SPACE_ID,
  type LoadNameSpace,
  NameSpaces,
  NLA_NAME_SPACE_ID,
  ServiceTable,
  TCPIP_NAME_SPACE_ID,
} from '../../spi/index.ts';
import type { NameLookup } from './lookup.ts';

/** What a process brings along for names. */
export interface NameOptions {
  /** The session with the resolver; taken over. Without it nothing but numbers and this process's own services is found. */
  readonly names?: NamePort;
  /** The text of a `services` file, which wins over the built-in list. */
  readonly services?: string;
  /** The name-space catalog that the process starts with; the default one when absent. */
  readonly nameSpaces?: readonly WSANAMESPACE_INFOEX[];
  /** Finds installed name-space providers; without it there are only the built-in ones. */
  readonly loadNameSpace?: LoadNameSpace;
}

/** A request that pends. */
export interface PendingName {
  /** GetAddrInfoExCancel: it ends early, and says so; absent for what only WSACancelAsyncRequest may end. */
  readonly cancel?: () => void;
  /** Ends it and tells nobody: the last WSACleanup, WSACancelAsyncRequest. */
  abandon(): void;
}

/** No socket and no event has a handle like these. */
const FIRST_HANDLE = 0x4000_0000;
const LAST_HANDLE = 0x7fff_fffc;

export class NameState {
  readonly names: NamePort;
  readonly spaces: NameSpaces;
  readonly services: ServiceTable;
  /** Open lookups by handle. */
  readonly lookups = new Map<number, NameLookup>();
  /** Asynchronous requests by handle: WSAAsyncGetXByY and GetAddrInfoEx. */
  readonly pending = new Map<number, PendingName>();
  #lastHandle = FIRST_HANDLE;

  /** @param profile Windows Mobile has the provider of DNS alone (nspm.dll) */
  constructor(options: NameOptions, profile: BehaviorProfile) {
    this.names = options.names ?? NO_NAMES;
    this.services = new ServiceTable(options.services);
    const load = options.loadNameSpace ?? ((): null => null);
    const defaults = profile === 'windows-mobile' ? DEFAULT_NAME_SPACES.slice(0, 1) : DEFAULT_NAME_SPACES;
    this.spaces = new NameSpaces(options.nameSpaces ?? defaults, (id) => {
      switch (id) {
        case TCPIP_NAME_SPACE_ID:
          return createTcpipNameSpace(this.names, this.services);
        case NLA_NAME_SPACE_ID:
          return createNetworkNameSpace(this.names);
        case LOCAL_NAME_SPACE_ID:
          return createLocalNameSpace();
        default:
          return load(id);
      }
    });
  }

  /** A handle that is not in use: a multiple of 4, never 0. Lookups and requests share one number space. */
  newHandle(): number {
    do {
      this.#lastHandle = this.#lastHandle + 4 > LAST_HANDLE ? FIRST_HANDLE : this.#lastHandle + 4;
    } while (this.lookups.has(this.#lastHandle) || this.pending.has(this.#lastHandle));
    return this.#lastHandle;
  }

  /** The last WSACleanup: lookups end as cancelled, requests without a word. */
  cleanup(): void {
    for (const lookup of [...this.lookups.values()]) void lookup.end();
    this.lookups.clear();
    const requests = [...this.pending.values()];
    this.pending.clear();
    for (const request of requests) request.abandon();
    this.spaces.cleanup();
  }
}
