/**
 * What is asked of overlapped operations past Winsock: cancelling them, and kernel32's way of looking at a record. Codes are those
 * of Win32.
 */

import {
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_IO_INCOMPLETE,
  ERROR_NOT_FOUND,
  INFINITE,
  STATUS_PENDING,
  WAIT_TIMEOUT,
  WSA_WAIT_EVENT_0,
  WSA_WAIT_IO_COMPLETION,
  WSANOTINITIALISED,
  win32OfNtStatus,
} from '../abi/index.ts';
import type { Scheduler } from '../base/index.ts';
import { type Answer, type Ref, type WSAOVERLAPPED, whenDone } from '../spi/index.ts';
import type { ApcQueue } from './apc.ts';
import { completeRequest } from './layer-exports.ts';
import type { WinsockProcess } from './process.ts';

/** Whether the operation of a record is done: a look at its `Internal`. */
export function HasOverlappedIoCompleted(lpOverlapped: WSAOVERLAPPED): boolean {
  const isRecord = typeof lpOverlapped === 'object' && lpOverlapped !== null;
  return !isRecord || lpOverlapped.Internal !== STATUS_PENDING;
}

export function overlappedCalls(process: WinsockProcess) {
  return {
    /** Ends what the calling thread has under way on a socket (SEM-OV-13). @returns 1 (TRUE) */
    CancelIo(hFile: number): Answer {
      if (process.handles.socket(hFile) === null) return -ERROR_INVALID_HANDLE;
      process.cancelOperations(hFile, null, process.thread.ThreadHandle);
      return 1;
    },

    /** Ends one operation of a socket, or all, whoever began them (SEM-OV-13). @returns 1 (TRUE) */
    CancelIoEx(hFile: number, lpOverlapped: WSAOVERLAPPED | null = null): Answer {
      if (process.handles.socket(hFile) === null) return -ERROR_INVALID_HANDLE;
      return process.cancelOperations(hFile, lpOverlapped, null) > 0 ? 1 : -ERROR_NOT_FOUND;
    },

    /**
     * How an operation ended, by its record alone. Without an event in the record it waits for the operation itself.
     * @returns 1 (TRUE)
     */
    GetOverlappedResult(
      hFile: number,
      lpOverlapped: WSAOVERLAPPED | null,
      lpNumberOfBytesTransferred: Ref | null,
      bWait: boolean,
    ): Answer {
      if (lpOverlapped === null || lpNumberOfBytesTransferred === null) return -ERROR_INVALID_PARAMETER;
      const finish = (): number => {
        lpNumberOfBytesTransferred.value = lpOverlapped.InternalHigh;
        const code = win32OfNtStatus(lpOverlapped.Internal);
        return code === 0 ? 1 : -code;
      };
      if (lpOverlapped.Internal !== STATUS_PENDING) return finish();
      if (!bWait) return -ERROR_IO_INCOMPLETE;
      if (process.handles.socket(hFile) === null) return -ERROR_INVALID_HANDLE;
      return whenDone(lpOverlapped).then(finish);
    },

    /**
     * Completes an operation of a provider whose sockets are no handles of the system: the record's event is set, or a packet
     * queued (SPI-GEN-08, SPI-GEN-09).
     * @param dwError a WSA code
     * @returns 0
     */
    WPUCompleteOverlappedRequest(
      s: number,
      lpOverlapped: WSAOVERLAPPED | null,
      dwError: number,
      cbTransferred: number,
    ): Answer {
      if (process.startups === 0) return -WSANOTINITIALISED;
      return completeRequest(process.handles, s, lpOverlapped, dwError, cbTransferred);
    },

    /**
     * Waits for an event object, or for a socket: until the last operation on it is done (SEM-OV-02).
     * @param bAlertable lets completion routines run, which ends the wait
     * @returns 0, WAIT_TIMEOUT or WAIT_IO_COMPLETION
     */
    WaitForSingleObjectEx(hHandle: number, dwMilliseconds: number, bAlertable = false): Answer {
      const object = process.handles.event(hHandle) ?? process.handles.socket(hHandle)?.file ?? null;
      if (object === null) return -ERROR_INVALID_HANDLE;
      if (object.isSignaled) return WSA_WAIT_EVENT_0;
      const apcs = bAlertable ? process.thread.apcs : null;
      return wait(process.scheduler, dwMilliseconds, WAIT_TIMEOUT, apcs, object);
    },

    /** Waits, and lets completion routines run when `bAlertable`. @returns 0, or WAIT_IO_COMPLETION when one ran */
    SleepEx(dwMilliseconds: number, bAlertable = false): Answer {
      return wait(process.scheduler, dwMilliseconds, 0, bAlertable ? process.thread.apcs : null, null);
    },
  };
}

/** Something that is signaled, or will be. */
interface Waitable {
  readonly isSignaled: boolean;
  readonly waiters: Set<() => void>;
}

/** Waits for an object, and alertably with `apcs`. @returns 0 when it is signaled, `late` when the time is over */
function wait(
  scheduler: Scheduler,
  timeout: number,
  late: number,
  apcs: ApcQueue | null,
  object: Waitable | null,
): Answer {
  if (apcs?.run() === true) return WSA_WAIT_IO_COMPLETION;
  const milliseconds = timeout >>> 0;
  if (milliseconds === 0) return late;
  return new Promise((resolve) => {
    const end = (answer: number): void => {
      cancel();
      apcs?.waiters.delete(alert);
      object?.waiters.delete(wake);
      resolve(answer);
    };
    const alert = (): void => {
      if (apcs?.run() === true) end(WSA_WAIT_IO_COMPLETION);
    };
    const wake = (): void => {
      if (object?.isSignaled === true) end(WSA_WAIT_EVENT_0);
    };
    const cancel = milliseconds === INFINITE ? () => {} : scheduler.after(milliseconds, () => end(late));
    apcs?.waiters.add(alert);
    object?.waiters.add(wake);
  });
}
