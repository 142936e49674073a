import { describe, expect, test } from '@jest/globals';
import { OFFLOAD_CSUM, OFFLOAD_TSO6 } from '../../../../src/base/index.ts';
import { StackError, type TcpEndpoint } from '../../../../src/stack/index.ts';
import { IPPROTO_ICMPV6 } from '../../../../src/wire/index.ts';
import { payloadBytes, tcpOptions } from '../../../support/segment.ts';
import {
  fragmentHeader,
  icmp6Packet,
  ipv6Packet,
  readPacket6,
  tcp6Packet,
} from '../../../support/segment6.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from '../support.ts';
import { exchange, makeHost6 } from './support.ts';

/** A connection between two hosts: both ends. */
function connect(a: HostUnderTest, b: HostUnderTest, to: string): readonly [TcpEndpoint, TcpEndpoint] {
  const listener = b.stack.openTcp(6);
  expect(listener.bind(ip('::'), 80)).toBe(0);
  listener.listen(4);
  const client = a.stack.openTcp(6);
  expect(client.connect(ip(to), 80)).toBe(0);
  exchange(a, b);
  expect(client.state).toBe('ESTABLISHED');
  const server = listener.accept();
  if (server === null) throw new Error('no connection');
  return [client, server];
}

function transfer(
  a: HostUnderTest,
  b: HostUnderTest,
  from: TcpEndpoint,
  to: TcpEndpoint,
  length: number,
): Uint8Array {
  const sent = pattern(length);
  const got = new Uint8Array(length);
  let written = 0;
  let read = 0;
  for (let round = 0; read < length && round < 1000; round++) {
    written += Math.max(0, from.write(sent, written, length - written));
    exchange(a, b);
    read += Math.max(0, to.read(got, read, length - read));
    a.pass(50);
    b.pass(50);
  }
  expect(got).toEqual(sent);
  return got;
}

describe('TCP over IPv6', () => {
  test('RFC 9293 §3.7.1, RFC 8200 §8.3: a SYN announces the MTU less 60 bytes, and 1220 is the default', () => {
    const host = makeHost6();
    const client = host.stack.openTcp(6);
    client.connect(ip('fd00::1'), 80);
    const [syn] = host.out6();
    expect(syn).toMatchObject({ src: 'fd00::2', dst: 'fd00::1', flags: 'S', hops: 64 });
    expect(syn?.options).toContain('mss 1440');
    const { sourcePort = 0, seq = 0 } = syn ?? {};
    const port = { sourcePort: 80, destinationPort: sourcePort };
    host.in(tcp6Packet({ ...port, flags: 'S.', seq: 100, ack: seq + 1 }));
    client.write(pattern(3000), 0, 3000);
    expect(host.out6().map(({ payload }) => payload.length)).toEqual([1220, 1220, 560]);
  });

  test('bytes go both ways, with the checksum of either side', () => {
    const a = makeHost6();
    const b = makeHost6({ addresses: ['fd00::1/64'] });
    const [client, server] = connect(a, b, 'fd00::1');
    expect(server.remoteAddress.toString()).toBe('fd00::2');
    transfer(a, b, client, server, 200_000);
    transfer(b, a, server, client, 200_000);
  });

  test('a device that cuts segments of IPv6 is given super-segments', () => {
    const offload = OFFLOAD_CSUM | OFFLOAD_TSO6;
    const a = makeHost6({ offload });
    const b = makeHost6({ offload, addresses: ['fd00::1/64'] });
    const [client, server] = connect(a, b, 'fd00::1');
    transfer(a, b, client, server, 500_000);
    expect(a.stack.counters.tcpOutSegs).toBeGreaterThan(340);
  });

  test('RFC 4007: link-local addresses connect within their zone', () => {
    const a = makeHost6();
    const b = makeHost6({ addresses: ['fe80::1/64'] });
    const [client, server] = connect(a, b, `fe80::1%${a.index}`);
    expect(client.localAddress.toString()).toBe(`fe80::2%${a.index}`);
    expect(server.remoteAddress.toString()).toBe(`fe80::2%${b.index}`);
    transfer(a, b, client, server, 10_000);
  });

  test('RFC 8201 §5.3: segments follow packet too big, but not below 1280 bytes', () => {
    const a = makeHost6();
    const b = makeHost6({ addresses: ['fd00::1/64'] });
    const [client, server] = connect(a, b, 'fd00::1');
    client.write(pattern(1400), 0, 1400);
    const [segment] = a.outBytes() as [Uint8Array];
    const tooBig = (mtu: number): number =>
      a.in(icmp6Packet({ src: 'fd00::99', type: 2, rest: mtu, payload: segment.subarray(0, 200) }));
    expect(tooBig(1279)).not.toBe(0);
    expect(tooBig(1280)).toBe(0);
    const sent = a.outBytes();
    expect(sent.map((packet) => packet.length)).toEqual([1280, expect.any(Number)]);
    for (const packet of sent) b.in(packet);
    exchange(a, b);
    const got = new Uint8Array(1400);
    expect(server.read(got, 0, 1400)).toBe(1400);
    expect(got).toEqual(pattern(1400));
  });

  /** Sends `length` bytes over a path that loses packets above `hopMtu` and tells nobody. @returns the sizes that left */
  function throughHole(
    hopMtu: number,
    length: number,
  ): { sizes: number[]; read: number; client: TcpEndpoint } {
    const a = makeHost6();
    const b = makeHost6({ addresses: ['fd00::1/64'] });
    const [client, server] = connect(a, b, 'fd00::1');
    const sizes: number[] = [];
    const into = new Uint8Array(length);
    let written = 0;
    let read = 0;
    for (let round = 0; round < 400 && read < length; round++) {
      written += Math.max(0, client.write(into, written, length - written));
      for (const packet of a.outBytes()) {
        sizes.push(packet.length);
        if (packet.length <= hopMtu) b.in(packet);
      }
      for (const packet of b.outBytes()) a.in(packet);
      read += Math.max(0, server.read(into, read, length - read));
      a.pass(50);
      b.pass(50);
    }
    return { sizes, read, client };
  }

  test('RFC 8899 §5.1.2: over IPv6 a black hole makes packets of 1280 bytes, and larger ones are tried from there', () => {
    const { sizes, read, client } = throughHole(1400, 200_000);
    expect(read).toBe(200_000);
    expect(sizes.find((size) => size > 100 && size < 1500)).toBe(1280);
    expect(client.pathMtu).toBeGreaterThan(1392);
    expect(client.pathMtu).toBeLessThanOrEqual(1400);
  });

  test('RFC 8899 §5.1.2, RFC 8200 §5: over a path that is no IPv6 path, nothing shrinks below 1280 bytes', () => {
    const { sizes, read } = throughHole(1279, 1220);
    expect(read).toBe(0);
    const full = sizes.filter((size) => size > 100);
    expect(full.length).toBeGreaterThan(3);
    expect(full.every((size) => size >= 1280)).toBe(true);
  });

  test('RFC 9293 §3.10.7.1: a segment for nobody is answered with RST', () => {
    const host = makeHost6();
    host.in(tcp6Packet({ flags: 'S', seq: 9, options: tcpOptions({ mss: 1440 }) }));
    expect(host.out6()).toMatchObject([{ src: 'fd00::2', dst: 'fd00::1', flags: 'R.', ack: 10 }]);
  });
});

describe('UDP over IPv6', () => {
  test('a datagram goes and an answer comes', () => {
    const a = makeHost6();
    const b = makeHost6({ addresses: ['fd00::1/64'] });
    const udpA = a.stack.openUdp(6);
    const udpB = b.stack.openUdp(6);
    udpB.bind(ip('::'), 53);
    expect(udpA.send(pattern(100), 0, 100, ip('fd00::1'), 53)).toBe(100);
    exchange(a, b);
    const info = makeInfo();
    expect(receive(udpB, info)).toEqual(pattern(100));
    expect(info.source.toString()).toBe('fd00::2');
    expect(udpB.send(pattern(9), 0, 9, info.source, info.sourcePort)).toBe(9);
    exchange(a, b);
    expect(receive(udpA)).toEqual(pattern(9));
  });

  test('RFC 8200 §4.5: what does not fit is sent in fragments, the last one shorter', () => {
    const host = makeHost6();
    const udp = host.stack.openUdp(6);
    udp.bind(ip('::'), 99);
    expect(udp.send(pattern(4000), 0, 4000, ip('fd00::1'), 53)).toBe(4000);
    const fragments = host.outBytes();
    expect(fragments.map((packet) => packet.length)).toEqual([1496, 1496, 1160]);
    const read = fragments.map(readPacket6);
    expect(read.map(({ fragmentOffset, moreFragments }) => [fragmentOffset, moreFragments])).toEqual([
      [0, true],
      [1448, true],
      [2896, false],
    ]);
    expect(new Set(read.map(({ id }) => id)).size).toBe(1);
    const whole = Uint8Array.from(read.flatMap(({ payload }) => [...payload]));
    expect(whole.subarray(8)).toEqual(pattern(4000));
    expect(readPacket6(ipv6Packet(17, whole, { src: 'fd00::2', dst: 'fd00::1' }))).toMatchObject({
      sourcePort: 99,
      destinationPort: 53,
    });
  });

  test('RFC 7739 §5.3: identifications to one host follow each other, and start by chance', () => {
    const host = makeHost6();
    const udp = host.stack.openUdp(6);
    const idTo = (to: string): number => {
      udp.send(pattern(2000), 0, 2000, ip(to), 5);
      return (host.out6()[0]?.id ?? 0) >>> 0;
    };
    const first = idTo('fd00::1');
    expect(idTo('fd00::1')).toBe(first + 1);
    expect(Math.abs(idTo('fd00::7') - first)).toBeGreaterThan(1000);
  });

  test('a datagram whose checksum was left to the device is fragmented whole when its path becomes narrower', () => {
    const host = makeHost6({ offload: OFFLOAD_CSUM });
    const udp = host.stack.openUdp(6);
    udp.bind(ip('::'), 99);
    udp.send(pattern(1400), 0, 1400, ip('2001:db8::9'), 53);
    const [whole] = host.outBytes() as [Uint8Array];
    udp.send(pattern(1400), 0, 1400, ip('2001:db8::9'), 53);
    host.in(icmp6Packet({ type: 2, rest: 1300, payload: whole.subarray(0, 1000) }));
    const read = host.out6();
    expect(read.map(({ isFragment }) => isFragment)).toEqual([true, true]);
    const body = Uint8Array.from(read.flatMap(({ payload }) => [...payload]));
    expect(readPacket6(ipv6Packet(17, body, { src: 'fd00::2', dst: '2001:db8::9' })).payload).toEqual(
      pattern(1400),
    );
  });

  test('65,527 bytes fit, and one more does not', () => {
    const host = makeHost6();
    const udp = host.stack.openUdp(6);
    expect(udp.send(pattern(65_528), 0, 65_528, ip('fd00::1'), 5)).toBe(StackError.messageTooLong);
    expect(udp.send(pattern(65_527), 0, 65_527, ip('fd00::1'), 5)).toBe(65_527);
    expect(host.outBytes()).toHaveLength(46);
  });

  test('an endpoint of one family does not speak the other', () => {
    const host = makeHost6();
    const udp = host.stack.openUdp(6);
    expect(udp.bind(ip('10.0.0.2'), 5)).toBe(StackError.addressNotAvailable);
    expect(udp.connect(ip('10.0.0.1'), 5)).toBe(StackError.addressNotAvailable);
    expect(host.stack.openTcp(6).connect(ip('10.0.0.1'), 5)).toBe(StackError.notSupported);
    expect(makeHost().stack.openUdp(4).bind(ip('::'), 5)).toBe(StackError.addressNotAvailable);
  });
});

describe('raw IPv6', () => {
  test('RFC 3542 §3: what arrives has no IP header and no extension headers', () => {
    const host = makeHost6();
    const raw = host.stack.openRaw(99, 6);
    const other = host.stack.openRaw(99, 4);
    expect(host.in(ipv6Packet(99, pattern(20), { extensions: [fragmentHeader(0, false)] }))).toBe(0);
    expect(receive(raw)).toEqual(pattern(20));
    expect(receive(other)).toBe(StackError.wouldBlock);
  });

  test('RFC 3542 §3.1: the checksum of ICMPv6 is filled in', () => {
    const host = makeHost6();
    const raw = host.stack.openRaw(IPPROTO_ICMPV6, 6);
    const message = Uint8Array.of(128, 0, 0, 0, 0, 1, 0, 2, ...payloadBytes(33));
    expect(raw.send(message, 0, message.length, ip('fd00::1'), 0)).toBe(message.length);
    expect(host.out6()).toMatchObject([{ type: 128, rest: 0x10002, payload: payloadBytes(33) }]);
  });

  test('a bound endpoint takes what is sent to its address', () => {
    const host = makeHost6();
    const raw = host.stack.openRaw(99, 6);
    expect(raw.bind(ip(`fe80::2%${host.index}`), 0)).toBe(0);
    host.in(ipv6Packet(99, pattern(1)));
    expect(receive(raw)).toBe(StackError.wouldBlock);
    host.in(ipv6Packet(99, pattern(1), { dst: 'fe80::2', src: 'fe80::1' }));
    expect(receive(raw)).toEqual(pattern(1));
  });
});

describe('RFC 4291 §2.5.3 the loopback address', () => {
  test('a connection to ::1 stays in the host', () => {
    const host = makeHost6();
    const listener = host.stack.openTcp(6);
    listener.bind(ip('::1'), 80);
    listener.listen(1);
    const client = host.stack.openTcp(6);
    expect(client.connect(ip('::1'), 80)).toBe(0);
    host.pass(1);
    const server = listener.accept();
    expect(server?.remoteAddress.toString()).toBe('::1');
    client.write(pattern(50_000), 0, 50_000);
    host.pass(1);
    expect(server?.readableBytes).toBe(50_000);
    expect(host.outBytes()).toEqual([]);
  });

  test('so do datagrams to our own addresses, in their zone', () => {
    const host = makeHost6();
    const udp = host.stack.openUdp(6);
    udp.bind(ip('::'), 53);
    for (const own of ['fd00::2', `fe80::2%${host.index}`]) {
      expect(udp.send(pattern(3), 0, 3, ip(own), 53)).toBe(3);
      host.pass(1);
      const info = makeInfo();
      expect(receive(udp, info)).toEqual(pattern(3));
      expect([info.source.toString(), info.destination.toString()]).toEqual([own, own]);
    }
    expect(host.outBytes()).toEqual([]);
    expect(host.stack.interfaceOf(ip('::1'))).toBe(1);
    expect(host.stack.interfaceOf(ip(`fe80::2%${host.index}`))).toBe(host.index);
    expect(host.stack.interfaceOf(ip('fe80::2'))).toBe(0);
  });

  test('nothing of ::1 leaves', () => {
    const host = makeHost6();
    const udp = host.stack.openUdp(6);
    udp.bind(ip('::1'), 53);
    expect(udp.send(pattern(3), 0, 3, ip('fd00::1'), 53)).toBe(StackError.networkUnreachable);
  });
});
