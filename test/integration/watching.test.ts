/**
 * `winsockd trace PID` and `winsockd chain PID` of a second process that uses every face of Winsock over a daemon: watched while it runs,
 * and left alone again.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { run } from '../../src/cli/program.ts';
import { type Daemon, loadConfig, startDaemon } from '../../src/daemon/index.ts';
import { connectRemote } from '../../src/ipc/index.ts';
import type { CallLine, CallRecord, ChainStatus, ProcessStatus } from '../../src/port/index.ts';
import { compileRooms } from '../support/compiled.ts';
import { until } from '../support/live-host.ts';
import { Collector, cli, testContext } from '../unit/cli/harness.ts';

jest.setTimeout(60_000);

describe('watching an application', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-watch-'));
  const socket = join(folder, 'winsockd.sock');
  const control = join(folder, 'control.sock');
  let daemon: Daemon;
  let child: ChildProcess;
  let output = '';

  /** Lets the application use all its faces once. */
  async function work(): Promise<void> {
    const before = output.length;
    child.stdin?.write('again\n');
    await until('the application has worked', () => output.includes('done', before), 20_000);
  }

  beforeAll(async () => {
    const rooms = compileRooms('app', 'layers');
    daemon = await startDaemon(
      loadConfig({
        flags: {
          memory: true,
          address: ['10.77.0.2/24'],
          hostAddress: ['10.77.0.1/24'],
          socket,
          control,
          log: join(folder, 'log'),
        },
      }),
      { giveUpPrivileges: () => false },
    );
    const port = await connectRemote(socket);
    const change = {
      kind: 'install-chains',
      providerId: 'B0000000-0000-0000-0000-000000000001',
      path: join(rooms, 'layers/shape/index.js'),
      name: 'shape',
      serviceFlags: 0x20000,
      over: null,
    } as const;
    expect((await port.catalog.apply(change)).error).toBe(0);
    port.close();
    const program = resolve('test/integration/programs/watched.mjs');
    const args = [program, pathToFileURL(`${rooms}/`).href];
    child = spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'], WINSOCKD_SOCKET: socket },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    await until('the application is ready', () => output.includes('ready'), 20_000).catch(
      (error: unknown) => {
        throw new Error(`${String(error)}\n${output}`);
      },
    );
  });

  afterAll(async () => {
    child.kill('SIGKILL');
    await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const pid = (): number => child.pid ?? 0;
  const isWatched = async (): Promise<boolean> =>
    (JSON.parse((await winsockd('chain --json')).out) as ProcessStatus[]).some((one) => one.isWatched);
  const winsockd = (line: string) => cli(`${line} --control ${control}`);

  test('every face’s calls are told, in every layer, from the moment that somebody asks', async () => {
    await work();
    const interruption = new AbortController();
    const stdout = new Collector(false);
    const args = ['trace', String(pid()), '--json', '--control', control];
    const tracing = run(args, testContext(stdout, new Collector(false), { interruption }));
    await until('it is watched', isWatched);
    // What looks at the calls is loaded when somebody asks for the first time.
    await work();
    await work();
    const lines = (): CallLine[] => {
      const text = Buffer.concat(stdout.chunks).toString();
      return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as CallLine]));
    };
    const calls = (): (CallRecord & { readonly client: number })[] =>
      lines().filter((line) => 'call' in line);
    await until('every call is told in every layer, with what it has sent', () => {
      const ended = calls().filter(({ event }) => event !== 'begin');
      const texts = JSON.stringify(ended);
      return (
        ['promised', 'blocking', 'through net'].every((text) => texts.includes(`"text":"${text}"`)) &&
        ['shape', 'MSAFD base provider'].every((layer) =>
          ['WSPSendTo', 'WSPRecvFrom', 'WSPConnect', 'WSPSend'].every((name) =>
            ended.some((one) => one.layer === layer && one.call === name && (one.us ?? -1) >= 0),
          ),
        )
      );
    });
    interruption.abort();
    expect(await tracing).toBe(0);
    expect(lines().at(-1)).toHaveProperty('summary.lost', 0);
    // The faces of a process each have their own way to the daemon.
    expect(new Set(calls().map(({ client }) => client)).size).toBeGreaterThan(1);
  });

  test('what goes through each layer is counted while it is asked for', async () => {
    let rows: ChainStatus['rows'] = [];
    // A slow machine may not get all of it done in time.
    await until('all of it was counted at once', async () => {
      const counting = winsockd(`chain ${pid()} --for 0.3 --json`);
      await until('it is watched', isWatched);
      await work();
      ({ rows } = JSON.parse((await counting).out) as ChainStatus);
      const shaped = rows.filter(({ layer, protocol }) => layer === 'shape' && protocol.includes('UDP'));
      return shaped.length === 2 && shaped.every((row) => row.bytesSent === 8 && row.bytesReceived === 8);
    });
    expect(rows.some(({ layer, depth }) => layer === 'MSAFD base provider' && depth === 1)).toBe(true);
  });

  test('an unknown process is said to be so; one that ends ends its trace', async () => {
    expect(await winsockd('trace 2147483647')).toMatchObject({
      code: 1,
      err: expect.stringContaining(`connected are ${pid()}`),
    });
    const tracing = winsockd(`trace ${pid()}`);
    await until('it is watched', isWatched);
    child.kill('SIGKILL');
    expect((await tracing).out).toMatch(/the process is gone\n/);
  });
});
