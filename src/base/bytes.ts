/**
 * Big-endian (network order) and little-endian readers and writers over a `Uint8Array`.
 *
 * They are the one place that indexes bytes without a bounds answer: parsers check a length once and then read
 * freely. A read past the end is a caller's bug; it yields 0 rather than `NaN`, so that it stays an integer.
 * 32-bit values are `| 0` integers (−2³¹ … 2³¹−1): larger ones would leave V8's small-integer range.
 */

/** The byte at `at`. */
export function u8(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | 0;
}

/** The 16-bit number in network order at `at`, 0 … 65535. */
export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** The 32-bit number in network order at `at`, as a signed integer. */
export function i32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Writes the low 16 bits of `value` in network order. */
export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

/** Writes a 32-bit integer in network order. */
export function putI32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** The 16-bit number in little-endian order at `at`, 0 … 65535. */
export function u16le(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

/** The 32-bit number in little-endian order at `at`, as a signed integer. */
export function i32le(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Writes the low 16 bits of `value` in little-endian order. */
export function putU16le(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Writes a 32-bit integer in little-endian order. */
export function putI32le(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** An array of no bytes, shared: nothing can be written to it. */
export const EMPTY = new Uint8Array(0);

/** Copies `length` bytes between arrays; ranges must lie inside both. */
export function copy(from: Uint8Array, fromAt: number, into: Uint8Array, at: number, length: number): void {
  into.set(from.subarray(fromAt, fromAt + length), at);
}

/** Bytes of their own, which stay when what they were made of changes: `slice` of a Buffer of Node's is the same memory. */
export function copyOf(bytes: Uint8Array, start = 0, end = bytes.length): Uint8Array {
  return new Uint8Array(bytes.subarray(start, end));
}

/** The same of what may be missing. */
export function copyOrNull(bytes: Uint8Array | null | undefined): Uint8Array | null {
  return bytes === null || bytes === undefined ? null : new Uint8Array(bytes);
}

/** `bytes` as lower-case hex without spaces. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/**
 * Bytes from hex digits; white space and `#` comments to the end of a line are skipped, so that a packet in a test can
 * carry a comment per field.
 * @throws {RangeError} on an odd digit count or a character that is no hex digit.
 */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/#.*$/gm, '').replace(/\s+/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new RangeError(`not hex bytes: ${text}`);
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** A 32-bit word in the other order of bytes. */
export function swap32(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
