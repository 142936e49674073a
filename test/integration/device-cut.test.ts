/**
 * What the addon does where a device has no offloads: super-segments leave a plain device as the packets that `SegmentCutter`
 * would make of them, byte for byte, and partial checksums are completed. Seen at another device of the same bridge.
 */

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  FRAME_NEEDS_CSUM,
  GSO_ECN,
  GSO_TCPV4,
  GSO_TCPV6,
  GSO_UDP_L4,
  putU16,
  u16,
} from '../../src/base/index.ts';
import { TapLink } from '../../src/link/device/index.ts';
import {
  checksum,
  completeChecksum,
  SegmentCutter,
  TCP_CHECKSUM_OFFSET,
  UDP_CHECKSUM_OFFSET,
} from '../../src/wire/index.ts';
import { DevicePeer, type OutgoingFrame, transmitBatchOf } from '../support/device-peer.ts';
import { createNamespace, type Namespace } from '../support/netns.ts';
import { describePrivileged } from '../support/privileged.ts';
import { ethernetFrame, tcpOptions, tcpPacket, udpPacket } from '../support/segment.ts';
import { tcp6Packet, udp6Packet } from '../support/segment6.ts';

const LINK_LENGTH = 14;
/** Nobody's: the bridge sends it to all ports. */
const NOBODY = '020000000077';
const OURS = '020000000001';

/** A super-segment and what it is cut by. */
interface Super {
  readonly packet: Uint8Array;
  readonly gsoType: number;
  readonly gsoSize: number;
  readonly transportAt: number;
  readonly checksumOffset: number;
}

const payload = fc.uint8Array({ minLength: 1, maxLength: 9000, size: 'max' });
const gsoSize = fc.integer({ min: 500, max: 1400 });
const seq = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const options = fc.constantFrom(new Uint8Array(0), tcpOptions({ timestamps: [1, 2] }));

const supers: fc.Arbitrary<Super> = fc.oneof(
  fc.record({ payload, gsoSize, seq, options, flags: fc.constantFrom('.', 'P.', 'FP.', 'P.W') }).map((s) => ({
    packet: tcpPacket({ ...s, ack: 9, id: 0xfffe }),
    gsoType: s.flags.includes('W') ? GSO_TCPV4 | GSO_ECN : GSO_TCPV4,
    gsoSize: s.gsoSize,
    transportAt: 20,
    checksumOffset: TCP_CHECKSUM_OFFSET,
  })),
  fc.record({ payload, gsoSize, seq, options, flags: fc.constantFrom('.', 'FP.') }).map((s) => ({
    packet: tcp6Packet({ ...s, ack: 9 }),
    gsoType: GSO_TCPV6,
    gsoSize: s.gsoSize,
    transportAt: 40,
    checksumOffset: TCP_CHECKSUM_OFFSET,
  })),
  fc.record({ payload, gsoSize, isV4: fc.boolean() }).map((s) => ({
    packet: s.isV4 ? udpPacket({ payload: s.payload }) : udp6Packet({ payload: s.payload }),
    gsoType: GSO_UDP_L4,
    gsoSize: s.gsoSize,
    transportAt: s.isV4 ? 20 : 40,
    checksumOffset: UDP_CHECKSUM_OFFSET,
  })),
);

/** The row of a frame: headers apart, text in two ranges as in a ring that has wrapped. */
function rowOf(
  frame: Uint8Array,
  { gsoType, gsoSize: size, transportAt, checksumOffset }: Super,
): OutgoingFrame {
  const start = LINK_LENGTH + transportAt;
  const headers = start + (gsoType === GSO_UDP_L4 ? 8 : ((frame[start + 12] as number) >> 4) * 4);
  const text = frame.subarray(headers);
  const first = Math.floor(text.length / 3);
  const ring = new Uint8Array(text.length + 5);
  ring.set(text.subarray(0, first), ring.length - first);
  ring.set(text.subarray(first), 0);
  return {
    header: frame.subarray(0, headers),
    payload: ring,
    ranges: [ring.length - first, first, 0, text.length - first],
    flags: FRAME_NEEDS_CSUM,
    csumStart: start,
    csumOffset: checksumOffset,
    gsoType,
    gsoSize: size,
  };
}

/** What the frame should be on a wire. */
function packetsOf(frame: Uint8Array, { gsoType, gsoSize: size }: Super): Uint8Array[] {
  const cutter = new SegmentCutter();
  const count = cutter.begin(frame, 0, frame.length, LINK_LENGTH, gsoType, size);
  return Array.from({ length: count }, (_, i) => {
    const into = new Uint8Array(cutter.lengthOf(i));
    cutter.write(i, into, 0);
    return into;
  });
}

describePrivileged('a plain device', () => {
  let space: Namespace;
  let sender: TapLink;
  let receiver: DevicePeer;
  const links: TapLink[] = [];

  beforeAll(async () => {
    space = createNamespace();
    await space.run(['ip', 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '0']);
    await space.run(['ip', 'link', 'set', 'br0', 'up']);
    for (const name of ['cut0', 'cut1']) {
      const link = TapLink.create({ namespace: space.name, name, offload: 0 });
      links.push(link);
      link.device.isUp = true;
      await space.run(['ip', 'link', 'set', name, 'master', 'br0']);
    }
    sender = links[0] as TapLink;
    receiver = new DevicePeer(links[1] as TapLink);
    sender.open({ receive: () => {}, drained: () => {}, failed: () => {} });
    // The bridge forwards once its ports have learned.
    const probe = ethernetFrame(new Uint8Array(46), NOBODY, OURS, 0x88b5);
    for (let tries = 0; ofType(0x88b5).length === 0 && tries < 500; tries++) {
      sender.transmit(transmitBatchOf({ header: probe }));
      await turn();
    }
  });
  afterAll(() => {
    for (const link of links) link.close();
  });

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  /** What has arrived of a kind; the kernel sends its own router solicitations. */
  function ofType(etherType: number): Uint8Array[] {
    const seen = receiver.frames.map(({ bytes }) => bytes);
    return seen.filter((bytes) => u16(bytes, 12) === etherType && bytes[5] === 0x77);
  }

  /** Sends a row, and answers the frames that come of it. */
  async function crossing(row: OutgoingFrame, etherType: number, count: number): Promise<Uint8Array[]> {
    receiver.frames.length = 0;
    expect(sender.transmit(transmitBatchOf(row))).toBe(true);
    for (let turns = 0; ofType(etherType).length < count && turns < 5000; turns++) await turn();
    return ofType(etherType);
  }

  test('virtio 1.2 §5.1.6.2: a super-segment crosses as the packets that SegmentCutter makes', async () => {
    await fc.assert(
      fc.asyncProperty(supers, async (whole) => {
        const etherType = (whole.packet[0] as number) >> 4 === 4 ? 0x0800 : 0x86dd;
        const frame = ethernetFrame(whole.packet, NOBODY, OURS, etherType);
        const wanted = packetsOf(frame, whole);
        const seen = await crossing(rowOf(frame, whole), etherType, wanted.length);
        expect(seen.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
          wanted.map((bytes) => Buffer.from(bytes).toString('hex')),
        );
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['virtio 1.2 §5.1.6.2: a partial checksum is completed', 'udp', 'seven odd bytes'],
    ['RFC 768 one of UDP that comes out as zero is written as ffff', 'udp', 'zero'],
    ['RFC 1624 §3 one of TCP that comes out as zero stays zero', 'tcp', 'zero'],
  ])('%s', async (_name, protocol, text) => {
    const packet = protocol === 'udp' ? udpPacket({ payload: text }) : tcpPacket({ payload: text });
    const csumOffset = protocol === 'udp' ? UDP_CHECKSUM_OFFSET : TCP_CHECKSUM_OFFSET;
    const frame = ethernetFrame(packet, NOBODY);
    const csumStart = LINK_LENGTH + 20;
    // What is in the field counts as the pseudo-header's sum.
    putU16(frame, csumStart + csumOffset, 0);
    if (text === 'zero') {
      putU16(frame, csumStart + csumOffset, checksum(frame, csumStart, frame.length - csumStart));
    } else {
      putU16(frame, csumStart + csumOffset, 0x1234);
    }
    const wanted = frame.slice();
    expect(completeChecksum(wanted, 0, wanted.length, csumStart, csumOffset)).toBe(true);
    const seen = await crossing({ header: frame, flags: FRAME_NEEDS_CSUM, csumStart, csumOffset }, 0x0800, 1);
    expect(seen).toEqual([wanted]);
    if (text === 'zero') expect(u16(wanted, csumStart + csumOffset)).toBe(protocol === 'udp' ? 0xffff : 0);
  });

  test('a row that claims what its frame is not is refused, and nothing of its batch is written', () => {
    const frame = ethernetFrame(tcpPacket({ payload: 3000 }), NOBODY);
    const claim = { flags: FRAME_NEEDS_CSUM, csumStart: 34, csumOffset: 16, gsoSize: 1000 };
    for (const wrong of [
      { ...claim, gsoType: GSO_TCPV6 },
      { ...claim, gsoType: GSO_TCPV4, flags: 0 },
      { ...claim, gsoType: GSO_TCPV4, csumStart: 20 },
      { ...claim, gsoType: GSO_TCPV4, csumStart: 500 },
    ]) {
      expect(() => sender.transmit(transmitBatchOf({ header: frame, ...wrong }))).toThrow(
        expect.objectContaining({ name: 'RangeError' }),
      );
    }
  });
});
