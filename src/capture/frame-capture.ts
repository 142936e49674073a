/**
 * Records frames as they cross between a link and a stack, as packets that a wire would carry.
 *
 * Frames may be super-segments with partial checksums, which no wire knows and tshark would complain about. What is written
 * is a copy: super-segments cut into packets (unless told not to) and checksums completed. The frames are not changed.
 */

import {
  copy,
  FRAME_COLUMNS,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_OFFSET,
  type FrameBatch,
  flattenFrame,
  GSO_NONE,
  type Medium,
  type TransmitBatch,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  transmitLength,
} from '../base/index.ts';
import { completeChecksum, ETHERNET_HEADER_LEN, SegmentCutter } from '../wire/index.ts';
import type { Direction } from './captured-packet.ts';
import type { CaptureInterface, PcapngWriter } from './pcapng-writer.ts';

export interface FrameCaptureOptions {
  /** Whether super-segments are cut into packets (default), or written whole, as a capture on a device shows them. */
  readonly splitSegments?: boolean;
}

export class FrameCapture {
  readonly #writer: PcapngWriter;
  readonly #splitSegments: boolean;
  readonly #mediums: Medium[] = [];
  readonly #cutter = new SegmentCutter();
  /** A frame in one piece, and a packet cut from it. They grow to the largest frame, once. */
  #frame = new Uint8Array(2048);
  #packet = new Uint8Array(2048);

  constructor(writer: PcapngWriter, options: FrameCaptureOptions = {}) {
    this.#writer = writer;
    this.#splitSegments = options.splitSegments ?? true;
  }

  /** Adds an interface. @returns its number in the capture */
  addInterface(description: CaptureInterface): number {
    const id = this.#writer.addInterface(description);
    this.#mediums[id] = description.medium;
    return id;
  }

  /** Records frame `index` of a batch that came in. `timeMs` since 1970; `comment` may be empty. */
  received(interfaceId: number, timeMs: number, batch: FrameBatch, index: number, comment: string): void {
    const { table } = batch;
    const row = index * FRAME_COLUMNS;
    const at = table[row + FRAME_OFFSET] as number;
    const length = table[row + FRAME_LENGTH] as number;
    const flags = table[row + FRAME_FLAGS] as number;
    const gsoType = table[row + FRAME_GSO_TYPE] as number;
    if (gsoType === GSO_NONE && (flags & FRAME_NEEDS_CSUM) === 0) {
      this.#writer.writePacket(interfaceId, timeMs, batch.bytes, at, length, 'in', comment);
      return;
    }
    this.#reserve(length);
    copy(batch.bytes, at, this.#frame, 0, length);
    const gsoSize = table[row + FRAME_GSO_SIZE] as number;
    const csumStart = table[row + FRAME_CSUM_START] as number;
    const csumOffset = table[row + FRAME_CSUM_OFFSET] as number;
    if (this.#writeSegments(interfaceId, timeMs, length, gsoType, gsoSize, 'in', comment)) return;
    this.#writeFrame(interfaceId, timeMs, length, flags, csumStart, csumOffset, 'in', comment);
  }

  /** Records frame `index` of a batch that goes out. */
  sent(interfaceId: number, timeMs: number, batch: TransmitBatch, index: number, comment: string): void {
    const { table } = batch;
    const row = index * TX_COLUMNS;
    const length = transmitLength(batch, index);
    this.#reserve(length);
    flattenFrame(batch, index, this.#frame, 0);
    const flags = table[row + TX_FLAGS] as number;
    const gsoType = table[row + TX_GSO_TYPE] as number;
    const gsoSize = table[row + TX_GSO_SIZE] as number;
    const csumStart = table[row + TX_CSUM_START] as number;
    const csumOffset = table[row + TX_CSUM_OFFSET] as number;
    if (this.#writeSegments(interfaceId, timeMs, length, gsoType, gsoSize, 'out', comment)) return;
    this.#writeFrame(interfaceId, timeMs, length, flags, csumStart, csumOffset, 'out', comment);
  }

  /** Cuts the frame in `#frame` and writes the packets. @returns false when it is to be written whole */
  #writeSegments(
    interfaceId: number,
    timeMs: number,
    length: number,
    gsoType: number,
    gsoSize: number,
    direction: Direction,
    comment: string,
  ): boolean {
    if (gsoType === GSO_NONE || !this.#splitSegments) return false;
    const linkLength = this.#mediums[interfaceId] === 'ethernet' ? ETHERNET_HEADER_LEN : 0;
    const count = this.#cutter.begin(this.#frame, 0, length, linkLength, gsoType, gsoSize);
    for (let i = 0; i < count; i++) {
      const end = this.#cutter.write(i, this.#packet, 0);
      const text = comment === '' ? '' : `${comment} (packet ${i + 1} of a super-segment of ${count})`;
      this.#writer.writePacket(
        interfaceId,
        timeMs,
        this.#packet,
        0,
        end,
        direction,
        count === 1 ? comment : text,
      );
    }
    return count > 0;
  }

  #writeFrame(
    interfaceId: number,
    timeMs: number,
    length: number,
    flags: number,
    csumStart: number,
    csumOffset: number,
    direction: Direction,
    comment: string,
  ): void {
    if ((flags & FRAME_NEEDS_CSUM) !== 0) completeChecksum(this.#frame, 0, length, csumStart, csumOffset);
    this.#writer.writePacket(interfaceId, timeMs, this.#frame, 0, length, direction, comment);
  }

  #reserve(length: number): void {
    if (length <= this.#frame.length) return;
    const room = 2 ** Math.ceil(Math.log2(length));
    this.#frame = new Uint8Array(room);
    this.#packet = new Uint8Array(room);
  }
}
