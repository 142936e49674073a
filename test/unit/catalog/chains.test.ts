/** WSCInstallProviderAndChains, the removal of layers, and Windows Mobile's list of installers. */

import { describe, expect, test } from '@jest/globals';
import {
  LAYERED_PROTOCOL,
  PFL_HIDDEN,
  WSAEINVAL,
  WSANO_RECOVERY,
  XP1_IFS_HANDLES,
} from '../../../src/abi/index.ts';
import type { CatalogChange } from '../../../src/port/index.ts';
import { Bench, guid, installChains, TCP } from './support.ts';

type InstallChains = Extract<CatalogChange, { kind: 'install-chains' }>;

describe('installing a layered provider with its chains', () => {
  test('CFG-WSCInstallProviderAndChains, CFG-SEQ-04 without a list: one chain over each triple of the base entries, in front', () => {
    const bench = new Bench();
    expect(bench.apply(installChains(1, 0, 'all'))).toEqual([1007, 1008, 1009, 1010, 1011, 1012, 1013]);
    expect(bench.ids).toEqual([1008, 1009, 1010, 1011, 1012, 1013, 1001, 1002, 1003, 1004, 1005, 1006, 1007]);
    expect(bench.info(1007)).toMatchObject({
      ChainLen: LAYERED_PROTOCOL,
      ProviderId: guid(1),
      szProtocol: 'LSP 1',
    });
    expect(bench.info(1007).dwProviderFlags & PFL_HIDDEN).not.toBe(0);
    expect(bench.info(1010)).toMatchObject({
      ChainLen: 2,
      ChainEntries: [1007, 1003],
      iSocketType: 3,
      szProtocol: 'LSP 1 over [MSAFD Tcpip [RAW/IP]]',
    });
    const providers = new Set(bench.state.entries.map(({ info }) => info.ProviderId));
    // CAT-CHAIN-07: two of the base, the layer's, and one for each chain.
    expect(providers.size).toBe(2 + 1 + 6);
  });

  test('CFG-WSCInstallProviderAndChains a second provider goes over the topmost match, up to seven in a chain; CFG-FAIL-06 then no more', () => {
    const bench = new Bench();
    for (let n = 1; n <= 6; n++) expect(bench.apply(installChains(n))).toHaveLength(2);
    const [top] = bench.state.entries;
    expect(top?.info.ChainLen).toBe(7);
    expect(top?.info.ChainEntries).toHaveLength(7);
    expect(top?.info.ChainEntries[6]).toBe(1001);
    const before = bench.state;
    expect(bench.apply(installChains(7))).toBe(WSANO_RECOVERY);
    expect(bench.state).toBe(before);
  });

  test('CAT-CHAIN-05, CAT-CHAIN-06 a provider of real handles goes below the others', () => {
    const bench = new Bench();
    bench.apply(installChains(1));
    expect(bench.apply(installChains(2, XP1_IFS_HANDLES))).toEqual([1009, 1010]);
    expect(bench.info(1010)).toMatchObject({ ChainEntries: [1009, 1001], ChainLen: 2 });
    expect(bench.info(1010).dwServiceFlags1 & XP1_IFS_HANDLES).not.toBe(0);
    expect(bench.info(1008).dwServiceFlags1 & XP1_IFS_HANDLES).toBe(0);
  });

  test.each<[string, Partial<InstallChains>, number]>([
    ['an id that is no GUID', { providerId: '' }, WSAEINVAL],
    ['no path', { path: '' }, WSAEINVAL],
    ['a path longer than MAX_PATH', { path: 'p'.repeat(260) }, WSAEINVAL],
    ['no name', { name: '' }, WSAEINVAL],
    ['a name longer than 255', { name: 'n'.repeat(256) }, WSAEINVAL],
    ['a name that another layer has', { name: 'LSP 5' }, WSAEINVAL],
    ['other flags', { serviceFlags: 1 }, WSAEINVAL],
    ['a list of none', { over: [] }, WSAEINVAL],
    [
      'a triple that nothing matches',
      { over: [{ iAddressFamily: 2, iSocketType: 1, iProtocol: 17 }] },
      WSAEINVAL,
    ],
    ['a GUID that another provider has', { providerId: guid(5) }, WSAEINVAL],
    ['a provider that is installed already', { providerId: guid(5), path: '/lsp/5.mjs' }, WSANO_RECOVERY],
  ])('CFG-WSCInstallProviderAndChains refuses %s', (_, wrong, error) => {
    const bench = new Bench();
    bench.apply(installChains(5));
    const before = bench.state;
    expect(bench.apply({ ...(installChains(1) as InstallChains), ...wrong })).toBe(error);
    expect(bench.state).toBe(before);
  });

  test('CFG-WSCInstallProviderAndChains a triple that is named twice gets one chain', () => {
    const bench = new Bench();
    const over = [TCP, TCP];
    expect(bench.apply({ ...(installChains(1) as InstallChains), over })).toHaveLength(2);
  });
});

describe('removing a layered provider', () => {
  test('CFG-SEQ-06 it goes with its chains, and out of the chains of those above it', () => {
    const bench = new Bench();
    bench.apply(installChains(1));
    bench.apply(installChains(2));
    bench.apply(installChains(3));
    expect(bench.info(1012).ChainEntries).toEqual([1011, 1010, 1008, 1001]);
    expect(bench.apply({ kind: 'remove-entry', id: 1009 })).toEqual([]);
    expect(bench.ids).toEqual([1012, 1008, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1011]);
    expect(bench.info(1012)).toMatchObject({ ChainLen: 3, ChainEntries: [1011, 1008, 1001] });
    // By the id of its chain as well as by its own.
    bench.apply({ kind: 'remove-entry', id: 1008 });
    expect(bench.info(1012)).toMatchObject({ ChainLen: 2, ChainEntries: [1011, 1001] });
  });

  test('CFG-FAIL-01 a chain that lost its layer can be removed', () => {
    const bench = new Bench();
    bench.apply(installChains(1));
    bench.apply({ kind: 'deinstall-provider', providerId: guid(1) });
    expect(bench.apply({ kind: 'remove-entry', id: 1008 })).toEqual([]);
    expect(bench.ids).toEqual([1001, 1002, 1003, 1004, 1005, 1006]);
  });

  test('what is unknown is refused, and so are the base providers', () => {
    const bench = new Bench();
    expect(bench.apply({ kind: 'remove-entry', id: 4711 })).toBe(WSAEINVAL);
    expect(bench.apply({ kind: 'remove-entry', id: 1001 })).toBe(WSANO_RECOVERY);
  });
});
