/** RFC 1812 §5: a router between 10.0.0.0/24 (an Ethernet or IP link) and 192.0.2.0/24. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  createTransmitBatch,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_VERDICT,
  flattenFrame,
  fromHex,
  GSO_TCPV4,
  GSO_UDP_L4,
  i32,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  putU16,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  transmitLength,
  u16,
} from '../../../src/base/index.ts';
import type { InterfaceOptions } from '../../../src/stack/index.ts';
import {
  DropReason,
  ETHERTYPE_IPV4,
  fold,
  IPPROTO_TCP,
  IPPROTO_UDP,
  pseudoHeaderSumV4,
} from '../../../src/wire/index.ts';
import {
  ethernetFrame,
  icmpPacket,
  type ReadPacket,
  readPacket,
  tcpPacket,
  udpPacket,
  v4,
} from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

const FAR = '192.0.2.9';
const NEAR = '10.0.0.1';

let host: HostUnderTest;
let far: number;

/** A router; `options` are those of the interface to 192.0.2.0/24. */
function makeRouter(options: Partial<InterfaceOptions> = {}): void {
  host = makeHost();
  far = host.stack.addInterface({ name: 'far', mtu: 1500, addresses: ['192.0.2.1/24'], ...options });
  host.stack.setInterface(host.index, { isForwarding: true });
}

beforeEach(() => makeRouter());

/** All that leaves on the far side. */
function farBytes(): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let one = host.stack.takePacket(far); one !== null; one = host.stack.takePacket(far))
    packets.push(one);
  return packets;
}

const farOut = (): ReadPacket[] => farBytes().map(readPacket);

describe('RFC 1812 §5.2 what is passed on', () => {
  test('a packet for another network leaves by its interface, one hop less, nothing else changed', () => {
    const packet = udpPacket({ dst: FAR, ttl: 17, id: 99, trafficClass: 0xb9, payload: pattern(300) });
    expect(host.in(packet)).toBe(0);
    const [left] = farBytes();
    const expected = packet.slice();
    expected[8] = 16;
    putU16(expected, 10, 0);
    expect(readPacket(left ?? null)).toMatchObject({
      src: NEAR,
      dst: FAR,
      ttl: 16,
      id: 99,
      trafficClass: 0xb9,
    });
    expect(left?.slice(12)).toEqual(expected.slice(12));
    expect(left?.slice(0, 8)).toEqual(expected.slice(0, 8));
    expect(host.stack.counters).toMatchObject({
      ipInForwDatagrams: 1,
      ipOutForwDatagrams: 1,
      ipInDelivers: 0,
    });
    expect(host.outBytes()).toEqual([]);
    expect(host.allocator.inUse).toBe(0);
  });

  test('RFC 1122 §3.3.1.1 a host passes nothing on: off is the default, and per interface', () => {
    host.stack.setInterface(host.index, { isForwarding: false });
    host.stack.setInterface(far, { isForwarding: true });
    expect(host.in(udpPacket({ dst: FAR }))).toBe(DropReason.ipNotForUs);
    expect(host.stack.inputPacket(far, udpPacket({ src: FAR, dst: NEAR }))).toBe(0);
    expect(host.out()).toMatchObject([{ src: FAR, dst: NEAR, ttl: 63 }]);
  });

  test('a packet to an address of the router on its other side is taken, not passed on', () => {
    expect(host.in(icmpPacket({ dst: '192.0.2.1' }))).toBe(0);
    expect(host.out()).toMatchObject([{ src: '192.0.2.1', dst: NEAR, type: 0 }]);
    expect(farOut()).toEqual([]);
  });

  test('the way on follows the routing table, also when it changes', () => {
    const third = host.stack.addInterface({ name: 'third', mtu: 1500, addresses: ['198.51.100.1/24'] });
    host.in(udpPacket({ dst: FAR }));
    host.stack.addRoute({ destination: `${FAR}/32`, gateway: '198.51.100.7', interfaceIndex: third });
    host.in(udpPacket({ dst: FAR }));
    expect(farOut()).toHaveLength(1);
    expect(host.stack.takePacket(third)).not.toBeNull();
  });

  test('RFC 1812 §5.2.4 a rule by source sends packets of one host another way than those of its neighbour', () => {
    const third = host.stack.addInterface({ name: 'third', mtu: 1500, addresses: ['198.51.100.1/24'] });
    host.stack.addRoute({
      destination: '0.0.0.0/0',
      gateway: '198.51.100.7',
      interfaceIndex: third,
      table: 5,
    });
    host.stack.setPolicies([{ source: '10.0.0.7/32', interfaceIndex: host.index, table: 5 }]);
    for (let i = 0; i < 2; i++) {
      host.in(udpPacket({ src: '10.0.0.7', dst: FAR }));
      host.in(udpPacket({ src: '10.0.0.8', dst: FAR }));
    }
    expect(farOut().map(({ src }) => src)).toEqual(['10.0.0.8', '10.0.0.8']);
    expect(readPacket(host.stack.takePacket(third)).src).toBe('10.0.0.7');
  });

  test('RFC 1812 §5.3.6 the queue is bounded: what comes on top is dropped and counted', () => {
    const packet = udpPacket({ dst: FAR, payload: 1 });
    let reason = 0;
    let taken = 0;
    for (; taken < 5000 && reason === 0; taken++) reason = host.in(packet);
    expect(reason).toBe(DropReason.outputQueueFull);
    expect(taken).toBeLessThan(2000);
    expect(farOut()).toHaveLength(taken - 1);
    expect(host.allocator.inUse).toBe(0);
  });

  test('an interface that goes down or away loses what waits for it', () => {
    host.in(udpPacket({ dst: FAR, payload: 100 }));
    host.stack.setInterface(far, { isUp: false });
    expect(host.allocator.inUse).toBe(0);
    expect(host.in(udpPacket({ dst: FAR }))).toBe(0);
    host.outBytes();
    host.stack.setInterface(far, { isUp: true });
    expect(host.in(udpPacket({ dst: FAR }))).toBe(0);
    expect(farOut()).toHaveLength(1);
    host.in(udpPacket({ dst: FAR, payload: 100 }));
    host.stack.removeInterface(far);
    expect(host.allocator.inUse).toBe(0);
  });
});

describe('RFC 3927 §7, RFC 1812 §5.3, §5.3.5, §5.3.7 what is not', () => {
  test.each([
    ['§5.3.5.1 the limited broadcast', { dst: '255.255.255.255' }, DropReason.udpNoListener],
    ['§5.3.5.2 RFC 2644 a directed broadcast', { dst: '192.0.2.255' }, DropReason.forwardBroadcast],
    ['§5.3.7 a destination in 0/8', { dst: '0.1.2.3' }, DropReason.forwardProhibited],
    ['§5.3.7 a destination in 127/8', { dst: '127.0.0.1' }, DropReason.forwardProhibited],
    ['a destination in 240/4', { dst: '240.0.0.1' }, DropReason.forwardProhibited],
    ['a multicast destination', { dst: '224.0.1.1' }, DropReason.forwardProhibited],
    ['RFC 3927 §7 a link-local destination', { dst: '169.254.1.1' }, DropReason.forwardProhibited],
    ['RFC 3927 §7 a link-local source', { src: '169.254.1.1', dst: FAR }, DropReason.forwardProhibited],
    ['§5.3.7 a source in 127/8', { src: '127.0.0.1', dst: FAR }, DropReason.ipSourceAddress],
    ['§5.3.7 a source of all zeros', { src: '0.0.0.0', dst: FAR }, DropReason.ipSourceAddress],
    ['§5.3.7 a broadcast source', { src: '10.0.0.255', dst: FAR }, DropReason.ipSourceAddress],
    ['a source that is ours', { src: '192.0.2.1', dst: FAR }, DropReason.ipSourceAddress],
  ])('%s', (_name, fields, reason) => {
    expect(host.in(udpPacket({ ...fields, destinationPort: 9 }))).toBe(reason);
    expect(farOut()).toEqual([]);
    expect(host.outBytes()).toEqual([]);
  });

  test('§5.3.4 what came to all stations of its link', () => {
    const index = host.stack.addInterface({
      name: 'lan',
      mtu: 1500,
      medium: 'ethernet',
      detectDuplicates: false,
      mac: fromHex('020000000002'),
      addresses: ['10.1.0.2/24'],
    });
    host.stack.setInterface(index, { isForwarding: true });
    const packet = udpPacket({ src: '10.1.0.1', dst: FAR });
    expect(host.stack.inputPacket(index, ethernetFrame(packet, 'ffffffffffff'))).toBe(DropReason.ipNotForUs);
    expect(host.stack.inputPacket(index, ethernetFrame(packet))).toBe(0);
    expect(farOut()).toHaveLength(1);
  });
});

describe('RFC 1812 §4.3, §4.3.2.4, §5.2.7 what the sender is told', () => {
  test.each([0, 1])(
    '§5.3.1 with a TTL of %p: time exceeded, from the router’s address on that side',
    (ttl) => {
      const packet = udpPacket({ dst: FAR, ttl, payload: 100 });
      expect(host.in(packet)).toBe(DropReason.forwardTtlExceeded);
      const [told] = host.out();
      expect(told).toMatchObject({ src: '10.0.0.2', dst: NEAR, type: 11, code: 0 });
      expect(told?.payload.slice(0, 128)).toEqual(packet.slice(0, 128));
      expect(farOut()).toEqual([]);
    },
  );

  test('§5.2.7.1 without a route: net unreachable', () => {
    host.stack.removeRoute({ destination: '0.0.0.0/0', gateway: NEAR, interfaceIndex: host.index });
    expect(host.in(udpPacket({ dst: '8.8.8.8' }))).toBe(DropReason.noRoute);
    expect(host.out()).toMatchObject([{ src: '10.0.0.2', type: 3, code: 0 }]);
  });

  test.each([
    ['an ICMP error', icmpPacket({ dst: FAR, ttl: 1, type: 3, payload: udpPacket({}) })],
    ['a fragment that is not the first', udpPacket({ dst: FAR, ttl: 1, fragmentOffset: 64, payload: 64 })],
  ])('RFC 1122 §3.2.2 nothing about %s', (_name, packet) => {
    expect(host.in(packet)).toBe(DropReason.forwardTtlExceeded);
    expect(host.outBytes()).toEqual([]);
  });

  test('§4.3.2.8 errors are limited in rate', () => {
    for (let i = 0; i < 500; i++) host.in(udpPacket({ dst: FAR, ttl: 1 }));
    expect(host.outBytes().length).toBeLessThanOrEqual(50);
  });
});

describe('RFC 1812 §5.2.6 what is larger than the next link', () => {
  beforeEach(() => makeRouter({ mtu: 600 }));

  test('RFC 1191 §4 a packet with DF that is too big is refused with the MTU of the next link', () => {
    expect(host.in(udpPacket({ dst: FAR, dontFragment: true, payload: 573 }))).toBe(DropReason.forwardTooBig);
    expect(host.out()).toMatchObject([{ type: 3, code: 4, rest: 600, src: '10.0.0.2' }]);
    expect(host.in(udpPacket({ dst: FAR, dontFragment: true, payload: 572 }))).toBe(0);
    expect(farBytes()).toHaveLength(1);
  });

  test('RFC 791 §3.2 one without DF is cut, and is whole again at its destination', () => {
    const payload = pattern(1400);
    expect(host.in(udpPacket({ dst: FAR, id: 7, payload }))).toBe(0);
    const fragments = farBytes();
    expect(fragments.map((one) => readPacket(one))).toMatchObject([
      { fragmentOffset: 0, moreFragments: true, ttl: 63, id: 7 },
      { fragmentOffset: 576, moreFragments: true },
      { fragmentOffset: 1152, moreFragments: false },
    ]);
    expect(Math.max(...fragments.map(({ length }) => length))).toBeLessThanOrEqual(600);
    const there = makeHost({ addresses: ['192.0.2.9/24'] });
    const udp = there.stack.openUdp();
    udp.bind(ip('192.0.2.9'), 53);
    for (const fragment of fragments) there.in(fragment);
    expect(udp.nextLength).toBe(1400);
    expect(host.stack.counters).toMatchObject({ ipFragOKs: 1, ipFragCreates: 3 });
  });

  test('RFC 791 §3.2 a fragment is cut again: offsets count from the whole, and it stays not the last', () => {
    host.in(udpPacket({ dst: FAR, fragmentOffset: 1480, moreFragments: true, payload: 1000 }));
    expect(farOut()).toMatchObject([
      { fragmentOffset: 1480, moreFragments: true },
      { fragmentOffset: 2056, moreFragments: true },
    ]);
  });

  test('RFC 791 §3.1 options without the copied flag are in the first fragment only', () => {
    // Router alert (copied), record route (not).
    const ipOptions = fromHex('94 04 00 00  07 07 04 00000000 00');
    host.in(udpPacket({ dst: FAR, ipOptions, payload: 1000 }));
    const [first, second] = farBytes();
    expect([first?.[0], second?.[0]]).toEqual([0x48, 0x46]);
    expect(second?.slice(20, 24)).toEqual(fromHex('94 04 00 00'));
  });
});

describe('RFC 1812 §5.2.4.1 options', () => {
  test('§5.3.13.5 record route gets the address of the interface that it leaves by, and is left alone when full', () => {
    host.in(udpPacket({ dst: FAR, ipOptions: fromHex('07 0b 04 00000000 00000000') }));
    host.in(udpPacket({ dst: FAR, ipOptions: fromHex('07 07 08 01020304 00') }));
    const [room, full] = farBytes();
    expect([room?.[22], i32(room as Uint8Array, 23)]).toEqual([8, v4('192.0.2.1')]);
    expect([full?.[22], i32(full as Uint8Array, 23)]).toEqual([8, v4('1.2.3.4')]);
    expect(() => [room, full].map((one) => readPacket(one ?? null))).not.toThrow();
  });

  test('§5.3.13.6 timestamps: with an address, prespecified for us and for another, and the overflow count', () => {
    const stamps = [
      '44 0c 05 01 00000000 00000000',
      '44 0c 05 03 c0000201 00000000',
      '44 0c 05 03 c0000202 00000000',
      '44 04 05 e0',
    ];
    for (const options of stamps) host.in(udpPacket({ dst: FAR, ipOptions: fromHex(options) }));
    const [open, ours, others, full] = farBytes();
    const time = host.now | 0x8000_0000 | 0;
    expect([open?.[22], i32(open as Uint8Array, 24), i32(open as Uint8Array, 28)]).toEqual([
      13,
      v4('192.0.2.1'),
      time,
    ]);
    expect([ours?.[22], i32(ours as Uint8Array, 28)]).toEqual([13, time]);
    expect([others?.[22], i32(others as Uint8Array, 28)]).toEqual([5, 0]);
    expect(full?.[23]).toBe(0xf0);
  });

  test('RFC 7126 §4.3 packets that choose their own way are dropped', () => {
    const ipOptions = fromHex('83 07 04 0a000009 00');
    expect(host.in(udpPacket({ dst: FAR, ipOptions }))).toBe(DropReason.ipSourceRoute);
  });
});

describe('RFC 1812 §5.2.7.2 redirects', () => {
  let lan: number;

  beforeEach(() => {
    lan = host.stack.addInterface({
      name: 'lan',
      mtu: 1500,
      medium: 'ethernet',
      detectDuplicates: false,
      mac: fromHex('020000000002'),
      addresses: ['10.1.0.2/24'],
    });
    host.stack.addNeighbor(lan, ip('10.1.0.1'), fromHex('020000000001'));
    host.stack.addNeighbor(lan, ip('10.1.0.7'), fromHex('020000000007'));
    host.stack.addRoute({ destination: '203.0.113.0/24', gateway: '10.1.0.7', interfaceIndex: lan });
    host.stack.setInterface(lan, { isForwarding: true });
  });

  const lanOut = (): ReadPacket[] => {
    const packets: ReadPacket[] = [];
    for (let one = host.stack.takePacket(lan); one !== null; one = host.stack.takePacket(lan)) {
      // ARP is the link's own affair.
      if (u16(one, 12) === ETHERTYPE_IPV4) packets.push(readPacket(one.slice(14)));
    }
    return packets;
  };

  test('a host on the link hears of the better first hop, and its packet goes on all the same', () => {
    host.stack.inputPacket(lan, ethernetFrame(udpPacket({ src: '10.1.0.1', dst: '203.0.113.5' })));
    const out = lanOut();
    expect(out).toHaveLength(2);
    expect(out).toContainEqual(
      expect.objectContaining({ type: 5, code: 1, rest: v4('10.1.0.7'), dst: '10.1.0.1', src: '10.1.0.2' }),
    );
    expect(out).toContainEqual(expect.objectContaining({ src: '10.1.0.1', dst: '203.0.113.5', ttl: 63 }));
    expect(host.stack.counters.icmpOutRedirects).toBe(1);
  });

  test('one that is not on the link does not, nor any when it is switched off', () => {
    host.stack.inputPacket(lan, ethernetFrame(udpPacket({ src: '10.9.0.1', dst: '203.0.113.5' })));
    host.stack.setInterface(lan, { sendsRedirects: false });
    host.stack.inputPacket(lan, ethernetFrame(udpPacket({ src: '10.1.0.1', dst: '203.0.113.5' })));
    expect(lanOut().filter(({ type }) => type === 5)).toEqual([]);
  });
});

describe('RFC 1122 §3.2.2.2 a host that is redirected', () => {
  beforeEach(() => {
    host = makeHost();
    const udp = host.stack.openUdp();
    udp.send(pattern(8), 0, 8, ip('203.0.113.5'), 9);
  });

  const redirect = (gateway: string, src = '10.0.0.1', dst = '203.0.113.5'): number => {
    const [sent = udpPacket({ src: '10.0.0.2', dst, destinationPort: 9 })] = host.outBytes();
    return host.in(icmpPacket({ src, type: 5, code: 1, rest: v4(gateway), payload: sent.slice(0, 28) }));
  };
  const learned = (): string[] =>
    host.stack.routes
      .filter(({ origin }) => origin === 'redirect')
      .map(({ destination, gateway }) => `${destination} ${gateway}`);

  test('takes the new first hop for that host, and forgets it after ten minutes', () => {
    expect(redirect('10.0.0.9')).toBe(0);
    expect(learned()).toEqual(['203.0.113.5 10.0.0.9']);
    host.pass(599_999);
    expect(learned()).toHaveLength(1);
    host.pass(1);
    expect(learned()).toEqual([]);
  });

  test.each([
    ['from a router that is not the first hop in use', '10.0.0.9', '10.0.0.77', '203.0.113.5'],
    ['to a gateway that is not on the link', '10.9.0.9', '10.0.0.1', '203.0.113.5'],
    ['to ourselves', '10.0.0.2', '10.0.0.1', '203.0.113.5'],
    ['to the broadcast address', '10.0.0.255', '10.0.0.1', '203.0.113.5'],
  ])('does not believe one %s', (_name, gateway, src, dst) => {
    expect(redirect(gateway, src, dst)).toBe(DropReason.redirectRefused);
    expect(learned()).toEqual([]);
  });

  test('does not believe one about what it never sent', () => {
    host.outBytes();
    expect(redirect('10.0.0.9', '10.0.0.1', '203.0.113.77')).toBe(DropReason.redirectRefused);
  });

  test.each([{ acceptsRedirects: false }, { isForwarding: true }])('does not listen with %p', (settings) => {
    host.stack.setInterface(host.index, settings);
    expect(redirect('10.0.0.9')).toBe(DropReason.redirectRefused);
  });

  test('remembers a bounded number of them', () => {
    const udp = host.stack.openUdp();
    for (let i = 0; i < 300; i++) {
      const dst = `203.0.${113 + (i >> 8)}.${i & 0xff}`;
      udp.send(pattern(8), 0, 8, ip(dst), 9);
      redirect('10.0.0.9', '10.0.0.1', dst);
      host.outBytes();
    }
    expect(learned()).toHaveLength(256);
  });
});

describe('super-segments and partial checksums', () => {
  /** A TCP super-segment of `length` payload bytes, as a device gives it: partial checksum, one header. */
  function superSegment(length: number, dontFragment = true): Uint8Array {
    const packet = tcpPacket({ dst: FAR, seq: 1000, flags: 'P.', dontFragment, payload: pattern(length) });
    putU16(packet, 36, fold(pseudoHeaderSumV4(v4(NEAR), v4(FAR), IPPROTO_TCP, packet.length - 20)));
    return packet;
  }

  function inputFrame(packet: Uint8Array, gsoType: number, gsoSize: number, csumOffset: number): number {
    const batch = createFrameBatch(1, packet.length);
    batch.bytes.set(packet);
    batch.count = 1;
    batch.table[FRAME_LENGTH] = packet.length;
    batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
    batch.table[FRAME_GSO_TYPE] = gsoType;
    batch.table[FRAME_GSO_SIZE] = gsoSize;
    batch.table[FRAME_CSUM_START] = 20;
    batch.table[FRAME_CSUM_OFFSET] = csumOffset;
    host.stack.input(host.index, batch);
    return batch.table[FRAME_VERDICT] as number;
  }

  test('leave whole by a link that takes them', () => {
    makeRouter({ offload: OFFLOAD_CSUM | OFFLOAD_TSO4 });
    const packet = superSegment(20_000);
    expect(inputFrame(packet, GSO_TCPV4, 1448, 16)).toBe(0);
    const batch = createTransmitBatch(4);
    expect(host.stack.output(far, batch)).toBe(1);
    const { table } = batch;
    expect([
      table[TX_GSO_TYPE],
      table[TX_GSO_SIZE],
      table[TX_FLAGS],
      table[TX_CSUM_START],
      table[TX_CSUM_OFFSET],
    ]).toEqual([GSO_TCPV4, 1448, FRAME_NEEDS_CSUM, 20, 16]);
    const frame = new Uint8Array(transmitLength(batch, 0));
    flattenFrame(batch, 0, frame, 0);
    expect(frame.slice(12)).toEqual(packet.slice(12));
    expect(frame[8]).toBe(63);
  });

  test('are cut for one that does not, each packet with its own checksum', () => {
    expect(inputFrame(superSegment(4000), GSO_TCPV4, 1448, 16)).toBe(0);
    expect(farOut()).toMatchObject([
      { seq: 1000, ttl: 63, flags: '.' },
      { seq: 2448, ttl: 63, flags: '.' },
      { seq: 3896, ttl: 63, flags: 'P.' },
    ]);
  });

  test('are judged by the size of their packets, and refused whole with DF', () => {
    makeRouter({ mtu: 1000, offload: OFFLOAD_CSUM | OFFLOAD_TSO4 });
    expect(inputFrame(superSegment(4000), GSO_TCPV4, 1448, 16)).toBe(DropReason.forwardTooBig);
    expect(host.out()).toMatchObject([{ type: 3, code: 4, rest: 1000 }]);
    expect(inputFrame(superSegment(4000), GSO_TCPV4, 960, 16)).toBe(0);
    expect(farBytes().map(({ length }) => length)).toEqual([1000, 1000, 1000, 1000, 200]);
  });

  test('without DF their packets are cut into fragments', () => {
    makeRouter({ mtu: 1000, offload: OFFLOAD_CSUM | OFFLOAD_TSO4 });
    expect(inputFrame(superSegment(2896, false), GSO_TCPV4, 1448, 16)).toBe(0);
    expect(farOut().map(({ fragmentOffset }) => fragmentOffset)).toEqual([0, 976, 0, 976]);
  });

  test('datagrams too (USO)', () => {
    const packet = udpPacket({ dst: FAR, payload: pattern(3000) });
    putU16(packet, 26, fold(pseudoHeaderSumV4(v4(NEAR), v4(FAR), IPPROTO_UDP, packet.length - 20)));
    expect(inputFrame(packet, GSO_UDP_L4, 1200, 6)).toBe(0);
    expect(farOut().map(({ payload }) => payload.length)).toEqual([1200, 1200, 600]);
  });

  test('a partial checksum is completed for a link that can not', () => {
    const packet = superSegment(100);
    expect(inputFrame(packet, 0, 0, 16)).toBe(0);
    expect(farOut()).toMatchObject([{ seq: 1000, payload: pattern(100) }]);
  });
});
