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

/** An overlapped operation's record. The system's while the operation is under way; `hEvent` is the caller's. */
export interface WSAOVERLAPPED {
  Internal: number;
  InternalHigh: number;
  Offset: number;
  OffsetHigh: number;
  hEvent: number;
}

/** Called when an overlapped operation is done, in the thread that began it. */
export type WSAOVERLAPPED_COMPLETION_ROUTINE = (
  dwError: number,
  cbTransferred: number,
  lpOverlapped: WSAOVERLAPPED,
  dwFlags: number,
) => void;

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
