/**
 * What is known of the MTU of the ways to peers (RFC 1191 §6, RFC 8201 §5.2): one estimate a destination, shared by all that
 * is sent there, bounded, and forgotten after ten minutes, so that a path that has become wider is found out.
 *
 * An estimate only ever narrows the link's MTU. Who wants it holds a `Path`, which looks it up again when `generation` has
 * changed.
 */

import type { IpAddress, TimerOwner, TimerQueue } from '../base/index.ts';

/** RFC 1191 §6.3, RFC 8201 §4: an estimate is believed for so long after the message that it is from, ms. */
export const PMTU_LIFETIME = 600_000;
/** Most destinations remembered; past it the estimate that is the oldest is forgotten. */
const CAPACITY = 1024;

interface Estimate {
  readonly destination: IpAddress;
  readonly interfaceIndex: number;
  mtu: number;
  expiresAt: number;
}

export class PmtuCache implements TimerOwner {
  /** Grows whenever an estimate changes, comes or goes. */
  generation = 1;
  /** By the address's text; the one that expires first is first. */
  readonly #estimates = new Map<string, Estimate>();
  readonly #timers: TimerQueue;
  readonly #capacity: number;
  /** The timer for the first to expire; -1 until there is one. */
  #timer = -1;

  constructor(timers: TimerQueue, capacity = CAPACITY) {
    this.#timers = timers;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#estimates.size;
  }

  /**
   * The largest packet that is believed to reach `destination` over an interface.
   * @returns `Infinity` when nothing is known
   */
  lookup(destination: IpAddress, interfaceIndex: number): number {
    if (this.#estimates.size === 0) return Number.POSITIVE_INFINITY;
    const estimate = this.#estimates.get(destination.toString());
    // What was learned over another interface says nothing about this one.
    if (estimate?.interfaceIndex !== interfaceIndex) return Number.POSITIVE_INFINITY;
    return estimate.mtu;
  }

  /**
   * Larger packets than `mtu` do not reach `destination`. An estimate that is lower already stays; the same one is believed
   * for longer.
   */
  lower(destination: IpAddress, interfaceIndex: number, mtu: number, now: number): void {
    const key = destination.toString();
    const known = this.#estimates.get(key);
    const isSameWay = known?.interfaceIndex === interfaceIndex;
    if (known !== undefined && isSameWay && known.mtu < mtu) return;
    // Put in anew: the order is that of expiry.
    this.#estimates.delete(key);
    this.#estimates.set(key, { destination, interfaceIndex, mtu, expiresAt: now + PMTU_LIFETIME });
    if (known === undefined || !isSameWay || known.mtu !== mtu) this.generation++;
    if (this.#estimates.size > this.#capacity) this.#forgetFirst();
    this.#arm();
  }

  /** RFC 1191 §6.3: estimates whose time has passed are forgotten; packets of the link's size try the path again. */
  timeout(_kind: number, now: number): void {
    for (const [key, estimate] of this.#estimates) {
      if (estimate.expiresAt > now) break;
      this.#estimates.delete(key);
      this.generation++;
    }
    this.#arm();
  }

  #forgetFirst(): void {
    for (const key of this.#estimates.keys()) {
      this.#estimates.delete(key);
      this.generation++;
      return;
    }
  }

  /** The timer runs while there is something to forget. */
  #arm(): void {
    for (const { expiresAt } of this.#estimates.values()) {
      if (this.#timer < 0) this.#timer = this.#timers.create(this, 0);
      this.#timers.arm(this.#timer, expiresAt);
      return;
    }
    if (this.#timer >= 0) this.#timers.disarm(this.#timer);
  }
}
