/**
 * A catalog as a value: what a change starts from and ends in. Nothing here is ever written to; a change makes a new one.
 */

import type {
  ApplicationEntry,
  BehaviorProfile,
  CatalogChange,
  CatalogEntry,
  CatalogSnapshot,
  NameSpaceEntry,
  QosTemplate,
  SkippedPart,
} from '../port/index.ts';

export interface CatalogState {
  /** The id of the next entry: above every id that was ever given out (CAT-CHAIN-09; CAT-RULE-04: Next_Catalog_Entry_ID). */
  readonly nextId: number;
  readonly entries: readonly CatalogEntry[];
  readonly nameSpaces: readonly NameSpaceEntry[];
  readonly lspCategories: Readonly<Record<string, number>>;
  readonly applications: readonly ApplicationEntry[];
  readonly qosTemplates: readonly QosTemplate[];
}

/** What is built in: the catalog of a fresh installation. Its base providers can neither be removed nor changed. */
export interface CatalogDefaults {
  /** Whose catalog it is. */
  readonly profile: BehaviorProfile;
  readonly entries: readonly CatalogEntry[];
  readonly nameSpaces: readonly NameSpaceEntry[];
}

/** What changes need besides the state. */
export interface ChangeContext {
  readonly defaults: CatalogDefaults;
  /** A GUID that nobody has, upper case without braces: each chain has its own (CAT-CHAIN-07). */
  newGuid(): string;
  /** The catalog at an earlier serial; `null` when it is not kept any more. */
  earlier(serial: number): CatalogState | null;
}

/** A change that was made. */
export interface ChangeOutcome {
  readonly state: CatalogState;
  readonly ids: readonly number[];
  readonly previous: number;
}

/** A change by its kind. */
export type ChangeOf<Kind extends CatalogChange['kind']> = Extract<CatalogChange, { kind: Kind }>;

/** Bounds of a catalog, so that neither a file nor a snapshot grows without end. */
export const MAX_ENTRIES = 512;
export const MAX_NAME_SPACES = 64;
export const MAX_APPLICATIONS = 256;
export const MAX_TEMPLATES = 64;
/** Bytes of a name space's blob, of a template's name and of its own data. */
export const MAX_BLOB = 4096;
/** Characters of an application's path and command line. */
export const MAX_COMMAND = 4096;
/** Largest catalog id and largest member of a catalog entry that is an `int`. */
export const INT_MAX = 0x7fff_ffff;
export const DWORD_MAX = 0xffff_ffff;

/** The catalog of a fresh installation. */
export function freshState(defaults: CatalogDefaults): CatalogState {
  const { entries, nameSpaces } = defaults;
  return {
    nextId: 1 + Math.max(0, ...entries.map(({ info }) => info.dwCatalogEntryId)),
    entries,
    nameSpaces,
    lspCategories: {},
    applications: [],
    qosTemplates: [],
  };
}

export function snapshotOf(
  state: CatalogState,
  serial: number,
  skipped: readonly SkippedPart[],
): CatalogSnapshot {
  const { nextId: _, ...parts } = state;
  return { serial, ...parts, skipped };
}

/** The outcome of a change that gave nothing out. */
export function changed(state: CatalogState): ChangeOutcome {
  return { state, ids: [], previous: 0 };
}

/** Whether a provider is one of those that are built in. */
export function isBuiltIn(defaults: CatalogDefaults, providerId: string): boolean {
  return defaults.entries.some(({ info }) => info.ProviderId === providerId);
}
