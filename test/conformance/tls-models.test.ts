/** Secure sockets in the ways that Winsock has to wait: blocking, non-blocking with select, events and messages, overlapped. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  FD_CLOSE,
  FD_CONNECT,
  FD_CONNECT_BIT,
  FD_READ,
  FD_WRITE,
  FIONREAD,
  MSG_PEEK,
  MSG_WAITALL,
  POLLHUP,
  POLLRDNORM,
  POLLWRNORM,
  SO_ERROR,
  SO_RCVTIMEO,
  SO_SSL_SET_AUTH_REQUEST_HOOK,
  SO_SSL_SET_FLAGS,
  SO_SSL_SET_VALIDATE_CERT_HOOK,
  SOL_SOCKET,
  SSL_ERR_FAILED,
  SSL_ERR_OKAY,
  SSL_FLAG_SERVER,
  WSA_OPERATION_ABORTED,
  WSAEALREADY,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAEISCONN,
  WSAENOTCONN,
  WSAEOPNOTSUPP,
  WSAESHUTDOWN,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
  type WSANETWORKEVENTS,
} from '../../src/abi/index.ts';
import type { SslAuthRequestHook } from '../../src/layers/tls/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { type Certificates, derOf, makeCertificates } from '../support/certificates.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { ended, packet, pending, portOf, record, recordWithEvent, started } from './overlapped-support.ts';
import { localName, name, nonBlocking, ok, tcp, udp } from './support.ts';
import {
  dword,
  hookBytes,
  secured,
  set,
  type TlsHosts,
  text,
  tlsHosts,
  tlsLayer,
  WAYS,
} from './tls-support.ts';

let certificates: Certificates;
let hosts: TlsHosts;
let a: Winsock;
let b: Winsock;
beforeAll(() => {
  certificates = makeCertificates();
});
afterAll(() => certificates.remove());
const bytes = (value: string): Uint8Array => Buffer.from(value, 'latin1');
const SOON = { tv_sec: 5, tv_usec: 0 };
const NOW = { tv_sec: 0, tv_usec: 0 };

const ownCertificate: SslAuthRequestHook = (_type, _argument, _issuers, length, chain) => {
  chain.value = [derOf(certificates.server.certificate), derOf(certificates.server.key)];
  length.value = 2;
  return SSL_ERR_OKAY;
};

async function secureListener(): Promise<{ listener: number; port: number }> {
  const listener = await secured(b, null);
  await ok(set(b, listener, SO_SSL_SET_FLAGS, dword(SSL_FLAG_SERVER)));
  await ok(set(b, listener, SO_SSL_SET_AUTH_REQUEST_HOOK, hookBytes(ownCertificate)));
  await ok(b.bind(listener, name(ADDRESS_B, 0)));
  await ok(b.listen(listener, 5));
  return { listener, port: (await localName(b, listener)).port };
}

/** A connected pair of secure sockets: on host a, on host b. */
async function pair(): Promise<{ s: number; t: number }> {
  const { listener, port } = await secureListener();
  const s = await secured(a);
  const accepting = b.accept(listener);
  await ok(a.connect(s, name(ADDRESS_B, port)));
  return { s, t: await ok(accepting) };
}

/** The events that come on a socket until all of `wanted` are there. */
async function eventsOf(ws: Winsock, s: number, event: number, wanted: number): Promise<WSANETWORKEVENTS> {
  const all: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: new Array<number>(10).fill(0) };
  while ((all.lNetworkEvents & wanted) !== wanted) {
    expect(await ws.WSAWaitForMultipleEvents(1, [event], true, 5000)).toBe(0);
    const some: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
    await ok(ws.WSAEnumNetworkEvents(s, event, some));
    all.lNetworkEvents |= some.lNetworkEvents;
    for (const [bit, error] of some.iErrorCode.entries()) if (error !== 0) all.iErrorCode[bit] = error;
  }
  return all;
}

describe.each(WAYS)('%s', (way) => {
  beforeEach(async () => {
    hosts = await tlsHosts(way);
    [a, b] = [await hosts.winsock('a', tlsLayer()), await hosts.winsock('b', tlsLayer())];
  });
  afterEach(() => hosts.close());

  describe('non-blocking', () => {
    test('SSL-SEQ-01 connect, select: writable when the handshake is done, not when TCP is connected', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a);
      await nonBlocking(a, s);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEALREADY);
      expect(await a.send(s, bytes('x'))).toBe(-WSAENOTCONN);
      const writable = { fd_array: [s] };
      expect(await a.select(0, null, writable, null, NOW)).toBe(0);
      const accepting = b.accept(listener);
      writable.fd_array = [s];
      expect(await a.select(0, null, writable, null, SOON)).toBe(1);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEISCONN);
      const t = await ok(accepting);
      expect(await a.recv(s, new Uint8Array(4))).toBe(-WSAEWOULDBLOCK);
      await ok(b.send(t, bytes('hi')));
      const readable = { fd_array: [s] };
      expect(await a.select(0, readable, null, null, SOON)).toBe(1);
      expect(await text(a, s)).toBe('hi');
    });

    test('SSL-SEQ-01, SSL-VALIDATE_CERT_HOOK a failed handshake is a failed connect: the third set, SO_ERROR', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a, () => SSL_ERR_FAILED);
      await nonBlocking(a, s);
      void b.accept(listener);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
      const [writable, failed] = [{ fd_array: [s] }, { fd_array: [s] }];
      expect(await a.select(0, null, writable, failed, SOON)).toBe(1);
      expect([writable.fd_array, failed.fd_array]).toEqual([[], [s]]);
      const error = new Uint8Array(4);
      await ok(a.getsockopt(s, SOL_SOCKET, SO_ERROR, error));
      expect(error).toEqual(dword(WSAECONNABORTED));
    });

    test('SSL-SEQ-01 select over secure and plain sockets, whichever is ready', async () => {
      const { s, t } = await pair();
      const plain = await udp(a);
      await ok(a.bind(plain, name(ADDRESS_A, 0)));
      const { port } = await localName(a, plain);
      const readable = { fd_array: [s, plain] };
      const selecting = a.select(0, readable, null, null, SOON);
      const sender = await udp(b);
      await ok(b.sendto(sender, bytes('x'), 1, 0, name(ADDRESS_A, port)));
      expect(await selecting).toBe(1);
      expect(readable.fd_array).toEqual([plain]);
      await text(a, plain);
      readable.fd_array = [plain, s];
      const again = a.select(0, readable, null, null, SOON);
      await ok(b.send(t, bytes('y')));
      expect(await again).toBe(1);
      expect(readable.fd_array).toEqual([s]);
      readable.fd_array = [plain];
      expect(await a.select(0, readable, null, null, NOW)).toBe(0);
    });

    test('SSL-SEQ-01 WSAPoll tells the layer’s readiness, not that of the bytes below', async () => {
      const { s, t } = await pair();
      const fds = [{ fd: s, events: POLLRDNORM | POLLWRNORM, revents: 0 }];
      expect(await a.WSAPoll(fds, 1, 0)).toBe(1);
      expect(fds[0]?.revents).toBe(POLLWRNORM);
      await ok(b.send(t, bytes('hi')));
      const reading = [{ fd: s, events: POLLRDNORM, revents: 0 }];
      expect(await a.WSAPoll(reading, 1, 5000)).toBe(1);
      expect(reading[0]?.revents).toBe(POLLRDNORM);
      await text(a, s);
      // The end is a record of TLS: it is told as the end, not as something to read.
      await ok(b.closesocket(t));
      expect(await a.WSAPoll(reading, 1, 5000)).toBe(1);
      expect(reading[0]?.revents).toBe(POLLHUP);
    });

    test('SSL-SEQ-01 a send that finds no room is WSAEWOULDBLOCK; FD_WRITE says when there is some again', async () => {
      const { s, t } = await pair();
      const event = await ok(a.WSACreateEvent());
      await ok(a.WSAEventSelect(s, event, FD_WRITE));
      await eventsOf(a, s, event, FD_WRITE);
      const chunk = Buffer.alloc(0x8000, 'x');
      let sent = 0;
      for (;;) {
        const count = await a.send(s, chunk);
        if (count === -WSAEWOULDBLOCK) break;
        expect(count).toBeGreaterThan(0);
        sent += count;
        expect(sent).toBeLessThan(1 << 24);
      }
      let received = 0;
      const reading = (async () => {
        while (received < sent) received += await ok(b.recv(t, new Uint8Array(0x1_0000)));
      })();
      await eventsOf(a, s, event, FD_WRITE);
      expect(await a.send(s, bytes('more'))).toBe(4);
      await reading;
    }, 20_000);
  });

  describe('events', () => {
    test('SSL-SEQ-01 FD_CONNECT after the handshake, FD_WRITE, FD_READ again after a receive, FD_CLOSE', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a);
      const event = await ok(a.WSACreateEvent());
      await ok(a.WSAEventSelect(s, event, FD_CONNECT | FD_READ | FD_WRITE | FD_CLOSE));
      const accepting = b.accept(listener);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
      const first = await eventsOf(a, s, event, FD_CONNECT | FD_WRITE);
      expect(first.lNetworkEvents).toBe(FD_CONNECT | FD_WRITE);
      const t = await ok(accepting);
      await ok(b.send(t, bytes('abcdef')));
      await eventsOf(a, s, event, FD_READ);
      expect(await text(a, s, 3)).toBe('abc');
      await eventsOf(a, s, event, FD_READ); // some is left
      expect(await text(a, s)).toBe('def');
      await ok(b.closesocket(t));
      const last = await eventsOf(a, s, event, FD_CLOSE);
      expect(last.lNetworkEvents).toBe(FD_CLOSE);
      expect(await text(a, s)).toBe('');
    });

    test('SSL-SEQ-01 the same as messages of WSAAsyncSelect, which name the secure socket', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a);
      const hWnd = await ok(a.CreateWindow());
      await ok(a.WSAAsyncSelect(s, hWnd, 0x8001, FD_CONNECT | FD_READ | FD_CLOSE));
      const accepting = b.accept(listener);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
      const next = async (): Promise<unknown[]> => {
        const msg = { hwnd: -1, message: -1, wParam: -1, lParam: -1, time: -1 };
        expect(await a.GetMessage(msg)).toBe(1);
        return [msg.hwnd, msg.message, msg.wParam, msg.lParam];
      };
      expect(await next()).toEqual([hWnd, 0x8001, s, FD_CONNECT]);
      const t = await ok(accepting);
      await ok(b.send(t, bytes('hi')));
      expect(await next()).toEqual([hWnd, 0x8001, s, FD_READ]);
      expect(await text(a, s)).toBe('hi');
      await ok(b.closesocket(t));
      expect(await next()).toEqual([hWnd, 0x8001, s, FD_CLOSE]);
    });

    test('SSL-VALIDATE_CERT_HOOK FD_CONNECT carries why the handshake failed', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a, () => SSL_ERR_FAILED);
      const event = await ok(a.WSACreateEvent());
      await ok(a.WSAEventSelect(s, event, FD_CONNECT | FD_CLOSE));
      void b.accept(listener);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
      const { lNetworkEvents, iErrorCode } = await eventsOf(a, s, event, FD_CONNECT);
      expect([lNetworkEvents, iErrorCode[FD_CONNECT_BIT]]).toEqual([FD_CONNECT, WSAECONNABORTED]);
    });
  });

  describe('overlapped', () => {
    test('SSL-SEQ-01 receives and sends complete by event, by routine and at a port', async () => {
      const { s, t } = await pair();
      const byEvent = await recordWithEvent(a);
      const into = new Uint8Array(9);
      await pending(a.WSARecv(s, [into], 1, null, { value: 0 }, byEvent));
      const sending = await recordWithEvent(b);
      await started(b.WSASend(t, [bytes('one '), bytes('two')], 2, null, 0, sending));
      expect(await ended(b, t, sending)).toEqual([0, 7]);
      expect(await ended(a, s, byEvent)).toEqual([0, 7]);
      expect(Buffer.from(into.subarray(0, 7)).toString()).toBe('one two');

      const ran: unknown[] = [];
      const byRoutine = record();
      await pending(
        a.WSARecv(s, [into], 1, null, { value: 0 }, byRoutine, (error, count, lpOverlapped) => {
          ran.push(error, count, lpOverlapped === byRoutine);
        }),
      );
      await ok(b.send(t, bytes('three')));
      await a.SleepEx(5000, true);
      expect(ran).toEqual([0, 5, true]);

      const port = await portOf(a, s, 9);
      const atPort = record();
      await pending(a.WSARecv(s, [into], 1, null, { value: 0 }, atPort));
      await ok(b.send(t, bytes('four')));
      expect(await packet(a, port)).toEqual({ answer: 1, bytes: 4, key: 9, lpOverlapped: atPort });
    });

    test('SSL-SEQ-01 ConnectEx completes after the handshake, with the bytes sent', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a);
      await ok(a.bind(s, name(ADDRESS_A, 0)));
      const connecting = await recordWithEvent(a);
      const accepting = b.accept(listener);
      await pending(a.ConnectEx(s, name(ADDRESS_B, port), 16, bytes('early'), 5, null, connecting));
      expect(await ended(a, s, connecting)).toEqual([0, 5]);
      expect(await text(b, await ok(accepting))).toBe('early');
    });

    test('SSL-SEQ-03 ConnectEx without a hook fails in its completion', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a, null);
      await ok(a.bind(s, name(ADDRESS_A, 0)));
      const connecting = await recordWithEvent(a);
      void b.accept(listener);
      await pending(a.ConnectEx(s, name(ADDRESS_B, port), 16, null, 0, null, connecting));
      expect(await ended(a, s, connecting)).toEqual([WSAECONNABORTED, 0]);
    });

    test('SSL-SEQ-01 what waits is cancelled by CancelIoEx, and by closing', async () => {
      const { s, t } = await pair();
      const first = await recordWithEvent(a);
      await pending(a.WSARecv(s, [new Uint8Array(9)], 1, null, { value: 0 }, first));
      expect(await a.CancelIoEx(s, first)).toBe(1);
      expect(await ended(a, s, first)).toEqual([WSA_OPERATION_ABORTED, 0]);
      // All that the application has under way, and nothing of the provider's.
      expect(await a.CancelIoEx(s, null)).toBeLessThan(0);
      await ok(a.CancelIo(s));
      await ok(b.send(t, bytes('later')));
      expect(await text(a, s)).toBe('later');
      const second = await recordWithEvent(a);
      await pending(a.WSARecv(s, [new Uint8Array(9)], 1, null, { value: 0 }, second));
      await ok(a.closesocket(s));
      expect(await a.WSAWaitForMultipleEvents(1, [second.hEvent], true, 5000)).toBe(0);
      expect(second.Internal).not.toBe(0x103);
    });
  });

  describe('blocking', () => {
    test('SSL-SEQ-01 both directions at once: a receive that waits holds up no send', async () => {
      const { s, t } = await pair();
      const receiving = text(a, s);
      await ok(a.send(s, bytes('question')));
      expect(await text(b, t)).toBe('question');
      await ok(b.send(t, bytes('answer')));
      expect(await receiving).toBe('answer');
    });

    test('SSL-SEQ-01 SO_RCVTIMEO, MSG_PEEK, MSG_WAITALL, FIONREAD', async () => {
      const { s, t } = await pair();
      await ok(a.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, dword(20)));
      expect(await text(a, s)).toBe(-WSAETIMEDOUT);
      await ok(a.setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, dword(0)));
      const all = new Uint8Array(6);
      const whole = a.recv(s, all, 6, MSG_WAITALL);
      await ok(b.send(t, bytes('abc')));
      await ok(b.send(t, bytes('defg')));
      expect(await whole).toBe(6);
      expect(Buffer.from(all).toString()).toBe('abcdef');
      expect(await a.recv(s, all, 6, MSG_PEEK)).toBe(1);
      const waiting = { value: 0 };
      await ok(a.ioctlsocket(s, FIONREAD, waiting));
      expect(waiting.value).toBe(1);
      expect(await text(a, s)).toBe('g');
    });

    test('SSL-SEQ-01 a refused connection is WSAECONNREFUSED as ever, and the socket can try again', async () => {
      const s = await secured(a);
      expect(await a.connect(s, name(ADDRESS_B, 9))).toBe(-WSAECONNREFUSED);
      const { listener, port } = await secureListener();
      void b.accept(listener);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(0);
    });

    test('SSL-SEQ-01 after shutdown a send is WSAESHUTDOWN', async () => {
      const { s } = await pair();
      await ok(a.shutdown(s, 2));
      expect(await a.send(s, bytes('x'))).toBe(-WSAESHUTDOWN);
      expect(await text(a, s)).toBe(-WSAESHUTDOWN);
    });

    test('SSL-SEQ-01 nothing gets past the cipher: duplication and registered I/O are WSAEOPNOTSUPP', async () => {
      const { s } = await pair();
      expect(await a.WSADuplicateSocket(s, process.pid, { value: null })).toBe(-WSAEOPNOTSUPP);
      expect(await a.RIOCreateRequestQueue(s, 1, 1, 1, 1, 0, 0, null)).toBe(-WSAEOPNOTSUPP);
    });

    test('SEM-SHUT-01, SSL-SEQ-01 sends that wait go out before the end, which shutdown only queues', async () => {
      const { s, t } = await pair();
      const sent = Buffer.alloc(500_000, 'abc');
      const sending = await recordWithEvent(a);
      await pending(a.WSASend(s, [sent], 1, null, 0, sending));
      await ok(a.shutdown(s, 1));
      expect(await a.send(s, bytes('x'))).toBe(-WSAESHUTDOWN);
      let count = 0;
      for (let got = 1; got > 0; count += got) got = await ok(b.recv(t, new Uint8Array(0x1_0000)));
      expect(count).toBe(sent.length);
      expect(await ended(a, s, sending)).toEqual([0, sent.length]);
    });

    test('SSL-SEQ-01 a hook may use Winsock while the handshake waits for it', async () => {
      const { listener, port } = await secureListener();
      const s = await secured(a, async () => {
        const other = await tcp(a);
        await ok(a.closesocket(other));
        return SSL_ERR_OKAY;
      });
      void b.accept(listener);
      expect(await a.connect(s, name(ADDRESS_B, port))).toBe(0);
      expect(await set(a, s, SO_SSL_SET_VALIDATE_CERT_HOOK, new Uint8Array(8))).toBe(-WSAEISCONN);
    });
  });
});
