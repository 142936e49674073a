/**
 * What is built in, as a catalog keeps it: the entries and name spaces of a fresh installation.
 */

import type { BehaviorProfile, CatalogEntry, NameSpaceEntry } from '../port/index.ts';
import { DEFAULT_CATALOG } from './default-catalog.ts';
import { DEFAULT_NAME_SPACES } from './name-space-ids.ts';

/** @param profile Windows Mobile has the name space of DNS alone (nspm.dll) */
export function catalogDefaults(profile: BehaviorProfile): {
  readonly entries: readonly CatalogEntry[];
  readonly nameSpaces: readonly NameSpaceEntry[];
} {
  return {
    entries: DEFAULT_CATALOG.map((info) => ({ info, path: '' })),
    nameSpaces: profile === 'windows-mobile' ? DEFAULT_NAME_SPACES.slice(0, 1) : DEFAULT_NAME_SPACES,
  };
}
