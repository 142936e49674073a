/**
 * A transport service provider: the 30 entries of `WSPPROC_TABLE`, and the one function that gives them out.
 *
 * Names and parameters are the documented ones with three differences, which are the same for all entries: `lpErrno` and
 * the pointers to a byte count are gone, because the {@link Answer} carries both; `lpThreadId` stands only where an
 * overlapped call needs it; and what C passes as a pointer is passed as `types.ts` says. A layer that keeps the table of the
 * layer below therefore forwards a call by calling the same entry with the same arguments.
 *
 * A provider validates its own parameters (SPI-START-09) and never throws for them: a wrong pointer, length or handle is an
 * answer.
 */

import type { fd_set, TIMEVAL, WSANETWORKEVENTS, WSAPROTOCOL_INFO } from '../abi/index.ts';
import type {
  Answer,
  ConditionFunction,
  QOS,
  Ref,
  WSABUF,
  WSAOVERLAPPED,
  WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSATHREADID,
} from './types.ts';
import type { WSPUPCALLTABLE } from './upcalls.ts';

/** The calls of a provider, in the order of the C table. A layer above may hold a table whose entries are another's. */
export interface WSPPROC_TABLE {
  /** Serves `accept` and `WSAAccept`. Answers the new socket. */
  WSPAccept(
    s: number,
    addr: Uint8Array | null,
    addrlen: Ref | null,
    lpfnCondition: ConditionFunction | null,
    dwCallbackData: number,
  ): Answer;
  /** Writes the text of an address. `lpdwAddressStringLength` counts characters, with the closing zero of C. */
  WSPAddressToString(
    lpsaAddress: Uint8Array | null,
    dwAddressLength: number,
    lpProtocolInfo: WSAPROTOCOL_INFO | null,
    lpszAddressString: Ref<string> | null,
    lpdwAddressStringLength: Ref | null,
  ): Answer;
  WSPAsyncSelect(s: number, hWnd: number, wMsg: number, lEvent: number): Answer;
  WSPBind(s: number, name: Uint8Array | null, namelen: number): Answer;
  /** For the 1.1 rules only: ends the blocking call of the calling thread with WSAEINTR. */
  WSPCancelBlockingCall(): Answer;
  /** Undoes one `WSPStartup`; the last one closes every socket of the provider. */
  WSPCleanup(): Answer;
  WSPCloseSocket(s: number): Answer;
  /** Serves `connect` and `WSAConnect`. */
  WSPConnect(
    s: number,
    name: Uint8Array | null,
    namelen: number,
    lpCallerData: WSABUF | null,
    lpCalleeData: Ref<WSABUF> | null,
    lpSQOS: QOS | null,
    lpGQOS: QOS | null,
  ): Answer;
  /** Fills `lpProtocolInfo` with an entry that the process `dwProcessId` can open once with `WSPSocket`. */
  WSPDuplicateSocket(
    s: number,
    dwProcessId: number,
    lpProtocolInfo: Ref<WSAPROTOCOL_INFO | null> | null,
  ): Answer;
  WSPEnumNetworkEvents(s: number, hEventObject: number, lpNetworkEvents: WSANETWORKEVENTS | null): Answer;
  WSPEventSelect(s: number, hEventObject: number, lNetworkEvents: number): Answer;
  /** Answers the bytes of a finished operation, WSA_IO_INCOMPLETE, or its error. */
  WSPGetOverlappedResult(
    s: number,
    lpOverlapped: WSAOVERLAPPED | null,
    fWait: boolean,
    lpdwFlags: Ref | null,
  ): Answer;
  WSPGetPeerName(s: number, name: Uint8Array | null, namelen: Ref | null): Answer;
  WSPGetSockName(s: number, name: Uint8Array | null, namelen: Ref | null): Answer;
  WSPGetSockOpt(
    s: number,
    level: number,
    optname: number,
    optval: Uint8Array | null,
    optlen: Ref | null,
  ): Answer;
  /** Its place in the table is not the alphabetical one, in C neither. */
  WSPGetQOSByName(s: number, lpQOSName: WSABUF | null, lpQOS: QOS | null): Answer;
  /**
   * Serves `ioctlsocket` and `WSAIoctl`. Answers the bytes written to `lpvOutBuffer`. Of a result that did not fit `lpcbNeeded` takes
   * the bytes that it needs: all that is left of C's `lpcbBytesReturned`.
   */
  WSPIoctl(
    s: number,
    dwIoControlCode: number,
    lpvInBuffer: Uint8Array | null,
    cbInBuffer: number,
    lpvOutBuffer: Uint8Array | null,
    cbOutBuffer: number,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    lpThreadId: WSATHREADID | null,
    lpcbNeeded?: Ref | null,
  ): Answer;
  /** Answers the new socket. */
  WSPJoinLeaf(
    s: number,
    name: Uint8Array | null,
    namelen: number,
    lpCallerData: WSABUF | null,
    lpCalleeData: Ref<WSABUF> | null,
    lpSQOS: QOS | null,
    lpGQOS: QOS | null,
    dwFlags: number,
  ): Answer;
  WSPListen(s: number, backlog: number): Answer;
  /** Serves `recv` and `WSARecv`. Answers the bytes received; 0 at the end of a stream. */
  WSPRecv(
    s: number,
    lpBuffers: readonly WSABUF[] | null,
    dwBufferCount: number,
    lpFlags: Ref | null,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    lpThreadId: WSATHREADID | null,
  ): Answer;
  WSPRecvDisconnect(s: number, lpInboundDisconnectData: Ref<WSABUF> | null): Answer;
  /** Serves `recvfrom` and `WSARecvFrom`. */
  WSPRecvFrom(
    s: number,
    lpBuffers: readonly WSABUF[] | null,
    dwBufferCount: number,
    lpFlags: Ref | null,
    lpFrom: Uint8Array | null,
    lpFromlen: Ref | null,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    lpThreadId: WSATHREADID | null,
  ): Answer;
  /** Answers how many entries remain in the three sets together. All sockets are the provider's own. */
  WSPSelect(
    nfds: number,
    readfds: fd_set | null,
    writefds: fd_set | null,
    exceptfds: fd_set | null,
    timeout: TIMEVAL | null,
  ): Answer;
  /** Serves `send` and `WSASend`. Answers the bytes taken. */
  WSPSend(
    s: number,
    lpBuffers: readonly WSABUF[] | null,
    dwBufferCount: number,
    dwFlags: number,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    lpThreadId: WSATHREADID | null,
  ): Answer;
  WSPSendDisconnect(s: number, lpOutboundDisconnectData: WSABUF | null): Answer;
  /** Serves `sendto` and `WSASendTo`. */
  WSPSendTo(
    s: number,
    lpBuffers: readonly WSABUF[] | null,
    dwBufferCount: number,
    dwFlags: number,
    lpTo: Uint8Array | null,
    iTolen: number,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
    lpThreadId: WSATHREADID | null,
  ): Answer;
  WSPSetSockOpt(s: number, level: number, optname: number, optval: Uint8Array | null, optlen: number): Answer;
  WSPShutdown(s: number, how: number): Answer;
  /**
   * Serves `socket` and `WSASocket`; answers the new socket. `lpProtocolInfo` is always given, for a chain the chain's
   * entry; `af`, `type` and `protocol` that are 0 or FROM_PROTOCOL_INFO mean the member of it.
   */
  WSPSocket(
    af: number,
    type: number,
    protocol: number,
    lpProtocolInfo: WSAPROTOCOL_INFO,
    g: number,
    dwFlags: number,
  ): Answer;
  /** Reads an address with an optional port. `lpAddressLength` is the room in `lpAddress`, then what was used. */
  WSPStringToAddress(
    AddressString: string | null,
    AddressFamily: number,
    lpProtocolInfo: WSAPROTOCOL_INFO | null,
    lpAddress: Uint8Array | null,
    lpAddressLength: Ref | null,
  ): Answer;
}

/** The names of the table in its order; what a complete table is checked against (SPI-START-04). */
export const WSP_ENTRIES: readonly (keyof WSPPROC_TABLE)[] = [
  'WSPAccept',
  'WSPAddressToString',
  'WSPAsyncSelect',
  'WSPBind',
  'WSPCancelBlockingCall',
  'WSPCleanup',
  'WSPCloseSocket',
  'WSPConnect',
  'WSPDuplicateSocket',
  'WSPEnumNetworkEvents',
  'WSPEventSelect',
  'WSPGetOverlappedResult',
  'WSPGetPeerName',
  'WSPGetSockName',
  'WSPGetSockOpt',
  'WSPGetQOSByName',
  'WSPIoctl',
  'WSPJoinLeaf',
  'WSPListen',
  'WSPRecv',
  'WSPRecvDisconnect',
  'WSPRecvFrom',
  'WSPSelect',
  'WSPSend',
  'WSPSendDisconnect',
  'WSPSendTo',
  'WSPSetSockOpt',
  'WSPShutdown',
  'WSPSocket',
  'WSPStringToAddress',
];

/** What a provider says about itself. */
export interface WSPDATA {
  /** The version that both sides will use, and the highest that the provider knows: 0x0202 is 2.2. */
  wVersion: number;
  wHighVersion: number;
  szDescription: string;
}

/**
 * The one export of a provider. Called once for each protocol or chain of it that is used; each success needs one
 * `WSPCleanup`.
 * @param lpProtocolInfo which protocol or chain is started (SPI-START-06)
 * @param lpProcTable filled by the provider, every entry of it
 * @returns 0 or an error as a positive WSA code (SPI-START-02)
 */
export type WSPStartup = (
  wVersionRequested: number,
  lpWSPData: WSPDATA,
  lpProtocolInfo: WSAPROTOCOL_INFO,
  upcallTable: WSPUPCALLTABLE,
  lpProcTable: Partial<WSPPROC_TABLE>,
) => number;

/** SPI-START-04: whether all 30 entries are there. */
export function isCompleteTable(table: Partial<WSPPROC_TABLE>): table is WSPPROC_TABLE {
  return WSP_ENTRIES.every((name) => typeof table[name] === 'function');
}
