/**
 * Where packets of others go: route, next hop and the path to it, looked up once and kept for the next packet to the same
 * place. A bounded table in which a newer destination takes the older one's place.
 */

import { IpAddress } from '../../base/index.ts';
import type { Host, InboundPacket, Path } from '../host.ts';
import { destinationOf, sourceOf } from '../ip/packet.ts';
import type { Topology } from '../topology.ts';
import type { Route } from './table.ts';

/** A power of two. */
const SLOTS = 1024;

/** A way on. The path is to the next hop: its IP header gives way to the packet's own. */
export class ForwardWay {
  readonly destination: IpAddress;
  readonly route: Route;
  readonly nextHop: IpAddress;
  readonly path: Path;
  /** To all hosts of a network that is behind the interface (RFC 1812 §5.3.5.2). */
  readonly isBroadcast: boolean;
  /** What else the rules may have looked at. */
  readonly source: IpAddress;
  readonly arrivedOn: number;

  constructor(
    destination: IpAddress,
    source: IpAddress,
    arrivedOn: number,
    route: Route,
    nextHop: IpAddress,
    path: Path,
  ) {
    this.destination = destination;
    this.source = source;
    this.arrivedOn = arrivedOn;
    this.route = route;
    this.nextHop = nextHop;
    this.path = path;
    this.isBroadcast = destination.family === 4 && route.interface.isSubnetBroadcast(destination.w3);
  }
}

export class ForwardWays {
  readonly #host: Host;
  readonly #topology: Topology;
  readonly #slots = new Array<ForwardWay | null>(SLOTS).fill(null);

  constructor(host: Host, topology: Topology) {
    this.#host = host;
    this.#topology = topology;
  }

  /** The way of `packet`; `null` when no route leads on. */
  of(packet: InboundPacket): ForwardWay | null {
    const slot = slotOf(packet.dst0 ^ packet.dst1 ^ packet.dst2, packet.dst3);
    const way = this.#slots[slot] as ForwardWay | null;
    if (way?.path.isValid === true && this.#isFor(way, packet)) return way;
    const found = this.#find(packet);
    if (found !== null) this.#slots[slot] = found;
    return found;
  }

  #isFor(way: ForwardWay, packet: InboundPacket): boolean {
    const { destination } = way;
    if (
      destination.w3 !== packet.dst3 ||
      destination.w2 !== packet.dst2 ||
      destination.w1 !== packet.dst1 ||
      destination.w0 !== packet.dst0 ||
      destination.family !== packet.family
    ) {
      return false;
    }
    if (!this.#topology.routes.hasPolicies) return true;
    const { source } = way;
    return (
      way.arrivedOn === packet.interfaceIndex &&
      source.w3 === packet.src3 &&
      source.w2 === packet.src2 &&
      source.w1 === packet.src1 &&
      source.w0 === packet.src0
    );
  }

  #find(packet: InboundPacket): ForwardWay | null {
    const destination = destinationOf(packet);
    const source = sourceOf(packet);
    const { interfaceIndex } = packet;
    const route = this.#topology.routes.lookup(destination, null, source, interfaceIndex);
    if (route === null || route.interface.isLoopback) return null;
    const nextHop = route.gateway ?? destination;
    const any = packet.family === 4 ? IpAddress.anyV4 : IpAddress.anyV6;
    const path = this.#host.linkPath(route.interfaceIndex, any, nextHop);
    return path === null ? null : new ForwardWay(destination, source, interfaceIndex, route, nextHop, path);
  }
}

function slotOf(high: number, low: number): number {
  const h = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
  return (h ^ (h >>> 15)) & (SLOTS - 1);
}
