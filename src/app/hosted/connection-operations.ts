/**
 * Naming, connecting, accepting and ending sockets through a chain.
 */

import {
  ACCEPT_EX_ADDRESS_EXTRA,
  CF_ACCEPT,
  CF_DEFER,
  CF_REJECT,
  SO_LINGER,
  SOCKADDR_STORAGE_LEN,
  SOL_SOCKET,
  WSAEACCES,
  WSAECONNREFUSED,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAEWOULDBLOCK,
  WSATRY_AGAIN,
} from '../../abi/index.ts';
import type { Answer, ConditionFunction, Ref } from '../../spi/index.ts';
import { getAcceptExSockaddrs } from '../../spi/index.ts';
import type { ChainHost, Operation } from './chain-host.ts';
import type { ChainSocket } from './chain-socket.ts';
import { counted, finished, isOverlapped } from './data-operations.ts';
import type { SocketEvents } from './event-operations.ts';
import type { Ticket } from './ticket.ts';

/** `flags` of a close that resets the connection. */
const CLOSE_ABORTIVE = 1;

export const bind: Operation = (_host, { address }, { table, handle }) =>
  table.WSPBind(handle, address, address?.length ?? 0);

export const listen: Operation = (_host, { a }, socket) =>
  finished(socket.table.WSPListen(socket.handle, a), (answer) => {
    if (answer >= 0) socket.isListening = true;
    return answer;
  });

export const shutdown: Operation = (_host, { a }, { table, handle }) => table.WSPShutdown(handle, a);

export const connect: Operation = (host, ticket, socket) => {
  const { address, data } = ticket;
  const length = address?.length ?? 0;
  const { table, handle } = socket;
  if (!isOverlapped(ticket) || !socket.isStream) {
    return table.WSPConnect(handle, address, length, null, null, null, null);
  }
  return host.overlapped(ticket, handle, (record) => {
    const count: Ref = { value: 0 };
    return counted(
      host.winsock.ConnectEx(handle, address, length, data, data?.length ?? 0, count, record),
      count,
    );
  });
};

export const disconnect: Operation = (host, ticket, { handle }) => {
  const { a } = ticket;
  if (!isOverlapped(ticket)) return finished(host.winsock.DisconnectEx(handle, null, a, 0), zeroOr);
  return host.overlapped(ticket, handle, (record) =>
    finished(host.winsock.DisconnectEx(handle, record, a, 0), zeroOr),
  );
};

export const joinLeaf: Operation = (_host, { address, a }, { table, handle }) =>
  finished(table.WSPJoinLeaf(handle, address, address?.length ?? 0, null, null, null, null, a), zeroOr);

export const getSockName: Operation = (_host, ticket, { table, handle }) =>
  name(ticket, (into, length) => table.WSPGetSockName(handle, into, length));

export const getPeerName: Operation = (_host, ticket, { table, handle }) =>
  name(ticket, (into, length) => table.WSPGetPeerName(handle, into, length));

/** The descriptor is gone at once, though the close may linger; a close that could not leaves it. */
export const close: Operation = (host, { flags }, socket) => {
  const { table, handle } = socket;
  if ((flags & CLOSE_ABORTIVE) !== 0) {
    const abort = Uint8Array.of(1, 0, 0, 0);
    void table.WSPSetSockOpt(handle, SOL_SOCKET, SO_LINGER, abort, abort.length);
  }
  return finished(host.winsock.closesocket(handle), (answer) => {
    if (answer !== -WSAEWOULDBLOCK) host.drop(socket);
    return answer;
  });
};

/** AcceptEx. The buffer has room for any sockaddr behind the data. */
export const superAccept: Operation = (host, ticket, listener) => {
  const { a, b, into } = ticket;
  const target = host.sockets.get(a);
  if (target === undefined) return -WSAENOTSOCK;
  const room = into?.length ?? 0;
  const place = SOCKADDR_STORAGE_LEN + ACCEPT_EX_ADDRESS_EXTRA;
  // A place that is too short for a name has AcceptEx fail once somebody is there.
  const local = b === 0 ? place : 0;
  const remote = b === 0 ? place : 1;
  const buffer = new Uint8Array(room + local + remote);
  const answer = host.overlapped(ticket, listener.handle, (record) => {
    const count: Ref = { value: 0 };
    return counted(
      host.winsock.AcceptEx(listener.handle, target.handle, buffer, room, local, remote, count, record),
      count,
    );
  });
  return finished(answer, (bytes) => {
    if (bytes < 0) return bytes;
    target.acceptedFrom = listener.handle;
    into?.set(buffer.subarray(0, bytes));
    ticket.outAddress = bothNames(buffer, room, local, remote);
    return bytes;
  });
};

/** Somebody at a listener about whom the application decides: a condition function that waits. */
interface Caller {
  readonly listener: ChainSocket;
  readonly decide: (verdict: number) => void;
  /** What the accept that asks has answered. */
  readonly accepted: Answer;
  readonly peer: { readonly bytes: Uint8Array; readonly length: Ref };
}

/** Accepting, with the callers that wait for a decision. */
export class Accepting {
  readonly #host: ChainHost;
  readonly #events: SocketEvents;
  readonly #callers = new Map<number, Caller>();
  #lastNumber = 0;

  constructor(host: ChainHost, events: SocketEvents) {
    this.#host = host;
    this.#events = events;
  }

  readonly accept: Operation = (host, ticket, listener) => {
    if (ticket.a !== 0) return this.#acceptAsked(ticket, listener);
    const peer = roomForName();
    const begin = (): Answer => listener.table.WSPAccept(listener.handle, peer.bytes, peer.length, null, 0);
    const answer = isOverlapped(ticket) ? host.inMode(listener, false, begin) : begin();
    return finished(answer, (handle) => this.#accepted(ticket, listener, handle, peer));
  };

  /** Starts an accept whose condition function asks the application. */
  readonly acceptRequest: Operation = (host, ticket, listener) =>
    settled((settle) => {
      const peer = roomForName();
      let isAsked = false;
      const condition: ConditionFunction = (caller, _data, _sqos, _gqos, callee) =>
        new Promise((decide) => {
          isAsked = true;
          const number = ++this.#lastNumber;
          this.#callers.set(number, { listener, decide, accepted, peer });
          ticket.outAddress = caller.slice();
          ticket.outData = callee.slice();
          settle(number);
        });
      const begin = (): Answer =>
        listener.table.WSPAccept(listener.handle, peer.bytes, peer.length, condition, 0);
      const begun = isOverlapped(ticket) ? host.inMode(listener, false, begin) : begin();
      const accepted: Answer = finished(begun, (answer) => {
        if (!isAsked) settle(answer < 0 ? answer : -WSAEINVAL);
        return answer;
      });
    });

  readonly refuse: Operation = (_host, { a, b }, listener) => {
    const caller = this.#take(a, listener);
    if (caller === null) return -WSAEINVAL;
    caller.decide(b === 0 ? CF_REJECT : CF_DEFER);
    return finished(caller.accepted, (answer) =>
      answer === -WSAECONNREFUSED || answer === -WSATRY_AGAIN ? 0 : answer,
    );
  };

  /** Nobody will decide any more. */
  close(): void {
    for (const { decide } of this.#callers.values()) decide(CF_DEFER);
    this.#callers.clear();
  }

  #acceptAsked(ticket: Ticket, listener: ChainSocket): Answer {
    const caller = this.#take(ticket.a, listener);
    if (caller === null) return -WSAEACCES;
    caller.decide(CF_ACCEPT);
    return finished(caller.accepted, (handle) => this.#accepted(ticket, listener, handle, caller.peer));
  }

  #take(number: number, listener: ChainSocket): Caller | null {
    const caller = this.#callers.get(number);
    if (caller === undefined || caller.listener !== listener) return null;
    this.#callers.delete(number);
    return caller;
  }

  #accepted(ticket: Ticket, listener: ChainSocket, handle: number, peer: Caller['peer']): number {
    if (handle < 0) return handle;
    const socket = this.#host.admit(handle, listener.isStream);
    if (socket === null) return -WSAENOTSOCK;
    socket.isNonBlocking = listener.isNonBlocking;
    this.#events.inherit(socket, listener);
    ticket.outAddress = peer.bytes.subarray(0, Math.min(peer.length.value, peer.bytes.length));
    return socket.descriptor;
  }
}

/** An answer that is given by a call, perhaps before the function returns. */
function settled(start: (settle: (answer: number) => void) => void): Answer {
  let known: number | null = null;
  let settle = (answer: number): void => {
    known = answer;
  };
  start((answer) => settle(answer));
  if (known !== null) return known;
  return new Promise((resolve) => {
    settle = resolve;
  });
}

function roomForName(): Caller['peer'] {
  return { bytes: new Uint8Array(SOCKADDR_STORAGE_LEN), length: { value: SOCKADDR_STORAGE_LEN } };
}

function name(ticket: Ticket, call: (into: Uint8Array, length: Ref) => Answer): Answer {
  const { bytes, length } = roomForName();
  return finished(call(bytes, length), (answer) => {
    if (answer >= 0) ticket.outAddress = bytes.subarray(0, Math.min(length.value, bytes.length));
    return zeroOr(answer);
  });
}

/** The local sockaddr, and behind it the peer's. */
function bothNames(buffer: Uint8Array, at: number, local: number, remote: number): Uint8Array | null {
  const first: Ref<Uint8Array | null> = { value: null };
  const second: Ref<Uint8Array | null> = { value: null };
  const length: Ref = { value: 0 };
  getAcceptExSockaddrs(buffer, at, local, remote, first, length, second, length);
  if (first.value === null || second.value === null) return null;
  const both = new Uint8Array(first.value.length + second.value.length);
  both.set(first.value);
  both.set(second.value, first.value.length);
  return both;
}

function zeroOr(answer: number): number {
  return Math.min(answer, 0);
}
