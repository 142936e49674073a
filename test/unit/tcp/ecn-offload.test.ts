/** ECN and super-segments: what devices do to the flags on the way out, and what they merge on the way in. */

import { describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
  TX_COLUMNS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  TX_HEADER_OFFSET,
} from '../../../src/base/index.ts';
import { formatTcpFlags } from '../../../src/wire/index.ts';
import { accEcn, acceptEcn, ace, CE, ECT0, type EcnPeer } from './ecn-support.ts';
import { family, overBothFamilies } from './support.ts';

const MSS = 1460;
const IFACE = { offload: OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6 };

/** How the device is told to cut segments. */
const kind = (): number => (family().family === 4 ? GSO_TCPV4 : GSO_TCPV6);

/** Of the IP header at `at`. */
function trafficClass(bytes: Uint8Array, at: number): number {
  if (family().family === 4) return bytes[at + 1] as number;
  return (((bytes[at] as number) << 4) | ((bytes[at + 1] as number) >> 4)) & 0xff;
}

/** The frames that wait, as the device is told to cut them. */
function frames(
  peer: EcnPeer,
): { readonly kind: number; readonly size: number; readonly flags: string; readonly ecn: number }[] {
  const batch = createTransmitBatch(64);
  peer.host.stack.output(peer.host.index, batch);
  const found = Array.from({ length: batch.count }, (_, i) => {
    const row = i * TX_COLUMNS;
    const at = batch.table[row + TX_HEADER_OFFSET] as number;
    const high = ((batch.headers[at + family().headerLength + 12] as number) & 1) << 8;
    return {
      kind: batch.table[row + TX_GSO_TYPE] as number,
      size: batch.table[row + TX_GSO_SIZE] as number,
      flags: formatTcpFlags(high | (batch.headers[at + family().headerLength + 13] as number)),
      ecn: trafficClass(batch.headers, at) & 3,
    };
  });
  clearTransmitBatch(batch);
  return found;
}

/** Hands in `count` packets of text that a device has merged. */
function merged(peer: EcnPeer, count: number, trafficClass: number, flags: string): void {
  const packet = family().tcp({ seq: peer.seq, ack: peer.ack, flags, trafficClass, payload: count * 1000 });
  peer.seq += count * 1000;
  const batch = createFrameBatch(1, packet.length);
  batch.bytes.set(packet);
  batch.table[FRAME_LENGTH] = packet.length;
  batch.table[FRAME_GSO_TYPE] = kind();
  batch.table[FRAME_GSO_SIZE] = 1000;
  batch.count = 1;
  peer.host.stack.input(peer.host.index, batch);
}

function write(peer: EcnPeer, segments: number): void {
  peer.socket.write(new Uint8Array(segments * MSS), 0, segments * MSS);
}

overBothFamilies(() => {
  describe('RFC 3168 §6.1.2 super-segments on their way out', () => {
    test('RFC 3168 §6.1.2 one that says CWR tells the device to leave it on the first packet, the next does not say it', () => {
      const peer = acceptEcn({}, 'SEW', '.', {}, {}, IFACE);
      write(peer, 30);
      expect(frames(peer)).toEqual([{ kind: kind(), size: MSS, flags: '.', ecn: ECT0 }]);
      peer.host.in({ flags: '.E', seq: peer.seq, ack: peer.ack + 10 * MSS });
      expect(frames(peer)).toEqual([{ kind: kind() | GSO_ECN, size: MSS, flags: '.W', ecn: ECT0 }]);
    });

    test('RFC 9768 §3.2.2 with the CWR bit in the counter, packets leave one by one', () => {
      const peer = acceptEcn({}, 'SEWe', '.W', {}, { options: accEcn(1) }, IFACE);
      peer.send({ payload: 100, trafficClass: CE, flags: ace(5) });
      write(peer, 5);
      const single = frames(peer);
      expect(single).toHaveLength(5);
      expect(single.every(({ kind, flags }) => kind === GSO_NONE && flags.includes('W'))).toBe(true);
      // Two more marks: the counter is 0.
      for (let i = 0; i < 2; i++)
        peer.send({ payload: 100, trafficClass: CE, flags: ace(5), ack: peer.ack + 5 * MSS });
      write(peer, 5);
      expect(frames(peer)).toEqual([{ kind: kind(), size: MSS, flags: 'P.', ecn: ECT0 }]);
    });

    test('RFC 9768 §3.2.3 the option takes of what each packet of a super-segment has room for', () => {
      const peer = acceptEcn({}, 'SEWe', '.W', {}, { options: accEcn(1) }, IFACE);
      peer.host.in({ seq: peer.seq, ack: peer.ack, flags: ace(5), trafficClass: ECT0, payload: 100 });
      write(peer, 5);
      expect(frames(peer)[0]).toMatchObject({ kind: kind(), size: MSS - 8, ecn: ECT0 });
    });
  });

  describe('RFC 9768 §3.2 super-segments on their way in', () => {
    test('RFC 9768 §3.2 merged packets with CE count each, and all their bytes', () => {
      const peer = acceptEcn({}, 'SEWe', '.W', {}, { options: accEcn(1) });
      merged(peer, 9, CE, ace(5));
      // 5 + 9 = 14.
      expect(peer.host.out()).toMatchObject([{ flags: ace(6), options: 'accecn e0b 1 ceb 9000' }]);
      expect(peer.socket.info().ceReceived).toBe(9);
    });

    test('RFC 3168 §6.1.3 merged packets with CE are echoed, and CWR on the first of some ends the echo', () => {
      const peer = acceptEcn({}, 'SEW');
      merged(peer, 4, CE, '.');
      expect(peer.host.out()).toMatchObject([{ flags: '.E' }]);
      merged(peer, 4, ECT0, '.W');
      expect(peer.host.out()).toMatchObject([{ flags: '.' }]);
      expect(peer.socket.info().ceReceived).toBe(4);
    });
  });
});
