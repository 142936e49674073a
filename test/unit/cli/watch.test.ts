/** `winsockd trace PID` and `winsockd chain PID`: what the daemon tells of an application's calls, for people and for programs. */

import { afterEach, describe, expect, test } from '@jest/globals';
import { run } from '../../../src/cli/program.ts';
import type { CallLine, CallRecord, ChainFigures, ChainStatus } from '../../../src/port/index.ts';
import { Collector, cli, FakeDaemon, type Route, testContext } from './harness.ts';

let daemon: FakeDaemon | undefined;
async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start(routes);
  return daemon;
}
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

const SEND: CallRecord & { client: number } = {
  time: Date.UTC(2024, 0, 1, 12, 30, 15, 250) + 0.417,
  n: 1,
  event: 'call',
  depth: 0,
  layer: 'tls',
  chain: 'TCP over tls',
  call: 'WSPSend',
  s: 264,
  args: { s: 264, lpBuffers: [{ len: 5, text: 'hello' }] },
  result: 5,
  us: 310,
  client: 1,
};
const BELOW = { ...SEND, n: 2, depth: 1, layer: 'MSAFD base provider', us: 94 };
const { result: _result, us: _us, ...UNANSWERED } = SEND;
const WAITS: CallLine = { ...UNANSWERED, n: 3, event: 'begin', call: 'WSPRecv', args: { s: 264 } };
const FAILS: CallLine = {
  ...UNANSWERED,
  n: 3,
  event: 'end',
  call: 'WSPRecv',
  error: 'WSAECONNRESET',
  us: 50_000,
};
const PENDS: CallLine = { ...UNANSWERED, n: 4, s: 300, error: 'WSA_IO_PENDING', us: 3 };
const LINES: readonly CallLine[] = [
  { watching: 4711 },
  SEND,
  BELOW,
  WAITS,
  { lost: 2 },
  FAILS,
  PENDS,
  { gone: true },
];
const BODY = LINES.map((line) => `${JSON.stringify(line)}\n`).join('');
const calls: Route = (_asked, response) => void response.end(BODY);
const ROUTE = 'GET /v1/processes/4711/calls';

describe('winsockd trace PID', () => {
  test('each call is a line, as deep as its layer, and a summary follows', async () => {
    const fakeDaemon = await fake({ [ROUTE]: calls });
    const { code, out } = await fakeDaemon.cli('trace 4711 --for 2');
    expect(out).toBe(
      [
        '12:30:15.250417  s=264   tls: WSPSend(s=264, lpBuffers=[5 "hello"]) = 5  310 µs',
        '12:30:15.250417  s=264     MSAFD base provider: WSPSend(s=264, lpBuffers=[5 "hello"]) = 5  94 µs',
        '12:30:15.250417  s=264   tls: WSPRecv(s=264) begins',
        '… 2 calls missing: they came faster than they could be told',
        '12:30:15.250417  s=264   tls: WSPRecv(s=264, lpBuffers=[5 "hello"]) = WSAECONNRESET  50000 µs',
        '12:30:15.250417  s=300   tls: WSPSend(s=264, lpBuffers=[5 "hello"]) = WSA_IO_PENDING  3 µs',
        'the process is gone',
        '',
        '4 calls of process 4711 in 0.0 s, 2 missing',
        'errors: WSAECONNRESET 1',
        '',
        'Layer                  Calls  Errors  Mean µs',
        'tls                        3       1  16771.0',
        '  MSAFD base provider      1       0     94.0',
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
    expect(fakeDaemon.asked[0]?.url).toBe('/v1/processes/4711/calls?seconds=2');
  });

  test.each([
    ['--socket 300', [4]],
    ['--layer TLS', [1, 3, 3, 4]],
    ['--errors', [3]],
    ['--count 2', [1, 2]],
    ['--layer tls --socket 264 --errors', [3]],
  ])('%s shows those only', async (options, expected) => {
    const fakeDaemon = await fake({ [ROUTE]: calls });
    const { out } = await fakeDaemon.cli(`trace 4711 --json ${options}`);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter((line) => 'call' in line).map(({ n }) => n)).toEqual(expected);
    expect(lines.at(-1)).toHaveProperty('summary.calls');
  });

  test('interrupting ends it in good order, with the summary', async () => {
    const interruption = new AbortController();
    const stdout = new Collector(false);
    stdout.onChunk = () => interruption.abort();
    const fakeDaemon = await fake({ [ROUTE]: (_asked, response) => void response.write(BODY) });
    const args = ['trace', '4711', '--control', fakeDaemon.path];
    expect(await run(args, testContext(stdout, new Collector(false), { interruption }))).toBe(0);
    expect(Buffer.concat(stdout.chunks).toString()).toContain('of process 4711');
  });

  test('what the daemon refuses is said', async () => {
    const error = { code: 'notPermitted', message: 'process 4711 is of user 1000' };
    const refuses: Route = (_asked, response) => {
      response.statusCode = 403;
      response.end(JSON.stringify({ error }));
    };
    const fakeDaemon = await fake({ [ROUTE]: refuses });
    expect(await fakeDaemon.cli('trace 4711')).toMatchObject({
      code: 4,
      err: expect.stringContaining('user 1000'),
    });
  });

  test.each([
    ['trace 0', 'whole number from 1'],
    ['trace 4711 --port 80', '--port'],
    ['trace --errors', '--errors'],
    ['trace --socket 8', '--socket'],
    ['trace 1 2', 'too many arguments'],
  ])('%s is a usage error', async (line, message) => {
    expect(await cli(line)).toMatchObject({ code: 2, err: expect.stringContaining(message) });
  });
});

describe('winsockd chain PID', () => {
  const row: ChainFigures & { client: number } = {
    s: 264,
    protocol: 'TCP over tls',
    depth: 0,
    layer: 'tls',
    calls: 12,
    errors: 0,
    bytesSent: 5120,
    bytesReceived: 100,
    us: 3120,
    busyUs: 810,
    client: 1,
  };
  const below = { ...row, depth: 1, layer: 'MSAFD base provider', calls: 0, us: 0, busyUs: 0 };
  const other = { ...row, s: 300 };
  const STATUS: ChainStatus = { pid: 4711, seconds: 5, rows: [row, below, other], omitted: 0 };
  const route = 'GET /v1/processes/4711/chain';

  test('each layer of each socket is a row', async () => {
    const fakeDaemon = await fake({ [route]: STATUS });
    const { code, out } = await fakeDaemon.cli('chain 4711 --for 5');
    expect(out.split('\n')).toEqual([
      'process 4711, counted for 5 s',
      '',
      'Socket  Protocol      Layer                  Calls  Errors     Sent  Received  Total µs  Busy µs  Mean µs',
      '264     TCP over tls  tls                       12       0  5.0 KiB     100 B      3120      810    260.0',
      '                        MSAFD base provider      0       0  5.0 KiB     100 B         0        0      0.0',
      '300     TCP over tls  tls                       12       0  5.0 KiB     100 B      3120      810    260.0',
      '',
    ]);
    expect(code).toBe(0);
    expect(fakeDaemon.asked[0]?.url).toBe('/v1/processes/4711/chain?seconds=5');
  });

  test('without a process those that can be watched are listed', async () => {
    const processes = [{ pid: 4711, uid: 1000, name: 'node', connections: 2, isWatched: true }];
    const fakeDaemon = await fake({ 'GET /v1/processes': processes });
    expect((await fakeDaemon.cli('chain')).out).toBe(
      ' PID  User  Connections  Watched  Name\n4711  1000            2  yes      node\n',
    );
    expect(JSON.parse((await fakeDaemon.cli('chain --json')).out)).toEqual(processes);
  });

  test('one socket, in JSON; a socket that is not there is exit code 1', async () => {
    const fakeDaemon = await fake({ [route]: STATUS });
    const { out } = await fakeDaemon.cli('chain 4711 300 --json');
    expect(JSON.parse(out)).toEqual({ ...STATUS, rows: [other] });
    expect(await fakeDaemon.cli('chain 4711 8')).toMatchObject({
      code: 1,
      out: 'process 4711 has no such socket\n',
    });
  });

  test('the faces of a process are told apart where there are several', async () => {
    const fakeDaemon = await fake({ [route]: { ...STATUS, rows: [row, { ...other, client: 2 }] } });
    const { out } = await fakeDaemon.cli('chain 4711');
    expect(
      out
        .split('\n')
        .slice(2, 5)
        .map((line) => line.slice(0, 11)),
    ).toEqual(['Via  Socket', '  1  264   ', '  2  300   ']);
  });
});
