/**
 * IPv4 options (RFC 791 §3.1, RFC 1122 §3.2.1.8, RFC 2113): walked once, where a packet comes in. Lengths and pointers are
 * checked; what a kind means is the host's business, as is refusing source routes (RFC 7126 §4.3).
 */

import { DropReason } from './drop-reason.ts';

/** Option types, copied flag and class included (IANA "IP Option Numbers"). */
export const IPOPT_END = 0;
export const IPOPT_NOP = 1;
export const IPOPT_RECORD_ROUTE = 7;
export const IPOPT_TIMESTAMP = 68;
export const IPOPT_LOOSE_SOURCE_ROUTE = 131;
export const IPOPT_STRICT_SOURCE_ROUTE = 137;
export const IPOPT_ROUTER_ALERT = 148;

/** Bits of {@link Ipv4OptionNotes.options}. */
export const IPV4_OPTION_RECORD_ROUTE = 1;
export const IPV4_OPTION_TIMESTAMP = 2;
export const IPV4_OPTION_SOURCE_ROUTE = 4;
export const IPV4_OPTION_ROUTER_ALERT = 8;
export const IPV4_OPTION_OTHER = 16;

/** The copied flag: the option goes into every fragment, not only into the first. */
export const IPOPT_COPIED = 0x80;

/** The part of a parsed header that the walk reads (`headerAt`, `payloadAt`) and fills in. */
export interface Ipv4OptionNotes {
  readonly headerAt: number;
  readonly payloadAt: number;
  /** Kinds of option that are there: `IPV4_OPTION_*` bits. */
  options: number;
  /** Where such an option starts, 0 when it is not there. */
  routerAlertAt: number;
  recordRouteAt: number;
  timestampAt: number;
  sourceRouteAt: number;
  /** After `ipOptions`: the faulty byte, counted from the header's start (RFC 792 parameter problem). */
  problemPointer: number;
}

/**
 * Walks the options of a header whose other fields are already filled in, and notes in it which are there and where.
 * @returns `none`, or `ipOptions` with `problemPointer` at the byte at fault
 */
export function walkIpv4Options(bytes: Uint8Array, header: Ipv4OptionNotes): DropReason {
  const end = header.payloadAt;
  let at = header.headerAt + 20;
  while (at < end) {
    const type = bytes[at] as number;
    if (type === IPOPT_END) break;
    if (type === IPOPT_NOP) {
      at++;
      continue;
    }
    const length = at + 1 < end ? (bytes[at + 1] as number) : 0;
    if (length < 2 || length > end - at) return problem(header, at + 1);
    const fault = noteOption(bytes, at, type, length, header);
    if (fault !== 0) return problem(header, fault);
    at += length;
  }
  return DropReason.none;
}

/** @returns 0, or the place of the byte at fault (never 0: options start at 20). */
function noteOption(
  bytes: Uint8Array,
  at: number,
  type: number,
  length: number,
  header: Ipv4OptionNotes,
): number {
  switch (type) {
    case IPOPT_RECORD_ROUTE:
      header.options |= IPV4_OPTION_RECORD_ROUTE;
      header.recordRouteAt = at;
      return routeFault(bytes, at, length);
    case IPOPT_LOOSE_SOURCE_ROUTE:
    case IPOPT_STRICT_SOURCE_ROUTE:
      // At most one source route in a packet: RFC 1122 §3.2.1.8(c).
      if (header.sourceRouteAt !== 0) return at;
      header.options |= IPV4_OPTION_SOURCE_ROUTE;
      header.sourceRouteAt = at;
      return routeFault(bytes, at, length);
    case IPOPT_TIMESTAMP:
      header.options |= IPV4_OPTION_TIMESTAMP;
      header.timestampAt = at;
      return timestampFault(bytes, at, length);
    case IPOPT_ROUTER_ALERT:
      header.options |= IPV4_OPTION_ROUTER_ALERT;
      header.routerAlertAt = at;
      return length === 4 ? 0 : at + 1;
    default:
      header.options |= IPV4_OPTION_OTHER;
      return 0;
  }
}

/** A route is whole addresses, and its pointer (counted from 1) is at one of them or just behind the last. */
function routeFault(bytes: Uint8Array, at: number, length: number): number {
  if (length < 3 || (length - 3) % 4 !== 0) return at + 1;
  const pointer = bytes[at + 2] as number;
  return pointer < 4 || pointer % 4 !== 0 || pointer > length + 1 ? at + 2 : 0;
}

/** Flags 0: stamps of 4 bytes; 1 and 3: address and stamp, 8 bytes. The pointer counts from 1. */
function timestampFault(bytes: Uint8Array, at: number, length: number): number {
  if (length < 4) return at + 1;
  const flags = (bytes[at + 3] as number) & 0xf;
  if (flags !== 0 && flags !== 1 && flags !== 3) return at + 3;
  const entry = flags === 0 ? 4 : 8;
  if ((length - 4) % entry !== 0) return at + 1;
  const pointer = bytes[at + 2] as number;
  return pointer < 5 || (pointer - 5) % entry !== 0 || pointer > length + 1 ? at + 2 : 0;
}

function problem(header: Ipv4OptionNotes, at: number): DropReason {
  header.problemPointer = at - header.headerAt;
  return DropReason.ipOptions;
}
