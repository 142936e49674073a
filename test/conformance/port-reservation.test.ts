/** Ports that an application keeps for itself (IOC-SIO_PORT_RESERVATION). */

import { expect, test } from '@jest/globals';
import * as abi from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import { ioctl, outcome } from './ioctl-support.ts';
import {
  bound,
  connected,
  datagramPair,
  localName,
  name,
  ok,
  overEveryAttachment,
  tcp,
  text,
  udp,
} from './support.ts';

const { WSAEACCES, WSAEFAULT, WSAEINVAL, WSAEOPNOTSUPP } = abi;

/** An INET_PORT_RANGE. */
const range = (first: number, count: number): Uint8Array =>
  Uint8Array.of(first >> 8, first & 0xff, count & 0xff, count >> 8);

async function acquire(ws: Winsock, s: number, first: number, count: number) {
  const { answer, out } = await ioctl(ws, s, abi.SIO_ACQUIRE_PORT_RESERVATION, range(first, count), 16);
  return {
    answer,
    first: (out[0] as number) * 256 + (out[1] as number),
    count: (out[2] as number) + (out[3] as number) * 256,
    token: out.slice(8, 16),
  };
}

overEveryAttachment('port reservations', (pair) => {
  const associate = (ws: Winsock, s: number, token: Uint8Array) =>
    outcome(ws, s, abi.SIO_ASSOCIATE_PORT_RESERVATION, token, 0);

  test('IOC-SIO_PORT_RESERVATION only who has the token binds the ports, by number or as any of them', async () => {
    const { a, b } = await pair();
    const keeper = await tcp(a);
    const kept = await acquire(a, keeper, 40_000, 2);
    expect(kept).toMatchObject({ answer: 0, first: 40_000, count: 2 });
    expect(await a.bind(await tcp(a), name('0.0.0.0', 40_001))).toBe(-WSAEACCES);
    const s = await tcp(a);
    expect(await associate(a, s, kept.token)).toEqual([0, 0]);
    expect(await a.bind(s, name('0.0.0.0', 40_001))).toBe(0);
    // Without a bind a connect takes one of them.
    const { port } = await connected({ a, b });
    const client = await tcp(a);
    await associate(a, client, kept.token);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    expect((await localName(a, client)).port).toBe(40_000);
    const full = await tcp(a);
    await associate(a, full, kept.token);
    expect(await a.bind(full, name('0.0.0.0', 0))).toBe(-abi.WSAENOBUFS);
    // UDP has ports of its own.
    expect(await a.bind(await udp(a), name('0.0.0.0', 40_000))).toBe(0);
  });

  test('IOC-SIO_PORT_RESERVATION wherever there is room, and for datagrams', async () => {
    const { a, b } = await pair();
    const keeper = await udp(a);
    const kept = await acquire(a, keeper, 0, 3);
    expect([kept.answer, kept.count]).toEqual([0, 3]);
    expect(kept.first).toBeGreaterThanOrEqual(49_152);
    const s = await udp(a);
    await associate(a, s, kept.token);
    const { peerPort } = await datagramPair({ a, b });
    await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort)));
    expect((await localName(a, s)).port - kept.first).toBeLessThan(3);
  });

  test('IOC-SIO_PORT_RESERVATION ends when it is released, and with the socket that acquired it', async () => {
    const { a } = await pair();
    const keeper = await tcp(a);
    const kept = await acquire(a, keeper, 40_100, 1);
    const release = (s: number) => outcome(a, s, abi.SIO_RELEASE_PORT_RESERVATION, kept.token, 0);
    expect(await release(await tcp(a))).toEqual([-WSAEINVAL, 0]);
    expect(await release(keeper)).toEqual([0, 0]);
    expect(await release(keeper)).toEqual([-WSAEINVAL, 0]);
    expect(await associate(a, await tcp(a), kept.token)).toEqual([-WSAEINVAL, 0]);
    await bound(a, tcp, '0.0.0.0', 40_100);
    const other = await tcp(a);
    expect((await acquire(a, other, 40_200, 1)).answer).toBe(0);
    await ok(a.closesocket(other));
    await bound(a, tcp, '0.0.0.0', 40_200);
  });

  test('IOC-SIO_PORT_RESERVATION ranges, lengths, tokens and sockets that are wrong', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const { s: taken, port } = await bound(a, tcp);
    for (const [first, count, code] of [
      [40_300, 0, WSAEINVAL],
      [65_535, 2, WSAEINVAL],
      [port, 1, abi.WSAEADDRINUSE],
      [0, 16_385, abi.WSAENOBUFS],
    ] as const) {
      expect((await acquire(a, s, first, count)).answer).toBe(-code);
    }
    expect(await outcome(a, s, abi.SIO_ACQUIRE_PORT_RESERVATION, new Uint8Array(3), 16)).toEqual([
      -WSAEFAULT,
      0,
    ]);
    expect(await outcome(a, s, abi.SIO_ACQUIRE_PORT_RESERVATION, range(1, 1), 15)).toEqual([-WSAEFAULT, 0]);
    expect(await associate(a, s, new Uint8Array(7))).toEqual([-WSAEFAULT, 0]);
    expect(await associate(a, s, new Uint8Array(8))).toEqual([-WSAEINVAL, 0]);
    const kept = await acquire(a, s, 40_400, 1);
    // Associate before bind, a socket of the same protocol.
    expect(await associate(a, taken, kept.token)).toEqual([-WSAEINVAL, 0]);
    expect(await associate(a, await udp(a), kept.token)).toEqual([-WSAEINVAL, 0]);
    const raw = await ok(a.socket(abi.AF_INET, abi.SOCK_RAW, 253));
    for (const code of [
      abi.SIO_ACQUIRE_PORT_RESERVATION,
      abi.SIO_RELEASE_PORT_RESERVATION,
      abi.SIO_ASSOCIATE_PORT_RESERVATION,
    ]) {
      expect(await outcome(a, raw, code, new Uint8Array(8), 16)).toEqual([-WSAEOPNOTSUPP, 0]);
    }
  });
});
