/**
 * Sockets come and go: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Creates a socket of the first catalog entry that matches. It blocks, and can be used for overlapped operations.
 *
 * Errors: WSAEAFNOSUPPORT (no such family), WSAESOCKTNOSUPPORT (no such type), WSAEPROTONOSUPPORT (no such protocol, or not of that
 * type), WSAEINVAL (AF_UNSPEC without a protocol), WSAEACCES (a raw socket without the right to it), WSAEMFILE (too many sockets),
 * WSAEPROVIDERFAILEDINIT (its provider could not be loaded)
 *
 * Source: API-socket, SEM-SOCK-01 … SEM-SOCK-22
 * @param af AF_INET or AF_INET6; AF_UNSPEC (0): the first entry of any family
 * @param type SOCK_STREAM, SOCK_DGRAM, SOCK_RAW; 0: any
 * @param protocol IPPROTO_*; 0: the type's usual one
 * @returns the SOCKET
 * @example
 * ```ts
 * const stream = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await closesocket(stream); // → 0
 * await socket(AF_INET, SOCK_STREAM, IPPROTO_UDP).catch((e) => e.code); // → WSAEPROTONOSUPPORT
 * ```
 */
export const socket = promised('socket');

/**
 * Creates a socket of a catalog entry of the caller's choice, or opens one that another process gave away with WSADuplicateSocket.
 *
 * Errors: those of `socket`, and WSAEINVAL (flags that do not go together, or a used-up duplicate), WSAEFAULT (a bad
 * `lpProtocolInfo`)
 *
 * Source: API-WSASocket, SEM-SOCK-04 … SEM-SOCK-08
 * @param af as `socket`; FROM_PROTOCOL_INFO (−1): the entry's
 * @param type likewise
 * @param protocol likewise
 * @param lpProtocolInfo the entry; `null`: the first one that matches
 * @param g is ignored: there are no socket groups
 * @param dwFlags WSA_FLAG_*: WSA_FLAG_OVERLAPPED is not implied
 * @returns the SOCKET
 * @example
 * ```ts
 * const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
 * const datagrams = await WSASocket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags);
 * await closesocket(datagrams); // → 0
 * ```
 */
export const WSASocket = promised('WSASocket');

/**
 * Closes a socket: in good order in the background, unless SO_LINGER says to wait (so many seconds) or to reset the connection.
 * What pends on it is cancelled.
 *
 * Errors: WSAEWOULDBLOCK (it does not block and would have to linger: it stays open)
 *
 * Source: API-closesocket, SEM-LING-01 … SEM-LING-07
 * @returns 0
 * @example
 * ```ts
 * await closesocket(s); // → 0
 * await peer.recv(t, Buffer.alloc(10)); // → 0
 * ```
 */
export const closesocket = promised('closesocket');

/**
 * Makes the entry with which another process of the same user opens the same socket, once. The two descriptors share all of the
 * socket's state; it closes with the last one.
 *
 * Errors: WSAEINVAL (no such process), WSAEFAULT (no `lpProtocolInfo`)
 *
 * Source: API-WSADuplicateSocket, SEM-DUP-01 … SEM-DUP-07
 * @param dwProcessId who may open it
 * @param lpProtocolInfo gets the entry, to be handed to that process's `WSASocket`
 * @returns 0
 * @example
 * ```ts
 * const entry = { value: null as WSAPROTOCOL_INFO | null };
 * await WSADuplicateSocket(s, process.pid, entry);
 * const same = await WSASocket(-1, -1, -1, entry.value, 0, WSA_FLAG_OVERLAPPED);
 * await closesocket(s);
 * await send(same, Buffer.from('still open')); // → 10
 * ```
 */
export const WSADuplicateSocket = promised('WSADuplicateSocket');
