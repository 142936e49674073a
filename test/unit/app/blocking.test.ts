import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { compileRooms } from '../../support/compiled.ts';

// The blocking face sleeps in its thread, and jest transforms no Workers: each test is a program of its own.
jest.setTimeout(30_000);

let rooms: string;
let folder: string;

beforeAll(() => {
  rooms = compileRooms('app');
  symlinkSync(resolve('node_modules'), join(rooms, '..', 'node_modules')); // the resolver's codec is a package
  folder = mkdtempSync(join(tmpdir(), 'wsk-blocking-'));
  const local = pathToFileURL(join(rooms, 'app/local.js'));
  writeFileSync(
    join(folder, 'sockets.mjs'),
    `import { createLocalHost } from ${JSON.stringify(local.href)};
     export const sockets = () => createLocalHost();`,
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = `
  import { isMainThread, Worker } from 'node:worker_threads';
  const data = { wVersion: 0, wHighVersion: 0, iMaxSockets: 0, iMaxUdpDg: 0, szDescription: '', szSystemStatus: '' };
  const lines = [];
  const say = (...words) => lines.push(words);
  const here = new URL(import.meta.url);
  if (isMainThread) ws.attachTo({ module: new URL('./sockets.mjs', here) });
  function start() {
    return ws.WSAStartup(ws.MAKEWORD(2, 2), data);
  }
  function at(port) { const name = new Uint8Array(16); ws.WSAStringToAddress('127.0.0.1:' + port, 2, null, name, { value: 16 }); return name; }
  function text(bytes, length) { return Buffer.from(bytes.subarray(0, length)).toString(); }
  process.on('exit', () => isMainThread && console.log(JSON.stringify(lines)));
`;

/** Runs a program over the blocking face, here called \`ws\`. @returns what it said */
async function run(name: string, body: string): Promise<unknown[][]> {
  const file = join(folder, `${name}.mjs`);
  const face = pathToFileURL(join(rooms, 'app/blocking.js')).href;
  writeFileSync(file, `import * as ws from ${JSON.stringify(face)};\n${HEAD}\n${body}`);
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [file], { timeout: 30_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
  return JSON.parse(output) as unknown[][];
}

describe('the blocking face', () => {
  test('SEM-ERR-01, SEM-ERR-03, SEM-ERR-04, SEM-VER-12, API-WSAGetLastError, API-WSASetLastError: failures and the last error', async () => {
    const said = await run(
      'errors',
      `say(ws.socket(2, 1, 6), ws.WSAGetLastError());
       ws.WSASetLastError(5);
       say(start(), ws.WSAGetLastError(), data.wHighVersion, data.szSystemStatus);
       say(ws.WSAStartup(0, data), ws.WSAGetLastError());
       const s = ws.socket(2, 1, 6);
       say(s > 0, ws.WSAGetLastError());
       say(ws.listen(s, 1), ws.WSAGetLastError());
       say(ws.WSASetEvent(s), ws.WSAGetLastError());
       say(ws.WSAWaitForMultipleEvents(0, [], false, 0), ws.WSAGetLastError());
       say(ws.recv(s, null), ws.WSAGetLastError());
       say(ws.closesocket(s), ws.WSAGetLastError());
       say(ws.inet_ntop(99, new Uint8Array(4)), ws.WSAGetLastError(), ws.inet_ntop(2, Uint8Array.of(10, 0, 0, 1)));`,
    );
    expect(said).toEqual([
      [-1, 10093],
      [0, 5, 0x0202, 'Running'],
      [10092, 5],
      [true, 0],
      [-1, 10022],
      [0, 6],
      [0xffffffff, 87],
      [-1, 10014],
      [0, 0],
      [null, 10047, '10.0.0.1'],
    ]);
  });

  test('main thread and Worker echo to each other, each asleep in its calls', async () => {
    const said = await run(
      'echo',
      `if (isMainThread) {
         start();
         const listener = ws.socket(2, 1, 6);
         ws.bind(listener, at(5000));
         ws.listen(listener, 5);
         new Worker(here);
         const name = new Uint8Array(16), length = { value: 16 };
         const s = ws.accept(listener, name, length);
         say(ws.formatSockaddr(name).startsWith('127.0.0.1:'), length.value);
         const bytes = new Uint8Array(100).fill(7);
         const count = ws.recv(s, bytes);
         say(text(bytes, count), bytes[count]);
         const [first, second, received, flags] = [new Uint8Array(2), new Uint8Array(9), { value: 0 }, { value: 0 }];
         say(ws.send(s, Buffer.from('back')), ws.WSARecv(s, [first, second], 2, received, flags));
         say(received.value, text(first, 2), text(second, received.value - 2), second[8]);
         say(ws.recv(s, bytes), ws.closesocket(s));
       } else {
         const s = ws.socket(2, 1, 6);
         ws.connect(s, at(5000));
         ws.send(s, Buffer.from('hello'));
         const bytes = new Uint8Array(10);
         const count = ws.recv(s, bytes);
         ws.WSASend(s, [bytes.subarray(0, count), Buffer.from('!')], 2, { value: 0 });
         ws.shutdown(s, 1);
         ws.recv(s, bytes);
         ws.closesocket(s);
       }`,
    );
    expect(said).toEqual([
      [true, 16],
      ['hello', 7],
      [4, 0],
      [5, 'ba', 'ck!', 0],
      [0, 0],
    ]);
  });

  test('SEM-COND-01 the condition function runs in the caller’s thread, and may make calls of its own', async () => {
    const said = await run(
      'condition',
      `if (isMainThread) {
         start();
         const listener = ws.socket(2, 1, 6);
         ws.bind(listener, at(5000));
         ws.listen(listener, 5);
         new Worker(here);
         const told = [];
         const s = ws.WSAAccept(listener, null, null, (caller, _1, _2, _3, callee, _5, _6, context) => {
           const inner = ws.socket(2, 2, 17);
           told.push(ws.formatSockaddr(callee), context, inner > 0, ws.closesocket(inner));
           return ws.CF_REJECT;
         }, 42);
         say(s, ws.WSAGetLastError(), told);
         const failing = () => ws.WSAAccept(listener, null, null, () => { throw new RangeError('mine'); });
         try { failing(); } catch (error) { say(error.message); }
         say(ws.accept(listener) > 0);
       } else {
         for (let i = 0; i < 2; i++) {
           const s = ws.socket(2, 1, 6);
           ws.connect(s, at(5000));
         }
       }`,
    );
    expect(said).toEqual([[-1, 10061, ['127.0.0.1:5000', 42, true, 0]], ['mine'], [true]]);
  });

  test('handles belong to the process: several Workers share sockets, each with its own last error', async () => {
    const said = await run(
      'shared',
      `import { workerData } from 'node:worker_threads';
       if (isMainThread) {
         start();
         const s = ws.socket(2, 2, 17);
         ws.bind(s, at(6000));
         for (let i = 0; i < 4; i++) new Worker(here, { workerData: { s, i } });
         const seen = [];
         const bytes = new Uint8Array(20), from = new Uint8Array(16);
         for (let i = 0; i < 40; i++) seen.push(text(bytes, ws.recvfrom(s, bytes, 20, 0, from, { value: 16 })));
         say(seen.sort().join());
         ws.listen(s, 1);
         say(ws.WSAGetLastError());
       } else {
         ws.recv(4444, null);
         for (let k = 0; k < 10; k++) ws.sendto(workerData.s, Buffer.from(workerData.i + '' + k), 2, 0, at(6000));
       }`,
    );
    const expected = Array.from({ length: 40 }, (_, n) => `${Math.floor(n / 10)}${n % 10}`);
    expect(said).toEqual([[expected.join()], [10045]]);
  });

  test('a message larger than the mailbox crosses whole', async () => {
    const said = await run(
      'large',
      `import { createHash } from 'node:crypto';
       const bytes = Buffer.alloc(3 << 20, 'winsock');
       const hash = (buffer) => createHash('sha256').update(buffer).digest('hex');
       if (isMainThread) {
         start();
         const listener = ws.socket(2, 1, 6);
         ws.bind(listener, at(5000));
         ws.listen(listener, 5);
         new Worker(here);
         const s = ws.accept(listener);
         const received = Buffer.alloc(bytes.length);
         say(ws.recv(s, received, received.length, ws.MSG_WAITALL), hash(received) === hash(bytes));
         say(ws.recv(s, received));
       } else {
         const s = ws.socket(2, 1, 6);
         ws.connect(s, at(5000));
         ws.send(s, bytes);
         ws.closesocket(s);
       }`,
    );
    expect(said).toEqual([[3 << 20, true], [0]]);
  });

  test('select, WSAPoll, events, options and lists come back through their pointers', async () => {
    const said = await run(
      'pointers',
      `start();
       const s = ws.socket(2, 2, 17);
       ws.bind(s, at(7000));
       const reads = { fd_array: [s] }, writes = { fd_array: [s] };
       say(ws.select(0, reads, writes, null, { tv_sec: 0, tv_usec: 0 }), reads.fd_array, writes.fd_array.length);
       const fds = [{ fd: s, events: ws.POLLOUT, revents: 0 }, { fd: 4, events: 0, revents: 0 }];
       say(ws.WSAPoll(fds, 2, 0), fds.map((fd) => fd.revents));
       const event = ws.WSACreateEvent();
       const recorded = { lNetworkEvents: 0, iErrorCode: [] };
       say(ws.WSAEventSelect(s, event, ws.FD_WRITE), ws.WSAWaitForMultipleEvents(1, [event], true, 1000));
       say(ws.WSAEnumNetworkEvents(s, event, recorded), recorded.lNetworkEvents, recorded.iErrorCode.length);
       const value = new Uint8Array(4), length = { value: 4 };
       say(ws.setsockopt(s, ws.SOL_SOCKET, ws.SO_RCVTIMEO, Uint8Array.of(9, 1, 0, 0)));
       say(ws.getsockopt(s, ws.SOL_SOCKET, ws.SO_RCVTIMEO, value, length), [...value], length.value);
       const entries = [];
       say(ws.WSAEnumProtocols(null, entries, { value: 5000 }), entries.map((entry) => entry.szProtocol));
       const string = { value: '' }, room = { value: 50 };
       say(ws.WSAAddressToString(at(7000), 16, null, string, room), string.value, room.value);
       const info = { value: null };
       say(ws.WSADuplicateSocket(s, process.pid, info), ws.WSASocket(-1, -1, -1, info.value) > 0);
       const bytes = { value: 0 };
       say(ws.ioctlsocket(s, ws.FIONREAD, bytes), bytes.value);`,
    );
    expect(said).toEqual([
      [1, [], 1],
      [2, [0x10, 4]],
      [0, 0],
      [0, 2, 10],
      [0],
      [0, [9, 1, 0, 0], 4],
      [
        4,
        ['MSAFD Tcpip [TCP/IP]', 'MSAFD Tcpip [UDP/IP]', 'MSAFD Tcpip [TCP/IPv6]', 'MSAFD Tcpip [UDP/IPv6]'],
      ],
      [0, '127.0.0.1:7000', 15],
      [0, true],
      [0, 0],
    ]);
  });

  test('SEM-W11-02, SEM-W11-03, SEM-W11-04, SEM-VER-18 blocking hooks run in their own thread, which is where they cancel', async () => {
    const said = await run(
      'hooks',
      `import { workerData } from 'node:worker_threads';
       if (isMainThread) {
         say(ws.WSASetBlockingHook(() => false), ws.WSAGetLastError());
         say(ws.WSAStartup(ws.MAKEWORD(1, 1), data), ws.WSAIsBlocking(), ws.WSACancelBlockingCall(), ws.WSAGetLastError());
         const s = ws.socket(2, 2, 17);
         ws.bind(s, at(6000));
         let runs = 0, inner;
         const hook = () => {
           runs++;
           inner = [ws.WSAIsBlocking(), ws.socket(2, 2, 17), ws.WSAGetLastError()];
           if (runs === 3) inner.push(ws.WSACancelBlockingCall());
           return runs === 1;
         };
         const first = ws.WSASetBlockingHook(hook);
         say(typeof first, first(), ws.WSASetBlockingHook(first) === hook, ws.WSASetBlockingHook(hook) === first);
         say(ws.recv(s, new Uint8Array(1)), ws.WSAGetLastError(), runs, inner);
         new Worker(here, { workerData: { s } });
         const bytes = new Uint8Array(9);
         ws.WSASetBlockingHook(() => false);
         say(ws.recv(s, bytes), ws.WSAGetLastError());
         ws.WSASetBlockingHook(() => { throw new RangeError('mine'); });
         try { ws.recv(s, bytes); } catch (error) { say(error.message); }
         say(ws.WSAUnhookBlockingHook(), ws.WSAIsBlocking(), ws.WSASetBlockingHook(null), ws.WSAGetLastError());
       } else {
         // Another thread's blocking call is none of its business, nor is its hook.
         ws.sendto(workerData.s, Buffer.from(String(ws.WSAIsBlocking())), 1, 0, at(6000));
       }`,
    );
    expect(said).toEqual([
      [null, 10093],
      [0, 0, -1, 10022],
      ['function', false, true, true],
      [-1, 10004, 3, [1, -1, 10036, 0]],
      [1, 0],
      ['mine'],
      [0, 0, null, 10014],
    ]);
  });

  test('API-WSAAsyncSelect: a window procedure, and a GetMessage that sleeps until the network has something to say', async () => {
    const said = await run(
      'messages',
      `import { workerData } from 'node:worker_threads';
       if (isMainThread) {
         const seen = [];
         const msg = {};
         const hWnd = ws.CreateWindow((window, message, wParam, lParam) => {
           seen.push(message === ws.WM_USER ? 'event ' + ws.WSAGETSELECTEVENT(lParam) : message);
           if (message === ws.WM_USER && ws.WSAGETSELECTEVENT(lParam) === ws.FD_READ) {
             const bytes = new Uint8Array(9);
             seen.push(text(bytes, ws.recv(wParam, bytes)));
             ws.DestroyWindow(window);
           }
           if (message === ws.WM_DESTROY) ws.PostQuitMessage(3);
           return 42;
         });
         start();
         const s = ws.socket(2, 2, 17);
         ws.bind(s, at(6000));
         say(ws.WSAAsyncSelect(s, hWnd, ws.WM_USER, ws.FD_READ));
         new Worker(here, { workerData: { hWnd, s } });
         const results = new Set();
         while (ws.GetMessage(msg, 0, 0, 0) > 0) { ws.TranslateMessage(msg); results.add(ws.DispatchMessage(msg)); }
         say(seen, [...results], msg.wParam, ws.IsWindow(hWnd));
         say(ws.GetMessage(msg, hWnd), ws.WSAGetLastError(), ws.PeekMessage(msg), ws.WSAGetLastError());
       } else {
         // A window is its own thread's; to post to it is everybody's right.
         say(ws.DestroyWindow(workerData.hWnd));
         ws.PostMessage(workerData.hWnd, ws.WM_APP, 0, 0);
         ws.sendto(workerData.s, Buffer.from('hello'), 5, 0, at(6000));
       }`,
    );
    expect(said).toEqual([[0], [[1, 0x8000, 'event 1', 'hello', 2], [42], 3, 0], [-1, 1400, 0, 0]]);
  });

  const DEATHS: readonly [string, string][] = [
    ['ends', 'process.exit(1)'],
    ['fails', "throw new Error('on purpose')"],
    ['is killed', 'process.reallyExit(1)'],
  ];
  test.each(DEATHS)(
    'SEM-C-02 when the chain thread %s, calls that sleep end with WSAENETDOWN, and a new start is possible',
    async (how, death) => {
      const local = pathToFileURL(join(rooms, 'app/local.js')).href;
      writeFileSync(
        join(folder, 'mortal.mjs'),
        `import { createLocalHost } from ${JSON.stringify(local)};
       export const sockets = () => { setTimeout(() => { ${death}; }, 300); return createLocalHost(); };`,
      );
      const said = await run(
        `death-${how.replace(' ', '-')}`,
        `if (isMainThread) ws.attachTo({ module: new URL('./mortal.mjs', here) });
       start();
       const s = ws.socket(2, 2, 17);
       ws.bind(s, at(5000));
       say(ws.recv(s, new Uint8Array(1)), ws.WSAGetLastError());
       say(ws.send(s, new Uint8Array(1)), ws.WSAGetLastError());
       say(start(), ws.socket(2, 2, 17) > 0);`,
      );
      expect(said).toEqual([
        [-1, 10050],
        [-1, 10093],
        [0, true],
      ]);
    },
  );

  test('a program that is text on the command line', async () => {
    const face = JSON.stringify(pathToFileURL(join(rooms, 'app/blocking.js')).href);
    const module = JSON.stringify(pathToFileURL(join(folder, 'sockets.mjs')).href);
    const program = `import * as ws from ${face}; ws.attachTo({ module: ${module} }); console.log(ws.WSAStartup(0x202, {}));`;
    const said = await new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--input-type=module', '-e', program],
        { timeout: 20_000 },
        (error, stdout) => resolve(error === null ? stdout : error),
      );
    });
    expect(said).toBe('0\n');
  });

  /** A host with names of its own. */
  function writeNamedHost(): string {
    const local = pathToFileURL(join(rooms, 'app/local.js')).href;
    const names = pathToFileURL(join(rooms, 'names/index.js')).href;
    writeFileSync(
      join(folder, 'named.mjs'),
      `import { createLocalHost } from ${JSON.stringify(local)};
       import { HostTable } from ${JSON.stringify(names)};
       const hosts = HostTable.parse('10.0.0.7 printer.test printer\\n2001:db8::7 printer.test printer');
       export const sockets = () => createLocalHost({ names: { hostName: 'lab', hosts } });`,
    );
    return `if (isMainThread) ws.attachTo({ module: new URL('./named.mjs', here) });`;
  }

  test('API-getaddrinfo, SEM-GAI-10 errors are the result, and the last error too', async () => {
    const said = await run(
      'getaddrinfo',
      `${writeNamedHost()}
       const res = { value: null };
       say(ws.getaddrinfo('printer', null, null, res), ws.WSAGetLastError());
       start();
       const family = { ai_flags: ws.AI_CANONNAME, ai_family: ws.AF_INET, ai_socktype: 1, ai_protocol: 6,
                        ai_addrlen: 0, ai_canonname: null, ai_addr: null, ai_next: null };
       say(ws.getaddrinfo('printer', 'http', family, res), res.value.ai_canonname, [...res.value.ai_addr.subarray(0, 8)]);
       say(ws.GetAddrInfoW('printer', null, null, res), ws.addrinfos(res.value).map((each) => each.ai_family).sort());
       say(ws.getaddrinfo('nowhere.invalid', null, null, res), ws.WSAGetLastError(), res.value);
       say(ws.getaddrinfo('printer', null, { ...family, ai_addr: new Uint8Array(4) }, res), ws.WSAGetLastError());
       say(ws.getaddrinfo('printer', null, { ...family, ai_family: 99 }, res), ws.gai_strerror(ws.WSAGetLastError()));
       const ex = { value: null };
       say(ws.GetAddrInfoExW('printer', null, ws.NS_ALL, null, null, ex, { tv_sec: 5, tv_usec: 0 }), ex.value.ai_provider);
       const host = { value: '' };
       const name = ws.sockaddrOf ? at(80) : null;
       say(ws.getnameinfo(name, 16, host, 64, null, 0, ws.NI_NAMEREQD), host.value);
       say(ws.getnameinfo(name, 16, host, 3, null, 0, ws.NI_NAMEREQD), ws.WSAGetLastError());`,
    );
    expect(said).toEqual([
      [10093, 10093],
      [0, 'printer.test', [2, 0, 0, 80, 10, 0, 0, 7]],
      [0, [2, 23]],
      [11001, 11001, null],
      [11003, 11003],
      [10047, expect.stringContaining('family')],
      [0, '22059D40-7E9E-11CF-AE5A-00AA00A7112B'],
      [0, 'localhost'],
      [122, 122],
    ]);
  });

  test('API-gethostbyname, API-getservbyname, API-getprotobyname a structure of the thread’s own, or null', async () => {
    const said = await run(
      'hosts',
      `${writeNamedHost()}
       say(ws.gethostbyname('printer'), ws.WSAGetLastError());
       start();
       const host = ws.gethostbyname('printer');
       say(host.h_name, host.h_aliases, host.h_addr_list.map((each) => [...each]), ws.WSAGetLastError());
       const other = ws.gethostbyaddr(Uint8Array.of(127, 0, 0, 1), 4, ws.AF_INET);
       say(other === host, host.h_name, ws.gethostbyname('nowhere.invalid'), ws.WSAGetLastError());
       const service = ws.getservbyname('http', 'tcp');
       say(service, ws.getservbyport(ws.htons(443), null) === service, service.s_name, ws.getservbyname('none', null));
       say(ws.getprotobyname('udp').p_proto, ws.getprotobynumber(6).p_name, ws.getprotobynumber(251), ws.WSAGetLastError());
       const own = { value: '' };
       say(ws.gethostname(own, 64), own.value, ws.gethostname(own, 3), ws.WSAGetLastError());`,
    );
    expect(said).toEqual([
      [null, 10093],
      ['printer.test', ['printer'], [[10, 0, 0, 7]], 0],
      [true, 'localhost', null, 11001],
      [{ s_name: 'https', s_aliases: ['MCom'], s_port: 0xbb01, s_proto: 'tcp' }, true, 'https', null],
      [17, 'tcp', null, 11004],
      [0, 'lab', -1, 10014],
    ]);
  });

  test('API-WSALookupServiceBegin, API-WSASetService, API-WSAInstallServiceClass through the mailbox', async () => {
    const said = await run(
      'lookups',
      `${writeNamedHost()}
       start();
       const id = '5F7E1A11-0000-4000-8000-000000000001';
       const info = { lpServiceClassId: id, lpszServiceClassName: 'Shops', lpClassInfos: [] };
       say(ws.WSAInstallServiceClass(info), ws.WSAInstallServiceClass(info), ws.WSAGetLastError());
       const name = { value: '' };
       const length = { value: 64 };
       say(ws.WSAGetServiceClassNameByClassId(id, name, length), name.value, length.value);
       const end = { LocalAddr: at(80), RemoteAddr: null, iSocketType: 1, iProtocol: 6 };
       const set = ws.querySet({ lpServiceClassId: id, lpszServiceInstanceName: 'Corner', lpBlob: Uint8Array.of(1, 2),
                                 dwNumberOfCsAddrs: 1, lpcsaBuffer: [end] });
       say(ws.WSASetService(set, ws.RNRSERVICE_REGISTER, 0));
       const handle = { value: 0 };
       say(ws.WSALookupServiceBegin(ws.querySet({ lpServiceClassId: id }), ws.LUP_RETURN_ALL, handle), handle.value > 0);
       const result = ws.querySet();
       const room = { value: 10 };
       say(ws.WSALookupServiceNext(handle.value, 0, room, result), ws.WSAGetLastError(), room.value > 120);
       room.value = 1 << 30;
       say(ws.WSALookupServiceNext(handle.value, 0, room, result), result.lpszServiceInstanceName, [...result.lpBlob],
           [...result.lpcsaBuffer[0].RemoteAddr.subarray(0, 8)]);
       say(ws.WSALookupServiceNext(handle.value, 0, room, result), ws.WSAGetLastError());
       say(ws.WSALookupServiceEnd(handle.value), ws.WSALookupServiceEnd(handle.value), ws.WSAGetLastError());
       const infos = [];
       say(ws.WSAEnumNameSpaceProviders(room, infos), infos.map((each) => each.lpszIdentifier).includes('Tcpip'));
       const list = [];
       say(ws.EnumProtocols(null, list, room) === list.length, list[0].lpProtocol, list[0].iProtocol);
       say(ws.WSASetService({ lpServiceClassId: 7 }, 0, 0), ws.WSAGetLastError());`,
    );
    expect(said).toEqual([
      [0, -1, 10037],
      [0, 'Shops', 6],
      [0],
      [0, true],
      [-1, 10014, true],
      [0, 'Corner', [1, 2], [2, 0, 0, 80, 127, 0, 0, 1]],
      [-1, 10110],
      [0, -1, 6],
      [3, true],
      [true, 'MSAFD Tcpip [TCP/IP]', 6],
      [-1, 10022],
    ]);
  });

  test('without a daemon WSAStartup is WSASYSNOTREADY, and attaching after the first call is refused', async () => {
    const said = await run(
      'absent',
      `ws.attachTo({ socketPath: '/nonexistent/winsockd.sock' });
       say(ws.WSAStartup(ws.MAKEWORD(2, 2), data), ws.socket(2, 1, 6), ws.WSAGetLastError());
       try { ws.attachTo({}); } catch (error) { say(error.name); }`,
    );
    expect(said).toEqual([[10091, -1, 10093], ['AlreadyAttachedError']]);
  });

  test('API-WSAConnectByName, API-WSAConnectByList, API-WSAConnect, API-WSAAccept, API-WSARecvEx, API-WSAJoinLeaf, API-htonll: calls of every kind of argument', async () => {
    const said = await run(
      'extras',
      `start();
       const listener = ws.socket(2, 1, 6);
       ws.bind(listener, at(0)); ws.listen(listener, 5);
       const own = new Uint8Array(16); ws.getsockname(listener, own, { value: 16 });
       const port = (own[2] << 8) | own[3];
       const byName = ws.socket(2, 1, 6), byList = ws.socket(2, 1, 6), withQos = ws.socket(2, 1, 6);
       const remote = new Uint8Array(16), length = { value: 16 };
       say(ws.WSAConnectByName(byName, '127.0.0.1', String(port), null, null, length, remote), length.value,
         ((remote[2] << 8) | remote[3]) === port);
       say(ws.WSAConnectByList(byList, [at(port)]), ws.WSAConnectByList(byList, []), ws.WSAGetLastError());
       const flow = { TokenRate: -1, TokenBucketSize: -1, PeakBandwidth: -1, Latency: -1, DelayVariation: -1, ServiceType: 2,
         MaxSduSize: -1, MinimumPolicedSize: -1 };
       const qos = { SendingFlowspec: flow, ReceivingFlowspec: flow, ProviderSpecific: null };
       const callee = { value: new Uint8Array(8) };
       say(ws.WSAConnect(withQos, at(port), 16, null, null, qos), ws.WSAGetLastError());
       say(ws.WSAConnect(withQos, at(port), 16, null, callee, null), callee.value.length);
       const verdicts = [2, 1, 0];
       const answers = verdicts.map((verdict) => {
         const s = ws.WSAAccept(listener, null, null, (caller, data, sqos, gqos, called, room) => {
           say(caller.length, data, sqos, called.length, room.length);
           return verdict;
         });
         return s === -1 ? -ws.WSAGetLastError() : s;
       });
       say(answers[0], answers[1], answers[2] > 0);
       ws.send(byList, new TextEncoder().encode('extra'));
       const into = new Uint8Array(20), flags = { value: 0 };
       say(ws.WSARecvEx(answers[2], into, 20, flags), flags.value, text(into, 5));
       const leaf = ws.WSASocket(2, 2, 17, null, 0, 1 | 4 | 0x10);
       const group = new Uint8Array(16); ws.WSAStringToAddress('239.1.2.3:5000', 2, null, group, { value: 16 });
       say(ws.WSAJoinLeaf(leaf, group, 16, null, null, null, null, 2) === leaf, ws.WSAGetLastError());
       say(ws.__WSAFDIsSet(4, { fd_array: [4] }), String(ws.htonll(1n)), ws.WSARevertImpersonation(), ws.WSAGetLastError());`,
    );
    expect(said).toEqual([
      [1, 16, true],
      [1, 0, 10022],
      [-1, 10045],
      [0, 0],
      [16, null, null, 16, 0],
      [16, null, null, 16, 0],
      [16, null, null, 16, 0],
      [-11002, -10061, true],
      [5, 0, 'extra'],
      [true, 0],
      [1, '72057594037927936', -1, 10045],
    ]);
  });

  test('the ICMP helper API blocks too, without WSAStartup, and tells why by thread', async () => {
    const icmp = JSON.stringify(pathToFileURL(join(rooms, 'app/icmp-blocking.js')).href);
    const said = await run(
      'icmp',
      `const icmp = await import(${icmp});
       const file = icmp.IcmpCreateFile();
       const asked = new TextEncoder().encode('abc'), reply = new Uint8Array(200);
       const home = icmp.inet_addr('127.0.0.1');
       const options = { Ttl: 9, Tos: 0, Flags: 0, OptionsData: null };
       say(icmp.IcmpSendEcho(file, home, asked, 3, options, reply, 200, 1000), icmp.GetLastError(), icmp.IcmpParseReplies(reply, 200));
       const { Address, Status, Data } = icmp.readICMP_ECHO_REPLY(reply);
       say(String(Address), Status, text(Data, 3));
       say(icmp.IcmpSendEcho2(file, null, null, null, home, asked, 3, null, reply, 200, 1000), icmp.GetLastError());
       say(icmp.IcmpSendEcho2Ex(file, null, null, null, home, home, asked, 3, null, reply, 200, 1000), icmp.GetLastError());
       say(icmp.IcmpSendEcho(file, home, asked, 3, null, reply, 20, 1000), icmp.GetLastError());
       say(icmp.IcmpSendEcho(file, home, asked, 4, null, reply, 200, 1000), icmp.GetLastError());
       say(icmp.IcmpSendEcho(file, icmp.inet_addr('192.0.2.1'), asked, 3, null, reply, 200, 1000), icmp.GetLastError());
       const six = icmp.Icmp6CreateFile(), any = new Uint8Array(28), own = new Uint8Array(28);
       any[0] = own[0] = 23; own[23] = 1;
       say(icmp.Icmp6SendEcho2(six, null, null, null, any, own, asked, 3, null, reply, 200, 1000), icmp.Icmp6ParseReplies(reply, 200));
       say(icmp.IcmpSendEcho(six, home, asked, 3, null, reply, 200, 1000), icmp.GetLastError());
       say(icmp.IcmpCloseHandle(file), icmp.IcmpCloseHandle(file), icmp.GetLastError());`,
    );
    expect(said).toEqual([
      [1, 0, 1],
      ['127.0.0.1', 0, 'abc'],
      [1, 0],
      [1, 0],
      [0, 122],
      [0, 87],
      [0, 11003],
      [1, 1],
      [0, 87],
      [1, 0, 6],
    ]);
  });
});
