/**
 * Reads pcapng (draft-ietf-opsawg-pcapng), in both byte orders, with several sections and any timestamp resolution.
 *
 * Strict: a length that cannot be ends the reading with an error that names the place, after the packets before it. Bounded:
 * what it holds of a file are the interfaces of one section. Blocks and options that it does not know are skipped.
 */

import { EMPTY, i32, i32le, u16, u16le } from '../base/index.ts';
import { CaptureError } from './capture-error.ts';
import type { CapturedPacket, Direction, ReadInterface } from './captured-packet.ts';
import {
  BLOCK_ENHANCED_PACKET,
  BLOCK_FRAME_LEN,
  BLOCK_INTERFACE_DESCRIPTION,
  BLOCK_SECTION_HEADER,
  BLOCK_SIMPLE_PACKET,
  BYTE_ORDER_MAGIC,
  DIRECTION_INBOUND,
  DIRECTION_MASK,
  DIRECTION_OUTBOUND,
  EPB_FLAGS,
  IF_DESCRIPTION,
  IF_NAME,
  IF_TSOFFSET,
  IF_TSRESOL,
  OPT_COMMENT,
  OPT_END,
  padded,
} from './pcapng-format.ts';

/** A larger block is a broken length. */
const MAX_BLOCK = 16 << 20;
const MAX_INTERFACES = 65_536;
const NS_PER_SECOND = 1_000_000_000n;
const MICROSECONDS = 6;

/** An interface with how to read its timestamps. */
interface TimedInterface extends ReadInterface {
  readonly unitsPerSecond: bigint;
  readonly offsetSeconds: bigint;
}

/** The packets of a pcapng file. @throws {CaptureError} */
export function* readPcapng(file: Uint8Array): Generator<CapturedPacket> {
  const section = new SectionReader(file);
  for (let at = 0; at < file.length; ) {
    const length = section.openBlock(at);
    const packet = section.readBlock(at, length);
    if (packet !== null) yield packet;
    at += length;
  }
}

/** Reads blocks of one section after the other: knows byte order and interfaces of the one that it is in. */
class SectionReader {
  readonly #file: Uint8Array;
  #isBig = false;
  #interfaces: TimedInterface[] = [];

  constructor(file: Uint8Array) {
    this.#file = file;
  }

  /** Checks the frame of the block at `at`, and enters its section when it starts one. @returns its length */
  openBlock(at: number): number {
    const file = this.#file;
    const room = file.length - at;
    if (room < BLOCK_FRAME_LEN) throw new CaptureError('truncated', at, 'a block is cut short');
    // Reads the same in both orders, because a section header is what tells the order.
    if (i32(file, at) === BLOCK_SECTION_HEADER) this.#enterSection(at, room);
    else if (at === 0) throw new CaptureError('not-a-capture', 0, 'no section header at the start');
    const length = this.#u32(at + 4);
    if (length < BLOCK_FRAME_LEN || length % 4 !== 0 || length > MAX_BLOCK) {
      throw new CaptureError('malformed', at + 4, `a block of ${length} bytes`);
    }
    if (length > room) throw new CaptureError('truncated', at, 'a block is cut short');
    const again = this.#u32(at + length - 4);
    if (again !== length) {
      throw new CaptureError('malformed', at + length - 4, `block lengths differ: ${length} and ${again}`);
    }
    return length;
  }

  /** @returns the packet in the block, `null` when it is of another kind */
  readBlock(at: number, length: number): CapturedPacket | null {
    const end = at + length - 4;
    switch (this.#u32(at)) {
      case BLOCK_SECTION_HEADER:
        this.#checkVersion(at, end);
        return null;
      case BLOCK_INTERFACE_DESCRIPTION:
        this.#readInterface(at + 8, end);
        return null;
      case BLOCK_ENHANCED_PACKET:
        return this.#readEnhanced(at + 8, end);
      case BLOCK_SIMPLE_PACKET:
        return this.#readSimple(at + 8, end);
      default:
        return null;
    }
  }

  #enterSection(at: number, room: number): void {
    if (room < 28) throw new CaptureError('truncated', at, 'a section header is cut short');
    this.#interfaces = [];
    if (i32(this.#file, at + 8) === BYTE_ORDER_MAGIC) this.#isBig = true;
    else if (i32le(this.#file, at + 8) === BYTE_ORDER_MAGIC) this.#isBig = false;
    else throw new CaptureError('not-a-capture', at + 8, 'no byte-order magic');
  }

  #checkVersion(at: number, end: number): void {
    if (end - at < 24) throw new CaptureError('malformed', at, 'a section header without a body');
    const major = this.#u16(at + 12);
    if (major !== 1) throw new CaptureError('not-a-capture', at + 12, `pcapng version ${major} is not known`);
  }

  #readInterface(at: number, end: number): void {
    if (end - at < 8) throw new CaptureError('malformed', at, 'an interface description without a body');
    if (this.#interfaces.length === MAX_INTERFACES) {
      throw new CaptureError('malformed', at, 'too many interfaces');
    }
    let name = '';
    let description = '';
    let resolution = MICROSECONDS;
    let offsetSeconds = 0n;
    this.#eachOption(at + 8, end, (code, value, valueAt) => {
      if (code === IF_NAME) name = text(value);
      else if (code === IF_DESCRIPTION) description = text(value);
      else if (code === IF_TSRESOL && value.length === 1) resolution = value[0] as number;
      else if (code === IF_TSOFFSET && value.length === 8)
        offsetSeconds = BigInt.asIntN(64, this.#u64(valueAt));
    });
    const exponent = BigInt(resolution & 0x7f);
    this.#interfaces.push({
      linkType: this.#u16(at),
      snapLength: this.#u32(at + 4),
      name,
      description,
      unitsPerSecond: (resolution & 0x80) === 0 ? 10n ** exponent : 2n ** exponent,
      offsetSeconds,
    });
  }

  #readEnhanced(at: number, end: number): CapturedPacket {
    if (end - at < 20) throw new CaptureError('malformed', at, 'a packet block without a body');
    const from = this.#interfaceOf(this.#u32(at), at);
    const length = this.#u32(at + 12);
    const bytesAt = at + 20;
    if (length > end - bytesAt) throw new CaptureError('malformed', at + 12, `a packet of ${length} bytes`);
    const units = (BigInt(this.#u32(at + 4)) << 32n) | BigInt(this.#u32(at + 8));
    const comments: string[] = [];
    let direction: Direction = 'unknown';
    this.#eachOption(bytesAt + padded(length), end, (code, value, valueAt) => {
      if (code === OPT_COMMENT) comments.push(text(value));
      else if (code === EPB_FLAGS && value.length === 4) direction = directionOf(this.#u32(valueAt));
    });
    return {
      interface: from,
      timeNs: (units * NS_PER_SECOND) / from.unitsPerSecond + from.offsetSeconds * NS_PER_SECOND,
      bytes: this.#file.subarray(bytesAt, bytesAt + length),
      originalLength: this.#u32(at + 16),
      direction,
      comments,
    };
  }

  /** A packet of the first interface, without a time; how much of it was kept follows from the snap length. */
  #readSimple(at: number, end: number): CapturedPacket {
    if (end - at < 4) throw new CaptureError('malformed', at, 'a packet block without a body');
    const from = this.#interfaceOf(0, at);
    const originalLength = this.#u32(at);
    const length = from.snapLength === 0 ? originalLength : Math.min(originalLength, from.snapLength);
    if (length > end - at - 4) throw new CaptureError('malformed', at, `a packet of ${length} bytes`);
    const bytes = this.#file.subarray(at + 4, at + 4 + length);
    return { interface: from, timeNs: null, bytes, originalLength, direction: 'unknown', comments: [] };
  }

  #interfaceOf(id: number, at: number): TimedInterface {
    const found = this.#interfaces[id];
    if (found === undefined) throw new CaptureError('malformed', at, `no interface ${id} in this section`);
    return found;
  }

  /** Calls `take` with each option of the list `at … end`, which may be absent. */
  #eachOption(
    at: number,
    end: number,
    take: (code: number, value: Uint8Array, valueAt: number) => void,
  ): void {
    let next = at;
    while (end - next >= 4) {
      const code = this.#u16(next);
      const length = this.#u16(next + 2);
      if (code === OPT_END) return;
      if (padded(length) > end - next - 4) {
        throw new CaptureError('malformed', next + 2, `an option of ${length} bytes`);
      }
      take(code, length === 0 ? EMPTY : this.#file.subarray(next + 4, next + 4 + length), next + 4);
      next += 4 + padded(length);
    }
    if (next !== end) throw new CaptureError('malformed', next, 'an option is cut short');
  }

  #u16(at: number): number {
    return this.#isBig ? u16(this.#file, at) : u16le(this.#file, at);
  }

  #u32(at: number): number {
    return (this.#isBig ? i32(this.#file, at) : i32le(this.#file, at)) >>> 0;
  }

  #u64(at: number): bigint {
    const first = BigInt(this.#u32(at));
    const second = BigInt(this.#u32(at + 4));
    return this.#isBig ? (first << 32n) | second : (second << 32n) | first;
  }
}

function directionOf(flags: number): Direction {
  const bits = flags & DIRECTION_MASK;
  if (bits === DIRECTION_INBOUND) return 'in';
  return bits === DIRECTION_OUTBOUND ? 'out' : 'unknown';
}

/** UTF-8; what is none reads as replacement characters. */
function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
