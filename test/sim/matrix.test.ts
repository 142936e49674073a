import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from '@jest/globals';
import { fairness, makeBottleneck } from './matrix/bottleneck.ts';
import { type Cell, SHARED, SINGLE } from './matrix/cells.ts';
import { lineOf, nameOf, pageOf } from './matrix/table.ts';

const TABLE = new URL('matrix/table.md', import.meta.url);
const isWriting = process.env['MATRIX'] === 'write';

describe('the matrix', () => {
  const lines = new Map<Cell, string>();
  const table = readFileSync(TABLE, 'utf8').split('\n');

  test.each([...SINGLE, ...SHARED].map((cell) => ({ cell, name: nameOf(cell) })))('$name', ({ cell }) => {
    const line = lineOf(cell);
    lines.set(cell, line);
    if (!isWriting) expect(table).toContain(line);
  });

  afterAll(() => {
    if (isWriting) writeFileSync(TABLE, pageOf(lines));
  });
});

describe('a run', () => {
  const capture = (seed: number): Uint8Array => {
    const run = makeBottleneck({ megabits: 5, rtt: 40, buffer: 0.5, loss: 0.01, reorder: 0.02, seed }, [
      {},
      { start: 50 },
    ]);
    const recording = run.network.capture(run.wire);
    run.run(0, 3000);
    return recording.bytes();
  };

  test('with the same seed gives the same bytes at the same times, to the last byte', () => {
    const [first, second, other] = [capture(7), capture(7), capture(8)];
    expect(first.length).toBeGreaterThan(1_000_000);
    expect(Buffer.compare(first, second)).toBe(0);
    expect(Buffer.compare(first, other)).not.toBe(0);
  });

  test('is judged by Jain’s index', () => {
    expect(fairness([5, 5])).toBe(1);
    expect(fairness([5, 0])).toBe(0.5);
    expect(fairness([3, 1])).toBe(0.8);
  });
});
