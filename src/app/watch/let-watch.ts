/**
 * Lets the daemon watch the calls of a process's Winsock. Until it asks for them nothing is loaded, and nothing costs.
 */

import type { Scheduler } from '../../base/index.ts';
import { Watch, type WatchPort } from '../../port/index.ts';
import type { WinsockProcess } from '../../winsock/index.ts';
import type { ProcessWatch } from './process-watch.ts';

/** When what was seen is sent. */
export type WatchTimers = Pick<Scheduler, 'after'>;

/** Being watched keeps no process alive. */
const UNHELD: WatchTimers = {
  after(delay, task) {
    const timer = setTimeout(task, delay).unref();
    return () => clearTimeout(timer);
  },
};

export function letWatch(process: WinsockProcess, port: WatchPort | null, timers = UNHELD): void {
  if (port === null) return;
  let watch: ProcessWatch | null = null;
  let isLoading = false;
  let wanted: number = Watch.nothing;
  const load = async (): Promise<void> => {
    const { ProcessWatch } = await import('./process-watch.ts');
    watch = new ProcessWatch(process, port, timers);
    watch.set(wanted);
  };
  port.onWanted = (what) => {
    wanted = what;
    if (watch !== null) watch.set(what);
    else if (!isLoading) {
      isLoading = true;
      void load();
    }
  };
}
