/**
 * GUIDs: their text form and Windows' sixteen bytes, whose first three fields are little-endian.
 */

import { i32le, putI32le, putU16le, u16le } from '../base/index.ts';

export const GUID_LEN = 16;

const FORM = /^\{?([0-9A-F]{8})-([0-9A-F]{4})-([0-9A-F]{4})-([0-9A-F]{4})-([0-9A-F]{12})\}?$/i;

/** Sixteen bytes of `8-4-4-4-12` hex digits, with or without braces; `null` when `text` is no GUID. */
export function parseGuid(text: string): Uint8Array | null {
  const parts = FORM.exec(text);
  if (parts === null) return null;
  const [, data1 = '', data2 = '', data3 = '', clock = '', node = ''] = parts;
  const bytes = new Uint8Array(GUID_LEN);
  putI32le(bytes, 0, Number.parseInt(data1, 16));
  putU16le(bytes, 4, Number.parseInt(data2, 16));
  putU16le(bytes, 6, Number.parseInt(data3, 16));
  const data4 = clock + node;
  for (let i = 0; i < 8; i++) bytes[8 + i] = Number.parseInt(data4.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** The text form in upper case, without braces. */
export function formatGuid(bytes: Uint8Array, at = 0): string {
  const hex = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, '0');
  let data4 = '';
  for (let i = 0; i < 8; i++) data4 += hex(bytes[at + 8 + i] as number, 2) + (i === 1 ? '-' : '');
  return `${hex(i32le(bytes, at) >>> 0, 8)}-${hex(u16le(bytes, at + 4), 4)}-${hex(u16le(bytes, at + 6), 4)}-${data4}`;
}

/**
 * Writes a GUID given as text.
 * @throws {RangeError} when `text` is no GUID: the caller wrote it.
 */
export function writeGuid(into: Uint8Array, at: number, text: string): void {
  const bytes = parseGuid(text);
  if (bytes === null) throw new RangeError(`not a GUID: ${text}`);
  into.set(bytes, at);
}
