/**
 * One direction of a shaped path: when what enters it now comes out.
 */

import { type Random, randomFraction, type Scheduler } from '../../base/index.ts';
import type { Shape } from './shapes.ts';

export class Lane {
  readonly #shape: Shape;
  readonly #random: Random;
  readonly #scheduler: Scheduler;
  /** When the last byte that entered has left the sender, and when the last one comes out. */
  #sentAt = 0;
  #lastDue = 0;

  constructor(shape: Shape, random: Random, scheduler: Scheduler) {
    this.#shape = shape;
    this.#random = random;
    this.#scheduler = scheduler;
  }

  /**
   * Some bytes enter.
   * @param isOrdered nothing overtakes what entered before
   * @returns when they have left the sender, and when they come out
   */
  enter(bytes: number, isOrdered: boolean): { readonly sentAt: number; readonly due: number } {
    const { bytesPerSecond, latencyMs, jitterMs } = this.#shape;
    const begun = Math.max(this.#scheduler.now(), this.#sentAt);
    this.#sentAt = begun + (bytesPerSecond === 0 ? 0 : (bytes * 1000) / bytesPerSecond);
    const jitter = jitterMs === 0 ? 0 : jitterMs * randomFraction(this.#random);
    const due = this.#sentAt + latencyMs + jitter;
    if (!isOrdered) return { sentAt: this.#sentAt, due };
    this.#lastDue = Math.max(this.#lastDue, due);
    return { sentAt: this.#sentAt, due: this.#lastDue };
  }

  /** Waits until that time. */
  until(time: number): Promise<void> {
    const left = time - this.#scheduler.now();
    if (left <= 0) return Promise.resolve();
    return new Promise((resolve) => void this.#scheduler.after(left, resolve));
  }
}
