/**
 * Overlapped operations of the base provider (SEM-OV-*): started, announced when done through an event object or a completion
 * routine, and asked about with WSPGetOverlappedResult.
 *
 * The caller's record tells all that is needed: `Internal` is STATUS_PENDING while the operation is under way and the WSA code
 * after, `InternalHigh` the byte count, `Offset` the flags.
 */

import {
  WSA_INVALID_HANDLE,
  WSA_IO_INCOMPLETE,
  WSA_IO_PENDING,
  WSAEFAULT,
  WSAENOTSOCK,
} from '../abi/index.ts';
import { AFD_OVERLAPPED } from '../port/index.ts';
import type { Call } from './base-call.ts';
import type { BaseState } from './base-state.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE, WSATHREADID } from './types.ts';

/** `Internal` of an operation that is under way (WSS_OPERATION_IN_PROGRESS). */
export const STATUS_PENDING = 0x103;

/** Who waits for a record with WSPGetOverlappedResult; the record itself holds no reference to them. */
const waiting = new WeakMap<WSAOVERLAPPED, (() => void)[]>();

/**
 * Starts a filled call as an overlapped one.
 * @returns the value when it is done already (the completion is announced all the same, SEM-OV-05), else minus
 * WSA_IO_PENDING, or the error of an operation that did not start
 */
export function submitOverlapped(
  base: BaseState,
  call: Call,
  lpOverlapped: WSAOVERLAPPED,
  routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  lpThreadId: WSATHREADID | null,
): number {
  const { hEvent } = lpOverlapped;
  if (routine === null && hEvent !== 0) base.upcalls.WPUResetEvent(hEvent);
  call.request.flags |= AFD_OVERLAPPED;
  const flags = call.flags;
  lpOverlapped.Internal = STATUS_PENDING;
  lpOverlapped.InternalHigh = 0;
  // The answer of a call that pends is not written through the caller's pointer (SEM-OV-11).
  const announced = { value: flags === null ? 0 : flags.value };
  if (flags !== null) call.flags = announced;
  const thread = lpThreadId === null ? null : { ThreadHandle: lpThreadId.ThreadHandle };
  const announce = (answer: number): void => {
    lpOverlapped.Internal = answer < 0 ? -answer : 0;
    lpOverlapped.InternalHigh = Math.max(answer, 0);
    lpOverlapped.Offset = announced.value;
    if (routine !== null && thread !== null) {
      const { Internal, InternalHigh, Offset } = lpOverlapped;
      base.upcalls.WPUQueueApc(thread, () => routine(Internal, InternalHigh, lpOverlapped, Offset), 0);
    } else if (hEvent !== 0) {
      base.upcalls.WPUSetEvent(hEvent);
    }
    const waiters = waiting.get(lpOverlapped);
    waiting.delete(lpOverlapped);
    for (const wake of waiters ?? []) wake();
  };
  const answer = base.calls.begin(call, announce);
  if (answer === null) return -WSA_IO_PENDING;
  if (answer < 0) {
    lpOverlapped.Internal = -answer;
    return answer;
  }
  if (flags !== null) flags.value = announced.value;
  announce(answer);
  return answer;
}

export function baseOverlappedCalls(base: BaseState): Pick<WSPPROC_TABLE, 'WSPGetOverlappedResult'> {
  return {
    WSPGetOverlappedResult(s, lpOverlapped, fWait, lpdwFlags): Answer {
      if (base.sockets.get(s) === undefined) return -WSAENOTSOCK;
      if (lpOverlapped === null || lpdwFlags === null) return -WSAEFAULT;
      if (lpOverlapped.Internal !== STATUS_PENDING) return result(lpOverlapped, lpdwFlags);
      if (!fWait) return -WSA_IO_INCOMPLETE;
      if (lpOverlapped.hEvent === 0) return -WSA_INVALID_HANDLE;
      return new Promise((resolve) => {
        const waiters = waiting.get(lpOverlapped) ?? [];
        waiters.push(() => resolve(result(lpOverlapped, lpdwFlags)));
        waiting.set(lpOverlapped, waiters);
      });
    },
  };
}

function result(lpOverlapped: WSAOVERLAPPED, lpdwFlags: { value: number }): number {
  lpdwFlags.value = lpOverlapped.Offset;
  return lpOverlapped.Internal === 0 ? lpOverlapped.InternalHigh : -lpOverlapped.Internal;
}
