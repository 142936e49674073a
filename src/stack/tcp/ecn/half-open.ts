/**
 * ECN in the handshake of a listener, which has no control block yet: the server's half of `negotiation.ts` in four numbers of
 * a record.
 */

import {
  TCP_ECE,
  TCP_MAX_OPTIONS_LEN,
  TCPOPT_ACC_ECN_EMPTY_LEN,
  TCPOPT_ACC_ECN_FULL_LEN,
  TCPOPT_ACC_ECN0,
  writeAccEcnOption,
} from '../../../wire/index.ts';
import type { Segment } from '../segment.ts';
import { ACCURATE_TRIES, feedbackOfSyn, handshakeAce, isAccurateCookieAck } from './negotiation.ts';
import { ACE_SHIFT, ECN_FLAGS, EcnFeedback, type EcnMode, EcnState, FIRST_ECT_BYTES } from './state.ts';

/** What is remembered of ECN between SYN and ACK. */
export interface EcnHandshake {
  readonly irs: number;
  readonly tsRecent: number;
  readonly retransmissions: number;
  /** An `EcnFeedback`: what was agreed. */
  ecnFeedback: number;
  /** IP-ECN of the latest SYN. */
  synEcn: number;
  /** See `EcnState.isEctUsed`. */
  isEctUsed: boolean;
}

/** A SYN for a listener in `mode` arrived. */
export function readEcnSyn(into: EcnHandshake, mode: EcnMode, seg: Segment): void {
  into.ecnFeedback = feedbackOfSyn(mode, seg.flags & ECN_FLAGS);
  into.synEcn = seg.ipEcn;
  into.isEctUsed = true;
}

/** It arrived again: it may have fallen back, and does not know what we have agreed to (RFC 9768 §3.1.5). */
export function rereadEcnSyn(into: EcnHandshake, seg: Segment): void {
  into.synEcn = seg.ipEcn;
  if ((seg.flags & ECN_FLAGS) === 0) into.isEctUsed = false;
}

/** The ECN flags of the SYN-ACK that is about to be written. */
export function synAckEcnFlags(handshake: EcnHandshake): number {
  if (handshake.ecnFeedback === EcnFeedback.none) return 0;
  if (handshake.ecnFeedback === EcnFeedback.classic) return TCP_ECE;
  if (handshake.retransmissions < ACCURATE_TRIES) return handshakeAce(handshake.synEcn) << ACE_SHIFT;
  // Whoever has sent a SYN-ACK without the flags cannot know which one the client believes.
  handshake.isEctUsed = false;
  return 0;
}

/** Bytes of the AccECN option on the first SYN-ACK, whose other options take `others`; 0 for none (RFC 9768 §3.2.3.2.2). */
export function synAckEcnOptionLength(handshake: EcnHandshake, others: number): number {
  if (handshake.ecnFeedback !== EcnFeedback.accurate) return 0;
  if (others + TCPOPT_ACC_ECN_FULL_LEN <= TCP_MAX_OPTIONS_LEN) return TCPOPT_ACC_ECN_FULL_LEN;
  return others + TCPOPT_ACC_ECN_EMPTY_LEN <= TCP_MAX_OPTIONS_LEN ? TCPOPT_ACC_ECN_EMPTY_LEN : 0;
}

/** Writes it: no counter has moved yet. @returns the end */
export function writeSynAckEcnOption(into: Uint8Array, at: number, length: number): number {
  const fields = length === TCPOPT_ACC_ECN_FULL_LEN ? 3 : 0;
  return writeAccEcnOption(into, at, TCPOPT_ACC_ECN0, fields, FIRST_ECT_BYTES, 0, FIRST_ECT_BYTES);
}

/**
 * What the ACK of a SYN cookie says was agreed.
 * @param isClassic the cookie remembers RFC 3168's form
 */
export function readEcnCookie(into: EcnHandshake, mode: EcnMode, isClassic: boolean, seg: Segment): void {
  const mayBeAccurate = (mode === 'passive' || mode === 'accurate') && seg.payloadLength === 0;
  into.ecnFeedback = EcnFeedback.none;
  if (isClassic) into.ecnFeedback = EcnFeedback.classic;
  else if (mayBeAccurate && isAccurateCookieAck(seg.flags)) into.ecnFeedback = EcnFeedback.accurate;
  into.synEcn = 0;
  into.isEctUsed = true;
}

/** The state of the connection that the handshake becomes; `null` without ECN. */
export function ecnStateOf(handshake: EcnHandshake): EcnState | null {
  if (handshake.ecnFeedback === EcnFeedback.none) return null;
  const ecn = new EcnState(handshake.ecnFeedback);
  ecn.isEctUsed = handshake.isEctUsed;
  ecn.handshakeEcn = handshake.synEcn;
  ecn.newestSeq = handshake.irs;
  ecn.newestTsVal = handshake.tsRecent;
  // A server's option is on its SYN-ACK, and that is test enough (RFC 9768 §3.2.3.2.1).
  ecn.isOptionTested = true;
  return ecn;
}
