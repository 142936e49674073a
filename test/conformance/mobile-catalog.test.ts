/** The catalog of Windows Mobile: its base provider, which providers mix, and what a running process sees (CAT-WM, WM-04 … WM-06). */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAESOCKTNOSUPPORT,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import { MAKEWORD } from '../../src/winsock/index.ts';
import { passThrough } from '../support/chains.ts';
import { INSTALLED } from './attachment.ts';
import { chainOf, guid, ids, installed, layerOf, named, stored, visible } from './catalog-support.ts';
import { bound, name, ok, overEveryAttachment, overRoomFor, udp, wsadata } from './support.ts';

overRoomFor(
  1,
  'the catalog of Windows Mobile',
  (open) => {
    /** The built-in entries by the members that matter. */
    const WSPM = [
      [1001, 'WSPM TCP/IPv4', AF_INET, SOCK_STREAM, 6, 0x2_0066, 8],
      [1002, 'WSPM UDP/IPv4', AF_INET, SOCK_DGRAM, 17, 0x2_0609, 8],
      [1003, 'WSPM TCP/IPv6', AF_INET6, SOCK_STREAM, 6, 0x2_0066, 8],
      [1004, 'WSPM UDP/IPv6', AF_INET6, SOCK_DGRAM, 17, 0x2_0409, 8],
      [1005, 'WSPM RAW/IPv4', AF_INET, SOCK_RAW, 0, 0x2_0609, 0xc],
    ];
    const AT_ONCE = { tv_sec: 0, tv_usec: 0 };

    test('CAT-WM TCP and UDP of both families and hidden raw sockets of IPv4, all of one provider', async () => {
      const pair = await open();
      pair.attachment.freshCatalog();
      const a = await installed(pair);
      const base = (await stored(a)).filter(({ ChainLen }) => ChainLen === 1);
      expect(
        base.map((entry) => [
          entry.dwCatalogEntryId,
          entry.szProtocol,
          entry.iAddressFamily,
          entry.iSocketType,
          entry.iProtocol,
          entry.dwServiceFlags1,
          entry.dwProviderFlags,
        ]),
      ).toEqual(WSPM);
      expect(new Set(base.map(({ ProviderId }) => ProviderId)).size).toBe(1);
      expect((await visible(a)).some(({ iSocketType }) => iSocketType === SOCK_RAW)).toBe(false);
      await ok(a.socket(AF_INET, SOCK_RAW, 253));
      expect(await a.socket(AF_INET6, SOCK_RAW, 253)).toBe(-WSAESOCKTNOSUPPORT);
    });

    test('CAT-WM, WM-06, SEM-SEL-07 select mixes all protocols of one ProviderId, and no two providers', async () => {
      const { a, attachment } = await open();
      const all = [
        await ok(a.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)),
        await ok(a.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)),
        await ok(a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP)),
        await ok(a.socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP)),
      ];
      const writable = { fd_array: [...all] };
      expect(await a.select(0, null, writable, null, AT_ONCE)).toBe(2);
      expect(writable.fd_array).toEqual([all[1], all[3]]);
      const base = named(await stored(a), 'WSPM UDP/IPv4');
      const below = await ok(a.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, base));
      const mixed = a.select(0, null, { fd_array: [below, ...all] }, null, AT_ONCE);
      expect(await mixed).toBe(attachment.layers > 0 ? -WSAEINVAL : 3);
    });

    test('CAT-WM, WM-06 chains that are installed under one id mix; each under its own, they do not', async () => {
      const pair = await open();
      pair.attachment.freshCatalog();
      const layer = passThrough({ handles: 'own' }).startup;
      const loadProvider = (path: string) =>
        path === '/lsp.mjs' ? layer : pair.attachment.loadProvider(path);
      const a = await installed(pair, { loadProvider });
      const below = (await visible(a)).slice(0, 2);
      const [tcp, udp] = below as [WSAPROTOCOL_INFO, WSAPROTOCOL_INFO];
      await ok(a.WSCInstallProvider(guid(1), '/lsp.mjs', [layerOf(tcp, 'lsp')]));
      const { dwCatalogEntryId: id } = named(await stored(a), 'lsp');
      const chains = [chainOf(tcp, id, 'one'), chainOf(udp, id, 'one')];
      await ok(a.WSCInstallProvider(guid(2), '/lsp.mjs', chains));
      const together = [...(await stored(a)).filter(({ ProviderId }) => ProviderId === guid(2))];
      await ok(a.WSCInstallProvider(guid(3), '/lsp.mjs', [chainOf(udp, id, 'other')]));
      const apart = (await stored(a)).find(({ ProviderId }) => ProviderId === guid(3));
      const socketOf = (info: WSAPROTOCOL_INFO | undefined): Promise<number> => {
        if (info === undefined) throw new Error('no such chain');
        return ok(a.WSASocket(info.iAddressFamily, info.iSocketType, info.iProtocol, info));
      };
      const fresh = await installed(pair, { loadProvider });
      expect(await visible(fresh)).toEqual(await visible(a));
      const [s, t] = [await socketOf(together[0]), await socketOf(together[1])];
      const u = await socketOf(apart);
      expect(await a.select(0, null, { fd_array: [s, t] }, null, AT_ONCE)).toBe(1);
      expect(await a.select(0, null, { fd_array: [s, u] }, null, AT_ONCE)).toBe(-WSAEINVAL);
      expect(await a.select(0, null, { fd_array: [t, u] }, null, AT_ONCE)).toBe(-WSAEINVAL);
      pair.attachment.freshCatalog();
    });

    test('CAT-WM, WM-06 a provider that is put over everything at once has one id for its chains', async () => {
      const pair = await open();
      pair.attachment.freshCatalog();
      const a = await installed(pair);
      await ok(a.WSCInstallProviderAndChains(guid(1), '/lsp.mjs', 'lsp', 0));
      const chains = (await stored(a)).filter(({ szProtocol }) => szProtocol.startsWith('lsp over'));
      expect(chains).toHaveLength(WSPM.length);
      expect(new Set(chains.map(({ ProviderId }) => ProviderId)).size).toBe(1);
      pair.attachment.freshCatalog();
    });

    test('WM-03, WM-10 nothing is ordered: the newest chain is first; text is wide', async () => {
      const pair = await open();
      pair.attachment.freshCatalog();
      const a = await installed(pair);
      const all = await stored(a);
      expect(await a.WSCWriteProviderOrder(ids(all))).toBe(WSAEOPNOTSUPP);
      const tcp = named(all, 'WSPM TCP/IPv4');
      await ok(a.WSCInstallProvider(guid(1), '/x', [layerOf(tcp, 'lsp')]));
      const { dwCatalogEntryId } = named(await stored(a), 'lsp');
      await ok(a.WSCInstallProvider(guid(2), '/x', [chainOf(tcp, dwCatalogEntryId, 'lsp')]));
      expect((await stored(a))[0]?.szProtocol).toBe('lsp over [WSPM TCP/IPv4]');
      const room = { value: 0 };
      await a.WSCEnumProtocols(null, [], room);
      expect(room.value).toBe((all.length + 2) * 628);
      pair.attachment.freshCatalog();
    });

    test('WM-04, WM-05 a process sees what is installed meanwhile; its old sockets stay where they are', async () => {
      const pair = await open();
      pair.attachment.freshCatalog();
      const layer = passThrough({ handles: 'own' }).startup;
      const loadProvider = (path: string) =>
        path === '/lsp.mjs' ? layer : pair.attachment.loadProvider(path);
      const a = await installed(pair, { loadProvider });
      const before = (await visible(a)).length;
      const old = await bound(a, udp);
      const changed = { value: 0 };
      await ok(a.WSAProviderConfigChange(changed));
      const change = a.WSAProviderConfigChange(changed);
      await ok(a.WSCInstallProviderAndChains(guid(1), '/lsp.mjs', 'lsp', 0));
      expect(await change).toBe(0);
      while ((await visible(a)).length === before) await new Promise((resolve) => setImmediate(resolve));
      expect((await visible(a))[0]?.szProtocol).toMatch(/^lsp over \[/);
      const [young, six] = [await bound(a, udp), await ok(a.socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP))];
      const writable = (...fd_array: number[]) => a.select(0, null, { fd_array }, null, AT_ONCE);
      expect(await writable(old.s)).toBe(1);
      expect(await writable(young.s, six)).toBe(2);
      expect(await writable(old.s, young.s)).toBe(-WSAEINVAL);
      // Both go on: what one sends, the other receives.
      await ok(a.sendto(old.s, Buffer.from('x'), 1, 0, name('127.0.0.1', young.port)));
      expect(await a.recv(young.s, new Uint8Array(4))).toBe(1);
      pair.attachment.freshCatalog();
    });
  },
  'windows-mobile',
);

overEveryAttachment('a process of Windows Mobile on another host', (open) => {
  test('CAT-WM, WM-01 has the names of its own base provider, with the ids of the host', async () => {
    const pair = await open();
    pair.attachment.freshCatalog();
    const ws = await pair.processOn('a', 0, 'windows-mobile', INSTALLED);
    const base = (await stored(ws)).filter(({ ChainLen }) => ChainLen === 1);
    expect(base.map((entry) => [entry.dwCatalogEntryId, entry.szProtocol])).toEqual([
      [1001, 'WSPM TCP/IPv4'],
      [1002, 'WSPM UDP/IPv4'],
      [1003, 'WSPM RAW/IPv4'],
      [1004, 'WSPM TCP/IPv6'],
      [1005, 'WSPM UDP/IPv6'],
    ]);
    expect(new Set(base.map(({ ProviderId }) => ProviderId)).size).toBe(1);
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    await ok(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
  });
});
