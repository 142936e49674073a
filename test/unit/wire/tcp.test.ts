import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY, fromHex, u16 } from '../../../src/base/index.ts';
import {
  checksum,
  DropReason,
  fold,
  IPPROTO_TCP,
  isTcpChecksumRight,
  parseTcp,
  pseudoHeaderSumV4,
  sealPartial,
  sealTcp,
  sumBytes,
  TCP_AE,
  TCP_CHECKSUM_OFFSET,
  TCP_CWR,
  TCP_ECE,
  TCP_HEADER_LEN,
  TCP_OPTION_FAST_OPEN,
  TCP_OPTION_FAST_OPEN_EXPERIMENT,
  TCP_OPTION_MSS,
  TCP_OPTION_OTHER,
  TCP_OPTION_SACK,
  TCP_OPTION_SACK_PERMITTED,
  TCP_OPTION_TIMESTAMPS,
  TCP_OPTION_WINDOW_SCALE,
  TcpHeader,
  writeTcp,
} from '../../../src/wire/index.ts';
import { tcpOptions } from '../../support/segment.ts';

/** A segment of `options`, padded with End of Option List, and `payload`. */
function segment(options: Uint8Array, payload: Uint8Array = EMPTY): Uint8Array {
  const optionsLength = (options.length + 3) & ~3;
  const bytes = new Uint8Array(TCP_HEADER_LEN + optionsLength + payload.length);
  writeTcp(bytes, 0, 1025, 80, 1, 2, 0x10, 65_535, 0, optionsLength);
  bytes.set(options, TCP_HEADER_LEN);
  bytes.set(payload, TCP_HEADER_LEN + optionsLength);
  return bytes;
}

function parse(bytes: Uint8Array, header = new TcpHeader()): { verdict: number; header: TcpHeader } {
  return { verdict: parseTcp(bytes, 0, bytes.length, header), header };
}

const parseOptions = (hex: string) => parse(segment(fromHex(hex)));

describe('RFC 9293 §3.1 the TCP header', () => {
  const fields = fc.record({
    sourcePort: fc.nat(65_535),
    destinationPort: fc.nat(65_535),
    seq: fc.integer(),
    ack: fc.integer(),
    flags: fc.nat(511),
    window: fc.nat(65_535),
    urgentPointer: fc.nat(65_535),
  });

  test('what is written is read back, at any place of an array', () => {
    fc.assert(
      fc.property(
        fields,
        fc.uint8Array({ maxLength: 50 }),
        fc.nat(9),
        fc.nat(10),
        (f, payload, at, words) => {
          const bytes = new Uint8Array(at + 20 + 4 * words + payload.length);
          const optionsAt = writeTcp(
            bytes,
            at,
            f.sourcePort,
            f.destinationPort,
            f.seq,
            f.ack,
            f.flags,
            f.window,
            f.urgentPointer,
            4 * words,
          );
          expect(optionsAt).toBe(at + 20);
          bytes.fill(1, optionsAt, optionsAt + 4 * words);
          bytes.set(payload, optionsAt + 4 * words);
          const header = new TcpHeader();
          expect(parseTcp(bytes, at, bytes.length, header)).toBe(DropReason.none);
          expect(header).toMatchObject({
            ...f,
            headerLength: 20 + 4 * words,
            payloadAt: at + 20 + 4 * words,
            payloadLength: payload.length,
            options: 0,
          });
        },
      ),
    );
  });

  test('a header byte for byte', () => {
    const bytes = new Uint8Array(20).fill(0xff);
    writeTcp(bytes, 0, 0x1234, 0x0050, 0x9abcdef0 | 0, 0x0badcafe, 0x12, 0xfedc, 0x0102, 0);
    expect(bytes).toEqual(
      fromHex(`1234      # source port
               0050      # destination port
               9abcdef0  # sequence number
               0badcafe  # acknowledgment number
               50        # data offset, reserved
               12        # SYN ACK
               fedc      # window
               0000      # checksum, not yet sealed
               0102      # urgent pointer`),
    );
  });

  test('MUST-3 a sealed segment verifies, and not after any one byte changes', () => {
    fc.assert(
      fc.property(
        fields,
        fc.uint8Array({ maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (f, payload, where, by) => {
          const bytes = segment(tcpOptions({ timestamps: [f.seq, f.ack] }), payload);
          const pseudo = pseudoHeaderSumV4(f.seq, f.ack, IPPROTO_TCP, bytes.length);
          sealTcp(bytes, 0, 32, sumBytes(payload, 0, payload.length, pseudo));
          expect(isTcpChecksumRight(bytes, 0, bytes.length, pseudo)).toBe(true);
          const at = where % bytes.length;
          bytes[at] = (bytes[at] as number) ^ by;
          expect(isTcpChecksumRight(bytes, 0, bytes.length, pseudo)).toBe(false);
        },
      ),
    );
  });

  test('virtio 1.2 §5.1.6.2 a partial checksum, summed with what it covers, gives the full one', () => {
    const payload = Uint8Array.from({ length: 999 }, (_, i) => i * 13);
    const bytes = segment(tcpOptions({ timestamps: [1, 2] }), payload);
    const pseudo = pseudoHeaderSumV4(0x0a000001, 0xc0a80001 | 0, IPPROTO_TCP, bytes.length);
    sealPartial(bytes, TCP_CHECKSUM_OFFSET, pseudo);
    expect(u16(bytes, 16)).toBe(fold(pseudo));
    const completed = checksum(bytes, 0, bytes.length);
    bytes.fill(0, 16, 18);
    sealTcp(bytes, 0, 32, sumBytes(payload, 0, payload.length, pseudo));
    expect(u16(bytes, 16)).toBe(completed);
  });

  test.each([0, 1, 19])('%i bytes are tcpTruncated', (length) => {
    expect(parse(segment(EMPTY).subarray(0, length)).verdict).toBe(DropReason.tcpTruncated);
  });

  test.each([0, 1, 4, 6, 15])('a data offset of %i words in 20 bytes is tcpDataOffset', (words) => {
    const bytes = segment(EMPTY);
    bytes[12] = words << 4;
    expect(parse(bytes).verdict).toBe(DropReason.tcpDataOffset);
  });

  test('reserved bits are ignored (RFC 9293 §3.1: must be ignored in received segments)', () => {
    const bytes = segment(EMPTY);
    bytes[12] = 0x5e;
    expect(parse(bytes)).toMatchObject({
      verdict: DropReason.none,
      header: { headerLength: 20, flags: 0x10 },
    });
  });

  test('RFC 9768 §3.1.1 AE is the lowest of the four bits behind the data offset', () => {
    const bytes = segment(EMPTY);
    bytes[12] = 0x51;
    expect(parse(bytes).header.flags).toBe(0x110);
    writeTcp(bytes, 0, 1, 2, 0, 0, TCP_AE | TCP_CWR | TCP_ECE, 0, 0, 0);
    expect([bytes[12], bytes[13]]).toEqual([0x51, 0xc0]);
  });
});

describe('TCP options that are read', () => {
  test.each([
    ['MSS (RFC 9293 §3.7.1)', '02 04 05b4', TCP_OPTION_MSS, { mss: 1460 }],
    ['window scale (RFC 7323 §2.2)', '03 03 07', TCP_OPTION_WINDOW_SCALE, { windowShift: 7 }],
    ['a shift above 14 as 14 (RFC 7323 §2.3)', '03 03 0f', TCP_OPTION_WINDOW_SCALE, { windowShift: 14 }],
    ['SACK-permitted (RFC 2018 §2)', '04 02', TCP_OPTION_SACK_PERMITTED, {}],
    [
      'timestamps, not aligned',
      '08 0a 80000001 00000002',
      TCP_OPTION_TIMESTAMPS,
      { tsVal: 0x80000001 | 0, tsEcr: 2 },
    ],
    ['timestamps, aligned', '0101080a 00000001 ffffffff', TCP_OPTION_TIMESTAMPS, { tsVal: 1, tsEcr: -1 }],
    ['one SACK block', '05 0a 00000001 00000002', TCP_OPTION_SACK, { sackCount: 1 }],
    [
      'a request for a Fast Open cookie (RFC 7413 §4.1.1)',
      '22 02',
      TCP_OPTION_FAST_OPEN,
      { fastOpenAt: 22, fastOpenLength: 0 },
    ],
    [
      'a Fast Open cookie',
      '22 0a 0102030405060708',
      TCP_OPTION_FAST_OPEN,
      { fastOpenAt: 22, fastOpenLength: 8 },
    ],
    [
      'the experimental Fast Open option (RFC 6994)',
      'fe 0c f989 0102030405060708',
      TCP_OPTION_FAST_OPEN | TCP_OPTION_FAST_OPEN_EXPERIMENT,
      { fastOpenAt: 24, fastOpenLength: 8 },
    ],
    ['an experiment of others', 'fe 06 1234 0000', TCP_OPTION_OTHER, {}],
    ['an experiment without an identifier', 'fe 02', TCP_OPTION_OTHER, {}],
    [
      'MUST-6 an unknown kind, skipped by its length',
      '1e 05 020405 02 04 0218',
      TCP_OPTION_OTHER | TCP_OPTION_MSS,
      { mss: 536 },
    ],
    ['nothing behind End of Option List', '00 02 04 05b4', 0, {}],
    ['nothing in a row of NOPs', '01010101', 0, {}],
  ])('%s', (_name, hex, bits, fields) => {
    const { verdict, header } = parseOptions(hex);
    expect(verdict).toBe(DropReason.none);
    expect(header.options).toBe(bits);
    expect(header).toMatchObject(fields);
  });

  test('MUST-5 the options of a SYN, in any order', () => {
    const order = ['02 04 05b4', '04 02', '08 0a 00000009 00000000', '01', '03 03 08'];
    for (let turn = 0; turn < order.length; turn++) {
      order.push(order.shift() as string);
      const { verdict, header } = parseOptions(order.join(' '));
      expect(verdict).toBe(DropReason.none);
      expect(header).toMatchObject({ mss: 1460, windowShift: 8, tsVal: 9, tsEcr: 0 });
      expect(header.options).toBe(
        TCP_OPTION_MSS | TCP_OPTION_SACK_PERMITTED | TCP_OPTION_TIMESTAMPS | TCP_OPTION_WINDOW_SCALE,
      );
    }
  });

  test.each([1, 2, 3, 4])('RFC 2018 §3 %i SACK blocks with edges on both sides of the wrap', (count) => {
    const edges = Array.from({ length: count }, (_, i) => [-10 + 20 * i, 5 + 20 * i] as const);
    const { verdict, header } = parse(segment(tcpOptions({ sack: edges })));
    expect(verdict).toBe(DropReason.none);
    expect(header.sackCount).toBe(count);
    expect([...header.sackEdges.subarray(0, 2 * count)]).toEqual(edges.flat());
  });

  test('all that the writers put is read back', () => {
    const value = fc.integer();
    const option = fc.record(
      {
        mss: fc.nat(65_535),
        windowShift: fc.nat(14),
        sackPermitted: fc.constant(true),
        timestamps: fc.tuple(value, value),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(option, fc.array(fc.tuple(value, value), { maxLength: 1 }), (fields, sack) => {
        const { verdict, header } = parse(segment(tcpOptions({ ...fields, sack })));
        expect(verdict).toBe(DropReason.none);
        if (fields.mss !== undefined) expect(header.mss).toBe(fields.mss);
        if (fields.windowShift !== undefined) expect(header.windowShift).toBe(fields.windowShift);
        if (fields.timestamps !== undefined) expect([header.tsVal, header.tsEcr]).toEqual(fields.timestamps);
        expect([...header.sackEdges.subarray(0, 2 * header.sackCount)]).toEqual(sack.flat());
        expect(header.options).toBe(
          (fields.mss === undefined ? 0 : TCP_OPTION_MSS) |
            (fields.windowShift === undefined ? 0 : TCP_OPTION_WINDOW_SCALE) |
            (fields.sackPermitted === undefined ? 0 : TCP_OPTION_SACK_PERMITTED) |
            (fields.timestamps === undefined ? 0 : TCP_OPTION_TIMESTAMPS) |
            (sack.length === 0 ? 0 : TCP_OPTION_SACK),
        );
      }),
    );
  });

  test.each([0, 4, 8, 14, 16])(
    'a Fast Open cookie of %i bytes is written, padded, and read back',
    (length) => {
      const cookie = Uint8Array.from({ length }, (_, i) => i + 1);
      const options = tcpOptions({ fastOpen: cookie });
      expect(options.length % 4).toBe(0);
      const bytes = segment(options);
      const { header } = parse(bytes);
      expect(bytes.slice(header.fastOpenAt, header.fastOpenAt + header.fastOpenLength)).toEqual(cookie);
    },
  );

  test('a reused header object keeps no option of the segment before', () => {
    const header = new TcpHeader();
    parse(segment(tcpOptions({ mss: 1000, sack: [[1, 2]] })), header);
    parse(segment(tcpOptions({ timestamps: [1, 2] })), header);
    expect(header).toMatchObject({ options: TCP_OPTION_TIMESTAMPS, sackCount: 0 });
    parse(segment(EMPTY), header);
    expect(header.options).toBe(0);
  });
});

describe('MUST-7 TCP options with lengths that cannot be', () => {
  test.each([
    ['length 0', '02 00 05b4'],
    ['length 1', '02 01 05b4'],
    ['a kind as the last byte, without a length', '01 01 01 02'],
    ['an unknown kind with length 0', '1e 00 0000'],
    ['a length past the header', '1e 05 0000'],
    ['MSS of 3 bytes', '02 03 05 01'],
    ['MSS of 5 bytes', '02 05 05b400 000000'],
    ['window scale of 4 bytes', '03 04 0700'],
    ['SACK-permitted of 3 bytes', '04 03 00 01'],
    ['timestamps of 9 bytes', '08 09 00000000000000 000000'],
    ['SACK without a block', '05 02 0101'],
    ['SACK with half a block', '05 06 00000000 0101'],
    ['SACK with a block and a byte', '05 0b 0000000000000000 00 01'],
  ])('%s is tcpOptions', (_name, hex) => {
    expect(parseOptions(hex).verdict).toBe(DropReason.tcpOptions);
  });

  test.each([
    ['RFC 7413 §4.1.1 a cookie of 2 bytes', '22 04 0102'],
    ['RFC 7413 §4.1.1 a cookie of 5 bytes', '22 07 0102030405 01'],
    ['RFC 7413 §4.1.1 a cookie of 18 bytes', `22 14 ${'01'.repeat(18)}`],
  ])('%s is ignored, the segment is not', (_name, hex) => {
    expect(parseOptions(hex)).toMatchObject({ verdict: DropReason.none, header: { options: 0 } });
  });

  test('random bytes never throw, and never give an offset outside the segment', () => {
    const header = new TcpHeader();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.integer({ min: 5, max: 15 }), (bytes, words) => {
        if (bytes.length >= 20) bytes[12] = words << 4;
        if (parseTcp(bytes, 0, bytes.length, header) !== DropReason.none) return;
        expect(header.payloadAt).toBeGreaterThanOrEqual(20);
        expect(header.payloadAt + header.payloadLength).toBe(bytes.length);
        expect(header.payloadLength).toBeGreaterThanOrEqual(0);
        expect(header.sackCount).toBeLessThanOrEqual(4);
        if ((header.options & TCP_OPTION_FAST_OPEN) !== 0) {
          expect(header.fastOpenAt + header.fastOpenLength).toBeLessThanOrEqual(header.payloadAt);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
