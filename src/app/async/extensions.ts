/**
 * Extension functions, under their names instead of pointers: a part of `winsockd/winsock/async`.
 */

import { promised } from '../promised.ts';

/**
 * Gives the next connection of a listener to an unused socket, with its first data and both names.
 *
 * Errors: WSA_IO_PENDING (begun), WSAEINVAL (not listening, or `sAccept` is bound, connected, or no stream), WSAEFAULT (no buffer, or a
 * remote length of 0), ERROR_INVALID_PARAMETER (no record), WSAENOTSOCK, WSAECONNRESET (the peer went away meanwhile)
 *
 * Source: API-AcceptEx, SEM-OV-16 … SEM-OV-18
 * @param lpOutputBuffer gets the data, then the local and the remote sockaddr
 * @param dwReceiveDataLength room for data in bytes; 0: done with the connection, without data
 * @param dwLocalAddressLength room for the local sockaddr: 16 more than it takes
 * @param dwRemoteAddressLength likewise for the remote one
 * @param lpdwBytesReceived gets the count of data when it is done at once
 * @param lpOverlapped the record, which is needed
 * @returns 1
 * @example
 * ```ts
 * const connection = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * const begun = AcceptEx(listener, connection, Buffer.alloc(64), 0, 32, 32, null, record);
 * await begun.catch((e) => e.code); // → WSA_IO_PENDING
 * await peer.connect(await peer.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), at('10.0.0.1', 80));
 * await WSAGetOverlappedResult(listener, record, { value: 0 }, true, { value: 0 }); // → 1
 * ```
 */
export const AcceptEx = promised('AcceptEx');

/**
 * Finds the names in AcceptEx's buffer, with the lengths that AcceptEx was given. They are views of the buffer.
 *
 * Errors: none
 *
 * Source: API-GetAcceptExSockaddrs
 * @param LocalSockaddr gets the local sockaddr; stays as it is when its length was 0
 * @param RemoteSockaddr gets the peer's
 * @returns 0
 * @example
 * ```ts
 * const connection = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * const names = Buffer.alloc(64);
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * const client = await peer.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await peer.bind(client, at('10.0.0.2', 9000));
 * await peer.connect(client, at('10.0.0.1', 80));
 * await AcceptEx(listener, connection, names, 0, 32, 32, null, record).catch(() => 0);
 * await WSAWaitForMultipleEvents(1, [record.hEvent], false, WSA_INFINITE);
 * const remote = { value: null as Uint8Array | null };
 * await GetAcceptExSockaddrs(names, 0, 32, 32, { value: null }, { value: 0 }, remote, { value: 0 }); // → 0
 * formatSockaddr(remote.value ?? Buffer.alloc(0)); // → '10.0.0.2:9000'
 * ```
 */
export const GetAcceptExSockaddrs = promised('GetAcceptExSockaddrs');

/**
 * Connects a bound socket, and sends the first data.
 *
 * Errors: WSA_IO_PENDING (begun), WSAEINVAL (not bound, listening, or a connect pends), WSAEISCONN, ERROR_INVALID_PARAMETER (no record),
 * WSAEFAULT, WSAEAFNOSUPPORT, and those of `connect` when it is done
 *
 * Source: API-ConnectEx, SEM-OV-19, SEM-OV-20
 * @param name the peer's sockaddr
 * @param lpSendBuffer data to be sent once connected; `null`: none
 * @param lpdwBytesSent gets its count when it is done at once
 * @param lpOverlapped the record, which is needed
 * @returns 1
 * @example
 * ```ts
 * const client = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await bind(client, at('0.0.0.0', 0));
 * const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await WSACreateEvent() };
 * const begun = ConnectEx(client, at('10.0.0.2', 80), 16, Buffer.from('hello'), 5, null, record);
 * await begun.catch((e) => e.code); // → WSA_IO_PENDING
 * await WSAGetOverlappedResult(client, record, { value: 0 }, true, { value: 0 }); // → 1
 * await setsockopt(client, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, Buffer.alloc(0)); // → 0
 * ```
 */
export const ConnectEx = promised('ConnectEx');

/**
 * Ends the sending direction; with TF_REUSE_SOCKET the socket can be given to AcceptEx or ConnectEx when it is done.
 *
 * Errors: WSA_IO_PENDING (begun), WSAENOTCONN, WSAEINVAL (other flags, or `dwReserved` is not 0)
 *
 * Source: API-DisconnectEx, SEM-SHUT-12
 * @param lpOverlapped the record; `null`: the call waits
 * @param dwFlags 0 or TF_REUSE_SOCKET
 * @param dwReserved 0
 * @returns 1
 * @example
 * ```ts
 * await DisconnectEx(s); // → 1
 * await send(s, Buffer.from('more')).catch((e) => e.code); // → WSAESHUTDOWN
 * ```
 */
export const DisconnectEx = promised('DisconnectEx');

/**
 * Sends a file, with data before and behind it.
 *
 * Errors: WSAENOTCONN, WSAESHUTDOWN, WSAEINVAL (bad counts or flags), WSAEFAULT, WSA_INVALID_HANDLE (no file), WSAECONNRESET,
 * WSAECONNABORTED, WSA_IO_PENDING (begun)
 *
 * Source: API-TransmitFile
 * @param hFile a descriptor of this process, Node's FileHandle, or a path; `null`: only the data around it
 * @param nNumberOfBytesToWrite how much of it; 0: all, from the record's Offset on, or from where the descriptor stands
 * @param nNumberOfBytesPerSend bytes a send; 0: as the provider likes
 * @param lpOverlapped the record; `null`: the call waits
 * @param lpTransmitBuffers what goes before and behind; `null`: nothing
 * @param dwFlags TF_DISCONNECT, TF_REUSE_SOCKET and so on
 * @returns 1
 * @example
 * ```ts
 * const around = { Head: Buffer.from('head '), Tail: Buffer.from('tail') };
 * await TransmitFile(s, null, 0, 0, null, around, TF_DISCONNECT); // → 1
 * const buffer = Buffer.alloc(100);
 * await peer.recv(t, buffer, 100, MSG_WAITALL); // → 9
 * ```
 */
export const TransmitFile = promised('TransmitFile');

/**
 * Sends pieces of memory and of files; on a datagram socket those up to each TP_ELEMENT_EOP as one message.
 *
 * Errors: those of `TransmitFile`
 *
 * Source: API-TransmitPackets
 * @param lpPacketArray the pieces, the first `nElementCount` of which count
 * @param nSendSize bytes a send; 0: as the provider likes
 * @param lpOverlapped the record; `null`: the call waits
 * @param dwFlags TP_DISCONNECT, TP_REUSE_SOCKET and so on
 * @returns 1
 * @example
 * ```ts
 * const pieces = [
 *   { dwElFlags: TP_ELEMENT_MEMORY, cLength: 4, pBuffer: Buffer.from('head') },
 *   { dwElFlags: TP_ELEMENT_MEMORY, cLength: 4, pBuffer: Buffer.from('body') },
 * ];
 * await TransmitPackets(s, pieces, 2); // → 1
 * await peer.recv(t, Buffer.alloc(8), 8, MSG_WAITALL); // → 8
 * ```
 */
export const TransmitPackets = promised('TransmitPackets');

/**
 * Receives a datagram with its addresses and control data.
 *
 * Errors: those of `recv`, and WSAEMSGSIZE (datagram or control data were cut), WSAEOPNOTSUPP or WSAEINVAL (a stream), WSAEFAULT (no
 * message), WSA_IO_PENDING
 *
 * Source: API-WSARecvMsg, SEM-IO-23
 * @param lpMsg buffers and places in; the sender, control data and MSG_* flags out
 * @param lpdwNumberOfBytesRecvd gets the bytes
 * @returns 0
 * @example
 * ```ts
 * await setsockopt(u, IPPROTO_IP, IP_PKTINFO, Buffer.from([1, 0, 0, 0]));
 * await peer.sendto(v, Buffer.from('ping'), 4, 0, at('10.0.0.1', 5000));
 * const [name, control] = [Buffer.alloc(16), Buffer.alloc(64)];
 * const lpBuffers = [Buffer.alloc(100)];
 * const message = { name, namelen: 16, lpBuffers, dwBufferCount: 1, Control: control, ControlLength: 64, dwFlags: 0 };
 * await WSARecvMsg(u, message, { value: 0 }); // → 0
 * readControlMessages(control.subarray(0, message.ControlLength))?.[0]?.type; // → IP_PKTINFO
 * ```
 */
export const WSARecvMsg = promised('WSARecvMsg');

/**
 * Sends a datagram with control data.
 *
 * Errors: those of `sendto`, and WSAEINVAL (a stream, or bad control data), WSAEFAULT (no message, or no place for the count),
 * WSA_IO_PENDING
 *
 * Source: API-WSASendMsg
 * @param lpMsg the destination, the buffers, control data
 * @param dwFlags MSG_*
 * @param lpNumberOfBytesSent gets the bytes taken
 * @returns 0
 * @example
 * ```ts
 * const lpBuffers = [Buffer.from('pi'), Buffer.from('ng')];
 * const name = at('10.0.0.2', 5000);
 * const message = { name, namelen: 16, lpBuffers, dwBufferCount: 2, Control: null, dwFlags: 0 };
 * const sent = { value: 0 };
 * await WSASendMsg(u, message, 0, sent); // → 0
 * sent.value; // → 4
 * ```
 */
export const WSASendMsg = promised('WSASendMsg');
