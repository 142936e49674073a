/**
 * ICMP errors through the translator (RFC 5508 §4): which session the packet is of that an error quotes, and the quote rewritten with
 * the rest, so that each side sees the addresses that it knows.
 */

import { putU16 } from '../../base/index.ts';
import {
  checksum,
  DropReason,
  ICMPV4_HEADER_LEN,
  IcmpV4Type,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  Ipv4Header,
  isChecksumRight,
  parseQuotedIpv4,
} from '../../wire/index.ts';
import type { RewrittenPacket } from './rewrite.ts';

/** The quote of an error, in the buffer that the error is in. */
export class Quote implements RewrittenPacket {
  bytes: Uint8Array = new Uint8Array(0);
  headerAt = 0;
  payloadAt = 0;
  end = 0;
  protocol = 0;
  readonly isPartial = false;
  readonly header = new Ipv4Header();

  /** Reads the quote of the error `at … end`. @returns `none`, or why it can't be translated */
  read(bytes: Uint8Array, at: number, end: number): DropReason {
    // RFC 5508 REQ-3: an error whose checksum is wrong is dropped.
    if (end - at < ICMPV4_HEADER_LEN || !isChecksumRight(bytes, at, end - at)) return DropReason.natMalformed;
    const { header } = this;
    const parsed = parseQuotedIpv4(bytes, at + ICMPV4_HEADER_LEN, end, header);
    if (parsed !== DropReason.none || header.fragmentOffset !== 0) return DropReason.natMalformed;
    this.bytes = bytes;
    this.headerAt = header.headerAt;
    this.payloadAt = header.payloadAt;
    this.end = header.end;
    this.protocol = header.protocol;
    return isTranslated(header.protocol, bytes, header.payloadAt) ? DropReason.none : DropReason.natMalformed;
  }
}

/** Whether packets of that protocol have what is translated: ports, or the identifier of a query. */
export function isTranslated(protocol: number, bytes: Uint8Array, at: number): boolean {
  if (protocol !== IPPROTO_ICMP) return protocol === IPPROTO_TCP || protocol === IPPROTO_UDP;
  const type = bytes[at];
  return type === IcmpV4Type.echoRequest || type === IcmpV4Type.echoReply;
}

/** The checksum of the error at `at`, anew: its quote was changed. */
export function sealError(bytes: Uint8Array, at: number, end: number): void {
  putU16(bytes, at + 2, 0);
  putU16(bytes, at + 2, checksum(bytes, at, end - at));
}
