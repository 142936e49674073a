import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  formatProbability,
  formatRate,
  readDuration,
  readInteger,
  readNumber,
  readProbability,
  readRate,
} from '../../../src/cli/units.ts';
import { normaliseWindowsFlags } from '../../../src/cli/windows-flags.ts';
import { STATUS } from './answers.ts';
import { cli, FakeDaemon, type Route, refuse } from './harness.ts';

let daemon: FakeDaemon | undefined;

async function fake(routes: Readonly<Record<string, Route>>): Promise<FakeDaemon> {
  daemon = await FakeDaemon.start(routes);
  return daemon;
}

afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
});

/** Every command that asks the daemon, as it would be typed. */
const ASKING = [
  'status',
  'down',
  'ping 10.0.0.1',
  'netstat',
  'ipconfig',
  'ipconfig /flushdns',
  'ipconfig /displaydns',
  'nslookup www.example',
  'route print',
  'capture -w x',
  'capture -w -',
  'capture --stop',
  'impair add --loss 1%',
  'impair show',
  'impair remove',
  'drops',
  'netsh winsock show catalog',
];

describe('exit codes', () => {
  test.each(ASKING)('%s without a daemon is 3, and says what to type', async (line) => {
    const { code, out, err } = await cli(`${line} --control /nonexistent/control.sock`);
    expect(err).toBe(
      'winsockd: no daemon answers at /nonexistent/control.sock; start one: winsockd up --daemon --control /nonexistent/control.sock\n',
    );
    expect(out.replace('PING 10.0.0.1: 56 data bytes\n', '')).toBe('');
    expect(code).toBe(3);
  });

  test.each(ASKING)('%s that the daemon refuses to this user is 4, in the daemon’s words', async (line) => {
    const refusal: Route = (_asked: unknown, response: import('node:http').ServerResponse) =>
      refuse(response, 403, 'notPermitted', 'only the owner may; use sudo');
    const [get, post, put, remove] = ['GET', 'POST', 'PUT', 'DELETE'].map((method) =>
      [
        'status',
        'shutdown',
        'ping',
        'sockets',
        'interfaces',
        'routes',
        'capture',
        'impairments',
        'drops',
        'resolve',
        'dns-cache',
        'catalog',
      ].map((name) => [`${method} /v1/${name}`, refusal]),
    );
    const routes = Object.fromEntries([get, post, put, remove].flatMap((each) => each ?? [])) as Record<
      string,
      Route
    >;
    const { code, err } = await (await fake(routes)).cli(line);
    expect(err).toBe('winsockd: only the owner may; use sudo\n');
    expect(code).toBe(4);
  });

  test.each([
    [400, 2],
    [403, 4],
    [404, 1],
    [409, 1],
    [500, 1],
  ])('the daemon’s %d is exit code %d', async (status, expected) => {
    const { code, err } = await (
      await fake({ 'GET /v1/status': (_asked, response) => refuse(response, status, 'x', 'because') })
    ).cli('status');
    expect([code, err]).toEqual([expected, 'winsockd: because\n']);
  });

  test('--json puts errors on standard error as JSON with a stable code', async () => {
    const { err, out } = await cli('status --json --control /nonexistent/control.sock');
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'no-daemon', message: expect.stringContaining('start one') },
    });
    expect(out).toBe('');
  });

  test.each([
    '',
    'bogus',
    'status --bogus',
    'status extra',
    'route',
    'netsh winsock',
    'drops --watch x',
    'up --mtu 67',
  ])('"%s" is 2', async (line) => {
    const { code, err } = await cli(line);
    expect(err).not.toBe('');
    expect(code).toBe(2);
  });

  test.each(['--help', '--version', 'status --help', 'ping /?', 'netsh /?', 'help drops'])(
    '"%s" is 0',
    async (line) => {
      const { code, out, err } = await cli(line, { machine: { readText: () => '{"version":"1.2.3"}' } });
      expect(out).toMatch(/^(Usage: |1\.2\.3\n)/);
      expect([code, err]).toEqual([0, '']);
    },
  );

  test('interrupting before there is an answer is 130, without a word', async () => {
    const interruption = new AbortController();
    const fakeDaemon = await fake({ 'GET /v1/status': () => interruption.abort() });
    expect(await fakeDaemon.cli('status', { interruption })).toMatchObject({ code: 130, out: '', err: '' });
  });
});

describe('the control socket', () => {
  test('a file that is no socket is no daemon', async () => {
    const { folder } = await fake({});
    expect((await cli(`status --control ${folder}`)).code).toBe(3);
  });

  test('a path longer than a socket address may be is said, not a crash', async () => {
    const { code, err } = await cli(`status --control /tmp/${'x'.repeat(200)}`);
    expect(err).toContain('winsockd: ');
    expect([1, 3]).toContain(code);
  });

  test('a daemon that goes away in the middle of its answer is 3', async () => {
    const fakeDaemon = await fake({
      'GET /v1/status': (_asked, response) => {
        response.writeHead(200, { 'content-length': 100 });
        response.write('{"pid":', () => response.destroy());
      },
    });
    const { code, err } = await fakeDaemon.cli('status');
    expect(err).toContain('went away before it answered');
    expect(code).toBe(3);
  });

  test('another program that speaks HTTP is told from a daemon', async () => {
    const fakeDaemon = await fake({ 'GET /v1/status': (_asked, response) => void response.end('<html>') });
    const { code, err } = await fakeDaemon.cli('status');
    expect(err).toContain('is another program listening');
    expect(code).toBe(1);
  });

  test('another program that speaks no HTTP is an error, not a crash', async () => {
    const { folder } = await fake({});
    const path = join(folder, 'other.sock');
    const other = createServer((socket) => socket.end('220 mail ready\r\n'));
    await new Promise<void>((resolve) => other.listen(path, resolve));
    const { code, err } = await cli(`status --control ${path}`);
    other.close();
    expect(err).toContain(path);
    expect(code).toBe(1);
  });

  test('an error that is not in the API’s form still has its status', async () => {
    const fakeDaemon = await fake({
      'GET /v1/status': (_asked, response) => void response.writeHead(502).end('bad gateway'),
    });
    expect((await fakeDaemon.cli('status')).err).toContain('answers 502');
  });

  test('an empty WINSOCKD_CONTROL is as if it were not set', async () => {
    const { err } = await cli('status', { environment: { WINSOCKD_CONTROL: '' } });
    expect(err).not.toContain('answers at ;');
  });

  test('--control wins over WINSOCKD_CONTROL', async () => {
    const fakeDaemon = await fake({ 'GET /v1/status': STATUS });
    const environment = { WINSOCKD_CONTROL: '/nonexistent/control.sock' };
    expect((await fakeDaemon.cli('status', { environment })).code).toBe(0);
  });
});

describe('units', () => {
  test.each([
    ['50ms', 50],
    ['1.5s', 1500],
    ['200us', 0.2],
    ['2min', 120_000],
    ['7', 7],
  ])('the duration %s is %d ms', (text, expected) => {
    expect(readDuration('x', text)).toBeCloseTo(expected, 9);
  });

  test('a bare duration is in the unit that the flag means', () => {
    expect(readDuration('x', '0.2', 's')).toBe(200);
  });

  test.each(['', '-5ms', '5 ms', 'ms', '1e3', '5m', 'Infinity', '1,5s'])('"%s" is no duration', (text) => {
    expect(() => readDuration('--delay', text)).toThrow(`--delay: "${text}" is not a duration`);
  });

  test.each([
    ['1%', 0.01],
    ['100%', 1],
    ['0', 0],
    ['0.25', 0.25],
    ['1', 1],
  ])('the probability %s is %d', (text, expected) => {
    expect(readProbability('x', text)).toBeCloseTo(expected, 12);
  });

  test.each(['', '101%', '1.01', '-1%', 'half', '%', 'NaN'])('"%s" is no probability', (text) => {
    expect(() => readProbability('--loss', text)).toThrow('is not a probability');
  });

  test.each([
    ['8bit', 1],
    ['100kbit', 12_500],
    ['1mbit', 125_000],
    ['1.5Mbit', 187_500],
    ['2gbit', 250_000_000],
    ['500kbps', 500_000],
  ])('the rate %s is %d bytes per second', (text, expected) => {
    expect(readRate('x', text)).toBe(expected);
  });

  test.each(['', '100', '0mbit', '-1mbit', '1mb', 'mbit', '1 mbit'])('"%s" is no rate', (text) => {
    expect(() => readRate('--rate', text)).toThrow('is not a rate');
  });

  test('numbers have bounds, both included', () => {
    expect([
      readInteger('x', '1', 1, 9),
      readInteger('x', '9', 1, 9),
      readNumber('x', '0.5', 0.5, 1),
    ]).toEqual([1, 9, 0.5]);
    for (const text of ['0', '10', '1.5', '', '0x1', ' 1', '+1'])
      expect(() => readInteger('x', text, 1, 9)).toThrow('whole number');
  });

  test('rates and probabilities are shown in the units in which they are typed', () => {
    expect([formatRate(125_000), formatRate(12_500), formatRate(1), formatRate(187_500)]).toEqual([
      '1mbit',
      '100kbit',
      '8bit',
      '1.5mbit',
    ]);
    expect([formatProbability(0.01), formatProbability(0.07), formatProbability(1)]).toEqual([
      '1%',
      '7%',
      '100%',
    ]);
  });
});

describe('Windows’ spellings', () => {
  test.each([
    [
      ['ipconfig', '/ALL'],
      ['ipconfig', '--all'],
    ],
    [
      ['netstat', '/ano'],
      ['netstat', '--all', '--numeric', '--owner'],
    ],
    [
      ['netstat', '/a', '/p', 'tcp'],
      ['netstat', '--all', '--protocol', 'tcp'],
    ],
    [
      ['ping', '/n', '3', '/w', '250', 'x'],
      ['ping', '--count', '3', '--timeout', '250ms', 'x'],
    ],
    [
      ['ping', '/t', 'x'],
      ['ping', '--count=0', 'x'],
    ],
    [
      ['NETSH', '/?'],
      ['netsh', '--help'],
    ],
  ])('%j becomes %j', (typed, expected) => {
    expect(normaliseWindowsFlags(typed)).toEqual(expected);
  });

  test.each([
    [['status', '/?']],
    [['drill', '/a']],
    [['netstat', '--control', '/a']],
    [['ipconfig', '/nonsense']],
    [['netstat', '/ap']],
    [['netstat', '/etc/passwd']],
    [['ping', '-n', '3', '-i', '5', 'x']],
    [[]],
  ])('%j stays as it is', (typed) => {
    expect(normaliseWindowsFlags(typed)).toEqual(typed);
  });

  test('a spelling whose value is missing is left to the usage error', async () => {
    expect(normaliseWindowsFlags(['ping', 'x', '/n'])).toEqual(['ping', 'x', '--count']);
    expect((await cli('ping 10.0.0.1 /n')).code).toBe(2);
  });
});
