/**
 * Loss recovery: what is lost, what is still in the network, and when an episode starts and ends.
 *
 * One bookkeeping serves both families of algorithms. Bytes before `lostEnd` that the peer has not SACKed are lost; those before
 * `highRxt` are sent again already. What is in the network (RFC 6675's pipe) is what is in flight, less what has left it, less
 * what is lost and not yet sent again; the congestion window bounds that.
 *
 *  - With SACK (RFC 6675) the scoreboard says what has left the network, and `lostEnd` follows from it.
 *  - Without (RFC 6582) each duplicate ACK says that one segment has left, and only the first hole is known to be lost.
 *
 * Limited transmit (RFC 3042) needs no rule of its own: the first two duplicate ACKs already make room in the window.
 */

import { seqDiff, seqGeq, seqGt, seqLeq, seqLt, seqMax } from '../../base/index.ts';
import { readSackBlocks, sackedLossEdge } from './scoreboard.ts';
import type { Segment } from './segment.ts';
import { Recovery, type Tcb } from './tcb.ts';

/** RFC 5681 §3.2 and RFC 6675 §2: DupThresh. */
export const DUP_THRESH = 3;

/** Bytes in the network: RFC 6675's pipe. */
export function bytesInNetwork(tcb: Tcb): number {
  const left = tcb.isSackEnabled ? tcb.sacked.bytes : tcb.dupAckBytes;
  const flight = tcb.flightSize - left;
  const from = seqMax(tcb.highRxt, tcb.sndUna);
  const unsent = seqDiff(tcb.lostEnd, from);
  if (unsent <= 0) return flight;
  return flight - unsent + tcb.sacked.bytesWithin(from, tcb.lostEnd);
}

/** The first byte that is lost and not sent again; at or past `lostEnd` when there is none. */
export function nextLost(tcb: Tcb): number {
  let seq = seqMax(tcb.highRxt, tcb.sndUna);
  const { sacked } = tcb;
  if (sacked.count === 0 || seqGeq(seq, tcb.lostEnd)) return seq;
  const index = sacked.indexAfter(seq);
  if (index < sacked.count && seqLeq(sacked.startOf(index), seq)) seq = sacked.endOf(index);
  return seq;
}

/** Where the lost range that starts at `seq` ends. */
export function lostRangeEnd(tcb: Tcb, seq: number): number {
  const { sacked } = tcb;
  const index = sacked.indexAfter(seq);
  if (index < sacked.count && seqLt(sacked.startOf(index), tcb.lostEnd)) return sacked.startOf(index);
  return tcb.lostEnd;
}

/**
 * New data was acknowledged: SND.UNA has moved on by `acked` bytes.
 * @param flightBefore what was in flight before
 */
export function onNewAck(tcb: Tcb, seg: Segment, acked: number, flightBefore: number): void {
  tcb.dupAcks = 0;
  tcb.sacked.dropBelow(tcb.sndUna);
  if (tcb.isSackEnabled) readSackBlocks(tcb, seg);
  if (tcb.recovery === Recovery.open) {
    // RFC 7661 §4.1: a window that was not half used is not known to be safe.
    grow(tcb, acked, 2 * flightBefore >= tcb.congestion.cwnd);
    tcb.dupAckBytes = 0;
    tcb.lostEnd = tcb.sndUna;
    if (tcb.isSackEnabled && tcb.sacked.count > 0) findLoss(tcb);
    return;
  }
  if (seqGeq(tcb.sndUna, tcb.recoveryPoint)) {
    endRecovery(tcb, acked);
    return;
  }
  if (tcb.recovery === Recovery.timeout) {
    grow(tcb, acked, true);
    return;
  }
  onPartialAck(tcb, acked);
}

/** RFC 6582 §3.2 step 3, "partial acknowledgments"; RFC 6675 §5 (C). */
function onPartialAck(tcb: Tcb, acked: number): void {
  if (tcb.isSackEnabled) {
    tcb.lostEnd = seqMax(tcb.lostEnd, sackedLossEdge(tcb));
    // The byte at SND.UNA is lost even if too little above it is SACKed: it was outstanding when recovery began.
    if (seqGeq(tcb.sndUna, tcb.highRxt)) markFirstLost(tcb);
    return;
  }
  // The retransmitted segment filled the hole; the rest of what was acknowledged had been counted by duplicate ACKs.
  tcb.dupAckBytes = Math.max(0, tcb.dupAckBytes - Math.max(0, acked - tcb.smss));
  tcb.highRxt = tcb.sndUna;
  markFirstLost(tcb);
  tcb.isRetransmitForced = true;
}

/** A duplicate ACK (RFC 5681 §2), or with SACK one that brought news of data above SND.UNA (RFC 6675 §2). */
export function onDuplicateAck(tcb: Tcb, packets: number): void {
  tcb.dupAcksIn += packets;
  if (tcb.recovery === Recovery.timeout) return;
  tcb.dupAcks += packets;
  if (!tcb.isSackEnabled) {
    // At least one segment, the lost one, has not left.
    const most = Math.max(0, tcb.flightSize - tcb.smss);
    tcb.dupAckBytes = Math.min(most, tcb.dupAckBytes + packets * tcb.smss);
  }
  if (tcb.recovery === Recovery.fast) {
    if (tcb.isSackEnabled) tcb.lostEnd = seqMax(tcb.lostEnd, sackedLossEdge(tcb));
    return;
  }
  findLoss(tcb);
}

/** Starts fast recovery when enough has arrived above SND.UNA. */
function findLoss(tcb: Tcb): void {
  const edge = tcb.isSackEnabled ? sackedLossEdge(tcb) : tcb.sndUna;
  if (tcb.dupAcks < DUP_THRESH && !seqGt(edge, tcb.sndUna)) return;
  tcb.recovery = Recovery.fast;
  tcb.recoveryPoint = tcb.sndNxt;
  tcb.congestion.onCongestion('loss', tcb.flightSize, tcb.host.now);
  tcb.highRxt = tcb.sndUna;
  tcb.lostEnd = edge;
  markFirstLost(tcb);
  tcb.isRetransmitForced = true;
  tcb.fastRetransmits++;
}

/** The retransmission timer ran out: everything in flight is lost unless SACKed (RFC 6298 §5.4, RFC 6675 §5.1). */
export function onRetransmissionTimeout(tcb: Tcb): void {
  const isFirst = tcb.retransmissions <= 1;
  tcb.congestion.onTimeout(tcb.flightSize, isFirst, tcb.host.now);
  // A peer may forget what it has SACKed (RFC 2018 §8): it has when the timer runs out again, or when it claims to hold the
  // byte that it still asks for.
  if (!isFirst || (tcb.sacked.count > 0 && seqLeq(tcb.sacked.startOf(0), tcb.sndUna))) tcb.sacked.clear();
  tcb.recovery = Recovery.timeout;
  tcb.recoveryPoint = tcb.sndNxt;
  markAllLost(tcb);
  tcb.dupAcks = 0;
  tcb.dupAckBytes = 0;
}

/** Everything in flight has to be sent again: after a timeout, or in smaller segments when the path's MTU fell. */
export function markAllLost(tcb: Tcb): void {
  tcb.lostEnd = tcb.sndNxt;
  tcb.highRxt = tcb.sndUna;
  tcb.isRetransmitForced = true;
}

function endRecovery(tcb: Tcb, acked: number): void {
  if (tcb.recovery === Recovery.fast) tcb.congestion.onRecovered(tcb.flightSize, tcb.host.now);
  else grow(tcb, acked, true);
  tcb.recovery = Recovery.open;
  tcb.dupAckBytes = 0;
  tcb.lostEnd = tcb.sndUna;
  tcb.isRetransmitForced = false;
}

/** The segment at SND.UNA is lost. */
function markFirstLost(tcb: Tcb): void {
  const end = (tcb.sndUna + Math.min(tcb.smss, tcb.flightSize)) | 0;
  if (seqGt(end, tcb.lostEnd)) tcb.lostEnd = end;
}

function grow(tcb: Tcb, acked: number, isCwndLimited: boolean): void {
  const { sample } = tcb.env;
  sample.now = tcb.host.now;
  sample.acked = acked;
  sample.delivered = acked;
  sample.isCwndLimited = isCwndLimited;
  tcb.congestion.onAck(sample);
}
