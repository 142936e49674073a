/**
 * The figures of one connection: what SIO_TCP_INFO (v0, v1) reports, and what a packet script or `netstat` wants besides.
 * `statistics.ts` has the rest of RFC 4898.
 */

import type { EcnName } from '../ecn/state.ts';
import type { TcpState } from '../state.ts';

/** Bytes, milliseconds, counts since the connection was opened. Filled by `TcpEndpoint.info`. */
export interface TcpInfo {
  state: TcpState;
  /** Sender's and receiver's maximum segment size. */
  mss: number;
  receiveMss: number;
  /** Smoothed round-trip time, its variance, and the least sample; 0 before the first (RFC 6298). */
  srtt: number;
  rttvar: number;
  rto: number;
  minRtt: number;
  cwnd: number;
  ssthresh: number;
  sndUna: number;
  sndNxt: number;
  sndWnd: number;
  rcvNxt: number;
  rcvWnd: number;
  /** Bytes sent and not acknowledged. */
  flightSize: number;
  /** Text that arrived in order, and text that was sent for the first time. */
  bytesIn: number;
  bytesOut: number;
  bytesRetrans: number;
  /** Packets; of a super-segment each. */
  segmentsIn: number;
  segmentsOut: number;
  retransSegs: number;
  /** Episodes of fast recovery. */
  fastRetransmits: number;
  /** Runs of the retransmission timer, and episodes of them: those that were the first without progress between. */
  timeouts: number;
  timeoutEpisodes: number;
  /** Tail-loss probes sent (RFC 8985 §7), and loss episodes that were taken back because nothing had been lost. */
  tailProbes: number;
  spuriousRecoveries: number;
  /** SYNs sent again. */
  synRetrans: number;
  dupAcksIn: number;
  /** Text that came before text that goes ahead of it: bytes and packets. */
  bytesReordered: number;
  outOfOrderPktsIn: number;
  sndWindShift: number;
  rcvWindShift: number;
  timestampsEnabled: boolean;
  sackEnabled: boolean;
  /** The form of ECN feedback in force, and packets with CE: those that arrived, and those of ours that the peer reported. */
  ecn: EcnName;
  ceReceived: number;
  ceDelivered: number;
  /** ACKs that report packets of ours as marked. */
  eceAcksIn: number;
  connectionTimeMs: number;
  sendBufferUsed: number;
  receiveBufferUsed: number;
  /** Limits of the buffers, as they are now. */
  sendBufferSize: number;
  receiveBufferSize: number;
  /**
   * What held the sender back (`send-limits.ts`): the peer's window, the congestion window, the sender itself. Transitions
   * into each, time in it, and text that left in it, retransmissions included.
   */
  sndLimTransRwin: number;
  sndLimTimeRwin: number;
  sndLimBytesRwin: number;
  sndLimTransCwnd: number;
  sndLimTimeCwnd: number;
  sndLimBytesCwnd: number;
  sndLimTransSnd: number;
  sndLimTimeSnd: number;
  sndLimBytesSnd: number;
}
