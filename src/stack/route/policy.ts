/**
 * Rules that choose a routing table by what a packet is, apart from where it goes: its source, and the interface that it came
 * in by. Tried in order; a table without a route to the destination passes the question on.
 */

import { type IpAddress, type Prefix, parsePrefix } from '../../base/index.ts';
import type { PolicyRule } from '../api.ts';
import { contains } from '../interface.ts';

/** The table that everybody looks into at last. */
export const MAIN_TABLE = 0;
/** Rules are tried one after the other for each new path. */
const MAX_RULES = 64;

/** A rule, its prefix read. */
export class ParsedRule {
  readonly table: number;
  readonly #source: Prefix | null;
  readonly #interfaceIndex: number;

  /** @throws {RangeError} when it can't be read */
  constructor(rule: PolicyRule) {
    const source = rule.source === undefined ? null : parsePrefix(rule.source);
    if (rule.source !== undefined && source === null) {
      throw new RangeError(`the source of a rule is no prefix: ${rule.source}`);
    }
    this.table = rule.table;
    this.#source = source;
    this.#interfaceIndex = rule.interfaceIndex ?? 0;
  }

  /** @param source `null`: not chosen yet @param arrivedOn 0: a packet of our own */
  matches(source: IpAddress | null, arrivedOn: number): boolean {
    if (this.#interfaceIndex !== 0 && this.#interfaceIndex !== arrivedOn) return false;
    const prefix = this.#source;
    return prefix === null || (source !== null && contains(prefix.address, prefix.length, source));
  }
}

export class Policies {
  rules: readonly PolicyRule[] = [];
  parsed: readonly ParsedRule[] = [];

  /** @throws {RangeError} when one can't be read or there are too many; the old ones stay then */
  set(rules: readonly PolicyRule[]): void {
    if (rules.length > MAX_RULES) throw new RangeError(`at most ${MAX_RULES} rules, not ${rules.length}`);
    this.parsed = rules.map((rule) => new ParsedRule(rule));
    this.rules = rules.map((rule) => ({ ...rule }));
  }
}
