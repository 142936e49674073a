/** Path MTU discovery of a connection, and which ICMP errors it believes. */

import { describe, expect, test } from '@jest/globals';
import { StackError } from '../../../src/stack/index.ts';
import { PMTU_LIFETIME } from '../../../src/stack/pmtu-cache.ts';
import { DropReason } from '../../../src/wire/index.ts';
import type { EitherPacket, IcmpErrorKind } from '../../support/packets.ts';
import { icmpPacket, tcpOptions } from '../../support/segment.ts';
import {
  acceptNext,
  acceptOne,
  listenOn,
  makeTcpHost,
  mtuFor,
  overBothFamilies,
  PEER_PORT,
  PORT,
  peer,
  type Scripted,
} from './support.ts';

const DF = 0x40;
/** Text of a full segment over a link whose MTU is `mtuFor(3000)`: with what is less, both families have room above their least MTUs. */
const MSS = 2960;

/** The segment at `offset` from the connection's next number to be acknowledged, as it left. */
function sentSegment(c: Scripted, offset: number, text: number): Uint8Array {
  const { host } = c;
  const packet = host.family.tcp({
    src: host.family.host,
    dst: host.family.peer,
    sourcePort: PORT,
    destinationPort: PEER_PORT,
    seq: (c.ack + offset) | 0,
    payload: text,
  });
  if (host.family.family === 4) packet[6] = DF;
  return packet;
}

/** Hands in an ICMP error about that segment. @returns its drop reason */
function icmp(c: Scripted, kind: IcmpErrorKind, mtu = 0, offset = 0, text = MSS): number {
  const { host } = c;
  return host.stack.inputPacket(host.index, host.family.error(kind, sentSegment(c, offset, text), mtu));
}

/** A router's "too big", of a next hop that takes so much text in a segment. */
const tooBig = (c: Scripted, fits: number, offset = 0, text = MSS): number =>
  icmp(c, 'tooBig', mtuFor(fits + 40), offset, text);

/** Offsets and lengths of text, from the connection's next number to be acknowledged. */
function texts(c: Scripted, packets: readonly EitherPacket[]): number[][] {
  return packets.map(({ seq = 0, payload }) => [(seq - c.ack) | 0, payload.length]);
}

function write(c: Scripted, length: number): number[][] {
  c.socket.write(new Uint8Array(length), 0, length);
  return texts(c, c.host.out());
}

/** All that was sent is acknowledged. */
function acknowledge(c: Scripted, length: number): void {
  c.ack = (c.ack + length) | 0;
  c.in({ ack: c.ack });
}

function connection(tcp = {}, iface: { mtu?: number } = { mtu: mtuFor(MSS + 40) }): Scripted {
  const c = acceptOne(makeTcpHost(tcp, iface), tcpOptions({ mss: MSS }), 65_535);
  c.socket.noDelay = true;
  return c;
}

/** Over a link of 1500 bytes. */
const connection4 = (tcp = {}): Scripted => connection(tcp, {});

function icmp4(c: Scripted, code: number, rest = 0, offset = 0, length = 1500): number {
  const payload = sentSegment(c, offset, length - 40).slice(0, 28);
  return c.host.stack.inputPacket(c.host.index, icmpPacket({ type: 3, code, rest, payload }));
}

const tooBig4 = (c: Scripted, mtu: number, offset = 0, length = 1500): number =>
  icmp4(c, 4, mtu, offset, length);

overBothFamilies(() => {
  describe('RFC 8201 §5.3, RFC 1191 §6.4 segments that are too big for a link on the way', () => {
    test('RFC 8201 §5.4 given several in flight, they are sent again in smaller ones at once, and the window stays', () => {
      const c = connection();
      write(c, 2 * MSS);
      const { cwnd } = c.socket.info();
      expect(tooBig(c, 2000)).toBe(0);
      expect(texts(c, c.host.out())).toEqual([
        [0, 2000],
        [2000, 2000],
        [4000, 1920],
      ]);
      expect(c.socket.info()).toMatchObject({ mss: 2000, cwnd });
      expect(c.socket.pathMtu).toBe(mtuFor(2040));
      // The same of the other segment: known already.
      expect(tooBig(c, 2000, MSS)).toBe(0);
      expect(c.host.out()).toEqual([]);
    });

    test('another connection to the same place, and one that is opened later, know it too', () => {
      const host = makeTcpHost({}, { mtu: mtuFor(MSS + 40) });
      const listener = listenOn(host);
      const accept = (port: number) => acceptNext(host, listener, port, tcpOptions({ mss: MSS }));
      const [a, b] = [accept(2001), accept(2002)];
      expect([a.socket.info().mss, b.socket.info().mss]).toEqual([MSS, MSS]);
      const udp = host.stack.openUdp(host.family.family);
      udp.dontFragment = true;
      udp.connect(peer(), 9);
      udp.send(new Uint8Array(MSS), 0, MSS, null, 0);
      const quoted = host.stack.takePacket(host.index) as Uint8Array;
      host.stack.inputPacket(host.index, host.family.error('tooBig', quoted, mtuFor(1400)));
      a.socket.write(new Uint8Array(2720), 0, 2720);
      expect(host.out().map((packet) => packet.payload.length)).toEqual([1360, 1360]);
      expect(accept(2003).socket.info().mss).toBe(1360);
    });

    test('§6.3 after ten minutes the link’s MTU is tried again', () => {
      const c = connection({ mtuProbing: 'off' });
      write(c, MSS);
      tooBig(c, 1360);
      c.host.out();
      acknowledge(c, MSS);
      expect(write(c, 2720)).toEqual([
        [0, 1360],
        [1360, 1360],
      ]);
      acknowledge(c, 2720);
      c.host.pass(PMTU_LIFETIME + 1);
      expect(write(c, MSS)).toEqual([[0, MSS]]);
    });
  });

  describe('RFC 5927 §7 "too big" messages that are not believed', () => {
    test.each([
      ['§4.1 a sequence number that was acknowledged', 1360, -MSS, DropReason.icmpNotInFlight],
      ['§4.1 a sequence number that was not sent', 1360, MSS, DropReason.icmpNotInFlight],
      ['§7.2 an MTU that the largest packet sent fits', MSS, 0, DropReason.icmpMtuImplausible],
      ['§7.2 less than any link has', 20, 0, DropReason.icmpMtuImplausible],
    ])('%s', (_name, fits, offset, reason) => {
      const c = connection();
      write(c, MSS);
      acknowledge(c, MSS);
      write(c, MSS);
      expect(tooBig(c, fits, offset)).toBe(reason);
      expect(c.socket.info().mss).toBe(MSS);
      expect(c.host.out()).toEqual([]);
    });

    test('given only small segments sent, a claim that they fit is not believed, a smaller one is', () => {
      const c = connection();
      write(c, 1800);
      expect(tooBig(c, 1900)).toBe(DropReason.icmpMtuImplausible);
      expect(c.socket.info().mss).toBe(MSS);
      expect(tooBig(c, 1500, 0, 1800)).toBe(0);
      expect(c.socket.info().mss).toBe(1500);
    });
  });

  describe('RFC 5927 §7.2 "too big" about a connection that is making progress', () => {
    /** A full segment was acknowledged, another is in flight, and a message claims that it does not fit. */
    function pending(): Scripted {
      const c = connection();
      write(c, MSS);
      acknowledge(c, MSS);
      write(c, MSS);
      expect(tooBig(c, 1900)).toBe(0);
      expect(c.host.out()).toEqual([]);
      expect(c.socket.info().mss).toBe(MSS);
      return c;
    }

    test('when the quoted text is acknowledged, then the message was a lie', () => {
      const c = pending();
      acknowledge(c, MSS);
      expect(write(c, MSS)).toEqual([[0, MSS]]);
      expect(texts(c, c.host.pass(3000))).toEqual([[0, MSS]]);
      expect(c.socket.pathMtu).toBe(mtuFor(MSS + 40));
    });

    test('when the retransmission timer runs out, then it was true: the text is sent again in smaller segments', () => {
      const c = pending();
      expect(texts(c, c.host.pass(3000))[0]).toEqual([0, 1900]);
      expect(c.socket.info().mss).toBe(1900);
      expect(c.socket.pathMtu).toBe(mtuFor(1940));
    });

    test('when the timer has run out before the message came, it is believed at once', () => {
      const c = connection();
      write(c, MSS);
      acknowledge(c, MSS);
      write(c, MSS);
      expect(texts(c, c.host.pass(3000))).toEqual([[0, MSS]]);
      tooBig(c, 1900);
      expect(c.socket.info().mss).toBe(1900);
    });

    test('a size that is larger than any acknowledged one is believed at once', () => {
      const c = connection();
      write(c, 1400);
      acknowledge(c, 1400);
      write(c, MSS);
      expect(tooBig(c, 1900)).toBe(0);
      expect(c.socket.info().mss).toBe(1900);
    });
  });

  describe('RFC 1122 §4.2.3.9 ICMP errors', () => {
    const SOFT = [
      ['a network that is unreachable', 'noNetwork', StackError.networkUnreachable],
      ['a host that is unreachable', 'noHost', StackError.hostUnreachable],
    ] as const;

    function opening(failsOnIcmpError: boolean, kind: IcmpErrorKind) {
      const host = makeTcpHost();
      const socket = host.stack.openTcp(host.family.family);
      socket.failsOnIcmpError = failsOnIcmpError;
      socket.connect(peer(), 80);
      const syn = host.stack.takePacket(host.index) as Uint8Array;
      host.stack.inputPacket(host.index, host.family.error(kind, syn));
      return socket;
    }

    test.each(SOFT)('MUST-56 RFC 5461 §2.2 %s does not end an attempt to connect', (_name, kind, _error) => {
      expect(opening(false, kind).state).toBe('SYN-SENT');
    });

    test.each(SOFT)(
      'RFC 5461 §4.1 %s does when the user would rather try elsewhere',
      (_name, kind, error) => {
        const socket = opening(true, kind);
        expect([socket.state, socket.error]).toEqual(['CLOSED', error]);
      },
    );

    test('SHLD-26 RFC 5927 §5.2 an unreachable port ends an attempt, and no established connection', () => {
      expect(opening(false, 'noPort')).toMatchObject({
        state: 'CLOSED',
        error: StackError.connectionRefused,
      });
      const c = connection();
      write(c, 100);
      expect(icmp(c, 'noPort', 0, 0, 100)).toBe(0);
      expect(c.socket.state).toBe('ESTABLISHED');
    });

    test('RFC 5461 §2.2 what a soft error said is the reason when the connection times out', () => {
      const c = connection({ maxRetransmissions: 2 });
      write(c, 100);
      expect(icmp(c, 'noHost', 0, 0, 100)).toBe(0);
      for (let i = 0; i < 10; i++) c.host.pass(60_000);
      expect(c.socket).toMatchObject({ state: 'CLOSED', error: StackError.hostUnreachable });
    });
  });
});

describe('RFC 1191 what is IPv4’s alone', () => {
  test('§3 of a router that does not say its MTU, the next plateau is tried, and the next', () => {
    const c = connection4();
    write(c, 1460);
    expect(tooBig4(c, 0)).toBe(0);
    expect(texts(c, c.host.out())).toEqual([
      [0, 1452],
      [1452, 8],
    ]);
    expect(tooBig4(c, 0, 0, 1492)).toBe(0);
    expect(texts(c, c.host.out())).toEqual([
      [0, 966],
      [966, 494],
    ]);
  });

  test('below 552 bytes routers are left to fragment: a forged message does not make us send mostly headers', () => {
    const c = connection4();
    c.socket.write(new Uint8Array(1460), 0, 1460);
    expect((c.host.stack.takePacket(c.host.index) as Uint8Array)[6]).toBe(DF);
    expect(tooBig4(c, 100)).toBe(0);
    const packet = c.host.stack.takePacket(c.host.index) as Uint8Array;
    expect([packet.length, packet[6]]).toEqual([552, 0]);
    expect(c.socket.info().mss).toBe(512);
    // A hop that is narrower still: nothing shrinks, DF goes.
    const d = connection4();
    write(d, 1460);
    tooBig4(d, 552);
    d.host.out();
    tooBig4(d, 300, 0, 552);
    const again = d.host.stack.takePacket(d.host.index) as Uint8Array;
    expect([again.length, again[6]]).toEqual([552, 0]);
  });
});

describe('RFC 5927 §7.2 of IPv4', () => {
  test('an MTU that the quoted packet fits is not believed', () => {
    const c = connection4();
    write(c, 1460);
    acknowledge(c, 1460);
    write(c, 1460);
    expect(tooBig4(c, 1400, 0, 1400)).toBe(DropReason.icmpMtuImplausible);
    expect(c.socket.info().mss).toBe(1460);
  });
});

describe('RFC 9293 §3.7.1 bounds of a segment', () => {
  test('the user’s bound is announced and kept to (TCP_MAXSEG)', () => {
    const host = makeTcpHost();
    const socket = host.stack.openTcp();
    socket.maxSegment = 600;
    socket.connect(peer(), 80);
    expect(host.out()[0]?.options).toContain('mss 600');
    const c = connection4();
    c.socket.maxSegment = 700;
    expect(write(c, 1000)).toEqual([
      [0, 700],
      [700, 300],
    ]);
  });

  test('RFC 6691 §2 what is announced is the link’s, whatever is known of the way out', () => {
    const c = connection4();
    write(c, 1460);
    tooBig4(c, 1400);
    c.host.out();
    const socket = c.host.stack.openTcp();
    socket.connect(peer(), 80);
    expect(c.host.out()[0]?.options).toContain('mss 1460');
  });

  test('an MTU of the user’s bounds segments; the path’s MTU is told as it is (OPT-IP_USER_MTU)', () => {
    const c = connection4();
    c.socket.userMtu = 1000;
    expect(write(c, 960)).toEqual([[0, 960]]);
    expect(c.socket.pathMtu).toBe(1500);
    expect(c.host.out()).toEqual([]);
  });

  test('OPT-IP_MTU_DISCOVER `dont` clears DF', () => {
    const c = connection4();
    c.socket.mtuDiscovery = 'dont';
    c.socket.write(new Uint8Array(10), 0, 10);
    expect((c.host.stack.takePacket(c.host.index) as Uint8Array)[6]).toBe(0);
  });

  test('an MSS of 65,535 and one of 0 are brought within the path and the least that makes sense', () => {
    expect(acceptOne(makeTcpHost(), tcpOptions({ mss: 65_535 })).socket.info().mss).toBe(1460);
    expect(acceptOne(makeTcpHost(), tcpOptions({ mss: 0 })).socket.info().mss).toBe(216);
    expect(acceptOne(makeTcpHost({ minSendMss: 48 }), tcpOptions({ mss: 0 })).socket.info().mss).toBe(48);
  });
});

describe('RFC 1122 §4.2.3.9 ICMPv4 errors that ICMPv6 has not', () => {
  const SYN_SENT = [
    ['a source route that failed', 5],
    ['communication that is prohibited', 13],
  ] as const;

  function opening(failsOnIcmpError: boolean, code: number) {
    const host = makeTcpHost();
    const socket = host.stack.openTcp();
    socket.failsOnIcmpError = failsOnIcmpError;
    socket.connect(peer(), 80);
    const syn = host.stack.takePacket(host.index) as Uint8Array;
    host.stack.inputPacket(host.index, icmpPacket({ type: 3, code, rest: 0, payload: syn.slice(0, 28) }));
    return socket;
  }

  test.each(SYN_SENT)('MUST-56 RFC 5461 §2.2 %s does not end an attempt to connect', (_name, code) => {
    expect(opening(false, code).state).toBe('SYN-SENT');
  });

  test.each(SYN_SENT)('RFC 5461 §4.1 %s does when the user would rather try elsewhere', (_name, code) => {
    const socket = opening(true, code);
    expect([socket.state, socket.error]).toEqual(['CLOSED', StackError.hostUnreachable]);
  });

  test.each([
    ['protocol', 2],
    ['port', 3],
  ])(
    'SHLD-26 RFC 5927 §5.2 an unreachable %s ends an attempt, and no established connection',
    (_name, code) => {
      expect(opening(false, code)).toMatchObject({ state: 'CLOSED', error: StackError.connectionRefused });
      const c = connection4();
      write(c, 100);
      expect(icmp4(c, code)).toBe(0);
      expect(c.socket.state).toBe('ESTABLISHED');
    },
  );

  test('RFC 6633 §6, RFC 5927 §6.2 a source quench is ignored', () => {
    const c = connection4();
    write(c, 1460);
    const { cwnd } = c.socket.info();
    const payload = sentSegment(c, 0, 1460).slice(0, 28);
    expect(c.host.stack.inputPacket(c.host.index, icmpPacket({ type: 4, rest: 0, payload }))).toBe(0);
    expect(c.socket.info().cwnd).toBe(cwnd);
  });
});
