/**
 * ICMP for IPv4 (RFC 792; RFC 1122 §3.2.2, RFC 1191 next-hop MTU, RFC 950 address mask, RFC 1256 router discovery, RFC 4884
 * extended messages).
 *
 *     0      1      2          4                       8
 *     | type | code | checksum | the type's own word   | data: of an error, the packet that caused it
 */

import { i32, putI32, putU16, u16 } from '../base/index.ts';
import { fold, isChecksumRight, sumWord } from './checksum.ts';
import { DropReason } from './drop-reason.ts';

/** Bytes before the data. */
export const ICMPV4_HEADER_LEN = 8;

/** Types (IANA "ICMP Type Numbers"). */
export const IcmpV4Type = {
  echoReply: 0,
  destinationUnreachable: 3,
  /** Deprecated: ignored by TCP (RFC 6633). */
  sourceQuench: 4,
  redirect: 5,
  echoRequest: 8,
  routerAdvertisement: 9,
  routerSolicitation: 10,
  timeExceeded: 11,
  parameterProblem: 12,
  timestampRequest: 13,
  timestampReply: 14,
  /** Obsolete (RFC 6918). */
  informationRequest: 15,
  informationReply: 16,
  addressMaskRequest: 17,
  addressMaskReply: 18,
} as const;

/** Codes of `destinationUnreachable`. */
export const IcmpV4Unreachable = {
  net: 0,
  host: 1,
  protocol: 2,
  port: 3,
  fragmentationNeeded: 4,
  sourceRouteFailed: 5,
  netUnknown: 6,
  hostUnknown: 7,
  sourceIsolated: 8,
  netProhibited: 9,
  hostProhibited: 10,
  netForTos: 11,
  hostForTos: 12,
  communicationProhibited: 13,
  precedenceViolation: 14,
  precedenceCutoff: 15,
} as const;

/** The code of `redirect` that a router sends: for one host (RFC 1812 §5.2.7.2). */
export const ICMPV4_REDIRECT_HOST = 1;
/** Codes of `timeExceeded`. */
export const ICMPV4_TTL_EXPIRED = 0;
export const ICMPV4_REASSEMBLY_EXPIRED = 1;

/** Set for each known type. */
const KNOWN_TYPES =
  (1 << 0) |
  (1 << 3) |
  (1 << 4) |
  (1 << 5) |
  (1 << 8) |
  (1 << 9) |
  (1 << 10) |
  (1 << 11) |
  (1 << 12) |
  (0x3f << 13);
const ERROR_TYPES = (1 << 3) | (1 << 4) | (1 << 5) | (1 << 11) | (1 << 12);
/** Errors whose length attribute RFC 4884 §4 defines. */
const EXTENSIBLE_TYPES = (1 << 3) | (1 << 11) | (1 << 12);

/** RFC 4884 §5.5: the quote before extensions is at least so long. */
const EXTENDED_QUOTE_MIN = 128;

/** A message's header in numbers; one object, filled anew for each message. */
export class IcmpV4Header {
  type = 0;
  code = 0;
  /** The type's own word, whole. */
  rest = 0;
  /** Where the data starts and ends. */
  payloadAt = 0;
  end = 0;
  /** Of an error: where the quoted packet ends, which is before `end` when extensions follow (RFC 4884). */
  quoteEnd = 0;

  /** Identifier of echo, timestamp, information and mask messages. */
  get id(): number {
    return this.rest >>> 16;
  }

  /** Sequence number of the same. */
  get sequence(): number {
    return this.rest & 0xffff;
  }

  /** Next-hop MTU of "fragmentation needed"; 0 from a router that does not say (RFC 1191 §4). */
  get mtu(): number {
    return this.rest & 0xffff;
  }

  /** Gateway of a redirect. */
  get gateway(): number {
    return this.rest;
  }

  /** Of a parameter problem: the byte at fault in the quoted packet. */
  get pointer(): number {
    return this.rest >>> 24;
  }

  /** Whether it reports on a packet that was sent, rather than asks or answers (RFC 1122 §3.2.2). */
  get isError(): boolean {
    return isIcmpV4Error(this.type);
  }
}

/** Whether messages of `type` are errors: no error may be sent about one (RFC 1122 §3.2.2). */
export function isIcmpV4Error(type: number): boolean {
  return type < 32 && (ERROR_TYPES & (1 << type)) !== 0;
}

/**
 * Reads the message `at … end` and verifies its checksum, which covers all of it.
 *
 * After `none`: `payloadAt ≤ quoteEnd ≤ end`; of an error, `parseQuotedIpv4(bytes, payloadAt, quoteEnd, …)` reads the quote.
 * @returns `none`, `icmpTruncated`, `icmpChecksum`, or `icmpTypeUnknown` (RFC 1122 §3.2.2: discard silently) with all
 *   fields filled in
 */
export function parseIcmpV4(bytes: Uint8Array, at: number, end: number, into: IcmpV4Header): DropReason {
  const length = end - at;
  if (length < ICMPV4_HEADER_LEN) return DropReason.icmpTruncated;
  if (!isChecksumRight(bytes, at, length)) return DropReason.icmpChecksum;
  const type = bytes[at] as number;
  into.type = type;
  into.code = bytes[at + 1] as number;
  into.rest = i32(bytes, at + 4);
  into.payloadAt = at + ICMPV4_HEADER_LEN;
  into.end = end;
  into.quoteEnd = end;
  if (type > 31 || (KNOWN_TYPES & (1 << type)) === 0) return DropReason.icmpTypeUnknown;
  if ((EXTENSIBLE_TYPES & (1 << type)) !== 0) {
    const quoted = (bytes[at + 5] as number) << 2;
    if (quoted >= EXTENDED_QUOTE_MIN && quoted <= length - ICMPV4_HEADER_LEN) {
      into.quoteEnd = into.payloadAt + quoted;
    }
  }
  return DropReason.none;
}

/**
 * Writes the header of a message whose data is in place behind it, or will be gathered from elsewhere.
 * @param rest the type's own word: `icmpEchoWord(id, sequence)`, a gateway, a next-hop MTU, `pointer << 24`
 * @param dataSum sum of the data (`sumBytes`), which is not touched
 * @returns where the data goes
 */
export function writeIcmpV4(
  into: Uint8Array,
  at: number,
  type: number,
  code: number,
  rest: number,
  dataSum: number,
): number {
  into[at] = type;
  into[at + 1] = code;
  putU16(into, at + 2, ~fold((type << 8) + code + sumWord(rest) + dataSum));
  putI32(into, at + 4, rest);
  return at + ICMPV4_HEADER_LEN;
}

/** Identifier and sequence number as one word. */
export function icmpEchoWord(id: number, sequence: number): number {
  return (id << 16) | (sequence & 0xffff);
}

/** The identifier of the quoted echo request at `at` (the quote's payload): whose it was. */
export function quotedEchoId(bytes: Uint8Array, at: number): number {
  return u16(bytes, at + 4);
}
