/**
 * Sending and receiving: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Sends on a connected socket. A blocking one waits until all bytes are in the send buffer.
 *
 * Errors: WSAENOTCONN, WSAESHUTDOWN (the sending direction was ended), WSAEWOULDBLOCK (non-blocking: no room), WSAEMSGSIZE (a datagram
 * that is too long), WSAETIMEDOUT (SO_SNDTIMEO, or the peer is silent), WSAECONNRESET, WSAECONNABORTED, WSAENETRESET (keep-alive),
 * WSAEOPNOTSUPP (MSG_OOB on a datagram socket), WSAEFAULT (no buffer, or `len` is longer than it), WSAEINTR (closed meanwhile)
 *
 * Source: API-send, SEM-IO-01, SEM-IO-02, SEM-OOB-01
 * @param buf the bytes
 * @param len how many of them
 * @param flags MSG_OOB, MSG_DONTROUTE (ignored); 0: none
 * @returns the bytes taken
 * @example
 * ```ts
 * await send(s, Buffer.from('hello')); // → 5
 * const buffer = Buffer.alloc(100);
 * const count = await peer.recv(t, buffer);
 * buffer.toString('utf8', 0, count); // → 'hello'
 * ```
 */
export const send = promised('send');

/**
 * Sends a datagram to an address; an unbound socket is bound. On a stream it is `send`: the address is ignored.
 *
 * Errors: those of `send`, and WSAENOTCONN or WSAEDESTADDRREQ (no address), WSAEADDRNOTAVAIL (address any or port 0), WSAEAFNOSUPPORT
 * (another family), WSAEACCES (broadcast without SO_BROADCAST), WSAENETUNREACH, WSAEHOSTUNREACH (no way there), WSAEFAULT (a short
 * address)
 *
 * Source: API-sendto, SEM-IO-11, SEM-IO-17, SEM-IO-18
 * @param buf the bytes
 * @param len how many of them
 * @param flags MSG_*; 0: none
 * @param to the sockaddr; `null`: the connected peer
 * @param tolen its length in bytes
 * @returns the bytes taken: all
 * @example
 * ```ts
 * const data = Buffer.from('ping');
 * await sendto(u, data, data.length, 0, at('10.0.0.2', 5000)); // → 4
 * await peer.recv(v, Buffer.alloc(100)); // → 4
 * ```
 */
export const sendto = promised('sendto');

/**
 * Receives what there is; a blocking socket waits for the first byte, with MSG_WAITALL until the buffer is full.
 *
 * Errors: WSAENOTCONN (a stream that is not connected), WSAEINVAL (a datagram socket that is not bound; MSG_OOB with no urgent byte in
 * the stream), WSAESHUTDOWN (the receiving direction was ended), WSAEWOULDBLOCK (non-blocking: nothing is there), WSAEMSGSIZE (the
 * buffer is full, the rest of the datagram is lost), WSAETIMEDOUT (SO_RCVTIMEO), WSAECONNRESET (by the peer; of a datagram socket:
 * nobody is at the port it sent to), WSAENETRESET (keep-alive; of a datagram socket: TTL expired), WSAECONNABORTED, WSAEOPNOTSUPP
 * (flags that do not go together), WSAEFAULT (no buffer, or `len` is longer than it), WSAEINTR (closed meanwhile)
 *
 * Source: API-recv, SEM-IO-03 … SEM-IO-13, SEM-SHUT-05
 * @param buf gets the bytes
 * @param len how much of it may be used
 * @param flags MSG_PEEK, MSG_OOB, MSG_WAITALL; 0: none
 * @returns bytes; 0 when the peer has closed in good order, or for an empty datagram
 * @example
 * ```ts
 * await peer.send(t, Buffer.from('hello'));
 * await peer.shutdown(t, SD_SEND);
 * const buffer = Buffer.alloc(100);
 * await recv(s, buffer, 4, MSG_PEEK); // → 4
 * await recv(s, buffer); // → 5
 * await recv(s, buffer); // → 0
 * ```
 */
export const recv = promised('recv');

/**
 * As `recv`, and says from whom. A stream does not: `from` and `fromlen` stay as they are.
 *
 * Errors: those of `recv`
 *
 * Source: API-recvfrom, SEM-IO-03, SEM-IO-12
 * @param from gets the sender's sockaddr; `null`: not asked for
 * @param fromlen its room in bytes, then its length
 * @returns bytes
 * @example
 * ```ts
 * await peer.sendto(v, Buffer.from('ping'), 4, 0, at('10.0.0.1', 5000));
 * const from = new Uint8Array(SOCKADDR_IN_LEN);
 * await recvfrom(u, Buffer.alloc(100), 100, 0, from, { value: from.length }); // → 4
 * formatSockaddr(from); // → '10.0.0.2:5000'
 * ```
 */
export const recvfrom = promised('recvfrom');

/**
 * As `recv`, but a message that does not fit is no failure: `flags` says MSG_PARTIAL.
 *
 * Errors: those of `recv` without WSAEMSGSIZE; WSAEFAULT without `flags`
 *
 * Source: API-WSARecvEx
 * @param flags MSG_* in; 0 or MSG_PARTIAL out
 * @returns bytes
 * @example
 * ```ts
 * await peer.sendto(v, Buffer.from('a long one'), 10, 0, at('10.0.0.1', 5000));
 * const flags = { value: 0 };
 * await WSARecvEx(u, Buffer.alloc(6), 6, flags); // → 6
 * flags.value === MSG_PARTIAL; // → true
 * ```
 */
export const WSARecvEx = promised('WSARecvEx');

/**
 * Sends the bytes of several buffers as one message. With an overlapped record the call does not wait.
 *
 * Errors: those of `send`, and WSA_IO_PENDING (begun: the record, its event, the routine or the port tells of the end),
 * WSA_OPERATION_ABORTED (cancelled)
 *
 * Source: API-WSASend, SEM-IO-22, SEM-OV-01 … SEM-OV-09
 * @param lpBuffers the buffers, the first `dwBufferCount` of which count; the bytes are borrowed until the operation is done
 * @param lpNumberOfBytesSent gets the bytes taken; may be `null` with a record
 * @param dwFlags MSG_*
 * @param lpOverlapped the record; `null`: as `send`
 * @param lpCompletionRoutine runs in an alertable wait, when the operation is done
 * @returns 0
 * @example
 * ```ts
 * const sent = { value: 0 };
 * await WSASend(s, [Buffer.from('head'), Buffer.from('body')], 2, sent); // → 0
 * sent.value; // → 8
 * ```
 */
export const WSASend = promised('WSASend');

/**
 * As `WSASend`, to an address.
 *
 * Errors: those of `sendto`, and WSA_IO_PENDING, WSA_OPERATION_ABORTED
 *
 * Source: API-WSASendTo, SEM-IO-22
 * @param lpTo the sockaddr; `null`: the connected peer
 * @param iTolen its length in bytes
 * @returns 0
 * @example
 * ```ts
 * const sent = { value: 0 };
 * await WSASendTo(u, [Buffer.from('pi'), Buffer.from('ng')], 2, sent, 0, at('10.0.0.2', 5000)); // → 0
 * sent.value; // → 4
 * ```
 */
export const WSASendTo = promised('WSASendTo');

/**
 * Receives into several buffers, one after the other. With an overlapped record the call does not wait.
 *
 * Errors: those of `recv`, and WSAEINVAL (no buffers), WSA_IO_PENDING (begun: the record, its event, the routine or the port tells of
 * the end), WSA_OPERATION_ABORTED (cancelled)
 *
 * Source: API-WSARecv, SEM-IO-09, SEM-IO-22, SEM-OV-01 … SEM-OV-09
 * @param lpBuffers the buffers, the first `dwBufferCount` of which count; they are borrowed until the operation is done
 * @param lpNumberOfBytesRecvd gets the bytes; may be `null` with a record
 * @param lpFlags MSG_* in; out: MSG_PARTIAL when a datagram was cut
 * @param lpOverlapped the record; `null`: as `recv`
 * @param lpCompletionRoutine runs in an alertable wait, when the operation is done
 * @returns 0
 * @example
 * ```ts
 * await peer.send(t, Buffer.from('headbody'));
 * const [head, body] = [Buffer.alloc(4), Buffer.alloc(100)];
 * const count = { value: 0 };
 * await WSARecv(s, [head, body], 2, count, { value: 0 }); // → 0
 * [count.value, head.toString()]; // → [8, 'head']
 * ```
 */
export const WSARecv = promised('WSARecv');

/**
 * As `WSARecv`, and says from whom.
 *
 * Errors: those of `WSARecv`
 *
 * Source: API-WSARecvFrom, SEM-OV-08
 * @param lpFrom gets the sender's sockaddr; `null`: not asked for
 * @param lpFromlen its room in bytes, then its length
 * @returns 0
 * @example
 * ```ts
 * await peer.sendto(v, Buffer.from('ping'), 4, 0, at('10.0.0.1', 5000));
 * const from = new Uint8Array(SOCKADDR_IN_LEN);
 * const count = { value: 0 };
 * await WSARecvFrom(u, [Buffer.alloc(100)], 1, count, { value: 0 }, from, { value: 16 }); // → 0
 * [count.value, formatSockaddr(from)]; // → [4, '10.0.0.2:5000']
 * ```
 */
export const WSARecvFrom = promised('WSARecvFrom');
