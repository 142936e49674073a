/**
 * When messages were sent, for those that asked (IOC-SIO_TIMESTAMPING): kept under the number that the sender gave, the oldest
 * forgotten first.
 */

/** Bounded by what a TIMESTAMPING_CONFIG can ask for: 16 bits. */
export class TransmitStamps {
  readonly #limit: number;
  readonly #times = new Map<number, number>();

  /** @param limit how many are kept */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param ms stack time */
  add(id: number, ms: number): void {
    if (this.#limit === 0) return;
    this.#times.delete(id);
    this.#times.set(id, ms);
    if (this.#times.size <= this.#limit) return;
    for (const oldest of this.#times.keys()) {
      this.#times.delete(oldest);
      return;
    }
  }

  /** Takes one out. @returns its time, -1 when there is none */
  take(id: number): number {
    const ms = this.#times.get(id);
    this.#times.delete(id);
    return ms ?? -1;
  }
}
