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
  ETHERNET_HEADER_LEN,
  ETHERTYPE_IPV4,
  IcmpV4Header,
  IcmpV4Type,
  IPPROTO_ICMP,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LEN,
  IPV4_MORE_FRAGMENTS,
  Ipv4Header,
  paddedOptionsLength,
  parseIcmpV4,
  parseIpv4,
  pseudoHeaderSumV4,
  writeEthernet,
  writeIcmpV4,
  writeIpv4,
} from '../../src/wire/index.ts';

import { type IcmpMessageFields, type PacketFamily, packetBuilders, readTransport } from './packet-family.ts';
import {
  must,
  type ReadTransport,
  type TcpSegmentFields,
  type UdpDatagramFields,
} from './transport-bytes.ts';

export { flagBits, type PayloadLike, payloadBytes, tcpOptions } from './transport-bytes.ts';

/** Who talks in tests unless said otherwise: the peer sends, the host under test is addressed. */
export const PEER = '10.0.0.1';
export const HOST = '10.0.0.2';

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

export interface TcpFields extends PacketFields, TcpSegmentFields {}
export interface UdpFields extends PacketFields, UdpDatagramFields {}

export interface IcmpFields extends PacketFields, IcmpMessageFields {}

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

const FAMILY: PacketFamily<PacketFields> = {
  packet: ipv4Packet,
  pseudoSum: (fields, protocol, length) =>
    pseudoHeaderSumV4(v4(fields.src ?? PEER), v4(fields.dst ?? HOST), protocol, length),
  icmp: {
    protocol: IPPROTO_ICMP,
    echoRequest: IcmpV4Type.echoRequest,
    write: writeIcmpV4,
    parse: (bytes) => {
      const header = new IcmpV4Header();
      const verdict = parseIcmpV4(bytes, 0, bytes.length, header);
      return { verdict, type: header.type, code: header.code, rest: header.rest };
    },
    hasPseudoHeader: false,
  },
  needsUdpChecksum: false,
};
const builders = packetBuilders(FAMILY);

/** A TCP segment in an IPv4 packet; without `flags`, one with ACK. */
export const tcpPacket = (fields: TcpFields = {}): Uint8Array => builders.tcp(fields);

/** A UDP datagram in an IPv4 packet. */
export const udpPacket = (fields: UdpFields = {}): Uint8Array => builders.udp(fields);

/** An ICMP message in an IPv4 packet; without `type`, an echo request. */
export const icmpPacket = (fields: IcmpFields = {}): Uint8Array => builders.icmp(fields);

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

/** What {@link readPacket} answers; fields of other protocols are absent. */
export interface ReadPacket extends ReadTransport {
  readonly src: string;
  readonly dst: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly id: number;
  readonly trafficClass: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  readonly fragmentOffset: number;
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
  return { ...network, ...readTransport(FAMILY, ip.protocol, payload, pseudo) };
}
