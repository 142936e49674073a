import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMPTY, fromHex, putI32, putI32le } from '../../../src/base/index.ts';
import {
  type CapturedPacket,
  CaptureError,
  LINKTYPE_ETHERNET,
  LINKTYPE_RAW,
  linkTypeOf,
  MAX_SNAP_LENGTH,
  mediumOf,
  type PcapngOptions,
  PcapngWriter,
  readCapture,
} from '../../../src/capture/index.ts';
import { ethernetFrame, tcpPacket, udpPacket } from '../../support/segment.ts';
import { complaints, describeTshark, tshark, tsharkFields } from '../../support/tshark.ts';

/** What `write` writes, as one file. */
function captured(write: (writer: PcapngWriter) => void, options?: PcapngOptions): Uint8Array {
  const parts: Uint8Array[] = [];
  write(new PcapngWriter({ write: (block) => parts.push(block.slice()) }, options));
  return new Uint8Array(Buffer.concat(parts));
}

/** What reading gives before it ends, and how it ends. */
function readAll(file: Uint8Array): { packets: CapturedPacket[]; error: CaptureError | null } {
  const packets: CapturedPacket[] = [];
  try {
    for (const packet of readCapture(file)) packets.push(packet);
    return { packets, error: null };
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error;
    return { packets, error };
  }
}

describe('PcapngWriter', () => {
  test('the smallest file, byte for byte', () => {
    const file = captured((writer) => {
      const id = writer.addInterface({ name: 'tun0', medium: 'ip' });
      writer.writePacket(id, 1000, Uint8Array.of(1, 2, 3, 4, 5), 0, 5);
    });
    expect(Buffer.from(file).toString('hex')).toBe(
      Buffer.from(
        fromHex(`
          0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffff ffffffff 1c000000  # section header
          01000000 28000000 6500 0000 00000400                             # interface: raw IP, 262144
          0200 0400 74756e30 0900 0100 09000000 00000000 28000000          # if_name tun0, if_tsresol 9, end
          06000000 28000000 00000000 00000000 00ca9a3b 05000000 05000000   # packet at 1 s
          01020304 05000000 28000000`),
      ).toString('hex'),
    );
  });

  test('what is written is read back', () => {
    const packet = fc.record({
      bytes: fc.uint8Array({ maxLength: 300 }),
      interfaceId: fc.nat(1),
      // A double holds milliseconds since 1970 to a quarter of a microsecond until 2039.
      timeUs: fc.integer({ min: 0, max: 2_100_000_000_000_000 }),
      direction: fc.constantFrom('in' as const, 'out' as const, 'unknown' as const),
      comment: fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\0', '')),
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), (packets) => {
        const file = captured((writer) => {
          writer.addInterface({ name: 'tun0', medium: 'ip', description: 'the first' });
          writer.addInterface({ name: 'tap0', medium: 'ethernet', mac: Uint8Array.of(2, 0, 0, 0, 0, 1) });
          for (const { interfaceId, timeUs, bytes, direction, comment } of packets) {
            writer.writePacket(interfaceId, timeUs / 1000, bytes, 0, bytes.length, direction, comment);
          }
        });
        const read = readAll(file);
        expect(read.error).toBeNull();
        expect(
          read.packets.map((packet) => ({
            bytes: packet.bytes.slice(),
            interfaceId: packet.interface.name === 'tun0' ? 0 : 1,
            timeUs: Math.round(Number(packet.timeNs as bigint) / 1000),
            direction: packet.direction,
            comment: packet.comments.join(),
          })),
        ).toEqual(packets);
      }),
    );
  });

  test('a time keeps its nanoseconds when the double has them', () => {
    const times = [0, 0.000001, 0.999999, 4294.967296, 1_048_576, 1_048_575.999999, 1_700_000_000_000.5];
    const file = captured((writer) => {
      const id = writer.addInterface({ name: 'x', medium: 'ip' });
      for (const time of times) writer.writePacket(id, time, EMPTY, 0, 0);
    });
    expect(readAll(file).packets.map(({ timeNs }) => timeNs)).toEqual([
      0n,
      1n,
      999_999n,
      4_294_967_296n,
      1_048_576_000_000n,
      1_048_575_999_999n,
      1_700_000_000_000_500_000n,
    ]);
  });

  test('a packet longer than the snap length is cut, and its length kept', () => {
    const file = captured(
      (writer) => {
        const id = writer.addInterface({ name: 'x', medium: 'ip' });
        writer.writePacket(id, 0, new Uint8Array(100).fill(7), 10, 90);
      },
      { snapLength: 30 },
    );
    expect(readAll(file).packets).toMatchObject([
      { bytes: new Uint8Array(30).fill(7), originalLength: 90, interface: { snapLength: 30 } },
    ]);
  });

  test.each([0, -1, 1.5, MAX_SNAP_LENGTH + 1])('a snap length of %p is refused', (snapLength) => {
    expect(() => captured(() => {}, { snapLength })).toThrow(RangeError);
  });

  test('a packet of an interface that is not there is a bug of the caller', () => {
    expect(() => captured((writer) => writer.writePacket(0, 0, EMPTY, 0, 0))).toThrow(RangeError);
    expect(() => captured((writer) => writer.writeStatistics(0, 0, 0, 0))).toThrow(RangeError);
  });

  test('a comment that is too long is cut between characters', () => {
    const file = captured((writer) => {
      const id = writer.addInterface({ name: 'x', medium: 'ip' });
      writer.writePacket(id, 0, EMPTY, 0, 0, 'in', `a${'€'.repeat(3000)}`);
    });
    const comment = readAll(file).packets[0]?.comments[0] as string;
    expect(comment).toBe(`a${'€'.repeat(1365)}`);
  });

  test('packets larger than any before make the buffer grow, nothing else', () => {
    const sizes = [1, 5000, 3, 200_000, 64];
    const file = captured((writer) => {
      const id = writer.addInterface({ name: 'x', medium: 'ip' });
      for (const size of sizes)
        writer.writePacket(id, 0, new Uint8Array(size).fill(size), 0, size, 'in', 'c');
    });
    const { packets, error } = readAll(file);
    expect(error).toBeNull();
    expect(packets.map(({ bytes }) => [bytes.length, bytes.at(-1)])).toEqual(sizes.map((n) => [n, n & 0xff]));
  });

  test('restart begins a section with the same interfaces', () => {
    const file = captured((writer) => {
      const id = writer.addInterface({ name: 'x', medium: 'ethernet' });
      writer.writePacket(id, 1, EMPTY, 0, 0);
      writer.restart();
      writer.writePacket(id, 2, EMPTY, 0, 0);
    });
    const { packets } = readAll(file);
    expect(packets.map((packet) => [packet.interface.name, packet.interface.linkType])).toEqual([
      ['x', LINKTYPE_ETHERNET],
      ['x', LINKTYPE_ETHERNET],
    ]);
  });

  test('link types go to mediums and back', () => {
    expect([linkTypeOf('ip'), linkTypeOf('ethernet')]).toEqual([LINKTYPE_RAW, LINKTYPE_ETHERNET]);
    expect([1, 12, 101, 228, 229, 113].map(mediumOf)).toEqual(['ethernet', 'ip', 'ip', 'ip', 'ip', null]);
  });
});

describeTshark('tshark reads what PcapngWriter writes', () => {
  const file = (): Uint8Array =>
    captured(
      (writer) => {
        const tun = writer.addInterface({ name: 'tun0', medium: 'ip', description: 'a TUN device' });
        const tap = writer.addInterface({
          name: 'tap0',
          medium: 'ethernet',
          mac: Uint8Array.of(2, 0, 0, 0, 0, 9),
        });
        const packet = tcpPacket({ flags: 'S' });
        const frame = ethernetFrame(udpPacket({ payload: 'x', destinationPort: 9999 }));
        writer.writePacket(tun, 1_700_000_000_123.5, packet, 0, packet.length, 'out', 'tcp · SYN of connect');
        writer.writePacket(
          tap,
          1_700_000_001_000,
          frame,
          0,
          frame.length,
          'in',
          'dropped: udpNoListener — 你好',
        );
        writer.writeStatistics(tun, 1_700_000_002_000, 1, 0);
      },
      { application: 'winsockd test', os: 'none', hardware: 'none', comment: 'a section' },
    );

  test('interface, link type, time, direction and comment arrive', () => {
    expect(
      tsharkFields(file(), [
        'frame.interface_name',
        'frame.encap_type',
        'frame.time_epoch',
        'frame.packet_flags_direction',
        'frame.comment',
        'frame.protocols',
      ]),
    ).toEqual([
      ['tun0', '7', '1700000000.123500000', '0x00000002', 'tcp · SYN of connect', 'raw:ip:tcp'],
      [
        'tap0',
        '1',
        '1700000001.000000000',
        '0x00000001',
        'dropped: udpNoListener — 你好',
        'eth:ethertype:ip:udp:data',
      ],
    ]);
  });

  test('nothing in it is wrong', () => {
    expect(complaints(file())).toEqual([]);
  });

  test('two sections in one file are read as one', () => {
    const twice = Buffer.concat([file(), file()]);
    expect(tshark(twice, '-T', 'fields', '-e', 'frame.number')).toEqual(['1', '2', '3', '4']);
  });
});

describe('reading pcapng', () => {
  /** Section and one interface with a packet, in the byte order asked for. */
  const section = (isBig: boolean, resolution: number): Uint8Array => {
    const word = (value: number): string => {
      const bytes = new Uint8Array(4);
      (isBig ? putI32 : putI32le)(bytes, 0, value);
      return Buffer.from(bytes).toString('hex');
    };
    const half = (value: number): string => (isBig ? word(value).slice(4) : word(value).slice(0, 4));
    const tsresol = `${half(9)}${half(1)}${resolution.toString(16).padStart(2, '0')}000000`;
    const offset = `${half(14)}${half(8)}${isBig ? word(0) + word(5) : word(5) + word(0)}`;
    return fromHex(`
      0a0d0d0a ${word(28)} ${word(0x1a2b3c4d)} ${half(1)}${half(0)} ffffffff ffffffff ${word(28)}
      ${word(1)} ${word(44)} ${half(101)}0000 ${word(0)} ${tsresol} ${offset} 00000000 ${word(44)}
      ${word(6)} ${word(36)} ${word(0)} ${word(1)} ${word(2)} ${word(1)} ${word(9)} ab000000 ${word(36)}`);
  };

  test.each([
    ['little-endian', false],
    ['big-endian', true],
  ])('a %s section is read, with time resolution and offset', (_name, isBig) => {
    const units = 2n ** 32n + 2n;
    const times = [
      [3, units * 1_000_000n],
      [6, units * 1_000n],
      [9, units],
      [12, units / 1000n],
      [0x80 | 10, (units * 1_000_000_000n) / 1024n],
    ] as const;
    for (const [resolution, ns] of times) {
      const { packets, error } = readAll(section(isBig, resolution));
      expect(error).toBeNull();
      expect(packets).toMatchObject([
        {
          timeNs: ns + 5_000_000_000n,
          bytes: Uint8Array.of(0xab),
          originalLength: 9,
          interface: { linkType: 101 },
        },
      ]);
    }
  });

  test('sections of different byte orders follow each other', () => {
    const { packets, error } = readAll(
      Buffer.concat([section(true, 9), section(false, 9), section(true, 9)]),
    );
    expect([packets.length, error]).toEqual([3, null]);
  });

  test('interfaces end with their section', () => {
    const header = section(false, 9).slice(0, 28);
    const packet = section(false, 9).slice(28 + 44);
    expect(readAll(Buffer.concat([section(false, 9), header, packet]))).toMatchObject({
      packets: [{}],
      error: { fault: 'malformed' },
    });
  });

  test('a Simple Packet Block has no time, and its length follows from the snap length', () => {
    const file = fromHex(`
      0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffff ffffffff 1c000000
      01000000 14000000 0100 0000 04000000 14000000
      03000000 14000000 09000000 01020304 14000000`);
    expect(readAll(file).packets).toMatchObject([
      { timeNs: null, bytes: Uint8Array.of(1, 2, 3, 4), originalLength: 9 },
    ]);
  });

  test('blocks and options that are not known are skipped', () => {
    const file = Buffer.concat([
      captured((writer) => writer.addInterface({ name: 'x', medium: 'ip' })),
      fromHex('0a000000 10000000 deadbeef 10000000'),
      fromHex(`06000000 34000000 00000000 00000000 00000000 01000000 01000000 aa000000
               39300300 01020300 05000400 01000000 34000000`),
    ]);
    expect(readAll(file)).toMatchObject({ packets: [{ bytes: Uint8Array.of(0xaa) }], error: null });
  });

  const good = captured((writer) => {
    const id = writer.addInterface({ name: 'x', medium: 'ip' });
    writer.writePacket(id, 1, Uint8Array.of(1, 2, 3), 0, 3, 'in', 'one');
    writer.writePacket(id, 2, Uint8Array.of(4, 5, 6), 0, 3, 'out', 'two');
  });

  test('a file cut anywhere is truncated, and gives the packets before the cut', () => {
    const lengthOfTwo = good.length;
    for (let length = 4; length < lengthOfTwo; length++) {
      const { packets, error } = readAll(good.subarray(0, length));
      const isBetweenBlocks = error === null;
      if (!isBetweenBlocks) expect(error?.fault).toBe('truncated');
      expect(packets.length).toBeLessThan(2);
    }
    expect(readAll(good).packets).toHaveLength(2);
  });

  test.each([
    ['nothing', '', 'not-a-capture'],
    ['text', '68656c6c6f20776f726c64', 'not-a-capture'],
    [
      'a wrong byte-order magic',
      '0a0d0d0a 1c000000 00000000 01000000 ffffffffffffffff 1c000000',
      'not-a-capture',
    ],
    ['version 2', '0a0d0d0a 1c000000 4d3c2b1a 02000000 ffffffffffffffff 1c000000', 'not-a-capture'],
    [
      'a length that is no multiple of 4',
      '0a0d0d0a 1d000000 4d3c2b1a 01000000 ffffffffffffffff 1d000000',
      'malformed',
    ],
    ['a length below 12', '0a0d0d0a 08000000 4d3c2b1a 01000000 ffffffffffffffff 08000000', 'malformed'],
    ['a length beyond reason', '0a0d0d0a fcffff7f 4d3c2b1a 01000000 ffffffffffffffff fcffff7f', 'malformed'],
    ['lengths that differ', '0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 20000000', 'malformed'],
  ])('%s at the start is an error', (_name, hex, fault) => {
    expect(readAll(fromHex(hex))).toMatchObject({ packets: [], error: { fault } });
  });

  test.each([
    [
      'a packet of an interface that is not there',
      '06000000 20000000 00000000 0000000000000000 00000000 00000000 20000000',
    ],
    ['a packet block without a body', '06000000 10000000 00000000 10000000'],
    ['an interface without a body', '01000000 0c000000 0c000000'],
    ['a simple packet without an interface', '03000000 10000000 00000000 10000000'],
  ])('%s is malformed', (_name, hex) => {
    const header = fromHex('0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000');
    expect(readAll(Buffer.concat([header, fromHex(hex)])).error).toMatchObject({
      fault: 'malformed',
      offset: expect.any(Number),
    });
  });

  test('any bytes in the place of some end in a CaptureError or in packets, and views stay inside the file', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        (changes) => {
          const file = good.slice();
          for (const [at, value] of changes) file[at] = value;
          for (const { bytes } of readAll(file).packets) {
            expect(bytes.byteOffset + bytes.length).toBeLessThanOrEqual(file.byteOffset + file.length);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('reading pcap', () => {
  const pcap = (magic: string, isBig: boolean): Uint8Array => {
    const word = (value: number): string => {
      const bytes = new Uint8Array(4);
      (isBig ? putI32 : putI32le)(bytes, 0, value);
      return Buffer.from(bytes).toString('hex');
    };
    const version = isBig ? '00020004' : '02000400';
    return fromHex(`${magic} ${version} ${word(0)} ${word(0)} ${word(65_535)} ${word(101)}
      ${word(0x80000000)} ${word(7)} ${word(3)} ${word(1500)} 010203
      ${word(1)} ${word(2)} ${word(0)} ${word(0)}`);
  };

  test.each([
    ['little-endian, microseconds', 'd4c3b2a1', false, 7000n],
    ['big-endian, microseconds', 'a1b2c3d4', true, 7000n],
    ['little-endian, nanoseconds', '4d3cb2a1', false, 7n],
    ['big-endian, nanoseconds', 'a1b23c4d', true, 7n],
  ])('%s', (_name, magic, isBig, fractionNs) => {
    const { packets, error } = readAll(pcap(magic, isBig));
    expect(error).toBeNull();
    expect(packets).toMatchObject([
      {
        timeNs: 0x80000000n * 1_000_000_000n + fractionNs,
        bytes: Uint8Array.of(1, 2, 3),
        originalLength: 1500,
        interface: { linkType: 101, snapLength: 65_535 },
      },
      { bytes: EMPTY },
    ]);
  });

  test('a file cut inside a packet is truncated', () => {
    const whole = pcap('d4c3b2a1', false);
    for (const length of [10, 23, 30, 41, 50]) {
      expect(readAll(whole.subarray(0, length)).error?.fault).toBe('truncated');
    }
  });

  test('a packet of an absurd length is malformed', () => {
    const file = pcap('d4c3b2a1', false);
    putI32le(file, 24 + 8, 0x7fffffff);
    expect(readAll(file).error?.fault).toBe('malformed');
  });

  test('another major version is not a capture that we know', () => {
    const file = pcap('d4c3b2a1', false);
    file[4] = 3;
    expect(readAll(file).error?.fault).toBe('not-a-capture');
  });
});
