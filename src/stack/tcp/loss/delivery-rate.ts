/**
 * How fast the path delivers (draft-ietf-ccwg-bbr, "Delivery Rate Samples"): each segment remembers how much had been delivered
 * when it left; once it is delivered itself, the difference over the time between is a sample. The longer of the times between
 * sendings and between deliveries counts, so that neither a burst of ACKs nor one of segments looks like a fast path.
 *
 * Sizes are bytes, times ms.
 */

import type { Tcb } from '../tcb.ts';
import { news } from './ack-news.ts';
import { bytesInNetwork } from './loss-marks.ts';

/** A segment leaves, for the first time or again. Call it before it is counted as in flight. */
export function stampSent(tcb: Tcb, slot: number, length: number, inFlight: number): void {
  const { rate, sent } = tcb;
  const { columns: c } = sent;
  const { now } = tcb.host;
  if (inFlight <= 0) {
    rate.firstSentAt = now;
    rate.deliveredAt = now;
  }
  c.delivered[slot] = rate.delivered;
  c.deliveredAt[slot] = rate.deliveredAt;
  c.firstSentAt[slot] = rate.firstSentAt;
  c.lost[slot] = rate.lost;
  c.inFlight[slot] = inFlight + length;
  c.isAppLimited[slot] = rate.appLimitedUntil > 0 ? 1 : 0;
}

/**
 * CheckIfApplicationLimited: the window has room, and there is nothing to fill it with, neither new text nor lost text. Then what
 * is measured until all that is in flight now is delivered says how fast the application was, and not how fast the path is.
 *
 * For the moments at which a pause of the application may end: before it writes, before an ACK is worked off, and before a
 * timer sends. Less than a segment of text does not count, since it may wait for more (Nagle).
 */
export function noteIfAppLimited(tcb: Tcb): void {
  if (tcb.unsentBytes >= tcb.smss || tcb.sent.lostBytes > 0) return;
  const inFlight = bytesInNetwork(tcb);
  if (inFlight >= tcb.congestion.cwnd) return;
  tcb.rate.appLimitedUntil = Math.max(1, tcb.rate.delivered + inFlight);
}

/** `length` bytes of an entry were delivered. */
export function countDelivered(tcb: Tcb, slot: number, length: number): void {
  const { rate } = tcb;
  const { columns: c } = tcb.sent;
  rate.delivered += length;
  rate.deliveredAt = tcb.host.now;
  const sentAt = c.sentAt[slot] as number;
  const end = c.end[slot] as number;
  const isLater =
    sentAt > news.latestSentAt || (sentAt === news.latestSentAt && ((end - news.latestEnd) | 0) > 0);
  if (news.hasLatest && !isLater) return;
  news.hasLatest = true;
  news.latestSentAt = sentAt;
  news.latestEnd = end;
  news.delivered = c.delivered[slot] as number;
  news.deliveredAt = c.deliveredAt[slot] as number;
  news.firstSentAt = c.firstSentAt[slot] as number;
  news.lost = c.lost[slot] as number;
  news.inFlight = c.inFlight[slot] as number;
  news.isAppLimited = c.isAppLimited[slot] !== 0;
}

/** Fills the rate fields of the ACK's sample. */
export function sampleRate(tcb: Tcb): void {
  const { rate, rtt } = tcb;
  const { sample } = tcb.env;
  if (rate.appLimitedUntil > 0 && rate.delivered > rate.appLimitedUntil) rate.appLimitedUntil = 0;
  sample.totalDelivered = rate.delivered;
  sample.totalLost = rate.lost;
  sample.rateInterval = 0;
  sample.rateDelivered = 0;
  // Nothing of another connection's, whose sample it was before.
  sample.priorDelivered = -1;
  sample.txInFlight = 0;
  sample.lostSince = 0;
  sample.isAppLimited = false;
  if (!news.hasLatest) return;
  sample.priorDelivered = news.delivered;
  sample.isAppLimited = news.isAppLimited;
  sample.txInFlight = news.inFlight;
  sample.lostSince = rate.lost - news.lost;
  const sendElapsed = news.latestSentAt - news.firstSentAt;
  const ackElapsed = rate.deliveredAt - news.deliveredAt;
  rate.firstSentAt = news.latestSentAt;
  const interval = Math.max(sendElapsed, ackElapsed);
  // Shorter than any round trip: two ACKs of a batch, or a segment that was sent again. It would say anything.
  if (interval <= 0 || (rtt.hasSample && interval < rtt.minRtt)) return;
  sample.rateInterval = interval;
  sample.rateDelivered = rate.delivered - news.delivered;
}
