/** Raw sockets of IPv6, their taps, and what Windows Mobile has of them (section 12 of the surface reference). */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  IP_HDRINCL,
  IPPROTO_IGMP,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_CHECKSUM,
  IPV6_HDRINCL,
  IPV6_V6ONLY,
  SIO_RCVALL,
  SIO_RCVALL_IF,
  SIO_RCVALL_IGMPMCAST,
  SIO_RCVALL_MCAST,
  SIO_RCVALL_MCAST_IF,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SOCK_RAW,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_MAXSEG,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOPROTOOPT,
  WSAEPROTONOSUPPORT,
  WSAESOCKTNOSUPPORT,
} from '../../src/abi/index.ts';
import { MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { INDEX } from './ioctl-support.ts';
import {
  bound,
  getInt,
  int,
  name,
  nameIn,
  ok,
  overEveryAttachment,
  type Pair,
  receiveText,
  text,
  udp,
  wsadata,
} from './support.ts';

/** A protocol of nobody's (RFC 3692). */
const EXPERIMENT = 253;

function raw(ws: Winsock, protocol: number): Promise<number> {
  return ok(ws.socket(AF_INET, SOCK_RAW, protocol));
}

/** A packet without a source, identification, length or checksum: the stack's to fill in. */
function packetTo(address: string, protocol: number, payload: string): Uint8Array {
  const bytes = new Uint8Array(20 + payload.length);
  bytes[0] = 0x45;
  bytes[8] = 9;
  bytes[9] = protocol;
  bytes.set(name(address, 0).subarray(4, 8), 16);
  bytes.set(text(payload), 20);
  return bytes;
}

/** Receives once. @returns the packet */
async function packet(ws: Winsock, s: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(2048);
  return bytes.subarray(0, await ok(ws.recv(s, bytes)));
}

overEveryAttachment('raw sockets of IPv6', (pair) => {
  /** Gives both hosts an address of IPv6. */
  async function pair6(): Promise<Pair> {
    const both = await pair();
    for (const [host, address] of [
      ['a', 'fd00::1'],
      ['b', 'fd00::2'],
    ] as const) {
      both.attachment.hosts[host].host.stack.addAddress(INDEX, `${address}/64`);
    }
    return both;
  }
  const raw6 = (ws: Winsock, protocol: number) => ok(ws.socket(AF_INET6, SOCK_RAW, protocol));

  test('RAW-04, RAW-01 what is received begins behind the last header of IPv6', async () => {
    const { a, b } = await pair6();
    const [s, peer] = [await raw6(a, EXPERIMENT), await raw6(b, EXPERIMENT)];
    await ok(b.bind(peer, name('fd00::2', 0)));
    expect(await a.sendto(s, text('abc'), 3, 0, name('fd00::2', 0))).toBe(3);
    const [bytes, from] = [new Uint8Array(100), new Uint8Array(28)];
    expect(await b.recvfrom(peer, bytes, 100, 0, from, { value: 28 })).toBe(3);
    expect([new TextDecoder().decode(bytes.subarray(0, 3)), nameIn(from).address]).toEqual([
      'abc',
      'fd00::1',
    ]);
  });

  test('RAW-06, OPT-IPV6_HDRINCL the header is the caller’s; the source and the length are filled in', async () => {
    const { a, b } = await pair6();
    const [s, peer] = [await raw6(a, 255), await raw6(b, EXPERIMENT)];
    await ok(b.bind(peer, name('fd00::2', 0)));
    await ok(a.setsockopt(s, IPPROTO_IPV6, IPV6_HDRINCL, int(1)));
    const packet = new Uint8Array(43);
    packet.set([0x60, 0, 0, 0, 0, 0, EXPERIMENT, 9]);
    packet.set(name('fd00::2', 0).subarray(8, 24), 24);
    packet.set(text('own'), 40);
    expect(await a.sendto(s, packet, 43, 0, name('fd00::2', 0))).toBe(43);
    expect(await receiveText(b, peer)).toBe('own');
    expect(await a.sendto(s, packet, 39, 0, name('fd00::2', 0))).toBe(-WSAEINVAL);
  });

  test('OPT-IPV6_CHECKSUM it is computed when sent, and verified when received', async () => {
    const { a, b } = await pair6();
    const [s, peer] = [await raw6(a, EXPERIMENT), await raw6(b, EXPERIMENT)];
    await ok(b.bind(peer, name('fd00::2', 0)));
    await ok(b.setsockopt(peer, IPPROTO_IPV6, IPV6_CHECKSUM, int(2)));
    await ok(a.sendto(s, text('none'), 4, 0, name('fd00::2', 0)));
    await ok(a.setsockopt(s, IPPROTO_IPV6, IPV6_CHECKSUM, int(2)));
    await ok(a.sendto(s, text('ab..'), 4, 0, name('fd00::2', 0)));
    const bytes = new Uint8Array(9);
    expect(await b.recv(peer, bytes)).toBe(4);
    expect(new TextDecoder().decode(bytes.subarray(0, 2))).toBe('ab');
    // Of ICMPv6 it is the stack's.
    const icmp = await raw6(a, 58);
    expect(await getInt(a, icmp, IPPROTO_IPV6, IPV6_CHECKSUM)).toBe(2);
    expect(await a.setsockopt(icmp, IPPROTO_IPV6, IPV6_CHECKSUM, int(4))).toBe(-WSAEINVAL);
  });

  test('RAW-RCVALL-01 a tap of IPv6 is a socket of IPPROTO_IPV6', async () => {
    const { a } = await pair6();
    const returned = { value: 0 };
    const [tap, other] = [await raw6(a, IPPROTO_IPV6), await raw6(a, EXPERIMENT)];
    const all = (s: number) => a.WSAIoctl(s, SIO_RCVALL, int(1), 4, null, 0, returned);
    expect(await all(tap)).toBe(-WSAEINVAL);
    for (const s of [tap, other]) await ok(a.bind(s, name('fd00::1', 0)));
    expect([await all(tap), await all(other)]).toEqual([0, -WSAEINVAL]);
    await ok(a.sendto(await raw6(a, EXPERIMENT), text('seen'), 4, 0, name('fd00::2', 0)));
    const got = await packet(a, tap);
    expect([got[0]?.toString(16)[0], got[6]]).toEqual(['6', EXPERIMENT]);
  });
});

overEveryAttachment('taps of raw sockets', (pair) => {
  const returned = { value: 0 };
  const tapAt = async (ws: Winsock, protocol: number): Promise<number> => {
    const s = await raw(ws, protocol);
    await ok(ws.bind(s, name(ADDRESS_A, 0)));
    return s;
  };
  const set = (ws: Winsock, s: number, code: number, value: Uint8Array) =>
    ws.WSAIoctl(s, code, value, value.length, null, 0, returned);

  test('RAW-RCVALL-01 values, lengths, and protocols that are not right', async () => {
    const { a } = await pair();
    const s = await tapAt(a, 0);
    expect(await set(a, s, SIO_RCVALL, Uint8Array.of(1))).toBe(0);
    expect(await set(a, s, SIO_RCVALL, int(4))).toBe(-WSAEINVAL);
    expect(await set(a, s, SIO_RCVALL, int(2))).toBe(0);
    expect(await a.WSAIoctl(s, SIO_RCVALL, null, 0, null, 0, returned)).toBe(-WSAEFAULT);
    expect(await set(a, await tapAt(a, EXPERIMENT), SIO_RCVALL, int(1))).toBe(-WSAEINVAL);
    expect(await set(a, s, SIO_RCVALL_MCAST, int(1))).toBe(-WSAEINVAL);
    expect(await set(a, await tapAt(a, IPPROTO_UDP), SIO_RCVALL_MCAST, int(1))).toBe(0);
    expect(await set(a, await tapAt(a, IPPROTO_UDP), SIO_RCVALL_IGMPMCAST, int(1))).toBe(-WSAEINVAL);
    expect(await set(a, await tapAt(a, IPPROTO_IGMP), SIO_RCVALL_IGMPMCAST, int(1))).toBe(0);
  });

  test('RAW-RCVALL-04 a tap of groups sees groups alone', async () => {
    const { a } = await pair();
    const s = await tapAt(a, IPPROTO_UDP);
    await ok(set(a, s, SIO_RCVALL_MCAST, int(1)));
    const { s: sender } = await bound(a, udp, ADDRESS_A);
    await ok(a.sendto(sender, text('one'), 3, 0, name(ADDRESS_B, 9)));
    await ok(a.sendto(sender, text('all'), 3, 0, name('239.1.1.1', 9)));
    const got = await packet(a, s);
    expect([got[16], new TextDecoder().decode(got.subarray(28))]).toEqual([239, 'all']);
  });

  test('RAW-RCVALL-03, IOC-SIO_RCVALL, IOC-SIO_RCVALL_IF off is off, and the interface may be named', async () => {
    const { a, b } = await pair();
    const { s: peer, port } = await bound(b, udp, ADDRESS_B);
    const s = await tapAt(a, 0);
    await ok(set(a, s, SIO_RCVALL, int(1)));
    await ok(set(a, s, SIO_RCVALL, int(0)));
    const { s: sender } = await bound(a, udp, ADDRESS_A);
    await ok(a.sendto(sender, text('gone'), 4, 0, name(ADDRESS_B, port)));
    expect(await receiveText(b, peer)).toBe('gone');
    const named = (mode: number, index: number) => Uint8Array.of(mode, 0, 0, 0, index, 0, 0, 0);
    expect(await set(a, s, SIO_RCVALL_IF, named(1, 99))).toBe(-WSAEINVAL);
    expect(await set(a, s, SIO_RCVALL_IF, named(1, INDEX))).toBe(0);
    await ok(a.sendto(sender, text('seen'), 4, 0, name(ADDRESS_B, port)));
    for (;;) {
      const got = await packet(a, s);
      if (got[9] !== IPPROTO_UDP) continue;
      expect(new TextDecoder().decode(got.subarray(28))).toBe('seen');
      break;
    }
    const groups = await raw(a, IPPROTO_UDP);
    expect(await set(a, groups, SIO_RCVALL_MCAST_IF, named(1, INDEX))).toBe(0);
  });
});

overEveryAttachment('raw sockets of Windows Mobile', (pair) => {
  test('RAW-15, WM-08 only IPv4, no header of TCP, and what arrives has its header', async () => {
    const { attachment, b } = await pair();
    const a = await attachment.processOn('a', 0, 'windows-mobile');
    await ok(a.WSAStartup(MAKEWORD(2, 2), wsadata()));
    expect(await a.socket(AF_INET6, SOCK_RAW, EXPERIMENT)).toBe(-WSAESOCKTNOSUPPORT);
    const [s, peer] = [await raw(a, 255), await raw(b, EXPERIMENT)];
    await ok(b.bind(peer, name(ADDRESS_B, 0)));
    const tcpPacket = packetTo(ADDRESS_B, IPPROTO_TCP, 'x'.repeat(20));
    await ok(a.setsockopt(s, IPPROTO_IP, IP_HDRINCL, int(1)));
    expect(await a.sendto(s, tcpPacket, 40, 0, name(ADDRESS_B, 0))).toBe(-WSAEPROTONOSUPPORT);
    const own = packetTo(ADDRESS_B, EXPERIMENT, 'own');
    expect(await a.sendto(s, own, own.length, 0, name(ADDRESS_B, 0))).toBe(23);
    expect((await packet(b, peer))[9]).toBe(EXPERIMENT);
    await a.WSACleanup();
  });

  test('OPT-SO_RCVTIMEO, OPT-SO_SNDTIMEO, OPT-TCP_MAXSEG, OPT-IPV6_V6ONLY are not there', async () => {
    const { attachment } = await pair();
    const a = await attachment.processOn('a', 0, 'windows-mobile');
    await ok(a.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const [s, s6] = [
      await ok(a.socket(AF_INET, SOCK_STREAM, 0)),
      await ok(a.socket(AF_INET6, SOCK_STREAM, 0)),
    ];
    const rows = [
      [s, SOL_SOCKET, SO_RCVTIMEO],
      [s, SOL_SOCKET, SO_SNDTIMEO],
      [s, SOL_SOCKET, SO_RCVLOWAT],
      [s, SOL_SOCKET, SO_SNDLOWAT],
      [s, IPPROTO_TCP, TCP_MAXSEG],
      [s6, IPPROTO_IPV6, IPV6_V6ONLY],
    ] as const;
    for (const [socket, level, option] of rows) {
      expect(await getInt(a, socket, level, option)).toBe(-WSAENOPROTOOPT);
      expect(await a.setsockopt(socket, level, option, int(1))).toBe(-WSAENOPROTOOPT);
    }
    await a.WSACleanup();
  });
});
