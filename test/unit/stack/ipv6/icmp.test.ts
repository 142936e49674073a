import { beforeEach, describe, expect, test } from '@jest/globals';
import { StackError } from '../../../../src/stack/index.ts';
import {
  DropReason,
  IcmpV6Problem,
  IcmpV6Type,
  IcmpV6Unreachable,
  IPPROTO_ICMPV6,
  IPV6_ROUTING,
} from '../../../../src/wire/index.ts';
import { payloadBytes } from '../../../support/segment.ts';
import {
  destinationOptions,
  hopByHop,
  icmp6Packet,
  ipv6Packet,
  readPacket6,
  udp6Packet,
} from '../../../support/segment6.ts';
import { ip, makeInfo, pattern, receive } from '../support.ts';
import { exchange, type Host6UnderTest, makeHost6 } from './support.ts';

let host: Host6UnderTest;

beforeEach(() => {
  host = makeHost6();
});

describe('RFC 4443 §4 echo', () => {
  test('a request is answered with its identifier, sequence, data, traffic class, and addresses exchanged', () => {
    expect(host.in(icmp6Packet({ echoId: 7, sequence: 8, payload: 56, trafficClass: 0x28, hops: 3 }))).toBe(
      0,
    );
    expect(host.out6()).toMatchObject([
      {
        src: 'fd00::2',
        dst: 'fd00::1',
        hops: 64,
        trafficClass: 0x28,
        type: IcmpV6Type.echoReply,
        rest: (7 << 16) | 8,
        payload: payloadBytes(56),
      },
    ]);
  });

  test('§2.2, §4.2: a request to a group is answered from an address of the interface', () => {
    expect(host.in(icmp6Packet({ src: 'fe80::1', dst: 'ff02::1' }))).toBe(0);
    expect(host.out6()).toMatchObject([{ src: 'fe80::2', dst: 'fe80::1', type: IcmpV6Type.echoReply }]);
  });

  test('RFC 8200 §4.6, §8.4 options of the destination are read wherever they stand, and no way back is made of a routing header', () => {
    const routing = { protocol: IPV6_ROUTING, bytes: Uint8Array.of(0, 2, 0, 0, ...new Uint8Array(20)) };
    const request = icmp6Packet({
      echoId: 9,
      extensions: [destinationOptions(0x1e, 0), routing, destinationOptions(0x1e, 0)],
    });
    expect(host.in(request)).toBe(0);
    expect(host.out6()).toMatchObject([
      { type: IcmpV6Type.echoReply, dst: 'fd00::1', nextHeader: IPPROTO_ICMPV6 },
    ]);
    // What is wrong with the second is found as well.
    const wrong = icmp6Packet({
      extensions: [destinationOptions(0x1e, 0), routing, destinationOptions(0x9e, 0)],
    });
    expect(host.in(wrong)).toBe(DropReason.ipv6OptionUnknown);
  });

  test('an endpoint asks, and is told of replies and errors', () => {
    const peer = makeHost6({ addresses: ['fd00::1/64'] });
    const icmp = host.stack.openIcmp(6);
    expect(icmp.sendEcho(ip('fd00::1'), 3, pattern(100))).toBe(0);
    exchange(host, peer);
    expect(icmp.takeReply()).toMatchObject({
      source: ip('fd00::1'),
      sequence: 3,
      type: 0,
      code: 0,
      payload: pattern(100),
    });
    expect(icmp.sendEcho(ip('fd00::9'), 4, pattern(8))).toBe(0);
    const [request] = host.outBytes() as [Uint8Array];
    const unreachable = { type: IcmpV6Type.destinationUnreachable, code: 3, rest: 0 };
    expect(host.in(icmp6Packet({ ...unreachable, payload: request }))).toBe(0);
    expect(icmp.takeReply()).toMatchObject({ sequence: 4, type: 1, code: 3 });
    expect(icmp.sendEcho(ip('10.0.0.1'), 5, pattern(8))).toBe(StackError.networkUnreachable);
  });

  test('a message with a wrong checksum, or of a type that nobody takes, is dropped silently', () => {
    const wrong = icmp6Packet({ payload: 8 });
    wrong[43] = (wrong[43] as number) ^ 1;
    expect(host.in(wrong)).toBe(DropReason.icmpChecksum);
    expect(host.in(icmp6Packet({ type: 200 }))).toBe(DropReason.icmpTypeUnknown);
    expect(host.in(icmp6Packet({ type: IcmpV6Type.echoReply }))).toBe(DropReason.icmpNoRequester);
    expect(host.outBytes()).toEqual([]);
  });
});

describe('RFC 4443 §3 errors that are sent', () => {
  test('§3.1: port unreachable, with as much of the packet as fits 1280 bytes', () => {
    const refused = udp6Packet({ payload: 1400 });
    expect(host.in(refused)).toBe(DropReason.udpNoListener);
    const [error] = host.outBytes() as [Uint8Array];
    expect(error).toHaveLength(1280);
    expect(readPacket6(error)).toMatchObject({
      src: 'fd00::2',
      dst: 'fd00::1',
      type: IcmpV6Type.destinationUnreachable,
      code: IcmpV6Unreachable.port,
      payload: refused.subarray(0, 1232),
    });
  });

  test('§3.4: an unknown next header is pointed at where it is named', () => {
    expect(host.in(ipv6Packet(99, pattern(8), { extensions: [destinationOptions()] }))).toBe(
      DropReason.ipProtocolUnknown,
    );
    expect(host.out6()).toMatchObject([
      { type: IcmpV6Type.parameterProblem, code: IcmpV6Problem.nextHeader, rest: 40 },
    ]);
  });

  test('RFC 8200 §4.2: an unknown option is reported as it asks, to groups only by 10', () => {
    const dst = 'ff02::1';
    for (const extensions of [[hopByHop(0x9e, 0)], [destinationOptions(0xde, 0)]]) {
      host.in(udp6Packet({ extensions }));
      expect(host.out6()).toMatchObject([
        { type: IcmpV6Type.parameterProblem, code: IcmpV6Problem.option, rest: 42 },
      ]);
    }
    host.in(udp6Packet({ extensions: [hopByHop(0xde, 0)], dst }));
    expect(host.outBytes()).toEqual([]);
    host.in(udp6Packet({ extensions: [hopByHop(0x9e, 0)], dst }));
    expect(host.out6()).toMatchObject([{ src: 'fd00::2', type: IcmpV6Type.parameterProblem }]);
  });

  test('RFC 2675 §3: a jumbo payload is an option that is not known, and nothing is read past a payload length of zero', () => {
    const jumbo = hopByHop(0xc2, 4, 0, 1, 0, 0);
    host.in(udp6Packet({ extensions: [jumbo], payload: 3 }));
    expect(host.out6()).toMatchObject([
      { type: IcmpV6Type.parameterProblem, code: IcmpV6Problem.option, rest: 42 },
    ]);
    const jumbogram = udp6Packet({ extensions: [jumbo], payload: 1000 });
    jumbogram.fill(0, 4, 6);
    expect(host.in(jumbogram)).toBe(DropReason.ipv6Extension);
    expect(host.outBytes()).toEqual([]);
  });

  test('RFC 8200 §4.7: nothing is said about a packet without a payload', () => {
    expect(host.in(ipv6Packet(59, pattern(8)))).toBe(DropReason.ipv6NoNextHeader);
    expect(host.outBytes()).toEqual([]);
  });
});

describe('RFC 4443 §2.4(e) errors that are never sent', () => {
  test('about an ICMPv6 error or a redirect', () => {
    const extensions = [destinationOptions(0x9e, 0)];
    for (const type of [1, 2, 3, 4, 100, IcmpV6Type.redirect]) {
      host.in(icmp6Packet({ type, rest: 0, payload: udp6Packet(), extensions }));
    }
    expect(host.outBytes()).toEqual([]);
    host.in(icmp6Packet({ extensions }));
    expect(host.outBytes()).toHaveLength(1);
  });

  test('about a packet to a group', () => {
    host.in(udp6Packet({ dst: 'ff02::1' }));
    host.in(ipv6Packet(99, pattern(8), { dst: 'ff02::1' }));
    expect(host.outBytes()).toEqual([]);
  });

  test('(f): more than a rate', () => {
    for (let i = 0; i < 1000; i++) host.in(udp6Packet());
    const burst = host.outBytes().length;
    expect(burst).toBeGreaterThan(10);
    expect(burst).toBeLessThan(60);
    host.pass(1000);
    host.in(udp6Packet());
    expect(host.outBytes()).toHaveLength(1);
  });
});

describe('RFC 4443 §2.4(d) errors that arrive', () => {
  test('port unreachable is told to the socket whose datagram it quotes', () => {
    const udp = host.stack.openUdp(6);
    expect(udp.connect(ip('fd00::1'), 53)).toBe(0);
    udp.send(pattern(4), 0, 4, null, 0);
    const [sent] = host.outBytes() as [Uint8Array];
    expect(host.in(icmp6Packet({ type: 1, code: 4, rest: 0, payload: sent }))).toBe(0);
    expect(receive(udp)).toBe(StackError.connectionReset);
  });

  test('a quote of a packet that was not ours is not believed', () => {
    const foreign = udp6Packet({ src: 'fd00::7', dst: 'fd00::1' });
    expect(host.in(icmp6Packet({ type: 1, code: 4, rest: 0, payload: foreign }))).toBe(
      DropReason.icmpQuoteUnknown,
    );
    expect(host.in(icmp6Packet({ type: 1, code: 4, rest: 0, payload: foreign.subarray(0, 30) }))).toBe(
      DropReason.icmpTruncated,
    );
  });
});

describe('RFC 8201 path MTU discovery', () => {
  const tooBig = (mtu: number, quoted: Uint8Array): Uint8Array =>
    icmp6Packet({ type: IcmpV6Type.packetTooBig, rest: mtu, payload: quoted.subarray(0, 1232) });

  test('§4: larger datagrams are sent in fragments of the size that was announced', () => {
    const udp = host.stack.openUdp(6);
    const send = (): Uint8Array[] => {
      udp.send(pattern(1400), 0, 1400, ip('2001:db8::9'), 53);
      return host.outBytes();
    };
    const [whole] = send() as [Uint8Array];
    expect(host.in(tooBig(1400, whole))).toBe(0);
    expect(send().map((packet) => packet.length)).toEqual([1400, 104]);
    expect(host.stack.routeTo(ip('2001:db8::9'))).toMatchObject({ mtu: 1400 });
    host.pass(600_001);
    expect(send()).toHaveLength(1);
  });

  test.each([
    ['below 1280 bytes', 1279],
    ['of no router', 0],
    ['above the link', 1500],
    ['past any packet', -1],
  ])('§4, RFC 8021: a claim %s is not believed', (_name, mtu) => {
    const udp = host.stack.openUdp(6);
    udp.send(pattern(1400), 0, 1400, ip('2001:db8::9'), 53);
    const [whole] = host.outBytes() as [Uint8Array];
    expect(host.in(tooBig(mtu, whole))).toBe(DropReason.icmpMtuImplausible);
  });

  test('RFC 5927 §4.1: a claim about what was never sent is not believed', () => {
    const quoted = udp6Packet({ src: 'fd00::2', dst: '2001:db8::9', payload: 1400 });
    expect(host.in(tooBig(1300, quoted))).toBe(DropReason.icmpQuoteUnknown);
    const udp = host.stack.openUdp(6);
    udp.bind(ip('fd00::2'), 1025);
    expect(host.in(tooBig(1300, quoted))).toBe(DropReason.icmpQuoteUnknown);
  });
});

describe('RFC 4007 zones', () => {
  test('the answer to a link-local sender leaves from the link-local address', () => {
    expect(host.in(icmp6Packet({ src: 'fe80::1', dst: 'fe80::2' }))).toBe(0);
    expect(host.out6()).toMatchObject([{ src: 'fe80::2', dst: 'fe80::1' }]);
  });

  test('a datagram from a link-local address tells the zone that it came from', () => {
    const udp = host.stack.openUdp(6);
    udp.bind(ip('::'), 53);
    expect(host.in(udp6Packet({ src: 'fe80::1', dst: 'fe80::2', payload: 'x' }))).toBe(0);
    const info = makeInfo();
    receive(udp, info);
    expect(info.source.toString()).toBe(`fe80::1%${host.index}`);
    expect(info.destination.toString()).toBe(`fe80::2%${host.index}`);
  });
});
