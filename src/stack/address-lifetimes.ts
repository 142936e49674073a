/**
 * What the lifetimes of addresses mean (RFC 4862 §5.5.4): one that is not preferred any more is deprecated, one that is not valid
 * any more goes. One timer for all addresses of the host.
 */

import type { TimerOwner, TimerQueue } from '../base/index.ts';
import type { InterfaceAddress } from './interface.ts';
import type { Topology } from './topology.ts';

/** The host's part in it. */
export interface LifetimeHost {
  readonly now: number;
  readonly timers: TimerQueue;
  readonly topology: Topology;
  noteChange(changes: number): void;
}

export class AddressLifetimes implements TimerOwner {
  readonly #host: LifetimeHost;
  /** -1 until an address has an end. */
  #timer = -1;

  constructor(host: LifetimeHost) {
    this.#host = host;
  }

  /** Addresses, or their lifetimes, have changed. */
  changed(): void {
    const { topology, timers, now } = this.#host;
    let next = Number.POSITIVE_INFINITY;
    for (const iface of topology.interfaces) {
      for (const held of iface.addresses) {
        // Its lifetime was renewed.
        if (held.state === 'deprecated' && held.preferredUntil > now) held.state = 'preferred';
        next = Math.min(next, nextChange(held));
      }
    }
    if (next === Number.POSITIVE_INFINITY) {
      if (this.#timer >= 0) timers.disarm(this.#timer);
      return;
    }
    if (this.#timer < 0) this.#timer = timers.create(this, 0);
    timers.arm(this.#timer, next);
  }

  timeout(_kind: number, now: number): void {
    const { topology } = this.#host;
    for (const iface of topology.interfaces) {
      for (const held of iface.addresses) {
        if (held.validUntil <= now) topology.removeAddress(iface.index, held.address);
        else if (held.state === 'preferred' && held.preferredUntil <= now) {
          held.state = 'deprecated';
          topology.addressesChanged();
        }
      }
    }
    this.changed();
  }
}

/** The next time at which it changes by itself. */
function nextChange(held: InterfaceAddress): number {
  return held.state === 'preferred' ? Math.min(held.preferredUntil, held.validUntil) : held.validUntil;
}
