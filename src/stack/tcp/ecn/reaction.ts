/**
 * What a sender does when it hears of CE marks: as after a loss, but nothing has to be sent again (RFC 3168 §6.1.2, RFC 9768
 * §3.1.5). Once a window: marks of packets that left before the reduction are its own doing.
 */

import { seqGeq } from '../../../base/index.ts';
import { TcpEvent, trace } from '../observe/trace.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { EcnFeedback, type EcnState } from './state.ts';

/** What was in flight when the window was reduced is acknowledged by `ack`: the next mark counts again. */
export function endReduction(ecn: EcnState, ack: number): void {
  if (ecn.isReduced && seqGeq(ack, ecn.reducedUntil)) ecn.isReduced = false;
}

/** Whether the window may not grow: the echo of marks lasts (RFC 3168 §6.1.2). */
export function isWindowReduced(tcb: Tcb): boolean {
  return tcb.ecn?.isReduced ?? false;
}

/** Whether a reduction for a loss that was none may be taken back: not when there were marks too (RFC 4015 §3). */
export function mayUndo(tcb: Tcb): boolean {
  return !(tcb.ecn?.isEpisodeMarked ?? false);
}

/** Reduces the window unless it was reduced in this round trip, for marks or for a loss. @param marked bytes, for the trace */
export function reduceWindow(tcb: Tcb, ecn: EcnState, marked: number): void {
  // A loss has reduced it already; the peer wants to hear of it all the same.
  if (ecn.feedback === EcnFeedback.classic && !ecn.isReduced) ecn.isCwrDue = true;
  ecn.isEpisodeMarked = true;
  const { congestion } = tcb;
  if (!ecn.isReduced && tcb.recovery === Recovery.open) {
    ecn.isReduced = true;
    tcb.counts.ecnSignals++;
    ecn.reducedUntil = tcb.sndNxt;
    congestion.onCongestion('ecn', tcb.flightSize, tcb.host.now);
    if (!congestion.isModelBased) congestion.cwnd = Math.min(congestion.cwnd, congestion.ssthresh);
  }
  trace(tcb, TcpEvent.congestionEcho, marked, congestion.cwnd);
}
