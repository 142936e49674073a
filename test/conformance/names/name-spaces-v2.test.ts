import { describe, expect, test } from '@jest/globals';
import {
  type hostent,
  LUP_FLUSHPREVIOUS,
  LUP_RETURN_ALL,
  LUP_RETURN_TYPE,
  packWSAQUERYSET,
  packWSAQUERYSET2,
  querySet,
  RNRSERVICE_DELETE,
  RNRSERVICE_REGISTER,
  readWSAQUERYSET2,
  SVCID_INET_SERVICEBYNAME,
  WSA_E_CANCELLED,
  WSA_E_NO_MORE,
  WSAEFAULT,
  WSAEINVAL,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEOPNOTSUPP,
  WSAEPROVIDERFAILEDINIT,
  WSANO_DATA,
  WSANO_RECOVERY,
  WSANOTINITIALISED,
  type WSAQUERYSET2,
  WSAQUERYSET2_LEN,
  WSASERVICE_NOT_FOUND,
  WSATRY_AGAIN,
} from '../../../src/abi/index.ts';
import {
  defineNameSpace,
  NSPV2_ENTRIES,
  type NSPV2_ROUTINE,
  NSPV2_ROUTINE_LEN,
  type Ref,
  WSAProviderCompleteAsyncCall,
} from '../../../src/spi/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';
import { overEveryAttachment, type Pair } from '../support.ts';
import { addressesOf } from './support.ts';
import { begin, CLASS, idOf, installed, namesOf, processWith, resultsOf } from './user-spaces.ts';

/** A provider that writes down its calls, and finishes them when a test says so. */
function recording(members: Partial<NSPV2_ROUTINE> = {}) {
  const calls: unknown[][] = [];
  /** NextEx and SetServiceEx that wait: their handles. */
  const waiting: number[] = [];
  const results: WSAQUERYSET2[] = [];
  let wake = (): void => {};
  const routine: NSPV2_ROUTINE = {
    cbSize: NSPV2_ROUTINE_LEN,
    dwMajorVersion: 2,
    dwMinorVersion: 0,
    NSPv2Startup(id, session) {
      calls.push(['startup', id]);
      session.value = 'my client';
      return 0;
    },
    NSPv2Cleanup: (id, session) => (calls.push(['cleanup', id, session]) > 0 ? 0 : -1),
    NSPv2LookupServiceBegin(id, set, flags, session, handle) {
      calls.push([
        'begin',
        id,
        set.dwSize,
        'lpServiceClassId' in set,
        set.lpszServiceInstanceName,
        flags,
        session,
      ]);
      handle.value = 7;
      return 0;
    },
    NSPv2LookupServiceNextEx(hAsyncCall, handle, flags, _length, into) {
      calls.push(['next', handle, flags]);
      waiting.push(hAsyncCall);
      results.push(into);
      wake();
      return undefined;
    },
    NSPv2LookupServiceEnd: (handle) => (calls.push(['end', handle]) > 0 ? 0 : -1),
    NSPv2SetServiceEx(hAsyncCall, _id, info, operation, flags, session) {
      calls.push(['set', info.dwSize, info.lpszServiceInstanceName, operation, flags, session]);
      waiting.push(hAsyncCall);
      wake();
      return undefined;
    },
    NSPv2ClientSessionRundown: (id, session) => (calls.push(['rundown', id, session]) > 0 ? 0 : -1),
    ...members,
  };
  /** The next call that is to be finished. */
  const called = async (): Promise<{ hAsyncCall: number; into: WSAQUERYSET2 | undefined }> => {
    if (waiting.length === 0)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return { hAsyncCall: waiting.shift() as number, into: results.shift() };
  };
  return { calls, routine, called };
}

overEveryAttachment('name spaces of version 2', (pair) => {
  const withRoutine = async (NSPv2Routine: NSPV2_ROUTINE): Promise<Winsock> =>
    processWith(await pair(), installed({ one: { NSPv2Routine } }));
  const own = { lpNSProviderId: idOf(0) };

  test('NSP2-Startup, NSP2-LookupServiceBegin, NSP2-LookupServiceNextEx, NSP2-LookupServiceEnd, STR-WSAQUERYSET2 its calls, one by one', async () => {
    const { calls, routine, called } = recording();
    const ws = await withRoutine(routine);
    expect(calls).toEqual([]);
    const handle = await begin(ws, { ...own, lpszServiceInstanceName: 'n' });
    expect(calls.splice(0)).toEqual([
      ['startup', idOf(0)],
      ['begin', idOf(0), WSAQUERYSET2_LEN, false, 'n', LUP_RETURN_ALL, 'my client'],
    ]);
    const result = querySet();
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, result);
    const { hAsyncCall, into } = await called();
    if (into !== undefined) into.lpszServiceInstanceName = 'found';
    expect(await ws.WSAProviderCompleteAsyncCall(hAsyncCall, 0)).toBe(0);
    expect(await waiting).toBe(0);
    // A result has no class of its own: it is of the one that was asked for.
    expect(result).toEqual(querySet({ lpszServiceInstanceName: 'found', lpServiceClassId: CLASS }));
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(calls).toEqual([
      ['next', 7, 0],
      ['end', 7],
    ]);
  });

  test('NSP2-Complete, API-WSAProviderCompleteAsyncCall each call is finished once, by either sign of its code', async () => {
    const { routine, called } = recording();
    const ws = await withRoutine(routine);
    const idle = await (await pair()).processOn('a');
    expect(await idle.WSAProviderCompleteAsyncCall(4, 0)).toBe(-WSANOTINITIALISED);
    const handle = await begin(ws, own);
    for (const code of [WSATRY_AGAIN, -WSATRY_AGAIN]) {
      const again = await begin(ws, own);
      const waiting = ws.WSALookupServiceNext(again, 0, { value: 4096 }, querySet());
      const { hAsyncCall } = await called();
      for (const wrong of [Number.NaN, 1.5, 1 << 20])
        expect(await ws.WSAProviderCompleteAsyncCall(hAsyncCall, wrong)).toBe(-WSAEINVAL);
      expect(await ws.WSAProviderCompleteAsyncCall(hAsyncCall, code)).toBe(0);
      expect(await waiting).toBe(-WSATRY_AGAIN);
      expect(await ws.WSAProviderCompleteAsyncCall(hAsyncCall, 0)).toBe(-WSAEINVAL);
      expect(WSAProviderCompleteAsyncCall(hAsyncCall, 0)).toBe(-WSAEINVAL);
    }
    expect(await ws.WSAProviderCompleteAsyncCall(0, 0)).toBe(-WSAEINVAL);
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
  });

  test('NSP2-LookupServiceNextEx, ERR-WSA_E_CANCELLED End finishes what waits; its handle is none then', async () => {
    const { calls, routine, called } = recording();
    const ws = await withRoutine(routine);
    const handle = await begin(ws, own);
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet());
    const { hAsyncCall } = await called();
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
    expect(await ws.WSAProviderCompleteAsyncCall(hAsyncCall, 0)).toBe(-WSAEINVAL);
    expect(calls.at(-1)).toEqual(['end', 7]);
  });

  test('NSP2-LookupServiceNextEx, NSP-RULE-05 what it needs comes with WSAEFAULT', async () => {
    const { routine } = recording({
      NSPv2LookupServiceNextEx(_call, _handle, _flags, length, into) {
        if (length.value < 5000) {
          length.value = 5000;
          return -WSAEFAULT;
        }
        into.lpszComment = 'whole';
        return Promise.resolve(0);
      },
    });
    const ws = await withRoutine(routine);
    const handle = await begin(ws, own);
    const length: Ref = { value: 200 };
    expect(await ws.WSALookupServiceNext(handle, 0, length, querySet())).toBe(-WSAEFAULT);
    // The class that the result gets comes on top.
    expect(length.value).toBe(5024);
    const result = querySet();
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(0);
    expect(result.lpszComment).toBe('whole');
  });

  test('NSP2-SetServiceEx registration, finished later', async () => {
    const { calls, routine, called } = recording();
    const ws = await withRoutine(routine);
    const info = querySet({ ...own, lpServiceClassId: CLASS, lpszServiceInstanceName: 'shop' });
    for (const code of [0, WSANO_DATA]) {
      const waiting = ws.WSASetService(info, RNRSERVICE_REGISTER, 0);
      const { hAsyncCall } = await called();
      expect(await ws.WSAProviderCompleteAsyncCall(hAsyncCall, code)).toBe(0);
      expect(await waiting).toBe(code === 0 ? 0 : -code);
    }
    expect(calls.at(-1)).toEqual(['set', WSAQUERYSET2_LEN, 'shop', RNRSERVICE_REGISTER, 0, 'my client']);
  });

  test('NSP2-Cleanup, NSP2-ClientSessionRundown the last WSACleanup ends the session', async () => {
    const { calls, routine, called } = recording();
    const ws = await withRoutine(routine);
    const handle = await begin(ws, own);
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet());
    await called();
    calls.length = 0;
    expect(await ws.WSACleanup()).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([
      ['end', 7],
      ['cleanup', idOf(0), 'my client'],
      ['rundown', idOf(0), 'my client'],
    ]);
  });

  test('NSP2-Startup one that fails is left out', async () => {
    const ws = await withRoutine(recording({ NSPv2Startup: () => -WSANO_RECOVERY }).routine);
    expect(await namesOf(ws, own)).toBe(-WSANO_RECOVERY);
    const throwing = (): never => {
      throw new Error('no');
    };
    expect(await namesOf(await withRoutine(recording({ NSPv2Startup: throwing }).routine), own)).toBe(
      -WSAEPROVIDERFAILEDINIT,
    );
  });

  test.each([
    [
      'ERR-WSAEINVALIDPROCTABLE a size that is too small',
      { cbSize: NSPV2_ROUTINE_LEN - 1 },
      WSAEINVALIDPROCTABLE,
    ],
    ['a size that is no number', { cbSize: Number.NaN }, WSAEINVALIDPROCTABLE],
    ['a hole', { NSPv2SetServiceEx: undefined }, WSAEINVALIDPROCTABLE],
    ['ERR-WSAEINVALIDPROVIDER another version', { dwMajorVersion: 1 }, WSAEINVALIDPROVIDER],
  ] as const)('STR-NSPV2_ROUTINE a table with %s', async (_title, members, error) => {
    const routine = { ...recording().routine, ...members } as NSPV2_ROUTINE;
    expect(await namesOf(await withRoutine(routine), own)).toBe(-error);
  });

  test('NSP2-LookupServiceBegin it is not asked what only a class could tell apart', async () => {
    const { calls, routine } = recording();
    const ws = await withRoutine(routine);
    expect(await namesOf(ws, { ...own, lpServiceClassId: SVCID_INET_SERVICEBYNAME })).toBe(
      -WSASERVICE_NOT_FOUND,
    );
    const port: Ref<never | null> = { value: null };
    expect(await ws.getservbyname('http', 'tcp', port)).toBe(0);
    expect(calls.filter(([call]) => call === 'begin')).toEqual([]);
  });

  test('NSP-RULE-02, NSP-RULE-10 providers of both versions answer together', async () => {
    const definition = (address: string) => defineNameSpace({ find: () => [{ addresses: [{ address }] }] });
    const [{ NSPStartup }, { NSPv2Routine }] = [definition('10.0.0.21'), definition('10.0.0.22')];
    const ws = await processWith(await pair(), installed({ one: { NSPv2Routine }, two: { NSPStartup } }));
    expect(await addressesOf(ws, 'alice')).toEqual(['10.0.0.22', '10.0.0.21']);
    const found: Ref<hostent | null> = { value: null };
    expect(await ws.gethostbyname('alice', found)).toBe(0);
    expect(found.value?.h_addr_list).toEqual([Uint8Array.of(10, 0, 0, 22)]);
    const { results } = await resultsOf(ws, {}, LUP_RETURN_TYPE);
    expect(results.map(({ lpServiceClassId }) => lpServiceClassId)).toEqual([CLASS, CLASS]);
  });

  test('NSP2-ClientSessionRundown clients of a defined name space have sessions of their own', async () => {
    const log: unknown[] = [];
    let clients = 0;
    const { NSPv2Routine } = defineNameSpace<string>({
      start: () => log.push('start'),
      stop: () => log.push('stop'),
      open: () => `client ${++clients}`,
      close: (session) => log.push(`close ${session}`),
      find: ({ session }) => [{ name: session ?? 'none' }],
      set({ session }) {
        log.push(`set by ${session}`);
        return 0;
      },
    });
    const [one, two] = [await withRoutine(NSPv2Routine), await withRoutine(NSPv2Routine)];
    expect(await namesOf(one, own)).toEqual(['client 1']);
    expect(await namesOf(two, own)).toEqual(['client 2']);
    const info = querySet({ ...own, lpServiceClassId: CLASS, lpszServiceInstanceName: 'shop' });
    expect(await two.WSASetService(info, RNRSERVICE_REGISTER, 0)).toBe(0);
    for (const ws of [one, two]) await ws.WSACleanup();
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['start', 'set by client 2', 'close client 1', 'close client 2', 'stop']);
  });
});

overEveryAttachment('providers that announce themselves', (pair) => {
  /** A process whose catalog has one of version 2 that is not loaded from anywhere. */
  const started = async (isActive = true): Promise<Winsock> =>
    processWith(
      await pair(),
      installed(
        { one: {}, two: { NSPStartup: defineNameSpace({ find: () => [{ name: 'b' }] }).NSPStartup } },
        { members: { one: { path: '', isActive } } },
      ),
    );
  const phoneBook = () => defineNameSpace({ find: () => [{ name: 'a' }] }).NSPv2Routine;
  const own = { lpNSProviderId: idOf(0) };

  test('NSP2-Advertise, API-WSAAdvertiseProvider, API-WSAUnadvertiseProvider it is asked from then on, until it takes itself back', async () => {
    const ws = await started();
    expect(await namesOf(ws)).toEqual(['b']);
    expect(await namesOf(ws, own)).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(await ws.WSAAdvertiseProvider(`{${idOf(0)}}`, phoneBook())).toBe(0);
    expect(await namesOf(ws)).toEqual(['a', 'b']);
    expect(await ws.WSAUnadvertiseProvider(idOf(0))).toBe(0);
    expect(await namesOf(ws)).toEqual(['b']);
    expect(await ws.WSAUnadvertiseProvider(idOf(0))).toBe(-WSAEINVAL);
  });

  test('API-WSAAdvertiseProvider, API-WSAUnadvertiseProvider their arguments', async () => {
    const ws = await started();
    const idle = await (await pair()).processOn('a');
    expect(await idle.WSAAdvertiseProvider(idOf(0), phoneBook())).toBe(-WSANOTINITIALISED);
    expect(await idle.WSAUnadvertiseProvider(idOf(0))).toBe(-WSANOTINITIALISED);
    expect(await ws.WSAAdvertiseProvider(null, phoneBook())).toBe(-WSAEINVAL);
    expect(await ws.WSAAdvertiseProvider(idOf(0), null)).toBe(-WSAEINVAL);
    expect(await ws.WSAAdvertiseProvider('phone book', phoneBook())).toBe(-WSAEINVAL);
    // Only what is in the catalog as a provider of version 2 can be one.
    for (const i of [1, 7]) expect(await ws.WSAAdvertiseProvider(idOf(i), phoneBook())).toBe(-WSAEINVAL);
    for (const name of [...NSPV2_ENTRIES, 'cbSize', 'dwMajorVersion'])
      expect(await ws.WSAAdvertiseProvider(idOf(0), { ...phoneBook(), [name]: undefined })).toBe(-WSAEINVAL);
    expect(await ws.WSAAdvertiseProvider(idOf(0), phoneBook())).toBe(0);
    expect(await ws.WSAAdvertiseProvider(idOf(0), phoneBook())).toBe(-WSANO_RECOVERY);
    expect(await ws.WSAUnadvertiseProvider(null)).toBe(-WSAEINVAL);
    expect(await ws.WSAUnadvertiseProvider('phone book')).toBe(-WSAEINVAL);
  });

  test('NSP2-ClientSessionRundown, NSP2-Advertise what it had under way fails, and its session is over', async () => {
    const { calls, routine, called } = recording();
    const ws = await started();
    expect(await ws.WSAAdvertiseProvider(idOf(0), routine)).toBe(0);
    const handle = await begin(ws);
    const result = querySet();
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, result);
    await called();
    calls.length = 0;
    expect(await ws.WSAUnadvertiseProvider(idOf(0))).toBe(0);
    expect(await waiting).toBe(0);
    expect(result.lpszServiceInstanceName).toBe('b');
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(calls).toEqual([['rundown', idOf(0), 'my client']]);
    const alone = await begin(ws, own);
    expect(alone).toBe(-WSAEPROVIDERFAILEDINIT);
  });

  test('NSP-RULE-07, NSP2-Advertise an inactive one may announce itself, and is not asked', async () => {
    const ws = await started(false);
    expect(await ws.WSAAdvertiseProvider(idOf(0), phoneBook())).toBe(0);
    expect(await namesOf(ws)).toEqual(['b']);
  });

  test('NSP2-Advertise Windows Mobile has none of these', async () => {
    const { processOn } = await pair();
    const ws = await processOn('a', 0, 'windows-mobile');
    await ws.WSAStartup(0x0202, {} as never);
    expect(await ws.WSAAdvertiseProvider(idOf(0), phoneBook())).toBe(-WSAEOPNOTSUPP);
    expect(await ws.WSAUnadvertiseProvider(idOf(0))).toBe(-WSAEOPNOTSUPP);
    expect(await ws.WSAProviderCompleteAsyncCall(4, 0)).toBe(-WSAEOPNOTSUPP);
  });

  test('SEM-VER-15 the last WSACleanup takes announcements back', async () => {
    const ws = await started();
    expect(await ws.WSAAdvertiseProvider(idOf(0), phoneBook())).toBe(0);
    await ws.WSACleanup();
    await ws.WSAStartup(0x0202, {} as never);
    expect(await ws.WSAUnadvertiseProvider(idOf(0))).toBe(-WSAEINVAL);
  });
});

overEveryAttachment('providers in a process of their own', (pair) => {
  const options = () => installed({ one: {} }, { members: { one: { path: '', isV2: true } } });
  const own = { lpNSProviderId: idOf(0) };
  const started = async (processOn: Pair['processOn'], uid = 0): Promise<Winsock> => {
    const ws = await processOn('a', uid, undefined, options());
    await ws.WSAStartup(0x0202, {} as never);
    return ws;
  };

  test('NSP2-Advertise, NSP2-Startup, NSP2-LookupServiceNextEx, NSP2-SetServiceEx, API-WSAAdvertiseProvider it answers other processes', async () => {
    const { processOn } = await pair();
    const [provider, client] = [await started(processOn), await started(processOn)];
    const told: unknown[] = [];
    const { NSPv2Routine } = defineNameSpace({
      takes: ({ name }) => !name.startsWith('x'),
      find: ({ name }) => [
        { name: `${name}!`, addresses: [{ address: '10.0.0.21' }, { address: '2001:db8::21' }] },
      ],
      set({ info, operation }) {
        told.push([info.lpszServiceInstanceName, operation, info.dwSize]);
        return operation === RNRSERVICE_REGISTER ? 0 : -WSANO_DATA;
      },
    });
    expect(await namesOf(client, own)).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(await provider.WSAAdvertiseProvider(idOf(0), NSPv2Routine)).toBe(0);
    expect(await namesOf(client, { ...own, lpszServiceInstanceName: 'alice' })).toEqual(['alice!']);
    expect(await namesOf(client, { ...own, lpszServiceInstanceName: 'x' })).toBe(-WSASERVICE_NOT_FOUND);
    expect(await addressesOf(client, 'alice', '80')).toEqual(['10.0.0.21:80', '2001:db8::21:80']);
    const info = querySet({ ...own, lpServiceClassId: CLASS, lpszServiceInstanceName: 'shop' });
    expect(await client.WSASetService(info, RNRSERVICE_REGISTER, 0)).toBe(0);
    expect(await client.WSASetService(info, RNRSERVICE_DELETE, 0)).toBe(-WSANO_DATA);
    expect(told).toEqual([
      ['shop', RNRSERVICE_REGISTER, WSAQUERYSET2_LEN],
      ['shop', RNRSERVICE_DELETE, WSAQUERYSET2_LEN],
    ]);
  });

  test('NSP2-LookupServiceNextEx, NSP-RULE-05 short buffers are told to the byte across processes', async () => {
    const { processOn } = await pair();
    const [provider, client] = [await started(processOn), await started(processOn)];
    const { NSPv2Routine } = defineNameSpace({
      find: () => [{ name: 'a', comment: 'first' }, { name: 'b' }],
    });
    await provider.WSAAdvertiseProvider(idOf(0), NSPv2Routine);
    const handle = await begin(client, own);
    const [length, result]: [Ref, ReturnType<typeof querySet>] = [{ value: 0 }, querySet()];
    expect(await client.WSALookupServiceNext(handle, 0, length, result)).toBe(-WSAEFAULT);
    const need = length.value;
    expect(await client.WSALookupServiceNext(handle, 0, { value: need - 1 }, result)).toBe(-WSAEFAULT);
    expect(await client.WSALookupServiceNext(handle, 0, length, result)).toBe(0);
    expect(packWSAQUERYSET(result, 'W').length).toBe(need);
    expect(await client.WSALookupServiceNext(handle, 0, { value: 0 }, result)).toBe(-WSAEFAULT);
    expect(await client.WSALookupServiceNext(handle, LUP_FLUSHPREVIOUS, length, result)).toBe(-WSA_E_NO_MORE);
    expect(await client.WSALookupServiceEnd(handle)).toBe(0);
  });

  test('NSP2-LookupServiceEnd, NSP2-Cleanup, NSP2-ClientSessionRundown End reaches it, and the end of a client', async () => {
    const { processOn } = await pair();
    const [provider, client] = [await started(processOn), await started(processOn)];
    const { calls, routine, called } = recording();
    expect(await provider.WSAAdvertiseProvider(idOf(0), routine)).toBe(0);
    const handle = await begin(client, own);
    const waiting = client.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet());
    const { hAsyncCall } = await called();
    expect(await client.WSALookupServiceEnd(handle)).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
    expect(WSAProviderCompleteAsyncCall(hAsyncCall, 0)).toBe(-WSAEINVAL);
    const again = await begin(client, own);
    const late = client.WSALookupServiceNext(again, 0, { value: 4096 }, querySet());
    expect(WSAProviderCompleteAsyncCall((await called()).hAsyncCall, WSATRY_AGAIN)).toBe(0);
    expect(await late).toBe(-WSATRY_AGAIN);
    calls.length = 0;
    await client.WSACleanup();
    for (let i = 0; i < 200 && calls.at(-1)?.[0] !== 'rundown'; i++)
      await new Promise((r) => setImmediate(r));
    expect(calls.map(([call]) => call).filter((call) => call !== 'end')).toEqual(['cleanup', 'rundown']);
  });

  test('NSP2-Advertise one at a time of a user; another takes over when it has gone', async () => {
    const { processOn } = await pair();
    const [one, two, client] = [await started(processOn), await started(processOn), await started(processOn)];
    const space = (name: string) => defineNameSpace({ find: () => [{ name }] }).NSPv2Routine;
    expect(await one.WSAAdvertiseProvider(idOf(0), space('one'))).toBe(0);
    expect(await two.WSAAdvertiseProvider(idOf(0), space('two'))).toBe(-WSANO_RECOVERY);
    expect(await two.WSAUnadvertiseProvider(idOf(0))).toBe(-WSAEINVAL);
    expect(await namesOf(client, own)).toEqual(['one']);
    expect(await namesOf(two, own)).toEqual(['one']);
    const open = await begin(client, own);
    expect(await one.WSAUnadvertiseProvider(idOf(0))).toBe(0);
    expect(await client.WSALookupServiceNext(open, 0, { value: 4096 }, querySet())).toBe(
      -WSAEPROVIDERFAILEDINIT,
    );
    expect(await two.WSAAdvertiseProvider(idOf(0), space('two'))).toBe(0);
    expect(await namesOf(client, own)).toEqual(['two']);
    await two.WSACleanup();
    expect(await namesOf(client, own)).toBe(-WSAEPROVIDERFAILEDINIT);
  });

  test('NSP2-Advertise a provider answers its own user, and one of root everybody', async () => {
    const { processOn } = await pair();
    const space = (name: string) => defineNameSpace({ find: () => [{ name }] }).NSPv2Routine;
    const [ofUser, user, other] = [
      await started(processOn, 1000),
      await started(processOn, 1000),
      await started(processOn, 1001),
    ];
    const root = await started(processOn);
    expect(await ofUser.WSAAdvertiseProvider(idOf(0), space('of 1000'))).toBe(0);
    expect(await namesOf(user, own)).toEqual(['of 1000']);
    expect(await namesOf(other, own)).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(await namesOf(root, own)).toBe(-WSAEPROVIDERFAILEDINIT);
    const ofRoot = await started(processOn);
    expect(await ofRoot.WSAAdvertiseProvider(idOf(0), space('of root'))).toBe(0);
    for (const ws of [other, root]) expect(await namesOf(ws, own)).toEqual(['of root']);
    expect(await namesOf(user, own)).toEqual(['of 1000']);
  });
});

describe('WSAQUERYSET2', () => {
  test('STR-WSAQUERYSET2 is a query set without a class: 112 bytes, and the same members in the same order', () => {
    const { lpServiceClassId: _, ...members } = querySet({
      dwSize: WSAQUERYSET2_LEN,
      lpszServiceInstanceName: 'n',
      lpNSProviderId: idOf(0),
      dwNameSpace: 12,
      lpBlob: Uint8Array.of(1, 2, 3),
    });
    const bytes = packWSAQUERYSET2(members, 'W');
    expect(bytes[0]).toBe(112);
    expect(readWSAQUERYSET2(bytes, 'W')).toEqual(members);
    expect(readWSAQUERYSET2(bytes.subarray(0, 111), 'W')).toBeNull();
  });
});
