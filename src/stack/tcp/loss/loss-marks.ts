/**
 * Giving segments up, and taking that back: the changes of state in `SentList` that count as losses.
 */

import type { Tcb } from '../tcb.ts';
import { NONE, SentState } from './sent-list.ts';

/** Bytes in the network: RFC 6675's pipe. */
export function bytesInNetwork(tcb: Tcb): number {
  return tcb.sent.inFlightBytes - tcb.dupAckBytes;
}

/** An entry is lost: it has to be sent again. Of a probe of the path's MTU that says nothing about congestion. */
export function giveUp(tcb: Tcb, slot: number): void {
  const { sent, rate } = tcb;
  const length = sent.lengthOf(slot);
  const { columns: c } = sent;
  const isProbe = tcb.mtuSearch?.giveUp(c.start[slot] as number, c.end[slot] as number) === true;
  sent.markLost(slot);
  if (isProbe) return;
  rate.lost += length;
  tcb.env.sample.lost += length;
}

/** Everything in flight is lost: after a timeout, or since segments have to be smaller. */
export function giveUpAll(tcb: Tcb): void {
  const { sent } = tcb;
  while (sent.newest !== NONE) giveUp(tcb, sent.newest);
}

/** The segment at SND.UNA is lost. */
export function giveUpFirst(tcb: Tcb): void {
  const { sent } = tcb;
  const slot = sent.first;
  if (slot === NONE || sent.columns.state[slot] !== SentState.inFlight) return;
  const start = sent.columns.start[slot] as number;
  // A probe of the path's MTU is larger, and was lost whole.
  const isProbe = tcb.mtuSearch?.holds(start, sent.columns.end[slot] as number) === true;
  if (!isProbe && sent.lengthOf(slot) > tcb.smss) sent.split(slot, (start + tcb.smss) | 0);
  giveUp(tcb, slot);
}

/** The peer may forget what it has SACKed (RFC 2018 §8): then it has to be sent again. */
export function forgetSacked(tcb: Tcb): void {
  const { sent } = tcb;
  let slot = sent.first;
  while (slot !== NONE && sent.sackedBytes > 0) {
    if (sent.columns.state[slot] === SentState.sacked) sent.markLost(slot);
    slot = sent.columns.next[slot] as number;
  }
}

/** What was given up is in flight after all. */
export function takeBackLost(tcb: Tcb): void {
  const { sent } = tcb;
  let slot = sent.last;
  while (slot !== NONE && sent.lostBytes > 0) {
    if (sent.columns.state[slot] === SentState.lost) sent.markFound(slot);
    slot = sent.columns.previous[slot] as number;
  }
}
