/** The watchdog's thread, see `watchdog.ts`. */

import { writeSync } from 'node:fs';
import process from 'node:process';
import { workerData } from 'node:worker_threads';
import { LayerWatch, loopText } from '../chain-watch.ts';
import type { WatchdogData } from './watchdog.ts';

const { layers, interval, looks, application } = workerData as WatchdogData;
const watch = new LayerWatch(layers);
let seen = -1;
let same = 0;

setInterval(() => {
  const now = watch.turns;
  same = now === seen ? same + 1 : 0;
  seen = now;
  if (same >= looks) end();
}, interval);

function end(): void {
  const what = loopText(watch.running());
  try {
    writeSync(
      2,
      `winsockd-provider-host: ${what}: the host of ${application} ends, and all sockets with it\n`,
    );
  } catch {
    // Nobody reads it.
  }
  // A thread can end itself only; this ends them all.
  process.kill(process.pid, 'SIGKILL');
}
