/**
 * Which entry serves a socket, in catalogs that chance has made, compared with a second reading of the rule (SEM-SOCK-01 … 22); and
 * the categories that exempt an application from layers.
 */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  LSP_CRYPTO_COMPRESS,
  LSP_FIREWALL,
  LSP_INSPECTOR,
  LSP_SYSTEM,
  PFL_MATCHES_PROTOCOL_ZERO,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import type { ApplicationEntry, CatalogSnapshot } from '../../src/port/index.ts';
import { Catalog, catalogOf, DEFAULT_CATALOG, isPermitted } from '../../src/spi/index.ts';
import { guidOf, layeredEntries, passThrough, pathOf } from '../support/chains.ts';
import { withLayers } from './layered.ts';
import { ok } from './support.ts';

const [TCP] = DEFAULT_CATALOG as [WSAPROTOCOL_INFO];

/** Small numbers, so that chance finds matches. */
const entry = fc
  .record({
    iAddressFamily: fc.integer({ min: 1, max: 3 }),
    iSocketType: fc.integer({ min: 1, max: 3 }),
    iProtocol: fc.integer({ min: 0, max: 4 }),
    iProtocolMaxOffset: fc.constantFrom(0, 0, 0, 2, 255),
    ChainLen: fc.constantFrom(0, 1, 1, 2, 7),
    matchesZero: fc.boolean(),
  })
  .map(({ matchesZero, ...members }) => ({
    ...TCP,
    ...members,
    dwProviderFlags: matchesZero ? PFL_MATCHES_PROTOCOL_ZERO : 0,
  }));
const catalogs = fc
  .array(entry, { maxLength: 10 })
  .map((entries) => entries.map((each, i) => ({ ...each, dwCatalogEntryId: 1001 + i })));
const query = fc.record({
  af: fc.integer({ min: 0, max: 4 }),
  type: fc.integer({ min: 0, max: 4 }),
  protocol: fc.integer({ min: 0, max: 6 }),
});

/** The rule, read once more: the id of the entry, or minus the error. Errors by what the catalog as a whole has. */
function model(entries: readonly WSAPROTOCOL_INFO[], af: number, type: number, protocol: number): number {
  if (af === 0 && protocol === 0) return -10022;
  const usable = entries.filter((each) => each.ChainLen > 0);
  const found = usable.find((each) => {
    const isFamily = [0, each.iAddressFamily].includes(af);
    const isType = [0, each.iSocketType].includes(type);
    const last = each.iProtocol + each.iProtocolMaxOffset;
    const isProtocol =
      protocol === 0
        ? (each.dwProviderFlags & PFL_MATCHES_PROTOCOL_ZERO) > 0
        : each.iProtocol <= protocol && protocol <= last;
    return isFamily && isType && isProtocol;
  });
  if (found !== undefined) return found.dwCatalogEntryId;
  const families = new Set(entries.map((each) => each.iAddressFamily));
  const isKnownFamily = af === 0 || families.has(af);
  const ofFamily = af !== 0 && isKnownFamily ? entries.filter((each) => each.iAddressFamily === af) : entries;
  const isKnownType = type === 0 || ofFamily.some((each) => each.iSocketType === type);
  if (!isKnownType && (protocol > 0 || isKnownFamily)) return -10044;
  return isKnownFamily ? -10043 : -10047;
}

describe('which entry serves a socket', () => {
  test('SEM-SOCK-01, CAT-LOAD-01 100 random catalogs agree with the rule read a second time', () => {
    fc.assert(
      fc.property(catalogs, fc.array(query, { minLength: 20, maxLength: 40 }), (entries, queries) => {
        const catalog = new Catalog(entries);
        for (const { af, type, protocol } of queries) {
          const selected = catalog.select({ af, type, protocol }, null);
          const id = typeof selected === 'number' ? selected : selected.entry.dwCatalogEntryId;
          expect([af, type, protocol, id]).toEqual([af, type, protocol, model(entries, af, type, protocol)]);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('SEM-SOCK-01, CFG-FAIL-04 100 random orders of layers and base entries: the first that matches wins, and a base entry above its chain passes the layer by', () => {
    const entries = layeredEntries([{ isIfs: true }, { isIfs: true }]);
    fc.assert(
      fc.property(fc.shuffledSubarray(entries, { minLength: entries.length }), (order) => {
        const selected = new Catalog(order).select({ af: 2, type: 1, protocol: 6 }, null);
        const first = order.find(
          (each) => each.iAddressFamily === 2 && each.iSocketType === 1 && each.ChainLen > 0,
        );
        expect(typeof selected === 'number' ? selected : selected.entry).toBe(first);
      }),
      { numRuns: 100 },
    );
  });
});

describe('categories of layers', () => {
  const APP = LSP_SYSTEM | LSP_FIREWALL | LSP_CRYPTO_COMPRESS;

  test.each([
    ['CAT-LSPCAT-03', LSP_SYSTEM, APP, true],
    ['CAT-LSPCAT-03', LSP_FIREWALL, LSP_FIREWALL | LSP_CRYPTO_COMPRESS, true],
    ['CAT-LSPCAT-03', 0, APP, false],
    ['CAT-LSPCAT-03', APP | LSP_INSPECTOR, APP, false],
    ['CAT-LSPCAT-03', APP | LSP_INSPECTOR, LSP_FIREWALL | LSP_CRYPTO_COMPRESS, false],
    ['CAT-LSPCAT-01', LSP_FIREWALL, APP, false],
    ['CAT-LSPCAT-01', LSP_SYSTEM | LSP_FIREWALL, APP, true],
    ['CAT-LSPCAT-01', 0, null, true],
    ['CAT-LSPCAT-02', 0, LSP_FIREWALL, false],
    ['CAT-LSPCAT-02', 0, 0, false],
  ])('%s a layer of %d in an application that permits %p: %p', (_id, layer, permitted, expected) => {
    expect(isPermitted(layer, permitted)).toBe(expected);
  });

  /** Two layers, 0 below 1, and one application. */
  function snapshot(application: Partial<ApplicationEntry>): CatalogSnapshot {
    const entries = layeredEntries([{ isIfs: true }, { isIfs: true }]);
    const path = ({ ProviderId }: WSAPROTOCOL_INFO): string =>
      ProviderId.startsWith(guidOf(0).slice(0, 23)) ? pathOf(0) : ProviderId.startsWith('A') ? pathOf(1) : '';
    return {
      serial: 1,
      entries: entries.map((info) => ({ info, path: path(info) })),
      nameSpaces: [],
      lspCategories: { [guidOf(0)]: LSP_SYSTEM, [guidOf(1)]: LSP_FIREWALL },
      applications: [
        {
          path: '/bin/app',
          extra: '',
          permittedLspCategories: null,
          permittedProviders: null,
          ...application,
        },
      ],
      qosTemplates: [],
      skipped: [],
    };
  }

  /** Which entry serves a TCP socket of the application. */
  async function served(application: Partial<ApplicationEntry>, extra = ''): Promise<string> {
    const catalog = catalogOf(snapshot(application), { path: '/bin/app', extra });
    const layers = [passThrough(), passThrough()];
    const { ws } = withLayers(layers, { catalog });
    await ok(ws.socket(2, 1, 6));
    const selected = catalog.select({ af: 2, type: 1, protocol: 6 }, null);
    return typeof selected === 'number' ? '' : selected.entry.ProviderId;
  }

  test('CAT-LSPCAT-01, CAT-LSPCAT-02, CAT-LSPCAT-04 chains with a layer that the application is exempt from are passed over', async () => {
    const both = guidOf(1, 1);
    const lower = guidOf(0, 1);
    expect(await served({})).toBe(both);
    expect(await served({ permittedLspCategories: APP })).toBe(lower); // the upper one is no system layer
    expect(await served({ permittedLspCategories: LSP_FIREWALL })).toBe(TCP.ProviderId); // the lower one is in both chains
    expect(await served({ permittedLspCategories: LSP_INSPECTOR })).toBe(TCP.ProviderId);
  });

  test('CAT-LSPCAT-01 a list of providers counts like a category; the very command line comes first', async () => {
    expect(await served({ permittedProviders: [] })).toBe(TCP.ProviderId);
    expect(await served({ permittedProviders: [guidOf(0)] })).toBe(guidOf(0, 1));
    expect(await served({ permittedProviders: [guidOf(0), guidOf(1)] })).toBe(guidOf(1, 1));
    expect(await served({ permittedProviders: [], extra: '--other' }, '--some')).toBe(guidOf(1, 1));
    expect(await served({ permittedProviders: [], extra: '--some' }, '--some')).toBe(TCP.ProviderId);
  });

  test('CAT-LSPCAT-04 a chain that is asked for by its info is passed over, too', () => {
    const catalog = catalogOf(snapshot({ permittedLspCategories: 0 }), { path: '/bin/app', extra: '' });
    const chain = catalog.entries.find(({ ProviderId }) => ProviderId === guidOf(1, 1)) ?? null;
    const selected = catalog.select({ af: 0, type: 0, protocol: 0 }, chain);
    expect(typeof selected === 'number' ? selected : selected.entry).toBe(TCP);
  });
});
