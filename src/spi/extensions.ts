/**
 * The extension functions of Microsoft's providers, as a caller of their pointers sees them (section 2.4). Types only.
 *
 * Each answers as all calls do: 1 (TRUE) or 0 when it succeeded, minus a code otherwise. Minus WSA_IO_PENDING, which is also
 * ERROR_IO_PENDING: it has begun.
 */

import type {
  Answer,
  Ref,
  RIO_BUF,
  RIO_NOTIFICATION_COMPLETION,
  RIORESULT,
  TRANSMIT_FILE_BUFFERS,
  TRANSMIT_PACKETS_ELEMENT,
  TransmitSource,
  WSAMSG,
  WSAOVERLAPPED,
  WSAOVERLAPPED_COMPLETION_ROUTINE,
  WSAPOLLFD,
} from './types.ts';

export interface ExtensionFunctions {
  /** Gives the next connection of `sListen` to the unused socket `sAccept`, with its first data and both names. */
  AcceptEx(
    sListen: number,
    sAccept: number,
    lpOutputBuffer: Uint8Array | null,
    dwReceiveDataLength: number,
    dwLocalAddressLength: number,
    dwRemoteAddressLength: number,
    lpdwBytesReceived: Ref | null,
    lpOverlapped: WSAOVERLAPPED | null,
  ): Answer;
  /** Finds the names in AcceptEx's buffer; they are views of it. */
  GetAcceptExSockaddrs(
    lpOutputBuffer: Uint8Array | null,
    dwReceiveDataLength: number,
    dwLocalAddressLength: number,
    dwRemoteAddressLength: number,
    LocalSockaddr: Ref<Uint8Array | null> | null,
    LocalSockaddrLength: Ref | null,
    RemoteSockaddr: Ref<Uint8Array | null> | null,
    RemoteSockaddrLength: Ref | null,
  ): Answer;
  /** Connects a bound socket, and sends the first data. */
  ConnectEx(
    s: number,
    name: Uint8Array | null,
    namelen: number,
    lpSendBuffer: Uint8Array | null,
    dwSendDataLength: number,
    lpdwBytesSent: Ref | null,
    lpOverlapped: WSAOVERLAPPED | null,
  ): Answer;
  /** Ends the sending direction; with TF_REUSE_SOCKET the socket can be used again when it is done. */
  DisconnectEx(s: number, lpOverlapped: WSAOVERLAPPED | null, dwFlags: number, dwReserved: number): Answer;
  /** Sends a file, with data around it. */
  TransmitFile(
    hSocket: number,
    hFile: TransmitSource | null,
    nNumberOfBytesToWrite: number,
    nNumberOfBytesPerSend: number,
    lpOverlapped: WSAOVERLAPPED | null,
    lpTransmitBuffers: TRANSMIT_FILE_BUFFERS | null,
    dwFlags: number,
  ): Answer;
  /** Sends pieces of memory and of files; on a datagram socket up to each TP_ELEMENT_EOP as one message. */
  TransmitPackets(
    hSocket: number,
    lpPacketArray: readonly TRANSMIT_PACKETS_ELEMENT[] | null,
    nElementCount: number,
    nSendSize: number,
    lpOverlapped: WSAOVERLAPPED | null,
    dwFlags: number,
  ): Answer;
  /** Receives a message with its control data. */
  WSARecvMsg(
    s: number,
    lpMsg: WSAMSG | null,
    lpdwNumberOfBytesRecvd: Ref | null,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  ): Answer;
  /** Sends a message with control data. */
  WSASendMsg(
    s: number,
    lpMsg: WSAMSG | null,
    dwFlags: number,
    lpNumberOfBytesSent: Ref | null,
    lpOverlapped: WSAOVERLAPPED | null,
    lpCompletionRoutine: WSAOVERLAPPED_COMPLETION_ROUTINE | null,
  ): Answer;
  /** As the export of that name. */
  WSAPoll(fdArray: WSAPOLLFD[] | null, fds: number, timeout: number): Answer;
}

/** The table of registered I/O, in its order. Handles of queues and buffers are numbers; contexts are whatever they are. */
export interface RioFunctions {
  RIOReceive(
    SocketQueue: number,
    pData: RIO_BUF | null,
    DataBufferCount: number,
    Flags: number,
    RequestContext: unknown,
  ): Answer;
  RIOReceiveEx(
    SocketQueue: number,
    pData: RIO_BUF | null,
    DataBufferCount: number,
    pLocalAddress: RIO_BUF | null,
    pRemoteAddress: RIO_BUF | null,
    pControlContext: RIO_BUF | null,
    pFlags: RIO_BUF | null,
    Flags: number,
    RequestContext: unknown,
  ): Answer;
  RIOSend(
    SocketQueue: number,
    pData: RIO_BUF | null,
    DataBufferCount: number,
    Flags: number,
    RequestContext: unknown,
  ): Answer;
  RIOSendEx(
    SocketQueue: number,
    pData: RIO_BUF | null,
    DataBufferCount: number,
    pLocalAddress: RIO_BUF | null,
    pRemoteAddress: RIO_BUF | null,
    pControlContext: RIO_BUF | null,
    pFlags: RIO_BUF | null,
    Flags: number,
    RequestContext: unknown,
  ): Answer;
  RIOCloseCompletionQueue(CQ: number): Answer;
  /** @returns the queue */
  RIOCreateCompletionQueue(
    QueueSize: number,
    NotificationCompletion: RIO_NOTIFICATION_COMPLETION | null,
  ): Answer;
  /** @returns the queue */
  RIOCreateRequestQueue(
    Socket: number,
    MaxOutstandingReceive: number,
    MaxReceiveDataBuffers: number,
    MaxOutstandingSend: number,
    MaxSendDataBuffers: number,
    ReceiveCQ: number,
    SendCQ: number,
    SocketContext: unknown,
  ): Answer;
  /** Takes completions into `results`, which is emptied before. @returns how many, or RIO_CORRUPT_CQ */
  RIODequeueCompletion(CQ: number, results: RIORESULT[] | null, ArraySize: number): Answer;
  RIODeregisterBuffer(BufferId: number): Answer;
  /** Has the queue tell, once, that it has something. */
  RIONotify(CQ: number): Answer;
  /** @returns the buffer's id */
  RIORegisterBuffer(DataBuffer: Uint8Array | null, DataLength: number): Answer;
  RIOResizeCompletionQueue(CQ: number, QueueSize: number): Answer;
  RIOResizeRequestQueue(RQ: number, MaxOutstandingReceive: number, MaxOutstandingSend: number): Answer;
}
