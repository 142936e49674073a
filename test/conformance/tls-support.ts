/**
 * What tests of the TLS provider share: two hosts on a wire in real time, Winsocks with and without the provider, and Node's own TLS as
 * the peer.
 */

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, TLSSocket, type TLSSocketOptions } from 'node:tls';
import { expect } from '@jest/globals';
import {
  SO_SEC_SSL,
  SO_SECURE,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SOL_SOCKET,
  SSL_ERR_OKAY,
  writeSslHook,
} from '../../src/abi/index.ts';
import type { LocalHost } from '../../src/app/local.ts';
import { putI32le } from '../../src/base/index.ts';
import { RealTime } from '../../src/engine/index.ts';
import { connectRemote, createIpcServer, type IpcServer } from '../../src/ipc/index.ts';
import { createTlsLayer, type SslValidateCertHook, type TlsConfig } from '../../src/layers/tls/index.ts';
import type { AfdPort, NamePort } from '../../src/port/index.ts';
import { pointerOf, type WSPStartup } from '../../src/spi/index.ts';
import { createWinsock, MAKEWORD, type Winsock } from '../../src/winsock/index.ts';
import { layeredOptions, passThrough } from '../support/chains.ts';
import { joinedHosts } from './attachment.ts';
import { ok, tcp, wsadata } from './support.ts';

export interface TlsHosts {
  readonly a: LocalHost;
  readonly b: LocalHost;
  /** Why handshakes have failed, and what providers did wrong; newest last. */
  readonly reasons: string[];
  /** A started Winsock with those providers, lowest first. */
  winsock(host: 'a' | 'b', ...layers: WSPStartup[]): Promise<Winsock>;
  close(): Promise<void>;
}

/** The ways to the sockets that tests of stream layers run over. */
export const WAYS = ['embedded', 'over IPC'] as const;

export async function tlsHosts(way: (typeof WAYS)[number] = 'embedded'): Promise<TlsHosts> {
  const hosts = joinedHosts(new RealTime());
  const folder = await mkdtemp(join(tmpdir(), 'wsk-'));
  const servers: IpcServer[] = [];
  const ports: AfdPort[] = [];
  const reasons: string[] = [];
  const started: Winsock[] = [];
  const hear = (failure: unknown): void => void reasons.push((failure as { reason: string }).reason);
  subscribe('winsockd:tls', hear);
  const identity = { pid: process.pid, uid: 0, gid: 0 };
  if (way === 'over IPC') {
    for (const name of ['a', 'b'] as const) {
      const server = await createIpcServer({
        path: join(folder, name),
        identify: () => identity,
        openSession: (peer) => hosts[name].openSession(peer),
        openNames: () => hosts[name].openNames(),
      });
      servers.push(server);
    }
  }
  const attached = async (host: 'a' | 'b'): Promise<{ port: AfdPort; names: NamePort }> => {
    if (way === 'embedded') return { port: hosts[host].openSession(), names: hosts[host].openNames() };
    const port = await connectRemote(join(folder, host));
    ports.push(port);
    return { port, names: port.names };
  };
  return {
    ...hosts,
    reasons,
    async winsock(host, ...layers): Promise<Winsock> {
      const own = layers.map((startup) => ({ startup, isIfs: false }));
      const ws = createWinsock({
        ...(await attached(host)),
        ...(own.length === 0 ? {} : layeredOptions(own)),
        observer: { fault: (fault) => void reasons.push(`${fault.call} ${fault.kind} ${fault.detail}`) },
      });
      expect(ws.WSAStartup(MAKEWORD(2, 2), wsadata())).toBe(0);
      started.push(ws);
      return ws;
    },
    async close() {
      unsubscribe('winsockd:tls', hear);
      for (const ws of started) await ws.WSACleanup();
      for (const port of ports) port.close();
      for (const server of servers) await server.close();
      hosts.a.close();
      hosts.b.close();
      await rm(folder, { recursive: true });
    },
  };
}

export const tlsLayer = (config: Partial<TlsConfig> = {}): WSPStartup =>
  createTlsLayer({ oldVersions: false, handshakeLimit: 5000, ...config });

export { passThrough };

/** A DWORD's bytes. */
export function dword(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  putI32le(bytes, 0, value);
  return bytes;
}

/** Sets something by a control code. @returns what WSAIoctl answers */
export function set(ws: Winsock, s: number, code: number, value: Uint8Array): number | Promise<number> {
  return ws.WSAIoctl(s, code, value, value.length, null, 0, { value: 0 });
}

/** Gets something. */
export async function get(
  ws: Winsock,
  s: number,
  code: number,
  room: number,
  input: Uint8Array | null = null,
): Promise<Uint8Array> {
  const into = new Uint8Array(room);
  const returned = { value: 0 };
  await ok(ws.WSAIoctl(s, code, input, input?.length ?? 0, into, room, returned));
  return into.subarray(0, returned.value);
}

/** A TCP socket with SO_SECURE, and a hook that takes every certificate unless another is given; `null`: none. */
export async function secured(ws: Winsock, hook: SslValidateCertHook | null = takeAll): Promise<number> {
  const s = await tcp(ws);
  await ok(ws.setsockopt(s, SOL_SOCKET, SO_SECURE, dword(SO_SEC_SSL)));
  if (hook !== null) await ok(set(ws, s, SO_SSL_SET_VALIDATE_CERT_HOOK, hookBytes(hook)));
  return s;
}

export function hookBytes(hook: (...args: never[]) => unknown, pvArg = 0): Uint8Array {
  const bytes = new Uint8Array(8);
  writeSslHook(bytes, { HookFunc: pointerOf(hook), pvArg });
  return bytes;
}

export const takeAll: SslValidateCertHook = () => SSL_ERR_OKAY;

/** Sends what is to go on the wire: as it is, or as a test wants it. */
export type SendRaw = (bytes: Uint8Array) => number | Promise<number>;

/** A socket as a Duplex, for Node's TLS. */
export function duplexOf(ws: Winsock, s: number, send: SendRaw = (bytes) => ws.send(s, bytes)): Duplex {
  return new Duplex({
    allowHalfOpen: true,
    read() {
      const into = new Uint8Array(0x4000);
      void Promise.resolve(ws.recv(s, into)).then((count) => {
        if (count > 0) this.push(Buffer.from(into.subarray(0, count)));
        else if (count === 0) this.push(null);
        else this.destroy();
      });
    },
    write(chunk: Buffer, _encoding, done) {
      void Promise.resolve(send(chunk)).then((count) => done(count < 0 ? new Error(`${count}`) : null));
    },
    final(done) {
      void Promise.resolve(ws.shutdown(s, 1)).then(() => done());
    },
    destroy(error, done) {
      void Promise.resolve(ws.closesocket(s)).then(() => done(error));
    },
  });
}

/** Node's TLS as a server on an accepted socket. */
export function nodeServer(ws: Winsock, s: number, options: TLSSocketOptions, send?: SendRaw): TLSSocket {
  const socket = new TLSSocket(duplexOf(ws, s, send), { isServer: true, ...options });
  socket.on('error', () => {});
  return socket;
}

/** Node's TLS as a client on a connected socket. */
export function nodeClient(ws: Winsock, s: number, options: ConnectionOptions): TLSSocket {
  const socket = connect({ socket: duplexOf(ws, s), rejectUnauthorized: false, ...options });
  socket.on('error', () => {});
  return socket;
}

/** The next bytes of a stream. */
export async function nextChunk(socket: Duplex): Promise<string> {
  for (;;) {
    const chunk = socket.read() as Buffer | null;
    if (chunk !== null) return chunk.toString('latin1');
    if (socket.readableEnded || socket.destroyed) return '';
    await new Promise<void>((resolve) => {
      const events = ['readable', 'end', 'close'] as const;
      const happened = (): void => {
        for (const event of events) socket.off(event, happened);
        resolve();
      };
      for (const event of events) socket.on(event, happened);
    });
  }
}

/** Receives text from a socket. */
export async function text(ws: Winsock, s: number, room = 100): Promise<string | number> {
  const into = new Uint8Array(room);
  const count = await ws.recv(s, into);
  return count < 0 ? count : Buffer.from(into.subarray(0, count)).toString('latin1');
}
