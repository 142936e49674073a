/**
 * Proportional rate reduction (RFC 9937): in fast recovery the window follows what is delivered, so that it has come down to
 * ssthresh when recovery ends, without the pause and the burst of halving it at once.
 */

import type { Tcb } from '../tcb.ts';
import type { Prr } from './loss-state.ts';

/**
 * §6.2, on entering recovery. What was SACKed before is not going to be delivered in it, what this very ACK has brought is.
 */
export function startPrr(tcb: Tcb, prr: Prr): void {
  const { sample } = tcb.env;
  const sackedBefore = tcb.sent.sackedBytes - (sample.delivered - sample.acked);
  prr.recoverFs = Math.max(1, tcb.flightSize - Math.max(0, sackedBefore) + sample.acked);
  prr.prrDelivered = 0;
  prr.prrOut = 0;
}

/**
 * §6.2, on every ACK during recovery. @returns cwnd
 *
 * Also when RACK's timer has found losses, where the RFC says nothing: what left the network then is not room to be filled with one
 * burst. A single segment goes in any case, since without deliveries no ACK would let another go.
 */
export function proportionalWindow(tcb: Tcb, prr: Prr, inFlight: number): number {
  const { sample } = tcb.env;
  const { ssthresh, smss, cwnd } = tcb.congestion;
  const { delivered, lost } = sample;
  if (delivered === 0 && lost === 0) return cwnd;
  prr.prrDelivered += delivered;
  let sndcnt: number;
  if (inFlight > ssthresh) {
    sndcnt = Math.ceil((prr.prrDelivered * ssthresh) / prr.recoverFs) - prr.prrOut;
  } else {
    // PRR-CRB, and PRR-SSRB when the ACK shows that nothing else is missing.
    sndcnt = Math.max(prr.prrDelivered - prr.prrOut, delivered);
    const isSafe = sample.acked > 0 && sample.lost === 0;
    if (isSafe) sndcnt += smss;
    sndcnt = Math.min(ssthresh - inFlight, sndcnt);
  }
  // The first retransmission goes whatever the count, and the first of what a timer has found.
  if ((prr.prrOut === 0 || delivered === 0) && sndcnt <= 0) sndcnt = smss;
  return inFlight + Math.max(0, sndcnt);
}
