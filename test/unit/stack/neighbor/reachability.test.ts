import { beforeEach, describe, expect, test } from '@jest/globals';
import { fromHex, parseMac } from '../../../../src/base/index.ts';
import {
  createQueuedIcmpError,
  createStack,
  type NeighborView,
  StackError,
  type TcpEndpoint,
} from '../../../../src/stack/index.ts';
import { DropReason, TCP_SYN } from '../../../../src/wire/index.ts';
import { ethernetFrame, tcpPacket } from '../../../support/segment.ts';
import { type HostUnderTest, ip } from '../support.ts';
import {
  arpReply,
  arpRequest,
  BROADCAST_MAC,
  makeEthernetHost,
  OWN_MAC,
  PEER_MAC,
  sent,
  sentDuring,
  sentPackets,
} from './support.ts';

const ASK_ALL = `arp who-has 10.0.0.1 tell 10.0.0.2 > ${BROADCAST_MAC}`;
const ASK_IT = `arp who-has 10.0.0.1 tell 10.0.0.2 > ${PEER_MAC}`;
const PACKET = `ip 10.0.0.1 > ${PEER_MAC}`;

let host: HostUnderTest;

beforeEach(() => {
  host = makeEthernetHost();
});

function stateOf(address = '10.0.0.1'): NeighborView['state'] | undefined {
  return host.stack.neighbors(host.index).find((view) => view.address.equals(ip(address)))?.state;
}

function send(length = 1, address = '10.0.0.1'): void {
  host.stack.openUdp().send(new Uint8Array(length), 0, length, ip(address), 9);
}

/** 10.0.0.1 has just answered. */
function becomeReachable(): void {
  send();
  sent(host);
  host.in(arpReply());
  sent(host);
}

function becomeStale(): void {
  becomeReachable();
  host.pass(45_001);
}

describe('RFC 4861 §7.2.2 address resolution', () => {
  test('RFC 4861 §7.2.2: three requests, a second apart', () => {
    send();
    expect(sentDuring(host, 5000)).toEqual([`0 ${ASK_ALL}`, `1000 ${ASK_ALL}`, `2000 ${ASK_ALL}`]);
  });

  test('RFC 4861 §7.2.2: then what waited is dropped, counted', () => {
    send();
    sent(host);
    host.pass(2999);
    expect(stateOf()).toBe('incomplete');
    host.pass(1);
    expect(host.stack.counters.drops[DropReason.noNeighbor]).toBe(1);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('RFC 1122 §4.2.3.9: a connect goes on, with the reason at hand', () => {
    const tcp = host.stack.openTcp();
    tcp.connect(ip('10.0.0.1'), 80);
    sent(host);
    host.pass(3000);
    expect(tcp.softError).toBe(StackError.hostUnreachable);
    expect(tcp.icmpError).toMatchObject({ source: ip('10.0.0.2'), type: 3, code: 1 });
    expect(tcp.state).toBe('SYN-SENT');
    host.pass(10_000);
    expect(sent(host)).toContain(ASK_ALL);
    host.in(arpReply());
    expect(sentPackets(host)[0]).toMatchObject({ flags: 'S' });
  });

  test('RFC 1122 §2.4, §3.2.2.1: an echo request is answered with host unreachable by ourselves', () => {
    const echo = host.stack.openIcmp();
    echo.sendEcho(ip('10.0.0.1'), 7, new Uint8Array(8));
    sent(host);
    host.pass(3000);
    expect(echo.takeReply()).toMatchObject({ source: ip('10.0.0.2'), sequence: 7, type: 3, code: 1 });
  });

  test('OPT-IP_RECVERR a datagram whose next hop is not there is queued as an error of our own', () => {
    const udp = host.stack.openUdp();
    udp.errors.takesV4 = true;
    udp.send(Uint8Array.of(1, 2, 3), 0, 3, ip('10.0.0.1'), 9);
    sent(host);
    host.pass(3000);
    const [into, error] = [new Uint8Array(4), createQueuedIcmpError()];
    expect(udp.errors.take(into, 1, 3, error, false)).toBe(3);
    expect([...into]).toEqual([0, 1, 2, 3]);
    expect(error).toMatchObject({
      destination: ip('10.0.0.1'),
      destinationPort: 9,
      type: 3,
      code: 1,
      mtu: 0,
    });
    expect(udp.pendingError).toBe(0);
  });

  test('after a failure the next packet asks anew', () => {
    send();
    sentDuring(host, 10_000);
    send();
    expect(sent(host)).toEqual([ASK_ALL]);
    host.in(arpReply());
    expect(sent(host)).toEqual([PACKET]);
  });

  test('RFC 4861 §7.2.2: an answer to the last request is in time', () => {
    send();
    sent(host);
    host.pass(2990);
    host.in(arpReply());
    expect(sent(host)).toContain(PACKET);
    host.pass(100);
    expect(stateOf()).toBe('reachable');
  });

  test('RFC 4861 §7.2.2: of too many packets that wait the oldest is dropped', () => {
    const udp = host.stack.openUdp();
    for (let i = 0; i < 200; i++) udp.send(Uint8Array.of(i), 0, 1, ip('10.0.0.1'), 9);
    sent(host);
    host.in(arpReply());
    const first = host.outBytes()[0] as Uint8Array;
    expect(first[42]).toBe(200 - 96);
    expect(host.stack.counters.drops[DropReason.neighborQueueFull]).toBe(200 - 96);
  });

  test('RFC 1122 §2.3.2.2: the largest datagram in fragments waits as a whole', () => {
    send(65_507);
    sent(host);
    host.in(arpReply());
    expect(host.outBytes()).toHaveLength(45);
    expect(host.stack.counters.drops[DropReason.neighborQueueFull]).toBe(0);
  });

  test('what waits for all neighbours together is bounded', () => {
    for (let i = 0; i < 60; i++) send(65_507, `10.0.0.${10 + i}`);
    sent(host);
    for (let i = 0; i < 60; i++) host.in(arpReply({ sender: `10.0.0.${10 + i}` }));
    const bytes = host.outBytes().reduce((sum, frame) => sum + frame.length, 0);
    expect(bytes).toBeGreaterThan(900_000);
    expect(bytes).toBeLessThanOrEqual(1 << 20);
  });
});

describe('RFC 4861 §7.3 neighbor unreachability detection', () => {
  test('RFC 4861 §6.3.2: an answer holds for between 15 and 45 seconds, drawn by chance', () => {
    const times = new Set<number>();
    for (let seed = 1; seed <= 20; seed++) {
      host = makeEthernetHost(1500, seed);
      becomeReachable();
      host.pass(14_999);
      expect(stateOf()).toBe('reachable');
      let ms = 14_999;
      for (; stateOf() === 'reachable'; ms += 1000) host.pass(1000);
      times.add(ms);
      expect(ms).toBeLessThanOrEqual(46_000);
    }
    expect(times.size).toBeGreaterThan(10);
  });

  test('RFC 4861 §7.3.2: a stale entry is used at once, and nobody is asked before 5 s have passed', () => {
    becomeStale();
    expect(stateOf()).toBe('stale');
    send();
    expect(sent(host)).toEqual([PACKET]);
    expect(stateOf()).toBe('delay');
    expect(sentDuring(host, 5500)).toEqual([`5000 ${ASK_IT}`]);
    expect(stateOf()).toBe('probe');
  });

  test('a stale entry that nobody uses stays as it is', () => {
    becomeStale();
    expect(sentDuring(host, 600_000, 10_000)).toEqual([]);
    expect(stateOf()).toBe('stale');
  });

  test('RFC 1122 §2.3.2.1: the answer to a unicast poll makes the entry good again', () => {
    becomeStale();
    send();
    sent(host);
    host.pass(5000);
    expect(sent(host)).toEqual([ASK_IT]);
    host.in(arpReply());
    expect(stateOf()).toBe('reachable');
    expect(sentDuring(host, 10_000)).toEqual([]);
  });

  test('RFC 4861 §7.3.3: after three unicast polls the entry goes; meanwhile packets are sent to the old address', () => {
    becomeStale();
    send();
    sent(host);
    expect(sentDuring(host, 7950)).toEqual([`5000 ${ASK_IT}`, `6000 ${ASK_IT}`, `7000 ${ASK_IT}`]);
    send();
    expect(sent(host)).toEqual([PACKET]);
    host.pass(50);
    expect(host.stack.neighbors(host.index)).toEqual([]);
    send();
    expect(sent(host)).toEqual([ASK_ALL]);
  });

  test('RFC 4861 §7.3.1: what others say does not confirm it', () => {
    becomeStale();
    send();
    sent(host);
    host.pass(5000);
    host.in(arpRequest({ target: '10.0.0.7' }));
    expect(stateOf()).toBe('probe');
  });
});

describe('RFC 4861 §7.3.1 reachability confirmation by TCP', () => {
  let tcp: TcpEndpoint;
  let seq: number;

  function segment(fields: Parameters<typeof tcpPacket>[0]): void {
    const { localPort } = tcp;
    const packet = tcpPacket({
      src: '10.0.0.1',
      dst: '10.0.0.2',
      sourcePort: 80,
      destinationPort: localPort,
      ...fields,
    });
    host.in(ethernetFrame(packet));
  }

  beforeEach(() => {
    tcp = host.stack.openTcp();
    tcp.connect(ip('10.0.0.1'), 80);
    sent(host);
    host.in(arpReply());
    const [syn] = sentPackets(host);
    seq = ((syn?.seq ?? 0) + 1) | 0;
    segment({ flags: TCP_SYN | 16, seq: 100, ack: seq });
    sent(host);
    expect(tcp.state).toBe('ESTABLISHED');
  });

  /** Sends one byte, and acknowledges it. */
  function exchange(): void {
    tcp.write(Uint8Array.of(1), 0, 1);
    sent(host);
    seq = (seq + 1) | 0;
    segment({ flags: '.', seq: 101, ack: seq });
  }

  test('RFC 4861 §7.3.1: while data is acknowledged nobody is asked', () => {
    const asked: string[] = [];
    for (let i = 0; i < 60; i++) {
      host.pass(5000);
      asked.push(...sent(host));
      exchange();
    }
    expect(stateOf()).toBe('reachable');
    expect(asked.filter((text) => text.startsWith('arp'))).toEqual([]);
  });

  test('RFC 4861 §7.3.1: an acknowledgement of new data ends the wait before a poll', () => {
    host.pass(45_001);
    expect(stateOf()).toBe('stale');
    tcp.write(Uint8Array.of(1), 0, 1);
    sent(host);
    expect(stateOf()).toBe('delay');
    segment({ flags: '.', seq: 101, ack: (seq + 1) | 0 });
    expect(stateOf()).toBe('reachable');
  });

  test('RFC 4861 §7.3.1: an old acknowledgement confirms nothing', () => {
    host.pass(45_001);
    tcp.write(Uint8Array.of(1), 0, 1);
    sent(host);
    segment({ flags: '.', seq: 101, ack: seq });
    expect(stateOf()).toBe('delay');
  });

  test('a connection survives that its neighbour’s entry is removed, or changes', () => {
    host.stack.removeNeighbor(host.index, ip('10.0.0.1'));
    tcp.write(Uint8Array.of(1), 0, 1);
    expect(sent(host)).toEqual([ASK_ALL]);
    host.in(arpReply({ senderMac: '02:00:00:00:00:77' }));
    expect(sent(host)).toEqual(['ip 10.0.0.1 > 02:00:00:00:00:77']);
  });
});

describe('the cache', () => {
  const own = parseMac(OWN_MAC) as Uint8Array;

  test('RFC 4861 §5.1: a crowd of unknown hosts does not push out those that are known, nor what was set by hand', () => {
    host = makeEthernetHost(1500, 1, '10.0.0.2/8');
    becomeReachable();
    host.stack.addNeighbor(host.index, ip('10.0.0.3'), fromHex('020000000003'));
    host.in(arpRequest({ sender: '10.0.0.5' }));
    const udp = host.stack.openUdp();
    for (let i = 0; i < 3000; i++) {
      udp.send(new Uint8Array(1), 0, 1, ip(`10.1.${i >> 8}.${i & 255}`), 9);
      sent(host);
    }
    expect(host.stack.neighbors(host.index)).toHaveLength(1024 + 1);
    expect(stateOf('10.0.0.1')).toBe('reachable');
    expect(stateOf('10.0.0.3')).toBe('reachable');
    expect(stateOf('10.0.0.5')).toBe('stale');
    expect(stateOf('10.1.11.183')).toBe('incomplete');
    expect(stateOf('10.1.0.0')).toBeUndefined();
  });

  test('a crowd of hosts that ask for us pushes out who was not used for longest', () => {
    host = makeEthernetHost(1500, 1, '10.0.0.2/8');
    for (let i = 0; i < 1100; i++) {
      host.in(arpRequest({ sender: `10.1.${i >> 8}.${i & 255}` }));
      host.pass(1);
    }
    expect(host.stack.neighbors(host.index)).toHaveLength(1024);
    expect(stateOf('10.1.0.0')).toBeUndefined();
    expect(stateOf('10.1.4.75')).toBe('stale');
  });

  test('after all of that no timer and no memory is left behind', () => {
    const udp = host.stack.openUdp();
    for (let i = 3; i < 250; i++) udp.send(new Uint8Array(1), 0, 1, ip(`10.0.0.${i}`), 9);
    sent(host);
    host.pass(20_000);
    expect(host.stack.neighbors(host.index)).toEqual([]);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    expect(host.stack.counters.drops[DropReason.noNeighbor]).toBe(247);
  });

  test('links without hardware addresses have no neighbours', () => {
    const stack = createStack({ clock: { now: () => 0 }, random: { next: () => 1 } });
    const index = stack.addInterface({ name: 'tun', mtu: 1500, addresses: ['10.0.0.2/24'] });
    expect(stack.neighbors(index)).toEqual([]);
    expect(() => stack.addNeighbor(index, ip('10.0.0.1'), own)).toThrow(RangeError);
    expect(() => stack.neighbors(9)).toThrow(RangeError);
  });
});

describe('RFC 1122 §3.3.1.4 advice of TCP', () => {
  /** A connection to somebody behind the gateway 10.0.0.1 that answers no more. */
  function silentConnection(): TcpEndpoint {
    becomeReachable();
    const tcp = host.stack.openTcp();
    tcp.connect(ip('192.0.2.1'), 80);
    return tcp;
  }

  test('RFC 1122 §3.3.1.4, RFC 9293 MUST-20, SHLD-10 the third timeout has the next hop asked, though it is reachable', () => {
    silentConnection();
    expect(sentDuring(host, 6999).filter((text) => text.includes('arp'))).toEqual([]);
    expect(stateOf()).toBe('reachable');
    // The SYN has been sent again after 1, 2 and 4 s.
    expect(sentDuring(host, 2001).filter((text) => text.includes('arp'))).toEqual([
      expect.stringMatching(ASK_IT),
      expect.stringMatching(ASK_IT),
    ]);
    expect(stateOf()).toBe('probe');
  });

  test('one that answers stays as it is, and is asked no more often than there are timeouts', () => {
    silentConnection();
    const asked: number[] = [];
    for (let second = 0; second < 60; second++) {
      for (const text of sentDuring(host, 1000)) {
        if (!text.includes(ASK_IT)) continue;
        asked.push(second);
        host.in(arpReply());
      }
    }
    // After 7 and 15 s, and when the entry is stale; not once the connect is given up.
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.length).toBeLessThanOrEqual(3);
    expect(host.stack.routes.some(({ isSilent }) => isSilent)).toBe(false);
  });

  test('nor is one that is given by hand, or answered less than a second ago', () => {
    host.stack.addNeighbor(host.index, ip('10.0.0.1'), parseMac(PEER_MAC) as Uint8Array);
    host.stack.openTcp().connect(ip('192.0.2.1'), 80);
    expect(sentDuring(host, 30_000).filter((text) => text.includes('arp'))).toEqual([]);
    host.stack.removeNeighbor(host.index, ip('10.0.0.1'));
    host = makeEthernetHost();
    silentConnection();
    host.pass(6500);
    sent(host);
    host.in(arpRequest());
    host.in(arpReply());
    sent(host);
    expect(sentDuring(host, 1000).filter((text) => text.includes('arp'))).toEqual([]);
  });
});
