/**
 * Time as everything below `engine/` sees it: handed in, never read from the machine.
 */

/** A monotonic clock in milliseconds (fractions allowed) from an arbitrary start. */
export interface Clock {
  now(): number;
}

/** Cancels what was scheduled; harmless when it has already run. */
export type Cancel = () => void;

/** A clock that can also call back. Real in the engine, virtual in the simulator. */
export interface Scheduler extends Clock {
  /** Calls `task` once, `delay` ms from now or later; never before the caller returns. */
  after(delay: number, task: () => void): Cancel;
}
