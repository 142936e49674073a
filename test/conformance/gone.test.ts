import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WSAECONNRESET, WSAEINTR, WSAENETDOWN } from '../../src/abi/index.ts';
import { createLocalHost, type LocalHost } from '../../src/app/local.ts';
import { createConnection } from '../../src/app/net.ts';
import { connectRemote, createIpcServer, type IpcServer, type RemotePort } from '../../src/ipc/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { bound, listening, name, ok, tcp, text, udp, wsadata } from './support.ts';

let folder: string;
let host: LocalHost;
let server: IpcServer;
let port: RemotePort;
let ws: Winsock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wsk-gone-'));
  host = createLocalHost();
  server = await createIpcServer({
    path: join(folder, 'daemon'),
    identify: () => ({ pid: process.pid, uid: 0, gid: 0 }),
    openSession: (identity) => host.openSession(identity),
  });
  port = await connectRemote(join(folder, 'daemon'));
  ws = createWinsock({ port });
  await ok(ws.WSAStartup(MAKEWORD(2, 2), wsadata()));
});

afterEach(async () => {
  port.close();
  await server.close();
  host.close();
  await rm(folder, { recursive: true });
});

describe('the daemon is gone', () => {
  test('SEM-C-02 every call that waits ends with WSAENETDOWN, and so does every later one', async () => {
    const { s } = await listening(ws);
    const { s: d } = await bound(ws, udp);
    const waiting = [
      ws.accept(s),
      ws.recv(d, new Uint8Array(1)),
      ws.select(0, { fd_array: [s, d] }),
      ws.WSAPoll([{ fd: s, events: 0x100, revents: 0 }], 1, -1),
    ];
    await server.close();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => -WSAENETDOWN));
    expect(await ws.send(s, text('x'))).toBe(-WSAENETDOWN);
    expect(await ws.socket(2, 1, 6)).toBe(-WSAENETDOWN);
    expect(await ws.closesocket(s)).toBe(-WSAENETDOWN);
  });

  test('a net.Socket fails with ENETDOWN', async () => {
    const { s, port: number } = await listening(ws);
    const client = createConnection({ host: '127.0.0.1', port: number, winsock: ws });
    await ok(ws.accept(s));
    await new Promise((resolve) => client.once('connect', resolve));
    const failed = new Promise((resolve) => client.once('error', resolve));
    await server.close();
    expect(await failed).toMatchObject({ code: 'ENETDOWN', syscall: 'read', wsaCode: 10050 });
  });
});

describe('a client is gone', () => {
  test('it leaves no socket, and its peers see a reset or an end', async () => {
    const other = createWinsock({ port: host.openSession() });
    await ok(other.WSAStartup(MAKEWORD(2, 2), wsadata()));
    const { s, port: number } = await listening(other);
    const client = await tcp(ws);
    const accepting = other.accept(s);
    await ok(ws.connect(client, name('127.0.0.1', number)));
    const peer = await ok(accepting);
    const { port: taken } = await bound(ws, udp);
    port.close();
    expect([0, -WSAECONNRESET]).toContain(await other.recv(peer, new Uint8Array(1)));
    expect(host.afd.sessions.filter((session) => session.sockets > 0)).toHaveLength(1);
    expect(await other.bind(await udp(other), name('0.0.0.0', taken))).toBe(0);
  });

  test('SEM-BLK-08 its own calls that wait end when its process gives Winsock up', async () => {
    const { s } = await bound(ws, udp);
    const receiving = ws.recv(s, new Uint8Array(1));
    await ok(ws.WSACleanup());
    expect(await receiving).toBe(-WSAEINTR);
  });
});
