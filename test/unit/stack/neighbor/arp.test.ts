import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  clearTransmitBatch,
  createTransmitBatch,
  formatMac,
  fromHex,
  parseMac,
} from '../../../../src/base/index.ts';
import { EndpointEvent, type NeighborView, StackError } from '../../../../src/stack/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import { ethernetFrame, udpPacket } from '../../../support/segment.ts';
import { type HostUnderTest, ip, makeHost } from '../support.ts';
import {
  arpReply,
  arpRequest,
  BROADCAST_MAC,
  frameText,
  makeEthernetHost,
  OTHER_MAC,
  OWN_MAC,
  PEER_MAC,
  sent,
} from './support.ts';

let host: HostUnderTest;

beforeEach(() => {
  host = makeEthernetHost();
});

function neighbor(address = '10.0.0.1'): NeighborView | undefined {
  return host.stack.neighbors(host.index).find((view) => view.address.equals(ip(address)));
}

function macOf(address = '10.0.0.1'): string | undefined {
  const mac = neighbor(address)?.mac;
  return mac == null ? undefined : formatMac(mac);
}

function sendTo(address: string): void {
  host.stack.openUdp().send(new Uint8Array(1), 0, 1, ip(address), 9);
}

describe('RFC 826 requests of others', () => {
  test('RFC 826, RFC 5227 §2.6: a request for our address is answered, to the one who asked alone', () => {
    expect(host.in(arpRequest())).toBe(DropReason.none);
    expect(sent(host)).toEqual([`arp 10.0.0.2 is-at ${OWN_MAC} > ${PEER_MAC}`]);
  });

  test('RFC 826: who asks for our address is remembered, but not taken for reachable', () => {
    host.in(arpRequest());
    expect(neighbor()).toMatchObject({ state: 'stale', isStatic: false, age: Number.POSITIVE_INFINITY });
    expect(macOf()).toBe(PEER_MAC);
  });

  test('RFC 826: a request for an address of somebody else is not answered, and who asks is not remembered', () => {
    expect(host.in(arpRequest({ target: '10.0.0.7' }))).toBe(DropReason.arpNotForUs);
    expect(sent(host)).toEqual([]);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('RFC 826: the broadcast address of the subnet and the loopback address are not answered for', () => {
    host.in(arpRequest({ target: '10.0.0.255' }));
    host.in(arpRequest({ target: '127.0.0.1' }));
    expect(sent(host)).toEqual([]);
  });

  test('RFC 826: what is said to others changes an entry that is there', () => {
    host.in(arpRequest());
    host.pass(2000);
    expect(host.in(arpRequest({ target: '10.0.0.7', senderMac: OTHER_MAC }))).toBe(DropReason.none);
    expect(macOf()).toBe(OTHER_MAC);
  });

  test('RFC 5227 §2.1.1: a probe for our address is answered, and its sender is no neighbour', () => {
    expect(host.in(arpRequest({ sender: '0.0.0.0' }))).toBe(DropReason.none);
    expect(sent(host)).toEqual([`arp 10.0.0.2 is-at ${OWN_MAC} > ${PEER_MAC}`]);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('a host of another subnet is answered and not remembered', () => {
    host.in(arpRequest({ sender: '192.0.2.1' }));
    expect(sent(host)).toEqual([`arp 10.0.0.2 is-at ${OWN_MAC} > ${PEER_MAC}`]);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('an address of another interface is not answered for', () => {
    host.stack.addInterface({ name: 'b', mtu: 1500, addresses: ['192.0.2.2/24'] });
    host.in(arpRequest({ target: '192.0.2.2' }));
    expect(sent(host)).toEqual([]);
  });
});

describe('RFC 826 answers', () => {
  test('RFC 826: a packet to an unknown neighbour asks all, and leaves when the answer comes', () => {
    sendTo('10.0.0.1');
    expect(sent(host)).toEqual([`arp who-has 10.0.0.1 tell 10.0.0.2 > ${BROADCAST_MAC}`]);
    expect(neighbor()).toMatchObject({ state: 'incomplete', mac: null });
    expect(host.in(arpReply())).toBe(DropReason.none);
    expect(sent(host)).toEqual([`ip 10.0.0.1 > ${PEER_MAC}`]);
    expect(neighbor()).toMatchObject({ state: 'reachable', age: 0 });
  });

  test('packets to other networks ask for the gateway', () => {
    sendTo('192.0.2.1');
    expect(sent(host)).toEqual([`arp who-has 10.0.0.1 tell 10.0.0.2 > ${BROADCAST_MAC}`]);
    host.in(arpReply());
    expect(sent(host)).toEqual([`ip 192.0.2.1 > ${PEER_MAC}`]);
  });

  test('a request of the neighbour’s answers ours too, but does not prove that it hears us', () => {
    sendTo('10.0.0.1');
    sent(host);
    host.in(arpRequest());
    expect(sent(host)).toEqual([`ip 10.0.0.1 > ${PEER_MAC}`, `arp 10.0.0.2 is-at ${OWN_MAC} > ${PEER_MAC}`]);
    expect(neighbor()?.state).toBe('stale');
  });

  test('an answer that nobody asked for makes no entry', () => {
    expect(host.in(arpReply())).toBe(DropReason.arpNotForUs);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test('an answer that nobody asked for does not prove that a neighbour is reachable', () => {
    host.in(arpRequest());
    host.in(arpReply());
    expect(neighbor()?.state).toBe('stale');
  });

  test('of two who claim the address the first is believed', () => {
    sendTo('10.0.0.1');
    sent(host);
    host.in(arpReply());
    host.pass(10);
    host.in(arpReply({ senderMac: OTHER_MAC }));
    expect(macOf()).toBe(PEER_MAC);
    expect(neighbor()?.state).toBe('stale');
  });

  test('RFC 5227 §2.3: an announcement of a new hardware address is believed', () => {
    sendTo('10.0.0.1');
    sent(host);
    host.in(arpReply());
    host.pass(1000);
    host.in(arpRequest({ sender: '10.0.0.1', target: '10.0.0.1', senderMac: OTHER_MAC }));
    expect(neighbor()?.state).toBe('stale');
    sent(host);
    sendTo('10.0.0.1');
    expect(sent(host)).toEqual([`ip 10.0.0.1 > ${OTHER_MAC}`]);
  });
});

describe('what no honest host sends', () => {
  test.each([
    ['a multicast sender', arpRequest({ sender: '224.0.0.1' })],
    ['the broadcast address as sender', arpRequest({ sender: '255.255.255.255' })],
    ['a loopback sender', arpRequest({ sender: '127.0.0.1' })],
    ['an answer of nobody', arpReply({ sender: '0.0.0.0' })],
    ['a host of network zero', arpRequest({ sender: '0.0.0.1' })],
    ['a group’s hardware address', arpRequest({ senderMac: '01:00:5e:00:00:01' })],
    ['the broadcast hardware address', arpRequest({ senderMac: BROADCAST_MAC })],
    ['no hardware address', arpRequest({ senderMac: '00:00:00:00:00:00' })],
    ['the mark of unresolved neighbours', arpRequest({ senderMac: 'ff:fe:00:00:00:00' })],
  ])('%s is dropped: nothing is learned, nothing answered', (_name, frame) => {
    expect(host.in(frame)).toBe(DropReason.arpSender);
    expect(sent(host)).toEqual([]);
    expect(host.stack.neighbors(host.index)).toEqual([]);
  });

  test.each([
    ['hardware type', 0, 7, DropReason.arpUnsupported],
    ['protocol type', 2, 0x86, DropReason.arpUnsupported],
    ['hardware address length', 4, 8, DropReason.arpUnsupported],
    ['protocol address length', 5, 16, DropReason.arpUnsupported],
    ['operation', 7, 3, DropReason.arpUnsupported],
  ])('RFC 826: another %s is dropped', (_name, at, value, reason) => {
    const frame = arpRequest();
    frame[14 + at] = value;
    expect(host.in(frame)).toBe(reason);
    expect(host.stack.counters.drops[reason]).toBe(1);
  });

  test('RFC 826: a message that is cut short is dropped at every length', () => {
    for (let length = 14; length < 42; length++) {
      expect(host.in(arpRequest().slice(0, length))).toBe(DropReason.arpTruncated);
    }
    expect(sent(host)).toEqual([]);
  });

  test('padding after the message is no part of it', () => {
    const padded = new Uint8Array(60);
    padded.set(arpRequest());
    expect(host.in(padded)).toBe(DropReason.none);
  });

  test('a flood of requests for our address makes a bounded queue of answers', () => {
    for (let i = 0; i < 3000; i++) host.in(arpRequest());
    expect(host.outBytes()).toHaveLength(1024);
    expect(host.stack.counters.drops[DropReason.outputQueueFull]).toBe(3000 - 1024);
    host.in(arpRequest());
    expect(host.outBytes()).toHaveLength(1);
  });

  test('RFC 1122 §2.3.2.1: however many neighbours are wanted at once, requests are bounded', () => {
    for (let i = 0; i < 1000; i++) sendTo(`10.0.0.${3 + (i % 250)}`);
    expect(sent(host)).toHaveLength(250);
    const far = makeHost({ medium: 'ethernet', mac: fromHex('020000000002'), addresses: ['10.0.0.2/8'] });
    far.pass(20_000);
    far.outBytes();
    const udp = far.stack.openUdp();
    for (let i = 0; i < 600; i++) udp.send(new Uint8Array(1), 0, 1, ip(`10.1.${i >> 8}.${i & 255}`), 9);
    expect(far.outBytes()).toHaveLength(256);
  });
});

describe('neighbours set by hand', () => {
  beforeEach(() => host.stack.addNeighbor(host.index, ip('10.0.0.1'), parseMac(PEER_MAC) as Uint8Array));

  test('they are used without a question, and nothing that is heard changes them', () => {
    host.in(arpReply({ senderMac: OTHER_MAC }));
    host.in(arpRequest({ senderMac: OTHER_MAC }));
    sent(host);
    sendTo('10.0.0.1');
    expect(sent(host)).toEqual([`ip 10.0.0.1 > ${PEER_MAC}`]);
    expect(neighbor()).toMatchObject({ isStatic: true, state: 'reachable' });
  });

  test('one that is set while packets wait for it lets them go', () => {
    sendTo('10.0.0.7');
    sent(host);
    host.stack.addNeighbor(host.index, ip('10.0.0.7'), parseMac(OTHER_MAC) as Uint8Array);
    expect(sent(host)).toEqual([`ip 10.0.0.7 > ${OTHER_MAC}`]);
  });

  test('one that is removed is asked for again', () => {
    sendTo('10.0.0.1');
    sent(host);
    expect(host.stack.removeNeighbor(host.index, ip('10.0.0.1'))).toBe(true);
    expect(host.stack.removeNeighbor(host.index, ip('10.0.0.1'))).toBe(false);
    sendTo('10.0.0.1');
    expect(sent(host)).toEqual([`arp who-has 10.0.0.1 tell 10.0.0.2 > ${BROADCAST_MAC}`]);
  });

  test('what is no hardware address is refused, and so are links without them', () => {
    const set = (mac: string): void => host.stack.addNeighbor(host.index, ip('10.0.0.1'), fromHex(mac));
    expect(() => set('0200000001')).toThrow(RangeError);
    expect(() => set('000000000000')).toThrow(RangeError);
    expect(() => set('fffe00000000')).toThrow(RangeError);
    expect(() => host.stack.addNeighbor(1, ip('10.0.0.1'), fromHex('020000000001'))).toThrow(RangeError);
    for (const nobody of ['0.0.0.0', '224.0.0.1', '255.255.255.255', '127.0.0.1', '::', 'ff02::1'])
      expect(() => host.stack.addNeighbor(host.index, ip(nobody), fromHex('020000000001'))).toThrow(nobody);
    expect(host.stack.neighbors(1)).toEqual([]);
  });
});

describe('while packets go to and fro', () => {
  test('packets of several neighbours in one batch: only the known one’s leave', () => {
    host.stack.addNeighbor(host.index, ip('10.0.0.1'), parseMac(PEER_MAC) as Uint8Array);
    const udp = host.stack.openUdp();
    for (const address of ['10.0.0.7', '10.0.0.1', '10.0.0.8', '10.0.0.8', '10.0.0.1']) {
      udp.send(new Uint8Array(5), 0, 5, ip(address), 9);
    }
    expect(sent(host).filter((text) => text.startsWith('ip'))).toEqual([
      `ip 10.0.0.1 > ${PEER_MAC}`,
      `ip 10.0.0.1 > ${PEER_MAC}`,
    ]);
    host.in(arpReply({ sender: '10.0.0.8', senderMac: OTHER_MAC }));
    expect(sent(host)).toEqual([`ip 10.0.0.8 > ${OTHER_MAC}`, `ip 10.0.0.8 > ${OTHER_MAC}`]);
  });

  test.each([
    [4, '10.0.0.2/24', '10.0.0.1'],
    [6, 'fd00::2/64', 'fd00::1'],
  ] as const)(
    'IPv%i: when all packets of a batch wait for neighbours, the memory that they were in is free at once',
    (family, own, peer) => {
      const { stack, index, allocator, events } = makeHost({
        medium: 'ethernet',
        mac: parseMac(OWN_MAC) as Uint8Array,
        addresses: [own],
      });
      const batch = createTransmitBatch(16);
      const udp = stack.openUdp(family);
      const send = (): number => udp.send(new Uint8Array(60_000), 0, 60_000, ip(peer), 9);
      expect(send()).toBe(60_000);
      // The question for the neighbour leaves.
      while (stack.output(index, batch) > 0) clearTransmitBatch(batch);
      expect(send()).toBe(60_000);
      expect(send()).toBe(StackError.wouldBlock);
      events.length = 0;
      expect(stack.output(index, batch)).toBe(0);
      expect(allocator.inUse).toBe(0);
      stack.flushEvents();
      expect(events).toEqual([{ endpoint: udp, events: EndpointEvent.writable }]);
      expect(send()).toBe(60_000);
    },
  );

  test('packets that waited leave before later ones', () => {
    const udp = host.stack.openUdp();
    for (let i = 1; i <= 3; i++) udp.send(Uint8Array.of(i), 0, 1, ip('10.0.0.1'), 9);
    sent(host);
    host.in(arpReply());
    udp.send(Uint8Array.of(4), 0, 1, ip('10.0.0.1'), 9);
    expect(host.outBytes().map((frame) => frame[42])).toEqual([1, 2, 3, 4]);
  });

  test('a removed interface forgets its neighbours and what waited for them', () => {
    sendTo('10.0.0.1');
    sent(host);
    host.stack.removeInterface(host.index);
    expect(host.stack.counters.drops[DropReason.noNeighbor]).toBe(1);
    host.pass(60_000);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test('a packet from a neighbour that is not known is answered once it is', () => {
    host.stack.openUdp().bind(ip('10.0.0.2'), 5000);
    const request = udpPacket({ src: '10.0.0.1', dst: '10.0.0.2', destinationPort: 4, payload: 'x' });
    host.in(ethernetFrame(request));
    expect(sent(host)).toEqual([`arp who-has 10.0.0.1 tell 10.0.0.2 > ${BROADCAST_MAC}`]);
    host.in(arpReply());
    expect(sent(host)).toEqual([`ip 10.0.0.1 > ${PEER_MAC}`]);
  });
});

test('RFC 5227 §2.3: an address that comes is announced', () => {
  host.stack.addAddress(host.index, '10.0.0.20/24', { detectDuplicates: false });
  expect(frameText(host.outBytes()[0] as Uint8Array)).toBe(
    `arp who-has 10.0.0.20 tell 10.0.0.20 > ${BROADCAST_MAC}`,
  );
});
