/** The proxy provider against proxies that say what a test wants. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  AF_INET6,
  FD_CONNECT,
  FD_CONNECT_BIT,
  IPPROTO_TCP,
  SO_ERROR,
  SOCK_STREAM,
  SOL_SOCKET,
  WSAEACCES,
  WSAEAFNOSUPPORT,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEHOSTUNREACH,
  WSAENETUNREACH,
  WSAEOPNOTSUPP,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
  type WSANETWORKEVENTS,
} from '../../src/abi/index.ts';
import { createProxyLayer, parseProxyConfig } from '../../src/layers/proxy/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, makeCertificates } from '../support/certificates.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { ended, pending, recordWithEvent } from './overlapped-support.ts';
import { bound, listening, name, nameIn, nonBlocking, ok, tcp } from './support.ts';
import {
  dword,
  nextChunk,
  nodeServer,
  secured,
  type TlsHosts,
  text,
  tlsHosts,
  tlsLayer,
} from './tls-support.ts';

/** Where nobody is: it can be reached through a proxy only. */
const FAR = '203.0.113.7';
const SOON = { tv_sec: 5, tv_usec: 0 };

let certificates: Certificates;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());
let hosts: TlsHosts;
let b: Winsock;
/** The proxy, on host b. */
let listener: number;
let port: number;
beforeEach(async () => {
  hosts = await tlsHosts();
  b = await hosts.winsock('b');
  ({ s: listener, port } = await listening(b));
});
afterEach(() => hosts.close());

const latin1 = (value: string): Uint8Array => Buffer.from(value, 'latin1');

/** A Winsock on host a whose far connections go through the proxy. */
function client(type: 'socks5' | 'http', more: object = {}, seconds = 5): Promise<Winsock> {
  const proxies = { test: { type, address: ADDRESS_B, port, ...more } };
  const rules = [
    { to: '10.0.0.0/8', via: 'direct' },
    { to: '*', via: 'test' },
  ];
  return hosts.winsock('a', createProxyLayer(parseProxyConfig({ proxies, rules, seconds })));
}

/** A proxy that expects these bytes, and says those, in turns. @returns the socket to the client, when all was said */
async function proxy(
  ...turns: [expected: Uint8Array | number[], said: Uint8Array | number[]][]
): Promise<number> {
  const s = await ok(b.accept(listener));
  for (const [expected, said] of turns) {
    const into = new Uint8Array(expected.length);
    for (let at = 0; at < into.length; ) {
      const count = await b.recv(s, into.subarray(at));
      if (count <= 0) return s;
      at += count;
    }
    expect([...into]).toEqual([...expected]);
    await b.send(s, Uint8Array.from(said));
  }
  return s;
}

const HELLO: [number[], number[]] = [
  [5, 1, 0],
  [5, 0],
];
const ASK_FAR = [5, 1, 0, 1, 203, 0, 113, 7, 0, 80];
const GRANTED = [5, 0, 0, 1, 10, 0, 0, 2, 4, 5];

describe('SOCKS5', () => {
  test('RFC 1928 §3, §4, §6 the destination is asked for by address; the application sees the destination only', async () => {
    const a = await client('socks5');
    const s = await tcp(a);
    const serving = proxy(HELLO, [ASK_FAR, [...GRANTED, ...latin1('early')]]);
    expect(await a.connect(s, name(FAR, 80))).toBe(0);
    const peer = new Uint8Array(16);
    await ok(a.getpeername(s, peer));
    expect(nameIn(peer)).toEqual({ address: FAR, port: 80 });
    expect(await text(a, s)).toBe('early');
    const t = await serving;
    await ok(a.send(s, latin1('to you')));
    expect(await text(b, t)).toBe('to you');
    await ok(b.send(t, latin1('to me')));
    expect(await text(a, s)).toBe('to me');
    await ok(a.shutdown(s, 1));
    expect(await text(b, t)).toBe('');
    await ok(b.closesocket(t));
    expect(await text(a, s)).toBe('');
  });

  test('RFC 1928 §4, §5 an IPv6 destination; the proxy’s IPv4 address is reached from a socket of AF_INET6', async () => {
    const a = await client('socks5');
    const s = await ok(a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    const far = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    const serving = proxy(HELLO, [
      [5, 1, 0, 4, ...far, 0, 80],
      [5, 0, 0, 3, 2, 0x61, 0x62, 0, 1],
    ]);
    expect(await a.connect(s, name('2001:db8::9', 80))).toBe(0);
    const t = await serving;
    await ok(b.send(t, latin1('x')));
    expect(await text(a, s)).toBe('x');
  });

  test('RFC 1929 §2 name and password when the proxy asks for them', async () => {
    const a = await client('socks5', { user: 'me', password: 'secret' });
    const login = [1, 2, ...latin1('me'), 6, ...latin1('secret')];
    const good = proxy(
      [
        [5, 2, 0, 2],
        [5, 2],
      ],
      [login, [1, 0]],
      [ASK_FAR, GRANTED],
    );
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(0);
    await good;
    void proxy(
      [
        [5, 2, 0, 2],
        [5, 2],
      ],
      [login, [1, 1]],
    );
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-WSAEACCES);
  });

  test.each([
    ['no method is taken', [5, 255], WSAEACCES],
    ['a method is chosen that was not offered', [5, 2], WSAEACCES],
    ['it is SOCKS4', [4, 0], WSAECONNABORTED],
  ])('RFC 1928 §3 %s', async (_what, said, code) => {
    const a = await client('socks5');
    void proxy([[5, 1, 0], said]);
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-code);
  });

  test.each([
    [1, WSAECONNABORTED],
    [2, WSAEACCES],
    [3, WSAENETUNREACH],
    [4, WSAEHOSTUNREACH],
    [5, WSAECONNREFUSED],
    [6, WSAEHOSTUNREACH],
    [7, WSAEOPNOTSUPP],
    [8, WSAEAFNOSUPPORT],
    [99, WSAECONNABORTED],
  ])('RFC 1928 §6 reply %i is WSA code %i, and nothing of the application is sent', async (reply, code) => {
    const a = await client('socks5');
    const serving = proxy(HELLO, [ASK_FAR, [5, reply, 0, 1, 0, 0, 0, 0, 0, 0]]);
    const s = await tcp(a);
    expect(await a.connect(s, name(FAR, 80))).toBe(-code);
    expect(await a.send(s, latin1('secret'))).toBeLessThan(0);
    expect(await text(b, await serving)).toBe('');
  });

  test('RFC 1928 §6 a reply that makes no sense, one that is cut, none at all', async () => {
    const a = await client('socks5', {}, 0.1);
    void proxy(HELLO, [ASK_FAR, [5, 0, 0, 9, 0]]);
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-WSAECONNABORTED);
    void proxy(HELLO, [ASK_FAR, [5, 0, 0]]).then((t) => b.closesocket(t));
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-WSAECONNRESET);
    void proxy(HELLO);
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-WSAETIMEDOUT);
  });

  test('RFC 1928 §6 a proxy that is not there is what the connection to it is', async () => {
    await ok(b.closesocket(listener));
    const a = await client('socks5');
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-WSAECONNREFUSED);
  });
});

describe('HTTP CONNECT', () => {
  const ask = (more = '', host = `${FAR}:80`): Uint8Array =>
    latin1(`CONNECT ${host} HTTP/1.1\r\nHost: ${host}\r\n${more}\r\n`);

  test('RFC 9110 §9.3.6 a 2xx answer opens the tunnel; what comes behind its head is the destination’s', async () => {
    const a = await client('http');
    const s = await tcp(a);
    const serving = proxy([ask(), latin1('HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nearly')]);
    expect(await a.connect(s, name(FAR, 80))).toBe(0);
    expect(await text(a, s)).toBe('early');
    await ok(a.send(s, latin1('GET')));
    expect(await text(b, await serving)).toBe('GET');
  });

  test('RFC 9110 §9.3.6, RFC 7617 §2 an IPv6 destination in brackets; name and password', async () => {
    const a = await client('http', { user: 'me', password: 'secret' });
    const s = await ok(a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP));
    const basic = `Proxy-Authorization: Basic ${Buffer.from('me:secret').toString('base64')}\r\n`;
    void proxy([ask(basic, '[2001:db8::9]:443'), latin1('HTTP/1.0 200\r\n\r\n')]);
    expect(await a.connect(s, name('2001:db8::9', 443))).toBe(0);
  });

  test.each([
    ['HTTP/1.1 407 Proxy Authentication Required', WSAEACCES],
    ['HTTP/1.1 403 Forbidden', WSAEACCES],
    ['HTTP/1.1 400 Bad Request', WSAECONNABORTED],
    ['HTTP/1.1 502 Bad Gateway', WSAEHOSTUNREACH],
    ['HTTP/1.1 504 Gateway Timeout', WSAETIMEDOUT],
    ['SSH-2.0-OpenSSH', WSAECONNABORTED],
  ])('RFC 9110 §9.3.6 "%s" is WSA code %i', async (line, code) => {
    const a = await client('http');
    void proxy([ask(), latin1(`${line}\r\nContent-Length: 0\r\n\r\n`)]);
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-code);
  });

  test('RFC 9110 §9.3.6 a head without an end is given up', async () => {
    const a = await client('http');
    void proxy([ask(), latin1(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(0x5000)}`)]);
    expect(await a.connect(await tcp(a), name(FAR, 80))).toBe(-WSAECONNABORTED);
  });
});

describe('rules and ways to connect', () => {
  test('RFC 1928 §4 what a rule calls direct is untouched', async () => {
    const a = await client('socks5');
    const direct = await bound(b, tcp, ADDRESS_B);
    await ok(b.listen(direct.s, 1));
    const s = await tcp(a);
    await ok(a.connect(s, name(ADDRESS_B, direct.port)));
    const t = await ok(b.accept(direct.s));
    await ok(a.send(s, latin1('plain')));
    expect(await text(b, t)).toBe('plain');
  });

  test('RFC 1928 §4 non-blocking: writable when the proxy has connected; FD_CONNECT with its refusal', async () => {
    const a = await client('socks5');
    const s = await tcp(a);
    await nonBlocking(a, s);
    const serving = proxy(HELLO, [ASK_FAR, GRANTED]);
    expect(await a.connect(s, name(FAR, 80))).toBe(-WSAEWOULDBLOCK);
    expect(await a.select(0, null, { fd_array: [s] }, null, { tv_sec: 0, tv_usec: 0 })).toBe(0);
    expect(await a.select(0, null, { fd_array: [s] }, null, SOON)).toBe(1);
    const t = await serving;
    await ok(a.send(s, latin1('x')));
    expect(await text(b, t)).toBe('x');

    const refused = await tcp(a);
    const event = await ok(a.WSACreateEvent());
    await ok(a.WSAEventSelect(refused, event, FD_CONNECT));
    void proxy(HELLO, [ASK_FAR, [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]]);
    expect(await a.connect(refused, name(FAR, 80))).toBe(-WSAEWOULDBLOCK);
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, 5000)).toBe(0);
    const events: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
    await ok(a.WSAEnumNetworkEvents(refused, event, events));
    expect([events.lNetworkEvents, events.iErrorCode[FD_CONNECT_BIT]]).toEqual([FD_CONNECT, WSAECONNREFUSED]);
    const error = new Uint8Array(4);
    await ok(a.getsockopt(refused, SOL_SOCKET, SO_ERROR, error));
    expect(error).toEqual(dword(WSAECONNREFUSED));
  });

  test('RFC 1928 §4 ConnectEx: the first data goes to the destination', async () => {
    const a = await client('socks5');
    const s = await tcp(a);
    await ok(a.bind(s, name(ADDRESS_A, 0)));
    const connecting = await recordWithEvent(a);
    const serving = proxy(HELLO, [ASK_FAR, GRANTED]);
    await pending(a.ConnectEx(s, name(FAR, 80), 16, latin1('early'), 5, null, connecting));
    expect(await ended(a, s, connecting)).toEqual([0, 5]);
    expect(await text(b, await serving)).toBe('early');
  });

  test('RFC 1928 §4, SSL-SEQ-01 under the TLS provider: the handshake is with the destination, through the proxy', async () => {
    const proxies = { test: { type: 'socks5', address: ADDRESS_B, port } };
    const config = parseProxyConfig({ proxies, rules: [{ to: '*', via: 'test' }] });
    const a = await hosts.winsock('a', createProxyLayer(config), tlsLayer());
    const { certificate: cert, key } = certificates.selfSigned;
    const serving = proxy(HELLO, [ASK_FAR, GRANTED]).then((t) => nodeServer(b, t, { cert, key }));
    const s = await secured(a);
    expect(await a.connect(s, name(FAR, 80))).toBe(0);
    const peer = await serving;
    await ok(a.send(s, latin1('secret')));
    expect(await nextChunk(peer)).toBe('secret');
    peer.end('bye');
    expect(await text(a, s)).toBe('bye');
    expect(await text(a, s)).toBe('');
  });
});
