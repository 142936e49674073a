/** Sockets and the processes that hold them: shared between two, left behind by one that is killed, refused past a quota. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';
import { afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import {
  AF_INET,
  FD_READ,
  FROM_PROTOCOL_INFO,
  IPPROTO_TCP,
  SO_CONDITIONAL_ACCEPT,
  SO_RCVTIMEO,
  SOCK_STREAM,
  SOL_SOCKET,
  WSA_FLAG_OVERLAPPED,
  WSA_IO_PENDING,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEINVAL,
  WSAEMFILE,
  WSAENETDOWN,
  WSAENOBUFS,
  type WSAPROTOCOL_INFO,
} from '../../src/abi/index.ts';
import { createLocalHost, type LocalHost } from '../../src/app/local.ts';
import { connectRemote, createIpcServer, type IpcServer, type RemotePort } from '../../src/ipc/index.ts';
import { peerCredentials } from '../../src/native/index.ts';
import type { Answer, Ref } from '../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { compileWinsock, startChild, type WinsockChild } from '../support/winsock-process.ts';
import {
  bound,
  int,
  listening,
  localName,
  name,
  ok,
  ready,
  receiveText,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

// Each test starts processes.
jest.setTimeout(10_000);

const ALL = FROM_PROTOCOL_INFO;
const LOCAL = '127.0.0.1';

let rooms: string;
let folder: string;
let path: string;
let host: LocalHost;
let server: IpcServer;
let port: RemotePort;
let ws: Winsock;
const children: WinsockChild[] = [];

async function serve(limits = {}): Promise<IpcServer> {
  return createIpcServer({
    path,
    identify: peerCredentials,
    openSession: (identity) => host.openSession(identity),
    limits,
  });
}

async function attach(): Promise<{ port: RemotePort; ws: Winsock }> {
  const own = await connectRemote(path);
  const calls = createWinsock({ port: own });
  await ok(calls.WSAStartup(MAKEWORD(2, 2), wsadata()));
  return { port: own, ws: calls };
}

function child(): WinsockChild {
  const started = startChild(rooms, path);
  children.push(started);
  return started;
}

beforeAll(() => {
  rooms = compileWinsock();
});

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'wsk-processes-'));
  path = join(folder, 'daemon');
  host = createLocalHost();
  server = await serve();
  ({ port, ws } = await attach());
});

afterEach(async () => {
  for (const each of children.splice(0)) await each.kill();
  port.close();
  await server.close();
  host.close();
  rmSync(folder, { recursive: true });
});

/** A connection within the host: this process has both ends. */
async function connection(): Promise<{ client: number; peer: number }> {
  const { s, port: number } = await listening(ws);
  const client = await tcp(ws);
  const accepting = ws.accept(s);
  await ok(ws.connect(client, name(LOCAL, number)));
  return { client, peer: await ok(accepting) };
}

/** The entry with which a child opens a socket. */
async function infoFor(s: number, pid: number): Promise<WSAPROTOCOL_INFO | null> {
  const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
  await ok(ws.WSADuplicateSocket(s, pid, info));
  return info.value;
}

const OPEN = 'return (kept.s = await ws.WSASocket(-1, -1, -1, given, 0, 1));';
const SEND = 'return ws.send(kept.s, new TextEncoder().encode(given));';
const RECEIVE = `const bytes = new Uint8Array(100); const n = await ws.recv(kept.s, bytes);
  return n < 0 ? n : new TextDecoder().decode(bytes.subarray(0, n));`;

describe('WSADuplicateSocket for another process', () => {
  test('SEM-DUP-01, SEM-DUP-02, SEM-SOCK-08 both processes have the one connection; SEM-DUP-03 until the last has closed it', async () => {
    const { client, peer } = await connection();
    const other = child();
    expect(await other.run(OPEN, await infoFor(client, other.pid))).toBeGreaterThan(0);
    await ok(ws.send(client, text('parent ')));
    expect(await other.run(SEND, 'child')).toBe(5);
    expect(await receiveText(ws, peer, 7)).toBe('parent ');
    expect(await receiveText(ws, peer)).toBe('child');
    // No shutdown while the other process has it.
    await ok(ws.closesocket(client));
    await ok(ws.send(peer, text('still there')));
    expect(await other.run(RECEIVE)).toBe('still there');
    expect(await other.run('return ws.closesocket(kept.s)')).toBe(0);
    expect(await ws.recv(peer, new Uint8Array(1))).toBe(0);
  });

  test('SEM-DUP-01 the entry opens it once, in the process that it is for', async () => {
    const { client } = await connection();
    const [one, two] = [child(), child()];
    const info = await infoFor(client, one.pid);
    expect(await two.run(OPEN, info)).toBe(-WSAEINVAL);
    expect(await ws.WSASocket(ALL, ALL, ALL, info)).toBe(-WSAEINVAL);
    expect(await one.run(OPEN, info)).toBeGreaterThan(0);
    expect(await one.run('return ws.WSASocket(-1, -1, -1, given)', info)).toBe(-WSAEINVAL);
  });

  test('SEM-DUP-02 options and the blocking mode are the socket’s; a listener is accepted from by both', async () => {
    const { s, port: number } = await listening(ws);
    const other = child();
    await other.run(OPEN, await infoFor(s, other.pid));
    await ok(ws.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, int(1234)));
    const timeout = `const v = new Uint8Array(4); await ws.getsockopt(kept.s, abi.SOL_SOCKET, abi.SO_RCVTIMEO, v);
      return v[0] | (v[1] << 8);`;
    expect(await other.run(timeout)).toBe(1234);
    await ok(ws.connect(await tcp(ws), name(LOCAL, number)));
    expect(await other.run('return (kept.c = await ws.accept(kept.s))')).toBeGreaterThan(0);
    await ok(ws.connect(await tcp(ws), name(LOCAL, number)));
    expect(await ws.accept(s)).toBeGreaterThan(0);
    expect(await other.run('return ws.ioctlsocket(kept.s, abi.FIONBIO, { value: 1 })')).toBe(0);
    expect(await ws.accept(s)).toBe(-10035);
  });

  test('SEM-DUP-04 there is one event registration: the last one wins', async () => {
    const { client, peer } = await connection();
    const other = child();
    await other.run(OPEN, await infoFor(client, other.pid));
    const event = await ok(ws.WSACreateEvent());
    await ok(ws.WSAEventSelect(client, event, FD_READ));
    await other.run(
      'kept.e = await ws.WSACreateEvent(); return ws.WSAEventSelect(kept.s, kept.e, abi.FD_READ)',
    );
    await ok(ws.send(peer, text('x')));
    expect(await other.run('return ws.WSAWaitForMultipleEvents(1, [kept.e], true, 5000)')).toBe(0);
    expect(await ws.WSAWaitForMultipleEvents(1, [event], true, 0)).toBe(258);
  });

  test('SEM-DUP-05 the new descriptor’s overlapped attribute is its own', async () => {
    const { client, peer } = await connection();
    const other = child();
    const begin = (flags: number): string => `kept.s = await ws.WSASocket(-1, -1, -1, given, 0, ${flags});
      const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: await ws.WSACreateEvent() };
      kept.answer = ws.WSARecv(kept.s, [new Uint8Array(1)], 1, { value: 0 }, { value: 0 }, record, null);`;
    // With it the call answers before anything has come; without it, it waits.
    const overlapped = `${begin(WSA_FLAG_OVERLAPPED)} return kept.answer;`;
    expect(await other.run(overlapped, await infoFor(client, other.pid))).toBe(-WSA_IO_PENDING);
    await ok(ws.send(peer, text('1')));
    await other.run(`${begin(0)} return 0;`, await infoFor(client, other.pid));
    await ok(ws.send(peer, text('2')));
    expect(await other.run('return kept.answer')).toBe(0);
  });

  test('SEM-DUP-06 a bind after the duplicate was made is not seen by it: recvfrom is WSAEINVAL', async () => {
    const s = await udp(ws);
    const other = child();
    await other.run(OPEN, await infoFor(s, other.pid));
    await ok(ws.bind(s, name(LOCAL, 0)));
    const receive = 'return ws.recvfrom(kept.s, new Uint8Array(9))';
    expect(await other.run(receive)).toBe(-WSAEINVAL);
    const later = child();
    await later.run(OPEN, await infoFor(s, later.pid));
    const { port: number } = await localName(ws, s);
    await ok(ws.sendto(await udp(ws), text('seen'), 4, 0, name(LOCAL, number)));
    expect(await later.run(receive)).toBe(4);
  });

  test('SEM-DUP-07 there is no order between those who have it: who asks first gets what comes', async () => {
    const { client, peer } = await connection();
    const other = child();
    await other.run(OPEN, await infoFor(client, other.pid));
    const [mine, theirs] = [receiveText(ws, client, 1), other.run<string>(RECEIVE)];
    await ok(ws.send(peer, text('a')));
    expect(await mine).toBe('a');
    await ok(ws.send(peer, text('b')));
    expect(await theirs).toBe('b');
  });

  test('API-WSADuplicateSocket a process that does not exist is WSAEINVAL', async () => {
    const gone = child();
    await gone.run('return 0');
    await gone.kill();
    const { s } = await bound(ws, udp);
    const info: Ref<WSAPROTOCOL_INFO | null> = { value: null };
    for (const pid of [gone.pid, 0, -1, 0x7fff_ffff])
      expect(await ws.WSADuplicateSocket(s, pid, info)).toBe(-WSAEINVAL);
    expect(info.value).toBeNull();
  });
});

/** Calls that wait: each leaves something to wait for in `kept.s`, or brings its own. */
const WAITING: readonly (readonly [string, string])[] = [
  ['accept', 'kept.s = await listener(); ws.accept(kept.s);'],
  ['WSAAccept', 'kept.s = await listener(); ws.WSAAccept(kept.s, null, null, () => 0);'],
  ['connect', 'kept.s = await ws.socket(2, 1, 6); ws.connect(kept.s, name("127.0.0.1", given));'],
  ['recv', 'kept.s = await joined(); ws.recv(kept.s, new Uint8Array(1));'],
  ['recvfrom', 'kept.s = await datagram(); ws.recvfrom(kept.s, new Uint8Array(1));'],
  [
    'WSARecv',
    'kept.s = await joined(); ws.WSARecv(kept.s, [new Uint8Array(1)], 1, { value: 0 }, { value: 0 });',
  ],
  ['send', 'kept.s = await joined(); for (let i = 0; i < 64; i++) ws.send(kept.s, new Uint8Array(1 << 20));'],
  ['select', 'kept.s = await joined(); ws.select(0, { fd_array: [kept.s] });'],
  ['WSAPoll', 'kept.s = await joined(); ws.WSAPoll([{ fd: kept.s, events: 0x100, revents: 0 }], 1, -1);'],
  [
    'WSAWaitForMultipleEvents',
    `kept.s = await joined(); const e = await ws.WSACreateEvent(); await ws.WSAEventSelect(kept.s, e, abi.FD_READ);
     ws.WSAWaitForMultipleEvents(1, [e], true, 0xffffffff);`,
  ],
  [
    'closesocket',
    `kept.s = await joined(); await ws.setsockopt(kept.s, abi.SOL_SOCKET, abi.SO_LINGER, Uint8Array.of(1, 0, 100, 0));
     for (let i = 0; i < 8; i++) ws.send(kept.s, new Uint8Array(1 << 20)); ws.closesocket(kept.s);`,
  ],
];

const HELPERS = `
  const listener = async () => { const s = await ws.socket(2, 1, 6); await ws.bind(s, name('127.0.0.1', 0)); await ws.listen(s, 1); return s; };
  const datagram = async () => { const s = await ws.socket(2, 2, 17); await ws.bind(s, name('127.0.0.1', 0)); return s; };
  const joined = async () => { const s = await ws.socket(2, 1, 6); await ws.connect(s, name('127.0.0.1', given)); return s; };
`;

/** Those whose socket is no connection to our listener. */
const ALONE = ['accept', 'WSAAccept', 'connect', 'recvfrom'];

describe('a process that is killed', () => {
  test.each(WAITING)(
    'SEM-DUP-03 in %s leaves nothing behind, and its peer learns of it',
    async (call, body) => {
      const { s, port: number } = await bound(ws, tcp, LOCAL);
      // A connect waits when its SYN is held.
      if (call === 'connect') await ok(ws.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, int(1)));
      await ok(ws.listen(s, 5));
      const other = child();
      await other.run(`${HELPERS}${body}return 0;`, number);
      expect(host.afd.describe().flatMap(({ pids }) => pids)).toContain(
        call === 'closesocket' ? pid : other.pid,
      );
      const peer = ALONE.includes(call) ? 0 : await ok(ws.accept(s));
      await other.kill();
      await gone(other.pid);
      expect(host.afd.describe().flatMap(({ pids }) => pids)).not.toContain(other.pid);
      if (peer !== 0) expect([0, -WSAECONNRESET, -WSAECONNABORTED]).toContain(await drained(peer));
      // Everybody else goes on.
      const { client, peer: end } = await connection();
      await ok(ws.send(client, text('on')));
      expect(await receiveText(ws, end)).toBe('on');
    },
  );
});

describe('a process that is killed while it decides', () => {
  test('SEM-COND-02, SEM-DUP-03 its caller waits for the other processes that have the listener', async () => {
    const { s, port: number } = await listening(ws);
    const other = child();
    await other.run(OPEN, await infoFor(s, other.pid));
    await other.run(`kept.asked = new Promise((asked) => {
      ws.WSAAccept(kept.s, null, null, () => { asked(); return new Promise(() => {}); });
    }); return 0;`);
    const client = await tcp(ws);
    await ok(ws.connect(client, name(LOCAL, number)));
    expect(await other.run('await kept.asked; return 1')).toBe(1);
    // Meanwhile it is nobody else's.
    expect(await ws.select(0, { fd_array: [s] }, null, null, { tv_sec: 0, tv_usec: 0 })).toBe(0);
    const accepting = ws.accept(s);
    await other.kill();
    const peer = await ok(accepting);
    await ok(ws.send(client, text('mine')));
    expect(await receiveText(ws, peer)).toBe('mine');
  });
});

/** The daemon has noticed the end of a process: its session is gone. */
async function gone(pid: number): Promise<void> {
  while (host.afd.sessions.some(({ identity }) => identity.pid === pid)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Reads a connection to its end. @returns how it ended: 0, or minus a code */
async function drained(s: number): Promise<number> {
  const bytes = new Uint8Array(1 << 20);
  for (;;) {
    const count = await ws.recv(s, bytes);
    if (count <= 0) return count;
  }
}

describe('a daemon that comes back', () => {
  test('SEM-C-02 old sockets stay WSAENETDOWN; who attaches anew goes on', async () => {
    const { client } = await connection();
    const receiving = ws.recv(client, new Uint8Array(1));
    await server.close();
    expect(await receiving).toBe(-WSAENETDOWN);
    server = await serve();
    expect(await ws.send(client, text('x'))).toBe(-WSAENETDOWN);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAENETDOWN);
    port.close();
    ({ port, ws } = await attach());
    const { client: fresh, peer } = await connection();
    await ok(ws.send(fresh, text('back')));
    expect(await receiveText(ws, peer)).toBe('back');
  });
});

describe('quotas', () => {
  async function within(limits: object): Promise<void> {
    port.close();
    await server.close();
    server = await serve(limits);
    ({ port, ws } = await attach());
  }

  test('API-socket, API-accept past its sockets a process gets WSAEMFILE, and goes on when one is closed', async () => {
    await within({ maxSockets: 3 });
    const { s, port: number } = await listening(ws);
    const client = await tcp(ws);
    const third = await tcp(ws);
    expect(await ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)).toBe(-WSAEMFILE);
    await ok(ws.connect(client, name(LOCAL, number)));
    await ready(ws, s);
    expect(await ws.accept(s)).toBe(-WSAEMFILE);
    await ok(ws.closesocket(third));
    const peer = await ok(ws.accept(s));
    await ok(ws.send(client, text('in time')));
    expect(await receiveText(ws, peer)).toBe('in time');
  });

  /** Every call that makes a socket, on a listener that has a connection waiting. */
  const MAKING: readonly (readonly [string, (listener: number) => Answer])[] = [
    ['API-socket', () => ws.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP)],
    ['API-WSASocket', () => ws.WSASocket(AF_INET, SOCK_STREAM, IPPROTO_TCP, null, 0, 1)],
    ['API-accept', (s) => ws.accept(s)],
    ['API-WSAAccept', (s) => ws.WSAAccept(s, null, null, null)],
  ];

  test.each(MAKING)(
    '%s at the bound of sockets it is WSAEMFILE, and works when one is closed',
    async (_id, make) => {
      await within({ maxSockets: 3 });
      const { s, port: number } = await listening(ws);
      const client = await tcp(ws);
      await ok(ws.connect(client, name(LOCAL, number)));
      await ready(ws, s);
      const third = await tcp(ws);
      expect(await make(s)).toBe(-WSAEMFILE);
      expect(await make(s)).toBe(-WSAEMFILE);
      await ok(ws.closesocket(third));
      await ok(make(s));
      expect(await make(s)).toBe(-WSAEMFILE);
    },
  );

  test('SEM-C-07 past its requests that wait, and past its bytes, WSAENOBUFS', async () => {
    await within({ maxPending: 2, maxQueuedBytes: 1 << 20, maxTransfer: 1 << 20 });
    const { s } = await bound(ws, udp, LOCAL);
    const idle = await udp(ws);
    expect(await ws.recv(s, new Uint8Array((1 << 20) + 1), (1 << 20) + 1, 0x8)).toBeLessThan(0);
    const waiting = [ws.recv(s, new Uint8Array(1)), ws.recv(s, new Uint8Array(1))];
    expect(await ws.recv(s, new Uint8Array(1))).toBe(-WSAENOBUFS);
    expect(await ws.send(s, text('x'))).toBe(-WSAENOBUFS);
    // What gives something back is taken all the same.
    expect(await ws.closesocket(idle)).toBe(0);
    port.close();
    for (const answer of await Promise.all(waiting)) expect(answer).toBeLessThan(0);
  });
});
