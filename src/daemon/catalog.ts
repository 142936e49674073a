/**
 * The daemon's provider catalog: where it is kept, and who may change it.
 */

import { chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type CatalogKeeper, catalogPort, openCatalog, PROGRAM_MAX, printable } from '../catalog/index.ts';
import type { CatalogPort, PeerIdentity } from '../port/index.ts';
import { catalogDefaults } from '../spi/index.ts';
import type { DaemonConfig } from './config.ts';
import { ownGid, ownUid } from './paths.ts';
import type { Account } from './privileges.ts';

const DIRECTORY = 'catalog';
const DIRECTORY_MODE = 0o755;

export interface DaemonCatalog {
  readonly keeper: CatalogKeeper;
  /** A client's session. @param name what the client calls itself */
  openSession(identity: PeerIdentity, name: string): CatalogPort;
}

/**
 * Opens the catalog: in its own directory, else in the state directory, else in memory. That of Windows Mobile is in memory unless it is
 * given a directory (WM-03). What a broken one lost is logged, and keeps nobody from starting.
 */
export function openDaemonCatalog(config: DaemonConfig, account: Account, log: Logger): DaemonCatalog {
  const { catalog, stateDirectory, profile } = config;
  const isKept = stateDirectory !== undefined && profile !== 'windows-mobile';
  const directory = catalog ?? (isKept ? join(stateDirectory, DIRECTORY) : null);
  if (directory !== null) makeDirectory(directory, account, log);
  const owner = account.uid ?? ownUid();
  const keeper = openCatalog({ directory, defaults: catalogDefaults(profile), owners: [owner] });
  for (const { what, why } of keeper.read().skipped) log.warn({ what, why }, 'the catalog is broken');
  const writers = new Set(
    config.catalogWriters.map((writer) => (writer === 'owner' ? owner : Number(writer))),
  );
  return {
    keeper,
    openSession({ uid, pid }, name) {
      const mayWrite = writers.has(uid) || config.catalogWriters.includes('anyone');
      return catalogPort(keeper, { uid, pid, program: programOf(pid, name) }, mayWrite);
    },
  };
}

/** The command line of a process, or what it calls itself where that can't be read. */
export function programOf(pid: number, claimed: string): string {
  let text = claimed;
  try {
    const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0+$/, '').replaceAll('\0', ' ');
    if (pid !== 0 && line !== '') text = line;
  } catch {
    // Gone already, or a system without /proc.
  }
  return printable(text, PROGRAM_MAX);
}

/** Made while there is privilege, for the user that the daemon becomes. */
function makeDirectory(directory: string, { uid, gid }: Account, log: Logger): void {
  try {
    const made = mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
    if (made !== undefined && (uid !== undefined || gid !== undefined)) {
      chownSync(directory, uid ?? ownUid(), gid ?? ownGid());
    }
  } catch (error) {
    log.warn({ err: error }, 'the catalog can not be kept');
  }
}
