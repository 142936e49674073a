import { describe, expect, test } from '@jest/globals';
import { MSS, makeSender, type Sender } from './support.ts';

const at = (segment: number): number => segment * MSS;
const block = (from: number, to: number): [number, number] => [at(from), at(to)];

/** Twenty segments in flight over a path of 100 ms, and much more to send. */
function loaded(peer = {}): Sender {
  const sender = makeSender(100, peer);
  expect(sender.write(100 * MSS)).toHaveLength(10);
  sender.host.now += 100;
  expect(sender.ack(at(10))).toHaveLength(20);
  sender.host.now += 100;
  return sender;
}

describe('RFC 9937 proportional rate reduction', () => {
  test('RFC 9937 §6.2 over an episode what is sent comes down to ssthresh in step with what is delivered', () => {
    const sender = loaded();
    let sent = sender.ack(at(10), block(11, 14)).length;
    for (let segment = 15; segment <= 30; segment++) sent += sender.ack(at(10), block(11, segment)).length;
    const { ssthresh, flightSize } = sender.socket.info();
    // Nineteen delivered of twenty.
    const expected = Math.floor((19 * ssthresh) / at(20));
    expect(Math.abs(sent - expected)).toBeLessThanOrEqual(1);
    expect(flightSize).toBeGreaterThan(0);
  });

  test('RFC 9937 §6.2 the first retransmission goes whatever the count', () => {
    const sender = loaded();
    expect(sender.ack(at(10), block(11, 14))[0]).toEqual([at(10), MSS]);
  });

  test('RFC 9937 §6.2 no ACK lets more than it delivered and one segment go, however much was lost', () => {
    const sender = loaded();
    // All but the last three are lost.
    expect(sender.ack(at(10), block(27, 30)).length).toBeLessThanOrEqual(4);
    sender.host.now += 100;
    expect(sender.ack(at(11), block(27, 30)).length).toBeLessThanOrEqual(2);
  });

  test('RFC 9937 §6.2 what RACK’s timer finds lost is not sent again as one burst', () => {
    const sender = loaded();
    // One of twenty was delivered: nineteen are lost when it was not the path that changed their order.
    expect(sender.ack(at(10), block(29, 30)).length).toBeLessThanOrEqual(1);
    expect(sender.pass(1000)).toEqual([[at(10), MSS]]);
    expect(sender.socket.info()).toMatchObject({ timeouts: 0, fastRetransmits: 1 });
    sender.host.now += 100;
    expect(sender.ack(at(11), block(29, 30)).length).toBeLessThanOrEqual(2);
  });

  test('RFC 9937 §6.2 at the end the window is no more than ssthresh, and nothing bursts', () => {
    const sender = loaded();
    for (let segment = 14; segment <= 30; segment++) sender.ack(at(10), block(11, segment));
    sender.host.now += 100;
    const burst = sender.ack(at(30));
    const { cwnd, ssthresh } = sender.socket.info();
    expect(cwnd).toBeLessThanOrEqual(ssthresh + MSS);
    expect(burst.length).toBeLessThanOrEqual(3);
  });

  test('RFC 9937 §6.2 holds for a peer without SACK, whose duplicate ACKs count as a segment each', () => {
    const sender = loaded({ sack: false });
    let sent = 0;
    for (let i = 0; i < 19; i++) sent += sender.ack(at(10)).length;
    const { ssthresh, fastRetransmits } = sender.socket.info();
    expect(fastRetransmits).toBe(1);
    // Two by limited transmit before.
    expect(Math.abs(sent - 2 - Math.floor((17 * ssthresh) / at(22)))).toBeLessThanOrEqual(2);
  });
});

describe('what else recovery has to withstand', () => {
  test('RFC 6582 §3.2 step 1 duplicate ACKs of what was sent before a timeout start no fast retransmit', () => {
    const sender = loaded({ sack: false });
    while (sender.socket.info().timeouts === 0) sender.pass(100_000);
    sender.ack(at(30));
    sender.host.now += 100;
    for (let i = 0; i < 5; i++) sender.ack(at(30));
    expect(sender.socket.info().fastRetransmits).toBe(0);
  });

  test('RFC 6582 §4 after a timeout duplicate ACKs start no fast retransmit until all that was out then is acknowledged', () => {
    const sender = loaded({ sack: false });
    while (sender.socket.info().timeouts === 0) sender.pass(100_000);
    const duplicates = (acked: number): number => {
      for (let i = 0; i < 4; i++) sender.ack(acked);
      return sender.socket.info().fastRetransmits;
    };
    // The copies of what had arrived are answered like that.
    sender.ack(at(15));
    expect(duplicates(at(15))).toBe(0);
    // All of it is acknowledged; what is in flight now was sent after.
    sender.ack(at(30));
    expect(duplicates(at(30))).toBe(0);
    sender.ack(at(31));
    expect(duplicates(at(31))).toBe(1);
  });

  test('RFC 6675 §5 SACK blocks of an ACK that later ones have overtaken count', () => {
    const sender = loaded();
    expect(sender.ack(at(10), block(11, 14))).toContainEqual([at(10), MSS]);
    sender.host.now += 100;
    sender.ack(at(16), block(17, 18));
    const { spuriousRecoveries } = sender.socket.info();
    // Sent before the last one, and known to have arrived from now on: it makes room as any delivery does, and is not sent again.
    expect(sender.ack(at(14), block(18, 24)).length).toBeGreaterThan(0);
    const again = sender.ack(at(17), block(18, 24));
    for (let i = 0; i < 5; i++) again.push(...sender.pass(1000));
    expect(again.filter(([seq = 0]) => seq >= at(18) && seq < at(24))).toEqual([]);
    expect(sender.socket.info().spuriousRecoveries).toBe(spuriousRecoveries);
  });

  test('RFC 6675 §5.1 a timeout ends recovery, and no SACK starts it anew until all that was out then is acknowledged', () => {
    const sender = loaded();
    expect(sender.ack(at(10), block(11, 14))).toContainEqual([at(10), MSS]);
    const again: number[][] = [];
    while (sender.socket.info().timeouts === 0) again.push(...sender.pass(100_000));
    expect(again).toContainEqual([at(10), MSS]);
    // The reports are used: what they name is not sent again. They start nothing.
    for (let segment = 15; segment < 20; segment++) again.push(...sender.ack(at(10), block(11, segment)));
    expect(again.map(([seq = 0]) => seq).filter((seq) => seq > at(10) && seq < at(14))).toEqual([]);
    expect(sender.socket.info().fastRetransmits).toBe(1);
    // All of it is acknowledged: what is missing of the new data starts recovery again.
    sender.host.now += 100;
    const { flightSize } = sender.socket.info();
    const next = 10 + flightSize / MSS;
    expect(sender.ack(at(next)).length).toBeGreaterThan(4);
    sender.host.now += 100;
    sender.ack(at(next), block(next + 1, next + 4));
    expect(sender.socket.info().fastRetransmits).toBe(2);
  });

  test('RFC 2018 §8 SACKed text is kept until it is acknowledged, and sent again to a peer that has dropped it', () => {
    const sender = loaded();
    sender.ack(at(10), block(11, 30));
    const seen = new Set<number>();
    for (let i = 0; i < 40; i++) {
      for (const [seq] of sender.pass(1000)) seen.add(seq as number);
      for (const [seq] of sender.ack(at(11) + (seen.has(at(11)) ? MSS : 0))) seen.add(seq as number);
      if (seen.has(at(11))) break;
    }
    expect(seen).toContain(at(11));
  });

  test('RFC 5681 §3.1 a second timeout of the same segment keeps the threshold', () => {
    const sender = loaded();
    while (sender.socket.info().timeouts < 1) sender.pass(100_000);
    const { ssthresh } = sender.socket.info();
    while (sender.socket.info().timeouts < 3) sender.pass(100_000);
    expect(sender.socket.info().ssthresh).toBe(ssthresh);
  });

  test('forged SACK blocks, many and tiny, cost bounded memory and lose nothing', () => {
    const sender = loaded();
    for (let i = 0; i < 20_000; i++) {
      const seq = at(10) + 1 + ((i * 7919) % (20 * MSS - 3));
      sender.ack(at(10), [seq, seq + 1]);
    }
    sender.host.now += 100;
    let acked = at(10);
    for (let i = 0; i < 5000 && sender.socket.unsentBytes > 0; i++) {
      for (const [seq = 0, length = 0] of [...sender.ack(acked), ...sender.pass(500)]) {
        if (seq <= acked && seq + length > acked) acked = seq + length;
      }
    }
    expect(sender.socket.unsentBytes).toBe(0);
  }, 30_000);
});
