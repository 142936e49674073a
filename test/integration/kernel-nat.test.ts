/**
 * A daemon of ours as the router of a private network: a host of the kernel's inside, our NAT44 with `winsockd nat`, a host of the
 * kernel's outside, which has no way to the addresses inside.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Daemon, loadConfig, startDaemon } from '../../src/daemon/index.ts';
import type { DaemonStatus, NatStatus } from '../../src/port/index.ts';
import { describeLab, LabProcess, Recording } from '../support/lab.ts';
import { until } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { Nginx } from '../support/nginx.ts';
import { cli } from '../unit/cli/harness.ts';

const INSIDE = '192.168.5.7';
const ROUTER = '203.0.113.1';
const OUTSIDE = '203.0.113.9';
const PROGRAMS = {
  curl: 'curl',
  dig: 'bind9-dnsutils',
  iperf3: 'iperf3',
  nginx: 'nginx-light',
  tcpdump: 'tcpdump',
  tshark: 'tshark',
};
const BIG = Uint8Array.from({ length: 8_000_000 }, (_, i) => (i * 31 + (i >> 8) * 7 + (i >> 16) * 13) & 255);

interface IperfEnd {
  readonly sum?: { readonly lost_packets: number; readonly packets: number };
  readonly sum_received?: { readonly bytes: number };
}

/** The hardware address of the kernel's end of the device outside. */
async function macOf(space: Namespace): Promise<string> {
  return (await space.run(['cat', '/sys/class/net/wan0/address'])).stdout.trim();
}

for (const offload of [false, true]) {
  describeLab(`a private network behind us, ${offload ? 'with offloads' : 'plain'}`, PROGRAMS, () => {
    let inside: Namespace;
    let outside: Namespace;
    let daemon: Daemon;
    let recording: Recording;
    const folder = mkdtempSync(join(tmpdir(), 'winsockd-nat-'));
    const control = join(folder, 'control.sock');
    const ending: (() => void)[] = [];

    const nat = (...args: string[]) => cli(['nat', ...args, '--control', control]);
    const mappings = async () => (JSON.parse((await nat('list', '--json')).out) as NatStatus).mappings;

    beforeAll(async () => {
      inside = createNamespace();
      outside = createNamespace();
      const words = `tap=lan0 netns=${inside.name} address=192.168.5.1/24 address=fd05::1/64 host-address=${INSIDE}/24 host-address=fd05::7/64`;
      const flags = {
        tap: 'wan0',
        netns: outside.name,
        address: [`${ROUTER}/24`, 'fd06::1/64'],
        hostAddress: [`${OUTSIDE}/24`, 'fd06::9/64'],
        offload,
        link: [offload ? words : `${words} no-offload`],
        forwarding: true,
        socket: join(folder, 'winsockd.sock'),
        control,
        logLevel: 'silent',
      };
      daemon = await startDaemon(loadConfig({ flags }), { giveUpPrivileges: () => false });
      inside.exec('ip', 'route', 'add', 'default', 'via', '192.168.5.1');
      inside.exec('ip', '-6', 'route', 'add', 'default', 'via', 'fd05::1');
      outside.exec('ip', '-6', 'route', 'add', 'default', 'via', 'fd06::1');
      const file = join(folder, 'wan.pcap');
      const dump = new LabProcess(outside, [
        'tcpdump',
        '-Z',
        'root',
        '-s',
        '200',
        '-U',
        '-i',
        'wan0',
        '-w',
        file,
      ]);
      ending.push(() => dump.end('SIGINT'));
      await until('tcpdump listens', () => dump.output.includes('listening on'));
      recording = new Recording(outside, file, dump);
      // Our addresses are used once nobody else has claimed them (RFC 5227, RFC 4862).
      for (const [space, address] of [
        [inside, '192.168.5.1'],
        [inside, 'fd05::1'],
        [outside, ROUTER],
        [outside, 'fd06::1'],
      ] as const) {
        const command = `for i in $(seq 40); do ping -c1 -W1 ${address} && exit; sleep 0.2; done; exit 1`;
        expect((await space.run(['bash', '-c', command], 50_000)).status).toBe(0);
      }
    }, 60_000);

    afterAll(async () => {
      for (const end of ending.splice(0)) end();
      await daemon.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    test('nobody outside is reached while nothing is translated: it has no way back', async () => {
      expect((await inside.run(['ping', '-c1', '-W1', OUTSIDE])).status).toBe(1);
      expect((await nat('list')).out).toBe('addresses are not translated\n');
      expect((await nat('enable', 'wan0')).code).toBe(0);
    });

    test('RFC 5508 REQ-1 ping passes in our name, with sizes that need fragments', async () => {
      for (const size of ['56', '5000', '30000']) {
        const { status, stdout } = await inside.run(['ping', '-c3', '-i0.05', '-W2', '-s', size, OUTSIDE]);
        expect([size, status, /(\d+)% packet loss/.exec(stdout)?.[1]]).toEqual([size, 0, '0']);
      }
      expect(await mappings()).toContainEqual(
        expect.objectContaining({ protocol: 'icmp', insideAddress: INSIDE, isStatic: false }),
      );
    });

    test('nginx outside serves curl inside, whole, and sees our address', async () => {
      const server = new Nginx(outside, 80, { big: BIG });
      ending.push(() => server.end());
      await server.ready();
      const fetch = ['bash', '-c', `curl -sS --max-time 30 http://${OUTSIDE}/big | sha256sum`];
      const { stdout } = await inside.run(fetch, 40_000);
      const { createHash } = await import('node:crypto');
      expect(stdout.slice(0, 64)).toBe(createHash('sha256').update(BIG).digest('hex'));
      expect(server.clients).toEqual([ROUTER]);
      // Both families go through us; the second has nothing to translate.
      const six = await inside.run([
        'curl',
        '-sS',
        '--max-time',
        '10',
        '-o',
        '/dev/null',
        'http://[fd06::9]/big',
      ]);
      expect([six.status, server.clients.at(-1)]).toEqual([0, 'fd05::7']);
    }, 60_000);

    test('a port map leads from outside to nginx inside, until it is removed', async () => {
      const server = new Nginx(inside, 80, { small: 'inside\n' });
      ending.push(() => server.end());
      await server.ready();
      expect((await nat('add', '8080', `${INSIDE}:80`)).out).toBe(`tcp ${ROUTER}:8080 → ${INSIDE}:80\n`);
      const url = `http://${ROUTER}:8080/small`;
      expect((await outside.run(['curl', '-sS', '--max-time', '5', url])).stdout).toBe('inside\n');
      expect(server.clients).toEqual([OUTSIDE]);
      // RFC 5382 REQ-8: from inside too, by the address outside; the server sees that as the client's.
      const hairpin = await inside.run(['curl', '-sS', '--max-time', '5', url]);
      expect([hairpin.stdout, server.clients.at(-1)]).toEqual(['inside\n', ROUTER]);
      expect((await nat('list', '--port-maps')).out).toMatch(
        /tcp +192\.168\.5\.7:80 +203\.0\.113\.1:8080 +port map/,
      );
      expect((await nat('remove', '8080')).code).toBe(0);
      const gone = await outside.run(['curl', '-sS', '--max-time', '20', url], 30_000);
      // RFC 5382 REQ-4: not before six seconds, by an ICMP error.
      expect([gone.status, gone.stderr]).toEqual([7, expect.stringContaining('Failed to connect')]);
    }, 60_000);

    test.each([
      ['TCP out', []],
      ['TCP in', ['-R']],
      ['UDP out', ['-u', '-b', '20M']],
      ['UDP in', ['-u', '-b', '20M', '-R']],
    ])(
      'iperf3 measures %s',
      async (_what, flags) => {
        const server = new LabProcess(outside, ['iperf3', '-s', '-1', '--forceflush']);
        ending.push(() => server.end());
        await until('iperf3 listens', () => server.output.includes('Server listening'));
        const { status, stdout } = await inside.run(
          ['iperf3', '-c', OUTSIDE, '-t', '1', '-J', ...flags],
          30_000,
        );
        const { end } = JSON.parse(stdout) as { end: IperfEnd };
        expect(status).toBe(0);
        if (flags.includes('-u')) expect(end.sum?.packets).toBeGreaterThan(0);
        else expect(end.sum_received?.bytes).toBeGreaterThan(0);
      },
      40_000,
    );

    test('UDP answers come back to who has asked: dig, and a name server outside', async () => {
      const server = new LabProcess(outside, [
        ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--user=root', '--log-facility=-'],
        ...['--no-resolv', '--no-hosts', '--listen-address', OUTSIDE, '--bind-interfaces', '--pid-file='],
        '--address=/printer.example/198.51.100.4',
      ]);
      ending.push(() => server.end());
      await until('dnsmasq is ready', () => server.output.includes('started, version'));
      const ask = (...flags: string[]) =>
        inside.run(['dig', '+short', '+time=5', '+tries=1', ...flags, `@${OUTSIDE}`, 'printer.example']);
      expect((await ask()).stdout).toBe('198.51.100.4\n');
      expect((await ask('+tcp')).stdout).toBe('198.51.100.4\n');
    }, 30_000);

    test('status shows both links, and each can be impaired by its name', async () => {
      const { links } = JSON.parse(
        (await cli(['status', '--json', '--control', control])).out,
      ) as DaemonStatus;
      expect(links.map(({ name, kind }) => [name, kind])).toEqual([
        ['wan0', 'tap'],
        ['lan0', 'tap'],
      ]);
      const impair = (...args: string[]) => cli(['impair', ...args, '--link', 'lan0', '--control', control]);
      expect((await impair('add', '--loss', '100%')).code).toBe(0);
      expect((await inside.run(['ping', '-c1', '-W1', OUTSIDE])).status).toBe(1);
      expect((await outside.run(['ping', '-c1', '-W2', ROUTER])).status).toBe(0);
      expect((await impair('remove')).code).toBe(0);
      expect((await inside.run(['ping', '-c1', '-W2', OUTSIDE])).status).toBe(0);
    }, 30_000);

    test('traceroute shows us, then who is outside', async () => {
      const { stdout } = await inside.run(['traceroute', '-n', '-q1', '-w2', '-m4', OUTSIDE]);
      const hops = stdout
        .split('\n')
        .slice(1)
        .flatMap((line) => /^ *\d+ +(\S+)/.exec(line)?.[1] ?? []);
      expect(hops).toEqual(['192.168.5.1', OUTSIDE]);
    }, 30_000);

    test('outside, nobody has seen an address of inside, and tshark has nothing to say against our packets', async () => {
      // What was sent before anything was translated does not count, nor what errors from outside quote to us.
      expect(await recording.fields('ip.addr == 192.168.5.0/24 && !icmp', 'frame.number')).toEqual([]);
      const ours = `eth.src != ${await macOf(outside)}`;
      expect(await recording.fields(`${ours} && tcp.flags.syn == 1`, 'frame.number')).not.toEqual([]);
      const wrong = '_ws.malformed || ip.checksum.status == "Bad"';
      // With offloads a checksum is whole only past the device.
      const sums =
        'tcp.checksum.status == "Bad" || udp.checksum.status == "Bad" || icmp.checksum.status == "Bad"';
      const filter = `${ours} && (${offload ? wrong : `${wrong} || ${sums} || _ws.expert.severity == "Error"`})`;
      expect(await recording.fields(filter, 'frame.number', '_ws.col.Info', '_ws.expert.message')).toEqual(
        [],
      );
    }, 60_000);
  });
}
