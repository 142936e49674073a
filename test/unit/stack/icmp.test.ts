import { beforeEach, describe, expect, test } from '@jest/globals';
import { EndpointEvent, type IcmpEndpoint, StackError } from '../../../src/stack/index.ts';
import { DropReason, IcmpV4Type, IcmpV4Unreachable } from '../../../src/wire/index.ts';
import { icmpPacket, ipv4Packet, payloadBytes, udpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
});

describe('RFC 1122 §3.2.2.6 echo', () => {
  test('an echo request is answered with its identifier, sequence, data, traffic class, and addresses exchanged', () => {
    expect(
      host.in(icmpPacket({ echoId: 0x1234, sequence: 77, payload: 56, trafficClass: 0x28, ttl: 3 })),
    ).toBe(0);
    expect(host.out()).toMatchObject([
      {
        src: '10.0.0.2',
        dst: '10.0.0.1',
        ttl: 64,
        trafficClass: 0x28,
        type: IcmpV4Type.echoReply,
        code: 0,
        rest: (0x1234 << 16) | 77,
        payload: payloadBytes(56),
      },
    ]);
    expect(host.stack.counters).toMatchObject({
      icmpInMsgs: 1,
      icmpInEchos: 1,
      icmpOutMsgs: 1,
      icmpOutEchoReps: 1,
    });
  });

  test('a request of 60,000 bytes, in fragments, is answered whole, in fragments', () => {
    const asker = makeHost({ addresses: ['10.0.0.1/24'] });
    const icmp = asker.stack.openIcmp();
    expect(icmp.sendEcho(ip('10.0.0.2'), 5, pattern(60_000))).toBe(0);
    for (const packet of asker.outBytes()) expect(host.in(packet)).toBe(0);
    const reply = host.outBytes();
    expect(reply.length).toBe(41);
    for (const packet of reply) asker.in(packet);
    expect(icmp.takeReply()?.payload).toEqual(pattern(60_000));
    expect(host.allocator.inUse).toBeLessThanOrEqual(1 << 18);
  });

  test('requests to groups are not answered', () => {
    for (const dst of ['10.0.0.255', '255.255.255.255', '224.0.0.1']) {
      expect(host.in(icmpPacket({ dst }))).toBe(DropReason.icmpEchoToGroup);
    }
    expect(host.out()).toEqual([]);
  });

  test('a flood of requests is answered as far as the bounded queue goes, and the rest counted', () => {
    for (let i = 0; i < 5000; i++) host.in(icmpPacket({ payload: 1000 }));
    const lost = host.stack.counters.drops[DropReason.outputQueueFull] as number;
    expect(lost).toBeGreaterThan(4000);
    expect(host.allocator.inUse).toBeLessThanOrEqual(1 << 19);
    // Counted once for the reply and once as the request's verdict.
    expect(host.out()).toHaveLength(5000 - lost / 2);
    expect(host.in(icmpPacket())).toBe(0);
  });

  test.each([
    ['shorter than a header', ipv4Packet(1, payloadBytes(7)), DropReason.icmpTruncated],
    ['with a wrong checksum', ipv4Packet(1, Uint8Array.of(8, 0, 1, 2, 0, 0, 0, 0)), DropReason.icmpChecksum],
    ['of an unknown type', icmpPacket({ type: 99 }), DropReason.icmpTypeUnknown],
    ['§3.2.2.8 a timestamp request', icmpPacket({ type: 13, payload: 12 }), DropReason.icmpTypeUnknown],
    ['§3.2.2.9 an address mask request', icmpPacket({ type: 17, payload: 4 }), DropReason.icmpTypeUnknown],
    ['a reply that nobody asked for', icmpPacket({ type: 0 }), DropReason.icmpNoRequester],
  ])('a message %s is dropped silently', (_name, packet, reason) => {
    expect(host.in(packet)).toBe(reason);
    expect(host.out()).toEqual([]);
  });
});

describe('RFC 1122 §3.2.2 errors that are never sent', () => {
  const refused = { destinationPort: 99 };

  test('about an ICMP error, however bad its options are; about other ICMP messages they are', () => {
    const ipOptions = Uint8Array.of(1, 7, 1, 4);
    for (const type of [3, 4, 5, 11, 12]) {
      host.in(icmpPacket({ type, code: 0, rest: 0, payload: ipv4Packet(99, pattern(8)), ipOptions }));
    }
    expect(host.out()).toEqual([]);
    host.in(icmpPacket({ ipOptions }));
    expect(host.out()).toMatchObject([{ type: IcmpV4Type.parameterProblem }]);
  });

  test('about a packet to a group', () => {
    host.in(udpPacket({ ...refused, dst: '10.0.0.255' }));
    host.in(ipv4Packet(99, pattern(8), { dst: '224.0.0.1' }));
    expect(host.out()).toEqual([]);
  });

  test('about a fragment other than the first', () => {
    host.in(ipv4Packet(99, pattern(8), { fragmentOffset: 8, moreFragments: true }));
    host.pass(70_000);
    expect(host.out()).toEqual([]);
  });

  test('to a source that is no single host', () => {
    host.in(udpPacket({ ...refused, src: '0.0.0.0', dst: '255.255.255.255' }));
    expect(host.out()).toEqual([]);
  });

  test('RFC 1812 §4.3.2.3 an error quotes so much that it is at most 576 bytes long, with normal service', () => {
    host.in(udpPacket({ ...refused, payload: 1400, trafficClass: 0xfc }));
    const [error] = host.outBytes() as [Uint8Array];
    expect(error).toHaveLength(576);
    expect(error[1]).toBe(0);
  });

  test('RFC 1812 §4.3.2.8 a flood of bad packets makes no flood of errors, and the limit recovers', () => {
    for (let i = 0; i < 1000; i++) host.in(udpPacket(refused));
    const burst = host.outBytes().length;
    expect(burst).toBeGreaterThan(10);
    expect(burst).toBeLessThanOrEqual(50);
    host.now += 100;
    for (let i = 0; i < 1000; i++) host.in(udpPacket(refused));
    expect(host.outBytes()).toHaveLength(20);
  });
});

describe('RFC 1122 §3.2.2 errors received', () => {
  test('an error that quotes a packet which we did not send is dropped', () => {
    const foreign = udpPacket({ src: '10.0.0.5', dst: '10.0.0.1' }).slice(0, 28);
    expect(host.in(icmpPacket({ type: 3, code: 3, rest: 0, payload: foreign }))).toBe(
      DropReason.icmpQuoteUnknown,
    );
  });

  test('an error with less than a header and 8 bytes quoted is dropped', () => {
    const quoted = udpPacket({ src: '10.0.0.2', dst: '10.0.0.1' }).slice(0, 27);
    expect(host.in(icmpPacket({ type: 3, code: 3, rest: 0, payload: quoted }))).toBe(
      DropReason.icmpTruncated,
    );
  });

  test('RFC 6633 source quench is read and nothing follows (RFC 1122 §3.2.2.3)', () => {
    const quoted = udpPacket({ src: '10.0.0.2', dst: '10.0.0.1' }).slice(0, 28);
    expect(host.in(icmpPacket({ type: IcmpV4Type.sourceQuench, code: 0, rest: 0, payload: quoted }))).toBe(0);
    expect(host.out()).toEqual([]);
  });

  test('an error about a protocol that nobody here speaks is dropped', () => {
    const quoted = ipv4Packet(99, pattern(8), { src: '10.0.0.2', dst: '10.0.0.1' });
    expect(host.in(icmpPacket({ type: 3, code: 2, rest: 0, payload: quoted }))).toBe(
      DropReason.icmpQuoteUnknown,
    );
  });
});

describe('IcmpEndpoint', () => {
  let icmp: IcmpEndpoint;

  beforeEach(() => {
    icmp = host.stack.openIcmp();
  });

  test('sends echo requests with its identifier, and gets the replies to them', () => {
    icmp.ttl = 5;
    icmp.trafficClass = 8;
    expect(icmp.sendEcho(ip('10.0.0.1'), 3, pattern(20))).toBe(0);
    const rest = (icmp.localPort << 16) | 3;
    expect(host.out()).toMatchObject([
      { type: 8, code: 0, rest, payload: pattern(20), ttl: 5, trafficClass: 8 },
    ]);
    host.now = 1234;
    expect(host.in(icmpPacket({ type: 0, rest, payload: pattern(20), ttl: 60 }))).toBe(0);
    host.stack.flushEvents();
    expect(host.events).toEqual([{ endpoint: icmp, events: EndpointEvent.readable }]);
    expect(icmp.takeReply()).toMatchObject({
      sequence: 3,
      ttl: 60,
      type: 0,
      code: 0,
      payload: pattern(20),
      at: 1234,
    });
    expect(icmp.takeReply()).toBeNull();
  });

  test('RFC 1122 §3.2.2.4 gets the ICMP errors about its requests, time exceeded for one, from whoever reports them', () => {
    icmp.sendEcho(ip('192.0.2.1'), 9, pattern(8));
    const quoted = (host.outBytes()[0] as Uint8Array).slice(0, 28);
    expect(host.in(icmpPacket({ src: '10.0.0.254', type: 11, code: 0, rest: 0, payload: quoted }))).toBe(0);
    const reply = icmp.takeReply();
    expect(reply).toMatchObject({ sequence: 9, type: 11, code: 0 });
    expect(String(reply?.source)).toBe('10.0.0.254');
  });

  test('replies to others are not its own, and two endpoints have two identifiers', () => {
    const other = host.stack.openIcmp();
    expect(other.localPort).not.toBe(icmp.localPort);
    host.in(icmpPacket({ type: 0, echoId: other.localPort, sequence: 1 }));
    expect(icmp.takeReply()).toBeNull();
    expect(other.takeReply()).toMatchObject({ sequence: 1 });
  });

  test('pings ourselves over the loopback interface', () => {
    for (const address of ['127.0.0.1', '10.0.0.2', '127.9.9.9']) {
      expect(icmp.sendEcho(ip(address), 1, pattern(3000))).toBe(0);
      host.stack.advance();
      expect(String(icmp.takeReply()?.source)).toBe(address);
    }
    expect(host.out()).toEqual([]);
  });

  test('unread replies are bounded in number and bytes', () => {
    const rest = icmp.localPort << 16;
    for (let i = 0; i < 1000; i++) host.in(icmpPacket({ type: 0, rest, payload: 4 }));
    expect(host.stack.counters.drops[DropReason.icmpQueueFull]).toBe(1000 - 256);
    while (icmp.takeReply() !== null);
    let held = 0;
    for (let i = 0; i < 1000; i++) if (host.in(icmpPacket({ type: 0, rest, payload: 1400 })) === 0) held++;
    expect(held * 1400).toBeLessThanOrEqual(1 << 18);
  });

  test('says what can not be sent', () => {
    expect(icmp.sendEcho(ip('10.0.0.1'), 1, pattern(65_508))).toBe(StackError.messageTooLong);
    icmp.dontFragment = true;
    expect(icmp.sendEcho(ip('10.0.0.1'), 1, pattern(1473))).toBe(StackError.messageTooLong);
    expect(icmp.sendEcho(ip('2001:db8::1'), 1, pattern(1))).toBe(StackError.networkUnreachable);
    icmp.close();
    icmp.close();
    expect(icmp.sendEcho(ip('10.0.0.1'), 1, pattern(1))).toBe(StackError.invalid);
  });

  test('a reply after close has no taker', () => {
    const { localPort } = icmp;
    icmp.close();
    expect(host.in(icmpPacket({ type: 0, echoId: localPort }))).toBe(DropReason.icmpNoRequester);
    expect([...host.stack.endpoints()]).toEqual([]);
  });

  test('an error code of its own keeps type and code apart', () => {
    icmp.sendEcho(ip('10.0.0.1'), 2, pattern(0));
    const quoted = (host.outBytes()[0] as Uint8Array).slice(0, 28);
    host.in(icmpPacket({ type: 3, code: IcmpV4Unreachable.host, rest: 0, payload: quoted }));
    expect(icmp.takeReply()).toMatchObject({ type: 3, code: 1, sequence: 2 });
  });
});
