/** UDP segmentation and coalescing, checksums left out, and who hears what: SEM-CONN-13, OPT-UDP_*. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  createTransmitBatch,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_VERDICT,
  GSO_UDP_L4,
  IpAddress,
  OFFLOAD_CSUM,
  OFFLOAD_USO,
  TX_COLUMNS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  transmitLength,
} from '../../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import { DropReason, IcmpV4Type, IcmpV4Unreachable, IPV6_FRAGMENT } from '../../../src/wire/index.ts';
import { FAMILY_PACKETS } from '../../support/packets.ts';
import { icmpPacket, udpPacket } from '../../support/segment.ts';
import { icmp6Packet } from '../../support/segment6.ts';
import { makeHost6 } from './ipv6/support.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

const PEER = ip('10.0.0.1');
const OTHER = ip('10.0.0.7');
let host: HostUnderTest;
let udp: UdpEndpoint;

beforeEach(() => {
  host = makeHost();
  udp = host.stack.openUdp();
});

function send(endpoint: UdpEndpoint, payload: Uint8Array, address: IpAddress | null = PEER): number {
  return endpoint.send(payload, 0, payload.length, address, 53);
}

/** Hands in a datagram as a device does that has merged several. */
function merged(payload: number, gsoSize: number, destinationPort = 53, target = host): number {
  const packet = udpPacket({ payload, destinationPort });
  const batch = createFrameBatch(1, 65536);
  batch.bytes.set(packet);
  // What a partial checksum's field holds is nobody's business.
  batch.bytes[26] = 0xaa;
  batch.table[FRAME_LENGTH] = packet.length;
  batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
  batch.table[FRAME_GSO_TYPE] = GSO_UDP_L4;
  batch.table[FRAME_GSO_SIZE] = gsoSize;
  batch.count = 1;
  target.stack.input(target.index, batch);
  return batch.table[FRAME_VERDICT] as number;
}

/** The payload of a message, cut as the option says. */
function cut(length: number, size: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < length; at += size) parts.push(pattern(length).subarray(at, at + size));
  return parts;
}

/** What a peer makes of these packets, whose checksums it checks. */
function received(packets: readonly Uint8Array[], family: 4 | 6): Uint8Array[] {
  const peer = makeHost({ addresses: ['10.0.0.1/24', '192.0.2.9/24', 'fd00::1/64', '2001:db8::9/64'] });
  const endpoint = peer.stack.openUdp(family);
  endpoint.bind(family === 4 ? IpAddress.anyV4 : IpAddress.anyV6, 53);
  for (const packet of packets) expect(peer.in(packet)).toBe(0);
  const datagrams: Uint8Array[] = [];
  for (let one = receive(endpoint); one instanceof Uint8Array; one = receive(endpoint)) datagrams.push(one);
  return datagrams;
}

describe('OPT-UDP_SEND_MSG_SIZE one send of many datagrams', () => {
  test('over a link that cuts nothing they leave one by one, the last with the rest, each with a checksum of its own', () => {
    udp.segmentSize = 1000;
    expect(send(udp, pattern(2500))).toBe(2500);
    const packets = host.out();
    expect(packets.map(({ payload }) => payload.length)).toEqual([1000, 1000, 500]);
    expect(packets[2]?.payload).toEqual(pattern(2500).subarray(2000));
    expect(host.stack.counters.udpOutDatagrams).toBe(3);
  });

  test('a message that is no longer than the size is one datagram', () => {
    udp.segmentSize = 1000;
    expect(send(udp, pattern(1000))).toBe(1000);
    expect(send(udp, pattern(0))).toBe(0);
    expect(host.out().map(({ payload }) => payload.length)).toEqual([1000, 0]);
  });

  test('a link with USO gets one super-segment, which it cuts into the same datagrams', () => {
    const offloading = makeHost({ offload: OFFLOAD_CSUM | OFFLOAD_USO });
    const endpoint = offloading.stack.openUdp();
    endpoint.segmentSize = 1200;
    send(endpoint, pattern(6100));
    const batch = createTransmitBatch(8);
    expect(offloading.stack.output(offloading.index, batch)).toBe(1);
    expect(batch.table[TX_GSO_TYPE]).toBe(GSO_UDP_L4);
    expect(batch.table[TX_GSO_SIZE]).toBe(1200);
    expect(transmitLength(batch, 0)).toBe(28 + 6100);
    send(endpoint, pattern(6100));
    const packets = offloading.out();
    expect(packets.map(({ payload }) => payload.length)).toEqual([1200, 1200, 1200, 1200, 1200, 100]);
    expect(packets[5]?.payload).toEqual(pattern(6100).subarray(6000));
    expect(offloading.stack.counters.udpOutDatagrams).toBe(12);
  });

  test('RFC 6864 §4.3 datagrams that a link cuts out have identifications that no later packet has again', () => {
    const offloading = makeHost({ offload: OFFLOAD_CSUM | OFFLOAD_USO });
    const endpoint = offloading.stack.openUdp();
    endpoint.segmentSize = 100;
    send(endpoint, pattern(950));
    send(endpoint, pattern(100));
    const ids = offloading.out().map(({ id }) => id);
    expect(ids).toHaveLength(11);
    expect(new Set(ids).size).toBe(11);
  });

  test('a super-segment has at most 64 datagrams: more make several', () => {
    const offloading = makeHost({ offload: OFFLOAD_CSUM | OFFLOAD_USO });
    const endpoint = offloading.stack.openUdp();
    endpoint.segmentSize = 10;
    send(endpoint, pattern(1285));
    const batch = createTransmitBatch(8);
    expect(offloading.stack.output(offloading.index, batch)).toBe(3);
    expect([0, 1, 2].map((i) => batch.table[i * TX_COLUMNS + TX_GSO_SIZE])).toEqual([10, 10, 0]);
    expect([0, 1, 2].map((i) => transmitLength(batch, i))).toEqual([668, 668, 33]);
  });

  test('datagrams longer than the MTU are cut here, into fragments, USO or not', () => {
    for (const offload of [0, OFFLOAD_CSUM | OFFLOAD_USO]) {
      const target = makeHost({ offload });
      const endpoint = target.stack.openUdp();
      endpoint.segmentSize = 2000;
      expect(send(endpoint, pattern(3000))).toBe(3000);
      expect(target.outBytes()).toHaveLength(3);
      endpoint.dontFragment = true;
      expect(send(endpoint, pattern(3000))).toBe(StackError.messageTooLong);
    }
  });

  test('RFC 8201 §4: a super-segment that waits while its IPv6 path becomes narrower is cut here, into fragments where it must be', () => {
    const target = makeHost6({ offload: OFFLOAD_CSUM | OFFLOAD_USO });
    const endpoint = target.stack.openUdp(6);
    endpoint.segmentSize = 1400;
    const peer = ip('fd00::1');
    send(endpoint, pattern(1400), peer);
    const quoted = target.outBytes()[0] as Uint8Array;
    expect(send(endpoint, pattern(4000), peer)).toBe(4000);
    expect(target.in(icmp6Packet({ type: 2, rest: 1280, payload: quoted.subarray(0, 200) }))).toBe(0);
    const packets = target.outBytes();
    // Two datagrams of 1400 bytes in two fragments each, and the rest in one packet.
    expect(packets.map((packet) => [packet.length <= 1280, packet[6]])).toEqual([
      ...new Array(4).fill([true, IPV6_FRAGMENT]),
      [true, 17],
    ]);
    expect(target.stack.counters.ipFragFails).toBe(0);
    expect(received(packets, 6)).toEqual(cut(4000, 1400));
    send(endpoint, pattern(2800), peer);
    expect(received(target.outBytes(), 6)).toEqual(cut(2800, 1400));
    expect(target.allocator.inUse).toBe(0);
  });

  test('RFC 8201 §4: of one that may not be fragmented the datagrams that fit are sent, the others lost and counted', () => {
    const target = makeHost6({ offload: OFFLOAD_CSUM | OFFLOAD_USO });
    const endpoint = target.stack.openUdp(6);
    endpoint.segmentSize = 1400;
    endpoint.dontFragment = true;
    const peer = ip('fd00::1');
    send(endpoint, pattern(1400), peer);
    const quoted = target.outBytes()[0] as Uint8Array;
    send(endpoint, pattern(3000), peer);
    target.in(icmp6Packet({ type: 2, rest: 1280, payload: quoted.subarray(0, 200) }));
    expect(received(target.outBytes(), 6)).toEqual([pattern(3000).subarray(2800)]);
    expect(target.stack.counters.ipFragFails).toBe(2);
    expect(target.allocator.inUse).toBe(0);
  });

  describe.each([4, 6] as const)('IPv%i: a super-segment that waits while its way changes', (family) => {
    const own = family === 4 ? '10.0.0.2/24' : 'fd00::2/64';
    const far = family === 4 ? '192.0.2.9' : '2001:db8::9';
    const to = family === 4 ? '192.0.2.0/24' : '2001:db8::/64';

    /** A host whose second interface does less. @returns the packets that leave by it, of what was sent by the first */
    function moved(mtu: number, offload: number, send: (endpoint: UdpEndpoint) => void): Uint8Array[] {
      const host = makeHost({ addresses: [own], offload: OFFLOAD_CSUM | OFFLOAD_USO });
      const { stack, index } = host;
      const other = stack.addInterface({ name: 'other', mtu, offload });
      stack.setInterface(index, { weakHostSend: true });
      stack.addRoute({ destination: to, interfaceIndex: index, metric: 1 });
      const endpoint = stack.openUdp(family);
      endpoint.bind(ip(own.replace(/\/.*/, '')), 1000);
      send(endpoint);
      stack.addRoute({ destination: to, interfaceIndex: other, metric: 0 });
      stack.removeRoute({ destination: to, interfaceIndex: index });
      expect(host.outBytes()).toEqual([]);
      const packets: Uint8Array[] = [];
      for (let packet = stack.takePacket(other); packet !== null; packet = stack.takePacket(other))
        packets.push(packet);
      expect(host.allocator.inUse).toBe(0);
      return packets;
    }

    test.each([
      ['that cuts nothing', 1500, 0, 5],
      ['that completes checksums only', 1500, OFFLOAD_CSUM, 5],
      ['that is narrower', 1280, OFFLOAD_CSUM | OFFLOAD_USO, 5],
      ['that is narrower and cuts nothing', 1280, 0, 5],
    ])('to a link %s arrives as it would have', (_what, mtu, offload, count) => {
      const packets = moved(mtu, offload, (endpoint) => {
        endpoint.segmentSize = 1250;
        expect(send(endpoint, pattern(5200), ip(far))).toBe(5200);
      });
      expect(packets.every((packet) => packet.length <= mtu)).toBe(true);
      const datagrams = received(packets, family);
      expect(datagrams).toHaveLength(count);
      expect(datagrams).toEqual(cut(5200, 1250));
    });

    test('a datagram alone, whose checksum was the link’s to complete, has one all the same', () => {
      const packets = moved(1500, 0, (endpoint) => void send(endpoint, pattern(1001), ip(far)));
      expect(received(packets, family)).toEqual([pattern(1001)]);
    });
  });

  test('over IPv4 without DF a super-segment leaves as it is, each datagram for routers to cut', () => {
    const target = makeHost({ offload: OFFLOAD_CSUM | OFFLOAD_USO });
    const endpoint = target.stack.openUdp();
    endpoint.segmentSize = 1400;
    endpoint.dontFragment = true;
    send(endpoint, pattern(1400));
    const quoted = target.outBytes()[0] as Uint8Array;
    expect(send(endpoint, pattern(2800))).toBe(2800);
    endpoint.dontFragment = false;
    expect(send(endpoint, pattern(2800))).toBe(2800);
    const { destinationUnreachable: type } = IcmpV4Type;
    const payload = quoted.subarray(0, 28);
    expect(
      target.in(icmpPacket({ type, code: IcmpV4Unreachable.fragmentationNeeded, rest: 1280, payload })),
    ).toBe(0);
    // Those with DF are lost, datagram by datagram.
    expect(target.out().map((packet) => packet.payload)).toEqual([
      pattern(2800).subarray(0, 1400),
      pattern(2800).subarray(1400),
    ]);
    expect(target.stack.counters.ipFragFails).toBe(2);
  });

  test('more than the queue can ever hold is messageTooLong, more than it holds now wouldBlock', () => {
    udp.segmentSize = 10;
    expect(send(udp, pattern(10_241))).toBe(StackError.messageTooLong);
    expect(send(udp, pattern(10_240))).toBe(10_240);
    expect(send(udp, pattern(20))).toBe(StackError.wouldBlock);
    expect(host.outBytes()).toHaveLength(1024);
    expect(host.allocator.inUse).toBe(0);
  });
});

describe('OPT-UDP_RECV_MAX_COALESCED_SIZE merged datagrams', () => {
  beforeEach(() => {
    udp.bind(IpAddress.anyV4, 53);
  });

  test('without the option they come out one by one', () => {
    merged(250, 100);
    const info = makeInfo();
    expect(receive(udp, info)).toHaveLength(100);
    expect(info.segmentSize).toBe(0);
    expect(host.stack.counters.udpInDatagrams).toBe(3);
  });

  test('with it they come out together, up to its size, and say how long each is', () => {
    udp.coalescedSize = 350;
    merged(250 + 200, 100);
    const info = makeInfo();
    expect(receive(udp, info)).toHaveLength(300);
    expect(info).toMatchObject({ segmentSize: 100, length: 300 });
    expect(receive(udp, info)).toHaveLength(150);
    expect(info).toMatchObject({ segmentSize: 100, length: 150 });
    expect(host.stack.counters.udpInDatagrams).toBe(5);
  });

  test('a size below one datagram changes nothing, nor does it for a datagram that was alone', () => {
    udp.coalescedSize = 50;
    merged(200, 100);
    const info = makeInfo();
    expect(receive(udp, info)).toHaveLength(100);
    expect(info.segmentSize).toBe(0);
    receive(udp);
    udp.coalescedSize = 5000;
    host.in(udpPacket({ payload: 80 }));
    expect(receive(udp, info)).toHaveLength(80);
    expect(info.segmentSize).toBe(0);
  });

  test('what is sent in segments to ourselves arrives merged', () => {
    udp.coalescedSize = 65536;
    const sender = host.stack.openUdp();
    sender.segmentSize = 1000;
    send(sender, pattern(4500), ip('10.0.0.2'));
    host.stack.advance();
    const info = makeInfo();
    expect(receive(udp, info)).toEqual(pattern(4500));
    expect(info.segmentSize).toBe(1000);
  });

  test.each(FAMILY_PACKETS)(
    'RFC 1122 §3.2.2, RFC 4443 §3.1 of merged datagrams over IPv$family that nobody takes the first is quoted, as it would have been on a wire',
    ({ udp: build, read, prefix, headerLength }) => {
      const target = makeHost({ addresses: [prefix] });
      const packet = build({ payload: 250, destinationPort: 99 });
      // What a partial checksum's field holds is nobody's business.
      packet[headerLength + 6] = 0xaa;
      const batch = createFrameBatch(1, 65536);
      batch.bytes.set(packet);
      batch.table[FRAME_LENGTH] = packet.length;
      batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
      batch.table[FRAME_GSO_TYPE] = GSO_UDP_L4;
      batch.table[FRAME_GSO_SIZE] = 100;
      batch.count = 1;
      target.stack.input(target.index, batch);
      expect(batch.table[FRAME_VERDICT]).toBe(DropReason.udpNoListener);
      const [error] = target.outBytes().map(read);
      expect(error?.payload).toEqual(build({ destinationPort: 99, payload: 100 }));
    },
  );
});

describe('RFC 768 no checksum (OPT-UDP_NOCHECKSUM)', () => {
  test('a datagram leaves with the field zero, also where the link completes checksums', () => {
    for (const offload of [0, OFFLOAD_CSUM | OFFLOAD_USO]) {
      const target = makeHost({ offload });
      const endpoint = target.stack.openUdp();
      endpoint.sendsZeroChecksum = true;
      endpoint.segmentSize = 60;
      send(endpoint, pattern(100));
      const packets = target.outBytes();
      expect(packets.map((packet) => [packet.length, packet[26], packet[27]])).toEqual([
        [88, 0, 0],
        [68, 0, 0],
      ]);
    }
  });

  test('without a checksum a datagram is taken over IPv4', () => {
    udp.bind(IpAddress.anyV4, 53);
    expect(host.in(udpPacket({ payload: 3, hasChecksum: false }))).toBe(0);
    expect(receive(udp)).toHaveLength(3);
  });
});

describe('connected endpoints', () => {
  function from(address: string, sourcePort: number, payload: number): void {
    host.in(udpPacket({ src: address, sourcePort, destinationPort: 1000, payload }));
  }

  test('SEM-CONN-13 connect discards what waits from others, and keeps the peer’s in order', () => {
    udp.bind(IpAddress.anyV4, 1000);
    from('10.0.0.1', 53, 5);
    from('10.0.0.7', 53, 6);
    from('10.0.0.1', 54, 7);
    from('10.0.0.1', 53, 8);
    udp.connect(PEER, 53);
    expect([udp.nextLength, udp.queuedBytes]).toEqual([5, 13]);
    expect(receive(udp)).toHaveLength(5);
    expect(receive(udp)).toHaveLength(8);
    expect(receive(udp)).toBe(StackError.wouldBlock);
  });

  test('SEM-CONN-13 with another peer what the one before sent is gone, and the memory is back', () => {
    udp.bind(IpAddress.anyV4, 1000);
    udp.connect(PEER, 53);
    from('10.0.0.1', 53, 500);
    udp.connect(OTHER, 53);
    expect([udp.nextLength, udp.queuedBytes]).toEqual([-1, 0]);
    expect(host.allocator.inUse).toBe(0);
    from('10.0.0.7', 53, 9);
    expect(udp.nextLength).toBe(9);
  });

  test('SEM-CONN-13 the any-address keeps all that waits', () => {
    udp.bind(IpAddress.anyV4, 1000);
    udp.connect(PEER, 53);
    from('10.0.0.1', 53, 5);
    udp.connect(IpAddress.anyV4, 0);
    expect(udp.nextLength).toBe(5);
  });

  test('SEM-IO-12 an error about what a connected endpoint sent to somebody else is told too (SEM-IO-17)', () => {
    udp.connect(PEER, 53);
    send(udp, pattern(1), OTHER);
    const quoted = host.outBytes()[0] as Uint8Array;
    const { destinationUnreachable: type } = IcmpV4Type;
    expect(
      host.in(icmpPacket({ src: '10.0.0.7', type, code: IcmpV4Unreachable.port, rest: 0, payload: quoted })),
    ).toBe(0);
    expect(udp.pendingError).toBe(StackError.connectionReset);
  });

  test('RFC 1122 §4.1.3.5 a broadcast of the peer’s is for a connected endpoint too, another’s is not', () => {
    udp.bind(IpAddress.anyV4, 53);
    udp.connect(PEER, 1025);
    expect(host.in(udpPacket({ dst: '10.0.0.255', payload: 4 }))).toBe(0);
    expect(host.in(udpPacket({ src: '10.0.0.7', dst: '10.0.0.255', payload: 5 }))).toBe(
      DropReason.udpNoListener,
    );
    expect(udp.queuedBytes).toBe(4);
    const info = makeInfo();
    receive(udp, info);
    expect(info.isGroup).toBe(true);
  });

  test('OPT-IP_RECEIVE_BROADCAST off: broadcasts are not for the endpoint', () => {
    udp.bind(IpAddress.anyV4, 53);
    udp.receivesBroadcast = false;
    expect(host.in(udpPacket({ dst: '255.255.255.255', payload: 4 }))).toBe(DropReason.udpNoListener);
    expect(host.in(udpPacket({ payload: 4 }))).toBe(0);
  });

  test('a source that is ours takes the place of the bound address for the next sends; another is refused', () => {
    host.stack.addAddress(host.index, '10.0.0.20/24');
    udp.bind(ip('10.0.0.2'), 1000);
    udp.source = ip('10.0.0.20');
    send(udp, pattern(1));
    udp.source = null;
    send(udp, pattern(1));
    expect(host.out().map(({ src }) => src)).toEqual(['10.0.0.20', '10.0.0.2']);
    udp.source = OTHER;
    expect(send(udp, pattern(1))).toBe(StackError.addressNotAvailable);
  });
});
