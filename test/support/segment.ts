/**
 * Packets for tests, with defaults for everything, so that only what matters shows; and the way back, as plain objects with
 * addresses as text, numbers unsigned and flags as letters, for `toMatchObject`.
 *
 * @example
 * stack.inputPacket(1, tcpPacket({ flags: 'S', seq: 100, options: tcpOptions({ mss: 1460 }) }));
 * expect(readPacket(stack.takePacket(1))).toMatchObject({ flags: 'S.', ack: 101 });
 */

import { EMPTY, formatV4, fromHex, IpAddress } from '../../src/base/index.ts';
import {
  DropReason,
  dropReasonInfo,
  ETHERNET_HEADER_LEN,
  ETHERTYPE_IPV4,
  formatTcpFlags,
  formatTcpOptions,
  IcmpV4Header,
  IcmpV4Type,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LEN,
  IPV4_MORE_FRAGMENTS,
  Ipv4Header,
  icmpEchoWord,
  isTcpChecksumRight,
  isUdpChecksumRight,
  paddedOptionsLength,
  parseIcmpV4,
  parseIpv4,
  parseTcp,
  parseUdp,
  pseudoHeaderSumV4,
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
  writeEthernet,
  writeFastOpenOption,
  writeIcmpV4,
  writeIpv4,
  writeMssOption,
  writeSackOption,
  writeSackPermittedOption,
  writeTcp,
  writeTimestampsOption,
  writeUdp,
  writeWindowScaleOption,
} from '../../src/wire/index.ts';

/** Who talks in tests unless said otherwise: the peer sends, the host under test is addressed. */
export const PEER = '10.0.0.1';
export const HOST = '10.0.0.2';

/** Payload as bytes, as text (UTF-8), or as a count of bytes 0, 1, 2 … */
export type PayloadLike = Uint8Array | string | number;

export interface PacketFields {
  readonly src?: string;
  readonly dst?: string;
  readonly ttl?: number;
  readonly trafficClass?: number;
  readonly id?: number;
  readonly dontFragment?: boolean;
  readonly moreFragments?: boolean;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset?: number;
  readonly ipOptions?: Uint8Array;
}

export interface TcpFields extends PacketFields {
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

export interface UdpFields extends PacketFields {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly payload?: PayloadLike;
  /** False: sent without a checksum. */
  readonly hasChecksum?: boolean;
}

export interface IcmpFields extends PacketFields {
  readonly type?: number;
  readonly code?: number;
  /** The type's own word; or `echoId` and `sequence`. */
  readonly rest?: number;
  readonly echoId?: number;
  readonly sequence?: number;
  readonly payload?: PayloadLike;
}

/** The bytes that a payload stands for. */
export function payloadBytes(payload: PayloadLike | undefined): Uint8Array {
  if (payload === undefined) return EMPTY;
  if (typeof payload === 'string') return new TextEncoder().encode(payload);
  if (typeof payload === 'number') return Uint8Array.from({ length: payload }, (_, i) => i);
  return payload;
}

/** The word of a dotted-decimal address. */
export function v4(text: string): number {
  const address = IpAddress.parse(text);
  if (address === null || address.family !== 4) throw new RangeError(`not an IPv4 address: ${text}`);
  return address.w3;
}

/** An IPv4 packet around a transport's bytes. */
export function ipv4Packet(protocol: number, body: Uint8Array, fields: PacketFields = {}): Uint8Array {
  const ipOptions = fields.ipOptions ?? EMPTY;
  const headerLength = IPV4_HEADER_LEN + paddedOptionsLength(ipOptions.length);
  const packet = new Uint8Array(headerLength + body.length);
  const fragment =
    ((fields.dontFragment ?? false) ? IPV4_DONT_FRAGMENT : 0) |
    ((fields.moreFragments ?? false) ? IPV4_MORE_FRAGMENTS : 0) |
    ((fields.fragmentOffset ?? 0) >> 3);
  writeIpv4(
    packet,
    0,
    fields.trafficClass ?? 0,
    packet.length,
    fields.id ?? 0,
    fragment,
    fields.ttl ?? 64,
    protocol,
    v4(fields.src ?? PEER),
    v4(fields.dst ?? HOST),
    ipOptions,
  );
  packet.set(body, headerLength);
  return packet;
}

/** A TCP segment in an IPv4 packet; without `flags`, one with ACK. */
export function tcpPacket(fields: TcpFields = {}): Uint8Array {
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
  const pseudo = pseudoSum(fields, IPPROTO_TCP, segment.length);
  sealTcp(segment, 0, headerLength, sumBytes(payload, 0, payload.length, pseudo));
  return ipv4Packet(IPPROTO_TCP, segment, fields);
}

/** A UDP datagram in an IPv4 packet. */
export function udpPacket(fields: UdpFields = {}): Uint8Array {
  const payload = payloadBytes(fields.payload);
  const datagram = new Uint8Array(UDP_HEADER_LEN + payload.length);
  writeUdp(datagram, 0, fields.sourcePort ?? 1025, fields.destinationPort ?? 53, datagram.length);
  datagram.set(payload, UDP_HEADER_LEN);
  const pseudo = pseudoSum(fields, IPPROTO_UDP, datagram.length);
  if (fields.hasChecksum ?? true) sealUdp(datagram, 0, sumBytes(payload, 0, payload.length, pseudo));
  return ipv4Packet(IPPROTO_UDP, datagram, fields);
}

/** An ICMP message in an IPv4 packet; without `type`, an echo request. */
export function icmpPacket(fields: IcmpFields = {}): Uint8Array {
  const payload = payloadBytes(fields.payload);
  const message = new Uint8Array(8 + payload.length);
  const rest = fields.rest ?? icmpEchoWord(fields.echoId ?? 1, fields.sequence ?? 1);
  const dataSum = sumBytes(payload, 0, payload.length);
  writeIcmpV4(message, 0, fields.type ?? IcmpV4Type.echoRequest, fields.code ?? 0, rest, dataSum);
  message.set(payload, 8);
  return ipv4Packet(IPPROTO_ICMP, message, fields);
}

/** An Ethernet frame around a packet; MAC addresses are 02:00:00:00:00:01 → :02 unless given as hex. */
export function ethernetFrame(
  packet: Uint8Array,
  destination = '020000000002',
  source = '020000000001',
  etherType = ETHERTYPE_IPV4,
): Uint8Array {
  const frame = new Uint8Array(ETHERNET_HEADER_LEN + packet.length);
  writeEthernet(frame, 0, 0, 0, 0, 0, etherType);
  frame.set(fromHex(destination), 0);
  frame.set(fromHex(source), 6);
  frame.set(packet, ETHERNET_HEADER_LEN);
  return frame;
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

/** What {@link readPacket} answers; fields of other protocols are absent. */
export interface ReadPacket {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly id: number;
  readonly trafficClass: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  readonly fragmentOffset: number;
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

/**
 * Reads an IPv4 packet and what it carries, checksums verified; `null` is an error too, so that a missing packet fails
 * with words.
 * @throws {Error} that names the drop reason
 */
export function readPacket(packet: Uint8Array | null): ReadPacket {
  if (packet === null) throw new Error('no packet');
  const ip = new Ipv4Header();
  must(parseIpv4(packet, 0, packet.length, ip));
  const network = {
    src: formatV4(ip.src),
    dst: formatV4(ip.dst),
    protocol: ip.protocol,
    ttl: ip.ttl,
    id: ip.id,
    trafficClass: ip.trafficClass,
    dontFragment: ip.dontFragment,
    moreFragments: ip.moreFragments,
    fragmentOffset: ip.fragmentOffset,
  };
  const payload = packet.slice(ip.payloadAt, ip.end);
  if (ip.isFragment) return { ...network, payload };
  const pseudo = pseudoHeaderSumV4(ip.src, ip.dst, ip.protocol, payload.length);
  if (ip.protocol === IPPROTO_TCP) return { ...network, ...readTcp(payload, pseudo) };
  if (ip.protocol === IPPROTO_UDP) return { ...network, ...readUdp(payload, pseudo) };
  if (ip.protocol === IPPROTO_ICMP) return { ...network, ...readIcmp(payload) };
  return { ...network, payload };
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

function readTcp(bytes: Uint8Array, pseudo: number) {
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

function readUdp(bytes: Uint8Array, pseudo: number) {
  const udp = new UdpHeader();
  must(parseUdp(bytes, 0, bytes.length, udp));
  if (!isUdpChecksumRight(bytes, 0, udp, pseudo)) must(DropReason.udpChecksum);
  const { sourcePort, destinationPort } = udp;
  return { sourcePort, destinationPort, payload: bytes.slice(udp.payloadAt, udp.end) };
}

function readIcmp(bytes: Uint8Array) {
  const icmp = new IcmpV4Header();
  must(parseIcmpV4(bytes, 0, bytes.length, icmp));
  const { type, code } = icmp;
  return { type, code, rest: icmp.rest >>> 0, payload: bytes.slice(icmp.payloadAt) };
}

function pseudoSum(fields: PacketFields, protocol: number, length: number): number {
  return pseudoHeaderSumV4(v4(fields.src ?? PEER), v4(fields.dst ?? HOST), protocol, length);
}

function must(verdict: DropReason): void {
  if (verdict !== DropReason.none) throw new Error(`bad packet: ${dropReasonInfo(verdict)?.name ?? verdict}`);
}
