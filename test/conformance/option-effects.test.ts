/** What options do, when they may be set, and what an accepted socket has of its listener's. */

import { expect, test } from '@jest/globals';
import * as abi from '../../src/abi/index.ts';
import { IpAddress } from '../../src/base/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { INDEX, ioctl } from './ioctl-support.ts';
import {
  bound,
  connected,
  datagramPair,
  getInt,
  int,
  listening,
  name,
  nameIn,
  nonBlocking,
  ok,
  overEveryAttachment,
  ready,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

const { IPPROTO_IP: IP, IPPROTO_TCP: TCP, SOL_SOCKET: SOL, WSAEINVAL: I, WSAENOPROTOOPT: N } = abi;
const LOOPBACK = 1;

/** Every byte of an option's value; minus the WSA code when it can't be read. */
async function getBytes(ws: Winsock, s: number, level: number, option: number, room = 1024) {
  const bytes = new Uint8Array(room);
  const length: Ref = { value: room };
  const answer = await ws.getsockopt(s, level, option, bytes, length);
  return answer < 0 ? answer : bytes.subarray(0, length.value);
}

overEveryAttachment('what an accepted socket has of its listener’s', (pair) => {
  const INHERITED: readonly (readonly [string, number, number, number])[] = [
    ['SO_DEBUG', SOL, abi.SO_DEBUG, 1],
    ['SO_REUSEADDR', SOL, abi.SO_REUSEADDR, 1],
    ['SO_KEEPALIVE', SOL, abi.SO_KEEPALIVE, 1],
    ['SO_DONTROUTE', SOL, abi.SO_DONTROUTE, 1],
    ['SO_OOBINLINE', SOL, abi.SO_OOBINLINE, 1],
    ['SO_SNDBUF', SOL, abi.SO_SNDBUF, 12_345],
    ['SO_RCVBUF', SOL, abi.SO_RCVBUF, 23_456],
    ['SO_SNDTIMEO', SOL, abi.SO_SNDTIMEO, 7000],
    ['SO_RCVTIMEO', SOL, abi.SO_RCVTIMEO, 8000],
    ['SO_LINGER', SOL, abi.SO_LINGER, 1 | (3 << 16)],
    ['SO_GROUP_PRIORITY', SOL, abi.SO_GROUP_PRIORITY, 4],
    ['TCP_NODELAY', TCP, abi.TCP_NODELAY, 1],
    ['TCP_KEEPIDLE', TCP, abi.TCP_KEEPIDLE, 60],
    ['TCP_KEEPINTVL', TCP, abi.TCP_KEEPINTVL, 5],
    ['TCP_KEEPCNT', TCP, abi.TCP_KEEPCNT, 3],
    ['TCP_MAXRT', TCP, abi.TCP_MAXRT, 30],
    ['TCP_TIMESTAMPS', TCP, abi.TCP_TIMESTAMPS, 0],
    ['TCP_EXPEDITED_1122', TCP, abi.TCP_EXPEDITED_1122, 1],
    ['TCP_OFFLOAD_PREFERENCE', TCP, abi.TCP_OFFLOAD_PREFERENCE, 2],
    ['TCP_CONGESTION_ALGORITHM', TCP, abi.TCP_CONGESTION_ALGORITHM, 0],
    ['IP_TTL', IP, abi.IP_TTL, 33],
    ['IP_TOS', IP, abi.IP_TOS, 8],
    ['IP_USER_MTU', IP, abi.IP_USER_MTU, 1300],
  ];

  test.each(INHERITED)('SEM-ACC-01 %s', async (_name, level, option, value) => {
    const { a, b } = await pair();
    const listener = await tcp(b);
    await ok(b.setsockopt(listener, level, option, int(value)));
    await ok(b.bind(listener, name(ADDRESS_B, 0)));
    const at = new Uint8Array(16);
    await ok(b.getsockname(listener, at, { value: 16 }));
    await ok(b.listen(listener, 5));
    const accepting = b.accept(listener);
    await ok(a.connect(await tcp(a), at));
    const server = await ok(accepting);
    expect(await getInt(b, server, level, option)).toBe(value);
    // From then on each is by itself.
    expect(await getInt(b, listener, level, option)).toBe(value);
  });

  test('OPT-SO_ERROR, OPT-SO_ACCEPTCONN it is no listener, and has no error of its own', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    await ok(b.setsockopt(s, SOL, abi.SO_ERROR, int(abi.WSAETIMEDOUT)));
    const accepting = b.accept(s);
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    const server = await ok(accepting);
    expect([
      await getInt(b, server, SOL, abi.SO_ERROR),
      await getInt(b, server, SOL, abi.SO_ACCEPTCONN),
    ]).toEqual([0, 0]);
  });
});

overEveryAttachment('when options may be set', (pair) => {
  const BEFORE_BIND: readonly (readonly [string, number, number, number])[] = [
    ['OPT-SO_REUSEADDR', SOL, abi.SO_REUSEADDR, 1],
    ['OPT-SO_EXCLUSIVEADDRUSE', SOL, abi.SO_EXCLUSIVEADDRUSE, 1],
    ['OPT-SO_RANDOMIZE_PORT', SOL, abi.SO_RANDOMIZE_PORT, 1],
    ['OPT-SO_PORT_SCALABILITY', SOL, abi.SO_PORT_SCALABILITY, 1],
    ['OPT-SO_REUSE_UNICASTPORT', SOL, abi.SO_REUSE_UNICASTPORT, 1],
    ['OPT-SO_REUSE_MULTICASTPORT', SOL, abi.SO_REUSE_MULTICASTPORT, 1],
    ['OPT-IP_PROTECTION_LEVEL', IP, abi.IP_PROTECTION_LEVEL, abi.PROTECTION_LEVEL_RESTRICTED],
  ];

  test.each(BEFORE_BIND)(
    '%s before bind, and not after (SEM-STATE-08)',
    async (_id, level, option, value) => {
      const { a } = await pair();
      const s = await udp(a);
      expect(await a.setsockopt(s, level, option, int(value))).toBe(0);
      const { s: late } = await bound(a, udp);
      expect(await a.setsockopt(late, level, option, int(value))).toBe(-I);
    },
  );

  test('OPT-IPV6_V6ONLY, OPT-IPV6_PROTECTION_LEVEL before bind', async () => {
    const { a } = await pair();
    const s = await ok(a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0));
    const set = (option: number, value: number) => a.setsockopt(s, abi.IPPROTO_IPV6, option, int(value));
    expect([await set(abi.IPV6_V6ONLY, 0), await set(abi.IPV6_PROTECTION_LEVEL, 10)]).toEqual([0, 0]);
    await ok(a.bind(s, name('::', 0)));
    expect([await set(abi.IPV6_V6ONLY, 1), await set(abi.IPV6_PROTECTION_LEVEL, 20)]).toEqual([-I, -I]);
  });

  test('OPT-SO_RANDOMIZE_PORT, OPT-SO_REUSE_UNICASTPORT exclude each other', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await ok(a.setsockopt(s, SOL, abi.SO_REUSE_UNICASTPORT, int(1)));
    expect(await a.setsockopt(s, SOL, abi.SO_RANDOMIZE_PORT, int(1))).toBe(-I);
    await ok(a.setsockopt(s, SOL, abi.SO_REUSE_UNICASTPORT, int(0)));
    await ok(a.setsockopt(s, SOL, abi.SO_RANDOMIZE_PORT, int(1)));
    expect(await a.setsockopt(s, SOL, abi.SO_REUSE_UNICASTPORT, int(1))).toBe(-I);
  });

  test('OPT-SO_CONDITIONAL_ACCEPT, SEM-STATE-09 before listen', async () => {
    const { a } = await pair();
    const { s } = await bound(a, tcp);
    expect(await a.setsockopt(s, SOL, abi.SO_CONDITIONAL_ACCEPT, int(1))).toBe(0);
    await ok(a.listen(s, 5));
    expect(await a.setsockopt(s, SOL, abi.SO_CONDITIONAL_ACCEPT, int(0))).toBe(-I);
  });

  test('OPT-SO_UPDATE_ACCEPT_CONTEXT, OPT-SO_UPDATE_CONNECT_CONTEXT of a connection', async () => {
    const { a, b } = await pair();
    const { client, listener, server } = await connected({ a, b });
    const fresh = await tcp(a);
    expect(await a.setsockopt(fresh, SOL, abi.SO_UPDATE_CONNECT_CONTEXT, int(0))).toBe(-abi.WSAENOTCONN);
    expect(await a.setsockopt(client, SOL, abi.SO_UPDATE_CONNECT_CONTEXT, int(0))).toBe(0);
    const handle = new Uint8Array(8);
    handle.set(int(listener));
    expect(await b.setsockopt(server, SOL, abi.SO_UPDATE_ACCEPT_CONTEXT, handle)).toBe(0);
    for (const option of [abi.SO_UPDATE_CONNECT_CONTEXT, abi.SO_UPDATE_ACCEPT_CONTEXT]) {
      expect(await getInt(a, client, SOL, option)).toBe(-N);
    }
  });
});

overEveryAttachment('options that are structures', (pair) => {
  test('OPT-SO_PROTOCOL_INFOA, OPT-SO_PROTOCOL_INFOW, SEM-OPT-10 are the same up to the name, and want their room', async () => {
    const { a } = await pair();
    const s = await udp(a);
    const [narrow, wide] = [
      await getBytes(a, s, SOL, abi.SO_PROTOCOL_INFOA),
      await getBytes(a, s, SOL, abi.SO_PROTOCOL_INFOW),
    ];
    if (typeof narrow === 'number' || typeof wide === 'number') throw new Error('no protocol info');
    // A longer buffer is accepted, and its length left.
    expect([narrow.length, wide.length]).toEqual([1024, 1024]);
    const common = abi.WSAPROTOCOL_INFOA_LEN - 256;
    expect(narrow.subarray(0, common)).toEqual(wide.subarray(0, common));
    const info = abi.readWSAPROTOCOL_INFOW(wide);
    expect([info?.iAddressFamily, info?.iSocketType, info?.iProtocol]).toEqual([2, 2, 17]);
    for (const [option, need] of [
      [abi.SO_PROTOCOL_INFOA, 372],
      [abi.SO_PROTOCOL_INFOW, 628],
    ] as const) {
      const length: Ref = { value: need - 1 };
      expect(await a.getsockopt(s, SOL, option, new Uint8Array(need), length)).toBe(-abi.WSAEFAULT);
      expect(length.value).toBe(need);
      expect(await a.setsockopt(s, SOL, option, new Uint8Array(need))).toBe(-N);
    }
  });

  test('RAW-14 a raw socket’s protocol info has protocol 0 and an offset of 255', async () => {
    const { a } = await pair();
    const s = await ok(a.socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP));
    const wide = await getBytes(a, s, SOL, abi.SO_PROTOCOL_INFOW);
    const info = typeof wide === 'number' ? null : abi.readWSAPROTOCOL_INFOW(wide);
    expect([info?.iSocketType, info?.iProtocol, info?.iProtocolMaxOffset]).toEqual([3, 0, 255]);
  });

  test('OPT-SO_BSP_STATE, STR-CSADDR_INFO tells both ends, null while there is none, and wants its room', async () => {
    const { a, b } = await pair();
    const read = async (s: number) => {
      const bytes = await getBytes(a, s, SOL, abi.SO_BSP_STATE);
      return typeof bytes === 'number' ? null : abi.readCSADDR_INFO(bytes);
    };
    expect(await read(await udp(a))).toEqual({
      LocalAddr: null,
      RemoteAddr: null,
      iSocketType: 2,
      iProtocol: 17,
    });
    const { client, port } = await connected({ a, b });
    const state = await read(client);
    const [local, remote] = [state?.LocalAddr, state?.RemoteAddr].map((each) =>
      nameIn(each ?? new Uint8Array(0)),
    );
    expect([local?.address, remote]).toEqual([ADDRESS_A, { address: ADDRESS_B, port }]);
    for (const room of [0, 39, 71]) {
      const length: Ref = { value: room };
      expect(await a.getsockopt(client, SOL, abi.SO_BSP_STATE, new Uint8Array(72), length)).toBe(
        -abi.WSAEFAULT,
      );
      expect(length.value).toBe(72);
    }
    expect(await a.setsockopt(client, SOL, abi.SO_BSP_STATE, new Uint8Array(72))).toBe(-N);
  });

  test('OPT-IP_OPTIONS, OPT-IP_RTHDR, OPT-IPV6_HOPOPTS, OPT-IPV6_RTHDR none at first; no source route, and no header of IPv6, is sent', async () => {
    const { a } = await pair();
    const [s4, s6] = [await udp(a), await ok(a.socket(abi.AF_INET6, abi.SOCK_DGRAM, 0))];
    const rows = [
      [s4, IP, abi.IP_OPTIONS],
      [s4, IP, abi.IP_RTHDR],
      [s6, abi.IPPROTO_IPV6, abi.IPV6_HOPOPTS],
      [s6, abi.IPPROTO_IPV6, abi.IPV6_RTHDR],
      [await tcp(a), IP, abi.IP_OPTIONS],
    ] as const;
    const route = Uint8Array.of(0x83, 7, 4, 10, 0, 0, 1, 0);
    for (const [s, level, option] of rows) {
      expect(await getBytes(a, s, level, option)).toEqual(new Uint8Array(0));
      expect(await a.setsockopt(s, level, option, route)).toBe(-I);
      expect(await a.setsockopt(s, level, option, new Uint8Array(8), 0)).toBe(0);
    }
    const alert = Uint8Array.of(0x94, 4, 0, 0);
    expect(await a.setsockopt(s4, IP, abi.IP_OPTIONS, alert)).toBe(0);
    expect(await getBytes(a, s4, IP, abi.IP_OPTIONS)).toEqual(alert);
    expect(await getBytes(a, s4, IP, abi.IP_OPTIONS, 3)).toBe(-abi.WSAEFAULT);
    expect(await a.setsockopt(s4, IP, abi.IP_OPTIONS, alert, 0)).toBe(0);
    expect(await getBytes(a, s4, IP, abi.IP_OPTIONS)).toEqual(new Uint8Array(0));
  });

  test('OPT-SO_SECURE without a secure-socket provider it can’t be set', async () => {
    const { a } = await pair();
    expect(await a.setsockopt(await tcp(a), SOL, abi.SO_SECURE, int(0x2004))).toBe(-N);
  });

  test('OPT-IP_ADD_IFLIST, OPT-IP_DEL_IFLIST, OPT-IP_GET_IFLIST want a list to be there', async () => {
    const { a } = await pair();
    const s = await udp(a);
    for (const option of [abi.IP_ADD_IFLIST, abi.IP_DEL_IFLIST])
      expect(await a.setsockopt(s, IP, option, int(INDEX))).toBe(-I);
    await ok(a.setsockopt(s, IP, abi.IP_IFLIST, int(1)));
    expect(await getBytes(a, s, IP, abi.IP_GET_IFLIST)).toEqual(new Uint8Array(0));
  });
});

overEveryAttachment('what options do', (pair) => {
  test('OPT-TCP_TIMESTAMPS a connection has them when both ends want them', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const areUsed = async (isWanted: number): Promise<boolean | undefined> => {
      const s = await tcp(a);
      await ok(a.setsockopt(s, TCP, abi.TCP_TIMESTAMPS, int(isWanted)));
      await ok(a.connect(s, name(ADDRESS_B, port)));
      return abi.readTcpInfoV0((await ioctl(a, s, abi.SIO_TCP_INFO, int(0), 88)).out)?.TimestampsEnabled;
    };
    expect([await areUsed(1), await areUsed(0)]).toEqual([true, false]);
  });

  test('OPT-SO_CONNECT_TIME, OPT-TCP_MAXSEG, OPT-IP_MTU are of connections', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await getInt(a, client, SOL, abi.SO_CONNECT_TIME)).toBeGreaterThanOrEqual(0);
    expect(await getInt(a, client, TCP, abi.TCP_MAXSEG)).toBeGreaterThan(500);
    expect(await getInt(a, client, IP, abi.IP_MTU)).toBeGreaterThan(500);
  });

  test('OPT-SO_PAUSE_ACCEPT, SEM-BKLG-07 new connections are refused while it is on', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const attempt = async (): Promise<number> => {
      const client = await tcp(a);
      await ok(a.setsockopt(client, TCP, abi.TCP_NOSYNRETRIES, int(1)));
      return a.connect(client, name(ADDRESS_B, port));
    };
    await ok(b.setsockopt(s, SOL, abi.SO_PAUSE_ACCEPT, int(1)));
    expect(await attempt()).toBe(-abi.WSAECONNREFUSED);
    await ok(b.setsockopt(s, SOL, abi.SO_PAUSE_ACCEPT, int(0)));
    expect(await attempt()).toBe(0);
  });

  test('OPT-SO_REUSE_MULTICASTPORT such a socket gets what is for the group, and leaves the rest to others', async () => {
    const { a, b } = await pair();
    const group = '239.7.7.7';
    const member = await udp(b);
    await ok(b.setsockopt(member, SOL, abi.SO_REUSEADDR, int(1)));
    await ok(b.setsockopt(member, SOL, abi.SO_REUSE_MULTICASTPORT, int(1)));
    await ok(b.bind(member, name('0.0.0.0', 4321)));
    const mreq = new Uint8Array(8);
    mreq.set([239, 7, 7, 7]);
    await ok(b.setsockopt(member, IP, abi.IP_ADD_MEMBERSHIP, mreq));
    const plain = await udp(b);
    await ok(b.setsockopt(plain, SOL, abi.SO_REUSEADDR, int(1)));
    await ok(b.bind(plain, name('0.0.0.0', 4321)));
    const { s } = await bound(a, udp, ADDRESS_A);
    await ok(a.sendto(s, text('one'), 3, 0, name(ADDRESS_B, 4321)));
    expect(await receiveText(b, plain)).toBe('one');
    await ok(a.sendto(s, text('all'), 3, 0, name(group, 4321)));
    expect(await receiveText(b, member)).toBe('all');
    await nonBlocking(b, member);
    expect(await b.recv(member, new Uint8Array(9))).toBe(-abi.WSAEWOULDBLOCK);
  });

  test('OPT-IP_UNICAST_IF, SEM-MP-07 packets leave by that interface or not at all; the index is in network order', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const order = (index: number) => Uint8Array.of(0, 0, 0, index);
    const send = () => a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort));
    await ok(a.setsockopt(s, IP, abi.IP_UNICAST_IF, order(LOOPBACK)));
    expect(await getInt(a, s, IP, abi.IP_UNICAST_IF)).toBe(LOOPBACK);
    expect(await send()).toBe(-abi.WSAENETUNREACH);
    const stream = await tcp(a);
    await ok(a.setsockopt(stream, IP, abi.IP_UNICAST_IF, order(LOOPBACK)));
    expect(await a.connect(stream, name(ADDRESS_B, peerPort))).toBe(-abi.WSAENETUNREACH);
    await ok(a.setsockopt(s, IP, abi.IP_UNICAST_IF, order(INDEX)));
    expect(await send()).toBe(1);
    expect(await receiveText(b, peer)).toBe('x');
  });

  test('OPT-IP_IFLIST a listener of another interface refuses', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    await ok(b.setsockopt(s, IP, abi.IP_IFLIST, int(1)));
    const attempt = async (): Promise<number> => {
      const client = await tcp(a);
      await ok(a.setsockopt(client, TCP, abi.TCP_NOSYNRETRIES, int(1)));
      return a.connect(client, name(ADDRESS_B, port));
    };
    expect(await attempt()).toBe(-abi.WSAECONNREFUSED);
    await ok(b.setsockopt(s, IP, abi.IP_ADD_IFLIST, int(INDEX)));
    expect(await attempt()).toBe(0);
  });

  test.each([
    ['OPT-TCP_ICMP_ERROR_INFO', 0],
    ['OPT-TCP_FAIL_CONNECT_ON_ICMP_ERROR', 1],
  ])('%s what ICMP said of a connect is told, and ends it when that is wanted', async (_id, isFatal) => {
    const { a, b } = await pair();
    const target = '10.0.0.99';
    const tap = await ok(b.socket(abi.AF_INET, abi.SOCK_RAW, IP));
    await ok(b.bind(tap, name(ADDRESS_B, 0)));
    expect((await ioctl(b, tap, abi.SIO_RCVALL, int(abi.RCVALL_ON))).answer).toBe(0);
    const s = await tcp(a);
    await ok(a.setsockopt(s, TCP, abi.TCP_FAIL_CONNECT_ON_ICMP_ERROR, int(isFatal)));
    expect(await getBytes(a, s, TCP, abi.TCP_ICMP_ERROR_INFO)).toEqual(new Uint8Array(0));
    await nonBlocking(a, s);
    expect(await a.connect(s, name(target, 80))).toBe(-abi.WSAEWOULDBLOCK);
    const syn = await packetTo(b, tap, target);
    const icmp = await ok(b.socket(abi.AF_INET, abi.SOCK_RAW, abi.IPPROTO_ICMP));
    await ok(b.sendto(icmp, hostUnreachable(syn), 36, 0, name(ADDRESS_A, 0)));
    const report = await until(
      async () => {
        const bytes = await getBytes(a, s, TCP, abi.TCP_ICMP_ERROR_INFO);
        return typeof bytes === 'number' || bytes.length === 0 ? null : abi.readICMP_ERROR_INFO(bytes);
      },
      () => a.select(0, { fd_array: [s] }, null, null, { tv_sec: 0, tv_usec: 1000 }),
    );
    expect(report).toEqual({
      srcaddress: IpAddress.parse(ADDRESS_B),
      protocol: abi.IPPROTO_ICMP,
      type: 3,
      code: 1,
    });
    if (isFatal !== 0) await ready(a, s, 'except');
    // Where it is not fatal the attempt goes on: nothing is ready, and nothing has failed.
    const except = { fd_array: [s] };
    const count = await a.select(0, { fd_array: [s] }, { fd_array: [s] }, except, { tv_sec: 0, tv_usec: 0 });
    expect([count, except.fd_array]).toEqual(isFatal === 0 ? [0, []] : [1, [s]]);
    expect(await getInt(a, s, SOL, abi.SO_ERROR)).toBe(isFatal === 0 ? 0 : abi.WSAEHOSTUNREACH);
  });

  test('SEM-IO-12, IOC-SIO_UDP_CONNRESET a port that nobody has resets the sender’s socket, unless that is off', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp, ADDRESS_A);
    const send = () => ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, 9)));
    await send();
    expect(await a.recv(s, new Uint8Array(9))).toBe(-abi.WSAECONNRESET);
    expect((await ioctl(a, s, abi.SIO_UDP_CONNRESET, int(0))).answer).toBe(0);
    await send();
    await ok(a.setsockopt(s, SOL, abi.SO_RCVTIMEO, int(50)));
    expect(await a.recv(s, new Uint8Array(9))).toBe(-abi.WSAETIMEDOUT);
  });
});

/** Takes packets until one is for `address`. */
async function packetTo(ws: Winsock, tap: number, address: string): Promise<Uint8Array> {
  const wanted = name(address, 0).subarray(4, 8).join('.');
  for (;;) {
    const bytes = new Uint8Array(2048);
    const packet = bytes.subarray(0, await ok(ws.recv(tap, bytes)));
    if (packet.subarray(16, 20).join('.') === wanted) return packet;
  }
}

/** Destination unreachable, host: with the packet's header and 8 bytes. */
function hostUnreachable(packet: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(36);
  bytes.set([3, 1]);
  bytes.set(packet.subarray(0, 28), 8);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i] as number) * 256 + (bytes[i + 1] as number);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.set([(~sum >>> 8) & 0xff, ~sum & 0xff], 2);
  return bytes;
}

/** Asks until there is an answer. */
async function until<T>(ask: () => Promise<T | null>, between: () => number | Promise<number>): Promise<T> {
  for (let i = 0; i < 2000; i++) {
    const answer = await ask();
    if (answer !== null) return answer;
    await between();
  }
  throw new Error('it never came');
}
