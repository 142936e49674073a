/**
 * The numbers of the IPC protocol. `docs/ipc.md` says what they mean on the wire; this file is their one place in code.
 */

/** First field of HELLO and WELCOME: the bytes `W S K D`. */
export const IPC_MAGIC = 0x444b5357;

/** The versions that this code speaks. A minor addition is a capability bit, not a version. */
export const IPC_VERSION_MIN = 1;
export const IPC_VERSION_MAX = 1;

/** Bytes of the header that starts every message. */
export const HEADER_LEN = 16;

/** Longest head (structured part) of a message; a receiver refuses more. */
export const HEAD_LEN_MAX = 512;

/** Longest socket address in a message: SOCKADDR_STORAGE. */
export const ADDRESS_LEN_MAX = 128;

/** What any receiver must take: no side may announce a smaller `maxMessage` or window. */
export const MIN_MAX_MESSAGE = 4096;

/** HELLO and GOODBYE are no longer than this, whatever the limits. */
export const GREETING_LEN_MAX = 1024;

/** A window that never runs out: its owner grants no credit. */
export const UNLIMITED = 0xffff_ffff;

/** Kinds of message. 0x20 … 0x2f are kept for the data plane of shared-memory rings. */
export const MessageType = {
  /** Client → server, first message. */
  hello: 0x01,
  /** Server → client, answers HELLO. */
  welcome: 0x02,
  /** Both ways: the last message of a side, with the reason. */
  goodbye: 0x03,
  /** Both ways: the sender may send so many bytes more. */
  credit: 0x04,
  /** Client → server: an operation. */
  request: 0x10,
  /** Both ways: more bytes of the request or completion with this id. */
  data: 0x11,
  /** Server → client: how an operation ended. */
  completion: 0x12,
  /** Client → server: end this request early. */
  cancel: 0x13,
  /** Server → client: this overlapped request pends. */
  pending: 0x14,
  /** Server → client: what is wanted of the calls of its process. */
  watch: 0x15,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/**
 * Operations beside those of the sockets (`AfdOp`): questions about names. What their fields mean is in `docs/ipc.md`, what they do at
 * `NamePort`.
 */
export const NameOp = {
  resolve: 64,
  reverse: 65,
  host: 66,
  register: 67,
  deregister: 68,
  rename: 69,
  announce: 80,
  withdraw: 81,
  nextCall: 82,
  answerCall: 83,
  callProvider: 84,
} as const;
export type NameOp = (typeof NameOp)[keyof typeof NameOp];

/** And those about the provider catalog: what they do at `CatalogPort`. */
export const CatalogOp = {
  read: 72,
  apply: 73,
  history: 74,
  watch: 75,
} as const;
export type CatalogOp = (typeof CatalogOp)[keyof typeof CatalogOp];

/** And the one that tells of the process's calls, to who watches it: `WatchPort`. */
export const WatchOp = {
  report: 88,
} as const;
export type WatchOp = (typeof WatchOp)[keyof typeof WatchOp];

/** Bits of a REQUEST's message flags. */
export const REQUEST_HAS_DATA = 1;
export const REQUEST_HAS_INTO = 2;

/** Bits of a COMPLETION's message flags: the bytes belong into the request's `into`, or are its `data`. */
export const COMPLETION_HAS_DATA = 1;
export const COMPLETION_HAS_INTO = 2;

/** Capability bits of the handshake. */
export const Capability = {
  /** Bulk data of a stream socket moves in shared-memory rings. Not spoken yet. */
  sharedRings: 1,
  /** The session stands for another process than the one that has connected, which HELLO names. */
  onBehalf: 2,
  /** The client tells of its process's calls when it is asked to, by WATCH. */
  watched: 4,
} as const;

/** Why a side says GOODBYE. */
export const GoodbyeReason = {
  /** The session is over, nothing is wrong. */
  normal: 0,
  shuttingDown: 1,
  /** The first bytes are not this protocol. */
  badMagic: 2,
  /** No version is spoken by both. */
  unsupportedVersion: 3,
  /** A length, an id or a field contradicts the protocol. */
  malformed: 4,
  /** A message type that is unknown, or not allowed now. */
  unexpectedMessage: 5,
  /** More bytes than were granted. */
  creditExceeded: 6,
  tooManyClients: 7,
  /** The socket's owner does not serve this user. */
  notAllowed: 8,
  /** No HELLO in time. */
  handshakeTimeout: 9,
  /** A bug of the side that says so. */
  internalError: 10,
} as const;
export type GoodbyeReason = (typeof GoodbyeReason)[keyof typeof GoodbyeReason];

/** What a server takes from one client and holds for it. Stated in WELCOME. */
export interface IpcLimits {
  /** Longest message that the server takes, bytes. */
  readonly maxMessage: number;
  /** Bytes of counted messages that a client may send ahead of the server's credit. At least `maxMessage`. */
  readonly window: number;
  /** Most bytes of `data` or `into` of one request. */
  readonly maxTransfer: number;
  /** Most requests that pend. */
  readonly maxPending: number;
  /** Most descriptors. */
  readonly maxSockets: number;
  /** Most bytes that all pending requests and unread answers of the client hold in the server. */
  readonly maxQueuedBytes: number;
}

/** The limits of a server that is given none. */
export const DEFAULT_LIMITS: IpcLimits = {
  maxMessage: 256 * 1024,
  window: 1024 * 1024,
  maxTransfer: 4 * 1024 * 1024,
  maxPending: 16_384,
  maxSockets: 16_384,
  maxQueuedBytes: 256 * 1024 * 1024,
};

/** A message that breaks the protocol: the connection ends with this GOODBYE. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly reason: GoodbyeReason;

  constructor(reason: GoodbyeReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** @throws {ProtocolError} `malformed`, when `condition` is false. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new ProtocolError(GoodbyeReason.malformed, message);
}
