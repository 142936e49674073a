/** IPv6 by itself on a LAN of the kernel's: radvd and dnsmasq advertise, the kernel is neighbour; tshark reads every message. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { IpAddress } from '../../src/base/index.ts';
import type { AddressView } from '../../src/stack/index.ts';
import { describeLab, type Lab, type LabHost, LabProcess, testInLab } from '../support/lab.ts';
import { DEVICE, LiveHost, until } from '../support/live-host.ts';

const ROUTER = '2001:db8:5::1';
const PREFIX = 'prefix 2001:db8:5::/64 { AdvValidLifetime 3600; AdvPreferredLifetime 1800; };';
const QUICK = 'MinRtrAdvInterval 3; MaxRtrAdvInterval 4;';
/** A link without neighbours has no prefix either. */
const OFF_LINK = 'prefix 2001:db8:5::/64 { AdvOnLink off; };';
/** After the first, seldom by itself: who wants to know sooner asks. */
const ON_REQUEST = 'MinRtrAdvInterval 60; MaxRtrAdvInterval 100;';
const WAIT_MS = 40_000;
const PROGRAMS = { radvd: 'radvd', dnsmasq: 'dnsmasq-base', tshark: 'tshark', tcpdump: 'tcpdump' };

/** Of the bridge. */
const ADDRESSES = [`${ROUTER}/64`, 'fe80::1/64'];

/** A host and its interface. */
type Configured = Pick<LabHost, 'stack' | 'index'>;

const view = (host: Configured): readonly AddressView[] =>
  host.stack.interfaces.find(({ index }) => index === host.index)?.addresses ?? [];
const of = (host: Configured, origin: string, state = 'preferred'): string[] =>
  view(host)
    .filter((held) => held.origin === origin && held.state === state)
    .map(({ address }) => `${address}`);
const hasDefault = (host: Configured): boolean =>
  host.stack.routes.some(({ destination, prefixLength }) => destination.family === 6 && prefixLength === 0);

/** A host that has configured itself. */
async function configured(lab: Lab): Promise<LabHost> {
  const host = lab.host();
  host.stack.startAutoconf(host.index);
  await until('addresses', () => of(host, 'router').length > 0 && of(host, 'temporary').length > 0, WAIT_MS);
  return host;
}

describeLab('IPv6 autoconfiguration', PROGRAMS, () => {
  testInLab(
    'RFC 4862: with radvd, addresses, a router, name servers; the kernel is reached and reaches us',
    ADDRESSES,
    async (lab) => {
      await lab.radvd(
        `${ON_REQUEST} AdvLinkMTU 1400; ${PREFIX} RDNSS 2001:db8:5::53 {}; DNSSL lan.example {};`,
      );
      const recording = await lab.record();
      const host = await configured(lab);
      const [stable = ''] = of(host, 'router');
      expect(stable).toMatch(/^2001:db8:5:0:/);
      expect(of(host, 'linkLocal')).toHaveLength(1);
      expect(hasDefault(host)).toBe(true);
      const beyond = host.stack.routeTo(IpAddress.parse('2001:db8:ffff::1') as IpAddress);
      expect(beyond?.mtu).toBe(1400);
      const names = host.stack.interfaces.find(({ index }) => index === host.index)?.names;
      expect(names?.map(({ servers, searchList }) => `${servers} ${searchList}`)).toEqual([
        '2001:db8:5::53 lan.example',
      ]);

      // RFC 4861: the kernel resolves us, we resolve it, and it finds us reachable.
      for (const address of [stable, ...of(host, 'temporary')]) {
        const ping = await lab.space.run(['ping', '-6', '-c2', '-i0.2', '-W5', '-s', '3000', address]);
        expect(ping.stdout).toContain('2 received');
      }
      const neighbors = lab.space.exec('ip', '-6', 'neigh', 'show', stable);
      expect(neighbors).toMatch(new RegExp(`lladdr ${host.mac} .*(REACHABLE|DELAY)`));
      const echo = host.stack.openIcmp(6);
      expect(echo.sendEcho(IpAddress.parse(ROUTER) as IpAddress, 1, new Uint8Array(100))).toBe(0);
      let reply = echo.takeReply();
      await until('an answer', () => {
        reply ??= echo.takeReply();
        return reply !== null;
      });
      expect(reply?.type).toBe(0);
      echo.close();

      // What was sent last is in the file last.
      await recording.waitFor(`eth.src == ${host.mac} && icmpv6.type == 133`, 1);
      await recording.waitFor(`eth.src == ${host.mac} && icmpv6.type == 128`, 1);
      await recording.waitFor(`eth.src == ${host.mac} && icmpv6.type == 129`, 1);
      recording.end();
      const ours = `eth.src == ${host.mac}`;
      expect(await recording.complaints(ours)).toEqual([]);
      const kinds = new Set((await recording.fields(`${ours} && icmpv6`, 'icmpv6.type')).flat());
      // Router solicitation, neighbour solicitation and advertisement, listener report, echo reply.
      for (const kind of ['133', '135', '136', '143', '129']) expect(kinds).toContain(kind);
    },
  );

  testInLab(
    'RFC 4861 §6.3.4: a router that ceases to be one is forgotten at once',
    ADDRESSES,
    async (lab) => {
      const router = await lab.radvd(`${QUICK} ${PREFIX}`);
      const host = await configured(lab);
      expect(hasDefault(host)).toBe(true);
      // radvd takes its leave with a lifetime of zero (§6.2.5).
      router.end();
      await until('no default route', () => !hasDefault(host), WAIT_MS);
      expect(of(host, 'router')).toHaveLength(1);
    },
  );

  testInLab(
    'RFC 4862 §5.4: an address that the kernel has is not taken, and the kernel gives way to ours',
    ADDRESSES,
    async (lab) => {
      lab.kernelHost('2001:db8:5::77/64');
      const host = lab.host({ addresses: ['2001:db8:5::77/64'] });
      await until('the duplicate is found', () => of(host, 'manual', 'duplicate').length > 0, WAIT_MS);
      // The other way round: ours is in use when the kernel asks.
      const other = lab.host({ addresses: ['2001:db8:5::88/64'] });
      await until('ours is in use', () => of(other, 'manual').length > 0, WAIT_MS);
      const space = lab.kernelHost();
      space.exec('ip', 'address', 'add', '2001:db8:5::88/64', 'dev', 'veth0');
      await until(
        'the kernel has given up',
        () => /dadfailed/.test(space.exec('ip', '-6', 'address', 'show', 'dev', 'veth0')),
        WAIT_MS,
      );
    },
  );

  testInLab(
    'RFC 8415, RFC 4861 §4.2: where the router says so, addresses are asked for by DHCPv6',
    ADDRESSES,
    async (lab) => {
      const server = await lab.dnsmasq(
        '--port=0',
        '--enable-ra',
        '--dhcp-range=2001:db8:5::100,2001:db8:5::1ff,64,1h',
        '--dhcp-option=option6:dns-server,[2001:db8:5::53]',
      );
      const host = lab.host();
      host.stack.startAutoconf(host.index);
      await until('an address', () => of(host, 'dhcp').length > 0, WAIT_MS);
      const [address = ''] = of(host, 'dhcp');
      expect(address).toMatch(/^2001:db8:5::1[0-9a-f]{2}$/);
      expect(server.leases().join('\n')).toContain(` ${address} `);
      expect(hasDefault(host)).toBe(true);
      const ping = await lab.space.run(['ping', '-6', '-c1', '-W5', address]);
      expect(ping.stdout).toContain('1 received');
    },
  );
});

describeLab('IPv6 autoconfiguration without a link layer', { radvd: 'radvd' }, () => {
  test('RFC 4861 §6.3, RFC 4862: over a TUN the router at the other end gives addresses and the way to others', async () => {
    const live = new LiveHost();
    const host = { stack: live.stack, index: 2 };
    const folder = mkdtempSync(join(tmpdir(), 'winsockd-radvd-'));
    const file = join(folder, 'radvd.conf');
    writeFileSync(file, `interface ${DEVICE} { AdvSendAdvert on; ${ON_REQUEST} ${OFF_LINK} };\n`);
    live.space.exec('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');
    live.space.exec('ip', 'address', 'add', `${ROUTER}/64`, 'dev', DEVICE, 'nodad');
    const argv = ['radvd', '--nodaemon', '--logmethod', 'stderr', '--config', file];
    const radvd = new LabProcess(live.space, [...argv, '--pidfile', `${file}.pid`]);
    try {
      host.stack.startAutoconf(host.index);
      await until('an address', () => of(host, 'router').length > 0, WAIT_MS);
      expect(hasDefault(host)).toBe(true);
      const [stable = ''] = of(host, 'router');
      const ping = await live.space.run(['ping', '-6', '-c1', '-W5', '-s', '3000', stable]);
      expect(ping.stdout).toContain('1 received');
    } finally {
      radvd.end();
      live.close();
      rmSync(folder, { recursive: true, force: true });
    }
  }, 60_000);
});
