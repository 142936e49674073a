/** The queue of ICMP errors of UDP sockets: MSG_ERRQUEUE with IP_RECVERR and IPV6_RECVERR. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  IP_RECVERR,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_UDP,
  IPV6_RECVERR,
  IPV6_V6ONLY,
  MSG_CTRUNC,
  MSG_ERRQUEUE,
  MSG_PEEK,
  MSG_TRUNC,
  readControlMessages,
  readIN_RECVERR,
  SIO_UDP_CONNRESET,
  SOCK_DGRAM,
  SOCK_RAW,
  WSA_IO_PENDING,
  WSACMSGHDR_LEN,
  WSAECONNRESET,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENETRESET,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
} from '../../src/abi/index.ts';
import { putI32, putU16, u16 } from '../../src/base/index.ts';
import type { Ref, WSAMSG } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { INDEX } from './ioctl-support.ts';
import { ended, recordWithEvent } from './overlapped-support.ts';
import {
  bound,
  connected,
  getInt,
  int,
  name,
  nameIn,
  nonBlocking,
  ok,
  overEveryAttachment,
  type Pair,
  ready,
  text,
  udp,
} from './support.ts';

interface Family {
  readonly version: 4 | 6;
  readonly af: number;
  readonly level: number;
  readonly option: number;
  readonly protocol: number;
  readonly own: string;
  readonly peer: string;
  /** Where a sockaddr has its address, and how long that is. */
  readonly addressAt: number;
  readonly addressLength: number;
  readonly headerLength: number;
}

const V4: Family = {
  version: 4,
  af: AF_INET,
  level: IPPROTO_IP,
  option: IP_RECVERR,
  protocol: IPPROTO_ICMP,
  own: ADDRESS_A,
  peer: ADDRESS_B,
  addressAt: 4,
  addressLength: 4,
  headerLength: 20,
};
const V6: Family = {
  version: 6,
  af: AF_INET6,
  level: IPPROTO_IPV6,
  option: IPV6_RECVERR,
  protocol: IPPROTO_ICMPV6,
  own: 'fd00::1',
  peer: 'fd00::2',
  addressAt: 8,
  addressLength: 16,
  headerLength: 40,
};

/** An ICMP error: what a router or a host says. */
interface IcmpError {
  readonly type: number;
  readonly code: number;
  /** The word behind the checksum. */
  readonly rest?: number;
}

/** A socket that was asked to queue errors, and one on the other host that it has sent to. */
interface Sockets {
  readonly ws: Winsock;
  readonly s: number;
  readonly port: number;
  readonly other: Winsock;
  readonly peer: number;
  readonly peerPort: number;
  readonly family: Family;
}

/** What a receive with MSG_ERRQUEUE answered. */
interface Received {
  readonly code: number;
  readonly text: string;
  readonly from: { readonly address: string; readonly port: number };
  readonly flags: number;
  readonly control: readonly (readonly [level: number, type: number, error: unknown])[];
}

async function socketsOf({ a, b, attachment }: Pair, family: Family): Promise<Sockets> {
  if (family.version === 6) {
    attachment.hosts.a.host.stack.addAddress(INDEX, `${family.own}/64`);
    attachment.hosts.b.host.stack.addAddress(INDEX, `${family.peer}/64`);
  }
  const make = (ws: Winsock) => ok(ws.socket(family.af, SOCK_DGRAM, IPPROTO_UDP));
  const [s, peer] = [await make(a), await make(b)];
  await ok(a.bind(s, name(family.own, 0)));
  await ok(b.bind(peer, name(family.peer, 0)));
  await ok(a.setsockopt(s, family.level, family.option, int(1)));
  const [port, peerPort] = [await portOf(a, s), await portOf(b, peer)];
  return { ws: a, s, port, other: b, peer, peerPort, family };
}

async function portOf(ws: Winsock, s: number): Promise<number> {
  const bytes = new Uint8Array(28);
  await ok(ws.getsockname(s, bytes, { value: bytes.length }));
  return nameIn(bytes).port;
}

/** Takes the oldest error. */
async function receiveError(
  ws: Winsock,
  s: number,
  { room = 2048, controlRoom = 64, flags = 0 } = {},
): Promise<Received> {
  const [bytes, from, control] = [new Uint8Array(room), new Uint8Array(28), new Uint8Array(controlRoom)];
  const msg: WSAMSG = {
    name: from,
    namelen: 28,
    lpBuffers: [bytes],
    dwBufferCount: 1,
    Control: control,
    dwFlags: MSG_ERRQUEUE | flags,
  };
  const count: Ref = { value: 0 };
  const code = await ws.WSARecvMsg(s, msg, count);
  const messages = readControlMessages(control.subarray(0, msg.ControlLength ?? 0)) ?? [];
  return {
    code,
    text: new TextDecoder().decode(bytes.subarray(0, code === 0 ? count.value : room)),
    from: nameIn(from),
    flags: msg.dwFlags,
    control: messages.map(({ level, type, data }) => [level, type, readIN_RECVERR(data)] as const),
  };
}

/** The head of a datagram that a has sent to b, and `payload`. @param length of its payload, which may be longer than `payload` */
function quote({ family, port, peerPort }: Sockets, payload: string, length = payload.length): Uint8Array {
  const { headerLength, addressAt, addressLength } = family;
  const bytes = new Uint8Array(headerLength + 8 + payload.length);
  const addressOf = (address: string): Uint8Array =>
    name(address, 0).subarray(addressAt, addressAt + addressLength);
  if (family.version === 4) {
    bytes.set([0x45, 0, 0, 0, 0, 1, 0x40, 0, 64, IPPROTO_UDP]);
    putU16(bytes, 2, headerLength + 8 + length);
  } else {
    bytes.set([0x60, 0, 0, 0, 0, 0, IPPROTO_UDP, 64]);
    putU16(bytes, 4, 8 + length);
  }
  bytes.set(addressOf(family.own), headerLength - 2 * addressLength);
  bytes.set(addressOf(family.peer), headerLength - addressLength);
  putU16(bytes, headerLength, port);
  putU16(bytes, headerLength + 2, peerPort);
  putU16(bytes, headerLength + 4, 8 + length);
  bytes.set(text(payload), headerLength + 8);
  return bytes;
}

/** Sends ICMP errors from b to a, about the packets quoted. */
async function tellErrors(
  sockets: Sockets,
  errors: readonly (readonly [IcmpError, Uint8Array])[],
): Promise<void> {
  const { other, family } = sockets;
  const raw = await ok(other.socket(family.af, SOCK_RAW, family.protocol));
  await ok(other.bind(raw, name(family.peer, 0)));
  for (const [{ type, code, rest = 0 }, quoted] of errors) {
    const bytes = new Uint8Array(8 + quoted.length);
    bytes.set([type, code]);
    putI32(bytes, 4, rest);
    bytes.set(quoted, 8);
    // ICMPv6's is the stack's to fill in.
    if (family.version === 4) putU16(bytes, 2, checksum(bytes));
    await ok(other.sendto(raw, bytes, bytes.length, 0, name(family.own, 0)));
  }
  await ok(other.closesocket(raw));
  await settle(sockets);
}

/** A datagram of the peer's arrives behind all that the other host has sent before. */
async function settle({ ws, s, port, other, peer, family }: Sockets): Promise<void> {
  await ok(other.sendto(peer, text('.'), 1, 0, name(family.own, port)));
  for (let n = -1; n < 0; ) {
    n = await ws.recv(s, new Uint8Array(1));
    if (n < 0) expect([-WSAECONNRESET, -WSAENETRESET]).toContain(n);
  }
}

function checksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += at + 1 < bytes.length ? u16(bytes, at) : (bytes[at] as number) << 8;
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

async function send({ ws, s, peerPort, family }: Sockets, payload: string): Promise<void> {
  await ok(ws.sendto(s, text(payload), payload.length, 0, name(family.peer, peerPort)));
}

const FAMILIES: readonly (readonly [string, Family])[] = [
  ['OPT-IP_RECVERR', V4],
  ['OPT-IPV6_RECVERR', V6],
];

/** By kind and family: what comes, and what `info` then is. */
const ERRORS: readonly (readonly [string, Family, IcmpError, number])[] = [
  ['OPT-IP_RECVERR port unreachable', V4, { type: 3, code: 3 }, 0],
  ['OPT-IP_RECVERR host unreachable', V4, { type: 3, code: 1 }, 0],
  ['OPT-IP_RECVERR fragmentation needed', V4, { type: 3, code: 4, rest: 576 }, 576],
  ['OPT-IP_RECVERR time exceeded', V4, { type: 11, code: 0 }, 0],
  ['OPT-IPV6_RECVERR port unreachable', V6, { type: 1, code: 4 }, 0],
  ['OPT-IPV6_RECVERR address unreachable', V6, { type: 1, code: 3 }, 0],
  ['OPT-IPV6_RECVERR packet too big', V6, { type: 2, code: 0, rest: 1280 }, 1280],
  ['OPT-IPV6_RECVERR time exceeded', V6, { type: 3, code: 0 }, 0],
];

overEveryAttachment('the queue of ICMP errors', (pair) => {
  test.each(ERRORS)('%s: payload, destination and what ICMP said', async (_title, family, error, info) => {
    const sockets = await socketsOf(await pair(), family);
    const { ws, s, peerPort } = sockets;
    const payload = 'x'.repeat(1400);
    await send(sockets, payload);
    await tellErrors(sockets, [[error, quote(sockets, payload.slice(0, 500), 1400)]]);
    const { type, code } = error;
    expect(await receiveError(ws, s)).toMatchObject({
      code: 0,
      text: payload.slice(0, 500),
      from: { address: family.peer, port: peerPort },
      flags: MSG_ERRQUEUE,
      control: [[family.level, family.option, { protocol: family.protocol, info, type, code }]],
    });
    expect((await receiveError(ws, s)).code).toBe(-WSAEWOULDBLOCK);
  });

  test.each(FAMILIES)('%s the payload is what ICMP quoted, to the byte', async (_id, family) => {
    const sockets = await socketsOf(await pair(), family);
    const { ws, s, other, peer, peerPort } = sockets;
    await ok(other.closesocket(peer));
    await ok(ws.sendto(s, text('lost'), 4, 0, name(family.peer, peerPort)));
    await ready(ws, s);
    const bytes = new Uint8Array(10);
    const from = new Uint8Array(28);
    expect(await ws.recvfrom(s, bytes, 10, MSG_ERRQUEUE | MSG_PEEK, from, { value: 28 })).toBe(4);
    expect(await ws.recvfrom(s, bytes, 10, MSG_ERRQUEUE, from, { value: 28 })).toBe(4);
    expect(new TextDecoder().decode(bytes.subarray(0, 4))).toBe('lost');
    expect(nameIn(from)).toEqual({ address: family.peer, port: peerPort });
    expect(await ws.recvfrom(s, bytes, 10, MSG_ERRQUEUE, from, { value: 28 })).toBe(-WSAEWOULDBLOCK);
  });

  test('OPT-IP_RECVERR, SEM-IO-12 ordinary receives fail as without the option, and leave the queue', async () => {
    const sockets = await socketsOf(await pair(), V4);
    const { ws, s, other, peer } = sockets;
    await ok(other.closesocket(peer));
    await send(sockets, 'x');
    await ready(ws, s);
    await nonBlocking(ws, s);
    expect(await ws.recv(s, new Uint8Array(1))).toBe(-WSAECONNRESET);
    expect(await ws.recv(s, new Uint8Array(1))).toBe(-WSAEWOULDBLOCK);
    expect(await receiveError(ws, s)).toMatchObject({ code: 0, control: [[0, IP_RECVERR, { type: 3 }]] });
  });

  test('OPT-IP_RECVERR, IOC-SIO_UDP_CONNRESET an error that fails no receive is queued all the same', async () => {
    const sockets = await socketsOf(await pair(), V4);
    const { ws, s } = sockets;
    await ok(ws.WSAIoctl(s, SIO_UDP_CONNRESET, int(0), 4, null, 0, { value: 0 }));
    await send(sockets, 'abc');
    await tellErrors(sockets, [[{ type: 3, code: 3 }, quote(sockets, 'abc')]]);
    expect((await receiveError(ws, s)).code).toBe(0);
  });

  test('OPT-IP_RECVERR, API-WSARecvMsg what does not fit is told', async () => {
    const sockets = await socketsOf(await pair(), V4);
    const { ws, s } = sockets;
    await send(sockets, 'abcdef');
    await tellErrors(sockets, [[{ type: 3, code: 1 }, quote(sockets, 'abcdef')]]);
    const peeked = await receiveError(ws, s, { room: 2, controlRoom: WSACMSGHDR_LEN + 8, flags: MSG_PEEK });
    expect(peeked).toMatchObject({ code: -WSAEMSGSIZE, text: 'ab', control: [] });
    expect(peeked.flags).toBe(MSG_ERRQUEUE | MSG_TRUNC | MSG_CTRUNC);
    expect(await receiveError(ws, s)).toMatchObject({ code: 0, text: 'abcdef', flags: MSG_ERRQUEUE });
  });

  test('OPT-IP_RECVERR an overlapped receive does not wait for an error, and gets one that is there', async () => {
    const sockets = await socketsOf(await pair(), V4);
    const { ws, s } = sockets;
    const bytes = new Uint8Array(10);
    const msg = { name: null, namelen: 0, lpBuffers: [bytes], dwBufferCount: 1, Control: null };
    const overlapped = await recordWithEvent(ws);
    const receive = () => ws.WSARecvMsg(s, { ...msg, dwFlags: MSG_ERRQUEUE }, null, overlapped);
    expect(await receive()).toBe(-WSAEWOULDBLOCK);
    await send(sockets, 'abc');
    await tellErrors(sockets, [[{ type: 3, code: 1 }, quote(sockets, 'abc')]]);
    expect([0, -WSA_IO_PENDING]).toContain(await receive());
    expect(await ended(ws, s, overlapped)).toEqual([0, 3]);
    expect(new TextDecoder().decode(bytes.subarray(0, 3))).toBe('abc');
  });

  test('OPT-IP_RECVERR a receive that waits for a message does not stand in the way', async () => {
    const sockets = await socketsOf(await pair(), V4);
    const { ws, s, port, other, peer } = sockets;
    await send(sockets, 'abc');
    await tellErrors(sockets, [[{ type: 3, code: 1 }, quote(sockets, 'abc')]]);
    const message = new Uint8Array(1);
    const waiting = ws.recv(s, message);
    expect(await receiveError(ws, s)).toMatchObject({ code: 0, text: 'abc' });
    await ok(other.sendto(peer, text('m'), 1, 0, name(ADDRESS_A, port)));
    expect([await waiting, message[0]]).toEqual([1, 0x6d]);
  });

  test('OPT-IP_RECVERR the queue is bounded: 64 errors wait, the oldest, in order', async () => {
    const sockets = await socketsOf(await pair(), V4);
    const { ws, s } = sockets;
    await send(sockets, 'x');
    const errors = Array.from(
      { length: 70 },
      (_, i) => [{ type: 3, code: 1 }, quote(sockets, `${i}`)] as const,
    );
    await tellErrors(sockets, errors);
    const told: string[] = [];
    for (let error = await receiveError(ws, s); error.code === 0; error = await receiveError(ws, s)) {
      told.push(error.text);
    }
    expect(told).toEqual(Array.from({ length: 64 }, (_, i) => `${i}`));
    await tellErrors(sockets, [[{ type: 3, code: 1 }, quote(sockets, 'again')]]);
    expect((await receiveError(ws, s)).text).toBe('again');
  });

  test.each(FAMILIES)(
    '%s nothing is queued before it is on; off again, the queue is empty',
    async (_id, family) => {
      const sockets = await socketsOf(await pair(), family);
      const { ws, s } = sockets;
      const error: IcmpError = { type: family === V4 ? 3 : 1, code: family === V4 ? 1 : 3 };
      await send(sockets, 'abc');
      const tell = () => tellErrors(sockets, [[error, quote(sockets, 'abc')]]);
      await tell();
      await ok(ws.setsockopt(s, family.level, family.option, int(0)));
      expect((await receiveError(ws, s)).code).toBe(-WSAEWOULDBLOCK);
      await tell();
      await ok(ws.setsockopt(s, family.level, family.option, int(1)));
      expect((await receiveError(ws, s)).code).toBe(-WSAEWOULDBLOCK);
      await tell();
      expect((await receiveError(ws, s)).code).toBe(0);
    },
  );

  test('OPT-IP_RECVERR an error about what others sent, or with an MTU that can’t be true, is not queued', async () => {
    const sockets = await socketsOf(await pair(), V4);
    const { ws, s, port } = sockets;
    await send(sockets, 'abc');
    const foreign = quote({ ...sockets, port: port === 65535 ? 1 : port + 1 }, 'abc');
    await tellErrors(sockets, [
      [{ type: 3, code: 1 }, foreign],
      [{ type: 3, code: 4, rest: 20 }, quote(sockets, 'abc')],
      [{ type: 3, code: 4, rest: 9000 }, quote(sockets, 'abc')],
    ]);
    expect((await receiveError(ws, s)).code).toBe(-WSAEWOULDBLOCK);
  });

  test('OPT-IP_RECVERR a socket of both families: each option is for its own packets', async () => {
    const { a, b } = await pair();
    const s = await ok(a.socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP));
    await ok(a.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, int(0)));
    await ok(a.setsockopt(s, IPPROTO_IPV6, IPV6_RECVERR, int(1)));
    await ok(a.bind(s, name('::', 0)));
    const { s: peer, port } = await bound(b, udp, ADDRESS_B);
    await ok(b.closesocket(peer));
    const mapped = name(`::ffff:${ADDRESS_B}`, port);
    await ok(a.sendto(s, text('x'), 1, 0, mapped));
    await ready(a, s);
    expect((await receiveError(a, s)).code).toBe(-WSAEWOULDBLOCK);
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAECONNRESET);
    await ok(a.setsockopt(s, IPPROTO_IP, IP_RECVERR, int(1)));
    expect(await getInt(a, s, IPPROTO_IPV6, IPV6_RECVERR)).toBe(1);
    await ok(a.sendto(s, text('x'), 1, 0, mapped));
    await ready(a, s);
    expect(await receiveError(a, s)).toMatchObject({
      code: 0,
      from: nameIn(mapped),
      control: [[IPPROTO_IP, IP_RECVERR, { protocol: IPPROTO_ICMP, type: 3, code: 3 }]],
    });
  });

  test('OPT-IP_RECVERR, OPT-IPV6_RECVERR MSG_ERRQUEUE of sockets without the option, and of other kinds', async () => {
    const { a, b } = await pair();
    const fresh = await udp(a);
    expect((await receiveError(a, fresh)).code).toBe(-WSAEINVAL);
    const { s } = await bound(a, udp, ADDRESS_A);
    expect((await receiveError(a, s)).code).toBe(-WSAEWOULDBLOCK);
    const raw = await ok(a.socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    await ok(a.bind(raw, name(ADDRESS_A, 0)));
    expect(await a.setsockopt(raw, IPPROTO_IP, IP_RECVERR, int(1))).toBe(-WSAEINVAL);
    expect((await receiveError(a, raw)).code).toBe(-WSAEOPNOTSUPP);
    const { client } = await connected({ a, b });
    expect(await a.recv(client, new Uint8Array(1), 1, MSG_ERRQUEUE)).toBe(-WSAEOPNOTSUPP);
  });
});
