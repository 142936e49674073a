/**
 * Frames of the IPC protocol: the 16-byte header, and a decoder that takes a stream in chunks of any size.
 *
 *      0        4      6      8        12     14     16
 *      | length | type | flags|  id    | head | zero | head bytes … | bulk bytes … |
 *
 * `length` covers the whole message, `head` its structured part; the rest is bulk. A head is handed over in one piece
 * (copied only when it spans chunks), bulk in the pieces in which it arrived, so that bulk bytes are never assembled
 * here: the receiver copies them once, to where they belong.
 */

import { EMPTY, i32le, putI32le, putU16le, u16le } from '../base/index.ts';
import { expect, HEAD_LEN_MAX, HEADER_LEN } from './protocol.ts';

/** A message's header. The decoder has one, filled anew for each message. */
export interface FrameHeader {
  /** Of the whole message, bytes. */
  length: number;
  type: number;
  flags: number;
  /** The request's id; 0 in messages that belong to none. */
  id: number;
  /** Bytes of the structured part. */
  head: number;
}

/** Who takes what a decoder finds. Any of them may throw a `ProtocolError`, which leaves `push`. */
export interface FrameSink {
  /** A header is in, its lengths are within bounds. */
  frameStarted(header: FrameHeader): void;
  /** The head is in, `header.head` bytes at `at`, borrowed until this returns. `bulk` bytes follow. */
  frameHead(header: FrameHeader, bytes: Uint8Array, at: number, bulk: number): void;
  /** A piece of bulk, borrowed until this returns; `left` bytes are still to come. */
  frameBulk(header: FrameHeader, bytes: Uint8Array, at: number, length: number, left: number): void;
}

/** Writes a header. @returns where the head goes. */
export function writeHeader(
  into: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
  head: number,
): number {
  putI32le(into, at, length);
  putU16le(into, at + 4, type);
  putU16le(into, at + 6, flags);
  putI32le(into, at + 8, id);
  putU16le(into, at + 12, head);
  putU16le(into, at + 14, 0);
  return at + HEADER_LEN;
}

const IN_HEADER = 0;
const IN_HEAD = 1;
const IN_BULK = 2;

/** Cuts a byte stream into messages. Holds at most a header and a head. */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #header: FrameHeader = { length: 0, type: 0, flags: 0, id: 0, head: 0 };
  readonly #partial = new Uint8Array(HEAD_LEN_MAX);
  /** Bytes in `#partial`. */
  #have = 0;
  #state: number = IN_HEADER;
  /** Bulk bytes of this message that have not come. */
  #left = 0;
  #isStopped = false;
  /** Longest message taken; may be raised after the handshake. */
  maxMessage: number;

  constructor(sink: FrameSink, maxMessage: number) {
    this.#sink = sink;
    this.maxMessage = maxMessage;
  }

  /** Takes no further byte, of this chunk neither. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Takes the next bytes of the stream, borrowed until this returns.
   * @throws {ProtocolError} on a header out of bounds, and whatever the sink throws; the decoder is then of no use.
   */
  push(chunk: Uint8Array, from = 0, end: number = chunk.length): void {
    let at = from;
    while (at < end && !this.#isStopped) {
      if (this.#state === IN_HEADER) at = this.#takeHeader(chunk, at, end);
      else if (this.#state === IN_HEAD) at = this.#takeHead(chunk, at, end);
      else at = this.#takeBulk(chunk, at, end);
    }
  }

  #takeHeader(chunk: Uint8Array, at: number, end: number): number {
    if (this.#have === 0 && end - at >= HEADER_LEN) {
      this.#startFrame(chunk, at);
      return at + HEADER_LEN;
    }
    const next = this.#gather(chunk, at, end, HEADER_LEN);
    if (this.#have === HEADER_LEN) {
      this.#have = 0;
      this.#startFrame(this.#partial, 0);
    }
    return next;
  }

  #takeHead(chunk: Uint8Array, at: number, end: number): number {
    const { head } = this.#header;
    if (this.#have === 0 && end - at >= head) {
      this.#finishHead(chunk, at);
      return at + head;
    }
    const next = this.#gather(chunk, at, end, head);
    if (this.#have === head) {
      this.#have = 0;
      this.#finishHead(this.#partial, 0);
    }
    return next;
  }

  #takeBulk(chunk: Uint8Array, at: number, end: number): number {
    const take = Math.min(this.#left, end - at);
    this.#left -= take;
    if (this.#left === 0) this.#state = IN_HEADER;
    this.#sink.frameBulk(this.#header, chunk, at, take, this.#left);
    return at + take;
  }

  /** Copies towards `wanted` bytes in `#partial`. @returns where it stopped in `chunk`. */
  #gather(chunk: Uint8Array, at: number, end: number, wanted: number): number {
    const take = Math.min(wanted - this.#have, end - at);
    this.#partial.set(chunk.subarray(at, at + take), this.#have);
    this.#have += take;
    return at + take;
  }

  #startFrame(bytes: Uint8Array, at: number): void {
    const header = this.#header;
    header.length = i32le(bytes, at) >>> 0;
    header.type = u16le(bytes, at + 4);
    header.flags = u16le(bytes, at + 6);
    header.id = i32le(bytes, at + 8);
    header.head = u16le(bytes, at + 12);
    expect(
      header.length >= HEADER_LEN + header.head,
      `message of ${header.length} bytes is shorter than its head`,
    );
    expect(header.length <= this.maxMessage, `message of ${header.length} bytes exceeds ${this.maxMessage}`);
    expect(header.head <= HEAD_LEN_MAX, `head of ${header.head} bytes exceeds ${HEAD_LEN_MAX}`);
    expect(u16le(bytes, at + 14) === 0, 'reserved header field is not zero');
    this.#state = IN_HEAD;
    this.#sink.frameStarted(header);
    if (header.head === 0) this.#finishHead(EMPTY, 0);
  }

  #finishHead(bytes: Uint8Array, at: number): void {
    const header = this.#header;
    this.#left = header.length - HEADER_LEN - header.head;
    this.#state = this.#left === 0 ? IN_HEADER : IN_BULK;
    this.#sink.frameHead(header, bytes, at, this.#left);
  }
}
