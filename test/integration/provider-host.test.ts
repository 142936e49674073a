/**
 * The provider host as its users see it: an application in C (`test/support/c/hosted-client.c`) starts one, reaches its sockets
 * through it with layers and without, and nothing is left whoever of the three is killed.
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { XP1_IFS_HANDLES } from '../../src/abi/index.ts';
import { connectRemote } from '../../src/ipc/index.ts';
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
    const module = join(folder, 'layer.mjs');
    const running = new Set<ChildProcess>();
    let program: string[];
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
      rooms = compileRooms('app', 'daemon');
      symlinkSync(resolve('node_modules'), join(rooms, '..', 'node_modules'));
      program = [process.execPath, join(rooms, 'app', 'hosted', 'main.js'), '--socket', socket];
      writeFileSync(module, layerModule(rooms, calls));
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

    /** Puts a layer over all that the daemon's catalog has. */
    async function installLayer(): Promise<void> {
      const port = await connectRemote(socket);
      const answer = await port.catalog.apply({
        kind: 'install-chains',
        providerId: 'B0000000-0000-0000-0000-000000000001',
        path: module,
        name: 'writes down',
        serviceFlags: XP1_IFS_HANDLES,
        over: null,
      });
      port.close();
      expect(answer.error).toBe(0);
    }

    /** Runs the client up to its last wait. */
    async function exchange(): Promise<Application> {
      const application = start(client, program);
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
      const application = await exchange();
      expect(application.output).toMatch(/^tcp there and back\nudp one message\nsockets 1 2 3 4 5\n$/m);
      const pids = new Set((await ownSockets()).flatMap((status) => status.pids));
      expect([...pids]).toEqual([application.child.pid]);
      expect(isAlive(hostOf(application))).toBe(true);
    });

    test('TCP and UDP through a layer, which sees every call', async () => {
      await startDaemon();
      await installLayer();
      const application = await exchange();
      expect(application.output).toMatch(/^tcp there and back\nudp one message\n/m);
      const [descriptors = ''] = /(?<=^sockets ).*$/m.exec(application.output) ?? [];
      expect(descriptors.split(' ').every((each) => Number(each) >= FIRST_LAYERED)).toBe(true);
      const seen = new Set(readFileSync(calls, 'utf8').trim().split('\n'));
      // Rules of layers are about the application, not about its host.
      expect(seen).toContain(`application ${client} ${application.child.pid}`);
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
      ['without layers', async () => {}],
      ['through a layer', () => installLayer()],
    ])('an application that is killed leaves nothing, %s', async (_how, prepare) => {
      await startDaemon();
      await prepare();
      const application = await exchange();
      const pid = hostOf(application);
      application.child.kill('SIGKILL');
      await until('the host has gone, too', () => !isAlive(pid));
      await nothingIsLeft();
    });

    test('an application whose host is killed is told by the end of the connection, and leaves nothing', async () => {
      await startDaemon();
      await installLayer();
      const application = await exchange();
      process.kill(hostOf(application), 'SIGKILL');
      await until('the application has noticed', () => /^lost while reading$/m.test(application.output));
      await nothingIsLeft();
    });

    test('a daemon that is killed ends what waits, and the host', async () => {
      await startDaemon();
      const application = await exchange();
      const pid = hostOf(application);
      daemon.kill('SIGKILL');
      await until('the application has noticed', () => /^failed recv 10050$/m.test(application.output));
      await until('the host has gone, too', () => !isAlive(pid));
    });

    test('without a daemon the application gets the reason', async () => {
      const application = await exchange();
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

/** A layer that writes down what it is called for. */
function layerModule(rooms: string, calls: string): string {
  return `
    import { appendFileSync } from 'node:fs';
    import { defineLayer, WSP_ENTRIES } from ${JSON.stringify(pathToFileURL(join(rooms, 'spi/index.js')).href)};

    export const WSPStartup = defineLayer((next, { ws2: { application } }) => {
      appendFileSync(${JSON.stringify(calls)}, \`application \${application?.path} \${application?.pid}\\n\`);
      return Object.fromEntries(
        WSP_ENTRIES.map((name) => [
          name,
          (...args) => {
            appendFileSync(${JSON.stringify(calls)}, name + '\\n');
            return next[name](...args);
          },
        ]),
      );
    });
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
