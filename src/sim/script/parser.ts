/**
 * Reads a packet script. The language is packetdrill's, as its published syntax page gives it: options, then events, each
 * a time and a packet, a system call, or code that checks figures.
 *
 * Beyond it: `@2` after the arrow of a packet names another flow between the same hosts (`< @2 S 0:0(0) win 1000`), and
 * `urg 5` after the window gives the urgent pointer.
 */

import type { Action, EventTime, Script, ScriptEvent, ScriptOption } from './ast.ts';
import { Cursor } from './cursor.ts';
import { parseCall } from './parse-call.ts';
import { parsePacketAction } from './parse-packet.ts';

/** @throws {ScriptError} with the place when `text` is no script. */
export function parseScript(text: string, file: string): Script {
  const cursor = new Cursor(text, file);
  const options: ScriptOption[] = [];
  while (cursor.isKind('option')) {
    const token = cursor.next();
    const equals = token.text.indexOf('=');
    const name = token.text.slice(2, equals < 0 ? undefined : equals);
    const value = equals < 0 ? '' : token.text.slice(equals + 1).replace(/^"(.*)"$/, '$1');
    options.push({ line: token.line, name, value });
  }
  const events: ScriptEvent[] = [];
  while (!cursor.isKind('end')) events.push(parseEvent(cursor));
  return { file, options, events };
}

function parseEvent(cursor: Cursor): ScriptEvent {
  const { line } = cursor.token;
  // A command needs no time: one at the start prepares a machine, one at the end tidies it.
  const time: EventTime = cursor.isKind('command') ? { kind: 'relative', from: 0, to: 0 } : parseTime(cursor);
  return { line, time, action: parseAction(cursor) };
}

function parseTime(cursor: Cursor): EventTime {
  if (cursor.accept('*')) return { kind: 'any', from: 0, to: Number.POSITIVE_INFINITY };
  const kind = cursor.accept('+') ? 'relative' : 'absolute';
  const from = parseSeconds(cursor);
  if (!cursor.accept('~')) return { kind, from, to: from };
  cursor.accept('+');
  return { kind, from, to: parseSeconds(cursor) };
}

function parseSeconds(cursor: Cursor): number {
  if (!cursor.isKind('integer') && !cursor.isKind('float')) cursor.fail('a time');
  // Seconds in the script; microseconds are kept exact.
  return Math.round(Number(cursor.next().text) * 1e6) / 1e3;
}

function parseAction(cursor: Cursor): Action {
  if (cursor.is('<') || cursor.is('>')) return parsePacketAction(cursor);
  if (cursor.isKind('code')) return { kind: 'code', text: cursor.next().text };
  if (cursor.isKind('command')) return { kind: 'command', text: cursor.next().text };
  let end: number | null = null;
  if (cursor.isKind('ellipsis')) {
    cursor.next();
    cursor.accept('+');
    end = parseSeconds(cursor);
  }
  return parseCall(cursor, end);
}
