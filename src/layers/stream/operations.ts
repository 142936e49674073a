/**
 * Overlapped operations of sockets whose bytes the layer keeps: begun, and completed by event, routine or packet.
 *
 * What is done at once is announced all the same (SEM-OV-05); what fails at once does not begin.
 */

import {
  STATUS_PENDING,
  WSA_FLAG_OVERLAPPED,
  WSA_IO_PENDING,
  WSA_OPERATION_ABORTED,
} from '../../abi/index.ts';
import {
  type Answer,
  Operation,
  type OperationHost,
  type OperationSocket,
  resultOf,
  type WSAOVERLAPPED,
  type WSAOVERLAPPED_COMPLETION_ROUTINE,
  type WSATHREADID,
  whenDone,
} from '../../spi/index.ts';
/** How the end of an operation is told. @param answer bytes, or minus a WSA code */
export type Complete = (answer: number) => void;

/** A socket that has operations. */
export interface OverlappedSocket extends OperationSocket {
  /** WSA_FLAG_* */
  readonly flags: number;
}

/** An overlapped call's way to tell its end. */
export interface Asked {
  readonly lpOverlapped: WSAOVERLAPPED;
  readonly routine: WSAOVERLAPPED_COMPLETION_ROUTINE | null;
  readonly thread: WSATHREADID | null;
}

/**
 * Begins an operation.
 * @param start is handed how to tell the end, and may do so at once; it answers how it is given up, when it waits
 */
export function beginOverlapped(
  host: OperationHost,
  socket: OverlappedSocket,
  { lpOverlapped, routine, thread }: Asked,
  start: (complete: Complete) => unknown,
): Answer {
  const operation = Operation.begin(host, socket, lpOverlapped, routine, thread);
  if (typeof operation === 'number') return operation;
  let giveUp: unknown = null;
  let isOver = false;
  let isStarting = true;
  let atOnce = 0;
  const complete: Complete = (answer) => {
    if (isOver) return;
    isOver = true;
    if (isStarting) atOnce = answer;
    else queueMicrotask(() => operation.finish(answer, 0, 0));
  };
  operation.cancel = () => {
    if (typeof giveUp === 'function') giveUp();
    complete(-WSA_OPERATION_ABORTED);
  };
  giveUp = start(complete);
  isStarting = false;
  if (isOver) {
    if (atOnce < 0) return operation.fail(atOnce);
    operation.finish(atOnce, 0, 0);
    return atOnce;
  }
  operation.hasPended = true;
  return pends(socket, lpOverlapped);
}

/** What a call answers whose operation goes on: without the overlapped attribute it waits for the end (SEM-BLK-06). */
export function pends({ flags }: OverlappedSocket, lpOverlapped: WSAOVERLAPPED): Answer {
  return (flags & WSA_FLAG_OVERLAPPED) !== 0 ? -WSA_IO_PENDING : whenDone(lpOverlapped);
}

/** Ends operations early. @returns how many there were */
export function cancelOperations(
  { operations }: OverlappedSocket,
  lpOverlapped: WSAOVERLAPPED | null,
  thread: number | null,
): number {
  let found = 0;
  for (const operation of [...operations]) {
    if (lpOverlapped !== null && operation.lpOverlapped !== lpOverlapped) continue;
    if (thread !== null && operation.thread !== thread) continue;
    found++;
    operation.cancel();
  }
  return found;
}

/**
 * Waits for the end of a call that was made with a record of the layer's own.
 * @param answer the call's
 * @returns bytes, or minus a WSA code
 */
export async function settled(record: WSAOVERLAPPED, answer: Answer): Promise<number> {
  const begun = await answer;
  if (begun !== -WSA_IO_PENDING) return begun;
  return record.Internal === STATUS_PENDING ? whenDone(record) : resultOf(record);
}
