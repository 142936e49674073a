/**
 * The name-space catalog as a running process sees it, and the providers that it starts from it: each at the first call that needs
 * it, kept for the process (NSP-RULE-08).
 */

import {
  NS_ALL,
  NS_DNS,
  NS_NLA,
  NS_TCPIP_LOCAL,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEPROVIDERFAILEDINIT,
  type WSANAMESPACE_INFOEX,
} from '../abi/index.ts';
import { NSP_ENTRIES, type NSP_ROUTINE, NSP_ROUTINE_LEN, type NSPStartup } from './name-space.ts';

/** The provider of DNS names, as Windows calls it. */
export const TCPIP_NAME_SPACE_ID = '22059D40-7E9E-11CF-AE5A-00AA00A7112B';
/** The provider of networks. */
export const NLA_NAME_SPACE_ID = '6642243A-3BA8-4AA6-BAA5-2E0BD71FDD83';
/** The provider of what this process has registered itself; this project's own. */
export const LOCAL_NAME_SPACE_ID = '0C7B4E5D-5D53-4C5C-9E0B-6A2B9D3F1C10';

const entry = (NSProviderId: string, dwNameSpace: number, lpszIdentifier: string): WSANAMESPACE_INFOEX => ({
  NSProviderId,
  dwNameSpace,
  fActive: true,
  dwVersion: 0,
  lpszIdentifier,
  ProviderSpecific: null,
});

/** What a fresh installation has (CAT-RULE-03), as far as there is something behind it here. */
export const DEFAULT_NAME_SPACES: readonly WSANAMESPACE_INFOEX[] = [
  entry(TCPIP_NAME_SPACE_ID, NS_DNS, 'Tcpip'),
  entry(NLA_NAME_SPACE_ID, NS_NLA, 'Network Location Awareness Legacy (NLAv1) Namespace'),
  entry(LOCAL_NAME_SPACE_ID, NS_TCPIP_LOCAL, 'winsockd local services'),
];

/** A name-space provider that was started. */
export interface StartedNameSpace {
  readonly entry: WSANAMESPACE_INFOEX;
  readonly routines: NSP_ROUTINE;
}

/** Finds the export of a provider by its id; `null` when it cannot be loaded. */
export type LoadNameSpace = (providerId: string) => NSPStartup | null;

export class NameSpaces {
  /** Every entry in catalog order, inactive ones too. */
  readonly entries: readonly WSANAMESPACE_INFOEX[];
  readonly #load: LoadNameSpace;
  readonly #started = new Map<string, StartedNameSpace>();

  constructor(entries: readonly WSANAMESPACE_INFOEX[], load: LoadNameSpace) {
    this.entries = entries;
    this.#load = load;
  }

  /**
   * The active entries that a question goes to (NSP-RULE-01, NSP-RULE-07).
   * @param providerId limits to one provider, and `dwNameSpace` says nothing then
   */
  matching(dwNameSpace: number, providerId: string | null): WSANAMESPACE_INFOEX[] {
    return this.entries.filter(
      (each) =>
        each.fActive &&
        (providerId === null
          ? dwNameSpace === NS_ALL || each.dwNameSpace === dwNameSpace
          : each.NSProviderId === providerId.toUpperCase()),
    );
  }

  /** The provider of an entry; started now when it was not. @returns minus a WSA code when it cannot be */
  start(entry: WSANAMESPACE_INFOEX): StartedNameSpace | number {
    const { NSProviderId } = entry;
    const running = this.#started.get(NSProviderId);
    if (running !== undefined) return running;
    const startup = this.#load(NSProviderId);
    const routines: Partial<NSP_ROUTINE> = { cbSize: NSP_ROUTINE_LEN };
    const answer = startup === null ? -WSAEPROVIDERFAILEDINIT : startsWith(startup, NSProviderId, routines);
    if (answer < 0) return answer;
    if (!isComplete(routines)) return -WSAEINVALIDPROCTABLE;
    if (routines.dwMajorVersion !== 1) return -WSAEINVALIDPROVIDER;
    const provider: StartedNameSpace = { entry, routines };
    this.#started.set(NSProviderId, provider);
    return provider;
  }

  /** Undoes every start: the last WSACleanup of the process. */
  cleanup(): void {
    const providers = [...this.#started.values()];
    this.#started.clear();
    for (const { entry, routines } of providers) void cleanedUp(entry.NSProviderId, routines);
  }
}

/** What a provider makes of its end is its own affair. */
async function cleanedUp(providerId: string, routines: NSP_ROUTINE): Promise<void> {
  try {
    await routines.NSPCleanup(providerId);
  } catch {
    // It is gone all the same.
  }
}

/** A provider that throws has failed to start, as one that answers an error. */
function startsWith(startup: NSPStartup, providerId: string, routines: Partial<NSP_ROUTINE>): number {
  try {
    return startup(providerId, routines);
  } catch {
    return -WSAEPROVIDERFAILEDINIT;
  }
}

function isComplete(routines: Partial<NSP_ROUTINE>): routines is NSP_ROUTINE {
  return NSP_ENTRIES.every((name) => typeof routines[name] === 'function');
}
