/**
 * The packets that a wire would carry of a frame that crosses between a stack and a link: a super-segment cut, a partial
 * checksum complete. For whatever looks at single packets: impairments, captures, drivers that take one packet at a time.
 */

import {
  carryFrame,
  copy,
  createFrameBatch,
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
  GSO_NONE,
  type TransmitBatch,
  transmitLength,
} from '../base/index.ts';
import { completeChecksum, SegmentCutter } from './segment-offload.ts';

/** Room for a common packet; super-segments make it grow. */
const FIRST_BYTES = 2048;

/**
 * Takes one frame after the other. Made once and reused; what it allocates is room for the largest frame so far.
 *
 * A super-segment that cannot be cut is one packet, as it is: judging it is the receiver's part.
 *
 * @example
 * packets.beginInbound(batch, i, linkHeaderLength(medium));
 * while (packets.next()) take(packets.bytes, packets.at, packets.length);
 */
export class FramePackets {
  /** Where the packet of the last {@link next} lies. Borrowed until the next call, and not to be changed. */
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  length = 0;
  /** Packets in the frame that was begun. */
  count = 0;
  /** Packets taken so far. */
  taken = 0;

  readonly #cutsSegments: boolean;
  readonly #cutter = new SegmentCutter();
  /** An outbound frame in one piece. */
  #whole = createFrameBatch(1, FIRST_BYTES);
  /** A packet cut out, or a frame whose checksum was completed. */
  #packet = new Uint8Array(FIRST_BYTES);

  /** @param cutsSegments `false` leaves super-segments whole, their checksums complete */
  constructor(cutsSegments = true) {
    this.#cutsSegments = cutsSegments;
  }

  /** Begins with frame `index` of a batch that goes out. The batch is not needed any more, and not changed. */
  beginOutbound(batch: TransmitBatch, index: number, linkLength: number): void {
    const length = transmitLength(batch, index);
    if (length > this.#whole.bytes.length) this.#whole = createFrameBatch(1, roomFor(length));
    this.#whole.count = 0;
    carryFrame(batch, index, this.#whole, 0);
    this.beginInbound(this.#whole, 0, linkLength);
  }

  /**
   * Begins with frame `index` of a batch that came in. The batch is borrowed until the last packet was taken, and not
   * changed.
   * @param linkLength bytes of link header before the IP header: 0, or 14 on Ethernet
   */
  beginInbound(batch: FrameBatch, index: number, linkLength: number): void {
    const { bytes, table } = batch;
    const row = index * FRAME_COLUMNS;
    const at = table[row + FRAME_OFFSET] as number;
    const length = table[row + FRAME_LENGTH] as number;
    const gsoType = table[row + FRAME_GSO_TYPE] as number;
    this.taken = 0;
    if (gsoType !== GSO_NONE && this.#cutsSegments) {
      const gsoSize = table[row + FRAME_GSO_SIZE] as number;
      this.count = this.#cutter.begin(bytes, at, length, linkLength, gsoType, gsoSize);
      if (this.count > 0) {
        this.#reserve(this.#cutter.lengthOf(0));
        return;
      }
    }
    this.count = 1;
    this.#cutter.count = 0;
    this.bytes = bytes;
    this.at = at;
    this.length = length;
    if (((table[row + FRAME_FLAGS] as number) & FRAME_NEEDS_CSUM) === 0) return;
    if (batch !== this.#whole) this.#own();
    const csumStart = table[row + FRAME_CSUM_START] as number;
    completeChecksum(this.bytes, this.at, length, csumStart, table[row + FRAME_CSUM_OFFSET] as number);
  }

  /** Goes on to the first or next packet. @returns `false` when there is none */
  next(): boolean {
    if (this.taken === this.count) return false;
    if (this.#cutter.count > 0) {
      this.bytes = this.#packet;
      this.at = 0;
      this.length = this.#cutter.write(this.taken, this.#packet, 0);
    }
    this.taken++;
    return true;
  }

  /** Copies the packet, so that it may be changed. */
  #own(): void {
    this.#reserve(this.length);
    copy(this.bytes, this.at, this.#packet, 0, this.length);
    this.bytes = this.#packet;
    this.at = 0;
  }

  #reserve(length: number): void {
    if (length > this.#packet.length) this.#packet = new Uint8Array(roomFor(length));
  }
}

/** The next power of 2. */
function roomFor(length: number): number {
  return 2 ** Math.ceil(Math.log2(length));
}
