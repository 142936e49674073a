import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_UNICAST_HOPS,
  IPV6_V6ONLY,
  readSockaddr,
  SIO_ADDRESS_LIST_QUERY,
  SOCK_DGRAM,
  SOCK_STREAM,
  sockaddrOf,
  WSAEAFNOSUPPORT,
  WSAEFAULT,
  WSAEINVAL,
  WSAENETUNREACH,
  WSAENOPROTOOPT,
} from '../../../src/abi/index.ts';
import { createSocket, type DatagramSocket, type RemoteInfo } from '../../../src/app/dgram.ts';
import { createLocalHost, type LocalHost } from '../../../src/app/local.ts';
import { createConnection, createServer } from '../../../src/app/net.ts';
import { IpAddress, i32le } from '../../../src/base/index.ts';
import { RealTime } from '../../../src/engine/index.ts';
import { MemorySegment } from '../../../src/link/index.ts';
import type { Winsock } from '../../../src/winsock/index.ts';

let hosts: LocalHost[];
let a: Winsock;
let b: Winsock;

beforeAll(() => {
  const scheduler = new RealTime();
  const wire = new MemorySegment({ scheduler });
  hosts = [1, 2].map((last) => {
    const addresses = [`10.0.0.${last}/24`, `fd00::${last}/64`, `fe80::${last}/64`];
    return createLocalHost({ scheduler, links: [{ link: wire.port(), addresses }] });
  });
  [a, b] = hosts.map((host) => host.winsock()) as [Winsock, Winsock];
});

afterAll(() => {
  for (const host of hosts) host.close();
});

function once(
  emitter: { once(event: string, listener: (...args: unknown[]) => void): unknown },
  event: string,
) {
  return new Promise<unknown[]>((resolve) => emitter.once(event, (...args) => resolve(args)));
}

const name = (text: string, port: number): Uint8Array => sockaddrOf(IpAddress.parse(text) as IpAddress, port);
const dword = (value: number): Uint8Array =>
  Uint8Array.of(value & 0xff, value >> 8, value >> 16, value >> 24);

async function option(ws: Winsock, s: number, number: number): Promise<number> {
  const value = new Uint8Array(4);
  const error = await ws.getsockopt(s, IPPROTO_IPV6, number, value, { value: 4 });
  return error < 0 ? error : i32le(value, 0);
}

describe('node:net over IPv6', () => {
  test.each([
    ['fd00::2', 'fd00::2', 'fd00::1'],
    ['::', 'fd00::2', 'fd00::1'],
    ['::', '10.0.0.2', '::ffff:10.0.0.1'],
  ])('a server at %s is reached at %s', async (at, to, seen) => {
    const server = createServer({ winsock: b }, (socket) => socket.pipe(socket));
    server.listen(0, at);
    await once(server, 'listening');
    expect(server.address()?.family).toBe('IPv6');
    const accepted = once(server, 'connection');
    const client = createConnection({ host: to, port: server.address()?.port ?? 0, winsock: a });
    await once(client, 'connect');
    expect((await accepted)[0]).toMatchObject({ remoteAddress: seen, remoteFamily: 'IPv6' });
    client.end('hello');
    let received = '';
    client.on('data', (chunk) => {
      received += String(chunk);
    });
    await once(client, 'close');
    expect(received).toBe('hello');
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  test('ipv6Only keeps IPv4 out', async () => {
    const server = createServer({ winsock: b });
    server.listen({ port: 0, host: '::', ipv6Only: true });
    await once(server, 'listening');
    const client = createConnection({ host: '10.0.0.2', port: server.address()?.port ?? 0, winsock: a });
    expect((await once(client, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});

describe('node:dgram over IPv6', () => {
  test('a udp6 socket sends and receives, to ::1 too', async () => {
    const server = createSocket({ type: 'udp6', winsock: b });
    await new Promise<void>((resolve) => server.bind(0, () => resolve()));
    expect(server.address()).toMatchObject({ address: '::', family: 'IPv6' });
    const heard = (): Promise<[string, RemoteInfo]> =>
      new Promise((resolve) => server.once('message', (bytes, from) => resolve([String(bytes), from])));
    const client = createSocket({ type: 'udp6', winsock: a });
    const first = heard();
    client.send('hello', server.address().port, 'fd00::2');
    expect(await first).toMatchObject(['hello', { address: 'fd00::1', family: 'IPv6', size: 5 }]);
    const own = createSocket({ type: 'udp6', winsock: b });
    const second = heard();
    own.send('self', server.address().port);
    expect(await second).toMatchObject(['self', { address: '::1' }]);
    for (const socket of [server, client, own]) await socket[Symbol.asyncDispose]();
  });
});

describe('node:dgram and IPv6 groups', () => {
  const GROUP = 'ff0e::7:7';
  const open: DatagramSocket[] = [];
  afterEach(async () => {
    for (const socket of open.splice(0)) await socket[Symbol.asyncDispose]();
  });

  async function bound(winsock: Winsock): Promise<DatagramSocket> {
    const socket = createSocket({ type: 'udp6', winsock });
    open.push(socket);
    await new Promise<void>((resolve) => socket.bind(0, () => resolve()));
    return socket;
  }

  /** Says something to the group, then to the host alone: all that the receiver has heard until that came. */
  function heard(sender: DatagramSocket, receiver: DatagramSocket): Promise<string[]> {
    const { port } = receiver.address();
    const messages: string[] = [];
    return new Promise((resolve) => {
      receiver.on('message', function take(bytes: Buffer) {
        messages.push(String(bytes));
        if (messages.at(-1) !== 'alone') return;
        receiver.off('message', take);
        resolve(messages);
      });
      sender.send('group', port, GROUP);
      sender.send('alone', port, 'fd00::2');
    });
  }

  test('addMembership hears a group until dropMembership, on the interface of ::%index or the route’s', async () => {
    const [receiver, sender] = [await bound(b), await bound(a)];
    for (const on of ['::%2', undefined]) {
      receiver.addMembership(GROUP, on);
      expect(await heard(sender, receiver)).toEqual(['group', 'alone']);
      receiver.dropMembership(GROUP, on);
      expect(await heard(sender, receiver)).toEqual(['alone']);
    }
  });

  test('addSourceSpecificMembership hears one source', async () => {
    const [receiver, sender] = [await bound(b), await bound(a)];
    receiver.addSourceSpecificMembership('fd00::9', GROUP, '::%2');
    expect(await heard(sender, receiver)).toEqual(['alone']);
    receiver.addSourceSpecificMembership('fd00::1', GROUP, '::%2');
    expect(await heard(sender, receiver)).toEqual(['group', 'alone']);
    receiver.dropSourceSpecificMembership('fd00::1', GROUP, '::%2');
    expect(await heard(sender, receiver)).toEqual(['alone']);
  });

  test('setMulticastTTL 0 keeps messages on the host, setMulticastInterface names the way out', async () => {
    const [receiver, sender] = [await bound(b), await bound(a)];
    receiver.addMembership(GROUP);
    expect(sender.setMulticastTTL(0)).toBe(0);
    expect(await heard(sender, receiver)).toEqual(['alone']);
    sender.setMulticastTTL(1);
    sender.setMulticastInterface('::%2');
    expect(await heard(sender, receiver)).toEqual(['group', 'alone']);
    sender.setMulticastInterface('::%1');
    expect(await heard(sender, receiver)).toEqual(['alone']);
  });

  test('setMulticastLoopback false: what its own host sends is not heard', async () => {
    const [receiver, sender] = [await bound(b), await bound(b)];
    receiver.addMembership(GROUP);
    expect(await heard(sender, receiver)).toEqual(['group', 'alone']);
    expect(receiver.setMulticastLoopback(false)).toBe(false);
    expect(await heard(sender, receiver)).toEqual(['alone']);
  });

  test('what is no IPv6 group or interface is thrown', async () => {
    const socket = await bound(b);
    expect(() => socket.addMembership('fd00::9')).toThrow('addMembership EINVAL');
    expect(() => socket.addMembership('239.1.1.1')).toThrow('addMembership EINVAL');
    expect(() => socket.setMulticastInterface('10.0.0.2')).toThrow('setMulticastInterface EINVAL');
    expect(() => socket.dropMembership(GROUP)).toThrow('dropMembership EADDRNOTAVAIL');
  });
});

describe('Winsock over AF_INET6', () => {
  test('a datagram comes with a SOCKADDR_IN6 and the scope id of its link', async () => {
    const server = await b.socket(AF_INET6, SOCK_DGRAM, 0);
    expect(await b.bind(server, name('::', 700))).toBe(0);
    const client = await a.socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    expect(await a.sendto(client, Uint8Array.of(7), 1, 0, name('fe80::2%2', 700))).toBe(1);
    const [from, length] = [new Uint8Array(128), { value: 128 }];
    expect(await b.recvfrom(server, new Uint8Array(10), 10, 0, from, length)).toBe(1);
    expect(length.value).toBe(28);
    expect(readSockaddr(from)?.address.toString()).toBe('fe80::1%2');
    await b.closesocket(server);
    await a.closesocket(client);
  });

  test('OPT-IPV6_V6ONLY is TRUE at first, can be cleared before bind, and is read on IPv4 sockets too', async () => {
    const s = await a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    expect(await option(a, s, IPV6_V6ONLY)).toBe(1);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, dword(0))).toBe(0);
    expect(await option(a, s, IPV6_V6ONLY)).toBe(0);
    expect(await a.bind(s, name('::', 0))).toBe(0);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, dword(1))).toBe(-WSAEINVAL);
    const four = await a.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    expect(await option(a, four, IPV6_V6ONLY)).toBe(1);
    expect(await a.setsockopt(four, IPPROTO_IPV6, IPV6_V6ONLY, dword(0))).toBe(-WSAENOPROTOOPT);
    await a.closesocket(s);
    await a.closesocket(four);
  });

  test('a v4-mapped peer is reached only without IPV6_V6ONLY', async () => {
    const s = await a.socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP);
    const to = name('::ffff:10.0.0.2', 9);
    expect(await a.connect(s, to)).toBe(-WSAENETUNREACH);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, dword(0))).toBe(0);
    expect(await a.connect(s, to)).toBe(0);
    const own = new Uint8Array(28);
    expect(await a.getsockname(s, own, { value: 28 })).toBe(0);
    expect(readSockaddr(own)?.address.toString()).toBe('::ffff:10.0.0.1');
    await a.closesocket(s);
  });

  test('IPV6_UNICAST_HOPS: 0 … 255, and -1 for the default', async () => {
    const s = await a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    expect(await option(a, s, IPV6_UNICAST_HOPS)).toBe(128);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, dword(9))).toBe(0);
    expect(await option(a, s, IPV6_UNICAST_HOPS)).toBe(9);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, dword(256))).toBe(-WSAEINVAL);
    expect(await a.setsockopt(s, IPPROTO_IPV6, IPV6_UNICAST_HOPS, dword(-1))).toBe(0);
    expect(await option(a, s, IPV6_UNICAST_HOPS)).toBe(128);
    await a.closesocket(s);
  });

  test('SEM-DS-07 names of another family, and short ones, are refused', async () => {
    const s = await a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    expect(await a.bind(s, name('10.0.0.1', 0))).toBe(-WSAEAFNOSUPPORT);
    expect(await a.bind(s, name('fd00::1', 0).subarray(0, 27))).toBe(-WSAEFAULT);
    await a.closesocket(s);
  });

  test('IOC-SIO_ADDRESS_LIST_QUERY lists the addresses of the socket’s family', async () => {
    const s = await a.socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
    const into = new Uint8Array(500);
    const returned = { value: 0 };
    expect(await a.WSAIoctl(s, SIO_ADDRESS_LIST_QUERY, null, 0, into, 500, returned)).toBe(0);
    expect(i32le(into, 0)).toBe(2);
    await a.closesocket(s);
  });
});
