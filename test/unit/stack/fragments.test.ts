import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createFrameBatch, IpAddress, PoolAllocator } from '../../../src/base/index.ts';
import type { UdpEndpoint } from '../../../src/stack/index.ts';
import { DropReason, ICMPV4_REASSEMBLY_EXPIRED, IcmpV4Type } from '../../../src/wire/index.ts';
import { ipv4Packet, type PacketFields, readPacket, udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

let host: HostUnderTest;
let udp: UdpEndpoint;

beforeEach(() => {
  host = makeHost();
  udp = host.stack.openUdp();
  udp.bind(IpAddress.anyV4, 53);
});

/** A UDP packet to port 53 cut at the given offsets, multiples of 8, of what follows the IP header. */
function cut(packet: Uint8Array, offsets: readonly number[], fields: PacketFields = {}): Uint8Array[] {
  const body = packet.slice(20);
  const edges = [0, ...offsets, body.length];
  return edges.slice(0, -1).map((start, i) => {
    const end = edges[i + 1] as number;
    const moreFragments = end < body.length;
    return ipv4Packet(17, body.slice(start, end), {
      id: 77,
      ...fields,
      fragmentOffset: start,
      moreFragments,
    });
  });
}

/** Hands packets in. @returns their drop reasons */
function feed(packets: readonly Uint8Array[]): number[] {
  return packets.map((packet) => host.in(packet));
}

describe('RFC 791 §3.2 fragmentation', () => {
  test('RFC 791 §2.3, RFC 1122 §3.3.3 fragments have one identification, offsets in units of 8, and fit the MTU', () => {
    const sender = host.stack.openUdp();
    sender.send(pattern(4000), 0, 4000, ip('10.0.0.1'), 9);
    const bytes = host.outBytes();
    expect(bytes.map((packet) => packet.length)).toEqual([1500, 1500, 1068]);
    const packets = bytes.map(readPacket);
    expect(packets.map((packet) => [packet.fragmentOffset, packet.moreFragments])).toEqual([
      [0, true],
      [1480, true],
      [2960, false],
    ]);
    expect(new Set(packets.map((packet) => packet.id)).size).toBe(1);
    expect(host.stack.counters).toMatchObject({ ipOutRequests: 1, ipFragOKs: 1, ipFragCreates: 3 });
  });

  test('over an odd MTU every fragment but the last still carries a multiple of 8', () => {
    const narrow = makeHost({ mtu: 577 });
    const sender = narrow.stack.openUdp();
    sender.send(pattern(2000), 0, 2000, ip('10.0.0.1'), 9);
    const lengths = narrow.outBytes().map((packet) => packet.length - 20);
    expect(lengths.slice(0, -1).every((length) => length === 552)).toBe(true);
    expect(lengths.reduce((sum, length) => sum + length)).toBe(2008);
  });

  test('RFC 6864 §4.1 whole packets with one identification are different packets', () => {
    for (const payload of ['one', 'two']) host.in(udpPacket({ id: 7, dontFragment: true, payload }));
    expect(
      [receive(udp), receive(udp)].map((bytes) => new TextDecoder().decode(bytes as Uint8Array)),
    ).toEqual(['one', 'two']);
  });

  test('the next datagram to the same peer has another identification', () => {
    const sender = host.stack.openUdp();
    sender.send(pattern(2000), 0, 2000, ip('10.0.0.1'), 9);
    sender.send(pattern(2000), 0, 2000, ip('10.0.0.1'), 9);
    const ids = host.out().map((packet) => packet.id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('a payload of 65,507 bytes arrives whole at a host over any MTU', () => {
    for (const mtu of [68, 577, 1500, 9000, 65535]) {
      const sending = makeHost({ mtu, addresses: ['10.0.0.1/24'] });
      const sender = sending.stack.openUdp();
      const payload = pattern(65507);
      expect(sender.send(payload, 0, payload.length, ip('10.0.0.2'), 53)).toBe(65507);
      expect(new Set(feed(sending.outBytes()))).toEqual(new Set([0]));
      expect(receive(udp)).toEqual(payload);
    }
    expect(host.stack.counters.ipReasmOKs).toBe(4);
  });
});

describe('RFC 1122 §3.3.2 reassembly', () => {
  test('fragments in any order, each any number of times, give the payload back', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 16, max: 9000 }),
        fc.array(fc.integer({ min: 1, max: 1100 }), { maxLength: 12 }),
        fc.infiniteStream(fc.nat()),
        (length, cuts, chance) => {
          const payload = pattern(length);
          const offsets = [...new Set(cuts.map((unit) => unit * 8))]
            .filter((offset) => offset < length + 8)
            .sort((a, b) => a - b);
          const fragments = cut(udpPacket({ src: '10.0.0.1', payload }), offsets, { id: length & 0xffff });
          const order = fragments
            .flatMap((fragment) =>
              Array.from({ length: 1 + ((chance.next().value as number) % 3) }, () => fragment),
            )
            .map((fragment) => ({ fragment, key: chance.next().value as number }))
            .sort((a, b) => a.key - b.key);
          const target = makeHost();
          const taker = target.stack.openUdp();
          taker.bind(IpAddress.anyV4, 53);
          for (const { fragment } of order) target.in(fragment);
          expect(receive(taker)).toEqual(payload);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('once a whole packet was delivered and read, nothing is held of it', () => {
    feed(cut(udpPacket({ payload: 5000 }), [1480, 2960]));
    expect(receive(udp)).toHaveLength(5000);
    expect(host.allocator.inUse).toBe(0);
  });

  test('fragments of different packets do not mix: source, destination, identification and protocol tell them apart', () => {
    const packet = udpPacket({ payload: 100 });
    const [head] = cut(packet, [48]);
    const others = [
      cut(packet, [48], { id: 78 })[1],
      cut(packet, [48], { src: '10.0.0.3' })[1],
      ipv4Packet(16, packet.slice(68), { id: 77, fragmentOffset: 48 }),
    ];
    feed([head, ...others] as Uint8Array[]);
    expect(udp.nextLength).toBe(-1);
    feed([cut(packet, [48])[1] as Uint8Array]);
    expect(udp.nextLength).toBe(100);
  });

  test('RFC 5722 fragments that overlap condemn the packet, and the rest of it is dropped', () => {
    const fragments = cut(udpPacket({ payload: 192 }), [64, 128]);
    const overlapping = ipv4Packet(17, pattern(64), { id: 77, fragmentOffset: 56, moreFragments: true });
    const [a, b, c] = fragments as [Uint8Array, Uint8Array, Uint8Array];
    expect(feed([a, overlapping, b, c])).toEqual([
      0,
      DropReason.fragmentOverlap,
      DropReason.fragmentOverlap,
      DropReason.fragmentOverlap,
    ]);
    expect(udp.nextLength).toBe(-1);
    expect(host.allocator.inUse).toBe(0);
    expect(host.stack.counters.ipReasmFails).toBe(1);
  });

  test('RFC 5722 a fragment that runs into a later one which came before it condemns the packet too', () => {
    const later = ipv4Packet(17, pattern(64), { id: 77, fragmentOffset: 128, moreFragments: true });
    const into = ipv4Packet(17, pattern(72), { id: 77, fragmentOffset: 64, moreFragments: true });
    const beside = ipv4Packet(17, pattern(64), { id: 78, fragmentOffset: 64, moreFragments: true });
    expect(feed([later, into])).toEqual([0, DropReason.fragmentOverlap]);
    expect(
      feed([ipv4Packet(17, pattern(64), { id: 78, fragmentOffset: 128, moreFragments: true }), beside]),
    ).toEqual([0, 0]);
  });

  test('RFC 5722 a second fragment at the same place with other bytes is an overlap, not a copy', () => {
    const [a, b] = cut(udpPacket({ payload: 100 }), [64]) as [Uint8Array, Uint8Array];
    const forged = a.slice();
    forged[40] = (forged[40] as number) ^ 0xff;
    // The header is the same, so its checksum still fits.
    expect(feed([a, forged, b])).toEqual([0, DropReason.fragmentOverlap, DropReason.fragmentOverlap]);
  });

  test('two last fragments that disagree on the length condemn the packet', () => {
    const last = (offset: number): Uint8Array =>
      ipv4Packet(17, pattern(8), { id: 77, fragmentOffset: offset });
    expect(feed([last(64), last(128)])).toEqual([0, DropReason.fragmentOverlap]);
  });

  test('a fragment beyond the end that the last one named condemns the packet', () => {
    const last = ipv4Packet(17, pattern(8), { id: 77, fragmentOffset: 64 });
    const beyond = ipv4Packet(17, pattern(8), { id: 77, fragmentOffset: 80, moreFragments: true });
    expect(feed([last, beyond])).toEqual([0, DropReason.fragmentOverlap]);
  });

  test('RFC 791 §3.1 a fragment that is not the last has a length that is a multiple of 8, and some', () => {
    const odd = ipv4Packet(17, pattern(9), { id: 77, moreFragments: true });
    const empty = ipv4Packet(17, pattern(0), { id: 77, moreFragments: true });
    expect(feed([odd, empty])).toEqual([DropReason.fragmentMisaligned, DropReason.fragmentMisaligned]);
  });

  test('a fragment that would end past 65,535 bytes is dropped (the "ping of death")', () => {
    const beyond = ipv4Packet(17, pattern(64), { id: 77, fragmentOffset: 65504 });
    expect(feed([beyond])).toEqual([DropReason.fragmentTooBig]);
    expect(host.allocator.inUse).toBe(0);
  });

  test('RFC 3168 §5.3 congestion that one fragment met is the whole packet’s', () => {
    const packet = udpPacket({ payload: 100, trafficClass: 2 });
    const [a] = cut(packet, [48], { trafficClass: 2 });
    const [, b] = cut(packet, [48], { trafficClass: 3 });
    feed([a, b] as Uint8Array[]);
    const info = makeInfo();
    receive(udp, info);
    expect(info.trafficClass).toBe(3);
  });

  test('after 60 s without the rest the memory is given back and, with the first fragment there, time exceeded is sent', () => {
    const [first] = cut(udpPacket({ payload: 100 }), [48]) as [Uint8Array];
    feed([first]);
    host.pass(59_999);
    expect(host.out()).toEqual([]);
    expect(host.allocator.inUse).toBeGreaterThan(0);
    host.pass(2);
    const [error] = host.out();
    expect(error).toMatchObject({
      type: IcmpV4Type.timeExceeded,
      code: ICMPV4_REASSEMBLY_EXPIRED,
      dst: '10.0.0.1',
    });
    expect(error?.payload).toEqual(first);
    expect(host.allocator.inUse).toBe(0);
    expect(host.stack.counters.drops[DropReason.fragmentTimeout]).toBe(1);
    expect(host.stack.counters.ipReasmFails).toBe(1);
  });

  test('RFC 792 without the first fragment nothing is sent', () => {
    const [, second] = cut(udpPacket({ payload: 100 }), [48]) as [Uint8Array, Uint8Array];
    feed([second]);
    host.pass(70_000);
    expect(host.out()).toEqual([]);
    expect(host.stack.counters.drops[DropReason.fragmentTimeout]).toBe(1);
  });

  test('each packet has its own 60 s', () => {
    feed(cut(udpPacket({ payload: 100 }), [48], { id: 1 }).slice(0, 1));
    host.pass(40_000);
    feed(cut(udpPacket({ payload: 100 }), [48], { id: 2 }).slice(0, 1));
    host.pass(30_000);
    expect(host.out()).toHaveLength(1);
    host.pass(31_000);
    expect(host.out()).toHaveLength(1);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('a broadcast in fragments is still a broadcast: all who share the port get it, and nothing is answered', () => {
    const [one, two] = [host.stack.openUdp(), host.stack.openUdp()];
    for (const endpoint of [one, two]) endpoint.bind(IpAddress.anyV4, 99, { sharing: 'reuse' });
    const packet = udpPacket({ dst: '10.0.0.255', destinationPort: 99, payload: 100 });
    feed(cut(packet, [48], { dst: '10.0.0.255' }));
    expect([one.nextLength, two.nextLength]).toEqual([100, 100]);
    expect(host.out()).toEqual([]);
  });

  test('the checksum of a reassembled datagram is verified even when a device calls its fragments verified', () => {
    const packet = udpPacket({ payload: 100 });
    packet[60] = (packet[60] as number) ^ 1;
    const batch = createFrameBatch(2, 1000);
    let at = 0;
    for (const fragment of cut(packet, [48])) {
      batch.bytes.set(fragment, at);
      batch.table.set([at, fragment.length, 2, 0, 0, 0, 0, 0], batch.count++ * 8);
      at += (fragment.length + 3) & ~3;
    }
    host.stack.input(host.index, batch);
    expect(host.stack.counters.drops[DropReason.udpChecksum]).toBe(1);
  });
});

describe('bounds', () => {
  test('a flood of first fragments holds at most 1,024 packets and some 4 MB; the newest still get through', () => {
    for (let id = 0; id < 20_000; id++) {
      host.in(ipv4Packet(17, pattern(1480), { id, src: `10.0.0.${3 + (id >> 14)}`, moreFragments: true }));
    }
    expect(host.allocator.inUse).toBeLessThanOrEqual(5 << 20);
    expect(host.stack.counters.drops[DropReason.fragmentTooMany]).toBeGreaterThan(18_000);
    feed(cut(udpPacket({ payload: 3000 }), [1480]));
    expect(udp.nextLength).toBe(3000);
  });

  test('a flood of last fragments at the highest offset is bounded in bytes', () => {
    for (let id = 0; id < 2000; id++) {
      host.in(ipv4Packet(17, pattern(8), { id, fragmentOffset: 65_488 }));
    }
    expect(host.allocator.inUse).toBeLessThanOrEqual(5 << 20);
  });

  test('when the allocator is at its bound fragments are dropped, and nothing else suffers', () => {
    const small = makeHost({}, new PoolAllocator(1 << 14));
    const taker = small.stack.openUdp();
    taker.bind(IpAddress.anyV4, 53);
    const verdicts = new Set<number>();
    for (let id = 0; id < 100; id++) {
      verdicts.add(small.in(ipv4Packet(17, pattern(1480), { id, moreFragments: true })));
    }
    expect(verdicts).toEqual(new Set([0, DropReason.fragmentTooMany]));
    small.pass(61_000);
    expect(small.in(udpPacket({ payload: 100 }))).toBe(0);
  });

  test('65,535 bytes in fragments of 8 are more fragments than any link makes, and condemned', () => {
    let refused = 0;
    for (let offset = 0; offset < 16_000; offset += 8) {
      if (host.in(ipv4Packet(17, pattern(8), { id: 5, fragmentOffset: offset, moreFragments: true })) !== 0)
        refused++;
    }
    expect(refused).toBe(600);
    expect(host.allocator.inUse).toBe(0);
  });
});
