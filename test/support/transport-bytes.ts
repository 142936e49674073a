/**
 * What TCP and UDP are in packets of either family, for the builders and readers of test packets: bytes with a right checksum out of
 * fields, and fields out of bytes.
 */

import { EMPTY } from '../../src/base/index.ts';
import {
  DropReason,
  dropReasonInfo,
  formatTcpFlags,
  formatTcpOptions,
  isTcpChecksumRight,
  isUdpChecksumRight,
  parseTcp,
  parseUdp,
  sealTcp,
  sealUdp,
  sumBytes,
  TCP_ACK,
  TCP_AE,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_HEADER_LEN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
  TcpHeader,
  UDP_HEADER_LEN,
  UdpHeader,
  writeAccEcnOption,
  writeFastOpenOption,
  writeMssOption,
  writeSackOption,
  writeSackPermittedOption,
  writeTcp,
  writeTimestampsOption,
  writeUdp,
  writeWindowScaleOption,
} from '../../src/wire/index.ts';

/** Payload as bytes, as text (UTF-8), or as a count of bytes 0, 1, 2 … */
export type PayloadLike = Uint8Array | string | number;

export interface TcpSegmentFields {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly seq?: number;
  readonly ack?: number;
  /** tcpdump's letters (`'S.'`), or bits. */
  readonly flags?: string | number;
  readonly window?: number;
  readonly urgentPointer?: number;
  /** Whole option bytes, a multiple of 4. */
  readonly options?: Uint8Array;
  readonly payload?: PayloadLike;
}

export interface UdpDatagramFields {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly payload?: PayloadLike;
  /** False: sent without a checksum. */
  readonly hasChecksum?: boolean;
}

/** What the readers answer of a transport; fields of other protocols are absent. */
export interface ReadTransport {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly seq?: number;
  readonly ack?: number;
  /** tcpdump's letters. */
  readonly flags?: string;
  readonly window?: number;
  readonly urgentPointer?: number;
  /** tcpdump's text: `mss 1460,nop,nop,sackOK`. */
  readonly options?: string;
  readonly type?: number;
  readonly code?: number;
  readonly rest?: number;
  readonly payload: Uint8Array;
}

/** The pseudo-header's sum for so many bytes of a protocol. */
export type PseudoSum = (length: number) => number;

/** The bytes that a payload stands for. */
export function payloadBytes(payload: PayloadLike | undefined): Uint8Array {
  if (payload === undefined) return EMPTY;
  if (typeof payload === 'string') return new TextEncoder().encode(payload);
  if (typeof payload === 'number') return Uint8Array.from({ length: payload }, (_, i) => i);
  return payload;
}

/** A TCP segment; without `flags`, one with ACK. */
export function tcpSegment(fields: TcpSegmentFields, pseudoSum: PseudoSum): Uint8Array {
  const options = fields.options ?? EMPTY;
  const payload = payloadBytes(fields.payload);
  const headerLength = TCP_HEADER_LEN + options.length;
  const segment = new Uint8Array(headerLength + payload.length);
  writeTcp(
    segment,
    0,
    fields.sourcePort ?? 1025,
    fields.destinationPort ?? 80,
    (fields.seq ?? 0) | 0,
    (fields.ack ?? 0) | 0,
    flagBits(fields.flags ?? '.'),
    fields.window ?? 65_535,
    fields.urgentPointer ?? 0,
    options.length,
  );
  segment.set(options, TCP_HEADER_LEN);
  segment.set(payload, headerLength);
  const sum = sumBytes(payload, 0, payload.length, pseudoSum(segment.length));
  sealTcp(segment, 0, headerLength, sum);
  return segment;
}

/** A UDP datagram. */
export function udpDatagram(fields: UdpDatagramFields, pseudoSum: PseudoSum): Uint8Array {
  const payload = payloadBytes(fields.payload);
  const datagram = new Uint8Array(UDP_HEADER_LEN + payload.length);
  writeUdp(datagram, 0, fields.sourcePort ?? 1025, fields.destinationPort ?? 53, datagram.length);
  datagram.set(payload, UDP_HEADER_LEN);
  const sum = sumBytes(payload, 0, payload.length, pseudoSum(datagram.length));
  if (fields.hasChecksum ?? true) sealUdp(datagram, 0, sum);
  return datagram;
}

export interface OptionFields {
  readonly mss?: number;
  readonly windowShift?: number;
  readonly sackPermitted?: boolean;
  readonly timestamps?: readonly [tsVal: number, tsEcr: number];
  /** Left and right edges. */
  readonly sack?: readonly (readonly [left: number, right: number])[];
  readonly fastOpen?: Uint8Array;
  /** AccECN of order 0. */
  readonly accEcn?: readonly [e0b: number, ceb: number, e1b: number];
}

/** TCP option bytes in the order MSS, SACK-permitted, timestamps, window scale, SACK, Fast Open. */
export function tcpOptions(fields: OptionFields): Uint8Array {
  const bytes = new Uint8Array(80);
  let end = 0;
  if (fields.mss !== undefined) end = writeMssOption(bytes, end, fields.mss);
  if (fields.sackPermitted === true) end = writeSackPermittedOption(bytes, end);
  if (fields.timestamps !== undefined) {
    end = writeTimestampsOption(bytes, end, fields.timestamps[0] | 0, fields.timestamps[1] | 0);
  }
  if (fields.windowShift !== undefined) end = writeWindowScaleOption(bytes, end, fields.windowShift);
  if (fields.sack !== undefined) {
    end = writeSackOption(bytes, end, Int32Array.from(fields.sack.flat()), fields.sack.length);
  }
  if (fields.accEcn !== undefined) end = writeAccEcnOption(bytes, end, 172, 3, ...fields.accEcn);
  if (fields.fastOpen !== undefined) end = writeFastOpenOption(bytes, end, fields.fastOpen);
  return bytes.slice(0, end);
}

/** Bits of tcpdump's letters. */
export function flagBits(flags: string | number): number {
  if (typeof flags === 'number') return flags;
  const bits: Record<string, number> = {
    F: TCP_FIN,
    S: TCP_SYN,
    R: TCP_RST,
    P: TCP_PSH,
    '.': TCP_ACK,
    U: TCP_URG,
    E: TCP_ECE,
    W: TCP_CWR,
    e: TCP_AE,
  };
  let all = 0;
  for (const letter of flags) {
    const bit = bits[letter];
    if (bit === undefined) throw new RangeError(`no TCP flag: ${letter}`);
    all |= bit;
  }
  return all;
}

/** Reads a segment, its checksum verified. @throws {Error} that names the drop reason */
export function readTcp(bytes: Uint8Array, pseudo: number) {
  const tcp = new TcpHeader();
  must(parseTcp(bytes, 0, bytes.length, tcp));
  if (!isTcpChecksumRight(bytes, 0, bytes.length, pseudo)) must(DropReason.tcpChecksum);
  return {
    sourcePort: tcp.sourcePort,
    destinationPort: tcp.destinationPort,
    seq: tcp.seq >>> 0,
    ack: tcp.ack >>> 0,
    flags: formatTcpFlags(tcp.flags),
    window: tcp.window,
    urgentPointer: tcp.urgentPointer,
    options: formatTcpOptions(bytes, TCP_HEADER_LEN, tcp.headerLength),
    payload: bytes.slice(tcp.payloadAt),
  };
}

/** Reads a datagram, its checksum verified. @param needsChecksum as IPv6 does @throws {Error} that names the drop reason */
export function readUdp(bytes: Uint8Array, pseudo: number, needsChecksum: boolean) {
  const udp = new UdpHeader();
  must(parseUdp(bytes, 0, bytes.length, udp));
  if (needsChecksum && udp.checksum === 0) must(DropReason.udpChecksum);
  if (!isUdpChecksumRight(bytes, 0, udp, pseudo)) must(DropReason.udpChecksum);
  const { sourcePort, destinationPort } = udp;
  return { sourcePort, destinationPort, payload: bytes.slice(udp.payloadAt, udp.end) };
}

/** @throws {Error} that names the drop reason, unless it is none */
export function must(verdict: DropReason): void {
  if (verdict !== DropReason.none) throw new Error(`bad packet: ${dropReasonInfo(verdict)?.name ?? verdict}`);
}
