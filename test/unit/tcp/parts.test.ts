/** The pieces of TCP that stand on their own: ranges, sequence numbers, round-trip times, congestion control. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IpAddress } from '../../../src/base/index.ts';
import { AckSample } from '../../../src/stack/tcp/congestion/ack-sample.ts';
import { initialWindow } from '../../../src/stack/tcp/congestion/control.ts';
import { NewReno } from '../../../src/stack/tcp/congestion/newreno.ts';
import { hashTuple, initialSequence, sipHash, tupleHash } from '../../../src/stack/tcp/isn.ts';
import { windowShiftFor } from '../../../src/stack/tcp/options.ts';
import { SequenceRanges } from '../../../src/stack/tcp/ranges.ts';
import { INITIAL_RTO, RttEstimator } from '../../../src/stack/tcp/rtt.ts';

/** The ranges as pairs relative to `base`. */
function list(ranges: SequenceRanges, base = 0): number[][] {
  return Array.from({ length: ranges.count }, (_, i) => [
    (ranges.startOf(i) - base) | 0,
    (ranges.endOf(i) - base) | 0,
  ]);
}

describe('SequenceRanges', () => {
  test('ranges that touch or overlap become one', () => {
    const ranges = new SequenceRanges(8);
    expect(ranges.add(10, 20)).toBe(10);
    expect(ranges.add(30, 40)).toBe(10);
    expect(ranges.add(20, 30)).toBe(10);
    expect(ranges.add(5, 45)).toBe(10);
    expect(list(ranges)).toEqual([[5, 45]]);
    expect(ranges.bytes).toBe(40);
  });

  test('a range too many changes nothing, one that joins others is still taken', () => {
    const ranges = new SequenceRanges(2);
    ranges.add(0, 1);
    ranges.add(4, 5);
    expect(ranges.add(8, 9)).toBe(-1);
    expect(ranges.add(1, 4)).toBe(3);
    expect(list(ranges)).toEqual([[0, 5]]);
  });

  test('answers as a set of bytes would, across the wrap of sequence numbers', () => {
    const step = fc.record({
      start: fc.integer({ min: 0, max: 60 }),
      length: fc.integer({ min: 1, max: 12 }),
      isDrop: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const base = 0x7fffffe0;
        const ranges = new SequenceRanges(64);
        const model = new Set<number>();
        for (const { start, length, isDrop } of steps) {
          if (isDrop) {
            ranges.dropBelow((base + start) | 0);
            for (const byte of [...model]) if (byte < start) model.delete(byte);
          } else {
            const before = model.size;
            for (let i = 0; i < length; i++) model.add(start + i);
            expect(ranges.add((base + start) | 0, (base + start + length) | 0)).toBe(model.size - before);
          }
        }
        expect(ranges.bytes).toBe(model.size);
        for (let byte = 0; byte < 75; byte++) {
          expect(ranges.has((base + byte) | 0)).toBe(model.has(byte));
        }
        const inMiddle = [...model].filter((byte) => byte >= 20 && byte < 40).length;
        expect(ranges.bytesWithin((base + 20) | 0, (base + 40) | 0)).toBe(inMiddle);
        const edges = list(ranges, base).flat();
        expect(edges).toEqual([...edges].sort((a, b) => a - b));
        expect(new Set(edges).size).toBe(edges.length);
      }),
    );
  });
});

describe('RFC 6528 initial sequence numbers', () => {
  const key = Uint8Array.from({ length: 16 }, (_, i) => i);
  const local = IpAddress.v4(0x0a000002);
  const remote = IpAddress.v4(0x0a000001);

  test.each([
    [0, 0x726fdb47, 0xdd0e0e31],
    [1, 0x74f839c5, 0x93dc67fd],
    [7, 0xab0200f5, 0x8b01d137],
    [8, 0x93f5f579, 0x9a932462],
    [15, 0xa129ca61, 0x49be45e5],
  ])('SipHash-2-4 of %i bytes is the published vector', (length, high, low) => {
    const hash = sipHash(key, key.subarray(0, length));
    expect([hash.high >>> 0, hash.low >>> 0]).toEqual([high, low]);
  });

  test('the tuple is hashed as its 36 bytes', () => {
    const bytes = new Uint8Array(36);
    const view = new DataView(bytes.buffer);
    for (const [i, word] of [0, 0, 0xffff, local.w3, 0, 0, 0xffff, remote.w3].entries()) {
      view.setInt32(4 * i, word, true);
    }
    view.setInt32(32, (80 << 16) | 1025, true);
    const expected = sipHash(key, bytes);
    hashTuple(key, local, 80, remote, 1025);
    expect(tupleHash.sequence).toBe(expected.low);
    expect(tupleHash.timestamp).toBe(expected.high);
  });

  test('RFC 9293 MUST-8 the number of a tuple rises by 250 each ms', () => {
    hashTuple(key, local, 80, remote, 1025);
    expect((initialSequence(5001) - initialSequence(5000)) | 0).toBe(250);
  });

  test('RFC 9293 MUST-9 other ports and other secrets have unrelated numbers', () => {
    const numbers = new Set<number>();
    for (let port = 1; port <= 200; port++) {
      hashTuple(key, local, 80, remote, port);
      numbers.add(initialSequence(0));
      hashTuple(
        Uint8Array.from(key, (byte) => byte + 1),
        local,
        80,
        remote,
        port,
      );
      numbers.add(initialSequence(0));
    }
    expect(numbers.size).toBe(400);
  });
});

describe('RFC 6298 retransmission timeout', () => {
  test('2.1 it is 1 s before the first sample', () => {
    expect(new RttEstimator(200, 60_000).rto).toBe(INITIAL_RTO);
  });

  test('2.2 and 2.3 the first sample and those after it', () => {
    const rtt = new RttEstimator(0, 60_000);
    rtt.sample(100);
    expect([rtt.srtt, rtt.rttvar, rtt.rto]).toEqual([100, 50, 300]);
    rtt.sample(180);
    // rttvar = 3/4 · 50 + 1/4 · 80, srtt = 7/8 · 100 + 1/8 · 180
    expect([rtt.srtt, rtt.rttvar, rtt.rto]).toEqual([110, 57.5, 340]);
    expect(rtt.minRtt).toBe(100);
  });

  test('5.5 each expiry doubles it up to the bound, 5.7 a sample ends that', () => {
    const rtt = new RttEstimator(200, 60_000);
    rtt.sample(100);
    const first = rtt.rto;
    rtt.backoff = 3;
    expect(rtt.rto).toBe(8 * first);
    rtt.backoff = 20;
    expect(rtt.rto).toBe(60_000);
    rtt.sample(100);
    expect(rtt.rto).toBeLessThanOrEqual(first);
  });

  test('5.7 after a lost SYN without a sample it is 3 s', () => {
    const rtt = new RttEstimator(200, 60_000);
    rtt.backoff = 2;
    rtt.restartAfterSynLoss();
    expect(rtt.rto).toBe(3000);
  });
});

describe('RFC 5681 congestion control', () => {
  function acknowledge(control: NewReno, acked: number, isCwndLimited: boolean): void {
    control.onAck(Object.assign(new AckSample(), { acked, delivered: acked, isCwndLimited }));
  }

  /** A control whose handshake is complete. */
  function started(isSynLost = false): NewReno {
    const control = new NewReno();
    control.start(1000, isSynLost);
    return control;
  }

  test.each([
    [536, 5360],
    [1460, 14_600],
    [2190, 14_600],
    [8960, 17_920],
  ])('RFC 6928 the initial window for an MSS of %i is %i', (mss, window) => {
    expect(initialWindow(mss)).toBe(window);
  });

  test('3.1 a lost SYN leaves one segment', () => {
    expect(started(true).cwnd).toBe(1000);
  });

  test('slow start grows by what is acknowledged, congestion avoidance by a segment each window', () => {
    const control = started();
    acknowledge(control, 10_000, true);
    expect(control.cwnd).toBe(20_000);
    control.onCongestion('loss', 20_000);
    expect([control.ssthresh, control.cwnd]).toEqual([10_000, 10_000]);
    acknowledge(control, 9999, true);
    expect(control.cwnd).toBe(10_000);
    acknowledge(control, 1, true);
    expect(control.cwnd).toBe(11_000);
  });

  test('RFC 7661 a window that is not used does not grow', () => {
    const control = started();
    acknowledge(control, 10_000, false);
    expect(control.cwnd).toBe(10_000);
  });

  test('equation (4): half of what is in flight, at least two segments', () => {
    const control = started();
    control.onCongestion('loss', 1500);
    expect(control.ssthresh).toBe(2000);
  });

  test('a timeout leaves one segment; a second of the same segment keeps the threshold', () => {
    const control = started();
    control.onTimeout(20_000, true);
    expect([control.cwnd, control.ssthresh]).toEqual([1000, 10_000]);
    control.onTimeout(1000, false);
    expect([control.cwnd, control.ssthresh]).toEqual([1000, 10_000]);
  });

  test('RFC 6582 at the end of recovery there is no burst when little is in flight', () => {
    const control = started();
    control.onCongestion('loss', 40_000);
    control.onRecovered(3000);
    expect(control.cwnd).toBe(4000);
    control.onRecovered(100_000);
    expect(control.cwnd).toBe(20_000);
  });

  test('4.1 after an idle time it starts again with the initial window', () => {
    const control = started();
    acknowledge(control, 90_000, true);
    control.onRestart();
    expect(control.cwnd).toBe(10_000);
  });
});

describe('RFC 7323 §2.3 window shift', () => {
  test.each([
    [1000, 8],
    [8 << 20, 8],
    [17 << 20, 9],
    [1 << 30, 14],
    [2 ** 31, 14],
  ])('a buffer of %i bytes is offered with shift %i', (size, shift) => {
    expect(windowShiftFor(size)).toBe(shift);
  });
});
