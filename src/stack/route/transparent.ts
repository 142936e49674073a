/**
 * What an interface takes that answers in the name of any host (`InterfaceSettings.isTransparent`).
 */

import { IPPROTO_TCP, IPPROTO_UDP, IPV6_FRAGMENT, IPV6_FRAGMENT_HEADER_LEN } from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { isPassableV4, isPassableV6 } from './martians.ts';

/** Packets to one host, by a transport that can be answered for. */
export function isTakenTransparently(iface: NetworkInterface, packet: InboundPacket): boolean {
  if (!iface.isTransparent) return false;
  const { family, dst0, dst1, dst2, dst3 } = packet;
  const protocol = protocolOf(packet);
  if (protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP) return false;
  if (family === 6) return isPassableV6(dst0, dst1, dst2, dst3);
  return isPassableV4(dst3) && !iface.isSubnetBroadcast(dst3);
}

/** The transport of a packet, of a fragment of one too; other extension headers nobody sends here who wants an answer. */
function protocolOf({ family, protocol, bytes, payloadAt, end }: InboundPacket): number {
  const isFragment =
    family === 6 && protocol === IPV6_FRAGMENT && end - payloadAt >= IPV6_FRAGMENT_HEADER_LEN;
  return isFragment ? (bytes[payloadAt] as number) : protocol;
}
