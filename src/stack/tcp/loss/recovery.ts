/**
 * Loss recovery: works off each acknowledgement, says what is lost, and when an episode starts and ends.
 *
 * The parts: `sent-list.ts` remembers the segments, `scoreboard.ts` what became of them; `rack.ts` and `tail-loss-probe.ts` find
 * losses (RFC 8985), `prr.ts` holds the window while they are repaired (RFC 9937), `spurious.ts` finds out when there were none.
 * For a peer without SACK it is NewReno (RFC 6582): duplicate ACKs count what has left the network, and only the first hole is
 * known to be lost.
 *
 * Limited transmit (RFC 3042) needs no rule of its own: the first two duplicate ACKs already make room in the window.
 */

import { seqDiff, seqGeq, seqGt } from '../../../base/index.ts';
import { isWindowReduced, mayUndo } from '../ecn/reaction.ts';
import { takeRttSample } from '../observe/counting.ts';
import { LossReason, TcpEvent, trace } from '../observe/trace.ts';
import { timestampNow } from '../options.ts';
import type { Segment } from '../segment.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { news } from './ack-news.ts';
import { noteIfAppLimited, sampleRate } from './delivery-rate.ts';
import { bytesInNetwork, forgetSacked, giveUpAll, giveUpFirst, takeBackLost } from './loss-marks.ts';
import { DUP_THRESH, Frto, LossEpisode } from './loss-state.ts';
import { proportionalWindow, startPrr } from './prr.ts';
import { adaptReorderingWindow, detectLoss, detectLossOnTimeout } from './rack.ts';
import { armAfterAck } from './retransmission-timer.ts';
import { readSackBlocks, takeAcknowledged } from './scoreboard.ts';
import { NONE, SentState } from './sent-list.ts';
import { isSpurious } from './spurious.ts';
import { isLossRepaired } from './tail-loss-probe.ts';

/**
 * Works off an acknowledgement of a synchronized connection; SND.UNA has moved already.
 * @param acked by how much
 * @param duplicates how many duplicate ACKs (RFC 5681 §2) it stands for
 */
export function onAcknowledgement(tcb: Tcb, seg: Segment, acked: number, duplicates: number): void {
  noteIfAppLimited(tcb);
  beginSample(tcb, acked);
  if (acked > 0) {
    takeAcknowledged(tcb, seg);
    tcb.isTailProbeDue = false;
  }
  if (tcb.isSackEnabled) {
    if (seg.sackCount > 0) readSackBlocks(tcb, seg);
  } else countDuplicates(tcb, acked, duplicates);
  sampleRate(tcb);
  sampleRtt(tcb, seg);
  if (acked > 0) tcb.dupAcks = 0;
  // With SACK, one that brings no news of what has arrived is none (RFC 6675 §2).
  else if (!tcb.isSackEnabled || tcb.env.sample.delivered > 0) {
    tcb.dupAcks += duplicates;
    tcb.dupAcksIn += duplicates;
  }

  if (news.isDuplicateReported) tcb.counts.dsackDups++;
  if (tcb.probe.isOut && isLossRepaired(tcb, seg, acked)) noteRepairedTail(tcb);
  const { episode } = tcb;
  if (episode !== null && isSpurious(tcb, seg, episode.check, acked)) undo(tcb, seg, episode);
  const wasRecovering = tcb.recovery !== Recovery.open;
  const isOver = wasRecovering && acked > 0 && seqGeq(tcb.sndUna, tcb.recoveryPoint);
  const overdue = findLosses(tcb, acked, isOver);
  if (isOver) endRecovery(tcb);
  // Not for what is sent again only because the path's MTU fell, or a probe of it was lost.
  const isNewLoss = tcb.env.sample.lost > 0 || isOver;
  if (isNewLoss && tcb.recovery === Recovery.open && tcb.sent.lostBytes > 0) startFastRecovery(tcb);
  tellCongestionControl(tcb);
  armAfterAck(tcb, acked > 0, overdue);
}

/** RACK's timer: what was overdue has not been delivered. Congestion control hears of it as of any loss. */
export function onReorderingTimeout(tcb: Tcb): void {
  beginSample(tcb, 0);
  tcb.env.sample.marked = 0;
  lookForLosses(tcb);
}

/**
 * An acknowledgement of less than SND.UNA that brings SACK blocks: later ones have overtaken it, and what it reports is true all
 * the same (RFC 6675 §5: of any ACK). It is no duplicate ACK, and says nothing of whether a loss was spurious.
 */
export function onOldReport(tcb: Tcb, seg: Segment): void {
  noteIfAppLimited(tcb);
  beginSample(tcb, 0);
  readSackBlocks(tcb, seg);
  lookForLosses(tcb);
}

/** The retransmission timer ran out (RFC 6298 §5.4, RFC 6675 §5.1, RFC 8985 §6.3). */
export function onRetransmissionTimeout(tcb: Tcb): void {
  const isFirst = tcb.retransmissions <= 1;
  const { sent } = tcb;
  const wasRecovering = tcb.recovery !== Recovery.open;
  beginSample(tcb, 0);
  // What was under way becomes part of the episode of this timeout.
  if (isFirst && wasRecovering) traceEnd(tcb, 0);
  tcb.congestion.onTimeout(outstanding(tcb), isFirst, tcb.host.now);
  // It has forgotten what it had (RFC 2018 §8) when the timer runs out again, or when it claims to hold the byte it asks for.
  const isReneging = sent.first !== NONE && sent.columns.state[sent.first] === SentState.sacked;
  if (!isFirst || isReneging) forgetSacked(tcb);
  if (tcb.isSackEnabled && isFirst) detectLossOnTimeout(tcb);
  else giveUpAll(tcb);
  tcb.recovery = Recovery.timeout;
  tcb.recoveryPoint = tcb.sndNxt;
  tcb.isRetransmitForced = true;
  tcb.dupAcks = 0;
  tcb.dupAckBytes = 0;
  tcb.probe.isOut = false;
  tcb.reorderAt = 0;
  if (isFirst) {
    const { check } = beginEpisode(tcb, LossReason.timeout);
    // RFC 5682 §2.1 step 1: not when recovery was under way: then originals still arrive, and prove nothing.
    if (!wasRecovering) check.frto = Frto.resent;
  } else if (tcb.episode !== null) tcb.episode.check.frto = Frto.off;
}

/** Everything in flight has to be sent again, in smaller segments: the path's MTU fell, which says nothing of congestion. */
export function markAllLost(tcb: Tcb): void {
  giveUpAll(tcb);
  tcb.isRetransmitForced = true;
}

/** The end of what moves no SND.UNA. */
function lookForLosses(tcb: Tcb): void {
  sampleRate(tcb);
  const overdue = detectLoss(tcb);
  if (tcb.recovery === Recovery.open && tcb.env.sample.lost > 0) startFastRecovery(tcb);
  tellCongestionControl(tcb);
  armAfterAck(tcb, false, overdue);
}

function beginSample(tcb: Tcb, acked: number): void {
  const { sample } = tcb.env;
  news.clear();
  sample.now = tcb.host.now;
  sample.acked = acked;
  sample.delivered = 0;
  sample.lost = 0;
  sample.rtt = -1;
  sample.priorInFlight = bytesInNetwork(tcb);
  // RFC 7661 §4.1: a window that was not half used is not known to be safe. What is marked is known already.
  sample.isCwndLimited = 2 * (sample.priorInFlight + acked) >= tcb.congestion.cwnd && !isWindowReduced(tcb);
}

/**
 * FlightSize for a reduction, without what limited transmit added (RFC 5681 §3.2), and without what the peer has SACKed behind
 * an old hole: that may be several windows.
 */
function outstanding(tcb: Tcb): number {
  return Math.min(tcb.flightSize, Math.max(tcb.congestion.cwnd, tcb.smss));
}

/** Without SACK: each duplicate ACK says that one segment has left the network (RFC 5681 §3.2). */
function countDuplicates(tcb: Tcb, acked: number, duplicates: number): void {
  const { sample } = tcb.env;
  const before = tcb.dupAckBytes;
  if (acked > 0) {
    // The retransmission filled the hole; the rest of what was acknowledged had been counted by duplicates.
    const isPartial = tcb.recovery === Recovery.fast && !seqGeq(tcb.sndUna, tcb.recoveryPoint);
    const counted = isPartial ? Math.max(0, acked - tcb.smss) : before;
    tcb.dupAckBytes = Math.max(0, before - counted);
    sample.delivered = Math.max(0, acked - (before - tcb.dupAckBytes));
  } else if (duplicates > 0 && tcb.recovery !== Recovery.timeout) {
    // At least one segment, the lost one, has not left.
    const most = Math.max(0, tcb.sent.inFlightBytes - tcb.smss);
    tcb.dupAckBytes = Math.min(most, before + duplicates * tcb.smss);
    sample.delivered = Math.max(0, tcb.dupAckBytes - before);
  }
}

/**
 * RFC 6298 §3: only of segments that were not sent again, and only when the ACK covers no other: it may have waited for a copy.
 * One a flight, as §4 wants the gains to be used. Else the timestamp says which transmission was acknowledged (RFC 7323 §4).
 */
function sampleRtt(tcb: Tcb, seg: Segment): void {
  const { sample } = tcb.env;
  if (news.originalSentAt < 0 || news.isResentDelivered) {
    // Of text that had arrived before, the ACK was lost: the echo is of when it was sent, not of when this ACK was asked for.
    const elapsed = sample.acked === 0 || news.isDuplicateReported ? -1 : echoedRtt(tcb, seg);
    if (elapsed >= 0) takeRttSample(tcb, elapsed);
    return;
  }
  const rtt = tcb.host.now - news.originalSentAt;
  sample.rtt = rtt;
  tcb.rack.takeRtt(rtt, tcb.host.now);
  if (!seqGt(news.originalEnd, tcb.rttSeq)) return;
  tcb.rttSeq = tcb.sndNxt;
  takeRttSample(tcb, rtt);
}

/** The round trip by the echoed timestamp, whose clock ticks in ms; negative when there is none. */
function echoedRtt(tcb: Tcb, seg: Segment): number {
  if (!tcb.isTimestamped || seg.tsEcr === 0) return -1;
  const elapsed = seqDiff(timestampNow(tcb), seg.tsEcr);
  return elapsed < tcb.config.maxRto ? elapsed : -1;
}

/** @returns ms until what may be lost by then has to be looked at again; 0: nothing */
function findLosses(tcb: Tcb, acked: number, isOver: boolean): number {
  if (tcb.isSackEnabled) {
    adaptReorderingWindow(tcb, isOver);
    if (tcb.sent.inFlightBytes === 0) return 0;
    return detectLoss(tcb);
  }
  if (tcb.recovery === Recovery.fast && acked > 0 && !isOver) {
    // RFC 6582 §3.2 step 3, "partial acknowledgments".
    giveUpFirst(tcb);
    tcb.isRetransmitForced = true;
  } else if (
    tcb.recovery === Recovery.open &&
    tcb.dupAcks >= DUP_THRESH &&
    seqGt(tcb.sndUna, tcb.recoveryPoint)
  ) {
    // Step 1: duplicates of what was sent before the last timeout are of its copies.
    giveUpFirst(tcb);
  }
  return 0;
}

function startFastRecovery(tcb: Tcb): void {
  const { congestion } = tcb;
  const { prr } = beginEpisode(tcb, lossReason(tcb));
  tcb.recovery = Recovery.fast;
  tcb.recoveryPoint = tcb.sndNxt;
  congestion.onCongestion('loss', outstanding(tcb), tcb.host.now);
  if (!congestion.isModelBased) startPrr(tcb, prr);
  tcb.isRetransmitForced = true;
  tcb.fastRetransmits++;
}

function lossReason(tcb: Tcb): number {
  if (!tcb.isSackEnabled) return LossReason.duplicateAcks;
  return tcb.sent.sackedBytes > 0 ? LossReason.sack : LossReason.rack;
}

function beginEpisode(tcb: Tcb, reason: number): LossEpisode {
  const episode = new LossEpisode(reason);
  episode.check.sndUna = tcb.sndUna;
  tcb.episode = episode;
  if (tcb.ecn !== null) tcb.ecn.isEpisodeMarked = false;
  trace(tcb, TcpEvent.lossStart, reason, tcb.env.sample.lost);
  return episode;
}

function endRecovery(tcb: Tcb): void {
  const { congestion, recovery } = tcb;
  // After a timeout the others are in slow start, and go on with it.
  if (recovery === Recovery.fast || congestion.isModelBased) {
    congestion.onRecovered(outstanding(tcb), tcb.host.now);
  }
  leaveRecovery(tcb, 0);
}

function leaveRecovery(tcb: Tcb, isSpuriousLoss: number): void {
  tcb.recovery = Recovery.open;
  tcb.dupAckBytes = 0;
  tcb.isRetransmitForced = false;
  if (tcb.episode !== null) tcb.episode.check.frto = Frto.off;
  traceEnd(tcb, isSpuriousLoss);
}

function traceEnd(tcb: Tcb, isSpuriousLoss: number): void {
  trace(tcb, TcpEvent.lossEnd, tcb.episode === null ? LossReason.sack : tcb.episode.reason, isSpuriousLoss);
}

/** The loss was none: back to the windows before it (RFC 4015 §3), and what was given up is on its way after all. */
function undo(tcb: Tcb, seg: Segment, episode: LossEpisode): void {
  const isUnderWay = tcb.recovery !== Recovery.open;
  if (tcb.recovery === Recovery.timeout && !news.isDuplicateReported) {
    // A duplicate report says that not the segment was late but its ACK lost: no round trip to learn from. Nor is it one without
    // timestamps.
    const elapsed = echoedRtt(tcb, seg);
    if (elapsed >= 0) tcb.rtt.adaptAfterSpurious(elapsed);
  }
  takeBackLost(tcb);
  if (mayUndo(tcb)) tcb.congestion.onSpurious(outstanding(tcb), tcb.host.now);
  tcb.spuriousRecoveries++;
  if (isUnderWay) leaveRecovery(tcb, 1);
  episode.check.unreported = -1;
  tcb.episode = null;
}

/** The probe filled a hole that nobody had noticed: RFC 8985 §7.4.2 wants congestion control to react once. */
function noteRepairedTail(tcb: Tcb): void {
  if (tcb.recovery !== Recovery.open) return;
  const { now } = tcb.host;
  trace(tcb, TcpEvent.lossStart, LossReason.tailProbe, 0);
  tcb.congestion.onCongestion('loss', outstanding(tcb), now);
  tcb.congestion.onRecovered(outstanding(tcb), now);
  trace(tcb, TcpEvent.lossEnd, LossReason.tailProbe, 0);
}

function tellCongestionControl(tcb: Tcb): void {
  const { sample } = tcb.env;
  const { congestion, episode } = tcb;
  if (sample.delivered === 0 && sample.lost === 0) return;
  sample.inFlight = bytesInNetwork(tcb);
  sample.srtt = Math.max(0, tcb.rtt.srtt);
  sample.minRtt = tcb.rtt.hasSample ? tcb.rack.minRtt : 0;
  sample.isInRecovery = tcb.recovery === Recovery.fast;
  congestion.onAck(sample);
  if (sample.isInRecovery && episode !== null && !congestion.isModelBased) {
    congestion.cwnd = proportionalWindow(tcb, episode.prr, sample.inFlight);
  }
}
