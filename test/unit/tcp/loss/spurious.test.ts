import { describe, expect, test } from '@jest/globals';
import { tcpOptions } from '../../../support/segment.ts';
import { acceptOne, makeTcpHost, Pair, pattern, Transfer } from '../support.ts';
import { MSS, makeSender, type Sender } from './support.ts';

const at = (segment: number): number => segment * MSS;
const block = (from: number, to: number): [number, number] => [at(from), at(to)];

/** Ten segments in flight over a path of 100 ms, and more to send. */
function loaded(peer = {}): Sender {
  const sender = makeSender(100, peer);
  expect(sender.write(30 * MSS)).toHaveLength(10);
  sender.host.now += 100;
  return sender;
}

/** Lets time pass until the retransmission timer has run out. @returns what it sent */
function timeOut(sender: Sender): number[][] {
  const { timeouts } = sender.socket.info();
  for (let i = 0; i < 5; i++) {
    const sent = sender.pass(100_000);
    if (sender.socket.info().timeouts > timeouts) return sent;
  }
  throw new Error('the timer did not run out');
}

describe('F-RTO', () => {
  test('RFC 5682 §3.1 an original that is SACKed after the timeout undoes it', () => {
    const sender = loaded();
    const before = sender.socket.info();
    expect(timeOut(sender)).toEqual([[0, MSS]]);
    expect(sender.socket.info().cwnd).toBe(MSS);
    // The flight was only late.
    sender.ack(at(1), block(2, 3));
    expect(sender.socket.info().cwnd).toBeGreaterThanOrEqual(before.cwnd);
    sender.ack(at(10));
    expect(sender.socket.info()).toMatchObject({ ssthresh: before.ssthresh, retransSegs: 1 });
  });

  test('RFC 5682 §2.1 without SACK, the ACK of the first copy lets new data go, and the next ACK undoes the timeout', () => {
    const sender = loaded({ sack: false });
    const before = sender.socket.info();
    expect(timeOut(sender)).toEqual([[0, MSS]]);
    expect(sender.ack(at(1))).toEqual([
      [at(10), MSS],
      [at(11), MSS],
    ]);
    sender.ack(at(2));
    expect(sender.socket.info().ssthresh).toBe(before.ssthresh);
    expect(sender.socket.info().cwnd).toBeGreaterThanOrEqual(before.cwnd);
    sender.ack(at(12));
    expect(sender.socket.info().retransSegs).toBe(1);
  });

  test('RFC 5682 §2.1 step 3a a duplicate ACK for the new data means that the timeout was right', () => {
    const sender = loaded({ sack: false });
    timeOut(sender);
    sender.ack(at(1));
    expect(sender.ack(at(1))).toContainEqual([at(1), MSS]);
    expect(sender.socket.info().ssthresh).toBeLessThan(at(10));
  });

  test('RFC 5682 §2.1 when all that was outstanding is acknowledged at once, nothing is undone', () => {
    const sender = loaded({ sack: false });
    timeOut(sender);
    sender.ack(at(10));
    expect(sender.socket.info().ssthresh).toBeLessThan(at(10));
  });

  test('RFC 4015 §3.3 after a spurious timeout the estimate has grown to what the segment took', () => {
    const sender = makeSender(100, { timestamps: true });
    const text = MSS - 12;
    sender.write(10 * text);
    const first = sender.lastTsVal;
    const { rto } = sender.socket.info();
    timeOut(sender);
    sender.host.now += 400;
    sender.echo(first, text, [2 * text, 3 * text]);
    expect(sender.socket.info().spuriousRecoveries).toBe(1);
    expect(sender.socket.info().rto).toBeGreaterThan(rto + 400);
  });

  test('RFC 6298 §3 an ACK that covers a copy too is no sample: ACKs that get lost do not lengthen the estimate', () => {
    const sender = loaded({ sack: false });
    const { srtt } = sender.socket.info();
    timeOut(sender);
    sender.host.now += 5000;
    sender.ack(at(10));
    expect(sender.socket.info().srtt).toBe(srtt);
  });

  test('RFC 6298 a path that loses every fifth packet both ways still passes 400 KB within ten minutes', () => {
    const pair = new Pair(5, { loss: 0.2, delay: 20 });
    const [client, server] = pair.connect();
    const transfer = new Transfer(client, server, pattern(400_000));
    expect(pair.run(() => transfer.step(), 600_000)).toBe(true);
  });
});

describe('Eifel detection', () => {
  test('RFC 3522 §3.2 an ACK that echoes a time before the retransmission undoes a fast retransmit', () => {
    const sender = makeSender(100, { timestamps: true });
    const text = MSS - 12;
    sender.write(10 * text);
    const first = sender.lastTsVal;
    const before = sender.socket.info();
    sender.host.now += 100;
    expect(sender.echo(first, 0, [text, 5 * text])[0]).toEqual([0, text]);
    expect(sender.socket.info().ssthresh).toBeLessThan(before.cwnd);
    sender.host.now += 5;
    sender.echo(first, 5 * text);
    expect(sender.socket.info().ssthresh).toBe(before.ssthresh);
    expect(sender.socket.info().cwnd).toBeGreaterThanOrEqual(before.cwnd);
  });

  test('RFC 3522 §3.2 an echo of the retransmission itself undoes nothing', () => {
    const sender = makeSender(100, { timestamps: true });
    const text = MSS - 12;
    sender.write(10 * text);
    sender.host.now += 100;
    sender.echo(sender.lastTsVal, 0, [text, 5 * text]);
    sender.host.now += 100;
    sender.echo(sender.lastTsVal, 5 * text);
    expect(sender.socket.info().ssthresh).toBeLessThan(10 * text);
  });
});

describe('Eifel detection over an episode', () => {
  test('RFC 3522 §3.2 only the first retransmission counts: ACKs of it are older than those that follow', () => {
    const sender = makeSender(100, { timestamps: true });
    const text = MSS - 12;
    sender.write(10 * text);
    const sent = sender.lastTsVal;
    const segments = (from: number, to: number): [number, number] => [from * text, to * text];
    // 0, 5 and 7 are lost; each is found out, and sent again, later than the one before.
    sender.host.now += 100;
    expect(sender.echo(sent, 0, segments(1, 5))).toEqual([[0, text]]);
    const first = sender.lastTsVal;
    sender.host.now += 50;
    expect(sender.echo(sent, 0, segments(1, 5), segments(6, 7))).toEqual([[5 * text, text]]);
    const second = sender.lastTsVal;
    sender.host.now += 50;
    expect(sender.echo(first, 5 * text, segments(6, 7))).toContainEqual([7 * text, text]);
    sender.host.now += 40;
    sender.echo(second, 7 * text, segments(8, 10));
    expect(sender.socket.info().spuriousRecoveries).toBe(0);
    expect(sender.socket.info().ssthresh).toBeLessThan(10 * text);
  });
});

describe('duplicate reports', () => {
  test('RFC 3708 §2 when all that was sent again is reported as duplicate, the reduction is undone', () => {
    const sender = loaded();
    const before = sender.socket.info();
    expect(sender.ack(0, block(1, 4))).toContainEqual([0, MSS]);
    expect(sender.socket.info().ssthresh).toBeLessThan(before.cwnd);
    sender.host.now += 60;
    sender.ack(at(4));
    sender.host.now += 60;
    sender.ack(at(10), block(0, 1));
    expect(sender.socket.info().ssthresh).toBe(before.ssthresh);
  });

  test('RFC 3708 §2 a report of one of two copies undoes nothing', () => {
    const sender = loaded();
    sender.ack(0, block(2, 6));
    sender.host.now += 100;
    sender.ack(at(1), block(2, 10));
    expect(sender.socket.info().retransSegs).toBe(2);
    sender.host.now += 100;
    sender.ack(at(10), block(0, 1));
    expect(sender.socket.info().ssthresh).toBeLessThan(at(10));
  });

  test('RFC 6298 §3 an ACK that was lost, and comes at last with a duplicate report, is no round trip of nine seconds', () => {
    const sender = makeSender(20, { timestamps: true });
    sender.write(MSS);
    const sentAs = sender.lastTsVal;
    const before = sender.socket.info().srtt;
    for (const end = sender.host.now + 9000; sender.host.now < end; ) sender.pass(end - sender.host.now);
    sender.echo(sentAs, MSS, [0, MSS]);
    expect(sender.socket.info().srtt).toBe(before);
    // Without the report it may have been late: believed, as RFC 7323 §4 has it.
    sender.write(MSS);
    for (const end = sender.host.now + 9000; sender.host.now < end; ) sender.pass(end - sender.host.now);
    sender.echo(sentAs, 2 * MSS);
    expect(sender.socket.info().srtt).toBeGreaterThan(1000);
  });

  test('RFC 2883 §4.1 text that was acknowledged before is reported in the first block', () => {
    const c = acceptOne(makeTcpHost(), tcpOptions({ mss: 1460, sackPermitted: true }));
    const base = c.seq;
    c.exchange({ seq: base, payload: 'abcd' });
    const [ack] = c.exchange({ seq: base, payload: 'abcd' });
    expect(ack).toMatchObject({ ack: base + 4, options: `nop,nop,sack 1 {${base}:${base + 4}}` });
    // Once is enough.
    const [next] = c.exchange({ seq: base + 10, payload: 'x' });
    expect(next).toMatchObject({ options: `nop,nop,sack 1 {${base + 10}:${base + 11}}` });
  });

  test('RFC 2883 §4.2 a duplicate within early text is followed by the block that holds it', () => {
    const c = acceptOne(makeTcpHost(), tcpOptions({ mss: 1460, sackPermitted: true }));
    const base = c.seq;
    c.exchange({ seq: base + 10, payload: 'abcdefgh' });
    const [ack] = c.exchange({ seq: base + 12, payload: 'cd' });
    expect(ack).toMatchObject({
      ack: base,
      options: `nop,nop,sack 2 {${base + 12}:${base + 14}}{${base + 10}:${base + 18}}`,
    });
  });

  test('RFC 2883 §4.3 of text that overlaps what was acknowledged, the old part is reported', () => {
    const c = acceptOne(makeTcpHost(), tcpOptions({ mss: 1460, sackPermitted: true }));
    const base = c.seq;
    c.exchange({ seq: base, payload: 'abcd' });
    const packets = c.exchange({ seq: base + 2, payload: 'cdef' });
    expect(packets.at(-1)).toMatchObject({
      ack: base + 6,
      options: `nop,nop,sack 1 {${base + 2}:${base + 4}}`,
    });
  });

  test('RFC 2883 without SACK nothing is reported', () => {
    const c = acceptOne(makeTcpHost());
    const base = c.seq;
    c.exchange({ seq: base, payload: 'abcd' });
    const [ack] = c.exchange({ seq: base, payload: 'abcd' });
    expect(ack?.options).toBe('');
  });
});
