/** Installing, updating, removing and ordering protocol entries. */

import { describe, expect, test } from '@jest/globals';
import { WSA_NOT_ENOUGH_MEMORY, WSAEINVAL, WSANO_RECOVERY, XP1_IFS_HANDLES } from '../../../src/abi/index.ts';
import type { CatalogChange } from '../../../src/port/index.ts';
import { Bench, chainOver, DEFAULTS, guid, install, installChains, layer, TCP } from './support.ts';

describe('installing a provider', () => {
  test('CFG-WSCInstallProvider, CAT-CHAIN-09 entries go to the end with ids that go on from the highest', () => {
    const bench = new Bench();
    expect(bench.apply(install(1, layer('A'), { ...TCP, szProtocol: 'B' }))).toEqual([1007, 1008]);
    expect(bench.ids).toEqual([1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008]);
    expect(bench.info(1008)).toMatchObject({ ProviderId: guid(1), szProtocol: 'B', dwCatalogEntryId: 1008 });
  });

  test('CAT-CHAIN-09 an id is not given out again, whatever is removed, reset or restored', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('A')));
    bench.apply({ kind: 'deinstall-provider', providerId: guid(1) });
    expect(bench.apply(install(1, layer('A')))).toEqual([1008]);
    bench.apply({ kind: 'reset', what: 'all' });
    expect(bench.apply(install(2, layer('B')))).toEqual([1009]);
    bench.apply({ kind: 'restore', serial: 0 });
    expect(bench.apply(install(3, layer('C')))).toEqual([1010]);
  });

  test.each<[string, Partial<Extract<CatalogChange, { kind: 'install-provider' }>>, number]>([
    ['an id that is no GUID', { providerId: 'x' }, WSAEINVAL],
    ['an empty path', { path: '' }, WSAEINVAL],
    ['a path longer than MAX_PATH', { path: 'p'.repeat(260) }, WSAEINVAL],
    ['no entries', { entries: [] }, WSAEINVAL],
    ['a chain of eight', { entries: [{ ...TCP, ChainLen: 8, ChainEntries: [] }] }, WSAEINVAL],
    ['a chain of less than none', { entries: [{ ...TCP, ChainLen: -1 }] }, WSAEINVAL],
    ['a chain without its entries', { entries: [{ ...TCP, ChainLen: 2, ChainEntries: [] }] }, WSAEINVAL],
    ['a name of 256 characters', { entries: [{ ...TCP, szProtocol: 'n'.repeat(256) }] }, WSAEINVAL],
    ['a member out of range', { entries: [{ ...TCP, iProtocol: 2 ** 31 }] }, WSAEINVAL],
    ['a member that is no number', { entries: [{ ...TCP, iProtocol: Number.NaN }] }, WSAEINVAL],
    ['the GUID of the base provider', { providerId: TCP.ProviderId }, WSANO_RECOVERY],
    ['more entries than a catalog holds', { entries: Array(507).fill(TCP) }, WSA_NOT_ENOUGH_MEMORY],
  ])('CFG-WSCInstallProvider refuses %s', (_, wrong, error) => {
    const bench = new Bench();
    const before = bench.state;
    const change = { ...install(1, layer('A')), ...wrong } as CatalogChange;
    expect(bench.apply(change)).toBe(error);
    expect(bench.state).toBe(before);
  });

  test('CFG-FAIL-07 the same GUID twice is refused, in whatever form it is written', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('A')));
    const again = { ...install(1, layer('A')), providerId: `{${guid(1).toLowerCase()}}` } as CatalogChange;
    expect(bench.apply(again)).toBe(WSANO_RECOVERY);
  });
});

describe('chains that an installer builds', () => {
  test('CAT-CHAIN-01, CAT-CHAIN-02, CAT-CHAIN-03, CFG-SEQ-01, CFG-SEQ-02 dummy, chain, and a chain over the chain', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('lower')));
    expect(bench.apply(install(2, chainOver(TCP, 1007)))).toEqual([1008]);
    expect(bench.info(1008)).toMatchObject({ ChainLen: 2, ChainEntries: [1007, 1001] });
    bench.apply(install(3, layer('upper')));
    expect(bench.apply(install(4, chainOver(bench.info(1008), 1009)))).toEqual([1010]);
    expect(bench.info(1010)).toMatchObject({ ChainLen: 3, ChainEntries: [1009, 1008, 1001] });
  });

  test('CAT-CHAIN-02 base and layered entries keep no chain', () => {
    const bench = new Bench();
    bench.apply(install(1, { ...layer('A'), ChainEntries: [1, 2, 3] }));
    expect(bench.info(1007).ChainEntries).toEqual([]);
  });

  test.each<[string, number[]]>([
    ['a member that is not installed', [1007, 4711]],
    ['a base on top', [1001, 1002]],
    ['a layer at the end', [1007, 1007]],
    ['a base in the middle', [1007, 1002, 1001]],
  ])('CAT-CHAIN-04 refuses %s', (_, ChainEntries) => {
    const bench = new Bench();
    bench.apply(install(1, layer('A')));
    const chain = { ...TCP, ChainLen: ChainEntries.length, ChainEntries };
    expect(bench.apply(install(2, chain))).toBe(WSAEINVAL);
  });

  test('CAT-CHAIN-04, CFG-FAIL-07 one layer twice in a chain is refused, also behind the id of a chain', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('A')));
    bench.apply(install(2, chainOver(TCP, 1007)));
    const twice = { ...TCP, ChainLen: 3, ChainEntries: [1007, 1007, 1001] };
    expect(bench.apply(install(3, twice))).toBe(WSAEINVAL);
    expect(bench.apply(install(3, chainOver(bench.info(1008), 1007)))).toBe(WSAEINVAL);
  });

  test('CAT-CHAIN-05, CAT-CHAIN-06 real handles: below all others, and all the way up or not at all', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('plain')));
    bench.apply(install(2, layer('ifs', true)));
    expect(bench.apply(install(3, chainOver(TCP, 1008)))).toEqual([1009]);
    expect(bench.info(1009).dwServiceFlags1 & XP1_IFS_HANDLES).not.toBe(0);
    expect(bench.apply(install(4, chainOver(bench.info(1009), 1007)))).toEqual([1010]);
    expect(bench.info(1010).dwServiceFlags1 & XP1_IFS_HANDLES).toBe(0);
    bench.apply(install(5, chainOver(TCP, 1007)));
    expect(bench.apply(install(6, chainOver(bench.info(1011), 1008)))).toBe(WSAEINVAL);
  });
});

describe('updating, removing, ordering', () => {
  test('CFG-WSCUpdateProvider entries keep ids and places, by their id or else in order', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('A'), { ...TCP, szProtocol: 'B' }));
    bench.apply(install(2, layer('C')));
    const update: CatalogChange = {
      kind: 'update-provider',
      providerId: guid(1),
      path: '/new.mjs',
      entries: [
        { ...TCP, dwCatalogEntryId: 1008, szProtocol: 'B2' },
        { ...layer('A2'), dwCatalogEntryId: 0 },
        { ...TCP, dwCatalogEntryId: 0, szProtocol: 'D' },
      ],
    };
    expect(bench.apply(update)).toEqual([1008, 1007, 1010]);
    expect(bench.ids).toEqual([1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010]);
    expect(bench.info(1007).szProtocol).toBe('A2');
    expect(bench.state.entries[7]).toMatchObject({ path: '/new.mjs', info: { szProtocol: 'B2' } });
    expect(bench.apply({ ...update, entries: [layer('A3')] })).toEqual([1007]);
    expect(bench.ids).not.toContain(1008);
  });

  test('CFG-WSCUpdateProvider refuses what is unknown, built in, or breaks a chain', () => {
    const bench = new Bench();
    const update: CatalogChange = {
      kind: 'update-provider',
      providerId: guid(9),
      path: '/x',
      entries: [TCP],
    };
    expect(bench.apply(update)).toBe(WSAEINVAL);
    expect(bench.apply({ ...update, providerId: TCP.ProviderId })).toBe(WSANO_RECOVERY);
    bench.apply(install(1, layer('A')));
    bench.apply(install(2, chainOver(TCP, 1007)));
    const stale = { ...TCP, ChainLen: 2, ChainEntries: [4711, 1001] };
    expect(bench.apply({ ...update, providerId: guid(2), entries: [stale] })).toBe(WSAEINVAL);
  });

  test('CFG-WSCDeinstallProvider, CFG-FAIL-01 every entry of the GUID goes, chains that name one stay', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('A')));
    bench.apply(install(2, chainOver(TCP, 1007)));
    bench.apply({ kind: 'set-lsp-categories', providerId: guid(1), categories: 8 });
    expect(bench.apply({ kind: 'deinstall-provider', providerId: guid(1) })).toEqual([]);
    expect(bench.ids).toEqual([1001, 1002, 1003, 1004, 1005, 1006, 1008]);
    expect(bench.info(1008).ChainEntries).toEqual([1007, 1001]);
    expect(bench.state.lspCategories).toEqual({});
    expect(bench.apply({ kind: 'deinstall-provider', providerId: guid(1) })).toBe(WSAEINVAL);
    expect(bench.apply({ kind: 'deinstall-provider', providerId: TCP.ProviderId })).toBe(WSANO_RECOVERY);
  });

  test('CFG-FAIL-03 a layer that is installed anew has another id, and chains that name the old one stay broken', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('A')));
    bench.apply(install(2, chainOver(TCP, 1007)));
    bench.apply({ kind: 'deinstall-provider', providerId: guid(1) });
    expect(bench.apply(install(1, layer('A')))).toEqual([1009]);
    expect(bench.info(1008).ChainEntries[0]).toBe(1007);
  });

  test('CFG-WSCWriteProviderOrder takes permutations of all ids only', () => {
    const bench = new Bench();
    const { ids } = bench;
    const order = [...ids].reverse();
    expect(bench.apply({ kind: 'write-order', ids: order })).toEqual([]);
    expect(bench.ids).toEqual(order);
    for (const wrong of [
      [],
      ids.slice(1),
      [...ids, 1001],
      [...ids.slice(1), 4711],
      [1001, ...ids.slice(0, -1)],
    ]) {
      expect(bench.apply({ kind: 'write-order', ids: wrong })).toBe(WSAEINVAL);
    }
    expect(bench.ids).toEqual(order);
  });

  test('CFG-FAIL-10 reset: the layers only, or everything', () => {
    const bench = new Bench();
    bench.apply(installChains(1, 0, 'all'));
    bench.apply({ kind: 'set-application-category', path: '/app', extra: '', categories: 1 });
    bench.apply({ kind: 'reset', what: 'layers' });
    expect(bench.state.entries).toEqual(DEFAULTS.entries);
    expect(bench.state.applications).toHaveLength(1);
    bench.apply({ kind: 'reset', what: 'all' });
    expect(bench.state.applications).toEqual([]);
  });
});
