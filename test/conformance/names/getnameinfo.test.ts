import { expect, test } from '@jest/globals';
import {
  AF_INET6,
  EAI_BADFLAGS,
  EAI_FAMILY,
  EAI_NONAME,
  NI_DGRAM,
  NI_MAXHOST,
  NI_MAXSERV,
  NI_NAMEREQD,
  NI_NOFQDN,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  WSAEFAULT,
  WSANOTINITIALISED,
} from '../../../src/abi/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';
import { name, overEveryAttachment } from '../support.ts';

const ERROR_INSUFFICIENT_BUFFER = 122;

/** `host service` of a sockaddr, or minus a WSA code. */
async function names(
  ws: Winsock,
  sa: Uint8Array | null,
  flags = 0,
  hostlen = NI_MAXHOST,
  servlen = NI_MAXSERV,
): Promise<string | number> {
  const host = { value: '' };
  const serv = { value: '' };
  const answer = await ws.getnameinfo(sa, sa?.length ?? 0, host, hostlen, serv, servlen, flags);
  return answer < 0 ? answer : `${host.value} ${serv.value}`.trim();
}

overEveryAttachment('getnameinfo', (pair) => {
  test.each([
    ['10.0.0.7', 80, 0, 'printer.example.test http'],
    ['10.0.0.7', 80, NI_NOFQDN, 'printer http'],
    ['10.0.0.7', 80, NI_NUMERICHOST, '10.0.0.7 http'],
    ['10.0.0.7', 80, NI_NUMERICSERV, 'printer.example.test 80'],
    ['10.0.0.7', 69, 0, 'printer.example.test 69'],
    ['10.0.0.7', 69, NI_DGRAM, 'printer.example.test tftp'],
    ['10.0.0.7', 64_999, 0, 'printer.example.test 64999'],
    ['10.0.0.7', 80, NI_NAMEREQD, 'printer.example.test http'],
    ['2001:db8::7', 443, 0, 'printer.example.test https'],
    ['fe80::1%3', 80, NI_NUMERICHOST, 'fe80::1%3 http'],
    ['192.0.2.200', 80, 0, '192.0.2.200 http'],
  ])('API-getnameinfo, SEM-GAI-09 %s port %d with flags %d', async (address, port, flags, found) => {
    const { a: ws } = await pair();
    expect(await names(ws, name(address, port), flags)).toBe(found);
  });

  test('SEM-GAI-09 an address without a name is an error with NI_NAMEREQD only', async () => {
    const { a: ws } = await pair();
    expect(await names(ws, name('192.0.2.200', 80), NI_NAMEREQD)).toBe(-EAI_NONAME);
  });

  test('API-getnameinfo only what there is a buffer for', async () => {
    const { a: ws } = await pair();
    const sa = name('10.0.0.7', 80);
    expect(await names(ws, sa, 0, 0)).toBe('http');
    expect(await names(ws, sa, 0, NI_MAXHOST, 0)).toBe('printer.example.test');
    expect(await names(ws, sa, 0, 0, 0)).toBe(-EAI_NONAME);
    expect(await ws.getnameinfo(sa, 16, null, 64, null, 64, 0)).toBe(-EAI_NONAME);
  });

  test.each([
    [20, 32, 0],
    [21, 5, 0],
    [8, 32, NI_NUMERICHOST],
  ])('API-getnameinfo room for %d and %d characters is too little', async (hostlen, servlen, flags) => {
    const { a: ws } = await pair();
    const sa = name('10.0.0.7', 443);
    expect(await names(ws, sa, flags, hostlen, servlen)).toBe(-ERROR_INSUFFICIENT_BUFFER);
    expect(await names(ws, sa, flags, 21, 6)).toMatch(/ https$/);
  });

  test('API-getnameinfo the arguments in their order', async () => {
    const { a: ws, processOn } = await pair();
    const sa = name('10.0.0.7', 80);
    expect(await names(await processOn('a'), sa)).toBe(-WSANOTINITIALISED);
    expect(await names(ws, null)).toBe(-WSAEFAULT);
    expect(await names(ws, Uint8Array.of(2))).toBe(-WSAEFAULT);
    expect(await ws.getnameinfo(sa, 17, { value: '' }, 64, null, 0, 0)).toBe(-WSAEFAULT);
    // Of what family it is comes before how long it has to be.
    expect(await names(ws, Uint8Array.of(99, 0))).toBe(-EAI_FAMILY);
    expect(await names(ws, sa.subarray(0, 15))).toBe(-WSAEFAULT);
    expect(await names(ws, Uint8Array.of(AF_INET6, 0, 0, 80))).toBe(-WSAEFAULT);
    expect(await names(ws, sa, 0x20)).toBe(-EAI_BADFLAGS);
    expect(await names(ws, sa, NI_NUMERICHOST | NI_NAMEREQD)).toBe(-EAI_BADFLAGS);
    expect(await names(ws, sa, 0x20, 0, 0)).toBe(-EAI_NONAME);
  });

  test('API-GetNameInfoW is the same', async () => {
    const { a: ws } = await pair();
    const host = { value: '' };
    expect(await ws.GetNameInfoW(name('10.0.0.7', 80), 16, host, 64, null, 0, NI_NOFQDN)).toBe(0);
    expect(host.value).toBe('printer');
  });
});
