/**
 * Sending on a stream socket.
 *
 * A blocking or overlapped send pends until all of its bytes are in the send buffer (SEM-IO-02). One that may not wait is
 * taken whole when there is room for any of it, and its rest kept beside the buffer (SEM-IO-01); otherwise it fails and FD_WRITE
 * follows.
 */

import {
  FD_WRITE,
  MSG_DONTROUTE,
  MSG_OOB,
  WSAEFAULT,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, type AfdCompletion, type AfdRequest } from '../port/index.ts';
import { StackError } from '../stack/index.ts';
import { wsaOfBroken } from './error-map.ts';
import { Overflow, writeBytes } from './overflow.ts';
import { PEND, type RequestOwner } from './request.ts';
import { SocketState, streamRule } from './socket-state.ts';
import type { StreamHost } from './stream-host.ts';

/** Flags that a send takes. */
const KNOWN_FLAGS = MSG_OOB | MSG_DONTROUTE | AFD_OVERLAPPED | AFD_NO_WAIT;

export class StreamSender {
  readonly #stream: StreamHost;
  #overflow: Overflow | null = null;
  /** FIN is to follow when all that pends has been written. */
  #isFinWanted = false;

  constructor(stream: StreamHost) {
    this.#stream = stream;
  }

  /** Bytes taken that the send buffer has had no room for. */
  get overflowBytes(): number {
    return this.#overflow === null ? 0 : this.#overflow.length;
  }

  /** Whether a send would take bytes now. */
  get hasRoom(): boolean {
    const stream = this.#stream;
    return this.#overflow === null && stream.sends.head === null && stream.endpoint.writableBytes > 0;
  }

  send(request: AfdRequest, reply: AfdCompletion, owner: RequestOwner): number {
    const stream = this.#stream;
    const error = streamRule('send', stream.state);
    if (error !== 0) return error;
    if (stream.state === SocketState.broken) return stream.takeBrokenError();
    if (stream.isSendShut) return WSAESHUTDOWN;
    const { data, flags } = request;
    if (data === null) return WSAEFAULT;
    if ((flags & ~KNOWN_FLAGS) !== 0) return WSAEOPNOTSUPP;
    if (data.length === 0) return 0;
    const isBusy = this.#overflow !== null || stream.sends.head !== null;
    const n = isBusy ? 0 : writeBytes(stream.endpoint, data, 0, data.length, (flags & MSG_OOB) !== 0);
    if (n < 0 && n !== StackError.wouldBlock) return wsaOfBroken(n);
    const taken = Math.max(n, 0);
    reply.value = taken;
    if (taken === data.length && !(this.#isUnbuffered && stream.mayWait(flags))) return 0;
    if (stream.mayWait(flags)) return PEND;
    if (taken === 0) {
      stream.events.sendBlocked();
      return WSAEWOULDBLOCK;
    }
    this.#overflow = Overflow.keep(stream.context, owner, data, taken, (flags & MSG_OOB) !== 0);
    if (this.#overflow !== null) reply.value = data.length;
    return 0;
  }

  /** There may be room: moves on what waits for it, oldest first. */
  roomMade(): void {
    const stream = this.#stream;
    if (stream.state !== SocketState.connected) return;
    if (this.#overflow !== null) {
      if (!this.#overflow.drain(stream.endpoint)) return;
      this.#overflow = null;
    }
    for (let request = stream.sends.head; request !== null; request = stream.sends.head) {
      const data = request.data as Uint8Array;
      const isUrgent = (request.flags & MSG_OOB) !== 0;
      const isWritten = request.done === data.length;
      const n = isWritten ? 0 : writeBytes(stream.endpoint, data, request.done, data.length, isUrgent);
      if (n > 0) request.done += n;
      if (request.done === data.length && !this.#isUnbuffered) request.complete(0, data.length);
      else if (n >= 0 || n === StackError.wouldBlock) return;
      else request.giveUp(wsaOfBroken(n));
    }
    if (this.#isFinWanted) this.finish();
    else if (stream.events.isWriteWanted && stream.endpoint.writableBytes > 0) stream.events.raise(FD_WRITE);
  }

  /** With an SO_SNDBUF of 0 a send ends when the peer has acknowledged it, as nothing is kept beside it (SEM-IO-14). */
  get #isUnbuffered(): boolean {
    const { options, endpoint } = this.#stream;
    return options.sendBuffer === 0 && endpoint.unsentBytes > 0;
  }

  /** FIN behind all that was taken or pends (SEM-SHUT-01). */
  finish(): void {
    const stream = this.#stream;
    this.#isFinWanted = this.#overflow !== null || stream.sends.head !== null;
    if (!this.#isFinWanted) stream.endpoint.shutdownWrite();
  }

  /** Gives up what has had no room. */
  release(): void {
    this.#overflow?.release();
    this.#overflow = null;
  }
}
