/** Which address a packet leaves from, and which of a peer's to try first: the examples of RFC 6724 §10. */

import { describe, expect, test } from '@jest/globals';
import { IpAddress } from '../../../../src/base/index.ts';
import type { AddressOptions } from '../../../../src/stack/index.ts';
import { commonPrefixLength, scopeOf } from '../../../../src/stack/ipv6/scope.ts';
import { type HostUnderTest, ip, makeHost } from '../support.ts';

/** Our addresses in the examples: `old` is deprecated, `temporary` is what RFC 8981 makes. */
type Held = string | readonly [prefix: string, kind: 'old' | 'temporary'];

/** A host with these addresses, and a way to everywhere. */
function hostWith(held: readonly Held[]): HostUnderTest {
  const host = makeHost({ addresses: [] });
  const { stack, index } = host;
  for (const destination of ['::/0', '0.0.0.0/0']) stack.addRoute({ destination, interfaceIndex: index });
  for (const each of held) {
    const [prefix, kind] = typeof each === 'string' ? [each, ''] : each;
    const options: AddressOptions =
      kind === 'old' ? { preferredUntil: 1001 } : kind === 'temporary' ? { origin: 'temporary' } : {};
    stack.addAddress(index, prefix, options);
  }
  host.pass(10);
  return host;
}

function source(held: readonly Held[], destination: string): string | undefined {
  return hostWith(held).stack.routeTo(ip(destination))?.source.toString();
}

function order(host: HostUnderTest, destinations: readonly string[]): string[] {
  return host.stack.sortDestinations(destinations.map(ip)).map(String);
}

const GLOBAL = '2001:db8:1::1';
const TO_4 = '198.51.100.121';

describe('RFC 6724 §10.1: the source', () => {
  test.each<[rule: string, destination: string, held: readonly [Held, Held], chosen: string]>([
    ['2: appropriate scope', GLOBAL, ['2001:db8:3::1/64', 'fe80::1/64'], '2001:db8:3::1'],
    ['2: appropriate scope of a group', 'ff05::1', ['2001:db8:3::1/64', 'fe80::1/64'], '2001:db8:3::1'],
    [
      '2: appropriate scope, though deprecated',
      'fe80::1',
      [['fe80::2/64', 'old'], `${GLOBAL}/64`],
      'fe80::2%2',
    ],
    ['8: longest matching prefix', GLOBAL, ['2001:db8:1::2/64', '2001:db8:3::2/64'], '2001:db8:1::2'],
    [
      '6: matching label',
      '2002:c633:6401::1',
      [['2002:c633:6401::d5e3:7953:13eb:22e8/64', 'temporary'], '2001:db8:1::2/64'],
      '2002:c633:6401:0:d5e3:7953:13eb:22e8',
    ],
    [
      '7: temporary',
      '2001:db8:1::d5e3:0:0:1',
      ['2001:db8:1::2/64', ['2001:db8:1::d5e3:7953:13eb:22e8/64', 'temporary']],
      '2001:db8:1:0:d5e3:7953:13eb:22e8',
    ],
  ])('rule %s', (_rule, destination, held, chosen) => {
    const host = hostWith(held);
    const index = String(host.index);
    const wanted = chosen.replace('%2', `%${index}`);
    expect(source(held, destination)).toBe(wanted);
    // In whatever order they came.
    expect(source([...held].reverse(), destination)).toBe(wanted);
  });

  test('rule 1: the same address, though deprecated', () => {
    expect(source([[`${GLOBAL}/64`, 'old'], '2001:db8:2::1/64'], GLOBAL)).toBe(GLOBAL);
  });

  test('RFC 6724 §5 rule 3: one that is not going away', () => {
    expect(source([['2001:db8:1::2/64', 'old'], '2001:db8:3::2/64'], GLOBAL)).toBe('2001:db8:3::2');
  });

  test('RFC 6724 §5 rule 6: the label counts before the prefix in common', () => {
    // 2002:… has 15 bits in common with it, 3000:… three.
    expect(source(['2002:db8::2/64', '3000::2/64'], '2003::1')).toBe('3000::2');
  });

  test('RFC 6724 §4: only addresses of the interface that the packet leaves by', () => {
    const host = hostWith(['2001:db8:3::2/64']);
    const other = host.stack.addInterface({
      name: 'other',
      mtu: 1500,
      addresses: ['2001:db8:1::2/128'],
      detectDuplicates: false,
    });
    expect(other).not.toBe(host.index);
    expect(host.stack.routeTo(ip(GLOBAL))?.source.toString()).toBe('2001:db8:3::2');
  });
});

describe('RFC 6724 §10.2: the order of destinations', () => {
  test.each<[rule: string, held: readonly Held[], best: string, other: string]>([
    ['2: matching scope', ['2001:db8:1::2/64', 'fe80::1/64', '169.254.13.78/16'], GLOBAL, TO_4],
    ['2: matching scope of IPv4', ['fe80::1/64', '198.51.100.117/24'], TO_4, GLOBAL],
    ['6: higher precedence', ['2001:db8:1::2/64', 'fe80::1/64', '10.1.2.4/24'], GLOBAL, '10.1.2.3'],
    ['8: smaller scope', ['2001:db8:1::2/64', 'fe80::2/64'], 'fe80::1', GLOBAL],
    ['3: avoid deprecated', ['2001:db8:1::2/64', ['fe80::2/64', 'old']], GLOBAL, 'fe80::1'],
    [
      '9: longest matching prefix',
      ['2001:db8:1::2/64', '2001:db8:3f44::2/64', 'fe80::2/64'],
      GLOBAL,
      '2001:db8:3ffe::1',
    ],
    ['5: matching label', ['2002:c633:6401::2/64', 'fe80::2/64'], '2002:c633:6401::1', GLOBAL],
    [
      '6: higher precedence of native IPv6',
      ['2002:c633:6401::2/64', '2001:db8:1::2/64', 'fe80::2/64'],
      GLOBAL,
      '2002:c633:6401::1',
    ],
  ])('rule %s', (_rule, held, better, worse) => {
    const host = hostWith(held);
    expect(order(host, [better, worse])).toEqual([better, worse]);
    expect(order(host, [worse, better])).toEqual([better, worse]);
  });

  test('RFC 6724 §6 rule 1: what nothing leads to comes last', () => {
    const host = hostWith(['10.1.2.4/24']);
    expect(order(host, [GLOBAL, '10.1.2.3', '2001:db8::7'])).toEqual(['10.1.2.3', GLOBAL, '2001:db8::7']);
  });

  test('RFC 6724 §6 rule 9: between families no prefix counts; rule 10: equals stay as they came', () => {
    const host = hostWith(['2001:db8:1::2/64', '10.1.2.4/24']);
    host.stack.setAddressPolicy([{ prefix: '::/0', precedence: 1, label: 1 }]);
    for (const same of [
      ['192.0.2.1', '2001:db8:1::5'],
      ['2001:db8:1::5', '192.0.2.1'],
      ['192.0.2.2', '192.0.2.1'],
      ['2001:db8:1::7', '2001:db8:1::4'],
    ])
      expect(order(host, same)).toEqual(same);
    expect(order(host, ['192.0.2.1', '10.1.2.9'])).toEqual(['10.1.2.9', '192.0.2.1']);
  });

  test('a v4-mapped address is what it stands for, and nothing is lost', () => {
    const host = hostWith(['10.1.2.4/24']);
    const given = [ip(GLOBAL), ip('::ffff:192.0.2.1'), ip('10.1.2.9')];
    const sorted = host.stack.sortDestinations(given);
    expect(sorted).toEqual([given[2], given[1], given[0]]);
    expect(host.stack.sortDestinations([])).toEqual([]);
  });
});

describe('RFC 6724 §10.3: the policy table', () => {
  /** The default table, but for IPv4's precedence. */
  function preferIpv4(host: HostUnderTest): void {
    const rows = host.stack.addressPolicy.map((row) =>
      row.prefix === '::ffff:0:0/96' ? { ...row, precedence: 100 } : row,
    );
    host.stack.setAddressPolicy(rows);
  }

  test.each<[held: readonly Held[], order: readonly [string, string]]>([
    [
      ['2001:db8:1::2/64', 'fe80::1/64', '169.254.13.78/16'],
      [GLOBAL, TO_4],
    ],
    [
      ['fe80::1/64', '198.51.100.117/24'],
      [TO_4, GLOBAL],
    ],
    [
      ['2001:db8:1::2/64', 'fe80::1/64', '10.1.2.4/24'],
      ['10.1.2.3', GLOBAL],
    ],
  ])('IPv4 preferred, with %j', (held, wanted) => {
    const host = hostWith(held);
    preferIpv4(host);
    expect(order(host, wanted)).toEqual(wanted);
    expect(order(host, [...wanted].reverse())).toEqual(wanted);
    // And the default again.
    host.stack.setAddressPolicy(null);
    expect(order(host, ['10.1.2.3', '::1'])).toEqual(['::1', '10.1.2.3']);
  });

  test('RFC 6724 §2.1: sources are chosen anew when labels change', () => {
    const host = hostWith(['2001:db8:1::2/64', '3000::2/64']);
    const to = ip('2001:db8:1:1::1');
    expect(host.stack.routeTo(to)?.source.toString()).toBe('2001:db8:1::2');
    host.stack.setAddressPolicy([
      { prefix: '::/0', precedence: 1, label: 1 },
      { prefix: '2001:db8:1:1::/64', precedence: 1, label: 7 },
      { prefix: '3000::/16', precedence: 1, label: 7 },
    ]);
    expect(host.stack.routeTo(to)?.source.toString()).toBe('3000::2');
  });

  test('RFC 6724 §2.1: IPv4 prefixes are v4-mapped ones, and the longest counts', () => {
    const host = hostWith(['10.1.2.4/24']);
    host.stack.setAddressPolicy([
      { prefix: '192.0.2.0/24', precedence: 9, label: 1 },
      { prefix: '::/0', precedence: 5, label: 1 },
      { prefix: '192.0.2.7/32', precedence: 1, label: 1 },
    ]);
    expect(order(host, ['192.0.2.7', '10.9.9.9', '192.0.2.1'])).toEqual([
      '192.0.2.1',
      '10.9.9.9',
      '192.0.2.7',
    ]);
  });

  test.each([
    [[{ prefix: 'nonsense', precedence: 1, label: 1 }]],
    [[{ prefix: '::/129', precedence: 1, label: 1 }]],
    [[{ prefix: '::/0', precedence: -1, label: 1 }]],
    [[{ prefix: '::/0', precedence: 1, label: 0.5 }]],
    [[{ prefix: '::/0', precedence: 65536, label: 1 }]],
    [
      [
        { prefix: '10.0.0.0/8', precedence: 1, label: 1 },
        { prefix: '::ffff:10.0.0.0/104', precedence: 2, label: 1 },
      ],
    ],
    [Array.from({ length: 257 }, (_, i) => ({ prefix: `${i.toString(16)}::/16`, precedence: 1, label: 1 }))],
  ])('a table that is none changes nothing %#', (rows) => {
    const { stack } = hostWith([]);
    const before = stack.addressPolicy;
    expect(() => stack.setAddressPolicy(rows)).toThrow(RangeError);
    expect(stack.addressPolicy).toBe(before);
    expect(before).toHaveLength(9);
  });
});

test('RFC 6724 §3.1: scopes that can be compared, of groups and of single addresses', () => {
  const texts = ['ff01::1', 'ff02::1', 'fe80::1', '::1', '169.254.1.1', '127.0.0.1', 'fec0::1', 'ff05::1'];
  expect(texts.map((text) => scopeOf(ip(text)))).toEqual([1, 2, 2, 2, 2, 2, 5, 5]);
  // RFC 6724 §3.2: private IPv4 addresses are global; so are unique local ones.
  expect(['10.0.0.1', '::ffff:192.168.0.1', 'fd00::1', 'ff0e::1'].map((text) => scopeOf(ip(text)))).toEqual([
    14, 14, 14, 14,
  ]);
});

test('RFC 6724 §2.2: how many leading bits two addresses have in common', () => {
  const length = (a: string, b: string): number => commonPrefixLength(ip(a), ip(b));
  expect(length('2001:db8::1', '2001:db8::1')).toBe(128);
  expect(length('2001:db8::', '2001:db8:8000::')).toBe(32);
  expect(length('8000::', '::')).toBe(0);
  expect(length('::1:0:0:1', '::1:0:1:1')).toBe(111);
  expect(length('10.0.0.0', '10.0.0.1')).toBe(127);
  expect(commonPrefixLength(IpAddress.anyV6, IpAddress.loopbackV6)).toBe(127);
});
