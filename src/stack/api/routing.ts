/**
 * Routes, the rules that choose among them, and the translator of addresses. Types only.
 */

import type { IpAddress } from '../../base/index.ts';

/** A rule of policy routing: packets that it fits look into its table before the main one. */
export interface PolicyRule {
  /** Prefix of the packet's source; absent: any, also one that is still to be chosen. */
  readonly source?: string;
  /** The interface that the packet arrived on; absent: any, and packets of our own. */
  readonly interfaceIndex?: number;
  readonly table: number;
}

/**
 * Whose packets come in through a mapping of the translator (RFC 4787 §5): anybody's; those of hosts, or of ports of hosts, that
 * the host inside has sent to.
 */
export type NatFiltering = 'endpointIndependent' | 'addressDependent' | 'addressAndPortDependent';

/** A port outside that leads to a host inside for good. */
export interface NatPortMap {
  readonly protocol: 'tcp' | 'udp';
  readonly outsidePort: number;
  readonly insideAddress: string;
  readonly insidePort: number;
}

/**
 * Network address and port translation of IPv4 (RFC 4787, 5382, 5508): what is passed on by one interface leaves from its address.
 * Mapping is endpoint-independent, ports are kept where they are free, and hosts inside reach each other by the outside address.
 */
export interface NatOptions {
  /** The interface to the outside; its first address is what the others are translated to. */
  readonly interfaceIndex: number;
  /** Default `addressDependent`, as RFC 4787 REQ-8 has it where more than transparency counts. */
  readonly filtering?: NatFiltering;
  readonly portMaps?: readonly NatPortMap[];
  /** Most mappings, in all and for each host inside. Default 16384 and 2048. */
  readonly maxMappings?: number;
  readonly maxMappingsPerHost?: number;
}

/** How the translator is set. */
export interface NatView {
  /** The interface to the outside. */
  readonly interfaceIndex: number;
  readonly filtering: NatFiltering;
}

/** A mapping of the translator. */
export interface NatMappingView {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly insideAddress: IpAddress;
  /** Or an echo message's identifier. */
  readonly insidePort: number;
  readonly outsidePort: number;
  readonly isStatic: boolean;
  /** Peers outside. */
  readonly sessions: number;
}

/** Where a route came from; `connected`: with an address. */
export type RouteOrigin = 'manual' | 'connected' | 'dhcp' | 'router' | 'redirect';

export interface RouteOptions {
  /** `0.0.0.0/0` is the default route. */
  readonly destination: string;
  readonly gateway?: string;
  readonly interfaceIndex: number;
  /** Its own, to which the interface's is added. Default 256. */
  readonly metric?: number;
  /** Default `manual`. */
  readonly origin?: RouteOrigin;
  /** Stack time at which it goes, ms. Default never. */
  readonly validUntil?: number;
  /** The table that it stands in; default 0, the main one. See {@link PolicyRule}. */
  readonly table?: number;
}

export interface RouteView {
  readonly destination: IpAddress;
  readonly prefixLength: number;
  readonly gateway: IpAddress | null;
  readonly interfaceIndex: number;
  /** Its own; what decides is the sum with the interface's. */
  readonly metric: number;
  readonly origin: RouteOrigin;
  readonly validUntil: number;
  readonly table: number;
  /** Its gateway does not answer: it comes after all others to the same destination (RFC 1122 §3.3.1.5). */
  readonly isSilent: boolean;
}
