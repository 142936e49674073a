/**
 * WSAEventSelect, WSAAsyncSelect and WSAEnumNetworkEvents through a chain: the host has event objects, and a window that takes the
 * messages.
 */

import {
  FD_ALL_EVENTS,
  FD_MAX_EVENTS,
  WSAEFAULT,
  WSAEINVAL,
  WSAGETSELECTERROR,
  WSAGETSELECTEVENT,
  type WSANETWORKEVENTS,
} from '../../abi/index.ts';
import type { Answer } from '../../spi/index.ts';
import type { ChainHost, Operation } from './chain-host.ts';
import type { ChainSocket } from './chain-socket.ts';
import { finished } from './data-operations.ts';
import { EVENT_ERRORS_LEN } from './socket-events.ts';

/** The window and message of all registrations by message. */
const WINDOW = 0x7fff_0000;
const MESSAGE = 0x0400;
/** Most messages of sockets that are not known yet. */
const EARLY_MAX = 256;

export class SocketEvents {
  readonly #host: ChainHost;
  /** Sockets by the event object that the chain sets for them. */
  readonly #bySource = new Map<number, Set<ChainSocket>>();
  /** Messages of sockets whose accept has not been answered: handle, lParam. */
  #early: [number, number][] = [];

  constructor(host: ChainHost) {
    this.#host = host;
  }

  /** A message of WSAAsyncSelect. @returns whether it is one */
  message(hWnd: number, wParam: number, lParam: number): boolean {
    if (hWnd !== WINDOW) return false;
    const socket = this.#host.byHandle(wParam);
    if (socket !== undefined) post(socket, lParam);
    else if (this.#early.length < EARLY_MAX) this.#early.push([wParam, lParam]);
    return true;
  }

  readonly select: Operation = (_host, { a: mask, b }, socket) => {
    if ((mask & ~FD_ALL_EVENTS) !== 0) return -WSAEINVAL;
    const { table, handle, events } = socket;
    const isByMessage = b !== 0 && mask !== 0;
    const source = isByMessage || mask === 0 ? 0 : this.#sourceOf(socket);
    if (source < 0) return source;
    events.register(mask, isByMessage);
    const answer = isByMessage
      ? table.WSPAsyncSelect(handle, WINDOW, MESSAGE, mask)
      : table.WSPEventSelect(handle, source, mask);
    return finished(answer, (known) => {
      if (known >= 0) socket.isNonBlocking = true;
      return known;
    });
  };

  readonly wait: Operation = (_host, ticket, { events }) => {
    const { into } = ticket;
    if (events.mask === 0) return -WSAEINVAL;
    if (into !== null && into.length < EVENT_ERRORS_LEN) return -WSAEFAULT;
    ticket.cancel = () => events.cancel(into);
    return events.wait(into);
  };

  readonly enumerate: Operation = (_host, { into }, socket) => {
    if (into !== null && into.length < EVENT_ERRORS_LEN) return -WSAEFAULT;
    return this.#fetch(socket, (events, errors) => socket.events.fetch(into, events, errors));
  };

  /** An accepted socket has its listener's registration. */
  inherit(socket: ChainSocket, listener: ChainSocket): void {
    socket.events.inherit(listener.events);
    const { mask, isByMessage, source } = socket.events;
    if (mask === 0) return;
    if (!isByMessage) {
      this.#bySource.get(source)?.add(socket);
      this.#look(socket);
      return;
    }
    const early = this.#early.filter(([handle]) => handle === socket.handle);
    this.#early = this.#early.filter(([handle]) => handle !== socket.handle);
    for (const [, lParam] of early) post(socket, lParam);
  }

  /** The socket is gone. */
  forget(socket: ChainSocket): void {
    const { source } = socket.events;
    const sockets = this.#bySource.get(source);
    if (sockets === undefined) return;
    sockets.delete(socket);
    if (sockets.size > 0) return;
    this.#bySource.delete(source);
    void this.#host.winsock.WSACloseEvent(source);
  }

  /** An event object of the socket's own; one that it shares with its listener is left to that. */
  #sourceOf(socket: ChainSocket): number {
    const { events } = socket;
    const sharing = this.#bySource.get(events.source);
    if (sharing?.size === 1) return events.source;
    sharing?.delete(socket);
    const source = this.#host.winsock.WSACreateEvent();
    if (typeof source !== 'number' || source < 0) return typeof source === 'number' ? source : -WSAEINVAL;
    const sockets = new Set([socket]);
    this.#bySource.set(source, sockets);
    events.source = source;
    const event = this.#host.process.handles.event(source);
    let isLooking = false;
    event?.waiters.add(() => {
      if (isLooking) return;
      isLooking = true;
      // A provider may set it in the middle of another of its calls.
      queueMicrotask(() => {
        isLooking = false;
        event.reset();
        for (const each of [...sockets]) this.#look(each);
      });
    });
    return source;
  }

  /** Fetches what the chain has recorded. */
  #look(socket: ChainSocket): void {
    const question = socket.events.asked();
    void this.#fetch(socket, (events, errors) => {
      socket.events.record(events, errors, question);
      return 0;
    });
  }

  #fetch(socket: ChainSocket, take: (events: number, errors: readonly number[]) => number): Answer {
    const found: WSANETWORKEVENTS = {
      lNetworkEvents: 0,
      iErrorCode: new Array<number>(FD_MAX_EVENTS).fill(0),
    };
    return finished(socket.table.WSPEnumNetworkEvents(socket.handle, 0, found), (answer) =>
      answer < 0 ? answer : take(found.lNetworkEvents, found.iErrorCode),
    );
  }
}

function post({ events }: ChainSocket, lParam: number): void {
  events.post(WSAGETSELECTEVENT(lParam), WSAGETSELECTERROR(lParam));
}
