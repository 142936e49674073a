/**
 * What happens to blocking calls that wait when one side dies: a client that is killed leaves nothing in the daemon, and when the daemon
 * is killed every call says so. Each call waits in a thread of its own, with sockets of its own.
 */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ERROR_UNEXP_NET_ERR, WSAENETDOWN, WSAHOST_NOT_FOUND, WSATRY_AGAIN } from '../../../src/abi/index.ts';
import { createSocket } from '../../../src/app/dgram.ts';
import { createLocalHost } from '../../../src/app/local.ts';
import { attachTo, connect, createServer, type Server } from '../../../src/app/net.ts';
import { IpAddress } from '../../../src/base/index.ts';
import { RealTime } from '../../../src/engine/index.ts';
import { createIpcServer } from '../../../src/ipc/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';
import {
  type BlockingPrograms,
  blockingPrograms,
  type RunningProgram,
} from '../../support/blocking-programs.ts';

jest.setTimeout(60_000);

/** A call that waits: the source that makes it, and the error with which it ends when the daemon is gone. */
interface WaitingCall {
  readonly name: string;
  readonly source: string;
  readonly gone: number;
}

const waits = (name: string, source: string, gone = WSAENETDOWN): WaitingCall => ({ name, source, gone });

const CALLS: readonly WaitingCall[] = [
  waits('accept', 'ws.accept(listening())'),
  waits('WSAAccept', 'ws.WSAAccept(listening(), null, null, () => 0, 0)'),
  waits('connect', 'ws.connect(ws.socket(2, 1, 6), NOBODY)'),
  waits('WSAConnect', 'ws.WSAConnect(ws.socket(2, 1, 6), NOBODY, 16, null, null, null, null)'),
  waits(
    'WSAConnectByList',
    'ws.WSAConnectByList(ws.socket(2, 1, 6), [NOBODY], null, null, null, null, null, null)',
  ),
  waits('recv', 'ws.recv(connected()[0], bytes, 4, 0)'),
  waits('recv for all', 'ws.recv(connected()[0], bytes, 4, ws.MSG_WAITALL)'),
  waits('recvfrom', 'ws.recvfrom(bound(2), bytes, 4, 0)'),
  waits('WSARecv', 'ws.WSARecv(connected()[0], [bytes], 1, { value: 0 }, { value: 0 })'),
  waits('WSARecvFrom', 'ws.WSARecvFrom(bound(2), [bytes], 1, { value: 0 }, { value: 0 })'),
  waits(
    'WSARecvMsg',
    'ws.WSARecvMsg(messages(), { name: null, namelen: 0, lpBuffers: [bytes], dwBufferCount: 1, Control: null, dwFlags: 0 }, { value: 0 })',
  ),
  waits('WSARecvEx', 'ws.WSARecvEx(connected()[0], bytes, 4, { value: 0 })'),
  waits('send', 'ws.send(full(), bulk, bulk.length, 0)'),
  waits('sendto', 'ws.sendto(full(), bulk, bulk.length, 0, null, 0)'),
  waits('WSASend', 'ws.WSASend(full(), [bulk], 1, { value: 0 }, 0)'),
  waits('TransmitFile', 'ws.TransmitFile(full(), big, 0, 0, null, null, 0)'),
  waits('select', 'ws.select(0, { fd_array: [bound(2)] }, null, null, null)'),
  waits('WSAPoll', 'ws.WSAPoll([{ fd: bound(2), events: ws.POLLIN, revents: 0 }], 1, -1)'),
  waits('closesocket', 'ws.closesocket(lingering())'),
  waits(
    'WSAGetOverlappedResult',
    'ws.WSAGetOverlappedResult(...receiving(bound(2)), { value: 0 }, true, { value: 0 })',
  ),
  waits(
    'GetQueuedCompletionStatus',
    'ws.GetQueuedCompletionStatus(queued(), { value: 0 }, { value: 0 }, { value: null }, ws.INFINITE)',
    // In Win32's codes.
    ERROR_UNEXP_NET_ERR,
  ),
  waits('gethostbyname', "ws.gethostbyname('never.test')", WSATRY_AGAIN),
  waits('getaddrinfo', "ws.getaddrinfo('never.test', null, null, { value: null })", WSATRY_AGAIN),
  waits(
    'GetAddrInfoEx',
    "ws.GetAddrInfoEx('never.test', null, 0, null, null, { value: null })",
    WSATRY_AGAIN,
  ),
  waits(
    'getnameinfo',
    "ws.getnameinfo(NOBODY, 16, { value: '' }, 64, null, 0, ws.NI_NAMEREQD)",
    WSAHOST_NOT_FOUND,
  ),
];

/** Threads that sleep in every call of the list, at 10.0.0.1, where nobody answers. */
const SLEEPERS = (calls: readonly WaitingCall[]): string => `
  import { writeSync } from 'node:fs';
  const bytes = new Uint8Array(4);
  const bulk = new Uint8Array(4 << 20);
  const NOBODY = Uint8Array.of(2, 0, 0, 80, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0);
  const big = new URL('./big.bin', here).pathname;
  function bound(type) { const s = ws.socket(2, type, 0); ws.bind(s, at(0)); return s; }
  function listening() { const s = bound(1); ws.listen(s, 5); return s; }
  function connected() {
    const listener = listening();
    const client = ws.socket(2, 1, 6);
    const name = new Uint8Array(16);
    ws.getsockname(listener, name);
    ws.connect(client, name);
    const server = ws.accept(listener);
    ws.closesocket(listener);
    return [client, server];
  }
  /** A connection whose buffers are full. */
  function full() {
    const [s] = connected();
    ws.ioctlsocket(s, ws.FIONBIO, { value: 1 });
    while (ws.send(s, bulk, 65536, 0) > 0);
    ws.ioctlsocket(s, ws.FIONBIO, { value: 0 });
    return s;
  }
  function lingering() {
    const s = full();
    ws.setsockopt(s, ws.SOL_SOCKET, ws.SO_LINGER, Uint8Array.of(1, 0, 60, 0), 4);
    return s;
  }
  function messages() { const s = bound(2); ws.setsockopt(s, 0, ws.IP_PKTINFO, Uint8Array.of(1, 0, 0, 0), 4); return s; }
  function receiving(s) {
    const record = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: ws.WSACreateEvent() };
    ws.WSARecv(s, [bytes], 1, null, { value: 0 }, record);
    return [s, record];
  }
  function queued() {
    const s = bound(2);
    const port = ws.CreateIoCompletionPort(s, 0, 1, 0);
    receiving(s);
    return port;
  }
  const calls = {
    ${calls.map(({ name, source }) => `${JSON.stringify(name)}: () => ${source},`).join('\n    ')}
  };
  if (!isMainThread) {
    calls[workerData]();
    parentPort.postMessage([workerData, ws.WSAGetLastError()]);
  } else {
    say(ws.WSAStartup(ws.MAKEWORD(2, 2), data));
    const ended = Object.keys(calls).map((name) => new Promise((resolve) => {
      new Worker(here, { workerData: name }).once('message', resolve);
    }));
    Promise.all(ended).then((all) => {
      say(Object.fromEntries(all));
      // The next daemon is another's business: it is there when its socket takes connections.
      say(ws.WSACleanup());
      let answer;
      do { answer = ws.WSAStartup(ws.MAKEWORD(2, 2), data); } while (answer === ws.WSASYSNOTREADY && (Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50), true));
      const s = bound(2);
      const name = new Uint8Array(16);
      ws.getsockname(s, name);
      say(answer, ws.sendto(s, Uint8Array.of(7), 1, 0, name), ws.recv(s, bytes, 4, 0), bytes[0]);
      process.exit(0);
    });
  }
`;

let programs: BlockingPrograms;
let folder: string;

beforeAll(() => {
  programs = blockingPrograms();
  programs.write('big.bin', 'x'.repeat(8 << 20));
  folder = mkdtempSync(join(tmpdir(), 'wsk-faults-'));
});
afterAll(() => {
  programs.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Waits for something of another process. */
async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (let i = 0; i < 1000; i++) {
    if (isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never: ${what}`);
}

test('SEM-BLK-01, SEM-C-02 a client killed in any call leaves no socket, no request and no byte', async () => {
  const wire = new MemorySegment({ scheduler: new RealTime() });
  const dns = [IpAddress.parse('10.0.0.2') ?? IpAddress.anyV4];
  const host = createLocalHost({
    links: [{ link: wire.port(), addresses: ['10.0.0.1/24'] }],
    names: { hostName: 'alpha', servers: dns },
  });
  const silent = createLocalHost({ links: [{ link: wire.port(), addresses: ['10.0.0.2/24'] }] });
  const server = await createIpcServer({
    path: join(folder, 'killed'),
    identify: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    openSession: (identity) => host.openSession(identity),
    openNames: () => host.openNames(),
  });
  const program = programs.start(
    'killed',
    SLEEPERS(CALLS),
    JSON.stringify({ socketPath: join(folder, 'killed') }),
  );
  // The calls about names wait with the resolver, not with the sockets.
  const pending = CALLS.length - 4;
  await eventually('all calls wait', () => (host.afd.sessions[0]?.pendingRequests ?? 0) >= pending);
  program.child.kill('SIGKILL');
  await eventually('the session has ended', () => host.afd.sessions.length === 0);
  // Connections end as those of a process that is gone: with resets.
  await eventually('no socket is left', () => host.afd.describe().length === 0);
  const port = host.openSession();
  expect(host.afd.sessions).toMatchObject([{ sockets: 0, pendingRequests: 0, bytes: 0 }]);
  port.close();
  await server.close();
  host.close();
  silent.close();
});

/** A daemon as a process of its own. */
const DAEMON = (path: string): string => `
  const { createIpcServer } = await load('../ipc/index');
  const { createLocalHost } = await load('local');
  const { MemorySegment } = await load('../link/index');
  const { RealTime } = await load('../engine/index');
  const { IpAddress } = await load('../base/index');
  const { writeFileSync, rmSync } = await import('node:fs');
  const wire = new MemorySegment({ scheduler: new RealTime() });
  const host = createLocalHost({
    links: [{ link: wire.port(), addresses: ['10.0.0.1/24'] }],
    names: { hostName: 'alpha', servers: [IpAddress.parse('10.0.0.2')] },
  });
  const silent = createLocalHost({ links: [{ link: wire.port(), addresses: ['10.0.0.2/24'] }] });
  rmSync(${JSON.stringify(path)}, { force: true });
  await createIpcServer({
    path: ${JSON.stringify(path)},
    identify: () => ({ pid: 1, uid: 0, gid: 0 }),
    openSession: (identity) => host.openSession(identity),
    openNames: () => host.openNames(),
  });
  process.stdout.write('ready');
  setInterval(() => {
    const pending = host.afd.sessions[0]?.pendingRequests ?? 0;
    if (pending >= ${CALLS.length - 4}) process.stdout.write('waiting');
  }, 20);
`;

/** Waits for a word of a program. */
function isSaid({ child }: RunningProgram, word: string): Promise<void> {
  return new Promise((resolve) => {
    child.stdout?.on('data', (text: string) => {
      if (text.includes(word)) resolve();
    });
  });
}

test('SEM-C-02 a daemon that is killed: every call that waits says WSAENETDOWN, and a fresh WSAStartup finds the next one', async () => {
  const path = join(folder, 'dying');
  const first = programs.start('first', DAEMON(path), null);
  await isSaid(first, 'ready');
  const client = programs.start('dying', SLEEPERS(CALLS), JSON.stringify({ socketPath: path }));
  await isSaid(first, 'waiting');
  first.child.kill('SIGKILL');
  programs.start('second', DAEMON(path), null);
  const [started, codes, cleaned, fresh] = await client.said;
  expect([started, cleaned]).toEqual([[0], [0]]);
  expect(codes).toEqual([Object.fromEntries(CALLS.map(({ name, gone }) => [name, gone]))]);
  expect(fresh).toEqual([0, 1, 1, 7]);
});

test('SEM-C-02 sockets in the shape of Node: ENETDOWN for those of a daemon that is killed, and new ones live in the next', async () => {
  const path = join(folder, 'node');
  const first = programs.start('firstOfNode', DAEMON(path), null);
  await isSaid(first, 'ready');
  attachTo({ socketPath: path });
  const failed = (of: NodeJS.EventEmitter): Promise<unknown> =>
    new Promise((resolve) => of.once('error', ({ code }) => resolve(code)));
  const closedOf = (of: NodeJS.EventEmitter): Promise<void> =>
    new Promise((resolve) => of.once('close', resolve));
  /** A server that echoes, and what comes back from it; they stay open. */
  const echo = async () => {
    const server: Server = createServer((each) => each.on('error', () => {}).pipe(each)).listen(
      7000,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const client = connect(7000, '127.0.0.1');
    client.write('over');
    const [bytes] = await once(client, 'data');
    return { server, client, text: String(bytes) };
  };
  const talk = async () => {
    const [socket, peer] = [createSocket('udp4'), createSocket('udp4')];
    socket.bind(7001, '127.0.0.1');
    await once(socket, 'listening');
    peer.send('and out', 7001, '127.0.0.1');
    const [bytes] = await once(socket, 'message');
    return { socket, peer, text: String(bytes) };
  };
  const [stream, datagrams] = await Promise.all([echo(), talk()]);
  expect([stream.text, datagrams.text]).toEqual(['over', 'and out']);
  const failures = [stream.server, stream.client, datagrams.socket, datagrams.peer].map(failed);
  const closed = [stream.server, stream.client].map(closedOf);
  first.child.kill('SIGKILL');
  expect(await Promise.all(failures)).toEqual(['ENETDOWN', 'ENETDOWN', 'ENETDOWN', 'ENETDOWN']);
  await Promise.all(closed);
  expect(await failed(connect(7000, '127.0.0.1'))).toBe('daemonNotThere');
  const second = programs.start('secondOfNode', DAEMON(path), null);
  await isSaid(second, 'ready');
  // All at once: they find the one way.
  const [again, anew] = await Promise.all([echo(), talk()]);
  expect([again.text, anew.text]).toEqual(['over', 'and out']);
  for (const each of [datagrams.socket, datagrams.peer])
    await new Promise<void>((resolve) => each.close(resolve));
  again.client.destroy();
  for (const each of [anew.socket, anew.peer, again.server]) each.close();
  await once(again.server, 'close');
});
