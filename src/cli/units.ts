/**
 * Values with units, as people type them: `50ms`, `1%`, `10mbit`.
 */

import { usageError } from './exit-codes.ts';

/** A number from `min` to `max`. @throws {CliError} usage */
export function readNumber(what: string, text: string, min: number, max: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw usageError(what, text, `a number from ${min} to ${max}`);
  return value;
}

/** A whole number from `min` to `max`. @throws {CliError} usage */
export function readInteger(what: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) throw usageError(what, text, `a whole number from ${min} to ${max}`);
  return value;
}

/** ms from `50ms`, `1.5s`, `200us`, `2min`; a bare number is in `bareUnit`. @throws {CliError} usage */
export function readDuration(what: string, text: string, bareUnit: 'ms' | 's' = 'ms'): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|min)?$/.exec(text);
  const factor = DURATION_FACTORS[match?.[2] ?? bareUnit];
  if (match === null || factor === undefined) {
    throw usageError(what, text, 'a duration such as 50ms, 1.5s or 200us');
  }
  return Number(match[1]) * factor;
}

/** A probability, 0 … 1, from `1%` or `0.01`. @throws {CliError} usage */
export function readProbability(what: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%)?$/.exec(text);
  const value = match === null ? Number.NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(value <= 1)) throw usageError(what, text, 'a probability such as 1% or 0.01, at most 100%');
  return value;
}

/** Bytes per second from `1mbit`, `100kbit`, `2gbit` (decimal, bits per second) or `500kbps` (bytes, as tc means it). @throws {CliError} usage */
export function readRate(what: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(bit|kbit|mbit|gbit|bps|kbps|mbps)$/i.exec(text);
  const factor = RATE_FACTORS[match?.[2]?.toLowerCase() ?? ''];
  const value = match === null || factor === undefined ? 0 : Math.round(Number(match[1]) * factor);
  if (value < 1)
    throw usageError(
      what,
      text,
      'a rate such as 100kbit, 1mbit (bits per second) or 500kbps (bytes per second)',
    );
  return value;
}

/** `8mbit` of 1,000,000 bytes per second. */
export function formatRate(bytesPerSec: number): string {
  const bits = bytesPerSec * 8;
  const [unit, size] = RATE_UNITS.find(([, size]) => bits >= size) ?? (['bit', 1] as const);
  return `${Number((bits / size).toFixed(3))}${unit}`;
}

/** `1%` of 0.01. */
export function formatProbability(value: number): string {
  return `${Number((value * 100).toFixed(6))}%`;
}

const DURATION_FACTORS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000 };
const RATE_FACTORS: Readonly<Record<string, number>> = {
  bit: 1 / 8,
  kbit: 1e3 / 8,
  mbit: 1e6 / 8,
  gbit: 1e9 / 8,
  bps: 1,
  kbps: 1e3,
  mbps: 1e6,
};
const RATE_UNITS = [
  ['gbit', 1e9],
  ['mbit', 1e6],
  ['kbit', 1e3],
] as const;
