/**
 * The ICMP helper API's numbers and layouts (ipexport.h, icmpapi.h), as 64-bit Windows has them.
 *
 * In a reply buffer, what is a pointer in C is the offset from the buffer's start: bytes have no addresses here.
 *
 *     IP_OPTION_INFORMATION  0 Ttl  1 Tos  2 Flags  3 OptionsSize  8 OptionsData (8)                                     16
 *     ICMP_ECHO_REPLY        0 Address (network)  4 Status  8 RoundTripTime  12 DataSize  14 Reserved  16 Data (8)  24 Options  40
 *     ICMPV6_ECHO_REPLY      0 port  2 flow info  6 address[16]  22 scope id  28 Status  32 RoundTripTime (int)                  36
 */

import { IpAddress, i32, i32le, putI32, putI32le, putU16le, u16le } from '../base/index.ts';

export const ICMP_ECHO_REPLY_LEN = 40;
export const ICMPV6_ECHO_REPLY_LEN = 36;
/** Room that a reply buffer needs beside structure and data: what an ICMP error brings. */
export const ICMP_ERROR_ROOM = 8;
/** Most bytes of options in a request. */
export const MAX_OPT_SIZE = 40;

/** Bits of `IP_OPTION_INFORMATION.Flags`. */
export const IP_FLAG_REVERSE = 1;
export const IP_FLAG_DF = 2;

/** What became of an echo request: IP_STATUS. */
export const IP_SUCCESS = 0;
export const IP_BUF_TOO_SMALL = 11001;
export const IP_DEST_NET_UNREACHABLE = 11002;
export const IP_DEST_HOST_UNREACHABLE = 11003;
export const IP_DEST_PROT_UNREACHABLE = 11004;
export const IP_DEST_PORT_UNREACHABLE = 11005;
export const IP_NO_RESOURCES = 11006;
export const IP_BAD_OPTION = 11007;
export const IP_HW_ERROR = 11008;
export const IP_PACKET_TOO_BIG = 11009;
export const IP_REQ_TIMED_OUT = 11010;
export const IP_BAD_REQ = 11011;
export const IP_BAD_ROUTE = 11012;
export const IP_TTL_EXPIRED_TRANSIT = 11013;
export const IP_TTL_EXPIRED_REASSEM = 11014;
export const IP_PARAM_PROBLEM = 11015;
export const IP_SOURCE_QUENCH = 11016;
export const IP_OPTION_TOO_BIG = 11017;
export const IP_BAD_DESTINATION = 11018;
/** IPv6's own; `net`, `prot` and `port` unreachable are its no route, prohibited and port unreachable. */
export const IP_DEST_UNREACHABLE = 11040;
export const IP_TIME_EXCEEDED = 11041;
export const IP_BAD_HEADER = 11042;
export const IP_UNRECOGNIZED_NEXT_HEADER = 11043;
export const IP_ICMP_ERROR = 11044;
export const IP_DEST_SCOPE_MISMATCH = 11045;
export const IP_GENERAL_FAILURE = 11050;

/** How a request is sent, or what a reply came with. */
export interface IP_OPTION_INFORMATION {
  /** 0: the default. */
  readonly Ttl: number;
  readonly Tos: number;
  /** IP_FLAG_* bits. */
  readonly Flags: number;
  /** IPv4 options as they are in a header; of a reply, a copy. */
  readonly OptionsData: Uint8Array | null;
}

export interface ICMP_ECHO_REPLY {
  readonly Address: IpAddress;
  /** IP_STATUS. */
  readonly Status: number;
  /** ms. */
  readonly RoundTripTime: number;
  /** A copy. */
  readonly Data: Uint8Array;
  readonly Options: IP_OPTION_INFORMATION;
}

export interface ICMPV6_ECHO_REPLY {
  readonly Address: IpAddress;
  readonly Status: number;
  readonly RoundTripTime: number;
  readonly Data: Uint8Array;
}

/** Writes a reply with its options and data behind it, at the buffer's start. @returns where it ends, -1 when it does not fit */
export function writeICMP_ECHO_REPLY(into: Uint8Array, reply: ICMP_ECHO_REPLY): number {
  const { Data, Options } = reply;
  const options = Options.OptionsData ?? new Uint8Array(0);
  const dataAt = ICMP_ECHO_REPLY_LEN + options.length;
  const end = dataAt + Data.length;
  if (end > into.length) return -1;
  into.fill(0, 0, ICMP_ECHO_REPLY_LEN);
  putI32(into, 0, reply.Address.w3);
  putI32le(into, 4, reply.Status);
  putI32le(into, 8, reply.RoundTripTime);
  putU16le(into, 12, Data.length);
  putI32le(into, 16, dataAt);
  into[24] = Options.Ttl;
  into[25] = Options.Tos;
  into[26] = Options.Flags;
  into[27] = options.length;
  putI32le(into, 32, options.length === 0 ? 0 : ICMP_ECHO_REPLY_LEN);
  into.set(options, ICMP_ECHO_REPLY_LEN);
  into.set(Data, dataAt);
  return end;
}

/** Reads the reply at a buffer's start; `null` when the buffer holds none. */
export function readICMP_ECHO_REPLY(bytes: Uint8Array): ICMP_ECHO_REPLY | null {
  if (bytes.length < ICMP_ECHO_REPLY_LEN) return null;
  const dataAt = i32le(bytes, 16);
  const dataEnd = dataAt + u16le(bytes, 12);
  const optionsAt = i32le(bytes, 32);
  const optionsEnd = optionsAt + (bytes[27] as number);
  if (dataAt < 0 || dataEnd > bytes.length || optionsAt < 0 || optionsEnd > bytes.length) return null;
  return {
    Address: IpAddress.v4(i32(bytes, 0)),
    Status: i32le(bytes, 4),
    RoundTripTime: i32le(bytes, 8),
    Data: bytes.slice(dataAt, dataEnd),
    Options: {
      Ttl: bytes[24] as number,
      Tos: bytes[25] as number,
      Flags: bytes[26] as number,
      OptionsData: optionsEnd > optionsAt ? bytes.slice(optionsAt, optionsEnd) : null,
    },
  };
}

/** As {@link writeICMP_ECHO_REPLY}; the data follows at once. */
export function writeICMPV6_ECHO_REPLY(into: Uint8Array, reply: ICMPV6_ECHO_REPLY): number {
  const { Address, Data } = reply;
  const end = ICMPV6_ECHO_REPLY_LEN + Data.length;
  if (end > into.length) return -1;
  into.fill(0, 0, ICMPV6_ECHO_REPLY_LEN);
  putI32(into, 6, Address.w0);
  putI32(into, 10, Address.w1);
  putI32(into, 14, Address.w2);
  putI32(into, 18, Address.w3);
  putI32le(into, 22, Address.zone);
  putI32le(into, 28, reply.Status);
  putI32le(into, 32, reply.RoundTripTime);
  into.set(Data, ICMPV6_ECHO_REPLY_LEN);
  return end;
}

/** Reads the reply at a buffer's start. @param dataSize bytes of the request's data: the structure does not say */
export function readICMPV6_ECHO_REPLY(bytes: Uint8Array, dataSize: number): ICMPV6_ECHO_REPLY | null {
  const end = ICMPV6_ECHO_REPLY_LEN + dataSize;
  if (dataSize < 0 || bytes.length < end) return null;
  const zone = i32le(bytes, 22);
  return {
    Address: new IpAddress(6, i32(bytes, 6), i32(bytes, 10), i32(bytes, 14), i32(bytes, 18), zone),
    Status: i32le(bytes, 28),
    RoundTripTime: i32le(bytes, 32),
    Data: bytes.slice(ICMPV6_ECHO_REPLY_LEN, end),
  };
}
