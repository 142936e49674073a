/**
 * One session of an application with a server, whose packets follow from its calls alone: it sends, waits for the answer, and sends again.
 * Streams with urgent data, gathered and overlapped sends, a half-close; datagrams, of no byte and of more than one packet.
 *
 * The server is `wire-peer.py` in the kernel's namespace, or {@link serveSession} over another Winsock.
 */

import {
  AF_INET,
  AF_INET6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  MSG_OOB,
  SD_SEND,
  SOCK_DGRAM,
  SOCK_STREAM,
  WSA_IO_PENDING,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { int, name, ok, ready } from '../conformance/support.ts';

/** Bytes of the rounds of a stream; each is answered with twice as many. */
export const ROUNDS = [1, 17, 500, 700];
/** Bytes of a gathered send, of an overlapped one, and of the server's last words. */
const [GATHERED, OVERLAPPED, LAST] = [300, 400, 600];
/** Bytes of datagrams, which come back as they are. */
export const DATAGRAMS = [10, 1000, 0, 3000];
const [IP_TOS, IP_TTL, IPV6_UNICAST_HOPS] = [3, 4, 4];
const TTL = 77;

/** Where the two sides are. */
export interface Ends {
  readonly own: string;
  readonly peer: string;
  readonly ownPort: number;
  readonly peerPort: number;
}

function bytesOf(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff);
}

async function receive(ws: Winsock, s: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = await ok(ws.recv(s, bytes.subarray(at)));
    if (count === 0) break;
    at += count;
  }
  return bytes.subarray(0, at);
}

async function open(ws: Winsock, type: number, protocol: number, { own, ownPort }: Ends): Promise<number> {
  const isSix = own.includes(':');
  const s = await ok(ws.socket(isSix ? AF_INET6 : AF_INET, type, protocol));
  const [level, hops] = isSix ? [IPPROTO_IPV6, IPV6_UNICAST_HOPS] : [IPPROTO_IP, IP_TTL];
  await ok(ws.setsockopt(s, level, hops, int(TTL)));
  if (!isSix) await ok(ws.setsockopt(s, IPPROTO_IP, IP_TOS, int(0x10)));
  await ok(ws.bind(s, name(own, ownPort)));
  return s;
}

/** The stream. @returns all that came */
export async function streamSession(ws: Winsock, ends: Ends): Promise<string> {
  const s = await open(ws, SOCK_STREAM, IPPROTO_TCP, ends);
  await ok(ws.connect(s, name(ends.peer, ends.peerPort)));
  const came: Uint8Array[] = [];
  for (const [i, size] of ROUNDS.entries()) {
    await ok(ws.send(s, bytesOf(size, i)));
    came.push(await receive(ws, s, 2 * size));
  }
  await ok(ws.send(s, Uint8Array.of(0x55), 1, MSG_OOB));
  await ready(ws, s, 'except');
  const urgent = new Uint8Array(1);
  await ok(ws.recv(s, urgent, 1, MSG_OOB));
  came.push(urgent);
  const parts = [bytesOf(100, 9), bytesOf(GATHERED - 100, 10)];
  await ok(ws.WSASend(s, parts, 2, { value: 0 }));
  came.push(await receive(ws, s, GATHERED));
  came.push(await overlappedRound(ws, s));
  await ok(ws.shutdown(s, SD_SEND));
  came.push(await receive(ws, s, LAST));
  came.push(await receive(ws, s, 1));
  await ok(ws.closesocket(s));
  return Buffer.concat(came).toString('hex');
}

async function overlappedRound(ws: Winsock, s: number): Promise<Uint8Array> {
  const event = await ok(ws.WSACreateEvent());
  const room = new Uint8Array(OVERLAPPED);
  let at = 0;
  const end = async (answer: number | Promise<number>, record: { hEvent: number }): Promise<number> => {
    const begun = await answer;
    if (begun !== -WSA_IO_PENDING) await ok(begun);
    await ok(ws.WSAWaitForMultipleEvents(1, [record.hEvent], true, 60_000));
    const count = { value: 0 };
    await ok(ws.WSAGetOverlappedResult(s, record as never, count, false, { value: 0 }));
    return count.value;
  };
  const fresh = () => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: event });
  const out = fresh();
  await end(ws.WSASend(s, [bytesOf(OVERLAPPED, 11)], 1, null, 0, out), out);
  while (at < OVERLAPPED) {
    const into = fresh();
    at += await end(ws.WSARecv(s, [room.subarray(at)], 1, null, { value: 0 }, into), into);
  }
  await ok(ws.WSACloseEvent(event));
  return room;
}

/** The datagrams. @returns all that came */
export async function datagramSession(ws: Winsock, ends: Ends): Promise<string> {
  const s = await open(ws, SOCK_DGRAM, IPPROTO_UDP, ends);
  const to = name(ends.peer, ends.peerPort);
  const came: Uint8Array[] = [];
  const room = new Uint8Array(4000);
  for (const [i, size] of DATAGRAMS.entries()) {
    const bytes = bytesOf(size, i);
    if (i % 2 === 0) await ok(ws.sendto(s, bytes, size, 0, to));
    else await ok(ws.WSASendTo(s, [bytes.subarray(0, 7), bytes.subarray(7)], 2, { value: 0 }, 0, to));
    came.push(room.slice(0, await ok(ws.recvfrom(s, room))));
  }
  await ok(ws.closesocket(s));
  return Buffer.concat(came).toString('hex');
}

/** Serves both once, at an address and a port, from now on. @returns when both are over */
export async function serveSession(
  ws: Winsock,
  { peer, peerPort }: Ends,
): Promise<{ readonly over: Promise<unknown> }> {
  const family = peer.includes(':') ? AF_INET6 : AF_INET;
  const listener = await ok(ws.socket(family, SOCK_STREAM, IPPROTO_TCP));
  await ok(ws.bind(listener, name(peer, peerPort)));
  await ok(ws.listen(listener, 1));
  const echo = await ok(ws.socket(family, SOCK_DGRAM, IPPROTO_UDP));
  await ok(ws.bind(echo, name(peer, peerPort)));
  const serveStream = async (): Promise<void> => {
    const s = await ok(ws.accept(listener));
    await ok(ws.closesocket(listener));
    for (const size of ROUNDS) {
      const got = await receive(ws, s, size);
      await ok(ws.send(s, Buffer.concat([got, got])));
    }
    await ready(ws, s, 'except');
    await ok(ws.recv(s, new Uint8Array(1), 1, MSG_OOB));
    await ok(ws.send(s, Uint8Array.of(0x56), 1, MSG_OOB));
    for (const size of [GATHERED, OVERLAPPED]) await ok(ws.send(s, await receive(ws, s, size)));
    await receive(ws, s, 1);
    await ok(ws.send(s, bytesOf(LAST, 12)));
    await ok(ws.closesocket(s));
  };
  const serveDatagrams = async (): Promise<void> => {
    const room = new Uint8Array(4000);
    for (const _ of DATAGRAMS) {
      const from = new Uint8Array(28);
      const fromlen = { value: 28 };
      const count = await ok(ws.recvfrom(echo, room, room.length, 0, from, fromlen));
      await ok(ws.sendto(echo, room, count, 0, from, fromlen.value));
    }
    await ok(ws.closesocket(echo));
  };
  return { over: Promise.all([serveStream(), serveDatagrams()]) };
}
