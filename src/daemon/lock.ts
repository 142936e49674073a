/**
 * One daemon a socket: a lock file beside it names the process that has it.
 *
 * The file holds the process id and the time at which that process started, so that a number that was given to another
 * process since does not keep the lock alive. Two daemons that start at the same moment are told apart by the file's
 * exclusive creation.
 */

import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ExitCode, StartError } from './errors.ts';

/** A lock that is held. */
export interface Lock {
  readonly path: string;
  /** Gives it back; idempotent. */
  release(): void;
}

/** How often a stale lock is removed before it is called contended. */
const ATTEMPTS = 3;

/**
 * Takes the lock of the socket, or other file, at `socketPath`. @param flags that choose another
 * @throws {StartError} with the owner's process id when a living process has it.
 */
export function acquireLock(socketPath: string, flags = '--socket and --control'): Lock {
  const path = `${socketPath}.lock`;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (create(path)) return heldLock(path);
    const owner = readOwner(path);
    if (owner !== null && isAlive(owner)) {
      throw new StartError(
        `${socketPath} belongs to a running daemon, process ${owner.pid}; end it with "winsockd down", ` +
          `or choose other paths with ${flags}`,
      );
    }
    rmSync(path, { force: true });
  }
  throw new StartError(`${path} is made anew by another process each time it is removed; remove it by hand`);
}

interface Owner {
  readonly pid: number;
  /** Clock ticks since boot: field 22 of /proc/PID/stat; 0 where there is no such file. */
  readonly startedAt: number;
}

function heldLock(path: string): Lock {
  let isHeld = true;
  return {
    path,
    release() {
      if (!isHeld) return;
      isHeld = false;
      // Ours only: if somebody else's stands there, ours was removed by hand.
      if (readOwner(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

/** @returns false when the file exists. */
function create(path: string): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o644);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === 'ENOENT')
      throw new StartError(`there is no directory ${dirname(path)}; make it: mkdir -p ${dirname(path)}`);
    throw new StartError(
      `cannot write ${path} (${code}); choose paths in a directory of yours with --socket and --control`,
      ExitCode.notPermitted,
    );
  }
  writeSync(fd, `${process.pid} ${startTimeOf(process.pid)}\n`);
  closeSync(fd);
  return true;
}

function readOwner(path: string): Owner | null {
  try {
    const match = /^(\d+) (\d+)\n$/.exec(readFileSync(path, 'utf8'));
    return match === null ? null : { pid: Number(match[1]), startedAt: Number(match[2]) };
  } catch {
    return null;
  }
}

function isAlive({ pid, startedAt }: Owner): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it lives, and is another user's.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startTimeOf(pid) === startedAt;
}

/** When a process started, in a unit of the kernel's; 0 when that cannot be known. */
function startTimeOf(pid: number): number {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return 0;
  // The second field is the program's name in parentheses and may hold anything; count from its end.
  const text = readFileSync(path, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[19] ?? 0);
}
