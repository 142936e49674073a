/**
 * OPEN (RFC 9293 §3.10.1), active and passive: both begin with a sequence number nobody can guess, and with the options that
 * this side would like.
 */

import { seqDiff } from '../../base/index.ts';
import { answerEcnSyn, offeredFeedback } from './ecn/negotiation.ts';
import { hashTuple, initialSequence, tupleHash } from './isn.ts';
import { changeState } from './lifecycle.ts';
import { offerOptions } from './options.ts';
import type { Segment } from './segment.ts';
import { takeSyn } from './steps/syn-sent.ts';
import type { Tcb } from './tcb.ts';

/** How far past its predecessor a connection starts that follows one in TIME-WAIT (RFC 9293 §3.6.1, MAY-2). */
const ISN_GAP = 65_537;

/** Sends a SYN. `tcb` must be in the connection table. */
export function activeOpen(tcb: Tcb): void {
  begin(tcb, null);
  tcb.ecnOffer = offeredFeedback(tcb.settings.ecn);
  tcb.host.counters.tcpActiveOpens++;
  tcb.counts.isActiveOpen = true;
  changeState(tcb, 'SYN-SENT');
  tcb.requestOutput();
}

/** Answers `seg`, a SYN for a listener, with SYN and ACK. `tcb` must be in the connection table. */
export function passiveOpen(tcb: Tcb, seg: Segment, sequenceAfter: number | null): void {
  begin(tcb, sequenceAfter);
  tcb.host.counters.tcpPassiveOpens++;
  changeState(tcb, 'SYN-RECEIVED');
  answerEcnSyn(tcb, seg);
  takeSyn(tcb, seg);
  tcb.sndWnd = seg.window;
  tcb.sndWl1 = tcb.irs;
  tcb.sndWl2 = tcb.iss;
  tcb.requestOutput();
}

function begin(tcb: Tcb, sequenceAfter: number | null): void {
  const { host } = tcb;
  hashTuple(host.secret, tcb.localAddress, tcb.localPort, tcb.remoteAddress, tcb.remotePort);
  let iss = initialSequence(host.now);
  if (sequenceAfter !== null && seqDiff(iss, sequenceAfter) < ISN_GAP) iss = (sequenceAfter + ISN_GAP) | 0;
  tcb.tsOffset = tupleHash.timestamp;
  tcb.iss = iss;
  tcb.sndUna = iss;
  tcb.sndNxt = iss;
  tcb.sndUp = iss;
  tcb.recoveryPoint = iss;
  tcb.txStart = (iss + 1) | 0;
  tcb.stalledSince = host.now;
  tcb.isSynDue = true;
  offerOptions(tcb);
}
