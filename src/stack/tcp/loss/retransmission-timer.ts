/**
 * One timer for three deadlines, since only the first of them matters: the retransmission timeout (RFC 6298 §5), the tail-loss
 * probe (RFC 8985 §7.3) and RACK's reordering window (§6.3).
 */

import { type Tcb, TcpTimer } from '../tcb.ts';
import { probeTimeout } from './tail-loss-probe.ts';

/** What the timer stands for now. */
export const RetransmitTimer = { timeout: 0, tailProbe: 1, reordering: 2 } as const;

/** RFC 6298 §5.1, §5.3: the timeout begins anew, and the probe's time with it. */
export function restartRetransmission(tcb: Tcb): void {
  const { now } = tcb.host;
  tcb.rtoAt = now + tcb.rtt.rto;
  armEarliest(tcb);
}

/** RFC 6298 §5.1: the timer runs while something is in flight; new data puts the probe off (RFC 8985 §7.2). */
export function armRetransmission(tcb: Tcb): void {
  if (!tcb.isArmed(TcpTimer.retransmit)) tcb.rtoAt = tcb.host.now + tcb.rtt.rto;
  armEarliest(tcb);
}

/** The timeout at a time of its own: backed off, or cut short by the user's patience. */
export function armTimeout(tcb: Tcb, wait: number): void {
  tcb.rtoAt = tcb.host.now + wait;
  tcb.retransmitTimer = RetransmitTimer.timeout;
  tcb.arm(TcpTimer.retransmit, wait);
}

/**
 * An ACK, or RACK's own timer, was worked off.
 * @param isAdvanced it acknowledged something: the timeout begins anew (RFC 6298 §5.3)
 * @param overdue RACK looks again in so many ms; 0: no need
 */
export function armAfterAck(tcb: Tcb, isAdvanced: boolean, overdue: number): void {
  const { now } = tcb.host;
  if (isAdvanced) tcb.rtoAt = now + tcb.rtt.rto;
  const isStale = tcb.reorderAt > 0;
  tcb.reorderAt = overdue > 0 ? now + overdue : 0;
  if (isAdvanced || isStale || overdue > 0) armEarliest(tcb);
}

function armEarliest(tcb: Tcb): void {
  const { now } = tcb.host;
  let wait = Math.max(0, tcb.rtoAt - now);
  tcb.retransmitTimer = RetransmitTimer.timeout;
  // A probe is never later than the timeout, but takes its place (RFC 8985 §7.2).
  const pto = probeTimeout(tcb);
  if (pto >= 0) {
    wait = Math.min(wait, pto);
    tcb.retransmitTimer = RetransmitTimer.tailProbe;
  }
  if (tcb.reorderAt > 0 && tcb.reorderAt - now < wait) {
    wait = Math.max(0, tcb.reorderAt - now);
    tcb.retransmitTimer = RetransmitTimer.reordering;
  }
  tcb.arm(TcpTimer.retransmit, wait);
}
