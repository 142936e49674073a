/**
 * The stack's public face: what an embedder holds. Types only; `createStack` makes them.
 *
 * Contract in short. *In*: frames (`input`), time (`advance`), calls on endpoints. *Out*: frames (`output`), the next
 * deadline, and events of endpoints (`flushEvents`). The stack does no I/O, reads no clock but the one handed in, arms no
 * timer of the machine and never calls out from inside `input`. A driver's turn is:
 *
 *     stack.input(iface, batch);  stack.advance();
 *     stack.flushEvents();        // the observer calls endpoints: what it sends carries the ACKs that are due
 *     while (stack.output(iface, tx) > 0) { link.transmit(tx); clearTransmitBatch(tx); }
 *     // sleep until stack.nextDeadline or the next frame; `wake` says that a call from above made work
 *
 * Calls on endpoints answer a number: 0 or more is the result, below 0 a `StackError`. They never throw for traffic or for
 * the state of a connection, only for a caller's bug.
 */

import type {
  BufferAllocator,
  Clock,
  FrameBatch,
  IpAddress,
  IpFamily,
  Medium,
  Random,
  TransmitBatch,
} from '../base/index.ts';
import type { StackCounters } from './counters.ts';
import type { DhcpOptions, DhcpStatus } from './dhcp/status.ts';
import type { CongestionControlChoice } from './tcp/congestion/registry.ts';
import type { EcnMode } from './tcp/ecn/state.ts';
import type { TcpInfo } from './tcp/observe/info.ts';
import type { TcpStatistics } from './tcp/observe/statistics.ts';
import type { TcpState } from './tcp/state.ts';

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

export interface BindOptions {
  readonly sharing?: PortSharing;
  /** Whose it is (a user id): sharing between owners is stricter. */
  readonly owner?: number;
  /** The address need not be ours: for who answers in the name of others, see `InterfaceSettings.isTransparent`. */
  readonly isForeign?: boolean;
  /** With port 0: all ports that nobody else has, rather than one of them. For listeners, and to receive datagrams. */
  readonly allPorts?: boolean;
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

/** What an endpoint of IPv6 makes of IPv4 (RFC 3493 §3.7, §5.3; IPV6_V6ONLY). */
export interface DualStackOptions {
  /**
   * Only IPv6, as Winsock has it at first. Else it takes and reaches IPv4 too, whose addresses it names as v4-mapped ones
   * (`::ffff:10.0.0.1`), and `::` is both families' any-address. To be set before `bind` and `connect`; of endpoints of IPv4
   * it means nothing.
   */
  v6Only: boolean;
}

/** A connection that a peer asks for and the application has not decided about: its SYN is held, unanswered. */
export interface ConnectionRequest {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  /** Whether there is still something to decide: it ends with a decision, when the peer gives up, or after 75 s. */
  readonly isPending: boolean;
  /**
   * Answers the SYN. @returns the connection in SYN-RECEIVED, the caller's from now on: `connected` or `failed` follows; `null`
   * when the request is not pending any more.
   */
  accept(): TcpEndpoint | null;
  /** Refuses it with RST. */
  reject(): void;
}

export interface TcpEndpoint extends Endpoint, PacketOptions, DualStackOptions {
  readonly kind: 'tcp';
  /** RFC 9293 §3.3.2's names, `CLOSED` before use and after the end. */
  readonly state: TcpState;
  /** Why it failed (a `StackError`), 0 when it did not. Stays until a new connect succeeds. */
  readonly error: number;
  /**
   * What ICMP has said of the way to the peer, a `StackError`, since something was acknowledged; it ends nothing by itself, and is
   * the reason should the connection time out (RFC 9293 §3.9.1.8, RFC 5461). 0: nothing.
   */
  readonly softError: number;
  /** Port 0: an unused one is chosen. @returns 0 or an error. */
  bind(address: IpAddress, port: number, options?: BindOptions): number;
  /** @param backlog most connections waiting for `accept`; a SYN past it is answered with RST (SEM-BKLG-05). */
  listen(backlog: number): number;
  /** The oldest established connection waiting, or `null`. It inherits this endpoint's options. */
  accept(): TcpEndpoint | null;
  /** How many connections `accept` would give now. */
  readonly acceptableCount: number;
  /**
   * For a listener: every SYN is held until the application has accepted or rejected it (SEM-COND-04). Backlog, SYN cookies and
   * Fast Open do not apply to it. To be set before `listen`.
   */
  conditionalAccept: boolean;
  /** The request that has waited for longest, or `null`. Undecided it stays the first: a deferred one (SEM-COND-02). */
  readonly nextRequest: ConnectionRequest | null;
  /** All requests that wait for a decision, the oldest first. */
  readonly requests: readonly ConnectionRequest[];
  /** For a listener: every SYN is refused with RST for as long as it is set (SEM-BKLG-07). */
  pauseAccept: boolean;
  /** Starts a connection (binding when needed). @returns 0; `connected` or `failed` follows. */
  connect(address: IpAddress, port: number): number;
  /**
   * As `connect`, and queues bytes to be sent first: with `fastOpen` and a cookie of the server's in the SYN itself, else behind
   * the handshake. @returns how many bytes were taken, or an error.
   */
  connectWithData(address: IpAddress, port: number, from: Uint8Array, at: number, length: number): number;
  /**
   * TCP Fast Open (RFC 7413). A client's next connect asks for a cookie, or sends its first bytes with the SYN. A listener hands
   * out cookies and gives connections whose SYN had text to `accept` before their handshake is complete: the same bytes may
   * come twice (§2.1), so it is for requests that may be repeated.
   */
  fastOpen: boolean;
  /** Copies out up to `length` bytes. @returns how many; 0 at the end of the stream; `wouldBlock`; or the failure. */
  read(into: Uint8Array, at: number, length: number): number;
  /** As `read`, but leaves the bytes. */
  peek(into: Uint8Array, at: number, length: number): number;
  /** Bytes that `read` would give without waiting; one read ends at an urgent byte, which counts only in line. */
  readonly readableBytes: number;
  /** Whether the peer's FIN is in and everything before it has been read. */
  readonly atEnd: boolean;
  /** Queues up to `length` bytes. @returns how many were taken; `wouldBlock` when none. */
  write(from: Uint8Array, at: number, length: number): number;
  /** Sends one last urgent byte after queueing the others (RFC 6093). Same result as `write`. */
  writeUrgent(from: Uint8Array, at: number, length: number): number;
  /** Takes the oldest urgent byte that has arrived, or looks at it. @returns the byte; `wouldBlock` when there is none. */
  readUrgent(isPeek?: boolean): number;
  /** How many bytes `readUrgent` would give. */
  readonly urgentCount: number;
  /**
   * Bytes that can be read before the next urgent byte which the peer has announced; 0 when that byte is the next. May exceed
   * `readableBytes` while it is on its way. -1: none, or it was passed.
   */
  readonly urgentMark: number;
  /** How many more SYNs a connect sends, half a second apart, when it is refused; 0: it fails at once (RFC 9293 §3.10.7.3). */
  refusedRetries: number;
  /** Urgent bytes are read in their place, each by itself, rather than by `readUrgent` (SO_OOBINLINE). */
  urgentInline: boolean;
  /** The urgent pointer names the last urgent byte (RFC 1122) rather than the one behind it (RFC 6093): both ways. */
  pointsAtUrgent: boolean;
  /** Room for `write`. */
  readonly writableBytes: number;
  /** Bytes queued and not yet acknowledged. */
  readonly unsentBytes: number;
  /** Sends FIN after what is queued. */
  shutdownWrite(): number;
  /** Refuses what still arrives: data then resets the connection, as Winsock's SD_RECEIVE documents. */
  shutdownRead(): number;
  /** Ends it at once with RST. */
  abort(): void;
  /** Nagle off (RFC 1122 §4.2.3.4). */
  noDelay: boolean;
  /** Keep-alive probes (RFC 1122 §4.2.3.6): on, and when. Durations in ms. */
  keepAlive: boolean;
  keepAliveTime: number;
  keepAliveInterval: number;
  keepAliveCount: number;
  /** Give up after this long without an acknowledgement (RFC 5482), ms; 0 = the retransmission limit decides. */
  userTimeout: number;
  /**
   * Most bytes in a segment either way, options not counted (TCP_MAXSEG): announced in the SYN, and kept to when sending. 0: no
   * bound of the user's.
   */
  maxSegment: number;
  /** Any ICMP error ends a connect, as OPT-TCP_FAIL_CONNECT_ON_ICMP_ERROR has it; else only a hard one (RFC 1122 §4.2.3.9). */
  failsOnIcmpError: boolean;
  /** Explicit congestion notification, see {@link TcpOptions.ecn}: of the next connect, or of what is accepted from now on. */
  ecn: EcnMode;
  /**
   * Limits of the buffers in bytes, now. Until they are set they follow the path and the reader, as `TcpOptions` says; what
   * was set stays. Lowering one drops nothing, and takes back no window that was offered (RFC 9293 SHLD-14).
   */
  sendBufferSize: number;
  receiveBufferSize: number;
  /**
   * Bytes that ought to be queued and unacknowledged so that the path never waits for the writer; more only waits longer.
   * 65536 at first (IOC-SIO_IDEAL_SEND_BACKLOG_QUERY), later about twice the congestion window, in powers of two.
   */
  readonly idealSendBacklog: number;
  /**
   * The name of its congestion control. May be set at any time, to a name or a maker: a connection under way goes on with the
   * window that it has.
   * @throws RangeError when set to a name that does not exist
   */
  get congestionControl(): string;
  set congestionControl(value: CongestionControlChoice);
  /** The figures of the connection, filled into `into` when given so that a sampler allocates nothing. */
  info(into?: TcpInfo): TcpInfo;
  /** RFC 4898's statistics of the connection; `null` while there is none. */
  statistics(): TcpStatistics | null;
}

/** What came with a datagram: filled by `receive`, reused by the caller. */
export interface DatagramInfo {
  source: IpAddress;
  sourcePort: number;
  destination: IpAddress;
  /** Of UDP: the port that it was sent to, for who has bound all. */
  destinationPort?: number;
  interfaceIndex: number;
  ttl: number;
  trafficClass: number;
  /** Of several datagrams that were merged (`UdpEndpoint.coalescedSize`): the length of each but the last; 0 when it is one. */
  segmentSize: number;
  /** It was sent to a group of hosts: a broadcast, or a multicast when `destination` is one. */
  isGroup: boolean;
  /** The datagram's whole length, which may be more than was copied. */
  length: number;
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
export interface MessageEndpoint extends Endpoint, PacketOptions, GroupMemberships {
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

export interface UdpEndpoint extends MessageEndpoint, DualStackOptions {
  readonly kind: 'udp';
  /** Datagrams leave without a checksum: for tunnels whose payload has one of its own (RFC 768; over IPv6, RFC 6935 §5). */
  sendsZeroChecksum: boolean;
  /** Over IPv6, datagrams without a checksum are taken (RFC 6935 §5); over IPv4 they always are. */
  takesZeroChecksum: boolean;
  /** A longer message is cut into datagrams with so many bytes of payload (OPT-UDP_SEND_MSG_SIZE); 0: never. */
  segmentSize: number;
  /**
   * Datagrams that the link merged are received together up to so many bytes, and `DatagramInfo.segmentSize` says where they
   * are joined (OPT-UDP_RECV_MAX_COALESCED_SIZE); 0: one by one.
   */
  coalescedSize: number;
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
  /** @returns 0, or `invalid` when it is not bound to an address of an interface */
  setTap(tap: RawTap): number;
}

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
}

/**
 * Hears what happens inside of TCP connections, while it happens: it must not call the stack, nor throw.
 * @param event a `TcpEvent`, which says what `a` and `b` are; `tcpEventRecord` makes an object of them
 */
export type TcpObserver = (endpoint: Endpoint, event: number, a: number, b: number) => void;

export interface StackOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Secret of at least 16 bytes for initial sequence numbers and ports; drawn from `random` when absent. */
  readonly secret?: Uint8Array;
  readonly allocator?: BufferAllocator;
  /** A call from above left output, or a deadline earlier than the last `nextDeadline`. Called at most once a turn. */
  readonly wake?: () => void;
  /** Called by `flushEvents` for each endpoint to which something happened. */
  readonly observer?: (endpoint: Endpoint, events: number) => void;
  /** Called by `flushEvents` when the configuration has changed, with `ConfigChange` bits. */
  readonly configObserver?: (changes: number) => void;
  /** Told of what happens inside of TCP connections, as by {@link Stack.observeTcp}. */
  readonly tcpObserver?: TcpObserver;
  readonly tcp?: TcpOptions;
  /**
   * What client editions of Windows forbid raw sockets (RAW-09): TCP, and UDP from an address that is not ours. Default true;
   * false is as server editions have it.
   */
  readonly rawRestrictions?: boolean;
}

/** When a listener answers SYNs with SYN cookies (RFC 4987): never, when its SYN queue is full, or always. */
export type SynCookieMode = 'off' | 'pressure' | 'always';

/** Knobs of TCP with their defaults in `tcp/options.ts`. */
export interface TcpOptions {
  /** What a connection's buffers may hold at first, bytes. Default 256 KiB each. */
  readonly sendBufferSize?: number;
  readonly receiveBufferSize?: number;
  /**
   * Up to where they grow by themselves, with the congestion window and with what the reader takes in a round trip. Default
   * 16 MiB, but a size that is stated without its maximum stays.
   */
  readonly sendBufferMax?: number;
  readonly receiveBufferMax?: number;
  /** Bytes that the buffers of all connections may take together; see `tcp/memory.ts`. Default 512 MiB. */
  readonly memoryLimit?: number;
  /** Lowest retransmission timeout in ms: RFC 6298 says 1000, most hosts 200. */
  readonly minRto?: number;
  readonly maxRetransmissions?: number;
  readonly maxSynRetransmissions?: number;
  readonly delayedAckMs?: number;
  /** Half of TIME-WAIT, ms. */
  readonly msl?: number;
  readonly timestamps?: boolean;
  readonly windowScaling?: boolean;
  readonly sack?: boolean;
  /**
   * Explicit congestion notification: `off`; `passive`, agreed to when the peer asks; `classic`, asked for too, as RFC 3168 has it;
   * `accurate`, asked for as AccECN (RFC 9768) and, of a peer that does not know it, taken as RFC 3168's. Default `passive`: a
   * SYN then has nothing that a middlebox might drop, as hosts have it by default, and who asks gets an answer.
   */
  readonly ecn?: EcnMode;
  /** Default `pressure`. */
  readonly synCookies?: SynCookieMode;
  /** Most half-open connections that a listener remembers. */
  readonly maxHalfOpen?: number;
  /** TCP Fast Open of endpoints that do not say otherwise. Default false. */
  readonly fastOpen?: boolean;
  /** Most connections of a listener whose SYN's text was taken and whose handshake is not complete. Default 256. */
  readonly maxFastOpens?: number;
  /** Most payload bytes of a super-segment. */
  readonly maxSuperSegment?: number;
  /**
   * Least MSS of a peer that is believed, bytes. Deviation: RFC 9293 MUST-16 has no such floor; a peer that announces less
   * would make us send, and remember, a packet for every few bytes.
   */
  readonly minSendMss?: number;
  /** What decides how much may be in flight: CUBIC (RFC 9438) unless said otherwise. */
  readonly congestionControl?: CongestionControlChoice;
  /** Whether segments leave spread over the round trip with every congestion control; some always are. */
  readonly pacing?: boolean;
  /**
   * Packetization-layer path MTU discovery (RFC 4821, RFC 8899). `blackHole` (the default): when full segments vanish, and when
   * what ICMP said of a path is ten minutes old, larger ones are tried with probes. `always`: connections begin with small
   * segments and try larger ones. `off`: only ICMP counts.
   */
  readonly mtuProbing?: 'off' | 'blackHole' | 'always';
}

export interface Stack {
  readonly now: number;
  readonly counters: StackCounters;
  /** When `advance` or `flushEvents` next has something to do; `Infinity` when never. */
  readonly nextDeadline: number;

  addInterface(options: InterfaceOptions): number;
  removeInterface(index: number): void;
  readonly interfaces: readonly InterfaceView[];
  /** @throws RangeError when `prefix` can't be read or there is no such interface */
  addAddress(index: number, prefix: string, options?: AddressOptions): void;
  removeAddress(index: number, address: IpAddress): void;
  addRoute(route: RouteOptions): void;
  removeRoute(route: RouteOptions): boolean;
  readonly routes: readonly RouteView[];
  /** Switches what is named. @throws RangeError when there is no such interface or a value is none */
  setInterface(index: number, settings: InterfaceSettings): void;
  /** In the order in which they are tried. @throws RangeError when one can't be read */
  setPolicies(rules: readonly PolicyRule[]): void;
  readonly policies: readonly PolicyRule[];
  /**
   * Replaces the policy table of address selection (RFC 6724 §2.1); `null`: by the default one. Addresses that no row is about have
   * the lowest precedence.
   * @throws RangeError when a row can't be read, two have the same prefix, or there are more than 256; nothing changes then
   */
  setAddressPolicy(rows: readonly AddressPolicyRow[] | null): void;
  readonly addressPolicy: readonly AddressPolicyRow[];
  /** A peer's addresses in the order in which to try them (RFC 6724 §6): the same objects, equals as they came. */
  sortDestinations(addresses: readonly IpAddress[]): IpAddress[];
  /**
   * Gives the interface the link-local address that IPv6 begins with (RFC 4862 §5.3). One that is a duplicate is replaced.
   * @throws RangeError when there is no such interface, or its MTU is below 1280
   */
  enableIpv6(index: number, options?: Ipv6Options): void;
  /** Takes it away again. */
  disableIpv6(index: number): void;
  /**
   * Gives the interface its link-local address and does what routers say: addresses, routes, name servers, and DHCPv6 where they
   * want it.
   * @throws RangeError when there is no such interface, it is no Ethernet one, or its MTU is below 1280
   */
  startAutoconf(index: number, options?: AutoconfOptions): void;
  /** Ends that, and takes back all that it gave. */
  stopAutoconf(index: number): void;
  /** Gives the interface a link-local IPv4 address (RFC 3927) while it has no other. @throws RangeError without such an interface */
  enableAutoIp(index: number): void;
  /** Takes it away again. */
  disableAutoIp(index: number): void;
  /** Translates what is passed on by an interface from now on; `null`: nothing. What was mapped before is forgotten. @throws RangeError */
  setNat(options: NatOptions | null): void;
  readonly natMappings: readonly NatMappingView[];
  /** Replaces what this origin said before; with neither servers nor a search list it says nothing any more. */
  setNames(index: number, names: NameConfiguration): void;
  /** The groups that interfaces listen to. */
  readonly groups: readonly GroupView[];
  /** The neighbours of an interface that were asked for or set; none on a link without hardware addresses. */
  neighbors(index: number): readonly NeighborView[];
  /**
   * Starts a DHCP client on an interface, in the place of one that runs. It is part of the host, and no endpoint.
   * @throws RangeError when an option can't be, there is no such interface, or it is the loopback one
   */
  startDhcp(index: number, options?: DhcpOptions): void;
  /**
   * Ends the clients of an interface and takes away what they configured. With `release` servers are told first; the address goes
   * when that has left, some milliseconds later.
   */
  stopDhcp(index: number, options?: { readonly release?: boolean }): void;
  /** Asks for more time now, or anew where there is nothing. @returns whether the interface has a client */
  renewDhcp(index: number): boolean;
  /** Gives addresses back until `renewDhcp`. @returns whether the interface has a client that is not at rest already */
  releaseDhcp(index: number): boolean;
  dhcpStatus(index: number): DhcpStatus;
  /**
   * Sets by hand where packets to `address` go: nothing that is heard of changes it.
   * @throws RangeError when `mac` is not one station's or a group's, or there is no such Ethernet interface
   */
  addNeighbor(index: number, address: IpAddress, mac: Uint8Array): void;
  /** Forgets a neighbour, however it is known: the next packet asks anew. @returns whether it was known. @throws as `addNeighbor` */
  removeNeighbor(index: number, address: IpAddress): boolean;

  /** Takes the frames of a batch and writes each one's verdict into it. */
  input(index: number, batch: FrameBatch): void;
  /** Fills `batch` with frames to send on an interface. @returns how many. */
  output(index: number, batch: TransmitBatch): number;
  /** Runs the timers that are due. */
  advance(): void;
  /** Tells the observer what happened since the last call. */
  flushEvents(): void;

  /** One packet (or frame), for drivers that count bytes rather than batches. @returns 0 or the `DropReason`. */
  inputPacket(index: number, bytes: Uint8Array): number;
  /** The next packet (or frame) to send, as bytes of its own, never a super-segment; `null` when there is none. */
  takePacket(index: number): Uint8Array | null;

  openTcp(family?: IpFamily): TcpEndpoint;
  openUdp(family?: IpFamily): UdpEndpoint;
  openIcmp(family?: IpFamily): IcmpEndpoint;
  openRaw(protocol: number, family?: IpFamily): RawEndpoint;
  /** Tells `observer` from now on, in place of another, what happens inside of TCP connections; `null`: nobody, at no cost. */
  observeTcp(observer: TcpObserver | null): void;
  /** Every endpoint there is, for `netstat`: listeners, connections (TIME-WAIT included), datagram sockets. */
  endpoints(): Iterable<Endpoint>;
  /** Whether `address` is one of ours, and on which interface (0: none). */
  interfaceOf(address: IpAddress): number;
  /** The source address and interface for packets to `destination`, or `null` without a route. */
  routeTo(
    destination: IpAddress,
  ): { readonly source: IpAddress; readonly interfaceIndex: number; readonly mtu: number } | null;
}
