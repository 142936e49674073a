/**
 * A connection's figures for `TcpEndpoint.info`.
 */

import { ecnName } from '../ecn/ecn.ts';
import type { TcpState } from '../state.ts';
import type { Tcb } from '../tcb.ts';
import type { TcpInfo } from './info.ts';
import { SendLimit } from './send-limits.ts';

/** Figures with nothing to report. */
export function emptyInfo(state: TcpState): TcpInfo {
  return {
    state,
    mss: 0,
    receiveMss: 0,
    srtt: 0,
    rttvar: 0,
    rto: 0,
    minRtt: 0,
    cwnd: 0,
    ssthresh: 0,
    sndUna: 0,
    sndNxt: 0,
    sndWnd: 0,
    rcvNxt: 0,
    rcvWnd: 0,
    flightSize: 0,
    bytesIn: 0,
    bytesOut: 0,
    bytesRetrans: 0,
    segmentsIn: 0,
    segmentsOut: 0,
    retransSegs: 0,
    fastRetransmits: 0,
    timeouts: 0,
    timeoutEpisodes: 0,
    tailProbes: 0,
    spuriousRecoveries: 0,
    synRetrans: 0,
    dupAcksIn: 0,
    bytesReordered: 0,
    outOfOrderPktsIn: 0,
    sndWindShift: 0,
    rcvWindShift: 0,
    timestampsEnabled: false,
    sackEnabled: false,
    ecn: 'none',
    ceReceived: 0,
    ceDelivered: 0,
    eceAcksIn: 0,
    connectionTimeMs: 0,
    sendBufferUsed: 0,
    receiveBufferUsed: 0,
    sendBufferSize: 0,
    receiveBufferSize: 0,
    sndLimTransRwin: 0,
    sndLimTimeRwin: 0,
    sndLimBytesRwin: 0,
    sndLimTransCwnd: 0,
    sndLimTimeCwnd: 0,
    sndLimBytesCwnd: 0,
    sndLimTransSnd: 0,
    sndLimTimeSnd: 0,
    sndLimBytesSnd: 0,
  };
}

/** Writes the figures of `tcb` into `into`. Sequence numbers are unsigned there, as they are printed. */
export function fillInfo(tcb: Tcb, into: TcpInfo): TcpInfo {
  into.state = tcb.state;
  into.mss = tcb.smss;
  into.receiveMss = tcb.rmss;
  into.sndUna = tcb.sndUna >>> 0;
  into.sndNxt = tcb.sndNxt >>> 0;
  into.sndWnd = tcb.sndWnd;
  into.rcvNxt = tcb.rcvNxt >>> 0;
  into.rcvWnd = tcb.rcvWnd;
  into.flightSize = tcb.flightSize;
  into.sndWindShift = tcb.sndWindShift;
  into.rcvWindShift = tcb.rcvWindShift;
  into.timestampsEnabled = tcb.isTimestamped;
  into.sackEnabled = tcb.isSackEnabled;
  into.ecn = ecnName(tcb.ecn);
  into.ceReceived = tcb.ecn?.ceReceived ?? 0;
  into.ceDelivered = tcb.ecn?.ceDelivered ?? 0;
  into.eceAcksIn = tcb.counts.eceAcksIn;
  into.connectionTimeMs = tcb.host.now - tcb.openedAt;
  into.sendBufferUsed = tcb.tx.used;
  into.receiveBufferUsed = tcb.rx.used;
  into.sendBufferSize = tcb.tx.limit;
  into.receiveBufferSize = tcb.rx.limit;
  fillPath(tcb, into);
  fillCounts(tcb, into);
  fillLimits(tcb, into);
  return into;
}

/** What is known of the path: round trips and windows. */
function fillPath({ rtt, congestion }: Tcb, into: TcpInfo): void {
  into.srtt = Math.max(0, rtt.srtt);
  into.rttvar = rtt.hasSample ? rtt.rttvar : 0;
  into.rto = rtt.rto;
  into.minRtt = rtt.hasSample ? rtt.minRtt : 0;
  into.cwnd = congestion.cwnd;
  into.ssthresh = congestion.ssthresh;
}

function fillCounts(tcb: Tcb, into: TcpInfo): void {
  const { counts } = tcb;
  into.bytesIn = tcb.bytesIn;
  into.bytesOut = tcb.bytesOut;
  into.bytesRetrans = tcb.bytesRetrans;
  into.segmentsIn = tcb.segmentsIn;
  into.segmentsOut = tcb.segmentsOut;
  into.retransSegs = tcb.retransSegs;
  into.fastRetransmits = tcb.fastRetransmits;
  into.timeouts = tcb.timeouts;
  into.timeoutEpisodes = counts.timeoutEpisodes;
  into.tailProbes = tcb.tailProbes;
  into.spuriousRecoveries = tcb.spuriousRecoveries;
  into.synRetrans = counts.synRetrans;
  into.dupAcksIn = tcb.dupAcksIn;
  into.bytesReordered = tcb.bytesReordered;
  into.outOfOrderPktsIn = counts.outOfOrderPktsIn;
}

function fillLimits(tcb: Tcb, into: TcpInfo): void {
  const { limits } = tcb;
  const { now } = tcb.host;
  const bytesOut = tcb.bytesOut + tcb.bytesRetrans;
  into.sndLimTransRwin = limits.transRwin;
  into.sndLimTimeRwin = limits.time(SendLimit.rwin, now);
  into.sndLimBytesRwin = limits.bytes(SendLimit.rwin, bytesOut);
  into.sndLimTransCwnd = limits.transCwnd;
  into.sndLimTimeCwnd = limits.time(SendLimit.cwnd, now);
  into.sndLimBytesCwnd = limits.bytes(SendLimit.cwnd, bytesOut);
  into.sndLimTransSnd = limits.transSnd;
  into.sndLimTimeSnd = limits.time(SendLimit.snd, now);
  into.sndLimBytesSnd = limits.bytes(SendLimit.snd, bytesOut);
}
