/**
 * Words of the packet-script language. What a character means often depends on where it stands (`<` opens an inbound packet
 * or a list of options), so the lexer keeps to shapes and leaves meaning to the parser.
 */

import { ScriptError } from './script-error.ts';

export type TokenKind =
  | 'integer'
  | 'float'
  | 'hex'
  | 'address'
  | 'word'
  | 'string'
  | 'ellipsis'
  | 'option'
  | 'code'
  | 'command'
  | 'symbol'
  | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** As written; without quotes for strings, code and commands. */
  readonly text: string;
  readonly line: number;
  /** Whether white space or a comment stands before it. */
  readonly isSpaced: boolean;
}

/** White space and the three kinds of comment; `#` counts at the start of a word only. */
const SKIP = /(?:\s+|\/\/[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)*/y;

/** In order of preference: the first that matches is the token. */
const SHAPES: readonly (readonly [TokenKind, RegExp])[] = [
  ['option', /--[a-zA-Z0-9_]+(?:=(?:"[^"\n]*"|[^\s#]+))?/y],
  ['code', /%\{[\s\S]*?\}%/y],
  ['command', /`(?:\\.|[^`])*`/y],
  ['string', /"(?:\\.|[^"\\])*"/y],
  ['ellipsis', /\.\.\./y],
  ['address', /\d+\.\d+\.\d+\.\d+/y],
  ['hex', /0x[0-9a-fA-F]+/y],
  ['word', /\d*[a-zA-Z_][a-zA-Z0-9_]*/y],
  ['float', /-?\d*\.\d+/y],
  ['integer', /-?\d+/y],
  ['symbol', /[^\s]/y],
];

/** @throws {ScriptError} for an unclosed string, comment or block. */
export function tokenize(text: string, file: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  for (;;) {
    SKIP.lastIndex = at;
    const skipped = SKIP.exec(text)?.[0] ?? '';
    line += countLines(skipped);
    at += skipped.length;
    if (at >= text.length) break;
    const [kind, raw] = match(text, at);
    if (kind === 'symbol' && /["`]/.test(raw)) throw new ScriptError(file, line, `${raw} is never closed`);
    if (text.startsWith('/*', at)) throw new ScriptError(file, line, 'a comment is never closed');
    if (text.startsWith('%{', at) && kind !== 'code') {
      throw new ScriptError(file, line, '%{ is never closed by }%');
    }
    tokens.push({ kind, text: unquote(kind, raw), line, isSpaced: skipped.length > 0 || at === 0 });
    line += countLines(raw);
    at += raw.length;
  }
  tokens.push({ kind: 'end', text: 'the end of the script', line, isSpaced: true });
  return tokens;
}

function match(text: string, at: number): readonly [TokenKind, string] {
  for (const [kind, shape] of SHAPES) {
    shape.lastIndex = at;
    const found = shape.exec(text);
    if (found !== null) return [kind, found[0]];
  }
  return ['symbol', text.charAt(at)];
}

function unquote(kind: TokenKind, raw: string): string {
  if (kind === 'code') return raw.slice(2, -2);
  if (kind === 'command') return raw.slice(1, -1);
  if (kind === 'string') return raw.slice(1, -1).replace(/\\(.)/g, (_, escaped: string) => plain(escaped));
  return raw;
}

function plain(character: string): string {
  const known: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0' };
  return known[character] ?? character;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
