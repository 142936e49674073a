/**
 * RFC 4898: the extended statistics of one connection, in that MIB's tables and under its names without the prefix
 * `tcpEStats…`. What this stack doesn't know of a connection (such as tcpEStatsPathIpTosIn) is left out. Sizes are bytes. Times
 * are ms with fractions, where the MIB rounds; counts don't wrap.
 */

import type { EcnName } from '../ecn/state.ts';
import type { TcpState } from '../state.ts';

/** tcpEStatsPerfTable: counts and state that tell how well it runs. */
export interface TcpPerfStatistics {
  /** Packets, all and those with text, which include what was sent again. */
  readonly segsOut: number;
  readonly dataSegsOut: number;
  readonly dataOctetsOut: number;
  readonly segsRetrans: number;
  readonly octetsRetrans: number;
  readonly segsIn: number;
  readonly dataSegsIn: number;
  /** Text that arrived in order. */
  readonly dataOctetsIn: number;
  readonly elapsedMs: number;
  readonly curMss: number;
  /** Sent and not acknowledged: now, and the most. */
  readonly pipeSize: number;
  readonly maxPipeSize: number;
  readonly smoothedRtt: number;
  readonly curRto: number;
  /** Reductions of the congestion window because of loss or an echo of congestion. */
  readonly congSignals: number;
  readonly curCwnd: number;
  readonly curSsthresh: number;
  /** Episodes of the retransmission timer. */
  readonly timeouts: number;
  /** Offered windows: the last, the largest, and how often one closed. */
  readonly curRwinSent: number;
  readonly maxRwinSent: number;
  readonly zeroRwinSent: number;
  readonly curRwinRcvd: number;
  readonly maxRwinRcvd: number;
  readonly zeroRwinRcvd: number;
  /** What held the sender back: see `TcpInfo`. */
  readonly sndLimTransRwin: number;
  readonly sndLimTransCwnd: number;
  readonly sndLimTransSnd: number;
  readonly sndLimTimeRwin: number;
  readonly sndLimTimeCwnd: number;
  readonly sndLimTimeSnd: number;
}

/** tcpEStatsPathTable: what is known of the path. */
export interface TcpPathStatistics {
  readonly sumOctetsReordered: number;
  /** Packets that arrived before text that goes ahead of theirs. */
  readonly outOfOrderPktsIn: number;
  readonly sampleRtt: number;
  readonly rttVar: number;
  readonly maxRtt: number;
  readonly minRtt: number;
  readonly sumRtt: number;
  readonly countRtt: number;
  readonly maxRto: number;
  readonly minRto: number;
  /** 0: the stack's default. */
  readonly ipTtl: number;
  readonly ipTosOut: number;
  readonly dupAcksOut: number;
  /** Reductions for marks, ACKs that report marks, and packets that arrived with CE. */
  readonly ecnSignals: number;
  readonly eceAcksRcvd: number;
  readonly ceRcvd: number;
}

/** tcpEStatsStackTable: what was negotiated, and how the algorithms stand. */
export interface TcpStackStatistics {
  readonly state: TcpState;
  readonly activeOpen: boolean;
  readonly mssSent: number;
  readonly mssRcvd: number;
  readonly winScaleSent: number;
  readonly winScaleRcvd: number;
  readonly timeStamps: boolean;
  readonly willSendSack: boolean;
  readonly ecn: EcnName;
  readonly nagle: boolean;
  readonly congestionControl: string;
  /** RFC 4898's dataContiguous, sackRecovery and lossRecovery, under the names of `Recovery`. */
  readonly inRecovery: 'open' | 'fast' | 'timeout';
  readonly maxSsCwnd: number;
  readonly maxCaCwnd: number;
  readonly maxSsthresh: number;
  readonly minSsthresh: number;
  readonly dupAcksIn: number;
  /** How often slow start, and congestion avoidance, opened the window. */
  readonly slowStart: number;
  readonly congAvoid: number;
  readonly fastRetran: number;
  /** Tail-loss probes, and episodes of loss that were none. */
  readonly ptoEpisodes: number;
  readonly spuriousRecoveries: number;
  /** Timeouts after the first of an episode, and how many there are now in a row. */
  readonly subsequentTimeouts: number;
  readonly curTimeoutCount: number;
  readonly sacksRcvd: number;
  readonly sackBlocksRcvd: number;
  /** ACKs that report what had arrived before (RFC 2883). */
  readonly dsackDups: number;
  readonly maxMss: number;
  readonly minMss: number;
  readonly synRetrans: number;
  readonly curReasmQueue: number;
  readonly maxReasmQueue: number;
}

/** tcpEStatsAppTable: between the application and TCP. */
export interface TcpAppStatistics {
  readonly sndUna: number;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly thruOctetsAcked: number;
  readonly thruOctetsReceived: number;
  /** Written and not acknowledged: now, and the most. */
  readonly curAppWQueue: number;
  readonly maxAppWQueue: number;
  /** Arrived in order and not read. */
  readonly curAppRQueue: number;
  readonly maxAppRQueue: number;
}

/** All tables of one connection at one moment. */
export interface TcpStatistics {
  readonly perf: TcpPerfStatistics;
  readonly path: TcpPathStatistics;
  readonly stack: TcpStackStatistics;
  readonly app: TcpAppStatistics;
}
