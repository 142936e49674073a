import { describe, expect, test } from '@jest/globals';
import type { AckSample } from '../../../../src/stack/tcp/congestion/ack-sample.ts';
import { NewReno } from '../../../../src/stack/tcp/congestion/newreno.ts';
import { MSS, makeSender, type Sender } from './support.ts';

const at = (segment: number): number => segment * MSS;
/** Segments `from` … `to` (exclusive) of the stream, as a SACK block. */
const block = (from: number, to: number): [number, number] => [at(from), at(to)];

/** Ten segments in flight over a path of 100 ms, sent `gap` ms apart. */
function loaded(gap = 0, peer = {}): Sender {
  const sender = makeSender(100, peer);
  for (let i = 0; i < 10; i++) {
    expect(sender.write(MSS)).toEqual([[at(i), MSS]]);
    sender.host.now += gap;
  }
  sender.host.now += 100 - 10 * gap;
  return sender;
}

describe('RFC 8985 RACK', () => {
  test('RFC 8985 §6.2 three SACKed segments have everything sent before them given up, without a wait', () => {
    const sender = loaded();
    sender.ack(0, block(1, 2));
    sender.ack(0, block(1, 3));
    expect(sender.ack(0, block(1, 4))).toContainEqual([0, MSS]);
    expect(sender.socket.info().fastRetransmits).toBe(1);
  });

  test('RFC 8985 §6.2 step 4 a single SACK waits a quarter of the least round trip for what may be reordered', () => {
    const sender = loaded();
    expect(sender.ack(0, block(1, 2))).not.toContainEqual([0, MSS]);
    const start = sender.host.now;
    expect(sender.pass(1000)).toContainEqual([0, MSS]);
    expect(sender.host.now - start).toBe(25);
    expect(sender.socket.info().timeouts).toBe(0);
  });

  test('RFC 8985 §6.2 step 5 what arrives within that wait is not sent again', () => {
    const sender = loaded();
    sender.ack(0, block(1, 2));
    sender.host.now += 20;
    sender.ack(at(2));
    sender.host.now += 80;
    sender.ack(at(10));
    sender.pass(10_000);
    expect(sender.socket.info()).toMatchObject({ retransSegs: 0, fastRetransmits: 0 });
  });

  test('RFC 8985 §6.2 step 3 once a path has been seen to reorder, three SACKs no longer shorten the wait', () => {
    const sender = loaded();
    sender.ack(0, block(1, 2));
    sender.ack(at(2));
    sender.write(12 * MSS);
    sender.ack(at(2), block(3, 9));
    expect(sender.socket.info().fastRetransmits).toBe(0);
    sender.pass(25);
    expect(sender.socket.info().fastRetransmits).toBe(1);
  });

  test('RFC 8985 §6.2 step 4 a duplicate report widens the window, once a round trip', () => {
    const sender = loaded();
    sender.ack(0, block(1, 2));
    expect(sender.pass(25)).toContainEqual([0, MSS]);
    // The original comes late, and the copy is reported.
    sender.ack(at(2));
    sender.ack(at(2), block(0, 1));
    sender.host.now += 75;
    sender.ack(at(10));
    expect(sender.write(4 * MSS)).toHaveLength(4);
    sender.host.now += 100;
    sender.ack(at(10), block(11, 12));
    const start = sender.host.now;
    sender.pass(1000);
    // Two quarters now.
    expect(sender.host.now - start).toBeCloseTo(50, 0);
  });

  test('RFC 8985 §6.2 a retransmission that is lost again is found without the timer', () => {
    const sender = loaded();
    expect(sender.write(20 * MSS)).toEqual([]);
    expect(sender.ack(0, block(1, 5))).toContainEqual([0, MSS]);
    sender.host.now += 100;
    const later = sender.ack(0, block(1, 10));
    expect(later.length).toBeGreaterThan(0);
    sender.host.now += 100;
    // What was sent after the copy is delivered, the copy is not.
    expect(sender.ack(0, block(1, 10 + later.length))).toContainEqual([0, MSS]);
    expect(sender.socket.info().timeouts).toBe(0);
  });

  test('RFC 8985 §6.2 step 2 an ACK of a copy that comes sooner than any round trip is of the original', () => {
    const sender = loaded();
    expect(sender.ack(0, block(1, 4))).toContainEqual([0, MSS]);
    sender.host.now += 1;
    sender.ack(at(4));
    // Had it counted as a delivery of the copy, all that was sent before the copy would be lost.
    expect(sender.socket.info().retransSegs).toBe(1);
  });

  test('RFC 8985 §6.1 a copy is noted with its own time: what was sent before it says nothing about it', () => {
    const sender = loaded();
    expect(sender.write(20 * MSS)).toEqual([]);
    const first = sender.ack(0, block(1, 4));
    expect(first).toContainEqual([0, MSS]);
    // Segments of the first flight, sent with the original.
    for (let end = 5; end <= 10; end++) expect(sender.ack(0, block(1, end))).not.toContainEqual([0, MSS]);
    expect(sender.socket.info().retransSegs).toBe(1);
    sender.host.now += 100;
    // One that was sent behind the copy.
    expect(sender.ack(0, block(1, 12))).toContainEqual([0, MSS]);
    expect(sender.socket.info().retransSegs).toBe(2);
  });

  test('RFC 8985 §8 one timer stands for reordering, probe and timeout, whichever is due', () => {
    const sender = makeSender(100);
    const { stack } = sender.host;
    const due = (): number => Math.round(stack.nextDeadline - sender.host.now);
    sender.write(4 * MSS);
    expect(due()).toBe(200);
    sender.host.now += 100;
    // Reordering takes the place of the probe, and nothing follows at the probe's time.
    sender.ack(0, block(1, 2));
    expect(due()).toBe(25);
    const start = sender.host.now;
    expect(sender.pass(1000)).toEqual([[0, MSS]]);
    expect(sender.host.now - start).toBe(25);
    // In recovery there is no probe: the timeout, 300 ms from the first sending or the last new ACK on.
    expect(due()).toBe(300 - 125);
    sender.host.now += 50;
    sender.ack(at(2));
    expect(sender.pass(200)).toEqual([]);
    // With all acknowledged nothing is armed.
    sender.ack(at(4));
    expect(sender.pass(60_000)).toEqual([]);
    expect(stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    expect(sender.socket.info().timeouts).toBe(0);
  });

  test('RFC 8985 §6.2 step 2 RACK.rtt is that of any segment delivered, of one that comes late too', () => {
    const sender = makeSender(100);
    // The last one’s delivery is known; the first comes 20 ms later than its turn: the path reorders.
    sender.write(3 * MSS);
    sender.host.now += 10;
    sender.write(MSS);
    sender.host.now += 100;
    sender.ack(0, block(3, 4));
    sender.host.now += 20;
    sender.ack(at(1), block(3, 4));
    // What was sent with the late one has a quarter of the least round trip from now on.
    const start = sender.host.now;
    expect(sender.pass(1000)).toEqual([[at(1), MSS]]);
    expect(sender.host.now - start).toBe(25);
  });

  test('RFC 8985 §6.3 at a timeout the first segment is lost, and not what was sent a moment ago', () => {
    const sender = loaded();
    sender.ack(at(10));
    sender.write(2 * MSS);
    sender.host.now += 60;
    const probe = sender.pass(10_000);
    expect(probe).toEqual([[at(11), MSS]]);
    const again = sender.pass(10_000);
    expect(again).toEqual([[at(10), MSS]]);
    expect(sender.socket.info()).toMatchObject({ timeouts: 1, retransSegs: 2 });
  });
});

describe('RFC 8985 §6.3 what the reordering timer finds', () => {
  class Recorder extends NewReno {
    readonly lost: number[] = [];

    override onAck(sample: AckSample): void {
      this.lost.push(sample.lost);
      super.onAck(sample);
    }
  }

  test('RFC 8985 §6.3 congestion control hears of it at once, and not a second time with the next ACK', () => {
    const control = new Recorder();
    const sender = makeSender(100, {}, { congestionControl: () => control });
    sender.write(10 * MSS);
    sender.host.now += 100;
    sender.ack(0, block(4, 5));
    expect(control.lost).toEqual([0]);
    sender.pass(25);
    expect(control.lost).toEqual([0, 4 * MSS]);
    sender.ack(0, block(4, 6));
    expect(control.lost).toEqual([0, 4 * MSS, 0]);
  });
});

describe('RFC 8985 tail-loss probes', () => {
  test('RFC 8985 §7.2 after two round trips without an answer the last segment is sent again', () => {
    const sender = makeSender(100);
    sender.write(3 * MSS);
    const start = sender.host.now;
    expect(sender.pass(10_000)).toEqual([[at(2), MSS]]);
    expect(sender.host.now - start).toBe(200);
    expect(sender.socket.info()).toMatchObject({ timeouts: 0, cwnd: 10 * MSS });
  });

  test('RFC 8985 §7.2 a single segment waits for the peer’s delayed ACK too, and for no longer than the timeout', () => {
    const sender = makeSender(20);
    sender.write(100);
    const start = sender.host.now;
    expect(sender.pass(10_000)).toEqual([[0, 100]]);
    // RTO is 20 + max(200, 4 × 10): before 2 × 20 + 200.
    expect(sender.host.now - start).toBe(220);
  });

  test('RFC 8985 §7.3 new data goes rather than a copy, even past the congestion window', () => {
    const sender = makeSender(100);
    expect(sender.write(12 * MSS)).toHaveLength(10);
    expect(sender.pass(10_000)).toEqual([[at(10), MSS]]);
    expect(sender.socket.info().retransSegs).toBe(0);
  });

  test('RFC 8985 §7.3 only one probe is out at a time; then the retransmission timer has its turn', () => {
    const sender = makeSender(100);
    sender.write(2 * MSS);
    expect(sender.pass(10_000)).toEqual([[MSS, MSS]]);
    const start = sender.host.now;
    expect(sender.pass(10_000)).toEqual([[0, MSS]]);
    // From the probe on, a whole timeout: 100 + max(200, 4 × 50).
    expect(sender.host.now - start).toBe(300);
    expect(sender.socket.info().timeouts).toBe(1);
  });

  test('RFC 8985 §7.4 the SACK of a probe shows a lost tail, which is repaired without a timeout', () => {
    const sender = loaded();
    sender.ack(at(7));
    // The last three are lost; the answer to the probe says so.
    expect(sender.pass(10_000)).toEqual([[at(9), MSS]]);
    sender.host.now += 100;
    const again = [...sender.ack(at(7), block(9, 10)), ...sender.pass(30)];
    expect(again).toEqual([[at(7), MSS]]);
    sender.host.now += 100;
    expect(sender.ack(at(8), block(9, 10))).toEqual([[at(8), MSS]]);
    expect(sender.socket.info().timeouts).toBe(0);
  });

  test('RFC 8985 §7.4.2 a loss that the probe itself repaired halves the window', () => {
    const sender = loaded();
    sender.ack(at(9));
    const before = sender.socket.info().cwnd;
    expect(sender.pass(10_000)).toEqual([[at(9), MSS]]);
    expect(sender.write(MSS)).toEqual([[at(10), MSS]]);
    sender.host.now += 100;
    sender.ack(at(11));
    expect(sender.socket.info().ssthresh).toBeLessThan(before);
  });

  test('RFC 8985 §7.4.2 a duplicate report for the probe says that nothing was lost', () => {
    const sender = loaded();
    sender.ack(at(9));
    const before = sender.socket.info();
    expect(sender.pass(10_000)).toEqual([[at(9), MSS]]);
    sender.host.now += 100;
    sender.ack(at(10), block(9, 10));
    sender.write(MSS);
    sender.host.now += 100;
    sender.ack(at(11));
    expect(sender.socket.info().ssthresh).toBe(before.ssthresh);
  });

  test('RFC 8985 §7 a peer without SACK gets no probes', () => {
    const sender = makeSender(100, { sack: false });
    sender.write(3 * MSS);
    const start = sender.host.now;
    expect(sender.pass(10_000)).toEqual([[0, MSS]]);
    expect(sender.host.now - start).toBe(300);
  });
});
