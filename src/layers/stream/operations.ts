/**
 * Overlapped operations of sockets whose bytes the layer keeps: begun, and completed by event, routine or packet.
 *
 * They always pend, and are completed after the call that began them has returned.
 */

import {
  ntStatusOf,
  STATUS_PENDING,
  WSA_FLAG_OVERLAPPED,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSA_OPERATION_ABORTED,
} from '../../abi/index.ts';
import {
  type Answer,
  eventOf,
  type Layer,
  settleWaiters,
  type WSAOVERLAPPED,
  type WSAOVERLAPPED_COMPLETION_ROUTINE,
  type WSATHREADID,
  whenDone,
} from '../../spi/index.ts';

/** How the end of an operation is told. @param flags MSG_* of a receive */
export type Complete = (answer: number, flags?: number) => void;

/** An overlapped call's way to tell its end. */
export interface Asked {
  readonly lpOverlapped: WSAOVERLAPPED;
  readonly routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null;
  readonly thread: WSATHREADID | null;
}

/** An operation that is under way. */
export interface Pending {
  readonly lpOverlapped: WSAOVERLAPPED;
  /** The thread that began it. */
  readonly thread: number;
  cancel(): void;
}

/**
 * Begins an operation.
 * @param pending where it stands until it is done
 * @param socketFlags WSA_FLAG_* of the socket: without the overlapped attribute the call waits for the end (SEM-BLK-06)
 * @param start is handed how to tell the end, and may do so at once; it answers how it is given up, when it waits
 */
export function beginOverlapped(
  { upcalls, ws2 }: Layer,
  s: number,
  pending: Set<Pending>,
  socketFlags: number,
  { lpOverlapped, routine, thread }: Asked,
  start: (complete: Complete) => unknown,
): Answer {
  const event = eventOf(lpOverlapped);
  if (routine === null && event !== 0 && upcalls.WPUResetEvent(event) < 0) return -WSA_INVALID_HANDLE;
  const owner = { ThreadHandle: thread?.ThreadHandle ?? ws2.io.currentThread };
  const file = ws2.io.file(s);
  file?.started();
  lpOverlapped.InternalHigh = 0;
  lpOverlapped.Internal = STATUS_PENDING;
  const finish: Complete = (answer, flags = 0) => {
    const code = answer < 0 ? -answer : 0;
    const bytes = Math.max(answer, 0);
    lpOverlapped.Offset = flags;
    if (routine === null) {
      if (ws2.WPUCompleteOverlappedRequest(s, lpOverlapped, code, bytes) === 0) return;
      lpOverlapped.InternalHigh = bytes;
      lpOverlapped.Internal = ntStatusOf(code);
      if (event !== 0) upcalls.WPUSetEvent(event);
      file?.completed(lpOverlapped, lpOverlapped.Internal, bytes, (lpOverlapped.hEvent & 1) === 0, true);
    } else {
      lpOverlapped.InternalHigh = bytes;
      lpOverlapped.Internal = ntStatusOf(code);
      upcalls.WPUQueueApc(owner, () => routine(code, bytes, lpOverlapped, flags), 0);
    }
    settleWaiters(lpOverlapped, answer);
  };
  let giveUp: unknown = null;
  const operation: Pending = {
    lpOverlapped,
    thread: owner.ThreadHandle,
    cancel() {
      if (typeof giveUp === 'function') giveUp();
      complete(-WSA_OPERATION_ABORTED);
    },
  };
  const complete: Complete = (answer, flags) => {
    if (pending.delete(operation)) queueMicrotask(() => finish(answer, flags));
  };
  pending.add(operation);
  giveUp = start(complete);
  return (socketFlags & WSA_FLAG_OVERLAPPED) !== 0 ? -WSA_IO_PENDING : whenDone(lpOverlapped);
}

/** CancelIo and CancelIoEx. @returns how many there were */
export function cancelPending(
  pending: ReadonlySet<Pending>,
  lpOverlapped: WSAOVERLAPPED | null,
  thread: number | null,
): number {
  let found = 0;
  for (const operation of [...pending]) {
    if (lpOverlapped !== null && operation.lpOverlapped !== lpOverlapped) continue;
    if (thread !== null && operation.thread !== thread) continue;
    found++;
    operation.cancel();
  }
  return found;
}
