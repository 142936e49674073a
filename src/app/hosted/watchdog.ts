/**
 * The watchdog of a provider host. A layer that loops stops everything in the process, its end with the application among it; so a
 * thread of its own looks whether the event loop still turns, and kills the process when it does not. The application finds its
 * connection ended, as with any death of the host.
 */

import { Worker } from 'node:worker_threads';
import type { ChainObserver } from '../../spi/index.ts';
import { layerClock, loopLimit, noteTurn, watchMemory } from '../chain-watch.ts';

/** What the thread is told. */
export interface WatchdogData {
  /** Where the layers note whose code runs, and the event loop that it turns. */
  readonly layers: SharedArrayBuffer;
  /** How often it looks, ms, and after how many looks without a change it kills. */
  readonly interval: number;
  readonly looks: number;
  /** Who is served; for people. */
  readonly application: string;
}

/** Looks within the limit. They are counted, not timed: a process that was stopped for a while is none that loops. */
const LOOKS = 5;

/**
 * Starts to watch this process.
 * @returns what its layers are to be observed with
 */
export function startWatchdog(application: string): ChainObserver {
  const layers = watchMemory();
  const interval = loopLimit() / LOOKS;
  setInterval(noteTurn, interval / 2, layers).unref();
  const workerData: WatchdogData = { layers, interval, looks: LOOKS, application };
  new Worker(new URL('./watchdog-thread.js', import.meta.url), { workerData, execArgv: [] }).unref();
  return layerClock(layers);
}
