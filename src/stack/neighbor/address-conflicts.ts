/**
 * IPv4 address conflict detection on one interface (RFC 5227): asks whether an address is free, announces it, and defends it.
 *
 *     check ──0 … 1 s──► probe ──1 … 2 s──► probe ──1 … 2 s──► probe ──2 s──► free
 *     announce ──► announcement ──2 s──► announcement
 *
 * Who hears that somebody else has the address while it is being asked for is told of a conflict. Later the address is defended
 * with an announcement; when that does not help within 10 s it is given up, unless it is to be kept whatever happens.
 */

import { type Random, randomFraction, type TimerOwner, type TimerQueue } from '../../base/index.ts';

/** RFC 5227 §1.1, ms. */
const PROBE_WAIT = 1000;
const PROBE_NUM = 3;
const PROBE_MIN = 1000;
const PROBE_MAX = 2000;
const ANNOUNCE_WAIT = 2000;
const ANNOUNCE_NUM = 2;
const ANNOUNCE_INTERVAL = 2000;
const DEFEND_INTERVAL = 10_000;

/** What it needs of the host. */
export interface ConflictHost {
  readonly now: number;
  readonly timers: TimerQueue;
  readonly random: Random;
}

/** Who sends the messages: ARP. Addresses are IPv4 words. */
export interface ConflictMessages {
  probe(word: number): void;
  announce(word: number): void;
}

const IDLE = 0;
const PROBING = 1;
const WAITING = 2;
const ANNOUNCING = 3;

/** An address that is asked for, or held. */
class Claim {
  phase: typeof IDLE | typeof PROBING | typeof WAITING | typeof ANNOUNCING = IDLE;
  /** Messages of this phase that were sent. */
  count = 0;
  readonly timer: number;
  conflictAt = Number.NEGATIVE_INFINITY;
  /** It is not given up, however often others claim it (§2.4 c). */
  isKept = false;
  done: ((isConflict: boolean) => void) | null = null;

  constructor(timer: number) {
    this.timer = timer;
  }
}

export class AddressConflicts implements TimerOwner {
  readonly #host: ConflictHost;
  readonly #messages: ConflictMessages;
  readonly #claims = new Map<number, Claim>();
  /** Told that an address of ours was given up. */
  onLost: (word: number) => void = () => {};

  constructor(host: ConflictHost, messages: ConflictMessages) {
    this.#host = host;
    this.#messages = messages;
  }

  /** Asks whether somebody has the address in `word`. @param done called once, never before this returns */
  check(word: number, done: (isConflict: boolean) => void): void {
    const claim = this.#claim(word);
    claim.phase = PROBING;
    claim.count = 0;
    claim.done = done;
    this.#in(claim, PROBE_WAIT * randomFraction(this.#host.random));
  }

  /** The address in `word` is ours from now on. @param isKept whether it is defended for ever */
  announce(word: number, isKept: boolean): void {
    const claim = this.#claim(word);
    claim.phase = ANNOUNCING;
    claim.count = 0;
    claim.done = null;
    claim.isKept = isKept;
    this.#announce(word, claim);
  }

  /** The address is not ours any more; who waits for an answer gets none. */
  forget(word: number): void {
    const claim = this.#claims.get(word);
    if (claim === undefined) return;
    this.#host.timers.destroy(claim.timer);
    this.#claims.delete(word);
  }

  /** Whether the address is held or asked for: nobody else ought to send from it. */
  isClaimed(word: number): boolean {
    return this.#claims.has(word);
  }

  /** Whether the address is being asked for: nobody else ought to ask for it. */
  isProbing(word: number): boolean {
    const phase = this.#claims.get(word)?.phase;
    return phase === PROBING || phase === WAITING;
  }

  /** Somebody else claims the address in `word`. */
  conflict(word: number): void {
    const claim = this.#claims.get(word);
    if (claim === undefined) return;
    if (claim.done !== null) {
      this.#finish(word, claim, true);
      return;
    }
    const { now } = this.#host;
    const isRecent = now - claim.conflictAt < DEFEND_INTERVAL;
    if (isRecent && claim.isKept) return;
    claim.conflictAt = now;
    if (!isRecent) {
      this.#messages.announce(word);
      return;
    }
    this.forget(word);
    this.onLost(word);
  }

  close(): void {
    for (const word of [...this.#claims.keys()]) this.forget(word);
  }

  timeout(word: number): void {
    const claim = this.#claims.get(word);
    if (claim === undefined) return;
    if (claim.phase === ANNOUNCING) this.#announce(word, claim);
    else if (claim.phase === WAITING) this.#finish(word, claim, false);
    else this.#probe(word, claim);
  }

  #probe(word: number, claim: Claim): void {
    this.#messages.probe(word);
    if (++claim.count < PROBE_NUM) {
      this.#in(claim, PROBE_MIN + (PROBE_MAX - PROBE_MIN) * randomFraction(this.#host.random));
      return;
    }
    claim.phase = WAITING;
    this.#in(claim, ANNOUNCE_WAIT);
  }

  #announce(word: number, claim: Claim): void {
    this.#messages.announce(word);
    if (++claim.count < ANNOUNCE_NUM) this.#in(claim, ANNOUNCE_INTERVAL);
    else claim.phase = IDLE;
  }

  #finish(word: number, { done }: Claim, isConflict: boolean): void {
    this.forget(word);
    done?.(isConflict);
  }

  #claim(word: number): Claim {
    const known = this.#claims.get(word);
    if (known !== undefined) return known;
    const claim = new Claim(this.#host.timers.create(this, word));
    this.#claims.set(word, claim);
    return claim;
  }

  #in(claim: Claim, ms: number): void {
    this.#host.timers.arm(claim.timer, this.#host.now + ms);
  }
}
