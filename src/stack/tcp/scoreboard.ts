/**
 * The scoreboard: what the peer has SACKed (RFC 2018 §4, §5; RFC 6675 §3, §4).
 */

import { seqDiff, seqGt, seqLeq, seqLt, seqMax } from '../../base/index.ts';
import type { Segment } from './segment.ts';
import type { Tcb } from './tcb.ts';

/** RFC 6675 §2: DupThresh. */
const DUP_THRESH = 3;

/**
 * Takes a segment's SACK blocks in. Blocks outside of what is in flight (old, duplicate reports of RFC 2883, or forged) are
 * ignored.
 * @returns how many bytes were not known to have arrived
 */
export function readSackBlocks(tcb: Tcb, seg: Segment): number {
  let news = 0;
  for (let block = 0; block < seg.sackCount; block++) {
    const start = seg.sackEdges[2 * block] as number;
    const end = seg.sackEdges[2 * block + 1] as number;
    if (!seqLt(start, end) || seqGt(end, tcb.sndNxt) || seqLeq(end, tcb.sndUna)) continue;
    // A block that begins below SND.UNA reports a duplicate; one that begins at it contradicts the acknowledgement.
    if (seqLeq(start, tcb.sndUna)) continue;
    const added = tcb.sacked.add(seqMax(start, tcb.sndUna), end);
    if (added > 0) news += added;
  }
  return news;
}

/**
 * RFC 6675 §4 IsLost: unSACKed bytes below the answer are lost, since DupThresh separate ranges, or more than
 * (DupThresh − 1) · SMSS bytes, are SACKed above them. SND.UNA when none are.
 */
export function sackedLossEdge(tcb: Tcb): number {
  const { sacked } = tcb;
  const enough = (DUP_THRESH - 1) * tcb.smss;
  let bytes = 0;
  for (let index = sacked.count - 1; index >= 0; index--) {
    const start = sacked.startOf(index);
    bytes += seqDiff(sacked.endOf(index), start);
    if (bytes > enough || sacked.count - index >= DUP_THRESH) return start;
  }
  return tcb.sndUna;
}
