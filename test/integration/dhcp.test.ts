/** DHCP with dnsmasq on a LAN of the kernel's: leases, renewals, releases, conflicts; tshark reads every message. */

import { join } from 'node:path';
import { expect } from '@jest/globals';
import { IpAddress } from '../../src/base/index.ts';
import { loadConfig } from '../../src/daemon/config.ts';
import { startDaemon } from '../../src/daemon/supervisor.ts';
import type { DhcpInterfaceStatus, InterfaceStatus } from '../../src/port/index.ts';
import { describeLab, type Lab, type LabHost, testInLab } from '../support/lab.ts';
import { until } from '../support/live-host.ts';
import { cli } from '../unit/cli/harness.ts';

const ROUTER = '192.168.5.1';
const RANGE = '--dhcp-range=192.168.5.100,192.168.5.150,255.255.255.0,1h';
/** Conflict detection asks for some seconds. */
const BIND_MS = 40_000;

/** Of the bridge. */
const ADDRESSES = [`${ROUTER}/24`];

const v4 = (host: LabHost) => host.stack.dhcpStatus(host.index).v4;

async function bound(host: LabHost): Promise<string> {
  await until('a lease', () => v4(host)?.state === 'BOUND', BIND_MS);
  return `${v4(host)?.lease?.address}`;
}

const PROGRAMS = { dnsmasq: 'dnsmasq-base', tshark: 'tshark', tcpdump: 'tcpdump' };

describeLab('DHCP with dnsmasq', PROGRAMS, () => {
  testInLab(
    'RFC 2131: lease, renewal and release, seen in the server’s lease file; tshark has no complaint',
    ADDRESSES,
    async (lab) => {
      const server = await lab.dnsmasq(
        '--port=0',
        RANGE,
        '--domain=lan.example',
        '--dhcp-option=option:ntp-server,192.168.5.9',
        '--dhcp-option=option:mtu,1400',
        '--dhcp-option=option:domain-search,eng.example,lan.example',
        '--dhcp-option=option:dns-server,192.168.5.1,192.168.5.2',
      );
      const recording = await lab.record();
      const host = lab.host();
      host.stack.startDhcp(host.index, { hostName: 'bench' });
      const address = await bound(host);
      expect(address).toMatch(/^192\.168\.5\.1([0-4]\d|50)$/);
      expect(host.addresses).toContain(`${address}/24`);
      await until('the lease in the file', () => server.leases().length > 0);
      expect(server.leases()).toEqual([
        expect.stringMatching(new RegExp(`^\\d+ ${host.mac} ${address} bench 01:${host.mac}$`)),
      ]);
      const { lease } = v4(host) ?? {};
      expect(lease).toMatchObject({ domainName: 'lan.example', interfaceMtu: 1400 });
      expect([`${lease?.server}`, `${lease?.routers}`, `${lease?.ntpServers}`]).toEqual([
        ROUTER,
        ROUTER,
        '192.168.5.9',
      ]);
      expect(lease?.searchList).toEqual(['eng.example', 'lan.example']);
      const view = host.stack.interfaces.find(({ index }) => index === host.index);
      expect(view?.mtu).toBe(1400);
      expect(host.stack.routeTo(lease?.ntpServers[0] as never)?.interfaceIndex).toBe(host.index);
      // The kernel reaches the host at its address.
      const ping = await lab.space.run(['ping', '-c1', '-W5', address]);
      expect(ping.stdout).toContain('1 received');

      const before = lease?.expiresAt ?? 0;
      host.stack.renewDhcp(host.index);
      await until(
        'a renewal',
        () => v4(host)?.state === 'BOUND' && (v4(host)?.lease?.expiresAt ?? 0) > before,
      );
      expect(host.addresses).toContain(`${address}/24`);

      host.stack.releaseDhcp(host.index);
      await until('the release', () => v4(host)?.state === 'RELEASED' && server.leases().length === 0);
      expect(host.addresses.filter((text) => text.startsWith('192.'))).toEqual([]);

      await recording.waitFor('dhcp.option.dhcp == 7', 1);
      const ours = `eth.src == ${host.mac}`;
      expect(
        (await recording.fields(`dhcp && ${ours}`, 'dhcp.option.dhcp', 'ip.src', 'ip.dst')).map(String),
      ).toEqual([
        '1,0.0.0.0,255.255.255.255',
        '3,0.0.0.0,255.255.255.255',
        `3,${address},${ROUTER}`,
        `7,${address},${ROUTER}`,
      ]);
      expect(await recording.complaints(ours)).toEqual([]);
    },
  );

  testInLab(
    'RFC 2131 §3.2: after a stop the same address is asked for and granted again',
    ADDRESSES,
    async (lab) => {
      await lab.dnsmasq('--port=0', RANGE);
      const recording = await lab.record();
      const host = lab.host();
      host.stack.startDhcp(host.index);
      const address = await bound(host);
      host.stack.stopDhcp(host.index);
      expect(host.addresses.filter((text) => text.startsWith('192.'))).toEqual([]);
      host.stack.renewDhcp(host.index);
      expect(await bound(host)).toBe(address);
      await recording.waitFor('dhcp.option.dhcp == 5', 2);
      const types = await recording.fields(`dhcp && eth.src == ${host.mac}`, 'dhcp.option.dhcp');
      expect(types.flat()).toEqual(['1', '3', '3']);
    },
  );

  testInLab(
    'RFC 2131 §4.3.2: an address of another network is refused, and another one obtained',
    ADDRESSES,
    async (lab) => {
      const server = await lab.dnsmasq('--port=0', '--dhcp-authoritative', RANGE);
      const host = lab.host();
      host.stack.startDhcp(host.index, { requestedAddress: IpAddress.parse('10.99.0.7') as never });
      expect(await bound(host)).toMatch(/^192\.168\.5\./);
      expect(server.process.output).toContain('DHCPNAK');
    },
  );

  testInLab(
    'RFC 2131 §4.4.4: an address that somebody else has is declined, and not used',
    ADDRESSES,
    async (lab) => {
      const server = await lab.dnsmasq(
        '--port=0',
        '--no-ping',
        '--dhcp-range=192.168.5.100,192.168.5.100,1h',
      );
      lab.kernelHost('192.168.5.100/24');
      const host = lab.host();
      host.stack.startDhcp(host.index);
      await until('the server hears of it', () => server.process.output.includes('DHCPDECLINE'), BIND_MS);
      expect(v4(host)).toMatchObject({ state: 'INIT', lease: null });
      expect(host.addresses.filter((text) => text.startsWith('192.'))).toEqual([]);
    },
  );

  testInLab(
    'RFC 2131 §3.4: a host with an address of its own is told the rest; tshark has no complaint',
    ADDRESSES,
    async (lab) => {
      const server = await lab.dnsmasq(
        '--port=0',
        '--dhcp-range=192.168.5.0,static,255.255.255.0',
        '--dhcp-option=option:dns-server,192.168.5.2',
        '--domain=lan.example',
      );
      const recording = await lab.record();
      const host = lab.host({ addresses: ['192.168.5.9/24'] });
      host.stack.startDhcp(host.index, { mode: 'stateless' });
      await until('an answer', () => v4(host)?.state === 'INFORMED', BIND_MS);
      expect(v4(host)?.information).toMatchObject({ domainName: 'lan.example' });
      const view = host.stack.interfaces.find(({ index }) => index === host.index);
      expect(view?.names.map(({ servers, searchList }) => `${servers} ${searchList}`)).toEqual([
        '192.168.5.2 lan.example',
      ]);
      expect([host.addresses, server.leases()]).toEqual([['192.168.5.9/24'], []]);
      const ours = `eth.src == ${host.mac}`;
      await recording.waitFor('dhcp.option.dhcp == 5', 1);
      expect(
        await recording.fields(`dhcp && ${ours}`, 'dhcp.option.dhcp', 'dhcp.ip.client', 'ip.dst'),
      ).toEqual([['8', '192.168.5.9', '255.255.255.255']]);
      expect(await recording.complaints(ours)).toEqual([]);
    },
  );

  testInLab('RFC 3442: classless routes are followed', ADDRESSES, async (lab) => {
    await lab.dnsmasq('--port=0', RANGE, '--dhcp-option=121,10.40.0.0/16,192.168.5.7,0.0.0.0/0,192.168.5.8');
    const host = lab.host();
    host.stack.startDhcp(host.index);
    await bound(host);
    const routes = host.stack.routes.filter(({ origin }) => origin === 'dhcp');
    expect(
      routes.map(({ destination, prefixLength, gateway }) => `${destination}/${prefixLength} ${gateway}`),
    ).toEqual(['10.40.0.0/16 192.168.5.7', '0.0.0.0/0 192.168.5.8']);
  });

  const LINK_LOCAL = 'fe80::77';
  const v6 = (host: LabHost) => host.stack.dhcpStatus(host.index).v6;

  /** A host whose link-local address the kernel need not ask for. */
  function hostOnLan(lab: Lab): LabHost {
    lab.space.exec('ip', 'address', 'add', '2001:db8:5::1/64', 'dev', 'br0', 'nodad');
    const host = lab.host({ addresses: [`${LINK_LOCAL}/64`] });
    lab.space.exec(
      'ip',
      '-6',
      'neigh',
      'replace',
      LINK_LOCAL,
      'lladdr',
      host.mac,
      'dev',
      'br0',
      'nud',
      'permanent',
    );
    return host;
  }

  for (const [how, rapidCommit] of [
    ['with four messages', false],
    ['with two (rapid commit)', true],
  ] as const) {
    testInLab(
      `RFC 8415: lease ${how}, renewal and release, seen in the lease file; tshark has no complaint`,
      ADDRESSES,
      async (lab) => {
        const host = hostOnLan(lab);
        const server = await lab.dnsmasq(
          '--port=0',
          '--dhcp-range=2001:db8:5::100,2001:db8:5::1ff,64,1h',
          '--dhcp-option=option6:dns-server,[2001:db8:5::53]',
          '--dhcp-option=option6:domain-search,eng.example,lan.example',
        );
        const recording = await lab.record();
        host.stack.startDhcp(host.index, { family: 6, rapidCommit });
        await until('a lease', () => v6(host)?.state === 'BOUND', BIND_MS);
        const { lease } = v6(host) ?? {};
        const [leased] = lease?.addresses ?? [];
        const address = `${leased?.address}`;
        expect(address).toMatch(/^2001:db8:5::1[0-9a-f]{2}$/);
        expect(host.addresses).toContain(`${address}/128`);
        expect([`${lease?.dnsServers}`, lease?.searchList]).toEqual([
          '2001:db8:5::53',
          ['eng.example', 'lan.example'],
        ]);
        const held = () => server.leases().filter((line) => line.includes(` ${address} `));
        await until('the lease in the file', () => held().length === 1);

        const before = leased?.validUntil ?? 0;
        host.stack.renewDhcp(host.index);
        await until('a renewal', () => (v6(host)?.lease?.addresses[0]?.validUntil ?? 0) > before);
        expect(host.addresses).toContain(`${address}/128`);

        host.stack.releaseDhcp(host.index);
        await until('the release', () => v6(host)?.state === 'RELEASED');
        expect(host.addresses).not.toContain(`${address}/128`);
        await until('its end in the file', () => held().length === 0);

        await recording.waitFor('dhcpv6.msgtype == 8', 1);
        const ours = `eth.src == ${host.mac}`;
        const types = await recording.fields(`dhcpv6 && ${ours}`, 'dhcpv6.msgtype', 'ipv6.src', 'ipv6.dst');
        const expected = rapidCommit ? [1, 5, 8] : [1, 3, 5, 8];
        expect(types.map(String)).toEqual(expected.map((type) => `${type},${LINK_LOCAL},ff02::1:2`));
        expect(await recording.complaints(ours)).toEqual([]);
      },
    );
  }

  testInLab('RFC 8415 §6.1: stateless, only what there is to know', ADDRESSES, async (lab) => {
    const host = hostOnLan(lab);
    await lab.dnsmasq(
      '--port=0',
      '--dhcp-range=2001:db8:5::,ra-stateless,64,1h',
      '--dhcp-option=option6:dns-server,[2001:db8:5::53]',
    );
    host.stack.startDhcp(host.index, { family: 6, mode: 'stateless' });
    await until('an answer', () => v6(host)?.state === 'INFORMED', BIND_MS);
    const view = host.stack.interfaces.find(({ index }) => index === host.index);
    expect(view?.names.map(({ origin, servers }) => `${origin} ${servers}`)).toContain(
      'dhcpv6 2001:db8:5::53',
    );
    expect(host.addresses.filter((text) => text.startsWith('2001:'))).toEqual([]);
  });

  testInLab(
    'RFC 2131 §3.2, RFC 8415 §18.2.3: a daemon that is started anew is the same host, and asks for what it had',
    ADDRESSES,
    async (lab) => {
      lab.space.exec('ip', 'address', 'add', '2001:db8:5::1/64', 'dev', 'br0', 'nodad');
      const server = await lab.dnsmasq(
        '--port=0',
        RANGE,
        '--enable-ra',
        '--dhcp-range=2001:db8:5::100,2001:db8:5::1ff,64,1h',
      );
      const recording = await lab.record();
      const device = `wskr${process.pid}`;
      const paths = { socket: join(lab.folder, 's'), control: join(lab.folder, 'c') };
      const flags = {
        ...{ tap: device, netns: lab.space.name, dhcp: true, autoconf: true, ...paths },
        ...{ stateDirectory: join(lab.folder, 'state'), logLevel: 'silent' },
      };
      /** Runs the daemon until it has both addresses. @returns them, its link-local one and its hardware address */
      const life = async (): Promise<Record<string, string | undefined>> => {
        const daemon = await startDaemon(loadConfig({ flags }), { giveUpPrivileges: () => false });
        try {
          lab.plug(device);
          const ask = async (...words: string[]): Promise<string> =>
            (await cli([...words, '--json', '--control', paths.control])).out;
          let found: InterfaceStatus | undefined;
          const held = (origin: string, begin: string): string | undefined =>
            found?.addressDetails?.find(
              (one) => one.origin === origin && one.state === 'preferred' && one.address.startsWith(begin),
            )?.address;
          const end = Date.now() + BIND_MS;
          while (held('dhcp', '192.') === undefined || held('dhcp', '2001:') === undefined) {
            if (Date.now() > end) throw new Error(`no addresses: ${JSON.stringify(found)}`);
            await new Promise((resolve) => setTimeout(resolve, 100));
            found = (JSON.parse(await ask('ipconfig')) as InterfaceStatus[]).find(
              ({ name }) => name === device,
            );
          }
          return {
            v4: held('dhcp', '192.'),
            v6: held('dhcp', '2001:'),
            linkLocal: held('linkLocal', 'fe80:')?.replace(/%.*/, ''),
            mac: found?.mac ?? undefined,
          };
        } finally {
          await daemon.stop();
        }
      };
      const first = await life();
      await recording.waitFor(`dhcp && eth.src == ${first['mac']}`, 2);
      expect(await life()).toEqual(first);
      const ours = `eth.src == ${first['mac']}`;
      await recording.waitFor('dhcpv6.msgtype == 4', 1);
      const types = await recording.fields(`dhcp && ${ours}`, 'dhcp.option.dhcp');
      // Discover and request; then a request alone.
      expect(types.flat()).toEqual(['1', '3', '3']);
      expect((await recording.fields(`dhcpv6 && ${ours}`, 'dhcpv6.msgtype')).flat()).toContain('4');
      expect(await recording.complaints(ours)).toEqual([]);
      // And neither was given back.
      expect(server.leases().join()).toContain(`${first['v4']}`);
    },
  );

  testInLab(
    'winsockd up --tap --dhcp: ipconfig /all, /renew and /release tell and do what the server sees',
    ADDRESSES,
    async (lab) => {
      const server = await lab.dnsmasq('--port=0', RANGE, '--domain=lan.example');
      const control = join(lab.folder, 'control.sock');
      const device = `wskt${process.pid}`;
      const daemon = await startDaemon(
        loadConfig({
          flags: {
            tap: device,
            netns: lab.space.name,
            dhcp: true,
            socket: join(lab.folder, 'winsockd.sock'),
            control,
            logLevel: 'silent',
          },
        }),
        { giveUpPrivileges: () => false },
      );
      try {
        lab.plug(device);
        const ipconfig = (...args: string[]) => cli(['ipconfig', ...args, '--control', control]);
        const renewed = await ipconfig('/renew', device, '--json');
        expect(renewed.err).toBe('');
        const [status] = JSON.parse(renewed.out) as DhcpInterfaceStatus[];
        expect(status).toMatchObject({
          interface: device,
          v4: { state: 'BOUND', lease: { server: ROUTER } },
        });
        const address = status?.v4?.lease?.address.split('/')[0];
        await until('the lease in the file', () => server.leases().length > 0);
        expect(server.leases()).toEqual([expect.stringContaining(` ${address} `)]);

        const all = (await ipconfig('/all')).out;
        expect(all).toContain(`   IPv4 Address. . . . . . . . . . . : ${address}(Preferred)\n`);
        expect(all).toContain('   DHCP Enabled. . . . . . . . . . . : Yes\n');
        expect(all).toContain(`   Default Gateway . . . . . . . . . : ${ROUTER}\n`);
        expect(all).toContain(`   DHCP Server . . . . . . . . . . . : ${ROUTER}\n`);
        expect(all).toMatch(/ {3}Lease Obtained\. \..*: \w+day, \w+ \d+, \d{4} \d+:\d\d:\d\d [AP]M\n/);

        const released = await ipconfig('/release');
        expect(released.code).toBe(0);
        expect(released.out).not.toContain(`${address}`);
        await until('the release', () => server.leases().length === 0);
        server.process.end();
      } finally {
        await daemon.stop();
      }
    },
  );
});
