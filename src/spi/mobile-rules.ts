/**
 * Where sockets of the `windows-mobile` profile differ in options and raw sockets (RAW-15; Windows CE 5.0's list of options).
 */

import {
  AF_INET,
  IP_HDRINCL,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  SO_RCVLOWAT,
  SO_RCVTIMEO,
  SO_SNDLOWAT,
  SO_SNDTIMEO,
  SOCK_RAW,
  SOL_SOCKET,
  TCP_MAXSEG,
  WSAENOPROTOOPT,
  WSAEPROTONOSUPPORT,
  WSAESOCKTNOSUPPORT,
} from '../abi/index.ts';
import type { BaseSocket } from './base-sockets.ts';

/** By level: programs use `select` for time-outs there, and a server for both families has two sockets. */
const ABSENT: ReadonlyMap<number, readonly number[]> = new Map([
  [SOL_SOCKET, [SO_RCVLOWAT, SO_SNDLOWAT, SO_RCVTIMEO, SO_SNDTIMEO]],
  [IPPROTO_TCP, [TCP_MAXSEG]],
  [IPPROTO_IPV6, [IPV6_V6ONLY]],
]);
/** Where an IPv4 header has its protocol. */
const PROTOCOL_AT = 9;

/** What an option answers that is not there; 0 when it is. */
export function mobileOptionError(level: number, option: number): number {
  return ABSENT.get(level)?.includes(option) === true ? WSAENOPROTOOPT : 0;
}

/** Raw sockets are IPv4's alone. @returns a WSA code */
export function mobileSocketError(family: number, type: number): number {
  return type === SOCK_RAW && family !== AF_INET ? WSAESOCKTNOSUPPORT : 0;
}

/** Notes whether the application writes the headers itself. */
export function noteHeaderIncluded(
  socket: BaseSocket,
  level: number,
  option: number,
  value: Uint8Array,
): void {
  if (socket.type !== SOCK_RAW || level !== IPPROTO_IP || option !== IP_HDRINCL) return;
  socket.isHeaderIncluded = value.subarray(0, 4).some((byte) => byte !== 0);
}

/** A header of the application's own must not be one of TCP. @returns a WSA code */
export function mobileSendError(socket: BaseSocket, data: Uint8Array): number {
  return socket.isHeaderIncluded && data[PROTOCOL_AT] === IPPROTO_TCP ? WSAEPROTONOSUPPORT : 0;
}
