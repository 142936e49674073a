/**
 * AccECN's feedback (RFC 9768 §3.2): the receiver counts packets that arrived with CE, and bytes by codepoint. The low three bits
 * of the former, the ACE field, are on every segment after the handshake; the low 24 bits of the latter are in an option that
 * may be missing (`accurate-option.ts`). A sender subtracts what it knew from what it reads.
 */

import { seqGt } from '../../../base/index.ts';
import { ECN_CE, ECN_ECT0, ECN_ECT1, TCP_OPTION_ACC_ECN } from '../../../wire/index.ts';
import { Cause } from '../../host.ts';
import { acknowledgeNow } from '../acknowledge.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { endReduction, reduceWindow } from './reaction.ts';
import { ACE_MASK, ACE_SHIFT, type EcnState } from './state.ts';

/** CE marks after which an ACK goes out at once: with text to acknowledge, and without (RFC 9768 §3.2.2.5.1). */
const MARKS_WITH_TEXT = 2;
const MARKS_WITHOUT_TEXT = 3;
const BYTES_MASK = 0xffffff;
/** Rounds at the start with nothing but marks: the path marks everything (RFC 9768 §3.2.2.3). */
const MAX_MARKED_ROUNDS = 4;
const ROUNDS_DONE = -1;

/** The peer's word on how our SYN or SYN-ACK arrived; it left as Not-ECT, and anything else is the path's doing (§3.2.2.3). */
export function takeHandshakeEcho(ecn: EcnState, ace: number): void {
  // 0b001, 0b101 and 0b111 have no meaning yet (table 4); 0b101 on a SYN-ACK says "unchanged" (§3.1.3).
  if (ace === 0b011 || ace === 0b100 || ace === 0b110) ecn.isEctUsed = false;
  ecn.isHandshakeMarked = ace === 0b110;
}

/** The first option of the peer: whether it came through, and not with zeros (§3.2.3.2.3, §3.2.3.2.4). */
export function noteFirstOption(ecn: EcnState, seg: Segment): void {
  if ((seg.options & TCP_OPTION_ACC_ECN) === 0) return;
  ecn.isOptionSeen = true;
  if (seg.accEcnCount === 0) return;
  const hasE0b = seg.accEcnCount === 3 || !seg.isAccEcnOrder1;
  const hasE1b = seg.accEcnCount === 3 || seg.isAccEcnOrder1;
  if ((hasE0b && seg.ee0b === 0) || (hasE1b && seg.ee1b === 0)) ecn.isOptionIgnored = true;
}

/** A server gets the segment that completes the handshake: only a plain ACK has the handshake's encoding (§3.2.2.1). */
export function takeHandshakeAck(tcb: Tcb, ecn: EcnState, seg: Segment): void {
  if (ecn.isCrossing) return;
  noteFirstOption(ecn, seg);
  if (!checkFirstAce(ecn, seg)) return;
  if (seg.len > 0 || seg.sackCount > 0) {
    takeAccurate(tcb, ecn, seg, 0);
    return;
  }
  isNewest(tcb, ecn, seg, 1);
  const ace = (seg.flags >> ACE_SHIFT) & ACE_MASK;
  takeHandshakeEcho(ecn, ace);
  if (ace === 0b110) ecn.sCep++;
}

/** A mark on our handshake: the connection starts with half a window. Called once the window is known. */
export function startAfterHandshakeMark(tcb: Tcb, ecn: EcnState): void {
  if (!ecn.isHandshakeMarked) return;
  ecn.ceDelivered++;
  const { congestion } = tcb;
  congestion.cwnd = Math.max(congestion.smss, congestion.cwnd >> 1);
}

/** Data receiver, of an acceptable segment: counts it (RFC 9768 §3.2), and asks for an ACK where §3.2.2.5.1 does. */
export function receiveAccurate(tcb: Tcb, ecn: EcnState, seg: Segment): void {
  const isMarked = seg.ipEcn === ECN_CE;
  const bytes = seg.payloadLength;
  if (isMarked) {
    ecn.rCep = (ecn.rCep + seg.packets) | 0;
    ecn.rCeb = (ecn.rCeb + bytes) | 0;
    ecn.ceReceived += seg.packets;
    ecn.marksSinceAck += seg.packets;
    const most = bytes > 0 ? MARKS_WITH_TEXT : MARKS_WITHOUT_TEXT;
    if (ecn.marksSinceAck >= most || (bytes > 0 && !ecn.wasMarked)) acknowledgeNow(tcb, Cause.ack);
  } else if (seg.ipEcn === ECN_ECT0) ecn.rE0b = (ecn.rE0b + bytes) | 0;
  else if (seg.ipEcn === ECN_ECT1) ecn.rE1b = (ecn.rE1b + bytes) | 0;
  ecn.wasMarked = isMarked;
  if (bytes > 0 && seg.ipEcn !== 0) ecn.isOptionDue = true;
}

/**
 * Data sender, of an acknowledgement that is not old.
 * @param acked by how much it moves SND.UNA
 * @returns bytes newly reported as marked
 */
export function takeAccurate(tcb: Tcb, ecn: EcnState, seg: Segment, acked: number): number {
  if (!checkFirstAce(ecn, seg) || !isNewest(tcb, ecn, seg, acked)) return 0;
  const packets = Math.ceil(acked / tcb.smss);
  const hasOption = readsOption(ecn, seg);
  // Without the field r.ceb has not changed (§3.2.3.3).
  const ceb = hasOption && seg.accEcnCount > 1 ? (seg.eceb - ecn.sCeb) & BYTES_MASK : 0;
  ecn.sCeb = (ecn.sCeb + ceb) | 0;
  const marks = newMarks(tcb, ecn, seg, packets, hasOption ? ceb : -1);
  ecn.sCep = (ecn.sCep + marks) | 0;
  ecn.marksSinceOption = hasOption ? 0 : ecn.marksSinceOption + marks;
  endReduction(ecn, seg.ack);
  ecn.ceDelivered += marks;
  checkCounters(ecn, packets);
  checkContinuous(tcb, ecn, marks, packets, seg.ack);
  if (marks === 0 || ecn.isFeedbackIgnored) return 0;
  // Without the option: as many bytes as these packets can have had (RFC 9768 appendix A.3).
  const most = marks * tcb.smss;
  const marked = Math.min(hasOption ? ceb : acked, most);
  reduceWindow(tcb, ecn, marked);
  return marked;
}

/** §3.2.2.4: r.cep starts above 0, so zero in the first segment was written by somebody on the way. */
function checkFirstAce(ecn: EcnState, seg: Segment): boolean {
  if (!ecn.isAceChecked) {
    ecn.isAceChecked = true;
    if (((seg.flags >> ACE_SHIFT) & ACE_MASK) === 0) {
      ecn.isEctUsed = false;
      ecn.isFeedbackIgnored = true;
    }
  }
  return !ecn.isFeedbackIgnored;
}

/**
 * Whether no later feedback was read before (§3.2.2.2): counters of an overtaken ACK would look as if they had gone round. It is
 * new when it acknowledges more, or was sent later by its sequence number or timestamp.
 */
function isNewest(tcb: Tcb, ecn: EcnState, seg: Segment, acked: number): boolean {
  const isLater =
    acked > 0 || seqGt(seg.seq, ecn.newestSeq) || (tcb.isTimestamped && seqGt(seg.tsVal, ecn.newestTsVal));
  if (!isLater) return false;
  ecn.newestSeq = seg.seq;
  ecn.newestTsVal = seg.tsVal;
  return true;
}

function readsOption(ecn: EcnState, seg: Segment): boolean {
  if (ecn.isOptionIgnored || (seg.options & TCP_OPTION_ACC_ECN) === 0) return false;
  ecn.isOptionSeen = true;
  return true;
}

/**
 * How far r.cep has moved, of which ACE tells three bits (§3.2.2.5.2, appendix A.2): when more than seven packets are
 * acknowledged at once it may have gone round. The option's bytes settle it; without, it is taken to have gone round as often as
 * it can have.
 *
 * Deviation: an unchanged ACE in a round trip without any mark is believed. A receiver acknowledges a mark that follows none
 * at once, and the other reading would take each ACK that stands for eight packets for eight marks.
 *
 * @param ceb marked bytes by the option, -1 without one
 */
function newMarks(tcb: Tcb, ecn: EcnState, seg: Segment, packets: number, ceb: number): number {
  const ace = (seg.flags >> ACE_SHIFT) & ACE_MASK;
  const least = (ace - ecn.sCep) & ACE_MASK;
  if (packets <= ACE_MASK) return least;
  const most = packets - ((packets - least) & ACE_MASK);
  if (ceb >= 0) {
    const counted = Math.ceil(ceb / tcb.smss) - ecn.marksSinceOption;
    return counted <= least ? least : Math.min(most, least + ((counted - least + ACE_MASK) & ~ACE_MASK));
  }
  // A peer that sends options sends them while r.ceb grows (§3.2.3.3).
  if (ecn.isOptionSeen && !ecn.isOptionIgnored) return least;
  return least === 0 && !ecn.isReduced ? 0 : most;
}

/** §3.2.3.2.5: marked bytes without a marked packet: somebody rewrites the flags, and perhaps the IP header too. */
function checkCounters(ecn: EcnState, packets: number): void {
  if (ecn.sCeb !== 0 && ecn.ceDelivered === 0 && packets <= ACE_MASK) ecn.isEctUsed = false;
}

/** §3.2.2.3: when the first rounds report every packet as marked, no queue does it. */
function checkContinuous(tcb: Tcb, ecn: EcnState, marks: number, packets: number, ack: number): void {
  if (ecn.markedRounds === ROUNDS_DONE || packets === 0) return;
  if (marks < packets) {
    ecn.markedRounds = ROUNDS_DONE;
    return;
  }
  if (ecn.markedRounds > 0 && !seqGt(ack, ecn.roundEnd)) return;
  ecn.markedRounds++;
  ecn.roundEnd = tcb.sndNxt;
  if (ecn.markedRounds <= MAX_MARKED_ROUNDS) return;
  ecn.markedRounds = ROUNDS_DONE;
  ecn.isEctUsed = false;
  ecn.isFeedbackIgnored = true;
}
