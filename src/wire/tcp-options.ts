/**
 * TCP options: MSS (RFC 9293 §3.7.1), window scale and timestamps (RFC 7323), SACK (RFC 2018), Fast Open (RFC 7413), AccECN
 * (RFC 9768, in `acc-ecn-option.ts`).
 *
 * Kinds that are not known are skipped by their length (RFC 9293 MUST-6). A length that cannot be (RFC 9293 MUST-7), or is
 * wrong for a known kind, makes the segment malformed; a Fast Open option of a wrong length is ignored (RFC 7413 §4.1.1).
 */

import { i32, putI32, putU16, u16 } from '../base/index.ts';
import { type AccEcnFields, readAccEcnOption, TCPOPT_ACC_ECN0, TCPOPT_ACC_ECN1 } from './acc-ecn-option.ts';
import { DropReason } from './drop-reason.ts';

/** Kinds (IANA "TCP Option Kind Numbers"). */
export const TCPOPT_END = 0;
export const TCPOPT_NOP = 1;
export const TCPOPT_MSS = 2;
export const TCPOPT_WINDOW_SCALE = 3;
export const TCPOPT_SACK_PERMITTED = 4;
export const TCPOPT_SACK = 5;
export const TCPOPT_TIMESTAMPS = 8;
export const TCPOPT_FAST_OPEN = 34;
/** Shared by experiments (RFC 6994); Fast Open's identifier in it. */
export const TCPOPT_EXPERIMENT = 254;
export const TCPOPT_EXPERIMENT_FAST_OPEN = 0xf989;

/** Bytes that the writers put, padding included. */
export const TCPOPT_MSS_LEN = 4;
export const TCPOPT_WINDOW_SCALE_LEN = 4;
export const TCPOPT_SACK_PERMITTED_LEN = 4;
export const TCPOPT_TIMESTAMPS_LEN = 12;

/** The largest window shift (RFC 7323 §2.3). */
export const MAX_WINDOW_SHIFT = 14;

/** Bits of {@link TcpOptionFields.options}: which fields are there. */
export const TCP_OPTION_MSS = 1;
export const TCP_OPTION_WINDOW_SCALE = 2;
export const TCP_OPTION_SACK_PERMITTED = 4;
export const TCP_OPTION_SACK = 8;
export const TCP_OPTION_TIMESTAMPS = 16;
export const TCP_OPTION_FAST_OPEN = 32;
/** The Fast Open option came in its experimental form, and is answered in it (RFC 7413 §4.1.1, appendix). */
export const TCP_OPTION_FAST_OPEN_EXPERIMENT = 64;
/** Some option that is not known here. */
export const TCP_OPTION_OTHER = 128;
/** An AccECN option of either order. */
export const TCP_OPTION_ACC_ECN = 256;

/** The option fields of a parsed header. */
export interface TcpOptionFields extends AccEcnFields {
  /** `TCP_OPTION_*` bits. */
  options: number;
  mss: number;
  /** 0 … 14: a larger one is read as 14 (RFC 7323 §2.3). */
  windowShift: number;
  tsVal: number;
  tsEcr: number;
  /** Blocks in `sackEdges`, 0 … 4: left and right edge in turn. */
  sackCount: number;
  readonly sackEdges: Int32Array;
  /** The Fast Open cookie; length 0 asks for one. */
  fastOpenAt: number;
  fastOpenLength: number;
}

/** NOP NOP kind-8 length-10: how nearly every segment of a connection with timestamps starts its options. */
const ALIGNED_TIMESTAMPS = 0x0101080a;

/** Reads the options `at … end`; the caller has cleared `options` and `sackCount`. @returns `none` or `tcpOptions` */
export function parseTcpOptions(
  bytes: Uint8Array,
  at: number,
  end: number,
  into: TcpOptionFields,
): DropReason {
  if (end - at === 12 && i32(bytes, at) === ALIGNED_TIMESTAMPS) {
    into.options = TCP_OPTION_TIMESTAMPS;
    into.tsVal = i32(bytes, at + 4);
    into.tsEcr = i32(bytes, at + 8);
    return DropReason.none;
  }
  let next = at;
  while (next < end) {
    const kind = bytes[next] as number;
    if (kind === TCPOPT_END) break;
    if (kind === TCPOPT_NOP) {
      next++;
      continue;
    }
    const length = next + 1 < end ? (bytes[next + 1] as number) : 0;
    if (length < 2 || length > end - next) return DropReason.tcpOptions;
    if (!readOption(bytes, next, kind, length, into)) return DropReason.tcpOptions;
    next += length;
  }
  return DropReason.none;
}

/** @returns whether the length is right for the kind */
function readOption(
  bytes: Uint8Array,
  at: number,
  kind: number,
  length: number,
  into: TcpOptionFields,
): boolean {
  switch (kind) {
    case TCPOPT_MSS:
      into.options |= TCP_OPTION_MSS;
      into.mss = u16(bytes, at + 2);
      return length === 4;
    case TCPOPT_WINDOW_SCALE:
      into.options |= TCP_OPTION_WINDOW_SCALE;
      into.windowShift = Math.min(bytes[at + 2] as number, MAX_WINDOW_SHIFT);
      return length === 3;
    case TCPOPT_SACK_PERMITTED:
      into.options |= TCP_OPTION_SACK_PERMITTED;
      return length === 2;
    case TCPOPT_SACK:
      return readSack(bytes, at, length, into);
    case TCPOPT_TIMESTAMPS:
      into.options |= TCP_OPTION_TIMESTAMPS;
      into.tsVal = i32(bytes, at + 2);
      into.tsEcr = i32(bytes, at + 6);
      return length === 10;
    case TCPOPT_ACC_ECN0:
    case TCPOPT_ACC_ECN1:
      into.options |= TCP_OPTION_ACC_ECN;
      readAccEcnOption(bytes, at, kind, length, into);
      return true;
    case TCPOPT_FAST_OPEN:
      readFastOpen(at + 2, length - 2, TCP_OPTION_FAST_OPEN, into);
      return true;
    case TCPOPT_EXPERIMENT:
      if (length >= 4 && u16(bytes, at + 2) === TCPOPT_EXPERIMENT_FAST_OPEN) {
        readFastOpen(at + 4, length - 4, TCP_OPTION_FAST_OPEN | TCP_OPTION_FAST_OPEN_EXPERIMENT, into);
      } else {
        into.options |= TCP_OPTION_OTHER;
      }
      return true;
    default:
      into.options |= TCP_OPTION_OTHER;
      return true;
  }
}

function readSack(bytes: Uint8Array, at: number, length: number, into: TcpOptionFields): boolean {
  const count = (length - 2) >> 3;
  if (count < 1 || count > 4 || length !== 2 + (count << 3)) return false;
  into.options |= TCP_OPTION_SACK;
  into.sackCount = count;
  for (let edge = 0; edge < count << 1; edge++) into.sackEdges[edge] = i32(bytes, at + 2 + (edge << 2));
  return true;
}

/** A cookie is absent or an even number of bytes, 4 … 16 (RFC 7413 §4.1.1). */
function readFastOpen(at: number, length: number, bits: number, into: TcpOptionFields): void {
  if (length !== 0 && (length < 4 || length > 16 || length % 2 !== 0)) return;
  into.options |= bits;
  into.fastOpenAt = at;
  into.fastOpenLength = length;
}

/** Writes MSS, 4 bytes. @returns the end */
export function writeMssOption(into: Uint8Array, at: number, mss: number): number {
  putU16(into, at, (TCPOPT_MSS << 8) | 4);
  putU16(into, at + 2, mss);
  return at + TCPOPT_MSS_LEN;
}

/** Writes NOP and window scale, 4 bytes. @returns the end */
export function writeWindowScaleOption(into: Uint8Array, at: number, shift: number): number {
  putI32(into, at, (TCPOPT_NOP << 24) | (TCPOPT_WINDOW_SCALE << 16) | (3 << 8) | shift);
  return at + TCPOPT_WINDOW_SCALE_LEN;
}

/** Writes NOP NOP and SACK-permitted, 4 bytes. @returns the end */
export function writeSackPermittedOption(into: Uint8Array, at: number): number {
  putI32(into, at, (TCPOPT_NOP << 24) | (TCPOPT_NOP << 16) | (TCPOPT_SACK_PERMITTED << 8) | 2);
  return at + TCPOPT_SACK_PERMITTED_LEN;
}

/** Writes NOP NOP and timestamps, 12 bytes (RFC 7323 appendix A). @returns the end */
export function writeTimestampsOption(into: Uint8Array, at: number, tsVal: number, tsEcr: number): number {
  putI32(into, at, ALIGNED_TIMESTAMPS);
  putI32(into, at + 4, tsVal);
  putI32(into, at + 8, tsEcr);
  return at + TCPOPT_TIMESTAMPS_LEN;
}

/**
 * Writes NOP NOP and `count` SACK blocks, 4 + 8 × `count` bytes; without blocks, nothing.
 * @param edges left and right edge of each block in turn
 * @param count 1 … 4; at most 3 beside timestamps (RFC 2018 §3)
 * @returns the end
 */
export function writeSackOption(into: Uint8Array, at: number, edges: Int32Array, count: number): number {
  if (count === 0) return at;
  putI32(into, at, (TCPOPT_NOP << 24) | (TCPOPT_NOP << 16) | (TCPOPT_SACK << 8) | (2 + (count << 3)));
  for (let edge = 0; edge < count << 1; edge++) putI32(into, at + 4 + (edge << 2), edges[edge] as number);
  return at + 4 + (count << 3);
}

/** Bytes of a Fast Open option with its padding; 0 for `null`, which stands for none. */
export function fastOpenOptionLength(cookie: Uint8Array | null, isExperiment = false): number {
  return cookie === null ? 0 : ((isExperiment ? 4 : 2) + cookie.length + 3) & ~3;
}

/**
 * Writes a Fast Open option, padded to a multiple of 4 with NOPs.
 * @param cookie no bytes ask for a cookie
 * @param isExperiment in the form that came before the option had a kind of its own (RFC 7413 appendix)
 * @returns the end
 */
export function writeFastOpenOption(
  into: Uint8Array,
  at: number,
  cookie: Uint8Array,
  isExperiment = false,
): number {
  const end = at + fastOpenOptionLength(cookie, isExperiment);
  const head = isExperiment ? 4 : 2;
  into[at] = isExperiment ? TCPOPT_EXPERIMENT : TCPOPT_FAST_OPEN;
  into[at + 1] = head + cookie.length;
  if (isExperiment) putU16(into, at + 2, TCPOPT_EXPERIMENT_FAST_OPEN);
  into.set(cookie, at + head);
  into.fill(TCPOPT_NOP, at + head + cookie.length, end);
  return end;
}
