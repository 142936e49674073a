/** What is found wrong with catalogs, and what is not. */

import { describe, expect, test } from '@jest/globals';
import { XP1_IFS_HANDLES } from '../../../src/abi/index.ts';
import { checkCatalog } from '../../../src/catalog/index.ts';
import { Bench, chainOver, guid, install, installChains, layer, TCP } from './support.ts';

const found = ({ state }: Bench): [number, string, string][] =>
  checkCatalog(state.entries).map(({ id, rule, cure }) => [id, rule, cure]);

describe('a catalog', () => {
  test('that is fresh, or has layers over everything in any order of installation, is sound', () => {
    const bench = new Bench();
    expect(found(bench)).toEqual([]);
    for (const n of [1, 2, 3]) bench.apply(installChains(n, n === 1 ? XP1_IFS_HANDLES : 0, 'all'));
    expect(found(bench)).toEqual([]);
    bench.apply({ kind: 'remove-entry', id: 1014 });
    expect(found(bench)).toEqual([]);
  });

  test('CFG-FAIL-01 with a chain whose layer is gone; what is typed mends it', () => {
    const bench = new Bench();
    bench.apply(installChains(1));
    bench.apply({ kind: 'deinstall-provider', providerId: guid(1) });
    expect(found(bench)).toEqual([[1008, 'CFG-FAIL-01', 'winsockd netsh winsock remove provider 1008']]);
    bench.apply({ kind: 'remove-entry', id: 1008 });
    expect(found(bench)).toEqual([]);
  });

  test('CFG-FAIL-03 with a chain over a layer that was installed anew', () => {
    const bench = new Bench();
    bench.apply(installChains(1, XP1_IFS_HANDLES));
    bench.apply(installChains(2, XP1_IFS_HANDLES));
    bench.apply({ kind: 'deinstall-provider', providerId: guid(1) });
    bench.apply({ kind: 'deinstall-provider', providerId: bench.info(1008).ProviderId });
    bench.apply(installChains(1, XP1_IFS_HANDLES));
    // The new one went over the topmost chain, which was broken already.
    const what = 'it names 1008, which is not installed: its sockets fail with WSAEPROVIDERFAILEDINIT';
    expect(checkCatalog(bench.state.entries)).toMatchObject([
      { id: 1012, rule: 'CFG-FAIL-03', what },
      { id: 1010, rule: 'CFG-FAIL-03', what },
    ]);
  });

  test('CFG-FAIL-04 with a base entry above a chain, or a chain above another that it does not go through', () => {
    const bench = new Bench();
    bench.apply(installChains(1, XP1_IFS_HANDLES));
    bench.apply({ kind: 'write-order', ids: [1001, 1008, 1002, 1003, 1004, 1005, 1006, 1007] });
    expect(found(bench)).toEqual([[1008, 'CFG-FAIL-04', 'winsockd sporder top 1008']]);
    bench.apply({ kind: 'write-order', ids: [1008, 1001, 1002, 1003, 1004, 1005, 1006, 1007] });
    bench.apply(install(2, layer('B', true)));
    bench.apply(install(3, chainOver(TCP, 1009, 'B')));
    const ids = bench.ids.filter((id) => id !== 1010);
    bench.apply({ kind: 'write-order', ids: [1010, ...ids] });
    expect(found(bench)).toEqual([[1008, 'CFG-FAIL-04', 'winsockd sporder top 1008']]);
  });

  test('CFG-SEQ-04 with a layer of own handles over a part of a family; with system handles nothing is wrong', () => {
    const bench = new Bench();
    bench.apply(installChains(1));
    expect(found(bench)).toEqual([
      [1007, 'CFG-SEQ-04', 'install it over all protocols of a family together'],
    ]);
    const other = new Bench();
    other.apply(installChains(1, XP1_IFS_HANDLES));
    expect(found(other)).toEqual([]);
  });

  test('CFG-SEQ-05 with a layer that no chain has', () => {
    const bench = new Bench();
    bench.apply(install(1, layer('A')));
    expect(found(bench)).toEqual([[1007, 'CFG-SEQ-05', 'winsockd netsh winsock remove provider 1007']]);
  });
});
