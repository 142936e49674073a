/**
 * TCP's knobs of a stack with their defaults. Durations are ms, sizes bytes.
 */

import type { MtuDiscovery, SynCookieMode, TcpOptions } from '../api.ts';
import { type CongestionControlChoice, checkChoice } from './congestion/registry.ts';
import type { EcnMode } from './ecn/state.ts';
import { INITIAL_RTO } from './loss/rtt.ts';

/** `TcpOptions` with every value decided, and what is not an option (yet). */
export interface TcpConfig {
  readonly sendBufferSize: number;
  readonly receiveBufferSize: number;
  readonly sendBufferMax: number;
  readonly receiveBufferMax: number;
  readonly memoryLimit: number;
  /** Of a connect's first SYN. */
  readonly initialRto: number;
  readonly minRto: number;
  readonly maxRto: number;
  readonly maxRetransmissions: number;
  readonly maxSynRetransmissions: number;
  readonly delayedAckMs: number;
  readonly msl: number;
  readonly timestamps: boolean;
  readonly windowScaling: boolean;
  readonly sack: boolean;
  readonly ecn: EcnMode;
  readonly maxSuperSegment: number;
  readonly minSendMss: number;
  readonly mtuProbing: 'off' | 'blackHole' | 'always';
  /** Most payload a connection sends in one turn without segmentation offload. */
  readonly sendQuantum: number;
  /** Segments that are acknowledged at once when a connection is young, so that the peer's slow start isn't held up. */
  readonly quickAcks: number;
  /** Most ranges of early data, and of the scoreboard. */
  readonly maxRanges: number;
  /** Most half-open connections of a listener. */
  readonly maxHalfOpen: number;
  readonly synCookies: SynCookieMode;
  readonly fastOpen: boolean;
  /** Most connections of a listener whose SYN's text was taken before their handshake is complete (RFC 7413 §5.1). */
  readonly maxFastOpens: number;
  /** How long a SYN is held for the application to decide about it (SEM-COND-04). */
  readonly holdSynMs: number;
  /** Most connections in TIME-WAIT: past it the oldest end early. */
  readonly maxTimeWait: number;
  /** Challenge ACKs a connection sends in a second (RFC 5961 §7): per connection, so that it tells others nothing. */
  readonly challengeAcksPerSecond: number;
  /** How long a connection whose user has closed it waits in FIN-WAIT-2 for the peer's FIN. */
  readonly finWait2Ms: number;
  /** For connections whose endpoint does not say otherwise. */
  readonly congestionControl: CongestionControlChoice;
  /** Connections are paced whatever their congestion control. */
  readonly pacing: boolean;
  /** Time between a refusal and the next SYN, where a user wants one ({@link TcpSettings.refusedRetries}). */
  readonly refusedRetryMs: number;
  readonly keepAliveTime: number;
  readonly keepAliveInterval: number;
  readonly keepAliveCount: number;
}

export const TCP_DEFAULTS: TcpConfig = {
  // 64 KB is what a frame of a device with offloads brings: four of them. Memory is only taken as it fills.
  sendBufferSize: 256 << 10,
  receiveBufferSize: 256 << 10,
  // 1 Gbit/s × 100 ms is 12.5 MB. The most that a window scale of 8 can offer.
  sendBufferMax: 16 << 20,
  receiveBufferMax: 0xffff << 8,
  memoryLimit: 512 << 20,
  initialRto: INITIAL_RTO,
  /** Deviation: RFC 6298 §2.4 says 1 s; 200 ms is what hosts use, and the floor adds to the smoothed RTT. */
  minRto: 200,
  // RFC 6298 §2.5: at least 60 s.
  maxRto: 60_000,
  // From 200 ms on, ten doublings are more than R2's 100 s (RFC 9293 §3.8.3, SHLD-11).
  maxRetransmissions: 10,
  /** Deviation: RFC 9293 MUST-23 says R2 ≥ 3 minutes for SYN; Windows gives up after 1 + 2 + 4 + 8 + 16 s. */
  maxSynRetransmissions: 4,
  // MUST-40: less than 500 ms.
  delayedAckMs: 40,
  /** Deviation: RFC 9293 §3.4.2 says 2 minutes; Windows' TIME-WAIT lasts 2 minutes. */
  msl: 60_000,
  timestamps: true,
  windowScaling: true,
  sack: true,
  ecn: 'passive',
  maxSuperSegment: 65_000,
  // A packet of 256 bytes, the MTU of the narrowest links in use (amateur radio, serial lines).
  minSendMss: 216,
  mtuProbing: 'blackHole',
  sendQuantum: 32_768,
  quickAcks: 16,
  maxRanges: 512,
  maxHalfOpen: 1024,
  synCookies: 'pressure',
  fastOpen: false,
  maxFastOpens: 256,
  // As long as peers go on asking: with Windows' five SYNs 21 s, with Linux' seven 127 s.
  holdSynMs: 75_000,
  maxTimeWait: 32_768,
  challengeAcksPerSecond: 10,
  finWait2Ms: 120_000,
  congestionControl: 'cubic',
  pacing: false,
  // What Windows waits: three SYNs in a little more than a second.
  refusedRetryMs: 500,
  // RFC 9293 §3.8.4, MUST-28: at least two hours.
  keepAliveTime: 7_200_000,
  keepAliveInterval: 1000,
  keepAliveCount: 10,
};

/**
 * No path is faster than this, bytes per ms (16 Gbit/s), and hosts answer within this many ms. Between two processes of one
 * machine nothing is ever lost and windows say nothing, but a buffer that outgrows the caches costs a third more time.
 */
const FASTEST_PATH = 2 << 20;
const LEAST_TURNAROUND = 2;

/** Bytes past which a buffer is of no use to a path with a round trip of `rtt` ms. */
export function mostUsefulBuffer(rtt: number): number {
  return Math.floor(FASTEST_PATH * Math.max(LEAST_TURNAROUND, rtt));
}

/** The defaults with `options` over them. @throws RangeError for a congestion control that does not exist */
export function resolveTcpOptions(options: TcpOptions = {}): TcpConfig {
  const { sendBufferSize, receiveBufferSize } = options;
  const sendBufferMax = options.sendBufferMax ?? sendBufferSize ?? TCP_DEFAULTS.sendBufferMax;
  const receiveBufferMax = options.receiveBufferMax ?? receiveBufferSize ?? TCP_DEFAULTS.receiveBufferMax;
  const config = { ...TCP_DEFAULTS, ...options, sendBufferMax, receiveBufferMax };
  checkChoice(config.congestionControl);
  return config;
}

/** What a user can set on one endpoint; a connection that a listener accepts starts with a copy of the listener's. */
export interface TcpSettings {
  ttl: number;
  trafficClass: number;
  dontFragment: boolean;
  mtuDiscovery: MtuDiscovery;
  userMtu: number;
  maxSegment: number;
  failsOnIcmpError: boolean;
  timestamps: boolean;
  initialRto: number;
  maxSynRetransmissions: number;
  initialWindow: number;
  ackFrequency: number;
  unicastInterface: number;
  interfaces: ReadonlySet<number> | null;
  noDelay: boolean;
  refusedRetries: number;
  urgentInline: boolean;
  pointsAtUrgent: boolean;
  keepAlive: boolean;
  keepAliveTime: number;
  keepAliveInterval: number;
  keepAliveCount: number;
  userTimeout: number;
  ecn: EcnMode;
  conditionalAccept: boolean;
  fastOpen: boolean;
  pauseAccept: boolean;
  sendBufferSize: number;
  receiveBufferSize: number;
  /** The user has set the size: it is not tuned. */
  isSendBufferFixed: boolean;
  isReceiveBufferFixed: boolean;
  congestionControl: CongestionControlChoice;
}

/** RFC 9293 §3.8.6.3: an ACK for at least every second segment. */
const ACK_FREQUENCY = 2;

/** The settings that an endpoint starts with. */
export function initialSettings(config: TcpConfig): TcpSettings {
  return {
    ttl: 0,
    trafficClass: 0,
    dontFragment: true,
    mtuDiscovery: 'system',
    userMtu: 0,
    maxSegment: 0,
    failsOnIcmpError: false,
    timestamps: config.timestamps,
    initialRto: 0,
    maxSynRetransmissions: -1,
    initialWindow: 0,
    ackFrequency: ACK_FREQUENCY,
    unicastInterface: 0,
    interfaces: null,
    noDelay: false,
    refusedRetries: 0,
    urgentInline: false,
    pointsAtUrgent: false,
    keepAlive: false,
    keepAliveTime: config.keepAliveTime,
    keepAliveInterval: config.keepAliveInterval,
    keepAliveCount: config.keepAliveCount,
    userTimeout: 0,
    ecn: config.ecn,
    conditionalAccept: false,
    fastOpen: config.fastOpen,
    pauseAccept: false,
    sendBufferSize: config.sendBufferSize,
    receiveBufferSize: config.receiveBufferSize,
    isSendBufferFixed: config.sendBufferMax <= config.sendBufferSize,
    isReceiveBufferFixed: config.receiveBufferMax <= config.receiveBufferSize,
    congestionControl: config.congestionControl,
  };
}
