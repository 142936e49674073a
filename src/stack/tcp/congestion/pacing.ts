/**
 * Pacing: what the congestion window allows leaves spread over the round trip, not as one burst.
 *
 * A connection that is paced has a moment before which it sends no text. What leaves moves it on by the time that the bytes
 * take at the pacing rate; a timer asks for the next turn. So that segmentation offload keeps its worth, about a millisecond's
 * worth of bytes leaves at once (draft-ietf-ccwg-bbr, "Send Quantum").
 *
 * The rate is the congestion control's, where it says one, else a little more than a window each round trip, so that pacing
 * does not keep the window from growing.
 */

import { type Tcb, TcpTimer } from '../tcb.ts';

/** What leaves at once: ms of the pacing rate. */
const QUANTUM_MS = 1;
/** Segments that leave at once however slow the rate is: two, so that a receiver that acknowledges every other does. */
const LEAST_QUANTUM_SEGMENTS = 2;
/** Below it (1.2 Mbit/s, bytes per ms) one at a time. */
const SLOW_RATE = 150;
/** Windows a round trip, in slow start and after. */
const SLOW_START_GAIN = 2;
const GAIN = 1.2;
/** Ms: a shorter wait is none, so that rounding can not have a timer fire for ever just before the moment. */
const RESOLUTION = 0.001;
/** A timer fires late: what it was late by, up to this (ms), is made up for. */
const MOST_LATENESS = 2;

/**
 * How much of `budget` bytes a connection may send now, by pacing.
 * @returns `budget` when it is not paced; 0 when it has to wait, for which a timer is then armed
 */
export function pacedBudget(tcb: Tcb, budget: number): number {
  const rate = pacingRate(tcb);
  if (rate === 0) return budget;
  const wait = tcb.releaseAt - tcb.host.now;
  if (wait > RESOLUTION) {
    if (!tcb.isArmed(TcpTimer.pacing)) tcb.arm(TcpTimer.pacing, wait);
    return 0;
  }
  const least = rate < SLOW_RATE ? tcb.smss : LEAST_QUANTUM_SEGMENTS * tcb.smss;
  return Math.min(budget, Math.max(least, Math.floor(rate * QUANTUM_MS)));
}

/** Text of `bytes` has left: the next has to wait. */
export function notePaced(tcb: Tcb, bytes: number): void {
  const rate = pacingRate(tcb);
  if (rate === 0) return;
  const { now } = tcb.host;
  tcb.releaseAt = Math.max(tcb.releaseAt, now - MOST_LATENESS) + bytes / rate;
}

/** Bytes per ms; 0 when the connection is not paced. */
function pacingRate(tcb: Tcb): number {
  const { congestion, rtt } = tcb;
  if (!congestion.isPaced) return 0;
  if (congestion.pacingRate > 0) return congestion.pacingRate;
  if (rtt.srtt <= 0) return 0;
  const gain = congestion.cwnd < congestion.ssthresh ? SLOW_START_GAIN : GAIN;
  return (gain * congestion.cwnd) / rtt.srtt;
}
