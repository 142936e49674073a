/**
 * Calls that a provider of version 2 finishes later: WSAProviderCompleteAsyncCall takes the handle that came with the call.
 *
 * The handles are those of the process, as on Windows, and not of one Winsock in it: a provider's module does not know which Winsock
 * called it.
 */

import { WSA_NOT_ENOUGH_MEMORY, WSAEINVAL } from '../abi/index.ts';

/** Most calls of a process that wait for their end. */
const CALLS_MAX = 4096;
/** No socket, no event and no lookup has a handle like these. */
const FIRST_HANDLE = 0x2000_0000;
const LAST_HANDLE = 0x3fff_fffc;
const CODE_MAX = 0xffff;

const pending = new Map<number, (answer: number) => void>();
let lastHandle = FIRST_HANDLE;

/** A call that waits for its end. */
export interface AsyncCall {
  readonly hAsyncCall: number;
  /** 0 or minus a WSA code, once somebody has ended it. */
  readonly completed: Promise<number>;
}

/** Begins one. @returns minus a WSA code when there are too many */
export function beginAsyncCall(): AsyncCall | number {
  if (pending.size >= CALLS_MAX) return -WSA_NOT_ENOUGH_MEMORY;
  do {
    lastHandle = lastHandle + 4 > LAST_HANDLE ? FIRST_HANDLE : lastHandle + 4;
  } while (pending.has(lastHandle));
  const hAsyncCall = lastHandle;
  const completed = new Promise<number>((resolve) => pending.set(hAsyncCall, resolve));
  return { hAsyncCall, completed };
}

/** Ends one from this side: the handle is none any more. */
export function endAsyncCall(hAsyncCall: number, answer: number): void {
  const complete = pending.get(hAsyncCall);
  pending.delete(hAsyncCall);
  complete?.(answer);
}

/**
 * Ends a call that a provider of version 2 was given (NSP2-Complete).
 * @param iRetCode 0 or a WSA code; minus a WSA code is taken too, as every other answer of a provider is one
 * @returns 0; WSAEINVAL for a handle that is none (any more), and for what is no code
 */
export function WSAProviderCompleteAsyncCall(hAsyncCall: number, iRetCode: number): number {
  if (!pending.has(hAsyncCall) || !Number.isInteger(iRetCode) || Math.abs(iRetCode) > CODE_MAX)
    return -WSAEINVAL;
  endAsyncCall(hAsyncCall, iRetCode === 0 ? 0 : -Math.abs(iRetCode));
  return 0;
}
