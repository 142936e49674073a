/**
 * ICMPv6 (RFC 4443; RFC 4884 extended messages).
 *
 *     0      1      2          4                       8
 *     | type | code | checksum | the type's own word   | data: of an error, the packet that caused it
 *
 * The checksum covers a pseudo-header (RFC 8200 §8.1), unlike ICMP's.
 */

import { i32, putI32, putU16 } from '../base/index.ts';
import { fold, isChecksumRight, sumWord } from './checksum.ts';
import { DropReason } from './drop-reason.ts';

/** Bytes before the data. */
export const ICMPV6_HEADER_LEN = 8;

/** Types (IANA "ICMPv6 type Numbers"). Those below 128 are errors. */
export const IcmpV6Type = {
  destinationUnreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
  listenerQuery: 130,
  listenerReport: 131,
  listenerDone: 132,
  routerSolicitation: 133,
  routerAdvertisement: 134,
  neighborSolicitation: 135,
  neighborAdvertisement: 136,
  redirect: 137,
  listenerReportV2: 143,
} as const;

/** Codes of `destinationUnreachable` (RFC 4443 §3.1). */
export const IcmpV6Unreachable = {
  noRoute: 0,
  prohibited: 1,
  beyondScope: 2,
  address: 3,
  port: 4,
  sourcePolicy: 5,
  rejectRoute: 6,
} as const;

/** Codes of `timeExceeded`. */
export const ICMPV6_HOP_LIMIT_EXCEEDED = 0;
export const ICMPV6_REASSEMBLY_EXPIRED = 1;

/** RFC 4884 §4.5: the quote before extensions is at least so long. */
const EXTENDED_QUOTE_MIN = 128;

/** A message's header in numbers; one object, filled anew for each message. */
export class IcmpV6Header {
  type = 0;
  code = 0;
  /** The type's own word, whole: a packet-too-big's MTU, a parameter problem's pointer. */
  rest = 0;
  /** Where the message starts, its data starts, and both end. */
  at = 0;
  payloadAt = 0;
  end = 0;
  /** Of an error: where the quoted packet ends, which is before `end` when extensions follow (RFC 4884). */
  quoteEnd = 0;

  /** Identifier of echo messages. */
  get id(): number {
    return this.rest >>> 16;
  }

  /** Sequence number of the same. */
  get sequence(): number {
    return this.rest & 0xffff;
  }

  /** Whether it reports on a packet that was sent (RFC 4443 §2.1). */
  get isError(): boolean {
    return this.type < 128;
  }
}

/** Whether messages of `type` are errors: no error may be sent about one (RFC 4443 §2.4(e.1)). */
export function isIcmpV6Error(type: number): boolean {
  return type < 128;
}

/**
 * Reads the message `at … end` and verifies its checksum.
 *
 * After `none`: `payloadAt ≤ quoteEnd ≤ end`; of an error, `parseQuotedIpv6(bytes, payloadAt, quoteEnd, …)` reads the quote.
 * @param pseudoSum of the pseudo-header, length included
 * @returns `none`, `icmpTruncated` or `icmpChecksum`
 */
export function parseIcmpV6(
  bytes: Uint8Array,
  at: number,
  end: number,
  pseudoSum: number,
  into: IcmpV6Header,
): DropReason {
  const length = end - at;
  if (length < ICMPV6_HEADER_LEN) return DropReason.icmpTruncated;
  if (!isChecksumRight(bytes, at, length, pseudoSum)) return DropReason.icmpChecksum;
  const type = bytes[at] as number;
  into.type = type;
  into.code = bytes[at + 1] as number;
  into.rest = i32(bytes, at + 4);
  into.at = at;
  into.payloadAt = at + ICMPV6_HEADER_LEN;
  into.end = end;
  into.quoteEnd = end;
  if (type === IcmpV6Type.destinationUnreachable || type === IcmpV6Type.timeExceeded) {
    // In 64-bit words here, unlike ICMP's.
    const quoted = (bytes[at + 4] as number) << 3;
    if (quoted >= EXTENDED_QUOTE_MIN && quoted <= length - ICMPV6_HEADER_LEN) {
      into.quoteEnd = into.payloadAt + quoted;
    }
  }
  return DropReason.none;
}

/**
 * Writes the header of a message whose data is in place behind it, or will be gathered from elsewhere.
 * @param rest the type's own word: `icmpEchoWord(id, sequence)`, an MTU, a pointer
 * @param restSum sum of the data and of the pseudo-header, length included
 * @returns where the data goes
 */
export function writeIcmpV6(
  into: Uint8Array,
  at: number,
  type: number,
  code: number,
  rest: number,
  restSum: number,
): number {
  into[at] = type;
  into[at + 1] = code;
  putU16(into, at + 2, ~fold((type << 8) + code + sumWord(rest) + restSum));
  putI32(into, at + 4, rest);
  return at + ICMPV6_HEADER_LEN;
}
