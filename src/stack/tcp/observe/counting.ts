/**
 * The few places at which a connection's counts, the MIB's and the event stream hear of what happened. Each is a handful of
 * additions and comparisons; nothing here decides anything.
 */

import { seqLt } from '../../../base/index.ts';
import { TCP_FIN, TCP_SYN } from '../../../wire/index.ts';
import { Cause } from '../../host.ts';
import { bytesInNetwork } from '../loss/loss-marks.ts';
import type { Segment } from '../segment.ts';
import { isSynchronized } from '../state.ts';
import type { Tcb } from '../tcb.ts';
import { SendLimit } from './send-limits.ts';
import { TcpEvent, trace } from './trace.ts';

/**
 * A segment leaves; SND.NXT has not moved past it yet, so that what lies below is sent again.
 * @param packets on the wire: more than 1 for a super-segment
 * @param window offered with it, bytes
 */
export function countSent(
  tcb: Tcb,
  seq: number,
  flags: number,
  length: number,
  packets: number,
  window: number,
  cause: number,
): void {
  const { counts } = tcb;
  const { counters } = tcb.host;
  tcb.segmentsOut += packets;
  const hasOctets = length > 0 || (flags & (TCP_SYN | TCP_FIN)) !== 0;
  if (length > 0) counts.dataSegsOut += packets;
  if (hasOctets && seqLt(seq, tcb.sndNxt)) {
    // RFC 4022 tcpOutSegs leaves out what holds only retransmitted octets: tcpRetransSegs counts it.
    tcb.retransSegs += packets;
    tcb.bytesRetrans += length;
    counters.tcpRetransSegs += packets;
    if ((flags & TCP_SYN) !== 0) counts.synRetrans++;
  } else {
    counters.tcpOutSegs += packets;
  }
  if (cause === Cause.duplicateAck && length === 0) counts.dupAcksOut++;
  if (window === counts.curRwinSent) return;
  if (window === 0) counts.zeroRwinSent++;
  else if (window > counts.maxRwinSent) counts.maxRwinSent = window;
  counts.curRwinSent = window;
}

/** A segment for the connection arrived. */
export function countReceived(tcb: Tcb, seg: Segment): void {
  tcb.segmentsIn += seg.packets;
  const { counts } = tcb;
  if (seg.payloadLength > 0) counts.dataSegsIn += seg.packets;
  if (seg.sackCount > 0) {
    counts.sacksRcvd++;
    counts.sackBlocksRcvd += seg.sackCount;
  }
}

/** Text came before text that goes ahead of it. */
export function countEarly(tcb: Tcb, packets: number): void {
  const { counts } = tcb;
  counts.outOfOrderPktsIn += packets;
  const waiting = tcb.early.bytes;
  if (waiting > counts.maxReasmQueue) counts.maxReasmQueue = waiting;
}

/** Takes a round-trip sample of `rtt` ms. */
export function takeRttSample(tcb: Tcb, rtt: number): void {
  const { counts } = tcb;
  tcb.rtt.sample(rtt);
  counts.sampleRtt = rtt;
  counts.sumRtt += rtt;
  counts.countRtt++;
  if (rtt > counts.maxRtt) counts.maxRtt = rtt;
  const { rto, srtt } = tcb.rtt;
  if (rto > counts.maxRto) counts.maxRto = rto;
  if (rto < counts.minRto || counts.minRto === 0) counts.minRto = rto;
  trace(tcb, TcpEvent.rtt, srtt, rtt);
}

/** The retransmission timer ran out after `timeout` ms, for the `times`th time in a row. */
export function countTimeout(tcb: Tcb, timeout: number, times: number): void {
  tcb.timeouts++;
  if (times === 1) tcb.counts.timeoutEpisodes++;
  trace(tcb, TcpEvent.timeout, timeout, times);
}

/** Looks whether the congestion window or its threshold has changed: after a segment, a timeout, an idle time. */
export function noteWindow(tcb: Tcb): void {
  const { cwnd, ssthresh } = tcb.congestion;
  const { counts } = tcb;
  if (cwnd === counts.cwnd && ssthresh === counts.ssthresh) return;
  // Before the handshake is complete there is only a placeholder.
  if (!isSynchronized(tcb.state)) return;
  const isSlowStart = counts.cwnd < counts.ssthresh;
  if (counts.cwnd > 0 && cwnd > counts.cwnd) {
    if (isSlowStart) counts.slowStart++;
    else counts.congAvoid++;
  }
  if (cwnd < ssthresh) counts.maxSsCwnd = Math.max(counts.maxSsCwnd, cwnd);
  else counts.maxCaCwnd = Math.max(counts.maxCaCwnd, cwnd);
  if (ssthresh !== counts.ssthresh && counts.ssthresh > 0) {
    counts.maxSsthresh = Math.max(counts.maxSsthresh, ssthresh);
    counts.minSsthresh = counts.minSsthresh === 0 ? ssthresh : Math.min(counts.minSsthresh, ssthresh);
  }
  counts.cwnd = cwnd;
  counts.ssthresh = ssthresh;
  trace(tcb, TcpEvent.window, cwnd, ssthresh);
}

/** SMSS was computed anew. */
export function noteSmss(tcb: Tcb): void {
  const { counts, smss } = tcb;
  if (smss > counts.maxMss) counts.maxMss = smss;
  if (smss < counts.minMss || counts.minMss === 0) counts.minMss = smss;
}

/** The limit of a buffer has changed. */
export function noteBuffers(tcb: Tcb): void {
  trace(tcb, TcpEvent.buffer, tcb.tx.limit, tcb.rx.limit);
}

/**
 * A turn of output is over, and no more may leave now: remembers why, and the high-water marks.
 * @param isPaced it has to wait for its pace
 */
export function noteStop(tcb: Tcb, isPaced: boolean): void {
  const { counts } = tcb;
  const flight = tcb.flightSize;
  if (flight > counts.maxPipeSize) counts.maxPipeSize = flight;
  if (tcb.limits.current === SendLimit.none) return;
  tcb.limits.enter(whyStopped(tcb, flight, isPaced), tcb.host.now, tcb.bytesOut + tcb.bytesRetrans);
}

/** The window that is short, the shorter of both; when both have room, it is the sender itself. */
function whyStopped(tcb: Tcb, flight: number, isPaced: boolean): number {
  // Lost text that may not be sent again yet waits for the congestion window alone.
  if (tcb.sent.lostBytes > 0) return SendLimit.cwnd;
  const available = tcb.unsentBytes;
  if (available <= 0) return SendLimit.snd;
  if (isPaced) return SendLimit.cwnd;
  const windowRoom = tcb.sndWnd - flight;
  const cwndRoom = tcb.congestion.cwnd - bytesInNetwork(tcb);
  if (Math.min(windowRoom, cwndRoom) >= Math.min(tcb.smss, available)) return SendLimit.snd;
  return windowRoom <= cwndRoom ? SendLimit.rwin : SendLimit.cwnd;
}
