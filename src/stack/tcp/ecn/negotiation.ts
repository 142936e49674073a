/**
 * Which form of ECN a connection uses: agreed in the handshake by three flags (RFC 3168 §6.1.1, RFC 9768 §3.1).
 *
 *                       client's SYN    server's SYN-ACK
 *                       AE CWR ECE      AE CWR ECE
 *     AccECN            1  1   1        0  1   0    the SYN arrived as Not-ECT
 *                                       0  1   1    … as ECT(1)
 *                                       1  0   0    … as ECT(0)
 *                                       1  1   0    … as CE
 *                                       1  0   1    reserved: as AccECN, the SYN unchanged
 *     RFC 3168          * 1   1         0  0   1
 *     neither           all others      0  0   0;   1 1 1 is a server that reflects what it does not know
 *
 * A middlebox may drop such a SYN. So one that is not answered goes out without the flags in the end: at once for RFC 3168
 * (§6.1.1.1), at the second retransmission for AccECN (RFC 9768 §3.1.4.1); a server does so with its SYN-ACK (§3.1.4.2). Who has
 * sent or got such a SYN sends no ECT, though it goes on with the feedback.
 *
 * Deviation: RFC 9768 §3.1.4.1 would have failed attempts remembered for later connections; here each connection finds out
 * for itself, which costs one timeout on a path that drops.
 *
 * A SYN and its SYN-ACK are sent as Not-ECT, as RFC 3168 §6.1.1 wants it; RFC 9768 would feed back anything else.
 */

import { ECN_CE, ECN_ECT0, ECN_ECT1, TCP_ACK, TCP_CWR, TCP_ECE } from '../../../wire/index.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { noteFirstOption, takeHandshakeEcho } from './accurate.ts';
import { ACE_MASK, ACE_SHIFT, ECN_FLAGS, EcnFeedback, type EcnMode, EcnState } from './state.ts';

/** SYNs with AccECN's flags: the first and one more (RFC 9768 §3.1.4.1), and SYN-ACKs (§3.1.4.2); with RFC 3168's (§6.1.1.1). */
export const ACCURATE_TRIES = 2;
const CLASSIC_TRIES = 1;

/** What the SYN of an endpoint in `mode` asks for: an `EcnFeedback`. */
export function offeredFeedback(mode: EcnMode): number {
  if (mode === 'accurate') return EcnFeedback.accurate;
  return mode === 'classic' ? EcnFeedback.classic : EcnFeedback.none;
}

/** The ECN flags of the SYN or SYN-ACK that is about to be written. */
export function synEcnFlags(tcb: Tcb): number {
  if (tcb.state === 'SYN-SENT') {
    if (!isOfferStanding(tcb)) return 0;
    return tcb.ecnOffer === EcnFeedback.accurate ? ECN_FLAGS : TCP_CWR | TCP_ECE;
  }
  const { ecn } = tcb;
  if (ecn === null) return 0;
  if (ecn.feedback === EcnFeedback.classic) return TCP_ECE;
  if (tcb.retransmissions < ACCURATE_TRIES) return handshakeAce(ecn.handshakeEcn) << ACE_SHIFT;
  // Whoever has sent a SYN-ACK without the flags cannot know which one the client believes.
  ecn.isEctUsed = false;
  return 0;
}

/** Whether the SYN that goes out now (or was last sent) still asks for ECN. */
function isOfferStanding(tcb: Tcb): boolean {
  if (tcb.ecnOffer === EcnFeedback.none) return false;
  return tcb.retransmissions < (tcb.ecnOffer === EcnFeedback.accurate ? ACCURATE_TRIES : CLASSIC_TRIES);
}

/** RFC 9768 table 2 and table 3: an IP-ECN codepoint as it is fed back in the handshake. */
export function handshakeAce(ipEcn: number): number {
  switch (ipEcn) {
    case ECN_ECT1:
      return 0b011;
    case ECN_ECT0:
      return 0b100;
    case ECN_CE:
      return 0b110;
    default:
      return 0b010;
  }
}

/** A SYN without ACK arrived: as a listener's, or crossing ours. Decides what the SYN-ACK says. */
export function answerEcnSyn(tcb: Tcb, seg: Segment): void {
  const feedback = feedbackOfSyn(tcb.settings.ecn, seg.flags & ECN_FLAGS);
  if (feedback === EcnFeedback.none) return;
  const ecn = new EcnState(feedback);
  ecn.handshakeEcn = seg.ipEcn;
  ecn.newestSeq = seg.seq;
  ecn.newestTsVal = seg.tsVal;
  // A server's option is on its SYN-ACK, and that is test enough (RFC 9768 §3.2.3.2.1).
  ecn.isOptionTested = true;
  tcb.ecn = ecn;
}

/** What a SYN with `flags` is answered with by an endpoint in `mode`: an `EcnFeedback`. */
export function feedbackOfSyn(mode: EcnMode, flags: number): number {
  if (mode === 'off' || flags === 0) return EcnFeedback.none;
  const isClassic = flags === (TCP_CWR | TCP_ECE);
  if (mode === 'classic') {
    // RFC 3168 knows two of the flags.
    return (flags & TCP_CWR) !== 0 && (flags & TCP_ECE) !== 0 ? EcnFeedback.classic : EcnFeedback.none;
  }
  // RFC 9768 §3.1.3: combinations without a meaning yet ask for AccECN.
  return isClassic ? EcnFeedback.classic : EcnFeedback.accurate;
}

/** The peer's SYN again, or the SYN-ACK of a peer whose SYN has crossed ours, while ours is not acknowledged. */
export function repeatedEcnSyn(tcb: Tcb, seg: Segment): void {
  const { ecn } = tcb;
  if (ecn === null) return;
  if ((seg.flags & TCP_ACK) !== 0) {
    ecn.isCrossing = true;
    return;
  }
  ecn.handshakeEcn = seg.ipEcn;
  // It may have fallen back, and does not know what we have agreed to (RFC 9768 §3.1.5).
  if ((seg.flags & ECN_FLAGS) === 0) ecn.isEctUsed = false;
}

/** The peer sends its SYN-ACK again: our ACK of it was lost, and what that fed back with it (RFC 9768 §3.2.2.1). */
export function repeatedSynAck(ecn: EcnState, seg: Segment): void {
  if ((seg.flags & TCP_ACK) === 0 || ecn.feedback !== EcnFeedback.accurate) return;
  ecn.handshakeEcn = seg.ipEcn;
  ecn.isHandshakeAckDue = true;
}

/** The answer to our SYN. */
export function acceptEcnSynAck(tcb: Tcb, seg: Segment): void {
  const feedback = feedbackOfSynAck(tcb.ecnOffer, seg.flags & ECN_FLAGS);
  if (feedback === EcnFeedback.none) return;
  const ecn = new EcnState(feedback);
  tcb.ecn = ecn;
  if (feedback === EcnFeedback.classic) {
    // RFC 3168 §6.1.1: no ECT once a SYN without the flags was sent.
    ecn.isEctUsed = isOfferStanding(tcb);
    return;
  }
  ecn.newestSeq = seg.seq;
  ecn.newestTsVal = seg.tsVal;
  ecn.isHandshakeAckDue = true;
  ecn.handshakeEcn = seg.ipEcn;
  if (seg.ipEcn === ECN_CE) ecn.rCep++;
  takeHandshakeEcho(ecn, (seg.flags >> ACE_SHIFT) & ACE_MASK);
  noteFirstOption(ecn, seg);
}

function feedbackOfSynAck(offer: number, flags: number): number {
  if (offer === EcnFeedback.none || flags === 0 || flags === ECN_FLAGS) return EcnFeedback.none;
  if (flags === TCP_ECE) return EcnFeedback.classic;
  if (offer === EcnFeedback.accurate) return EcnFeedback.accurate;
  // RFC 3168 knows two of the flags: ECE without CWR, whatever the third.
  return (flags & TCP_ECE) !== 0 && (flags & TCP_CWR) === 0 ? EcnFeedback.classic : EcnFeedback.none;
}

/**
 * A listener that kept nothing of the SYN (RFC 4987) reads from the ACK of its SYN-ACK whether AccECN was agreed: 0 and 1 are
 * never a client's handshake encoding (RFC 9768 §5.1). RFC 3168 leaves no trace in that ACK: a listener that answers such a SYN
 * from a cookie has to keep the agreement in it, or answer without ECN.
 * @param flags of the ACK, which has neither text nor SACK blocks
 */
export function isAccurateCookieAck(flags: number): boolean {
  return ((flags >> ACE_SHIFT) & ACE_MASK) > 1;
}
