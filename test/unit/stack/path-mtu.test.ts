/** What "fragmentation needed" does to all but TCP, and how long it is remembered. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import { IpAddress, OFFLOAD_CSUM, TimerQueue } from '../../../src/base/index.ts';
import { StackError, type UdpEndpoint } from '../../../src/stack/index.ts';
import { plateauBelow } from '../../../src/stack/ip/too-big.ts';
import { PMTU_LIFETIME, PmtuCache } from '../../../src/stack/pmtu-cache.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { icmpPacket } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

const PEER = ip('10.0.0.1');
const FRAGMENTATION_NEEDED = { type: 3, code: 4 };
const DF = 0x40;

let host: HostUnderTest;

beforeEach(() => {
  host = makeHost();
});

/** A router's message about `packet`, which it quotes. */
function tooBig(packet: Uint8Array, mtu: number): Uint8Array {
  return icmpPacket({ ...FRAGMENTATION_NEEDED, rest: mtu, payload: packet.slice(0, 28) });
}

function openUdp(): UdpEndpoint {
  const udp = host.stack.openUdp();
  udp.connect(PEER, 9);
  return udp;
}

/** Sends `length` bytes. @returns the result and the lengths of the packets that left */
function send(udp: UdpEndpoint, length: number): [number, number[]] {
  const result = udp.send(pattern(length), 0, length, null, 0);
  return [result, host.outBytes().map((packet) => packet.length)];
}

/** A datagram with DF that fills the link, and a message that claims `mtu` about it. @returns the drop reason */
function discover(udp: UdpEndpoint, mtu: number): number {
  udp.dontFragment = true;
  udp.send(pattern(1472), 0, 1472, null, 0);
  const [packet] = host.outBytes();
  return host.in(tooBig(packet as Uint8Array, mtu));
}

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

  test('§5 the plateau below the quoted length is taken, also when a router has added the header to it', () => {
    const udp = openUdp();
    expect(discover(udp, 0)).toBe(0);
    expect(udp.pathMtu).toBe(1492);
    const second = host.stack.openUdp();
    second.connect(ip('10.0.0.7'), 9);
    second.dontFragment = true;
    second.send(pattern(1472), 0, 1472, null, 0);
    const [packet] = host.outBytes();
    (packet as Uint8Array).set([1520 >> 8, 1520 & 0xff], 2);
    expect(host.in(tooBig(packet as Uint8Array, 0))).toBe(0);
    expect(second.pathMtu).toBe(1492);
  });
});

describe('RFC 1191 §6.2 datagrams with DF', () => {
  test('given a smaller MTU on the way, when a larger one is sent, then it is refused until the estimate is ten minutes old', () => {
    const udp = openUdp();
    expect(udp.pathMtu).toBe(1500);
    expect(discover(udp, 1400)).toBe(0);
    expect(udp.pathMtu).toBe(1400);
    expect(send(udp, 1373)).toEqual([StackError.messageTooLong, []]);
    expect(send(udp, 1372)).toEqual([1372, [1400]]);
    expect(udp.pendingError).toBe(0);
    host.pass(PMTU_LIFETIME + 1);
    expect(send(udp, 1472)).toEqual([1472, [1500]]);
  });

  test('another endpoint knows it too, and one without DF cuts its datagrams to it', () => {
    discover(openUdp(), 1400);
    const udp = openUdp();
    expect(send(udp, 1472)).toEqual([1472, [1396, 124]]);
    const raw = host.stack.openRaw(200);
    raw.connect(PEER, 0);
    raw.dontFragment = true;
    expect(raw.pathMtu).toBe(1400);
    expect(raw.send(pattern(1381), 0, 1381, null, 0)).toBe(StackError.messageTooLong);
    expect(raw.send(pattern(1380), 0, 1380, null, 0)).toBe(1380);
    const echo = host.stack.openIcmp();
    echo.dontFragment = true;
    expect(echo.sendEcho(PEER, 1, pattern(1373))).toBe(StackError.messageTooLong);
    expect(echo.sendEcho(PEER, 1, pattern(1372))).toBe(0);
  });

  test('what an echo request or a raw packet ran into counts as well', () => {
    const echo = host.stack.openIcmp();
    echo.dontFragment = true;
    echo.sendEcho(PEER, 1, pattern(1472));
    expect(host.in(tooBig(host.outBytes()[0] as Uint8Array, 1400))).toBe(0);
    expect(openUdp().pathMtu).toBe(1400);
    const raw = host.stack.openRaw(200);
    raw.connect(PEER, 0);
    raw.dontFragment = true;
    raw.send(pattern(1380), 0, 1380, null, 0);
    expect(host.in(tooBig(host.outBytes()[0] as Uint8Array, 1300))).toBe(0);
    expect(raw.pathMtu).toBe(1300);
  });

  test('a packet queued before the path became narrower is not sent in pieces', () => {
    const udp = openUdp();
    udp.dontFragment = true;
    udp.send(pattern(1472), 0, 1472, null, 0);
    const [first] = host.outBytes();
    udp.send(pattern(1472), 0, 1472, null, 0);
    host.in(tooBig(first as Uint8Array, 1400));
    expect(host.outBytes()).toEqual([]);
    expect(host.stack.counters.ipFragFails).toBe(1);
  });

  test('one without DF whose checksum only the link completes is left to routers, whole', () => {
    host = makeHost({ offload: OFFLOAD_CSUM });
    const probe = openUdp();
    probe.dontFragment = true;
    probe.send(pattern(1472), 0, 1472, null, 0);
    const [refused] = host.outBytes();
    const udp = openUdp();
    udp.send(pattern(1472), 0, 1472, null, 0);
    expect(host.in(tooBig(refused as Uint8Array, 1400))).toBe(0);
    expect(host.outBytes().map((packet) => packet.length)).toEqual([1500]);
    expect(send(udp, 1472)).toEqual([1472, [1396, 124]]);
  });
});

describe('RFC 5927 §7 what is not believed', () => {
  test('a packet without DF was not refused for its size', () => {
    const udp = openUdp();
    udp.send(pattern(1472), 0, 1472, null, 0);
    expect(host.in(tooBig(host.outBytes()[0] as Uint8Array, 1400))).toBe(DropReason.icmpMtuImplausible);
    expect(udp.pathMtu).toBe(1500);
  });

  test.each([
    ['an MTU that the packet fits', 1500],
    ['an MTU beyond the link’s', 9000],
    ['RFC 791 an MTU that no link has', 67],
  ])('%s', (_name, mtu) => {
    const udp = openUdp();
    expect(discover(udp, mtu)).toBe(DropReason.icmpMtuImplausible);
    expect(udp.pathMtu).toBe(1500);
  });

  test('a quote of a destination to which nothing was sent', () => {
    const udp = host.stack.openUdp();
    udp.dontFragment = true;
    udp.send(pattern(1472), 0, 1472, PEER, 9);
    const packet = host.outBytes()[0] as Uint8Array;
    packet.set([10, 0, 0, 77], 16);
    expect(host.in(tooBig(packet, 1400))).toBe(DropReason.icmpQuoteUnknown);
    packet.set([10, 0, 0, 1], 16);
    expect(host.in(tooBig(packet, 1400))).toBe(0);
  });

  test('a port that is not ours', () => {
    const udp = openUdp();
    udp.dontFragment = true;
    udp.send(pattern(1472), 0, 1472, null, 0);
    const packet = host.outBytes()[0] as Uint8Array;
    packet.set([0, 1], 20);
    expect(host.in(tooBig(packet, 1400))).toBe(DropReason.icmpQuoteUnknown);
  });

  test('below 552 datagrams with DF obey, and others are not cut into dust', () => {
    const udp = openUdp();
    discover(udp, 100);
    expect(udp.pathMtu).toBe(100);
    expect(send(udp, 73)).toEqual([StackError.messageTooLong, []]);
    udp.dontFragment = false;
    expect(send(udp, 1000)).toEqual([1000, [548, 500]]);
  });
});

describe('OPT-IP_MTU_DISCOVER, OPT-IP_USER_MTU', () => {
  const bits = (): number[] => host.outBytes().map((packet) => (packet[6] as number) & DF);

  test('`do` sets DF, `dont` clears it, and `system` leaves it to OPT-IP_DONTFRAGMENT', () => {
    const udp = openUdp();
    for (const [discovery, df] of [
      ['do', false],
      ['dont', true],
      ['system', true],
      ['system', false],
    ] as const) {
      udp.mtuDiscovery = discovery;
      udp.dontFragment = df;
      udp.send(pattern(1), 0, 1, null, 0);
    }
    expect(bits()).toEqual([DF, 0, DF, 0]);
  });

  test('`probe` sets DF and sends up to the link’s MTU, whatever was discovered', () => {
    const udp = openUdp();
    discover(udp, 1400);
    udp.mtuDiscovery = 'probe';
    udp.dontFragment = false;
    udp.send(pattern(1472), 0, 1472, null, 0);
    expect(bits()).toEqual([DF]);
    expect(send(udp, 1473)).toEqual([StackError.messageTooLong, []]);
  });

  test('an MTU of the user’s bounds what is sent in one piece, and raises nothing', () => {
    const udp = openUdp();
    udp.userMtu = 1000;
    expect(send(udp, 1472)).toEqual([1472, [996, 524]]);
    udp.mtuDiscovery = 'do';
    expect(send(udp, 973)).toEqual([StackError.messageTooLong, []]);
    expect(send(udp, 972)).toEqual([972, [1000]]);
    udp.userMtu = 9000;
    expect(send(udp, 1473)).toEqual([StackError.messageTooLong, []]);
  });

  test('without a peer there is no path', () => {
    expect(host.stack.openUdp().pathMtu).toBe(0);
    expect(host.stack.openIcmp().pathMtu).toBe(0);
  });
});
