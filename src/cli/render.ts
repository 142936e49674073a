/**
 * Text for people: tables and fields. No colour unless a person looks: a terminal, and no NO_COLOR.
 */

import Table from 'cli-table3';
import type { Context } from './context.ts';

export interface Column<Row> {
  readonly title: string;
  readonly align?: 'left' | 'right';
  value(row: Row): string | number;
}

/** Rows under their titles, columns two spaces apart, without lines. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], isBold = false): string {
  const drawn = new Table({
    head: columns.map(({ title }) => (isBold ? `\u001b[1m${title}\u001b[22m` : title)),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  drawn.push(...rows.map((row) => columns.map((column) => printable(String(column.value(row))))));
  return lines(drawn.toString().split('\n'));
}

/** `name  value`, the values under each other. */
export function fields(entries: readonly (readonly [string, string | number])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + 2;
  return lines(entries.map(([name, value]) => name.padEnd(width) + printable(String(value))));
}

/** Whether output may carry colour and cursor movements. */
export function isForPeople({ stdout, environment }: Context): boolean {
  return stdout.isTTY === true && (environment['NO_COLOR'] ?? '') === '';
}

/** 1,536 → `1.5 KiB` */
export function formatBytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] as string}`;
}

/** 93,784 → `1 d 2 h`; the two largest units. */
export function formatDuration(seconds: number): string {
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, length] of DURATIONS) {
    const count = Math.floor(rest / length);
    rest %= length;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.length === 0 ? '0 s' : parts.slice(0, 2).join(' ');
}

/** `1 packet`, `2 packets` */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** A list, or a dash where there is nothing. */
export function orDash(parts: readonly (string | number)[]): string {
  return parts.length === 0 ? '-' : parts.join(', ');
}

/** Control characters would move a terminal's cursor: shown as what they are. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function lines(texts: readonly string[]): string {
  return `${texts.map((text) => text.trimEnd()).join('\n')}\n`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const DURATIONS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};
