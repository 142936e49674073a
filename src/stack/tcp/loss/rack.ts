/**
 * RACK (RFC 8985 §6): a segment is lost when another that was sent a while after it has been delivered. The while is the
 * reordering window; it begins at nothing, and opens when the path turns out to reorder.
 */

import { seqGeq, seqGt, seqLt } from '../../../base/index.ts';
import { timestampAt } from '../options.ts';
import type { Segment } from '../segment.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { news } from './ack-news.ts';
import { giveUp } from './loss-marks.ts';
import { DUP_THRESH, REO_WND_PERSIST } from './loss-state.ts';
import { NONE } from './sent-list.ts';

/** Largest multiple of a quarter of the round trip: the smoothed round trip bounds it anyway. */
const MOST_MULT = 255;

/** Steps 2 and 3, for an entry that is being delivered, up to `end`. */
export function rackDelivered(tcb: Tcb, seg: Segment, slot: number, end: number): void {
  const { rack } = tcb;
  const { columns: c } = tcb.sent;
  const { now } = tcb.host;
  const sentAt = c.sentAt[slot] as number;
  const isResent = (c.resent[slot] as number) > 0;
  const rtt = now - sentAt;
  // Step 3: below what was delivered before, and nobody sent it twice.
  const hasFack = rack.xmitAt >= 0;
  if (!hasFack || seqGt(end, rack.fack)) rack.fack = end;
  else if (!isResent && seqLt(end, rack.fack)) rack.isReorderingSeen = true;
  if (isResent) {
    // It may be the first copy that was delivered.
    if (tcb.isTimestamped && seg.tsEcr !== 0 && seqLt(seg.tsEcr, timestampAt(sentAt, tcb.tsOffset))) return;
    if (rtt < rack.minRtt) return;
  }
  // Also of one that was sent earlier and comes late: then others may too.
  rack.rtt = rtt;
  if (sentAt > rack.xmitAt || (sentAt === rack.xmitAt && seqGt(end, rack.endSeq))) {
    rack.xmitAt = sentAt;
    rack.endSeq = end;
  }
}

/** Step 4, what is learnt from duplicate reports; `isRecoveryOver`: fast recovery or that of a timeout ends with this ACK. */
export function adaptReorderingWindow(tcb: Tcb, isRecoveryOver: boolean): void {
  const { rack } = tcb;
  if (rack.hasDsackRound && seqGeq(tcb.sndUna, rack.dsackRound)) rack.hasDsackRound = false;
  if (news.isDuplicateReported && !rack.hasDsackRound) {
    rack.hasDsackRound = true;
    rack.dsackRound = tcb.sndNxt;
    rack.reoWndMult = Math.min(MOST_MULT, rack.reoWndMult + 1);
    rack.reoWndPersist = REO_WND_PERSIST;
  } else if (isRecoveryOver && --rack.reoWndPersist <= 0) {
    rack.reoWndPersist = REO_WND_PERSIST;
    rack.reoWndMult = 1;
  }
}

/** RACK.reo_wnd, ms: how much later than its turn a segment may arrive. */
export function reorderingWindow(tcb: Tcb): number {
  const { rack, sent } = tcb;
  if (!rack.isReorderingSeen) {
    // Super-segments hold many: bytes count beside entries.
    const isEnough = sent.sackedCount >= DUP_THRESH || sent.sackedBytes > (DUP_THRESH - 1) * tcb.smss;
    if (tcb.recovery !== Recovery.open || isEnough) return 0;
  }
  return Math.min((rack.reoWndMult * rack.minRtt) / 4, tcb.rtt.srtt);
}

/**
 * Step 5: gives up what was sent long enough before the segment that was delivered.
 * @returns ms until what is overdue by then has to be looked at again; 0: nothing is
 */
export function detectLoss(tcb: Tcb): number {
  const { rack, sent } = tcb;
  if (rack.xmitAt < 0) return 0;
  const wait = rack.rtt + reorderingWindow(tcb);
  const { now } = tcb.host;
  let timeout = 0;
  let slot = sent.oldest;
  while (slot !== NONE) {
    const { columns: c } = sent;
    const sentAt = c.sentAt[slot] as number;
    if (sentAt > rack.xmitAt) break;
    const later = c.later[slot] as number;
    if (sentAt < rack.xmitAt || seqGt(rack.endSeq, c.end[slot] as number)) {
      const remaining = sentAt + wait - now;
      if (remaining <= 0) giveUp(tcb, slot);
      else timeout = Math.max(timeout, remaining);
    }
    slot = later;
  }
  return timeout;
}

/** RFC 8985 §6.3: the retransmission timer ran out. The first segment is lost, and of the others what is overdue. */
export function detectLossOnTimeout(tcb: Tcb): void {
  const { rack, sent } = tcb;
  const wait = rack.rtt + reorderingWindow(tcb);
  const { now } = tcb.host;
  let slot = sent.oldest;
  while (slot !== NONE) {
    const { columns: c } = sent;
    const later = c.later[slot] as number;
    if (slot === sent.first || (c.sentAt[slot] as number) + wait <= now) giveUp(tcb, slot);
    slot = later;
  }
}
