import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as phoneBook from '../../../examples/phone-book.ts';
import {
  type hostent,
  INVALID_HANDLE_VALUE,
  LUP_FLUSHPREVIOUS,
  LUP_RETURN_ADDR,
  LUP_RETURN_ALIASES,
  LUP_RETURN_NAME,
  NSP_NOTIFY_APC,
  NSP_NOTIFY_EVENT,
  NSP_NOTIFY_IMMEDIATELY,
  NSP_NOTIFY_PORT,
  querySet,
  RNRSERVICE_DELETE,
  RNRSERVICE_DEREGISTER,
  RNRSERVICE_REGISTER,
  SERVICE_MULTIPLE,
  SIO_NSP_NOTIFY_CHANGE,
  SVCID_INET_HOSTADDRBYNAME,
  SVCID_TCP,
  WSA_E_CANCELLED,
  WSA_E_NO_MORE,
  WSA_INVALID_HANDLE,
  WSA_IO_PENDING,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAEPROVIDERFAILEDINIT,
  WSAEWOULDBLOCK,
  type WSANAMESPACE_INFOEX,
  WSANO_DATA,
  type WSASERVICECLASSINFO,
  WSATYPE_NOT_FOUND,
} from '../../../src/abi/index.ts';
import { defineNameSpace, type NameService, type NameSpaceModule, type Ref } from '../../../src/spi/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';
import { name, overEveryAttachment } from '../support.ts';
import { addressesOf } from './support.ts';
import { begin, CLASS, entryOf, idOf, installed, namesOf, processWith, resultsOf } from './user-spaces.ts';

/** A name space that gives out these names. */
const names = (...all: string[]): NameSpaceModule =>
  defineNameSpace({ find: () => all.map((name) => ({ name })) });
/** One that knows a host. */
const host = (name: string, ...addresses: string[]): NameSpaceModule =>
  defineNameSpace({
    find: (question) =>
      question.name === name ? [{ addresses: addresses.map((address) => ({ address })) }] : -WSANO_DATA,
  });

overEveryAttachment('name spaces of users', (pair) => {
  const started = async (...args: Parameters<typeof installed>): Promise<Winsock> =>
    processWith(await pair(), installed(...args));

  test('NSP-RULE-02, NSP-RULE-01, NSP-LookupServiceBegin results come provider by provider in catalog order', async () => {
    const ws = await started({ one: names('a', 'b'), two: names(), three: names('c') });
    expect(await namesOf(ws)).toEqual(['a', 'b', 'c']);
    expect(await namesOf(ws, { dwNameSpace: 102 })).toEqual(['c']);
    expect(await namesOf(ws, { dwNameSpace: 102, lpNSProviderId: idOf(0) })).toEqual(['a', 'b']);
    expect(await namesOf(ws, { lpNSProviderId: idOf(1) })).toBe(-WSA_E_NO_MORE);
  });

  test('NSP-Startup, CFG-WSCInstallNameSpace a module is imported at the first lookup that it is for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nsp-'));
    const path = join(folder, 'space.mjs');
    process.env['NSP_TEST_FOLDER'] = folder;
    await writeFile(
      path,
      `globalThis.nameSpaceLoads = (globalThis.nameSpaceLoads ?? 0) + 1;
       export function NSPStartup(id, table) {
         const empty = () => 0;
         Object.assign(table, {
           cbSize: 80, dwMajorVersion: 1, dwMinorVersion: 0, NSPCleanup: empty, NSPLookupServiceEnd: empty,
           NSPSetService: () => -${WSAEOPNOTSUPP}, NSPInstallServiceClass: () => -${WSAEOPNOTSUPP},
           NSPRemoveServiceClass: () => -${WSATYPE_NOT_FOUND}, NSPGetServiceClassInfo: () => -${WSATYPE_NOT_FOUND},
           NSPLookupServiceBegin(id, set, info, flags, handle) { handle.value = 1; this.given = false; return 0; },
           NSPLookupServiceNext(handle, flags, length, into) {
             if (this.given) return -${WSA_E_NO_MORE};
             this.given = true;
             into.lpszServiceInstanceName = 'from a module';
             return 0;
           },
         });
         return 0;
       }`,
    );
    const loads = (): unknown => (globalThis as { nameSpaceLoads?: number }).nameSpaceLoads ?? 0;
    try {
      const before = loads() as number;
      const { processOn } = await pair();
      const ws = await processOn('a', 0, undefined, {
        nameSpaces: () => [entryOf('module', 0, { path: '%NSP_TEST_FOLDER%/space.mjs' })],
      });
      await ws.WSAStartup(0x0202, {} as never);
      expect(await namesOf(ws, { dwNameSpace: 5 })).toBe(-WSANO_DATA);
      expect(loads()).toBe(before);
      expect(await namesOf(ws)).toEqual(['from a module']);
      expect(await namesOf(ws)).toEqual(['from a module']);
      expect(loads()).toBe(before + 1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('NSP-Startup, ERR-WSAEPROVIDERFAILEDINIT modules that are not there, fail, or export something else', async () => {
    const broken: Record<string, NameSpaceModule> = {
      one: {},
      two: { NSPStartup: 5 as never },
      three: { NSPv2Routine: 5 as never },
    };
    const { processOn } = await pair();
    const entries = [...Object.keys(broken), 'four'].map((name, i) =>
      entryOf(name, i, { isV2: name === 'three' }),
    );
    const ws = await processOn('a', 0, undefined, {
      nameSpaces: () => entries,
      loadNameSpace: async (path) => broken[path] ?? Promise.reject(new Error('no such module')),
    });
    await ws.WSAStartup(0x0202, {} as never);
    for (let i = 0; i < 4; i++)
      expect(await namesOf(ws, { lpNSProviderId: idOf(i) })).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(await namesOf(ws)).toBe(-WSAEPROVIDERFAILEDINIT);
  });

  test('NSP-RULE-07, API-WSAEnumNameSpaceProviders inactive ones are listed, and never loaded', async () => {
    const ws = await started(
      { one: names('a'), two: names('b') },
      { members: { one: { isActive: false, path: 'nowhere', blob: Uint8Array.of(1, 2) } } },
    );
    expect(await namesOf(ws)).toEqual(['b']);
    expect(await namesOf(ws, { lpNSProviderId: idOf(0) })).toBe(-WSANO_DATA);
    const infos: WSANAMESPACE_INFOEX[] = [];
    expect(await ws.WSAEnumNameSpaceProvidersEx({ value: 4096 }, infos)).toBe(5);
    expect(infos[0]).toEqual({
      NSProviderId: idOf(0),
      dwNameSpace: 100,
      fActive: false,
      dwVersion: 1,
      lpszIdentifier: 'one',
      ProviderSpecific: Uint8Array.of(1, 2),
    });
  });

  test('NSP-RULE-08 order and active flag are those of the first lookup, until the last WSACleanup', async () => {
    const { processOn } = await pair();
    const modules: Record<string, NameSpaceModule> = { one: names('a'), two: names('b') };
    let entries = [entryOf('one', 0), entryOf('two', 1)];
    const ws = await processOn('a', 0, undefined, {
      nameSpaces: async () => entries,
      loadNameSpace: async (path) => modules[path] ?? {},
    });
    await ws.WSAStartup(0x0202, {} as never);
    expect(await namesOf(ws)).toEqual(['a', 'b']);
    entries = [entryOf('two', 1), entryOf('one', 0, { isActive: false })];
    expect(await namesOf(ws)).toEqual(['a', 'b']);
    const infos: WSANAMESPACE_INFOEX[] = [];
    expect(await ws.WSAEnumNameSpaceProvidersEx({ value: 4096 }, infos)).toBe(2);
    expect(infos.map(({ lpszIdentifier }) => lpszIdentifier)).toEqual(['two', 'one']);
    await ws.WSACleanup();
    await ws.WSAStartup(0x0202, {} as never);
    expect(await namesOf(ws)).toEqual(['b']);
  });

  test('CFG-FAIL-05, NSP-RULE-08 a catalog that can’t be read leaves the built-in name spaces', async () => {
    const { processOn } = await pair();
    for (const nameSpaces of [() => null, () => Promise.reject(new Error('broken'))]) {
      const ws = await processOn('a', 0, undefined, { nameSpaces });
      await ws.WSAStartup(0x0202, {} as never);
      expect(await ws.WSAEnumNameSpaceProviders({ value: 4096 }, [])).toBe(3);
      expect(await addressesOf(ws, 'printer')).toHaveLength(2);
    }
  });

  test('NSP-RULE-05 a short buffer keeps the place in one provider, LUP_FLUSHPREVIOUS leaves the others alone', async () => {
    const long = 'x'.repeat(300);
    const ws = await started({ one: names('a', long), two: names('b') });
    for (const next of [ws.WSALookupServiceNext, ws.WSALookupServiceNextA]) {
      const handle = await begin(ws);
      const result = querySet();
      const length: Ref = { value: 300 };
      expect(await next(handle, 0, length, result)).toBe(0);
      expect(await next(handle, 0, length, result)).toBe(-WSAEFAULT);
      expect(length.value).toBeGreaterThan(300);
      expect(await next(handle, 0, { value: 300 }, result)).toBe(-WSAEFAULT);
      expect(await next(handle, LUP_FLUSHPREVIOUS, { value: 300 }, result)).toBe(0);
      expect(result.lpszServiceInstanceName).toBe('b');
      expect(await next(handle, LUP_FLUSHPREVIOUS, { value: 300 }, result)).toBe(-WSA_E_NO_MORE);
      expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
      const again = await begin(ws);
      await next(again, 0, { value: 300 }, result);
      expect(await next(again, 0, { value: 300 }, result)).toBe(-WSAEFAULT);
      expect(await next(again, 0, { value: 1024 }, result)).toBe(0);
      expect(result.lpszServiceInstanceName).toBe(long);
    }
  });

  test('NSP-LookupServiceNext Nexts of one lookup take turns', async () => {
    const ws = await started({
      one: defineNameSpace({
        async *find() {
          for (const name of ['a', 'b']) yield { name };
        },
      }),
      two: names('c', 'd'),
    });
    const handle = await begin(ws);
    const results = Array.from({ length: 6 }, () => querySet());
    const answers = results.map((result) => ws.WSALookupServiceNext(handle, 0, { value: 4096 }, result));
    expect(await Promise.all(answers)).toEqual([0, 0, 0, 0, -WSA_E_NO_MORE, -WSA_E_NO_MORE]);
    expect(results.map((each) => each.lpszServiceInstanceName).join('')).toBe('abcd');
  });

  test('NSP-LookupServiceEnd, API-WSALookupServiceEnd, ERR-WSA_E_CANCELLED ends a Next that a provider would keep for ever', async () => {
    let isAborted = false;
    let asked = (): void => {};
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const ws = await started({
      one: defineNameSpace({
        find: ({ signal }) => {
          signal.addEventListener('abort', () => {
            isAborted = true;
          });
          asked();
          return new Promise(() => {});
        },
      }),
    });
    const handle = await begin(ws);
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet());
    await isAsked;
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
    expect(isAborted).toBe(true);
  });

  test('NSP-RULE-03, NSP-RULE-04 context and flags reach the provider as they are', async () => {
    const asked: unknown[] = [];
    const ws = await started({
      one: defineNameSpace({
        find({ context, flags, classId, name }) {
          asked.push([context, flags, classId, name]);
          return [];
        },
      }),
    });
    for (const lpszContext of [null, '', '\\', 'cn=x'])
      await namesOf(ws, { lpszContext, lpNSProviderId: idOf(0), lpszServiceInstanceName: 'n' });
    expect(asked).toEqual(['', '', '\\', 'cn=x'].map((context) => [context, 0xff0, CLASS, 'n']));
  });

  test('NSP-RULE-06 aliases where LUP_RETURN_ALIASES asks for them', async () => {
    const ws = await started({
      one: defineNameSpace({ find: () => [{ name: 'real' }, { name: 'other', isAlias: true }] }),
    });
    const of = async (flags: number) =>
      (await resultsOf(ws, {}, flags)).results.map((each) => [
        each.lpszServiceInstanceName,
        each.dwOutputFlags,
      ]);
    expect(await of(LUP_RETURN_NAME)).toEqual([['real', 0]]);
    expect(await of(LUP_RETURN_NAME | LUP_RETURN_ALIASES)).toEqual([
      ['real', 0],
      ['other', 1],
    ]);
  });

  test('NSP-RULE-10, NSP-RULE-09, API-gethostbyname, API-getaddrinfo hosts of user providers are found, whichever comes first', async () => {
    const modules = { one: host('alice', '10.0.0.21', '2001:db8::21') };
    for (const isBehind of [false, true]) {
      const ws = await started(modules, { isBehind });
      expect(await addressesOf(ws, 'alice', '80')).toEqual(['10.0.0.21:80', '2001:db8::21:80']);
      const found: Ref<hostent | null> = { value: null };
      expect(await ws.gethostbyname('alice', found)).toBe(0);
      expect(found.value).toMatchObject({ h_name: 'alice', h_addr_list: [Uint8Array.of(10, 0, 0, 21)] });
      // What the built-in ones know is still known.
      expect(await addressesOf(ws, 'only4')).toEqual(['192.0.2.9']);
      expect(await ws.gethostbyname('only4', found)).toBe(0);
    }
  });

  test('NSP-RULE-10 addresses of all providers are one list, in catalog order, each once', async () => {
    const ws = await started({ one: host('only4', '10.0.0.21', '192.0.2.9') });
    expect(await addressesOf(ws, 'only4')).toEqual(['10.0.0.21', '192.0.2.9']);
    const { results } = await resultsOf(
      ws,
      { lpServiceClassId: SVCID_INET_HOSTADDRBYNAME, lpszServiceInstanceName: 'only4' },
      LUP_RETURN_ADDR,
    );
    expect(results.map(({ dwNameSpace }) => dwNameSpace)).toEqual([0, 12]);
  });

  test('API-GetAddrInfoEx one name space is asked alone', async () => {
    const ws = await started({ one: host('only4', '10.0.0.21') });
    const found: Ref<never | null> = { value: null };
    const ask = async (dwNameSpace: number, id: string | null): Promise<unknown> => {
      const answer = await ws.GetAddrInfoEx('only4', null, dwNameSpace, id, null, found);
      return answer < 0 ? answer : (found.value as { ai_addr: Uint8Array } | null)?.ai_addr.slice(4, 8);
    };
    expect(await ask(100, null)).toEqual(Uint8Array.of(10, 0, 0, 21));
    expect(await ask(0, idOf(0))).toEqual(Uint8Array.of(10, 0, 0, 21));
    expect(await ask(12, null)).toEqual(Uint8Array.of(192, 0, 2, 9));
  });

  test('NSP-SetService, NSP-REG-01, NSP-REG-02, NSP-REG-03, NSP-REG-04, NSP-REG-05 registration reaches those who keep services', async () => {
    const told: unknown[] = [];
    const keeping = defineNameSpace({
      find: () => [],
      set({ info, classId, operation, flags }: NameService) {
        told.push([info.lpszServiceInstanceName, classId, operation, flags, info.dwNumberOfCsAddrs]);
        return 0;
      },
    });
    const ws = await started({ one: keeping, two: names() });
    const LocalAddr = Uint8Array.of(2, 0, 0, 80, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    const info = querySet({
      lpServiceClassId: CLASS,
      lpszServiceInstanceName: 'shop',
      lpNSProviderId: idOf(0),
      dwNumberOfCsAddrs: 1,
      lpcsaBuffer: [{ LocalAddr, RemoteAddr: null, iSocketType: 1, iProtocol: 6 }],
    });
    for (const [operation, flags] of [
      [RNRSERVICE_REGISTER, 0],
      [RNRSERVICE_REGISTER, SERVICE_MULTIPLE],
      [RNRSERVICE_DEREGISTER, SERVICE_MULTIPLE],
      [RNRSERVICE_DEREGISTER, 0],
      [RNRSERVICE_DELETE, 0],
    ] as const) {
      expect(await ws.WSASetService(info, operation, flags)).toBe(0);
      expect(told.pop()).toEqual(['shop', CLASS, operation, flags, 1]);
    }
    const elsewhere = { ...info, lpNSProviderId: idOf(1) };
    expect(await ws.WSASetService(elsewhere, RNRSERVICE_REGISTER, 0)).toBe(-WSAEOPNOTSUPP);
    expect(await ws.WSASetService({ ...info, lpszServiceInstanceName: '' }, 0, 0)).toBe(-WSAEINVAL);
    expect(told).toEqual([]);
  });

  test('NSP-InstallServiceClass, NSP-RemoveServiceClass, NSP-GetServiceClassInfo a provider keeps classes', async () => {
    const ws = await started({
      one: defineNameSpace({ find: () => [], keepsClasses: true }),
      two: names(),
    });
    const info: WSASERVICECLASSINFO = {
      lpServiceClassId: CLASS,
      lpszServiceClassName: 'Shops',
      lpClassInfos: [
        { lpszName: 'TcpPort', dwNameSpace: 12, dwValueType: 4, lpValue: Uint8Array.of(80, 0, 0, 0) },
      ],
    };
    expect(await ws.WSAInstallServiceClass(info)).toBe(0);
    const found: WSASERVICECLASSINFO = { lpServiceClassId: '', lpszServiceClassName: null, lpClassInfos: [] };
    expect(await ws.WSAGetServiceClassInfo(idOf(0), CLASS, { value: 4096 }, found)).toBe(0);
    expect(found).toEqual(info);
    expect(await ws.WSAGetServiceClassInfo(idOf(1), CLASS, { value: 4096 }, found)).toBe(-WSATYPE_NOT_FOUND);
    expect(await ws.WSARemoveServiceClass(CLASS)).toBe(0);
    expect(await ws.WSAGetServiceClassInfo(idOf(0), CLASS, { value: 4096 }, found)).toBe(-WSATYPE_NOT_FOUND);
    const both = await started({ one: defineNameSpace({ find: () => [], keepsClasses: true }) });
    expect(await both.WSAInstallServiceClass(info)).toBe(0);
    expect(await both.WSAInstallServiceClass(info)).toBe(-WSAEALREADY);
  });
});

overEveryAttachment('change notices of user providers', (pair) => {
  /** A process with two name spaces that tell of changes, and what makes them. */
  const watched = async () => {
    const changed: Record<string, (() => void)[]> = { one: [], two: [] };
    const space = (name: string): NameSpaceModule =>
      defineNameSpace({
        find: () => [],
        watch(_question, tell) {
          changed[name]?.push(tell);
          return () => changed[name]?.splice(0);
        },
      });
    const ws = await processWith(
      await pair(),
      installed({ one: space('one'), two: space('two'), deaf: names() }),
    );
    const change = (name: string): void => {
      for (const tell of changed[name] ?? []) tell();
    };
    return { ws, change, changed };
  };
  const ioctl = (ws: Winsock, handle: number, completion: Parameters<Winsock['WSANSPIoctl']>[7] = null) =>
    ws.WSANSPIoctl(handle, SIO_NSP_NOTIFY_CHANGE, null, 0, null, 0, { value: 9 }, completion);

  test('NSP-Ioctl, IOC-SIO_NSP_NOTIFY_CHANGE, API-WSANSPIoctl a change in any name space ends the wait', async () => {
    const { ws, change, changed } = await watched();
    const handle = await begin(ws);
    for (const name of ['one', 'two', 'one']) {
      const waiting = ioctl(ws, handle);
      change(name);
      expect(await waiting).toBe(0);
    }
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(changed).toEqual({ one: [], two: [] });
  });

  test('NSP-Ioctl NSP_NOTIFY_IMMEDIATELY asks, and tells each change once', async () => {
    const { ws, change } = await watched();
    const handle = await begin(ws);
    const asked = { Type: NSP_NOTIFY_IMMEDIATELY } as const;
    expect(await ioctl(ws, handle, asked)).toBe(-WSAEWOULDBLOCK);
    change('two');
    expect(await ioctl(ws, handle, asked)).toBe(0);
    expect(await ioctl(ws, handle, asked)).toBe(-WSAEWOULDBLOCK);
  });

  test('NSP-Ioctl, STR-WSACOMPLETION by an event and by a completion routine', async () => {
    const { ws, change } = await watched();
    const handle = await begin(ws);
    const hEvent = ws.WSACreateEvent() as number;
    const lpOverlapped = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
    expect(await ioctl(ws, handle, { Type: NSP_NOTIFY_EVENT, lpOverlapped })).toBe(-WSA_IO_PENDING);
    change('two');
    expect(await ws.WSAWaitForMultipleEvents(1, [hEvent], true, 5000, false)).toBe(0);
    expect(lpOverlapped.Internal).toBe(0);
    const told: number[] = [];
    const lpfnCompletionProc = (error: number): void => void told.push(error);
    const record = { ...lpOverlapped, hEvent: 0 };
    const apc = { Type: NSP_NOTIFY_APC, lpOverlapped: record, lpfnCompletionProc } as const;
    expect(await ioctl(ws, handle, apc)).toBe(-WSA_IO_PENDING);
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    await ws.SleepEx(0, true);
    await ws.SleepEx(0, true);
    expect(told).toEqual([WSA_E_CANCELLED]);
  });

  test('NSP-Ioctl, STR-WSACOMPLETION at a completion port, with its key', async () => {
    const { ws, change } = await watched();
    const handle = await begin(ws);
    const hPort = (await ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE)) as number;
    const lpOverlapped = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
    const completion = { Type: NSP_NOTIFY_PORT, lpOverlapped, hPort, Key: 7 } as const;
    expect(await ioctl(ws, handle, completion)).toBe(-WSA_IO_PENDING);
    change('one');
    const [key, of]: [Ref, Ref<unknown>] = [{ value: 0 }, { value: null }];
    expect(await ws.GetQueuedCompletionStatus(hPort, { value: 0 }, key, of as never, 5000)).toBe(1);
    expect([key.value, of.value]).toEqual([7, lpOverlapped]);
    expect(await ioctl(ws, handle, { ...completion, hPort: hPort + 400 })).toBe(-WSA_INVALID_HANDLE);
  });

  test('NSP-Ioctl End ends the wait, providers that cannot tell are WSAEOPNOTSUPP', async () => {
    const { ws } = await watched();
    const handle = await begin(ws);
    const waiting = ioctl(ws, handle);
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
    const deaf = await begin(ws, { lpNSProviderId: idOf(2) });
    expect(await ioctl(ws, deaf)).toBe(-WSAEOPNOTSUPP);
    const other = await begin(ws, { lpNSProviderId: idOf(0) });
    expect(await ws.WSANSPIoctl(other, 1, null, 0, null, 0, { value: 0 })).toBe(-WSAEOPNOTSUPP);
  });
});

overEveryAttachment('a provider from its installation on', (pair) => {
  test('NSP-Startup, NSP-RULE-08, CFG-WSCInstallNameSpace new processes ask it, running ones keep the catalog that they began with', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nsp-'));
    const path = join(folder, 'space.mjs');
    await writeFile(path, 'export const NSPStartup = (id, table) => globalThis.testNameSpace(id, table);');
    const { NSPStartup } = defineNameSpace({ find: () => [{ name: 'installed' }] });
    Object.assign(globalThis, { testNameSpace: NSPStartup });
    const { a: running, processOn } = await pair();
    const id = '3F2A7C10-5B8E-4D53-9C01-7E6D4B2A9F12';
    const own = { lpNSProviderId: id };
    const fresh = async (): Promise<Winsock> => {
      const ws = await processOn('a');
      await ws.WSAStartup(0x0202, {} as never);
      return ws;
    };
    expect(await namesOf(running, own)).toBe(-WSANO_DATA);
    try {
      expect(await running.WSCInstallNameSpace('Test', path, 41, 1, id)).toBe(0);
      expect(await namesOf(running, own)).toBe(-WSANO_DATA);
      expect(await namesOf(await fresh(), own)).toEqual(['installed']);
      expect(await running.WSCEnableNSProvider(id, false)).toBe(0);
      expect(await namesOf(await fresh(), own)).toBe(-WSANO_DATA);
    } finally {
      await running.WSCUnInstallNameSpace(id);
      await rm(folder, { recursive: true });
    }
  });
});

overEveryAttachment('the phone book of the examples', (pair) => {
  test.each(['NSPStartup', 'NSPv2Routine'] as const)(
    'API-getaddrinfo, API-WSASetService, NSP-SetService, NSP2-SetServiceEx %s: hosts that it knows, and what applications register',
    async (version) => {
      const ws = await processWith(await pair(), installed({ book: { [version]: phoneBook[version] } }));
      expect(await addressesOf(ws, 'Alice.phone')).toEqual(['10.0.0.21', '2001:db8::21']);
      expect(await addressesOf(ws, 'only4')).toEqual(['192.0.2.9']);
      const bob = querySet({
        lpServiceClassId: CLASS,
        lpszServiceInstanceName: 'bob.phone',
        lpNSProviderId: idOf(0),
        dwNumberOfCsAddrs: 1,
        lpcsaBuffer: [{ LocalAddr: null, RemoteAddr: name('10.0.0.22', 80), iSocketType: 1, iProtocol: 6 }],
      });
      expect(await ws.WSASetService(bob, RNRSERVICE_REGISTER, 0)).toBe(0);
      expect(await addressesOf(ws, 'bob.phone', '80')).toEqual(['10.0.0.22:80']);
      expect(await ws.WSASetService(bob, RNRSERVICE_DELETE, 0)).toBe(0);
      expect(await addressesOf(ws, 'bob.phone')).toBeLessThan(0);
    },
  );
});

describe('SVCID_TCP', () => {
  test('NSP-RULE-09 the third field is the type of DNS records', () => {
    expect(SVCID_TCP(80, 28)).toBe('00090050-001C-0000-C000-000000000046');
  });
});
