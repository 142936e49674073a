/**
 * The smallest host that a kernel talks to: answers echo requests, accepts TCP connections and acknowledges what comes,
 * and remembers every frame. For tests of devices and links; everything else is what the stack is for.
 */

import {
  clearTransmitBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_OFFSET,
  type FrameBatch,
  formatV4,
  i32,
  putU16,
  type TransmitBatch,
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
  u16,
} from '../../src/base/index.ts';
import type { Link, LinkReceiver } from '../../src/link/index.ts';
import { fold, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, sumBytes } from '../../src/wire/index.ts';
import { tcpOptions, tcpPacket } from './segment.ts';

/** A frame as it arrived: its row, and a copy of its bytes. */
export interface SeenFrame {
  readonly offset: number;
  readonly flags: number;
  readonly gsoType: number;
  readonly gsoSize: number;
  readonly csumStart: number;
  readonly csumOffset: number;
  readonly bytes: Uint8Array;
}

/** Where a segment belongs: what an answer to it must carry. */
export interface Connection {
  readonly local: string;
  readonly remote: string;
  readonly localPort: number;
  readonly remotePort: number;
  /** The next byte we expect, and the next that we send. */
  ack: number;
  seq: number;
}

/** What a frame to send carries; payload ranges lie in `payload`. */
export interface OutgoingFrame {
  readonly header: Uint8Array;
  readonly payload?: Uint8Array;
  readonly ranges?: readonly [at1: number, length1: number, at2: number, length2: number];
  readonly flags?: number;
  readonly gsoType?: number;
  readonly gsoSize?: number;
  readonly csumStart?: number;
  readonly csumOffset?: number;
}

/** Our initial sequence number: any will do. */
const ISS = 1000;
/** 65,535 << 8: more than any test sends. */
const WINDOW = 65535;

/** A batch with the frames given. */
export function transmitBatchOf(...frames: OutgoingFrame[]): TransmitBatch {
  const batch = createTransmitBatch(Math.max(1, frames.length));
  clearTransmitBatch(batch);
  for (const frame of frames) {
    const row = batch.count * TX_COLUMNS;
    const [at1, length1, at2, length2] = frame.ranges ?? [0, frame.payload?.length ?? 0, 0, 0];
    batch.headers.set(frame.header, batch.headerEnd);
    batch.table[row + TX_HEADER_OFFSET] = batch.headerEnd;
    batch.table[row + TX_HEADER_LENGTH] = frame.header.length;
    batch.table[row + TX_PAYLOAD1_OFFSET] = at1;
    batch.table[row + TX_PAYLOAD1_LENGTH] = length1;
    batch.table[row + TX_PAYLOAD2_OFFSET] = at2;
    batch.table[row + TX_PAYLOAD2_LENGTH] = length2;
    batch.table[row + TX_FLAGS] = frame.flags ?? 0;
    batch.table[row + TX_GSO_TYPE] = frame.gsoType ?? 0;
    batch.table[row + TX_GSO_SIZE] = frame.gsoSize ?? 0;
    batch.table[row + TX_CSUM_START] = frame.csumStart ?? 0;
    batch.table[row + TX_CSUM_OFFSET] = frame.csumOffset ?? 0;
    if (frame.payload !== undefined) batch.payloads[batch.count] = frame.payload;
    batch.headerEnd = (batch.headerEnd + frame.header.length + 3) & ~3;
    batch.count++;
  }
  return batch;
}

export class DevicePeer implements LinkReceiver {
  readonly frames: SeenFrame[] = [];
  /** Frames of each call of `receive`. */
  readonly batches: number[] = [];
  readonly failures: Error[] = [];
  /** Payload bytes of TCP that came in order. */
  received = 0;
  drains = 0;
  /** A connection is established. */
  onAccept: (connection: Connection) => void = () => {};
  /** A datagram came to our port from the kernel's. */
  onDatagram: (localPort: number, remotePort: number) => void = () => {};
  readonly #link: Link;
  readonly #connections = new Map<number, Connection>();

  constructor(link: Link) {
    this.#link = link;
    link.open(this);
  }

  receive(batch: FrameBatch): void {
    this.batches.push(batch.count);
    for (let row = 0; row < batch.count * FRAME_COLUMNS; row += FRAME_COLUMNS) {
      const cell = (column: number): number => batch.table[row + column] as number;
      const bytes = batch.bytes.slice(cell(FRAME_OFFSET), cell(FRAME_OFFSET) + cell(FRAME_LENGTH));
      this.frames.push({
        offset: cell(FRAME_OFFSET),
        flags: cell(FRAME_FLAGS),
        gsoType: cell(FRAME_GSO_TYPE),
        gsoSize: cell(FRAME_GSO_SIZE),
        csumStart: cell(FRAME_CSUM_START),
        csumOffset: cell(FRAME_CSUM_OFFSET),
        bytes,
      });
      if (this.#link.medium === 'ip') this.#answer(bytes);
    }
  }

  drained(): void {
    this.drains++;
  }

  failed(error: Error): void {
    this.failures.push(error);
  }

  #answer(packet: Uint8Array): void {
    const version = (packet[0] as number) >> 4;
    if (version === 6) this.#answerEcho6(packet);
    else if (packet[9] === IPPROTO_ICMP) this.#answerEcho4(packet);
    else if (packet[9] === IPPROTO_TCP) this.#answerTcp(packet);
    else if (packet[9] === IPPROTO_UDP) this.onDatagram(u16(packet, 22), u16(packet, 20));
  }

  #send(packet: Uint8Array): void {
    this.#link.transmit(transmitBatchOf({ header: new Uint8Array(0), payload: packet }));
  }

  #answerEcho4(packet: Uint8Array): void {
    if (packet[20] !== 8) return;
    const reply = swapped(packet, 12, 4);
    reply[20] = 0;
    seal(reply, 20, 22, 0);
    this.#send(reply);
  }

  /** ICMPv6's checksum covers a pseudo-header: both addresses, the length and the protocol (RFC 4443 §2.3). */
  #answerEcho6(packet: Uint8Array): void {
    if (packet[6] !== 58 || packet[40] !== 128) return;
    const reply = swapped(packet, 8, 16);
    reply[40] = 129;
    seal(reply, 40, 42, sumBytes(reply, 8, 32) + 58 + (packet.length - 40));
    this.#send(reply);
  }

  #answerTcp(packet: Uint8Array): void {
    const tcpAt = ((packet[0] as number) & 15) * 4;
    const flags = packet[tcpAt + 13] as number;
    const remotePort = u16(packet, tcpAt);
    const seq = i32(packet, tcpAt + 4);
    const length = packet.length - tcpAt - ((packet[tcpAt + 12] as number) >> 4) * 4;
    if ((flags & 2) !== 0) {
      const connection: Connection = {
        local: formatV4(i32(packet, 16)),
        remote: formatV4(i32(packet, 12)),
        localPort: u16(packet, tcpAt + 2),
        remotePort,
        ack: seq + 1,
        seq: ISS,
      };
      this.#connections.set(remotePort, connection);
      this.#segment(connection, 'S.', tcpOptions({ mss: 1460, windowShift: 8 }));
      connection.seq++;
      return;
    }
    const connection = this.#connections.get(remotePort);
    if (connection === undefined || seq !== (connection.ack | 0)) return;
    if (length === 0 && this.received === 0 && connection.seq === ISS + 1) this.onAccept(connection);
    this.received += length;
    connection.ack += length + (flags & 1);
    if (length > 0 || (flags & 1) !== 0) this.#segment(connection, '.');
  }

  #segment(connection: Connection, flags: string, options?: Uint8Array): void {
    this.#send(
      tcpPacket({
        src: connection.local,
        dst: connection.remote,
        sourcePort: connection.localPort,
        destinationPort: connection.remotePort,
        seq: connection.seq,
        ack: connection.ack,
        flags,
        window: WINDOW,
        ...(options === undefined ? {} : { options }),
      }),
    );
  }
}

/** A copy with the two addresses of `size` bytes from `at` on exchanged. */
function swapped(packet: Uint8Array, at: number, size: number): Uint8Array {
  const reply = Uint8Array.from(packet);
  reply.copyWithin(at, at + size, at + 2 * size);
  reply.set(packet.subarray(at, at + size), at + size);
  return reply;
}

/** Fills in the checksum at `field` over all from `from` on. */
function seal(packet: Uint8Array, from: number, field: number, pseudoSum: number): void {
  putU16(packet, field, 0);
  putU16(packet, field, ~fold(sumBytes(packet, from, packet.length - from, pseudoSum)));
}
