/**
 * Explicit Congestion Notification: routers mark packets of senders that said ECT instead of dropping them, the receiver tells
 * the sender, and the sender slows down without anything having been lost.
 *
 * Here is what the rest of TCP calls; `negotiation.ts` agrees on the form of the feedback, `classic.ts` and `accurate.ts` are
 * the forms, `reaction.ts` is what a sender makes of them.
 *
 * ECT goes on new text only: never on a SYN, a segment without text, text sent again or a window probe (RFC 3168 §6.1.1, §6.1.4
 * to §6.1.6), since nobody would learn of a marked one that it was lost. RFC 9768 alone does not change that; RFC 8311 leaves
 * it to experiments.
 */

import { ECN_ECT0, ECN_NOT_ECT, TCP_CWR, TCP_ECE } from '../../../wire/index.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { receiveAccurate, startAfterHandshakeMark, takeAccurate, takeHandshakeAck } from './accurate.ts';
import { noteOptionTest } from './accurate-option.ts';
import { receiveClassic, takeClassicEcho } from './classic.ts';
import { handshakeAce } from './negotiation.ts';
import { ACE_MASK, ACE_SHIFT, EcnFeedback, type EcnName, type EcnState } from './state.ts';

/** Data receiver: takes note of the IP-ECN field of an acceptable segment. */
export function receiveEcn(tcb: Tcb, ecn: EcnState, seg: Segment): void {
  if (ecn.feedback === EcnFeedback.classic) receiveClassic(tcb, ecn, seg);
  else receiveAccurate(tcb, ecn, seg);
}

/**
 * Data sender: reads what an acknowledgement that is not old says, and slows down when it has to.
 * @param acked by how much it moves SND.UNA, which has not moved yet
 * @returns bytes newly reported as marked: `AckSample.marked`
 */
export function takeEcnFeedback(tcb: Tcb, ecn: EcnState, seg: Segment, acked: number): number {
  return ecn.feedback === EcnFeedback.classic
    ? takeClassicEcho(tcb, ecn, seg, acked)
    : takeAccurate(tcb, ecn, seg, acked);
}

/** The handshake is complete with `seg`, and the congestion window known. @param isPassive our SYN-ACK was acknowledged */
export function startEcn(tcb: Tcb, ecn: EcnState, seg: Segment, isPassive: boolean): void {
  if (ecn.feedback !== EcnFeedback.accurate) return;
  if (isPassive) takeHandshakeAck(tcb, ecn, seg);
  startAfterHandshakeMark(tcb, ecn);
}

/** The three ECN flags of a segment without SYN that is about to leave. @param isNewText it has text that never left before */
export function takeEcnFlags(ecn: EcnState, length: number, isNewText: boolean): number {
  if (ecn.feedback === EcnFeedback.accurate) {
    if (ecn.isHandshakeAckDue && length === 0) {
      ecn.isHandshakeAckDue = false;
      return handshakeAce(ecn.handshakeEcn) << ACE_SHIFT;
    }
    return (ecn.rCep & ACE_MASK) << ACE_SHIFT;
  }
  let flags = ecn.isEchoing ? TCP_ECE : 0;
  if (ecn.isCwrDue && isNewText) {
    ecn.isCwrDue = false;
    flags |= TCP_CWR;
  }
  return flags;
}

/** The IP-ECN field of a segment without SYN. */
export function ecnCodepoint(ecn: EcnState, isNewText: boolean): number {
  return isNewText && ecn.isEctUsed ? ECN_ECT0 : ECN_NOT_ECT;
}

/** A segment with ACK is complete. @param hasOption with the AccECN option */
export function noteEcnSent(tcb: Tcb, ecn: EcnState, seq: number, length: number, hasOption: boolean): void {
  ecn.marksSinceAck = 0;
  if (length > 0) noteOptionTest(tcb, ecn, seq);
  if (hasOption) ecn.isOptionDue = false;
}

/**
 * Whether the flags allow a super-segment: devices leave CWR to the first packet only, which is right for RFC 3168 and would
 * change the counter that AccECN has in its place.
 */
export function allowsSuperSegments(ecn: EcnState): boolean {
  return ecn.feedback !== EcnFeedback.accurate || ((ecn.rCep << ACE_SHIFT) & TCP_CWR) === 0;
}

/** The flags of an ACK that outlives the connection, in TIME-WAIT. */
export function lastEcnFlags(ecn: EcnState): number {
  if (ecn.feedback === EcnFeedback.accurate) return (ecn.rCep & ACE_MASK) << ACE_SHIFT;
  return ecn.isEchoing ? TCP_ECE : 0;
}

/** The form in force, for people. */
export function ecnName(ecn: EcnState | null): EcnName {
  if (ecn === null) return 'none';
  return ecn.feedback === EcnFeedback.accurate ? 'accurate' : 'classic';
}
