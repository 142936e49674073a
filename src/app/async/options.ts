/**
 * Options and control codes: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Reads an option.
 *
 * Errors: WSAEINVAL (no such level), WSAENOPROTOOPT (no such option at the level, or not of this socket), WSAEFAULT (no value, or too
 * little room), WSAENOTCONN (an option of connected sockets: IP_MTU)
 *
 * Source: API-getsockopt, OPT-*
 * @param level SOL_SOCKET, IPPROTO_*
 * @param optname SO_*, IP_*, IPV6_*, TCP_*, UDP_*
 * @param optval gets the value: 32-bit little-endian numbers, or the bytes of the option's structure
 * @param optlen its room in bytes, then its length
 * @returns 0
 * @example
 * ```ts
 * const value = Buffer.alloc(4);
 * await getsockopt(s, SOL_SOCKET, SO_TYPE, value, { value: 4 }); // → 0
 * value.readInt32LE() === SOCK_STREAM; // → true
 * await getsockopt(s, SOL_SOCKET, 0x7777, value).catch((e) => e.code); // → WSAENOPROTOOPT
 * ```
 */
export const getsockopt = promised('getsockopt');

/**
 * Sets an option.
 *
 * Errors: those of `getsockopt`, and WSAEINVAL (a bad value, or too late: bound already), WSAEADDRNOTAVAIL (no such interface or
 * group), WSAENOTCONN, WSAENETRESET (keep-alive of a connection that is gone)
 *
 * Source: API-setsockopt, OPT-*
 * @param level SOL_SOCKET, IPPROTO_*
 * @param optname SO_*, IP_*, IPV6_*, TCP_*, UDP_*
 * @param optval the value: a 32-bit little-endian number, or the bytes of the option's structure
 * @param optlen its length in bytes
 * @returns 0
 * @example
 * ```ts
 * await setsockopt(s, IPPROTO_TCP, TCP_NODELAY, Buffer.from([1, 0, 0, 0])); // → 0
 * const milliseconds = Buffer.from([100, 0, 0, 0]);
 * await setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, milliseconds);
 * await recv(s, Buffer.alloc(10)).catch((e) => e.code); // → WSAETIMEDOUT
 * ```
 */
export const setsockopt = promised('setsockopt');

/**
 * The three control codes of Winsock 1.1: FIONBIO (1: non-blocking), FIONREAD (bytes that a receive would give), SIOCATMARK (1: no
 * urgent byte waits).
 *
 * Errors: WSAEOPNOTSUPP (another code), WSAEFAULT (no `argp`), WSAEINVAL (blocking is asked for while events are selected)
 *
 * Source: API-ioctlsocket, IOCTL-FIONBIO, IOCTL-FIONREAD, IOCTL-SIOCATMARK
 * @param argp the value, in or out
 * @returns 0
 * @example
 * ```ts
 * await ioctlsocket(s, FIONBIO, { value: 1 }); // → 0
 * await recv(s, Buffer.alloc(10)).catch((e) => e.code); // → WSAEWOULDBLOCK
 * const waiting = { value: -1 };
 * await ioctlsocket(s, FIONREAD, waiting);
 * waiting.value; // → 0
 * ```
 */
export const ioctlsocket = promised('ioctlsocket');

/**
 * Any control code.
 *
 * Errors: WSAEOPNOTSUPP (an unknown code, or not for this socket), WSAEFAULT (no `lpcbBytesReturned`, or too little room for the
 * result), WSAEINVAL (bad input, or the wrong state), WSAENOTCONN, WSAENOPROTOOPT, WSAEADDRNOTAVAIL, WSAEWOULDBLOCK (non-blocking: it
 * would wait for a change), WSA_IO_PENDING (begun)
 *
 * Source: API-WSAIoctl, IOCTL-*, SEM-IOC-01
 * @param dwIoControlCode SIO_*, FION*
 * @param lpvInBuffer what the code takes; `null`: nothing
 * @param cbInBuffer its length in bytes
 * @param lpvOutBuffer gets the result; `null`: not asked for
 * @param cbOutBuffer its room in bytes
 * @param lpcbBytesReturned gets the result's length, or what is needed; not `null`, even with a record
 * @param lpOverlapped the record; `null`: the call waits
 * @param lpCompletionRoutine runs in an alertable wait, when the operation is done
 * @returns 0
 * @example
 * ```ts
 * const [waiting, bytes] = [Buffer.alloc(4), { value: 0 }];
 * await WSAIoctl(s, FIONREAD, null, 0, waiting, 4, bytes); // → 0
 * [bytes.value, waiting.readInt32LE()]; // → [4, 0]
 * ```
 */
export const WSAIoctl = promised('WSAIoctl');
