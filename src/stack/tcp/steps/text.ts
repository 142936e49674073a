/**
 * Seventh, process the segment text (RFC 9293 §3.10.7.4).
 */

import { seqDiff, seqGt, seqLt, seqMin } from '../../../base/index.ts';
import { DropReason, TCP_FIN } from '../../../wire/index.ts';
import { EndpointEvent } from '../../api.ts';
import { Cause } from '../../host.ts';
import { acknowledgeEarly, acknowledgeNow, acknowledgeText } from '../acknowledge.ts';
import { placeText, reportDuplicate } from '../buffers/reassembly.ts';
import { sampleReceiverRtt } from '../buffers/receive-tuning.ts';
import { abort, tell } from '../lifecycle.ts';
import { countEarly } from '../observe/counting.ts';
import type { Segment } from '../segment.ts';
import { isReceiving } from '../state.ts';
import type { Tcb } from '../tcb.ts';
import { collectUrgent } from '../urgent.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function processText(tcb: Tcb, seg: Segment): Verdict {
  if (seg.payloadLength === 0) return GO_ON;
  // After the peer's FIN there can be no more text: "this should not occur" and is ignored.
  if (!isReceiving(tcb.state)) return DropReason.tcpReceiverClosed;
  if (seqGt(tcb.rcvNxt, seg.seq))
    reportDuplicate(tcb, seg.seq, seqMin(tcb.rcvNxt, (seg.seq + seg.payloadLength) | 0));
  if (!trimToWindow(tcb, seg)) {
    acknowledgeNow(tcb, Cause.duplicateAck);
    return (seg.flags & TCP_FIN) !== 0 ? GO_ON : DropReason.tcpDuplicate;
  }
  if (tcb.isOrphan || tcb.isReadShut) {
    // Nobody will ever read it, and the peer should know (RFC 9293 SHLD-3, SEM-SHUT-02).
    abort(tcb);
    return DropReason.tcpReceiverClosed;
  }
  return takeText(tcb, seg);
}

function takeText(tcb: Tcb, seg: Segment): Verdict {
  const before = tcb.rcvNxt;
  const hadEarly = tcb.early.count > 0;
  const reason = placeText(tcb, seg.seq, seg.bytes, seg.payloadAt, seg.payloadLength);
  if (reason !== DropReason.none) {
    // The peer sends it again; an ACK now tells it only what it knows.
    seg.flags &= ~TCP_FIN;
    return reason;
  }
  if (tcb.rcvNxt === before) {
    countEarly(tcb, seg.packets);
    acknowledgeEarly(tcb, seg.packets);
    return GO_ON;
  }
  if (tcb.rx.used > tcb.counts.maxAppRQueue) tcb.counts.maxAppRQueue = tcb.rx.used;
  tcb.lastTextAt = tcb.host.now;
  sampleReceiverRtt(tcb, seg.tsEcr);
  // There was no memory for the rest: the peer sends it again, and FIN behind it.
  if (seqLt(tcb.rcvNxt, (seg.seq + seg.payloadLength) | 0)) seg.flags &= ~TCP_FIN;
  if (tcb.urgentIn !== null) collectUrgent(tcb, tcb.urgentIn);
  acknowledgeText(tcb, seg.packets, hadEarly);
  tell(tcb, EndpointEvent.readable);
  return GO_ON;
}

/** Cuts off what has arrived already and what lies past the window, FIN with it. @returns whether text is left */
function trimToWindow(tcb: Tcb, seg: Segment): boolean {
  const old = seqDiff(tcb.rcvNxt, seg.seq);
  if (old > 0) {
    if (old >= seg.payloadLength) {
      seg.seq = (seg.seq + seg.payloadLength) | 0;
      seg.payloadLength = 0;
      return false;
    }
    seg.seq = tcb.rcvNxt;
    seg.payloadAt += old;
    seg.payloadLength -= old;
  }
  const past = seqDiff((seg.seq + seg.payloadLength) | 0, tcb.rcvAdv);
  if (past > 0) {
    seg.payloadLength -= past;
    seg.flags &= ~TCP_FIN;
  }
  // Text behind the peer's FIN is not part of the stream.
  if (tcb.hasRcvFin && seqGt((seg.seq + seg.payloadLength) | 0, tcb.rcvFin)) {
    seg.payloadLength = seqDiff(tcb.rcvFin, seg.seq);
  }
  return seg.payloadLength > 0;
}
