/**
 * A Router Solicitation on a link without hardware addresses (RFC 4861 §4.1): there are no neighbours to discover, but there may be
 * a router at the other end. On an Ethernet neighbor discovery asks.
 */

import { IpAddress } from '../../base/index.ts';
import { ICMPV6_HEADER_LEN, IcmpV6Type, IPPROTO_ICMPV6, writeIcmpV6 } from '../../wire/index.ts';
import { Cause } from '../cause.ts';
import type { Host } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { linkLocalOf } from '../multicast/link-local.ts';

/** ff02::2 */
const ALL_ROUTERS = new IpAddress(6, 0xff020000 | 0, 0, 0, 2);
/** RFC 4861 §6.1.1: nobody believes less. */
const HOPS = 255;

export type SolicitingHost = Pick<Host, 'linkPath' | 'reserveControl' | 'sendControl' | 'counters'>;

/** Asks from the link-local address; without one, or without room to send, this time nobody is asked. */
export function solicitRouters(host: SolicitingHost, iface: NetworkInterface): void {
  const source = linkLocalOf(iface);
  const path = source === null ? null : host.linkPath(iface.index, source, ALL_ROUTERS.inZone(iface.index));
  if (path === null) return;
  const packet = host.reserveControl(path, IPPROTO_ICMPV6, ICMPV6_HEADER_LEN, HOPS, 0);
  if (packet === null) return;
  const restSum = path.pseudoHeaderSum(IPPROTO_ICMPV6) + ICMPV6_HEADER_LEN;
  writeIcmpV6(packet.bytes, packet.at, IcmpV6Type.routerSolicitation, 0, 0, restSum);
  host.counters.icmpOutMsgs++;
  host.sendControl(packet, Cause.routerSolicitation, null);
}
