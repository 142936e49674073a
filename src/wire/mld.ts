/**
 * MLD (RFC 2710, RFC 3810): IGMP of IPv6, as messages of ICMPv6.
 *
 *     version 1             0      1   2          4          6   8                 24
 *                           | type | 0 | checksum | max resp | 0 | group           |
 *     query of version 2    0      1   2          4          6   8                 24       25     26      28
 *                           | 130  | 0 | checksum | max resp | 0 | group           | S, QRV | QQIC | count | sources …
 *     report of version 2   0      1   2          4   6       8
 *                           | 143  | 0 | checksum | 0 | count | records …
 *     record                0      1     2       4                 20
 *                           | type | aux | count | group           | sources … | aux words
 */

import { putI32, putU16, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';
import { igmpCode } from './igmp.ts';

/** Bytes of a message of version 1, of a version 2 query before its sources, and of a version 2 report before its records. */
export const MLDV1_LEN = 24;
export const MLDV2_QUERY_LEN = 28;
export const MLD_REPORT_LEN = 8;
/** Bytes of a record before its sources, and of an address. */
export const MLD_RECORD_LEN = 20;
const ADDRESS_LEN = 16;

/** ICMPv6 types. */
export const MldType = { query: 130, reportV1: 131, done: 132, reportV2: 143 } as const;

/** Whether an ICMPv6 type is one of MLD's. */
export function isMldType(type: number): boolean {
  return (type >= MldType.query && type <= MldType.done) || type === MldType.reportV2;
}

/** A message in numbers; one object, filled anew for each. */
export class MldHeader {
  type = 0;
  version: 1 | 2 = 2;
  /** Where the group's 16 bytes are; of a report of version 2 not meant. */
  groupAt = 0;
  /** A query about all groups. */
  isGeneral = false;
  maxResponseMs = 0;
  suppressesProcessing = false;
  robustness = 0;
  intervalMs = 0;
  /** Sources of a query or records of a report of version 2, and where the first is. */
  count = 0;
  listAt = 0;
  end = 0;
}

/** A record in numbers. */
export class MldRecord {
  type = 0;
  groupAt = 0;
  sourceCount = 0;
  sourcesAt = 0;
}

/**
 * Reads the ICMPv6 message `at … end`, whose checksum was verified.
 *
 * After `none`: the sources of a query lie in the message, the records of a report do and are whole.
 * @returns `none`, `mldTruncated`, `mldGroup` when the group is none, or `icmpTypeUnknown`
 */
export function parseMld(bytes: Uint8Array, at: number, end: number, into: MldHeader): DropReason {
  const length = end - at;
  if (length < MLD_REPORT_LEN) return DropReason.mldTruncated;
  into.type = bytes[at] as number;
  into.version = 2;
  into.groupAt = at + 8;
  into.isGeneral = false;
  into.maxResponseMs = 0;
  into.suppressesProcessing = false;
  into.robustness = 0;
  into.intervalMs = 0;
  into.count = 0;
  into.listAt = end;
  into.end = end;
  if (into.type === MldType.reportV2) return parseReport(bytes, at, into);
  if (!isMldType(into.type)) return DropReason.icmpTypeUnknown;
  if (length < MLDV1_LEN) return DropReason.mldTruncated;
  const isGroup = bytes[into.groupAt] === 0xff;
  if (into.type !== MldType.query) {
    into.version = 1;
    return isGroup ? DropReason.none : DropReason.mldGroup;
  }
  into.isGeneral = isZero(bytes, into.groupAt);
  return isGroup || into.isGeneral ? parseQuery(bytes, at, length, into) : DropReason.mldGroup;
}

/** RFC 3810 §8.1: the length tells the version; lengths between the two are ignored. */
function parseQuery(bytes: Uint8Array, at: number, length: number, into: MldHeader): DropReason {
  const code = u16(bytes, at + 4);
  if (length === MLDV1_LEN) {
    into.version = 1;
    into.maxResponseMs = code;
    return DropReason.none;
  }
  if (length < MLDV2_QUERY_LEN) return DropReason.mldTruncated;
  const flags = bytes[at + 24] as number;
  into.maxResponseMs = mldMaxResponse(code);
  into.suppressesProcessing = (flags & 8) !== 0;
  into.robustness = flags & 7;
  into.intervalMs = igmpCode(bytes[at + 25] as number) * 1000;
  into.count = u16(bytes, at + 26);
  into.listAt = at + MLDV2_QUERY_LEN;
  return into.listAt + into.count * ADDRESS_LEN <= into.end ? DropReason.none : DropReason.mldTruncated;
}

function parseReport(bytes: Uint8Array, at: number, into: MldHeader): DropReason {
  into.count = u16(bytes, at + 6);
  into.listAt = at + MLD_REPORT_LEN;
  let next = into.listAt;
  for (let i = 0; i < into.count; i++) {
    next = readMldRecord(bytes, next, into.end, null);
    if (next < 0) return DropReason.mldTruncated;
  }
  return DropReason.none;
}

/** Reads the record at `at`, unless `into` is `null`. @returns where the next one is, -1 when it is not whole */
export function readMldRecord(bytes: Uint8Array, at: number, end: number, into: MldRecord | null): number {
  if (end - at < MLD_RECORD_LEN) return -1;
  const count = u16(bytes, at + 2);
  const next = at + MLD_RECORD_LEN + ADDRESS_LEN * count + 4 * (bytes[at + 1] as number);
  if (next > end) return -1;
  if (into !== null) {
    into.type = bytes[at] as number;
    into.groupAt = at + 4;
    into.sourceCount = count;
    into.sourcesAt = at + MLD_RECORD_LEN;
  }
  return next;
}

/** A Maximum Response Code in ms: from 32,768 on a mantissa of 12 bits and an exponent of 3 (RFC 3810 §5.1.3). */
export function mldMaxResponse(code: number): number {
  return code < 0x8000 ? code : ((code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3);
}

/** Writes a message of version 1 without its checksum; the group's words are to be put at its byte 8. @returns its end */
export function writeMld(into: Uint8Array, at: number, type: number, maxResponseMs: number): number {
  putI32(into, at, type << 24);
  putI32(into, at + 4, maxResponseMs << 16);
  return at + MLDV1_LEN;
}

/** Writes the head of a version 2 report without its checksum. @returns where the first record goes */
export function writeMldReport(into: Uint8Array, at: number, count: number): number {
  putI32(into, at, MldType.reportV2 << 24);
  putI32(into, at + 4, count);
  return at + MLD_REPORT_LEN;
}

/** Writes a record's head; its group's words are to be put at byte 4, and the sources follow. @returns where the first goes */
export function writeMldRecord(into: Uint8Array, at: number, type: number, sourceCount: number): number {
  into[at] = type;
  into[at + 1] = 0;
  putU16(into, at + 2, sourceCount);
  return at + MLD_RECORD_LEN;
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < ADDRESS_LEN; i++) if (bytes[at + i] !== 0) return false;
  return true;
}
