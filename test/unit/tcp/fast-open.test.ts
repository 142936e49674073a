/** TCP Fast Open, RFC 7413: a server's cookies and pending connections, a client's cache and its SYN with text. */

import { describe, expect, test } from '@jest/globals';
import type { TcpEndpoint, TcpOptions } from '../../../src/stack/index.ts';
import { MAX_SERVERS } from '../../../src/stack/tcp/fast-open/cache.ts';
import type { EitherPacket } from '../../support/packets.ts';
import { tcpOptions } from '../../support/transport-bytes.ts';
import {
  address,
  anyAddress,
  family,
  has,
  listenOn,
  makeTcpHost,
  must,
  overBothFamilies,
  Pair,
  PEER_ISN,
  PEER_PORT,
  PORT,
  type TcpHost,
} from './support.ts';

const FAST = { fastOpen: true } as const;
const DAY = 24 * 3600 * 1000;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The cookie in a packet's options; `null`: no such option. */
function cookieIn(packet: EitherPacket | undefined): Uint8Array | null {
  const found = /tfo +(?:cookie )?([0-9a-f]*)/.exec(packet?.options ?? '');
  if (found === null) return null;
  return Uint8Array.from((found[1] ?? '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** What an endpoint can read now. */
function readAll(socket: TcpEndpoint | null | undefined): string {
  const into = new Uint8Array(4096);
  const got = socket?.read(into, 0, into.length) ?? -1;
  return got <= 0 ? String(got) : new TextDecoder().decode(into.subarray(0, got));
}

overBothFamilies(() => {
  describe('RFC 7413 §4.2.2 a server', () => {
    /** Asks for a cookie and drops the connection. */
    function fetchCookie(host: TcpHost, sourcePort = 2000): Uint8Array {
      const options = tcpOptions({ mss: 1460, fastOpen: new Uint8Array(0) });
      host.in({ flags: 'S', seq: 1, sourcePort, options });
      const cookie = cookieIn(host.out()[0]);
      if (cookie === null) throw new Error('no cookie');
      host.in({ flags: 'R', seq: 2, sourcePort });
      return cookie;
    }

    /** A SYN with a cookie and text. @returns the answer */
    function fastSyn(
      host: TcpHost,
      cookie: Uint8Array,
      payload = 'hello',
      sourcePort = PEER_PORT,
      src = family().peer,
    ) {
      host.in({
        flags: 'S',
        seq: 1,
        sourcePort,
        src,
        options: tcpOptions({ mss: 1460, fastOpen: cookie }),
        payload,
      });
      return host.out()[0];
    }

    test('RFC 7413 §4.2.2 it gives a cookie of 8 bytes to who asks, and none to who does not or when it is off', () => {
      const host = makeTcpHost(FAST);
      listenOn(host);
      expect(fetchCookie(host)).toHaveLength(8);
      expect(host.stack.counters.tcpFastOpenCookieReqd).toBe(1);
      host.in({ flags: 'S', seq: 1, sourcePort: 2001, options: tcpOptions({ mss: 1460 }) });
      expect(cookieIn(host.out()[0])).toBeNull();
      const other = makeTcpHost();
      listenOn(other);
      expect(() => fetchCookie(other)).toThrow('no cookie');
    });

    test('RFC 7413 §4.2.2 with a good cookie the text of the SYN is delivered, and answered, before the handshake is complete', () => {
      const host = makeTcpHost(FAST);
      const listener = listenOn(host);
      const synAck = fastSyn(host, fetchCookie(host));
      expect(synAck).toMatchObject({ flags: 'S.', ack: 7 });
      expect(has(host.eventsOf(listener), 'acceptable')).toBe(true);
      const socket = listener.accept();
      expect(socket?.state).toBe('SYN-RECEIVED');
      expect(readAll(socket)).toBe('hello');
      expect(readAll(socket)).toBe('-1');
      expect(socket?.write(text('answer'), 0, 6)).toBe(6);
      const iss = synAck?.seq ?? 0;
      expect(host.out()).toMatchObject([{ flags: 'P.', seq: iss + 1, ack: 7 }]);
      host.in({ flags: '.', seq: 7, ack: iss + 7 });
      expect(socket).toMatchObject({ state: 'ESTABLISHED', unsentBytes: 0 });
      expect(host.stack.counters).toMatchObject({ tcpFastOpenPassive: 1, tcpFastOpenPassiveFail: 0 });
      expect(listener.acceptableCount).toBe(0);
    });

    test('RFC 7413 §4.2.2 text that was sent before the ACK is sent again after it when it was lost', () => {
      const host = makeTcpHost(FAST);
      const listener = listenOn(host);
      const iss = fastSyn(host, fetchCookie(host))?.seq ?? 0;
      const socket = listener.accept();
      socket?.write(text('answer'), 0, 6);
      host.out();
      host.in({ flags: '.', seq: 7, ack: iss + 1 });
      const [again] = host.pass(5000);
      expect(again).toMatchObject({ seq: iss + 1, flags: 'P.' });
      host.in({ flags: '.', seq: 7, ack: iss + 7 });
      expect(socket?.unsentBytes).toBe(0);
    });

    test('RFC 7413 §4.2.2 a SYN-ACK that is not answered is sent again, a repeated SYN is answered, the text comes once', () => {
      const host = makeTcpHost(FAST);
      const listener = listenOn(host);
      const cookie = fetchCookie(host);
      const iss = fastSyn(host, cookie)?.seq ?? 0;
      expect(host.pass(1500)).toMatchObject([{ flags: 'S.', seq: iss, ack: 7 }]);
      expect(fastSyn(host, cookie)).toMatchObject({ flags: 'S.', seq: iss, ack: 7 });
      host.in({ flags: '.', seq: 7, ack: iss + 1 });
      const socket = listener.accept();
      expect(readAll(socket)).toBe('hello');
      expect(listener.accept()).toBeNull();
    });

    test('RFC 7413 §4.2.2 a wrong cookie, or another client’s, is answered with a new one and the text is not taken', () => {
      const host = makeTcpHost(FAST);
      const listener = listenOn(host);
      const cookie = fetchCookie(host);
      const wrong = cookie.map((byte) => byte ^ 1);
      const answer = fastSyn(host, wrong);
      expect(answer).toMatchObject({ flags: 'S.', ack: 2 });
      expect(cookieIn(answer)).toEqual(cookie);
      const stranger = fastSyn(host, cookie, 'hello', 2001, family().neighbor(9));
      expect(stranger).toMatchObject({ flags: 'S.', ack: 2 });
      expect(cookieIn(stranger)).not.toEqual(cookie);
      expect(listener.acceptableCount).toBe(0);
      expect(host.stack.counters.tcpFastOpenPassiveFail).toBe(2);
    });

    test('RFC 7413 §4.1.2 the key changes: the cookie of the day before is good and renewed, an older one is not', () => {
      const host = makeTcpHost(FAST);
      const listener = listenOn(host);
      host.now = DAY * 10;
      const cookie = fetchCookie(host);
      host.now += DAY;
      const answer = fastSyn(host, cookie);
      expect(answer?.ack).toBe(7);
      const renewed = cookieIn(answer);
      expect(renewed).toHaveLength(8);
      expect(renewed).not.toEqual(cookie);
      expect(readAll(listener.accept())).toBe('hello');
      host.now += DAY;
      expect(fastSyn(host, cookie, 'hello', 2001)?.ack).toBe(2);
      expect(fastSyn(host, renewed as Uint8Array, 'hello', 2002)?.ack).toBe(7);
    });

    test('RFC 7413 §5.1 connections whose handshake is not complete are bounded, past the bound it is the long way', () => {
      const host = makeTcpHost({ ...FAST, maxFastOpens: 2 });
      const listener = listenOn(host, 100);
      const cookie = fetchCookie(host);
      const acks = [2001, 2002, 2003].map((port) => fastSyn(host, cookie, 'hello', port)?.ack);
      expect(acks).toEqual([7, 7, 2]);
      expect(listener.acceptableCount).toBe(2);
      expect(host.stack.counters.tcpFastOpenListenOverflows).toBe(1);
    });

    test('RFC 7413 §5.1 one that was reset goes on counting for a minute', () => {
      const host = makeTcpHost({ ...FAST, maxFastOpens: 1 });
      listenOn(host, 100);
      const cookie = fetchCookie(host);
      expect(fastSyn(host, cookie, 'hello', 2001)?.ack).toBe(7);
      host.in({ flags: 'R', seq: 7, sourcePort: 2001 });
      expect(fastSyn(host, cookie, 'hello', 2002)?.ack).toBe(2);
      host.now += 60_001;
      expect(fastSyn(host, cookie, 'hello', 2003)?.ack).toBe(7);
    });

    test('RFC 7413 §5.1 a full accept queue refuses it as any other, and closing the listener resets it', () => {
      const host = makeTcpHost(FAST);
      const listener = listenOn(host, 1);
      const cookie = fetchCookie(host);
      fastSyn(host, cookie, 'hello', 2001);
      expect(fastSyn(host, cookie, 'hello', 2002)).toMatchObject({ flags: 'R.' });
      listener.close();
      expect(host.out()).toMatchObject([{ flags: 'R.', destinationPort: 2001 }]);
      expect(host.allocator.inUse).toBe(0);
    });
  });

  describe('RFC 7413 §4.2.1 a client', () => {
    const COOKIE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

    /** Connects to `server` with text. @returns the socket and the SYN */
    function dial(host: TcpHost, value = 'hello', server = family().peer) {
      const socket = host.stack.openTcp(host.family.family);
      const bytes = text(value);
      expect(socket.connectWithData(address(server), PEER_PORT, bytes, 0, bytes.length)).toBe(bytes.length);
      const [syn] = host.out();
      const iss = syn?.seq ?? 0;
      /** A segment of the server's. */
      const reply = (flags: string, ack: number, options = tcpOptions({ mss: 1460 })) => {
        const sourcePort = PEER_PORT;
        const destinationPort = socket.localPort;
        return host.in({
          flags,
          seq: flags.includes('S') ? PEER_ISN : PEER_ISN + 1,
          ack,
          options,
          src: server,
          sourcePort,
          destinationPort,
        });
      };
      return { socket, syn, iss, reply };
    }

    /** Has a cookie of `server`. */
    function learn(host: TcpHost, server = family().peer, cookie = COOKIE): void {
      const { socket, iss, reply } = dial(host, 'x', server);
      reply('S.', iss + 1, tcpOptions({ mss: 1460, fastOpen: cookie }));
      host.out();
      socket.abort();
      host.out();
    }

    test('RFC 7413 §4.2.1 it asks for a cookie first, its text comes behind the handshake', () => {
      const host = makeTcpHost(FAST);
      const { socket, syn, iss, reply } = dial(host);
      expect(cookieIn(syn)).toEqual(new Uint8Array(0));
      expect(syn?.payload ?? '').toHaveLength(0);
      reply('S.', iss + 1, tcpOptions({ mss: 1460, fastOpen: COOKIE }));
      expect(host.out()).toMatchObject([{ flags: 'P.', seq: iss + 1 }]);
      expect(socket.state).toBe('ESTABLISHED');
    });

    test('RFC 7413 §4.1.1 the option without a cookie asks, in a SYN-ACK it gives one, in the next SYN it carries that one', () => {
      for (const length of [4, 8, 12]) {
        const cookie = Uint8Array.from({ length }, (_, i) => 0xa0 + i);
        const host = makeTcpHost(FAST);
        const asking = dial(host);
        expect(cookieIn(asking.syn)).toEqual(new Uint8Array(0));
        asking.reply('S.', asking.iss + 1, tcpOptions({ mss: 1460, fastOpen: cookie }));
        expect(host.out().map(cookieIn)).toEqual([null]);
        expect(cookieIn(dial(host).syn)).toEqual(cookie);
      }
    });

    test('RFC 7413 §4.1.1 a cookie of less than 4, of more than 16 or of an odd number of bytes is none', () => {
      for (const length of [2, 5, 18]) {
        const host = makeTcpHost(FAST);
        learn(host, family().peer, new Uint8Array(length).fill(7));
        expect(cookieIn(dial(host).syn)).toEqual(new Uint8Array(0));
      }
    });

    test('SEM-OV-20 without Fast Open the text of connectWithData comes behind the handshake too', () => {
      const host = makeTcpHost();
      const { syn, iss, reply } = dial(host);
      expect(cookieIn(syn)).toBeNull();
      reply('S.', iss + 1);
      expect(host.out()).toMatchObject([{ flags: 'P.', seq: iss + 1 }]);
    });

    test('RFC 7413 §4.2.1 with a cookie the SYN has the text, and what is acknowledged is not sent again', () => {
      const host = makeTcpHost(FAST);
      learn(host);
      const { socket, syn, iss, reply } = dial(host);
      expect(syn).toMatchObject({ flags: 'S' });
      expect(cookieIn(syn)).toEqual(COOKIE);
      expect(syn?.payload).toHaveLength(5);
      reply('S.', iss + 6);
      expect(host.out()).toMatchObject([{ flags: '.', seq: iss + 6, ack: PEER_ISN + 1 }]);
      expect(socket).toMatchObject({ state: 'ESTABLISHED', unsentBytes: 0 });
      expect(socket.info().bytesOut).toBe(5);
      expect(has(host.eventsOf(socket), 'drained')).toBe(true);
      expect(host.stack.counters).toMatchObject({ tcpFastOpenActive: 1, tcpFastOpenActiveFail: 0 });
      expect(host.pass(60_000)).toEqual([]);
    });

    test('RFC 7413 §4.2.1 what the SYN-ACK does not acknowledge follows at once', () => {
      const host = makeTcpHost(FAST);
      learn(host);
      const { socket, iss, reply } = dial(host);
      reply('S.', iss + 3);
      const [rest] = host.out();
      expect(rest).toMatchObject({ flags: 'P.', seq: iss + 3 });
      expect(rest?.payload).toHaveLength(3);
      expect(socket.info()).toMatchObject({ bytesOut: 5, bytesRetrans: 0 });
    });

    test('RFC 7413 §4.1.3 the SYN takes no more than the MSS that the server announced, options counted', () => {
      const host = makeTcpHost({ ...FAST, timestamps: false, sack: false });
      learn(host);
      const { syn } = dial(host, 'x'.repeat(5000));
      // MSS 4, window scale 4, cookie 12.
      expect(syn?.payload).toHaveLength(1460 - 20);
    });

    test('RFC 7413 §4.1.3.1 a SYN that is not answered goes out again plain, and the server is left alone for an hour', () => {
      const host = makeTcpHost(FAST);
      learn(host);
      const { iss, reply } = dial(host);
      const [again] = host.pass(2000);
      expect(again).toMatchObject({ flags: 'S', seq: iss });
      expect(cookieIn(again)).toBeNull();
      expect(again?.payload ?? '').toHaveLength(0);
      reply('S.', iss + 1);
      expect(host.out()).toMatchObject([{ flags: 'P.', seq: iss + 1 }]);
      expect(host.stack.counters.tcpFastOpenActiveFail).toBe(1);
      expect(cookieIn(dial(host).syn)).toBeNull();
      host.now += 3_600_001;
      expect(cookieIn(dial(host).syn)).toEqual(new Uint8Array(0));
    });

    test('RFC 7413 §4.1.3 a server that does not take the text and sends a new cookie is asked with that one', () => {
      const host = makeTcpHost(FAST);
      learn(host);
      const { iss, reply } = dial(host);
      const renewed = COOKIE.map((byte) => byte + 1);
      reply('S.', iss + 1, tcpOptions({ mss: 1460, fastOpen: renewed }));
      host.out();
      expect(cookieIn(dial(host).syn)).toEqual(renewed);
    });

    test('RFC 7413 §4.1.3.1 after three servers in a row that do not answer nobody is asked, until an hour has passed', () => {
      const host = makeTcpHost({ ...FAST, maxSynRetransmissions: 1 });
      const silent = [11, 12, 13].map(family().neighbor);
      const other = family().neighbor(14);
      for (const server of [...silent, other]) learn(host, server);
      for (const server of silent) {
        dial(host, 'hello', server);
        for (let i = 0; i < 3; i++) host.pass(60_000);
      }
      expect(host.stack.counters.tcpFastOpenBlackholes).toBe(1);
      expect(cookieIn(dial(host, 'hello', other).syn)).toBeNull();
      host.now += 3_600_001;
      expect(cookieIn(dial(host, 'hello', other).syn)).toEqual(COOKIE);
    });

    test('RFC 7413 §4.1.3 a cookie too long to fit beside the other options is not used', () => {
      const host = makeTcpHost(FAST);
      learn(host, family().peer, new Uint8Array(16).fill(7));
      const { syn, iss, reply } = dial(host);
      expect(cookieIn(syn)).toBeNull();
      reply('S.', iss + 1);
      expect(host.out()).toMatchObject([{ flags: 'P.', seq: iss + 1 }]);
    });

    test('RFC 9293 §3.5 a SYN that crosses one with text opens the connection, the text follows', () => {
      const host = makeTcpHost(FAST);
      learn(host);
      const { socket, iss, reply } = dial(host);
      reply('S', 0);
      expect(host.out()).toMatchObject([{ flags: 'S.', seq: iss, ack: PEER_ISN + 1 }]);
      reply('.', iss + 1);
      expect(socket.state).toBe('ESTABLISHED');
      expect(host.out()).toMatchObject([{ flags: 'P.', seq: iss + 1 }]);
    });

    test('RFC 7413 §4.1.3 the cache is bounded: the server not used for longest is forgotten', () => {
      const host = makeTcpHost(FAST, { addresses: ['10.0.0.2/16', 'fd00::2/64'] });
      const name = (i: number): string =>
        family().family === 4
          ? `10.0.${1 + (i >> 8)}.${i & 255}`
          : `fd00::${1 + (i >> 8)}:${(i & 255).toString(16)}`;
      for (let i = 0; i <= MAX_SERVERS; i++) learn(host, name(i));
      expect(cookieIn(dial(host, 'hello', name(0)).syn)).toEqual(new Uint8Array(0));
      expect(cookieIn(dial(host, 'hello', name(MAX_SERVERS)).syn)).toEqual(COOKIE);
    });
  });

  describe('RFC 7413 between two of our hosts', () => {
    test('RFC 7413 §3 the second connection has its request answered after one round trip', () => {
      const tcp: TcpOptions = FAST;
      const pair = new Pair(1, { delay: 50 }, tcp);
      const listener = pair.stacks[1].openTcp(family().family);
      must(listener.bind(anyAddress(), PORT));
      must(listener.listen(8));
      const request = (): number => {
        const client = pair.stacks[0].openTcp(family().family);
        const start = pair.now;
        must(client.connectWithData(address(family().neighbor(2)), PORT, text('question'), 0, 8));
        let server: TcpEndpoint | null = null;
        const isDone = pair.run(() => {
          server ??= listener.accept();
          if (server !== null && server.readableBytes === 8) server.write(text(readAll(server)), 0, 8);
          return client.readableBytes === 8;
        }, 10_000);
        expect(isDone).toBe(true);
        expect(readAll(client)).toBe('question');
        return pair.now - start;
      };
      expect([request(), request()]).toEqual([200, 100]);
    });
  });
});
