/**
 * Ethernet II frames (RFC 894, IEEE 802.3 §3.2), with at most one 802.1Q tag.
 *
 *     0                 6                12      14
 *     | destination MAC | source MAC      | type  | payload …
 *
 * A MAC address is two numbers, its first 16 bits and its last 32 as `| 0`: compared without touching bytes.
 */

import { i32, type Medium, putI32, putU16, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';

/** Bytes of a header without a tag. */
export const ETHERNET_HEADER_LEN = 14;

/** Bytes that a link of this medium puts before the IP header. */
export function linkHeaderLength(medium: Medium): number {
  return medium === 'ethernet' ? ETHERNET_HEADER_LEN : 0;
}

/** Values of the type field (IANA "EtherTypes"). */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_VLAN = 0x8100;
export const ETHERTYPE_IPV6 = 0x86dd;

/** Smaller values of the type field are the length of an 802.3 LLC frame (RFC 894, IEEE 802.3 §3.2.6). */
const ETHERTYPE_MIN = 0x600;

/** Bytes that a tag adds. */
const TAG_LEN = 4;

/** A frame's header in numbers; one object, filled anew for each frame. */
export class EthernetHeader {
  destinationHigh = 0;
  destinationLow = 0;
  sourceHigh = 0;
  sourceLow = 0;
  /** What the payload is; of a tagged frame, the type behind the tag. */
  etherType = 0;
  /** VLAN identifier of the tag, 0 for a priority tag (802.1Q §6.9.3), -1 without one. */
  vlan = -1;
  payloadAt = 0;

  /** To one or many stations: the group bit of the destination (ff:ff:ff:ff:ff:ff has it too). */
  get isGroup(): boolean {
    return (this.destinationHigh & 0x0100) !== 0;
  }

  get isBroadcast(): boolean {
    return this.destinationHigh === 0xffff && this.destinationLow === -1;
  }
}

/**
 * Reads the header of the frame `at … end`.
 * @returns `none`, `frameTruncated`, or `etherTypeUnknown` for an 802.3 length in the place of a type
 */
export function parseEthernet(bytes: Uint8Array, at: number, end: number, into: EthernetHeader): DropReason {
  if (end - at < ETHERNET_HEADER_LEN) return DropReason.frameTruncated;
  into.destinationHigh = u16(bytes, at);
  into.destinationLow = i32(bytes, at + 2);
  into.sourceHigh = u16(bytes, at + 6);
  into.sourceLow = i32(bytes, at + 8);
  into.etherType = u16(bytes, at + 12);
  into.vlan = -1;
  into.payloadAt = at + ETHERNET_HEADER_LEN;
  if (into.etherType === ETHERTYPE_VLAN) {
    if (end - at < ETHERNET_HEADER_LEN + TAG_LEN) return DropReason.frameTruncated;
    into.vlan = u16(bytes, at + 14) & 0xfff;
    into.etherType = u16(bytes, at + 16);
    into.payloadAt = at + ETHERNET_HEADER_LEN + TAG_LEN;
  }
  return into.etherType < ETHERTYPE_MIN ? DropReason.etherTypeUnknown : DropReason.none;
}

/** Writes a header without a tag; addresses as in {@link EthernetHeader}. @returns where the payload goes. */
export function writeEthernet(
  into: Uint8Array,
  at: number,
  destinationHigh: number,
  destinationLow: number,
  sourceHigh: number,
  sourceLow: number,
  etherType: number,
): number {
  putU16(into, at, destinationHigh);
  putI32(into, at + 2, destinationLow);
  putU16(into, at + 6, sourceHigh);
  putI32(into, at + 8, sourceLow);
  putU16(into, at + 12, etherType);
  return at + ETHERNET_HEADER_LEN;
}
