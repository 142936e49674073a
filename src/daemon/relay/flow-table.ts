/**
 * Flows of datagrams, which nobody opens or closes: each is kept while it is used, and a bounded number of them; past it the one
 * that was used least lately goes.
 */

import type { Cancel, Scheduler } from '../../base/index.ts';

export interface Flow {
  /** When it was last used, ms; the table's own. */
  usedAt: number;
  close(): void;
}

/** RFC 4787 §4.3, REQ-5: no less than two minutes; five are recommended. ms */
export const FLOW_LIFETIME = 300_000;
const SWEEP_INTERVAL = 15_000;

export class FlowTable<T extends Flow> {
  /** In the order of use, the least lately used first. */
  readonly #flows = new Map<string, T>();
  readonly #scheduler: Scheduler;
  readonly #most: number;
  readonly #lifetime: number;
  #sweep: Cancel | null = null;

  constructor(scheduler: Scheduler, most: number, lifetime = FLOW_LIFETIME) {
    this.#scheduler = scheduler;
    this.#most = most;
    this.#lifetime = lifetime;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** The flow of that key, which counts as used. */
  use(key: string): T | null {
    const flow = this.#flows.get(key);
    if (flow === undefined) return null;
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    flow.usedAt = this.#scheduler.now();
    return flow;
  }

  add(key: string, flow: T): void {
    if (this.#flows.size >= this.#most) {
      const [oldest] = this.#flows.keys();
      if (oldest !== undefined) this.remove(oldest);
    }
    flow.usedAt = this.#scheduler.now();
    this.#flows.set(key, flow);
    this.#sweep ??= this.#scheduler.after(SWEEP_INTERVAL, this.#onSweep);
  }

  /** Closes a flow; harmless when it is gone. */
  remove(key: string): void {
    const flow = this.#flows.get(key);
    if (flow === undefined) return;
    this.#flows.delete(key);
    flow.close();
  }

  close(): void {
    this.#sweep?.();
    this.#sweep = null;
    for (const key of [...this.#flows.keys()]) this.remove(key);
  }

  readonly #onSweep = (): void => {
    this.#sweep = null;
    const before = this.#scheduler.now() - this.#lifetime;
    for (const [key, { usedAt }] of this.#flows) {
      if (usedAt > before) break;
      this.remove(key);
    }
    if (this.#flows.size > 0) this.#sweep = this.#scheduler.after(SWEEP_INTERVAL, this.#onSweep);
  };
}
