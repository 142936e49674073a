/**
 * Neighbours that nobody here wrote: arping, ndisc6, rdisc6 and the kernel's own duplicate address detection, on one LAN with hosts of
 * ours; routers of radvd's that die. tshark reads every exchange.
 */

import { expect } from '@jest/globals';
import { IpAddress } from '../../src/base/index.ts';
import type { AddressView, IcmpEndpoint } from '../../src/stack/index.ts';
import { describeLab, type Lab, type LabHost, testInLab } from '../support/lab.ts';
import { until } from '../support/live-host.ts';
import type { Namespace } from '../support/netns.ts';

const WAIT_MS = 40_000;
const ASK_EVERY_MS = 200;
const PROGRAMS = {
  ...{ arping: 'iputils-arping', ndisc6: 'ndisc6', rdisc6: 'ndisc6', radvd: 'radvd' },
  ...{ tshark: 'tshark', tcpdump: 'tcpdump' },
};
const ROUTER = '192.168.5.1';
const OURS = '192.168.5.9';

const ip = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;
const held = (host: LabHost, address: string): AddressView | undefined =>
  host.stack.interfaces
    .find(({ index }) => index === host.index)
    ?.addresses.find((view) => view.address.equals(ip(address).inZone(host.index)));

/** A host of ours whose addresses can be used. */
async function usable(lab: Lab, ...addresses: readonly string[]): Promise<LabHost> {
  const host = lab.host({ addresses });
  const isUsable = (text: string): boolean => held(host, text.replace(/\/.*/, ''))?.state === 'preferred';
  await until('addresses that can be used', () => addresses.every(isUsable), WAIT_MS);
  return host;
}

/** The kernel's hardware address. */
const macOf = (space: Namespace): string => space.ipJson('link', 'show', 'veth0')[0]?.['address'] as string;

describeLab('neighbours that others wrote', PROGRAMS, () => {
  testInLab(
    'RFC 826, RFC 5227 §2.1.1: arping asks for us and is answered; its duplicate detection finds us, and nobody else',
    [`${ROUTER}/24`],
    async (lab) => {
      const recording = await lab.record();
      const host = await usable(lab, `${OURS}/24`);
      const asked = await lab.space.run(['arping', '-I', 'br0', '-c', '3', '-w', '5', OURS]);
      expect(asked.stdout).toContain('Received 3 response(s)');
      expect(asked.stdout.toLowerCase()).toContain(host.mac);
      // A probe from 0.0.0.0: ours is in use, the other is free.
      const other = lab.kernelHost();
      const probe = (address: string) =>
        other.run(['arping', '-D', '-I', 'veth0', '-c', '2', '-w', '3', address]);
      const [taken, free] = await Promise.all([probe(OURS), probe('192.168.5.200')]);
      expect([taken.status, free.status]).toEqual([1, 0]);
      expect(taken.stdout.toLowerCase()).toContain(host.mac);
      const ours = `eth.src == ${host.mac}`;
      await recording.waitFor(`arp.opcode == 2 && ${ours}`, 4);
      expect(await recording.complaints(ours)).toEqual([]);
      // What we asked before: three probes, and then two announcements (§2.1.1, §2.3).
      const requests = await recording.fields(
        `arp.opcode == 1 && ${ours}`,
        'arp.src.proto_ipv4',
        'arp.dst.proto_ipv4',
      );
      expect(requests.map(String)).toEqual([
        ...new Array(3).fill(`0.0.0.0,${OURS}`),
        ...new Array(2).fill(`${OURS},${OURS}`),
      ]);
    },
  );

  testInLab(
    'RFC 826: arping’s gratuitous requests and replies move a neighbour that is known',
    [`${ROUTER}/24`],
    async (lab) => {
      const host = await usable(lab, `${OURS}/24`);
      const echo = host.stack.openIcmp();
      await answered(echo, ROUTER);
      const macNow = (): string | undefined => {
        const mac = host.stack.neighbors(host.index).find(({ address }) => `${address}` === ROUTER)?.mac;
        return mac == null ? undefined : Buffer.from(mac).toString('hex').replace(/..\B/g, '$&:');
      };
      const before = macNow();
      for (const kind of ['-U', '-A']) {
        const taker = lab.kernelHost(`${ROUTER}/24`);
        await taker.run(['arping', kind, '-I', 'veth0', '-c', '2', ROUTER]);
        await until('the neighbour has moved', () => macNow() === macOf(taker), WAIT_MS);
        expect(macNow()).not.toBe(before);
        taker.remove();
      }
      echo.close();
    },
  );

  testInLab(
    'RFC 5227 §2.4: an address that somebody announces is defended once, and given up when that does not help',
    [`${ROUTER}/24`],
    async (lab) => {
      const recording = await lab.record();
      const host = await usable(lab, `${OURS}/24`);
      await recording.waitFor(`arp.isannouncement && eth.src == ${host.mac}`, 2);
      const thief = lab.kernelHost();
      thief.exec('sysctl', '-qw', 'net.ipv4.ip_nonlocal_bind=1');
      const announce = () => thief.run(['arping', '-U', '-I', 'veth0', '-c', '1', '-s', OURS, OURS]);
      await announce();
      await recording.waitFor(`arp.isannouncement && eth.src == ${host.mac}`, 3);
      expect(held(host, OURS)?.state).toBe('preferred');
      await announce();
      await until('it is given up', () => held(host, OURS)?.state === 'duplicate', WAIT_MS);
      const ping = await lab.space.run(['ping', '-c1', '-W1', OURS]);
      expect(ping.stdout).toContain('0 received');
      // Once: the second announcement is answered by nothing.
      expect(
        await recording.fields(`arp.isannouncement && eth.src == ${host.mac}`, 'frame.number'),
      ).toHaveLength(3);
    },
  );

  testInLab(
    'RFC 5227 §2.1.1: an address that the kernel has is not taken; one that arping wants too is not taken either',
    [`${ROUTER}/24`],
    async (lab) => {
      lab.kernelHost('192.168.5.77/24');
      const rival = lab.kernelHost();
      const host = lab.host({ addresses: ['192.168.5.77/24', '192.168.5.78/24'] });
      const probing = rival.run(['arping', '-D', '-I', 'veth0', '-c', '20', '-w', '8', '192.168.5.78']);
      await until(
        'both are somebody else’s',
        () => ['192.168.5.77', '192.168.5.78'].every((text) => held(host, text)?.state === 'duplicate'),
        WAIT_MS,
      );
      await probing;
    },
  );

  testInLab(
    'RFC 4861 §7.2: ndisc6 looks us up by every address, and is answered; for others and as a router we do not speak',
    ['2001:db8:5::1/64', 'fe80::1/64'],
    async (lab) => {
      const recording = await lab.record();
      const host = await usable(lab, '2001:db8:5::9/64', 'fe80::9/64');
      const space = lab.kernelHost('2001:db8:5::2/64');
      const look = (target: string) => space.run(['ndisc6', '-n', '-q', '-r', '2', target, 'veth0']);
      for (const target of ['2001:db8:5::9', 'fe80::9']) {
        const { stdout, status } = await look(target);
        expect([stdout.trim().toLowerCase(), status]).toEqual([host.mac, 0]);
      }
      expect((await look('2001:db8:5::1234')).status).not.toBe(0);
      const router = await space.run(['rdisc6', '-n', '-r', '1', '-w', '1000', 'veth0']);
      expect(router.stdout).toContain('No response');
      const ours = `eth.src == ${host.mac}`;
      await recording.waitFor(`icmpv6.type == 133`, 1);
      await recording.waitFor(`icmpv6.type == 136 && ${ours}`, 2);
      expect(await recording.complaints(ours)).toEqual([]);
      const answers = await recording.fields(
        `${ours} && icmpv6.type == 136 && icmpv6.nd.na.flag.s == 1`,
        'icmpv6.nd.na.target_address',
        'icmpv6.nd.na.flag.r',
        'icmpv6.nd.na.flag.o',
      );
      const targets = new Set(answers.map(([target]) => target));
      expect(targets).toEqual(new Set(['2001:db8:5::9', 'fe80::9']));
      // tshark writes flags as 1 and 0, or in newer versions as words.
      expect(
        new Set(answers.map(([, r, o]) => `${/^(1|True)$/.test(`${r}`)} ${/^(1|True)$/.test(`${o}`)}`)),
      ).toEqual(new Set(['false true']));
      expect(await recording.fields(`${ours} && icmpv6.type == 134`, 'frame.number')).toEqual([]);
    },
  );

  testInLab(
    'RFC 4862 §5.4.3: of two that ask at once for one address at most one has it, and it knows',
    ['2001:db8:5::1/64'],
    async (lab) => {
      const address = '2001:db8:5::55';
      const space = lab.kernelHost();
      // The kernel's interface must be ready, or it asks later.
      await until(
        'the kernel’s link-local address',
        () => stateOf(space, 'fe80').includes('link') && !stateOf(space, 'fe80').includes('tentative'),
        WAIT_MS,
      );
      space.exec('ip', 'address', 'add', `${address}/64`, 'dev', 'veth0');
      const host = lab.host({ addresses: [`${address}/64`] });
      const kernel = (): string => {
        const text = stateOf(space, address);
        return text.includes('dadfailed')
          ? 'duplicate'
          : text.includes('tentative')
            ? 'tentative'
            : 'preferred';
      };
      await until(
        'both have settled',
        () => held(host, address)?.state !== 'tentative' && kernel() !== 'tentative',
        WAIT_MS,
      );
      expect([held(host, address)?.state, kernel()]).toContain('duplicate');
    },
  );

  const FAR = '2001:db8:ff::1';

  /** A router of the kernel's that advertises a prefix, and has an address behind it. */
  async function router(
    lab: Lab,
    prefix: string,
    preference: string,
  ): Promise<{ space: Namespace; die(): void }> {
    const space = lab.kernelHost(`${prefix}1/64`);
    space.exec('sysctl', '-qw', 'net.ipv6.conf.all.forwarding=1');
    space.exec('ip', 'address', 'add', `${FAR}/128`, 'dev', 'lo');
    await until('its link-local address', () => !/tentative|^$/.test(stateOf(space, 'fe80')), WAIT_MS);
    const options = `MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultPreference ${preference};`;
    await lab.radvd(`${options} prefix ${prefix}/64 { AdvOnLink on; AdvAutonomous on; };`, space);
    return { space, die: () => space.exec('ip', 'link', 'set', 'veth0', 'down') };
  }

  testInLab(
    'RFC 4861 §6.3.6, RFC 6724 §5 rule 5.5: the router on the way dies without a word; the second takes over, with its own prefix',
    [],
    async (lab) => {
      const [first] = await Promise.all([
        router(lab, '2001:db8:a::', 'high'),
        router(lab, '2001:db8:b::', 'low'),
      ]);
      const recording = await lab.record();
      const host = lab.host();
      host.stack.startAutoconf(host.index, { temporaryAddresses: false });
      const source = (): string => `${host.stack.routeTo(ip(FAR))?.source}`;
      const hasBoth = (): boolean =>
        ['2001:db8:a:', '2001:db8:b:'].every((begin) =>
          host.stack.interfaces
            .find(({ index }) => index === host.index)
            ?.addresses.some(({ address, state }) => `${address}`.startsWith(begin) && state === 'preferred'),
        );
      await until('addresses of both', hasBoth, WAIT_MS);
      expect(source()).toMatch(/^2001:db8:a:/);
      const echo = host.stack.openIcmp(6);
      await answered(echo, FAR);
      first.die();
      // What is sent finds out (neighbour unreachability detection), and goes the other way from then on.
      await answered(echo, FAR, (from) => from === FAR && /^2001:db8:b:/.test(source()));
      echo.close();
      expect(source()).toMatch(/^2001:db8:b:/);
      const ours = `eth.src == ${host.mac}`;
      await recording.waitFor(`${ours} && icmpv6.type == 128`, 2);
      expect(await recording.complaints(ours)).toEqual([]);
    },
  );
});

/** The kernel's line about an address that begins with `begin`; empty when there is none. */
function stateOf(space: Namespace, begin: string): string {
  const lines = space.exec('ip', '-6', '-o', 'address', 'show', 'dev', 'veth0').split('\n');
  return lines.find((line) => line.includes(` ${begin}`)) ?? '';
}

/** Asks until there is an answer that will do. */
async function answered(
  echo: IcmpEndpoint,
  address: string,
  isEnough: (from: string) => boolean = () => true,
): Promise<void> {
  let sequence = 0;
  let nextAt = 0;
  await until(
    `an answer of ${address}`,
    () => {
      if (performance.now() >= nextAt) {
        nextAt = performance.now() + ASK_EVERY_MS;
        echo.sendEcho(ip(address), ++sequence & 0xffff, new Uint8Array(32));
      }
      for (let reply = echo.takeReply(); reply !== null; reply = echo.takeReply())
        if (reply.type === 0 && isEnough(`${reply.source}`)) return true;
      return false;
    },
    WAIT_MS,
  );
}
