/**
 * A connection's statistics for `TcpEndpoint.statistics`.
 */

import { ecnName } from '../ecn/ecn.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { SendLimit } from './send-limits.ts';
import type {
  TcpAppStatistics,
  TcpPathStatistics,
  TcpPerfStatistics,
  TcpStackStatistics,
  TcpStatistics,
} from './statistics.ts';

/** The statistics of `tcb` now. */
export function collectStatistics(tcb: Tcb): TcpStatistics {
  return { perf: perfOf(tcb), path: pathOf(tcb), stack: stackOf(tcb), app: appOf(tcb) };
}

function perfOf(tcb: Tcb): TcpPerfStatistics {
  const { counts, limits, rtt, congestion } = tcb;
  const { now } = tcb.host;
  return {
    segsOut: tcb.segmentsOut,
    dataSegsOut: counts.dataSegsOut,
    dataOctetsOut: tcb.bytesOut + tcb.bytesRetrans,
    segsRetrans: tcb.retransSegs,
    octetsRetrans: tcb.bytesRetrans,
    segsIn: tcb.segmentsIn,
    dataSegsIn: counts.dataSegsIn,
    dataOctetsIn: tcb.bytesIn,
    elapsedMs: now - tcb.openedAt,
    curMss: tcb.smss,
    pipeSize: tcb.flightSize,
    maxPipeSize: counts.maxPipeSize,
    smoothedRtt: Math.max(0, rtt.srtt),
    curRto: rtt.rto,
    congSignals: tcb.fastRetransmits + counts.timeoutEpisodes + counts.ecnSignals,
    curCwnd: congestion.cwnd,
    curSsthresh: congestion.ssthresh,
    timeouts: counts.timeoutEpisodes,
    curRwinSent: counts.curRwinSent,
    maxRwinSent: counts.maxRwinSent,
    zeroRwinSent: counts.zeroRwinSent,
    curRwinRcvd: tcb.sndWnd,
    maxRwinRcvd: tcb.maxSndWnd,
    zeroRwinRcvd: counts.zeroRwinRcvd,
    sndLimTransRwin: limits.transRwin,
    sndLimTransCwnd: limits.transCwnd,
    sndLimTransSnd: limits.transSnd,
    sndLimTimeRwin: limits.time(SendLimit.rwin, now),
    sndLimTimeCwnd: limits.time(SendLimit.cwnd, now),
    sndLimTimeSnd: limits.time(SendLimit.snd, now),
  };
}

function pathOf({ counts, rtt, settings, bytesReordered, ecn }: Tcb): TcpPathStatistics {
  return {
    sumOctetsReordered: bytesReordered,
    outOfOrderPktsIn: counts.outOfOrderPktsIn,
    sampleRtt: counts.sampleRtt,
    rttVar: rtt.hasSample ? rtt.rttvar : 0,
    maxRtt: counts.maxRtt,
    minRtt: rtt.hasSample ? rtt.minRtt : 0,
    sumRtt: counts.sumRtt,
    countRtt: counts.countRtt,
    maxRto: counts.maxRto,
    minRto: counts.minRto,
    ipTtl: settings.ttl,
    ipTosOut: settings.trafficClass,
    dupAcksOut: counts.dupAcksOut,
    ecnSignals: counts.ecnSignals,
    eceAcksRcvd: counts.eceAcksIn,
    ceRcvd: ecn?.ceReceived ?? 0,
  };
}

function stackOf(tcb: Tcb): TcpStackStatistics {
  const { counts } = tcb;
  return {
    state: tcb.state,
    activeOpen: counts.isActiveOpen,
    mssSent: tcb.rmss,
    mssRcvd: tcb.peerMss,
    winScaleSent: tcb.rcvWindShift,
    winScaleRcvd: tcb.sndWindShift,
    timeStamps: tcb.isTimestamped,
    willSendSack: tcb.isSackEnabled,
    ecn: ecnName(tcb.ecn),
    nagle: !tcb.settings.noDelay,
    congestionControl: tcb.congestion.name,
    inRecovery: RECOVERY_NAMES[tcb.recovery] ?? 'open',
    maxSsCwnd: counts.maxSsCwnd,
    maxCaCwnd: counts.maxCaCwnd,
    maxSsthresh: counts.maxSsthresh,
    minSsthresh: counts.minSsthresh,
    dupAcksIn: tcb.dupAcksIn,
    slowStart: counts.slowStart,
    congAvoid: counts.congAvoid,
    fastRetran: tcb.fastRetransmits,
    ptoEpisodes: tcb.tailProbes,
    spuriousRecoveries: tcb.spuriousRecoveries,
    subsequentTimeouts: tcb.timeouts - counts.timeoutEpisodes,
    curTimeoutCount: tcb.retransmissions,
    sacksRcvd: counts.sacksRcvd,
    sackBlocksRcvd: counts.sackBlocksRcvd,
    dsackDups: counts.dsackDups,
    maxMss: counts.maxMss,
    minMss: counts.minMss,
    synRetrans: counts.synRetrans,
    curReasmQueue: tcb.early.bytes,
    maxReasmQueue: counts.maxReasmQueue,
  };
}

function appOf(tcb: Tcb): TcpAppStatistics {
  const { counts } = tcb;
  return {
    sndUna: tcb.sndUna >>> 0,
    sndNxt: tcb.sndNxt >>> 0,
    rcvNxt: tcb.rcvNxt >>> 0,
    thruOctetsAcked: tcb.bytesOut - Math.min(tcb.bytesOut, tcb.flightSize),
    thruOctetsReceived: tcb.bytesIn,
    curAppWQueue: tcb.tx.used,
    maxAppWQueue: counts.maxAppWQueue,
    curAppRQueue: tcb.rx.used,
    maxAppRQueue: counts.maxAppRQueue,
  };
}

const RECOVERY_NAMES: Readonly<Record<number, keyof typeof Recovery>> = {
  [Recovery.open]: 'open',
  [Recovery.fast]: 'fast',
  [Recovery.timeout]: 'timeout',
};
