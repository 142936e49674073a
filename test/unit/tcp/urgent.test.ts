/** Urgent data: RFC 9293 §3.8.5, RFC 6093, and what Winsock makes of it (SEM-OOB-01 … SEM-OOB-07). */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StackError, type TcpEndpoint } from '../../../src/stack/index.ts';
import type { TcpFields } from '../../support/segment.ts';
import {
  acceptOne,
  connectOne,
  family,
  has,
  makeTcpHost,
  overBothFamilies,
  Pair,
  PEER_ISN,
  PLAIN_SYN,
  type Scripted,
} from './support.ts';

const buffer = new Uint8Array(4096);

/** One read's text; what it answered when that is no text. */
function read(socket: TcpEndpoint): string | number {
  const got = socket.read(buffer, 0, buffer.length);
  return got <= 0 ? got : new TextDecoder().decode(buffer.subarray(0, got));
}

/** Reads until there is nothing more. */
function readAll(socket: TcpEndpoint): string[] {
  const texts: string[] = [];
  for (let text = read(socket); typeof text === 'string'; text = read(socket)) texts.push(text);
  return texts;
}

/** Takes the urgent bytes that wait. */
function urgent(socket: TcpEndpoint): string {
  let text = '';
  for (let byte = socket.readUrgent(); byte >= 0; byte = socket.readUrgent())
    text += String.fromCharCode(byte);
  return text;
}

/** Text of the peer at `at` past its first byte, with a pointer. */
function send(c: Scripted, payload: string, urgentPointer: number, at = 0): void {
  c.in({ flags: 'P.U', seq: c.seq + at, urgentPointer, payload });
}

overBothFamilies(() => {
  describe('RFC 9293 §3.8.5 the pointer that arrives', () => {
    test('RFC 9293 MUST-30, MUST-32 the user is told when it is announced, once for each new one', () => {
      const c = acceptOne(makeTcpHost());
      const isTold = (fields: TcpFields): boolean => {
        c.host.events.clear();
        c.in({ flags: 'U.', ...fields });
        return has(c.host.eventsOf(c.socket), 'urgent');
      };
      expect(isTold({ urgentPointer: 9 })).toBe(true);
      expect(isTold({ urgentPointer: 9 })).toBe(false);
      expect(isTold({ urgentPointer: 12 })).toBe(true);
      expect(isTold({ urgentPointer: 10 })).toBe(false);
      expect(isTold({ urgentPointer: 0 })).toBe(false);
    });

    test('RFC 9293 MUST-33 the user can learn how much is left before it', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.urgentInline = true;
      expect(c.socket.urgentMark).toBe(-1);
      send(c, 'abcde', 3);
      const marks: number[] = [];
      for (let i = 0; i < 4; i++) {
        marks.push(c.socket.urgentMark);
        c.socket.read(buffer, 0, 1);
      }
      expect(marks).toEqual([2, 1, 0, -1]);
    });

    test('RFC 9293 MUST-31 any length: it may lie far ahead of the text, and past the window', () => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 4096 }));
      send(c, 'a', 60_000);
      expect(c.socket.urgentMark).toBe(59_999);
      expect(c.socket.readUrgent()).toBe(StackError.wouldBlock);
      expect(read(c.socket)).toBe('a');
      expect(c.socket.urgentMark).toBe(59_998);
    });

    test('RFC 9293 MUST-62 it names the byte behind the urgent one; RFC 1122 §4.2.2.4, when asked for, that byte itself', () => {
      const modern = acceptOne(makeTcpHost());
      send(modern, 'abcde', 3);
      expect(urgent(modern.socket)).toBe('c');
      const old = acceptOne(makeTcpHost());
      old.socket.pointsAtUrgent = true;
      send(old, 'abcde', 3);
      expect(urgent(old.socket)).toBe('d');
      send(old, 'f', 0, 5);
      expect(urgent(old.socket)).toBe('f');
    });

    test('RFC 9293 §3.10.7.4 one before RCV.NXT says nothing new, and after the peer’s FIN none does', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ payload: 'abc' });
      send(c, 'bc', 2, 1);
      expect(c.socket.urgentMark).toBe(-1);
      c.exchange({ flags: 'F.', seq: c.seq + 3 });
      c.in({ flags: 'U.', seq: c.seq + 4, urgentPointer: 9 });
      expect(c.socket.urgentMark).toBe(-1);
    });

    test('RFC 9293 §3.8.5 in a SYN it counts from the SYN', () => {
      const host = makeTcpHost();
      const c = connectOne(host);
      c.socket.abort();
      const next = host.stack.openTcp(family().family);
      next.connect(c.socket.remoteAddress, 1025);
      const [syn] = host.out().slice(-1);
      host.in({
        flags: 'S.U',
        seq: PEER_ISN,
        ack: (syn?.seq ?? 0) + 1,
        destinationPort: syn?.sourcePort ?? 0,
        options: PLAIN_SYN,
        urgentPointer: 3,
        payload: 'abc',
      });
      expect(urgent(next)).toBe('b');
    });

    test('RFC 9293 §3.8.5 a pointer past the FIN stays without a byte, and the stream ends', () => {
      const c = acceptOne(makeTcpHost());
      c.in({ flags: 'FU.', urgentPointer: 9, payload: 'abc' });
      expect(read(c.socket)).toBe('abc');
      expect(read(c.socket)).toBe(0);
      expect(c.socket.atEnd).toBe(true);
      expect(c.socket.urgentCount).toBe(0);
    });
  });

  describe('out of line', () => {
    test('SEM-OOB-02 the byte leaves the stream, and one read ends where it was', () => {
      const c = acceptOne(makeTcpHost());
      send(c, 'abXcd', 3);
      expect(c.socket.readableBytes).toBe(4);
      expect([c.socket.urgentCount, urgent(c.socket)]).toEqual([1, 'X']);
      expect(readAll(c.socket)).toEqual(['ab', 'cd']);
    });

    test('SEM-OOB-03 several are queued, also when they arrive together or in another order', () => {
      const c = acceptOne(makeTcpHost());
      send(c, 'cdY', 3, 3);
      send(c, 'abX', 3);
      send(c, 'Z', 1, 6);
      expect(c.socket.urgentCount).toBe(3);
      expect(readAll(c.socket)).toEqual(['ab', 'cd']);
      expect(urgent(c.socket)).toBe('XYZ');
    });

    test('SEM-OOB-04 there is none before it has arrived', () => {
      const c = acceptOne(makeTcpHost());
      send(c, 'ab', 3);
      expect(c.socket.readUrgent()).toBe(StackError.wouldBlock);
      c.host.events.clear();
      c.in({ seq: c.seq + 2, payload: 'X' });
      expect(has(c.host.eventsOf(c.socket), 'urgent')).toBe(true);
      expect(c.socket.readUrgent(true)).toBe(0x58);
      expect(c.socket.readUrgent()).toBe(0x58);
      expect(c.socket.readUrgent()).toBe(StackError.wouldBlock);
    });

    test('SEM-OOB-02 one that the reader has passed can still be read, and one that was read is not in the stream', () => {
      const c = acceptOne(makeTcpHost());
      send(c, 'abX', 3);
      send(c, 'Ycd', 1, 3);
      expect(c.socket.readUrgent()).toBe(0x58);
      expect(readAll(c.socket)).toEqual(['ab', 'cd']);
      expect(urgent(c.socket)).toBe('Y');
    });

    test('SEM-OOB-02 alone in the stream it leaves nothing: close is no reset, and the end is the end', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ flags: 'FPU.', urgentPointer: 1, payload: 'X' });
      expect(c.socket.readableBytes).toBe(0);
      expect(c.socket.atEnd).toBe(true);
      c.socket.close();
      expect(c.host.out()).toMatchObject([{ flags: 'F.' }]);
    });

    test('SEM-OOB-03 what arrived before accept is told after it', () => {
      const pair = new Pair();
      const [client, server] = pair.connect();
      client.writeUrgent(Uint8Array.of(0x58), 0, 1);
      pair.pass(100);
      expect(has(pair.events.get(server), 'urgent')).toBe(true);
      expect(urgent(server)).toBe('X');
    });
  });

  describe('in line', () => {
    test('SEM-OOB-05 the byte is read in its place and by itself', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.urgentInline = true;
      send(c, 'abXYcd', 3);
      send(c, 'Yc', 1, 3);
      expect(c.socket.readableBytes).toBe(6);
      expect(readAll(c.socket)).toEqual(['ab', 'X', 'Ycd']);
    });

    test('SEM-OOB-05 peeking stops where reading does', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.urgentInline = true;
      send(c, 'abXcd', 3);
      expect(c.socket.peek(buffer, 0, 9)).toBe(2);
      c.socket.read(buffer, 0, 2);
      expect(c.socket.peek(buffer, 0, 9)).toBe(1);
    });

    test('OPT-SO_OOBINLINE turned on and off, an unread byte is where it now belongs', () => {
      const c = acceptOne(makeTcpHost());
      send(c, 'abXcd', 3);
      c.socket.urgentInline = true;
      expect([read(c.socket), read(c.socket)]).toEqual(['ab', 'X']);
      expect(urgent(c.socket)).toBe('');
      send(c, 'Yef', 1, 5);
      expect(read(c.socket)).toBe('cd');
      c.socket.urgentInline = false;
      expect(read(c.socket)).toBe('ef');
      expect(urgent(c.socket)).toBe('Y');
    });
  });

  describe('bounds', () => {
    test('RFC 6093 §3.3 past 64 unread bytes the oldest go back into the stream', () => {
      const c = acceptOne(makeTcpHost());
      for (let i = 0; i < 70; i++) {
        c.in({ seq: c.seq + 2 * i, payload: 'x' });
        send(c, '.', 1, 2 * i + 1);
      }
      expect(c.socket.urgentCount).toBe(64);
      expect(readAll(c.socket).join('')).toBe(`${'x.'.repeat(6)}${'x'.repeat(64)}`);
      expect(urgent(c.socket)).toBe('.'.repeat(64));
    });

    test('RFC 6093 §3.3 bytes that were taken do not come back when more arrive than are kept apart', () => {
      const c = acceptOne(makeTcpHost());
      c.in({ payload: 'a' });
      for (let i = 0; i < 64; i++) send(c, '!', 1, 1 + i);
      expect(urgent(c.socket)).toBe('!'.repeat(64));
      send(c, '?', 1, 65);
      expect(readAll(c.socket).join('')).toBe('a?');
    });

    test('RFC 9293 §3.8.5 no pointers, marks or reads lose, double or reorder a byte', () => {
      const step = fc.record({
        at: fc.integer({ min: 0, max: 40 }),
        length: fc.integer({ min: 0, max: 12 }),
        pointer: fc.oneof(fc.integer({ min: 0, max: 14 }), fc.constant(65_535)),
        call: fc.constantFrom('read', 'urgent', 'inline', 'outOfLine', 'none'),
        size: fc.integer({ min: 1, max: 9 }),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
          const c = acceptOne(makeTcpHost());
          // Each byte is its own position, so that the stream and the urgent bytes can be put together again.
          const stream: number[] = [];
          const taken: number[] = [];
          const note = (got: number): void => void stream.push(...buffer.subarray(0, Math.max(0, got)));
          for (const { at, length, pointer, call, size } of steps) {
            const payload = Uint8Array.from({ length }, (_, i) => at + i);
            c.in({ flags: 'U.', seq: c.seq + at, urgentPointer: pointer, payload });
            if (call === 'read') note(c.socket.read(buffer, 0, size));
            if (call === 'inline') c.socket.urgentInline = true;
            if (call === 'outOfLine') c.socket.urgentInline = false;
            const byte = call === 'urgent' ? c.socket.readUrgent() : -1;
            if (byte >= 0) taken.push(byte);
          }
          c.socket.urgentInline = false;
          while (c.socket.readableBytes > 0) note(c.socket.read(buffer, 0, 4096));
          for (let byte = c.socket.readUrgent(); byte >= 0; byte = c.socket.readUrgent()) taken.push(byte);
          const all = [...new Set([...stream, ...taken])].sort((a, b) => a - b);
          expect(all).toEqual(Array.from({ length: c.socket.info().bytesIn }, (_, i) => i));
          expect(stream).toEqual([...stream].sort((a, b) => a - b));
          expect(new Set(stream).size).toBe(stream.length);
        }),
        { numRuns: 400 },
      );
    });
  });

  describe('RFC 9293 §3.8.5 the pointer that is sent', () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    const write = (c: Scripted, text: string, isUrgent: boolean): void => {
      if (isUrgent) c.socket.writeUrgent(bytes(text), 0, text.length);
      else c.socket.write(bytes(text), 0, text.length);
    };

    test('RFC 9293 MUST-62 it is behind the last byte of an urgent send, until that is acknowledged', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 'abc', true);
      expect(c.host.out()).toMatchObject([{ flags: 'P.U', urgentPointer: 3 }]);
      c.in({ ack: c.ack + 3 });
      c.ack += 3;
      write(c, 'd', false);
      expect(c.host.out()).toMatchObject([{ flags: 'P.', urgentPointer: 0 }]);
    });

    test('RFC 6093 §4 the sequence number that it names is the one behind the urgent data, both ways', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 'xyz', false);
      c.host.out();
      write(c, 'U', true);
      const [segment] = c.host.out();
      expect(segment).toMatchObject({ seq: (c.ack + 3) >>> 0, urgentPointer: 1 });
      // Of the peer's four bytes the third is the urgent one.
      send(c, 'abUc', 3);
      expect(urgent(c.socket)).toBe('U');
      expect(readAll(c.socket)).toEqual(['ab', 'c']);
    });

    test('RFC 1122 §4.2.2.4 when asked for it is at that byte', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.pointsAtUrgent = true;
      write(c, 'abc', true);
      expect(c.host.out()).toMatchObject([{ flags: 'P.U', urgentPointer: 2 }]);
    });

    test('SEM-OOB-03 each urgent byte ends a segment that announces it, and waits for no other', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 'a', false);
      c.host.out();
      for (const text of ['bX', 'cY']) write(c, text, true);
      write(c, 'd', false);
      const segments = c.host.out();
      expect(segments.map((each) => [new TextDecoder().decode(each.payload), each.urgentPointer])).toEqual([
        ['bX', 2],
        ['cYd', 2],
      ]);
    });

    test('SEM-OOB-03 so does one that is sent again', () => {
      const c = acceptOne(makeTcpHost());
      for (const text of ['aX', 'bY']) write(c, text, true);
      expect(c.host.out()).toHaveLength(2);
      expect(c.host.pass(5000)).toMatchObject([
        { seq: c.ack >>> 0, urgentPointer: 2, payload: bytes('aX') },
        { urgentPointer: 2, payload: bytes('bY') },
      ]);
    });

    test('RFC 9293 §3.8.5 with a closed window the peer is told at once, without text', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ window: 0 });
      write(c, 'abc', true);
      expect(c.host.out()).toMatchObject([{ flags: '.U', urgentPointer: 3, payload: bytes('') }]);
      expect(c.host.pass(5000)).toMatchObject([{ flags: '.U', urgentPointer: 3, payload: bytes('a') }]);
    });

    test('RFC 9293 MUST-31 one that is further than 65,535 bytes away is announced once it is in reach', () => {
      const c = acceptOne(makeTcpHost(), PLAIN_SYN, 65_535);
      c.socket.noDelay = true;
      c.socket.write(new Uint8Array(70_000), 0, 70_000);
      write(c, 'X', true);
      let isAnnounced = false;
      for (let acked = 0; acked < 70_001; ) {
        for (const packet of c.host.out()) {
          const seq = ((packet.seq ?? 0) - c.ack) | 0;
          const ahead = 70_001 - seq;
          expect(packet.urgentPointer).toBe(ahead > 0 && ahead <= 65_535 ? ahead : 0);
          isAnnounced ||= (packet.urgentPointer ?? 0) > 0;
          acked = Math.max(acked, seq + packet.payload.length);
        }
        c.in({ ack: c.ack + acked });
      }
      expect(isAnnounced).toBe(true);
    });

    test('SEM-OOB-01 to SEM-OOB-03 over a path that loses, doubles and reorders, each urgent byte arrives as such', () => {
      for (let seed = 1; seed <= 8; seed++) {
        const pair = new Pair(seed, { loss: 0.1, jitter: 30, duplicate: 0.05 });
        const [client, server] = pair.connect();
        const plain: string[] = [];
        let oob = '';
        for (let i = 0; i < 30; i++) {
          client.write(bytes('text'), 0, 4);
          client.writeUrgent(bytes(String.fromCharCode(65 + (i % 26))), 0, 1);
          pair.pass(i % 3 === 0 ? 40 : 0);
          plain.push(...readAll(server));
          oob += urgent(server);
        }
        pair.run(() => client.unsentBytes === 0);
        pair.pass(100);
        plain.push(...readAll(server));
        oob += urgent(server);
        expect(plain.join('')).toBe('text'.repeat(30));
        expect(oob).toBe(Array.from({ length: 30 }, (_, i) => String.fromCharCode(65 + (i % 26))).join(''));
      }
    });
  });
});
