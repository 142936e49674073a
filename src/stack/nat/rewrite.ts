/**
 * Writing other addresses and ports into a packet, its checksums brought up to date (RFC 1624; RFC 3022 §4.2).
 */

import { i32, putI32, putU16, u16 } from '../../base/index.ts';
import {
  fold,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  sumWord,
  TCP_CHECKSUM_OFFSET,
  UDP_CHECKSUM_OFFSET,
  updateChecksum,
  updateChecksum32,
} from '../../wire/index.ts';

/** Where addresses are in an IPv4 header. */
const SOURCE_OFFSET = 12;
const DESTINATION_OFFSET = 16;
const HEADER_CHECKSUM_OFFSET = 10;
const ECHO_ID_OFFSET = 4;
const ECHO_CHECKSUM_OFFSET = 2;

/** A packet in a buffer of its own. */
export interface RewrittenPacket {
  readonly bytes: Uint8Array;
  readonly headerAt: number;
  readonly payloadAt: number;
  readonly protocol: number;
  /** Bytes of the transport that are there: of a quoted packet, few. */
  readonly end: number;
  /** The transport's checksum field has the sum of the pseudo-header only. */
  readonly isPartial: boolean;
}

/** Puts another source there. @param port or the identifier of an echo message */
export function rewriteSource(packet: RewrittenPacket, address: number, port: number): void {
  rewrite(packet, SOURCE_OFFSET, 0, address, port);
}

export function rewriteDestination(packet: RewrittenPacket, address: number, port: number): void {
  rewrite(packet, DESTINATION_OFFSET, 2, address, port);
}

/** Only an address of the IP header, of a packet whose transport does not count it (ICMP). */
export function rewriteAddress(packet: RewrittenPacket, isSource: boolean, address: number): void {
  putAddress(packet, isSource ? SOURCE_OFFSET : DESTINATION_OFFSET, address);
}

function rewrite(
  packet: RewrittenPacket,
  addressOffset: number,
  portOffset: number,
  address: number,
  port: number,
): void {
  const { bytes, payloadAt, protocol, end, isPartial } = packet;
  const before = i32(bytes, packet.headerAt + addressOffset);
  putAddress(packet, addressOffset, address);
  if (protocol === IPPROTO_ICMP) {
    const at = payloadAt + ECHO_ID_OFFSET;
    const id = u16(bytes, at);
    putU16(bytes, at, port);
    const sumAt = payloadAt + ECHO_CHECKSUM_OFFSET;
    putU16(bytes, sumAt, updateChecksum(u16(bytes, sumAt), id, port));
    return;
  }
  const portBefore = u16(bytes, payloadAt + portOffset);
  putU16(bytes, payloadAt + portOffset, port);
  const sumAt = payloadAt + (protocol === IPPROTO_TCP ? TCP_CHECKSUM_OFFSET : UDP_CHECKSUM_OFFSET);
  if (sumAt + 2 > end) return;
  const field = u16(bytes, sumAt);
  if (isPartial) {
    putU16(bytes, sumAt, fold(field + sumWord(~before) + sumWord(address)));
    return;
  }
  // RFC 768: no checksum stays none, and one that comes out as zero is sent as all ones.
  if (protocol === IPPROTO_UDP && field === 0) return;
  const updated = updateChecksum(updateChecksum32(field, before, address), portBefore, port);
  putU16(bytes, sumAt, protocol === IPPROTO_UDP && updated === 0 ? 0xffff : updated);
}

function putAddress({ bytes, headerAt }: RewrittenPacket, offset: number, address: number): void {
  const before = i32(bytes, headerAt + offset);
  putI32(bytes, headerAt + offset, address);
  const sumAt = headerAt + HEADER_CHECKSUM_OFFSET;
  putU16(bytes, sumAt, updateChecksum32(u16(bytes, sumAt), before, address));
}
