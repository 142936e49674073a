/**
 * How what goes with a request travels: the buffer of WSAAsyncGetXByY, which returns at once and fills the buffer later, before its message
 * comes, and what WSANSPIoctl is told about the end of its own.
 */

import type { WSACOMPLETION, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE } from '../spi/index.ts';
import { completionKind } from './kinds.ts';
import { inout } from './marshal.ts';
import { nullable, putNumber, type Slot, takeNumber, WORD } from './slot.ts';

/** Bytes that are the request's until its message comes. What it does not write stays as it was. */
export const requestBuffer: Slot<Uint8Array | null> = { ...inout };

/** The numbers of a WSACOMPLETION, as they travel; its record and its routine are arguments of their own. */
const NUMBERS = ['Type', 'hWnd', 'uMsg', 'context', 'hPort', 'Key'] as const;

/** What is left of a WSACOMPLETION without its record and its routine; a number that it does not have is NaN. */
export type CompletionNumbers = { readonly [K in (typeof NUMBERS)[number]]?: number };

/** How the end of a change notification is to be told. */
export const completion: Slot<CompletionNumbers | null> = nullable<CompletionNumbers>({
  kind: completionKind,
  size: () => NUMBERS.length * WORD,
  put(box, at, value) {
    for (const [i, member] of NUMBERS.entries()) putNumber(box, at + WORD * i, value[member] ?? Number.NaN);
  },
  take: (box, at) => Object.fromEntries(NUMBERS.map((member, i) => [member, takeNumber(box, at + WORD * i)])),
});

/** The record of a WSACOMPLETION that has one. */
export function recordOf(value: WSACOMPLETION | null): WSAOVERLAPPED | null {
  return value !== null && 'lpOverlapped' in value ? value.lpOverlapped : null;
}

/** The routine of one that has one. */
export function routineOf(value: WSACOMPLETION | null): WSAOVERLAPPED_COMPLETION_ROUTINE | null {
  return value !== null && 'lpfnCompletionProc' in value ? value.lpfnCompletionProc : null;
}

/** The WSACOMPLETION that its parts make: who wrote them into the message had a whole one. */
export function completionOf(
  numbers: CompletionNumbers | null | undefined,
  lpOverlapped: WSAOVERLAPPED | null,
  lpfnCompletionProc: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
): WSACOMPLETION | null {
  return numbers === null || numbers === undefined
    ? null
    : ({ ...numbers, lpOverlapped, lpfnCompletionProc } as unknown as WSACOMPLETION);
}
