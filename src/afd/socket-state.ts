/**
 * What is legal when, and with which error otherwise: the rules of a Winsock socket as tables (SEM-STATE-*, SEM-CONN-*,
 * SEM-SHUT-*) and small functions without state of their own.
 */

import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  SOMAXCONN,
  WSAEAFNOSUPPORT,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
  WSAEISCONN,
  WSAENOTCONN,
  WSAEPROTONOSUPPORT,
  WSAESOCKTNOSUPPORT,
} from '../abi/index.ts';

/** Where a stream socket stands. */
export const SocketState = {
  /** Not connected, whether bound or not; also after a connect that failed (SEM-CONN-04). */
  open: 0,
  connecting: 1,
  connected: 2,
  listening: 3,
  /** Was connected, and the connection failed. */
  broken: 4,
  /** The last descriptor is gone. */
  closed: 5,
} as const;
export type SocketState = (typeof SocketState)[keyof typeof SocketState];

/** Calls whose legality depends on the state. */
export type StateCall = 'connect' | 'listen' | 'accept' | 'send' | 'recv' | 'shutdown' | 'getPeerName';

/** By call: the code in each state, in the order of {@link SocketState}; 0 is legal. */
export const STREAM_RULES: Readonly<Record<StateCall, readonly number[]>> = {
  //            open           connecting     connected      listening    broken
  connect: [0, WSAEALREADY, WSAEISCONN, WSAEINVAL, WSAEISCONN],
  listen: [0, WSAEINVAL, WSAEISCONN, 0, WSAEISCONN],
  accept: [WSAEINVAL, WSAEINVAL, WSAEINVAL, 0, WSAEINVAL],
  send: [WSAENOTCONN, WSAENOTCONN, 0, WSAENOTCONN, 0],
  recv: [WSAENOTCONN, WSAENOTCONN, 0, WSAENOTCONN, 0],
  shutdown: [WSAENOTCONN, WSAENOTCONN, 0, WSAENOTCONN, 0],
  getPeerName: [WSAENOTCONN, 0, 0, WSAENOTCONN, 0],
};

/** The code of `call` on a stream socket in `state`; 0 when it is legal. */
export function streamRule(call: StateCall, state: SocketState): number {
  return STREAM_RULES[call][state] ?? WSAEINVAL;
}

/** A kind of socket that exists here, or the code of why there is none. */
export interface Selection {
  readonly error: number;
  readonly type: number;
  readonly protocol: number;
}

/**
 * Chooses the socket for a family, type and protocol as `socket` is given them (SEM-SOCK-10 … SEM-SOCK-22). The catalog has
 * decided before for a caller that has one; this holds for every other.
 */
export function selectSocket(family: number, type: number, protocol: number): Selection {
  const isKnownType = type === 0 || type === SOCK_STREAM || type === SOCK_DGRAM || type === SOCK_RAW;
  if (!isKnownType && protocol !== 0) return refusal(WSAESOCKTNOSUPPORT);
  if (family === AF_UNSPEC && protocol === 0) return refusal(WSAEINVAL);
  if (family !== AF_UNSPEC && family !== AF_INET && family !== AF_INET6) return refusal(WSAEAFNOSUPPORT);
  if (!isKnownType) return refusal(WSAESOCKTNOSUPPORT);
  if (type === SOCK_RAW) {
    return protocol >= 0 && protocol <= 255 ? { error: 0, type, protocol } : refusal(WSAEPROTONOSUPPORT);
  }
  const wanted = protocol !== 0 ? protocol : type === SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
  const fits =
    (wanted === IPPROTO_TCP && type !== SOCK_DGRAM) || (wanted === IPPROTO_UDP && type !== SOCK_STREAM);
  if (!fits) return refusal(WSAEPROTONOSUPPORT);
  return { error: 0, type: wanted === IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, protocol: wanted };
}

/** Most connections that may wait for a plain backlog, SOMAXCONN included. */
export const MAX_BACKLOG = 1024;
/** The range of SOMAXCONN_HINT (SEM-BKLG-02). */
export const MIN_HINTED_BACKLOG = 200;
export const MAX_HINTED_BACKLOG = 65_535;

/** The backlog in force for the one that was asked for (SEM-BKLG-01 … SEM-BKLG-03). */
export function normalizeBacklog(backlog: number): number {
  if (backlog === SOMAXCONN) return MAX_BACKLOG;
  if (backlog < 0) return Math.min(Math.max(-backlog, MIN_HINTED_BACKLOG), MAX_HINTED_BACKLOG);
  return Math.min(Math.max(backlog, 1), MAX_BACKLOG);
}

/**
 * What is wrong with the bytes of a sockaddr that a socket of `family` was given: WSAEFAULT when it is short,
 * WSAEAFNOSUPPORT when it is of another family; 0 when it can be read.
 */
export function checkSockaddr(bytes: Uint8Array | null, family: number, length: number): number {
  if (bytes === null || bytes.length < 2) return WSAEFAULT;
  const given = (bytes[0] as number) | ((bytes[1] as number) << 8);
  if (given !== family) return WSAEAFNOSUPPORT;
  return bytes.length < length ? WSAEFAULT : 0;
}

function refusal(error: number): Selection {
  return { error, type: 0, protocol: 0 };
}
