/**
 * The IPv6 header (RFC 8200 §3).
 *
 *     0               4                8              24
 *     |ver| TC | flow | length |NH|HL| source … | destination … | extension headers, payload …
 */

import { i32, putI32, putU16, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';

export const IPV6_HEADER_LEN = 40;

/** Where the next header field is in the header: what a parameter problem points at. */
export const IPV6_NEXT_HEADER_OFFSET = 6;
export const IPV6_HOP_LIMIT_OFFSET = 7;

/** Values of the next header field that are about IPv6 itself (IANA "Protocol Numbers"). */
export const IPV6_HOP_BY_HOP = 0;
export const IPV6_ROUTING = 43;
export const IPV6_FRAGMENT = 44;
export const IPV6_NO_NEXT_HEADER = 59;
export const IPV6_DESTINATION_OPTIONS = 60;

/** Bits of a flow label (RFC 6437). */
export const IPV6_FLOW_LABEL_MASK = 0xfffff;

/** A header in numbers; one object, filled anew for each packet. Addresses are four `| 0` words each. */
export class Ipv6Header {
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  trafficClass = 0;
  /** 20 bits; 0: the packet is of no labelled flow. */
  flowLabel = 0;
  nextHeader = 0;
  hopLimit = 0;
  /** Where the header starts, what follows it starts, and the packet ends (link padding is past it). */
  headerAt = 0;
  payloadAt = 0;
  end = 0;
}

/**
 * Reads the header of the packet `at … end`.
 *
 * After `none`: `headerAt + 40 = payloadAt ≤ end`. Neither addresses nor what follows the header is checked. Jumbograms (RFC
 * 2675) are not spoken: a payload length of zero means that nothing follows.
 * @returns `none`, `ipv6Truncated`, `ipVersion`, or `ipv6PayloadLength`
 */
export function parseIpv6(bytes: Uint8Array, at: number, end: number, into: Ipv6Header): DropReason {
  const room = end - at;
  if (room < IPV6_HEADER_LEN) return DropReason.ipv6Truncated;
  if ((bytes[at] as number) >> 4 !== 6) return DropReason.ipVersion;
  const payloadLength = u16(bytes, at + 4);
  if (payloadLength > room - IPV6_HEADER_LEN) return DropReason.ipv6PayloadLength;
  fill(bytes, at, into);
  into.end = into.payloadAt + payloadLength;
  return DropReason.none;
}

/**
 * Reads the header that an ICMPv6 error quotes (RFC 4443 §3): the packet is usually cut short.
 * @returns `none` (`into.end` is where the quote or the packet ends, whichever is first), `icmpTruncated`, `icmpQuoteUnknown`
 */
export function parseQuotedIpv6(bytes: Uint8Array, at: number, end: number, into: Ipv6Header): DropReason {
  if (end - at < IPV6_HEADER_LEN) return DropReason.icmpTruncated;
  if ((bytes[at] as number) >> 4 !== 6) return DropReason.icmpQuoteUnknown;
  fill(bytes, at, into);
  into.end = Math.min(end, into.payloadAt + u16(bytes, at + 4));
  return DropReason.none;
}

function fill(bytes: Uint8Array, at: number, into: Ipv6Header): void {
  const word = i32(bytes, at);
  into.trafficClass = (word >>> 20) & 0xff;
  into.flowLabel = word & IPV6_FLOW_LABEL_MASK;
  into.nextHeader = bytes[at + IPV6_NEXT_HEADER_OFFSET] as number;
  into.hopLimit = bytes[at + IPV6_HOP_LIMIT_OFFSET] as number;
  into.src0 = i32(bytes, at + 8);
  into.src1 = i32(bytes, at + 12);
  into.src2 = i32(bytes, at + 16);
  into.src3 = i32(bytes, at + 20);
  into.dst0 = i32(bytes, at + 24);
  into.dst1 = i32(bytes, at + 28);
  into.dst2 = i32(bytes, at + 32);
  into.dst3 = i32(bytes, at + 36);
  into.headerAt = at;
  into.payloadAt = at + IPV6_HEADER_LEN;
}

/** An address as four words, as `IpAddress` has them. */
export interface Ipv6Words {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

/**
 * Writes a header.
 * @param payloadLength of all that follows, extension headers included, at most 65,535
 * @returns where that goes
 */
export function writeIpv6(
  into: Uint8Array,
  at: number,
  trafficClass: number,
  flowLabel: number,
  payloadLength: number,
  nextHeader: number,
  hopLimit: number,
  source: Ipv6Words,
  destination: Ipv6Words,
): number {
  putI32(into, at, 0x6000_0000 | ((trafficClass & 0xff) << 20) | (flowLabel & IPV6_FLOW_LABEL_MASK));
  putU16(into, at + 4, payloadLength);
  into[at + IPV6_NEXT_HEADER_OFFSET] = nextHeader;
  into[at + IPV6_HOP_LIMIT_OFFSET] = hopLimit;
  putI32(into, at + 8, source.w0);
  putI32(into, at + 12, source.w1);
  putI32(into, at + 16, source.w2);
  putI32(into, at + 20, source.w3);
  putI32(into, at + 24, destination.w0);
  putI32(into, at + 28, destination.w1);
  putI32(into, at + 32, destination.w2);
  putI32(into, at + 36, destination.w3);
  return at + IPV6_HEADER_LEN;
}
