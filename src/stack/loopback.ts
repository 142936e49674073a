/**
 * The way of the host's packets to itself: what waits on the loopback interface is taken out as frames and put in again,
 * with no link in between. Super-segments stay whole and checksums partial, as between any two ends that trust the memory.
 */

import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_OFFSET,
  FRAME_VERDICT,
  type FrameBatch,
  flattenFrame,
  type TransmitBatch,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  transmitLength,
} from '../base/index.ts';
import type { NetworkInterface } from './interface.ts';

/** Frames in one round; each may be a super-segment of up to 64 KB. */
const FRAMES = 16;
const FRAME_BYTES = 65536;
/** Rounds in one run: a bulk transfer to ourselves does not keep the driver from its links. */
const ROUNDS = 16;

/** Takes a batch of frames that arrived. */
export type FrameSink = (iface: NetworkInterface, batch: FrameBatch) => void;

export class Loopback {
  readonly #interface: NetworkInterface;
  readonly #sink: FrameSink;
  /** Made at the first packet: most hosts never talk to themselves. */
  #outbound: TransmitBatch | null = null;
  #inbound: FrameBatch | null = null;

  constructor(iface: NetworkInterface, sink: FrameSink) {
    this.#interface = iface;
    this.#sink = sink;
  }

  /** Whether {@link run} has something to do. */
  get isPending(): boolean {
    return !this.#interface.egress.isEmpty;
  }

  /** Moves what waits, a bounded number of rounds. */
  run(): void {
    for (let round = 0; round < ROUNDS && this.isPending; round++) this.#move();
  }

  #move(): void {
    this.#outbound ??= createTransmitBatch(FRAMES);
    this.#inbound ??= createFrameBatch(FRAMES, FRAMES * FRAME_BYTES);
    const outbound = this.#outbound;
    const inbound = this.#inbound;
    const iface = this.#interface;
    iface.egress.fill(outbound);
    let at = 0;
    for (let i = 0; i < outbound.count; i++) {
      const length = transmitLength(outbound, i);
      flattenFrame(outbound, i, inbound.bytes, at);
      copyRow(outbound, i, inbound, at, length);
      iface.outPackets++;
      iface.outBytes += length;
      // The next IP header at a multiple of 4, as a device would put it.
      at = (at + length + 3) & ~3;
    }
    inbound.count = outbound.count;
    clearTransmitBatch(outbound);
    outbound.owners.fill(null);
    iface.egress.transmitted();
    if (inbound.count > 0) this.#sink(iface, inbound);
    inbound.owners.fill(null);
  }
}

function copyRow(from: TransmitBatch, index: number, into: FrameBatch, at: number, length: number): void {
  const source = index * TX_COLUMNS;
  const row = index * FRAME_COLUMNS;
  into.table[row + FRAME_OFFSET] = at;
  into.table[row + FRAME_LENGTH] = length;
  into.table[row + FRAME_FLAGS] = from.table[source + TX_FLAGS] as number;
  into.table[row + FRAME_GSO_TYPE] = from.table[source + TX_GSO_TYPE] as number;
  into.table[row + FRAME_GSO_SIZE] = from.table[source + TX_GSO_SIZE] as number;
  into.table[row + FRAME_CSUM_START] = from.table[source + TX_CSUM_START] as number;
  into.table[row + FRAME_CSUM_OFFSET] = from.table[source + TX_CSUM_OFFSET] as number;
  into.table[row + FRAME_VERDICT] = 0;
}
