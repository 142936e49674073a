/**
 * An endpoint: what descriptors refer to. It lives while one does, whatever the process, and completes what still pends when
 * the last is gone. Kinds of sockets are its subclasses; what they share is here.
 */

import {
  AF_INET,
  AF_INET6,
  FD_ALL_EVENTS,
  readSockaddr,
  sockaddrFamily,
  sockaddrLength,
  sockaddrOf,
  WSA_OPERATION_ABORTED,
  WSAEFAULT,
  WSAEINTR,
  WSAEINVAL,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAETIMEDOUT,
} from '../abi/index.ts';
import { IpAddress } from '../base/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, type AfdCompletion, AfdOp, type AfdRequest } from '../port/index.ts';
import {
  type BindOptions,
  type Endpoint,
  EndpointEvent,
  type PacketOptions,
  type PortReservation,
  type PortSharing,
} from '../stack/index.ts';
import type { AfdContext, Orphan } from './context.ts';
import { EchoCall } from './echo.ts';
import { EVENT_ERRORS_LEN, NetworkEvents } from './events.ts';
import type { PollTarget, PollWatch } from './poll.ts';
import { PEND, type PendingRequest, type RequestOwner, RequestQueue } from './request.ts';
import { SocketOptions } from './socket-options.ts';
import { checkSockaddr } from './socket-state.ts';
import type { SocketView } from './views.ts';

/** `flags` of a close that ends the connection at once. */
export const CLOSE_ABORTIVE = 1;

export abstract class AfdEndpoint implements PollTarget, Orphan {
  readonly context: AfdContext;
  /** SOCK_*, IPPROTO_*. */
  readonly type: number;
  readonly protocol: number;
  /** User id of the process that made it: whose its port is. */
  readonly owner: number;
  /** Descriptors, and duplication tokens that are still good. */
  references = 0;
  options = new SocketOptions();
  /** FIONBIO, or forced by an event registration (SEM-BLK-04). */
  isNonBlocking = false;
  readonly events = new NetworkEvents();
  readonly receives = new RequestQueue();
  readonly sends = new RequestQueue();
  /** Requests of `waitEvents`. */
  readonly waiters = new RequestQueue();
  /** Everything else that pends: accepts, a connect, a lingering close. */
  readonly others = new RequestQueue();
  /** Control codes that wait for a change. */
  readonly notices = new RequestQueue();
  /** Polls that wait for this endpoint, among others. */
  watches: Set<PollWatch> | null = null;
  /** The ports of which one may be bound (SIO_ASSOCIATE_PORT_RESERVATION). */
  reservation: PortReservation | null = null;
  isSendShut = false;
  isReceiveShut = false;
  isClosed = false;

  constructor(context: AfdContext, type: number, protocol: number, owner: number) {
    this.context = context;
    this.type = type;
    this.protocol = protocol;
    this.owner = owner;
  }

  /** The stack's side of it. */
  abstract readonly endpoint: Endpoint & PacketOptions;
  abstract bind(address: Uint8Array | null): number;
  abstract connect(request: AfdRequest): number;
  abstract send(request: AfdRequest, reply: AfdCompletion, owner: RequestOwner): number;
  abstract recv(request: AfdRequest, reply: AfdCompletion): number;
  abstract shutdown(how: number): number;
  abstract getPeerName(reply: AfdCompletion): number;
  /** AfdPollEvent bits that are true now. */
  abstract pollState(): number;
  /** The WSA code behind `abort` or `connectFail`. */
  abstract get pollError(): number;
  /** FD_* events whose conditions are true now. */
  abstract currentEvents(): number;
  /** What the stack said has happened. */
  abstract happened(events: number): void;
  /** FIONREAD. */
  abstract get readableBytes(): number;
  /** Whether a socket address was bound, by `bind` or on the way. */
  abstract get isBound(): boolean;
  /** Name of the state, for netstat. */
  abstract get stateName(): string;
  /** Bytes waiting in each direction. */
  abstract get sendQueue(): number;
  /** Ends the stack's endpoint; nothing pends any more. */
  protected abstract release(isAbortive: boolean): void;

  /** AF_INET or AF_INET6. */
  get family(): number {
    return this.endpoint.localAddress.family === 4 ? AF_INET : AF_INET6;
  }

  /** What is wrong with a sockaddr for this socket; 0: nothing. */
  checkAddress(bytes: Uint8Array | null): number {
    const { family } = this;
    return checkSockaddr(bytes, family, sockaddrLength(family));
  }

  listen(_backlog: number): number {
    return WSAEOPNOTSUPP;
  }

  accept(_request: AfdRequest, _reply: AfdCompletion, _owner: RequestOwner): number {
    return WSAEOPNOTSUPP;
  }

  /** AcceptEx: `target` is the socket to be filled. */
  superAccept(_target: AfdEndpoint, _request: AfdRequest, _reply: AfdCompletion): number {
    return WSAEINVAL;
  }

  /** DisconnectEx. */
  disconnect(_flags: number): number {
    return WSAENOTCONN;
  }

  acceptRequest(_request: AfdRequest, _reply: AfdCompletion, _owner: RequestOwner): number {
    return WSAEOPNOTSUPP;
  }

  /** Ends the decision about a caller of `acceptRequest` without accepting. */
  refuse(_number: number, _isDeferred: boolean, _owner: RequestOwner): number {
    return WSAEOPNOTSUPP;
  }

  /** Makes it a leaf of a multicast session, with a JL_* role. */
  joinLeaf(_group: Uint8Array | null, _role: number): number {
    return WSAEOPNOTSUPP;
  }

  /** A session has closed a descriptor of it, and others are left. */
  released(_owner: RequestOwner): void {}

  getSockName(reply: AfdCompletion): number {
    if (!this.isBound) return WSAEINVAL;
    reply.address = sockaddrOf(this.endpoint.localAddress, this.endpoint.localPort);
    return 0;
  }

  /** Whether a request may pend: overlapped ones always, others on a blocking socket (SEM-BLK-06). */
  mayWait(flags: number): boolean {
    if ((flags & AFD_NO_WAIT) !== 0) return false;
    return (flags & AFD_OVERLAPPED) !== 0 || !this.isNonBlocking;
  }

  /** Files a request whose operation answered {@link PEND}. */
  pend(request: PendingRequest): void {
    this.queueOf(request).push(request);
    if (request.op === AfdOp.ioctl) this.context.notices.pends(request);
    if ((request.flags & AFD_OVERLAPPED) !== 0) return;
    const timeout =
      request.op === AfdOp.recv
        ? this.options.receiveTimeout
        : request.op === AfdOp.send
          ? this.options.sendTimeout
          : 0;
    if (timeout === 0) return;
    request.timer = this.context.scheduler.after(timeout, () => {
      request.giveUp(WSAETIMEDOUT);
      this.settled();
    });
  }

  /** Registers for network events; mask 0 ends it. */
  eventSelect(mask: number, isByMessage: boolean): number {
    if ((mask & ~FD_ALL_EVENTS) !== 0) return WSAEINVAL;
    this.isNonBlocking = true;
    this.waiters.drain(() => WSA_OPERATION_ABORTED);
    this.events.register(mask, isByMessage, this.currentEvents());
    return 0;
  }

  /** Answers recorded events that were not reported yet, or pends. */
  waitEvents(into: Uint8Array | null, reply: AfdCompletion): number {
    if (this.events.mask === 0) return WSAEINVAL;
    if (into !== null && into.length < EVENT_ERRORS_LEN) return WSAEFAULT;
    if (this.events.unreported === 0) return PEND;
    reply.value = this.events.report(into);
    return 0;
  }

  enumEvents(into: Uint8Array | null, reply: AfdCompletion): number {
    if (into !== null && into.length < EVENT_ERRORS_LEN) return WSAEFAULT;
    reply.value = this.events.fetch(into);
    return 0;
  }

  /**
   * Whether closing the last descriptor would have to wait where it may not (SEM-LING-04): then nothing is changed.
   */
  closeWouldBlock(_flags: number): boolean {
    return false;
  }

  /** The last reference is gone. @returns 0, or {@link PEND} while the close lingers. */
  close(flags: number): number {
    this.endRequests();
    this.dispose((flags & CLOSE_ABORTIVE) !== 0);
    return 0;
  }

  /** Tells polls and event waiters that something may have changed. Called at the end of every change. */
  changed(): void {
    const watches = this.watches;
    if (watches !== null) for (const watch of watches) watch.check(this);
    if (this.events.unreported === 0) return;
    for (let waiter = this.waiters.head; waiter !== null; waiter = this.waiters.head) {
      const events = this.events.report(waiter.into);
      if (events === 0) return;
      waiter.complete(0, events);
    }
  }

  /** {@link changed} for callers outside of any call into the room: timers and the stack. */
  settled(): void {
    this.changed();
    this.context.completions.deliver();
  }

  /** Its line in netstat. */
  describe(pids: readonly number[]): SocketView {
    const { endpoint } = this;
    return {
      id: endpoint.id,
      type: this.type,
      protocol: this.protocol,
      state: this.stateName,
      localAddress: endpoint.localAddress.toString(),
      localPort: endpoint.localPort,
      remoteAddress: endpoint.remoteAddress.toString(),
      remotePort: endpoint.remotePort,
      sendQueue: this.sendQueue,
      receiveQueue: this.readableBytes,
      uid: this.owner,
      pids,
    };
  }

  protected queueOf(request: PendingRequest): RequestQueue {
    if (request.op === AfdOp.recv) return this.receives;
    if (request.op === AfdOp.send) return this.sends;
    if (request.op === AfdOp.ioctl) return this.notices;
    return request.op === AfdOp.waitEvents ? this.waiters : this.others;
  }

  /** Code of what pends at the close: a blocking call was interrupted (SEM-BLK-08), others are cancelled (SEM-OV-12). */
  protected closeError(request: PendingRequest): number {
    return (request.flags & AFD_OVERLAPPED) !== 0 || request.op === AfdOp.waitEvents
      ? WSA_OPERATION_ABORTED
      : WSAEINTR;
  }

  protected endRequests(): void {
    const error = (request: PendingRequest): number => this.closeError(request);
    this.receives.drain(error);
    this.sends.drain(error);
    this.others.drain(error);
    this.notices.drain(error);
    this.waiters.drain(error);
  }

  /** Lets go of the stack's endpoint. */
  protected dispose(isAbortive: boolean): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.context.orphans.delete(this);
    this.context.notices.forget(this);
    this.context.reservations.forget(this);
    this.endpoint.context = null;
    this.release(isAbortive);
  }

  /** What a port is bound with. */
  get bindOptions(): BindOptions {
    const { sharing, owner, reservation } = this;
    return reservation === null ? { sharing, owner } : { sharing, owner, reservation };
  }

  /** How a port is shared, by the two options that exclude each other. */
  protected get sharing(): PortSharing {
    if (this.options.exclusiveAddressUse) return 'exclusive';
    return this.options.reuseAddress ? 'reuse' : 'none';
  }
}

/**
 * The address of a sockaddr that {@link AfdEndpoint.checkAddress} has passed. The scope id of one that has no zones means nothing
 * (RFC 3493 §3.3).
 */
export function addressOf(bytes: Uint8Array): IpAddress {
  if (sockaddrFamily(bytes) === AF_INET6) {
    const address = readSockaddr(bytes)?.address ?? IpAddress.anyV6;
    const { w0, w1, w2, w3 } = address;
    return address.isScoped ? address : new IpAddress(6, w0, w1, w2, w3);
  }
  return IpAddress.v4(
    ((bytes[4] as number) << 24) |
      ((bytes[5] as number) << 16) |
      ((bytes[6] as number) << 8) |
      (bytes[7] as number),
  );
}

/** Its port. */
export function portOf(bytes: Uint8Array): number {
  return ((bytes[2] as number) << 8) | (bytes[3] as number);
}

/**
 * The observer to hand to `createStack`: tells each endpoint that belongs to an afd what happened to it. It needs no afd, so it
 * can be handed over before there is one.
 */
export function observeEndpoint(endpoint: Endpoint, events: number): void {
  const { context } = endpoint;
  if (context instanceof EchoCall) context.happened();
  if (!(context instanceof AfdEndpoint)) return;
  context.happened(events);
  context.settled();
}

/** Events after which there may be room to send. */
export const ROOM_EVENTS = EndpointEvent.writable | EndpointEvent.drained | EndpointEvent.connected;
