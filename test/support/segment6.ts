/**
 * IPv6 packets for tests, with defaults for everything, as `segment.ts` has them for IPv4; and the way back.
 */

import { IpAddress } from '../../src/base/index.ts';
import {
  IcmpV6Header,
  IcmpV6Type,
  IPPROTO_ICMPV6,
  IPV6_DESTINATION_OPTIONS,
  IPV6_FRAGMENT,
  IPV6_HEADER_LEN,
  IPV6_HOP_BY_HOP,
  Ipv6Extensions,
  Ipv6Header,
  parseIcmpV6,
  parseIpv6,
  pseudoHeaderSumV6,
  walkIpv6Extensions,
  writeIcmpV6,
  writeIpv6,
  writeIpv6Fragment,
} from '../../src/wire/index.ts';
import { type IcmpMessageFields, type PacketFamily, packetBuilders, readTransport } from './packet-family.ts';
import {
  must,
  type ReadTransport,
  type TcpSegmentFields,
  type UdpDatagramFields,
} from './transport-bytes.ts';

/** Who talks in tests unless said otherwise: the peer sends, the host under test is addressed. */
export const PEER6 = 'fd00::1';
export const HOST6 = 'fd00::2';

/** An extension header of a packet: its number and its bytes, whose first, the next header, is filled in. */
export interface ExtensionFields {
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

export interface Packet6Fields {
  readonly src?: string;
  readonly dst?: string;
  readonly hops?: number;
  readonly trafficClass?: number;
  readonly flowLabel?: number;
  readonly extensions?: readonly ExtensionFields[];
}

export interface Udp6Fields extends Packet6Fields, UdpDatagramFields {}
export interface Tcp6Fields extends Packet6Fields, TcpSegmentFields {}

export interface Icmp6Fields extends Packet6Fields, IcmpMessageFields {}

/** The address of `text`. @throws {RangeError} when it is no IPv6 address */
export function v6(text: string): IpAddress {
  const address = IpAddress.parse(text);
  if (address === null || address.family !== 6) throw new RangeError(`not an IPv6 address: ${text}`);
  return address;
}

/** Options in a header of hop-by-hop or destination options, padded with PadN. */
export function optionsHeader(protocol: number, options: Uint8Array): ExtensionFields {
  const length = (2 + options.length + 7) & ~7;
  const bytes = new Uint8Array(length);
  bytes[1] = (length >> 3) - 1;
  bytes.set(options, 2);
  const padding = length - 2 - options.length;
  if (padding > 1) bytes.set([1, padding - 2], 2 + options.length);
  return { protocol, bytes };
}

export const hopByHop = (...options: number[]): ExtensionFields =>
  optionsHeader(IPV6_HOP_BY_HOP, Uint8Array.from(options));
export const destinationOptions = (...options: number[]): ExtensionFields =>
  optionsHeader(IPV6_DESTINATION_OPTIONS, Uint8Array.from(options));

/** A fragment header. */
export function fragmentHeader(offset: number, moreFragments: boolean, id = 1): ExtensionFields {
  const bytes = new Uint8Array(8);
  writeIpv6Fragment(bytes, 0, 0, offset, moreFragments, id);
  return { protocol: IPV6_FRAGMENT, bytes };
}

/** An IPv6 packet around a transport's bytes. */
export function ipv6Packet(protocol: number, body: Uint8Array, fields: Packet6Fields = {}): Uint8Array {
  const extensions = fields.extensions ?? [];
  const chainLength = extensions.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const packet = new Uint8Array(IPV6_HEADER_LEN + chainLength + body.length);
  let at = writeIpv6(
    packet,
    0,
    fields.trafficClass ?? 0,
    fields.flowLabel ?? 0,
    packet.length - IPV6_HEADER_LEN,
    extensions[0]?.protocol ?? protocol,
    fields.hops ?? 64,
    v6(fields.src ?? PEER6),
    v6(fields.dst ?? HOST6),
  );
  for (const [i, extension] of extensions.entries()) {
    packet.set(extension.bytes, at);
    packet[at] = extensions[i + 1]?.protocol ?? protocol;
    at += extension.bytes.length;
  }
  packet.set(body, at);
  return packet;
}

const FAMILY: PacketFamily<Packet6Fields> = {
  packet: ipv6Packet,
  pseudoSum: (fields, protocol, length) => {
    const s = v6(fields.src ?? PEER6);
    const d = v6(fields.dst ?? HOST6);
    return pseudoHeaderSumV6(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, protocol, length);
  },
  icmp: {
    protocol: IPPROTO_ICMPV6,
    echoRequest: IcmpV6Type.echoRequest,
    write: writeIcmpV6,
    parse: (bytes, pseudo) => {
      const header = new IcmpV6Header();
      const verdict = parseIcmpV6(bytes, 0, bytes.length, pseudo, header);
      return { verdict, type: header.type, code: header.code, rest: header.rest };
    },
    hasPseudoHeader: true,
  },
  needsUdpChecksum: true,
};
const builders = packetBuilders(FAMILY);

/** A UDP datagram in an IPv6 packet. */
export const udp6Packet = (fields: Udp6Fields = {}): Uint8Array => builders.udp(fields);

/** The datagram alone, its checksum that of the packet's addresses. */
export const udp6Datagram = (fields: Udp6Fields = {}): Uint8Array => builders.udpAlone(fields);

/** A TCP segment in an IPv6 packet; without `flags`, one with ACK. */
export const tcp6Packet = (fields: Tcp6Fields = {}): Uint8Array => builders.tcp(fields);

/** An ICMPv6 message in an IPv6 packet; without `type`, an echo request. */
export const icmp6Packet = (fields: Icmp6Fields = {}): Uint8Array => builders.icmp(fields);

/** What {@link readPacket6} answers; fields of other protocols are absent. */
export interface ReadPacket6 extends ReadTransport {
  readonly src: string;
  readonly dst: string;
  /** What the extension headers lead to. */
  readonly protocol: number;
  readonly nextHeader: number;
  readonly hops: number;
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly isFragment: boolean;
  readonly id: number;
  readonly moreFragments: boolean;
  readonly fragmentOffset: number;
}

/**
 * Reads an IPv6 packet and what it carries, checksums verified.
 * @throws {Error} that names the drop reason
 */
export function readPacket6(packet: Uint8Array | null): ReadPacket6 {
  if (packet === null) throw new Error('no packet');
  const ip = new Ipv6Header();
  const chain = new Ipv6Extensions();
  must(parseIpv6(packet, 0, packet.length, ip));
  must(walkIpv6Extensions(packet, ip, chain));
  const network = {
    src: addressText(ip.src0, ip.src1, ip.src2, ip.src3),
    dst: addressText(ip.dst0, ip.dst1, ip.dst2, ip.dst3),
    protocol: chain.protocol,
    nextHeader: ip.nextHeader,
    hops: ip.hopLimit,
    trafficClass: ip.trafficClass,
    flowLabel: ip.flowLabel,
    isFragment: chain.isFragment,
    id: chain.id,
    moreFragments: chain.moreFragments,
    fragmentOffset: chain.fragmentOffset,
  };
  const payload = packet.slice(chain.payloadAt, ip.end);
  if (chain.isFragment) return { ...network, payload };
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = ip;
  const pseudo = pseudoHeaderSumV6(
    src0,
    src1,
    src2,
    src3,
    dst0,
    dst1,
    dst2,
    dst3,
    chain.protocol,
    payload.length,
  );
  return { ...network, ...readTransport(FAMILY, chain.protocol, payload, pseudo) };
}

function addressText(w0: number, w1: number, w2: number, w3: number): string {
  return new IpAddress(6, w0, w1, w2, w3).toString();
}
