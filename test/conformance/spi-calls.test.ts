/**
 * Every entry of the provider's table is reached from its API calls (SPI-WSP*), with which arguments, in a layer of either kind; and
 * the upcalls (SPI-WPU*) as a layer finds them.
 */

import { describe, expect, test } from '@jest/globals';
import {
  FD_READ,
  FD_WRITE,
  POLLOUT,
  parseGuid,
  SIO_BSP_HANDLE_POLL,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SO_REUSEADDR,
  SOL_SOCKET,
  WSA_FLAG_MULTIPOINT_C_LEAF,
  WSA_FLAG_MULTIPOINT_D_LEAF,
  WSA_FLAG_OVERLAPPED,
  WSA_INVALID_HANDLE,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAID_ACCEPTEX,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import {
  defineLayer,
  type QOS,
  type Ref,
  type WSATHREADID,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
  type WSPUPCALLTABLE,
} from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import type { TestLayer } from '../support/chains.ts';
import { withLayers } from './layered.ts';
import { name, ok, tcp, udp } from './support.ts';

interface Seen {
  readonly call: string;
  readonly args: readonly unknown[];
  /** The socket was one that the layer above, or the application, uses. */
  readonly s: unknown;
}

/** A layer of either kind that notes what it is asked. */
function noting(handles: 'system' | 'own', seen: Seen[]): TestLayer {
  const startup = defineLayer(
    (next) => {
      const calls: Record<string, unknown> = {};
      for (const entry of WSP_ENTRIES) {
        const call = next[entry] as (...args: unknown[]) => unknown;
        calls[entry] = (...args: unknown[]) => {
          seen.push({ call: entry, args, s: args[0] });
          return call(...args);
        };
      }
      return calls as Partial<WSPPROC_TABLE>;
    },
    { handles },
  );
  return { startup, isIfs: handles === 'system' };
}

/** What is done with it, and how many arguments the entry has (8.3, without lpErrno and the byte counts; the thread where it counts). */
type Row = readonly [
  id: string,
  act: (ws: Winsock, s: number) => number | Promise<number>,
  args: number,
  answer?: number | null,
];

const TO = name('127.0.0.1', 9);
const text = { value: '' };
const ROWS: readonly Row[] = [
  ['SPI-WSPAccept', (ws, s) => ws.accept(s), 5, -WSAEOPNOTSUPP],
  ['SPI-WSPAccept', (ws, s) => ws.WSAAccept(s, null, null, () => 0, 7), 5, null],
  ['SPI-WSPAddressToString', (ws) => ws.WSAAddressToString(TO, 16, null, text, { value: 99 }), 5],
  ['SPI-WSPAsyncSelect', (ws, s) => ws.WSAAsyncSelect(s, 0, 0x401, 0), 4],
  ['SPI-WSPBind', (ws, s) => ws.bind(s, name('127.0.0.1', 0)), 3],
  ['SPI-WSPConnect', (ws, s) => ws.connect(s, TO), 7],
  ['SPI-WSPConnect', (ws, s) => ws.WSAConnect(s, TO), 7],
  ['SPI-WSPDuplicateSocket', (ws, s) => ws.WSADuplicateSocket(s, process.pid, { value: null }), 3],
  [
    'SPI-WSPEnumNetworkEvents',
    (ws, s) => ws.WSAEnumNetworkEvents(s, 0, { lNetworkEvents: 0, iErrorCode: [] }),
    3,
  ],
  ['SPI-WSPEventSelect', (ws, s) => ws.WSAEventSelect(s, 0, 0), 3],
  [
    'SPI-WSPGetOverlappedResult',
    (ws, s) =>
      ws.WSAGetOverlappedResult(
        s,
        { Internal: 0, InternalHigh: 3, Offset: 0, OffsetHigh: 0, hEvent: 0 },
        { value: 0 },
        false,
        { value: 0 },
      ),
    4,
    1,
  ],
  ['SPI-WSPGetPeerName', (ws, s) => ws.getpeername(s, new Uint8Array(16)), 3, null],
  ['SPI-WSPGetSockName', (ws, s) => ws.getsockname(s, new Uint8Array(16)), 3, null],
  ['SPI-WSPGetSockOpt', (ws, s) => ws.getsockopt(s, SOL_SOCKET, SO_REUSEADDR, new Uint8Array(4)), 5],
  ['SPI-WSPIoctl', (ws, s) => ws.ioctlsocket(s, 0x4004667f, { value: 0 }), 9],
  ['SPI-WSPIoctl', (ws, s) => ws.WSAIoctl(s, 0x4004667f, null, 0, new Uint8Array(4), 4, { value: 0 }), 10],
  ['SPI-WSPListen', (ws, s) => ws.listen(s, 5), 2, -WSAEOPNOTSUPP],
  ['SPI-WSPRecvDisconnect', (ws, s) => ws.WSARecvDisconnect(s), 2, null],
  ['SPI-WSPSelect', (ws, s) => ws.select(0, null, { fd_array: [s] }, null, { tv_sec: 0, tv_usec: 0 }), 5, 1],
  ['SPI-WSPSend', (ws, s) => ws.send(s, new Uint8Array(1)), 7, null],
  ['SPI-WSPSend', (ws, s) => ws.WSASend(s, [new Uint8Array(1)], 1, { value: 0 }), 7, null],
  ['SPI-WSPSendDisconnect', (ws, s) => ws.WSASendDisconnect(s), 2, null],
  ['SPI-WSPSendTo', (ws, s) => ws.sendto(s, new Uint8Array(1), 1, 0, TO), 9, 1],
  ['SPI-WSPSendTo', (ws, s) => ws.WSASendTo(s, [new Uint8Array(1)], 1, { value: 0 }, 0, TO), 9],
  ['SPI-WSPSetSockOpt', (ws, s) => ws.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, new Uint8Array(4)), 5],
  ['SPI-WSPShutdown', (ws, s) => ws.shutdown(s, 1), 2, null],
  [
    'SPI-WSPStringToAddress',
    (ws) => ws.WSAStringToAddress('1.2.3.4', 2, null, new Uint8Array(16), { value: 16 }),
    5,
  ],
  ['SPI-WSPCloseSocket', (ws, s) => ws.closesocket(s), 1],
  ['SPI-WSPCleanup', (ws) => ws.WSACleanup(), 0],
];

describe.each(['system', 'own'] as const)('the entries of the table, with handles of the %s', (handles) => {
  test.each(ROWS)(
    '%s, SPI-GEN-01, SPI-GEN-03 is what the API call comes to',
    async (id, act, count, answer = 0) => {
      const seen: Seen[] = [];
      const { ws } = withLayers([noting(handles, seen)]);
      const s = await udp(ws);
      seen.length = 0;
      const given = await act(ws, s);
      if (answer !== null) expect(given).toBe(answer);
      const call = seen.find((each) => `SPI-${each.call}` === id);
      expect(call?.args).toHaveLength(count);
      if (!/Select$|String|StringTo|Cleanup/.test(id) || /Event|Async/.test(id)) expect(call?.s).toBe(s);
    },
  );

  test('SPI-WSPRecv, SPI-WSPRecvFrom, SPI-GEN-02 receives of all forms are two entries; the thread goes with those that may be overlapped', async () => {
    const seen: Seen[] = [];
    const { ws } = withLayers([noting(handles, seen)]);
    const s = await udp(ws);
    await ok(ws.ioctlsocket(s, 0x8004667e, { value: 1 }));
    await ok(ws.bind(s, name('127.0.0.1', 0)));
    seen.length = 0;
    const buffer = new Uint8Array(4);
    await ws.recv(s, buffer);
    await ws.WSARecv(s, [buffer], 1, { value: 0 }, { value: 0 });
    await ws.recvfrom(s, buffer);
    await ws.WSARecvFrom(s, [buffer], 1, { value: 0 }, { value: 0 });
    expect(seen.map(({ call, args }) => [call, args.length, args.at(-1) === null])).toEqual([
      ['WSPRecv', 7, true],
      ['WSPRecv', 7, false],
      ['WSPRecvFrom', 9, true],
      ['WSPRecvFrom', 9, false],
    ]);
    expect((seen[1]?.args.at(-1) as WSATHREADID | undefined)?.ThreadHandle).toBeGreaterThan(0);
  });

  test('SPI-WSPSocket, SPI-GEN-03 the protocol info is always there; socket() is overlapped', async () => {
    const seen: Seen[] = [];
    const { ws } = withLayers([noting(handles, seen)]);
    await udp(ws);
    const socket = seen.find(({ call }) => call === 'WSPSocket');
    expect(socket?.args).toHaveLength(6);
    expect((socket?.args[3] as WSAPROTOCOL_INFO | undefined)?.ChainLen).toBe(2);
    expect(socket?.args[5]).toBe(WSA_FLAG_OVERLAPPED);
  });

  test('SPI-WSPJoinLeaf answers a socket that the application can use: of IP the one that joins', async () => {
    const seen: Seen[] = [];
    const { ws } = withLayers([noting(handles, seen)]);
    const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF;
    const s = await ok(ws.WSASocket(2, 2, 17, null, 0, flags));
    await ok(ws.bind(s, name('0.0.0.0', 5000)));
    expect(await ws.WSAJoinLeaf(s, name('239.1.2.3', 5000), 16, null, null, null, null, 4)).toBe(s);
    expect(seen.find(({ call }) => call === 'WSPJoinLeaf')?.args).toHaveLength(8);
  });

  test('SPI-WSPGetQOSByName, API-WSAGetQOSByName a layer has templates of its own, and asks the provider below for others', async () => {
    const seen: Seen[] = [];
    const own = Buffer.from('own');
    const startup = defineLayer(
      (next) => ({
        WSPGetQOSByName(s, lpQOSName, lpQOS) {
          if (lpQOSName === null || !own.equals(lpQOSName)) return next.WSPGetQOSByName(s, lpQOSName, lpQOS);
          if (lpQOS !== null) lpQOS.ProviderSpecific = Uint8Array.of(7);
          return 1;
        },
      }),
      { handles },
    );
    const { ws } = withLayers([noting('system', seen), { startup, isIfs: handles === 'system' }]);
    const s = await udp(ws);
    const flow = {
      TokenRate: 0,
      TokenBucketSize: 0,
      PeakBandwidth: 0,
      Latency: 0,
      DelayVariation: 0,
      ServiceType: 0,
      MaxSduSize: 0,
      MinimumPolicedSize: 0,
    };
    const qos: QOS = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: null };
    expect(await ws.WSAGetQOSByName(s, own, qos)).toBe(1);
    expect(qos.ProviderSpecific).toEqual(Uint8Array.of(7));
    expect(seen.some(({ call }) => call === 'WSPGetQOSByName')).toBe(false);
    expect(await ws.WSAGetQOSByName(s, Buffer.from('other'), qos)).toBe(-WSAEINVAL);
    expect(seen.at(-1)?.call).toBe('WSPGetQOSByName');
    expect(await ws.WSAGetQOSByName(s, null, qos)).toBe(-WSAEFAULT);
  });

  test('SPI-WSPCancelBlockingCall ends the blocking call of a 1.1 thread through the layer', async () => {
    const seen: Seen[] = [];
    const { ws } = withLayers([noting(handles, seen)]);
    await ok(ws.WSACleanup());
    ws.WSAStartup(0x0101, {
      wVersion: 0,
      wHighVersion: 0,
      iMaxSockets: 0,
      iMaxUdpDg: 0,
      szDescription: '',
      szSystemStatus: '',
    });
    const s = await udp(ws);
    await ok(ws.bind(s, name('127.0.0.1', 0)));
    const receiving = ws.recv(s, new Uint8Array(1));
    expect(await ws.WSACancelBlockingCall()).toBe(0);
    expect(await receiving).toBe(-10004);
    expect(seen.at(-1)?.call).toBe('WSPCancelBlockingCall');
  });

  test('SPI-GEN-04, SPI-START-09 what is not in the table is done by ws2_32 alone, and wrong arguments are the provider’s to find', async () => {
    const seen: Seen[] = [];
    const { ws } = withLayers([noting(handles, seen)]);
    const s = await udp(ws);
    seen.length = 0;
    const event = await ok(ws.WSACreateEvent());
    await ok(ws.WSASetEvent(event));
    await ok(ws.WSAWaitForMultipleEvents(1, [event], true, 0));
    await ok(ws.WSAEnumProtocols(null, [], { value: 1 << 16 }));
    await ok(ws.WSAHtonl(s, 1, { value: 0 }));
    await ws.WSAPoll([{ fd: s, events: POLLOUT, revents: 0 }], 1, 0);
    await ok(ws.getaddrinfo('127.0.0.1', '80', null, { value: null }));
    // WSAPoll asks a layer with handles of its own for the handle below, and nothing else.
    const asked = seen.splice(0).filter(({ args }) => args[1] !== SIO_BSP_HANDLE_POLL);
    expect(asked).toEqual([]);
    // AcceptEx and its relatives are reached by a control code.
    const guid = parseGuid(WSAID_ACCEPTEX);
    await ok(
      ws.WSAIoctl(s, SIO_GET_EXTENSION_FUNCTION_POINTER, guid, 16, new Uint8Array(8), 8, { value: 0 }),
    );
    expect(seen.splice(0).map(({ call }) => call)).toEqual(['WSPIoctl']);
    expect(await ws.bind(s, null)).toBe(-WSAEFAULT);
    expect(await ws.getsockname(s, null, null)).toBeLessThan(0);
    expect(seen.map(({ call }) => call)).toEqual(['WSPBind', 'WSPGetSockName']);
  });
});

describe('upcalls', () => {
  async function upcalls(): Promise<{ ws: Winsock; table: WSPUPCALLTABLE; id: number }> {
    let table: WSPUPCALLTABLE | null = null;
    let id = 0;
    const startup = defineLayer((_next, layer) => {
      table = layer.upcalls;
      id = layer.chain.dwCatalogEntryId;
      return {};
    });
    const { ws } = withLayers([{ startup, isIfs: true }]);
    await tcp(ws);
    if (table === null) throw new Error('the layer has not started');
    return { ws, table, id };
  }

  test('SPI-WPUCreateEvent, SPI-WPUSetEvent, SPI-WPUResetEvent, SPI-WPUCloseEvent are the events of the application', async () => {
    const { ws, table } = await upcalls();
    const event = table.WPUCreateEvent();
    const isSet = async (): Promise<boolean> =>
      (await ws.WSAWaitForMultipleEvents(1, [event], true, 0)) === 0;
    expect(await isSet()).toBe(false);
    expect(table.WPUSetEvent(event)).toBe(1);
    expect([await isSet(), await isSet()]).toEqual([true, true]); // manual reset
    expect(table.WPUResetEvent(event)).toBe(1);
    expect(await isSet()).toBe(false);
    expect(table.WPUCloseEvent(event)).toBe(1);
    for (const call of [table.WPUCloseEvent, table.WPUSetEvent, table.WPUResetEvent]) {
      expect(call(event)).toBe(-WSA_INVALID_HANDLE);
    }
  });

  test('SPI-WPUCreateSocketHandle, SPI-WPUQuerySocketHandleContext, SPI-WPUCloseSocketHandle a handle with its context', async () => {
    const { ws, table, id } = await upcalls();
    const s = table.WPUCreateSocketHandle(id, 4711);
    const context: Ref = { value: 0 };
    expect(table.WPUQuerySocketHandleContext(s, context)).toBe(0);
    expect(context.value).toBe(4711);
    // Its calls go to the provider, which knows nothing of it.
    expect(await ws.listen(s, 1)).toBe(-WSAENOTSOCK);
    expect(table.WPUCloseSocketHandle(s)).toBe(0);
    expect(table.WPUCloseSocketHandle(s)).toBe(-WSAENOTSOCK);
    expect(table.WPUQuerySocketHandleContext(s, context)).toBe(-WSAENOTSOCK);
  });

  test('SPI-WPUFDIsSet looks into a set', async () => {
    const { table } = await upcalls();
    expect([table.WPUFDIsSet(8, { fd_array: [4, 8] }), table.WPUFDIsSet(12, { fd_array: [4, 8] })]).toEqual([
      1, 0,
    ]);
  });

  test('SPI-WPUPostMessage posts to a window of the application; there must be one', async () => {
    const { ws, table } = await upcalls();
    const window = await ok(ws.CreateWindow());
    expect(table.WPUPostMessage(window, 0x401, 4, FD_READ | FD_WRITE)).toBe(1);
    const message = { hwnd: 0, message: 0, wParam: 0, lParam: 0, time: 0 };
    await ok(ws.GetMessage(message));
    expect([message.hwnd, message.wParam]).toEqual([window, 4]);
    expect(table.WPUPostMessage(window + 2, 0x401, 4, 0)).toBe(0);
  });

  test('SPI-WPUOpenCurrentThread, SPI-WPUQueueApc, SPI-WPUCloseThread a function runs in the thread that waits', async () => {
    const { ws, table } = await upcalls();
    const thread: WSATHREADID = { ThreadHandle: 0 };
    expect(table.WPUOpenCurrentThread(thread)).toBe(0);
    const ran: number[] = [];
    expect(table.WPUQueueApc(thread, (context) => void ran.push(context), 42)).toBe(0);
    expect(ran).toEqual([]);
    expect(await ws.SleepEx(0, true)).toBe(192);
    expect(ran).toEqual([42]);
    expect(table.WPUQueueApc({ ThreadHandle: 9999 }, () => {}, 0)).toBe(-WSAEFAULT);
    expect(table.WPUCloseThread(thread)).toBe(0);
  });

  test('SPI-UPC-ABSENT the table has 15 entries, and none of those of early drafts', async () => {
    const { table } = await upcalls();
    expect(Object.keys(table)).toHaveLength(15);
    expect('WPUGetQOSTemplate' in table || 'WPUSetSocketHandleContext' in table).toBe(false);
    expect('WPUCompleteOverlappedRequest' in table).toBe(false);
  });
});
