import { describe, expect, test } from '@jest/globals';
import {
  decodeMessage,
  encodeMessage,
  frameForStream,
  messageId,
  StreamReader,
} from '../../../src/names/codec.ts';
import { type DnsRecord, RecordType, recordText } from '../../../src/names/message.ts';
import { a, cname, soa, txt } from './scripted-network.ts';

const bytes = (...parts: (string | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part, 'hex')] : part)));

/** A name on the wire. */
const wire = (name: string): readonly number[] => [
  ...name.split('.').flatMap((label) => (label === '' ? [] : [label.length, ...Buffer.from(label)])),
  0,
];

/** A response header. */
const header = (questions: number, answers: number, authorities = 0, additionals = 0): readonly number[] => [
  ...[0x12, 0x34, 0x81, 0x80],
  ...[questions, answers, authorities, additionals].flatMap((count) => [count >>> 8, count & 255]),
];

/** type, class IN, TTL 60, length of data. */
const fields = (type: number, length: number): readonly number[] => [0, type, 0, 1, 0, 0, 0, 60, 0, length];

describe('RFC 1035 §4 messages', () => {
  test('RFC 1035 §4.1.4 a compressed name is read through its pointers', () => {
    const message = decodeMessage(
      bytes(
        header(1, 2),
        wire('www.example.com'),
        '00010001',
        [0xc0, 12],
        fields(5, 6),
        [3, 97, 98, 99, 0xc0, 16],
        [0xc0, 45],
        fields(1, 4),
        '0a000001',
      ),
    );
    expect(message?.questions).toEqual([{ name: 'www.example.com', type: 1 }]);
    expect(message?.answers.map(recordText)).toEqual(['abc.example.com', '10.0.0.1']);
    expect(message?.answers[1]?.name).toBe('abc.example.com');
  });

  test.each([
    ['shorter than a header', bytes('1234818000010000000000')],
    ['a pointer to itself', bytes(header(1, 0), [0xc0, 12], '00010001')],
    ['a pointer forwards', bytes(header(1, 0), [0xc0, 20], '00010001', wire('a.b'))],
    ['a pointer into the header', bytes(header(1, 0), [0xc0, 4], '00010001')],
    [
      'two pointers that follow each other',
      bytes(header(1, 1), [1, 97, 0xc0, 12], '00010001', [0xc0, 13], fields(1, 4), '0a000001'),
    ],
    ['a label of a reserved kind', bytes(header(1, 0), [0x40, 97, 0], '00010001')],
    ['a label past the end', bytes(header(1, 0), [63, 97])],
    ['a question without a class', bytes(header(1, 0), wire('a'), '0001')],
    ['fewer records than counted', bytes(header(0, 2), wire('a'), fields(1, 4), '0a000001')],
    ['data past the end', bytes(header(0, 1), wire('a'), fields(1, 4), '0a0000')],
    ['an A record of 5 bytes', bytes(header(0, 1), wire('a'), fields(1, 5), '0a00000101')],
    ['an AAAA record of 4 bytes', bytes(header(0, 1), wire('a'), fields(28, 4), '0a000001')],
    ['a CNAME that ends before its data', bytes(header(0, 1), wire('a'), fields(5, 5), wire('b'), [0, 0])],
    ['a CNAME that is longer than its data', bytes(header(0, 1), wire('a'), fields(5, 2), wire('b'))],
    ['a TXT string past its data', bytes(header(0, 1), wire('a'), fields(16, 3), [5, 97, 98])],
    [
      'more records than anybody needs',
      bytes(
        header(0, 600),
        ...Array.from({ length: 600 }, () => [...wire('a'), ...fields(1, 4), 1, 2, 3, 4]),
      ),
    ],
    [
      'a name of 256 bytes',
      bytes(header(1, 0), wire(Array.from({ length: 5 }, () => 'x'.repeat(50)).join('.')), '00010001'),
    ],
    // RFC 6891 §6.1.1: one at most.
    ['two OPT records', bytes(header(0, 0, 0, 2), '0000290400000000000000', '0000290400000000000000')],
    ['an OPT record that has a name', bytes(header(0, 0, 0, 1), wire('a'), '00290400000000000000')],
  ])('RFC 1035 §4, RFC 6891 §6.1.1 malformed, and no exception: %s', (_, message) => {
    expect(decodeMessage(message)).toBeNull();
  });

  test('RFC 1035 §4 the same messages are read when what is wrong with them is put right', () => {
    expect(decodeMessage(bytes(header(0, 1), wire('a'), fields(16, 3), [2, 97, 98]))?.answers).toHaveLength(
      1,
    );
    expect(decodeMessage(bytes(header(0, 1), wire('a'), fields(5, 3), wire('b')))?.answers).toHaveLength(1);
    expect(decodeMessage(bytes(header(0, 0, 0, 1), '0000290400000000000000'))?.edns?.udpPayloadSize).toBe(
      1024,
    );
    expect(
      decodeMessage(
        bytes(header(1, 0), wire(Array.from({ length: 5 }, () => 'x'.repeat(49)).join('.')), '00010001'),
      )?.questions,
    ).toHaveLength(1);
  });

  test('RFC 6763 §4.3 a label with a dot in it does not become two: the dot is escaped', () => {
    const dotted = [11, ...Buffer.from('www.example'), 3, ...Buffer.from('com'), 0];
    const message = decodeMessage(
      bytes(
        header(0, 3),
        dotted,
        fields(1, 4),
        '0a000001',
        wire('a'),
        fields(1, 4),
        '0a000002',
        wire('b'),
        fields(5, dotted.length),
        dotted,
      ),
    );
    expect(message?.answers.map((record) => [record.name, recordText(record)])).toEqual([
      ['www\\.example.com', '10.0.0.1'],
      ['a', '10.0.0.2'],
      ['b', 'www\\.example.com'],
    ]);
  });

  test('RFC 6763 §4.3 names with dots in their labels come back as they were, wherever they stand', () => {
    const [name, target] = ['Dr\\. A\\..\\.hidden._ipp._tcp.local', 'x\\.y.z'];
    const parts = {
      questions: [{ name, type: 33, wantsUnicast: true }],
      answers: [
        { kind: 'name', name: '_ipp._tcp.local', type: 12, ttl: 9, target: name },
        { kind: 'service', name, type: 33, ttl: 9, priority: 0, weight: 0, port: 80, target },
        { kind: 'text', name, type: 16, ttl: 9, texts: [Uint8Array.of(1, 46, 1)] },
      ],
    } as const;
    const message = encodeMessage({ ...parts, isResponse: true });
    expect(decodeMessage(message)).toMatchObject(parts);
    // One label on the wire.
    expect(Buffer.from(message).includes(Buffer.from('\u0006Dr. A.\u0007.hidden\u0004_ipp'))).toBe(true);
    expect(() => encodeMessage({ questions: [{ name: `${'\\.'.repeat(64)}.a`, type: 1 }] })).toThrow(
      RangeError,
    );
    expect(encodeMessage({ questions: [{ name: `${'\\.'.repeat(63)}.a`, type: 1 }] })).toHaveLength(
      12 + 67 + 4,
    );
  });

  test('a label that is no UTF-8, or has control characters, is left out', () => {
    const message = decodeMessage(
      bytes(
        header(0, 3),
        [2, 0xc3, 0x28, 0],
        fields(1, 4),
        '0a000001',
        [2, 7, 27, 0],
        fields(1, 4),
        '0a000002',
        [2, 0xc3, 0xbc, 0],
        fields(1, 4),
        '0a000003',
      ),
    );
    expect(message?.answers.map(({ name }) => name)).toEqual(['ü']);
  });

  test('RFC 2181 §8 a TTL with the top bit is 0', () => {
    const message = decodeMessage(bytes(header(0, 1), wire('a'), '0001000180000001000401020304'));
    expect(message?.answers[0]?.ttl).toBe(0);
  });

  test('RFC 6891 §6.1.3 the OPT record has the upper bits of the code', () => {
    const message = decodeMessage(bytes(header(0, 0, 0, 1), '000029100001000000', '0000'));
    expect(message?.rcode).toBe(16);
    expect(message?.edns).toMatchObject({ udpPayloadSize: 4096 });
    expect(
      decodeMessage(encodeMessage({ questions: [], rcode: 16, edns: { udpPayloadSize: 512, version: 0 } }))
        ?.rcode,
    ).toBe(16);
  });

  test('RFC 3597 §3 a type that is not known comes and goes as bytes', () => {
    const record: DnsRecord = {
      kind: 'other',
      name: 'x.example',
      type: 65,
      ttl: 9,
      data: bytes('0001000102'),
    };
    const message = decodeMessage(encodeMessage({ questions: [], answers: [record] }));
    expect(message?.answers).toEqual([{ ...record, data: expect.anything() }]);
    expect(recordText(message?.answers[0] as DnsRecord)).toBe('\\# 5 0001000102');
  });

  test('RFC 6762 §5.4, §10.2 the top bits of classes are for unicast answers and for flushing', () => {
    const encoded = encodeMessage({
      questions: [
        { name: 'a.local', type: 1, wantsUnicast: true },
        { name: 'b.local', type: 28 },
      ],
      answers: [{ ...a('c.local', '10.0.0.1'), flush: true }],
    });
    const message = decodeMessage(encoded);
    expect(message?.questions).toEqual([
      { name: 'a.local', type: 1, wantsUnicast: true },
      { name: 'b.local', type: 28 },
    ]);
    expect(message?.answers[0]?.flush).toBe(true);
  });

  test('every kind of record comes back as it went', () => {
    const records: DnsRecord[] = [
      a('a.example', '192.0.2.1', 0),
      a('a.example', '2001:db8::1', 0x7fff_ffff),
      a('a.example', '::ffff:192.0.2.1'),
      cname('b.example', 'A.Example'),
      soa('example'),
      txt('t.example', 'one', ''),
      {
        kind: 'service',
        name: '_x._tcp.example',
        type: RecordType.SRV,
        ttl: 1,
        priority: 1,
        weight: 2,
        port: 3,
        target: '',
      },
      {
        kind: 'mail',
        name: 'example',
        type: RecordType.MX,
        ttl: 1,
        preference: 10,
        exchange: 'mail.example',
      },
    ];
    const message = decodeMessage(
      encodeMessage({
        id: 7,
        isResponse: true,
        questions: [],
        answers: records,
        authorities: records,
        additionals: records,
      }),
    );
    for (const section of [message?.answers, message?.authorities, message?.additionals]) {
      expect(section?.map(recordText)).toEqual(records.map(recordText));
      expect(section?.map(({ name, type, ttl }) => [name, type, ttl])).toEqual(
        records.map(({ name, type, ttl }) => [name, type, ttl]),
      );
    }
  });

  test.each(['a..b', `${'x'.repeat(64)}.example`, Array.from({ length: 64 }, () => 'abc').join('.')])(
    'RFC 1035 §2.3.4 a name that no message can carry is not written: %s',
    (name) => {
      expect(() => encodeMessage({ questions: [{ name, type: 1 }] })).toThrow(RangeError);
    },
  );

  test('what was read shares no memory with what was received', () => {
    const received = encodeMessage({ questions: [], answers: [txt('t.example', 'text')] });
    const message = decodeMessage(received);
    received.fill(0);
    expect(recordText(message?.answers[0] as DnsRecord)).toBe('"text"');
  });

  test('TXT strings are shown without anything that a terminal obeys', () => {
    expect(recordText(txt('t', '\u001b[2J"\\é'))).toBe('"\\027[2J\\"\\\\\\195\\169"');
  });
});

describe('RFC 1035 §4.2.2 messages on a stream', () => {
  test('they are cut at their lengths however they arrive', () => {
    const messages = [bytes('0102'), bytes(''), bytes('030405')];
    const stream = Uint8Array.from(messages.flatMap((each) => [...frameForStream(each)]));
    for (let size = 1; size <= stream.length; size++) {
      const reader = new StreamReader();
      const got: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size)
        got.push(...reader.take(stream.subarray(at, at + size)).map((each) => each.slice()));
      expect(got).toEqual(messages);
    }
  });

  test('an identifier needs two bytes', () => {
    expect(messageId(bytes('ab'))).toBe(-1);
    expect(messageId(bytes('abcd'))).toBe(0xabcd);
  });
});
