/**
 * The tail-loss probe (RFC 8985 §7): when nothing is heard for two round trips, one more segment is sent, so that the peer's
 * answer shows a loss at the end of a flight, which otherwise only the retransmission timer would find.
 */

import { seqGeq, seqGt } from '../../../base/index.ts';
import type { Segment } from '../segment.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { news } from './ack-news.ts';

/** The longest that a peer waits before it acknowledges a single segment, ms: the RFC's WCDelAckT. */
const WORST_DELAYED_ACK = 200;
/** PTO before the first round-trip sample, ms (§7.2). */
const FIRST_PTO = 1000;
/**
 * Least PTO, ms. Deviation: the RFC has none; on a path of microseconds two round trips are shorter than the peer needs to be
 * scheduled.
 */
const LEAST_PTO = 10;

/** §7.2: ms until a probe should be sent; negative when none should. */
export function probeTimeout(tcb: Tcb): number {
  const { sent } = tcb;
  if (!tcb.isSackEnabled || tcb.probe.isOut || tcb.recovery !== Recovery.open) return -1;
  if (sent.inFlightBytes === 0 || sent.sackedBytes > 0 || tcb.rtt.isBackedOff) return -1;
  if (!tcb.rtt.hasSample) return FIRST_PTO;
  let pto = 2 * tcb.rtt.srtt;
  if (tcb.flightSize <= tcb.smss) pto += WORST_DELAYED_ACK;
  return Math.max(LEAST_PTO, pto);
}

/** A probe left. */
export function noteProbe(tcb: Tcb, isRetransmission: boolean): void {
  const { probe } = tcb;
  probe.isOut = true;
  probe.endSeq = tcb.sndNxt;
  probe.isRetransmission = isRetransmission;
  tcb.tailProbes++;
}

/** §7.4.2. @returns whether the probe repaired a loss, which congestion control has to hear of */
export function isLossRepaired(tcb: Tcb, seg: Segment, acked: number): boolean {
  const { probe } = tcb;
  if (!probe.isOut || !seqGeq(seg.ack, probe.endSeq)) return false;
  if (!probe.isRetransmission || news.isDuplicateReported) {
    // All that was in flight has arrived, or the original has.
    probe.isOut = false;
    return false;
  }
  if (seqGt(seg.ack, probe.endSeq)) {
    probe.isOut = false;
    return true;
  }
  // The same ACK twice and no SACK: both copies arrived, at a peer that does not report duplicates.
  if (acked === 0 && seg.sackCount === 0 && seg.payloadLength === 0) probe.isOut = false;
  return false;
}
