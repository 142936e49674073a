/**
 * The application of a provider host, as the kernel shows it in `/proc`: what it is called, what it runs, whether it still does.
 */

import { readFileSync, readlinkSync } from 'node:fs';
import { processExists } from '../../ipc/index.ts';
import type { Application } from '../../spi/index.ts';

/** Fields of `/proc/PID/stat` behind the name. */
const STATE = 0;
const START_TIME = 19;

/** The application's program and command line, by which the catalog knows it. */
export function commandOf(pid: number): Application | null {
  try {
    const [, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
    return { path: readlinkSync(`/proc/${pid}/exe`), extra: words.join(' '), pid };
  } catch {
    return null;
  }
}

/** What the daemon's listings call the application. */
export function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return `process ${pid}`;
  }
}

/**
 * @returns whether that process is still there. Another one may have got its number since, and one that nobody has waited for has
 * ended all the same.
 */
export function lifeOf(pid: number): () => boolean {
  const began = statusOf(pid)?.[START_TIME];
  if (began === undefined) return () => processExists(pid);
  return () => {
    const status = statusOf(pid);
    return status?.[START_TIME] === began && !/[ZXx]/.test(status[STATE] ?? '');
  };
}

function statusOf(pid: number): string[] | null {
  try {
    // The name may have parentheses and spaces of its own.
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .trim()
      .split(' ');
  } catch {
    return null;
  }
}
