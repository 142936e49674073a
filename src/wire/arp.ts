/**
 * ARP for IPv4 over Ethernet (RFC 826), the only pair of it that is still spoken.
 *
 *     0        2          4      5      6    8                    14        18                   24        28
 *     | htype  | ptype    | hlen | plen | op | sender MAC         | sender  | target MAC         | target  |
 *     | 1      | 0x0800   | 6    | 4    |    |                    | IPv4    |                    | IPv4    |
 */

import { i32, putI32, putU16, u8, u16 } from '../base/index.ts';
import { DropReason } from './drop-reason.ts';
import { ETHERTYPE_IPV4 } from './ethernet.ts';

/** Bytes of a message. A frame of least length has more; what follows is no part of it. */
export const ARP_LEN = 28;

/** Hardware type of Ethernet (IANA "Hardware Types"). */
const HTYPE_ETHERNET = 1;
const MAC_LEN = 6;
const IPV4_LEN = 4;

/** Values of the operation field (RFC 826, and IANA "Operation Codes"). */
export const ArpOperation = { request: 1, reply: 2 } as const;

/** A message in numbers; one object, filled anew for each. MAC addresses as in `EthernetHeader`. */
export class ArpMessage {
  operation = 0;
  senderHigh = 0;
  senderLow = 0;
  /** The sender's IPv4 address; 0 in a probe (RFC 5227 §1.1). */
  sender = 0;
  targetHigh = 0;
  targetLow = 0;
  target = 0;
}

/**
 * Reads the message `at … end`.
 * @returns `none`, `arpTruncated`, or `arpUnsupported` for other networks, protocols and operations
 */
export function parseArp(bytes: Uint8Array, at: number, end: number, into: ArpMessage): DropReason {
  if (end - at < ARP_LEN) return DropReason.arpTruncated;
  const isKnown =
    u16(bytes, at) === HTYPE_ETHERNET &&
    u16(bytes, at + 2) === ETHERTYPE_IPV4 &&
    u8(bytes, at + 4) === MAC_LEN &&
    u8(bytes, at + 5) === IPV4_LEN;
  into.operation = u16(bytes, at + 6);
  if (!isKnown || (into.operation !== ArpOperation.request && into.operation !== ArpOperation.reply)) {
    return DropReason.arpUnsupported;
  }
  into.senderHigh = u16(bytes, at + 8);
  into.senderLow = i32(bytes, at + 10);
  into.sender = i32(bytes, at + 14);
  into.targetHigh = u16(bytes, at + 18);
  into.targetLow = i32(bytes, at + 20);
  into.target = i32(bytes, at + 24);
  return DropReason.none;
}

/** Writes a message. @returns its end */
export function writeArp(
  into: Uint8Array,
  at: number,
  operation: number,
  senderHigh: number,
  senderLow: number,
  sender: number,
  targetHigh: number,
  targetLow: number,
  target: number,
): number {
  putU16(into, at, HTYPE_ETHERNET);
  putU16(into, at + 2, ETHERTYPE_IPV4);
  into[at + 4] = MAC_LEN;
  into[at + 5] = IPV4_LEN;
  putU16(into, at + 6, operation);
  putU16(into, at + 8, senderHigh);
  putI32(into, at + 10, senderLow);
  putI32(into, at + 14, sender);
  putU16(into, at + 18, targetHigh);
  putI32(into, at + 20, targetLow);
  putI32(into, at + 24, target);
  return at + ARP_LEN;
}
