/**
 * Path MTU discovery for a connection (RFC 1191 §6.4, RFC 8201 §5.3): the path's MTU fell or rose, SMSS follows, and what no
 * longer fits is sent again at once, in smaller segments; nothing of that is congestion.
 *
 * "Too big" is believed with the care of RFC 5927 §7:
 *  - It quotes a sequence number in flight, and claims an MTU that a packet of the connection exceeded.
 *  - While larger packets than it claims are being acknowledged, it waits (`pendingMtu`): text that it quotes is either
 *    acknowledged, then it was a lie, or runs into the retransmission timer, then the path has become narrower.
 */

import { seqGeq, seqGt, seqLt } from '../../../base/index.ts';
import { DropReason } from '../../../wire/index.ts';
import type { InboundPacket } from '../../host.ts';
import { claimedMtu } from '../../ip/too-big.ts';
import { markAllLost } from '../loss/recovery.ts';
import { NONE, SentState } from '../loss/sent-list.ts';
import { TcpEvent, trace } from '../observe/trace.ts';
import type { Tcb } from '../tcb.ts';
import { textIn, updateSmss } from './mss.ts';
import type { MtuSearch } from './mtu-probe.ts';
import { boundSearch, forgetProbe, noteProbeAcked, searchUp, suspectBlackHole } from './mtu-search.ts';

/** RFC 5927 §7.2 MAXSEGRTO: timeouts of the quoted segment after which the message is believed. */
const MAXSEGRTO = 1;

/**
 * A segment of `tcb`, quoted with a sequence number in flight, was too big for a link on the way.
 * @param seq the quoted sequence number
 * @param mtu the next-hop MTU, 0 when the router does not say
 * @returns 0, or why the message is not believed
 */
export function segmentTooBig(tcb: Tcb, quoted: InboundPacket, seq: number, mtu: number): DropReason {
  const { path } = tcb;
  const claimed = claimedMtu(path, quoted, mtu);
  if (claimed === 0) return DropReason.icmpMtuImplausible;
  // Known already: one of the segments that left before we heard of it.
  if (claimed >= path.discoveredMtu) return DropReason.none;
  const text = textIn(tcb, claimed);
  if (text >= tcb.maxTextSent) return DropReason.icmpMtuImplausible;
  if (text < tcb.maxTextAcked && tcb.retransmissions < MAXSEGRTO) {
    tcb.pendingMtu = claimed;
    tcb.pendingMtuSeq = seq;
    return DropReason.none;
  }
  narrow(tcb, claimed);
  return DropReason.none;
}

/** The path's MTU is not what SMSS was made of: another connection, or age, has changed it. */
export function adoptPathMtu(tcb: Tcb): void {
  const { smss, isFragmentable, mtu, mtuSearch, path } = tcb;
  if (path.mtu > mtu) searchUp(tcb, mtu);
  boundSearch(tcb);
  updateSmss(tcb);
  trace(tcb, TcpEvent.pathMtu, tcb.mtu, tcb.smss);
  if (tcb.smss < smss || (tcb.isFragmentable && !isFragmentable)) resendTooBig(tcb);
  else if (mtuSearch !== null && mtuSearch.probedSize > path.mtu) resendProbe(tcb, mtuSearch);
}

/** SND.UNA has moved on. */
export function noteSizeAcked(tcb: Tcb): void {
  if (tcb.maxTextSent > tcb.maxTextAcked && seqGeq(tcb.sndUna, tcb.maxTextSentEnd)) {
    tcb.maxTextAcked = tcb.maxTextSent;
  }
  if (tcb.pendingMtu > 0 && seqGt(tcb.sndUna, tcb.pendingMtuSeq)) tcb.pendingMtu = 0;
  if (tcb.mtuSearch !== null) noteProbeAcked(tcb, tcb.mtuSearch);
}

/** The retransmission timer has run out: what a message claimed, and was put off, was true. */
export function onMtuTimeout(tcb: Tcb): void {
  if (tcb.pendingMtu > 0 && tcb.retransmissions >= MAXSEGRTO) narrow(tcb, tcb.pendingMtu);
  else suspectBlackHole(tcb);
}

function narrow(tcb: Tcb, mtu: number): void {
  tcb.pendingMtu = 0;
  tcb.host.lowerPathMtu(tcb.path, mtu);
  adoptPathMtu(tcb);
}

/** RFC 4821 §7.6.1: the probe that is out was refused; the rest gets through. */
function resendProbe(tcb: Tcb, mtuSearch: MtuSearch): void {
  const { sent } = tcb;
  for (let slot = sent.find(mtuSearch.probeStart); slot !== NONE; slot = sent.columns.next[slot] as number) {
    if (!seqLt(sent.columns.start[slot] as number, mtuSearch.probeEnd)) break;
    if (sent.columns.state[slot] === SentState.inFlight) sent.markLost(slot);
  }
  forgetProbe(tcb, mtuSearch);
  tcb.isRetransmitForced = true;
  tcb.requestOutput();
}

/** RFC 1191 §6.4: at once, and not as after a loss: the window stays, and the round trip is not measured. */
function resendTooBig(tcb: Tcb): void {
  // What is acknowledged from now on was sent in the new size, and proves nothing of a larger one.
  const isTooBig = tcb.maxTextSent > tcb.smss || tcb.isFragmentable;
  tcb.maxTextSent = 0;
  tcb.maxTextAcked = 0;
  if (!isTooBig || tcb.flightSize === 0) return;
  markAllLost(tcb);
  tcb.requestOutput();
}
