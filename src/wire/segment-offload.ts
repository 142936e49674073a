/**
 * What a network device does to offloaded frames, in software: cut a super-segment into packets (TSO, USO) and complete a
 * partial checksum. For whatever must see the packets that a wire would carry: impairments, captures, links that cannot.
 *
 *     super-segment   | link | IP | TCP seq=s FIN PSH CWR | payload of up to 64 KB                    |
 *     packets         | link | IP id   | TCP s     CWR     | gsoSize |
 *                     | link | IP id+1 | TCP s+gsoSize     | gsoSize |
 *                     | link | IP id+2 | TCP … FIN PSH     | rest    |
 */

import {
  copy,
  FRAME_COLUMNS,
  FRAME_LENGTH,
  FRAME_OFFSET,
  type FrameBatch,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  i32,
  putI32,
  putU16,
  u16,
} from '../base/index.ts';
import { checksum, fold, sumBytes } from './checksum.ts';
import { IPPROTO_TCP, IPPROTO_UDP, IPV4_HEADER_LEN, sealIpv4 } from './ipv4.ts';
import { IPV6_HEADER_LEN } from './ipv6.ts';
import { TCP_CHECKSUM_OFFSET, TCP_CWR, TCP_FIN, TCP_HEADER_LEN, TCP_PSH } from './tcp.ts';
import { UDP_CHECKSUM_OFFSET, UDP_HEADER_LEN } from './udp.ts';

/**
 * Completes the partial checksum of the frame at `bytes[at]`, in place. The field holds the pseudo-header's sum; what is
 * covered starts `csumStart` bytes into the frame and goes to its end (virtio 1.2 §5.1.6.2).
 * @returns false, with nothing changed, when the field does not lie inside the frame
 */
export function completeChecksum(
  bytes: Uint8Array,
  at: number,
  length: number,
  csumStart: number,
  csumOffset: number,
): boolean {
  if (csumStart < 0 || csumOffset < 0 || csumStart + csumOffset + 2 > length) return false;
  const value = checksum(bytes, at + csumStart, length - csumStart);
  // Zero would mean "none" in UDP (RFC 768). Elsewhere it is what the sum comes to, and 0xffff never is (RFC 1624 §3).
  const isNone = value === 0 && csumOffset === UDP_CHECKSUM_OFFSET;
  putU16(bytes, at + csumStart + csumOffset, isNone ? 0xffff : value);
  return true;
}

/**
 * Cuts one super-segment at a time. Made once and reused: `begin` reads the headers, `write` puts packet after packet where
 * the caller wants it, each whole, with its own lengths and full checksums. The super-segment is borrowed in between and not
 * changed.
 */
export class SegmentCutter {
  /** Packets in the super-segment that was begun; 0 when it could not be read. */
  count = 0;

  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #linkLength = 0;
  #ipAt = 0;
  #transportAt = 0;
  #payloadAt = 0;
  #gsoSize = 0;
  #isTcp = false;
  #isV4 = false;
  /** Addresses and protocol of the pseudo-header; the length is each packet's own. */
  #pseudoSum = 0;

  /**
   * Reads the headers of the super-segment `bytes[at … at + length]`.
   * @param linkLength bytes of link header before the IP header: 0, or 14 on Ethernet
   * @param gsoType `GSO_*`; `GSO_ECN` may be added
   * @param gsoSize payload bytes of each packet but the last
   * @returns how many packets it makes; 0 when it is no well-formed super-segment of that type
   */
  begin(
    bytes: Uint8Array,
    at: number,
    length: number,
    linkLength: number,
    gsoType: number,
    gsoSize: number,
  ): number {
    this.count = 0;
    const type = gsoType & ~GSO_ECN;
    if (type === GSO_NONE || gsoSize < 1) return 0;
    this.#bytes = bytes;
    this.#at = at;
    this.#end = at + length;
    this.#linkLength = linkLength;
    this.#ipAt = at + linkLength;
    this.#gsoSize = gsoSize;
    this.#isTcp = type === GSO_TCPV4 || type === GSO_TCPV6;
    if (!this.#isTcp && type !== GSO_UDP_L4) return 0;
    if (!this.#readNetwork(type) || !this.#readTransport()) return 0;
    this.count = Math.ceil((this.#end - this.#payloadAt) / gsoSize);
    return this.count;
  }

  /** Bytes of packet `index`, link header included. */
  lengthOf(index: number): number {
    return this.#payloadAt - this.#at + this.#payloadOf(index);
  }

  /** Writes packet `index` at `into[at]`, which must not overlap the super-segment. @returns the packet's end */
  write(index: number, into: Uint8Array, at: number): number {
    const headersLength = this.#payloadAt - this.#at;
    const payloadLength = this.#payloadOf(index);
    copy(this.#bytes, this.#at, into, at, headersLength);
    copy(this.#bytes, this.#payloadAt + index * this.#gsoSize, into, at + headersLength, payloadLength);
    const end = at + headersLength + payloadLength;
    const ipAt = at + this.#linkLength;
    const transportAt = at + this.#transportAt - this.#at;
    this.#fixNetwork(index, into, ipAt, transportAt, end);
    if (this.#isTcp) this.#fixTcp(index, into, transportAt, end);
    else this.#fixUdp(into, transportAt, end);
    return end;
  }

  /**
   * Adds all packets behind the frames of `batch`, IP headers at multiples of 4, checksums full and not marked as verified.
   * @returns false, with nothing added, when they don't fit
   */
  writeAll(batch: FrameBatch): boolean {
    const { table } = batch;
    if ((batch.count + this.count) * FRAME_COLUMNS > table.length) return false;
    const first = nextOffset(batch, this.#linkLength);
    let end = first;
    for (let i = 0; i < this.count; i++) end = alignIp(end, this.#linkLength) + this.lengthOf(i);
    if (end > batch.bytes.length) return false;
    let at = first;
    for (let i = 0; i < this.count; i++) {
      const row = batch.count * FRAME_COLUMNS;
      table.fill(0, row, row + FRAME_COLUMNS);
      table[row + FRAME_OFFSET] = at;
      table[row + FRAME_LENGTH] = this.lengthOf(i);
      batch.owners[batch.count] = null;
      batch.count++;
      at = alignIp(this.write(i, batch.bytes, at), this.#linkLength);
    }
    return true;
  }

  /** Finds the transport header, and sums what its pseudo-header has in every packet. */
  #readNetwork(type: number): boolean {
    const bytes = this.#bytes;
    const ipAt = this.#ipAt;
    const protocol = this.#isTcp ? IPPROTO_TCP : IPPROTO_UDP;
    const version = this.#end - ipAt < IPV4_HEADER_LEN ? 0 : (bytes[ipAt] as number) >> 4;
    this.#isV4 = version === 4;
    if (this.#isV4) {
      const headerLength = ((bytes[ipAt] as number) & 0xf) << 2;
      if (type === GSO_TCPV6 || headerLength < IPV4_HEADER_LEN || bytes[ipAt + 9] !== protocol) return false;
      this.#transportAt = ipAt + headerLength;
      this.#pseudoSum = sumBytes(bytes, ipAt + 12, 8, protocol);
      return this.#transportAt <= this.#end;
    }
    if (version !== 6 || type === GSO_TCPV4 || this.#end - ipAt < IPV6_HEADER_LEN) return false;
    if (bytes[ipAt + 6] !== protocol) return false;
    this.#transportAt = ipAt + IPV6_HEADER_LEN;
    this.#pseudoSum = sumBytes(bytes, ipAt + 8, 32, protocol);
    return true;
  }

  #readTransport(): boolean {
    const room = this.#end - this.#transportAt;
    if (room < (this.#isTcp ? TCP_HEADER_LEN : UDP_HEADER_LEN)) return false;
    const headerLength = this.#isTcp
      ? ((this.#bytes[this.#transportAt + 12] as number) >> 4) << 2
      : UDP_HEADER_LEN;
    if (this.#isTcp && headerLength < TCP_HEADER_LEN) return false;
    this.#payloadAt = this.#transportAt + headerLength;
    return headerLength < room;
  }

  #payloadOf(index: number): number {
    return Math.min(this.#gsoSize, this.#end - this.#payloadAt - index * this.#gsoSize);
  }

  #fixNetwork(index: number, into: Uint8Array, ipAt: number, transportAt: number, end: number): void {
    if (!this.#isV4) {
      putU16(into, ipAt + 4, end - ipAt - IPV6_HEADER_LEN);
      return;
    }
    putU16(into, ipAt + 2, end - ipAt);
    putU16(into, ipAt + 4, u16(into, ipAt + 4) + index);
    sealIpv4(into, ipAt, transportAt - ipAt);
  }

  #fixTcp(index: number, into: Uint8Array, at: number, end: number): void {
    putI32(into, at + 4, i32(into, at + 4) + index * this.#gsoSize);
    let flags = into[at + 13] as number;
    if (index < this.count - 1) flags &= ~(TCP_FIN | TCP_PSH);
    if (index > 0) flags &= ~TCP_CWR;
    into[at + 13] = flags;
    putU16(into, at + TCP_CHECKSUM_OFFSET, 0);
    putU16(into, at + TCP_CHECKSUM_OFFSET, ~fold(sumBytes(into, at, end - at, this.#pseudoSum + end - at)));
  }

  #fixUdp(into: Uint8Array, at: number, end: number): void {
    putU16(into, at + 4, end - at);
    putU16(into, at + UDP_CHECKSUM_OFFSET, 0);
    const sum = fold(sumBytes(into, at, end - at, this.#pseudoSum + end - at));
    putU16(into, at + UDP_CHECKSUM_OFFSET, sum === 0xffff ? 0xffff : ~sum);
  }
}

/** Where the next frame of `batch` goes: behind the last, with its IP header at a multiple of 4. */
function nextOffset(batch: FrameBatch, linkLength: number): number {
  if (batch.count === 0) return alignIp(0, linkLength);
  const row = (batch.count - 1) * FRAME_COLUMNS;
  const end = (batch.table[row + FRAME_OFFSET] as number) + (batch.table[row + FRAME_LENGTH] as number);
  return alignIp(end, linkLength);
}

/** The first place at or after `at` where a frame's IP header would be at a multiple of 4. */
function alignIp(at: number, linkLength: number): number {
  return ((at + linkLength + 3) & ~3) - linkLength;
}
