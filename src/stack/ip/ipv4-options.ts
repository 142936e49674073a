/**
 * What a host does with IPv4 options (RFC 791 §3.1, RFC 1122 §3.2.1.8): it fills in record routes and timestamps that pass through it
 * or end here, gives both back in echo replies, and sends those that an application asks for.
 *
 * Source routes are neither followed nor sent (RFC 7126 §4.3).
 */

import { EMPTY, i32, putI32 } from '../../base/index.ts';
import {
  DropReason,
  IPOPT_COPIED,
  IPOPT_END,
  IPOPT_NOP,
  IPOPT_RECORD_ROUTE,
  IPOPT_TIMESTAMP,
  IPV4_HEADER_LEN,
  IPV4_OPTION_RECORD_ROUTE,
  IPV4_OPTION_SOURCE_ROUTE,
  IPV4_OPTION_TIMESTAMP,
  type Ipv4OptionNotes,
  sealIpv4,
  walkIpv4Options,
} from '../../wire/index.ts';

/** Most bytes of options that a header has room for. */
export const MAX_IPV4_OPTIONS = 40;
/** RFC 791: a time that does not count from midnight UT, or is not in ms, has the high bit set. */
const NON_STANDARD_TIME = 0x8000_0000 | 0;
/** Flags of a timestamp option. */
const STAMPS_ONLY = 0;
const STAMPS_OF_NAMED = 3;

/** A header's options as they were found; filled anew for each. */
class Notes implements Ipv4OptionNotes {
  headerAt = 0;
  payloadAt = 0;
  options = 0;
  routerAlertAt = 0;
  recordRouteAt = 0;
  timestampAt = 0;
  sourceRouteAt = 0;
  problemPointer = 0;

  /** Walks the options of the header at `headerAt`. @returns whether they are well-formed */
  walk(bytes: Uint8Array, headerAt: number, payloadAt: number): boolean {
    this.headerAt = headerAt;
    this.payloadAt = payloadAt;
    this.options = 0;
    this.routerAlertAt = 0;
    this.recordRouteAt = 0;
    this.timestampAt = 0;
    this.sourceRouteAt = 0;
    return walkIpv4Options(bytes, this) === DropReason.none;
  }
}

const notes = new Notes();

/** Whether a word is an address of this host: who is asked for named timestamps. */
export type IsOurAddress = (word: number) => boolean;

/**
 * Fills in the record route and timestamp options of a header, in place: what the destination does, and each hop on the way
 * before it forwards (RFC 1812 §5.3.13.4). The header's checksum is the caller's to compute anew.
 * @param header as `parseIpv4` or {@link walkIpv4Options} has noted the options of `bytes`
 * @param address what is written down: the destination's own, or that of the interface by which the packet goes on
 * @param now ms, from any start
 * @returns 0, or the place of the byte at fault, from the header's start: the timestamp's overflow count has overflowed (RFC 791)
 */
export function fillRouteOptions(
  bytes: Uint8Array,
  header: Ipv4OptionNotes,
  address: number,
  isOurs: IsOurAddress,
  now: number,
): number {
  if ((header.options & IPV4_OPTION_RECORD_ROUTE) !== 0) fillRoute(bytes, header.recordRouteAt, address);
  if ((header.options & IPV4_OPTION_TIMESTAMP) === 0) return 0;
  const at = header.timestampAt;
  return fillTimestamp(bytes, at, address, isOurs, now) ? 0 : at + 3 - header.headerAt;
}

/**
 * The record route and timestamp of an echo request, filled in, for the reply (RFC 1122 §3.2.2.6); `EMPTY` when it has none.
 * @returns `null` when there is no room left for a timestamp that was not taken down: the request is in error
 */
export function optionsOfReply(
  bytes: Uint8Array,
  headerAt: number,
  payloadAt: number,
  address: number,
  isOurs: IsOurAddress,
  now: number,
): Uint8Array | null {
  const kept = keepOptions(bytes.subarray(headerAt + IPV4_HEADER_LEN, payloadAt), isRouteOrTime);
  if (kept.length === 0) return EMPTY;
  const header = new Uint8Array(IPV4_HEADER_LEN + kept.length);
  header.set(kept, IPV4_HEADER_LEN);
  if (!notes.walk(header, 0, header.length)) return EMPTY;
  if (fillRouteOptions(header, notes, address, isOurs, now) !== 0) return null;
  return header.subarray(IPV4_HEADER_LEN);
}

/**
 * Options as an application wants them sent, padded (OPT-IP_OPTIONS).
 * @returns `null` when they are malformed, too long, or a source route
 */
export function optionsToSend(options: Uint8Array): Uint8Array | null {
  if (options.length > MAX_IPV4_OPTIONS) return null;
  const header = new Uint8Array(IPV4_HEADER_LEN + ((options.length + 3) & ~3));
  header.set(options, IPV4_HEADER_LEN);
  if (!notes.walk(header, 0, header.length)) return null;
  return (notes.options & IPV4_OPTION_SOURCE_ROUTE) !== 0 ? null : header.subarray(IPV4_HEADER_LEN);
}

/** Of options those that every fragment carries and not only the first (RFC 791 §3.1), padded. */
export function copiedOptions(options: Uint8Array): Uint8Array {
  return keepOptions(options, isCopied);
}

/** Puts options behind an IPv4 header that was written without, at `at`. @returns where the payload goes */
export function insertOptions(into: Uint8Array, at: number, options: Uint8Array): number {
  const headerLength = IPV4_HEADER_LEN + options.length;
  into[at] = 0x40 | (headerLength >> 2);
  into.set(options, at + IPV4_HEADER_LEN);
  return sealIpv4(into, at, headerLength);
}

/** Record route: an address more, if there is room (RFC 791: else the packet goes on as it is). */
export function fillRoute(bytes: Uint8Array, at: number, address: number): void {
  const length = bytes[at + 1] as number;
  const pointer = bytes[at + 2] as number;
  if (pointer + 3 > length) return;
  putI32(bytes, at + pointer - 1, address);
  bytes[at + 2] = pointer + 4;
}

/** A timestamp more, or one more that found no room. @returns false when there was no room to count that either */
export function fillTimestamp(
  bytes: Uint8Array,
  at: number,
  address: number,
  isOurs: IsOurAddress,
  now: number,
): boolean {
  const length = bytes[at + 1] as number;
  const pointer = bytes[at + 2] as number;
  const overflowAndFlags = bytes[at + 3] as number;
  const flags = overflowAndFlags & 0xf;
  const entry = flags === STAMPS_ONLY ? 4 : 8;
  if (pointer + entry - 1 > length) {
    // Who is named has had its turn: nobody is left out.
    if (flags === STAMPS_OF_NAMED) return true;
    if (overflowAndFlags >> 4 === 0xf) return false;
    bytes[at + 3] = overflowAndFlags + 0x10;
    return true;
  }
  const entryAt = at + pointer - 1;
  const stamp = (Math.trunc(now) & 0x7fff_ffff) | NON_STANDARD_TIME;
  if (flags === STAMPS_ONLY) {
    putI32(bytes, entryAt, stamp);
  } else {
    if (flags === STAMPS_OF_NAMED && !isOurs(i32(bytes, entryAt))) return true;
    if (flags !== STAMPS_OF_NAMED) putI32(bytes, entryAt, address);
    putI32(bytes, entryAt + 4, stamp);
  }
  bytes[at + 2] = pointer + entry;
  return true;
}

/** Options of which `isKept` says so, one behind the other, padded. They have been walked: lengths are right. */
function keepOptions(options: Uint8Array, isKept: (type: number) => boolean): Uint8Array {
  const kept = new Uint8Array(MAX_IPV4_OPTIONS);
  let end = 0;
  let at = 0;
  while (at < options.length && options[at] !== IPOPT_END) {
    const type = options[at] as number;
    const length = type === IPOPT_NOP ? 1 : (options[at + 1] as number);
    if (type !== IPOPT_NOP && isKept(type)) {
      kept.set(options.subarray(at, at + length), end);
      end += length;
    }
    at += length;
  }
  return end === 0 ? EMPTY : kept.subarray(0, (end + 3) & ~3);
}

function isRouteOrTime(type: number): boolean {
  return type === IPOPT_RECORD_ROUTE || type === IPOPT_TIMESTAMP;
}

function isCopied(type: number): boolean {
  return (type & IPOPT_COPIED) !== 0;
}
