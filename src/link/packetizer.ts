/**
 * Feeds the packets of whole batches to what decides about single ones, as an impairment does.
 */

import { type FrameBatch, type Medium, type TransmitBatch, TX_CAUSE, TX_COLUMNS } from '../base/index.ts';
import { FramePackets, linkHeaderLength } from '../wire/index.ts';

/** Takes whole packets; the bytes are borrowed. */
export interface PacketSink {
  offer(bytes: Uint8Array, at: number, length: number, owner: object | null, cause: number): void;
}

export class Packetizer {
  readonly #linkLength: number;
  readonly #sink: PacketSink;
  readonly #packets = new FramePackets();

  constructor(medium: Medium, sink: PacketSink) {
    this.#linkLength = linkHeaderLength(medium);
    this.#sink = sink;
  }

  /** Hands on every packet of an outbound batch. */
  outbound(batch: TransmitBatch): void {
    for (let i = 0; i < batch.count; i++) {
      this.#packets.beginOutbound(batch, i, this.#linkLength);
      this.#handOn(batch.owners[i] as object | null, batch.table[i * TX_COLUMNS + TX_CAUSE] as number);
    }
  }

  /** Hands on every packet of an inbound batch. */
  inbound(batch: FrameBatch): void {
    for (let i = 0; i < batch.count; i++) {
      this.#packets.beginInbound(batch, i, this.#linkLength);
      this.#handOn(null, 0);
    }
  }

  #handOn(owner: object | null, cause: number): void {
    const packets = this.#packets;
    while (packets.next()) this.#sink.offer(packets.bytes, packets.at, packets.length, owner, cause);
  }
}
