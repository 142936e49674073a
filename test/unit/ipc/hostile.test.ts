/** Clients that break the protocol: each is told why and cut off, and a well-behaved neighbour goes on. */

import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WSAENETDOWN } from '../../../src/abi/index.ts';
import {
  connectRemote,
  DEFAULT_LIMITS,
  GoodbyeReason,
  MessageType,
  writeRequest,
  writeWelcome,
} from '../../../src/ipc/index.ts';
import { AfdOp, type AfdRequest } from '../../../src/port/index.ts';
import { Caller, eventually, Harness, helloMessage, message, requestOf, turns } from './harness.ts';

const NONE = new Uint8Array(0);
const {
  normal,
  badMagic,
  unsupportedVersion,
  malformed,
  unexpectedMessage,
  creditExceeded,
  handshakeTimeout,
} = GoodbyeReason;

/** A REQUEST with lengths of the test's choice. */
function request(
  id: number,
  op: number,
  fields: Partial<AfdRequest> = {},
  lengths = { data: 0, into: 0 },
  flags = 0,
  bulk = NONE,
) {
  const head = new Uint8Array(512);
  const end = writeRequest(head, { ...requestOf(id, op as AfdOp), ...fields }, lengths.data, lengths.into);
  return message(MessageType.request, id, head.subarray(0, end), bulk, flags);
}

function credit(granted: number): Uint8Array {
  return message(MessageType.credit, 0, Uint8Array.of(granted, granted >> 8, granted >> 16, granted >>> 24));
}

describe('a hostile client', () => {
  let harness: Harness;
  let neighbour: Caller;

  beforeEach(async () => {
    harness = await Harness.start({ limits: { maxMessage: 4096, window: 16_384 }, handshakeTimeoutMs: 100 });
    neighbour = await harness.client();
  });

  afterEach(async () => {
    expect(await neighbour.call(AfdOp.socket)).toMatchObject({ error: 0 });
    expect(neighbour.port.isOpen).toBe(true);
    await harness.close();
  });

  const greetings: [string, Uint8Array, number][] = [
    ['HTTP', Buffer.from('GET /v1/status HTTP/1.1\r\n\r\n'), malformed],
    ['zeros', new Uint8Array(64), malformed],
    ['a REQUEST before HELLO', request(1, AfdOp.socket), badMagic],
    ['another magic number', helloMessage({ magic: 1 }), badMagic],
    ['only later versions', helloMessage({ versionMin: 2, versionMax: 9 }), unsupportedVersion],
    ['only earlier versions', helloMessage({ versionMin: 0, versionMax: 0 }), unsupportedVersion],
    ['a HELLO that is too short', message(MessageType.hello, 0, new Uint8Array(12)), malformed],
    ['a HELLO that is too long', helloMessage({}, 'n'.repeat(1100)), malformed],
    ['a maxMessage below the least', helloMessage({ maxMessage: 4095 }), malformed],
    ['a window below its maxMessage', helloMessage({ maxMessage: 8192, window: 8191 }), malformed],
  ];
  test.each(greetings)('that greets with %s is refused', async (_what, bytes, reason) => {
    const raw = await harness.raw();
    raw.write(bytes);
    expect((await raw.goodbye()).reason).toBe(reason);
    expect(harness.ports).toHaveLength(1);
  });

  test('that says nothing is refused after a while', async () => {
    const raw = await harness.raw();
    expect(await raw.goodbye()).toEqual({ reason: handshakeTimeout, text: 'no HELLO within 100 ms' });
  });

  test('that says half a HELLO is refused after a while', async () => {
    const raw = await harness.raw();
    raw.write(helloMessage().subarray(0, 30));
    expect((await raw.goodbye()).reason).toBe(handshakeTimeout);
  });

  const breaches: [string, Uint8Array[], number][] = [
    [
      'a length of 4 GiB',
      [Uint8Array.from(message(0x10).map((byte, i) => (i < 4 ? 0xff : byte)))],
      malformed,
    ],
    ['a message past maxMessage', [message(MessageType.request, 1, NONE, new Uint8Array(5000))], malformed],
    ['a second HELLO', [helloMessage()], unexpectedMessage],
    ['a WELCOME', [message(MessageType.welcome, 0, new Uint8Array(40))], unexpectedMessage],
    ['a COMPLETION', [message(MessageType.completion, 1, new Uint8Array(20))], unexpectedMessage],
    ['a message type of the data plane to come', [message(0x20)], unexpectedMessage],
    ['an unknown message type', [message(0x7777)], unexpectedMessage],
    ['request id 0', [request(0, AfdOp.socket)], malformed],
    ['a negative request id', [request(-1, AfdOp.socket)], malformed],
    [
      'an id twice',
      [request(5, AfdOp.socket), request(6, AfdOp.ioctl, { descriptor: 1 }), request(6, AfdOp.socket)],
      malformed,
    ],
    ['unknown request flags', [request(1, AfdOp.socket, {}, { data: 0, into: 0 }, 4)], malformed],
    ['data without its flag', [request(1, AfdOp.send, {}, { data: 4, into: 0 }, 0)], malformed],
    ['an into without its flag', [request(1, AfdOp.recv, {}, { data: 0, into: 4 }, 0)], malformed],
    [
      'more bulk than data',
      [request(1, AfdOp.send, {}, { data: 4, into: 0 }, 1, new Uint8Array(5))],
      malformed,
    ],
    ['DATA for no request', [message(MessageType.data, 3, NONE, new Uint8Array(5))], malformed],
    [
      'DATA of another request',
      [
        request(1, AfdOp.send, {}, { data: 9, into: 0 }, 1),
        message(MessageType.data, 2, NONE, new Uint8Array(5)),
      ],
      malformed,
    ],
    [
      'more DATA than announced',
      [
        request(1, AfdOp.send, {}, { data: 9, into: 0 }, 1),
        message(MessageType.data, 1, NONE, new Uint8Array(10)),
      ],
      malformed,
    ],
    [
      'DATA of no bytes',
      [request(1, AfdOp.send, {}, { data: 9, into: 0 }, 1), message(MessageType.data, 1)],
      malformed,
    ],
    [
      'a request within another',
      [request(1, AfdOp.send, {}, { data: 9, into: 0 }, 1), request(2, AfdOp.socket)],
      malformed,
    ],
    ['a CANCEL with bytes', [message(MessageType.cancel, 1, NONE, new Uint8Array(1))], malformed],
    ['a CREDIT of 2³¹', [credit(0x8000_0000)], malformed],
    ['a CREDIT without a number', [message(MessageType.credit)], malformed],
    ['a head too short', [message(MessageType.request, 1, new Uint8Array(27))], malformed],
    [
      'an address longer than its head',
      [
        message(
          MessageType.request,
          1,
          new Uint8Array(28).map((_, i) => (i === 2 ? 1 : 0)),
        ),
      ],
      malformed,
    ],
  ];
  test.each(breaches)('that sends %s is cut off, and its session ends', async (_what, messages, reason) => {
    const raw = await harness.raw();
    raw.write(helloMessage(), ...messages, request(77, AfdOp.socket));
    const goodbye = await raw.goodbye();
    expect(goodbye.reason).toBe(reason);
    expect(goodbye.text.length).toBeGreaterThan(5);
    await eventually(() => harness.server.sessions.length === 1);
    expect(harness.ports[1]?.isClosed).toBe(true);
    expect(harness.events.some(({ event }) => event === 'client cut off')).toBe(true);
  });

  test('that sends more than it was granted is cut off', async () => {
    const raw = await harness.raw();
    raw.write(helloMessage());
    await raw.until(1);
    // Its own answers are never read, so nothing is granted; the window holds four messages of 4096 bytes.
    raw.write(
      ...Array.from({ length: 5 }, (_, i) =>
        request(i + 1, AfdOp.send, {}, { data: 4052, into: 0 }, 1, new Uint8Array(4052)),
      ),
    );
    expect((await raw.goodbye()).reason).toBe(creditExceeded);
  });

  test('nothing after its GOODBYE is looked at', async () => {
    const raw = await harness.raw();
    raw.write(helloMessage());
    await raw.until(1);
    const goodbye = message(MessageType.goodbye, 0, new Uint8Array(4));
    raw.write(goodbye, request(1, AfdOp.socket), new Uint8Array(50).fill(0xff));
    expect((await raw.goodbye()).reason).toBe(normal);
    expect(harness.ports[1]?.log).toEqual([]);
  });

  test('a CANCEL of a request that does not exist is ignored', async () => {
    const raw = await harness.raw();
    raw.write(
      helloMessage(),
      message(MessageType.cancel, 9),
      message(MessageType.cancel, -9),
      request(1, AfdOp.socket),
    );
    const [, completion] = await raw.until(2);
    expect(completion).toMatchObject({ type: MessageType.completion, id: 1 });
  });

  test('that goes away within a message leaves nothing', async () => {
    const raw = await harness.raw();
    raw.write(
      helloMessage(),
      request(1, AfdOp.send, {}, { data: 100_000, into: 0 }, 1, new Uint8Array(2000)),
    );
    await eventually(() => (harness.server.sessions.at(-1)?.queuedBytes ?? 0) > 0);
    raw.close();
    await eventually(() => harness.server.sessions.length === 1);
  });

  test('that reads nothing is granted nothing more, and what it can hold in the server is bounded', async () => {
    await harness.close();
    harness = await Harness.start({ limits: { maxQueuedBytes: 4_000_000 } });
    neighbour = await harness.client();
    const raw = await harness.raw();
    raw.write(helloMessage(), request(1, AfdOp.socket));
    await raw.until(2);
    raw.socket.pause();
    // Each asks for 64 KiB of option; the echo port gives four bytes. The answers pile up in this client's own buffers.
    let most = 0;
    for (let id = 10; id < 20_000; id++) {
      raw.write(request(id, AfdOp.getOption, { descriptor: 1 }, { data: 0, into: 65_536 }, 2));
      if (id % 500 === 0) {
        await turns(2);
        most = Math.max(most, harness.server.sessions.at(-1)?.queuedBytes ?? 0);
      }
    }
    await turns(20);
    expect(most).toBeLessThanOrEqual(4_000_000);
    const session = harness.server.sessions.find(({ name }) => name === 'raw');
    // Either it was cut off for going on without credit, or all it sent fitted into the window.
    if (session !== undefined) expect(session.bytesIn).toBeLessThanOrEqual(2 * DEFAULT_LIMITS.window);
  });
});

describe('a hostile server', () => {
  let server: Server;
  let harness: Harness;
  let answer: (socket: Socket, chunk: Buffer) => void;

  beforeEach(async () => {
    harness = new Harness();
    server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => answer(socket, chunk));
    });
    await new Promise<void>((resolve) => server.listen(harness.path, resolve));
  });

  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await harness.close();
  });

  function welcome(): Uint8Array {
    const head = new Uint8Array(40);
    writeWelcome(head, {
      magic: 0x444b5357,
      version: 1,
      capabilities: 0,
      serverPid: 1,
      profile: 0,
      limits: DEFAULT_LIMITS,
    });
    return message(MessageType.welcome, 0, head);
  }

  const noGreetings: [string, () => Uint8Array][] = [
    ['HTTP', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a COMPLETION', () => message(MessageType.completion, 1, new Uint8Array(20))],
    ['another magic number', () => welcome().map((byte, i) => (i === 16 ? 0 : byte))],
    ['version 7', () => welcome().map((byte, i) => (i === 20 ? 7 : byte))],
    ['a window of nothing', () => welcome().map((byte, i) => (i >= 36 && i < 40 ? 0 : byte))],
  ];
  test.each(noGreetings)('that answers HELLO with %s is no daemon', async (_what, bytes) => {
    answer = (socket) => void socket.write(bytes());
    await expect(connectRemote(harness.path)).rejects.toMatchObject({ code: 'notTheDaemon' });
  });

  test('that does not answer is given up', async () => {
    answer = () => {};
    await expect(connectRemote(harness.path, { timeoutMs: 30 })).rejects.toThrow('no answer within 30 ms');
  });

  const lies: [string, () => Uint8Array][] = [
    ['completes a request that does not pend', () => message(MessageType.completion, 42, new Uint8Array(20))],
    [
      'sends more than an into holds',
      () =>
        message(
          MessageType.completion,
          1,
          new Uint8Array(20).map((_, i) => (i === 16 ? 9 : 0)),
          new Uint8Array(9),
          2,
        ),
    ],
    [
      'sends data past the stated limit',
      () =>
        message(
          MessageType.completion,
          1,
          new Uint8Array(20).map((_, i) => (i === 19 ? 1 : 0)),
          NONE,
          1,
        ),
    ],
    ['sends DATA for nothing', () => message(MessageType.data, 1, NONE, new Uint8Array(3))],
    ['welcomes twice', () => welcome()],
    ['sends a REQUEST', () => request(1, AfdOp.socket)],
  ];
  test.each(lies)(
    'that %s loses the connection, and the call ends with WSAENETDOWN',
    async (_what, bytes) => {
      let turn = 0;
      answer = (socket) => void socket.write(turn++ === 0 ? welcome() : bytes());
      const caller = new Caller(await connectRemote(harness.path));
      expect(await caller.call(AfdOp.recv, { descriptor: 1, into: new Uint8Array(8) })).toMatchObject({
        error: WSAENETDOWN,
      });
      expect(caller.port.isOpen).toBe(false);
    },
  );

  test('that goes within an answer completes the call with WSAENETDOWN', async () => {
    let turn = 0;
    const head = new Uint8Array(20).map((_, i) => (i === 16 ? 8 : 0));
    answer = (socket) => {
      if (turn++ === 0) socket.write(welcome());
      else socket.end(message(MessageType.completion, 1, head, new Uint8Array(8), 2).subarray(0, 40));
    };
    const caller = new Caller(await connectRemote(harness.path));
    expect(await caller.call(AfdOp.recv, { descriptor: 1, into: new Uint8Array(8) })).toMatchObject({
      error: WSAENETDOWN,
    });
  });
});
