/**
 * Text for people: aligned columns, quantities, a little colour where a terminal shows it.
 */

import Table from 'cli-table3';

/** Column titles and rows as aligned text, two spaces apart. Numbers stand to the right. */
export function renderTable(titles: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const none = Object.fromEntries(BORDERS.map((border) => [border, '']));
  const table = new Table({
    head: [...titles],
    chars: { ...none, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
    colAligns: titles.map((_, i) => (rows.length > 0 && rows.every((row) => typeof row[i] === 'number') ? 'right' : 'left')),
  });
  for (const row of rows) table.push(row.map(String));
  return table
    .toString()
    .split('\n')
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** `name . . . . : value` lines in the manner of ipconfig, names padded with dots to `width`. */
export function renderDotted(name: string, value: string, width = 36): string {
  const dots = ' .'.repeat(Math.max(0, Math.ceil((width - name.length) / 2)));
  return `   ${name}${dots.slice(0, Math.max(0, width - name.length))}: ${value}\n`;
}

/** `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `2 h 5 min`, `12.3 s`. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `0.42 ms`. */
export function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`;
}

/** `text` in a colour, where there is any. */
export function colored(text: string, color: 'red' | 'green' | 'yellow' | 'bold', hasColor: boolean): string {
  return hasColor ? `\x1b[${COLORS[color]}m${text}\x1b[0m` : text;
}

/**
 * `text` without control characters: what a daemon repeats after an application must not steer the terminal.
 */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}

const COLORS = { red: 31, green: 32, yellow: 33, bold: 1 } as const;
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const BORDERS = [
  ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
  ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
];
