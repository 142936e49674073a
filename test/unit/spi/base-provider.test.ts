import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  FD_CLOSE,
  FD_READ,
  IPPROTO_TCP,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddrOf,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEINTR,
  WSAEINVAL,
  WSAEINVALIDPROCTABLE,
  WSAEINVALIDPROVIDER,
  WSAENETDOWN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAEPROTONOSUPPORT,
  WSAEPROVIDERFAILEDINIT,
  WSAEWOULDBLOCK,
  type WSAPROTOCOL_INFO,
  WSAVERNOTSUPPORTED,
} from '../../../src/abi/index.ts';
import { IpAddress, putI32le } from '../../../src/base/index.ts';
import { AfdOp } from '../../../src/port/index.ts';
import {
  Catalog,
  createBaseProvider,
  DEFAULT_CATALOG,
  type Ref,
  WSP_ENTRIES,
  type WSPDATA,
  type WSPPROC_TABLE,
  type WSPStartup,
} from '../../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock, type WinsockOptions } from '../../../src/winsock/index.ts';
import { FakePort } from './fake-port.ts';

const [TCP4] = DEFAULT_CATALOG as [WSAPROTOCOL_INFO];

/** A started Winsock over a port that does as the test says. */
function winsockOver(port: FakePort, options: Partial<WinsockOptions> = {}): Winsock {
  const ws = createWinsock({ port, ...options });
  void ws.WSAStartup(MAKEWORD(2, 2), {
    wVersion: 0,
    wHighVersion: 0,
    iMaxSockets: 0,
    iMaxUdpDg: 0,
    szDescription: '',
    szSystemStatus: '',
  });
  return ws;
}

async function stream(ws: Winsock): Promise<number> {
  return ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
}

describe('calls over AfdPort', () => {
  test('a call that ends at once answers a number, one that pends a promise', async () => {
    const port = new FakePort((request) => (request.op === AfdOp.recv ? null : { value: 0 }));
    const ws = winsockOver(port);
    const s = await stream(ws);
    expect(ws.listen(s, 1)).toBe(0);
    const receiving = ws.recv(s, new Uint8Array(4));
    expect(receiving).toBeInstanceOf(Promise);
    port.complete(AfdOp.recv, { value: 3 });
    expect(await receiving).toBe(3);
  });

  test('the caller’s buffer itself crosses, not a copy', async () => {
    const port = new FakePort(() => ({ value: 4 }));
    const ws = winsockOver(port);
    const s = await stream(ws);
    const bytes = new Uint8Array(4);
    void ws.send(s, bytes);
    void ws.recv(s, bytes);
    expect(port.last(AfdOp.send).data).toBe(bytes);
    expect(port.last(AfdOp.recv).into).toBe(bytes);
  });

  test('calls that pend at the same time keep their results apart, in any order of completion', async () => {
    const port = new FakePort((request) => (request.op === AfdOp.recv ? null : {}));
    const ws = winsockOver(port);
    const s = await stream(ws);
    const answers = [1, 2, 3].map((length) => ws.recv(s, new Uint8Array(length)));
    const requests = [...port.pending.values()].reverse();
    for (const { id, into } of requests) {
      port.onComplete({ id, error: 0, value: into?.length ?? 0, flags: 0, address: null, data: null });
    }
    expect(await Promise.all(answers)).toEqual([1, 2, 3]);
  });

  test('request ids of what pends are never the same', async () => {
    const port = new FakePort((request) => (request.op === AfdOp.recv ? null : {}));
    const ws = winsockOver(port);
    const s = await stream(ws);
    for (let i = 0; i < 200; i++) void ws.recv(s, new Uint8Array(1));
    expect(port.pending.size).toBe(200);
  });

  test('a completion that nobody waits for is ignored', () => {
    const port = new FakePort();
    winsockOver(port);
    port.onComplete({ id: 4711, error: 0, value: 0, flags: 0, address: null, data: null });
    expect(port.pending.size).toBe(0);
  });

  test('SEM-C-02 a port that is gone makes calls WSAENETDOWN', async () => {
    const port = new FakePort();
    const ws = winsockOver(port);
    const s = await stream(ws);
    port.script = () => ({ error: WSAENETDOWN });
    expect(ws.send(s, new Uint8Array(1))).toBe(-WSAENETDOWN);
    expect(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAENETDOWN);
  });

  test('SEM-VER-15 the last WSACleanup cancels what pends and closes what is open', async () => {
    const port = new FakePort((request) => (request.op === AfdOp.recv ? null : {}));
    const ws = winsockOver(port);
    const s = await stream(ws);
    const receiving = ws.recv(s, new Uint8Array(1));
    await ws.WSACleanup();
    expect(await receiving).toBe(-WSAEINTR);
    expect(port.cancelled).toHaveLength(1);
    expect(port.last(AfdOp.close).descriptor).toBe(
      port.requests.find((r) => r.op === AfdOp.recv)?.descriptor,
    );
  });

  test('SEM-LING-04 a close that would have to wait leaves the socket usable', async () => {
    const port = new FakePort((request) => (request.op === AfdOp.close ? { error: WSAEWOULDBLOCK } : {}));
    const ws = winsockOver(port);
    const s = await stream(ws);
    expect(ws.closesocket(s)).toBe(-WSAEWOULDBLOCK);
    expect(ws.listen(s, 1)).toBe(0);
    port.script = () => ({});
    expect(ws.closesocket(s)).toBe(0);
    expect(ws.listen(s, 1)).toBe(-WSAENOTSOCK);
  });

  test('SEM-LING-03 a socket whose close lingers is gone for everybody else', async () => {
    const port = new FakePort((request) => (request.op === AfdOp.close ? null : {}));
    const ws = winsockOver(port);
    const s = await stream(ws);
    const closing = ws.closesocket(s);
    expect(ws.listen(s, 1)).toBe(-WSAENOTSOCK);
    expect(await stream(ws)).not.toBe(s);
    port.complete(AfdOp.close, {});
    expect(await closing).toBe(0);
    expect(await stream(ws)).toBe(s);
  });

  test('WSAConnect with caller data is WSAEPROTONOSUPPORT, with a guaranteed flow WSAEOPNOTSUPP', async () => {
    const ws = winsockOver(new FakePort());
    const s = await stream(ws);
    const peer = sockaddrOf(IpAddress.loopbackV4, 80);
    expect(ws.WSAConnect(s, peer, 16, Uint8Array.of(1))).toBe(-WSAEPROTONOSUPPORT);
    const flow = {
      TokenRate: -1,
      TokenBucketSize: -1,
      PeakBandwidth: -1,
      Latency: -1,
      DelayVariation: -1,
      ServiceType: 3,
      MaxSduSize: -1,
      MinimumPolicedSize: -1,
    };
    const qos = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: null };
    expect(ws.WSAConnect(s, peer, 16, null, null, qos)).toBe(-WSAEOPNOTSUPP);
    const callee: Ref<Uint8Array> = { value: Uint8Array.of(1, 2) };
    expect(ws.WSAConnect(s, peer, 16, null, callee)).toBe(0);
    expect(callee.value).toHaveLength(0);
  });
});

describe('WSAAsyncSelect of the provider', () => {
  test('each event becomes a message with the error in its high word', async () => {
    const port = new FakePort((request) => (request.op === AfdOp.waitEvents ? null : {}));
    const messages: number[][] = [];
    const base = createBaseProvider(port);
    const table: Partial<WSPPROC_TABLE> = {};
    const data: WSPDATA = { wVersion: 0, wHighVersion: 0, szDescription: '' };
    const upcalls = {
      WPUModifyIFSHandle: () => 256,
      WPUPostMessage: (...message: number[]) => messages.push(message) && 1,
    } as unknown as Parameters<WSPStartup>[3];
    expect(base.WSPStartup(0x0202, data, TCP4, upcalls, table)).toBe(0);
    const wsp = table as WSPPROC_TABLE;
    const s = await wsp.WSPSocket(AF_INET, SOCK_DGRAM, 17, TCP4, 0, 0);
    expect(await wsp.WSPAsyncSelect(s, 7, 0x400, FD_READ | FD_CLOSE)).toBe(0);
    expect([port.last(AfdOp.eventSelect).a, port.last(AfdOp.eventSelect).b]).toEqual([FD_READ | FD_CLOSE, 1]);
    const waiting = [...port.pending.values()][0];
    putI32le(waiting?.into ?? new Uint8Array(40), 4 * 5, WSAECONNRESET);
    port.complete(AfdOp.waitEvents, { value: FD_READ | FD_CLOSE });
    expect(messages).toEqual([
      [7, 0x400, s, FD_READ],
      [7, 0x400, s, (WSAECONNRESET << 16) | FD_CLOSE],
    ]);
    expect(port.pending.size).toBe(1);
  });
});

describe('WSPStartup', () => {
  test.each([
    [0x0202, 0],
    [0x0302, 0],
    [0x0003, 0],
    [0x0102, WSAVERNOTSUPPORTED],
    [0x0101, WSAVERNOTSUPPORTED],
  ])('SPI-START-03, STR-WSPDATA asked for 0x%x the base provider answers %d and 2.2', (version, error) => {
    const data: WSPDATA = { wVersion: 0, wHighVersion: 0, szDescription: '' };
    const base = createBaseProvider(new FakePort());
    expect(base.WSPStartup(version, data, TCP4, {} as never, {})).toBe(error);
    if (error === 0) expect([data.wVersion, data.wHighVersion]).toEqual([0x0202, 0x0202]);
  });

  test('SPI-START-05, SPI-START-08 starts are counted, the newest upcalls are used, and after the last cleanup it starts anew', async () => {
    const base = createBaseProvider(new FakePort());
    const told: string[] = [];
    const start = (label: string): WSPPROC_TABLE => {
      const table: Partial<WSPPROC_TABLE> = {};
      const upcalls = {
        WPUModifyIFSHandle(_id: number, handle: number) {
          told.push(label);
          return handle;
        },
      };
      const data = { wVersion: 0, wHighVersion: 0, szDescription: '' };
      expect(base.WSPStartup(0x0202, data, TCP4, upcalls as never, table)).toBe(0);
      return table as WSPPROC_TABLE;
    };
    const first = start('first');
    const s = await first.WSPSocket(2, 1, 6, TCP4, 0, 1);
    const second = start('second');
    // The older table is the same provider: it uses what is newest.
    await first.WSPSocket(2, 1, 6, TCP4, 0, 1);
    await second.WSPSocket(2, 1, 6, TCP4, 0, 1);
    expect(told).toEqual(['first', 'second', 'second']);
    expect(await second.WSPCleanup()).toBe(0);
    expect(await first.WSPListen(s, 5)).toBe(0);
    expect(await first.WSPCleanup()).toBe(0);
    expect(await first.WSPListen(s, 5)).toBe(-WSAENOTSOCK);
    const again = start('again');
    expect(await again.WSPListen(await again.WSPSocket(2, 1, 6, TCP4, 0, 1), 5)).toBe(0);
    expect(told.at(-1)).toBe('again');
  });

  test('SPI-START-04, STR-WSPPROC_TABLE the base provider fills all 30 entries', () => {
    const table: Partial<WSPPROC_TABLE> = {};
    createBaseProvider(new FakePort()).WSPStartup(
      0x0202,
      { wVersion: 0, wHighVersion: 0, szDescription: '' },
      TCP4,
      {} as never,
      table,
    );
    expect(WSP_ENTRIES).toHaveLength(30);
    expect(Object.keys(table).sort()).toEqual([...WSP_ENTRIES].sort());
  });

  const FOREIGN = { ...TCP4, ProviderId: '11111111-2222-3333-4444-555555555555' };
  const catalog = new Catalog([FOREIGN], new Map([[FOREIGN.ProviderId, '/lib/foreign']]));
  const fills = (table: Partial<WSPPROC_TABLE>): void => {
    for (const name of WSP_ENTRIES) Object.assign(table, { [name]: () => -WSAEINVAL });
  };
  const BROKEN: readonly [string, WSPStartup | null, number][] = [
    ['SPI-START-07 that cannot be loaded', null, WSAEPROVIDERFAILEDINIT],
    ['SPI-START-07 that fails to start', () => WSAENETDOWN, WSAEPROVIDERFAILEDINIT],
    [
      'SPI-START-07 that throws',
      () => {
        throw new RangeError('broken');
      },
      WSAEPROVIDERFAILEDINIT,
    ],
    [
      'SPI-START-03 of another version',
      (_version, data, _info, _upcalls, table) => {
        data.wVersion = 0x0101;
        fills(table);
        return 0;
      },
      WSAEINVALIDPROVIDER,
    ],
    [
      'SPI-START-04 with a hole in its table',
      (_version, data, _info, _upcalls, table) => {
        data.wVersion = 0x0202;
        fills(table);
        delete table.WSPListen;
        return 0;
      },
      WSAEINVALIDPROCTABLE,
    ],
  ];
  test.each(BROKEN)('a provider %s fails the socket call', (_what, startup, code) => {
    const ws = winsockOver(new FakePort(), { catalog, loadProvider: () => startup });
    expect(ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-code);
  });

  test('CAT-LOAD-05 a layer that keeps the lower table sees each call, and changes one', async () => {
    const port = new FakePort();
    const base = createBaseProvider(port);
    const seen: string[] = [];
    const layer: WSPStartup = (version, data, info, upcalls, table) => {
      const lower: Partial<WSPPROC_TABLE> = {};
      const error = base.WSPStartup(version, data, { ...info, ProviderId: TCP4.ProviderId }, upcalls, lower);
      Object.assign(table, lower, {
        WSPListen: (s: number, backlog: number) => {
          seen.push(`listen ${backlog}`);
          return (lower as WSPPROC_TABLE).WSPListen(s, 1);
        },
        WSPConnect: () => -WSAECONNREFUSED,
      });
      return error;
    };
    const ws = winsockOver(new FakePort(), { catalog, loadProvider: () => layer });
    const s = await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    expect(await ws.listen(s, 50)).toBe(0);
    expect([seen, port.last(AfdOp.listen).a]).toEqual([['listen 50'], 1]);
    expect(await ws.connect(s, sockaddrOf(IpAddress.loopbackV4, 80))).toBe(-WSAECONNREFUSED);
    expect(await ws.bind(s, sockaddrOf(IpAddress.loopbackV4, 80))).toBe(0);
  });
});
