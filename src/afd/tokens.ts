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
/** Tokens outstanding at once: of all sessions, and of one user's. */
const MAX_TOKENS = 65_536;
const MAX_OF_USER = 4096;

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
  /** How many each user has outstanding. */
  readonly #ofUser = new Map<number, number>();
  /** Called with an endpoint whose token has run out. */
  readonly #released: (endpoint: E) => void;

  constructor(random: Random, scheduler: Scheduler, released: (endpoint: E) => void) {
    this.#random = random;
    this.#scheduler = scheduler;
    this.#released = released;
  }

  /** A new token for process `pid` of user `uid`; `null` when there are too many. Takes a reference. */
  issue(endpoint: E, pid: number, uid: number): Uint8Array | null {
    const before = this.#ofUser.get(uid) ?? 0;
    if (this.#tokens.size >= MAX_TOKENS || before >= MAX_OF_USER) return null;
    const bytes = new Uint8Array(TOKEN_LEN);
    for (let at = 0; at < TOKEN_LEN; at += 4) putI32le(bytes, at, this.#random.next());
    bytes[0] = (bytes[0] as number) | 1; // its first word travels where 0 means "no token" (SEM-SOCK-08)
    const key = toHex(bytes);
    if (this.#tokens.has(key)) return null;
    const cancel = this.#scheduler.after(TOKEN_LIFETIME_MS, () => {
      this.#drop(key, uid);
      this.#released(endpoint);
    });
    endpoint.references++;
    this.#tokens.set(key, { endpoint, pid, uid, cancel });
    this.#ofUser.set(uid, before + 1);
    return bytes;
  }

  /** The endpoint of a token, whose reference goes to the caller; `null` when it is not good for `identity`. */
  redeem(bytes: Uint8Array, identity: PeerIdentity): E | null {
    const key = toHex(bytes);
    const token = this.#tokens.get(key);
    if (token === undefined || token.pid !== identity.pid || token.uid !== identity.uid) return null;
    this.#drop(key, token.uid);
    token.cancel();
    return token.endpoint;
  }

  /** Ends all tokens, without a word about their endpoints. */
  clear(): void {
    for (const token of this.#tokens.values()) token.cancel();
    this.#tokens.clear();
    this.#ofUser.clear();
  }

  #drop(key: string, uid: number): void {
    this.#tokens.delete(key);
    const left = (this.#ofUser.get(uid) ?? 1) - 1;
    if (left > 0) this.#ofUser.set(uid, left);
    else this.#ofUser.delete(uid);
  }
}
