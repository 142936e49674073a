import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createFrameBatch,
  FRAME_COLUMNS,
  FRAME_FLAGS,
  FRAME_LENGTH,
  FRAME_OFFSET,
  fromHex,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  putI32,
  putU16,
  u16,
} from '../../../src/base/index.ts';
import {
  completeChecksum,
  fold,
  IPPROTO_TCP,
  isTcpChecksumRight,
  parseTcp,
  pseudoHeaderSumV4,
  pseudoHeaderSumV6,
  SegmentCutter,
  sealPartial,
  TcpHeader,
  writeTcp,
} from '../../../src/wire/index.ts';
import { ethernetFrame, readPacket, tcpOptions, tcpPacket, udpPacket, v4 } from '../../support/segment.ts';

/** All packets of a super-segment, each in an array of its own; the arena starts with junk. */
function cut(frame: Uint8Array, gsoSize: number, gsoType = GSO_TCPV4, linkLength = 0): Uint8Array[] {
  const cutter = new SegmentCutter();
  const count = cutter.begin(frame, 0, frame.length, linkLength, gsoType, gsoSize);
  const arena = new Uint8Array(2 * frame.length + 100 * count).fill(0xcc);
  return Array.from({ length: count }, (_, i) => {
    const end = cutter.write(i, arena, 7);
    expect(end - 7).toBe(cutter.lengthOf(i));
    return arena.slice(7, end);
  });
}

describe('SegmentCutter', () => {
  const options = tcpOptions({ timestamps: [7, 8] });

  test('a TCP super-segment becomes packets of gsoSize with all header fields as a device writes them', () => {
    const frame = tcpPacket({
      seq: 0xffffff00,
      ack: 5,
      flags: 'FP.W',
      id: 0xffff,
      window: 1234,
      options,
      payload: 3000,
      dontFragment: true,
      trafficClass: 2,
      ttl: 9,
    });
    const packets = cut(frame, 1448, GSO_TCPV4 | GSO_ECN).map(readPacket);
    expect(packets).toMatchObject([
      { seq: 0xffffff00, flags: '.W', id: 0xffff },
      { seq: (0xffffff00 + 1448) % 2 ** 32, flags: '.', id: 0 },
      { seq: (0xffffff00 + 2896) % 2 ** 32, flags: 'FP.', id: 1 },
    ]);
    for (const packet of packets) {
      expect(packet).toMatchObject({ ack: 5, window: 1234, ttl: 9, trafficClass: 2, dontFragment: true });
      expect(packet.options).toBe('nop,nop,TS val 7 ecr 8');
    }
  });

  test('the payloads joined are the super-segment, for any sizes (checksums verified by the reader)', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 4000 }),
        fc.integer({ min: 1, max: 4100 }),
        (payload, gsoSize) => {
          const packets = cut(tcpPacket({ payload, options, flags: 'P.' }), gsoSize).map(readPacket);
          expect(packets).toHaveLength(Math.ceil(payload.length / gsoSize));
          expect(Buffer.concat(packets.map((packet) => packet.payload)).equals(payload)).toBe(true);
          expect(
            packets.every(({ payload: { length } }, i) => length === gsoSize || i === packets.length - 1),
          ).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('64 KB at an MSS of 1460 become 45 packets', () => {
    expect(cut(tcpPacket({ payload: 65_160 }), 1460)).toHaveLength(45);
  });

  test('the super-segment itself is not changed, partial checksum included', () => {
    const frame = tcpPacket({ payload: 2000, flags: 'FP.W' });
    sealPartial(frame, 36, pseudoHeaderSumV4(v4('10.0.0.1'), v4('10.0.0.2'), 6, frame.length - 20));
    const before = frame.slice();
    cut(frame, 500);
    expect(frame).toEqual(before);
  });

  test('IP options stay on every packet', () => {
    const packets = cut(tcpPacket({ payload: 100, ipOptions: fromHex('94 04 0000') }), 60);
    expect(packets.map((packet) => packet[0])).toEqual([0x46, 0x46]);
    expect(packets.map((packet) => readPacket(packet).payload.length)).toEqual([60, 40]);
  });

  test('a UDP super-segment becomes datagrams with lengths and checksums of their own', () => {
    const packets = cut(udpPacket({ payload: 2500, sourcePort: 9, id: 3 }), 1000, GSO_UDP_L4).map(readPacket);
    expect(packets.map(({ payload, sourcePort, id }) => [payload.length, sourcePort, id])).toEqual([
      [1000, 9, 3],
      [1000, 9, 4],
      [500, 9, 5],
    ]);
  });

  test('the Ethernet header is put before every packet', () => {
    const frames = cut(ethernetFrame(tcpPacket({ payload: 30 })), 20, GSO_TCPV4, 14);
    expect(frames.map((frame) => u16(frame, 12))).toEqual([0x0800, 0x0800]);
    expect(frames.map((frame) => readPacket(frame.slice(14)).payload.length)).toEqual([20, 10]);
  });

  test('a TCP super-segment over IPv6 gets payload lengths and checksums of its own', () => {
    const frame = new Uint8Array(40 + 20 + 100);
    frame[0] = 0x60;
    putU16(frame, 4, 120);
    frame[6] = IPPROTO_TCP;
    const words = [0x20010db8, 0, 0, 1, 0x20010db8, 0, 0, 2] as const;
    words.forEach((word, i) => {
      putI32(frame, 8 + 4 * i, word);
    });
    writeTcp(frame, 40, 1, 2, 10, 20, 0x18, 100, 0, 0);
    const packets = cut(frame, 60, GSO_TCPV6);
    const header = new TcpHeader();
    const read = packets.map((packet) => {
      const length = packet.length - 40;
      const pseudo = pseudoHeaderSumV6(...words, IPPROTO_TCP, length);
      parseTcp(packet, 40, packet.length, header);
      return [
        u16(packet, 4) === length,
        isTcpChecksumRight(packet, 40, packet.length, pseudo),
        header.seq,
        header.flags,
      ];
    });
    expect(read).toEqual([
      [true, true, 10, 0x10],
      [true, true, 70, 0x18],
    ]);
  });

  test('packets are added behind the frames of a batch, their IP headers at multiples of 4', () => {
    const batch = createFrameBatch(8, 4096);
    const cutter = new SegmentCutter();
    const frame = ethernetFrame(tcpPacket({ payload: 33 }));
    for (let round = 0; round < 2; round++) {
      cutter.begin(frame, 0, frame.length, 14, GSO_TCPV4, 11);
      expect(cutter.writeAll(batch)).toBe(true);
    }
    expect(batch.count).toBe(6);
    let end = 0;
    for (let i = 0; i < 6; i++) {
      const row = i * FRAME_COLUMNS;
      const at = batch.table[row + FRAME_OFFSET] as number;
      expect((at + 14) % 4).toBe(0);
      expect(at).toBeGreaterThanOrEqual(end);
      end = at + (batch.table[row + FRAME_LENGTH] as number);
      expect(batch.table[row + FRAME_FLAGS]).toBe(0);
      expect(readPacket(batch.bytes.slice(at + 14, end)).payload).toHaveLength(11);
    }
  });

  test.each([
    ['the table is short by one row', 2, 4096, false],
    ['the arena is short by one byte', 3, 51 + 1 + 51 + 1 + 51 - 1, false],
    ['both just fit', 3, 51 + 1 + 51 + 1 + 51, true],
  ])('writeAll when %s', (_name, rows, arenaBytes, fits) => {
    const batch = createFrameBatch(rows, arenaBytes);
    const cutter = new SegmentCutter();
    const frame = tcpPacket({ payload: 33 });
    cutter.begin(frame, 0, frame.length, 0, GSO_TCPV4, 11);
    expect(cutter.writeAll(batch)).toBe(fits);
    expect(batch.count).toBe(fits ? 3 : 0);
  });

  test.each([
    ['no super-segment', tcpPacket({ payload: 100 }), GSO_NONE, 50, 0],
    ['no segment size', tcpPacket({ payload: 100 }), GSO_TCPV4, 0, 0],
    ['a kind that does not exist', tcpPacket({ payload: 100 }), 3, 50, 0],
    ['UDP under a TCP kind', udpPacket({ payload: 100 }), GSO_TCPV4, 50, 0],
    ['TCP under the UDP kind', tcpPacket({ payload: 100 }), GSO_UDP_L4, 50, 0],
    ['IPv4 under the IPv6 kind', tcpPacket({ payload: 100 }), GSO_TCPV6, 50, 0],
    ['no payload', tcpPacket(), GSO_TCPV4, 50, 0],
    ['an IP header cut short', tcpPacket().subarray(0, 19), GSO_TCPV4, 50, 0],
    ['a TCP header cut short', tcpPacket().subarray(0, 39), GSO_TCPV4, 50, 0],
    ['a link header longer than the frame', tcpPacket(), GSO_TCPV4, 50, 60],
  ])('%s makes no packets', (_name, frame, gsoType, gsoSize, linkLength) => {
    expect(new SegmentCutter().begin(frame, 0, frame.length, linkLength, gsoType, gsoSize)).toBe(0);
  });

  test('random frames never throw, and never write past the lengths that were told', () => {
    const cutter = new SegmentCutter();
    const arena = new Uint8Array(400);
    const type = fc.constantFrom(GSO_TCPV4, GSO_TCPV6, GSO_UDP_L4, GSO_TCPV4 | GSO_ECN);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 120 }),
        type,
        fc.integer({ min: 1, max: 99 }),
        fc.constantFrom(6, 17),
        (bytes, gsoType, gsoSize, protocol) => {
          if (bytes.length > 9) {
            bytes[0] = gsoType === GSO_TCPV6 ? 0x60 : 0x45;
            bytes[gsoType === GSO_TCPV6 ? 6 : 9] = protocol;
          }
          const count = cutter.begin(bytes, 0, bytes.length, 0, gsoType, gsoSize);
          for (let i = 0; i < count; i++) {
            arena.fill(0xcc);
            const end = cutter.write(i, arena, 1);
            expect(end).toBe(1 + cutter.lengthOf(i));
            expect(end).toBeLessThanOrEqual(1 + bytes.length);
            expect([arena[0], arena[end]]).toEqual([0xcc, 0xcc]);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('completeChecksum', () => {
  test('virtio 1.2 §5.1.6.2 a partial TCP checksum becomes the full one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        const full = tcpPacket({ payload });
        const frame = ethernetFrame(full);
        sealPartial(
          frame,
          14 + 20 + 16,
          pseudoHeaderSumV4(v4('10.0.0.1'), v4('10.0.0.2'), 6, 20 + payload.length),
        );
        expect(completeChecksum(frame, 0, frame.length, 34, 16)).toBe(true);
        expect(frame.slice(14)).toEqual(full);
      }),
    );
  });

  test('RFC 768 a UDP checksum that comes out as zero is written as ffff', () => {
    const bytes = new Uint8Array(20 + 8 + 2);
    putU16(bytes, 20, 0x1234);
    putU16(bytes, 28, 0xffff - 0x1234);
    expect(completeChecksum(bytes, 0, bytes.length, 20, 6)).toBe(true);
    expect(u16(bytes, 26)).toBe(0xffff);
    expect(fold(0x1234 + 0xffff + (0xffff - 0x1234))).toBe(0xffff);
  });

  test('RFC 1624 §3 a TCP checksum that comes out as zero stays zero', () => {
    const bytes = new Uint8Array(20 + 20);
    putU16(bytes, 20, 0x1234);
    putU16(bytes, 36, 0xffff - 0x1234);
    expect(completeChecksum(bytes, 0, bytes.length, 20, 16)).toBe(true);
    expect(u16(bytes, 36)).toBe(0);
  });

  test.each([
    [40, 16],
    [0, 39],
    [-1, 16],
    [20, -4],
    [65_535, 65_535],
  ])('a field at %i + %i outside a frame of 40 bytes changes nothing', (start, offset) => {
    const bytes = new Uint8Array(64).fill(0xaa);
    expect(completeChecksum(bytes, 4, 40, start, offset)).toBe(false);
    expect(bytes).toEqual(new Uint8Array(64).fill(0xaa));
  });
});
