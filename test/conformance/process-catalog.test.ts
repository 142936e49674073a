/** The catalog that a process runs with, and what becomes of its sockets when that is a bad one (CFG-FAIL-02, -04, -05). */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  readWSAPROTOCOL_INFOW,
  SO_PROTOCOL_INFOW,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  WSAEPROVIDERFAILEDINIT,
  WSAPROTOCOL_INFOW_LEN,
} from '../../src/abi/index.ts';
import { MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { passThrough } from '../support/chains.ts';
import { guid, ids, installed, named, stored, visible } from './catalog-support.ts';
import { ok, overRoomFor, wsadata } from './support.ts';

overRoomFor(1, 'the catalog of a process', (open) => {
  const listed = async (ws: Winsock): Promise<string[]> =>
    (await visible(ws)).map(({ szProtocol }) => szProtocol);

  /** What serves a socket. */
  const entryOf = async (ws: Winsock, s: number): Promise<string> => {
    const info = new Uint8Array(WSAPROTOCOL_INFOW_LEN);
    await ok(ws.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, info, { value: info.length }));
    return readWSAPROTOCOL_INFOW(info)?.szProtocol ?? '';
  };

  test('CFG-FAIL-05, CFG-WSCUpdateProvider, CAT-LOAD-01 is the one that it started with, until its last WSACleanup', async () => {
    const pair = await open();
    pair.attachment.freshCatalog();
    const a = await installed(pair);
    const before = await listed(a);
    const tcp = named(await stored(a), 'MSAFD Tcpip [TCP/IP]');
    await ok(a.WSCInstallProviderAndChains(guid(1), '/nowhere/lsp.mjs', 'lsp', 0, [tcp]));
    expect(await listed(a)).toEqual(before);
    // Its sockets go on as they were: nothing is loaded from /nowhere.
    await ok(a.closesocket(await ok(a.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP))));
    const first = `lsp over [${before[0]}]`;
    const later = await installed(pair);
    expect((await listed(later))[0]).toBe(first);
    await ok(a.WSAStartup(MAKEWORD(2, 2), wsadata()));
    await ok(a.WSACleanup());
    expect(await listed(a)).toEqual(before);
    await ok(a.WSACleanup());
    await ok(a.WSAStartup(MAKEWORD(2, 2), wsadata()));
    expect((await listed(a))[0]).toBe(first);
    expect(await a.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
    pair.attachment.freshCatalog();
  });

  test('CFG-FAIL-02 a module that is gone fails all sockets of its protocols, and no others', async () => {
    const pair = await open();
    pair.attachment.freshCatalog();
    const installer = await installed(pair);
    const tcp = named(await stored(installer), 'MSAFD Tcpip [TCP/IP]');
    await ok(installer.WSCInstallProviderAndChains(guid(1), '/nowhere/lsp.mjs', 'lsp', 0, [tcp]));
    const ws = await installed(pair);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(await ws.socket(AF_INET, SOCK_STREAM, 0)).toBe(-WSAEPROVIDERFAILEDINIT);
    await ok(ws.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
    await ok(ws.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    // The base provider can be named, whatever stands before it.
    const s = await ok(ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, tcp, 0, 0));
    expect(await entryOf(ws, s)).toBe('MSAFD Tcpip [TCP/IP]');
    pair.attachment.freshCatalog();
  });

  test('CFG-FAIL-04 the base above the chain goes around the layer, and nothing says so', async () => {
    const pair = await open();
    pair.attachment.freshCatalog();
    const installer = await installed(pair);
    const seen: string[] = [];
    const spy = passThrough({ handles: 'own' }, (call) => void seen.push(call)).startup;
    const loadProvider = (path: string) => (path === '/spy.mjs' ? spy : pair.attachment.loadProvider(path));
    const tcp = named(await stored(installer), 'MSAFD Tcpip [TCP/IP]');
    await ok(installer.WSCInstallProviderAndChains(guid(1), '/spy.mjs', 'spy', 0, [tcp]));
    const before = await installed(pair, { loadProvider });
    await ok(before.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    expect(seen.splice(0)).toContain('WSPSocket');
    const entries = await stored(installer);
    const order = [...entries.filter(({ ChainLen }) => ChainLen === 1), ...entries];
    expect(await installer.WSCWriteProviderOrder([...new Set(ids(order))])).toBe(0);
    const after = await installed(pair, { loadProvider });
    const s = await ok(after.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    expect(await entryOf(after, s)).toBe('MSAFD Tcpip [TCP/IP]');
    expect(seen).toEqual([]);
    // The chain is still there for whoever asks for it.
    const chain = entries.find(({ ChainLen, ProviderId }) => ChainLen > 1 && ProviderId !== guid(1));
    if (chain === undefined) throw new Error('no chain');
    await ok(after.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, chain));
    expect(seen).toContain('WSPSocket');
    pair.attachment.freshCatalog();
  });
});
