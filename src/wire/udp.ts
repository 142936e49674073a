/**
 * UDP (RFC 768; RFC 1122 §4.1.3).
 *
 *     0             2                  4        6          8
 *     | source port | destination port | length | checksum | payload …
 */

import { putU16, u16 } from '../base/index.ts';
import { fold, isChecksumRight, sumBytes } from './checksum.ts';
import { DropReason } from './drop-reason.ts';

export const UDP_HEADER_LEN = 8;

/** Where the checksum field is in the header: virtio's `csum_offset`. */
export const UDP_CHECKSUM_OFFSET = 6;

/** A header in numbers; one object, filled anew for each datagram. */
export class UdpHeader {
  sourcePort = 0;
  destinationPort = 0;
  /** As on the wire; 0: the sender computed none (legal over IPv4, not over IPv6). */
  checksum = 0;
  payloadAt = 0;
  /** Where the datagram ends: may be before the end of the IP packet. */
  end = 0;
}

/**
 * Reads the header of the datagram in `at … end`; the checksum is for {@link isUdpChecksumRight}.
 *
 * After `none`: `payloadAt ≤ into.end ≤ end`.
 * @returns `none`, `udpTruncated` (no whole header), or `udpLength` (below 8, or more than is there)
 */
export function parseUdp(bytes: Uint8Array, at: number, end: number, into: UdpHeader): DropReason {
  const room = end - at;
  if (room < UDP_HEADER_LEN) return DropReason.udpTruncated;
  const length = u16(bytes, at + 4);
  if (length < UDP_HEADER_LEN || length > room) return DropReason.udpLength;
  into.sourcePort = u16(bytes, at);
  into.destinationPort = u16(bytes, at + 2);
  into.checksum = u16(bytes, at + 6);
  into.payloadAt = at + UDP_HEADER_LEN;
  into.end = at + length;
  return DropReason.none;
}

/**
 * Whether the checksum of a parsed datagram is right.
 * @param pseudoSum of the pseudo-header, with the UDP length (`header.end - at`) in it
 * @returns true also when there is none (RFC 768); a caller over IPv6 looks at `header.checksum` first
 */
export function isUdpChecksumRight(
  bytes: Uint8Array,
  at: number,
  header: UdpHeader,
  pseudoSum: number,
): boolean {
  return header.checksum === 0 || isChecksumRight(bytes, at, header.end - at, pseudoSum);
}

/**
 * Writes a header with its checksum field 0; one of the `seal` functions fills that in.
 * @param length of header and payload
 * @returns where the payload goes
 */
export function writeUdp(
  into: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  length: number,
): number {
  putU16(into, at, sourcePort);
  putU16(into, at + 2, destinationPort);
  putU16(into, at + 4, length);
  putU16(into, at + 6, 0);
  return at + UDP_HEADER_LEN;
}

/**
 * Fills in the full checksum of a header just written.
 * @param restSum the pseudo-header's sum, length included, plus the payload's
 */
export function sealUdp(into: Uint8Array, at: number, restSum: number): void {
  const sum = fold(sumBytes(into, at, UDP_HEADER_LEN, restSum));
  // A checksum of zero is sent as its other representation: zero means "none" (RFC 768).
  putU16(into, at + UDP_CHECKSUM_OFFSET, sum === 0xffff ? 0xffff : ~sum);
}
