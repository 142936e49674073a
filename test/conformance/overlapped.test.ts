import { expect, test } from '@jest/globals';
import {
  ERROR_CONNECTION_ABORTED,
  ERROR_IO_INCOMPLETE,
  ERROR_NETNAME_DELETED,
  ERROR_NOT_FOUND,
  ERROR_OPERATION_ABORTED,
  FILE_SKIP_SET_EVENT_ON_HANDLE,
  FIONBIO,
  FIONREAD,
  MSG_PARTIAL,
  MSG_WAITALL,
  SD_RECEIVE,
  SD_SEND,
  SIO_BASE_HANDLE,
  SIO_BSP_HANDLE_POLL,
  SIO_GET_INTERFACE_LIST,
  SIO_KEEPALIVE_VALS,
  SIO_ROUTING_INTERFACE_QUERY,
  SIOCATMARK,
  SO_LINGER,
  SO_RCVTIMEO,
  SO_SNDTIMEO,
  SOL_SOCKET,
  STATUS_CANCELLED,
  STATUS_CONNECTION_ABORTED,
  STATUS_CONNECTION_RESET,
  STATUS_PENDING,
  STATUS_SUCCESS,
  WSA_FLAG_OVERLAPPED,
  WSA_INVALID_HANDLE,
  WSA_IO_INCOMPLETE,
  WSA_OPERATION_ABORTED,
  WSA_WAIT_IO_COMPLETION,
  WSA_WAIT_TIMEOUT,
  WSAECONNABORTED,
  WSAECONNRESET,
  WSAEFAULT,
  WSAEMSGSIZE,
  WSAENOTCONN,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
} from '../../src/abi/index.ts';
import type { Ref, WSAOVERLAPPED } from '../../src/spi/index.ts';
import { HasOverlappedIoCompleted, type Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { ended, pending, record, recordWithEvent, result, SOON, started } from './overlapped-support.ts';
import {
  bound,
  connected,
  datagramPair,
  int,
  name,
  nameIn,
  ok,
  overEveryAttachment,
  tcp,
  text,
} from './support.ts';

/** Calls of completion routines: [code, bytes, flags, record]. */
type Call = [number, number, number, WSAOVERLAPPED];

function recorder(): {
  calls: Call[];
  routine: (error: number, bytes: number, of: WSAOVERLAPPED, flags: number) => void;
} {
  const calls: Call[] = [];
  return { calls, routine: (error, bytes, of, flags) => void calls.push([error, bytes, flags, of]) };
}

async function isSet(ws: Winsock, event: number): Promise<boolean> {
  return (await ws.WSAWaitForMultipleEvents(1, [event], true, 0)) === 0;
}

overEveryAttachment('overlapped sends and receives', (pair) => {
  test('SEM-OV-03, SEM-OV-06, API-WSARecv a receive pends, and sets its event when the data is there', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    await ok(a.WSASetEvent(overlapped.hEvent));
    const bytes = new Uint8Array(10);
    const count: Ref = { value: -7 };
    const flags: Ref = { value: 0 };
    await pending(a.WSARecv(client, [bytes], 1, count, flags, overlapped));
    expect(await isSet(a, overlapped.hEvent)).toBe(false);
    expect([overlapped.Internal, HasOverlappedIoCompleted(overlapped)]).toEqual([STATUS_PENDING, false]);
    await ok(b.send(server, text('abc')));
    expect(await ended(a, client, overlapped)).toEqual([0, 3]);
    expect([overlapped.Internal, HasOverlappedIoCompleted(overlapped)]).toEqual([STATUS_SUCCESS, true]);
    expect(String.fromCharCode(...bytes.subarray(0, 3))).toBe('abc');
    expect(count.value).toBe(-7); // SEM-OV-11
  });

  test('SEM-OV-01 without a record the routine is ignored and the call is synchronous', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const { calls, routine } = recorder();
    const count: Ref = { value: 0 };
    const receiving = a.WSARecv(client, [new Uint8Array(4)], 1, count, { value: 0 }, null, routine);
    await ok(b.send(server, text('ab')));
    expect(await receiving).toBe(0);
    expect(count.value).toBe(2);
    expect(await a.SleepEx(0, true)).toBe(0);
    expect(calls).toEqual([]);
  });

  test('SEM-OV-05, API-WSASend, STR-WSAOVERLAPPED an operation that is done at once announces itself all the same', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    const count: Ref = { value: -1 };
    expect(await a.WSASend(client, [text('ab'), text('c')], 2, count, 0, overlapped)).toBe(0);
    expect([count.value, await isSet(a, overlapped.hEvent)]).toEqual([3, true]);
    expect(await result(a, client, overlapped)).toEqual([0, 3]);
  });

  test('SEM-OV-06 one that fails at once has not started: no event, no routine', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const overlapped = await recordWithEvent(a);
    const { calls, routine } = recorder();
    expect(await a.WSARecv(s, [new Uint8Array(1)], 1, null, { value: 0 }, overlapped)).toBe(-WSAENOTCONN);
    expect(await a.WSASend(s, [new Uint8Array(1)], 1, null, 0, record(), routine)).toBe(-WSAENOTCONN);
    expect(await isSet(a, overlapped.hEvent)).toBe(false);
    expect(await a.SleepEx(0, true)).toBe(0);
    expect(calls).toEqual([]);
  });

  test('SEM-OV-11 the byte count may be left out with a record only, and the flags never', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const bytes = [new Uint8Array(1)];
    expect(await a.WSARecv(client, bytes, 1, null, { value: 0 })).toBe(-WSAEFAULT);
    expect(await a.WSASend(client, bytes, 1, null, 0)).toBe(-WSAEFAULT);
    expect(await a.WSARecv(client, bytes, 1, null, null, record())).toBe(-WSAEFAULT);
  });

  test('API-WSARecvFrom an overlapped receive says from whom when it is done', async () => {
    const { a, b } = await pair();
    const { s, port, peer, peerPort } = await datagramPair({ a, b });
    const overlapped = await recordWithEvent(b);
    const from = new Uint8Array(16);
    const fromLength: Ref = { value: 16 };
    const bytes = new Uint8Array(8);
    await pending(b.WSARecvFrom(peer, [bytes], 1, null, { value: 0 }, from, fromLength, overlapped));
    await started(a.WSASendTo(s, [text('hi')], 1, null, 0, name(ADDRESS_B, peerPort), 16, record()));
    expect(await ended(b, peer, overlapped)).toEqual([0, 2]);
    expect(nameIn(from)).toEqual({ address: ADDRESS_A, port });
  });

  test('SEM-OV-08 the list of buffers may be changed once the call has returned', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    const buffers = [new Uint8Array(2), new Uint8Array(3)];
    const [first, second] = [...buffers];
    await pending(a.WSARecv(client, buffers, 2, null, { value: 0 }, overlapped));
    buffers.length = 0;
    await ok(b.send(server, text('abcde')));
    expect(await ended(a, client, overlapped)).toEqual([0, 5]);
    expect([...(first as Uint8Array), ...(second as Uint8Array)]).toEqual([...text('abcde')]);
  });

  test('SEM-OV-09 receives are filled in the order in which they were posted', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const posted = [];
    for (let i = 0; i < 4; i++) {
      const overlapped = await recordWithEvent(a);
      const bytes = new Uint8Array(2);
      await pending(a.WSARecv(client, [bytes], 1, null, { value: MSG_WAITALL }, overlapped));
      posted.push({ overlapped, bytes });
    }
    await ok(b.send(server, text('aabbccdd')));
    const read = [];
    for (const { overlapped, bytes } of posted) {
      expect(await ended(a, client, overlapped)).toEqual([0, 2]);
      read.push(String.fromCharCode(...bytes));
    }
    expect(read).toEqual(['aa', 'bb', 'cc', 'dd']);
  });

  test('SEM-OV-09 sends are transmitted in the order in which they were posted', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const size = 150_000;
    const records = [];
    for (let i = 0; i < 4; i++) {
      const overlapped = await recordWithEvent(a);
      await started(a.WSASend(client, [new Uint8Array(size).fill(i)], 1, null, 0, overlapped));
      records.push(overlapped);
    }
    const all = new Uint8Array(4 * size);
    const count: Ref = { value: 0 };
    expect(await b.WSARecv(server, [all], 1, count, { value: MSG_WAITALL })).toBe(0);
    expect(count.value).toBe(4 * size);
    for (let i = 0; i < 4; i++) {
      expect(all.subarray(i * size, (i + 1) * size).every((byte) => byte === i)).toBe(true);
    }
    for (const overlapped of records) expect(await ended(a, client, overlapped)).toEqual([0, size]);
  });

  test('SEM-OV-14 the time-outs of the socket do not concern overlapped operations', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await ok(a.setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, int(10)));
    await ok(a.setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, int(10)));
    const overlapped = await recordWithEvent(a);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    expect(await a.WSAWaitForMultipleEvents(1, [overlapped.hEvent], true, 100)).toBe(WSA_WAIT_TIMEOUT);
    await ok(b.send(server, text('x')));
    expect(await ended(a, client, overlapped)).toEqual([0, 1]);
  });

  test('SEM-OV-22, SEM-IO-09 a receive of nothing is done when data is there, and takes none of it', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    await pending(a.WSARecv(client, [new Uint8Array(0)], 1, null, { value: 0 }, overlapped));
    await ok(b.send(server, text('abc')));
    expect(await ended(a, client, overlapped)).toEqual([0, 0]);
    expect(await a.recv(client, new Uint8Array(9))).toBe(3);
  });

  test('SEM-BLK-06, API-WSASocket a socket without the overlapped attribute waits, even a non-blocking one', async () => {
    const { a, b } = await pair();
    const s = await ok(a.WSASocket(2, 2, 17, null, 0, 0));
    await ok(a.bind(s, name(ADDRESS_A, 0)));
    const local = new Uint8Array(16);
    await ok(a.getsockname(s, local));
    await ok(a.ioctlsocket(s, FIONBIO, { value: 1 }));
    const overlapped = await recordWithEvent(a);
    const count: Ref = { value: 0 };
    const receiving = a.WSARecv(s, [new Uint8Array(9)], 1, count, { value: 0 }, overlapped);
    const { s: sender } = await bound(b, (ws) => ok(ws.WSASocket(2, 2, 17, null, 0, WSA_FLAG_OVERLAPPED)));
    await ok(b.sendto(sender, text('hey'), 3, 0, local, 16));
    expect(await receiving).toBe(0);
    expect([count.value, await isSet(a, overlapped.hEvent)]).toEqual([3, true]);
  });

  test('SEM-IO-03, SEM-OV-10 a message that was cut fails with what fitted, and MSG_PARTIAL in its flags', async () => {
    const { a, b } = await pair();
    const { s, peer, peerPort } = await datagramPair({ a, b });
    const overlapped = await recordWithEvent(b);
    const bytes = new Uint8Array(3);
    await pending(b.WSARecv(peer, [bytes], 1, null, { value: 0 }, overlapped));
    await ok(a.sendto(s, text('abcdef'), 6, 0, name(ADDRESS_B, peerPort)));
    expect(await ended(b, peer, overlapped)).toEqual([WSAEMSGSIZE, 3]);
    const flags: Ref = { value: 0 };
    expect(await b.WSAGetOverlappedResult(peer, overlapped, { value: 0 }, false, flags)).toBe(-WSAEMSGSIZE);
    expect([flags.value, String.fromCharCode(...bytes)]).toEqual([MSG_PARTIAL, 'abc']);
  });

  test('SEM-SHUT-07, SEM-SHUT-08 SD_RECEIVE leaves what pends alone, and the peer’s FIN completes it with 0 bytes', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const first = await recordWithEvent(a);
    const second = await recordWithEvent(a);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, first));
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, second));
    await ok(a.shutdown(client, SD_RECEIVE));
    await ok(b.send(server, text('xy')));
    expect(await ended(a, client, first)).toEqual([0, 2]);
    await ok(b.shutdown(server, SD_SEND));
    expect(await ended(a, client, second)).toEqual([0, 0]);
  });

  test('SEM-IO-20 a reset ends what pends with WSAECONNRESET, which Win32 calls ERROR_NETNAME_DELETED', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    await ok(b.setsockopt(server, SOL_SOCKET, SO_LINGER, new Uint8Array([1, 0, 0, 0])));
    await ok(b.closesocket(server));
    expect(await ended(a, client, overlapped)).toEqual([WSAECONNRESET, 0]);
    expect(overlapped.Internal).toBe(STATUS_CONNECTION_RESET);
    expect(await a.GetOverlappedResult(client, overlapped, { value: 0 }, true)).toBe(-ERROR_NETNAME_DELETED);
  });

  test('SEM-OV-03 a record with an event that is none is refused, and starts nothing', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const bytes = [new Uint8Array(1)];
    for (const handle of [4, 0xfff0, client]) {
      const answer = await a.WSARecv(client, bytes, 1, null, { value: 0 }, record(handle));
      expect(answer).toBe(-WSA_INVALID_HANDLE);
    }
  });
});

overEveryAttachment('waiting for a socket', (pair) => {
  test('SEM-OV-02, SEM-OV-05 without event and routine the socket’s handle tells that the last operation is done', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, record()));
    expect(await a.WaitForSingleObjectEx(client, 0)).toBe(WSA_WAIT_TIMEOUT);
    const waiting = a.WaitForSingleObjectEx(client, SOON);
    await ok(b.send(server, text('x')));
    expect(await waiting).toBe(0);
    expect(await a.WaitForSingleObjectEx(client, 0)).toBe(0);
    // Another operation begins; one whose socket does not set its handle leaves it as it is.
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, record()));
    expect(await a.WaitForSingleObjectEx(client, 10)).toBe(WSA_WAIT_TIMEOUT);
    await ok(a.SetFileCompletionNotificationModes(client, FILE_SKIP_SET_EVENT_ON_HANDLE));
    const overlapped = await recordWithEvent(a);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    await ok(b.send(server, text('y')));
    await ok(a.CancelIo(client));
    expect(await a.WaitForSingleObjectEx(overlapped.hEvent, SOON)).toBe(0);
    expect(await a.WaitForSingleObjectEx(client, 10)).toBe(WSA_WAIT_TIMEOUT);
    expect(await a.WaitForSingleObjectEx(0xfff0, 0)).toBe(-WSA_INVALID_HANDLE);
  });

  test('SEM-OV-04 WaitForSingleObjectEx can be an alertable wait', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const { calls, routine } = recorder();
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, record(), routine));
    const waiting = a.WaitForSingleObjectEx(await ok(a.WSACreateEvent()), SOON, true);
    await ok(b.send(server, text('x')));
    expect([await waiting, calls.length]).toEqual([WSA_WAIT_IO_COMPLETION, 1]);
  });
});

overEveryAttachment('the result of an overlapped operation', (pair) => {
  test('API-WSAGetOverlappedResult, SEM-OV-15 each of its codes', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    const bare = record();
    await pending(a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, overlapped));
    await pending(a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, bare));
    const count: Ref = { value: 0 };
    const flags: Ref = { value: 0 };
    const ask = (s: number, of: WSAOVERLAPPED | null, fWait: boolean): number | Promise<number> =>
      a.WSAGetOverlappedResult(s, of, count, fWait, flags);
    expect(await ask(client, overlapped, false)).toBe(-WSA_IO_INCOMPLETE);
    expect(await ask(client, bare, true)).toBe(-WSA_INVALID_HANDLE);
    expect(await ask(0xfff0, overlapped, false)).toBe(-WSAENOTSOCK);
    expect(await ask(client, null, false)).toBe(-WSAEFAULT);
    expect(await a.WSAGetOverlappedResult(client, overlapped, null, false, flags)).toBe(-WSAEFAULT);
    expect(await a.WSAGetOverlappedResult(client, overlapped, count, false, null)).toBe(-WSAEFAULT);
    const waiting = ask(client, overlapped, true);
    await ok(b.send(server, text('ab')));
    expect(await waiting).toBe(1);
    expect(count.value).toBe(2);
    // The status is the record's alone: any socket will do.
    expect(await ask(await tcp(a), overlapped, false)).toBe(1);
  });

  test('API-WSAGetOverlappedResult GetOverlappedResult asks the record too, and waits without an event', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = record();
    await pending(a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, overlapped));
    const count: Ref = { value: 0 };
    expect(await a.GetOverlappedResult(client, overlapped, count, false)).toBe(-ERROR_IO_INCOMPLETE);
    const waiting = a.GetOverlappedResult(client, overlapped, count, true);
    await ok(b.send(server, text('abcd')));
    expect(await waiting).toBe(1);
    expect(count.value).toBe(4);
  });
});

overEveryAttachment('completion routines', (pair) => {
  test('SEM-OV-04, SEM-OV-10 a routine runs in an alertable wait only, with code, bytes, flags and record', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const event = await ok(a.WSACreateEvent());
    // hEvent is the application's own when there is a routine.
    const overlapped = record(0x1234567);
    const { calls, routine } = recorder();
    await pending(a.WSARecv(client, [new Uint8Array(9)], 1, null, { value: 0 }, overlapped, routine));
    await ok(b.send(server, text('abcd')));
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, 200, false)).toBe(WSA_WAIT_TIMEOUT);
    expect(calls).toEqual([]);
    expect(await a.WSAWaitForMultipleEvents(1, [event], true, SOON, true)).toBe(WSA_WAIT_IO_COMPLETION);
    expect(calls).toEqual([[0, 4, 0, overlapped]]);
    expect(await a.SleepEx(0, true)).toBe(0);
  });

  test('SEM-OV-04 routines run in the order of the completions, and SleepEx is an alertable wait too', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const { calls, routine } = recorder();
    const records = [record(), record(), record()];
    for (const overlapped of records) {
      await pending(a.WSARecv(client, [new Uint8Array(1)], 1, null, { value: 0 }, overlapped, routine));
    }
    await ok(b.send(server, text('xyz')));
    while (calls.length < 3) expect(await a.SleepEx(SOON, true)).toBe(WSA_WAIT_IO_COMPLETION);
    expect(calls.map(([, , , of]) => records.indexOf(of))).toEqual([0, 1, 2]);
  });

  test('SEM-OV-10, SPI-GEN-10 a routine may post the next operation, and none is nested in another', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const seen: string[] = [];
    let depth = 0;
    let deepest = 0;
    const bytes = new Uint8Array(1);
    const posted: (number | Promise<number>)[] = [];
    const routine = (_error: number, _count: number, of: WSAOVERLAPPED): void => {
      deepest = Math.max(deepest, ++depth);
      seen.push(String.fromCharCode(bytes[0] as number));
      if (seen.length < 5) posted.push(a.WSARecv(client, [bytes], 1, null, { value: 0 }, of, routine));
      depth--;
    };
    await pending(a.WSARecv(client, [bytes], 1, null, { value: 0 }, record(), routine));
    await ok(b.send(server, text('abcde')));
    while (seen.length < 5) expect(await a.SleepEx(SOON, true)).toBe(WSA_WAIT_IO_COMPLETION);
    for (const answer of posted) await started(answer);
    expect([seen.join(''), deepest]).toEqual(['abcde', 1]);
  });

  test('SEM-OV-04 the routine of a send that is done at once waits for an alertable wait as well', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const { calls, routine } = recorder();
    await started(a.WSASend(client, [text('abc')], 1, null, 0, record(), routine));
    expect(calls).toEqual([]);
    expect(await a.SleepEx(SOON, true)).toBe(WSA_WAIT_IO_COMPLETION);
    expect(calls[0]?.slice(0, 3)).toEqual([0, 3, 0]);
  });
});

overEveryAttachment('cancellation', (pair) => {
  test('SEM-OV-13 CancelIoEx ends one operation, or all, with WSA_OPERATION_ABORTED', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const records = [await recordWithEvent(a), await recordWithEvent(a), await recordWithEvent(a)] as const;
    for (const overlapped of records) {
      await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    }
    expect(await a.CancelIoEx(client, records[1])).toBe(1);
    expect(await ended(a, client, records[1])).toEqual([WSA_OPERATION_ABORTED, 0]);
    expect(records[1].Internal).toBe(STATUS_CANCELLED);
    await ok(b.send(server, text('z')));
    expect(await ended(a, client, records[0])).toEqual([0, 1]);
    expect(await a.CancelIoEx(client)).toBe(1);
    expect(await ended(a, client, records[2])).toEqual([WSA_OPERATION_ABORTED, 0]);
    expect(await a.GetOverlappedResult(client, records[2], { value: 0 }, true)).toBe(
      -ERROR_OPERATION_ABORTED,
    );
    expect(await a.CancelIoEx(client)).toBe(-ERROR_NOT_FOUND);
  });

  test('SEM-OV-13 CancelIo ends what the thread began, and succeeds when there is nothing', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    expect(await a.CancelIo(client)).toBe(1);
    const overlapped = await recordWithEvent(a);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    expect(await a.CancelIo(client)).toBe(1);
    expect(await ended(a, client, overlapped)).toEqual([WSA_OPERATION_ABORTED, 0]);
    for (const handle of [0, 3, 0xfff0, overlapped.hEvent, -1]) {
      expect(await a.CancelIo(handle)).toBe(-WSA_INVALID_HANDLE);
      expect(await a.CancelIoEx(handle)).toBe(-WSA_INVALID_HANDLE);
    }
  });

  test('SEM-OV-13 no byte of a stream is lost by a cancelled receive', async () => {
    const { a, b } = await pair();
    const { client, server } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    const bytes = new Uint8Array(10);
    await pending(a.WSARecv(client, [bytes], 1, null, { value: MSG_WAITALL }, overlapped));
    await ok(b.send(server, text('abc')));
    await ok(b.send(server, text('def')));
    expect(await a.WSAWaitForMultipleEvents(1, [overlapped.hEvent], true, 100)).toBe(WSA_WAIT_TIMEOUT);
    await ok(a.CancelIo(client));
    const [error, count] = await ended(a, client, overlapped);
    await ok(b.send(server, text('ghi')));
    await ok(b.shutdown(server, SD_SEND));
    let read = error === 0 ? String.fromCharCode(...bytes.subarray(0, count)) : '';
    for (;;) {
      const rest = new Uint8Array(10);
      const length = await ok(a.recv(client, rest));
      if (length === 0) break;
      read += String.fromCharCode(...rest.subarray(0, length));
    }
    expect(read).toBe('abcdefghi');
  });

  test('SEM-OV-12, SEM-LING-07 closesocket completes what pends: a connected stream’s receive with WSAECONNABORTED', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    await ok(a.closesocket(client));
    expect(await a.WSAWaitForMultipleEvents(1, [overlapped.hEvent], true, SOON)).toBe(0);
    expect(overlapped.Internal).toBe(STATUS_CONNECTION_ABORTED);
    const other = await tcp(a);
    expect(await result(a, other, overlapped)).toEqual([WSAECONNABORTED, 0]);
    expect(await a.GetOverlappedResult(other, overlapped, { value: 0 }, true)).toBe(
      -ERROR_CONNECTION_ABORTED,
    );
  });

  test('SEM-OV-12, SEM-LING-07 closesocket completes what pends: a datagram’s receive with WSA_OPERATION_ABORTED', async () => {
    const { a } = await pair();
    const { s } = await bound(a, (ws) => ok(ws.socket(2, 2, 17)));
    const overlapped = await recordWithEvent(a);
    const { calls, routine } = recorder();
    await pending(a.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    await pending(a.WSARecv(s, [new Uint8Array(4)], 1, null, { value: 0 }, record(), routine));
    await ok(a.closesocket(s));
    expect(await a.WSAWaitForMultipleEvents(1, [overlapped.hEvent], true, SOON)).toBe(0);
    expect(overlapped.Internal).toBe(STATUS_CANCELLED);
    // A close that waits lets it run already (SEM-BLK-03).
    if (calls.length === 0) expect(await a.SleepEx(SOON, true)).toBe(WSA_WAIT_IO_COMPLETION);
    expect(calls[0]?.slice(0, 2)).toEqual([WSA_OPERATION_ABORTED, 0]);
  });

  test('SEM-VER-15 WSACleanup cancels what pends without event, routine or result', async () => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    const other = record();
    const { calls, routine } = recorder();
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, overlapped));
    await pending(a.WSARecv(client, [new Uint8Array(4)], 1, null, { value: 0 }, other, routine));
    const waiting = a.WSAGetOverlappedResult(client, overlapped, { value: 0 }, true, { value: 0 });
    await ok(a.WSACleanup());
    expect(await waiting).toBeLessThan(0);
    await ok(
      a.WSAStartup(0x0202, {
        wVersion: 0,
        wHighVersion: 0,
        iMaxSockets: 0,
        iMaxUdpDg: 0,
        szDescription: '',
        szSystemStatus: '',
      }),
    );
    expect(await isSet(a, overlapped.hEvent)).toBe(false);
    expect(await a.SleepEx(0, true)).toBe(0);
    expect([calls, overlapped.Internal]).toEqual([[], STATUS_PENDING]);
  });
});

overEveryAttachment('overlapped control codes', (pair) => {
  test.each([
    ['FIONREAD', FIONREAD, new Uint8Array(0), 4],
    ['SIOCATMARK', SIOCATMARK, new Uint8Array(0), 4],
    ['FIONBIO', FIONBIO, int(0), 0],
    ['SIO_KEEPALIVE_VALS', SIO_KEEPALIVE_VALS, new Uint8Array(12), 0],
    ['SIO_ROUTING_INTERFACE_QUERY', SIO_ROUTING_INTERFACE_QUERY, name(ADDRESS_B, 0), 16],
  ])('SEM-IOC-01 %s is done at once and completes once', async (_name, code, input, room) => {
    const { a, b } = await pair();
    const { client } = await connected({ a, b });
    const overlapped = await recordWithEvent(a);
    const out = new Uint8Array(room);
    const count: Ref = { value: 0 };
    expect(await a.WSAIoctl(client, code, input, input.length, out, room, count, overlapped)).toBe(0);
    expect(await isSet(a, overlapped.hEvent)).toBe(true);
    expect((await result(a, client, overlapped))[0]).toBe(0);
  });

  test('SEM-OV-07, API-WSAIoctl an unknown code pends and completes with WSAEOPNOTSUPP; without a record it fails', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const count: Ref = { value: 9 };
    expect(await a.WSAIoctl(s, 0x12345678, null, 0, null, 0, count)).toBe(-WSAEOPNOTSUPP);
    expect(count.value).toBe(0);
    const overlapped = await recordWithEvent(a);
    await pending(a.WSAIoctl(s, 0x12345678, null, 0, null, 0, count, overlapped));
    expect(await ended(a, s, overlapped)).toEqual([WSAEOPNOTSUPP, 0]);
    expect(await a.WSAIoctl(s, 0x12345678, null, 0, null, 0, null, record())).toBe(-WSAEFAULT);
  });

  test('IOC-SIO_GET_INTERFACE_LIST overlapped with too little room it pends and completes with ERROR_INSUFFICIENT_BUFFER', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const overlapped = await recordWithEvent(a);
    const out = new Uint8Array(20);
    await pending(a.WSAIoctl(s, SIO_GET_INTERFACE_LIST, null, 0, out, 20, { value: 0 }, overlapped));
    expect(await ended(a, s, overlapped)).toEqual([WSAEFAULT, 0]);
    expect(await a.GetOverlappedResult(s, overlapped, { value: 0 }, true)).toBe(-122);
  });

  test('IOC-SIO_BASE_HANDLE, IOC-SIO_BSP_HANDLE overlapped they complete with WSAEOPNOTSUPP, or fail with WSAEFAULT', async () => {
    const { a } = await pair();
    const s = await tcp(a);
    const overlapped = await recordWithEvent(a);
    const out = new Uint8Array(8);
    const ask = (code: number): number | Promise<number> =>
      a.WSAIoctl(s, code, null, 0, out, 8, { value: 0 }, overlapped);
    await pending(ask(SIO_BASE_HANDLE));
    expect(await ended(a, s, overlapped)).toEqual([WSAEOPNOTSUPP, 0]);
    expect(await ask(SIO_BSP_HANDLE_POLL)).toBe(-WSAEFAULT);
  });
});
