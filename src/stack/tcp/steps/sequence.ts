/**
 * First, check the sequence number (RFC 9293 §3.10.7.4), and before it the timestamp (RFC 7323 §5.3).
 *
 * Two kinds of segments are judged by rules of their own, those of RFC 5961: a RST by its number alone, in the second step; and
 * a SYN, whatever its number and timestamp, in the fourth. A host that has started anew has a new clock too, and has to hear
 * from us to find out that the connection is half-open (RFC 9293 §3.5.1).
 */

import { seqGt, seqLeq, seqLt } from '../../../base/index.ts';
import {
  DropReason,
  TCP_ACK,
  TCP_FIN,
  TCP_OPTION_TIMESTAMPS,
  TCP_RST,
  TCP_SYN,
} from '../../../wire/index.ts';
import { Cause } from '../../host.ts';
import { acknowledgeLimited, acknowledgeNow } from '../acknowledge.ts';
import { reportDuplicate } from '../buffers/reassembly.ts';
import { repeatedEcnSyn } from '../ecn/negotiation.ts';
import { noteRepeatedText } from '../path/way.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { GO_ON, type Verdict } from './verdict.ts';

/** RFC 7323 §5.5: a timestamp this old says nothing any more: 24 days. */
const TIMESTAMP_LIFETIME = 24 * 24 * 3600 * 1000;

export function checkSequence(tcb: Tcb, seg: Segment): Verdict {
  const { flags } = seg;
  if ((flags & TCP_RST) !== 0) return isInWindow(tcb, seg.seq) ? GO_ON : DropReason.tcpOutOfWindow;
  if ((flags & TCP_SYN) !== 0) {
    if (tcb.state !== 'SYN-RECEIVED') return GO_ON;
    if (seg.seq === tcb.irs) return repeatedSyn(tcb, seg);
  }
  if (tcb.isTimestamped) {
    const verdict = checkTimestamp(tcb, seg);
    if (verdict !== GO_ON) return verdict;
  }
  if (isAcceptable(tcb, seg)) return GO_ON;
  answerUnacceptable(tcb, seg);
  // With a closed window nothing fits, but its ACK and URG still count (MUST-66): a probe, or the peer's own traffic.
  if (tcb.rcvWnd === 0 && seg.seq === tcb.rcvNxt && (flags & TCP_SYN) === 0) {
    seg.payloadLength = 0;
    seg.len = 0;
    seg.flags &= ~TCP_FIN;
    return GO_ON;
  }
  return isOld(tcb, seg) ? DropReason.tcpDuplicate : DropReason.tcpOutOfWindow;
}

/** Table 6 of RFC 9293: some part of the segment lies in the window. */
function isAcceptable(tcb: Tcb, seg: Segment): boolean {
  const { rcvNxt, rcvAdv } = tcb;
  const { seq, len } = seg;
  if (len === 0) return isInWindow(tcb, seq);
  if (rcvNxt === rcvAdv) return false;
  const end = (seq + len) | 0;
  return seqLt(seq, rcvAdv) && seqGt(end, rcvNxt);
}

/** The lines of table 6 for a segment without length; a closed window still has room for RCV.NXT itself. */
function isInWindow(tcb: Tcb, seq: number): boolean {
  return seq === tcb.rcvNxt || (seqGt(seq, tcb.rcvNxt) && seqLt(seq, tcb.rcvAdv));
}

function isOld(tcb: Tcb, seg: Segment): boolean {
  return seqLeq((seg.seq + seg.len) | 0, tcb.rcvNxt);
}

/** An ACK tells the peer where we are: for each segment with text, and not too often for those without. */
function answerUnacceptable(tcb: Tcb, seg: Segment): void {
  if (seg.payloadLength > 0 && isOld(tcb, seg)) {
    reportDuplicate(tcb, seg.seq, (seg.seq + seg.payloadLength) | 0);
    noteRepeatedText(tcb);
  }
  if (seg.len > 0) acknowledgeNow(tcb, Cause.duplicateAck);
  else acknowledgeLimited(tcb, Cause.duplicateAck);
}

/** RFC 7323 §5.3, R1 and R2: protection against wrapped sequence numbers. */
function checkTimestamp(tcb: Tcb, seg: Segment): Verdict {
  // RFC 7323 §3.2: once agreed, every segment but a RST has it.
  if ((seg.options & TCP_OPTION_TIMESTAMPS) === 0) return DropReason.tcpPaws;
  if (seqLt(seg.tsVal, tcb.tsRecent) && tcb.host.now - tcb.tsRecentAt < TIMESTAMP_LIFETIME) {
    answerUnacceptable(tcb, seg);
    return DropReason.tcpPaws;
  }
  return GO_ON;
}

/**
 * RFC 7323 §5.3, R3: what to echo. Deviation: only once the ACK is known to be acceptable too; with a forged segment a stranger
 * could otherwise move the clock ahead, and have PAWS refuse all that the peer sends.
 */
export function noteTimestamp(tcb: Tcb, seg: Segment): void {
  if (seqLeq(seg.seq, tcb.lastAckSent) && isAcceptable(tcb, seg)) {
    tcb.tsRecent = seg.tsVal;
    tcb.tsRecentAt = tcb.host.now;
  }
}

/**
 * The peer's SYN again. Alone, our answer to it was lost: it is sent again. With an ACK, it is the other half of a
 * simultaneous open (RFC 9293 §3.5, figure 8): what follows the SYN is as good as any segment.
 */
function repeatedSyn(tcb: Tcb, seg: Segment): Verdict {
  repeatedEcnSyn(tcb, seg);
  if ((seg.flags & TCP_ACK) === 0) {
    tcb.isSynDue = true;
    return DropReason.tcpDuplicate;
  }
  if (seg.urgentPointer > 0) seg.urgentPointer--;
  seg.seq = (seg.seq + 1) | 0;
  seg.len--;
  seg.flags &= ~TCP_SYN;
  return GO_ON;
}
