/** The pieces of TCP that stand on their own: ranges, sequence numbers, round-trip times. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { IpAddress } from '../../../src/base/index.ts';
import { SequenceRanges } from '../../../src/stack/tcp/buffers/ranges.ts';
import { hashTuple, initialSequence, tupleHash } from '../../../src/stack/tcp/isn.ts';
import { INITIAL_RTO, RttEstimator } from '../../../src/stack/tcp/loss/rtt.ts';
import { windowShiftFor } from '../../../src/stack/tcp/options.ts';
import { sipHash } from '../../../src/stack/tcp/siphash.ts';

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

  test('RFC 9293 §3.4.3, MUST-9 other ports and other secrets have unrelated numbers', () => {
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
    for (let i = 0; i < 3; i++) rtt.backOff();
    expect(rtt.rto).toBe(8 * first);
    for (let i = 0; i < 17; i++) rtt.backOff();
    expect(rtt.rto).toBe(60_000);
    rtt.sample(100);
    expect(rtt.rto).toBeLessThanOrEqual(first);
  });

  test('5.7 after a lost SYN without a sample it is 3 s', () => {
    const rtt = new RttEstimator(200, 60_000);
    for (let i = 0; i < 2; i++) rtt.backOff();
    rtt.restartAfterSynLoss();
    expect(rtt.rto).toBe(3000);
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
