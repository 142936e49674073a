/** What raw endpoints see besides what is for them (SIO_RCVALL), whole packets of merged ones, and what Windows forbids them. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  fromHex,
  GSO_NONE,
  GSO_UDP_L4,
  IpAddress,
  OFFLOAD_CSUM,
  OFFLOAD_USO,
  SeededRandom,
} from '../../../src/base/index.ts';
import { createStack, type RawEndpoint, StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import {
  ethernetFrame,
  icmpPacket,
  ipv4Packet,
  readPacket,
  tcpPacket,
  udpPacket,
} from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, pattern, receive } from './support.ts';

const PEER = ip('10.0.0.1');
const OURS = ip('10.0.0.2');
let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
});

function all(endpoint: RawEndpoint): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let next = receive(endpoint); typeof next !== 'number'; next = receive(endpoint)) packets.push(next);
  return packets;
}

/** Hands in a frame with the device's notes beside it. */
function offloaded(packet: Uint8Array, gsoType: number, gsoSize: number): void {
  const batch = createFrameBatch(1, 65536);
  batch.bytes.set(packet);
  batch.table[FRAME_LENGTH] = packet.length;
  batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
  batch.table[FRAME_GSO_TYPE] = gsoType;
  batch.table[FRAME_GSO_SIZE] = gsoSize;
  batch.count = 1;
  host.stack.input(host.index, batch);
}

describe('copies are what a wire would have carried', () => {
  test('RAW-07 a partial checksum is whole in the copy', () => {
    const sniffer = host.stack.openRaw(17);
    const packet = udpPacket({ payload: 33 });
    const partial = packet.slice();
    // The folded pseudo-header sum: 10.0.0.1 + 10.0.0.2 + 17 + 41.
    partial.set(fromHex('143d'), 26);
    offloaded(partial, GSO_NONE, 0);
    expect(receive(sniffer)).toEqual(packet);
  });

  test('RAW-07 datagrams that were merged are copied one by one', () => {
    const sniffer = host.stack.openRaw(17);
    offloaded(udpPacket({ payload: 250 }), GSO_UDP_L4, 100);
    const packets = all(sniffer).map(readPacket);
    expect(packets.map(({ payload }) => payload.length)).toEqual([100, 100, 50]);
  });

  test('what cannot be cut is copied as it is', () => {
    const sniffer = host.stack.openRaw(99);
    const packet = ipv4Packet(99, pattern(100));
    offloaded(packet, GSO_UDP_L4, 10);
    expect(receive(sniffer)).toEqual(packet);
  });
});

describe('RAW-01 protocol 0', () => {
  test('an endpoint of IPPROTO_IP gets every protocol’s packets, each once, and does not keep others from being refused', () => {
    const raw = host.stack.openRaw(0);
    host.in(icmpPacket());
    host.in(udpPacket({ destinationPort: 99, payload: 1 }));
    expect(host.in(ipv4Packet(99, pattern(4)))).toBe(DropReason.ipProtocolUnknown);
    host.in(ipv4Packet(0, pattern(4)));
    expect(all(raw).map((packet) => packet[9])).toEqual([1, 17, 99, 0]);
  });

  test('it sends only packets with headers of their own', () => {
    const raw = host.stack.openRaw(0);
    expect(raw.send(pattern(4), 0, 4, PEER, 0)).toBe(StackError.invalid);
    raw.headerIncluded = true;
    const packet = ipv4Packet(99, pattern(4), { src: '10.0.0.2', dst: '10.0.0.1', id: 7 });
    expect(raw.send(packet, 0, packet.length, PEER, 0)).toBe(24);
    expect(host.outBytes()).toEqual([packet]);
  });

  test('one of IPPROTO_RAW sends with headers of its own, and gets packets of protocol 255 only', () => {
    const raw = host.stack.openRaw(255);
    host.in(icmpPacket());
    expect(raw.nextLength).toBe(-1);
    host.in(ipv4Packet(255, pattern(4)));
    expect(raw.nextLength).toBe(24);
  });
});

describe('SIO_RCVALL', () => {
  let raw: RawEndpoint;

  beforeEach(() => {
    raw = host.stack.openRaw(0);
    raw.bind(OURS, 0);
  });

  test('RAW-RCVALL-01 needs an address that is ours', () => {
    const unbound = host.stack.openRaw(0);
    expect(unbound.setTap('promiscuous')).toBe(StackError.invalid);
    unbound.bind(IpAddress.anyV4, 0);
    expect(unbound.setTap('promiscuous')).toBe(StackError.invalid);
    expect(raw.setTap('promiscuous')).toBe(0);
    expect(raw.tap).toBe('promiscuous');
  });

  test('RAW-RCVALL-02 what arrives is seen with its header, whoever it is for, and once', () => {
    raw.setTap('promiscuous');
    const packets = [
      udpPacket({ destinationPort: 99 }),
      udpPacket({ dst: '10.0.0.77', payload: 3 }),
      ipv4Packet(99, pattern(16), { id: 3, moreFragments: true }),
      ipv4Packet(99, pattern(8), { id: 3, fragmentOffset: 16 }),
    ];
    for (const packet of packets) host.in(packet);
    expect(all(raw)).toEqual(packets);
  });

  test('RAW-RCVALL-02 what leaves is seen too, cut and with whole checksums', () => {
    host = makeHost({ offload: OFFLOAD_CSUM | OFFLOAD_USO });
    raw = host.stack.openRaw(0);
    raw.bind(OURS, 0);
    raw.setTap('received');
    const udp = host.stack.openUdp();
    udp.segmentSize = 100;
    udp.send(pattern(250), 0, 250, PEER, 53);
    host.outBytes();
    const seen = all(raw).map(readPacket);
    expect(seen.map(({ src, payload }) => [src, payload.length])).toEqual([
      ['10.0.0.2', 100],
      ['10.0.0.2', 100],
      ['10.0.0.2', 50],
    ]);
  });

  test('RAW-RCVALL-02 of other interfaces nothing is seen', () => {
    raw.setTap('promiscuous');
    const other = host.stack.addInterface({ name: 'other', mtu: 1500, addresses: ['192.0.2.2/24'] });
    host.stack.inputPacket(other, udpPacket({ src: '192.0.2.1', dst: '192.0.2.2' }));
    expect(raw.nextLength).toBe(-1);
  });

  test('RAW-RCVALL-03 while it is on the endpoint can not be bound elsewhere', () => {
    host.stack.addAddress(host.index, '10.0.0.20/24');
    raw.setTap('promiscuous');
    expect(raw.bind(ip('10.0.0.20'), 0)).toBe(StackError.invalid);
    raw.setTap('off');
    expect(raw.bind(ip('10.0.0.20'), 0)).toBe(0);
  });

  test('RAW-RCVALL-04 all multicast, and of it the group reports', () => {
    const reports = host.stack.openRaw(2);
    reports.bind(OURS, 0);
    raw.setTap('multicast');
    reports.setTap('groupReports');
    host.in(udpPacket({ dst: '224.0.0.251', payload: 1 }));
    host.in(udpPacket({ payload: 2 }));
    host.in(ipv4Packet(2, pattern(8), { dst: '224.0.0.22', ttl: 1 }));
    host.in(ipv4Packet(2, pattern(8)));
    expect(all(raw).map((packet) => packet[9])).toEqual([17, 2]);
    expect(all(reports).map((packet) => packet[9])).toEqual([2]);
  });

  test('RAW-RCVALL-05 with its interface gone it can not be switched on', () => {
    host.stack.removeInterface(host.index);
    expect(raw.setTap('promiscuous')).toBe(StackError.invalid);
  });

  test('frames to other stations are for promiscuous endpoints only', () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 2);
    host = makeHost({ medium: 'ethernet', mac });
    const [promiscuous, received] = [host.stack.openRaw(0), host.stack.openRaw(0)];
    promiscuous.bind(OURS, 0);
    received.bind(OURS, 0);
    promiscuous.setTap('promiscuous');
    received.setTap('received');
    const packet = udpPacket({ dst: '10.0.0.77' });
    expect(host.in(ethernetFrame(packet, '020000000077'))).toBe(DropReason.frameNotForUs);
    host.in(ethernetFrame(packet, '020000000002'));
    expect([all(promiscuous).length, all(received).length]).toEqual([2, 1]);
  });

  test('garbage is shown to nobody, and the queue has a bound', () => {
    raw.setTap('promiscuous');
    raw.receiveBufferSize = 100;
    host.in(Uint8Array.of(0x45));
    host.in(udpPacket({ payload: 4 }).fill(0xff, 10, 12));
    expect(raw.nextLength).toBe(-1);
    for (let i = 0; i < 5; i++) host.in(udpPacket({ payload: 4 }));
    expect(raw.queuedBytes).toBe(96);
    raw.close();
    host.outBytes();
    expect(host.allocator.inUse).toBe(0);
    host.in(udpPacket());
  });
});

describe('router alert (RFC 2113)', () => {
  const alert = (): Uint8Array =>
    ipv4Packet(46, pattern(8), { dst: '192.0.2.9', ipOptions: fromHex('94040000') });

  test('IOC-SIO_ABSORB_RTRALERT a packet with the option that is not for us goes to who asked for such ones', () => {
    const [asking, plain] = [host.stack.openRaw(46), host.stack.openRaw(46)];
    asking.absorbsRouterAlert = true;
    expect(host.in(alert())).toBe(0);
    expect([asking.nextLength, plain.nextLength]).toEqual([32, -1]);
    asking.close();
    expect(host.in(alert())).toBe(DropReason.ipNotForUs);
  });
});

describe('RAW-09 what client editions of Windows forbid', () => {
  test('TCP is not sent, with a header of its own or without, and a raw TCP socket is not bound', () => {
    const raw = host.stack.openRaw(6);
    expect(raw.bind(OURS, 0)).toBe(StackError.accessDenied);
    expect(raw.send(pattern(20), 0, 20, PEER, 0)).toBe(StackError.accessDenied);
    const whole = host.stack.openRaw(255);
    whole.headerIncluded = true;
    const segment = tcpPacket({ src: '10.0.0.2', dst: '10.0.0.1' });
    expect(whole.send(segment, 0, segment.length, PEER, 0)).toBe(StackError.accessDenied);
    expect(host.outBytes()).toEqual([]);
  });

  test('UDP from an address that is not ours is lost without a word, from ours it leaves', () => {
    const raw = host.stack.openRaw(255);
    raw.headerIncluded = true;
    const forged = udpPacket({ src: '10.0.0.3', dst: '10.0.0.1', id: 1 });
    const own = udpPacket({ src: '10.0.0.2', dst: '10.0.0.1', id: 1 });
    expect(raw.send(forged, 0, forged.length, PEER, 0)).toBe(forged.length);
    expect(raw.send(own, 0, own.length, PEER, 0)).toBe(own.length);
    expect(host.outBytes()).toEqual([own]);
    expect(host.stack.counters.drops[DropReason.rawForeignSource]).toBe(1);
  });

  test('servers of Windows have no such limits: rawRestrictions false', () => {
    const stack = createStack({
      clock: { now: () => 0 },
      random: new SeededRandom(1),
      rawRestrictions: false,
    });
    const index = stack.addInterface({ name: 'test', mtu: 1500, addresses: ['10.0.0.2/24'] });
    const raw = stack.openRaw(6);
    expect(raw.bind(OURS, 0)).toBe(0);
    raw.headerIncluded = true;
    const packets = [
      tcpPacket({ src: '10.0.0.2', dst: '10.0.0.1', id: 1 }),
      udpPacket({ src: '10.0.0.3', dst: '10.0.0.1', id: 1 }),
    ];
    for (const packet of packets) raw.send(packet, 0, packet.length, PEER, 0);
    expect([stack.takePacket(index), stack.takePacket(index)]).toEqual(packets);
  });
});
