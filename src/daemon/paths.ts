/**
 * The daemon's files: directories that are made, locks, and whose they are. All of it while there is privilege.
 */

import { chownSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { SystemRandom } from '../engine/index.ts';
import type { DaemonConfig } from './config.ts';
import { ExitCode, StartError } from './errors.ts';
import { acquireLock } from './lock.ts';
import type { Account } from './privileges.ts';
import { StateFile } from './state-file.ts';
import type { Undo } from './undo.ts';

/** What was kept at the last end. The directory is made, and is the user's that the daemon becomes; nobody else writes there meanwhile. */
export function openState(
  { stateDirectory: directory }: DaemonConfig,
  account: Account,
  log: Logger,
  undo: Undo,
): StateFile {
  if (directory !== undefined) {
    makeDirectory(directory, account, '--state-directory', 0o700);
    const lock = acquireLock(join(directory, 'state'), '--state-directory');
    undo.add(() => lock.release());
    ownBy(lock.path, account);
  }
  const random = new SystemRandom();
  return new StateFile({ directory, user: account.uid, random, warn: (text) => log.warn(text) });
}

/** Makes the sockets' directories and locks both paths. */
export function takeLocks(config: DaemonConfig, account: Account, undo: Undo): void {
  const paths = [config.socket, config.control];
  const flags = '--socket and --control';
  for (const directory of new Set(paths.map((path) => dirname(path))))
    makeDirectory(directory, account, flags, 0o755);
  for (const path of paths) {
    const lock = acquireLock(path);
    undo.add(() => lock.release());
    ownBy(lock.path, account);
  }
}

/** Makes a directory for the daemon's files; one that is made for another user is that user's, who has to remove them. */
function makeDirectory(path: string, account: Account, flags: string, mode: number): void {
  let made: string | undefined;
  try {
    made = mkdirSync(path, { recursive: true, mode });
  } catch (error) {
    throw new StartError(
      `cannot make ${path} (${(error as NodeJS.ErrnoException).code}); choose a directory of yours with ${flags}`,
      ExitCode.notPermitted,
    );
  }
  if (made !== undefined) ownBy(path, account);
}

function ownBy(path: string, { uid, gid }: Account): void {
  if (uid !== undefined || gid !== undefined) chownSync(path, uid ?? ownUid(), gid ?? ownGid());
}

/** Who this process is. */
export function ownUid(): number {
  return process.geteuid?.() ?? 0;
}

export function ownGid(): number {
  return process.getegid?.() ?? 0;
}
