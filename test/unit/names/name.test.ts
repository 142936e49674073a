import { describe, expect, test } from '@jest/globals';
import {
  addressOfReverse,
  displayName,
  fitsWire,
  foldName,
  isHostName,
  isWithin,
  readTypedName,
  reverseName,
  sameName,
} from '../../../src/names/name.ts';
import { candidateNames } from '../../../src/names/search.ts';
import { ip } from './scripted-network.ts';

describe('names as they are typed', () => {
  test.each([
    ['www.example.com', 'www.example.com', false],
    ['www.example.com.', 'www.example.com', true],
    ['WWW.Example', 'WWW.Example', false],
    ['_ldap._tcp.example', '_ldap._tcp.example', false],
    ['.', '', true],
    ['bücher.example', 'xn--bcher-kva.example', false],
    ['BÜCHER.example。', 'xn--bcher-kva.example', true],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example', false],
    ['straße.example', 'xn--strae-oqa.example', false],
    ['1and1.example', '1and1.example', false],
  ])('RFC 5891 §4 %s is asked for as %s', (text, name, isAbsolute) => {
    expect(readTypedName(text)).toEqual({ name, isAbsolute });
  });

  test.each([
    [''],
    ['..'],
    ['a..b'],
    ['.a'],
    [`${'x'.repeat(64)}.example`],
    [Array.from({ length: 64 }, () => 'abc').join('.')],
    ['a b'],
    ['a\u0000b'],
    ['a\\b'],
    ['xn--a.example'],
    ['xn--.example'],
    ['1.2.3'],
    ['300.1.1.1'],
    ['0x7f.0x1'],
    ['１２７.0.0.1'],
    ['\u202e.example'],
  ])('RFC 1123 §2.1, RFC 5891 §5 %j is no name', (text) => {
    expect(readTypedName(text)).toBeNull();
  });

  test('RFC 6762 §16 names under .local keep their letters where mDNS is asked', () => {
    expect(readTypedName('Büro.local', true)).toEqual({ name: 'Büro.local', isAbsolute: false });
    expect(readTypedName('büro.local')?.name).toBe('xn--bro-hoa.local');
  });

  test('RFC 5890 §2.3.2 people are shown U-labels', () => {
    expect(displayName('xn--bcher-kva.example')).toBe('bücher.example');
    expect(displayName('www.example')).toBe('www.example');
  });
});

describe('comparing', () => {
  test('RFC 4343 §3 only A to Z have another case', () => {
    expect(sameName('WwW.eXample', 'www.Example')).toBe(true);
    expect(foldName('\u212a.example')).not.toBe('k.example');
    expect(sameName('Ü.local', 'ü.local')).toBe(false);
  });

  test('a domain holds itself and what ends in a dot and it', () => {
    expect(isWithin('a.Example', 'example')).toBe(true);
    expect(isWithin('example', 'example')).toBe(true);
    expect(isWithin('notexample', 'example')).toBe(false);
    expect(isWithin('a', '')).toBe(true);
  });

  test('RFC 1035 §2.3.4 63 bytes a label, 253 a name', () => {
    expect(fitsWire('x'.repeat(63))).toBe(true);
    expect(fitsWire('x'.repeat(64))).toBe(false);
    expect(fitsWire(`${'x'.repeat(63)}.`.repeat(3) + 'x'.repeat(61))).toBe(true);
    expect(fitsWire(`${'x'.repeat(63)}.`.repeat(3) + 'x'.repeat(62))).toBe(false);
    expect(fitsWire('ü'.repeat(32))).toBe(false);
  });

  test('RFC 952, RFC 1123 §2.1 what a host may be called', () => {
    expect(isHostName('a-1.example')).toBe(true);
    expect(isHostName('my_pc')).toBe(true);
    for (const text of ['-a', 'a-', 'a b', '<script>', '', 'a..b']) expect(isHostName(text)).toBe(false);
  });
});

describe('reverse names', () => {
  test.each([
    ['192.0.2.1', '1.2.0.192.in-addr.arpa'],
    ['2001:db8::1', '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'],
  ])('RFC 1035 §3.5, RFC 3596 §2.5 %s is %s and back', (address, name) => {
    expect(reverseName(ip(address))).toBe(name);
    expect(addressOfReverse(name.toUpperCase())?.toString()).toBe(address);
  });

  test.each([
    '2.0.192.in-addr.arpa',
    'x.2.0.192.in-addr.arpa',
    '01.2.0.192.in-addr.arpa',
    '1.ip6.arpa',
    'example',
  ])('%s is the reverse of no address', (name) => {
    expect(addressOfReverse(name)).toBeNull();
  });
});

describe('RFC 1123 §6.1.4.3 the search list, as Windows has it', () => {
  const options = { searchList: ['corp.example', 'example'], appendsToMultiLabel: false };
  const names = (text: string, more = {}): string[] => {
    const typed = readTypedName(text);
    return typed === null ? [] : candidateNames(typed, { ...options, ...more });
  };

  test('one label is tried with each suffix in turn, and never bare', () => {
    expect(names('www')).toEqual(['www.corp.example', 'www.example']);
  });

  test('one label without suffixes is tried as it is', () => {
    expect(names('www', { searchList: [] })).toEqual(['www']);
  });

  test('several labels are a whole name', () => {
    expect(names('www.sub')).toEqual(['www.sub']);
    expect(names('www.sub', { appendsToMultiLabel: true })).toEqual([
      'www.sub',
      'www.sub.corp.example',
      'www.sub.example',
    ]);
  });

  test('a trailing dot ends it', () => {
    expect(names('www.')).toEqual(['www']);
    expect(names('www.sub.', { appendsToMultiLabel: true })).toEqual(['www.sub']);
  });

  test('a suffix that makes the name too long is left out', () => {
    expect(names('www', { searchList: [`${'x.'.repeat(125)}x`, 'example'] })).toEqual(['www.example']);
  });
});
