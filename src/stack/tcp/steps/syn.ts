/**
 * Fourth, check the SYN bit (RFC 9293 §3.10.7.4, RFC 5961 §4.2): in a synchronized state an ACK asks the peer whether it means
 * it. A peer that has forgotten the connection answers that with an exact RST.
 */

import { DropReason, TCP_SYN } from '../../../wire/index.ts';
import { challenge } from '../acknowledge.ts';
import { repeatedSynAck } from '../ecn/negotiation.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function checkSyn(tcb: Tcb, seg: Segment): Verdict {
  if ((seg.flags & TCP_SYN) === 0) return GO_ON;
  if (tcb.ecn !== null && seg.seq === tcb.irs) repeatedSynAck(tcb.ecn, seg);
  challenge(tcb);
  return DropReason.tcpSynInWindow;
}
