import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  packWSAQUERYSET,
  querySet,
  SVCID_INET_HOSTADDRBYNAME,
  WSA_E_CANCELLED,
  WSA_E_NO_MORE,
  WSAEFAULT,
  WSAEINVAL,
  WSAEPROVIDERFAILEDINIT,
  WSAETIMEDOUT,
  WSANO_DATA,
  type WSAQUERYSET,
  WSASYSCALLFAILURE,
} from '../../../src/abi/index.ts';
import { VirtualTime } from '../../../src/sim/index.ts';
import {
  defineNameSpace,
  type NameSpaceModule,
  NSP_ENTRIES,
  type NSP_ROUTINE,
  NSP_ROUTINE_LEN,
  NSPV2_ENTRIES,
  type NSPV2_ROUTINE,
  type Ref,
} from '../../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock, type WinsockOptions } from '../../../src/winsock/index.ts';
import { FakePort } from '../../unit/spi/fake-port.ts';
import { wsadata } from '../support.ts';
import { addressesOf } from './support.ts';
import { begin, CLASS, idOf, installed, namesOf, resultsOf } from './user-spaces.ts';

const healthy = (): NameSpaceModule => ({
  NSPStartup: defineNameSpace({ find: () => [{ name: 'well', addresses: [{ address: '10.0.0.9' }] }] })
    .NSPStartup,
});

/** A process with providers, and time that goes on when a test says so. */
async function started(
  modules: Record<string, NameSpaceModule>,
  more: Partial<WinsockOptions> = {},
): Promise<Winsock> {
  const ws = createWinsock({ port: new FakePort(), ...installed(modules), ...more });
  await ws.WSAStartup(MAKEWORD(2, 2), wsadata());
  return ws;
}

/** The table of a provider that finds one name, with some entries of another kind. */
function tampered(members: Record<string, unknown>): NameSpaceModule {
  const { NSPStartup } = defineNameSpace({ find: () => [{ name: 'ill' }] });
  return {
    NSPStartup(id, table) {
      const answer = NSPStartup(id, table);
      Object.assign(table, members);
      return answer;
    },
  };
}

/** The same in version 2. */
function tampered2(members: Record<string, unknown>): NameSpaceModule {
  const { NSPv2Routine } = defineNameSpace({ find: () => [{ name: 'ill' }] });
  return { NSPv2Routine: { ...NSPv2Routine, ...members } as NSPV2_ROUTINE };
}

const fail = (): never => {
  throw new Error('broken');
};
const never = new Promise<number>(() => {});

describe('providers that break', () => {
  const nonsense: readonly (readonly [string, () => unknown])[] = [
    ['throw', fail],
    ['throw what is no error', () => Promise.reject(null)],
    ['reject', async () => fail()],
    ['answer nothing', () => null],
    ['answer text', () => 'ok'],
    ['answer NaN', () => Number.NaN],
    ['answer a code without its sign', () => WSANO_DATA],
    ['answer SOCKET_ERROR', () => -1],
    ['answer what is no code', () => -(2 ** 40)],
    ['promise text', async () => ({})],
    ['answer a thenable that throws', () => Object.fromEntries([['then', fail]])],
  ];

  test.each(nonsense)(
    'NSP-LookupServiceNext entries that %s: its part fails, and the others answer',
    async (_how, call) => {
      for (const name of NSP_ENTRIES) {
        const ill = tampered({ [name]: call });
        const ws = await started({ ill, well: healthy() });
        const isOfLookup = name === 'NSPLookupServiceBegin' || name === 'NSPLookupServiceNext';
        expect([name, await namesOf(ws)]).toEqual([name, isOfLookup ? ['well'] : ['ill', 'well']]);
        const alone = await namesOf(ws, { lpNSProviderId: idOf(0) });
        expect([name, alone]).toEqual([name, isOfLookup ? -WSASYSCALLFAILURE : ['ill']]);
        expect(await ws.WSACleanup()).toBe(0);
      }
      for (const name of NSPV2_ENTRIES) {
        const ws = await started({ ill: tampered2({ [name]: call }), well: healthy() });
        const isOfLookup = /Begin|Next|Startup/.test(name);
        expect([name, await namesOf(ws)]).toEqual([name, isOfLookup ? ['well'] : ['ill', 'well']]);
        expect(await ws.WSACleanup()).toBe(0);
      }
    },
  );

  test('NSP-Startup modules and startups of any kind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), fc.anything(), fc.boolean(), async (answer, table, isV2) => {
        const NSPStartup = (_id: string, into: object): unknown => {
          Object.assign(into, table);
          return answer;
        };
        const ill = (isV2 ? { NSPv2Routine: table } : { NSPStartup }) as NameSpaceModule;
        const ws = await started({ ill, well: healthy() });
        expect(await namesOf(ws)).toEqual(['well']);
        expect(await ws.WSACleanup()).toBe(0);
      }),
      { numRuns: 200 },
    );
    const [ill] = [{ NSPStartup: fail }];
    expect(await namesOf(await started({ ill }), { lpNSProviderId: idOf(0) })).toBe(-WSAEPROVIDERFAILEDINIT);
  });

  test('NSP-LookupServiceNext results of any kind are checked before anybody sees them', async () => {
    const member = fc.constantFrom(...Object.keys(querySet()));
    const wild = fc.oneof(
      fc.anything(),
      fc.constantFrom<unknown>(
        -1,
        2 ** 31,
        2 ** 32,
        1e9,
        '{}',
        'x\0y',
        'x'.repeat(40_000),
        new Uint8Array(1 << 20),
      ),
      fc.constantFrom<unknown>([null], [{}], [{ LocalAddr: new Uint8Array(999) }], { length: 2 ** 31 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(member, wild), fc.anything(), async (members, length) => {
        let given = false;
        const NSPLookupServiceNext: NSP_ROUTINE['NSPLookupServiceNext'] = (_handle, _flags, need, into) => {
          if (given) return -WSA_E_NO_MORE;
          given = true;
          (need as Ref<unknown>).value = length;
          Object.assign(into, members);
          return 0;
        };
        const ws = await started({ ill: tampered({ NSPLookupServiceNext }), well: healthy() });
        const { results, error } = await resultsOf(ws);
        expect(error).toBe(WSA_E_NO_MORE);
        expect(results.at(-1)?.lpszServiceInstanceName).toBe('well');
        for (const result of results) {
          expect(packWSAQUERYSET(result, 'W').length).toBeLessThanOrEqual(1 << 20);
          expect(result.lpcsaBuffer?.length ?? 0).toBe(result.dwNumberOfCsAddrs);
          expect(result.dwSize).toBe(120);
        }
        expect(await ws.WSACleanup()).toBe(0);
      }),
      { numRuns: 400 },
    );
  });

  test.each([
    ['a count without an array', { dwNumberOfCsAddrs: 1 }],
    [
      'a count beyond the array',
      {
        dwNumberOfCsAddrs: 2,
        lpcsaBuffer: [{ LocalAddr: null, RemoteAddr: null, iSocketType: 1, iProtocol: 6 }],
      },
    ],
    ['a class that is no GUID', { lpServiceClassId: 'host' }],
    ['a text that is none', { lpszServiceInstanceName: 5 }],
    ['a blob that is none', { lpBlob: [1, 2] }],
    ['a getter that throws', Object.defineProperty({}, 'lpszComment', { get: fail, enumerable: true })],
  ] as const)('STR-WSAQUERYSET a result with %s is none', async (_what, members) => {
    const NSPLookupServiceNext = (_h: number, _f: number, _l: Ref, into: WSAQUERYSET): number => {
      Object.defineProperties(into, Object.getOwnPropertyDescriptors(members));
      return 0;
    };
    const ws = await started({ ill: tampered({ NSPLookupServiceNext }) });
    expect(await namesOf(ws, { lpNSProviderId: idOf(0) })).toBe(-WSASYSCALLFAILURE);
  });

  test.each([0, 99, 100, -5, 2 ** 31, Number.NaN, '4096'])(
    'NSP-RULE-05 a need of %p bytes where 100 were given is no need',
    async (need) => {
      const NSPLookupServiceNext = (_h: number, _f: number, length: Ref<unknown>): number => {
        length.value = need;
        return -WSAEFAULT;
      };
      const ws = await started({ ill: tampered({ NSPLookupServiceNext }), well: healthy() });
      const handle = await begin(ws);
      const length: Ref = { value: 100 };
      // The healthy one answers next, and states its own need.
      expect(await ws.WSALookupServiceNext(handle, 0, length, querySet())).toBe(-WSAEFAULT);
      expect(length.value).toBeGreaterThan(100);
      const result = querySet();
      expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(0);
      expect(result.lpszServiceInstanceName).toBe('well');
    },
  );

  test('NSP-RULE-05 a result that is larger than the room is kept, and told with its own need', async () => {
    let given = 0;
    const NSPLookupServiceNext = (_h: number, _f: number, _l: Ref, into: WSAQUERYSET): number => {
      if (given++ > 0) return -WSA_E_NO_MORE;
      into.lpszServiceInstanceName = 'a name that takes room';
      return 0;
    };
    const ws = await started({ ill: tampered({ NSPLookupServiceNext }) });
    const handle = await begin(ws, { lpNSProviderId: idOf(0) });
    const [length, result] = [{ value: 0 }, querySet()];
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(-WSAEFAULT);
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(0);
    expect(length.value).toBe(packWSAQUERYSET(result, 'W').length);
    expect(await ws.WSALookupServiceNext(handle, 0, length, result)).toBe(-WSA_E_NO_MORE);
  });

  test('NSP-LookupServiceBegin what one provider does to a question, the next does not see', async () => {
    const asked: unknown[] = [];
    const NSPLookupServiceBegin = (
      _id: string,
      set: WSAQUERYSET,
      _info: unknown,
      _flags: number,
      handle: Ref,
    ) => {
      asked.push(set.lpafpProtocols?.[0]?.iAddressFamily);
      Object.assign(set, { lpszServiceInstanceName: 'spoilt', lpServiceClassId: null });
      for (const protocol of set.lpafpProtocols ?? []) protocol.iAddressFamily = 99;
      handle.value = 1;
      return 0;
    };
    const ill = tampered({ NSPLookupServiceBegin });
    const ws = await started({ ill, two: ill });
    const protocols = [{ iAddressFamily: 23, iProtocol: 6 }];
    const handle = await begin(ws, { dwNumberOfProtocols: 1, lpafpProtocols: protocols });
    expect(asked).toEqual([23, 23]);
    expect(protocols).toEqual([{ iAddressFamily: 23, iProtocol: 6 }]);
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
  });

  test('ERR-WSA_E_CANCELLED one that says so without being asked to has failed, and the others answer', async () => {
    const ill = tampered({ NSPLookupServiceNext: () => -WSA_E_CANCELLED });
    const ws = await started({ ill, well: healthy() });
    expect(await namesOf(ws)).toEqual(['well']);
    expect(await namesOf(ws, { lpNSProviderId: idOf(0) })).toBe(-WSA_E_CANCELLED);
  });

  test('NSP-RULE-10, API-getaddrinfo one that never comes to an end is heard out for a while', async () => {
    const { NSPStartup } = defineNameSpace({
      *find() {
        for (let i = 0; ; i++)
          yield { name: `n${i}`, addresses: [{ address: `10.1.${i & 0xff}.${i >> 8}` }] };
      },
    });
    const ws = await started({ ill: { NSPStartup }, well: healthy() });
    expect(await addressesOf(ws, 'well')).toHaveLength(256);
    const { results } = await resultsOf(ws, { lpNSProviderId: idOf(1) });
    expect(results).toHaveLength(1);
  });
});

describe('providers that hang', () => {
  const LIMIT = 30_000;

  test.each(['NSPStartup', 'NSPLookupServiceBegin', 'NSPLookupServiceNext', 'NSPGetServiceClassInfo'])(
    'NSP-LookupServiceNext, ERR-WSAETIMEDOUT %s without an answer: its part fails when the limit is over',
    async (name) => {
      const scheduler = new VirtualTime();
      const ill: NameSpaceModule =
        name === 'NSPStartup' ? { NSPStartup: () => never } : tampered({ [name]: () => never });
      const ws = await started({ ill, well: healthy() }, { scheduler });
      let names: unknown = null;
      const looking = namesOf(ws).then((found) => {
        names = found;
      });
      await settled();
      advance(scheduler, LIMIT - 1);
      await settled();
      expect(names).toBeNull();
      advance(scheduler, 1);
      await looking;
      expect(names).toEqual(['well']);
      // It is not waited for a second time.
      expect(await namesOf(ws)).toEqual(['well']);
      const alone = name === 'NSPStartup' ? WSAEPROVIDERFAILEDINIT : WSAETIMEDOUT;
      expect(await namesOf(ws, { lpNSProviderId: idOf(0) })).toBe(-alone);
      expect(scheduler.next).toBe(Number.POSITIVE_INFINITY);
    },
  );

  test('NSP-LookupServiceNext it is asked again when what hung has ended', async () => {
    const scheduler = new VirtualTime();
    let answer = (_name: string): void => {};
    const { NSPStartup } = defineNameSpace({
      find: ({ name }) =>
        name === 'slow'
          ? new Promise((resolve) => {
              answer = (late) => resolve([{ name: late }]);
            })
          : [{ name: 'fast' }],
    });
    const ws = await started({ ill: { NSPStartup } }, { scheduler, nameSpaceLimit: 500 });
    const own = { lpNSProviderId: idOf(0) };
    const looking = namesOf(ws, { ...own, lpszServiceInstanceName: 'slow' });
    await settled();
    advance(scheduler, 500);
    expect(await looking).toBe(-WSAETIMEDOUT);
    expect(await namesOf(ws, own)).toBe(-WSAETIMEDOUT);
    answer('late');
    await settled();
    expect(await namesOf(ws, own)).toEqual(['fast']);
  });

  test('API-WSALookupServiceEnd, API-WSACleanup what hangs holds up neither', async () => {
    const scheduler = new VirtualTime();
    const ill = tampered({ NSPLookupServiceNext: () => never, NSPCleanup: () => never });
    const ws = await started({ ill }, { scheduler });
    const handle = await begin(ws, { lpNSProviderId: idOf(0) });
    const waiting = ws.WSALookupServiceNext(handle, 0, { value: 4096 }, querySet());
    await settled();
    expect(await ws.WSALookupServiceEnd(handle)).toBe(0);
    expect(await waiting).toBe(-WSA_E_CANCELLED);
    expect(await ws.WSACleanup()).toBe(0);
  });

  test('ERR-WSAETIMEDOUT a hang counts less than what another provider knows', async () => {
    const scheduler = new VirtualTime();
    const knowing = defineNameSpace({ find: () => -WSANO_DATA });
    const ill = tampered({ NSPLookupServiceNext: () => never });
    const ws = await started({ ill, two: { NSPStartup: knowing.NSPStartup } }, { scheduler });
    const looking = namesOf(ws, { lpServiceClassId: CLASS });
    await settled();
    advance(scheduler, LIMIT);
    expect(await looking).toBe(-WSANO_DATA);
  });
});

describe('lengths of buffers', () => {
  const text = fc.option(fc.string({ unit: 'binary', maxLength: 40 }).map((all) => all.replaceAll('\0', '')));
  const end = fc.record({
    LocalAddr: fc.option(fc.uint8Array({ maxLength: 28 })),
    RemoteAddr: fc.option(fc.uint8Array({ maxLength: 28 })),
    iSocketType: fc.integer({ min: 0, max: 5 }),
    iProtocol: fc.integer({ min: 0, max: 255 }),
  });
  const members = fc.record({
    lpszServiceInstanceName: text,
    lpszComment: text,
    lpszContext: text,
    lpszQueryString: text,
    lpVersion: fc.option(fc.record({ dwVersion: fc.nat(), ecHow: fc.constantFrom(0, 1) })),
    lpcsaBuffer: fc.array(end, { minLength: 1, maxLength: 4 }),
    lpBlob: fc.option(fc.uint8Array({ maxLength: 64 })),
  });

  test.each(['NSPStartup', 'NSPv2Routine'] as const)(
    'NSP-RULE-05, NSP-LookupServiceNext, NSP2-LookupServiceNextEx %s: what fits is given, what does not is told to the byte',
    async (version) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(members, { minLength: 1, maxLength: 3 }),
          fc.array(fc.nat({ max: 700 }), { maxLength: 12 }),
          fc.boolean(),
          async (all, rooms, isA) => {
            const sets = all.map((each) => ({ ...each, dwNumberOfCsAddrs: each.lpcsaBuffer.length }));
            const defined = defineNameSpace({ find: () => sets.map((set) => ({ members: set })) });
            const ws = await started({ one: { [version]: defined[version] } });
            const next = isA ? ws.WSALookupServiceNextA : ws.WSALookupServiceNext;
            const form = isA ? 'A' : 'W';
            const handle = await begin(ws, { lpNSProviderId: idOf(0) });
            const given: (string | null)[] = [];
            let need = 0;
            for (const room of [...rooms, 4096, 4096, 4096, 4096]) {
              const [length, result] = [{ value: room }, querySet()];
              const answer = await next(handle, 0, length, result);
              if (answer === -WSAEFAULT) {
                expect(length.value).toBeGreaterThan(room);
                if (need !== 0) expect(length.value).toBe(need);
                need = length.value;
                expect(result).toEqual(querySet());
                continue;
              }
              if (answer === -WSA_E_NO_MORE) break;
              expect(answer).toBe(0);
              const taken = packWSAQUERYSET(result, form).length;
              expect(taken).toBeLessThanOrEqual(room);
              if (need !== 0) expect(taken).toBe(need);
              need = 0;
              given.push(result.lpszServiceInstanceName);
            }
            expect(given).toEqual(sets.map((set) => set.lpszServiceInstanceName));
            await ws.WSACleanup();
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  test('NSP-Startup, STR-NSP_ROUTINE tables of any size: what is behind cbSize is not called', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 200 }), async (cbSize) => {
        const { NSPStartup } = defineNameSpace({ find: () => [], watch: () => () => {} });
        const table: Partial<NSP_ROUTINE> = { cbSize };
        const answer = await NSPStartup(idOf(0), table);
        expect(answer).toBe(cbSize < 80 ? -WSAEINVAL : 0);
        if (cbSize < 80) return;
        expect(table.cbSize).toBe(cbSize < NSP_ROUTINE_LEN ? 80 : NSP_ROUTINE_LEN);
        expect(table.NSPIoctl === undefined).toBe(cbSize < NSP_ROUTINE_LEN);
      }),
    );
  });

  test('NSP-Startup, NSP-Ioctl an entry behind the size that a provider states is as if it were not there', async () => {
    const ioctl = (members: Record<string, unknown>) => tampered({ NSPIoctl: () => 0, ...members });
    const of = async (module: NameSpaceModule): Promise<number> => {
      const ws = await started({ one: module });
      const handle = await begin(ws, {
        lpNSProviderId: idOf(0),
        lpServiceClassId: SVCID_INET_HOSTADDRBYNAME,
      });
      return ws.WSANSPIoctl(handle, 0x88000019, null, 0, null, 0, { value: 0 });
    };
    expect(await of(ioctl({ cbSize: NSP_ROUTINE_LEN }))).toBe(0);
    expect(await of(ioctl({ cbSize: 80 }))).toBeLessThan(0);
    expect(await of(ioctl({ cbSize: 96 }))).toBe(0);
    const ws = await started({ one: ioctl({ cbSize: 79 }) });
    expect(await namesOf(ws, { lpNSProviderId: idOf(0) })).toBeLessThan(0);
  });

  test('NSP-Startup, NSP-Cleanup starts are counted: each needs its own cleanup', async () => {
    const log: string[] = [];
    const { NSPStartup } = defineNameSpace({
      find: () => [{ name: 'a' }],
      start: (id) => log.push(`start ${id.slice(-1)}`),
      stop: () => log.push('stop'),
    });
    const tables = [idOf(0), idOf(0), idOf(1)].map((id) => {
      const table = { cbSize: NSP_ROUTINE_LEN } as NSP_ROUTINE;
      expect(NSPStartup(id, table)).toBe(0);
      return table;
    });
    expect(log).toEqual(['start 1', 'start 2']);
    const [one, two, other] = tables as [NSP_ROUTINE, NSP_ROUTINE, NSP_ROUTINE];
    expect(one.NSPCleanup(idOf(0))).toBe(0);
    expect(log).toEqual(['start 1', 'start 2']);
    const handle: Ref = { value: 0 };
    expect(two.NSPLookupServiceBegin(idOf(0), querySet(), null, 0, handle)).toBe(0);
    expect(two.NSPCleanup(idOf(0))).toBe(0);
    expect(two.NSPCleanup(idOf(0))).toBe(-WSAEINVAL);
    expect(other.NSPCleanup(idOf(1))).toBe(0);
    expect(log).toEqual(['start 1', 'start 2', 'stop', 'stop']);
    expect(two.NSPLookupServiceEnd(handle.value)).toBeLessThan(0);
  });
});

/** Time goes on. */
function advance(scheduler: VirtualTime, ms: number): void {
  const until = scheduler.now() + ms;
  while (scheduler.step(until));
  scheduler.skipTo(until);
}

/** What can happen without time going on has happened. */
async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
}
