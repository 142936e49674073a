/**
 * The base provider's sockets by their SOCKET handle.
 */

import type { WSAPROTOCOL_INFO } from '../abi/index.ts';
import type { WSAOVERLAPPED } from './types.ts';

/** What a socket is made of. */
export interface Made {
  readonly info: WSAPROTOCOL_INFO;
  readonly type: number;
  readonly protocol: number;
  /** WSA_FLAG_* */
  readonly flags: number;
}

/** One socket: the handle that ws2_32 gave it, and the descriptor that the other side of the port knows it by. */
export class BaseSocket {
  readonly handle: number;
  readonly descriptor: number;
  /** The catalog entry that it was made from. */
  readonly info: WSAPROTOCOL_INFO;
  /** The triple that it was made with: explicit arguments win over the entry's members. */
  readonly type: number;
  readonly protocol: number;
  /** WSA_FLAG_* that it was made with: the descriptor's own, not the endpoint's (SEM-DUP-05). */
  readonly flags: number;
  /** The event registration, if there is one. */
  registration: Registration | null = null;
  /**
   * A duplicate of a socket that was not bound: as in Windows, this process does not see a bind that another makes
   * (SEM-DUP-06), until it names the socket itself.
   */
  isUnboundCopy = false;
  /** IP_HDRINCL was set: kept for the rules of `windows-mobile`. */
  isHeaderIncluded = false;
  /** The newest `PollList` that it was put in, and where. */
  pollRound = 0;
  pollPlace = 0;
  /** Id of its request for events that is under way, else 0. */
  watching = 0;

  /** Overlapped operations that are under way. */
  readonly operations = new Set<SocketOperation>();

  constructor(handle: number, descriptor: number, made: Made) {
    this.handle = handle;
    this.descriptor = descriptor;
    this.info = made.info;
    this.type = made.type;
    this.protocol = made.protocol;
    this.flags = made.flags;
  }
}

/** An overlapped operation, as a socket knows it. */
export interface SocketOperation {
  readonly lpOverlapped: WSAOVERLAPPED;
  /** The thread that began it. */
  readonly thread: number;
  /** Asks for its early end. */
  readonly cancel: () => void;
  /** Ends it with nobody told. */
  abandon(): void;
}

/** Where recorded network events of a socket are announced: an event object, or a window. */
export interface Registration {
  /** FD_* bits. */
  readonly mask: number;
  /** The event object; 0 when a window takes messages. */
  readonly hEvent: number;
  readonly hWnd: number;
  readonly wMsg: number;
}

/** Handles are multiples of 4, so a quarter of one is a dense index. */
export class BaseSockets {
  readonly #byIndex: (BaseSocket | undefined)[] = [];

  /** The socket, or `undefined` when the handle is none of this provider's. */
  get(handle: number): BaseSocket | undefined {
    const socket = this.#byIndex[handle >>> 2];
    // A handle with low bits set, or past 2^32, names nothing although its index does.
    return socket !== undefined && socket.handle === handle ? socket : undefined;
  }

  add(socket: BaseSocket): void {
    this.#byIndex[socket.handle >>> 2] = socket;
  }

  remove(socket: BaseSocket): void {
    if (this.get(socket.handle) === socket) this.#byIndex[socket.handle >>> 2] = undefined;
  }

  /** All of them, in the order of their handles. */
  *all(): IterableIterator<BaseSocket> {
    for (const socket of this.#byIndex) {
      if (socket !== undefined) yield socket;
    }
  }
}
