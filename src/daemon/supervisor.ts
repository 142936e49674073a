/**
 * The daemon, put together: lock, device, stack, sockets, IPC server, control API; and taken apart again in reverse.
 *
 * Privilege ends in the middle: everything that needs it (device, files, socket paths) is opened before, and not a frame
 * is read until it is gone.
 */

import { chownSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type LevelWithSilent, type Logger, pino } from 'pino';
import { type Afd, createAfd, DAEMON_POLICY, observeEndpoint } from '../afd/index.ts';
import { PoolAllocator } from '../base/index.ts';
import { createHost, RealTime, type RunningHost, SystemRandom } from '../engine/index.ts';
import { createIpcServer, type IpcLog, type IpcServer, processExists } from '../ipc/index.ts';
import { takeNameEvent } from '../nameservice/index.ts';
import { isNativeAvailable, peerCredentials } from '../native/index.ts';
import type { PeerIdentity } from '../port/index.ts';
import { ConfigChange } from '../stack/index.ts';
import { Captures } from './captures.ts';
import type { DaemonConfig } from './config.ts';
import { createControl, listenControl } from './control.ts';
import { type OpenedLink, openLink } from './device.ts';
import { takeEchoEvent } from './echo.ts';
import { ExitCode, StartError } from './errors.ts';
import { Forwards } from './forwards.ts';
import { Impairment } from './impairment.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { LinkSettings } from './link-settings.ts';
import { acquireLock } from './lock.ts';
import { DaemonNames } from './names.ts';
import { setPrefixPolicies } from './prefix-policy.ts';
import { type Account, giveUpPrivileges, resolveAccount } from './privileges.ts';
import { Readiness } from './readiness.ts';
import { tellOwner } from './relay/endpoint-owner.ts';
import { setUpRouting } from './set-up-routing.ts';
import { Share } from './share.ts';
import type { DaemonState } from './state.ts';
import { StateFile } from './state-file.ts';
import { TcpTraces } from './tcp-traces.ts';
import { VERSION } from './version.ts';

/** What the daemon does to the process that it runs in. */
export interface DaemonHooks {
  /** Gives up all rights. A test that runs the daemon in its own process hands in something harmless. */
  readonly giveUpPrivileges?: (account: Account) => boolean;
}

/** A daemon that serves. */
export interface Daemon {
  readonly config: DaemonConfig;
  readonly log: Logger;
  /** Settled when the stop begins. */
  readonly stopping: Promise<void>;
  /** Waits until all addresses can be used, as long as the settings allow. See `Readiness.wait`. */
  whenUsable(tell: (missing: readonly string[]) => void): Promise<readonly string[]>;
  /** Settled when the daemon has stopped, whoever asked for it. `null`: in good order, else why. */
  readonly stopped: Promise<Error | null>;
  /** Ends it in good order; idempotent. */
  stop(cause?: Error): Promise<void>;
}

/** What is undone when the daemon stops, or could not start: the last first. */
class Undo {
  readonly #steps: (() => void | Promise<void>)[] = [];

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step);
  }

  /** Runs all of them. One that throws does not keep the others from running. @returns what was thrown first */
  async run(): Promise<unknown> {
    let first: unknown = null;
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        first ??= error;
      }
    }
    return first;
  }
}

/**
 * Starts the daemon.
 * @throws {StartError} | {DeviceError} | {IpcError} with what to do; then nothing is left behind.
 */
export async function startDaemon(config: DaemonConfig, hooks: DaemonHooks = {}): Promise<Daemon> {
  const undo = new Undo();
  try {
    return await assemble(config, hooks, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function assemble(config: DaemonConfig, hooks: DaemonHooks, undo: Undo): Promise<Daemon> {
  const account = resolveAccount(config.user, config.group);
  const log = openLog(config, undo);
  const daemon = new RunningDaemon(config, log, undo);
  takeLocks(config, account, undo);
  // The control socket goes last: whoever waits for the end waits for that.
  let control: FastifyInstance | null = null;
  undo.add(async () => {
    await control?.close();
  });
  const parts = openParts(config, openState(config, account, log, undo), daemon, undo);
  const ipc = await openIpc(config, parts, account, log);
  undo.add(() => ipc.close());
  control = createControl(stateOf(parts, ipc, daemon));
  await listenControl(control, config.control, Number.parseInt(config.controlMode, 8), account);

  (hooks.giveUpPrivileges ?? giveUpPrivileges)(account);
  parts.attach();
  const { socket, control: controlPath } = config;
  log.info(
    { links: parts.lines.map(({ opened }) => opened.status), socket, control: controlPath, version: VERSION },
    'serving',
  );
  return daemon;
}

/** Changes of the host's configuration after which other name servers may have to be asked, or the DNS proxy serves elsewhere. */
const NAME_CHANGES = ConfigChange.names | ConfigChange.interfaces | ConfigChange.addresses;

/** A link, open but not the host's yet. */
interface Line {
  readonly settings: LinkSettings;
  readonly opened: OpenedLink;
  readonly impairment: Impairment;
  isAttached: boolean;
}

/** What lies between the devices and the sockets. */
interface Parts {
  readonly scheduler: RealTime;
  readonly allocator: PoolAllocator;
  readonly lines: readonly Line[];
  readonly host: RunningHost;
  readonly afd: Afd;
  readonly names: DaemonNames;
  readonly captures: Captures;
  readonly forwards: Forwards;
  readonly share: Share | null;
  /** Gives the links to the host: frames are read from now on. */
  attach(): void;
}

function openParts(config: DaemonConfig, state: StateFile, daemon: RunningDaemon, undo: Undo): Parts {
  const scheduler = new RealTime();
  const random = new SystemRandom();
  const allocator = new PoolAllocator();
  const lines = [config, ...config.link].map((settings) =>
    openLine(settings, scheduler, random, state, undo),
  );
  let names: DaemonNames | null = null;
  let sockets: Afd | null = null;
  let leases: LeaseKeeper | null = null;
  const host = createHost({
    scheduler,
    random,
    allocator,
    identity: state.identity,
    observer: (endpoint, events) => {
      if (takeEchoEvent(endpoint) || takeNameEvent(endpoint, events) || tellOwner(endpoint, events)) return;
      observeEndpoint(endpoint, events);
    },
    configObserver: (changes) => {
      sockets?.configChanged(changes);
      if ((changes & NAME_CHANGES) !== 0) names?.configure();
      if ((changes & ConfigChange.leases) !== 0) leases?.changed();
      daemon.readiness?.changed();
    },
    onLinkFailed: (link, error) =>
      void daemon.stop(new StartError(`the device ${link.name} failed: ${error.message}`)),
  });
  undo.add(() => host.close());
  const keeper = new LeaseKeeper(state, host.stack);
  leases = keeper;
  // What ends with the host is not given back to servers.
  undo.add(() => {
    leases = null;
  });
  setPrefixPolicies(host.stack, config.prefixPolicies);
  const resolving = new DaemonNames(config, host.stack, scheduler, random);
  names = resolving;
  undo.add(() => resolving.close());
  const onFault = (error: unknown): void => daemon.log.error({ err: error }, 'a session threw');
  const policy = { ...DAEMON_POLICY, processExists, onFault };
  const afd = createAfd({ stack: host.stack, scheduler, random, allocator, policy });
  sockets = afd;
  undo.add(() => afd.close());
  const captures = new Captures(host.driver);
  undo.add(() => void captures.stop());
  if (config.capture !== undefined) captures.start(config.capture);
  const forwards = new Forwards(host.stack, scheduler);
  undo.add(() => forwards.close());
  const share = config.share ? new Share({ scheduler, loopback: config.shareLoopback }) : null;
  undo.add(() => share?.close());
  const attach = (): void => {
    state.save();
    const links = lines.map((line) => ({
      index: attachLink(host, line, keeper, config),
      settings: line.settings,
    }));
    daemon.readiness = new Readiness(host.stack, scheduler, links);
    share?.attach(host);
    setUpRouting(host.stack, config);
  };
  const made = { scheduler, allocator, lines, host, afd, names: resolving, captures };
  return { ...made, forwards, share, attach };
}

/** Opens a link; until the host has it, it is ours to close. */
function openLine(
  settings: LinkSettings,
  scheduler: RealTime,
  random: SystemRandom,
  state: StateFile,
  undo: Undo,
): Line {
  const opened = openLink(settings, scheduler, state);
  undo.add(() => opened.close());
  const impairment = new Impairment(opened.link, scheduler, random.next() >>> 1);
  const line: Line = { settings, opened, impairment, isAttached: false };
  undo.add(() => {
    if (!line.isAttached) impairment.link.close();
  });
  return line;
}

function stateOf(parts: Parts, ipc: IpcServer, daemon: RunningDaemon): DaemonState {
  const { scheduler, lines, host, afd, names, captures, forwards, share } = parts;
  const startedAt = performance.now();
  return {
    config: daemon.config,
    stack: host.stack,
    scheduler,
    afd,
    ipc,
    names,
    captures,
    traces: new TcpTraces(host.stack, performance.timeOrigin),
    impairments: lines.map(({ impairment }) => impairment),
    forwards,
    share,
    linkStatuses: lines.map(({ opened }) => opened.status),
    get uptimeSec() {
      return (performance.now() - startedAt) / 1000;
    },
    get isStopping() {
      return daemon.isStopping;
    },
    fault: (error) => daemon.log.error({ err: error }, 'a control request failed'),
    shutDown: () => void daemon.stop(),
  };
}

/** What was kept at the last end. The directory is made, and is the user's that the daemon becomes; nobody else writes there meanwhile. */
function openState(
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
function takeLocks(config: DaemonConfig, account: Account, undo: Undo): void {
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

class RunningDaemon implements Daemon {
  readonly config: DaemonConfig;
  readonly log: Logger;
  readonly stopped: Promise<Error | null>;
  readonly stopping: Promise<void>;
  /** `null` until its links are attached. */
  readiness: Readiness | null = null;
  readonly #undo: Undo;
  #begin: () => void = () => {};
  #settle: (cause: Error | null) => void = () => {};
  #ending: Promise<void> | null = null;

  constructor(config: DaemonConfig, log: Logger, undo: Undo) {
    this.config = config;
    this.log = log;
    this.#undo = undo;
    this.stopped = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.stopping = new Promise((resolve) => {
      this.#begin = resolve;
    });
  }

  get isStopping(): boolean {
    return this.#ending !== null;
  }

  async whenUsable(tell: (missing: readonly string[]) => void): Promise<readonly string[]> {
    return (await this.readiness?.wait(this.config.readyWait * 1000, tell)) ?? [];
  }

  stop(cause?: Error): Promise<void> {
    this.#ending ??= this.#stop(cause ?? null);
    return this.#ending;
  }

  async #stop(cause: Error | null): Promise<void> {
    this.#begin();
    if (cause === null) this.log.info('stopping');
    else this.log.error({ err: cause }, 'stopping');
    const error = await this.#undo.run();
    this.#settle(cause ?? (error instanceof Error ? error : null));
  }
}

function attachLink(
  { driver, stack }: RunningHost,
  line: Line,
  leases: LeaseKeeper,
  config: DaemonConfig,
): number {
  const { address, gateway, gateway6, autoconf, dhcp, dhcpInform } = line.settings;
  const index = driver.attach(line.impairment.link, {
    addresses: address,
    ...(gateway === undefined ? {} : { gateway }),
    ...(gateway6 === undefined ? {} : { gateway6 }),
  });
  line.isAttached = true;
  leases.recall(index, line.opened.link.name);
  if (autoconf) stack.startAutoconf(index);
  if (dhcp || dhcpInform) {
    // A fully qualified name would be taken for a name with dots in it.
    const [label = ''] = config.hostName?.split('.') ?? [];
    const mode = dhcp ? 'stateful' : 'stateless';
    stack.startDhcp(index, /^[0-9a-z-]+$/i.test(label) ? { mode, hostName: label } : { mode });
  }
  return index;
}

function openIpc(
  config: DaemonConfig,
  { afd, names, allocator }: Parts,
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
    openNames: () => names.openSession(),
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

function openLog(config: DaemonConfig, undo: Undo): Logger {
  let fd = 2;
  if (config.log !== undefined) {
    try {
      fd = openSync(config.log, 'a', 0o640);
    } catch (error) {
      throw new StartError(
        `cannot write the log ${config.log}: ${(error as Error).message}`,
        ExitCode.notPermitted,
      );
    }
    const file = fd;
    undo.add(() => closeSync(file));
  }
  const level: LevelWithSilent = config.logLevel;
  const destination = pino.destination({ dest: fd, sync: true });
  return pino({ level, base: { pid: process.pid } }, destination);
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

function ownUid(): number {
  return process.geteuid?.() ?? 0;
}

function ownGid(): number {
  return process.getegid?.() ?? 0;
}
