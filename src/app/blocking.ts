/**
 * `winsockd/winsock`: the Winsock API under Microsoft's names, with calls that block the thread as C's do.
 *
 * A call returns what C returns; after a failure (SOCKET_ERROR, INVALID_SOCKET, FALSE) {@link WSAGetLastError} says why, for
 * this thread alone. Handles belong to the process: all its threads may use them, in blocking calls at the same time. The calls
 * themselves are made by one other thread, the chain thread, which is started with the first one and never keeps the process
 * alive. Load this module in the main thread, so that all threads share one.
 *
 *     WSAStartup(MAKEWORD(2, 2), data);
 *     const s = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
 *     if (connect(s, sockaddrOf('10.0.0.2', 80)) === SOCKET_ERROR) console.error(WSAGetLastError());
 *
 * Parameters are the documented ones; `spi/types` says how C's pointers look, and trailing lengths may be left out. How
 * overlapped records and their buffers are filled is said in `blocking-overlapped`.
 */

import { type MSG, SOCKET_ERROR } from '../abi/index.ts';
import type { Ref } from '../spi/index.ts';
import { inet_ntop as ntop, inet_pton as pton } from '../winsock/index.ts';
import {
  type BlockingCall,
  blocking,
  call,
  callIndex,
  chainClient,
  WSASetLastError,
} from './blocking-call.ts';
import { Callback } from './callbacks.ts';
import { type WindowProcedure, WindowProcedures } from './window-procedures.ts';

export * from '../abi/index.ts';
export type {
  Answer,
  ConditionFunction,
  NSPV2_ROUTINE,
  Ref,
  RIO_BUF,
  RIO_NOTIFICATION_COMPLETION,
  RIORESULT,
  TRANSMIT_FILE_BUFFERS,
  TRANSMIT_PACKETS_ELEMENT,
  TransmitSource,
  WSABUF,
  WSACOMPLETION,
  WSAMSG,
  WSAOVERLAPPED,
  WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSAPOLLFD,
} from '../spi/index.ts';
export { defineNameSpace } from '../spi/index.ts';
export type { OVERLAPPED_ENTRY } from '../winsock/index.ts';
export {
  __WSAFDIsSet,
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
} from '../winsock/index.ts';
export {
  attachTo,
  type BlockingAttachOptions,
  type BlockingCall,
  WSAGetLastError,
  WSASetLastError,
} from './blocking-call.ts';
export * from './blocking-config.ts';
export * from './blocking-names.ts';
export * from './blocking-overlapped.ts';
export * from './blocking-rio.ts';
export {
  WSAAdvertiseProvider,
  WSAProviderCompleteAsyncCall,
  WSAUnadvertiseProvider,
} from './blocking-spaces.ts';
export type { WindowProcedure } from './window-procedures.ts';

const STARTUP = callIndex('WSAStartup');

/**
 * Reads a strict numeric address into `pAddrBuf`.
 * @returns 1, 0 when the text is no address, −1 for another family or a short buffer
 */
export function inet_pton(Family: number, pszAddrString: string, pAddrBuf: Uint8Array): number {
  const answer = pton(Family, pszAddrString, pAddrBuf);
  WSASetLastError(answer < 0 ? -answer : 0);
  return Math.max(answer, -1);
}

/** The text of a 4- or 16-byte address; `null` for another family or too little room (in characters, with a closing zero). */
export function inet_ntop(Family: number, pAddr: Uint8Array, StringBufSize = 65): string | null {
  const text: Ref<string> = { value: '' };
  const answer = ntop(Family, pAddr, text, StringBufSize);
  WSASetLastError(answer < 0 ? -answer : 0);
  return answer < 0 ? null : text.value;
}

const SET_HOOK = callIndex('WSASetBlockingHook');
const UNHOOK = callIndex('WSAUnhookBlockingHook');
let blockingHook: () => boolean = defaultHook;

/** The hook that a thread has until it sets one: it has nothing to do. */
function defaultHook(): boolean {
  return false;
}

/**
 * Sets the function that runs in this thread while its blocking calls wait (SEM-W11-02); it may make no Winsock call but
 * WSAIsBlocking and WSACancelBlockingCall. For processes of 1.1.
 * @returns the hook before; `null` when it failed
 */
export function WSASetBlockingHook(lpBlockFunc: (() => boolean) | null): (() => boolean) | null {
  const answer = lpBlockFunc === defaultHook ? call(UNHOOK, []) : call(SET_HOOK, [lpBlockFunc]);
  WSASetLastError(answer < 0 ? -answer : 0);
  if (answer < 0 || lpBlockFunc === null) return null;
  const previous = blockingHook;
  blockingHook = lpBlockFunc;
  chainClient().handlers.set(Callback.blockingHook, () => (blockingHook() ? 1 : 0));
  return previous;
}

/** Goes back to the default hook, for processes of 1.1. */
export function WSAUnhookBlockingHook(): number {
  const answer = call(UNHOOK, []);
  WSASetLastError(answer < 0 ? -answer : 0);
  if (answer === 0) blockingHook = defaultHook;
  return answer < 0 ? SOCKET_ERROR : answer;
}

const procedures = new WindowProcedures();
const CREATE_WINDOW = callIndex('CreateWindow');
const DESTROY_WINDOW = callIndex('DestroyWindow');

/** A window of this thread, for messages; its procedure runs in DispatchMessage. @returns its handle */
export function CreateWindow(lpfnWndProc: WindowProcedure | null = null): number {
  const answer = call(CREATE_WINDOW, []);
  WSASetLastError(answer < 0 ? -answer : 0);
  if (answer > 0 && lpfnWndProc !== null) procedures.add(answer, lpfnWndProc);
  return Math.max(answer, 0);
}

/** Ends a window of this thread; its procedure is told WM_DESTROY. @returns 1, or 0 when it failed */
export function DestroyWindow(hWnd: number): number {
  const answer = call(DESTROY_WINDOW, [hWnd]);
  WSASetLastError(answer < 0 ? -answer : 0);
  if (answer > 0) procedures.remove(hWnd);
  return Math.max(answer, 0);
}

/** Hands a message to the procedure of its window. @returns what that answers */
export function DispatchMessage(lpMsg: MSG): number {
  return procedures.dispatch(lpMsg);
}

/** Makes characters of keys, of which there are none here: for loops that are written with it. @returns 0 */
export function TranslateMessage(_lpMsg: MSG): number {
  return 0;
}

/** Begins the use of Winsock. @returns 0 or the error itself, which WSAGetLastError does not know (SEM-VER-12) */
export const WSAStartup: BlockingCall<'WSAStartup'> = (...args) => {
  const answer = call(STARTUP, args);
  return answer === 0 ? 0 : -answer;
};
/** Undoes one `WSAStartup`; the last one closes everything. */
export const WSACleanup = blocking('WSACleanup');
/** Creates a socket. @returns the SOCKET */
export const socket = blocking('socket');
/** Creates a socket from a catalog entry, or opens a duplicated one. @returns the SOCKET */
export const WSASocket = blocking('WSASocket');
/** Closes a socket, as SO_LINGER says. */
export const closesocket = blocking('closesocket');
/** Makes the entry with which another process opens the same socket once. */
export const WSADuplicateSocket = blocking('WSADuplicateSocket');
/** Gives a socket its local address. */
export const bind = blocking('bind');
/** Makes a bound stream socket wait for connections. */
export const listen = blocking('listen');
/** Takes the oldest waiting connection. @returns its SOCKET */
export const accept = blocking('accept');
/** As `accept`, once a condition function agrees. @returns the SOCKET */
export const WSAAccept = blocking('WSAAccept');
/** Connects a stream, or names a datagram socket's peer. */
export const connect = blocking('connect');
/** As `connect`, with connect data and quality of service, which no IP provider has. */
export const WSAConnect = blocking('WSAConnect');
/** Connects a stream to the first address of a name that takes it. @returns 1 */
export const WSAConnectByName = blocking('WSAConnectByName');
/** Connects a stream to the first of several addresses that takes it. @returns 1 */
export const WSAConnectByList = blocking('WSAConnectByList');
/** Joins a multipoint session. @returns the leaf's SOCKET */
export const WSAJoinLeaf = blocking('WSAJoinLeaf');
/** Ends one or both directions of a socket. */
export const shutdown = blocking('shutdown');
/** `shutdown(SD_SEND)`. */
export const WSASendDisconnect = blocking('WSASendDisconnect');
/** `shutdown(SD_RECEIVE)`. */
export const WSARecvDisconnect = blocking('WSARecvDisconnect');
/** The local address. */
export const getsockname = blocking('getsockname');
/** The peer's address. */
export const getpeername = blocking('getpeername');
/** Sends on a connected socket. @returns the bytes taken */
export const send = blocking('send');
/** Sends to an address. @returns the bytes taken */
export const sendto = blocking('sendto');
/** Receives what there is. @returns bytes; 0 at the end of the stream */
export const recv = blocking('recv');
/** Receives, and says from whom. @returns bytes */
export const recvfrom = blocking('recvfrom');
/** As `recv`; a message that was cut is no failure. @returns bytes */
export const WSARecvEx = blocking('WSARecvEx');
/** Sends the bytes of several buffers as one message. */
export const WSASend = blocking('WSASend');
/** As `WSASend`, to an address. */
export const WSASendTo = blocking('WSASendTo');
/** Receives into several buffers. */
export const WSARecv = blocking('WSARecv');
/** As `WSARecv`, and says from whom. */
export const WSARecvFrom = blocking('WSARecvFrom');
/** Reads an option. */
export const getsockopt = blocking('getsockopt');
/** Sets an option. */
export const setsockopt = blocking('setsockopt');
/** FIONBIO, FIONREAD and SIOCATMARK. */
export const ioctlsocket = blocking('ioctlsocket');
/** Any control code. */
export const WSAIoctl = blocking('WSAIoctl');
/** Waits until a socket of the sets is ready. @returns how many entries are left in them */
export const select = blocking('select');
/** Waits until a socket has what it is asked for. @returns how many have */
export const WSAPoll = blocking('WSAPoll');
/** A manual-reset event object. @returns its handle */
export const WSACreateEvent = blocking('WSACreateEvent');
/** Signals an event object. @returns 1 */
export const WSASetEvent = blocking('WSASetEvent');
/** Takes the signal back. @returns 1 */
export const WSAResetEvent = blocking('WSAResetEvent');
/** Closes an event object. @returns 1 */
export const WSACloseEvent = blocking('WSACloseEvent');
/** Has a socket's network events announced by an event object. */
export const WSAEventSelect = blocking('WSAEventSelect');
/** Takes a socket's recorded network events. */
export const WSAEnumNetworkEvents = blocking('WSAEnumNetworkEvents');
/** Waits for event objects. @returns the index, WSA_WAIT_TIMEOUT or WSA_WAIT_IO_COMPLETION */
export const WSAWaitForMultipleEvents = blocking('WSAWaitForMultipleEvents');
/** To the byte order of a socket's protocol. */
export const WSAHtonl = blocking('WSAHtonl');
/** To the byte order of a socket's protocol. */
export const WSAHtons = blocking('WSAHtons');
/** From the byte order of a socket's protocol. */
export const WSANtohl = blocking('WSANtohl');
/** From the byte order of a socket's protocol. */
export const WSANtohs = blocking('WSANtohs');
/** Writes an address as text. */
export const WSAAddressToString = blocking('WSAAddressToString');
/** Reads an address from text. */
export const WSAStringToAddress = blocking('WSAStringToAddress');
/** Whether a blocking call of this thread waits: true in its hook. For processes of 1.1. @returns 1 or 0 */
export const WSAIsBlocking = blocking('WSAIsBlocking');
/** Ends the blocking call that this thread waits in, from its hook: it fails with WSAEINTR. For processes of 1.1. */
export const WSACancelBlockingCall = blocking('WSACancelBlockingCall');
/** Has a socket's network events posted to a window. */
export const WSAAsyncSelect = blocking('WSAAsyncSelect');
/** Whether there is such a window. @returns 1 or 0 */
export const IsWindow = blocking('IsWindow');
/** Puts a message in the queue of a window's thread. @returns 1, or 0 when it failed */
export const PostMessage = blocking('PostMessage');
/** Has this thread's GetMessage answer 0 once its other messages are taken. */
export const PostQuitMessage = blocking('PostQuitMessage');
/** Waits for this thread's next message. @returns 1, 0 for WM_QUIT, −1 when it failed */
export const GetMessage = blocking('GetMessage');
/** Looks for a message without waiting. @returns 1, or 0 when there is none */
export const PeekMessage = blocking('PeekMessage');
/** The number of a named message. @returns 0xC000 … 0xFFFF */
export const RegisterWindowMessage = blocking('RegisterWindowMessage');
/** Reads the bound that the user has put to IP packets. */
export const WSAGetIPUserMtu = blocking('WSAGetIPUserMtu');
/** Sets the bound of IP packets. */
export const WSASetIPUserMtu = blocking('WSASetIPUserMtu');
/** Whether receives tell the ECN field. */
export const WSAGetRecvIPEcn = blocking('WSAGetRecvIPEcn');
/** Has receives tell the ECN field. */
export const WSASetRecvIPEcn = blocking('WSASetRecvIPEcn');
/** Whether an ICMP error ends a connect. */
export const WSAGetFailConnectOnIcmpError = blocking('WSAGetFailConnectOnIcmpError');
/** Has an ICMP error end a connect. */
export const WSASetFailConnectOnIcmpError = blocking('WSASetFailConnectOnIcmpError');
/** Reads what ICMP said since the last connect. */
export const WSAGetIcmpErrorInfo = blocking('WSAGetIcmpErrorInfo');
/** Reads up to how many bytes datagrams are received together. */
export const WSAGetUdpRecvMaxCoalescedSize = blocking('WSAGetUdpRecvMaxCoalescedSize');
/** Sets up to how many bytes datagrams are received together. */
export const WSASetUdpRecvMaxCoalescedSize = blocking('WSASetUdpRecvMaxCoalescedSize');
/** Reads into datagrams of which size a send is cut. */
export const WSAGetUdpSendMessageSize = blocking('WSAGetUdpSendMessageSize');
/** Sets into datagrams of which size a send is cut. */
export const WSASetUdpSendMessageSize = blocking('WSASetUdpSendMessageSize');
/** The index of the interface of that name. @returns 0 when there is none */
export const if_nametoindex = blocking('if_nametoindex');
/** Writes the name of an interface. @returns 1, or 0 when there is none */
export const if_indextoname = blocking('if_indextoname');
/** Sets from whom a socket hears an IPv4 group. */
export const setipv4sourcefilter = blocking('setipv4sourcefilter');
/** Reads from whom a socket hears an IPv4 group. */
export const getipv4sourcefilter = blocking('getipv4sourcefilter');
/** Sets from whom a socket hears a group. */
export const setsourcefilter = blocking('setsourcefilter');
/** Reads from whom a socket hears a group. */
export const getsourcefilter = blocking('getsourcefilter');
/** Lists the catalog's entries. @returns how many */
export const WSAEnumProtocols = blocking('WSAEnumProtocols');
/** Reads a template of quality of service: there are none. */
export const WSAGetQOSByName = blocking('WSAGetQOSByName');
/** IPsec is not carried. */
export const WSASetSocketSecurity = blocking('WSASetSocketSecurity');
/** IPsec is not carried. */
export const WSAQuerySocketSecurity = blocking('WSAQuerySocketSecurity');
/** IPsec is not carried. */
export const WSASetSocketPeerTargetName = blocking('WSASetSocketPeerTargetName');
/** IPsec is not carried. */
export const WSADeleteSocketPeerTargetName = blocking('WSADeleteSocketPeerTargetName');
/** Has no effect: there is no wireless adapter. @returns 0 */
export const SetSocketMediaStreamingMode = blocking('SetSocketMediaStreamingMode');
/** There is nobody to impersonate. */
export const WSAImpersonateSocketPeer = blocking('WSAImpersonateSocketPeer');
/** Nobody was impersonated. */
export const WSARevertImpersonation = blocking('WSARevertImpersonation');
/** The narrow and wide names of what is the same here: text is text. */
export {
  inet_ntop as InetNtopW,
  inet_pton as InetPtonW,
  WSAAddressToString as WSAAddressToStringA,
  WSAAddressToString as WSAAddressToStringW,
  WSAStringToAddress as WSAStringToAddressA,
  WSAStringToAddress as WSAStringToAddressW,
};
