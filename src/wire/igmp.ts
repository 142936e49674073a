/**
 * IGMP (RFC 1112 appendix I, RFC 2236, RFC 3376): how hosts tell routers which IPv4 groups they listen to.
 *
 *     versions 1 and 2         0      1          2          4       8
 *                              | type | max resp | checksum | group |
 *     query of version 3       0      1          2          4       8        9      10      12
 *                              | 0x11 | max resp | checksum | group | S, QRV | QQIC | count | sources …
 *     report of version 3      0      1   2          4       6       8
 *                              | 0x22 | 0 | checksum | 0     | count | group records …
 *     group record             0      1     2       4       8
 *                              | type | aux | count | group | sources … | aux words
 */

import { i32, putI32, putU16, u16 } from '../base/index.ts';
import { checksum, isChecksumRight } from './checksum.ts';
import { DropReason } from './drop-reason.ts';
import { IPOPT_END, IPOPT_NOP, IPOPT_ROUTER_ALERT } from './ipv4-options.ts';

/** Bytes of a message of version 1 or 2; of a version 3 query or report before the list. */
export const IGMP_HEADER_LEN = 8;
export const IGMPV3_QUERY_LEN = 12;
/** Bytes of a record before its sources. */
export const IGMP_RECORD_LEN = 8;

export const IgmpType = {
  query: 0x11,
  reportV1: 0x12,
  reportV2: 0x16,
  leave: 0x17,
  reportV3: 0x22,
} as const;

/** What a query of version 1 allows for answers (RFC 1112 appendix I, RFC 2236 §4), ms. */
const V1_MAX_RESPONSE = 10_000;
const TENTH = 100;

/** A message in numbers; one object, filled anew for each. */
export class IgmpHeader {
  type = 0;
  /** Of a query, by its length and its second byte (RFC 3376 §7.1); of other messages, the version of their type. */
  version: 1 | 2 | 3 = 3;
  /** 0 in a general query. */
  group = 0;
  /** Of a query: the time over which answers are spread. */
  maxResponseMs = 0;
  /** Of a version 3 query: S flag, the querier's robustness (QRV) and query interval. */
  suppressesProcessing = false;
  robustness = 0;
  intervalMs = 0;
  /** Sources of a version 3 query or records of a version 3 report, and where the first is. */
  count = 0;
  listAt = 0;
  end = 0;
}

/** A group record in numbers. */
export class IgmpRecord {
  type = 0;
  group = 0;
  sourceCount = 0;
  sourcesAt = 0;
}

/**
 * Reads the message `at … end`, its checksum included, which covers all of it (RFC 3376 §4.1.2).
 *
 * After `none`: the sources of a query lie in the message, the records of a report do and are whole.
 * @returns `none`, `igmpTruncated`, `igmpChecksum`, `igmpGroup` when the group can be none, or `igmpTypeUnknown` (RFC 3376 §4:
 *   ignored silently)
 */
export function parseIgmp(bytes: Uint8Array, at: number, end: number, into: IgmpHeader): DropReason {
  const length = end - at;
  if (length < IGMP_HEADER_LEN) return DropReason.igmpTruncated;
  if (!isChecksumRight(bytes, at, length)) return DropReason.igmpChecksum;
  into.type = bytes[at] as number;
  into.version = 3;
  into.group = i32(bytes, at + 4);
  into.maxResponseMs = 0;
  into.suppressesProcessing = false;
  into.robustness = 0;
  into.intervalMs = 0;
  into.count = 0;
  into.listAt = end;
  into.end = end;
  switch (into.type) {
    case IgmpType.query:
      return parseQuery(bytes, at, length, into);
    case IgmpType.reportV1:
    case IgmpType.reportV2:
    case IgmpType.leave:
      into.version = into.type === IgmpType.reportV1 ? 1 : 2;
      return isGroup(into.group) ? DropReason.none : DropReason.igmpGroup;
    case IgmpType.reportV3:
      return parseReport(bytes, at, into);
    default:
      return DropReason.igmpTypeUnknown;
  }
}

/** RFC 3376 §7.1: the length tells the version; lengths between those of versions 2 and 3 are ignored. */
function parseQuery(bytes: Uint8Array, at: number, length: number, into: IgmpHeader): DropReason {
  const code = bytes[at + 1] as number;
  if (into.group !== 0 && !isGroup(into.group)) return DropReason.igmpGroup;
  if (length === IGMP_HEADER_LEN) {
    into.version = code === 0 ? 1 : 2;
    into.maxResponseMs = code === 0 ? V1_MAX_RESPONSE : code * TENTH;
    return DropReason.none;
  }
  if (length < IGMPV3_QUERY_LEN) return DropReason.igmpTruncated;
  const flags = bytes[at + 8] as number;
  into.maxResponseMs = igmpCode(code) * TENTH;
  into.suppressesProcessing = (flags & 8) !== 0;
  into.robustness = flags & 7;
  into.intervalMs = igmpCode(bytes[at + 9] as number) * 1000;
  into.count = u16(bytes, at + 10);
  into.listAt = at + IGMPV3_QUERY_LEN;
  return into.listAt + into.count * 4 <= into.end ? DropReason.none : DropReason.igmpTruncated;
}

function parseReport(bytes: Uint8Array, at: number, into: IgmpHeader): DropReason {
  into.group = 0;
  into.count = u16(bytes, at + 6);
  into.listAt = at + IGMP_HEADER_LEN;
  let next = into.listAt;
  for (let i = 0; i < into.count; i++) {
    next = readIgmpRecord(bytes, next, into.end, null);
    if (next < 0) return DropReason.igmpTruncated;
  }
  return DropReason.none;
}

/** Reads the record at `at`, unless `into` is `null`. @returns where the next one is, -1 when it is not whole */
export function readIgmpRecord(bytes: Uint8Array, at: number, end: number, into: IgmpRecord | null): number {
  if (end - at < IGMP_RECORD_LEN) return -1;
  const count = u16(bytes, at + 2);
  const next = at + IGMP_RECORD_LEN + 4 * (count + (bytes[at + 1] as number));
  if (next > end) return -1;
  if (into !== null) {
    into.type = bytes[at] as number;
    into.group = i32(bytes, at + 4);
    into.sourceCount = count;
    into.sourcesAt = at + IGMP_RECORD_LEN;
  }
  return next;
}

/** A Max Resp Code or QQIC: from 128 on a mantissa of 4 bits and an exponent of 3 (RFC 3376 §4.1.1, §4.1.7). */
export function igmpCode(code: number): number {
  return code < 128 ? code : ((code & 0xf) | 0x10) << (((code >> 4) & 7) + 3);
}

/** Writes a message of version 1 or 2, or an empty query of them. @returns its end */
export function writeIgmp(
  into: Uint8Array,
  at: number,
  type: number,
  maxResponse: number,
  group: number,
): number {
  into[at] = type;
  into[at + 1] = maxResponse;
  putI32(into, at + 4, group);
  return sealIgmp(into, at, at + IGMP_HEADER_LEN);
}

/** Writes the head of a version 3 report; the records follow, and {@link sealIgmp} ends it. @returns where the first goes */
export function writeIgmpReport(into: Uint8Array, at: number, count: number): number {
  into[at] = IgmpType.reportV3;
  into[at + 1] = 0;
  putU16(into, at + 4, 0);
  putU16(into, at + 6, count);
  return at + IGMP_HEADER_LEN;
}

/** Writes a record's head; `sourceCount` words follow. @returns where the first goes */
export function writeIgmpRecord(
  into: Uint8Array,
  at: number,
  type: number,
  group: number,
  sourceCount: number,
): number {
  into[at] = type;
  into[at + 1] = 0;
  putU16(into, at + 2, sourceCount);
  putI32(into, at + 4, group);
  return at + IGMP_RECORD_LEN;
}

/** Computes the checksum of the message `at … end`. @returns `end` */
export function sealIgmp(into: Uint8Array, at: number, end: number): number {
  putU16(into, at + 2, 0);
  putU16(into, at + 2, checksum(into, at, end - at));
  return end;
}

/** Whether the options of the parsed IPv4 header `headerAt … payloadAt` have a router alert (RFC 2113), of any value. */
export function hasRouterAlert(bytes: Uint8Array, headerAt: number, payloadAt: number): boolean {
  let at = headerAt + 20;
  while (at < payloadAt) {
    const type = bytes[at] as number;
    if (type === IPOPT_ROUTER_ALERT) return true;
    if (type === IPOPT_END) return false;
    at += type === IPOPT_NOP ? 1 : Math.max(2, bytes[at + 1] as number);
  }
  return false;
}

function isGroup(word: number): boolean {
  return word >>> 28 === 0xe;
}
