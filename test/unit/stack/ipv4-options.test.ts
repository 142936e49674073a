/** IPv4 options of a host (RFC 791 §3.1, RFC 1122 §3.2.1.8), and copies of its own broadcasts. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { fromHex, IpAddress, OFFLOAD_CSUM, OFFLOAD_USO } from '../../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import { DropReason, IcmpV4Type } from '../../../src/wire/index.ts';
import { icmpPacket, ipv4Packet, udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

const PEER = ip('10.0.0.1');
let host: HostUnderTest;
let udp: UdpEndpoint;

beforeEach(() => {
  host = makeHost();
  udp = host.stack.openUdp();
});

/** The options in a packet's header, as hex. */
function optionsOf(packet: Uint8Array | undefined): string {
  if (packet === undefined) return '';
  return Buffer.from(packet.subarray(20, ((packet[0] as number) & 0xf) << 2)).toString('hex');
}

/** What comes back for an echo request with these options. */
function echoed(options: string): string {
  host.in(icmpPacket({ ipOptions: fromHex(options), payload: 8 }));
  return optionsOf(host.outBytes()[0]);
}

describe('RFC 1122 §3.2.2.6 options of echo requests go on in the replies', () => {
  test('a record route has our address added', () => {
    // RR, length 11, pointer 8: one address taken down, room for one more; padding
    expect(echoed('070b08 c0000201 00000000 00')).toBe('070b0cc00002010a00000200');
  });

  test('a record route that is full goes back as it came, not cut', () => {
    expect(echoed('07070800000001 00')).toBe('0707080000000100');
  });

  test('timestamps alone: ours is marked as no time of day (RFC 791), and the pointer moves on', () => {
    host.now = 0x1234;
    expect(echoed('440c0500 00000000 00000000')).toBe('440c0900' + '80001234' + '00000000');
  });

  test('timestamps with addresses: ours is taken down with it', () => {
    host.now = 1;
    expect(echoed('440c0501 00000000 00000000')).toBe('440c0d01' + '0a000002' + '80000001');
  });

  test('timestamps of named hosts: ours only when we are the next', () => {
    host.now = 1;
    expect(echoed('440c0503 0a000002 00000000')).toBe('440c0d03' + '0a000002' + '80000001');
    expect(echoed('440c0503 0a000009 00000000')).toBe('440c0503' + '0a000009' + '00000000');
  });

  test('without room for a timestamp the overflow is counted; past fifteen the request is in error', () => {
    expect(echoed('44080960 00000001')).toBe('4408097000000001');
    host.in(icmpPacket({ ipOptions: fromHex('440809f0 00000001') }));
    expect(host.out()).toMatchObject([{ type: IcmpV4Type.parameterProblem }]);
  });

  test('router alert and unknown options do not go back', () => {
    expect(echoed('94040000 82040000')).toBe('');
    expect(echoed('94040000 070704 00000000 00')).toBe('0707080a00000200');
  });

  test('our own echo shows what came back', () => {
    const echo = host.stack.openIcmp();
    expect(echo.setIpOptions(fromHex('070704 00000000'))).toBe(0);
    echo.sendEcho(PEER, 1, pattern(4));
    const [request] = host.outBytes();
    expect(optionsOf(request)).toBe('0707040000000000');
    const ipOptions = fromHex('07070801020304 00');
    host.in(icmpPacket({ type: 0, echoId: echo.localPort, sequence: 1, payload: 4, ipOptions }));
    expect(echo.takeReply()?.options).toEqual(ipOptions);
  });
});

describe('OPT-IP_OPTIONS', () => {
  test('what is set goes out padded, and nothing does any more once it is empty', () => {
    udp.setIpOptions(fromHex('94040000 01'));
    expect(udp.ipOptions).toHaveLength(8);
    udp.send(pattern(3), 0, 3, PEER, 53);
    udp.setIpOptions(new Uint8Array(0));
    udp.send(pattern(3), 0, 3, PEER, 53);
    const packets = host.outBytes();
    expect(packets.map(optionsOf)).toEqual(['9404000001000000', '']);
  });

  test('packets with options have right checksums and lengths, with offloads too', () => {
    for (const offload of [0, OFFLOAD_CSUM | OFFLOAD_USO]) {
      host = makeHost({ offload });
      udp = host.stack.openUdp();
      udp.setIpOptions(fromHex('94040000'));
      udp.segmentSize = 1000;
      udp.send(pattern(2500), 0, 2500, PEER, 53);
      expect(host.out().map(({ payload }) => payload.length)).toEqual([1000, 1000, 500]);
    }
  });

  test('RFC 791 §3.1 of a packet that is cut later fragments carry the copied options only', () => {
    udp.setIpOptions(fromHex('94040000 070704 00000000 00'));
    udp.send(pattern(3000), 0, 3000, PEER, 53);
    const packets = host.outBytes();
    expect(packets.map(optionsOf)).toEqual(['940400000707040000000000', '94040000', '94040000']);
    for (const packet of packets) expect(packet.length).toBeLessThanOrEqual(1500);
    const receiver = makeHost();
    receiver.stack.addAddress(receiver.index, '10.0.0.1/24');
    receiver.stack.removeAddress(receiver.index, ip('10.0.0.2'));
    const taker = receiver.stack.openUdp();
    taker.bind(IpAddress.anyV4, 53);
    for (const packet of packets) receiver.in(packet);
    expect(receive(taker)).toEqual(pattern(3000));
  });

  test.each([
    ['a loose source route', '830704 0a000001'],
    ['a strict source route', '890704 0a000001'],
    ['an option longer than all', '0720040000000000'],
    ['more than forty bytes', '01'.repeat(41)],
  ])('%s is refused', (_name, options) => {
    expect(udp.setIpOptions(fromHex(options))).toBe(StackError.invalid);
    expect(udp.ipOptions).toHaveLength(0);
  });

  test('with DF their room counts', () => {
    udp.dontFragment = true;
    udp.setIpOptions(fromHex('94040000'));
    expect(udp.send(pattern(1469), 0, 1469, PEER, 53)).toBe(StackError.messageTooLong);
    expect(udp.send(pattern(1468), 0, 1468, PEER, 53)).toBe(1468);
    expect(udp.send(pattern(65504), 0, 65504, PEER, 53)).toBe(StackError.messageTooLong);
  });
});

describe('RFC 7126 §4.3', () => {
  test('a packet with a source route is dropped, also where it ends', () => {
    expect(host.in(udpPacket({ ipOptions: fromHex('830704 0a000002 00') }))).toBe(DropReason.ipSourceRoute);
  });
});

describe('RFC 1122 §3.3.6 our own broadcasts', () => {
  test.each(['255.255.255.255', '10.0.0.255'])(
    'one to %s leaves, and comes to our own endpoints too',
    (to) => {
      udp.bind(IpAddress.anyV4, 53);
      udp.broadcast = true;
      const bound = host.stack.openUdp();
      bound.bind(ip('10.0.0.2'), 54);
      const sender = host.stack.openUdp();
      sender.broadcast = true;
      sender.send(pattern(5), 0, 5, ip(to), 53);
      sender.send(pattern(6), 0, 6, ip(to), 54);
      expect(host.out().map(({ dst }) => dst)).toEqual([to, to]);
      host.stack.advance();
      const info = makeInfo();
      expect(receive(udp, info)).toHaveLength(5);
      expect(info).toMatchObject({ isGroup: true, interfaceIndex: host.index, sourcePort: sender.localPort });
      expect([String(info.source), String(info.destination)]).toEqual(['10.0.0.2', to]);
      expect(receive(bound)).toHaveLength(6);
      expect(host.stack.counters.udpOutDatagrams).toBe(2);
    },
  );

  test('the sender hears itself when it is bound to the port', () => {
    udp.bind(IpAddress.anyV4, 53);
    udp.broadcast = true;
    udp.send(pattern(2000), 0, 2000, ip('10.0.0.255'), 53);
    host.outBytes();
    host.stack.advance();
    expect(receive(udp)).toEqual(pattern(2000));
    udp.close();
    expect(host.allocator.inUse).toBe(0);
  });

  test('RFC 1122 §3.2.2 nobody here is told that nobody here listens', () => {
    udp.broadcast = true;
    udp.send(pattern(1), 0, 1, IpAddress.broadcastV4, 99);
    host.outBytes();
    host.stack.advance();
    expect(host.out()).toEqual([]);
    expect(udp.pendingError).toBe(0);
  });
});

describe('RFC 6918', () => {
  test.each([13, 15, 17])('RFC 1122 §3.2.2.7, §3.2.2.9 a request of type %i is not answered', (type) => {
    expect(host.in(icmpPacket({ type, payload: 12 }))).toBe(DropReason.icmpTypeUnknown);
    expect(host.out()).toEqual([]);
  });

  test('RFC 1122 §3.2.2.6 an echo request to a broadcast is not answered', () => {
    expect(host.in(icmpPacket({ dst: '10.0.0.255' }))).toBe(DropReason.icmpEchoToGroup);
    expect(host.in(ipv4Packet(99, pattern(4), { dst: '10.0.0.255' }))).toBe(DropReason.ipProtocolUnknown);
    expect(host.out()).toEqual([]);
  });
});
