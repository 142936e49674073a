/**
 * Where the sockets of a process live: in a stack inside the process (*local*) or in the daemon (*remote*).
 *
 * An application that says nothing is remote: the daemon's socket is looked for in the option, then in the environment
 * variable WINSOCKD_SOCKET, then at its usual place.
 */

import { env } from 'node:process';
import { connectRemote } from '../ipc/index.ts';
import {
  type AfdPort,
  type BehaviorProfile,
  type CatalogPort,
  DEFAULT_SOCKET_PATH,
  type NamePort,
  NO_CATALOG,
  NO_NAMES,
  SOCKET_PATH_VARIABLE,
  type WatchPort,
} from '../port/index.ts';

/** Sockets inside this process: what `createAfd` answers for a stack. */
export interface LocalSockets {
  /** A session of its own for each caller. */
  openSession(): AfdPort;
  /** Likewise with the host's names; without it there are none. */
  openNames?(): NamePort;
  /** Likewise with the provider catalog. */
  openCatalog?(): CatalogPort;
  /** Likewise with who watches its calls. */
  openWatch?(): WatchPort;
}

/** What to attach to. With neither member the daemon, where it is usually found. */
export interface AttachOptions {
  readonly local?: LocalSockets;
  /** The daemon's Unix socket. */
  readonly socketPath?: string;
  /** Whose behaviour is shown where versions of Windows differ; absent: what the daemon says, or Windows 10/11. */
  readonly profile?: BehaviorProfile;
}

/** A way to the sockets, opened. */
export interface Attachment {
  readonly kind: 'local' | 'remote';
  /** For people: `this process`, or the daemon's socket path and process id. */
  readonly where: string;
  readonly port: AfdPort;
  readonly names: NamePort;
  readonly catalog: CatalogPort;
  /** Who watches the process's calls; `null`: nobody can. */
  readonly watch: WatchPort | null;
  /** False once the daemon is gone: nothing comes back on this way. */
  isOpen(): boolean;
}

/** The process has its sockets somewhere else already; they cannot move. */
export class AlreadyAttachedError extends Error {
  override readonly name = 'AlreadyAttachedError';

  constructor(where: string) {
    super(`already attached to ${where}: choose before the first call, once a process`);
  }
}

/**
 * Opens the way to the sockets.
 * @param isWatched whoever attaches tells of its calls: see {@link Attachment.watch}
 * @throws {IpcError} when the daemon is not there, refuses, or is no winsockd
 */
export async function attach(options: AttachOptions = {}, isWatched = false): Promise<Attachment> {
  if (options.local !== undefined) {
    const { local } = options;
    const names = local.openNames?.() ?? NO_NAMES;
    const catalog = local.openCatalog?.() ?? NO_CATALOG;
    const port = local.openSession();
    const watch = local.openWatch?.() ?? null;
    return { kind: 'local', where: 'this process', port, names, catalog, watch, isOpen: () => true };
  }
  const path = socketPath(options);
  const port = await connectRemote(path, { isWatched });
  const { names, catalog, watch } = port;
  const where = `${path} (pid ${port.serverPid})`;
  return { kind: 'remote', where, port, names, catalog, watch, isOpen: () => port.isOpen };
}

/** Which socket path `attach` would use for the daemon. */
export function socketPath(options: AttachOptions = {}): string {
  return options.socketPath ?? env[SOCKET_PATH_VARIABLE] ?? DEFAULT_SOCKET_PATH;
}
