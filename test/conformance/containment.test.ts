/**
 * Layers that break: what they throw, answer or forget stays theirs. The socket fails with WSAENETDOWN, the process goes on, and
 * somebody is told which layer it was.
 */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  WSA_IO_PENDING,
  WSAENETDOWN,
  WSAENOTSOCK,
} from '../../src/abi/index.ts';
import { defineLayer, WSP_ENTRIES, type WSPPROC_TABLE, writePointer } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { passThrough, type TestLayer } from '../support/chains.ts';
import { withLayers } from './layered.ts';
import { bound, name, ok, tcp, udp } from './support.ts';

/** A layer whose one call is replaced. */
function broken(
  call: keyof WSPPROC_TABLE,
  instead: (...args: never[]) => unknown,
  handles: 'system' | 'own' = 'system',
): TestLayer {
  const calls = { [call]: instead } as Partial<WSPPROC_TABLE>;
  return { startup: defineLayer(() => calls, { name: 'broken', handles }), isIfs: handles === 'system' };
}

const throwing = (): never => {
  throw new TypeError('on purpose');
};

/** A call on a bound UDP socket, by the entry that it comes to. */
const CALLS: readonly [keyof WSPPROC_TABLE, (ws: Winsock, s: number) => number | Promise<number>][] = [
  ['WSPBind', (ws, s) => ws.bind(s, name('0.0.0.0', 0))],
  ['WSPConnect', (ws, s) => ws.connect(s, name('127.0.0.1', 9))],
  ['WSPGetSockName', (ws, s) => ws.getsockname(s, new Uint8Array(16))],
  ['WSPSetSockOpt', (ws, s) => ws.setsockopt(s, 0xffff, 4, new Uint8Array(4))],
  ['WSPGetSockOpt', (ws, s) => ws.getsockopt(s, 0xffff, 4, new Uint8Array(4))],
  ['WSPIoctl', (ws, s) => ws.ioctlsocket(s, 0x4004667f, { value: 0 })],
  ['WSPShutdown', (ws, s) => ws.shutdown(s, 1)],
  ['WSPRecv', (ws, s) => ws.recv(s, new Uint8Array(4))],
  ['WSPSendTo', (ws, s) => ws.sendto(s, new Uint8Array(4), 4, 0, name('127.0.0.1', 9))],
];

describe('a layer that breaks', () => {
  test.each(CALLS)('SEM-C-02 %s that throws fails its socket, and no other', async (entry, call) => {
    const { ws, faults } = withLayers([passThrough(), broken(entry, throwing)]);
    const [s, other] = [await udp(ws), await udp(ws)];
    expect(await call(ws, s)).toBe(-WSAENETDOWN);
    expect(faults).toEqual([
      expect.objectContaining({
        layer: 'broken',
        call: entry,
        s,
        kind: 'threw',
        detail: 'TypeError: on purpose',
      }),
    ]);
    // Every later call, whether the layer has it or not.
    expect(await ws.getpeername(s, new Uint8Array(16))).toBe(-WSAENETDOWN);
    expect(await ws.closesocket(s)).toBe(0);
    expect(await ws.closesocket(s)).toBe(-WSAENOTSOCK);
    expect(await ws.listen(other, 1)).not.toBe(-WSAENETDOWN);
  });

  test.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['half a byte', 0.5],
    ['nothing', undefined],
    ['a text', '0'],
    ['more bytes than there is room for', 5],
    ['a code that is none', -1e9],
    ['a promise of nothing', Promise.resolve(undefined)],
    ['a promise that rejects', () => Promise.reject(new Error('late'))],
  ] as [string, unknown][])('SEM-C-02 the nonsense of WSPRecv is contained: %s', async (_what, answer) => {
    const { ws, faults } = withLayers([
      broken('WSPRecv', () => (typeof answer === 'function' ? answer() : answer)),
    ]);
    const { s } = await bound(ws, udp);
    expect(await ws.recv(s, new Uint8Array(4))).toBe(-WSAENETDOWN);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.call).toBe('WSPRecv');
  });

  test('SEM-C-02 a positive code where a call has no value, and a handle that nobody made, are nonsense', async () => {
    const wrongSign = withLayers([broken('WSPBind', () => 10048)]);
    const s = await tcp(wrongSign.ws);
    expect(await wrongSign.ws.bind(s, name('0.0.0.0', 0))).toBe(-WSAENETDOWN);
    expect(wrongSign.faults[0]?.detail).toBe('it answered 10048');
    for (const handle of [0, 3, 4, 1e6]) {
      const { ws } = withLayers([broken('WSPSocket', () => handle)]);
      expect(await ws.socket(2, 1, 6)).toBeLessThan(0);
    }
  });

  test('SEM-C-02 whatever a layer answers to whatever call, the application gets a number and goes on', async () => {
    const answers = fc.oneof(
      fc.constantFrom<unknown>(undefined, null, '', [], {}, Number.NaN, -0, true),
      fc.double(),
      fc.integer(),
      fc.bigInt(),
    );
    const entries = fc.constantFrom(...WSP_ENTRIES.filter((entry) => entry !== 'WSPCleanup'));
    await fc.assert(
      fc.asyncProperty(entries, answers, fc.boolean(), async (entry, answer, isLate) => {
        const { ws } = withLayers([broken(entry, () => (isLate ? Promise.resolve(answer) : answer))]);
        const s = await ws.socket(2, 2, 17);
        for (const [, call] of CALLS) {
          // What waits for data is not asked when nobody has broken it.
          if (call === CALLS[7]?.[1] && entry !== 'WSPRecv') continue;
          expect(Number.isInteger(await call(ws, s))).toBe(true);
        }
        expect(Number.isInteger(await ws.closesocket(s))).toBe(true);
        expect(await ws.WSACleanup()).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  test('SEM-C-02 a call that may not wait and gets no answer within the limit fails; a blocking one waits', async () => {
    const never = (): Promise<number> => new Promise(() => {});
    const { ws, faults, time } = withLayers([broken('WSPListen', never)], { layerLimit: 500 });
    const { s } = await bound(ws, tcp);
    const began = time.now();
    expect(await ws.listen(s, 1)).toBe(-WSAENETDOWN);
    expect(time.now() - began).toBeGreaterThanOrEqual(500);
    expect(faults[0]).toMatchObject({ call: 'WSPListen', kind: 'silent', s });
    const receiving = withLayers([broken('WSPRecv', never)], { layerLimit: 500 });
    const blocking = await udp(receiving.ws);
    let isAnswered = false;
    void Promise.resolve(receiving.ws.recv(blocking, new Uint8Array(1))).then(() => {
      isAnswered = true;
    });
    await receiving.ws.SleepEx(2000, false);
    expect([isAnswered, receiving.faults.length]).toEqual([false, 0]);
    // Of a non-blocking socket, or with a record, it must not.
    const other = await udp(receiving.ws);
    await ok(receiving.ws.ioctlsocket(other, 0x8004667e, { value: 1 }));
    expect(await receiving.ws.recv(other, new Uint8Array(1))).toBe(-WSAENETDOWN);
    expect(receiving.faults[0]?.kind).toBe('silent');
  });

  test('SEM-C-02 a close that fails closes what is below, so that nothing is left open', async () => {
    for (const handles of ['system', 'own'] as const) {
      const { ws, faults } = withLayers([broken('WSPCloseSocket', throwing, handles)]);
      const { s, port } = await bound(ws, udp, '127.0.0.1');
      expect(await ws.closesocket(s)).toBe(-WSAENETDOWN);
      expect(faults[0]?.call).toBe('WSPCloseSocket');
      expect(await ws.closesocket(s)).toBe(-WSAENOTSOCK);
      await bound(ws, udp, '127.0.0.1', port);
    }
  });

  test('SPI-START-08 a cleanup that throws does not keep the providers below from theirs', async () => {
    const { ws } = withLayers([broken('WSPCleanup', throwing)]);
    const { port } = await bound(ws, udp, '127.0.0.1');
    expect(await ws.WSACleanup()).toBe(0);
    ws.WSAStartup(0x0202, {
      wVersion: 0,
      wHighVersion: 0,
      iMaxSockets: 0,
      iMaxUdpDg: 0,
      szDescription: '',
      szSystemStatus: '',
    });
    await bound(ws, udp, '127.0.0.1', port);
  });

  test('a layer below one with its own handles is contained, too', async () => {
    const { ws, faults } = withLayers([broken('WSPBind', throwing), passThrough({ handles: 'own' })]);
    const s = await tcp(ws);
    expect(await ws.bind(s, name('0.0.0.0', 0))).toBe(-WSAENETDOWN);
    expect(faults.map(({ layer, kind }) => [layer, kind])).toEqual([['broken', 'threw']]);
    expect(await ws.closesocket(s)).toBe(0);
  });
});

describe('what is failed with', () => {
  test('SEM-C-02, SEM-C-04 is a socket, not its number: who gets that next begins anew, in a layer that leaves closing to others, too', async () => {
    let isBad = true;
    const startup = defineLayer((next) => ({
      WSPBind(...args) {
        if (isBad) throw new Error('once');
        return next.WSPBind(...args);
      },
    }));
    for (const above of [[], [passThrough({ handles: 'own' })]]) {
      isBad = true;
      const { ws, layers } = withLayers([{ startup, isIfs: true }, ...above]);
      const s = await udp(ws);
      expect(await ws.bind(s, name('127.0.0.1', 0))).toBe(-WSAENETDOWN);
      await ok(ws.closesocket(s));
      expect(layers[0]?.sockets.size).toBe(0);
      isBad = false;
      for (let i = 0; i < 3; i++) await bound(ws, udp, '127.0.0.1');
    }
  });

  test('SEM-C-02, SEM-C-04 a call that ends badly after its socket was closed does no harm to the one that has its number now', async () => {
    let fail: (reason: unknown) => void = () => {};
    const failing = new Promise<number>((_resolve, reject) => {
      fail = reject;
    });
    const { ws, faults } = withLayers([broken('WSPRecv', () => failing)]);
    const { s } = await bound(ws, udp, '127.0.0.1');
    const receiving = ws.recv(s, new Uint8Array(1));
    await ok(ws.closesocket(s));
    const next = await bound(ws, udp, '127.0.0.1');
    expect(next.s).toBe(s);
    fail(new Error('too late'));
    expect(await receiving).toBe(-WSAENETDOWN);
    expect(faults).toEqual([expect.objectContaining({ call: 'WSPRecv', s: 0, detail: 'Error: too late' })]);
    await ok(ws.sendto(s, new Uint8Array(2), 2, 0, name('127.0.0.1', next.port)));
  });

  test('SEM-C-02 a call that waits has the limit once its socket is closed, or Winsock given up', async () => {
    const never = (): Promise<number> => new Promise(() => {});
    const { ws, faults, time } = withLayers([broken('WSPRecv', never)], { layerLimit: 500 });
    const [{ s }, { s: other }] = [await bound(ws, udp), await bound(ws, udp)];
    const receiving = ws.recv(s, new Uint8Array(1));
    const last = ws.recv(other, new Uint8Array(1));
    await ws.SleepEx(5000, false);
    expect(faults).toEqual([]);
    await ok(ws.closesocket(s));
    const closed = time.now();
    expect(await receiving).toBe(-WSAENETDOWN);
    expect(time.now() - closed).toBeGreaterThanOrEqual(500);
    await ok(ws.WSACleanup());
    expect(await last).toBe(-WSAENETDOWN);
    expect(faults.map(({ kind }) => kind)).toEqual(['silent', 'silent']);
  });

  test('SEM-C-02, SEM-LING-01 a close that does not linger has the limit, one that does waits, until Winsock is given up', async () => {
    const never = (): Promise<number> => new Promise(() => {});
    for (const handles of ['system', 'own'] as const) {
      const { ws, faults, time } = withLayers([broken('WSPCloseSocket', never, handles)], {
        layerLimit: 500,
      });
      const { s, port } = await bound(ws, tcp, '127.0.0.1');
      const began = time.now();
      expect(await ws.closesocket(s)).toBe(-WSAENETDOWN);
      expect(time.now() - began).toBeGreaterThanOrEqual(500);
      expect(faults[0]).toMatchObject({ call: 'WSPCloseSocket', kind: 'silent' });
      const lingering = await bound(ws, tcp, '127.0.0.1', port);
      await ok(ws.setsockopt(lingering.s, 0xffff, 0x80, Uint8Array.of(1, 0, 9, 0)));
      let isClosed = false;
      const closing = Promise.resolve(ws.closesocket(lingering.s)).then((answer) => {
        isClosed = true;
        return answer;
      });
      await ws.SleepEx(5000, false);
      expect([isClosed, faults.length]).toEqual([false, 1]);
      await ok(ws.WSACleanup());
      expect(await closing).toBe(-WSAENETDOWN);
    }
  });

  test('SEM-C-02 a socket that a layer answers a second time is nonsense: it is somebody’s', async () => {
    let first = 0;
    const { ws, faults } = withLayers([
      {
        isIfs: true,
        startup: defineLayer((next) => ({
          WSPSocket(...args) {
            if (first !== 0) return first;
            first = next.WSPSocket(...args) as number;
            return first;
          },
        })),
      },
    ]);
    const { s, port } = await bound(ws, udp, '127.0.0.1');
    expect(await ws.socket(2, 2, 17)).toBe(-WSAENETDOWN);
    expect(faults[0]?.detail).toBe(`it answered socket ${s} a second time`);
    await ok(ws.sendto(s, new Uint8Array(2), 2, 0, name('127.0.0.1', port)));
  });

  test('SEM-C-02 of layers that wait for each other the one is named that does not answer', async () => {
    const silent = broken('WSPListen', () => new Promise(() => {}));
    const { ws, faults } = withLayers(
      [passThrough({ name: 'lower' }), silent, passThrough({ handles: 'own', name: 'upper' })],
      { layerLimit: 500 },
    );
    const { s } = await bound(ws, tcp);
    expect(await ws.listen(s, 1)).toBe(-WSAENETDOWN);
    await ws.SleepEx(1000, false);
    expect(new Set(faults.map(({ layer }) => layer))).toEqual(new Set(['broken']));
    expect(await ws.closesocket(s)).toBe(0);
  });
});

describe('what is not a fault', () => {
  test('SEM-BLK-06, SEM-OV-12 waiting for an operation, on a socket without the overlapped attribute and on a non-blocking one', async () => {
    for (const handles of ['system', 'own'] as const) {
      const { ws, faults } = withLayers([passThrough({ handles })], { layerLimit: 100 });
      const s = await ok(ws.WSASocket(2, 2, 17, null, 0, 0));
      await ok(ws.bind(s, name('127.0.0.1', 0)));
      const hEvent = await ok(ws.WSACreateEvent());
      const own = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent };
      const waiting = [ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, own)];
      const { s: other } = await bound(ws, udp, '127.0.0.1');
      await ok(ws.ioctlsocket(other, 0x8004667e, { value: 1 }));
      const second = { ...own, hEvent: await ok(ws.WSACreateEvent()) };
      expect(await ws.WSARecv(other, [new Uint8Array(4)], 1, null, { value: 0 }, second)).toBe(
        -WSA_IO_PENDING,
      );
      waiting.push(ws.WSAGetOverlappedResult(other, second, { value: 0 }, true, { value: 0 }));
      waiting.push(ws.select(0, { fd_array: [other] }, null, null, { tv_sec: 2, tv_usec: 0 }));
      await ws.SleepEx(5000, false);
      expect([faults, await waiting[2]]).toEqual([[], 0]);
      await ok(ws.closesocket(s));
      await ok(ws.closesocket(other));
      for (const each of waiting) await each;
      expect(faults).toEqual([]);
    }
  });
});

describe('what layers leave with ws2_32', () => {
  test('SEM-C-02, CAT-LOAD-08 an extension function that breaks fails its socket, as a call of the table does', async () => {
    const ways: readonly [string, () => unknown][] = [
      ['ConnectEx throws', throwing],
      ['ConnectEx answers a text', () => 'x'],
      ['ConnectEx rejects', () => Promise.reject(Object.create(null))],
    ];
    for (const [way, act] of ways) {
      const startup = defineLayer(
        (next) => ({
          WSPIoctl(s, code, input, cbIn, out, ...rest) {
            const answer = next.WSPIoctl(s, code, input, cbIn, out, ...rest);
            if (code === SIO_GET_EXTENSION_FUNCTION_POINTER && out !== null) writePointer(out, 0, act);
            return answer;
          },
        }),
        { name: 'broken' },
      );
      const { ws, faults } = withLayers([{ startup, isIfs: true }, passThrough({ handles: 'own' })]);
      const { s } = await bound(ws, tcp);
      const own = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
      const answer = await ws.ConnectEx(s, name('127.0.0.1', 9), 16, null, 0, null, own);
      expect([way, answer]).toEqual([way, -WSAENETDOWN]);
      expect(faults).toEqual([expect.objectContaining({ layer: 'broken', call: 'ConnectEx' })]);
      expect(await ws.listen(s, 1)).toBe(-WSAENETDOWN);
      expect(await ws.closesocket(s)).toBe(0);
      await ok(ws.listen((await bound(ws, tcp)).s, 1));
    }
  });

  test('SEM-C-02 what it is called back with may throw: events, windows, readiness and cancelling stay the application’s', async () => {
    let lower = 0;
    const startup = defineLayer(
      (next, { upcalls, ws2 }) => ({
        WSPSocket(...args) {
          const s = next.WSPSocket(...args) as number;
          lower = ws2.createWindow(throwing);
          ws2.serve(s, {
            flags: 1,
            cancel: throwing,
            get readiness() {
              return { poll: throwing, watch: throwing };
            },
          });
          return s;
        },
        WSPListen(s, backlog) {
          const event = upcalls.WPUCreateEvent();
          ws2.onEvent(event, throwing);
          upcalls.WPUSetEvent(event);
          upcalls.WPUPostMessage(lower, 1, 0, 0);
          return next.WSPListen(s, backlog);
        },
      }),
      { name: 'broken', handles: 'own' },
    );
    const { ws, faults } = withLayers([{ startup, isIfs: false }]);
    const { s } = await bound(ws, tcp);
    expect(await ws.listen(s, 1)).toBe(0);
    expect(await ws.WSAPoll([{ fd: s, events: 0x100, revents: 0 }], 1, 0)).toBe(1);
    expect(await ws.CancelIoEx(s, null)).toBeLessThan(0);
    expect(faults.map(({ call, kind }) => `${call} ${kind}`)).toEqual(
      Array.from({ length: faults.length }, () => 'callback threw'),
    );
    expect(faults.slice(0, 2).map(({ layer }) => layer)).toEqual(['broken', 'broken']);
    expect(faults.length).toBeGreaterThanOrEqual(4);
    expect(await ws.closesocket(s)).toBe(0);
  });
});

describe('what layers are watched by', () => {
  test('calls, bytes and time are counted for each layer and socket, and forgotten with the socket', async () => {
    const { ws, layers } = withLayers([passThrough({ name: 'lower' }), passThrough({ name: 'upper' })]);
    const { s, port } = await bound(ws, udp, '127.0.0.1');
    await ok(ws.sendto(s, new Uint8Array(10), 10, 0, name('127.0.0.1', port)));
    await ok(ws.recv(s, new Uint8Array(20)));
    expect(layers.map((layer) => layer.name)).toEqual(['lower', 'upper']);
    for (const layer of layers) {
      expect(layer.sockets.get(s)).toEqual({
        calls: 4,
        bytesSent: 10,
        bytesReceived: 10,
        ms: expect.any(Number),
      });
    }
    await ok(ws.closesocket(s));
    expect(layers.map(({ sockets }) => sockets.size)).toEqual([0, 0]);
  });

  test('each call is told with its arguments and its answer; a layer’s code is entered and left in turn', async () => {
    const events: string[] = [];
    const { ws } = withLayers([passThrough({ name: 'lower' }), passThrough({ name: 'upper' })], {
      observer: {
        enter: ({ name: layer }, call) => void events.push(`> ${layer} ${call}`),
        leave: ({ name: layer }, call) => void events.push(`< ${layer} ${call}`),
        called: ({ name: layer }, call, args, answer) =>
          void events.push(`${layer} ${call} ${args.length} = ${answer}`),
      },
    });
    const s = await udp(ws);
    events.length = 0;
    await ok(ws.bind(s, name('127.0.0.1', 0)));
    expect(events).toEqual([
      '> upper WSPBind',
      '> lower WSPBind',
      '< lower WSPBind',
      'lower WSPBind 3 = 0',
      '< upper WSPBind',
      'upper WSPBind 3 = 0',
    ]);
    const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
    events.length = 0;
    expect(await ws.WSARecv(s, [new Uint8Array(1)], 1, null, { value: 0 }, record)).toBe(-WSA_IO_PENDING);
    expect(events.at(-1)).toBe(`upper WSPRecv 7 = -${WSA_IO_PENDING}`);
  });

  test('a socket without layers is not looked at', async () => {
    const events: string[] = [];
    const { ws } = withLayers([], { observer: { enter: (_layer, call) => void events.push(call) } });
    await bound(ws, udp);
    expect(events).toEqual([]);
  });
});
