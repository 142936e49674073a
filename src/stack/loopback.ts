/**
 * The way of the host's packets to itself: what waits on the loopback interface is taken out as frames and put in again,
 * with no link in between. Super-segments stay whole and checksums partial, as between any two ends that trust the memory.
 */

import {
  carryFrame,
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  type FrameBatch,
  type TransmitBatch,
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
    inbound.count = 0;
    let at = 0;
    for (let i = 0; i < outbound.count; i++) {
      const end = carryFrame(outbound, i, inbound, at);
      iface.outPackets++;
      iface.outBytes += end - at;
      // The next IP header at a multiple of 4, as a device would put it.
      at = (end + 3) & ~3;
    }
    clearTransmitBatch(outbound);
    outbound.owners.fill(null);
    iface.egress.transmitted();
    if (inbound.count > 0) this.#sink(iface, inbound);
    inbound.owners.fill(null);
  }
}
