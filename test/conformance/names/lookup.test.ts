import { expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  LUP_CONTAINERS,
  LUP_DUAL_ADDR,
  LUP_FLUSHPREVIOUS,
  LUP_NOCONTAINERS,
  LUP_RETURN_ADDR,
  LUP_RETURN_ALIASES,
  LUP_RETURN_ALL,
  LUP_RETURN_BLOB,
  LUP_RETURN_COMMENT,
  LUP_RETURN_NAME,
  LUP_RETURN_QUERY_STRING,
  LUP_RETURN_TYPE,
  NLA_SERVICE_CLASS_GUID,
  NS_ALL,
  NS_DNS,
  NS_EMAIL,
  NS_NLA,
  NS_TCPIP_LOCAL,
  packWSAQUERYSET,
  querySet,
  RESULT_IS_ALIAS,
  readSockaddr,
  readWSAQUERYSET,
  SVCID_INET_HOSTADDRBYINETSTRING,
  SVCID_INET_HOSTADDRBYNAME,
  SVCID_TCP,
  SVCID_UDP,
  WSA_E_CANCELLED,
  WSA_E_NO_MORE,
  WSA_INVALID_HANDLE,
  WSAEFAULT,
  WSAEINVAL,
  WSAHOST_NOT_FOUND,
  type WSANAMESPACE_INFO,
  type WSANAMESPACE_INFOEX,
  WSANO_DATA,
  WSANOTINITIALISED,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
} from '../../../src/abi/index.ts';
import type { DnsRecord } from '../../../src/names/message.ts';
import { NLA_NAME_SPACE_ID, type Ref, TCPIP_NAME_SPACE_ID } from '../../../src/spi/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';
import { name, ok, overEveryAttachment, text } from '../support.ts';
import { a, leadsTo, nameServer, zoneOf } from './support.ts';

/** Begins a lookup. @returns its handle, or minus a WSA code */
async function begin(ws: Winsock, members: Partial<WSAQUERYSET>, flags: number): Promise<number> {
  const handle: Ref = { value: 0 };
  const answer = await ws.WSALookupServiceBegin(querySet(members), flags, handle);
  return answer < 0 ? answer : handle.value;
}

/** All results of a question; minus a WSA code when the first Next fails. */
async function results(
  ws: Winsock,
  members: Partial<WSAQUERYSET>,
  flags: number = LUP_RETURN_ALL,
): Promise<WSAQUERYSET[] | number> {
  const handle = await begin(ws, members, flags);
  if (handle < 0) return handle;
  const all: WSAQUERYSET[] = [];
  for (;;) {
    const result = querySet();
    const answer = await ws.WSALookupServiceNext(handle, 0, { value: 65_536 }, result);
    if (answer < 0) {
      await ok(ws.WSALookupServiceEnd(handle));
      return all.length === 0 ? answer : (expect(answer).toBe(-WSA_E_NO_MORE), all);
    }
    all.push(result);
  }
}

/** Where the results say that something is. */
function places(found: WSAQUERYSET[] | number): string[] {
  return (typeof found === 'number' ? [] : found).flatMap(({ lpcsaBuffer }) =>
    (lpcsaBuffer ?? []).map(({ RemoteAddr, iProtocol }) => {
      const end = readSockaddr(RemoteAddr ?? new Uint8Array(0));
      return `${end?.address} ${end?.port} ${iProtocol}`;
    }),
  );
}

const HOST = SVCID_INET_HOSTADDRBYNAME;

overEveryAttachment('WSALookupService', (pair) => {
  test('SEM-VER-17 it needs WSAStartup', async () => {
    const ws = await (await pair()).processOn('a');
    const set = querySet({ lpServiceClassId: HOST });
    expect(await ws.WSALookupServiceBegin(set, 0, { value: 0 })).toBe(-WSANOTINITIALISED);
    expect(await ws.WSALookupServiceNext(4, 0, { value: 0 }, set)).toBe(-WSANOTINITIALISED);
    expect(await ws.WSALookupServiceEnd(4)).toBe(-WSANOTINITIALISED);
  });

  test('API-WSALookupServiceBegin, NSP-RULE-01 its arguments', async () => {
    const { a: ws } = await pair();
    const set = querySet({ lpServiceClassId: HOST, lpszServiceInstanceName: 'printer' });
    const handle: Ref = { value: 0 };
    expect(await ws.WSALookupServiceBegin(null, 0, handle)).toBe(-WSAEFAULT);
    expect(await ws.WSALookupServiceBegin(set, 0, null)).toBe(-WSAEFAULT);
    for (const bad of [
      { dwSize: 0 },
      { dwSize: 60 },
      { lpServiceClassId: null },
      { lpServiceClassId: 'host' },
      { lpNSProviderId: 'tcpip' },
    ])
      expect(await ws.WSALookupServiceBegin({ ...set, ...bad }, 0, handle)).toBe(-WSAEINVAL);
    expect(await ws.WSALookupServiceBegin(set, LUP_CONTAINERS | LUP_NOCONTAINERS, handle)).toBe(-WSAEINVAL);
    // What only a result says is ignored in a question.
    const noise = { dwOutputFlags: -1, dwNumberOfCsAddrs: 7, lpcsaBuffer: null, lpBlob: new Uint8Array(3) };
    expect(await begin(ws, { ...set, ...noise }, LUP_RETURN_NAME)).toBeGreaterThan(0);
  });

  test('API-WSALookupServiceBegin, NSP-RULE-01 name spaces by id, or one provider, which wins', async () => {
    const { a: ws } = await pair();
    const asked = { lpServiceClassId: HOST, lpszServiceInstanceName: 'printer' };
    for (const dwNameSpace of [NS_ALL, NS_DNS])
      expect(await results(ws, { ...asked, dwNameSpace }, LUP_RETURN_NAME)).toHaveLength(1);
    expect(await results(ws, { ...asked, dwNameSpace: NS_EMAIL })).toBe(-WSANO_DATA);
    expect(await results(ws, { ...asked, dwNameSpace: NS_NLA })).toBe(-WSASERVICE_NOT_FOUND);
    const lpNSProviderId = TCPIP_NAME_SPACE_ID.toLowerCase();
    expect(
      await results(ws, { ...asked, dwNameSpace: NS_EMAIL, lpNSProviderId }, LUP_RETURN_NAME),
    ).toHaveLength(1);
    const unknown = '01234567-89AB-CDEF-0123-456789ABCDEF';
    expect(await results(ws, { ...asked, lpNSProviderId: unknown })).toBe(-WSANO_DATA);
    expect(await results(ws, { lpServiceClassId: unknown, dwNameSpace: NS_DNS })).toBe(-WSASERVICE_NOT_FOUND);
  });

  test('API-WSALookupServiceNext, API-WSALookupServiceEnd handles that are none', async () => {
    const { a: ws } = await pair();
    const handle = await begin(ws, { lpServiceClassId: HOST }, LUP_RETURN_NAME);
    expect(await ws.WSALookupServiceNext(handle + 4, 0, { value: 0 }, querySet())).toBe(-WSA_INVALID_HANDLE);
    expect(await ws.WSALookupServiceNext(handle, 0, null, querySet())).toBe(-WSAEFAULT);
    expect(await ws.WSALookupServiceNext(handle, 0, { value: 0 }, null)).toBe(-WSAEFAULT);
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(await ws.WSALookupServiceEnd(handle)).toBe(-WSA_INVALID_HANDLE);
    expect(await ws.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet())).toBe(-WSA_INVALID_HANDLE);
  });

  test('API-WSALookupServiceNext, NSP-RULE-05 a short buffer is told what is needed, and nothing is lost', async () => {
    const { a: ws } = await pair();
    const handle = await begin(
      ws,
      { lpServiceClassId: HOST, lpszServiceInstanceName: 'only4' },
      LUP_RETURN_ALL,
    );
    const length: Ref = { value: 0 };
    const result = querySet();
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(-WSAEFAULT);
    const needed = length.value;
    length.value = needed - 1;
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(-WSAEFAULT);
    expect(length.value).toBe(needed);
    expect(result.lpszServiceInstanceName).toBeNull();
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(0);
    expect(result.lpszServiceInstanceName).toBe('only4.example.test');
    // The length is that of the bytes, whose pointers lie inside them.
    const bytes = packWSAQUERYSET(result, 'W');
    expect(bytes.length).toBe(needed);
    expect(readWSAQUERYSET(bytes, 'W')).toEqual(result);
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(-WSA_E_NO_MORE);
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(-WSA_E_NO_MORE);
  });

  test('API-WSALookupServiceNext, NSP-RULE-05 LUP_FLUSHPREVIOUS discards what did not fit, in both forms', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf([leadsTo('alias.test', 'real.test'), ...a('real.test', '10.0.0.57')]));
    const flags = LUP_RETURN_NAME | LUP_RETURN_ALIASES;
    const asked = { lpServiceClassId: HOST, lpszServiceInstanceName: 'alias.test' };
    for (const next of [ws.WSALookupServiceNext, ws.WSALookupServiceNextA]) {
      const handle = await begin(ws, asked, flags);
      const result = querySet();
      expect(await next(handle, 0, { value: 0 }, result)).toBe(-WSAEFAULT);
      expect(await next(handle, LUP_FLUSHPREVIOUS, { value: 4096 }, result)).toBe(0);
      expect(result.lpszServiceInstanceName).toBe('alias.test');
      // Nothing failed to fit: nothing is discarded.
      const again = await begin(ws, asked, flags);
      expect(await next(again, LUP_FLUSHPREVIOUS, { value: 4096 }, result)).toBe(0);
      expect(result.lpszServiceInstanceName).toBe('real.test');
    }
  });

  test('API-WSALookupServiceNext the A form counts a byte for each character', async () => {
    const { a: ws } = await pair();
    const asked = { lpServiceClassId: HOST, lpszServiceInstanceName: 'only4' };
    const lengths: number[] = [];
    for (const next of [ws.WSALookupServiceNext, ws.WSALookupServiceNextA]) {
      const length: Ref = { value: 1 };
      expect(await next(await begin(ws, asked, LUP_RETURN_NAME), 0, length, querySet())).toBe(-WSAEFAULT);
      lengths.push(length.value);
    }
    const result = querySet();
    const handle = await begin(ws, asked, LUP_RETURN_NAME);
    expect(await ws.WSALookupServiceNextA(handle, 0, { value: lengths[1] as number }, result)).toBe(0);
    expect(lengths).toEqual([packWSAQUERYSET(result, 'W').length, packWSAQUERYSET(result, 'A').length]);
    expect(await ws.WSALookupServiceNextA(handle, 0, { value: 4096 }, result)).toBe(-WSA_E_NO_MORE);
  });

  test('API-WSALookupServiceEnd, ERR-WSA_E_CANCELLED ends a Next that waits', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, () => null);
    const handle = await begin(ws, { lpServiceClassId: HOST, lpszServiceInstanceName: 'never.test' }, 0x10);
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet());
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
  });

  test('SEM-VER-15 the last WSACleanup ends a Next that waits', async () => {
    const { b, processOn } = await pair();
    await nameServer(b, () => null);
    const ws = await processOn('a');
    await ws.WSAStartup(0x0202, {} as never);
    const handle = await begin(ws, { lpServiceClassId: HOST, lpszServiceInstanceName: 'never.test' }, 0x10);
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet());
    expect(await ws.WSACleanup()).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
  });

  test('NSP-RULE-04, STR-WSAQUERYSET a result has what the LUP_RETURN flags ask for', async () => {
    const { a: ws } = await pair();
    const one = async (flags: number): Promise<WSAQUERYSET> => {
      const found = await results(ws, { lpServiceClassId: HOST, lpszServiceInstanceName: 'only4' }, flags);
      return (found as WSAQUERYSET[])[0] as WSAQUERYSET;
    };
    const nothing = { dwNameSpace: NS_DNS, lpNSProviderId: TCPIP_NAME_SPACE_ID };
    expect(await one(0)).toEqual(querySet(nothing));
    expect(await one(LUP_RETURN_NAME)).toEqual(
      querySet({ ...nothing, lpszServiceInstanceName: 'only4.example.test' }),
    );
    expect(await one(LUP_RETURN_TYPE)).toEqual(querySet({ ...nothing, lpServiceClassId: HOST }));
    expect(await one(LUP_RETURN_COMMENT)).toEqual(querySet(nothing));
    expect(await one(LUP_RETURN_QUERY_STRING)).toMatchObject({ lpszQueryString: expect.any(String) });
    expect(await one(LUP_RETURN_ADDR)).toMatchObject({ dwNumberOfCsAddrs: 1, lpBlob: null });
    expect(await one(LUP_RETURN_BLOB)).toMatchObject({ dwNumberOfCsAddrs: 0, lpcsaBuffer: null });
    expect((await one(LUP_RETURN_BLOB)).lpBlob?.length).toBeGreaterThan(32);
  });

  test('NSP-RULE-06 aliases are results of their own, marked as such', async () => {
    const { a: ws, b } = await pair();
    await nameServer(
      b,
      zoneOf([
        leadsTo('one.test', 'two.test'),
        leadsTo('two.test', 'end.test'),
        ...a('end.test', '10.0.0.5'),
      ]),
    );
    const asked = { lpServiceClassId: HOST, lpszServiceInstanceName: 'one.test' };
    const found = (await results(ws, asked, LUP_RETURN_NAME | LUP_RETURN_ALIASES)) as WSAQUERYSET[];
    expect(found.map((each) => [each.lpszServiceInstanceName, each.dwOutputFlags])).toEqual([
      ['end.test', 0],
      ['one.test', RESULT_IS_ALIAS],
      ['two.test', RESULT_IS_ALIAS],
    ]);
    expect(await results(ws, asked, LUP_RETURN_NAME)).toHaveLength(1);
  });

  test('NSP-RULE-09 addresses of a host, by family', async () => {
    const { a: ws } = await pair();
    const asked = { lpServiceClassId: HOST, lpszServiceInstanceName: 'printer' };
    const of = async (families: number[], flags = 0): Promise<string[]> =>
      places(
        await results(
          ws,
          {
            ...asked,
            dwNumberOfProtocols: families.length,
            lpafpProtocols: families.map((iAddressFamily) => ({ iAddressFamily, iProtocol: 0 })),
          },
          LUP_RETURN_ADDR | flags,
        ),
      ).toSorted();
    expect(await of([])).toEqual(['10.0.0.7 0 6']);
    expect(await of([AF_INET])).toEqual(['10.0.0.7 0 6']);
    expect(await of([AF_INET6])).toEqual(['2001:db8::7 0 6']);
    expect(await of([AF_INET, AF_INET6])).toEqual(['10.0.0.7 0 6', '2001:db8::7 0 6']);
    expect(await of([], LUP_DUAL_ADDR)).toEqual(['2001:db8::7 0 6', '::ffff:10.0.0.7 0 6']);
  });

  test('NSP-RULE-09 a host by its address as text', async () => {
    const { a: ws } = await pair();
    const of = (lpszServiceInstanceName: string | null) =>
      results(ws, { lpServiceClassId: SVCID_INET_HOSTADDRBYINETSTRING, lpszServiceInstanceName });
    expect(await of('10.0.0.7')).toMatchObject([{ lpszServiceInstanceName: 'printer.example.test' }]);
    expect(await of('10.0.0.250')).toBeLessThan(0);
    expect(await of('printer')).toBe(-WSAHOST_NOT_FOUND);
    expect(await of(null)).toBe(-WSAEINVAL);
  });

  test('NSP-RULE-09 the class of a port gives addresses at it, or DNS records of a type', async () => {
    const { a: ws, b } = await pair();
    const srv = (target: string, priority: number, weight: number): DnsRecord => ({
      kind: 'service',
      name: '_sip._udp.test',
      type: 33,
      ttl: 60,
      priority,
      weight,
      port: 5060 + priority,
      target,
    });
    await nameServer(
      b,
      zoneOf([
        srv('spare.test', 20, 0),
        srv('light.test', 10, 1),
        srv('heavy.test', 10, 9),
        ...a('spare.test', '10.0.0.62'),
        ...a('light.test', '10.0.0.61'),
        ...a('heavy.test', '10.0.0.60', '2001:db8::60'),
        { kind: 'mail', name: 'mail.test', type: 15, ttl: 60, preference: 20, exchange: 'mx2.test' },
        { kind: 'mail', name: 'mail.test', type: 15, ttl: 60, preference: 10, exchange: 'mx1.test' },
        { kind: 'text', name: 'mail.test', type: 16, ttl: 60, texts: [text('hello'), text('there')] },
        { kind: 'other', name: 'mail.test', type: 65, ttl: 60, data: Uint8Array.of(1, 2, 3) },
      ]),
    );
    const of = async (lpServiceClassId: string, lpszServiceInstanceName: string) =>
      (await results(ws, { lpServiceClassId, lpszServiceInstanceName })) as WSAQUERYSET[];
    expect(places(await of(SVCID_TCP(80), 'printer'))).toEqual(['10.0.0.7 80 6']);
    expect(places(await of(SVCID_UDP(69), 'only4'))).toEqual(['192.0.2.9 69 17']);
    expect(places(await of(SVCID_TCP(53, 1), 'only4'))).toEqual(['192.0.2.9 0 6']);
    expect(places(await of(SVCID_TCP(53, 28), 'printer'))).toEqual(['2001:db8::7 0 6']);
    const services = await of(SVCID_TCP(53, 33), '_sip._udp.test');
    expect(services.map((each) => each.lpszServiceInstanceName)).toEqual([
      'heavy.test',
      'light.test',
      'spare.test',
    ]);
    expect(places(services).toSorted()).toEqual([
      '10.0.0.60 5070 17',
      '10.0.0.61 5070 17',
      '10.0.0.62 5080 17',
      '2001:db8::60 5070 17',
    ]);
    const mail = await of(SVCID_TCP(53, 15), 'mail.test');
    expect(mail.map((each) => each.lpszServiceInstanceName)).toEqual(['mx1.test', 'mx2.test']);
    expect(mail[0]?.lpBlob).toEqual(Uint8Array.from([0, 10, 3, ...text('mx1'), 4, ...text('test'), 0]));
    const [texts] = await of(SVCID_TCP(53, 16), 'mail.test');
    expect(texts?.lpBlob).toEqual(Uint8Array.from([5, ...text('hello'), 5, ...text('there')]));
    const [other] = await of(SVCID_TCP(53, 65), 'mail.test');
    expect(other).toMatchObject({ lpszServiceInstanceName: 'mail.test', lpBlob: Uint8Array.of(1, 2, 3) });
    expect(await of(SVCID_TCP(53, 33), 'mail.test')).toBe(-WSANO_DATA);
  });

  test('CAT-RULE-03 networks are a name space: one for each interface that has addresses', async () => {
    const { a: ws } = await pair();
    const found = await results(ws, { lpServiceClassId: NLA_SERVICE_CLASS_GUID, dwNameSpace: NS_NLA });
    expect(found).toMatchObject([
      {
        lpszServiceInstanceName: 'example.test',
        lpNSProviderId: NLA_NAME_SPACE_ID,
        dwNameSpace: NS_NLA,
        lpcsaBuffer: [{ LocalAddr: name('10.0.0.1', 0), RemoteAddr: null }],
      },
    ]);
  });
});

overEveryAttachment('WSAEnumNameSpaceProviders', (pair) => {
  test('API-WSAEnumNameSpaceProviders, STR-WSANAMESPACE_INFO, CAT-RULE-03 the default name spaces', async () => {
    const { a: ws, processOn } = await pair();
    const length: Ref = { value: 0 };
    const idle = await processOn('a');
    expect(await idle.WSAEnumNameSpaceProviders(length, [])).toBe(-WSANOTINITIALISED);
    expect(await ws.WSAEnumNameSpaceProviders(null, [])).toBe(-WSAEFAULT);
    const infos: WSANAMESPACE_INFO[] = [];
    expect(await ws.WSAEnumNameSpaceProviders(length, null)).toBe(-WSAEFAULT);
    expect(length.value).toBeGreaterThan(3 * 40);
    expect(await ws.WSAEnumNameSpaceProviders({ value: length.value - 1 }, infos)).toBe(-WSAEFAULT);
    expect(infos).toEqual([]);
    expect(await ws.WSAEnumNameSpaceProviders(length, infos)).toBe(3);
    expect(infos[0]).toEqual({
      NSProviderId: '22059D40-7E9E-11CF-AE5A-00AA00A7112B',
      dwNameSpace: NS_DNS,
      fActive: true,
      dwVersion: 0,
      lpszIdentifier: 'Tcpip',
    });
    expect(infos.map(({ dwNameSpace }) => dwNameSpace)).toEqual([NS_DNS, NS_NLA, NS_TCPIP_LOCAL]);
  });

  test('API-WSAEnumNameSpaceProvidersEx with the provider’s own data; the A forms need less', async () => {
    const { a: ws } = await pair();
    const infos: WSANAMESPACE_INFOEX[] = [];
    const plain: WSANAMESPACE_INFO[] = [];
    const [wide, narrow, wideEx, narrowEx] = [0, 0, 0, 0].map((value): Ref => ({ value })) as [
      Ref,
      Ref,
      Ref,
      Ref,
    ];
    await ws.WSAEnumNameSpaceProviders(wide, null);
    await ws.WSAEnumNameSpaceProvidersA(narrow, null);
    await ws.WSAEnumNameSpaceProvidersEx(wideEx, null);
    await ws.WSAEnumNameSpaceProvidersExA(narrowEx, null);
    expect(narrow.value).toBeLessThan(wide.value);
    expect(narrowEx.value).toBeLessThan(wideEx.value);
    expect(wideEx.value).toBeGreaterThan(wide.value);
    expect(await ws.WSAEnumNameSpaceProvidersA(narrow, plain)).toBe(3);
    expect(await ws.WSAEnumNameSpaceProvidersEx(wideEx, infos)).toBe(3);
    expect(infos).toEqual(plain.map((info) => ({ ...info, ProviderSpecific: null })));
    expect(await ws.WSAEnumNameSpaceProvidersExA(narrowEx, infos)).toBe(3);
  });
});
