/**
 * The name-space catalog as a running process sees it, and the providers that it starts from it: each at the first call that needs
 * it, kept until the last WSACleanup (NSP-RULE-08).
 */

import {
  NS_ALL,
  parseGuid,
  WSA_NOT_ENOUGH_MEMORY,
  WSAEINVAL,
  WSAEPROVIDERFAILEDINIT,
  type WSANAMESPACE_INFOEX,
  WSANO_RECOVERY,
} from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import type { NameSpaceEntry } from '../port/index.ts';
import type { NSPStartup } from './name-space.ts';
import { ProviderGuard } from './name-space-guard.ts';
import { startVersion1 } from './name-space-v1-calls.ts';
import type { NSPV2_ROUTINE } from './name-space-v2.ts';
import { readVersion2, startVersion2 } from './name-space-v2-calls.ts';
import type { StartedNameSpace } from './started-name-space.ts';

/** What the module of an installed provider exports. */
export interface NameSpaceModule {
  /** Of a provider of version 1. */
  readonly NSPStartup?: NSPStartup;
  /** Of one of version 2 that runs in the processes of its clients. */
  readonly NSPv2Routine?: NSPV2_ROUTINE;
}

/** What the catalog of a process is made of. */
export interface NameSpacesOptions {
  /** The list as it is kept, in the order of asking; `null`, and what rejects: it can't be read, and the default one is used. */
  readonly read: () => readonly NameSpaceEntry[] | null | Promise<readonly NameSpaceEntry[] | null>;
  readonly defaults: readonly NameSpaceEntry[];
  /** The provider of an entry without a path. */
  readonly builtIn: (providerId: string) => NSPStartup | null;
  /** Imports the module of an installed provider. Its exports are checked here. */
  readonly load: (path: string) => Promise<NameSpaceModule>;
  /** The table of a provider that may have announced itself in another process; `null` where none can. */
  readonly elsewhere?: (providerId: string) => NSPV2_ROUTINE | null;
  /** Tells other processes of a provider of this one. @returns 0 or minus a WSA code */
  readonly announce?: (providerId: string) => Promise<number>;
  readonly withdraw?: (providerId: string) => void;
  /** Of the time limit. */
  readonly scheduler: Scheduler;
  /** After so many ms without an answer of an installed provider its part of a call has failed. */
  readonly limit: number;
}

/** Most providers that announce themselves in a process. */
const ADVERTISED_MAX = 256;

export class NameSpaces {
  readonly #options: NameSpacesOptions;
  #entries: Promise<readonly NameSpaceEntry[]> | null = null;
  readonly #started = new Map<string, Promise<StartedNameSpace | number>>();
  readonly #advertised = new Map<string, NSPV2_ROUTINE>();
  /** They outlive a cleanup: a provider that hangs still does. */
  readonly #guards = new Map<string, ProviderGuard>();

  constructor(options: NameSpacesOptions) {
    this.#options = options;
  }

  /** The entries as they are kept now, inactive ones too, in catalog order. */
  async list(): Promise<readonly NameSpaceEntry[]> {
    const { read, defaults } = this.#options;
    try {
      return (await read()) ?? defaults;
    } catch {
      return defaults;
    }
  }

  /**
   * The active entries that a question goes to (NSP-RULE-01, NSP-RULE-07), as they were at the first question.
   * @param providerId limits to one provider, and `dwNameSpace` says nothing then
   */
  async matching(dwNameSpace: number, providerId: string | null): Promise<NameSpaceEntry[]> {
    this.#entries ??= this.list();
    const entries = await this.#entries;
    return entries.filter(
      (each) =>
        each.isActive &&
        (providerId === null
          ? dwNameSpace === NS_ALL || each.dwNameSpace === dwNameSpace
          : isSame(each.providerId, providerId)),
    );
  }

  /** The provider of an entry; started now when it was not. @returns minus a WSA code when it cannot be */
  start(entry: NameSpaceEntry): Promise<StartedNameSpace | number> {
    const key = keyOf(entry.providerId);
    const running = this.#started.get(key);
    if (running !== undefined) return running;
    const starting = this.#start(entry, key);
    this.#started.set(key, starting);
    // What failed is tried again by the next who asks.
    const forget = (provider: StartedNameSpace | number): void => {
      if (typeof provider === 'number' && this.#started.get(key) === starting) this.#started.delete(key);
    };
    void starting.then(forget);
    return starting;
  }

  /**
   * A provider of version 2 announces itself to this process (NSP2-Advertise).
   * @returns 0; WSAEINVAL for a table that is none and an id that the catalog does not have as one of version 2; WSANO_RECOVERY when it
   * has been announced already
   */
  async advertise(providerId: string, table: NSPV2_ROUTINE): Promise<number> {
    const routines = isTable(table) ? readVersion2(table) : -WSAEINVAL;
    if (parseGuid(providerId) === null || typeof routines === 'number') return -WSAEINVAL;
    const key = keyOf(providerId);
    const isKnown = (await this.list()).some((each) => each.isV2 && isSame(each.providerId, providerId));
    if (!isKnown) return -WSAEINVAL;
    if (this.#advertised.has(key)) return -WSANO_RECOVERY;
    if (this.#advertised.size >= ADVERTISED_MAX) return -WSA_NOT_ENOUGH_MEMORY;
    this.#advertised.set(key, routines);
    const answer = (await this.#options.announce?.(key)) ?? 0;
    if (answer < 0) this.#advertised.delete(key);
    return answer;
  }

  /** A session of another process's with a provider of this one. */
  async beginSession(providerId: string): Promise<StartedNameSpace | number> {
    const key = keyOf(providerId);
    const routines = this.#advertised.get(key);
    const entry = (await this.list()).find((each) => isSame(each.providerId, key));
    if (routines === undefined || entry === undefined) return -WSAEPROVIDERFAILEDINIT;
    return startVersion2(entry, routines, this.#guardOf(entry, key));
  }

  /** It takes itself back: sessions with it are over. @returns WSAEINVAL when it was not announced */
  unadvertise(providerId: string): number {
    const key = keyOf(providerId);
    if (!this.#advertised.delete(key)) return -WSAEINVAL;
    this.#options.withdraw?.(key);
    const running = this.#started.get(key);
    this.#started.delete(key);
    void running?.then((provider) => (typeof provider === 'number' ? undefined : provider.cleanup(true)));
    return 0;
  }

  /** Undoes every start, and forgets the catalog: the last WSACleanup of the process. */
  cleanup(): void {
    const providers = [...this.#started.values()];
    this.#started.clear();
    for (const key of this.#advertised.keys()) this.#options.withdraw?.(key);
    this.#advertised.clear();
    this.#entries = null;
    for (const guard of this.#guards.values()) guard.giveUp();
    for (const starting of providers) {
      void starting.then((provider) => (typeof provider === 'number' ? undefined : provider.cleanup(false)));
    }
  }

  async #start(entry: NameSpaceEntry, key: string): Promise<StartedNameSpace | number> {
    const guard = this.#guardOf(entry, key);
    const advertised = this.#advertised.get(key);
    if (advertised !== undefined) return startVersion2(entry, advertised, guard);
    const elsewhere = entry.path === '' && entry.isV2 ? (this.#options.elsewhere?.(key) ?? null) : null;
    if (elsewhere !== null) return startVersion2(entry, elsewhere, guard);
    if (entry.path === '') {
      const startup = this.#options.builtIn(key);
      return startup === null ? -WSAEPROVIDERFAILEDINIT : startVersion1(entry, startup, guard);
    }
    const { load } = this.#options;
    const exported: { NSPStartup?: unknown; NSPv2Routine?: unknown } = {};
    const loaded = await guard.call(async () => {
      const { NSPStartup, NSPv2Routine } = await load(entry.path);
      Object.assign(exported, { NSPStartup, NSPv2Routine });
      return 0;
    });
    if (loaded < 0) return -WSAEPROVIDERFAILEDINIT;
    const { NSPStartup, NSPv2Routine } = exported;
    if (!entry.isV2) {
      return isStartup(NSPStartup) ? startVersion1(entry, NSPStartup, guard) : -WSAEPROVIDERFAILEDINIT;
    }
    const routines = isTable(NSPv2Routine) ? readVersion2(NSPv2Routine) : -WSAEPROVIDERFAILEDINIT;
    return typeof routines === 'number' ? routines : startVersion2(entry, routines, guard);
  }

  #guardOf({ path }: NameSpaceEntry, key: string): ProviderGuard {
    const { scheduler, limit } = this.#options;
    const known = this.#guards.get(key);
    if (known !== undefined) return known;
    const isOwn = path === '' && this.#options.builtIn(key) !== null;
    const guard = new ProviderGuard(scheduler, isOwn ? null : limit);
    this.#guards.set(key, guard);
    return guard;
  }
}

/** An entry as WSAEnumNameSpaceProvidersEx tells it. */
export function nameSpaceInfo(entry: NameSpaceEntry): WSANAMESPACE_INFOEX {
  return {
    NSProviderId: entry.providerId,
    dwNameSpace: entry.dwNameSpace,
    fActive: entry.isActive,
    dwVersion: entry.version,
    lpszIdentifier: entry.identifier,
    ProviderSpecific: entry.blob?.slice() ?? null,
  };
}

function isStartup(value: unknown): value is NSPStartup {
  return typeof value === 'function';
}

/** What it has in it is looked at by `readVersion2`. */
function isTable(value: unknown): value is NSPV2_ROUTINE {
  return typeof value === 'object' && value !== null;
}

/** A GUID in the form in which ids are compared. */
function keyOf(providerId: string): string {
  return providerId.toUpperCase().replace(/^\{|\}$/g, '');
}

function isSame(one: string, other: string): boolean {
  return keyOf(one) === keyOf(other);
}
