import { describe, expect, test } from '@jest/globals';
import {
  carryFrame,
  createFrameBatch,
  createTransmitBatch,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  type FrameBatch,
  GSO_NONE,
  GSO_TCPV4,
  type TransmitBatch,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  TX_HEADER_LENGTH,
  TX_PAYLOAD1_LENGTH,
} from '../../../src/base/index.ts';
import { FramePackets, linkHeaderLength, pseudoHeaderSumV4, sealPartial } from '../../../src/wire/index.ts';
import { ethernetFrame, readPacket, tcpPacket, v4 } from '../../support/segment.ts';

const HEADERS = 40;

/** What a sender with offloads makes of a segment: the checksum covers the pseudo-header only. */
function partial(payload: number): Uint8Array {
  const packet = tcpPacket({ seq: 1, payload });
  sealPartial(packet, 36, pseudoHeaderSumV4(v4('10.0.0.1'), v4('10.0.0.2'), 6, packet.length - 20));
  return packet;
}

/** Frame 1 of an outbound batch; a frame of 40 bytes before it. */
function outbound(frame: Uint8Array, gsoSize: number, csumStart: number, lead = 0): TransmitBatch {
  const batch = createTransmitBatch(2);
  const { table } = batch;
  const headers = HEADERS + lead;
  batch.headers.set(frame.subarray(0, headers));
  batch.payloads[1] = frame.slice(headers);
  table[TX_HEADER_LENGTH] = HEADERS;
  table[TX_COLUMNS + TX_HEADER_LENGTH] = headers;
  table[TX_COLUMNS + TX_PAYLOAD1_LENGTH] = frame.length - headers;
  table[TX_COLUMNS + TX_FLAGS] = csumStart === 0 ? 0 : FRAME_NEEDS_CSUM;
  table[TX_COLUMNS + TX_GSO_TYPE] = gsoSize === 0 ? GSO_NONE : GSO_TCPV4;
  table[TX_COLUMNS + TX_GSO_SIZE] = gsoSize;
  table[TX_COLUMNS + TX_CSUM_START] = csumStart;
  table[TX_COLUMNS + TX_CSUM_OFFSET] = 16;
  batch.count = 2;
  return batch;
}

/** The same as frame 0 of an inbound batch, at byte 8. */
function inbound(frame: Uint8Array, gsoSize: number, csumStart: number): FrameBatch {
  const batch = createFrameBatch(1, frame.length + 8);
  carryFrame(outbound(frame, gsoSize, csumStart), 1, batch, 8);
  return batch;
}

/** Copies of the packets of the frame that was begun. */
function taken(packets: FramePackets): Uint8Array[] {
  const all: Uint8Array[] = [];
  while (packets.next()) {
    all.push(packets.bytes.slice(packets.at, packets.at + packets.length));
    expect(packets.taken).toBe(all.length);
  }
  expect(packets.next()).toBe(false);
  expect(packets.count).toBe(all.length);
  return all;
}

describe('FramePackets', () => {
  test('an inbound frame with nothing to do is one packet, and stays where it is', () => {
    const packets = new FramePackets();
    const batch = inbound(tcpPacket({ payload: 'hello' }), 0, 0);
    packets.beginInbound(batch, 0, 0);
    expect(packets.next()).toBe(true);
    expect([packets.bytes, packets.at, packets.length]).toEqual([batch.bytes, 8, 45]);
    expect(packets.bytes).toBe(batch.bytes);
    expect(packets.next()).toBe(false);
  });

  test('an outbound frame with nothing to do is one packet in one piece', () => {
    const packets = new FramePackets();
    const frame = tcpPacket({ payload: 500 });
    packets.beginOutbound(outbound(frame, 0, 0), 1, 0);
    expect(taken(packets)).toEqual([frame]);
  });

  test.each(['inbound', 'outbound'])('a partial checksum (%s) is completed, in a copy', (direction) => {
    const packets = new FramePackets();
    const frame = partial(5000);
    const batchIn = inbound(frame, 0, 20);
    const batchOut = outbound(frame, 0, 20);
    const before = [batchIn.bytes.slice(), batchOut.headers.slice(), batchOut.payloads[1]?.slice()];
    if (direction === 'inbound') packets.beginInbound(batchIn, 0, 0);
    else packets.beginOutbound(batchOut, 1, 0);
    expect(taken(packets)).toEqual([tcpPacket({ seq: 1, payload: 5000 })]);
    expect([batchIn.bytes, batchOut.headers, batchOut.payloads[1]]).toEqual(before);
  });

  test.each(['inbound', 'outbound'])('a super-segment (%s) is cut, the frame unchanged', (direction) => {
    const packets = new FramePackets();
    const frame = partial(3000);
    const batchIn = inbound(frame, 1448, 20);
    const before = batchIn.bytes.slice();
    if (direction === 'inbound') packets.beginInbound(batchIn, 0, 0);
    else packets.beginOutbound(outbound(frame, 1448, 20), 1, 0);
    const cut = taken(packets).map((packet) => readPacket(packet));
    expect(cut.map(({ seq, payload }) => [seq, payload.length])).toEqual([
      [1, 1448],
      [1449, 1448],
      [2897, 104],
    ]);
    expect(batchIn.bytes).toEqual(before);
  });

  test('on Ethernet every packet of a super-segment has the link header', () => {
    const packets = new FramePackets();
    const frame = ethernetFrame(partial(2000));
    packets.beginOutbound(outbound(frame, 1448, 34, 14), 1, linkHeaderLength('ethernet'));
    const cut = taken(packets);
    expect(cut.map((packet) => readPacket(packet.slice(14)).payload.length)).toEqual([1448, 552]);
    expect(cut.map((packet) => packet.slice(0, 14))).toEqual([frame.slice(0, 14), frame.slice(0, 14)]);
  });

  test('told not to cut, a super-segment is one packet with its checksum complete', () => {
    const packets = new FramePackets(false);
    packets.beginOutbound(outbound(partial(60_000), 1448, 20), 1, 0);
    expect(taken(packets)).toEqual([tcpPacket({ seq: 1, payload: 60_000 })]);
  });

  test('what claims to be a super-segment and is none is one packet as it is', () => {
    const packets = new FramePackets();
    const junk = new Uint8Array(70).fill(0x11);
    packets.beginInbound(inbound(junk, 100, 0), 0, 0);
    expect(taken(packets)).toEqual([junk]);
  });

  test('a checksum field outside the frame changes nothing', () => {
    const packets = new FramePackets();
    const short = tcpPacket();
    packets.beginInbound(inbound(short, 0, 4000), 0, 0);
    expect(taken(packets)).toEqual([short]);
  });

  test('a frame begun before the last packet was taken replaces the one before', () => {
    const packets = new FramePackets();
    packets.beginInbound(inbound(partial(3000), 1448, 20), 0, 0);
    packets.next();
    const frame = tcpPacket({ payload: 3 });
    packets.beginInbound(inbound(frame, 0, 0), 0, 0);
    expect(taken(packets)).toEqual([frame]);
  });

  test('a packet lies in the same memory again once the largest frame was seen', () => {
    const packets = new FramePackets();
    const batch = inbound(partial(60_000), 1448, 20);
    const seen = new Set<Uint8Array>();
    for (let round = 0; round < 3; round++) {
      packets.beginInbound(batch, 0, 0);
      while (packets.next()) seen.add(packets.bytes);
    }
    expect(seen.size).toBe(1);
  });
});

describe('carryFrame', () => {
  test('an outbound frame becomes the next inbound one, with all that is known about it', () => {
    const frame = partial(300);
    const batch = createFrameBatch(2, 512);
    batch.table.fill(99);
    batch.count = 1;
    expect(carryFrame(outbound(frame, 100, 20), 1, batch, 12)).toBe(12 + frame.length);
    expect([...batch.table.slice(8)]).toEqual([12, 340, FRAME_NEEDS_CSUM, GSO_TCPV4, 100, 20, 16, 0]);
    expect([...batch.table.slice(0, 8)]).toEqual(new Array(8).fill(99));
    expect([
      FRAME_LENGTH,
      FRAME_FLAGS,
      FRAME_GSO_TYPE,
      FRAME_GSO_SIZE,
      FRAME_CSUM_START,
      FRAME_CSUM_OFFSET,
    ]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(batch.bytes.slice(12, 352)).toEqual(frame);
    expect(batch.count).toBe(2);
  });
});
