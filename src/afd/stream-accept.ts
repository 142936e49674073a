/**
 * Accepting on a stream socket: at once, when somebody comes, or after a decision (SEM-ACC-*, SEM-COND-*).
 */

import {
  FD_ACCEPT,
  sockaddrOf,
  WSAEACCES,
  WSAEINVAL,
  WSAEMFILE,
  WSAENOBUFS,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { type AfdCompletion, AfdOp, type AfdRequest } from '../port/index.ts';
import type { TcpEndpoint } from '../stack/index.ts';
import { AcceptQueue, type Caller } from './accept-queue.ts';
import { PEND, type PendingRequest, type RequestOwner } from './request.ts';
import { streamRule } from './socket-state.ts';
import type { StreamHost } from './stream-host.ts';

/** What a request for a caller is answered: its number, and both addresses. */
interface Announcement {
  value: number;
  address: Uint8Array | null;
  data: Uint8Array | null;
}

/** Gives the oldest connection to the socket of an AcceptEx. @returns whether the request is done with the queue */
export type Fill = (request: PendingRequest) => boolean;
/** Makes a connection a socket of a session. @returns its descriptor */
export type Adopt = (connection: TcpEndpoint, owner: RequestOwner) => number;

export class StreamAcceptor {
  readonly #stream: StreamHost;
  readonly #adopt: Adopt;
  readonly #fill: Fill;
  readonly #queue: AcceptQueue;

  constructor(stream: StreamHost, adopt: Adopt, fill: Fill) {
    this.#stream = stream;
    this.#adopt = adopt;
    this.#fill = fill;
    this.#queue = new AcceptQueue(stream.endpoint);
  }

  /** Whether an accept would succeed now. */
  get isReady(): boolean {
    return this.#queue.isWaiting;
  }

  /** The oldest connection, for an AcceptEx. */
  take(): TcpEndpoint | null {
    const connection = this.#queue.take();
    this.#stream.events.reenable(FD_ACCEPT, this.isReady);
    return connection;
  }

  /** `request.a`: 0 for the oldest, or the number of the caller whom this session has asked for. */
  accept(request: AfdRequest, reply: AfdCompletion, owner: RequestOwner): number {
    const stream = this.#stream;
    const error = streamRule('accept', stream.state);
    if (error !== 0) return error;
    if (!owner.hasRoom) return WSAEMFILE;
    if (request.a !== 0) return this.#acceptAsked(request.a, reply, owner);
    const mustQueue = stream.others.head !== null;
    const connection = mustQueue ? null : this.#queue.take();
    stream.events.reenable(FD_ACCEPT, this.isReady);
    if (connection === null) return stream.mayWait(request.flags) ? PEND : WSAEWOULDBLOCK;
    reply.value = this.#adopt(connection, owner);
    reply.address = sockaddrOf(connection.remoteAddress, connection.remotePort);
    return 0;
  }

  /** Tells about the oldest caller, who waits until this session has decided. */
  ask(request: AfdRequest, reply: AfdCompletion, owner: RequestOwner): number {
    const stream = this.#stream;
    const error = streamRule('accept', stream.state);
    if (error !== 0) return error;
    if (!this.#queue.hasRoom) return WSAENOBUFS;
    const asked = stream.others.head !== null ? null : this.#queue.ask(owner);
    if (asked === null) return stream.mayWait(request.flags) ? PEND : WSAEWOULDBLOCK;
    announce(reply, asked.number, asked.caller);
    return 0;
  }

  /** Ends a decision without accepting: the caller is refused, or waits on (`isDeferred`) without a new FD_ACCEPT (SEM-COND-02). */
  refuse(number: number, isDeferred: boolean, owner: RequestOwner): number {
    const queue = this.#queue;
    const isKnown = isDeferred ? queue.defer(number, owner) : queue.reject(number, owner);
    if (!isKnown) return WSAEINVAL;
    if (isDeferred) this.#serve();
    else this.#stream.events.reenable(FD_ACCEPT, this.isReady);
    return 0;
  }

  /** A session has let go of the listener, which others still hold. */
  abandon(owner: RequestOwner): void {
    this.#queue.abandon(owner);
    this.arrived();
  }

  /** Somebody has come: serves the accepts that pend, oldest first. */
  arrived(): void {
    this.#serve();
    if (this.isReady) this.#stream.events.raise(FD_ACCEPT);
  }

  /** The listener ends. */
  close(): void {
    this.#queue.close();
  }

  #serve(): void {
    const { others } = this.#stream;
    for (let request = others.head; request !== null; request = others.head) {
      if (!this.#serveOne(request)) return;
    }
  }

  /** @returns whether the request is done with the queue */
  #serveOne(request: PendingRequest): boolean {
    if (request.op === AfdOp.acceptRequest) return this.#tell(request);
    return request.op === AfdOp.superAccept ? this.#fill(request) : this.#give(request);
  }

  #acceptAsked(number: number, reply: AfdCompletion, owner: RequestOwner): number {
    const connection = this.#queue.accept(number, owner);
    this.#stream.events.reenable(FD_ACCEPT, this.isReady);
    if (connection === null) return WSAEACCES; // withdrawn, or too late (API-WSAAccept)
    reply.value = this.#adopt(connection, owner);
    reply.address = sockaddrOf(connection.remoteAddress, connection.remotePort);
    return 0;
  }

  /** @returns whether the request is done */
  #give(request: PendingRequest): boolean {
    const { owner } = request;
    if (!owner.hasRoom) {
      request.complete(WSAEMFILE);
      return true;
    }
    const connection = this.#queue.take();
    if (connection === null) return false;
    const descriptor = this.#adopt(connection, owner);
    request.complete(0, descriptor, 0, sockaddrOf(connection.remoteAddress, connection.remotePort));
    return true;
  }

  #tell(request: PendingRequest): boolean {
    const asked = this.#queue.hasRoom ? this.#queue.ask(request.owner) : null;
    if (asked === null) return false;
    const told: Announcement = { value: 0, address: null, data: null };
    announce(told, asked.number, asked.caller);
    request.complete(0, told.value, 0, told.address, told.data);
    return true;
  }
}

function announce(into: Announcement, number: number, caller: Caller): void {
  into.value = number;
  into.address = sockaddrOf(caller.remoteAddress, caller.remotePort);
  into.data = sockaddrOf(caller.localAddress, caller.localPort);
}
