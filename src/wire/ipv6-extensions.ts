/**
 * IPv6 extension headers (RFC 8200 §4): the chain between the IPv6 header and the upper layer's, walked as its destination
 * does it.
 *
 *     0             1        2
 *     | next header | length | options, or a routing type and its data …     length: 8-byte units, the first not counted
 *
 *     0             1          2                 4
 *     | next header | reserved | offset |res| M | identification |           fragment header, always 8 bytes
 *
 * Bounds, as RFC 8504 §5.3 allows them, so that a packet can't buy much work with few bytes: {@link MAX_EXTENSION_HEADERS},
 * {@link MAX_EXTENSION_LENGTH}, {@link MAX_OPTIONS} in a header, and padding of at most 7 bytes in a row.
 */

import { i32, putI32, putU16, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';
import { IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP } from './ipv4.ts';
import {
  IPV6_DESTINATION_OPTIONS,
  IPV6_FRAGMENT,
  IPV6_HEADER_LEN,
  IPV6_HOP_BY_HOP,
  IPV6_NEXT_HEADER_OFFSET,
  IPV6_ROUTING,
  type Ipv6Header,
} from './ipv6.ts';

/** Most extension headers of a packet, and bytes that they take together. */
export const MAX_EXTENSION_HEADERS = 8;
export const MAX_EXTENSION_LENGTH = 512;
/** Most options in one header, padding not counted, and bytes of padding in a row. */
export const MAX_OPTIONS = 8;
const MAX_PADDING = 7;

export const IPV6_FRAGMENT_HEADER_LEN = 8;
/** The least piece of an upper layer's header, which the first fragment must have whole (RFC 7112). */
const TCP_HEADER_LEN = 20;
const SHORT_HEADER_LEN = 8;

/** Option types (IANA "Destination Options and Hop-by-Hop Options"). */
export const IPV6_OPTION_PAD1 = 0;
export const IPV6_OPTION_PADN = 1;
/** RFC 2711. */
export const IPV6_OPTION_ROUTER_ALERT = 5;

/** Codes of ICMPv6's parameter problem (RFC 4443 §3.4, RFC 7112, RFC 8883). */
export const IcmpV6Problem = {
  headerField: 0,
  nextHeader: 1,
  option: 2,
  incompleteChain: 3,
  headerTooBig: 6,
  chainTooLong: 7,
  tooManyHeaders: 8,
  tooManyOptions: 9,
  optionTooBig: 10,
} as const;

/** What a chain says; one object, filled anew for each packet that has one. */
export class Ipv6Extensions {
  /** What the chain leads to: the upper layer; behind a fragment header, what the fragments carry. */
  protocol = 0;
  payloadAt = 0;
  /** Where the field is that names `protocol`. */
  protocolAt = 0;
  /** Value of a router alert, -1 without one. */
  routerAlert = -1;
  /** Where the fragment header is, -1 when there is none or it makes no fragment of the packet (RFC 6946). */
  fragmentAt = -1;
  /** There is one, whatever it makes of the packet. */
  hasFragmentHeader = false;
  /** Where the field is that names the fragment header. */
  fragmentNamedAt = 0;
  /** In bytes. */
  fragmentOffset = 0;
  moreFragments = false;
  id = 0;
  /** After a failure: what to say of it (an {@link IcmpV6Problem}), -1 for nothing, and of which byte of the packet. */
  problemCode = -1;
  problemPointer = 0;
  /** The sender is told even when the packet was to a group (RFC 8200 §4.2, option types 10…). */
  isProblemForGroups = false;

  get isFragment(): boolean {
    return this.fragmentAt >= 0;
  }

  /** As of a packet without extension headers. */
  reset(header: Ipv6Header): void {
    this.protocol = header.nextHeader;
    this.payloadAt = header.payloadAt;
    this.protocolAt = header.headerAt + IPV6_NEXT_HEADER_OFFSET;
    this.routerAlert = -1;
    this.fragmentAt = -1;
    this.hasFragmentHeader = false;
    this.fragmentNamedAt = 0;
    this.fragmentOffset = 0;
    this.moreFragments = false;
    this.id = 0;
    this.problemCode = -1;
    this.problemPointer = 0;
    this.isProblemForGroups = false;
  }
}

/** Whether a header of this number may be followed by others. */
export function isIpv6Extension(protocol: number): boolean {
  return (
    protocol === IPV6_HOP_BY_HOP ||
    protocol === IPV6_ROUTING ||
    protocol === IPV6_FRAGMENT ||
    protocol === IPV6_DESTINATION_OPTIONS
  );
}

/** Value of the router alert (RFC 2711) of a packet whose chain was walked and is right; -1 without one. */
export function ipv6RouterAlert(bytes: Uint8Array, headerAt: number): number {
  if (bytes[headerAt + IPV6_NEXT_HEADER_OFFSET] !== IPV6_HOP_BY_HOP) return -1;
  const hopByHopAt = headerAt + IPV6_HEADER_LEN;
  const end = hopByHopAt + (((bytes[hopByHopAt + 1] as number) + 1) << 3);
  for (let at = hopByHopAt + 2; at + 2 <= end; ) {
    const type = bytes[at] as number;
    if (type === IPV6_OPTION_ROUTER_ALERT) return u16(bytes, at + 2);
    at += type === IPV6_OPTION_PAD1 ? 1 : 2 + (bytes[at + 1] as number);
  }
  return -1;
}

/**
 * Walks the chain behind `header` up to the upper layer, or to the header that makes it a fragment: what is behind that is
 * looked at when the packet is whole.
 *
 * After `none`: `header.payloadAt ≤ into.payloadAt ≤ header.end`. `protocol` may be unknown, or "no next header".
 * @returns `none`; or why the packet is dropped, with `problemCode` what its sender is told: `ipv6Extension` (a length that
 *   can't be), `ipv6ExtensionOrder`, `ipv6ExtensionLimit`, `ipv6OptionUnknown`, `ipv6Routing`, `ipv6HeaderChain`
 */
export function walkIpv6Extensions(bytes: Uint8Array, header: Ipv6Header, into: Ipv6Extensions): DropReason {
  into.reset(header);
  const { end } = header;
  let hasFragmentHeader = false;
  for (let count = 0; isIpv6Extension(into.protocol); count++) {
    const at = into.payloadAt;
    if (count === MAX_EXTENSION_HEADERS)
      return problem(into, IcmpV6Problem.tooManyHeaders, at, DropReason.ipv6ExtensionLimit);
    // RFC 8200 §4.1: hop-by-hop options only right behind the IPv6 header; elsewhere as an unknown header.
    if (into.protocol === IPV6_HOP_BY_HOP && count > 0)
      return problem(into, IcmpV6Problem.nextHeader, into.protocolAt, DropReason.ipv6ExtensionOrder);
    if (end - at < 8) return DropReason.ipv6Extension;
    let reason: DropReason;
    if (into.protocol === IPV6_FRAGMENT) {
      // A packet is a fragment once.
      if (hasFragmentHeader) return DropReason.ipv6ExtensionOrder;
      hasFragmentHeader = true;
      reason = walkFragment(bytes, header, into);
      if (into.isFragment) return reason;
    } else {
      reason = walkOne(bytes, header, into);
    }
    if (reason !== DropReason.none) return reason;
  }
  return DropReason.none;
}

/**
 * Goes to the upper layer of a packet that need not be whole, judging nothing on the way: of what an ICMPv6 error quotes.
 * @returns `none`; `ipv6HeaderChain` when the bytes end before the chain does; `icmpQuoteUnknown` in a later fragment
 */
export function skipIpv6Extensions(bytes: Uint8Array, header: Ipv6Header, into: Ipv6Extensions): DropReason {
  into.reset(header);
  return skip(bytes, header.end, into);
}

/** Writes a fragment header. @param offset in bytes, a multiple of 8 @returns where the fragment's bytes go */
export function writeIpv6Fragment(
  into: Uint8Array,
  at: number,
  nextHeader: number,
  offset: number,
  moreFragments: boolean,
  id: number,
): number {
  into[at] = nextHeader;
  into[at + 1] = 0;
  putU16(into, at + 2, offset | (moreFragments ? 1 : 0));
  putI32(into, at + 4, id);
  return at + IPV6_FRAGMENT_HEADER_LEN;
}

/** A header with a length field: options or routing. */
function walkOne(bytes: Uint8Array, header: Ipv6Header, into: Ipv6Extensions): DropReason {
  const at = into.payloadAt;
  const length = ((bytes[at + 1] as number) + 1) << 3;
  if (length > header.end - at) return DropReason.ipv6Extension;
  if (at + length - header.payloadAt > MAX_EXTENSION_LENGTH)
    return problem(into, IcmpV6Problem.chainTooLong, at, DropReason.ipv6ExtensionLimit);
  if (into.protocol !== IPV6_ROUTING) {
    const reason = walkOptions(bytes, at + 2, at + length, into);
    if (reason !== DropReason.none) return reason;
  } else if (bytes[at + 3] !== 0) {
    // RFC 8200 §4.4: a type that is not known and has segments left. None is known: type 0 is refused (RFC 5095).
    return problem(into, IcmpV6Problem.headerField, at + 2, DropReason.ipv6Routing);
  }
  into.protocol = bytes[at] as number;
  into.protocolAt = at;
  into.payloadAt = at + length;
  return DropReason.none;
}

/** The options `at … end` (RFC 8200 §4.2). */
function walkOptions(bytes: Uint8Array, at: number, end: number, into: Ipv6Extensions): DropReason {
  let options = 0;
  let padding = 0;
  for (let next = at; next < end; ) {
    const type = bytes[next] as number;
    let length = 1;
    if (type !== IPV6_OPTION_PAD1) {
      if (end - next < 2) return DropReason.ipv6Extension;
      length = (bytes[next + 1] as number) + 2;
      if (length > end - next) return DropReason.ipv6Extension;
    }
    if (type === IPV6_OPTION_PAD1 || type === IPV6_OPTION_PADN) {
      padding += length;
      if (padding > MAX_PADDING)
        return problem(into, IcmpV6Problem.optionTooBig, next, DropReason.ipv6ExtensionLimit);
    } else {
      padding = 0;
      if (++options > MAX_OPTIONS)
        return problem(into, IcmpV6Problem.tooManyOptions, next, DropReason.ipv6ExtensionLimit);
      const reason = takeOption(bytes, next, type, length, into);
      if (reason !== DropReason.none) return reason;
    }
    next += length;
  }
  return DropReason.none;
}

function takeOption(
  bytes: Uint8Array,
  at: number,
  type: number,
  length: number,
  into: Ipv6Extensions,
): DropReason {
  if (type === IPV6_OPTION_ROUTER_ALERT && into.protocol === IPV6_HOP_BY_HOP) {
    if (length !== 4) return problem(into, IcmpV6Problem.headerField, at + 1, DropReason.ipv6Extension);
    into.routerAlert = u16(bytes, at + 2);
    return DropReason.none;
  }
  // RFC 8200 §4.2: the two highest bits say what who does not know the option does.
  const action = type >> 6;
  if (action === 0) return DropReason.none;
  if (action === 1) return DropReason.ipv6OptionUnknown;
  into.isProblemForGroups = action === 2;
  return problem(into, IcmpV6Problem.option, at, DropReason.ipv6OptionUnknown);
}

function walkFragment(bytes: Uint8Array, header: Ipv6Header, into: Ipv6Extensions): DropReason {
  const at = into.payloadAt;
  const namedAt = into.protocolAt;
  const field = u16(bytes, at + 2);
  into.protocol = bytes[at] as number;
  into.protocolAt = at;
  into.payloadAt = at + IPV6_FRAGMENT_HEADER_LEN;
  into.fragmentOffset = field & 0xfff8;
  into.moreFragments = (field & 1) !== 0;
  into.id = i32(bytes, at + 4);
  into.hasFragmentHeader = true;
  // RFC 6946: the whole of the packet, with a header that changes nothing.
  if (into.fragmentOffset === 0 && !into.moreFragments) return DropReason.none;
  into.fragmentAt = at;
  into.fragmentNamedAt = namedAt;
  if (into.fragmentOffset > 0 || isChainWhole(bytes, header)) return DropReason.none;
  return problem(into, IcmpV6Problem.incompleteChain, header.headerAt, DropReason.ipv6HeaderChain);
}

/** Only for {@link isChainWhole}: nothing else runs in between. */
const ahead = new Ipv6Extensions();

/** RFC 7112 §5: a first fragment has all headers, the upper layer's included. */
function isChainWhole(bytes: Uint8Array, header: Ipv6Header): boolean {
  ahead.reset(header);
  if (skip(bytes, header.end, ahead) !== DropReason.none) return false;
  return header.end - ahead.payloadAt >= leastUpperHeader(ahead.protocol);
}

function leastUpperHeader(protocol: number): number {
  if (protocol === IPPROTO_TCP) return TCP_HEADER_LEN;
  return protocol === IPPROTO_UDP || protocol === IPPROTO_ICMPV6 ? SHORT_HEADER_LEN : 0;
}

function skip(bytes: Uint8Array, end: number, into: Ipv6Extensions): DropReason {
  for (let count = 0; isIpv6Extension(into.protocol); count++) {
    const at = into.payloadAt;
    if (count === MAX_EXTENSION_HEADERS || end - at < 8) return DropReason.ipv6HeaderChain;
    const isFragment = into.protocol === IPV6_FRAGMENT;
    if (isFragment && (u16(bytes, at + 2) & 0xfff8) !== 0) return DropReason.icmpQuoteUnknown;
    const length = isFragment ? IPV6_FRAGMENT_HEADER_LEN : ((bytes[at + 1] as number) + 1) << 3;
    if (length > end - at) return DropReason.ipv6HeaderChain;
    into.protocol = bytes[at] as number;
    into.protocolAt = at;
    into.payloadAt = at + length;
  }
  return DropReason.none;
}

function problem(into: Ipv6Extensions, code: number, pointer: number, reason: DropReason): DropReason {
  into.problemCode = code;
  into.problemPointer = pointer;
  return reason;
}
