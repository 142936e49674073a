/**
 * The rule of selection, read a second time and written without a look at the first: which entry serves a socket of an application, or
 * which error it is (SEM-SOCK-01 … 22, CAT-LSPCAT-01 … 04). And what chance makes to compare the two with.
 */

import fc from 'fast-check';
import {
  FROM_PROTOCOL_INFO,
  LSP_FIREWALL,
  LSP_PROXY,
  LSP_SYSTEM,
  PFL_HIDDEN,
  PFL_MATCHES_PROTOCOL_ZERO,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import type { CatalogSnapshot } from '../../src/port/index.ts';
import { DEFAULT_CATALOG } from '../../src/spi/index.ts';

const BITS = { system: LSP_SYSTEM, firewall: LSP_FIREWALL, proxy: LSP_PROXY } as const;
type Category = keyof typeof BITS;

/** What an application says of layers; `null`: nothing. */
export interface Wishes {
  readonly categories: ReadonlySet<Category> | null;
  readonly providers: ReadonlySet<string> | null;
}

/** A catalog as chance has made it. */
export interface RandomCatalog {
  readonly entries: readonly WSAPROTOCOL_INFO[];
  /** Of layers, by their GUID; one that is missing has none. */
  readonly categories: ReadonlyMap<string, ReadonlySet<Category>>;
}

export interface RandomQuery {
  readonly af: number;
  readonly type: number;
  readonly protocol: number;
  /** lpProtocolInfo. */
  readonly info: WSAPROTOCOL_INFO | null;
}

/** What was selected, or minus the error. */
export type Verdict = { readonly id: number; readonly triple: readonly [number, number, number] } | number;

export function verdict({ entries, categories }: RandomCatalog, wishes: Wishes, query: RandomQuery): Verdict {
  const layerNamed = (id: number | undefined, depth = 0): string | null => {
    const member = entries.find(({ dwCatalogEntryId }) => dwCatalogEntryId === id);
    if (member === undefined) return 'nobody';
    if (member.ChainLen === 1) return null;
    return member.ChainLen === 0 || depth > 0 ? member.ProviderId : layerNamed(member.ChainEntries[0], 1);
  };
  const isLoaded = (guid: string): boolean => {
    if (wishes.providers !== null && !wishes.providers.has(guid)) return false;
    if (wishes.categories === null) return true;
    const own = [...(categories.get(guid) ?? [])];
    if (own.length === 0) return false;
    if (wishes.categories.has('system') && !own.includes('system')) return false;
    return own.every((category) => wishes.categories?.has(category));
  };
  const isUsable = (entry: WSAPROTOCOL_INFO): boolean =>
    entry.ChainLen < 2 ||
    entry.ChainEntries.map((id) => layerNamed(id)).every((guid) => guid === null || isLoaded(guid));
  const usable = entries.filter(isUsable);

  const { info } = query;
  if (info === null) return matching(usable, query.af, query.type, query.protocol);
  const meant = (value: number, member: number): number =>
    [0, FROM_PROTOCOL_INFO].includes(value) ? (member === FROM_PROTOCOL_INFO ? 0 : member) : value;
  const triple = [
    meant(query.af, info.iAddressFamily),
    meant(query.type, info.iSocketType),
    meant(query.protocol, info.iProtocol),
  ] as const;
  if (triple.every((value) => value === 0)) return -10047;
  const named = entries.find(({ dwCatalogEntryId }) => dwCatalogEntryId === info.dwCatalogEntryId);
  if (named === undefined) return -10105;
  if (isUsable(named)) return { id: named.dwCatalogEntryId, triple };
  return matching(usable, ...triple);
}

/** Errors by what the catalog as a whole has. */
function matching(entries: readonly WSAPROTOCOL_INFO[], af: number, type: number, protocol: number): Verdict {
  if (af === 0 && protocol === 0) return -10022;
  const found = entries.find((each) => {
    const isFamily = [0, each.iAddressFamily].includes(af);
    const isType = [0, each.iSocketType].includes(type);
    const last = each.iProtocol + each.iProtocolMaxOffset;
    const isProtocol =
      protocol === 0
        ? (each.dwProviderFlags & PFL_MATCHES_PROTOCOL_ZERO) > 0
        : each.iProtocol <= protocol && protocol <= last;
    return each.ChainLen > 0 && isFamily && isType && isProtocol;
  });
  if (found !== undefined) return { id: found.dwCatalogEntryId, triple: [af, type, protocol] };
  const families = new Set(entries.map((each) => each.iAddressFamily));
  const isKnownFamily = af === 0 || families.has(af);
  const ofFamily = af !== 0 && isKnownFamily ? entries.filter((each) => each.iAddressFamily === af) : entries;
  const isKnownType = type === 0 || ofFamily.some((each) => each.iSocketType === type);
  if (!isKnownType && (protocol !== 0 || isKnownFamily)) return -10044;
  return isKnownFamily ? -10043 : -10047;
}

/** The same catalog and wishes as the catalog's own structure. */
export function snapshotOf(
  { entries, categories }: RandomCatalog,
  wishes: Wishes,
  path: string,
): CatalogSnapshot {
  const bits = (set: ReadonlySet<Category>): number =>
    [...set].reduce((sum, category) => sum | BITS[category], 0) >>> 0;
  return {
    serial: 1,
    entries: entries.map((info) => ({ info, path: '' })),
    nameSpaces: [],
    lspCategories: Object.fromEntries([...categories].map(([guid, set]) => [guid, bits(set)])),
    applications: [
      {
        path,
        extra: '',
        permittedLspCategories: wishes.categories === null ? null : bits(wishes.categories),
        permittedProviders: wishes.providers === null ? null : [...wishes.providers],
      },
    ],
    qosTemplates: [],
    skipped: [],
  };
}

const LAYERS = ['A', 'B', 'C'].map((letter) => `${letter}0000000-0000-0000-0000-000000000000`);
const [TCP] = DEFAULT_CATALOG as [WSAPROTOCOL_INFO];
const MOST_ENTRIES = 10;

const someCategories = fc
  .subarray(Object.keys(BITS) as Category[])
  .map((names): ReadonlySet<Category> => new Set(names));

/** Small numbers, so that chance finds matches; ids from 1, also some that nobody has. */
const anyEntry = fc
  .record({
    iAddressFamily: fc.integer({ min: 1, max: 3 }),
    iSocketType: fc.integer({ min: 1, max: 3 }),
    iProtocol: fc.integer({ min: 0, max: 4 }),
    iProtocolMaxOffset: fc.constantFrom(0, 0, 0, 2, 255),
    kind: fc.constantFrom('base', 'base', 'layer', 'chain', 'chain', 'chain'),
    layer: fc.constantFrom(...LAYERS),
    chain: fc.array(fc.integer({ min: 1, max: MOST_ENTRIES + 1 }), { minLength: 2, maxLength: 7 }),
    flags: fc.constantFrom(0, PFL_HIDDEN, PFL_MATCHES_PROTOCOL_ZERO, PFL_HIDDEN | PFL_MATCHES_PROTOCOL_ZERO),
  })
  .map(({ kind, layer, chain, flags, ...members }) => ({
    ...TCP,
    ...members,
    dwProviderFlags: flags,
    ProviderId: kind === 'layer' ? layer : TCP.ProviderId,
    ChainLen: kind === 'chain' ? chain.length : kind === 'layer' ? 0 : 1,
    ChainEntries: kind === 'chain' ? chain : [],
  }));

export const randomCatalogs: fc.Arbitrary<RandomCatalog> = fc.record({
  entries: fc
    .array(anyEntry, { maxLength: MOST_ENTRIES })
    .map((entries) => entries.map((each, i) => ({ ...each, dwCatalogEntryId: i + 1 })))
    .chain((entries) => fc.shuffledSubarray(entries, { minLength: entries.length })),
  categories: fc
    .tuple(...LAYERS.map(() => fc.option(someCategories)))
    .map((sets) => new Map(LAYERS.flatMap((guid, i) => (sets[i] == null ? [] : [[guid, sets[i]] as const])))),
});

export const randomWishes: fc.Arbitrary<Wishes> = fc.record({
  categories: fc.option(someCategories),
  providers: fc.option(
    fc.subarray([...LAYERS]).map((guids) => new Set(guids)),
    { freq: 2 },
  ),
});

const argument = fc.integer({ min: FROM_PROTOCOL_INFO, max: 6 });

export const randomQueries: fc.Arbitrary<readonly RandomQuery[]> = fc.array(
  fc.record({
    af: argument,
    type: argument,
    protocol: argument,
    info: fc.option(
      fc
        .record({
          iAddressFamily: fc.integer({ min: FROM_PROTOCOL_INFO, max: 3 }),
          iSocketType: fc.integer({ min: FROM_PROTOCOL_INFO, max: 3 }),
          iProtocol: fc.integer({ min: FROM_PROTOCOL_INFO, max: 3 }),
          dwCatalogEntryId: fc.integer({ min: 1, max: MOST_ENTRIES + 1 }),
        })
        .map((members): WSAPROTOCOL_INFO => ({ ...TCP, ...members })),
    ),
  }),
  { minLength: 20, maxLength: 40 },
);
