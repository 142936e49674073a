/**
 * The command line and its daemon as processes in a namespace, compiled for the test: what a user starts there.
 *
 * @example
 * const line = new CommandLine(space);
 * await line.up('--memory', '--share');
 * await line.json<ForwardStatus>('forward', 'add', 'host:0', 'stack:80');
 * await line.end();
 */

import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { compileRooms } from './compiled.ts';
import type { CommandResult, Namespace } from './netns.ts';

const STOP_TIMEOUT_MS = 20_000;

/** Compiled once a test file. */
let out: string | null = null;

function compiled(): string {
  if (out === null) {
    out = compileRooms('app', 'cli', 'daemon');
    symlinkSync(resolve('node_modules'), join(out, '../node_modules'));
  }
  return out;
}

export class CommandLine {
  readonly folder = mkdtempSync(join(tmpdir(), 'winsockd-line-'));
  readonly socket = join(this.folder, 'app.sock');
  readonly control = join(this.folder, 'control.sock');
  readonly #space: Namespace;

  constructor(space: Namespace) {
    this.#space = space;
  }

  /** Starts the daemon and waits until it serves. @throws {Error} in its words */
  async up(...args: readonly string[]): Promise<void> {
    const log = join(this.folder, 'daemon.log');
    const { status, stderr } = await this.run(
      'up',
      '--daemon',
      '--socket',
      this.socket,
      '--log',
      log,
      ...args,
    );
    if (status !== 0) throw new Error(`${stderr}${existsSync(log) ? readFileSync(log, 'utf8') : ''}`);
  }

  /** One command. */
  run(...args: readonly string[]): Promise<CommandResult> {
    const program = join(compiled(), 'cli/main.js');
    return this.#space.run([process.execPath, program, ...args, '--control', this.control], STOP_TIMEOUT_MS);
  }

  /** One command's answer. @throws {Error} when it fails */
  async json<T>(...args: readonly string[]): Promise<T> {
    const { status, stdout, stderr } = await this.run(...args, '--json');
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as T;
  }

  /** Runs a program that uses the daemon's sockets. @param script an ES module; `ROOMS` stands for the folder of the rooms */
  application(name: string, script: string): readonly string[] {
    const file = join(this.folder, `${name}.mjs`);
    writeFileSync(file, script.replaceAll('ROOMS', compiled()));
    return ['env', `WINSOCKD_SOCKET=${this.socket}`, process.execPath, file];
  }

  /** Ends the daemon, if it runs, and removes its files. */
  async end(): Promise<void> {
    await this.run('down');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
