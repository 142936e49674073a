/** Super-segments and partial checksums (base/frames), out and in. */

import { describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  FRAME_COLUMNS,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_VERDICT,
  flattenFrame,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  transmitLength,
} from '../../../src/base/index.ts';
import type { TcpEndpoint } from '../../../src/stack/index.ts';
import { completeChecksum } from '../../../src/wire/index.ts';
import type { EitherPacket } from '../../support/packets.ts';
import {
  acceptNext,
  acceptOne,
  FULL_SYN,
  family,
  makeTcpHost,
  overBothFamilies,
  PEER_PORT,
  PORT,
  pattern,
  type Scripted,
  type TcpHost,
} from './support.ts';

const OFFLOAD = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6;
const kind = (): number => (family().family === 4 ? GSO_TCPV4 : GSO_TCPV6);
const CAPACITY = 64;

interface Frame {
  readonly packet: EitherPacket;
  readonly gsoType: number;
  readonly gsoSize: number;
  readonly flags: number;
  readonly csumStart: number;
  readonly csumOffset: number;
}

/** What the host sends as it stands in the batch; partial checksums completed as a device does. */
function frames(host: TcpHost, capacity = CAPACITY): Frame[] {
  const batch = createTransmitBatch(capacity);
  const found: Frame[] = [];
  while (host.stack.output(host.index, batch) > 0) {
    for (let i = 0; i < batch.count; i++) {
      const bytes = new Uint8Array(transmitLength(batch, i));
      flattenFrame(batch, i, bytes, 0);
      const column = (which: number): number => batch.table[i * TX_COLUMNS + which] as number;
      const csumStart = column(TX_CSUM_START);
      const csumOffset = column(TX_CSUM_OFFSET);
      const flags = column(TX_FLAGS);
      if (flags === FRAME_NEEDS_CSUM) completeChecksum(bytes, 0, bytes.length, csumStart, csumOffset);
      const packet = host.family.read(bytes);
      found.push({
        packet,
        gsoType: column(TX_GSO_TYPE),
        gsoSize: column(TX_GSO_SIZE),
        flags,
        csumStart,
        csumOffset,
      });
    }
    clearTransmitBatch(batch);
  }
  host.stack.flushEvents();
  return found;
}

/** A connection over a device that segments, whose peer has acknowledged enough for a large window. */
function opened(options?: Uint8Array): Scripted {
  const c = acceptOne(makeTcpHost({ sendBufferSize: 4 << 20 }, { offload: OFFLOAD }), options);
  c.socket.noDelay = true;
  return c;
}

/** Hands in one frame as a device does. @returns its verdict */
function input(c: Scripted, payload: Uint8Array, gsoSize: number, seq = c.seq): number {
  const packet = family().tcp({ sourcePort: PEER_PORT, destinationPort: PORT, seq, ack: c.ack, payload });
  const batch = createFrameBatch(1, 65_600);
  batch.bytes.set(packet);
  // A wrong checksum: it must not be looked at.
  const checksumAt = family().headerLength + 16;
  batch.bytes[checksumAt] = (batch.bytes[checksumAt] as number) ^ 0xff;
  batch.table[FRAME_LENGTH] = packet.length;
  batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
  batch.table[FRAME_GSO_SIZE] = gsoSize;
  batch.count = 1;
  c.host.stack.input(c.host.index, batch);
  return batch.table[FRAME_COLUMNS * 0 + FRAME_VERDICT] as number;
}

/** Faster than a matcher for many bytes. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

overBothFamilies(() => {
  describe('sending super-segments', () => {
    test('text goes in one frame with the size of its packets and a partial checksum', () => {
      const c = opened();
      c.socket.write(pattern(14_600), 0, 14_600);
      expect(frames(c.host)).toMatchObject([
        {
          gsoType: kind(),
          gsoSize: 1460,
          flags: FRAME_NEEDS_CSUM,
          csumStart: family().headerLength,
          csumOffset: 16,
          packet: { flags: 'P.', payload: pattern(14_600) },
        },
      ]);
    });

    test('the size is less by the options of every segment', () => {
      const c = opened(FULL_SYN);
      c.socket.write(pattern(14_480), 0, 14_480);
      expect(frames(c.host)).toMatchObject([{ gsoSize: 1448, packet: { payload: { length: 14_480 } } }]);
    });

    test('a frame that one packet carries is no super-segment', () => {
      const c = opened();
      c.socket.write(pattern(1460), 0, 1460);
      expect(frames(c.host)).toMatchObject([{ gsoType: GSO_NONE, gsoSize: 0, flags: FRAME_NEEDS_CSUM }]);
    });

    test('the end of the text goes in the same frame', () => {
      const c = opened();
      c.socket.write(pattern(3000), 0, 3000);
      c.socket.shutdownWrite();
      expect(frames(c.host)).toMatchObject([
        { gsoSize: 1460, packet: { flags: 'FP.', payload: { length: 3000 } } },
      ]);
    });

    test('no frame exceeds what IP can carry, and all but the last end on a whole segment', () => {
      const c = opened();
      let acked = 0;
      const sizes: number[] = [];
      const bytes = pattern(1_000_000);
      c.socket.write(bytes, 0, bytes.length);
      for (let round = 0; round < 40 && acked < 1_000_000; round++) {
        for (const { packet } of frames(c.host)) {
          sizes.push(packet.payload.length);
          expect(areEqual(packet.payload, bytes.subarray(acked, acked + packet.payload.length))).toBe(true);
          acked += packet.payload.length;
        }
        c.in({ ack: c.ack + acked });
      }
      expect(acked).toBe(1_000_000);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(65_000);
      expect(Math.max(...sizes)).toBeGreaterThan(60_000);
      for (const size of sizes.slice(0, -1)) expect(size % 1460).toBe(0);
    });

    test('a lost super-segment is sent again, one segment first', () => {
      const c = opened();
      c.socket.write(pattern(14_600), 0, 14_600);
      frames(c.host);
      const deadline = c.host.stack.nextDeadline;
      c.host.now = deadline;
      c.host.stack.advance();
      expect(frames(c.host)).toMatchObject([{ gsoType: GSO_NONE, packet: { payload: { length: 1460 } } }]);
    });

    test('text that wraps in the ring goes as two ranges of one frame', () => {
      const c = opened();
      const bytes = pattern(60_000);
      let sent = 0;
      let acked = 0;
      for (let round = 0; round < 30 && acked < 60_000; round++) {
        const taken = c.socket.write(bytes, sent, Math.min(6000, 60_000 - sent));
        if (taken > 0) sent += taken;
        for (const { packet } of frames(c.host)) {
          expect(packet.payload).toEqual(bytes.subarray(acked, acked + packet.payload.length));
          acked += packet.payload.length;
        }
        // One segment stays unacknowledged, so that the ring is never empty and its start moves.
        c.in({ ack: c.ack + Math.max(0, acked - (acked < 60_000 ? 1460 : 0)) });
      }
      expect(acked).toBe(60_000);
    });

    test('a turn ends with the batch, the next goes on', () => {
      const c = acceptOne(makeTcpHost());
      c.socket.noDelay = true;
      c.socket.write(pattern(14_600), 0, 14_600);
      const batch = createTransmitBatch(4);
      expect(c.host.stack.output(c.host.index, batch)).toBe(4);
      clearTransmitBatch(batch);
      expect(c.host.stack.output(c.host.index, batch)).toBe(4);
      clearTransmitBatch(batch);
      expect(c.host.stack.output(c.host.index, batch)).toBe(2);
    });

    test('connections that all have text to send take turns', () => {
      const host = makeTcpHost({ sendBufferSize: 4 << 20 }, { offload: OFFLOAD });
      const first = acceptOne(host, FULL_SYN);
      const [listener] = host.stack.endpoints();
      const second = acceptNext(host, listener as TcpEndpoint, 3000);
      const both = [first, second];
      for (const c of both) {
        // Acknowledged text opens both congestion windows to more than a turn.
        c.socket.write(pattern(2_000_000), 0, 2_000_000);
        for (let round = 0, acked = 0; round < 5; round++) {
          for (const { packet } of frames(host)) acked += packet.payload.length;
          c.in({ ack: c.ack + acked, sourcePort: c.socket.remotePort });
        }
        frames(host);
      }
      for (const c of both) c.in({ ack: c.socket.info().sndNxt, sourcePort: c.socket.remotePort });
      const ports = frames(host).map(({ packet }) => packet.destinationPort);
      expect(ports.slice(0, 4)).toEqual([PEER_PORT, 3000, PEER_PORT, 3000]);
    });
  });

  describe('receiving super-segments', () => {
    test('text of many packets is taken at once, without a look at its checksum', () => {
      const c = opened();
      expect(input(c, pattern(60_000), 1460)).toBe(0);
      expect(c.socket.readableBytes).toBe(60_000);
      const buffer = new Uint8Array(60_000);
      c.socket.read(buffer, 0, 60_000);
      expect(buffer).toEqual(pattern(60_000));
    });

    test('it counts as its packets: acknowledged at once, and once', () => {
      const c = opened();
      for (let i = 0; i < 20; i++) {
        input(c, pattern(10), 0, c.seq + 10 * i);
        frames(c.host);
      }
      c.host.pass(100);
      input(c, pattern(2920), 1460, c.seq + 200);
      expect(frames(c.host)).toMatchObject([{ packet: { flags: '.', ack: c.seq + 3120 } }]);
    });

    test('early, it is one range', () => {
      const c = opened();
      input(c, pattern(14_600), 1460, c.seq + 1460);
      expect(c.socket.readableBytes).toBe(0);
      input(c, pattern(1460), 0);
      expect(c.socket.readableBytes).toBe(16_060);
    });
  });
});
