/** The two queues of a listener: backlog rules of Winsock, RFC 4987 §3 under a flood, and what is remembered of a SYN. */

import { describe, expect, test } from '@jest/globals';
import type { TcpEndpoint } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { tcpOptions } from '../../support/transport-bytes.ts';
import {
  anyAddress,
  FULL_SYN,
  family,
  has,
  listenOn,
  makeTcpHost,
  must,
  overBothFamilies,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  type TcpHost,
} from './support.ts';

/** Hands in a SYN and takes the answer. @returns the answer's sequence number + 1: what the peer acknowledges */
function syn(host: TcpHost, sourcePort: number, options = PLAIN_SYN): number {
  host.in({ flags: 'S', seq: 1, sourcePort, options });
  return ((host.out()[0]?.seq ?? 0) + 1) | 0;
}

/** Completes a handshake from `sourcePort`. */
function establish(host: TcpHost, sourcePort: number): void {
  const ack = syn(host, sourcePort);
  host.in({ flags: '.', seq: 2, ack, sourcePort });
}

const halfOpen = (host: TcpHost): number =>
  [...host.stack.endpoints()].filter((one) => (one as TcpEndpoint).state === 'SYN-RECEIVED').length;

overBothFamilies(() => {
  describe('RFC 9293 §3.10.7.4 SYN-RECEIVED after a passive open', () => {
    test('RFC 9293 §3.10.7.4 the record of a half-open connection is seen as SYN-RECEIVED, and closing it forgets it', () => {
      const host = makeTcpHost();
      listenOn(host);
      syn(host, 2001);
      const [, record] = [...host.stack.endpoints()];
      expect(record).toMatchObject({ kind: 'tcp', state: 'SYN-RECEIVED', remotePort: 2001 });
      record?.close();
      record?.close();
      expect(halfOpen(host)).toBe(0);
      expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    });

    test('RFC 9293 §3.10.7.4 text and FIN that come with the ACK are taken', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      const ack = syn(host, PEER_PORT);
      host.in({ flags: 'F.', seq: 2, ack, payload: 'hello' });
      expect(host.out()).toMatchObject([{ flags: '.', ack: 8 }]);
      const socket = listener.accept();
      expect(socket).toMatchObject({ state: 'CLOSE-WAIT', readableBytes: 5 });
    });

    test('RFC 9293 §3.10.7.4 a SYN in the window goes back to LISTEN, another connection can begin', () => {
      const host = makeTcpHost();
      listenOn(host);
      syn(host, PEER_PORT);
      expect(host.in({ flags: 'S', seq: 100 })).toBe(DropReason.tcpSynInWindow);
      expect(halfOpen(host)).toBe(0);
      expect(host.in({ flags: 'S', seq: 100 })).toBe(DropReason.none);
      expect(host.out()).toMatchObject([{ flags: 'S.', ack: 101 }]);
    });

    test('RFC 9293 §3.5.1 a SYN of a host that has started anew, with a new clock, goes back to LISTEN too', () => {
      const host = makeTcpHost();
      listenOn(host);
      syn(host, PEER_PORT, FULL_SYN);
      const options = tcpOptions({ mss: 1460, timestamps: [3, 0] });
      expect(host.in({ flags: 'S', seq: 100, options })).toBe(DropReason.tcpSynInWindow);
      expect(halfOpen(host)).toBe(0);
    });

    test('RFC 9293 §3.10.7.4 a SYN out of the window is answered with an ACK of where we are', () => {
      const host = makeTcpHost();
      listenOn(host);
      const ack = syn(host, PEER_PORT);
      expect(host.in({ flags: 'S', seq: -500_000 })).toBe(DropReason.tcpDuplicate);
      expect(host.out()).toMatchObject([{ flags: '.', seq: ack >>> 0, ack: 2 }]);
      expect(halfOpen(host)).toBe(1);
    });

    test('RFC 5961 §3.2 only the exact number resets, a guess in the window is challenged, and no more than ten a second', () => {
      const host = makeTcpHost();
      listenOn(host);
      syn(host, PEER_PORT);
      let challenges = 0;
      for (let guess = 0; guess < 100; guess++) {
        expect(host.in({ flags: 'R', seq: 3 + guess })).toBe(DropReason.tcpResetUnacceptable);
        challenges += host.out().length;
        host.now += 10;
      }
      expect(challenges).toBeGreaterThan(5);
      expect(challenges).toBeLessThanOrEqual(10);
      expect(halfOpen(host)).toBe(1);
      expect(host.in({ flags: 'R', seq: 2 })).toBe(DropReason.none);
      expect(halfOpen(host)).toBe(0);
      expect(host.stack.counters.tcpAttemptFails).toBe(1);
    });

    test('RFC 7323 §5.3 an older timestamp, and a segment without one, do not complete the handshake', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      const ack = syn(host, PEER_PORT, FULL_SYN);
      expect(host.in({ flags: '.', seq: 2, ack })).toBe(DropReason.tcpPaws);
      const old = tcpOptions({ timestamps: [899, 0] });
      expect(host.in({ flags: '.', seq: 2, ack, options: old })).toBe(DropReason.tcpPaws);
      expect(host.out()).toMatchObject([{ flags: '.', ack: 2 }]);
      expect(listener.acceptableCount).toBe(0);
      host.in({ flags: '.', seq: 2, ack, options: tcpOptions({ timestamps: [901, 0] }) });
      expect(listener.acceptableCount).toBe(1);
    });

    test('RFC 6298 §3 the time to the ACK is the first sample of the round trip, unless the SYN-ACK was sent again', () => {
      const srtt = (lost: boolean): number | undefined => {
        const host = makeTcpHost();
        const listener = listenOn(host);
        const ack = syn(host, PEER_PORT);
        if (lost) host.pass(1000);
        host.now += 70;
        host.in({ flags: '.', seq: 2, ack });
        return listener.accept()?.info().srtt;
      };
      expect(srtt(false)).toBe(70);
      expect(srtt(true)).toBe(0);
    });

    test('RFC 5927 §4.1 a hard ICMP error ends the attempt only when it quotes our sequence number', () => {
      const host = makeTcpHost();
      listenOn(host);
      const ack = syn(host, PEER_PORT);
      const unreachable = (seq: number): Uint8Array => {
        const { host: src, peer: dst, tcp, error } = family();
        const ports = { sourcePort: PORT, destinationPort: PEER_PORT };
        return error('noPort', tcp({ flags: 'S.', src, dst, ...ports, seq }));
      };
      host.stack.inputPacket(host.index, unreachable(ack + 7));
      expect(halfOpen(host)).toBe(1);
      host.stack.inputPacket(host.index, unreachable(ack - 1));
      expect(halfOpen(host)).toBe(0);
    });

    test('RFC 4022 tcpPassiveOpens and tcpAttemptFails count handshakes begun and given up', () => {
      const host = makeTcpHost();
      listenOn(host);
      syn(host, 2001);
      establish(host, 2002);
      for (let again = 0; again < 5; again++) host.pass(60_000);
      expect(host.stack.counters).toMatchObject({ tcpPassiveOpens: 2, tcpAttemptFails: 1, tcpCurrEstab: 1 });
      expect(host.stack.counters.tcpRetransSegs).toBe(4);
    });
  });

  describe('SEM-BKLG the accept queue', () => {
    test('SEM-BKLG-05 half-open connections take no places in it', () => {
      const host = makeTcpHost();
      const listener = listenOn(host, 2);
      for (let port = 3000; port < 3050; port++) syn(host, port);
      establish(host, 2001);
      establish(host, 2002);
      expect(listener.acceptableCount).toBe(2);
      expect(host.in({ flags: 'S', seq: 1, sourcePort: 2003 })).toBe(DropReason.tcpBacklogFull);
      expect(host.out()).toMatchObject([{ flags: 'R.', ack: 2, destinationPort: 2003 }]);
      expect(host.stack.counters).toMatchObject({ tcpListenOverflows: 1, tcpListenDrops: 1 });
    });

    test('SEM-BKLG-05 a handshake begun in time that finds it full keeps its place, and is asked again after accept', () => {
      const host = makeTcpHost();
      const listener = listenOn(host, 1);
      const late = syn(host, 2002);
      establish(host, 2001);
      expect(host.in({ flags: '.', seq: 2, ack: late, sourcePort: 2002 })).toBe(DropReason.tcpBacklogFull);
      expect(host.out()).toEqual([]);
      expect(listener.accept()?.remotePort).toBe(2001);
      expect(host.out()).toMatchObject([{ flags: 'S.', destinationPort: 2002 }]);
      host.in({ flags: '.', seq: 2, ack: late, sourcePort: 2002 });
      expect(listener.accept()?.remotePort).toBe(2002);
      expect(host.stack.counters.tcpListenOverflows).toBe(1);
    });

    test('SEM-BKLG-05 one that waits for room in vain is reset when its SYN-ACKs have run out', () => {
      const host = makeTcpHost();
      listenOn(host, 1);
      const late = syn(host, 2002);
      establish(host, 2001);
      host.in({ flags: '.', seq: 2, ack: late, sourcePort: 2002 });
      const sent: (string | undefined)[] = [];
      for (let again = 0; again < 6; again++) sent.push(...host.pass(60_000).map((packet) => packet.flags));
      expect(sent).toEqual(['S.', 'S.', 'S.', 'S.', 'R.']);
      expect(halfOpen(host)).toBe(0);
    });

    test('SEM-BKLG-04 listening again changes nothing', () => {
      const host = makeTcpHost();
      const listener = listenOn(host, 1);
      expect(listener.listen(100)).toBe(0);
      establish(host, 2001);
      expect(host.in({ flags: 'S', seq: 1, sourcePort: 2002 })).toBe(DropReason.tcpBacklogFull);
    });
  });

  describe('RFC 4987 §3 the SYN queue under a flood', () => {
    /** SYNs from `count` ports. */
    function flood(host: TcpHost, count: number): void {
      for (let port = 10_000; port < 10_000 + count; port++) {
        host.in({ flags: 'S', seq: 1, sourcePort: port, options: PLAIN_SYN });
      }
      host.out();
    }

    test('RFC 4987 §3.2 without cookies the record that is unanswered for longest makes room', () => {
      const host = makeTcpHost({ synCookies: 'off', maxHalfOpen: 8 });
      const listener = listenOn(host);
      const ack = syn(host, 2001);
      host.pass(1000);
      flood(host, 8);
      expect(halfOpen(host)).toBe(8);
      expect(host.in({ flags: '.', seq: 2, ack, sourcePort: 2001 })).toBe(DropReason.tcpAckUnacceptable);
      flood(host, 100);
      establish(host, 2002);
      expect(listener.acceptableCount).toBe(1);
      expect(halfOpen(host)).toBe(7);
      expect(host.stack.counters.tcpSynCookiesSent).toBe(0);
    });

    test('RFC 4987 §3.6 by default cookies answer once the queue is full, and a peer with one is connected', () => {
      const host = makeTcpHost({ maxHalfOpen: 8 });
      const listener = listenOn(host);
      flood(host, 100);
      expect(halfOpen(host)).toBe(8);
      expect(host.stack.counters).toMatchObject({ tcpSynCookiesSent: 92, tcpListenDrops: 0 });
      establish(host, 2001);
      expect(halfOpen(host)).toBe(8);
      expect(host.stack.counters).toMatchObject({ tcpSynCookiesRecv: 1, tcpSynCookiesFailed: 0 });
      expect(has(host.eventsOf(listener), 'acceptable')).toBe(true);
      expect(listener.accept()).toMatchObject({ state: 'ESTABLISHED', remotePort: 2001 });
    });

    test('RFC 4987 §3.5 a half-open connection has no buffers and no timer of its own; they come with the handshake’s end', () => {
      const host = makeTcpHost({ maxHalfOpen: 1000 });
      const listener = listenOn(host, 100);
      flood(host, 1);
      const { nextDeadline } = host.stack;
      flood(host, 500);
      expect(halfOpen(host)).toBe(500);
      // All wait for the timer that the first has armed.
      expect(host.stack.nextDeadline).toBe(nextDeadline);
      expect(host.allocator.inUse).toBe(0);
      establish(host, 2001);
      const socket = listener.accept();
      socket?.write(new Uint8Array(100), 0, 100);
      expect(host.allocator.inUse).toBeGreaterThan(0);
    });

    test('RFC 4987 §3 the records of a flood and the timer are gone when it is over', () => {
      const host = makeTcpHost({ maxHalfOpen: 100 });
      listenOn(host);
      flood(host, 500);
      for (let again = 0; again < 8; again++) host.pass(60_000);
      expect(halfOpen(host)).toBe(0);
      expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
      expect(host.allocator.inUse).toBe(0);
    });
  });

  describe('RFC 4987 §3.6 SYN cookies', () => {
    const COOKIES = { synCookies: 'always' } as const;

    /** The peer's ACK of a cookie. `echo`: the TSval of the SYN-ACK. */
    function cookieAck(host: TcpHost, options = FULL_SYN) {
      host.in({ flags: 'S', seq: 1, options });
      const [synAck] = host.out();
      const echo = Number(/TS val (\d+)/.exec(synAck?.options ?? '')?.[1] ?? 0);
      return { ack: ((synAck?.seq ?? 0) + 1) | 0, echo, synAck };
    }

    test('RFC 4987 §3.6 nothing is kept: no record, no timer, no memory', () => {
      const host = makeTcpHost(COOKIES);
      listenOn(host);
      for (let port = 2000; port < 2100; port++) syn(host, port);
      expect([...host.stack.endpoints()]).toHaveLength(1);
      expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
      expect(host.allocator.inUse).toBe(0);
    });

    test('RFC 4987 §3.6 the options come back with the timestamp: window scale, SACK, timestamps, MSS', () => {
      const host = makeTcpHost(COOKIES);
      const listener = listenOn(host);
      const { ack, echo, synAck } = cookieAck(host);
      expect(synAck?.options).toMatch(/^mss 1460,nop,nop,sackOK,nop,nop,TS val \d+ ecr 900,nop,wscale 8$/);
      host.in({ flags: '.', seq: 2, ack, window: 1000, options: tcpOptions({ timestamps: [901, echo] }) });
      const info = listener.accept()?.info();
      expect(info).toMatchObject({
        sndWindShift: 7,
        rcvWindShift: 8,
        sackEnabled: true,
        timestampsEnabled: true,
      });
      expect(info).toMatchObject({ mss: 1448, sndWnd: 128_000, srtt: 0 });
    });

    test('RFC 4987 §3.6 options that the SYN did not have do not appear', () => {
      const host = makeTcpHost(COOKIES);
      const listener = listenOn(host);
      const { ack, echo } = cookieAck(host, tcpOptions({ mss: 1400, timestamps: [5, 0] }));
      host.in({ flags: '.', seq: 2, ack, window: 1000, options: tcpOptions({ timestamps: [6, echo] }) });
      const info = listener.accept()?.info();
      expect(info).toMatchObject({
        sndWindShift: 0,
        rcvWindShift: 0,
        sackEnabled: false,
        mss: 1388,
        sndWnd: 1000,
      });
    });

    test.each([
      // The least that is believed at all: `TcpOptions.minSendMss`.
      [300, 216],
      [536, 536],
      [1000, 536],
      [1459, 1440],
      [1460, 1460],
      [9000, 1460],
    ])(
      'RFC 4987 §3.6 without timestamps an MSS of %i is remembered as %i, and no other option',
      (said, used) => {
        const host = makeTcpHost(COOKIES);
        const listener = listenOn(host);
        const { ack } = cookieAck(host, tcpOptions({ mss: said }));
        host.in({ flags: '.', seq: 2, ack });
        expect(listener.accept()?.info()).toMatchObject({
          mss: used,
          timestampsEnabled: false,
          rcvWindShift: 0,
        });
      },
    );

    test('RFC 4987 §3.6 text and FIN that come with the ACK, or in the place of one that was lost, are taken', () => {
      const host = makeTcpHost(COOKIES);
      const listener = listenOn(host);
      const { ack } = cookieAck(host, PLAIN_SYN);
      host.in({ flags: 'F.', seq: 2, ack, payload: 'hello' });
      expect(listener.accept()).toMatchObject({ state: 'CLOSE-WAIT', readableBytes: 5 });
    });

    test('RFC 4987 §3.6 a cookie is good for a minute at least, and not for more than two', () => {
      for (const [age, accepted] of [
        [60_000, 1],
        [127_999, 1],
        [128_000, 0],
        [200_000, 0],
      ] as const) {
        const host = makeTcpHost(COOKIES);
        const listener = listenOn(host);
        // The start of a time slot.
        host.now = 64_000 * 20;
        const { ack } = cookieAck(host, PLAIN_SYN);
        host.now += age;
        // Others are sent cookies meanwhile: ACKs are looked at.
        syn(host, 2002);
        host.in({ flags: '.', seq: 2, ack });
        expect([age, listener.acceptableCount]).toEqual([age, accepted]);
      }
    });

    test('RFC 4987 §3.6 one of another number, port or MSS, and a forged timestamp, are answered with RST and counted', () => {
      const host = makeTcpHost(COOKIES);
      const listener = listenOn(host);
      const { ack, echo } = cookieAck(host);
      const options = tcpOptions({ timestamps: [901, echo] });
      for (const fields of [
        { seq: 3, ack, options },
        { seq: 2, ack: ack + 8, options },
        { seq: 2, ack, options, sourcePort: 77 },
        { seq: 2, ack, options, src: family().neighbor(77) },
        { seq: 2, ack, options: tcpOptions({ timestamps: [901, echo + 64] }) },
        { seq: 2, ack, options: tcpOptions({ timestamps: [901, echo - 300_000] }) },
      ]) {
        expect(host.in({ flags: '.', ...fields })).toBe(DropReason.tcpAckUnacceptable);
        expect(host.out()).toMatchObject([{ flags: 'R', seq: fields.ack >>> 0 }]);
      }
      expect(listener.acceptableCount).toBe(0);
      expect(host.stack.counters).toMatchObject({ tcpSynCookiesFailed: 6, tcpSynCookiesRecv: 0 });
    });

    test('RFC 4987 §3.6 a listener that has sent no cookie lately takes no ACK for one', () => {
      const host = makeTcpHost(COOKIES);
      const listener = listenOn(host);
      const { ack } = cookieAck(host, PLAIN_SYN);
      host.now += 128_001;
      host.in({ flags: '.', seq: 2, ack });
      expect(listener.acceptableCount).toBe(0);
      expect(host.stack.counters.tcpSynCookiesFailed).toBe(0);
    });

    test('RFC 4987 §3.6 our timestamps never run backwards from the cookie on', () => {
      const host = makeTcpHost(COOKIES);
      const listener = listenOn(host);
      for (let round = 0; round < 200; round++) {
        const sourcePort = 2000 + round;
        host.in({ flags: 'S', seq: 1, options: FULL_SYN, sourcePort });
        const [synAck] = host.out();
        const echo = Number(/TS val (\d+)/.exec(synAck?.options ?? '')?.[1]);
        const options = tcpOptions({ timestamps: [901, echo] });
        host.in({ flags: '.', seq: 2, ack: ((synAck?.seq ?? 0) + 1) | 0, options, sourcePort });
        const socket = listener.accept();
        socket?.write(new Uint8Array(10), 0, 10);
        const later = Number(/TS val (\d+)/.exec(host.out()[0]?.options ?? '')?.[1]);
        expect((later - echo) | 0).toBeGreaterThanOrEqual(0);
        expect((later - echo) | 0).toBeLessThanOrEqual(64);
        host.now += 1;
      }
    });

    test('RFC 4987 §3.6 with the accept queue full its peer is reset, so that it knows', () => {
      const host = makeTcpHost(COOKIES);
      listenOn(host, 1);
      const late = syn(host, 2002);
      establish(host, 2001);
      host.in({ flags: '.', seq: 2, ack: late, sourcePort: 2002 });
      expect(host.out()).toMatchObject([{ flags: 'R', destinationPort: 2002 }]);
      expect(host.stack.counters.tcpListenOverflows).toBe(1);
    });
  });

  describe('SEM-COND conditional accept', () => {
    function conditional(tcp = {}, backlog = 1) {
      const host = makeTcpHost(tcp);
      const listener = host.stack.openTcp(host.family.family);
      must(listener.bind(anyAddress(), PORT));
      listener.conditionalAccept = true;
      must(listener.listen(backlog));
      return { host, listener };
    }

    test('SEM-COND-04 a SYN is held unanswered, told, and answered once it is accepted', () => {
      const { host, listener } = conditional();
      expect(host.in({ flags: 'S', seq: 1, options: FULL_SYN })).toBe(DropReason.none);
      expect(host.out()).toEqual([]);
      expect(has(host.eventsOf(listener), 'requested')).toBe(true);
      const request = listener.nextRequest;
      expect(request).toMatchObject({ remotePort: PEER_PORT, localPort: PORT, isPending: true });
      expect(`${request?.remoteAddress} ${request?.localAddress}`).toBe(`${family().peer} ${family().host}`);
      const socket = request?.accept();
      expect(socket?.state).toBe('SYN-RECEIVED');
      const [synAck] = host.out();
      expect(synAck).toMatchObject({ flags: 'S.', ack: 2 });
      expect(listener.nextRequest).toBeNull();
      const options = tcpOptions({ timestamps: [901, 0] });
      host.in({ flags: '.', seq: 2, ack: ((synAck?.seq ?? 0) + 1) | 0, options });
      expect(socket).toMatchObject({ state: 'ESTABLISHED' });
      expect(has(socket ? host.eventsOf(socket) : 0, 'connected')).toBe(true);
      expect(listener.acceptableCount).toBe(0);
    });

    test('SEM-COND-02 a rejected one is refused with RST, a deferred one stays the first', () => {
      const { host, listener } = conditional();
      host.in({ flags: 'S', seq: 1, sourcePort: 2001 });
      host.in({ flags: 'S', seq: 1, sourcePort: 2002 });
      const first = listener.nextRequest;
      host.in({ flags: 'S', seq: 1, sourcePort: 2001 });
      expect(host.out()).toEqual([]);
      expect(listener.nextRequest).toBe(first);
      first?.reject();
      expect(host.out()).toMatchObject([{ flags: 'R.', ack: 2, destinationPort: 2001 }]);
      expect(first?.isPending).toBe(false);
      expect(first?.accept()).toBeNull();
      first?.reject();
      expect(host.out()).toEqual([]);
      expect(listener.nextRequest?.remotePort).toBe(2002);
    });

    test('SEM-COND-04 the backlog and SYN cookies do not apply, a bound of their own does', () => {
      const { host, listener } = conditional({ maxHalfOpen: 3, synCookies: 'always' });
      for (let port = 2001; port <= 2003; port++)
        expect(host.in({ flags: 'S', seq: 1, sourcePort: port })).toBe(0);
      expect(host.in({ flags: 'S', seq: 1, sourcePort: 2004 })).toBe(DropReason.tcpBacklogFull);
      expect(host.out()).toEqual([]);
      for (let port = 2001; port <= 2003; port++) listener.nextRequest?.accept();
      expect(host.out().map(({ flags }) => flags)).toEqual(['S.', 'S.', 'S.']);
    });

    test('SEM-COND-04 held, it tells nobody its number and completes for nobody; the peer can take it back', () => {
      const { host, listener } = conditional();
      host.in({ flags: 'S', seq: 1 });
      for (const fields of [
        { flags: '.', seq: 2, ack: 77 },
        { flags: '.', seq: -9999, ack: 77 },
        { flags: 'S', seq: 500 },
        { flags: 'R', seq: 90 },
      ]) {
        host.in(fields);
      }
      expect(host.out()).toEqual([]);
      const request = listener.nextRequest;
      host.in({ flags: 'R', seq: 2 });
      expect(request?.isPending).toBe(false);
      expect(listener.nextRequest).toBeNull();
    });

    test('SEM-COND-04 undecided it is forgotten after 75 s, and closing the listener refuses it', () => {
      const { host, listener } = conditional();
      host.in({ flags: 'S', seq: 1 });
      const request = listener.nextRequest;
      expect(host.pass(74_999)).toEqual([]);
      expect(request?.isPending).toBe(true);
      expect(host.pass(2)).toEqual([]);
      expect(request?.isPending).toBe(false);
      expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
      host.in({ flags: 'S', seq: 1 });
      listener.close();
      expect(host.out()).toMatchObject([{ flags: 'R.', ack: 2 }]);
    });

    test('SEM-BKLG-07 paused, a listener refuses every SYN with RST and keeps what it has', () => {
      const host = makeTcpHost();
      const listener = listenOn(host);
      establish(host, 2001);
      listener.pauseAccept = true;
      expect(host.in({ flags: 'S', seq: 1, sourcePort: 2002 })).toBe(DropReason.tcpBacklogFull);
      expect(host.out()).toMatchObject([{ flags: 'R.', destinationPort: 2002 }]);
      expect(listener.acceptableCount).toBe(1);
      listener.pauseAccept = false;
      establish(host, 2002);
      expect(listener.acceptableCount).toBe(2);
    });
  });
});
