import { expect, test } from '@jest/globals';
import {
  type fd_set,
  MSG_OOB,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDNORM,
  POLLWRNORM,
  SD_SEND,
  SO_LINGER,
  SOL_SOCKET,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAEWOULDBLOCK,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  listening,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  ready,
  tcp,
  text,
  udp,
} from './support.ts';

const AT_ONCE = { tv_sec: 0, tv_usec: 0 };

/** Which sets a socket is in right now: some of `rwe`. */
async function state(ws: Winsock, s: number): Promise<string> {
  const sets = [{ fd_array: [s] }, { fd_array: [s] }, { fd_array: [s] }] as [fd_set, fd_set, fd_set];
  await ok(ws.select(0, ...sets, AT_ONCE));
  return ['r', 'w', 'e'].filter((_letter, i) => sets[i]?.fd_array.includes(s)).join('');
}

/** The `revents` of a socket right now. */
async function polled(ws: Winsock, s: number, events: number): Promise<number> {
  const fds = [{ fd: s, events, revents: -1 }];
  await ok(ws.WSAPoll(fds, 1, 0));
  return fds[0]?.revents ?? -1;
}

/** A non-blocking socket whose connect was refused. */
async function refused(ws: Winsock): Promise<number> {
  const s = await tcp(ws);
  await nonBlocking(ws, s);
  expect(await ws.connect(s, name(ADDRESS_B, 9))).toBe(-WSAEWOULDBLOCK);
  await ready(ws, s, 'except');
  return s;
}

overEveryAttachment('select', (pair) => {
  test('SEM-SEL-02 no sets, or empty ones, are WSAEINVAL', async () => {
    const { a } = await pair();
    expect(await a.select(0, null, null, null, AT_ONCE)).toBe(-WSAEINVAL);
    expect(await a.select(0, { fd_array: [] }, { fd_array: [] }, null, AT_ONCE)).toBe(-WSAEINVAL);
  });

  test('SEM-SEL-03 a dead handle anywhere is WSAENOTSOCK and leaves the sets', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const [reads, writes] = [{ fd_array: [s] }, { fd_array: [s, 4444] }];
    expect(await a.select(0, reads, writes, null, AT_ONCE)).toBe(-WSAENOTSOCK);
    expect([reads.fd_array, writes.fd_array]).toEqual([[s], [s, 4444]]);
  });

  test('SEM-SEL-04 a hundred sockets in one set work', async () => {
    const { a } = await pair();
    const sockets: number[] = [];
    for (let i = 0; i < 100; i++) sockets.push((await bound(a, udp)).s);
    const writes = { fd_array: [...sockets] };
    expect(await a.select(0, null, writes, null, AT_ONCE)).toBe(100);
    expect(writes.fd_array).toEqual(sockets);
  });

  test('SEM-SEL-05 duplicates collapse, and one set may stand for two', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const both = { fd_array: [s, s] };
    expect(await a.select(0, null, both, null, AT_ONCE)).toBe(1);
    expect(both.fd_array).toEqual([s]);
    expect(await a.select(0, both, both, null, AT_ONCE)).toBe(1);
  });

  test.each([
    [-1, 0],
    [0, -1],
    [0, 1_000_000],
  ])('SEM-SEL-06 a timeout of %d s and %d µs is WSAEINVAL', async (tv_sec, tv_usec) => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.select(0, { fd_array: [s] }, null, null, { tv_sec, tv_usec })).toBe(-WSAEINVAL);
  });

  test('SEM-SEL-06 a timeout that runs out gives 0 and empty sets, and is not changed', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const [reads, timeout] = [{ fd_array: [s] }, { tv_sec: 0, tv_usec: 20_000 }];
    expect(await a.select(0, reads, null, null, timeout)).toBe(0);
    expect(reads.fd_array).toEqual([]);
    expect(timeout).toEqual({ tv_sec: 0, tv_usec: 20_000 });
  });

  test('SEM-SEL-08 a listener with a connection waiting, and a stream with data, are readable', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    expect(await state(b, s)).toBe('');
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ready(b, s);
    expect(await state(b, s)).toBe('r');
    const server = await ok(b.accept(s));
    expect(await state(b, server)).toBe('w');
    await ok(a.send(client, text('x')));
    await ready(b, server);
    expect(await state(b, server)).toBe('rw');
  });

  test('SEM-SEL-08 the peer’s FIN makes a stream readable', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.shutdown(client, SD_SEND));
    await ready(b, server);
    expect(await state(b, server)).toBe('rw');
  });

  test('SEM-SEL-08 a socket that is closed while select waits comes back readable', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const reads = { fd_array: [s] };
    const selecting = a.select(0, reads, null, null, null);
    await ok(a.closesocket(s));
    expect(await selecting).toBe(1);
    expect(reads.fd_array).toEqual([s]);
  });

  test('SEM-SEL-09 a fresh stream socket is not writable, a connected one is', async () => {
    const { a, b } = await pair();
    expect(await state(a, await tcp(a))).toBe('');
    const { client } = await connected({ a, b });
    expect(await state(a, client)).toBe('w');
  });

  test('SEM-SEL-10, SEM-SEL-11 a failed connect is exceptional only, and stays so', async () => {
    const { a } = await pair();
    const s = await refused(a);
    expect([await state(a, s), await state(a, s)]).toEqual(['e', 'e']);
  });

  test('SEM-SEL-10 a reset connection is readable and writable, not exceptional', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(a.closesocket(client));
    await ready(b, server);
    expect(await state(b, server)).toBe('rw');
  });

  test('SEM-SEL-10 urgent data that waits makes a stream exceptional', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('!'), 1, MSG_OOB));
    await ready(b, server, 'except');
    expect(await state(b, server)).toBe('we');
  });

  test('SEM-SEL-12 an unbound datagram socket is writable', async () => {
    const { a } = await pair();
    expect(await state(a, await udp(a))).toBe('w');
  });

  test('select without a timeout waits for the first socket that is ready', async () => {
    const { a, b } = await pair();
    const first = await connected({ a, b });
    const second = await connected({ a, b });
    const reads = { fd_array: [first.client, second.client] };
    const selecting = a.select(0, reads, null, null, null);
    await ok(b.send(second.server, text('x')));
    expect(await selecting).toBe(1);
    expect(reads.fd_array).toEqual([second.client]);
  });
});

overEveryAttachment('WSAPoll', (pair) => {
  test('SEM-POLL-01, STR-WSAPOLLFD no entries are WSAEINVAL, no array WSAEFAULT', async () => {
    const { a } = await pair();
    expect(await a.WSAPoll([], 0, 0)).toBe(-WSAEINVAL);
    expect(await a.WSAPoll(null, 1, 0)).toBe(-WSAEFAULT);
    expect(await a.WSAPoll([], 1, 0)).toBe(-WSAEFAULT);
  });

  test.each([POLLERR, POLLHUP, POLLNVAL, POLLPRI, 0x20, 0x4000])(
    'SEM-POLL-02 asking for 0x%x is WSAEINVAL',
    async (events) => {
      const { a } = await pair();
      const { s } = await bound(a, udp);
      expect(await a.WSAPoll([{ fd: s, events, revents: 0 }], 1, 0)).toBe(-WSAEINVAL);
    },
  );

  test('SEM-POLL-03 a dead handle is POLLNVAL beside a live one, and WSAENOTSOCK alone', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const fds = [
      { fd: 4444, events: POLLIN, revents: 0 },
      { fd: s, events: POLLIN, revents: 0 },
    ];
    expect(await a.WSAPoll(fds, 2, -1)).toBe(1);
    expect(fds.map((fd) => fd.revents)).toEqual([POLLNVAL, 0]);
    const dead = [{ fd: -1, events: POLLIN, revents: 0 }];
    expect(await a.WSAPoll(dead, 1, 0)).toBe(-WSAENOTSOCK);
    expect(dead[0]?.revents).toBe(POLLNVAL);
  });

  test('SEM-POLL-04 a connection that waits and data are POLLRDNORM', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ready(b, s);
    expect(await polled(b, s, POLLIN)).toBe(POLLRDNORM);
    const server = await ok(b.accept(s));
    expect(await polled(b, server, POLLIN | POLLOUT)).toBe(POLLWRNORM);
    await ok(a.send(client, text('x')));
    await ready(b, server);
    expect(await polled(b, server, POLLIN)).toBe(POLLRDNORM);
  });

  test('SEM-POLL-05 the peer’s FIN is POLLHUP, with POLLRDNORM only while data is queued', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.shutdown(client, SD_SEND));
    await ready(b, server);
    expect(await polled(b, server, POLLIN)).toBe(POLLHUP);
    expect(await polled(b, server, 0)).toBe(POLLHUP);
  });

  test('SEM-POLL-05 data before the FIN is POLLRDNORM with POLLHUP', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.send(client, text('x')));
    await ok(a.shutdown(client, SD_SEND));
    const fds = [{ fd: server, events: 0, revents: 0 }];
    expect(await b.WSAPoll(fds, 1, -1)).toBe(1);
    expect(await polled(b, server, POLLIN)).toBe(POLLHUP | POLLRDNORM);
  });

  test('SEM-POLL-06 a reset is POLLERR, POLLHUP and POLLWRNORM', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(a.closesocket(client));
    await ready(b, server);
    expect((await polled(b, server, POLLIN | POLLOUT)) & ~POLLRDNORM).toBe(POLLERR | POLLHUP | POLLWRNORM);
  });

  test('SEM-POLL-07 a failed connect is POLLERR, POLLHUP and POLLWRNORM', async () => {
    const { a } = await pair();
    const s = await refused(a);
    expect(await polled(a, s, POLLOUT)).toBe(POLLERR | POLLHUP | POLLWRNORM);
  });

  test('SEM-POLL-08 a socket that is closed meanwhile is POLLNVAL', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const fds = [{ fd: s, events: POLLIN, revents: 0 }];
    const polling = a.WSAPoll(fds, 1, -1);
    await ok(a.closesocket(s));
    expect(await polling).toBe(1);
    expect(fds[0]?.revents).toBe(POLLNVAL);
  });

  test('a timeout that runs out gives 0', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.WSAPoll([{ fd: s, events: POLLIN, revents: 0 }], 1, 20)).toBe(0);
  });
});
