/**
 * The calls about names that tell of their result by a message to a window: a part of `winsockd/winsock/async`.
 *
 * The result lies in the buffer with offsets for pointers, and `readHostent`, `readServent`, `readProtoent` read it. The message's wParam is the
 * request's handle; WSAGETASYNCERROR and WSAGETASYNCBUFLEN read its lParam.
 */

import { promised } from '../promised.ts';

/**
 * `gethostbyname` with a message.
 *
 * Errors: WSAEWOULDBLOCK (too many requests), WSAEFAULT; in the message: WSAENOBUFS (too little room: its length says how much it takes), WSAHOST_NOT_FOUND,
 * WSATRY_AGAIN, WSANO_RECOVERY, WSANO_DATA
 *
 * Source: API-WSAAsyncGetHostByName, SEM-ASYNC-*
 * @param hWnd the window
 * @param wMsg the message's number
 * @param name a name or a numeric address
 * @param buf gets the result; it is the request's until the message comes
 * @param buflen its room in bytes, up to MAXGETHOSTSTRUCT
 * @returns the request's handle
 * @example
 * ```ts
 * const [hWnd, buffer] = [await CreateWindow(), Buffer.alloc(MAXGETHOSTSTRUCT)];
 * const task = await WSAAsyncGetHostByName(hWnd, WM_APP, 'lp', buffer, buffer.length);
 * const message = {} as MSG;
 * await GetMessage(message); // → 1
 * [message.wParam === task, WSAGETASYNCERROR(message.lParam)]; // → [true, 0]
 * readHostent(buffer)?.h_name; // → 'printer.example.test'
 * ```
 */
export const WSAAsyncGetHostByName = promised('WSAAsyncGetHostByName');

/**
 * `gethostbyaddr` with a message.
 *
 * Errors: WSAEWOULDBLOCK (too many requests), WSAEFAULT; in the message: WSAENOBUFS (too little room: its length says how much it takes), WSAHOST_NOT_FOUND,
 * WSATRY_AGAIN, WSANO_RECOVERY, WSANO_DATA; WSAEAFNOSUPPORT
 *
 * Source: API-WSAAsyncGetHostByAddr, SEM-ASYNC-*
 * @param hWnd the window
 * @param wMsg the message's number
 * @param addr the address's bytes in network order
 * @param len 4 or 16
 * @param type AF_INET or AF_INET6
 * @param buf gets the result; it is the request's until the message comes
 * @param buflen its room in bytes, up to MAXGETHOSTSTRUCT
 * @returns the request's handle
 * @example
 * ```ts
 * const [hWnd, buffer] = [await CreateWindow(), Buffer.alloc(MAXGETHOSTSTRUCT)];
 * const task = await WSAAsyncGetHostByAddr(hWnd, WM_APP, Buffer.from([10, 0, 0, 7]), 4, AF_INET, buffer, buffer.length);
 * const message = {} as MSG;
 * await GetMessage(message); // → 1
 * [message.wParam === task, WSAGETASYNCERROR(message.lParam)]; // → [true, 0]
 * readHostent(buffer)?.h_name; // → 'printer.example.test'
 * ```
 */
export const WSAAsyncGetHostByAddr = promised('WSAAsyncGetHostByAddr');

/**
 * `getservbyname` with a message.
 *
 * Errors: WSAEWOULDBLOCK (too many requests), WSAEFAULT; in the message: WSAENOBUFS (too little room: its length says how much it takes), WSANO_DATA
 *
 * Source: API-WSAAsyncGetServByName, SEM-ASYNC-*
 * @param hWnd the window
 * @param wMsg the message's number
 * @param name a service's
 * @param proto `tcp`, `udp`; `null`: the first one there is
 * @param buf gets the result; it is the request's until the message comes
 * @param buflen its room in bytes, up to MAXGETHOSTSTRUCT
 * @returns the request's handle
 * @example
 * ```ts
 * const [hWnd, buffer] = [await CreateWindow(), Buffer.alloc(MAXGETHOSTSTRUCT)];
 * const task = await WSAAsyncGetServByName(hWnd, WM_APP, 'www', 'tcp', buffer, buffer.length);
 * const message = {} as MSG;
 * await GetMessage(message); // → 1
 * [message.wParam === task, WSAGETASYNCERROR(message.lParam)]; // → [true, 0]
 * readServent(buffer)?.s_name; // → 'http'
 * ```
 */
export const WSAAsyncGetServByName = promised('WSAAsyncGetServByName');

/**
 * `getservbyport` with a message.
 *
 * Errors: WSAEWOULDBLOCK (too many requests), WSAEFAULT; in the message: WSAENOBUFS (too little room: its length says how much it takes), WSANO_DATA
 *
 * Source: API-WSAAsyncGetServByPort, SEM-ASYNC-*
 * @param hWnd the window
 * @param wMsg the message's number
 * @param port in network order
 * @param proto `tcp`, `udp`; `null`: the first one there is
 * @param buf gets the result; it is the request's until the message comes
 * @param buflen its room in bytes, up to MAXGETHOSTSTRUCT
 * @returns the request's handle
 * @example
 * ```ts
 * const [hWnd, buffer] = [await CreateWindow(), Buffer.alloc(MAXGETHOSTSTRUCT)];
 * const task = await WSAAsyncGetServByPort(hWnd, WM_APP, htons(69), null, buffer, buffer.length);
 * const message = {} as MSG;
 * await GetMessage(message); // → 1
 * [message.wParam === task, WSAGETASYNCERROR(message.lParam)]; // → [true, 0]
 * readServent(buffer)?.s_name; // → 'tftp'
 * ```
 */
export const WSAAsyncGetServByPort = promised('WSAAsyncGetServByPort');

/**
 * `getprotobyname` with a message.
 *
 * Errors: WSAEWOULDBLOCK (too many requests), WSAEFAULT; in the message: WSAENOBUFS (too little room: its length says how much it takes), WSANO_DATA
 *
 * Source: API-WSAAsyncGetProtoByName, SEM-ASYNC-*
 * @param hWnd the window
 * @param wMsg the message's number
 * @param name a protocol's
 * @param buf gets the result; it is the request's until the message comes
 * @param buflen its room in bytes, up to MAXGETHOSTSTRUCT
 * @returns the request's handle
 * @example
 * ```ts
 * const [hWnd, buffer] = [await CreateWindow(), Buffer.alloc(MAXGETHOSTSTRUCT)];
 * const task = await WSAAsyncGetProtoByName(hWnd, WM_APP, 'udp', buffer, buffer.length);
 * const message = {} as MSG;
 * await GetMessage(message); // → 1
 * [message.wParam === task, WSAGETASYNCERROR(message.lParam)]; // → [true, 0]
 * readProtoent(buffer)?.p_proto; // → 17
 * ```
 */
export const WSAAsyncGetProtoByName = promised('WSAAsyncGetProtoByName');

/**
 * `getprotobynumber` with a message.
 *
 * Errors: WSAEWOULDBLOCK (too many requests), WSAEFAULT; in the message: WSAENOBUFS (too little room: its length says how much it takes), WSANO_DATA
 *
 * Source: API-WSAAsyncGetProtoByNumber, SEM-ASYNC-*
 * @param hWnd the window
 * @param wMsg the message's number
 * @param number in host order
 * @param buf gets the result; it is the request's until the message comes
 * @param buflen its room in bytes, up to MAXGETHOSTSTRUCT
 * @returns the request's handle
 * @example
 * ```ts
 * const [hWnd, buffer] = [await CreateWindow(), Buffer.alloc(MAXGETHOSTSTRUCT)];
 * const task = await WSAAsyncGetProtoByNumber(hWnd, WM_APP, 6, buffer, buffer.length);
 * const message = {} as MSG;
 * await GetMessage(message); // → 1
 * [message.wParam === task, WSAGETASYNCERROR(message.lParam)]; // → [true, 0]
 * readProtoent(buffer)?.p_name; // → 'tcp'
 * ```
 */
export const WSAAsyncGetProtoByNumber = promised('WSAAsyncGetProtoByNumber');

/**
 * Cancels such a request: no message comes.
 *
 * Errors: WSAEINVAL (no such request), WSAEALREADY (it is over)
 *
 * Source: API-WSACancelAsyncRequest
 * @param hAsyncTaskHandle the request's handle
 * @returns 0
 * @example
 * ```ts
 * const [hWnd, buffer] = [await CreateWindow(), Buffer.alloc(MAXGETHOSTSTRUCT)];
 * const task = await WSAAsyncGetHostByName(hWnd, WM_APP, 'slow.test', buffer, buffer.length);
 * await WSACancelAsyncRequest(task); // → 0
 * await WSACancelAsyncRequest(task).catch((e) => e.code); // → WSAEALREADY
 * ```
 */
export const WSACancelAsyncRequest = promised('WSACancelAsyncRequest');
