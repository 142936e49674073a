/**
 * Stream sockets: a TCP endpoint under the rules of Winsock. Its state and events are here; connecting is in
 * `stream-connect.ts`, accepting in `stream-accept.ts`, sending in `stream-send.ts`, receiving in `stream-receive.ts`, closing in `stream-close.ts`.
 */

import {
  FD_ACCEPT,
  FD_CLOSE,
  FD_OOB,
  FD_READ,
  FD_WRITE,
  SD_BOTH,
  SD_RECEIVE,
  SD_SEND,
  WSA_OPERATION_ABORTED,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEINVAL,
  WSAENETDOWN,
  WSAENETRESET,
  WSAENOTCONN,
} from '../abi/index.ts';
import { copyOf } from '../base/index.ts';
import { AFD_OVERLAPPED, type AfdCompletion, AfdOp, AfdPollEvent, type AfdRequest } from '../port/index.ts';
import { EndpointEvent, type TcpEndpoint } from '../stack/index.ts';
import type { AfdContext } from './context.ts';
import { AfdEndpoint, addressOf, portOf, ROOM_EVENTS } from './endpoint.ts';
import { wsaOf, wsaOfBroken } from './error-map.ts';
import type { PendingRequest, RequestOwner } from './request.ts';
import { REFUSED_RETRIES } from './socket-options.ts';
import { normalizeBacklog, SocketState, streamRule } from './socket-state.ts';
import { StreamAcceptor } from './stream-accept.ts';
import { StreamCloser } from './stream-close.ts';
import { type ConnectingStream, StreamConnector } from './stream-connect.ts';
import {
  Context,
  disconnect,
  disconnected,
  type ExtendedStream,
  pendAccept,
  serveAccept,
  superAccept,
} from './stream-extensions.ts';
import { StreamReceiver } from './stream-receive.ts';
import { StreamSender } from './stream-send.ts';

export class StreamEndpoint extends AfdEndpoint implements ConnectingStream {
  /** Another one when AcceptEx has filled this socket, or it was made as new. */
  endpoint: TcpEndpoint;
  sender: StreamSender;
  receiver: StreamReceiver;
  closer: StreamCloser;
  acceptor: StreamAcceptor;
  state: SocketState = SocketState.open;
  /** The peer sent FIN. */
  isPeerClosed = false;
  /** Code that calls on a broken connection answer. */
  brokenError = 0;
  readonly #connector = new StreamConnector(this);
  /** The AcceptEx that is to fill this socket; `null`: none. */
  accepting: PendingRequest | null = null;
  /** The DisconnectEx that makes it as new; `null`: none. */
  disconnecting: PendingRequest | null = null;
  /** Whose context it lacks: see `stream-extensions.ts`. */
  staleContext: Context = Context.own;
  /** The listener that AcceptEx got it from. */
  #acceptedFrom: ExtendedStream | null = null;
  /** Where `bind` put it, to be bound there again when it is as new. */
  #boundTo: Uint8Array | null = null;

  constructor(context: AfdContext, type: number, protocol: number, owner: number, endpoint: TcpEndpoint) {
    super(context, type, protocol, owner);
    this.endpoint = endpoint;
    this.sender = new StreamSender(this);
    this.receiver = new StreamReceiver(this);
    this.closer = new StreamCloser(this, () => this.sender.overflowBytes);
    this.acceptor = this.#newAcceptor();
    endpoint.context = this;
    endpoint.refusedRetries = REFUSED_RETRIES;
  }

  get isBound(): boolean {
    return this.endpoint.localPort !== 0;
  }

  get stateName(): string {
    return this.endpoint.state;
  }

  get sendQueue(): number {
    return this.endpoint.unsentBytes + this.sender.overflowBytes;
  }

  get readableBytes(): number {
    return this.receiver.readableBytes;
  }

  get pollError(): number {
    return this.state === SocketState.broken ? this.brokenError : this.#connector.error;
  }

  override bind(address: Uint8Array | null): number {
    const error = this.checkAddress(address);
    if (error !== 0 || address === null) return error;
    if (this.isBound || this.state !== SocketState.open) return WSAEINVAL;
    const result = this.endpoint.bind(addressOf(address), portOf(address), this.bindOptions);
    if (result >= 0) this.#boundTo = copyOf(address);
    return wsaOf(result);
  }

  override listen(backlog: number): number {
    const error = streamRule('listen', this.state);
    if (error !== 0) return error;
    if (this.state === SocketState.listening) return 0; // SEM-BKLG-04
    if (!this.isBound) return WSAEINVAL;
    const result = this.endpoint.listen(normalizeBacklog(backlog));
    if (result < 0) return wsaOf(result);
    this.state = SocketState.listening;
    return 0;
  }

  override accept(request: AfdRequest, reply: AfdCompletion, owner: RequestOwner): number {
    return this.acceptor.accept(request, reply, owner);
  }

  override acceptRequest(request: AfdRequest, reply: AfdCompletion, owner: RequestOwner): number {
    return this.acceptor.ask(request, reply, owner);
  }

  override refuse(number: number, isDeferred: boolean, owner: RequestOwner): number {
    return this.acceptor.refuse(number, isDeferred, owner);
  }

  override released(owner: RequestOwner): void {
    if (this.state === SocketState.listening) this.acceptor.abandon(owner);
  }

  override connect(request: AfdRequest): number {
    return this.#connector.connect(request);
  }

  override superAccept(target: AfdEndpoint, request: AfdRequest, reply: AfdCompletion): number {
    return target instanceof StreamEndpoint ? superAccept(this, target, request, reply) : WSAEINVAL;
  }

  override disconnect(flags: number): number {
    return this.disconnecting !== null ? WSAEINVAL : disconnect(this, flags);
  }

  override pend(request: PendingRequest): void {
    if (request.op === AfdOp.superAccept) {
      if (request.target instanceof StreamEndpoint) pendAccept(this, request, request.target);
      return;
    }
    super.pend(request);
    if (request.op === AfdOp.disconnect) {
      this.disconnecting = request;
      request.detach = () => {
        this.disconnecting = null;
      };
    }
    if (request.op === AfdOp.connect) this.#connector.pend(request);
  }

  override send(request: AfdRequest, reply: AfdCompletion, owner: RequestOwner): number {
    return this.sender.send(request, reply, owner);
  }

  override recv(request: AfdRequest, reply: AfdCompletion): number {
    return this.receiver.recv(request, reply);
  }

  override shutdown(how: number): number {
    if (how !== SD_RECEIVE && how !== SD_SEND && how !== SD_BOTH) return WSAEINVAL;
    const error = streamRule('shutdown', this.state);
    if (error !== 0) return error;
    if (this.staleContext !== Context.own) return WSAENOTCONN; // SEM-OV-18, SEM-OV-19
    const isRepeated = (how === SD_RECEIVE || this.isSendShut) && (how === SD_SEND || this.isReceiveShut);
    if (isRepeated) return 0; // SEM-SHUT-04
    if (this.state === SocketState.broken) return this.takeBrokenError();
    this.endSending(how);
    return 0;
  }

  /** Ends the directions of `how`, which is SD_*. */
  endSending(how: number): void {
    if (how !== SD_RECEIVE && !this.isSendShut) {
      this.isSendShut = true;
      this.sender.finish();
    }
    if (how !== SD_SEND && !this.isReceiveShut) {
      this.isReceiveShut = true;
      this.receiver.finish();
    }
  }

  override getSockName(reply: AfdCompletion): number {
    return this.staleContext === Context.accept ? WSAEINVAL : super.getSockName(reply);
  }

  override getPeerName(reply: AfdCompletion): number {
    return this.#connector.getPeerName(reply);
  }

  override closeWouldBlock(flags: number): boolean {
    return this.closer.wouldBlock(flags);
  }

  override close(flags: number): number {
    this.accepting?.giveUp(WSA_OPERATION_ABORTED);
    this.endRequests();
    return this.closer.close(flags);
  }

  override pollState(): number {
    switch (this.state) {
      case SocketState.listening:
        return this.acceptor.isReady ? AfdPollEvent.accept : 0;
      case SocketState.connected:
        return this.#connectedPollState();
      case SocketState.broken:
        return AfdPollEvent.abort | (this.isPeerClosed ? AfdPollEvent.disconnect : 0);
      default:
        return this.#connector.error !== 0 ? AfdPollEvent.connectFail : 0;
    }
  }

  override currentEvents(): number {
    if (this.state === SocketState.listening) return this.acceptor.isReady ? FD_ACCEPT : 0;
    if (this.state === SocketState.broken) return FD_CLOSE;
    if (this.state !== SocketState.connected) return 0;
    let events = this.isPeerClosed ? FD_CLOSE : 0;
    if (this.readableBytes > 0) events |= FD_READ;
    if (this.sender.hasRoom) events |= FD_WRITE;
    if (this.receiver.isUrgentWaiting) events |= FD_OOB;
    return events;
  }

  override happened(events: number): void {
    if (this.isClosed) return;
    if ((events & EndpointEvent.connected) !== 0) this.#connector.connected();
    if ((events & (EndpointEvent.acceptable | EndpointEvent.requested)) !== 0) this.acceptor.arrived();
    if ((events & EndpointEvent.backlogChanged) !== 0) this.context.notices.backlogChanged(this);
    if ((events & EndpointEvent.urgent) !== 0) this.receiver.urgentArrived();
    if ((events & EndpointEvent.readable) !== 0) this.receiver.arrived();
    if ((events & ROOM_EVENTS) !== 0) this.sender.roomMade();
    if ((events & EndpointEvent.peerClosed) !== 0) this.#peerClosed();
    if ((events & EndpointEvent.failed) !== 0) this.#failed();
    this.closer.happened();
    if (this.disconnecting !== null) disconnected(this);
  }

  /** SO_UPDATE_ACCEPT_CONTEXT: it is what `accept` would have given, with the listener's options (SEM-OV-18). */
  updateAcceptContext(): number {
    if (this.state !== SocketState.connected) return WSAENOTCONN;
    const listener = this.#acceptedFrom;
    if (listener !== null) this.options = listener.options.inherit();
    this.#acceptedFrom = null;
    if (this.staleContext === Context.accept) this.staleContext = Context.own;
    return 0;
  }

  /** SO_UPDATE_CONNECT_CONTEXT (SEM-OV-19). */
  updateConnectContext(): number {
    if (this.state !== SocketState.connected) return WSAENOTCONN;
    if (this.staleContext === Context.connect) this.staleContext = Context.own;
    return 0;
  }

  /** AcceptEx has a connection for it. */
  acceptFrom(listener: ExtendedStream, connection: TcpEndpoint): void {
    this.#replace(connection);
    this.staleContext = Context.accept;
    this.#acceptedFrom = listener;
    this.#begin(connection);
  }

  /** The connection has ended both ways: the socket is unused again, and bound where it was. */
  renew(): void {
    this.receives.drain(() => WSA_OPERATION_ABORTED);
    this.sends.drain(() => WSA_OPERATION_ABORTED);
    const { stack } = this.context;
    this.#replace(stack.openTcp(this.endpoint.localAddress.family));
    this.endpoint.refusedRetries = REFUSED_RETRIES;
    this.state = SocketState.open;
    this.staleContext = Context.own;
    this.#acceptedFrom = null;
    this.#connector.reset();
    this.brokenError = 0;
    this.isPeerClosed = false;
    this.isSendShut = false;
    this.isReceiveShut = false;
    const name = this.#boundTo;
    // Should the port be somebody else's by now, the socket is unbound.
    if (name !== null) this.bind(name);
  }

  /** Code of a call on a broken connection: the first is told what happened, later ones that it is over (SEM-IO-19). */
  takeBrokenError(): number {
    const error = this.brokenError;
    if (error === WSAENETRESET) this.brokenError = WSAECONNRESET;
    return error;
  }

  /** Seconds since it was connected; -1 when it is not (SO_CONNECT_TIME). */
  get connectedSeconds(): number {
    return this.#connector.connectedSeconds;
  }

  protected override closeError(request: PendingRequest): number {
    const isOverlappedReceive = request.op === AfdOp.recv && (request.flags & AFD_OVERLAPPED) !== 0;
    if (isOverlappedReceive && this.state === SocketState.connected) return WSAECONNABORTED; // SEM-OV-12
    return super.closeError(request);
  }

  protected override release(isAbortive: boolean): void {
    this.closer.stop();
    this.sender.release();
    this.acceptor.close();
    if (isAbortive && this.state !== SocketState.listening) this.endpoint.abort();
    this.state = SocketState.closed;
    this.endpoint.close();
  }

  finishSending(): void {
    this.sender.finish();
  }

  /** Ends the stack's endpoint: `stream-close.ts` says when. */
  end(isAbortive: boolean): void {
    this.dispose(isAbortive);
  }

  /** Makes a connection that was waiting a socket of the session, with what it inherits (SEM-ACC-01 … SEM-ACC-03). */
  #adopt(child: TcpEndpoint, owner: RequestOwner): number {
    const accepted = new StreamEndpoint(this.context, this.type, this.protocol, this.owner, child);
    accepted.options = this.options.inherit();
    accepted.isNonBlocking = this.isNonBlocking;
    accepted.events.inherit(this.events);
    accepted.#begin(child);
    return owner.adopt(accepted);
  }

  /** Takes up a connection that waited: what has happened to it meanwhile. */
  #begin(child: TcpEndpoint): void {
    this.#connector.connectedTo(child.remoteAddress, child.remotePort);
    if (this.sender.hasRoom) this.events.raise(FD_WRITE);
    else this.events.sendBlocked(); // a SYN that was held: its handshake goes on
    this.receiver.urgentArrived();
    this.receiver.arrived();
    const isFinIn = child.state === 'CLOSE-WAIT' || child.state === 'CLOSING' || child.state === 'LAST-ACK';
    if (isFinIn || child.atEnd) this.#peerClosed();
    if (child.error !== 0) this.#failed();
  }

  /** Puts another endpoint of the stack in the place of the one that it had. */
  #replace(endpoint: TcpEndpoint): void {
    const old = this.endpoint;
    this.closer.stop();
    this.sender.release();
    this.acceptor.close();
    old.context = null;
    old.close();
    this.endpoint = endpoint;
    endpoint.context = this;
    this.sender = new StreamSender(this);
    this.receiver = new StreamReceiver(this);
    this.closer = new StreamCloser(this, () => this.sender.overflowBytes);
    this.acceptor = this.#newAcceptor();
  }

  #newAcceptor(): StreamAcceptor {
    return new StreamAcceptor(
      this,
      (child, by) => this.#adopt(child, by),
      (request) => serveAccept(this, request),
    );
  }

  #peerClosed(): void {
    if (this.isPeerClosed) return;
    this.isPeerClosed = true;
    this.events.raise(FD_CLOSE);
    this.receiver.arrived();
  }

  #failed(): void {
    if (this.state === SocketState.connecting) this.#connector.failed();
    else if (this.state === SocketState.connected) this.#broke();
  }

  #broke(): void {
    this.state = SocketState.broken;
    const error = wsaOfBroken(this.endpoint.error);
    // A reset after the peer's FIN answers our bytes: we are the ones who went on (SEM-SHUT-06).
    this.brokenError = error === WSAECONNRESET && this.isPeerClosed ? WSAECONNABORTED : error;
    this.sender.release();
    const pending = this.receives.head !== null || this.sends.head !== null;
    const reported = this.brokenError;
    this.receives.drain(() => reported);
    this.sends.drain(() => reported);
    if (pending) this.takeBrokenError();
    // Windows reports a reset as an abort here (SEM-EV-19).
    this.events.raise(FD_CLOSE, error === WSAENETDOWN ? WSAENETDOWN : WSAECONNABORTED);
  }

  #connectedPollState(): number {
    let events = 0;
    if (!this.isReceiveShut && this.readableBytes > 0) events |= AfdPollEvent.receive;
    if (this.receiver.isUrgentWaiting) events |= AfdPollEvent.receiveExpedited;
    if (this.isPeerClosed) events |= AfdPollEvent.disconnect;
    // A call that fails at once does not block either.
    if (this.isSendShut || this.sender.hasRoom) events |= AfdPollEvent.send | AfdPollEvent.connect;
    return events;
  }
}
