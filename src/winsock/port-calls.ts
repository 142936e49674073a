/**
 * The calls of completion ports: what kernel32 offers for handles of which some are sockets. They work without WSAStartup, and
 * their codes are those of Win32: a reset connection is ERROR_NETNAME_DELETED here.
 */

import {
  ERROR_ABANDONED_WAIT_0,
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_ENOUGH_MEMORY,
  ERROR_NOT_SUPPORTED,
  FILE_SKIP_COMPLETION_PORT_ON_SUCCESS,
  FILE_SKIP_SET_EVENT_ON_HANDLE,
  INFINITE,
  INVALID_HANDLE_VALUE,
  STATUS_SUCCESS,
  WAIT_TIMEOUT,
  WSA_FLAG_OVERLAPPED,
  WSA_WAIT_IO_COMPLETION,
  win32OfNtStatus,
} from '../abi/index.ts';
import type { Answer, Ref, WSAOVERLAPPED } from '../spi/index.ts';
import { type CompletionPacket, CompletionPort } from './completion-port.ts';
import type { WinsockProcess } from './process.ts';

/** One completion of GetQueuedCompletionStatusEx. */
export interface OVERLAPPED_ENTRY {
  lpCompletionKey: number;
  lpOverlapped: WSAOVERLAPPED | null;
  /** NTSTATUS. */
  Internal: number;
  dwNumberOfBytesTransferred: number;
}

const MODES = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;

export function portCalls(process: WinsockProcess) {
  return {
    /**
     * Makes a completion port, or has a socket's completions queued to one: `FileHandle` INVALID_HANDLE_VALUE makes one alone,
     * `ExistingCompletionPort` 0 makes one for the socket.
     * @param CompletionKey what the socket's packets carry
     * @param NumberOfConcurrentThreads is kept only
     * @returns the port's handle
     */
    CreateIoCompletionPort(
      FileHandle: number,
      ExistingCompletionPort = 0,
      CompletionKey = 0,
      NumberOfConcurrentThreads = 0,
    ): Answer {
      // Windows CE 6 has none (windows-mobile.md §1.4).
      if (process.profile === 'windows-mobile') return -ERROR_NOT_SUPPORTED;
      const isAlone = FileHandle === INVALID_HANDLE_VALUE || FileHandle === -1;
      if (isAlone && ExistingCompletionPort !== 0) return -ERROR_INVALID_PARAMETER;
      const existing = ExistingCompletionPort === 0 ? null : process.handles.port(ExistingCompletionPort);
      if (ExistingCompletionPort !== 0 && existing === null) return -ERROR_INVALID_HANDLE;
      const socket = isAlone ? null : process.handles.socket(FileHandle);
      if (!isAlone && socket === null) return -ERROR_INVALID_HANDLE;
      if (socket !== null) {
        const { isAssociated } = socket.file;
        // A layer that does not say so has overlapped sockets only.
        const flags = process.socketFlags(FileHandle) ?? WSA_FLAG_OVERLAPPED;
        const isSynchronous = (flags & WSA_FLAG_OVERLAPPED) === 0;
        if (isAssociated || isSynchronous) return -ERROR_INVALID_PARAMETER;
      }
      const port = existing ?? new CompletionPort(NumberOfConcurrentThreads);
      const handle = existing === null ? process.handles.add(port) : ExistingCompletionPort;
      if (handle === 0) return -ERROR_NOT_ENOUGH_MEMORY;
      if (socket !== null) {
        socket.file.port = port;
        socket.file.key = CompletionKey;
      }
      return handle;
    },

    /**
     * Takes the oldest completion, waiting for one. Of an operation that failed it answers the operation's code, with the
     * record in `lpOverlapped`; without a record nothing was taken.
     * @param dwMilliseconds INFINITE: no end
     * @returns 1 (TRUE)
     */
    GetQueuedCompletionStatus(
      CompletionPort: number,
      lpNumberOfBytesTransferred: Ref | null,
      lpCompletionKey: Ref | null,
      lpOverlapped: Ref<WSAOVERLAPPED | null> | null,
      dwMilliseconds: number,
    ): Answer {
      if (lpOverlapped === null) return -ERROR_INVALID_PARAMETER;
      const finish = (packets: readonly CompletionPacket[] | number): number => {
        const packet = typeof packets === 'number' ? undefined : packets[0];
        lpOverlapped.value = packet?.lpOverlapped ?? null;
        if (packet === undefined) return -(packets as number);
        if (lpNumberOfBytesTransferred !== null) lpNumberOfBytesTransferred.value = packet.bytes;
        if (lpCompletionKey !== null) lpCompletionKey.value = packet.key;
        const code = win32OfNtStatus(packet.status);
        return code === 0 ? 1 : -code;
      };
      return dequeue(process, CompletionPort, 1, dwMilliseconds, false, finish);
    },

    /**
     * Takes several completions at a time into `lpCompletionPortEntries`, which is emptied before.
     * @param ulCount most of them
     * @param fAlertable lets completion routines run, which ends the wait with WAIT_IO_COMPLETION
     * @returns 1 (TRUE)
     */
    GetQueuedCompletionStatusEx(
      CompletionPort: number,
      lpCompletionPortEntries: OVERLAPPED_ENTRY[] | null,
      ulCount: number,
      ulNumEntriesRemoved: Ref | null,
      dwMilliseconds: number,
      fAlertable = false,
    ): Answer {
      if (lpCompletionPortEntries === null || ulNumEntriesRemoved === null || !(ulCount > 0)) {
        return -ERROR_INVALID_PARAMETER;
      }
      return dequeueEntries(
        process,
        CompletionPort,
        lpCompletionPortEntries,
        ulCount,
        ulNumEntriesRemoved,
        dwMilliseconds,
        fAlertable,
      );
    },

    /** Queues a packet of the application's own. @returns 1 (TRUE) */
    PostQueuedCompletionStatus(
      CompletionPort: number,
      dwNumberOfBytesTransferred: number,
      dwCompletionKey: number,
      lpOverlapped: WSAOVERLAPPED | null = null,
    ): Answer {
      const port = process.handles.port(CompletionPort);
      if (port === null) return -ERROR_INVALID_HANDLE;
      port.post({
        key: dwCompletionKey,
        lpOverlapped,
        bytes: dwNumberOfBytesTransferred >>> 0,
        status: STATUS_SUCCESS,
      });
      return 1;
    },

    /** Closes a completion port, or an event object; a socket is closed by `closesocket`. @returns 1 (TRUE) */
    CloseHandle(hObject: number): Answer {
      const object = process.handles.port(hObject) ?? process.handles.event(hObject);
      if (object === null) return -ERROR_INVALID_HANDLE;
      process.handles.release(hObject, object);
      if (object.kind === 'port') object.close();
      return 1;
    },

    /** Switches notifications of a socket off for good: FILE_SKIP_* (SEM-OV-05). @returns 1 (TRUE) */
    SetFileCompletionNotificationModes(FileHandle: number, Flags: number): Answer {
      const socket = process.handles.socket(FileHandle);
      if (socket === null) return -ERROR_INVALID_HANDLE;
      if ((Flags & ~MODES) !== 0) return -ERROR_INVALID_PARAMETER;
      socket.file.modes |= Flags;
      return 1;
    },
  };
}

/** Takes completions into `entries`, which is emptied before. @returns 1 or minus a code */
export function dequeueEntries(
  process: WinsockProcess,
  port: number,
  entries: OVERLAPPED_ENTRY[],
  count: number,
  removed: Ref,
  timeout: number,
  isAlertable: boolean,
): Answer {
  const finish = (packets: readonly CompletionPacket[] | number): number => {
    if (typeof packets === 'number') return -packets;
    entries.length = 0;
    for (const packet of packets) entries.push(entryOf(packet));
    removed.value = packets.length;
    return 1;
  };
  return dequeue(process, port, count, timeout, isAlertable, finish);
}

function entryOf({ key, lpOverlapped, status, bytes }: CompletionPacket): OVERLAPPED_ENTRY {
  return { lpCompletionKey: key, lpOverlapped, Internal: status, dwNumberOfBytesTransferred: bytes };
}

/**
 * Takes packets, now or when there are some.
 * @param finish is handed them, or the code of why there are none
 */
function dequeue(
  process: WinsockProcess,
  handle: number,
  count: number,
  timeout: number,
  isAlertable: boolean,
  finish: (packets: readonly CompletionPacket[] | number) => number,
): Answer {
  const port = process.handles.port(handle);
  if (port === null) return finish(ERROR_INVALID_HANDLE);
  const apcs = isAlertable ? process.thread.apcs : null;
  if (apcs?.run() === true) return finish(WSA_WAIT_IO_COMPLETION);
  const now = port.take(count);
  if (now.length > 0) return finish(now);
  if (timeout === 0) return finish(WAIT_TIMEOUT);
  return new Promise((resolve) => {
    const end = (packets: readonly CompletionPacket[] | number): void => {
      cancelTimeout();
      port.stopWaiting(wake);
      apcs?.waiters.delete(alert);
      resolve(finish(packets));
    };
    const wake = (): void => end(port.isClosed ? ERROR_ABANDONED_WAIT_0 : port.take(count));
    const alert = (): void => {
      if (apcs?.run() === true) end(WSA_WAIT_IO_COMPLETION);
    };
    const milliseconds = timeout >>> 0;
    const cancelTimeout =
      milliseconds === INFINITE ? () => {} : process.scheduler.after(milliseconds, () => end(WAIT_TIMEOUT));
    port.wait(wake);
    apcs?.waiters.add(alert);
  });
}
