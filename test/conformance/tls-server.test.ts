/** Secure sockets as a server has them: the TLS provider against Node's own TLS, and against itself. */

import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  readSslConnectionInfo,
  SO_SSL_GET_CONNECTION_INFO,
  SO_SSL_PERFORM_HANDSHAKE,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_CLIENT_AUTH_OPTS,
  SO_SSL_SET_FLAGS,
  SO_SSL_SET_SERVER_OPTS,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SSL_CERT_FLAG_ISSUER_UNKNOWN,
  SSL_CERT_X509,
  SSL_ERR_CERT_UNKNOWN,
  SSL_ERR_FAILED,
  SSL_ERR_OKAY,
  SSL_FLAG_AUTH_CLIENT,
  SSL_FLAG_DEFER_HANDSHAKE,
  SSL_FLAG_SERVER,
  SSL_PROT_TLS1_3_SERVER,
  type SSLCLIENTAUTHOPTS,
  sslClientAuthOptsLength,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEPROTONOSUPPORT,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
  writeSslCacheOpts,
  writeSslClientAuthOpts,
} from '../../src/abi/index.ts';
import type { SslAuthRequestHook, SslValidateCertHook } from '../../src/layers/tls/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, derOf, makeCertificates } from '../support/certificates.ts';
import { ADDRESS_B } from './attachment.ts';
import { localName, name, nonBlocking, ok, tcp } from './support.ts';
import {
  dword,
  get,
  hookBytes,
  nextChunk,
  nodeClient,
  secured,
  set,
  type TlsHosts,
  text,
  tlsHosts,
  tlsLayer,
} from './tls-support.ts';

let certificates: Certificates;
let hosts: TlsHosts;
/** The client's host, plain; the server's, with the provider. */
let a: Winsock;
let b: Winsock;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());
beforeEach(async () => {
  hosts = await tlsHosts();
  a = await hosts.winsock('a');
  b = await hosts.winsock('b', tlsLayer({ ca: certificates.authority.certificate }));
});
afterEach(() => hosts.close());

const bytes = (value: string): Uint8Array => Buffer.from(value, 'latin1');

/** Hands in the certificate of `server.test`. */
const ownCertificate: SslAuthRequestHook = (_type, _argument, _issuers, length, chain) => {
  chain.value = [derOf(certificates.server.certificate), derOf(certificates.server.key)];
  length.value = 2;
  return SSL_ERR_OKAY;
};

/** A secure listener on host b. */
async function secureListener(
  flags = SSL_FLAG_SERVER,
  hook: SslAuthRequestHook | null = ownCertificate,
): Promise<{ s: number; port: number }> {
  const s = await secured(b, null);
  await ok(set(b, s, SO_SSL_SET_FLAGS, dword(flags)));
  if (hook !== null) await ok(set(b, s, SO_SSL_SET_AUTH_REQUEST_HOOK, hookBytes(hook)));
  await ok(b.bind(s, name(ADDRESS_B, 0)));
  await ok(b.listen(s, 5));
  return { s, port: (await localName(b, s)).port };
}

/** Node's TLS, connecting from host a. */
async function client(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const s = await tcp(a);
  await ok(a.connect(s, name(ADDRESS_B, port)));
  return nodeClient(a, s, { servername: 'server.test', ca: certificates.authority.certificate, ...options });
}

describe('accept', () => {
  test('SSL-SEQ-01, SSL-FLAGS, SSL-AUTH_REQUEST_HOOK the handshake is within accept; the certificate is the hook’s', async () => {
    const { s: listener, port } = await secureListener();
    const peer = await client(port);
    const s = await ok(b.accept(listener));
    expect(peer.authorized).toBe(true);
    peer.write('hello');
    expect(await text(b, s)).toBe('hello');
    await ok(b.send(s, bytes('and back')));
    expect(await nextChunk(peer)).toBe('and back');
    const info = readSslConnectionInfo(await get(b, s, SO_SSL_GET_CONNECTION_INFO, 28));
    expect(info?.dwProtocol).toBe(SSL_PROT_TLS1_3_SERVER);
    peer.end();
    expect(await text(b, s)).toBe('');
    await ok(b.closesocket(s));
  });

  test('SSL-SERVER_OPTS, SSL-FLAGS the certificate of the configuration serves without a hook', async () => {
    const { certificate, key } = certificates.server;
    b = await hosts.winsock('b', tlsLayer({ certificate, key }));
    const { s: listener, port } = await secureListener(SSL_FLAG_SERVER, null);
    const peer = await client(port);
    await ok(b.accept(listener));
    expect(peer.authorized).toBe(true);
  });

  test.each<[string, SslAuthRequestHook | null]>([
    ['there is none', null],
    ['the hook refuses', () => SSL_ERR_FAILED],
    ['the hook hands in nothing', () => SSL_ERR_OKAY],
    [
      'the hook hands in what is none',
      (_type, _argument, _issuers, length, chain) => {
        chain.value = [Uint8Array.of(1, 2), Uint8Array.of(3)];
        length.value = 2;
        return SSL_ERR_OKAY;
      },
    ],
    [
      'the hook says more than it hands in',
      (_type, _argument, _issuers, length) => {
        length.value = 99;
        return SSL_ERR_OKAY;
      },
    ],
  ])('SSL-AUTH_REQUEST_HOOK no certificate, as %s: accept fails, and says why', async (_why, hook) => {
    const { s: listener, port } = await secureListener(SSL_FLAG_SERVER, hook);
    const peer = await client(port);
    expect(await b.accept(listener)).toBe(-WSAECONNABORTED);
    expect(hosts.reasons.join()).toMatch(/certificate/);
    expect(await nextChunk(peer)).toBe('');
  });

  test('SSL-SEQ-01 a non-blocking listener answers at once; the socket is ready when the handshake is done', async () => {
    const { s: listener, port } = await secureListener();
    await nonBlocking(b, listener);
    const s0 = await tcp(a);
    await ok(a.connect(s0, name(ADDRESS_B, port)));
    const readable = { fd_array: [listener] };
    expect(await b.select(0, readable, null, null, { tv_sec: 5, tv_usec: 0 })).toBe(1);
    const s = await ok(b.accept(listener));
    expect(await b.recv(s, new Uint8Array(9))).toBe(-WSAEWOULDBLOCK);
    const peer = nodeClient(a, s0, { servername: 'server.test' });
    peer.write('first');
    const both = { fd_array: [s, listener] };
    expect(await b.select(0, both, null, null, { tv_sec: 5, tv_usec: 0 })).toBe(1);
    expect(both.fd_array).toEqual([s]);
    expect(await text(b, s)).toBe('first');
  });

  test('SSL-SEQ-02, SSL-PERFORM_HANDSHAKE deferred on the accepted socket', async () => {
    const { s: listener, port } = await secureListener(SSL_FLAG_SERVER | SSL_FLAG_DEFER_HANDSHAKE);
    const plain = await tcp(a);
    await ok(a.connect(plain, name(ADDRESS_B, port)));
    const s = await ok(b.accept(listener));
    await ok(b.send(s, bytes('220 ready\r\n')));
    expect(await text(a, plain)).toBe('220 ready\r\n');
    await ok(a.send(plain, bytes('STARTTLS\r\n')));
    expect(await text(b, s)).toBe('STARTTLS\r\n');
    const performing = set(b, s, SO_SSL_PERFORM_HANDSHAKE, bytes(''));
    const peer = nodeClient(a, plain, {});
    expect(await performing).toBe(0);
    peer.write('secret');
    expect(await text(b, s)).toBe('secret');
  });
});

describe('hostile clients', () => {
  const raw = async (port: number): Promise<number> => {
    const s = await tcp(a);
    await ok(a.connect(s, name(ADDRESS_B, port)));
    return s;
  };

  test.each([
    ['that ends at once', '', true, [WSAECONNRESET]],
    ['that speaks no TLS', 'GET / HTTP/1.0\r\n\r\n', false, [WSAECONNABORTED, WSAEPROTONOSUPPORT]],
    [
      'whose hello ends in the middle',
      '\x16\x03\x01\x02\x00\x01\x00\x01',
      true,
      [WSAECONNRESET, WSAECONNABORTED],
    ],
    [
      'with a hello of SSL 2.0',
      '\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10',
      true,
      [WSAECONNABORTED, WSAEPROTONOSUPPORT, WSAECONNRESET],
    ],
  ] as const)(
    'SSL-SEQ-04 one %s: that accept fails, the next is served',
    async (_what, words, isEnding, codes) => {
      const { certificate, key } = certificates.server;
      b = await hosts.winsock('b', tlsLayer({ certificate, key, handshakeLimit: 4000 }));
      const { s: listener, port } = await secureListener(SSL_FLAG_SERVER, null);
      const hostile = await raw(port);
      if (words !== '') await ok(a.send(hostile, bytes(words)));
      if (isEnding) await ok(a.shutdown(hostile, 1));
      expect(codes as readonly number[]).toContain(-(await b.accept(listener)));
      const peer = await client(port);
      peer.write('served');
      expect(await text(b, await ok(b.accept(listener)))).toBe('served');
    },
  );

  test('SSL-SEQ-04 one that says nothing: WSAETIMEDOUT when the time is over', async () => {
    const { certificate, key } = certificates.server;
    b = await hosts.winsock('b', tlsLayer({ certificate, key, handshakeLimit: 50 }));
    const { s: listener, port } = await secureListener(SSL_FLAG_SERVER, null);
    await raw(port);
    expect(await b.accept(listener)).toBe(-WSAETIMEDOUT);
  });
});

describe('clients with certificates', () => {
  const seen: unknown[][] = [];
  const judging =
    (verdict: number): SslValidateCertHook =>
    (...args) => {
      seen.push(args);
      return verdict;
    };
  beforeEach(() => void seen.splice(0));

  const listenerFor = async (hook: SslValidateCertHook): Promise<{ s: number; port: number }> => {
    const listener = await secureListener(SSL_FLAG_SERVER | SSL_FLAG_AUTH_CLIENT);
    await ok(set(b, listener.s, SO_SSL_SET_VALIDATE_CERT_HOOK, hookBytes(hook)));
    return listener;
  };

  test('SSL-FLAGS, SSL-CLIENT_AUTH_OPTS, SSL-VALIDATE_CERT_HOOK AUTH_CLIENT asks for it, and the hook judges it', async () => {
    const { s: listener, port } = await listenerFor(judging(SSL_ERR_OKAY));
    const { certificate: cert, key } = certificates.client;
    await client(port, { cert, key });
    await ok(b.accept(listener));
    expect(seen).toEqual([[SSL_CERT_X509, 0, expect.any(Number), expect.any(Array), 0]]);
    expect(seen[0]?.[3]).toEqual([derOf(cert), expect.anything()]);
  });

  test('SSL-FLAGS, SSL-VALIDATE_CERT_HOOK a client without one: the hook is told so with an empty chain, and decides', async () => {
    const { s: listener, port } = await listenerFor(judging(SSL_ERR_CERT_UNKNOWN));
    await client(port);
    expect(await b.accept(listener)).toBe(-WSAECONNABORTED);
    expect(seen).toEqual([[SSL_CERT_X509, 0, 0, [], SSL_CERT_FLAG_ISSUER_UNKNOWN]]);
  });

  test('SSL-CLIENT_AUTH_OPTS asks for a certificate too; its issuers are those that are known', async () => {
    const { s: listener, port } = await secureListener();
    await ok(set(b, listener, SO_SSL_SET_VALIDATE_CERT_HOOK, hookBytes(judging(SSL_ERR_OKAY))));
    const options: SSLCLIENTAUTHOPTS = {
      dwRequestClientAuth: 1,
      dwRedoHandshake: 0,
      dwType: SSL_CERT_X509,
      pIssuerList: [derOf(certificates.selfSigned.certificate)],
      dwFlags: 0,
    };
    const value = new Uint8Array(sslClientAuthOptsLength(options));
    writeSslClientAuthOpts(value, options);
    await ok(set(b, listener, SO_SSL_SET_CLIENT_AUTH_OPTS, value));
    for (const [which, flags] of [
      ['client', SSL_CERT_FLAG_ISSUER_UNKNOWN],
      ['selfSigned', 0],
    ] as const) {
      const { certificate: cert, key } = certificates[which];
      await client(port, { cert, key });
      await ok(b.accept(listener));
      expect(seen.pop()?.[4]).toBe(flags);
    }
  });
});

describe('sessions', () => {
  test.each([
    [4, true],
    [0, false],
  ])('SSL-SERVER_OPTS with room for %i sessions a client resumes: %s', async (dwCacheEntries, isResumed) => {
    const { s: listener, port } = await secureListener();
    const options = new Uint8Array(12);
    writeSslCacheOpts(options, { CacheTimeout: 60, dwCacheEntries, dwFlags: 0 });
    await ok(set(b, listener, SO_SSL_SET_SERVER_OPTS, options));
    const maxVersion = 'TLSv1.2';
    const first = await client(port, { maxVersion });
    let session: Buffer | undefined;
    first.on('session', (made) => {
      session = made;
    });
    const s = await ok(b.accept(listener));
    await ok(b.send(s, bytes('x')));
    expect(await nextChunk(first)).toBe('x');
    const second = await client(port, { maxVersion, ...(session === undefined ? {} : { session }) });
    const t = await ok(b.accept(listener));
    await ok(b.send(t, bytes('y')));
    expect(await nextChunk(second)).toBe('y');
    expect(second.isSessionReused()).toBe(isResumed);
  });
});
