/**
 * Packets as a wire would have carried them, of one that came in merged with others or with a partial checksum: what raw
 * endpoints get. Made once and reused.
 */

import { copy, EMPTY, GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4 } from '../../base/index.ts';
import {
  completeChecksum,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SegmentCutter,
  TCP_CHECKSUM_OFFSET,
  UDP_CHECKSUM_OFFSET,
} from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';

/** Room for a common packet; larger ones make it grow. */
const FIRST_BYTES = 2048;

export class WholePackets {
  /** Where the packet of the last {@link next} lies, IP header first. Borrowed until the next call. */
  bytes: Uint8Array = EMPTY;
  at = 0;
  end = 0;
  readonly #cutter = new SegmentCutter();
  #scratch = new Uint8Array(FIRST_BYTES);
  #count = 0;
  #taken = 0;

  /** Begins with a packet, whose bytes are borrowed until the last {@link next} and not changed. */
  begin(packet: InboundPacket): void {
    const { bytes, headerAt, payloadAt, end, protocol, gsoSize } = packet;
    this.bytes = bytes;
    this.at = headerAt;
    this.end = end;
    this.#taken = 0;
    this.#cutter.count = 0;
    this.#count = 1;
    if (gsoSize > 0) {
      const type = gsoTypeOf(protocol, packet.family);
      const packets = this.#cutter.begin(bytes, headerAt, end - headerAt, 0, type, gsoSize);
      if (packets > 0) {
        this.#count = packets;
        this.#reserve(this.#cutter.lengthOf(0));
        return;
      }
    }
    if (packet.checksumPartial) this.#complete(payloadAt - headerAt, checksumOffsetOf(protocol));
  }

  /** Goes on to the first or next packet. @returns `false` when there is none */
  next(): boolean {
    if (this.#taken === this.#count) return false;
    if (this.#cutter.count > 0) {
      this.bytes = this.#scratch;
      this.at = 0;
      this.end = this.#cutter.write(this.#taken, this.#scratch, 0);
    }
    this.#taken++;
    return true;
  }

  #complete(transportAt: number, checksumOffset: number): void {
    const length = this.end - this.at;
    this.#reserve(length);
    copy(this.bytes, this.at, this.#scratch, 0, length);
    this.bytes = this.#scratch;
    this.at = 0;
    this.end = length;
    completeChecksum(this.#scratch, 0, length, transportAt, checksumOffset);
  }

  #reserve(length: number): void {
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(2 ** (32 - Math.clz32(length - 1)));
  }
}

function gsoTypeOf(protocol: number, family: number): number {
  if (protocol === IPPROTO_UDP) return GSO_UDP_L4;
  return family === 4 ? GSO_TCPV4 : GSO_TCPV6;
}

/** Where the field is in the transport's header; -1 for protocols whose checksums are never partial. */
function checksumOffsetOf(protocol: number): number {
  if (protocol === IPPROTO_TCP) return TCP_CHECKSUM_OFFSET;
  return protocol === IPPROTO_UDP ? UDP_CHECKSUM_OFFSET : -1;
}
