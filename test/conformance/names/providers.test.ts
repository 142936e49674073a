import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  NS_DNS,
  packWSAQUERYSET,
  querySet,
  RNRSERVICE_DELETE,
  RNRSERVICE_DEREGISTER,
  RNRSERVICE_REGISTER,
  SVCID_TCP,
  sockaddrOf,
  WSA_E_CANCELLED,
  WSA_E_NO_MORE,
  WSAEACCES,
  WSAECANCELLED,
  WSAEFAULT,
  WSAEINVAL,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAENOMORE,
  WSAEOPNOTSUPP,
  WSAEPROVIDERFAILEDINIT,
  type WSANAMESPACE_INFOEX,
  WSANO_DATA,
  type WSAQUERYSET,
  WSASERVICE_NOT_FOUND,
  WSASYSCALLFAILURE,
  WSATYPE_NOT_FOUND,
} from '../../../src/abi/index.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { type NamePort, type NameSpaceEntry, NO_NAMES } from '../../../src/port/index.ts';
import {
  createLocalNameSpace,
  createNetworkNameSpace,
  createTcpipNameSpace,
  type NSP_ROUTINE,
  NSP_ROUTINE_LEN,
  type NSPStartup,
  type Ref,
  ServiceTable,
} from '../../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../../src/winsock/index.ts';
import { FakePort } from '../../unit/spi/fake-port.ts';
import { wsadata } from '../support.ts';

const CLASS = '5F7E1A11-0000-4000-8000-000000000001';
const id = (number: number): string => `00000000-0000-0000-0000-00000000000${number}`;

/** A provider of a user's that gives out names, or fails. */
interface Scripted {
  /** Results; a number is an error of Next. */
  readonly results?: readonly (string | number)[];
  readonly beginError?: number;
  readonly change?: (routines: Partial<NSP_ROUTINE>) => void;
}

let calls: string[] = [];
beforeEach(() => {
  calls = [];
});

function scripted(name: string, { results = [], beginError = 0, change }: Scripted): NSPStartup {
  return (providerId, routines) => {
    calls.push(`${name} startup ${providerId.slice(-1)} ${routines.cbSize}`);
    let next = 0;
    const own: NSP_ROUTINE = {
      cbSize: NSP_ROUTINE_LEN,
      dwMajorVersion: 1,
      dwMinorVersion: 0,
      NSPCleanup: () => (calls.push(`${name} cleanup`), 0),
      NSPLookupServiceBegin(_id, _set, info, _flags, handle) {
        calls.push(`${name} begin ${info?.lpszServiceClassName ?? 'no class'}`);
        handle.value = 77;
        next = 0;
        return beginError === 0 ? 0 : -beginError;
      },
      NSPLookupServiceNext(_handle, _flags, length, into) {
        const result = results[next];
        if (result === undefined) return -WSA_E_NO_MORE;
        if (typeof result === 'number') {
          next++;
          return -result;
        }
        const set = querySet({ lpszServiceInstanceName: result });
        const needed = packWSAQUERYSET(set, 'W').length;
        if (length.value < needed) {
          length.value = needed;
          return -WSAEFAULT;
        }
        next++;
        Object.assign(into, set);
        return 0;
      },
      NSPLookupServiceEnd: (handle) => (calls.push(`${name} end ${handle}`), 0),
      NSPSetService: (_id, info, set, operation) => {
        calls.push(`${name} set ${info?.lpszServiceClassName} ${set.lpszServiceInstanceName} ${operation}`);
        return 0;
      },
      NSPInstallServiceClass: () => -WSAEOPNOTSUPP,
      NSPRemoveServiceClass: () => -WSATYPE_NOT_FOUND,
      NSPGetServiceClassInfo(_id, _length, info) {
        info.lpszServiceClassName = `${name}’s`;
        return 0;
      },
    };
    Object.assign(routines, own);
    change?.(routines);
    return 0;
  };
}

/** A process with such providers, in that order; inactive ones are `null`. */
async function processWith(providers: Record<string, Scripted | null | NSPStartup>): Promise<Winsock> {
  const entries = Object.entries(providers);
  const nameSpaces = entries.map(
    ([identifier, provider], i): NameSpaceEntry => ({
      providerId: id(i + 1),
      identifier,
      dwNameSpace: 100 + i,
      version: 1,
      isActive: provider !== null,
      isV2: false,
      path: identifier,
      blob: null,
    }),
  );
  const ws = createWinsock({
    port: new FakePort(),
    nameSpaces: () => nameSpaces,
    loadNameSpace: async (path) => {
      const provider = providers[path];
      return { NSPStartup: typeof provider === 'function' ? provider : scripted(path, provider ?? {}) };
    },
  });
  await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
  return ws;
}

/** The names that a lookup gives out, and how it ended. */
async function lookedUp(
  ws: Winsock,
  members: Partial<WSAQUERYSET> = {},
): Promise<(string | null)[] | number> {
  const handle: Ref = { value: 0 };
  const set = querySet({ lpServiceClassId: CLASS, ...members });
  const begun = await ws.WSALookupServiceBegin(set, 0x10, handle);
  if (begun < 0) return begun;
  const names: (string | null)[] = [];
  for (;;) {
    const result = querySet();
    const answer = await ws.WSALookupServiceNext(handle.value, 0, { value: 4096 }, result);
    if (answer < 0) {
      await ws.WSALookupServiceEnd(handle.value);
      return names.length > 0 && answer === -WSA_E_NO_MORE ? names : answer;
    }
    names.push(result.lpszServiceInstanceName);
  }
}

describe('name-space providers of users', () => {
  test('NSP-Startup, NSP-Cleanup, NSP-RULE-08 started at the first use, once, and cleaned up with the last WSACleanup', async () => {
    const ws = await processWith({ one: { results: ['a'] } });
    expect(calls).toEqual([]);
    await lookedUp(ws);
    await lookedUp(ws);
    expect(calls.filter((call) => call.includes('startup'))).toEqual([`one startup 1 ${NSP_ROUTINE_LEN}`]);
    await ws.WSACleanup();
    expect(calls.at(-1)).toBe('one cleanup');
    await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    await lookedUp(ws);
    expect(calls.filter((call) => call.includes('startup'))).toHaveLength(2);
  });

  test('NSP-RULE-02 every provider is asked, results follow provider by provider', async () => {
    const ws = await processWith({ one: { results: ['a', 'b'] }, two: {}, three: { results: ['c'] } });
    expect(await lookedUp(ws)).toEqual(['a', 'b', 'c']);
    expect(await lookedUp(ws, { dwNameSpace: 102 })).toEqual(['c']);
    expect(await lookedUp(ws, { lpNSProviderId: id(1) })).toEqual(['a', 'b']);
  });

  test('NSP-RULE-02 one that accepts is enough; with none the first error is the answer', async () => {
    const refusing = { beginError: WSASERVICE_NOT_FOUND };
    expect(await lookedUp(await processWith({ one: refusing, two: { results: ['b'] } }))).toEqual(['b']);
    expect(await lookedUp(await processWith({ one: refusing, two: { beginError: WSAEINVAL } }))).toBe(
      -WSASERVICE_NOT_FOUND,
    );
    expect(await lookedUp(await processWith({}))).toBe(-WSANO_DATA);
  });

  test('API-WSALookupServiceNext, ERR-WSA_E_NO_MORE, ERR-WSAENOMORE the end of one is not the end of all', async () => {
    const ws = await processWith({
      one: { results: ['a', WSAENOMORE] },
      two: { results: [WSANO_DATA] },
      three: { results: ['c'] },
    });
    expect(await lookedUp(ws)).toEqual(['a', 'c']);
    expect(await lookedUp(await processWith({ one: {}, two: { results: [WSANO_DATA] } }))).toBe(-WSANO_DATA);
    expect(await lookedUp(await processWith({ one: {} }))).toBe(-WSA_E_NO_MORE);
  });

  test('ERR-WSAECANCELLED, ERR-WSA_E_CANCELLED the old code of a cancelled lookup is the new one', async () => {
    expect(await lookedUp(await processWith({ one: { results: [WSAECANCELLED] } }))).toBe(-WSA_E_CANCELLED);
  });

  test('NSP-LookupServiceBegin, NSP-LookupServiceNext, NSP-LookupServiceEnd its own handle, and its class', async () => {
    const ws = await processWith({ one: { results: ['a'] } });
    await lookedUp(ws);
    expect(calls.slice(1)).toEqual(['one begin one’s', 'one end 77']);
  });

  test('NSP-SetService gets the class, and the operation', async () => {
    const ws = await processWith({ one: {}, two: null });
    const info = querySet({ lpServiceClassId: CLASS, lpszServiceInstanceName: 'shop' });
    expect(await ws.WSASetService(info, RNRSERVICE_REGISTER, 0)).toBe(0);
    expect(calls.slice(1)).toEqual(['one set one’s shop 0']);
  });

  test('NSP-RULE-07 inactive providers are listed, and never called', async () => {
    const ws = await processWith({ one: null, two: { results: ['b'] } });
    expect(await lookedUp(ws)).toEqual(['b']);
    expect(calls.some((call) => call.startsWith('one'))).toBe(false);
    const infos: WSANAMESPACE_INFOEX[] = [];
    expect(await ws.WSAEnumNameSpaceProvidersEx({ value: 4096 }, infos)).toBe(2);
    expect(infos.map(({ lpszIdentifier, fActive }) => [lpszIdentifier, fActive])).toEqual([
      ['one', false],
      ['two', true],
    ]);
  });

  test.each([
    ['NSP-Startup a provider that fails to start', () => -WSAEINVAL, WSAEINVAL],
    [
      'NSP-Startup, ERR-WSAEPROVIDERFAILEDINIT a provider that throws',
      () => {
        throw new Error('no');
      },
      WSAEPROVIDERFAILEDINIT,
    ],
    [
      'STR-NSP_ROUTINE, ERR-WSAEINVALIDPROCTABLE a table with a hole',
      scripted('one', {
        change: (routines) => delete (routines as { NSPSetService?: unknown }).NSPSetService,
      }),
      WSAEINVALIDPROCTABLE,
    ],
    [
      'STR-NSP_ROUTINE, ERR-WSAEINVALIDPROVIDER a version that nobody knows',
      scripted('one', { change: (routines) => Object.assign(routines, { dwMajorVersion: 9 }) }),
      WSAEINVALIDPROVIDER,
    ],
  ] as const)('%s is left out, and the others answer', async (_title, startup, error) => {
    expect(await lookedUp(await processWith({ one: startup }))).toBe(-error);
    expect(await lookedUp(await processWith({ one: startup, two: { results: ['b'] } }))).toEqual(['b']);
  });

  test('ERR-WSASYSCALLFAILURE a provider that throws has failed, and the others answer', async () => {
    const fail = (): never => {
      throw new Error('broken');
    };
    const broken = (members: Partial<NSP_ROUTINE>) =>
      scripted('one', { results: ['a'], change: (routines) => Object.assign(routines, members) });
    const two = { results: ['b'] };
    const throwing = { NSPLookupServiceNext: fail, NSPLookupServiceEnd: fail, NSPGetServiceClassInfo: fail };
    expect(await lookedUp(await processWith({ one: broken(throwing) }))).toBe(-WSASYSCALLFAILURE);
    const rejecting = { NSPLookupServiceBegin: () => Promise.reject(new Error('broken')), NSPCleanup: fail };
    const ws = await processWith({ one: broken(rejecting), two });
    expect(await lookedUp(ws)).toEqual(['b']);
    expect(await lookedUp(await processWith({ one: broken(throwing), two }))).toEqual(['b']);
    expect(await ws.WSACleanup()).toBe(0);
  });

  test('ERR-WSAEPROVIDERFAILEDINIT a provider that is not there', async () => {
    const entry: NameSpaceEntry = {
      providerId: id(9),
      identifier: 'gone',
      dwNameSpace: 1,
      version: 1,
      isActive: true,
      isV2: false,
      path: '/nowhere.mjs',
      blob: null,
    };
    const ws = createWinsock({ port: new FakePort(), nameSpaces: () => [entry] });
    await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    expect(await lookedUp(ws)).toBe(-WSAEPROVIDERFAILEDINIT);
  });
});

describe('services of the link', () => {
  /** A resolver that keeps what is registered. */
  function registrar(error = 0) {
    const offered = new Map<number, unknown>();
    let last = 0;
    const names: NamePort = {
      ...NO_NAMES,
      async register(service) {
        if (error !== 0) return { error, id: 0, instance: service.instance };
        offered.set(++last, service);
        return { error: 0, id: last, instance: service.instance };
      },
      deregister: async (number) => (offered.delete(number) ? 0 : WSASERVICE_NOT_FOUND),
    };
    return { offered, names };
  }
  const printer = (members: Partial<WSAQUERYSET> = {}): WSAQUERYSET =>
    querySet({
      lpServiceClassId: SVCID_TCP(631),
      lpszServiceInstanceName: 'Print Room._ipp._tcp.local',
      dwNameSpace: NS_DNS,
      ...members,
    });
  const started = async (names: NamePort): Promise<Winsock> => {
    const ws = createWinsock({ port: new FakePort(), names });
    await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    return ws;
  };

  test('API-WSASetService, NSP-SetService a DNS-SD name is offered by the host, replaced and taken back', async () => {
    const { offered, names } = registrar();
    const ws = await started(names);
    const set = (members: Partial<WSAQUERYSET>, operation: number = RNRSERVICE_REGISTER) =>
      ws.WSASetService(printer(members), operation, 0);
    expect(await set({ lpBlob: Uint8Array.of(3, 97, 61, 49, 0) })).toBe(0);
    const service = { instance: 'Print Room', type: '_ipp._tcp', subtypes: [], port: 631 };
    expect([...offered.values()]).toEqual([{ ...service, texts: [Uint8Array.of(97, 61, 49)] }]);
    const LocalAddr = sockaddrOf(IpAddress.anyV4, 8631);
    const end = { LocalAddr, RemoteAddr: null, iSocketType: 1, iProtocol: 6 };
    expect(await set({ dwNumberOfCsAddrs: 1, lpcsaBuffer: [end] })).toBe(0);
    expect([...offered.values()]).toEqual([{ ...service, port: 8631, texts: [] }]);
    expect(await set({ lpszServiceInstanceName: 'PRINT ROOM._IPP._TCP' }, RNRSERVICE_DELETE)).toBe(0);
    expect(offered.size).toBe(0);
    expect(await set({}, RNRSERVICE_DEREGISTER)).toBe(-WSASERVICE_NOT_FOUND);
    expect(await set({})).toBe(0);
    await ws.WSACleanup();
    expect(offered.size).toBe(0);
  });

  test('API-WSASetService dots of an instance are its own, escaped or not', async () => {
    const { offered, names } = registrar();
    const ws = await started(names);
    const set = (lpszServiceInstanceName: string, operation: number) =>
      ws.WSASetService(printer({ lpszServiceInstanceName }), operation, 0);
    expect(await set('Dr. Smith._ipp._tcp.local', RNRSERVICE_REGISTER)).toBe(0);
    expect([...offered.values()]).toMatchObject([{ instance: 'Dr. Smith', type: '_ipp._tcp' }]);
    expect(await set('Dr\\. Smith._ipp._tcp.local', RNRSERVICE_DELETE)).toBe(0);
    expect(offered.size).toBe(0);
  });

  test('API-WSASetService, NSP-REG-05 what cannot be offered', async () => {
    const ws = await started(registrar().names);
    const set = (members: Partial<WSAQUERYSET>) => ws.WSASetService(printer(members), RNRSERVICE_REGISTER, 0);
    expect(await set({ lpszServiceInstanceName: 'www.example.test' })).toBe(-WSAEOPNOTSUPP);
    expect(await set({ lpServiceClassId: CLASS })).toBe(-WSAEINVAL);
    expect(await set({ lpBlob: Uint8Array.of(9, 97) })).toBe(-WSAEINVAL);
    const refusing = await started(registrar(WSAEACCES).names);
    expect(await refusing.WSASetService(printer(), RNRSERVICE_REGISTER, 0)).toBe(-WSAEACCES);
  });
});

describe('the built-in providers', () => {
  const built: readonly (readonly [string, NSPStartup])[] = [
    ['Tcpip', createTcpipNameSpace(NO_NAMES, new ServiceTable())],
    ['networks', createNetworkNameSpace(NO_NAMES)],
    ['local services', createLocalNameSpace()],
  ];

  test.each(built)('NSP-Startup %s refuses a table that is too small', (_name, startup) => {
    expect(startup(id(1), { cbSize: 40 })).toBe(-WSAEINVAL);
    const routines: Partial<NSP_ROUTINE> = { cbSize: NSP_ROUTINE_LEN };
    expect(startup(id(1), routines)).toBe(0);
    expect(routines.dwMajorVersion).toBe(1);
    // An older table ends before NSPIoctl.
    expect(routines.cbSize).toBe(routines.NSPIoctl === undefined ? 80 : NSP_ROUTINE_LEN);
  });

  test('NSP-SetService, NSP-InstallServiceClass static name spaces keep nothing', async () => {
    for (const [, startup] of built.slice(0, 2)) {
      const routines = {} as NSP_ROUTINE;
      startup(id(1), routines);
      const set = querySet({ lpServiceClassId: CLASS, lpszServiceInstanceName: 'x' });
      expect(await routines.NSPSetService(id(1), null, set, 0, 0)).toBe(-WSAEOPNOTSUPP);
      const info = { lpServiceClassId: CLASS, lpszServiceClassName: 'x', lpClassInfos: [] };
      expect(await routines.NSPInstallServiceClass(id(1), info)).toBe(-WSAEOPNOTSUPP);
      expect(await routines.NSPRemoveServiceClass(id(1), CLASS)).toBe(-WSATYPE_NOT_FOUND);
      expect(await routines.NSPGetServiceClassInfo(id(1), { value: 99 }, info)).toBe(-WSATYPE_NOT_FOUND);
    }
  });

  test('NSP-Cleanup ends what is open', async () => {
    const routines = {} as NSP_ROUTINE;
    await createLocalNameSpace()(id(1), routines);
    const handle: Ref = { value: 0 };
    const set = querySet({ lpServiceClassId: CLASS });
    expect(await routines.NSPLookupServiceBegin(id(1), set, null, 0, handle)).toBe(0);
    const waiting = routines.NSPIoctl?.(handle.value, 0x88000019, null, 0, null, 0, { value: 0 }, null, null);
    expect(await routines.NSPCleanup(id(1))).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
    expect(await routines.NSPLookupServiceEnd(handle.value)).toBeLessThan(0);
  });
});
