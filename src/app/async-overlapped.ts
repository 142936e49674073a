/**
 * The promising face's calls of overlapped operations: their ends, completion ports, extension functions, registered I/O.
 *
 * A call that begins an operation rejects with WSA_IO_PENDING (997), as C's returns SOCKET_ERROR: the record, its event, the port or
 * the routine tells how it ended.
 */

import { promised } from './promised.ts';

export { type SOCK_NOTIFY_REGISTRATION, SocketNotificationRetrieveEvents } from '../winsock/index.ts';

/** Ends what was begun on a socket by this thread. @returns 1 */
export const CancelIo = promised('CancelIo');
/** Ends one operation of a socket, or all. @returns 1 */
export const CancelIoEx = promised('CancelIoEx');
/** How an operation ended, in Win32's codes. @returns 1 */
export const GetOverlappedResult = promised('GetOverlappedResult');
/** Completes an operation of a provider whose sockets are no handles of the system. */
export const WPUCompleteOverlappedRequest = promised('WPUCompleteOverlappedRequest');
/** Waits for an event object, or for the last operation on a socket. @returns 0, WAIT_TIMEOUT or WSA_WAIT_IO_COMPLETION */
export const WaitForSingleObjectEx = promised('WaitForSingleObjectEx');
/** Waits, and lets completion routines run. @returns 0, or WSA_WAIT_IO_COMPLETION when one ran */
export const SleepEx = promised('SleepEx');
/** Makes a completion port, or has a socket's completions queued to one. @returns the port */
export const CreateIoCompletionPort = promised('CreateIoCompletionPort');
/** Takes the oldest completion of a port. @returns 1; of an operation that failed it rejects, with the record filled in */
export const GetQueuedCompletionStatus = promised('GetQueuedCompletionStatus');
/** Takes several completions of a port. @returns 1 */
export const GetQueuedCompletionStatusEx = promised('GetQueuedCompletionStatusEx');
/** Queues a packet of one's own. @returns 1 */
export const PostQueuedCompletionStatus = promised('PostQueuedCompletionStatus');
/** Closes a completion port or an event object. @returns 1 */
export const CloseHandle = promised('CloseHandle');
/** Switches notifications of a socket off. @returns 1 */
export const SetFileCompletionNotificationModes = promised('SetFileCompletionNotificationModes');
/** Gives the next connection to an unused socket. @returns 1 */
export const AcceptEx = promised('AcceptEx');
/** Finds the names in AcceptEx's buffer. */
export const GetAcceptExSockaddrs = promised('GetAcceptExSockaddrs');
/** Connects a bound socket, and sends the first data. @returns 1 */
export const ConnectEx = promised('ConnectEx');
/** Ends the sending direction; perhaps the socket can be used again. @returns 1 */
export const DisconnectEx = promised('DisconnectEx');
/** Sends a file with data around it. @returns 1 */
export const TransmitFile = promised('TransmitFile');
/** Sends pieces of memory and of files. @returns 1 */
export const TransmitPackets = promised('TransmitPackets');
/** Receives a message with its control data. */
export const WSARecvMsg = promised('WSARecvMsg');
/** Sends a message with control data. */
export const WSASendMsg = promised('WSASendMsg');
/** Registers sockets with a port for notifications of their state, and takes some. @returns 0 */
export const ProcessSocketNotifications = promised('ProcessSocketNotifications');
/** Receives into registered memory. @returns 1 */
export const RIOReceive = promised('RIOReceive');
/** As `RIOReceive`, with addresses, control data and flags. @returns 1 */
export const RIOReceiveEx = promised('RIOReceiveEx');
/** Sends from registered memory. @returns 1 */
export const RIOSend = promised('RIOSend');
/** As `RIOSend`, with a destination and control data. @returns 1 */
export const RIOSendEx = promised('RIOSendEx');
/** Gives a completion queue back. */
export const RIOCloseCompletionQueue = promised('RIOCloseCompletionQueue');
/** A queue for results of requests. @returns its number */
export const RIOCreateCompletionQueue = promised('RIOCreateCompletionQueue');
/** A queue for requests of a socket. @returns its number */
export const RIOCreateRequestQueue = promised('RIOCreateRequestQueue');
/** Takes results. @returns how many */
export const RIODequeueCompletion = promised('RIODequeueCompletion');
/** Gives registered memory back. */
export const RIODeregisterBuffer = promised('RIODeregisterBuffer');
/** Has a completion queue tell, once, that it has something. */
export const RIONotify = promised('RIONotify');
/** Registers memory. @returns its number */
export const RIORegisterBuffer = promised('RIORegisterBuffer');
/** Changes the size of a completion queue. @returns 1 */
export const RIOResizeCompletionQueue = promised('RIOResizeCompletionQueue');
/** Changes how many requests may be outstanding. @returns 1 */
export const RIOResizeRequestQueue = promised('RIOResizeRequestQueue');
