/**
 * Where the host stands: its interfaces, addresses and routes, and the paths that follow from them.
 */

import {
  IpAddress,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  OFFLOAD_USO,
  parsePrefix,
  type Random,
} from '../base/index.ts';
import { ETHERTYPE_IPV4 } from '../wire/index.ts';
import {
  type AddressOptions,
  type AddressPolicyRow,
  ConfigChange,
  type InterfaceOptions,
  type InterfaceSettings,
  type NameConfiguration,
  type RouteOptions,
} from './api.ts';
import { DuplicateDetection } from './duplicate-detection.ts';
import { type InboundPacket, LOOPBACK_INDEX } from './host.ts';
import { NetworkInterface } from './interface.ts';
import { Identifications } from './ip/identification.ts';
import { destinationOf, sourceOf } from './ip/packet.ts';
import { Ipv4Path } from './ip/path.ts';
import { PolicyTable } from './ipv6/policy-table.ts';
import { LinkHeader } from './link-header.ts';
import type { NeighborHost } from './neighbor/neighbor-host.ts';
import type { NeighborTable } from './neighbor/table.ts';
import { PmtuCache } from './pmtu-cache.ts';
import { RouteTable } from './route/table.ts';

/** Paths kept for the next packet to the same place; a power of two. */
const CACHED_PATHS = 1024;

const LOOPBACK: InterfaceOptions = {
  name: 'loopback',
  mtu: 65535,
  offload: OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 | OFFLOAD_USO,
};

export class Topology {
  readonly routes: RouteTable;
  readonly pmtus: PmtuCache;
  readonly duplicates: DuplicateDetection;
  readonly addressPolicy = new PolicyTable();
  readonly loopback = new NetworkInterface(LOOPBACK_INDEX, LOOPBACK, true, this.addressPolicy);
  /** By index; holes where an interface was removed. */
  #byIndex: (NetworkInterface | null)[] = [null, this.loopback];
  #interfaces: readonly NetworkInterface[] = [this.loopback];
  readonly #host: NeighborHost;
  readonly #identifications: Identifications;
  readonly #cache = new Array<Ipv4Path | null>(CACHED_PATHS).fill(null);
  /** The source that each cached path was asked for with: 0 when it was to be chosen. */
  readonly #cachedFor = new Int32Array(CACHED_PATHS);

  /** Told of `ConfigChange` bits, but not of what is there from the start. */
  #onChange: (changes: number) => void = () => {};

  constructor(random: Random, secret: Uint8Array, host: NeighborHost, onChange: (changes: number) => void) {
    this.#host = host;
    this.duplicates = new DuplicateDetection(this, () => host.now);
    this.routes = new RouteTable(host.timers, () => this.#onChange(ConfigChange.routes));
    this.pmtus = new PmtuCache(host.timers);
    this.#identifications = new Identifications(random, secret);
    this.loopback.addAddress(IpAddress.loopbackV4, 8);
    this.routes.addConnected(this.loopback, IpAddress.loopbackV4, 8);
    this.loopback.addAddress(IpAddress.loopbackV6, 128);
    this.routes.addConnected(this.loopback, IpAddress.loopbackV6, 128);
    this.#onChange = onChange;
  }

  get interfaces(): readonly NetworkInterface[] {
    return this.#interfaces;
  }

  /** @throws {RangeError} when an option can't be read; nothing is added then */
  addInterface(options: InterfaceOptions): NetworkInterface {
    const prefixes = (options.addresses ?? []).map(readPrefix);
    const added = new NetworkInterface(this.#byIndex.length, options, false, this.addressPolicy);
    added.startNeighbors(this.#host);
    for (const { address } of prefixes) added.requireRoomFor(address);
    this.duplicates.watch(added);
    this.#byIndex.push(added);
    this.#interfaces = [...this.#interfaces, added];
    this.#changed(ConfigChange.interfaces);
    for (const prefix of prefixes) this.#addAddress(added, prefix.address, prefix.length, {});
    return added;
  }

  /** @throws {RangeError} when there is no such interface, or it is the built-in one */
  removeInterface(index: number): NetworkInterface {
    const removed = this.interface(index);
    if (removed.isLoopback) throw new RangeError('the loopback interface can not be removed');
    removed.isUp = false;
    removed.neighbors?.close();
    removed.conflicts?.close();
    removed.ndp?.dad.close();
    this.#byIndex[index] = null;
    this.#interfaces = this.#interfaces.filter((held) => held !== removed);
    this.routes.removeInterface(removed);
    this.#changed(ConfigChange.interfaces | ConfigChange.addresses);
    return removed;
  }

  /** @throws {RangeError} when there is no such interface */
  interface(index: number): NetworkInterface {
    const found = this.find(index);
    if (found === null) throw new RangeError(`there is no interface ${index}`);
    return found;
  }

  /**
   * Switches what is named. @returns the interface when it went down, else `null`
   * @throws {RangeError} when there is no such interface or a value is none
   */
  configure(index: number, settings: InterfaceSettings): NetworkInterface | null {
    const iface = this.interface(index);
    const wasUp = iface.isUp;
    if (iface.configure(settings)) this.routes.changed();
    if (iface.isUp !== wasUp) {
      iface.neighbors?.flush();
      this.duplicates.linkChanged(iface);
      this.routes.gateways.forget(iface);
      this.routes.generation++;
      this.#onChange(ConfigChange.interfaces | ConfigChange.addresses);
    }
    return wasUp && !iface.isUp ? iface : null;
  }

  find(index: number): NetworkInterface | null {
    return this.#byIndex[index] ?? null;
  }

  /** @throws {RangeError} when `prefix` can't be read or there is no such interface */
  addAddress(index: number, prefix: string, options: AddressOptions = {}): void {
    const { address, length } = readPrefix(prefix);
    this.#addAddress(this.interface(index), address, length, options);
  }

  /** @throws {RangeError} when there is no such interface */
  removeAddress(index: number, given: IpAddress): void {
    const iface = this.interface(index);
    const address = given.inZone(index);
    if (iface.removeAddress(address) === null) return;
    this.duplicates.removed(iface, address);
    this.routes.removeConnected(iface, address);
    this.#changed(ConfigChange.addresses);
  }

  /**
   * Packets of an interface are no larger than `mtu` from now on, what the link allows permitting; 0: no bound but that. Those of IPv6
   * have 1280 bytes at least.
   */
  limitMtu(index: number, mtu: number): void {
    const iface = this.interface(index);
    const next = mtu === 0 ? iface.linkMtu : Math.min(mtu, iface.linkMtu);
    if (next === iface.mtu) return;
    iface.mtu = next;
    this.#changed(ConfigChange.interfaces);
  }

  /** @throws {RangeError} when a row can't be read, or there are too many */
  setAddressPolicy(rows: readonly AddressPolicyRow[] | null): void {
    this.addressPolicy.set(rows);
    // Paths have sources that were chosen by the old one.
    this.routes.generation++;
  }

  /** What packets of an interface are like has changed. */
  interfaceChanged(): void {
    this.#changed(ConfigChange.interfaces);
  }

  /** States or lifetimes of addresses have changed: what was derived from them is stale. */
  addressesChanged(): void {
    this.#changed(ConfigChange.addresses);
  }

  /** @throws {RangeError} when there is no such interface */
  setNames(index: number, names: NameConfiguration): void {
    this.interface(index).setNames(names);
    this.#onChange(ConfigChange.names);
  }

  /** @throws {RangeError} when the route can't be read or there is no such interface */
  addRoute(route: RouteOptions): void {
    this.routes.add(route, this.interface(route.interfaceIndex));
  }

  /** @throws {RangeError} when there is no such interface, or its link has no hardware addresses */
  neighborsOf(index: number): NeighborTable {
    const { neighbors, name } = this.interface(index);
    if (neighbors === null) throw new RangeError(`${name} is no Ethernet interface: it has no neighbours`);
    return neighbors;
  }

  /** The interface that has `address`, or all of 127/8 for the loopback interface; `null` when it is not ours. */
  interfaceOf(address: IpAddress): NetworkInterface | null {
    if (address.isLoopback && address.family === 4) return this.loopback;
    for (const iface of this.#interfaces) {
      if (iface.hasAddress(address)) return iface;
    }
    return null;
  }

  /** As {@link interfaceOf}, for the IPv4 address in `word`. */
  interfaceOfV4(word: number): NetworkInterface | null {
    if (word >>> 24 === 127) return this.loopback;
    const interfaces = this.#interfaces;
    for (let i = 0; i < interfaces.length; i++) {
      const iface = interfaces[i] as NetworkInterface;
      if (iface.hasV4(word)) return iface;
    }
    return null;
  }

  /** Whether the IPv4 address in `word` is ours. */
  isLocalV4(word: number): boolean {
    if (word >>> 24 === 127) return true;
    const interfaces = this.#interfaces;
    for (let i = 0; i < interfaces.length; i++) {
      if ((interfaces[i] as NetworkInterface).hasV4(word)) return true;
    }
    return false;
  }

  /** Whether the IPv4 address in `word` is the limited broadcast or one of a subnet of ours. */
  isBroadcastV4(word: number): boolean {
    return word === -1 || this.#interfaces.some((iface) => iface.isSubnetBroadcast(word));
  }

  /** The path from `source` (the any-address: choose one) to `destination`; from the cache when it is there. */
  pathTo(source: IpAddress, destination: IpAddress): Ipv4Path | null {
    if (destination.family !== 4 || source.family !== 4) return null;
    const slot = cacheSlot(source.w3, destination.w3);
    const cached = this.#cache[slot] as Ipv4Path | null;
    if (
      cached?.isValid === true &&
      cached.destination.w3 === destination.w3 &&
      this.#cachedFor[slot] === source.w3
    ) {
      return cached;
    }
    const path = this.#makePath(source, destination);
    if (path !== null) {
      this.#cache[slot] = path;
      this.#cachedFor[slot] = source.w3;
    }
    return path;
  }

  /** The way over one interface to who or what is on its link; see `Host.linkPath`. */
  linkPath(index: number, source: IpAddress, destination: IpAddress): Ipv4Path | null {
    const iface = this.find(index);
    if (iface === null || destination.family !== 4 || source.family !== 4) return null;
    const isBroadcast = destination.isLimitedBroadcast || iface.isSubnetBroadcast(destination.w3);
    return this.#path(iface, source, destination, destination, isBroadcast);
  }

  /** The path by which to answer `packet`, from the address that it was sent to. */
  pathBack(packet: InboundPacket): Ipv4Path | null {
    if (packet.family !== 4) return null;
    const slot = cacheSlot(packet.dst3, packet.src3);
    const cached = this.#cache[slot] as Ipv4Path | null;
    if (
      cached?.isValid === true &&
      cached.destination.w3 === packet.src3 &&
      this.#cachedFor[slot] === packet.dst3
    ) {
      return cached;
    }
    if (packet.isGroup || packet.src3 === 0) return null;
    return this.pathTo(destinationOf(packet), sourceOf(packet));
  }

  /**
   * The path by which a packet of ours was sent that an ICMP error quotes, from its address or without having asked for one;
   * `null` when it is not in the cache: then nothing was sent there lately, and the quote is made up.
   */
  recentPath(quoted: InboundPacket): Ipv4Path | null {
    if (quoted.family !== 4) return null;
    return this.#cached(quoted.src3, quoted) ?? this.#cached(0, quoted);
  }

  #cached(askedSource: number, quoted: InboundPacket): Ipv4Path | null {
    const slot = cacheSlot(askedSource, quoted.dst3);
    const path = this.#cache[slot] as Ipv4Path | null;
    if (path?.isValid !== true || this.#cachedFor[slot] !== askedSource) return null;
    return path.destination.w3 === quoted.dst3 && path.source.w3 === quoted.src3 ? path : null;
  }

  #addAddress(iface: NetworkInterface, given: IpAddress, length: number, options: AddressOptions): void {
    const before = iface.find(given.inZone(iface.index));
    const wasInUse = before !== null && before.state !== 'duplicate';
    const held = iface.addAddress(given, length, options);
    const { address } = held;
    this.routes.removeConnected(iface, address);
    if (options.isOnLink !== false) this.routes.addConnected(iface, address, length);
    this.duplicates.added(iface, held, options, wasInUse);
    this.#changed(ConfigChange.addresses);
  }

  /** What was derived from addresses and interfaces is stale. */
  #changed(changes: number): void {
    this.routes.generation++;
    this.#onChange(changes);
  }

  #makePath(source: IpAddress, destination: IpAddress): Ipv4Path | null {
    if (destination.isAny) return null;
    if (this.isLocalV4(destination.w3)) return this.#localPath(source, destination);
    // 127/8 never leaves the host: RFC 1122 §3.2.1.3(g).
    if (source.isLoopback) return null;
    if (destination.isLimitedBroadcast || destination.isMulticast)
      return this.#groupPath(source, destination);
    const asked = source.isAny ? null : source;
    const isBound = asked !== null && !this.maySendWeakly(asked);
    const route = this.routes.lookup(destination, isBound ? asked : null, asked);
    if (route === null || route.interface.isLoopback) return null;
    if (asked !== null && !isBound && !this.isLocalV4(asked.w3)) return null;
    const iface = route.interface;
    const nextHop = route.gateway ?? destination;
    const from = source.isAny ? iface.sourceFor(nextHop) : source;
    if (from === null) return null;
    const isBroadcast = iface.isSubnetBroadcast(destination.w3);
    return this.#path(iface, from, destination, nextHop, isBroadcast);
  }

  /** Whether packets from `source` may leave by another interface than its own: where that is said, and on a router. */
  maySendWeakly(source: IpAddress): boolean {
    return (
      this.interfaceOf(source)?.weakHostSend === true || this.#interfaces.some((held) => held.isForwarding)
    );
  }

  /** To ourselves: through the loopback interface, from the very address when none is asked for. */
  #localPath(source: IpAddress, destination: IpAddress): Ipv4Path | null {
    if (!source.isAny && !this.isLocalV4(source.w3)) return null;
    let from = source;
    if (source.isAny) from = destination.isLoopback ? IpAddress.loopbackV4 : destination;
    return this.#path(this.loopback, from, destination, destination, false);
  }

  /** A group has no route of its own: the interface of `source`, else the default route's, else the first. */
  #groupPath(source: IpAddress, destination: IpAddress): Ipv4Path | null {
    let iface: NetworkInterface | null;
    if (source.isAny) {
      const route = this.routes.lookup(destination, null);
      iface = route?.interface ?? this.#interfaces.find((held) => !held.isLoopback && held.isUp) ?? null;
    } else {
      iface = this.interfaceOf(source);
    }
    const from = source.isAny ? (iface?.sourceFor(destination) ?? null) : source;
    if (iface === null || from === null) return null;
    return this.#path(iface, from, destination, destination, destination.isLimitedBroadcast);
  }

  #path(
    iface: NetworkInterface,
    source: IpAddress,
    destination: IpAddress,
    nextHop: IpAddress,
    isBroadcast: boolean,
  ): Ipv4Path {
    const isGroup = isBroadcast || destination.isMulticast;
    const link = isGroup
      ? LinkHeader.toGroup(iface, destination, groupMac(destination.w3, isBroadcast), ETHERTYPE_IPV4)
      : LinkHeader.toNeighbor(iface, nextHop, ETHERTYPE_IPV4);
    const parts = { interface: iface, source, destination, link, isGroup, isBroadcast };
    return new Ipv4Path(parts, this.routes, this.#identifications, this.pmtus);
  }
}

const BROADCAST_MAC = new Uint8Array(6).fill(0xff);

/** RFC 1112 §6.4: 01:00:5e and the low 23 bits of the group. */
function groupMac(group: number, isBroadcast: boolean): Uint8Array {
  if (isBroadcast) return BROADCAST_MAC;
  return Uint8Array.of(0x01, 0x00, 0x5e, (group >>> 16) & 0x7f, (group >>> 8) & 0xff, group & 0xff);
}

function cacheSlot(source: number, destination: number): number {
  const h = Math.imul(destination ^ Math.imul(source, 0x85ebca6b), 0x9e3779b1);
  return (h ^ (h >>> 15)) & (CACHED_PATHS - 1);
}

function readPrefix(text: string): { address: IpAddress; length: number } {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new RangeError(`not an address with a prefix length: ${text}`);
  return prefix;
}
