/**
 * A connection in SYN-RECEIVED that a listener was asked for: a record of some 200 bytes without buffers, congestion state or
 * timer of its own (the SYN queue has one for all). It answers what RFC 9293 §3.10.7.4 says for this state until the
 * acknowledgement of our SYN makes a control block of it.
 *
 * Its numbers: SND.UNA = ISS, SND.NXT = ISS + 1, RCV.NXT = IRS + 1, RCV.WND as offered in the SYN-ACK.
 */

import type { IpAddress } from '../../../base/index.ts';
import { DropReason } from '../../../wire/index.ts';
import type { ConnectionRequest, Endpoint, TcpEndpoint } from '../../api.ts';
import { Cause, type Host, type Path } from '../../host.ts';
import type { AnswerCount } from '../acknowledge.ts';
import type { TcpSettings } from '../config.ts';
import { type ConnectionNumbers, sendConnectionSegment } from '../control-segment.ts';
import { timestampAt } from '../options.ts';
import type { TcpState } from '../state.ts';
import type { Tcb, TcpFlow } from '../tcb.ts';
import type { Handshake } from './handshake.ts';
import { type FastOpenAnswer, sendSynAck } from './syn-ack.ts';

/** What a half-open connection sees of its listener. */
export interface HalfOpenOwner {
  readonly host: Host;
  /** The listener's settings: also what the connection will start with. */
  readonly settings: TcpSettings;
  /** The application has decided about a SYN that is held. */
  acceptHeld(record: HalfOpen): TcpEndpoint;
  rejectHeld(record: HalfOpen): void;
  /** The handshake is complete. @returns the connection; `null` when there is no room for it now */
  complete(record: HalfOpen): Tcb | null;
  /** The peer's SYN came again. */
  repeated(record: HalfOpen): void;
  /** The peer has given up, or nobody wants it any more: back to LISTEN. */
  abandon(record: HalfOpen): void;
}

export class HalfOpen
  implements Handshake, ConnectionNumbers, AnswerCount, ConnectionRequest, TcpFlow, Endpoint
{
  readonly kind = 'tcp';
  readonly state: TcpState = 'SYN-RECEIVED';
  readonly id: number;
  context: unknown = null;
  readonly owner: HalfOpenOwner;
  /** Whom its packets are about: itself, which has both addresses. */
  readonly endpoint: Endpoint = this;
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  nextConnection: TcpFlow | null = null;
  path: Path;

  // Its place in the SYN queue, which alone writes these.
  previous: HalfOpen | null = null;
  next: HalfOpen | null = null;
  deadline = 0;
  isQueued = false;
  /** Not answered yet: the application is to decide (SEM-COND-04). */
  isHeld = false;
  /** Our SYN was acknowledged, but the accept queue had no room. */
  isAcked = false;
  challengeSince = 0;
  challengeCount = 0;

  iss = 0;
  irs = 0;
  sndWnd = 0;
  rcvWnd = 0;
  peerMss = 0;
  sndWindShift = 0;
  rcvWindShift = 0;
  isSackEnabled = false;
  isTimestamped = false;
  tsRecent = 0;
  tsOffset = 0;
  ecnFeedback = 0;
  synEcn = 0;
  isEctUsed = true;
  sentAt = -1;
  retransmissions = 0;

  constructor(owner: HalfOpenOwner, path: Path, localPort: number, remotePort: number) {
    this.owner = owner;
    this.id = owner.host.nextId();
    this.path = path;
    this.localAddress = path.source;
    this.localPort = localPort;
    this.remoteAddress = path.destination;
    this.remotePort = remotePort;
  }

  get sndNxt(): number {
    return (this.iss + 1) | 0;
  }

  get rcvNxt(): number {
    return (this.irs + 1) | 0;
  }

  /** Sends the SYN-ACK, the first time or again. @param cookie the Fast Open cookie that goes with it */
  answer(cookie: FastOpenAnswer | null = null): void {
    const { owner, localPort, remotePort } = this;
    const { host, settings } = owner;
    if (!this.#hasPath(host)) return;
    const isFirst = this.sentAt < 0 && this.retransmissions === 0;
    const cause = isFirst ? Cause.synAck : Cause.synRetransmission;
    // RFC 4022: what is sent again is no tcpOutSegs.
    if (isFirst) host.counters.tcpOutSegs++;
    else host.counters.tcpRetransSegs++;
    this.sentAt = isFirst ? host.now : -1;
    const tsVal = timestampAt(host.now, this.tsOffset);
    sendSynAck(host, settings, this.path, localPort, remotePort, this, tsVal, cookie, cause, this.endpoint);
  }

  /** Tells the peer where we are: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>, or RST and ACK. */
  send(flags: number, cause: number): void {
    const { host } = this.owner;
    if (!this.#hasPath(host)) return;
    const window = this.rcvWnd >> this.rcvWindShift;
    sendConnectionSegment(host, this.path, this, flags, window, cause, this.endpoint);
  }

  /** ICMP says that the peer cannot be reached; `seq`: of the segment that it quotes (RFC 5927 §4.1, §5.2). */
  unreachable(seq: number, isHard: boolean): DropReason {
    if (seq !== this.iss) return DropReason.icmpNotInFlight;
    if (isHard) this.owner.abandon(this);
    return DropReason.none;
  }

  get isPending(): boolean {
    return this.isHeld && this.isQueued;
  }

  accept(): TcpEndpoint | null {
    return this.isPending ? this.owner.acceptHeld(this) : null;
  }

  reject(): void {
    if (this.isPending) this.owner.rejectHeld(this);
  }

  /** Forgets it without a word to the peer; idempotent. */
  close(): void {
    if (this.isQueued) this.owner.abandon(this);
  }

  #hasPath(host: Host): boolean {
    if (this.path.isValid) return true;
    const path = host.pathTo(this.localAddress, this.remoteAddress);
    if (path !== null) this.path = path;
    return path !== null;
  }
}
