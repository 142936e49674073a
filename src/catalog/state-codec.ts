/**
 * A whole catalog as a JSON value, and back. What is broken in one is left out and named; the rest is used, and the built-in base
 * providers are always there.
 */

import { BASE_PROTOCOL, MAX_PROTOCOL_CHAIN } from '../abi/index.ts';
import type { CatalogEntry, CatalogSnapshot, NameSpaceEntry, SkippedPart } from '../port/index.ts';
import { CheckedReader } from './checked.ts';
import { printable } from './describe.ts';
import { entryById, guidText } from './entry-rules.ts';
import {
  type Json,
  readApplication,
  readEntry,
  readNameSpace,
  readTemplate,
  writeApplication,
  writeEntry,
  writeNameSpace,
  writeTemplate,
} from './part-codec.ts';
import {
  type CatalogDefaults,
  type CatalogState,
  DWORD_MAX,
  INT_MAX,
  isBuiltIn,
  MAX_APPLICATIONS,
  MAX_ENTRIES,
  MAX_NAME_SPACES,
  MAX_TEMPLATES,
} from './state.ts';

/** Lines about what was left out: one broken file is not to fill a log. */
const MAX_SKIPPED = 64;

type Parts = Omit<CatalogState, 'nextId'>;

/** The members of a catalog. */
export function writeParts(parts: Parts): { readonly [member: string]: Json } {
  return {
    entries: parts.entries.map(writeEntry),
    nameSpaces: parts.nameSpaces.map(writeNameSpace),
    lspCategories: { ...parts.lspCategories },
    applications: parts.applications.map(writeApplication),
    qosTemplates: parts.qosTemplates.map(writeTemplate),
  };
}

export function writeSnapshot(snapshot: CatalogSnapshot): Json {
  const skipped = snapshot.skipped.map(({ what, why }) => ({ what, why }));
  return { serial: snapshot.serial, ...writeParts(snapshot), skipped };
}

/** @returns `null` when the value is no catalog at all */
export function readSnapshot(value: unknown): CatalogSnapshot | null {
  const reader = new CheckedReader();
  const object = reader.object(value, 'catalog');
  const serial = reader.int(object['serial'], 'serial', 0, Number.MAX_SAFE_INTEGER);
  const listed = reader.list(object['skipped'], 'skipped', MAX_SKIPPED).map((part) => {
    const { what, why } = reader.object(part, 'skipped');
    return { what: printable(`${what}`, 200), why: printable(`${why}`, 400) };
  });
  if (reader.problem !== null) return null;
  const skipped = [...listed];
  return { serial, ...readParts(object, skipped), skipped };
}

/**
 * The catalog in a stored state. Entries with an id or place that another has, and built-in ones that are wrong, are left out; those
 * that are missing are put in.
 */
export function readState(
  object: Readonly<Record<string, unknown>>,
  defaults: CatalogDefaults,
  skipped: SkippedPart[],
): CatalogState {
  const parts = readParts(object, skipped);
  const named = underOwnNames(parts.entries, defaults, skipped);
  const entries = withBase(withoutDoubles(named, defaults, skipped), defaults, skipped);
  const nameSpaces = usableSpaces(parts.nameSpaces, defaults, skipped);
  const highest = Math.max(0, ...entries.map(({ info }) => info.dwCatalogEntryId));
  const stated = object['nextId'];
  const isUsable = Number.isInteger(stated) && (stated as number) > highest && (stated as number) <= INT_MAX;
  return { ...parts, entries, nameSpaces, nextId: isUsable ? (stated as number) : highest + 1 };
}

function readParts(object: Readonly<Record<string, unknown>>, skipped: SkippedPart[]): Parts {
  return {
    entries: readList(object, 'entries', MAX_ENTRIES, readEntry, skipped),
    nameSpaces: readList(object, 'nameSpaces', MAX_NAME_SPACES, readNameSpace, skipped),
    lspCategories: readCategories(object['lspCategories'], skipped),
    applications: readList(object, 'applications', MAX_APPLICATIONS, readApplication, skipped),
    qosTemplates: readList(object, 'qosTemplates', MAX_TEMPLATES, readTemplate, skipped),
  };
}

function readList<Item>(
  object: Readonly<Record<string, unknown>>,
  name: string,
  most: number,
  read: (reader: CheckedReader, value: unknown, where: string) => Item,
  skipped: SkippedPart[],
): Item[] {
  const list = new CheckedReader();
  const values = list.list(object[name], name, most);
  if (list.problem !== null) skip(skipped, name, list.problem);
  return values.flatMap((value, i) => {
    const reader = new CheckedReader();
    const where = `${name}[${i}]`;
    const item = read(reader, value, where);
    if (reader.problem === null) return item;
    skip(skipped, where, reader.problem);
    return [];
  });
}

function readCategories(value: unknown, skipped: SkippedPart[]): Record<string, number> {
  const reader = new CheckedReader();
  const object = reader.object(value, 'lspCategories');
  if (reader.problem !== null) skip(skipped, 'lspCategories', reader.problem);
  const categories: Record<string, number> = {};
  for (const [name, flags] of Object.entries(object).slice(0, MAX_ENTRIES)) {
    const guid = guidText(name);
    const isFlags = Number.isInteger(flags) && (flags as number) >= 0 && (flags as number) <= DWORD_MAX;
    if (guid !== null && isFlags) categories[guid] = flags as number;
    else skip(skipped, `lspCategories.${name}`, 'it is no GUID with a DWORD of categories');
  }
  return categories;
}

/**
 * Base entries of another profile's catalog become those of this one, with the ids that they have: chains that end in them stay whole.
 */
function underOwnNames(
  entries: readonly CatalogEntry[],
  defaults: CatalogDefaults,
  skipped: SkippedPart[],
): CatalogEntry[] {
  return entries.map((entry, i) => {
    const { info, path } = entry;
    if (path !== '' || info.ChainLen !== BASE_PROTOCOL || isBuiltIn(defaults, info.ProviderId)) return entry;
    const own = defaults.entries.find(
      ({ info: base }) =>
        base.iAddressFamily === info.iAddressFamily &&
        base.iSocketType === info.iSocketType &&
        base.iProtocol === info.iProtocol,
    );
    if (own === undefined) return entry;
    skip(skipped, `entries[${i}] "${info.szProtocol}"`, `here it is "${own.info.szProtocol}"`);
    return { ...own, info: { ...own.info, dwCatalogEntryId: info.dwCatalogEntryId } };
  });
}

function withoutDoubles(
  entries: readonly CatalogEntry[],
  defaults: CatalogDefaults,
  skipped: SkippedPart[],
): CatalogEntry[] {
  const ids = new Set<number>();
  return entries.filter((entry, i) => {
    const { info, path } = entry;
    const why = ids.has(info.dwCatalogEntryId)
      ? `another entry has the id ${info.dwCatalogEntryId}`
      : info.dwCatalogEntryId === 0 || info.dwCatalogEntryId >= INT_MAX
        ? `${info.dwCatalogEntryId} is no id`
        : whyNot(info.ProviderId, entry, defaults) || (info.ChainLen > MAX_PROTOCOL_CHAIN ? 'too long' : '');
    if (why !== '') skip(skipped, `entries[${i}] "${info.szProtocol}" ${path}`, why);
    else ids.add(info.dwCatalogEntryId);
    return why === '';
  });
}

/** Built-in entries are what the program has built in; others come from a module. */
function whyNot(providerId: string, { info, path }: CatalogEntry, defaults: CatalogDefaults): string {
  if (!isBuiltIn(defaults, providerId)) return path === '' ? 'it names no module, and is not built in' : '';
  const { entries } = defaults;
  const isSame = entries.some((each) => path === each.path && sameBase(each.info, info));
  return isSame ? '' : 'it claims to be a built-in provider';
}

/** The entries with every built-in one; in the order that the file has, those that it has not at the end. */
function withBase(
  entries: readonly CatalogEntry[],
  defaults: CatalogDefaults,
  skipped: SkippedPart[],
): CatalogEntry[] {
  const whole = [...entries];
  let nextId = 1 + Math.max(0, ...[...entries, ...defaults.entries].map(({ info }) => info.dwCatalogEntryId));
  for (const base of defaults.entries) {
    if (entries.some(({ info }) => sameBase(base.info, info))) continue;
    const isFree = entryById(entries, base.info.dwCatalogEntryId) === null;
    whole.push(isFree ? base : { ...base, info: { ...base.info, dwCatalogEntryId: nextId++ } });
    skip(skipped, `"${base.info.szProtocol}"`, 'the base provider was missing, and is there again');
  }
  return whole;
}

/** Whether two entries say the same but for their ids. */
function sameBase(a: CatalogEntry['info'], b: CatalogEntry['info']): boolean {
  const id = a.dwCatalogEntryId;
  return (
    JSON.stringify(writeEntry({ info: a, path: '' })) ===
    JSON.stringify(writeEntry({ info: { ...b, dwCatalogEntryId: id }, path: '' }))
  );
}

function usableSpaces(
  spaces: readonly NameSpaceEntry[],
  defaults: CatalogDefaults,
  skipped: SkippedPart[],
): NameSpaceEntry[] {
  const seen = new Set<string>();
  return spaces.filter(({ providerId, path, identifier }, i) => {
    const isDefault = defaults.nameSpaces.some((space) => space.providerId === providerId);
    const why = seen.has(providerId)
      ? 'another name space has its GUID'
      : path === '' && !isDefault
        ? 'it names no module, and is not built in'
        : '';
    if (why !== '') skip(skipped, `nameSpaces[${i}] "${identifier}"`, why);
    else seen.add(providerId);
    return why === '';
  });
}

function skip(skipped: SkippedPart[], what: string, why: string): void {
  if (skipped.length < MAX_SKIPPED) skipped.push({ what: printable(what, 200), why: printable(why, 400) });
}
