/**
 * `winsockd/winsock/async`: the Winsock API under Microsoft's names, in promises.
 *
 * Each function resolves with what C returns, and rejects with a {@link WinsockError} where C returns SOCKET_ERROR,
 * INVALID_SOCKET or FALSE. Parameters are the documented ones; `spi/types` says how C's pointers look, and trailing lengths may be
 * left out. Buffers are borrowed until the promise settles. WSAGetLastError belongs to the blocking face.
 *
 *     await WSAStartup(MAKEWORD(2, 2), data);
 *     const s = await socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 *     await connect(s, sockaddrOf(address, 80));
 *
 * The functions of this module are those of the process's one Winsock; {@link asyncWinsock} makes the same set for another.
 *
 * **Errors.** A function's page names its own codes. Besides, any call may fail with WSANOTINITIALISED (before WSAStartup),
 * WSAENOTSOCK (a handle that is no socket), WSAEFAULT (a pointer that is needed is `null`, or a length is longer than its array),
 * WSAENETDOWN (the daemon is gone), WSAENOBUFS (a bound of memory), WSAEINPROGRESS (1.x: another call waits) and WSAEINTR (1.x: the
 * call was cancelled). **Source** names the rows of the specification that its tests prove.
 *
 * **Examples.** They run as they stand in a process that has called WSAStartup at 10.0.0.1. `peer` has the same functions in a process
 * at 10.0.0.2. `s` is a stream socket that is connected to the peer's `t`, at port 80; `listener` listens at port 80 here; `u` is a
 * datagram socket at port 5000, and so is the peer's `v`. `at(address, port)` makes a sockaddr. `// → x` says what a line's value is.
 */

import { promised } from './promised.ts';

export * from '../abi/index.ts';
export type {
  Answer,
  ConditionFunction,
  FLOWSPEC,
  QOS,
  Ref,
  RIO_BUF,
  RIO_NOTIFICATION_COMPLETION,
  RIORESULT,
  TRANSMIT_FILE_BUFFERS,
  TRANSMIT_PACKETS_ELEMENT,
  TransmitSource,
  WSABUF,
  WSAMSG,
  WSAOVERLAPPED,
  WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSAPOLLFD,
} from '../spi/index.ts';
export type { BlockingHook, OVERLAPPED_ENTRY } from '../winsock/index.ts';
export {
  __WSAFDIsSet,
  HasOverlappedIoCompleted,
  htond,
  htonf,
  htonl,
  htonll,
  htons,
  inet_addr,
  inet_ntoa,
  MAKEWORD,
  ntohd,
  ntohf,
  ntohl,
  ntohll,
  ntohs,
  WinsockError,
} from '../winsock/index.ts';
export { inet_ntop, inet_ntop as InetNtopW, inet_pton, inet_pton as InetPtonW } from './address-text.ts';
export * from './async/connection.ts';
export * from './async/data.ts';
export * from './async/options.ts';
export * from './async/sockets.ts';
export * from './async/startup.ts';
export * from './async/waiting.ts';
export * from './async-names.ts';
export * from './async-overlapped.ts';
export * from './async-windows.ts';
export { attachedTo, attachTo } from './process-winsock.ts';
export { type AsyncWinsock, asyncWinsock, type StructureCalls } from './promised.ts';

/** How an overlapped operation ended. @returns 1 */
export const WSAGetOverlappedResult = promised('WSAGetOverlappedResult');
/** Reads the bound that the user has put to IP packets. */
export const WSAGetIPUserMtu = promised('WSAGetIPUserMtu');
/** Sets the bound of IP packets. */
export const WSASetIPUserMtu = promised('WSASetIPUserMtu');
/** Whether receives tell the ECN field. */
export const WSAGetRecvIPEcn = promised('WSAGetRecvIPEcn');
/** Has receives tell the ECN field. */
export const WSASetRecvIPEcn = promised('WSASetRecvIPEcn');
/** Whether an ICMP error ends a connect. */
export const WSAGetFailConnectOnIcmpError = promised('WSAGetFailConnectOnIcmpError');
/** Has an ICMP error end a connect. */
export const WSASetFailConnectOnIcmpError = promised('WSASetFailConnectOnIcmpError');
/** Reads what ICMP said since the last connect. */
export const WSAGetIcmpErrorInfo = promised('WSAGetIcmpErrorInfo');
/** Reads up to how many bytes datagrams are received together. */
export const WSAGetUdpRecvMaxCoalescedSize = promised('WSAGetUdpRecvMaxCoalescedSize');
/** Sets up to how many bytes datagrams are received together. */
export const WSASetUdpRecvMaxCoalescedSize = promised('WSASetUdpRecvMaxCoalescedSize');
/** Reads into datagrams of which size a send is cut. */
export const WSAGetUdpSendMessageSize = promised('WSAGetUdpSendMessageSize');
/** Sets into datagrams of which size a send is cut. */
export const WSASetUdpSendMessageSize = promised('WSASetUdpSendMessageSize');
/** The index of the interface of that name. @returns 0 when there is none */
export const if_nametoindex = promised('if_nametoindex');
/** Writes the name of an interface. @returns 1, or 0 when there is none */
export const if_indextoname = promised('if_indextoname');
/** Sets from whom a socket hears an IPv4 group. */
export const setipv4sourcefilter = promised('setipv4sourcefilter');
/** Reads from whom a socket hears an IPv4 group. */
export const getipv4sourcefilter = promised('getipv4sourcefilter');
/** Sets from whom a socket hears a group. */
export const setsourcefilter = promised('setsourcefilter');
/** Reads from whom a socket hears a group. */
export const getsourcefilter = promised('getsourcefilter');
/** To the byte order of a socket's protocol. */
export const WSAHtonl = promised('WSAHtonl');
/** To the byte order of a socket's protocol. */
export const WSAHtons = promised('WSAHtons');
/** From the byte order of a socket's protocol. */
export const WSANtohl = promised('WSANtohl');
/** From the byte order of a socket's protocol. */
export const WSANtohs = promised('WSANtohs');
/** Writes an address as text. */
export const WSAAddressToString = promised('WSAAddressToString');
/** Reads an address from text. */
export const WSAStringToAddress = promised('WSAStringToAddress');
/** Lists the catalog's entries. @returns how many */
export const WSAEnumProtocols = promised('WSAEnumProtocols');
/** Reads a template of quality of service: there are none. */
export const WSAGetQOSByName = promised('WSAGetQOSByName');
/** IPsec is not carried. */
export const WSASetSocketSecurity = promised('WSASetSocketSecurity');
/** IPsec is not carried. */
export const WSAQuerySocketSecurity = promised('WSAQuerySocketSecurity');
/** IPsec is not carried. */
export const WSASetSocketPeerTargetName = promised('WSASetSocketPeerTargetName');
/** IPsec is not carried. */
export const WSADeleteSocketPeerTargetName = promised('WSADeleteSocketPeerTargetName');
/** Has no effect: there is no wireless adapter. @returns 0 */
export const SetSocketMediaStreamingMode = promised('SetSocketMediaStreamingMode');
/** There is nobody to impersonate. */
export const WSAImpersonateSocketPeer = promised('WSAImpersonateSocketPeer');
/** Nobody was impersonated. */
export const WSARevertImpersonation = promised('WSARevertImpersonation');
/** Has a socket's network events posted to a window. */
export const WSAAsyncSelect = promised('WSAAsyncSelect');
/** The narrow and wide names of what is the same here: text is text. */
export {
  WSAAddressToString as WSAAddressToStringA,
  WSAAddressToString as WSAAddressToStringW,
  WSAStringToAddress as WSAStringToAddressA,
  WSAStringToAddress as WSAStringToAddressW,
};
