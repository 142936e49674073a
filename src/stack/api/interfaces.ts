/**
 * Interfaces, their addresses and neighbours, and how they are configured. Types and numbers only.
 */

import type { IpAddress, Medium } from '../../base/index.ts';
import type { SourceFilter } from './messages.ts';

export interface InterfaceOptions {
  readonly name: string;
  readonly mtu: number;
  readonly medium?: Medium;
  /** `OFFLOAD_*` bits of the link. */
  readonly offload?: number;
  /** Own hardware address; Ethernet only. */
  readonly mac?: Uint8Array;
  /** `10.0.0.2/24`, … */
  readonly addresses?: readonly string[];
  /** Whether its addresses are asked for before they are used, unless they say otherwise. Default: on an Ethernet, yes. */
  readonly detectDuplicates?: boolean;
  /** Most bytes of receive window that all connections over it may offer together; 0 = no bound. See performance.md. */
  readonly windowBudget?: number;
}

/** Where an address came from. */
export type AddressOrigin = 'manual' | 'dhcp' | 'linkLocal' | 'router' | 'temporary';

/**
 * What an address may be used for (RFC 4862 §2, RFC 5227): `tentative`, not yet, others are being asked whether they have it;
 * `preferred`; `deprecated`, by those who have it, not for new connections; `duplicate`, never: somebody else has it.
 */
export type AddressState = 'tentative' | 'preferred' | 'deprecated' | 'duplicate';

/** How an address is added. */
export interface AddressOptions {
  /** Default `manual`. */
  readonly origin?: AddressOrigin;
  /** Stack time at which it goes, and at which it becomes `deprecated`, ms. Default never. */
  readonly validUntil?: number;
  readonly preferredUntil?: number;
  /**
   * Whether to ask first whether somebody else has it (RFC 5227, RFC 4862 §5.4); until that is known it is `tentative`. Default as
   * the interface's.
   */
  readonly detectDuplicates?: boolean;
  /**
   * What to do about another station that uses an IPv4 address of ours (RFC 5227 §2.4): defend it `once` in 10 s and give it up when
   * that does not help, or `always` keep it. Default `once`.
   */
  readonly conflictDefense?: 'once' | 'always';
  /** Whether its prefix is on the link, so that a route to it comes and goes with the address. Default true. */
  readonly isOnLink?: boolean;
}

export interface AddressView {
  readonly address: IpAddress;
  readonly prefixLength: number;
  readonly origin: AddressOrigin;
  readonly state: AddressState;
  readonly validUntil: number;
  readonly preferredUntil: number;
}

/** A row of the policy table of address selection (RFC 6724 §2.1). */
export interface AddressPolicyRow {
  /** `2001:db8::/32`; an IPv4 one counts as v4-mapped. */
  readonly prefix: string;
  /** 0 … 65535; of two destinations the one with more is tried first. */
  readonly precedence: number;
  /** 0 … 65535; an address is best reached from one with the same label. */
  readonly label: number;
}

/** How an interface configures itself by what routers say (RFC 4862). */
export interface AutoconfOptions extends Ipv6Options {
  /** Whether temporary addresses are made too, for what the host begins (RFC 8981). Default true. */
  readonly temporaryAddresses?: boolean;
}

/** How an interface's own IPv6 addresses are made. */
export interface Ipv6Options {
  /** Opaque and stable (RFC 7217, the default), or with the hardware address in it (RFC 4291 appendix A). */
  readonly identifier?: 'opaque' | 'hardware';
}

/** What is known of a neighbour (RFC 4861 §7.3.2; `STALE` and the others serve ARP too). */
export interface NeighborView {
  readonly address: IpAddress;
  /** `null` while it is being asked for. */
  readonly mac: Uint8Array | null;
  readonly state: 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe';
  /** ms since it was last known to be there; `Infinity` when that never was. */
  readonly age: number;
  /** Set by hand. */
  readonly isStatic: boolean;
  readonly isRouter: boolean;
}

/** What an interface's network says about names: from DHCP, from routers (RFC 8106), or by hand. */
export interface NameConfiguration {
  readonly origin: 'manual' | 'dhcp' | 'dhcpv6' | 'router';
  /** In the order in which they are to be asked. */
  readonly servers: readonly IpAddress[];
  /** Domains that are appended to short names, in order. */
  readonly searchList: readonly string[];
}

/** What changed in the host's configuration; a set of bits. */
export const ConfigChange = {
  /** An address came, went or changed its state. */
  addresses: 1,
  routes: 2,
  /** An interface came, went, or was switched on or off. */
  interfaces: 4,
  /** A {@link NameConfiguration}. */
  names: 8,
  /** What a DHCP client would ask for after a restart. */
  leases: 16,
} as const;

/** An interface as the stack sees it. */
export interface InterfaceView {
  readonly index: number;
  readonly name: string;
  readonly mtu: number;
  readonly medium: Medium;
  readonly mac: Uint8Array | null;
  readonly addresses: readonly AddressView[];
  readonly names: readonly NameConfiguration[];
  readonly isUp: boolean;
  /** Added to the metric of each route over it, as Windows does. */
  readonly metric: number;
  readonly isForwarding: boolean;
  readonly weakHostSend: boolean;
  readonly weakHostReceive: boolean;
  readonly sendsRedirects: boolean;
  readonly acceptsRedirects: boolean;
  /** The built-in interface through which the host reaches itself. It has no link: `advance` moves its packets. */
  readonly isLoopback: boolean;
  readonly inPackets: number;
  readonly inBytes: number;
  readonly outPackets: number;
  readonly outBytes: number;
}

/** A group that an interface listens to. */
export interface GroupView extends SourceFilter {
  readonly interfaceIndex: number;
  readonly group: IpAddress;
  /** How many endpoints and protocols listen. */
  readonly members: number;
  /** Whether this host is the one that routers have heard of the group from last. */
  readonly isReporter: boolean;
  /** Version of the protocol that routers are told by, counted as IGMP's: MLDv1 is 2, MLDv2 is 3. */
  readonly version: 1 | 2 | 3;
}

/** What can be switched on an interface while it is there, under the words of `netsh interface ipv4 set interface`. */
export interface InterfaceSettings {
  /** Down, nothing is sent or taken, and its routes count for nothing. */
  readonly isUp?: boolean;
  /** 1 … 65535. Default 25; the loopback interface 75. */
  readonly metric?: number;
  /** What arrives here and is for somebody else is sent on (RFC 1812). Default off: a host does not (RFC 1122 §3.3.1.1). */
  readonly isForwarding?: boolean;
  /** Packets from this interface's addresses may leave by another one (RFC 1122 §3.3.4.2). Default off: the strong model. */
  readonly weakHostSend?: boolean;
  /** Packets to the addresses of other interfaces are taken here. Default off, and on where it forwards. */
  readonly weakHostReceive?: boolean;
  /**
   * TCP and UDP packets to any host are taken as if to ours, and those bound to foreign addresses are sent: for a gateway that
   * ends connections and goes on with others of its own. Default off.
   */
  readonly isTransparent?: boolean;
  /** Forwarding, hosts are told of a better first hop (RFC 1812 §5.2.7.2). Default on. */
  readonly sendsRedirects?: boolean;
  /** Not forwarding, such a message of a router is believed (RFC 1122 §3.2.2.2). Default on. */
  readonly acceptsRedirects?: boolean;
}
