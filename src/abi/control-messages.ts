/**
 * Control messages: what WSASendMsg and WSARecvMsg carry beside a message, as 64-bit Windows lays them out (STR-WSACMSGHDR).
 *
 *     0               8         12       16
 *     | cmsg_len (u64)| level   | type   | data … , padded to a multiple of 8
 */

import { i32le, putI32le } from '../base/index.ts';

export const WSACMSGHDR_LEN = 16;

/** Control messages that only go one way or the other; the others are numbered as the options of the same name. */
export const IP_TCLASS = 39;
export const UDP_COALESCED_INFO = 3;
/** Bytes of an in_pktinfo {address, interface index} and of an in6_pktinfo; the _EX forms have a SCOPE_ID more. */
export const IN_PKTINFO_LEN = 8;
export const IN6_PKTINFO_LEN = 20;

export const IN_RECVERR_LEN = 12;

/** What IP_RECVERR and IPV6_RECVERR carry: protocol (4), info (4), type (1), code (1), padding (2). */
export interface IN_RECVERR {
  /** IPPROTO_ICMP or IPPROTO_ICMPV6. */
  protocol: number;
  /** The next hop's MTU when the packet was too big for it; else 0. */
  info: number;
  type: number;
  code: number;
}

/** Writes an IN_RECVERR. @returns where it ends */
export function writeIN_RECVERR(into: Uint8Array, at: number, error: IN_RECVERR): number {
  into.fill(0, at, at + IN_RECVERR_LEN);
  putI32le(into, at, error.protocol);
  putI32le(into, at + 4, error.info);
  into[at + 8] = error.type;
  into[at + 9] = error.code;
  return at + IN_RECVERR_LEN;
}

/** Reads an IN_RECVERR; `null` when it is short. */
export function readIN_RECVERR(bytes: Uint8Array, at = 0): IN_RECVERR | null {
  if (bytes.length - at < IN_RECVERR_LEN) return null;
  return {
    protocol: i32le(bytes, at),
    info: i32le(bytes, at + 4) >>> 0,
    type: bytes[at + 8] as number,
    code: bytes[at + 9] as number,
  };
}

/** Bytes that a control message with `length` bytes of data takes (WSA_CMSG_SPACE). */
export function controlSpace(length: number): number {
  return WSACMSGHDR_LEN + ((length + 7) & ~7);
}

/**
 * Writes the head of a control message, whose data goes behind it.
 * @returns where the data goes, or -1 when the whole does not fit before `end`
 */
export function writeControlHead(
  into: Uint8Array,
  at: number,
  end: number,
  level: number,
  type: number,
  length: number,
): number {
  const space = controlSpace(length);
  if (space > end - at) return -1;
  into.fill(0, at, at + space);
  putI32le(into, at, WSACMSGHDR_LEN + length);
  putI32le(into, at + 8, level);
  putI32le(into, at + 12, type);
  return at + WSACMSGHDR_LEN;
}

/** One control message as it lies in the bytes it was read from. */
export interface ControlMessage {
  readonly level: number;
  readonly type: number;
  /** A view. */
  readonly data: Uint8Array;
}

/** Reads all control messages of a buffer. @returns `null` when one is malformed */
export function readControlMessages(bytes: Uint8Array): readonly ControlMessage[] | null {
  const messages: ControlMessage[] = [];
  let at = 0;
  while (at < bytes.length) {
    const room = bytes.length - at;
    if (room < WSACMSGHDR_LEN) return null;
    const length = i32le(bytes, at);
    if (i32le(bytes, at + 4) !== 0 || length < WSACMSGHDR_LEN || length > room) return null;
    const data = bytes.subarray(at + WSACMSGHDR_LEN, at + length);
    messages.push({ level: i32le(bytes, at + 8), type: i32le(bytes, at + 12), data });
    at += controlSpace(length - WSACMSGHDR_LEN);
  }
  return messages;
}
