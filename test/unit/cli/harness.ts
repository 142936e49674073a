/** A terminal and a daemon for tests of the command line: what was printed, what was asked, no clock. */

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import type { Context, Machine, Output } from '../../../src/cli/context.ts';
import { run } from '../../../src/cli/program.ts';

/** What a command did. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly bytes: Buffer;
  readonly err: string;
}

export interface ContextOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly directory?: string;
  readonly isTerminal?: boolean;
  readonly machine?: Partial<Machine>;
  readonly interruption?: AbortController;
  /** Called instead of sleeping. Time goes on by what was slept. */
  readonly onSleep?: (ms: number) => void;
}

/** Runs a command line in this process. */
export async function cli(args: string | readonly string[], options: ContextOptions = {}): Promise<Outcome> {
  const stdout = new Collector(options.isTerminal === true);
  const stderr = new Collector(false);
  const list = typeof args === 'string' ? args.split(' ').filter((arg) => arg !== '') : args;
  const code = await run(list, testContext(stdout, stderr, options));
  const bytes = Buffer.concat(stdout.chunks);
  return { code, out: bytes.toString('utf8'), bytes, err: Buffer.concat(stderr.chunks).toString('utf8') };
}

export function testContext(stdout: Output, stderr: Output, options: ContextOptions): Context {
  const { interruption = new AbortController(), onSleep = () => {} } = options;
  let now = 1000;
  return {
    stdout,
    stderr,
    environment: options.environment ?? {},
    directory: options.directory ?? '/here',
    signal: interruption.signal,
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      onSleep(ms);
      // Lets what is under way on sockets go on.
      await new Promise((resolve) => setImmediate(resolve));
    },
    machine: { ...LINUX_MACHINE, ...options.machine },
  };
}

export class Collector extends Writable {
  readonly chunks: Buffer[] = [];
  readonly isTTY: boolean;
  onChunk: () => void = () => {};

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    this.onChunk();
    done();
  }
}

/** A machine on which everything is as it is meant to be. */
export const LINUX_MACHINE: Machine = {
  platform: 'linux',
  uid: 0,
  access: () => 'usable',
  readText: (path) => (path === '/proc/self/status' ? 'Name:\tnode\nCapEff:\t000001ffffffffff\n' : null),
  readBytes: () => null,
  findProgram: (name) => `/usr/sbin/${name}`,
  daemonEntry: '/package/dist/daemon/main.js',
  addonCandidates: ['/package/native/build/Release/winsockd.node'],
  packageFile: '/package/package.json',
  spawn: () => {
    throw new Error('nothing is spawned here');
  },
  onSignals: () => () => {},
};

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
}

/** What a route does: answers JSON with 200, or what it likes. */
export type Route = object | ((asked: Asked, response: ServerResponse) => unknown);

/** A control server at a socket of its own. Routes are `GET /v1/status`, without the query. */
export class FakeDaemon {
  readonly asked: Asked[] = [];
  readonly path: string;
  readonly folder: string;
  readonly #server;

  private constructor(routes: Readonly<Record<string, Route>>) {
    this.folder = mkdtempSync(join(tmpdir(), 'winsockd-cli-'));
    this.path = join(this.folder, 'control.sock');
    this.#server = createServer((request, response) => {
      void this.#answer(request, response, routes);
    });
  }

  static async start(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
    const daemon = new FakeDaemon(routes);
    await new Promise<void>((resolve) => daemon.#server.listen(daemon.path, resolve));
    return daemon;
  }

  /** Runs a command line against this daemon. */
  cli(args: string, options: ContextOptions = {}): Promise<Outcome> {
    return cli([...args.split(' '), '--control', this.path], options);
  }

  /** The same, and its answer under `--json`. */
  async json(args: string, options: ContextOptions = {}): Promise<unknown> {
    return JSON.parse((await this.cli(`${args} --json`, options)).out);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    routes: Readonly<Record<string, Route>>,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const { method = '', url = '' } = request;
    const asked = { method, url, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
    this.asked.push(asked);
    const route = routes[`${method} ${url.split('?')[0]}`];
    if (route === undefined) return refuse(response, 404, 'notFound', `${method} ${url} does not exist`);
    const answer =
      typeof route === 'function'
        ? (route as (asked: Asked, response: ServerResponse) => unknown)(asked, response)
        : route;
    // A route that answers nothing has written its own.
    if (answer !== undefined) response.end(JSON.stringify(answer));
  }
}

/** The control API's form of an error. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { code, message } }));
}
