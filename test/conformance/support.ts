/**
 * What conformance tests need over and over: a process that has started Winsock, sockets in a known state, option values.
 */

import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  MAX_PROTOCOL_CHAIN,
  readSockaddr,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOCKADDR_IN_LEN,
  sockaddrOf,
  WSA_WAIT_TIMEOUT,
  type WSADATA,
} from '../../src/abi/index.ts';
import { IpAddress, i32le, putI32le } from '../../src/base/index.ts';
import type { BehaviorProfile } from '../../src/port/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B, ATTACHMENTS, type Attachment, type AttachmentKind } from './attachment.ts';

/** The two processes of a test, one on each host, started at version 2.2. */
export interface Pair {
  readonly a: Winsock;
  readonly b: Winsock;
  readonly attachment: Attachment;
  /** Another process on a host, not started; of user 0 unless another is named. */
  readonly processOn: Attachment['processOn'];
}

/** Runs the tests of `body` once for every way to the sockets. `pair()` is fresh for each test. */
export function overEveryAttachment(subject: string, body: (pair: () => Promise<Pair>) => void): void {
  over(ATTACHMENTS, subject, body);
}

/**
 * As {@link overEveryAttachment}, for tests that install more layers above those that are there: where a chain has room for them. The name
 * of the tests says for how many.
 */
export function overRoomFor(
  layers: number,
  subject: string,
  body: (pair: () => Promise<Pair>) => void,
  profile?: BehaviorProfile,
): void {
  over(
    ATTACHMENTS.filter(({ depth = 0 }) => depth + layers < MAX_PROTOCOL_CHAIN),
    `${subject}, with room for ${layers} more`,
    body,
    profile,
  );
}

/**
 * As {@link overEveryAttachment}, for what cannot be the same through a layer with handles of its own: which number comes next (each
 * socket has two), codes that name the socket below, and registered I/O, which no such layer lets through.
 */
export function overSystemHandles(subject: string, body: (pair: () => Promise<Pair>) => void): void {
  over(
    ATTACHMENTS.filter(({ hasOwnHandles }) => hasOwnHandles !== true),
    subject,
    body,
  );
}

/** As {@link overEveryAttachment}, for what takes more time than is real: embedded, where time is virtual. */
export function overVirtualTime(subject: string, body: (pair: () => Promise<Pair>) => void): void {
  over(
    ATTACHMENTS.filter(({ name }) => name === 'embedded'),
    subject,
    body,
  );
}

function over(
  kinds: readonly AttachmentKind[],
  subject: string,
  body: (pair: () => Promise<Pair>) => void,
  profile?: BehaviorProfile,
): void {
  const path = expect.getState().testPath ?? '';
  const isWhole = process.env['CONFORMANCE'] === 'whole';
  const here = kinds.filter(
    ({ files, holds, except }) =>
      (holds?.test(path) ?? true) &&
      except?.test(path) !== true &&
      (isWhole || files === undefined || files.test(path)),
  );
  describe.each(here)(`${subject}, $name`, (kind) => {
    let attachment: Attachment;
    const started: Winsock[] = [];
    beforeAll(async () => {
      attachment = await kind.open(profile);
    });
    afterAll(() => attachment.close());
    afterEach(async () => {
      for (const ws of started.splice(0)) await ws.WSACleanup();
    });
    const processOn: Attachment['processOn'] = async (host, uid, profile, more) => {
      const ws = await attachment.processOn(host, uid, profile, more);
      started.push(ws);
      return ws;
    };
    body(async () => {
      const [a, b] = [await processOn('a'), await processOn('b')];
      for (const ws of [a, b]) await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
      return { a, b, attachment, processOn };
    });
  });
}

/** An empty WSADATA. */
export function wsadata(): WSADATA {
  return {
    wVersion: 0,
    wHighVersion: 0,
    iMaxSockets: -1,
    iMaxUdpDg: -1,
    szDescription: '',
    szSystemStatus: '',
  };
}

/** The sockaddr of numeric text and a port. */
export function name(address: string, port: number): Uint8Array {
  return sockaddrOf(IpAddress.parse(address) ?? IpAddress.anyV4, port);
}

/** A call's value; a failed call fails the test. */
export async function ok(answer: number | Promise<number>): Promise<number> {
  const value = await answer;
  expect(value).toBeGreaterThanOrEqual(0);
  return value;
}

export function tcp(ws: Winsock): Promise<number> {
  return ok(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
}

export function udp(ws: Winsock): Promise<number> {
  return ok(ws.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
}

/** Where a socket is bound: `10.0.0.1:80`. */
export async function localName(ws: Winsock, s: number): Promise<{ address: string; port: number }> {
  const bytes = new Uint8Array(SOCKADDR_IN_LEN);
  await ok(ws.getsockname(s, bytes, { value: bytes.length }));
  return nameIn(bytes);
}

/** What a sockaddr says. */
export function nameIn(bytes: Uint8Array): { address: string; port: number } {
  const read = readSockaddr(bytes);
  return { address: read?.address.toString() ?? '', port: read?.port ?? 0 };
}

/** A bound socket and its port. */
export async function bound(
  ws: Winsock,
  make: (ws: Winsock) => Promise<number>,
  address = '0.0.0.0',
  port = 0,
): Promise<{ s: number; port: number }> {
  const s = await make(ws);
  await ok(ws.bind(s, name(address, port)));
  return { s, port: (await localName(ws, s)).port };
}

/** A listening socket and its port. */
export async function listening(ws: Winsock, backlog = 5): Promise<{ s: number; port: number }> {
  const socket = await bound(ws, tcp);
  await ok(ws.listen(socket.s, backlog));
  return socket;
}

/** A connection from host a to a listener on host b. */
export async function connected({ a, b }: Pick<Pair, 'a' | 'b'>): Promise<{
  client: number;
  server: number;
  listener: number;
  port: number;
}> {
  const { s: listener, port } = await listening(b);
  const client = await tcp(a);
  const accepting = b.accept(listener);
  await ok(a.connect(client, name(ADDRESS_B, port)));
  const server = await ok(accepting);
  return { client, server, listener, port };
}

/** Two UDP sockets that know each other's ports. */
export async function datagramPair({ a, b }: Pick<Pair, 'a' | 'b'>): Promise<{
  s: number;
  port: number;
  peer: number;
  peerPort: number;
}> {
  const { s, port } = await bound(a, udp, ADDRESS_A);
  const { s: peer, port: peerPort } = await bound(b, udp, ADDRESS_B);
  return { s, port, peer, peerPort };
}

/** Makes a socket non-blocking. */
export async function nonBlocking(ws: Winsock, s: number): Promise<void> {
  await ok(ws.ioctlsocket(s, 0x8004667e, { value: 1 }));
}

/** A 32-bit option's value. */
export function int(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putI32le(bytes, 0, value);
  return bytes;
}

/** Reads a 32-bit option; minus the WSA code when that fails. */
export async function getInt(ws: Winsock, s: number, level: number, option: number): Promise<number> {
  const bytes = new Uint8Array(4);
  const length: Ref = { value: 4 };
  const answer = await ws.getsockopt(s, level, option, bytes, length);
  if (answer < 0) return answer;
  return length.value === 1 ? (bytes[0] as number) : i32le(bytes, 0);
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

/** Receives once and reads the bytes as text. */
export async function receiveText(ws: Winsock, s: number, room = 100): Promise<string> {
  const bytes = new Uint8Array(room);
  const count = await ok(ws.recv(s, bytes));
  return new TextDecoder().decode(bytes.subarray(0, count));
}

/** Waits until a socket can be read, or has what `set` says. */
export async function ready(
  ws: Winsock,
  s: number,
  set: 'read' | 'write' | 'except' = 'read',
): Promise<void> {
  const sets = { read: null, write: null, except: null, [set]: { fd_array: [s] } } as Record<
    string,
    { fd_array: number[] } | null
  >;
  await ok(ws.select(0, sets['read'] ?? null, sets['write'] ?? null, sets['except'] ?? null, null));
}

/** Lets time pass: virtual time, where time is virtual. */
export async function passTime(ws: Winsock, ms: number): Promise<void> {
  const event = await ok(ws.WSACreateEvent());
  expect(await ws.WSAWaitForMultipleEvents(1, [event], false, ms)).toBe(WSA_WAIT_TIMEOUT);
  await ok(ws.WSACloseEvent(event));
}
