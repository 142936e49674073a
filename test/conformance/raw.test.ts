/** Raw sockets through the API (section 12 of the surface reference), and what datagram sockets do with their peers. */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  IP_HDRINCL,
  IP_OPTIONS,
  IPPROTO_ICMP,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SIO_RCVALL,
  SO_BROADCAST,
  SO_REUSEADDR,
  SO_TYPE,
  SOCK_RAW,
  SOL_SOCKET,
  UDP_NOCHECKSUM,
  UDP_SEND_MSG_SIZE,
  WSAEACCES,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOTCONN,
  WSAEWOULDBLOCK,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import {
  bound,
  datagramPair,
  getInt,
  int,
  name,
  nameIn,
  nonBlocking,
  ok,
  overEveryAttachment,
  ready,
  receiveText,
  text,
  udp,
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

overEveryAttachment('raw sockets', (pair) => {
  test('RAW-01, RAW-03 the protocol goes into the header, and what is received begins with it', async () => {
    const { a, b } = await pair();
    const [s, peer] = [await raw(a, EXPERIMENT), await raw(b, EXPERIMENT)];
    await ok(b.bind(peer, name(ADDRESS_B, 0)));
    expect(await a.sendto(s, text('abc'), 3, 0, name(ADDRESS_B, 0))).toBe(3);
    const got = await packet(b, peer);
    expect([got.length, got[0], got[9], (got[2] as number) * 256 + (got[3] as number)]).toEqual([
      23,
      0x45,
      EXPERIMENT,
      23,
    ]);
    expect(new TextDecoder().decode(got.subarray(20))).toBe('abc');
  });

  test('RAW-05 with IP_HDRINCL the header is the caller’s; length, identification, checksum and source are filled in', async () => {
    const { a, b } = await pair();
    const [s, peer] = [await raw(a, 255), await raw(b, EXPERIMENT)];
    await ok(b.bind(peer, name(ADDRESS_B, 0)));
    expect(await getInt(a, s, IPPROTO_IP, IP_HDRINCL)).toBe(0);
    await ok(a.setsockopt(s, IPPROTO_IP, IP_HDRINCL, int(1)));
    const sent = packetTo(ADDRESS_B, EXPERIMENT, 'own');
    expect(await a.sendto(s, sent, sent.length, 0, name(ADDRESS_B, 0))).toBe(23);
    const got = await packet(b, peer);
    expect([got[8], got[9], got[3]]).toEqual([9, EXPERIMENT, 23]);
    expect(Buffer.from(got.subarray(12, 16)).join('.')).toBe(ADDRESS_A);
  });

  test('RAW-08 a broadcast needs SO_BROADCAST', async () => {
    const { a } = await pair();
    const s = await raw(a, EXPERIMENT);
    const all = name('255.255.255.255', 0);
    expect(await a.sendto(s, text('x'), 1, 0, all)).toBe(-WSAEACCES);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_BROADCAST, int(1)));
    expect(await a.sendto(s, text('x'), 1, 0, all)).toBe(1);
  });

  test('RAW-09 TCP is not sent over a raw socket, and a raw TCP socket is not bound', async () => {
    const { a } = await pair();
    const [s, whole] = [await raw(a, IPPROTO_TCP), await raw(a, 255)];
    expect(await a.bind(s, name(ADDRESS_A, 0))).toBe(-WSAEACCES);
    expect(await a.sendto(s, text('x'.repeat(20)), 20, 0, name(ADDRESS_B, 0))).toBe(-WSAEACCES);
    await ok(a.setsockopt(whole, IPPROTO_IP, IP_HDRINCL, int(1)));
    const segment = packetTo(ADDRESS_B, IPPROTO_TCP, 'x'.repeat(20));
    expect(await a.sendto(whole, segment, segment.length, 0, name(ADDRESS_B, 0))).toBe(-WSAEACCES);
  });

  test('RAW-11 connect fixes the peer, and send is allowed then', async () => {
    const { a } = await pair();
    const s = await raw(a, EXPERIMENT);
    expect(await a.send(s, text('x'))).toBe(-WSAENOTCONN);
    await ok(a.connect(s, name(ADDRESS_B, 0)));
    expect(await a.send(s, text('x'))).toBe(1);
  });

  test('RAW-12 a buffer that is too small gets its part, and the call fails', async () => {
    const { a, b } = await pair();
    const [s, peer] = [await raw(a, EXPERIMENT), await raw(b, EXPERIMENT)];
    await ok(b.bind(peer, name(ADDRESS_B, 0)));
    await ok(a.sendto(s, text('abc'), 3, 0, name(ADDRESS_B, 0)));
    const bytes = new Uint8Array(20);
    expect(await b.recv(peer, bytes)).toBe(-WSAEMSGSIZE);
    expect(bytes[9]).toBe(EXPERIMENT);
  });

  test('RAW-13 an ICMP socket sees echo requests, which are answered all the same', async () => {
    const { a, b } = await pair();
    const [s, peer] = [await raw(a, IPPROTO_ICMP), await raw(b, IPPROTO_ICMP)];
    await ok(a.bind(s, name(ADDRESS_A, 0)));
    await ok(b.bind(peer, name(ADDRESS_B, 0)));
    // An echo request with identifier and sequence 1; its checksum.
    const request = Uint8Array.of(8, 0, 0xf7, 0xfd, 0, 1, 0, 1);
    await ok(a.sendto(s, request, 8, 0, name(ADDRESS_B, 0)));
    expect((await packet(b, peer))[20]).toBe(8);
    expect((await packet(a, s))[20]).toBe(0);
  });

  test('RAW-14 SO_TYPE is SOCK_RAW', async () => {
    const { a } = await pair();
    expect(await getInt(a, await raw(a, EXPERIMENT), SOL_SOCKET, SO_TYPE)).toBe(SOCK_RAW);
  });

  test('RAW-RCVALL-01, RAW-RCVALL-02 a socket bound to an address sees all that crosses its interface, both ways', async () => {
    const { a } = await pair();
    const { s: sender } = await bound(a, udp, ADDRESS_A);
    const tap = await raw(a, 0);
    const returned = { value: 0 };
    const all = (): Promise<number> =>
      Promise.resolve(a.WSAIoctl(tap, SIO_RCVALL | 0, int(1), 4, null, 0, returned));
    expect(await all()).toBe(-WSAEINVAL);
    await ok(a.bind(tap, name(ADDRESS_A, 0)));
    expect(await all()).toBe(0);
    await ok(a.sendto(sender, text('seen'), 4, 0, name(ADDRESS_B, 9)));
    const [sent, answer] = [await packet(a, tap), await packet(a, tap)];
    expect([sent[9], answer[9], answer[20]]).toEqual([IPPROTO_UDP, IPPROTO_ICMP, 3]);
    expect(new TextDecoder().decode(sent.subarray(28))).toBe('seen');
  });
});

overEveryAttachment('datagram sockets and their peers', (pair) => {
  test('SEM-CONN-13 connect to a peer discards what waits from others', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    const other = await bound(b, udp, ADDRESS_B);
    await ok(b.sendto(other.s, text('other'), 5, 0, name(ADDRESS_A, port)));
    await ok(b.sendto(peer, text('peer'), 4, 0, name(ADDRESS_A, port)));
    await ready(a, s);
    await ok(a.connect(s, name(ADDRESS_B, peerPort)));
    expect(await receiveText(a, s)).toBe('peer');
    await ok(a.connect(s, name(ADDRESS_B, other.port)));
    await ok(b.sendto(peer, text('late'), 4, 0, name(ADDRESS_A, port)));
    await ok(b.sendto(other.s, text('now'), 3, 0, name(ADDRESS_A, port)));
    expect(await receiveText(a, s)).toBe('now');
  });

  test('SEM-BIND-23 sockets that share a port each get a broadcast, and one of them a datagram of its own', async () => {
    const { a, b } = await pair();
    const sharing = async (): Promise<number> => {
      const s = await udp(b);
      await ok(b.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, int(1)));
      await ok(b.bind(s, name('0.0.0.0', 5353)));
      return s;
    };
    const sockets = [await sharing(), await sharing()];
    const { s } = await bound(a, udp, ADDRESS_A);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_BROADCAST, int(1)));
    await ok(a.sendto(s, text('all'), 3, 0, name('255.255.255.255', 5353)));
    await ok(a.sendto(s, text('one'), 3, 0, name(ADDRESS_B, 5353)));
    for (const each of sockets) expect(await receiveText(b, each)).toBe('all');
    expect(await receiveText(b, sockets[0] as number)).toBe('one');
    await nonBlocking(b, sockets[1] as number);
    expect(await b.recv(sockets[1] as number, new Uint8Array(9))).toBe(-WSAEWOULDBLOCK);
  });

  test('OPT-UDP_SEND_MSG_SIZE one send is many datagrams', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.setsockopt(s, IPPROTO_UDP, UDP_SEND_MSG_SIZE, int(4)));
    expect(await a.sendto(s, text('aaaabbbbcc'), 10, 0, name(ADDRESS_B, peerPort))).toBe(10);
    const got = [await receiveText(b, peer), await receiveText(b, peer), await receiveText(b, peer)];
    expect(got).toEqual(['aaaa', 'bbbb', 'cc']);
  });

  test('OPT-UDP_NOCHECKSUM, OPT-IP_OPTIONS datagrams without a checksum and with IP options arrive', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    await ok(a.setsockopt(s, IPPROTO_UDP, UDP_NOCHECKSUM, int(1)));
    await ok(a.setsockopt(s, IPPROTO_IP, IP_OPTIONS, Uint8Array.of(0x94, 4, 0, 0)));
    await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort)));
    const [bytes, from] = [new Uint8Array(9), new Uint8Array(16)];
    expect(await b.recvfrom(peer, bytes, 9, 0, from, { value: 16 })).toBe(1);
    expect(nameIn(from)).toEqual({ address: ADDRESS_A, port });
    const route = Uint8Array.of(0x83, 7, 4, 10, 0, 0, 1);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_OPTIONS, route)).toBe(-WSAEINVAL);
  });
});
