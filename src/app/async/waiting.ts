/**
 * Readiness and events: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Waits until a socket of the sets is ready, and leaves the ready ones in them. Takes nothing and re-enables no event.
 *
 * Errors: WSAEINVAL (all sets are empty or missing, a bad time limit, or providers that cannot be mixed), WSAENOTSOCK (one handle is no
 * socket: the sets stay as they are)
 *
 * Source: API-select, SEM-SEL-01 … SEM-SEL-14
 * @param nfds is ignored
 * @param readfds ready: data, a connection, the end of the stream, a reset; `null`: nothing asked
 * @param writefds ready: connected, or room to send
 * @param exceptfds ready: a connect failed, or an urgent byte waits
 * @param timeout seconds and microseconds, which stay as they are; `null`: no end; zero: a look
 * @returns how many entries are left in all sets; 0 when the time ran out
 * @example
 * ```ts
 * await peer.send(t, Buffer.from('x'));
 * const readable = { fd_array: [s, u] };
 * await select(0, readable, null, null, { tv_sec: 1, tv_usec: 0 }); // → 1
 * FD_ISSET(s, readable); // → true
 * ```
 */
export const select = promised('select');

/**
 * Waits until one of the sockets has what it is asked for, and sets every `revents`.
 *
 * Errors: WSAEINVAL (`fds` is 0, or `events` has bits that can only be results), WSAEFAULT (no array, or a short one), WSAENOTSOCK
 * (none of them is a socket)
 *
 * Source: API-WSAPoll, SEM-POLL-01 … SEM-POLL-09
 * @param fdArray the sockets, with POLLIN, POLLOUT and their parts in `events`
 * @param fds how many of them count
 * @param timeout ms; 0: a look; negative: no end
 * @returns how many have something in `revents`; 0 when the time ran out
 * @example
 * ```ts
 * const sockets = [{ fd: s, events: POLLRDNORM | POLLWRNORM, revents: 0 }];
 * await WSAPoll(sockets, 1, 1000); // → 1
 * sockets[0]?.revents === POLLWRNORM; // → true
 * ```
 */
export const WSAPoll = promised('WSAPoll');

/**
 * Makes an event object: manual-reset, not signaled.
 *
 * Errors: WSA_NOT_ENOUGH_MEMORY (too many handles)
 *
 * Source: API-WSACreateEvent
 * @returns its handle
 * @example
 * ```ts
 * const event = await WSACreateEvent();
 * await WSAWaitForMultipleEvents(1, [event], false, 0); // → WSA_WAIT_TIMEOUT
 * await WSACloseEvent(event); // → 1
 * ```
 */
export const WSACreateEvent = promised('WSACreateEvent');

/**
 * Signals an event object, until it is reset.
 *
 * Errors: WSA_INVALID_HANDLE
 *
 * Source: API-WSASetEvent
 * @returns 1
 * @example
 * ```ts
 * const event = await WSACreateEvent();
 * await WSASetEvent(event); // → 1
 * await WSAWaitForMultipleEvents(1, [event], false, WSA_INFINITE); // → WSA_WAIT_EVENT_0
 * ```
 */
export const WSASetEvent = promised('WSASetEvent');

/**
 * Takes an event object's signal back.
 *
 * Errors: WSA_INVALID_HANDLE
 *
 * Source: API-WSAResetEvent
 * @returns 1
 * @example
 * ```ts
 * const event = await WSACreateEvent();
 * await WSASetEvent(event);
 * await WSAResetEvent(event); // → 1
 * await WSAWaitForMultipleEvents(1, [event], false, 0); // → WSA_WAIT_TIMEOUT
 * ```
 */
export const WSAResetEvent = promised('WSAResetEvent');

/**
 * Closes an event object.
 *
 * Errors: WSA_INVALID_HANDLE
 *
 * Source: API-WSACloseEvent
 * @returns 1
 * @example
 * ```ts
 * const event = await WSACreateEvent();
 * await WSACloseEvent(event); // → 1
 * await WSACloseEvent(event).catch((e) => e.code); // → WSA_INVALID_HANDLE
 * ```
 */
export const WSACloseEvent = promised('WSACloseEvent');

/**
 * Has a socket's network events recorded, and announced by an event object. The socket becomes non-blocking, and any other
 * registration ends.
 *
 * Errors: WSAEINVAL (no such event object)
 *
 * Source: API-WSAEventSelect, SEM-EV-01 … SEM-EV-26
 * @param hEventObject the event object; 0 with no events: ends the registration
 * @param lNetworkEvents FD_READ, FD_WRITE, FD_OOB, FD_ACCEPT, FD_CONNECT, FD_CLOSE and so on
 * @returns 0
 * @example
 * ```ts
 * const event = await WSACreateEvent();
 * await WSAEventSelect(s, event, FD_READ | FD_CLOSE); // → 0
 * await peer.send(t, Buffer.from('x'));
 * await WSAWaitForMultipleEvents(1, [event], false, 1000); // → WSA_WAIT_EVENT_0
 * ```
 */
export const WSAEventSelect = promised('WSAEventSelect');

/**
 * Takes a socket's recorded network events: those that are selected, once each.
 *
 * Errors: WSAEINVAL (no such event object), WSAEFAULT (no `lpNetworkEvents`)
 *
 * Source: API-WSAEnumNetworkEvents, SEM-EV-23
 * @param hEventObject is reset with it; 0: none
 * @param lpNetworkEvents gets the FD_* bits, and an error for each of them at its FD_*_BIT
 * @returns 0
 * @example
 * ```ts
 * const event = await WSACreateEvent();
 * await WSAEventSelect(s, event, FD_CLOSE);
 * await peer.shutdown(t, SD_SEND);
 * await WSAWaitForMultipleEvents(1, [event], false, WSA_INFINITE);
 * const events = { lNetworkEvents: 0, iErrorCode: [] as number[] };
 * await WSAEnumNetworkEvents(s, event, events); // → 0
 * [events.lNetworkEvents, events.iErrorCode[FD_CLOSE_BIT]]; // → [FD_CLOSE, 0]
 * ```
 */
export const WSAEnumNetworkEvents = promised('WSAEnumNetworkEvents');

/**
 * Waits for one of several event objects, or for all of them.
 *
 * Errors: WSA_INVALID_HANDLE (one is no event object), WSA_INVALID_PARAMETER (a bad count, or the same one twice in a wait for all)
 *
 * Source: API-WSAWaitForMultipleEvents
 * @param cEvents how many, 1 to 64
 * @param fWaitAll `true`: until all are signaled
 * @param dwTimeout ms; WSA_INFINITE: no end
 * @param fAlertable `true`: completion routines may run, which ends the wait
 * @returns WSA_WAIT_EVENT_0 plus the lowest signaled index, WSA_WAIT_TIMEOUT or WSA_WAIT_IO_COMPLETION
 * @example
 * ```ts
 * const events = [await WSACreateEvent(), await WSACreateEvent()];
 * await WSAWaitForMultipleEvents(2, events, false, 50); // → WSA_WAIT_TIMEOUT
 * await WSASetEvent(events[1] ?? 0);
 * await WSAWaitForMultipleEvents(2, events, false, WSA_INFINITE); // → WSA_WAIT_EVENT_0 + 1
 * ```
 */
export const WSAWaitForMultipleEvents = promised('WSAWaitForMultipleEvents');
