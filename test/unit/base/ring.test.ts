import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type BufferAllocator, PoolAllocator, Ring } from '../../../src/base/index.ts';

/** Bytes numbered from `first`, so that a byte in the wrong place shows. */
const numbered = (first: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (first + i) * 31 + ((first + i) >> 8));

/** All that a ring holds. */
function contents(ring: Ring): Uint8Array {
  const bytes = new Uint8Array(ring.used);
  expect(ring.peek(0, bytes, 0, ring.used)).toBe(ring.used);
  return bytes;
}

/** Memory of `size` bytes once, and nothing afterwards. */
class OnePiece implements BufferAllocator {
  inUse = 0;
  readonly #size: number;
  constructor(size: number) {
    this.#size = size;
  }
  take(bytes: number): Uint8Array | null {
    if (this.inUse > 0 || bytes > this.#size) return null;
    this.inUse = this.#size;
    return new Uint8Array(this.#size);
  }
  give(): void {
    this.inUse = 0;
  }
}

describe('PoolAllocator', () => {
  test.each([
    [0, 2048],
    [1, 2048],
    [2048, 2048],
    [2049, 4096],
    [65_536, 65_536],
    [65_537, 131_072],
    [1_000_000, 1_048_576],
  ])('asked for %i bytes it gives %i: the next power of two', (bytes, size) => {
    const pool = new PoolAllocator();
    expect(pool.take(bytes)).toHaveLength(size);
    expect(pool.inUse).toBe(size);
  });

  test('what is given back is given out again, the same memory', () => {
    const pool = new PoolAllocator();
    const first = pool.take(5000) as Uint8Array;
    pool.give(first);
    expect(pool.inUse).toBe(0);
    expect(pool.take(8192)).toBe(first);
    expect(pool.take(8192)).not.toBe(first);
  });

  test('past the bound it gives null, and gives again after something came back', () => {
    const pool = new PoolAllocator(10_000);
    const first = pool.take(4096) as Uint8Array;
    expect(pool.take(4096)).not.toBeNull();
    expect(pool.take(2048)).toBeNull();
    expect(pool.inUse).toBe(8192);
    pool.give(first);
    expect(pool.take(2048)).not.toBeNull();
  });

  test('no more than the idle bound is kept', () => {
    const pool = new PoolAllocator(1 << 20, 4096);
    const pieces = [pool.take(4096), pool.take(4096)] as Uint8Array[];
    for (const piece of pieces) pool.give(piece);
    const again = [pool.take(4096), pool.take(4096)];
    expect(pieces.filter((piece) => again.includes(piece))).toHaveLength(1);
    expect(pool.inUse).toBe(8192);
  });

  test('memory given out again makes room in the idle bound', () => {
    const pool = new PoolAllocator(1 << 20, 4096);
    const piece = pool.take(4096) as Uint8Array;
    for (let round = 0; round < 5; round++) {
      pool.give(piece);
      expect(pool.take(4096)).toBe(piece);
    }
  });

  test('what is in use adds up over any takes and gives', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(100_000), fc.constant('give' as const)), { maxLength: 60 }),
        (steps) => {
          const pool = new PoolAllocator(1 << 19, 1 << 16);
          const held: Uint8Array[] = [];
          for (const step of steps) {
            if (step === 'give') {
              const piece = held.pop();
              if (piece !== undefined) pool.give(piece);
            } else {
              const piece = pool.take(step);
              if (piece !== null) held.push(piece);
            }
            expect(pool.inUse).toBe(held.reduce((sum, { length }) => sum + length, 0));
            expect(pool.inUse).toBeLessThanOrEqual(1 << 19);
            expect(new Set(held).size).toBe(held.length);
          }
        },
      ),
    );
  });
});

describe('Ring', () => {
  test('an empty ring has no memory, takes some at the first byte and gives it back with the last', () => {
    const pool = new PoolAllocator();
    const ring = new Ring(pool, 65_536);
    expect([pool.inUse, ring.used, ring.free]).toEqual([0, 0, 65_536]);
    expect(ring.write(numbered(0, 1), 0, 1)).toBe(1);
    expect(pool.inUse).toBe(4096);
    ring.discard(1);
    expect([pool.inUse, ring.used]).toEqual([0, 0]);
  });

  test('it doubles as it fills, up to its limit', () => {
    const pool = new PoolAllocator();
    const ring = new Ring(pool, 20_000);
    const sizes: number[] = [];
    for (let i = 0; i < 20; i++) {
      ring.write(numbered(1000 * i, 1000), 0, 1000);
      sizes.push(pool.inUse);
    }
    expect(new Set(sizes)).toEqual(new Set([4096, 8192, 16_384, 32_768]));
    expect(ring.write(numbered(0, 5), 0, 5)).toBe(0);
    expect(contents(ring)).toEqual(numbered(0, 20_000));
  });

  test('a write that does not fit takes what fits', () => {
    const ring = new Ring(new PoolAllocator(), 100);
    expect(ring.write(numbered(0, 150), 20, 130)).toBe(100);
    expect(contents(ring)).toEqual(numbered(20, 100));
  });

  test('a lowered limit drops nothing and leaves no room', () => {
    const ring = new Ring(new PoolAllocator(), 100);
    ring.write(numbered(0, 80), 0, 80);
    ring.limit = 50;
    expect([ring.free, ring.write(numbered(0, 1), 0, 1), ring.used]).toEqual([0, 0, 80]);
    ring.discard(60);
    expect(ring.free).toBe(30);
  });

  test('bytes that came early are readable after commit, and survive growth and wrap', () => {
    const ring = new Ring(new PoolAllocator(), 1 << 20);
    ring.write(numbered(0, 4000), 0, 4000);
    ring.discard(3900);
    // Positions 200 … 299 wrap around the end of the 4096 bytes; the next ones make it grow.
    expect(ring.writeAt(200, numbered(4100, 100), 0, 100)).toBe(100);
    expect(ring.writeAt(8000, numbered(11_900, 50), 0, 50)).toBe(50);
    expect(ring.used).toBe(100);
    ring.write(numbered(4000, 100), 0, 100);
    ring.commit(100);
    expect(contents(ring)).toEqual(numbered(3900, 300));
    ring.writeAt(300, numbered(4200, 7700), 0, 7700);
    ring.commit(7750);
    expect(contents(ring)).toEqual(numbered(3900, 8050));
  });

  test('memory that holds early bytes is kept when the last readable byte goes', () => {
    const pool = new PoolAllocator();
    const ring = new Ring(pool, 65_536);
    ring.write(numbered(0, 10), 0, 10);
    ring.writeAt(20, numbered(20, 10), 0, 10);
    ring.discard(10, 20);
    expect(pool.inUse).toBe(4096);
    ring.write(numbered(10, 10), 0, 10);
    ring.commit(10);
    expect(contents(ring)).toEqual(numbered(10, 20));
  });

  test('peek reads any part and removes nothing, and no more than there is', () => {
    const ring = new Ring(new PoolAllocator(), 65_536);
    ring.write(numbered(0, 100), 0, 100);
    const into = new Uint8Array(50);
    expect(ring.peek(90, into, 5, 50)).toBe(10);
    expect(into.slice(5, 15)).toEqual(numbered(90, 10));
    expect([ring.peek(100, into, 0, 10), ring.peek(200, into, 0, 10), ring.used]).toEqual([0, 0, 100]);
  });

  test('offsetOf is where a byte lies in memory', () => {
    const ring = new Ring(new PoolAllocator(), 4096);
    ring.write(numbered(0, 4096), 0, 4096);
    ring.discard(4000);
    ring.write(numbered(4096, 1000), 0, 1000);
    for (const position of [0, 95, 96, 97, 1095]) {
      expect(ring.memory[ring.offsetOf(position)]).toBe(numbered(4000 + position, 1)[0]);
    }
    expect(ring.offsetOf(96)).toBe(0);
  });

  test('when no larger memory is to be had, what fits into the one that is there is taken', () => {
    const ring = new Ring(new OnePiece(4096), 65_536);
    expect(ring.write(numbered(0, 1000), 0, 1000)).toBe(1000);
    expect(ring.write(numbered(1000, 9000), 0, 9000)).toBe(3096);
    expect(ring.write(numbered(4096, 1), 0, 1)).toBe(0);
    expect(contents(ring)).toEqual(numbered(0, 4096));
  });

  test('when no memory is to be had at all, nothing is taken and nothing breaks', () => {
    const ring = new Ring(new OnePiece(0), 65_536);
    expect([ring.write(numbered(0, 9), 0, 9), ring.writeAt(5, numbered(0, 9), 0, 9), ring.used]).toEqual([
      0, 0, 0,
    ]);
    ring.release();
    expect(ring.used).toBe(0);
  });

  test('release drops everything and gives the memory back', () => {
    const pool = new PoolAllocator();
    const ring = new Ring(pool, 65_536);
    ring.write(numbered(0, 5000), 0, 5000);
    ring.release();
    expect([pool.inUse, ring.used, ring.free]).toEqual([0, 0, 65_536]);
    expect(ring.write(numbered(7, 10), 0, 10)).toBe(10);
    expect(contents(ring)).toEqual(numbered(7, 10));
  });

  test('any writes, early writes, reads and discards give what a plain array of bytes gives', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), length: fc.nat(3000) }),
      fc.record({ kind: fc.constant('discard' as const), length: fc.nat(3000) }),
      fc.record({
        kind: fc.constant('early' as const),
        length: fc.integer({ min: 1, max: 2000 }),
        gap: fc.nat(3000),
      }),
    );
    const LIMIT = 10_000;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new PoolAllocator();
        const ring = new Ring(pool, LIMIT);
        // A stream of numbered bytes: `from` is the oldest one held, `to` the next in order; early bytes end at `reach`.
        let from = 0;
        let to = 0;
        let early: [number, number] | null = null;
        for (const { kind, length, ...rest } of steps) {
          if (kind === 'write') {
            const written = ring.write(numbered(to, length), 0, length);
            expect(written).toBe(Math.min(length, LIMIT - (to - from)));
            to += written;
            if (early !== null && early[0] <= to) {
              const more = Math.max(0, early[1] - to);
              ring.commit(more);
              to += more;
              early = null;
            }
          } else if (kind === 'discard') {
            const dropped = Math.min(length, to - from);
            ring.discard(dropped, early === null ? 0 : early[1] - to);
            from += dropped;
          } else if (early === null) {
            const at = to + 1 + ('gap' in rest ? rest.gap : 0);
            if (at + length - from > LIMIT) continue;
            expect(ring.writeAt(at - from, numbered(at, length), 0, length)).toBe(length);
            early = [at, at + length];
          }
          expect(ring.used).toBe(to - from);
          expect(contents(ring)).toEqual(numbered(from, to - from));
          if (ring.used === 0 && early === null) expect(pool.inUse).toBe(0);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('compacted, it holds the same, early bytes too, in the least memory', () => {
    fc.assert(
      fc.property(
        fc.record({
          skipped: fc.nat(60_000),
          used: fc.nat(30_000),
          gap: fc.nat(2000),
          early: fc.nat(2000),
        }),
        ({ skipped, used, gap, early }) => {
          const pool = new PoolAllocator();
          const ring = new Ring(pool, 1 << 20);
          ring.write(numbered(0, skipped), 0, skipped);
          ring.write(numbered(skipped, used), 0, used);
          const keep = early === 0 ? 0 : gap + early;
          if (early > 0) ring.writeAt(ring.used + gap, numbered(skipped + used + gap, early), 0, early);
          ring.discard(skipped, keep);
          ring.compact(keep);
          expect(contents(ring)).toEqual(numbered(skipped, used));
          expect(pool.inUse).toBeLessThan(used + keep === 0 ? 1 : Math.max(4 * (used + keep), 16_384));
          if (early === 0) return;
          ring.writeAt(used, numbered(skipped + used, gap), 0, gap);
          ring.commit(gap + early);
          expect(contents(ring)).toEqual(numbered(skipped, used + gap + early));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('emptied and filled again, it starts with what it needed before, if that is to be had', () => {
    const pool = new PoolAllocator();
    const ring = new Ring(pool, 1 << 20);
    const fill = (length: number): void => {
      for (let at = 0; at < length; at += 1000) ring.write(numbered(at, 1000), 0, 1000);
    };
    fill(50_000);
    ring.discard(50_000);
    ring.write(numbered(0, 1), 0, 1);
    expect(pool.inUse).toBe(65_536);
    ring.discard(1);
    ring.write(numbered(0, 1), 0, 1);
    expect(pool.inUse).toBe(4096);

    const small = new PoolAllocator(65_536);
    const other = new Ring(small, 1 << 20);
    other.write(numbered(0, 50_000), 0, 50_000);
    other.discard(50_000);
    small.take(32_768);
    expect(other.write(numbered(0, 1), 0, 1)).toBe(1);
    expect(small.inUse).toBe(32_768 + 4096);
  });

  test('when the whole is not to be had, it takes half, and half of that', () => {
    const pool = new PoolAllocator(20_000);
    const ring = new Ring(pool, 1 << 20);
    expect(ring.reserve(30_000)).toBe(false);
    expect(pool.inUse).toBe(0);
    expect(ring.write(numbered(0, 60_000), 0, 60_000)).toBe(16_384);
    expect(contents(ring)).toEqual(numbered(0, 16_384));
    expect(ring.reserveMost(100)).toBe(16_384);
  });
});
