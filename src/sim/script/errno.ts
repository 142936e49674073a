/**
 * Error names of system calls in scripts, and the stack's errors under them. Numbers are Linux's, for SO_ERROR.
 */

import { StackError } from '../../stack/index.ts';

export const ERRNO_NUMBERS: Readonly<Record<string, number>> = {
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EINVAL: 22,
  EPIPE: 32,
  EDESTADDRREQ: 89,
  EMSGSIZE: 90,
  ENOPROTOOPT: 92,
  EPROTONOSUPPORT: 93,
  ESOCKTNOSUPPORT: 94,
  EOPNOTSUPP: 95,
  EAFNOSUPPORT: 97,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ENETRESET: 102,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  EISCONN: 106,
  ENOTCONN: 107,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EALREADY: 114,
  EINPROGRESS: 115,
};

const NAMES: Readonly<Record<StackError, string>> = {
  [StackError.wouldBlock]: 'EAGAIN',
  [StackError.invalid]: 'EINVAL',
  [StackError.notConnected]: 'ENOTCONN',
  [StackError.alreadyConnected]: 'EISCONN',
  [StackError.inProgress]: 'EALREADY',
  [StackError.addressInUse]: 'EADDRINUSE',
  [StackError.addressNotAvailable]: 'EADDRNOTAVAIL',
  [StackError.accessDenied]: 'EACCES',
  [StackError.networkUnreachable]: 'ENETUNREACH',
  [StackError.hostUnreachable]: 'EHOSTUNREACH',
  [StackError.connectionRefused]: 'ECONNREFUSED',
  [StackError.connectionReset]: 'ECONNRESET',
  [StackError.timedOut]: 'ETIMEDOUT',
  [StackError.connectionAborted]: 'ECONNABORTED',
  [StackError.messageTooLong]: 'EMSGSIZE',
  [StackError.noBuffers]: 'ENOBUFS',
  [StackError.shutDown]: 'EPIPE',
  [StackError.destinationRequired]: 'EDESTADDRREQ',
  [StackError.broadcastDenied]: 'EACCES',
  [StackError.networkReset]: 'ENETRESET',
  [StackError.notSupported]: 'EOPNOTSUPP',
  [StackError.networkDown]: 'ENETDOWN',
};

/** The error name of a `StackError`. */
export function errnoOf(error: number): string {
  return NAMES[error as StackError] ?? `error ${error}`;
}
