import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { createLocalHost } from '../../../src/app/local.ts';
import { createIpcServer } from '../../../src/ipc/index.ts';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

jest.setTimeout(60_000);

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms();
});
afterAll(() => programs.dispose());

/** A host of this process behind a Unix socket, which a program uses as its daemon. */
async function daemon(name: string) {
  const host = createLocalHost();
  const path = join(programs.folder, name);
  const server = await createIpcServer({
    path,
    identify: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    openSession: (identity) => host.openSession(identity),
  });
  return {
    attachment: `{ socketPath: ${JSON.stringify(path)} }`,
    /** Dies once that many requests wait in it. */
    async dieWith(waiting: number): Promise<void> {
      const count = (): number =>
        host.afd.sessions.reduce((sum, { pendingRequests }) => sum + pendingRequests, 0);
      while (count() < waiting) await new Promise((resolve) => setTimeout(resolve, 5));
      await server.close();
      host.close();
    },
  };
}

describe('threads that sleep at the same time', () => {
  test('SEM-BLK-07, SEM-ERR-01 each thread’s receive ends by its own SO_RCVTIMEO, with its own last error', async () => {
    const said = await programs.run(
      'timeouts',
      `if (isMainThread) {
         ws.WSAStartup(ws.MAKEWORD(2, 2), data);
         const ended = [];
         for (const ms of [120, 40, 80, 200]) {
           const worker = new Worker(here, { workerData: ms });
           worker.on('message', (words) => { ended.push(words); if (ended.length === 4) say(...ended.sort((a, b) => a[0] - b[0])); });
         }
       } else {
         const s = ws.socket(2, 2, 17);
         ws.bind(s, at(6000 + workerData));
         ws.setsockopt(s, ws.SOL_SOCKET, ws.SO_RCVTIMEO, Uint8Array.of(workerData, 0, 0, 0));
         const answers = [ws.recv(s, new Uint8Array(1)), ws.WSAGetLastError()];
         const before = ws.WSAGetLastError();
         answers.push(ws.recvfrom(s, new Uint8Array(1)), ws.WSAGetLastError());
         ws.setsockopt(s, ws.SOL_SOCKET, ws.SO_RCVTIMEO, Uint8Array.of(0, 0, 0, 0));
         answers.push(ws.WSAGetLastError(), before);
         parentPort.postMessage([workerData, ...answers]);
       }`,
    );
    expect(said).toEqual([[40, 80, 120, 200].map((ms) => [ms, -1, 10060, -1, 10060, 0, 10060])]);
  });

  test('SEM-BLK-01, SEM-BLK-07 eight threads in blocking calls against one that selects among them', async () => {
    const said = await programs.run(
      'eight',
      `const THREADS = 8, ROUNDS = 25;
       if (isMainThread) {
         ws.WSAStartup(ws.MAKEWORD(2, 2), data);
         const listener = ws.socket(2, 1, 6);
         ws.bind(listener, at(5000));
         ws.listen(listener, THREADS);
         for (let i = 0; i < THREADS; i++) new Worker(here, { workerData: i });
         const open = new Set([listener]);
         let echoed = 0, ended = 0;
         const bytes = new Uint8Array(9);
         while (ended < THREADS) {
           const reads = { fd_array: [...open] };
           ws.select(0, reads, null, null, null);
           for (const s of reads.fd_array) {
             if (s === listener) { open.add(ws.accept(listener)); continue; }
             const count = ws.recv(s, bytes);
             if (count > 0) { echoed++; ws.send(s, bytes, count); }
             else { ended++; open.delete(s); ws.closesocket(s); }
           }
         }
         say(echoed, open.size);
       } else {
         const s = ws.socket(2, 1, 6);
         ws.connect(s, at(5000));
         ws.setsockopt(s, ws.SOL_SOCKET, ws.SO_RCVTIMEO, Uint8Array.of(0, 100, 0, 0));
         const bytes = new Uint8Array(1);
         for (let i = 0; i < ROUNDS; i++) {
           ws.send(s, Uint8Array.of(workerData));
           if (ws.recv(s, bytes) !== 1 || bytes[0] !== workerData) throw new Error('no echo');
         }
         ws.closesocket(s);
       }`,
    );
    expect(said).toEqual([[200, 1]]);
  });

  test('SEM-BLK-08 closesocket wakes the threads that sleep on the socket, and select with it', async () => {
    const said = await programs.run(
      'closed',
      `if (isMainThread) {
         ws.WSAStartup(ws.MAKEWORD(2, 2), data);
         const s = ws.socket(2, 2, 17);
         ws.bind(s, at(6000));
         const ended = [];
         let begun = 0;
         for (const call of ['recv', 'select', 'WSAPoll']) {
           new Worker(here, { workerData: { s, call } }).on('message', (words) => {
             if (words === 'begins') { if (++begun === 3) setTimeout(() => ws.closesocket(s), 500); return; }
             ended.push(words);
             if (ended.length === 3) say(...ended.sort());
           });
         }
       } else {
         const { s, call } = workerData;
         parentPort.postMessage('begins');
         const reads = { fd_array: [s] }, fds = [{ fd: s, events: ws.POLLIN, revents: 0 }];
         const answer = call === 'recv' ? ws.recv(s, new Uint8Array(1)) : call === 'select' ? ws.select(0, reads) : ws.WSAPoll(fds, 1, -1);
         parentPort.postMessage([call, answer, ws.WSAGetLastError(), reads.fd_array.length, fds[0].revents]);
       }`,
    );
    expect(said).toEqual([
      [
        ['WSAPoll', 1, 0, 1, 4],
        ['recv', -1, 10004, 1, 0],
        ['select', 1, 0, 1, 0],
      ],
    ]);
  });

  test('a thread that is terminated in its sleep hurts nobody', async () => {
    const said = await programs.run(
      'terminated',
      `if (isMainThread) {
         ws.WSAStartup(ws.MAKEWORD(2, 2), data);
         const s = ws.socket(2, 2, 17);
         ws.bind(s, at(6000));
         const worker = new Worker(here, { workerData: s });
         worker.once('message', () => setTimeout(async () => {
           await worker.terminate();
           say(ws.closesocket(s), ws.WSAGetLastError());
           const again = ws.socket(2, 2, 17);
           say(ws.bind(again, at(6000)), ws.WSAGetLastError());
         }, 500));
       } else {
         parentPort.postMessage('begins');
         ws.recv(workerData, new Uint8Array(1));
       }`,
    );
    expect(said).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('the chain thread dies', () => {
  test('SEM-C-02 while a thread sleeps in each kind of wait: all end with WSAENETDOWN, and a new start is possible', async () => {
    programs.write(
      'mortal.mjs',
      `import { existsSync, rmSync } from 'node:fs';
       import { sockets as lasting } from './sockets.mjs';
       const order = new URL('./die', import.meta.url);
       // Killed without a word, when the program says so.
       export function sockets() {
         setInterval(() => { if (existsSync(order)) { rmSync(order); process.reallyExit(1); } }, 20);
         return lasting();
       }`,
    );
    const said = await programs.run(
      'chain-dies',
      `import { writeFileSync } from 'node:fs';
       const CALLS = {
         accept: (s) => ws.accept(s.listener),
         recv: (s) => ws.recv(s.udp, new Uint8Array(1)),
         select: (s) => ws.select(0, { fd_array: [s.udp] }),
         WSAPoll: (s) => ws.WSAPoll([{ fd: s.udp, events: ws.POLLIN, revents: 0 }], 1, -1),
         WSAWaitForMultipleEvents: (s) => ws.WSAWaitForMultipleEvents(1, [s.event], false, ws.WSA_INFINITE, true),
         GetMessage: () => ws.GetMessage({}),
       };
       const names = Object.keys(CALLS);
       if (isMainThread) {
         ws.WSAStartup(ws.MAKEWORD(2, 2), data);
         const listener = ws.socket(2, 1, 6), udp = ws.socket(2, 2, 17);
         ws.bind(listener, at(5000));
         ws.listen(listener, 5);
         ws.bind(udp, at(5000));
         const sockets = { listener, udp, event: ws.WSACreateEvent() };
         const ended = [];
         let begun = 0;
         for (const call of names) {
           new Worker(here, { workerData: { call, sockets } }).on('message', (words) => {
             if (words === 'begins') {
               if (++begun === names.length) setTimeout(() => writeFileSync(new URL('./die', here), ''), 500);
               return;
             }
             ended.push(words);
             if (ended.length < names.length) return;
             say(...ended.sort());
             say(ws.socket(2, 2, 17), ws.WSAGetLastError());
             say(ws.WSAStartup(ws.MAKEWORD(2, 2), data), ws.socket(2, 2, 17) > 0);
           });
         }
       } else {
         parentPort.postMessage('begins');
         const answer = CALLS[workerData.call](workerData.sockets);
         parentPort.postMessage([workerData.call, answer, ws.WSAGetLastError()]);
       }`,
      `{ module: new URL('./mortal.mjs', here) }`,
    );
    const calls = ['GetMessage', 'WSAPoll', 'WSAWaitForMultipleEvents', 'accept', 'recv', 'select'];
    expect(said).toEqual([
      calls.map((call) => [call, call === 'WSAWaitForMultipleEvents' ? 0xffffffff : -1, 10050]),
      [-1, 10093],
      [0, true],
    ]);
  });
});

describe('the daemon dies', () => {
  test('SEM-C-02 while a thread sleeps in each of the calls that wait: all end with WSAENETDOWN', async () => {
    const { attachment, dieWith } = await daemon('dies');
    const running = programs.run(
      'dies',
      `const CALLS = {
         accept: (s) => ws.accept(s.listener),
         WSAAccept: (s) => ws.WSAAccept(s.listener, null, null, () => ws.CF_ACCEPT),
         recv: (s) => ws.recv(s.udp, new Uint8Array(1)),
         recvfrom: (s) => ws.recvfrom(s.udp, new Uint8Array(1)),
         WSARecv: (s) => ws.WSARecv(s.udp, [new Uint8Array(1)], 1, { value: 0 }, { value: 0 }),
         send: (s) => ws.send(s.stream, new Uint8Array(16 << 20)),
         select: (s) => ws.select(0, { fd_array: [s.udp, s.listener] }),
         WSAPoll: (s) => ws.WSAPoll([{ fd: s.udp, events: ws.POLLIN, revents: 0 }], 1, -1),
       };
       const names = Object.keys(CALLS);
       if (isMainThread) {
         ws.WSAStartup(ws.MAKEWORD(2, 2), data);
         const listener = ws.socket(2, 1, 6), udp = ws.socket(2, 2, 17), stream = ws.socket(2, 1, 6);
         ws.bind(listener, at(5000));
         ws.listen(listener, 5);
         ws.bind(udp, at(5000));
         ws.connect(stream, at(5000));
         ws.accept(listener);
         const ended = [];
         for (const call of names) {
           new Worker(here, { workerData: { call, sockets: { listener, udp, stream } } }).on('message', (words) => {
             ended.push(words);
             if (ended.length < names.length) return;
             say(...ended.sort());
             say(ws.recv(udp, new Uint8Array(1)), ws.WSAGetLastError());
             say(ws.socket(2, 2, 17), ws.WSAGetLastError());
             say(ws.closesocket(udp), ws.WSAGetLastError());
           });
         }
       } else {
         const answer = CALLS[workerData.call](workerData.sockets);
         parentPort.postMessage([workerData.call, answer, ws.WSAGetLastError()]);
       }`,
      attachment,
    );
    await dieWith(8);
    const calls = ['WSAAccept', 'WSAPoll', 'WSARecv', 'accept', 'recv', 'recvfrom', 'select', 'send'];
    expect(await running).toEqual([
      calls.map((call) => [call, -1, 10050]),
      [-1, 10050],
      [-1, 10050],
      [-1, 10050],
    ]);
  });
});
