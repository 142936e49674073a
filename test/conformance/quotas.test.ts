/**
 * What happens at each bound of a client: the documented error, nothing is left over, and once something is given back it works again.
 * The bounds are the other side's, and the same over every way to the sockets.
 */

import { expect, test } from '@jest/globals';
import {
  AF_INET,
  ERROR_NO_MORE_USER_HANDLES,
  ERROR_NOT_ENOUGH_MEMORY,
  ERROR_NOT_ENOUGH_QUOTA,
  FD_READ,
  INVALID_HANDLE_VALUE,
  IP_ADD_MEMBERSHIP,
  IP_DROP_MEMBERSHIP,
  IPPROTO_IP,
  IPPROTO_UDP,
  JL_RECEIVER_ONLY,
  LUP_RETURN_NAME,
  type MSG,
  POLLRDNORM,
  querySet,
  SIO_ADDRESS_LIST_CHANGE,
  SOCK_DGRAM,
  SOCK_STREAM,
  SVCID_HOSTNAME,
  WM_APP,
  WSA_FLAG_MULTIPOINT_C_LEAF,
  WSA_FLAG_MULTIPOINT_D_LEAF,
  WSA_FLAG_OVERLAPPED,
  WSA_FLAG_REGISTERED_IO,
  WSA_IO_PENDING,
  WSA_NOT_ENOUGH_MEMORY,
  WSA_OPERATION_ABORTED,
  WSAEMFILE,
  WSAENOBUFS,
  WSAEWOULDBLOCK,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import { type AfdLimits, DEFAULT_LIMITS } from '../../src/afd/index.ts';
import type { Answer, Ref, RIORESULT } from '../../src/spi/index.ts';
import { MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A } from './attachment.ts';
import { packet, pending, portOf, record } from './overlapped-support.ts';
import {
  bound,
  listening,
  name,
  ok,
  overVirtualTime,
  type Pair,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

/** A started process on host a that has these limits, and what the host counts of it. */
async function within({ attachment, processOn }: Pair, limits: Partial<AfdLimits>) {
  const { afd } = attachment.hosts.a;
  const place = afd.sessions.length;
  const port = afd.openSession({ pid: process.pid, uid: 0, gid: 0 }, { ...DEFAULT_LIMITS, ...limits });
  const ws = await processOn('a', 0, undefined, { port });
  await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
  const counted = () => afd.sessions[place];
  return { ws, counted };
}

overVirtualTime('requests that wait', (pair) => {
  /** Calls that wait, on sockets of the test: what begins them, and what the call answers once there is room. */
  const WAITING: readonly (readonly [string, (ws: Winsock, s: number, listener: number) => Answer])[] = [
    ['API-recv', (ws, s) => ws.recv(s, new Uint8Array(4))],
    ['API-recvfrom', (ws, s) => ws.recvfrom(s, new Uint8Array(4), 4, 0, null, null)],
    ['API-WSARecv', (ws, s) => ws.WSARecv(s, [new Uint8Array(4)], 1, { value: 0 }, { value: 0 })],
    ['API-select', (ws, s) => ws.select(0, { fd_array: [s] }, null, null, null)],
    ['API-WSAPoll', (ws, s) => ws.WSAPoll([{ fd: s, events: POLLRDNORM, revents: 0 }], 1, -1)],
    ['API-accept', (ws, _s, listener) => ws.accept(listener)],
    ['API-WSAAccept', (ws, _s, listener) => ws.WSAAccept(listener, null, null, null)],
    [
      'API-WSAIoctl',
      (ws, s) => ws.WSAIoctl(s, SIO_ADDRESS_LIST_CHANGE, null, 0, null, 0, { value: 0 }, record()),
    ],
    [
      'API-AcceptEx',
      async (ws, _s, listener) =>
        ws.AcceptEx(listener, await tcp(ws), new Uint8Array(64), 0, 32, 32, { value: 0 }, record()),
    ],
  ];

  test.each(WAITING)(
    '%s at the bound of requests it is WSAENOBUFS, and waits when one has ended',
    async (_id, wait) => {
      const { ws, counted } = await within(await pair(), { pendingRequests: 1 });
      const { s } = await bound(ws, udp, ADDRESS_A);
      const { s: other } = await bound(ws, udp, ADDRESS_A);
      const { s: listener } = await listening(ws);
      const first = record();
      await pending(ws.WSARecv(other, [new Uint8Array(4)], 1, null, { value: 0 }, first));
      for (let i = 0; i < 3; i++) expect(await wait(ws, s, listener)).toBe(-WSAENOBUFS);
      expect(counted()).toMatchObject({ pendingRequests: 1 });
      expect(await ws.CancelIoEx(other, first)).toBe(1);
      const waiting = Promise.resolve(wait(ws, s, listener));
      await ws.SleepEx(1);
      expect(counted()).toMatchObject({ pendingRequests: 1 });
      await ok(ws.WSACleanup());
      expect(await waiting).toBeLessThan(0);
    },
  );

  test('SEM-OV-05, SEM-OV-13 overlapped receives past the bound complete nowhere; one that is cancelled makes room', async () => {
    const { ws, counted } = await within(await pair(), { pendingRequests: 3 });
    const { s, port: number } = await bound(ws, udp, ADDRESS_A);
    const hPort = await portOf(ws, s);
    const begin = (lpOverlapped = record()) =>
      ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, lpOverlapped);
    const first = record();
    await pending(begin(first));
    for (let i = 0; i < 2; i++) await pending(begin());
    for (let i = 0; i < 5; i++) expect(await begin()).toBe(-WSAENOBUFS);
    expect((await packet(ws, hPort, 0)).answer).toBeLessThan(0);
    expect(await ws.CancelIoEx(s, first)).toBe(1);
    expect((await packet(ws, hPort, 1000)).answer).toBe(-WSA_OPERATION_ABORTED);
    await pending(begin());
    expect(await begin()).toBe(-WSAENOBUFS);
    // All three are there, and no more.
    for (let i = 0; i < 3; i++) {
      await ok(ws.sendto(s, text('x'), 1, 0, name(ADDRESS_A, number)));
      expect(await packet(ws, hPort, 1000)).toMatchObject({ answer: 1, bytes: 1 });
    }
    expect(counted()).toMatchObject({ pendingRequests: 0, bytes: 0 });
  });

  test('SEM-CONN-01, API-connect a connect past the bound has not begun', async () => {
    const { attachment, ...others } = await pair();
    const { ws } = await within({ attachment, ...others }, { pendingRequests: 1 });
    const { port: number } = await listening(others.b);
    const { s: other } = await bound(ws, udp, ADDRESS_A);
    const first = record();
    await pending(ws.WSARecv(other, [new Uint8Array(4)], 1, null, { value: 0 }, first));
    const client = await tcp(ws);
    for (let i = 0; i < 2; i++) expect(await ws.connect(client, name('10.0.0.2', number))).toBe(-WSAENOBUFS);
    expect(await ws.CancelIoEx(other, first)).toBe(1);
    expect(await ws.connect(client, name('10.0.0.2', number))).toBe(0);
  });

  test('API-WSAEventSelect, API-WSAAsyncSelect, SEM-C-07 events are announced whatever else waits', async () => {
    const { ws } = await within(await pair(), { pendingRequests: 0, bytes: 0 });
    const { s, port: number } = await bound(ws, udp, ADDRESS_A);
    const hEvent = await ok(ws.WSACreateEvent());
    await ok(ws.WSAEventSelect(s, hEvent, FD_READ));
    await ok(ws.sendto(s, text('x'), 1, 0, name(ADDRESS_A, number)));
    expect(await ws.WSAWaitForMultipleEvents(1, [hEvent], false, 1000)).toBe(0);
    const hWnd = await ok(ws.CreateWindow());
    await ok(ws.WSAAsyncSelect(s, hWnd, WM_APP, FD_READ));
    const message = {} as MSG;
    expect(await ws.GetMessage(message)).toBe(1);
    expect([message.hwnd, message.message, message.lParam]).toEqual([hWnd, WM_APP, FD_READ]);
    expect(await receiveText(ws, s)).toBe('x');
  });

  test('API-select, API-WSAPoll a set larger than the bytes of a client is WSAENOBUFS', async () => {
    const { ws, counted } = await within(await pair(), { bytes: 512 });
    const sockets: number[] = [];
    for (let i = 0; i < 40; i++) sockets.push((await bound(ws, udp, ADDRESS_A)).s);
    const polled = (list: readonly number[]) => list.map((fd) => ({ fd, events: POLLRDNORM, revents: 0 }));
    expect(await ws.select(0, { fd_array: [...sockets] }, null, null, null)).toBe(-WSAENOBUFS);
    expect(await ws.WSAPoll(polled(sockets), 40, -1)).toBe(-WSAENOBUFS);
    const few = sockets.slice(0, 10);
    const timeout = { tv_sec: 1, tv_usec: 0 };
    expect(await ws.select(0, { fd_array: [...few] }, null, null, timeout)).toBe(0);
    expect(await ws.WSAPoll(polled(few), 10, 1000)).toBe(0);
    // What need not wait is answered whatever its size.
    expect(await ws.WSAPoll(polled(sockets), 40, 0)).toBe(0);
    expect(counted()).toMatchObject({ bytes: 0 });
  });

  test('API-RIOReceive a request past the bound completes with WSAENOBUFS in its queue', async () => {
    const { ws } = await within(await pair(), { pendingRequests: 1 });
    const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;
    const s = await ok(ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags));
    await ok(ws.bind(s, name(ADDRESS_A, 0)));
    const cq = await ok(ws.RIOCreateCompletionQueue(8, null));
    const rq = await ok(ws.RIOCreateRequestQueue(s, 4, 1, 1, 1, cq, cq, 0));
    const BufferId = await ok(ws.RIORegisterBuffer(new Uint8Array(8), 8));
    const receive = (context: number) => ws.RIOReceive(rq, { BufferId, Offset: 0, Length: 8 }, 1, 0, context);
    const results = async () => {
      const found: RIORESULT[] = [];
      await ws.SleepEx(5);
      await ok(ws.RIODequeueCompletion(cq, found, 8));
      return found.map(({ Status, RequestContext }) => [Status, RequestContext]);
    };
    for (const context of [1, 2, 3]) expect(await receive(context)).toBe(1);
    expect(await results()).toEqual([
      [WSAENOBUFS, 2],
      [WSAENOBUFS, 3],
    ]);
  });
});

overVirtualTime('handles', (pair) => {
  test('API-socket, API-WSAAccept, API-WSACreateEvent, SEM-OV-02 past a process’s handles nothing is made; each that is closed makes room', async () => {
    const { attachment, processOn } = await pair();
    const { afd } = attachment.hosts.a;
    const ws = await processOn('a', 0, undefined, { maxHandles: 4 });
    await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const before = afd.describe().length;
    const { s: listener, port: number } = await listening(ws);
    const client = await tcp(ws);
    await ok(ws.connect(client, name(ADDRESS_A, number)));
    const event = await ok(ws.WSACreateEvent());
    const hPort = await ok(ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
    expect(await ws.WSACreateEvent()).toBe(-WSA_NOT_ENOUGH_MEMORY);
    expect(await ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE)).toBe(-ERROR_NOT_ENOUGH_MEMORY);
    for (let i = 0; i < 3; i++) expect(await ws.socket(AF_INET, SOCK_STREAM, 0)).toBe(-WSAEMFILE);
    await ws.SleepEx(1);
    // The caller waits with the listener; nothing else is there.
    expect(afd.describe().length - before).toBe(2);
    expect(await ws.CloseHandle(hPort)).toBe(1);
    const again = await ok(ws.WSACreateEvent());
    expect(await ws.WSACloseEvent(again)).toBe(1);
    await ok(ws.closesocket(await udp(ws)));
    expect(await ws.WSACloseEvent(event)).toBe(1);
    await ok(ws.closesocket(await ok(ws.WSAAccept(listener, null, null, null))));
    for (const s of [client, listener]) await ok(ws.closesocket(s));
  });

  test('a process has 10,000 windows, and a thread 10,000 messages', async () => {
    const { a: ws } = await pair();
    const windows: number[] = [];
    for (let i = 0; i < 10_000; i++) windows.push(ws.CreateWindow() as number);
    expect(new Set(windows).size).toBe(10_000);
    expect(await ws.CreateWindow()).toBe(-ERROR_NO_MORE_USER_HANDLES);
    expect(await ws.DestroyWindow(windows[4711] as number)).toBe(1);
    const hWnd = await ok(ws.CreateWindow());
    expect(await ws.CreateWindow()).toBe(-ERROR_NO_MORE_USER_HANDLES);
    for (let i = 0; i < 10_000; i++) ws.PostMessage(hWnd, WM_APP, i, 0);
    expect(await ws.PostMessage(hWnd, WM_APP, 0, 0)).toBe(-ERROR_NOT_ENOUGH_QUOTA);
    const message = {} as MSG;
    expect(await ws.PeekMessage(message, hWnd)).toBe(1);
    expect(message.wParam).toBe(0);
    expect(await ws.PostMessage(hWnd, WM_APP, 0, 0)).toBe(1);
    expect(await ws.DestroyWindow(hWnd)).toBe(1);
    for (const each of windows) ws.DestroyWindow(each);
  });

  test('API-WSADuplicateSocket a user has 4,096 that nobody has opened; others have theirs, and time gives them back', async () => {
    const { a: ws, processOn } = await pair();
    const other = await processOn('a', 1000);
    await ok(other.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const s = await udp(ws);
    const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
    const duplicate = () => ws.WSADuplicateSocket(s, process.pid, info);
    for (let i = 0; i < 4096; i++) await duplicate();
    expect(await duplicate()).toBe(-WSAENOBUFS);
    await ok(other.WSADuplicateSocket(await udp(other), process.pid, { value: null }));
    // One that is opened is no more.
    await ok(ws.closesocket(await ok(ws.WSASocket(-1, -1, -1, info.value))));
    await ok(duplicate());
    expect(await duplicate()).toBe(-WSAENOBUFS);
    await ws.SleepEx(61_000);
    await ok(duplicate());
  });

  test('API-WSAJoinLeaf, OPT-IP_ADD_MEMBERSHIP a socket is in 1,024 groups; one that it leaves makes room', async () => {
    const { a: ws } = await pair();
    const flags = WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF;
    const s = await ok(ws.WSASocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, null, 0, flags));
    const change = (option: number, i: number) =>
      ws.setsockopt(s, IPPROTO_IP, option, Uint8Array.of(239, 7, i >> 8, i & 0xff, 0, 0, 0, 0));
    const join = () =>
      ws.WSAJoinLeaf(s, name('239.8.1.1', 5000), 16, null, null, null, null, JL_RECEIVER_ONLY);
    for (let i = 0; i < 1024; i++) await change(IP_ADD_MEMBERSHIP, i);
    for (let i = 0; i < 2; i++) {
      expect(await change(IP_ADD_MEMBERSHIP, 1024)).toBe(-WSAENOBUFS);
      expect(await join()).toBe(-WSAENOBUFS);
    }
    expect(await change(IP_DROP_MEMBERSHIP, 9)).toBe(0);
    expect(await join()).toBe(s);
    expect(await change(IP_ADD_MEMBERSHIP, 9)).toBe(-WSAENOBUFS);
  });
});

overVirtualTime('questions', (pair) => {
  test('API-WSALookupServiceBegin a process has 4,096 lookups; one that ends makes room', async () => {
    const { a: ws } = await pair();
    const handle = { value: 0 };
    const asked = querySet({ lpServiceClassId: SVCID_HOSTNAME });
    const begin = () => ws.WSALookupServiceBegin(asked, LUP_RETURN_NAME, handle);
    for (let i = 0; i < 4096; i++) await begin();
    expect(await begin()).toBe(-WSA_NOT_ENOUGH_MEMORY);
    await ok(ws.WSALookupServiceEnd(handle.value));
    await ok(begin());
    expect(await begin()).toBe(-WSA_NOT_ENOUGH_MEMORY);
  });

  test('API-WSAAsyncGetHostByName, API-GetAddrInfoEx questions that nobody answers: 1,024 with messages, 4,096 in all', async () => {
    const { a: ws } = await pair();
    const hWnd = await ok(ws.CreateWindow());
    const buffer = new Uint8Array(1024);
    const ask = () => ws.WSAAsyncGetHostByName(hWnd, WM_APP, 'never.test', buffer, buffer.length);
    let last = 0;
    for (let i = 0; i < 1024; i++) last = await ask();
    expect(await ask()).toBe(-WSAEWOULDBLOCK);
    const over = record();
    const overlapped = (lpOverlapped = record()) =>
      ws.GetAddrInfoEx('never.test', null, 0, null, null, { value: null }, null, lpOverlapped);
    expect(await overlapped(over)).toBe(-WSA_IO_PENDING);
    await ok(ws.WSACancelAsyncRequest(last));
    // There is one more that waits: no room for another.
    expect(await ask()).toBe(-WSAEWOULDBLOCK);
    for (let i = 1024; i < 4096; i++) await overlapped();
    expect(await overlapped()).toBe(-WSA_NOT_ENOUGH_MEMORY);
    await ok(ws.WSACleanup());
  });
});
