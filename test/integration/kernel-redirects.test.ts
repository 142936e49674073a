/**
 * Our router tells a host of the kernel's that another router on the same LAN is the better first hop: the kernel believes it, in
 * both families, and tshark finds nothing wrong with what we say.
 *
 *     client ── bridge ─┬─ our router (the client's default gateway)
 *                       └─ the kernel's router, behind which 198.51.100.1 and fd99::1 are
 */

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { describeLab, Lab, type LabHost, type Recording } from '../support/lab.ts';
import { until } from '../support/live-host.ts';
import type { Namespace } from '../support/netns.ts';

describeLab('redirects of our router', { tcpdump: 'tcpdump', tshark: 'tshark' }, () => {
  let lab: Lab;
  let router: LabHost;
  let client: Namespace;
  let other: Namespace;
  let recording: Recording;
  let ours6 = '';
  let other6 = '';

  const linkLocalOf = (space: Namespace): string => {
    const [address = ''] =
      /fe80::\S+(?=\/64)/.exec(space.exec('ip', '-6', 'address', 'show', 'dev', 'veth0', 'scope', 'link')) ??
      [];
    return address;
  };

  beforeAll(async () => {
    lab = new Lab();
    client = lab.kernelHost('10.5.0.7/24', 'fd05::7/64');
    other = lab.kernelHost('10.5.0.8/24', 'fd05::8/64');
    other.exec('ip', 'address', 'add', '198.51.100.1/32', 'dev', 'lo');
    other.exec('ip', 'address', 'add', 'fd99::1/128', 'dev', 'lo');
    for (const key of ['ipv4.conf.all.accept_redirects', 'ipv4.conf.veth0.accept_redirects']) {
      client.exec('sysctl', '-qw', `net.${key}=1`);
    }
    router = lab.host({ addresses: ['10.5.0.1/24', 'fd05::1/64'] });
    router.stack.enableIpv6(router.index);
    const held = () => router.stack.interfaces.find(({ index }) => index === router.index)?.addresses ?? [];
    await until('our addresses are ours', () => {
      return held().length === 3 && held().every(({ state }) => state === 'preferred');
    });
    await until('the kernel has its link-local address', () => linkLocalOf(other) !== '');
    ours6 = String(
      held().find(({ address }) => address.family === 6 && address.isLinkLocal)?.address,
    ).replace(/%.*/, '');
    other6 = linkLocalOf(other);
    router.stack.setInterface(router.index, { isForwarding: true });
    router.stack.addRoute({
      destination: '198.51.100.0/24',
      gateway: '10.5.0.8',
      interfaceIndex: router.index,
    });
    router.stack.addRoute({
      destination: 'fd99::/64',
      gateway: `${other6}%${router.index}`,
      interfaceIndex: router.index,
    });
    client.exec('ip', 'route', 'add', 'default', 'via', '10.5.0.1');
    client.exec('ip', '-6', 'route', 'add', 'default', 'via', ours6, 'dev', 'veth0');
    recording = await lab.record();
  }, 60_000);

  afterAll(() => {
    recording?.end();
    lab?.remove();
  });

  test.each([
    ['RFC 1812 §5.2.7.2', '198.51.100.1', () => '10.5.0.8', 'icmp.type == 5'],
    ['RFC 4861 §8.2', 'fd99::1', () => other6, 'icmpv6.type == 137'],
  ])(
    '%s the kernel sends to %s by way of the better router from then on',
    async (_rfc, far, better, filter) => {
      const { status, stdout } = await client.run(['ping', '-c3', '-i0.2', '-W2', far]);
      expect([status, /(\d+)% packet loss/.exec(stdout)?.[1]]).toEqual([0, '0']);
      expect(client.exec('ip', 'route', 'get', far)).toContain(`via ${better()}`);
      await recording.waitFor(filter, 1);
      expect(await recording.complaints(filter)).toEqual([]);
      expect(router.stack.counters.icmpOutRedirects).toBeGreaterThan(0);
    },
    60_000,
  );
});
