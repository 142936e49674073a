/**
 * The provider host of one application: it runs the layers that the catalog puts above the application's sockets, in a process of
 * its own under the application's user. An application in any language starts one through its client library, and speaks the IPC
 * protocol with it instead of with the daemon (docs/ipc.md, "Provider host").
 *
 *     application ── socketpair ── provider host: ChainPort → layers → base provider ── Unix socket ── daemon
 *
 * It ends with the application's end of the connection. Whatever it held in the daemon ends with it.
 */

import { readFileSync, readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import {
  connectRemote,
  GoodbyeReason,
  IpcError,
  processExists,
  type RemotePort,
  type ServedConnection,
  serveConnection,
} from '../../ipc/index.ts';
import { peerCredentials } from '../../native/index.ts';
import type { PeerIdentity } from '../../port/index.ts';
import { type Application, type Catalog, catalogOf } from '../../spi/index.ts';
import { socketPath } from '../attach.ts';
import { ChainPort } from './chain-port.ts';

export interface ProviderHostOptions {
  /** One end of a socketpair; the application has the other. */
  readonly fd: number;
  /** The daemon's socket; by default where applications find it. */
  readonly socketPath?: string | undefined;
}

/** How often the application is looked for, ms: another process may hold its end of the connection when it is gone. */
const LOOK_INTERVAL_MS = 2000;

/**
 * Serves the application until it is gone.
 * @returns whether it ended in good order; what went wrong was told to the application
 * @throws {Error} when the descriptor is no end of a connection of this user's
 */
export async function runProviderHost(options: ProviderHostOptions): Promise<boolean> {
  const { fd } = options;
  const application = peerCredentials(fd);
  if (application.uid !== process.getuid?.()) {
    throw new Error(`process ${application.pid} at descriptor ${fd} is of user ${application.uid}`);
  }
  const socket = new Socket({ fd });
  let remote: RemotePort;
  try {
    remote = await connectRemote(options.socketPath ?? socketPath(), {
      name: nameOf(application.pid),
      onBehalfOf: application.pid,
    });
    if (!remote.isOnBehalf) throw new IpcError('refused', 'the daemon knows no provider hosts: update it');
  } catch (error) {
    await refuse(socket, application, error);
    return false;
  }
  // As the application finds it when it starts: what is installed later, a later one sees (CFG-FAIL-05).
  const snapshot = await remote.catalog.read();
  const command = commandOf(application.pid);
  const catalog = snapshot === null ? undefined : catalogOf(snapshot, command);
  if (!remote.isOpen) {
    await refuse(socket, application, new IpcError('refused', 'the daemon is gone'));
    return false;
  }
  return await serve(socket, application, remote, catalog, command);
}

function serve(
  socket: Socket,
  application: PeerIdentity,
  remote: RemotePort,
  catalog: Catalog | undefined,
  command: Application | null,
): Promise<boolean> {
  const { names, profile = 'windows', limits } = remote;
  const { pid } = application;
  const port = new ChainPort({ port: remote, names, pid, catalog, application: command ?? undefined });
  return new Promise((resolve) => {
    let isWell = true;
    const onEnd = (): void => {
      clearInterval(look);
      process.off('SIGTERM', onSignal);
      process.off('uncaughtException', onFault);
      resolve(isWell);
    };
    const connection = serveConnection(socket, {
      identity: application,
      port,
      names,
      catalog: remote.catalog,
      profile,
      limits,
      onEnd,
    });
    const look = setInterval(() => {
      if (!processExists(pid)) connection.end(GoodbyeReason.normal, '');
    }, LOOK_INTERVAL_MS);
    look.unref();
    const onSignal = (): void =>
      connection.end(GoodbyeReason.shuttingDown, 'the provider host was asked to end');
    const onFault = (error: unknown): void => {
      isWell = false;
      connection.end(GoodbyeReason.internalError, `a provider has failed: ${messageOf(error)}`);
    };
    process.on('SIGTERM', onSignal);
    process.on('uncaughtException', onFault);
    remote.onLost = () => {
      isWell = false;
      connection.end(GoodbyeReason.shuttingDown, 'the daemon is gone');
    };
  });
}

/** Tells the application why it is not served. */
function refuse(socket: Socket, identity: PeerIdentity, error: unknown): Promise<void> {
  return new Promise((resolve) => {
    const isForbidden = error instanceof IpcError && error.code === 'notPermitted';
    const connection: ServedConnection = serveConnection(socket, { identity, port: NO_PORT, onEnd: resolve });
    connection.end(isForbidden ? GoodbyeReason.notAllowed : GoodbyeReason.shuttingDown, messageOf(error));
  });
}

/** The application's program and command line, by which the catalog knows it. */
function commandOf(pid: number): Application | null {
  try {
    const [, ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
    return { path: readlinkSync(`/proc/${pid}/exe`), extra: words.join(' '), pid };
  } catch {
    return null;
  }
}

/** What the daemon's listings call the application. */
function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return `process ${pid}`;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For a connection on which nothing is asked. */
const NO_PORT = {
  submit: () => null,
  cancel: () => {},
  close: () => {},
  onComplete: () => {},
};
