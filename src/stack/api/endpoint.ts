/**
 * What all endpoints share: errors, events, and the options of their packets. Types and numbers only.
 */

import type { IpAddress } from '../../base/index.ts';

/** Why a call on an endpoint failed: small negative integers, so that results and errors share one return value. */
export const StackError = {
  /** Nothing to read, or no room to write, now. */
  wouldBlock: -1,
  /** The call is not legal in this state. */
  invalid: -2,
  notConnected: -3,
  alreadyConnected: -4,
  /** A connect is under way. */
  inProgress: -5,
  /** Address and port are taken. */
  addressInUse: -6,
  /** No interface has that address. */
  addressNotAvailable: -7,
  /** A sharing rule forbids it: the other side claimed the port for itself. */
  accessDenied: -8,
  networkUnreachable: -9,
  hostUnreachable: -10,
  connectionRefused: -11,
  connectionReset: -12,
  /** We gave up: no answer from the peer. */
  timedOut: -13,
  /** Ended by this side before it was done. */
  connectionAborted: -14,
  /** The message does not fit into a packet or into the limit. */
  messageTooLong: -15,
  /** No memory within the bound, or no port left. */
  noBuffers: -16,
  /** This direction has been shut down. */
  shutDown: -17,
  /** No datagram destination. */
  destinationRequired: -18,
  /** A broadcast destination without the option that allows it. */
  broadcastDenied: -19,
  /** Keep-alive found the peer gone, or a datagram's TTL ran out on the way. */
  networkReset: -20,
  /** The family, protocol or operation does not exist here. */
  notSupported: -21,
  /** The interface is down or was removed. */
  networkDown: -22,
} as const;
export type StackError = (typeof StackError)[keyof typeof StackError];

/** What happened on an endpoint since the last `flushEvents`; a set of bits. */
export const EndpointEvent = {
  /** Bytes, a datagram, or the end of the stream can be read. */
  readable: 1,
  /** There is room again after a write fell short, or a connection opened. */
  writable: 2,
  /** A connect finished well. */
  connected: 4,
  /** A connection waits for `accept`. */
  acceptable: 8,
  /** The peer sent FIN; bytes before it may still be unread. */
  peerClosed: 16,
  /** The connection failed: `error` says how. Also a connect that failed. */
  failed: 32,
  /** The peer has announced urgent data (RFC 6093), or an urgent byte has arrived. */
  urgent: 64,
  /** Everything sent was acknowledged, FIN included; nothing more will happen. */
  closed: 128,
  /** The send buffer became empty: all bytes were acknowledged. */
  drained: 256,
  /** `idealSendBacklog` has changed. */
  backlogChanged: 512,
  /** With `conditionalAccept`, a SYN waits for a decision: see `nextRequest`. */
  requested: 1024,
} as const;

export type EndpointKind = 'tcp' | 'udp' | 'icmp' | 'raw';

/** What all endpoints share. */
export interface Endpoint {
  readonly kind: EndpointKind;
  /** Unique in the stack, never reused. */
  readonly id: number;
  /** The embedder's own; the stack does not look at it. */
  context: unknown;
  readonly localAddress: IpAddress;
  /** 0 when not bound. */
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  /** Ends it: TCP in good order (what is queued is still sent), others at once. The endpoint must not be used after. */
  close(): void;
}

/** How a port may be shared, as Winsock's bind matrix distinguishes it (SEM-BIND-*). */
export type PortSharing = 'none' | 'reuse' | 'exclusive';

/** Ports that are kept for who holds this: nobody else is given one of them, or gets it by asking (IOC-SIO_PORT_RESERVATION). */
export interface PortReservation {
  readonly first: number;
  readonly count: number;
  /** Ends it; who has bound one of the ports keeps that. */
  release(): void;
}

export interface BindOptions {
  readonly sharing?: PortSharing;
  /** Whose it is (a user id): sharing between owners is stricter. */
  readonly owner?: number;
  /** The address need not be ours: for who answers in the name of others, see `InterfaceSettings.isTransparent`. */
  readonly isForeign?: boolean;
  /** With port 0: all ports that nobody else has, rather than one of them. For listeners, and to receive datagrams. */
  readonly allPorts?: boolean;
  /** Whose ports may be bound; with port 0 it is one of them. */
  readonly reservation?: PortReservation;
}

/**
 * What an endpoint makes of the path's MTU (Winsock's PMTUD_STATE): `do` sets DF and sends nothing larger; `dont` clears DF;
 * `probe` sets DF and sends up to the link's MTU whatever was found; `system` leaves it to `dontFragment`.
 */
export type MtuDiscovery = 'system' | 'do' | 'dont' | 'probe';

/** Options that every endpoint's packets carry. */
export interface PacketOptions {
  /** IPv4 TTL / IPv6 hop limit; 0 = the stack's default. */
  ttl: number;
  /** DSCP and ECN bits (RFC 2474): the whole former TOS byte. */
  trafficClass: number;
  /** Don't fragment. TCP sets it by itself. */
  dontFragment: boolean;
  /** OPT-IP_MTU_DISCOVER. For TCP `dont` clears DF, and the others set it. */
  mtuDiscovery: MtuDiscovery;
  /** Largest IP packet of this endpoint (OPT-IP_USER_MTU), when the path's MTU is not less; 0: no bound. */
  userMtu: number;
  /** What is known of the path to the peer (OPT-IP_MTU), bytes of an IP packet; 0 without a peer or a route. */
  readonly pathMtu: number;
}

/** By which interfaces an endpoint speaks. */
export interface InterfaceChoice {
  /**
   * Index of the interface by which packets to single hosts leave (OPT-IP_UNICAST_IF); 0: the route's. Of a connection it decides
   * when that begins.
   */
  unicastInterface: number;
  /** Indices of the interfaces by which packets are taken (OPT-IP_IFLIST); `null`: by all. */
  interfaces: ReadonlySet<number> | null;
}

/** What an endpoint of IPv6 makes of IPv4 (RFC 3493 §3.7, §5.3; IPV6_V6ONLY). */
export interface DualStackOptions {
  /**
   * Only IPv6, as Winsock has it at first. Else it takes and reaches IPv4 too, whose addresses it names as v4-mapped ones
   * (`::ffff:10.0.0.1`), and `::` is both families' any-address. To be set before `bind` and `connect`; of endpoints of IPv4
   * it means nothing.
   */
  v6Only: boolean;
}
