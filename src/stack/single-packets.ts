/**
 * Packets one by one, as bytes of their own, for drivers that count bytes rather than batches: super-segments are cut and
 * partial checksums completed, as a device would do it.
 */

import {
  clearTransmitBatch,
  createTransmitBatch,
  FRAME_NEEDS_CSUM,
  flattenFrame,
  GSO_NONE,
  type TransmitBatch,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  transmitLength,
} from '../base/index.ts';
import { completeChecksum, ETHERNET_HEADER_LEN, SegmentCutter } from '../wire/index.ts';
import type { NetworkInterface } from './interface.ts';

export class SinglePackets {
  readonly #batch = createTransmitBatch(1);
  readonly #cutter = new SegmentCutter();
  /** Packets of a super-segment that were not taken yet, by interface. */
  readonly #cut = new Map<NetworkInterface, Uint8Array[]>();

  /** @param fill adds what the interface has to send to the batch. @returns `null` when that is nothing. */
  take(iface: NetworkInterface, fill: (batch: TransmitBatch) => number): Uint8Array | null {
    const left = this.#cut.get(iface)?.shift();
    if (left !== undefined) return left;
    this.#cut.delete(iface);
    const batch = this.#batch;
    clearTransmitBatch(batch);
    if (fill(batch) === 0) return null;
    const { table } = batch;
    const frame = new Uint8Array(transmitLength(batch, 0));
    flattenFrame(batch, 0, frame, 0);
    if (table[TX_GSO_TYPE] !== GSO_NONE) return this.#cutFrame(iface, frame);
    if (((table[TX_FLAGS] as number) & FRAME_NEEDS_CSUM) !== 0) {
      completeChecksum(
        frame,
        0,
        frame.length,
        table[TX_CSUM_START] as number,
        table[TX_CSUM_OFFSET] as number,
      );
    }
    return frame;
  }

  /** Forgets what belongs to an interface that was removed. */
  forget(iface: NetworkInterface): void {
    this.#cut.delete(iface);
  }

  #cutFrame(iface: NetworkInterface, frame: Uint8Array): Uint8Array | null {
    const { table } = this.#batch;
    const linkLength = iface.medium === 'ethernet' ? ETHERNET_HEADER_LEN : 0;
    const cutter = this.#cutter;
    const gsoType = table[TX_GSO_TYPE] as number;
    const count = cutter.begin(frame, 0, frame.length, linkLength, gsoType, table[TX_GSO_SIZE] as number);
    const packets: Uint8Array[] = [];
    for (let i = 0; i < count; i++) {
      const packet = new Uint8Array(cutter.lengthOf(i));
      cutter.write(i, packet, 0);
      packets.push(packet);
    }
    const first = packets.shift() ?? null;
    if (packets.length > 0) this.#cut.set(iface, packets);
    return first;
  }
}
