import { describe, expect, test } from '@jest/globals';
import { formatV4, fromHex, IpAddress, i32, parseMac, u16 } from '../../../../src/base/index.ts';
import type { AutoconfOptions } from '../../../../src/stack/index.ts';
import {
  DropReason,
  ETHERNET_HEADER_LEN,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  IcmpV6Type,
} from '../../../../src/wire/index.ts';
import { icmp6Packet, readPacket6 } from '../../../support/segment6.ts';
import { ALL_NODES, address, frameText6, ndpFrameOf, ROUTER, sent6, slla } from '../neighbor/ndp-support.ts';
import { OWN_MAC } from '../neighbor/support.ts';
import { type HostUnderTest, makeHost } from '../support.ts';

/** A host on an Ethernet that configures itself. */
function configured(options: AutoconfOptions = { temporaryAddresses: false }): HostUnderTest {
  const mac = parseMac(OWN_MAC) as Uint8Array;
  const host = makeHost({ medium: 'ethernet', mac, addresses: [], detectDuplicates: true });
  host.stack.startAutoconf(host.index, options);
  return host;
}

const view = (host: HostUnderTest) => {
  const found = host.stack.interfaces.find(({ index }) => index === host.index);
  if (found === undefined) throw new Error('the interface is gone');
  return found;
};
const addresses = (host: HostUnderTest): string[] =>
  view(host).addresses.map((held) => `${held.address}/${held.prefixLength} ${held.origin} ${held.state}`);
const routes = (host: HostUnderTest): string[] =>
  host.stack.routes
    .filter(({ interfaceIndex, origin }) => interfaceIndex === host.index && origin === 'router')
    .map(({ destination, prefixLength, gateway }) => `${destination}/${prefixLength} via ${gateway}`);

const PREFIX = `0304 40c0 00015180 0000a8c0 00000000 ${address('2001:db8:1::')}`;

/** An advertisement of fe80::1: for half an hour, with 2001:db8:1::/64, and what `options` say. */
function advertise(
  host: HostUnderTest,
  word = 0x40000708,
  options = PREFIX + slla(),
  router = ROUTER,
  /** Reachable time and retransmission timer, ms. */
  times: readonly [reachable: number, retrans: number] = [0, 0],
): number {
  return host.in(
    ndpFrameOf(IcmpV6Type.routerAdvertisement, {
      src: router,
      dst: ALL_NODES,
      rest: word,
      body: `${hex32(times[0])} ${hex32(times[1])} ${options}`,
    }),
  );
}

/** Whether a frame asks who has `wanted`: a Neighbor Solicitation or an ARP request. */
function isQuestionFor(frame: Uint8Array, wanted: IpAddress): boolean {
  if (u16(frame, 12) === ETHERTYPE_ARP) return formatV4(i32(frame, 38)) === String(wanted);
  return frameText6(frame).startsWith(`ns ${wanted} `);
}

const hex32 = (value: number): string => value.toString(16).padStart(8, '0');

/** Until routers are asked. */
function ready(host: HostUnderTest): void {
  host.pass(3000);
  host.outBytes();
}

describe('RFC 4862 an interface that configures itself', () => {
  test('RFC 4861 §4.1 the link-local address is asked for first, then routers, from it and with the hardware address', () => {
    const host = configured();
    expect(addresses(host)).toEqual([expect.stringMatching(/^fe80::\S+\/64 linkLocal tentative$/)]);
    host.pass(3000);
    const sent = sent6(host);
    expect(addresses(host)).toEqual([expect.stringMatching(/linkLocal preferred$/)]);
    const [own] = view(host).addresses;
    const text = `${own?.address}`.replace(/%\d+$/, '');
    expect(sent[0]).toMatch(new RegExp(`^ns ${text} from :: `));
    expect(sent).toContain(`rs from ${text} with mac > 33:33:00:00:00:02`);
  });

  test('an advertisement makes an address, which is asked for too, an on-link prefix and a default route', () => {
    const host = configured();
    ready(host);
    expect(advertise(host)).toBe(0);
    expect(addresses(host)[1]).toMatch(/^2001:db8:1:0:\S+\/64 router tentative$/);
    expect(routes(host).toSorted()).toEqual(['2001:db8:1::/64 via null', `::/0 via ${ROUTER}%${host.index}`]);
    host.pass(3000);
    expect(addresses(host)[1]).toMatch(/router preferred$/);
    const way = host.stack.routeTo(IpAddress.parse('2001:db8:9::9') as IpAddress);
    expect(`${way?.source}`).toMatch(/^2001:db8:1:0:/);
    // An answer ends the asking.
    host.outBytes();
    host.pass(100_000);
    expect(sent6(host).filter((text) => text.startsWith('rs'))).toEqual([]);
  });

  test('§5.4.5, RFC 7217 §6: an address that somebody else has is replaced by another one', () => {
    const host = configured();
    ready(host);
    advertise(host);
    const first = `${view(host).addresses[1]?.address}`;
    host.pass(10);
    host.in(
      ndpFrameOf(IcmpV6Type.neighborAdvertisement, {
        src: ROUTER,
        dst: ALL_NODES,
        rest: 0x20000000,
        body: `${address(first)} 0201 020000000077`,
      }),
    );
    host.pass(5000);
    const routed = view(host).addresses.filter(({ origin }) => origin === 'router');
    expect(routed).toHaveLength(1);
    expect(`${routed[0]?.address}`).not.toBe(first);
    expect(routed[0]?.state).toBe('preferred');
  });

  test('RFC 8981: a temporary address is what the host begins with', () => {
    const host = configured({});
    ready(host);
    advertise(host);
    host.pass(3000);
    expect(view(host).addresses.map(({ origin }) => origin)).toEqual(['linkLocal', 'router', 'temporary']);
  });
});

describe('RFC 6724 §5 rule 5.5 the prefix of the next hop', () => {
  const FAR = IpAddress.parse('2001:db8:2::9') as IpAddress;
  const SECOND = 'fe80::99';
  const OTHER_PREFIX = PREFIX.replace(address('2001:db8:1::'), address('2001:db8:2::'));
  const sourceTo = (host: HostUnderTest, to = FAR): string => `${host.stack.routeTo(to)?.source}`;

  /** Two routers with a prefix each that is not on the link; the first is the better. */
  function withTwoRouters(): HostUnderTest {
    const host = configured();
    ready(host);
    advertise(host, 0x40080708, PREFIX.replace('0304 40c0', '0304 4040'));
    advertise(host, 0x40000708, OTHER_PREFIX.replace('0304 40c0', '0304 4040'), SECOND);
    host.pass(3000);
    return host;
  }

  test('the address is of the prefix that the router on the way has advertised, however long another matches', () => {
    expect(sourceTo(withTwoRouters())).toMatch(/^2001:db8:1:0:/);
  });

  test('when that router goes, it is of the next one’s', () => {
    const host = withTwoRouters();
    advertise(host, 0x40000000, '');
    expect(sourceTo(host)).toMatch(/^2001:db8:2:0:/);
    // Back again, better than the other.
    advertise(host, 0x40080708, PREFIX.replace('0304 40c0', '0304 4040') + slla());
    expect(sourceTo(host)).toMatch(/^2001:db8:1:0:/);
    // A neighbour that says that it is no router any more (RFC 4861 §7.2.5).
    const rest = 0x20000000;
    const body = `${address(ROUTER)} 0201 020000000001`;
    host.in(ndpFrameOf(IcmpV6Type.neighborAdvertisement, { src: ROUTER, dst: ALL_NODES, rest, body }));
    expect(sourceTo(host)).toMatch(/^2001:db8:2:0:/);
  });

  test('addresses by hand count with the prefix that they are in; one of no router’s is neither better nor worse', () => {
    const host = withTwoRouters();
    host.stack.addAddress(host.index, '2001:db8:1::7/64', { detectDuplicates: false, isOnLink: false });
    host.stack.stopAutoconf(host.index);
    host.stack.addRoute({ destination: '::/0', gateway: 'fd00::1', interfaceIndex: host.index });
    expect(sourceTo(host)).toBe('2001:db8:1::7');
    // Rules 6 and 8 decide: nobody is known to have advertised either.
    host.stack.addAddress(host.index, '2001:db8:2::7/64', { detectDuplicates: false, isOnLink: false });
    expect(sourceTo(host)).toBe('2001:db8:2::7');
  });

  test('rule 3 counts before it, and rule 6 after', () => {
    const host = withTwoRouters();
    // The prefix of the router on the way is deprecated from now on.
    advertise(host, 0x40080708, `0304 4040 00015180 00000000 00000000 ${address('2001:db8:1::')}`);
    host.pass(10);
    expect(sourceTo(host)).toMatch(/^2001:db8:2:0:/);
    const other = withTwoRouters();
    other.stack.setAddressPolicy([
      { prefix: '::/0', precedence: 1, label: 1 },
      { prefix: '2001:db8:2::/48', precedence: 1, label: 2 },
    ]);
    expect(sourceTo(other)).toMatch(/^2001:db8:1:0:/);
  });

  test('what a router no longer advertises is not its any more, and a storm of prefixes is bounded', () => {
    const host = withTwoRouters();
    // The prefix of the second, too: either may be used past it.
    advertise(host, 0x40080708, OTHER_PREFIX.replace('0304 40c0', '0304 4040'));
    expect(sourceTo(host)).toMatch(/^2001:db8:2:0:/);
    advertise(host, 0x40080708, `0304 4040 00000000 00000000 00000000 ${address('2001:db8:2::')}`);
    expect(sourceTo(host)).toMatch(/^2001:db8:1:0:/);
    for (let i = 0; i < 400; i++) {
      host.pass(25);
      advertise(
        host,
        0x40080708,
        PREFIX.replace(address('2001:db8:1::'), address(`2001:db8:f:${i.toString(16)}::`)),
      );
    }
    expect(sourceTo(host)).toMatch(/^2001:db8:1:0:/);
  });
});

describe('RFC 4861 §6.3.4 what a router says of the link', () => {
  const FAR = '2001:db8:9::9';
  const ROUTER_MAC = parseMac('02:00:00:00:00:01') as Uint8Array;

  /** The hop limit of a datagram that asks for none. */
  function hopsTo(host: HostUnderTest, to: string): number | undefined {
    host.outBytes();
    host.stack.openUdp(6).send(new Uint8Array(1), 0, 1, IpAddress.parse(to) as IpAddress, 9);
    const frames = host.outBytes().filter((frame) => u16(frame, 12) === ETHERTYPE_IPV6);
    const packets = frames.map((frame) => readPacket6(frame.slice(ETHERNET_HEADER_LEN)));
    return packets.find(({ dst }) => dst === to)?.hops;
  }

  test('its hop limit and MTU are those of IPv6 packets from now on', () => {
    const host = configured();
    ready(host);
    advertise(host, 0x21000708, `${PREFIX} 0501 0000 00000578`);
    host.pass(3000);
    expect(host.stack.routeTo(IpAddress.parse('2001:db8:9::9') as IpAddress)?.mtu).toBe(1400);
    expect(view(host).mtu).toBe(1500);
    // What is not said stays; what can't be is not believed.
    advertise(host, 0x00000708, `${PREFIX} 0501 0000 000004ff`);
    advertise(host, 0x00000708, `${PREFIX} 0501 0000 000005dd`);
    expect(host.stack.routeTo(IpAddress.parse('2001:db8:9::9') as IpAddress)?.mtu).toBe(1400);
    host.stack.addNeighbor(host.index, IpAddress.parse(ROUTER) as IpAddress, ROUTER_MAC);
    expect(hopsTo(host, FAR)).toBe(0x21);
    host.stack.stopAutoconf(host.index);
    host.stack.addAddress(host.index, '2001:db8:1::7/64', { detectDuplicates: false });
    host.stack.addRoute({ destination: '::/0', gateway: '2001:db8:1::1', interfaceIndex: host.index });
    expect(host.stack.routeTo(IpAddress.parse(FAR) as IpAddress)?.mtu).toBe(1500);
    host.stack.addNeighbor(host.index, IpAddress.parse('2001:db8:1::1') as IpAddress, ROUTER_MAC);
    expect(hopsTo(host, FAR)).toBe(64);
  });

  /** The times at which a neighbour is asked for, until it is given up. */
  function askedFor(host: HostUnderTest, neighbor: string): number[] {
    const to = IpAddress.parse(neighbor) as IpAddress;
    host.outBytes();
    host.stack.openUdp(to.family).send(new Uint8Array(1), 0, 1, to, 9);
    const start = host.now;
    const times: number[] = [];
    for (; host.now - start <= 300_000; host.pass(250)) {
      const asked = host.outBytes().filter((frame) => isQuestionFor(frame, to));
      if (asked.length > 0) times.push(host.now - start);
    }
    return times;
  }

  test('its retransmission timer is that of questions for IPv6 neighbours, within bounds; ARP keeps its own', () => {
    const host = configured();
    host.stack.addAddress(host.index, '10.0.0.2/24', { detectDuplicates: false });
    ready(host);
    const say = (retrans: number): void => void advertise(host, 0x40000708, PREFIX, ROUTER, [0, retrans]);
    say(2500);
    host.pass(5000);
    expect(askedFor(host, '2001:db8:1::9')).toEqual([0, 2500, 5000]);
    expect(askedFor(host, '10.0.0.9')).toEqual([0, 1000, 2000]);
    // Not said: as it was. A week, which would be the end of the link: a minute.
    say(0);
    expect(askedFor(host, '2001:db8:1::a')).toEqual([0, 2500, 5000]);
    say(7 * 24 * 3_600_000);
    expect(askedFor(host, '2001:db8:1::b')).toEqual([0, 60_000, 120_000]);
    host.stack.stopAutoconf(host.index);
    host.stack.addAddress(host.index, '2001:db8:1::7/64', { detectDuplicates: false });
    expect(askedFor(host, '2001:db8:1::c')).toEqual([0, 1000, 2000]);
  });

  test('its reachable time is that of IPv6 neighbours, half as long or half as long again', () => {
    const host = configured();
    host.stack.addAddress(host.index, '10.0.0.2/24', { detectDuplicates: false });
    ready(host);
    advertise(host, 0x40000708, PREFIX + slla(), ROUTER, [600_000, 0]);
    const router = IpAddress.parse(`${ROUTER}%${host.index}`) as IpAddress;
    const state = () =>
      host.stack.neighbors(host.index).find(({ address: known }) => known.equals(router))?.state;
    host.stack.openUdp(6).send(new Uint8Array(1), 0, 1, router, 9);
    host.pass(6000);
    host.in(
      ndpFrameOf(IcmpV6Type.neighborAdvertisement, {
        src: ROUTER,
        dst: `${view(host).addresses.find(({ origin }) => origin === 'linkLocal')?.address}`.replace(
          /%.*/,
          '',
        ),
        rest: 0xe0000000 | 0,
        body: `${address(ROUTER)} 0201 020000000001`,
      }),
    );
    expect(state()).toBe('reachable');
    host.pass(299_000);
    expect(state()).toBe('reachable');
    host.pass(602_000);
    expect(state()).toBe('stale');
  });

  test('nothing of that is heard by an interface that is configured by hand', () => {
    const host = configured();
    ready(host);
    host.stack.stopAutoconf(host.index);
    host.stack.addAddress(host.index, '2001:db8:1::7/64', { detectDuplicates: false });
    advertise(host, 0x01000708, `${PREFIX} 0501 0000 00000578`, ROUTER, [3_600_000, 60_000]);
    expect(askedFor(host, '2001:db8:1::9')).toEqual([0, 1000, 2000]);
    expect(host.stack.routeTo(IpAddress.parse('2001:db8:1::9') as IpAddress)?.mtu).toBe(1500);
  });

  test('§4.2: M asks for addresses by DHCPv6', () => {
    const host = configured();
    ready(host);
    expect(host.stack.dhcpStatus(host.index).v6).toBeNull();
    advertise(host, 0x40800708);
    host.pass(2000);
    expect(host.stack.dhcpStatus(host.index).v6?.mode).toBe('stateful');
  });

  test('§4.2: O asks for the rest', () => {
    const host = configured();
    ready(host);
    advertise(host, 0x40400708);
    host.pass(2000);
    expect(host.stack.dhcpStatus(host.index).v6?.mode).toBe('stateless');
  });

  test('RFC 8106: name servers', () => {
    const host = configured();
    ready(host);
    advertise(host, 0x40000708, `${PREFIX} 1903 0000 00000258 ${address('2001:db8::53')}`);
    expect(view(host).names.map(({ origin, servers }) => `${origin} ${servers}`)).toEqual([
      'router 2001:db8::53',
    ]);
  });
});

test('stopped, it takes back all that routers gave, and nothing of the user’s', () => {
  const host = configured({});
  ready(host);
  host.stack.addAddress(host.index, '2001:db8:1::7/64');
  advertise(host, 0x40000708, `${PREFIX} 1903 0000 00000258 ${address('2001:db8::53')}`);
  host.pass(3000);
  expect(addresses(host)).toHaveLength(4);
  host.stack.stopAutoconf(host.index);
  expect(addresses(host)).toEqual(['2001:db8:1::7/64 manual preferred']);
  expect(routes(host)).toEqual([]);
  expect(view(host).names).toEqual([]);
  expect(`${host.stack.routeTo(IpAddress.parse('2001:db8:1::9') as IpAddress)?.source}`).toBe(
    '2001:db8:1::7',
  );
  // Nobody listens any more.
  advertise(host);
  expect(addresses(host)).toHaveLength(1);
  host.stack.stopAutoconf(host.index);
});

test('RFC 4861 §6.3 on a link without hardware addresses the router at the other end is asked, heard and used', () => {
  const host = makeHost({ addresses: [] });
  host.stack.startAutoconf(host.index, { temporaryAddresses: false });
  // Nobody else is on the link: the address is there at once.
  expect(addresses(host)).toEqual([expect.stringMatching(/linkLocal preferred$/)]);
  host.pass(1000);
  const own = `${view(host).addresses[0]?.address}`.replace(/%\d+$/, '');
  const asked = host.outBytes().map(readPacket6);
  expect(asked.filter(({ type }) => type === IcmpV6Type.routerSolicitation)).toEqual([
    expect.objectContaining({ src: own, dst: 'ff02::2', hops: 255, payload: new Uint8Array(0) }),
  ]);
  const say = (hops: number): number =>
    host.in(
      icmp6Packet({
        type: IcmpV6Type.routerAdvertisement,
        src: ROUTER,
        dst: ALL_NODES,
        rest: 0x40000708,
        hops,
        payload: fromHex(`00000000 00000000 ${PREFIX} 0501 0000 00000578`),
      }),
    );
  expect(say(254)).toBe(DropReason.ndpHopLimit);
  expect(say(255)).toBe(DropReason.none);
  expect(addresses(host)[1]).toMatch(/^2001:db8:1:0:\S+\/64 router preferred$/);
  expect(host.stack.routeTo(IpAddress.parse('2001:db8:9::9') as IpAddress)?.mtu).toBe(1400);
  host.stack.openUdp(6).send(new Uint8Array(1), 0, 1, IpAddress.parse('2001:db8:9::9') as IpAddress, 9);
  expect(host.outBytes().map(readPacket6)).toMatchObject([{ dst: '2001:db8:9::9', hops: 64 }]);
  // It is asked no more; and no other message between neighbours is for such a link.
  host.pass(100_000);
  expect(host.outBytes()).toEqual([]);
  const solicitation = { type: IcmpV6Type.neighborSolicitation, src: ROUTER, dst: own, hops: 255 };
  expect(host.in(icmp6Packet({ ...solicitation, rest: 0, payload: fromHex(address(own)) }))).toBe(
    DropReason.ndpNotForUs,
  );
  host.stack.stopAutoconf(host.index);
  expect([addresses(host), routes(host)]).toEqual([[], []]);
  expect(say(255)).toBe(DropReason.ndpNotForUs);
});

test.each([
  ['an Ethernet', () => configured()],
  [
    'a link without hardware addresses',
    () => {
      const host = makeHost({ addresses: [] });
      host.stack.startAutoconf(host.index, { temporaryAddresses: false });
      return host;
    },
  ],
])(
  'RFC 4861 §6.3.7: when %s comes up again, which may be another, routers are asked again',
  (_name, make) => {
    const host = make();
    const { stack, index } = host;
    ready(host);
    const isEthernet = view(host).medium === 'ethernet';
    const asked = (): boolean[] =>
      host
        .outBytes()
        .map((bytes) => (isEthernet ? bytes.slice(ETHERNET_HEADER_LEN) : bytes))
        .map((packet) => (readPacket6(packet).type as number) === IcmpV6Type.routerSolicitation)
        .filter((isOne) => isOne);
    const router = icmp6Packet({
      type: IcmpV6Type.routerAdvertisement,
      src: ROUTER,
      dst: ALL_NODES,
      rest: 0x40000708,
      hops: 255,
      payload: fromHex(`00000000 00000000 ${PREFIX}`),
    });
    if (isEthernet) advertise(host);
    else host.in(router);
    host.pass(100_000);
    host.outBytes();
    stack.setInterface(index, { isUp: false });
    host.pass(5000);
    expect(asked()).toEqual([]);
    stack.setInterface(index, { isUp: true });
    host.pass(3000);
    expect(asked()).toEqual([true]);
  },
);

test('the loopback interface, and one with an MTU that is too small, are refused', () => {
  const host = makeHost();
  expect(() => host.stack.startAutoconf(1)).toThrow('loopback');
  expect(() => host.stack.startAutoconf(99)).toThrow('no interface 99');
  const mac = parseMac(OWN_MAC) as Uint8Array;
  const narrow = makeHost({ medium: 'ethernet', mac, mtu: 1279, addresses: [] });
  expect(() => narrow.stack.startAutoconf(narrow.index)).toThrow('IPv6 needs 1280');
});

test('started anew, and with its interface gone, nothing is left behind', () => {
  const host = configured({});
  ready(host);
  advertise(host);
  host.stack.startAutoconf(host.index);
  ready(host);
  advertise(host);
  host.pass(3000);
  expect(addresses(host)).toHaveLength(3);
  host.stack.removeInterface(host.index);
  // Timers that were disarmed are forgotten when their time comes.
  host.pass(3 * 24 * 3_600_000);
  expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  expect(host.allocator.inUse).toBe(0);
});
