/**
 * Overlapped calls of the base provider: one request of the port each, started, cancelled and asked about.
 */

import {
  SIO_BASE_HANDLE,
  SIO_GET_INTERFACE_LIST,
  STATUS_PENDING,
  WSA_FLAG_OVERLAPPED,
  WSA_INVALID_HANDLE,
  WSA_IO_INCOMPLETE,
  WSA_IO_PENDING,
  WSAEFAULT,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
} from '../abi/index.ts';
import { AFD_OVERLAPPED, AfdOp } from '../port/index.ts';
import type { Call } from './base-call.ts';
import type { BaseSocket } from './base-sockets.ts';
import type { BaseState } from './base-state.ts';
import { eventOf, Operation, resultOf, whenDone } from './operation.ts';
import type { WSPPROC_TABLE } from './provider.ts';
import type { Answer, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE, WSATHREADID } from './types.ts';

/**
 * Starts a filled call as an overlapped one.
 * @returns the value when it is done already (the completion is announced all the same, SEM-OV-05), else minus
 * WSA_IO_PENDING, or the error of an operation that did not start (an extension function's leaves the record pending, SEM-OV-21). A socket without the overlapped attribute waits for the end
 * (SEM-BLK-06).
 */
export function submitOverlapped(
  base: BaseState,
  call: Call,
  lpOverlapped: WSAOVERLAPPED,
  routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  lpThreadId: WSATHREADID | null,
  isExtension = false,
): Answer {
  const socket = call.socket;
  if (socket === null) return -WSAENOTSOCK;
  const operation = Operation.begin(base, socket, lpOverlapped, routine, lpThreadId);
  if (typeof operation === 'number') return operation;
  call.request.flags |= AFD_OVERLAPPED;
  const flags = call.flags;
  // The flags of a call that pends are not written through the caller's pointer (SEM-OV-11).
  const late = { value: flags === null ? -1 : flags.value };
  if (flags !== null) call.flags = late;

  /** It is done before the call returns. */
  const conclude = (answer: number): number => {
    if (answer < 0) {
      if (completesLate(call, answer)) return operation.finishLate(answer);
      return isExtension ? operation.failExtension(answer) : operation.fail(answer);
    }
    if (flags !== null) flags.value = late.value;
    operation.finish(answer, 0, late.value);
    return answer;
  };
  const pends = (): Answer => {
    operation.hasPended = true;
    return (socket.flags & WSA_FLAG_OVERLAPPED) !== 0 ? -WSA_IO_PENDING : whenDone(lpOverlapped);
  };
  /** Takes the call's answer where that is not known at once. */
  let tell: ((answer: Answer) => void) | null = null;
  const settle = (answer: number): void => {
    if (tell === null) operation.finish(answer, call.transferred, late.value);
    else tell(conclude(answer));
    tell = null;
  };
  const answer = base.calls.begin(call, settle);
  if (answer !== null) return conclude(answer);
  const { id } = call.request;
  operation.cancel = () => base.calls.cancel(id);
  if (!base.calls.announcesPending) return pends();
  return new Promise((resolve) => {
    tell = resolve;
    call.onPend = () => {
      tell = null;
      resolve(pends());
    };
  });
}

/** Failures of control codes that an overlapped caller hears of by a completion (SEM-OV-07, IOC-SIO_GET_INTERFACE_LIST). */
function completesLate(call: Call, answer: number): boolean {
  const { op, a } = call.request;
  // Too little room for a name: the connection waits on (SEM-OV-16).
  if (op === AfdOp.superAccept) return answer === -WSAEFAULT;
  if (op !== AfdOp.ioctl) return false;
  return answer === -WSAEOPNOTSUPP || (answer === -WSAEFAULT && a >>> 0 === SIO_GET_INTERFACE_LIST);
}

/** Completes an overlapped control code that this provider answers itself and cannot do that way (IOC-SIO_BASE_HANDLE). */
export function refuseOverlapped(
  base: BaseState,
  socket: BaseSocket,
  code: number,
  lpOverlapped: WSAOVERLAPPED,
  routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  lpThreadId: WSATHREADID | null,
): number {
  if (code !== SIO_BASE_HANDLE) return -WSAEFAULT;
  const operation = Operation.begin(base, socket, lpOverlapped, routine, lpThreadId);
  if (typeof operation === 'number') return operation;
  return operation.finishLate(-WSAEOPNOTSUPP);
}

/** Completes an overlapped control code that this provider has answered itself. @returns the bytes that it wrote */
export function answerOverlapped(
  base: BaseState,
  socket: BaseSocket,
  answer: number,
  lpOverlapped: WSAOVERLAPPED,
  routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  lpThreadId: WSATHREADID | null,
): number {
  const operation = Operation.begin(base, socket, lpOverlapped, routine, lpThreadId);
  if (typeof operation === 'number') return operation;
  operation.finish(0);
  return answer;
}

export function baseOverlappedCalls(base: BaseState): Pick<WSPPROC_TABLE, 'WSPGetOverlappedResult'> {
  return {
    WSPGetOverlappedResult(s, lpOverlapped, fWait, lpdwFlags): Answer {
      if (base.sockets.get(s) === undefined) return -WSAENOTSOCK;
      if (lpOverlapped === null || lpdwFlags === null) return -WSAEFAULT;
      const finish = (answer: number): number => {
        lpdwFlags.value = lpOverlapped.Offset;
        return answer;
      };
      if (lpOverlapped.Internal !== STATUS_PENDING) return finish(resultOf(lpOverlapped));
      if (!fWait) return -WSA_IO_INCOMPLETE;
      if (eventOf(lpOverlapped) === 0) return -WSA_INVALID_HANDLE;
      return whenDone(lpOverlapped).then(finish);
    },
  };
}

/**
 * CancelIo and CancelIoEx: ends what is under way on a socket, with WSA_OPERATION_ABORTED (SEM-OV-13).
 * @param lpOverlapped one operation; `null`: all
 * @param thread what that thread began; `null`: what any did
 * @returns how many there were
 */
export function cancelOperations(
  base: BaseState,
  s: number,
  lpOverlapped: WSAOVERLAPPED | null,
  thread: number | null,
): number {
  const socket = base.sockets.get(s);
  if (socket === undefined) return 0;
  let found = 0;
  for (const operation of [...socket.operations]) {
    if (lpOverlapped !== null && operation.lpOverlapped !== lpOverlapped) continue;
    if (thread !== null && operation.thread !== thread) continue;
    found++;
    operation.cancel();
  }
  return found;
}
