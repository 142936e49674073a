import { describe, expect, test } from '@jest/globals';
import {
  GROUP_FILTER_LEN,
  GROUP_REQ_LEN,
  GROUP_SOURCE_REQ_LEN,
  IP_ADD_MEMBERSHIP,
  IP_ADD_SOURCE_MEMBERSHIP,
  IP_BLOCK_SOURCE,
  IP_DROP_MEMBERSHIP,
  IP_DROP_SOURCE_MEMBERSHIP,
  IP_MREQ_LEN,
  IP_MREQ_SOURCE_LEN,
  IP_MSFILTER_LEN,
  IP_MULTICAST_IF,
  IP_MULTICAST_LOOP,
  IP_MULTICAST_TTL,
  IP_UNBLOCK_SOURCE,
  IPPROTO_IP,
  MCAST_BLOCK_SOURCE,
  MCAST_EXCLUDE,
  MCAST_INCLUDE,
  MCAST_JOIN_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  MCAST_UNBLOCK_SOURCE,
  readGROUP_FILTER,
  readIP_MSFILTER,
  SIO_GET_MULTICAST_FILTER,
  SIO_MULTICAST_SCOPE,
  SIO_MULTIPOINT_LOOPBACK,
  SIO_SET_MULTICAST_FILTER,
  SIOCGMSFILTER,
  SIOCSMSFILTER,
  SO_REUSEADDR,
  SOL_SOCKET,
  WSAEADDRNOTAVAIL,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAENOPROTOOPT,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
  writeGROUP_FILTER,
  writeGROUP_REQ,
  writeIP_MREQ,
  writeIP_MSFILTER,
} from '../../src/abi/index.ts';
import { IpAddress, putI32le } from '../../src/base/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import {
  bound,
  getInt,
  int,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  ready,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

const G = '239.1.2.3';
/** Index of the one interface beside loopback. */
const INDEX = 2;

function ip(address: string): IpAddress {
  const parsed = IpAddress.parse(address);
  if (parsed === null) throw new RangeError(address);
  return parsed;
}

function mreq(group = G, on = '0.0.0.0', source?: string): Uint8Array {
  const bytes = new Uint8Array(source === undefined ? IP_MREQ_LEN : IP_MREQ_SOURCE_LEN);
  writeIP_MREQ(bytes, 0, {
    imr_multiaddr: ip(group),
    imr_interface: ip(on),
    ...(source === undefined ? {} : { imr_sourceaddr: ip(source) }),
  });
  return bytes;
}

function groupReq(group = G, index = 0, source?: string): Uint8Array {
  const bytes = new Uint8Array(source === undefined ? GROUP_REQ_LEN : GROUP_SOURCE_REQ_LEN);
  writeGROUP_REQ(bytes, 0, {
    gr_interface: index,
    gr_group: ip(group),
    ...(source === undefined ? {} : { gsr_source: ip(source) }),
  });
  return bytes;
}

/** A socket on a port that may be shared. */
async function sharing(ws: Winsock, port = 0): Promise<{ s: number; port: number }> {
  return bound(
    ws,
    async () => {
      const s = await udp(ws);
      await ok(ws.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, int(1)));
      return s;
    },
    '0.0.0.0',
    port,
  );
}

async function sendText(ws: Winsock, s: number, port: number, what: string, group = G): Promise<void> {
  expect(await ws.sendto(s, text(what), what.length, 0, name(group, port))).toBe(what.length);
}

/** What waits at a non-blocking socket. */
async function waiting(ws: Winsock, s: number): Promise<string[]> {
  const all: string[] = [];
  const bytes = new Uint8Array(100);
  for (;;) {
    const got = await ws.recv(s, bytes);
    if (got < 0) {
      expect(got).toBe(-WSAEWOULDBLOCK);
      return all;
    }
    all.push(new TextDecoder().decode(bytes.subarray(0, got)));
  }
}

overEveryAttachment('multicast options', (pair) => {
  test.each([
    ['OPT-IP_ADD_MEMBERSHIP', IP_ADD_MEMBERSHIP, (): Uint8Array => mreq()],
    ['OPT-MCAST_JOIN_GROUP', MCAST_JOIN_GROUP, (): Uint8Array => groupReq()],
    ['OPT-IP_ADD_SOURCE_MEMBERSHIP', IP_ADD_SOURCE_MEMBERSHIP, () => mreq(G, '0.0.0.0', ADDRESS_A)],
    ['OPT-MCAST_JOIN_SOURCE_GROUP', MCAST_JOIN_SOURCE_GROUP, () => groupReq(G, INDEX, ADDRESS_A)],
  ])('%s lets datagrams to the group in', async (_id, option, value) => {
    const { a, b } = await pair();
    const { s: receiver, port } = await bound(b, udp);
    const sender = await udp(a);
    expect(await b.setsockopt(receiver, IPPROTO_IP, option, value())).toBe(0);
    await sendText(a, sender, port, 'to all');
    expect(await receiveText(b, receiver)).toBe('to all');
  });

  test.each([
    ['OPT-IP_DROP_MEMBERSHIP', IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, (): Uint8Array => mreq()],
    ['OPT-MCAST_LEAVE_GROUP', MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, (): Uint8Array => groupReq()],
    [
      'OPT-IP_DROP_SOURCE_MEMBERSHIP',
      IP_ADD_SOURCE_MEMBERSHIP,
      IP_DROP_SOURCE_MEMBERSHIP,
      () => mreq(G, ADDRESS_B, ADDRESS_A),
    ],
    [
      'OPT-MCAST_LEAVE_SOURCE_GROUP',
      MCAST_JOIN_SOURCE_GROUP,
      MCAST_LEAVE_SOURCE_GROUP,
      () => groupReq(G, 0, ADDRESS_A),
    ],
  ])('%s lets none in any more', async (_id, join, leave, value) => {
    const { a, b } = await pair();
    const { s: receiver, port } = await bound(b, udp);
    const sender = await udp(a);
    await ok(b.setsockopt(receiver, IPPROTO_IP, join, value()));
    expect(await b.setsockopt(receiver, IPPROTO_IP, leave, value())).toBe(0);
    await sendText(a, sender, port, 'lost');
    expect(await a.sendto(sender, text('end'), 3, 0, name(ADDRESS_B, port))).toBe(3);
    expect(await receiveText(b, receiver)).toBe('end');
    expect(await b.setsockopt(receiver, IPPROTO_IP, leave, value())).toBe(-WSAEADDRNOTAVAIL);
  });

  test.each([
    [
      'OPT-IP_BLOCK_SOURCE and OPT-IP_UNBLOCK_SOURCE',
      IP_BLOCK_SOURCE,
      IP_UNBLOCK_SOURCE,
      mreq(G, '0.0.0.0', ADDRESS_A),
    ],
    [
      'OPT-MCAST_BLOCK_SOURCE and OPT-MCAST_UNBLOCK_SOURCE',
      MCAST_BLOCK_SOURCE,
      MCAST_UNBLOCK_SOURCE,
      groupReq(G, 0, ADDRESS_A),
    ],
  ])('%s shut one source out, and let it in again', async (_id, block, unblock, value) => {
    const { a, b } = await pair();
    const { s: receiver, port } = await bound(b, udp);
    const sender = await udp(a);
    await ok(b.setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq()));
    expect(await b.setsockopt(receiver, IPPROTO_IP, block, value)).toBe(0);
    await sendText(a, sender, port, 'blocked');
    expect(await a.sendto(sender, text('direct'), 6, 0, name(ADDRESS_B, port))).toBe(6);
    expect(await receiveText(b, receiver)).toBe('direct');
    expect(await b.setsockopt(receiver, IPPROTO_IP, unblock, value)).toBe(0);
    await sendText(a, sender, port, 'heard');
    expect(await receiveText(b, receiver)).toBe('heard');
  });

  test('API-setsockopt a bad group is WSAEINVAL, a bad interface WSAEADDRNOTAVAIL, a short value WSAEFAULT', async () => {
    const { a } = await pair();
    const s = await udp(a);
    const set = (option: number, value: Uint8Array): Promise<number> =>
      Promise.resolve(a.setsockopt(s, IPPROTO_IP, option, value));
    expect(await set(IP_ADD_MEMBERSHIP, mreq('10.0.0.9'))).toBe(-WSAEINVAL);
    expect(await set(IP_ADD_MEMBERSHIP, mreq(G, '10.9.9.9'))).toBe(-WSAEADDRNOTAVAIL);
    expect(await set(MCAST_JOIN_GROUP, groupReq(G, 77))).toBe(-WSAEADDRNOTAVAIL);
    expect(await set(IP_ADD_MEMBERSHIP, new Uint8Array(7))).toBe(-WSAEFAULT);
    expect(await set(IP_ADD_SOURCE_MEMBERSHIP, new Uint8Array(11))).toBe(-WSAEFAULT);
    expect(await set(MCAST_JOIN_GROUP, new Uint8Array(135))).toBe(-WSAEFAULT);
    expect(await set(MCAST_JOIN_SOURCE_GROUP, new Uint8Array(263))).toBe(-WSAEFAULT);
  });

  test('SEM-MP-06 joining twice is WSAEINVAL, leaving twice WSAEADDRNOTAVAIL', async () => {
    const { b } = await pair();
    const s = await udp(b);
    await ok(b.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq()));
    expect(await b.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq())).toBe(-WSAEINVAL);
    expect(await b.setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq())).toBe(0);
    expect(await b.setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq())).toBe(-WSAEADDRNOTAVAIL);
  });

  test('memberships can be set only, and only of message sockets', async () => {
    const { a } = await pair();
    const [datagrams, stream] = [await udp(a), await tcp(a)];
    for (const s of [datagrams, stream]) {
      for (const option of [IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP, MCAST_JOIN_GROUP]) {
        expect(await getInt(a, s, IPPROTO_IP, option)).toBe(-WSAENOPROTOOPT);
      }
    }
    expect(await a.setsockopt(stream, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq())).toBe(-WSAEINVAL);
  });

  test.each([
    ['OPT-IP_MULTICAST_IF', IP_MULTICAST_IF, 0],
    ['OPT-IP_MULTICAST_TTL', IP_MULTICAST_TTL, 1],
    ['OPT-IP_MULTICAST_LOOP', IP_MULTICAST_LOOP, 1],
  ])('%s has its default on datagrams, and is WSAEINVAL on streams', async (_id, option, initial) => {
    const { a } = await pair();
    const [datagrams, stream] = [await udp(a), await tcp(a)];
    expect(await getInt(a, datagrams, IPPROTO_IP, option)).toBe(initial);
    expect(await getInt(a, stream, IPPROTO_IP, option)).toBe(-WSAEINVAL);
    expect(await a.setsockopt(stream, IPPROTO_IP, option, int(1))).toBe(-WSAEINVAL);
  });

  test('OPT-IP_MULTICAST_TTL takes 0 … 255 (SEM-OPT-09), and 0 keeps datagrams on the host', async () => {
    const { a, b } = await pair();
    const s = await udp(a);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, int(256))).toBe(-WSAEINVAL);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, int(255))).toBe(0);
    expect(await getInt(a, s, IPPROTO_IP, IP_MULTICAST_TTL)).toBe(255);
    await ok(a.setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, Uint8Array.of(0)));
    const { s: receiver, port } = await bound(b, udp);
    await ok(b.setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq()));
    await sendText(a, s, port, 'stays');
    await ok(a.setsockopt(s, IPPROTO_IP, IP_MULTICAST_TTL, int(1)));
    await sendText(a, s, port, 'leaves');
    expect(await receiveText(b, receiver)).toBe('leaves');
  });

  test('SEM-MP-07 an interface is one of its addresses, or 0.x.x.x with its index', async () => {
    const { a } = await pair();
    const s = await udp(a);
    const words = {
      address: int(0x0100000a),
      index: int(INDEX << 24),
      unknown: int(99 << 24),
      other: int(0x0900000a),
    };
    for (const word of [words.address, words.index]) {
      expect(await a.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, word)).toBe(0);
      expect(await getInt(a, s, IPPROTO_IP, IP_MULTICAST_IF)).toBe(word[0] === 0 ? INDEX << 24 : 0x0100000a);
    }
    expect(await a.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, words.unknown)).toBe(-WSAEADDRNOTAVAIL);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, words.other)).toBe(-WSAEADDRNOTAVAIL);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq(G, `0.0.0.${INDEX}`))).toBe(0);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_DROP_MEMBERSHIP, mreq(G, ADDRESS_A))).toBe(0);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq(G, '0.0.0.99'))).toBe(-WSAEADDRNOTAVAIL);
  });

  test('SEM-BIND-23 sockets that share a port each get a copy', async () => {
    const { a, b } = await pair();
    const first = await sharing(b);
    const second = await sharing(b, first.port);
    for (const { s } of [first, second]) await ok(b.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq()));
    await sendText(a, await udp(a), first.port, 'copy');
    expect([await receiveText(b, first.s), await receiveText(b, second.s)]).toEqual(['copy', 'copy']);
  });

  test('SEM-MP-05 OPT-IP_MULTICAST_LOOP is the receiver’s word about what its own host sends', async () => {
    const { a, b } = await pair();
    const { s: off, port } = await sharing(b);
    const { s: on } = await sharing(b, port);
    for (const s of [off, on]) {
      await ok(b.setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, mreq()));
      await nonBlocking(b, s);
    }
    await ok(b.setsockopt(off, IPPROTO_IP, IP_MULTICAST_LOOP, int(0)));
    const sender = await udp(b);
    await ok(b.setsockopt(sender, IPPROTO_IP, IP_MULTICAST_LOOP, int(0)));
    await sendText(b, sender, port, 'own');
    await ready(b, on);
    await sendText(a, await udp(a), port, 'other');
    await ready(b, off);
    expect([await waiting(b, off), (await waiting(b, on)).includes('own')]).toEqual([['other'], true]);
  });

  test('IOC-SIO_MULTICAST_FILTER sets and gets the whole filter', async () => {
    const { a, b } = await pair();
    const { s, port } = await bound(b, udp);
    const filter = new Uint8Array(IP_MSFILTER_LEN + 8);
    const sources = [ip(ADDRESS_A), ip('10.0.0.77')];
    writeIP_MSFILTER(filter, { group: ip(G), interface: ip(ADDRESS_B), mode: MCAST_INCLUDE, sources });
    const count = { value: 0 };
    expect(await b.WSAIoctl(s, SIO_SET_MULTICAST_FILTER, filter, filter.length, null, 0, count)).toBe(0);
    await sendText(a, await udp(a), port, 'wanted');
    expect(await receiveText(b, s)).toBe('wanted');

    const question = filter.slice(0, IP_MSFILTER_LEN);
    const answer = new Uint8Array(IP_MSFILTER_LEN + 8);
    expect(await b.WSAIoctl(s, SIO_GET_MULTICAST_FILTER, question, 16, answer, answer.length, count)).toBe(0);
    expect(readIP_MSFILTER(answer)).toEqual({
      group: ip(G),
      interface: ip(ADDRESS_B),
      mode: MCAST_INCLUDE,
      sources,
    });
    expect(count.value).toBe(answer.length);
    const short = new Uint8Array(IP_MSFILTER_LEN + 4);
    expect(await b.WSAIoctl(s, SIO_GET_MULTICAST_FILTER, question, 16, short, short.length, count)).toBe(
      -WSAENOBUFS,
    );
  });

  test('IOC-SIO_MULTICAST_FILTER in the form of any family', async () => {
    const { b } = await pair();
    const s = await udp(b);
    const filter = new Uint8Array(GROUP_FILTER_LEN + 128);
    const sources = [ip(ADDRESS_A)];
    const said = { group: ip(G), interface: INDEX, mode: MCAST_EXCLUDE, sources };
    writeGROUP_FILTER(filter, said);
    const count = { value: 0 };
    expect(await b.WSAIoctl(s, SIOCSMSFILTER, filter, filter.length, null, 0, count)).toBe(0);
    const answer = new Uint8Array(filter.length);
    expect(await b.WSAIoctl(s, SIOCGMSFILTER, filter, filter.length, answer, answer.length, count)).toBe(0);
    expect(readGROUP_FILTER(answer)).toEqual(said);
  });

  test('IOC-SIO_MULTICAST_FILTER with a length, count or mode that can not be', async () => {
    const { a } = await pair();
    const [s, stream] = [await udp(a), await tcp(a)];
    const filter = new Uint8Array(IP_MSFILTER_LEN);
    writeIP_MSFILTER(filter, { group: ip(G), interface: ip('0.0.0.0'), mode: 7, sources: [] });
    const count = { value: 0 };
    const set = (socket: number, bytes: Uint8Array): Promise<number> =>
      Promise.resolve(a.WSAIoctl(socket, SIO_SET_MULTICAST_FILTER, bytes, bytes.length, null, 0, count));
    expect(await set(s, filter)).toBe(-WSAEINVAL);
    expect(await set(stream, filter)).toBe(-WSAEOPNOTSUPP);
    expect(await set(s, filter.slice(0, 15))).toBe(-WSAEFAULT);
    putI32le(filter, 12, 0x7fffffff);
    expect(await set(s, filter)).toBe(-WSAEFAULT);
  });

  test('SEM-MP-04 IOC-SIO_MULTICAST_SCOPE and IOC-SIO_MULTIPOINT_LOOPBACK are TTL and loop', async () => {
    const { a } = await pair();
    const [s, stream] = [await udp(a), await tcp(a)];
    const set = (socket: number, code: number, value: number): Promise<number> =>
      Promise.resolve(a.WSAIoctl(socket, code, int(value), 4, null, 0, { value: 0 }));
    expect(await set(s, SIO_MULTICAST_SCOPE, 9)).toBe(0);
    expect(await set(s, SIO_MULTIPOINT_LOOPBACK, 0)).toBe(0);
    expect(await set(s, SIO_MULTICAST_SCOPE, 300)).toBe(-WSAEINVAL);
    expect(await set(stream, SIO_MULTICAST_SCOPE, 1)).toBe(-WSAEOPNOTSUPP);
    expect(await getInt(a, s, IPPROTO_IP, IP_MULTICAST_TTL)).toBe(9);
    expect(await getInt(a, s, IPPROTO_IP, IP_MULTICAST_LOOP)).toBe(0);
  });
});

describe('STR-mreq', () => {
  test('lengths are those of Windows, and the source of ip_mreq_source comes second', () => {
    expect([IP_MREQ_LEN, IP_MREQ_SOURCE_LEN, GROUP_REQ_LEN, GROUP_SOURCE_REQ_LEN]).toEqual([8, 12, 136, 264]);
    expect([...mreq(G, '10.0.0.1', '10.0.0.9')]).toEqual([239, 1, 2, 3, 10, 0, 0, 9, 10, 0, 0, 1]);
  });
});
