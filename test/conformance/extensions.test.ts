import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  ERROR_CONNECTION_REFUSED,
  ERROR_INSUFFICIENT_BUFFER,
  ERROR_INVALID_PARAMETER,
  IP_PKTINFO,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_TCP,
  MSG_CTRUNC,
  MSG_PEEK,
  MSG_TRUNC,
  POLLOUT,
  parseGuid,
  RIO_FUNCTION_TABLE_LEN,
  readControlMessages,
  SD_SEND,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  SO_CONNECT_TIME,
  SO_KEEPALIVE,
  SO_UPDATE_ACCEPT_CONTEXT,
  SO_UPDATE_CONNECT_CONTEXT,
  SOL_SOCKET,
  STATUS_PENDING,
  TCP_FASTOPEN,
  TF_DISCONNECT,
  TF_REUSE_SOCKET,
  TP_ELEMENT_EOP,
  TP_ELEMENT_FILE,
  TP_ELEMENT_MEMORY,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_OPERATION_ABORTED,
  WSACMSGHDR_LEN,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINVAL,
  WSAEISCONN,
  WSAEMSGSIZE,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAID_ACCEPTEX,
  WSAID_CONNECTEX,
  WSAID_DISCONNECTEX,
  WSAID_GETACCEPTEXSOCKADDRS,
  WSAID_MULTIPLE_RIO,
  WSAID_TRANSMITFILE,
  WSAID_TRANSMITPACKETS,
  WSAID_WSAPOLL,
  WSAID_WSARECVMSG,
  WSAID_WSASENDMSG,
  writeControlHead,
} from '../../src/abi/index.ts';
import { putI32le } from '../../src/base/index.ts';
import {
  type ExtensionFunctions,
  functionAt,
  type Ref,
  RIO_TABLE,
  readPointer,
  type TransmitSource,
  type WSAMSG,
  type WSAOVERLAPPED,
} from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import {
  ended,
  isEmpty,
  packet,
  pending,
  portOf,
  record,
  recordWithEvent,
  result,
  SOON,
} from './overlapped-support.ts';
import {
  bound,
  connected,
  datagramPair,
  getInt,
  int,
  listening,
  name,
  nameIn,
  ok,
  overEveryAttachment,
  overSystemHandles,
  type Pair,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

const NAME_ROOM = 16 + 16;

/** An AcceptEx on host b with room for `data` bytes. */
async function acceptEx(b: Winsock, listener: number, data = 0) {
  const target = await tcp(b);
  const overlapped = await recordWithEvent(b);
  const buffer = new Uint8Array(data + 2 * NAME_ROOM);
  const count: Ref = { value: -1 };
  const answer = await b.AcceptEx(listener, target, buffer, data, NAME_ROOM, NAME_ROOM, count, overlapped);
  return { target, overlapped, buffer, count, answer };
}

/** The names that AcceptEx left: [local, remote]. */
async function namesIn(ws: Winsock, buffer: Uint8Array, data = 0) {
  const [local, remote] = [{ value: null }, { value: null }] as Ref<Uint8Array | null>[] as [
    Ref<Uint8Array | null>,
    Ref<Uint8Array | null>,
  ];
  await ok(
    ws.GetAcceptExSockaddrs(buffer, data, NAME_ROOM, NAME_ROOM, local, { value: 0 }, remote, { value: 0 }),
  );
  return [local, remote].map(({ value }) => nameIn(value ?? new Uint8Array(0)));
}

/** Asks for functions by GUID. */
const ask = async (ws: Winsock, s: number, code: number, guid: string, room: number) => {
  const out = new Uint8Array(room);
  const id = parseGuid(guid) ?? new Uint8Array(3);
  const count: Ref = { value: -1 };
  const answer = await ws.WSAIoctl(s, code, id, id.length, out, room, count);
  return { answer, out, count: count.value };
};

overEveryAttachment('AcceptEx', (pair) => {
  test('API-AcceptEx, SEM-OV-17 without room for data it is done when somebody connects, and knows both names', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const { target, overlapped, buffer, answer, count } = await acceptEx(b, listener);
    expect([answer, count.value]).toEqual([-WSA_IO_PENDING, -1]);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    expect(await ended(b, listener, overlapped)).toEqual([0, 0]);
    const local = new Uint8Array(16);
    await ok(a.getsockname(client, local));
    expect(await namesIn(b, buffer)).toEqual([{ address: ADDRESS_B, port }, nameIn(local)]);
    await ok(a.send(client, text('hello')));
    expect(await receiveText(b, target)).toBe('hello');
  });

  test('SEM-OV-17 with room for data it is done with the first of it; SO_CONNECT_TIME tells of a silent caller', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const { target, overlapped, buffer, answer } = await acceptEx(b, listener, 100);
    expect(answer).toBe(-WSA_IO_PENDING);
    expect(await getInt(b, target, SOL_SOCKET, SO_CONNECT_TIME)).toBe(-1);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    while ((await getInt(b, target, SOL_SOCKET, SO_CONNECT_TIME)) < 0) await b.SleepEx(5);
    expect((await result(b, listener, overlapped))[0]).toBe(996);
    await ok(a.send(client, text('first')));
    expect(await ended(b, listener, overlapped)).toEqual([0, 5]);
    expect(new TextDecoder().decode(buffer.subarray(0, 5))).toBe('first');
    expect((await namesIn(b, buffer, 100))[0]).toEqual({ address: ADDRESS_B, port });
  });

  test('API-AcceptEx a connection that waits already, with data or without', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ok(a.send(client, text('early')));
    expect(await b.select(0, { fd_array: [listener] })).toBe(1);
    const first = await acceptEx(b, listener, 20);
    expect([1, -WSA_IO_PENDING]).toContain(first.answer);
    expect(await ended(b, listener, first.overlapped)).toEqual([0, 5]);
    const other = await tcp(a);
    await ok(a.connect(other, name(ADDRESS_B, port)));
    expect(await b.select(0, { fd_array: [listener] })).toBe(1);
    const second = await acceptEx(b, listener);
    expect([second.answer, second.count.value]).toEqual([1, 0]);
    expect(await ended(b, listener, second.overlapped)).toEqual([0, 0]);
  });

  test('SEM-OV-18 names, shutdown and the listener’s options come with SO_UPDATE_ACCEPT_CONTEXT', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    await ok(b.setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, int(1)));
    const { target, overlapped } = await acceptEx(b, listener);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ended(b, listener, overlapped);
    const place = new Uint8Array(16);
    expect(await b.getsockname(target, place)).toBe(-WSAEINVAL);
    expect(await b.getpeername(target, place)).toBe(-WSAENOTCONN);
    expect(await b.shutdown(target, SD_SEND)).toBe(-WSAENOTCONN);
    const set = (value: Uint8Array): number | Promise<number> =>
      b.setsockopt(target, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, value);
    expect(await set(int(0xfff0))).toBe(-WSAENOTSOCK);
    expect(await set(new Uint8Array(2))).toBe(-WSAENOTSOCK);
    const handle = new Uint8Array(8);
    putI32le(handle, 0, listener);
    expect(await set(handle)).toBe(0);
    await ok(b.getsockname(target, place));
    expect(nameIn(place)).toEqual({ address: ADDRESS_B, port });
    await ok(b.getpeername(target, place));
    expect(await getInt(b, target, SOL_SOCKET, SO_KEEPALIVE)).toBe(1);
    await ok(b.shutdown(target, SD_SEND));
    expect(await a.recv(client, new Uint8Array(1))).toBe(0);
  });

  test('SEM-STATE-02, SEM-CONN-06, SEM-OV-21, API-AcceptEx what is refused, in the order of the checks', async () => {
    const { a, b } = await pair();
    const { s: listener } = await listening(b);
    const target = await tcp(b);
    const buffer = new Uint8Array(200);
    const call = (
      from: number,
      to: number,
      into: Uint8Array | null = buffer,
      remote = NAME_ROOM,
      overlapped: WSAOVERLAPPED | null = record(),
      data = 0,
    ): number | Promise<number> => b.AcceptEx(from, to, into, data, NAME_ROOM, remote, null, overlapped);
    expect(await call(0xfff0, target)).toBe(-WSAENOTSOCK);
    expect(await call(listener, 0xfff0)).toBe(-WSAENOTSOCK);
    expect(await call(listener, target, null)).toBe(-WSAEFAULT);
    expect(await call(listener, target, buffer, 0)).toBe(-WSAEFAULT);
    expect(await call(listener, target, buffer, NAME_ROOM, null)).toBe(-ERROR_INVALID_PARAMETER);
    expect(await call(listener, target, buffer, NAME_ROOM, record(), 1000)).toBe(-WSAEFAULT);
    expect(await call(await tcp(b), target)).toBe(-WSAEINVAL);
    expect(await call((await bound(b, tcp)).s, target)).toBe(-WSAEINVAL);
    expect(await call(listener, (await bound(b, tcp)).s)).toBe(-WSAEINVAL);
    expect(await call(listener, await udp(b))).toBe(-WSAEINVAL);
    expect(await call(listener, listener)).toBe(-WSAEINVAL);
    const { client } = await connected({ a: b, b: a } as Pair).catch(() => ({ client: 0 }));
    if (client !== 0) expect(await call(listener, client)).toBe(-WSAEINVAL);
    // SEM-OV-21: the record of a failed call is pending for ever.
    const overlapped = record();
    expect(await call(await tcp(b), target, buffer, NAME_ROOM, overlapped)).toBe(-WSAEINVAL);
    expect(overlapped.Internal).toBe(STATUS_PENDING);
    // SEM-CONN-06: one that waits keeps its socket from everything else.
    await pending(call(listener, target));
    expect(await call(listener, target)).toBe(-WSAEINVAL);
    expect(await b.connect(target, name(ADDRESS_A, 9))).toBe(-WSAEINVAL);
  });

  test('SEM-OV-16 too little room for a name: pending, then ERROR_INSUFFICIENT_BUFFER, and the caller waits on', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const client = await tcp(a);
    for (const [local, remote] of [
      [16 + 15, NAME_ROOM],
      [1, NAME_ROOM],
      [NAME_ROOM, 16 + 15],
    ] as const) {
      const overlapped = await recordWithEvent(b);
      const target = await tcp(b);
      await pending(b.AcceptEx(listener, target, new Uint8Array(100), 0, local, remote, null, overlapped));
      if ((await a.connect(client, name(ADDRESS_B, port))) < 0)
        expect(await b.select(0, { fd_array: [listener] })).toBe(1);
      expect((await ended(b, listener, overlapped))[0]).toBe(WSAEFAULT);
      expect(await b.GetOverlappedResult(listener, overlapped, { value: 0 }, true)).toBe(
        -ERROR_INSUFFICIENT_BUFFER,
      );
    }
    // Local room of 0 is none asked for.
    const overlapped = await recordWithEvent(b);
    const buffer = new Uint8Array(NAME_ROOM);
    const target = await tcp(b);
    expect([1, -WSA_IO_PENDING]).toContain(
      await b.AcceptEx(listener, target, buffer, 0, 0, NAME_ROOM, null, overlapped),
    );
    expect(await ended(b, listener, overlapped)).toEqual([0, 0]);
    const [local, localLength] = [{ value: null as Uint8Array | null }, { value: -7 }];
    const [remote, remoteLength] = [{ value: null as Uint8Array | null }, { value: 0 }];
    await ok(b.GetAcceptExSockaddrs(buffer, 0, 0, NAME_ROOM, local, localLength, remote, remoteLength));
    expect([local.value, localLength.value, remoteLength.value]).toEqual([null, -7, 16]);
    expect(nameIn(remote.value ?? buffer).address).toBe(ADDRESS_A);
  });

  test('API-GetAcceptExSockaddrs hostile buffers and lengths are no exception', async () => {
    const { b } = await pair();
    const [out, length] = [{ value: null as Uint8Array | null }, { value: -1 }];
    const hostile = new Uint8Array(70).fill(0xff);
    for (const [buffer, data, local, remote] of [
      [null, 0, 32, 32],
      [hostile, 0, 32, 32],
      [hostile, 60, 32, 32],
      [hostile, -40, 32, 32],
      [new Uint8Array(0), 0, 32, 32],
    ] as const) {
      await b.GetAcceptExSockaddrs(buffer, data, local, remote, out, length, out, length);
      expect(out.value?.length ?? 0).toBeLessThanOrEqual(16);
    }
    expect(await b.GetAcceptExSockaddrs(hostile, 0, 32, 32, null, null, null, null)).toBe(0);
  });

  test('SEM-ACC-05 several AcceptEx are served in their order, and ahead of FD_ACCEPT', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const first = await acceptEx(b, listener);
    const second = await acceptEx(b, listener);
    const event = await ok(b.WSACreateEvent());
    await ok(b.WSAEventSelect(listener, event, 8));
    for (const each of [first, second]) {
      await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
      expect(await ended(b, listener, each.overlapped)).toEqual([0, 0]);
    }
    expect(await b.WSAWaitForMultipleEvents(1, [event], true, 0)).toBe(258);
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    expect(await b.WSAWaitForMultipleEvents(1, [event], true, SOON)).toBe(0);
  });

  test('API-AcceptEx closing the listener or the socket ends it with WSA_OPERATION_ABORTED; a reset with WSAECONNRESET', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const first = await acceptEx(b, listener);
    await ok(b.closesocket(first.target));
    expect((await ended(b, listener, first.overlapped))[0]).toBe(WSA_OPERATION_ABORTED);
    const second = await acceptEx(b, listener, 10);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    while ((await getInt(b, second.target, SOL_SOCKET, SO_CONNECT_TIME)) < 0) await b.SleepEx(5);
    await ok(a.setsockopt(client, SOL_SOCKET, 0x80, new Uint8Array([1, 0, 0, 0])));
    await ok(a.closesocket(client));
    expect((await ended(b, listener, second.overlapped))[0]).toBe(WSAECONNRESET);
    const third = await acceptEx(b, listener);
    expect(await b.CancelIo(listener)).toBe(1);
    expect((await ended(b, listener, third.overlapped))[0]).toBe(WSA_OPERATION_ABORTED);
    const fourth = await acceptEx(b, listener);
    await ok(b.closesocket(listener));
    expect((await ended(b, third.target, fourth.overlapped))[0]).toBe(WSA_OPERATION_ABORTED);
    // What was not filled is as it was.
    expect(await b.bind(fourth.target, name(ADDRESS_B, 0))).toBe(0);
  });

  test('API-AcceptEx a completion port is told; the record is the one that was given', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const queue = await portOf(b, listener, 11);
    const overlapped = record();
    const target = await tcp(b);
    await pending(b.AcceptEx(listener, target, new Uint8Array(64), 0, 32, 32, null, overlapped));
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    expect(await packet(b, queue)).toEqual({ answer: 1, bytes: 0, key: 11, lpOverlapped: overlapped });
  });
});

overEveryAttachment('ConnectEx', (pair) => {
  const connectEx = async (a: Winsock, port: number, data: Uint8Array | null = null) => {
    const { s } = await bound(a, tcp, ADDRESS_A);
    const overlapped = await recordWithEvent(a);
    const count: Ref = { value: -1 };
    const answer = await a.ConnectEx(
      s,
      name(ADDRESS_B, port),
      16,
      data,
      data?.length ?? 0,
      count,
      overlapped,
    );
    return { s, overlapped, count, answer };
  };

  test('API-ConnectEx, SEM-OV-20 connects a bound socket and sends the data, whose bytes are in the completion', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const { s, overlapped, answer, count } = await connectEx(a, port, text('request'));
    expect([answer, count.value]).toEqual([-WSA_IO_PENDING, -1]);
    const server = await ok(b.accept(listener));
    expect(await ended(a, s, overlapped)).toEqual([0, 7]);
    expect(await receiveText(b, server)).toBe('request');
  });

  test('OPT-TCP_FASTOPEN, SEM-OV-20 with Fast Open on both sides the data of a second ConnectEx arrives all the same, once', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    await ok(b.setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, int(1)));
    for (let round = 0; round < 3; round++) {
      const { s } = await bound(a, tcp, ADDRESS_A);
      await ok(a.setsockopt(s, IPPROTO_TCP, TCP_FASTOPEN, int(1)));
      const overlapped = await recordWithEvent(a);
      await pending(a.ConnectEx(s, name(ADDRESS_B, port), 16, text(`round ${round}`), 7, null, overlapped));
      const server = await ok(b.accept(listener));
      expect(await ended(a, s, overlapped)).toEqual([0, 7]);
      expect(await receiveText(b, server)).toBe(`round ${round}`);
      await ok(a.send(s, text('!')));
      expect(await receiveText(b, server)).toBe('!');
    }
  });

  test('SEM-OV-20 data of more than a send buffer follows whole', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const data = new Uint8Array(400_000).map((_, i) => i % 251);
    const { s, overlapped } = await connectEx(a, port, data);
    const server = await ok(b.accept(listener));
    const all = new Uint8Array(data.length);
    expect(await b.WSARecv(server, [all], 1, { value: 0 }, { value: 8 })).toBe(0);
    expect(await ended(a, s, overlapped)).toEqual([0, data.length]);
    expect(Buffer.compare(all, data)).toBe(0);
  });

  test('SEM-OV-19, SEM-CONN-07 names and shutdown come with SO_UPDATE_CONNECT_CONTEXT', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const { s, overlapped } = await connectEx(a, port);
    expect(await ended(a, s, overlapped)).toEqual([0, 0]);
    const place = new Uint8Array(16);
    expect(await a.getpeername(s, place)).toBe(-WSAENOTCONN);
    expect(await a.shutdown(s, SD_SEND)).toBe(-WSAENOTCONN);
    expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEINVAL);
    expect(await a.ConnectEx(s, name(ADDRESS_B, port), 16, null, 0, null, record())).toBe(-WSAEISCONN);
    await ok(a.send(s, text('x')));
    await ok(a.setsockopt(s, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, int(0), 0));
    await ok(a.getpeername(s, place));
    expect(nameIn(place)).toEqual({ address: ADDRESS_B, port });
    expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEISCONN);
    await ok(a.shutdown(s, SD_SEND));
  });

  test('API-ConnectEx, SEM-STATE-06, SEM-CONN-06 what is refused', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const peer = name(ADDRESS_B, port);
    const { s } = await bound(a, tcp);
    const call = (
      socket: number,
      overlapped: WSAOVERLAPPED | null = record(),
      to: Uint8Array | null = peer,
    ) => a.ConnectEx(socket, to, to?.length ?? 16, null, 0, null, overlapped);
    expect(await call(0xfff0)).toBe(-WSAENOTSOCK);
    expect(await call(s, null)).toBe(-ERROR_INVALID_PARAMETER);
    expect(await call(s, record(), null)).toBe(-WSAEFAULT);
    expect(await call(s, record(), new Uint8Array(4))).toBeLessThan(0);
    expect(await a.ConnectEx(s, peer, 16, null, 5, null, record())).toBe(-WSAEFAULT);
    expect(await call(await tcp(a))).toBe(-WSAEINVAL);
    expect(await call((await listening(a)).s)).toBe(-WSAEINVAL);
    const unreachable = await bound(a, tcp);
    const overlapped = await recordWithEvent(a);
    await pending(call(unreachable.s, overlapped, name('10.0.0.77', 9)));
    expect(await call(unreachable.s)).toBe(-WSAEINVAL);
    expect(await a.connect(unreachable.s, peer)).toBe(-WSAEINVAL);
    expect(await a.getpeername(unreachable.s, new Uint8Array(16))).toBe(-WSAENOTCONN);
    await ok(a.closesocket(unreachable.s));
    expect((await ended(a, s, overlapped))[0]).toBe(WSA_OPERATION_ABORTED);
  });

  test('API-ConnectEx a refusal is in the completion: ERROR_CONNECTION_REFUSED for Win32', async () => {
    const { a, b } = await pair();
    const { s: closed, port } = await listening(b);
    await ok(b.closesocket(closed));
    const { s, overlapped } = await connectEx(a, port, text('lost'));
    expect(await ended(a, s, overlapped)).toEqual([WSAECONNREFUSED, 0]);
    expect(await a.GetOverlappedResult(s, overlapped, { value: 0 }, true)).toBe(-ERROR_CONNECTION_REFUSED);
  });
});

overEveryAttachment('DisconnectEx', (pair) => {
  test('API-DisconnectEx it ends sending and nothing else, may be repeated, and completes', async () => {
    const { a, b } = await pair();
    const { client, server, port } = await connected({ a, b });
    const queue = await portOf(a, client);
    const overlapped = record();
    const answer = await a.DisconnectEx(client, overlapped, 0, 0);
    expect([1, -WSA_IO_PENDING]).toContain(answer);
    expect(await packet(a, queue)).toMatchObject({ answer: 1, lpOverlapped: overlapped }); // SEM-SHUT-12
    expect(await a.send(client, text('x'))).toBe(-WSAESHUTDOWN);
    expect(await a.connect(client, name(ADDRESS_B, port))).toBe(-WSAEISCONN);
    expect(await b.recv(server, new Uint8Array(4))).toBe(0);
    await ok(b.send(server, text('still')));
    expect(await receiveText(a, client)).toBe('still');
    expect(await a.DisconnectEx(client)).toBe(1);
    expect(await isEmpty(a, queue)).toBe(true);
  });

  test('API-DisconnectEx what is refused', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await a.DisconnectEx(0xfff0)).toBe(-WSAENOTSOCK);
    expect(await a.DisconnectEx(await tcp(a), record())).toBe(-WSAENOTCONN);
    expect(await a.DisconnectEx(await udp(a))).toBe(-WSAENOTCONN);
    expect(await a.DisconnectEx(client, null, 0, 1)).toBe(-WSAEINVAL);
    expect(await a.DisconnectEx(client, null, 1)).toBe(-WSAEINVAL);
  });

  test('API-DisconnectEx with TF_REUSE_SOCKET both sockets can be used again, by AcceptEx and by ConnectEx', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const accepting = await acceptEx(b, listener);
    const { s: client } = await bound(a, tcp, ADDRESS_A);
    for (let round = 0; round < 3; round++) {
      const connecting = await recordWithEvent(a);
      await pending(
        a.ConnectEx(client, name(ADDRESS_B, port), 16, text(`round ${round}`), 7, null, connecting),
      );
      const at = round === 0 ? accepting : { ...accepting, overlapped: await recordWithEvent(b) };
      if (round > 0) {
        await b.AcceptEx(listener, at.target, at.buffer, 0, NAME_ROOM, NAME_ROOM, null, at.overlapped);
      }
      expect(await ended(b, listener, at.overlapped)).toEqual([0, 0]);
      expect((await ended(a, client, connecting))[0]).toBe(0);
      expect(await receiveText(b, at.target)).toBe(`round ${round}`);
      const [ofServer, ofClient] = [await recordWithEvent(b), await recordWithEvent(a)];
      await pending(b.DisconnectEx(at.target, ofServer, TF_REUSE_SOCKET));
      expect([1, -WSA_IO_PENDING]).toContain(await a.DisconnectEx(client, ofClient, TF_REUSE_SOCKET));
      expect(await ended(b, at.target, ofServer)).toEqual([0, 0]);
      expect(await ended(a, client, ofClient)).toEqual([0, 0]);
      expect(await b.recv(at.target, new Uint8Array(1))).toBe(-WSAENOTCONN);
      // The client's port is in TIME-WAIT or taken anew; a socket that lost it is bound again by its owner.
      if ((await a.getsockname(client, new Uint8Array(16))) < 0) await ok(a.bind(client, name(ADDRESS_A, 0)));
    }
  });
});

overEveryAttachment('TransmitFile and TransmitPackets', (pair) => {
  const content = new Uint8Array(300_000).map((_, i) => (i * 7) % 253);
  let folder = '';
  let path = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'transmit-'));
    path = join(folder, 'file');
    writeFileSync(path, content);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Reads `length` bytes on host b. */
  const receive = async (b: Winsock, s: number, length: number): Promise<Uint8Array> => {
    const all = new Uint8Array(length);
    expect(await b.WSARecv(s, [all], 1, { value: 0 }, { value: 8 })).toBe(0);
    return all;
  };
  const isSame = (x: Uint8Array, y: Uint8Array): boolean => Buffer.compare(x, y) === 0;

  test('API-TransmitFile, STR-TRANSMIT_FILE_BUFFERS a file between head and tail, by path, descriptor or handle', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const buffers = { Head: text('head'), Tail: text('tail') };
    const sources: TransmitSource[] = [path, openSync(path, 'r'), { fd: openSync(path, 'r') }];
    for (const source of sources) {
      const overlapped = await recordWithEvent(a);
      await pending(a.TransmitFile(client, source, 0, 0, overlapped, buffers, 0));
      const all = await receive(b, server, content.length + 8);
      expect(await ended(a, client, overlapped)).toEqual([0, content.length + 8]);
      expect(new TextDecoder().decode(all.subarray(0, 4))).toBe('head');
      expect(new TextDecoder().decode(all.subarray(-4))).toBe('tail');
      expect(isSame(all.subarray(4, -4), content)).toBe(true);
    }
  });

  test('API-TransmitFile the record says where it starts; without one the descriptor does, and moves on', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = { ...(await recordWithEvent(a)), Offset: 1000 };
    await pending(a.TransmitFile(client, path, 500, 100, overlapped));
    expect(isSame(await receive(b, server, 500), content.subarray(1000, 1500))).toBe(true);
    expect(await ended(a, client, overlapped)).toEqual([0, 500]);
    const fd = openSync(path, 'r');
    for (const from of [0, 10]) {
      expect(await a.TransmitFile(client, fd, 10)).toBe(1);
      expect(isSame(await receive(b, server, 10), content.subarray(from, from + 10))).toBe(true);
    }
  });

  test('API-TransmitFile without a file it sends the buffers alone; TF_DISCONNECT ends sending', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    expect(
      await a.TransmitFile(client, null, 0, 0, null, { Head: text('only'), Tail: null }, TF_DISCONNECT),
    ).toBe(1);
    expect(await receiveText(b, server)).toBe('only');
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
    expect(await a.TransmitFile(client, null, 0, 0, null, { Head: text('x'), Tail: null })).toBe(
      -WSAESHUTDOWN,
    );
  });

  test('API-TransmitFile TF_DISCONNECT and TF_REUSE_SOCKET leave a socket that can be used again', async () => {
    const { a, b } = await pair();
    const { s: listener, port } = await listening(b);
    const { target, overlapped } = await acceptEx(b, listener);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ended(b, listener, overlapped);
    const done = await recordWithEvent(b);
    const flags = TF_DISCONNECT | TF_REUSE_SOCKET;
    await pending(b.TransmitFile(target, null, 0, 0, done, { Head: text('bye'), Tail: null }, flags));
    expect(await receiveText(a, client)).toBe('bye');
    await ok(a.closesocket(client));
    expect(await ended(b, target, done)).toEqual([0, 3]);
    const again = await recordWithEvent(b);
    await pending(b.AcceptEx(listener, target, new Uint8Array(64), 0, 32, 32, null, again));
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    expect(await ended(b, listener, again)).toEqual([0, 0]);
  });

  test('API-TransmitFile what is refused', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const call = (s: number, source: TransmitSource | null, length = 0, flags = 0) =>
      a.TransmitFile(s, source, length, 0, record(), null, flags);
    expect(await call(0xfff0, path)).toBe(-WSAENOTSOCK);
    expect(await call(await tcp(a), path)).toBe(-WSAENOTCONN);
    expect(await call(await udp(a), path)).toBe(-WSAENOTCONN);
    for (const source of [join(folder, 'none'), folder, 12345, -1, { fd: 54321 }]) {
      expect(await call(client, source)).toBe(-WSA_INVALID_HANDLE);
    }
    expect(await call(client, path, -1)).toBe(-WSAEINVAL);
    expect(await call(client, path, 0, 0x1000)).toBe(-WSAEINVAL);
    expect(await call(client, path, 0, TF_REUSE_SOCKET)).toBe(-WSAEINVAL);
  });

  test('API-TransmitFile it can be cancelled, and a close ends it', async () => {
    const { a, b } = await pair();
    for (const end of ['CancelIo', 'closesocket'] as const) {
      const { client } = await connected({ a, b });
      const overlapped = await recordWithEvent(a);
      const endless = { Head: new Uint8Array(8_000_000), Tail: null };
      await pending(a.TransmitFile(client, null, 0, 0, overlapped, endless));
      await ok(a[end](client));
      const other = await tcp(a);
      const [code, bytes] = await ended(a, other, overlapped);
      expect([WSA_OPERATION_ABORTED, WSAENOTSOCK, 10053]).toContain(code);
      expect(bytes).toBeLessThan(8_000_000);
    }
  });

  test('API-TransmitPackets, STR-TRANSMIT_PACKETS_ELEMENT memory and parts of files in their order', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    const elements = [
      { dwElFlags: TP_ELEMENT_MEMORY, cLength: 3, pBuffer: text('abcdef') },
      { dwElFlags: TP_ELEMENT_FILE, cLength: 50, hFile: path, nFileOffset: 20 },
      { dwElFlags: TP_ELEMENT_MEMORY | TP_ELEMENT_EOP, cLength: 1, pBuffer: text('z') },
    ];
    await pending(a.TransmitPackets(client, elements, 3, 0, overlapped, 0));
    const all = await receive(b, server, 54);
    expect(await ended(a, client, overlapped)).toEqual([0, 54]);
    expect([...all]).toEqual([...text('abc'), ...content.subarray(20, 70), ...text('z')]);
  });

  test('API-TransmitPackets on a connected datagram socket each TP_ELEMENT_EOP ends a message', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const memory = (value: string, isLast: boolean) => ({
      dwElFlags: TP_ELEMENT_MEMORY | (isLast ? TP_ELEMENT_EOP : 0),
      cLength: value.length,
      pBuffer: text(value),
    });
    const elements = [
      memory('one', false),
      memory('two', true),
      memory('three', true),
      memory('four', false),
    ];
    expect(await a.TransmitPackets(s, elements, 4)).toBe(-WSAENOTCONN);
    await ok(a.connect(s, name(ADDRESS_B, peerPort)));
    expect(await a.TransmitPackets(s, elements, 4)).toBe(1);
    for (const message of ['onetwo', 'three', 'four']) expect(await receiveText(b, peer)).toBe(message);
    expect(await a.TransmitPackets(s, elements, 4, 0, null, TF_DISCONNECT)).toBe(-WSAEINVAL);
    expect(await a.TransmitPackets(s, null, 0)).toBe(-WSAEFAULT);
    expect(await a.TransmitPackets(s, elements, 5)).toBe(-WSAEFAULT);
    expect(await a.TransmitPackets(s, [{ dwElFlags: 3, cLength: 0 }], 1)).toBe(-WSAEINVAL);
    expect(await a.TransmitPackets(s, [{ dwElFlags: 1, cLength: 9, pBuffer: text('x') }], 1)).toBe(
      -WSAEFAULT,
    );
  });
});

overEveryAttachment('WSASendMsg and WSARecvMsg', (pair) => {
  const message = (fields: Partial<WSAMSG> = {}): WSAMSG => ({
    name: null,
    namelen: 0,
    lpBuffers: null,
    dwBufferCount: 0,
    Control: null,
    dwFlags: 0,
    ...fields,
  });

  test('API-WSARecvMsg, STR-WSAMSG, STR-WSACMSGHDR a message with source, flags and control data', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    await ok(b.setsockopt(peer, IPPROTO_IP, IP_PKTINFO, int(1)));
    const into = [new Uint8Array(3), new Uint8Array(10)];
    const msg = message({
      name: new Uint8Array(16),
      namelen: 16,
      lpBuffers: into,
      dwBufferCount: 2,
      Control: new Uint8Array(64),
    });
    const overlapped = await recordWithEvent(b);
    await pending(b.WSARecvMsg(peer, msg, null, overlapped));
    await ok(a.sendto(s, text('abcdef'), 6, 0, name(ADDRESS_B, peerPort)));
    expect(await ended(b, peer, overlapped)).toEqual([0, 6]);
    expect(nameIn(msg.name ?? new Uint8Array(0))).toEqual({ address: ADDRESS_A, port });
    expect(new TextDecoder().decode(into[0])).toBe('abc');
    const control = readControlMessages((msg.Control ?? new Uint8Array(0)).subarray(0, msg.ControlLength));
    expect(control?.map(({ level, type, data }) => [level, type, [...data.subarray(0, 4)]])).toEqual([
      [IPPROTO_IP, IP_PKTINFO, [10, 0, 0, 2]],
    ]);
    expect(msg.dwFlags).toBe(0);
  });

  test('API-WSARecvMsg, SEM-IO-23 what does not fit is told: MSG_TRUNC and WSAEMSGSIZE, MSG_CTRUNC', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(b.setsockopt(peer, IPPROTO_IP, IP_PKTINFO, int(1)));
    const msg = message({ lpBuffers: [new Uint8Array(2)], dwBufferCount: 1, Control: new Uint8Array(4) });
    await ok(a.sendto(s, text('abcdef'), 6, 0, name(ADDRESS_B, peerPort)));
    expect(await b.WSARecvMsg(peer, msg, { value: 0 })).toBe(-WSAEMSGSIZE);
    expect([msg.dwFlags, msg.ControlLength]).toEqual([MSG_TRUNC | MSG_CTRUNC, 0]);
  });

  test('API-WSARecvMsg MSG_PEEK leaves the message', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.sendto(s, text('abc'), 3, 0, name(ADDRESS_B, peerPort)));
    const count: Ref = { value: 0 };
    const msg = message({ lpBuffers: [new Uint8Array(9)], dwBufferCount: 1, dwFlags: MSG_PEEK });
    expect(await b.WSARecvMsg(peer, msg, count)).toBe(0);
    expect(count.value).toBe(3);
    expect(await receiveText(b, peer)).toBe('abc');
  });

  test('API-WSASendMsg control data says what the options do not', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const ttl = new Uint8Array(WSACMSGHDR_LEN + 8);
    putI32le(ttl, writeControlHead(ttl, 0, ttl.length, IPPROTO_IP, IP_TTL, 4), 9);
    await ok(b.setsockopt(peer, IPPROTO_IP, 21, int(1)));
    const count: Ref = { value: 0 };
    const msg = message({
      name: name(ADDRESS_B, peerPort),
      namelen: 16,
      lpBuffers: [text('ab'), text('c')],
      dwBufferCount: 2,
      Control: ttl,
    });
    expect(await a.WSASendMsg(s, msg, 0, count)).toBe(0);
    expect(count.value).toBe(3);
    const into = message({ lpBuffers: [new Uint8Array(9)], dwBufferCount: 1, Control: new Uint8Array(64) });
    expect(await b.WSARecvMsg(peer, into, count)).toBe(0);
    const [told] = readControlMessages((into.Control ?? ttl).subarray(0, into.ControlLength)) ?? [];
    expect(told?.data[0]).toBe(9);
  });

  test('API-WSASendMsg, API-WSARecvMsg what is refused', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const { s } = await bound(a, udp);
    const count: Ref = { value: 0 };
    const msg = message({ lpBuffers: [new Uint8Array(1)], dwBufferCount: 1 });
    expect(await a.WSASendMsg(0xfff0, null, 0, null)).toBe(-WSAENOTSOCK);
    expect(await a.WSASendMsg(s, null, 0, count)).toBe(-WSAEFAULT);
    expect(await a.WSASendMsg(client, msg, 0, count)).toBe(-WSAEINVAL);
    expect(await a.WSARecvMsg(0xfff0, null, null)).toBe(-WSAENOTSOCK);
    expect(await a.WSARecvMsg(s, null, count)).toBe(-WSAEFAULT);
    expect(await a.WSARecvMsg(s, msg, null)).toBe(-WSAEFAULT);
    expect(await a.WSARecvMsg(client, msg, count)).toBe(-WSAEOPNOTSUPP);
    expect(await a.WSARecvMsg(s, message(), count)).toBe(-WSAEFAULT);
    expect(await a.WSARecvMsg(s, { ...msg, dwBufferCount: 4 }, count)).toBe(-WSAEFAULT);
    expect(await a.WSARecvMsg(s, { ...msg, Control: new Uint8Array(2), ControlLength: 5 }, count)).toBe(
      -WSAEFAULT,
    );
    expect(await a.WSASendMsg(s, { ...msg, Control: new Uint8Array(3) }, 0, count)).toBeLessThan(0);
    // API-WSASendTo: without a place for the count it fails, and the socket has its name.
    const fresh = await udp(a);
    expect(await a.WSASendMsg(fresh, msg, 0, null)).toBe(-WSAEFAULT);
    await ok(a.getsockname(fresh, new Uint8Array(16)));
  });
});

overEveryAttachment('extension function pointers', (pair) => {
  test.each([
    ['AcceptEx', WSAID_ACCEPTEX],
    ['ConnectEx', WSAID_CONNECTEX],
    ['DisconnectEx', WSAID_DISCONNECTEX],
    ['GetAcceptExSockaddrs', WSAID_GETACCEPTEXSOCKADDRS],
    ['TransmitFile', WSAID_TRANSMITFILE],
    ['TransmitPackets', WSAID_TRANSMITPACKETS],
    ['WSAPoll', WSAID_WSAPOLL],
    ['WSARecvMsg', WSAID_WSARECVMSG],
    ['WSASendMsg', WSAID_WSASENDMSG],
  ])('IOC-SIO_GET_EXTENSION_FUNCTION_POINTER %s is a function behind eight bytes', async (_name, guid) => {
    const { a } = await pair();
    const s = await tcp(a);
    const { answer, out, count } = await ask(a, s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, 8);
    expect([answer, count]).toEqual([0, 8]);
    expect(typeof functionAt(readPointer(out))).toBe('function');
    const again = await ask(a, await udp(a), SIO_GET_EXTENSION_FUNCTION_POINTER, guid, 8);
    expect(readPointer(again.out)).toBe(readPointer(out));
  });

  test('IOC-SIO_GET_EXTENSION_FUNCTION_POINTER an unknown GUID is WSAEINVAL, without a completion', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const code = SIO_GET_EXTENSION_FUNCTION_POINTER;
    const unknown = WSAID_ACCEPTEX.replace('B', 'C');
    expect((await ask(a, s, code, unknown, 8)).answer).toBe(-WSAEINVAL);
    expect((await ask(a, s, code, '', 8)).answer).toBe(-WSAEINVAL);
    expect((await ask(a, s, code, WSAID_ACCEPTEX, 7)).answer).toBe(-WSAEFAULT);
    const overlapped = await recordWithEvent(a);
    const id = parseGuid(unknown) ?? new Uint8Array(0);
    expect(await a.WSAIoctl(s, code, id, 16, new Uint8Array(8), 8, { value: 0 }, overlapped)).toBe(
      -WSAEINVAL,
    );
    expect(await a.WSAWaitForMultipleEvents(1, [overlapped.hEvent], true, 0)).toBe(258);
    const known = parseGuid(WSAID_ACCEPTEX) ?? id;
    // SEM-IOC-01: done at once, and completed once with no bytes.
    expect(await a.WSAIoctl(s, code, known, 16, new Uint8Array(8), 8, { value: 0 }, overlapped)).toBe(0);
    expect(await ended(a, s, overlapped)).toEqual([0, 0]);
  });

  test('IOC-SIO_GET_EXTENSION_FUNCTION_POINTER a pointer is called as the function is', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const { out } = await ask(a, client, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_DISCONNECTEX, 8);
    const DisconnectEx = functionAt(readPointer(out)) as ExtensionFunctions['DisconnectEx'];
    expect(await DisconnectEx(client, null, 0, 0)).toBe(1);
    const poll = await ask(a, client, SIO_GET_EXTENSION_FUNCTION_POINTER, WSAID_WSAPOLL, 8);
    const WSAPoll = functionAt(readPointer(poll.out)) as ExtensionFunctions['WSAPoll'];
    const fds = [{ fd: client, events: POLLOUT, revents: 0 }];
    expect(await WSAPoll(fds, 1, SOON)).toBe(1);
    expect(fds[0]?.revents).not.toBe(0);
    expect([functionAt(0), functionAt(readPointer(out) + 1), functionAt(0x7fff_fff0)]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

overSystemHandles('the table of registered I/O', (pair) => {
  test('IOC-SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER the table of registered I/O: its size, then 13 pointers', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const code = SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER;
    const { answer, out, count } = await ask(a, s, code, WSAID_MULTIPLE_RIO, RIO_FUNCTION_TABLE_LEN);
    expect([answer, count, readPointer(out)]).toEqual([0, RIO_FUNCTION_TABLE_LEN, RIO_FUNCTION_TABLE_LEN]);
    const pointers = RIO_TABLE.map((_, i) => readPointer(out, 8 + 8 * i));
    expect(new Set(pointers).size).toBe(13);
    expect(pointers.every((pointer) => functionAt(pointer) !== null)).toBe(true);
    expect((await ask(a, s, code, WSAID_ACCEPTEX, 200)).answer).toBe(-WSAEINVAL);
    expect((await ask(a, s, code, WSAID_MULTIPLE_RIO, 50)).answer).toBe(-WSAEFAULT);
  });
});
