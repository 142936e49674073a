/**
 * Reports of a watched process, written and read (docs/ipc.md, "Watching"). What is read is checked member by member: a report comes from
 * a client.
 */

import {
  CALL_EVENTS,
  type CallRecord,
  type ChainFigures,
  type WatchReport,
  type WatchValue,
  type WatchValues,
} from '../port/index.ts';
import { VALUE_LIMITS, ValueReader, ValueWriter } from './value-codec.ts';

/** Longest report, bytes. */
export const REPORT_MAX = 64 * 1024;
/** A report is begun no more records past that: what a single one adds still fits. */
const FULL_AT = REPORT_MAX - 24 * 1024;
const FULL_OF_TEXT = VALUE_LIMITS.characters / 2;
const VERSION = 1;
const CALLS = 1;
const FIGURES = 2;

/**
 * Writes calls until a report is full.
 * @param take the next call, in the order in which they are told; `null`: there are no more
 */
export function writeCalls(lost: number, take: () => CallRecord | null): Uint8Array {
  const writer = new ValueWriter(4096);
  writer.write([VERSION, CALLS, lost]);
  while (hasRoom(writer)) {
    const record = take();
    if (record === null) break;
    writer.write({ ...record });
  }
  return writer.bytes;
}

export function writeFigures(rows: readonly ChainFigures[], isLast: boolean): Uint8Array {
  const writer = new ValueWriter(4096);
  // How many there was no room for stands behind those that there was.
  writer.write([VERSION, FIGURES, isLast]);
  let written = 0;
  for (; written < rows.length && hasRoom(writer); written++) {
    writer.write({ ...(rows[written] as ChainFigures) });
  }
  writer.write(rows.length - written);
  return writer.bytes;
}

/** A report; `null` for bytes that are none. Members that are not known are left out. */
export function readReport(bytes: Uint8Array): WatchReport | null {
  if (bytes.length > REPORT_MAX) return null;
  const reader = new ValueReader(bytes);
  const head = reader.read();
  if (!Array.isArray(head) || head.length !== 3) return null;
  const [version, kind, third] = head as readonly WatchValue[];
  if (version !== VERSION) return null;
  if (kind === CALLS) return readCalls(reader, third);
  return kind === FIGURES && typeof third === 'boolean' ? readFigures(reader, third) : null;
}

function hasRoom({ length, characters }: ValueWriter): boolean {
  return length < FULL_AT && characters < FULL_OF_TEXT;
}

function readCalls(reader: ValueReader, lost: WatchValue | undefined): WatchReport | null {
  if (!isCount(lost)) return null;
  const calls: CallRecord[] = [];
  while (!reader.isAtEnd) {
    const record = callOf(reader.read());
    if (record === null) return null;
    calls.push(record);
  }
  return reader.isWrong ? null : { kind: 'calls', lost, calls };
}

function readFigures(reader: ValueReader, isLast: boolean): WatchReport | null {
  const rows: ChainFigures[] = [];
  while (!reader.isAtEnd) {
    const value = reader.read();
    if (isCount(value)) {
      return reader.isAtEnd && !reader.isWrong ? { kind: 'figures', rows, omitted: value, isLast } : null;
    }
    const row = figuresOf(value);
    if (row === null) return null;
    rows.push(row);
  }
  return null;
}

function callOf(value: WatchValue): CallRecord | null {
  if (!isObject(value)) return null;
  const { time, n, event, depth, layer, chain, call, s, args, result, error, out, us } = value;
  const kind = CALL_EVENTS.find((known) => known === event);
  if (kind === undefined || !isNumber(time) || !isCount(n) || !isCount(depth) || !isCount(s)) return null;
  if (typeof layer !== 'string' || typeof chain !== 'string' || typeof call !== 'string') return null;
  if (args !== undefined && !isObject(args)) return null;
  if (out !== undefined && !isObject(out)) return null;
  if (result !== undefined && !isNumber(result)) return null;
  if (error !== undefined && typeof error !== 'string') return null;
  if (us !== undefined && !isCount(us)) return null;
  return {
    time,
    n,
    event: kind,
    depth,
    layer,
    chain,
    call,
    s,
    ...(args === undefined ? {} : { args }),
    ...(result === undefined ? {} : { result }),
    ...(error === undefined ? {} : { error }),
    ...(out === undefined ? {} : { out }),
    ...(us === undefined ? {} : { us }),
  };
}

function figuresOf(value: WatchValue): ChainFigures | null {
  if (!isObject(value)) return null;
  const { s, protocol, depth, layer, calls, errors, bytesSent, bytesReceived, us, busyUs } = value;
  if (!isCount(s) || !isCount(depth) || !isCount(calls) || !isCount(errors)) return null;
  if (!isCount(bytesSent) || !isCount(bytesReceived) || !isCount(us) || !isCount(busyUs)) return null;
  if (typeof protocol !== 'string' || typeof layer !== 'string') return null;
  return { s, protocol, depth, layer, calls, errors, bytesSent, bytesReceived, us, busyUs };
}

function isObject(value: WatchValue | undefined): value is WatchValues {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: WatchValue | undefined): value is number {
  return typeof value === 'number';
}

function isCount(value: WatchValue | undefined): value is number {
  return typeof value === 'number' && value >= 0;
}
