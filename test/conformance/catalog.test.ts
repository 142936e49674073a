/** The configuration functions (9.3) as an installer calls them, over the catalog that a host keeps. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  ERROR_CALL_NOT_IMPLEMENTED,
  IPPROTO_TCP,
  LSP_FIREWALL,
  LSP_SYSTEM,
  PFL_HIDDEN,
  ProviderInfoAudit,
  ProviderInfoLspCategories,
  SOCK_DGRAM,
  SOCK_STREAM,
  WSAEFAULT,
  WSAEINVAL,
  WSAEINVALIDPROVIDER,
  WSAENOBUFS,
  WSANO_RECOVERY,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFOW_LEN,
  WSASERVICE_NOT_FOUND,
} from '../../src/abi/index.ts';
import { i32le } from '../../src/base/index.ts';
import { INSTALLED } from './attachment.ts';
import { chainOf, guid, ids, layerOf, named, stored, visible } from './catalog-support.ts';
import { ok, overEveryAttachment, type Pair, wsadata } from './support.ts';

overEveryAttachment('the configuration of providers', (open) => {
  /** The pair, with the catalog of host a as a fresh installation has it. */
  async function fresh(): Promise<Pair> {
    const pair = await open();
    const { catalog } = pair.attachment.hosts.a;
    catalog.apply({ kind: 'reset', what: 'all' }, { uid: 0, pid: 0, program: 'test' });
    return pair;
  }

  test('CFG-WSCEnumProtocols, CFG-WSCEnumProtocols32, CAT-CHAIN-08 lists every entry, with the length that it takes', async () => {
    const { a } = await fresh();
    for (const list of [a.WSCEnumProtocols, a.WSCEnumProtocols32]) {
      const [entries, room] = [[] as WSAPROTOCOL_INFO[], { value: 0 }];
      expect(await list(null, entries, null)).toBe(-WSAEFAULT);
      expect(await list(null, entries, room)).toBe(-WSAENOBUFS);
      expect(room.value).toBe(6 * WSAPROTOCOL_INFOW_LEN);
      expect(await list(null, null, room)).toBe(-WSAENOBUFS);
      expect(await list(null, entries, room)).toBe(6);
      expect(ids(entries)).toEqual([1001, 1002, 1003, 1004, 1005, 1006]);
      expect(await list([IPPROTO_TCP, 0, 17], entries, room)).toBe(2);
    }
  });

  test.each([
    ['CAT-TCP4', 'MSAFD Tcpip [TCP/IP]', 2, 1, 6, 0, 16, 0, 0x20066, 8],
    ['CAT-UDP4', 'MSAFD Tcpip [UDP/IP]', 2, 2, 17, 0, 16, 0xffbb, 0x20609, 8],
    ['CAT-RAW4', 'MSAFD Tcpip [RAW/IP]', 2, 3, 0, 255, 16, 0x8000, 0x20609, 0xc],
    ['CAT-TCP6', 'MSAFD Tcpip [TCP/IPv6]', 23, 1, 6, 0, 28, 0, 0x20066, 8],
    ['CAT-UDP6', 'MSAFD Tcpip [UDP/IPv6]', 23, 2, 17, 0, 28, 0xffbb, 0x20609, 8],
    ['CAT-RAW6', 'MSAFD Tcpip [RAW/IPv6]', 23, 3, 0, 255, 28, 0x8000, 0x20609, 0xc],
  ])('%s %s as a fresh installation has it', async (_, title, ...numbers) => {
    const { a } = await fresh();
    const entry = named(await stored(a), title);
    expect([
      entry.iAddressFamily,
      entry.iSocketType,
      entry.iProtocol,
      entry.iProtocolMaxOffset,
      entry.iMaxSockAddr,
      entry.dwMessageSize,
      entry.dwServiceFlags1,
      entry.dwProviderFlags,
    ]).toEqual(numbers);
    expect(entry).toMatchObject({ ChainLen: 1, iVersion: 2, iNetworkByteOrder: 0, iSecurityScheme: 0 });
  });

  test('CAT-TCP6, CAT-UDP6, CAT-RAW6, CAT-RULE-01, CAT-RULE-02 one provider a family, and TCP is the first that matches protocol 0', async () => {
    const { a } = await fresh();
    const entries = await stored(a);
    const providers = entries.map(({ ProviderId }) => ProviderId);
    const [v4 = '', , , v6 = ''] = providers;
    expect(providers).toEqual([v4, v4, v4, v6, v6, v6]);
    expect([v4, v6]).toEqual([
      'E70F1AA0-AB8B-11CF-8CA3-00805F48A192',
      'F9EAB0C0-26D4-11D0-BBBF-00AA006C34E4',
    ]);
    const s = await ok(a.socket(AF_INET, 0, 0));
    const type = new Uint8Array(4);
    await ok(a.getsockopt(s, 0xffff, 0x1008, type, { value: 4 }));
    expect(i32le(type, 0)).toBe(SOCK_STREAM);
  });

  test('CAT-RULE-01, SEM-SEL-07 sockets of both families are real handles: one select serves them', async () => {
    const { a } = await fresh();
    const fd_array = [
      await ok(a.socket(AF_INET, SOCK_DGRAM, 0)),
      await ok(a.socket(AF_INET6, SOCK_DGRAM, 0)),
      await ok(a.socket(AF_INET6, SOCK_STREAM, 0)),
    ];
    const writable = { fd_array: [...fd_array] };
    expect(await a.select(0, null, writable, null, { tv_sec: 0, tv_usec: 0 })).toBe(2);
    expect(writable.fd_array).toEqual(fd_array.slice(0, 2));
  });

  test('CAT-CHAIN-08 applications see base and chain entries that are not hidden; WSCEnumProtocols has them all', async () => {
    const pair = await fresh();
    await ok(pair.a.WSCInstallProviderAndChains(guid(1), '/1.mjs', 'one', 0));
    const ws = await pair.processOn('a', 0, undefined, INSTALLED);
    await ok(ws.WSAStartup(0x0202, wsadata()));
    const base = ['TCP/IP', 'UDP/IP', 'RAW/IP', 'TCP/IPv6', 'UDP/IPv6', 'RAW/IPv6'].map(
      (kind) => `MSAFD Tcpip [${kind}]`,
    );
    const all = [...base.map((name) => `one over [${name}]`), ...base, 'one'];
    expect((await stored(ws)).map(({ szProtocol }) => szProtocol)).toEqual(all);
    const shown = all.filter((name) => !name.includes('RAW') && name !== 'one');
    expect((await visible(ws)).map(({ szProtocol }) => szProtocol)).toEqual(shown);
  });

  test('CAT-CHAIN-07 the layered entry is hidden and has the main GUID; each chain has its own, and the same module', async () => {
    const { a } = await fresh();
    await ok(a.WSCInstallProviderAndChains(guid(1), '/1.mjs', 'one', 0));
    const entries = await stored(a);
    const layer = named(entries, 'one');
    expect(layer.ProviderId).toBe(guid(1));
    expect(layer.dwProviderFlags & PFL_HIDDEN).not.toBe(0);
    const chains = entries.filter(({ ChainLen }) => ChainLen > 1);
    expect(new Set([guid(1), ...chains.map(({ ProviderId }) => ProviderId)]).size).toBe(7);
    for (const { ProviderId } of chains) {
      const path = { value: '' };
      await ok(a.WSCGetProviderPath(ProviderId, path, { value: 260 }));
      expect(path.value).toBe('/1.mjs');
    }
  });

  test('CFG-SEQ-01, CFG-SEQ-02, CFG-SEQ-03, CFG-WSCInstallProvider, CFG-WSCWriteProviderOrder an installer step by step', async () => {
    const { a } = await fresh();
    const base = named(await stored(a), 'MSAFD Tcpip [TCP/IP]');
    await ok(a.WSCInstallProvider(guid(1), '%HOME%/lsp.mjs', [layerOf(base, 'lsp')]));
    const layer = named(await stored(a), 'lsp');
    expect(layer).toMatchObject({ ChainLen: 0, ProviderId: guid(1) });
    await ok(a.WSCInstallProvider(guid(2), '%HOME%/lsp.mjs', [chainOf(base, layer.dwCatalogEntryId, 'lsp')]));
    const chain = named(await stored(a), 'lsp over [MSAFD Tcpip [TCP/IP]]');
    expect(chain.ChainEntries).toEqual([layer.dwCatalogEntryId, 1001]);
    const order = ids(await stored(a)).sort((x, y) => rank(x) - rank(y));
    function rank(id: number): number {
      return id === chain.dwCatalogEntryId ? -1 : id === layer.dwCatalogEntryId ? 1 : 0;
    }
    expect(await a.WSCWriteProviderOrder(order)).toBe(0);
    expect(ids(await stored(a))).toEqual([
      chain.dwCatalogEntryId,
      1001,
      1002,
      1003,
      1004,
      1005,
      1006,
      layer.dwCatalogEntryId,
    ]);
  });

  test('CFG-WSCInstallProvider, CFG-WSCInstallProvider64_32, CFG-FAIL-07, CFG-FAIL-08 arguments, and the same GUID again', async () => {
    const { a } = await fresh();
    const layer = layerOf(named(await stored(a), 'MSAFD Tcpip [TCP/IP]'), 'lsp');
    for (const install of [a.WSCInstallProvider, a.WSCInstallProvider64_32]) {
      expect(await install(null, '/x', [layer])).toBe(-WSAEFAULT);
      expect(await install(guid(1), null, [layer])).toBe(-WSAEFAULT);
      expect(await install(guid(1), '/x', null)).toBe(-WSAEFAULT);
      expect(await install(guid(1), '/x', [layer], 2)).toBe(-WSAEFAULT);
      expect(await install(guid(1), '/x', [layer], 0)).toBe(-WSAEINVAL);
      expect(await install('not a guid', '/x', [layer])).toBe(-WSAEINVAL);
      expect(await install(guid(1), 'p'.repeat(260), [layer])).toBe(-WSAEINVAL);
      expect(await install(guid(1), '/x', [{ ...layer, ChainLen: 8 }])).toBe(-WSAEINVAL);
    }
    await ok(a.WSCInstallProvider64_32(guid(1), '/x', [layer]));
    expect(await a.WSCInstallProvider(guid(1), '/x', [layer])).toBe(-WSANO_RECOVERY);
    expect(await stored(a)).toHaveLength(7);
  });

  test('CFG-WSCInstallProviderAndChains, CFG-WSCInstallProviderAndChains64_32, CFG-FAIL-06 chains come first, up to seven', async () => {
    const { a } = await fresh();
    const tcp = named(await stored(a), 'MSAFD Tcpip [TCP/IP]');
    const entry = { value: 0 };
    await ok(a.WSCInstallProviderAndChains(guid(1), '/1.mjs', 'one', 0, null, 0, entry));
    expect(named(await stored(a), 'one').dwCatalogEntryId).toBe(entry.value);
    expect((await stored(a)).slice(0, 6).every(({ ChainLen }) => ChainLen === 2)).toBe(true);
    for (let n = 2; n <= 6; n++) {
      await ok(a.WSCInstallProviderAndChains64_32(guid(n), `/${n}.mjs`, null, `n${n}`, 0, [tcp], 1, entry));
    }
    expect((await stored(a))[0]?.ChainLen).toBe(7);
    expect(await a.WSCInstallProviderAndChains(guid(7), '/7.mjs', 'seven', 0, [tcp])).toBe(-WSANO_RECOVERY);
    expect(await a.WSCInstallProviderAndChains(null, '/7.mjs', 'seven', 0)).toBe(-WSAEINVAL);
    expect(await a.WSCInstallProviderAndChains(guid(7), null, 'seven', 0)).toBe(-WSAEFAULT);
    expect(await a.WSCInstallProviderAndChains(guid(7), '/7.mjs', 'n'.repeat(256), 0)).toBe(-WSAEINVAL);
    expect(await a.WSCInstallProviderAndChains(guid(7), '/7.mjs', 'seven', 0, [tcp], 0)).toBe(-WSAEINVAL);
    expect(await a.WSCInstallProviderAndChains(guid(7), '/7.mjs', 'seven', 0, [tcp], 2)).toBe(-WSAEFAULT);
    expect(await a.WSCInstallProviderAndChains(guid(1), '/7.mjs', 'seven', 0)).toBe(-WSAEINVAL);
    expect(await a.WSCInstallProviderAndChains(guid(1), '/1.mjs', 'one', 0)).toBe(-WSANO_RECOVERY);
  });

  test('CFG-WSCDeinstallProvider, CFG-WSCDeinstallProvider32, CFG-SEQ-05, CFG-FAIL-01 what was installed goes, and nothing else', async () => {
    const { a } = await fresh();
    await ok(a.WSCInstallProviderAndChains(guid(1), '/1.mjs', 'one', 0));
    await ok(a.WSCDeinstallProvider(`{${guid(1)}}`));
    expect(await stored(a)).toHaveLength(12);
    expect(await a.WSCDeinstallProvider32(guid(1))).toBe(-WSAEINVAL);
    expect(await a.WSCDeinstallProvider(null)).toBe(-WSAEFAULT);
    expect(await a.WSCDeinstallProvider(named(await stored(a), 'MSAFD Tcpip [TCP/IP]').ProviderId)).toBe(
      -WSANO_RECOVERY,
    );
  });

  test('CFG-WSCUpdateProvider, CFG-WSCUpdateProvider32, CFG-WSCGetProviderPath, CFG-WSCGetProviderPath32', async () => {
    const { a } = await fresh();
    const layer = layerOf(named(await stored(a), 'MSAFD Tcpip [TCP/IP]'), 'lsp');
    await ok(a.WSCInstallProvider(guid(1), '%HOME%/lsp.mjs', [layer]));
    const before = named(await stored(a), 'lsp');
    const [path, room] = [{ value: '' }, { value: 15 }];
    for (const get of [a.WSCGetProviderPath, a.WSCGetProviderPath32]) {
      room.value = 14;
      expect(await get(guid(1), path, room)).toBe(-WSAEFAULT);
      expect(room.value).toBe(15);
      expect(await get(guid(1), path, room)).toBe(0);
      expect(path.value).toBe('%HOME%/lsp.mjs');
      expect(await get(guid(2), path, room)).toBe(-WSAEINVAL);
      expect(await get(guid(1), null, room)).toBe(-WSAEFAULT);
    }
    await ok(a.WSCUpdateProvider(guid(1), '/new.mjs', [{ ...layer, szProtocol: 'new' }]));
    expect(named(await stored(a), 'new').dwCatalogEntryId).toBe(before.dwCatalogEntryId);
    await ok(a.WSCUpdateProvider32(guid(1), '/newer.mjs', [{ ...before, szProtocol: 'newer' }]));
    await ok(a.WSCGetProviderPath(guid(1), path, { value: 260 }));
    expect(path.value).toBe('/newer.mjs');
    expect(await a.WSCUpdateProvider(guid(2), '/x', [layer])).toBe(-WSAEINVAL);
    expect(await a.WSCUpdateProvider(null, '/x', [layer])).toBe(-WSAEFAULT);
  });

  test('CFG-WSCWriteProviderOrder, CFG-WSCWriteProviderOrder32 return the error itself', async () => {
    const { a } = await fresh();
    for (const write of [a.WSCWriteProviderOrder, a.WSCWriteProviderOrder32]) {
      expect(await write(null, 1)).toBe(WSAEINVAL);
      expect(await write([1001])).toBe(WSAEINVAL);
      expect(await write([1006, 1005, 1004, 1003, 1002, 1001], 6)).toBe(0);
      expect(ids(await stored(a))).toEqual([1006, 1005, 1004, 1003, 1002, 1001]);
      expect(await write([1001, 1002, 1003, 1004, 1005, 1006])).toBe(0);
    }
  });

  test('CFG-WSCSetProviderInfo, CFG-WSCSetProviderInfo32, CFG-WSCGetProviderInfo, CFG-WSCGetProviderInfo32', async () => {
    const { a } = await fresh();
    await ok(a.WSCInstallProviderAndChains(guid(1), '/1.mjs', 'one', 0));
    const chain = (await stored(a))[0]?.ProviderId ?? '';
    const info = Uint8Array.of(LSP_FIREWALL, 0, 0, 0x80);
    for (const set of [a.WSCSetProviderInfo, a.WSCSetProviderInfo32]) {
      expect(await set(guid(1), ProviderInfoLspCategories, info)).toBe(0);
      expect(await set(guid(1), ProviderInfoAudit, info)).toBe(-ERROR_CALL_NOT_IMPLEMENTED);
      expect(await set(guid(1), ProviderInfoLspCategories, null)).toBe(-WSAEFAULT);
      expect(await set(guid(1), ProviderInfoLspCategories, info, 3)).toBe(-WSAEFAULT);
      expect(await set(guid(1), ProviderInfoLspCategories, info, 5)).toBe(-WSAEFAULT);
      expect(await set(guid(1), 2, info)).toBe(-WSAEINVAL);
      expect(await set(guid(1), ProviderInfoLspCategories, info, 4, 1)).toBe(-WSAEINVAL);
      expect(await set(chain, ProviderInfoLspCategories, info)).toBe(-WSAEINVAL);
    }
    for (const get of [a.WSCGetProviderInfo, a.WSCGetProviderInfo32]) {
      const [into, size] = [new Uint8Array(16), { value: 3 }];
      expect(await get(guid(1), ProviderInfoLspCategories, into, size)).toBe(-WSAEFAULT);
      expect(size.value).toBe(4);
      expect(await get(guid(1), ProviderInfoLspCategories, into, size)).toBe(0);
      expect(i32le(into, 0) >>> 0).toBe(LSP_SYSTEM + LSP_FIREWALL);
      expect(await get(guid(1), ProviderInfoAudit, into, size)).toBe(-WSAEFAULT);
      expect(await get(guid(1), ProviderInfoAudit, into, size)).toBe(0);
      expect(i32le(into, 0)).toBe(16);
      expect(await get(chain, ProviderInfoLspCategories, into, size)).toBe(-WSAEINVALIDPROVIDER);
      expect(await get(guid(1), 2, into, size)).toBe(-WSAEINVAL);
      expect(await get(guid(1), ProviderInfoLspCategories, into, size, 1)).toBe(-WSAEINVAL);
      expect(await get(null, ProviderInfoLspCategories, into, size)).toBe(-WSAEFAULT);
    }
  });

  test('CFG-WSCSetApplicationCategory, CFG-WSCGetApplicationCategory by path and command line', async () => {
    const { a } = await fresh();
    const value = { value: -1 };
    expect(await a.WSCGetApplicationCategory('/app', 4, null, 0, value)).toBe(-WSASERVICE_NOT_FOUND);
    expect(await a.WSCSetApplicationCategory('/app', 4, null, 0, LSP_FIREWALL, value)).toBe(0);
    expect(value.value).toBe(0);
    expect(await a.WSCSetApplicationCategory('/app', 5, '-x', 2, LSP_SYSTEM)).toBe(0);
    expect(await a.WSCSetApplicationCategory('/app', 4, '', 0, LSP_SYSTEM, value)).toBe(0);
    expect(value.value).toBe(LSP_FIREWALL);
    expect(await a.WSCGetApplicationCategory('/app and more', 4, '-x', 2, value)).toBe(0);
    expect(value.value).toBe(LSP_SYSTEM);
    for (const [path, length] of [
      [null, 0],
      ['', 0],
      ['/app', 6],
      ['/app', -1],
    ] as const) {
      expect(await a.WSCSetApplicationCategory(path, length, null, 0, 1)).toBe(-WSAEINVAL);
      expect(await a.WSCGetApplicationCategory(path, length, null, 0, value)).toBe(-WSAEINVAL);
    }
    expect(await a.WSCGetApplicationCategory('/app', 4, null, 0, null)).toBe(-WSAEINVAL);
  });

  test('CFG-WSCInstallProvider, CFG-WSCInstallNameSpace a user without the right reads, and changes nothing', async () => {
    const { processOn } = await fresh();
    const ws = await processOn('a', 4711);
    const layer = layerOf(named(await stored(ws), 'MSAFD Tcpip [TCP/IP]'), 'lsp');
    expect(await ws.WSCInstallProvider(guid(1), '/x', [layer])).toBe(-WSANO_RECOVERY);
    expect(await ws.WSCInstallProviderAndChains(guid(1), '/x', 'x', 0)).toBe(-WSANO_RECOVERY);
    expect(await ws.WSCDeinstallProvider(guid(1))).toBe(-WSANO_RECOVERY);
    expect(await ws.WSCWriteProviderOrder([1])).toBe(WSANO_RECOVERY);
    expect(await ws.WSCInstallNameSpace('n', '/x', 12, 1, guid(1))).toBe(-10013);
    expect(await ws.WSCWriteNameSpaceOrder([])).toBe(WSANO_RECOVERY);
    expect(await stored(ws)).toHaveLength(6);
    const mobile = await processOn('a', 4711, 'windows-mobile');
    expect(await mobile.WSCInstallNameSpace('n', '/x', 12, 1, guid(1))).toBe(-WSANO_RECOVERY);
  });
});
