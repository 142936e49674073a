/**
 * The policy table of address selection (RFC 6724 §2.1): a precedence and a label for each prefix. What has the longest matching
 * prefix counts. IPv4 addresses are looked up as v4-mapped ones.
 */

import { type IpAddress, parsePrefix } from '../../base/index.ts';
import type { AddressPolicyRow } from '../api.ts';
import { commonPrefixLength } from './scope.ts';

/** RFC 6724 §2.1: the default table. */
const DEFAULT_ROWS: readonly AddressPolicyRow[] = [
  { prefix: '::1/128', precedence: 50, label: 0 },
  { prefix: '::/0', precedence: 40, label: 1 },
  { prefix: '::ffff:0:0/96', precedence: 35, label: 4 },
  { prefix: '2002::/16', precedence: 30, label: 2 },
  { prefix: '2001::/32', precedence: 5, label: 5 },
  { prefix: 'fc00::/7', precedence: 3, label: 13 },
  { prefix: '::/96', precedence: 1, label: 3 },
  { prefix: 'fec0::/10', precedence: 1, label: 11 },
  { prefix: '3ffe::/16', precedence: 1, label: 12 },
];

const MAX_ROWS = 256;
const MAX_VALUE = 0xffff;

/** What an address has that no row is about: it comes last, and is like all others of that kind. */
const NO_PRECEDENCE = -1;
const NO_LABEL = -1;

interface Entry {
  readonly prefix: IpAddress;
  /** Of the mapped form: 96 more than an IPv4 prefix says. */
  readonly length: number;
  readonly precedence: number;
  readonly label: number;
}

export class PolicyTable {
  /** As they were given. */
  rows: readonly AddressPolicyRow[] = DEFAULT_ROWS;
  /** The longest prefixes first. */
  #entries: readonly Entry[] = entriesOf(DEFAULT_ROWS);

  /**
   * Replaces the table; `null`: by the default one.
   * @throws {RangeError} when a row can't be read, two have the same prefix, or there are too many; nothing changes then
   */
  set(rows: readonly AddressPolicyRow[] | null): void {
    const next = rows === null ? DEFAULT_ROWS : rows.map((row) => ({ ...row }));
    this.#entries = entriesOf(next);
    this.rows = next;
  }

  precedenceOf(address: IpAddress): number {
    return this.#find(address)?.precedence ?? NO_PRECEDENCE;
  }

  labelOf(address: IpAddress): number {
    return this.#find(address)?.label ?? NO_LABEL;
  }

  #find(address: IpAddress): Entry | undefined {
    return this.#entries.find(({ prefix, length }) => commonPrefixLength(prefix, address) >= length);
  }
}

function entriesOf(rows: readonly AddressPolicyRow[]): Entry[] {
  if (rows.length > MAX_ROWS) throw new RangeError(`${rows.length} address policies: at most ${MAX_ROWS}`);
  const entries: Entry[] = [];
  for (const row of rows) {
    const entry = entryOf(row);
    const isTwice = entries.some(
      ({ prefix, length }) =>
        length === entry.length && commonPrefixLength(prefix, entry.prefix) >= entry.length,
    );
    if (isTwice) throw new RangeError(`two address policies for ${row.prefix}`);
    entries.push(entry);
  }
  return entries.sort((a, b) => b.length - a.length);
}

function entryOf({ prefix: text, precedence, label }: AddressPolicyRow): Entry {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new RangeError(`not an address with a prefix length: ${text}`);
  requireValue('precedence', precedence);
  requireValue('label', label);
  const length = prefix.address.family === 4 ? 96 + prefix.length : prefix.length;
  return { prefix: prefix.address, length, precedence, label };
}

function requireValue(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value > MAX_VALUE) {
    throw new RangeError(`the ${name} of an address policy is 0 … ${MAX_VALUE}, not ${value}`);
  }
}
