/**
 * Fifth, check the ACK field (RFC 9293 §3.10.7.4, RFC 5961 §5).
 */

import { seqDiff, seqGt, seqLeq, seqLt } from '../../../base/index.ts';
import { DropReason, TCP_ACK, TCP_FIN, TCP_RST } from '../../../wire/index.ts';
import { EndpointEvent } from '../../api.ts';
import { Cause } from '../../host.ts';
import { challenge } from '../acknowledge.ts';
import { tuneSendBuffer } from '../buffers/send-tuning.ts';
import { sendBareSegment } from '../control-segment.ts';
import { takeEcnFeedback } from '../ecn/ecn.ts';
import type { EcnState } from '../ecn/state.ts';
import { becomeTimeWait, changeState, finish, tell, tellClosed } from '../lifecycle.ts';
import { onAcknowledgement, onOldReport } from '../loss/recovery.ts';
import { noteSizeAcked } from '../path/path-mtu.ts';
import type { Segment } from '../segment.ts';
import { type Tcb, TcpTimer } from '../tcb.ts';
import { dropUrgentMarks } from '../urgent.ts';
import { becomeEstablished } from './established.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function checkAck(tcb: Tcb, seg: Segment): Verdict {
  if ((seg.flags & TCP_ACK) === 0) return DropReason.tcpNoAck;
  const isOpening = tcb.state === 'SYN-RECEIVED';
  if (isOpening) {
    const verdict = completeHandshake(tcb, seg);
    if (verdict !== GO_ON) return verdict;
  }
  const acked = seqDiff(seg.ack, tcb.sndUna);
  const sndMax = tcb.isProbeOut ? (tcb.sndNxt + 1) | 0 : tcb.sndNxt;
  // Not sent yet, or too old: RFC 5961 §5.2.
  if (seqGt(seg.ack, sndMax) || (acked < 0 && isTooOld(tcb, seg.ack, acked))) {
    challenge(tcb);
    return DropReason.tcpAckUnacceptable;
  }
  const hasFeedback = tcb.ecn !== null && acked >= 0 && !isOpening;
  const marked = hasFeedback ? takeEcnFeedback(tcb, tcb.ecn as EcnState, seg, acked) : 0;
  tcb.env.sample.marked = marked;
  if (marked > 0) tcb.counts.eceAcksIn++;
  if (acked > 0) takeAck(tcb, seg, acked);
  else if (tcb.sent.count > 0) {
    if (acked === 0) takeDuplicate(tcb, seg);
    else if (tcb.isSackEnabled && seg.sackCount > 0) onOldReport(tcb, seg);
  }
  if (acked >= 0) updateWindow(tcb, seg);
  return acked > 0 && tcb.isFinQueued ? checkFinAcked(tcb) : GO_ON;
}

/**
 * Older than any window that we had, or than our SYN: such an ACK was never sent. The second is more than RFC 5961 §5.2
 * asks for; the windows of today are so large that its rule alone would take a quarter of all numbers from whoever guesses.
 * @param acked how far `ack` is from SND.UNA, less than 0
 */
function isTooOld(tcb: Tcb, ack: number, acked: number): boolean {
  if (acked < -Math.max(tcb.maxSndWnd, 1)) return true;
  // With less acknowledged than a window, ISS is still near enough to compare with.
  return tcb.bytesOut - tcb.flightSize < tcb.maxSndWnd && seqLt(ack, tcb.iss);
}

/** SYN-RECEIVED: an acceptable ACK establishes the connection, another is answered with a RST. */
function completeHandshake(tcb: Tcb, seg: Segment): Verdict {
  if (seqGt(seg.ack, tcb.sndUna) && seqLeq(seg.ack, tcb.sndNxt)) {
    return becomeEstablished(tcb, seg) ? GO_ON : DropReason.tcpBacklogFull;
  }
  const { host, path, localPort, remotePort } = tcb;
  sendBareSegment(host, path, localPort, remotePort, seg.ack, 0, TCP_RST, 0, Cause.reset, tcb.endpoint);
  return DropReason.tcpAckUnacceptable;
}

/** SND.UNA moves on. */
function takeAck(tcb: Tcb, seg: Segment, acked: number): void {
  if (seqGt(seg.ack, tcb.sndNxt)) {
    // The probe's byte was taken.
    tcb.sndNxt = seg.ack;
    tcb.bytesOut++;
  }
  tcb.isProbeOut = false;
  tcb.sndUna = seg.ack;
  freeAcknowledged(tcb);
  noteSizeAcked(tcb);
  onAcknowledgement(tcb, seg, acked, 0);
  tcb.retransmissions = 0;
  tcb.wayChanges = 0;
  tcb.softError = 0;
  const { now } = tcb.host;
  tcb.path.confirm(now);
  tcb.stalledSince = now;
  // RFC 6298 §5.2.
  if (tcb.flightSize === 0) tcb.disarm(TcpTimer.retransmit);
}

function freeAcknowledged(tcb: Tcb): void {
  const { tx } = tcb;
  tuneSendBuffer(tcb);
  const bytes = Math.min(tx.used, seqDiff(tcb.sndUna, tcb.txStart));
  if (bytes <= 0) return;
  tx.discard(bytes);
  tcb.txStart = (tcb.txStart + bytes) | 0;
  if (tcb.urgentOut !== null) dropUrgentMarks(tcb, tcb.urgentOut);
  let events = tx.used === 0 ? EndpointEvent.drained : 0;
  // A quarter of the buffer at once, so that a writer isn't woken for every segment.
  if (tcb.isWriterWaiting && 4 * tx.free >= tx.limit) {
    tcb.isWriterWaiting = false;
    events |= EndpointEvent.writable;
  }
  if (events !== 0) tell(tcb, events);
}

/**
 * SND.UNA has not moved. RFC 5681 §2 says what a duplicate ACK is; with SACK it is one that reports more than was known
 * (RFC 6675 §2), or a duplicate (RFC 2883).
 */
function takeDuplicate(tcb: Tcb, seg: Segment): void {
  if (tcb.isSackEnabled) {
    if (seg.sackCount > 0) onAcknowledgement(tcb, seg, 0, 1);
    else if (tcb.probe.isOut) onAcknowledgement(tcb, seg, 0, 0);
    return;
  }
  if (seg.payloadLength > 0 || (seg.flags & TCP_FIN) !== 0) return;
  if (seg.window << tcb.sndWindShift !== tcb.sndWnd) return;
  onAcknowledgement(tcb, seg, 0, seg.packets);
}

/** The segment's window, unless an older segment brings it (RFC 9293 §3.10.7.4: SND.WL1, SND.WL2). */
function updateWindow(tcb: Tcb, seg: Segment): void {
  const isNewer = seqLt(tcb.sndWl1, seg.seq) || (tcb.sndWl1 === seg.seq && seqLeq(tcb.sndWl2, seg.ack));
  if (!isNewer) return;
  tcb.sndWl1 = seg.seq;
  tcb.sndWl2 = seg.ack;
  const window = seg.window << tcb.sndWindShift;
  if (window === 0 && tcb.sndWnd > 0) tcb.counts.zeroRwinRcvd++;
  tcb.sndWnd = window;
  if (window === 0) return;
  if (window > tcb.maxSndWnd) tcb.maxSndWnd = window;
  tcb.persistBackoff = 0;
  tcb.wayChanges = 0;
  if (seqDiff((tcb.sndUna + window) | 0, tcb.sndNxt) > 0) tcb.disarm(TcpTimer.persist);
}

/** The states that wait for the acknowledgement of our FIN. */
function checkFinAcked(tcb: Tcb): Verdict {
  if (seqDiff(tcb.sndUna, tcb.sndFin) <= 0) return GO_ON;
  switch (tcb.state) {
    case 'FIN-WAIT-1':
      changeState(tcb, 'FIN-WAIT-2');
      if (tcb.isOrphan) {
        tellClosed(tcb);
        tcb.arm(TcpTimer.finWait2, tcb.config.finWait2Ms);
      }
      return GO_ON;
    case 'CLOSING':
      becomeTimeWait(tcb);
      return DropReason.none;
    case 'LAST-ACK':
      finish(tcb);
      return DropReason.none;
    default:
      return GO_ON;
  }
}
