/** Frames of neighbor discovery: Ethernet, IPv6 and ICMPv6 header, and a body of fields and options. */

import { type IpAddress, i32, putI32, u16 } from '../../base/index.ts';
import {
  ETHERNET_HEADER_LEN,
  ETHERTYPE_IPV6,
  ICMPV6_HEADER_LEN,
  IPPROTO_ICMPV6,
  IPV6_HEADER_LEN,
  NDP_HOP_LIMIT,
  pseudoHeaderSumV6,
  sumBytes,
  writeEthernet,
  writeIcmpV6,
  writeIpv6,
} from '../../wire/index.ts';
import type { NeighborLink } from './neighbor-host.ts';

/** Bytes of an address. */
export const ADDRESS_LEN = 16;
/** RFC 2464 §7: the hardware address of a group is 33:33 and its last word. */
const GROUP_MAC_HIGH = 0x3333;

/**
 * One whole frame. Its destination's hardware address is a group's, or zero for a neighbour's: that is filled in when it is sent.
 * @param word the ICMPv6 header's own word
 */
export function ndpFrame(
  link: NeighborLink,
  type: number,
  word: number,
  source: IpAddress,
  destination: IpAddress,
  body: Uint8Array,
): Uint8Array {
  const { mac } = link;
  const length = ICMPV6_HEADER_LEN + body.length;
  const frame = new Uint8Array(ETHERNET_HEADER_LEN + IPV6_HEADER_LEN + length);
  const { isMulticast } = destination;
  const ipAt = writeEthernet(
    frame,
    0,
    isMulticast ? GROUP_MAC_HIGH : 0,
    isMulticast ? destination.w3 : 0,
    mac === null ? 0 : u16(mac, 0),
    mac === null ? 0 : i32(mac, 2),
    ETHERTYPE_IPV6,
  );
  const at = writeIpv6(frame, ipAt, 0, 0, length, IPPROTO_ICMPV6, NDP_HOP_LIMIT, source, destination);
  frame.set(body, at + ICMPV6_HEADER_LEN);
  const { w0, w1, w2, w3 } = source;
  const d = destination;
  const pseudo = pseudoHeaderSumV6(w0, w1, w2, w3, d.w0, d.w1, d.w2, d.w3, IPPROTO_ICMPV6, length);
  writeIcmpV6(frame, at, type, 0, word, sumBytes(body, 0, body.length, pseudo));
  return frame;
}

/** @returns the end of the address's 16 bytes */
export function writeAddressV6(into: Uint8Array, at: number, { w0, w1, w2, w3 }: IpAddress): number {
  putI32(into, at, w0);
  putI32(into, at + 4, w1);
  putI32(into, at + 8, w2);
  putI32(into, at + 12, w3);
  return at + ADDRESS_LEN;
}
