/**
 * TIME-WAIT (RFC 9293 §3.4.2, §3.6.1): a small object that holds a finished connection's addresses and ports for 2 MSL, so that
 * old segments do not reach a new connection, and the peer's FIN is acknowledged should that ACK be lost.
 *
 * A RST does not end it (RFC 1337); a new SYN does, when it is plainly newer than all that went before (RFC 6191).
 */

import { type IpAddress, seqDiff, seqGt, type TimerOwner } from '../../base/index.ts';
import {
  DropReason,
  IPPROTO_TCP,
  sealTcp,
  TCP_ACK,
  TCP_FIN,
  TCP_HEADER_LEN,
  TCP_OPTION_TIMESTAMPS,
  TCP_RST,
  TCP_SYN,
  TCPOPT_TIMESTAMPS_LEN,
  writeTcp,
  writeTimestampsOption,
} from '../../wire/index.ts';
import type { Endpoint } from '../api.ts';
import { Cause, type Host, type Path } from '../host.ts';
import { changeState } from './lifecycle.ts';
import type { Segment } from './segment.ts';
import type { TcpState } from './state.ts';
import type { Tcb, TcpFlow } from './tcb.ts';

/** What the segment is a new connection's first: the answer of {@link TimeWait.arrives} besides drop reasons. */
export const NEW_CONNECTION = -1;

export class TimeWait implements TcpFlow, TimerOwner, Endpoint {
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
  readonly #host: Host;
  readonly #path: Path;
  readonly #window: number;
  readonly #duration: number;
  readonly #isTimestamped: boolean;
  readonly #tsOffset: number;
  #tsRecent: number;
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
    this.#host = host;
    this.#path = tcb.path;
    this.#window = Math.min(0xffff, tcb.rcvWnd >> tcb.rcvWindShift);
    this.#duration = 2 * tcb.config.msl;
    this.#isTimestamped = tcb.isTimestamped;
    this.#tsOffset = tcb.tsOffset;
    this.#tsRecent = tcb.tsRecent;
    this.#ended = ended;
    this.#timer = host.timers.create(this, 0);
    host.timers.arm(this.#timer, host.now + this.#duration);
  }

  /** Works on a segment. @returns `NEW_CONNECTION` (this one is over then), `none`, or why it was not used */
  arrives(seg: Segment): DropReason | typeof NEW_CONNECTION {
    if ((seg.flags & TCP_RST) !== 0) return DropReason.tcpResetUnacceptable;
    if ((seg.flags & (TCP_SYN | TCP_ACK)) === TCP_SYN && this.#isNewer(seg)) {
      this.close();
      return NEW_CONNECTION;
    }
    const hasTimestamp = (seg.options & TCP_OPTION_TIMESTAMPS) !== 0;
    const isWrapped = this.#isTimestamped && hasTimestamp && seqDiff(seg.tsVal, this.#tsRecent) < 0;
    if ((seg.flags & TCP_FIN) !== 0 && !isWrapped && (seg.flags & TCP_SYN) === 0) {
      // The peer did not see our ACK: 2 MSL begin anew.
      if (hasTimestamp) this.#tsRecent = seg.tsVal;
      this.#host.timers.arm(this.#timer, this.#host.now + this.#duration);
      this.acknowledge();
      return DropReason.none;
    }
    // An ACK alone asks for nothing, and answering it could go on for ever.
    if (seg.len === 0 && seg.seq === this.rcvNxt) return DropReason.none;
    this.acknowledge();
    return isWrapped ? DropReason.tcpPaws : DropReason.tcpDuplicate;
  }

  /** Sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. */
  acknowledge(): void {
    const options = this.#isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0;
    const length = TCP_HEADER_LEN + options;
    const packet = this.#host.reserveControl(this.#path, IPPROTO_TCP, length, 0, 0);
    if (packet === null) return;
    const { bytes, at } = packet;
    const { localPort, remotePort, sndNxt, rcvNxt } = this;
    const end = writeTcp(bytes, at, localPort, remotePort, sndNxt, rcvNxt, TCP_ACK, this.#window, 0, options);
    if (options > 0) {
      const now = (Math.floor(this.#host.now) + this.#tsOffset) | 0;
      writeTimestampsOption(bytes, end, now, this.#tsRecent);
    }
    sealTcp(bytes, at, length, this.#path.pseudoHeaderSum(IPPROTO_TCP) + length);
    this.#host.sendControl(packet, Cause.timeWaitAck, this);
    this.#host.counters.tcpOutSegs++;
  }

  /** Ends it before its time. */
  close(): void {
    this.#host.timers.destroy(this.#timer);
    if (this.tcb !== null) changeState(this.tcb, 'CLOSED');
    this.tcb = null;
    this.#ended(this);
  }

  timeout(): void {
    this.close();
  }

  /** RFC 6191 §2: a larger timestamp, or without them a larger sequence number. */
  #isNewer(seg: Segment): boolean {
    const hasTimestamp = (seg.options & TCP_OPTION_TIMESTAMPS) !== 0;
    if (this.#isTimestamped && hasTimestamp && seg.tsVal !== this.#tsRecent) {
      return seqDiff(seg.tsVal, this.#tsRecent) > 0;
    }
    return seqGt(seg.seq, this.rcvNxt);
  }
}
