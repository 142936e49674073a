/**
 * The command line as a process, with a daemon that it starts: in memory, hence without rights.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readCapture } from '../../src/capture/index.ts';
import type { DaemonStatus } from '../../src/port/index.ts';
import { compileRooms } from '../support/compiled.ts';

const DEADLINE = 20_000;

let program: string;
let folder: string;
let control: string;
const children = new Set<ChildProcess>();

beforeAll(() => {
  const out = compileRooms('cli', 'daemon');
  symlinkSync(resolve('node_modules'), join(out, '../node_modules'));
  program = join(out, 'cli/main.js');
  folder = mkdtempSync(join(tmpdir(), 'winsockd-cli-'));
  control = join(folder, 'control.sock');
});

afterAll(async () => {
  await cli('down').ended;
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  /** Everything on standard output, once the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: Buffer; readonly err: string }>;
}

function cli(...args: string[]): Run {
  const child = spawn(process.execPath, [program, ...args, '--control', control], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
  });
  children.add(child);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = once(child, 'close').then(([code]) => {
    children.delete(child);
    return { code: code as number | null, out: Buffer.concat(out), err: Buffer.concat(err).toString() };
  });
  return { child, ended };
}

async function ask<T>(...args: string[]): Promise<T> {
  const { out } = await cli(...args, '--json').ended;
  return JSON.parse(out.toString()) as T;
}

/** Whether the process ends soon. One that nobody waits for stays in the table as a zombie. */
async function endOf(pid: number): Promise<boolean> {
  for (let i = 0; i < 100; i++) {
    const status = `/proc/${pid}/status`;
    if (!existsSync(status) || /^State:\s+Z/m.test(readFileSync(status, 'utf8'))) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return false;
}

const UP = [
  'up',
  '--memory',
  '--address',
  '10.1.0.2/24',
  '--host-address',
  '10.1.0.1/24',
  '--socket',
  'app.sock',
];

describe('a daemon in the background', () => {
  test(
    'is started, asked, captured from and ended by commands',
    async () => {
      expect((await cli('status').ended).code).toBe(3);
      expect(await cli(...UP, '--daemon', '--log', 'daemon.log').ended).toMatchObject({ code: 0, err: '' });
      const { pid, links } = await ask<DaemonStatus>('status');
      expect(links.map(({ kind }) => kind)).toEqual(['memory']);

      const second = await cli(...UP, '--daemon').ended;
      expect(second.err).toContain(`process ${pid}`);
      expect(second.code).toBe(1);

      expect((await cli('capture', '-w', 'out.pcapng').ended).code).toBe(0);
      expect((await cli('ping', '10.1.0.1', '-c', '2', '-i', '0.01').ended).code).toBe(0);
      expect((await cli('impair', 'add', '--loss', '100%', '--seed', '1').ended).code).toBe(0);
      expect((await cli('ping', '10.1.0.1', '-c', '1', '-W', '0.1').ended).code).toBe(1);
      expect((await cli('impair', 'remove').ended).code).toBe(0);
      const { packets } = await ask<{ packets: number }>('capture', '--stop');
      expect(packets).toBeGreaterThanOrEqual(4);
      expect([...readCapture(readFileSync(join(folder, 'out.pcapng')))]).toHaveLength(packets);

      expect(await cli('down').ended).toMatchObject({ code: 0 });
      expect(existsSync(control)).toBe(false);
      await expect(endOf(pid)).resolves.toBe(true);
    },
    DEADLINE,
  );
});

describe('a daemon in the foreground', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s to the command ends it in good order, with exit code 0',
    async (signal) => {
      const { child, ended } = cli(...UP);
      // It logs to our standard error once it serves.
      await once(child.stderr as NodeJS.ReadableStream, 'data');
      expect((await cli('status').ended).code).toBe(0);
      child.kill(signal);
      expect((await ended).code).toBe(0);
      expect(existsSync(control)).toBe(false);
    },
    DEADLINE,
  );

  test(
    'a stream of packets ends with exit code 0 when it is interrupted, and whoever reads it may go',
    async () => {
      const daemon = cli(...UP);
      await once(daemon.child.stderr as NodeJS.ReadableStream, 'data');
      const interrupted = cli('capture', '-w', '-');
      await once(interrupted.child.stdout as NodeJS.ReadableStream, 'data');
      interrupted.child.kill('SIGINT');
      const { code, out } = await interrupted.ended;
      expect(out.readUInt32BE(0)).toBe(0x0a0d0d0a);
      expect(code).toBe(0);
      const left = cli('capture', '-w', '-');
      await once(left.child.stdout as NodeJS.ReadableStream, 'data');
      left.child.stdout?.destroy();
      expect((await cli('ping', '10.1.0.1', '-c', '2', '-i', '0.01').ended).code).toBe(0);
      expect((await left.ended).code).toBe(0);
      daemon.child.kill('SIGTERM');
      expect((await daemon.ended).code).toBe(0);
    },
    DEADLINE,
  );
});
