import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Session } from '../../../src/cli/command.ts';
import { upCommand } from '../../../src/cli/commands/up.ts';
import type { Machine } from '../../../src/cli/context.ts';
import { CONFIG_KEYS } from '../../../src/daemon/config.ts';
import { CONFIG_JSON_VARIABLE } from '../../../src/port/index.ts';
import { type ContextOptions, cli, type Outcome } from './harness.ts';

/** A process that was started, and is led by the test. */
class Child extends EventEmitter {
  readonly program: string;
  readonly args: readonly string[];
  readonly options: SpawnOptions;
  readonly stdio: (PassThrough | null)[];
  readonly killed: (string | undefined)[] = [];
  exitCode: number | null = null;
  isUnreferenced = false;

  constructor(program: string, args: readonly string[], options: SpawnOptions) {
    super();
    this.program = program;
    this.args = args;
    this.options = options;
    const stdio = Array.isArray(options.stdio) ? options.stdio : [];
    this.stdio = stdio.map((each) => (each === 'pipe' ? new PassThrough() : null));
  }

  /** The settings that it was handed. */
  get settings(): unknown {
    return JSON.parse(String(this.options.env?.[CONFIG_JSON_VARIABLE]));
  }

  get readyFd(): number {
    return this.stdio.findIndex((stream) => stream !== null);
  }

  say(message: object): void {
    this.stdio[this.readyFd]?.end(`${JSON.stringify(message)}\n`);
  }

  end(code: number | null, signal: string | null = null): void {
    this.exitCode = code;
    this.emit('exit', code, signal);
    this.stdio[this.readyFd]?.end();
    this.emit('close', code, signal);
  }

  kill(signal?: string): boolean {
    this.killed.push(signal);
    return true;
  }

  unref(): void {
    this.isUnreferenced = true;
  }
}

/** Runs `winsockd up …`; `lead` says what the daemon does once it was started. */
async function up(
  flags: string,
  lead: (child: Child, signal: (name: NodeJS.Signals) => void) => void,
  options: ContextOptions = {},
): Promise<Outcome & { readonly child: Child }> {
  const children: Child[] = [];
  let listener: ((signal: NodeJS.Signals) => void) | null = null;
  const machine: Partial<Machine> = {
    spawn: (program, args, spawnOptions) => {
      const child = new Child(program, args, spawnOptions);
      children.push(child);
      setImmediate(() => lead(child, (name) => listener?.(name)));
      return child as unknown as ChildProcess;
    },
    onSignals: (call) => {
      listener = call;
      return () => {
        listener = null;
      };
    },
  };
  const outcome = await cli(`up ${flags}`, { ...options, machine });
  const [child] = children;
  if (child === undefined) throw new Error(`nothing was started: ${outcome.err}`);
  return { ...outcome, child };
}

const READY = { ready: true, pid: 4711, socket: '/s', control: '/c' };
const serves = (child: Child): void => child.say(READY);
const ends = (child: Child): void => child.end(0);

const folder = mkdtempSync(join(tmpdir(), 'winsockd-up-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the settings that winsockd up hands over', () => {
  test('every flag is a setting under the configuration file’s key', async () => {
    const { child } = await up(
      '--tun tun7 --netns lab --address 10.77.0.2/24 --address 10.78.0.2/24 --host-address 10.77.0.1/24 --gateway 10.77.0.1 ' +
        '--mtu 9000 --no-offload --socket s.sock --control /run/c.sock --user nobody --group nogroup --capture all.pcapng ' +
        '--log daemon.log --log-level debug --link tap=lan0 --link tap=lan1 --forwarding --nat tun7 --nat-filtering address ' +
        '--port-map tcp:80=192.168.5.9:80',
      ends,
      { directory: '/here' },
    );
    expect(child.settings).toEqual({
      tun: 'tun7',
      netns: 'lab',
      address: ['10.77.0.2/24', '10.78.0.2/24'],
      hostAddress: ['10.77.0.1/24'],
      gateway: '10.77.0.1',
      mtu: 9000,
      offload: false,
      socket: '/here/s.sock',
      control: '/run/c.sock',
      user: 'nobody',
      group: 'nogroup',
      capture: '/here/all.pcapng',
      log: '/here/daemon.log',
      logLevel: 'debug',
      link: ['tap=lan0', 'tap=lan1'],
      forwarding: true,
      nat: 'tun7',
      natFiltering: 'address',
      portMap: ['tcp:80=192.168.5.9:80'],
    });
  });

  test('each flag there is is handed over', async () => {
    const own = new Set(['daemon', 'timeout', 'config', 'json', 'control', 'color']);
    const flags = upCommand({ context: { environment: {} } } as Session).options.filter(
      (option) => !own.has(option.attributeName()),
    );
    expect(flags.length).toBeGreaterThan(40);
    for (const option of flags) {
      const value = option.required || option.optional ? (option.argChoices?.[0] ?? '100') : '';
      const { child } = await up(`${option.long} ${value}`, ends);
      expect(Object.keys(child.settings as object)).toEqual([option.attributeName()]);
      expect(CONFIG_KEYS).toContain(option.attributeName());
    }
  });

  test('what was not typed is not handed over, so that the file’s settings hold', async () => {
    const { child } = await up('', ends, { environment: { WINSOCKD_CONTROL: '/run/c.sock' } });
    expect(child.settings).toEqual({});
    expect(child.options.env?.['WINSOCKD_CONTROL']).toBe('/run/c.sock');
  });

  test.each([
    ['--tun', { tun: 'tun%d' }],
    ['--tap', { tap: 'tap%d' }],
    ['--tap lab0', { tap: 'lab0' }],
    ['--memory', { memory: true }],
    ['--tun-fd 5', { tunFd: 5 }],
  ])('%s chooses the device', async (flags, expected) => {
    expect((await up(flags, ends)).child.settings).toEqual(expected);
  });

  test('the daemon is a process of this Node, with the configuration file’s absolute path', async () => {
    const { child } = await up('--config lab.jsonc', ends, { directory: '/here' });
    expect(child.program).toBe(process.execPath);
    expect(child.args).toEqual(['/package/dist/daemon/main.js', '--config', '/here/lab.jsonc']);
  });

  test.each([
    ['up --mtu 67', 'a whole number from 68 to 65535'],
    ['up --tun-fd x', 'a whole number from 0'],
    ['up --log-level loud', 'Allowed choices are trace, debug'],
    ['up --daemon --timeout soon', 'a duration'],
  ])('%s is a usage error, and nothing is started', async (line, message) => {
    const { code, err } = await cli(line);
    expect(err).toContain(message);
    expect(code).toBe(2);
  });
});

describe('winsockd up in the foreground', () => {
  test.each([0, 1, 2, 4])('the daemon’s exit code %d is ours', async (code) => {
    expect((await up('--memory', (child) => child.end(code))).code).toBe(code);
  });

  test('a daemon that a signal ended is 128 and its number', async () => {
    expect((await up('--memory', (child) => child.end(null, 'SIGKILL'))).code).toBe(137);
  });

  test('signals are handed on, once each', async () => {
    const { child } = await up('--memory', (started, signal) => {
      signal('SIGINT');
      signal('SIGTERM');
      started.end(0);
    });
    expect(child.killed).toEqual(['SIGINT', 'SIGTERM']);
    expect(child.options.detached).toBe(true);
  });

  test('it has this terminal, and a device that was handed to us keeps its number', async () => {
    expect((await up('--memory', ends)).child.options.stdio).toBe('inherit');
    const { child } = await up('--tun-fd 5', ends);
    expect(child.options.stdio).toEqual(['inherit', 'inherit', 'inherit', 'ignore', 'ignore', 5]);
  });

  test.each(['--tun-fd 77', '--daemon --tun-fd 77'])(
    '%s that is not open is a usage error',
    async (flags) => {
      const spawn = (): never => {
        throw Object.assign(new Error('spawn EBADF'), { code: 'EBADF' });
      };
      const { code, err } = await cli(`up ${flags}`, { machine: { spawn } });
      expect([code, err]).toEqual([
        2,
        expect.stringContaining('--tun-fd: "77" is not a descriptor that is open here'),
      ]);
    },
  );

  test('a daemon that cannot be started is said', async () => {
    const { code, err } = await up('--memory', (child) => child.emit('error', new Error('no memory')));
    expect([code, err]).toEqual([1, 'winsockd: the daemon cannot be started: no memory\n']);
  });
});

describe('winsockd up --daemon', () => {
  test('it returns with one line when the daemon serves', async () => {
    const { code, out, err, child } = await up('--daemon --memory', serves);
    expect([code, out, err]).toEqual([0, 'winsockd, process 4711, serves at /s\n', '']);
    expect(child.settings).toEqual({ memory: true, readyFd: 3 });
    expect(child.options).toMatchObject({
      detached: true,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    expect(child.isUnreferenced).toBe(true);
  });

  test('while addresses can not be used it says why, on standard error, and returns when they can', async () => {
    const waits = [{ waiting: ['tap0: asking whether somebody else has 10.0.0.2'] }, { waiting: ['a', 'b'] }];
    const text = [...waits.map((each) => JSON.stringify(each)), ''].join('\n');
    const { code, out, err } = await up('--daemon --memory', (child) => {
      // In parts that end anywhere.
      for (let at = 0; at < text.length; at += 7) child.stdio[child.readyFd]?.write(text.slice(at, at + 7));
      serves(child);
    });
    expect([code, out]).toEqual([0, 'winsockd, process 4711, serves at /s\n']);
    expect(err).toBe(
      'winsockd: waiting: tap0: asking whether somebody else has 10.0.0.2\n' +
        'winsockd: waiting: a\nwinsockd: waiting: b\n',
    );
  });

  test('what can not be used when the wait is over is said beside', async () => {
    const { code, out, err } = await up('--daemon --memory', (child) =>
      child.say({ ...READY, missing: ['tap0: no'] }),
    );
    expect([code, out, err]).toEqual([
      0,
      'winsockd, process 4711, serves at /s\n',
      'winsockd: ready, but tap0: no\n',
    ]);
  });

  test('--json answers what the daemon said', async () => {
    expect(JSON.parse((await up('--daemon --memory --json', serves)).out)).toEqual(READY);
  });

  test('what it writes goes to the log, which is made', async () => {
    const { child } = await up('--daemon --memory --log d.log', serves, { directory: folder });
    expect(existsSync(join(folder, 'd.log'))).toBe(true);
    const [input, output, errors] = child.options.stdio as unknown[];
    expect(input).toBe('ignore');
    expect(typeof output).toBe('number');
    expect(errors).toBe(output);
  });

  test('a log that cannot be written is a usage error', async () => {
    const { code, err } = await cli('up --daemon --memory --log nowhere/d.log', { directory: folder });
    expect(err).toContain('the log cannot be written');
    expect(code).toBe(2);
  });

  test('a device that was handed to us keeps its number, and readiness takes another', async () => {
    const { child } = await up('--daemon --tun-fd 3', serves);
    expect(child.settings).toEqual({ tunFd: 3, readyFd: 4 });
    expect(child.options.stdio).toEqual(['ignore', 'ignore', 'ignore', 3, 'pipe']);
  });

  test.each([
    [1, 'the socket belongs to process 12'],
    [2, '--mtu: 3 is not possible'],
    [4, 'not permitted to open /dev/net/tun'],
  ])('a start that fails with %d is told in the daemon’s words', async (exitCode, error) => {
    const { code, err } = await up('--daemon --memory', (child) => {
      child.say({ ready: false, error, exitCode });
      child.end(exitCode);
    });
    expect([code, err]).toEqual([exitCode, `winsockd: ${error}\n`]);
  });

  test.each([
    [9, 9],
    [0, 1],
  ])('a daemon that ends with %d without a word is a failure', async (exitCode, expected) => {
    const { code, err } = await up('--daemon --memory', (child) => child.end(exitCode));
    expect(err).toContain(`the daemon ended (exit code ${exitCode}) before it was ready`);
    expect(code).toBe(expected);
  });

  test('a daemon that is never ready is ended when the time is over', async () => {
    const { code, err, child } = await up('--daemon --memory --timeout 1ms', () => {});
    expect(err).toContain('not ready after 0.001 s');
    expect(child.killed).toEqual(['SIGTERM']);
    expect(code).toBe(1);
  });

  test('interrupting the wait ends the daemon: exit code 130', async () => {
    const interruption = new AbortController();
    const { code, child } = await up('--daemon --memory', () => interruption.abort(), { interruption });
    expect(child.killed).toEqual(['SIGTERM']);
    expect(code).toBe(130);
  });

  test('a daemon that cannot be started is said', async () => {
    const { code, err } = await up('--daemon --memory', (child) =>
      child.emit('error', new Error('no memory')),
    );
    expect([code, err]).toEqual([1, 'winsockd: the daemon cannot be started: no memory\n']);
  });
});
