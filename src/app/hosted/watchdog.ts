/**
 * The watchdog of a provider host. A layer that loops stops everything in the process, its end with the application among it; so a
 * thread of its own looks whether the event loop still turns, and kills the process when it does not. The application finds its
 * connection ended, as with any death of the host.
 */

import { Worker } from 'node:worker_threads';
import type { ChainObserver } from '../../spi/index.ts';
import { layerClock, loopLimit, watchMemory } from '../chain-watch.ts';

/** What the thread is told. */
export interface WatchdogData {
  /** Where the layers note whose code runs. */
  readonly layers: SharedArrayBuffer;
  /** A word that changes while the event loop turns. */
  readonly turns: SharedArrayBuffer;
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
  const turns = new SharedArrayBuffer(4);
  const interval = loopLimit() / LOOKS;
  const word = new Int32Array(turns);
  setInterval(() => Atomics.add(word, 0, 1), interval / 2).unref();
  const workerData: WatchdogData = { layers, turns, interval, looks: LOOKS, application };
  new Worker(new URL('./watchdog-thread.js', import.meta.url), { workerData, execArgv: [] }).unref();
  return layerClock(layers);
}
