/**
 * The functions of ws2tcpip.h that are short for an option: a part of `winsockd/winsock/async`. Those about IP take the level from the
 * socket's family.
 */

import { promised } from '../promised.ts';

/**
 * Reads the bound that the user has put to the socket's IP packets.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEFAULT (no place for it)
 *
 * Source: API-WSAGetIPUserMtu, OPT-IP_USER_MTU
 * @param Mtu gets it in bytes; 0xFFFFFFFF: none
 * @returns 0
 * @example
 * ```ts
 * const mtu = { value: 0 };
 * await WSAGetIPUserMtu(u, mtu); // → 0
 * mtu.value; // → 0xffffffff
 * ```
 */
export const WSAGetIPUserMtu = promised('WSAGetIPUserMtu');

/**
 * Sets a bound of the socket's IP packets.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEINVAL (a bad value)
 *
 * Source: API-WSASetIPUserMtu, OPT-IP_USER_MTU
 * @param Mtu in bytes
 * @returns 0
 * @example
 * ```ts
 * await WSASetIPUserMtu(u, 1000); // → 0
 * const mtu = { value: 0 };
 * await WSAGetIPUserMtu(u, mtu);
 * mtu.value; // → 1000
 * ```
 */
export const WSASetIPUserMtu = promised('WSASetIPUserMtu');

/**
 * Reads whether receives tell the ECN field as control data.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEFAULT (no place for it)
 *
 * Source: API-WSAGetRecvIPEcn, OPT-IP_RECVECN
 * @param Enabled gets 0 or 1
 * @returns 0
 * @example
 * ```ts
 * const enabled = { value: -1 };
 * await WSAGetRecvIPEcn(u, enabled); // → 0
 * enabled.value; // → 0
 * ```
 */
export const WSAGetRecvIPEcn = promised('WSAGetRecvIPEcn');

/**
 * Has receives tell the ECN field as control data.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEINVAL (a bad value)
 *
 * Source: API-WSASetRecvIPEcn, OPT-IP_RECVECN
 * @param Enabled 0 or 1
 * @returns 0
 * @example
 * ```ts
 * await WSASetRecvIPEcn(u, 1); // → 0
 * const enabled = { value: -1 };
 * await WSAGetRecvIPEcn(u, enabled);
 * enabled.value; // → 1
 * ```
 */
export const WSASetRecvIPEcn = promised('WSASetRecvIPEcn');

/**
 * Reads whether an ICMP error ends a connect at once.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEFAULT (no place for it)
 *
 * Source: API-WSAGetFailConnectOnIcmpError, OPT-TCP_FAIL_CONNECT_ON_ICMP_ERROR
 * @param Enabled gets 0 or 1
 * @returns 0
 * @example
 * ```ts
 * const enabled = { value: -1 };
 * await WSAGetFailConnectOnIcmpError(s, enabled); // → 0
 * enabled.value; // → 0
 * ```
 */
export const WSAGetFailConnectOnIcmpError = promised('WSAGetFailConnectOnIcmpError');

/**
 * Has an ICMP error end a connect at once.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEINVAL (a bad value)
 *
 * Source: API-WSASetFailConnectOnIcmpError, OPT-TCP_FAIL_CONNECT_ON_ICMP_ERROR
 * @param Enabled 0 or 1
 * @returns 0
 * @example
 * ```ts
 * const client = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 * await WSASetFailConnectOnIcmpError(client, 1); // → 0
 * const enabled = { value: -1 };
 * await WSAGetFailConnectOnIcmpError(client, enabled);
 * enabled.value; // → 1
 * ```
 */
export const WSASetFailConnectOnIcmpError = promised('WSASetFailConnectOnIcmpError');

/**
 * Reads what ICMP said since the last connect.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEFAULT (no place for it)
 *
 * Source: API-WSAGetIcmpErrorInfo, OPT-TCP_ICMP_ERROR_INFO
 * @param Info gets an ICMP_ERROR_INFO; stays as it is when there was no error
 * @returns 0
 * @example
 * ```ts
 * const info = Buffer.alloc(64);
 * await WSAGetIcmpErrorInfo(s, info); // → 0
 * info.every((byte) => byte === 0); // → true
 * ```
 */
export const WSAGetIcmpErrorInfo = promised('WSAGetIcmpErrorInfo');

/**
 * Reads up to how many bytes datagrams of one sender are received together.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEFAULT (no place for it)
 *
 * Source: API-WSAGetUdpRecvMaxCoalescedSize, OPT-UDP_RECV_MAX_COALESCED_SIZE
 * @param MsgSize gets it; 0: each by itself
 * @returns 0
 * @example
 * ```ts
 * const size = { value: -1 };
 * await WSAGetUdpRecvMaxCoalescedSize(u, size); // → 0
 * size.value; // → 0
 * ```
 */
export const WSAGetUdpRecvMaxCoalescedSize = promised('WSAGetUdpRecvMaxCoalescedSize');

/**
 * Sets up to how many bytes datagrams of one sender are received together.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEINVAL (a bad value)
 *
 * Source: API-WSASetUdpRecvMaxCoalescedSize, OPT-UDP_RECV_MAX_COALESCED_SIZE
 * @param MsgSize in bytes; 0: each by itself
 * @returns 0
 * @example
 * ```ts
 * await WSASetUdpRecvMaxCoalescedSize(u, 8000); // → 0
 * const size = { value: -1 };
 * await WSAGetUdpRecvMaxCoalescedSize(u, size);
 * size.value; // → 8000
 * ```
 */
export const WSASetUdpRecvMaxCoalescedSize = promised('WSASetUdpRecvMaxCoalescedSize');

/**
 * Reads into datagrams of which size a send is cut.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEFAULT (no place for it)
 *
 * Source: API-WSAGetUdpSendMessageSize, OPT-UDP_SEND_MSG_SIZE
 * @param MsgSize gets it in bytes; 0: a send is one datagram
 * @returns 0
 * @example
 * ```ts
 * const size = { value: -1 };
 * await WSAGetUdpSendMessageSize(u, size); // → 0
 * size.value; // → 0
 * ```
 */
export const WSAGetUdpSendMessageSize = promised('WSAGetUdpSendMessageSize');

/**
 * Sets into datagrams of which size a send is cut.
 *
 * Errors: WSAENOPROTOOPT (not of this socket), WSAEINVAL (a bad value)
 *
 * Source: API-WSASetUdpSendMessageSize, OPT-UDP_SEND_MSG_SIZE
 * @param MsgSize in bytes; 0: a send is one datagram
 * @returns 0
 * @example
 * ```ts
 * await WSASetUdpSendMessageSize(u, 4); // → 0
 * await sendto(u, Buffer.from('onetwo'), 6, 0, at('10.0.0.2', 5000));
 * await peer.recv(v, Buffer.alloc(100)); // → 4
 * await peer.recv(v, Buffer.alloc(100)); // → 2
 * ```
 */
export const WSASetUdpSendMessageSize = promised('WSASetUdpSendMessageSize');
