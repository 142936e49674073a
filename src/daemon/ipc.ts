/**
 * The daemon's socket for applications: who may connect, and what each may have.
 */

import type { Logger } from 'pino';
import type { Afd } from '../afd/index.ts';
import type { PoolAllocator } from '../base/index.ts';
import { createIpcServer, type IpcLog, type IpcServer, refuseRepresentation } from '../ipc/index.ts';
import { isNativeAvailable, peerCredentials } from '../native/index.ts';
import type { PeerIdentity } from '../port/index.ts';
import type { DaemonCatalog } from './catalog.ts';
import type { DaemonConfig } from './config.ts';
import { StartError } from './errors.ts';
import type { DaemonNames } from './names.ts';
import { ownGid, ownUid } from './paths.ts';
import type { Account } from './privileges.ts';
import type { Watches } from './watches.ts';

/** What applications reach over it. */
interface Served {
  readonly afd: Afd;
  readonly names: DaemonNames;
  readonly catalog: DaemonCatalog;
  readonly watches: Watches;
  readonly allocator: PoolAllocator;
}

export function openIpc(
  config: DaemonConfig,
  { afd, names, catalog, watches, allocator }: Served,
  account: Account,
  log: Logger,
): Promise<IpcServer> {
  const mode = Number.parseInt(config.socketMode, 8);
  const ipcLog: IpcLog = (level, event, fields) => {
    const { error, ...rest } = fields;
    log[level === 'info' ? 'debug' : level](error === undefined ? rest : { ...rest, err: error }, event);
  };
  const { uid, gid } = account;
  return createIpcServer({
    path: config.socket,
    mode,
    ...(uid === undefined && gid === undefined
      ? {}
      : { owner: { uid: uid ?? ownUid(), gid: gid ?? ownGid() } }),
    identify: identifier(mode),
    openSession: (identity) => afd.openSession(identity),
    // Only root and the daemon's own user call the host something else.
    openNames: ({ uid: user }) => names.openSession(user === 0 || user === ownUid(), user),
    refuseFor: refuseRepresentation,
    openCatalog: (identity, name) => catalog.openSession(identity, name),
    openWatch: (client) => watches.open(client),
    profile: config.profile,
    limits: { maxSockets: config.maxSocketsPerClient, maxQueuedBytes: config.maxBytesPerClient },
    maxClients: config.maxClients,
    allocator,
    log: ipcLog,
  });
}

/** The kernel's answer; without the addon only the socket's owner may connect, so that is who it is. */
function identifier(mode: number): (fd: number) => PeerIdentity {
  if (isNativeAvailable()) return peerCredentials;
  if ((mode & 0o077) !== 0) {
    throw new StartError(
      `the socket mode 0${mode.toString(8)} lets other users in, and without the addon nobody can tell who they are; ` +
        'build it with "npm run build:native", or use --socket-mode 0600',
    );
  }
  return () => ({ pid: 0, uid: ownUid(), gid: ownGid() });
}
