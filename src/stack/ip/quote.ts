/**
 * What an ICMP error quotes of a packet that never was on a wire as it is: datagrams that the device has merged, and those whose
 * checksum it left to be completed. The quote is what would have gone over a wire.
 */

import { putU16, u16 } from '../../base/index.ts';
import {
  IPPROTO_UDP,
  IPV6_HEADER_LEN,
  pseudoHeaderSumV4,
  pseudoHeaderSumV6,
  sealIpv4,
  sealUdp,
  sumBytes,
  UDP_CHECKSUM_OFFSET,
  UDP_HEADER_LEN,
} from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';

/** Where what is quoted of a packet ends. Of datagrams that were merged the first is: the others were packets of their own. */
export function quotedEnd(packet: InboundPacket): number {
  if (packet.gsoSize === 0 || packet.protocol !== IPPROTO_UDP) return packet.end;
  return Math.min(packet.end, packet.payloadAt + UDP_HEADER_LEN + packet.gsoSize);
}

/**
 * Makes the quote, `quoteLength` bytes at `quoteAt`, what a wire would have carried. The packet may not have come to a transport yet, so
 * that its length is looked at here.
 */
export function completeQuote(
  packet: InboundPacket,
  into: Uint8Array,
  quoteAt: number,
  quoteLength: number,
): void {
  if (!packet.checksumTrusted || packet.protocol !== IPPROTO_UDP) return;
  const udpAt = quoteAt + packet.payloadAt - packet.headerAt;
  // Behind a chain of headers so long that none of it is quoted.
  if (udpAt + UDP_HEADER_LEN > quoteAt + quoteLength) return;
  const end = quotedEnd(packet);
  if (end < packet.end) shorten(packet, end, into, quoteAt, udpAt);
  // Without a checksum it was sent, and stays.
  if (u16(into, udpAt + UDP_CHECKSUM_OFFSET) === 0) return;
  const length = u16(into, udpAt + 4);
  if (length < UDP_HEADER_LEN || packet.payloadAt + length > packet.end) return;
  putU16(into, udpAt + UDP_CHECKSUM_OFFSET, 0);
  const pseudo = pseudoSum(packet, length);
  const payload = sumBytes(packet.bytes, packet.payloadAt + UDP_HEADER_LEN, length - UDP_HEADER_LEN, pseudo);
  sealUdp(into, udpAt, payload);
}

/** Gives it the lengths of the first of several datagrams, which ends at `end` of the packet. */
function shorten(packet: InboundPacket, end: number, into: Uint8Array, quoteAt: number, udpAt: number): void {
  if (packet.family === 4) {
    putU16(into, quoteAt + 2, end - packet.headerAt);
    sealIpv4(into, quoteAt, packet.payloadAt - packet.headerAt);
  } else putU16(into, quoteAt + 4, end - packet.headerAt - IPV6_HEADER_LEN);
  putU16(into, udpAt + 4, end - packet.payloadAt);
}

function pseudoSum(packet: InboundPacket, length: number): number {
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
  if (packet.family === 4) return pseudoHeaderSumV4(src3, dst3, IPPROTO_UDP, length);
  return pseudoHeaderSumV6(src0, src1, src2, src3, dst0, dst1, dst2, dst3, IPPROTO_UDP, length);
}
