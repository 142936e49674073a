/**
 * Builds one pcapng block at a time, little-endian, in a buffer that is reused and grows to the largest block.
 */

import { putI32le, putU16le } from '../base/index.ts';
import { BLOCK_FRAME_LEN, OPT_END, padded } from './pcapng-format.ts';

/** Most bytes of a text: longer ones are cut between characters. The format's own bound is 65,535. */
const MAX_TEXT = 4096;

const FIRST_BYTES = 4096;

export class BlockBuilder {
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array(FIRST_BYTES);
  #end = 0;
  #hasOptions = false;

  /** Starts a block; what was built before is gone. */
  begin(type: number): void {
    this.#hasOptions = false;
    this.#end = 8;
    putI32le(this.#bytes, 0, type);
  }

  /** Ends the block. @returns it, valid until the next `begin` */
  end(): Uint8Array {
    this.#reserve(8);
    if (this.#hasOptions) {
      putI32le(this.#bytes, this.#end, OPT_END);
      this.#end += 4;
    }
    const length = this.#end - 8 + BLOCK_FRAME_LEN;
    putI32le(this.#bytes, 4, length);
    putI32le(this.#bytes, this.#end, length);
    return this.#bytes.subarray(0, length);
  }

  u16(value: number): void {
    this.#reserve(2);
    putU16le(this.#bytes, this.#end, value);
    this.#end += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    putI32le(this.#bytes, this.#end, value);
    this.#end += 4;
  }

  /** A timestamp of two words, the high one first, in nanoseconds. */
  time(timeMs: number): void {
    const wholeMs = Math.floor(timeMs);
    const restNs = Math.round((timeMs - wholeMs) * 1e6);
    // A double can't hold today's nanoseconds: the milliseconds are multiplied in two halves, split at 2²⁰.
    const low = (wholeMs % 0x10_0000) * 1e6 + restNs;
    const high = Math.floor(wholeMs / 0x10_0000) * 1e6 + Math.floor(low / 0x10_0000);
    this.u32(Math.floor(high / 0x1000));
    this.u32((high % 0x1000) * 0x10_0000 + (low % 0x10_0000));
  }

  /** Bytes, padded with zeros to a multiple of 4. */
  bytes(from: Uint8Array, at: number, length: number): void {
    const room = padded(length);
    this.#reserve(room);
    this.#bytes.set(from.subarray(at, at + length), this.#end);
    this.#bytes.fill(0, this.#end + length, this.#end + room);
    this.#end += room;
  }

  optionBytes(code: number, value: Uint8Array): void {
    this.#option(code, value.length);
    this.bytes(value, 0, value.length);
  }

  optionU32(code: number, value: number): void {
    this.#option(code, 4);
    this.u32(value);
  }

  /** @param value an integer below 2⁵³ */
  optionU64(code: number, value: number): void {
    this.#option(code, 8);
    this.u32(value % 0x1_0000_0000);
    this.u32(Math.floor(value / 0x1_0000_0000));
  }

  optionText(code: number, text: string): void {
    this.#reserve(4 + MAX_TEXT + 4);
    const at = this.#end;
    const { written } = this.#encoder.encodeInto(text, this.#bytes.subarray(at + 4, at + 4 + MAX_TEXT));
    this.#option(code, written);
    this.#end += padded(written);
    this.#bytes.fill(0, at + 4 + written, this.#end);
  }

  #option(code: number, length: number): void {
    this.#hasOptions = true;
    this.u16(code);
    this.u16(length);
  }

  /** Makes sure that `length` more bytes fit, and the end of the block behind them. */
  #reserve(length: number): void {
    const needed = this.#end + length + 8;
    if (needed <= this.#bytes.length) return;
    const bigger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    bigger.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = bigger;
  }
}
