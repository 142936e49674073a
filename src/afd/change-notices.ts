/**
 * The control codes that wait for a change: of the address list, of the way to a destination, of a connection's ideal send backlog
 * (IOC-SIO_ADDRESS_LIST_CHANGE, IOC-SIO_ROUTING_INTERFACE_CHANGE, IOC-SIO_IDEAL_SEND_BACKLOG_CHANGE).
 *
 * Who may wait has the request completed; who may not is told WSAEWOULDBLOCK, and later by FD_ADDRESS_LIST_CHANGE or
 * FD_ROUTING_INTERFACE_CHANGE, once for each asking (SEM-EV-09, SEM-EV-10).
 */

import { AF_INET6, SIO_IDEAL_SEND_BACKLOG_CHANGE, WSAEWOULDBLOCK } from '../abi/index.ts';
import type { IpAddress } from '../base/index.ts';
import { ConfigChange, type Stack } from '../stack/index.ts';
import type { NetworkEvents } from './events.ts';
import { PEND, type PendingRequest, type RequestQueue } from './request.ts';

/** A socket, as far as notices go. */
export interface NoticeTarget {
  readonly events: NetworkEvents;
  /** Its control codes that wait. */
  readonly notices: RequestQueue;
  mayWait(flags: number): boolean;
  /** Tells those who wait for its events. */
  changed(): void;
}

/** One asking. */
interface Watch {
  readonly socket: NoticeTarget;
  /** FD_*; 0 for what no event tells. */
  readonly event: number;
  /** What it is about, as it was when it was asked about. */
  readonly look: () => string;
  readonly seen: string;
  /** `null`: told by the event. */
  request: PendingRequest | null;
}

export class ChangeNotices {
  readonly #stack: Stack;
  readonly #watches = new Set<Watch>();
  /** The one that the call being carried out has begun, whose request is about to be filed. */
  #latest: Watch | null = null;
  #routeChanges = 0;

  constructor(stack: Stack) {
    this.#stack = stack;
  }

  /** @returns {@link PEND}, or WSAEWOULDBLOCK: then the event tells */
  watch(socket: NoticeTarget, event: number, look: () => string, flags: number): number {
    const watch: Watch = { socket, event, look, seen: look(), request: null };
    const mayWait = socket.mayWait(flags);
    if (!mayWait) {
      // One event, however often it was asked for.
      for (const other of this.#watches) {
        if (other.socket === socket && other.event === event && other.request === null)
          this.#watches.delete(other);
      }
      socket.events.reenable(event, false);
    }
    this.#watches.add(watch);
    this.#latest = mayWait ? watch : null;
    return mayWait ? PEND : WSAEWOULDBLOCK;
  }

  /** Files the request of a call that answered {@link PEND}. */
  pends(request: PendingRequest): void {
    const watch = this.#latest;
    this.#latest = null;
    if (watch === null) return;
    watch.request = request;
    request.detach = () => {
      this.#watches.delete(watch);
    };
  }

  /** The socket is closed: nobody is to be told. */
  forget(socket: NoticeTarget): void {
    for (const watch of this.#watches) if (watch.socket === socket) this.#watches.delete(watch);
  }

  /** @param changes `ConfigChange` bits */
  configChanged(changes: number): void {
    if ((changes & ConfigChange.routes) !== 0) this.#routeChanges++;
    for (const watch of [...this.#watches]) if (watch.look() !== watch.seen) this.#tell(watch);
  }

  /** Of a connection: what it ought to have queued is more now, or less. */
  backlogChanged(socket: NoticeTarget): void {
    for (let request = socket.notices.head; request !== null; ) {
      const { next } = request;
      if (request.a >>> 0 === SIO_IDEAL_SEND_BACKLOG_CHANGE) request.complete(0);
      request = next;
    }
  }

  /** The addresses that a socket of this family could be bound to. */
  addressList(family: number): string {
    const own: string[] = [];
    for (const view of this.#stack.interfaces) {
      for (const { address, state } of view.addresses) {
        const isUsable = state !== 'tentative' && state !== 'duplicate';
        if (isUsable && address.family === (family === AF_INET6 ? 6 : 4))
          own.push(`${view.index} ${address}`);
      }
    }
    return own.join();
  }

  /** By which interface, and from where, packets to `destination` leave; of the any-address how often any route has changed. */
  wayTo(destination: IpAddress): string {
    if (destination.isAny) return String(this.#routeChanges);
    const way = this.#stack.routeTo(destination);
    return way === null ? '' : `${way.interfaceIndex} ${way.source}`;
  }

  #tell(watch: Watch): void {
    this.#watches.delete(watch);
    if (watch.request !== null) watch.request.complete(0);
    else {
      watch.socket.events.raise(watch.event);
      watch.socket.changed();
    }
  }
}
