import { expect, test } from '@jest/globals';
import {
  INVALID_HANDLE_VALUE,
  IP_PKTINFO,
  IPPROTO_IP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  RIO_CORRUPT_CQ,
  RIO_EVENT_COMPLETION,
  RIO_IOCP_COMPLETION,
  RIO_MAX_CQ_SIZE,
  RIO_MSG_COMMIT_ONLY,
  RIO_MSG_DEFER,
  RIO_MSG_DONT_NOTIFY,
  RIO_MSG_WAITALL,
  readControlMessages,
  SOCK_DGRAM,
  SOCK_STREAM,
  WSA_FLAG_OVERLAPPED,
  WSA_FLAG_REGISTERED_IO,
  WSA_OPERATION_ABORTED,
  WSAEALREADY,
  WSAEFAULT,
  WSAEINVAL,
  WSAEMSGSIZE,
  WSAENOBUFS,
  WSAENOTSOCK,
  WSAEOPNOTSUPP,
  WSAETOOMANYREFS,
} from '../../src/abi/index.ts';
import { i32le, putI32le } from '../../src/base/index.ts';
import type { RIORESULT } from '../../src/spi/index.ts';
import type { Winsock } from '../../src/winsock/index.ts';
import { ADDRESS_A, ADDRESS_B } from './attachment.ts';
import { packet, record, SOON } from './overlapped-support.ts';
import { int, name, nameIn, ok, overSystemHandles, text, udp } from './support.ts';

const FLAGS = WSA_FLAG_OVERLAPPED | WSA_FLAG_REGISTERED_IO;

/** A bound UDP socket for registered I/O with its port. */
async function rioUdp(ws: Winsock, address: string): Promise<{ s: number; port: number }> {
  const s = await ok(ws.WSASocket(2, SOCK_DGRAM, IPPROTO_UDP, null, 0, FLAGS));
  await ok(ws.bind(s, name(address, 0)));
  const place = new Uint8Array(16);
  await ok(ws.getsockname(s, place));
  return { s, port: nameIn(place).port };
}

/** A completion queue with an event, and a request queue on it. */
async function queues(ws: Winsock, s: number, size = 8) {
  const event = await ok(ws.WSACreateEvent());
  const cq = await ok(
    ws.RIOCreateCompletionQueue(size, { Type: RIO_EVENT_COMPLETION, EventHandle: event, NotifyReset: true }),
  );
  const rq = await ok(ws.RIOCreateRequestQueue(s, size / 2, 1, size / 2, 1, cq, cq, 'socket'));
  return { event, cq, rq };
}

/** Takes `count` results, waiting for them by the queue's event. */
async function results(ws: Winsock, cq: number, event: number, count: number): Promise<RIORESULT[]> {
  const all: RIORESULT[] = [];
  while (all.length < count) {
    expect(await ws.RIONotify(cq)).toBe(0);
    expect(await ws.WSAWaitForMultipleEvents(1, [event], true, SOON)).toBe(0);
    const some: RIORESULT[] = [];
    await ok(ws.RIODequeueCompletion(cq, some, 100));
    all.push(...some);
  }
  return all;
}

overSystemHandles('registered I/O', (pair) => {
  test('API-RIOReceiveEx, API-RIOSendEx, API-RIODequeueCompletion, STR-RIO messages with their addresses', async () => {
    const { a, b } = await pair();
    const sender = await rioUdp(a, ADDRESS_A);
    const receiver = await rioUdp(b, ADDRESS_B);
    const [from, to] = [await queues(a, sender.s), await queues(b, receiver.s)];
    const [out, into] = [new Uint8Array(256), new Uint8Array(256)];
    const outId = await ok(a.RIORegisterBuffer(out, out.length));
    const intoId = await ok(b.RIORegisterBuffer(into, into.length));
    out.set(text('hello'));
    out.set(name(ADDRESS_B, receiver.port), 100);
    const part = (BufferId: number, Offset: number, Length: number) => ({ BufferId, Offset, Length });
    const receiving = b.RIOReceiveEx(
      to.rq,
      part(intoId, 0, 50),
      1,
      part(intoId, 200, 28),
      part(intoId, 100, 28),
      null,
      part(intoId, 150, 4),
      0,
      41,
    );
    expect(await receiving).toBe(1);
    expect(
      await a.RIOSendEx(from.rq, part(outId, 0, 5), 1, null, part(outId, 100, 28), null, null, 0, 'sent'),
    ).toBe(1);
    expect(await results(a, from.cq, from.event, 1)).toEqual([
      { Status: 0, BytesTransferred: 5, SocketContext: 'socket', RequestContext: 'sent' },
    ]);
    expect(await results(b, to.cq, to.event, 1)).toEqual([
      { Status: 0, BytesTransferred: 5, SocketContext: 'socket', RequestContext: 41 },
    ]);
    expect(new TextDecoder().decode(into.subarray(0, 5))).toBe('hello');
    expect(nameIn(into.subarray(100, 116))).toEqual({ address: ADDRESS_A, port: sender.port });
    expect(nameIn(into.subarray(200, 216))).toEqual({ address: ADDRESS_B, port: receiver.port });
    expect(i32le(into, 150)).toBe(0);
    expect(await b.RIODequeueCompletion(to.cq, [], 4)).toBe(0);
  });

  test('API-RIOReceive, API-RIOSend, RIO_MSG_WAITALL streams, in the order of the requests', async () => {
    const { a, b } = await pair();
    const listener = await ok(b.WSASocket(2, SOCK_STREAM, IPPROTO_TCP, null, 0, FLAGS));
    await ok(b.bind(listener, name(ADDRESS_B, 0)));
    await ok(b.listen(listener, 2));
    const place = new Uint8Array(16);
    await ok(b.getsockname(listener, place));
    const client = await ok(a.WSASocket(2, SOCK_STREAM, IPPROTO_TCP, null, 0, FLAGS));
    await ok(a.connect(client, place));
    const server = await ok(b.accept(listener));
    const [from, to] = [await queues(a, client), await queues(b, server)];
    const out = await ok(a.RIORegisterBuffer(text('aaabbbccc'), 9));
    const bytes = new Uint8Array(9);
    const into = await ok(b.RIORegisterBuffer(bytes, 9));
    for (const i of [0, 1, 2]) {
      const part = { BufferId: into, Offset: 3 * i, Length: 3 };
      expect(await b.RIOReceive(to.rq, part, 1, RIO_MSG_WAITALL, i)).toBe(1);
    }
    for (const i of [0, 1, 2]) {
      expect(await a.RIOSend(from.rq, { BufferId: out, Offset: 3 * i, Length: 3 }, 1, 0, i)).toBe(1);
    }
    const order = (await results(b, to.cq, to.event, 3)).map(({ RequestContext }) => RequestContext);
    expect(order).toEqual([0, 1, 2]);
    expect(new TextDecoder().decode(bytes)).toBe('aaabbbccc');
    expect(await results(a, from.cq, from.event, 3)).toHaveLength(3);
  });

  test('API-RIOSend deferred requests start with RIO_MSG_COMMIT_ONLY, or with one that is not deferred', async () => {
    const { a, b } = await pair();
    const sender = await rioUdp(a, ADDRESS_A);
    const receiver = await udp(b);
    await ok(b.bind(receiver, name(ADDRESS_B, 0)));
    const place = new Uint8Array(16);
    await ok(b.getsockname(receiver, place));
    await ok(a.connect(sender.s, place));
    const { rq, cq, event } = await queues(a, sender.s);
    const out = await ok(a.RIORegisterBuffer(text('123'), 3));
    const part = (Offset: number) => ({ BufferId: out, Offset, Length: 1 });
    expect(await a.RIOSend(rq, part(0), 1, RIO_MSG_DEFER, 0)).toBe(1);
    expect(await a.RIOSend(rq, part(1), 1, RIO_MSG_DEFER, 1)).toBe(1);
    expect(await a.RIODequeueCompletion(cq, [], 9)).toBe(0);
    expect(await a.RIOSend(rq, null, 0, RIO_MSG_COMMIT_ONLY, 9)).toBe(1);
    expect(await results(a, cq, event, 2)).toHaveLength(2);
    expect(await a.RIOSend(rq, part(0), 1, RIO_MSG_DEFER, 0)).toBe(1);
    expect(await a.RIOSend(rq, part(2), 1, 0, 2)).toBe(1);
    expect(await results(a, cq, event, 2)).toHaveLength(2);
    const read = [];
    for (let i = 0; i < 4; i++) {
      const bytes = new Uint8Array(4);
      await ok(b.recv(receiver, bytes));
      read.push(String.fromCharCode(bytes[0] as number));
    }
    expect(read.join('')).toBe('1213');
    expect(await a.RIOSend(rq, part(0), 1, RIO_MSG_COMMIT_ONLY, 0)).toBe(-WSAEINVAL);
    expect(await a.RIOSend(rq, part(0), 1, 0x100, 0)).toBe(-WSAEINVAL);
  });

  test('API-RIOReceiveEx control data comes in a RIO_CMSG_BUFFER; what was cut is WSAEMSGSIZE', async () => {
    const { a, b } = await pair();
    const receiver = await rioUdp(b, ADDRESS_B);
    await ok(b.setsockopt(receiver.s, IPPROTO_IP, IP_PKTINFO, int(1)));
    const { rq, cq, event } = await queues(b, receiver.s);
    const bytes = new Uint8Array(128);
    const id = await ok(b.RIORegisterBuffer(bytes, 128));
    const control = { BufferId: id, Offset: 64, Length: 64 };
    const part = { BufferId: id, Offset: 0, Length: 3 };
    expect(await b.RIOReceiveEx(rq, part, 1, null, null, control, null, 0, 1)).toBe(1);
    const s = await udp(a);
    await ok(a.sendto(s, text('abcdef'), 6, 0, name(ADDRESS_B, receiver.port)));
    const [result] = await results(b, cq, event, 1);
    expect(result).toMatchObject({ Status: WSAEMSGSIZE, BytesTransferred: 3 });
    const messages = readControlMessages(bytes.subarray(64 + 8, 64 + i32le(bytes, 64)));
    expect(messages?.map(({ type }) => type)).toEqual([IP_PKTINFO]);
  });

  test('API-RIOSendEx control data of a wrong length is refused', async () => {
    const { a } = await pair();
    const sender = await rioUdp(a, ADDRESS_A);
    const { rq } = await queues(a, sender.s);
    const bytes = new Uint8Array(64);
    const id = await ok(a.RIORegisterBuffer(bytes, 64));
    const part = (Offset: number, Length: number) => ({ BufferId: id, Offset, Length });
    const send = (total: number, length: number) => {
      putI32le(bytes, 0, total);
      return a.RIOSendEx(rq, part(60, 1), 1, null, null, part(0, length), null, 0, 0);
    };
    for (const [total, length] of [
      [4, 16],
      [17, 16],
      [-1, 16],
      [8, 4],
    ] as const) {
      expect(await send(total, length)).toBe(-WSAEINVAL);
    }
    expect(await a.RIOSendEx(rq, part(0, 1), 1, part(0, 28), null, null, null, 0, 0)).toBe(-WSAEINVAL);
    expect(await a.RIOSendEx(rq, part(0, 1), 1, null, part(0, 20), null, null, 0, 0)).toBe(-WSAEINVAL);
  });

  test('API-RIONotify one notification each time it is armed, by event or at a completion port', async () => {
    const { a, b } = await pair();
    const receiver = await rioUdp(b, ADDRESS_B);
    const port = await ok(b.CreateIoCompletionPort(INVALID_HANDLE_VALUE));
    const Overlapped = record();
    const cq = await ok(
      b.RIOCreateCompletionQueue(8, {
        Type: RIO_IOCP_COMPLETION,
        IocpHandle: port,
        CompletionKey: 5,
        Overlapped,
      }),
    );
    const rq = await ok(b.RIOCreateRequestQueue(receiver.s, 4, 1, 4, 1, cq, cq, null));
    const id = await ok(b.RIORegisterBuffer(new Uint8Array(8), 8));
    const receive = (flags = 0) => b.RIOReceive(rq, { BufferId: id, Offset: 0, Length: 8 }, 1, flags, 0);
    expect(await b.RIONotify(cq)).toBe(0);
    expect(await b.RIONotify(cq)).toBe(-WSAEALREADY);
    const s = await udp(a);
    const send = () => a.sendto(s, text('x'), 1, 0, name(ADDRESS_B, receiver.port));
    for (let i = 0; i < 2; i++) expect(await receive()).toBe(1);
    for (let i = 0; i < 2; i++) await ok(send());
    expect(await packet(b, port)).toEqual({ answer: 1, bytes: 0, key: 5, lpOverlapped: Overlapped });
    const taken: RIORESULT[] = [];
    while (taken.length < 2) {
      const some: RIORESULT[] = [];
      await ok(b.RIODequeueCompletion(cq, some, 1));
      taken.push(...some);
      if (some.length === 0) await b.SleepEx(5);
    }
    expect((await packet(b, port, 50)).answer).toBe(-258);
    // A queue that has something tells at once; a silent request tells nobody.
    expect(await receive(RIO_MSG_DONT_NOTIFY)).toBe(1);
    expect(await b.RIONotify(cq)).toBe(0);
    await ok(send());
    expect((await packet(b, port, 50)).answer).toBe(-258);
    const none = await ok(b.RIOCreateCompletionQueue(1, null));
    expect(await b.RIONotify(none)).toBe(-WSAEINVAL);
    expect(await b.RIONotify(9999)).toBe(-WSAEINVAL);
  });

  test('API-RIOCreateCompletionQueue, API-RIOCreateRequestQueue, API-RIOResizeCompletionQueue, API-RIOResizeRequestQueue limits', async () => {
    const { a } = await pair();
    for (const size of [0, -1, 1.5, Number.NaN, RIO_MAX_CQ_SIZE + 1]) {
      expect(await a.RIOCreateCompletionQueue(size, null)).toBe(-WSAEINVAL);
    }
    const wrong = { Type: RIO_EVENT_COMPLETION, EventHandle: 0xfff0, NotifyReset: false } as const;
    expect(await a.RIOCreateCompletionQueue(1, wrong)).toBe(-WSAEINVAL);
    const noPort = {
      Type: RIO_IOCP_COMPLETION,
      IocpHandle: 8,
      CompletionKey: 0,
      Overlapped: record(),
    } as const;
    expect(await a.RIOCreateCompletionQueue(1, noPort)).toBe(-WSAEINVAL);
    const cq = await ok(a.RIOCreateCompletionQueue(4, null));
    const { s } = await rioUdp(a, ADDRESS_A);
    const make = (socket: number, receives: number, sends: number, of = cq, buffers = 1) =>
      a.RIOCreateRequestQueue(socket, receives, buffers, sends, 1, of, cq, 0);
    expect(await make(0xfff0, 1, 1)).toBe(-WSAENOTSOCK);
    expect(await make(await udp(a), 1, 1)).toBe(-WSAEOPNOTSUPP);
    expect(await make(s, 1, 1, 77)).toBe(-WSAEINVAL);
    expect(await make(s, 1, 1, cq, 2)).toBe(-WSAEINVAL);
    expect(await make(s, 0, 0)).toBe(-WSAEINVAL);
    expect(await make(s, -1, 2)).toBe(-WSAEINVAL);
    expect(await make(s, 3, 2)).toBe(-WSAENOBUFS);
    const rq = await ok(make(s, 2, 1));
    expect(await make(s, 1, 0)).toBe(-WSAEINVAL);
    expect(await a.RIOResizeRequestQueue(rq, 3, 2)).toBe(-WSAENOBUFS);
    expect(await a.RIOResizeCompletionQueue(cq, 2)).toBe(-WSAETOOMANYREFS);
    expect(await a.RIOResizeCompletionQueue(cq, 5)).toBe(1);
    expect(await a.RIOResizeRequestQueue(rq, 3, 2)).toBe(1);
    expect(await a.RIOResizeRequestQueue(999, 1, 1)).toBe(-WSAEINVAL);
    expect(await a.RIOResizeCompletionQueue(999, 1)).toBe(-WSAEINVAL);
    const id = await ok(a.RIORegisterBuffer(new Uint8Array(4), 4));
    const part = { BufferId: id, Offset: 0, Length: 4 };
    for (let i = 0; i < 3; i++) expect(await a.RIOReceive(rq, part, 1, 0, i)).toBe(1);
    expect(await a.RIOReceive(rq, part, 1, 0, 3)).toBe(-WSAENOBUFS);
    expect(await a.RIOResizeRequestQueue(rq, 2, 2)).toBe(-WSAETOOMANYREFS);
    // What a closed socket had a right to is free again.
    await ok(a.closesocket(s));
    const next = await rioUdp(a, ADDRESS_A);
    let made = -1;
    for (let i = 0; i < 200 && made < 0; i++) {
      made = await make(next.s, 3, 2);
      if (made < 0) await a.SleepEx(5);
    }
    expect(made).toBeGreaterThan(0);
  });

  test('API-RIORegisterBuffer, API-RIODeregisterBuffer wrong buffers and parts are WSAEFAULT or WSAEINVAL', async () => {
    const { a } = await pair();
    const { s } = await rioUdp(a, ADDRESS_A);
    const { rq } = await queues(a, s);
    expect(await a.RIORegisterBuffer(null, 4)).toBe(-WSAEFAULT);
    expect(await a.RIORegisterBuffer(new Uint8Array(4), 5)).toBe(-WSAEFAULT);
    expect(await a.RIORegisterBuffer(new Uint8Array(4), 0)).toBe(-WSAEINVAL);
    const id = await ok(a.RIORegisterBuffer(new Uint8Array(10), 8));
    for (const [BufferId, Offset, Length] of [
      [id + 1, 0, 1],
      [id, 8, 1],
      [id, -1, 2],
      [id, 0, 9],
      [id, 0, -1],
      [id, 0.5, 1],
      [id, Number.NaN, 1],
    ] as const) {
      expect(await a.RIOReceive(rq, { BufferId, Offset, Length }, 1, 0, 0)).toBe(-WSAEFAULT);
    }
    expect(await a.RIOReceive(rq, null, 1, 0, 0)).toBe(-WSAEINVAL);
    expect(await a.RIOReceive(rq, { BufferId: id, Offset: 0, Length: 1 }, 2, 0, 0)).toBe(-WSAEINVAL);
    expect(await a.RIOReceive(777, { BufferId: id, Offset: 0, Length: 1 }, 1, 0, 0)).toBe(-WSAEINVAL);
    expect(await a.RIOReceive(rq, { BufferId: id, Offset: 0, Length: 1 }, 1, RIO_MSG_WAITALL, 0)).toBe(
      -WSAEINVAL,
    );
    expect(await a.RIODeregisterBuffer(id)).toBe(0);
    expect(await a.RIOReceive(rq, { BufferId: id, Offset: 0, Length: 1 }, 1, 0, 0)).toBe(-WSAEFAULT);
  });

  test('API-RIOCloseCompletionQueue, API-RIODequeueCompletion a queue that is none is RIO_CORRUPT_CQ; a closed socket’s requests are aborted', async () => {
    const { a } = await pair();
    const { s } = await rioUdp(a, ADDRESS_A);
    const { rq, cq, event } = await queues(a, s);
    const id = await ok(a.RIORegisterBuffer(new Uint8Array(4), 4));
    expect(await a.RIOReceive(rq, { BufferId: id, Offset: 0, Length: 4 }, 1, 0, 'r')).toBe(1);
    expect(await a.RIOReceive(rq, { BufferId: id, Offset: 0, Length: 4 }, 1, RIO_MSG_DEFER, 'd')).toBe(1);
    await ok(a.closesocket(s));
    expect(await a.RIOReceive(rq, { BufferId: id, Offset: 0, Length: 4 }, 1, 0, 0)).toBe(-WSAENOTSOCK);
    expect(await a.RIOReceive(rq, null, 0, RIO_MSG_COMMIT_ONLY, 0)).toBe(1);
    const ended = await results(a, cq, event, 2);
    expect(ended.map(({ Status }) => Status)).toEqual([WSA_OPERATION_ABORTED, WSA_OPERATION_ABORTED]);
    expect(await a.RIODequeueCompletion(cq, null, 1)).toBe(RIO_CORRUPT_CQ);
    expect(await a.RIODequeueCompletion(cq, [], 0)).toBe(RIO_CORRUPT_CQ);
    expect(await a.RIOCloseCompletionQueue(cq)).toBe(0);
    expect(await a.RIODequeueCompletion(cq, [], 1)).toBe(RIO_CORRUPT_CQ);
  });
});
