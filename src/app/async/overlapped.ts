/**
 * The ends of overlapped operations: a part of `winsockd/winsock/async`.
 *
 * A call that begins an operation rejects with WSA_IO_PENDING (997), as C's returns SOCKET_ERROR: the record, its event, the port or
 * the routine tells how it ended.
 */

import { promised } from '../promised.ts';

export { type SOCK_NOTIFY_REGISTRATION, SocketNotificationRetrieveEvents } from '../../winsock/index.ts';

/**
 * How an overlapped operation ended, in Winsock's codes. Completion routines do not run in its wait.
 *
 * Errors: WSA_IO_INCOMPLETE (under way, and `fWait` is `false`), WSA_INVALID_HANDLE (it should wait, and the record's event is none),
 * WSAEFAULT (no record, or no place for a result), and the operation's own
 *
 * Source: API-WSAGetOverlappedResult, SEM-OV-15
 * @param s the operation's socket
 * @param lpOverlapped its record
 * @param lpcbTransfer gets the bytes that were moved
 * @param fWait `true`: waits for the end
 * @param lpdwFlags gets a receive's MSG_*
 * @returns 1
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * const begun = WSARecv(s, [Buffer.alloc(100)], 1, null, { value: 0 }, record);
 * await begun.catch((e) => e.code); // → WSA_IO_PENDING
 * await peer.send(t, Buffer.from('hello'));
 * const bytes = { value: 0 };
 * await WSAGetOverlappedResult(s, record, bytes, true, { value: 0 }); // → 1
 * bytes.value; // → 5
 * ```
 */
export const WSAGetOverlappedResult = promised('WSAGetOverlappedResult');

/**
 * Cancels what this thread has begun on a socket: each operation ends with WSA_OPERATION_ABORTED.
 *
 * Errors: ERROR_INVALID_HANDLE
 *
 * Source: API-WSARecv, SEM-OV-13
 * @returns 1
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * await WSARecv(s, [Buffer.alloc(10)], 1, null, { value: 0 }, record).catch(() => 0);
 * await CancelIo(s); // → 1
 * const ended = WSAGetOverlappedResult(s, record, { value: 0 }, true, { value: 0 });
 * await ended.catch((e) => e.code); // → WSA_OPERATION_ABORTED
 * ```
 */
export const CancelIo = promised('CancelIo');

/**
 * Cancels one operation of a socket, or all of them, whoever began them.
 *
 * Errors: ERROR_INVALID_HANDLE, ERROR_NOT_FOUND (nothing was under way)
 *
 * Source: SEM-OV-13
 * @param lpOverlapped the operation's record; `null`: all
 * @returns 1
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * await WSARecv(s, [Buffer.alloc(10)], 1, null, { value: 0 }, record).catch(() => 0);
 * await CancelIoEx(s, record); // → 1
 * await WSAWaitForMultipleEvents(1, [record.hEvent], false, WSA_INFINITE);
 * await CancelIoEx(s, record).catch((e) => e.code); // → ERROR_NOT_FOUND
 * ```
 */
export const CancelIoEx = promised('CancelIoEx');

/**
 * How an operation ended, in Win32's codes: a connection that was reset is ERROR_NETNAME_DELETED here.
 *
 * Errors: ERROR_IO_INCOMPLETE (under way, and `bWait` is `false`), ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (no record, or no place
 * for the count), and the operation's own
 *
 * Source: SEM-OV-15, SEM-OV-20
 * @param lpNumberOfBytesTransferred gets the bytes that were moved
 * @param bWait `true`: waits for the end
 * @returns 1
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
 * await WSARecv(s, [Buffer.alloc(10)], 1, null, { value: 0 }, record).catch(() => 0);
 * const bytes = { value: 0 };
 * await GetOverlappedResult(s, record, bytes, false).catch((e) => e.code); // → ERROR_IO_INCOMPLETE
 * await peer.send(t, Buffer.from('hello'));
 * await GetOverlappedResult(s, record, bytes, true); // → 1
 * bytes.value; // → 5
 * ```
 */
export const GetOverlappedResult = promised('GetOverlappedResult');

/**
 * Completes an operation of a layered provider whose sockets are no handles of the system: its event is signaled, or a packet queued.
 *
 * Errors: WSAEINVAL (a socket of another kind, or no record), WSA_INVALID_HANDLE (the record's event is none)
 *
 * Source: UPCALL-WPUCompleteOverlappedRequest, SPI-GEN-08, SPI-GEN-09
 * @param dwError how it ended, a WSA code
 * @param cbTransferred bytes that were moved
 * @returns 0
 * @example
 * ```ts
 * // The base provider's sockets complete by themselves.
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
 * await WPUCompleteOverlappedRequest(s, record, 0, 5).catch((e) => e.code); // → WSAEINVAL
 * ```
 */
export const WPUCompleteOverlappedRequest = promised('WPUCompleteOverlappedRequest');

/**
 * Waits for an event object, or for a socket: until the last operation on it is done.
 *
 * Errors: ERROR_INVALID_HANDLE
 *
 * Source: SEM-OV-02, SEM-OV-04
 * @param dwMilliseconds ms; INFINITE: no end
 * @param bAlertable `true`: completion routines may run, which ends the wait
 * @returns 0, WAIT_TIMEOUT or WSA_WAIT_IO_COMPLETION
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
 * await WSARecv(s, [Buffer.alloc(10)], 1, null, { value: 0 }, record).catch(() => 0);
 * await WaitForSingleObjectEx(s, 10); // → WAIT_TIMEOUT
 * await peer.send(t, Buffer.from('hello'));
 * await WaitForSingleObjectEx(s, INFINITE); // → 0
 * ```
 */
export const WaitForSingleObjectEx = promised('WaitForSingleObjectEx');

/**
 * Waits, and lets completion routines run when the wait is alertable.
 *
 * Errors: none
 *
 * Source: SEM-OV-04, SEM-OV-10
 * @param dwMilliseconds ms; INFINITE: no end
 * @param bAlertable `true`: completion routines may run, which ends the wait
 * @returns 0, or WSA_WAIT_IO_COMPLETION when one ran
 * @example
 * ```ts
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
 * let received = 0;
 * const routine = (_error: number, bytes: number) => {
 *   received = bytes;
 * };
 * await WSARecv(s, [Buffer.alloc(10)], 1, null, { value: 0 }, record, routine).catch(() => 0);
 * await peer.send(t, Buffer.from('hello'));
 * await SleepEx(INFINITE, true); // → WSA_WAIT_IO_COMPLETION
 * received; // → 5
 * ```
 */
export const SleepEx = promised('SleepEx');
