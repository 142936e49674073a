/** What "fragmentation needed" and "packet too big" do to all but TCP, and how long they are remembered. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { IpAddress, OFFLOAD_CSUM, TimerQueue } from '../../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import { plateauBelow } from '../../../src/stack/ip/too-big.ts';
import { PMTU_LIFETIME, PmtuCache } from '../../../src/stack/pmtu-cache.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { FAMILY_PACKETS, packetsOf } from '../../support/packets.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

const PEER = ip('10.0.0.1');
const DF = 0x40;
/** Of the link, in both families. */
const LINK_MTU = 1500;
const UDP_HEADER_LEN = 8;
const FRAGMENT_HEADER_LEN = 8;

describe('RFC 1191 §6.3 the cache of path MTUs', () => {
  const make = (capacity?: number) => {
    const timers = new TimerQueue();
    return { timers, cache: new PmtuCache(timers, capacity) };
  };
  const other = ip('10.0.0.9');

  test('an estimate only falls, is one destination’s, and of the interface that it was learned on', () => {
    const { cache } = make();
    cache.lower(PEER, 2, 1400, 0);
    cache.lower(PEER, 2, 1450, 0);
    expect(cache.lookup(PEER, 2)).toBe(1400);
    expect(cache.lookup(PEER, 3)).toBe(Number.POSITIVE_INFINITY);
    expect(cache.lookup(other, 2)).toBe(Number.POSITIVE_INFINITY);
    cache.lower(PEER, 3, 1450, 0);
    expect([cache.lookup(PEER, 2), cache.lookup(PEER, 3)]).toEqual([Number.POSITIVE_INFINITY, 1450]);
  });

  test('after ten minutes without another message it is forgotten, and the timer rests', () => {
    const { cache, timers } = make();
    cache.lower(PEER, 2, 1400, 0);
    cache.lower(other, 2, 1300, 1000);
    // The same claim again: believed for longer.
    cache.lower(PEER, 2, 1400, 5000);
    timers.run(PMTU_LIFETIME);
    expect(cache.size).toBe(2);
    timers.run(1000 + PMTU_LIFETIME);
    expect([cache.lookup(other, 2), cache.lookup(PEER, 2)]).toEqual([Number.POSITIVE_INFINITY, 1400]);
    timers.run(5000 + PMTU_LIFETIME);
    expect([cache.size, timers.next]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  test('RFC 8201 §5.2 an IPv6 destination has an estimate of its own', () => {
    const { cache } = make();
    const six = ip('2001:db8::1');
    cache.lower(six, 2, 1280, 0);
    expect([cache.lookup(six, 2), cache.lookup(PEER, 2)]).toEqual([1280, Number.POSITIVE_INFINITY]);
  });

  test('it is bounded: the oldest estimate makes room', () => {
    const { cache } = make(3);
    for (let i = 1; i <= 5; i++) cache.lower(IpAddress.v4(i), 2, 1000 + i, i);
    expect(cache.size).toBe(3);
    expect([1, 2, 3, 4, 5].map((i) => cache.lookup(IpAddress.v4(i), 2))).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
      1003,
      1004,
      1005,
    ]);
  });
});

describe('RFC 1191 §7.1 routers that do not say their MTU', () => {
  test.each([
    [65_535, 32_000],
    [1500, 1492],
    [1492, 1006],
    [600, 508],
    [69, 68],
    [68, 0],
  ])('after %i bytes comes the plateau of %i', (length, plateau) => {
    expect(plateauBelow(length)).toBe(plateau);
  });
});

describe.each(FAMILY_PACKETS)('IPv$family', (packets) => {
  const { family, headerLength, peer, error } = packets;
  const to = ip(peer);
  /** The longest datagram that a packet of `mtu` bytes carries. */
  const fits = (mtu: number): number => mtu - headerLength - UDP_HEADER_LEN;
  const FULL = fits(LINK_MTU);
  /** The lengths of the packets in which a datagram of `length` bytes leaves over a path of `mtu` bytes. */
  const cut = (length: number, mtu: number): number[] => {
    const header = family === 4 ? headerLength : headerLength + FRAGMENT_HEADER_LEN;
    const step = (mtu - header) & ~7;
    const whole = length + UDP_HEADER_LEN;
    return [header + step, header + whole - step];
  };
  let host: HostUnderTest;

  beforeEach(() => {
    host = makeHost({ addresses: [packets.prefix] });
  });

  function openUdp(): UdpEndpoint {
    const udp = host.stack.openUdp(family);
    udp.connect(to, 9);
    return udp;
  }

  /** Sends `length` bytes. @returns the result and the lengths of the packets that left */
  function send(udp: UdpEndpoint, length: number): [number, number[]] {
    const result = udp.send(pattern(length), 0, length, null, 0);
    return [result, host.outBytes().map((packet) => packet.length)];
  }

  /** A datagram with DF that fills the link. */
  function sendFull(udp: UdpEndpoint): Uint8Array {
    udp.dontFragment = true;
    udp.send(pattern(FULL), 0, FULL, null, 0);
    return host.outBytes()[0] as Uint8Array;
  }

  /** As {@link sendFull}, and a message that claims `mtu` about it. @returns the drop reason */
  const discover = (udp: UdpEndpoint, mtu: number): number => host.in(error('tooBig', sendFull(udp), mtu));

  describe('RFC 1191 §6.2, RFC 8201 §5.2 datagrams that may not be cut', () => {
    test('given a smaller MTU on the way, when a larger one is sent, then it is refused until the estimate is ten minutes old', () => {
      const udp = openUdp();
      expect(udp.pathMtu).toBe(LINK_MTU);
      expect(discover(udp, 1400)).toBe(0);
      expect(udp.pathMtu).toBe(1400);
      expect(send(udp, fits(1400) + 1)).toEqual([StackError.messageTooLong, []]);
      expect(send(udp, fits(1400))).toEqual([fits(1400), [1400]]);
      expect(udp.pendingError).toBe(0);
      host.pass(PMTU_LIFETIME + 1);
      expect(send(udp, FULL)).toEqual([FULL, [LINK_MTU]]);
    });

    test('another endpoint knows it too, and one without DF cuts its datagrams to it', () => {
      discover(openUdp(), 1400);
      const udp = openUdp();
      expect(send(udp, FULL)).toEqual([FULL, cut(FULL, 1400)]);
      const raw = host.stack.openRaw(200, family);
      raw.connect(to, 0);
      raw.dontFragment = true;
      expect(raw.pathMtu).toBe(1400);
      const most = 1400 - headerLength;
      expect(raw.send(pattern(most + 1), 0, most + 1, null, 0)).toBe(StackError.messageTooLong);
      expect(raw.send(pattern(most), 0, most, null, 0)).toBe(most);
      const echo = host.stack.openIcmp(family);
      echo.dontFragment = true;
      expect(echo.sendEcho(to, 1, pattern(fits(1400) + 1))).toBe(StackError.messageTooLong);
      expect(echo.sendEcho(to, 1, pattern(fits(1400)))).toBe(0);
    });

    test('what an echo request or a raw packet ran into counts as well', () => {
      const echo = host.stack.openIcmp(family);
      echo.dontFragment = true;
      echo.sendEcho(to, 1, pattern(FULL));
      expect(host.in(error('tooBig', host.outBytes()[0] as Uint8Array, 1400))).toBe(0);
      expect(openUdp().pathMtu).toBe(1400);
      const raw = host.stack.openRaw(200, family);
      raw.connect(to, 0);
      raw.dontFragment = true;
      raw.send(pattern(1400 - headerLength), 0, 1400 - headerLength, null, 0);
      expect(host.in(error('tooBig', host.outBytes()[0] as Uint8Array, 1300))).toBe(0);
      expect(raw.pathMtu).toBe(1300);
    });

    test('a packet queued before the path became narrower is not sent in pieces', () => {
      const udp = openUdp();
      const first = sendFull(udp);
      udp.send(pattern(FULL), 0, FULL, null, 0);
      host.in(error('tooBig', first, 1400));
      expect(host.outBytes()).toEqual([]);
      expect(host.stack.counters.ipFragFails).toBe(1);
    });

    test('one that may be cut, and whose checksum only the link completes, is left to routers whole; over IPv6, where none cuts, it is cut here', () => {
      host = makeHost({ addresses: [packets.prefix], offload: OFFLOAD_CSUM });
      const refused = sendFull(openUdp());
      const udp = openUdp();
      udp.send(pattern(FULL), 0, FULL, null, 0);
      expect(host.in(error('tooBig', refused, 1400))).toBe(0);
      const left = family === 4 ? [LINK_MTU] : cut(FULL, 1400);
      expect(host.outBytes().map((packet) => packet.length)).toEqual(left);
      expect(send(udp, FULL)).toEqual([FULL, cut(FULL, 1400)]);
    });
  });

  describe('RFC 5927 §7 what is not believed', () => {
    test.each([
      ['an MTU that the packet fits', LINK_MTU],
      ['an MTU beyond the link’s', 9000],
      ['RFC 791, RFC 8200 §5 an MTU that no link has', family === 4 ? 67 : 1279],
    ])('%s', (_name, mtu) => {
      const udp = openUdp();
      expect(discover(udp, mtu)).toBe(DropReason.icmpMtuImplausible);
      expect(udp.pathMtu).toBe(LINK_MTU);
    });

    /** Where the destination is in the IP header, and the source port behind it. */
    const destinationAt = family === 4 ? 16 : 24;

    test('a quote of a destination to which nothing was sent', () => {
      const udp = host.stack.openUdp(family);
      udp.dontFragment = true;
      udp.send(pattern(FULL), 0, FULL, to, 9);
      const packet = host.outBytes()[0] as Uint8Array;
      const last = destinationAt + (family === 4 ? 3 : 15);
      packet[last] = 77;
      expect(host.in(error('tooBig', packet, 1400))).toBe(DropReason.icmpQuoteUnknown);
      packet[last] = 1;
      expect(host.in(error('tooBig', packet, 1400))).toBe(0);
    });

    test('a port that is not ours', () => {
      const packet = sendFull(openUdp());
      packet.set([0, 1], headerLength);
      expect(host.in(error('tooBig', packet, 1400))).toBe(DropReason.icmpQuoteUnknown);
    });
  });

  describe('OPT-IP_MTU_DISCOVER, OPT-IPV6_MTU_DISCOVER, OPT-IP_USER_MTU, OPT-IPV6_USER_MTU', () => {
    test('`probe` sends up to the link’s MTU in one piece, whatever was discovered', () => {
      const udp = openUdp();
      discover(udp, 1400);
      udp.mtuDiscovery = 'probe';
      udp.dontFragment = false;
      expect(send(udp, FULL)).toEqual([FULL, [LINK_MTU]]);
      expect(send(udp, FULL + 1)).toEqual([StackError.messageTooLong, []]);
    });

    test('an MTU of the user’s bounds what is sent in one piece, and raises nothing', () => {
      const udp = openUdp();
      udp.userMtu = 1300;
      expect(send(udp, FULL)).toEqual([FULL, cut(FULL, 1300)]);
      udp.mtuDiscovery = 'do';
      expect(send(udp, fits(1300) + 1)).toEqual([StackError.messageTooLong, []]);
      expect(send(udp, fits(1300))).toEqual([fits(1300), [1300]]);
      udp.userMtu = 9000;
      expect(send(udp, FULL + 1)).toEqual([StackError.messageTooLong, []]);
    });

    test('without a peer there is no path', () => {
      expect(host.stack.openUdp(family).pathMtu).toBe(0);
      expect(host.stack.openIcmp(family).pathMtu).toBe(0);
    });
  });
});

describe('what is IPv4’s alone', () => {
  const { error } = packetsOf(4);
  let host: HostUnderTest;

  beforeEach(() => {
    host = makeHost();
  });

  /** The packet of a datagram that fills the link. */
  function sendFull(udp: UdpEndpoint): Uint8Array {
    udp.send(pattern(1472), 0, 1472, null, 0);
    return host.outBytes()[0] as Uint8Array;
  }

  function openUdp(to = PEER, dontFragment = true): UdpEndpoint {
    const udp = host.stack.openUdp();
    udp.connect(to, 9);
    udp.dontFragment = dontFragment;
    return udp;
  }

  test('RFC 1191 §5 the plateau below the quoted length is taken, also when a router has added the header to it', () => {
    const udp = openUdp();
    expect(host.in(error('tooBig', sendFull(udp), 0))).toBe(0);
    expect(udp.pathMtu).toBe(1492);
    const second = openUdp(ip('10.0.0.7'));
    const packet = sendFull(second);
    packet.set([1520 >> 8, 1520 & 0xff], 2);
    expect(host.in(error('tooBig', packet, 0))).toBe(0);
    expect(second.pathMtu).toBe(1492);
  });

  test('RFC 5927 §7 a packet without DF was not refused for its size', () => {
    const udp = openUdp(PEER, false);
    expect(host.in(error('tooBig', sendFull(udp), 1400))).toBe(DropReason.icmpMtuImplausible);
    expect(udp.pathMtu).toBe(1500);
  });

  test('RFC 1191 §6.2 below 552 datagrams with DF obey, and others are not cut into dust', () => {
    const udp = openUdp();
    host.in(error('tooBig', sendFull(udp), 100));
    expect(udp.pathMtu).toBe(100);
    expect(udp.send(pattern(73), 0, 73, null, 0)).toBe(StackError.messageTooLong);
    udp.dontFragment = false;
    expect(udp.send(pattern(1000), 0, 1000, null, 0)).toBe(1000);
    expect(host.outBytes().map((packet) => packet.length)).toEqual([548, 500]);
  });

  test('OPT-IP_MTU_DISCOVER `do` and `probe` set DF, `dont` clears it, and `system` leaves it to OPT-IP_DONTFRAGMENT', () => {
    const udp = openUdp();
    for (const [discovery, df] of [
      ['do', false],
      ['dont', true],
      ['system', true],
      ['system', false],
      ['probe', false],
    ] as const) {
      udp.mtuDiscovery = discovery;
      udp.dontFragment = df;
      udp.send(pattern(1), 0, 1, null, 0);
    }
    expect(host.outBytes().map((packet) => (packet[6] as number) & DF)).toEqual([DF, 0, DF, 0, DF]);
  });
});
