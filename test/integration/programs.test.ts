/**
 * Programs that know nothing of winsockd, run by `node --import winsockd/register` over a daemon on a TUN device: Node's own modules
 * and packages that many people use, against wrk, curl, openssl and a Redis server behind the kernel.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Daemon, loadConfig, startDaemon } from '../../src/daemon/index.ts';
import { compileRooms } from '../support/compiled.ts';
import { DEVICE, KERNEL, OURS, until } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { cli } from '../unit/cli/harness.ts';

const NAME = 'winsockd.test';

jest.setTimeout(60_000);

describePrivileged('programs written for Node, over winsockd/register', () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsk-programs-'));
  const control = join(folder, 'control.sock');
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  let space: Namespace;
  let daemon: Daemon;
  let register: string;
  const programs: ChildProcess[] = [];

  beforeAll(async () => {
    register = pathToFileURL(join(compileRooms('app'), 'app/register.js')).href;
    space = createNamespace();
    daemon = await startDaemon(
      loadConfig({
        flags: {
          tun: DEVICE,
          netns: space.name,
          address: [`${OURS}/24`],
          hostAddress: [`${KERNEL}/24`],
          socket: join(folder, 'winsockd.sock'),
          control,
          log: join(folder, 'log'),
        },
      }),
      { giveUpPrivileges: () => false },
    );
    const subject = ['-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`];
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    space.exec('openssl', 'req', '-x509', ...kind, '-keyout', key, '-out', certificate, ...subject);
  });

  afterAll(async () => {
    for (const program of programs) program.kill('SIGKILL');
    await daemon.stop();
    space.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Starts a program of `programs/`. It may end once its standard input has. */
  function start(program: string, ...args: string[]) {
    const file = resolve('test/integration/programs', program);
    const child = spawn(process.execPath, ['--import', register, file, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], WINSOCKD_SOCKET: join(folder, 'winsockd.sock'), OTHER_HOST: KERNEL },
    });
    programs.push(child);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    return {
      says: (text: string) => until(`${program} says ${text}`, () => output.includes(text), 20_000),
      /** Lets it end, and answers what it has said once it has ended by itself. */
      async end(): Promise<string> {
        child.stdin.end();
        if (child.exitCode === null) await once(child, 'close');
        expect([child.exitCode, output]).toEqual([0, expect.not.stringContaining('Error')]);
        return output;
      },
    };
  }

  test('an HTTP server keeps its connections alive under wrk, and no request fails', async () => {
    const server = start('http-server.mjs', '8080');
    await server.says('ready');
    const { stdout } = await space.run(['wrk', '-t2', '-c64', '-d2', `http://${OURS}:8080/1000`], 20_000);
    expect(Number(/(\d+) requests in/.exec(stdout)?.[1])).toBeGreaterThan(500);
    expect(stdout).not.toMatch(/Socket errors|Non-2xx/);
    const { stdout: big } = await space.run([
      'curl',
      '-sS',
      `http://${OURS}:8080/30000000`,
      '-o',
      '/dev/null',
      '-w',
      '%{size_download}',
    ]);
    expect(big).toBe('30000000');
    await server.end();
  });

  test('ioredis talks to a Redis server: 500 commands at once, 4 MB, a subscription', async () => {
    const redis = space.spawn([
      'redis-server',
      '--port',
      '6379',
      '--bind',
      KERNEL,
      '--save',
      '',
      '--protected-mode',
      'no',
      '--dir',
      folder,
    ]);
    try {
      const client = start('redis-client.cjs', KERNEL, '6379');
      expect(JSON.parse(await client.end())).toEqual({ last: 500, isSame: true, heard: 'news: good' });
    } finally {
      redis.kill('SIGKILL');
    }
  });

  test('ws serves and connects: text, a megabyte, nothing, and closes with its code', async () => {
    const peers = start('websocket.mjs', OURS, '8090');
    const whole = { isSame: true, code: 4001 };
    expect(JSON.parse(await peers.end())).toEqual([whole, whole, whole]);
  });

  test('node:tls and node:https, with curl and openssl on the other side', async () => {
    const openssl = space.spawn(
      [
        'openssl',
        's_server',
        '-accept',
        `${KERNEL}:8444`,
        '-key',
        key,
        '-cert',
        certificate,
        '-www',
        '-quiet',
      ],
      { stdio: 'ignore' },
    );
    try {
      const peers = start('tls-peers.mjs', key, certificate, OURS, '8443', '8444');
      await peers.says('ready');
      const curl = [
        '--cacert',
        certificate,
        '--resolve',
        `${NAME}:8443:${OURS}`,
        `https://${NAME}:8443/curl`,
      ];
      const { stdout, stderr } = await space.run(['curl', '-sS', '--max-time', '20', ...curl]);
      expect([stdout, stderr]).toEqual(['TLSv1.3 /curl', '']);
      const client = `printf 'GET /openssl HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -tls1_2 -connect ${OURS}:8443 -servername ${NAME}`;
      expect((await space.run(['sh', '-c', client])).stdout).toContain('TLSv1.2 /openssl');
      const [own, untrusted, foreign] = JSON.parse((await peers.end()).split('\n')[0] ?? '') as string[];
      expect([own, untrusted]).toEqual(['TLSv1.3 /', 'DEPTH_ZERO_SELF_SIGNED_CERT']);
      expect(foreign).toContain('TLSv1.3');
    } finally {
      openssl.kill('SIGKILL');
    }
  });

  test('a server and a connection that were let go do not keep a program, one that was taken back does', async () => {
    const program = start('unref.mjs', OURS, '8070');
    await program.says('let go');
    expect(await program.end()).toContain('data after ref');
  });

  test('nothing of them is left in the daemon', async () => {
    const { out } = await cli(['status', '--json', '--control', control]);
    expect(JSON.parse(out)).toMatchObject({ sessions: 0 });
  });
});
