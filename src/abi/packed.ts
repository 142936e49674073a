/**
 * Structures with pointers as one piece of bytes: the structure first, what it points to behind it.
 *
 * A pointer is eight bytes, as on 64-bit Windows, and holds an offset from the start of the piece; 0 is NULL, for nothing points
 * back at the structure itself. That is how a name-space provider's blob carries a `hostent` (NSP-RULE-10), how
 * WSAAsyncGetXByY packs its result, and how structures travel between threads. Whoever needs real pointers adds the address.
 */

import { i32le, putI32le, putU16le, u16le } from '../base/index.ts';
import { formatGuid, GUID_LEN, parseGuid, writeGuid } from './guid.ts';

/** Bytes of a pointer, and the alignment of a structure that has one. */
export const POINTER_LEN = 8;

/** Which of the two forms of a text a structure points to: CHAR (Latin-1; `?` for what is none) or WCHAR. */
export type TextForm = 'A' | 'W';

const FIRST_ROOM = 256;
const QUESTION_MARK = 0x3f;

/** Builds such a piece. Offsets stay valid while it grows; `bytes` is what was built so far. */
export class Packer {
  readonly form: TextForm;
  #room = new Uint8Array(FIRST_ROOM);
  #length = 0;

  constructor(form: TextForm) {
    this.form = form;
  }

  get bytes(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  /** Zeroed bytes at the end, aligned. @returns their offset */
  reserve(length: number, alignment = POINTER_LEN): number {
    const at = Math.ceil(this.#length / alignment) * alignment;
    this.#length = at + length;
    if (this.#length > this.#room.length) {
      const room = new Uint8Array(Math.max(2 * this.#room.length, this.#length));
      room.set(this.#room);
      this.#room = room;
    }
    return at;
  }

  u16(at: number, value: number): void {
    putU16le(this.#room, at, value);
  }

  i32(at: number, value: number): void {
    putI32le(this.#room, at, value);
  }

  /** A pointer to what lies at `target`. */
  point(at: number, target: number): void {
    putI32le(this.#room, at, target);
  }

  /** A pointer to text, with its closing zero; NULL for none. */
  text(at: number, value: string | null | undefined): void {
    if (value === null || value === undefined) return;
    const width = this.form === 'W' ? 2 : 1;
    const target = this.reserve(width * (value.length + 1), width);
    for (let i = 0; i < value.length; i++) {
      const code = value.charCodeAt(i);
      if (this.form === 'W') putU16le(this.#room, target + 2 * i, code);
      else this.#room[target + i] = code < 0x100 ? code : QUESTION_MARK;
    }
    this.point(at, target);
  }

  /** A pointer to a copy of bytes; NULL for none. */
  copy(at: number, value: Uint8Array | null | undefined, alignment = POINTER_LEN): void {
    if (value === null || value === undefined) return;
    const target = this.reserve(value.length, alignment);
    this.#room.set(value, target);
    this.point(at, target);
  }

  /** A GUID, here. */
  guid(at: number, value: string): void {
    writeGuid(this.#room, at, value);
  }

  /** A pointer to a GUID; NULL for none, and for text that is no GUID. */
  guidPointer(at: number, value: string | null | undefined): void {
    const bytes = value === null || value === undefined ? null : parseGuid(value);
    this.copy(at, bytes, 4);
  }

  /** A pointer to an array of pointers with a NULL at its end, each filled by `put`. */
  list<T>(at: number, values: readonly T[], put: (at: number, value: T) => void): void {
    const target = this.reserve(POINTER_LEN * (values.length + 1));
    this.point(at, target);
    for (const [i, value] of values.entries()) put(target + POINTER_LEN * i, value);
  }
}

/** Most elements of a list that a reader follows. */
const LIST_MAX = 4096;

/**
 * Reads such a piece. Whatever it says, nothing outside it is read: a pointer that leads out, or to less than is wanted there, is
 * NULL to the reader.
 */
export class PackedReader {
  readonly bytes: Uint8Array;
  readonly form: TextForm;

  constructor(bytes: Uint8Array, form: TextForm) {
    this.bytes = bytes;
    this.form = form;
  }

  /** Whether `length` bytes lie at `at`. */
  has(at: number, length: number): boolean {
    return at >= 0 && length >= 0 && at + length <= this.bytes.length;
  }

  u16(at: number): number {
    return u16le(this.bytes, at);
  }

  i32(at: number): number {
    return i32le(this.bytes, at);
  }

  u32(at: number): number {
    return i32le(this.bytes, at) >>> 0;
  }

  /** Where the pointer at `at` leads if `length` bytes are there; −1 for NULL and for one that leads out. */
  target(at: number, length: number): number {
    if (!this.has(at, POINTER_LEN)) return -1;
    const target = this.u32(at);
    return target !== 0 && this.i32(at + 4) === 0 && this.has(target, length) ? target : -1;
  }

  /** The text that the pointer at `at` leads to; without a closing zero it is none. */
  text(at: number): string | null {
    const width = this.form === 'W' ? 2 : 1;
    const target = this.target(at, width);
    if (target < 0) return null;
    let value = '';
    for (let place = target; this.has(place, width); place += width) {
      const code = width === 2 ? u16le(this.bytes, place) : (this.bytes[place] as number);
      if (code === 0) return value;
      value += String.fromCharCode(code);
    }
    return null;
  }

  /** A copy of the `length` bytes that the pointer at `at` leads to. */
  copy(at: number, length: number): Uint8Array | null {
    const target = this.target(at, length);
    return target < 0 ? null : this.bytes.slice(target, target + length);
  }

  guidPointer(at: number): string | null {
    const target = this.target(at, GUID_LEN);
    return target < 0 ? null : formatGuid(this.bytes, target);
  }

  /** Where the pointers of a list that ends with NULL stand. */
  list(at: number): number[] {
    const places: number[] = [];
    for (
      let place = this.target(at, POINTER_LEN);
      place >= 0 && places.length < LIST_MAX;
      place += POINTER_LEN
    ) {
      if (this.target(place, 1) < 0) break;
      places.push(place);
    }
    return places;
  }
}
