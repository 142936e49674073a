/**
 * What a connection sends when it is its turn: nothing is built before. In order: SYN, lost text again, new text and FIN, the
 * ACKs that nothing carried, probes.
 *
 * When to send new text: RFC 9293 §3.8.6.2.1 (silly window), §3.7.4 (Nagle), with Minshall's change: a segment that is not full
 * waits only while another such one is unacknowledged.
 */

import { seqGt, type TransmitBatch } from '../../base/index.ts';
import { TCP_FIN, TCP_PSH, TCP_SYN } from '../../wire/index.ts';
import { StackError } from '../api.ts';
import { Cause } from '../host.ts';
import { notePaced, pacedBudget } from './congestion/pacing.ts';
import { beginFastOpen } from './fast-open/client.ts';
import { bytesInNetwork } from './loss/loss-marks.ts';
import { armRetransmission, restartRetransmission } from './loss/retransmission-timer.ts';
import { emitLost, emitTailCopy, noteSent } from './loss/retransmit.ts';
import { noteProbe } from './loss/tail-loss-probe.ts';
import { noteStop, noteWindow } from './observe/counting.ts';
import { TcpEvent, trace } from './observe/trace.ts';
import { dueProbe, noteProbeSent } from './path/mtu-search.ts';
import { adoptPathMtu } from './path/path-mtu.ts';
import { canSegment, limitLength, segmentSize, writeSegment } from './segment-writer.ts';
import { isFastOpening } from './send.ts';
import { Recovery, type Tcb, TcpTimer } from './tcb.ts';
import { isUrgentFrom, withinOneMark } from './urgent.ts';

/**
 * Adds what `tcb` may send now to `batch`, up to its share of a turn.
 * @returns whether it would send more
 */
export function emitSegments(tcb: Tcb, batch: TransmitBatch): boolean {
  if (tcb.state === 'CLOSED' || tcb.state === 'TIME-WAIT' || !hasPath(tcb)) return false;
  if (tcb.path.mtu !== tcb.mtu) adoptPathMtu(tcb);
  if (tcb.isSynDue) {
    emitSyn(tcb, batch);
    if (isFastOpening(tcb)) return tcb.tx.used > 0;
  } else if ((tcb.state !== 'SYN-SENT' && tcb.state !== 'SYN-RECEIVED') || isFastOpening(tcb)) {
    // RFC 9768 §3.2.2.1: how the SYN-ACK arrived can be told in an ACK without text only.
    if (tcb.acksDue > 0 && (tcb.ecn?.isHandshakeAckDue ?? false)) {
      if (batch.count === batch.capacity) return true;
      writeSegment(tcb, batch, tcb.sndNxt, 0, 0, tcb.ackCause);
    }
    if (emitText(tcb, batch)) return true;
  }
  while (tcb.acksDue > 0) {
    if (batch.count === batch.capacity) return true;
    writeSegment(tcb, batch, tcb.sndNxt, 0, 0, tcb.ackCause);
  }
  if (tcb.isTailProbeDue) {
    if (batch.count === batch.capacity) return true;
    emitProbe(tcb, batch);
  }
  if (tcb.isProbeDue || tcb.isKeepAliveDue) {
    if (batch.count === batch.capacity) return true;
    if (tcb.isProbeDue) emitWindowProbe(tcb, batch);
    else emitKeepAlive(tcb, batch);
  }
  return false;
}

/** Sends SYN, or SYN and ACK, the first time or again. */
function emitSyn(tcb: Tcb, batch: TransmitBatch): void {
  tcb.isSynDue = false;
  const isPassive = tcb.state === 'SYN-RECEIVED';
  const isFirst = tcb.sndNxt === tcb.iss;
  const cause = isFirst ? (isPassive ? Cause.synAck : Cause.syn) : Cause.synRetransmission;
  const length = isFirst && !isPassive ? beginFastOpen(tcb) : 0;
  writeSegment(tcb, batch, tcb.iss, TCP_SYN, length, cause);
  tcb.fastOpenOption = null;
  if (isFirst) {
    tcb.sndNxt = (tcb.iss + 1 + length) | 0;
    tcb.bytesOut += length;
    tcb.synSentAt = tcb.host.now;
  }
  armRetransmission(tcb);
}

/** @returns whether the share of the turn, or the batch, is used up */
function emitText(tcb: Tcb, batch: TransmitBatch): boolean {
  // At least a segment, whatever its size: with less, each would have to wait for the override of a silly window.
  let budget = Math.max(
    segmentSize(tcb),
    canSegment(tcb) ? tcb.config.maxSuperSegment : tcb.config.sendQuantum,
  );
  budget = pacedBudget(tcb, budget);
  if (budget === 0) {
    noteStop(tcb, true);
    return false;
  }
  let isSent = false;
  let isMore = true;
  // SACK blocks make a segment smaller than SMSS: the first helping goes in any case.
  while (isMore && batch.count < batch.capacity && (budget >= tcb.smss || !isSent)) {
    let sent = emitLost(tcb, batch, budget);
    if (sent === 0 && tcb.mtuSearch !== null) sent = emitMtuProbe(tcb, batch);
    if (sent === 0) sent = emitNew(tcb, batch, budget);
    if (sent === 0) isMore = false;
    else isSent = true;
    notePaced(tcb, sent);
    budget -= sent;
  }
  if (isSent) armRetransmission(tcb);
  if (!isMore) {
    noteStop(tcb, false);
    armPersist(tcb);
  }
  return isMore;
}

/** Sends text for the first time, and FIN with or after the last of it. @returns bytes of sequence space, 0 for none */
function emitNew(tcb: Tcb, batch: TransmitBatch, budget: number): number {
  const queued = tcb.unsentBytes;
  if (queued < 0 || (queued === 0 && !tcb.isFinQueued)) return 0;
  const available = tcb.urgentOut === null ? queued : withinOneMark(tcb.urgentOut, tcb.sndNxt, queued);
  const windowRoom = tcb.usableWindow;
  if (windowRoom <= 0) return 0;
  restartIfIdle(tcb);
  const size = segmentSize(tcb);
  const cwndRoom = tcb.congestion.cwnd - bytesInNetwork(tcb);
  const length = sendableLength(tcb, available, Math.min(windowRoom, cwndRoom), budget, size);
  if (length < 0 || (length === 0 && available > 0)) return 0;
  const isFin = length === queued && tcb.isFinQueued && length < windowRoom;
  if (length === 0 && !isFin) return 0;
  return writeNew(tcb, batch, length, isFin);
}

/** PLPMTUD: a segment of new text that is larger than the others, when one is due. @returns bytes of sequence space, 0 for none */
function emitMtuProbe(tcb: Tcb, batch: TransmitBatch): number {
  restartIfIdle(tcb);
  const { smss, isFragmentable } = tcb;
  const windowRoom = tcb.usableWindow;
  const cwndRoom = tcb.congestion.cwnd - bytesInNetwork(tcb);
  const length = dueProbe(tcb, tcb.unsentBytes, Math.min(windowRoom, cwndRoom));
  if (length === 0) return 0;
  // For this one segment it is SMSS, and routers must not cut it.
  tcb.smss = length;
  tcb.isFragmentable = false;
  const sent = writeNew(tcb, batch, length, false);
  tcb.smss = smss;
  tcb.isFragmentable = isFragmentable;
  noteProbeSent(tcb, sent);
  return sent;
}

/** @returns bytes of sequence space */
function writeNew(tcb: Tcb, batch: TransmitBatch, length: number, isFin: boolean): number {
  const seq = tcb.sndNxt;
  const isLast = length === tcb.unsentBytes;
  const flags = (isLast && length > 0 ? TCP_PSH : 0) | (isFin ? TCP_FIN : 0);
  if (tcb.flightSize === 0) tcb.stalledSince = tcb.host.now;
  writeSegment(
    tcb,
    batch,
    seq,
    flags,
    length,
    isFin ? Cause.fin : tcb.urgentOut !== null ? Cause.urgent : Cause.data,
  );
  tcb.sndNxt = (seq + length + (isFin ? 1 : 0)) | 0;
  noteSent(tcb, seq);
  tcb.isProbeOut = false;
  tcb.bytesOut += length;
  if (length % segmentSize(tcb) !== 0) tcb.sndSml = tcb.sndNxt;
  return length + (isFin ? 1 : 0);
}

/** RFC 8985 §7.3: new data if there is any, whatever the congestion window; else the last segment again. */
function emitProbe(tcb: Tcb, batch: TransmitBatch): void {
  tcb.isTailProbeDue = false;
  if (tcb.flightSize === 0 || tcb.recovery !== Recovery.open) return;
  const available = tcb.unsentBytes;
  const windowRoom = tcb.usableWindow;
  let length = Math.min(available, segmentSize(tcb));
  if (tcb.urgentOut !== null) length = withinOneMark(tcb.urgentOut, tcb.sndNxt, length);
  const isNew = length > 0 && length <= windowRoom;
  if (isNew) {
    writeNew(tcb, batch, length, false);
    trace(tcb, TcpEvent.tailProbe, (tcb.sndNxt - length) | 0, length);
  } else if (!emitTailCopy(tcb, batch)) return;
  noteProbe(tcb, !isNew);
  restartRetransmission(tcb);
}

/**
 * How much of `available` bytes a segment (or super-segment) takes now; 0: better wait.
 * @param usable what both windows leave
 */
function sendableLength(tcb: Tcb, available: number, usable: number, budget: number, size: number): number {
  const length = limitLength(tcb, available, Math.min(usable, budget), size);
  if (length < available) {
    if (length >= size) return length;
    // Not even a full segment: only when it is half of the largest window the peer ever had (RFC 9293 §3.8.6.2.1, MUST-38).
    return length > 0 && 2 * length >= tcb.maxSndWnd ? length : 0;
  }
  const tail = length % size;
  if (tail === 0 || tcb.settings.noDelay || tcb.isFinQueued) return length;
  if (tcb.urgentOut !== null && isUrgentFrom(tcb.urgentOut, tcb.sndNxt)) return length;
  // Nagle and Minshall.
  return seqGt(tcb.sndSml, tcb.sndUna) ? length - tail : length;
}

/** A zero-window probe (RFC 9293 §3.8.6.1): the next byte although it doesn't fit, or what fits of a silly window. */
function emitWindowProbe(tcb: Tcb, batch: TransmitBatch): void {
  tcb.isProbeDue = false;
  const available = tcb.unsentBytes;
  const windowRoom = tcb.usableWindow;
  if (available > 0 && windowRoom > 0) {
    const length = Math.min(available, windowRoom, segmentSize(tcb));
    tcb.stalledSince = tcb.host.now;
    writeSegment(tcb, batch, tcb.sndNxt, TCP_PSH, length, Cause.data);
    tcb.sndNxt = (tcb.sndNxt + length) | 0;
    noteSent(tcb, (tcb.sndNxt - length) | 0);
    tcb.sndSml = tcb.sndNxt;
    tcb.bytesOut += length;
    armRetransmission(tcb);
  } else if (available > 0) {
    writeSegment(tcb, batch, tcb.sndNxt, 0, 1, Cause.windowProbe);
    tcb.isProbeOut = true;
  } else {
    // Only FIN is left, which a closed window would not take: ask for the window alone.
    writeSegment(tcb, batch, (tcb.sndNxt - 1) | 0, 0, 0, Cause.windowProbe);
  }
}

/** A keep-alive probe (RFC 9293 §3.8.4): an old sequence number, which the peer has to answer. */
function emitKeepAlive(tcb: Tcb, batch: TransmitBatch): void {
  tcb.isKeepAliveDue = false;
  writeSegment(tcb, batch, (tcb.sndNxt - 1) | 0, 0, 0, Cause.keepAlive);
}

/** Text waits, nothing is in flight, and so nothing will come that could say that the window has opened. */
function armPersist(tcb: Tcb): void {
  if (tcb.flightSize !== 0 || tcb.isArmed(TcpTimer.persist)) return;
  if (!tcb.hasUnsent) return;
  tcb.arm(TcpTimer.persist, Math.min(tcb.config.maxRto, tcb.rtt.base * 2 ** tcb.persistBackoff));
}

/** RFC 5681 §4.1: after an idle time the window no longer says anything about the path. */
function restartIfIdle(tcb: Tcb): void {
  const { now } = tcb.host;
  const idle = now - tcb.lastSentAt;
  if (tcb.flightSize === 0 && idle > tcb.rtt.rto) {
    tcb.congestion.onRestart(idle, tcb.rtt.rto, now);
    noteWindow(tcb);
  }
}

/** Asks for a new way when routes or addresses changed. @returns false when there is none now: timers will try again */
function hasPath(tcb: Tcb): boolean {
  if (tcb.path.isValid) return true;
  const path = tcb.host.pathTo(tcb.localAddress, tcb.remoteAddress);
  if (path === null) {
    waitForPath(tcb);
    return false;
  }
  tcb.isWayless = false;
  const isMoved = path.interfaceIndex !== tcb.path.interfaceIndex;
  tcb.path = path;
  if (isMoved) {
    tcb.budget?.leave(tcb);
    tcb.budget = tcb.env.budgetOf(path.interfaceIndex);
  }
  if (isMoved) tcb.requestOutput();
  return !isMoved;
}

/** No route: a timer asks again, and gives up in the end as for a peer that does not answer. */
function waitForPath(tcb: Tcb): void {
  tcb.softError = StackError.networkUnreachable;
  tcb.isWayless = true;
  if (tcb.isSynDue) armRetransmission(tcb);
  else armPersist(tcb);
}

/** Whether a turn would send anything: cheap, and may say yes when a window forbids it. */
export function hasOutput(tcb: Tcb): boolean {
  return (
    tcb.acksDue > 0 ||
    tcb.isSynDue ||
    tcb.isProbeDue ||
    tcb.isKeepAliveDue ||
    tcb.hasUnsent ||
    tcb.isTailProbeDue ||
    tcb.sent.lostBytes > 0
  );
}
