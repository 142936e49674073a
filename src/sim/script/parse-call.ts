/**
 * System calls in scripts: `connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)`.
 */

import type { CallAction, Expression, StructField } from './ast.ts';
import type { Cursor } from './cursor.ts';

/** A call, its result, and how it failed. `end` is the time that stood before it. */
export function parseCall(cursor: Cursor, end: number | null): CallAction {
  const name = cursor.word('a packet, a call or code');
  const args = parseArguments(cursor);
  cursor.expect('=');
  const result = parseExpression(cursor);
  const errno = cursor.isKind('word') ? cursor.next().text : null;
  if (cursor.accept('(')) skipNote(cursor);
  return { kind: 'call', end, name, args, result, errno };
}

/** Explains an error or a result to the reader; nobody checks it. */
function skipNote(cursor: Cursor): void {
  for (let depth = 1; depth > 0; ) {
    if (cursor.isKind('end')) cursor.fail(`')'`);
    if (cursor.is('(')) depth++;
    if (cursor.is(')')) depth--;
    cursor.next();
  }
}

function parseArguments(cursor: Cursor): Expression[] {
  cursor.expect('(');
  const args: Expression[] = [];
  if (cursor.accept(')')) return args;
  do args.push(parseExpression(cursor));
  while (cursor.accept(','));
  cursor.expect(')');
  return args;
}

function parseExpression(cursor: Cursor): Expression {
  const first = parseTerm(cursor);
  if (!cursor.is('|')) return first;
  const parts = [first];
  while (cursor.accept('|')) parts.push(parseTerm(cursor));
  return { kind: 'or', parts };
}

function parseTerm(cursor: Cursor): Expression {
  const { token } = cursor;
  switch (token.kind) {
    case 'ellipsis':
      cursor.next();
      return { kind: 'any' };
    case 'integer':
    case 'hex':
    case 'float':
      cursor.next();
      return { kind: 'number', value: Number(token.text) };
    case 'string': {
      cursor.next();
      const isPrefix = cursor.isKind('ellipsis');
      if (isPrefix) cursor.next();
      return { kind: 'string', text: token.text, isPrefix };
    }
    case 'word':
      cursor.next();
      if (cursor.is('(')) return { kind: 'call', name: token.text, args: parseArguments(cursor) };
      return { kind: 'word', name: token.text };
    default:
      if (cursor.is('[')) return parseArray(cursor);
      if (cursor.is('{')) return parseStruct(cursor);
      return cursor.fail('a value');
  }
}

function parseArray(cursor: Cursor): Expression {
  cursor.expect('[');
  const items: Expression[] = [];
  if (cursor.accept(']')) return { kind: 'array', items };
  do items.push(parseExpression(cursor));
  while (cursor.accept(','));
  cursor.expect(']');
  return { kind: 'array', items };
}

function parseStruct(cursor: Cursor): Expression {
  cursor.expect('{');
  const fields: StructField[] = [];
  do {
    const isNamed = cursor.isKind('word') && (isAssignment(cursor, 1) || isLengthAssignment(cursor));
    if (!isNamed) {
      fields.push({ name: null, value: parseExpression(cursor) });
      continue;
    }
    const name = cursor.next().text;
    // `msg_iov(1)=…` states a length beside the field.
    if (cursor.is('(')) parseArguments(cursor);
    cursor.expect('=');
    fields.push({ name, value: parseExpression(cursor) });
  } while (cursor.accept(','));
  cursor.expect('}');
  return { kind: 'struct', fields };
}

function isAssignment(cursor: Cursor, ahead: number): boolean {
  return cursor.peek(ahead).text === '=' && cursor.peek(ahead).kind === 'symbol';
}

function isLengthAssignment(cursor: Cursor): boolean {
  return cursor.peek(1).text === '(' && cursor.peek(3).text === ')' && isAssignment(cursor, 4);
}
