/**
 * The way to a host and back: a daemon on a TUN device, the kernel as a router, and a second namespace behind it. Our traceroute finds
 * the router and the host, and theirs finds the router and us.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { TraceReport } from '../../src/cli/commands/traceroute.ts';
import { compileRooms } from '../support/compiled.ts';
import { Judge } from '../support/judge.ts';
import { DEVICE, KERNEL, OURS } from '../support/live-host.ts';
import { connectNamespaces, createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

/** The far side of the router, and the host there. */
const ROUTER_FAR = '10.20.0.1';
const FAR = '10.20.0.2';

jest.setTimeout(60_000);

describePrivileged('traceroute', () => {
  let router: Namespace;
  let far: Namespace;
  let judge: Judge;
  let program: string;
  let folder: string;

  async function cli(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
    const child = spawn(process.execPath, [program, ...args, '--control', join(folder, 'control.sock')], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'] },
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const [code] = (await once(child, 'close')) as [number];
    return { code, out };
  }

  beforeAll(async () => {
    const compiled = compileRooms('cli', 'daemon');
    symlinkSync(resolve('node_modules'), join(compiled, '../node_modules'));
    program = join(compiled, 'cli/main.js');
    folder = mkdtempSync(join(tmpdir(), 'winsockd-trace-'));
    router = createNamespace();
    far = createNamespace();
    connectNamespaces(router, far, { addressesA: [`${ROUTER_FAR}/24`], addressesB: [`${FAR}/24`] });
    far.exec('ip', 'route', 'add', 'default', 'via', ROUTER_FAR);
    for (const space of [router, far]) space.exec('sysctl', '-qw', 'net.ipv4.icmp_ratemask=0');
    router.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1');
    const place = ['--tun', DEVICE, '--netns', router.name, '--no-offload', '--socket', 'app.sock'];
    const addresses = ['--address', `${OURS}/24`, '--host-address', `${KERNEL}/24`, '--gateway', KERNEL];
    const { code } = await cli('up', '--daemon', '--log', 'daemon.log', ...place, ...addresses);
    expect(code).toBe(0);
    judge = await Judge.start(router, DEVICE);
  });
  afterAll(async () => {
    await cli('down');
    judge.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ['datagrams', ['traceroute']],
    ['echo requests', ['traceroute', '-I']],
    ['echo requests, as Windows has it', ['tracert']],
  ])(
    'RFC 792 ours finds the router and the host behind it, with %s',
    async (_how, [command = '', ...flags]) => {
      const numeric = command === 'tracert' ? '-d' : '-n';
      const { code, out } = await cli(command, ...flags, numeric, '-q', '2', '-w', '5', FAR, '--json');
      expect(code).toBe(0);
      const report = JSON.parse(out) as TraceReport;
      expect(report.isReached).toBe(true);
      expect(report.hops.map(({ from }) => from.map(({ address }) => address))).toEqual([[KERNEL], [FAR]]);
      expect(report.hops.map(({ answers }) => answers.map(({ result }) => result))).toEqual([
        ['ttl-expired', 'ttl-expired'],
        ['reply', 'reply'],
      ]);
    },
  );

  test('RFC 792 ours ends where the router says that there is no way', async () => {
    const { code, out } = await cli('traceroute', '-n', '-q', '1', '-w', '5', '10.99.0.1');
    expect(code).toBe(1);
    expect(out).toMatch(/^ {2}1 .*10\.9\.0\.1 {2}(network|host) unreachable$/m);
  });

  test.each([
    ['datagrams', []],
    ['echo requests', ['-I']],
  ])('RFC 1122 §3.2.2 theirs finds the router and us, with %s', async (_how, flags) => {
    const { stdout } = await far.run(['traceroute', '-n', '-q', '1', '-w', '5', ...flags, OURS]);
    const hops = [...stdout.matchAll(/^ *(\d+) {2}(\S+) /gm)].map(([, hop, address]) => [hop, address]);
    expect(hops).toEqual([
      ['1', ROUTER_FAR],
      ['2', OURS],
    ]);
  });

  test('RFC 791 §3.1 a ping notes the router and the host on its way, and us on its way back', async () => {
    const { code, out } = await cli('ping', FAR, '-c', '1', '-r', '9', '--json');
    expect(code).toBe(0);
    const { answers } = JSON.parse(out) as { answers: { route: string[] }[] };
    expect(answers[0]?.route.slice(0, 2)).toEqual([ROUTER_FAR, FAR]);
    const { stdout } = await far.run(['ping', '-R', '-n', '-c', '1', OURS]);
    expect(stdout.slice(stdout.indexOf('RR:'))).toContain(OURS);
  });

  test('RFC 1191 a ping that may not be cut is told of the narrow link behind the router', async () => {
    for (const space of [router, far]) space.exec('ip', 'link', 'set', 'veth0', 'mtu', '1400');
    const { out } = await cli('ping', FAR, '-c', '1', '-s', '1400', '-f', '--json');
    const { answers } = JSON.parse(out) as { answers: { result: string; from: string; message: string }[] };
    expect(answers[0]).toMatchObject({ from: KERNEL, message: 'fragmentation needed, and forbidden' });
    expect((await cli('ping', FAR, '-c', '1', '-s', '1400')).code).toBe(0);
  });

  test('tshark has nothing against any packet that we sent', async () => {
    await judge.stop();
    expect(await judge.count(`ip.src == ${OURS}`)).toBeGreaterThan(10);
    expect(await judge.complaints(OURS, { hasChecksums: true })).toEqual([]);
  });
});
