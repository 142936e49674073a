/**
 * The provider catalog as its users have it: a daemon, the command line, and programs that start before and after a layer is installed
 * from a file. The package is the one in `dist`.
 */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { WSAEPROVIDERFAILEDINIT, WSANO_RECOVERY } from '../../src/abi/index.ts';
import { until } from '../support/live-host.ts';
import { cli, LINUX_MACHINE, type Outcome } from '../unit/cli/harness.ts';

jest.setTimeout(60_000);

const NOBODY = 65_534;
const MAIN = resolve('dist/cli/main.js');

/** A layer that notes the calls that make sockets. */
const GUARD = `
import { appendFileSync } from 'node:fs';
import { defineLayer } from 'winsockd/spi';
const log = new URL('calls', import.meta.url);
export const WSPStartup = defineLayer((next) => ({
  WSPSocket(...args) {
    appendFileSync(log, 'WSPSocket\\n');
    return next.WSPSocket(...args);
  },
}), { name: 'guard' });
`;

/** A program that says how its TCP socket is served, again after each line that it is sent. */
const PROGRAM = `
import { createInterface } from 'node:readline';
import * as ws from 'winsockd/winsock/async';
import { readWSAPROTOCOL_INFOW } from 'winsockd/abi';
const uid = Number(process.argv[2] ?? 0);
if (uid > 0) { process.setgid(uid); process.setuid(uid); }
const data = { wVersion: 0, wHighVersion: 0, iMaxSockets: 0, iMaxUdpDg: 0, szDescription: '', szSystemStatus: '' };
await ws.WSAStartup(0x202, data);
async function look() {
  const info = new Uint8Array(628);
  try {
    const s = await ws.socket(2, 1, 6);
    await ws.getsockopt(s, 0xffff, 0x2005, info, { value: info.length });
    await ws.closesocket(s);
    console.log('served by ' + readWSAPROTOCOL_INFOW(info).szProtocol);
  } catch (error) {
    console.log('fails with ' + error.code);
  }
}
await look();
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'look') await look();
  if (line === 'install') {
    const list = [];
    await ws.WSCEnumProtocols(null, list, { value: 1e6 });
    const entry = { ...list.at(-1), ChainLen: 0, ChainEntries: [], szProtocol: 'mine' };
    const guid = '00000000-0000-4000-8000-0000000000aa';
    await ws.WSCInstallProvider(guid, '/x.mjs', [entry]).then(() => console.log('installed'), (error) => console.log('refused with ' + error.code));
  }
}
`;

describe('the catalog of a daemon', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-catalog-'));
  const socket = join(folder, 'app.sock');
  const control = join(folder, 'control.sock');
  const module = join(folder, 'guard.mjs');
  const programs: ChildProcess[] = [];

  const typed = (line: string): Promise<Outcome> =>
    cli([...line.split(' '), '--control', control], {
      directory: folder,
      machine: { access: (path) => (path === module ? LINUX_MACHINE.access(path) : 'missing') },
    });
  const done = async (line: string): Promise<string> => {
    const { code, out, err } = await typed(line);
    expect([err, code]).toEqual(['', 0]);
    return out;
  };
  const names = async (): Promise<string[]> =>
    [...(await done('netsh winsock show catalog')).matchAll(/^Description: +(.*)$/gm)].map(
      ([, name]) => name ?? '',
    );
  const idOf = async (name: string): Promise<string> => {
    const listing = await done('sporder');
    return new RegExp(`^ *(\\d+) +${name.replace(/[[\]]/g, '\\$&')}( |$)`, 'm').exec(listing)?.[1] ?? '';
  };

  /** Starts a program. `says` asks it a line, and answers with the next one that it prints. */
  async function program(
    uid = 0,
  ): Promise<{ first: string; says(line: string): Promise<string>; errors(): string }> {
    const child = spawn(process.execPath, [join(folder, 'program.mjs'), `${uid}`], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, WINSOCKD_SOCKET: socket, NODE_OPTIONS: '' },
    });
    programs.push(child);
    const lines: string[] = [];
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      output += part;
      const parts = output.split('\n');
      output = parts.pop() ?? '';
      lines.push(...parts);
    });
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      errors += part;
    });
    const next = async (): Promise<string> => {
      await until(`a line; ${errors}`, () => lines.length > 0 || child.exitCode !== null);
      return lines.shift() ?? `it has ended: ${errors}`;
    };
    return {
      first: await next(),
      says(line) {
        child.stdin.write(`${line}\n`);
        return next();
      },
      errors: () => errors,
    };
  }

  beforeAll(() => {
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules', 'winsockd'));
    writeFileSync(module, GUARD);
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
    const args = [
      'up',
      '--memory',
      '--daemon',
      '--socket',
      socket,
      '--control',
      control,
      '--log',
      join(folder, 'log'),
    ];
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  });

  afterAll(async () => {
    for (const child of programs) child.kill('SIGKILL');
    await typed('down');
    rmSync(folder, { recursive: true, force: true });
  });

  test('CAT-TCP4, CAT-RAW6, CAT-RULE-03 a fresh one is listed as people paste it', async () => {
    expect(await done('netsh winsock show catalog')).toBe(
      readFileSync(new URL('./catalog-listing.txt', import.meta.url), 'utf8'),
    );
    expect(await done('netsh winsock audit trail')).toBe('the catalog was never changed\n');
    expect(await done('catalog check')).toBe('the catalog is sound\n');
  });

  test('CFG-FAIL-02, CFG-FAIL-04, CFG-FAIL-05, CFG-FAIL-10 a layer is installed, seen, passed by, lost, removed, and all of it undone', async () => {
    const before = await program();
    expect(before.first).toBe('served by MSAFD Tcpip [TCP/IP]');
    expect(
      await done('catalog install ./guard.mjs --name guard --id 00000000-0000-4000-8000-000000000001'),
    ).toBe('installed guard {00000000-0000-4000-8000-000000000001}; undo: winsockd catalog restore 0\n');
    expect(await before.says('look')).toBe('served by MSAFD Tcpip [TCP/IP]');
    const after = await program();
    expect(after.first).toBe('served by guard over [MSAFD Tcpip [TCP/IP]]');
    expect(readFileSync(join(folder, 'calls'), 'utf8')).toBe('WSPSocket\n');
    expect(await done('netsh winsock show catalog')).toContain(`
Winsock Catalog Provider Entry
------------------------------------------------------
Entry Type:                         Layered Service Provider
Description:                        guard
Provider ID:                        {00000000-0000-4000-8000-000000000001}
Provider Path:                      ${module}
Catalog Entry ID:                   1007
`);
    const listing = await done('sporder');
    expect(listing).toMatch(
      /^ *1008 +guard over \[MSAFD Tcpip \[TCP\/IP\]\] +1007 : 1001 +Layered Chain Entry$/m,
    );

    // CFG-FAIL-04: nothing fails, and the layer sees nothing.
    await done('sporder top 1001');
    expect((await program()).first).toBe('served by MSAFD Tcpip [TCP/IP]');
    expect(await typed('catalog check')).toMatchObject({
      code: 1,
      out: `1008 "guard over [MSAFD Tcpip [TCP/IP]]" (CFG-FAIL-04)
    1001 "MSAFD Tcpip [TCP/IP]" stands before it and serves the same sockets: its layers are passed by
    → winsockd sporder top 1008
`,
    });
    await done(`sporder top ${await idOf('guard over [MSAFD Tcpip [TCP/IP]]')}`);

    // CFG-FAIL-02: the file goes. The program is told which and why.
    unlinkSync(module);
    const without = await program();
    expect(without.first).toBe(`fails with ${WSAEPROVIDERFAILEDINIT}`);
    await until('the warning', () => without.errors().includes('WINSOCKD_LAYER_FAILED'));
    expect(without.errors()).toContain('"guard over [MSAFD Tcpip [TCP/IP]]" could not be started');
    expect(without.errors()).toContain(`Cannot find module '${module}'`);

    // Who did what.
    const trail = await done('netsh winsock audit trail');
    expect(trail.match(/^ +\d+ {2}\d{4}-\d\d-\d\dT[\d:.]+Z {2}uid \d+ pid \d+/gm)).toHaveLength(3);
    expect(trail).toContain(
      `installed the layered provider "guard" {00000000-0000-4000-8000-000000000001} from ${module}`,
    );

    // The ways out, each undone.
    const whole = await names();
    expect(await done('netsh winsock remove provider 1007')).toMatch(/undo: winsockd catalog restore 3$/m);
    const bare = await names();
    expect(bare.filter((name) => name.includes('guard'))).toEqual([]);
    await done('catalog restore 3');
    expect(await names()).toEqual(whole);
    expect(await done('netsh winsock reset')).toMatch(
      /^reset the Winsock catalog; undo: winsockd catalog restore 5$/m,
    );
    expect(await names()).toEqual(bare);
    await done('catalog restore 5');
    expect(await names()).toEqual(whole);
    await done('netsh winsock reset --layers');
    expect(await names()).toEqual(bare);
  });

  const isRoot = process.getuid?.() === 0;
  (isRoot ? test : test.skip)(
    `CFG-WSCInstallProvider another user reads and changes nothing${isRoot ? '' : ': skipped, only root can be somebody else'}`,
    async () => {
      await done('netsh winsock reset');
      const serial = await done('catalog history');
      chmodSync(socket, 0o666);
      const other = await program(NOBODY);
      expect(other.first).toBe('served by MSAFD Tcpip [TCP/IP]');
      expect(await other.says('install')).toBe(`refused with ${WSANO_RECOVERY}`);
      const { status, stderr } = spawnSync(
        process.execPath,
        [MAIN, 'netsh', 'winsock', 'reset', '--control', control],
        {
          encoding: 'utf8',
          uid: NOBODY,
          gid: NOBODY,
        },
      );
      expect(stderr).toMatch(/^winsockd: .*not/);
      expect(status).toBe(4);
      expect(await done('catalog history')).toBe(serial);
    },
  );
});
