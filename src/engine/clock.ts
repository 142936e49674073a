/**
 * Real time: the machine's monotonic clock and the event loop's timers behind the `Scheduler` interface.
 */

import type { Cancel, Scheduler } from '../base/index.ts';

/** Longest delay that `setTimeout` takes; a longer one would fire at once. */
const MAX_TIMEOUT = 0x7fff_ffff;

export interface RealTimeOptions {
  /** Whether waiting timers keep the process alive. Default true. */
  readonly keepsAlive?: boolean;
}

/** The clock of a running process: milliseconds since the process started, never set back. */
export class RealTime implements Scheduler {
  readonly #keepsAlive: boolean;

  constructor(options: RealTimeOptions = {}) {
    this.#keepsAlive = options.keepsAlive ?? true;
  }

  now(): number {
    return performance.now();
  }

  /** A delay of 0 means the next turn of the event loop, before timers; others are rounded up to whole milliseconds. */
  after(delay: number, task: () => void): Cancel {
    if (delay <= 0) {
      const turn = setImmediate(task);
      if (!this.#keepsAlive) turn.unref();
      return () => clearImmediate(turn);
    }
    // Rounded up: a timer that fires early finds nothing due and has to be armed once more.
    const timer = setTimeout(task, Math.min(Math.ceil(delay), MAX_TIMEOUT));
    if (!this.#keepsAlive) timer.unref();
    return () => clearTimeout(timer);
  }
}
