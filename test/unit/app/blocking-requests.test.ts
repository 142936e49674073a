import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

// Each test is a program of its own.
jest.setTimeout(60_000);

/** The program is its own name server: it answers when it wants. */
const HOST = `{
  names: { hostName: 'lab', servers: [base.IpAddress.parse('127.0.0.1')], hosts: names.HostTable.parse('192.0.2.7 printer') },
}`;

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms(HOST);
});
afterAll(() => programs.dispose());
const run = (name: string, body: string): Promise<unknown[][]> => programs.run(name, body);

const SERVER = `
  const start = () => ws.WSAStartup(ws.MAKEWORD(2, 2), data);
  const record = (hEvent = 0) => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent });
  start();
  const dns = ws.socket(2, 2, 17);
  if (isMainThread) ws.bind(dns, at(53));
  /** Answers the oldest question, which is for an A record, with 10.0.0.9; or says that there is no such name. */
  function answer(isThere = true) {
    const bytes = new Uint8Array(512);
    const from = new Uint8Array(16);
    ws.recvfrom(dns, bytes, 512, 0, from, { value: 16 });
    let end = 12;
    while (bytes[end] !== 0) end += bytes[end] + 1;
    end += 5;
    const header = [bytes[0], bytes[1], 0x81, isThere ? 0x80 : 0x83, 0, 1, 0, isThere ? 1 : 0, 0, 0, 0, 0];
    const found = isThere ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 9] : [];
    const reply = Uint8Array.of(...header, ...bytes.subarray(12, end), ...found);
    ws.sendto(dns, reply, reply.length, 0, from, 16);
  }
  const inet = { ...ws.noHints(), ai_family: 2 };
  const addresses = (list) => list === null ? null : [...list.ai_addr.subarray(4, 8)].join('.');
  /** Asks for a name's IPv4 addresses. */
  function ask(name, result, overlapped, routine = null, handle = null, timeout = null) {
    return ws.GetAddrInfoEx(name, null, 0, null, inet, result, timeout, overlapped, routine, handle);
  }
`;

describe('an overlapped GetAddrInfoEx on the blocking face', () => {
  test('API-GetAddrInfoEx, API-GetAddrInfoExOverlappedResult told of by an event', async () => {
    const said = await run(
      'event',
      `${SERVER}
       const result = { value: 'stale' };
       const overlapped = record(ws.WSACreateEvent());
       ws.WSASetEvent(overlapped.hEvent);
       say(ask('later.test', result, overlapped), ws.WSAGetLastError(), overlapped.Internal);
       say(ws.GetAddrInfoExOverlappedResult(overlapped), ws.WSAWaitForMultipleEvents(1, [overlapped.hEvent], false, 0, false));
       answer();
       say(ws.WSAWaitForMultipleEvents(1, [overlapped.hEvent], false, 20000, false), overlapped.Internal);
       say(ws.GetAddrInfoExOverlappedResult(overlapped), addresses(result.value));`,
    );
    expect(said).toEqual([
      [997, 997, 0x103],
      [10036, 258],
      [0, 0],
      [0, '10.0.0.9'],
    ]);
  });

  test('API-GetAddrInfoEx a routine runs in the call that the thread sleeps in, alertable or not, or in its next one', async () => {
    const said = await run(
      'routine',
      `${SERVER}
       const result = { value: null };
       let told = null;
       const tell = (error, bytes, which) => { told = [error, bytes, which === overlapped, addresses(result.value)]; };
       const overlapped = record();
       say(ask('first.test', result, overlapped, tell));
       answer();
       say(ws.SleepEx(300, false), told);
       // Nobody sleeps while this one ends: the routine runs in the next call, whatever that is.
       told = null;
       result.value = null;
       say(ask('second.test', result, overlapped, tell));
       answer();
       await new Promise((resolve) => setTimeout(resolve, 300));
       const before = told;
       ws.WSAHtons(dns, 1, { value: 0 });
       say(before, told);
       // What is answered at once has no routine.
       told = null;
       say(ask('10.1.2.3', result, overlapped, tell), told, addresses(result.value), overlapped.Internal);`,
    );
    expect(said).toEqual([
      [997],
      [0, [0, 0, true, '10.0.0.9']],
      [997],
      [null, [0, 0, true, '10.0.0.9']],
      [0, null, '10.1.2.3', 0],
    ]);
  });

  test('API-GetAddrInfoExCancel, ERR-WSA_E_CANCELLED, ERR-WSAETIMEDOUT it can be ended, and ends at its time limit', async () => {
    const said = await run(
      'cancel',
      `${SERVER}
       const result = { value: null };
       const overlapped = record(ws.WSACreateEvent());
       const handle = { value: 0 };
       say(ask('never.test', result, overlapped, null, handle), handle.value !== 0);
       say(ws.GetAddrInfoExCancel(handle));
       say(ws.WSAWaitForMultipleEvents(1, [overlapped.hEvent], false, 20000, false), ws.GetAddrInfoExOverlappedResult(overlapped));
       say(ws.GetAddrInfoExCancel(handle), ws.GetAddrInfoExCancel(null), result.value);
       say(ask('never.test', result, overlapped, null, handle, { tv_sec: 0, tv_usec: 50000 }));
       say(ws.WSAWaitForMultipleEvents(1, [overlapped.hEvent], false, 20000, false), ws.GetAddrInfoExOverlappedResult(overlapped));`,
    );
    expect(said).toEqual([[997, true], [0], [0, 10111], [6, 6, null], [997], [0, 10060]]);
  });

  test('API-GetAddrInfoEx, API-SetAddrInfoEx its arguments', async () => {
    const said = await run(
      'arguments',
      `const early = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
       say(ws.GetAddrInfoEx('x', null, 0, null, null, { value: null }, null, early), ws.GetAddrInfoExOverlappedResult(early));
       ${SERVER}
       const result = { value: null };
       const event = ws.WSACreateEvent();
       say(ask('x.test', result, null, () => {}), ask('x.test', result, null, null, { value: 0 }));
       say(ask('x.test', result, record(event), () => {}), ask('x.test', null, record(event)));
       say(ws.GetAddrInfoExA('x.test', null, 0, null, null, result, null, record(event)), ws.GetAddrInfoExOverlappedResult(null));
       say(ws.SetAddrInfoEx('x.test', null, [], 0, null, 0, 12, null, null, record(event)));`,
    );
    expect(said).toEqual([[10093, 10093], [10022, 10022], [10022, 10014], [10022, 10022], [10022]]);
  });
});

describe('WSAAsyncGetXByY on the blocking face', () => {
  test('SEM-ASYNC-01, SEM-ASYNC-02, SEM-ASYNC-03 all six fill the buffer before their message is taken', async () => {
    const said = await run(
      'six',
      `${SERVER}
       const hWnd = ws.CreateWindow();
       const buffer = new Uint8Array(1024);
       function take(task) {
         const message = {};
         ws.GetMessage(message);
         return [task > 0 && message.wParam === task, message.hwnd === hWnd, message.message, ws.WSAGETASYNCERROR(message.lParam)];
       }
       const { WM_APP } = ws;
       say(take(ws.WSAAsyncGetHostByName(hWnd, WM_APP, 'printer', buffer, 1024)), [...ws.readHostent(buffer).h_addr_list[0]]);
       say(take(ws.WSAAsyncGetHostByAddr(hWnd, WM_APP, Uint8Array.of(192, 0, 2, 7), 4, 2, buffer, 1024)), ws.readHostent(buffer).h_name);
       say(take(ws.WSAAsyncGetServByName(hWnd, WM_APP, 'http', 'tcp', buffer, 1024)), ws.readServent(buffer).s_name);
       say(take(ws.WSAAsyncGetServByPort(hWnd, WM_APP, ws.htons(69), null, buffer, 1024)), ws.readServent(buffer).s_name);
       say(take(ws.WSAAsyncGetProtoByName(hWnd, WM_APP, 'udp', buffer, 1024)), ws.readProtoent(buffer).p_proto);
       say(take(ws.WSAAsyncGetProtoByNumber(hWnd, WM_APP, 6, buffer, 1024)), ws.readProtoent(buffer).p_name);
       // One that has to be asked for.
       const task = ws.WSAAsyncGetHostByName(hWnd, WM_APP, 'later.test', buffer, 1024);
       say(ws.PeekMessage({}, 0, 0, 0, ws.PM_REMOVE));
       answer();
       say(take(task), ws.readHostent(buffer).h_name);
       // Too little room, and a name that is not there.
       const small = new Uint8Array(8).fill(7);
       say(take(ws.WSAAsyncGetProtoByName(hWnd, WM_APP, 'udp', small, 8)), [...small]);
       say(take(ws.WSAAsyncGetProtoByName(hWnd, WM_APP, 'nothing', small, 8)));`,
    );
    const done = [true, true, 0x8000, 0];
    expect(said).toEqual([
      [done, [192, 0, 2, 7]],
      [done, 'printer'],
      [done, 'http'],
      [done, 'tftp'],
      [done, 17],
      [done, 'tcp'],
      [0],
      [done, 'later.test'],
      [
        [true, true, 0x8000, 10055],
        [7, 7, 7, 7, 7, 7, 7, 7],
      ],
      [[true, true, 0x8000, 11004]],
    ]);
  });

  test('API-WSACancelAsyncRequest, SEM-ASYNC-03 after a cancel no message comes, and the buffer stays as it is', async () => {
    const said = await run(
      'cancelRequest',
      `${SERVER}
       const hWnd = ws.CreateWindow();
       const buffer = new Uint8Array(1024).fill(7);
       const task = ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, 'later.test', buffer, 1024);
       say(ws.WSACancelAsyncRequest(task), ws.WSACancelAsyncRequest(task), ws.WSAGetLastError(), ws.WSACancelAsyncRequest(4711));
       // The question may have gone out before.
       if (ws.select(0, { fd_array: [dns] }, null, null, { tv_sec: 0, tv_usec: 200000 }) === 1) answer();
       ws.SleepEx(100, false);
       say(ws.PeekMessage({}, 0, 0, 0, ws.PM_REMOVE), buffer.every((byte) => byte === 7));
       // Memory of requests is used again: more of them than one piece of it holds.
       let ended = 0;
       for (let i = 0; i < 1500; i++) {
         const each = ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, 'printer', buffer, 1024);
         if (ws.GetMessage({}) === 1 && each > 0) ended++;
       }
       say(ended, ws.readHostent(buffer).h_name);
       ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, 'never.test', buffer, 1024);
       say(ws.WSACleanup(), start());
       say(ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, null, buffer, 1024), ws.WSAGetLastError());
       say(ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, 'x', null, 1024), ws.WSAGetLastError());
       say(ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, 'x', buffer, 1025), ws.WSAGetLastError());`,
    );
    expect(said).toEqual([
      [0, -1, 10037, -1],
      [0, true],
      [1500, 'printer'],
      [0, 0],
      [0, 10014],
      [0, 10014],
      [0, 10014],
    ]);
  });

  test('SEM-ASYNC-02 another thread takes the message: shared memory is filled, other memory with the next call', async () => {
    const said = await run(
      'threads',
      `${SERVER}
       if (!isMainThread) {
         const hWnd = ws.CreateWindow();
         parentPort.postMessage(hWnd);
         for (let i = 0; i < 2; i++) ws.GetMessage({});
         parentPort.postMessage(ws.readHostent(new Uint8Array(workerData)).h_name);
         ws.WSACleanup();
       } else {
         const memory = new SharedArrayBuffer(1024);
         const worker = new Worker(here, { workerData: memory });
         const next = () => new Promise((resolve) => worker.once('message', resolve));
         const hWnd = await next();
         const own = new Uint8Array(1024);
         const told = next();
         ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, 'printer', new Uint8Array(memory), 1024);
         ws.WSAAsyncGetHostByName(hWnd, ws.WM_APP, 'printer', own, 1024);
         say(await told);
         ws.WSAHtons(dns, 1, { value: 0 });
         say(ws.readHostent(own).h_name);
       }`,
    );
    expect(said).toEqual([['printer'], ['printer']]);
  });
});

describe('WSANSPIoctl with a completion on the blocking face', () => {
  const SHOP = `
    ws.WSAStartup(ws.MAKEWORD(2, 2), data);
    const record = (hEvent = 0) => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent });
    const shop = (lpszServiceInstanceName = null) =>
      ws.querySet({ lpszServiceInstanceName, lpServiceClassId: '5F7E1A11-0000-4000-8000-000000000001' });
    const lookup = { value: 0 };
    ws.WSALookupServiceBegin(shop(), ws.LUP_RETURN_ALL, lookup);
    let shops = 0;
    const change = () => ws.WSASetService(shop('Corner ' + ++shops), ws.RNRSERVICE_REGISTER, 0);
    const listen = (completion) =>
      ws.WSANSPIoctl(lookup.value, ws.SIO_NSP_NOTIFY_CHANGE, null, 0, new Uint8Array(8), 8, { value: 0 }, completion);
  `;

  test('API-WSANSPIoctl, STR-WSACOMPLETION, NSP-Ioctl told at once, by an event, a port, a window and a routine', async () => {
    const said = await run(
      'changes',
      `${SHOP}
       const now = { Type: ws.NSP_NOTIFY_IMMEDIATELY };
       say(listen(now), ws.WSAGetLastError(), change(), listen(now));
       // An event.
       const told = record(ws.WSACreateEvent());
       say(listen({ Type: ws.NSP_NOTIFY_EVENT, lpOverlapped: told }), ws.WSAGetLastError(), told.Internal, ws.HasOverlappedIoCompleted(told));
       say(ws.WSAWaitForMultipleEvents(1, [told.hEvent], false, 0, false), change());
       say(ws.WSAWaitForMultipleEvents(1, [told.hEvent], false, 20000, false), told.Internal, ws.HasOverlappedIoCompleted(told));
       // A completion port gets the application's own record.
       const hPort = ws.CreateIoCompletionPort(ws.INVALID_HANDLE_VALUE);
       const queued = record();
       say(listen({ Type: ws.NSP_NOTIFY_PORT, lpOverlapped: queued, hPort, Key: 7 }), ws.WSAGetLastError(), change());
       const [bytes, key, done] = [{ value: 9 }, { value: 0 }, { value: null }];
       say(ws.GetQueuedCompletionStatus(hPort, bytes, key, done, 20000), bytes.value, key.value, done.value === queued, queued.Internal);
       // A window.
       const hWnd = ws.CreateWindow();
       const { WM_APP } = ws;
       say(listen({ Type: ws.NSP_NOTIFY_HWND, hWnd, uMsg: WM_APP, context: 5 }), ws.WSAGetLastError(), change());
       const message = {};
       say(ws.GetMessage(message), message.hwnd === hWnd, message.message === WM_APP, message.wParam, message.lParam);
       // A routine runs in an alertable wait, once.
       const ran = [];
       const own = record();
       const lpfnCompletionProc = (error, count, which, flags) => ran.push([error, count, which === own, flags]);
       say(listen({ Type: ws.NSP_NOTIFY_APC, lpOverlapped: own, lpfnCompletionProc }), ws.WSAGetLastError(), change());
       say(ws.SleepEx(20000, true), ran, ws.SleepEx(0, true), ran.length);`,
    );
    expect(said).toEqual([
      [-1, 10035, 0, 0],
      [-1, 997, 0x103, false],
      [258, 0],
      [0, 0, true],
      [-1, 997, 0],
      [1, 0, 7, true, 0],
      [-1, 997, 0],
      [1, true, true, 5, 0],
      [-1, 997, 0],
      [192, [[0, 0, true, 0]], 0, 1],
    ]);
  });

  test('API-WSANSPIoctl, ERR-WSA_E_CANCELLED it ends with its lookup; a completion that can not be told is refused', async () => {
    const said = await run(
      'changesEnd',
      `${SHOP}
       const told = record(ws.WSACreateEvent());
       say(listen({ Type: ws.NSP_NOTIFY_EVENT, lpOverlapped: told }), ws.WSALookupServiceEnd(lookup.value));
       say(ws.WSAWaitForMultipleEvents(1, [told.hEvent], false, 20000, false), told.Internal);
       ws.WSALookupServiceBegin(shop(), ws.LUP_RETURN_ALL, lookup);
       const wrong = [
         { Type: 9 }, { Type: ws.NSP_NOTIFY_EVENT }, { Type: ws.NSP_NOTIFY_PORT, lpOverlapped: record(), hPort: 4, Key: 0 }, 7,
         { Type: ws.NSP_NOTIFY_APC, lpOverlapped: record() }, { Type: ws.NSP_NOTIFY_APC, lpOverlapped: 'x', lpfnCompletionProc: () => {} },
       ];
       for (const each of wrong) say(listen(each), ws.WSAGetLastError());
       say(ws.WSANSPIoctl(lookup.value + 99, ws.SIO_NSP_NOTIFY_CHANGE, null, 0, null, 0, { value: 0 }, { Type: 0 }), ws.WSAGetLastError());
       // Records and memory of what was refused are free again.
       let refused = 0;
       for (let i = 0; i < 1500; i++) if (listen({ Type: ws.NSP_NOTIFY_PORT, lpOverlapped: record(), hPort: 4, Key: 0 }) === -1) refused++;
       say(refused, ws.WSALookupServiceEnd(lookup.value));`,
    );
    expect(said).toEqual([
      [-1, 0],
      [0, 10111],
      [-1, 10045],
      [-1, 10014],
      [-1, 6],
      [-1, 10014],
      [-1, 10014],
      [-1, 10014],
      [-1, 6],
      [1500, 0],
    ]);
  });
});
