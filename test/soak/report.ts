/**
 * What a soak test is told, and the table that it prints.
 */

import { afterAll } from '@jest/globals';

/** The arguments of scripts/soak. */
export const soak = {
  gigabytes: argument('SOAK_GIGABYTES', 4),
  connections: argument('SOAK_CONNECTIONS', 100_000),
  minutes: argument('SOAK_MINUTES', 10),
  seed: argument('SOAK_SEED', 1),
  runs: argument('SOAK_RUNS', 5),
  seconds: argument('SOAK_SECONDS', 60),
  frames: argument('SOAK_FRAMES', 10_000_000),
} as const;

/** A row by column; columns are those of the first row. */
export type Row = Readonly<Record<string, string | number>>;

const rows: Row[] = [];

/** Adds a row to this file's table. */
export function report(row: Row): void {
  rows.push(row);
}

/** Runs `work` and reports what it answers with its time and verdict; what it throws is reported, and thrown on. */
export async function measured(what: Row, work: () => Promise<Row>): Promise<void> {
  const start = performance.now();
  const seconds = (): string => ((performance.now() - start) / 1000).toFixed(1);
  try {
    const found = await work();
    report({ ...what, ...found, seconds: seconds(), verdict: 'ok' });
  } catch (error) {
    report({ ...what, seconds: seconds(), verdict: 'FAILED' });
    throw error;
  }
}

/** Bits a second for people. */
export function gigabits(bytes: number, milliseconds: number): string {
  return `${((bytes * 8) / milliseconds / 1e6).toFixed(2)} Gbit/s`;
}

afterAll(() => {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [columns, ...rows.map((row) => columns.map((column) => String(row[column] ?? '')))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => (line[i] as string).length)));
  const text = cells.map((line) =>
    line
      .map((cell, i) => cell.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd(),
  );
  process.stdout.write(`\n${text.join('\n')}\n\n`);
});

function argument(name: string, fallback: number): number {
  const value = Number(process.env[name] ?? fallback);
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name}=${process.env[name]} is no number`);
  return value;
}
