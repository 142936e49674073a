/**
 * The transmission control block (RFC 9293 §3.3.1): all that one connection remembers, and nothing that it does. The steps
 * of `segment-arrives.ts`, the user calls and `output.ts` are functions over it.
 *
 *     send sequence space                                  receive sequence space
 *            sndUna        sndNxt      sndUna + sndWnd            rcvNxt             rcvAdv
 *     acked  |  in flight  |  may be sent  |  not yet      in order  |  will be taken  |  not offered
 *            txStart: the byte at position 0 of `tx`
 */

import type { IpAddress, RangeViews, TimerOwner, TransmitBatch } from '../../base/index.ts';
import { Ring, seqDiff } from '../../base/index.ts';
import { IPPROTO_TCP } from '../../wire/index.ts';
import type { Endpoint, IcmpErrorReport, TcpObserver } from '../api.ts';
import type { ConnectionEntry, EgressSource, EventSource, Host, Path, PortBinding } from '../host.ts';
import type { TcpMemory } from './buffers/memory.ts';
import { SequenceRanges } from './buffers/ranges.ts';
import type { ReceiveMeasure } from './buffers/receive-measure.ts';
import type { WindowBudget } from './buffers/window-budget.ts';
import type { TcpConfig, TcpSettings } from './config.ts';
import type { AckSample } from './congestion/ack-sample.ts';
import type { CongestionControl } from './congestion/control.ts';
import type { EcnState } from './ecn/state.ts';
import type { FastOpenCache } from './fast-open/cache.ts';
import { DeliveryRate, type LossEpisode, Rack, TailLossProbe } from './loss/loss-state.ts';
import { RttEstimator } from './loss/rtt.ts';
import type { SentColumnsPool } from './loss/sent-columns.ts';
import { SentList } from './loss/sent-list.ts';
import { ConnectionCounts } from './observe/connection-counts.ts';
import { SendLimits } from './observe/send-limits.ts';
import type { MtuSearch } from './path/mtu-probe.ts';
import type { Segment } from './segment.ts';
import type { TcpState } from './state.ts';
import type { UrgentReceiver } from './urgent-receiver.ts';

/** What is in the connection table: a connection, or what is left of one in TIME-WAIT. */
export interface TcpFlow extends ConnectionEntry<TcpFlow> {
  /** Whom packets for it are about. */
  readonly endpoint: Endpoint;
}

/** What a connection sees of the transport that it belongs to. */
export interface TcpEnvironment {
  readonly host: Host;
  readonly config: TcpConfig;
  /** What is known of servers for Fast Open. */
  readonly fastOpenCache: FastOpenCache;
  /** Who listens to the event stream (`trace.ts`). */
  readonly observer: TcpObserver | null;
  /** What congestion control is told of the ACK being processed. */
  readonly sample: AckSample;
  /** Memory for lists of sent segments. */
  readonly sentColumns: SentColumnsPool;
  /** Where the rings get their memory. */
  readonly memory: TcpMemory;
  /** Of the frames that arrive. */
  readonly views: RangeViews;
  /** Frees memory of other connections when there is pressure; `tcb` wants some. */
  relieveMemory(tcb: Tcb): void;
  emit(tcb: Tcb, batch: TransmitBatch): boolean;
  timeout(tcb: Tcb, kind: number, now: number): void;
  /** Takes the connection out of the table and gives up its claim on the port. */
  forget(tcb: Tcb): void;
  /** Replaces the connection by an entry that answers for it in TIME-WAIT. */
  enterTimeWait(tcb: Tcb): void;
  /** What the connections over an interface may offer together; `null`: no bound. */
  budgetOf(interfaceIndex: number): WindowBudget | null;
  /** Sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=RST,ACK>, at once and whatever becomes of the connection. */
  sendReset(tcb: Tcb): void;
}

/** Who waits for the end of a handshake that Fast Open has a part in (RFC 7413). Told once. */
export interface OpeningWatcher {
  /** `seg` acknowledges our SYN; SND.UNA is past it. */
  established(tcb: Tcb, seg: Segment): void;
  /** The connection has ended before. */
  failed(tcb: Tcb): void;
}

/** Who opened a connection passively and is told what became of it. */
export interface PassiveOpener {
  /** The handshake is complete. @returns whether there was room in the accept queue */
  established(child: Tcb): boolean;
  /** The child is gone: reset or given up, before or after it was established. */
  abandoned(child: Tcb): void;
}

/** Kinds of a connection's timers, and their places in {@link Tcb.timers}. */
export const TcpTimer = {
  retransmit: 0,
  persist: 1,
  delayedAck: 2,
  keepAlive: 3,
  finWait2: 4,
  pacing: 5,
} as const;
const TIMER_COUNT = 6;
const NO_TIMER = -1;

/** How loss recovery stands; see `recovery.ts`. */
export const Recovery = {
  /** No loss known. */
  open: 0,
  /** Fast recovery: loss was inferred from acknowledgements. */
  fast: 1,
  /** The retransmission timer ran out. */
  timeout: 2,
} as const;

export class Tcb implements TcpFlow, EgressSource, TimerOwner {
  readonly env: TcpEnvironment;
  readonly host: Host;
  readonly config: TcpConfig;
  readonly settings: TcpSettings;
  /** The user's handle. Events go to it even after the user closed it. */
  readonly endpoint: EventSource;

  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  nextConnection: TcpFlow | null = null;
  binding: PortBinding | null = null;
  path: Path;
  /** See `Path.flowLabel`. */
  readonly flowLabel: number;
  isQueued = false;

  state: TcpState = 'CLOSED';
  /** Why it failed, a `StackError`; 0 while it has not. */
  error = 0;
  /** The last ICMP error that was not believed at once (RFC 5461): the reason should the connection time out. */
  softError = 0;
  /** A listener made it ("initiated with a passive OPEN"). */
  isPassive = false;
  /** The last ICMP error about it. */
  icmpError: IcmpErrorReport | null = null;
  /** The passive open it came from, until it is accepted. */
  opener: PassiveOpener | null = null;
  /** Fast Open, while the handshake lasts. */
  opening: OpeningWatcher | null = null;
  /** Its SYN's text was taken before the handshake is complete: in SYN-RECEIVED it sends and receives (RFC 7413 §4.2.2). */
  isFastOpened = false;
  /** The Fast Open option of the next SYN or SYN-ACK: a cookie, or none to ask for one; `null`: no option. */
  fastOpenOption: Uint8Array | null = null;
  /** The user has closed it: nobody reads any more. */
  isOrphan = false;
  isClosedTold = false;
  /** The user reads no more (shutdown of the receiving side). */
  isReadShut = false;
  openedAt: number;

  // Send sequence space, RFC 9293 §3.3.1.
  iss = 0;
  sndUna = 0;
  sndNxt = 0;
  sndWnd = 0;
  sndWl1 = 0;
  sndWl2 = 0;
  /** One past each urgent byte that is not acknowledged, ascending; the last is SND.UP. `null`: none. See `urgent.ts`. */
  urgentOut: number[] | null = null;
  /** The largest window the peer has offered (MAX.SND.WND). */
  maxSndWnd = 0;
  sndWindShift = 0;
  /** Most text in a segment to the peer: its MSS and the path's, less the options that every segment has. */
  smss = 0;
  /** What the peer said in its SYN; RFC 9293 MUST-15's default until then. */
  peerMss = 536;
  /** The path's MTU that SMSS was made of. */
  mtu: number;
  /** Segments go without DF: routers cut them, or the user wants it so. */
  isFragmentable = false;
  // RFC 5927 §7.2, in bytes of text: maxsizesent and where the first such segment ends, maxsizeacked.
  maxTextSent = 0;
  maxTextSentEnd = 0;
  maxTextAcked = 0;
  /** What a "too big" about the text at `pendingMtuSeq` claims while it is not believed yet; 0: nothing. */
  pendingMtu = 0;
  pendingMtuSeq = 0;
  /** Larger segments are being tried, or were found to vanish; `null`: the path's MTU counts. */
  mtuSearch: MtuSearch | null = null;
  readonly tx: Ring;
  /** Sequence number of the first byte in `tx`. */
  txStart = 0;
  /** FIN follows what is in `tx`: the user sends no more. */
  isFinQueued = false;
  /** A byte past the window was sent as a probe: SND.NXT + 1 may be acknowledged. */
  isProbeOut = false;
  /** A write fell short: say when there is room. */
  isWriterWaiting = false;
  /** See `send-tuning.ts`. */
  idealSendBacklog = 0x10000;
  /** End of the last segment that was not full (Minshall's SND.SML). */
  sndSml = 0;
  /** When text was last sent. */
  lastSentAt = 0;

  // Receive sequence space.
  irs = 0;
  rcvNxt = 0;
  /** Right edge of the largest window that was offered; never moves back (SHLD-14). */
  rcvAdv = 0;
  /** The peer's urgent bytes; `null` until there are some. */
  urgentIn: UrgentReceiver | null = null;
  rcvWindShift = 0;
  /** The MSS that we announced. */
  rmss = 0;
  readonly rx: Ring;
  /** Ranges of early text, whose bytes are in `rx` already. */
  readonly early: SequenceRanges;
  /** The peer's FIN has arrived, perhaps before text that it follows; it is at `rcvFin`. */
  hasRcvFin = false;
  rcvFin = 0;
  lastReceivedAt = 0;
  lastTextAt = 0;
  /** What the interface's connections may offer together; `null`: no bound. */
  budget: WindowBudget | null = null;
  /** `null` until it receives in bulk. */
  receiveMeasure: ReceiveMeasure | null = null;

  // Acknowledging.
  /** ACKs to send now; more than one only to tell a peer without SACK of each segment that came early. */
  acksDue = 0;
  ackCause = 0;
  /** Packets taken since the last ACK went out. */
  unackedPackets = 0;
  /** ACKs still sent at once because the connection is young. */
  quickAcks: number;
  lastAckSent = 0;
  /** The start of the range that arrived last: the first SACK block (RFC 2018 §4). */
  latestEarly = 0;

  /** The next bare ACK reports that `duplicateStart … duplicateEnd` arrived twice (RFC 2883). */
  isDuplicateDue = false;
  duplicateStart = 0;
  duplicateEnd = 0;

  // Options in force.
  isSackEnabled = false;
  isTimestamped = false;
  tsOffset = 0;
  tsRecent = 0;
  tsRecentAt = 0;

  /** What our SYN asks for, an `EcnFeedback`; and what the handshake has agreed on, `null` for no ECN. */
  ecnOffer = 0;
  ecn: EcnState | null = null;

  // What else to send at the next turn.
  isSynDue = false;
  /** How often the peer has refused our SYN. */
  refusals = 0;
  /** Something without SYN has acknowledged ours: what an honest peer never does. */
  isSynAckedAlone = false;
  isProbeDue = false;
  isKeepAliveDue = false;

  // Loss recovery.
  readonly rtt: RttEstimator;
  congestion: CongestionControl;
  recovery = Recovery.open as number;
  /** RFC 6582 `recover`, RFC 6675 RecoveryPoint: recovery ends when it is acknowledged. */
  recoveryPoint = 0;
  /** What is known of the episode of loss that is under way, or was the last. */
  episode: LossEpisode | null = null;
  /** One lost segment may be sent whatever the window. */
  isRetransmitForced = false;
  dupAcks = 0;
  /** Without SACK: bytes that duplicate ACKs say have left the network. */
  dupAckBytes = 0;
  /** What was sent and is not acknowledged. */
  readonly sent: SentList;
  readonly rate = new DeliveryRate();
  readonly rack = new Rack();
  readonly probe = new TailLossProbe();
  isTailProbeDue = false;
  /** When the retransmission timer runs out; its `TcpTimer` may stand for something earlier, a `RetransmitTimer`. */
  rtoAt = 0;
  retransmitTimer = 0;
  /** When RACK looks again for what may be reordered; 0: it need not. */
  reorderAt = 0;
  /** What is sent from it on gives the next round-trip sample. */
  rttSeq = 0;
  /** Paced: nothing leaves before then (`pacing.ts`). */
  releaseAt = 0;
  /** Timer expirations without progress. */
  retransmissions = 0;
  /** When what is first in flight was sent for the first time: the user timeout's start. */
  stalledSince = 0;
  /** When the SYN left; negative once it was sent again, since its answer then times neither (RFC 6298 §3). */
  synSentAt = -0.5;
  /** Probes (keep-alive, zero window) since the peer was last heard. */
  unansweredProbes = 0;
  /** Zero-window probes since the window was last open: the interval doubles with each. */
  persistBackoff = 0;

  // The way to the peer: see `way.ts`.
  /** There was none when there was something to send. */
  isWayless = false;
  /** How often another way was tried since the peer was last heard. */
  wayChanges = 0;
  /** Copies of old text that came since RCV.NXT was `repeatedAt`. */
  repeats = 0;
  repeatedAt = 0;

  // Challenge ACKs (RFC 5961 §7).
  challengeSince = 0;
  challengeCount = 0;

  /** Handles in the host's timer queue by `TcpTimer`, made when first armed. */
  readonly timers: number[] = new Array<number>(TIMER_COUNT).fill(NO_TIMER);

  // Counts for `TcpInfo`.
  bytesIn = 0;
  bytesOut = 0;
  bytesRetrans = 0;
  segmentsIn = 0;
  segmentsOut = 0;
  retransSegs = 0;
  fastRetransmits = 0;
  timeouts = 0;
  dupAcksIn = 0;
  tailProbes = 0;
  spuriousRecoveries = 0;
  bytesReordered = 0;
  readonly counts = new ConnectionCounts();
  readonly limits = new SendLimits();

  constructor(
    env: TcpEnvironment,
    endpoint: EventSource,
    settings: TcpSettings,
    path: Path,
    congestion: CongestionControl,
    localPort: number,
    remotePort: number,
  ) {
    const { host, config } = env;
    this.env = env;
    this.host = host;
    this.config = config;
    this.endpoint = endpoint;
    this.settings = settings;
    this.path = path;
    this.mtu = path.mtu;
    this.localAddress = path.source;
    this.localPort = localPort;
    this.remoteAddress = path.destination;
    this.remotePort = remotePort;
    this.flowLabel = path.flowLabel(IPPROTO_TCP, localPort, remotePort);
    this.congestion = congestion;
    this.openedAt = host.now;
    this.lastReceivedAt = host.now;
    this.lastSentAt = host.now;
    this.budget = env.budgetOf(path.interfaceIndex);
    this.tx = new Ring(env.memory, settings.sendBufferSize);
    this.rx = new Ring(env.memory, settings.receiveBufferSize);
    this.early = new SequenceRanges(config.maxRanges);
    this.sent = new SentList(env.sentColumns);
    this.rtt = new RttEstimator(config.minRto, config.maxRto);
    this.quickAcks = config.quickAcks;
  }

  /** Bytes sent and not acknowledged, FIN included (RFC 5681 FlightSize). */
  get flightSize(): number {
    return seqDiff(this.sndNxt, this.sndUna);
  }

  /** Where FIN is, or will be: one past the last byte queued. */
  get sndFin(): number {
    return (this.txStart + this.tx.used) | 0;
  }

  /** Bytes queued that were never sent; negative once FIN was. */
  get unsentBytes(): number {
    return seqDiff(this.sndFin, this.sndNxt);
  }

  /** What the peer's window leaves, bytes; negative when it was taken back (RFC 9293 §3.8.6.2.1: the usable window). */
  get usableWindow(): number {
    return seqDiff((this.sndUna + this.sndWnd) | 0, this.sndNxt);
  }

  /** Whether FIN has been sent at least once. */
  get isFinSent(): boolean {
    return this.isFinQueued && this.unsentBytes < 0;
  }

  /** Whether text or FIN waits that was never sent. */
  get hasUnsent(): boolean {
    const text = this.unsentBytes;
    return text > 0 || (text === 0 && this.isFinQueued);
  }

  /** RCV.WND as the peer knows it: what is still offered. */
  get rcvWnd(): number {
    return seqDiff(this.rcvAdv, this.rcvNxt);
  }

  /** Asks for a turn of `emit`. */
  requestOutput(): void {
    if (!this.isQueued) this.host.requestOutput(this.path.interfaceIndex, this);
  }

  emit(batch: TransmitBatch): boolean {
    return this.env.emit(this, batch);
  }

  timeout(kind: number, now: number): void {
    this.env.timeout(this, kind, now);
  }

  /** Arms a timer for `delay` ms from now. */
  arm(kind: number, delay: number): void {
    let handle = this.timers[kind] as number;
    if (handle === NO_TIMER) {
      handle = this.host.timers.create(this, kind);
      this.timers[kind] = handle;
    }
    this.host.timers.arm(handle, this.host.now + delay);
  }

  disarm(kind: number): void {
    const handle = this.timers[kind] as number;
    if (handle !== NO_TIMER) this.host.timers.disarm(handle);
  }

  isArmed(kind: number): boolean {
    const handle = this.timers[kind] as number;
    return handle !== NO_TIMER && this.host.timers.isArmed(handle);
  }

  destroyTimers(): void {
    for (let kind = 0; kind < TIMER_COUNT; kind++) {
      const handle = this.timers[kind] as number;
      if (handle !== NO_TIMER) this.host.timers.destroy(handle);
      this.timers[kind] = NO_TIMER;
    }
  }
}
