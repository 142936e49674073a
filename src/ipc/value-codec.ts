/**
 * Values in bytes: what a report of calls is made of (docs/ipc.md, "Watching"). A value is a tag and what follows:
 *
 * | tag | | followed by |
 * |---|---|---|
 * | 0, 1, 2 | null, false, true | |
 * | 3 | a whole number of 32 bits | its zigzag form in groups of seven bits, the lowest first |
 * | 4 | any other number | an IEEE 754 double, little-endian |
 * | 5 | a text that is new | its length in bytes, UTF-8 |
 * | 6 | a text that came before in the same bytes | its place among those, from 0 |
 * | 7 | a list | how many, the values |
 * | 8 | names and values | how many, for each a text as above with its tag, and a value |
 *
 * Lengths, places and counts are in groups of seven bits. What is read is never believed: wrong bytes are no value.
 */

import type { WatchValue } from '../port/index.ts';

const Tag = { null: 0, false: 1, true: 2, int: 3, double: 4, text: 5, known: 6, list: 7, object: 8 } as const;

/** Bounds of what is read, and what is written keeps to them. */
export const VALUE_LIMITS = {
  /** Values within values. */
  depth: 12,
  /** Bytes of a text; longer ones are cut. */
  text: 1024,
  /** Texts that can be referred to. */
  known: 4096,
  /** Values in the same bytes. */
  values: 65_536,
  /** Characters of all texts together, those that are referred to counted each time: a few bytes must not become very many. */
  characters: 1 << 20,
} as const;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** Writes values one after the other. */
export class ValueWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 0;
  #characters = 0;
  #known = new Map<string, number>();

  constructor(room = 1024) {
    this.#bytes = new Uint8Array(room);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#at;
  }

  /** Of all texts, as a reader counts them. */
  get characters(): number {
    return this.#characters;
  }

  /** All that was written; a copy. */
  get bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  write(value: WatchValue, depth = 0): void {
    if (value === null || depth >= VALUE_LIMITS.depth) this.#byte(Tag.null);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'boolean') this.#byte(value ? Tag.true : Tag.false);
    else if (isList(value)) {
      this.#byte(Tag.list);
      this.#count(value.length);
      for (const inner of value) this.write(inner, depth + 1);
    } else {
      const entries = Object.entries(value);
      this.#byte(Tag.object);
      this.#count(entries.length);
      for (const [name, inner] of entries) {
        this.#text(name);
        this.write(inner, depth + 1);
      }
    }
  }

  #number(value: number): void {
    if (!Number.isInteger(value) || value !== (value | 0) || Object.is(value, -0)) {
      this.#room(9);
      this.#bytes[this.#at] = Tag.double;
      this.#view.setFloat64(this.#at + 1, value, true);
      this.#at += 9;
      return;
    }
    this.#byte(Tag.int);
    this.#count(((value << 1) ^ (value >> 31)) >>> 0);
  }

  #text(value: string): void {
    this.#characters += Math.min(value.length, VALUE_LIMITS.text);
    const place = this.#known.get(value);
    if (place !== undefined) {
      this.#byte(Tag.known);
      this.#count(place);
      return;
    }
    const bytes = encoder.encode(value.slice(0, VALUE_LIMITS.text / 4));
    if (this.#known.size < VALUE_LIMITS.known) this.#known.set(value, this.#known.size);
    this.#byte(Tag.text);
    this.#count(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** @param value 0 … 2³² − 1 */
  #count(value: number): void {
    let left = value;
    while (left > 0x7f) {
      this.#byte((left & 0x7f) | 0x80);
      left >>>= 7;
    }
    this.#byte(left);
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** Reads values one after the other. */
export class ValueReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #known: string[] = [];
  #at = 0;
  #values = 0;
  #characters = 0;
  /** What was read is no value, or there are too many. */
  isWrong = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get isAtEnd(): boolean {
    return this.isWrong || this.#at >= this.#bytes.length;
  }

  /** The next value; `null` with {@link isWrong} when there is none. */
  read(depth = 0): WatchValue {
    if (depth > VALUE_LIMITS.depth || ++this.#values > VALUE_LIMITS.values) return this.#wrong();
    const tag = this.#byte();
    switch (tag) {
      case Tag.null:
        return null;
      case Tag.false:
      case Tag.true:
        return tag === Tag.true;
      case Tag.int: {
        const zigzag = this.#count();
        return (zigzag >>> 1) ^ -(zigzag & 1);
      }
      case Tag.double:
        return this.#double();
      case Tag.text:
      case Tag.known:
        return this.#text(tag);
      case Tag.list:
        return this.#list(depth);
      case Tag.object:
        return this.#object(depth);
      default:
        return this.#wrong();
    }
  }

  #list(depth: number): WatchValue {
    const count = this.#count();
    // Each has a byte at least.
    if (count > this.#bytes.length - this.#at) return this.#wrong();
    const list: WatchValue[] = [];
    for (let i = 0; i < count && !this.isWrong; i++) list.push(this.read(depth + 1));
    return this.isWrong ? null : list;
  }

  #object(depth: number): WatchValue {
    const count = this.#count();
    if (count > this.#bytes.length - this.#at) return this.#wrong();
    const entries: [string, WatchValue][] = [];
    for (let i = 0; i < count && !this.isWrong; i++) {
      const name = this.#text(this.#byte());
      if (name === null) return this.#wrong();
      entries.push([name, this.read(depth + 1)]);
    }
    // As properties of their own, whatever they are called.
    return this.isWrong ? null : Object.fromEntries(entries);
  }

  #text(tag: number): string | null {
    if (tag === Tag.known) {
      const text = this.#known[this.#count()];
      return text === undefined ? this.#wrong() : this.#counted(text);
    }
    if (tag !== Tag.text) return this.#wrong();
    const length = this.#count();
    if (length > VALUE_LIMITS.text || length > this.#bytes.length - this.#at) return this.#wrong();
    try {
      const text = decoder.decode(this.#bytes.subarray(this.#at, this.#at + length));
      this.#at += length;
      if (this.#known.length < VALUE_LIMITS.known) this.#known.push(text);
      return this.#counted(text);
    } catch {
      return this.#wrong();
    }
  }

  #counted(text: string): string | null {
    this.#characters += text.length;
    return this.#characters > VALUE_LIMITS.characters ? this.#wrong() : text;
  }

  #double(): WatchValue {
    if (this.#bytes.length - this.#at < 8) return this.#wrong();
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return Number.isFinite(value) ? value : null;
  }

  #count(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value <= 0xffff_ffff ? value : this.#over();
    }
    return this.#over();
  }

  #byte(): number {
    if (this.#at >= this.#bytes.length) return this.#over();
    return this.#bytes[this.#at++] as number;
  }

  #over(): number {
    this.isWrong = true;
    return 0;
  }

  #wrong(): null {
    this.isWrong = true;
    return null;
  }
}

function isList(value: object): value is readonly WatchValue[] {
  return Array.isArray(value);
}
