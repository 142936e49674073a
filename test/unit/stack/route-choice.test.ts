/** Metrics, tables and rules, host models, and interfaces that are switched on and off. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY } from '../../../src/base/index.ts';
import { StackError } from '../../../src/stack/index.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { udpPacket } from '../../support/segment.ts';
import { udp6Packet } from '../../support/segment6.ts';
import { type Host6UnderTest, makeHost6 } from './ipv6/support.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

let host: HostUnderTest;
let second: number;

beforeEach(() => {
  host = makeHost();
  second = host.stack.addInterface({ name: 'b', mtu: 1400, addresses: ['192.0.2.2/24'] });
});

/** Source and interface for packets to `destination`, as text. */
function way(destination: string): string {
  const route = host.stack.routeTo(ip(destination));
  return route === null ? 'none' : `${route.source} ${route.interfaceIndex}`;
}

const FIRST_WAY = (): string => `10.0.0.2 ${host.index}`;
const SECOND_WAY = (): string => `192.0.2.2 ${second}`;

function addSecondDefault(metric: number, table?: number): void {
  host.stack.addRoute({
    destination: '0.0.0.0/0',
    gateway: '192.0.2.1',
    interfaceIndex: second,
    metric,
    ...(table === undefined ? {} : { table }),
  });
}

describe('metrics', () => {
  test('RFC 1812 §5.2.4.3 of equal prefixes the lowest sum of route and interface metric decides', () => {
    addSecondDefault(256);
    expect(way('8.8.8.8')).toBe(FIRST_WAY());
    host.stack.setInterface(second, { metric: 24 });
    expect(way('8.8.8.8')).toBe(SECOND_WAY());
    host.stack.setInterface(host.index, { metric: 5 });
    expect(way('8.8.8.8')).toBe(FIRST_WAY());
  });

  test.each([0, -1, 1.5, 65_536])(
    'an interface metric of %p is refused, and nothing is changed',
    (metric) => {
      expect(() => host.stack.setInterface(second, { metric, isUp: false })).toThrow(RangeError);
      expect(host.stack.interfaces.find(({ index }) => index === second)).toMatchObject({
        metric: 25,
        isUp: true,
      });
    },
  );

  test.each([{ metric: -1 }, { metric: 65_536 }, { table: -1 }, { table: 0.5 }])(
    'a route with %p is refused',
    (bad) => {
      const route = { destination: '192.0.2.128/25', interfaceIndex: second, ...bad };
      expect(() => host.stack.addRoute(route)).toThrow(RangeError);
    },
  );
});

describe('lifetimes and origins', () => {
  test('a route is shown with its origin, and goes when its time is over', () => {
    host.stack.addRoute({
      destination: '203.0.113.0/24',
      gateway: '192.0.2.1',
      interfaceIndex: second,
      origin: 'dhcp',
      validUntil: host.now + 5000,
    });
    const shown = (): unknown =>
      host.stack.routes.find(({ prefixLength, origin }) => prefixLength === 24 && origin === 'dhcp');
    expect(shown()).toMatchObject({ origin: 'dhcp', validUntil: host.now + 5000, table: 0 });
    expect(way('203.0.113.9')).toBe(SECOND_WAY());
    host.pass(4999);
    expect(way('203.0.113.9')).toBe(SECOND_WAY());
    host.pass(1);
    expect(way('203.0.113.9')).toBe(FIRST_WAY());
    expect(shown()).toBeUndefined();
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('the routes of addresses and those made by hand say so', () => {
    const origins = host.stack.routes.map(({ prefixLength, origin }) => `${prefixLength} ${origin}`);
    expect(origins).toEqual(['128 connected', '24 connected', '24 connected', '8 connected', '0 manual']);
  });
});

describe('policies', () => {
  beforeEach(() => addSecondDefault(256, 7));

  test('a route of another table counts only for who is sent there by a rule', () => {
    host.stack.addAddress(second, '10.0.0.99/32');
    expect(way('8.8.8.8')).toBe(FIRST_WAY());
    const bound = host.stack.openUdp();
    bound.bind(ip('192.0.2.2'), 0);
    expect(bound.send(EMPTY, 0, 0, ip('8.8.8.8'), 9)).toBe(StackError.networkUnreachable);
    host.stack.setPolicies([{ source: '192.0.2.0/24', table: 7 }]);
    expect(bound.send(EMPTY, 0, 0, ip('8.8.8.8'), 9)).toBe(0);
    expect(host.stack.takePacket(second)).toHaveLength(28);
    expect(way('8.8.8.8')).toBe(FIRST_WAY());
  });

  test('rules are tried in order, and a table without a route passes the question on', () => {
    host.stack.setPolicies([{ table: 9 }, { table: 7 }]);
    expect(way('8.8.8.8')).toBe(SECOND_WAY());
    expect(way('10.0.0.7')).toBe(SECOND_WAY());
    host.stack.setPolicies([]);
    expect(way('8.8.8.8')).toBe(FIRST_WAY());
  });

  test('a rule that can not be read is refused, and the old ones stay', () => {
    host.stack.setPolicies([{ table: 7 }]);
    expect(() => host.stack.setPolicies([{ source: 'all', table: 7 }])).toThrow(RangeError);
    expect(() => host.stack.setPolicies(new Array(65).fill({ table: 7 }))).toThrow(RangeError);
    expect(host.stack.policies).toEqual([{ table: 7 }]);
  });
});

describe('RFC 1122 §3.3.4.2 multihoming', () => {
  test('the strong model takes and sends an address on its own interface only', () => {
    expect(host.in(udpPacket({ dst: '192.0.2.2', destinationPort: 9 }))).toBe(DropReason.ipNotForUs);
    const bound = host.stack.openUdp();
    bound.bind(ip('192.0.2.2'), 0);
    expect(bound.send(EMPTY, 0, 0, ip('8.8.8.8'), 9)).toBe(StackError.networkUnreachable);
  });

  test('the weak model, on the interface where it is switched on, takes all that is ours and sends by any route', () => {
    host.stack.setInterface(host.index, { weakHostReceive: true });
    expect(host.in(udpPacket({ dst: '192.0.2.2', destinationPort: 9 }))).toBe(DropReason.udpNoListener);
    expect(host.in(udpPacket({ dst: '192.0.2.3', destinationPort: 9 }))).toBe(DropReason.ipNotForUs);
    expect(host.in(udpPacket({ dst: '127.0.0.1', destinationPort: 9 }))).toBe(DropReason.ipNotForUs);
    const bound = host.stack.openUdp();
    bound.bind(ip('192.0.2.2'), 0);
    host.stack.setInterface(second, { weakHostSend: true });
    expect(bound.send(EMPTY, 0, 0, ip('8.8.8.8'), 9)).toBe(0);
    expect(host.out()).toMatchObject([{ src: '192.0.2.2', dst: '8.8.8.8' }]);
  });
});

describe('RFC 1122 §3.3.4.2 multihoming, of IPv6', () => {
  let six: Host6UnderTest;
  let other: number;

  beforeEach(() => {
    six = makeHost6();
    other = six.stack.addInterface({ name: 'b', mtu: 1400, addresses: ['fd01::2/64', 'fe80::99/64'] });
  });

  const arriving = (dst: string): number => six.in(udp6Packet({ dst, destinationPort: 9 }));

  /** An endpoint of the other interface's address sends by the first one's default route. */
  function sendByFirst(): number {
    const bound = six.stack.openUdp(6);
    bound.bind(ip('fd01::2'), 0);
    return bound.send(EMPTY, 0, 0, ip('2001:db8::9'), 9);
  }

  test('RFC 1122 §3.3.4.2: over IPv6 too the strong model takes and sends an address on its own interface only', () => {
    expect(arriving('fd01::2')).toBe(DropReason.ipNotForUs);
    expect(sendByFirst()).toBe(StackError.networkUnreachable);
  });

  test('RFC 1122 §3.3.4.2: weakHostReceive takes all of ours on that interface, but nothing of another link’s scope', () => {
    six.stack.setInterface(six.index, { weakHostReceive: true });
    expect(arriving('fd01::2')).toBe(DropReason.udpNoListener);
    expect(arriving('fd01::3')).toBe(DropReason.ipNotForUs);
    expect(arriving('fe80::99')).toBe(DropReason.ipNotForUs);
    expect(arriving('::1')).toBe(DropReason.ipNotForUs);
    expect(sendByFirst()).toBe(StackError.networkUnreachable);
    six.stack.setInterface(six.index, { weakHostReceive: false });
    expect(arriving('fd01::2')).toBe(DropReason.ipNotForUs);
  });

  test('RFC 1122 §3.3.4.2: weakHostSend of the address’s interface lets it leave by any route', () => {
    six.stack.setInterface(other, { weakHostSend: true });
    expect(sendByFirst()).toBe(0);
    expect(six.out6()).toMatchObject([{ src: 'fd01::2', dst: '2001:db8::9' }]);
    expect(arriving('fd01::2')).toBe(DropReason.ipNotForUs);
    six.stack.setInterface(other, { weakHostSend: false });
    expect(sendByFirst()).toBe(StackError.networkUnreachable);
  });
});

describe('an interface that is switched off', () => {
  test('takes nothing, and another default route is used until it is on again', () => {
    addSecondDefault(999);
    host.stack.setInterface(host.index, { isUp: false });
    expect(way('8.8.8.8')).toBe(SECOND_WAY());
    expect(host.in(udpPacket({ destinationPort: 9 }))).toBe(DropReason.interfaceDown);
    host.stack.setInterface(host.index, { isUp: true });
    expect(way('8.8.8.8')).toBe(FIRST_WAY());
    expect(host.in(udpPacket({ destinationPort: 9 }))).toBe(DropReason.udpNoListener);
  });

  test('loses what waits on it, counted, and frees its memory', () => {
    const udp = host.stack.openUdp();
    for (let i = 0; i < 5; i++) udp.send(pattern(1000), 0, 1000, ip('10.0.0.1'), 9);
    host.stack.setInterface(host.index, { isUp: false });
    expect(host.allocator.inUse).toBe(0);
    expect(host.outBytes()).toEqual([]);
    host.stack.setInterface(host.index, { isUp: true });
    expect(udp.send(pattern(10), 0, 10, ip('10.0.0.1'), 9)).toBe(10);
    expect(host.outBytes()).toHaveLength(1);
  });

  test('the loopback interface stays on', () => {
    expect(() => host.stack.setInterface(1, { isUp: false })).toThrow(RangeError);
  });
});
