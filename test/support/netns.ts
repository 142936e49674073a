/**
 * Network namespaces for tests: made here, used by commands of the machine, and always removed.
 *
 * Names are `wsk-<pid>-<n>`: unique among tests that run at once. Whatever a file made is removed after its last test;
 * what a killed run left behind is removed by the next one.
 *
 * @example
 * const space = createNamespace();
 * space.exec('ip', 'link', 'set', 'lo', 'up');          // set-up: synchronous
 * const ping = await space.run(['ping', '-c1', '::1']);  // while the test's own loop goes on
 */

import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll } from '@jest/globals';

/** How a command ended. `status` is `null` when a signal ended it (the time limit sends SIGKILL). */
export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const NAME = /^wsk-(\d+)-\d+$/;
const NETNS_DIRECTORY = '/run/netns';
const DEFAULT_TIMEOUT_MS = 20_000;

const live = new Set<Namespace>();
let made = 0;
let isSwept = false;

/** A network namespace that the test owns. Loopback is up. */
export class Namespace {
  readonly name: string;
  readonly #children = new Set<ChildProcess>();

  constructor(name: string) {
    this.name = name;
  }

  /** Where it is mounted; what `setns` opens. */
  get path(): string {
    return `${NETNS_DIRECTORY}/${this.name}`;
  }

  /**
   * Runs a command inside and waits, blocking the event loop: for set-up only, not for anything that the test answers.
   * @throws {Error} with the command's own message when it fails.
   */
  exec(command: string, ...args: string[]): string {
    return run('ip', ['netns', 'exec', this.name, command, ...args]);
  }

  /** Runs `ip -j …` inside and returns its parsed answer. */
  ipJson<T = Record<string, unknown>>(...args: string[]): T[] {
    const text = run('ip', ['-n', this.name, '-j', '-d', ...args]).trim();
    return text === '' ? [] : (JSON.parse(text) as T[]);
  }

  /** Starts a command inside; it is killed when the namespace is removed, if it still runs then. */
  spawn(argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.name, ...argv], options);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    return child;
  }

  /** Runs a command inside to its end, without blocking the loop. A command that fails is a result, not an error. */
  run(argv: readonly string[], timeoutMs = DEFAULT_TIMEOUT_MS): Promise<CommandResult> {
    return new Promise((resolve, reject) => {
      const child = this.spawn(argv, { stdio: ['ignore', 'pipe', 'pipe'] });
      const limit = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
      let stdout = '';
      let stderr = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.once('error', reject);
      child.once('close', (status) => {
        clearTimeout(limit);
        resolve({ status, stdout, stderr });
      });
    });
  }

  /** Kills what still runs inside and removes it. Idempotent. */
  remove(): void {
    if (!live.delete(this)) return;
    for (const child of this.#children) child.kill('SIGKILL');
    run('ip', ['netns', 'delete', this.name]);
  }
}

/** A fresh namespace with loopback up. Removed after the last test of the file, or earlier by `remove`. */
export function createNamespace(): Namespace {
  sweep();
  const space = new Namespace(`wsk-${process.pid}-${++made}`);
  run('ip', ['netns', 'add', space.name]);
  live.add(space);
  run('ip', ['-n', space.name, 'link', 'set', 'lo', 'up']);
  return space;
}

/**
 * A cable between two namespaces: `veth0` (or the names given) at both ends, up, with the addresses given as
 * `address/length`.
 */
export function connectNamespaces(
  a: Namespace,
  b: Namespace,
  options: {
    name?: string;
    addressesA?: readonly string[];
    addressesB?: readonly string[];
    mtu?: number;
  } = {},
): void {
  const name = options.name ?? 'veth0';
  run('ip', ['-n', a.name, 'link', 'add', name, 'type', 'veth', 'peer', 'name', name, 'netns', b.name]);
  for (const [space, addresses] of [
    [a, options.addressesA ?? []],
    [b, options.addressesB ?? []],
  ] as const) {
    for (const address of addresses) {
      const noDad = address.includes(':') ? ['nodad'] : [];
      run('ip', ['-n', space.name, 'address', 'add', address, 'dev', name, ...noDad]);
    }
    if (options.mtu !== undefined) {
      run('ip', ['-n', space.name, 'link', 'set', name, 'mtu', String(options.mtu)]);
    }
    run('ip', ['-n', space.name, 'link', 'set', name, 'up']);
  }
}

/** Removes every namespace that this file made. Runs by itself after the last test. */
export function removeNamespaces(): void {
  for (const space of [...live]) space.remove();
}

afterAll(removeNamespaces);

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: DEFAULT_TIMEOUT_MS,
  });
}

/** Removes, once a process, namespaces whose test process is gone. */
function sweep(): void {
  if (isSwept) return;
  isSwept = true;
  let names: string[] = [];
  try {
    names = readdirSync(NETNS_DIRECTORY);
  } catch {
    return; // No namespace was ever made on this machine.
  }
  for (const name of names) {
    const owner = NAME.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    try {
      run('ip', ['netns', 'delete', name]);
    } catch {
      // Another test file swept it first.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
