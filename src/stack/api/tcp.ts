/**
 * A TCP endpoint, the options of TCP, and who hears what happens inside. Types only.
 */

import type { IpAddress } from '../../base/index.ts';
import type { CongestionControlChoice } from '../tcp/congestion/registry.ts';
import type { EcnMode } from '../tcp/ecn/state.ts';
import type { TcpInfo } from '../tcp/observe/info.ts';
import type { TcpStatistics } from '../tcp/observe/statistics.ts';
import type { TcpState } from '../tcp/state.ts';
import type { BindOptions, DualStackOptions, Endpoint, InterfaceChoice, PacketOptions } from './endpoint.ts';

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

/** What ICMP has said about the way to a peer. */
export interface IcmpErrorReport {
  /** Who sent it. */
  readonly source: IpAddress;
  /** Of ICMP or ICMPv6, by the family of `source`. */
  readonly type: number;
  readonly code: number;
}

export interface TcpEndpoint extends Endpoint, PacketOptions, InterfaceChoice, DualStackOptions {
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
  /** Whether the next SYN, or what answers one, offers timestamps (RFC 7323; OPT-TCP_TIMESTAMPS). */
  timestamps: boolean;
  /** Time-out of the next connect's first SYN in ms (IOC-SIO_TCP_INITIAL_RTO); 0: RFC 6298's second. */
  initialRto: number;
  /** How often the next connect's SYN is sent again; -1: as {@link TcpOptions.maxSynRetransmissions} says. */
  maxSynRetransmissions: number;
  /** Segments that a connection may begin with (IOC-SIO_TCP_SET_ICW); 0: RFC 6928's ten. Without effect once it is open. */
  initialWindow: number;
  /** Every so many segments are acknowledged at once (RFC 9293 MUST-58: 2); 1 … 255 (IOC-SIO_TCP_SET_ACK_FREQUENCY). */
  ackFrequency: number;
  /** The last ICMP error since the last connect began, `null` when there was none (OPT-TCP_ICMP_ERROR_INFO). */
  readonly icmpError: IcmpErrorReport | null;
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

/**
 * Hears what happens inside of TCP connections, while it happens: it must not call the stack, nor throw.
 * @param event a `TcpEvent`, which says what `a` and `b` are; `tcpEventRecord` makes an object of them
 */
export type TcpObserver = (endpoint: Endpoint, event: number, a: number, b: number) => void;

/** When a listener answers SYNs with SYN cookies (RFC 4987): never, when its SYN queue is full, or always. */
export type SynCookieMode = 'off' | 'pressure' | 'always';

/** Those of {@link TcpOptions} that can be changed while the stack runs, with their values now. */
export type TcpGlobals = Required<
  Pick<
    TcpOptions,
    | 'sendBufferMax'
    | 'receiveBufferSize'
    | 'receiveBufferMax'
    | 'initialRto'
    | 'maxSynRetransmissions'
    | 'timestamps'
    | 'ecn'
    | 'fastOpen'
    | 'congestionControl'
    | 'pacing'
  >
> & {
  /** Where the send buffers begin. */
  readonly sendBufferSize: number;
};

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
  /** Time-out of a connect's first SYN in ms, where the endpoint does not say otherwise: RFC 6298's 1000. */
  readonly initialRto?: number;
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
