import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  AF_INET,
  AF_INET6,
  INADDR_NONE,
  sockaddrOf,
  WSA_INVALID_PARAMETER,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
} from '../../../src/abi/index.ts';
import { formatV4, IpAddress } from '../../../src/base/index.ts';
import type { Ref } from '../../../src/spi/index.ts';
import {
  createWinsock,
  htonl,
  htons,
  inet_addr,
  inet_ntoa,
  inet_ntop,
  inet_pton,
  MAKEWORD,
  ntohl,
  ntohs,
  WinsockError,
} from '../../../src/winsock/index.ts';
import { FakePort } from '../spi/fake-port.ts';

const ws = createWinsock({ port: new FakePort() });
void ws.WSAStartup(MAKEWORD(2, 2), {
  wVersion: 0,
  wHighVersion: 0,
  iMaxSockets: 0,
  iMaxUdpDg: 0,
  szDescription: '',
  szSystemStatus: '',
});

describe('byte order', () => {
  test('host order is little-endian, and results are unsigned', () => {
    expect([htonl(0x01020304), htonl(0x80), ntohl(0xff), htons(0x1234), ntohs(0x00ff)]).toEqual([
      0x04030201, 0x80000000, 0xff000000, 0x3412, 0xff00,
    ]);
  });

  test('there and back is the same number', () => {
    fc.assert(
      fc.property(
        fc.nat(0xffffffff),
        (value) => ntohl(htonl(value)) === value && ntohs(htons(value & 0xffff)) === (value & 0xffff),
      ),
    );
  });
});

describe('inet_addr and inet_ntoa', () => {
  test.each([
    ['1.2.3.4', 0x04030201],
    ['127.1', 0x0100007f],
    ['10.0x10.257', htonl(0x0a100101)],
    ['0x7f000001', 0x0100007f],
    ['017700000001', 0x0100007f],
    ['0', 0],
    [' ', 0],
    ['255.255.255.255', INADDR_NONE],
    ['', INADDR_NONE],
    ['1.2.3.4.5', INADDR_NONE],
    ['1.2.3.256', INADDR_NONE],
    ['256.1', INADDR_NONE],
    ['1.2.65536', INADDR_NONE],
    ['4294967296', INADDR_NONE],
    ['08.1.1.1', INADDR_NONE],
    ['1..2', INADDR_NONE],
    ['0x', INADDR_NONE],
    ['a.b.c.d', INADDR_NONE],
    ['1.2.3.4 ', INADDR_NONE],
  ])('API-inet_addr reads %j', (text, expected) => {
    expect(inet_addr(text)).toBe(expected);
  });

  test('API-inet_ntoa writes what inet_addr read', () => {
    fc.assert(
      fc.property(fc.nat(0xffffffff), (word) => inet_ntoa(inet_addr(formatV4(word))) === formatV4(word)),
    );
  });
});

describe('inet_pton and inet_ntop', () => {
  test.each([
    [AF_INET, '10.0.0.1', 1, [10, 0, 0, 1]],
    [AF_INET, '10.1', 0, [0, 0, 0, 0]],
    [AF_INET, '010.0.0.1', 0, [0, 0, 0, 0]],
    [AF_INET, '::1', 0, [0, 0, 0, 0]],
    [AF_INET6, '::1', 1, [...new Array<number>(15).fill(0), 1]],
    [AF_INET6, '1::2%3', 0, new Array<number>(16).fill(0)],
    [AF_INET6, '10.0.0.1', 0, new Array<number>(16).fill(0)],
  ])('API-inet_pton(%d, %j)', (family, text, result, bytes) => {
    const into = new Uint8Array(bytes.length);
    expect([inet_pton(family, text, into), [...into]]).toEqual([result, bytes]);
  });

  test('API-inet_pton of another family is WSAEAFNOSUPPORT, without memory WSAEFAULT', () => {
    expect(inet_pton(99, '1.2.3.4', new Uint8Array(4))).toBe(-WSAEAFNOSUPPORT);
    expect(inet_pton(AF_INET, null, new Uint8Array(4))).toBe(-WSAEFAULT);
    expect(inet_pton(AF_INET, '1.2.3.4', new Uint8Array(3))).toBe(-WSAEFAULT);
  });

  test('API-inet_ntop needs room for the closing zero', () => {
    const text: Ref<string> = { value: '' };
    expect(inet_ntop(AF_INET, Uint8Array.of(10, 0, 0, 1), text, 8)).toBe(-WSA_INVALID_PARAMETER);
    expect(inet_ntop(AF_INET, Uint8Array.of(10, 0, 0, 1), text, 9)).toBe(0);
    expect(text.value).toBe('10.0.0.1');
    expect(inet_ntop(AF_INET6, new Uint8Array(16), text, 65)).toBe(0);
    expect(text.value).toBe('::');
    expect(inet_ntop(7, new Uint8Array(16), text, 65)).toBe(-WSAEAFNOSUPPORT);
  });
});

describe('WSAAddressToString and WSAStringToAddress', () => {
  const address = sockaddrOf(IpAddress.v4(0x0a000001), 80);

  test('API-WSAAddressToString appends the port unless it is 0, and counts the closing zero', async () => {
    const [text, length] = [{ value: '' }, { value: 100 }];
    expect(await ws.WSAAddressToString(address, 16, null, text, length)).toBe(0);
    expect([text.value, length.value]).toEqual(['10.0.0.1:80', 12]);
    await ws.WSAAddressToString(sockaddrOf(IpAddress.v4(0x0a000001), 0), 16, null, text, length);
    expect([text.value, length.value]).toEqual(['10.0.0.1', 9]);
  });

  test('API-WSAAddressToString in too little room is WSAEFAULT and says what it needs', async () => {
    const [text, length] = [{ value: 'old' }, { value: 11 }];
    expect(await ws.WSAAddressToString(address, 16, null, text, length)).toBe(-WSAEFAULT);
    expect([text.value, length.value]).toEqual(['old', 12]);
  });

  test('API-WSAAddressToString of a short address is WSAEFAULT, of another family WSAEINVAL', async () => {
    const [text, length] = [{ value: '' }, { value: 100 }];
    expect(await ws.WSAAddressToString(address, 15, null, text, length)).toBe(-WSAEFAULT);
    expect(await ws.WSAAddressToString(Uint8Array.of(99, 0), 2, null, text, length)).toBe(-WSAEINVAL);
  });

  test.each([
    ['10.0.0.1', 0],
    ['10.0.0.1:80', 80],
    ['10.1:65535', 65535],
  ])('API-WSAStringToAddress reads %s', async (text, port) => {
    const [bytes, length] = [new Uint8Array(16), { value: 16 }];
    expect(await ws.WSAStringToAddress(text, AF_INET, null, bytes, length)).toBe(0);
    expect([...bytes.subarray(4, 8), length.value]).toEqual([10, 0, 0, 1, 16]);
    expect(((bytes[2] as number) << 8) | (bytes[3] as number)).toBe(port);
  });

  test.each([
    ['2001:db8::1', 0, '2001:db8::1'],
    ['[2001:db8::1]', 0, '2001:db8::1'],
    ['[fe80::1%7]:80', 80, '[fe80::1%7]:80'],
    ['::ffff:10.0.0.1', 0, '::ffff:10.0.0.1'],
  ])(
    'API-WSAStringToAddress reads %s of IPv6, and API-WSAAddressToString writes it',
    async (given, port, shown) => {
      const [bytes, length] = [new Uint8Array(28), { value: 28 }];
      expect(await ws.WSAStringToAddress(given, AF_INET6, null, bytes, length)).toBe(0);
      expect(length.value).toBe(28);
      expect(((bytes[2] as number) << 8) | (bytes[3] as number)).toBe(port);
      const [text, room] = [{ value: '' }, { value: 100 }];
      expect(await ws.WSAAddressToString(bytes, 28, null, text, room)).toBe(0);
      expect(text.value).toBe(shown);
    },
  );

  test.each(['', '10.0.0.1', '[::1]:65536', '[::1', '::1:::', '[::1]:'])(
    'API-WSAStringToAddress of %j is WSAEINVAL for IPv6',
    async (given) => {
      expect(await ws.WSAStringToAddress(given, AF_INET6, null, new Uint8Array(28), { value: 28 })).toBe(
        -WSAEINVAL,
      );
    },
  );

  test.each(['', 'host', '10.0.0.1:65536', '10.0.0.1:', '[::1]:80', '10.0.0.1:80:80'])(
    'API-WSAStringToAddress of %j is WSAEINVAL',
    async (text) => {
      expect(await ws.WSAStringToAddress(text, AF_INET, null, new Uint8Array(16), { value: 16 })).toBe(
        -WSAEINVAL,
      );
    },
  );

  test('API-WSAStringToAddress into too little room is WSAEFAULT and says what it needs', async () => {
    const length: Ref = { value: 15 };
    expect(await ws.WSAStringToAddress('1.2.3.4', AF_INET, null, new Uint8Array(16), length)).toBe(
      -WSAEFAULT,
    );
    expect(length.value).toBe(16);
  });

  test('WSAHtons and its kin use the order of the socket’s protocol', async () => {
    const s = await ws.socket(2, 1, 6);
    const into: Ref = { value: 0 };
    expect(await ws.WSAHtons(s, 80, into)).toBe(0);
    expect(into.value).toBe(0x5000);
    expect(await ws.WSANtohl(s, 0x0100007f, into)).toBe(0);
    expect(into.value).toBe(0x7f000001);
    expect(await ws.WSAHtonl(s, 1, null)).toBe(-WSAEFAULT);
  });
});

test('WinsockError carries code, Microsoft’s name, the call, and what to do', () => {
  const error = new WinsockError('bind', -10048);
  expect([error.code, error.name, error.syscall]).toEqual([10048, 'WSAEADDRINUSE', 'bind']);
  expect(error.message).toMatch(/^bind: .+\. .+\.$/);
});
