/**
 * Quantities as people write them on a command line: times, shares, rates.
 */

import { usageError } from './errors.ts';

const TIME_MS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, '': 1, s: 1000, m: 60_000 };
/** Bytes in a second. */
const RATE: Readonly<Record<string, number>> = {
  bit: 1 / 8,
  kbit: 1e3 / 8,
  mbit: 1e6 / 8,
  gbit: 1e9 / 8,
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
};

/** `50ms`, `1.5s`, `20` (ms). @throws {CliError} usage */
export function parseTime(text: string, flag: string): number {
  return parse(text, flag, TIME_MS, 'a time, such as 50ms or 1.5s');
}

/** `50ms±10` or `50ms+-10ms`: a time, and how far it varies. */
export function parseDelay(text: string, flag: string): { readonly delay: number; readonly jitter: number | undefined } {
  const [delay = '', jitter] = text.split(/±|\+-/);
  return { delay: parseTime(delay, flag), jitter: jitter === undefined ? undefined : parseTime(jitter, flag) };
}

/** `1mbit`, `500kbit`, `125000` (bytes in a second). */
export function parseRate(text: string, flag: string): number {
  return parse(text, flag, RATE, 'a rate, such as 1mbit, or bytes in a second');
}

/** `1%`, `0.01`. @returns 0 … 1 */
export function parseShare(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(share >= 0 && share <= 1)) throw usageError(`${flag}: "${text}" is no share; write 1% or 0.01`);
  return share;
}

/** A whole number within bounds. */
export function parseWhole(text: string, flag: string, min: number, max: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw usageError(`${flag}: "${text}" is no whole number from ${min} to ${max}`);
  return value;
}

function parse(text: string, flag: string, units: Readonly<Record<string, number>>, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = match === null ? undefined : units[(match[2] ?? '').toLowerCase()];
  if (match === null || unit === undefined) throw usageError(`${flag}: "${text}" is not ${what}`);
  return Number(match[1]) * unit;
}
