/** The multicast options of level IPPROTO_IPV6, on sockets of AF_INET6. */

import { expect, test } from '@jest/globals';
import {
  AF_INET6,
  GROUP_REQ_LEN,
  GROUP_SOURCE_REQ_LEN,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_ADD_MEMBERSHIP,
  IPV6_DROP_MEMBERSHIP,
  IPV6_JOIN_GROUP,
  IPV6_LEAVE_GROUP,
  IPV6_MREQ_LEN,
  IPV6_MULTICAST_HOPS,
  IPV6_MULTICAST_IF,
  IPV6_MULTICAST_LOOP,
  MCAST_BLOCK_SOURCE,
  MCAST_JOIN_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  MCAST_UNBLOCK_SOURCE,
  readSockaddr,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOCKADDR_STORAGE_LEN,
  WSAEADDRNOTAVAIL,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOPROTOOPT,
  writeGROUP_REQ,
  writeIPV6_MREQ,
} from '../../src/abi/index.ts';
import { IpAddress } from '../../src/base/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { getInt, int, name, ok, overEveryAttachment, type Pair, receiveText, text, udp } from './support.ts';

const G = 'ff0e::7:7';
const SIX_A = 'fd00::1';
const SIX_B = 'fd00::2';
/** Index of the one interface beside loopback. */
const INDEX = 2;

function ip(address: string): IpAddress {
  const parsed = IpAddress.parse(address);
  if (parsed === null) throw new RangeError(address);
  return parsed;
}

function mreq(group = G, index = 0): Uint8Array {
  const bytes = new Uint8Array(IPV6_MREQ_LEN);
  writeIPV6_MREQ(bytes, 0, { ipv6mr_multiaddr: ip(group), ipv6mr_interface: index });
  return bytes;
}

function groupReq(index = 0, source?: string): Uint8Array {
  const bytes = new Uint8Array(source === undefined ? GROUP_REQ_LEN : GROUP_SOURCE_REQ_LEN);
  writeGROUP_REQ(bytes, 0, {
    gr_interface: index,
    gr_group: ip(G),
    ...(source === undefined ? {} : { gsr_source: ip(source) }),
  });
  return bytes;
}

const udp6 = (ws: Winsock): Promise<number> => ok(ws.socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP));
const tcp6 = (ws: Winsock): Promise<number> => ok(ws.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));

async function bound6(ws: Winsock): Promise<{ s: number; port: number }> {
  const s = await udp6(ws);
  await ok(ws.bind(s, name('::', 0)));
  const bytes = new Uint8Array(SOCKADDR_STORAGE_LEN);
  const length = { value: bytes.length };
  await ok(ws.getsockname(s, bytes, length));
  return { s, port: readSockaddr(bytes.subarray(0, length.value))?.port ?? 0 };
}

async function sendText(ws: Winsock, s: number, port: number, what: string, to = G): Promise<void> {
  expect(await ws.sendto(s, text(what), what.length, 0, name(to, port))).toBe(what.length);
}

overEveryAttachment('IPv6 multicast options', (pair) => {
  /** The two processes, on hosts that have IPv6 addresses. */
  async function pair6(): Promise<Pair> {
    const made = await pair();
    for (const [which, address] of [
      ['a', SIX_A],
      ['b', SIX_B],
    ] as const) {
      const { stack } = made.attachment.hosts[which].host;
      const has = stack.interfaces.some(({ addresses }) =>
        addresses.some((each) => each.address.equals(ip(address))),
      );
      if (!has) stack.addAddress(INDEX, `${address}/64`);
    }
    return made;
  }

  test.each([
    ['IPV6_ADD_MEMBERSHIP', IPV6_ADD_MEMBERSHIP, mreq()],
    ['IPV6_ADD_MEMBERSHIP with an index', IPV6_JOIN_GROUP, mreq(G, INDEX)],
    ['MCAST_JOIN_GROUP', MCAST_JOIN_GROUP, groupReq(INDEX)],
    ['MCAST_JOIN_SOURCE_GROUP', MCAST_JOIN_SOURCE_GROUP, groupReq(INDEX, SIX_A)],
  ])('OPT-%s on AF_INET6 lets datagrams to the group in', async (_id, option, value) => {
    const { a, b } = await pair6();
    const { s: receiver, port } = await bound6(b);
    const sender = await udp6(a);
    expect(await b.setsockopt(receiver, IPPROTO_IPV6, option, value)).toBe(0);
    await sendText(a, sender, port, 'to all');
    expect(await receiveText(b, receiver)).toBe('to all');
  });

  test.each([
    ['IPV6_DROP_MEMBERSHIP', IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP, mreq()],
    ['IPV6_DROP_MEMBERSHIP with an index', IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, mreq(G, INDEX)],
    ['MCAST_LEAVE_GROUP', MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP, groupReq()],
    ['MCAST_LEAVE_SOURCE_GROUP', MCAST_JOIN_SOURCE_GROUP, MCAST_LEAVE_SOURCE_GROUP, groupReq(INDEX, SIX_A)],
  ])('OPT-%s on AF_INET6 lets none in any more', async (_id, join, leave, value) => {
    const { a, b } = await pair6();
    const { s: receiver, port } = await bound6(b);
    const sender = await udp6(a);
    await ok(b.setsockopt(receiver, IPPROTO_IPV6, join, value));
    expect(await b.setsockopt(receiver, IPPROTO_IPV6, leave, value)).toBe(0);
    await sendText(a, sender, port, 'lost');
    await sendText(a, sender, port, 'end', SIX_B);
    expect(await receiveText(b, receiver)).toBe('end');
    expect(await b.setsockopt(receiver, IPPROTO_IPV6, leave, value)).toBe(-WSAEADDRNOTAVAIL);
  });

  test('OPT-MCAST_BLOCK_SOURCE and OPT-MCAST_UNBLOCK_SOURCE on AF_INET6 shut one source out, and let it in again', async () => {
    const { a, b } = await pair6();
    const { s: receiver, port } = await bound6(b);
    const sender = await udp6(a);
    await ok(b.setsockopt(receiver, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, mreq()));
    expect(await b.setsockopt(receiver, IPPROTO_IPV6, MCAST_BLOCK_SOURCE, groupReq(0, SIX_A))).toBe(0);
    await sendText(a, sender, port, 'blocked');
    await sendText(a, sender, port, 'direct', SIX_B);
    expect(await receiveText(b, receiver)).toBe('direct');
    expect(await b.setsockopt(receiver, IPPROTO_IPV6, MCAST_UNBLOCK_SOURCE, groupReq(0, SIX_A))).toBe(0);
    await sendText(a, sender, port, 'heard');
    expect(await receiveText(b, receiver)).toBe('heard');
  });

  test('SEM-MP-06 on AF_INET6 joining twice is WSAEINVAL, and so is what is no group', async () => {
    const { b } = await pair6();
    const s = await udp6(b);
    const set = (value: Uint8Array): Promise<number> =>
      Promise.resolve(b.setsockopt(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, value));
    expect([await set(mreq()), await set(mreq())]).toEqual([0, -WSAEINVAL]);
    expect(await set(mreq('fd00::9'))).toBe(-WSAEINVAL);
    expect(await set(mreq('ff0e::8', 77))).toBe(-WSAEADDRNOTAVAIL);
    expect(await set(new Uint8Array(IPV6_MREQ_LEN - 1))).toBe(-WSAEFAULT);
  });

  test('the options of IPv6 groups are refused on AF_INET, and on streams', async () => {
    const { a } = await pair6();
    const [four, stream] = [await udp(a), await tcp6(a)];
    for (const option of [IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP]) {
      expect(await a.setsockopt(four, IPPROTO_IPV6, option, mreq())).toBe(-WSAENOPROTOOPT);
      expect(await a.setsockopt(stream, IPPROTO_IPV6, option, mreq())).toBe(-WSAEINVAL);
      expect(await getInt(a, await udp6(a), IPPROTO_IPV6, option)).toBe(-WSAENOPROTOOPT);
    }
    for (const option of [IPV6_MULTICAST_IF, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_LOOP]) {
      expect(await getInt(a, four, IPPROTO_IPV6, option)).toBe(-WSAENOPROTOOPT);
      expect(await a.setsockopt(four, IPPROTO_IPV6, option, int(1))).toBe(-WSAENOPROTOOPT);
      expect(await getInt(a, stream, IPPROTO_IPV6, option)).toBe(-WSAEINVAL);
      expect(await a.setsockopt(stream, IPPROTO_IPV6, option, int(1))).toBe(-WSAEINVAL);
    }
  });

  test('OPT-IPV6_MULTICAST_IF is an index in host order (SEM-MP-07)', async () => {
    const { a } = await pair6();
    const s = await udp6(a);
    expect(await getInt(a, s, IPPROTO_IPV6, IPV6_MULTICAST_IF)).toBe(0);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, int(INDEX))).toBe(0);
    expect(await getInt(a, s, IPPROTO_IPV6, IPV6_MULTICAST_IF)).toBe(INDEX);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_IF, int(99))).toBe(-WSAEADDRNOTAVAIL);
    expect(await getInt(a, s, IPPROTO_IPV6, IPV6_MULTICAST_IF)).toBe(INDEX);
  });

  test('OPT-IPV6_MULTICAST_HOPS takes 0 … 255, and 0 keeps datagrams on the host', async () => {
    const { a, b } = await pair6();
    const s = await udp6(a);
    expect(await getInt(a, s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS)).toBe(1);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int(256))).toBe(-WSAEINVAL);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int(255))).toBe(0);
    expect(await getInt(a, s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS)).toBe(255);
    const { s: receiver, port } = await bound6(b);
    await ok(b.setsockopt(receiver, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, mreq()));
    await ok(a.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int(0)));
    await sendText(a, s, port, 'stays');
    await ok(a.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, int(1)));
    await sendText(a, s, port, 'leaves');
    expect(await receiveText(b, receiver)).toBe('leaves');
  });

  test('OPT-IPV6_MULTICAST_LOOP is the receiver’s word about what its own host sends (SEM-MP-05)', async () => {
    const { a, b } = await pair6();
    const { s, port } = await bound6(b);
    await ok(b.setsockopt(s, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, mreq()));
    const sender = await udp6(b);
    expect(await getInt(b, s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP)).toBe(1);
    await sendText(b, sender, port, 'own');
    expect(await receiveText(b, s)).toBe('own');
    expect(await b.setsockopt(s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, int(0))).toBe(0);
    expect(await getInt(b, s, IPPROTO_IPV6, IPV6_MULTICAST_LOOP)).toBe(0);
    await sendText(b, sender, port, 'unheard');
    await sendText(a, await udp6(a), port, 'other');
    expect(await receiveText(b, s)).toBe('other');
  });
});
