/**
 * Completion ports, and notifications of sockets' states at them: a part of `winsockd/winsock/async`. The codes are Win32's.
 */

import { promised } from '../promised.ts';

/**
 * Makes a completion port, has a socket's completions queued to one, or both.
 *
 * Errors: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (the socket has a port already, or was made without WSA_FLAG_OVERLAPPED),
 * ERROR_NOT_ENOUGH_MEMORY (too many handles), ERROR_NOT_SUPPORTED (Windows Mobile has none)
 *
 * Source: SEM-OV-02
 * @param FileHandle the socket; INVALID_HANDLE_VALUE: none
 * @param ExistingCompletionPort the port; 0: a new one
 * @param CompletionKey what the socket's packets carry
 * @param NumberOfConcurrentThreads is kept only
 * @returns the port's handle
 * @example
 * ```ts
 * const port = await CreateIoCompletionPort(INVALID_HANDLE_VALUE);
 * const same = await CreateIoCompletionPort(s, port, 7);
 * same === port; // → true
 * ```
 */
export const CreateIoCompletionPort = promised('CreateIoCompletionPort');

/**
 * Takes the oldest completion of a port, and waits for one.
 *
 * Errors: WAIT_TIMEOUT, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (no `lpOverlapped`), ERROR_ABANDONED_WAIT_0 (the port was closed),
 * and that of an operation that failed: then the record is in `lpOverlapped`
 *
 * Source: SEM-OV-02, SEM-OV-05
 * @param lpNumberOfBytesTransferred gets the bytes that were moved
 * @param lpCompletionKey gets the socket's key
 * @param lpOverlapped gets the operation's record; `null` in it: nothing was taken
 * @param dwMilliseconds ms; INFINITE: no end
 * @returns 1
 * @example
 * ```ts
 * const port = await CreateIoCompletionPort(s, 0, 7);
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
 * await WSARecv(s, [Buffer.alloc(10)], 1, null, { value: 0 }, record).catch(() => 0);
 * await peer.send(t, Buffer.from('hello'));
 * const [bytes, key, done] = [{ value: 0 }, { value: 0 }, { value: null as WSAOVERLAPPED | null }];
 * await GetQueuedCompletionStatus(port, bytes, key, done, INFINITE); // → 1
 * [bytes.value, key.value, done.value === record]; // → [5, 7, true]
 * ```
 */
export const GetQueuedCompletionStatus = promised('GetQueuedCompletionStatus');

/**
 * Takes several completions of a port at a time, and waits for the first.
 *
 * Errors: WAIT_TIMEOUT, WSA_WAIT_IO_COMPLETION (a routine ran), ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (no place, or a count of
 * 0), ERROR_ABANDONED_WAIT_0 (the port was closed)
 *
 * Source: SEM-OV-02
 * @param lpCompletionPortEntries is emptied, and gets them: keys, records, NTSTATUS, bytes
 * @param ulCount most of them
 * @param ulNumEntriesRemoved gets how many
 * @param dwMilliseconds ms; INFINITE: no end
 * @param fAlertable `true`: completion routines may run, which ends the wait
 * @returns 1
 * @example
 * ```ts
 * const port = await CreateIoCompletionPort(INVALID_HANDLE_VALUE);
 * for (const key of [1, 2]) await PostQueuedCompletionStatus(port, 0, key);
 * const [entries, count] = [[] as OVERLAPPED_ENTRY[], { value: 0 }];
 * await GetQueuedCompletionStatusEx(port, entries, 10, count, INFINITE); // → 1
 * entries.map(({ lpCompletionKey }) => lpCompletionKey); // → [1, 2]
 * ```
 */
export const GetQueuedCompletionStatusEx = promised('GetQueuedCompletionStatusEx');

/**
 * Queues a packet of the application's own to a port.
 *
 * Errors: ERROR_INVALID_HANDLE
 *
 * Source: SEM-OV-02
 * @param dwNumberOfBytesTransferred any number
 * @param dwCompletionKey any number
 * @param lpOverlapped any record; `null`: none
 * @returns 1
 * @example
 * ```ts
 * const port = await CreateIoCompletionPort(INVALID_HANDLE_VALUE);
 * await PostQueuedCompletionStatus(port, 3, 9); // → 1
 * const [bytes, key] = [{ value: 0 }, { value: 0 }];
 * await GetQueuedCompletionStatus(port, bytes, key, { value: null }, 0);
 * [bytes.value, key.value]; // → [3, 9]
 * ```
 */
export const PostQueuedCompletionStatus = promised('PostQueuedCompletionStatus');

/**
 * Closes a completion port or an event object. A socket is closed by `closesocket`.
 *
 * Errors: ERROR_INVALID_HANDLE
 *
 * Source: API-WSACloseEvent
 * @returns 1
 * @example
 * ```ts
 * const port = await CreateIoCompletionPort(INVALID_HANDLE_VALUE);
 * await CloseHandle(port); // → 1
 * await CloseHandle(s).catch((e) => e.code); // → ERROR_INVALID_HANDLE
 * ```
 */
export const CloseHandle = promised('CloseHandle');

/**
 * Switches notifications of a socket off, for good.
 *
 * Errors: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (other flags)
 *
 * Source: SEM-OV-05
 * @param Flags FILE_SKIP_COMPLETION_PORT_ON_SUCCESS: no packet for what is done at once; FILE_SKIP_SET_EVENT_ON_HANDLE: the socket is
 * not signaled
 * @returns 1
 * @example
 * ```ts
 * const port = await CreateIoCompletionPort(s, 0, 7);
 * await SetFileCompletionNotificationModes(s, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS); // → 1
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
 * await WSASend(s, [Buffer.from('hello')], 1, null, 0, record); // → 0
 * await GetQueuedCompletionStatus(port, null, null, { value: null }, 10).catch((e) => e.code); // → WAIT_TIMEOUT
 * ```
 */
export const SetFileCompletionNotificationModes = promised('SetFileCompletionNotificationModes');

/**
 * Registers sockets with a completion port for notifications of their state, and takes notifications.
 *
 * Errors: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER (nothing is asked, or an array is short), WAIT_TIMEOUT; in a
 * `registrationResult`: WSAENOTSOCK, ERROR_INVALID_PARAMETER (bad flags, or another port), ERROR_NOT_FOUND (not registered),
 * ERROR_NOT_SUPPORTED (persistent notifications of changes alone)
 *
 * Source: API-ProcessSocketNotifications
 * @param registrationCount how many of `registrationInfos` count
 * @param registrationInfos what is asked of each socket; what became of it is in its `registrationResult`
 * @param timeoutMs ms to wait for a notification; INFINITE: no end
 * @param completionCount how many notifications may be taken; 0: none
 * @param completionPortEntries gets them
 * @param receivedEntryCount gets how many
 * @returns 0
 * @example
 * ```ts
 * const port = await CreateIoCompletionPort(INVALID_HANDLE_VALUE);
 * const asked = {
 *   socket: s,
 *   completionKey: 7,
 *   eventFilter: SOCK_NOTIFY_REGISTER_EVENT_IN,
 *   operation: SOCK_NOTIFY_OP_ENABLE,
 *   triggerFlags: SOCK_NOTIFY_TRIGGER_ONESHOT | SOCK_NOTIFY_TRIGGER_LEVEL,
 *   registrationResult: 0,
 * };
 * await peer.send(t, Buffer.from('x'));
 * const entries: OVERLAPPED_ENTRY[] = [];
 * await ProcessSocketNotifications(port, 1, [asked], INFINITE, 4, entries, { value: 0 }); // → 0
 * entries.map(SocketNotificationRetrieveEvents); // → [SOCK_NOTIFY_EVENT_IN]
 * ```
 */
export const ProcessSocketNotifications = promised('ProcessSocketNotifications');
