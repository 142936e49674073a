/**
 * Message sockets: UDP, and raw sockets with the differences that `raw.ts` names. Receiving is in `datagram-receive.ts`.
 */

import {
  AF_UNSPEC,
  FD_CONNECT,
  FD_READ,
  FD_WRITE,
  JL_RECEIVER_ONLY,
  JL_SENDER_ONLY,
  MSG_DONTROUTE,
  SD_BOTH,
  SD_RECEIVE,
  SD_SEND,
  sockaddrFamily,
  sockaddrOf,
  WSAEACCES,
  WSAEADDRNOTAVAIL,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { copyOf, EMPTY, IpAddress } from '../base/index.ts';
import {
  AFD_NO_WAIT,
  AFD_OVERLAPPED,
  type AfdCompletion,
  AfdPollEvent,
  type AfdRequest,
} from '../port/index.ts';
import { EndpointEvent, type MessageEndpoint, StackError } from '../stack/index.ts';
import type { AfdContext } from './context.ts';
import { DatagramReceiver, type MessageHost } from './datagram-receive.ts';
import { AfdEndpoint, addressOf, portOf } from './endpoint.ts';
import { wsaOf, wsaOfMessage } from './error-map.ts';
import { PEND, type PendingRequest } from './request.ts';
import { readSendControl, sendWith } from './send-control.ts';
import type { TransmitStamps } from './transmit-stamps.ts';

const SEND_FLAGS = MSG_DONTROUTE | AFD_OVERLAPPED | AFD_NO_WAIT;

export class DatagramEndpoint extends AfdEndpoint implements MessageHost {
  readonly endpoint: MessageEndpoint;
  readonly #receiver = new DatagramReceiver(this);
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
      const result = endpoint.bind(endpoint.localAddress, 0, this.bindOptions);
      if (result < 0) return wsaOf(result);
    }
    this.#isBound = true;
    if (role !== JL_SENDER_ONLY) {
      const result = endpoint.joinGroup(address, {});
      if (result < 0) return wsaOf(result);
    }
    if (role !== JL_RECEIVER_ONLY) this.#leafGroup = copyOf(group);
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
    return this.#receiver.recv(request, reply);
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
    if (!this.isReceiveShut && this.#receiver.isReadable) events |= AfdPollEvent.receive;
    if (this.sends.head === null) events |= AfdPollEvent.send; // also unbound (SEM-SEL-12)
    return events;
  }

  override currentEvents(): number {
    return FD_WRITE | (this.#receiver.isReadable ? FD_READ : 0);
  }

  override happened(events: number): void {
    if (this.isClosed) return;
    if ((events & EndpointEvent.readable) !== 0) this.#receiver.arrived();
    if ((events & EndpointEvent.writable) !== 0) this.#roomMade();
  }

  protected override release(_isAbortive: boolean): void {
    this.endpoint.close();
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

  override pend(request: PendingRequest): void {
    super.pend(request);
    this.#receiver.fitQueue();
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
