/** Closing connections: RFC 9293 §3.6, §3.10.4, §3.10.5, TIME-WAIT. */

import { describe, expect, test } from '@jest/globals';
import { StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { tcpOptions } from '../../support/segment.ts';
import {
  acceptOne,
  FULL_SYN,
  family,
  has,
  makeTcpHost,
  overBothFamilies,
  Pair,
  PLAIN_SYN,
  type Scripted,
} from './support.ts';

/** Closes from this side first; the peer's FIN acknowledges ours. */
function toTimeWait(c: Scripted): void {
  c.socket.close();
  c.host.out();
  c.ack++;
  c.in({ flags: 'F.' });
  c.seq++;
}

const endpoints = (c: Scripted) =>
  [...c.host.stack.endpoints()].filter((endpoint) => endpoint.remotePort !== 0);

overBothFamilies(() => {
  describe('RFC 9293 §3.6 closing a connection', () => {
    test('this side first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.socket.shutdownWrite()).toBe(0);
      expect(c.socket.state).toBe('FIN-WAIT-1');
      expect(c.host.out()).toMatchObject([{ flags: 'F.', seq: c.ack >>> 0 }]);
      c.ack++;
      c.in();
      expect(c.socket.state).toBe('FIN-WAIT-2');
      expect(c.exchange({ flags: 'F.' })).toMatchObject([{ flags: '.', seq: c.ack >>> 0, ack: c.seq + 1 }]);
      expect(c.socket.state).toBe('TIME-WAIT');
      expect(has(c.host.eventsOf(c.socket), 'closed')).toBe(true);
      c.host.pass(120_000);
      expect(c.socket.state).toBe('CLOSED');
      expect(c.socket.error).toBe(0);
    });

    test('the peer first: CLOSE-WAIT, LAST-ACK, CLOSED', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.exchange({ flags: 'F.' })).toMatchObject([{ flags: '.', ack: c.seq + 1 }]);
      expect(c.socket.state).toBe('CLOSE-WAIT');
      expect(has(c.host.eventsOf(c.socket), 'peerClosed')).toBe(true);
      c.socket.shutdownWrite();
      expect(c.socket.state).toBe('LAST-ACK');
      expect(c.host.out()).toMatchObject([{ flags: 'F.' }]);
      c.in({ seq: c.seq + 1, ack: c.ack + 1 });
      expect(c.socket.state).toBe('CLOSED');
      expect(has(c.host.eventsOf(c.socket), 'closed')).toBe(true);
    });

    test('both at once: FIN-WAIT-1, CLOSING, TIME-WAIT', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.shutdownWrite();
      c.host.out();
      c.exchange({ flags: 'F.' });
      expect(c.socket.state).toBe('CLOSING');
      c.in({ seq: c.seq + 1, ack: c.ack + 1 });
      expect(c.socket.state).toBe('TIME-WAIT');
    });

    test('a FIN that acknowledges ours goes straight to TIME-WAIT', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.shutdownWrite();
      c.host.out();
      expect(c.exchange({ flags: 'F.', ack: c.ack + 1 })).toMatchObject([{ flags: '.', ack: c.seq + 1 }]);
      expect(c.socket.state).toBe('TIME-WAIT');
    });

    test('text that is queued goes before the FIN, the last of it with it', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.write(new Uint8Array(2000), 0, 2000);
      c.socket.shutdownWrite();
      expect(c.host.out()).toMatchObject([
        { flags: '.', payload: { length: 1460 } },
        { flags: 'FP.', payload: { length: 540 } },
      ]);
      expect(c.socket.write(new Uint8Array(1), 0, 1)).toBe(StackError.shutDown);
      expect(c.socket.shutdownWrite()).toBe(0);
    });

    test('half-close: after our FIN the peer’s text is still read, after the peer’s ours is still sent', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.shutdownWrite();
      c.host.out();
      c.ack++;
      c.exchange({ payload: 'late' });
      expect(c.socket.read(new Uint8Array(9), 0, 9)).toBe(4);
      const d = acceptOne(makeTcpHost());
      d.exchange({ flags: 'F.' });
      d.socket.write(new Uint8Array(7), 0, 7);
      expect(d.host.out()).toMatchObject([{ payload: { length: 7 } }]);
    });

    test('SEM-SHUT-05 the end of the stream comes after the bytes before it', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ flags: 'F.', payload: 'bye' });
      const buffer = new Uint8Array(9);
      expect(c.socket.atEnd).toBe(false);
      expect(c.socket.read(buffer, 0, 9)).toBe(3);
      expect(c.socket.atEnd).toBe(true);
      expect(c.socket.read(buffer, 0, 9)).toBe(0);
    });

    test('a FIN before the text that it follows is taken when the text is there', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.exchange({ flags: 'F.', seq: c.seq + 3, payload: 'def' })).toMatchObject([{ ack: c.seq }]);
      expect(c.socket.state).toBe('ESTABLISHED');
      expect(c.exchange({ payload: 'abc' })).toMatchObject([{ ack: c.seq + 7 }]);
      expect(c.socket.state).toBe('CLOSE-WAIT');
      expect(c.socket.readableBytes).toBe(6);
    });

    test('text behind a FIN is not part of the stream', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ flags: 'F.', seq: c.seq + 3 });
      c.exchange({ payload: 'abcdefg' });
      expect(c.socket.readableBytes).toBe(3);
      expect(c.socket.state).toBe('CLOSE-WAIT');
    });

    test('a lost FIN is sent again', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.shutdownWrite();
      c.host.out();
      expect(c.host.pass(5000)).toMatchObject([{ flags: 'F.', seq: c.ack >>> 0 }]);
    });

    test('text and FIN that are lost are sent again together', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.write(new Uint8Array([1, 2, 3]), 0, 3);
      c.socket.shutdownWrite();
      c.host.out();
      expect(c.host.pass(5000)).toMatchObject([{ flags: 'FP.', payload: { length: 3 } }]);
    });

    test('close keeps the connection until all is sent, then nothing is left', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.write(new Uint8Array(100), 0, 100);
      c.socket.close();
      expect(c.host.out()).toMatchObject([{ flags: 'FP.' }]);
      expect(endpoints(c)).toEqual([c.socket]);
      c.ack += 101;
      c.in();
      expect(has(c.host.eventsOf(c.socket), 'closed')).toBe(true);
      c.in({ flags: 'F.' });
      expect(endpoints(c)).toMatchObject([{ kind: 'tcp', state: 'TIME-WAIT' }]);
      c.host.out();
      c.host.pass(120_000);
      expect(endpoints(c)).toEqual([]);
      expect(c.host.allocator.inUse).toBe(0);
    });

    test('a peer that never sends its FIN does not hold a closed connection for ever', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.close();
      c.host.out();
      c.in({ ack: c.ack + 1 });
      c.host.pass(119_000);
      expect(endpoints(c)).toHaveLength(1);
      c.host.pass(2000);
      expect(endpoints(c)).toEqual([]);
    });
  });

  describe('RFC 9293 §3.6 aborting', () => {
    test('abort sends RST, drops what is queued and frees it', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.write(new Uint8Array(10_000), 0, 10_000);
      c.socket.abort();
      expect(c.host.out()).toMatchObject([{ flags: 'R.', ack: c.seq }]);
      expect(endpoints(c)).toEqual([]);
      expect(c.host.allocator.inUse).toBe(0);
      expect(c.host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    });

    test.each([
      ['CLOSING', 0],
      ['LAST-ACK', 1],
    ])('RFC 9293 §3.10.5 abort in %s sends nothing: both sides have said all', (state, first) => {
      const c = acceptOne(makeTcpHost());
      const steps = [() => void c.socket.shutdownWrite(), () => void c.exchange({ flags: 'F.' })];
      (steps[first] as () => void)();
      (steps[1 - first] as () => void)();
      c.host.out();
      expect(c.socket.state).toBe(state);
      c.socket.abort();
      expect(c.host.out()).toEqual([]);
      expect(endpoints(c)).toEqual([]);
    });

    test('RFC 9293 §3.10.5 abort in LAST-ACK while the FIN has to wait for a window resets: the peer would wait for ever', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ flags: 'F.', window: 0 });
      c.socket.write(new Uint8Array(10), 0, 10);
      c.socket.shutdownWrite();
      expect(c.host.out()).toEqual([]);
      expect(c.socket.state).toBe('LAST-ACK');
      c.socket.abort();
      expect(c.host.out()).toMatchObject([{ flags: 'R.' }]);
    });

    test('RFC 9293 SHLD-3 closing with unread bytes resets', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ payload: 'unread' });
      c.socket.close();
      expect(c.host.out()).toMatchObject([{ flags: 'R.' }]);
      expect(endpoints(c)).toEqual([]);
    });

    test('RFC 9293 SHLD-3 text after close resets', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.close();
      c.host.out();
      expect(c.in({ ack: c.ack + 1, payload: 'late' })).toBe(DropReason.tcpReceiverClosed);
      expect(c.host.out()).toMatchObject([{ flags: 'R.', ack: c.seq }]);
      expect(endpoints(c)).toEqual([]);
    });

    test('SEM-SHUT-02 text after shutdown of the receiving side resets; reading is refused', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.socket.shutdownRead()).toBe(0);
      expect(c.host.out()).toEqual([]);
      expect(c.socket.read(new Uint8Array(1), 0, 1)).toBe(StackError.shutDown);
      c.in({ payload: 'late' });
      expect(c.host.out()).toMatchObject([{ flags: 'R.' }]);
      expect(c.socket.error).toBe(StackError.connectionAborted);
    });

    test('SEM-SHUT-02 bytes that are unread at shutdown reset', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ payload: 'unread' });
      c.socket.shutdownRead();
      expect(c.host.out()).toMatchObject([{ flags: 'R.' }]);
    });

    test('a reset loses what was not read and is every later call’s error', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ payload: 'lost' });
      c.in({ flags: 'R', seq: c.seq + 4 });
      expect(has(c.host.eventsOf(c.socket), 'failed')).toBe(true);
      expect(c.socket.read(new Uint8Array(9), 0, 9)).toBe(StackError.connectionReset);
      expect(c.socket.write(new Uint8Array(1), 0, 1)).toBe(StackError.connectionReset);
      expect(c.host.allocator.inUse).toBe(0);
      expect(c.host.stack.counters.tcpEstabResets).toBe(1);
    });

    test('RFC 9293 §3.8.6.1 once FIN is acknowledged there is nothing left to probe for', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.shutdownWrite();
      c.host.out();
      c.exchange({ ack: c.ack + 1 });
      expect(c.exchange({ ack: c.ack + 1, payload: 100 })).toMatchObject([{ flags: '.' }]);
      expect(c.socket.state).toBe('FIN-WAIT-2');
      expect(c.host.pass(600_000)).toEqual([]);
    });

    test('closing twice is harmless', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.close();
      c.socket.close();
      expect(c.host.out()).toMatchObject([{ flags: 'F.' }]);
    });

    test('closing and then aborting resets', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.close();
      c.host.out();
      c.socket.abort();
      expect(c.host.out()).toMatchObject([{ flags: 'R.' }]);
      expect(endpoints(c)).toEqual([]);
    });
  });

  describe('RFC 9293 §3.6.1 TIME-WAIT', () => {
    test('RFC 9293 MUST-13 it lasts 2 MSL', () => {
      const c = acceptOne(makeTcpHost({ msl: 500 }));
      toTimeWait(c);
      c.host.out();
      c.host.pass(999);
      expect(endpoints(c)).toHaveLength(1);
      c.host.pass(1);
      expect(endpoints(c)).toEqual([]);
    });

    test('a FIN again is acknowledged again and starts it anew', () => {
      const c = acceptOne(makeTcpHost({ msl: 500 }));
      toTimeWait(c);
      c.host.out();
      c.host.pass(900);
      expect(c.exchange({ flags: 'F.', seq: c.seq - 1 })).toMatchObject([
        { flags: '.', ack: c.seq, seq: c.ack >>> 0 },
      ]);
      c.host.pass(900);
      expect(endpoints(c)).toHaveLength(1);
    });

    test('RFC 1337 a RST does not end it', () => {
      const c = acceptOne(makeTcpHost());
      toTimeWait(c);
      c.host.out();
      expect(c.in({ flags: 'R' })).toBe(DropReason.tcpResetUnacceptable);
      expect(endpoints(c)).toHaveLength(1);
    });

    test('old text is answered with an ACK, an ACK alone is not', () => {
      const c = acceptOne(makeTcpHost());
      toTimeWait(c);
      c.host.out();
      expect(c.exchange({ seq: c.seq - 3, payload: 'ab' })).toMatchObject([{ flags: '.', ack: c.seq }]);
      expect(c.exchange()).toEqual([]);
    });

    test('RFC 9293 MAY-2 a SYN with a larger number opens the connection anew, past the old numbers', () => {
      const c = acceptOne(makeTcpHost());
      toTimeWait(c);
      c.host.out();
      const [synAck] = c.exchange({ flags: 'S', seq: c.seq + 1000, ack: 0, options: PLAIN_SYN });
      expect(synAck).toMatchObject({ flags: 'S.', ack: c.seq + 1001 });
      expect(((synAck?.seq ?? 0) - c.ack) | 0).toBeGreaterThan(0);
      expect(endpoints(c)).toMatchObject([{ state: 'SYN-RECEIVED' }]);
    });

    test('a SYN with an older number is answered with an ACK', () => {
      const c = acceptOne(makeTcpHost());
      toTimeWait(c);
      c.host.out();
      expect(c.exchange({ flags: 'S', seq: c.seq - 10 })).toMatchObject([{ flags: '.', ack: c.seq }]);
      expect(endpoints(c)).toMatchObject([{ state: 'TIME-WAIT' }]);
    });

    test('RFC 9293 SHLD-4, RFC 6191 a SYN with a newer timestamp opens it whatever its number', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      toTimeWait(c);
      c.host.out();
      const options = tcpOptions({ mss: 1460, timestamps: [5000, 0] });
      expect(c.exchange({ flags: 'S', seq: c.seq - 5000, options })).toMatchObject([{ flags: 'S.' }]);
    });

    test('RFC 7323 its ACKs have the timestamp option', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      toTimeWait(c);
      expect(c.host.out()).toMatchObject([{ flags: '.', options: expect.stringContaining('TS val') }]);
    });

    test('it holds addresses and ports but no buffer and no claim on the port', () => {
      const pair = new Pair();
      const [client, server] = pair.connect();
      const port = client.localPort;
      client.close();
      pair.pass(100);
      server.close();
      pair.pass(100);
      expect([...pair.stacks[0].endpoints()]).toMatchObject([{ state: 'TIME-WAIT', localPort: port }]);
      const next = pair.stacks[0].openTcp(family().family);
      expect(next.bind(client.localAddress, port)).toBe(0);
    });

    test('a user that still holds the socket reads on in TIME-WAIT', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.shutdownWrite();
      c.host.out();
      c.in({ flags: 'F.', ack: c.ack + 1, payload: 'last words' });
      expect(c.socket.state).toBe('TIME-WAIT');
      expect(c.socket.read(new Uint8Array(99), 0, 99)).toBe(10);
      expect(c.socket.read(new Uint8Array(99), 0, 99)).toBe(0);
      c.socket.close();
      c.host.out();
      expect(c.host.allocator.inUse).toBe(0);
    });

    test('RFC 4022 tcpCurrEstab counts ESTABLISHED and CLOSE-WAIT only', () => {
      const host = makeTcpHost();
      expect(host.stack.counters.tcpCurrEstab).toBe(0);
      const c = acceptOne(host);
      expect(host.stack.counters.tcpCurrEstab).toBe(1);
      toTimeWait(c);
      expect(host.stack.counters.tcpCurrEstab).toBe(0);
    });
  });
});
