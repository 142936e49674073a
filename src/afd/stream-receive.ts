/**
 * Receiving on a stream socket.
 */

import {
  FD_OOB,
  FD_READ,
  MSG_DONTROUTE,
  MSG_OOB,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_PUSH_IMMEDIATE,
  MSG_WAITALL,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, type AfdCompletion, AfdOp, type AfdRequest } from '../port/index.ts';
import { StackError } from '../stack/index.ts';
import { wsaOfBroken } from './error-map.ts';
import { PEND } from './request.ts';
import { SocketState, streamRule } from './socket-state.ts';
import type { StreamHost } from './stream-host.ts';

/** Flags that a receive takes. */
const KNOWN_FLAGS =
  MSG_OOB |
  MSG_PEEK |
  MSG_DONTROUTE |
  MSG_WAITALL |
  MSG_PUSH_IMMEDIATE |
  MSG_PARTIAL |
  AFD_OVERLAPPED |
  AFD_NO_WAIT;
/** Flags that exclude MSG_WAITALL (SEM-IO-05). */
const NOT_WITH_WAITALL = MSG_PEEK | MSG_OOB | MSG_PARTIAL;

export class StreamReceiver {
  readonly #stream: StreamHost;
  /** The receiving side is to be shut when the receives that pend are done (SEM-SHUT-07). */
  #isShutWanted = false;
  /** Bytes of the attempt that answered {@link PEND}. */
  #moved = 0;

  constructor(stream: StreamHost) {
    this.#stream = stream;
  }

  /** Plain bytes that a receive would get at once. */
  get readableBytes(): number {
    return this.#stream.endpoint.readableBytes;
  }

  /** Whether `recv(MSG_OOB)` would get a byte. */
  get isUrgentWaiting(): boolean {
    const { endpoint } = this.#stream;
    return !endpoint.urgentInline && endpoint.urgentCount > 0;
  }

  recv(request: AfdRequest, reply: AfdCompletion): number {
    const stream = this.#stream;
    const error = this.#check(request.flags);
    if (error !== 0) {
      if (stream.state === SocketState.connected) this.#reenable(); // SEM-EV-11
      return error;
    }
    if ((request.flags & MSG_OOB) !== 0) return this.#recvUrgent(request, reply);
    const into = request.into ?? EMPTY;
    const mustQueue = stream.receives.head !== null;
    if (into.length === 0 && (request.flags & AFD_OVERLAPPED) === 0) return 0; // SEM-IO-09
    const code = mustQueue ? PEND : this.#attempt(request.flags, into, 0);
    this.#reenable();
    if (!mustQueue) reply.value = this.#moved;
    if (code !== PEND) return code;
    return stream.mayWait(request.flags) ? PEND : WSAEWOULDBLOCK;
  }

  /** Bytes or the end of the stream arrived: serves the receives that pend, oldest first (SEM-OV-09). */
  arrived(): void {
    const stream = this.#stream;
    if (stream.state !== SocketState.connected) return;
    for (let request = stream.receives.head; request !== null; request = stream.receives.head) {
      const code = this.#attempt(request.flags, request.into ?? EMPTY, request.done);
      request.done = this.#moved;
      if (code === PEND) break;
      if (code === 0)
        request.complete(0, this.#moved, 0, request.op === AfdOp.superAccept ? request.address : null);
      else request.giveUp(code);
    }
    if (this.#isShutWanted) this.finish();
    if (this.readableBytes > 0) stream.events.raise(FD_READ); // what a pending receive took raises none (SEM-EV-22)
  }

  /** An urgent byte has arrived, or is on its way. */
  urgentArrived(): void {
    if (this.isUrgentWaiting) this.#stream.events.raise(FD_OOB);
  }

  /** SIOCATMARK: whether no urgent byte waits outside the stream (SEM-OOB-06). */
  get isAtMark(): boolean {
    return !this.isUrgentWaiting;
  }

  /** No more receives: data that is queued or arrives later resets the connection, once those that pend are done. */
  finish(): void {
    const { receives, endpoint } = this.#stream;
    this.#isShutWanted = receives.head !== null;
    if (!this.#isShutWanted) endpoint.shutdownRead();
  }

  #check(flags: number): number {
    const stream = this.#stream;
    const error = streamRule('recv', stream.state);
    if (error !== 0) return error;
    if (stream.isReceiveShut) return WSAESHUTDOWN;
    if ((flags & ~KNOWN_FLAGS) !== 0) return WSAEOPNOTSUPP;
    const isImpatient = stream.isNonBlocking && (flags & AFD_OVERLAPPED) === 0;
    if ((flags & MSG_WAITALL) !== 0 && ((flags & NOT_WITH_WAITALL) !== 0 || isImpatient))
      return WSAEOPNOTSUPP;
    if (stream.state === SocketState.broken && (flags & MSG_OOB) === 0) return stream.takeBrokenError();
    return 0;
  }

  #recvUrgent(request: AfdRequest, reply: AfdCompletion): number {
    const stream = this.#stream;
    const { endpoint } = stream;
    if (endpoint.urgentInline) return WSAEINVAL; // SEM-IO-07
    const into = request.into ?? EMPTY;
    const byte = into.length === 0 ? -1 : endpoint.readUrgent((request.flags & MSG_PEEK) !== 0);
    stream.events.reenable(FD_OOB, this.isUrgentWaiting);
    if (byte < 0) return WSAEWOULDBLOCK;
    into[0] = byte;
    reply.value = 1;
    reply.flags = MSG_OOB;
    return 0;
  }

  /**
   * Moves bytes into `into` from `at` on, and leaves in {@link #moved} how many are there in all.
   * @returns 0, {@link PEND} when there are not enough, or the code of a broken connection
   */
  #attempt(flags: number, into: Uint8Array, at: number): number {
    this.#moved = at;
    const wanted = into.length - at;
    if (wanted === 0) return this.#isReadable ? 0 : PEND; // an overlapped receive of nothing (SEM-OV-22)
    const isPeek = (flags & MSG_PEEK) !== 0;
    if ((flags & MSG_WAITALL) === 0) {
      const n = this.#read(into, at, wanted, isPeek);
      if (n >= 0) this.#moved = at + n;
      else if (n === StackError.wouldBlock) return PEND;
      else return wsaOfBroken(n);
      return 0;
    }
    // One that may not wait takes nothing unless there is enough.
    if ((flags & AFD_NO_WAIT) !== 0 && this.readableBytes < wanted && !this.#stream.isPeerClosed) return PEND;
    while (this.#moved < into.length) {
      const n = this.#read(into, this.#moved, into.length - this.#moved, false);
      if (n === 0) return 0;
      if (n === StackError.wouldBlock) return PEND;
      if (n < 0) return this.#moved > 0 ? 0 : wsaOfBroken(n);
      this.#moved += n;
    }
    return 0;
  }

  get #isReadable(): boolean {
    return this.readableBytes > 0 || this.#stream.endpoint.atEnd;
  }

  #read(into: Uint8Array, at: number, length: number, isPeek: boolean): number {
    const { endpoint } = this.#stream;
    return isPeek ? endpoint.peek(into, at, length) : endpoint.read(into, at, length);
  }

  #reenable(): void {
    const { events } = this.#stream;
    events.reenable(FD_READ, this.readableBytes > 0);
    events.reenable(FD_OOB, this.isUrgentWaiting);
  }
}
