import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_STREAM,
  WSAEFAULT,
  WSAEINTR,
  WSAENOTSOCK,
  WSANOTINITIALISED,
  WSAVERNOTSUPPORTED,
} from '../../src/abi/index.ts';
import { MAKEWORD, negotiateVersion, type Winsock } from '../../src/winsock/index.ts';
import { connected, listening, localName, name, overEveryAttachment, tcp, udp, wsadata } from './support.ts';

const V10 = MAKEWORD(1, 0);
const V11 = MAKEWORD(1, 1);
const V20 = MAKEWORD(2, 0);
const V22 = MAKEWORD(2, 2);

describe('version negotiation', () => {
  test.each([
    ['SEM-VER-01', V11, [V11], 0, V11, V11],
    ['SEM-VER-02', V11, [V10], 0, V10, V10],
    ['SEM-VER-03', V10, [V10, V11], 0, V10, V11],
    ['SEM-VER-04', V11, [V10], 0, V10, V10],
    ['SEM-VER-05', V10, [V11], WSAVERNOTSUPPORTED, V11, V11],
    ['SEM-VER-06', V20, [V10, V11], 0, V11, V11],
    ['SEM-VER-07', V20, [V10, V11, V20], 0, V20, V20],
  ])('%s request %d of a DLL with %j', (_id, requested, supported, error, wVersion, wHighVersion) => {
    expect(negotiateVersion(requested, supported)).toEqual({ error, wVersion, wHighVersion });
  });

  test.each([
    [1, 0, 1, 0],
    [1, 1, 1, 1],
    [2, 0, 2, 0],
    [2, 1, 2, 1],
    [2, 2, 2, 2],
  ])('SEM-VER-08 request %d.%d gives %d.%d', (major, minor, ...given) => {
    expect(negotiateVersion(MAKEWORD(major, minor))).toEqual({
      error: 0,
      wVersion: MAKEWORD(given[0] as number, given[1] as number),
      wHighVersion: V22,
    });
  });

  test.each([
    ['SEM-VER-09', 1, 5, V11, 0],
    ['SEM-VER-10', 2, 3, V22, 0],
    ['SEM-VER-10', 9, 0, V22, 0],
    ['SEM-VER-11', 0, 0, V22, WSAVERNOTSUPPORTED],
    ['SEM-VER-11', 0, 9, V22, WSAVERNOTSUPPORTED],
  ])('%s request %d.%d', (_id, major, minor, wVersion, error) => {
    expect(negotiateVersion(MAKEWORD(major, minor))).toEqual({ error, wVersion, wHighVersion: V22 });
  });
});

overEveryAttachment('WSAStartup and WSACleanup', (pair) => {
  test('SEM-VER-13 version 2 has its limits at 0 and the texts of Windows', async () => {
    const ws = await (await pair()).processOn('a');
    const data = wsadata();
    expect(await ws.WSAStartup(V22, data)).toBe(0);
    expect(data).toEqual({
      wVersion: V22,
      wHighVersion: V22,
      iMaxSockets: 0,
      iMaxUdpDg: 0,
      szDescription: 'WinSock 2.0',
      szSystemStatus: 'Running',
    });
  });

  test('SEM-VER-13 version 1 is told 32767 sockets and 65467 bytes', async () => {
    const ws = await (await pair()).processOn('a');
    const data = wsadata();
    expect(await ws.WSAStartup(V11, data)).toBe(0);
    expect([data.wVersion, data.wHighVersion, data.iMaxSockets, data.iMaxUdpDg]).toEqual([
      V11,
      V22,
      32767,
      65467,
    ]);
  });

  test('API-WSAStartup without a place for the data is WSAEFAULT, and does not count', async () => {
    const ws = await (await pair()).processOn('a');
    expect(await ws.WSAStartup(V22, null)).toBe(-WSAEFAULT);
    expect(await ws.WSACleanup()).toBe(-WSANOTINITIALISED);
  });

  test('SEM-VER-11 a refused version does not count', async () => {
    const ws = await (await pair()).processOn('a');
    expect(await ws.WSAStartup(MAKEWORD(0, 1), wsadata())).toBe(-WSAVERNOTSUPPORTED);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSANOTINITIALISED);
  });

  test('SEM-VER-14 calls nest: a socket lives until the last WSACleanup', async () => {
    const { a } = await pair();
    await a.WSAStartup(V11, wsadata());
    const s = await tcp(a);
    expect(await a.WSACleanup()).toBe(0);
    expect(await a.listen(s, 1)).not.toBe(-WSAENOTSOCK);
    expect(await a.WSACleanup()).toBe(0);
    expect(await a.listen(s, 1)).toBe(-WSANOTINITIALISED);
  });

  test('SEM-VER-15 after the last WSACleanup and a new start, old sockets are WSAENOTSOCK', async () => {
    const { a } = await pair();
    const s = await udp(a);
    await a.WSACleanup();
    await a.WSAStartup(V22, wsadata());
    expect(await a.bind(s, name('0.0.0.0', 0))).toBe(-WSAENOTSOCK);
  });

  test('SEM-VER-15 the last WSACleanup ends what waits', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    const accepting = a.accept(s);
    await a.WSACleanup();
    expect(await accepting).toBe(-WSAEINTR);
  });

  test('SEM-VER-15 the last WSACleanup gives ports back', async () => {
    const { a } = await pair();
    const { port } = await listening(a);
    await a.WSACleanup();
    await a.WSAStartup(V22, wsadata());
    const s = await tcp(a);
    expect(await a.bind(s, name('0.0.0.0', port))).toBe(0);
    expect((await localName(a, s)).port).toBe(port);
  });

  test('SEM-VER-15 the peer of an open connection sees its end', async () => {
    const { a, b } = await pair();
    const { server } = await connected({ a, b });
    await a.WSACleanup();
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
  });

  test('SEM-VER-16, API-WSACleanup one WSACleanup too many is WSANOTINITIALISED', async () => {
    const { a } = await pair();
    expect(await a.WSACleanup()).toBe(0);
    expect(await a.WSACleanup()).toBe(-WSANOTINITIALISED);
  });

  const CALLS: readonly [string, (ws: Winsock) => number | Promise<number>][] = [
    ['socket', (ws) => ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)],
    ['WSASocket', (ws) => ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)],
    ['closesocket', (ws) => ws.closesocket(256)],
    ['bind', (ws) => ws.bind(256, name('0.0.0.0', 0))],
    ['connect', (ws) => ws.connect(256, null)],
    ['accept', (ws) => ws.accept(256)],
    ['send', (ws) => ws.send(256, null)],
    ['recv', (ws) => ws.recv(256, null)],
    ['select', (ws) => ws.select(0, null)],
    ['WSAPoll', (ws) => ws.WSAPoll(null, 0, 0)],
    ['getsockopt', (ws) => ws.getsockopt(256, 0, 0, null, null)],
    ['ioctlsocket', (ws) => ws.ioctlsocket(256, 0, null)],
    ['WSACreateEvent', (ws) => ws.WSACreateEvent()],
    ['WSAEnumProtocols', (ws) => ws.WSAEnumProtocols(null, null, null)],
    ['WSAWaitForMultipleEvents', (ws) => ws.WSAWaitForMultipleEvents(0, null, false, 0)],
  ];
  test.each(CALLS)('SEM-VER-17 %s before WSAStartup is WSANOTINITIALISED', async (_name, call) => {
    const ws = await (await pair()).processOn('a');
    expect(await call(ws)).toBe(-WSANOTINITIALISED);
  });
});
