/** Byte order: the functions that need no WSAStartup, and those that ask a socket's protocol. */

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WSAEFAULT, WSAENOTSOCK, WSANOTINITIALISED } from '../../src/abi/index.ts';
import {
  htond,
  htonf,
  htonl,
  htonll,
  htons,
  ntohd,
  ntohf,
  ntohl,
  ntohll,
  ntohs,
} from '../../src/winsock/index.ts';
import { ok, overEveryAttachment, tcp } from './support.ts';

test('API-htonl, API-ntohl, API-htons, API-ntohs turn the bytes round, and are unsigned', () => {
  expect([htonl(0x01020304), ntohl(0x01020304)]).toEqual([0x04030201, 0x04030201]);
  expect([htonl(0x7f), htonl(-1), ntohl(0x80)]).toEqual([0x7f000000, 0xffff_ffff, 0x8000_0000]);
  expect([htons(0x0102), ntohs(0x50), htons(0x1_0050)]).toEqual([0x0201, 0x5000, 0x5000]);
});

test('API-htonll, API-ntohll do so with 64 bits', () => {
  expect([htonll(0x0102030405060708n), ntohll(1n), htonll(-1n)]).toEqual([
    0x0807060504030201n,
    0x0100000000000000n,
    0xffff_ffff_ffff_ffffn,
  ]);
});

test('API-htonf, API-ntohf, API-htond, API-ntohd carry floats as their bits', () => {
  // 1.0 is 3f800000, or 3ff0000000000000.
  expect([htonf(1), htond(1)]).toEqual([0x0000803f, 0xf03fn]);
  fc.assert(
    fc.property(fc.double({ noNaN: true }), (value) => {
      expect(ntohd(htond(value))).toBe(value);
      expect(ntohf(htonf(value))).toBe(Math.fround(value));
    }),
  );
});

overEveryAttachment('the byte order of a socket', (pair) => {
  test.each([
    ['API-WSAHtonl', 'WSAHtonl', 0x01020304, 0x04030201],
    ['API-WSANtohl', 'WSANtohl', 0x01020304, 0x04030201],
    ['API-WSAHtons', 'WSAHtons', 0x0102, 0x0201],
    ['API-WSANtohs', 'WSANtohs', 0x0102, 0x0201],
  ] as const)(
    '%s writes the number as the protocol wants it; a missing place is WSAEFAULT after the handle',
    async (_id, call, value, expected) => {
      const { a, processOn } = await pair();
      const s = await tcp(a);
      const into = { value: 0 };
      await ok(a[call](s, value, into));
      expect(into.value).toBe(expected);
      expect(await a[call](s, value, null)).toBe(-WSAEFAULT);
      expect(await a[call](4, value, null)).toBe(-WSAENOTSOCK);
      expect(await (await processOn('a'))[call](s, value, into)).toBe(-WSANOTINITIALISED);
    },
  );
});
