/**
 * The IPv4 way to a peer: all that does not change from packet to packet, decided once.
 */

import type { IpAddress } from '../../base/index.ts';
import {
  IPV4_DONT_FRAGMENT,
  IPV4_HEADER_LEN,
  IPV4_MORE_FRAGMENTS,
  pseudoHeaderSumV4,
  writeIpv4,
} from '../../wire/index.ts';
import type { Path } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import type { LinkHeader } from '../link-header.ts';
import type { PmtuCache } from '../pmtu-cache.ts';
import type { RouteTable } from '../route/table.ts';
import type { Identifications } from './identification.ts';

/** TTL of unicast packets that ask for none (RFC 1700), and of multicast ones (RFC 1112 §6.1). */
export const DEFAULT_TTL = 64;
const DEFAULT_MULTICAST_TTL = 1;
/**
 * Packets are not made smaller than this because of what ICMP says: a forged message would make us send mostly headers. Routers
 * may cut them further.
 */
export const LEAST_PATH_MTU = 552;

/** What a path is made of. */
export interface PathParts {
  readonly interface: NetworkInterface;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly link: LinkHeader;
  readonly isGroup: boolean;
  readonly isBroadcast: boolean;
}

export class Ipv4Path implements Path {
  readonly interfaceIndex: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly linkMtu: number;
  readonly headerLength: number;
  readonly ipHeaderLength = IPV4_HEADER_LEN;
  readonly fragmentHeaderLength: number;
  readonly offload: number;
  readonly isGroup: boolean;
  /** To 255.255.255.255 or a subnet's broadcast address. */
  readonly isBroadcast: boolean;
  readonly #link: LinkHeader;
  readonly #defaultTtl: number;
  readonly #addressSum: number;
  readonly #identifications: Identifications;
  readonly #counter: number;
  readonly #routes: RouteTable;
  readonly #generation: number;
  readonly #pmtus: PmtuCache;
  #pmtuGeneration = 0;
  #mtu: number;
  #discoveredMtu: number;

  constructor(parts: PathParts, routes: RouteTable, identifications: Identifications, pmtus: PmtuCache) {
    const { source, destination } = parts;
    const link = parts.interface;
    this.interfaceIndex = link.index;
    this.source = source;
    this.destination = destination;
    this.linkMtu = link.mtu;
    this.#mtu = link.mtu;
    this.#discoveredMtu = link.mtu;
    this.#pmtus = pmtus;
    this.#link = parts.link;
    this.headerLength = parts.link.length + IPV4_HEADER_LEN;
    this.fragmentHeaderLength = this.headerLength;
    this.offload = link.offload;
    this.isGroup = parts.isGroup;
    this.isBroadcast = parts.isBroadcast;
    this.#defaultTtl = parts.isGroup && !parts.isBroadcast ? DEFAULT_MULTICAST_TTL : DEFAULT_TTL;
    this.#addressSum = pseudoHeaderSumV4(source.w3, destination.w3, 0, 0);
    this.#identifications = identifications;
    this.#counter = identifications.counterOf(source.w3, destination.w3);
    this.#routes = routes;
    this.#generation = routes.generation;
  }

  get isValid(): boolean {
    return this.#generation === this.#routes.generation;
  }

  get mtu(): number {
    if (this.#pmtuGeneration !== this.#pmtus.generation) this.#lookUpMtu();
    return this.#mtu;
  }

  get discoveredMtu(): number {
    if (this.#pmtuGeneration !== this.#pmtus.generation) this.#lookUpMtu();
    return this.#discoveredMtu;
  }

  confirm(now: number): void {
    this.#link.confirm(now);
  }

  doubt(now: number): void {
    this.#link.doubt(now);
  }

  get nextHop(): IpAddress | null {
    return this.#link.nextHop;
  }

  get nextHopSince(): number {
    return this.#link.nextHopSince;
  }

  pseudoHeaderSum(protocol: number): number {
    return this.#addressSum + protocol;
  }

  flowLabel(): number {
    return 0;
  }

  nextIdentification(): number {
    return this.#identifications.next(this.#counter);
  }

  writeHeader(
    into: Uint8Array,
    at: number,
    protocol: number,
    transportLength: number,
    ttl: number,
    trafficClass: number,
    dontFragment: boolean,
    _flowLabel: number,
  ): number {
    return writeIpv4(
      into,
      this.#link.write(into, at),
      trafficClass,
      IPV4_HEADER_LEN + transportLength,
      // Also of packets that may not be fragmented: some middleboxes clear DF (RFC 6864 §4.1 allows any value).
      this.#identifications.next(this.#counter),
      dontFragment ? IPV4_DONT_FRAGMENT : 0,
      ttl === 0 ? this.#defaultTtl : ttl,
      protocol,
      this.source.w3,
      this.destination.w3,
    );
  }

  writeFragment(
    into: Uint8Array,
    at: number,
    protocol: number,
    identification: number,
    offset: number,
    length: number,
    isLast: boolean,
    ttl: number,
    trafficClass: number,
    _flowLabel: number,
  ): number {
    return writeIpv4(
      into,
      this.#link.write(into, at),
      trafficClass,
      IPV4_HEADER_LEN + length,
      identification,
      (offset >> 3) | (isLast ? 0 : IPV4_MORE_FRAGMENTS),
      ttl === 0 ? this.#defaultTtl : ttl,
      protocol,
      this.source.w3,
      this.destination.w3,
    );
  }

  #lookUpMtu(): void {
    this.#pmtuGeneration = this.#pmtus.generation;
    const { linkMtu } = this;
    this.#discoveredMtu = Math.min(linkMtu, this.#pmtus.lookup(this.destination, this.interfaceIndex));
    this.#mtu = Math.min(linkMtu, Math.max(LEAST_PATH_MTU, this.#discoveredMtu));
  }
}
