/** Handles and what a socket is from its birth: reuse, the overlapped attribute, calls that never wait, callers who have left. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  CF_DEFER,
  FROM_PROTOCOL_INFO,
  INVALID_SOCKET,
  IPPROTO_TCP,
  SD_BOTH,
  SO_LINGER,
  SO_OPENTYPE,
  SO_RCVBUF,
  SOCK_STREAM,
  SOL_SOCKET,
  WSA_FLAG_OVERLAPPED,
  WSA_IO_PENDING,
  WSAECONNRESET,
  WSAEINTR,
  WSAEMFILE,
  WSAENOTSOCK,
  WSAEWOULDBLOCK,
  type WSAPROTOCOL_INFO,
  WSATRY_AGAIN,
} from '../../src/abi/index.ts';
import type { Ref, WSAOVERLAPPED } from '../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  int,
  listening,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  overSystemHandles,
  overVirtualTime,
  passTime,
  ready,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

/** What an overlapped receive on a connection answers before anything has come: a number, or a promise when the call blocks. */
async function overlappedReceive(ws: Winsock, s: number): Promise<number | 'blocks'> {
  const hEvent = await ok(ws.WSACreateEvent());
  const record: WSAOVERLAPPED = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
  const answer = ws.WSARecv(s, [new Uint8Array(4)], 1, { value: 0 }, { value: 0 }, record, null);
  return typeof answer === 'number' ? answer : 'blocks';
}

/** A socket of host a, connected to host b. */
async function joined(a: Winsock, b: Winsock, s: number): Promise<void> {
  const { port } = await listening(b);
  await ok(a.connect(s, name(ADDRESS_B, port)));
}

overVirtualTime('the overlapped attribute', (pair) => {
  test('SEM-SOCK-04, API-socket, API-WSASocket socket gives it, WSASocket only when asked, SO_OPENTYPE takes it from socket', async () => {
    const { a, b } = await pair();
    const made = {
      socket: await tcp(a),
      withFlag: await ok(a.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, null, 0, WSA_FLAG_OVERLAPPED)),
      without: await ok(a.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, null, 0, 0)),
      synchronous: 0,
    };
    // SO_SYNCHRONOUS_NONALERT; any handle will do.
    await ok(a.setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, int(0x20)));
    made.synchronous = await tcp(a);
    await ok(a.setsockopt(INVALID_SOCKET, SOL_SOCKET, SO_OPENTYPE, int(0)));
    const seen: unknown[] = [];
    for (const s of Object.values(made)) {
      await joined(a, b, s);
      seen.push(await overlappedReceive(a, s));
    }
    expect(seen).toEqual([-WSA_IO_PENDING, -WSA_IO_PENDING, 'blocks', 'blocks']);
  });

  test('SEM-DUP-05 that of a duplicate is its own', async () => {
    const { a, b } = await pair();
    const s = await tcp(a);
    await joined(a, b, s);
    const open = async (flags: number): Promise<number> => {
      const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
      await ok(a.WSADuplicateSocket(s, process.pid, info));
      const all = FROM_PROTOCOL_INFO;
      return ok(a.WSASocket(all, all, all, info.value, 0, flags));
    };
    expect(await overlappedReceive(a, await open(0))).toBe('blocks');
    expect(await overlappedReceive(a, await open(WSA_FLAG_OVERLAPPED))).toBe(-WSA_IO_PENDING);
  });

  test('SEM-BLK-02, API-bind, API-listen, API-getsockname, API-getpeername, API-getsockopt, API-setsockopt, API-shutdown never wait; accept, connect, recv, select do', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const s = await tcp(a);
    const connecting = a.connect(s, name(ADDRESS_B, port));
    const names = new Uint8Array(16);
    const atOnce = [
      a.bind(await udp(a), name('0.0.0.0', 0)),
      a.listen((await bound(a, tcp)).s, 1),
      a.getsockname(s, names),
      a.getpeername(s, names),
      a.getsockopt(s, SOL_SOCKET, SO_RCVBUF, new Uint8Array(4)),
      a.setsockopt(s, SOL_SOCKET, SO_RCVBUF, int(4096)),
      a.shutdown(s, SD_BOTH),
    ];
    expect(atOnce.map((answer) => typeof answer)).toEqual(atOnce.map(() => 'number'));
    const waiting = [
      connecting,
      b.accept((await listening(b)).s),
      b.accept(listener),
      b.select(0, { fd_array: [listener] }),
    ];
    expect(waiting.map((answer) => typeof answer)).toEqual(waiting.map(() => 'object'));
    expect(typeof a.recv((await bound(a, udp)).s, new Uint8Array(1))).toBe('object');
  });
});

overSystemHandles('numbers of handles', (pair) => {
  test('SEM-C-04 the handle closed last is given out next, to sockets and event objects alike, and never 0', async () => {
    const { a } = await pair();
    const handles = [await tcp(a), await udp(a), await ok(a.WSACreateEvent())] as [number, number, number];
    expect(handles.every((handle) => handle > 0 && handle % 4 === 0)).toBe(true);
    expect(new Set(handles).size).toBe(3);
    await ok(a.closesocket(handles[0]));
    await ok(a.closesocket(handles[1]));
    expect(await ok(a.WSACreateEvent())).toBe(handles[1]);
    expect(await tcp(a)).toBe(handles[0]);
    // What it was before does not come back.
    expect(await a.getsockname(handles[1], new Uint8Array(16))).toBe(-WSAENOTSOCK);
  });
});

overEveryAttachment('handles', (pair) => {
  test('SEM-C-06, SEM-BLK-08 a close wakes what waits on the handle, and the next socket of that handle has nothing of it', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const receiving = a.recv(client, new Uint8Array(1));
    await ok(a.closesocket(client));
    const fresh = await tcp(a);
    expect(fresh).toBe(client);
    expect(await receiving).toBe(-WSAEINTR);
    const { s, port } = await listening(b);
    await ok(a.connect(fresh, name(ADDRESS_B, port)));
    await ok(b.send(await ok(b.accept(s)), text('new')));
    expect(await receiveText(a, fresh)).toBe('new');
  });

  test('API-socket, API-WSASocket past a session’s bound is WSAEMFILE; each close makes room for one', async () => {
    const { attachment } = await pair();
    const limits = { sockets: 3, pendingRequests: 100, bytes: 1 << 20 };
    const identity = { pid: process.pid, uid: 0, gid: 0 };
    const ws = createWinsock({ port: attachment.hosts.a.afd.openSession(identity, limits) });
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const sockets = [await tcp(ws), await udp(ws), await tcp(ws)] as [number, number, number];
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEMFILE);
    await ok(ws.closesocket(sockets[1]));
    expect(await tcp(ws)).toBe(sockets[1]);
    expect(await ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEMFILE);
    await ok(ws.WSACleanup());
  });
});

overEveryAttachment('callers who have left', (pair) => {
  async function reset(ws: Winsock, s: number): Promise<void> {
    await ok(ws.setsockopt(s, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(ws.closesocket(s));
  }

  test('SEM-ACC-06 one that was deferred and reset is still given, and its recv fails', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    expect(await b.WSAAccept(s, null, null, () => CF_DEFER)).toBe(-WSATRY_AGAIN);
    await reset(a, client);
    await passTime(b, 20);
    const server = await ok(b.accept(s));
    expect(await b.recv(server, new Uint8Array(1))).toBe(-WSAECONNRESET);
  });

  test('SEM-ACC-06, SEM-EV-26 one that was reset in the queue is gone: the readiness was stale, and the next caller is served', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    await nonBlocking(b, s);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ready(b, s);
    await reset(a, client);
    await passTime(b, 20);
    expect(await b.accept(s)).toBe(-WSAEWOULDBLOCK);
    const next = await tcp(a);
    await ok(a.connect(next, name(ADDRESS_B, port)));
    await ready(b, s);
    await ok(a.send(next, text('me')));
    const server = await ok(b.accept(s));
    await ready(b, server);
    expect(await receiveText(b, server)).toBe('me');
  });
});
