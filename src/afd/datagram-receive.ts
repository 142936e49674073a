/**
 * Receiving on a message socket.
 */

import {
  FD_READ,
  MSG_DONTROUTE,
  MSG_ERRQUEUE,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_PUSH_IMMEDIATE,
  MSG_TRUNC,
  SOCKADDR_IN_LEN,
  SOCKADDR_IN6_LEN,
  sockaddrOf,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
  writeSockaddr,
} from '../abi/index.ts';
import { EMPTY } from '../base/index.ts';
import { AFD_NO_WAIT, AFD_OVERLAPPED, type AfdCompletion, type AfdRequest } from '../port/index.ts';
import { createDatagramInfo, type DatagramInfo, type MessageEndpoint, StackError } from '../stack/index.ts';
import { CONTROL_LENGTH_LEN, writeControl } from './control-data.ts';
import { wsaOfMessage } from './error-map.ts';
import { receiveError } from './error-receive.ts';
import type { NetworkEvents } from './events.ts';
import { PEND, type PendingRequest, type RequestQueue } from './request.ts';
import { DEFAULT_BUFFER, type SocketOptions } from './socket-options.ts';

/** The socket that a receiver belongs to. */
export interface MessageHost {
  readonly endpoint: MessageEndpoint;
  readonly options: SocketOptions;
  readonly events: NetworkEvents;
  readonly receives: RequestQueue;
  readonly isBound: boolean;
  readonly isReceiveShut: boolean;
  /** Whether a request with these flags may pend. */
  mayWait(flags: number): boolean;
}

/** Flags that a receive takes. */
const KNOWN_FLAGS =
  MSG_PEEK | MSG_DONTROUTE | MSG_PARTIAL | MSG_PUSH_IMMEDIATE | MSG_ERRQUEUE | AFD_OVERLAPPED | AFD_NO_WAIT;

/** What came with the message that was received last. */
const info: DatagramInfo = createDatagramInfo();
/** The source of a message that was received at once: good until the next call, as its completion is. */
const source = new Uint8Array(SOCKADDR_IN6_LEN);
const sourceV4 = source.subarray(0, SOCKADDR_IN_LEN);

export class DatagramReceiver {
  readonly #host: MessageHost;

  constructor(host: MessageHost) {
    this.#host = host;
  }

  /** Whether a receive would be answered now, with a message or an error. */
  get isReadable(): boolean {
    const { endpoint } = this.#host;
    return endpoint.nextLength >= 0 || endpoint.pendingError !== 0;
  }

  recv(request: AfdRequest, reply: AfdCompletion): number {
    const host = this.#host;
    const { flags } = request;
    if ((flags & ~KNOWN_FLAGS) !== 0) return WSAEOPNOTSUPP;
    if (!host.isBound) return WSAEINVAL;
    if (host.isReceiveShut) return WSAESHUTDOWN;
    const into = request.into ?? EMPTY;
    const room = request.a;
    if (room !== 0 && (room < CONTROL_LENGTH_LEN || room > into.length)) return WSAEINVAL;
    if ((flags & MSG_ERRQUEUE) !== 0) return receiveError(host.endpoint, request, reply);
    const isPeek = (flags & MSG_PEEK) !== 0;
    const n = host.receives.head !== null ? StackError.wouldBlock : this.#take(into, room, isPeek);
    host.events.reenable(FD_READ, this.isReadable);
    if (n === StackError.wouldBlock) return host.mayWait(flags) ? PEND : WSAEWOULDBLOCK;
    if (n < 0) return wsaOfMessage(n);
    writeSockaddr(source, 0, info.source, info.sourcePort);
    reply.value = n;
    reply.address = info.source.family === 4 ? sourceV4 : source;
    reply.flags = this.#finish(into, room, n);
    return info.length > n ? WSAEMSGSIZE : 0; // SEM-IO-03
  }

  /** A message or an ICMP error arrived: serves the receives that pend, oldest first. */
  arrived(): void {
    const { receives, events } = this.#host;
    for (let request = receives.head; request !== null; request = receives.head) {
      if (!this.#serve(request)) return;
    }
    this.fitQueue();
    if (this.isReadable) events.raise(FD_READ);
  }

  /** Without a receive buffer what comes is kept only while somebody waits for it (SEM-IO-14). */
  fitQueue(): void {
    const { endpoint, options, receives } = this.#host;
    if (options.receiveBuffer !== 0) return;
    const isAwaited = receives.head !== null;
    endpoint.receiveBufferSize = isAwaited ? DEFAULT_BUFFER : 0;
    while (!isAwaited && endpoint.nextLength >= 0) this.#take(EMPTY, 0, false);
  }

  /** Takes a message behind the room for its control data. */
  #take(into: Uint8Array, room: number, isPeek: boolean): number {
    return this.#host.endpoint.receive(into, room, into.length - room, info, isPeek);
  }

  /** Writes the control data of the message just taken, `n` bytes of it. @returns its MSG_* */
  #finish(into: Uint8Array, room: number, n: number): number {
    const isCut = info.length > n;
    if (room === 0) return isCut ? MSG_PARTIAL : 0;
    const { controlWishes, controlWishesV6 } = this.#host.options;
    const flags = writeControl(into, room, controlWishes, controlWishesV6, info);
    return flags | (isCut ? MSG_TRUNC : 0);
  }

  /** @returns whether there was something for it */
  #serve(request: PendingRequest): boolean {
    const into = request.into ?? EMPTY;
    const n = this.#take(into, request.a, (request.flags & MSG_PEEK) !== 0);
    if (n === StackError.wouldBlock) return false;
    if (n < 0) {
      request.complete(wsaOfMessage(n));
      return true;
    }
    const address = sockaddrOf(info.source, info.sourcePort);
    request.complete(info.length > n ? WSAEMSGSIZE : 0, n, this.#finish(into, request.a, n), address);
    return true;
  }
}
