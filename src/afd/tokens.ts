/**
 * Duplication tokens: 16 bytes that open a socket in another process, once (SEM-DUP-01).
 *
 * A token keeps its endpoint alive, so the process that gave it may close its own descriptor before. It is good for one process
 * id of one user, and for a limited time.
 */

import { type Cancel, putI32le, type Random, type Scheduler, toHex } from '../base/index.ts';
import type { PeerIdentity } from '../port/index.ts';

export const TOKEN_LEN = 16;
/** How long a token is good, ms. */
const TOKEN_LIFETIME_MS = 60_000;
/** Tokens outstanding at once, of all sessions. */
const MAX_TOKENS = 65_536;

/** What a token refers to. */
export interface Counted {
  references: number;
}

interface Token<E> {
  readonly endpoint: E;
  readonly pid: number;
  readonly uid: number;
  readonly cancel: Cancel;
}

export class DuplicateTokens<E extends Counted> {
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  readonly #tokens = new Map<string, Token<E>>();
  /** Called with an endpoint whose token has run out. */
  readonly #released: (endpoint: E) => void;

  constructor(random: Random, scheduler: Scheduler, released: (endpoint: E) => void) {
    this.#random = random;
    this.#scheduler = scheduler;
    this.#released = released;
  }

  /** A new token for process `pid` of user `uid`; `null` when there are too many. Takes a reference. */
  issue(endpoint: E, pid: number, uid: number): Uint8Array | null {
    if (this.#tokens.size >= MAX_TOKENS) return null;
    const bytes = new Uint8Array(TOKEN_LEN);
    for (let at = 0; at < TOKEN_LEN; at += 4) putI32le(bytes, at, this.#random.next());
    bytes[0] = (bytes[0] as number) | 1; // its first word travels where 0 means "no token" (SEM-SOCK-08)
    const key = toHex(bytes);
    if (this.#tokens.has(key)) return null;
    const cancel = this.#scheduler.after(TOKEN_LIFETIME_MS, () => {
      this.#tokens.delete(key);
      this.#released(endpoint);
    });
    endpoint.references++;
    this.#tokens.set(key, { endpoint, pid, uid, cancel });
    return bytes;
  }

  /** The endpoint of a token, whose reference goes to the caller; `null` when it is not good for `identity`. */
  redeem(bytes: Uint8Array, identity: PeerIdentity): E | null {
    const key = toHex(bytes);
    const token = this.#tokens.get(key);
    if (token === undefined || token.pid !== identity.pid || token.uid !== identity.uid) return null;
    this.#tokens.delete(key);
    token.cancel();
    return token.endpoint;
  }

  /** Ends all tokens, without a word about their endpoints. */
  clear(): void {
    for (const token of this.#tokens.values()) token.cancel();
    this.#tokens.clear();
  }
}
