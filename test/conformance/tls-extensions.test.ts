/**
 * The extension functions on secure sockets: what AcceptEx, TransmitFile and TransmitPackets move goes through the cipher, and a socket whose
 * connection DisconnectEx has ended can be secured again. The peer is Node's own TLS, which reads nothing that is plain.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  ERROR_INVALID_PARAMETER,
  IPPROTO_TCP,
  IPPROTO_UDP,
  parseGuid,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  SO_SSL_SET_FLAGS,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SO_UPDATE_ACCEPT_CONTEXT,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SSL_ERR_FAILED,
  SSL_FLAG_AUTH_CLIENT,
  SSL_FLAG_DEFER_HANDSHAKE,
  SSL_FLAG_SERVER,
  TF_DISCONNECT,
  TF_REUSE_SOCKET,
  TP_ELEMENT_FILE,
  TP_ELEMENT_MEMORY,
  WSA_OPERATION_ABORTED,
  WSAECONNABORTED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTCONN,
  WSAESHUTDOWN,
  WSAID_CONNECTEX,
} from '../../src/abi/index.ts';
import { type ExtensionFunctions, functionAt, readPointer, type WSAOVERLAPPED } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { ADDRESS_B } from './attachment.ts';
import { ended, packet, pending, portOf, record, recordWithEvent } from './overlapped-support.ts';
import { bound, listening, localName, name, nameIn, ok, receiveText, tcp } from './support.ts';
import {
  dword,
  hookBytes,
  nextChunk,
  nodeClient,
  nodeServer,
  secured,
  set,
  type TlsHosts,
  text,
  tlsHosts,
  tlsLayer,
} from './tls-support.ts';

const NAME_ROOM = 16 + 16;
const bytes = (value: string): Uint8Array => Buffer.from(value, 'latin1');

let certificates: Certificates;
let folder = '';
let hosts: TlsHosts;
/** Host a plain, host a with the provider, host b plain, host b with it. */
let plainA: Winsock;
let a: Winsock;
let plainB: Winsock;
let b: Winsock;
beforeAll(() => {
  certificates = makeCertificates();
  folder = mkdtempSync(join(tmpdir(), 'wsk-transmit-'));
});
afterAll(() => {
  certificates.remove();
  rmSync(folder, { recursive: true });
});
beforeEach(async () => {
  hosts = await tlsHosts();
  const { certificate, key } = certificates.server;
  [plainA, plainB] = [await hosts.winsock('a'), await hosts.winsock('b')];
  a = await hosts.winsock('a', tlsLayer());
  b = await hosts.winsock('b', tlsLayer({ certificate, key }));
});
afterEach(() => hosts.close());

async function secureListener(flags = SSL_FLAG_SERVER): Promise<{ listener: number; port: number }> {
  const listener = await secured(b);
  await ok(set(b, listener, SO_SSL_SET_FLAGS, dword(flags)));
  await ok(b.bind(listener, name(ADDRESS_B, 0)));
  await ok(b.listen(listener, 5));
  return { listener, port: (await localName(b, listener)).port };
}

/** Node's TLS, from host a. */
async function client(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const s = await tcp(plainA);
  await ok(plainA.connect(s, name(ADDRESS_B, port)));
  return nodeClient(plainA, s, { servername: 'server.test', ...options });
}

interface Accepting {
  readonly target: number;
  readonly buffer: Uint8Array;
  readonly overlapped: WSAOVERLAPPED;
}

/** An AcceptEx that pends. */
async function accepting(
  listener: number,
  room: number,
  overlapped?: WSAOVERLAPPED,
  target?: number,
): Promise<Accepting> {
  const made = {
    target: target ?? (await tcp(b)),
    buffer: new Uint8Array(room + 2 * NAME_ROOM),
    overlapped: overlapped ?? (await recordWithEvent(b)),
  };
  await pending(
    b.AcceptEx(listener, made.target, made.buffer, room, NAME_ROOM, NAME_ROOM, null, made.overlapped),
  );
  return made;
}

/** A secure socket of host a, connected to Node's TLS on host b. */
async function connected(): Promise<{ s: number; peer: TLSSocket }> {
  const { s: listener, port } = await listening(plainB);
  const { certificate: cert, key } = certificates.server;
  const accepted = Promise.resolve(plainB.accept(listener)).then((t) => nodeServer(plainB, t, { cert, key }));
  const s = await secured(a);
  await ok(a.connect(s, name(ADDRESS_B, port)));
  return { s, peer: await accepted };
}

/** All that a peer gets until it has so many bytes. */
async function received(peer: TLSSocket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let count = 0;
  while (count < length) {
    const chunk = Buffer.from(await nextChunk(peer), 'latin1');
    if (chunk.length === 0) break;
    chunks.push(chunk);
    count += chunk.length;
  }
  return Buffer.concat(chunks);
}

describe('AcceptEx', () => {
  test('SSL-SEQ-01, API-AcceptEx with room for data it is done after the handshake, with the first plain bytes and both names', async () => {
    const { listener, port } = await secureListener();
    const { target, buffer, overlapped } = await accepting(listener, 20);
    const peer = await client(port);
    peer.write('first words');
    expect(await ended(b, listener, overlapped)).toEqual([0, 11]);
    expect(Buffer.from(buffer.subarray(0, 11)).toString()).toBe('first words');
    const [local, remote] = [{ value: null }, { value: null }] as { value: Uint8Array | null }[];
    await ok(
      b.GetAcceptExSockaddrs(
        buffer,
        20,
        NAME_ROOM,
        NAME_ROOM,
        local as never,
        { value: 0 },
        remote as never,
        { value: 0 },
      ),
    );
    expect(nameIn(local?.value ?? bytes('')).port).toBe(port);
    expect(nameIn(remote?.value ?? bytes('')).address).toBe('10.0.0.1');
    await ok(b.setsockopt(target, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT, dword(listener)));
    await ok(b.send(target, bytes('and back')));
    expect(await nextChunk(peer)).toBe('and back');
    await ok(b.closesocket(target));
    expect(await nextChunk(peer)).toBe('');
    expect(peer.readableEnded).toBe(true); // close_notify
  });

  test('SSL-SEQ-01, API-AcceptEx without room it is done by the handshake alone; several at a port, in their order', async () => {
    const { listener, port } = await secureListener();
    const queue = await portOf(b, listener, 5);
    const first = await accepting(listener, 0, record());
    const second = await accepting(listener, 0, record());
    const one = await client(port);
    expect(await packet(b, queue)).toMatchObject({ answer: 1, bytes: 0, lpOverlapped: first.overlapped });
    one.write('one');
    expect(await text(b, first.target)).toBe('one');
    const two = await client(port);
    expect(await packet(b, queue)).toMatchObject({ answer: 1, bytes: 0, lpOverlapped: second.overlapped });
    two.write('two');
    expect(await text(b, second.target)).toBe('two');
  });

  test('SSL-VALIDATE_CERT_HOOK, API-AcceptEx a handshake that fails is in the completion; the listener goes on', async () => {
    const { listener, port } = await secureListener(SSL_FLAG_SERVER | SSL_FLAG_AUTH_CLIENT);
    await ok(
      set(
        b,
        listener,
        SO_SSL_SET_VALIDATE_CERT_HOOK,
        hookBytes(() => SSL_ERR_FAILED),
      ),
    );
    const refused = await accepting(listener, 10);
    const peer = await client(port);
    expect(await ended(b, listener, refused.overlapped)).toEqual([WSAECONNABORTED, 0]);
    expect(await nextChunk(peer)).toBe('');
    expect(await b.send(refused.target, bytes('x'))).toBe(-WSAECONNABORTED);
    const garbage = await accepting(listener, 10);
    const s = await tcp(plainA);
    await ok(plainA.connect(s, name(ADDRESS_B, port)));
    await ok(plainA.send(s, bytes('GET / HTTP/1.0\r\n\r\n')));
    const [code] = await ended(b, listener, garbage.overlapped);
    expect(code).toBeGreaterThan(0);
  });

  test('SSL-SEQ-02, API-AcceptEx a deferred handshake: the first bytes are the plain ones', async () => {
    const { listener, port } = await secureListener(SSL_FLAG_SERVER | SSL_FLAG_DEFER_HANDSHAKE);
    const { target, buffer, overlapped } = await accepting(listener, 20);
    const s = await tcp(plainA);
    await ok(plainA.connect(s, name(ADDRESS_B, port)));
    await ok(plainA.send(s, bytes('EHLO me')));
    expect(await ended(b, listener, overlapped)).toEqual([0, 7]);
    expect(Buffer.from(buffer.subarray(0, 7)).toString()).toBe('EHLO me');
    const performing = set(b, target, 0x1073000d, bytes(''));
    const peer = nodeClient(plainA, s, {});
    expect(await performing).toBe(0);
    peer.write('secret');
    expect(await text(b, target)).toBe('secret');
  });

  test('SSL-SEQ-01, API-AcceptEx it is cancelled before anybody comes, in the handshake, and while data is awaited', async () => {
    const { listener, port } = await secureListener();
    const early = await accepting(listener, 0);
    expect(await b.CancelIoEx(listener, early.overlapped)).toBe(1);
    expect(await ended(b, listener, early.overlapped)).toEqual([WSA_OPERATION_ABORTED, 0]);

    const silent = await accepting(listener, 0);
    const s = await tcp(plainA);
    await ok(plainA.connect(s, name(ADDRESS_B, port)));
    const waiting = await accepting(listener, 10);
    const peer = await client(port);
    await new Promise((resolve) => peer.once('secureConnect', resolve));
    expect(await b.CancelIoEx(listener, silent.overlapped)).toBe(1);
    expect(await ended(b, listener, silent.overlapped)).toEqual([WSA_OPERATION_ABORTED, 0]);
    expect(await plainA.recv(s, new Uint8Array(9))).toBe(0);
    await ok(b.closesocket(listener));
    expect(await b.WSAWaitForMultipleEvents(1, [waiting.overlapped.hEvent], true, 5000)).toBe(0);
    expect(waiting.overlapped.InternalHigh).toBe(0);
    expect(waiting.overlapped.Internal).not.toBe(0);
  });

  test('API-AcceptEx what is refused at once leaves the record as it is', async () => {
    const { listener } = await secureListener();
    const { s: plain } = await bound(b, tcp, ADDRESS_B);
    const buffer = new Uint8Array(2 * NAME_ROOM);
    const call = async (target: number, into: Uint8Array | null, room: number, of = record()) => [
      await b.AcceptEx(listener, target, into, room, NAME_ROOM, NAME_ROOM, null, of),
    ];
    const target = await tcp(b);
    expect(await b.AcceptEx(listener, target, buffer, 0, NAME_ROOM, NAME_ROOM, null, null)).toBe(
      -ERROR_INVALID_PARAMETER,
    );
    expect(await call(target, null, 0)).toEqual([-WSAEFAULT]);
    expect(await call(target, buffer, 1)).toEqual([-WSAEFAULT]);
    expect(await call(target, buffer, Number.NaN)).toEqual([-WSAEFAULT]);
    expect(await call(plain, buffer, 0)).toEqual([-WSAEINVAL]);
  });
});

describe('ConnectEx', () => {
  test.each([
    ['a datagram socket', AF_INET, SOCK_DGRAM, IPPROTO_UDP],
    ['a socket of the other family', AF_INET6, SOCK_STREAM, IPPROTO_TCP],
  ])(
    'IOC-SIO_GET_EXTENSION_FUNCTION_POINTER, SSL-SEQ-01 a function that was asked for with %s goes through the cipher, too',
    async (_what, af, type, protocol) => {
      const other = await ok(a.socket(af, type, protocol));
      const id = parseGuid(WSAID_CONNECTEX) ?? bytes('');
      const pointer = new Uint8Array(8);
      await ok(a.WSAIoctl(other, SIO_GET_EXTENSION_FUNCTION_POINTER, id, 16, pointer, 8, { value: 0 }));
      const ConnectEx = functionAt(readPointer(pointer)) as ExtensionFunctions['ConnectEx'];
      const { s: listener, port } = await listening(plainB);
      const { certificate: cert, key } = certificates.server;
      const accepted = Promise.resolve(plainB.accept(listener)).then((t) =>
        nodeServer(plainB, t, { cert, key }),
      );
      const s = await secured(a);
      await ok(a.bind(s, name('10.0.0.1', 0)));
      const overlapped = await recordWithEvent(a);
      await pending(ConnectEx(s, name(ADDRESS_B, port), 16, bytes('secret'), 6, null, overlapped));
      expect(await ended(a, s, overlapped)).toEqual([0, 6]);
      expect(await nextChunk(await accepted)).toBe('secret');
    },
  );
});

describe('TransmitFile and TransmitPackets', () => {
  const content = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 7) % 251);
  let path = '';
  beforeAll(() => {
    path = join(folder, 'file');
    writeFileSync(path, content);
  });

  test('SSL-SEQ-01, API-TransmitFile a file with head and tail arrives through the cipher, overlapped and waiting', async () => {
    const { s, peer } = await connected();
    const around = { Head: bytes('head'), Tail: bytes('tail') };
    const whole = Buffer.concat([bytes('head'), content, bytes('tail')]);
    const overlapped = await recordWithEvent(a);
    await pending(a.TransmitFile(s, path, 0, 0, overlapped, around));
    const got = received(peer, whole.length);
    expect(await ended(a, s, overlapped)).toEqual([0, whole.length]);
    expect((await got).equals(whole)).toBe(true);
    const part = received(peer, 1000);
    const later = await recordWithEvent(a);
    later.Offset = 500;
    await pending(a.TransmitFile(s, path, 1000, 100, later));
    expect((await part).equals(content.subarray(500, 1500))).toBe(true);
    expect(await a.TransmitFile(s, null, 0, 0, null, { Head: bytes('x'), Tail: null }, TF_DISCONNECT)).toBe(
      1,
    );
    expect(await nextChunk(peer)).toBe('x');
    expect(await nextChunk(peer)).toBe('');
    expect(await a.TransmitFile(s, path)).toBe(-WSAESHUTDOWN);
  });

  test('SSL-SEQ-01, API-TransmitPackets memory and files in their order', async () => {
    const { s, peer } = await connected();
    const packets = [
      { dwElFlags: TP_ELEMENT_MEMORY, cLength: 3, pBuffer: bytes('one') },
      { dwElFlags: TP_ELEMENT_FILE, cLength: 10, nFileOffset: 5, hFile: path },
      { dwElFlags: TP_ELEMENT_MEMORY, cLength: 5, pBuffer: bytes('three') },
    ];
    const queue = await portOf(a, s);
    const overlapped = record();
    await pending(a.TransmitPackets(s, packets, 3, 0, overlapped));
    const whole = Buffer.concat([bytes('one'), content.subarray(5, 15), bytes('three')]);
    expect((await received(peer, whole.length)).equals(whole)).toBe(true);
    expect(await packet(a, queue)).toMatchObject({
      answer: 1,
      bytes: whole.length,
      lpOverlapped: overlapped,
    });
    expect(await a.TransmitPackets(s, packets, 9)).toBe(-WSAEFAULT);
    expect(await a.TransmitPackets(s, packets, 3, 0, null, 0x1000)).toBe(-WSAEINVAL);
  });

  test('SSL-SEQ-01, API-TransmitFile a peer that reads nothing holds it up; CancelIoEx ends it', async () => {
    const { s, peer } = await connected();
    const big = join(folder, 'big');
    writeFileSync(big, new Uint8Array(4 << 20));
    const overlapped = await recordWithEvent(a);
    await pending(a.TransmitFile(s, big, 0, 0, overlapped));
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect(await a.CancelIoEx(s, overlapped)).toBe(1);
    expect((await ended(a, s, overlapped))[0]).toBe(WSA_OPERATION_ABORTED);
    expect(peer.destroyed).toBe(false);
  });
});

describe('DisconnectEx', () => {
  test('API-DisconnectEx, SSL-SEQ-01 with TF_REUSE_SOCKET both sockets are used again, with a handshake of their own', async () => {
    const { listener, port } = await secureListener();
    const s = await secured(a);
    await ok(a.bind(s, name('10.0.0.1', 0)));
    let target: number | undefined;
    for (let round = 0; round < 3; round++) {
      const at = await accepting(listener, 20, undefined, target);
      target = at.target;
      const connecting = await recordWithEvent(a);
      await pending(a.ConnectEx(s, name(ADDRESS_B, port), 16, bytes(`round ${round}`), 7, null, connecting));
      expect(await ended(b, listener, at.overlapped)).toEqual([0, 7]);
      expect(await ended(a, s, connecting)).toEqual([0, 7]);
      expect(Buffer.from(at.buffer.subarray(0, 7)).toString()).toBe(`round ${round}`);
      await ok(b.send(target, bytes('unread')));
      const [ofServer, ofClient] = [await recordWithEvent(b), await recordWithEvent(a)];
      await pending(b.DisconnectEx(target, ofServer, TF_REUSE_SOCKET));
      await pending(a.DisconnectEx(s, ofClient, TF_REUSE_SOCKET));
      expect(await ended(b, target, ofServer)).toEqual([0, 0]);
      expect(await ended(a, s, ofClient)).toEqual([0, 0]);
      expect(await b.recv(target, new Uint8Array(1))).toBe(-WSAENOTCONN);
      if ((await a.getsockname(s, new Uint8Array(16))) < 0) await ok(a.bind(s, name('10.0.0.1', 0)));
    }
  });

  test('API-DisconnectEx without it sending ends, receiving goes on; flags that are none are WSAEINVAL', async () => {
    const { s, peer } = await connected();
    expect(await a.DisconnectEx(s, null, 1)).toBe(-WSAEINVAL);
    expect(await a.DisconnectEx(s, null, 0, 1)).toBe(-WSAEINVAL);
    expect(await a.DisconnectEx(s)).toBe(1);
    expect(await nextChunk(peer)).toBe('');
    expect(await a.send(s, bytes('x'))).toBe(-WSAESHUTDOWN);
    peer.write('still');
    expect(await receiveText(a, s)).toBe('still');
    expect(await a.DisconnectEx(s)).toBe(1);
  });
});
