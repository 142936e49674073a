/**
 * The IPv4 header (RFC 791 §3.1), its options walked and checked.
 *
 *     0       1       2               4               6               8       9       10              12     16    20
 *     |ver|IHL| TOS   | total length  | identification|flags| offset  | TTL   | proto | checksum      | src  | dst | options …
 */

import { i32, putI32, putU16, u16 } from '../base/index.ts';
import { fold, isChecksumRight, sumBytes } from './checksum.ts';
import { DropReason } from './drop-reason.ts';
import { type Ipv4OptionNotes, walkIpv4Options } from './ipv4-options.ts';

/** Bytes of a header without options, and the most there can be with them. */
export const IPV4_HEADER_LEN = 20;
export const IPV4_MAX_HEADER_LEN = 60;

/** Values of the protocol field (IANA "Protocol Numbers"). */
export const IPPROTO_ICMP = 1;
export const IPPROTO_IGMP = 2;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_ICMPV6 = 58;

/** Bits of the flags-and-offset field. */
export const IPV4_DONT_FRAGMENT = 0x4000;
export const IPV4_MORE_FRAGMENTS = 0x2000;
const OFFSET_MASK = 0x1fff;

/** A header in numbers; one object, filled anew for each packet. Addresses are `| 0` words. */
export class Ipv4Header implements Ipv4OptionNotes {
  src = 0;
  dst = 0;
  protocol = 0;
  ttl = 0;
  /** The former TOS byte: DSCP and ECN (RFC 2474, RFC 3168). */
  trafficClass = 0;
  id = 0;
  dontFragment = false;
  moreFragments = false;
  /** Where the payload belongs in the whole datagram, in bytes. */
  fragmentOffset = 0;
  totalLength = 0;
  headerLength = 0;
  /** Where the header starts, the payload starts, and the packet ends (link padding is past it). */
  headerAt = 0;
  payloadAt = 0;
  end = 0;
  options = 0;
  routerAlertAt = 0;
  recordRouteAt = 0;
  timestampAt = 0;
  sourceRouteAt = 0;
  problemPointer = 0;

  get isFragment(): boolean {
    return this.moreFragments || this.fragmentOffset !== 0;
  }
}

/**
 * Reads and checks the header of the packet `at … end`, its checksum and options included.
 *
 * After `none`: `headerAt + 20 ≤ payloadAt ≤ end`, all within the range given; options lie between whole and well-formed.
 * What is not checked: addresses, protocol, and whether a fragment's length is a multiple of 8.
 */
export function parseIpv4(bytes: Uint8Array, at: number, end: number, into: Ipv4Header): DropReason {
  const room = end - at;
  if (room < IPV4_HEADER_LEN) return DropReason.ipTruncated;
  const versionAndLength = bytes[at] as number;
  if (versionAndLength >> 4 !== 4) return DropReason.ipVersion;
  const headerLength = (versionAndLength & 0xf) << 2;
  if (headerLength < IPV4_HEADER_LEN || headerLength > room) return DropReason.ipHeaderLength;
  const totalLength = u16(bytes, at + 2);
  if (totalLength < headerLength || totalLength > room) return DropReason.ipTotalLength;
  if (!isChecksumRight(bytes, at, headerLength)) return DropReason.ipChecksum;
  fill(bytes, at, headerLength, totalLength, into);
  into.end = at + totalLength;
  return headerLength === IPV4_HEADER_LEN ? DropReason.none : walkIpv4Options(bytes, into);
}

/**
 * Reads the header that an ICMP error quotes (RFC 792, RFC 1812 §4.3.2.3): the packet is usually cut short, and its
 * checksum and TTL were often changed on the way, so neither is checked. Options are skipped.
 * @returns `none` when the header and at least 8 bytes behind it are there (`end` is where the quote ends, which may be
 *   before the packet's own end), else `icmpTruncated` or `icmpQuoteUnknown`
 */
export function parseQuotedIpv4(bytes: Uint8Array, at: number, end: number, into: Ipv4Header): DropReason {
  if (end - at < IPV4_HEADER_LEN) return DropReason.icmpTruncated;
  const versionAndLength = bytes[at] as number;
  const headerLength = (versionAndLength & 0xf) << 2;
  if (versionAndLength >> 4 !== 4 || headerLength < IPV4_HEADER_LEN) return DropReason.icmpQuoteUnknown;
  if (end - at < headerLength + 8) return DropReason.icmpTruncated;
  const totalLength = u16(bytes, at + 2);
  if (totalLength < headerLength + 8) return DropReason.icmpQuoteUnknown;
  fill(bytes, at, headerLength, totalLength, into);
  into.end = Math.min(end, at + totalLength);
  return DropReason.none;
}

function fill(
  bytes: Uint8Array,
  at: number,
  headerLength: number,
  totalLength: number,
  into: Ipv4Header,
): void {
  const fragment = u16(bytes, at + 6);
  into.trafficClass = bytes[at + 1] as number;
  into.totalLength = totalLength;
  into.id = u16(bytes, at + 4);
  into.dontFragment = (fragment & IPV4_DONT_FRAGMENT) !== 0;
  into.moreFragments = (fragment & IPV4_MORE_FRAGMENTS) !== 0;
  into.fragmentOffset = (fragment & OFFSET_MASK) << 3;
  into.ttl = bytes[at + 8] as number;
  into.protocol = bytes[at + 9] as number;
  into.src = i32(bytes, at + 12);
  into.dst = i32(bytes, at + 16);
  into.headerLength = headerLength;
  into.headerAt = at;
  into.payloadAt = at + headerLength;
  into.options = 0;
  into.routerAlertAt = 0;
  into.recordRouteAt = 0;
  into.timestampAt = 0;
  into.sourceRouteAt = 0;
  into.problemPointer = 0;
}

/**
 * Writes a header and its checksum.
 * @param totalLength of header and payload, at most 65,535; counts the padded options: see {@link paddedOptionsLength}
 * @param flagsAndOffset `IPV4_DONT_FRAGMENT`, `IPV4_MORE_FRAGMENTS`, and the fragment offset in units of 8 bytes
 * @param options at most 40 bytes, which are padded to a multiple of 4 with End of Option List; `null` for none
 * @returns where the payload goes
 */
export function writeIpv4(
  into: Uint8Array,
  at: number,
  trafficClass: number,
  totalLength: number,
  id: number,
  flagsAndOffset: number,
  ttl: number,
  protocol: number,
  src: number,
  dst: number,
  options: Uint8Array | null = null,
): number {
  const headerLength = IPV4_HEADER_LEN + (options === null ? 0 : paddedOptionsLength(options.length));
  into[at] = 0x40 | (headerLength >> 2);
  into[at + 1] = trafficClass;
  putU16(into, at + 2, totalLength);
  putU16(into, at + 4, id);
  putU16(into, at + 6, flagsAndOffset);
  into[at + 8] = ttl;
  into[at + 9] = protocol;
  putI32(into, at + 12, src);
  putI32(into, at + 16, dst);
  if (options !== null) {
    into.set(options, at + IPV4_HEADER_LEN);
    into.fill(0, at + IPV4_HEADER_LEN + options.length, at + headerLength);
  }
  return sealIpv4(into, at, headerLength);
}

/** Bytes that options of `length` bytes take in a header. */
export function paddedOptionsLength(length: number): number {
  return (length + 3) & ~3;
}

/** Computes the checksum of the header at `at` anew, after a field changed. @returns the header's end. */
export function sealIpv4(into: Uint8Array, at: number, headerLength: number): number {
  putU16(into, at + 10, 0);
  putU16(into, at + 10, ~fold(sumBytes(into, at, headerLength)));
  return at + headerLength;
}
