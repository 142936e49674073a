/**
 * A segment for a half-open connection: the steps of RFC 9293 §3.10.7.4 as they read in SYN-RECEIVED after a passive open. The
 * acknowledgement of our SYN is not used up here: the control block that is made then takes the segment from the first step
 * on, with what text and FIN it has.
 */

import { seqGt, seqLeq, seqLt } from '../../../base/index.ts';
import { DropReason, TCP_ACK, TCP_OPTION_TIMESTAMPS, TCP_RST, TCP_SYN } from '../../../wire/index.ts';
import { Cause } from '../../host.ts';
import { mayAnswer } from '../acknowledge.ts';
import type { TcpConfig } from '../config.ts';
import { sendBareSegment } from '../control-segment.ts';
import { rereadEcnSyn } from '../ecn/half-open.ts';
import type { Segment } from '../segment.ts';
import { GO_ON, type Verdict } from '../steps/verdict.ts';
import type { HalfOpen } from './half-open.ts';

/** @returns `GO_ON` when the segment completes the handshake */
export function synReceived(record: HalfOpen, config: TcpConfig, seg: Segment): Verdict {
  // First, the sequence number, and before it the timestamp.
  if ((seg.flags & (TCP_SYN | TCP_ACK | TCP_RST)) === TCP_SYN && seg.seq === record.irs) {
    return repeatedSyn(record, seg);
  }
  // Held, it has not been answered: nobody can know our number, and nobody is told.
  if (record.isHeld && (seg.flags & TCP_RST) === 0) return DropReason.tcpOutOfWindow;
  const isSyn = (seg.flags & TCP_SYN) !== 0;
  // A SYN's timestamp proves nothing: a host that has started anew has a new clock.
  if ((seg.flags & TCP_RST) === 0 && !isSyn && record.isTimestamped) {
    if ((seg.options & TCP_OPTION_TIMESTAMPS) === 0) return DropReason.tcpPaws;
    if (seqLt(seg.tsVal, record.tsRecent)) {
      challenge(record, config);
      return DropReason.tcpPaws;
    }
  }
  if (!isAcceptable(record, seg)) {
    if ((seg.flags & TCP_RST) === 0) challenge(record, config);
    const end = (seg.seq + seg.len) | 0;
    return seqLeq(end, record.rcvNxt) ? DropReason.tcpDuplicate : DropReason.tcpOutOfWindow;
  }
  // Second, the RST bit: back to LISTEN, and nobody is told. A guess within the window is challenged (RFC 5961 §3.2).
  if ((seg.flags & TCP_RST) !== 0) {
    if (seg.seq !== record.rcvNxt) {
      if (!record.isHeld) challenge(record, config);
      return DropReason.tcpResetUnacceptable;
    }
    record.owner.abandon(record);
    return DropReason.none;
  }
  // Fourth, the SYN bit: "if the connection was initiated with a passive OPEN, then return this connection to LISTEN".
  if (isSyn) {
    record.owner.abandon(record);
    return DropReason.tcpSynInWindow;
  }
  return checkAck(record, seg);
}

/** Fifth, the ACK field: SND.UNA < SEG.ACK ≤ SND.NXT leaves one number. */
function checkAck(record: HalfOpen, seg: Segment): Verdict {
  if ((seg.flags & TCP_ACK) === 0) return DropReason.tcpNoAck;
  if (seg.ack === record.sndNxt) return GO_ON;
  const { owner, path, localPort, remotePort, endpoint } = record;
  sendBareSegment(owner.host, path, localPort, remotePort, seg.ack, 0, TCP_RST, 0, Cause.reset, endpoint);
  return DropReason.tcpAckUnacceptable;
}

/** The peer's SYN again: our answer was lost, or is late. What it says now is what it means. */
function repeatedSyn(record: HalfOpen, seg: Segment): Verdict {
  const hasTimestamp = (seg.options & TCP_OPTION_TIMESTAMPS) !== 0;
  if (record.isTimestamped && hasTimestamp && seqGt(seg.tsVal, record.tsRecent)) record.tsRecent = seg.tsVal;
  rereadEcnSyn(record, seg);
  record.owner.repeated(record);
  return DropReason.tcpDuplicate;
}

/** An ACK that tells the peer where we are, and not too often: what asks for it may be forged (RFC 5961 §7). */
function challenge(record: HalfOpen, config: TcpConfig): void {
  const isDue = mayAnswer(record, record.owner.host.now, config.challengeAcksPerSecond);
  if (isDue) record.send(0, Cause.challengeAck);
}

/** Table 6 of RFC 9293: some part of the segment lies in the window that the SYN-ACK offered; of a RST its number alone counts. */
function isAcceptable(record: HalfOpen, seg: Segment): boolean {
  const { rcvNxt } = record;
  const edge = (rcvNxt + record.rcvWnd) | 0;
  const { seq } = seg;
  const len = (seg.flags & TCP_RST) !== 0 ? 0 : seg.len;
  if (seq === rcvNxt) return len === 0 || record.rcvWnd > 0;
  if (len === 0) return seqGt(seq, rcvNxt) && seqLt(seq, edge);
  return seqLt(seq, edge) && seqGt((seq + len) | 0, rcvNxt);
}
