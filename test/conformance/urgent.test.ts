/** Out-of-band data over every way to the sockets: SEM-OOB-*, and the options that belong to it. */

import { expect, test } from '@jest/globals';
import {
  FD_OOB,
  FIONREAD,
  IPPROTO_TCP,
  MSG_OOB,
  MSG_PARTIAL,
  SIOCATMARK,
  SO_OOBINLINE,
  SOL_SOCKET,
  TCP_BSDURGENT,
  TCP_EXPEDITED_1122,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
  type WSANETWORKEVENTS,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import {
  connected,
  getInt,
  int,
  nonBlocking,
  ok,
  overEveryAttachment,
  ready,
  receiveText,
  text,
} from './support.ts';

async function oob(ws: Winsock, s: number): Promise<string> {
  const byte = new Uint8Array(1);
  await ok(ws.recv(s, byte, 1, MSG_OOB));
  return String.fromCharCode(byte[0] as number);
}

async function ioctl(ws: Winsock, s: number, code: number): Promise<number> {
  const value = { value: -1 };
  await ok(ws.ioctlsocket(s, code, value));
  return value.value;
}

overEveryAttachment('urgent data', (pair) => {
  test('SEM-OOB-01, SEM-OOB-02, SEM-OOB-07 the last byte of an urgent send leaves the stream', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('abcX'), 4, MSG_OOB));
    await ok(a.send(client, text('def')));
    await ready(b, server, 'except');
    expect(await oob(b, server)).toBe('X');
    expect(await receiveText(b, server)).toBe('abc');
    await ready(b, server);
    expect(await ioctl(b, server, FIONREAD)).toBe(3);
    expect(await receiveText(b, server)).toBe('def');
  });

  test('SEM-OOB-03, SEM-EV-03 several sent at once are queued, and FD_OOB is signaled for each', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const event = await ok(b.WSACreateEvent());
    await ok(b.WSAEventSelect(server, event, FD_OOB));
    for (const byte of ['1', '2', '3']) await ok(a.send(client, text(byte), 1, MSG_OOB));
    let read = '';
    while (read.length < 3) {
      expect(await b.WSAWaitForMultipleEvents(1, [event], true, 2000)).toBe(0);
      const events: WSANETWORKEVENTS = { lNetworkEvents: -1, iErrorCode: [] };
      await ok(b.WSAEnumNetworkEvents(server, event, events));
      if ((events.lNetworkEvents & FD_OOB) !== 0) read += await oob(b, server);
    }
    expect(read).toBe('123');
  });

  test('SEM-OOB-04, SEM-OOB-06 without one: WSAEWOULDBLOCK, and SIOCATMARK is TRUE', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await nonBlocking(b, server);
    expect(await b.recv(server, new Uint8Array(1), 1, MSG_OOB)).toBe(-WSAEWOULDBLOCK);
    expect(await ioctl(b, server, SIOCATMARK)).toBe(1);
    await ok(a.send(client, text('X'), 1, MSG_OOB));
    await ready(b, server, 'except');
    expect(await ioctl(b, server, SIOCATMARK)).toBe(0);
  });

  test('SEM-OOB-05, SEM-OOB-04, SEM-IO-07 in line it takes three reads to pass it, and MSG_OOB is WSAEINVAL', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(b.setsockopt(server, SOL_SOCKET, SO_OOBINLINE, int(1)));
    await ok(a.send(client, text('abX'), 3, MSG_OOB));
    await ok(a.send(client, text('cd')));
    expect(await b.recv(server, new Uint8Array(1), 1, MSG_OOB)).toBe(-WSAEINVAL);
    const read: string[] = [];
    for (let i = 0; i < 3; i++) {
      await ready(b, server);
      read.push(await receiveText(b, server));
    }
    expect(read).toEqual(['ab', 'X', 'cd']);
    expect(await ioctl(b, server, SIOCATMARK)).toBe(1);
  });

  test('SEM-OOB-01, OPT-TCP_EXPEDITED_1122, OPT-TCP_BSDURGENT each style can be switched on once, never off', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const styles = async (): Promise<number[]> => [
      await getInt(a, client, IPPROTO_TCP, TCP_BSDURGENT),
      await getInt(a, client, IPPROTO_TCP, TCP_EXPEDITED_1122),
    ];
    expect(await styles()).toEqual([1, 0]);
    expect(await a.setsockopt(client, IPPROTO_TCP, TCP_BSDURGENT, int(0))).toBe(-WSAEINVAL);
    await ok(a.setsockopt(client, IPPROTO_TCP, TCP_EXPEDITED_1122, int(1)));
    await ok(a.setsockopt(client, IPPROTO_TCP, TCP_EXPEDITED_1122, int(1)));
    expect(await styles()).toEqual([0, 1]);
    expect(await a.setsockopt(client, IPPROTO_TCP, TCP_EXPEDITED_1122, int(0))).toBe(-WSAEINVAL);
    expect(await a.setsockopt(client, IPPROTO_TCP, TCP_BSDURGENT, int(1))).toBe(-WSAEINVAL);
    // Both sides have to agree: the other one, in BSD style, takes the byte before.
    await ok(a.send(client, text('abX'), 3, MSG_OOB));
    await ready(b, server, 'except');
    expect(await oob(b, server)).toBe('b');
  });

  test('SEM-IO-06 a stream is not made of messages: MSG_PARTIAL is refused in send and means nothing in recv', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    expect(await a.send(client, text('x'), 1, MSG_PARTIAL)).toBe(-WSAEOPNOTSUPP);
    await ok(a.send(client, text('y')));
    await ready(b, server);
    expect(await b.recv(server, new Uint8Array(9), 9, MSG_PARTIAL)).toBe(1);
  });
});
