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
  ntStatusOf,
  STATUS_PENDING,
  WSA_INVALID_HANDLE,
  WSA_WAIT_IO_COMPLETION,
  WSAEINVAL,
  WSANOTINITIALISED,
  win32OfNtStatus,
} from '../abi/index.ts';
import { type Answer, eventOf, type Ref, type WSAOVERLAPPED, whenDone } from '../spi/index.ts';
import type { WinsockProcess } from './process.ts';

/** Whether the operation of a record is done: a look at its `Internal`. */
export function HasOverlappedIoCompleted(lpOverlapped: WSAOVERLAPPED): boolean {
  return lpOverlapped.Internal !== STATUS_PENDING;
}

export function overlappedCalls(process: WinsockProcess) {
  return {
    /** Ends what the calling thread has under way on a socket (SEM-OV-13). @returns 1 (TRUE) */
    CancelIo(hFile: number): Answer {
      if (process.handles.socket(hFile) === null) return -ERROR_INVALID_HANDLE;
      process.base.cancelOperations(hFile, null, process.thread.ThreadHandle);
      return 1;
    },

    /** Ends one operation of a socket, or all, whoever began them (SEM-OV-13). @returns 1 (TRUE) */
    CancelIoEx(hFile: number, lpOverlapped: WSAOVERLAPPED | null = null): Answer {
      if (process.handles.socket(hFile) === null) return -ERROR_INVALID_HANDLE;
      return process.base.cancelOperations(hFile, lpOverlapped, null) > 0 ? 1 : -ERROR_NOT_FOUND;
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
      const socket = process.handles.socket(s);
      if (socket === null || socket.provider.isIfs || lpOverlapped === null) return -WSAEINVAL;
      const event = eventOf(lpOverlapped);
      if (event !== 0 && process.handles.event(event) === null) return -WSA_INVALID_HANDLE;
      lpOverlapped.InternalHigh = cbTransferred;
      lpOverlapped.Internal = ntStatusOf(dwError);
      process.handles.event(event)?.set();
      const wantsPacket = (lpOverlapped.hEvent & 1) === 0;
      socket.file.completed(lpOverlapped, lpOverlapped.Internal, cbTransferred, wantsPacket, true);
      return 0;
    },

    /** Waits, and lets completion routines run when `bAlertable`. @returns 0, or WAIT_IO_COMPLETION when one ran */
    SleepEx(dwMilliseconds: number, bAlertable = false): Answer {
      const apcs = bAlertable ? process.thread.apcs : null;
      if (apcs?.run() === true) return WSA_WAIT_IO_COMPLETION;
      const milliseconds = dwMilliseconds >>> 0;
      if (milliseconds === 0) return 0;
      return new Promise((resolve) => {
        const end = (answer: number): void => {
          cancel();
          apcs?.waiters.delete(alert);
          resolve(answer);
        };
        const alert = (): void => {
          if (apcs?.run() === true) end(WSA_WAIT_IO_COMPLETION);
        };
        const cancel =
          milliseconds === INFINITE ? () => {} : process.scheduler.after(milliseconds, () => end(0));
        apcs?.waiters.add(alert);
      });
    },
  };
}
