/** Catalogs, changes and registry exports that are broken in every way: nothing throws, and what comes out keeps the rules. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  applyChange,
  type CatalogState,
  CHANGE_KINDS,
  freshState,
  readAnswer,
  readChange,
  readMobileProviders,
  readRecord,
  readSnapshot,
  readState,
  snapshotOf,
  writeChange,
  writeMobileProviders,
  writeSnapshot,
} from '../../src/catalog/index.ts';
import type { CatalogChange, SkippedPart } from '../../src/port/index.ts';
import { Bench, DEFAULTS, guid, install, installChains, layer } from '../unit/catalog/support.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20260901);
const RUNS = { seed: SEED, numRuns: 400 };

/** A catalog with one of everything. */
function full(): CatalogState {
  const bench = new Bench();
  for (const change of SAMPLES) bench.apply(change);
  return bench.state;
}

const SAMPLES: readonly CatalogChange[] = [
  installChains(1, 0, 'all'),
  install(2, layer('two')),
  { kind: 'set-lsp-categories', providerId: guid(1), categories: 8 },
  { kind: 'set-application-category', path: '/app', extra: '-x', categories: 1 },
  { kind: 'permit-providers', path: '/app', extra: '', providers: [guid(1)] },
  {
    kind: 'install-name-space',
    providerId: guid(3),
    identifier: 'N',
    path: '/n.mjs',
    dwNameSpace: 12,
    version: 1,
    isV2: true,
    blob: Uint8Array.of(1),
  },
  {
    kind: 'install-qos-template',
    template: {
      providerId: guid(1),
      name: Uint8Array.of(1),
      sending: Array(8).fill(1),
      receiving: Array(8).fill(2),
      providerSpecific: null,
    },
  },
  { kind: 'remove-qos-template', providerId: guid(1), name: Uint8Array.of(9) },
  { kind: 'write-order', ids: [1001] },
  { kind: 'write-name-space-order', providerIds: [guid(3)] },
  { kind: 'enable-name-space', providerId: guid(3), isActive: false },
  { kind: 'import-mobile', text: '[HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP\\S]\n"Dll"="s.dll"' },
];

/** A JSON value with something in it replaced, removed or doubled. */
const broken = (value: unknown): fc.Arbitrary<unknown> =>
  fc
    .tuple(fc.array(fc.nat(20), { maxLength: 6 }), fc.jsonValue(), fc.constantFrom('set', 'drop', 'double'))
    .map(([path, instead, how]) => {
      const copy = JSON.parse(JSON.stringify(value)) as unknown;
      let at = copy as Record<string, unknown>;
      for (const [depth, step] of path.entries()) {
        if (typeof at !== 'object' || at === null) break;
        const keys = Object.keys(at);
        const key = keys[step % Math.max(keys.length, 1)];
        if (key === undefined) break;
        const inner = at[key];
        if (depth === path.length - 1 || typeof inner !== 'object' || inner === null) {
          if (how === 'drop') delete at[key];
          else if (how === 'double' && Array.isArray(at)) at.push(at[key]);
          else at[key] = instead;
          break;
        }
        at = inner as Record<string, unknown>;
      }
      return copy;
    });

/** What holds for every catalog, whatever it was made of. */
function expectSound(state: CatalogState): void {
  const ids = state.entries.map(({ info }) => info.dwCatalogEntryId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(state.nextId).toBeGreaterThan(Math.max(...ids));
  for (const { info, path } of DEFAULTS.entries) {
    const { dwCatalogEntryId: _, ...base } = info;
    expect(state.entries).toContainEqual(
      expect.objectContaining({ path, info: expect.objectContaining(base) }),
    );
  }
  for (const { info } of state.entries) {
    expect(info.ChainLen).toBeGreaterThanOrEqual(0);
    expect(info.ChainLen).toBeLessThanOrEqual(7);
    if (info.ChainLen > 1) expect(info.ChainEntries).toHaveLength(info.ChainLen);
  }
  const spaces = state.nameSpaces.map(({ providerId }) => providerId);
  expect(new Set(spaces).size).toBe(spaces.length);
}

describe('hostile catalogs', () => {
  test('a stored catalog with anything wrong in it is read, without what is wrong', () => {
    const stored = writeSnapshot(snapshotOf(full(), 3, []));
    fc.assert(
      fc.property(broken({ ...(stored as object), nextId: 2000 }), (value) => {
        const skipped: SkippedPart[] = [];
        const object = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
        const state = readState(object, DEFAULTS, skipped);
        expectSound(state);
        // And goes on from there.
        const next = applyChange(state, install(700, layer('next')), new Bench(state));
        expect(typeof next === 'number' ? next : next.ids).toEqual([state.nextId]);
      }),
      RUNS,
    );
  });

  test('any JSON at all is no catalog, no change, no answer and no record, and nothing throws', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        expectSound(readState((value ?? {}) as Record<string, unknown>, DEFAULTS, []));
        readSnapshot(value);
        expect(readChange(value)).toBeNull();
        expect(readAnswer(value)).toBeNull();
        expect(readRecord(value)).toBeNull();
      }),
      RUNS,
    );
  });

  test('changes come back from JSON as they were, and broken ones leave the catalog sound', () => {
    for (const change of SAMPLES) {
      expect(readChange(JSON.parse(JSON.stringify(writeChange(change))))).toEqual(change);
    }
    const state = full();
    const sample = fc.constantFrom(...SAMPLES).chain((change) => broken(writeChange(change)));
    let made = 0;
    fc.assert(
      fc.property(sample, (value) => {
        const change = readChange(value);
        if (change === null) return;
        const outcome = applyChange(state, change, new Bench(state));
        if (typeof outcome === 'number') return;
        made++;
        expectSound(outcome.state);
      }),
      RUNS,
    );
    expect(made).toBeGreaterThan(10);
  });

  test('any row of changes keeps the rules, and ids are not given out twice', () => {
    const change = fc.oneof(
      fc
        .tuple(fc.integer({ min: 1, max: 9 }), fc.boolean())
        .map(([n, isIfs]) => installChains(n, isIfs ? 0x20000 : 0)),
      fc
        .integer({ min: 1, max: 9 })
        .map((n): CatalogChange => ({ kind: 'deinstall-provider', providerId: guid(n) })),
      fc.integer({ min: 1000, max: 1060 }).map((id): CatalogChange => ({ kind: 'remove-entry', id })),
      fc.integer({ min: 0, max: 20 }).map((serial): CatalogChange => ({ kind: 'restore', serial })),
      fc.constantFrom<CatalogChange>({ kind: 'reset', what: 'all' }, { kind: 'reset', what: 'layers' }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 25 }), (changes) => {
        const bench = new Bench(freshState(DEFAULTS));
        const given = new Set<number>();
        for (const each of changes) {
          const ids = bench.apply(each);
          if (typeof ids === 'number') continue;
          for (const id of ids) {
            expect(given.has(id)).toBe(false);
            given.add(id);
          }
          expectSound(bench.state);
        }
      }),
      { ...RUNS, numRuns: 150 },
    );
  });

  test('any text is a list of installers or none', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '[HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP\\A]',
        '"Dll"="a.dll"',
        '"Order"=dword:7',
        '"Dll"="\\',
        '"Dll"=hex(2):61,00,\\',
        '[-HKEY_LOCAL_MACHINE\\Comm\\WS2\\LSP\\A]',
      ),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const read = readMobileProviders(lines.join('\n'));
        if ('why' in read) {
          expect(read.line).toBeGreaterThanOrEqual(0);
          expect(read.why).not.toBe('');
          return;
        }
        for (const { name, path } of read) {
          expect(name).not.toBe('');
          expect(path).not.toBe('');
        }
        expect(readMobileProviders(writeMobileProviders(read))).toEqual(read);
      }),
      RUNS,
    );
  });

  test('every kind of change has a sample, or is one of a number', () => {
    const sampled = new Set([...SAMPLES.map(({ kind }) => kind)]);
    const left = CHANGE_KINDS.filter((kind) => !sampled.has(kind));
    expect(left).toEqual([
      'update-provider',
      'deinstall-provider',
      'remove-entry',
      'uninstall-name-space',
      'reset',
      'restore',
    ]);
  });
});
