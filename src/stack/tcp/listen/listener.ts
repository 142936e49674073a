/**
 * A listening port: the SYN queue of half-open connections, and the accept queue of established ones. Each has a bound of its
 * own, and neither takes places of the other.
 *
 * - The accept queue is as long as the backlog. While it is full a SYN is refused with RST, as Windows does (SEM-BKLG-05). A
 *   handshake that was begun before keeps its record when it completes, and is asked again once there is room.
 * - The SYN queue has room for `maxHalfOpen` records. Past it SYN cookies answer without remembering anything; without
 *   cookies the record that has gone unanswered for longest makes room.
 * - With conditional accept (SEM-COND-04) SYNs are held unanswered until the application has decided: `ConnectionRequest`.
 */

import type { IpAddress } from '../../../base/index.ts';
import {
  DropReason,
  TCP_OPTION_FAST_OPEN,
  TCP_OPTION_FAST_OPEN_EXPERIMENT,
  TCP_RST,
} from '../../../wire/index.ts';
import { EndpointEvent, type TcpEndpoint } from '../../api.ts';
import {
  Cause,
  type EventSource,
  type Host,
  type InboundPacket,
  type ListenerEntry,
  type Path,
  type PortBinding,
} from '../../host.ts';
import { placeText } from '../buffers/reassembly.ts';
import type { WindowBudget } from '../buffers/window-budget.ts';
import type { TcpConfig, TcpSettings } from '../config.ts';
import { refuseSegment } from '../control-segment.ts';
import { CookieVerdict, type FastOpenCookies } from '../fast-open/cookies.ts';
import { PendingFastOpens } from '../fast-open/pending.ts';
import { abort } from '../lifecycle.ts';
import type { Segment } from '../segment.ts';
import type { PassiveOpener, Tcb, TcpFlow } from '../tcb.ts';
import { HalfOpen, type HalfOpenOwner } from './half-open.ts';
import { emptyHandshake, type Handshake, readSyn } from './handshake.ts';
import { type FastOpenAnswer, sendSynAck } from './syn-ack.ts';
import { COOKIE_LIFETIME, type SynCookies } from './syn-cookies.ts';
import { SynQueue, type SynQueueOwner } from './syn-queue.ts';

/** What a listener asks of the transport that it belongs to. */
export interface ListenEnvironment {
  readonly host: Host;
  readonly config: TcpConfig;
  readonly cookies: SynCookies;
  readonly fastOpenCookies: FastOpenCookies;
  budgetOf(interfaceIndex: number): WindowBudget | null;
  /** Puts a half-open connection into the table, and takes it out again. */
  enlist(record: TcpFlow): void;
  delist(record: TcpFlow): void;
  /**
   * Makes the connection that `handshake` is about; it is in SYN-RECEIVED, and in the table.
   * @param isAnswered its SYN-ACK was sent already
   */
  spawn(
    listener: Listener,
    path: Path,
    localPort: number,
    remotePort: number,
    handshake: Handshake,
    isAnswered: boolean,
  ): Tcb;
}

/** The Fast Open option of a SYN, judged. */
interface FastOpenRequest extends FastOpenAnswer {
  /** Its cookie was ours. */
  readonly isGood: boolean;
  /** The SYN-ACK brings a cookie: it was asked for, or the old one was wrong or is about to be. */
  readonly isDue: boolean;
}

/** The one handshake that is not in a queue: of a SYN answered by a cookie, or of the ACK that brings it back. */
const scratch: Handshake = emptyHandshake();

export class Listener implements PassiveOpener, HalfOpenOwner, SynQueueOwner, ListenerEntry<Listener> {
  readonly host: Host;
  readonly endpoint: EventSource;
  readonly settings: TcpSettings;
  readonly binding: PortBinding;
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly isDual: boolean;
  nextListener: Listener | null = null;
  readonly #env: ListenEnvironment;
  readonly #backlog: number;
  readonly #synQueue: SynQueue;
  readonly #fastOpens: PendingFastOpens;
  /** Oldest first: a `Set` keeps the order of insertion. */
  readonly #accepts = new Set<Tcb>();
  /** Entries of the SYN queue whose peer waits for room in the accept queue. */
  #ackedCount = 0;
  /** When a cookie was last sent: ACKs for nobody are looked at only as long as it is good. */
  #lastCookieAt = Number.NEGATIVE_INFINITY;

  constructor(
    env: ListenEnvironment,
    endpoint: EventSource,
    settings: TcpSettings,
    binding: PortBinding,
    backlog: number,
  ) {
    const { host, config } = env;
    this.#env = env;
    this.host = host;
    this.endpoint = endpoint;
    this.settings = settings;
    this.binding = binding;
    this.localAddress = binding.address;
    this.localPort = binding.port;
    this.isDual = binding.isDual;
    this.#backlog = Math.max(1, backlog);
    this.#fastOpens = new PendingFastOpens(host, config.maxFastOpens);
    this.#synQueue = new SynQueue(host, this, config.maxSynRetransmissions, config.maxRto, config.holdSynMs);
  }

  /** Connections that `accept` would give. */
  get acceptableCount(): number {
    return this.#accepts.size;
  }

  /** Records in the SYN queue: the memory that a flood of SYNs can take. */
  get halfOpenCount(): number {
    return this.#synQueue.size;
  }

  /** The records of the SYN queue, for `netstat`. */
  halfOpens(): Iterable<HalfOpen> {
    return this.#synQueue;
  }

  /** The SYN that has waited for longest for the application's decision. */
  get firstHeld(): HalfOpen | null {
    return this.#synQueue.firstHeld;
  }

  /** All SYNs that wait for it, the oldest first. */
  get allHeld(): readonly HalfOpen[] {
    return [...this.#synQueue].filter(({ isHeld }) => isHeld);
  }

  /** A SYN for this port. @returns `none` when it was answered, or remembered */
  synArrives(packet: InboundPacket, path: Path, seg: Segment, sequenceAfter: number | null): DropReason {
    const { settings } = this;
    const { interfaces } = settings;
    if (interfaces !== null && !interfaces.has(path.interfaceIndex)) return this.#refuse(packet, seg);
    if (settings.pauseAccept) return this.#refuse(packet, seg);
    if (settings.conditionalAccept) return this.#hold(path, seg, sequenceAfter);
    if (this.#accepts.size + this.#ackedCount >= this.#backlog) {
      this.host.counters.tcpListenOverflows++;
      return this.#refuse(packet, seg);
    }
    const cookie = settings.fastOpen ? this.#judgeFastOpen(path, seg) : null;
    if (cookie?.isGood === true && this.#fastOpens.hasRoom) {
      this.#openFast(path, seg, sequenceAfter, cookie.isDue ? cookie : null);
      return DropReason.none;
    }
    const answer = cookie?.isDue === true ? cookie : null;
    const { synCookies, maxHalfOpen } = this.#env.config;
    const isFull = this.#synQueue.size >= maxHalfOpen;
    // A successor of one in TIME-WAIT needs a sequence number past it, which a cookie cannot have.
    if (sequenceAfter === null && (synCookies === 'always' || (isFull && synCookies === 'pressure'))) {
      this.#sendCookie(path, seg, answer);
      return DropReason.none;
    }
    if (isFull) this.#makeRoom();
    const record = this.#remember(path, seg, sequenceAfter);
    this.#synQueue.add(record);
    record.answer(answer);
    return DropReason.none;
  }

  /**
   * An ACK for this port that belongs to no connection: it may bring a SYN cookie back.
   * @returns the connection, which takes the segment; `null` when it brings none
   */
  ackArrives(path: Path, seg: Segment): Tcb | null {
    const { host } = this;
    const { cookies } = this.#env;
    if (host.now - this.#lastCookieAt > COOKIE_LIFETIME) return null;
    const budget = this.#env.budgetOf(path.interfaceIndex);
    if (!cookies.open(scratch, path, seg, this.settings, budget)) {
      host.counters.tcpSynCookiesFailed++;
      return null;
    }
    host.counters.tcpSynCookiesRecv++;
    if (this.#accepts.size >= this.#backlog) {
      // The peer takes itself for connected, and nobody will remember it: better that it knows.
      host.counters.tcpListenOverflows++;
      host.counters.tcpListenDrops++;
      return null;
    }
    host.counters.tcpPassiveOpens++;
    return this.#env.spawn(this, path, seg.destinationPort, seg.sourcePort, scratch, true);
  }

  /** The handshake of `record` is complete. @returns the connection; `null` when there is no room for it now */
  complete(record: HalfOpen): Tcb | null {
    const { host } = this;
    if (this.#accepts.size >= this.#backlog) {
      host.counters.tcpListenOverflows++;
      if (!record.isAcked) this.#ackedCount++;
      record.isAcked = true;
      return null;
    }
    this.#forget(record);
    return this.#env.spawn(this, record.path, record.localPort, record.remotePort, record, true);
  }

  // What half-open connections say.

  acceptHeld(record: HalfOpen): TcpEndpoint {
    this.#forget(record);
    const tcb = this.#env.spawn(this, record.path, record.localPort, record.remotePort, record, false);
    // The caller's at once: it never sees the accept queue.
    tcb.opener = null;
    return tcb.endpoint as EventSource & TcpEndpoint;
  }

  rejectHeld(record: HalfOpen): void {
    record.send(TCP_RST, Cause.reset);
    this.abandon(record);
  }

  repeated(record: HalfOpen): void {
    if (!record.isHeld) record.answer();
  }

  abandon(record: HalfOpen): void {
    this.#forget(record);
    this.host.counters.tcpAttemptFails++;
  }

  expired(record: HalfOpen): void {
    const { host } = this;
    this.#env.delist(record);
    host.counters.tcpAttemptFails++;
    if (!record.isAcked) return;
    // Its peer has been waiting for room in the accept queue all the time.
    this.#ackedCount--;
    host.counters.tcpListenDrops++;
    record.send(TCP_RST, Cause.reset);
  }

  // What connections say that are not accepted yet.

  established(child: Tcb): boolean {
    // With Fast Open it has been there since its SYN.
    if (this.#accepts.has(child)) return true;
    if (this.#accepts.size >= this.#backlog) return false;
    this.#accepts.add(child);
    this.host.notify(this.endpoint, EndpointEvent.acceptable);
    return true;
  }

  abandoned(child: Tcb): void {
    if (this.#accepts.delete(child)) this.#callWaiting();
  }

  /** The oldest established connection, which is the caller's from now on; `null` when there is none. */
  take(): Tcb | null {
    for (const child of this.#accepts) {
      this.#accepts.delete(child);
      child.opener = null;
      this.#callWaiting();
      return child;
    }
    return null;
  }

  /** Resets every connection that nobody has accepted. */
  close(): void {
    for (const record of [...this.#synQueue]) {
      record.send(TCP_RST, Cause.reset);
      this.abandon(record);
    }
    for (const child of [...this.#accepts]) {
      this.#accepts.delete(child);
      abort(child);
    }
  }

  #refuse(packet: InboundPacket, seg: Segment): DropReason {
    this.host.counters.tcpListenDrops++;
    refuseSegment(this.host, packet, seg);
    return DropReason.tcpBacklogFull;
  }

  /** The peer has to wait for its answer, and asks again meanwhile. Those past the bound wait without being remembered. */
  #hold(path: Path, seg: Segment, sequenceAfter: number | null): DropReason {
    if (this.#synQueue.size >= this.#env.config.maxHalfOpen) {
      this.host.counters.tcpListenDrops++;
      return DropReason.tcpBacklogFull;
    }
    this.#synQueue.hold(this.#remember(path, seg, sequenceAfter));
    this.host.notify(this.endpoint, EndpointEvent.requested);
    return DropReason.none;
  }

  /** What the Fast Open option of a SYN is worth (RFC 7413 §4.2.2); `null` when it has none. */
  #judgeFastOpen(path: Path, seg: Segment): FastOpenRequest | null {
    if ((seg.options & TCP_OPTION_FAST_OPEN) === 0) return null;
    const { fastOpenCookies } = this.#env;
    const { counters } = this.host;
    const verdict = fastOpenCookies.judge(path, seg.bytes, seg.fastOpenAt, seg.fastOpenLength);
    if (seg.fastOpenLength === 0) counters.tcpFastOpenCookieReqd++;
    else if (verdict === CookieVerdict.bad) counters.tcpFastOpenPassiveFail++;
    else if (!this.#fastOpens.hasRoom) counters.tcpFastOpenListenOverflows++;
    return {
      isGood: verdict !== CookieVerdict.bad,
      isDue: verdict !== CookieVerdict.good,
      bytes: fastOpenCookies.make(path),
      isExperiment: (seg.options & TCP_OPTION_FAST_OPEN_EXPERIMENT) !== 0,
    };
  }

  /** A connection to accept at once, with the text of its SYN; the handshake goes on behind it. */
  #openFast(path: Path, seg: Segment, sequenceAfter: number | null, answer: FastOpenAnswer | null): void {
    const { host, settings } = this;
    const { config } = this.#env;
    const budget = this.#env.budgetOf(path.interfaceIndex);
    readSyn(scratch, host, config, settings, budget, path, seg, sequenceAfter);
    const child = this.#env.spawn(this, path, seg.destinationPort, seg.sourcePort, scratch, false);
    host.counters.tcpPassiveOpens++;
    child.isFastOpened = true;
    if (answer !== null && !answer.isExperiment) child.fastOpenOption = answer.bytes.slice();
    this.#fastOpens.add(child);
    const length = Math.min(seg.payloadLength, child.rcvWnd);
    if (length > 0) placeText(child, child.rcvNxt, seg.bytes, seg.payloadAt, length);
    child.congestion.start(child.smss, false, child.rtt.srtt, host.now);
    this.#accepts.add(child);
    host.notify(this.endpoint, EndpointEvent.acceptable);
  }

  #remember(path: Path, seg: Segment, sequenceAfter: number | null): HalfOpen {
    const { host, settings } = this;
    const env = this.#env;
    const record = new HalfOpen(this, path, seg.destinationPort, seg.sourcePort);
    const budget = env.budgetOf(path.interfaceIndex);
    readSyn(record, host, env.config, settings, budget, path, seg, sequenceAfter);
    host.counters.tcpPassiveOpens++;
    env.enlist(record);
    return record;
  }

  #sendCookie(path: Path, seg: Segment, answer: FastOpenAnswer | null): void {
    const { host, settings, endpoint } = this;
    const { config, cookies } = this.#env;
    const { destinationPort, sourcePort } = seg;
    const budget = this.#env.budgetOf(path.interfaceIndex);
    readSyn(scratch, host, config, settings, budget, path, seg, null);
    const tsVal = cookies.bake(scratch, path, destinationPort, sourcePort);
    sendSynAck(
      host,
      settings,
      path,
      destinationPort,
      sourcePort,
      scratch,
      tsVal,
      answer,
      Cause.synCookie,
      endpoint,
    );
    this.#lastCookieAt = host.now;
    host.counters.tcpSynCookiesSent++;
    host.counters.tcpOutSegs++;
  }

  #makeRoom(): void {
    const { stalest } = this.#synQueue;
    if (stalest === null) return;
    this.host.counters.tcpListenDrops++;
    this.abandon(stalest);
  }

  #forget(record: HalfOpen): void {
    this.#synQueue.remove(record);
    this.#env.delist(record);
    if (record.isAcked) this.#ackedCount--;
  }

  /** The accept queue has room: whoever waits for it is asked for its ACK again. */
  #callWaiting(): void {
    const waiting = this.#ackedCount > 0 ? this.#synQueue.firstAcked : null;
    if (waiting === null) return;
    // The next place is for the next.
    waiting.isAcked = false;
    this.#ackedCount--;
    waiting.answer();
  }
}
