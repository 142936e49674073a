/**
 * Endpoints of whole messages: UDP, echo requests, raw IP; and their memberships in groups. Types, and what `receive` fills.
 */

import { IpAddress, type IpFamily } from '../../base/index.ts';
import type { BindOptions, DualStackOptions, Endpoint, InterfaceChoice, PacketOptions } from './endpoint.ts';

/** What came with a datagram: filled by `receive`, reused by the caller. */
export interface DatagramInfo {
  source: IpAddress;
  sourcePort: number;
  destination: IpAddress;
  /** Of UDP: the port that it was sent to, for who has bound all. */
  destinationPort: number;
  interfaceIndex: number;
  ttl: number;
  trafficClass: number;
  /** Of several datagrams that were merged (`UdpEndpoint.coalescedSize`): the length of each but the last; 0 when it is one. */
  segmentSize: number;
  /** Stack time of its arrival, when {@link MessageEndpoint.stampsArrivals} was set; else negative. */
  arrivedAt: number;
  /** It was sent to a group of hosts: a broadcast, or a multicast when `destination` is one. */
  isGroup: boolean;
  /** The datagram's whole length, which may be more than was copied. */
  length: number;
}

/** An object for `receive` to fill. */
export function createDatagramInfo(): DatagramInfo {
  return {
    source: IpAddress.anyV4,
    sourcePort: 0,
    destination: IpAddress.anyV4,
    destinationPort: 0,
    interfaceIndex: 0,
    ttl: 0,
    trafficClass: 0,
    segmentSize: 0,
    // Negative and not whole: it stays a double.
    arrivedAt: -0.5,
    isGroup: false,
    length: 0,
  };
}

/** From whom datagrams of a group are wanted: only from these sources, or from all but these (RFC 3376 §2). */
export interface SourceFilter {
  readonly mode: 'include' | 'exclude';
  readonly sources: readonly IpAddress[];
}

/** On which interface: by index, or (IPv4) by an address of it; with neither, the one to which the route leads. */
export interface GroupInterface {
  readonly interfaceIndex?: number;
  readonly interfaceAddress?: IpAddress;
}

/** Memberships of an endpoint in groups, each by itself on an interface. The errors are those of RFC 3678 §4.1.3. */
export interface GroupMemberships {
  /**
   * Joins `group`, from all sources or, with `source`, from this one, which may be repeated with others (RFC 3678 §4.1.1).
   * @returns 0; `invalid` when it is no group, is joined already the other way, or is joined from all sources although it is for
   *   single ones (RFC 4604 §2.1); `addressNotAvailable` without such an interface, and when it has this source already
   */
  joinGroup(group: IpAddress, on?: GroupInterface, source?: IpAddress): number;
  /** Leaves it, or drops one source. @returns 0; `addressNotAvailable` when it was not joined, or not from there */
  leaveGroup(group: IpAddress, on?: GroupInterface, source?: IpAddress): number;
  /** Of a group that is joined from all sources: hears this one no more, or again. */
  blockSource(group: IpAddress, source: IpAddress, on?: GroupInterface): number;
  unblockSource(group: IpAddress, source: IpAddress, on?: GroupInterface): number;
  /** Sets the whole filter; INCLUDE of nothing leaves (RFC 3678 §4.2). */
  setSourceFilter(group: IpAddress, filter: SourceFilter, on?: GroupInterface): number;
  /** The filter; of a group that is not joined, INCLUDE of nothing. */
  getSourceFilter(group: IpAddress, on?: GroupInterface): SourceFilter;
}

/** An endpoint of whole messages. */
export interface MessageEndpoint extends Endpoint, PacketOptions, InterfaceChoice, GroupMemberships {
  bind(address: IpAddress, port: number, options?: BindOptions): number;
  /**
   * Sets the default destination and filters what arrives, also of what waits to be received (SEM-CONN-13); may be repeated. The
   * any-address undoes it.
   */
  connect(address: IpAddress, port: number): number;
  /** Takes the oldest message. @returns the bytes copied, `wouldBlock`, or an error that ICMP reported (taken once). */
  receive(into: Uint8Array, at: number, length: number, info: DatagramInfo, peek?: boolean): number;
  /** Length of the next message, -1 when there is none. */
  readonly nextLength: number;
  /** Bytes of all messages waiting. */
  readonly queuedBytes: number;
  /** The `StackError` that ICMP reported and the next `receive` will answer; 0 when there is none. */
  readonly pendingError: number;
  /** Sends a message to `address` (or, when `null`, to the connected peer). @returns `length` or an error. */
  send(from: Uint8Array, at: number, length: number, address: IpAddress | null, port: number): number;
  broadcast: boolean;
  /** Whether broadcasts are taken (OPT-IP_RECEIVE_BROADCAST). Default true. */
  receivesBroadcast: boolean;
  /** IPv4 options that messages carry, padded (OPT-IP_OPTIONS). */
  readonly ipOptions: Uint8Array;
  /** Copies them. @returns 0, or `invalid`: malformed, more than 40 bytes, or a source route, which is not sent */
  setIpOptions(options: Uint8Array): number;
  /** Where messages leave from in place of the bound address, when it is ours (`in_pktinfo`); `null` at first. */
  source: IpAddress | null;
  /** Bound of what waits unread, in bytes; a newer message past it is dropped. */
  receiveBufferSize: number;
  /** A message past that bound drops the oldest ones rather than itself (IOC-SIO_ENABLE_CIRCULAR_QUEUEING). */
  dropsOldest: boolean;
  /** The time of arrival of messages is kept from now on. */
  stampsArrivals: boolean;
  /** Bound of what waits to leave. */
  sendBufferSize: number;
  /** Whether ICMP port-unreachable fails the next receive (SEM-IO-12), and TTL expiry (SEM-IO-13). */
  reportsPortUnreachable: boolean;
  reportsTtlExpired: boolean;
  /** Index of the interface by which datagrams to groups leave; 0: that of the bound address, or of the route. */
  multicastInterface: number;
  /** TTL or hop limit of datagrams to groups; with 0 they do not leave the host. Default 1 (RFC 1112 §6.1). */
  multicastTtl: number;
  /**
   * Whether this endpoint gets datagrams that the host itself has sent to groups that it is a member of: as Windows has it, the
   * receiver says so (SEM-MP-05). Default true.
   */
  multicastLoop: boolean;
}

/** What ICMP said of a datagram that an endpoint sent: filled by `IcmpErrorQueue.take`, reused by the caller. */
export interface QueuedIcmpError {
  /** Of the datagram, and so of the ICMP that spoke of it. */
  family: IpFamily;
  /** Where the datagram was sent. */
  destination: IpAddress;
  destinationPort: number;
  type: number;
  code: number;
  /** What a router said of its next hop when the packet was too big for it; else 0. */
  mtu: number;
  /** Length of the datagram's payload as far as ICMP quoted it, which may be more than was copied. */
  length: number;
}

/** An object for `take` to fill. */
export function createQueuedIcmpError(): QueuedIcmpError {
  return { family: 4, destination: IpAddress.anyV4, destinationPort: 0, type: 0, code: 0, mtu: 0, length: 0 };
}

/**
 * ICMP errors about what an endpoint sent, oldest first, at most 64 of them: a newer one is dropped. One that says a packet was too
 * big is only queued when it is believed (RFC 5927 §7.2). They are queued besides what `MessageEndpoint.pendingError` tells.
 */
export interface IcmpErrorQueue {
  /** Whether errors about packets of either family are queued. At first they are not; switching one off drops all that wait. */
  takesV4: boolean;
  takesV6: boolean;
  /** How many wait. */
  readonly count: number;
  /** Takes the oldest, or looks at it. @returns the bytes of the datagram's payload copied, -1 when there is none */
  take(into: Uint8Array, at: number, length: number, report: QueuedIcmpError, isPeek: boolean): number;
}

export interface UdpEndpoint extends MessageEndpoint, DualStackOptions {
  readonly kind: 'udp';
  /** Datagrams leave without a checksum: for tunnels whose payload has one of its own (RFC 768; over IPv6, RFC 6935 §5). */
  sendsZeroChecksum: boolean;
  /** Over IPv6, datagrams without a checksum are taken (RFC 6935 §5); over IPv4 they always are. */
  takesZeroChecksum: boolean;
  /** Takes datagrams to multicast groups only (OPT-SO_REUSE_MULTICASTPORT). To be set before `bind`. */
  multicastOnly: boolean;
  /** A longer message is cut into datagrams with so many bytes of payload (OPT-UDP_SEND_MSG_SIZE); 0: never. */
  segmentSize: number;
  /**
   * Datagrams that the link merged are received together up to so many bytes, and `DatagramInfo.segmentSize` says where they
   * are joined (OPT-UDP_RECV_MAX_COALESCED_SIZE); 0: one by one.
   */
  coalescedSize: number;
  readonly errors: IcmpErrorQueue;
}

/** Echo requests and their replies, without a raw socket: what `ping` uses. The "port" is the identifier. */
export interface IcmpEndpoint extends Endpoint, PacketOptions {
  readonly kind: 'icmp';
  /** Where requests leave from, when it is ours; `null` at first: chosen by the destination. */
  source: IpAddress | null;
  /** Sends an echo request. @returns 0 or an error. */
  sendEcho(address: IpAddress, sequence: number, payload: Uint8Array): number;
  /** As of a {@link MessageEndpoint}. */
  readonly ipOptions: Uint8Array;
  setIpOptions(options: Uint8Array): number;
  /** The oldest reply or ICMP error about a request of this endpoint, or `null`. */
  takeReply(): EchoReply | null;
}

export interface EchoReply {
  readonly source: IpAddress;
  readonly sequence: number;
  readonly ttl: number;
  /** ICMP type and code: 0/0 for a reply, else the error that came back. */
  readonly type: number;
  readonly code: number;
  readonly payload: Uint8Array;
  /** IPv4 options of the reply: a record route, timestamps. */
  readonly options: Uint8Array;
  /** When it arrived, stack time. */
  readonly at: number;
}

/**
 * What a raw endpoint sees besides what is for it (SIO_RCVALL and its kin): of the interface that it is bound to, what arrives,
 * whoever it is for, and what leaves.
 * - `promiscuous`: all, also frames to other stations (RCVALL_ON);
 * - `received`: what the link passes up (RCVALL_IPLEVEL);
 * - `multicast`: what is for any group (SIO_RCVALL_MCAST); `groupReports`: of it IGMP's (SIO_RCVALL_IGMPMCAST).
 */
export type RawTap = 'off' | 'promiscuous' | 'received' | 'multicast' | 'groupReports';

/**
 * Whole IP payloads of one protocol. What arrives starts with the IPv4 header (RAW-03), or behind IPv6's (RAW-04); "port" is
 * unused. Protocol 0 gets every protocol's packets, and sends only with headers of its own.
 */
export interface RawEndpoint extends MessageEndpoint {
  readonly kind: 'raw';
  readonly protocol: number;
  /** The caller writes the IP header itself (IP_HDRINCL). */
  headerIncluded: boolean;
  /**
   * Where the checksum is in what is sent and received over IPv6, which it then computes and verifies (RFC 3542 §3.1); -1: nowhere.
   * Of ICMPv6 it is 2, and stays.
   */
  checksumOffset: number;
  /** Takes packets of its protocol with the router alert option that are not for us (SIO_ABSORB_RTRALERT). */
  absorbsRouterAlert: boolean;
  readonly tap: RawTap;
  /**
   * @param interfaceIndex the interface; 0: that of the bound address
   * @returns 0, or `invalid` when there is no such interface, or it is not bound to an address of one
   */
  setTap(tap: RawTap, interfaceIndex?: number): number;
}
