/**
 * A daemon in memory mode, and applications in C that reach it through a provider host of their own (`test/support/c/hosted-client.c`).
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { XP1_IFS_HANDLES } from '../../src/abi/index.ts';
import { connectRemote } from '../../src/ipc/index.ts';
import {
  type BehaviorProfile,
  type CatalogAnswer,
  type CatalogChange,
  CONFIG_JSON_VARIABLE,
  type DaemonStatus,
  type SocketStatus,
} from '../../src/port/index.ts';
import { compileRooms } from './compiled.ts';
import { until } from './live-host.ts';

const MEMORY = { memory: true, address: ['10.77.0.2/24'], hostAddress: ['10.77.0.1/24'], socketMode: '0666' };

/** The C compiler that is there, or `undefined`. */
export const compiler = ['gcc', 'cc'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** How an application is started. */
export interface ApplicationOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly uid?: number;
  /** Pipes that it has besides, from its descriptor 3 on. */
  readonly pipes?: number;
}

export class HostedApplications {
  /** The daemon's socket. */
  readonly socket: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'wsk-host-'));
  readonly #control: string;
  /** The client's program. */
  readonly client: string;
  readonly #rooms: string;
  readonly #applications = new Set<ChildProcess>();
  #daemon: ChildProcess | null = null;

  constructor() {
    chmodSync(this.#folder, 0o755); // for applications of another user's
    this.socket = join(this.#folder, 'winsockd.sock');
    this.#control = join(this.#folder, 'control.sock');
    this.client = join(this.#folder, 'client');
    const source = 'test/support/c/hosted-client.c';
    execFileSync(compiler ?? '', ['-Wall', '-Werror', '-O1', '-pthread', '-o', this.client, source]);
    this.#rooms = compileRooms('app', 'daemon');
    symlinkSync(resolve('node_modules'), join(this.#rooms, '..', 'node_modules'));
  }

  /** A file in the folder that every user can read. @returns its path */
  write(name: string, text: string): string {
    const path = join(this.#folder, name);
    writeFileSync(path, text);
    return path;
  }

  /** The URL of a room's contract, for modules that the host loads. */
  room(name: string): string {
    return pathToFileURL(join(this.#rooms, name, 'index.js')).href;
  }

  /** A daemon is there, with the catalog of a fresh installation. @param profile of the first start */
  async startDaemon(profile: BehaviorProfile = 'windows'): Promise<void> {
    if (this.#daemon !== null) {
      await this.change({ kind: 'reset', what: 'all' });
      return;
    }
    const settings = { ...MEMORY, profile, socket: this.socket, control: this.#control };
    const started = this.#start(process.execPath, [join(this.#rooms, 'daemon', 'main.js')], {
      env: { [CONFIG_JSON_VARIABLE]: JSON.stringify(settings) },
    });
    this.#daemon = started.child;
    const isThere = (): boolean => existsSync(this.#control) && existsSync(this.socket);
    await until('the daemon serves', isThere, 20_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${started.output}`);
    });
  }

  async killDaemon(): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    daemon?.kill('SIGKILL');
    await until('the daemon is gone', () => daemon === null || isGone(daemon));
    for (const file of [this.socket, this.#control]) rmSync(file, { force: true });
  }

  /** Puts a layer over all that the daemon's catalog has. */
  async install(path: string): Promise<void> {
    const { error } = await this.change({
      kind: 'install-chains',
      providerId: 'B0000000-0000-0000-0000-000000000001',
      path,
      name: 'a layer',
      serviceFlags: XP1_IFS_HANDLES,
      over: null,
    });
    if (error !== 0) throw new Error(`not installed: WSA code ${error}`);
  }

  async change(change: CatalogChange): Promise<CatalogAnswer> {
    const port = await connectRemote(this.socket);
    const answer = await port.catalog.apply(change);
    port.close();
    return answer;
  }

  /** Starts the client with a host, and waits for a line of its output. */
  async run(mode: string, line: RegExp, options: ApplicationOptions = {}): Promise<Application> {
    const host = join(this.#rooms, 'app', 'hosted', 'main.js');
    return await this.#runClient([mode, process.execPath, host, '--socket', this.socket], line, options);
  }

  /** Starts the client, which asks for a session on behalf of a process. */
  async claim(pid: number, options: ApplicationOptions = {}): Promise<Application> {
    return await this.#runClient(['claim', this.socket, String(pid)], /^claimed/m, options);
  }

  async #runClient(args: readonly string[], line: RegExp, options: ApplicationOptions): Promise<Application> {
    const application = this.#start(this.client, args, options);
    this.#applications.add(application.child);
    const told = (): boolean => line.test(application.output);
    await until(`${line} is said`, told, 20_000).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${application.output}`);
    });
    return application;
  }

  #start(program: string, args: readonly string[], { env, uid, pipes = 0 }: ApplicationOptions): Application {
    const more = Array.from({ length: pipes }, () => 'pipe' as const);
    const child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...more],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    return new Application(child);
  }

  /** Ends all applications, and whatever an exception has left. */
  async endApplications(): Promise<void> {
    for (const child of this.#applications) child.kill('SIGKILL');
    await until('all are gone', () => [...this.#applications].every(isGone));
    this.#applications.clear();
  }

  async dispose(): Promise<void> {
    await this.endApplications();
    await this.killDaemon();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async ask<T>(path: string): Promise<T> {
    return JSON.parse(await get(this.#control, path)) as T;
  }

  /** Sockets that applications have. */
  async sockets(): Promise<readonly SocketStatus[]> {
    return (await this.ask<readonly SocketStatus[]>('/v1/sockets')).filter(({ pids }) => pids.length > 0);
  }

  /** Waits until the daemon holds nothing of anybody's. */
  async nothingIsLeft(): Promise<void> {
    await until('the daemon holds nothing', async () => {
      const { sessions } = await this.ask<DaemonStatus>('/v1/status');
      return sessions === 0 && (await this.sockets()).length === 0;
    });
  }
}

/** A process, and what it has said. */
export class Application {
  readonly child: ChildProcess;
  output = '';

  constructor(child: ChildProcess) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (part: string) => {
        this.output += part;
      });
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** The process id behind a word of its output; the last one of several. */
  number(word: string): number {
    const said = [...this.output.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))];
    return Number(said.at(-1)?.[1]);
  }
}

/** What the kernel says of a process: a field of its status; the empty string when there is none. */
export function processField(pid: number, field: string): string {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  } catch {
    return '';
  }
}

/** Whether a process runs; one that nobody has waited for does not. */
export function isAlive(pid: number): boolean {
  return /^[^ZX]/.test(processField(pid, 'State'));
}

export function childrenOf(pid: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((each) => processField(each, 'PPid') === String(pid));
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((done, fail) => {
    const asked = request({ socketPath, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => done(text));
    });
    asked.on('error', fail).end();
  });
}
