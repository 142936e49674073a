/**
 * A catalog, opened: in a folder, or in memory.
 */

import { randomUUID } from 'node:crypto';
import { CatalogKeeper } from '../keeper.ts';
import { MemoryJournal } from '../memory-journal.ts';
import type { CatalogDefaults } from '../state.ts';
import { DiskJournal } from './disk-journal.ts';
import { nodeFileCalls } from './file-calls.ts';

export interface OpenCatalogOptions {
  /** Where it is kept; `null`: in memory, for as long as it is open. */
  readonly directory: string | null;
  readonly defaults: CatalogDefaults;
  /** Users, besides root and the process's own, whose files are believed. */
  readonly owners?: readonly number[];
}

/** Nothing is written before the first change. */
export function openCatalog({ directory, defaults, owners = [] }: OpenCatalogOptions): CatalogKeeper {
  const journal =
    directory === null
      ? new MemoryJournal(defaults)
      : new DiskJournal({ directory, defaults, newMark: randomUUID, files: nodeFileCalls(owners) });
  return new CatalogKeeper({
    journal,
    defaults,
    newGuid: () => randomUUID().toUpperCase(),
    now: () => Date.now(),
  });
}
