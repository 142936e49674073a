/**
 * Lets the daemon watch the calls of a process's Winsock. Until it asks for them nothing is loaded, and nothing costs.
 */

import { Watch, type WatchPort } from '../../port/index.ts';
import type { WinsockProcess } from '../../winsock/index.ts';
import type { ProcessWatch } from './process-watch.ts';

export function letWatch(process: WinsockProcess, port: WatchPort | null): void {
  if (port === null) return;
  let watch: ProcessWatch | null = null;
  let isLoading = false;
  let wanted: number = Watch.nothing;
  const load = async (): Promise<void> => {
    const { ProcessWatch } = await import('./process-watch.ts');
    watch = new ProcessWatch(process, port);
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
