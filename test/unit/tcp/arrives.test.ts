/** SEGMENT ARRIVES in the synchronized states: RFC 9293 §3.10.7.4, RFC 5961, RFC 7323 §5. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { type TcpFields, tcpOptions } from '../../support/segment.ts';
import { inState, LATER_STATES, WINDOW } from './states.ts';
import { acceptOne, FULL_SYN, has, makeTcpHost, PEER_ISN } from './support.ts';

describe.each(LATER_STATES)('%s', (state) => {
  // The window after a FIN was taken has lost a byte to it.
  const window = ['CLOSE-WAIT', 'CLOSING', 'LAST-ACK'].includes(state) ? WINDOW - 1 : WINDOW;
  const isReceiving = ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2'].includes(state);

  test.each([-1, 0, 1, window - 1, window, window + 1, -0x4000_0000, 0x4000_0000])(
    'RFC 5961 §3.2 a RST at RCV.NXT + %i resets only when it is exact, and is challenged in the window',
    (offset) => {
      const c = inState(state);
      const verdict = c.in({ flags: 'R', seq: c.seq + offset });
      const packets = c.host.out();
      if (offset === 0) {
        expect(verdict).toBe(DropReason.none);
        expect(c.socket.state).toBe('CLOSED');
        const isOver = state === 'CLOSING' || state === 'LAST-ACK';
        expect(c.socket.error).toBe(isOver ? 0 : StackError.connectionReset);
        expect(packets).toEqual([]);
      } else if (offset > 0 && offset < window) {
        expect(verdict).toBe(DropReason.tcpResetUnacceptable);
        expect(packets).toMatchObject([{ flags: '.', ack: c.seq }]);
        expect(c.socket.state).toBe(state);
      } else {
        expect(packets).toEqual([]);
        expect(c.socket.state).toBe(state);
      }
    },
  );

  test.each([0, 1, window - 1, window, -1])('RFC 5961 §4.2 a SYN at RCV.NXT + %i is challenged', (offset) => {
    const c = inState(state);
    expect(c.in({ flags: 'S', seq: c.seq + offset })).not.toBe(DropReason.none);
    expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
    expect(c.socket.state).toBe(state);
  });

  test('a segment without ACK is dropped', () => {
    const c = inState(state);
    expect(c.in({ flags: 0, payload: isReceiving ? 3 : 0 })).toBe(DropReason.tcpNoAck);
    expect(c.host.out()).toEqual([]);
  });

  test('an ACK of what was not sent is challenged', () => {
    const c = inState(state);
    expect(c.in({ ack: c.ack + 100 })).toBe(DropReason.tcpAckUnacceptable);
    expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
  });

  test.each([3, 65_000, 70_000])(
    'RFC 5961 §5.2 an ACK %i bytes old, of before our SYN, is challenged',
    (age) => {
      const c = inState(state);
      expect(c.in({ ack: c.ack - age })).toBe(DropReason.tcpAckUnacceptable);
      expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
    },
  );

  test.each([window, window + 1, 0x4000_0000])(
    'text at RCV.NXT + %i lies outside of the window and is answered with an ACK',
    (offset) => {
      const c = inState(state);
      expect(c.in({ seq: c.seq + offset, payload: 2 })).toBe(DropReason.tcpOutOfWindow);
      expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
      expect(c.socket.readableBytes).toBe(0);
    },
  );

  test('text at the last byte of the window', () => {
    const c = inState(state);
    const verdict = c.in({ seq: c.seq + window - 1, payload: 2 });
    expect(verdict).toBe(isReceiving ? DropReason.none : DropReason.tcpReceiverClosed);
    expect(c.socket.readableBytes).toBe(0);
  });

  test('old text is answered with an ACK', () => {
    const c = inState(state);
    expect(c.in({ seq: c.seq - 5, payload: 5 })).toBe(DropReason.tcpDuplicate);
    expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
  });

  test('new text is taken while the peer may send', () => {
    const c = inState(state);
    const verdict = c.in({ payload: 'abc' });
    expect(verdict).toBe(isReceiving ? DropReason.none : DropReason.tcpReceiverClosed);
    expect(c.socket.readableBytes).toBe(isReceiving ? 3 : 0);
  });

  test('a FIN outside of the window is answered and not taken', () => {
    const c = inState(state);
    expect(c.in({ flags: 'F.', seq: c.seq + window })).toBe(DropReason.tcpOutOfWindow);
    expect(c.socket.state).toBe(state);
  });
});

describe('RFC 9293 §3.10.7.4 first, the sequence number', () => {
  test('text that begins before the window is cut to its new part', () => {
    const c = inState('ESTABLISHED');
    c.exchange({ payload: 'abcd' });
    c.in({ seq: c.seq + 2, payload: 'cdEF' });
    const buffer = new Uint8Array(10);
    expect(c.socket.read(buffer, 0, 10)).toBe(6);
    expect(new TextDecoder().decode(buffer.subarray(0, 6))).toBe('abcdEF');
  });

  test('text that ends past the window is cut, and its FIN with it', () => {
    const c = inState('ESTABLISHED');
    c.in({ flags: 'F.', payload: new Uint8Array(WINDOW + 10) });
    expect(c.socket.readableBytes).toBe(WINDOW);
    expect(c.socket.state).toBe('ESTABLISHED');
    expect(c.host.out()).toMatchObject([{ ack: c.seq + WINDOW, window: 0 }]);
  });

  test('RFC 9293 MUST-66 with a closed window ACK, URG and RST are still processed', () => {
    const c = inState('ESTABLISHED');
    c.exchange({ payload: new Uint8Array(WINDOW) });
    c.seq += WINDOW;
    c.socket.write(new Uint8Array(10), 0, 10);
    c.host.out();
    c.in({ ack: c.ack + 10, payload: 'x' });
    expect(c.socket.unsentBytes).toBe(0);
    expect(c.host.out()).toMatchObject([{ ack: c.seq, window: 0 }]);
    c.in({ flags: 'U.', urgentPointer: 5, payload: 'x' });
    expect(has(c.host.eventsOf(c.socket), 'urgent')).toBe(true);
    c.in({ flags: 'R' });
    expect(c.socket.state).toBe('CLOSED');
  });

  test('a keep-alive probe of the peer is answered', () => {
    const c = inState('ESTABLISHED');
    c.in({ seq: c.seq - 1 });
    expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq }]);
  });
});

describe('RFC 5961 §7 challenge ACKs', () => {
  test('a connection sends at most ten a second', () => {
    const c = inState('ESTABLISHED');
    const challenges = (): number => {
      let count = 0;
      for (let i = 0; i < 50; i++) count += c.exchange({ flags: 'R', seq: c.seq + 5 }).length;
      return count;
    };
    expect(challenges()).toBe(10);
    c.host.pass(1000);
    expect(challenges()).toBe(10);
  });

  test('the limit of one connection is not that of another', () => {
    const c = inState('ESTABLISHED');
    for (let i = 0; i < 50; i++) c.exchange({ flags: 'R', seq: c.seq + 5 });
    c.host.in({ flags: 'S', seq: PEER_ISN, sourcePort: 3000 });
    const ack = (c.host.out()[0]?.seq ?? 0) + 1;
    const other: TcpFields = { sourcePort: 3000, seq: PEER_ISN + 1, ack };
    c.host.in(other);
    c.host.in({ ...other, flags: 'R', seq: PEER_ISN + 6 });
    expect(c.host.out()).toHaveLength(1);
  });
});

describe('RFC 7323 §5 timestamps', () => {
  const stamp = (tsVal: number): Pick<TcpFields, 'options'> => ({
    options: tcpOptions({ timestamps: [tsVal, 0] }),
  });

  test('5.3 R1 an older timestamp is dropped and answered (PAWS)', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    c.exchange({ ...stamp(2000), payload: 'a' });
    expect(c.in({ ...stamp(1999), seq: c.seq + 1, payload: 'b' })).toBe(DropReason.tcpPaws);
    expect(c.host.out()).toMatchObject([{ flags: '.', ack: c.seq + 1 }]);
    expect(c.socket.readableBytes).toBe(1);
  });

  test('timestamps wrap', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    c.exchange(stamp(0x7fff_0000));
    c.exchange(stamp(0xfff0_0000));
    c.exchange({ ...stamp(0xfffffff8), payload: 'a' });
    c.exchange({ ...stamp(5), seq: c.seq + 1, payload: 'b' });
    expect(c.socket.readableBytes).toBe(2);
    expect(c.in({ ...stamp(0xfffffff9), seq: c.seq + 2, payload: 'c' })).toBe(DropReason.tcpPaws);
  });

  test('5.3 R1 a RST is not subject to it', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    c.exchange({ ...stamp(2000), payload: 'a' });
    c.in({ ...stamp(1), flags: 'R', seq: c.seq + 1 });
    expect(c.socket.error).toBe(StackError.connectionReset);
  });

  test('3.2 a segment without the agreed option is dropped, a RST is not', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    expect(c.in({ options: new Uint8Array(0), payload: 'a' })).toBe(DropReason.tcpPaws);
    c.in({ options: new Uint8Array(0), flags: 'R' });
    expect(c.socket.state).toBe('CLOSED');
  });

  test('4.3 the echo is that of the earliest segment that an ACK covers', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    c.exchange({ ...stamp(3000), payload: 'a' });
    c.in({ ...stamp(3001), seq: c.seq + 1, payload: 'b' });
    c.in({ ...stamp(3007), seq: c.seq + 2, payload: 'c' });
    const [ack] = c.host.out();
    expect(ack?.options).toContain('ecr 3001');
  });

  test('5.5 after 24 days without a segment any timestamp is good', () => {
    const c = acceptOne(makeTcpHost(), FULL_SYN);
    c.exchange({ ...stamp(0x7000_0000), payload: 'a' });
    c.host.now += 25 * 24 * 3600 * 1000;
    expect(c.in({ ...stamp(1), seq: c.seq + 1, payload: 'b' })).toBe(DropReason.none);
  });

  test('RFC 7323 §7.1, §5.4 connections have clocks of their own', () => {
    const host = makeTcpHost();
    const first = acceptOne(host, FULL_SYN);
    first.socket.write(new Uint8Array(1), 0, 1);
    const tsVal = (text?: string): number => Number(/TS val (\d+)/.exec(text ?? '')?.[1]);
    const firstClock = tsVal(host.out()[0]?.options);
    host.in({ flags: 'S', seq: 1, sourcePort: 3000, options: FULL_SYN });
    expect(Math.abs(tsVal(host.out()[0]?.options) - firstClock)).toBeGreaterThan(1000);
  });
});

describe('RFC 9293 §3.10.7.4 eighth, the FIN bit', () => {
  test('a FIN in front of text that was taken is not believed, and the stream goes on', () => {
    const c = acceptOne(makeTcpHost());
    c.exchange({ seq: c.seq + 5, payload: 8 });
    c.exchange({ flags: 'F.', payload: 8 });
    expect(c.socket).toMatchObject({ state: 'ESTABLISHED', readableBytes: 13, atEnd: false });
    expect(c.in({ seq: c.seq + 13, payload: 1 })).toBe(DropReason.none);
    expect(c.socket.readableBytes).toBe(14);
  });
});

describe('any segments', () => {
  test('are survived, within the bounds, and leave nothing behind', () => {
    const near = (spread: number) => fc.integer({ min: -spread, max: spread });
    const segment = fc.record({
      flags: fc.integer({ min: 0, max: 255 }),
      seq: fc.oneof(near(5), near(2 * WINDOW), fc.integer()),
      ack: fc.oneof(near(5), near(3000), fc.integer()),
      window: fc.integer({ min: 0, max: 65_535 }),
      urgentPointer: fc.integer({ min: 0, max: 65_535 }),
      payload: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 1400 })),
      call: fc.constantFrom('read', 'write', 'shutdownWrite', 'wait', 'none', 'none', 'none'),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...LATER_STATES),
        fc.array(segment, { maxLength: 30 }),
        (state, segments) => {
          const c = inState(state);
          const buffer = new Uint8Array(2000);
          for (const { call, ...fields } of segments) {
            c.in({ ...fields, seq: c.seq + fields.seq, ack: c.ack + fields.ack });
            if (call === 'read') c.socket.read(buffer, 0, 500);
            if (call === 'write') c.socket.write(buffer, 0, 2000);
            if (call === 'shutdownWrite') c.socket.shutdownWrite();
            if (call === 'wait') c.host.pass(700);
            expect(c.host.out().length).toBeLessThan(40);
            expect(c.socket.readableBytes).toBeLessThanOrEqual(WINDOW);
          }
          c.socket.abort();
          for (const endpoint of [...c.host.stack.endpoints()]) endpoint.close();
          c.host.out();
          c.host.pass(200_000);
          expect([...c.host.stack.endpoints()]).toHaveLength(0);
          expect(c.host.allocator.inUse).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });
});
