/**
 * The server: a Unix stream socket on which each client becomes a session with an `AfdPort` of its own.
 */

import { existsSync } from 'node:fs';
import { chmod, chown, lstat, unlink } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type BufferAllocator, PoolAllocator } from '../base/index.ts';
import {
  type AfdPort,
  type BehaviorProfile,
  type CatalogPort,
  type NamePort,
  NO_CATALOG,
  NO_NAMES,
  type PeerIdentity,
  type WatchedClient,
  type WatchSession,
} from '../port/index.ts';
import { probeServer } from './client.ts';
import { IpcError } from './errors.ts';
import type { IpcLog } from './log.ts';
import { DEFAULT_LIMITS, GoodbyeReason, type IpcLimits } from './protocol.ts';
import { IpcSession, type SessionHost, type SessionView } from './session.ts';

export interface IpcServerOptions {
  /** Where to listen. A file left behind by a server that died is replaced. Exactly one of `path` and `fd` is given. */
  readonly path?: string;
  /** A listening Unix socket that was handed over (socket activation). */
  readonly fd?: number;
  /** Permission bits of the socket file; default 0o600. Who may connect is decided by them. */
  readonly mode?: number;
  /** Owner of the socket file; default the process's own. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Who is on the other side of an accepted descriptor: the kernel's answer. A throw refuses the client. */
  identify(fd: number): PeerIdentity;
  /** Further policy; default everyone whom the file's mode lets in. */
  allow?(identity: PeerIdentity): boolean;
  openSession(identity: PeerIdentity): AfdPort;
  /** A session with the resolver; opened at a client's first question. Without it there are no names. */
  openNames?(identity: PeerIdentity): NamePort;
  /** Why a client may not stand for another process; `null`: it may. Without it nobody may. */
  refuseFor?(identity: PeerIdentity, pid: number): string | null;
  /** A session with the provider catalog, likewise; `name` is what the client calls itself. Without it there is none. */
  openCatalog?(identity: PeerIdentity, name: string): CatalogPort;
  /** Takes what clients tell of their processes' calls. Without it they are not asked. */
  openWatch?(client: WatchedClient): WatchSession;
  /** What clients are told to show their applications; default 'windows'. */
  readonly profile?: BehaviorProfile;
  readonly limits?: Partial<IpcLimits>;
  /** Most clients at once, and most of one user. */
  readonly maxClients?: number;
  readonly maxClientsPerUser?: number;
  /** How long a client may take for its HELLO, ms. */
  readonly handshakeTimeoutMs?: number;
  /** Memory for requests and answers, bounded for all clients together. */
  readonly allocator?: BufferAllocator;
  readonly log?: IpcLog;
}

export interface IpcServer {
  /** The socket file, or `null` when a descriptor was handed in. */
  readonly path: string | null;
  readonly sessions: readonly SessionView[];
  /** Says GOODBYE to all clients, closes their sessions and removes the socket file. Idempotent. */
  close(): Promise<void>;
}

const MAX_CLIENTS = 1024;
const MAX_CLIENTS_PER_USER = 512;
const HANDSHAKE_TIMEOUT_MS = 5000;
const BACKLOG = 128;

/**
 * Starts to listen.
 * @throws {IpcError} `pathInUse` with the owner's pid when another server has the path; `cannotListen` otherwise.
 */
export async function createIpcServer(options: IpcServerOptions): Promise<IpcServer> {
  const server = new UnixServer(options);
  await server.listen();
  return server;
}

class UnixServer implements IpcServer, SessionHost {
  readonly path: string | null;
  readonly limits: IpcLimits;
  readonly profile: BehaviorProfile;
  readonly allocator: BufferAllocator;
  readonly log: IpcLog;
  readonly handshakeTimeoutMs: number;
  readonly #options: IpcServerOptions;
  readonly #server: Server;
  readonly #sessions = new Map<number, IpcSession>();
  #lastId = 0;
  #closing: Promise<void> | null = null;

  constructor(options: IpcServerOptions) {
    this.#options = options;
    this.path = options.path ?? null;
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.profile = options.profile ?? 'windows';
    this.allocator = options.allocator ?? new PoolAllocator();
    this.log = options.log ?? ((): void => {});
    this.handshakeTimeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get sessions(): readonly SessionView[] {
    return [...this.#sessions.values()].map((session) => session.view);
  }

  openSession(identity: PeerIdentity): AfdPort {
    return this.#options.openSession(identity);
  }

  openNames(identity: PeerIdentity): NamePort {
    return this.#options.openNames?.(identity) ?? NO_NAMES;
  }

  refuseFor(identity: PeerIdentity, pid: number): string | null {
    return this.#options.refuseFor === undefined
      ? 'no client may stand for another process here'
      : this.#options.refuseFor(identity, pid);
  }

  openCatalog(identity: PeerIdentity, name: string): CatalogPort {
    return this.#options.openCatalog?.(identity, name) ?? NO_CATALOG;
  }

  openWatch(client: WatchedClient): WatchSession | null {
    return this.#options.openWatch?.(client) ?? null;
  }

  sessionEnded(session: IpcSession): void {
    this.#sessions.delete(session.id);
    this.log('info', 'client gone', { ...session.identity });
  }

  async listen(): Promise<void> {
    const { path, fd, mode = 0o600, owner } = this.#options;
    if (path === undefined) {
      if (fd === undefined)
        throw new IpcError('cannotListen', 'neither a path nor a descriptor to listen on');
      await this.#listenOn({ fd, backlog: BACKLOG });
      return;
    }
    try {
      await this.#listenOnPath(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cannotListen(path, error);
      await refuseOrRemoveStale(path);
      await this.#listenOnPath(path).catch((again) => Promise.reject(cannotListen(path, again)));
    }
    if (owner !== undefined) await chown(path, owner.uid, owner.gid);
    await chmod(path, mode);
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      // The socket file goes with the listening handle.
      this.#server.close(() => resolve());
      for (const session of this.#sessions.values())
        session.end(GoodbyeReason.shuttingDown, 'the daemon is shutting down');
    });
    return this.#closing;
  }

  #accept(socket: Socket): void {
    const identity = this.#identify(socket);
    if (identity === null) {
      socket.destroy();
      return;
    }
    const session = new IpcSession(++this.#lastId, identity, socket, this);
    this.#sessions.set(session.id, session);
    if (this.#options.allow?.(identity) === false) {
      session.end(GoodbyeReason.notAllowed, `user ${identity.uid} is not served`);
    } else if (this.#isFull(identity.uid)) {
      session.end(GoodbyeReason.tooManyClients, 'too many clients are connected');
    } else {
      this.log('info', 'client connected', { ...identity });
    }
  }

  #identify(socket: Socket): PeerIdentity | null {
    // node:net has no public way to the descriptor of a connection.
    const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd ?? -1;
    try {
      return this.#options.identify(fd);
    } catch (error) {
      this.log('error', 'peer unknown', { error });
      return null;
    }
  }

  #isFull(uid: number): boolean {
    const { maxClients = MAX_CLIENTS, maxClientsPerUser = MAX_CLIENTS_PER_USER } = this.#options;
    if (this.#sessions.size > maxClients) return true;
    let ofUser = 0;
    for (const session of this.#sessions.values()) if (session.identity.uid === uid) ofUser++;
    return ofUser > maxClientsPerUser;
  }

  /** Nobody may connect before `mode` is set: the file is made without permissions for others. */
  async #listenOnPath(path: string): Promise<void> {
    const umask = process.umask(0o177);
    let listening: Promise<void>;
    try {
      // The file is made within this call, before it returns.
      listening = this.#listenOn({ path, backlog: BACKLOG });
    } finally {
      process.umask(umask);
    }
    await listening;
  }

  #listenOn(where: { path?: string; fd?: number; backlog: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(where, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.log('error', 'accept failed', { error }));
        resolve();
      });
    });
  }
}

/** @throws {IpcError} when a live server has the path; otherwise removes the file that a dead one left. */
async function refuseOrRemoveStale(path: string): Promise<void> {
  // A connect to a plain file is refused just as one to a dead socket is; only the latter is ours to remove.
  const isSocket = await lstat(path).then((file) => file.isSocket());
  if (!isSocket)
    throw new IpcError('cannotListen', `${path} exists and is no socket; choose another path with --socket`);
  const owner = await probeServer(path);
  if (owner === null) {
    await unlink(path);
    return;
  }
  const who = owner === 0 ? 'another program' : `process ${owner}`;
  throw new IpcError(
    'pathInUse',
    `${path} is in use by ${who}; end it with "winsockd down --socket ${path}", or choose another path with --socket`,
    owner,
  );
}

function cannotListen(path: string, cause: unknown): IpcError {
  const { code = '', message } = cause as NodeJS.ErrnoException;
  let remedy = message;
  // A missing directory is reported as EACCES by the event loop.
  if (!existsSync(dirname(path))) remedy = `make its directory first: mkdir -p ${dirname(path)}`;
  else if (code === 'EACCES' || code === 'EPERM') {
    remedy = 'choose a path in a directory that you may write to, with --socket';
  }
  return new IpcError('cannotListen', `cannot listen on ${path} (${code}): ${remedy}`);
}
