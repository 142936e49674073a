/**
 * The daemon, put together: lock, device, stack, sockets, IPC server, control API; and taken apart again in reverse.
 *
 * Privilege ends in the middle: everything that needs it (device, files, socket paths) is opened before, and not a frame
 * is read until it is gone.
 */

import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type Afd, createAfd, DAEMON_POLICY, observeEndpoint } from '../afd/index.ts';
import { PoolAllocator } from '../base/index.ts';
import { createHost, RealTime, type RunningHost, SystemRandom } from '../engine/index.ts';
import { type IpcServer, processExists } from '../ipc/index.ts';
import { takeNameEvent } from '../nameservice/index.ts';
import { ConfigChange } from '../stack/index.ts';
import { Captures } from './captures.ts';
import { type DaemonCatalog, openDaemonCatalog } from './catalog.ts';
import type { DaemonConfig } from './config.ts';
import { createControl, listenControl } from './control.ts';
import { takeEchoEvent } from './echo.ts';
import { StartError } from './errors.ts';
import { Forwards } from './forwards.ts';
import { openIpc } from './ipc.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { attachLink, type Line, openLine } from './lines.ts';
import { openLog } from './log.ts';
import { DaemonNames } from './names.ts';
import { openState, takeLocks } from './paths.ts';
import { setPrefixPolicies } from './prefix-policy.ts';
import { type Account, giveUpPrivileges, resolveAccount } from './privileges.ts';
import { Readiness } from './readiness.ts';
import { tellOwner } from './relay/endpoint-owner.ts';
import { setUpRouting } from './set-up-routing.ts';
import { Share } from './share.ts';
import type { DaemonState } from './state.ts';
import type { StateFile } from './state-file.ts';
import { TcpTraces } from './tcp-traces.ts';
import { Undo } from './undo.ts';
import { VERSION } from './version.ts';
import { Watches } from './watches.ts';

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
  const state = openState(config, account, log, undo);
  const catalog = openDaemonCatalog(config, account, log);
  undo.add(() => catalog.keeper.close());
  const opened = openParts(config, state, daemon, undo);
  const parts = { ...opened, catalog, watches: new Watches(opened.scheduler) };
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

function stateOf(
  parts: Parts & { readonly catalog: DaemonCatalog; readonly watches: Watches },
  ipc: IpcServer,
  daemon: RunningDaemon,
): DaemonState {
  const { scheduler, lines, host, afd, names, catalog, watches, captures, forwards, share } = parts;
  const startedAt = performance.now();
  return {
    config: daemon.config,
    stack: host.stack,
    scheduler,
    afd,
    ipc,
    names,
    catalog,
    captures,
    traces: new TcpTraces(host.stack, performance.timeOrigin),
    watches,
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
