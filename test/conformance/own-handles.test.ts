/**
 * Layers with handles of their own: what is translated, what is mediated, what is refused; chains of both kinds.
 */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  AF_INET,
  FD_ACCEPT,
  FD_READ,
  FD_WRITE,
  IPPROTO_TCP,
  type MSG,
  POLLIN,
  POLLOUT,
  SIO_BASE_HANDLE,
  SIO_BSP_HANDLE,
  SIO_BSP_HANDLE_POLL,
  SIO_BSP_HANDLE_SELECT,
  SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER,
  SIO_TRANSLATE_HANDLE,
  SOCK_STREAM,
  STATUS_PENDING,
  WSA_IO_PENDING,
  WSAEINVAL,
  WSAENOPROTOOPT,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import { i32le } from '../../src/base/index.ts';
import {
  defineLayer,
  type Layer,
  type Ref,
  type WSAOVERLAPPED,
  WSP_ENTRIES,
  type WSPPROC_TABLE,
  type WSPStartup,
} from '../../src/spi/index.ts';
import { MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { passThrough, type TestLayer } from '../support/chains.ts';
import { withLayers } from './layered.ts';
import { bound, name, nonBlocking, ok, ready, tcp, udp, wsadata } from './support.ts';

const OWN = { handles: 'own' } as const;

/** The provider below a layer, as the layer calls it with handles of the layer below. */
function spying(seen: (call: string, args: readonly unknown[]) => void): TestLayer {
  const startup = defineLayer((next) => {
    const calls: Record<string, unknown> = {};
    for (const entry of WSP_ENTRIES) {
      const call = next[entry] as (...args: unknown[]) => unknown;
      calls[entry] = (...args: unknown[]) => {
        seen(entry, args);
        return call(...args);
      };
    }
    return calls as Partial<WSPPROC_TABLE>;
  });
  return { startup, isIfs: true };
}

async function handleOf(ws: Winsock, s: number, code: number): Promise<number> {
  const out = new Uint8Array(8);
  await ok(ws.WSAIoctl(s, code, null, 0, out, 8, { value: 0 }));
  return i32le(out, 0) >>> 0;
}

const record = (hEvent = 0): WSAOVERLAPPED => ({
  Internal: 0,
  InternalHigh: 0,
  Offset: 0,
  OffsetHigh: 0,
  hEvent,
});

describe('handles of a layer’s own', () => {
  test('SPI-GEN-05, CAT-LOAD-06, SPI-WPUCreateSocketHandle, SPI-WPUCloseSocketHandle the application’s handle is not the one below, and both are given back', async () => {
    const below: unknown[] = [];
    const { ws } = withLayers([
      spying((call, [s]) => call === 'WSPBind' && void below.push(s)),
      passThrough(OWN),
    ]);
    const { s } = await bound(ws, tcp);
    expect(below).toHaveLength(1);
    expect(below[0]).not.toBe(s);
    await ok(ws.closesocket(s));
    expect(await ws.bind(below[0] as number, name('0.0.0.0', 0))).toBe(-WSAENOTSOCK);
    const again = [await tcp(ws)];
    expect([s, below[0]]).toContain(again[0]);
  });

  test('IOC-SIO_BASE_HANDLE, IOC-SIO_BSP_HANDLE, SPI-WSPIoctl the codes that name the socket below go through every layer', async () => {
    const { ws } = withLayers([passThrough(OWN), passThrough(OWN)]);
    const s = await udp(ws);
    const base = await handleOf(ws, s, SIO_BASE_HANDLE);
    expect(base).not.toBe(s);
    for (const code of [SIO_BSP_HANDLE, SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL]) {
      expect(await handleOf(ws, s, code)).toBe(base);
    }
  });

  test('IOC-SIO_TRANSLATE_HANDLE is WSAENOPROTOOPT; registered I/O is WSAEOPNOTSUPP: it would pass the layer by', async () => {
    const { ws } = withLayers([passThrough(OWN)]);
    const s = await udp(ws);
    const out = new Uint8Array(200);
    const count = { value: 0 };
    expect(await ws.WSAIoctl(s, SIO_TRANSLATE_HANDLE, new Uint8Array(4), 4, out, 8, count)).toBe(
      -WSAENOPROTOOPT,
    );
    const id = new Uint8Array(16);
    const code = SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER;
    expect(await ws.WSAIoctl(s, code, id, 16, out, 200, count)).toBe(-WSAEOPNOTSUPP);
    const event = await ok(ws.WSACreateEvent());
    const cq = await ok(ws.RIOCreateCompletionQueue(8, { Type: 1, EventHandle: event, NotifyReset: true }));
    expect(await ws.RIOCreateRequestQueue(s, 1, 1, 1, 1, cq, cq, null)).toBe(-WSAEOPNOTSUPP);
  });

  test('CAT-LOAD-08, SPI-WSPSelect any sets of any sockets come back with the application’s handles, in their order', async () => {
    const { ws } = withLayers([passThrough(OWN), passThrough(OWN)]);
    const sockets: { s: number; port: number }[] = [];
    for (let i = 0; i < 8; i++) sockets.push(await bound(ws, udp, '127.0.0.1'));
    const sender = await udp(ws);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(7), { minLength: 1, maxLength: 12 }),
        fc.uniqueArray(fc.nat(7), { minLength: 1 }),
        fc.boolean(),
        async (asked, filled, isSame) => {
          for (const i of filled) {
            const to = name('127.0.0.1', sockets[i]?.port ?? 0);
            await ok(ws.sendto(sender, new Uint8Array(1), 1, 0, to));
            await ready(ws, sockets[i]?.s ?? 0);
          }
          const members = (): number[] => asked.map((i) => sockets[i]?.s ?? 0);
          const reads = { fd_array: members() };
          const writes = isSame ? reads : { fd_array: members() };
          const readable = [...new Set(asked)].filter((i) => filled.includes(i));
          const count = await ws.select(0, reads, writes, null, { tv_sec: 0, tv_usec: 0 });
          expect(count).toBe(readable.length + new Set(asked).size);
          if (!isSame) expect(reads.fd_array).toEqual(readable.map((i) => sockets[i]?.s));
          expect(writes.fd_array).toEqual([...new Set(asked)].map((i) => sockets[i]?.s));
          for (const i of filled) await ok(ws.recv(sockets[i]?.s ?? 0, new Uint8Array(4)));
        },
      ),
      { numRuns: 40 },
    );
  });

  test('CAT-LOAD-06, SEM-C-04 any order of opening and closing keeps every handle with its socket', async () => {
    const { ws } = withLayers([passThrough(OWN)]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(9), { maxLength: 30 }), async (steps) => {
        const open: { s: number; port: number }[] = [];
        for (const step of steps) {
          if (step < 6) open.push(await bound(ws, udp, '127.0.0.1'));
          const [closed] = step < 6 ? [] : open.splice(step % Math.max(open.length, 1), 1);
          if (closed === undefined) continue;
          await ok(ws.closesocket(closed.s));
          expect(await ws.listen(closed.s, 1)).toBe(-WSAENOTSOCK);
        }
        expect(new Set(open.map(({ s }) => s)).size).toBe(open.length);
        for (const { s, port } of open) {
          await ok(ws.sendto(s, new Uint8Array(3), 3, 0, name('127.0.0.1', port)));
          expect(await ws.recv(s, new Uint8Array(9))).toBe(3);
          await ok(ws.closesocket(s));
        }
      }),
      { numRuns: 25 },
    );
  });

  test('SEM-SEL-07 a set that mixes a layer’s own handles with another owner’s is WSAEINVAL; layers of system handles mix', async () => {
    const { ws } = withLayers([passThrough(OWN)]);
    const entries: WSAPROTOCOL_INFO[] = [];
    await ok(ws.WSAEnumProtocols(null, entries, { value: 1 << 16 }));
    const base = entries.find(({ ChainLen }) => ChainLen === 1) ?? null;
    const [own, plain] = [await tcp(ws), await ok(ws.WSASocket(0, 0, 0, base))];
    const none = { tv_sec: 0, tv_usec: 0 };
    expect(await ws.select(0, { fd_array: [own, plain] }, null, null, none)).toBe(-WSAEINVAL);
    expect(await ws.select(0, { fd_array: [plain] }, { fd_array: [own] }, null, none)).toBe(-WSAEINVAL);
    // TCP and UDP of one layer are one owner.
    expect(await ws.select(0, null, { fd_array: [own, await udp(ws)] }, null, none)).toBe(1);
    const { ws: ifs } = withLayers([passThrough()]);
    const mixed = [await udp(ifs), await ok(ifs.WSASocket(0, 0, 0, base))];
    expect(await ifs.select(0, { fd_array: mixed }, null, null, none)).toBe(0);
  });

  test('API-WSAPoll asks the base provider’s handles, whatever stands above them', async () => {
    const { ws } = withLayers([passThrough(OWN), passThrough(OWN)]);
    const { s, port } = await bound(ws, udp, '127.0.0.1');
    await ok(ws.sendto(s, new Uint8Array(1), 1, 0, name('127.0.0.1', port)));
    await ready(ws, s);
    const fds = [
      { fd: s, events: POLLIN | POLLOUT, revents: 0 },
      { fd: 4, events: POLLIN, revents: 0 },
    ];
    expect(await ws.WSAPoll(fds, 2, 0)).toBe(2);
    expect(fds.map(({ revents }) => revents)).toEqual([0x100 | 0x10, 4]);
  });

  test('CAT-LOAD-09, SPI-GEN-02, SPI-GEN-09 the provider below gets a record of the layer’s, and the caller’s is pending until that is done', async () => {
    const records: WSAOVERLAPPED[] = [];
    const { ws } = withLayers([
      spying(
        (call, args) => call === 'WSPRecv' && args[4] !== null && void records.push(args[4] as WSAOVERLAPPED),
      ),
      passThrough(OWN),
    ]);
    const { s, port } = await bound(ws, udp, '127.0.0.1');
    const event = await ok(ws.WSACreateEvent());
    const own = record(event);
    const into = new Uint8Array(9);
    expect(await ws.WSARecv(s, [into], 1, null, { value: 0 }, own)).toBe(-WSA_IO_PENDING);
    expect([own.Internal, records.length, records[0] === own]).toEqual([STATUS_PENDING, 1, false]);
    await ok(ws.sendto(s, new Uint8Array(6), 6, 0, name('127.0.0.1', port)));
    expect(await ws.WSAWaitForMultipleEvents(1, [event], true, 1000)).toBe(0);
    const [count, flags]: [Ref, Ref] = [{ value: 0 }, { value: 9 }];
    expect(await ws.WSAGetOverlappedResult(s, own, count, false, flags)).toBe(1);
    expect([count.value, flags.value, own.InternalHigh]).toEqual([6, 0, 6]);
  });

  test('SPI-GEN-07, SPI-GEN-10, SPI-WPUQueueApc a routine runs in the thread that began, while it waits alertably, and none is nested', async () => {
    const { ws } = withLayers([passThrough(OWN), passThrough(OWN)]);
    const { s, port } = await bound(ws, udp, '127.0.0.1');
    const order: string[] = [];
    let depth = 0;
    const receive = (label: string, again: boolean): void => {
      const answer = ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, record(), () => {
        expect(++depth).toBe(1);
        order.push(label);
        if (again) receive(`${label}+`, false);
        depth--;
      });
      expect([-WSA_IO_PENDING, 0]).toContain(answer);
    };
    receive('first', true);
    receive('second', false);
    for (let i = 0; i < 3; i++) await ok(ws.sendto(s, new Uint8Array(1), 1, 0, name('127.0.0.1', port)));
    expect(order).toEqual([]);
    while (order.length < 3) await ws.SleepEx(10, true);
    expect(order.sort()).toEqual(['first', 'first+', 'second']);
  });

  test('SEM-VER-15, SPI-START-08 the last WSACleanup wakes who waits for an operation, and completes none', async () => {
    const { ws } = withLayers([passThrough(OWN)]);
    const { s } = await bound(ws, udp, '127.0.0.1');
    const event = await ok(ws.WSACreateEvent());
    const own = record(event);
    expect(await ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, own)).toBe(-WSA_IO_PENDING);
    const waiting = ws.WSAGetOverlappedResult(s, own, { value: 0 }, true, { value: 0 });
    await ok(ws.WSACleanup());
    expect(await waiting).toBeLessThan(0);
    ws.WSAStartup(MAKEWORD(2, 2), wsadata());
    await bound(ws, udp, '127.0.0.1');
  });

  test('SPI-WSPAsyncSelect, CAT-LOAD-08 messages name the application’s sockets, also those that were accepted', async () => {
    const { ws } = withLayers([passThrough(OWN), passThrough(OWN)]);
    const window = await ok(ws.CreateWindow());
    const message: MSG = { hwnd: 0, message: 0, wParam: 0, lParam: 0, time: 0 };
    const next = async (): Promise<number[]> => {
      await ok(ws.GetMessage(message));
      return [message.hwnd, message.message, message.wParam, message.lParam & 0xffff];
    };
    const { s: listener, port } = await bound(ws, tcp, '127.0.0.1');
    await ok(ws.listen(listener, 1));
    await ok(ws.WSAAsyncSelect(listener, window, 0x401, FD_ACCEPT | FD_READ | FD_WRITE));
    const client = await tcp(ws);
    await ok(ws.connect(client, name('127.0.0.1', port)));
    await ok(ws.send(client, new Uint8Array(3)));
    expect(await next()).toEqual([window, 0x401, listener, FD_ACCEPT]);
    const accepted = await ok(ws.accept(listener));
    const seen = [await next(), await next()].sort((one, other) => (one[3] ?? 0) - (other[3] ?? 0));
    expect(seen).toEqual([
      [window, 0x401, accepted, FD_READ],
      [window, 0x401, accepted, FD_WRITE],
    ]);
  });
});

describe('chains of both kinds', () => {
  test('CAT-CHAIN-06, CAT-CHAIN-01 layers of system handles below, with own handles above: depths up to 7 carry a connection', async () => {
    for (let own = 0; own <= 6; own++) {
      const ifs = 6 - own;
      const layers = [
        ...Array.from({ length: ifs }, () => passThrough()),
        ...Array.from({ length: own }, () => passThrough(OWN)),
      ];
      const { ws } = withLayers(layers);
      const { s: listener, port } = await bound(ws, tcp, '127.0.0.1');
      await ok(ws.listen(listener, 1));
      const client = await tcp(ws);
      await ok(ws.connect(client, name('127.0.0.1', port)));
      const server = await ok(ws.accept(listener));
      await ok(ws.send(client, new Uint8Array(1000)));
      let received = 0;
      while (received < 1000) received += await ok(ws.recv(server, new Uint8Array(600)));
      await ok(ws.shutdown(client, 1));
      expect(await ws.recv(server, new Uint8Array(4))).toBe(0);
      await ok(ws.WSACleanup());
    }
  });

  test('CAT-CHAIN-06 an IFS layer above one with own handles is refused: its handle is not one that can be passed through', async () => {
    const { ws } = withLayers([passThrough(OWN), passThrough()]);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEINVAL);
  });

  test('CAT-LOAD-05 a layer of either kind is the same function', async () => {
    const places: Layer[] = [];
    const bound2: number[] = [];
    const make = (options: typeof OWN | undefined): { startup: WSPStartup; isIfs: boolean } => ({
      isIfs: options === undefined,
      startup: defineLayer((next, layer) => {
        places.push(layer);
        return {
          WSPBind(s, bindName, namelen) {
            bound2.push(s);
            return next.WSPBind(s, bindName, namelen);
          },
        };
      }, options),
    });
    for (const options of [undefined, OWN]) {
      const { ws } = withLayers([make(options)]);
      const s = await tcp(ws);
      await nonBlocking(ws, s);
      await ok(ws.bind(s, name('0.0.0.0', 0)));
      expect(bound2.pop()).toBe(s);
    }
    expect(places).toHaveLength(2);
  });
});
