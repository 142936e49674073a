import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createTransmitBatch,
  EMPTY,
  IpAddress,
  SeededRandom,
  TimerQueue,
} from '../../../src/base/index.ts';
import { StackCounters } from '../../../src/stack/counters.ts';
import { StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import type { NeighborHost } from '../../../src/stack/neighbor/neighbor-host.ts';
import { MAX_ROUTES } from '../../../src/stack/route/table.ts';
import { Topology } from '../../../src/stack/topology.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { icmpPacket, tcpPacket, udpPacket, v4 } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, makeInfo, pattern, receive } from './support.ts';

let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
});

/** Source and interface for packets to `destination`, as text. */
function way(destination: string): string {
  const route = host.stack.routeTo(ip(destination));
  return route === null ? 'none' : `${route.source} ${route.interfaceIndex}`;
}

/** For a topology without Ethernet interfaces: nobody is asked for anything. */
const NO_LINKS: NeighborHost = {
  now: 0,
  timers: new TimerQueue(),
  random: new SeededRandom(1),
  counters: new StackCounters(),
  requestFirst: () => {},
  undeliverable: () => {},
  neighborFailed: () => {},
  neighborAnswered: () => {},
};

describe('RFC 1122 §3.3.1 routing', () => {
  test('the longest prefix decides, of equal ones the lowest metric', () => {
    const second = host.stack.addInterface({ name: 'b', mtu: 1400, addresses: ['192.0.2.2/24'] });
    const third = host.stack.addInterface({ name: 'c', mtu: 1400, addresses: ['198.51.100.2/24'] });
    host.stack.addRoute({
      destination: '203.0.113.0/24',
      gateway: '192.0.2.1',
      interfaceIndex: second,
      metric: 20,
    });
    host.stack.addRoute({
      destination: '203.0.113.0/24',
      gateway: '198.51.100.1',
      interfaceIndex: third,
      metric: 10,
    });
    host.stack.addRoute({ destination: '203.0.113.128/25', gateway: '192.0.2.1', interfaceIndex: second });
    expect(way('203.0.113.5')).toBe(`198.51.100.2 ${third}`);
    expect(way('203.0.113.200')).toBe(`192.0.2.2 ${second}`);
    expect(way('8.8.8.8')).toBe(`10.0.0.2 ${host.index}`);
    expect(host.stack.routeTo(ip('203.0.113.5'))?.mtu).toBe(1400);
  });

  test('a route is removed by what made it, and only once', () => {
    const route = { destination: '0.0.0.0/0', gateway: '10.0.0.1', interfaceIndex: host.index };
    expect(host.stack.removeRoute(route)).toBe(true);
    expect(host.stack.removeRoute(route)).toBe(false);
    expect(way('8.8.8.8')).toBe('none');
    expect(way('10.0.0.77')).toBe(`10.0.0.2 ${host.index}`);
  });

  test('the same route again replaces the old one', () => {
    const before = host.stack.routes.length;
    host.stack.addRoute({
      destination: '0.0.0.0/0',
      gateway: '10.0.0.1',
      interfaceIndex: host.index,
      metric: 5,
    });
    expect(host.stack.routes).toHaveLength(before);
    expect(host.stack.routes.find((route) => route.prefixLength === 0)?.metric).toBe(5);
  });

  test('routes are shown with their network, whatever host bits were given', () => {
    host.stack.addRoute({ destination: '203.0.113.77/24', gateway: '10.0.0.1', interfaceIndex: host.index });
    const shown = host.stack.routes.map((route) => `${route.destination}/${route.prefixLength}`);
    expect(shown).toEqual(['::1/128', '10.0.0.0/24', '203.0.113.0/24', '127.0.0.0/8', '0.0.0.0/0']);
  });

  test('the source is the address of the subnet that the next hop is in', () => {
    host.stack.addAddress(host.index, '192.0.2.2/24');
    host.stack.addRoute({ destination: '198.51.100.0/24', gateway: '192.0.2.1', interfaceIndex: host.index });
    expect(way('192.0.2.9')).toBe(`192.0.2.2 ${host.index}`);
    expect(way('198.51.100.9')).toBe(`192.0.2.2 ${host.index}`);
    expect(way('8.8.8.8')).toBe(`10.0.0.2 ${host.index}`);
  });

  test('RFC 1122 §3.3.4.2 a bound source leaves only by the interface that has it', () => {
    const second = host.stack.addInterface({ name: 'b', mtu: 1500, addresses: ['192.0.2.2/24'] });
    const udp = host.stack.openUdp();
    udp.bind(ip('192.0.2.2'), 1000);
    expect(udp.send(EMPTY, 0, 0, ip('8.8.8.8'), 9)).toBe(StackError.networkUnreachable);
    host.stack.addRoute({
      destination: '0.0.0.0/0',
      gateway: '192.0.2.1',
      interfaceIndex: second,
      metric: 999,
    });
    expect(udp.send(EMPTY, 0, 0, ip('8.8.8.8'), 9)).toBe(0);
    expect(host.stack.takePacket(host.index)).toBeNull();
    expect(host.stack.takePacket(second)).not.toBeNull();
  });

  test.each([
    ['a destination that is no prefix', { destination: '10.0.0.0/33', interfaceIndex: 2 }],
    ['a gateway of the other family', { destination: '0.0.0.0/0', gateway: '::1', interfaceIndex: 2 }],
    ['an interface that is not there', { destination: '0.0.0.0/0', interfaceIndex: 99 }],
  ])('%s is the caller’s bug', (_name, route) => {
    expect(() => host.stack.addRoute(route)).toThrow(RangeError);
  });
});

describe('interfaces and addresses', () => {
  test('the loopback interface is the first, and can not be removed', () => {
    expect(host.stack.interfaces.map(({ name, index, isLoopback }) => [name, index, isLoopback])).toEqual([
      ['loopback', 1, true],
      ['test', host.index, false],
    ]);
    expect(() => host.stack.removeInterface(1)).toThrow(RangeError);
  });

  test.each([
    ['an MTU below 68', { name: 'x', mtu: 67 }],
    ['an MTU above 65,535', { name: 'x', mtu: 65536 }],
    ['a fractional MTU', { name: 'x', mtu: 1500.5 }],
    ['an address that can not be read', { name: 'x', mtu: 1500, addresses: ['10.0.0.0.1/8'] }],
    [
      'an address of a group beside a good one',
      { name: 'x', mtu: 1500, addresses: ['10.7.0.2/8', 'ff02::7/64'] },
    ],
  ])('%s is refused, and no interface is left behind', (_name, options) => {
    expect(() => host.stack.addInterface(options)).toThrow(RangeError);
    expect(host.stack.interfaces).toHaveLength(2);
  });

  test.each([
    '0.0.0.0/0',
    '0.1.2.3/8',
    '127.0.0.2/8',
    '224.0.0.1/4',
    '240.0.0.1/8',
    '255.255.255.255/32',
    '10.9.0.0/16',
    '10.9.255.255/16',
    '::/64',
    '::1/128',
    'ff02::1/64',
    '::ffff:10.9.0.1/96',
  ])('RFC 1122 §3.2.1.3 %s is no address of an interface', (prefix) => {
    expect(() => host.stack.addAddress(host.index, prefix)).toThrow('no host can have the address');
    expect(host.stack.interfaces[1]?.addresses.map(({ address }) => String(address))).toEqual(['10.0.0.2']);
  });

  test('RFC 3021, RFC 4291 §2.5 addresses at the ends of small and of IPv6 prefixes are ones', () => {
    for (const prefix of [
      '10.9.0.0/31',
      '10.9.0.1/31',
      '10.9.0.9/32',
      '10.9.1.0/16',
      'fd00::/64',
      '192.0.2.1/0',
    ])
      host.stack.addAddress(host.index, prefix);
    expect(host.stack.interfaces[1]?.addresses).toHaveLength(7);
    // The loopback interface has what it likes.
    host.stack.addAddress(1, '127.0.0.9/8');
  });

  test.each([
    ['10.0.0.0/8', '0.0.0.0'],
    ['10.0.0.0/8', '127.0.0.1'],
    ['10.0.0.0/8', '224.0.0.1'],
    ['10.0.0.0/8', '255.255.255.255'],
    ['::/0', '::'],
    ['::/0', '::1'],
    ['::/0', 'ff02::2'],
  ])('RFC 1122 §3.2.1.3 a route to %s by way of %s is refused', (destination, gateway) => {
    const before = host.stack.routes.length;
    expect(() => host.stack.addRoute({ destination, gateway, interfaceIndex: host.index })).toThrow(
      'no gateway can have the address',
    );
    expect(host.stack.routes).toHaveLength(before);
  });

  test('an index is not used again', () => {
    const second = host.stack.addInterface({ name: 'b', mtu: 1500 });
    host.stack.removeInterface(second);
    expect(host.stack.addInterface({ name: 'c', mtu: 1500 })).toBe(second + 1);
    expect(() => host.stack.removeInterface(second)).toThrow(RangeError);
  });

  test('interfaceOf names the interface that has an address', () => {
    expect(host.stack.interfaceOf(ip('10.0.0.2'))).toBe(host.index);
    expect(host.stack.interfaceOf(ip('127.1.2.3'))).toBe(1);
    expect(host.stack.interfaceOf(ip('10.0.0.3'))).toBe(0);
  });

  test('an added address is heard and can be bound at once, a removed one no longer', () => {
    host.stack.addAddress(host.index, '10.0.0.20/24');
    const udp = host.stack.openUdp();
    expect(udp.bind(ip('10.0.0.20'), 53)).toBe(0);
    expect(host.in(udpPacket({ dst: '10.0.0.20' }))).toBe(0);
    host.stack.removeAddress(host.index, ip('10.0.0.20'));
    expect(host.in(udpPacket({ dst: '10.0.0.20' }))).toBe(DropReason.ipNotForUs);
    expect(udp.send(EMPTY, 0, 0, ip('10.0.0.1'), 9)).toBe(StackError.networkUnreachable);
    expect(way('10.0.0.1')).toBe(`10.0.0.2 ${host.index}`);
  });

  test('an address given again with another prefix length changes the subnet', () => {
    host.stack.addAddress(host.index, '10.0.0.2/16');
    const view = host.stack.interfaces.find((held) => held.index === host.index);
    expect(view?.addresses.map((held) => `${held.address}/${held.prefixLength}`)).toEqual(['10.0.0.2/16']);
    expect(host.in(udpPacket({ dst: '10.0.255.255', destinationPort: 9 }))).toBe(DropReason.udpNoListener);
    expect(host.in(udpPacket({ dst: '10.0.0.255', destinationPort: 9 }))).toBe(DropReason.ipNotForUs);
  });

  test('RFC 3021 a subnet of two addresses has no broadcast', () => {
    const second = host.stack.addInterface({ name: 'p2p', mtu: 1500, addresses: ['192.0.2.0/31'] });
    const verdict = host.stack.inputPacket(
      second,
      udpPacket({ src: '192.0.2.1', dst: '192.0.2.0', destinationPort: 9 }),
    );
    expect(verdict).toBe(DropReason.udpNoListener);
    expect(host.stack.takePacket(second)).not.toBeNull();
  });

  test('datagrams that wait when their route changes leave by the new one', () => {
    const second = host.stack.addInterface({ name: 'b', mtu: 600, addresses: ['192.0.2.2/24'] });
    const udp = host.stack.openUdp();
    for (let i = 0; i < 3; i++) udp.send(pattern(1000), 0, 1000, ip('8.8.8.8'), 9);
    host.stack.removeRoute({ destination: '0.0.0.0/0', gateway: '10.0.0.1', interfaceIndex: host.index });
    host.stack.addRoute({ destination: '0.0.0.0/0', gateway: '192.0.2.1', interfaceIndex: second });
    expect(host.outBytes()).toEqual([]);
    // The source was chosen when they were sent: it is not the new interface's.
    expect(host.stack.counters.drops[DropReason.noRoute]).toBe(3);
    host.stack.addAddress(second, '10.0.0.2/32');
    udp.send(pattern(1000), 0, 1000, ip('8.8.8.8'), 9);
    expect(host.stack.takePacket(second)).toHaveLength(596);
  });

  test('removing an interface loses what waits on it, counted, and frees its memory', () => {
    const udp = host.stack.openUdp();
    for (let i = 0; i < 5; i++) udp.send(pattern(1000), 0, 1000, ip('10.0.0.1'), 9);
    host.stack.removeInterface(host.index);
    expect(host.allocator.inUse).toBe(0);
    expect(host.stack.counters.drops[DropReason.noRoute]).toBe(5);
    expect(udp.send(pattern(1), 0, 1, ip('10.0.0.1'), 9)).toBe(StackError.networkUnreachable);
  });

  test('a connection whose interface is removed neither hangs the host nor keeps its memory for ever', () => {
    const tcp = host.stack.openTcp();
    tcp.connect(ip('10.0.0.1'), 80);
    const [syn] = host.out();
    const reply = { sourcePort: 80, destinationPort: syn?.sourcePort ?? 0, ack: (syn?.seq ?? 0) + 1 };
    host.in(tcpPacket({ ...reply, flags: 'S.', seq: 9, window: 60_000 }));
    expect(tcp.state).toBe('ESTABLISHED');
    tcp.write(pattern(50_000), 0, 50_000);
    expect(host.outBytes().length).toBeGreaterThan(1);
    host.stack.removeInterface(host.index);
    host.pass(3_600_000);
    expect(tcp.state).toBe('CLOSED');
    tcp.close();
    host.pass(1);
    expect(host.allocator.inUse).toBe(0);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('a source that was bound and one that was chosen are never mixed up, whatever is cached', () => {
    const topology = new Topology(new SeededRandom(1), new Uint8Array(16), NO_LINKS, () => {});
    const { index } = topology.addInterface({ name: 'a', mtu: 1500, addresses: ['10.0.0.2/8'] });
    topology.addAddress(index, '10.0.0.20/8');
    const bound = ip('10.0.0.20');
    let mixedUp = 0;
    for (let i = 0; i < 20_000; i++) {
      const destination = IpAddress.v4(0x0a010000 + i);
      if (topology.pathTo(bound, destination)?.source.w3 !== bound.w3) mixedUp++;
      if (topology.pathTo(IpAddress.anyV4, destination)?.source.w3 !== 0x0a000002) mixedUp++;
      if (topology.pathTo(bound, destination)?.source.w3 !== bound.w3) mixedUp++;
    }
    expect(mixedUp).toBe(0);
  });

  test('what waits for another interface does not leave while the link may still hold what went before', () => {
    const second = host.stack.addInterface({ name: 'b', mtu: 1500, addresses: ['192.0.2.2/24'] });
    const udp = host.stack.openUdp();
    udp.send(pattern(100), 0, 100, ip('10.0.0.1'), 9);
    udp.send(pattern(200), 0, 200, ip('192.0.2.9'), 9);
    const [one, two] = [createTransmitBatch(4), createTransmitBatch(4)];
    expect(host.stack.output(host.index, one)).toBe(1);
    expect(host.stack.output(second, two)).toBe(0);
    clearTransmitBatch(one);
    host.stack.output(host.index, one);
    expect(host.stack.output(second, two)).toBe(1);
  });

  test('one endpoint sends over several interfaces in turn, and loses nothing', () => {
    const second = host.stack.addInterface({ name: 'b', mtu: 1500, addresses: ['192.0.2.2/24'] });
    const udp = host.stack.openUdp();
    for (let i = 0; i < 20; i++) {
      udp.send(pattern(100 + i), 0, 100 + i, ip(i % 3 === 0 ? '192.0.2.9' : '10.0.0.1'), 9);
    }
    const lengths: number[] = [];
    for (let round = 0; round < 40; round++) {
      for (const index of [host.index, second]) {
        const packet = host.stack.takePacket(index);
        if (packet !== null) lengths.push(packet.length - 28);
      }
    }
    expect(lengths.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => 100 + i));
    host.outBytes();
    expect(host.allocator.inUse).toBe(0);
  });
});

describe('RFC 1122 §3.2.1.3(g) the host to itself', () => {
  let server: UdpEndpoint;

  beforeEach(() => {
    server = host.stack.openUdp();
    server.bind(IpAddress.anyV4, 7);
  });

  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['127.200.3.4', '127.0.0.1'],
    ['10.0.0.2', '10.0.0.2'],
  ])('a datagram to %s comes back through the stack without a link, from %s', (destination, source) => {
    const client = host.stack.openUdp();
    client.send(pattern(60_000), 0, 60_000, ip(destination), 7);
    expect(host.wakes).toBe(1);
    expect(host.stack.nextDeadline).toBe(host.now);
    host.stack.advance();
    const info = makeInfo();
    expect(receive(server, info)).toEqual(pattern(60_000));
    expect(String(info.source)).toBe(source);
    expect(info.interfaceIndex).toBe(1);
    expect(host.outBytes()).toEqual([]);
  });

  test('the answer finds its way back, and a port that nobody has is refused', () => {
    const client = host.stack.openUdp();
    client.connect(IpAddress.loopbackV4, 7);
    client.send(pattern(3), 0, 3, null, 0);
    host.stack.advance();
    const info = makeInfo();
    receive(server, info);
    server.send(pattern(4), 0, 4, info.source, info.sourcePort);
    host.stack.advance();
    expect(receive(client)).toEqual(pattern(4));
    server.close();
    client.send(pattern(3), 0, 3, null, 0);
    host.stack.advance();
    expect(receive(client)).toBe(StackError.connectionReset);
  });

  test('127/8 is never a source outside', () => {
    const client = host.stack.openUdp();
    client.bind(IpAddress.loopbackV4, 0);
    for (const destination of ['10.0.0.1', '8.8.8.8', '224.0.0.251']) {
      expect(client.send(pattern(1), 0, 1, ip(destination), 9)).toBe(StackError.networkUnreachable);
    }
    expect(client.send(pattern(1), 0, 1, ip('10.0.0.2'), 7)).toBe(1);
  });

  test('a TCP connection to ourselves carries bulk data in super-segments, byte by byte right', () => {
    const listener = host.stack.openTcp();
    listener.bind(IpAddress.anyV4, 80);
    listener.listen(1);
    const client = host.stack.openTcp();
    client.connect(ip('10.0.0.2'), 80);
    host.pass(10);
    const accepted = listener.accept();
    const payload = pattern(1_000_000);
    const got = new Uint8Array(payload.length);
    let written = 0;
    let read = 0;
    for (let round = 0; round < 1000 && read < payload.length; round++) {
      written += Math.max(0, client.write(payload, written, payload.length - written));
      host.pass(1);
      read += Math.max(0, accepted?.read(got, read, got.length - read) ?? 0);
    }
    expect(read).toBe(payload.length);
    expect(Buffer.compare(got, payload)).toBe(0);
    const loopback = host.stack.interfaces[0];
    expect((loopback?.outBytes ?? 0) / (loopback?.outPackets ?? 1)).toBeGreaterThan(5000);
    expect(host.outBytes()).toEqual([]);
  });

  test('observers that answer each other over it do not keep the driver for ever', () => {
    const ping = host.stack.openUdp();
    ping.bind(IpAddress.loopbackV4, 8);
    let answers = 0;
    const stack = host.stack;
    const bounce = (endpoint: UdpEndpoint): void => {
      const info = makeInfo();
      if (endpoint.receive(new Uint8Array(1), 0, 1, info) >= 0) {
        answers++;
        endpoint.send(pattern(1), 0, 1, info.source, info.sourcePort);
      }
    };
    ping.send(pattern(1), 0, 1, IpAddress.loopbackV4, 7);
    for (let turn = 0; turn < 10; turn++) {
      stack.advance();
      bounce(server);
      bounce(ping);
    }
    expect(answers).toBeGreaterThanOrEqual(10);
    expect(stack.nextDeadline).toBeLessThanOrEqual(host.now);
  });
});

describe('a table that is full', () => {
  test('takes no more from the user, nor from the network, and nothing breaks', () => {
    const host = makeHost();
    const { stack, index } = host;
    const room = MAX_ROUTES - stack.routes.length;
    for (let i = 0; i < room; i++) {
      stack.addRoute({
        destination: `11.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`,
        gateway: '10.0.0.9',
        interfaceIndex: index,
      });
    }
    expect(stack.routes).toHaveLength(MAX_ROUTES);
    expect(() => stack.addRoute({ destination: '12.0.0.0/8', interfaceIndex: index })).toThrow(RangeError);
    // One that is there is replaced.
    stack.addRoute({ destination: '11.0.0.0/32', gateway: '10.0.0.9', interfaceIndex: index, metric: 3 });
    expect(stack.routes).toHaveLength(MAX_ROUTES);
    const udp = stack.openUdp();
    udp.send(new Uint8Array(8), 0, 8, ip('203.0.113.5'), 9);
    const [sent] = host.outBytes() as [Uint8Array];
    const redirect = icmpPacket({ type: 5, code: 1, rest: v4('10.0.0.77'), payload: sent.slice(0, 28) });
    expect(host.in(redirect)).toBe(DropReason.redirectRefused);
    expect(stack.routeTo(ip('203.0.113.5'))?.interfaceIndex).toBe(index);
  });
});
