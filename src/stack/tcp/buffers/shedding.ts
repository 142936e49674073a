/**
 * What is done under memory pressure, cheapest for the peers first, and of each kind the largest user first:
 *
 *  1. memory that is kept for the next taker, and what rings have grown beyond what they hold;
 *  2. early text that pins far more than it is: a byte at the far end of a window takes memory for all of it;
 *
 * and when only the least is left to give (past `high`):
 *
 *  3. other early text, which the peer sends again (RFC 2018 §8 lets a receiver renege, as a last resort): what is dropped is
 *     not in the next SACK option any more;
 *  4. connections that nobody holds any more, with a reset, as only the peer's patience would end them.
 *
 * Bytes in order were acknowledged, and bytes to be sent belong to a user: neither is ever dropped.
 */

import { RING_FIRST_BYTES } from '../../../base/index.ts';
import { abort } from '../lifecycle.ts';
import type { Tcb } from '../tcb.ts';
import type { TcpMemory } from './memory.ts';
import { earlyExtent } from './reassembly.ts';

/** Early text is sparse when its ring is this many times what it holds. */
const SPARSE_FACTOR = 4;
/** While the pressure lasts, the connections are looked through this often, ms: it takes time in proportion to their number. */
const INTERVAL = 20;

export class Shedding {
  readonly #memory: TcpMemory;
  #nextAt = 0;

  constructor(memory: TcpMemory) {
    this.#memory = memory;
  }

  /**
   * Frees memory if there is pressure.
   * @param connections all of the stack
   * @param busy the connection that asks: it is left as it is
   */
  relieve(connections: Iterable<Tcb>, busy: Tcb, now: number): void {
    const memory = this.#memory;
    if (!memory.isPressed || now < this.#nextAt) return;
    memory.trim();
    const users: Tcb[] = [];
    for (const tcb of connections) {
      if (tcb === busy) continue;
      compact(tcb);
      if (tcb.rx.memory.length + tcb.tx.memory.length > RING_FIRST_BYTES) users.push(tcb);
    }
    if (memory.isPressed) this.#renege(users, isSparse, memory.low);
    if (memory.inUse > memory.high) this.#renege(users, hasEarly, memory.pressure);
    if (memory.inUse > memory.high) this.#resetOrphans(users, memory.pressure);
    if (memory.isPressed) this.#nextAt = now + INTERVAL;
  }

  /** Drops early text, until no more than `enough` is in use. */
  #renege(users: Tcb[], isChosen: (tcb: Tcb) => boolean, enough: number): void {
    const chosen = users.filter(isChosen).sort((a, b) => b.rx.memory.length - a.rx.memory.length);
    for (const tcb of chosen) {
      if (this.#memory.inUse <= enough) return;
      tcb.host.counters.tcpRenegedBytes += tcb.early.bytes;
      tcb.early.clear();
      compact(tcb);
    }
  }

  #resetOrphans(users: Tcb[], enough: number): void {
    const orphans = users
      .filter((tcb) => tcb.isOrphan)
      .sort((a, b) => b.tx.memory.length - a.tx.memory.length);
    for (const tcb of orphans) {
      if (this.#memory.inUse <= enough) return;
      tcb.host.counters.tcpOrphansReset++;
      abort(tcb);
    }
  }
}

function compact(tcb: Tcb): void {
  tcb.rx.compact(earlyExtent(tcb));
  tcb.tx.compact(0);
}

function hasEarly(tcb: Tcb): boolean {
  return tcb.early.count > 0;
}

function isSparse(tcb: Tcb): boolean {
  return hasEarly(tcb) && tcb.rx.memory.length >= SPARSE_FACTOR * (tcb.rx.used + tcb.early.bytes);
}
