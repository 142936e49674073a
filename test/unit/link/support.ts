/**
 * Batches and receivers for tests of links.
 */

import {
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_OFFSET,
  type FrameBatch,
  GSO_TCPV4,
  type TransmitBatch,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_HEADER_ROOM,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
} from '../../../src/base/index.ts';
import type { Link, LinkReceiver } from '../../../src/link/index.ts';
import { pseudoHeaderSumV4, sealPartial } from '../../../src/wire/index.ts';
import { type TcpFields, tcpPacket, v4 } from '../../support/segment.ts';

/** A batch of whole packets: 40 bytes of each in the header slab, the rest in two ranges. */
export function batchOf(packets: readonly Uint8Array[]): TransmitBatch {
  const batch = createTransmitBatch(Math.max(1, packets.length));
  for (const packet of packets) {
    const row = batch.count * TX_COLUMNS;
    const head = Math.min(packet.length, 40);
    const half = (packet.length - head) >> 1;
    batch.headers.set(packet.subarray(0, head), batch.headerEnd);
    batch.table.fill(0, row, row + TX_COLUMNS);
    batch.table[row + TX_HEADER_OFFSET] = batch.headerEnd;
    batch.table[row + TX_HEADER_LENGTH] = head;
    batch.table[row + TX_PAYLOAD1_OFFSET] = head;
    batch.table[row + TX_PAYLOAD1_LENGTH] = half;
    batch.table[row + TX_PAYLOAD2_OFFSET] = head + half;
    batch.table[row + TX_PAYLOAD2_LENGTH] = packet.length - head - half;
    batch.payloads[batch.count] = packet;
    batch.headerEnd += TX_HEADER_ROOM;
    batch.count++;
  }
  return batch;
}

/** A batch of one super-segment of TCP with a partial checksum. */
export function superSegment(payload: number, gsoSize: number, fields: TcpFields = {}): TransmitBatch {
  const packet = tcpPacket({ src: '10.0.0.1', dst: '10.0.0.2', ...fields, payload });
  sealPartial(packet, 36, pseudoHeaderSumV4(v4('10.0.0.1'), v4('10.0.0.2'), 6, packet.length - 20));
  const batch = batchOf([packet]);
  batch.table[TX_FLAGS] = FRAME_NEEDS_CSUM;
  batch.table[TX_GSO_TYPE] = GSO_TCPV4;
  batch.table[TX_GSO_SIZE] = gsoSize;
  batch.table[TX_CSUM_START] = 20;
  batch.table[TX_CSUM_OFFSET] = 16;
  return batch;
}

/** A frame that arrived. */
export interface Arrival {
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Where it began in the batch. */
  readonly offset: number;
  readonly flags: number;
  readonly gsoSize: number;
}

/** Keeps what it receives. */
export class Recorder implements LinkReceiver {
  readonly arrivals: Arrival[] = [];
  readonly batches: number[] = [];
  drains = 0;
  readonly errors: Error[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get packets(): Uint8Array[] {
    return this.arrivals.map(({ bytes }) => bytes);
  }

  receive(batch: FrameBatch): void {
    this.batches.push(batch.count);
    for (let i = 0; i < batch.count; i++) {
      const row = i * FRAME_COLUMNS;
      const offset = batch.table[row + FRAME_OFFSET] as number;
      this.arrivals.push({
        bytes: batch.bytes.slice(offset, offset + (batch.table[row + FRAME_LENGTH] as number)),
        at: this.#now(),
        offset,
        flags: batch.table[row + FRAME_FLAGS] as number,
        gsoSize: batch.table[row + FRAME_GSO_SIZE] as number,
      });
    }
    // The batch is lent: whoever keeps a view of it would see this.
    batch.bytes.fill(0xee);
  }

  drained(): void {
    this.drains++;
  }

  failed(error: Error): void {
    this.errors.push(error);
  }
}

/** Opens a link with a recorder. */
export function record(link: Link, now: () => number): Recorder {
  const recorder = new Recorder(now);
  link.open(recorder);
  return recorder;
}
