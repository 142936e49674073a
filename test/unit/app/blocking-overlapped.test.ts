import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { compileRooms } from '../../support/compiled.ts';

// The blocking face sleeps in its thread, and jest transforms no Workers: each test is a program of its own.
jest.setTimeout(60_000);

let rooms: string;
let folder: string;

beforeAll(() => {
  rooms = compileRooms('app');
  symlinkSync(resolve('node_modules'), join(rooms, '..', 'node_modules'));
  folder = mkdtempSync(join(tmpdir(), 'wsk-overlapped-'));
  const local = pathToFileURL(join(rooms, 'app/local.js'));
  writeFileSync(
    join(folder, 'sockets.mjs'),
    `import { createLocalHost } from ${JSON.stringify(local.href)};
     export const sockets = () => createLocalHost();`,
  );
  writeFileSync(join(folder, 'file.txt'), 'the file');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = `
  import { isMainThread, Worker, workerData } from 'node:worker_threads';
  const lines = [];
  const say = (...words) => lines.push(words);
  const here = new URL(import.meta.url);
  if (isMainThread) {
    ws.attachTo({ module: new URL('./sockets.mjs', here) });
    const data = { wVersion: 0, wHighVersion: 0, iMaxSockets: 0, iMaxUdpDg: 0, szDescription: '', szSystemStatus: '' };
    ws.WSAStartup(ws.MAKEWORD(2, 2), data);
  }
  const record = (hEvent = 0, Tag = 0) => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent, Tag });
  const text = (bytes, length = bytes.length) => Buffer.from(bytes.slice(0, length)).toString();
  /** The name that a socket is bound to. */
  function nameOf(s) { const name = new Uint8Array(16); ws.getsockname(s, name, { value: 16 }); return name; }
  function at(port) { const name = new Uint8Array(16); ws.WSAStringToAddress('127.0.0.1:' + port, 2, null, name, { value: 16 }); return name; }
  function bound(type) { const s = ws.socket(2, type, 0); ws.bind(s, at(0)); return s; }
  function connected() {
    const listener = bound(1);
    ws.listen(listener, 5);
    const client = ws.socket(2, 1, 6);
    ws.connect(client, nameOf(listener));
    return { listener, client, server: ws.accept(listener) };
  }
  /** Waits until a word of shared memory is set. */
  function waitFor(words, index) { Atomics.wait(words, index, 0, 20000); }
  function set(words, index) { Atomics.store(words, index, 1); Atomics.notify(words, index); }
  process.on('exit', () => isMainThread && console.log(JSON.stringify(lines)));
`;

/** Runs a program over the blocking face, here called `ws`. @returns what it said */
async function run(name: string, body: string): Promise<unknown[][]> {
  const file = join(folder, `${name}.mjs`);
  const face = pathToFileURL(join(rooms, 'app/blocking.js')).href;
  writeFileSync(file, `import * as ws from ${JSON.stringify(face)};\n${HEAD}\n${body}`);
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [file], { timeout: 45_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${error.message}\n${stderr}`));
    });
  });
  return JSON.parse(output) as unknown[][];
}

describe('overlapped operations on the blocking face', () => {
  test('SEM-OV-03, SEM-OV-11, API-WSAGetOverlappedResult a receive pends, and its bytes come when it is collected', async () => {
    const said = await run(
      'event',
      `const { client, server } = connected();
       const event = ws.WSACreateEvent();
       const overlapped = record(event);
       const bytes = [new Uint8Array(2), new Uint8Array(4)];
       const count = { value: -1 };
       say(ws.WSARecv(client, bytes, 2, count, { value: 0 }, overlapped), ws.WSAGetLastError(), count.value);
       say(overlapped.Internal, ws.HasOverlappedIoCompleted(overlapped));
       say(ws.WSAGetOverlappedResult(client, overlapped, count, false, { value: 0 }), ws.WSAGetLastError());
       ws.send(server, Buffer.from('abcd'));
       say(ws.WSAGetOverlappedResult(client, overlapped, count, true, { value: 0 }), count.value);
       say(text(bytes[0]), text(bytes[1], 2), overlapped.Internal, overlapped.InternalHigh);
       say(ws.WSAWaitForMultipleEvents(1, [event], true, 0, false));
       say(ws.WSAGetOverlappedResult(client, overlapped, count, false, { value: 0 }), count.value);`,
    );
    expect(said).toEqual([[-1, 997, -1], [259, false], [0, 996], [1, 4], ['ab', 'cd', 0, 4], [0], [1, 4]]);
  });

  test('SEM-OV-05, SEM-OV-06 what is done at once, and what has not started', async () => {
    const said = await run(
      'at-once',
      `const { client } = connected();
       const overlapped = record(ws.WSACreateEvent());
       const count = { value: -1 };
       say(ws.WSASend(client, [Buffer.from('abc')], 1, count, 0, overlapped), count.value, overlapped.InternalHigh);
       say(ws.WSAWaitForMultipleEvents(1, [overlapped.hEvent], true, 0, false));
       const fresh = ws.socket(2, 1, 6);
       say(ws.WSARecv(fresh, [new Uint8Array(1)], 1, count, { value: 0 }, overlapped), ws.WSAGetLastError());
       say(ws.WSARecv(client, [new Uint8Array(1)], 1, count, { value: 0 }, record(12)), ws.WSAGetLastError());
       say(ws.AcceptEx(fresh, client, new Uint8Array(64), 0, 32, 32, null, overlapped), ws.WSAGetLastError(), overlapped.Internal);
       const out = new Uint8Array(4);
       say(ws.WSAIoctl(client, ws.FIONREAD, null, 0, out, 4, count, overlapped), ws.WSAGetLastError());
       say(ws.WSAIoctl(client, 0x12345, null, 0, null, 0, count, overlapped), ws.WSAGetLastError());
       say(ws.WSAGetOverlappedResult(client, overlapped, count, true, { value: 0 }), ws.WSAGetLastError());`,
    );
    expect(said).toEqual([
      [0, 3, 3],
      [0],
      [-1, 10057],
      [-1, 6],
      [0, 10022, 259],
      [0, 0],
      [-1, 997],
      [0, 10045],
    ]);
  });

  test('SEM-OV-04, SEM-OV-10, SEM-BLK-03 routines run in this thread, in order, in alertable waits and blocking calls', async () => {
    const said = await run(
      'routines',
      `const { client, server } = connected();
       const bytes = new Uint8Array(2);
       const seen = [];
       const overlapped = record(0, 7);
       let depth = 0;
       const routine = (error, count, of, flags) => {
         depth++;
         seen.push([error, text(bytes, count), of === overlapped, depth]);
         if (seen.length < 3) ws.WSARecv(client, [bytes], 1, null, { value: 0 }, overlapped, routine);
         depth--;
       };
       say(ws.WSARecv(client, [bytes], 1, null, { value: 0 }, overlapped, routine), ws.WSAGetLastError());
       ws.send(server, Buffer.from('aa'));
       say(ws.SleepEx(50, false), seen.length);
       say(ws.SleepEx(5000, true), seen.length);
       ws.send(server, Buffer.from('bb'));
       const event = ws.WSACreateEvent();
       say(ws.WSAWaitForMultipleEvents(1, [event], true, 5000, true), seen.length);
       ws.send(server, Buffer.from('cc'));
       // A blocking call lets them run, and goes on.
       const s = bound(2);
       const other = ws.socket(2, 2, 17);
       setTimeout(() => {}, 0);
       ws.setsockopt(s, 0xffff, 0x1006, new Uint8Array([200, 0, 0, 0]));
       say(ws.recv(s, new Uint8Array(1)), ws.WSAGetLastError(), seen.length);
       say(...seen);`,
    );
    expect(said).toEqual([
      [-1, 997],
      [0, 0],
      [192, 1],
      [192, 2],
      [-1, 10060, 3],
      [
        [0, 'aa', true, 1],
        [0, 'bb', true, 1],
        [0, 'cc', true, 1],
      ],
    ]);
  });

  test('SEM-OV-02, SEM-OV-12, SEM-OV-13 completion ports give back the record itself, and failures', async () => {
    const said = await run(
      'port',
      `const { client, server } = connected();
       const port = ws.CreateIoCompletionPort(ws.INVALID_HANDLE_VALUE, 0, 0, 0);
       say(port > 0, ws.CreateIoCompletionPort(client, port, 42, 0) === port);
       const records = [record(), record()];
       const bytes = [new Uint8Array(3), new Uint8Array(3)];
       for (const i of [0, 1]) ws.WSARecv(client, [bytes[i]], 1, null, { value: 0 }, records[i]);
       const [count, key, of] = [{ value: 0 }, { value: 0 }, { value: null }];
       const take = (ms) => [ws.GetQueuedCompletionStatus(port, count, key, of, ms), ws.WSAGetLastError()];
       say(...take(0), of.value);
       ws.send(server, Buffer.from('xyz'));
       say(...take(5000), count.value, key.value, of.value === records[0], text(bytes[0]));
       say(ws.CancelIoEx(client, records[1]));
       say(...take(5000), key.value, of.value === records[1], records[1].Internal === ws.STATUS_CANCELLED);
       say(ws.CancelIoEx(client, records[1]), ws.WSAGetLastError());
       const own = record(0, 5);
       say(ws.PostQueuedCompletionStatus(port, 11, 12, own), ws.PostQueuedCompletionStatus(port, 13, 14, null));
       const entries = [];
       const removed = { value: 0 };
       say(ws.GetQueuedCompletionStatusEx(port, entries, 10, removed, 100, false), removed.value);
       say(...entries.map((entry) => [entry.lpCompletionKey, entry.dwNumberOfBytesTransferred, entry.lpOverlapped === own]));
       say(ws.CloseHandle(port), ...take(0));`,
    );
    expect(said).toEqual([
      [true, true],
      [0, 258, null],
      [1, 0, 3, 42, true, 'xyz'],
      [1],
      [0, 995, 42, true, true],
      [0, 1168],
      [1, 1],
      [1, 2],
      [
        [12, 11, true],
        [14, 13, false],
      ],
      [1, 0, 6],
    ]);
  });

  test('SEM-OV-02 one thread begins, another collects: a copy with the Tag, the bytes where memory is shared', async () => {
    const said = await run(
      'threads',
      `const words = isMainThread ? new Int32Array(new SharedArrayBuffer(64)) : workerData.words;
       const shared = isMainThread ? new Uint8Array(new SharedArrayBuffer(16), 4, 8) : workerData.shared;
       if (isMainThread) {
         const { client, server } = connected();
         const port = ws.CreateIoCompletionPort(client, 0, 9, 0);
         const [first, second] = [record(0, 1), record(0, 2)];
         const plain = new Uint8Array(4);
         ws.WSARecv(client, [shared], 1, null, { value: 8 }, first);
         ws.WSARecv(client, [plain], 1, null, { value: 0 }, second);
         const worker = new Worker(here, { workerData: { words, shared, port } });
         worker.on('message', (message) => {
           say(...message);
           say(ws.HasOverlappedIoCompleted(second), text(plain), second.InternalHigh, first.InternalHigh);
         });
         worker.on('online', () => ws.send(server, Buffer.from('inshared' + 'unsh')));
       } else {
         const { port } = workerData;
         const seen = [];
         const { parentPort } = await import('node:worker_threads');
         for (let i = 0; i < 2; i++) {
           const [count, key, of] = [{ value: 0 }, { value: 0 }, { value: null }];
           const answer = ws.GetQueuedCompletionStatus(port, count, key, of, 20000);
           seen.push([answer, count.value, key.value, of.value?.Tag, of.value?.Internal, text(shared)]);
         }
         parentPort.postMessage(seen);
       }`,
    );
    expect(said).toEqual([
      [
        [1, 8, 9, 1, 0, 'inshared'],
        [1, 4, 9, 2, 0, 'inshared'],
      ],
      [true, 'unsh', 4, 8],
    ]);
  });

  test('SEM-OV-04 a routine runs in the thread that began the operation, whoever else waits alertably', async () => {
    const said = await run(
      'own-thread',
      `const words = isMainThread ? new Int32Array(new SharedArrayBuffer(64)) : workerData.words;
       if (isMainThread) {
         const { client, server } = connected();
         new Worker(here, { workerData: { words } });
         const seen = [];
         ws.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, record(), (error, count) => seen.push([error, count]));
         waitFor(words, 0);
         ws.send(server, Buffer.from('ab'));
         waitFor(words, 1);
         say(seen.length, words[2]);
         say(ws.SleepEx(5000, true), seen.length);
       } else {
         set(words, 0);
         words[2] = ws.SleepEx(300, true);
         set(words, 1);
       }`,
    );
    expect(said).toEqual([
      [0, 0],
      [192, 1],
    ]);
  });

  test('API-AcceptEx, API-ConnectEx, API-DisconnectEx, API-TransmitFile, API-TransmitPackets over the blocking face', async () => {
    const said = await run(
      'extensions',
      `const listener = bound(1);
       ws.listen(listener, 5);
       const server = ws.socket(2, 1, 6);
       const client = bound(1);
       const [accepting, connecting] = [record(ws.WSACreateEvent()), record(ws.WSACreateEvent())];
       const buffer = new Uint8Array(10 + 64);
       const wait = (s, of) => { const n = { value: 0 }; return [ws.WSAGetOverlappedResult(s, of, n, true, { value: 0 }), n.value]; };
       say(ws.AcceptEx(listener, server, buffer, 10, 32, 32, null, accepting), ws.WSAGetLastError());
       say(ws.ConnectEx(client, nameOf(listener), 16, Buffer.from('hello'), 5, null, connecting), ws.WSAGetLastError());
       say(...wait(client, connecting), ...wait(listener, accepting), text(buffer, 5));
       const [local, remote] = [{ value: null }, { value: null }];
       ws.GetAcceptExSockaddrs(buffer, 10, 32, 32, local, { value: 0 }, remote, { value: 0 });
       say(text(local.value.subarray(2, 8)) === text(nameOf(listener).subarray(2, 8)), remote.value.length);
       const sent = record(ws.WSACreateEvent());
       const file = new URL('./file.txt', here).pathname;
       say(ws.TransmitFile(client, file, 0, 0, sent, { Head: Buffer.from('<'), Tail: Buffer.from('>') }, 0), ...wait(client, sent));
       const bytes = new Uint8Array(30);
       say(ws.WSARecv(server, [bytes.subarray(0, 10)], 1, { value: 0 }, { value: 8 }), text(bytes, 10));
       const elements = [{ dwElFlags: 2, cLength: 4, hFile: file, nFileOffset: 4 }, { dwElFlags: 1, cLength: 2, pBuffer: Buffer.from('!?') }];
       say(ws.TransmitPackets(client, elements, 2, 0, null, 0));
       say(ws.WSARecv(server, [bytes.subarray(0, 6)], 1, { value: 0 }, { value: 8 }), text(bytes, 6));
       say(ws.DisconnectEx(client, null, 0, 0), ws.recv(server, bytes));`,
    );
    expect(said).toEqual([
      [0, 997],
      [0, 997],
      [1, 5, 1, 5, 'hello'],
      [true, 16],
      [0, 1, 10],
      [0, '<the file>'],
      [1],
      [0, 'file!?'],
      [1, 0],
    ]);
  });

  test('API-WSARecvFrom, API-WSARecvMsg, API-WSASendMsg, SEM-IO-03 messages with source and control data', async () => {
    const said = await run(
      'messages',
      `const [s, peer] = [bound(2), bound(2)];
       const on = new Uint8Array([1, 0, 0, 0]);
       ws.setsockopt(peer, 0, ws.IP_PKTINFO, on);
       const overlapped = record(ws.WSACreateEvent());
       const [from, fromLength, bytes] = [new Uint8Array(16), { value: 16 }, new Uint8Array(8)];
       const flags = { value: 0 };
       ws.WSARecvFrom(peer, [bytes], 1, null, flags, from, fromLength, overlapped);
       const message = { name: nameOf(peer), namelen: 16, lpBuffers: [Buffer.from('one'), Buffer.from('two')], dwBufferCount: 2, Control: null, dwFlags: 0 };
       const count = { value: 0 };
       say(ws.WSASendMsg(s, message, 0, count), count.value);
       say(ws.WSAGetOverlappedResult(peer, overlapped, count, true, { value: 0 }), count.value, text(bytes, 6));
       say(text(from) === text(nameOf(s)), fromLength.value);
       const into = { name: new Uint8Array(16), namelen: 16, lpBuffers: [new Uint8Array(4)], dwBufferCount: 1, Control: new Uint8Array(64), dwFlags: 0 };
       ws.WSARecvMsg(peer, into, null, overlapped);
       ws.WSASendMsg(s, message, 0, count);
       say(ws.WSAGetOverlappedResult(peer, overlapped, count, true, flags), ws.WSAGetLastError(), flags.value);
       say(text(into.lpBuffers[0]), into.dwFlags, into.ControlLength > 0, text(into.name) === text(nameOf(s)));
       ws.WSASendMsg(s, message, 0, count);
       into.dwFlags = 0;
       into.lpBuffers = [new Uint8Array(9)];
       into.ControlLength = 64;
       say(ws.WSARecvMsg(peer, into, count), count.value, text(into.lpBuffers[0], 6), into.ControlLength > 0);`,
    );
    expect(said).toEqual([
      [0, 6],
      [1, 6, 'onetwo'],
      [true, 16],
      [0, 10040, 256],
      ['onet', 256, true, true],
      [0, 6, 'onetwo', true],
    ]);
  });

  test('SEM-OV-12, SEM-VER-15 thousands of operations, closed, cancelled and forgotten: memory comes back', async () => {
    const said = await run(
      'many',
      `const s = bound(2);
       const port = ws.CreateIoCompletionPort(s, 0, 1, 0);
       let done = 0;
       for (let round = 0; round < 20; round++) {
         for (let i = 0; i < 100; i++) ws.WSARecv(s, [new Uint8Array(3000)], 1, null, { value: 0 }, record());
         ws.CancelIo(s);
         const entries = [];
         while (ws.GetQueuedCompletionStatusEx(port, entries, 256, { value: 0 }, 0, false) === 1) done += entries.length;
       }
       say(done);
       const before = process.memoryUsage().arrayBuffers;
       for (let round = 0; round < 20; round++) {
         for (let i = 0; i < 100; i++) ws.WSARecv(s, [new Uint8Array(3000)], 1, null, { value: 0 }, record());
         ws.CancelIo(s);
         const entries = [];
         while (ws.GetQueuedCompletionStatusEx(port, entries, 256, { value: 0 }, 0, false) === 1) done += entries.length;
       }
       say(done, process.memoryUsage().arrayBuffers - before < 40e6);
       const last = record(ws.WSACreateEvent());
       ws.WSARecv(s, [new Uint8Array(1)], 1, null, { value: 0 }, last);
       say(ws.WSACleanup(), ws.HasOverlappedIoCompleted(last));`,
    );
    expect(said).toEqual([[2000], [4000, true], [0, false]]);
  });
});
