import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RangeViews } from '../../../src/base/index.ts';

describe('RangeViews', () => {
  const sources = [1, 2, 3].map((salt) => Uint8Array.from({ length: 4096 }, (_, i) => i * salt + (i >> 8)));

  test('whatever was asked before, a view shows the range that is asked for', () => {
    const asked = fc.record({ source: fc.nat(2), start: fc.nat(2000), length: fc.nat(2000) });
    fc.assert(
      fc.property(fc.array(asked, { maxLength: 600 }), (steps) => {
        const views = new RangeViews();
        for (const { source, start, length } of steps) {
          const bytes = sources[source] as Uint8Array;
          const view = views.of(bytes, start, length);
          expect(view.buffer).toBe(bytes.buffer);
          expect([view.byteOffset, view.length]).toEqual([start, length]);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('the ranges of the last two batches are not made anew', () => {
    const views = new RangeViews();
    const batch = (): Uint8Array[] =>
      sources
        .slice(1)
        .flatMap((bytes) => Array.from({ length: 64 }, (_, i) => views.of(bytes, 52 + 60 * i, 40)));
    batch();
    const [first, second] = [batch(), batch()];
    expect(second.filter((view, i) => view === first[i]).length).toBeGreaterThan(96);
  });
});
