/**
 * Overlapped calls of a layer with its own handles (CAT-LOAD-09, SPI-GEN-02, SPI-GEN-07 … 09): the caller's record is kept, the
 * provider below gets one of the layer's with an event, and its end is told to the caller by event, routine or packet.
 */

import {
  STATUS_PENDING,
  WSA_INVALID_HANDLE,
  WSA_IO_INCOMPLETE,
  WSA_IO_PENDING,
  WSAEFAULT,
  WSAENOBUFS,
} from '../abi/index.ts';
import { eventOf, Operation, resultOf, whenDone } from './operation.ts';
import type { OwnHandles, OwnSocket } from './own-handles.ts';
import type { Answer, Ref, WSAOVERLAPPED, WSAOVERLAPPED_COMPLETION_ROUTINE, WSATHREADID } from './types.ts';

/** How a call is mediated. */
export interface Mediation {
  readonly lpOverlapped: WSAOVERLAPPED;
  readonly lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null;
  readonly lpThreadId: WSATHREADID | null;
  /** The flags of a receive come back in the record. */
  readonly isReceive: boolean;
  /** An extension function that does not start leaves the record as it is (SEM-OV-21). */
  readonly isExtension: boolean;
}

/** @param begin makes the call below with the layer's record */
export function mediate(
  handles: OwnHandles,
  socket: OwnSocket,
  { lpOverlapped, lpCompletionRoutine, lpThreadId, isReceive, isExtension }: Mediation,
  begin: (lowerRecord: WSAOVERLAPPED) => Answer,
): Answer {
  const operation = Operation.begin(handles, socket, lpOverlapped, lpCompletionRoutine, lpThreadId);
  if (typeof operation === 'number') return operation;
  const refuse = (code: number): number =>
    isExtension ? operation.failExtension(code) : operation.fail(code);
  const alarm = handles.takeAlarm();
  if (alarm === null) return refuse(-WSAENOBUFS);
  const lowerRecord: WSAOVERLAPPED = {
    Internal: 0,
    InternalHigh: 0,
    Offset: lpOverlapped.Offset,
    OffsetHigh: lpOverlapped.OffsetHigh,
    hEvent: alarm.hEvent,
  };
  let isDone = false;
  alarm.onSet = () => {
    if (lowerRecord.Internal === STATUS_PENDING) return;
    isDone = true;
    handles.returnAlarm(alarm);
    operation.finish(resultOf(lowerRecord), lowerRecord.InternalHigh, isReceive ? lowerRecord.Offset : -1);
  };
  operation.cancel = () => void handles.ws2.cancelOperations(socket.lower, lowerRecord);
  const began = (answer: number): number => {
    if (answer === -WSA_IO_PENDING) operation.hasPended = true;
    else if (answer < 0 && !isDone) {
      handles.returnAlarm(alarm);
      return refuse(answer);
    }
    return answer;
  };
  const answer = begin(lowerRecord);
  return typeof answer === 'number' ? began(answer) : answer.then(began);
}

/** WSPGetOverlappedResult by the caller's record. */
export function ownOverlappedResult(
  lpOverlapped: WSAOVERLAPPED | null,
  fWait: boolean,
  lpdwFlags: Ref | null,
): Answer {
  if (lpOverlapped === null || lpdwFlags === null) return -WSAEFAULT;
  const finish = (answer: number): number => {
    lpdwFlags.value = lpOverlapped.Offset;
    return answer;
  };
  if (lpOverlapped.Internal !== STATUS_PENDING) return finish(resultOf(lpOverlapped));
  if (!fWait) return -WSA_IO_INCOMPLETE;
  if (eventOf(lpOverlapped) === 0) return -WSA_INVALID_HANDLE;
  return whenDone(lpOverlapped).then(finish);
}
