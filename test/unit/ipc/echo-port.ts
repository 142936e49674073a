/**
 * An `AfdPort` for the tests of `ipc/`: each socket gives back what is sent to it. Operations that pend in a real one pend
 * here; ioctls pend until they are cancelled, which serves as the operation that never ends.
 */

import { NO_ERROR, WSA_OPERATION_ABORTED, WSAENOTSOCK, WSAEWOULDBLOCK } from '../../../src/abi/index.ts';
import {
  AFD_NO_WAIT,
  type AfdCompletion,
  AfdOp,
  type AfdPort,
  type AfdRequest,
  type PeerIdentity,
} from '../../../src/port/index.ts';

/** The address that `getPeerName` gives: AF_INET, port 7, 192.0.2.1. */
export const PEER_ADDRESS = Uint8Array.from([2, 0, 0, 7, 192, 0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0]);

interface EchoSocket {
  readonly chunks: Uint8Array[];
  readonly receivers: AfdRequest[];
}

export class EchoPort implements AfdPort {
  onComplete: (completion: AfdCompletion) => void = () => {};
  readonly identity: PeerIdentity;
  readonly sockets = new Map<number, EchoSocket>();
  readonly pending = new Map<number, AfdRequest>();
  /** Requests seen, in order. */
  readonly log: { op: number; descriptor: number; data: number; into: number }[] = [];
  /** SHA-free record of the bytes that came in sends. */
  bytesSent = 0;
  isClosed = false;
  /** Sends complete after this many turns of the event loop instead of at once. */
  delaySends = false;
  #last = 0;

  constructor(identity: PeerIdentity) {
    this.identity = identity;
  }

  submit(request: AfdRequest): AfdCompletion | null {
    const { op, descriptor, id } = request;
    this.log.push({ op, descriptor, data: request.data?.length ?? -1, into: request.into?.length ?? -1 });
    if (op === AfdOp.socket) {
      this.sockets.set(++this.#last, { chunks: [], receivers: [] });
      return done(id, this.#last);
    }
    const socket = this.sockets.get(descriptor);
    if (socket === undefined) return failed(id, WSAENOTSOCK);
    switch (op) {
      case AfdOp.close:
        this.sockets.delete(descriptor);
        for (const receiver of socket.receivers.splice(0))
          this.#later(failed(receiver.id, WSA_OPERATION_ABORTED));
        return done(id, 0);
      case AfdOp.connect:
        this.pending.set(id, request);
        this.#later(done(id, 0));
        return null;
      case AfdOp.getPeerName:
        return { ...done(id, 0), address: PEER_ADDRESS };
      case AfdOp.duplicate:
        return { ...done(id, 0), data: Uint8Array.from({ length: 16 }, (_, i) => i) };
      case AfdOp.getOption:
        request.into?.set([1, 2, 3, 4]);
        return done(id, 4);
      case AfdOp.waitEvents:
        request.into?.fill(9);
        return done(id, 3);
      case AfdOp.send:
        return this.#send(socket, request);
      case AfdOp.recv:
        return this.#receive(socket, request);
      case AfdOp.ioctl:
        this.pending.set(id, request);
        return null;
      default:
        return done(id, 0);
    }
  }

  cancel(id: number): void {
    if (!this.pending.has(id)) return;
    const request = this.pending.get(id) as AfdRequest;
    const socket = this.sockets.get(request.descriptor);
    const place = socket?.receivers.indexOf(request) ?? -1;
    if (place >= 0) socket?.receivers.splice(place, 1);
    this.#later(failed(id, WSA_OPERATION_ABORTED));
  }

  close(): void {
    this.isClosed = true;
    this.sockets.clear();
    const ids = [...this.pending.keys()];
    this.pending.clear();
    for (const id of ids) this.onComplete(failed(id, WSA_OPERATION_ABORTED));
  }

  #send(socket: EchoSocket, request: AfdRequest): AfdCompletion | null {
    const data = request.data ?? new Uint8Array(0);
    this.bytesSent += data.length;
    if (data.length > 0) socket.chunks.push(data.slice());
    while (socket.receivers.length > 0 && socket.chunks.length > 0) {
      const receiver = socket.receivers.shift() as AfdRequest;
      this.#later(take(socket, receiver));
    }
    if (!this.delaySends) return done(request.id, data.length);
    this.pending.set(request.id, request);
    setImmediate(() => this.#later(done(request.id, data.length)));
    return null;
  }

  #receive(socket: EchoSocket, request: AfdRequest): AfdCompletion | null {
    if (socket.chunks.length > 0) return take(socket, request);
    if ((request.flags & AFD_NO_WAIT) !== 0) return failed(request.id, WSAEWOULDBLOCK);
    this.pending.set(request.id, request);
    socket.receivers.push(request);
    return null;
  }

  #later(completion: AfdCompletion): void {
    queueMicrotask(() => {
      if (this.pending.delete(completion.id)) this.onComplete(completion);
    });
  }
}

function take(socket: EchoSocket, request: AfdRequest): AfdCompletion {
  const into = request.into ?? new Uint8Array(0);
  let at = 0;
  while (at < into.length && socket.chunks.length > 0) {
    const chunk = socket.chunks[0] as Uint8Array;
    const part = Math.min(chunk.length, into.length - at);
    into.set(chunk.subarray(0, part), at);
    at += part;
    if (part === chunk.length) socket.chunks.shift();
    else socket.chunks[0] = chunk.subarray(part);
  }
  return done(request.id, at);
}

function done(id: number, value: number): AfdCompletion {
  return { id, error: NO_ERROR, value, flags: 0, address: null, data: null };
}

function failed(id: number, error: number): AfdCompletion {
  return { ...done(id, 0), error };
}
