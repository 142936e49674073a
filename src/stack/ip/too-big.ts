/**
 * What a router's "this packet is too big" asks for (RFC 1191 §3, §5, §7.1).
 */

import { u16 } from '../../base/index.ts';
import { DropReason } from '../../wire/index.ts';
import type { Host, InboundPacket, Path } from '../host.ts';

/** RFC 791: every link carries this much; a message that claims less is not believed (RFC 5927 §7.2). */
export const LEAST_MTU_V4 = 68;
/** RFC 8200 §5: the least MTU of any IPv6 link, and so of any path (RFC 8201 §4). */
export const LEAST_MTU_V6 = 1280;

/** RFC 1191 §7.1: the MTUs that links have, largest first. */
const PLATEAUS = [65_535, 32_000, 17_914, 8166, 4352, 2002, 1492, 1006, 508, 296, LEAST_MTU_V4] as const;

/** Where DF and the total length are in an IPv4 header. */
const FLAGS_OFFSET = 6;
const DONT_FRAGMENT = 0x40;
const TOTAL_LENGTH_OFFSET = 2;

/**
 * A packet of a protocol without connections was too big: what is known of it is that something was sent that way lately.
 * @returns 0, or why that is not believed
 */
export function pathTooBig(host: Host, quoted: InboundPacket, mtu: number): DropReason {
  const path = host.recentPath(quoted);
  if (path === null) return DropReason.icmpQuoteUnknown;
  const claimed = claimedMtu(path, quoted, mtu);
  if (claimed === 0) return DropReason.icmpMtuImplausible;
  host.lowerPathMtu(path, claimed);
  return DropReason.none;
}

/**
 * The MTU that a message about `quoted`, sent by `path`, claims.
 * @param mtu what the router said of its next hop; 0 from one that is older than RFC 1191
 * @returns 0 when the message can't be true: the packet was not too big for that, might have been cut, or no link is so small
 */
export function claimedMtu(path: Path, quoted: InboundPacket, mtu: number): number {
  if (quoted.family === 6) {
    // RFC 8201 §4: below the least MTU nothing is asked of the sender any more (RFC 6946).
    return mtu >= LEAST_MTU_V6 && mtu < path.linkMtu ? mtu : 0;
  }
  const { bytes, headerAt } = quoted;
  // Only a packet with DF is refused for its size.
  if (((bytes[headerAt + FLAGS_OFFSET] as number) & DONT_FRAGMENT) === 0) return 0;
  // Some routers add the header's length to the quoted total length (RFC 1191 §5): it was no more than the link's MTU.
  const sent = Math.min(u16(bytes, headerAt + TOTAL_LENGTH_OFFSET), path.linkMtu);
  const claimed = mtu === 0 ? plateauBelow(sent) : mtu;
  return claimed >= LEAST_MTU_V4 && claimed < sent ? claimed : 0;
}

/** The next smaller size to try after `length` did not get through; 0 when there is none. */
export function plateauBelow(length: number): number {
  for (const plateau of PLATEAUS) if (plateau < length) return plateau;
  return 0;
}
