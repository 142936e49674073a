import { describe, expect, test } from '@jest/globals';
import { IpAddress, SeededRandom } from '../../../../src/base/index.ts';
import {
  hardwareAddress,
  linkLocalPrefix,
  opaqueAddress,
  randomAddress,
} from '../../../../src/stack/autoconf/interface-identifier.ts';
import { Ipv6Paths } from '../../../../src/stack/ipv6/paths.ts';
import { HOUR, ip, Lab, prefix } from './support.ts';

describe('RFC 4862 §5.5.3', () => {
  test('an autonomous prefix makes one address of 64 bits of prefix, and says it again without making another', () => {
    const lab = new Lab();
    lab.hear({ prefixes: [prefix('2001:db8:1::')] });
    lab.hear({ prefixes: [prefix('2001:db8:1::')] });
    expect(lab.addresses).toHaveLength(1);
    expect(lab.addresses[0]).toMatch(/^2001:db8:1:0:[^/]+\/64 preferred$/);
    expect(lab.iface.addresses[0]?.origin).toBe('router');
  });

  test.each([
    ['a: without the autonomous flag', prefix('2001:db8::', { isAutonomous: false })],
    ['b: the link-local prefix', prefix('fe80::')],
    ['RFC 4291 §2.7: one of groups', prefix('ff05::')],
    ['RFC 4291 §2.5.3: that of :: and ::1', prefix('::')],
    ['c: preferred for longer than valid', prefix('2001:db8::', { validLifetime: 1, preferredLifetime: 2 })],
    ['d: another length than 64', prefix('2001:db8::', { length: 48 })],
    ['d: a lifetime of zero', prefix('2001:db8::', { validLifetime: 0, preferredLifetime: 0 })],
  ])('%s: no address', (_rule, option) => {
    const lab = new Lab();
    lab.hear({ prefixes: [option] });
    expect(lab.addresses).toEqual([]);
  });

  test('e: a valid lifetime is not shortened below two hours, but to two hours', () => {
    const lab = new Lab();
    lab.hear({ prefixes: [prefix('2001:db8::')] });
    lab.pass(1000);
    lab.hear({ prefixes: [prefix('2001:db8::', { validLifetime: 60_000, preferredLifetime: 60_000 })] });
    expect(lab.iface.addresses[0]?.validUntil).toBe(1000 + 2 * HOUR);
    // Less than two hours are left: nothing shortens them.
    lab.pass(HOUR);
    lab.hear({ prefixes: [prefix('2001:db8::', { validLifetime: 0, preferredLifetime: 0 })] });
    expect(lab.iface.addresses[0]?.validUntil).toBe(1000 + 2 * HOUR);
    lab.pass(0);
    expect(lab.addresses[0]).toMatch(/deprecated$/);
    // More than is left lengthens them.
    lab.hear({ prefixes: [prefix('2001:db8::', { validLifetime: HOUR + 60_000, preferredLifetime: HOUR })] });
    expect(lab.iface.addresses[0]?.validUntil).toBe(lab.now + HOUR + 60_000);
    expect(lab.addresses[0]).toMatch(/preferred$/);
  });

  test('the number of prefixes is bounded', () => {
    const lab = new Lab();
    for (let i = 0; i < 40; i++) lab.hear({ prefixes: [prefix(`2001:db8:${(i + 1).toString(16)}::`)] });
    expect(lab.addresses).toHaveLength(16);
    expect(lab.routes.filter((route) => route.includes('via null'))).toHaveLength(32);
  });
});

test('RFC 4862 §5.5.4: an address is deprecated after its preferred lifetime, and gone after its valid one', () => {
  const lab = new Lab();
  lab.hear({ prefixes: [prefix('2001:db8::')] });
  lab.pass(12 * HOUR - 1);
  expect(lab.addresses[0]).toMatch(/preferred$/);
  lab.pass(1);
  expect(lab.addresses[0]).toMatch(/deprecated$/);
  lab.pass(12 * HOUR);
  expect(lab.addresses).toEqual([]);
  // A prefix that comes back makes the same address again (RFC 7217).
  lab.hear({ prefixes: [prefix('2001:db8::')] });
  expect(lab.addresses).toHaveLength(1);
});

test('RFC 7217 §6: a duplicate is replaced by the next address of the sequence, three times', () => {
  const lab = new Lab();
  lab.hear({ prefixes: [prefix('2001:db8::')] });
  const seen = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const { address } = lab.iface.addresses[0] as { address: IpAddress };
    seen.add(address.toString());
    expect(lab.autoconf.duplicateFound(address)).toBe(true);
    expect(lab.addresses).toHaveLength(1);
  }
  const { address } = lab.iface.addresses[0] as { address: IpAddress };
  expect(seen.has(address.toString())).toBe(false);
  expect(seen.size).toBe(3);
  expect(lab.autoconf.duplicateFound(address)).toBe(true);
  expect(lab.iface.addresses.map((held) => held.address)).toEqual([address]);
  expect(lab.autoconf.duplicateFound(ip('2001:db8::1'))).toBe(false);
});

describe('interface identifiers', () => {
  const seed = { secret: new Uint8Array(16).fill(9), interfaceName: 'eth0' };

  test('RFC 7217 §5: the same in the same network, others elsewhere, on another interface and under another key', () => {
    const here = opaqueAddress(seed, ip('2001:db8::'), 0).toString();
    expect(opaqueAddress(seed, ip('2001:db8::'), 0).toString()).toBe(here);
    const others = [
      opaqueAddress(seed, ip('2001:db8:0:1::'), 0),
      opaqueAddress(seed, ip('2001:db8::'), 1),
      opaqueAddress({ ...seed, interfaceName: 'eth1' }, ip('2001:db8::'), 0),
      opaqueAddress({ ...seed, secret: new Uint8Array(16).fill(8) }, ip('2001:db8::'), 0),
    ];
    const low = (text: string): string => text.split(':').slice(-4).join(':');
    const identifiers = [here, ...others.map(String)].map(low);
    expect(new Set(identifiers).size).toBe(5);
  });

  test('RFC 5453: reserved identifiers are not used', () => {
    const words = [0, 0, 0x02005eff | 0, 0xfe000001 | 0, 0xfdffffff | 0, 0xffffff80 | 0, 7, 8];
    const address = randomAddress({ next: () => words.shift() as number }, ip('2001:db8::'));
    expect(address.toString()).toBe('2001:db8::7:0:8');
  });

  test('RFC 4291 appendix A: the modified EUI-64 of a hardware address', () => {
    const mac = Uint8Array.of(0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde);
    expect(hardwareAddress(mac, linkLocalPrefix(3)).toString()).toBe('fe80::3656:78ff:fe9a:bcde%3');
    expect(hardwareAddress(Uint8Array.of(2, 0, 0, 0, 0, 1), ip('2001:db8::')).toString()).toBe(
      '2001:db8::ff:fe00:1',
    );
  });

  test('random ones differ', () => {
    const random = new SeededRandom(1);
    const made = new Set(
      Array.from({ length: 100 }, () => randomAddress(random, ip('2001:db8::')).toString()),
    );
    expect(made.size).toBe(100);
  });
});

describe('RFC 8981', () => {
  const temporary = (lab: Lab): string[] =>
    lab.iface.addresses
      .filter(({ origin }) => origin === 'temporary')
      .map(({ address }) => address.toString());

  test('§3.4: one beside the stable address, preferred for less than a day and valid for two at most', () => {
    const lab = new Lab(true);
    const long = { validLifetime: 30 * 24 * HOUR, preferredLifetime: 7 * 24 * HOUR };
    lab.hear({ prefixes: [prefix('2001:db8::', long)] });
    expect(lab.addresses).toHaveLength(2);
    const held = lab.iface.addresses.find(({ origin }) => origin === 'temporary');
    expect(held?.validUntil).toBe(48 * HOUR);
    expect(held?.preferredUntil).toBeLessThanOrEqual(24 * HOUR);
    expect(held?.preferredUntil).toBeGreaterThanOrEqual(0.6 * 24 * HOUR);
  });

  test('§3.5: the next is there before the last is deprecated, and old ones go after two days', () => {
    const lab = new Lab(true);
    const long = { validLifetime: 30 * 24 * HOUR, preferredLifetime: 29 * 24 * HOUR };
    lab.hear({ prefixes: [prefix('2001:db8::', long)] });
    const first = temporary(lab);
    const { preferredUntil } = lab.iface.addresses.find(({ origin }) => origin === 'temporary') as {
      preferredUntil: number;
    };
    lab.pass(preferredUntil - 5001);
    expect(temporary(lab)).toEqual(first);
    lab.pass(1);
    expect(temporary(lab)).toHaveLength(2);
    lab.pass(10 * 24 * HOUR);
    expect(temporary(lab).length).toBeGreaterThanOrEqual(2);
    expect(temporary(lab).length).toBeLessThanOrEqual(5);
    expect(temporary(lab)).not.toContain(first[0]);
    const states = lab.iface.addresses
      .filter(({ origin }) => origin === 'temporary')
      .map(({ state }) => state);
    expect(states.at(-1)).toBe('preferred');
  });

  test('§3.4 step 5: none for a prefix that is not preferred for long enough', () => {
    const lab = new Lab(true);
    lab.hear({ prefixes: [prefix('2001:db8::', { preferredLifetime: 5000 })] });
    expect(temporary(lab)).toEqual([]);
    lab.hear({ prefixes: [prefix('2001:db8::')] });
    expect(temporary(lab)).toHaveLength(1);
  });

  test('§3.4 step 7: a duplicate is replaced, three times, and then there is none', () => {
    const lab = new Lab(true);
    lab.hear({ prefixes: [prefix('2001:db8::')] });
    for (let i = 0; i < 4; i++) {
      expect(temporary(lab)).toHaveLength(1);
      expect(lab.autoconf.duplicateFound(ip(temporary(lab)[0] as string))).toBe(true);
    }
    expect(temporary(lab)).toEqual([]);
    lab.hear({ prefixes: [prefix('2001:db8::')] });
    expect(temporary(lab)).toEqual([]);
  });
});

test('RFC 8200 §5: an MTU below 1280 bytes that a DHCPv4 server gives is IPv4’s alone', () => {
  const lab = new Lab();
  lab.topology.limitMtu(lab.iface.index, 576);
  lab.topology.addAddress(lab.iface.index, '10.0.0.2/24');
  lab.hear({ lifetime: 10_000, prefixes: [prefix('2001:db8::')] });
  expect(lab.addresses).toHaveLength(2);
  expect(lab.topology.pathTo(IpAddress.anyV4, ip('10.0.0.9'))?.mtu).toBe(576);
  const paths = new Ipv6Paths(lab.topology, lab.random, new Uint8Array(16));
  expect(paths.pathTo(IpAddress.anyV6, ip('2001:db8:1::1'))).toMatchObject({ mtu: 1280, linkMtu: 1280 });
  lab.topology.limitMtu(lab.iface.index, 1400);
  expect(paths.pathTo(IpAddress.anyV6, ip('2001:db8:1::1'))?.linkMtu).toBe(1400);
});
