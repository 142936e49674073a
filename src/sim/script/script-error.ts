/**
 * What a packet script's author is told: where, what was expected, what was seen.
 */

/** A script that cannot be read, or whose expectation did not hold. The message starts with `name:line:`. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** In the script's own syntax; `null` when the script cannot be read. */
  readonly expected: string | null;
  readonly actual: string | null;

  constructor(
    file: string,
    line: number,
    what: string,
    expected: string | null = null,
    actual: string | null = null,
  ) {
    const lines = [`${file}:${line}: ${what}`];
    if (expected !== null) lines.push(`  expected: ${expected}`);
    if (actual !== null) lines.push(`  seen:     ${actual}`);
    super(lines.join('\n'));
    this.file = file;
    this.line = line;
    this.expected = expected;
    this.actual = actual;
  }
}

/** A script that asks for something which this language, or the host, does not have: it cannot be judged. */
export class UnsupportedError extends ScriptError {}
