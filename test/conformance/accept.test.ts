/** Decisions about callers: WSAAccept's condition function, SO_CONDITIONAL_ACCEPT, SO_PAUSE_ACCEPT (SEM-COND-*, SEM-BKLG-*). */

import { expect, test } from '@jest/globals';
import {
  CF_ACCEPT,
  CF_DEFER,
  CF_REJECT,
  FD_ACCEPT,
  IPPROTO_TCP,
  SO_CONDITIONAL_ACCEPT,
  SO_PAUSE_ACCEPT,
  SOL_SOCKET,
  SOMAXCONN,
  TCP_NOSYNRETRIES,
  WSAEACCES,
  WSAECONNREFUSED,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEINVAL,
  WSAENOTSOCK,
  WSAETIMEDOUT,
  WSAEWOULDBLOCK,
  type WSANETWORKEVENTS,
  WSATRY_AGAIN,
} from '../../src/abi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  bound,
  getInt,
  int,
  listening,
  localName,
  name,
  nameIn,
  nonBlocking,
  ok,
  overEveryAttachment,
  overVirtualTime,
  passTime,
  ready,
  receiveText,
  tcp,
  text,
} from './support.ts';

/** A listener that holds every SYN until somebody decides. */
async function holding(ws: Winsock): Promise<{ s: number; port: number }> {
  const { s, port } = await bound(ws, tcp);
  await ok(ws.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, int(1)));
  await ok(ws.listen(s, 5));
  return { s, port };
}

/** A socket whose connect fails at the first refusal. */
async function impatient(ws: Winsock): Promise<number> {
  const s = await tcp(ws);
  await ok(ws.setsockopt(s, IPPROTO_TCP, TCP_NOSYNRETRIES, int(1)));
  return s;
}

/** A non-blocking socket whose connect is under way. */
async function calling(ws: Winsock, port: number): Promise<number> {
  const s = await impatient(ws);
  await nonBlocking(ws, s);
  expect(await ws.connect(s, name(ADDRESS_B, port))).toBe(-WSAEWOULDBLOCK);
  return s;
}

async function isReady(ws: Winsock, s: number, set: 'read' | 'write'): Promise<boolean> {
  const fds = { fd_array: [s] };
  const none = { tv_sec: 0, tv_usec: 0 };
  return (await ok(ws.select(0, set === 'read' ? fds : null, set === 'write' ? fds : null, null, none))) > 0;
}

/** The port of whoever is accepted next. */
async function nextPort(ws: Winsock, s: number): Promise<number> {
  const bytes = new Uint8Array(16);
  await ok(ws.accept(s, bytes, { value: 16 }));
  return nameIn(bytes).port;
}

overEveryAttachment('SO_CONDITIONAL_ACCEPT', (pair) => {
  test('SEM-COND-04 the SYN is held: the caller is connected after CF_ACCEPT, and not before', async () => {
    const { a, b } = await pair();
    const { s, port } = await holding(b);
    const client = await calling(a, port);
    await ready(b, s);
    expect(await isReady(a, client, 'write')).toBe(false);
    const server = await ok(b.WSAAccept(s, null, null, () => CF_ACCEPT));
    await ready(a, client, 'write');
    await ok(b.send(server, text('welcome')));
    await ready(a, client);
    expect(await receiveText(a, client)).toBe('welcome');
    await ok(a.send(client, text('thanks')));
    expect(await receiveText(b, server)).toBe('thanks');
  });

  test('SEM-COND-04, SEM-COND-02 CF_REJECT refuses the caller, who was never connected', async () => {
    const { a, b } = await pair();
    const { s, port } = await holding(b);
    const client = await impatient(a);
    const connecting = a.connect(client, name(ADDRESS_B, port));
    expect(await b.WSAAccept(s, null, null, () => CF_REJECT)).toBe(-WSAECONNREFUSED);
    expect(await connecting).toBe(-WSAECONNREFUSED);
  });

  test('SEM-COND-04, SEM-COND-02 CF_DEFER leaves the SYN unanswered and first', async () => {
    const { a, b } = await pair();
    const { s, port } = await holding(b);
    const first = await calling(a, port);
    await ready(b, s);
    await calling(a, port);
    expect(await b.WSAAccept(s, null, null, () => CF_DEFER)).toBe(-WSATRY_AGAIN);
    expect(await isReady(a, first, 'write')).toBe(false);
    expect(await isReady(b, s, 'read')).toBe(true);
    expect(await nextPort(b, s)).toBe((await localName(a, first)).port);
    await ready(a, first, 'write');
  });

  test('SEM-COND-04 the backlog is off: as many SYNs wait as come', async () => {
    const { a, b } = await pair();
    const { s, port } = await bound(b, tcp);
    await ok(b.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, int(1)));
    await ok(b.listen(s, 1));
    const clients = [await calling(a, port), await calling(a, port), await calling(a, port)];
    for (let i = 0; i < clients.length; i++) await ok(b.WSAAccept(s, null, null, () => CF_ACCEPT));
    for (const client of clients) await ready(a, client, 'write');
  });

  test('SEM-COND-06 a plain accept accepts at once, also one that waited', async () => {
    const { a, b } = await pair();
    const { s, port } = await holding(b);
    const accepting = b.accept(s);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ok(b.send(await ok(accepting), text('in')));
    expect(await receiveText(a, client)).toBe('in');
  });

  test('SEM-COND-05 the function is told who calls, while the SYN waits', async () => {
    const { a, b } = await pair();
    const { s, port } = await holding(b);
    const client = await calling(a, port);
    const told: unknown[] = [];
    await ok(
      b.WSAAccept(
        s,
        null,
        null,
        (caller, callerData, sqos, gqos, callee, calleeData, g, context) => {
          told.push(
            nameIn(caller).port,
            callerData,
            sqos,
            gqos,
            nameIn(callee),
            calleeData?.length,
            g,
            context,
          );
          return CF_ACCEPT;
        },
        5,
      ),
    );
    const { port: callerPort } = await localName(a, client);
    expect(told).toEqual([callerPort, null, null, null, { address: ADDRESS_B, port }, 0, { value: 0 }, 5]);
  });

  test('SEM-STATE-09, OPT-SO_CONDITIONAL_ACCEPT it is set before listen, and WSAEINVAL after', async () => {
    const { a } = await pair();
    const { s } = await holding(a);
    expect(await getInt(a, s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT)).toBe(1);
    expect(await a.setsockopt(s, SOL_SOCKET, SO_CONDITIONAL_ACCEPT, int(0))).toBe(-WSAEINVAL);
    expect(await getInt(a, await tcp(a), SOL_SOCKET, SO_CONDITIONAL_ACCEPT)).toBe(0);
  });

  test('SEM-COND-04 closing the listener refuses who waits, and ends the decision with WSAENOTSOCK', async () => {
    const { a, b } = await pair();
    const { s, port } = await holding(b);
    const client = await impatient(a);
    const connecting = a.connect(client, name(ADDRESS_B, port));
    const accepting = b.WSAAccept(s, null, null, async () => {
      await b.closesocket(s);
      return CF_ACCEPT;
    });
    expect(await accepting).toBe(-WSAENOTSOCK);
    expect(await connecting).toBe(-WSAECONNREFUSED);
  });
});

overEveryAttachment('decisions', (pair) => {
  test('SEM-COND-03 without the option the handshake is over: the caller is connected, then reset', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    expect(await b.WSAAccept(s, null, null, () => CF_REJECT)).toBe(-WSAECONNREFUSED);
    expect(await a.recv(client, new Uint8Array(1))).toBe(-WSAECONNRESET);
  });

  test('SEM-COND-02 FD_ACCEPT comes again after a decision, not after CF_DEFER', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const event = await ok(b.WSACreateEvent());
    await ok(b.WSAEventSelect(s, event, FD_ACCEPT));
    const recorded = async (): Promise<number> => {
      const events: WSANETWORKEVENTS = { lNetworkEvents: -1, iErrorCode: [] };
      await ok(b.WSAEnumNetworkEvents(s, event, events));
      return events.lNetworkEvents;
    };
    for (let i = 0; i < 2; i++) await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    await passTime(b, 50); // the last ACK is on its way
    expect(await recorded()).toBe(FD_ACCEPT);
    expect(await b.WSAAccept(s, null, null, () => CF_DEFER)).toBe(-WSATRY_AGAIN);
    expect(await recorded()).toBe(0);
    await ok(b.WSAAccept(s, null, null, () => CF_ACCEPT));
    expect(await recorded()).toBe(FD_ACCEPT);
  });

  test('SEM-COND-02 a caller about whom somebody decides is nobody else’s', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const [first, second] = [await tcp(a), await tcp(a)];
    await ok(a.connect(first, name(ADDRESS_B, port)));
    await ok(a.connect(second, name(ADDRESS_B, port)));
    let meanwhile = 0;
    const server = await ok(
      b.WSAAccept(s, null, null, async () => {
        meanwhile = await nextPort(b, s);
        return CF_ACCEPT;
      }),
    );
    expect(meanwhile).toBe((await localName(a, second)).port);
    await ok(b.send(server, text('1')));
    expect(await receiveText(a, first)).toBe('1');
  });

  test('API-WSAAccept without a function is accept; too little room for the name is WSAEFAULT before the function', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    let asked = 0;
    const condition = (): number => {
      asked++;
      return CF_ACCEPT;
    };
    expect(await b.WSAAccept(s, new Uint8Array(8), { value: 8 }, condition)).toBe(-WSAEFAULT);
    expect(await b.WSAAccept(s, new Uint8Array(16), null, condition)).toBe(-WSAEFAULT);
    expect(asked).toBe(0);
    const caller = new Uint8Array(28);
    const length = { value: 28 };
    await ok(b.WSAAccept(s, caller, length));
    expect(length.value).toBe(16);
    expect(nameIn(caller).port).toBe((await localName(a, client)).port);
  });

  test('API-WSAAccept on a non-blocking listener with nobody waiting is WSAEWOULDBLOCK, on another socket WSAEINVAL', async () => {
    const { a } = await pair();
    const { s } = await listening(a);
    await nonBlocking(a, s);
    expect(await a.WSAAccept(s, null, null, () => CF_ACCEPT)).toBe(-WSAEWOULDBLOCK);
    expect(await a.WSAAccept(await tcp(a), null, null, () => CF_ACCEPT)).toBe(-WSAEINVAL);
  });
});

overVirtualTime('a caller who has given up', (pair) => {
  test('API-WSAAccept, SEM-COND-04 accepting is WSAEACCES', async () => {
    const { a, b } = await pair();
    const { s, port } = await holding(b);
    const client = await tcp(a);
    const connecting = a.connect(client, name(ADDRESS_B, port));
    const accepting = b.WSAAccept(s, null, null, async () => {
      await passTime(b, 100_000);
      return CF_ACCEPT;
    });
    expect(await connecting).toBe(-WSAETIMEDOUT);
    expect(await accepting).toBe(-WSAEACCES);
  });
});

overEveryAttachment('the backlog', (pair) => {
  test('SEM-BKLG-06 connections are complete before accept', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, port)));
    await ok(a.send(client, text('early')));
    expect(await receiveText(b, await ok(b.accept(s)))).toBe('early');
  });

  test('SEM-BKLG-05 past it a caller is refused; one that was accepted makes room', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b, 2);
    for (let i = 0; i < 2; i++) await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    expect(await a.connect(await impatient(a), name(ADDRESS_B, port))).toBe(-WSAECONNREFUSED);
    await ok(b.accept(s));
    expect(await a.connect(await impatient(a), name(ADDRESS_B, port))).toBe(0);
  });

  test.each([
    ['SEM-BKLG-01 SOMAXCONN', SOMAXCONN, 210],
    ['SEM-BKLG-02 SOMAXCONN_HINT(1) is 200', -1, 200],
    ['SEM-BKLG-03 0 is 1', 0, 1],
  ])('%s: so many may wait', async (_title, backlog, expected) => {
    const { a, b } = await pair();
    const { port } = await listening(b, backlog);
    for (let i = 0; i < expected; i++) await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    const next = await a.connect(await impatient(a), name(ADDRESS_B, port));
    expect(next).toBe(backlog === SOMAXCONN ? 0 : -WSAECONNREFUSED);
  });

  test('SEM-BKLG-07, OPT-SO_PAUSE_ACCEPT a paused listener refuses everybody, and goes on later', async () => {
    const { a, b } = await pair();
    const { s, port } = await listening(b);
    await ok(a.connect(await tcp(a), name(ADDRESS_B, port)));
    await ok(b.setsockopt(s, SOL_SOCKET, SO_PAUSE_ACCEPT, int(1)));
    expect(await getInt(b, s, SOL_SOCKET, SO_PAUSE_ACCEPT)).toBe(1);
    expect(await a.connect(await impatient(a), name(ADDRESS_B, port))).toBe(-WSAECONNREFUSED);
    await ok(b.accept(s));
    await ok(b.setsockopt(s, SOL_SOCKET, SO_PAUSE_ACCEPT, int(0)));
    expect(await a.connect(await impatient(a), name(ADDRESS_B, port))).toBe(0);
  });
});
