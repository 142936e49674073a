/**
 * Who has a device open: said in the error when a name is taken.
 */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * The process that holds the TUN or TAP interface `name`: `pid 123 (winsockd)`.
 *
 * The kernel lists a TUN descriptor's interface in `/proc/<pid>/fdinfo`. Other users' descriptors are visible to root
 * only. An interface of that name in another namespace is mistaken for it; this is a hint for a human.
 * @returns `undefined` when nobody is found.
 */
export function deviceHolder(name: string): string | undefined {
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of list(`/proc/${pid}/fd`)) {
      if (holds(pid, fd, name)) return `pid ${pid} (${read(`/proc/${pid}/comm`).trim()})`;
    }
  }
  return undefined;
}

function holds(pid: string, fd: string, name: string): boolean {
  try {
    if (readlinkSync(`/proc/${pid}/fd/${fd}`) !== '/dev/net/tun') return false;
  } catch {
    return false; // Closed meanwhile.
  }
  const interfaceName = /^iff:\s*(\S+)$/m.exec(read(`/proc/${pid}/fdinfo/${fd}`))?.[1];
  return interfaceName === name;
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return []; // Gone meanwhile, or another user's.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
