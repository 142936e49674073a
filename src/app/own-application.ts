/**
 * What this process is called in the provider catalog: the script that it runs, or the program itself, and the command line behind it.
 */

import { argv, execPath } from 'node:process';
import type { Application } from '../spi/index.ts';

export function ownApplication(): Application {
  return { path: argv[1] ?? execPath, extra: argv.slice(2).join(' ') };
}
