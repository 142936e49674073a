/**
 * Turns frames as they cross between a stack and a link into the packets that a wire would carry: super-segments cut,
 * checksums complete. Whatever decides about single packets (impairment, fuzzing) looks at frames through it.
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
  TX_CAUSE,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  transmitLength,
} from '../base/index.ts';
import { completeChecksum, SegmentCutter } from '../wire/index.ts';
import { linkHeaderLength } from './inbox.ts';

/** Takes whole packets; the bytes are borrowed. */
export interface PacketSink {
  offer(bytes: Uint8Array, at: number, length: number, owner: object | null, cause: number): void;
}

/** Room for one super-segment with its headers, and for one packet cut from it. */
const SCRATCH_BYTES = 72 << 10;

export class Packetizer {
  readonly #linkLength: number;
  readonly #sink: PacketSink;
  readonly #cutter = new SegmentCutter();
  readonly #whole = new Uint8Array(SCRATCH_BYTES);
  readonly #packet = new Uint8Array(SCRATCH_BYTES);

  constructor(medium: Medium, sink: PacketSink) {
    this.#linkLength = linkHeaderLength(medium);
    this.#sink = sink;
  }

  /** Hands on every packet of an outbound batch. */
  outbound(batch: TransmitBatch): void {
    const { table } = batch;
    for (let i = 0; i < batch.count; i++) {
      const length = transmitLength(batch, i);
      if (length > SCRATCH_BYTES) continue;
      flattenFrame(batch, i, this.#whole, 0);
      const row = i * TX_COLUMNS;
      this.#split(
        length,
        table[row + TX_FLAGS] as number,
        table[row + TX_GSO_TYPE] as number,
        table[row + TX_GSO_SIZE] as number,
        table[row + TX_CSUM_START] as number,
        table[row + TX_CSUM_OFFSET] as number,
        batch.owners[i] as object | null,
        table[row + TX_CAUSE] as number,
      );
    }
  }

  /** Hands on every packet of an inbound batch. */
  inbound(batch: FrameBatch): void {
    const { table } = batch;
    for (let i = 0; i < batch.count; i++) {
      const row = i * FRAME_COLUMNS;
      const length = table[row + FRAME_LENGTH] as number;
      if (length > SCRATCH_BYTES) continue;
      copy(batch.bytes, table[row + FRAME_OFFSET] as number, this.#whole, 0, length);
      this.#split(
        length,
        table[row + FRAME_FLAGS] as number,
        table[row + FRAME_GSO_TYPE] as number,
        table[row + FRAME_GSO_SIZE] as number,
        table[row + FRAME_CSUM_START] as number,
        table[row + FRAME_CSUM_OFFSET] as number,
        null,
        0,
      );
    }
  }

  /** Hands on what lies in `#whole`. */
  #split(
    length: number,
    flags: number,
    gsoType: number,
    gsoSize: number,
    csumStart: number,
    csumOffset: number,
    owner: object | null,
    cause: number,
  ): void {
    const whole = this.#whole;
    if (gsoType !== GSO_NONE) {
      const count = this.#cutter.begin(whole, 0, length, this.#linkLength, gsoType, gsoSize);
      for (let i = 0; i < count; i++) {
        const end = this.#cutter.write(i, this.#packet, 0);
        this.#sink.offer(this.#packet, 0, end, owner, cause);
      }
      // What cannot be cut goes on as it is: judging it is the receiver's part.
      if (count > 0) return;
    }
    if ((flags & FRAME_NEEDS_CSUM) !== 0) completeChecksum(whole, 0, length, csumStart, csumOffset);
    this.#sink.offer(whole, 0, length, owner, cause);
  }
}
