/** Secure sockets as a client has them: the TLS provider against Node's own TLS. */

import { createHash } from 'node:crypto';
import type { TLSSocket, TLSSocketOptions } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CALG_AES_128,
  CALG_AES_256,
  CALG_ECDH_EPHEM,
  CALG_RC4,
  CALG_SHA_256,
  CALG_SHA_384,
  readSslConnectionInfo,
  SO_SSL_GET_CONNECTION_INFO,
  SO_SSL_PERFORM_HANDSHAKE,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_CIPHERS,
  SO_SSL_SET_CLIENT_OPTS,
  SO_SSL_SET_FLAGS,
  SO_SSL_SET_PEERNAME,
  SO_SSL_SET_PEERNAME_OUT,
  SO_SSL_SET_PROTOCOLS,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SSL_CERT_FLAG_ISSUER_UNKNOWN,
  SSL_CERT_X509,
  SSL_ERR_BAD_DATA,
  SSL_ERR_CERT_UNKNOWN,
  SSL_ERR_FAILED,
  SSL_ERR_OKAY,
  SSL_FLAG_DEFER_HANDSHAKE,
  SSL_PROT_TLS1_2_CLIENT,
  SSL_PROT_TLS1_3_CLIENT,
  SSL_PROT_TLS1_CLIENT,
  SSL_PROTOCOL_PCT1,
  SSL_PROTOCOL_SSL2,
  SSL_PROTOCOL_SSL3,
  SSL_PROTOCOL_TLS1,
  SSLCONNECTIONINFO_LEN,
  sslCiphersLength,
  sslProtocolsLength,
  TLS_VERSION_1_0,
  TLS_VERSION_1_2,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEINVAL,
  WSAEISCONN,
  WSAENOTCONN,
  WSAEPROTONOSUPPORT,
  WSAETIMEDOUT,
  writeSslCacheOpts,
  writeSslCiphers,
  writeSslProtocols,
} from '../../src/abi/index.ts';
import type { SslAuthRequestHook, SslValidateCertHook } from '../../src/layers/tls/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, derOf, makeCertificates } from '../support/certificates.ts';
import { ADDRESS_B } from './attachment.ts';
import { bound, name, ok, tcp } from './support.ts';
import {
  dword,
  get,
  hookBytes,
  nextChunk,
  nodeServer,
  secured,
  set,
  type TlsHosts,
  text,
  tlsHosts,
  tlsLayer,
} from './tls-support.ts';

let certificates: Certificates;
let hosts: TlsHosts;
let a: Winsock;
let b: Winsock;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());
beforeEach(async () => {
  hosts = await tlsHosts();
  a = await hosts.winsock('a', tlsLayer({ ca: certificates.authority.certificate }));
  b = await hosts.winsock('b');
});
afterEach(() => hosts.close());

const bytes = (value: string): Uint8Array => Buffer.from(value, 'latin1');

/** A listener on host b, and its first connection. */
async function listeningOnce(): Promise<{ port: number; accepted: Promise<number> }> {
  const { s: listener, port } = await bound(b, tcp, ADDRESS_B);
  await ok(b.listen(listener, 5));
  return { port, accepted: Promise.resolve(b.accept(listener)) };
}

/** Node's TLS behind the first connection, with the certificate of `server.test`. */
async function serving(options: TLSSocketOptions = {}): Promise<{ port: number; peer: Promise<TLSSocket> }> {
  const { port, accepted } = await listeningOnce();
  const { certificate: cert, key } = certificates.server;
  return { port, peer: accepted.then((s) => nodeServer(b, s, { cert, key, ...options })) };
}

/** Connects a secure socket to such a server. */
async function connected(
  hook?: SslValidateCertHook | null,
  options: TLSSocketOptions = {},
  prepare: (s: number) => Promise<unknown> | unknown = () => {},
): Promise<{ s: number; answer: number; peer: TLSSocket }> {
  const { port, peer } = await serving(options);
  const s = await secured(a, hook);
  await prepare(s);
  return { s, answer: await a.connect(s, name(ADDRESS_B, port)), peer: await peer };
}

function protocols(...list: [protocol: number, version: number][]): Uint8Array {
  const into = new Uint8Array(sslProtocolsLength(list.length));
  writeSslProtocols(
    into,
    list.map(([dwProtocol, dwVersion]) => ({ dwProtocol, dwVersion, dwFlags: 0 })),
  );
  return into;
}

function ciphers(...CipherList: number[]): Uint8Array {
  const into = new Uint8Array(sslCiphersLength(CipherList.length));
  writeSslCiphers(into, { dwProtocol: SSL_PROTOCOL_TLS1, CipherList });
  return into;
}

const info = async (s: number): Promise<ReturnType<typeof readSslConnectionInfo>> =>
  readSslConnectionInfo(await get(a, s, SO_SSL_GET_CONNECTION_INFO, SSLCONNECTIONINFO_LEN));

describe('immediate handshake', () => {
  test('SSL-SEQ-01, SSL-SEQ-04 connect runs the handshake; bytes are plain for both applications, and the end is told', async () => {
    const { s, answer, peer } = await connected();
    expect(answer).toBe(0);
    expect(await a.send(s, bytes('hello'))).toBe(5);
    expect(await nextChunk(peer)).toBe('hello');
    peer.write('and back');
    expect(await text(a, s)).toBe('and back');
    await ok(a.closesocket(s));
    expect(await nextChunk(peer)).toBe('');
    expect(peer.readableEnded).toBe(true);
  });

  test('SSL-SEQ-01 nothing of it is readable on the wire', async () => {
    const { port, accepted } = await listeningOnce();
    const s = await secured(a);
    const connecting = a.connect(s, name(ADDRESS_B, port));
    const into = new Uint8Array(5);
    expect(await b.recv(await accepted, into)).toBe(5);
    expect([...into.subarray(0, 2)]).toEqual([22, 3]); // a record of the handshake (RFC 8446 §5.1)
    await ok(b.closesocket(await accepted));
    expect(await connecting).toBeLessThan(0);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'SSL-SEQ-01, SSL-CONNECTION_INFO a megabyte each way at once over %s',
    async (version) => {
      const { s, answer, peer } = await connected(undefined, {
        maxVersion: version,
        minVersion: version,
      } as never);
      expect(answer).toBe(0);
      const sent = Buffer.alloc(1 << 20, 'winsock ');
      const hashOf = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');
      const got: Buffer[] = [];
      const all = new Promise<void>((resolve) => {
        peer.on('data', (chunk: Buffer) => {
          got.push(chunk);
          if (got.reduce((sum, { length }) => sum + length, 0) === sent.length) resolve();
        });
      });
      peer.write(sent);
      const sending = a.send(s, sent);
      const received = Buffer.alloc(sent.length);
      for (let at = 0; at < received.length; ) at += await ok(a.recv(s, received.subarray(at)));
      expect(await sending).toBe(sent.length);
      await all;
      expect(hashOf(received)).toBe(hashOf(sent));
      expect(hashOf(Buffer.concat(got))).toBe(hashOf(sent));
      expect((await info(s))?.dwProtocol).toBe(
        version === 'TLSv1.3' ? SSL_PROT_TLS1_3_CLIENT : SSL_PROT_TLS1_2_CLIENT,
      );
    },
    20_000,
  );

  test('SSL-SEQ-01 a half close goes both ways', async () => {
    const { s, peer } = await connected();
    await ok(a.send(s, bytes('question')));
    await ok(a.shutdown(s, 1));
    expect(await nextChunk(peer)).toBe('question');
    expect(await nextChunk(peer)).toBe('');
    peer.end('answer');
    expect(await text(a, s)).toBe('answer');
    expect(await text(a, s)).toBe('');
  });

  test('SSL-SEQ-01 sockets without SO_SECURE go by untouched', async () => {
    const { port, accepted } = await listeningOnce();
    const s = await tcp(a);
    await ok(a.connect(s, name(ADDRESS_B, port)));
    await ok(a.send(s, bytes('plain')));
    expect(await text(b, await accepted)).toBe('plain');
    expect(await set(a, s, SO_SSL_PERFORM_HANDSHAKE, bytes('x'))).toBe(-WSAEINVAL);
  });
});

describe('who the peer is', () => {
  test('SSL-VALIDATE_CERT_HOOK the hook gets the type, its argument, the chain in DER and no flag for a known issuer', async () => {
    const calls: unknown[][] = [];
    const hook: SslValidateCertHook = (...args) => {
      calls.push(args);
      return SSL_ERR_OKAY;
    };
    const { answer } = await connected(undefined, {}, async (s) => {
      await ok(set(a, s, SO_SSL_SET_VALIDATE_CERT_HOOK, hookBytes(hook, 0x1234)));
      await ok(set(a, s, SO_SSL_SET_PEERNAME, bytes('server.test')));
    });
    expect(answer).toBe(0);
    expect(calls).toHaveLength(1);
    const [type, argument, length, chain, flags] = calls[0] as Parameters<SslValidateCertHook>;
    expect([type, argument, flags]).toEqual([SSL_CERT_X509, 0x1234, 0]);
    expect(chain).toHaveLength(length);
    expect(chain[0]).toEqual(derOf(certificates.server.certificate));
  });

  test('SSL-SET_PEERNAME the name goes to the server (SNI), an address does not', async () => {
    for (const [peerName, expected] of [
      ['server.test', 'server.test'],
      ['10.0.0.2', false],
    ] as const) {
      const { answer, peer } = await connected(undefined, {}, (s) =>
        ok(set(a, s, SO_SSL_SET_PEERNAME, bytes(peerName))),
      );
      expect([answer, peer.servername ?? false]).toEqual([0, expected]);
    }
  });

  test('SSL-VALIDATE_CERT_HOOK an authority that the configuration does not name is unknown', async () => {
    a = await hosts.winsock('a', tlsLayer({ ca: certificates.selfSigned.certificate }));
    let seen = -1;
    const { answer } = await connected((_type, _argument, _length, _chain, flags) => {
      seen = flags;
      return SSL_ERR_CERT_UNKNOWN;
    });
    expect([answer, seen]).toEqual([-WSAECONNABORTED, SSL_CERT_FLAG_ISSUER_UNKNOWN]);
  });

  test.each([
    ['a name that is not in it', 'server', 'other.test', true],
    ['the name in it', 'server', 'server.test', false],
    ['an address that is not in it', 'server', '10.0.0.9', true],
    ['the address in it', 'server', '10.0.0.2', false],
    ['no name asked for', 'server', '', false],
    ['one that signed itself', 'selfSigned', 'server.test', true],
    ['one out of date', 'expired', 'server.test', true],
  ] as const)(
    'SSL-VALIDATE_CERT_HOOK, SSL-SET_PEERNAME %s: ISSUER_UNKNOWN says whether it is to be doubted',
    async (_what, which, peerName, isDoubted) => {
      let seen = -1;
      const hook: SslValidateCertHook = (_type, _argument, _length, _chain, flags) => {
        seen = flags;
        return flags === 0 ? SSL_ERR_OKAY : SSL_ERR_CERT_UNKNOWN;
      };
      const { certificate: cert, key } = certificates[which];
      const { answer } = await connected(hook, { cert, key }, async (s) => {
        if (peerName !== '') await ok(set(a, s, SO_SSL_SET_PEERNAME_OUT, bytes(peerName)));
      });
      expect(seen).toBe(isDoubted ? SSL_CERT_FLAG_ISSUER_UNKNOWN : 0);
      expect(answer).toBe(isDoubted ? -WSAECONNABORTED : 0);
    },
  );

  test('SSL-SEQ-03 without a hook no certificate is taken, and the reason is told', async () => {
    const { answer, s, peer } = await connected(null);
    expect(answer).toBe(-WSAECONNABORTED);
    expect(hosts.reasons.join()).toContain('no validation hook');
    expect(await a.send(s, bytes('secret'))).toBe(-WSAENOTCONN);
    expect(await nextChunk(peer)).toBe('');
  });

  test.each([SSL_ERR_FAILED, SSL_ERR_BAD_DATA, 1, -1, Number.NaN])(
    'SSL-VALIDATE_CERT_HOOK an answer of %s is a refusal; nothing of the application is sent',
    async (verdict) => {
      const { answer, peer } = await connected(() => verdict);
      expect(answer).toBe(-WSAECONNABORTED);
      expect(await nextChunk(peer)).toBe('');
    },
  );

  test('SSL-VALIDATE_CERT_HOOK a hook that throws, or rejects, is a refusal; one that takes time is waited for', async () => {
    const throwing = await connected(() => {
      throw new Error('on purpose');
    });
    expect(throwing.answer).toBe(-WSAECONNABORTED);
    const rejecting = await connected(() => Promise.reject(new Error('on purpose')));
    expect(rejecting.answer).toBe(-WSAECONNABORTED);
    const slow = await connected(() => new Promise((resolve) => setImmediate(() => resolve(SSL_ERR_OKAY))));
    expect(slow.answer).toBe(0);
  });

  test('SSL-AUTH_REQUEST_HOOK a client hands in its certificate', async () => {
    const own = derOf(certificates.client.certificate);
    const hook: SslAuthRequestHook = (_type, _argument, _issuers, length, chain) => {
      chain.value = [own, derOf(certificates.client.key)];
      length.value = 2;
      return SSL_ERR_OKAY;
    };
    const asks = { requestCert: true, rejectUnauthorized: false, ca: certificates.authority.certificate };
    const { s, answer, peer } = await connected(undefined, asks, (s) =>
      ok(set(a, s, SO_SSL_SET_AUTH_REQUEST_HOOK, hookBytes(hook))),
    );
    expect(answer).toBe(0);
    await ok(a.send(s, bytes('me')));
    expect(await nextChunk(peer)).toBe('me');
    expect(new Uint8Array(peer.getPeerCertificate().raw)).toEqual(own);
  });
});

describe('what is spoken', () => {
  test.each([
    ['PCT', SSL_PROTOCOL_PCT1],
    ['SSL 2.0', SSL_PROTOCOL_SSL2],
    ['SSL 3.0', SSL_PROTOCOL_SSL3],
  ])('SSL-PROTOCOLS, SSL-SEQ-04 only %s: WSAEPROTONOSUPPORT with the reason', async (_name, protocol) => {
    const { answer } = await connected(undefined, {}, (s) =>
      ok(set(a, s, SO_SSL_SET_PROTOCOLS, protocols([protocol, 0]))),
    );
    expect(answer).toBe(-WSAEPROTONOSUPPORT);
    expect(hosts.reasons.join()).toContain('must not be negotiated');
  });

  test('SSL-PROTOCOLS TLS 1.2 when only that was asked for; SSL 2.0 beside TLS does not matter', async () => {
    const { s, answer } = await connected(undefined, {}, (s) =>
      ok(
        set(
          a,
          s,
          SO_SSL_SET_PROTOCOLS,
          protocols([SSL_PROTOCOL_SSL2, 0], [SSL_PROTOCOL_TLS1, TLS_VERSION_1_2]),
        ),
      ),
    );
    expect(answer).toBe(0);
    expect((await info(s))?.dwProtocol).toBe(SSL_PROT_TLS1_2_CLIENT);
  });

  test('SSL-PROTOCOLS TLS 1.0 needs the configuration’s consent as well as the application’s wish', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as never;
    const wish = protocols([SSL_PROTOCOL_TLS1, TLS_VERSION_1_0]);
    const without = await connected(undefined, old, (s) => ok(set(a, s, SO_SSL_SET_PROTOCOLS, wish)));
    expect(without.answer).toBe(-WSAEPROTONOSUPPORT);
    expect(hosts.reasons.join()).toContain('oldVersions');
    a = await hosts.winsock('a', tlsLayer({ oldVersions: true }));
    const unasked = await connected(undefined, old);
    expect(unasked.answer).toBe(-WSAEPROTONOSUPPORT);
    const both = await connected(undefined, old, (s) => ok(set(a, s, SO_SSL_SET_PROTOCOLS, wish)));
    expect(both.answer).toBe(0);
    expect((await info(both.s))?.dwProtocol).toBe(SSL_PROT_TLS1_CLIENT);
  });

  test.each([
    [CALG_AES_128, CALG_SHA_256, 128],
    [CALG_AES_256, CALG_SHA_384, 256],
  ])(
    'SSL-CIPHERS, SSL-CONNECTION_INFO ALG_ID %i is what is used',
    async (aiCipher, aiHash, dwCipherStrength) => {
      const { s, answer } = await connected(undefined, {}, (s) =>
        ok(set(a, s, SO_SSL_SET_CIPHERS, ciphers(CALG_RC4, aiCipher))),
      );
      expect(answer).toBe(0);
      expect(await info(s)).toMatchObject({ aiCipher, aiHash, dwCipherStrength, aiExch: CALG_ECDH_EPHEM });
    },
  );

  test('SSL-CIPHERS none that is in use any more, or none that the peer has: WSAEPROTONOSUPPORT', async () => {
    const old = await connected(undefined, {}, (s) => ok(set(a, s, SO_SSL_SET_CIPHERS, ciphers(CALG_RC4))));
    expect(old.answer).toBe(-WSAEPROTONOSUPPORT);
    const others = { ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' } as never;
    const other = await connected(undefined, others);
    expect(other.answer).toBe(0);
    const none = await connected(undefined, others, (s) =>
      ok(set(a, s, SO_SSL_SET_CIPHERS, ciphers(CALG_AES_256))),
    );
    expect(none.answer).toBe(-WSAEPROTONOSUPPORT);
  });

  test('SSL-CLIENT_OPTS sessions are resumed when the application wants a cache, and judged all the same', async () => {
    const resumed: boolean[] = [];
    let judged = 0;
    const hook: SslValidateCertHook = () => {
      judged++;
      return SSL_ERR_OKAY;
    };
    const { s: listener, port } = await bound(b, tcp, ADDRESS_B);
    await ok(b.listen(listener, 5));
    const { createSecureContext } = await import('node:tls');
    const { certificate: cert, key } = certificates.server;
    const secureContext = createSecureContext({ cert, key, maxVersion: 'TLSv1.2' });
    for (let i = 0; i < 3; i++) {
      const s = await secured(a, hook);
      const options = new Uint8Array(12);
      writeSslCacheOpts(options, { CacheTimeout: 60, dwCacheEntries: i < 2 ? 4 : 0, dwFlags: 0 });
      await ok(set(a, s, SO_SSL_SET_CLIENT_OPTS, options));
      const accepted = Promise.resolve(b.accept(listener)).then((c) => nodeServer(b, c, { secureContext }));
      await ok(a.connect(s, name(ADDRESS_B, port)));
      const peer = await accepted;
      resumed.push(peer.isSessionReused());
      await ok(a.send(s, bytes('x')));
      expect(await nextChunk(peer)).toBe('x');
      await ok(a.closesocket(s));
    }
    expect(resumed).toEqual([false, true, false]);
    expect(judged).toBe(3);
  });
});

describe('deferred handshake', () => {
  const deferred = async (): Promise<{ s: number; peer: number }> => {
    const { port, accepted } = await listeningOnce();
    const s = await secured(a);
    await ok(set(a, s, SO_SSL_SET_FLAGS, dword(SSL_FLAG_DEFER_HANDSHAKE)));
    await ok(a.connect(s, name(ADDRESS_B, port)));
    return { s, peer: await accepted };
  };

  test('SSL-SEQ-02, SSL-PERFORM_HANDSHAKE plain bytes first, then TLS on the same connection', async () => {
    const { s, peer } = await deferred();
    await ok(b.send(peer, bytes('220 hello\r\n')));
    expect(await text(a, s)).toBe('220 hello\r\n');
    await ok(a.send(s, bytes('STARTTLS\r\n')));
    expect(await text(b, peer)).toBe('STARTTLS\r\n');
    expect(
      await a.WSAIoctl(s, SO_SSL_GET_CONNECTION_INFO, null, 0, new Uint8Array(28), 28, { value: 0 }),
    ).toBe(-WSAENOTCONN);
    const { certificate: cert, key } = certificates.server;
    const server = nodeServer(b, peer, { cert, key });
    expect(await set(a, s, SO_SSL_PERFORM_HANDSHAKE, bytes('server.test'))).toBe(0);
    await ok(a.send(s, bytes('now secret')));
    expect(await nextChunk(server)).toBe('now secret');
    expect(server.servername).toBe('server.test');
    expect(await set(a, s, SO_SSL_PERFORM_HANDSHAKE, bytes('server.test'))).toBe(-WSAEISCONN);
    expect(await set(a, s, SO_SSL_SET_FLAGS, dword(0))).toBe(-WSAEISCONN);
  });

  test('SSL-PERFORM_HANDSHAKE a refused certificate fails the ioctl, and the connection with it', async () => {
    const { s, peer } = await deferred();
    await ok(
      set(
        a,
        s,
        SO_SSL_SET_VALIDATE_CERT_HOOK,
        hookBytes(() => SSL_ERR_CERT_UNKNOWN),
      ),
    );
    const { certificate: cert, key } = certificates.server;
    nodeServer(b, peer, { cert, key });
    expect(await set(a, s, SO_SSL_PERFORM_HANDSHAKE, bytes(''))).toBe(-WSAECONNABORTED);
    expect(await a.send(s, bytes('secret'))).toBe(-WSAECONNABORTED);
    expect(await text(a, s)).toBe(-WSAECONNABORTED);
  });

  test('SSL-PERFORM_HANDSHAKE not connected: WSAENOTCONN; a name that is none: WSAEINVAL', async () => {
    const s = await secured(a);
    expect(await set(a, s, SO_SSL_PERFORM_HANDSHAKE, bytes('server.test'))).toBe(-WSAENOTCONN);
    expect(await set(a, s, SO_SSL_PERFORM_HANDSHAKE, bytes('a b'))).toBe(-WSAEINVAL);
  });
});

describe('hostile peers', () => {
  test.each([
    ['that speaks no TLS', 'HTTP/1.0 400 Bad Request\r\n\r\n', [-WSAEPROTONOSUPPORT, -WSAECONNABORTED]],
    ['with a record that is too long', `\x16\x03\x03\xff\xff${'x'.repeat(70_000)}`, [-WSAECONNABORTED]],
    ['that ends at once', '', [-WSAECONNRESET]],
  ])('SSL-SEQ-01 one %s: the connect fails', async (_what, words, codes) => {
    const { port, accepted } = await listeningOnce();
    const s = await secured(a);
    const connecting = a.connect(s, name(ADDRESS_B, port));
    const peer = await accepted;
    await b.recv(peer, new Uint8Array(1000));
    if (words !== '') await b.send(peer, bytes(words));
    await b.shutdown(peer, 1);
    expect(codes).toContain(await connecting);
  });

  test('SSL-SEQ-01 one that says nothing: WSAETIMEDOUT when the time is over', async () => {
    a = await hosts.winsock('a', tlsLayer({ handshakeLimit: 50 }));
    const { port, accepted } = await listeningOnce();
    const s = await secured(a);
    expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAETIMEDOUT);
    await accepted;
  });

  test('SSL-SEQ-01 an end without close_notify may be forged: what came is read, then WSAECONNRESET', async () => {
    const { port, accepted } = await listeningOnce();
    const { certificate: cert, key } = certificates.server;
    const s = await secured(a);
    const connecting = a.connect(s, name(ADDRESS_B, port));
    const raw = await accepted;
    const peer = nodeServer(b, raw, { cert, key });
    await ok(connecting);
    peer.write('half of a mess');
    expect(await text(a, s)).toBe('half of a mess');
    await ok(b.shutdown(raw, 1));
    expect(await text(a, s)).toBe(-WSAECONNRESET);
  });

  test('SSL-SEQ-01 a reset is WSAECONNRESET', async () => {
    const { port, accepted } = await listeningOnce();
    const { certificate: cert, key } = certificates.server;
    const s = await secured(a);
    const connecting = a.connect(s, name(ADDRESS_B, port));
    const raw = await accepted;
    nodeServer(b, raw, { cert, key });
    await ok(connecting);
    await ok(b.setsockopt(raw, 0xffff, 0x80, Uint8Array.of(1, 0, 0, 0))); // SO_LINGER, no time
    await ok(b.closesocket(raw));
    expect(await text(a, s)).toBe(-WSAECONNRESET);
  });

  test('SSL-SEQ-04 a server that wants to negotiate anew is refused; the connection goes on as it is', async () => {
    let judged = 0;
    const hook: SslValidateCertHook = () => {
      judged++;
      return SSL_ERR_OKAY;
    };
    const { s, peer } = await connected(hook, { maxVersion: 'TLSv1.2' } as never);
    await ok(a.send(s, bytes('x')));
    expect(await nextChunk(peer)).toBe('x');
    let isRenegotiated = false;
    peer.renegotiate({ rejectUnauthorized: false }, (error) => {
      isRenegotiated ||= error === null;
    });
    peer.write('y');
    expect(await text(a, s)).toBe('y');
    expect([judged, isRenegotiated]).toEqual([1, false]);
  });
});
