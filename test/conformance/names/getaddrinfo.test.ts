import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  AF_IRDA,
  AI_ADDRCONFIG,
  AI_ALL,
  AI_CANONNAME,
  AI_DISABLE_IDN_ENCODING,
  AI_DNS_ONLY,
  AI_FILESERVER,
  AI_FQDN,
  AI_NON_AUTHORITATIVE,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  AI_RETURN_PREFERRED_NAMES,
  AI_SECURE,
  AI_V4MAPPED,
  type addrinfo,
  EAI_AGAIN,
  EAI_BADFLAGS,
  EAI_FAIL,
  EAI_FAMILY,
  EAI_NONAME,
  EAI_SERVICE,
  EAI_SOCKTYPE,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  noHints,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_STREAM,
  WSAEFAULT,
  WSANO_DATA,
  WSANO_RECOVERY,
  WSANOTINITIALISED,
} from '../../../src/abi/index.ts';
import type { Ref } from '../../../src/spi/index.ts';
import { freeaddrinfo, gai_strerror, type Winsock } from '../../../src/winsock/index.ts';
import { overEveryAttachment } from '../support.ts';
import { a, addressesOf, hints, leadsTo, nameServer, zoneOf } from './support.ts';

/** The first result, whole. */
async function firstOf(
  ws: Winsock,
  node: string | null,
  service: string | null,
  wanted: Partial<addrinfo>,
): Promise<addrinfo | number> {
  const res: Ref<addrinfo | null> = { value: null };
  const answer = await ws.getaddrinfo(node, service, hints(wanted), res);
  return res.value ?? answer;
}

overEveryAttachment('getaddrinfo', (pair) => {
  test('SEM-VER-17, SEM-C-01 it needs WSAStartup', async () => {
    const ws = await (await pair()).processOn('a');
    expect(await ws.getaddrinfo('127.0.0.1', null, null, { value: null })).toBe(-WSANOTINITIALISED);
  });

  test('API-getaddrinfo a place for the result is needed', async () => {
    const { a: ws } = await pair();
    expect(await ws.getaddrinfo('127.0.0.1', null, null, null)).toBe(-WSAEFAULT);
  });

  test('SEM-GAI-01 without both names there is none', async () => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, null, null)).toBe(-EAI_NONAME);
    // Before the hints are looked at.
    expect(await addressesOf(ws, null, null, { ai_family: 99 })).toBe(-EAI_NONAME);
  });

  test.each([
    ['SEM-GAI-02 a flag that there is not', { ai_flags: 0x4000_0000 }, EAI_BADFLAGS],
    ['SEM-GAI-02 ai_addrlen', { ai_addrlen: 4 }, EAI_FAIL],
    ['SEM-GAI-02 ai_canonname', { ai_canonname: '' }, EAI_FAIL],
    ['SEM-GAI-02 ai_addr', { ai_addr: new Uint8Array(16) }, EAI_FAIL],
    ['SEM-GAI-02 ai_next', { ai_next: noHints() }, EAI_FAIL],
    ['SEM-GAI-02 the other members before the flags', { ai_next: noHints(), ai_flags: -1 }, EAI_FAIL],
    ['SEM-GAI-02 the flags before the family', { ai_flags: 0x200, ai_family: 99 }, EAI_BADFLAGS],
    ['SEM-GAI-02, SEM-GAI-08 AI_FQDN with AI_CANONNAME', { ai_flags: AI_FQDN | AI_CANONNAME }, EAI_BADFLAGS],
    ['SEM-GAI-03 an unknown family', { ai_family: 0xdead }, EAI_FAMILY],
    ['SEM-GAI-03 a family without names', { ai_family: AF_IRDA }, EAI_FAMILY],
    ['SEM-GAI-03 the family before the type', { ai_family: 1, ai_socktype: 77 }, EAI_FAMILY],
    ['SEM-GAI-03 an unknown socket type', { ai_socktype: 77 }, EAI_SOCKTYPE],
  ] as const)('%s', async (_title, wanted, error) => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, '127.0.0.1', '80', wanted)).toBe(-error);
  });

  test.each([
    ['http', SOCK_DGRAM],
    ['tftp', SOCK_STREAM],
    ['http', SOCK_RAW],
    ['no-such-service', 0],
    ['65536', 0],
  ])('SEM-GAI-03 the service %s of type %d is WSATYPE_NOT_FOUND', async (service, ai_socktype) => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, '127.0.0.1', service, { ai_socktype })).toBe(-EAI_SERVICE);
  });

  test.each([
    ['http', 0, '127.0.0.1:80'],
    ['HTTP', SOCK_STREAM, '127.0.0.1:80'],
    ['www', SOCK_STREAM, '127.0.0.1:80'],
    ['tftp', 0, '127.0.0.1:69'],
    ['ntp', SOCK_DGRAM, '127.0.0.1:123'],
    ['8080', SOCK_RAW, '127.0.0.1:8080'],
    ['', 0, '127.0.0.1'],
    ['0', 0, '127.0.0.1'],
  ])('API-getaddrinfo the service %j of type %d is at %s', async (service, ai_socktype, found) => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, '127.0.0.1', service, { ai_socktype })).toEqual([found]);
  });

  test('SEM-GAI-08 AI_NUMERICSERV takes numbers only', async () => {
    const { a: ws } = await pair();
    const wanted = { ai_flags: AI_NUMERICSERV };
    expect(await addressesOf(ws, '127.0.0.1', 'http', wanted)).toBe(-EAI_NONAME);
    expect(await addressesOf(ws, '127.0.0.1', '80', wanted)).toEqual(['127.0.0.1:80']);
  });

  test('SEM-GAI-04 AI_NUMERICHOST with a name is WSAHOST_NOT_FOUND, and nobody is asked', async () => {
    const { a: ws, b } = await pair();
    const asked = await nameServer(b, () => null);
    expect(await addressesOf(ws, 'www.example.test', null, { ai_flags: AI_NUMERICHOST })).toBe(-EAI_NONAME);
    expect(await addressesOf(ws, '10.0.0.9', null, { ai_flags: AI_NUMERICHOST })).toEqual(['10.0.0.9']);
    expect(asked).toEqual([]);
  });

  test('SEM-GAI-04 AI_CANONNAME without a node is WSAEINVAL; of a number it is the number', async () => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, null, '80', { ai_flags: AI_CANONNAME })).toBe(-EAI_BADFLAGS);
    expect(await addressesOf(ws, null, '80', { ai_flags: AI_FQDN })).toBe(-EAI_BADFLAGS);
    expect(await firstOf(ws, '10.1', null, { ai_flags: AI_CANONNAME })).toMatchObject({
      ai_canonname: '10.1',
    });
    expect(await firstOf(ws, '10.1', null, {})).toMatchObject({ ai_canonname: null });
  });

  test.each([
    ['10.0.0.9', ['10.0.0.9']],
    ['127.1', ['127.0.0.1']],
    ['0x7f000001', ['127.0.0.1']],
    ['010.0.0.1', ['8.0.0.1']],
    ['2001:db8::1', ['2001:db8::1']],
    ['fe80::1%3', ['fe80::1%3']],
  ])('API-getaddrinfo %s is a numeric address', async (node, found) => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, node)).toEqual(found);
  });

  test('API-getaddrinfo a numeric address of the other family is WSAHOST_NOT_FOUND', async () => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, '10.0.0.9', null, { ai_family: AF_INET6 })).toBe(-EAI_NONAME);
    expect(await addressesOf(ws, '::1', null, { ai_family: AF_INET })).toBe(-EAI_NONAME);
  });

  test.each([
    ['loopback', 0, 0, ['[::1]', '127.0.0.1']],
    ['loopback of IPv4', AF_INET, 0, ['127.0.0.1']],
    ['any', 0, AI_PASSIVE, ['[::]', '0.0.0.0']],
    ['any of IPv6', AF_INET6, AI_PASSIVE, ['[::]']],
  ])('SEM-GAI-05 no node: %s', async (_title, ai_family, ai_flags, found) => {
    const { a: ws } = await pair();
    const expected = found.map((address) => `${address.replace(/[[\]]/g, '')}:80`);
    expect(await addressesOf(ws, null, '80', { ai_family, ai_flags })).toEqual(expected);
  });

  test.each([
    ['', 0, ['10.0.0.1']],
    ['..localmachine', 0, ['10.0.0.1']],
    ['alpha', 0, ['10.0.0.1']],
    ['ALPHA', AI_PASSIVE, ['10.0.0.1']],
    ['localhost', AI_PASSIVE, ['127.0.0.1']],
  ])('SEM-GAI-05 the node %j is this host', async (node, ai_flags, found) => {
    const { a: ws } = await pair();
    expect(await addressesOf(ws, node, null, { ai_family: AF_INET, ai_flags })).toEqual(found);
  });

  test.each([
    [SOCK_STREAM, IPPROTO_TCP],
    [SOCK_STREAM, IPPROTO_UDP],
    [SOCK_STREAM, IPPROTO_IPV6],
    [SOCK_DGRAM, IPPROTO_TCP],
    [0, IPPROTO_UDP],
    [SOCK_RAW, 0],
    [0, 0],
  ])(
    'SEM-GAI-06 type %d and protocol %d come back as they were, once for each address',
    async (type, protocol) => {
      const { a: ws } = await pair();
      const wanted = { ai_socktype: type, ai_protocol: protocol };
      expect(await firstOf(ws, '127.0.0.1', null, wanted)).toMatchObject({
        ai_family: AF_INET,
        ai_socktype: type,
        ai_protocol: protocol,
        ai_next: null,
      });
    },
  );

  test('SEM-GAI-07, SEM-GAI-08 v4-mapped addresses only where there is no IPv6, or with AI_ALL both', async () => {
    const { a: ws } = await pair();
    const mapped = { ai_family: AF_INET6, ai_flags: AI_V4MAPPED };
    const all = { ai_family: AF_INET6, ai_flags: AI_V4MAPPED | AI_ALL };
    expect(await addressesOf(ws, 'only4', null, mapped)).toEqual(['::ffff:192.0.2.9']);
    expect(await addressesOf(ws, 'printer', null, mapped)).toEqual(['2001:db8::7']);
    expect(await addressesOf(ws, 'only4', null, { ai_family: AF_INET6 })).toBe(-WSANO_DATA);
    expect(await addressesOf(ws, 'only4', null, { ai_family: AF_INET6, ai_flags: AI_ALL })).toBe(-WSANO_DATA);
    expect(((await addressesOf(ws, 'printer', null, all)) as string[]).toSorted()).toEqual([
      '2001:db8::7',
      '::ffff:10.0.0.7',
    ]);
    expect(await addressesOf(ws, '10.0.0.9', null, mapped)).toEqual(['::ffff:10.0.0.9']);
    // In IPv4 it means nothing.
    expect(await addressesOf(ws, 'only4', null, { ai_family: AF_INET, ai_flags: AI_V4MAPPED })).toEqual([
      '192.0.2.9',
    ]);
  });

  test('SEM-GAI-07, SEM-GAI-08 AI_ADDRCONFIG leaves out families that the host has no address of', async () => {
    const { a: ws } = await pair();
    const wanted = { ai_flags: AI_ADDRCONFIG };
    expect(await addressesOf(ws, 'printer', null, wanted)).toEqual(['10.0.0.7']);
    expect(await addressesOf(ws, 'only6', null, wanted)).toBe(-WSANO_DATA);
    expect(await addressesOf(ws, 'only6')).toEqual(['2001:db8::9']);
  });

  test('API-getaddrinfo asks the name server for both families, each with its type', async () => {
    const { a: ws, b } = await pair();
    const asked = await nameServer(b, zoneOf(a('web.test', '10.0.0.50', '2001:db8::50')));
    const found = (await addressesOf(ws, 'web.test', 'https')) as string[];
    expect(found.toSorted()).toEqual(['10.0.0.50:443', '2001:db8::50:443']);
    expect(asked.toSorted()).toEqual(['web.test/1', 'web.test/28']);
  });

  test('SEM-GAI-08 AI_CANONNAME is where the aliases end, AI_FQDN what the short name stood for', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf([leadsTo('web.example.test', 'host7.test'), ...a('host7.test', '10.0.0.57')]));
    const named = (ai_flags: number) => firstOf(ws, 'web', null, { ai_family: AF_INET, ai_flags });
    expect(await named(AI_CANONNAME)).toMatchObject({ ai_canonname: 'host7.test' });
    expect(await named(AI_FQDN)).toMatchObject({ ai_canonname: 'web.example.test' });
    expect(await named(0)).toMatchObject({ ai_canonname: null });
    expect(await firstOf(ws, 'printer', null, { ai_flags: AI_FQDN })).toMatchObject({
      ai_canonname: 'printer.example.test',
    });
  });

  test('SEM-GAI-08 AI_DNS_ONLY passes the hosts file', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf(a('printer.example.test', '10.0.0.70')));
    const wanted = { ai_family: AF_INET };
    expect(await addressesOf(ws, 'printer.example.test', null, wanted)).toEqual(['10.0.0.7']);
    expect(await addressesOf(ws, 'printer.example.test', null, { ...wanted, ai_flags: AI_DNS_ONLY })).toEqual(
      ['10.0.0.70'],
    );
  });

  test('SEM-GAI-08 flags for name spaces that answer otherwise change nothing here', async () => {
    const { a: ws } = await pair();
    for (const ai_flags of [
      AI_NON_AUTHORITATIVE,
      AI_SECURE,
      AI_RETURN_PREFERRED_NAMES,
      AI_FILESERVER,
      AI_DISABLE_IDN_ENCODING,
    ]) {
      expect(await addressesOf(ws, 'only4', null, { ai_flags })).toEqual(['192.0.2.9']);
    }
  });

  test('ERR-WSAHOST_NOT_FOUND, ERR-WSANO_DATA, ERR-WSANO_RECOVERY what the name server says, as codes', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf(a('v4.test', '10.0.0.51')));
    expect(await addressesOf(ws, 'nowhere.test')).toBe(-EAI_NONAME);
    expect(await addressesOf(ws, 'v4.test', null, { ai_family: AF_INET6 })).toBe(-WSANO_DATA);
    expect(await addressesOf(ws, 'no name at all')).toBe(-WSANO_RECOVERY);
  });

  test('API-GetAddrInfoW is the same', async () => {
    const { a: ws } = await pair();
    const res: Ref<addrinfo | null> = { value: null };
    expect(await ws.GetAddrInfoW('only4', 'http', null, res)).toBe(0);
    expect(res.value).toMatchObject({ ai_family: AF_INET, ai_addrlen: 16, ai_next: null });
    expect(await ws.GetAddrInfoW(null, null, null, res)).toBe(-EAI_NONAME);
    expect(res.value).toBeNull();
  });
});

describe('getaddrinfo’s companions', () => {
  test('API-gai_strerror says what an error means', () => {
    expect(gai_strerror(EAI_NONAME)).toMatch(/no host of that name/i);
    expect(gai_strerror(EAI_AGAIN)).toMatch(/now/);
    expect(gai_strerror(4711)).toContain('4711');
  });

  test('API-freeaddrinfo, API-FreeAddrInfoW take any list', () => {
    expect(freeaddrinfo(null)).toBeUndefined();
    expect(freeaddrinfo(noHints())).toBeUndefined();
  });
});
