/**
 * A layered provider that somebody outside has written, by the upcalls alone: it mediates overlapped calls of every kind, and its
 * applications notice nothing.
 */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { FD_ACCEPT, FD_READ, type MSG, WSA_OPERATION_ABORTED, WSAEINVAL } from '../../src/abi/index.ts';
import { defineLayer, type Ref, type WPUBlockingCallback, type WSPPROC_TABLE } from '../../src/spi/index.ts';
import { MAKEWORD } from '../../src/winsock/index.ts';
import { layeredEntries, passThrough, type TestLayer } from '../support/chains.ts';
import { ECHO_CLIENTS, echoOver, pattern } from '../support/echo-models.ts';
import { handwrittenLayer, type Upcall } from '../support/handwritten-layer.ts';
import { type LayeredHosts, layeredHosts } from '../support/layered-hosts.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { withLayers } from './layered.ts';
import { packet, pending, portOf, record, recordWithEvent } from './overlapped-support.ts';
import { bound, connected, name, ok, tcp, text, udp, wsadata } from './support.ts';

let hosts: LayeredHosts;
const upcalls: Upcall[] = [];

/** The layer in a chain: over `below` others, and below `above` more. */
function install(below = 0, above = 0): void {
  const place: TestLayer = { startup: () => 0, isIfs: false };
  const all = [
    ...Array.from({ length: below }, () => passThrough()),
    place,
    ...Array.from({ length: above }, () => passThrough({ handles: 'own' })),
  ];
  const layered = layeredEntries(all).filter(({ ChainLen }) => ChainLen === 0);
  const id = layered[below]?.dwCatalogEntryId ?? 0;
  const startup = handwrittenLayer(
    () => id,
    (upcall) => void upcalls.push(upcall),
  );
  hosts = layeredHosts(all.map((each) => (each === place ? { startup, isIfs: false } : each)));
}

beforeEach(() => {
  upcalls.length = 0;
});
afterEach(() => hosts?.close());

describe('a provider that was written by hand', () => {
  test.each(ECHO_CLIENTS)(
    'SPI-WPUGetProviderPath, SPI-WPUCreateSocketHandle, SPI-WPUCloseSocketHandle, SPI-WPUQuerySocketHandleContext, SPI-WPUFDIsSet, CAT-LOAD-09 echoes with %s, as client and as server, alone and between others',
    async (_model, client) => {
      const bytes = pattern(9000);
      for (const [below, above] of [
        [0, 0],
        [2, 3],
      ] as const) {
        install(below, above);
        expect(await echoOver(hosts.a, hosts.b, client, ADDRESS_B, bytes)).toEqual(Buffer.from(bytes));
        expect(await echoOver(hosts.b, hosts.a, client, ADDRESS_A, bytes)).toEqual(Buffer.from(bytes));
        expect([hosts.faults, hosts.failures, hosts.held().sockets]).toEqual([[], [], 0]);
        for (const each of [
          'WPUCreateSocketHandle',
          'WPUQuerySocketHandleContext',
          'WPUCloseSocketHandle',
        ] as const)
          expect(upcalls).toContain(each);
        if (below === 0) await hosts.close();
      }
    },
  );

  test('SPI-WPUCompleteOverlappedRequest, SPI-WPUCreateEvent, SPI-WPUCloseEvent, SPI-GEN-08, SPI-GEN-09 an end is told by the caller’s event, and read back from its record', async () => {
    install();
    const { a, b } = hosts;
    const { client, server } = await connected(hosts);
    const own = await recordWithEvent(a);
    const room = new Uint8Array(9);
    const handles = hosts.held().handles;
    await pending(a.WSARecv(client, [room], 1, null, { value: 0 }, own));
    await ok(b.send(server, text('event')));
    expect(await a.WSAWaitForMultipleEvents(1, [own.hEvent], true, 5000)).toBe(0);
    const [count, flags]: [Ref, Ref] = [{ value: 0 }, { value: 9 }];
    expect(await a.WSAGetOverlappedResult(client, own, count, false, flags)).toBe(1);
    expect([count.value, flags.value, own.Internal, own.InternalHigh]).toEqual([5, 0, 0, 5]);
    expect(upcalls.slice(-6)).toContain('WPUCompleteOverlappedRequest');
    expect(hosts.held().handles).toBe(handles);
    // Who waits for the result is told of the error that the layer has kept.
    const second = await recordWithEvent(a);
    await pending(a.WSARecv(client, [room], 1, null, { value: 0 }, second));
    const waiting = a.WSAGetOverlappedResult(client, second, count, true, flags);
    expect(await a.CancelIoEx(client, second)).toBe(1);
    expect(await waiting).toBe(-WSA_OPERATION_ABORTED);
  });

  test('SPI-WPUQueueApc, SPI-GEN-02, SPI-GEN-07, SPI-GEN-10 a routine runs in the thread that began, which the layer has a copy of', async () => {
    install();
    const { a, b } = hosts;
    const { client, server } = await connected(hosts);
    const room = new Uint8Array(9);
    const ran: unknown[] = [];
    await pending(
      a.WSARecv(client, [room], 1, null, { value: 0 }, record(), (error, bytes) => {
        ran.push(error, bytes);
      }),
    );
    await ok(b.send(server, text('routine')));
    await a.SleepEx(100, false);
    expect(ran).toEqual([]);
    expect(await a.SleepEx(5000, true)).toBe(192);
    expect(ran).toEqual([0, 7]);
    expect(upcalls).toContain('WPUQueueApc');
    expect(upcalls).not.toContain('WPUCompleteOverlappedRequest');
  });

  test('SPI-WPUCompleteOverlappedRequest, SPI-GEN-08 a port that the application has joined gets a packet with its own record', async () => {
    install(1, 1);
    const { a, b } = hosts;
    const { client, server } = await connected(hosts);
    const port = await portOf(a, client);
    const own = record();
    await pending(a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, own));
    await ok(b.send(server, text('port')));
    expect(await packet(a, port)).toMatchObject({ answer: 1, bytes: 4, lpOverlapped: own });
    expect((await packet(a, port, 0)).lpOverlapped).toBeNull();
  });

  test('SPI-WPUPostMessage, SPI-WSPAsyncSelect messages of the socket below come under the application’s handle', async () => {
    install();
    const { a, b } = hosts;
    const window = await ok(a.CreateWindow());
    const { s: listener, port } = await bound(a, tcp);
    await ok(a.listen(listener, 1));
    await ok(a.WSAAsyncSelect(listener, window, 0x401, FD_ACCEPT | FD_READ));
    await ok(b.connect(await tcp(b), name(ADDRESS_A, port)));
    const message: MSG = { hwnd: 0, message: 0, wParam: 0, lParam: 0, time: 0 };
    await ok(a.GetMessage(message));
    expect([message.hwnd, message.message, message.wParam, message.lParam]).toEqual([
      window,
      0x401,
      listener,
      FD_ACCEPT,
    ]);
    expect(upcalls).toContain('WPUPostMessage');
  });

  test('SPI-WPUOpenCurrentThread, SPI-WPUCloseThread a call that brings no thread is that of the thread which makes it', async () => {
    let next: WSPPROC_TABLE | null = null;
    install();
    await hosts.close();
    const id =
      layeredEntries([{ isIfs: false }]).find(({ ChainLen }) => ChainLen === 0)?.dwCatalogEntryId ?? 0;
    const startup = handwrittenLayer(
      () => id,
      (upcall) => void upcalls.push(upcall),
    );
    const above = defineLayer(
      (below) => {
        next = below;
        return { WSPBind: (...args) => below.WSPBind(...args) };
      },
      { handles: 'own' },
    );
    hosts = layeredHosts([
      { startup, isIfs: false },
      { startup: above, isIfs: false },
    ]);
    const { s, port } = await bound(hosts.a, udp, '127.0.0.1');
    let ran = 0;
    // A worker of the layer above: it has no WSATHREADID at hand.
    const call = (next as unknown as WSPPROC_TABLE).WSPRecv;
    await pending(call(s, [new Uint8Array(4)], 1, { value: 0 }, record(), () => void ran++, null));
    await ok(hosts.a.sendto(s, text('x'), 1, 0, name('127.0.0.1', port)));
    expect(await hosts.a.SleepEx(5000, true)).toBe(192);
    expect(ran).toBe(1);
    expect(upcalls).toContain('WPUOpenCurrentThread');
    expect(upcalls).toContain('WPUCloseThread');
  });
});

describe('upcalls of a provider that waits', () => {
  test('SPI-WPUQueryBlockingCallback, SEM-W11-02 a layer that makes a thread wait runs its 1.1 hook, which may end the wait', async () => {
    let waits = 0;
    let isWaiting = false;
    const startup = defineLayer((next, { upcalls: table, chain, ws2 }) => ({
      WSPCancelBlockingCall: () => (isWaiting ? 0 : next.WSPCancelBlockingCall()),
      async WSPRecv(s, ...rest) {
        const callback: Ref<WPUBlockingCallback | null> = { value: null };
        const context: Ref = { value: 0 };
        expect(table.WPUQueryBlockingCallback(chain.dwCatalogEntryId, callback, context)).toBe(0);
        if (callback.value === null) return next.WSPRecv(s, ...rest);
        // What this layer waits for takes its time.
        isWaiting = true;
        for (waits = 1; waits < 10; waits++) {
          await new Promise<void>((resolve) => void ws2.scheduler.after(10, resolve));
          if (!(await callback.value(context.value))) return -10004;
        }
        return next.WSPRecv(s, ...rest);
      },
    }));
    const { ws } = withLayers([{ startup, isIfs: true }]);
    await ok(ws.WSACleanup());
    ws.WSAStartup(MAKEWORD(1, 1), wsadata());
    const { s } = await bound(ws, udp, '127.0.0.1');
    let runs = 0;
    await ws.WSASetBlockingHook(() => {
      if (++runs === 3) void ws.WSACancelBlockingCall();
      return false;
    });
    expect(await ws.recv(s, new Uint8Array(1))).toBe(-10004);
    expect([runs, waits]).toEqual([3, 3]);
  });

  test('SPI-WPUModifyIFSHandle a handle of a layer’s own cannot be passed on as one of the system’s', async () => {
    let modified = 0;
    const own: TestLayer = passThrough({ handles: 'own' });
    const startup = defineLayer(
      (next, { upcalls: table, chain }) => ({
        WSPBind(s, bindName, length) {
          modified = table.WPUModifyIFSHandle(chain.dwCatalogEntryId, s);
          return next.WSPBind(s, bindName, length);
        },
      }),
      { handles: 'own' },
    );
    const { ws } = withLayers([own, { startup, isIfs: false }]);
    await bound(ws, udp);
    expect(modified).toBe(-WSAEINVAL);
  });
});
