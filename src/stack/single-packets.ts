/**
 * Packets one by one, as bytes of their own, for drivers that count bytes rather than batches: super-segments are cut and
 * partial checksums completed, as a device would do it.
 */

import { clearTransmitBatch, createTransmitBatch, type TransmitBatch } from '../base/index.ts';
import { FramePackets, linkHeaderLength } from '../wire/index.ts';
import type { NetworkInterface } from './interface.ts';

export class SinglePackets {
  readonly #batch = createTransmitBatch(1);
  readonly #packets = new FramePackets();
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
    this.#packets.beginOutbound(batch, 0, linkHeaderLength(iface.medium));
    const first = this.#next();
    if (this.#packets.count > 1) this.#cut.set(iface, this.#rest());
    return first;
  }

  /** Forgets what belongs to an interface that was removed. */
  forget(iface: NetworkInterface): void {
    this.#cut.delete(iface);
  }

  #rest(): Uint8Array[] {
    const rest: Uint8Array[] = [];
    for (let packet = this.#next(); packet !== null; packet = this.#next()) rest.push(packet);
    return rest;
  }

  #next(): Uint8Array | null {
    const packets = this.#packets;
    return packets.next() ? packets.bytes.slice(packets.at, packets.at + packets.length) : null;
  }
}
