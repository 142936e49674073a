import { beforeEach, describe, expect, test } from '@jest/globals';
import { DropReason, ETHERTYPE_IPV6, IcmpV6Type } from '../../../../src/wire/index.ts';
import { ethernetFrame } from '../../../support/segment.ts';
import {
  fragmentHeader,
  hopByHop,
  icmp6Packet,
  ipv6Packet,
  readPacket6,
  tcp6Packet,
  udp6Packet,
} from '../../../support/segment6.ts';
import { ip, pattern, receive } from '../support.ts';
import { type Host6UnderTest, makeHost6 } from './support.ts';

let host: Host6UnderTest;

beforeEach(() => {
  host = makeHost6();
});

describe('RFC 4291 §2 addresses', () => {
  test.each([
    ['another host', { dst: 'fd00::3' }, DropReason.ipNotForUs],
    ['a group that nobody joined', { dst: 'ff02::1:3' }, DropReason.ipNotForUs],
    ['the solicited-node group of another', { dst: 'ff02::1:ff00:3' }, DropReason.ipNotForUs],
    ['§2.5.3 the loopback address', { dst: '::1' }, DropReason.ipNotForUs],
    ['§2.5.2 no address', { dst: '::' }, DropReason.ipNotForUs],
    ['§2.7 scope 0 of all nodes', { dst: 'ff00::1' }, DropReason.ipNotForUs],
  ])('a packet to %s is not for us', (_name, fields, reason) => {
    expect(host.in(udp6Packet(fields))).toBe(reason);
    expect(host.outBytes()).toEqual([]);
  });

  test.each([
    ['§2.5.3 the loopback address', { src: '::1' }],
    ['§2.7 a group', { src: 'ff02::1' }],
    ['§2.5.2 no address, to one host', { src: '::' }],
    ['ourselves', { src: 'fd00::2' }],
    ['RFC 4942 §2.2 a v4-mapped address', { src: '::ffff:10.0.0.1' }],
    ['any, to a v4-mapped address', { dst: '::ffff:10.0.0.2' }],
  ])('a packet from %s is refused', (_name, fields) => {
    expect(host.in(udp6Packet(fields))).toBe(DropReason.ipSourceAddress);
    expect(host.outBytes()).toEqual([]);
  });

  test.each([['ff01::1'], ['ff02::1'], ['ff02::1:ff00:2']])('§2.8: every host is in %s', (dst) => {
    expect(host.in(icmp6Packet({ dst }))).toBe(0);
    expect(host.out6()).toMatchObject([{ type: IcmpV6Type.echoReply, dst: 'fd00::1' }]);
  });

  test('RFC 1122 §3.3.4.2: an address is ours on its own interface only', () => {
    host.stack.addInterface({ name: 'other', mtu: 1500, addresses: ['fd01::2/64'] });
    expect(host.in(udp6Packet({ dst: 'fd01::2' }))).toBe(DropReason.ipNotForUs);
  });
});

describe('RFC 8200 the header', () => {
  test('a link below 1280 bytes carries no IPv6, and gets no IPv6 address', () => {
    const small = makeHost6({ mtu: 1279, addresses: [] });
    expect(small.in(udp6Packet())).toBe(DropReason.ipFamilyUnsupported);
    expect(() => small.stack.addAddress(small.index, 'fd00::2/64')).toThrow('1280');
    expect(() => small.stack.addInterface({ name: 'x', mtu: 1000, addresses: ['fd00::2/64'] })).toThrow(
      '1280',
    );
    expect(small.stack.interfaces).toHaveLength(2);
  });

  test('a packet cut anywhere is dropped, with extension headers too', () => {
    const packet = udp6Packet({ payload: 8, extensions: [hopByHop(5, 2, 0, 0), fragmentHeader(0, false)] });
    for (let end = 0; end < packet.length; end++) {
      expect(host.in(packet.slice(0, end))).not.toBe(0);
      const shorter = packet.slice(0, end);
      if (end >= 40) shorter[5] = end - 40;
      expect(host.in(shorter)).not.toBe(0);
    }
  });

  test('§8.1: a datagram has a checksum, and its own', () => {
    const udp = host.stack.openUdp(6);
    udp.bind(ip('::'), 53);
    expect(host.in(udp6Packet({ hasChecksum: false }))).toBe(DropReason.udpNoChecksum);
    const wrong = udp6Packet({ payload: 'abc' });
    wrong[50] = (wrong[50] as number) ^ 1;
    expect(host.in(wrong)).toBe(DropReason.udpChecksum);
    expect(host.in(udp6Packet({ payload: 'abc' }))).toBe(0);
  });

  test('a packet whose upper layer lies behind extension headers arrives', () => {
    const udp = host.stack.openUdp(6);
    udp.bind(ip('::'), 53);
    expect(
      host.in(udp6Packet({ payload: 'abc', extensions: [hopByHop(0x1e, 0), fragmentHeader(0, false)] })),
    ).toBe(0);
    expect(receive(udp)).toEqual(Uint8Array.of(97, 98, 99));
  });
});

describe('Ethernet', () => {
  const MAC = Uint8Array.of(2, 0, 0, 0, 0, 2);
  const frame = (packet: Uint8Array, destination?: string): Uint8Array =>
    ethernetFrame(packet, destination, undefined, ETHERTYPE_IPV6);

  beforeEach(() => {
    host = makeHost6({ medium: 'ethernet', mac: MAC });
    host.stack.addAddress(host.index, 'fd00::2/64');
    host.stack.addNeighbor(host.index, ip('fd00::1'), Uint8Array.of(2, 0, 0, 0, 0, 1));
    // What the link is told of the addresses.
    host.outBytes();
  });

  test('a frame of IPv6 is answered in one, to the neighbour', () => {
    expect(host.in(frame(icmp6Packet()))).toBe(0);
    const [reply] = host.outBytes() as [Uint8Array];
    expect(reply.subarray(0, 14)).toEqual(Uint8Array.of(2, 0, 0, 0, 0, 1, ...MAC, 0x86, 0xdd));
    expect(readPacket6(reply.subarray(14))).toMatchObject({ type: IcmpV6Type.echoReply });
  });

  test('RFC 2464 §7: a packet to a group goes to 33:33 and its last four bytes', () => {
    const udp = host.stack.openUdp(6);
    udp.send(pattern(4), 0, 4, ip('ff02::1:ff12:3456'), 5);
    const [sent] = host.outBytes() as [Uint8Array];
    expect(sent.subarray(0, 6)).toEqual(Uint8Array.of(0x33, 0x33, 0xff, 0x12, 0x34, 0x56));
    expect(readPacket6(sent.subarray(14))).toMatchObject({ src: 'fe80::2', hops: 1 });
  });

  test('a packet to one host in a frame to a group is not taken', () => {
    expect(host.in(frame(icmp6Packet(), '333300000001'))).toBe(DropReason.ipNotForUs);
    expect(host.in(frame(icmp6Packet({ dst: 'ff02::1' }), '333300000001'))).toBe(0);
  });

  test('what the EtherType says counts', () => {
    const packet = ipv6Packet(59, new Uint8Array(0));
    packet[0] = 0x45;
    expect(host.in(frame(packet))).toBe(DropReason.ipVersion);
  });
});

test('RFC 9293 §3.9.2.3, MUST-57: TCP to a group is dropped', () => {
  expect(host.in(tcp6Packet({ flags: 'S', dst: 'ff02::1' }))).toBe(DropReason.tcpGroupAddress);
});
