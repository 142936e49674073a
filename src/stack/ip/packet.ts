/**
 * The inbound packet as transports see it: one object a stack, filled anew for each packet.
 */

import { EMPTY, IpAddress, type IpFamily } from '../../base/index.ts';
import { type Ipv4Header, sumWord } from '../../wire/index.ts';
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
  return new IpAddress(packet.family, packet.src0, packet.src1, packet.src2, packet.src3);
}

/** The packet's destination as an address; allocates, so not for every packet. */
export function destinationOf(packet: InboundPacket): IpAddress {
  return new IpAddress(packet.family, packet.dst0, packet.dst1, packet.dst2, packet.dst3);
}

/** Sum of a packet's addresses, protocol and `length`: its pseudo-header's (RFC 768, RFC 8200 §8.1). */
export function pseudoHeaderSumOf(packet: InboundPacket, length: number): number {
  const low = sumWord(packet.src3) + sumWord(packet.dst3) + packet.protocol + length;
  if (packet.family === 4) return low;
  const source = sumWord(packet.src0) + sumWord(packet.src1) + sumWord(packet.src2);
  return low + source + sumWord(packet.dst0) + sumWord(packet.dst1) + sumWord(packet.dst2);
}
