/**
 * What differs between the families of IP in a script's packets: headers, pseudo-headers, and ICMP's numbers.
 */

import { type IpAddress, type IpFamily, u16 } from '../../base/index.ts';
import {
  DropReason,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LEN,
  IPV6_HEADER_LEN,
  Ipv4Header,
  Ipv6Header,
  parseIpv4,
  parseIpv6,
  pseudoHeaderSumV4,
  pseudoHeaderSumV6,
  writeIpv4,
  writeIpv6,
} from '../../wire/index.ts';

const HOP_LIMIT = 64;

/** IPv4's header without options, IPv6's without extension headers. */
export function headerLengthOf(family: IpFamily): number {
  return family === 4 ? IPV4_HEADER_LEN : IPV6_HEADER_LEN;
}

/** ICMP's number in the family's header. */
export function icmpProtocolOf(family: IpFamily): number {
  return family === 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

/** Writes the header of a packet of `totalLength` bytes. @returns where what it carries goes */
export function writeIpHeader(
  packet: Uint8Array,
  ecn: number,
  protocol: number,
  from: IpAddress,
  to: IpAddress,
  totalLength: number,
): number {
  if (from.family === 4) {
    return writeIpv4(packet, 0, ecn, totalLength, 1, IPV4_DONT_FRAGMENT, HOP_LIMIT, protocol, from.w3, to.w3);
  }
  return writeIpv6(packet, 0, ecn, 0, totalLength - IPV6_HEADER_LEN, protocol, HOP_LIMIT, from, to);
}

/** The sum of the pseudo-header. */
export function pseudoSum(from: IpAddress, to: IpAddress, protocol: number, length: number): number {
  if (from.family === 4) return pseudoHeaderSumV4(from.w3, to.w3, protocol, length);
  return pseudoHeaderSumV6(from.w0, from.w1, from.w2, from.w3, to.w0, to.w1, to.w2, to.w3, protocol, length);
}

/** A packet's IP header, read. */
export interface SeenIp {
  readonly family: IpFamily;
  readonly protocol: number;
  readonly trafficClass: number;
  readonly isFragment: boolean;
  readonly payloadAt: number;
  readonly end: number;
  /** Of the pseudo-header. */
  readonly pseudo: number;
}

/** Reads the IP header of a packet. @returns the `DropReason` of a malformed one */
export function readIp(bytes: Uint8Array): SeenIp | DropReason {
  return (bytes[0] ?? 0) >> 4 === 6 ? readIpv6(bytes) : readIpv4(bytes);
}

function readIpv4(bytes: Uint8Array): SeenIp | DropReason {
  const ip = new Ipv4Header();
  const reason = parseIpv4(bytes, 0, bytes.length, ip);
  if (reason !== DropReason.none) return reason;
  const { protocol, trafficClass, isFragment, payloadAt, end } = ip;
  const pseudo = pseudoHeaderSumV4(ip.src, ip.dst, protocol, end - payloadAt);
  return { family: 4, protocol, trafficClass, isFragment, payloadAt, end, pseudo };
}

function readIpv6(bytes: Uint8Array): SeenIp | DropReason {
  const ip = new Ipv6Header();
  const reason = parseIpv6(bytes, 0, bytes.length, ip);
  if (reason !== DropReason.none) return reason;
  const { nextHeader: protocol, trafficClass, payloadAt, end } = ip;
  const pseudo = pseudoHeaderSumV6(
    ...([ip.src0, ip.src1, ip.src2, ip.src3, ip.dst0, ip.dst1, ip.dst2, ip.dst3] as const),
    protocol,
    end - payloadAt,
  );
  return {
    family: 6,
    protocol,
    trafficClass,
    isFragment: protocol === IPPROTO_FRAGMENT,
    payloadAt,
    end,
    pseudo,
  };
}

/** Protocol and payload length, behind 8 bytes of header, of the packet that an ICMP error quotes at `at`. */
export function readQuoted(bytes: Uint8Array, at: number, family: IpFamily): readonly [number, number] {
  if (family === 6) return [bytes[at + 6] as number, u16(bytes, at + 4) - 8];
  const header = ((bytes[at] as number) & 0xf) << 2;
  return [bytes[at + 9] as number, u16(bytes, at + 2) - header - 8];
}

const IPPROTO_FRAGMENT = 44;
