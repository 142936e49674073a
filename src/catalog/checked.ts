/**
 * Reading JSON that somebody else wrote. A reader that meets a wrong value notes where, and goes on with an empty one; whoever reads
 * looks at `problem` before the result is used. Members that nobody asks for are ignored.
 */

import { fromHex } from '../base/index.ts';

export class CheckedReader {
  /** Where the first wrong value is, and what it should be; `null`: all was right. */
  problem: string | null = null;

  object(value: unknown, where: string): Readonly<Record<string, unknown>> {
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
    return this.#wrong(where, 'an object', {});
  }

  list(value: unknown, where: string, most: number): readonly unknown[] {
    if (Array.isArray(value) && value.length <= most) return value;
    return this.#wrong(where, `a list of at most ${most}`, []);
  }

  int(value: unknown, where: string, least: number, most: number): number {
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
      return value as number;
    }
    return this.#wrong(where, `a whole number from ${least} to ${most}`, least);
  }

  text(value: unknown, where: string, most: number): string {
    if (typeof value === 'string' && value.length <= most) return value;
    return this.#wrong(where, `text of at most ${most} characters`, '');
  }

  flag(value: unknown, where: string): boolean {
    return typeof value === 'boolean' ? value : this.#wrong(where, 'true or false', false);
  }

  /** Bytes as hex digits. */
  bytes(value: unknown, where: string, most: number): Uint8Array {
    if (typeof value === 'string' && value.length <= 2 * most && /^([0-9a-f]{2})*$/.test(value)) {
      return fromHex(value);
    }
    return this.#wrong(where, `at most ${most} bytes as hex digits`, new Uint8Array(0));
  }

  oneOf<Text extends string>(value: unknown, where: string, texts: readonly [Text, ...Text[]]): Text {
    const found = texts.find((text) => text === value);
    return found ?? this.#wrong(where, `one of ${texts.join(', ')}`, texts[0]);
  }

  /** `null`, or what `read` makes of it. */
  optional<Value>(value: unknown, read: (value: unknown) => Value): Value | null {
    return value === null || value === undefined ? null : read(value);
  }

  #wrong<Value>(where: string, expected: string, instead: Value): Value {
    this.problem ??= `${where} is not ${expected}`;
    return instead;
  }
}
