/**
 * The audit trail on disk: `audit.jsonl`, a line for each change, oldest first. A state's own file says which change made it, so a line
 * that an end of the process left out is written by whoever comes next.
 */

import { join } from 'node:path';
import type { CatalogRecord } from '../../port/index.ts';
import { readRecord, writeRecord } from '../change-codec.ts';
import { RECORDS_KEPT } from '../memory-journal.ts';
import type { FileCalls } from './file-calls.ts';

const NAME = 'audit.jsonl';
const MAX_BYTES = 4 << 20;

/** A line: a record, and the mark of the state file that it is about. */
interface AuditLine {
  readonly record: CatalogRecord;
  readonly mark: string;
}

export class AuditFile {
  readonly #files: FileCalls;
  readonly #path: string;

  constructor(files: FileCalls, directory: string) {
    this.#files = files;
    this.#path = join(directory, NAME);
  }

  /** By serial; lines that are no records are passed over. */
  read(): Map<number, AuditLine> {
    const lines = new Map<number, AuditLine>();
    for (const text of this.#text().split('\n')) {
      const line = readLine(text);
      if (line !== null) lines.set(line.record.serial, line);
    }
    return lines;
  }

  /**
   * Adds lines, and drops the oldest when there are too many.
   * @param temporary a name for the file that is made then
   */
  add(added: readonly AuditLine[], temporary: string): void {
    if (added.length === 0) return;
    const files = this.#files;
    const present = this.#text();
    const text = added.map(lineText).join('');
    const count = present.split('\n').length + added.length;
    if (count <= 2 * RECORDS_KEPT && present.length + text.length <= MAX_BYTES) {
      const fd = files.openForAppend(this.#path);
      // A line that was cut short is ended first.
      const start = present === '' || present.endsWith('\n') ? '' : '\n';
      finish(files, fd, start + text);
      return;
    }
    const lines = [...this.read().values(), ...added].slice(-RECORDS_KEPT);
    finish(files, files.create(temporary), lines.map(lineText).join(''));
    files.rename(temporary, this.#path);
  }

  #text(): string {
    try {
      return this.#files.read(this.#path, 2 * MAX_BYTES);
    } catch {
      return '';
    }
  }
}

function finish(files: FileCalls, fd: number, text: string): void {
  try {
    files.write(fd, text);
    files.sync(fd);
  } finally {
    files.close(fd);
  }
}

function lineText({ record, mark }: AuditLine): string {
  const { isKept: _, ...line } = record;
  return `${JSON.stringify({ ...(writeRecord({ ...line, isKept: false }) as object), mark })}\n`;
}

function readLine(text: string): AuditLine | null {
  if (text === '') return null;
  try {
    const value: unknown = JSON.parse(text);
    const record = readRecord(value);
    const mark = (value as { mark?: unknown } | null)?.mark;
    return record === null || typeof mark !== 'string' ? null : { record, mark };
  } catch {
    return null;
  }
}
