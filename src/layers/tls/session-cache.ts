/**
 * Sessions of client sockets, kept for resumption when an application wants it by SO_SSL_SET_CLIENT_OPTS. A resumed connection's certificate
 * is judged like any other.
 */

import type { Scheduler } from '../../base/index.ts';

interface Kept {
  readonly session: Buffer;
  readonly until: number;
}

/** Entries, whatever applications ask for. */
const MOST_ENTRIES = 1000;
/** What a cache time of 0 means, seconds. */
const DEFAULT_SECONDS = 300;

export class SessionCache {
  readonly #scheduler: Scheduler;
  readonly #kept = new Map<string, Kept>();

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** @param key who the peer is, and what was asked of it */
  take(key: string): Buffer | undefined {
    const kept = this.#kept.get(key);
    // RFC 8446 §C.4: a ticket is used once.
    this.#kept.delete(key);
    return kept !== undefined && kept.until > this.#scheduler.now() ? kept.session : undefined;
  }

  /** @param seconds how long it is good for, @param entries how many are kept at most */
  put(key: string, session: Buffer, seconds: number, entries: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { session, until: this.#scheduler.now() + 1000 * (seconds || DEFAULT_SECONDS) });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= Math.min(entries, MOST_ENTRIES)) return;
      this.#kept.delete(oldest);
    }
  }
}
