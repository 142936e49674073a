/**
 * The calls of overlapped operations of `winsockd/winsock`.
 *
 * A record is the thread's own object, which the system fills in: at the end of the first call that the thread makes after the
 * operation was done, before its routine runs, or when it is dequeued from a completion port. The same goes for buffers, and for what
 * else a receive writes; a buffer over a SharedArrayBuffer has its bytes as soon as the record is done, in every thread. So a
 * thread that only sleeps in something else than Winsock sees nothing happen: {@link HasOverlappedIoCompleted} looks.
 *
 * Another thread than the one that began an operation may take its completion from a port. It gets a copy of the record then, with
 * the members as they are and the application's own `Tag`. The bytes of buffers that are not shared reach only the thread that
 * began the operation. Completion routines run in that thread, while it waits alertably or in a blocking call.
 */

import { ERROR_INVALID_PARAMETER } from '../abi/index.ts';
import { getAcceptExSockaddrs, type WSAOVERLAPPED } from '../spi/index.ts';
import { HasOverlappedIoCompleted as hasCompleted, type Winsock } from '../winsock/index.ts';
import { admitting, blocking, chainClient, reporting, WSASetLastError } from './blocking-call.ts';
import { ENTRIES_MAX } from './marshal-overlapped.ts';

export { type SOCK_NOTIFY_REGISTRATION, SocketNotificationRetrieveEvents } from '../winsock/index.ts';

const FALSE = 0;

/** Whether the operation of a record is done. */
export function HasOverlappedIoCompleted(lpOverlapped: WSAOVERLAPPED): boolean {
  chainClient().operations.sweep();
  return hasCompleted(lpOverlapped);
}

/** Finds the names in AcceptEx's buffer, with the lengths that AcceptEx was given; they are views of it. */
export function GetAcceptExSockaddrs(...args: Parameters<Winsock['GetAcceptExSockaddrs']>): void {
  WSASetLastError(-getAcceptExSockaddrs(...args));
}

/** How an overlapped operation ended, in WSA codes. @returns 1, or 0 when it failed */
export const WSAGetOverlappedResult = blocking('WSAGetOverlappedResult');
/** The same, in Win32's codes. @returns 1, or 0 when it failed */
export const GetOverlappedResult = blocking('GetOverlappedResult');
/** Ends what this thread has begun on a socket. @returns 1, or 0 when it failed */
export const CancelIo = blocking('CancelIo');
/** Ends one operation of a socket, or all. @returns 1, or 0 when it failed */
export const CancelIoEx = blocking('CancelIoEx');
/** Waits for an event object, or for the last operation on a socket. @returns 0, WAIT_TIMEOUT, WSA_WAIT_IO_COMPLETION or WAIT_FAILED */
export const WaitForSingleObjectEx = blocking('WaitForSingleObjectEx');
/** Waits, and lets completion routines run. @returns 0, or WSA_WAIT_IO_COMPLETION when one ran */
export const SleepEx = blocking('SleepEx');
/** Makes a completion port, or has a socket's completions queued to one. @returns the port, or 0 when it failed */
export const CreateIoCompletionPort = blocking('CreateIoCompletionPort');
/** Takes the oldest completion of a port. @returns 1; 0 when nothing was taken or the operation has failed */
export const GetQueuedCompletionStatus = blocking('GetQueuedCompletionStatus');
const dequeueEntries = blocking('GetQueuedCompletionStatusEx');
/** Takes up to 256 completions of a port. @returns 1, or 0 when there was none */
export const GetQueuedCompletionStatusEx = admitting(
  'GetQueuedCompletionStatusEx',
  FALSE,
  (port, entries, ulCount, ...others) =>
    dequeueEntries(port, entries, Math.min(ulCount, ENTRIES_MAX), ...others),
);
const processNotifications = reporting('ProcessSocketNotifications');
/**
 * Registers sockets with a port for notifications of their state, and takes up to 256 of what the port has.
 * @returns 0 or the error itself; what became of each registration is in its `registrationResult`
 */
export const ProcessSocketNotifications = admitting(
  'ProcessSocketNotifications',
  ERROR_INVALID_PARAMETER,
  (
    completionPort,
    registrationCount,
    registrationInfos,
    timeoutMs = 0,
    completionCount = 0,
    completionPortEntries = null,
    receivedEntryCount = null,
  ) =>
    processNotifications(
      completionPort,
      registrationCount,
      registrationInfos,
      timeoutMs,
      Math.min(completionCount, ENTRIES_MAX),
      completionPortEntries,
      receivedEntryCount,
    ),
);
/** Queues a packet of one's own. @returns 1, or 0 when it failed */
export const PostQueuedCompletionStatus = blocking('PostQueuedCompletionStatus');
/** Closes a completion port or an event object. @returns 1, or 0 when it failed */
export const CloseHandle = blocking('CloseHandle');
/** Switches notifications of a socket off. @returns 1, or 0 when it failed */
export const SetFileCompletionNotificationModes = blocking('SetFileCompletionNotificationModes');
/** Gives the next connection to an unused socket. @returns 1, or 0 when it failed or pends */
export const AcceptEx = blocking('AcceptEx');
/** Connects a bound socket, and sends the first data. @returns 1, or 0 when it failed or pends */
export const ConnectEx = blocking('ConnectEx');
/** Ends the sending direction; perhaps the socket can be used again. @returns 1, or 0 when it failed or pends */
export const DisconnectEx = blocking('DisconnectEx');
/** Sends a file with data around it. @returns 1, or 0 when it failed or pends */
export const TransmitFile = blocking('TransmitFile');
/** Sends pieces of memory and of files. @returns 1, or 0 when it failed or pends */
export const TransmitPackets = blocking('TransmitPackets');
/** Receives a message with its control data. */
export const WSARecvMsg = blocking('WSARecvMsg');
/** Sends a message with control data. */
export const WSASendMsg = blocking('WSASendMsg');
