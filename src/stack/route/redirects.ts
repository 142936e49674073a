/**
 * Redirects, as a host takes them (RFC 1122 §3.2.2.2): a router says that another one on the same link is the better first
 * hop to a destination. Believed only from the router in use, about something that was sent, and for so long; a router does
 * not listen to them (RFC 1812 §5.2.7.2).
 */

import { IpAddress } from '../../base/index.ts';
import { DropReason } from '../../wire/index.ts';
import type { Host, InboundPacket } from '../host.ts';
import { contains, type NetworkInterface } from '../interface.ts';
import type { RedirectTaker } from '../ip/icmp.ts';
import { destinationOf } from '../ip/packet.ts';
import type { Topology } from '../topology.ts';

/** How long such a route is kept, ms: after that the default way is tried again. */
export const REDIRECT_LIFETIME = 600_000;
/** Most of them; past it the oldest goes. */
export const MAX_REDIRECTS = 256;

export class Redirects implements RedirectTaker {
  readonly #host: Host;
  readonly #topology: Topology;

  constructor(host: Host, topology: Topology) {
    this.#host = host;
    this.#topology = topology;
  }

  take(packet: InboundPacket, quoted: InboundPacket, gatewayWord: number): DropReason {
    const { routes } = this.#topology;
    const iface = this.#topology.find(packet.interfaceIndex);
    if (iface === null || iface.isForwarding || !iface.acceptsRedirects) return DropReason.redirectRefused;
    const gateway = IpAddress.v4(gatewayWord);
    const destination = destinationOf(quoted);
    if (!this.#isNeighbor(iface, gateway)) return DropReason.redirectRefused;
    // Only the first hop in use may say so, and only about what was sent to it.
    const path = this.#host.recentPath(quoted);
    const route = routes.lookup(destination, null);
    if (path?.interfaceIndex !== iface.index || route?.interface !== iface) return DropReason.redirectRefused;
    if (route.gateway?.w3 !== packet.src3) return DropReason.redirectRefused;
    if (route.origin === 'redirect') routes.removeRoute(route);
    const oldest = routes.countOf('redirect') >= MAX_REDIRECTS ? routes.oldestOf('redirect') : null;
    if (oldest !== null) routes.removeRoute(oldest);
    const isLearnt = routes.learn(
      {
        destination: `${destination}/32`,
        gateway: String(gateway),
        interfaceIndex: iface.index,
        metric: 1,
        origin: 'redirect',
        validUntil: this.#host.now + REDIRECT_LIFETIME,
      },
      iface,
    );
    return isLearnt ? DropReason.none : DropReason.redirectRefused;
  }

  /** Whether `gateway` is a host on the link, and not this one. */
  #isNeighbor(iface: NetworkInterface, gateway: IpAddress): boolean {
    if (gateway.isAny || this.#topology.isLocalV4(gateway.w3) || iface.isSubnetBroadcast(gateway.w3))
      return false;
    return iface.addresses.some(({ address, prefixLength }) => contains(address, prefixLength, gateway));
  }
}
