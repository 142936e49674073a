import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  Capability,
  FrameDecoder,
  HEAD_LEN_MAX,
  HEADER_LEN,
  MessageType,
  ProtocolError,
  readCompletion,
  readCredit,
  readGoodbye,
  readHello,
  readRequest,
  readWelcome,
  writeCompletion,
  writeCredit,
  writeGoodbye,
  writeHello,
  writeRequest,
  writeWelcome,
} from '../../../src/ipc/index.ts';
import type { AfdOp } from '../../../src/port/index.ts';
import { Collector, message, type RawMessage } from './harness.ts';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
const i32 = () => fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u32 = () => fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u16 = () => fc.integer({ min: 0, max: 0xffff });
const anyMessage = (): fc.Arbitrary<RawMessage> =>
  fc.record({ type: u16(), id: i32(), flags: u16(), head: bytes(HEAD_LEN_MAX), bulk: bytes(3000) });

function encode(one: RawMessage): Uint8Array {
  return message(one.type, one.id, one.head, one.bulk, one.flags);
}

function sameMessages(got: RawMessage[], expected: RawMessage[]): void {
  const plain = (list: RawMessage[]) =>
    list.map((one) => ({ ...one, head: [...one.head], bulk: [...one.bulk] }));
  expect(plain(got)).toEqual(plain(expected));
}

describe('FrameDecoder', () => {
  test('messages in any chunks come out as they went in', () => {
    fc.assert(
      fc.property(
        fc.array(anyMessage(), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 900 })),
        (sent, sizes) => {
          const stream = Buffer.concat(sent.map(encode));
          const collector = new Collector();
          let at = 0;
          for (const size of sizes) {
            collector.decoder.push(stream.subarray(at, at + size));
            at = Math.min(at + size, stream.length);
          }
          collector.decoder.push(stream.subarray(at));
          sameMessages(collector.messages, sent);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a stream cut in two at every place comes out the same', () => {
    const sent: RawMessage[] = [
      { type: 0x10, id: 1, flags: 3, head: Uint8Array.of(1, 2, 3, 4), bulk: Uint8Array.of(9, 8, 7) },
      { type: 0x13, id: 1, flags: 0, head: new Uint8Array(0), bulk: new Uint8Array(0) },
      { type: 0x11, id: -5, flags: 0, head: new Uint8Array(0), bulk: Uint8Array.of(5) },
      { type: 0x04, id: 0, flags: 0, head: Uint8Array.of(0, 0, 1, 0), bulk: new Uint8Array(0) },
    ];
    const stream = Buffer.concat(sent.map(encode));
    for (let cut = 0; cut <= stream.length; cut++) {
      const collector = new Collector();
      collector.decoder.push(stream.subarray(0, cut));
      collector.decoder.push(stream.subarray(cut));
      sameMessages(collector.messages, sent);
    }
  });

  test('byte by byte, bulk comes in pieces that count down to nothing', () => {
    const left: number[] = [];
    const decoder = new FrameDecoder(
      { frameStarted: () => {}, frameHead: () => {}, frameBulk: (_h, _b, _at, _n, rest) => left.push(rest) },
      4096,
    );
    for (const byte of message(0x11, 1, new Uint8Array(0), new Uint8Array(4)))
      decoder.push(Uint8Array.of(byte));
    expect(left).toEqual([3, 2, 1, 0]);
  });

  test('a range of a chunk is taken, and nothing outside it', () => {
    const collector = new Collector();
    const one = message(0x13, 7);
    const chunk = Buffer.concat([Buffer.from('xx'), one, Buffer.from('yy')]);
    collector.decoder.push(chunk, 2, 2 + one.length);
    expect(collector.messages).toHaveLength(1);
  });

  test('after stop the rest of the chunk is left alone', () => {
    let seen = 0;
    const decoder: FrameDecoder = new FrameDecoder(
      {
        frameStarted: () => {},
        frameHead: () => {
          seen++;
          decoder.stop();
        },
        frameBulk: () => {},
      },
      4096,
    );
    decoder.push(Buffer.concat([message(0x13, 1), message(0x13, 2)]));
    decoder.push(message(0x13, 3));
    expect(seen).toBe(1);
  });

  const bad: [string, Uint8Array][] = [
    ['a length of zero', message(0x10).map((byte, i) => (i < 4 ? 0 : byte))],
    ['a length below the header', message(0x10).map((byte, i) => (i === 0 ? 15 : byte))],
    ['a length of 4 GiB', message(0x10).map((byte, i) => (i < 4 ? 0xff : byte))],
    ['a length one past the bound', message(0x10, 1, new Uint8Array(0), new Uint8Array(4097 - HEADER_LEN))],
    ['a head longer than the message', message(0x10).map((byte, i) => (i === 12 ? 1 : byte))],
    ['a head past its bound', message(0x10, 1, new Uint8Array(HEAD_LEN_MAX + 1))],
    ['a reserved field that is not zero', message(0x10).map((byte, i) => (i === 14 ? 1 : byte))],
  ];
  test.each(bad)('%s is malformed, before a byte behind the header is looked at', (_what, stream) => {
    let started = 0;
    const sink = { frameStarted: () => started++, frameHead: () => {}, frameBulk: () => {} };
    const decoder = new FrameDecoder(sink, 4096);
    expect(() => decoder.push(stream.subarray(0, HEADER_LEN))).toThrow(ProtocolError);
    expect(started).toBe(0);
  });

  test('a message exactly at the bound is taken', () => {
    const collector = new Collector();
    collector.decoder.maxMessage = 4096;
    collector.decoder.push(message(0x10, 1, new Uint8Array(0), new Uint8Array(4096 - HEADER_LEN)));
    expect(collector.messages[0]?.bulk.length).toBe(4096 - HEADER_LEN);
  });

  test('any bytes at all are decoded or refused with a ProtocolError', () => {
    fc.assert(
      fc.property(bytes(400), (stream) => {
        const decoder = new FrameDecoder(
          { frameStarted: () => {}, frameHead: () => {}, frameBulk: () => {} },
          4096,
        );
        try {
          decoder.push(stream);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
    );
  });
});

describe('heads', () => {
  const scratch = new Uint8Array(HEAD_LEN_MAX);
  const limits = fc.record({
    maxMessage: fc.integer({ min: 4096, max: 1 << 20 }),
    window: fc.integer({ min: 1 << 20, max: 0xffff_ffff }),
    maxTransfer: fc.integer({ min: 1, max: 0xffff_ffff }),
    maxPending: u32(),
    maxSockets: u32(),
    maxQueuedBytes: u32(),
  });

  test('HELLO is read as written, with bytes past it ignored', () => {
    const hello = fc.record({
      magic: i32(),
      versionMin: u16(),
      versionMax: u16(),
      capabilities: i32(),
      maxMessage: u32(),
      window: u32(),
      onBehalfOf: fc.integer(),
    });
    fc.assert(
      fc.property(hello, fc.integer({ min: 0, max: 50 }), (one, more) => {
        const length = writeHello(scratch, one);
        const isOnBehalf = (one.capabilities & Capability.onBehalf) !== 0;
        const read = { ...one, onBehalfOf: isOnBehalf ? one.onBehalfOf : 0 };
        expect(readHello(scratch, 0, length + more)).toEqual(read);
      }),
    );
  });

  test('WELCOME is read as written', () => {
    const welcome = fc.record({
      magic: i32(),
      version: u16(),
      capabilities: i32(),
      serverPid: i32(),
      profile: u16(),
      limits,
    });
    fc.assert(
      fc.property(welcome, (one) => {
        expect(readWelcome(scratch, 0, writeWelcome(scratch, one))).toEqual(one);
      }),
    );
  });

  test('REQUEST is read as written', () => {
    const address = fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }));
    const request = fc.record({ op: u16(), descriptor: i32(), flags: i32(), a: i32(), b: i32(), address });
    fc.assert(
      fc.property(request, u32(), u32(), (one, dataLength, intoLength) => {
        const record = { ...one, op: one.op as AfdOp, id: 1, data: null, into: null };
        const length = writeRequest(scratch, record, dataLength, intoLength);
        const read = {
          op: 0,
          descriptor: 0,
          flags: 0,
          a: 0,
          b: 0,
          address: null,
          dataLength: 0,
          intoLength: 0,
        };
        readRequest(scratch, 0, length, read);
        expect(read).toEqual({ ...one, dataLength, intoLength });
      }),
    );
  });

  test('COMPLETION is read as written', () => {
    const address = fc.option(fc.uint8Array({ minLength: 1, maxLength: 128 }));
    const completion = fc.record({ error: i32(), value: i32(), flags: i32(), address });
    fc.assert(
      fc.property(completion, u32(), (one, dataLength) => {
        const length = writeCompletion(scratch, { ...one, id: 1, data: null }, dataLength);
        const read = { error: 0, value: 0, flags: 0, address: null, dataLength: 0 };
        readCompletion(scratch, 0, length, read);
        expect(read).toEqual({ ...one, dataLength });
      }),
    );
  });

  test('an address that is read belongs to the reader', () => {
    const read = { error: 0, value: 0, flags: 0, address: null as Uint8Array | null, dataLength: 0 };
    const completion = { id: 1, error: 0, value: 0, flags: 0, address: Uint8Array.of(1, 2), data: null };
    const length = writeCompletion(scratch, completion, 0);
    // A Buffer, whose own `slice` would be a view.
    const chunk = Buffer.from(scratch.subarray(0, length));
    readCompletion(chunk, 0, length, read);
    chunk.fill(0xff);
    expect([...(read.address ?? [])]).toEqual([1, 2]);
  });

  test('CREDIT and GOODBYE carry one number', () => {
    expect(readCredit(scratch, 0, writeCredit(scratch, 0xffff_fffe))).toBe(0xffff_fffe);
    expect(readGoodbye(scratch, 0, writeGoodbye(scratch, 4))).toBe(4);
  });

  const request = { op: 0, descriptor: 0, flags: 0, a: 0, b: 0, address: null, dataLength: 0, intoLength: 0 };
  const completion = { error: 0, value: 0, flags: 0, address: null, dataLength: 0 };
  const short: [string, () => unknown][] = [
    ['HELLO', () => readHello(scratch, 0, 19)],
    ['WELCOME', () => readWelcome(scratch, 0, 39)],
    ['REQUEST', () => readRequest(scratch, 0, 27, request)],
    ['COMPLETION', () => readCompletion(scratch, 0, 19, completion)],
    ['CREDIT', () => readCredit(scratch, 0, 3)],
    ['GOODBYE', () => readGoodbye(scratch, 0, 5)],
  ];
  test.each(short)('%s with a head of the wrong length is malformed', (_name, read) => {
    expect(read).toThrow(ProtocolError);
  });

  test.each([1, 129, 0xffff])(
    'an address length of %i that the head does not hold is malformed',
    (length) => {
      scratch.fill(0);
      scratch[2] = length & 0xff;
      scratch[3] = length >> 8;
      expect(() => readRequest(scratch, 0, 28, request)).toThrow(ProtocolError);
      expect(() => readRequest(scratch, 0, 300, request)).toThrow(ProtocolError);
    },
  );

  test('a message type has one number', () => {
    expect(new Set(Object.values(MessageType)).size).toBe(Object.keys(MessageType).length);
  });
});
