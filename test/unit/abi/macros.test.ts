import { describe, expect, test } from '@jest/globals';
import {
  FD_SET,
  FD_ZERO,
  formatSockaddr,
  HIBYTE,
  HIWORD,
  IN_CLASSA,
  IN_CLASSB,
  IN_CLASSC,
  IN_CLASSD,
  IN_MULTICAST,
  LOBYTE,
  LOWORD,
  MAKELONG,
  sockaddrOf,
} from '../../../src/abi/index.ts';
import { MAKEWORD } from '../../../src/winsock/index.ts';

test('parts of words and back', () => {
  const version = MAKEWORD(2, 1);
  expect([LOBYTE(version), HIBYTE(version)]).toEqual([2, 1]);
  expect([LOWORD(0xfedc_ba98), HIWORD(0xfedc_ba98)]).toEqual([0xba98, 0xfedc]);
  expect(MAKELONG(0xba98, 0xfedc)).toBe(0xfedc_ba98);
});

test.each([
  [0x0a00_0001, [true, false, false, false]],
  [0xac10_0001, [false, true, false, false]],
  [0xc0a8_0001, [false, false, true, false]],
  [0xe000_0001, [false, false, false, true]],
  [0xf000_0001, [false, false, false, false]],
])('the class of %i', (address, classes) => {
  expect([IN_CLASSA, IN_CLASSB, IN_CLASSC, IN_CLASSD].map((is) => is(address))).toEqual(classes);
  expect(IN_MULTICAST(address)).toBe(classes[3]);
});

describe('sockaddrOf', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1:80', 16],
    ['2001:db8::1', '[2001:db8::1]:80', 28],
    ['fe80::1%7', '[fe80::1%7]:80', 28],
  ])('takes %s', (text, written, length) => {
    const bytes = sockaddrOf(text, 80);
    expect([formatSockaddr(bytes), bytes.length]).toEqual([written, length]);
  });

  test('says what is no address', () => {
    expect(() => sockaddrOf('www.example.com', 80)).toThrow(TypeError);
  });
});

test('FD_ZERO empties the set of a program, or makes one', () => {
  const set = FD_ZERO();
  FD_SET(4, set);
  FD_SET(8, set);
  expect(FD_ZERO(set)).toBe(set);
  expect(set.fd_array).toEqual([]);
  expect(FD_ZERO(null as never)).toEqual({ fd_array: [] });
});
