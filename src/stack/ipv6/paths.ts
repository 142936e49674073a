/**
 * IPv6 paths: made from where the host stands, and kept for the next packet to the same place.
 */

import { IpAddress, type Random } from '../../base/index.ts';
import { ETHERTYPE_IPV6 } from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { destinationOf, sourceOf } from '../ip/packet.ts';
import { LinkHeader } from '../link-header.ts';
import type { Topology } from '../topology.ts';
import { FragmentIds } from './fragment-ids.ts';
import { Ipv6Path } from './path.ts';

/** Paths kept; a power of two. */
const CACHED_PATHS = 1024;

export class Ipv6Paths {
  readonly #topology: Topology;
  readonly #ids: FragmentIds;
  readonly #secret: Uint8Array;
  readonly #cache = new Array<Ipv6Path | null>(CACHED_PATHS).fill(null);
  /** The source that each cached path was asked for with: the any-address when it was to be chosen. */
  readonly #cachedFor = new Array<IpAddress>(CACHED_PATHS).fill(IpAddress.anyV6);

  constructor(topology: Topology, random: Random, secret: Uint8Array) {
    this.#topology = topology;
    this.#secret = secret;
    this.#ids = new FragmentIds(random, secret);
  }

  /** The path from `source` (the any-address: choose one) to `destination`; from the cache when it is there. */
  pathTo(source: IpAddress, given: IpAddress): Ipv6Path | null {
    if (source.family !== 6 || given.family !== 6) return null;
    const destination = this.#zoned(source, given);
    if (destination === null) return null;
    const { w0, w1, w2, w3, zone } = destination;
    const slot = cacheSlot(source.w3, w0, w1, w2, w3);
    const cached = this.#cached(slot, w0, w1, w2, w3, zone);
    if (cached !== null && (this.#cachedFor[slot] as IpAddress).equals(source)) return cached;
    const path = this.#makePath(source, destination);
    if (path !== null) {
      this.#cache[slot] = path;
      this.#cachedFor[slot] = source;
    }
    return path;
  }

  /** The way over one interface to who or what is on its link; see `Host.linkPath`. */
  linkPath(index: number, source: IpAddress, given: IpAddress): Ipv6Path | null {
    const iface = this.#topology.find(index);
    if (iface === null || given.family !== 6 || source.family !== 6) return null;
    return this.#onLink(iface, source, given.inZone(index));
  }

  /** The path by which to answer `packet`, from the address that it was sent to. */
  pathBack(packet: InboundPacket): Ipv6Path | null {
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const slot = cacheSlot(dst3, src0, src1, src2, src3);
    const cached = this.#cached(slot, src0, src1, src2, src3, packet.zone);
    if (cached !== null) {
      const asked = this.#cachedFor[slot] as IpAddress;
      const isSame = asked.w3 === dst3 && asked.w2 === dst2 && asked.w1 === dst1 && asked.w0 === dst0;
      if (isSame && (asked.zone === 0 || asked.zone === packet.zone)) return cached;
    }
    if (packet.isGroup || (src0 | src1 | src2 | src3) === 0) return null;
    return this.pathTo(destinationOf(packet), sourceOf(packet));
  }

  /** See `Host.recentPath`. */
  recentPath(quoted: InboundPacket): Ipv6Path | null {
    return this.#recent(quoted, quoted.src3) ?? this.#recent(quoted, 0);
  }

  /** A path to where the quoted packet went, from where it came, that was asked for with a source that ends with `asked3`. */
  #recent(quoted: InboundPacket, asked3: number): Ipv6Path | null {
    const { dst0, dst1, dst2, dst3, src0, src1, src2, src3 } = quoted;
    const path = this.#cached(cacheSlot(asked3, dst0, dst1, dst2, dst3), dst0, dst1, dst2, dst3, quoted.zone);
    if (path === null) return null;
    const { w0, w1, w2, w3 } = path.source;
    return w3 === src3 && w2 === src2 && w1 === src1 && w0 === src0 ? path : null;
  }

  /** What is in `slot`, if it leads there. An address without a zone is in no zone, whatever its packet's other one has. */
  #cached(slot: number, w0: number, w1: number, w2: number, w3: number, zone: number): Ipv6Path | null {
    const path = this.#cache[slot] as Ipv6Path | null;
    if (path?.isValid !== true) return null;
    const { destination } = path;
    const isSame =
      destination.w3 === w3 &&
      destination.w2 === w2 &&
      destination.w1 === w1 &&
      destination.w0 === w0 &&
      (destination.zone === 0 || destination.zone === zone);
    return isSame ? path : null;
  }

  /**
   * A scoped destination in its zone: that of its source, else the default zone, which is the first interface that is up
   * and has an address (RFC 4007 §6). `null` when there is none, or the source is of another zone.
   */
  #zoned(source: IpAddress, destination: IpAddress): IpAddress | null {
    if (!destination.isScoped) return destination;
    if (destination.zone !== 0) {
      return source.zone === 0 || source.zone === destination.zone ? destination : null;
    }
    if (source.zone !== 0) return destination.inZone(source.zone);
    const owner = source.isAny ? null : this.#topology.interfaceOf(source);
    const iface = owner ?? this.#topology.interfaces.find(isUsable) ?? null;
    return iface === null ? null : destination.inZone(iface.index);
  }

  #makePath(source: IpAddress, destination: IpAddress): Ipv6Path | null {
    if (destination.isAny || destination.isV4Mapped) return null;
    const topology = this.#topology;
    if (destination.isMulticast) return this.#groupPath(source, destination);
    if (topology.interfaceOf(destination) !== null) return this.#localPath(source, destination);
    // ::1 never leaves the host (RFC 4291 §2.5.3).
    if (source.isLoopback) return null;
    if (destination.isScoped) {
      const iface = topology.find(destination.zone);
      if (iface === null || !iface.isUp) return null;
      const from = source.isAny ? iface.sourceFor(destination) : source;
      return from === null ? null : this.#onLink(iface, from, destination);
    }
    const asked = source.isAny ? null : source;
    const isBound = asked !== null && !topology.maySendWeakly(asked);
    const route = topology.routes.lookup(destination, isBound ? asked : null, asked);
    if (route === null || route.interface.isLoopback) return null;
    if (asked !== null && !isBound && topology.interfaceOf(asked) === null) return null;
    const { interface: iface, gateway } = route;
    const from = source.isAny ? iface.sourceFor(destination, gateway) : source;
    if (from === null) return null;
    return this.#path(iface, from, destination, gateway ?? destination);
  }

  #onLink(iface: NetworkInterface, source: IpAddress, destination: IpAddress): Ipv6Path {
    return this.#path(iface, source, destination, destination);
  }

  /** To ourselves: through the loopback interface, from the very address when none is asked for. */
  #localPath(source: IpAddress, destination: IpAddress): Ipv6Path | null {
    if (!source.isAny && this.#topology.interfaceOf(source) === null) return null;
    return this.#path(this.#topology.loopback, source.isAny ? destination : source, destination, destination);
  }

  /** A group has no route of its own: its zone, the interface of `source`, else the default route's, else the first. */
  #groupPath(source: IpAddress, destination: IpAddress): Ipv6Path | null {
    const topology = this.#topology;
    let iface: NetworkInterface | null;
    if (destination.zone !== 0) iface = topology.find(destination.zone);
    else if (!source.isAny) iface = topology.interfaceOf(source);
    else {
      const route = topology.routes.lookup(destination, null);
      iface = route?.interface ?? topology.interfaces.find(isUsable) ?? null;
    }
    if (iface === null || !iface.isUp) return null;
    const from = source.isAny ? iface.sourceFor(destination) : source;
    return from === null ? null : this.#onLink(iface, from, destination);
  }

  #path(iface: NetworkInterface, source: IpAddress, destination: IpAddress, nextHop: IpAddress): Ipv6Path {
    const { routes, pmtus } = this.#topology;
    const link = destination.isMulticast
      ? LinkHeader.toGroup(iface, destination, groupMac(destination), ETHERTYPE_IPV6)
      : LinkHeader.toNeighbor(iface, nextHop, ETHERTYPE_IPV6);
    const parts = { interface: iface, source, destination, link, secret: this.#secret };
    return new Ipv6Path(parts, routes, this.#ids, pmtus);
  }
}

/** An interface that leads to others by IPv6. */
function isUsable(iface: NetworkInterface): boolean {
  return iface.isUp && !iface.isLoopback && iface.addresses.some(({ address }) => address.family === 6);
}

/** RFC 2464 §7: 33:33 and the last four bytes of the group. */
function groupMac(group: IpAddress): Uint8Array {
  const { w3 } = group;
  return Uint8Array.of(0x33, 0x33, w3 >>> 24, (w3 >>> 16) & 0xff, (w3 >>> 8) & 0xff, w3 & 0xff);
}

function cacheSlot(source3: number, w0: number, w1: number, w2: number, w3: number): number {
  let h = Math.imul(w3 ^ Math.imul(source3, 0x85ebca6b), 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ w2 ^ Math.imul(w1 ^ w0, 0xc2b2ae35), 0x27d4eb2f);
  return (h ^ (h >>> 15)) & (CACHED_PATHS - 1);
}
