import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createFrameBatch,
  createTransmitBatch,
  FRAME_CSUM_VALID,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_VERDICT,
  GSO_UDP_L4,
  IpAddress,
  OFFLOAD_CSUM,
  TX_CAUSE,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
} from '../../../src/base/index.ts';
import { Cause, EndpointEvent, StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import { DropReason, IcmpV4Type, IcmpV4Unreachable } from '../../../src/wire/index.ts';
import { icmpPacket, readPacket, udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

const PEER = ip('10.0.0.1');
let host: HostUnderTest;
let udp: UdpEndpoint;

beforeEach(() => {
  host = makeHost();
  udp = host.stack.openUdp();
});

function send(
  endpoint: UdpEndpoint,
  payload: Uint8Array,
  address: IpAddress | null = PEER,
  port = 53,
): number {
  return endpoint.send(payload, 0, payload.length, address, port);
}

describe('RFC 768 sending', () => {
  test('a datagram leaves with both ports, its length and a right checksum', () => {
    udp.bind(IpAddress.anyV4, 5353);
    expect(send(udp, pattern(33))).toBe(33);
    expect(host.out()).toMatchObject([
      { src: '10.0.0.2', dst: '10.0.0.1', sourcePort: 5353, destinationPort: 53, payload: pattern(33) },
    ]);
    expect(host.stack.counters.udpOutDatagrams).toBe(1);
  });

  test('an empty datagram is a datagram (SEM-IO-11)', () => {
    expect(send(udp, pattern(0))).toBe(0);
    expect(host.out()).toMatchObject([{ payload: new Uint8Array(0) }]);
  });

  test('the bytes are copied at the call: changing them after changes nothing', () => {
    const payload = pattern(10);
    send(udp, payload);
    payload.fill(0);
    expect(host.out()[0]?.payload).toEqual(pattern(10));
  });

  test('a sum that comes out as zero is sent as its other representation, all ones', () => {
    udp.bind(IpAddress.anyV4, 1000);
    // The last two bytes are chosen so that the sum of all the others is complemented by them.
    let zero: Uint8Array | null = null;
    for (let word = 0; word < 0x10000 && zero === null; word++) {
      send(udp, Uint8Array.of(word >> 8, word & 0xff));
      const packet = host.stack.takePacket(host.index) as Uint8Array;
      if (packet[26] === 0xff && packet[27] === 0xff) zero = packet;
      expect(packet[26] === 0 && packet[27] === 0).toBe(false);
    }
    expect(zero).not.toBeNull();
  });

  test('TTL, traffic class and DF are what the endpoint says, the defaults otherwise', () => {
    send(udp, pattern(1));
    udp.ttl = 9;
    udp.trafficClass = 0xb8;
    udp.dontFragment = true;
    send(udp, pattern(1));
    expect(host.out()).toMatchObject([
      { ttl: 64, trafficClass: 0, dontFragment: false },
      { ttl: 9, trafficClass: 0xb8, dontFragment: true },
    ]);
  });

  test('an unbound endpoint takes an ephemeral port at its first send and keeps it', () => {
    send(udp, pattern(1));
    const { localPort } = udp;
    expect(localPort).toBeGreaterThanOrEqual(49152);
    send(udp, pattern(1));
    expect(host.out().map((packet) => packet.sourcePort)).toEqual([localPort, localPort]);
  });

  test('RFC 1122 §4.1.3.3 more than fits into an IP packet is messageTooLong, also with DF more than the path takes', () => {
    expect(send(udp, pattern(65508))).toBe(StackError.messageTooLong);
    expect(send(udp, pattern(65507))).toBe(65507);
    udp.dontFragment = true;
    host.outBytes();
    expect(send(udp, pattern(1473))).toBe(StackError.messageTooLong);
    expect(send(udp, pattern(1472))).toBe(1472);
    expect(host.out()).toHaveLength(1);
  });

  test('without a route, a peer or a port the send says so', () => {
    const lonely = makeHost({ addresses: [] }).stack.openUdp();
    expect(send(lonely, pattern(1))).toBe(StackError.networkUnreachable);
    expect(send(udp, pattern(1), null)).toBe(StackError.notConnected);
    expect(send(udp, pattern(1), IpAddress.anyV4)).toBe(StackError.addressNotAvailable);
    expect(send(udp, pattern(1), PEER, 0)).toBe(StackError.addressNotAvailable);
    expect(send(udp, pattern(1), ip('2001:db8::1'))).toBe(StackError.addressNotAvailable);
  });

  test('a broadcast needs the option that allows it', () => {
    for (const address of ['255.255.255.255', '10.0.0.255']) {
      udp.broadcast = false;
      expect(send(udp, pattern(1), ip(address))).toBe(StackError.broadcastDenied);
      expect(udp.connect(ip(address), 9)).toBe(StackError.broadcastDenied);
      udp.broadcast = true;
      expect(send(udp, pattern(1), ip(address))).toBe(1);
      expect(host.out()).toMatchObject([{ dst: address, src: '10.0.0.2' }]);
    }
  });

  test('RFC 1112 §6.1 a multicast leaves with TTL 1 unless the endpoint says otherwise', () => {
    send(udp, pattern(1), ip('224.0.0.251'));
    udp.multicastTtl = 7;
    send(udp, pattern(1), ip('224.0.0.251'));
    expect(host.out().map((packet) => packet.ttl)).toEqual([1, 7]);
  });

  test('the send queue is bounded: past it wouldBlock, and writable once the link has taken some', () => {
    udp.sendBufferSize = 4000;
    const answers = [1, 2, 3, 4, 5].map(() => send(udp, pattern(1000)));
    expect(answers).toEqual([1000, 1000, 1000, StackError.wouldBlock, StackError.wouldBlock]);
    host.outBytes();
    host.stack.flushEvents();
    expect(host.events).toEqual([{ endpoint: udp, events: EndpointEvent.writable }]);
    expect(send(udp, pattern(1000))).toBe(1000);
  });

  test('a flood of empty datagrams is bounded too', () => {
    let count = 0;
    while (send(udp, pattern(0)) === 0 && count < 100_000) count++;
    expect(count).toBeLessThanOrEqual(8192);
    expect(host.out()).toHaveLength(count);
  });

  test('one message larger than the whole send buffer still goes, alone', () => {
    udp.sendBufferSize = 0;
    expect(send(udp, pattern(3000))).toBe(3000);
    expect(send(udp, pattern(1))).toBe(StackError.wouldBlock);
    expect(host.outBytes()).toHaveLength(3);
  });

  test('what was sent before close still leaves, and all memory comes back', () => {
    send(udp, pattern(5000));
    udp.close();
    expect(host.outBytes()).toHaveLength(4);
    expect(host.allocator.inUse).toBe(0);
    expect(send(udp, pattern(1))).toBe(StackError.invalid);
  });
});

describe('offload', () => {
  test('over a link that completes checksums the field holds the folded pseudo-header sum, and the frame says where', () => {
    const offloading = makeHost({ offload: OFFLOAD_CSUM });
    const endpoint = offloading.stack.openUdp();
    send(endpoint, pattern(100));
    const batch = createTransmitBatch(4);
    expect(offloading.stack.output(offloading.index, batch)).toBe(1);
    expect(batch.table[TX_FLAGS]).toBe(FRAME_NEEDS_CSUM);
    expect(batch.table[TX_CSUM_START]).toBe(20);
    expect(batch.table[TX_CSUM_OFFSET]).toBe(6);
    expect(batch.table[TX_CAUSE]).toBe(Cause.datagram);
    expect(batch.owners[0]).toBe(endpoint);
    // 10.0.0.2 + 10.0.0.1 + 17 + 108
    expect(((batch.headers[26] as number) << 8) | (batch.headers[27] as number)).toBe(0x1400 + 3 + 17 + 108);
    clearTransmitBatch(batch);
    // As single packets the checksum is completed.
    send(endpoint, pattern(101));
    expect(readPacket(offloading.stack.takePacket(offloading.index)).payload).toEqual(pattern(101));
  });

  test('fragments carry a full checksum even so: no device completes one across fragments', () => {
    const offloading = makeHost({ offload: OFFLOAD_CSUM });
    const receiver = makeHost();
    const endpoint = offloading.stack.openUdp();
    const taker = receiver.stack.openUdp();
    taker.bind(IpAddress.anyV4, 53);
    receiver.stack.addAddress(receiver.index, '10.0.0.1/24');
    receiver.stack.removeAddress(receiver.index, ip('10.0.0.2'));
    send(endpoint, pattern(4000));
    for (const packet of offloading.outBytes()) receiver.in(packet);
    expect(receive(taker)).toEqual(pattern(4000));
  });

  test.each([
    ['a partial checksum', FRAME_NEEDS_CSUM],
    ['a checksum that the device verified', FRAME_CSUM_VALID],
  ])('%s is trusted, whatever the field holds', (_name, flags) => {
    udp.bind(IpAddress.anyV4, 53);
    const packet = udpPacket({ payload: 'abc' });
    packet[26] = 1;
    const batch = createFrameBatch(1, 100);
    batch.bytes.set(packet);
    batch.table[FRAME_LENGTH] = packet.length;
    batch.table[FRAME_FLAGS] = flags;
    batch.count = 1;
    host.stack.input(host.index, batch);
    expect(batch.table[FRAME_VERDICT]).toBe(0);
    expect(batch.owners[0]).toBe(udp);
    expect(receive(udp)).toEqual(new TextEncoder().encode('abc'));
  });

  test('datagrams that the device merged are received one by one', () => {
    udp.bind(IpAddress.anyV4, 53);
    const packet = udpPacket({ payload: 250 });
    const batch = createFrameBatch(1, 500);
    batch.bytes.set(packet);
    batch.table[FRAME_LENGTH] = packet.length;
    batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
    batch.table[FRAME_GSO_TYPE] = GSO_UDP_L4;
    batch.table[FRAME_GSO_SIZE] = 100;
    batch.count = 1;
    host.stack.input(host.index, batch);
    const lengths = [receive(udp), receive(udp), receive(udp)].map((bytes) => (bytes as Uint8Array).length);
    expect(lengths).toEqual([100, 100, 50]);
    expect(receive(udp)).toBe(StackError.wouldBlock);
  });
});

describe('RFC 1122 §4.1 receiving', () => {
  beforeEach(() => {
    udp.bind(IpAddress.anyV4, 53);
  });

  test('§4.1.3.5 a datagram arrives with its source, destination, interface, TTL and traffic class', () => {
    expect(host.in(udpPacket({ payload: 'hello', ttl: 17, trafficClass: 0x20 }))).toBe(0);
    const info = makeInfo();
    expect(receive(udp, info)).toEqual(new TextEncoder().encode('hello'));
    expect(String(info.source)).toBe('10.0.0.1');
    expect(String(info.destination)).toBe('10.0.0.2');
    expect(info).toMatchObject({
      sourcePort: 1025,
      interfaceIndex: host.index,
      ttl: 17,
      trafficClass: 0x20,
      length: 5,
    });
    host.stack.flushEvents();
    expect(host.events).toEqual([{ endpoint: udp, events: EndpointEvent.readable }]);
  });

  test('messages are received whole and in order; what does not fit is lost with its message', () => {
    host.in(udpPacket({ payload: 10 }));
    host.in(udpPacket({ payload: 3 }));
    expect(udp.nextLength).toBe(10);
    expect(udp.queuedBytes).toBe(13);
    const info = makeInfo();
    expect(udp.receive(new Uint8Array(4), 0, 4, info)).toBe(4);
    expect(info.length).toBe(10);
    expect(udp.nextLength).toBe(3);
    expect(receive(udp)).toHaveLength(3);
    expect(udp.nextLength).toBe(-1);
    expect(receive(udp)).toBe(StackError.wouldBlock);
  });

  test('a peek leaves the message', () => {
    host.in(udpPacket({ payload: 'abc' }));
    const into = new Uint8Array(8);
    expect(udp.receive(into, 2, 6, makeInfo(), true)).toBe(3);
    expect(into).toEqual(Uint8Array.of(0, 0, 97, 98, 99, 0, 0, 0));
    expect(udp.nextLength).toBe(3);
  });

  test('SEM-IO-11 an empty datagram is received as one of length 0', () => {
    host.in(udpPacket());
    expect(udp.nextLength).toBe(0);
    expect(receive(udp)).toEqual(new Uint8Array(0));
  });

  test('SEM-IO-16 past the receive buffer the newest is dropped, and counted', () => {
    udp.receiveBufferSize = 2500;
    const verdicts = [1000, 1000, 1000, 500].map((payload) => host.in(udpPacket({ payload })));
    expect(verdicts).toEqual([0, 0, DropReason.udpQueueFull, 0]);
    expect(host.stack.counters.drops[DropReason.udpQueueFull]).toBe(1);
    expect(host.stack.counters.udpInErrors).toBe(1);
  });

  test('a flood of empty datagrams is bounded, and the memory comes back when all is read', () => {
    let taken = 0;
    for (let i = 0; i < 5000; i++) if (host.in(udpPacket()) === 0) taken++;
    expect(taken).toBe(1024);
    expect(host.allocator.inUse).toBeLessThanOrEqual(1 << 17);
    while (receive(udp) !== StackError.wouldBlock);
    expect(host.allocator.inUse).toBe(0);
  });

  test('§4.1.3.4 a wrong checksum is dropped silently, none at all is accepted', () => {
    const packet = udpPacket({ payload: 'abc' });
    packet[30] = (packet[30] as number) ^ 1;
    expect(host.in(packet)).toBe(DropReason.udpChecksum);
    expect(host.in(udpPacket({ hasChecksum: false }))).toBe(0);
    expect(host.out()).toEqual([]);
    expect(host.stack.counters.udpInErrors).toBe(1);
  });

  test('a UDP length beyond the packet or below its header is dropped', () => {
    const tooLong = udpPacket({ payload: 4, hasChecksum: false });
    tooLong[25] = 13;
    expect(host.in(tooLong)).toBe(DropReason.udpLength);
    const tooShort = udpPacket({ payload: 4, hasChecksum: false });
    tooShort[25] = 7;
    expect(host.in(tooShort)).toBe(DropReason.udpLength);
  });

  test('§4.1.3.1 a datagram for a port that nobody has is answered with port unreachable that quotes it', () => {
    const packet = udpPacket({ destinationPort: 99, payload: 'abc' });
    expect(host.in(packet)).toBe(DropReason.udpNoListener);
    const [error] = host.out();
    expect(error).toMatchObject({
      type: IcmpV4Type.destinationUnreachable,
      code: IcmpV4Unreachable.port,
      dst: '10.0.0.1',
    });
    expect(error?.payload).toEqual(packet);
    expect(host.stack.counters.udpNoPorts).toBe(1);
  });

  test('§4.1.3.1 a datagram with a partial checksum is quoted with the whole one', () => {
    const packet = udpPacket({ destinationPort: 99, payload: 1200 });
    const batch = createFrameBatch(1, 1500);
    batch.bytes.set(packet);
    batch.bytes[26] = 1;
    batch.table[FRAME_LENGTH] = packet.length;
    batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
    batch.count = 1;
    host.stack.input(host.index, batch);
    const [error] = host.out();
    expect(error?.payload).toEqual(packet.subarray(0, 548));
  });

  test('§4.1.3.5 a broadcast goes to every endpoint of the port, a unicast to one', () => {
    const other = host.stack.openUdp();
    udp.close();
    const first = host.stack.openUdp();
    first.bind(IpAddress.anyV4, 53, { sharing: 'reuse' });
    other.bind(IpAddress.anyV4, 53, { sharing: 'reuse' });
    host.in(udpPacket({ dst: '10.0.0.255', payload: 1 }));
    host.in(udpPacket({ dst: '255.255.255.255', payload: 2 }));
    host.in(udpPacket({ payload: 3 }));
    expect([first.queuedBytes, other.queuedBytes]).toEqual([6, 3]);
  });

  test('a broadcast also goes to who is bound to an address of its interface, as Windows has it, and to no other', () => {
    udp.close();
    const [here, loopback] = [host.stack.openUdp(), host.stack.openUdp()];
    here.bind(ip('10.0.0.2'), 53);
    loopback.bind(IpAddress.loopbackV4, 53);
    expect(host.in(udpPacket({ dst: '255.255.255.255', payload: 2 }))).toBe(0);
    expect([here.nextLength, loopback.nextLength]).toEqual([2, -1]);
  });

  test('a broadcast that nobody takes is not answered', () => {
    expect(host.in(udpPacket({ dst: '10.0.0.255', destinationPort: 99 }))).toBe(DropReason.udpNoListener);
    expect(host.out()).toEqual([]);
  });

  test('close gives the port and the memory back', () => {
    host.in(udpPacket({ payload: 1000 }));
    udp.close();
    expect(host.allocator.inUse).toBe(0);
    expect([...host.stack.endpoints()]).toEqual([]);
    expect(host.stack.openUdp().bind(IpAddress.anyV4, 53)).toBe(0);
    expect(udp.receive(new Uint8Array(1), 0, 1, makeInfo())).toBe(StackError.invalid);
    udp.close();
  });

  test('an endpoint that was closed is not told of what arrived before', () => {
    host.in(udpPacket());
    udp.close();
    host.stack.flushEvents();
    expect(host.events).toEqual([]);
  });
});

describe('bind', () => {
  test('an address that is not ours can not be bound', () => {
    expect(udp.bind(ip('10.0.0.9'), 53)).toBe(StackError.addressNotAvailable);
    expect(udp.bind(ip('224.0.0.1'), 53)).toBe(StackError.addressNotAvailable);
    expect(udp.bind(ip('::1'), 53)).toBe(StackError.addressNotAvailable);
    expect(udp.bind(IpAddress.broadcastV4, 53)).toBe(StackError.broadcastDenied);
    expect(udp.bind(ip('127.0.0.77'), 53)).toBe(0);
  });

  test('a second bind is invalid', () => {
    udp.bind(IpAddress.anyV4, 53);
    expect(udp.bind(IpAddress.anyV4, 54)).toBe(StackError.invalid);
  });

  test('SEM-BIND-16 the specific one gets the datagram', () => {
    const specific = host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 53);
    expect(specific.bind(ip('10.0.0.2'), 53)).toBe(0);
    host.in(udpPacket());
    expect([udp.nextLength, specific.nextLength]).toEqual([-1, 0]);
  });

  test('the sharing rules are those of the matrix, owner by owner', () => {
    const other = host.stack.openUdp();
    udp.bind(IpAddress.anyV4, 53, { sharing: 'reuse', owner: 1 });
    expect(other.bind(IpAddress.anyV4, 53, { sharing: 'none', owner: 1 })).toBe(StackError.addressInUse);
    expect(other.bind(ip('10.0.0.2'), 53, { sharing: 'exclusive', owner: 2 })).toBe(StackError.accessDenied);
    expect(other.bind(IpAddress.anyV4, 53, { sharing: 'reuse', owner: 2 })).toBe(0);
  });
});

describe('connect', () => {
  test('fixes the source, the destination and who may answer', () => {
    expect(udp.connect(PEER, 53)).toBe(0);
    expect(String(udp.localAddress)).toBe('10.0.0.2');
    send(udp, pattern(5), null);
    expect(host.out()).toMatchObject([{ dst: '10.0.0.1', destinationPort: 53, sourcePort: udp.localPort }]);
    const { localPort } = udp;
    expect(host.in(udpPacket({ sourcePort: 53, destinationPort: localPort }))).toBe(0);
    expect(host.in(udpPacket({ sourcePort: 54, destinationPort: localPort }))).toBe(DropReason.udpWrongPeer);
    expect(host.in(udpPacket({ src: '10.0.0.7', sourcePort: 53, destinationPort: localPort }))).toBe(
      DropReason.udpWrongPeer,
    );
  });

  test('SEM-IO-17 a send with an address goes there and leaves the peer as it is', () => {
    udp.connect(PEER, 53);
    send(udp, pattern(1), ip('10.0.0.7'), 99);
    send(udp, pattern(2), null);
    expect(host.out()).toMatchObject([
      { dst: '10.0.0.7', destinationPort: 99 },
      { dst: '10.0.0.1', destinationPort: 53 },
    ]);
  });

  test('may be repeated, and the any-address undoes it', () => {
    udp.bind(IpAddress.anyV4, 1000);
    udp.connect(PEER, 53);
    udp.connect(ip('10.0.0.7'), 54);
    expect(host.in(udpPacket({ sourcePort: 53, destinationPort: 1000 }))).toBe(DropReason.udpWrongPeer);
    expect(host.in(udpPacket({ src: '10.0.0.7', sourcePort: 54, destinationPort: 1000 }))).toBe(0);
    expect(udp.connect(IpAddress.anyV4, 0)).toBe(0);
    expect(udp.localAddress.isAny).toBe(true);
    expect(host.in(udpPacket({ sourcePort: 53, destinationPort: 1000 }))).toBe(0);
    expect(send(udp, pattern(1), null)).toBe(StackError.notConnected);
  });

  test('a datagram from the peer goes to the endpoint that is connected to it, others to the one that is not', () => {
    const server = host.stack.openUdp();
    server.bind(IpAddress.anyV4, 1000, { sharing: 'reuse' });
    udp.bind(IpAddress.anyV4, 1000, { sharing: 'reuse' });
    udp.connect(PEER, 53);
    host.in(udpPacket({ sourcePort: 53, destinationPort: 1000 }));
    host.in(udpPacket({ sourcePort: 54, destinationPort: 1000 }));
    expect([udp.nextLength, server.nextLength]).toEqual([0, 0]);
  });
});

describe('RFC 1122 §4.1.3.3 ICMP messages', () => {
  function answer(type: number, code: number): void {
    const quoted = host.outBytes()[0] as Uint8Array;
    host.in(icmpPacket({ src: '10.0.0.99', type, code, rest: 0, payload: quoted.slice(0, 28) }));
  }

  test('SEM-IO-12 port unreachable fails the next receive once, of an unconnected endpoint too', () => {
    send(udp, pattern(4));
    answer(IcmpV4Type.destinationUnreachable, IcmpV4Unreachable.port);
    host.stack.flushEvents();
    expect(host.events).toEqual([{ endpoint: udp, events: EndpointEvent.readable }]);
    expect(udp.pendingError).toBe(StackError.connectionReset);
    expect(receive(udp)).toBe(StackError.connectionReset);
    expect(receive(udp)).toBe(StackError.wouldBlock);
  });

  test('SEM-IO-13 an expired TTL is networkReset', () => {
    udp.connect(PEER, 53);
    send(udp, pattern(4), null);
    answer(IcmpV4Type.timeExceeded, 0);
    expect(receive(udp)).toBe(StackError.networkReset);
  });

  test('neither is told when the endpoint does not want to know', () => {
    udp.reportsPortUnreachable = false;
    udp.reportsTtlExpired = false;
    send(udp, pattern(4));
    answer(IcmpV4Type.destinationUnreachable, IcmpV4Unreachable.port);
    send(udp, pattern(4));
    answer(IcmpV4Type.timeExceeded, 0);
    expect(receive(udp)).toBe(StackError.wouldBlock);
  });

  test('an error about another port or peer is nothing to a connected endpoint', () => {
    udp.connect(PEER, 53);
    send(udp, pattern(1), null);
    const quoted = host.outBytes()[0] as Uint8Array;
    quoted[23] = 54;
    host.in(icmpPacket({ type: 3, code: 3, rest: 0, payload: quoted.slice(0, 28) }));
    expect(udp.pendingError).toBe(0);
  });
});
