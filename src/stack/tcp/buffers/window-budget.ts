/**
 * The receive window that all connections over an interface may offer together, where the device's queue is short and drops
 * what overruns it (`InterfaceOptions.windowBudget`): eight connections that each offer megabytes lose most of what they get.
 *
 * It is shared evenly between the connections that are receiving. The others offer a window that is enough to begin with.
 */

/** What a connection without bulk text may offer. */
const FIRST_WINDOW = 65_535;
/** A connection to which no text came for this long, ms, leaves its share to the others. */
const IDLE_AFTER = 1000;

/** What is looked at of a connection. */
export interface BudgetMember {
  readonly bytesIn: number;
  readonly lastTextAt: number;
  readonly rmss: number;
}

export class WindowBudget {
  readonly #limit: number;
  readonly #receiving = new Set<BudgetMember>();
  #sweptAt = 0;

  /** @param limit bytes for all together */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How much of the budget are shares: connections that receive. */
  get size(): number {
    return this.#receiving.size;
  }

  /** The largest window that `member` may offer now; at least two segments, so that it never stalls. */
  shareOf(member: BudgetMember, now: number): number {
    if (now - this.#sweptAt >= IDLE_AFTER) this.#sweep(now);
    const isReceiving = member.bytesIn > FIRST_WINDOW && now - member.lastTextAt < IDLE_AFTER;
    if (isReceiving) this.#receiving.add(member);
    const shares = this.#receiving.size + (isReceiving ? 0 : 1);
    const share = Math.max(2 * member.rmss, Math.floor(this.#limit / shares));
    return isReceiving ? share : Math.min(share, FIRST_WINDOW);
  }

  /** `member` has ended. */
  leave(member: BudgetMember): void {
    this.#receiving.delete(member);
  }

  #sweep(now: number): void {
    this.#sweptAt = now;
    for (const member of this.#receiving) {
      if (now - member.lastTextAt >= IDLE_AFTER) this.#receiving.delete(member);
    }
  }
}
