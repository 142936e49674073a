import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  assert,
  clearTransmitBatch,
  copy,
  createFrameBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  flattenFrame,
  fromHex,
  InvariantError,
  i32,
  i32le,
  putI32,
  putI32le,
  putU16,
  putU16le,
  randomBelow,
  randomFraction,
  SeededRandom,
  seqAdd,
  seqDiff,
  seqGeq,
  seqGt,
  seqLeq,
  seqLt,
  seqMax,
  seqMin,
  TX_COLUMNS,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_HEADER_ROOM,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
  toHex,
  transmitLength,
  u8,
  u16,
  u16le,
} from '../../../src/base/index.ts';

describe('numbers in bytes', () => {
  test('readers and writers of both byte orders agree with DataView', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        fc.nat(8),
        fc.integer(),
        (bytes, at, value) => {
          const view = new DataView(bytes.buffer, bytes.byteOffset);
          expect(u8(bytes, at)).toBe(view.getUint8(at));
          expect(u16(bytes, at)).toBe(view.getUint16(at));
          expect(u16le(bytes, at)).toBe(view.getUint16(at, true));
          expect(i32(bytes, at)).toBe(view.getInt32(at));
          expect(i32le(bytes, at)).toBe(view.getInt32(at, true));
          putU16(bytes, at, value);
          expect(view.getUint16(at)).toBe(value & 0xffff);
          putU16le(bytes, at, value);
          expect(view.getUint16(at, true)).toBe(value & 0xffff);
          putI32(bytes, at, value);
          expect(view.getInt32(at)).toBe(value);
          putI32le(bytes, at, value);
          expect(view.getInt32(at, true)).toBe(value);
        },
      ),
    );
  });

  test('a writer touches its own bytes only', () => {
    for (const [write, length] of [
      [putU16, 2],
      [putU16le, 2],
      [putI32, 4],
      [putI32le, 4],
    ] as const) {
      const bytes = new Uint8Array(8).fill(0xaa);
      write(bytes, 2, -1);
      expect(bytes).toEqual(Uint8Array.from(bytes, (_, i) => (i >= 2 && i < 2 + length ? 0xff : 0xaa)));
    }
  });

  test('an unsigned value is written as the integer with the same bits', () => {
    const bytes = new Uint8Array(4);
    putI32(bytes, 0, 0xfffffffe);
    expect([toHex(bytes), i32(bytes, 0)]).toEqual(['fffffffe', -2]);
  });

  test('a read past the end is 0, and stays an integer', () => {
    const bytes = Uint8Array.of(0xff);
    expect([u8(bytes, 1), u16(bytes, 1), i32(bytes, 1), u16le(bytes, 5), i32le(bytes, 9)]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect(u16(bytes, 0)).toBe(0xff00);
  });

  test('copy moves a range between arrays', () => {
    const into = new Uint8Array(6);
    copy(Uint8Array.of(1, 2, 3, 4), 1, into, 2, 3);
    expect(into).toEqual(Uint8Array.of(0, 0, 2, 3, 4, 0));
  });
});

describe('hex', () => {
  test('bytes are written and read back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => expect(fromHex(toHex(bytes))).toEqual(bytes)),
    );
  });

  test('white space and comments between digits are skipped', () => {
    expect(fromHex('4 5 00\n  # a header 99\n\tAB # end\n')).toEqual(Uint8Array.of(0x45, 0, 0xab));
    expect(fromHex('')).toEqual(new Uint8Array(0));
  });

  test.each(['4', '4g', '0x45', '45 6'])('%p is refused', (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });
});

describe('RFC 9293 §3.4 sequence numbers', () => {
  const seq = fc.integer();
  const distance = fc.integer({ min: 1, max: 0x7fffffff });

  test('a number is less than what comes up to 2³¹ − 1 after it, across the wrap', () => {
    fc.assert(
      fc.property(seq, distance, (a, n) => {
        const b = seqAdd(a, n);
        expect([seqLt(a, b), seqLeq(a, b), seqGt(a, b), seqGeq(a, b)]).toEqual([true, true, false, false]);
        expect([seqLt(b, a), seqLeq(b, a), seqGt(b, a), seqGeq(b, a)]).toEqual([false, false, true, true]);
        expect([seqDiff(b, a), seqDiff(a, b)]).toEqual([n, -n]);
        expect([seqMax(a, b), seqMin(a, b), seqMax(b, a), seqMin(b, a)]).toEqual([b, a, b, a]);
      }),
    );
  });

  test('a number is equal to itself', () => {
    fc.assert(
      fc.property(seq, (a) => {
        expect([seqLt(a, a), seqLeq(a, a), seqGt(a, a), seqGeq(a, a), seqDiff(a, a)]).toEqual([
          false,
          true,
          false,
          true,
          0,
        ]);
      }),
    );
  });

  test('adding wraps and stays a 32-bit integer', () => {
    expect(seqAdd(0x7fffffff, 1)).toBe(-0x80000000);
    expect(seqAdd(-1, 1)).toBe(0);
    expect(seqAdd(0, -1)).toBe(-1);
  });
});

describe('batches', () => {
  test('an inbound batch is empty and has a row a frame', () => {
    const batch = createFrameBatch(3, 100);
    expect([batch.count, batch.bytes.length, batch.table.length]).toEqual([0, 100, 3 * FRAME_COLUMNS]);
    expect(batch.owners).toEqual([null, null, null]);
  });

  test('an outbound batch has room for the largest headers of every frame', () => {
    const batch = createTransmitBatch(5);
    expect([batch.count, batch.headerEnd, batch.capacity]).toEqual([0, 0, 5]);
    expect(batch.headers.length).toBe(5 * TX_HEADER_ROOM);
  });

  test('a frame is its header, then both payload ranges, in one piece', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 30 }),
        fc.uint8Array({ maxLength: 30 }),
        fc.uint8Array({ maxLength: 30 }),
        (header, first, second) => {
          const batch = createTransmitBatch(2);
          const row = TX_COLUMNS;
          batch.headers.set(header, 8);
          batch.payloads[1] = Uint8Array.from([...second, 99, ...first]);
          batch.table.set([8, header.length, second.length + 1, first.length, 0, second.length], row);
          expect([
            TX_HEADER_OFFSET,
            TX_HEADER_LENGTH,
            TX_PAYLOAD1_OFFSET,
            TX_PAYLOAD1_LENGTH,
            TX_PAYLOAD2_OFFSET,
            TX_PAYLOAD2_LENGTH,
          ]).toEqual([0, 1, 2, 3, 4, 5]);
          const whole = Uint8Array.from([...header, ...first, ...second]);
          expect(transmitLength(batch, 1)).toBe(whole.length);
          const into = new Uint8Array(100).fill(7);
          const end = flattenFrame(batch, 1, into, 5);
          expect(end).toBe(5 + whole.length);
          expect(into.slice(5, end)).toEqual(whole);
          expect([into[4], into[end]]).toEqual([7, 7]);
        },
      ),
    );
  });

  test('a cleared batch starts anew', () => {
    const batch = createTransmitBatch(2);
    batch.count = 2;
    batch.headerEnd = 40;
    clearTransmitBatch(batch);
    expect([batch.count, batch.headerEnd]).toEqual([0, 0]);
  });
});

describe('SeededRandom', () => {
  const take = (seed: number, count: number): number[] => {
    const random = new SeededRandom(seed);
    return Array.from({ length: count }, () => random.next());
  };

  test('a seed gives the same numbers every time, and another seed others', () => {
    expect(take(1, 50)).toEqual(take(1, 50));
    expect(take(1, 50)).not.toEqual(take(2, 50));
  });

  test('numbers are 32-bit integers that never repeat in short runs, whatever the seed', () => {
    for (const seed of [0, 1, -1, 0x7fffffff, 0x9e3779b9 | 0, -0x80000000]) {
      const numbers = take(seed, 2000);
      expect(numbers.every((value) => value === (value | 0))).toBe(true);
      expect(new Set(numbers).size).toBeGreaterThan(1995);
    }
  });

  test('each of the 32 bits is one half of the time', () => {
    const numbers = take(42, 20_000);
    for (let bit = 0; bit < 32; bit++) {
      const ones = numbers.filter((value) => (value & (1 << bit)) !== 0).length;
      // Four standard deviations of a fair coin.
      expect(Math.abs(ones - 10_000)).toBeLessThan(4 * Math.sqrt(5000));
    }
  });

  test('neighbouring seeds are not alike', () => {
    const firsts = Array.from({ length: 1000 }, (_, seed) => take(seed, 1)[0] as number);
    expect(new Set(firsts).size).toBe(1000);
    const high = firsts.filter((value) => value < 0).length;
    expect(Math.abs(high - 500)).toBeLessThan(4 * Math.sqrt(250));
  });

  test('fractions lie in [0, 1) and integers below their bound, each as often', () => {
    const random = new SeededRandom(7);
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 6000; i++) {
      const fraction = randomFraction(random);
      expect(fraction >= 0 && fraction < 1).toBe(true);
      const face = randomBelow(random, 6);
      counts[face] = (counts[face] ?? Number.NaN) + 1;
    }
    for (const count of counts)
      expect(Math.abs(count - 1000)).toBeLessThan(4 * Math.sqrt(6000 * (1 / 6) * (5 / 6)));
  });

  test('the ends of the range of a source are kept inside the bounds', () => {
    expect(randomFraction({ next: () => -1 })).toBeLessThan(1);
    expect(randomFraction({ next: () => 0 })).toBe(0);
    expect(randomBelow({ next: () => -1 }, 2 ** 31)).toBe(2 ** 31 - 1);
    expect(randomBelow({ next: () => -1 }, 1)).toBe(0);
  });
});

describe('assert', () => {
  test('passes what holds and throws an InvariantError for what does not', () => {
    expect(() => assert(true, 'fine')).not.toThrow();
    expect(() => assert(false, 'sndUna past sndNxt')).toThrow(InvariantError);
    expect(() => assert(false, 'sndUna past sndNxt')).toThrow('sndUna past sndNxt');
  });
});
