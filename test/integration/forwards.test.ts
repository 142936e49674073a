/**
 * `winsockd forward` and `up --share` among real programs. The daemon runs in a namespace of its own, `machine`, with the rights of
 * root there; behind its TAP device is a host of the kernel's, `lan`; the world of the machine is another, `world`.
 *
 *     lan 192.168.5.7, fd05::7 ── TAP ── our stack 192.168.5.1 ≈ the daemon's own sockets ── machine 198.51.100.1 ── world 198.51.100.9
 */

import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { ForwardStatus } from '../../src/port/index.ts';
import { CommandLine } from '../support/command-line.ts';
import { describeLab, LabProcess } from '../support/lab.ts';
import { until } from '../support/live-host.ts';
import { connectNamespaces, createNamespace, type Namespace } from '../support/netns.ts';
import { Nginx } from '../support/nginx.ts';

const PROGRAMS = {
  curl: 'curl',
  dig: 'bind9-dnsutils',
  dnsmasq: 'dnsmasq-base',
  nginx: 'nginx-light',
  socat: 'socat',
};
const BIG = Uint8Array.from({ length: 4_000_000 }, (_, i) => (i * 29 + (i >> 8) * 7 + (i >> 16) * 13) & 255);
const BIG_HASH = createHash('sha256').update(BIG).digest('hex');

let lan: Namespace;
let machine: Namespace;
let world: Namespace;
const ending: (() => void)[] = [];

/** Two worlds on a cable; the machine's resolver is whatever it is. */
function makeWorld(): void {
  lan = createNamespace();
  machine = createNamespace();
  world = createNamespace();
  connectNamespaces(machine, world, {
    addressesA: ['198.51.100.1/24', 'fd51::1/64'],
    addressesB: ['198.51.100.9/24', 'fd51::9/64'],
  });
}

afterEach(() => {
  for (const end of ending.splice(0)) end();
});

async function serveWeb(space: Namespace, port = 80): Promise<Nginx> {
  const server = new Nginx(space, port, { big: BIG });
  ending.push(() => server.end());
  await server.ready();
  return server;
}

/** A name server that knows printer.example. */
async function serveNames(space: Namespace, ...addresses: readonly string[]): Promise<void> {
  const server = new LabProcess(space, [
    ...[
      'dnsmasq',
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--user=root',
      '--log-facility=-',
      '--pid-file=',
    ],
    ...['--no-resolv', '--no-hosts', '--bind-interfaces', '--address=/printer.example/192.0.2.4'],
    ...addresses.flatMap((address) => ['--listen-address', address]),
  ]);
  ending.push(() => server.end());
  await until('dnsmasq is ready', () => server.output.includes('started, version'));
}

/** Sends datagrams back. */
async function echoDatagrams(space: Namespace, family: 4 | 6, port: number): Promise<void> {
  const echo = new LabProcess(space, ['socat', '-d', '-d', `UDP${family}-RECVFROM:${port},fork`, 'EXEC:cat']);
  ending.push(() => echo.end());
  await until('socat receives', () => space.exec('ss', '-Hlun', `sport = :${port}`) !== '');
}

async function hashOf(space: Namespace, url: string): Promise<string> {
  const command = `curl -gsS --max-time 20 '${url}' | sha256sum`;
  return (await space.run(['bash', '-c', command], 30_000)).stdout.slice(0, 64);
}

async function lookUp(
  space: Namespace,
  at: string,
  port: number,
  ...flags: readonly string[]
): Promise<string> {
  const argv = ['dig', '+short', '+time=3', '+tries=2', `-p${port}`, ...flags, `@${at}`, 'printer.example'];
  return (await space.run(argv)).stdout;
}

/** What comes back for one datagram. */
async function echoed(space: Namespace, to: string, text: string): Promise<string> {
  const command = `printf %s '${text}' | socat -t2 -T3 - ${to}`;
  return (await space.run(['bash', '-c', command])).stdout;
}

/** Waits until an address of ours is used: it is asked first whether somebody else has it (RFC 5227, RFC 4862). */
async function waitFor(space: Namespace, address: string): Promise<void> {
  const command = `for i in $(seq 40); do ping -c1 -W1 ${address} && exit; sleep 0.2; done; exit 1`;
  expect((await space.run(['bash', '-c', command], 50_000)).status).toBe(0);
}

const TAP = [
  ...['--tap', 'tap0', '--address', '192.168.5.1/24', '--address', 'fd05::1/64'],
  ...['--host-address', '192.168.5.7/24', '--host-address', 'fd05::7/64'],
];

describeLab('winsockd forward between kernels', PROGRAMS, () => {
  let line: CommandLine;
  const add = (...args: string[]) => line.json<ForwardStatus>('forward', 'add', ...args);
  const list = () => line.json<ForwardStatus[]>('forward', 'list');

  beforeAll(async () => {
    makeWorld();
    line = new CommandLine(machine);
    await line.up(...TAP, '--netns', lan.path);
    await waitFor(lan, '192.168.5.1');
    await waitFor(lan, 'fd05::1');
  }, 60_000);

  afterAll(() => line.end());

  test.each([
    ['IPv4', 'host:0.0.0.0:0', 'stack:192.168.5.7:80', '198.51.100.1'],
    ['IPv6', 'host:[::]:0', 'stack:[fd05::7]:80', '[fd51::1]'],
    ['IPv4 outside and IPv6 inside', 'host:198.51.100.1:0', 'stack:[fd05::7]:80', '198.51.100.1'],
  ])(
    'TCP from the host to the stack over %s: port 0 is any, and told; nginx serves curl',
    async (_name, listen, target, at) => {
      const server = await serveWeb(lan);
      const made = await add(listen, target);
      expect(made.listen.port).toBeGreaterThan(1023);
      expect(await hashOf(world, `http://${at}:${made.listen.port}/big`)).toBe(BIG_HASH);
      expect(server.clients).toEqual([target.includes('[') ? 'fd05::1' : '192.168.5.1']);
      const [shown] = await list();
      expect(shown).toMatchObject({ id: made.id, total: 1, failed: 0 });
      expect(shown?.bytesToHost).toBeGreaterThan(BIG.length);
      expect((await line.run('forward', 'remove', String(made.id))).status).toBe(0);
      expect(await list()).toEqual([]);
      expect(
        (await world.run(['curl', '-gsS', '--max-time', '5', `http://${at}:${made.listen.port}/big`])).status,
      ).toBe(7);
    },
    60_000,
  );

  test.each([
    ['IPv4', 'stack:0', 'host:198.51.100.9:80', '192.168.5.1', '198.51.100.1'],
    ['IPv6', 'stack:[::]:0', 'host:[fd51::9]:80', '[fd05::1]', 'fd51::1'],
  ])(
    'TCP from the stack to the host over %s: the world sees the machine',
    async (_name, listen, target, at, client) => {
      const server = await serveWeb(world);
      const made = await add(listen, target);
      expect(made.listen.port).toBeGreaterThan(0);
      expect(await hashOf(lan, `http://${at}:${made.listen.port}/big`)).toBe(BIG_HASH);
      expect(server.clients).toEqual([client]);
      await line.run('forward', 'remove', String(made.id));
      expect(
        (await lan.run(['curl', '-gsS', '--max-time', '5', `http://${at}:${made.listen.port}/big`])).status,
      ).toBe(7);
    },
    60_000,
  );

  test.each([
    ['IPv4', 'host:0.0.0.0:0', 'stack:192.168.5.7:53', '198.51.100.1'],
    ['IPv6', 'host:[::]:0', 'stack:[fd05::7]:53', 'fd51::1'],
  ])(
    'UDP from the host to the stack over %s: dig asks a name server inside',
    async (_name, listen, target, at) => {
      await serveNames(lan, '192.168.5.7', 'fd05::7');
      const made = await add('--udp', listen, target);
      expect(made.listen.port).toBeGreaterThan(0);
      expect(await lookUp(world, at, made.listen.port)).toBe('192.0.2.4\n');
      expect((await list())[0]).toMatchObject({ protocol: 'udp', total: 1, active: 1, failed: 0 });
      await line.run('forward', 'remove', String(made.id));
      expect(await lookUp(world, at, made.listen.port, '+tries=1', '+time=1')).not.toContain('192.0.2.4');
    },
    60_000,
  );

  test.each([
    ['IPv4', 4, 'stack:0', 'host:198.51.100.9:7777', 'UDP4:192.168.5.1'],
    ['IPv6', 6, 'stack:[::]:0', 'host:[fd51::9]:7777', 'UDP6:[fd05::1]'],
  ] as const)(
    'UDP from the stack to the host over %s: socat is heard and answered, large datagrams too',
    async (_name, family, listen, target, at) => {
      await echoDatagrams(world, family, 7777);
      const made = await add('--udp', listen, target);
      for (const text of ['short', 'x'.repeat(4000)]) {
        expect(await echoed(lan, `${at}:${made.listen.port}`, text)).toBe(text);
      }
      await line.run('forward', 'remove', String(made.id));
    },
    60_000,
  );

  test('a port that is taken, and one that needs a right, are refused in words', async () => {
    const server = new LabProcess(machine, ['socat', 'TCP4-LISTEN:8099,fork', 'EXEC:cat']);
    ending.push(() => server.end());
    await until('socat listens', () => machine.exec('ss', '-Hltn', 'sport = :8099') !== '');
    const taken = await line.run('forward', 'add', 'host:0.0.0.0:8099', 'stack:80');
    expect([taken.status, taken.stderr]).toEqual([1, expect.stringContaining('is taken')]);
    const low = await line.run('forward', 'add', 'host:80', 'stack:80');
    expect([low.status !== 0, low.stderr]).toEqual([true, expect.stringContaining('ports below 1024')]);
    const nobody = await line.run('forward', 'add', 'stack:203.0.113.1:80', 'host:80');
    expect([nobody.status, nobody.stderr]).toEqual([2, expect.stringContaining('no address 203.0.113.1')]);
    expect(await list()).toEqual([]);
  }, 30_000);
});

/** Connects over winsockd/winsock/async, asks for a page, and prints what comes. */
const ASK_WEB = `
import { connect, recv, send, socket, closesocket, WSAStartup, MAKEWORD, AF_INET, AF_INET6, SOCK_STREAM, IPPROTO_TCP, sockaddrOf } from 'ROOMS/app/async.js';
import { IpAddress } from 'ROOMS/base/index.js';
import { createHash } from 'node:crypto';
await WSAStartup(MAKEWORD(2, 2), {});
for (const text of process.argv.slice(2)) {
  const address = IpAddress.parse(text);
  const family = address.family === 4 ? AF_INET : AF_INET6;
  const s = await socket(family, SOCK_STREAM, IPPROTO_TCP);
  await connect(s, sockaddrOf(address, 80));
  const request = Buffer.from('GET /big HTTP/1.0\\r\\n\\r\\n');
  await send(s, request, request.length, 0);
  const parts = [];
  for (;;) {
    const into = new Uint8Array(65536);
    const count = await recv(s, into, into.length, 0);
    if (count === 0) break;
    parts.push(into.subarray(0, count));
  }
  await closesocket(s);
  const all = Buffer.concat(parts);
  console.log(text, createHash('sha256').update(all.subarray(all.indexOf('\\r\\n\\r\\n') + 4)).digest('hex'));
}
process.exit(0);
`;

describeLab('winsockd up --share among kernels', PROGRAMS, () => {
  let line: CommandLine;

  beforeAll(async () => {
    makeWorld();
    line = new CommandLine(machine);
    await line.up(...TAP, '--netns', lan.path, '--share', '--forwarding');
    await waitFor(lan, '192.168.5.1');
    await waitFor(lan, 'fd05::1');
    lan.exec('ip', 'route', 'add', 'default', 'via', '192.168.5.1');
    lan.exec('ip', '-6', 'route', 'add', 'default', 'via', 'fd05::1');
  }, 60_000);

  afterAll(() => line.end());

  test('an application on the stack reaches nginx in the world over both families, in the machine’s name', async () => {
    const server = await serveWeb(world);
    const argv = [...line.application('ask', ASK_WEB), '198.51.100.9', 'fd51::9'];
    const { stdout, stderr } = await machine.run(argv, 40_000);
    expect([stdout, stderr]).toEqual([`198.51.100.9 ${BIG_HASH}\nfd51::9 ${BIG_HASH}\n`, '']);
    expect(server.clients).toEqual(['198.51.100.1', 'fd51::1']);
  }, 60_000);

  test('so does a network that the stack routes for: curl, over both families', async () => {
    const server = await serveWeb(world);
    expect(await hashOf(lan, 'http://198.51.100.9/big')).toBe(BIG_HASH);
    expect(await hashOf(lan, 'http://[fd51::9]/big')).toBe(BIG_HASH);
    expect(server.clients).toEqual(['198.51.100.1', 'fd51::1']);
    // Nobody listens there.
    expect((await lan.run(['curl', '-gsS', '--max-time', '5', 'http://[fd51::9]:81/'])).status).toBe(7);
  }, 60_000);

  test('dig asks a name server in the world over UDP and TCP', async () => {
    await serveNames(world, '198.51.100.9', 'fd51::9');
    for (const at of ['198.51.100.9', 'fd51::9']) {
      expect(await lookUp(lan, at, 53)).toBe('192.0.2.4\n');
      expect(await lookUp(lan, at, 53, '+tcp')).toBe('192.0.2.4\n');
    }
  }, 60_000);

  test.each([
    [4, 'UDP4:198.51.100.9:7777'],
    [6, 'UDP6:[fd51::9]:7777'],
  ] as const)(
    'socat sends datagrams over IPv%d that need fragments on the way',
    async (family, at) => {
      await echoDatagrams(world, family, 7777);
      for (const text of ['short', 'y'.repeat(6000)]) expect(await echoed(lan, at, text)).toBe(text);
    },
    60_000,
  );

  test('the machine’s loopback address is not shared, and ping to the world is prohibited, not lost', async () => {
    const server = new LabProcess(machine, ['socat', 'TCP6-LISTEN:8098,fork,ipv6only=0', 'EXEC:cat']);
    ending.push(() => server.end());
    await until('socat listens', () => machine.exec('ss', '-Hltn', 'sport = :8098') !== '');
    for (const at of ['10.0.2.2', '[fd10:0:2::2]']) {
      expect((await lan.run(['curl', '-gsS', '--max-time', '5', `http://${at}:8098/`])).status).toBe(7);
    }
    const { status, stdout } = await lan.run(['ping', '-c1', '-W2', 'fd51::9']);
    expect([status, stdout]).toEqual([1, expect.stringContaining('prohibited')]);
  }, 30_000);
});
