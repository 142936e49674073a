/** Timeouts, RFC 9293 §3.8.3, §3.8.4, §3.8.6.1, RFC 5482 and RFC 6429: who is given up, when, and who never. */

import { describe, expect, test } from '@jest/globals';
import { StackError } from '../../../src/stack/index.ts';
import {
  acceptOne,
  anyAddress,
  family,
  makeTcpHost,
  must,
  overBothFamilies,
  PEER_PORT,
  PORT,
  peer,
  type Scripted,
} from './support.ts';

const MINUTE = 60_000;

function write(c: Scripted, length: number): void {
  c.socket.write(new Uint8Array(length), 0, length);
  c.host.out();
}

/** Lets time pass until the connection fails, `most` minutes at most. @returns how many ms */
function untilFailure(c: Scripted, most: number): number {
  const start = c.host.now;
  while (c.socket.error === 0 && c.host.now - start < most * MINUTE) c.host.pass(1000);
  return c.host.now - start;
}

overBothFamilies(() => {
  describe('RFC 5482 the user timeout', () => {
    test.each([3000, 600_000, 3_600_000])(
      'RFC 9293 §3.10.8, MUST-21 the user sets R2: with %i ms the connection ends then, be it before or after the default',
      (userTimeout) => {
        const c = acceptOne(makeTcpHost());
        c.socket.userTimeout = userTimeout;
        write(c, 100);
        const took = untilFailure(c, 100);
        expect(c.socket.error).toBe(StackError.timedOut);
        expect(took).toBeGreaterThanOrEqual(userTimeout);
        expect(took).toBeLessThanOrEqual(userTimeout + MINUTE);
      },
    );

    test('RFC 9293 MUST-21 without end: it is sent again each minute, for as long as it takes', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.userTimeout = Number.POSITIVE_INFINITY;
      write(c, 100);
      untilFailure(c, 600);
      expect(c.socket.state).toBe('ESTABLISHED');
      expect(c.host.pass(MINUTE)).toMatchObject([{ payload: expect.objectContaining({ length: 100 }) }]);
    });

    test('RFC 5482 §3.1 it bounds a connect too', () => {
      const host = makeTcpHost();
      const socket = host.stack.openTcp(family().family);
      must(socket.bind(anyAddress(), PORT));
      socket.userTimeout = 2 * MINUTE;
      must(socket.connect(peer(), PEER_PORT));
      const start = host.now;
      while (socket.error === 0) host.pass(1000);
      expect(socket.error).toBe(StackError.timedOut);
      expect(host.now - start).toBeGreaterThanOrEqual(2 * MINUTE);
      expect(host.now - start).toBeLessThan(3 * MINUTE);
    });

    test('RFC 9293 MUST-37 a peer that answers probes of its closed window is not given up for it', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.userTimeout = 5000;
      c.exchange({ window: 0 });
      write(c, 100);
      for (let i = 0; i < 20; i++) {
        c.host.pass(2 * MINUTE);
        c.in({ window: 0 });
      }
      expect(c.socket.state).toBe('ESTABLISHED');
      untilFailure(c, 5);
      expect(c.socket.error).toBe(StackError.timedOut);
    });

    test('RFC 6429 §4 it keeps no connection that its user has closed', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.userTimeout = Number.POSITIVE_INFINITY;
      write(c, 100);
      c.socket.close();
      for (let i = 0; i < 30; i++) c.host.pass(MINUTE);
      expect([...c.host.stack.endpoints()].map((endpoint) => endpoint.remotePort)).toEqual([0]);
    });
  });

  describe('RFC 9293 §3.8.6 a window that shrinks', () => {
    /** A connection whose peer has taken its window back with 1000 bytes in flight. */
    function shutOut(): Scripted {
      const c = acceptOne(makeTcpHost());
      write(c, 1000);
      c.in({ window: 0 });
      return c;
    }

    test('RFC 9293 SHLD-17 what it no longer covers times nobody out who answers', () => {
      const c = shutOut();
      for (let i = 0; i < 60; i++) {
        expect(c.host.pass(61_000)).toHaveLength(1);
        c.host.pass(10);
        c.in({ window: 0 });
      }
      expect(c.socket.state).toBe('ESTABLISHED');
      c.in({ ack: c.ack + 1000 });
      expect(c.socket.unsentBytes).toBe(0);
    });

    test('RFC 9293 MUST-20 a peer that is silent is given up all the same', () => {
      const c = shutOut();
      untilFailure(c, 30);
      expect(c.socket.error).toBe(StackError.timedOut);
    });

    test('RFC 9293 SHLD-15 no new text is sent then, and SHLD-16, MAY-7 the old is sent again once it fits', () => {
      const c = shutOut();
      write(c, 500);
      expect(c.host.pass(5000)).toMatchObject([
        { seq: c.ack >>> 0, payload: expect.objectContaining({ length: 1000 }) },
      ]);
      expect(c.exchange({ ack: c.ack + 1000, window: 2000 })).toMatchObject([
        { payload: expect.objectContaining({ length: 500 }) },
      ]);
    });
  });

  describe('RFC 9293 §3.8.4 keep-alive', () => {
    function kept(): Scripted {
      const c = acceptOne(makeTcpHost());
      c.socket.keepAliveTime = 10_000;
      c.socket.keepAliveInterval = 2000;
      c.socket.keepAliveCount = 3;
      c.socket.keepAlive = true;
      return c;
    }

    test('RFC 9293 MAY-5, MUST-26 none is sent while text is in flight or waits for a window', () => {
      const c = kept();
      c.socket.userTimeout = 300_000;
      c.exchange({ window: 0 });
      write(c, 10);
      for (const end = c.host.now + 100_000; c.host.now < end; ) {
        for (const packet of c.host.pass(1000))
          expect(packet).toMatchObject({ seq: c.ack >>> 0, payload: expect.objectContaining({ length: 1 }) });
      }
      expect(c.socket.state).toBe('ESTABLISHED');
    });

    test('RFC 9293 MUST-27 time, interval and count are each connection’s own and can be changed while it is idle', () => {
      const c = kept();
      c.host.pass(5000);
      c.socket.keepAliveTime = 20_000;
      expect(c.host.pass(14_999)).toEqual([]);
      expect(c.host.pass(1)).toHaveLength(1);
    });

    test.each([
      ['an empty', 0],
      ['a garbage', 1],
    ])('RFC 9293 §3.8.4 %s probe of the peer is answered, with a closed window too', (_, payload) => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 1000 }));
      const probe = (): unknown => c.exchange({ seq: c.seq - 1, payload });
      expect(probe()).toMatchObject([{ flags: '.', seq: c.ack >>> 0, ack: c.seq, window: 1000 }]);
      c.exchange({ payload: 1000 });
      c.seq += 1000;
      expect(probe()).toMatchObject([{ flags: '.', ack: c.seq, window: 0 }]);
    });
  });
});
