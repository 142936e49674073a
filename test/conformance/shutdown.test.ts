/** Ends of connections: shutdown in every state, and closesocket under every setting of linger (SEM-SHUT-*, SEM-LING-*). */

import { expect, test } from '@jest/globals';
import {
  FD_CLOSE,
  SD_BOTH,
  SD_RECEIVE,
  SD_SEND,
  SO_DONTLINGER,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEINVAL,
  WSAENOPROTOOPT,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSAESHUTDOWN,
  WSAEWOULDBLOCK,
  type WSANETWORKEVENTS,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  connected,
  getInt,
  int,
  listening,
  name,
  nonBlocking,
  ok,
  overEveryAttachment,
  overVirtualTime,
  type Pair,
  passTime,
  ready,
  receiveText,
  tcp,
  text,
  udp,
} from './support.ts';

const OK = 0;
const [NOTCONN, SHUTDOWN, WOULDBLOCK] = [-WSAENOTCONN, -WSAESHUTDOWN, -WSAEWOULDBLOCK];

/** A stream socket in each state, with its peer when it has one. */
const STATES: Readonly<Record<string, (pair: Pair) => Promise<number>>> = {
  unbound: ({ a }) => tcp(a),
  bound: async ({ a }) => (await bound(a, tcp)).s,
  listening: async ({ a }) => (await listening(a)).s,
  async connecting({ a }) {
    const s = await tcp(a);
    await nonBlocking(a, s);
    expect(await a.connect(s, name('10.0.0.77', 9))).toBe(WOULDBLOCK);
    return s;
  },
  async connected(pair) {
    const { client } = await connected(pair);
    await nonBlocking(pair.a, client);
    return client;
  },
  async 'closed by the peer'(pair) {
    const { client, server } = await connected(pair);
    await nonBlocking(pair.a, client);
    await ok(pair.b.shutdown(server, SD_SEND));
    await ready(pair.a, client);
    return client;
  },
};

/** What shutdown answers, then what send and a recv of one byte do. */
type Row = readonly [state: string, how: number, shutdown: number, send: number, recv: number];
const TABLE: readonly Row[] = [
  ['unbound', SD_SEND, NOTCONN, NOTCONN, NOTCONN],
  ['unbound', SD_RECEIVE, NOTCONN, NOTCONN, NOTCONN],
  ['unbound', SD_BOTH, NOTCONN, NOTCONN, NOTCONN],
  ['bound', SD_BOTH, NOTCONN, NOTCONN, NOTCONN],
  ['listening', SD_SEND, NOTCONN, NOTCONN, NOTCONN],
  ['listening', SD_RECEIVE, NOTCONN, NOTCONN, NOTCONN],
  ['listening', SD_BOTH, NOTCONN, NOTCONN, NOTCONN],
  ['connecting', SD_SEND, NOTCONN, NOTCONN, NOTCONN],
  ['connecting', SD_BOTH, NOTCONN, NOTCONN, NOTCONN],
  ['connected', SD_SEND, OK, SHUTDOWN, WOULDBLOCK],
  ['connected', SD_RECEIVE, OK, 1, SHUTDOWN],
  ['connected', SD_BOTH, OK, SHUTDOWN, SHUTDOWN],
  ['closed by the peer', SD_SEND, OK, SHUTDOWN, 0],
  ['closed by the peer', SD_RECEIVE, OK, 1, SHUTDOWN],
  ['closed by the peer', SD_BOTH, OK, SHUTDOWN, SHUTDOWN],
];

overEveryAttachment('shutdown', (pair) => {
  test.each(TABLE)(
    'API-shutdown, SEM-SHUT-01, SEM-SHUT-02, SEM-SHUT-03 %s, how %d: %d, then send %d and recv %d',
    async (state, how, answer, send, recv) => {
      const own = await pair();
      const s = await (STATES[state] as (pair: Pair) => Promise<number>)(own);
      expect(await own.a.shutdown(s, how)).toBe(answer);
      expect(await own.a.send(s, text('x'))).toBe(send);
      expect(await own.a.recv(s, new Uint8Array(1))).toBe(recv);
      // It never frees the handle.
      expect(await own.a.closesocket(s)).toBe(0);
    },
  );

  test.each(Object.keys(STATES))(
    'API-shutdown %s: another number is WSAEINVAL before anything else',
    async (state) => {
      const own = await pair();
      const s = await (STATES[state] as (pair: Pair) => Promise<number>)(own);
      for (const how of [3, -1, 0x7fff_ffff]) expect(await own.a.shutdown(s, how)).toBe(-WSAEINVAL);
    },
  );

  test('SEM-SHUT-04 the same shutdown may be repeated, and one that adds a direction is a new one', async () => {
    const own = await pair();
    const { client, server } = await connected(own);
    for (const how of [SD_SEND, SD_SEND, SD_RECEIVE, SD_BOTH, SD_SEND])
      expect(await own.a.shutdown(client, how)).toBe(0);
    expect(await own.b.recv(server, new Uint8Array(1))).toBe(0);
  });

  test('SEM-SHUT-02 data that is queued or comes after SD_RECEIVE resets the connection', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.shutdown(client, SD_RECEIVE));
    await ok(b.send(server, text('too late')));
    expect([-WSAECONNRESET, -WSAECONNABORTED]).toContain(await b.recv(server, new Uint8Array(1)));
  });

  test('SEM-SHUT-05 after FIN and all data recv is 0 again and again; after RST WSAECONNRESET', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(b.send(server, text('rest')));
    await ok(b.shutdown(server, SD_SEND));
    expect(await receiveText(a, client)).toBe('rest');
    expect([await a.recv(client, new Uint8Array(1)), await a.recv(client, new Uint8Array(1))]).toEqual([
      0, 0,
    ]);
    await ok(b.setsockopt(server, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(b.closesocket(server));
    const other = await connected({ a, b });
    await ok(b.setsockopt(other.server, SOL_SOCKET, SO_LINGER, Uint8Array.of(1, 0, 0, 0)));
    await ok(b.closesocket(other.server));
    expect(await a.recv(other.client, new Uint8Array(1))).toBe(-WSAECONNRESET);
  });

  test('SEM-SHUT-06 a send after the peer has closed succeeds once, then recv is WSAECONNABORTED', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(b.closesocket(server));
    expect(await a.recv(client, new Uint8Array(1))).toBe(0);
    expect(await a.send(client, text('anybody?'))).toBe(8);
    await passTime(a, 100);
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAECONNABORTED);
  });

  test('SEM-SHUT-11 FD_CLOSE comes with the peer’s FIN, not with the own shutdown', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const event = await ok(a.WSACreateEvent());
    await ok(a.WSAEventSelect(client, event, FD_CLOSE));
    await ok(a.shutdown(client, SD_BOTH));
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, 0)).toBe(258);
    await ok(b.closesocket(server));
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, 5000)).toBe(0);
    const events: WSANETWORKEVENTS = { lNetworkEvents: 0, iErrorCode: [] };
    await ok(a.WSAEnumNetworkEvents(client, event, events));
    expect(events.lNetworkEvents).toBe(FD_CLOSE);
  });

  test('API-WSASendDisconnect, API-WSARecvDisconnect are shutdown; data is WSAENOPROTOOPT, an unconnected socket WSAENOTCONN', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    expect(await a.WSASendDisconnect(await tcp(a))).toBe(NOTCONN);
    expect(await a.WSARecvDisconnect(await tcp(a))).toBe(NOTCONN);
    expect(await a.WSASendDisconnect(client, text('bye'))).toBe(-WSAENOPROTOOPT);
    expect(await a.WSARecvDisconnect(client, { value: text('room') })).toBe(-WSAENOPROTOOPT);
    expect(await a.send(client, text('on'))).toBe(2);
    await ok(a.WSASendDisconnect(client, new Uint8Array(0)));
    expect(await a.send(client, text('x'))).toBe(SHUTDOWN);
    expect(await receiveText(b, server)).toBe('on');
    expect(await b.recv(server, new Uint8Array(1))).toBe(0);
    await ok(b.WSARecvDisconnect(server));
    expect(await b.recv(server, new Uint8Array(1))).toBe(SHUTDOWN);
  });

  test('SEM-SHUT-09 a datagram socket is shut unconnected and even unbound, each way', async () => {
    const { a } = await pair();
    for (const how of [SD_RECEIVE, SD_SEND, SD_BOTH]) {
      const s = await udp(a);
      await ok(a.shutdown(s, how));
      const sent = await a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, 9));
      expect(sent).toBe(how === SD_RECEIVE ? 1 : SHUTDOWN);
    }
  });
});

/** l_onoff and l_linger. */
function linger(on: number, seconds: number): Uint8Array {
  return Uint8Array.of(on, 0, seconds & 0xff, seconds >>> 8);
}

/** Fills a connection whose reader does nothing. @returns how many bytes were taken */
async function fill(ws: Winsock, s: number): Promise<number> {
  await nonBlocking(ws, s);
  const piece = new Uint8Array(100_000);
  let total = 0;
  for (;;) {
    const count = await ws.send(s, piece);
    if (count === WOULDBLOCK) return total;
    total += await ok(count);
  }
}

/** A connection with small buffers, so that it is soon full. */
async function narrow({ a, b }: Pair): Promise<{ client: number; server: number }> {
  const { client, server } = await connected({ a, b });
  await ok(b.setsockopt(server, SOL_SOCKET, SO_RCVBUF, int(20_000)));
  await ok(a.setsockopt(client, SOL_SOCKET, SO_SNDBUF, int(20_000)));
  return { client, server };
}

/** Reads to the end. @returns how many bytes there were, and how it ended */
async function drain(ws: Winsock, s: number): Promise<{ bytes: number; end: number }> {
  const into = new Uint8Array(65_536);
  for (let bytes = 0; ; ) {
    const count = await ws.recv(s, into);
    if (count <= 0) return { bytes, end: count };
    bytes += count;
  }
}

overEveryAttachment('closesocket', (pair) => {
  test.each([
    ['SEM-LING-01 no linger, blocking', linger(0, 9), false, 0],
    ['SEM-LING-01 no linger, non-blocking', linger(0, 0), true, 0],
  ])(
    '%s: at once, and the peer gets all that was sent and the end',
    async (_title, option, isNonBlocking) => {
      const own = await pair();
      const { client, server } = await narrow(own);
      await ok(own.a.setsockopt(client, SOL_SOCKET, SO_LINGER, option));
      const sent = await fill(own.a, client);
      if (!isNonBlocking) await ok(own.a.ioctlsocket(client, 0x8004667e, { value: 0 }));
      expect(await own.a.closesocket(client)).toBe(0);
      expect(await own.a.send(client, text('x'))).toBe(-WSAENOTSOCK);
      expect(await drain(own.b, server)).toEqual({ bytes: sent, end: 0 });
    },
  );

  test.each([
    ['blocking', false],
    ['non-blocking', true],
  ])(
    'SEM-LING-02, SEM-LING-06 linger of 0 seconds, %s: a reset at once, and no TIME-WAIT',
    async (_title, isNonBlocking) => {
      const own = await pair();
      const { client, server } = await narrow(own);
      await ok(own.a.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 0)));
      const sent = await fill(own.a, client);
      if (!isNonBlocking) await ok(own.a.ioctlsocket(client, 0x8004667e, { value: 0 }));
      expect(await own.a.closesocket(client)).toBe(0);
      const { bytes, end } = await drain(own.b, server);
      expect(end).toBe(-WSAECONNRESET);
      expect(bytes).toBeLessThan(sent);
      expect(own.attachment.hosts.a.afd.describe().filter(({ state }) => state !== 'LISTEN')).toEqual([]);
    },
  );

  test('SEM-LING-03 linger with time, blocking: waits until the peer has all', async () => {
    const own = await pair();
    const { client, server } = await narrow(own);
    const sent = await fill(own.a, client);
    await ok(own.a.ioctlsocket(client, 0x8004667e, { value: 0 }));
    await ok(own.a.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 30)));
    const closing = own.a.closesocket(client);
    expect(typeof closing).toBe('object');
    expect(await drain(own.b, server)).toEqual({ bytes: sent, end: 0 });
    expect(await closing).toBe(0);
  });

  test('SEM-LING-04, API-closesocket linger with time, non-blocking: WSAEWOULDBLOCK, and the socket is as before; later it closes', async () => {
    const own = await pair();
    const { client, server } = await narrow(own);
    await ok(own.a.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 30)));
    const sent = await fill(own.a, client);
    expect(await own.a.closesocket(client)).toBe(WOULDBLOCK);
    expect(await own.a.closesocket(client)).toBe(WOULDBLOCK);
    let got = 0;
    const into = new Uint8Array(65_536);
    while (got < sent) got += await ok(own.b.recv(server, into));
    await ready(own.a, client, 'write');
    // No disconnect was started.
    expect(await own.a.send(client, text('more'))).toBe(4);
    expect(await receiveText(own.b, server)).toBe('more');
    await passTime(own.a, 100);
    expect(await own.a.closesocket(client)).toBe(0);
    expect(await own.b.recv(server, into)).toBe(0);
  });

  test('SEM-LING-05 SO_DONTLINGER FALSE is l_onoff 1 with the last time', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_LINGER, linger(0, 7)));
    await ok(a.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, int(0)));
    const read = new Uint8Array(4);
    await ok(a.getsockopt(s, SOL_SOCKET, SO_LINGER, read));
    expect([...read]).toEqual([1, 0, 7, 0]);
    expect(await getInt(a, s, SOL_SOCKET, SO_DONTLINGER)).toBe(0);
    await ok(a.setsockopt(s, SOL_SOCKET, SO_DONTLINGER, int(1)));
    await ok(a.getsockopt(s, SOL_SOCKET, SO_LINGER, read));
    expect([...read]).toEqual([0, 0, 7, 0]);
  });

  test('SEM-LING-07 the handle may be given out at once, and the own close is no FD_CLOSE', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const event = await ok(a.WSACreateEvent());
    await ok(a.WSAEventSelect(client, event, FD_CLOSE));
    await ok(a.closesocket(client));
    expect(await tcp(a)).toBe(client);
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, 0)).toBe(258);
  });

  test('API-closesocket a listener’s close resets who was not accepted; of each kind of socket it succeeds once', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await passTime(b, 20);
    await ok(b.closesocket(s));
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAECONNRESET);
    for (const each of [await tcp(a), await udp(a), (await bound(a, udp)).s]) {
      expect([await a.closesocket(each), await a.closesocket(each)]).toEqual([0, -WSAENOTSOCK]);
    }
  });
});

overVirtualTime('closesocket in time', (pair) => {
  test('SEM-LING-03, SEM-LING-06 when the time runs out it succeeds all the same, and the connection is reset', async () => {
    const own = await pair();
    const { client, server } = await narrow(own);
    const sent = await fill(own.a, client);
    await ok(own.a.ioctlsocket(client, 0x8004667e, { value: 0 }));
    await ok(own.a.setsockopt(client, SOL_SOCKET, SO_LINGER, linger(1, 2)));
    let isClosed = false;
    const closing = Promise.resolve(own.a.closesocket(client)).then((answer) => {
      isClosed = true;
      return answer;
    });
    await passTime(own.a, 1900);
    expect(isClosed).toBe(false);
    await passTime(own.a, 200);
    expect([isClosed, await closing]).toEqual([true, 0]);
    const { bytes, end } = await drain(own.b, server);
    expect(end).toBe(-WSAECONNRESET);
    expect(bytes).toBeLessThan(sent);
  });
});
