/**
 * Message sockets: UDP, and raw sockets with the differences that `raw.ts` names.
 */

import {
  AF_UNSPEC,
  FD_CONNECT,
  FD_READ,
  FD_WRITE,
  JL_RECEIVER_ONLY,
  JL_SENDER_ONLY,
  MSG_DONTROUTE,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_PUSH_IMMEDIATE,
  MSG_TRUNC,
  SD_BOTH,
  SD_RECEIVE,
  SD_SEND,
  SOCKADDR_IN_LEN,
  SOCKADDR_IN6_LEN,
  sockaddrFamily,
  sockaddrOf,
  WSAEACCES,
  WSAEADDRNOTAVAIL,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
  writeSockaddr,
} from '../abi/index.ts';
import { EMPTY, IpAddress } from '../base/index.ts';
import {
  AFD_NO_WAIT,
  AFD_OVERLAPPED,
  type AfdCompletion,
  AfdPollEvent,
  type AfdRequest,
} from '../port/index.ts';
import {
  createDatagramInfo,
  type DatagramInfo,
  EndpointEvent,
  type MessageEndpoint,
  StackError,
} from '../stack/index.ts';
import type { AfdContext } from './context.ts';
import { CONTROL_LENGTH_LEN, writeControl } from './control-data.ts';
import { AfdEndpoint, addressOf, portOf } from './endpoint.ts';
import { wsaOf, wsaOfMessage } from './error-map.ts';
import { PEND, type PendingRequest } from './request.ts';
import { readSendControl, sendWith } from './send-control.ts';
import { DEFAULT_BUFFER } from './socket-options.ts';
import type { TransmitStamps } from './transmit-stamps.ts';

const SEND_FLAGS = MSG_DONTROUTE | AFD_OVERLAPPED | AFD_NO_WAIT;
const RECV_FLAGS = MSG_PEEK | MSG_DONTROUTE | MSG_PARTIAL | MSG_PUSH_IMMEDIATE | AFD_OVERLAPPED | AFD_NO_WAIT;

/** What came with the message that was received last. */
const info: DatagramInfo = createDatagramInfo();
/** The source of a message that was received at once: good until the next call, as its completion is. */
const source = new Uint8Array(SOCKADDR_IN6_LEN);
const sourceV4 = source.subarray(0, SOCKADDR_IN_LEN);

export class DatagramEndpoint extends AfdEndpoint {
  readonly endpoint: MessageEndpoint;
  /** Times of sending, when they are kept (IOC-SIO_TIMESTAMPING). */
  stamps: TransmitStamps | null = null;
  /** Bound by `bind`, `connect` or a first send. */
  #isBound = false;
  /** The group that a leaf sends to: a destination, but no filter of what is received (SEM-MP-03). */
  #leafGroup: Uint8Array | null = null;

  constructor(context: AfdContext, type: number, protocol: number, owner: number, endpoint: MessageEndpoint) {
    super(context, type, protocol, owner);
    this.endpoint = endpoint;
    endpoint.context = this;
  }

  /** Whether messages name a port: raw ones don't. */
  get #hasPorts(): boolean {
    return this.endpoint.kind === 'udp';
  }

  get isBound(): boolean {
    return this.#isBound || this.endpoint.localPort !== 0;
  }

  /** Whether it has a default destination. */
  get isConnected(): boolean {
    return !this.endpoint.remoteAddress.isAny;
  }

  get stateName(): string {
    return '';
  }

  get sendQueue(): number {
    return 0;
  }

  get readableBytes(): number {
    return this.endpoint.queuedBytes;
  }

  get pollError(): number {
    return 0;
  }

  override bind(address: Uint8Array | null): number {
    const error = this.checkAddress(address);
    if (error !== 0 || address === null) return error;
    if (this.isBound) return WSAEINVAL;
    const local = addressOf(address);
    if (local.isLimitedBroadcast && !this.options.broadcast) return WSAEACCES;
    const result = this.endpoint.bind(local, this.#hasPorts ? portOf(address) : 0, this.bindOptions);
    if (result < 0) return wsaOf(result);
    this.#isBound = true;
    return 0;
  }

  /** Sets the default destination, or undoes it (SEM-CONN-13 … SEM-CONN-15); never waits. */
  override connect(request: AfdRequest): number {
    const { address } = request;
    if (address !== null && sockaddrFamily(address) === AF_UNSPEC) return this.#disconnect();
    const error = this.checkAddress(address);
    if (error !== 0 || address === null) return error;
    const peer = addressOf(address);
    const port = this.#hasPorts ? portOf(address) : 0;
    if (peer.isAny) return this.#disconnect();
    if (this.#hasPorts && port === 0) return WSAEADDRNOTAVAIL;
    const code = this.#bindReserved();
    if (code !== 0) return code;
    const result = this.endpoint.connect(peer, port);
    if (result < 0) return wsaOf(result);
    this.#isBound = true;
    this.#leafGroup = null;
    this.events.raise(FD_CONNECT);
    this.events.raise(FD_WRITE);
    return 0;
  }

  override joinLeaf(group: Uint8Array | null, role: number): number {
    const error = this.checkAddress(group);
    if (error !== 0 || group === null) return error;
    const address = addressOf(group);
    if (!address.isMulticast) return WSAEADDRNOTAVAIL;
    const { endpoint } = this;
    if (!this.isBound) {
      const result = endpoint.bind(address.family === 4 ? IpAddress.anyV4 : IpAddress.anyV6, 0);
      if (result < 0) return wsaOf(result);
    }
    this.#isBound = true;
    if (role !== JL_SENDER_ONLY) {
      const result = endpoint.joinGroup(address, {});
      if (result < 0) return wsaOf(result);
    }
    if (role !== JL_RECEIVER_ONLY) this.#leafGroup = group.slice();
    this.events.raise(FD_CONNECT);
    this.events.raise(FD_WRITE);
    return 0;
  }

  override send(request: AfdRequest, reply: AfdCompletion): number {
    if (this.isSendShut) return WSAESHUTDOWN;
    const { data, flags } = request;
    const address = request.address ?? this.#leafGroup;
    if (data === null) return WSAEFAULT;
    if ((flags & ~SEND_FLAGS) !== 0) return WSAEOPNOTSUPP;
    const error = this.#checkDestination(address) || this.#checkControl(data, request.a);
    if (error !== 0) return error;
    const n = this.sends.head !== null ? StackError.wouldBlock : this.#push(data, request.a, address);
    if (n >= 0) {
      reply.value = n;
      return 0;
    }
    if (n !== StackError.wouldBlock) return wsaOfMessage(n);
    if (this.mayWait(flags)) return PEND;
    this.events.sendBlocked();
    return WSAEWOULDBLOCK;
  }

  override recv(request: AfdRequest, reply: AfdCompletion): number {
    const { flags } = request;
    if ((flags & ~RECV_FLAGS) !== 0) return WSAEOPNOTSUPP;
    if (!this.isBound) return WSAEINVAL;
    if (this.isReceiveShut) return WSAESHUTDOWN;
    const into = request.into ?? EMPTY;
    const room = request.a;
    if (room !== 0 && (room < CONTROL_LENGTH_LEN || room > into.length)) return WSAEINVAL;
    const isPeek = (flags & MSG_PEEK) !== 0;
    const n = this.receives.head !== null ? StackError.wouldBlock : this.#take(into, room, isPeek);
    this.events.reenable(FD_READ, this.#isReadable);
    if (n === StackError.wouldBlock) return this.mayWait(flags) ? PEND : WSAEWOULDBLOCK;
    if (n < 0) return wsaOfMessage(n);
    writeSockaddr(source, 0, info.source, info.sourcePort);
    reply.value = n;
    reply.address = info.source.family === 4 ? sourceV4 : source;
    reply.flags = this.#finish(into, room, n);
    return info.length > n ? WSAEMSGSIZE : 0; // SEM-IO-03
  }

  override shutdown(how: number): number {
    if (how !== SD_RECEIVE && how !== SD_SEND && how !== SD_BOTH) return WSAEINVAL;
    if (how !== SD_RECEIVE) this.isSendShut = true;
    if (how !== SD_SEND) this.isReceiveShut = true;
    return 0;
  }

  override getPeerName(reply: AfdCompletion): number {
    if (this.#leafGroup !== null) {
      reply.address = this.#leafGroup;
      return 0;
    }
    if (!this.isConnected) return WSAENOTCONN;
    reply.address = sockaddrOf(this.endpoint.remoteAddress, this.endpoint.remotePort);
    return 0;
  }

  override pollState(): number {
    let events = 0;
    if (!this.isReceiveShut && this.#isReadable) events |= AfdPollEvent.receive;
    if (this.sends.head === null) events |= AfdPollEvent.send; // also unbound (SEM-SEL-12)
    return events;
  }

  override currentEvents(): number {
    return FD_WRITE | (this.#isReadable ? FD_READ : 0);
  }

  override happened(events: number): void {
    if (this.isClosed) return;
    if ((events & EndpointEvent.readable) !== 0) this.#arrived();
    if ((events & EndpointEvent.writable) !== 0) this.#roomMade();
  }

  protected override release(_isAbortive: boolean): void {
    this.endpoint.close();
  }

  get #isReadable(): boolean {
    return this.endpoint.nextLength >= 0 || this.endpoint.pendingError !== 0;
  }

  #disconnect(): number {
    this.#leafGroup = null;
    this.endpoint.connect(IpAddress.anyV4, 0);
    return 0;
  }

  #checkDestination(address: Uint8Array | null): number {
    if (address === null) return this.isConnected ? 0 : WSAENOTCONN; // SEM-IO-18
    const error = this.checkAddress(address);
    if (error !== 0) return error;
    const isNowhere = addressOf(address).isAny || (this.#hasPorts && portOf(address) === 0);
    return isNowhere ? WSAEADDRNOTAVAIL : 0;
  }

  /** Who is associated with a reservation and does not bind gets one of its ports. */
  #bindReserved(): number {
    if (this.reservation === null || this.isBound) return 0;
    return wsaOf(this.endpoint.bind(this.endpoint.localAddress, 0, this.bindOptions));
  }

  /** @param controlLength bytes of `data` that are control data, checked before */
  #push(data: Uint8Array, controlLength: number, address: Uint8Array | null): number {
    const { endpoint } = this;
    if (this.#bindReserved() !== 0) return StackError.noBuffers;
    const to = address === null ? null : addressOf(address);
    const port = address !== null && this.#hasPorts ? portOf(address) : 0;
    const length = data.length - controlLength;
    const control = controlLength === 0 ? null : readSendControl(data.subarray(0, controlLength));
    const n =
      control === null || typeof control === 'number'
        ? endpoint.send(data, controlLength, length, to, port)
        : sendWith(endpoint, control, to ?? endpoint.remoteAddress, () =>
            endpoint.send(data, controlLength, length, to, port),
          );
    if (n >= 0) {
      this.#isBound = true;
      if (
        this.stamps !== null &&
        control !== null &&
        typeof control !== 'number' &&
        control.timestampId >= 0
      ) {
        this.stamps.add(control.timestampId, this.context.stack.now);
      }
    }
    return n;
  }

  #checkControl(data: Uint8Array, length: number): number {
    if (length === 0) return 0;
    if (length < 0 || length > data.length) return WSAEINVAL;
    const control = readSendControl(data.subarray(0, length));
    return typeof control === 'number' ? control : 0;
  }

  /** Takes a message behind the room for its control data. */
  #take(into: Uint8Array, room: number, isPeek: boolean): number {
    return this.endpoint.receive(into, room, into.length - room, info, isPeek);
  }

  /** Writes the control data of the message just taken, `n` bytes of it. @returns its MSG_* */
  #finish(into: Uint8Array, room: number, n: number): number {
    const isCut = info.length > n;
    if (room === 0) return isCut ? MSG_PARTIAL : 0;
    const { controlWishes, controlWishesV6 } = this.options;
    const flags = writeControl(into, room, controlWishes, controlWishesV6, info);
    return flags | (isCut ? MSG_TRUNC : 0);
  }

  override pend(request: PendingRequest): void {
    super.pend(request);
    this.#fitQueue();
  }

  /** Without a receive buffer what comes is kept only while somebody waits for it (SEM-IO-14). */
  #fitQueue(): void {
    const { endpoint } = this;
    if (this.options.receiveBuffer !== 0) return;
    const isAwaited = this.receives.head !== null;
    endpoint.receiveBufferSize = isAwaited ? DEFAULT_BUFFER : 0;
    while (!isAwaited && endpoint.nextLength >= 0) this.#take(EMPTY, 0, false);
  }

  /** A message or an ICMP error arrived: serves the receives that pend, oldest first. */
  #arrived(): void {
    for (let request = this.receives.head; request !== null; request = this.receives.head) {
      if (!this.#serve(request)) return;
    }
    this.#fitQueue();
    if (this.#isReadable) this.events.raise(FD_READ);
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

  #roomMade(): void {
    for (let request = this.sends.head; request !== null; request = this.sends.head) {
      const n = this.#push(request.data ?? EMPTY, request.a, request.address ?? this.#leafGroup);
      if (n === StackError.wouldBlock) return;
      if (n >= 0) request.complete(0, n);
      else request.complete(wsaOfMessage(n));
    }
    if (this.events.isWriteWanted) this.events.raise(FD_WRITE);
  }
}
