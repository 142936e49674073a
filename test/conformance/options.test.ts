import { expect, test } from '@jest/globals';
import {
  FIONBIO,
  FIONREAD,
  IP_TTL,
  IPPROTO_IP,
  IPPROTO_TCP,
  readTcpInfoV0,
  readTcpInfoV1,
  SIO_BASE_HANDLE,
  SIO_TCP_INFO,
  SIOCATMARK,
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_DONTLINGER,
  SO_ERROR,
  SO_EXCLUSIVEADDRUSE,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_MAX_MSG_SIZE,
  SO_OPENTYPE,
  SO_RCVBUF,
  SO_RCVTIMEO,
  SO_REUSEADDR,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_NODELAY,
  TCPSTATE,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOBUFS,
  WSAENOPROTOOPT,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
} from '../../src/abi/index.ts';
import { i32le } from '../../src/base/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  datagramPair,
  getInt,
  int,
  listening,
  name,
  ok,
  overEveryAttachment,
  overSystemHandles,
  ready,
  tcp,
  text,
  udp,
} from './support.ts';

overEveryAttachment('getsockopt and setsockopt', (pair) => {
  test('SEM-OPT-01 an unknown level is WSAEINVAL, an unknown option WSAENOPROTOOPT', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    for (const level of [0xffffffff, 0x8000, 0x800]) expect(await getInt(a, s, level, 1)).toBe(-WSAEINVAL);
    expect(await getInt(a, s, SOL_SOCKET, 0x5555)).toBe(-WSAENOPROTOOPT);
  });

  test('SEM-OPT-02 missing pointers are WSAEFAULT, after the handle', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.getsockopt(s, SOL_SOCKET, SO_ERROR, null, { value: 4 })).toBe(-WSAEFAULT);
    expect(await a.getsockopt(s, SOL_SOCKET, SO_ERROR, new Uint8Array(4), null)).toBe(-WSAEFAULT);
    expect(await a.setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, null)).toBe(-WSAEFAULT);
    expect(await a.setsockopt(4444, SOL_SOCKET, SO_KEEPALIVE, null)).toBe(-WSAENOTSOCK);
  });

  test('SEM-OPT-04 a length of -1 serves the multi-byte options of SOL_SOCKET only, and no get', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.setsockopt(s, SOL_SOCKET, SO_RCVBUF, int(5000), -1)).toBe(0);
    expect(await a.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, int(1), -1)).toBe(-WSAENOBUFS);
    expect(await a.getsockopt(s, SOL_SOCKET, SO_RCVBUF, new Uint8Array(4), { value: -1 })).toBe(-WSAEFAULT);
  });

  test('SEM-OPT-05 a class B option is one byte in a short buffer and four in a long one', async () => {
    const { a } = await pair();
    const s = await udp(a);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_BROADCAST, Uint8Array.of(7)));
    const lengths: number[] = [];
    for (const room of [1, 3, 4]) {
      const length: Ref = { value: room };
      await ok(a.getsockopt(s, SOL_SOCKET, SO_BROADCAST, new Uint8Array(room), length));
      lengths.push(length.value);
    }
    expect(lengths).toEqual([1, 1, 4]);
    expect(await getInt(a, s, SOL_SOCKET, SO_BROADCAST)).toBe(1);
  });

  test('SEM-OPT-06 TCP_NODELAY answers one byte and looks at the low byte only', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const length: Ref = { value: 4 };
    await ok(a.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, int(0x101)));
    await ok(a.getsockopt(s, IPPROTO_TCP, TCP_NODELAY, new Uint8Array(4), length));
    expect(length.value).toBe(1);
    expect(await getInt(a, s, IPPROTO_TCP, TCP_NODELAY)).toBe(1);
    await ok(a.setsockopt(s, IPPROTO_TCP, TCP_NODELAY, int(0x100)));
    expect(await getInt(a, s, IPPROTO_TCP, TCP_NODELAY)).toBe(0);
  });

  test.each([
    ['SO_RCVBUF', SO_RCVBUF],
    ['SO_SNDBUF', SO_SNDBUF],
    ['SO_RCVTIMEO', SO_RCVTIMEO],
    ['SO_LINGER', SO_LINGER],
  ])('SEM-OPT-07 %s shorter than 4 bytes is WSAEFAULT', async (_name, option) => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.setsockopt(s, SOL_SOCKET, option, new Uint8Array(3))).toBe(-WSAEFAULT);
    const length: Ref = { value: 3 };
    expect(await a.getsockopt(s, SOL_SOCKET, option, new Uint8Array(3), length)).toBe(-WSAEFAULT);
    expect(length.value).toBe(3);
  });

  test('OPT-SO_RCVBUF and OPT-SO_SNDBUF read back exactly', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_RCVBUF, int(12_345)));
    await ok(a.setsockopt(s, SOL_SOCKET, SO_SNDBUF, int(54_321)));
    expect([await getInt(a, s, SOL_SOCKET, SO_RCVBUF), await getInt(a, s, SOL_SOCKET, SO_SNDBUF)]).toEqual([
      12_345, 54_321,
    ]);
  });

  test('SEM-OPT-09 a TTL past 255 is WSAEINVAL', async () => {
    const { a } = await pair();
    const s = await udp(a);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_TTL, int(256))).toBe(-WSAEINVAL);
    expect(await a.setsockopt(s, IPPROTO_IP, IP_TTL, int(33))).toBe(0);
    expect(await getInt(a, s, IPPROTO_IP, IP_TTL)).toBe(33);
  });

  test('OPT-SO_OPENTYPE, SEM-OPT-11 works on any handle', async () => {
    const { a } = await pair();
    expect(await a.setsockopt(-1, SOL_SOCKET, SO_OPENTYPE, int(0x20))).toBe(0);
    expect(await getInt(a, -1, SOL_SOCKET, SO_OPENTYPE)).toBe(0x20);
    expect(await a.setsockopt(-1, SOL_SOCKET, SO_OPENTYPE, new Uint8Array(2))).toBe(-WSAEFAULT);
  });

  test('SEM-OPT-12 SO_ACCEPTCONN tells a listener, and cannot be set', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    expect(await getInt(a, s, SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
    expect(await getInt(a, await tcp(a), SOL_SOCKET, SO_ACCEPTCONN)).toBe(0);
    expect(await a.setsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, int(0))).toBe(-WSAENOPROTOOPT);
  });

  test('SEM-LING-05 SO_DONTLINGER is the opposite of l_onoff', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await getInt(a, s, SOL_SOCKET, SO_DONTLINGER)).toBe(1);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 3, 0)));
    expect(await getInt(a, s, SOL_SOCKET, SO_DONTLINGER)).toBe(0);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, int(1)));
    const linger = new Uint8Array(4);
    await ok(a.getsockopt(s, SOL_SOCKET, SO_LINGER, linger, { value: 4 }));
    expect(linger[0]).toBe(0);
  });

  test('SEM-ERR-07 SO_ERROR may be set and is read back', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_ERROR, int(10_060)));
    expect(await getInt(a, s, SOL_SOCKET, SO_ERROR)).toBe(10_060);
  });

  test('OPT-SO_MAX_MSG_SIZE of UDP is the largest datagram', async () => {
    const { a } = await pair();
    expect(await getInt(a, await udp(a), SOL_SOCKET, SO_MAX_MSG_SIZE)).toBe(65_507);
  });

  test('SEM-BIND-14 SO_REUSEADDR and SO_EXCLUSIVEADDRUSE exclude each other', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, int(1)));
    expect(await a.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, int(1))).toBe(-WSAEINVAL);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, int(0)));
    expect(await a.setsockopt(s, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, int(1))).toBe(0);
    expect(await a.setsockopt(s, SOL_SOCKET, SO_REUSEADDR, int(1))).toBe(-WSAEINVAL);
  });
});

overEveryAttachment('ioctlsocket and WSAIoctl', (pair) => {
  test('IOC-FIONREAD counts a stream’s bytes, and all of a datagram socket’s', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(b.send(server, text('12345')));
    await ready(a, client);
    const count: Ref = { value: 99 };
    expect(await a.ioctlsocket(client, FIONREAD, count)).toBe(0);
    expect(count.value).toBe(5);
    count.value = 0;
    const { s, peer, peerPort } = await datagramPair({ a, b });
    for (const message of ['ab', 'cde'])
      await ok(a.sendto(s, text(message), message.length, 0, name(ADDRESS_B, peerPort)));
    const { s: idle } = await bound(b, udp);
    for (let i = 0; i < 100 && count.value !== 5; i++) {
      await b.select(0, { fd_array: [idle] }, null, null, { tv_sec: 0, tv_usec: 10_000 });
      await ok(b.ioctlsocket(peer, FIONREAD, count));
    }
    expect(count.value).toBe(5);
  });

  test('IOC-SIOCATMARK is TRUE while no urgent byte waits', async () => {
    const { a } = await pair();
    const mark: Ref = { value: 7 };
    expect(await a.ioctlsocket(await tcp(a), SIOCATMARK, mark)).toBe(0);
    expect(mark.value).toBe(1);
  });

  test('API-ioctlsocket without a pointer is WSAEFAULT, with another command WSAEOPNOTSUPP', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    expect(await a.ioctlsocket(s, FIONBIO, null)).toBe(-WSAEFAULT);
    expect(await a.ioctlsocket(s, 0x8004667d, { value: 1 })).toBe(-WSAEOPNOTSUPP);
    expect(await a.ioctlsocket(4444, FIONBIO, null)).toBe(-WSAENOTSOCK);
  });

  test('SEM-IOC-01 WSAIoctl needs the count; an unknown code is WSAEOPNOTSUPP with count 0', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const count: Ref = { value: 5 };
    expect(await a.WSAIoctl(s, FIONREAD, null, 0, new Uint8Array(4), 4, null)).toBe(-WSAEFAULT);
    expect(await a.WSAIoctl(s, 0xdead_beef, null, 0, null, 0, count)).toBe(-WSAEOPNOTSUPP);
    expect(count.value).toBe(0);
    expect(await a.WSAIoctl(s, FIONREAD, null, 0, new Uint8Array(3), 3, count)).toBe(-WSAEFAULT);
  });

  test('IOC-SIO_TCP_INFO, STR-TCP_INFO_v0, STR-TCP_INFO_v1 both versions tell of the same connection', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('hello')));
    await ready(b, server);
    const [count, bytes]: [Ref, Uint8Array] = [{ value: 7 }, new Uint8Array(200).fill(0xee)];
    const ask = (s: number, version: Uint8Array | null, room: number): Promise<number> =>
      Promise.resolve(a.WSAIoctl(s, SIO_TCP_INFO, version, version?.length ?? 0, bytes, room, count));
    expect([await ask(client, int(0), 88), count.value]).toEqual([0, 88]);
    const v0 = readTcpInfoV0(bytes);
    expect(v0).toMatchObject({ State: TCPSTATE.ESTABLISHED, BytesOut: 5, BytesIn: 0, SynRetrans: 0 });
    expect(v0?.Mss).toBeGreaterThan(500);
    expect(bytes[88]).toBe(0xee);
    expect([await ask(client, int(1), 200), count.value]).toEqual([0, 136]);
    const v1 = readTcpInfoV1(bytes);
    expect(v1).toMatchObject({ State: TCPSTATE.ESTABLISHED, BytesOut: 5, Mss: v0?.Mss });
    expect((v1?.SndLimBytesRwin ?? 0) + (v1?.SndLimBytesCwnd ?? 0) + (v1?.SndLimBytesSnd ?? 0)).toBe(5);
    expect(bytes[136]).toBe(0xee);
    for (const [version, room] of [
      [int(0), 87],
      [int(1), 135],
      [int(2), 200],
    ] as const) {
      expect([await ask(client, version, room), count.value]).toEqual([-WSAEINVAL, 0]);
    }
    expect(await ask(client, null, 136)).toBe(-WSAEMSGSIZE);
    expect(await ask(client, new Uint8Array(3), 136)).toBe(-WSAEMSGSIZE);
    expect(await ask(await udp(a), int(0), 136)).toBe(-WSAEINVAL);
  });
});

overSystemHandles('the base provider’s handle', (pair) => {
  test('SIO_BASE_HANDLE of a base provider’s socket is the socket', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const [handle, count] = [new Uint8Array(8), { value: 0 }];
    expect(await a.WSAIoctl(s, SIO_BASE_HANDLE, null, 0, handle, 8, count)).toBe(0);
    expect([i32le(handle, 0), count.value]).toEqual([s, 8]);
  });
});
