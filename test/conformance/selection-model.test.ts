/**
 * Which entry serves a socket, in catalogs that chance has made, compared with a second reading of the rule (`selection-rule.ts`); and
 * the categories that exempt an application from layers.
 */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  LSP_CRYPTO_COMPRESS,
  LSP_FIREWALL,
  LSP_INSPECTOR,
  LSP_SYSTEM,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import type { ApplicationEntry, CatalogSnapshot } from '../../src/port/index.ts';
import { Catalog, catalogOf, DEFAULT_CATALOG, isPermitted } from '../../src/spi/index.ts';
import { guidOf, layeredEntries, passThrough, pathOf } from '../support/chains.ts';
import { withLayers } from './layered.ts';
import { randomCatalogs, randomQueries, randomWishes, snapshotOf, verdict } from './selection-rule.ts';
import { ok } from './support.ts';

const [TCP] = DEFAULT_CATALOG as [WSAPROTOCOL_INFO];

describe('which entry serves a socket', () => {
  test('SEM-SOCK-01, SEM-SOCK-02, SEM-SOCK-03, SEM-SOCK-05, SEM-SOCK-06, SEM-SOCK-07, CAT-LOAD-01, CAT-LSPCAT-01, CAT-LSPCAT-02, CAT-LSPCAT-04, CAT-CHAIN-03 100 random catalogs of bases, layers and chains, asked by applications of all categories with and without a protocol info, agree with the rule read a second time', () => {
    const reasons = new Set<number>();
    let selected = 0;
    fc.assert(
      fc.property(randomCatalogs, randomWishes, randomQueries, (made, wishes, queries) => {
        const catalog = catalogOf(snapshotOf(made, wishes, '/bin/app'), { path: '/bin/app', extra: '' });
        for (const query of queries) {
          const { info, ...triple } = query;
          const answer = catalog.select(triple, info);
          const expected = verdict(made, wishes, query);
          if (typeof answer === 'number') {
            reasons.add(answer);
            expect({ query, answer }).toEqual({ query, answer: expected });
            continue;
          }
          selected++;
          const { entry, af, type, protocol } = answer;
          const found = { id: entry.dwCatalogEntryId, triple: [af, type, protocol] };
          expect({ query, answer: found }).toEqual({ query, answer: expected });
        }
      }),
      { numRuns: 100 },
    );
    // Chance has met every answer.
    expect(reasons).toEqual(new Set([-10022, -10043, -10044, -10047, -10105]));
    expect(selected).toBeGreaterThan(100);
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
