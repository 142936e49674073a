/**
 * The provider host of one application: it runs the layers that the catalog puts above the application's sockets, in a process of
 * its own under the application's user. An application in any language starts one through its client library, and speaks the IPC
 * protocol with it instead of with the daemon (docs/ipc.md, "Provider host").
 *
 *     application ── socketpair ── provider host: ChainPort → layers → base provider ── Unix socket ── daemon
 *
 * It ends with the application's end of the connection. Whatever it held in the daemon ends with it.
 */

import { Socket } from 'node:net';
import { LAYERED_PROTOCOL } from '../../abi/index.ts';
import {
  connectRemote,
  GoodbyeReason,
  IpcError,
  type RemotePort,
  type ServedConnection,
  serveConnection,
} from '../../ipc/index.ts';
import { peerCredentials } from '../../native/index.ts';
import type { CatalogPort, CatalogSnapshot, PeerIdentity } from '../../port/index.ts';
import { type Application, type Catalog, type ChainObserver, catalogOf } from '../../spi/index.ts';
import { socketPath } from '../attach.ts';
import { faultLines } from '../fault-lines.ts';
import { commandOf, lifeOf, nameOf } from './application.ts';
import { ChainPort } from './chain-port.ts';
import { startWatchdog } from './watchdog.ts';

export interface ProviderHostOptions {
  /** One end of a socketpair; the application has the other. */
  readonly fd: number;
  /** The daemon's socket; by default where applications find it. */
  readonly socketPath?: string | undefined;
}

/** How often the application is looked for, ms: another process may hold its end of the connection when it is gone. */
const LOOK_INTERVAL_MS = 1000;

/**
 * Serves the application until it is gone.
 * @returns whether it ended in good order; what went wrong was told to the application
 * @throws {Error} when the descriptor is no end of a connection of this user's
 */
export async function runProviderHost(options: ProviderHostOptions): Promise<boolean> {
  const { fd } = options;
  const socket = socketOf(fd);
  let application: PeerIdentity;
  try {
    application = peerCredentials(fd);
  } catch (error) {
    await refuse(socket, NOBODY, error);
    throw error;
  }
  const lives = lifeOf(application.pid);
  if (application.uid !== process.getuid?.()) {
    throw new Error(`process ${application.pid} at descriptor ${fd} is of user ${application.uid}`);
  }
  let remote: RemotePort;
  try {
    remote = await connectRemote(options.socketPath ?? socketPath(), {
      name: nameOf(application.pid),
      onBehalfOf: application.pid,
      isWatched: true,
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
  return await serve(socket, { identity: application, command, lives }, remote, catalog);
}

function socketOf(fd: number): Socket {
  try {
    return new Socket({ fd });
  } catch {
    throw new Error(`descriptor ${fd} is no connection: client libraries start this program (docs/ipc.md)`);
  }
}

/** The application, as the kernel shows it. */
interface ServedApplication {
  readonly identity: PeerIdentity;
  readonly command: Application | null;
  readonly lives: () => boolean;
}

function serve(
  socket: Socket,
  served: ServedApplication,
  remote: RemotePort,
  catalog: Catalog | undefined,
): Promise<boolean> {
  const { names, profile = 'windows', limits } = remote;
  const { identity, command, lives } = served;
  const { pid } = identity;
  let current = catalog;
  const port = new ChainPort({
    port: remote,
    names,
    pid,
    profile,
    catalog: catalog === undefined ? undefined : () => current ?? catalog,
    catalogPort: readAtChanges(remote.catalog, (snapshot) => {
      current = catalogOf(snapshot, command);
    }),
    application: command ?? undefined,
    observer: profile === 'windows-mobile' || hasLayers(catalog) ? observerOf(pid) : {},
  });
  port.letWatch(remote.watch);
  return new Promise((resolve) => {
    let isWell = true;
    const onEnd = (): void => {
      clearInterval(look);
      process.off('SIGTERM', onSignal);
      process.off('uncaughtException', onFault);
      resolve(isWell);
    };
    const connection = serveConnection(socket, {
      identity,
      port,
      names,
      catalog: remote.catalog,
      profile,
      limits,
      onEnd,
    });
    const look = setInterval(() => {
      if (!lives()) connection.end(GoodbyeReason.normal, '');
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

/** Layers are watched, and what they do wrong is said. */
function observerOf(pid: number): ChainObserver {
  const say = (line: string): boolean => process.stderr.write(`winsockd-provider-host: ${line}\n`);
  return { ...startWatchdog(`${nameOf(pid)} (process ${pid})`), ...faultLines(say) };
}

function hasLayers(catalog: Catalog | undefined): boolean {
  return catalog?.entries.some(({ ChainLen }) => ChainLen === LAYERED_PROTOCOL) === true;
}

/** A catalog whose watchers are told of a change once it has been read: they follow it at once (WM-04, WM-05). */
function readAtChanges(port: CatalogPort, take: (snapshot: CatalogSnapshot) => void): CatalogPort {
  return {
    read: () => port.read(),
    apply: (change) => port.apply(change),
    history: () => port.history(),
    watch: (tell) =>
      port.watch(async (serial) => {
        const snapshot = await port.read();
        if (snapshot !== null) take(snapshot);
        tell(serial);
      }),
    close() {},
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whoever it is, nothing is done for him. */
const NOBODY: PeerIdentity = { pid: 0, uid: -1, gid: -1 };

/** For a connection on which nothing is asked. */
const NO_PORT = {
  submit: () => null,
  cancel: () => {},
  close: () => {},
  onComplete: () => {},
};
