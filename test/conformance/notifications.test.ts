import { expect, test } from '@jest/globals';
import {
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_NOT_FOUND,
  ERROR_NOT_SUPPORTED,
  INVALID_HANDLE_VALUE,
  SD_SEND,
  SO_LINGER,
  SOCK_NOTIFY_EVENT_ERR,
  SOCK_NOTIFY_EVENT_HANGUP,
  SOCK_NOTIFY_EVENT_IN,
  SOCK_NOTIFY_EVENT_OUT,
  SOCK_NOTIFY_EVENT_REMOVE,
  SOCK_NOTIFY_OP_DISABLE,
  SOCK_NOTIFY_OP_ENABLE,
  SOCK_NOTIFY_OP_REMOVE,
  SOCK_NOTIFY_TRIGGER_EDGE,
  SOCK_NOTIFY_TRIGGER_LEVEL,
  SOCK_NOTIFY_TRIGGER_ONESHOT,
  SOCK_NOTIFY_TRIGGER_PERSISTENT,
  SOL_SOCKET,
  WAIT_TIMEOUT,
  WSAENOTSOCK,
} from '../../src/abi/index.ts';
import type { Ref } from '../../src/spi/index.ts';
import {
  type OVERLAPPED_ENTRY,
  type SOCK_NOTIFY_REGISTRATION,
  SocketNotificationRetrieveEvents,
  type Winsock,
} from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import { SOON } from './overlapped-support.ts';
import {
  connected,
  datagramPair,
  listening,
  name,
  ok,
  overEveryAttachment,
  receiveText,
  tcp,
  text,
} from './support.ts';

const ONCE = SOCK_NOTIFY_TRIGGER_ONESHOT | SOCK_NOTIFY_TRIGGER_LEVEL;
const AGAIN = SOCK_NOTIFY_TRIGGER_PERSISTENT | SOCK_NOTIFY_TRIGGER_LEVEL;

function asks(
  socket: number,
  eventFilter: number,
  triggerFlags = ONCE,
  operation: number = SOCK_NOTIFY_OP_ENABLE,
  completionKey = socket,
): SOCK_NOTIFY_REGISTRATION {
  return { socket, completionKey, eventFilter, operation, triggerFlags, registrationResult: -1 };
}

/** Registers one socket. @returns its result */
async function register(ws: Winsock, port: number, asked: SOCK_NOTIFY_REGISTRATION): Promise<number> {
  expect(await ws.ProcessSocketNotifications(port, 1, [asked])).toBe(0);
  return asked.registrationResult;
}

/** The next notification: [key, events]; `null` when none comes. */
async function next(ws: Winsock, port: number, timeout = SOON): Promise<[number, number] | null> {
  const entries: OVERLAPPED_ENTRY[] = [];
  const count: Ref = { value: 0 };
  const answer = await ws.ProcessSocketNotifications(port, 0, null, timeout, 1, entries, count);
  if (answer === -WAIT_TIMEOUT) return null;
  expect([answer, count.value]).toEqual([0, 1]);
  const [entry] = entries;
  return entry === undefined ? null : [entry.lpCompletionKey, SocketNotificationRetrieveEvents(entry)];
}

overEveryAttachment('socket state notifications', (pair) => {
  const portOf = (ws: Winsock): Promise<number> => ok(ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE));

  test('API-ProcessSocketNotifications, API-SocketNotificationRetrieveEvents a state is told once, until it is asked for again', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const port = await portOf(a);
    expect(await register(a, port, asks(client, SOCK_NOTIFY_EVENT_IN))).toBe(0);
    expect(await next(a, port, 20)).toBeNull();
    await ok(b.send(server, text('abc')));
    expect(await next(a, port)).toEqual([client, SOCK_NOTIFY_EVENT_IN]);
    await ok(b.send(server, text('d')));
    expect(await next(a, port, 50)).toBeNull();
    expect(await register(a, port, asks(client, SOCK_NOTIFY_EVENT_IN | SOCK_NOTIFY_EVENT_OUT))).toBe(0);
    expect(await next(a, port)).toEqual([client, SOCK_NOTIFY_EVENT_IN | SOCK_NOTIFY_EVENT_OUT]);
  });

  test('API-ProcessSocketNotifications a persistent one is told as long as the state holds', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const port = await portOf(a);
    expect(await register(a, port, asks(client, SOCK_NOTIFY_EVENT_IN, AGAIN))).toBe(0);
    await ok(b.send(server, text('abc')));
    for (let i = 0; i < 3; i++) expect(await next(a, port)).toEqual([client, SOCK_NOTIFY_EVENT_IN]);
    // One notification may be on its way already when the data is read.
    expect(await receiveText(a, client)).toBe('abc');
    await next(a, port, 30);
    expect(await next(a, port, 50)).toBeNull();
    await ok(b.send(server, text('more')));
    expect(await next(a, port)).toEqual([client, SOCK_NOTIFY_EVENT_IN]);
  });

  test('API-ProcessSocketNotifications connections, the end of a stream, and failures', async () => {
    const { a, b } = await pair();
    const { s: listener, port: number } = await listening(b);
    const port = await portOf(b);
    expect(await register(b, port, asks(listener, SOCK_NOTIFY_EVENT_IN))).toBe(0);
    const client = await tcp(a);
    await ok(a.connect(client, name(ADDRESS_B, number)));
    expect(await next(b, port)).toEqual([listener, SOCK_NOTIFY_EVENT_IN]);
    const server = await ok(b.accept(listener));
    expect(await register(b, port, asks(server, SOCK_NOTIFY_EVENT_HANGUP))).toBe(0);
    await ok(a.shutdown(client, SD_SEND));
    expect(await next(b, port)).toEqual([server, SOCK_NOTIFY_EVENT_HANGUP]);
    const other = await connected({ a, b });
    expect(await register(b, port, asks(other.server, SOCK_NOTIFY_EVENT_IN | SOCK_NOTIFY_EVENT_HANGUP))).toBe(
      0,
    );
    await ok(a.setsockopt(other.client, SOL_SOCKET, SO_LINGER, new Uint8Array([1, 0, 0, 0])));
    await ok(a.closesocket(other.client));
    const [, events = 0] = (await next(b, port)) ?? [];
    expect(events & (SOCK_NOTIFY_EVENT_ERR | SOCK_NOTIFY_EVENT_HANGUP)).toBe(
      SOCK_NOTIFY_EVENT_ERR | SOCK_NOTIFY_EVENT_HANGUP,
    );
  });

  test('API-ProcessSocketNotifications disabled it is silent; removed it says so, and the socket may have another port', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const [port, second] = [await portOf(b), await portOf(b)];
    expect(await register(b, port, asks(peer, SOCK_NOTIFY_EVENT_IN))).toBe(0);
    expect(await register(b, second, asks(peer, SOCK_NOTIFY_EVENT_IN))).toBe(ERROR_INVALID_PARAMETER);
    expect(await register(b, port, asks(peer, SOCK_NOTIFY_EVENT_IN, ONCE, SOCK_NOTIFY_OP_ENABLE, 1))).toBe(
      ERROR_INVALID_PARAMETER,
    );
    expect(await register(b, port, asks(peer, 0, 0, SOCK_NOTIFY_OP_DISABLE))).toBe(0);
    await ok(a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, peerPort)));
    expect(await next(b, port, 50)).toBeNull();
    expect(await register(b, port, asks(peer, 0, 0, SOCK_NOTIFY_OP_REMOVE))).toBe(0);
    expect(await next(b, port)).toEqual([peer, SOCK_NOTIFY_EVENT_REMOVE]);
    expect(await register(b, port, asks(peer, 0, 0, SOCK_NOTIFY_OP_REMOVE))).toBe(ERROR_NOT_FOUND);
    expect(await register(b, second, asks(peer, SOCK_NOTIFY_EVENT_IN, AGAIN))).toBe(0);
    expect(await next(b, second)).toEqual([peer, SOCK_NOTIFY_EVENT_IN]);
    await ok(b.closesocket(peer));
    await next(b, second, 30);
    expect(await next(b, second, 50)).toBeNull();
  });

  test('API-ProcessSocketNotifications what is refused, as a whole and one by one', async () => {
    const { a } = await pair();
    const port = await portOf(a);
    const s = await tcp(a);
    expect(await a.ProcessSocketNotifications(0xfff0, 1, [asks(s, 1)])).toBe(-ERROR_INVALID_HANDLE);
    expect(await a.ProcessSocketNotifications(port, 0, null)).toBe(-ERROR_INVALID_PARAMETER);
    expect(await a.ProcessSocketNotifications(port, 2, [asks(s, 1)])).toBe(-ERROR_INVALID_PARAMETER);
    expect(await a.ProcessSocketNotifications(port, -1, [])).toBe(-ERROR_INVALID_PARAMETER);
    expect(await a.ProcessSocketNotifications(port, 0, null, 0, 1, null, null)).toBe(
      -ERROR_INVALID_PARAMETER,
    );
    for (const [asked, code] of [
      [asks(0xfff0, 1), WSAENOTSOCK],
      [asks(s, 0), ERROR_INVALID_PARAMETER],
      [asks(s, 8), ERROR_INVALID_PARAMETER],
      [asks(s, 1, 0), ERROR_INVALID_PARAMETER],
      [asks(s, 1, 0xf), ERROR_INVALID_PARAMETER],
      [asks(s, 1, ONCE, 3), ERROR_INVALID_PARAMETER],
      [asks(s, 1, ONCE, SOCK_NOTIFY_OP_DISABLE), ERROR_NOT_FOUND],
      [asks(s, 1, SOCK_NOTIFY_TRIGGER_PERSISTENT | SOCK_NOTIFY_TRIGGER_EDGE), ERROR_NOT_SUPPORTED],
    ] as const) {
      expect(await register(a, port, asked)).toBe(code);
    }
  });
});
