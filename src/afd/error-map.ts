/**
 * The stack's reasons as Winsock codes: the one place where they meet.
 *
 * One reason may have several codes, since Winsock names the same event by the call that meets it: a closed port refuses a
 * connection, but resets a datagram socket.
 */

import {
  WSAEACCES,
  WSAEADDRINUSE,
  WSAEADDRNOTAVAIL,
  WSAEALREADY,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEDESTADDRREQ,
  WSAEHOSTUNREACH,
  WSAEINVAL,
  WSAEISCONN,
  WSAEMSGSIZE,
  WSAENETDOWN,
  WSAENETRESET,
  WSAENETUNREACH,
  WSAENOBUFS,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { StackError } from '../stack/index.ts';

/** By minus the `StackError`. */
const CODES: readonly number[] = table([
  [StackError.wouldBlock, WSAEWOULDBLOCK],
  [StackError.invalid, WSAEINVAL],
  [StackError.notConnected, WSAENOTCONN],
  [StackError.alreadyConnected, WSAEISCONN],
  [StackError.inProgress, WSAEALREADY],
  [StackError.addressInUse, WSAEADDRINUSE],
  [StackError.addressNotAvailable, WSAEADDRNOTAVAIL],
  [StackError.accessDenied, WSAEACCES],
  [StackError.networkUnreachable, WSAENETUNREACH],
  [StackError.hostUnreachable, WSAEHOSTUNREACH],
  [StackError.connectionRefused, WSAECONNREFUSED],
  [StackError.connectionReset, WSAECONNRESET],
  [StackError.timedOut, WSAETIMEDOUT],
  [StackError.connectionAborted, WSAECONNABORTED],
  [StackError.messageTooLong, WSAEMSGSIZE],
  [StackError.noBuffers, WSAENOBUFS],
  [StackError.shutDown, WSAESHUTDOWN],
  [StackError.destinationRequired, WSAEDESTADDRREQ],
  [StackError.broadcastDenied, WSAEACCES],
  [StackError.networkReset, WSAENETRESET],
  [StackError.notSupported, WSAEOPNOTSUPP],
  [StackError.networkDown, WSAENETDOWN],
]);

/** The Winsock code of a `StackError`; 0 for results that are none. */
export function wsaOf(stackError: number): number {
  return stackError >= 0 ? 0 : (CODES[-stackError] ?? WSAEINVAL);
}

/** Of a connection that was established: a peer that does not answer any more aborts it (SEM-IO-21). */
export function wsaOfBroken(stackError: number): number {
  return stackError === StackError.timedOut ? WSAECONNABORTED : wsaOf(stackError);
}

/** Of a message socket: ICMP port-unreachable resets it (SEM-IO-12). */
export function wsaOfMessage(stackError: number): number {
  return stackError === StackError.connectionRefused ? WSAECONNRESET : wsaOf(stackError);
}

function table(rows: readonly (readonly [number, number])[]): number[] {
  const codes: number[] = [0];
  for (const [stackError, code] of rows) codes[-stackError] = code;
  return codes;
}
