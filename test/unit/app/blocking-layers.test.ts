/**
 * Layers below the blocking face: they are loaded in its chain thread, and an application that sleeps in its calls sees the same with
 * them as without. One that loops there is named, and ended with its thread.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { WSAENETDOWN } from '../../../src/abi/index.ts';
import { type BlockingPrograms, blockingPrograms } from '../../support/blocking-programs.ts';

let programs: BlockingPrograms;
beforeAll(() => {
  programs = blockingPrograms();
}, 60_000);
afterAll(() => programs.dispose());

const url = (room: string): string => pathToFileURL(join(programs.rooms, room, 'index.js')).href;

/** Every way of waiting and of being told; what it says does not depend on handles or times. */
const SESSION = `
  const record = (hEvent = 0) => ({ Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent });
  const nameOf = (s) => { const name = new Uint8Array(16); ws.getsockname(s, name, { value: 16 }); return name; };
  const shown = (bytes, length) => Buffer.from(bytes.slice(0, length)).toString();
  const now = { tv_sec: 0, tv_usec: 0 };
  const soon = { tv_sec: 10, tv_usec: 0 };
  const code = (answer) => (answer < 0 ? -ws.WSAGetLastError() : answer);

  function streams(say) {
    const listener = ws.socket(2, 1, 6);
    ws.bind(listener, at(0));
    ws.listen(listener, 5);
    const place = nameOf(listener);
    const client = ws.socket(2, 1, 6);
    say('connect', ws.connect(client, place));
    const asked = [];
    const server = ws.WSAAccept(listener, null, null, (_a, _b, _c, _d, callee, _f, _g, context) => {
      asked.push(callee.length, context, ws.WSAGetLastError());
      return ws.CF_ACCEPT;
    }, 42);
    say('accepted', server > 0, asked, code(ws.recv(listener, new Uint8Array(1))));
    const bytes = new Uint8Array(20);
    say(ws.WSASend(client, [Buffer.from('gath'), Buffer.from('ered')], 2, { value: 0 }), shown(bytes, ws.recv(server, bytes, 8, ws.MSG_WAITALL)));
    ws.send(server, Buffer.from('!'), 1, ws.MSG_OOB);
    const urgent = { fd_array: [client] };
    say('urgent', ws.select(0, null, null, urgent, soon), urgent.fd_array[0] === client, ws.recv(client, bytes, 1, ws.MSG_OOB), bytes[0]);
    const sets = [{ fd_array: [client, server] }, { fd_array: [server, client] }];
    say('select', ws.select(0, sets[0], sets[1], null, now), sets[0].fd_array.length, sets[1].fd_array.indexOf(client));

    const event = ws.WSACreateEvent();
    const first = record(event);
    const count = { value: -1 };
    say('begun', code(ws.WSARecv(client, [bytes], 1, null, { value: 0 }, first)), code(ws.WSAGetOverlappedResult(client, first, count, false, { value: 0 })));
    ws.send(server, Buffer.from('overlapped'));
    say('ended', ws.WSAWaitForMultipleEvents(1, [event], true, 10000, false), ws.WSAGetOverlappedResult(client, first, count, true, { value: 0 }), shown(bytes, count.value));
    const ran = [];
    ws.WSARecv(client, [bytes], 1, null, { value: 0 }, record(), (error, length, of, flags) => ran.push(error, shown(bytes, length), flags));
    ws.send(server, Buffer.from('routine'));
    say('routine', ws.SleepEx(10000, true), ran);
    const cancelled = record(event);
    ws.WSARecv(client, [bytes], 1, null, { value: 0 }, cancelled);
    say('cancelled', ws.CancelIoEx(client, cancelled), code(ws.WSAGetOverlappedResult(client, cancelled, count, true, { value: 0 }) - 1));
    const port = ws.CreateIoCompletionPort(client, 0, 7, 0);
    const queued = record();
    ws.WSARecv(client, [bytes], 1, null, { value: 0 }, queued);
    ws.send(server, Buffer.from('packet'));
    const [key, of] = [{ value: 0 }, { value: null }];
    say('port', ws.GetQueuedCompletionStatus(port, count, key, of, 10000), count.value, key.value, of.value === queued, shown(bytes, count.value));

    const happened = { lNetworkEvents: 0, iErrorCode: [] };
    ws.WSAResetEvent(event);
    say('events', ws.WSAEventSelect(server, event, ws.FD_READ | ws.FD_CLOSE), code(ws.recv(server, bytes)));
    ws.send(client, Buffer.from('told'));
    say(ws.WSAWaitForMultipleEvents(1, [event], true, 10000, false), ws.WSAEnumNetworkEvents(server, event, happened), happened.lNetworkEvents, shown(bytes, ws.recv(server, bytes)));
    say('shutdown', ws.shutdown(client, ws.SD_SEND), code(ws.send(client, bytes)));
    say(ws.WSAWaitForMultipleEvents(1, [event], true, 10000, false), ws.WSAEnumNetworkEvents(server, event, happened), happened.lNetworkEvents, ws.recv(server, bytes));
    say('closed', ws.closesocket(server), ws.recv(client, bytes), ws.closesocket(client), code(ws.recv(client, bytes)));

    const into = ws.socket(2, 1, 6);
    const out = ws.socket(2, 1, 6);
    ws.bind(out, at(0));
    const accepting = record(ws.WSACreateEvent());
    const connecting = record(ws.WSACreateEvent());
    const buffer = new Uint8Array(80);
    say('AcceptEx', code(ws.AcceptEx(listener, into, buffer, 5, 32, 32, null, accepting) - 1), code(ws.ConnectEx(out, place, 16, Buffer.from('early'), 5, null, connecting) - 1));
    say(ws.WSAWaitForMultipleEvents(2, [accepting.hEvent, connecting.hEvent], true, 10000, false), ws.WSAGetOverlappedResult(listener, accepting, count, true, { value: 0 }), shown(buffer, count.value));
    for (const each of [into, out, listener]) ws.closesocket(each);
  }

  function datagrams(say) {
    const s = ws.socket(2, 2, 17);
    ws.bind(s, at(0));
    const bytes = new Uint8Array(9);
    const from = new Uint8Array(16);
    say('sendto', ws.sendto(s, Buffer.from('self'), 4, 0, nameOf(s)), ws.recvfrom(s, bytes, 9, 0, from, { value: 16 }), shown(bytes, 4), Buffer.compare(from, nameOf(s)));
    ws.setsockopt(s, ws.SOL_SOCKET, ws.SO_RCVTIMEO, Uint8Array.of(20, 0, 0, 0));
    say('timed out', code(ws.recv(s, bytes)));
    const info = { value: null };
    say('duplicate', ws.WSADuplicateSocket(s, process.pid, info));
    const copy = ws.WSASocket(-1, -1, -1, info.value, 0, 1);
    ws.sendto(s, Buffer.from('both'), 4, 0, nameOf(s));
    say(copy > 0, ws.recv(copy, bytes), ws.closesocket(s), ws.closesocket(copy));
    say('mine', code(ws.socket(2, 1, 17)), code(ws.bind(0x4444, at(0))), code(ws.WSAGetQOSByName(copy, Buffer.from('x'), null) - 1));
  }

  /** The rules of 1.1: a hook that runs while the call of a layer waits, and cancels it. */
  function hooked(say) {
    ws.WSAStartup(ws.MAKEWORD(1, 1), data);
    const s = ws.socket(2, 2, 17);
    ws.bind(s, at(0));
    let runs = 0;
    ws.WSASetBlockingHook(() => {
      if (++runs === 3) ws.WSACancelBlockingCall();
      return false;
    });
    say('hook', code(ws.recv(s, new Uint8Array(1))), runs);
    ws.WSACleanup();
  }
`;

test('CAT-LOAD-02, CAT-LOAD-05, CAT-LOAD-08, CAT-LOAD-09, SPI-WPUQueryBlockingCallback the same program says the same with no layer, with one of either kind, and with chains of both', async () => {
  programs.write(
    'layer.mjs',
    `import { appendFileSync } from 'node:fs';
     import { isMainThread } from 'node:worker_threads';
     import { defineLayer, WSP_ENTRIES } from '${url('spi')}';
     export const layer = (name, handles) => defineLayer((next, { chain }) => {
       const calls = {};
       const seen = {};
       for (const entry of WSP_ENTRIES) {
         calls[entry] = (...args) => {
           seen[entry] = (seen[entry] ?? 0) + 1;
           return next[entry](...args);
         };
       }
       const { WSPCleanup } = calls;
       calls.WSPCleanup = () => {
         appendFileSync(new URL('./seen', import.meta.url), JSON.stringify({ name, isMainThread, length: chain.ChainLen, seen }) + '\\n');
         return WSPCleanup();
       };
       return calls;
     }, { handles, name });`,
  );
  const LAYERS = [
    ['first', 'system'],
    ['second', 'system'],
    ['third', 'own'],
    ['fourth', 'own'],
  ] as const;
  for (const [name, handles] of LAYERS) {
    programs.write(
      `${name}.mjs`,
      `import { layer } from './layer.mjs'; export const WSPStartup = layer('${name}', '${handles}');`,
    );
  }
  const said = await programs.run(
    'chains',
    `${SESSION}
     const { fileURLToPath } = await import('node:url');
     function session(layer) {
       const words = [];
       const note = (...more) => words.push(more);
       ws.WSAStartup(0x0202, data);
       streams(note);
       datagrams(note);
       ws.WSACleanup();
       hooked(note);
       say(layer, words);
     }
     session('none');
     for (const [i, [name, handles]] of ${JSON.stringify(LAYERS)}.entries()) {
       ws.WSAStartup(0x0202, data);
       const module = fileURLToPath(new URL('./' + name + '.mjs', here));
       const id = 'B0000000-0000-0000-0000-00000000000' + (i + 1);
       if (ws.WSCInstallProviderAndChains(id, module, name, handles === 'system' ? 0x20000 : 0) !== 0) say('not installed', ws.WSAGetLastError());
       ws.WSACleanup();
       session(name);
     }`,
  );
  const [plain, ...layered] = said;
  expect(plain?.[0]).toBe('none');
  const words = plain?.[1] as unknown[][];
  expect(words).toContainEqual(['routine', 192, [0, 'routine', 0]]);
  expect(words).toContainEqual(['port', 1, 6, 7, true, 'packet']);
  expect(words).toContainEqual(['hook', -10004, 3]);
  expect(layered.map(([name]) => name)).toEqual(LAYERS.map(([name]) => name));
  for (const [name, own] of layered) expect([name, own]).toEqual([name, words]);

  const seen = readFileSync(join(programs.folder, 'seen'), 'utf8').trim().split('\n');
  const records = seen.map(
    (line) => JSON.parse(line) as { name: string; isMainThread: boolean; length: number },
  );
  expect(records.every(({ isMainThread }) => !isMainThread)).toBe(true);
  // The lowest layer has stood in chains of every length.
  expect([...new Set(records.filter(({ name }) => name === 'first').map(({ length }) => length))]).toEqual([
    2, 3, 4, 5,
  ]);
}, 60_000);

/** A layer that does not come back, what listen answers, and what is said of it. */
const LOOPS = {
  'in a call': {
    calls: 'WSPListen() { for (;;); }',
    listen: -WSAENETDOWN,
    named: 'the layered provider looping does not come back from WSPListen',
  },
  'in promises of its own': {
    calls: `WSPListen(...args) {
      const again = () => void Promise.resolve().then(again);
      again();
      return next.WSPListen(...args);
    }`,
    listen: 0,
    named: 'code of a provider, outside of its calls, does not come back',
  },
};

test.each(Object.entries(LOOPS))(
  'SEM-C-02 a layer that loops %s is named and ended with its chain thread; every socket is WSAENETDOWN, and Winsock can be started anew',
  async (_where, { calls, listen, named }) => {
    programs.write(
      'looping.mjs',
      `import { defineLayer } from '${url('spi')}';
     export const WSPStartup = defineLayer((next) => ({ ${calls} }), { name: 'looping' });`,
    );
    const said = await programs.run(
      'loops',
      `
    process.env.WINSOCKD_LOOP_LIMIT = '300';
    const { fileURLToPath } = await import('node:url');
    const module = fileURLToPath(new URL('./looping.mjs', here));
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const attempt = (call) => (call() === -1 ? -ws.WSAGetLastError() : 0);
    ws.WSAStartup(0x0202, data);
    const id = 'B0000000-0000-0000-0000-000000000001';
    say('installed', attempt(() => ws.WSCInstallProviderAndChains(id, module, 'looping', 0x20000)));
    ws.WSACleanup();
    ws.WSAStartup(0x0202, data);
    const s = ws.socket(2, 1, 6);
    ws.bind(s, at(0));
    say('listen', attempt(() => ws.listen(s, 1)));
    // Between promises that loop a call may still be answered: the thread's own work goes on until the watchdog has looked.
    const work = setInterval(() => {}, 1000);
    const { code, message } = await warned;
    clearInterval(work);
    say('warned', code, message);
    say('socket', attempt(() => ws.getsockname(s, new Uint8Array(16), { value: 16 })) < 0);
    say('again', ws.WSAStartup(0x0202, data));
    say('closed', ws.WSACleanup());
    `,
    );
    const lines = new Map(said.map(([what, ...words]) => [what, words]));
    expect(lines.get('installed')).toEqual([0]);
    expect(lines.get('listen')).toEqual([listen]);
    const [code, message] = lines.get('warned') ?? [];
    expect(code).toBe('WINSOCKD_LAYER_LOOPS');
    expect(message).toContain(named);
    expect(lines.get('socket')).toEqual([true]);
    expect(lines.get('again')).toEqual([0]);
  },
  60_000,
);
