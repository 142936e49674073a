/**
 * A whole exchange with an echo server, as applications of the three models write it: blocking calls, a non-blocking socket with
 * select, overlapped operations with an event.
 */

import { expect } from '@jest/globals';
import {
  FD_CLOSE,
  FD_CONNECT,
  FD_READ,
  FD_WRITE,
  FIONBIO,
  SD_SEND,
  STATUS_PENDING,
  WSA_IO_PENDING,
  WSAEWOULDBLOCK,
} from '../../src/abi/index.ts';
import type { WSAOVERLAPPED } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { listening, name, ok, ready, tcp } from '../conformance/support.ts';

/** Long enough for any of these, in virtual time, ms. */
const LONG = 600_000;

/** Serves one connection: sends back all that comes, until its end. @returns the port, and when it is over */
export async function echoServer(ws: Winsock): Promise<{ port: number; over: Promise<void> }> {
  const { s: listener, port } = await listening(ws);
  const serve = async (): Promise<void> => {
    const s = await ok(ws.accept(listener));
    const bytes = new Uint8Array(4096);
    for (;;) {
      const count = await ws.recv(s, bytes);
      if (count <= 0) break;
      let at = 0;
      while (at < count) at += await ok(ws.send(s, bytes.subarray(at, count)));
    }
    await ok(ws.closesocket(s));
    await ok(ws.closesocket(listener));
  };
  return { port, over: serve() };
}

/** An application: connects, sends all of `bytes`, ends, and answers what came back until the peer's end. */
export type EchoClient = (ws: Winsock, to: Uint8Array, bytes: Uint8Array) => Promise<Uint8Array>;

const blocking: EchoClient = async (ws, to, bytes) => {
  const s = await tcp(ws);
  await ok(ws.connect(s, to));
  const sending = (async () => {
    let at = 0;
    while (at < bytes.length) at += await ok(ws.send(s, bytes.subarray(at)));
    await ok(ws.shutdown(s, SD_SEND));
  })();
  const came: Uint8Array[] = [];
  for (;;) {
    const room = new Uint8Array(3000);
    const count = await ok(ws.recv(s, room));
    if (count === 0) break;
    came.push(room.subarray(0, count));
  }
  await sending;
  await ok(ws.closesocket(s));
  return Buffer.concat(came);
};

const selecting: EchoClient = async (ws, to, bytes) => {
  const s = await tcp(ws);
  await ok(ws.ioctlsocket(s, FIONBIO, { value: 1 }));
  expect([0, -WSAEWOULDBLOCK]).toContain(await ws.connect(s, to));
  await ready(ws, s, 'write');
  const came: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const reads = { fd_array: [s] };
    const writes = at < bytes.length ? { fd_array: [s] } : null;
    expect(await ws.select(0, reads, writes, null, { tv_sec: LONG / 1000, tv_usec: 0 })).toBeGreaterThan(0);
    if (writes !== null && writes.fd_array.length > 0) {
      const sent = await ws.send(s, bytes.subarray(at));
      if (sent === -WSAEWOULDBLOCK) continue;
      at += await ok(sent);
      if (at === bytes.length) await ok(ws.shutdown(s, SD_SEND));
    }
    if (reads.fd_array.length > 0) {
      const room = new Uint8Array(3000);
      const count = await ok(ws.recv(s, room));
      if (count === 0) break;
      came.push(room.subarray(0, count));
    }
  }
  await ok(ws.closesocket(s));
  return Buffer.concat(came);
};

const overlapped: EchoClient = async (ws, to, bytes) => {
  const s = await tcp(ws);
  await ok(ws.connect(s, to));
  const makeRecord = async (): Promise<WSAOVERLAPPED> => ({
    Internal: 0,
    InternalHigh: 0,
    Offset: 0,
    OffsetHigh: 0,
    hEvent: await ok(ws.WSACreateEvent()),
  });
  const [outgoing, incoming] = [await makeRecord(), await makeRecord()];
  const end = async (record: WSAOVERLAPPED): Promise<number> => {
    expect(await ws.WSAWaitForMultipleEvents(1, [record.hEvent], true, LONG)).toBe(0);
    expect(record.Internal).not.toBe(STATUS_PENDING);
    const count = { value: -1 };
    await ok(ws.WSAGetOverlappedResult(s, record, count, false, { value: 0 }));
    return count.value;
  };
  const sending = (async () => {
    let at = 0;
    while (at < bytes.length) {
      const part = bytes.subarray(at, at + 5000);
      expect([0, -WSA_IO_PENDING]).toContain(await ws.WSASend(s, [part], 1, { value: 0 }, 0, outgoing, null));
      at += await end(outgoing);
    }
    await ok(ws.shutdown(s, SD_SEND));
  })();
  const came: Uint8Array[] = [];
  for (;;) {
    const room = new Uint8Array(3000);
    const begun = await ws.WSARecv(s, [room], 1, { value: 0 }, { value: 0 }, incoming, null);
    expect([0, -WSA_IO_PENDING]).toContain(begun);
    const count = await end(incoming);
    if (count === 0) break;
    came.push(room.subarray(0, count));
  }
  await sending;
  for (const { hEvent } of [outgoing, incoming]) await ok(ws.WSACloseEvent(hEvent));
  await ok(ws.closesocket(s));
  return Buffer.concat(came);
};

const events: EchoClient = async (ws, to, bytes) => {
  const s = await tcp(ws);
  const event = await ok(ws.WSACreateEvent());
  await ok(ws.WSAEventSelect(s, event, FD_CONNECT | FD_READ | FD_WRITE | FD_CLOSE));
  expect(await ws.connect(s, to)).toBe(-WSAEWOULDBLOCK);
  const came: Uint8Array[] = [];
  let at = 0;
  let isShut = false;
  let isOver = false;
  while (!isOver) {
    expect(await ws.WSAWaitForMultipleEvents(1, [event], false, LONG)).toBe(0);
    const happened = { lNetworkEvents: 0, iErrorCode: new Array<number>(10).fill(0) };
    await ok(ws.WSAEnumNetworkEvents(s, event, happened));
    const { lNetworkEvents } = happened;
    if ((lNetworkEvents & FD_WRITE) !== 0) {
      while (at < bytes.length) {
        const sent = await ws.send(s, bytes.subarray(at));
        if (sent === -WSAEWOULDBLOCK) break;
        at += await ok(sent);
      }
      if (at === bytes.length && !isShut) {
        isShut = true;
        await ok(ws.shutdown(s, SD_SEND));
      }
    }
    if ((lNetworkEvents & (FD_READ | FD_CLOSE)) === 0) continue;
    for (;;) {
      const room = new Uint8Array(3000);
      const count = await ws.recv(s, room);
      if (count === -WSAEWOULDBLOCK) break;
      await ok(count);
      if (count === 0) {
        isOver = true;
        break;
      }
      came.push(room.subarray(0, count));
    }
  }
  await ok(ws.closesocket(s));
  await ok(ws.WSACloseEvent(event));
  return Buffer.concat(came);
};

export const ECHO_CLIENTS: readonly (readonly [model: string, client: EchoClient])[] = [
  ['blocking calls', blocking],
  ['a non-blocking socket and select', selecting],
  ['overlapped operations and events', overlapped],
  ['network events', events],
];

/** Bytes that differ from place to place. */
export function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
}

/** Runs a client on `a` against a server on `b` at that address. */
export async function echoOver(
  a: Winsock,
  b: Winsock,
  client: EchoClient,
  address: string,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const { port, over } = await echoServer(b);
  const came = await client(a, name(address, port), bytes);
  await over;
  return came;
}
