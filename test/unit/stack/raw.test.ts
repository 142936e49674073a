import { beforeEach, describe, expect, test } from '@jest/globals';
import { fromHex, IpAddress } from '../../../src/base/index.ts';
import { type RawEndpoint, StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { icmpPacket, ipv4Packet, udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

const PEER = ip('10.0.0.1');
let host: HostUnderTest;
let raw: RawEndpoint;

beforeEach(() => {
  host = makeHost();
  raw = host.stack.openRaw(99);
});

describe('raw sockets', () => {
  test('RAW-01 the protocol goes into the IP header', () => {
    expect(raw.send(pattern(30), 0, 30, PEER, 0)).toBe(30);
    expect(host.out()).toMatchObject([
      { protocol: 99, src: '10.0.0.2', dst: '10.0.0.1', payload: pattern(30) },
    ]);
    expect(() => host.stack.openRaw(256)).toThrow(RangeError);
  });

  test('RAW-03 what arrives starts with the IPv4 header, as it was sent', () => {
    const packet = ipv4Packet(99, pattern(20), { ttl: 7, ipOptions: fromHex('01010100') });
    expect(host.in(packet)).toBe(0);
    const info = makeInfo();
    expect(receive(raw, info)).toEqual(packet);
    expect(info).toMatchObject({ ttl: 7, sourcePort: 0, length: 44 });
    expect(host.out()).toEqual([]);
  });

  test('RAW-03 fragments are delivered once they are whole, with the length of the whole in the header', () => {
    host.in(ipv4Packet(99, pattern(16), { id: 3, moreFragments: true }));
    host.in(ipv4Packet(99, pattern(8), { id: 3, fragmentOffset: 16 }));
    const packet = receive(raw) as Uint8Array;
    expect(packet).toHaveLength(44);
    expect([packet[2], packet[3], packet[6], packet[7]]).toEqual([0, 44, 0, 0]);
  });

  test('RAW-05 without IP_HDRINCL the packet has the options of the endpoint, and is cut when it is too long', () => {
    raw.ttl = 3;
    raw.trafficClass = 0x10;
    raw.send(pattern(3000), 0, 3000, PEER, 0);
    const packets = host.out();
    expect(packets).toHaveLength(3);
    for (const packet of packets) expect(packet).toMatchObject({ ttl: 3, trafficClass: 0x10, protocol: 99 });
  });

  test('RAW-05 with IP_HDRINCL the caller’s header goes; length, checksum, identification and source are filled in', () => {
    raw.headerIncluded = true;
    // version and length, TOS, length 0, id 0, no flags, TTL 9, protocol 200, checksum wrong, source any, destination
    const header = fromHex('45 08 0000 0000 0000 09 c8 dead 00000000 0a000001');
    const packet = new Uint8Array([...header, ...pattern(10)]);
    expect(raw.send(packet, 0, packet.length, PEER, 0)).toBe(30);
    const [sent] = host.out();
    expect(sent).toMatchObject({ ttl: 9, protocol: 200, trafficClass: 8, src: '10.0.0.2', dst: '10.0.0.1' });
    expect(sent?.id).not.toBe(0);
    expect(sent?.payload).toEqual(pattern(10));
  });

  test('RAW-05 an identification and a source of the caller’s own stay', () => {
    raw.headerIncluded = true;
    const packet = ipv4Packet(99, pattern(4), { src: '203.0.113.9', dst: '10.0.0.1', id: 4711, ttl: 2 });
    raw.send(packet, 0, packet.length, PEER, 0);
    expect(host.outBytes()).toEqual([packet]);
  });

  test('RAW-05 options in the caller’s header stay', () => {
    raw.headerIncluded = true;
    const packet = ipv4Packet(99, pattern(4), {
      src: '10.0.0.2',
      dst: '10.0.0.1',
      id: 1,
      ipOptions: fromHex('94040000'),
    });
    raw.send(packet, 0, packet.length, PEER, 0);
    expect(host.outBytes()).toEqual([packet]);
  });

  test.each([
    ['shorter than a header', pattern(19).fill(0x45, 0, 1)],
    ['with a header longer than it is', new Uint8Array(24).fill(0x4f, 0, 1)],
    ['of another version', new Uint8Array(24).fill(0x65, 0, 1)],
  ])('RAW-05 a packet %s is invalid', (_name, packet) => {
    raw.headerIncluded = true;
    expect(raw.send(packet, 0, packet.length, PEER, 0)).toBe(StackError.invalid);
    expect(host.out()).toEqual([]);
  });

  test('RAW-05 a whole packet is not cut: longer than the MTU is messageTooLong', () => {
    raw.headerIncluded = true;
    const packet = ipv4Packet(99, pattern(1481), { src: '10.0.0.2', dst: '10.0.0.1' });
    expect(raw.send(packet, 0, packet.length, PEER, 0)).toBe(StackError.messageTooLong);
  });

  test('RAW-07 every socket of the protocol whose local and remote address fit gets a copy', () => {
    const [bound, elsewhere, connected, stranger] = [1, 2, 3, 4].map(() => host.stack.openRaw(99)) as [
      RawEndpoint,
      RawEndpoint,
      RawEndpoint,
      RawEndpoint,
    ];
    host.stack.addAddress(host.index, '10.0.0.20/24');
    bound.bind(ip('10.0.0.2'), 0);
    elsewhere.bind(ip('10.0.0.20'), 0);
    connected.connect(PEER, 0);
    stranger.connect(ip('10.0.0.9'), 0);
    const other = host.stack.openRaw(98);
    host.in(ipv4Packet(99, pattern(1)));
    const got = [raw, bound, elsewhere, connected, stranger, other].map((socket) => socket.nextLength);
    expect(got).toEqual([21, 21, -1, 21, -1, -1]);
  });

  test('RAW-07 copies come besides normal processing', () => {
    const sniffer = host.stack.openRaw(17);
    const udp = host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 53);
    expect(host.in(udpPacket({ payload: 5 }))).toBe(0);
    expect([sniffer.nextLength, udp.nextLength]).toEqual([33, 5]);
    expect(host.in(udpPacket({ destinationPort: 54 }))).toBe(DropReason.udpNoListener);
    expect(host.out()).toHaveLength(1);
  });

  test('RAW-08 a broadcast needs the option', () => {
    expect(raw.send(pattern(1), 0, 1, IpAddress.broadcastV4, 0)).toBe(StackError.broadcastDenied);
    raw.broadcast = true;
    expect(raw.send(pattern(1), 0, 1, IpAddress.broadcastV4, 0)).toBe(1);
  });

  test('RAW-10 the largest message is 65,467 bytes', () => {
    expect(raw.send(pattern(65_468), 0, 65_468, PEER, 0)).toBe(StackError.messageTooLong);
    expect(raw.send(pattern(65_467), 0, 65_467, PEER, 0)).toBe(65_467);
  });

  test('RAW-11 connect only fixes the peer: send is allowed then, and the any-address undoes it', () => {
    expect(raw.send(pattern(1), 0, 1, null, 0)).toBe(StackError.notConnected);
    expect(raw.connect(PEER, 0)).toBe(0);
    expect(raw.send(pattern(1), 0, 1, null, 0)).toBe(1);
    expect(raw.connect(IpAddress.anyV4, 0)).toBe(0);
    expect(raw.localAddress.isAny).toBe(true);
    expect(raw.send(pattern(1), 0, 1, null, 0)).toBe(StackError.notConnected);
  });

  test('RAW-12 a receive buffer that is too small gets its part, and the whole length is told', () => {
    host.in(ipv4Packet(99, pattern(100)));
    const info = makeInfo();
    expect(raw.receive(new Uint8Array(30), 0, 30, info)).toBe(30);
    expect(info.length).toBe(120);
  });

  test('RAW-13 ICMP sockets see all ICMP messages, echo requests included, which are still answered', () => {
    const icmp = host.stack.openRaw(1);
    host.in(icmpPacket());
    host.in(icmpPacket({ type: 0, echoId: 5 }));
    host.in(icmpPacket({ type: 3, code: 3, rest: 0, payload: pattern(28) }));
    expect([receive(icmp), receive(icmp), receive(icmp)].map((bytes) => (bytes as Uint8Array)[20])).toEqual([
      8, 0, 3,
    ]);
    expect(host.out()).toMatchObject([{ type: 0 }]);
  });

  test('a queue that is full loses the newest, counted, and memory comes back at close', () => {
    raw.receiveBufferSize = 250;
    for (let i = 0; i < 4; i++) host.in(ipv4Packet(99, pattern(80)));
    expect(raw.queuedBytes).toBe(200);
    expect(host.stack.counters.drops[DropReason.rawQueueFull]).toBe(2);
    raw.close();
    raw.close();
    expect(host.allocator.inUse).toBe(0);
    expect(host.in(ipv4Packet(99, pattern(1)))).toBe(DropReason.ipProtocolUnknown);
    expect(raw.bind(IpAddress.anyV4, 0)).toBe(StackError.invalid);
  });

  test('a flood of empty packets to send is bounded', () => {
    let count = 0;
    while (raw.send(pattern(0), 0, 0, PEER, 0) === 0 && count < 100_000) count++;
    expect(count).toBe(1024);
    expect(host.outBytes()).toHaveLength(1024);
  });
});
