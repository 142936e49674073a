/**
 * The provider host as its users see it: an application in C (`test/support/c/hosted-client.c`) starts one, reaches its sockets
 * through it with layers and without, and nothing is left whoever of the three is killed.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
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
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { CONFIG_JSON_VARIABLE, type DaemonStatus, type SocketStatus } from '../../src/port/index.ts';
import { compileRooms } from '../support/compiled.ts';
import { until } from '../support/live-host.ts';

jest.setTimeout(60_000);

/** Where descriptors of sockets begin that layers stand above. */
const FIRST_LAYERED = 0x4000_0000;
const MEMORY = { memory: true, address: ['10.77.0.2/24'], hostAddress: ['10.77.0.1/24'] };

const compiler = ['gcc', 'cc'].find((name) => {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

(compiler === undefined ? describe.skip : describe)(
  `the provider host of a C application${compiler === undefined ? ': skipped, there is no C compiler' : ''}`,
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'wsk-host-'));
    const socket = join(folder, 'winsockd.sock');
    const control = join(folder, 'control.sock');
    const client = join(folder, 'client');
    const calls = join(folder, 'calls');
    const running = new Set<ChildProcess>();
    let plainHost: string[];
    let layeredHost: string[];
    let rooms: string;
    let daemon: ChildProcess;

    beforeAll(() => {
      execFileSync(compiler ?? '', [
        '-Wall',
        '-Werror',
        '-O1',
        '-o',
        client,
        'test/support/c/hosted-client.c',
      ]);
      rooms = compileRooms(
        ...readdirSync('src', { withFileTypes: true }).flatMap((entry) =>
          entry.isDirectory() ? entry.name : [],
        ),
      );
      symlinkSync(resolve('node_modules'), join(rooms, '..', 'node_modules'));
      plainHost = [process.execPath, join(rooms, 'app', 'hosted', 'main.js'), '--socket', socket];
      const program = join(folder, 'layered-host.mjs');
      writeFileSync(program, layeredProgram(rooms, calls));
      layeredHost = [process.execPath, program, socket];
    });

    afterEach(async () => {
      for (const child of running) child.kill('SIGKILL');
      await until('all are gone', () => [...running].every(isGone));
      running.clear();
      for (const file of [socket, control, calls]) rmSync(file, { force: true });
    });

    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Application {
      const child = spawn(program, args, {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      running.add(child);
      return new Application(child);
    }

    async function startDaemon(): Promise<void> {
      const settings = JSON.stringify({ ...MEMORY, socket, control });
      const started = start(process.execPath, [join(rooms, 'daemon', 'main.js')], {
        [CONFIG_JSON_VARIABLE]: settings,
      });
      daemon = started.child;
      await until('the daemon serves', () => existsSync(control) && existsSync(socket), 20_000).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}\n${started.output}`);
        },
      );
    }

    /** Runs the client up to its last wait. */
    async function exchange(host: readonly string[]): Promise<Application> {
      const application = start(client, host);
      await until(
        'the client has had its answers',
        () => /^(sockets|failed|lost|refused)/m.test(application.output),
        20_000,
      );
      return application;
    }

    const ask = async <T>(path: string): Promise<T> => JSON.parse(await get(control, path)) as T;
    const ownSockets = async (): Promise<readonly SocketStatus[]> =>
      (await ask<readonly SocketStatus[]>('/v1/sockets')).filter(({ pids }) => pids.length > 0);

    const nothingIsLeft = (): Promise<void> =>
      until('the daemon holds nothing', async () => {
        const { sessions } = await ask<DaemonStatus>('/v1/status');
        return sessions === 0 && (await ownSockets()).length === 0;
      });

    const hostOf = (application: Application): number =>
      Number(/^host (\d+)$/m.exec(application.output)?.[1]);

    test('TCP and UDP without layers, under the application’s process id', async () => {
      await startDaemon();
      const application = await exchange(plainHost);
      expect(application.output).toMatch(/^tcp there and back\nudp one message\nsockets 1 2 3 4 5\n$/m);
      const pids = new Set((await ownSockets()).flatMap((status) => status.pids));
      expect([...pids]).toEqual([application.child.pid]);
      expect(isAlive(hostOf(application))).toBe(true);
    });

    test('TCP and UDP through a layer, which sees every call', async () => {
      await startDaemon();
      const application = await exchange(layeredHost);
      expect(application.output).toMatch(/^tcp there and back\nudp one message\n/m);
      const [descriptors = ''] = /(?<=^sockets ).*$/m.exec(application.output) ?? [];
      expect(descriptors.split(' ').every((each) => Number(each) >= FIRST_LAYERED)).toBe(true);
      const seen = new Set(readFileSync(calls, 'utf8').trim().split('\n'));
      expect([...seen].sort()).toEqual(
        expect.arrayContaining([
          'WSPAccept',
          'WSPBind',
          'WSPConnect',
          'WSPRecv',
          'WSPRecvFrom',
          'WSPSend',
          'WSPSendTo',
        ]),
      );
      expect(
        (await ownSockets()).every(({ pids }) => pids.every((pid) => pid === application.child.pid)),
      ).toBe(true);
    });

    test.each([
      ['without layers', () => plainHost],
      ['through a layer', () => layeredHost],
    ])('an application that is killed leaves nothing, %s', async (_how, host) => {
      await startDaemon();
      const application = await exchange(host());
      const pid = hostOf(application);
      application.child.kill('SIGKILL');
      await until('the host has gone, too', () => !isAlive(pid));
      await nothingIsLeft();
    });

    test('an application whose host is killed is told by the end of the connection, and leaves nothing', async () => {
      await startDaemon();
      const application = await exchange(layeredHost);
      process.kill(hostOf(application), 'SIGKILL');
      await until('the application has noticed', () => isGone(application.child));
      expect(application.output).toMatch(/^lost while reading$/m);
      await nothingIsLeft();
    });

    test('a daemon that is killed ends what waits, and the host', async () => {
      await startDaemon();
      const application = await exchange(plainHost);
      const pid = hostOf(application);
      daemon.kill('SIGKILL');
      await until('the application has noticed', () => isGone(application.child));
      expect(application.output).toMatch(/^failed recv 10050$/m);
      await until('the host has gone, too', () => !isAlive(pid));
    });

    test('without a daemon the application gets the reason', async () => {
      const application = await exchange(plainHost);
      expect(application.output).toMatch(/^refused 1 no daemon at .*winsockd\.sock/m);
    });
  },
);

/** A process, and what it has said. */
class Application {
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
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** Whether a process runs; one that nobody has waited for does not. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** A host as the real one, with a catalog that has a layer over all, which writes down what it is called for. */
function layeredProgram(rooms: string, calls: string): string {
  const url = (path: string): string => JSON.stringify(pathToFileURL(join(rooms, path)).href);
  return `
    import { appendFileSync } from 'node:fs';
    import { Catalog, DEFAULT_CATALOG, defineLayer, WSP_ENTRIES } from ${url('spi/index.js')};
    import { runProviderHost } from ${url('app/hosted/provider-host.js')};

    const ID = 'B0000000-0000-0000-0000-000000000001';
    const layer = { ...DEFAULT_CATALOG[0], ProviderId: ID, dwCatalogEntryId: 9000, ChainLen: 0, ChainEntries: [] };
    const chains = DEFAULT_CATALOG.map((entry, i) => ({
      ...entry,
      ProviderId: ID.slice(0, -4) + String(1000 + i),
      dwCatalogEntryId: 9001 + i,
      ChainLen: 2,
      ChainEntries: [9000, entry.dwCatalogEntryId],
    }));
    const paths = new Map([layer, ...chains].map(({ ProviderId }) => [ProviderId, 'layer']));
    const startup = defineLayer((next) =>
      Object.fromEntries(
        WSP_ENTRIES.map((name) => [
          name,
          (...args) => {
            appendFileSync(${JSON.stringify(calls)}, name + '\\n');
            return next[name](...args);
          },
        ]),
      ),
    );
    const catalog = new Catalog([...chains, ...DEFAULT_CATALOG, layer], paths);
    const winsock = { catalog, loadProvider: () => startup };
    const isWell = await runProviderHost({ fd: 3, socketPath: process.argv[2], winsock });
    process.exit(isWell ? 0 : 1);
  `;
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
