/** Who may have an address beside whom: the matrices of SEM-BIND-*, and sockets of both families (SEM-DS-*). */

import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_V6ONLY,
  SO_EXCLUSIVEADDRUSE,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  sockaddrOf,
  WSAEACCES,
  WSAEADDRINUSE,
  WSAEADDRNOTAVAIL,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAENETUNREACH,
} from '../../src/abi/index.ts';
import { createLocalHost } from '../../src/app/local.ts';
import { IpAddress } from '../../src/base/index.ts';
import { MemorySegment } from '../../src/link/index.ts';
import { VirtualTime } from '../../src/sim/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import {
  bound,
  getInt,
  int,
  listening,
  localName,
  name,
  nameIn,
  ok,
  overEveryAttachment,
  ready,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

const [USE, ACC, OK] = [-WSAEADDRINUSE, -WSAEACCES, 0];
type Sharing = 'none' | 'reuse' | 'exclusive';
const OPTION: Readonly<Record<Sharing, number>> = {
  none: 0,
  reuse: SO_REUSEADDR,
  exclusive: SO_EXCLUSIVEADDRUSE,
};

/** One kind of socket with its any-address and an address of the host. */
interface Kind {
  readonly title: string;
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  readonly wildcard: string;
  readonly specific: string;
}

const KINDS: readonly Kind[] = [
  {
    title: 'UDP/IPv4',
    family: AF_INET,
    type: SOCK_DGRAM,
    protocol: IPPROTO_UDP,
    wildcard: '0.0.0.0',
    specific: ADDRESS_A,
  },
  {
    title: 'TCP/IPv4',
    family: AF_INET,
    type: SOCK_STREAM,
    protocol: IPPROTO_TCP,
    wildcard: '0.0.0.0',
    specific: ADDRESS_A,
  },
  {
    title: 'UDP/IPv6',
    family: AF_INET6,
    type: SOCK_DGRAM,
    protocol: IPPROTO_UDP,
    wildcard: '::',
    specific: '::1',
  },
  {
    title: 'TCP/IPv6',
    family: AF_INET6,
    type: SOCK_STREAM,
    protocol: IPPROTO_TCP,
    wildcard: '::',
    specific: '::1',
  },
];

/** The id, the first socket, whether the second is another user's, and what becomes of each of the six second binds. */
type Row = readonly [
  id: string,
  first: Sharing,
  isWildcard: boolean,
  uid: number,
  expected: readonly number[],
];

const SAME = 0;
const OTHER = 1000;
const MATRIX: readonly Row[] = [
  //                                        none W, none S, reuse W, reuse S, exclusive W, exclusive S
  ['SEM-BIND-01', 'none', true, SAME, [USE, OK, ACC, OK, USE, OK]],
  ['SEM-BIND-02', 'none', false, SAME, [OK, USE, OK, ACC, USE, USE]],
  ['SEM-BIND-03', 'reuse', true, SAME, [USE, OK, OK, OK, USE, OK]],
  ['SEM-BIND-04', 'reuse', false, SAME, [OK, USE, OK, OK, USE, USE]],
  ['SEM-BIND-05', 'exclusive', true, SAME, [USE, ACC, ACC, ACC, USE, ACC]],
  ['SEM-BIND-06', 'exclusive', false, SAME, [OK, USE, OK, ACC, USE, USE]],
  ['SEM-BIND-07', 'none', true, OTHER, [USE, ACC, ACC, ACC, USE, ACC]],
  ['SEM-BIND-08', 'none', false, OTHER, [OK, USE, OK, ACC, USE, USE]],
  ['SEM-BIND-09', 'reuse', true, OTHER, [USE, ACC, OK, OK, USE, ACC]],
  ['SEM-BIND-10', 'reuse', false, OTHER, [OK, USE, OK, OK, USE, USE]],
  ['SEM-BIND-11', 'exclusive', true, OTHER, [USE, ACC, ACC, ACC, USE, ACC]],
  ['SEM-BIND-12', 'exclusive', false, OTHER, [OK, USE, OK, ACC, USE, USE]],
];
const SECONDS: readonly (readonly [Sharing, boolean])[] = [
  ['none', true],
  ['none', false],
  ['reuse', true],
  ['reuse', false],
  ['exclusive', true],
  ['exclusive', false],
];

async function shared(ws: Winsock, { family, type, protocol }: Kind, sharing: Sharing): Promise<number> {
  const s = await ok(ws.socket(family, type, protocol));
  if (OPTION[sharing] !== 0) await ok(ws.setsockopt(s, SOL_SOCKET, OPTION[sharing], int(1)));
  return s;
}

/** The port of a bound socket of either family. */
async function portOf(ws: Winsock, s: number): Promise<number> {
  const bytes = new Uint8Array(28);
  await ok(ws.getsockname(s, bytes));
  return ((bytes[2] as number) << 8) | (bytes[3] as number);
}

overEveryAttachment('sharing of ports', (pair) => {
  describe.each(KINDS)('$title', (kind) => {
    test.each(MATRIX)(
      '%s first %s (wildcard: %s), second of user %d',
      async (_id, sharing, isWildcard, uid, expected) => {
        const { a, processOn } = await pair();
        const other = await processOn('a', uid);
        await other.WSAStartup(MAKEWORD(2, 2), wsadata());
        const address = (isAny: boolean): string => (isAny ? kind.wildcard : kind.specific);
        const first = await shared(a, kind, sharing);
        await ok(a.bind(first, name(address(isWildcard), 0)));
        const port = await portOf(a, first);
        const results: number[] = [];
        for (const [how, isAny] of SECONDS) {
          const second = await shared(other, kind, how);
          results.push(await other.bind(second, name(address(isAny), port)));
          await ok(other.closesocket(second));
        }
        expect(results).toEqual(expected);
      },
    );
  });

  test('SEM-BIND-15 of two listeners that share an address the first one gets the callers, then the other', async () => {
    const { a, b } = await pair();
    const [kind] = KINDS.filter(({ title }) => title === 'TCP/IPv4') as [Kind];
    const [first, second] = [await shared(b, kind, 'reuse'), await shared(b, kind, 'reuse')];
    await ok(b.bind(first, name('0.0.0.0', 0)));
    const port = await portOf(b, first);
    await ok(b.bind(second, name('0.0.0.0', port)));
    for (const s of [first, second]) await ok(b.listen(s, 5));
    await ok(a.connect(await tcp(a), name('10.0.0.2', port)));
    await ok(b.accept(first));
    await ok(b.closesocket(first));
    await ok(a.connect(await tcp(a), name('10.0.0.2', port)));
    await ok(b.accept(second));
  });

  test('SEM-BIND-16 the specific listener gets the callers, not the wildcard one', async () => {
    const { a, b } = await pair();
    const { s: wildcard, port } = await listening(b);
    const { s: specific } = await bound(b, tcp, '10.0.0.2', port);
    await ok(b.listen(specific, 5));
    await ok(a.connect(await tcp(a), name('10.0.0.2', port)));
    await ready(b, specific);
    const none = { tv_sec: 0, tv_usec: 0 };
    expect(await b.select(0, { fd_array: [wildcard] }, null, null, none)).toBe(0);
  });

  test('SEM-BIND-21 a listener is bound anew at once; an exclusive one only when its connections are gone', async () => {
    const { a, b } = await pair();
    const [kind] = KINDS.filter(({ title }) => title === 'TCP/IPv4') as [Kind];
    const again = async (sharing: Sharing): Promise<number[]> => {
      const listener = await shared(b, kind, sharing);
      await ok(b.bind(listener, name('0.0.0.0', 0)));
      const port = await portOf(b, listener);
      await ok(b.listen(listener, 5));
      const client = await tcp(a);
      await ok(a.connect(client, name('10.0.0.2', port)));
      const server = await ok(b.accept(listener));
      await ok(b.closesocket(listener));
      const results = [await b.bind(await shared(b, kind, sharing), name('0.0.0.0', port))];
      // The side that closes first is the one that has TIME-WAIT.
      await ok(b.closesocket(server));
      expect(await a.recv(client, new Uint8Array(1))).toBe(0);
      await ok(a.closesocket(client));
      return results;
    };
    expect(await again('none')).toEqual([0]);
    expect(await again('exclusive')).toEqual([USE]);
  });

  test('SEM-BIND-22 port 0 gives a port of 49152 … 65535; TCP and UDP, IPv4 and IPv6 are apart', async () => {
    const { a } = await pair();
    const [first] = KINDS as [Kind];
    const s = await shared(a, first, 'exclusive');
    await ok(a.bind(s, name('0.0.0.0', 0)));
    const port = await portOf(a, s);
    expect(port).toBeGreaterThanOrEqual(49_152);
    for (const kind of KINDS.slice(1))
      expect(await a.bind(await shared(a, kind, 'exclusive'), name(kind.wildcard, port))).toBe(0);
  });

  test('SEM-BIND-24 no port needs rights', async () => {
    const { processOn } = await pair();
    const ws = await processOn('a', OTHER);
    await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    expect(await ws.bind(await tcp(ws), name('0.0.0.0', 80))).toBe(0);
    expect(await ws.bind(await udp(ws), name('0.0.0.0', 53))).toBe(0);
  });

  test('SEM-BIND-14, SEM-STATE-08 the two options exclude each other, and are WSAEINVAL once bound', async () => {
    const { a } = await pair();
    for (const kind of KINDS) {
      const s = await shared(a, kind, 'reuse');
      expect(await a.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, int(1))).toBe(-WSAEINVAL);
      await ok(a.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, int(0)));
      await ok(a.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, int(1)));
      expect(await a.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, int(1))).toBe(-WSAEINVAL);
      await ok(a.bind(s, name(kind.wildcard, 0)));
      expect(await a.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, int(0))).toBe(-WSAEINVAL);
    }
  });
});

overEveryAttachment('bind', (pair) => {
  test('SEM-BIND-17 different specific addresses never conflict', async () => {
    const { a } = await pair();
    const { port } = await bound(a, udp, ADDRESS_A);
    expect(await a.bind(await udp(a), name('127.0.0.1', port))).toBe(0);
  });

  test('API-bind twice is WSAEINVAL, to a foreign address WSAEADDRNOTAVAIL, to another family WSAEAFNOSUPPORT', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.bind(s, name('0.0.0.0', 0))).toBe(-WSAEINVAL);
    expect(await a.bind(await udp(a), name(ADDRESS_B, 0))).toBe(-WSAEADDRNOTAVAIL);
    const other = name('0.0.0.0', 0);
    other[0] = 23;
    expect(await a.bind(await udp(a), other)).toBe(-WSAEAFNOSUPPORT);
  });

  test('API-bind with a short or missing name is WSAEFAULT', async () => {
    const { a } = await pair();
    const s = await udp(a);
    expect(await a.bind(s, null)).toBe(-WSAEFAULT);
    expect(await a.bind(s, name('0.0.0.0', 0), 15)).toBe(-WSAEFAULT);
    expect(await a.bind(s, name('0.0.0.0', 0), 99)).toBe(-WSAEFAULT);
  });
});

/** A TCP socket of AF_INET6 that speaks IPv4 too. */
async function dual(ws: Winsock, sharing: Sharing = 'none', type = SOCK_STREAM): Promise<number> {
  const s = await ok(ws.socket(AF_INET6, type, 0));
  await ok(ws.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, int(0)));
  if (OPTION[sharing] !== 0) await ok(ws.setsockopt(s, SOL_SOCKET, OPTION[sharing], int(1)));
  return s;
}

async function ipv4(ws: Winsock, sharing: Sharing = 'none'): Promise<number> {
  const s = await tcp(ws);
  if (OPTION[sharing] !== 0) await ok(ws.setsockopt(s, SOL_SOCKET, OPTION[sharing], int(1)));
  return s;
}

overEveryAttachment('sockets of both families', (pair) => {
  test.each([
    ['SEM-BIND-18 exclusive :: first, IPv4 wildcard second', 'exclusive', '::', 'none', '0.0.0.0', ACC],
    ['SEM-BIND-18 exclusive :: first, IPv4 specific second', 'exclusive', '::', 'none', '127.0.0.1', ACC],
    ['SEM-BIND-18 :: first, IPv4 wildcard second', 'none', '::', 'none', '0.0.0.0', OK],
    ['SEM-BIND-18 :: first, exclusive IPv4 wildcard second', 'none', '::', 'exclusive', '0.0.0.0', OK],
    [
      'SEM-BIND-19 v4-mapped first, the IPv4 address second',
      'none',
      '::ffff:127.0.0.1',
      'none',
      '127.0.0.1',
      USE,
    ],
    ['SEM-BIND-19 an address of IPv6 first, IPv4 second', 'none', '::1', 'none', '127.0.0.1', OK],
  ] as const)('%s', async (_title, how, where, secondHow, secondWhere, expected) => {
    const { a } = await pair();
    const first = await dual(a, how);
    await ok(a.bind(first, name(where, 0)));
    expect(await a.bind(await ipv4(a, secondHow), name(secondWhere, await portOf(a, first)))).toBe(expected);
  });

  test.each([
    ['SEM-BIND-20 an IPv4 address first, exclusive :: second', '127.0.0.1', 'exclusive', '::', USE],
    [
      'SEM-BIND-19 an IPv4 address first, the v4-mapped one second',
      '127.0.0.1',
      'none',
      '::ffff:127.0.0.1',
      USE,
    ],
    ['SEM-BIND-19 an IPv4 address first, an address of IPv6 second', '127.0.0.1', 'exclusive', '::1', OK],
  ] as const)('%s', async (_title, where, secondHow, secondWhere, expected) => {
    const { a } = await pair();
    const { s } = await bound(a, tcp, where);
    expect(await a.bind(await dual(a, secondHow), name(secondWhere, await portOf(a, s)))).toBe(expected);
  });

  test('SEM-DS-01 V6ONLY is on at first and cannot be cleared once bound; SEM-DS-05 an IPv4 socket reads 1', async () => {
    const { a } = await pair();
    const s = await ok(a.socket(AF_INET6, SOCK_STREAM, 0));
    expect(await getInt(a, s, IPPROTO_IPV6, IPV6_V6ONLY)).toBe(1);
    await ok(a.bind(s, name('::', 0)));
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, int(0))).toBe(-WSAEINVAL);
    expect(await a.bind(await tcp(a), name('0.0.0.0', await portOf(a, s)))).toBe(0);
    expect(await getInt(a, await tcp(a), IPPROTO_IPV6, IPV6_V6ONLY)).toBe(1);
  });

  test('SEM-DS-02 IPv4 peers are ::ffff:a.b.c.d in accept, getpeername and recvfrom', async () => {
    const { a, b } = await pair();
    const listener = await dual(b);
    await ok(b.bind(listener, name('::', 0)));
    await ok(b.listen(listener, 1));
    const port = await portOf(b, listener);
    const client = await tcp(a);
    await ok(a.connect(client, name('10.0.0.2', port)));
    const [accepted, named] = [new Uint8Array(28), new Uint8Array(28)];
    const server = await ok(b.accept(listener, accepted, { value: 28 }));
    await ok(b.getpeername(server, named));
    const expected = { address: '::ffff:10.0.0.1', port: (await localName(a, client)).port };
    expect([nameIn(accepted), nameIn(named)]).toEqual([expected, expected]);

    const datagram = await dual(b, 'none', SOCK_DGRAM);
    await ok(b.bind(datagram, name('::', 0)));
    const sender = await udp(a);
    await ok(a.sendto(sender, text('hi'), 2, 0, name('10.0.0.2', await portOf(b, datagram))));
    const from = new Uint8Array(28);
    expect(await b.recvfrom(datagram, new Uint8Array(9), 9, 0, from, { value: 28 })).toBe(2);
    expect(nameIn(from)).toEqual({ address: '::ffff:10.0.0.1', port: (await localName(a, sender)).port });
    // And the other way.
    await ok(b.sendto(datagram, text('back'), 4, 0, from));
    expect(await receiveText(a, sender)).toBe('back');
  });

  test('SEM-DS-03 a v4-mapped address on a V6ONLY socket fails in bind, connect and sendto', async () => {
    const { a } = await pair();
    const mapped = name('::ffff:10.0.0.2', 9);
    const codes = [-WSAEADDRNOTAVAIL, -WSAENETUNREACH];
    const stream = await ok(a.socket(AF_INET6, SOCK_STREAM, 0));
    expect(codes).toContain(await a.bind(stream, name('::ffff:10.0.0.1', 0)));
    expect(codes).toContain(await a.connect(stream, mapped));
    const datagram = await ok(a.socket(AF_INET6, SOCK_DGRAM, 0));
    expect(codes).toContain(await a.sendto(datagram, text('x'), 1, 0, mapped));
  });

  test('SEM-DS-07 a sockaddr_in6 of 24 bytes is WSAEFAULT in bind, connect and getsockname', async () => {
    const { a } = await pair();
    const s = await ok(a.socket(AF_INET6, SOCK_DGRAM, 0));
    expect(await a.bind(s, name('::', 0), 24)).toBe(-WSAEFAULT);
    expect(await a.connect(s, name('::1', 9), 24)).toBe(-WSAEFAULT);
    await ok(a.bind(s, name('::', 0)));
    const length = { value: 24 };
    expect(await a.getsockname(s, new Uint8Array(28), length)).toBe(-WSAEFAULT);
    expect(length.value).toBe(24);
  });
});

describe('link-local addresses', () => {
  test('SEM-BIND-25 another scope id than the interface’s is WSAEADDRNOTAVAIL', async () => {
    const scheduler = new VirtualTime();
    const wire = new MemorySegment({ scheduler });
    const host = createLocalHost({ scheduler, links: [{ link: wire.port(), addresses: ['fe80::9/64'] }] });
    const ws = createWinsock({ port: host.openSession(), scheduler });
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const index = host.host.stack.interfaces.find(({ addresses }) =>
      addresses.some(({ address }) => address.toString().startsWith('fe80::9')),
    )?.index;
    const bindTo = async (scope: string): Promise<number> => {
      const address = IpAddress.parse(`fe80::9%${scope}`);
      if (address === null) throw new RangeError(scope);
      return ws.bind(await ok(ws.socket(AF_INET6, SOCK_DGRAM, 0)), sockaddrOf(address, 0));
    };
    for (let steps = 0; steps < 100 && scheduler.step(5000); ) steps++; // duplicate address detection
    expect(await bindTo(`${index}`)).toBe(0);
    expect(await bindTo('77')).toBe(-WSAEADDRNOTAVAIL);
    host.close();
  });
});
