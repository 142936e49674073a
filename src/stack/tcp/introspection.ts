/**
 * A connection's figures for `TcpEndpoint.info`.
 */

import type { TcpInfo } from './info.ts';
import type { TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';

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
    dupAcksIn: 0,
    bytesReordered: 0,
    sndWindShift: 0,
    rcvWindShift: 0,
    timestampsEnabled: false,
    sackEnabled: false,
    connectionTimeMs: 0,
    sendBufferUsed: 0,
    receiveBufferUsed: 0,
  };
}

/** Writes the figures of `tcb` into `into`. Sequence numbers are unsigned there, as they are printed. */
export function fillInfo(tcb: Tcb, into: TcpInfo): TcpInfo {
  const { rtt, congestion } = tcb;
  into.state = tcb.state;
  into.mss = tcb.smss;
  into.receiveMss = tcb.rmss;
  into.srtt = Math.max(0, rtt.srtt);
  into.rttvar = rtt.hasSample ? rtt.rttvar : 0;
  into.rto = rtt.rto;
  into.minRtt = rtt.hasSample ? rtt.minRtt : 0;
  into.cwnd = congestion.cwnd;
  into.ssthresh = congestion.ssthresh;
  into.sndUna = tcb.sndUna >>> 0;
  into.sndNxt = tcb.sndNxt >>> 0;
  into.sndWnd = tcb.sndWnd;
  into.rcvNxt = tcb.rcvNxt >>> 0;
  into.rcvWnd = tcb.rcvWnd;
  into.flightSize = tcb.flightSize;
  into.bytesIn = tcb.bytesIn;
  into.bytesOut = tcb.bytesOut;
  into.bytesRetrans = tcb.bytesRetrans;
  into.segmentsIn = tcb.segmentsIn;
  into.segmentsOut = tcb.segmentsOut;
  into.retransSegs = tcb.retransSegs;
  into.fastRetransmits = tcb.fastRetransmits;
  into.timeouts = tcb.timeouts;
  into.dupAcksIn = tcb.dupAcksIn;
  into.bytesReordered = tcb.bytesReordered;
  into.sndWindShift = tcb.sndWindShift;
  into.rcvWindShift = tcb.rcvWindShift;
  into.timestampsEnabled = tcb.isTimestamped;
  into.sackEnabled = tcb.isSackEnabled;
  into.connectionTimeMs = tcb.host.now - tcb.openedAt;
  into.sendBufferUsed = tcb.tx.used;
  into.receiveBufferUsed = tcb.rx.used;
  return into;
}
