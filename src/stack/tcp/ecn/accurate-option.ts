/**
 * When a data receiver sends the AccECN option, and which fields (RFC 9768 §3.2.3.3, its simple scheme): on each ACK after a byte
 * counter has grown, with every counter that ever has. That is at once for a change of codepoint, and again and again while
 * the same codepoint arrives, so that no ACK that gets lost is missed.
 *
 * A path may drop or strip what it does not know (§3.2.3.2): a server tries it with its first SYN-ACK, a client until its first
 * text has left. When that text has to be sent again the client leaves the option out from then on.
 */

import { seqLt } from '../../../base/index.ts';
import {
  TCP_MAX_OPTIONS_LEN,
  TCPOPT_ACC_ECN_EMPTY_LEN,
  TCPOPT_ACC_ECN_FULL_LEN,
  TCPOPT_ACC_ECN_PAIR_LEN,
  TCPOPT_ACC_ECN0,
  TCPOPT_ACC_ECN1,
  writeAccEcnOption,
} from '../../../wire/index.ts';
import { LEAST_TEXT } from '../path/mss.ts';
import type { Tcb } from '../tcb.ts';
import { EcnFeedback, type EcnState, FIRST_ECT_BYTES } from './state.ts';

/** Bytes of the option on the next segment without SYN; 0 for none. */
export function ecnOptionLength(tcb: Tcb): number {
  const { ecn } = tcb;
  if (ecn === null || ecn.feedback !== EcnFeedback.accurate || ecn.isOptionOff) return 0;
  if (!ecn.isOptionDue && ecn.isOptionTested) return 0;
  const isFull = !ecn.isOptionTested || (ecn.rE0b !== FIRST_ECT_BYTES && ecn.rE1b !== FIRST_ECT_BYTES);
  const length = isFull ? TCPOPT_ACC_ECN_FULL_LEN : TCPOPT_ACC_ECN_PAIR_LEN;
  if (length + LEAST_TEXT > tcb.smss) return 0;
  if (!isFull) return length;
  // §3.2.3.3: where it would not leave room for two SACK blocks, those are more important.
  return tcb.isTimestamped && tcb.early.count > 0 ? 0 : length;
}

/** Bytes of the option on a SYN-ACK whose other options take `others`; 0 for none. Never on a SYN (§3.2.3.2.1). */
export function ecnSynOptionLength(tcb: Tcb, others: number): number {
  const { ecn } = tcb;
  if (ecn === null || ecn.feedback !== EcnFeedback.accurate) return 0;
  // Not again (§3.2.3.2.2): the option may be why the first was not answered.
  if (tcb.state !== 'SYN-RECEIVED' || tcb.sndNxt !== tcb.iss) return 0;
  if (others + TCPOPT_ACC_ECN_FULL_LEN <= TCP_MAX_OPTIONS_LEN) return TCPOPT_ACC_ECN_FULL_LEN;
  return others + TCPOPT_ACC_ECN_EMPTY_LEN <= TCP_MAX_OPTIONS_LEN ? TCPOPT_ACC_ECN_EMPTY_LEN : 0;
}

/** Writes the option with the counters as they are now. @param length what one of the above has answered */
export function writeEcnOption(ecn: EcnState, into: Uint8Array, at: number, length: number): number {
  const { rE0b, rCeb, rE1b } = ecn;
  const isPair = length === TCPOPT_ACC_ECN_PAIR_LEN;
  const isOrder1 = isPair && rE0b === FIRST_ECT_BYTES && rE1b !== FIRST_ECT_BYTES;
  const fields = isPair ? 2 : length === TCPOPT_ACC_ECN_FULL_LEN ? 3 : 0;
  return writeAccEcnOption(into, at, isOrder1 ? TCPOPT_ACC_ECN1 : TCPOPT_ACC_ECN0, fields, rE0b, rCeb, rE1b);
}

/** Text from `seq` on leaves: the first, which tests the path, or the first again, which has failed the test. */
export function noteOptionTest(tcb: Tcb, ecn: EcnState, seq: number): void {
  if (!ecn.isOptionTested) ecn.isOptionTested = true;
  else if (tcb.ecnOffer !== EcnFeedback.none && seq === ((tcb.iss + 1) | 0) && seqLt(seq, tcb.sndNxt)) {
    ecn.isOptionOff = true;
  }
}
