/**
 * SYN-SENT (RFC 9293 §3.10.7.3).
 *
 * A split handshake (Beardsley and Qian, "The TCP Split Handshake", 2010) answers our SYN with a lone ACK and then a SYN of the
 * peer's own, so that what watches the connection takes the peer for the one who opened it. Who has our SYN answers with SYN and
 * ACK; who opens at the same time has not seen it when its SYN leaves. So after a lone ACK of our SYN a lone SYN is not taken.
 */

import { seqDiff, seqGt, seqLeq } from '../../../base/index.ts';
import { DropReason, TCP_ACK, TCP_RST, TCP_SYN } from '../../../wire/index.ts';
import { StackError } from '../../api.ts';
import { Cause } from '../../host.ts';
import { acknowledgeNow } from '../acknowledge.ts';
import { sendBareSegment } from '../control-segment.ts';
import { acceptEcnSynAck, answerEcnSyn } from '../ecn/negotiation.ts';
import { withdrawSynText } from '../fast-open/client.ts';
import { changeState, fail } from '../lifecycle.ts';
import { agreeOptions } from '../options.ts';
import type { Segment } from '../segment.ts';
import { type Tcb, TcpTimer } from '../tcb.ts';
import { becomeEstablished } from './established.ts';
import { processFin } from './fin.ts';
import { processText } from './text.ts';
import { checkUrgent } from './urg.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function synSent(tcb: Tcb, seg: Segment): Verdict {
  const hasAck = (seg.flags & TCP_ACK) !== 0;
  // First, the ACK bit.
  if (hasAck && (seqLeq(seg.ack, tcb.iss) || seqGt(seg.ack, tcb.sndNxt))) {
    refuse(tcb, seg);
    return DropReason.tcpAckUnacceptable;
  }
  // Second, the RST bit.
  if ((seg.flags & TCP_RST) !== 0) {
    if (!hasAck) return DropReason.tcpResetUnacceptable;
    refused(tcb);
    return DropReason.none;
  }
  // Third, security; fourth, the SYN bit.
  if ((seg.flags & TCP_SYN) === 0) {
    if (hasAck) tcb.isSynAckedAlone = true;
    return DropReason.tcpOutOfWindow;
  }
  if (!hasAck && tcb.isSynAckedAlone) return DropReason.tcpSynInWindow;
  if (hasAck) acceptEcnSynAck(tcb, seg);
  else answerEcnSyn(tcb, seg);
  takeSyn(tcb, seg);
  if (!hasAck) return crossedSyn(tcb, seg);
  acknowledgeNow(tcb, Cause.ack);
  if (!becomeEstablished(tcb, seg)) return DropReason.none;
  let verdict = checkUrgent(tcb, seg);
  if (verdict === GO_ON) verdict = processText(tcb, seg);
  if (verdict === GO_ON) verdict = processFin(tcb, seg);
  return verdict;
}

/**
 * The peer has answered our SYN with a RST.
 *
 * Deviation: RFC 9293 §3.10.7.3 ends the attempt at once. A user may ask for more SYNs, as Windows sends them (SEM-CONN-08): a
 * service that is being started is reached at the second.
 */
function refused(tcb: Tcb): void {
  if (tcb.refusals >= tcb.settings.refusedRetries) {
    fail(tcb, StackError.connectionRefused);
    return;
  }
  tcb.refusals++;
  tcb.softError = StackError.connectionRefused;
  tcb.arm(TcpTimer.retransmit, tcb.config.refusedRetryMs);
}

/** Takes the peer's sequence number and options; what is behind the SYN starts at SEG.SEQ afterwards. */
function takeSyn(tcb: Tcb, seg: Segment): void {
  tcb.irs = seg.seq;
  tcb.lastReceivedAt = tcb.host.now;
  tcb.rcvNxt = (seg.seq + 1) | 0;
  tcb.lastAckSent = tcb.rcvNxt;
  // What our SYN offers, or is about to.
  tcb.rcvAdv = (tcb.rcvNxt + Math.min(0xffff, tcb.rx.limit)) | 0;
  agreeOptions(tcb, seg);
  // The urgent pointer counts from the SYN.
  if (seg.urgentPointer > 0) seg.urgentPointer--;
  seg.seq = tcb.rcvNxt;
  seg.len = seqDiff((seg.seq + seg.len - 1) | 0, seg.seq);
}

/** Simultaneous open (RFC 9293 §3.5, figure 8): both SYNs are answered. */
function crossedSyn(tcb: Tcb, seg: Segment): Verdict {
  changeState(tcb, 'SYN-RECEIVED');
  withdrawSynText(tcb);
  tcb.sndWnd = seg.window;
  tcb.sndWl1 = seg.seq;
  tcb.sndWl2 = tcb.iss;
  tcb.isSynDue = true;
  return DropReason.none;
}

function refuse(tcb: Tcb, seg: Segment): void {
  if ((seg.flags & TCP_RST) !== 0) return;
  const { host, path, localPort, remotePort } = tcb;
  sendBareSegment(host, path, localPort, remotePort, seg.ack, 0, TCP_RST, 0, Cause.reset, tcb.endpoint);
}
