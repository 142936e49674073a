import { describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_OFFSET,
  GSO_NONE,
  GSO_TCPV4,
  type Medium,
  type TransmitBatch,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  TX_HEADER_LENGTH,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
} from '../../../src/base/index.ts';
import {
  type CapturedPacket,
  FrameCapture,
  type FrameCaptureOptions,
  PcapngWriter,
  readCapture,
} from '../../../src/capture/index.ts';
import { pseudoHeaderSumV4, sealPartial } from '../../../src/wire/index.ts';
import { ethernetFrame, readPacket, tcpOptions, tcpPacket, v4 } from '../../support/segment.ts';
import { complaints, describeTshark } from '../../support/tshark.ts';

/** A capture with one interface, and what is in it so far. */
function record(
  medium: Medium,
  write: (capture: FrameCapture, id: number) => void,
  options?: FrameCaptureOptions,
): { file: Uint8Array; packets: CapturedPacket[] } {
  const parts: Uint8Array[] = [];
  const writer = new PcapngWriter({ write: (block) => parts.push(block.slice()) });
  const capture = new FrameCapture(writer, options);
  write(capture, capture.addInterface({ name: 'x', medium }));
  const file = Buffer.concat(parts);
  return { file, packets: [...readCapture(file)] };
}

/** A TCP packet of `payload` bytes with a partial checksum, as a sender with offloads makes it. */
function partialPacket(payload: number): Uint8Array {
  const packet = tcpPacket({
    seq: 1000,
    flags: 'P.',
    payload,
    destinationPort: 9,
    options: tcpOptions({ timestamps: [1, 2] }),
  });
  sealPartial(packet, 36, pseudoHeaderSumV4(v4('10.0.0.1'), v4('10.0.0.2'), 6, packet.length - 20));
  return packet;
}

/** An outbound batch with one frame, its payload in two ranges that are not in order in memory. */
function outbound(
  frame: Uint8Array,
  headerLength: number,
  gsoSize: number,
  csumStart: number,
): TransmitBatch {
  const batch = createTransmitBatch(2);
  const payload = frame.subarray(headerLength);
  const split = payload.length >> 1;
  const ring = new Uint8Array(payload.length + 10);
  ring.set(payload.subarray(split), 3);
  ring.set(payload.subarray(0, split), payload.length - split + 10);
  batch.headers.set(frame.subarray(0, headerLength));
  batch.payloads[0] = ring;
  const { table } = batch;
  table[TX_HEADER_LENGTH] = headerLength;
  table[TX_PAYLOAD1_OFFSET] = payload.length - split + 10;
  table[TX_PAYLOAD1_LENGTH] = split;
  table[TX_PAYLOAD2_OFFSET] = 3;
  table[TX_PAYLOAD2_LENGTH] = payload.length - split;
  table[TX_FLAGS] = csumStart === 0 ? 0 : FRAME_NEEDS_CSUM;
  table[TX_GSO_TYPE] = gsoSize === 0 ? GSO_NONE : GSO_TCPV4;
  table[TX_GSO_SIZE] = gsoSize;
  table[TX_CSUM_START] = csumStart;
  table[TX_CSUM_OFFSET] = 16;
  batch.count = 1;
  return batch;
}

/** An inbound batch whose second row is the frame. */
function inbound(frame: Uint8Array, gsoSize: number, csumStart: number) {
  const batch = createFrameBatch(2, frame.length + 100);
  batch.bytes.set(frame, 64);
  const row = FRAME_COLUMNS;
  batch.table[row + FRAME_OFFSET] = 64;
  batch.table[row + FRAME_LENGTH] = frame.length;
  batch.table[row + FRAME_FLAGS] = csumStart === 0 ? 0 : FRAME_NEEDS_CSUM;
  batch.table[row + FRAME_GSO_TYPE] = gsoSize === 0 ? GSO_NONE : GSO_TCPV4;
  batch.table[row + FRAME_GSO_SIZE] = gsoSize;
  batch.table[row + FRAME_CSUM_START] = csumStart;
  batch.table[row + FRAME_CSUM_OFFSET] = 16;
  batch.count = 2;
  return batch;
}

describe('FrameCapture', () => {
  test('a frame that came in is written as it is, with its comment and direction', () => {
    const packet = tcpPacket({ payload: 'hello' });
    const { packets } = record('ip', (capture, id) =>
      capture.received(id, 5, inbound(packet, 0, 0), 1, 'tcp'),
    );
    expect(packets).toMatchObject([{ timeNs: 5_000_000n, direction: 'in', comments: ['tcp'] }]);
    expect(packets[0]?.bytes.slice()).toEqual(packet);
  });

  test('a frame that goes out is put together from its header and both payload ranges', () => {
    const packet = tcpPacket({ payload: 101 });
    const { packets } = record('ip', (capture, id) => capture.sent(id, 0, outbound(packet, 40, 0, 0), 0, ''));
    expect(packets).toMatchObject([{ direction: 'out', comments: [] }]);
    expect(packets[0]?.bytes.slice()).toEqual(packet);
  });

  test.each(['in', 'out'])(
    'a partial checksum (%s) is completed in the file, not in the frame',
    (direction) => {
      const packet = partialPacket(501);
      const batchIn = inbound(packet, 0, 20);
      const batchOut = outbound(packet, 52, 0, 20);
      const before = [batchIn.bytes.slice(), batchOut.headers.slice()];
      const { packets } = record('ip', (capture, id) => {
        if (direction === 'in') capture.received(id, 0, batchIn, 1, '');
        else capture.sent(id, 0, batchOut, 0, '');
      });
      expect(readPacket(packets[0]?.bytes ?? null).payload).toHaveLength(501);
      expect([batchIn.bytes, batchOut.headers]).toEqual(before);
    },
  );

  test.each(['in', 'out'])('a super-segment (%s) is cut into the packets of the wire', (direction) => {
    const packet = partialPacket(3000);
    const { packets } = record('ip', (capture, id) => {
      if (direction === 'in') capture.received(id, 1, inbound(packet, 1448, 20), 1, 'tcp');
      else capture.sent(id, 1, outbound(packet, 52, 1448, 20), 0, 'tcp');
    });
    expect(packets.map(({ bytes }) => readPacket(bytes))).toMatchObject([
      { seq: 1000, flags: '.' },
      { seq: 2448, flags: '.' },
      { seq: 3896, flags: 'P.' },
    ]);
    expect(packets.map(({ comments }) => comments[0])).toEqual([
      'tcp (packet 1 of a super-segment of 3)',
      'tcp (packet 2 of a super-segment of 3)',
      'tcp (packet 3 of a super-segment of 3)',
    ]);
  });

  test('a super-segment without a comment gets none for its packets', () => {
    const { packets } = record('ip', (capture, id) => {
      capture.sent(id, 1, outbound(partialPacket(3000), 52, 1448, 20), 0, '');
    });
    expect(packets.map(({ comments }) => comments)).toEqual([[], [], []]);
  });

  test('with splitSegments off a super-segment is written whole, its checksum completed', () => {
    const { packets } = record(
      'ip',
      (capture, id) => capture.sent(id, 1, outbound(partialPacket(60_000), 52, 1448, 20), 0, 'tcp'),
      { splitSegments: false },
    );
    expect(packets).toHaveLength(1);
    expect(readPacket(packets[0]?.bytes ?? null).payload).toHaveLength(60_000);
  });

  test('on Ethernet every packet has the link header', () => {
    const frame = ethernetFrame(partialPacket(2000));
    const { packets } = record('ethernet', (capture, id) => {
      capture.sent(id, 1, outbound(frame, 66, 1448, 34), 0, '');
    });
    expect(packets.map(({ bytes }) => readPacket(bytes.slice(14)).payload.length)).toEqual([1448, 552]);
  });

  test('what claims to be a super-segment and is none is written as it is', () => {
    const junk = new Uint8Array(70).fill(0x11);
    const { packets } = record('ip', (capture, id) =>
      capture.received(id, 1, inbound(junk, 100, 20), 1, 'odd'),
    );
    expect(packets).toMatchObject([{ originalLength: 70, comments: ['odd'] }]);
  });

  test('a checksum field outside the frame changes nothing', () => {
    const short = tcpPacket().slice(0, 30);
    const { packets } = record('ip', (capture, id) =>
      capture.received(id, 1, inbound(short, 0, 4000), 1, ''),
    );
    expect(packets[0]?.bytes.slice()).toEqual(short);
  });
});

describeTshark('tshark about captured super-segments', () => {
  test('neither cut nor whole ones are complained of', () => {
    for (const splitSegments of [true, false]) {
      const { file } = record(
        'ip',
        (capture, id) => {
          capture.sent(id, 1, outbound(partialPacket(60_000), 52, 1448, 20), 0, 'tcp');
          capture.received(
            id,
            2,
            inbound(
              tcpPacket({
                src: '10.0.0.2',
                dst: '10.0.0.1',
                sourcePort: 9,
                destinationPort: 1025,
                ack: 61_000,
              }),
              0,
              0,
            ),
            1,
            '',
          );
        },
        { splitSegments },
      );
      expect(complaints(file)).toEqual([]);
    }
  });
});
