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
  u16,
} from '../../../src/base/index.ts';
import { Cause, EndpointEvent, StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import {
  DropReason,
  IcmpV4Type,
  IcmpV4Unreachable,
  IcmpV6Type,
  IcmpV6Unreachable,
} from '../../../src/wire/index.ts';
import { type EitherPacket, FAMILY_PACKETS } from '../../support/packets.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

/** The errors of ICMP that an endpoint is told of. */
const ERRORS = {
  4: {
    unreachable: { type: IcmpV4Type.destinationUnreachable, code: IcmpV4Unreachable.port },
    expired: { type: IcmpV4Type.timeExceeded, code: 0 },
  },
  6: {
    unreachable: { type: IcmpV6Type.destinationUnreachable, code: IcmpV6Unreachable.port },
    expired: { type: IcmpV6Type.timeExceeded, code: 0 },
  },
};

describe.each(FAMILY_PACKETS)('UDP over IPv$family', (packets) => {
  const { family, peer, host: own, prefix, headerLength, udp: udpPacket, read } = packets;
  const { unreachable: PORT_UNREACHABLE, expired: EXPIRED } = ERRORS[family];
  const ANY = ip(packets.any);
  const PEER = ip(peer);
  const NEIGHBOR = ip(packets.neighbor(7));
  const sent = (): EitherPacket[] => host.outBytes().map(read);
  let host: HostUnderTest;
  let udp: UdpEndpoint;

  beforeEach(() => {
    host = makeHost({ addresses: [prefix] });
    udp = host.stack.openUdp(family);
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
      udp.bind(ANY, 5353);
      expect(send(udp, pattern(33))).toBe(33);
      expect(sent()).toMatchObject([
        { src: own, dst: peer, sourcePort: 5353, destinationPort: 53, payload: pattern(33) },
      ]);
      expect(host.stack.counters.udpOutDatagrams).toBe(1);
    });

    test('an empty datagram is a datagram (SEM-IO-11)', () => {
      expect(send(udp, pattern(0))).toBe(0);
      expect(sent()).toMatchObject([{ payload: new Uint8Array(0) }]);
    });

    test('the bytes are copied at the call: changing them after changes nothing', () => {
      const payload = pattern(10);
      send(udp, payload);
      payload.fill(0);
      expect(sent()[0]?.payload).toEqual(pattern(10));
    });

    test('a sum that comes out as zero is sent as its other representation, all ones', () => {
      udp.bind(ANY, 1000);
      // The last two bytes are chosen so that the sum of all the others is complemented by them.
      let zero: Uint8Array | null = null;
      for (let word = 0; word < 0x10000 && zero === null; word++) {
        send(udp, Uint8Array.of(word >> 8, word & 0xff));
        const packet = host.stack.takePacket(host.index) as Uint8Array;
        if (u16(packet, headerLength + 6) === 0xffff) zero = packet;
        expect(u16(packet, headerLength + 6) === 0).toBe(false);
      }
      expect(zero).not.toBeNull();
    });

    test('RFC 1122 §3.2.1.6, §3.2.1.7, RFC 8200 §7 TTL, traffic class and DF are what the endpoint says, the defaults otherwise', () => {
      send(udp, pattern(1));
      udp.ttl = 9;
      udp.trafficClass = 0xb8;
      udp.dontFragment = true;
      send(udp, pattern(1));
      const ofV4 = (dontFragment: boolean): object => (family === 4 ? { dontFragment } : {});
      expect(sent()).toMatchObject([
        { hops: 64, trafficClass: 0, ...ofV4(false) },
        { hops: 9, trafficClass: 0xb8, ...ofV4(true) },
      ]);
    });

    test('an unbound endpoint takes an ephemeral port at its first send and keeps it', () => {
      send(udp, pattern(1));
      const { localPort } = udp;
      expect(localPort).toBeGreaterThanOrEqual(49152);
      send(udp, pattern(1));
      expect(sent().map((packet) => packet.sourcePort)).toEqual([localPort, localPort]);
    });

    test('RFC 1122 §4.1.3.3 more than fits into an IP packet is messageTooLong, also with DF more than the path takes', () => {
      const most = family === 4 ? 65_507 : 65_527;
      expect(send(udp, pattern(most + 1))).toBe(StackError.messageTooLong);
      expect(send(udp, pattern(most))).toBe(most);
      udp.dontFragment = true;
      host.outBytes();
      const whole = 1500 - headerLength - 8;
      expect(send(udp, pattern(whole + 1))).toBe(StackError.messageTooLong);
      expect(send(udp, pattern(whole))).toBe(whole);
      expect(sent()).toHaveLength(1);
    });

    test('without a route, a peer or a port the send says so', () => {
      const lonely = makeHost({ addresses: [] }).stack.openUdp(family);
      expect(send(lonely, pattern(1))).toBe(StackError.networkUnreachable);
      expect(send(udp, pattern(1), null)).toBe(StackError.notConnected);
      expect(send(udp, pattern(1), ANY)).toBe(StackError.addressNotAvailable);
      expect(send(udp, pattern(1), PEER, 0)).toBe(StackError.addressNotAvailable);
      expect(send(udp, pattern(1), ip(family === 4 ? '2001:db8::1' : '192.0.2.1'))).toBe(
        StackError.addressNotAvailable,
      );
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
      expect(sent()).toHaveLength(count);
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
      const offloading = makeHost({ addresses: [prefix], offload: OFFLOAD_CSUM });
      const endpoint = offloading.stack.openUdp(family);
      send(endpoint, pattern(100));
      const batch = createTransmitBatch(4);
      expect(offloading.stack.output(offloading.index, batch)).toBe(1);
      expect(batch.table[TX_FLAGS]).toBe(FRAME_NEEDS_CSUM);
      expect(batch.table[TX_CSUM_START]).toBe(headerLength);
      expect(batch.table[TX_CSUM_OFFSET]).toBe(6);
      expect(batch.table[TX_CAUSE]).toBe(Cause.datagram);
      expect(batch.owners[0]).toBe(endpoint);
      // 10.0.0.2 + 10.0.0.1 + 17 + 108; fd00::2 + fd00::1 + 17 + 108, with its carry.
      const sum = family === 4 ? 0x1400 + 3 + 17 + 108 : 0xfa00 + 3 + 17 + 108 + 1;
      expect(u16(batch.headers, headerLength + 6)).toBe(sum);
      clearTransmitBatch(batch);
      // As single packets the checksum is completed.
      send(endpoint, pattern(101));
      expect(read(offloading.stack.takePacket(offloading.index)).payload).toEqual(pattern(101));
    });

    test('fragments carry a full checksum even so: no device completes one across fragments', () => {
      const offloading = makeHost({ addresses: [prefix], offload: OFFLOAD_CSUM });
      const receiver = makeHost({ addresses: [`${peer}${prefix.slice(prefix.indexOf('/'))}`] });
      const endpoint = offloading.stack.openUdp(family);
      const taker = receiver.stack.openUdp(family);
      taker.bind(ANY, 53);
      send(endpoint, pattern(4000));
      for (const packet of offloading.outBytes()) receiver.in(packet);
      expect(receive(taker)).toEqual(pattern(4000));
    });

    test.each([
      ['a partial checksum', FRAME_NEEDS_CSUM],
      ['a checksum that the device verified', FRAME_CSUM_VALID],
    ])('%s is trusted, whatever the field holds', (_name, flags) => {
      udp.bind(ANY, 53);
      const packet = udpPacket({ payload: 'abc' });
      packet[headerLength + 6] = 1;
      const batch = createFrameBatch(1, 200);
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
      udp.bind(ANY, 53);
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
      udp.bind(ANY, 53);
    });

    test('§4.1.3.5 a datagram arrives with its source, destination, interface, TTL and traffic class', () => {
      expect(host.in(udpPacket({ payload: 'hello', hops: 17, trafficClass: 0x20 }))).toBe(0);
      const info = makeInfo();
      expect(receive(udp, info)).toEqual(new TextEncoder().encode('hello'));
      expect(String(info.source)).toBe(peer);
      expect(String(info.destination)).toBe(own);
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

    test('§4.1.3.4, RFC 8200 §8.1 a wrong checksum is dropped silently; none at all is accepted over IPv4', () => {
      const packet = udpPacket({ payload: 'abc' });
      packet[headerLength + 10] = (packet[headerLength + 10] as number) ^ 1;
      expect(host.in(packet)).toBe(DropReason.udpChecksum);
      expect(host.in(udpPacket({ hasChecksum: false }))).toBe(family === 4 ? 0 : DropReason.udpNoChecksum);
      expect(sent()).toEqual([]);
      expect(host.stack.counters.udpInErrors).toBe(family === 4 ? 1 : 2);
    });

    test('a UDP length beyond the packet or below its header is dropped', () => {
      const tooLong = udpPacket({ payload: 4 });
      tooLong[headerLength + 5] = 13;
      expect(host.in(tooLong)).toBe(DropReason.udpLength);
      const tooShort = udpPacket({ payload: 4 });
      tooShort[headerLength + 5] = 7;
      expect(host.in(tooShort)).toBe(DropReason.udpLength);
    });

    test('§4.1.3.1 a datagram for a port that nobody has is answered with port unreachable that quotes it', () => {
      const packet = udpPacket({ destinationPort: 99, payload: 'abc' });
      expect(host.in(packet)).toBe(DropReason.udpNoListener);
      const [error] = sent();
      expect(error).toMatchObject({
        ...PORT_UNREACHABLE,
        dst: peer,
      });
      expect(error?.payload).toEqual(packet);
      expect(host.stack.counters.udpNoPorts).toBe(1);
    });

    test('§4.1.3.1 a datagram with a partial checksum is quoted with the whole one', () => {
      const packet = udpPacket({ destinationPort: 99, payload: 1200 });
      const batch = createFrameBatch(1, 1500);
      batch.bytes.set(packet);
      batch.bytes[headerLength + 6] = 1;
      batch.table[FRAME_LENGTH] = packet.length;
      batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
      batch.count = 1;
      host.stack.input(host.index, batch);
      const [error] = sent();
      expect(error?.payload).toEqual(packet.subarray(0, family === 4 ? 548 : 1232));
    });

    test('close gives the port and the memory back', () => {
      host.in(udpPacket({ payload: 1000 }));
      udp.close();
      expect(host.allocator.inUse).toBe(0);
      expect([...host.stack.endpoints()]).toEqual([]);
      expect(host.stack.openUdp(family).bind(ANY, 53)).toBe(0);
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
      expect(udp.bind(NEIGHBOR, 53)).toBe(StackError.addressNotAvailable);
      expect(udp.bind(ip(family === 4 ? '224.0.0.1' : 'ff02::1'), 53)).toBe(StackError.addressNotAvailable);
      // Of the other family.
      expect(udp.bind(ip(family === 4 ? '::1' : '127.0.0.1'), 53)).toBe(StackError.addressNotAvailable);
      if (family === 4) expect(udp.bind(IpAddress.broadcastV4, 53)).toBe(StackError.broadcastDenied);
      expect(udp.bind(ip(family === 4 ? '127.0.0.77' : '::1'), 53)).toBe(0);
    });

    test('a second bind is invalid', () => {
      udp.bind(ANY, 53);
      expect(udp.bind(ANY, 54)).toBe(StackError.invalid);
    });

    test('SEM-BIND-16 the specific one gets the datagram', () => {
      const specific = host.stack.openUdp(family);
      udp.bind(ANY, 53);
      expect(specific.bind(ip(own), 53)).toBe(0);
      host.in(udpPacket());
      expect([udp.nextLength, specific.nextLength]).toEqual([-1, 0]);
    });

    test('the sharing rules are those of the matrix, owner by owner', () => {
      const other = host.stack.openUdp(family);
      udp.bind(ANY, 53, { sharing: 'reuse', owner: 1 });
      expect(other.bind(ANY, 53, { sharing: 'none', owner: 1 })).toBe(StackError.addressInUse);
      expect(other.bind(ip(own), 53, { sharing: 'exclusive', owner: 2 })).toBe(StackError.accessDenied);
      expect(other.bind(ANY, 53, { sharing: 'reuse', owner: 2 })).toBe(0);
    });
  });

  describe('connect', () => {
    test('fixes the source, the destination and who may answer', () => {
      expect(udp.connect(PEER, 53)).toBe(0);
      expect(String(udp.localAddress)).toBe(own);
      send(udp, pattern(5), null);
      expect(sent()).toMatchObject([{ dst: peer, destinationPort: 53, sourcePort: udp.localPort }]);
      const { localPort } = udp;
      expect(host.in(udpPacket({ sourcePort: 53, destinationPort: localPort }))).toBe(0);
      expect(host.in(udpPacket({ sourcePort: 54, destinationPort: localPort }))).toBe(
        DropReason.udpWrongPeer,
      );
      expect(
        host.in(udpPacket({ src: packets.neighbor(7), sourcePort: 53, destinationPort: localPort })),
      ).toBe(DropReason.udpWrongPeer);
    });

    test('SEM-IO-17 a send with an address goes there and leaves the peer as it is', () => {
      udp.connect(PEER, 53);
      send(udp, pattern(1), NEIGHBOR, 99);
      send(udp, pattern(2), null);
      expect(sent()).toMatchObject([
        { dst: packets.neighbor(7), destinationPort: 99 },
        { dst: peer, destinationPort: 53 },
      ]);
    });

    test('may be repeated, and the any-address undoes it', () => {
      udp.bind(ANY, 1000);
      udp.connect(PEER, 53);
      udp.connect(NEIGHBOR, 54);
      expect(host.in(udpPacket({ sourcePort: 53, destinationPort: 1000 }))).toBe(DropReason.udpWrongPeer);
      expect(host.in(udpPacket({ src: packets.neighbor(7), sourcePort: 54, destinationPort: 1000 }))).toBe(0);
      expect(udp.connect(ANY, 0)).toBe(0);
      expect(udp.localAddress.isAny).toBe(true);
      expect(host.in(udpPacket({ sourcePort: 53, destinationPort: 1000 }))).toBe(0);
      expect(send(udp, pattern(1), null)).toBe(StackError.notConnected);
    });

    test('a datagram from the peer goes to the endpoint that is connected to it, others to the one that is not', () => {
      const server = host.stack.openUdp(family);
      server.bind(ANY, 1000, { sharing: 'reuse' });
      udp.bind(ANY, 1000, { sharing: 'reuse' });
      udp.connect(PEER, 53);
      host.in(udpPacket({ sourcePort: 53, destinationPort: 1000 }));
      host.in(udpPacket({ sourcePort: 54, destinationPort: 1000 }));
      expect([udp.nextLength, server.nextLength]).toEqual([0, 0]);
    });
  });

  describe('RFC 1122 §4.1.3.3 ICMP messages', () => {
    function answer(error: { readonly type: number; readonly code: number }): void {
      const quoted = host.outBytes()[0] as Uint8Array;
      const payload = quoted.slice(0, headerLength + 8);
      host.in(packets.icmp({ src: packets.neighbor(99), ...error, rest: 0, payload }));
    }

    test('SEM-IO-12 port unreachable fails the next receive once, of an unconnected endpoint too', () => {
      send(udp, pattern(4));
      answer(PORT_UNREACHABLE);
      host.stack.flushEvents();
      expect(host.events).toEqual([{ endpoint: udp, events: EndpointEvent.readable }]);
      expect(udp.pendingError).toBe(StackError.connectionReset);
      expect(receive(udp)).toBe(StackError.connectionReset);
      expect(receive(udp)).toBe(StackError.wouldBlock);
    });

    test('SEM-IO-13 an expired TTL is networkReset', () => {
      udp.connect(PEER, 53);
      send(udp, pattern(4), null);
      answer(EXPIRED);
      expect(receive(udp)).toBe(StackError.networkReset);
    });

    test('neither is told when the endpoint does not want to know', () => {
      udp.reportsPortUnreachable = false;
      udp.reportsTtlExpired = false;
      send(udp, pattern(4));
      answer(PORT_UNREACHABLE);
      send(udp, pattern(4));
      answer(EXPIRED);
      expect(receive(udp)).toBe(StackError.wouldBlock);
    });

    test('an error about another port or peer is nothing to a connected endpoint', () => {
      udp.connect(PEER, 53);
      send(udp, pattern(1), null);
      const quoted = host.outBytes()[0] as Uint8Array;
      quoted[headerLength + 3] = 54;
      host.in(packets.icmp({ ...PORT_UNREACHABLE, rest: 0, payload: quoted.slice(0, headerLength + 8) }));
      expect(udp.pendingError).toBe(0);
    });
  });
});
