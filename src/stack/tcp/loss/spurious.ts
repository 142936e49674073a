/**
 * Whether what looked like a loss was one. Three witnesses: the timestamp that an ACK echoes (Eifel, RFC 3522), an original that
 * arrives after its timeout (F-RTO, RFC 5682), and duplicate reports for all that was sent again (RFC 3708). When it was none,
 * the sender goes back to where it was (RFC 4015).
 */

import { seqGeq, seqGt, seqLt, seqMax, seqMin } from '../../../base/index.ts';
import type { Segment } from '../segment.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { news } from './ack-news.ts';
import { Frto, type SpuriousCheck } from './loss-state.ts';

/**
 * Something was sent again: `length` bytes from `seq` on, with `tsVal`.
 * @param isFirstCopy it had been sent only once before
 */
export function noteResent(
  check: SpuriousCheck,
  seq: number,
  length: number,
  tsVal: number,
  isFirstCopy: boolean,
): void {
  // Only of the first: what is sent again later is younger than ACKs of what was sent again before.
  if (check.unreported < 0 && isFirstCopy) {
    check.hasRetransmitTs = true;
    check.retransmitTs = tsVal;
    check.retransmitSeq = seq;
  }
  check.unreported = Math.max(0, check.unreported) + length;
}

/** Whether this ACK shows that the episode under way, or the last one, was none. */
export function isSpurious(tcb: Tcb, seg: Segment, check: SpuriousCheck, acked: number): boolean {
  if (check.isOff) return false;
  const isUnderWay = tcb.recovery !== Recovery.open;
  if (isUnderWay && acked > 0 && isEchoOfOriginal(tcb, seg, check, acked)) return true;
  if (tcb.recovery === Recovery.timeout && isForwardRecovery(tcb, check, acked)) return true;
  return isAllDuplicate(tcb, check);
}

/**
 * RFC 3522 §3.2: the first ACK that moves SND.UNA echoes a time before the retransmission. Only the ACK that the retransmitted
 * segment itself could have caused: another hole may have been filled by a copy from an earlier episode.
 */
function isEchoOfOriginal(tcb: Tcb, seg: Segment, check: SpuriousCheck, acked: number): boolean {
  if (!check.hasRetransmitTs || !tcb.isTimestamped || seg.tsEcr === 0) return false;
  if (seqGt(check.retransmitSeq, (tcb.sndUna - acked) | 0)) return false;
  check.hasRetransmitTs = false;
  return ((tcb.sndUna - acked) | 0) === check.retransmitSeq && seqLt(seg.tsEcr, check.retransmitTs);
}

/** RFC 5682 §2.1 and, with SACK, §3.1. */
function isForwardRecovery(tcb: Tcb, check: SpuriousCheck, acked: number): boolean {
  if (check.frto === Frto.off) return false;
  // Without SACK an original may have waited behind the hole that was just filled: only the second ACK tells.
  const isEvidence = tcb.isSackEnabled || check.frto === Frto.probing;
  if (news.isOriginalFromBefore && isEvidence) return true;
  const isOver = acked === 0 || seqGeq(tcb.sndUna, tcb.recoveryPoint) || check.frto === Frto.probing;
  // Step 3a: the timeout was right. The two new segments must not hold back the copies.
  if (acked === 0 && check.frto === Frto.probing) {
    tcb.congestion.cwnd = Math.max(tcb.congestion.cwnd, 3 * tcb.smss);
  }
  check.frto = isOver ? Frto.off : Frto.probing;
  return false;
}

/** RFC 3708 §2: the peer had everything that was sent again in this episode. */
function isAllDuplicate(tcb: Tcb, check: SpuriousCheck): boolean {
  if (!news.isDuplicateReported || check.unreported < 0) return false;
  const start = seqMax(news.duplicateStart, check.sndUna);
  const end = seqMin(news.duplicateEnd, tcb.recoveryPoint);
  if (!seqGt(end, start)) return false;
  check.unreported -= (end - start) | 0;
  if (check.unreported > 0) return false;
  check.unreported = -1;
  return true;
}
