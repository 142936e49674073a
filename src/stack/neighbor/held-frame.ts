/**
 * A frame as bytes of its own: one that waits for a hardware address, or a whole one such as an ARP message.
 */

import {
  EMPTY,
  flattenFrame,
  GSO_NONE,
  type TransmitBatch,
  TX_CAUSE,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
  transmitLength,
} from '../../base/index.ts';

export class HeldFrame {
  readonly bytes: Uint8Array;
  /** Bytes that go into the header slab; the rest is payload. */
  readonly headerLength: number;
  readonly cause: number;
  readonly owner: object | null;
  flags = 0;
  gsoType = GSO_NONE;
  gsoSize = 0;
  csumStart = 0;
  csumOffset = 0;

  constructor(bytes: Uint8Array, headerLength: number, cause: number, owner: object | null) {
    this.bytes = bytes;
    this.headerLength = headerLength;
    this.cause = cause;
    this.owner = owner;
  }

  /** A copy of frame `index` of `batch`. */
  static copyOf(batch: TransmitBatch, index: number): HeldFrame {
    const { table } = batch;
    const row = index * TX_COLUMNS;
    const bytes = new Uint8Array(transmitLength(batch, index));
    flattenFrame(batch, index, bytes, 0);
    const headerLength = table[row + TX_HEADER_LENGTH] as number;
    const frame = new HeldFrame(
      bytes,
      headerLength,
      table[row + TX_CAUSE] as number,
      batch.owners[index] ?? null,
    );
    frame.flags = table[row + TX_FLAGS] as number;
    frame.gsoType = table[row + TX_GSO_TYPE] as number;
    frame.gsoSize = table[row + TX_GSO_SIZE] as number;
    frame.csumStart = table[row + TX_CSUM_START] as number;
    frame.csumOffset = table[row + TX_CSUM_OFFSET] as number;
    return frame;
  }

  /** Adds the frame to a batch that has room. The payload stays in `bytes`, which nobody changes any more. */
  addTo(batch: TransmitBatch): void {
    const { bytes, headerLength } = this;
    const { headers, table } = batch;
    const at = batch.headerEnd;
    for (let i = 0; i < headerLength; i++) headers[at + i] = bytes[i] as number;
    const index = batch.count++;
    const row = index * TX_COLUMNS;
    const payloadLength = bytes.length - headerLength;
    table[row + TX_HEADER_OFFSET] = at;
    table[row + TX_HEADER_LENGTH] = headerLength;
    table[row + TX_PAYLOAD1_OFFSET] = payloadLength === 0 ? 0 : headerLength;
    table[row + TX_PAYLOAD1_LENGTH] = payloadLength;
    table[row + TX_PAYLOAD2_OFFSET] = 0;
    table[row + TX_PAYLOAD2_LENGTH] = 0;
    table[row + TX_FLAGS] = this.flags;
    table[row + TX_GSO_TYPE] = this.gsoType;
    table[row + TX_GSO_SIZE] = this.gsoSize;
    table[row + TX_CSUM_START] = this.csumStart;
    table[row + TX_CSUM_OFFSET] = this.csumOffset;
    table[row + TX_CAUSE] = this.cause;
    batch.payloads[index] = payloadLength === 0 ? EMPTY : bytes;
    batch.owners[index] = this.owner;
    batch.headerEnd = (at + headerLength + 3) & ~3;
  }
}
