/**
 * What is built in, as a catalog keeps it: the entries and name spaces of a fresh installation, by profile; and a catalog seen by a process
 * of another profile than its own.
 */

import type { WSAPROTOCOL_INFO } from '../abi/index.ts';
import {
  type BehaviorProfile,
  type CatalogEntry,
  type CatalogPort,
  type CatalogSnapshot,
  type NameSpaceEntry,
  NO_CATALOG,
} from '../port/index.ts';
import { DEFAULT_CATALOG, isBaseProvider } from './default-catalog.ts';
import { MOBILE_CATALOG } from './mobile-catalog.ts';
import { DEFAULT_NAME_SPACES } from './name-space-ids.ts';

/** The base provider's entries (CAT-TCP4 … CAT-RAW6, CAT-WM). */
export function baseEntries(profile: BehaviorProfile): readonly WSAPROTOCOL_INFO[] {
  return profile === 'windows-mobile' ? MOBILE_CATALOG : DEFAULT_CATALOG;
}

/** @param profile Windows Mobile has the name space of DNS alone (nspm.dll) */
export function catalogDefaults(profile: BehaviorProfile): {
  readonly profile: BehaviorProfile;
  readonly entries: readonly CatalogEntry[];
  readonly nameSpaces: readonly NameSpaceEntry[];
} {
  return {
    profile,
    entries: baseEntries(profile).map((info) => ({ info, path: '' })),
    nameSpaces: profile === 'windows-mobile' ? DEFAULT_NAME_SPACES.slice(0, 1) : DEFAULT_NAME_SPACES,
  };
}

/**
 * A catalog as a process of some profile sees it, which may be another one than that of its host: the base provider's entries are named as
 * the profile names them, with the ids and places that they have; those that the profile has not are left out.
 */
export function catalogIn(port: CatalogPort, profile: BehaviorProfile): CatalogPort {
  if (port === NO_CATALOG) return port;
  const named = (snapshot: CatalogSnapshot | null): CatalogSnapshot | null =>
    snapshot === null ? null : { ...snapshot, entries: entriesIn(snapshot.entries, profile) };
  return {
    read() {
      const read = port.read();
      return read instanceof Promise ? read.then(named) : named(read);
    },
    apply: (change) => port.apply(change),
    watch: (tell) => port.watch(tell),
    history: () => port.history(),
    close: () => port.close(),
  };
}

function entriesIn(entries: readonly CatalogEntry[], profile: BehaviorProfile): readonly CatalogEntry[] {
  const base = baseEntries(profile);
  return entries.flatMap((entry) => {
    const { info, path } = entry;
    if (!isBaseProvider(info.ProviderId)) return entry;
    const own = base.find(
      (each) => each.iAddressFamily === info.iAddressFamily && each.iSocketType === info.iSocketType,
    );
    return own === undefined ? [] : { info: { ...own, dwCatalogEntryId: info.dwCatalogEntryId }, path };
  });
}
