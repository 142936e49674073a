/**
 * Structures about a TCP connection (mstcpip.h): tcp_keepalive, TCP_INFO_v0 and TCP_INFO_v1.
 */

import { type IpAddress, i32le, putI32le } from '../base/index.ts';
import { readSockaddr, SOCKADDR_IN6_LEN, writeSockaddr } from './sockaddr.ts';

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
  const dword = (offset: number): number => u32le(bytes, at + offset);
  const u64 = (offset: number): number => u64le(bytes, at + offset);
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

export const TCP_INFO_V1_LEN = 136;

/**
 * Result of SIO_TCP_INFO, version 1: version 0, and what held the sender back (STR-TCP_INFO_v1). Of each state (the receiver's
 * window, the congestion window, the sender itself): transitions into it, milliseconds in it, and bytes that were sent in it.
 *
 * ```
 *  88 TransRwin   92 TimeRwin    96 BytesRwin (64 bits)
 * 104 TransCwnd  108 TimeCwnd   112 BytesCwnd
 * 120 TransSnd   124 TimeSnd    128 BytesSnd
 * ```
 */
export interface TCP_INFO_v1 extends TCP_INFO_v0 {
  SndLimTransRwin: number;
  SndLimTimeRwin: number;
  SndLimBytesRwin: number;
  SndLimTransCwnd: number;
  SndLimTimeCwnd: number;
  SndLimBytesCwnd: number;
  SndLimTransSnd: number;
  SndLimTimeSnd: number;
  SndLimBytesSnd: number;
}

/** Writes the 136 bytes of a TCP_INFO_v1. @returns where it ends. */
export function writeTcpInfoV1(into: Uint8Array, at: number, info: TCP_INFO_v1): number {
  const limits = writeTcpInfoV0(into, at, info);
  putI32le(into, limits, info.SndLimTransRwin);
  putI32le(into, limits + 4, info.SndLimTimeRwin);
  putU64le(into, limits + 8, info.SndLimBytesRwin);
  putI32le(into, limits + 16, info.SndLimTransCwnd);
  putI32le(into, limits + 20, info.SndLimTimeCwnd);
  putU64le(into, limits + 24, info.SndLimBytesCwnd);
  putI32le(into, limits + 32, info.SndLimTransSnd);
  putI32le(into, limits + 36, info.SndLimTimeSnd);
  putU64le(into, limits + 40, info.SndLimBytesSnd);
  return at + TCP_INFO_V1_LEN;
}

/** Reads a TCP_INFO_v1; `null` when it is short. */
export function readTcpInfoV1(bytes: Uint8Array, at = 0): TCP_INFO_v1 | null {
  const v0 = bytes.length - at < TCP_INFO_V1_LEN ? null : readTcpInfoV0(bytes, at);
  if (v0 === null) return null;
  const limits = at + TCP_INFO_V0_LEN;
  return {
    ...v0,
    SndLimTransRwin: u32le(bytes, limits),
    SndLimTimeRwin: u32le(bytes, limits + 4),
    SndLimBytesRwin: u64le(bytes, limits + 8),
    SndLimTransCwnd: u32le(bytes, limits + 16),
    SndLimTimeCwnd: u32le(bytes, limits + 20),
    SndLimBytesCwnd: u64le(bytes, limits + 24),
    SndLimTransSnd: u32le(bytes, limits + 32),
    SndLimTimeSnd: u32le(bytes, limits + 36),
    SndLimBytesSnd: u64le(bytes, limits + 40),
  };
}

function u32le(bytes: Uint8Array, at: number): number {
  return i32le(bytes, at) >>> 0;
}

function u64le(bytes: Uint8Array, at: number): number {
  return u32le(bytes, at) + u32le(bytes, at + 4) * 2 ** 32;
}

function putU64le(into: Uint8Array, at: number, value: number): void {
  putI32le(into, at, value % 2 ** 32);
  putI32le(into, at + 4, Math.floor(value / 2 ** 32));
}

export const ICMP_ERROR_INFO_LEN = 36;

/** Value of TCP_ICMP_ERROR_INFO: SOCKADDR_INET (28 bytes), protocol (4), type (1), code (1), padding (2). */
export interface ICMP_ERROR_INFO {
  /** Who sent the ICMP error. */
  srcaddress: IpAddress;
  /** IPPROTO_ICMP or IPPROTO_ICMPV6. */
  protocol: number;
  type: number;
  code: number;
}

/** Writes an ICMP_ERROR_INFO. @returns where it ends */
export function writeICMP_ERROR_INFO(into: Uint8Array, at: number, info: ICMP_ERROR_INFO): number {
  into.fill(0, at, at + ICMP_ERROR_INFO_LEN);
  writeSockaddr(into, at, info.srcaddress, 0);
  putI32le(into, at + SOCKADDR_IN6_LEN, info.protocol);
  into[at + SOCKADDR_IN6_LEN + 4] = info.type;
  into[at + SOCKADDR_IN6_LEN + 5] = info.code;
  return at + ICMP_ERROR_INFO_LEN;
}

/** Reads an ICMP_ERROR_INFO; `null` when it is short or has no address. */
export function readICMP_ERROR_INFO(bytes: Uint8Array, at = 0): ICMP_ERROR_INFO | null {
  if (bytes.length - at < ICMP_ERROR_INFO_LEN) return null;
  const source = readSockaddr(bytes.subarray(at, at + SOCKADDR_IN6_LEN));
  if (source === null) return null;
  return {
    srcaddress: source.address,
    protocol: i32le(bytes, at + SOCKADDR_IN6_LEN),
    type: bytes[at + SOCKADDR_IN6_LEN + 4] as number,
    code: bytes[at + SOCKADDR_IN6_LEN + 5] as number,
  };
}
