/**
 * `winsockd/wsock32`: the Winsock 1.1 face, as wsock32.dll exports it beside ws2_32: the functions that winsock.h and winsock2.h share,
 * with the numbers of winsock.h, and what Microsoft put beside them. Calls block, as those of `winsockd/winsock`, whose process
 * and sockets they share; the rules of 1.1 hold when the process negotiates 1.x (`WSAStartup(MAKEWORD(1, 1), data)`).
 *
 *     WSAStartup(MAKEWORD(1, 1), data);
 *     setsockopt(s, IPPROTO_IP, IP_TTL, value);     // 7 here, 4 in winsock2.h
 */

import {
  AF_INET,
  type fd_set,
  INADDR_NONE,
  IP_ADD_MEMBERSHIP as IP_ADD_MEMBERSHIP_2,
  IP_DONTFRAGMENT as IP_DONTFRAGMENT_2,
  IP_DROP_MEMBERSHIP as IP_DROP_MEMBERSHIP_2,
  IP_MULTICAST_IF as IP_MULTICAST_IF_2,
  IP_MULTICAST_LOOP as IP_MULTICAST_LOOP_2,
  IP_MULTICAST_TTL as IP_MULTICAST_TTL_2,
  IP_TOS as IP_TOS_2,
  IP_TTL as IP_TTL_2,
  IPPROTO_IP,
  SOMAXCONN_1_1,
  WSAHOST_NOT_FOUND,
} from '../abi/index.ts';
import type { Ref } from '../spi/index.ts';
import { getsockopt as getsockopt2, setsockopt as setsockopt2, WSASetLastError } from './blocking.ts';

export * from '../abi/index.ts';
export {
  AcceptEx,
  accept,
  attachTo,
  bind,
  closesocket,
  connect,
  EnumProtocols,
  GetAcceptExSockaddrs,
  GetAddressByName,
  GetNameByType,
  GetService,
  GetTypeByName,
  gethostbyaddr,
  gethostbyname,
  gethostname,
  getpeername,
  getprotobyname,
  getprotobynumber,
  getservbyname,
  getservbyport,
  getsockname,
  htonl,
  htons,
  inet_addr,
  inet_ntoa,
  ioctlsocket,
  listen,
  MAKEWORD,
  ntohl,
  ntohs,
  recv,
  recvfrom,
  SetService,
  select,
  send,
  sendto,
  shutdown,
  socket,
  TransmitFile,
  WSAAsyncGetHostByAddr,
  WSAAsyncGetHostByName,
  WSAAsyncGetProtoByName,
  WSAAsyncGetProtoByNumber,
  WSAAsyncGetServByName,
  WSAAsyncGetServByPort,
  WSAAsyncSelect,
  WSACancelAsyncRequest,
  WSACancelBlockingCall,
  WSACleanup,
  WSAGetLastError,
  WSAIsBlocking,
  WSARecvEx,
  WSASetBlockingHook,
  WSASetLastError,
  WSAStartup,
  WSAUnhookBlockingHook,
} from './blocking.ts';

/** The largest backlog of 1.1. */
export const SOMAXCONN = SOMAXCONN_1_1;

/** Options of level IPPROTO_IP as winsock.h numbers them (SEM-W11-06). */
export const IP_MULTICAST_IF = 2;
export const IP_MULTICAST_TTL = 3;
export const IP_MULTICAST_LOOP = 4;
export const IP_ADD_MEMBERSHIP = 5;
export const IP_DROP_MEMBERSHIP = 6;
export const IP_TTL = 7;
export const IP_TOS = 8;
export const IP_DONTFRAGMENT = 9;

/** The number of winsock2.h for each of them. */
const IP_OPTIONS_2: ReadonlyMap<number, number> = new Map([
  [IP_MULTICAST_IF, IP_MULTICAST_IF_2],
  [IP_MULTICAST_TTL, IP_MULTICAST_TTL_2],
  [IP_MULTICAST_LOOP, IP_MULTICAST_LOOP_2],
  [IP_ADD_MEMBERSHIP, IP_ADD_MEMBERSHIP_2],
  [IP_DROP_MEMBERSHIP, IP_DROP_MEMBERSHIP_2],
  [IP_TTL, IP_TTL_2],
  [IP_TOS, IP_TOS_2],
  [IP_DONTFRAGMENT, IP_DONTFRAGMENT_2],
]);

function optionOf(level: number, optname: number): number {
  return level === IPPROTO_IP ? (IP_OPTIONS_2.get(optname) ?? optname) : optname;
}

/** Reads an option, by its number of winsock.h. */
export function getsockopt(
  s: number,
  level: number,
  optname: number,
  optval: Uint8Array | null,
  optlen?: Ref | null,
): number {
  return getsockopt2(s, level, optionOf(level, optname), optval, optlen);
}

/** Sets an option, by its number of winsock.h. */
export function setsockopt(
  s: number,
  level: number,
  optname: number,
  optval: Uint8Array | null,
  optlen?: number,
): number {
  return setsockopt2(s, level, optionOf(level, optname), optval, optlen);
}

/** Adds a socket, without a look at those that are there (SEM-W11-07). */
export function FD_SET(s: number, set: fd_set): void {
  const array: unknown = set?.fd_array;
  if (Array.isArray(array) && !Object.isFrozen(array)) array.push(s);
}

/** Parts of a network number, at most. */
const PARTS_MAX = 4;
const PART_MAX = 255;

/**
 * Reads a network number of one to four parts, each decimal, 0octal or 0xhex, the last in the lowest byte.
 * @returns it in host order; INADDR_NONE for anything else
 */
export function inet_network(cp: string): number {
  if (typeof cp !== 'string') return INADDR_NONE;
  const parts = cp.split('.');
  if (parts.length > PARTS_MAX) return INADDR_NONE;
  let network = 0;
  for (const part of parts) {
    const value = numberOf(part);
    if (Number.isNaN(value) || value > PART_MAX) return INADDR_NONE;
    network = network * (PART_MAX + 1) + value;
  }
  return network;
}

function numberOf(text: string): number {
  if (/^0x[\da-f]+$/i.test(text)) return Number.parseInt(text, 16);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9]\d*$/.test(text) ? Number.parseInt(text, 10) : Number.NaN;
}

/** A network by its name. */
export interface netent {
  readonly n_name: string;
  readonly n_aliases: readonly string[];
  readonly n_addrtype: number;
  /** In host order. */
  readonly n_net: number;
}

/** The networks that a fresh Windows knows. */
const LOOPBACK_NET: netent = { n_name: 'loopback', n_aliases: [], n_addrtype: AF_INET, n_net: 127 };

/** A network by its name; `null` with WSAHOST_NOT_FOUND for all but `loopback`. */
export function getnetbyname(name: string | null): netent | null {
  const isKnown = typeof name === 'string' && name.toLowerCase() === LOOPBACK_NET.n_name;
  WSASetLastError(isKnown ? 0 : WSAHOST_NOT_FOUND);
  return isKnown ? LOOPBACK_NET : null;
}
