/**
 * The catalog that a process runs with, made of a snapshot of the one that is kept.
 */

import type { ApplicationEntry, CatalogSnapshot } from '../port/index.ts';
import { Catalog } from './catalog.ts';

/** A program that uses Winsock. */
export interface Application {
  /** By which the catalog knows it: of the script that Node runs, else of the program. */
  readonly path: string;
  /** Its command line after that. */
  readonly extra: string;
  /** Its process; absent: nobody knows. */
  readonly pid?: number;
  /** All paths by which rules may name it; absent: `path` only. */
  readonly programs?: readonly string[];
}

/** The catalog as that application sees it, with the layers that it may load (CAT-LSPCAT-01 … 04). */
export function catalogOf(snapshot: CatalogSnapshot, application: Application | null = null): Catalog {
  const { entries, lspCategories, applications } = snapshot;
  const own = application === null ? undefined : entryOf(applications, application);
  return new Catalog(
    entries.map(({ info }) => info),
    new Map(entries.map(({ info, path }) => [info.ProviderId, path])),
    own === undefined
      ? null
      : {
          ofProviders: new Map(Object.entries(lspCategories)),
          permitted: own.permittedLspCategories,
          providers: own.permittedProviders,
        },
  );
}

/** An entry with the very command line comes before one with any. */
function entryOf(
  applications: readonly ApplicationEntry[],
  { path, extra }: Application,
): ApplicationEntry | undefined {
  const ofProgram = applications.filter((entry) => entry.path === path);
  return ofProgram.find((entry) => entry.extra === extra) ?? ofProgram.find((entry) => entry.extra === '');
}
