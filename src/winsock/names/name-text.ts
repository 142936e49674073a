/**
 * What needs no Winsock at all: the text of getaddrinfo's errors, and the functions that free its lists.
 */

import { type ADDRINFOEX, type addrinfo, wsaErrorMessage } from '../../abi/index.ts';
import { asNumber } from '../../base/index.ts';

/** What an error of getaddrinfo or getnameinfo means, for people. */
export function gai_strerror(ecode: number): string {
  return wsaErrorMessage(asNumber(ecode));
}

/** Ends the use of a list of getaddrinfo. Nothing has to be freed here: it is there for programs that were written for C. */
export function freeaddrinfo(_list: addrinfo | null): void {}

/** The same of GetAddrInfoEx. */
export function FreeAddrInfoEx(_list: ADDRINFOEX | null): void {}
