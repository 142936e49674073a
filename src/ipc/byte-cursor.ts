/**
 * Structures of variable length as bytes, little-endian: a writer that grows and a reader that never reads past the end.
 */

import { i32le, putI32le, putU16le, u16le } from '../base/index.ts';

const FIRST_CAPACITY = 512;

export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What was written. Borrowed until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#bytes[this.#take(1)] = value;
  }

  u16(value: number): void {
    const at = this.#take(2);
    putU16le(this.#bytes, at, value);
  }

  u32(value: number): void {
    const at = this.#take(4);
    putI32le(this.#bytes, at, value);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Bytes behind their length as u16: 65,535 at most. */
  block(bytes: Uint8Array): void {
    this.u16(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.block(Buffer.from(text));
  }

  /** @returns where `count` more bytes begin */
  #take(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

/** A read past the end gives 0 or nothing, and the reader has failed. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at = 0;
  hasFailed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#end = bytes.length;
  }

  /** Whether everything was read, and nothing past the end. */
  get isDone(): boolean {
    return !this.hasFailed && this.#at === this.#end;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    const at = this.#take(1);
    return at < 0 ? 0 : (this.#bytes[at] as number);
  }

  u16(): number {
    const at = this.#take(2);
    return at < 0 ? 0 : u16le(this.#bytes, at);
  }

  u32(): number {
    const at = this.#take(4);
    return at < 0 ? 0 : i32le(this.#bytes, at) >>> 0;
  }

  /** The next `length` bytes, a copy. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    // A plain array of its own, whatever it is cut from.
    return at < 0 ? new Uint8Array(0) : Uint8Array.prototype.slice.call(this.#bytes, at, at + length);
  }

  block(): Uint8Array {
    return this.raw(this.u16());
  }

  text(length: number = this.u16()): string {
    return Buffer.from(this.raw(length)).toString('utf8');
  }

  #take(count: number): number {
    const at = this.#at;
    if (this.hasFailed || at + count > this.#end) {
      this.hasFailed = true;
      return -1;
    }
    this.#at = at + count;
    return at;
  }
}
