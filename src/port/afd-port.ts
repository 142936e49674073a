/**
 * AfdPort: how the code in an application reaches the sockets, wherever they live (same process, the daemon, a provider
 * host). Types only.
 *
 * A *session* is one application process. It holds *descriptors*; a descriptor refers to a counted *endpoint*, which lives
 * while any session holds one. Every operation is an {@link AfdRequest} that completes once, at once or later, and can be
 * cancelled. Errors are WSA codes. All state rules of a Winsock socket (what is legal when, with which error) are decided
 * on the other side of this port, once, for every language.
 *
 * One record fits all operations, so that the IPC protocol and a client in another language have one shape to carry. What
 * each field means for an operation is the table at {@link AfdOp}.
 */

/** Where the daemon serves applications unless told otherwise, and the variable that tells all programs started with it. */
export const DEFAULT_SOCKET_PATH = '/run/winsockd/winsockd.sock';
export const SOCKET_PATH_VARIABLE = 'WINSOCKD_SOCKET';

/**
 * Whose behaviour an application sees where versions of Windows differ: Windows 10/11, which is the default, or Windows Mobile 6.5.
 * The place in this list is its number in the IPC handshake.
 */
export const BEHAVIOR_PROFILES = ['windows', 'windows-mobile'] as const;
export type BehaviorProfile = (typeof BEHAVIOR_PROFILES)[number];

/**
 * The operations. In the table `flags`, `a`, `b`, `address`, `data`, `into` are the request's fields, and `value`,
 * `flags`, `address`, `data` those of the completion; fields that are not named are 0 or null.
 */
export const AfdOp = {
  /** `a` family, `b` type, `flags` protocol → `value` a new descriptor. */
  socket: 1,
  /** Drops the descriptor; the last one of an endpoint closes it. `flags` 1: abortive. May pend for SO_LINGER. */
  close: 2,
  /** `address` sockaddr. */
  bind: 3,
  /** `a` backlog. */
  listen: 4,
  /** `a`: 0, or the number of a caller of `acceptRequest` → `value` a new descriptor, `address` the peer's sockaddr. */
  accept: 5,
  /**
   * `address` sockaddr; pends until connected. Overlapped it is ConnectEx: the socket is bound, and `data` is sent first → `value`
   * bytes sent.
   */
  connect: 6,
  /**
   * `data`, `flags` MSG_*, `address` of the destination or null → `value` bytes taken. A stream ignores `address`. Without leave to
   * wait, a stream takes all of `data` when it has room for any of it (SEM-IO-01). `a`: so many bytes at the start of `data` are
   * control data and no part of the message (WSASendMsg; WSACMSGHDRs as 64-bit Windows lays them out).
   */
  send: 7,
  /**
   * `into` (its length is what is wanted), `flags` MSG_* → `value` bytes, `flags` MSG_* out, `address` source. A message that was
   * cut fails with WSAEMSGSIZE and has `value`, `flags` and `address` all the same (SEM-IO-03). `a`: so many bytes at the start of
   * `into` are for control data (WSARecvMsg): its length as an i32, then the data; the message lies behind, and `flags` are those of
   * a WSAMSG.
   */
  recv: 8,
  /** `a` SD_*. */
  shutdown: 9,
  /** → `address`. */
  getSockName: 10,
  getPeerName: 11,
  /** `a` level, `b` name, `into` → `value` length, bytes in `into`. */
  getOption: 12,
  /** `a` level, `b` name, `data`. */
  setOption: 13,
  /** `a` code, `data` in, `into` out → `value` bytes written to `into`. May pend (change notices). */
  ioctl: 14,
  /**
   * The AFD poll: `data` holds entries {descriptor i32, events i32} (AfdPollEvent bits), `a` timeout in ms (-1: none).
   * Completes when any is true → `value` entries, `into` entries {descriptor, events, error} that are true; none at the
   * time-out. `error` is the code behind `abort` or `connectFail`. A descriptor that is not open is `localClose` with
   * WSAENOTSOCK, one that this session closes while the poll waits `localClose` with 0, asked for or not.
   */
  poll: 15,
  /**
   * `a` FD_* mask to record and signal (0 ends it), `b` 1: the registration is WSAAsyncSelect's, 0: WSAEventSelect's. Makes the
   * socket non-blocking, and ends requests that wait for events of the registration before.
   */
  eventSelect: 16,
  /**
   * Pends until a registered event is recorded that was not reported by this request before → `value` FD_* bits,
   * `into` ten i32 error codes by FD_*_BIT. Of a WSAAsyncSelect registration the report is the message: it comes again only after
   * the event's re-enabling call.
   */
  waitEvents: 17,
  /** → `value` recorded FD_* bits of the mask and clears them, `into` ten i32 error codes by FD_*_BIT. */
  enumEvents: 18,
  /** `a` process id that may open it → `data` a 16-byte token, usable once, within a minute, by that process of the same user. */
  duplicate: 19,
  /** `data` a token → `value` a new descriptor of the same endpoint, `flags` 1: it is bound. */
  open: 20,
  /**
   * Interfaces and their addresses, as SIO_GET_INTERFACE_LIST lays them out → `into`. `a` 1: `data` a name in UTF-8 → `value` the index of
   * that interface, 0: none; `a` 2: `b` an index → `into` the name, `value` its bytes. No descriptor.
   */
  interfaces: 21,
  /**
   * An echo request of the stack's own ICMP, beneath any provider. `address` the destination's sockaddr, and behind it the source's
   * when it matters; `a` timeout in ms, `b` TTL (0: the default), type of service << 8, flags << 16 (2: don't fragment), `data` IPv4
   * options (the first `flags` bytes) and the data → `address` who answered, `value` bytes of `into`: a head of 16 bytes {IP_STATUS i32,
   * round trip ms i32, TTL u8, 0, 0, length of options u8, length of data i32}, options, data. WSAETIMEDOUT when nothing comes
   * back. No descriptor.
   */
  echo: 22,
  /**
   * The oldest caller at a listener, for a session that will decide about it → `value` its number, `address` the peer's sockaddr,
   * `data` the one that it has called. It is out of everybody else's reach until `accept` or `refuse` names it. Pends as accept
   * does (SEM-COND-*).
   */
  acceptRequest: 23,
  /** `a` a caller's number, `b` 0: it is refused; 1: it waits on, ahead of all others. */
  refuse: 24,
  /**
   * Makes a message socket a leaf of an IP multicast session (SEM-MP-03). `address` the group, `a` JL_*: a sender's messages without a
   * destination go there, a receiver is a member. Binds when needed, and records FD_CONNECT.
   */
  joinLeaf: 25,
  /**
   * AcceptEx: the oldest connection of a listener becomes that of an unused socket. `a` that socket's descriptor, `into` room for the
   * first data (with any, it is done when that arrives), `b` 1: it fails with WSAEFAULT once somebody is there, who waits on →
   * `value` bytes of data, `address` the local sockaddr and behind it the peer's.
   */
  superAccept: 26,
  /** DisconnectEx. `a` 0: as shutdown(SD_SEND); TF_REUSE_SOCKET: done when the connection has ended, and the socket is as new. */
  disconnect: 27,
} as const;
export type AfdOp = (typeof AfdOp)[keyof typeof AfdOp];

/** Bytes before options and data in the `into` of {@link AfdOp.echo}. */
export const ECHO_HEAD_LEN = 16;

/** Added to a request's `flags`: an overlapped operation, which pends even on a non-blocking socket (SEM-BLK-06). */
export const AFD_OVERLAPPED = 0x4000_0000;
/** Added to a request's `flags`: answer at once with WSAEWOULDBLOCK rather than pend, whatever the socket's mode. */
export const AFD_NO_WAIT = 0x2000_0000;

/** What {@link AfdOp.poll} asks and answers, as Windows' AFD numbers it. */
export const AfdPollEvent = {
  receive: 0x1,
  receiveExpedited: 0x2,
  send: 0x4,
  /** The peer sent FIN. */
  disconnect: 0x8,
  /** The connection was reset or aborted. */
  abort: 0x10,
  /** The descriptor was closed here. */
  localClose: 0x20,
  /** Connected, and `send` is true. */
  connect: 0x40,
  accept: 0x80,
  /** A non-blocking connect failed, and none has succeeded since. */
  connectFail: 0x100,
} as const;

/**
 * One operation. Reference fields are the caller's and borrowed until the request completes; the object itself may be used anew as
 * soon as `submit` has returned.
 */
export interface AfdRequest {
  /** Chosen by the caller; unique among those that pend; 1 … 2³¹−1. */
  id: number;
  op: AfdOp;
  /** 0 for operations without a socket. */
  descriptor: number;
  flags: number;
  a: number;
  b: number;
  address: Uint8Array | null;
  data: Uint8Array | null;
  into: Uint8Array | null;
}

/**
 * How an operation ended. What it refers to is good until the next call on the port, or, handed to `onComplete`, until that returns:
 * who needs it longer copies it.
 */
export interface AfdCompletion {
  id: number;
  /** A WSA code; 0 when it succeeded. */
  error: number;
  value: number;
  flags: number;
  address: Uint8Array | null;
  /** Bytes that had no `into`; otherwise null. */
  data: Uint8Array | null;
}

/** A session's way to its sockets. */
export interface AfdPort {
  /** What the other side wants applications to see unless they choose for themselves; absent: 'windows'. */
  readonly profile?: BehaviorProfile;
  /**
   * Starts an operation.
   * @returns its completion when it ended at once (the object may be reused by the next call), or `null` when it pends:
   * then `onComplete` is called exactly once, never before `submit` has returned.
   */
  submit(request: AfdRequest): AfdCompletion | null;
  /**
   * Ends a pending operation early; it completes with WSA_OPERATION_ABORTED unless it was done already. A send or receive that has
   * moved bytes completes with their count instead, so that none is lost (SEM-OV-13).
   */
  cancel(id: number): void;
  /** Who takes the completions of what pended. Set once, before the first `submit`. */
  onComplete: (completion: AfdCompletion) => void;
  /**
   * Whether `submit` answers `null` before it is known what becomes of a request. Of an overlapped one `onPend` is told once it pends,
   * perhaps more than once; one that ends at once completes without that.
   */
  readonly announcesPending?: boolean;
  onPend?: (id: number) => void;
  /**
   * Adds to the number of pending requests that are not to keep the process alive. Only a port whose requests would has it; those
   * that end are taken off by whoever added them.
   */
  background?(delta: number): void;
  /** Ends the session: everything that pends completes with WSA_OPERATION_ABORTED, descriptors are closed. */
  close(): void;
}

/** Who an application is; from the kernel for a remote session. */
export interface PeerIdentity {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}
