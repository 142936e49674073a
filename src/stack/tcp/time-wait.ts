/**
 * TIME-WAIT (RFC 9293 §3.4.2, §3.6.1): a small object that holds a finished connection's addresses and ports for 2 MSL, so that
 * old segments do not reach a new connection, and the peer's FIN is acknowledged should that ACK be lost.
 *
 * Nothing ends it early but a new SYN for a port that somebody listens on, when it is plainly newer than all that went before
 * (RFC 6191).
 *
 * Deviation: RFC 9293 §3.10.7.4 lets an exact RST end it. RFC 1337 §3 shows how an old segment's answer then makes room for
 * other old segments, so it is ignored.
 * Deviation: RFC 9293 §3.6.1 (MAY-2) would go back to TIME-WAIT when a SYN that was taken for new turns out to be old; here the
 * entry is gone, and a SYN so old has both a larger number and a newer timestamp than what came after it.
 */

import { type IpAddress, seqDiff, seqGt, type TimerOwner } from '../../base/index.ts';
import { DropReason, TCP_ACK, TCP_FIN, TCP_OPTION_TIMESTAMPS, TCP_RST, TCP_SYN } from '../../wire/index.ts';
import type { Endpoint } from '../api.ts';
import { Cause, type Host, type Path } from '../host.ts';
import { type AnswerCount, mayAnswer } from './acknowledge.ts';
import { type ConnectionNumbers, sendConnectionSegment } from './control-segment.ts';
import { lastEcnFlags } from './ecn/ecn.ts';
import { changeState } from './lifecycle.ts';
import { TcpEvent, trace } from './observe/trace.ts';
import type { Segment } from './segment.ts';
import { TCP_STATES, type TcpState } from './state.ts';
import type { Tcb, TcpEnvironment, TcpFlow } from './tcb.ts';

/** What the segment is a new connection's first: the answer of {@link TimeWait.arrives} besides drop reasons. */
export const NEW_CONNECTION = -1;

export class TimeWait implements TcpFlow, TimerOwner, Endpoint, ConnectionNumbers, AnswerCount {
  readonly kind = 'tcp';
  readonly state: TcpState = 'TIME-WAIT';
  readonly id: number;
  context: unknown = null;
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  nextConnection: TcpFlow | null = null;
  /** The user's handle while there is one, then this. */
  readonly endpoint: Endpoint;
  /** What the user still holds, to be read or closed. */
  tcb: Tcb | null;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly env: TcpEnvironment;
  readonly isTimestamped: boolean;
  readonly tsOffset: number;
  tsRecent: number;
  challengeSince = 0;
  challengeCount = 0;
  readonly #host: Host;
  readonly #path: Path;
  readonly #window: number;
  readonly #flags: number;
  readonly #duration: number;
  readonly #mostAnswers: number;
  readonly #takesTimestamps: boolean;
  readonly #timer: number;
  readonly #ended: (entry: TimeWait) => void;

  /** @param ended called when it is over: takes it out of the table */
  constructor(tcb: Tcb, ended: (entry: TimeWait) => void) {
    const { host } = tcb;
    this.id = tcb.endpoint.id;
    this.endpoint = tcb.isOrphan ? this : tcb.endpoint;
    this.localAddress = tcb.localAddress;
    this.localPort = tcb.localPort;
    this.remoteAddress = tcb.remoteAddress;
    this.remotePort = tcb.remotePort;
    this.tcb = tcb.isOrphan ? null : tcb;
    this.sndNxt = tcb.sndNxt;
    this.rcvNxt = tcb.rcvNxt;
    this.env = tcb.env;
    this.#host = host;
    this.#path = tcb.path;
    this.#flags = tcb.ecn === null ? 0 : lastEcnFlags(tcb.ecn);
    this.#window = Math.min(0xffff, tcb.rcvWnd >> tcb.rcvWindShift);
    this.#duration = 2 * tcb.config.msl;
    this.#mostAnswers = tcb.config.challengeAcksPerSecond;
    this.#takesTimestamps = tcb.config.timestamps;
    this.isTimestamped = tcb.isTimestamped;
    this.tsOffset = tcb.tsOffset;
    this.tsRecent = tcb.tsRecent;
    this.#ended = ended;
    this.#timer = host.timers.create(this, 0);
    host.timers.arm(this.#timer, host.now + this.#duration);
  }

  /**
   * Works on a segment.
   * @param isListening somebody would take a new connection to this port
   * @returns `NEW_CONNECTION` (this one is over then), `none`, or why it was not used
   */
  arrives(seg: Segment, isListening: boolean): DropReason | typeof NEW_CONNECTION {
    if ((seg.flags & TCP_RST) !== 0) return DropReason.tcpResetUnacceptable;
    if ((seg.flags & TCP_SYN) !== 0) return this.#synArrives(seg, isListening);
    if (this.isTimestamped) {
      if ((seg.options & TCP_OPTION_TIMESTAMPS) === 0) return DropReason.tcpPaws;
      if (seqDiff(seg.tsVal, this.tsRecent) < 0) {
        this.#answer(seg);
        return DropReason.tcpPaws;
      }
    }
    if ((seg.flags & TCP_FIN) !== 0 && ((seg.seq + seg.len) | 0) === this.rcvNxt) {
      // The peer did not see our ACK: 2 MSL begin anew.
      if (this.isTimestamped) this.tsRecent = seg.tsVal;
      this.#host.timers.arm(this.#timer, this.#host.now + this.#duration);
      this.acknowledge();
      return DropReason.none;
    }
    // An ACK alone asks for nothing.
    if (seg.len === 0 && seg.seq === this.rcvNxt) return DropReason.none;
    this.#answer(seg);
    return DropReason.tcpDuplicate;
  }

  /** Sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. */
  acknowledge(): void {
    sendConnectionSegment(this.#host, this.#path, this, this.#flags, this.#window, Cause.timeWaitAck, this);
  }

  /** Ends it before its time. */
  close(): void {
    this.#host.timers.destroy(this.#timer);
    if (this.tcb !== null) changeState(this.tcb, 'CLOSED');
    else trace(this, TcpEvent.state, TCP_STATES.indexOf('TIME-WAIT'), TCP_STATES.indexOf('CLOSED'));
    this.tcb = null;
    this.#ended(this);
  }

  timeout(): void {
    this.close();
  }

  #synArrives(seg: Segment, isListening: boolean): DropReason | typeof NEW_CONNECTION {
    if (isListening && (seg.flags & TCP_ACK) === 0 && this.#isNewer(seg)) {
      this.close();
      return NEW_CONNECTION;
    }
    // RFC 5961 §4.2: a peer that means it finds out that we still hold the connection.
    if (mayAnswer(this, this.#host.now, this.#mostAnswers)) this.acknowledge();
    return DropReason.tcpSynInWindow;
  }

  /** As a connection does: text each time, the rest not too often, since it could be the other's answer to ours. */
  #answer(seg: Segment): void {
    if (seg.len > 0 || mayAnswer(this, this.#host.now, this.#mostAnswers)) this.acknowledge();
  }

  /**
   * RFC 6191 §2: a larger timestamp makes a SYN newer, whatever its number. So does a timestamp where there were none, because
   * PAWS then protects the new connection. Else the sequence number has to be larger.
   */
  #isNewer(seg: Segment): boolean {
    const hasTimestamp = this.#takesTimestamps && (seg.options & TCP_OPTION_TIMESTAMPS) !== 0;
    if (hasTimestamp && !this.isTimestamped) return true;
    if (hasTimestamp && seg.tsVal !== this.tsRecent) return seqDiff(seg.tsVal, this.tsRecent) > 0;
    return seqGt(seg.seq, this.rcvNxt);
  }
}
