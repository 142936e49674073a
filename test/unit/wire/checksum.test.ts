import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { putI32, putU16, u16 } from '../../../src/base/index.ts';
import {
  checksum,
  fold,
  isChecksumRight,
  pseudoHeaderSumV4,
  pseudoHeaderSumV6,
  sumBytes,
  sumBytesAt,
  sumWord,
  updateChecksum,
  updateChecksum32,
} from '../../../src/wire/index.ts';

/** RFC 1071 §1 by the letter: 16 bits at a time, carries added at once. */
function reference(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
    sum = (sum & 0xffff) + (sum >>> 16);
  }
  return ~sum & 0xffff;
}

/** Random bytes, biased to the extremes where carries are. */
const someBytes = (maxLength: number) =>
  fc.oneof(
    fc.uint8Array({ maxLength }),
    fc.array(fc.constantFrom(0, 0xff, 0x80), { maxLength }).map((bytes) => Uint8Array.from(bytes)),
  );

describe('RFC 1071 the internet checksum', () => {
  test("the RFC's own example 00 01 f2 03 f4 f5 f6 f7 sums to ddf2 (§3)", () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    expect(fold(sumBytes(bytes, 0, 8))).toBe(0xddf2);
    expect(checksum(bytes, 0, 8)).toBe(0x220d);
  });

  test('no bytes have sum 0 and checksum ffff', () => {
    expect(checksum(new Uint8Array(0), 0, 0)).toBe(0xffff);
  });

  test.each([1, 2, 3, 19, 20, 63, 64, 65, 66, 67, 68, 1459, 1460, 65_535])(
    '%i bytes of ff sum to what the reference sums, at every alignment',
    (length) => {
      const bytes = new Uint8Array(length + 9).fill(0xff);
      for (let at = 0; at < 8; at++) {
        expect(checksum(bytes, at, length)).toBe(reference(bytes.subarray(at, at + length)));
      }
    },
  );

  test('any range of any array gives what the reference gives', () => {
    fc.assert(
      fc.property(someBytes(400), fc.nat(40), fc.nat(40), (bytes, before, after) => {
        const whole = new Uint8Array(before + bytes.length + after).fill(0xa5);
        whole.set(bytes, before);
        expect(checksum(whole, before, bytes.length)).toBe(reference(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test('a view that starts at an odd place of its buffer is summed right', () => {
    fc.assert(
      fc.property(someBytes(300), fc.nat(7), fc.nat(7), (bytes, offset, at) => {
        const buffer = new ArrayBuffer(offset + at + bytes.length + 3);
        const view = new Uint8Array(buffer, offset);
        view.set(bytes, at);
        expect(checksum(view, at, bytes.length)).toBe(reference(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('bytes changed after a sum are seen by the next sum of the same array', () => {
    const bytes = new Uint8Array(1460).fill(1);
    const before = checksum(bytes, 0, bytes.length);
    bytes[700] = 2;
    expect(checksum(bytes, 0, bytes.length)).not.toBe(before);
    expect(checksum(bytes, 0, bytes.length)).toBe(reference(bytes));
  });

  test('two arrays of one buffer, and arrays in turn, are not taken for each other', () => {
    const buffer = new ArrayBuffer(4096);
    const arrays = [new Uint8Array(buffer), new Uint8Array(buffer, 1, 2000), new Uint8Array(2048).fill(9)];
    new Uint8Array(buffer).forEach((_, i, all) => {
      all[i] = i * 7;
    });
    for (let round = 0; round < 3; round++) {
      for (const bytes of arrays) {
        expect(checksum(bytes, 3, 1500)).toBe(reference(bytes.subarray(3, 1503)));
      }
    }
  });

  test('a shared buffer is summed as any other', () => {
    const bytes = new Uint8Array(new SharedArrayBuffer(512)).fill(0x5a);
    expect(checksum(bytes, 1, 300)).toBe(reference(bytes.slice(1, 301)));
  });

  test('the sum of two parts is the sum of the whole, wherever it is split (a ring that wraps)', () => {
    fc.assert(
      fc.property(someBytes(500), fc.nat(500), fc.nat(3), (bytes, where, shift) => {
        const split = Math.min(where, bytes.length);
        const second = new Uint8Array(bytes.length + shift);
        second.set(bytes.subarray(split), shift);
        const first = sumBytes(bytes, 0, split, 0x1234);
        const both = sumBytesAt(split, second, shift, bytes.length - split, first);
        expect(fold(both)).toBe(fold(sumBytes(bytes, 0, bytes.length, 0x1234)));
      }),
      { numRuns: 1000 },
    );
  });

  test('a range that contains its checksum verifies, and does not after any one bit is turned', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 200 }), fc.nat(), (bytes, bit) => {
        putU16(bytes, 2, 0);
        putU16(bytes, 2, checksum(bytes, 0, bytes.length));
        expect(isChecksumRight(bytes, 0, bytes.length)).toBe(true);
        const at = (bit >> 3) % bytes.length;
        bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
        expect(isChecksumRight(bytes, 0, bytes.length)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('fold brings a sum of many carries to 16 bits', () => {
    expect(fold(0x1_ffff)).toBe(1);
    expect(fold(0xffff_ffff)).toBe(0xffff);
    expect(fold(0)).toBe(0);
  });
});

describe('RFC 1624 incremental update', () => {
  test("the RFC's own example: dd2f, field 5555 becomes 3285, gives 0000 (§4)", () => {
    expect(updateChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });

  test('a changed 16-bit field gives the checksum that summing anew gives', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 60 }),
        fc.nat(6),
        fc.nat(0xffff),
        (bytes, word, after) => {
          const at = 4 + 2 * word;
          // A header is never all zero: with both representations of zero the results may differ in form only.
          bytes[0] = 0x45;
          putU16(bytes, 2, 0);
          const before = checksum(bytes, 0, bytes.length);
          const updated = updateChecksum(before, u16(bytes, at), after);
          putU16(bytes, at, after);
          expect(updated).toBe(checksum(bytes, 0, bytes.length));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a changed 32-bit field gives the checksum that summing anew gives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.integer(), (bytes, after) => {
        bytes[0] = 0x45;
        const before = checksum(bytes, 0, 20);
        const word = (u16(bytes, 12) << 16) | u16(bytes, 14);
        const updated = updateChecksum32(before, word, after);
        putI32(bytes, 12, after);
        expect(updated).toBe(checksum(bytes, 0, 20));
      }),
      { numRuns: 500 },
    );
  });
});

describe('pseudo-headers', () => {
  test('RFC 9293 §3.1 over IPv4: the sum of both addresses, the protocol and the length', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.nat(255), fc.nat(65_535), (src, dst, protocol, length) => {
        const header = new Uint8Array(12);
        putI32(header, 0, src);
        putI32(header, 4, dst);
        header[9] = protocol;
        putU16(header, 10, length);
        expect(fold(pseudoHeaderSumV4(src, dst, protocol, length))).toBe(fold(sumBytes(header, 0, 12)));
      }),
    );
  });

  test('RFC 8200 §8.1 over IPv6: addresses, a 32-bit length and the next header', () => {
    const words = fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer());
    fc.assert(
      fc.property(words, words, fc.nat(255), fc.nat(0xf_ffff), (src, dst, protocol, length) => {
        const header = new Uint8Array(40);
        [...src, ...dst, length, protocol].forEach((word, i) => {
          putI32(header, 4 * i, word);
        });
        expect(fold(pseudoHeaderSumV6(...src, ...dst, protocol, length))).toBe(fold(sumBytes(header, 0, 40)));
      }),
    );
  });

  test('a length added later is the same as a length given at once', () => {
    expect(pseudoHeaderSumV4(0x0a000001, 0x0a000002, 6, 0) + 1480).toBe(
      pseudoHeaderSumV4(0x0a000001, 0x0a000002, 6, 1480),
    );
  });

  test('an address from 128.0.0.0 on, negative as a word, sums as its two halves', () => {
    expect(sumWord(0xc0a80001 | 0)).toBe(0xc0a8 + 1);
  });
});
