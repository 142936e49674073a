import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  formatMac,
  formatV4,
  IpAddress,
  parseMac,
  parsePrefix,
  prefixMask,
} from '../../../src/base/index.ts';

const parse = (text: string): IpAddress => {
  const address = IpAddress.parse(text);
  if (address === null) throw new Error(`not read: ${text}`);
  return address;
};

describe('IPv4 text', () => {
  test.each([
    ['0.0.0.0', 0],
    ['127.0.0.1', 0x7f000001],
    ['10.0.0.1', 0x0a000001],
    ['128.0.0.0', 0x80000000 | 0],
    ['192.168.1.254', 0xc0a801fe | 0],
    ['255.255.255.255', -1],
  ])('%s is one word, and is written back', (text, word) => {
    expect(parse(text)).toMatchObject({ family: 4, w0: 0, w1: 0, w2: 0xffff, w3: word });
    expect(parse(text).toString()).toBe(text);
    expect(formatV4(word)).toBe(text);
  });

  test.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.-4',
    '01.2.3.4',
    '1.2.3.00',
    '0x1.2.3.4',
    ' 1.2.3.4',
    '1.2.3.4 ',
    '1.2.3.4\n',
    '1..3.4',
    '1.2.3.',
    '1.2.3.4/8',
    '१.2.3.4',
    '1e1.2.3.4',
  ])('%p is no address (RFC 6943 §3.1.1: no historical forms)', (text) => {
    expect(IpAddress.parse(text)).toBeNull();
  });

  test('every word is written and read back', () => {
    fc.assert(
      fc.property(fc.integer(), (word) => {
        expect(parse(IpAddress.v4(word).toString()).w3).toBe(word);
      }),
    );
  });

  test('a word given unsigned is kept as a signed integer', () => {
    expect(IpAddress.v4(0xffffffff).w3).toBe(-1);
    expect(IpAddress.v4(0xffffffff).equals(IpAddress.broadcastV4)).toBe(true);
  });
});

describe('RFC 4291 §2.2, RFC 5952 IPv6 text', () => {
  test.each([
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:8:800:200C:417A', '2001:db8::8:800:200c:417a'],
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['fe80::1%3', 'fe80::1%3'],
    ['fe80::1%0', 'fe80::1'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['::ffff:a00:1', '::ffff:10.0.0.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:255.255.255.255', '1:2:3:4:5:6:ffff:ffff'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
  ])('%s is written as %s', (text, canonical) => {
    expect(parse(text).toString()).toBe(canonical);
  });

  test.each([
    ':',
    ':::',
    '1:',
    ':1',
    '::1::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    'g::',
    '1.2.3.4::',
    '::1.2.3',
    '::1.2.3.4:5',
    '::256.1.1.1',
    '1:2:3:4:5:6:7:1.2.3.4',
    'fe80::1%',
    'fe80::1%eth0',
    'fe80::1%1%2',
    '::1/128',
    ' ::1',
    '[::1]',
  ])('%p is no address', (text) => {
    expect(IpAddress.parse(text)).toBeNull();
  });

  test('every address is written and read back, and Node calls the text an IPv6 address', () => {
    const word = fc.oneof(fc.integer(), fc.constantFrom(0, 1, 0xffff, 0x10000, -1));
    fc.assert(
      fc.property(word, word, word, word, (w0, w1, w2, w3) => {
        const address = new IpAddress(6, w0, w1, w2, w3);
        expect(isIPv6(address.toString())).toBe(true);
        expect(parse(address.toString()).equals(address)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('what Node calls an address is one here, and nothing else is (random text of its characters)', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', '::', '.', '10', '255'), maxLength: 14 }),
      fc
        .array(fc.constantFrom('0', '1', 'ab', 'ffff', ''), { minLength: 2, maxLength: 9 })
        .map((parts) => parts.join(':')),
    );
    fc.assert(
      fc.property(text, (text) => {
        expect(IpAddress.parse(text)?.family ?? null).toBe(isIPv4(text) ? 4 : isIPv6(text) ? 6 : null);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('what an address is', () => {
  test.each([
    [
      '0.0.0.0',
      { isAny: true, isLoopback: false, isMulticast: false, isLimitedBroadcast: false, isHost: false },
    ],
    ['0.255.255.255', { isHost: false }],
    ['1.0.0.0', { isHost: true }],
    ['::', { isAny: true, isLoopback: false, isMulticast: false, isLimitedBroadcast: false, isHost: false }],
    ['127.0.0.1', { isAny: false, isLoopback: true, isHost: true }],
    ['127.255.255.254', { isLoopback: true }],
    ['128.0.0.1', { isLoopback: false }],
    ['::1', { isLoopback: true, isAny: false }],
    ['::2', { isLoopback: false }],
    ['223.255.255.255', { isMulticast: false, isHost: true }],
    ['224.0.0.1', { isMulticast: true, isHost: false }],
    ['239.255.255.255', { isMulticast: true }],
    ['240.0.0.1', { isMulticast: false, isHost: false }],
    ['ff02::1', { isMulticast: true, isHost: false }],
    ['fe80::1', { isMulticast: false, isHost: true }],
    ['255.255.255.255', { isLimitedBroadcast: true, isMulticast: false, isHost: false }],
    ['255.255.255.254', { isLimitedBroadcast: false }],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', { isLimitedBroadcast: false, isMulticast: true }],
    ['::ffff:0.0.0.0', { isAny: false }],
    ['::ffff:127.0.0.1', { isLoopback: false, isHost: false }],
  ])('%s', (text, claims) => {
    const address = parse(text);
    for (const [claim, value] of Object.entries(claims)) {
      expect([claim, address[claim as keyof IpAddress]]).toEqual([claim, value]);
    }
  });

  test('the same words of another family or zone are another address', () => {
    expect(parse('10.0.0.1').equals(parse('10.0.0.1'))).toBe(true);
    expect(parse('10.0.0.1').equals(parse('::ffff:10.0.0.1'))).toBe(false);
    expect(parse('fe80::1%1').equals(parse('fe80::1%2'))).toBe(false);
    expect(parse('2001:db8::1').equals(parse('2001:db9::1'))).toBe(false);
    expect(parse('2001:db8::1').equals(parse('2001:db8:0:1::1'))).toBe(false);
    expect(parse('2001:db8::1').equals(parse('2001:db8::1:0:1'))).toBe(false);
  });
});

describe('prefixes', () => {
  test.each([
    [0, 0],
    [1, 0x80000000 | 0],
    [8, 0xff000000 | 0],
    [24, 0xffffff00 | 0],
    [31, -2],
    [32, -1],
  ])('the mask of /%i', (length, mask) => {
    expect(prefixMask(length)).toBe(mask);
  });

  test.each([
    ['10.0.0.1/24', '10.0.0.1', 24],
    ['0.0.0.0/0', '0.0.0.0', 0],
    ['10.0.0.1', '10.0.0.1', 32],
    ['::/0', '::', 0],
    ['2001:db8::/128', '2001:db8::', 128],
    ['::1', '::1', 128],
  ])('%s', (text, address, length) => {
    const prefix = parsePrefix(text);
    expect([prefix?.address.toString(), prefix?.length]).toEqual([address, length]);
  });

  test.each([
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '/24',
    '10.0.0/8',
    '10.0.0.0/1e1',
    '',
  ])('%p is no prefix', (text) => {
    expect(parsePrefix(text)).toBeNull();
  });
});

describe('MAC addresses', () => {
  test('text is read with colons or hyphens, any case, and written with colons in lower case', () => {
    expect(formatMac(parseMac('02:00:5E:10:00:fF') as Uint8Array)).toBe('02:00:5e:10:00:ff');
    expect(formatMac(parseMac('02-00-5E-10-00-0F') as Uint8Array)).toBe('02:00:5e:10:00:0f');
  });

  test('the six bytes at a place are written', () => {
    expect(formatMac(Uint8Array.of(9, 9, 1, 2, 3, 4, 5, 6, 9), 2)).toBe('01:02:03:04:05:06');
  });

  test.each([
    '',
    '02:00:5e:10:00',
    '02:00:5e:10:00:0f:01',
    '2:0:5e:10:0:f',
    '02005e10000f',
    'g2:00:5e:10:00:0f',
  ])('%p is no MAC address', (text) => {
    expect(parseMac(text)).toBeNull();
  });
});
