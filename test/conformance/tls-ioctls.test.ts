/** SO_SECURE and the SO_SSL_* control codes: what each takes and gives, with its lengths and errors, with the TLS provider and without. */

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CALG_AES_128,
  readSslCiphers,
  readSslProtocols,
  SO_SEC_NONE,
  SO_SEC_SSL,
  SO_SECURE,
  SO_SSL_GET_AUTH_REQUEST_HOOK,
  SO_SSL_GET_CAPABILITIES,
  SO_SSL_GET_CIPHERS,
  SO_SSL_GET_CLIENT_AUTH_OPTS,
  SO_SSL_GET_CLIENT_OPTS,
  SO_SSL_GET_CONNECTION_INFO,
  SO_SSL_GET_FLAGS,
  SO_SSL_GET_KEY_EXCH_HOOK,
  SO_SSL_GET_PROTOCOLS,
  SO_SSL_GET_SERVER_OPTS,
  SO_SSL_GET_SIGNATURE_HOOK,
  SO_SSL_GET_VALIDATE_CERT_HOOK,
  SO_SSL_PERFORM_HANDSHAKE,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_CIPHERS,
  SO_SSL_SET_CLIENT_AUTH_OPTS,
  SO_SSL_SET_CLIENT_OPTS,
  SO_SSL_SET_FLAGS,
  SO_SSL_SET_KEY_EXCH_HOOK,
  SO_SSL_SET_PEERNAME,
  SO_SSL_SET_PEERNAME_OUT,
  SO_SSL_SET_PROTOCOLS,
  SO_SSL_SET_SERVER_OPTS,
  SO_SSL_SET_SIGNATURE_HOOK,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SOL_SOCKET,
  SSL_CERT_X509,
  SSL_PROTOCOL_SSL3,
  SSL_PROTOCOL_TLS1,
  sslCiphersLength,
  sslProtocolsLength,
  WSAEFAULT,
  WSAEINVAL,
  WSAEISCONN,
  WSAENOPROTOOPT,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  writeSslCacheOpts,
  writeSslCiphers,
  writeSslClientAuthOpts,
  writeSslProtocols,
} from '../../src/abi/index.ts';
import { putI32le } from '../../src/base/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A } from './attachment.ts';
import { listening, name, ok, overEveryAttachment, tcp, udp } from './support.ts';
import {
  dword,
  get,
  hookBytes,
  passThrough,
  set,
  type TlsHosts,
  takeAll,
  tlsHosts,
  tlsLayer,
} from './tls-support.ts';

/** The codes that set something, each with a value that is taken. */
const PROTOCOLS = new Uint8Array(sslProtocolsLength(1));
writeSslProtocols(PROTOCOLS, [{ dwProtocol: SSL_PROTOCOL_TLS1, dwVersion: 0, dwFlags: 0 }]);
const CIPHERS = new Uint8Array(sslCiphersLength(1));
writeSslCiphers(CIPHERS, { dwProtocol: SSL_PROTOCOL_TLS1, CipherList: [CALG_AES_128] });
const CACHE = new Uint8Array(12);
writeSslCacheOpts(CACHE, { CacheTimeout: 60, dwCacheEntries: 5, dwFlags: 1 });
const AUTH = new Uint8Array(24 + 8 + 3);
writeSslClientAuthOpts(AUTH, {
  dwRequestClientAuth: 1,
  dwRedoHandshake: 0,
  dwType: SSL_CERT_X509,
  pIssuerList: [Uint8Array.of(1, 2, 3)],
  dwFlags: 0,
});
const HOOK = hookBytes(takeAll, 77);

/** [id, set code, get code, value] */
const SETTINGS: readonly (readonly [string, number, number, Uint8Array])[] = [
  ['SSL-FLAGS', SO_SSL_SET_FLAGS, SO_SSL_GET_FLAGS, dword(0xe)],
  ['SSL-PROTOCOLS', SO_SSL_SET_PROTOCOLS, SO_SSL_GET_PROTOCOLS, PROTOCOLS],
  ['SSL-CLIENT_OPTS', SO_SSL_SET_CLIENT_OPTS, SO_SSL_GET_CLIENT_OPTS, CACHE],
  ['SSL-SERVER_OPTS', SO_SSL_SET_SERVER_OPTS, SO_SSL_GET_SERVER_OPTS, CACHE],
  ['SSL-CLIENT_AUTH_OPTS', SO_SSL_SET_CLIENT_AUTH_OPTS, SO_SSL_GET_CLIENT_AUTH_OPTS, AUTH],
  ['SSL-VALIDATE_CERT_HOOK', SO_SSL_SET_VALIDATE_CERT_HOOK, SO_SSL_GET_VALIDATE_CERT_HOOK, HOOK],
  ['SSL-AUTH_REQUEST_HOOK', SO_SSL_SET_AUTH_REQUEST_HOOK, SO_SSL_GET_AUTH_REQUEST_HOOK, HOOK],
];

let hosts: TlsHosts;
let ws: Winsock;
beforeEach(async () => {
  hosts = await tlsHosts();
  ws = await hosts.winsock('a', tlsLayer());
});
afterEach(() => hosts.close());

describe('with the TLS provider', () => {
  test.each(SETTINGS)('IOC-SSL, %s is got as it was set', async (_id, setCode, getCode, value) => {
    const s = await tcp(ws);
    expect(await set(ws, s, setCode, value)).toBe(0);
    expect(await get(ws, s, getCode, 100)).toEqual(value);
  });

  test.each(SETTINGS)(
    '%s short or absent parameters and results are WSAEFAULT',
    async (_id, setCode, getCode, value) => {
      const s = await tcp(ws);
      for (const input of [new Uint8Array(0), value.subarray(0, value.length - 1)]) {
        expect(await set(ws, s, setCode, input)).toBe(-WSAEFAULT);
      }
      const returned = { value: 0 };
      expect(await ws.WSAIoctl(s, setCode, null, 0, null, 0, returned)).toBe(-WSAEFAULT);
      // A length that reaches past the memory.
      expect(await ws.WSAIoctl(s, setCode, value, value.length + 1, null, 0, returned)).toBe(-WSAEFAULT);
      await ok(set(ws, s, setCode, value));
      expect(await ws.WSAIoctl(s, getCode, null, 0, null, 0, returned)).toBe(-WSAEFAULT);
      const room = new Uint8Array(value.length - 1);
      expect(await ws.WSAIoctl(s, getCode, null, 0, room, room.length, returned)).toBe(-WSAEFAULT);
      expect(room.every((byte) => byte === 0)).toBe(true);
    },
  );

  test('SSL-GET_CAPABILITIES client, server and client certificates', async () => {
    expect(await get(ws, await tcp(ws), SO_SSL_GET_CAPABILITIES, 4)).toEqual(dword(7));
  });

  test('SSL-CIPHERS get takes the protocol; of those that are names only there are none', async () => {
    const s = await tcp(ws);
    expect(await set(ws, s, SO_SSL_SET_CIPHERS, CIPHERS.subarray(0, 11))).toBe(-WSAEFAULT);
    expect(await set(ws, s, SO_SSL_SET_CIPHERS, new Uint8Array(8))).toBe(-WSAEINVAL);
    await ok(set(ws, s, SO_SSL_SET_CIPHERS, CIPHERS));
    const known = await get(ws, s, SO_SSL_GET_CIPHERS, 100, dword(SSL_PROTOCOL_TLS1));
    expect(readSslCiphers(known)?.CipherList).toEqual([CALG_AES_128]);
    const none = await get(ws, s, SO_SSL_GET_CIPHERS, 100, dword(SSL_PROTOCOL_SSL3));
    expect(readSslCiphers(none)).toEqual({ dwProtocol: SSL_PROTOCOL_SSL3, CipherList: [] });
    const into = new Uint8Array(100);
    const asking = (input: Uint8Array | null): number | Promise<number> =>
      ws.WSAIoctl(s, SO_SSL_GET_CIPHERS, input, input?.length ?? 0, into, 100, { value: 0 });
    expect(await asking(null)).toBe(-WSAEFAULT);
    expect(await asking(dword(0))).toBe(-WSAEINVAL);
    expect(await asking(dword(5))).toBe(-WSAEINVAL);
  });

  test('SSL-PROTOCOLS TLS 1.2 and 1.3 when nothing was asked for; protocols that there never were are WSAEINVAL', async () => {
    const s = await tcp(ws);
    const list = readSslProtocols(await get(ws, s, SO_SSL_GET_PROTOCOLS, 100));
    expect(list?.map(({ dwVersion }) => dwVersion)).toEqual([0x303, 0x304]);
    const wrong = PROTOCOLS.slice();
    putI32le(wrong, 4, 9);
    expect(await set(ws, s, SO_SSL_SET_PROTOCOLS, wrong)).toBe(-WSAEINVAL);
    expect(await set(ws, s, SO_SSL_SET_PROTOCOLS, dword(0))).toBe(-WSAEINVAL);
    putI32le(wrong, 0, 0x7fff_ffff);
    expect(await set(ws, s, SO_SSL_SET_PROTOCOLS, wrong)).toBe(-WSAEFAULT);
  });

  test('SSL-FLAGS bits that have no meaning are WSAEINVAL', async () => {
    expect(await set(ws, await tcp(ws), SO_SSL_SET_FLAGS, dword(0x10))).toBe(-WSAEINVAL);
  });

  test('SSL-CLIENT_AUTH_OPTS a second handshake is WSAEOPNOTSUPP, another type WSAEINVAL', async () => {
    const s = await tcp(ws);
    const again = AUTH.slice();
    putI32le(again, 4, 1);
    expect(await set(ws, s, SO_SSL_SET_CLIENT_AUTH_OPTS, again)).toBe(-WSAEOPNOTSUPP);
    const other = AUTH.slice();
    putI32le(other, 8, 2);
    expect(await set(ws, s, SO_SSL_SET_CLIENT_AUTH_OPTS, other)).toBe(-WSAEINVAL);
  });

  test('SSL-VALIDATE_CERT_HOOK a pointer to no function is WSAEFAULT, NULL takes the hook away', async () => {
    const s = await tcp(ws);
    const wild = HOOK.slice();
    putI32le(wild, 0, 0x1234_5678);
    expect(await set(ws, s, SO_SSL_SET_VALIDATE_CERT_HOOK, wild)).toBe(-WSAEFAULT);
    expect(await set(ws, s, SO_SSL_SET_VALIDATE_CERT_HOOK, new Uint8Array(8))).toBe(0);
  });

  test.each([SO_SSL_SET_PEERNAME, SO_SSL_SET_PEERNAME_OUT])(
    'SSL-SET_PEERNAME %i takes a name with or without its closing zero, and no text that is none',
    async (code) => {
      const s = await tcp(ws);
      for (const good of ['server.test', 'server.test\0', '10.0.0.1', '']) {
        expect(await set(ws, s, code, Buffer.from(good))).toBe(0);
      }
      for (const bad of ['a b', 'a\nb', 'caf\u00e9', 'x'.repeat(256)]) {
        expect(await set(ws, s, code, Buffer.from(bad, 'latin1'))).toBe(-WSAEINVAL);
      }
    },
  );

  test('SSL-KEYSIG_HOOK RSA in the application is WSAEOPNOTSUPP, as is a code of the family that is none', async () => {
    const s = await tcp(ws);
    for (const code of [SO_SSL_SET_KEY_EXCH_HOOK, SO_SSL_SET_SIGNATURE_HOOK, 0x9073000c, 0x10730099]) {
      expect(await set(ws, s, code, HOOK)).toBe(-WSAEOPNOTSUPP);
    }
    for (const code of [SO_SSL_GET_KEY_EXCH_HOOK, SO_SSL_GET_SIGNATURE_HOOK]) {
      expect(await ws.WSAIoctl(s, code, null, 0, new Uint8Array(8), 8, { value: 0 })).toBe(-WSAEOPNOTSUPP);
    }
  });

  test('IOC-SSL none of them is overlapped: WSAEOPNOTSUPP', async () => {
    const s = await tcp(ws);
    const overlapped = { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: 0 };
    for (const [, setCode, , value] of SETTINGS) {
      expect(await ws.WSAIoctl(s, setCode, value, value.length, null, 0, { value: 0 }, overlapped)).toBe(
        -WSAEOPNOTSUPP,
      );
    }
  });

  test('SSL-CONNECTION_INFO without a connection is WSAENOTCONN', async () => {
    const into = new Uint8Array(28);
    expect(
      await ws.WSAIoctl(await tcp(ws), SO_SSL_GET_CONNECTION_INFO, null, 0, into, 28, { value: 0 }),
    ).toBe(-WSAENOTCONN);
  });

  test('SSL-SEQ-01 SO_SECURE takes its two values, before connect; datagram sockets do not know it', async () => {
    const s = await tcp(ws);
    const value = new Uint8Array(4);
    await ok(ws.getsockopt(s, SOL_SOCKET, SO_SECURE, value));
    expect(value).toEqual(dword(SO_SEC_NONE));
    expect(await ws.setsockopt(s, SOL_SOCKET, SO_SECURE, dword(SO_SEC_SSL))).toBe(0);
    await ok(ws.getsockopt(s, SOL_SOCKET, SO_SECURE, value));
    expect(value).toEqual(dword(SO_SEC_SSL));
    expect(await ws.setsockopt(s, SOL_SOCKET, SO_SECURE, dword(1))).toBe(-WSAEINVAL);
    expect(await ws.setsockopt(s, SOL_SOCKET, SO_SECURE, value.subarray(0, 3), 3)).toBe(-WSAEFAULT);
    expect(await ws.setsockopt(s, SOL_SOCKET, SO_SECURE, null, 4)).toBe(-WSAEFAULT);
    expect(await ws.setsockopt(await udp(ws), SOL_SOCKET, SO_SECURE, dword(SO_SEC_SSL))).toBe(
      -WSAENOPROTOOPT,
    );
    const { port } = await listening(ws);
    const plain = await tcp(ws);
    await ok(ws.connect(plain, name(ADDRESS_A, port)));
    expect(await ws.setsockopt(plain, SOL_SOCKET, SO_SECURE, dword(SO_SEC_SSL))).toBe(-WSAEISCONN);
    expect(await ws.setsockopt(plain, SOL_SOCKET, SO_SECURE, dword(SO_SEC_NONE))).toBe(0);
  });
});

describe('beside other layers', () => {
  test('SSL-FLAGS settings are a socket’s own, over and under another layer too', async () => {
    const other = passThrough({ handles: 'own' }).startup;
    for (const layers of [
      [other, tlsLayer()],
      [tlsLayer(), other],
    ]) {
      const both = await hosts.winsock('a', ...layers);
      const [first, second] = [await tcp(both), await tcp(both)];
      await ok(set(both, first, SO_SSL_SET_FLAGS, dword(8)));
      expect(await get(both, first, SO_SSL_GET_FLAGS, 4)).toEqual(dword(8));
      expect(await get(both, second, SO_SSL_GET_FLAGS, 4)).toEqual(dword(0));
    }
  });
});

overEveryAttachment('without the TLS provider', (pair) => {
  test('IOC-SSL, WM-12 as on the desktop: SO_SECURE is WSAENOPROTOOPT, the control codes WSAEOPNOTSUPP', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.setsockopt(s, SOL_SOCKET, SO_SECURE, dword(SO_SEC_SSL))).toBe(-WSAENOPROTOOPT);
    for (const [, setCode, getCode, value] of SETTINGS) {
      expect(await set(a, s, setCode, value)).toBe(-WSAEOPNOTSUPP);
      expect(await a.WSAIoctl(s, getCode, null, 0, new Uint8Array(100), 100, { value: 0 })).toBe(
        -WSAEOPNOTSUPP,
      );
    }
    expect(await set(a, s, SO_SSL_PERFORM_HANDSHAKE, Buffer.from('x'))).toBe(-WSAEOPNOTSUPP);
  });
});
