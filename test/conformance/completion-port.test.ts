import { expect, test } from '@jest/globals';
import {
  ERROR_ABANDONED_WAIT_0,
  ERROR_CONNECTION_ABORTED,
  ERROR_INVALID_HANDLE,
  ERROR_INVALID_PARAMETER,
  ERROR_MORE_DATA,
  ERROR_NOT_SUPPORTED,
  ERROR_OPERATION_ABORTED,
  FILE_SKIP_COMPLETION_PORT_ON_SUCCESS,
  FILE_SKIP_SET_EVENT_ON_HANDLE,
  INFINITE,
  INVALID_HANDLE_VALUE,
  parseGuid,
  SIO_GET_EXTENSION_FUNCTION_POINTER,
  STATUS_CANCELLED,
  STATUS_SUCCESS,
  WAIT_TIMEOUT,
  WSA_FLAG_OVERLAPPED,
  WSA_INVALID_HANDLE,
  WSA_WAIT_IO_COMPLETION,
  WSAEINVAL,
  WSAEOPNOTSUPP,
  WSAID_ACCEPTEX,
} from '../../src/abi/index.ts';
import type { Ref, WSAOVERLAPPED } from '../../src/spi/index.ts';
import type { OVERLAPPED_ENTRY } from '../../src/winsock/index.ts';
import { ADDRESS_B } from './attachment.ts';
import {
  isEmpty,
  packet,
  pending,
  portOf,
  record,
  recordWithEvent,
  SOON,
  started,
} from './overlapped-support.ts';
import {
  bound,
  connected,
  datagramPair,
  name,
  ok,
  overEveryAttachment,
  tcp,
  text,
  udp,
  wsadata,
} from './support.ts';

overEveryAttachment('completion ports', (pair) => {
  test('SEM-OV-02 the completion of an associated socket is a packet with bytes, key and record', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const port = await portOf(a, client, 42);
    const overlapped = record();
    const bytes = new Uint8Array(9);
    await pending(a.WSARecv(client, [bytes], 1, null, { value: 0 }, overlapped));
    expect(await isEmpty(a, port)).toBe(true);
    await ok(b.send(server, text('abc')));
    expect(await packet(a, port)).toEqual({ answer: 1, bytes: 3, key: 42, lpOverlapped: overlapped });
    expect(String.fromCharCode(...bytes.subarray(0, 3))).toBe('abc');
    expect(await isEmpty(a, port)).toBe(true);
  });

  test('SEM-OV-05 an operation that is done at once is queued too, unless the socket skips successes', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const port = await portOf(a, client);
    const overlapped = record();
    expect(await a.WSASend(client, [text('ab')], 1, null, 0, overlapped)).toBe(0);
    expect(await packet(a, port)).toMatchObject({ answer: 1, bytes: 2, lpOverlapped: overlapped });
    expect(await a.SetFileCompletionNotificationModes(client, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)).toBe(1);
    expect(await a.WSASend(client, [text('ab')], 1, null, 0, overlapped)).toBe(0);
    expect(await isEmpty(a, port)).toBe(true);
    // One that has pended is queued all the same.
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    await ok(b.send(server, text('z')));
    expect(await packet(a, port)).toMatchObject({ answer: 1, bytes: 1 });
  });

  test('SEM-OV-03 an event of the record is set beside the packet; its low bit keeps the packet away', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const port = await portOf(a, client);
    const both = await recordWithEvent(a);
    expect(await a.WSASend(client, [text('ab')], 1, null, 0, both)).toBe(0);
    expect(await a.WSAWaitForMultipleEvents(1, [both.hEvent], true, 0)).toBe(0);
    expect(await packet(a, port)).toMatchObject({ answer: 1, lpOverlapped: both });
    const event = await ok(a.WSACreateEvent());
    expect(await a.WSASend(client, [text('ab')], 1, null, 0, record(event | 1))).toBe(0);
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, 0)).toBe(0);
    expect(await isEmpty(a, port)).toBe(true);
  });

  test('SEM-OV-06 what did not start is not queued', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const port = await portOf(a, s);
    expect(await a.WSARecv(s, [new Uint8Array(1)], 1, null, { value: 0 }, record())).toBeLessThan(0);
    expect(await isEmpty(a, port)).toBe(true);
  });

  test('SEM-OV-04 a routine has no place where completions are queued', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    await portOf(a, client);
    const answer = await a.WSARecv(client, [new Uint8Array(1)], 1, null, { value: 0 }, record(), () => {});
    expect(answer).toBe(-WSAEINVAL);
  });

  test('SEM-OV-12, SEM-OV-13 failures are packets with the code of Win32 and the record', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const port = await portOf(a, client);
    const records = [record(), record()] as const;
    for (const overlapped of records) {
      await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    }
    await ok(a.CancelIoEx(client, records[0]));
    expect(await packet(a, port)).toMatchObject({
      answer: -ERROR_OPERATION_ABORTED,
      key: 7,
      lpOverlapped: records[0],
    });
    await ok(a.closesocket(client));
    expect(await packet(a, port)).toMatchObject({
      answer: -ERROR_CONNECTION_ABORTED,
      lpOverlapped: records[1],
    });
    expect(await isEmpty(a, port)).toBe(true);
  });

  test('SEM-IO-03 a message that was cut is ERROR_MORE_DATA with the bytes that fitted', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const port = await portOf(b, peer);
    await pending(b.WSARecv(peer, [new Uint8Array(2)], 1, null, { value: 0 }, record()));
    await ok(a.sendto(s, text('abcdef'), 6, 0, name(ADDRESS_B, peerPort)));
    expect(await packet(b, port)).toMatchObject({ answer: -ERROR_MORE_DATA, bytes: 2 });
  });

  test('SEM-SHUT-12 shutdown and WSASendDisconnect queue nothing', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const port = await portOf(a, client);
    await ok(a.shutdown(client, 1));
    await ok(a.WSASendDisconnect(client, null));
    await ok(a.WSARecvDisconnect(client, null));
    expect(await isEmpty(a, port)).toBe(true);
  });

  test('SEM-VER-15 WSACleanup queues nothing for what it cancels; the port lives on', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const port = await portOf(a, client);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, record()));
    await ok(a.WSACleanup());
    expect(await isEmpty(a, port)).toBe(true);
    expect(await a.PostQueuedCompletionStatus(port, 1, 2, null)).toBe(1);
    expect(await packet(a, port)).toEqual({ answer: 1, bytes: 1, key: 2, lpOverlapped: null });
  });

  test('SEM-OV-02 handles: what CreateIoCompletionPort takes and refuses', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const port = await ok(a.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
    expect(await ok(a.CreateIoCompletionPort(-1))).not.toBe(port);
    expect(await a.CreateIoCompletionPort(INVALID_HANDLE_VALUE, port)).toBe(-ERROR_INVALID_PARAMETER);
    const event = await ok(a.WSACreateEvent());
    for (const handle of [0, 2, 0xfff0, event, port]) {
      expect(await a.CreateIoCompletionPort(handle, port)).toBe(-ERROR_INVALID_HANDLE);
    }
    for (const existing of [3, 0xfff0, event, s]) {
      expect(await a.CreateIoCompletionPort(s, existing)).toBe(-ERROR_INVALID_HANDLE);
    }
    expect(await a.CreateIoCompletionPort(s, port, 1)).toBe(port);
    expect(await a.CreateIoCompletionPort(s, port, 1)).toBe(-ERROR_INVALID_PARAMETER);
    // A port for a socket alone.
    const own = await ok(a.CreateIoCompletionPort(await tcp(a), 0, 9, 4));
    expect(await isEmpty(a, own)).toBe(true);
    // Without the overlapped attribute nothing can be queued.
    const plain = await ok(a.WSASocket(2, 1, 6, null, 0, 0));
    expect(await a.CreateIoCompletionPort(plain, port)).toBe(-ERROR_INVALID_PARAMETER);
    expect(
      await a.CreateIoCompletionPort(await ok(a.WSASocket(2, 1, 6, null, 0, WSA_FLAG_OVERLAPPED)), port),
    ).toBe(port);
  });

  test('SEM-OV-02 GetQueuedCompletionStatus: time-outs, wrong handles, missing places', async () => {
    const { a } = await pair();
    const port = await ok(a.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
    const of: Ref<WSAOVERLAPPED | null> = { value: record() };
    expect(await a.GetQueuedCompletionStatus(port, { value: 0 }, { value: 0 }, of, 0)).toBe(-WAIT_TIMEOUT);
    expect(of.value).toBe(null);
    expect(await a.GetQueuedCompletionStatus(port, null, null, of, 20)).toBe(-WAIT_TIMEOUT);
    expect(await a.GetQueuedCompletionStatus(port, null, null, null, 0)).toBe(-ERROR_INVALID_PARAMETER);
    for (const handle of [0, 1, 0xfff0, await tcp(a), await ok(a.WSACreateEvent())]) {
      expect(await a.GetQueuedCompletionStatus(handle, null, null, of, 0)).toBe(-ERROR_INVALID_HANDLE);
      expect(await a.PostQueuedCompletionStatus(handle, 0, 0, null)).toBe(-ERROR_INVALID_HANDLE);
    }
    expect(await a.PostQueuedCompletionStatus(port, 1, 2, null)).toBe(1);
    expect(await a.GetQueuedCompletionStatus(port, null, null, of, 0)).toBe(1);
  });

  test('SEM-OV-02 packets leave in their order; who came last to wait is served first', async () => {
    const { a } = await pair();
    const port = await ok(a.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
    for (const key of [1, 2, 3]) await ok(a.PostQueuedCompletionStatus(port, 10 * key, key, null));
    for (const key of [1, 2, 3])
      expect(await packet(a, port)).toMatchObject({ answer: 1, bytes: 10 * key, key });
    const first = packet(a, port, INFINITE);
    const second = packet(a, port, INFINITE);
    await ok(a.PostQueuedCompletionStatus(port, 0, 1, null));
    await ok(a.PostQueuedCompletionStatus(port, 0, 2, null));
    expect([(await second).key, (await first).key]).toEqual([1, 2]);
  });

  test('SEM-OV-02 GetQueuedCompletionStatusEx takes several, failures among them', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const port = await portOf(a, client);
    const entries: OVERLAPPED_ENTRY[] = [];
    const removed: Ref = { value: -1 };
    const take = (count: number, timeout: number, isAlertable = false): number | Promise<number> =>
      a.GetQueuedCompletionStatusEx(port, entries, count, removed, timeout, isAlertable);
    expect(await take(4, 0)).toBe(-WAIT_TIMEOUT);
    expect(await take(0, 0)).toBe(-ERROR_INVALID_PARAMETER);
    expect(await a.GetQueuedCompletionStatusEx(port, null, 1, removed, 0)).toBe(-ERROR_INVALID_PARAMETER);
    const overlapped = record();
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    await ok(a.CancelIo(client));
    await ok(a.PostQueuedCompletionStatus(port, 1, 1, null));
    await ok(a.PostQueuedCompletionStatus(port, 2, 2, null));
    const seen: OVERLAPPED_ENTRY[] = [];
    while (seen.length < 3) {
      expect(await take(2, SOON)).toBe(1);
      expect(removed.value).toBe(entries.length);
      expect(entries.length).toBeLessThanOrEqual(2);
      seen.push(...entries);
    }
    expect(seen).toContainEqual({
      lpCompletionKey: 7,
      lpOverlapped: overlapped,
      Internal: STATUS_CANCELLED,
      dwNumberOfBytesTransferred: 0,
    });
    expect(seen.filter(({ Internal }) => Internal === STATUS_SUCCESS)).toHaveLength(2);
    expect(await take(2, 0, true)).toBe(-WAIT_TIMEOUT);
  });

  test('SEM-OV-04 GetQueuedCompletionStatusEx can be an alertable wait', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const port = await ok(a.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
    let bytes = 0;
    const routine = (_error: number, count: number): void => {
      bytes = count;
    };
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, record(), routine));
    const waiting = a.GetQueuedCompletionStatusEx(port, [], 1, { value: 0 }, INFINITE, true);
    await ok(b.send(server, text('ab')));
    expect([await waiting, bytes]).toEqual([-WSA_WAIT_IO_COMPLETION, 2]);
  });

  test('SEM-OV-02 closing a port ends the waits with ERROR_ABANDONED_WAIT_0, and what is done later goes nowhere', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const port = await portOf(a, client);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, record()));
    const waits = [packet(a, port, INFINITE), packet(a, port, INFINITE)];
    expect(await a.CloseHandle(port)).toBe(1);
    for (const wait of waits) {
      expect(await wait).toMatchObject({ answer: -ERROR_ABANDONED_WAIT_0, lpOverlapped: null });
    }
    expect((await packet(a, port)).answer).toBe(-ERROR_INVALID_HANDLE);
    await ok(b.send(server, text('a')));
    expect(await a.CloseHandle(port)).toBe(-ERROR_INVALID_HANDLE);
    expect(await a.CloseHandle(client)).toBe(-ERROR_INVALID_HANDLE);
    const event = await ok(a.WSACreateEvent());
    expect(await a.CloseHandle(event)).toBe(1);
    expect(await a.WSASetEvent(event)).toBe(-WSA_INVALID_HANDLE);
  });

  test('SEM-OV-05 SetFileCompletionNotificationModes knows two modes and only sockets', async () => {
    const { a } = await pair();
    const { s } = await bound(a, udp);
    const both = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    expect(await a.SetFileCompletionNotificationModes(s, both)).toBe(1);
    expect(await a.SetFileCompletionNotificationModes(s, 4)).toBe(-ERROR_INVALID_PARAMETER);
    expect(await a.SetFileCompletionNotificationModes(0xfff0, 1)).toBe(-ERROR_INVALID_HANDLE);
  });

  test('SEM-OV-02 one port serves many sockets, told apart by key', async () => {
    const { a, b } = await pair();
    const { s: sink, port: number } = await bound(b, udp, ADDRESS_B);
    const port = await ok(a.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
    for (let key = 1; key <= 5; key++) {
      const s = await udp(a);
      await ok(a.CreateIoCompletionPort(s, port, key));
      await started(
        a.WSASendTo(s, [text('x'.repeat(key))], 1, null, 0, name(ADDRESS_B, number), 16, record()),
      );
    }
    const seen = new Map<number, number>();
    for (let i = 0; i < 5; i++) {
      const { key, bytes } = await packet(a, port);
      seen.set(key, bytes);
    }
    expect([...seen].sort()).toEqual([1, 2, 3, 4, 5].map((key) => [key, key]));
    await ok(b.closesocket(sink));
  });
});

overEveryAttachment('overlapped operations in the profile of Windows Mobile', (pair) => {
  test('SEM-OV-02, SEM-OV-03, IOC-SIO_GET_EXTENSION_FUNCTION_POINTER events are there, completion ports and extension functions are not', async () => {
    const { processOn } = await pair();
    const ws = await processOn('a', 0, 'windows-mobile');
    await ok(ws.WSAStartup(0x0202, wsadata()));
    const { s } = await bound(ws, udp);
    const overlapped = await recordWithEvent(ws);
    await pending(ws.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    expect(await ws.CreateIoCompletionPort(INVALID_HANDLE_VALUE)).toBe(-ERROR_NOT_SUPPORTED);
    const id = parseGuid(WSAID_ACCEPTEX) ?? new Uint8Array(0);
    const code = SIO_GET_EXTENSION_FUNCTION_POINTER;
    expect(await ws.WSAIoctl(s, code, id, 16, new Uint8Array(8), 8, { value: 0 })).toBe(-WSAEOPNOTSUPP);
    expect(await ws.AcceptEx(s, s, new Uint8Array(64), 0, 32, 32, null, record())).toBe(-WSAEOPNOTSUPP);
  });
});
