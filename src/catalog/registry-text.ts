/**
 * The text of a registry export (a `.reg` file): its encoding, its lines, keys and values. Regedit writes UTF-16 with a mark at the start and
 * `Windows Registry Editor Version 5.00`, older editors and those of devices write `REGEDIT4` in the code page, and the files that
 * images of devices are built from have no head.
 */

/** Why a text can't be used. */
export interface RegistryProblem {
  /** The first one is 1; 0: the text as a whole. */
  readonly line: number;
  readonly why: string;
}

/** What a line says. A line of an unknown form is `unknown`: whether that matters is for the reader to say. */
export type RegistryLine =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'head'; readonly isWide: boolean }
  | { readonly kind: 'key'; readonly path: string; readonly isRemoved: boolean }
  | { readonly kind: 'value'; readonly name: string; readonly data: RegistryData }
  | { readonly kind: 'unknown'; readonly why: string };

export type RegistryData =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'dword'; readonly number: number }
  /** `of`: the REG_* number in the brackets of `hex(2):`; 3 without. */
  | { readonly type: 'hex'; readonly of: number; readonly bytes: Uint8Array }
  | { readonly type: 'other' }
  | { readonly type: 'removed' };

/** A logical line, with the number of the first line that it is on. */
export interface NumberedLine {
  readonly line: number;
  readonly text: string;
}

const HEAD = /^(?:(windows registry editor version 5\.00)|regedit4)$/i;
/** Conditions and inclusions of the files that images are built from. */
const DIRECTIVE = /^(?:#|(?:IF|ELSE|ENDIF)\b)/;
const KEY = /^\[(-?)(.*)\]\s*(?:;.*)?$/;
const VALUE = /^(?:@|"((?:[^"\\]|\\.)*)")\s*=\s*(.*)$/;
const STRING = /^"((?:[^"\\]|\\.)*)"\s*(?:;.*)?$/;
const DWORD = /^dword:([0-9a-f]*)\s*(?:;.*)?$/i;
const HEX = /^hex(?:\(([0-9a-f]{1,8})\))?:([0-9a-f,\s]*)(?:;.*)?$/i;
const HEX_BEGINS = /^[^;[].*=\s*hex(?:\([0-9a-f]+\))?:/i;
const OTHER = /^(?:multi_sz|mui_sz):/i;
const REG_BINARY = 3;

/**
 * The text of a file: UTF-16 or UTF-8 by the mark at its start; without one UTF-16 when there are zeros, else UTF-8, or the code page of
 * western Windows. `null`: it is none of them.
 */
export function decodeRegistryText(bytes: Uint8Array): string | null {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe) return decoded('utf-16le', bytes.subarray(2));
  if (first === 0xfe && second === 0xff) return decoded('utf-16le', swapped(bytes.subarray(2)));
  if (first === 0xef && second === 0xbb && third === 0xbf) return decoded('utf-8', bytes.subarray(3));
  if (second === 0 && first !== 0) return decoded('utf-16le', bytes);
  if (first === 0 && second !== 0) return decoded('utf-16le', swapped(bytes));
  if (bytes.includes(0)) return null;
  return decoded('utf-8', bytes) ?? decoded('windows-1252', bytes);
}

function decoded(encoding: string, bytes: Uint8Array): string | null {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Pairs of bytes the other way round; half a character at the end stays alone. */
function swapped(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes);
  for (let i = 0; i + 1 < copy.length; i += 2) {
    copy[i] = bytes[i + 1] ?? 0;
    copy[i + 1] = bytes[i] ?? 0;
  }
  return copy;
}

/** The lines without the space around them; a hex value goes on behind a backslash at the end of a line. */
export function* registryLines(text: string): Generator<NumberedLine> {
  let start = 0;
  let carried = '';
  let number = 0;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    number++;
    const line = raw.trim();
    if (carried === '') start = number;
    const isOpen = line.endsWith('\\') && (carried !== '' || HEX_BEGINS.test(line));
    carried += isOpen ? line.slice(0, -1) : line;
    if (isOpen) continue;
    yield { line: start, text: carried };
    carried = '';
  }
  if (carried !== '') yield { line: start, text: carried };
}

export function readRegistryLine(text: string): RegistryLine {
  if (text === '' || text.startsWith(';') || DIRECTIVE.test(text)) return { kind: 'nothing' };
  const head = HEAD.exec(text);
  if (head !== null) return { kind: 'head', isWide: head[1] !== undefined };
  if (text.startsWith('[')) {
    const key = KEY.exec(text);
    if (key === null) return { kind: 'unknown', why: 'the key has no closing bracket' };
    return { kind: 'key', path: key[2] ?? '', isRemoved: key[1] === '-' };
  }
  const value = VALUE.exec(text);
  if (value === null) return { kind: 'unknown', why: 'this is neither a key nor a value' };
  const data = readData(value[2] ?? '');
  if (typeof data === 'string') return { kind: 'unknown', why: data };
  return { kind: 'value', name: unescaped(value[1] ?? ''), data };
}

/** @returns why it is none */
function readData(text: string): RegistryData | string {
  if (text === '-') return { type: 'removed' };
  const string = STRING.exec(text);
  if (string !== null) return { type: 'string', text: unescaped(string[1] ?? '') };
  if (text.startsWith('"')) return 'the string has no closing quote, or something behind it';
  const dword = DWORD.exec(text);
  if (dword !== null) {
    const digits = dword[1] ?? '';
    if (digits.length < 1 || digits.length > 8) return 'a dword has one to eight hexadecimal digits';
    return { type: 'dword', number: Number.parseInt(digits, 16) };
  }
  if (/^dword:/i.test(text)) return 'a dword has one to eight hexadecimal digits';
  const hex = HEX.exec(text);
  if (hex !== null) {
    const digits = (hex[2] ?? '').split(',').map((each) => each.trim());
    const pairs = digits.filter((each) => each !== '');
    if (pairs.some((each) => !/^[0-9a-f]{1,2}$/i.test(each))) return 'a hex value is a list of bytes';
    const of = hex[1] === undefined ? REG_BINARY : Number.parseInt(hex[1], 16);
    return { type: 'hex', of, bytes: Uint8Array.from(pairs, (each) => Number.parseInt(each, 16)) };
  }
  if (/^hex\b/i.test(text)) return 'a hex value is a list of bytes';
  return OTHER.test(text) ? { type: 'other' } : 'the value is of no known type';
}

/** What a backslash stands before is meant as it is. */
function unescaped(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

/** A string as a value of an export. */
export function registryString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
