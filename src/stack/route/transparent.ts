/**
 * What an interface takes that answers in the name of any host (`InterfaceSettings.isTransparent`).
 */

import { IPPROTO_TCP, IPPROTO_UDP } from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { isPassableV4 } from './martians.ts';

/** Packets to one host, by a transport that can be answered for. */
export function isTakenTransparently(iface: NetworkInterface, { protocol, dst3 }: InboundPacket): boolean {
  if (!iface.isTransparent || (protocol !== IPPROTO_TCP && protocol !== IPPROTO_UDP)) return false;
  return isPassableV4(dst3) && !iface.isSubnetBroadcast(dst3);
}
