/**
 * The control API's shapes of interfaces: addresses, what configures them, routes. Described in `control-api`.
 */

export interface InterfaceStatus {
  readonly index: number;
  readonly name: string;
  readonly medium: 'ip' | 'ethernet';
  readonly mtu: number;
  readonly mac: string | null;
  readonly isUp: boolean;
  /** `10.0.0.2/24` */
  readonly addresses: readonly string[];
  /** The same, with what else there is to say of each. */
  readonly addressDetails?: readonly AddressStatus[];
  /** The first of `gateways`. */
  readonly gateway: string | null;
  /** Default routers of both families, the best first. */
  readonly gateways?: readonly string[];
  readonly metric: number;
  readonly isForwarding: boolean;
  readonly weakHostSend: boolean;
  readonly weakHostReceive: boolean;
  readonly sendsRedirects: boolean;
  readonly acceptsRedirects: boolean;
  readonly isLoopback: boolean;
  /** Of all origins, in the order in which they are asked. */
  readonly dnsServers?: readonly string[];
  /** Domains that are appended to short names. */
  readonly searchList?: readonly string[];
  readonly inPackets: number;
  readonly inBytes: number;
  readonly outPackets: number;
  readonly outBytes: number;
}

/** An address of an interface. Dates are ISO 8601, `null`: never. */
export interface AddressStatus {
  readonly address: string;
  readonly prefixLength: number;
  readonly origin: string;
  readonly state: 'tentative' | 'preferred' | 'deprecated' | 'duplicate';
}

export interface DhcpRequest {
  /** Absent: all that have a client. */
  readonly interface?: string;
  /** Absent: both. */
  readonly family?: 4 | 6;
  /** How long to wait for servers. Default 30,000. */
  readonly timeoutMs?: number;
}

/** The DHCP clients of an interface. Dates are ISO 8601, `null`: never. */
export interface DhcpInterfaceStatus {
  readonly interface: string;
  readonly index: number;
  readonly v4: {
    /** RFC 2131's names; `CHECKING`: whether somebody else has the address. */
    readonly state: string;
    /** `stateless`: an address is there already, and only the rest is asked for (RFC 2131 §3.4). */
    readonly mode: 'stateful' | 'stateless';
    /** Who told the rest; `null` while nobody has, or there is a lease. */
    readonly informedBy: string | null;
    /** For want of a server the interface has a link-local address. */
    readonly usesLinkLocal: boolean;
    readonly attempts: number;
    readonly lease: DhcpV4LeaseStatus | null;
  } | null;
  readonly v6: {
    /** The message of RFC 8415 that is being sent, or what came of it. */
    readonly state: string;
    readonly mode: 'stateful' | 'stateless';
    /** Hex. */
    readonly duid: string;
    readonly iaid: number;
    readonly attempts: number;
    readonly lease: DhcpV6LeaseStatus | null;
  } | null;
}

export interface DhcpV4LeaseStatus {
  /** `10.0.0.2/24` */
  readonly address: string;
  readonly server: string;
  readonly obtained: string;
  readonly renews: string | null;
  readonly rebinds: string | null;
  readonly expires: string | null;
  readonly routers: readonly string[];
  /** Classless routes, which count instead of routers. */
  readonly routes: readonly { readonly destination: string; readonly gateway: string | null }[];
  readonly dnsServers: readonly string[];
  readonly domainName: string;
  readonly searchList: readonly string[];
  readonly ntpServers: readonly string[];
  /** 0: not given. */
  readonly mtu: number;
}

export interface DhcpV6LeaseStatus {
  readonly addresses: readonly {
    readonly address: string;
    readonly preferredUntil: string | null;
    readonly validUntil: string | null;
  }[];
  readonly server: string;
  /** Hex. */
  readonly serverDuid: string;
  readonly obtained: string;
  readonly renews: string | null;
  readonly rebinds: string | null;
  readonly expires: string | null;
  readonly dnsServers: readonly string[];
  readonly searchList: readonly string[];
}

export interface RouteStatus {
  /** `0.0.0.0/0` */
  readonly destination: string;
  readonly gateway: string | null;
  readonly interface: string;
  readonly interfaceIndex: number;
  /** The sum of the route's and its interface's, which is what counts. */
  readonly metric: number;
  readonly origin: 'manual' | 'connected' | 'dhcp' | 'router' | 'redirect';
  /** Seconds until it goes; `null`: never. */
  readonly lifetimeSec: number | null;
  /** Its gateway does not answer: others to the same destination come first, until it does. */
  readonly isSilent: boolean;
}

/** A route that is to be added, or removed. */
export interface RouteRequest {
  /** `10.0.0.0/8`; the default route is `0.0.0.0/0` or `::/0`. */
  readonly destination: string;
  /** Absent: on the link. To remove: any. */
  readonly gateway?: string;
  /** Index or name; absent: the one by which the gateway is reached. To remove: any. */
  readonly interface?: number | string;
  /** Its own; the interface's is added. Default 1. */
  readonly metric?: number;
}

/** A row of the policy table of address selection (RFC 6724 §2.1). */
export interface PrefixPolicy {
  /** `fd00::/8`; an IPv4 one counts as v4-mapped. */
  readonly prefix: string;
  /** 0 … 65535; of two destinations the one with more is tried first. */
  readonly precedence: number;
  /** 0 … 65535; an address is best reached from one with the same label. */
  readonly label: number;
}

/** What is switched on an interface; what is absent stays. */
export interface InterfaceRequest {
  readonly isUp?: boolean;
  readonly metric?: number;
  readonly isForwarding?: boolean;
  readonly weakHostSend?: boolean;
  readonly weakHostReceive?: boolean;
  readonly sendsRedirects?: boolean;
  readonly acceptsRedirects?: boolean;
}
