/**
 * A look at a DNS message before it is decoded: that its counts, lengths and names hold, and which records can be told as text.
 *
 * The decoder joins labels with dots, reads bytes as UTF-8 and believes a record's length field only now and then. So a label
 * with a dot in it would become two, and two names of different bytes one. What could be misread is found here: a message
 * whose structure is broken is malformed, a record whose name can't be text is left out, and dots in labels are told by their place.
 *
 *     header (12) | questions: name type class | records: name type class ttl rdlength rdata     (RFC 1035 §4)
 */

/** Most records of all sections: an answer with more is an attack, or of no use here. */
export const MAX_RECORDS = 512;
const MAX_QUESTIONS = 16;
const HEADER_LEN = 12;
const OPT = 41;
/** RFC 1035 §2.3.4. */
const MAX_WIRE_NAME = 255;

/** Where a record lies. */
export interface ScannedRecord {
  readonly type: number;
  readonly class: number;
  readonly dataAt: number;
  readonly dataLength: number;
  /** Whether all names in it can be told as text. */
  readonly isPlain: boolean;
}

export interface ScannedQuestion {
  readonly type: number;
  readonly class: number;
  readonly isPlain: boolean;
}

export interface Scan {
  readonly questions: readonly ScannedQuestion[];
  /** By section: answers, authorities, additionals. */
  readonly records: readonly [ScannedRecord[], ScannedRecord[], ScannedRecord[]];
  /** Where labels have the byte that was looked for; a place may come twice. */
  readonly marks: readonly number[];
}

const DOT = 0x2e;

/** @param mark a byte to look for in labels @returns `null` when the message is malformed */
export function scanMessage(bytes: Uint8Array, mark = DOT): Scan | null {
  if (bytes.length < HEADER_LEN) return null;
  const scanner = new Scanner(bytes, mark);
  const questionCount = scanner.u16(4);
  const counts = [scanner.u16(6), scanner.u16(8), scanner.u16(10)] as const;
  if (questionCount > MAX_QUESTIONS || counts[0] + counts[1] + counts[2] > MAX_RECORDS) return null;
  const questions: ScannedQuestion[] = [];
  for (let i = 0; i < questionCount; i++) {
    const question = scanner.question();
    if (question === null) return null;
    questions.push(question);
  }
  const records: [ScannedRecord[], ScannedRecord[], ScannedRecord[]] = [[], [], []];
  for (const [section, count] of counts.entries()) {
    for (let i = 0; i < count; i++) {
      const record = scanner.record();
      if (record === null) return null;
      (records[section] as ScannedRecord[]).push(record);
    }
  }
  return { questions, records, marks: scanner.marks };
}

/** Fields of record data in front of a name, and names in a row, by type: those whose names the decoder reads. */
const NAMES_IN_DATA: ReadonlyMap<
  number,
  { readonly before: number; readonly names: number; readonly after: number }
> = new Map([
  [2, { before: 0, names: 1, after: 0 }], // NS
  [5, { before: 0, names: 1, after: 0 }], // CNAME
  [6, { before: 0, names: 2, after: 20 }], // SOA
  [12, { before: 0, names: 1, after: 0 }], // PTR
  [15, { before: 2, names: 1, after: 0 }], // MX
  [33, { before: 6, names: 1, after: 0 }], // SRV
  [39, { before: 0, names: 1, after: 0 }], // DNAME
]);
/** Types with data of one length: A, AAAA. */
const FIXED_LENGTHS: ReadonlyMap<number, number> = new Map([
  [1, 4],
  [28, 16],
]);
const SOA = 6;

class Scanner {
  readonly #bytes: Uint8Array;
  readonly #mark: number;
  readonly marks: number[] = [];
  #at = HEADER_LEN;
  /** Of the name read last. */
  #isPlain = true;

  constructor(bytes: Uint8Array, mark: number) {
    this.#bytes = bytes;
    this.#mark = mark;
  }

  u16(at: number): number {
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  question(): ScannedQuestion | null {
    const end = this.#name(this.#at, this.#bytes.length);
    if (end < 0 || end + 4 > this.#bytes.length) return null;
    this.#at = end + 4;
    return { type: this.u16(end), class: this.u16(end + 2), isPlain: this.#isPlain };
  }

  record(): ScannedRecord | null {
    const end = this.#name(this.#at, this.#bytes.length);
    if (end < 0 || end + 10 > this.#bytes.length) return null;
    const ownIsPlain = this.#isPlain;
    const type = this.u16(end);
    const dataLength = this.u16(end + 8);
    const dataAt = end + 10;
    if (dataAt + dataLength > this.#bytes.length) return null;
    if (type === OPT && this.#bytes[this.#at] !== 0) return null;
    const dataIsPlain = this.#data(type, dataAt, dataAt + dataLength);
    if (dataIsPlain === null) return null;
    this.#at = dataAt + dataLength;
    return { type, class: this.u16(end + 2), dataAt, dataLength, isPlain: ownIsPlain && dataIsPlain };
  }

  /** Whether the names in a record's data are plain; `null`: the data is malformed. */
  #data(type: number, at: number, end: number): boolean | null {
    const fixed = FIXED_LENGTHS.get(type);
    if (fixed !== undefined) return end - at === fixed ? true : null;
    const shape = NAMES_IN_DATA.get(type);
    if (shape === undefined) return true;
    let place = at + shape.before;
    let isPlain = true;
    for (let i = 0; i < shape.names; i++) {
      if (place >= end) return null;
      place = this.#name(place, end, type === SOA && i === 1);
      if (place < 0) return null;
      isPlain &&= this.#isPlain;
    }
    return place + shape.after === end ? isPlain : null;
  }

  /**
   * Walks a name.
   * @param limit where the bytes end that it may use before its first pointer
   * @param isMailbox its first label may have dots (RFC 1035 §8)
   * @returns where it ends, or -1 when it is malformed
   */
  #name(from: number, limit: number, isMailbox = false): number {
    const bytes = this.#bytes;
    let at = from;
    let end = -1;
    let bound = from;
    let length = 1;
    this.#isPlain = true;
    for (;;) {
      if (at >= (end < 0 ? limit : bytes.length)) return -1;
      const size = bytes[at] as number;
      if (size === 0) return end < 0 ? at + 1 : end;
      if (size >= 0xc0) {
        if (at + 1 >= (end < 0 ? limit : bytes.length)) return -1;
        const target = this.u16(at) & 0x3fff;
        if (end < 0) end = at + 2;
        // Only backwards, each time further: a loop is not possible (RFC 1035 §4.1.4). Nor into the header.
        if (target >= bound || target < HEADER_LEN) return -1;
        bound = target;
        at = target;
        continue;
      }
      if (size > 63) return -1;
      length += size + 1;
      if (length > MAX_WIRE_NAME || at + 1 + size > (end < 0 ? limit : bytes.length)) return -1;
      this.#isPlain &&= isPlainLabel(bytes, at + 1, size, !(isMailbox && length === size + 2));
      for (let i = at + 1; i <= at + size; i++) if (bytes[i] === this.#mark) this.marks.push(i);
      at += size + 1;
    }
  }
}

/**
 * Whether a label is text that comes back as the same bytes: UTF-8 without backslashes and control characters.
 * @param mayBeginWithDot a mailbox may not: its encoder would lose the dot
 */
function isPlainLabel(bytes: Uint8Array, at: number, length: number, mayBeginWithDot: boolean): boolean {
  let isAscii = true;
  for (let i = at; i < at + length; i++) {
    const byte = bytes[i] as number;
    const isLost = byte === DOT && i === at && !mayBeginWithDot;
    if (byte < 0x20 || isLost || byte === 0x5c || byte === 0x7f) return false;
    if (byte > 0x7f) isAscii = false;
  }
  return isAscii || isUtf8(bytes.subarray(at, at + length));
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strictUtf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
