/**
 * The lists in this folder, read: every id of Winsock's surface, one a line, each file a chapter of docs/winsock-status.md.
 *
 *     # Socket options
 *     OPT-SO_DEBUG | 0x0001
 *     OPT-SO_GROUP_ID | 0x2001 | not supported: no provider has groups
 *
 * The third column is the status: nothing for what works and has a test that names the id; `stored` for what can be set and read
 * and has no effect, which needs a test too; else `not planned`, `not supported` or `later`. Each has its reason. Behind the title it holds for the whole chapter, where no test names the id.
 */

import { readdirSync, readFileSync } from 'node:fs';

export type Status = 'works' | 'stored' | 'not planned' | 'not supported' | 'later';

export interface Entry {
  /** `SEM-SEL-07`, `OPT-SO_LINGER`. */
  readonly id: string;
  /** What it is about; may be empty, where the id says it all. */
  readonly text: string;
  readonly status: Status;
  /** Why it does not work; empty when it does. */
  readonly reason: string;
}

export interface Chapter {
  readonly title: string;
  readonly entries: readonly Entry[];
}

/** Chapters in the order of the page. */
const ORDER = [
  'functions',
  'semantics',
  'options',
  'ioctls',
  'structures',
  'errors',
  'raw',
  'windows-mobile',
  'name-spaces',
  'name-spaces-2',
  'spi',
  'catalog',
  'configuration',
  'infrared',
  'secure',
] as const;

const STATUS = /^(stored|not planned|not supported|later): (.+)$/;

/** @throws {Error} for a file that has no place in the order, or a line that can't be read */
export function readChapters(folder = new URL('.', import.meta.url)): Chapter[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
  const stray = files.find((file) => !ORDER.some((name) => `${name}.txt` === file));
  if (stray !== undefined) throw new Error(`${stray} has no place in the page`);
  return ORDER.map((name) =>
    parseChapter(readFileSync(new URL(`${name}.txt`, folder), 'utf8'), `${name}.txt`),
  );
}

/** @throws {Error} that names the line which cannot be read */
export function parseChapter(text: string, file: string): Chapter {
  const [head = '', ...lines] = text.split('\n');
  const [title = '', whole = ''] = head.replace(/^# /, '').split(' | ');
  if (!head.startsWith('# ') || title === '') throw new Error(`${file}:1 is no title`);
  const common = whole === '' ? WORKS : parseStatus(whole, `${file}:1`);
  const entries = new Map<string, Entry>();
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const place = `${file}:${index + 2}`;
    const [id = '', about = '', last] = line.split(' | ');
    if (!/^[A-Z0-9]+-\S+$/.test(id)) throw new Error(`${place} has no id: ${line}`);
    if (entries.has(id)) throw new Error(`${place} ${id} stands there twice`);
    entries.set(id, { id, text: about, ...(last === undefined ? common : parseStatus(last, place)) });
  }
  return { title, entries: [...entries.values()] };
}

const WORKS = { status: 'works', reason: '' } as const;

function parseStatus(text: string, place: string): Pick<Entry, 'status' | 'reason'> {
  const [, status, reason] = STATUS.exec(text) ?? [];
  if (status === undefined || reason === undefined) throw new Error(`${place} has no such status: ${text}`);
  return { status: status as Status, reason };
}
