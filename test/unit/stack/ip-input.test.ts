import { beforeEach, describe, expect, test } from '@jest/globals';
import { createFrameBatch, FRAME_VERDICT, fromHex } from '../../../src/base/index.ts';
import { DropReason, IcmpV4Type, IcmpV4Unreachable } from '../../../src/wire/index.ts';
import {
  ethernetFrame,
  icmpPacket,
  ipv4Packet,
  payloadBytes,
  readPacket,
  udpPacket,
} from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost } from './support.ts';

let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
});

/** Recomputes the header checksum after a test has changed a field. */
function seal(packet: Uint8Array): Uint8Array {
  packet[10] = 0;
  packet[11] = 0;
  let sum = 0;
  for (let i = 0; i < ((packet[0] as number) & 15) * 4; i += 2) {
    sum += ((packet[i] as number) << 8) | (packet[i + 1] as number);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  packet[10] = (~sum >>> 8) & 0xff;
  packet[11] = ~sum & 0xff;
  return packet;
}

/** A packet with one byte of its header changed and the checksum made right again. */
function with8(at: number, value: number): Uint8Array {
  const packet = icmpPacket();
  packet[at] = value;
  return seal(packet);
}

describe('RFC 1122 §3.2.1 the IP header', () => {
  test.each([
    ['no byte at all', new Uint8Array(0), DropReason.ipTruncated],
    ['19 bytes', icmpPacket().slice(0, 19), DropReason.ipTruncated],
    ['§3.2.1.1 version 5', with8(0, 0x55), DropReason.ipVersion],
    ['version 6 to no address of ours', fromHex('60'.padEnd(80, '0')), DropReason.ipNotForUs],
    ['a header length of 16', with8(0, 0x44), DropReason.ipHeaderLength],
    ['a header longer than the packet', with8(0, 0x4f), DropReason.ipHeaderLength],
    ['a total length beyond the frame', with8(3, 200), DropReason.ipTotalLength],
    ['a total length below the header', with8(3, 19), DropReason.ipTotalLength],
  ])('%s is dropped silently', (_name, packet, reason) => {
    expect(host.in(packet)).toBe(reason);
    expect(host.stack.counters.drops[reason]).toBe(1);
    expect(host.out()).toEqual([]);
  });

  test('§3.2.1.2 a wrong header checksum is dropped silently', () => {
    const packet = icmpPacket();
    packet[8] = 63;
    expect(host.in(packet)).toBe(DropReason.ipChecksum);
    expect(host.out()).toEqual([]);
  });

  test('bytes behind the total length are link padding and ignored', () => {
    const padded = new Uint8Array(64);
    padded.set(icmpPacket({ payload: 'abc' }));
    expect(host.in(padded)).toBe(0);
    expect(host.out()).toMatchObject([{ payload: payloadBytes('abc') }]);
  });

  test('each frame of a batch has its own verdict, and each interface counts', () => {
    const batch = createFrameBatch(3, 300);
    const bad = icmpPacket();
    bad[8] = 1;
    for (const [i, packet] of [icmpPacket(), bad, icmpPacket()].entries()) {
      batch.bytes.set(packet, i * 64);
      batch.table.set([i * 64, packet.length, 0, 0, 0, 0, 0, 99], i * 8);
    }
    batch.count = 3;
    host.stack.input(host.index, batch);
    expect([0, 1, 2].map((i) => batch.table[i * 8 + FRAME_VERDICT])).toEqual([0, DropReason.ipChecksum, 0]);
    const view = host.stack.interfaces.find((held) => held.index === host.index);
    expect(view).toMatchObject({ inPackets: 3, inBytes: 84 });
    expect(host.out()).toHaveLength(2);
    expect(view).toMatchObject({ outPackets: 2, outBytes: 56 });
  });
});

describe('RFC 1122 §3.2.1.3 addresses', () => {
  test.each([
    ['another host', '10.0.0.3'],
    ['another network', '192.0.2.1'],
    ['127.0.0.1 from outside', '127.0.0.1'],
    ['a group that we did not join', '224.0.0.9'],
    ['the any-address', '0.0.0.0'],
  ])('a packet for %s is not for us', (_name, dst) => {
    expect(host.in(udpPacket({ dst, destinationPort: 9 }))).toBe(DropReason.ipNotForUs);
    expect(host.out()).toEqual([]);
  });

  test('RFC 1122 §3.3.4.2 an address of another interface is not for us here (strong host)', () => {
    host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['192.0.2.7/24'] });
    expect(host.in(udpPacket({ dst: '192.0.2.7' }))).toBe(DropReason.ipNotForUs);
  });

  test('broadcast, subnet broadcast and all-hosts are for us', () => {
    for (const dst of ['255.255.255.255', '10.0.0.255', '10.0.0.0', '224.0.0.1']) {
      expect(host.in(udpPacket({ dst, destinationPort: 9 }))).toBe(DropReason.udpNoListener);
    }
  });

  test.each([
    ['the limited broadcast', '255.255.255.255'],
    ['our subnet’s broadcast', '10.0.0.255'],
    ['a multicast group', '224.0.0.1'],
    ['class E', '240.0.0.1'],
    ['loopback', '127.0.0.1'],
    ['network zero', '0.1.2.3'],
    ['the any-address, to one host', '0.0.0.0'],
    ['ourselves (LAND)', '10.0.0.2'],
  ])('a source that is %s is dropped silently', (_name, src) => {
    expect(host.in(icmpPacket({ src }))).toBe(DropReason.ipSourceAddress);
    expect(host.out()).toEqual([]);
  });

  test('who has no address yet may call to all', () => {
    expect(host.in(udpPacket({ src: '0.0.0.0', dst: '255.255.255.255', destinationPort: 68 }))).toBe(
      DropReason.udpNoListener,
    );
  });
});

describe('RFC 1122 §3.2.1.8 options', () => {
  test('RFC 7126 §4.8 options that ask nothing of us, a router alert among them, do no harm', () => {
    for (const ipOptions of ['01010100', '94040000', '0707040000000000', '440c05000000000000000000']) {
      expect(host.in(icmpPacket({ ipOptions: fromHex(ipOptions) }))).toBe(0);
    }
    expect(host.out()).toHaveLength(4);
  });

  test('RFC 7126 §4.3, §4.4 source routes, loose and strict, are dropped without an answer', () => {
    for (const ipOptions of ['830704c0000201', '890704c0000201']) {
      expect(host.in(icmpPacket({ ipOptions: fromHex(ipOptions) }))).toBe(DropReason.ipSourceRoute);
    }
    expect(host.out()).toEqual([]);
  });

  test('§3.2.2.5 a malformed option is answered with a parameter problem that points at it', () => {
    const packet = udpPacket({ ipOptions: fromHex('01 07 01 04') });
    expect(host.in(packet)).toBe(DropReason.ipOptions);
    const [error] = host.out();
    expect(error).toMatchObject({ type: IcmpV4Type.parameterProblem, code: 0, rest: 22 << 24 });
    expect(error?.payload).toEqual(packet);
  });
});

describe('protocols', () => {
  test('§3.2.2.1 an unknown protocol is answered with protocol unreachable', () => {
    const packet = ipv4Packet(99, payloadBytes(30));
    expect(host.in(packet)).toBe(DropReason.ipProtocolUnknown);
    const [error] = host.out();
    expect(error).toMatchObject({
      type: IcmpV4Type.destinationUnreachable,
      code: IcmpV4Unreachable.protocol,
    });
    expect(error?.payload).toEqual(packet);
  });

  test('frames for an interface that is gone are counted', () => {
    const second = host.stack.addInterface({ name: 'second', mtu: 1500, addresses: ['192.0.2.7/24'] });
    host.stack.removeInterface(second);
    expect(host.stack.inputPacket(second, icmpPacket())).toBe(DropReason.interfaceDown);
    expect(host.stack.takePacket(second)).toBeNull();
    const batch = createFrameBatch(1, 100);
    batch.count = 1;
    host.stack.input(second, batch);
    expect(batch.table[FRAME_VERDICT]).toBe(DropReason.interfaceDown);
    expect(host.stack.counters.drops[DropReason.interfaceDown]).toBe(2);
  });
});

describe('Ethernet', () => {
  const MAC = fromHex('020000000002');
  const PEER_MAC = fromHex('020000000001');

  beforeEach(() => {
    host = makeHost({ medium: 'ethernet', mac: MAC });
    host.pass(20_000);
    host.outBytes();
  });

  test('RFC 894 a frame to our MAC address is taken, and the answer goes to the neighbour’s', () => {
    host.stack.addNeighbor(host.index, ip('10.0.0.1'), PEER_MAC);
    expect(host.in(ethernetFrame(icmpPacket({ payload: 'abc' })))).toBe(0);
    const [frame] = host.outBytes() as [Uint8Array];
    expect(frame.slice(0, 14)).toEqual(fromHex('020000000001 020000000002 0800'));
    expect(readPacket(frame.slice(14))).toMatchObject({ dst: '10.0.0.1', payload: payloadBytes('abc') });
  });

  test('packets to other networks go to the gateway’s MAC address', () => {
    host.stack.addNeighbor(host.index, ip('10.0.0.1'), PEER_MAC);
    const udp = host.stack.openUdp();
    udp.send(new Uint8Array(1), 0, 1, ip('192.0.2.1'), 9);
    expect(host.outBytes()[0]?.slice(0, 6)).toEqual(PEER_MAC);
  });

  test('RFC 1112 §6.4 groups have MAC addresses of their own, broadcasts all ones', () => {
    const udp = host.stack.openUdp();
    udp.broadcast = true;
    for (const address of ['239.129.2.3', '255.255.255.255', '10.0.0.255']) {
      udp.send(new Uint8Array(1), 0, 1, ip(address), 9);
    }
    expect(host.outBytes().map((frame) => frame.slice(0, 6))).toEqual([
      fromHex('01005e010203'),
      fromHex('ffffffffffff'),
      fromHex('ffffffffffff'),
    ]);
  });

  test.each([
    ['a frame for another station', ethernetFrame(icmpPacket(), '020000000009'), DropReason.frameNotForUs],
    ['a frame of 13 bytes', new Uint8Array(13), DropReason.frameTruncated],
    [
      'IPv4 in a frame of IPv6',
      ethernetFrame(icmpPacket(), undefined, undefined, 0x86dd),
      DropReason.ipv6Truncated,
    ],
    ['no ARP', ethernetFrame(icmpPacket(), undefined, undefined, 0x0806), DropReason.arpUnsupported],
    [
      'an 802.3 length',
      ethernetFrame(icmpPacket(), undefined, undefined, 0x0100),
      DropReason.etherTypeUnknown,
    ],
  ])('RFC 1122 §2.3.3 %s is dropped', (_name, frame, reason) => {
    expect(host.in(frame)).toBe(reason);
    expect(host.stack.counters.drops[reason]).toBe(1);
  });

  test('RFC 1122 §2.4, §3.3.6 a link broadcast that carries a packet to one host is dropped', () => {
    expect(host.in(ethernetFrame(icmpPacket(), 'ffffffffffff'))).toBe(DropReason.ipNotForUs);
    expect(host.out()).toEqual([]);
  });

  test('an Ethernet interface without a MAC address is refused', () => {
    expect(() => host.stack.addInterface({ name: 'x', mtu: 1500, medium: 'ethernet' })).toThrow(RangeError);
  });
});
