/**
 * `createAfd`: the sockets of a host, for all of its sessions.
 */

import { type BufferAllocator, PoolAllocator, type Random, type Scheduler } from '../base/index.ts';
import type { AfdPort, PeerIdentity } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import { ChangeNotices } from './change-notices.ts';
import { Completions } from './completions.ts';
import type { AfdContext } from './context.ts';
import { type AfdEndpoint, CLOSE_ABORTIVE } from './endpoint.ts';
import { type AfdLimits, type AfdPolicy, DEFAULT_LIMITS } from './policy.ts';
import { PortReservations } from './port-reservations.ts';
import { Session } from './session.ts';
import { DuplicateTokens } from './tokens.ts';
import type { AfdSessionView, SocketView } from './views.ts';

/** What an afd is made of. */
export interface AfdOptions {
  /** Made with {@link observeEndpoint} as its observer (or one that calls it). */
  readonly stack: Stack;
  readonly scheduler: Scheduler;
  /** For duplication tokens: must not be predictable where sessions distrust each other. */
  readonly random: Random;
  readonly policy: AfdPolicy;
  /** Bounds of sessions that are opened without any. */
  readonly limits?: AfdLimits;
  /** Memory for bytes beyond a send buffer; a pool of its own when absent. */
  readonly allocator?: BufferAllocator;
}

/** The sockets of a host. */
export interface Afd {
  /** A new session for a process. Ends with its `close`. */
  openSession(identity: PeerIdentity, limits?: AfdLimits): AfdPort;
  /** The stack's configuration has changed, by these `ConfigChange` bits: to be called by its `configObserver`. */
  configChanged(changes: number): void;
  /** Every socket that there is. */
  describe(): SocketView[];
  readonly sessions: readonly AfdSessionView[];
  /** Ends all sessions and what they left behind, at once. */
  close(): void;
}

/** Makes the sockets of `options.stack` available to sessions. */
export function createAfd(options: AfdOptions): Afd {
  return new AfdRoom(options);
}

class AfdRoom implements Afd {
  readonly #context: AfdContext;
  readonly #limits: AfdLimits;
  readonly #sessions = new Set<Session>();
  readonly #tokens: DuplicateTokens<AfdEndpoint>;

  constructor(options: AfdOptions) {
    const { stack, scheduler, random, policy } = options;
    this.#limits = options.limits ?? DEFAULT_LIMITS;
    this.#context = {
      stack,
      scheduler,
      policy,
      allocator: options.allocator ?? new PoolAllocator(),
      completions: new Completions((error) => policy.onFault?.(error)),
      orphans: new Set(),
      notices: new ChangeNotices(stack),
      reservations: new PortReservations(stack, random),
    };
    this.#tokens = new DuplicateTokens(random, scheduler, (endpoint) => this.#release(endpoint));
  }

  get sessions(): readonly AfdSessionView[] {
    return [...this.#sessions].map((session) => ({
      identity: session.identity,
      sockets: session.descriptorCount,
      pendingRequests: session.pendingCount,
      bytes: session.bytesHeld,
    }));
  }

  openSession(identity: PeerIdentity, limits: AfdLimits = this.#limits): AfdPort {
    const ended = (session: Session): void => {
      this.#sessions.delete(session);
    };
    const session = new Session(this.#context, this.#tokens, identity, limits, ended);
    this.#sessions.add(session);
    return session;
  }

  configChanged(changes: number): void {
    this.#context.notices.configChanged(changes);
    this.#context.completions.deliver();
  }

  describe(): SocketView[] {
    const holders = new Map<AfdEndpoint, Set<number>>();
    for (const session of this.#sessions) {
      for (const [, endpoint] of session.descriptors) {
        const pids = holders.get(endpoint) ?? new Set();
        pids.add(session.identity.pid);
        holders.set(endpoint, pids);
      }
    }
    const held = [...holders].map(([endpoint, pids]) => endpoint.describe([...pids]));
    return [...held, ...[...this.#context.orphans].map((orphan) => orphan.describe([]))];
  }

  close(): void {
    for (const session of [...this.#sessions]) session.close();
    this.#tokens.clear();
    for (const orphan of [...this.#context.orphans]) orphan.close(CLOSE_ABORTIVE);
  }

  /** A token ran out: when it was the last reference, nobody can reach the socket any more. */
  #release(endpoint: AfdEndpoint): void {
    endpoint.references--;
    if (endpoint.references > 0) return;
    endpoint.close(CLOSE_ABORTIVE);
    this.#context.completions.deliver();
  }
}
