/**
 * The scoreboard: what acknowledgements and SACK blocks say of the segments in `SentList` (RFC 2018 §4, §5; RFC 2883;
 * RFC 6675 §3). Every byte that is found to have arrived is counted once, and told to RACK and the delivery rate.
 */

import { seqGeq, seqGt, seqLeq, seqLt, seqMax } from '../../../base/index.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { news } from './ack-news.ts';
import { countDelivered } from './delivery-rate.ts';
import { rackDelivered } from './rack.ts';
import { NONE, SentState } from './sent-list.ts';

/** SND.UNA has moved: what lies before it was delivered, if that was not known, and needs no place any more. */
export function takeAcknowledged(tcb: Tcb, seg: Segment): void {
  const { sent, sndUna } = tcb;
  while (sent.first !== NONE) {
    const slot = sent.first;
    const { columns: c } = sent;
    const start = c.start[slot] as number;
    if (seqLeq(sndUna, start)) return;
    const end = c.end[slot] as number;
    const until = seqLt(sndUna, end) ? sndUna : end;
    if (c.state[slot] !== SentState.sacked) deliver(tcb, seg, slot, (until - start) | 0, until);
    sent.trimFirst(until);
  }
}

/**
 * Takes a segment's SACK blocks in. Blocks outside of what is in flight (old, or forged) are ignored.
 */
export function readSackBlocks(tcb: Tcb, seg: Segment): void {
  for (let block = 0; block < seg.sackCount; block++) {
    const start = seg.sackEdges[2 * block] as number;
    const end = seg.sackEdges[2 * block + 1] as number;
    if (!seqLt(start, end) || seqGt(end, tcb.sndNxt)) continue;
    if (block === 0 && isDuplicateReport(tcb, seg, start, end)) {
      news.isDuplicateReported = true;
      news.duplicateStart = start;
      news.duplicateEnd = end;
      continue;
    }
    // A block that begins at SND.UNA contradicts the acknowledgement.
    if (seqLeq(start, tcb.sndUna)) continue;
    takeBlock(tcb, seg, start, end);
  }
}

/** RFC 2883 §4: the first block reports a duplicate when it is acknowledged, or lies within the second block. */
function isDuplicateReport(tcb: Tcb, seg: Segment, start: number, end: number): boolean {
  if (seqLeq(end, seg.ack)) {
    // Older than anything that could still be on its way: not a report, or a forged one (RFC 2883 §4.1.3).
    return seqLeq((tcb.sndUna - tcb.maxSndWnd) | 0, start);
  }
  if (seg.sackCount < 2) return false;
  return seqGeq(start, seg.sackEdges[2] as number) && seqLeq(end, seg.sackEdges[3] as number);
}

function takeBlock(tcb: Tcb, seg: Segment, start: number, end: number): void {
  const { sent } = tcb;
  let slot = sent.find(start);
  while (slot !== NONE && seqLt(sent.columns.start[slot] as number, end)) {
    if (sent.columns.state[slot] !== SentState.sacked) {
      const from = seqMax(start, sent.columns.start[slot] as number);
      slot = sent.split(slot, from);
      // No memory for one more edge: the block is only advice.
      if (slot === NONE) return;
      if (seqLt(end, sent.columns.end[slot] as number) && sent.split(slot, end) === NONE) return;
      const until = sent.columns.end[slot] as number;
      deliver(tcb, seg, slot, (until - from) | 0, until);
      sent.markSacked(slot);
    }
    slot = sent.columns.next[slot] as number;
  }
}

/** Bytes of an entry, up to `end`, have arrived. */
function deliver(tcb: Tcb, seg: Segment, slot: number, length: number, end: number): void {
  const { columns: c } = tcb.sent;
  tcb.env.sample.delivered += length;
  countDelivered(tcb, slot, length);
  if (c.resent[slot] === 0) {
    const sentAt = c.sentAt[slot] as number;
    if (sentAt >= news.originalSentAt) {
      news.originalSentAt = sentAt;
      news.originalEnd = end;
    }
    if (seqLeq(end, tcb.recoveryPoint)) news.isOriginalFromBefore = true;
  } else news.isResentDelivered = true;
  rackDelivered(tcb, seg, slot, end);
}
