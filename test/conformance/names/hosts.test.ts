import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  AF_IRDA,
  type hostent,
  LUP_RETURN_BLOB,
  LUP_RETURN_NAME,
  type protoent,
  querySet,
  readHostent,
  readServent,
  SVCID_HOSTNAME,
  SVCID_INET_HOSTADDRBYNAME,
  SVCID_INET_SERVICEBYNAME,
  type servent,
  WSAEACCES,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAHOST_NOT_FOUND,
  WSANO_DATA,
  WSANO_RECOVERY,
  WSANOTINITIALISED,
  WSATRY_AGAIN,
} from '../../../src/abi/index.ts';
import type { Ref } from '../../../src/spi/index.ts';
import { createWinsock, htons, MAKEWORD, type Winsock } from '../../../src/winsock/index.ts';
import { FakePort } from '../../unit/spi/fake-port.ts';
import { overEveryAttachment, wsadata } from '../support.ts';
import { a, leadsTo, nameServer, zoneOf } from './support.ts';

/** gethostbyname's answer, or minus a WSA code. */
async function host(ws: Winsock, name: string | null): Promise<hostent | number> {
  const result: Ref<hostent | null> = { value: null };
  const answer = await ws.gethostbyname(name, result);
  return result.value ?? answer;
}

async function hostAt(ws: Winsock, address: readonly number[], len = address.length, type = AF_INET) {
  const result: Ref<hostent | null> = { value: null };
  const answer = await ws.gethostbyaddr(Uint8Array.from(address), len, type, result);
  return result.value ?? answer;
}

async function service(ws: Winsock, name: string | number, proto: string | null): Promise<servent | number> {
  const result: Ref<servent | null> = { value: null };
  const answer =
    typeof name === 'number'
      ? await ws.getservbyport(htons(name), proto, result)
      : await ws.getservbyname(name, proto, result);
  return result.value ?? answer;
}

async function protocol(ws: Winsock, name: string | number): Promise<protoent | number> {
  const result: Ref<protoent | null> = { value: null };
  const answer =
    typeof name === 'number'
      ? await ws.getprotobynumber(name, result)
      : await ws.getprotobyname(name, result);
  return result.value ?? answer;
}

/** One result of a lookup by class. */
async function looked(ws: Winsock, classId: string, name: string | null, flags: number) {
  const handle: Ref = { value: 0 };
  const set = querySet({ lpServiceClassId: classId, lpszServiceInstanceName: name });
  expect(await ws.WSALookupServiceBegin(set, flags, handle)).toBe(0);
  const result = querySet();
  expect(await ws.WSALookupServiceNext(handle.value, 0, { value: 4096 }, result)).toBe(0);
  expect(await ws.WSALookupServiceEnd(handle.value)).toBe(0);
  return result;
}

overEveryAttachment('hosts', (pair) => {
  test('WM-01 sethostname of Windows Mobile calls the host something else, for all its applications', async () => {
    const { a: desktop, processOn } = await pair();
    const mobile = async (uid: number): Promise<Winsock> => {
      const ws = await processOn('a', uid, 'windows-mobile');
      await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
      return ws;
    };
    const [ws, stranger] = [await mobile(0), await mobile(1000)];
    expect(await desktop.sethostname('pocket', 6)).toBe(-WSAEOPNOTSUPP);
    expect(await stranger.sethostname('pocket', 6)).toBe(-WSAEACCES);
    for (const name of ['', 'a b', '-', 'x'.repeat(64)])
      expect(await ws.sethostname(name, name.length)).toBe(-WSAEINVAL);
    expect(await ws.sethostname(null, 0)).toBe(-WSAEFAULT);
    for (const length of [-1, 8]) expect(await ws.sethostname('pocket', length)).toBe(-WSAEFAULT);
    const own = { value: '' };
    try {
      expect(await ws.sethostname('pocket', 7)).toBe(0);
      expect(await desktop.gethostname(own, 256)).toBe(0);
      expect(own.value).toBe('pocket');
      expect(await host(stranger, 'pocket')).toMatchObject({ h_addr_list: [Uint8Array.of(10, 0, 0, 1)] });
    } finally {
      expect(await ws.sethostname('alphabet', 5)).toBe(0);
    }
    expect(await desktop.gethostname(own, 256)).toBe(0);
    expect(own.value).toBe('alpha');
  });

  test('SEM-VER-17 none of these works before WSAStartup', async () => {
    const ws = await (await pair()).processOn('a');
    const text = { value: '' };
    for (const answer of [
      ws.gethostname(text, 256),
      ws.GetHostNameW(text, 256),
      ws.gethostbyname('localhost', { value: null }),
      ws.gethostbyaddr(new Uint8Array(4), 4, AF_INET, { value: null }),
      ws.getservbyname('http', null, { value: null }),
      ws.getservbyport(80, null, { value: null }),
      ws.getprotobyname('tcp', { value: null }),
      ws.getprotobynumber(6, { value: null }),
    ])
      expect(await answer).toBe(-WSANOTINITIALISED);
  });

  test('API-gethostname, API-GetHostNameW the name, with its closing zero', async () => {
    const { a: ws, b } = await pair();
    const name: Ref<string> = { value: '' };
    expect(await ws.gethostname(name, 6)).toBe(0);
    expect(name.value).toBe('alpha');
    expect(await b.GetHostNameW(name, 256)).toBe(0);
    expect(name.value).toBe('beta');
    for (const room of [5, 1, 0, -1]) expect(await ws.gethostname(name, room)).toBe(-WSAEFAULT);
    expect(await ws.gethostname(null, 256)).toBe(-WSAEFAULT);
    expect(await ws.GetHostNameW(null, 256)).toBe(-WSAEFAULT);
    expect(await host(ws, 'alpha')).toMatchObject({ h_name: 'alpha', h_addrtype: AF_INET });
  });

  test.each([[null], ['']])('API-gethostbyname of %j is this host with its IPv4 addresses', async (name) => {
    const { a: ws } = await pair();
    expect(await host(ws, name)).toEqual({
      h_name: 'alpha',
      h_aliases: [],
      h_addrtype: AF_INET,
      h_length: 4,
      h_addr_list: [Uint8Array.of(10, 0, 0, 1)],
    });
  });

  test.each([
    ['10.0.0.9', [10, 0, 0, 9]],
    ['127.1', [127, 0, 0, 1]],
    ['0x0a.1', [10, 0, 0, 1]],
  ])('API-gethostbyname %s is taken as it is and echoed', async (name, bytes) => {
    const { a: ws } = await pair();
    expect(await host(ws, name)).toMatchObject({ h_name: name, h_addr_list: [Uint8Array.from(bytes)] });
  });

  test('API-gethostbyname IPv4 alone, of the hosts file and the name server, with aliases', async () => {
    const { a: ws, b } = await pair();
    const asked = await nameServer(
      b,
      zoneOf([leadsTo('www.test', 'web7.test'), ...a('web7.test', '10.0.0.57', '10.0.0.58', '2001:db8::57')]),
    );
    expect(await host(ws, 'printer')).toMatchObject({ h_addr_list: [Uint8Array.of(10, 0, 0, 7)] });
    expect(await host(ws, 'www.test')).toEqual({
      h_name: 'web7.test',
      h_aliases: ['www.test'],
      h_addrtype: AF_INET,
      h_length: 4,
      h_addr_list: expect.arrayContaining([Uint8Array.of(10, 0, 0, 57), Uint8Array.of(10, 0, 0, 58)]),
    });
    expect(asked.filter((question) => question.endsWith('/28'))).toEqual([]);
  });

  test('API-gethostbyname, ERR-WSAHOST_NOT_FOUND, ERR-WSANO_DATA, ERR-WSANO_RECOVERY its failures', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf(a('v6.test', '2001:db8::5')));
    expect(await host(ws, 'nowhere.test')).toBe(-WSAHOST_NOT_FOUND);
    expect(await host(ws, 'v6.test')).toBe(-WSANO_DATA);
    expect(await host(ws, 'only6')).toBe(-WSANO_DATA);
    expect(await host(ws, 'not a name')).toBe(-WSANO_RECOVERY);
    expect(await host(ws, '2001:db8::5')).toBe(-WSAHOST_NOT_FOUND);
    expect(await ws.gethostbyname('alpha', null)).toBe(-WSAEFAULT);
  });

  test('API-gethostbyname, ERR-WSATRY_AGAIN nobody answers', async () => {
    // The name server's port is closed: refused, not waited for.
    const { a: ws } = await pair();
    expect(await host(ws, 'elsewhere.test')).toBe(-WSATRY_AGAIN);
  });

  test('API-gethostbyaddr the names of an address, by the hosts file and the name server', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf([leadsTo('44.0.0.10.in-addr.arpa', 'fortyfour.test', 12)]));
    expect(await hostAt(ws, [10, 0, 0, 7])).toMatchObject({
      h_name: 'printer.example.test',
      h_addrtype: AF_INET,
      h_length: 4,
      h_addr_list: [Uint8Array.of(10, 0, 0, 7)],
    });
    expect(await hostAt(ws, [10, 0, 0, 44])).toMatchObject({ h_name: 'fortyfour.test' });
    expect(await hostAt(ws, [127, 0, 0, 1])).toMatchObject({ h_name: 'localhost' });
    expect(await hostAt(ws, [10, 0, 0, 45])).toBe(-WSAHOST_NOT_FOUND);
    const v6 = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    expect(await hostAt(ws, v6, 16, AF_INET6)).toMatchObject({
      h_name: 'printer.example.test',
      h_addrtype: AF_INET6,
      h_length: 16,
      h_addr_list: [Uint8Array.from(v6)],
    });
  });

  test.each([
    ['a type without addresses', 4, AF_IRDA, WSAEAFNOSUPPORT],
    ['the type before the length', 3, 0, WSAEAFNOSUPPORT],
    ['a wrong length', 16, AF_INET, WSAEFAULT],
    ['too few bytes', 16, AF_INET6, WSAEFAULT],
  ])('API-gethostbyaddr %s', async (_title, len, type, error) => {
    const { a: ws } = await pair();
    expect(await hostAt(ws, [10, 0, 0, 7], len, type)).toBe(-error);
  });

  test('API-gethostbyaddr no address is WSAEFAULT', async () => {
    const { a: ws } = await pair();
    expect(await ws.gethostbyaddr(null, 4, AF_INET, { value: null })).toBe(-WSAEFAULT);
    expect(await ws.gethostbyaddr(new Uint8Array(4), 4, AF_INET, null)).toBe(-WSAEFAULT);
  });

  test('NSP-RULE-09, NSP-RULE-10 they are lookups whose blob is the structure, packed', async () => {
    const { a: ws } = await pair();
    const byName = await looked(ws, SVCID_INET_HOSTADDRBYNAME, 'only4', LUP_RETURN_BLOB);
    expect(readHostent(byName.lpBlob ?? new Uint8Array(0))).toEqual(await host(ws, 'only4'));
    const byService = await looked(ws, SVCID_INET_SERVICEBYNAME, 'http/tcp', LUP_RETURN_BLOB);
    expect(readServent(byService.lpBlob ?? new Uint8Array(0))).toEqual(await service(ws, 'http', 'tcp'));
    const own = await looked(ws, SVCID_HOSTNAME, null, LUP_RETURN_NAME);
    expect(own.lpszServiceInstanceName).toBe('alpha');
  });
});

overEveryAttachment('services and protocols', (pair) => {
  test.each([
    ['http', 'tcp', 80, 'http'],
    ['WWW', 'TCP', 80, 'http'],
    ['domain', 'udp', 53, 'domain'],
    ['domain', null, 53, 'domain'],
    ['tftp', null, 69, 'tftp'],
  ])('API-getservbyname %s/%s is port %d', async (name, proto, port, found) => {
    const { a: ws } = await pair();
    expect(await service(ws, name, proto)).toMatchObject({
      s_name: found,
      s_port: htons(port),
      s_proto: proto?.toLowerCase() ?? expect.stringMatching(/^(tcp|udp)$/),
    });
  });

  test.each([
    [443, 'tcp', 'https'],
    [123, 'udp', 'ntp'],
    [23, null, 'telnet'],
  ])('API-getservbyport %d/%s is %s', async (port, proto, name) => {
    const { a: ws } = await pair();
    expect(await service(ws, port, proto)).toMatchObject({ s_name: name, s_port: htons(port) });
  });

  test('API-getservbyname, API-getservbyport what is nowhere is WSANO_DATA', async () => {
    const { a: ws } = await pair();
    expect(await service(ws, 'no-such-service', null)).toBe(-WSANO_DATA);
    expect(await service(ws, 'http', 'sctp')).toBe(-WSANO_DATA);
    expect(await service(ws, 'tftp', 'tcp')).toBe(-WSANO_DATA);
    expect(await service(ws, 64_999, null)).toBe(-WSANO_DATA);
    expect(await ws.getservbyname(null, null, { value: null })).toBe(-WSAEFAULT);
    expect(await ws.getservbyname('http', null, null)).toBe(-WSAEFAULT);
    expect(await ws.getservbyport(80, null, null)).toBe(-WSAEFAULT);
  });

  test.each([
    ['tcp', 6, 'tcp'],
    ['UDP', 17, 'udp'],
    ['icmp', 1, 'icmp'],
    ['IPv6-ICMP', 58, 'ipv6-icmp'],
    ['ip', 0, 'ip'],
  ])('API-getprotobyname, API-getprotobynumber %s is %d', async (name, number, found) => {
    const { a: ws } = await pair();
    expect(await protocol(ws, name)).toMatchObject({ p_name: found, p_proto: number });
    expect(await protocol(ws, number)).toMatchObject({ p_name: found, p_proto: number });
  });

  test('API-getprotobyname, API-getprotobynumber what is nowhere is WSANO_DATA', async () => {
    const { a: ws } = await pair();
    expect(await protocol(ws, 'none such')).toBe(-WSANO_DATA);
    expect(await protocol(ws, 254)).toBe(-WSANO_DATA);
    expect(await ws.getprotobyname(null, { value: null })).toBe(-WSAEFAULT);
    expect(await ws.getprotobyname('tcp', null)).toBe(-WSAEFAULT);
    expect(await ws.getprotobynumber(6, null)).toBe(-WSAEFAULT);
  });
});

describe('a services file of the user', () => {
  test('API-getservbyname its lines win over the built-in list, and bad ones are skipped', async () => {
    const services = `
      http   8080/tcp  web   # ours
      gopherd 70000/tcp
      nonsense
      chatty 4242/udp,tcp talker`;
    const ws = createWinsock({ port: new FakePort(), services });
    await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    expect(await service(ws, 'http', 'tcp')).toMatchObject({ s_port: htons(8080), s_aliases: ['web'] });
    expect(await service(ws, 'talker', 'tcp')).toMatchObject({ s_name: 'chatty', s_port: htons(4242) });
    expect(await service(ws, 'gopherd', null)).toBe(-WSANO_DATA);
    expect(await service(ws, 'www', 'tcp')).toMatchObject({ s_port: htons(80) });
    await ws.WSACleanup();
  });
});
