/**
 * Who waits to be accepted at a listener (SEM-COND-*): connections of the stack's queue or, with SO_CONDITIONAL_ACCEPT, SYNs that
 * are held unanswered.
 *
 * Whoever has a condition function *asks* for the next one: it is out of everybody else's reach until the asker accepts it, rejects
 * it or defers it. A deferred one is ahead of all others.
 */

import type { ConnectionRequest, TcpEndpoint } from '../stack/index.ts';
import type { RequestOwner } from './request.ts';
import { MAX_BACKLOG } from './socket-state.ts';

/** Most callers that may be in the hands of askers, or deferred, at a time. */
const MAX_ASIDE = MAX_BACKLOG;

/** A connection that is complete, or a SYN. */
export type Caller = TcpEndpoint | ConnectionRequest;

interface Asked {
  readonly caller: Caller;
  readonly owner: RequestOwner;
}

/** Whether its SYN waits for an answer. */
function isRequest(caller: Caller): caller is ConnectionRequest {
  return 'reject' in caller;
}

export class AcceptQueue {
  readonly #listener: TcpEndpoint;
  /** Those that somebody decides about, by the number that the asker was told. */
  readonly #asked = new Map<number, Asked>();
  /** Complete connections that were put back, the oldest first. Held SYNs keep their place in the stack. */
  readonly #deferred: TcpEndpoint[] = [];
  #lastNumber = 0;

  constructor(listener: TcpEndpoint) {
    this.#listener = listener;
  }

  /** Whether an accept would find somebody. */
  get isWaiting(): boolean {
    return this.#listener.acceptableCount > 0 || this.#deferred.length > 0 || this.#nextRequest() !== null;
  }

  /** Whether there is room for one more decision. */
  get hasRoom(): boolean {
    return this.#asked.size + this.#deferred.length < MAX_ASIDE;
  }

  /** The oldest connection, which leaves the queue; a held SYN is answered by that (SEM-COND-06). */
  take(): TcpEndpoint | null {
    const waiting = this.#deferred.shift() ?? this.#listener.accept();
    if (waiting !== null) return waiting;
    for (let request = this.#nextRequest(); request !== null; request = this.#nextRequest()) {
      const connection = request.accept();
      if (connection !== null) return connection;
    }
    return null;
  }

  /**
   * The oldest caller, for one that will decide.
   * @returns it and the number that names it; `null` when nobody waits
   */
  ask(owner: RequestOwner): { readonly number: number; readonly caller: Caller } | null {
    const caller = this.#deferred.shift() ?? this.#listener.accept() ?? this.#nextRequest();
    if (caller === null) return null;
    do this.#lastNumber = this.#lastNumber === 0x7fff_ffff ? 1 : this.#lastNumber + 1;
    while (this.#asked.has(this.#lastNumber));
    this.#asked.set(this.#lastNumber, { caller, owner });
    return { number: this.#lastNumber, caller };
  }

  /** CF_ACCEPT. @returns the connection; `null` when the caller has given up, or was never asked about by `owner` */
  accept(number: number, owner: RequestOwner): TcpEndpoint | null {
    const caller = this.#decided(number, owner);
    return caller !== null && isRequest(caller) ? caller.accept() : caller;
  }

  /** CF_REJECT. @returns whether `owner` had asked about it */
  reject(number: number, owner: RequestOwner): boolean {
    const caller = this.#decided(number, owner);
    if (caller === null) return false;
    if (isRequest(caller)) caller.reject();
    else end(caller);
    return true;
  }

  /** CF_DEFER: it is the first again. @returns whether `owner` had asked about it */
  defer(number: number, owner: RequestOwner): boolean {
    const caller = this.#decided(number, owner);
    if (caller === null) return false;
    if (!isRequest(caller)) this.#deferred.unshift(caller);
    return true;
  }

  /** A session does not decide any more: its callers wait for somebody else. */
  abandon(owner: RequestOwner): void {
    for (const [number, asked] of [...this.#asked].reverse()) {
      if (asked.owner === owner) this.defer(number, owner);
    }
  }

  /** The listener ends: everybody who is out of the stack's queue is reset. */
  close(): void {
    for (const { caller } of this.#asked.values()) if (!isRequest(caller)) end(caller);
    for (const connection of this.#deferred) end(connection);
    this.#asked.clear();
    this.#deferred.length = 0;
  }

  #decided(number: number, owner: RequestOwner): Caller | null {
    const asked = this.#asked.get(number);
    if (asked === undefined || asked.owner !== owner) return null;
    this.#asked.delete(number);
    return asked.caller;
  }

  /** The oldest SYN that nobody decides about. */
  #nextRequest(): ConnectionRequest | null {
    const first = this.#listener.nextRequest;
    if (first === null || this.#asked.size === 0) return first;
    const asked = new Set([...this.#asked.values()].map(({ caller }) => caller));
    return this.#listener.requests.find((request) => !asked.has(request)) ?? null;
  }
}

function end(connection: TcpEndpoint): void {
  connection.abort();
  connection.close();
}
