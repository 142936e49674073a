/**
 * What AcceptEx, ConnectEx and DisconnectEx need of a stream socket: a connection that becomes a socket which is there already, and
 * a socket that becomes as new (SEM-OV-16 … SEM-OV-20).
 *
 * A socket that got its connection from AcceptEx or ConnectEx does not know its names, and cannot be shut down, until
 * SO_UPDATE_ACCEPT_CONTEXT or SO_UPDATE_CONNECT_CONTEXT is set.
 */

import { SD_SEND, sockaddrOf, TF_REUSE_SOCKET, WSAEFAULT, WSAEINVAL, WSAENOTCONN } from '../abi/index.ts';
import type { AfdCompletion, AfdRequest } from '../port/index.ts';
import type { TcpEndpoint } from '../stack/index.ts';
import { PEND, type PendingRequest } from './request.ts';
import { SocketState, streamRule } from './socket-state.ts';
import type { StreamAcceptor } from './stream-accept.ts';
import type { StreamHost } from './stream-host.ts';
import type { StreamReceiver } from './stream-receive.ts';

/** Whose context a socket still lacks. */
export const Context = { own: 0, accept: 1, connect: 2 } as const;
export type Context = (typeof Context)[keyof typeof Context];

/** A stream socket, as this sees it. */
export interface ExtendedStream extends StreamHost {
  readonly family: number;
  readonly isBound: boolean;
  readonly acceptor: StreamAcceptor;
  readonly receiver: StreamReceiver;
  /** The AcceptEx that is to fill it. */
  accepting: PendingRequest | null;
  /** The DisconnectEx that makes it as new. */
  readonly disconnecting: PendingRequest | null;
  /** Ends the directions of SD_*. */
  endSending(how: number): void;
  /** Takes a connection that AcceptEx got from `listener`. */
  acceptFrom(listener: ExtendedStream, connection: TcpEndpoint): void;
  /** Makes it as new. */
  renew(): void;
  changed(): void;
}

/** What is wrong with a socket that AcceptEx is to fill; 0: nothing (API-AcceptEx). */
function checkTarget(target: ExtendedStream, listener: ExtendedStream): number {
  const isFresh = target.state === SocketState.open && !target.isBound && target.accepting === null;
  return isFresh && target !== listener && target.family === listener.family ? 0 : WSAEINVAL;
}

/**
 * AcceptEx: the oldest connection of `listener` becomes `target`'s. With room for data it is done when the first arrives.
 * `request.b` 1: the caller has too little room for the names, which fails once somebody is there, who stays in the queue.
 */
export function superAccept(
  listener: ExtendedStream,
  target: ExtendedStream,
  request: AfdRequest,
  reply: AfdCompletion,
): number {
  const error = streamRule('accept', listener.state) || checkTarget(target, listener);
  if (error !== 0) return error;
  if (listener.others.head !== null || !listener.acceptor.isReady) return PEND;
  if (request.b !== 0) return WSAEFAULT;
  const connection = listener.acceptor.take();
  if (connection === null) return PEND;
  target.acceptFrom(listener, connection);
  reply.address = bothNames(connection);
  if (request.into === null || request.into.length === 0) return 0;
  return target.receiver.recv(request, reply);
}

/** Files an AcceptEx that pends: at the listener, or, once there is a connection, where data arrives. */
export function pendAccept(listener: ExtendedStream, request: PendingRequest, target: ExtendedStream): void {
  target.accepting = request;
  request.detach = () => {
    target.accepting = null;
  };
  request.target = target;
  if (target.state === SocketState.connected) awaitData(target, request);
  else listener.others.push(request);
}

/** Serves an AcceptEx that waits. @returns whether it is out of the listener's queue */
export function serveAccept(listener: ExtendedStream, request: PendingRequest): boolean {
  if (!listener.acceptor.isReady) return false;
  const { target } = request;
  if (request.b !== 0) {
    request.complete(WSAEFAULT);
    return true;
  }
  const connection = listener.acceptor.take();
  if (connection === null) return false;
  // Whoever closes the target ends the request with it.
  const socket = target as ExtendedStream; // `pendAccept` has set it
  listener.others.remove(request);
  socket.acceptFrom(listener, connection);
  if (request.into === null || request.into.length === 0) {
    request.complete(0, 0, 0, bothNames(connection));
  } else {
    awaitData(socket, request);
    socket.receiver.arrived();
  }
  socket.changed();
  return true;
}

function awaitData(target: ExtendedStream, request: PendingRequest): void {
  request.address = bothNames(target.endpoint);
  target.receives.push(request);
}

/** The local name, and behind it the peer's. */
function bothNames(connection: TcpEndpoint): Uint8Array {
  const local = sockaddrOf(connection.localAddress, connection.localPort);
  const peer = sockaddrOf(connection.remoteAddress, connection.remotePort);
  const names = new Uint8Array(local.length + peer.length);
  names.set(local);
  names.set(peer, local.length);
  return names;
}

/**
 * DisconnectEx: no more sending; with TF_REUSE_SOCKET it is done when the connection has ended both ways, and the socket is then
 * as new, bound as it was.
 */
export function disconnect(stream: ExtendedStream, flags: number): number {
  if ((flags & ~TF_REUSE_SOCKET) !== 0) return WSAEINVAL;
  const isConnected = stream.state === SocketState.connected || stream.state === SocketState.broken;
  if (!isConnected) return WSAENOTCONN;
  if (stream.state === SocketState.connected) stream.endSending(SD_SEND);
  if ((flags & TF_REUSE_SOCKET) === 0) return 0;
  if (!hasEnded(stream)) return PEND;
  stream.renew();
  return 0;
}

/** Something happened to a socket whose disconnection waits: perhaps the connection has ended. */
export function disconnected(stream: ExtendedStream): void {
  const request = stream.disconnecting;
  if (request === null || !hasEnded(stream)) return;
  stream.renew();
  request.complete(0);
}

function hasEnded(stream: ExtendedStream): boolean {
  if (stream.state === SocketState.broken) return true;
  const { state } = stream.endpoint;
  return stream.sendQueue === 0 && (state === 'TIME-WAIT' || state === 'CLOSED');
}
