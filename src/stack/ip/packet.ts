/**
 * The inbound packet as transports see it: one object a stack, filled anew for each packet.
 */

import { EMPTY, IpAddress, type IpFamily, isScopedWord } from '../../base/index.ts';
import { type Ipv4Header, type Ipv6Header, sumWord } from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';

/** The third word of an IPv4 address in four words (see `IpAddress`). */
const MAPPED_WORD = 0xffff;

export class Packet implements InboundPacket {
  interfaceIndex = 0;
  family: IpFamily = 4;
  src0 = 0;
  src1 = 0;
  src2 = MAPPED_WORD;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = MAPPED_WORD;
  dst3 = 0;
  zone = 0;
  protocol = 0;
  ttl = 0;
  trafficClass = 0;
  bytes: Uint8Array = EMPTY;
  headerAt = 0;
  payloadAt = 0;
  end = 0;
  checksumTrusted = false;
  checksumPartial = false;
  gsoSize = 0;
  isFragmented = false;
  isGroup = false;
  owner: object | null = null;

  /** Takes over what a parsed IPv4 header says about the packet in `bytes`; the frame's facts are reset. */
  setIpv4(bytes: Uint8Array, header: Ipv4Header, interfaceIndex: number): void {
    this.interfaceIndex = interfaceIndex;
    this.family = 4;
    this.src0 = 0;
    this.src1 = 0;
    this.src2 = MAPPED_WORD;
    this.src3 = header.src;
    this.dst0 = 0;
    this.dst1 = 0;
    this.dst2 = MAPPED_WORD;
    this.dst3 = header.dst;
    this.zone = 0;
    this.protocol = header.protocol;
    this.ttl = header.ttl;
    this.trafficClass = header.trafficClass;
    this.bytes = bytes;
    this.headerAt = header.headerAt;
    this.payloadAt = header.payloadAt;
    this.end = header.end;
    this.checksumTrusted = false;
    this.checksumPartial = false;
    this.gsoSize = 0;
    this.isFragmented = false;
    this.isGroup = false;
    this.owner = null;
  }

  /**
   * Takes over what a parsed IPv6 header says; the frame's facts are reset.
   * @param protocol what the chain of extension headers leads to, and where that starts
   */
  setIpv6(
    bytes: Uint8Array,
    header: Ipv6Header,
    protocol: number,
    payloadAt: number,
    interfaceIndex: number,
  ): void {
    this.interfaceIndex = interfaceIndex;
    this.family = 6;
    this.src0 = header.src0;
    this.src1 = header.src1;
    this.src2 = header.src2;
    this.src3 = header.src3;
    this.dst0 = header.dst0;
    this.dst1 = header.dst1;
    this.dst2 = header.dst2;
    this.dst3 = header.dst3;
    this.zone = isScopedWord(header.src0) || isScopedWord(header.dst0) ? interfaceIndex : 0;
    this.protocol = protocol;
    this.ttl = header.hopLimit;
    this.trafficClass = header.trafficClass;
    this.bytes = bytes;
    this.headerAt = header.headerAt;
    this.payloadAt = payloadAt;
    this.end = header.end;
    this.checksumPartial = false;
    this.checksumTrusted = false;
    this.gsoSize = 0;
    this.isFragmented = false;
    this.isGroup = false;
    this.owner = null;
  }
}

/** Whether the packet's destination is a multicast group, and not a broadcast address. */
export function isToMulticast({ family, dst0, dst3 }: InboundPacket): boolean {
  return family === 4 ? dst3 >>> 28 === 0xe : dst0 >>> 24 === 0xff;
}

/** The packet's source as an address; allocates, so not for every packet. */
export function sourceOf(packet: InboundPacket): IpAddress {
  const { family, src0, src1, src2, src3 } = packet;
  return new IpAddress(family, src0, src1, src2, src3, isScoped(packet, src0) ? packet.zone : 0);
}

/** The packet's destination as an address; allocates, so not for every packet. */
export function destinationOf(packet: InboundPacket): IpAddress {
  const { family, dst0, dst1, dst2, dst3 } = packet;
  return new IpAddress(family, dst0, dst1, dst2, dst3, isScoped(packet, dst0) ? packet.zone : 0);
}

function isScoped(packet: InboundPacket, word: number): boolean {
  return packet.family === 6 && isScopedWord(word);
}

/** Sum of a packet's addresses, protocol and `length`: its pseudo-header's (RFC 768, RFC 8200 §8.1). */
export function pseudoHeaderSumOf(packet: InboundPacket, length: number): number {
  const low = sumWord(packet.src3) + sumWord(packet.dst3) + packet.protocol + length;
  if (packet.family === 4) return low;
  const source = sumWord(packet.src0) + sumWord(packet.src1) + sumWord(packet.src2);
  return low + source + sumWord(packet.dst0) + sumWord(packet.dst1) + sumWord(packet.dst2);
}
