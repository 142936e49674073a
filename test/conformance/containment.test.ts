/**
 * Layers that break: what they throw, answer or forget stays theirs. The socket fails with WSAENETDOWN, the process goes on, and
 * somebody is told which layer it was.
 */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WSA_IO_PENDING, WSAENETDOWN, WSAENOTSOCK } from '../../src/abi/index.ts';
import { defineLayer, WSP_ENTRIES, type WSPPROC_TABLE } from '../../src/spi/index.ts';
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
      if (handles === 'system') await bound(ws, udp, '127.0.0.1', port);
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
