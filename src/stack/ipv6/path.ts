/**
 * The IPv6 way to a peer: all that does not change from packet to packet, decided once.
 */

import type { IpAddress } from '../../base/index.ts';
import {
  IPV6_FRAGMENT,
  IPV6_FRAGMENT_HEADER_LEN,
  IPV6_HEADER_LEN,
  pseudoHeaderSumV6,
  writeIpv6,
  writeIpv6Fragment,
} from '../../wire/index.ts';
import type { Path } from '../host.ts';
import type { NetworkInterface } from '../interface.ts';
import { LEAST_MTU_V6 } from '../ip/too-big.ts';
import type { LinkHeader } from '../link-header.ts';
import type { PmtuCache } from '../pmtu-cache.ts';
import type { RouteTable } from '../route/table.ts';
import { flowLabel } from './flow-label.ts';
import type { FragmentIds } from './fragment-ids.ts';

/** Hop limit of multicast packets that ask for none (RFC 3493 §5.2). */
const DEFAULT_MULTICAST_HOPS = 1;

/** What a path is made of. */
export interface Ipv6PathParts {
  readonly interface: NetworkInterface;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly link: LinkHeader;
  /** What flow labels are made with. */
  readonly secret: Uint8Array;
}

export class Ipv6Path implements Path {
  readonly interfaceIndex: number;
  readonly source: IpAddress;
  readonly destination: IpAddress;
  readonly linkMtu: number;
  readonly headerLength: number;
  readonly ipHeaderLength = IPV6_HEADER_LEN;
  readonly fragmentHeaderLength: number;
  readonly offload: number;
  readonly isGroup: boolean;
  /** There is none (RFC 4291 §2). */
  readonly isBroadcast = false;
  readonly #link: LinkHeader;
  readonly #defaultHops: number;
  readonly #addressSum: number;
  readonly #secret: Uint8Array;
  /** Of what has no ports. */
  readonly #plainLabel: number;
  /** The label that was asked for last, with its protocol and ports. */
  #label = 0;
  #labelProtocol = -1;
  #labelPorts = 0;
  readonly #ids: FragmentIds;
  readonly #routes: RouteTable;
  readonly #generation: number;
  readonly #pmtus: PmtuCache;
  #pmtuGeneration = 0;
  #mtu: number;

  constructor(parts: Ipv6PathParts, routes: RouteTable, ids: FragmentIds, pmtus: PmtuCache) {
    const { source: s, destination: d } = parts;
    const link = parts.interface;
    this.interfaceIndex = link.index;
    this.source = s;
    this.destination = d;
    // What DHCPv4 says of the MTU may be less than IPv6 needs: it is IPv4's then (RFC 2132 §5.1, RFC 8200 §5).
    this.linkMtu = Math.min(link.mtuV6, Math.max(LEAST_MTU_V6, link.mtu));
    this.#mtu = this.linkMtu;
    this.#pmtus = pmtus;
    this.#link = parts.link;
    this.headerLength = parts.link.length + IPV6_HEADER_LEN;
    this.fragmentHeaderLength = this.headerLength + IPV6_FRAGMENT_HEADER_LEN;
    this.offload = link.offload;
    this.isGroup = d.isMulticast;
    this.#defaultHops = this.isGroup ? DEFAULT_MULTICAST_HOPS : link.hopLimit;
    this.#addressSum = pseudoHeaderSumV6(s.w0, s.w1, s.w2, s.w3, d.w0, d.w1, d.w2, d.w3, 0, 0);
    this.#secret = parts.secret;
    this.#plainLabel = flowLabel(parts.secret, s, d, 0, 0, 0);
    this.#ids = ids;
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

  /** Never below `mtu`: no router cuts IPv6 packets, and every link carries 1280 bytes (RFC 8200 §5). */
  get discoveredMtu(): number {
    return this.mtu;
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

  flowLabel(protocol: number, sourcePort: number, destinationPort: number): number {
    const ports = (sourcePort << 16) | destinationPort;
    if (protocol !== this.#labelProtocol || ports !== this.#labelPorts) {
      const { source, destination } = this;
      this.#label = flowLabel(this.#secret, source, destination, protocol, sourcePort, destinationPort);
      this.#labelProtocol = protocol;
      this.#labelPorts = ports;
    }
    return this.#label;
  }

  nextIdentification(): number {
    return this.#ids.next(this.source, this.destination);
  }

  writeHeader(
    into: Uint8Array,
    at: number,
    protocol: number,
    transportLength: number,
    ttl: number,
    trafficClass: number,
    _dontFragment: boolean,
    flowLabel: number,
  ): number {
    const hops = ttl === 0 ? this.#defaultHops : ttl;
    const ipAt = this.#link.write(into, at);
    const { source, destination } = this;
    const label = flowLabel === 0 ? this.#plainLabel : flowLabel;
    return writeIpv6(into, ipAt, trafficClass, label, transportLength, protocol, hops, source, destination);
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
    flowLabel: number,
  ): number {
    const hops = ttl === 0 ? this.#defaultHops : ttl;
    const ipAt = this.#link.write(into, at);
    const { source, destination } = this;
    const fragmentAt = writeIpv6(
      into,
      ipAt,
      trafficClass,
      flowLabel === 0 ? this.#plainLabel : flowLabel,
      IPV6_FRAGMENT_HEADER_LEN + length,
      IPV6_FRAGMENT,
      hops,
      source,
      destination,
    );
    return writeIpv6Fragment(into, fragmentAt, protocol, offset, !isLast, identification);
  }

  /** RFC 8201 §4: below 1280 bytes nothing is believed; packets of that size are sent whatever a router says. */
  #lookUpMtu(): void {
    this.#pmtuGeneration = this.#pmtus.generation;
    const discovered = this.#pmtus.lookup(this.destination, this.interfaceIndex);
    this.#mtu = Math.min(this.linkMtu, Math.max(LEAST_MTU_V6, discovered));
  }
}
