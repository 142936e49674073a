/**
 * Reading tokens one after the other, with errors that name the place.
 */

import { type Token, type TokenKind, tokenize } from './lexer.ts';
import { ScriptError } from './script-error.ts';

export class Cursor {
  readonly file: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(text: string, file: string) {
    this.file = file;
    this.#tokens = tokenize(text, file);
  }

  get token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  /** The token `ahead` places on; the last one past the end. */
  peek(ahead: number): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] as Token;
  }

  next(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.#at++;
    return token;
  }

  is(text: string): boolean {
    const { token } = this;
    return token.text === text && (token.kind === 'symbol' || token.kind === 'word');
  }

  isKind(kind: TokenKind): boolean {
    return this.token.kind === kind;
  }

  /** Takes the token when it is `text`. */
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  /** @throws {ScriptError} when the token is not `text`. */
  expect(text: string): void {
    if (!this.accept(text)) this.fail(`'${text}'`);
  }

  /** A word. @throws {ScriptError} when there is none. */
  word(what: string): string {
    if (!this.isKind('word')) this.fail(what);
    return this.next().text;
  }

  /** A whole number, decimal or hexadecimal. @throws {ScriptError} when there is none. */
  integer(what: string): number {
    if (!this.isKind('integer') && !this.isKind('hex')) this.fail(what);
    return Number(this.next().text);
  }

  /** @throws {ScriptError} that says what should stand here. */
  fail(expected: string): never {
    const { token } = this;
    throw new ScriptError(this.file, token.line, `${expected} should stand here, not '${token.text}'`);
  }
}
