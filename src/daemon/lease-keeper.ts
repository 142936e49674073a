/**
 * Keeps what DHCP servers have granted over the daemon's end: tells the stack of it before clients are started, and writes down what
 * changes. Dates on disk are the wall clock's, the stack's are not.
 */

import type { IpFamily } from '../base/index.ts';
import type { DhcpMemory, Stack } from '../stack/index.ts';
import type { StateFile } from './state-file.ts';

/** How far a lease may lie in the future before it is the clock that is wrong, ms. */
const CLOCK_TOLERANCE_MS = 5000;
/** Longer than any lease that ends. */
const LONG_AGO_MS = 2 ** 32 * 1000;
const FAMILIES: readonly IpFamily[] = [4, 6];

export class LeaseKeeper {
  readonly #file: StateFile;
  readonly #stack: Stack;
  readonly #wallClock: () => number;
  /** Names of the links, by interface. */
  readonly #links = new Map<number, string>();

  constructor(file: StateFile, stack: Stack, wallClock: () => number = Date.now) {
    this.#file = file;
    this.#stack = stack;
    this.#wallClock = wallClock;
  }

  /** An interface is there, over the link of that name: what its clients were granted before is told to the stack. */
  recall(index: number, name: string): void {
    this.#links.set(index, name);
    for (const family of FAMILIES) {
      const kept = this.#file.leaseOf(name, family);
      if (kept === null) continue;
      const age = this.#wallClock() - kept.obtained;
      // The clock was set back: nobody knows how old it is, so that it is only a wish.
      const obtainedAt = this.#stack.now - (age < -CLOCK_TOLERANCE_MS ? LONG_AGO_MS : Math.max(0, age));
      const { message, server } = kept;
      this.#stack.recallDhcp(index, family, { message, server: server.inZone(index), obtainedAt });
    }
  }

  /** Leases have changed. */
  changed(): void {
    for (const [index, name] of this.#links) {
      const { v4, v6 } = this.#stack.dhcpStatus(index);
      if (v4 !== null) this.#keep(name, 4, v4.remembered);
      if (v6 !== null) this.#keep(name, 6, v6.remembered);
    }
    this.#file.save();
  }

  #keep(name: string, family: IpFamily, memory: DhcpMemory | null): void {
    if (memory === null || memory.message.length === 0) {
      this.#file.setLease(name, family, null);
      return;
    }
    const { message, server, obtainedAt } = memory;
    const obtained = this.#wallClock() - (this.#stack.now - obtainedAt);
    this.#file.setLease(name, family, { message, server: server.inZone(0), obtained: Math.max(0, obtained) });
  }
}
