/**
 * What a process keeps for its name functions: the resolver's session, the name spaces, the services database, open lookups and
 * requests that are under way.
 */

import type { Scheduler } from '../../base/index.ts';
import { type BehaviorProfile, type NamePort, type NameSpaceEntry, NO_NAMES } from '../../port/index.ts';
import {
  createLocalNameSpace,
  createNetworkNameSpace,
  createTcpipNameSpace,
  DEFAULT_NAME_SPACES,
  LOCAL_NAME_SPACE_ID,
  type NameSpaceModule,
  NameSpaces,
  type NameSpacesOptions,
  NLA_NAME_SPACE_ID,
  type NSPStartup,
  ServiceTable,
  TCPIP_NAME_SPACE_ID,
} from '../../spi/index.ts';
import { loadNameSpaceModule } from '../provider-modules.ts';
import { AnnouncedSpaces } from './announced-spaces.ts';
import type { NameLookup } from './lookup.ts';
import { remoteSpace } from './remote-space.ts';

/** What a process brings along for names. */
export interface NameOptions {
  /** The session with the resolver; taken over. Without it nothing but numbers and this process's own services is found. */
  readonly names?: NamePort;
  /** The text of a `services` file, which wins over the built-in list. */
  readonly services?: string;
  /** Reads the name-space catalog, in its order; `null`, and where it is absent: the default one. */
  readonly nameSpaces?: () => readonly NameSpaceEntry[] | null | Promise<readonly NameSpaceEntry[] | null>;
  /** Finds the module of an installed name-space provider; it is imported when absent. */
  readonly loadNameSpace?: (path: string) => Promise<NameSpaceModule>;
  /** ms after which an installed provider that does not answer has failed; 30,000 when absent. */
  readonly nameSpaceLimit?: number;
}

/** A request that pends. */
export interface PendingName {
  /** GetAddrInfoExCancel: it ends early, and says so; absent for what only WSACancelAsyncRequest may end. */
  readonly cancel?: () => void;
  /** Ends it and tells nobody: the last WSACleanup, WSACancelAsyncRequest. */
  abandon(): void;
}

const NAME_SPACE_LIMIT = 30_000;
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
  /** Who wants to know that a request of WSAAsyncGetXByY is done with its buffer: the blocking face, which carries it to its thread. */
  readonly watchers = new WeakMap<Uint8Array, () => void>();
  #lastHandle = FIRST_HANDLE;

  /** @param profile Windows Mobile has the provider of DNS alone (nspm.dll) */
  constructor(options: NameOptions, profile: BehaviorProfile, scheduler: Scheduler) {
    this.names = options.names ?? NO_NAMES;
    this.services = new ServiceTable(options.services);
    this.spaces = new NameSpaces({
      read: options.nameSpaces ?? (() => null),
      defaults: profile === 'windows-mobile' ? DEFAULT_NAME_SPACES.slice(0, 1) : DEFAULT_NAME_SPACES,
      builtIn: (id) => this.#builtIn(id),
      load: options.loadNameSpace ?? loadNameSpaceModule,
      ...this.#elsewhere(),
      scheduler,
      limit: options.nameSpaceLimit ?? NAME_SPACE_LIMIT,
    });
  }

  /** Providers in other processes, and those of this one for them, where the host sees to it. */
  #elsewhere(): Pick<NameSpacesOptions, 'elsewhere' | 'announce' | 'withdraw'> {
    const port = this.names.spaces;
    if (port === undefined) return {};
    const announced = new AnnouncedSpaces(port, (providerId) => this.spaces.beginSession(providerId));
    return {
      elsewhere: (providerId) => remoteSpace(port, providerId),
      announce: (providerId) => announced.announce(providerId),
      withdraw: (providerId) => announced.withdraw(providerId),
    };
  }

  #builtIn(providerId: string): NSPStartup | null {
    switch (providerId) {
      case TCPIP_NAME_SPACE_ID:
        return createTcpipNameSpace(this.names, this.services);
      case NLA_NAME_SPACE_ID:
        return createNetworkNameSpace(this.names);
      case LOCAL_NAME_SPACE_ID:
        return createLocalNameSpace();
      default:
        return null;
    }
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
