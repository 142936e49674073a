/**
 * What both sides say in SYN and SYN-ACK of a passive open: all that a connection is made of later, in one flat record. A
 * `HalfOpen` keeps it in the SYN queue, a SYN cookie folds it into sequence number and timestamp, and `passiveOpen` makes a
 * control block of it.
 */

import {
  TCP_OPTION_MSS,
  TCP_OPTION_SACK_PERMITTED,
  TCP_OPTION_TIMESTAMPS,
  TCP_OPTION_WINDOW_SCALE,
} from '../../../wire/index.ts';
import type { Host, Path } from '../../host.ts';
import type { WindowBudget } from '../buffers/window-budget.ts';
import type { TcpConfig, TcpSettings } from '../config.ts';
import { type EcnHandshake, readEcnSyn } from '../ecn/half-open.ts';
import { hashTuple, initialSequence, tupleHash } from '../isn.ts';
import { offeredShift } from '../options.ts';
import { defaultMss } from '../path/mss.ts';
import type { Segment } from '../segment.ts';

export interface Handshake extends EcnHandshake {
  /** Our initial sequence number and the peer's. */
  iss: number;
  irs: number;
  /** The window of the peer's SYN, and the one that we offer in the SYN-ACK; neither is scaled (RFC 7323 §2.2). */
  sndWnd: number;
  rcvWnd: number;
  /** What the peer announced, or RFC 9293 MUST-15's default. */
  peerMss: number;
  /** Agreed shifts; `rcvWindShift` is 0 without window scaling. */
  sndWindShift: number;
  rcvWindShift: number;
  isSackEnabled: boolean;
  isTimestamped: boolean;
  tsRecent: number;
  /** Offset of our timestamp clock (RFC 7323 §7.1). */
  tsOffset: number;
  /** When the SYN-ACK was sent that may be timed; negative: none may (Karn's rule, or nobody remembers). */
  sentAt: number;
  /** How often the SYN-ACK was sent again. */
  retransmissions: number;
}

/** A handshake with nothing in it. */
export function emptyHandshake(): Handshake {
  return {
    iss: 0,
    irs: 0,
    sndWnd: 0,
    rcvWnd: 0,
    peerMss: 0,
    sndWindShift: 0,
    rcvWindShift: 0,
    isSackEnabled: false,
    isTimestamped: false,
    tsRecent: 0,
    tsOffset: 0,
    ecnFeedback: 0,
    synEcn: 0,
    isEctUsed: true,
    sentAt: -1,
    retransmissions: 0,
  };
}

/** How far past its predecessor a connection starts that follows one in TIME-WAIT (RFC 9293 §3.6.1, MAY-2). */
const ISN_GAP = 65_537;

/**
 * Takes what `seg`, a SYN, asks for, narrowed to what this side wants too (RFC 7323 §1.3, RFC 2018 §2), and chooses the
 * sequence number.
 *
 * @param sequenceAfter the number lies past it: the connection follows one in TIME-WAIT (RFC 6191)
 */
export function readSyn(
  into: Handshake,
  host: Host,
  config: TcpConfig,
  settings: TcpSettings,
  budget: WindowBudget | null,
  path: Path,
  seg: Segment,
  sequenceAfter: number | null,
): void {
  hashTuple(host.secret, path.source, seg.destinationPort, path.destination, seg.sourcePort);
  const iss = initialSequence(host.now);
  const isTooLow = sequenceAfter !== null && ((iss - sequenceAfter) | 0) < ISN_GAP;
  into.iss = isTooLow ? (sequenceAfter + ISN_GAP) | 0 : iss;
  into.tsOffset = tupleHash.timestamp;
  into.irs = seg.seq;
  into.sndWnd = seg.window;
  const { options } = seg;
  into.peerMss = (options & TCP_OPTION_MSS) !== 0 ? seg.mss : defaultMss(path.source.family);
  into.isTimestamped = settings.timestamps && (options & TCP_OPTION_TIMESTAMPS) !== 0;
  into.tsRecent = into.isTimestamped ? seg.tsVal : 0;
  into.isSackEnabled = config.sack && (options & TCP_OPTION_SACK_PERMITTED) !== 0;
  const isScaled = config.windowScaling && (options & TCP_OPTION_WINDOW_SCALE) !== 0;
  into.sndWindShift = isScaled ? seg.windowShift : 0;
  offerWindow(into, host, config, settings, budget, isScaled);
  readEcnSyn(into, settings.ecn, seg);
  into.sentAt = -1;
  into.retransmissions = 0;
}

/** The window and shift that this side offers: what a new connection's would be. */
export function offerWindow(
  into: Handshake,
  host: Host,
  config: TcpConfig,
  settings: TcpSettings,
  budget: WindowBudget | null,
  isScaled: boolean,
): void {
  into.rcvWindShift = isScaled ? offeredShift(settings, config) : 0;
  const room = Math.min(0xffff, settings.receiveBufferSize);
  into.rcvWnd = budget === null ? room : Math.min(room, budget.shareOf(NEWCOMER, host.now));
}

/** A connection without text yet, as a budget sees it. */
const NEWCOMER = { bytesIn: 0, lastTextAt: Number.NEGATIVE_INFINITY, rmss: 536 };
