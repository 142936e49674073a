/** Moving bytes: windows, acknowledgements, retransmission, probes (RFC 9293 §3.8, RFC 5681, 6298, 6582, 6675, 2018). */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { StackError, type TcpEndpoint } from '../../../src/stack/index.ts';
import type { EitherPacket } from '../../support/packets.ts';
import { tcpOptions } from '../../support/transport-bytes.ts';
import {
  acceptNext,
  acceptOne,
  connectOne,
  FULL_SYN,
  has,
  listenOn,
  makeTcpHost,
  mtuFor,
  overBothFamilies,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  pattern,
  type Scripted,
} from './support.ts';

/** A peer with SACK and nothing else. */
const SACK_SYN = tcpOptions({ mss: 1460, sackPermitted: true });

/** Queues `length` bytes; with Nagle off unless said otherwise, so that what is sent is what was queued. */
function write(c: Scripted, length: number, noDelay = true): EitherPacket[] {
  c.socket.noDelay = noDelay;
  expect(c.socket.write(pattern(length), 0, length)).toBe(length);
  return c.host.out();
}

/** Sequence numbers relative to where the connection's text starts, with lengths: `[[0, 1460], …]`. */
function sent(c: Scripted, packets: EitherPacket[]): number[][] {
  return packets.map((packet) => [((packet.seq ?? 0) - c.ack) | 0, packet.payload.length]);
}

const scratch = new Uint8Array(1 << 20);

/** Reads all there is. */
function readAll(c: Scripted): Uint8Array {
  const got = c.socket.read(scratch, 0, scratch.length);
  return scratch.slice(0, Math.max(0, got));
}

overBothFamilies(() => {
  describe('RFC 9293 §3.8.6 sending within the window', () => {
    test('no more than the peer’s window is in flight', () => {
      const c = acceptOne(makeTcpHost(), PLAIN_SYN, 4000);
      expect(sent(c, write(c, 10_000))).toEqual([
        [0, 1460],
        [1460, 1460],
      ]);
      expect(sent(c, c.exchange({ ack: c.ack + 2920 }))).toEqual([
        [2920, 1460],
        [4380, 1460],
      ]);
    });

    test('RFC 9293 MUST-34 a window that shrinks stops new text, and what was sent is still acknowledged', () => {
      const c = acceptOne(makeTcpHost(), PLAIN_SYN, 6000);
      write(c, 20_000);
      c.in({ window: 1000 });
      expect(c.host.out()).toEqual([]);
      c.in({ ack: c.ack + 5840, window: 0 });
      expect(c.socket.unsentBytes).toBe(20_000 - 5840);
    });

    test('an old segment does not bring an old window (SND.WL1, SND.WL2)', () => {
      const c = acceptOne(makeTcpHost(), PLAIN_SYN, 2920);
      write(c, 20_000);
      c.exchange({ payload: 'newer', window: 2920 });
      c.in({ seq: c.seq, payload: 'newer', window: 65_535 });
      expect(c.host.out().filter((packet) => packet.payload.length > 0)).toEqual([]);
    });

    test('RFC 7323 the window is scaled after the handshake, not in it', () => {
      const c = acceptOne(makeTcpHost(), tcpOptions({ mss: 1460, windowShift: 3 }), 1460);
      expect(c.socket.info()).toMatchObject({ sndWnd: 1460 * 8, sndWindShift: 3, rcvWindShift: 8 });
      const d = connectOne(makeTcpHost(), tcpOptions({ mss: 1460, windowShift: 3 }), 1460);
      expect(d.socket.info().sndWnd).toBe(1460);
      expect(d.socket.info().rcvWnd).toBeGreaterThan(65_535 * 2);
    });

    test('RFC 9293 MUST-38 a window smaller than half of the largest gets no small segment', () => {
      const c = acceptOne(makeTcpHost(), PLAIN_SYN, 3000);
      write(c, 20_000);
      expect(c.exchange({ ack: c.ack + 2920, window: 1000 })).toEqual([]);
      expect(sent(c, c.exchange({ ack: c.ack + 2920, window: 1500 }))).toEqual([[2920, 1460]]);
    });

    test('RFC 9293 MUST-38 the override timer sends what fits into a window that stays silly', () => {
      const c = acceptOne(makeTcpHost(), PLAIN_SYN, 3000);
      write(c, 20_000);
      c.exchange({ ack: c.ack + 2920, window: 100 });
      expect(sent(c, c.host.pass(2000))).toEqual([[2920, 100]]);
    });
  });

  describe('RFC 9293 §3.7.4 Nagle', () => {
    test('RFC 9293 SHLD-7 a second small segment waits for the acknowledgement of the first', () => {
      const c = acceptOne(makeTcpHost());
      expect(sent(c, write(c, 10, false))).toEqual([[0, 10]]);
      expect(write(c, 10, false)).toEqual([]);
      expect(write(c, 10, false)).toEqual([]);
      expect(sent(c, c.exchange({ ack: c.ack + 10 }))).toEqual([[10, 20]]);
    });

    test('full segments do not wait, and neither does the small one after them (Minshall)', () => {
      const c = acceptOne(makeTcpHost());
      expect(sent(c, write(c, 1470, false))).toEqual([
        [0, 1460],
        [1460, 10],
      ]);
      expect(write(c, 10, false)).toEqual([]);
    });

    test('RFC 9293 MUST-17 it can be turned off, which also sends what waits', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 10, false);
      write(c, 10, false);
      c.socket.noDelay = true;
      expect(sent(c, c.host.out())).toEqual([[10, 10]]);
    });

    test('a FIN takes waiting text with it', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 10, false);
      write(c, 10, false);
      c.socket.shutdownWrite();
      expect(c.host.out()).toMatchObject([{ flags: 'FP.', payload: { length: 10 } }]);
    });
  });

  describe('RFC 9293 §3.8.6.3 acknowledging', () => {
    /** A connection past its quick ACKs. */
    function settled(tcp = {}): Scripted {
      const c = acceptOne(makeTcpHost(tcp));
      for (let i = 0; i < 16; i++) {
        c.exchange({ payload: 'q' });
        c.seq++;
      }
      readAll(c);
      c.host.out();
      return c;
    }

    test('the first segments of a connection are acknowledged at once', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.exchange({ payload: 'a' })).toMatchObject([{ flags: '.', ack: c.seq + 1 }]);
    });

    test('RFC 9293 SHLD-18 and MUST-40 one segment is acknowledged within the delay', () => {
      const c = settled();
      expect(c.exchange({ payload: 'a' })).toEqual([]);
      const start = c.host.now;
      expect(c.host.pass(500)).toMatchObject([{ flags: '.', ack: c.seq + 1 }]);
      expect(c.host.now - start).toBe(40);
    });

    test('RFC 9293 SHLD-19 every second segment is acknowledged at once', () => {
      const c = settled();
      c.in({ payload: 'a' });
      expect(c.exchange({ seq: c.seq + 1, payload: 'b' })).toMatchObject([{ ack: c.seq + 2 }]);
      expect(c.host.pass(500)).toEqual([]);
    });

    test('RFC 9293 MUST-58 and MUST-59 segments that arrive together are acknowledged together', () => {
      const c = settled();
      for (let i = 0; i < 10; i++) c.in({ seq: c.seq + i, payload: 'x' });
      expect(c.host.out()).toMatchObject([{ ack: c.seq + 10 }]);
    });

    test('text that is sent carries the acknowledgement', () => {
      const c = settled();
      c.exchange({ payload: 'a' });
      expect(write(c, 3)).toMatchObject([{ flags: 'P.', ack: c.seq + 1 }]);
      expect(c.host.pass(150)).toEqual([]);
    });

    test('RFC 5681 §4.2 early text is acknowledged at once, each time for a peer without SACK', () => {
      const c = settled({ sack: false });
      for (let i = 1; i <= 3; i++) c.in({ seq: c.seq + 100 * i, payload: 100 });
      expect(c.host.out()).toMatchObject([{ ack: c.seq }, { ack: c.seq }, { ack: c.seq }]);
    });

    test('RFC 5681 §4.2 text that fills a hole is acknowledged at once', () => {
      const c = settled();
      c.exchange({ seq: c.seq + 1, payload: 'b' });
      expect(c.exchange({ payload: 'a' })).toMatchObject([{ ack: c.seq + 2 }]);
    });

    test('the delay is an option', () => {
      const c = settled({ delayedAckMs: 7 });
      c.exchange({ payload: 'a' });
      const start = c.host.now;
      c.host.pass(500);
      expect(c.host.now - start).toBe(7);
    });
  });

  describe('RFC 9293 §3.8.6.2.2 the window that is offered', () => {
    test('RFC 9293 SHLD-14 it does not shrink, it closes as text arrives', () => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 10_000 }));
      const [first] = c.exchange({ payload: new Uint8Array(1460) });
      expect(first).toMatchObject({ ack: c.seq + 1460, window: 8540 });
      c.socket.receiveBufferSize = 2000;
      const [second] = c.exchange({ seq: c.seq + 1460, payload: new Uint8Array(1460) });
      expect(second).toMatchObject({ window: 7080 });
    });

    test('RFC 9293 MUST-39 reading a little does not open it, reading much does at once', () => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 10_000 }));
      for (let at = 0; at < 10_000; at += 1000) c.in({ seq: c.seq + at, payload: new Uint8Array(1000) });
      expect(c.host.out().at(-1)).toMatchObject({ window: 0 });
      const buffer = new Uint8Array(10_000);
      c.socket.read(buffer, 0, 1000);
      expect(c.host.out()).toEqual([]);
      c.socket.read(buffer, 0, 2000);
      expect(c.host.out()).toMatchObject([{ ack: c.seq + 10_000, window: 3000 }]);
    });

    test('a window that is still large is not announced with each read', () => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 60_000 }));
      c.exchange({ payload: new Uint8Array(1460) });
      readAll(c);
      expect(c.host.out()).toEqual([]);
    });

    test('RFC 7323 §2.4 scaled, rounding takes back less than a unit and offers little more than the buffer', () => {
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 1, max: 1460 }), { minLength: 1, maxLength: 60 }),
          (lengths) => {
            const c = acceptOne(makeTcpHost({ receiveBufferSize: 80_000 }), FULL_SYN);
            let edge = 0;
            let at = 0;
            for (const length of lengths) {
              for (const packet of c.exchange({ seq: c.seq + at, payload: new Uint8Array(length) })) {
                const next = (packet.ack ?? 0) + (packet.window ?? 0) * 256 - c.seq;
                expect(next).toBeGreaterThan(edge - 256);
                edge = Math.max(edge, next);
              }
              at += length;
            }
            expect(edge).toBeLessThanOrEqual(80_000 + 512);
          },
        ),
        { numRuns: 30 },
      );
    });

    test('it grows with what has arrived: one early byte of a stranger takes little memory', () => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 8 << 20 }), FULL_SYN);
      const { rcvWnd } = c.socket.info();
      expect(rcvWnd).toBeLessThanOrEqual(4 * 65_536);
      c.exchange({ seq: c.seq + rcvWnd - 1, payload: 'x' });
      expect(c.host.allocator.inUse).toBeLessThanOrEqual(4 * 65_536);
      for (let i = 0; i < 1000; i++) {
        c.exchange({ payload: new Uint8Array(1448) });
        c.seq += 1448;
        readAll(c);
      }
      expect(c.socket.info().rcvWnd).toBeGreaterThan(5_000_000);
    });

    test('bytes beyond the buffer are not taken', () => {
      const c = acceptOne(makeTcpHost({ receiveBufferSize: 3000 }));
      for (let at = 0; at < 6000; at += 1000) c.in({ seq: c.seq + at, payload: new Uint8Array(1000) });
      expect(c.socket.readableBytes).toBe(3000);
    });

    test('windowBudget is shared by the connections that receive, and left by those that stop', () => {
      const host = makeTcpHost({ receiveBufferSize: 8 << 20 }, { windowBudget: 400_000 });
      const all = [acceptOne(host, FULL_SYN)];
      const listener = [...host.stack.endpoints()].find(
        (endpoint) => endpoint.remotePort === 0,
      ) as TcpEndpoint;
      for (let port = 3000; port < 3003; port++) all.push(acceptNext(host, listener, port));
      const buffer = new Uint8Array(100_000);
      /** Text to the first `count`, all of it read. @returns the largest windows offered meanwhile */
      const receive = (count: number): number[] =>
        all.slice(0, count).map((c) => {
          let largest = 0;
          for (let i = 0; i < 200; i++) {
            c.exchange({ payload: new Uint8Array(1400), sourcePort: c.socket.remotePort });
            c.seq += 1400;
            c.socket.read(buffer, 0, buffer.length);
            if (i > 150) largest = Math.max(largest, c.socket.info().rcvWnd);
          }
          return largest;
        });
      expect(all.map((c) => c.socket.info().rcvWnd <= 65_535 + 256)).toEqual([true, true, true, true]);
      const [alone] = receive(1);
      expect(alone).toBeGreaterThan(390_000);
      for (let i = 0; i < 2; i++) receive(4);
      for (const window of receive(4)) expect(window).toBeLessThan(101_000);
      host.pass(2000);
      const [again] = receive(1);
      expect(again).toBeGreaterThan(390_000);
    });
  });

  describe('RFC 9293 §3.8.6.1 zero-window probes', () => {
    /** A connection whose peer has closed its window with `length` bytes waiting. */
    function stalled(length = 100): Scripted {
      const c = acceptOne(makeTcpHost());
      c.exchange({ window: 0 });
      expect(write(c, length)).toEqual([]);
      return c;
    }

    test('RFC 9293 MUST-35 and SHLD-30 one byte is sent past the window, at growing intervals', () => {
      const c = stalled();
      let last = c.host.now;
      const intervals: number[] = [];
      for (let i = 0; i < 5; i++) {
        expect(sent(c, c.host.pass(100_000))).toEqual([[0, 1]]);
        intervals.push(c.host.now - last);
        last = c.host.now;
        c.in({ window: 0 });
      }
      for (let i = 1; i < 5; i++) expect(intervals[i]).toBeCloseTo(2 * (intervals[i - 1] as number), 5);
    });

    test('RFC 9293 MUST-37 it goes on for as long as probes are answered', () => {
      const c = stalled();
      for (let i = 0; i < 200; i++) {
        expect(c.host.pass(61_000)).toHaveLength(1);
        c.in({ window: 0 });
      }
      expect(c.socket.state).toBe('ESTABLISHED');
      expect(sent(c, c.exchange({ window: 1000 }))).toEqual([[0, 100]]);
    });

    test('a peer that answers none is given up', () => {
      const c = stalled();
      for (let i = 0; i < 12; i++) c.host.pass(61_000);
      expect(c.socket.error).toBe(StackError.timedOut);
    });

    test('a probe’s byte that was taken is not sent again', () => {
      const c = stalled();
      c.host.pass(100_000);
      expect(sent(c, c.exchange({ ack: c.ack + 1, window: 1000 }))).toEqual([[1, 99]]);
    });

    test('an open window after a probe that was not taken sends all', () => {
      const c = stalled();
      c.host.pass(100_000);
      expect(sent(c, c.exchange({ window: 1000 }))).toEqual([[0, 100]]);
    });

    test('a FIN that waits for the window is probed for without text', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ window: 0 });
      c.socket.shutdownWrite();
      expect(c.host.out()).toEqual([]);
      expect(sent(c, c.host.pass(100_000))).toEqual([[-1, 0]]);
      expect(c.exchange({ window: 10 })).toMatchObject([{ flags: 'F.' }]);
    });

    test('RFC 6429 §4 a closed connection does not wait for ever for a window', () => {
      const c = stalled();
      c.socket.close();
      for (let i = 0; i < 30; i++) {
        c.host.pass(61_000);
        c.in({ window: 0 });
      }
      expect([...c.host.stack.endpoints()].filter((endpoint) => endpoint.remotePort === PEER_PORT)).toEqual(
        [],
      );
    });
  });

  describe('RFC 6298 retransmission', () => {
    test('5.4 and 5.5 the first segment is sent again at doubling intervals', () => {
      const c = acceptOne(makeTcpHost({ mtuProbing: 'off' }));
      write(c, 2920);
      const times: number[] = [];
      let last = c.host.now;
      for (let i = 0; i < 5; i++) {
        expect(sent(c, c.host.pass(100_000))).toEqual([[0, 1460]]);
        times.push(c.host.now - last);
        last = c.host.now;
      }
      for (let i = 1; i < 5; i++) expect(times[i]).toBeCloseTo(2 * (times[i - 1] as number), 5);
      expect(c.socket.info()).toMatchObject({ cwnd: 1460, timeouts: 5 });
    });

    test('after a timeout the rest follows as acknowledgements come, in slow start', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 5840);
      c.host.pass(100_000);
      expect(sent(c, c.exchange({ ack: c.ack + 1460 }))).toEqual([
        [1460, 1460],
        [2920, 1460],
      ]);
      expect(sent(c, c.exchange({ ack: c.ack + 4380 }))).toEqual([[4380, 1460]]);
    });

    test('an acknowledgement beyond what was sent again skips the rest', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 5840);
      c.host.pass(100_000);
      expect(c.exchange({ ack: c.ack + 5840 })).toEqual([]);
      expect(c.host.pass(100_000)).toEqual([]);
    });

    test('Karn’s rule: an acknowledgement of a retransmitted segment is no sample', () => {
      const c = acceptOne(makeTcpHost());
      const { srtt } = c.socket.info();
      write(c, 100);
      c.host.pass(100_000);
      c.host.now += 5000;
      c.in({ ack: c.ack + 100 });
      expect(c.socket.info().srtt).toBe(srtt);
    });

    test('RFC 7323 §4.1 with timestamps it is, of the transmission that was echoed', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      write(c, 100);
      const [again] = c.host.pass(100_000);
      const tsVal = Number(/TS val (\d+)/.exec(again?.options ?? '')?.[1]);
      c.host.now += 80;
      c.in({ ack: c.ack + 100, options: tcpOptions({ timestamps: [1000, tsVal] }) });
      expect(c.socket.info().srtt).toBeGreaterThan(5);
      expect(c.socket.info().rto).toBeLessThan(1000);
    });

    test('RFC 7323 §4.2 many ACKs in a round trip move the smoothed round trip as one does', () => {
      const moved = (acks: number): number => {
        const c = acceptOne(makeTcpHost(), FULL_SYN);
        const ackAfter = (rtt: number, parts: number): void => {
          write(c, 8 * 1440);
          const [segment] = c.host.out();
          const tsVal = Number(/TS val (\d+)/.exec(segment?.options ?? '')?.[1]);
          c.host.now += rtt;
          const before = c.ack;
          for (let part = 1; part <= parts; part++) {
            c.ack = (before + (8 * 1440 * part) / parts) | 0;
            c.in({ options: tcpOptions({ timestamps: [1000, tsVal] }) });
          }
        };
        for (let i = 0; i < 60; i++) ackAfter(100, 8);
        const { srtt } = c.socket.info();
        expect(srtt).toBeCloseTo(100, 0);
        ackAfter(180, acks);
        return c.socket.info().srtt - srtt;
      };
      // An eighth of the difference.
      expect(moved(1)).toBeCloseTo(10, 0);
      expect(moved(8)).toBeCloseTo(10, 0);
    });

    test('RFC 9293 SHLD-11 a peer that is silent is given up after R2, at least 100 s', () => {
      const c = acceptOne(makeTcpHost());
      const start = c.host.now;
      write(c, 100);
      for (let i = 0; i < 20 && c.socket.error === 0; i++) c.host.pass(61_000);
      expect(c.socket.error).toBe(StackError.timedOut);
      expect(c.host.now - start).toBeGreaterThan(100_000);
      expect(has(c.host.eventsOf(c.socket), 'failed')).toBe(true);
      expect(c.host.allocator.inUse).toBe(0);
    });

    test('RFC 5482 the user timeout gives up exactly then', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.userTimeout = 5000;
      const start = c.host.now;
      write(c, 100);
      for (let i = 0; i < 20 && c.socket.error === 0; i++) c.host.pass(1000);
      expect(c.socket.error).toBe(StackError.timedOut);
      expect(c.host.now - start).toBeGreaterThanOrEqual(5000);
      expect(c.host.now - start).toBeLessThan(6100);
    });

    test('minRto is an option', () => {
      const c = acceptOne(makeTcpHost({ minRto: 1000 }));
      write(c, 100);
      const start = c.host.now;
      c.host.pass(10_000);
      expect(c.host.now - start).toBeGreaterThanOrEqual(1000);
    });
  });

  describe('RFC 5681 and 6582 fast recovery without SACK', () => {
    /** Ten segments in flight. */
    function loaded(): Scripted {
      const c = acceptOne(makeTcpHost({ congestionControl: 'newreno' }));
      expect(write(c, 29_200)).toHaveLength(10);
      return c;
    }

    test('three duplicate ACKs have the first segment sent again', () => {
      const c = loaded();
      c.exchange();
      c.exchange();
      expect(sent(c, c.exchange())[0]).toEqual([0, 1460]);
      expect(c.socket.info()).toMatchObject({ fastRetransmits: 1, ssthresh: 7300 });
      // RFC 9937: what is in the network, and one new segment for two that were delivered.
      expect(c.socket.info().cwnd).toBe(11_680 + 609);
    });

    test('RFC 3042 the first two let a new segment out each', () => {
      const c = loaded();
      expect(sent(c, c.exchange())).toEqual([[14_600, 1460]]);
      expect(sent(c, c.exchange())).toEqual([[16_060, 1460]]);
    });

    test('a segment with text, or with another window, is not a duplicate ACK', () => {
      const c = loaded();
      for (let i = 0; i < 5; i++) c.exchange({ seq: c.seq + i, payload: 'x' });
      for (let i = 0; i < 5; i++) c.exchange({ seq: c.seq + 5, window: 60_000 - i });
      expect(c.socket.info().dupAcksIn).toBe(0);
    });

    test('3.2 step 3 a partial acknowledgement has the next hole sent again, a full one ends it', () => {
      const c = loaded();
      for (let i = 0; i < 5; i++) c.exchange();
      const next = sent(c, c.exchange({ ack: c.ack + 2920 }));
      expect(next[0]).toEqual([2920, 1460]);
      c.exchange({ ack: c.ack + 29_200 > 0 ? c.ack + 14_600 + 2920 : 0 });
      expect(c.socket.info().fastRetransmits).toBe(1);
      expect(c.socket.info().cwnd).toBeLessThanOrEqual(c.socket.info().ssthresh);
    });

    test('duplicate ACKs after a timeout start no second recovery', () => {
      const c = loaded();
      c.host.pass(100_000);
      for (let i = 0; i < 5; i++) c.exchange();
      expect(c.socket.info().fastRetransmits).toBe(0);
    });
  });

  describe('RFC 2018 and 6675 SACK', () => {
    /** A duplicate ACK with blocks relative to the connection's text. */
    const sacked = (c: Scripted, ...blocks: [number, number][]) =>
      c.exchange({ options: tcpOptions({ sack: blocks.map(([l, r]) => [c.ack + l, c.ack + r]) }) });

    /** Ten segments in flight. */
    function loaded(): Scripted {
      const c = acceptOne(makeTcpHost(), SACK_SYN);
      expect(write(c, 14_600)).toHaveLength(10);
      return c;
    }

    test('only what is missing is sent again', () => {
      const c = loaded();
      sacked(c, [1460, 2920]);
      sacked(c, [1460, 2920], [4380, 5840]);
      const again = sacked(c, [1460, 2920], [4380, 5840], [7300, 14_600]);
      expect(sent(c, again)).toEqual([
        [0, 1460],
        [2920, 1460],
        [5840, 1460],
      ]);
    });

    test('one ACK that reports more than two segments above the hole is enough', () => {
      const c = loaded();
      expect(sent(c, sacked(c, [1460, 7300]))[0]).toEqual([0, 1460]);
    });

    test('after a timeout what is SACKed is skipped', () => {
      const c = loaded();
      sacked(c, [2920, 4380]);
      expect(sent(c, c.host.pass(100_000))).toEqual([[0, 1460]]);
      const next = sent(c, c.exchange({ ack: c.ack + 1460 }));
      expect(next).toEqual([
        [1460, 1460],
        [4380, 1460],
      ]);
    });

    test('blocks that were never sent, are reversed or old are ignored', () => {
      const c = loaded();
      const packets = [
        ...sacked(c, [20_000, 30_000]),
        ...sacked(c, [5840, 1460]),
        ...sacked(c, [-5000, -1000]),
        ...sacked(c, [-100, 0]),
      ];
      expect(packets).toEqual([]);
      expect(c.socket.info().dupAcksIn).toBe(0);
    });

    test('RFC 2018 §8 a peer that forgets what it SACKed gets all of it in the end', () => {
      const c = loaded();
      sacked(c, [1460, 14_600]);
      for (let i = 0; i < 3; i++) c.host.pass(100_000);
      let acked = 0;
      for (let i = 0; i < 30 && acked < 14_600; i++) {
        acked += 1460;
        c.exchange({ ack: c.ack + acked });
      }
      expect(c.socket.unsentBytes).toBe(0);
    });

    test('RFC 2018 §4 early text is reported, the latest first', () => {
      const c = acceptOne(makeTcpHost(), SACK_SYN);
      const base = c.seq;
      const report = (at: number): string => {
        const [ack] = c.exchange({ seq: base + at, payload: new Uint8Array(10) });
        return (ack?.options ?? '').replace(/\d{2,}/g, (digits) => String(Number(digits) - base));
      };
      expect(report(100)).toContain('{100:110}');
      expect(report(300)).toContain('{300:310}{100:110}');
      expect(report(200)).toContain('{200:210}{300:310}{100:110}');
      expect(report(110)).toContain('{100:120}{300:310}{200:210}');
    });

    test('without SACK-permitted there is none', () => {
      const c = acceptOne(makeTcpHost());
      const [ack] = c.exchange({ seq: c.seq + 100, payload: 10 });
      expect(ack?.options).toBe('');
    });

    test('text that is sent while something is missing keeps within the MSS with its blocks', () => {
      const c = acceptOne(makeTcpHost(), SACK_SYN);
      c.exchange({ seq: c.seq + 100, payload: 10 });
      const [first] = write(c, 5000);
      expect(first?.options).toContain('sack');
      expect(first?.payload.length).toBe(1460 - 12);
    });
  });

  describe('SHLD-31 out-of-order text', () => {
    test('is kept and delivered once the hole is filled', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ seq: c.seq + 3, payload: 'def' });
      expect(c.socket.readableBytes).toBe(0);
      c.exchange({ payload: 'abc' });
      expect(new TextDecoder().decode(readAll(c))).toBe('abcdef');
      expect(c.socket.info().bytesReordered).toBe(3);
    });

    test('any cuts, order, duplicates and overlaps deliver exactly the bytes', () => {
      const length = 3000;
      const bytes = pattern(length);
      const piece = fc.tuple(fc.integer({ min: 0, max: length - 1 }), fc.integer({ min: 1, max: 700 }));
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 900 }), (pieces, chunk) => {
          const c = acceptOne(makeTcpHost());
          const got: number[] = [];
          const take = (at: number, size: number): void => {
            const end = Math.min(length, at + size);
            c.exchange({ seq: c.seq + at, payload: bytes.subarray(at, end) });
            if (got.length % 2 === 0) got.push(...readAll(c));
          };
          for (const [at, size] of pieces) take(at, size);
          for (let at = 0; at < length; at += chunk) take(at, chunk);
          got.push(...readAll(c));
          expect(Uint8Array.from(got)).toEqual(bytes);
          expect(c.host.allocator.inUse).toBe(0);
        }),
        { numRuns: 60 },
      );
    });

    test('memory for it is bounded: ranges past the limit are dropped, not stored', () => {
      const c = acceptOne(makeTcpHost());
      for (let i = 1; i < 2000; i++) c.in({ seq: c.seq + 4 * i, payload: 'x' });
      c.host.out();
      expect(c.socket.info().bytesReordered).toBe(512);
    });
  });

  describe('RFC 9293 §3.4 sequence numbers wrap', () => {
    test.each([0x1_0000_0000, 0x8000_0000])('what is sent across %i arrives, losses included', (edge) => {
      const host = makeTcpHost();
      // The clock moves a tuple's first number by 250 each ms: the second connection starts just below the edge.
      const first = connectOne(host);
      first.socket.abort();
      host.out();
      const distance = (edge - 5000 - (first.ack >>> 0) + 0x1_0000_0000) % 0x1_0000_0000;
      host.now += Math.floor(distance / 250);
      const c = connectOne(host);
      expect(edge - (c.ack >>> 0)).toBeLessThan(6000);
      const bytes = pattern(14_600);
      const got = new Uint8Array(14_600);
      c.socket.write(bytes, 0, bytes.length);
      const keep = (packets: EitherPacket[]): void => {
        for (const packet of packets) got.set(packet.payload, ((packet.seq ?? 0) - c.ack) | 0);
      };
      const packets = host.out();
      keep(packets.filter((_, i) => i !== 2 && i !== 3));
      for (let i = 0; i < 4; i++) keep(c.exchange({ ack: c.ack + 2920 }));
      keep(c.exchange({ ack: c.ack + 4380 }));
      expect(got).toEqual(bytes);
      c.in({ ack: c.ack + 14_600 });
      expect(c.socket.unsentBytes).toBe(0);
      expect(c.socket.info().fastRetransmits).toBe(1);
    });

    test.each([0xffff_fffe, 0x7fff_fffe])('a peer that starts at %i is understood', (isn) => {
      const host = makeTcpHost();
      const listener = listenOn(host, 1);
      const [synAck] = ((): EitherPacket[] => {
        host.in({ flags: 'S', seq: isn, options: SACK_SYN });
        return host.out();
      })();
      const ack = (synAck?.seq ?? 0) + 1;
      expect(synAck?.ack).toBe((isn + 1) >>> 0);
      host.in({ seq: isn + 1, ack });
      const bytes = pattern(5000);
      for (const at of [1000, 0, 3000, 2000, 4000]) {
        host.in({ seq: isn + 1 + at, ack, payload: bytes.subarray(at, at + 1000) });
        host.out();
      }
      const socket = listener.accept();
      const buffer = new Uint8Array(6000);
      expect(socket?.read(buffer, 0, 6000)).toBe(5000);
      expect(buffer.subarray(0, 5000)).toEqual(bytes);
    });
  });

  describe('RFC 9293 §3.8.4 keep-alive', () => {
    /** A connection with keep-alive after 10 s, every 2 s, three times. */
    function kept(): Scripted {
      const c = acceptOne(makeTcpHost());
      c.socket.keepAliveTime = 10_000;
      c.socket.keepAliveInterval = 2000;
      c.socket.keepAliveCount = 3;
      c.socket.keepAlive = true;
      return c;
    }

    test('RFC 9293 MUST-25 it is off by default', () => {
      const c = acceptOne(makeTcpHost());
      expect(c.socket.keepAlive).toBe(false);
      expect(c.host.pass(20_000_000)).toEqual([]);
    });

    test('RFC 9293 MUST-28 its default is two hours', () => {
      expect(acceptOne(makeTcpHost()).socket.keepAliveTime).toBe(7_200_000);
    });

    test('RFC 9293 MUST-26 and SHLD-12 an idle connection is probed with an old number and no text', () => {
      const c = kept();
      c.host.pass(9000);
      c.exchange({ payload: 'x' });
      const start = c.host.now;
      expect(sent(c, c.host.pass(60_000))).toEqual([[-1, 0]]);
      expect(c.host.now - start).toBe(10_000);
    });

    test('RFC 9293 MUST-29 one unanswered probe means nothing, all of them that the peer is gone', () => {
      const c = kept();
      const times: number[] = [];
      for (let i = 0; i < 3; i++) {
        expect(sent(c, c.host.pass(60_000))).toEqual([[-1, 0]]);
        times.push(c.host.now);
      }
      expect([
        (times[1] as number) - (times[0] as number),
        (times[2] as number) - (times[1] as number),
      ]).toEqual([2000, 2000]);
      expect(c.socket.state).toBe('ESTABLISHED');
      expect(c.host.pass(60_000)).toMatchObject([{ flags: 'R.' }]);
      expect(c.socket.error).toBe(StackError.networkReset);
    });

    test('an answer starts it anew', () => {
      const c = kept();
      for (let i = 0; i < 10; i++) {
        expect(sent(c, c.host.pass(60_000))).toEqual([[-1, 0]]);
        c.in();
      }
      expect(c.socket.state).toBe('ESTABLISHED');
    });

    test('RFC 9293 MUST-24 it can be turned off again', () => {
      const c = kept();
      c.socket.keepAlive = false;
      expect(c.host.pass(60_000)).toEqual([]);
    });
  });

  describe('path MTU', () => {
    test('RFC 1191, RFC 8201 smaller segments replace those that did not fit, and the window stays', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.noDelay = true;
      c.socket.write(pattern(2920), 0, 2920);
      const bytes = c.host.stack.takePacket(c.host.index);
      if (bytes === null) throw new Error('nothing sent');
      c.host.out();
      const { cwnd } = c.socket.info();
      c.host.stack.inputPacket(c.host.index, c.host.family.error('tooBig', bytes, mtuFor(1340)));
      expect(sent(c, c.host.out())).toEqual([
        [0, 1300],
        [1300, 1300],
        [2600, 320],
      ]);
      expect(c.socket.info()).toMatchObject({ mss: 1300, cwnd });
    });

    test('RFC 5927 a quote that is not in flight changes nothing', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.write(pattern(100), 0, 100);
      const bytes = c.host.stack.takePacket(c.host.index);
      if (bytes === null) throw new Error('nothing sent');
      c.exchange({ ack: c.ack + 100 });
      c.host.stack.inputPacket(c.host.index, c.host.family.error('tooBig', bytes, mtuFor(1340)));
      expect(c.socket.info().mss).toBe(1460);
    });

    test('RFC 5927 a hard error about an established connection does not end it', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.write(pattern(100), 0, 100);
      const bytes = c.host.stack.takePacket(c.host.index);
      if (bytes === null) throw new Error('nothing sent');
      c.host.stack.inputPacket(c.host.index, c.host.family.error('noPort', bytes));
      expect(c.socket.state).toBe('ESTABLISHED');
    });
  });

  describe('buffers', () => {
    test('a write takes what fits and says when there is room again', () => {
      const c = acceptOne(makeTcpHost({ sendBufferSize: 10_000 }), PLAIN_SYN, 0xffff);
      expect(c.socket.write(pattern(20_000), 0, 20_000)).toBe(10_000);
      expect(c.socket.write(pattern(1), 0, 1)).toBe(StackError.wouldBlock);
      c.host.out();
      c.host.eventsOf(c.socket);
      c.host.events.clear();
      c.in({ ack: c.ack + 1460 });
      expect(has(c.host.eventsOf(c.socket), 'writable')).toBe(false);
      c.in({ ack: c.ack + 4380 });
      expect(has(c.host.eventsOf(c.socket), 'writable')).toBe(true);
      expect(c.socket.writableBytes).toBe(4380);
    });

    test('an empty send buffer is told', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 10);
      c.host.events.clear();
      c.in({ ack: c.ack + 10 });
      expect(has(c.host.eventsOf(c.socket), 'drained')).toBe(true);
    });

    test('an idle connection has no buffer memory', () => {
      const c = acceptOne(makeTcpHost());
      write(c, 5000);
      c.exchange({ ack: c.ack + 5000, payload: 'abc' });
      readAll(c);
      c.host.out();
      expect(c.host.allocator.inUse).toBe(0);
    });

    test('peek leaves the bytes', () => {
      const c = acceptOne(makeTcpHost());
      c.exchange({ payload: 'abcdef' });
      const buffer = new Uint8Array(9);
      expect(c.socket.peek(buffer, 0, 9)).toBe(6);
      expect(new TextDecoder().decode(buffer.subarray(0, 6))).toBe('abcdef');
      expect(c.socket.readableBytes).toBe(6);
    });

    test('the figures of a connection are filled into the caller’s object', () => {
      const c = acceptOne(makeTcpHost(), FULL_SYN);
      const info = c.socket.info();
      write(c, 100);
      expect(c.socket.info(info)).toBe(info);
      expect(info).toMatchObject({ bytesOut: 100, flightSize: 100, sendBufferUsed: 100, sackEnabled: true });
    });

    test('a segment of another connection does not reach this one', () => {
      const c = acceptOne(makeTcpHost());
      const stray = {
        sourcePort: PEER_PORT + 1,
        destinationPort: PORT,
        seq: c.seq,
        ack: c.ack,
        payload: 'x',
      };
      c.host.in(stray);
      expect(c.socket.readableBytes).toBe(0);
    });
  });
});
