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
 */

import type { Ref } from '../spi/index.ts';
import { type BlockingHook, defaultBlockingHook } from '../winsock/index.ts';
import { processWinsock } from './process-winsock.ts';
import { type AsyncWinsock, promised } from './promised.ts';

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
export * from './async-names.ts';
export * from './async-overlapped.ts';
export * from './async-windows.ts';
export { attachedTo, attachTo } from './process-winsock.ts';
export { type AsyncWinsock, asyncWinsock, type StructureCalls } from './promised.ts';

/**
 * Sets the function that runs while a blocking call waits (SEM-W11-02); it may make no Winsock call but WSAIsBlocking and
 * WSACancelBlockingCall. For processes of 1.1.
 * @returns the hook before
 */
export async function WSASetBlockingHook(lpBlockFunc: BlockingHook | null): Promise<BlockingHook> {
  const previous: Ref<BlockingHook | null> = { value: null };
  await promised('WSASetBlockingHook')(lpBlockFunc, previous);
  return previous.value ?? defaultBlockingHook;
}

/** Begins the use of Winsock, and attaches to the sockets when this process was not yet. */
export const WSAStartup: AsyncWinsock['WSAStartup'] = async (...args) => {
  const winsock = await processWinsock();
  return promised('WSAStartup', () => winsock)(...args);
};
/** Undoes one `WSAStartup`; the last one closes everything. */
export const WSACleanup = promised('WSACleanup');
/** Creates a socket. @returns the SOCKET */
export const socket = promised('socket');
/** Creates a socket from a catalog entry, or opens a duplicated one. @returns the SOCKET */
export const WSASocket = promised('WSASocket');
/** Closes a socket, as SO_LINGER says. */
export const closesocket = promised('closesocket');
/** Makes the entry with which another process opens the same socket once. */
export const WSADuplicateSocket = promised('WSADuplicateSocket');
/** Gives a socket its local address. */
export const bind = promised('bind');
/** Makes a bound stream socket wait for connections. */
export const listen = promised('listen');
/** Takes the oldest waiting connection. @returns its SOCKET */
export const accept = promised('accept');
/** As `accept`, once a condition function agrees. @returns the SOCKET */
export const WSAAccept = promised('WSAAccept');
/** Connects a stream, or names a datagram socket's peer. */
export const connect = promised('connect');
/** As `connect`, with connect data and quality of service, which no IP provider has. */
export const WSAConnect = promised('WSAConnect');
/** Connects a stream to the first address of a name that takes it. @returns 1 */
export const WSAConnectByName = promised('WSAConnectByName');
/** Connects a stream to the first of several addresses that takes it. @returns 1 */
export const WSAConnectByList = promised('WSAConnectByList');
/** Joins a multipoint session. @returns the leaf's SOCKET */
export const WSAJoinLeaf = promised('WSAJoinLeaf');
/** Ends one or both directions of a socket. */
export const shutdown = promised('shutdown');
/** `shutdown(SD_SEND)`. */
export const WSASendDisconnect = promised('WSASendDisconnect');
/** `shutdown(SD_RECEIVE)`. */
export const WSARecvDisconnect = promised('WSARecvDisconnect');
/** The local address. */
export const getsockname = promised('getsockname');
/** The peer's address. */
export const getpeername = promised('getpeername');
/** Sends on a connected socket. @returns the bytes taken */
export const send = promised('send');
/** Sends to an address. @returns the bytes taken */
export const sendto = promised('sendto');
/** Receives what there is. @returns bytes; 0 at the end of the stream */
export const recv = promised('recv');
/** Receives, and says from whom. @returns bytes */
export const recvfrom = promised('recvfrom');
/** As `recv`; a message that was cut is no failure. @returns bytes */
export const WSARecvEx = promised('WSARecvEx');
/** Sends the bytes of several buffers as one message. */
export const WSASend = promised('WSASend');
/** As `WSASend`, to an address. */
export const WSASendTo = promised('WSASendTo');
/** Receives into several buffers. */
export const WSARecv = promised('WSARecv');
/** As `WSARecv`, and says from whom. */
export const WSARecvFrom = promised('WSARecvFrom');
/** How an overlapped operation ended. @returns 1 */
export const WSAGetOverlappedResult = promised('WSAGetOverlappedResult');
/** Reads an option. */
export const getsockopt = promised('getsockopt');
/** Sets an option. */
export const setsockopt = promised('setsockopt');
/** FIONBIO, FIONREAD and SIOCATMARK. */
export const ioctlsocket = promised('ioctlsocket');
/** Any control code. */
export const WSAIoctl = promised('WSAIoctl');
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
/** Waits until a socket of the sets is ready. @returns how many entries are left in them */
export const select = promised('select');
/** Waits until a socket has what it is asked for. @returns how many have */
export const WSAPoll = promised('WSAPoll');
/** A manual-reset event object. @returns its handle */
export const WSACreateEvent = promised('WSACreateEvent');
/** Signals an event object. @returns 1 */
export const WSASetEvent = promised('WSASetEvent');
/** Takes the signal back. @returns 1 */
export const WSAResetEvent = promised('WSAResetEvent');
/** Closes an event object. @returns 1 */
export const WSACloseEvent = promised('WSACloseEvent');
/** Has a socket's network events announced by an event object. */
export const WSAEventSelect = promised('WSAEventSelect');
/** Takes a socket's recorded network events. */
export const WSAEnumNetworkEvents = promised('WSAEnumNetworkEvents');
/** Waits for event objects. @returns the index, WSA_WAIT_TIMEOUT or WSA_WAIT_IO_COMPLETION */
export const WSAWaitForMultipleEvents = promised('WSAWaitForMultipleEvents');
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
/** Goes back to the default blocking hook. For processes of 1.1. */
export const WSAUnhookBlockingHook = promised('WSAUnhookBlockingHook');
/** Whether a blocking call waits. For processes of 1.1. @returns 1 or 0 */
export const WSAIsBlocking = promised('WSAIsBlocking');
/** Ends the blocking call that waits: it fails with WSAEINTR. For processes of 1.1. */
export const WSACancelBlockingCall = promised('WSACancelBlockingCall');
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
