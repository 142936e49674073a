/**
 * The DHCP clients as an embedder sees them: how they are started, and what they say of themselves. Types only.
 */

import type { IpAddress, IpFamily } from '../../base/index.ts';

/** How a client is started. */
export interface DhcpOptions {
  /** Default 4. Over IPv6 it is routers that say whether to ask, and for what; `family: 6` asks whatever they say. */
  readonly family?: IpFamily;
  /** Addresses too (the default), or only what else there is to know (RFC 8415 §6.1; over IPv4 DHCPINFORM, RFC 2131 §3.4). */
  readonly mode?: DhcpMode;
  /** Sent to IPv4 servers, many of which make a name of it (RFC 2132 §3.14). */
  readonly hostName?: string;
  /**
   * How an IPv4 server knows this host: by its hardware address, as Windows has it (the default where there is one), by the
   * same DUID as over IPv6 (RFC 4361), or as these bytes, option 61's.
   */
  readonly clientId?: 'hardware' | 'duid' | Uint8Array;
  /**
   * What RFC 8415 §11 calls the DUID. Default: one of the interface's hardware address, or where there is none a UUID drawn
   * from the stack's identity (see `StackOptions`), which then has to stay the same.
   */
  readonly duid?: Uint8Array;
  /** An IPv4 address that the host had before: it asks for it first (INIT-REBOOT). */
  readonly requestedAddress?: IpAddress;
  /** Asks IPv4 servers to broadcast their answers. Default: on links without hardware addresses. */
  readonly broadcast?: boolean;
  /** Whether a link-local IPv4 address is taken while no server answers (RFC 3927 §1.2). Default true. */
  readonly linkLocalFallback?: boolean;
  /** Over IPv6: whether two messages may do instead of four (RFC 8415 §18.2.1). Default true. */
  readonly rapidCommit?: boolean;
}

export type DhcpMode = 'stateful' | 'stateless';

/**
 * RFC 2131 Figure 5, and what it has no name for: `CHECKING`, where others are asked whether they have the address; `RELEASED`,
 * by the user, until the next renewal; `STOPPED`; of a client that asks for no address, `INFORMING` and `INFORMED`.
 */
export type DhcpV4State =
  | 'INIT'
  | 'SELECTING'
  | 'REQUESTING'
  | 'REBOOTING'
  | 'CHECKING'
  | 'BOUND'
  | 'RENEWING'
  | 'REBINDING'
  | 'RELEASING'
  | 'RELEASED'
  | 'INFORMING'
  | 'INFORMED'
  | 'STOPPED';

/** A route that a server gave (RFC 3442). */
export interface DhcpV4Route {
  readonly destination: IpAddress;
  readonly prefixLength: number;
  /** `null`: on the link. */
  readonly gateway: IpAddress | null;
}

/** What a server has granted, as a client of the same host can be told of it after a restart: see `Stack.recallDhcp`. */
export interface DhcpMemory {
  /** The DHCPACK or REPLY, as it came. Empty: nothing to be told. */
  readonly message: Uint8Array;
  /** Stack time from which lifetimes count; long ago: the address is asked for, but is not ours. */
  readonly obtainedAt: number;
  /** Who granted it. */
  readonly server: IpAddress;
}

/** What an IPv4 server tells besides an address. */
export interface DhcpV4Information {
  readonly server: IpAddress;
  /** Stack time, ms. */
  readonly obtainedAt: number;
  readonly dnsServers: readonly IpAddress[];
  /** Empty when the server gave none. */
  readonly domainName: string;
  readonly searchList: readonly string[];
  /** Known, and for others to use: this host sets no clock. */
  readonly ntpServers: readonly IpAddress[];
}

/** What an IPv4 server has granted. Times are stack time in ms; `Infinity`: never. */
export interface DhcpV4Lease extends DhcpMemory, DhcpV4Information {
  readonly address: IpAddress;
  readonly prefixLength: number;
  /** The server identifier. */
  readonly server: IpAddress;
  readonly obtainedAt: number;
  /** T1 and T2 (RFC 2131 §4.4.5), and the end. */
  readonly renewAt: number;
  readonly rebindAt: number;
  readonly expiresAt: number;
  readonly routers: readonly IpAddress[];
  /** Those count instead of `routers` when there are any. */
  readonly classlessRoutes: readonly DhcpV4Route[];
  /** 0: not given. */
  readonly interfaceMtu: number;
}

export interface DhcpV4Status {
  readonly mode: DhcpMode;
  readonly state: DhcpV4State;
  /** `null` while there is none. */
  readonly lease: DhcpV4Lease | null;
  /** What is asked for at the next start: the lease, also while it is not in use. */
  readonly remembered: DhcpV4Lease | null;
  /** With a lease, what it says; else what a server told. */
  readonly information: DhcpV4Information | null;
  /** Messages sent since the exchange under way began. */
  readonly attempts: number;
  /** Whether the interface may have a link-local address for want of a server. */
  readonly usesLinkLocal: boolean;
}

/** Named after the message that is being sent (RFC 8415 §18.2), or what came of it. */
export type DhcpV6State =
  | 'INIT'
  | 'SOLICIT'
  | 'REQUEST'
  | 'BOUND'
  | 'RENEW'
  | 'REBIND'
  | 'CONFIRM'
  | 'DECLINE'
  | 'RELEASE'
  | 'RELEASED'
  | 'INFORMATION-REQUEST'
  | 'INFORMED'
  | 'STOPPED';

/** An address that an IPv6 server has granted. */
export interface DhcpV6LeasedAddress {
  readonly address: IpAddress;
  readonly preferredUntil: number;
  readonly validUntil: number;
}

/** What an IPv6 server has granted or told. Times are stack time in ms; `Infinity`: never. */
export interface DhcpV6Lease extends DhcpMemory {
  /** The server's DUID. */
  readonly serverDuid: Uint8Array;
  readonly server: IpAddress;
  readonly addresses: readonly DhcpV6LeasedAddress[];
  readonly obtainedAt: number;
  readonly renewAt: number;
  readonly rebindAt: number;
  readonly expiresAt: number;
  readonly dnsServers: readonly IpAddress[];
  readonly searchList: readonly string[];
}

export interface DhcpV6Status {
  readonly state: DhcpV6State;
  readonly mode: DhcpMode;
  readonly clientDuid: Uint8Array;
  readonly iaid: number;
  readonly lease: DhcpV6Lease | null;
  /** What is asked for at the next start: the lease, also while it is not in use. */
  readonly remembered: DhcpV6Lease | null;
  readonly attempts: number;
}

/** The clients of an interface; `null` where none was started. */
export interface DhcpStatus {
  readonly v4: DhcpV4Status | null;
  readonly v6: DhcpV6Status | null;
}
