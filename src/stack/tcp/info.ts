/**
 * The figures of one connection: what SIO_TCP_INFO (v0, v1) and RFC 4898 report.
 */

import type { TcpState } from './state.ts';

/** Bytes, milliseconds, counts. Filled by `TcpEndpoint.info`. */
export interface TcpInfo {
  state: TcpState;
  /** Sender's and receiver's maximum segment size. */
  mss: number;
  receiveMss: number;
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
  flightSize: number;
  bytesIn: number;
  bytesOut: number;
  bytesRetrans: number;
  segmentsIn: number;
  segmentsOut: number;
  retransSegs: number;
  fastRetransmits: number;
  timeouts: number;
  dupAcksIn: number;
  bytesReordered: number;
  sndWindShift: number;
  rcvWindShift: number;
  timestampsEnabled: boolean;
  sackEnabled: boolean;
  connectionTimeMs: number;
  sendBufferUsed: number;
  receiveBufferUsed: number;
}
