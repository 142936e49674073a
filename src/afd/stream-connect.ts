/**
 * Connecting a stream socket, and its results (SEM-CONN-*): the peer's name, the connect that waits, and ConnectEx, which is an
 * overlapped one with rules and perhaps data of its own.
 */

import {
  FD_CONNECT,
  FD_WRITE,
  sockaddrOf,
  WSAEADDRNOTAVAIL,
  WSAEALREADY,
  WSAEINVAL,
  WSAEISCONN,
  WSAENOTCONN,
  WSAEWOULDBLOCK,
} from '../abi/index.ts';
import { IpAddress } from '../base/index.ts';
import { AFD_OVERLAPPED, type AfdCompletion, type AfdRequest } from '../port/index.ts';
import type { BindOptions, PortReservation } from '../stack/index.ts';
import { addressOf, portOf } from './endpoint.ts';
import { wsaOf } from './error-map.ts';
import { PEND, type PendingRequest } from './request.ts';
import { SocketState, streamRule } from './socket-state.ts';
import { Context, type ExtendedStream } from './stream-extensions.ts';
import type { StreamSender } from './stream-send.ts';

/** The socket as connecting sees it. */
export interface ConnectingStream extends ExtendedStream {
  state: SocketState;
  staleContext: Context;
  readonly sender: StreamSender;
  readonly reservation: PortReservation | null;
  readonly bindOptions: BindOptions;
  checkAddress(bytes: Uint8Array | null): number;
}

export class StreamConnector {
  /** Code of the failed connect that select shows in exceptfds, until one succeeds (SEM-SEL-11). */
  error = 0;
  readonly #stream: ConnectingStream;
  #peerAddress: IpAddress = IpAddress.anyV4;
  #peerPort = 0;
  /** The connect that waits for its end; `null` when nobody waits. */
  #waiting: PendingRequest | null = null;
  /** Bytes of a ConnectEx that are in the send buffer. */
  #sent = 0;
  /** Scheduler time at which it was connected; `NaN` before. */
  #connectedAt = Number.NaN;

  constructor(stream: ConnectingStream) {
    this.#stream = stream;
  }

  connect(request: AfdRequest): number {
    const stream = this.#stream;
    const { address, data } = request;
    const error = this.#rule(request.flags) || stream.checkAddress(address);
    if (error !== 0 || address === null) return error;
    const peer = addressOf(address);
    const port = portOf(address);
    if (peer.isAny || port === 0) return WSAEADDRNOTAVAIL;
    const { endpoint } = stream;
    if (stream.reservation !== null && !stream.isBound) {
      const bound = endpoint.bind(endpoint.localAddress, 0, stream.bindOptions);
      if (bound < 0) return wsaOf(bound);
    }
    const result =
      data === null
        ? endpoint.connect(peer, port)
        : endpoint.connectWithData(peer, port, data, 0, data.length);
    if (result < 0) return wsaOf(result);
    this.#sent = data === null ? 0 : result;
    stream.state = SocketState.connecting;
    this.#peerAddress = peer;
    this.#peerPort = port;
    return stream.mayWait(request.flags) ? PEND : WSAEWOULDBLOCK;
  }

  /** A connect waits from now on. Given up, the attempt goes on as one that nobody waits for. */
  pend(request: PendingRequest): void {
    this.#waiting = request;
    request.detach = () => {
      this.#waiting = null;
    };
  }

  /** Seconds since it was connected; -1 when it is not (SO_CONNECT_TIME). */
  get connectedSeconds(): number {
    const { state, context } = this.#stream;
    if (state !== SocketState.connected && state !== SocketState.broken) return -1;
    return Math.floor((context.scheduler.now() - this.#connectedAt) / 1000);
  }

  getPeerName(reply: AfdCompletion): number {
    const { state, staleContext } = this.#stream;
    const error = streamRule('getPeerName', state);
    if (error !== 0) return error;
    // ConnectEx in progress has no peer yet, an ordinary connect has (API-getpeername).
    if (this.#isExtended || staleContext !== Context.own) return WSAENOTCONN;
    reply.address = sockaddrOf(this.#peerAddress, this.#peerPort);
    return 0;
  }

  /** It has a peer: its own attempt came through, or it was accepted. */
  connectedTo(address: IpAddress, port: number): void {
    const stream = this.#stream;
    stream.state = SocketState.connected;
    this.#peerAddress = address;
    this.#peerPort = port;
    this.#connectedAt = stream.context.scheduler.now();
    this.error = 0;
    stream.options.error = 0; // SEM-ERR-05
  }

  /** The stack says that the attempt came through. */
  connected(): void {
    const stream = this.#stream;
    if (stream.state !== SocketState.connecting) return;
    this.connectedTo(this.#peerAddress, this.#peerPort);
    stream.events.raise(FD_CONNECT);
    stream.events.raise(FD_WRITE);
    const request = this.#waiting;
    if (request === null) return;
    if ((request.flags & AFD_OVERLAPPED) !== 0) stream.staleContext = Context.connect;
    const { data } = request;
    const sent = this.#sent;
    if (data === null || sent === data.length) {
      request.complete(0, sent);
      return;
    }
    // The rest of it follows as a send does.
    request.done = sent;
    request.detach = null;
    this.#waiting = null;
    stream.others.remove(request);
    stream.sends.push(request);
    stream.sender.roomMade();
  }

  /** It did not: the socket is as before, and may try again (SEM-CONN-04). */
  failed(): void {
    const stream = this.#stream;
    const error = wsaOf(stream.endpoint.error);
    stream.state = SocketState.open;
    stream.events.raise(FD_CONNECT, error);
    const waiting = this.#waiting;
    if (waiting !== null) {
      waiting.complete(error); // and SO_ERROR stays as it was (SEM-ERR-06)
      return;
    }
    this.error = error;
    stream.options.error = error;
  }

  /** The socket is as new. */
  reset(): void {
    this.#connectedAt = Number.NaN;
    this.error = 0;
  }

  /** ConnectEx is under way. */
  get #isExtended(): boolean {
    return this.#waiting !== null && (this.#waiting.flags & AFD_OVERLAPPED) !== 0;
  }

  /** What is wrong with connecting now. */
  #rule(flags: number): number {
    const { accepting, staleContext, state, isBound } = this.#stream;
    if (accepting !== null) return WSAEINVAL; // SEM-CONN-06
    const isConnectEx = (flags & AFD_OVERLAPPED) !== 0;
    if (staleContext !== Context.own) return isConnectEx ? WSAEISCONN : WSAEINVAL; // SEM-CONN-07
    const error = this.#isExtended ? WSAEINVAL : streamRule('connect', state);
    if (!isConnectEx) return error;
    if (error !== 0) return error === WSAEALREADY ? WSAEINVAL : error;
    return isBound ? 0 : WSAEINVAL; // SEM-STATE-06
  }
}
