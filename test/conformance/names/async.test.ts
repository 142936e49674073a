import { describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_IRDA,
  MAXGETHOSTSTRUCT,
  type MSG,
  PM_REMOVE,
  readHostent,
  readProtoent,
  readServent,
  WM_APP,
  WSAEAFNOSUPPORT,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOBUFS,
  WSAGETASYNCBUFLEN,
  WSAGETASYNCERROR,
  WSAHOST_NOT_FOUND,
  WSAMAKEASYNCREPLY,
  WSANO_DATA,
  WSANOTINITIALISED,
} from '../../../src/abi/index.ts';
import { htons, type Winsock } from '../../../src/winsock/index.ts';
import { ok, overEveryAttachment } from '../support.ts';
import { a, nameServer, zoneOf } from './support.ts';

const DONE = WM_APP + 7;
const message = (): MSG => ({ hwnd: 0, message: 0, wParam: 0, lParam: 0, time: 0 });

/** A request begun with a window of its own. */
type Begin = (hWnd: number, buf: Uint8Array, buflen: number) => number | Promise<number>;

/** Makes a request and waits for its message. */
async function request(ws: Winsock, begin: Begin, room = MAXGETHOSTSTRUCT) {
  const hWnd = await ok(ws.CreateWindow());
  const buffer = new Uint8Array(MAXGETHOSTSTRUCT).fill(0xaa);
  const task = await ok(begin(hWnd, buffer, room));
  expect(task).not.toBe(0);
  const msg = message();
  expect(await ws.GetMessage(msg)).toBe(1);
  expect([msg.hwnd, msg.message, msg.wParam]).toEqual([hWnd, DONE, task]);
  return {
    task,
    buffer,
    error: WSAGETASYNCERROR(msg.lParam),
    length: WSAGETASYNCBUFLEN(msg.lParam),
  };
}

describe('what the message carries', () => {
  test('SEM-ASYNC-01 lParam is the error and the length that the result needs', () => {
    const lParam = WSAMAKEASYNCREPLY(300, WSAHOST_NOT_FOUND);
    expect(lParam).toBe((WSAHOST_NOT_FOUND << 16) | 300);
    expect([WSAGETASYNCBUFLEN(lParam), WSAGETASYNCERROR(lParam)]).toEqual([300, WSAHOST_NOT_FOUND]);
    const large = WSAMAKEASYNCREPLY(0xffff, 0xffff);
    expect([WSAGETASYNCBUFLEN(large), WSAGETASYNCERROR(large)]).toEqual([0xffff, 0xffff]);
  });
});

overEveryAttachment('WSAAsyncGetXByY', (pair) => {
  test('API-WSAAsyncGetHostByName, SEM-ASYNC-01, SEM-ASYNC-02 the packed result', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf(a('web.test', '10.0.0.50')));
    const { error, length, buffer } = await request(ws, (hWnd, buf, len) =>
      ws.WSAAsyncGetHostByName(hWnd, DONE, 'web.test', buf, len),
    );
    expect(error).toBe(0);
    expect(readHostent(buffer.subarray(0, length))).toMatchObject({
      h_name: 'web.test',
      h_addrtype: AF_INET,
      h_addr_list: [Uint8Array.of(10, 0, 0, 50)],
    });
    // Nothing behind it was touched.
    expect(buffer.subarray(length).every((byte) => byte === 0xaa)).toBe(true);
  });

  test('API-WSAAsyncGetHostByAddr, API-WSAAsyncGetServByName, API-WSAAsyncGetServByPort', async () => {
    const { a: ws } = await pair();
    const host = await request(ws, (hWnd, buf, len) =>
      ws.WSAAsyncGetHostByAddr(hWnd, DONE, Uint8Array.of(10, 0, 0, 7), 4, AF_INET, buf, len),
    );
    expect(readHostent(host.buffer)).toMatchObject({ h_name: 'printer.example.test' });
    const byName = await request(ws, (hWnd, buf, len) =>
      ws.WSAAsyncGetServByName(hWnd, DONE, 'www', 'tcp', buf, len),
    );
    expect(readServent(byName.buffer)).toMatchObject({ s_name: 'http', s_port: htons(80), s_proto: 'tcp' });
    const byPort = await request(ws, (hWnd, buf, len) =>
      ws.WSAAsyncGetServByPort(hWnd, DONE, htons(69), null, buf, len),
    );
    expect(readServent(byPort.buffer)).toMatchObject({ s_name: 'tftp', s_proto: 'udp' });
  });

  test('API-WSAAsyncGetProtoByName, API-WSAAsyncGetProtoByNumber', async () => {
    const { a: ws } = await pair();
    const byName = await request(ws, (hWnd, buf, len) =>
      ws.WSAAsyncGetProtoByName(hWnd, DONE, 'UDP', buf, len),
    );
    expect(readProtoent(byName.buffer)).toMatchObject({ p_name: 'udp', p_proto: 17 });
    const byNumber = await request(ws, (hWnd, buf, len) =>
      ws.WSAAsyncGetProtoByNumber(hWnd, DONE, 6, buf, len),
    );
    expect(readProtoent(byNumber.buffer)).toMatchObject({ p_name: 'tcp', p_proto: 6 });
  });

  test('SEM-ASYNC-01 failures come with the message', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, zoneOf([]));
    const errorOf = async (begin: Begin) => (await request(ws, begin)).error;
    expect(await errorOf((w, buf, len) => ws.WSAAsyncGetHostByName(w, DONE, 'no.test', buf, len))).toBe(
      WSAHOST_NOT_FOUND,
    );
    expect(await errorOf((w, buf, len) => ws.WSAAsyncGetServByName(w, DONE, 'none', null, buf, len))).toBe(
      WSANO_DATA,
    );
    expect(await errorOf((w, buf, len) => ws.WSAAsyncGetProtoByNumber(w, DONE, 254, buf, len))).toBe(
      WSANO_DATA,
    );
  });

  test('SEM-ASYNC-02 a short buffer is WSAENOBUFS with the length that is needed, and stays as it is', async () => {
    const { a: ws } = await pair();
    const begin: Begin = (hWnd, buf, len) => ws.WSAAsyncGetHostByName(hWnd, DONE, 'only4', buf, len);
    const { error, length, buffer } = await request(ws, begin, 16);
    expect(error).toBe(WSAENOBUFS);
    expect(buffer.every((byte) => byte === 0xaa)).toBe(true);
    const again = await request(ws, begin, length);
    expect([again.error, again.length]).toEqual([0, length]);
    expect(length).toBeLessThanOrEqual(MAXGETHOSTSTRUCT);
  });

  test('API-WSACancelAsyncRequest, SEM-ASYNC-03 a cancelled request sends nothing', async () => {
    const { a: ws, b } = await pair();
    await nameServer(b, () => null);
    const hWnd = await ok(ws.CreateWindow());
    const buffer = new Uint8Array(MAXGETHOSTSTRUCT);
    const task = await ok(ws.WSAAsyncGetHostByName(hWnd, DONE, 'never.test', buffer, buffer.length));
    expect(await ws.WSACancelAsyncRequest(task)).toBe(0);
    expect(await ws.WSACancelAsyncRequest(task)).toBe(-WSAEALREADY);
    // What is asked later is told of; the cancelled one is not.
    const other = await ok(ws.WSAAsyncGetProtoByNumber(hWnd, DONE, 6, buffer, buffer.length));
    const msg = message();
    await ok(ws.GetMessage(msg));
    expect(msg.wParam).toBe(other);
    expect(await ws.PeekMessage(msg, 0, 0, 0, PM_REMOVE)).toBe(0);
  });

  test('API-WSACancelAsyncRequest what is over is WSAEALREADY, what never was WSAEINVAL', async () => {
    const { a: ws } = await pair();
    const { task } = await request(ws, (hWnd, buf, len) =>
      ws.WSAAsyncGetProtoByNumber(hWnd, DONE, 6, buf, len),
    );
    expect(await ws.WSACancelAsyncRequest(task)).toBe(-WSAEALREADY);
    expect(await ws.WSACancelAsyncRequest(task + 4)).toBe(-WSAEINVAL);
    expect(await ws.WSACancelAsyncRequest(0)).toBe(-WSAEINVAL);
  });

  test('SEM-ASYNC-03 the message comes once, after the handle is known', async () => {
    const { a: ws } = await pair();
    const hWnd = await ok(ws.CreateWindow());
    const buffer = new Uint8Array(MAXGETHOSTSTRUCT);
    const answer = ws.WSAAsyncGetProtoByNumber(hWnd, DONE, 6, buffer, buffer.length);
    expect(await ws.PeekMessage(message(), 0, 0, 0, PM_REMOVE)).toBe(0);
    const task = await ok(answer);
    const msg = message();
    await ok(ws.GetMessage(msg));
    expect(msg.wParam).toBe(task);
    expect(await ws.PeekMessage(msg, 0, 0, 0, PM_REMOVE)).toBe(0);
  });

  test('SEM-ASYNC-04 a window whose queue is full gets the message when there is room', async () => {
    const { a: ws } = await pair();
    const hWnd = await ok(ws.CreateWindow());
    let waiting = 0;
    while ((await ws.PostMessage(hWnd, WM_APP, 0, 0)) === 1) waiting++;
    const buffer = new Uint8Array(MAXGETHOSTSTRUCT);
    const task = await ok(ws.WSAAsyncGetProtoByNumber(hWnd, DONE, 6, buffer, buffer.length));
    const msg = message();
    for (let i = 0; i < waiting; i++) expect(await ws.PeekMessage(msg, 0, WM_APP, WM_APP, PM_REMOVE)).toBe(1);
    await ok(ws.GetMessage(msg));
    expect([msg.message, msg.wParam]).toEqual([DONE, task]);
  });

  test('SEM-VER-15 the last WSACleanup cancels without a message', async () => {
    const { b, processOn } = await pair();
    await nameServer(b, () => null);
    const ws = await processOn('a');
    await ws.WSAStartup(0x0202, {} as never);
    const hWnd = await ok(ws.CreateWindow());
    const buffer = new Uint8Array(MAXGETHOSTSTRUCT);
    await ok(ws.WSAAsyncGetHostByName(hWnd, DONE, 'never.test', buffer, buffer.length));
    expect(await ws.WSACleanup()).toBe(0);
    await ws.WSAStartup(0x0202, {} as never);
    const task = await ok(ws.WSAAsyncGetProtoByNumber(hWnd, DONE, 6, buffer, buffer.length));
    const msg = message();
    await ok(ws.GetMessage(msg));
    expect(msg.wParam).toBe(task);
  });

  test('API-WSAAsyncGetHostByName its arguments', async () => {
    const { a: ws, processOn } = await pair();
    const buf = new Uint8Array(64);
    const idle = await processOn('a');
    expect(await idle.WSAAsyncGetHostByName(1, DONE, 'x', buf, 64)).toBe(-WSANOTINITIALISED);
    expect(await idle.WSACancelAsyncRequest(4)).toBe(-WSANOTINITIALISED);
    expect(await ws.WSAAsyncGetHostByName(1, DONE, null, buf, 64)).toBe(-WSAEFAULT);
    expect(await ws.WSAAsyncGetHostByName(1, DONE, 'x', null, 64)).toBe(-WSAEFAULT);
    expect(await ws.WSAAsyncGetHostByName(1, DONE, 'x', buf, 65)).toBe(-WSAEFAULT);
    expect(await ws.WSAAsyncGetHostByAddr(1, DONE, buf, 4, AF_IRDA, buf, 64)).toBe(-WSAEAFNOSUPPORT);
    expect(await ws.WSAAsyncGetHostByAddr(1, DONE, buf, 5, AF_INET, buf, 64)).toBe(-WSAEFAULT);
    expect(await ws.WSAAsyncGetServByName(1, DONE, null, null, buf, 64)).toBe(-WSAEFAULT);
    expect(await ws.WSAAsyncGetServByPort(1, DONE, 80, null, buf, -1)).toBe(-WSAEFAULT);
    expect(await ws.WSAAsyncGetProtoByName(1, DONE, null, buf, 64)).toBe(-WSAEFAULT);
  });
});
