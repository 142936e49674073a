import { expect, test } from '@jest/globals';
import {
  FD_ACCEPT,
  FD_CLOSE,
  FD_CLOSE_BIT,
  FD_CONNECT,
  FD_CONNECT_BIT,
  FD_READ,
  FD_WRITE,
  SD_SEND,
  SO_LINGER,
  SOL_SOCKET,
  WSA_INFINITE,
  WSA_INVALID_HANDLE,
  WSA_INVALID_PARAMETER,
  WSA_WAIT_TIMEOUT,
  WSAECONNABORTED,
  WSAECONNREFUSED,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAEWOULDBLOCK,
  type WSANETWORKEVENTS,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  datagramPair,
  listening,
  name,
  ok,
  overEveryAttachment,
  ready,
  tcp,
  text,
  udp,
} from './support.ts';

/** A registered socket, with what its tests ask. */
async function watched(ws: Winsock, s: number, mask: number) {
  const event = await ok(ws.WSACreateEvent());
  await ok(ws.WSAEventSelect(s, event, mask));
  return {
    event,
    /** Waits for the event object, then takes what was recorded. */
    async next(): Promise<WSANETWORKEVENTS> {
      expect(await ws.WSAWaitForMultipleEvents(1, [event], true, 2000)).toBe(0);
      return this.take();
    },
    async take(): Promise<WSANETWORKEVENTS> {
      const events: WSANETWORKEVENTS = { lNetworkEvents: -1, iErrorCode: [] };
      await ok(ws.WSAEnumNetworkEvents(s, event, events));
      return events;
    },
    async isSignaled(): Promise<boolean> {
      return (await ws.WSAWaitForMultipleEvents(1, [event], false, 0)) === 0;
    },
  };
}

overEveryAttachment('event objects', (pair) => {
  test('API-WSACreateEvent, API-WSASetEvent, API-WSAResetEvent, API-WSACloseEvent: one that is not signaled at first and resets by hand', async () => {
    const { a } = await pair();
    const event = await ok(a.WSACreateEvent());
    expect(event % 4).toBe(0);
    expect(await a.WSAWaitForMultipleEvents(1, [event], false, 0)).toBe(WSA_WAIT_TIMEOUT);
    expect(await a.WSASetEvent(event)).toBe(1);
    expect(await a.WSAWaitForMultipleEvents(1, [event], false, 0)).toBe(0);
    expect(await a.WSAWaitForMultipleEvents(1, [event], false, 0)).toBe(0);
    expect(await a.WSAResetEvent(event)).toBe(1);
    expect(await a.WSAWaitForMultipleEvents(1, [event], false, 0)).toBe(WSA_WAIT_TIMEOUT);
    expect(await a.WSACloseEvent(event)).toBe(1);
    expect(await a.WSASetEvent(event)).toBe(-WSA_INVALID_HANDLE);
  });

  test('API-WSAWaitForMultipleEvents answers the lowest index that is signaled', async () => {
    const { a } = await pair();
    const events = [await ok(a.WSACreateEvent()), await ok(a.WSACreateEvent()), await ok(a.WSACreateEvent())];
    await ok(a.WSASetEvent(events[2] as number));
    expect(await a.WSAWaitForMultipleEvents(3, events, false, 0)).toBe(2);
    await ok(a.WSASetEvent(events[1] as number));
    expect(await a.WSAWaitForMultipleEvents(3, events, false, 0)).toBe(1);
  });

  test('API-WSAWaitForMultipleEvents waits for all when it is told to', async () => {
    const { a } = await pair();
    const events = [await ok(a.WSACreateEvent()), await ok(a.WSACreateEvent())];
    await ok(a.WSASetEvent(events[0] as number));
    expect(await a.WSAWaitForMultipleEvents(2, events, true, 10)).toBe(WSA_WAIT_TIMEOUT);
    const waiting = a.WSAWaitForMultipleEvents(2, events, true, WSA_INFINITE);
    await ok(a.WSASetEvent(events[1] as number));
    expect(await waiting).toBe(0);
  });

  test.each([0, 65])('API-WSAWaitForMultipleEvents of %d events is WSA_INVALID_PARAMETER', async (count) => {
    const { a } = await pair();
    expect(await a.WSAWaitForMultipleEvents(count, new Array<number>(65).fill(0), false, 0)).toBe(
      -WSA_INVALID_PARAMETER,
    );
  });

  test('API-WSAWaitForMultipleEvents of 64 events, one of them twice, waits for any, but not for all', async () => {
    const { a } = await pair();
    const events: number[] = [];
    for (let i = 0; i < 64; i++) events.push(await ok(a.WSACreateEvent()));
    const last = events[63] as number;
    const waiting = a.WSAWaitForMultipleEvents(64, events, false, WSA_INFINITE);
    await ok(a.WSASetEvent(last));
    expect(await waiting).toBe(63);
    events[10] = last;
    expect(await a.WSAWaitForMultipleEvents(64, events, false, 0)).toBe(10);
    expect(await a.WSAWaitForMultipleEvents(64, events, true, 0)).toBe(-WSA_INVALID_PARAMETER);
    for (const event of new Set(events)) await ok(a.WSASetEvent(event));
    events[10] = await ok(a.WSACreateEvent());
    const all = a.WSAWaitForMultipleEvents(64, events, true, WSA_INFINITE);
    await ok(a.WSASetEvent(events[10]));
    expect(await all).toBe(0);
  });

  test('API-WSAWaitForMultipleEvents for all takes an event that was signaled and reset again for not signaled', async () => {
    const { a } = await pair();
    const [one, two] = [await ok(a.WSACreateEvent()), await ok(a.WSACreateEvent())];
    const all = a.WSAWaitForMultipleEvents(2, [one, two], true, WSA_INFINITE);
    await ok(a.WSASetEvent(one));
    await ok(a.WSAResetEvent(one));
    await ok(a.WSASetEvent(two));
    const state = Promise.race([all, Promise.resolve('waits')]);
    expect(await state).toBe('waits');
    await ok(a.WSASetEvent(one));
    expect(await all).toBe(0);
  });

  test('API-WSAWaitForMultipleEvents of a socket is WSA_INVALID_HANDLE', async () => {
    const { a } = await pair();
    expect(await a.WSAWaitForMultipleEvents(1, [await tcp(a)], false, 0)).toBe(-WSA_INVALID_HANDLE);
  });
});

overEveryAttachment('WSAEventSelect', (pair) => {
  test('SEM-BLK-04 makes the socket non-blocking, even with no events', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    await ok(a.WSAEventSelect(s, 0, 0));
    expect(await a.recv(s, new Uint8Array(1))).toBe(-WSAEWOULDBLOCK);
  });

  test('SEM-BLK-05 FIONBIO 0 while registered is WSAEINVAL, FIONBIO 1 is not', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const { event } = await watched(a, s, FD_READ);
    expect(await a.ioctlsocket(s, 0x8004667e, { value: 0 })).toBe(-WSAEINVAL);
    expect(await a.ioctlsocket(s, 0x8004667e, { value: 1 })).toBe(0);
    await ok(a.WSAEventSelect(s, event, 0));
    expect(await a.ioctlsocket(s, 0x8004667e, { value: 0 })).toBe(0);
  });

  test('API-WSAEventSelect with a handle that is no event object is WSAEINVAL', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.WSAEventSelect(s, s, FD_READ)).toBe(-WSAEINVAL);
    expect(await a.WSAEventSelect(s, 0, FD_READ)).toBe(-WSAEINVAL);
    expect(await a.WSAEventSelect(4444, 0, 0)).toBe(-WSAENOTSOCK);
  });

  test('API-WSAEnumNetworkEvents without a place is WSAEFAULT', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    expect(await a.WSAEnumNetworkEvents(s, 0, null)).toBe(-WSAEFAULT);
  });

  test('SEM-EV-01 FD_READ when data comes, and again after a recv that left some', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const events = await watched(a, client, FD_READ);
    expect(await events.isSignaled()).toBe(false);
    await ok(b.send(server, text('abc')));
    expect((await events.next()).lNetworkEvents).toBe(FD_READ);
    expect(await events.isSignaled()).toBe(false);
    await ok(a.recv(client, new Uint8Array(1)));
    expect((await events.next()).lNetworkEvents).toBe(FD_READ);
  });

  test('SEM-EV-01 data that is there at the registration is announced', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(b.send(server, text('abc')));
    await ready(a, client);
    const events = await watched(a, client, FD_READ);
    expect((await events.next()).lNetworkEvents).toBe(FD_READ);
  });

  test('SEM-EV-02 and SEM-CONN-17 a connect is FD_CONNECT with FD_WRITE', async () => {
    const { a, b } = await pair();
    const { port } = await listening(b);
    const s = await tcp(a);
    const events = await watched(a, s, FD_CONNECT | FD_WRITE);
    expect(await a.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
    const { lNetworkEvents, iErrorCode } = await events.next();
    expect([lNetworkEvents, iErrorCode[FD_CONNECT_BIT]]).toEqual([FD_CONNECT | FD_WRITE, 0]);
  });

  test('SEM-EV-05 and 25 a refused connect is FD_CONNECT with its code, and no FD_WRITE', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const events = await watched(a, s, FD_CONNECT | FD_WRITE);
    await a.connect(s, name(ADDRESS_B, 9));
    const { lNetworkEvents, iErrorCode } = await events.next();
    expect([lNetworkEvents, iErrorCode[FD_CONNECT_BIT]]).toEqual([FD_CONNECT, WSAECONNREFUSED]);
  });

  test('SEM-EV-04 FD_ACCEPT for a connection, and again after accept while another waits', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const events = await watched(b, s, FD_ACCEPT);
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    expect((await events.next()).lNetworkEvents).toBe(FD_ACCEPT);
    await ok(b.accept(s));
    expect((await events.next()).lNetworkEvents).toBe(FD_ACCEPT);
  });

  test('SEM-ACC-02 an accepted socket has the listener’s registration', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const { event } = await watched(b, s, FD_ACCEPT | FD_READ);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ready(b, s);
    const server = await ok(b.accept(s));
    await b.WSAEnumNetworkEvents(s, event, { lNetworkEvents: 0, iErrorCode: [] });
    await ok(b.WSAResetEvent(event));
    await ok(a.send(client, text('x')));
    expect(await b.WSAWaitForMultipleEvents(1, [event], true, 2000)).toBe(0);
    const events: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
    await ok(b.WSAEnumNetworkEvents(server, event, events));
    expect(events.lNetworkEvents).toBe(FD_READ);
  });

  test('SEM-EV-06 and 19 FD_CLOSE of a FIN has code 0, of a reset WSAECONNABORTED', async () => {
    const { a, b } = await pair();
    const first = await connected({ a, b });
    const graceful = await watched(b, first.server, FD_CLOSE);
    await ok(a.shutdown(first.client, SD_SEND));
    const fin = await graceful.next();
    expect([fin.lNetworkEvents, fin.iErrorCode[FD_CLOSE_BIT]]).toEqual([FD_CLOSE, 0]);
    const second = await connected({ a, b });
    const reset = await watched(b, second.server, FD_CLOSE);
    await ok(a.setsockopt(second.client, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(a.closesocket(second.client));
    const rst = await reset.next();
    expect([rst.lNetworkEvents, rst.iErrorCode[FD_CLOSE_BIT]]).toEqual([FD_CLOSE, WSAECONNABORTED]);
  });

  test('SEM-EV-12 a new registration takes the old one’s place', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const old = await watched(a, client, FD_READ);
    const now = await watched(a, client, FD_READ);
    await ok(b.send(server, text('x')));
    expect((await now.next()).lNetworkEvents).toBe(FD_READ);
    expect(await old.isSignaled()).toBe(false);
  });

  test('SEM-EV-13 a mask of 0 ends it, and the socket stays non-blocking', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const events = await watched(a, client, FD_READ);
    await ok(a.WSAEventSelect(client, 0, 0));
    await ok(b.send(server, text('x')));
    await ready(a, client);
    expect(await events.isSignaled()).toBe(false);
    await ok(a.recv(client, new Uint8Array(9)));
    expect(await a.recv(client, new Uint8Array(9))).toBe(-WSAEWOULDBLOCK);
  });

  test('SEM-EV-15 new data signals again without a recv between', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const events = await watched(a, client, FD_READ);
    await ok(b.send(server, text('x')));
    await events.next();
    await ok(b.send(server, text('y')));
    expect((await events.next()).lNetworkEvents).toBe(FD_READ);
  });

  test('SEM-EV-17 a registration on a connected socket reports FD_CONNECT too', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const events = await watched(a, client, FD_CONNECT | FD_WRITE);
    expect((await events.next()).lNetworkEvents).toBe(FD_CONNECT | FD_WRITE);
  });

  test('SEM-EV-18 a datagram socket is writable at once', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const events = await watched(a, s, FD_WRITE | FD_READ);
    expect((await events.next()).lNetworkEvents).toBe(FD_WRITE);
  });

  test('SEM-EV-21 a new registration that finds a recorded event signals its object', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const first = await watched(b, peer, FD_READ);
    await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort)));
    expect(await b.WSAWaitForMultipleEvents(1, [first.event], true, 2000)).toBe(0);
    const second = await watched(b, peer, FD_READ);
    expect((await second.next()).lNetworkEvents).toBe(FD_READ);
  });

  test('SEM-EV-24 closesocket ends the registration without an event', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const events = await watched(a, s, FD_READ | FD_CLOSE);
    await ok(a.closesocket(s));
    expect(await events.isSignaled()).toBe(false);
  });
});
