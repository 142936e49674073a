import { expect, test } from '@jest/globals';
import {
  AF_INET,
  IPPROTO_TCP,
  SOCK_STREAM,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINPROGRESS,
  WSAEINTR,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
  WSANOTINITIALISED,
} from '../../src/abi/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { type BlockingHook, defaultBlockingHook, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  listening,
  localName,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  type Pair,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

/** A process on host a that negotiated 1.1. */
async function version1({ processOn }: Pick<Pair, 'processOn'>): Promise<Winsock> {
  const ws = await processOn('a');
  await ok(ws.WSAStartup(MAKEWORD(1, 1), wsadata()));
  return ws;
}

/** A bound socket that a blocking `recv` waits on, and a way to end that. */
async function waiting(ws: Winsock) {
  const { s } = await bound(ws, udp, '127.0.0.1');
  const { port } = await localName(ws, s);
  return {
    s,
    receiving: ws.recv(s, new Uint8Array(9)),
    /** The bytes come from another process: this one may make no call meanwhile. */
    async end(other: Winsock): Promise<void> {
      await ok(other.sendto(await udp(other), text('ab'), 2, 0, name('127.0.0.1', port)));
    },
  };
}

const HOOK_CALLS: readonly [string, (ws: Winsock) => number | Promise<number>][] = [
  ['WSAIsBlocking', (ws) => ws.WSAIsBlocking()],
  ['WSASetBlockingHook', (ws) => ws.WSASetBlockingHook(() => false)],
  ['WSAUnhookBlockingHook', (ws) => ws.WSAUnhookBlockingHook()],
  ['WSACancelBlockingCall', (ws) => ws.WSACancelBlockingCall()],
];

overEveryAttachment('Winsock 1.1', (pair) => {
  test.each(HOOK_CALLS)(
    'SEM-W11-05, SEM-VER-17, API-%s is refused to 2.x, and before WSAStartup',
    async (_name, call) => {
      const { a, processOn } = await pair();
      expect(await call(a)).toBe(-WSAEOPNOTSUPP);
      expect(await call(await processOn('a'))).toBe(-WSANOTINITIALISED);
    },
  );

  test.each(HOOK_CALLS)(
    'SEM-VER-18, API-%s is refused once any user of the process negotiated 2.x',
    async (_name, call) => {
      const ws = await version1(await pair());
      await ok(ws.WSAStartup(MAKEWORD(2, 0), wsadata()));
      expect(await call(ws)).toBe(-WSAEOPNOTSUPP);
      await ok(ws.WSACleanup());
      expect(await call(ws)).toBe(-WSAEOPNOTSUPP);
    },
  );

  test('SEM-W11-01, SEM-C-03, API-WSAIsBlocking while a blocking call waits every other call is WSAEINPROGRESS', async () => {
    const { a, processOn } = await pair();
    const ws = await version1({ processOn });
    expect(await ws.WSAIsBlocking()).toBe(0);
    const call = await waiting(ws);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEINPROGRESS);
    expect(await ws.recv(call.s, new Uint8Array(1))).toBe(-WSAEINPROGRESS);
    expect(await ws.select(0, { fd_array: [call.s] })).toBe(-WSAEINPROGRESS);
    expect(await ws.closesocket(call.s)).toBe(-WSAEINPROGRESS);
    expect(await ws.WSACleanup()).toBe(-WSAEINPROGRESS);
    expect(await ws.WSASetBlockingHook(() => false)).toBe(-WSAEINPROGRESS);
    expect(await ws.WSAIsBlocking()).toBe(1);
    await call.end(a);
    expect(await call.receiving).toBe(2);
    expect(await ws.WSAIsBlocking()).toBe(0);
    expect(await ws.closesocket(call.s)).toBe(0);
  });

  test('SEM-W11-01 a 2.x process makes calls while others wait', async () => {
    const { a } = await pair();
    const call = await waiting(a);
    await ok(a.closesocket(await tcp(a)));
    await call.end(a);
    expect(await call.receiving).toBe(2);
  });

  test('SEM-W11-01 a non-blocking socket’s call is not a blocking call', async () => {
    const ws = await version1(await pair());
    const { s } = await bound(ws, udp);
    await nonBlocking(ws, s);
    const receiving = ws.recv(s, new Uint8Array(1));
    expect(await ws.WSAIsBlocking()).toBe(0);
    expect(await receiving).toBe(-WSAEWOULDBLOCK);
  });

  test('SEM-W11-02 the hook runs again and again while the call waits, at once while it has more to do', async () => {
    const { a, processOn } = await pair();
    const ws = await version1({ processOn });
    const seen: string[] = [];
    let end = (): void => {};
    const hook: BlockingHook = async () => {
      seen.push(`${await ws.WSAIsBlocking()} ${await ws.send(4444, null)}`);
      if (seen.length === 7) end();
      return seen.length % 3 !== 0;
    };
    await ok(ws.WSASetBlockingHook(hook));
    const call = await waiting(ws);
    end = () => void call.end(a);
    expect(await call.receiving).toBe(2);
    expect(seen.length).toBeGreaterThanOrEqual(7);
    expect(new Set(seen)).toEqual(new Set([`1 ${-WSAEINPROGRESS}`]));
    const count = seen.length;
    expect(await ws.select(0, { fd_array: [call.s] }, null, null, { tv_sec: 0, tv_usec: 0 })).toBe(0);
    expect(seen).toHaveLength(count);
  });

  test('SEM-W11-02 the hook runs in select, accept, connect, send and recv', async () => {
    const { b, processOn } = await pair();
    const ws = await version1({ processOn });
    let runs = 0;
    await ok(
      ws.WSASetBlockingHook(() => {
        runs++;
        void ws.WSACancelBlockingCall();
        return false;
      }),
    );
    const ended: [string, number][] = [];
    const cancelled = async (what: string, call: number | Promise<number>): Promise<void> => {
      runs = 0;
      ended.push([`${what} ${runs === 0}`, await call]);
      expect(runs).toBe(1);
    };
    const { s } = await bound(ws, udp);
    await cancelled('select', ws.select(0, { fd_array: [s] }));
    await cancelled('recv', ws.recv(s, new Uint8Array(1)));
    const { s: listener } = await listening(ws);
    await cancelled('accept', ws.accept(listener));
    await cancelled('connect', ws.connect(await tcp(ws), name('10.0.0.77', 9)));
    const { s: sink, port } = await listening(b);
    const client = await tcp(ws);
    const accepting = b.accept(sink);
    await ok(ws.connect(client, name(ADDRESS_B, port)));
    await ok(accepting);
    runs = 0;
    // What was taken before the end is not lost (SEM-OV-13): the count is answered.
    const sent = await ws.send(client, new Uint8Array(64 << 20));
    expect(sent === -WSAEINTR || (sent > 0 && sent < 64 << 20)).toBe(true);
    expect(runs).toBe(1);
    expect(ended.map(([, answer]) => answer)).toEqual(ended.map(() => -WSAEINTR));
  });

  test('SEM-W11-02 a hook that always has more to do stops nobody', async () => {
    const { a, processOn } = await pair();
    const ws = await version1({ processOn });
    let run = (): void => {};
    const running = new Promise<void>((resolve) => {
      run = resolve;
    });
    await ok(
      ws.WSASetBlockingHook(() => {
        run();
        return true;
      }),
    );
    const call = await waiting(ws);
    await running;
    await call.end(a);
    await ok(ws.WSACancelBlockingCall());
    // The data may have been there first; the call ends with its hook in any case.
    expect([2, -WSAEINTR]).toContain(await call.receiving);
  });

  test('SEM-W11-03, API-WSASetBlockingHook answers the hook before; API-WSAUnhookBlockingHook goes back', async () => {
    const ws = await version1(await pair());
    const previous: Ref<BlockingHook | null> = { value: null };
    const [first, second]: BlockingHook[] = [() => false, () => false];
    await ok(ws.WSASetBlockingHook(first as BlockingHook, previous));
    expect(previous.value).toBe(defaultBlockingHook);
    await ok(ws.WSASetBlockingHook(second as BlockingHook, previous));
    expect(previous.value).toBe(first);
    expect(await ws.WSAUnhookBlockingHook()).toBe(0);
    await ok(ws.WSASetBlockingHook(first as BlockingHook, previous));
    expect(previous.value).toBe(defaultBlockingHook);
    expect(await ws.WSASetBlockingHook(null)).toBe(-WSAEFAULT);
  });

  test('SEM-W11-04, SEM-C-06, SPI-WSPCancelBlockingCall, API-WSACancelBlockingCall ends the call with WSAEINTR, and its socket goes on', async () => {
    const { a, processOn } = await pair();
    const ws = await version1({ processOn });
    expect(await ws.WSACancelBlockingCall()).toBe(-WSAEINVAL);
    const call = await waiting(ws);
    expect(await ws.WSACancelBlockingCall()).toBe(0);
    expect(await call.receiving).toBe(-WSAEINTR);
    expect(await ws.WSACancelBlockingCall()).toBe(-WSAEINVAL);
    await call.end(a);
    expect(await ws.recv(call.s, new Uint8Array(9))).toBe(2);
  });

  test('SEM-W11-04 the socket of a cancelled connect can be closed', async () => {
    const ws = await version1(await pair());
    const s = await tcp(ws);
    const connecting = ws.connect(s, name('10.0.0.77', 9));
    expect(await ws.WSACancelBlockingCall()).toBe(0);
    expect(await connecting).toBe(-WSAEINTR);
    expect(await ws.closesocket(s)).toBe(0);
  });

  test('SEM-W11-07 a second connect while one is pending is WSAEINVAL in 1.1, WSAEALREADY in 2.x', async () => {
    const { a, processOn } = await pair();
    for (const [ws, code] of [
      [a, WSAEALREADY],
      [await version1({ processOn }), WSAEINVAL],
    ] as const) {
      const s = await tcp(ws);
      await nonBlocking(ws, s);
      expect(await ws.connect(s, name('10.0.0.77', 9))).toBe(-WSAEWOULDBLOCK);
      expect(await ws.connect(s, name('10.0.0.77', 9))).toBe(-code);
    }
  });

  test('WM-01 Windows Mobile takes 1.1, but has no hooks and lets a thread make calls while another waits', async () => {
    const { a, processOn } = await pair();
    const ws = await processOn('a', 0, 'windows-mobile');
    await ok(ws.WSAStartup(MAKEWORD(1, 1), wsadata()));
    for (const [, call] of HOOK_CALLS) expect(await call(ws)).toBe(-WSAEOPNOTSUPP);
    const call = await waiting(ws);
    await ok(ws.closesocket(await tcp(ws)));
    await call.end(a);
    expect(await call.receiving).toBe(2);
  });
});
