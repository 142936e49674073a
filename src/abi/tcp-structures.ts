/**
 * Structures about a TCP connection (mstcpip.h): tcp_keepalive and TCP_INFO_v0.
 */

import { i32le, putI32le } from '../base/index.ts';

export const TCP_KEEPALIVE_LEN = 12;

/** Parameter of SIO_KEEPALIVE_VALS. */
export interface tcp_keepalive {
  /** Non-zero: on. */
  onoff: number;
  /** Idle time before the first probe, ms. */
  keepalivetime: number;
  /** Between probes, ms. */
  keepaliveinterval: number;
}

/** Reads a tcp_keepalive; `null` when it is short. */
export function readTcpKeepalive(bytes: Uint8Array, at = 0): tcp_keepalive | null {
  if (bytes.length - at < TCP_KEEPALIVE_LEN) return null;
  return {
    onoff: i32le(bytes, at) >>> 0,
    keepalivetime: i32le(bytes, at + 4) >>> 0,
    keepaliveinterval: i32le(bytes, at + 8) >>> 0,
  };
}

/** Writes a tcp_keepalive. @returns where it ends. */
export function writeTcpKeepalive(into: Uint8Array, at: number, values: tcp_keepalive): number {
  putI32le(into, at, values.onoff);
  putI32le(into, at + 4, values.keepalivetime);
  putI32le(into, at + 8, values.keepaliveinterval);
  return at + TCP_KEEPALIVE_LEN;
}

/** TCPSTATE, the numbers of the connection states (STR-TCPSTATE). */
export const TCPSTATE = {
  CLOSED: 0,
  LISTEN: 1,
  SYN_SENT: 2,
  SYN_RCVD: 3,
  ESTABLISHED: 4,
  FIN_WAIT_1: 5,
  FIN_WAIT_2: 6,
  CLOSE_WAIT: 7,
  CLOSING: 8,
  LAST_ACK: 9,
  TIME_WAIT: 10,
} as const;

export const TCP_INFO_V0_LEN = 88;

/** Result of SIO_TCP_INFO, version 0. 64-bit members are numbers up to 2⁵³. */
export interface TCP_INFO_v0 {
  /** {@link TCPSTATE}. */
  State: number;
  Mss: number;
  ConnectionTimeMs: number;
  TimestampsEnabled: boolean;
  RttUs: number;
  MinRttUs: number;
  BytesInFlight: number;
  Cwnd: number;
  SndWnd: number;
  RcvWnd: number;
  RcvBuf: number;
  BytesOut: number;
  BytesIn: number;
  BytesReordered: number;
  BytesRetrans: number;
  FastRetrans: number;
  DupAcksIn: number;
  TimeoutEpisodes: number;
  SynRetrans: number;
}

/** Writes the 88 bytes of a TCP_INFO_v0. @returns where it ends. */
export function writeTcpInfoV0(into: Uint8Array, at: number, info: TCP_INFO_v0): number {
  into.fill(0, at, at + TCP_INFO_V0_LEN);
  putI32le(into, at, info.State);
  putI32le(into, at + 4, info.Mss);
  putU64le(into, at + 8, info.ConnectionTimeMs);
  into[at + 16] = info.TimestampsEnabled ? 1 : 0;
  putI32le(into, at + 20, info.RttUs);
  putI32le(into, at + 24, info.MinRttUs);
  putI32le(into, at + 28, info.BytesInFlight);
  putI32le(into, at + 32, info.Cwnd);
  putI32le(into, at + 36, info.SndWnd);
  putI32le(into, at + 40, info.RcvWnd);
  putI32le(into, at + 44, info.RcvBuf);
  putU64le(into, at + 48, info.BytesOut);
  putU64le(into, at + 56, info.BytesIn);
  putI32le(into, at + 64, info.BytesReordered);
  putI32le(into, at + 68, info.BytesRetrans);
  putI32le(into, at + 72, info.FastRetrans);
  putI32le(into, at + 76, info.DupAcksIn);
  putI32le(into, at + 80, info.TimeoutEpisodes);
  into[at + 84] = Math.min(info.SynRetrans, 255);
  return at + TCP_INFO_V0_LEN;
}

/** Reads a TCP_INFO_v0; `null` when it is short. */
export function readTcpInfoV0(bytes: Uint8Array, at = 0): TCP_INFO_v0 | null {
  if (bytes.length - at < TCP_INFO_V0_LEN) return null;
  const dword = (offset: number): number => i32le(bytes, at + offset) >>> 0;
  const u64 = (offset: number): number => dword(offset) + dword(offset + 4) * 2 ** 32;
  return {
    State: dword(0),
    Mss: dword(4),
    ConnectionTimeMs: u64(8),
    TimestampsEnabled: bytes[at + 16] !== 0,
    RttUs: dword(20),
    MinRttUs: dword(24),
    BytesInFlight: dword(28),
    Cwnd: dword(32),
    SndWnd: dword(36),
    RcvWnd: dword(40),
    RcvBuf: dword(44),
    BytesOut: u64(48),
    BytesIn: u64(56),
    BytesReordered: dword(64),
    BytesRetrans: dword(68),
    FastRetrans: dword(72),
    DupAcksIn: dword(76),
    TimeoutEpisodes: dword(80),
    SynRetrans: bytes[at + 84] as number,
  };
}

function putU64le(into: Uint8Array, at: number, value: number): void {
  putI32le(into, at, value % 2 ** 32);
  putI32le(into, at + 4, Math.floor(value / 2 ** 32));
}
