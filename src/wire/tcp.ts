/**
 * The TCP header (RFC 9293 §3.1). Its options are in `tcp-options.ts`.
 *
 *     0          2          4      8      12           13     14       16         18          20
 *     | src port | dst port | seq  | ack  | offset,rsv | flags| window | checksum | urg. ptr. | options … | payload …
 */

import { i32, putI32, putU16, u16 } from '../base/index.ts';
import { fold, isChecksumRight, sumBytes } from './checksum.ts';
import { DropReason } from './drop-reason.ts';
import { parseTcpOptions, type TcpOptionFields } from './tcp-options.ts';

/** Bytes of a header without options, and the most there can be with them. */
export const TCP_HEADER_LEN = 20;
export const TCP_MAX_HEADER_LEN = 60;
export const TCP_MAX_OPTIONS_LEN = 40;

/** Where the checksum field is in the header: virtio's `csum_offset`. */
export const TCP_CHECKSUM_OFFSET = 16;

/** Control bits. */
export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;
export const TCP_ECE = 0x40;
export const TCP_CWR = 0x80;
/** Accurate ECN (RFC 9768 §3.1.1), the lowest bit of the byte before the others. With CWR and ECE it makes the ACE field. */
export const TCP_AE = 0x100;

/**
 * A segment's header in numbers; one object, filled anew for each segment. Sequence numbers are `| 0` integers. The option
 * fields are right only where `options` has their bit.
 */
export class TcpHeader implements TcpOptionFields {
  sourcePort = 0;
  destinationPort = 0;
  seq = 0;
  ack = 0;
  /** `TCP_*` control bits. */
  flags = 0;
  /** As on the wire, not scaled. */
  window = 0;
  urgentPointer = 0;
  headerLength = 0;
  payloadAt = 0;
  payloadLength = 0;

  options = 0;
  mss = 0;
  windowShift = 0;
  tsVal = 0;
  tsEcr = 0;
  sackCount = 0;
  readonly sackEdges = new Int32Array(8);
  fastOpenAt = 0;
  fastOpenLength = 0;
  accEcnCount = 0;
  isAccEcnOrder1 = false;
  ee0b = 0;
  eceb = 0;
  ee1b = 0;
}

/**
 * Reads the header and options of the segment `at … end`; the checksum is for {@link isTcpChecksumRight}.
 *
 * After `none`: `at + 20 ≤ payloadAt ≤ end`, `payloadAt + payloadLength = end`.
 * @returns `none`, `tcpTruncated`, `tcpDataOffset`, or `tcpOptions`
 */
export function parseTcp(bytes: Uint8Array, at: number, end: number, into: TcpHeader): DropReason {
  const length = end - at;
  if (length < TCP_HEADER_LEN) return DropReason.tcpTruncated;
  const headerLength = ((bytes[at + 12] as number) >> 4) << 2;
  if (headerLength < TCP_HEADER_LEN || headerLength > length) return DropReason.tcpDataOffset;
  into.sourcePort = u16(bytes, at);
  into.destinationPort = u16(bytes, at + 2);
  into.seq = i32(bytes, at + 4);
  into.ack = i32(bytes, at + 8);
  into.flags = (bytes[at + 13] as number) | (((bytes[at + 12] as number) & 1) << 8);
  into.window = u16(bytes, at + 14);
  into.urgentPointer = u16(bytes, at + 18);
  into.headerLength = headerLength;
  into.payloadAt = at + headerLength;
  into.payloadLength = length - headerLength;
  into.options = 0;
  into.sackCount = 0;
  if (headerLength === TCP_HEADER_LEN) return DropReason.none;
  return parseTcpOptions(bytes, at + TCP_HEADER_LEN, at + headerLength, into);
}

/** Whether the checksum of the segment `at … end` is right; `pseudoSum` is the pseudo-header's, length included. */
export function isTcpChecksumRight(bytes: Uint8Array, at: number, end: number, pseudoSum: number): boolean {
  return isChecksumRight(bytes, at, end - at, pseudoSum);
}

/**
 * Writes the fixed header with its checksum field 0; options of `optionsLength` bytes (a multiple of 4) go behind it, and one
 * of the `seal` functions fills in the checksum at last.
 * @returns where the options go
 */
export function writeTcp(
  into: Uint8Array,
  at: number,
  sourcePort: number,
  destinationPort: number,
  seq: number,
  ack: number,
  flags: number,
  window: number,
  urgentPointer: number,
  optionsLength: number,
): number {
  putU16(into, at, sourcePort);
  putU16(into, at + 2, destinationPort);
  putI32(into, at + 4, seq);
  putI32(into, at + 8, ack);
  into[at + 12] = (((TCP_HEADER_LEN + optionsLength) >> 2) << 4) | ((flags >> 8) & 1);
  into[at + 13] = flags;
  putU16(into, at + 14, window);
  putU16(into, at + 16, 0);
  putU16(into, at + 18, urgentPointer);
  return at + TCP_HEADER_LEN;
}

/**
 * Fills in the full checksum of a header just written, options included.
 * @param restSum the pseudo-header's sum, length included, plus the payload's
 */
export function sealTcp(into: Uint8Array, at: number, headerLength: number, restSum: number): void {
  putU16(into, at + TCP_CHECKSUM_OFFSET, ~fold(sumBytes(into, at, headerLength, restSum)));
}

/**
 * Fills in a partial checksum, of TCP or UDP: the pseudo-header's sum, folded and not complemented, which a device (or
 * `completeChecksum`) completes from header and payload (virtio 1.2 §5.1.6.2).
 * @param fieldAt where the checksum field is
 */
export function sealPartial(into: Uint8Array, fieldAt: number, pseudoSum: number): void {
  putU16(into, fieldAt, fold(pseudoSum));
}
