import { describe, expect, test } from '@jest/globals';
import {
  ERROR_INVALID_WINDOW_HANDLE,
  ERROR_NOACCESS,
  ERROR_NOT_ENOUGH_QUOTA,
  FD_ALL_EVENTS,
  FD_CLOSE,
  FD_CONNECT,
  FD_QOS,
  FD_READ,
  FD_WRITE,
  type MSG,
  PM_NOREMOVE,
  PM_REMOVE,
  SD_SEND,
  WM_APP,
  WM_QUIT,
  WM_USER,
  WSAECONNREFUSED,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAEWOULDBLOCK,
  WSAGETSELECTERROR,
  WSAGETSELECTEVENT,
  WSAMAKESELECTREPLY,
  WSANOTINITIALISED,
} from '../../src/abi/index.ts';
import { MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import { bound, connected, name, ok, overEveryAttachment, tcp, text, udp, wsadata } from './support.ts';

const message = (): MSG => ({ hwnd: -1, message: -1, wParam: -1, lParam: -1, time: -1 });

/** The next message of a process. */
async function next(ws: Winsock): Promise<MSG> {
  const msg = message();
  expect(await ws.GetMessage(msg)).toBe(1);
  return msg;
}

/** Whether any message waits, after one more way to the sockets and back: what was reported before is there then. */
async function isQuiet(ws: Winsock, s: number): Promise<boolean> {
  await ws.getsockopt(s, 0xffff, 0x1008, new Uint8Array(4), { value: 4 });
  return (await ws.PeekMessage(message(), 0, 0, 0, PM_NOREMOVE)) === 0;
}

describe('what a message carries', () => {
  test('SEM-ERR-08 lParam is the event and 16 bits of its error', () => {
    const lParam = WSAMAKESELECTREPLY(FD_CONNECT, WSAECONNREFUSED);
    expect(lParam).toBe((WSAECONNREFUSED << 16) | FD_CONNECT);
    expect([WSAGETSELECTEVENT(lParam), WSAGETSELECTERROR(lParam)]).toEqual([FD_CONNECT, WSAECONNREFUSED]);
    const large = WSAMAKESELECTREPLY(FD_CLOSE, 0x1_f0f0);
    expect([WSAGETSELECTEVENT(large), WSAGETSELECTERROR(large)]).toEqual([FD_CLOSE, 0xf0f0]);
  });
});

overEveryAttachment('windows and messages', (pair) => {
  test('messages come in the order in which they were posted, with all that they carry', async () => {
    const { a } = await pair();
    const hWnd = await ok(a.CreateWindow());
    expect(await a.PostMessage(hWnd, WM_APP, 1, -2)).toBe(1);
    expect(await a.PostMessage(0, WM_USER, 3, 4)).toBe(1);
    expect(await next(a)).toMatchObject({ hwnd: hWnd, message: WM_APP, wParam: 1, lParam: -2 });
    expect(await next(a)).toMatchObject({ hwnd: 0, message: WM_USER, wParam: 3, lParam: 4 });
  });

  test('GetMessage waits', async () => {
    const { a } = await pair();
    const hWnd = await ok(a.CreateWindow());
    const msg = message();
    const waiting = a.GetMessage(msg);
    expect(msg.message).toBe(-1);
    await ok(a.PostMessage(hWnd, WM_APP, 0, 0));
    expect(await waiting).toBe(1);
    expect(msg.message).toBe(WM_APP);
  });

  test('a filter takes one window’s messages, or a range of numbers, and leaves the rest', async () => {
    const { a } = await pair();
    const [one, two] = [await ok(a.CreateWindow()), await ok(a.CreateWindow())];
    for (const [hWnd, number] of [
      [one, 0x500],
      [two, 0x600],
      [0, 0x700],
      [one, 0x600],
    ] as const) {
      await ok(a.PostMessage(hWnd, number, 0, 0));
    }
    const msg = message();
    expect([await a.PeekMessage(msg, two, 0, 0, PM_NOREMOVE), msg.hwnd]).toEqual([1, two]);
    expect([await a.PeekMessage(msg, two, 0, 0, PM_REMOVE), msg.hwnd]).toEqual([1, two]);
    expect(await a.PeekMessage(msg, two)).toBe(0);
    expect([await a.GetMessage(msg, 0, 0x600, 0x6ff), msg.hwnd]).toEqual([1, one]);
    expect([await a.GetMessage(msg, -1), msg.message]).toEqual([1, 0x700]);
    expect([await a.GetMessage(msg), msg.message]).toEqual([1, 0x500]);
    expect(await a.PeekMessage(msg)).toBe(0);
  });

  test('PostQuitMessage ends a loop when the other messages are taken', async () => {
    const { a } = await pair();
    await ok(a.PostQuitMessage(7));
    await ok(a.PostMessage(0, WM_APP, 0, 0));
    expect((await next(a)).message).toBe(WM_APP);
    const msg = message();
    expect([await a.PeekMessage(msg, 0, 0, 0, PM_NOREMOVE), msg.message]).toEqual([1, WM_QUIT]);
    expect([await a.GetMessage(msg), msg.message, msg.wParam]).toEqual([0, WM_QUIT, 7]);
    expect(await a.PeekMessage(msg)).toBe(0);
    const waiting = a.GetMessage(msg);
    await ok(a.PostQuitMessage(8));
    expect([await waiting, msg.wParam]).toEqual([0, 8]);
  });

  test('a window that is destroyed takes its messages along', async () => {
    const { a } = await pair();
    const hWnd = await ok(a.CreateWindow());
    await ok(a.PostMessage(hWnd, WM_APP, 0, 0));
    expect([await a.IsWindow(hWnd), await a.DestroyWindow(hWnd), await a.IsWindow(hWnd)]).toEqual([1, 1, 0]);
    expect(await a.PeekMessage(message())).toBe(0);
    for (const answer of [
      a.DestroyWindow(hWnd),
      a.PostMessage(hWnd, WM_APP, 0, 0),
      a.GetMessage(message(), hWnd),
      a.PeekMessage(message(), hWnd),
    ]) {
      expect(await answer).toBe(-ERROR_INVALID_WINDOW_HANDLE);
    }
  });

  test('no place for a message, and a queue that is full, are errors', async () => {
    const { a } = await pair();
    expect(await a.GetMessage(null)).toBe(-ERROR_NOACCESS);
    expect(await a.PeekMessage(null)).toBe(-ERROR_NOACCESS);
    for (let i = 0; i < 10_000; i++) a.PostMessage(0, WM_APP, i, 0);
    expect(await a.PostMessage(0, WM_APP, 0, 0)).toBe(-ERROR_NOT_ENOUGH_QUOTA);
    expect((await next(a)).wParam).toBe(0);
    expect(await a.PostMessage(0, WM_APP, 0, 0)).toBe(1);
  });

  test('a registered message has one number for everybody', async () => {
    const { a } = await pair();
    const number = await ok(a.RegisterWindowMessage('Winsock.Names'));
    expect(number).toBeGreaterThanOrEqual(0xc000);
    expect(await a.RegisterWindowMessage('winsock.names')).toBe(number);
    expect(await a.RegisterWindowMessage('another')).not.toBe(number);
  });

  test('windows need no WSAStartup, and a 1.1 hook may pump their messages', async () => {
    const { a, processOn } = await pair();
    const ws = await processOn('a');
    const hWnd = await ok(ws.CreateWindow());
    await ok(ws.WSAStartup(MAKEWORD(1, 1), wsadata()));
    const { s, port } = await bound(ws, udp, '127.0.0.1');
    const seen: number[] = [];
    await ok(
      ws.WSASetBlockingHook(async () => {
        const msg = message();
        const isOne = (await ws.PeekMessage(msg)) === 1;
        if (isOne) seen.push(msg.message);
        else if (seen.length === 3) await a.sendto(await udp(a), text('x'), 1, 0, name('127.0.0.1', port));
        return isOne;
      }),
    );
    for (let i = 0; i < 3; i++) await ok(ws.PostMessage(hWnd, WM_APP + i, 0, 0));
    expect(await ws.recv(s, new Uint8Array(9))).toBe(1);
    expect(seen).toEqual([WM_APP, WM_APP + 1, WM_APP + 2]);
  });
});

overEveryAttachment('WSAAsyncSelect', (pair) => {
  test('API-WSAAsyncSelect wants a socket, a window and events that there are', async () => {
    const { a, processOn } = await pair();
    const hWnd = await ok(a.CreateWindow());
    const { s } = await bound(a, udp);
    expect(await (await processOn('a')).WSAAsyncSelect(s, hWnd, WM_USER, FD_READ)).toBe(-WSANOTINITIALISED);
    expect(await a.WSAAsyncSelect(4444, hWnd, WM_USER, FD_READ)).toBe(-WSAENOTSOCK);
    expect(await a.WSAAsyncSelect(s, hWnd + 2, WM_USER, FD_READ)).toBe(-WSAEINVAL);
    expect(await a.WSAAsyncSelect(s, 0, WM_USER, FD_READ)).toBe(-WSAEINVAL);
    expect(await a.WSAAsyncSelect(s, hWnd, WM_USER, FD_ALL_EVENTS + 1)).toBe(-WSAEINVAL);
    expect(await a.WSAAsyncSelect(s, hWnd, WM_USER, FD_ALL_EVENTS)).toBe(0);
    expect(await a.WSAAsyncSelect(s, 0, 0, 0)).toBe(0);
  });

  test('API-WSAAsyncSelect: a message has the socket as wParam, one event as its low word, the code as its high word', async () => {
    const { a } = await pair();
    const hWnd = await ok(a.CreateWindow());
    const s = await tcp(a);
    await ok(a.WSAAsyncSelect(s, hWnd, WM_USER + 5, FD_CONNECT | FD_WRITE));
    expect(await a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAEWOULDBLOCK);
    const { hwnd, message: number, wParam, lParam } = await next(a);
    expect([hwnd, number, wParam]).toEqual([hWnd, WM_USER + 5, s]);
    expect([WSAGETSELECTEVENT(lParam), WSAGETSELECTERROR(lParam)]).toEqual([FD_CONNECT, WSAECONNREFUSED]);
    expect(await isQuiet(a, s)).toBe(true);
  });

  test('SEM-BLK-04, SEM-BLK-05 WSAAsyncSelect makes the socket non-blocking, which cannot be undone while it is registered', async () => {
    const { a } = await pair();
    const hWnd = await ok(a.CreateWindow());
    const { s } = await bound(a, udp);
    await ok(a.WSAAsyncSelect(s, hWnd, WM_USER, FD_READ));
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAEWOULDBLOCK);
    expect(await a.ioctlsocket(s, 0x8004667e, { value: 0 })).toBe(-WSAEINVAL);
    await ok(a.WSAAsyncSelect(s, hWnd, 0, 0));
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAEWOULDBLOCK);
    expect(await a.ioctlsocket(s, 0x8004667e, { value: 0 })).toBe(0);
  });

  test('SEM-EV-13 messages that were posted before the end of the registration still arrive', async () => {
    const { a } = await pair();
    const hWnd = await ok(a.CreateWindow());
    const { s } = await bound(a, udp);
    await ok(a.WSAAsyncSelect(s, hWnd, WM_USER, FD_WRITE));
    expect(await isQuiet(a, s)).toBe(false);
    await ok(a.WSAAsyncSelect(s, hWnd, 0, 0));
    expect(WSAGETSELECTEVENT((await next(a)).lParam)).toBe(FD_WRITE);
  });

  test('a window that is gone gets no messages, and nobody is hurt', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const hWnd = await ok(a.CreateWindow());
    await ok(a.WSAAsyncSelect(client, hWnd, WM_USER, FD_READ | FD_CLOSE));
    await ok(a.DestroyWindow(hWnd));
    await ok(b.send(server, text('x')));
    await ok(b.shutdown(server, SD_SEND));
    await ok(a.select(0, { fd_array: [client] }));
    expect(await isQuiet(a, client)).toBe(true);
    expect(await a.recv(client, new Uint8Array(9))).toBe(1);
  });

  test('SEM-VER-15 the last WSACleanup ends registrations without a message', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const hWnd = await ok(a.CreateWindow());
    await ok(a.WSAAsyncSelect(client, hWnd, WM_USER, FD_CLOSE));
    await ok(a.WSACleanup());
    await ok(a.WSAStartup(MAKEWORD(2, 2), wsadata()));
    expect(await isQuiet(a, await tcp(a))).toBe(true);
  });

  test('WM-09 Windows Mobile knows WSAAsyncSelect, but not its quality-of-service events', async () => {
    const { processOn } = await pair();
    const ws = await processOn('a', 0, 'windows-mobile');
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const hWnd = await ok(ws.CreateWindow());
    const { s } = await bound(ws, udp);
    expect(await ws.WSAAsyncSelect(s, hWnd, WM_USER, FD_QOS | FD_READ)).toBe(-WSAEINVAL);
    expect(await ws.WSAAsyncSelect(s, hWnd, WM_USER, 0x80 | FD_READ)).toBe(-WSAEINVAL);
    expect(await ws.WSAAsyncSelect(s, hWnd, WM_USER, FD_WRITE)).toBe(0);
    expect(WSAGETSELECTEVENT((await next(ws)).lParam)).toBe(FD_WRITE);
  });
});
