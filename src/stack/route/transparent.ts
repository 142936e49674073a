/**
 * What an interface takes that answers in the name of any host (`InterfaceSettings.isTransparent`).
 */

import { IPPROTO_TCP, IPPROTO_UDP } from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { isPassableV4, isPassableV6 } from './martians.ts';

/** Packets to one host, by a transport that can be answered for. */
export function isTakenTransparently(iface: NetworkInterface, packet: InboundPacket): boolean {
  const { protocol, family, dst0, dst1, dst2, dst3 } = packet;
  if (!iface.isTransparent || (protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP)) return false;
  if (family === 6) return isPassableV6(dst0, dst1, dst2, dst3);
  return isPassableV4(dst3) && !iface.isSubnetBroadcast(dst3);
}
