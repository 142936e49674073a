/** Path MTU discovery of a connection, and which ICMP errors it believes. */

import { describe, expect, test } from '@jest/globals';
import { StackError } from '../../../src/stack/index.ts';
import { PMTU_LIFETIME } from '../../../src/stack/pmtu-cache.ts';
import { DropReason } from '../../../src/wire/index.ts';
import { HOST, icmpPacket, PEER, type ReadPacket, tcpOptions, tcpPacket } from '../../support/segment.ts';
import {
  acceptNext,
  acceptOne,
  address,
  listenOn,
  makeTcpHost,
  PEER_PORT,
  PLAIN_SYN,
  PORT,
  type Scripted,
} from './support.ts';

const DF = 0x40;

/** A quote of the segment at `offset` from the connection's next number to be acknowledged. */
function quote(c: Scripted, offset = 0, length = 1500): Uint8Array {
  const packet = tcpPacket({
    src: HOST,
    dst: PEER,
    sourcePort: PORT,
    destinationPort: PEER_PORT,
    seq: (c.ack + offset) | 0,
    payload: length - 40,
  });
  packet[6] = DF;
  return packet.slice(0, 28);
}

/** Hands in an ICMP error about that segment. @returns its drop reason */
function icmp(c: Scripted, code: number, mtu = 0, offset = 0, length = 1500): number {
  const payload = quote(c, offset, length);
  return c.host.stack.inputPacket(c.host.index, icmpPacket({ type: 3, code, rest: mtu, payload }));
}

const tooBig = (c: Scripted, mtu: number, offset = 0, length = 1500): number =>
  icmp(c, 4, mtu, offset, length);

/** Offsets and lengths of text, from the connection's next number to be acknowledged. */
function texts(c: Scripted, packets: readonly ReadPacket[]): number[][] {
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

function connection(tcp = {}, iface = {}): Scripted {
  const c = acceptOne(makeTcpHost(tcp, iface), PLAIN_SYN, 65_535);
  c.socket.noDelay = true;
  return c;
}

describe('RFC 1191 §6.4 segments that are too big for a link on the way', () => {
  test('given several in flight, they are sent again in smaller ones at once, and the window stays', () => {
    const c = connection();
    write(c, 2920);
    const { cwnd } = c.socket.info();
    expect(tooBig(c, 1040)).toBe(0);
    expect(texts(c, c.host.out())).toEqual([
      [0, 1000],
      [1000, 1000],
      [2000, 920],
    ]);
    expect(c.socket.info()).toMatchObject({ mss: 1000, cwnd });
    expect(c.socket.pathMtu).toBe(1040);
    // The same of the other segment: known already.
    expect(tooBig(c, 1040, 1460)).toBe(0);
    expect(c.host.out()).toEqual([]);
  });

  test('§3 of a router that does not say its MTU, the next plateau is tried, and the next', () => {
    const c = connection();
    write(c, 1460);
    expect(tooBig(c, 0)).toBe(0);
    expect(texts(c, c.host.out())).toEqual([
      [0, 1452],
      [1452, 8],
    ]);
    expect(tooBig(c, 0, 0, 1492)).toBe(0);
    expect(texts(c, c.host.out())).toEqual([
      [0, 966],
      [966, 494],
    ]);
  });

  test('another connection to the same place, and one that is opened later, know it too', () => {
    const host = makeTcpHost();
    const listener = listenOn(host);
    const accept = (port: number) => acceptNext(host, listener, port, PLAIN_SYN);
    const [a, b] = [accept(2001), accept(2002)];
    expect([a.socket.info().mss, b.socket.info().mss]).toEqual([1460, 1460]);
    const udp = host.stack.openUdp();
    udp.dontFragment = true;
    udp.connect(address(PEER), 9);
    udp.send(new Uint8Array(1472), 0, 1472, null, 0);
    const payload = (host.stack.takePacket(host.index) as Uint8Array).slice(0, 28);
    host.stack.inputPacket(host.index, icmpPacket({ type: 3, code: 4, rest: 1400, payload }));
    a.socket.write(new Uint8Array(2720), 0, 2720);
    expect(host.out().map((packet) => packet.payload.length)).toEqual([1360, 1360]);
    expect(accept(2003).socket.info().mss).toBe(1360);
  });

  test('§6.3 after ten minutes the link’s MTU is tried again', () => {
    const c = connection({ mtuProbing: 'off' });
    write(c, 1460);
    tooBig(c, 1400);
    c.host.out();
    acknowledge(c, 1460);
    expect(write(c, 2720)).toEqual([
      [0, 1360],
      [1360, 1360],
    ]);
    acknowledge(c, 2720);
    c.host.pass(PMTU_LIFETIME + 1);
    expect(write(c, 1460)).toEqual([[0, 1460]]);
  });

  test('below 552 bytes routers are left to fragment: a forged message does not make us send mostly headers', () => {
    const c = connection();
    c.socket.write(new Uint8Array(1460), 0, 1460);
    expect((c.host.stack.takePacket(c.host.index) as Uint8Array)[6]).toBe(DF);
    expect(tooBig(c, 100)).toBe(0);
    const packet = c.host.stack.takePacket(c.host.index) as Uint8Array;
    expect([packet.length, packet[6]]).toEqual([552, 0]);
    expect(c.socket.info().mss).toBe(512);
    // A hop that is narrower still: nothing shrinks, DF goes.
    const d = connection();
    write(d, 1460);
    tooBig(d, 552);
    d.host.out();
    tooBig(d, 300, 0, 552);
    const again = d.host.stack.takePacket(d.host.index) as Uint8Array;
    expect([again.length, again[6]]).toEqual([552, 0]);
  });
});

describe('RFC 5927 §7 "too big" messages that are not believed', () => {
  test.each([
    ['§4.1 a sequence number that was acknowledged', 1400, -1460, 1500, DropReason.icmpNotInFlight],
    ['§4.1 a sequence number that was not sent', 1400, 1460, 1500, DropReason.icmpNotInFlight],
    ['§7.2 an MTU that the quoted packet fits', 1400, 0, 1400, DropReason.icmpMtuImplausible],
    ['§7.2 an MTU that the largest packet sent fits', 1500, 0, 9000, DropReason.icmpMtuImplausible],
    ['§7.2 less than any link has', 60, 0, 1500, DropReason.icmpMtuImplausible],
  ])('%s', (_name, mtu, offset, length, reason) => {
    const c = connection();
    write(c, 1460);
    acknowledge(c, 1460);
    write(c, 1460);
    expect(tooBig(c, mtu, offset, length)).toBe(reason);
    expect(c.socket.info().mss).toBe(1460);
    expect(c.host.out()).toEqual([]);
  });

  test('given only small segments sent, a claim that they fit is not believed, a smaller one is', () => {
    const c = connection();
    write(c, 700);
    expect(tooBig(c, 800)).toBe(DropReason.icmpMtuImplausible);
    expect(c.socket.info().mss).toBe(1460);
    expect(tooBig(c, 600, 0, 740)).toBe(0);
    expect(c.socket.info().mss).toBe(560);
  });
});

describe('RFC 5927 §7.2 "too big" about a connection that is making progress', () => {
  /** A full segment was acknowledged, another is in flight, and a message claims that it does not fit. */
  function pending(): Scripted {
    const c = connection();
    write(c, 1460);
    acknowledge(c, 1460);
    write(c, 1460);
    expect(tooBig(c, 1000)).toBe(0);
    expect(c.host.out()).toEqual([]);
    expect(c.socket.info().mss).toBe(1460);
    return c;
  }

  test('when the quoted text is acknowledged, then the message was a lie', () => {
    const c = pending();
    acknowledge(c, 1460);
    expect(write(c, 1460)).toEqual([[0, 1460]]);
    expect(texts(c, c.host.pass(3000))).toEqual([[0, 1460]]);
    expect(c.socket.pathMtu).toBe(1500);
  });

  test('when the retransmission timer runs out, then it was true: the text is sent again in smaller segments', () => {
    const c = pending();
    expect(texts(c, c.host.pass(3000))[0]).toEqual([0, 960]);
    expect(c.socket.info().mss).toBe(960);
    expect(c.socket.pathMtu).toBe(1000);
  });

  test('when the timer has run out before the message came, it is believed at once', () => {
    const c = connection();
    write(c, 1460);
    acknowledge(c, 1460);
    write(c, 1460);
    expect(texts(c, c.host.pass(3000))).toEqual([[0, 1460]]);
    tooBig(c, 1000);
    expect(c.socket.info().mss).toBe(960);
  });

  test('a size that is larger than any acknowledged one is believed at once', () => {
    const c = connection();
    write(c, 700);
    acknowledge(c, 700);
    write(c, 1460);
    expect(tooBig(c, 1000)).toBe(0);
    expect(c.socket.info().mss).toBe(960);
  });
});

describe('RFC 9293 §3.7.1 bounds of a segment', () => {
  test('the user’s bound is announced and kept to (TCP_MAXSEG)', () => {
    const host = makeTcpHost();
    const socket = host.stack.openTcp();
    socket.maxSegment = 600;
    socket.connect(address(PEER), 80);
    expect(host.out()[0]?.options).toContain('mss 600');
    const c = connection();
    c.socket.maxSegment = 700;
    expect(write(c, 1000)).toEqual([
      [0, 700],
      [700, 300],
    ]);
  });

  test('RFC 6691 §2 what is announced is the link’s, whatever is known of the way out', () => {
    const c = connection();
    write(c, 1460);
    tooBig(c, 1400);
    c.host.out();
    const socket = c.host.stack.openTcp();
    socket.connect(address(PEER), 80);
    expect(c.host.out()[0]?.options).toContain('mss 1460');
  });

  test('an MTU of the user’s bounds segments; the path’s MTU is told as it is (OPT-IP_USER_MTU)', () => {
    const c = connection();
    c.socket.userMtu = 1000;
    expect(write(c, 960)).toEqual([[0, 960]]);
    expect(c.socket.pathMtu).toBe(1500);
    expect(c.host.out()).toEqual([]);
  });

  test('OPT-IP_MTU_DISCOVER `dont` clears DF', () => {
    const c = connection();
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

describe('RFC 1122 §4.2.3.9 ICMP errors', () => {
  const SYN_SENT = [
    ['a network that is unreachable', 0],
    ['a host that is unreachable', 1],
    ['a source route that failed', 5],
    ['communication that is prohibited', 13],
  ] as const;

  function opening(failsOnIcmpError: boolean, code: number) {
    const host = makeTcpHost();
    const socket = host.stack.openTcp();
    socket.failsOnIcmpError = failsOnIcmpError;
    socket.connect(address(PEER), 80);
    const syn = host.stack.takePacket(host.index) as Uint8Array;
    host.stack.inputPacket(host.index, icmpPacket({ type: 3, code, rest: 0, payload: syn.slice(0, 28) }));
    return socket;
  }

  test.each(SYN_SENT)('MUST-56 RFC 5461 §2.2 %s does not end an attempt to connect', (_name, code) => {
    expect(opening(false, code).state).toBe('SYN-SENT');
  });

  test.each(SYN_SENT)('RFC 5461 §4.1 %s does when the user would rather try elsewhere', (_name, code) => {
    const socket = opening(true, code);
    expect([socket.state, socket.error]).toEqual([
      'CLOSED',
      code === 0 ? StackError.networkUnreachable : StackError.hostUnreachable,
    ]);
  });

  test.each([
    ['protocol', 2],
    ['port', 3],
  ])(
    'SHLD-26 RFC 5927 §5.2 an unreachable %s ends an attempt, and no established connection',
    (_name, code) => {
      expect(opening(false, code)).toMatchObject({ state: 'CLOSED', error: StackError.connectionRefused });
      const c = connection();
      write(c, 100);
      expect(icmp(c, code)).toBe(0);
      expect(c.socket.state).toBe('ESTABLISHED');
    },
  );

  test('RFC 6633 §6, RFC 5927 §6.2 a source quench is ignored', () => {
    const c = connection();
    write(c, 1460);
    const { cwnd } = c.socket.info();
    const payload = quote(c);
    expect(c.host.stack.inputPacket(c.host.index, icmpPacket({ type: 4, rest: 0, payload }))).toBe(0);
    expect(c.socket.info().cwnd).toBe(cwnd);
  });

  test('RFC 5461 §2.2 what a soft error said is the reason when the connection times out', () => {
    const c = connection({ maxRetransmissions: 2 });
    write(c, 100);
    expect(icmp(c, 1)).toBe(0);
    for (let i = 0; i < 10; i++) c.host.pass(60_000);
    expect(c.socket).toMatchObject({ state: 'CLOSED', error: StackError.hostUnreachable });
  });
});
