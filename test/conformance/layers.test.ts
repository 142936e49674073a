/**
 * Layers and chains: how they are loaded and started, what each is handed, who owns a handle.
 */

import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  FROM_PROTOCOL_INFO,
  IPPROTO_TCP,
  IPPROTO_UDP,
  readWSAPROTOCOL_INFOW,
  SO_PROTOCOL_INFOW,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  WSAEFAULT,
  WSAEINPROGRESS,
  WSAEINVAL,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAEPROCLIM,
  WSAEPROVIDERFAILEDINIT,
  type WSAPROTOCOL_INFO,
  WSAPROTOCOL_INFOW_LEN,
  WSASYSNOTREADY,
  WSAVERNOTSUPPORTED,
} from '../../src/abi/index.ts';
import {
  BASE_PROVIDER_ID,
  Catalog,
  DEFAULT_CATALOG,
  defineLayer,
  type Layer,
  type LayerCalls,
  type Ref,
  type WSPDATA,
  type WSPPROC_TABLE,
  type WSPStartup,
  type WSPUPCALLTABLE,
  ws2Exports,
} from '../../src/spi/index.ts';
import { MAKEWORD } from '../../src/winsock/index.ts';
import {
  guidOf,
  layeredEntries,
  layeredOptions,
  passThrough,
  pathOf,
  type TestLayer,
} from '../support/chains.ts';
import { ADDRESS_A } from './attachment.ts';
import { withLayers } from './layered.ts';
import { bound, name, nameIn, ok, tcp, udp, wsadata } from './support.ts';

/** An IFS layer of those calls. */
function layer(calls: LayerCalls): TestLayer {
  return { startup: defineLayer(calls), isIfs: true };
}

const tcpEntry = DEFAULT_CATALOG[0] as WSAPROTOCOL_INFO;

describe('how a chain is loaded and used', () => {
  test('CAT-LOAD-01, CAT-LOAD-02, SPI-START-01, SPI-START-06, SPI-START-07 the topmost layer of the first match is started at the first socket, with its entry', async () => {
    const started: { requested: number; info: WSAPROTOCOL_INFO }[] = [];
    // A layer of the old kind: without `defineLayer`.
    const startup: WSPStartup = (requested, data, info, upcalls, table) => {
      started.push({ requested, info });
      return baseOf(upcalls)(requested, data, tcpEntry, upcalls, table);
    };
    const { ws } = withLayers([{ startup, isIfs: true }]);
    expect(started).toEqual([]);
    await ok(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    await ok(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    expect(started).toHaveLength(1);
    expect(started[0]?.requested).toBe(MAKEWORD(2, 2));
    expect(started[0]?.info.ProviderId).toBe(guidOf(0, 1));
    await ok(ws.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP));
    expect(started[1]?.info.iProtocol).toBe(IPPROTO_UDP);
  });

  test('CAT-LOAD-03, CAT-LOAD-04 each layer finds its place, and hands the same upcall table on', async () => {
    const places: Layer[] = [];
    const seen: WSPUPCALLTABLE[] = [];
    const make = (): TestLayer => {
      const own = layer((_next, place) => {
        places.unshift(place);
        seen.push(place.upcalls);
        return {};
      });
      return own;
    };
    const { ws } = withLayers([make(), make(), make()]);
    await tcp(ws);
    expect(places.map(({ entry }) => entry.szProtocol)).toEqual(['layer 2', 'layer 1', 'layer 0']);
    expect(places.map(({ below }) => below.szProtocol)).toEqual(['layer 1', 'layer 0', tcpEntry.szProtocol]);
    expect(places.every(({ chain }) => chain.ProviderId === guidOf(2, 1))).toBe(true);
    expect(new Set(seen).size).toBe(1);
  });

  test('CAT-CHAIN-03 a chain that names the chain below by its own entry is walked too', async () => {
    const order: string[] = [];
    const noting = (label: string): TestLayer =>
      layer((next) => ({
        WSPBind(...args) {
          order.push(label);
          return next.WSPBind(...args);
        },
      }));
    const { catalog, loadProvider } = layeredOptions([noting('lower'), noting('upper')]);
    const lowerChain = catalog.entries.find(({ ProviderId }) => ProviderId === guidOf(0, 1));
    const entries = catalog.entries.map((entry) =>
      entry.ChainLen === 3 && entry.ProviderId === guidOf(1, 1)
        ? {
            ...entry,
            ChainEntries: entry.ChainEntries.map((id, i) =>
              i === 1 ? (lowerChain?.dwCatalogEntryId ?? 0) : id,
            ),
          }
        : entry,
    );
    const paths = new Map([
      [guidOf(0), pathOf(0)],
      [guidOf(0, 1), pathOf(0)],
      [guidOf(1), pathOf(1)],
      [guidOf(1, 1), pathOf(1)],
    ]);
    const { ws } = withLayers([], { catalog: new Catalog(entries, paths), loadProvider });
    await bound(ws, tcp);
    expect(order).toEqual(['upper', 'lower']);
  });

  test('CAT-LOAD-05 what a layer leaves out is the function of the provider below, called directly', async () => {
    const lower: Partial<WSPPROC_TABLE> = {};
    const { ws } = withLayers([
      layer((next) => {
        Object.assign(lower, next);
        return {};
      }),
    ]);
    const s = await tcp(ws);
    await ok(ws.bind(s, name(ADDRESS_A, 0)));
    expect(typeof lower.WSPBind).toBe('function');
  });

  test('CAT-LOAD-06, SPI-GEN-05, SPI-WPUModifyIFSHandle an IFS layer answers the lower handle, which ws2_32 then knows as its own', async () => {
    const lowerHandles: number[] = [];
    const infos: WSAPROTOCOL_INFO[] = [];
    const bindings: number[] = [];
    const lowest = layer((next) => ({
      WSPSocket(...args) {
        infos.push(args[3]);
        const answer = next.WSPSocket(...args);
        if (typeof answer === 'number') lowerHandles.push(answer);
        return answer;
      },
    }));
    const upper = layer((next) => ({
      WSPBind(s, ...rest) {
        bindings.push(s);
        return next.WSPBind(s, ...rest);
      },
    }));
    const { ws } = withLayers([lowest, upper]);
    const s = await tcp(ws);
    expect(lowerHandles).toEqual([s]);
    expect(infos[0]?.ChainLen).toBe(3); // the chain's entry, as it was not the base provider's turn
    await ok(ws.bind(s, name(ADDRESS_A, 0)));
    expect(bindings).toEqual([s]);
    const into = new Uint8Array(WSAPROTOCOL_INFOW_LEN);
    await ok(ws.getsockopt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, into));
    expect(readWSAPROTOCOL_INFOW(into)?.ProviderId).toBe(guidOf(1, 1));
  });

  test('CAT-LOAD-07 sockets that a chain accepts are the chain’s, too', async () => {
    const received: number[] = [];
    const { ws } = withLayers([
      layer((next) => ({
        WSPRecv(s, ...rest) {
          received.push(s);
          return next.WSPRecv(s, ...rest);
        },
      })),
    ]);
    const { s: listener, port } = await bound(ws, tcp, '127.0.0.1');
    await ok(ws.listen(listener, 1));
    const client = await tcp(ws);
    await ok(ws.connect(client, name('127.0.0.1', port)));
    const accepted = await ok(ws.accept(listener));
    await ok(ws.send(client, new Uint8Array(3)));
    expect(await ws.recv(accepted, new Uint8Array(8))).toBe(3);
    expect(received).toEqual([accepted]);
  });

  test('CAT-LOAD-10 the base provider is handed its own entry, in a chain or not', async () => {
    const handed: WSAPROTOCOL_INFO[] = [];
    const { ws } = withLayers([
      layer((next, { below, chain }) => ({
        WSPSocket(...args) {
          handed.push(below, chain);
          return next.WSPSocket(...args);
        },
      })),
    ]);
    const s = await tcp(ws);
    expect(handed[0]).toBe(tcpEntry);
    const into = { value: null as WSAPROTOCOL_INFO | null };
    await ok(ws.WSADuplicateSocket(s, process.pid, into));
    expect(into.value?.dwCatalogEntryId).toBe(handed[1]?.dwCatalogEntryId);
    await ok(ws.bind(s, name(ADDRESS_A, 0)));
    const all = FROM_PROTOCOL_INFO;
    const copy = await ok(ws.WSASocket(all, all, all, into.value));
    const local = new Uint8Array(16);
    await ok(ws.getsockname(copy, local));
    expect(nameIn(local).address).toBe(ADDRESS_A);
  });

  test('CAT-CHAIN-01, CAT-CHAIN-02, SPI-GEN-06 chains of 2 to 7 entries carry data; 0 and FROM_PROTOCOL_INFO are taken for the entry’s members', async () => {
    for (let length = 2; length <= 7; length++) {
      const calls: string[] = [];
      const layers = Array.from({ length: length - 1 }, (_, i) =>
        passThrough({}, (call) => void calls.push(`${i} ${call}`)),
      );
      const { ws } = withLayers(layers);
      const { s, port } = await bound(ws, udp, '127.0.0.1');
      calls.length = 0;
      expect(await ws.sendto(s, new Uint8Array(5), 5, 0, name('127.0.0.1', port))).toBe(5);
      expect(calls).toEqual(layers.map((_layer, i) => `${layers.length - 1 - i} WSPSendTo`));
      expect(await ws.recv(s, new Uint8Array(9))).toBe(5);
      const chain = layeredEntries(layers).find(({ ChainLen }) => ChainLen === length);
      const all = FROM_PROTOCOL_INFO;
      await ok(ws.WSASocket(all, all, all, chain ?? null));
      await ok(ws.WSASocket(0, 0, 0, chain ?? null));
      await ok(ws.WSACleanup());
    }
  });
});

describe('starting', () => {
  test('CFG-FAIL-06, CAT-CHAIN-01 a chain of eight entries is refused', async () => {
    const { ws, failures } = withLayers(Array.from({ length: 7 }, () => passThrough()));
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(failures[0]?.reason).toContain('8 entries');
  });

  test('SPI-START-05, SPI-START-08 each start has its cleanup, from the top to the base; then all starts anew', async () => {
    const events: string[] = [];
    const counting = (label: string): TestLayer => ({
      isIfs: true,
      startup: defineLayer((next) => {
        events.push(`start ${label}`);
        return {
          WSPCleanup() {
            events.push(`cleanup ${label}`);
            return next.WSPCleanup();
          },
        };
      }),
    });
    const { ws } = withLayers([counting('lower'), counting('upper')]);
    const s = await tcp(ws);
    await udp(ws);
    await ok(ws.WSACleanup());
    const once = ['start lower', 'start upper'];
    const ends = ['cleanup upper', 'cleanup lower'];
    expect(events).toEqual([...once, ...once, ...ends, ...ends]);
    ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    expect(await ws.closesocket(s)).toBeLessThan(0);
    await bound(ws, tcp);
    expect(events.slice(8)).toEqual(once);
    await ok(ws.WSACleanup());
  });

  test('SPI-START-02, SPI-START-03 an older version is refused as the result itself; a place for the data is needed', () => {
    const { startup } = passThrough();
    const data: WSPDATA = { wVersion: 0, wHighVersion: 0, szDescription: '' };
    const upcalls = {} as WSPUPCALLTABLE;
    expect(startup(MAKEWORD(2, 1), data, tcpEntry, upcalls, {})).toBe(WSAVERNOTSUPPORTED);
    expect(startup(MAKEWORD(1, 1), data, tcpEntry, upcalls, {})).toBe(WSAVERNOTSUPPORTED);
    expect(startup(MAKEWORD(2, 2), null as never, tcpEntry, upcalls, {})).toBe(10014);
    // An upcall table that is nobody's.
    expect(startup(MAKEWORD(2, 2), data, tcpEntry, upcalls, {})).toBe(WSASYSNOTREADY);
  });

  test('SPI-START-04, CFG-FAIL-09 gaps in a table are WSAEINVALIDPROCTABLE, at any place of the chain, and the reason names them', async () => {
    const { ws, failures } = withLayers([{ isIfs: true, startup: baseWithout('WSPListen') }]);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEINVALIDPROCTABLE);
    expect(failures[0]?.reason).toContain('WSPListen');
    const below = withLayers([{ isIfs: true, startup: baseWithout('WSPListen') }, passThrough()]);
    expect(await below.ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEINVALIDPROCTABLE);
  });

  test('CFG-FAIL-09 an upcall table of a layer’s own is refused', async () => {
    const handsOn: WSPStartup = (version, data, info, upcalls, table) => {
      const below = ws2Of(upcalls).providerAt(pathOf(0));
      return below === null ? WSASYSNOTREADY : below(version, data, info, { ...upcalls }, table);
    };
    const { ws, failures } = withLayers([passThrough(), { startup: handsOn, isIfs: true }]);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEINVALIDPROCTABLE);
    expect(failures[0]?.reason).toContain('upcall table');
    // In place it cannot be changed at all.
    const writing: WSPStartup = (_version, _data, _info, upcalls) => {
      upcalls.WPUCreateEvent = () => 4;
      return 0;
    };
    const second = withLayers([{ startup: writing, isIfs: true }]);
    expect(await second.ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
  });

  test('CFG-FAIL-01 a chain whose layered entry was removed fails WSAEPROVIDERFAILEDINIT, and says why', async () => {
    const { catalog, loadProvider } = layeredOptions([passThrough()]);
    const orphaned = catalog.entries.filter(({ ChainLen }) => ChainLen !== 0);
    const paths = new Map(
      orphaned.map(({ ProviderId }) => [ProviderId, catalog.providerPath(ProviderId) ?? '']),
    );
    const { ws, failures } = withLayers([], { catalog: new Catalog(orphaned, paths), loadProvider });
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
    expect(failures[0]?.reason).toMatch(/removed/);
    // By its own entry the base provider can be reached as ever.
    await ok(ws.WSASocket(0, 0, 0, tcpEntry));
  });

  test.each([
    ['there is none', () => null],
    [
      'it throws',
      () => {
        throw new Error('no such file');
      },
    ],
    ['its import is refused', () => Promise.reject(new Error('a syntax error'))],
  ] as [string, () => null | Promise<null>][])(
    'CFG-FAIL-02 a module that is gone fails every socket of its protocols: %s',
    async (_how, loadProvider) => {
      const { ws, failures } = withLayers([passThrough()], { loadProvider });
      expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
      expect(await ws.socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP)).toBe(-WSAEPROVIDERFAILEDINIT);
      expect(failures[0]?.reason).toContain(pathOf(0));
    },
  );

  test.each([
    ['WSASYSNOTREADY', WSASYSNOTREADY],
    ['WSAVERNOTSUPPORTED', WSAVERNOTSUPPORTED],
    ['WSAEINPROGRESS', WSAEINPROGRESS],
    ['WSAEPROCLIM', WSAEPROCLIM],
    ['WSAEFAULT', WSAEFAULT],
  ])(
    'SPI-START-02, SPI-START-07 %s as the value of WSPStartup fails the socket, and the reason has it',
    async (_, code) => {
      let starts = 0;
      const startup: WSPStartup = () => {
        starts++;
        return code;
      };
      const { ws, failures } = withLayers([{ startup, isIfs: true }]);
      expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
      expect(failures[0]?.reason).toContain(`${code}`);
      // It is asked again by the next socket.
      expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
      expect(starts).toBe(2);
    },
  );

  test('SPI-START-03 a provider of another version is refused, and told so by its WSPCleanup', async () => {
    let cleanups = 0;
    const startup: WSPStartup = (version, data, _info, upcalls, table) => {
      const error = baseOf(upcalls)(version, data, tcpEntry, upcalls, table);
      const { WSPCleanup } = table;
      data.wVersion = 0x0102;
      table.WSPCleanup = () => {
        cleanups++;
        return WSPCleanup?.() ?? 0;
      };
      return error;
    };
    const { ws } = withLayers([{ startup, isIfs: true }]);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEINVALIDPROVIDER);
    expect(cleanups).toBe(1);
  });

  test('SPI-START-07 what WSPStartup answers, throws or makes up is WSAEPROVIDERFAILEDINIT', async () => {
    const bad: WSPStartup[] = [
      () => WSASYSNOTREADY,
      () => {
        throw new Error('on purpose');
      },
      () => Number.NaN,
      () => -5,
      (() => undefined) as unknown as WSPStartup,
    ];
    for (const startup of bad) {
      const { ws } = withLayers([{ startup, isIfs: true }]);
      expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEPROVIDERFAILEDINIT);
    }
  });

  test('SPI-START-07 modules that take time are waited for once; from then on a socket is there at once', async () => {
    const { loadProvider } = layeredOptions([passThrough()]);
    let loads = 0;
    const slow = async (path: string): Promise<WSPStartup | null> => {
      loads++;
      await new Promise((resolve) => setImmediate(resolve));
      return loadProvider(path);
    };
    const { ws } = withLayers([passThrough()], { ...layeredOptions([passThrough()]), loadProvider: slow });
    const first = ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    const second = ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    expect(first).toBeInstanceOf(Promise);
    expect((await first) > 0 && (await second) > 0).toBe(true);
    expect(loads).toBe(1);
    expect(typeof ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe('number');
    // Another chain of the same module needs nothing more.
    expect(typeof ws.socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)).toBe('number');
  });

  test('CFG-FAIL-05 a running process keeps its catalog until it starts anew', async () => {
    const layered = layeredOptions([passThrough()]);
    let current = new Catalog();
    const { ws } = withLayers([], { ...layered, catalog: () => current });
    current = layered.catalog;
    expect(await ws.WSAEnumProtocols(null, [], { value: 1 << 16 })).toBe(4);
    await ok(ws.WSACleanup());
    ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    expect(await ws.WSAEnumProtocols(null, [], { value: 1 << 16 })).toBe(8);
  });
});

describe('upcalls', () => {
  test('SPI-WPUGetProviderPath, SPI-WPUModifyIFSHandle, SPI-WPUCreateSocketHandle wrong ids are WSAEINVAL', async () => {
    let upcalls: WSPUPCALLTABLE | null = null;
    const { ws } = withLayers([
      layer((_next, place) => {
        upcalls = place.upcalls;
        return {};
      }),
    ]);
    const s = await tcp(ws);
    const table = upcalls as unknown as WSPUPCALLTABLE;
    const path: Ref<string> = { value: '' };
    expect(table.WPUGetProviderPath('00000000-0000-0000-0000-000000000000', path)).toBe(-WSAEINVAL);
    expect(table.WPUGetProviderPath(guidOf(0), path)).toBe(0);
    expect(path.value).toBe(pathOf(0));
    expect(table.WPUGetProviderPath(BASE_PROVIDER_ID, path)).toBe(0);
    expect(ws2Of(table).providerAt(path.value)).not.toBeNull();
    expect(table.WPUModifyIFSHandle(9999, s)).toBe(-WSAEINVAL);
    expect(table.WPUCreateSocketHandle(9999, 1)).toBe(-WSAEINVAL);
  });
});

/** The exports that belong to an upcall table. */
function ws2Of(upcalls: WSPUPCALLTABLE): NonNullable<ReturnType<typeof ws2Exports>> {
  const found = ws2Exports(upcalls);
  if (found === null) throw new Error('no ws2_32');
  return found;
}

function baseOf(upcalls: WSPUPCALLTABLE): WSPStartup {
  const path: Ref<string> = { value: '' };
  upcalls.WPUGetProviderPath(BASE_PROVIDER_ID, path);
  const base = ws2Of(upcalls).providerAt(path.value);
  if (base === null) throw new Error('no base provider');
  return base;
}

/** A provider that starts the base provider, and leaves an entry out. */
function baseWithout(entry: keyof WSPPROC_TABLE): WSPStartup {
  return (version, data, _info, upcalls, table) => {
    const error = baseOf(upcalls)(version, data, tcpEntry, upcalls, table);
    delete table[entry];
    return error;
  };
}
