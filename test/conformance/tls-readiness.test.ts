/**
 * Readiness of secure sockets is that of their plain bytes: parts of records, tickets and alerts on the wire are nothing to read. And how a
 * connection ends: by close_notify, or by force.
 */

import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  FD_CLOSE,
  FD_READ,
  FIONREAD,
  MSG_PEEK,
  POLLRDNORM,
  SO_LINGER,
  SOL_SOCKET,
  WSAECONNRESET,
  WSAEWOULDBLOCK,
  type WSANETWORKEVENTS,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { ADDRESS_B } from './attachment.ts';
import { listening, name, nonBlocking, ok } from './support.ts';
import { nextChunk, nodeServer, secured, type TlsHosts, text, tlsHosts, tlsLayer } from './tls-support.ts';

const SOON = { tv_sec: 5, tv_usec: 0 };
const NOW = { tv_sec: 0, tv_usec: 0 };

let certificates: Certificates;
let hosts: TlsHosts;
let a: Winsock;
let b: Winsock;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());
beforeEach(async () => {
  hosts = await tlsHosts();
  [a, b] = [await hosts.winsock('a', tlsLayer()), await hosts.winsock('b')];
});
afterEach(() => hosts.close());

interface Held {
  /** The secure socket of host a, and Node's TLS on host b with the socket that it runs over. */
  readonly s: number;
  readonly peer: TLSSocket;
  readonly raw: number;
  /** From now on what the peer sends is kept back. */
  hold(): void;
  /** Sends the next bytes of it. */
  pass(count: number): Promise<number>;
  /** Bytes that are kept back. */
  held(): number;
}

async function connected(version: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3'): Promise<Held> {
  const { s: listener, port } = await listening(b);
  const { certificate: cert, key } = certificates.server;
  let isHolding = false;
  let kept = Buffer.alloc(0);
  let raw = 0;
  const accepted = Promise.resolve(b.accept(listener)).then((t) => {
    raw = t;
    const options = { cert, key, minVersion: version, maxVersion: version } as const;
    return nodeServer(b, t, options as never, (bytes) => {
      if (!isHolding) return b.send(t, bytes);
      kept = Buffer.concat([kept, bytes]);
      return bytes.length;
    });
  });
  const s = await secured(a);
  await ok(a.connect(s, name(ADDRESS_B, port)));
  const peer = await accepted;
  return {
    s,
    peer,
    get raw() {
      return raw;
    },
    hold: () => {
      isHolding = true;
    },
    pass: async (count) => {
      const part = kept.subarray(0, count);
      kept = kept.subarray(count);
      return ok(b.send(raw, part));
    },
    held: () => kept.length,
  };
}

/** What select, WSAPoll, FIONREAD and recv say of a socket without waiting. */
async function readiness(s: number): Promise<unknown[]> {
  const readable = { fd_array: [s] };
  const fds = [{ fd: s, events: POLLRDNORM, revents: 0 }];
  const count = { value: -1 };
  return [
    await a.select(0, readable, null, null, NOW),
    await a.WSAPoll(fds, 1, 0),
    await a.ioctlsocket(s, FIONREAD, count),
    count.value,
    await a.recv(s, new Uint8Array(99), 99, MSG_PEEK),
  ];
}

/** Lets what is under way arrive. */
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

describe('readiness', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'SSL-SEQ-01, API-select, SEM-EV-02 of %s: a part of a record is nothing to read; a whole one is its plain bytes',
    async (version) => {
      const { s, peer, hold, pass, held } = await connected(version);
      // Tickets of TLS 1.3 come after the handshake, and are nothing to read either.
      peer.write('x');
      expect(await text(a, s)).toBe('x');
      await nonBlocking(a, s);
      hold();
      peer.write('hello');
      while (held() < 20) await settle();
      await pass(held() - 1);
      await settle();
      const nothing = [0, 0, 0, 0, -WSAEWOULDBLOCK];
      expect(await readiness(s)).toEqual(nothing);
      const event = await ok(a.WSACreateEvent());
      await ok(a.WSAEventSelect(s, event, FD_READ | FD_CLOSE));
      expect(await a.WSAWaitForMultipleEvents(1, [event], true, 0)).not.toBe(0);
      await pass(1);
      expect(await a.WSAWaitForMultipleEvents(1, [event], true, 5000)).toBe(0);
      const events: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
      await ok(a.WSAEnumNetworkEvents(s, event, events));
      expect(events.lNetworkEvents).toBe(FD_READ);
      expect(await readiness(s)).toEqual([1, 1, 0, 5, 5]);
      expect(await text(a, s, 2)).toBe('he');
      expect(await readiness(s)).toEqual([1, 1, 0, 3, 3]);
      expect(await text(a, s)).toBe('llo');
      expect(await readiness(s)).toEqual(nothing);
    },
  );

  test('SSL-SEQ-01 a record that the peer cut in two is whole again when a blocking receive waits for it', async () => {
    const { s, peer, hold, pass, held } = await connected();
    hold();
    const receiving = text(a, s);
    peer.write('whole');
    while (held() < 20) await settle();
    await pass(7);
    await settle();
    await pass(held());
    expect(await receiving).toBe('whole');
  });
});

describe('the end', () => {
  test('SSL-SEQ-04 shutdown sends close_notify, and the peer goes on sending', async () => {
    const { s, peer } = await connected();
    await ok(a.shutdown(s, 1));
    expect(await nextChunk(peer)).toBe('');
    expect(peer.readableEnded).toBe(true);
  });

  test('SSL-SEQ-04, OPT-SO_LINGER closing by force sends no close_notify: the peer is reset', async () => {
    const { s, peer } = await connected();
    await ok(a.send(s, Buffer.from('x')));
    expect(await nextChunk(peer)).toBe('x');
    await ok(a.setsockopt(s, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(a.closesocket(s));
    expect(await nextChunk(peer)).toBe('');
    expect([peer.readableEnded, peer.destroyed]).toEqual([false, true]);
  });

  test('SSL-SEQ-04 an end in the middle of a record is WSAECONNRESET, and no byte of the record is told', async () => {
    const { s, peer, raw, hold, pass, held } = await connected();
    hold();
    peer.write('half of this');
    while (held() < 20) await settle();
    await pass(held() - 3);
    await ok(b.shutdown(raw, 1));
    const readable = { fd_array: [s] };
    expect(await a.select(0, readable, null, null, SOON)).toBe(1);
    expect(await text(a, s)).toBe(-WSAECONNRESET);
    expect(await a.send(s, Buffer.from('x'))).toBe(-WSAECONNRESET);
  });

  test('SSL-SEQ-04 a record that was changed on its way ends the connection, and nothing of it is told', async () => {
    const { s, peer, raw, hold, held } = await connected();
    hold();
    peer.write('to be changed');
    while (held() < 20) await settle();
    const forged = Buffer.alloc(held(), 7);
    forged.set([23, 3, 3, 0, forged.length - 5]);
    await ok(b.send(raw, forged));
    expect(await text(a, s)).toBeLessThan(0);
  });
});
