/** Two namespaces of the kernel with our stack between them, on a TUN device in each: ping, TCP, UDP, traceroute and path MTU through us. */

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parsePrefix } from '../../src/base/index.ts';
import { createHost, type RunningHost } from '../../src/engine/index.ts';
import { TunLink } from '../../src/link/device/index.ts';
import { LabProcess } from '../support/lab.ts';
import { until } from '../support/live-host.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';

const LEFT = '10.21.0.1';
const RIGHT = '10.22.0.1';
/** Bytes of a bulk transfer. */
const BULK = 20_000_000;

/** What iperf3 has counted. */
interface Sum {
  readonly bytes: number;
}

interface Side {
  readonly space: Namespace;
  readonly link: TunLink;
}

/** A namespace whose device has `prefixes`, and whose way to everywhere is ours. */
function makeSide(prefixes: readonly string[], mtu: number, offload: boolean): Side {
  const space = createNamespace();
  const link = TunLink.create({
    name: 'tun0',
    namespace: space.name,
    mtu,
    ...(offload ? {} : { offload: 0 }),
  });
  for (const text of prefixes) {
    const prefix = parsePrefix(text);
    if (prefix !== null) link.device.addAddress(prefix);
  }
  link.device.queueLength = 1000;
  link.device.isUp = true;
  space.exec('ip', 'route', 'add', 'default', 'dev', 'tun0');
  space.exec('ip', '-6', 'route', 'add', 'default', 'dev', 'tun0');
  return { space, link };
}

for (const offload of [false, true]) {
  describePrivileged(
    `our stack as the router between two kernels, ${offload ? 'with offloads' : 'plain'}`,
    () => {
      let left: Side;
      let right: Side;
      let host: RunningHost;

      beforeAll(() => {
        left = makeSide([`${LEFT}/24`, 'fd21::1/64'], 1500, offload);
        right = makeSide([`${RIGHT}/24`, 'fd22::1/64'], 1400, offload);
        host = createHost({
          links: [
            { link: left.link, addresses: ['10.21.0.2/24', 'fd21::2/64'] },
            { link: right.link, addresses: ['10.22.0.2/24', 'fd22::2/64'] },
          ],
        });
        for (const { index, isLoopback } of host.stack.interfaces) {
          if (!isLoopback) host.stack.setInterface(index, { isForwarding: true });
        }
      });

      afterAll(() => host.close());

      test('ping passes, with sizes that need fragments, in both families', async () => {
        for (const argv of [
          ['ping', '-c3', '-i0.05', '-W2', RIGHT],
          ['ping', '-c2', '-i0.05', '-W2', '-s', '20000', RIGHT],
          ['ping', '-6', '-c3', '-i0.05', '-W2', 'fd22::1'],
        ]) {
          const { status, stdout } = await left.space.run(argv);
          expect([argv.join(' '), status, /(\d+)% packet loss/.exec(stdout)?.[1]]).toEqual([
            argv.join(' '),
            0,
            '0',
          ]);
        }
      });

      test('traceroute shows us as the first hop, and the other kernel as the second', async () => {
        for (const [flag, ours, far] of [
          ['-4', '10.21.0.2', RIGHT],
          ['-6', 'fd21::2', 'fd22::1'],
        ] as const) {
          const { stdout } = await left.space.run(['traceroute', flag, '-n', '-q1', '-w2', '-m4', far]);
          const hops = stdout
            .split('\n')
            .slice(1)
            .flatMap((line) => /^ *\d+ +(\S+)/.exec(line)?.[1] ?? []);
          expect(hops).toEqual([ours, far]);
        }
      });

      test('RFC 1191 the sender learns the MTU of the far link', async () => {
        const { status, stdout, stderr } = await left.space.run([
          'ping',
          '-c2',
          '-i0.1',
          '-W2',
          '-M',
          'do',
          '-s',
          '1450',
          RIGHT,
        ]);
        expect(status).toBe(1);
        expect(stdout + stderr).toMatch(/mtu ?= ?1400/i);
        expect(left.space.exec('ip', 'route', 'get', RIGHT)).toContain('mtu 1400');
      });

      test.each([
        ['TCP over IPv4', [RIGHT]],
        ['TCP over IPv6, eight flows back', ['fd22::1', '-P8', '-R']],
        ['UDP over IPv4', [RIGHT, '-u', '-b30M']],
        ['UDP over IPv6 back', ['fd22::1', '-u', '-b30M', '-R']],
      ])(
        'iperf3 measures %s',
        async (_what, [address = '', ...flags]) => {
          const server = new LabProcess(right.space, ['iperf3', '-s', '-1', '--forceflush']);
          await until('iperf3 listens', () => server.output.includes('Server listening'));
          const argv = ['iperf3', '-c', address, '-t1', '-J', ...flags];
          const { status, stdout } = await left.space.run(argv, 30_000);
          const { end } = JSON.parse(stdout) as { end: { sum?: Sum; sum_received?: Sum } };
          server.end();
          expect(status).toBe(0);
          const sum = flags.includes('-u') ? end.sum : end.sum_received;
          expect(sum?.bytes).toBeGreaterThan(1_000_000);
        },
        40_000,
      );

      test.each([
        ['IPv4', RIGHT],
        ['IPv6', '[fd22::1]'],
      ])(
        'a bulk transfer over %s arrives as it was sent',
        async (_family, address) => {
          const server = right.space.spawn(['node', '-e', SERVER, String(BULK)], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          await new Promise((resolve) => server.stdout?.once('data', resolve));
          const hash = await left.space.run(
            ['bash', '-c', `curl -sS --max-time 30 http://${address}:8080/ | sha256sum`],
            40_000,
          );
          const expected = await left.space.run(['node', '-e', HASH, String(BULK)]);
          server.kill('SIGKILL');
          expect(hash.stdout.slice(0, 64)).toBe(expected.stdout.slice(0, 64));
          expect(host.stack.counters.ipOutForwDatagrams).toBeGreaterThan(0);
        },
        60_000,
      );
    },
  );
}

/** Bytes that depend on their place, in both programs. */
const MAKE =
  'const n=+process.argv[1];const b=Buffer.alloc(n);for(let i=0;i<n;i++)b[i]=(i*31+(i>>8)*7+(i>>16)*13)&255;';
const SERVER = `${MAKE}require('http').createServer((q,s)=>s.end(b)).listen({port:8080,host:'::',ipv6Only:false},()=>console.log('up'));`;
const HASH = `${MAKE}console.log(require('crypto').createHash('sha256').update(b).digest('hex'));`;
