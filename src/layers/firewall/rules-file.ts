/**
 * A file of rules that is read anew when it has changed.
 *
 * It is looked at when something is to be decided, at most once in {@link CHECK_EVERY}; there is no watcher that would keep an
 * application alive. New rules that cannot be read leave the old ones in force, and that is said.
 */

import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '../../base/index.ts';
import { parseRules } from './parse-rules.ts';
import type { RuleSet } from './rules.ts';

/** ms */
export const CHECK_EVERY = 1000;
/** Bytes of a file of rules. */
const MOST_BYTES = 4 << 20;

export class RulesFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #complain: (reason: string) => void;
  #rules: RuleSet;
  #version: string;
  #checkedAt: number;

  /**
   * @param complain is told why new rules are not taken
   * @throws {Error} when there are no rules to begin with: an application does not run unguarded by mistake
   */
  constructor(path: string, clock: Clock, complain: (reason: string) => void) {
    this.#path = path;
    this.#clock = clock;
    this.#complain = complain;
    this.#version = versionOf(path);
    this.#rules = read(path);
    this.#checkedAt = clock.now();
  }

  /** The rules in force. */
  current(): RuleSet {
    const now = this.#clock.now();
    if (now - this.#checkedAt < CHECK_EVERY) return this.#rules;
    this.#checkedAt = now;
    try {
      const version = versionOf(this.#path);
      if (version === this.#version) return this.#rules;
      this.#version = version;
      this.#rules = read(this.#path);
    } catch (error) {
      this.#complain(error instanceof Error ? error.message : String(error));
    }
    return this.#rules;
  }
}

/** What differs when a file was written. */
function versionOf(path: string): string {
  const { mtimeNs, size, ino } = statSync(path, { bigint: true });
  return `${mtimeNs} ${size} ${ino}`;
}

function read(path: string): RuleSet {
  const text = readFileSync(path);
  if (text.length > MOST_BYTES) throw new Error(`${path}: more than ${MOST_BYTES} bytes`);
  try {
    return parseRules(text.toString('utf8'));
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
