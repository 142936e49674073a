/**
 * The C types of the Winsock surface as TypeScript sees them: what is a pointer there is an object or a byte array here.
 *
 * | C | here |
 * |---|---|
 * | `SOCKET`, `WSAEVENT`, `HANDLE` | a number, as Windows gives them out: a multiple of 4, never 0 |
 * | `sockaddr*` with its length | `Uint8Array` with the bytes of the structure, and a number |
 * | `int*`, `DWORD*` that a call writes to | {@link Ref} |
 * | `WSABUF` | `Uint8Array`: its length is `len`, its bytes are `buf` |
 * | `NULL` | `null` |
 * | a call that would block a Windows thread | a promise of its answer |
 *
 * The small structures that calls fill in (`fd_set`, `TIMEVAL`, `WSANETWORKEVENTS`, `WSADATA`) are `abi`'s.
 *
 * Memory that C calls unreadable is a length that reaches past the array that came with it: WSAEFAULT.
 */

/**
 * What a call answers: 0 or more is its value (what C returns, or the byte count that C writes through a pointer), below 0
 * is minus the WSA code. A promise when a Windows thread would have blocked; it never rejects for a failed call.
 */
export type Answer = number | Promise<number>;

/** A place that a call reads from and writes to: `int *addrlen`, `LPDWORD lpFlags`. */
export interface Ref<T = number> {
  value: T;
}

/** One buffer of a scatter or gather list. */
export type WSABUF = Uint8Array;

/** What happened on a socket since it was last asked: FD_* bits, and an error code for each by FD_*_BIT. */
export interface WSANETWORKEVENTS {
  lNetworkEvents: number;
  iErrorCode: number[];
}

/** One socket of a `WSAPoll`. */
export interface WSAPOLLFD {
  fd: number;
  events: number;
  revents: number;
}

/**
 * An overlapped operation's record. The system's while the operation is under way; `hEvent` is the caller's, and its low bit keeps
 * the completion away from a completion port (SEM-OV-03).
 */
export interface WSAOVERLAPPED {
  /** An NTSTATUS: STATUS_PENDING while the operation is under way. */
  Internal: number;
  /** Bytes that were moved. */
  InternalHigh: number;
  /** Where in a file TransmitFile starts, low and high half; of a receive, its MSG_* flags when it is done. */
  Offset: number;
  OffsetHigh: number;
  hEvent: number;
  /** The application's own: a thread that collects what another one began gets a copy of the record with it. */
  Tag?: number;
}

/** Called when an overlapped operation is done, in the thread that began it. */
export type WSAOVERLAPPED_COMPLETION_ROUTINE = (
  dwError: number,
  cbTransferred: number,
  lpOverlapped: WSAOVERLAPPED,
  dwFlags: number,
) => void;

/** A message with its control data: WSASendMsg and WSARecvMsg. Members are written when a receive is done. */
export interface WSAMSG {
  /** The address: sent to, or room for where it came from. */
  name: Uint8Array | null;
  namelen: number;
  lpBuffers: readonly WSABUF[] | null;
  dwBufferCount: number;
  /** Control data (WSACMSGHDRs). */
  Control: WSABUF | null;
  /** `Control.len`: bytes of control data to be sent, or the room for it and then what is there. Absent: all of `Control`. */
  ControlLength?: number;
  /** MSG_*, in and out. */
  dwFlags: number;
}

/** A file to be sent: a descriptor of this process, something that has one (Node's FileHandle), or a path. */
export type TransmitSource = number | string | { readonly fd: number };

/** What TransmitFile sends around a file. */
export interface TRANSMIT_FILE_BUFFERS {
  Head: WSABUF | null;
  Tail: WSABUF | null;
}

/** One piece of TransmitPackets: memory, or a part of a file. */
export interface TRANSMIT_PACKETS_ELEMENT {
  /** TP_ELEMENT_*. */
  dwElFlags: number;
  /** Bytes; 0 of a file: up to its end. */
  cLength: number;
  pBuffer?: WSABUF | null;
  /** Where in the file; −1: where it stands. */
  nFileOffset?: number;
  hFile?: TransmitSource | null;
}

/** A part of a registered buffer. */
export interface RIO_BUF {
  BufferId: number;
  Offset: number;
  Length: number;
}

/** How a request of registered I/O ended. */
export interface RIORESULT {
  /** A WSA code. */
  Status: number;
  BytesTransferred: number;
  SocketContext: unknown;
  RequestContext: unknown;
}

/** How a completion queue tells that it has something: by an event object, or at a completion port. */
export type RIO_NOTIFICATION_COMPLETION =
  | { readonly Type: 1; readonly EventHandle: number; readonly NotifyReset: boolean }
  | {
      readonly Type: 2;
      readonly IocpHandle: number;
      readonly CompletionKey: number;
      readonly Overlapped: WSAOVERLAPPED;
    };

/** Names the thread that made an overlapped call, for `WPUQueueApc`. */
export interface WSATHREADID {
  ThreadHandle: number;
}

/** A flow's wishes. No provider here reserves bandwidth; layers may look at them. */
export interface FLOWSPEC {
  TokenRate: number;
  TokenBucketSize: number;
  PeakBandwidth: number;
  Latency: number;
  DelayVariation: number;
  ServiceType: number;
  MaxSduSize: number;
  MinimumPolicedSize: number;
}

/** Quality of service asked for a connection. */
export interface QOS {
  SendingFlowspec: FLOWSPEC;
  ReceivingFlowspec: FLOWSPEC;
  ProviderSpecific: WSABUF | null;
}

/**
 * Decides about a connection that waits to be accepted (SEM-COND-*). Caller and callee ids are sockaddrs. It may answer
 * later when it runs in another thread than the provider does.
 * @returns CF_ACCEPT, CF_REJECT or CF_DEFER; anything else fails the accept with WSAEINVAL
 */
export type ConditionFunction = (
  lpCallerId: WSABUF,
  lpCallerData: WSABUF | null,
  lpSQOS: QOS | null,
  lpGQOS: QOS | null,
  lpCalleeId: WSABUF,
  lpCalleeData: WSABUF | null,
  g: Ref,
  dwCallbackData: number,
) => Answer;
