/**
 * The structures of overlapped and registered I/O as bytes, for callers that keep them in memory as C does. Pointers and handles are
 * 64-bit numbers of which the low 53 bits are kept.
 */

import { i32le, putI32le } from '../base/index.ts';

/** Bytes of the structures in 64-bit Windows. */
export const WSABUF_LEN = 16;
export const WSAOVERLAPPED_LEN = 32;
export const OVERLAPPED_ENTRY_LEN = 32;
export const WSAMSG_LEN = 56;
export const TRANSMIT_FILE_BUFFERS_LEN = 32;
export const TRANSMIT_PACKETS_ELEMENT_LEN = 24;
export const RIO_BUF_LEN = 16;
export const RIORESULT_LEN = 24;

/** The members of an overlapped record. */
export interface OverlappedMembers {
  Internal: number;
  InternalHigh: number;
  Offset: number;
  OffsetHigh: number;
  hEvent: number;
}

/** Writes a WSAOVERLAPPED. @returns where it ends */
export function writeWSAOVERLAPPED(into: Uint8Array, at: number, record: OverlappedMembers): number {
  putU64(into, at, record.Internal);
  putU64(into, at + 8, record.InternalHigh);
  putI32le(into, at + 16, record.Offset | 0);
  putI32le(into, at + 20, record.OffsetHigh | 0);
  putU64(into, at + 24, record.hEvent);
  return at + WSAOVERLAPPED_LEN;
}

/** Reads a WSAOVERLAPPED; `null` when it is short. */
export function readWSAOVERLAPPED(bytes: Uint8Array, at = 0): OverlappedMembers | null {
  if (bytes.length - at < WSAOVERLAPPED_LEN) return null;
  return {
    Internal: u64(bytes, at),
    InternalHigh: u64(bytes, at + 8),
    Offset: i32le(bytes, at + 16) >>> 0,
    OffsetHigh: i32le(bytes, at + 20) >>> 0,
    hEvent: u64(bytes, at + 24),
  };
}

/** Writes a RIORESULT whose contexts are numbers. @returns where it ends */
export function writeRIORESULT(
  into: Uint8Array,
  at: number,
  result: { Status: number; BytesTransferred: number; SocketContext: number; RequestContext: number },
): number {
  putI32le(into, at, result.Status | 0);
  putI32le(into, at + 4, result.BytesTransferred | 0);
  putU64(into, at + 8, result.SocketContext);
  putU64(into, at + 16, result.RequestContext);
  return at + RIORESULT_LEN;
}

/** Reads a RIO_BUF; `null` when it is short. */
export function readRIO_BUF(
  bytes: Uint8Array,
  at = 0,
): { BufferId: number; Offset: number; Length: number } | null {
  if (bytes.length - at < RIO_BUF_LEN) return null;
  return {
    BufferId: u64(bytes, at),
    Offset: i32le(bytes, at + 8) >>> 0,
    Length: i32le(bytes, at + 12) >>> 0,
  };
}

function putU64(into: Uint8Array, at: number, value: number): void {
  putI32le(into, at, value | 0);
  putI32le(into, at + 4, Math.floor(value / 0x1_0000_0000) | 0);
}

function u64(bytes: Uint8Array, at: number): number {
  return (i32le(bytes, at + 4) >>> 0) * 0x1_0000_0000 + (i32le(bytes, at) >>> 0);
}
