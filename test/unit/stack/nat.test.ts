/** NAT44 by the requirements of RFC 4787 (UDP), RFC 5382 (TCP), RFC 5508 (ICMP): inside 10.0.0.0/24, outside 192.0.2.1. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  createTransmitBatch,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  flattenFrame,
  GSO_TCPV4,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  putU16,
  SeededRandom,
  transmitLength,
  u16,
} from '../../../src/base/index.ts';
import type { NatOptions } from '../../../src/stack/index.ts';
import { NatTable } from '../../../src/stack/nat/table.ts';
import { DropReason, fold, IPPROTO_TCP, pseudoHeaderSumV4, TCP_SYN } from '../../../src/wire/index.ts';
import { icmpPacket, type ReadPacket, readPacket, tcpPacket, udpPacket, v4 } from '../../support/segment.ts';
import { type HostUnderTest, ip, makeHost, pattern } from './support.ts';

const OUR = '192.0.2.1';
const PEER_A = '192.0.2.9';
const PEER_B = '192.0.2.10';
const INSIDE = '10.0.0.7';
const OTHER = '10.0.0.8';

let host: HostUnderTest;
let far: number;

function makeNat(options: Partial<NatOptions> = {}, offload = 0): void {
  host = makeHost();
  far = host.stack.addInterface({ name: 'far', mtu: 1500, offload, addresses: [`${OUR}/24`] });
  host.stack.setInterface(host.index, { isForwarding: true });
  host.stack.setNat({ interfaceIndex: far, ...options });
}

beforeEach(() => makeNat());

function all(index: number): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let one = host.stack.takePacket(index); one !== null; one = host.stack.takePacket(index))
    packets.push(one);
  return packets;
}

const farOut = (): ReadPacket[] => all(far).map(readPacket);
const nearOut = (): ReadPacket[] => all(host.index).map(readPacket);

/** Sends a datagram out. @returns the port outside that it left from */
function out(src: string, sourcePort: number, dst = PEER_A, destinationPort = 53): number {
  expect(host.in(udpPacket({ src, sourcePort, dst, destinationPort, payload: 4 }))).toBe(0);
  const [left] = farOut();
  expect(left).toMatchObject({ src: OUR, dst, destinationPort });
  return left?.sourcePort ?? 0;
}

/** A datagram from outside. @returns its drop reason */
function back(src: string, sourcePort: number, destinationPort: number): number {
  return host.stack.inputPacket(far, udpPacket({ src, dst: OUR, sourcePort, destinationPort, payload: 4 }));
}

describe('RFC 4787 UDP', () => {
  test('REQ-1 endpoint-independent mapping: one port outside for all peers', () => {
    const port = out(INSIDE, 5000);
    expect(out(INSIDE, 5000, PEER_B, 99)).toBe(port);
    expect(host.stack.natMappings).toMatchObject([
      { protocol: 'udp', insidePort: 5000, outsidePort: port, sessions: 2 },
    ]);
    expect(back(PEER_A, 53, port)).toBe(0);
    expect(nearOut()).toMatchObject([
      { src: PEER_A, sourcePort: 53, dst: INSIDE, destinationPort: 5000, ttl: 63 },
    ]);
  });

  test('REQ-3 ports are kept where they are free, and never shared', () => {
    expect(out(INSIDE, 5000)).toBe(5000);
    const other = out(OTHER, 5000);
    expect(other).not.toBe(5000);
    expect(other).toBeGreaterThanOrEqual(1024);
    back(PEER_A, 53, other);
    expect(nearOut()).toMatchObject([{ dst: OTHER, destinationPort: 5000 }]);
  });

  test('REQ-3 a port that an endpoint of our own has is not given away', () => {
    const udp = host.stack.openUdp();
    udp.bind(ip(OUR), 5000);
    expect(out(INSIDE, 5000)).not.toBe(5000);
    back(PEER_A, 53, 5000);
    expect(udp.nextLength).toBe(4);
  });

  test('REQ-4 the parity of a port is kept', () => {
    for (const port of [6000, 6001]) {
      out(INSIDE, port);
      for (const third of ['10.0.0.20', '10.0.0.21', '10.0.0.22'])
        expect(out(third, port) & 1).toBe(port & 1);
    }
  });

  test('REQ-5, REQ-6 a mapping lasts five minutes from what last went out; what comes in does not keep it', () => {
    const port = out(INSIDE, 5000);
    host.pass(200_000);
    out(INSIDE, 5000);
    host.pass(290_000);
    expect(back(PEER_A, 53, port)).toBe(0);
    host.pass(20_000);
    expect(back(PEER_A, 53, port)).not.toBe(0);
    expect(host.stack.natMappings).toEqual([]);
    host.pass(20_000);
    expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    ['endpointIndependent', [0, 0, 0]],
    ['addressDependent', [0, 0, DropReason.natFiltered]],
    ['addressAndPortDependent', [0, DropReason.natFiltered, DropReason.natFiltered]],
  ] as const)('REQ-8 filtering %s', (filtering, verdicts) => {
    makeNat({ filtering });
    const port = out(INSIDE, 5000);
    expect([back(PEER_A, 53, port), back(PEER_A, 54, port), back(PEER_B, 53, port)]).toEqual(verdicts);
  });

  test('REQ-9 hairpinning: two hosts inside reach each other by the outside address, and see it as the source', () => {
    const first = out(INSIDE, 5000);
    // The other has sent to it, as one does who was told the address by a third: filtering is about the outside address.
    host.in(udpPacket({ src: INSIDE, sourcePort: 5000, dst: OUR, destinationPort: 6000 }));
    nearOut();
    host.stack.setNat(null);
    makeNat({ filtering: 'endpointIndependent' });
    expect(out(INSIDE, 5000)).toBe(first);
    expect(
      host.in(udpPacket({ src: OTHER, sourcePort: 6000, dst: OUR, destinationPort: 5000, payload: 8 })),
    ).toBe(0);
    expect(nearOut()).toMatchObject([{ src: OUR, sourcePort: 6000, dst: INSIDE, destinationPort: 5000 }]);
    expect(
      host.in(udpPacket({ src: INSIDE, sourcePort: 5000, dst: OUR, destinationPort: 6000, payload: 8 })),
    ).toBe(0);
    expect(nearOut()).toMatchObject([{ src: OUR, sourcePort: 5000, dst: OTHER, destinationPort: 6000 }]);
    expect(farOut()).toEqual([]);
  });

  test('REQ-13 what is too large for the link outside is cut, or refused with its MTU', () => {
    host.stack.removeInterface(far);
    far = host.stack.addInterface({ name: 'narrow', mtu: 1280, addresses: [`${OUR}/24`] });
    host.stack.setNat({ interfaceIndex: far });
    const large = { src: INSIDE, dst: PEER_A, sourcePort: 5000, payload: pattern(1400) };
    expect(host.in(udpPacket(large))).toBe(0);
    expect(farOut()).toMatchObject([
      { src: OUR, moreFragments: true },
      { src: OUR, moreFragments: false },
    ]);
    expect(host.in(udpPacket({ ...large, dontFragment: true }))).toBe(DropReason.forwardTooBig);
    expect(nearOut()).toMatchObject([{ dst: INSIDE, type: 3, code: 4, rest: 1280 }]);
  });

  test('REQ-14 fragments, in whatever order, leave translated', () => {
    const whole = udpPacket({ src: INSIDE, sourcePort: 5000, dst: PEER_A, payload: pattern(2000) });
    const body = whole.slice(20);
    const fragment = (at: number, end: number): Uint8Array => {
      const part = udpPacket({
        src: INSIDE,
        dst: PEER_A,
        id: 5,
        fragmentOffset: at,
        moreFragments: end < body.length,
        payload: end - at - 8,
      });
      part.set(body.subarray(at, end), 20);
      return part;
    };
    expect(host.in(fragment(1000, body.length))).toBe(0);
    expect(farOut()).toEqual([]);
    expect(host.in(fragment(0, 1000))).toBe(0);
    const there = makeHost({ addresses: [`${PEER_A}/24`] });
    const udp = there.stack.openUdp();
    udp.bind(ip(PEER_A), 53);
    for (const one of all(far)) there.in(one);
    expect(udp.nextLength).toBe(2000);
    expect(host.allocator.inUse).toBe(0);
  });

  test('RFC 768 a datagram without a checksum stays without', () => {
    host.in(udpPacket({ src: INSIDE, dst: PEER_A, hasChecksum: false, payload: 4 }));
    const [left] = all(far);
    expect(u16(left as Uint8Array, 26)).toBe(0);
  });
});

describe('RFC 5382 TCP', () => {
  const segment = (flags: string, fields: object = {}): number =>
    host.in(tcpPacket({ src: INSIDE, sourcePort: 5000, dst: PEER_A, destinationPort: 80, flags, ...fields }));
  const answer = (flags: string): number =>
    host.stack.inputPacket(
      far,
      tcpPacket({ src: PEER_A, sourcePort: 80, dst: OUR, destinationPort: 5000, flags }),
    );

  function open(): void {
    segment('S');
    answer('S.');
    segment('.');
  }

  test('REQ-1 a handshake passes both ways, checksums right', () => {
    open();
    expect(farOut()).toMatchObject([
      { flags: 'S', src: OUR },
      { flags: '.', src: OUR },
    ]);
    expect(nearOut()).toMatchObject([{ flags: 'S.', dst: INSIDE, destinationPort: 5000 }]);
  });

  test('REQ-2 simultaneous open: a SYN from outside passes once one has gone out', () => {
    segment('S');
    expect(answer('S')).toBe(0);
    expect(nearOut()).toMatchObject([{ flags: 'S', dst: INSIDE }]);
  });

  describe('REQ-4 a SYN from outside that nobody has asked for', () => {
    const syn = (destinationPort = 5000, fields: object = {}): number =>
      host.stack.inputPacket(
        far,
        tcpPacket({ src: PEER_A, sourcePort: 80, dst: OUR, destinationPort, flags: 'S', ...fields }),
      );
    const refusal = { type: 3, code: 3, src: OUR, dst: PEER_A };

    test('is answered with port unreachable, and not before six seconds are over', () => {
      expect(syn()).toBe(DropReason.natUnsolicited);
      host.pass(5999);
      expect(farOut()).toEqual([]);
      host.pass(1);
      const [error] = all(far);
      expect(readPacket(error as Uint8Array)).toMatchObject(refusal);
      // What is quoted is the SYN.
      expect(readPacket((error as Uint8Array).slice(28))).toMatchObject({
        src: PEER_A,
        dst: OUR,
        sourcePort: 80,
        destinationPort: 5000,
        flags: 'S',
      });
      expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    });

    test('is forgotten when one goes out in the meantime, and its repetition passes', () => {
      syn();
      host.pass(3000);
      segment('S');
      expect(farOut()).toMatchObject([{ flags: 'S', sourcePort: 5000 }]);
      host.pass(10_000);
      expect(farOut()).toEqual([]);
      expect(syn()).toBe(0);
      expect(nearOut()).toMatchObject([{ flags: 'S', dst: INSIDE }]);
    });

    test('waits too when there is a mapping that filters it', () => {
      segment('S', { dst: PEER_B });
      farOut();
      expect(syn()).toBe(DropReason.natUnsolicited);
      host.pass(6000);
      expect(farOut()).toMatchObject([refusal]);
    });

    test('is answered once however often it is repeated, and each port by itself', () => {
      for (const port of [5000, 5000, 5001, 5000]) {
        syn(port);
        host.pass(1000);
      }
      host.pass(10_000);
      expect(farOut()).toMatchObject([refusal, refusal]);
    });

    test('is our own when an endpoint of ours has the port, and nothing is said when one takes it while it waits', () => {
      const own = host.stack.openTcp();
      own.bind(ip(OUR), 80);
      own.listen(1);
      expect(syn(80)).toBe(0);
      expect(farOut()).toMatchObject([{ flags: 'S.', sourcePort: 80 }]);
      own.close();
      syn(81);
      const later = host.stack.openTcp();
      later.bind(ip(OUR), 81);
      later.listen(1);
      host.pass(6000);
      expect(farOut().filter(({ type }) => type !== undefined)).toEqual([]);
    });

    test('a flood of them takes bounded room, and what finds none is dropped without a word', () => {
      for (let i = 0; i < 5000; i++) expect(syn(5000, { sourcePort: 1 + i })).toBe(DropReason.natUnsolicited);
      host.pass(6000);
      // The rate of errors is bounded by itself.
      const told = farOut().length;
      expect([told > 0, told <= 256]).toEqual([true, true]);
      expect(host.stack.nextDeadline).toBe(Number.POSITIVE_INFINITY);
    });

    test('what is no lone SYN is the host’s affair', () => {
      expect(syn(5000, { flags: 'S.' })).not.toBe(DropReason.natUnsolicited);
      expect(farOut()).toMatchObject([{ flags: 'R' }]);
    });
  });

  test('REQ-5 an open connection lasts two hours and four minutes without a word, a half-open or ended one four minutes', () => {
    open();
    host.pass(7_439_000);
    expect(answer('.')).toBe(0);
    segment('F.');
    answer('F.');
    host.pass(239_000);
    expect(host.stack.natMappings).toHaveLength(1);
    host.pass(20_000);
    expect(host.stack.natMappings).toEqual([]);
    segment('S');
    host.pass(260_000);
    expect(host.stack.natMappings).toEqual([]);
  });

  test('super-segments pass whole with their partial checksum', () => {
    makeNat({}, OFFLOAD_CSUM | OFFLOAD_TSO4);
    const packet = tcpPacket({
      src: INSIDE,
      sourcePort: 5000,
      dst: PEER_A,
      flags: 'P.',
      seq: 7,
      payload: pattern(4000),
    });
    putU16(packet, 36, fold(pseudoHeaderSumV4(v4(INSIDE), v4(PEER_A), IPPROTO_TCP, packet.length - 20)));
    const batch = createFrameBatch(1, packet.length);
    batch.bytes.set(packet);
    batch.count = 1;
    batch.table[FRAME_LENGTH] = packet.length;
    batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
    batch.table[FRAME_GSO_TYPE] = GSO_TCPV4;
    batch.table[FRAME_GSO_SIZE] = 1400;
    batch.table[FRAME_CSUM_START] = 20;
    batch.table[FRAME_CSUM_OFFSET] = 16;
    host.stack.input(host.index, batch);
    const transmit = createTransmitBatch(4);
    expect(host.stack.output(far, transmit)).toBe(1);
    const frame = new Uint8Array(transmitLength(transmit, 0));
    flattenFrame(transmit, 0, frame, 0);
    const expected = fold(pseudoHeaderSumV4(v4(OUR), v4(PEER_A), IPPROTO_TCP, packet.length - 20));
    expect([frame.length, u16(frame, 36)]).toEqual([packet.length, expected]);
  });
});

describe('RFC 5508 ICMP', () => {
  test('REQ-1, REQ-2 an echo’s identifier is translated both ways, for 60 seconds at least', () => {
    for (const src of [INSIDE, OTHER]) host.in(icmpPacket({ src, dst: PEER_A, echoId: 77, payload: 8 }));
    const [first, second] = farOut().map(({ rest = 0 }) => rest >>> 16);
    expect(first).toBe(77);
    expect(second).not.toBe(77);
    host.pass(59_000);
    const reply = (echoId: number) => icmpPacket({ src: PEER_A, dst: OUR, type: 0, echoId, payload: 8 });
    expect(host.stack.inputPacket(far, reply(second as number))).toBe(0);
    expect(nearOut()).toMatchObject([{ dst: OTHER, type: 0, rest: (77 << 16) | 1 }]);
  });

  test('an echo request to the outside address is answered by us', () => {
    expect(host.stack.inputPacket(far, icmpPacket({ src: PEER_A, dst: OUR }))).toBe(0);
    expect(farOut()).toMatchObject([{ src: OUR, dst: PEER_A, type: 0 }]);
  });

  test('REQ-4 an error from a router outside reaches the host inside, its quote as the host sent it', () => {
    host.in(udpPacket({ src: OTHER, sourcePort: 5000, dst: PEER_B }));
    all(far);
    const sent = udpPacket({ src: INSIDE, sourcePort: 5000, dst: PEER_A, payload: 20 });
    host.in(sent);
    const [left] = all(far);
    const error = icmpPacket({
      src: '192.0.2.254',
      dst: OUR,
      type: 3,
      code: 1,
      rest: 0,
      payload: left as Uint8Array,
    });
    expect(host.stack.inputPacket(far, error)).toBe(0);
    const [told] = nearOut();
    expect(told).toMatchObject({ src: '192.0.2.254', dst: INSIDE, type: 3, code: 1 });
    const quote = readPacket(told?.payload ?? null);
    expect(quote).toMatchObject({ src: INSIDE, sourcePort: 5000, dst: PEER_A });
  });

  test('REQ-5 an error from inside leaves with the outside address, inside and out', () => {
    const port = out(INSIDE, 5000);
    back(PEER_A, 53, port);
    const [inward] = all(host.index);
    const error = icmpPacket({
      src: INSIDE,
      dst: PEER_A,
      type: 3,
      code: 3,
      rest: 0,
      payload: inward as Uint8Array,
    });
    expect(host.in(error)).toBe(0);
    const [told] = farOut();
    expect(told).toMatchObject({ src: OUR, dst: PEER_A, type: 3, code: 3 });
    expect(readPacket(told?.payload ?? null)).toMatchObject({ src: PEER_A, dst: OUR, destinationPort: port });
  });

  test('REQ-3 an error that is damaged, or about nothing of ours, goes nowhere', () => {
    const quoted = udpPacket({ src: INSIDE, sourcePort: 1, dst: PEER_A, payload: 20 });
    const error = icmpPacket({ src: INSIDE, dst: PEER_A, type: 3, code: 3, rest: 0, payload: quoted });
    expect(host.in(error)).toBe(DropReason.natNoMapping);
    error[error.length - 1] = (error[error.length - 1] as number) ^ 1;
    expect(host.in(error)).toBe(DropReason.natMalformed);
    expect(farOut()).toEqual([]);
  });

  test('an error that the router itself makes quotes the packet as its sender knows it', () => {
    const port = out(INSIDE, 5000);
    const packet = udpPacket({
      src: PEER_A,
      sourcePort: 53,
      dst: OUR,
      destinationPort: port,
      ttl: 1,
      payload: 4,
    });
    expect(host.stack.inputPacket(far, packet)).toBe(DropReason.forwardTtlExceeded);
    const [told] = farOut();
    expect(told).toMatchObject({ type: 11, dst: PEER_A });
    expect(readPacket(told?.payload ?? null)).toMatchObject({ dst: OUR, destinationPort: port });
  });
});

describe('RFC 5508 §7 no room for a mapping', () => {
  test('REQ-8 the sender is told that it is prohibited', () => {
    makeNat({ maxMappings: 1 });
    host.in(tcpPacket({ src: INSIDE, sourcePort: 1, dst: PEER_A, flags: 'S' }));
    host.stack.inputPacket(
      far,
      tcpPacket({ src: PEER_A, sourcePort: 80, dst: OUR, destinationPort: 1, flags: 'S.' }),
    );
    nearOut();
    expect(host.in(udpPacket({ src: OTHER, dst: PEER_A }))).toBe(DropReason.natTableFull);
    expect(nearOut()).toMatchObject([{ type: 3, code: 13, dst: OTHER }]);
  });
});

describe('what ends a mapping, and what does not', () => {
  const error = (type: number, code: number, port: number): number =>
    host.stack.inputPacket(
      far,
      icmpPacket({
        src: '198.51.100.1',
        dst: OUR,
        type,
        code,
        payload: udpPacket({ src: OUR, sourcePort: port, dst: PEER_A, destinationPort: 53 }),
      }),
    );

  test('RFC 4787 REQ-12, RFC 5382 REQ-10, RFC 5508 REQ-6 no ICMP error ends it, nor keeps it longer', () => {
    const port = out(INSIDE, 5000);
    for (const code of [0, 1, 3, 13]) expect(error(3, code, port)).toBe(0);
    expect(error(11, 0, port)).toBe(0);
    expect(back(PEER_A, 53, port)).toBe(0);
    host.pass(299_000);
    error(3, 3, port);
    host.pass(12_000);
    expect(host.stack.natMappings).toEqual([]);
  });

  test('RFC 5382 REQ-9 an error about a connection reaches the host inside, quoting what that has sent', () => {
    host.in(
      tcpPacket({ src: INSIDE, sourcePort: 5000, dst: PEER_A, destinationPort: 80, flags: 'S', seq: 7 }),
    );
    const payload = tcpPacket({
      src: OUR,
      sourcePort: 5000,
      dst: PEER_A,
      destinationPort: 80,
      flags: 'S',
      seq: 7,
    });
    const packet = icmpPacket({ src: '198.51.100.1', dst: OUR, type: 3, code: 1, payload });
    expect(host.stack.inputPacket(far, packet)).toBe(0);
    const [bytes] = all(host.index);
    expect(readPacket(bytes as Uint8Array)).toMatchObject({
      src: '198.51.100.1',
      dst: INSIDE,
      type: 3,
      code: 1,
    });
    expect(readPacket((bytes as Uint8Array).slice(28))).toMatchObject({
      src: INSIDE,
      sourcePort: 5000,
      dst: PEER_A,
      flags: 'S',
      seq: 7,
    });
  });

  test('RFC 4787 REQ-11, RFC 5382 REQ-7 a port is never two hosts’, and a mapping does not change when ports are wanted', () => {
    const first = out(INSIDE, 5000);
    const ports = [first];
    for (let last = 20; last < 120; last++) ports.push(out(`10.0.0.${last}`, 5000));
    expect(new Set(ports).size).toBe(ports.length);
    expect(out(INSIDE, 5000, PEER_B)).toBe(first);
    expect(out('10.0.0.20', 5000, PEER_B)).toBe(ports[1]);
  });

  test('RFC 4787 REQ-10, RFC 5382 REQ-6 addresses in the data stay as they are', () => {
    const text = new TextEncoder().encode(`PORT 10,0,0,7,19,136 ${INSIDE}:5000 `);
    host.in(
      tcpPacket({
        src: INSIDE,
        sourcePort: 5000,
        dst: PEER_A,
        destinationPort: 21,
        flags: 'P.',
        payload: text,
      }),
    );
    expect(farOut()[0]?.payload).toEqual(text);
  });

  test('RFC 5382 REQ-3 filtering of TCP is as chosen', () => {
    makeNat({ filtering: 'endpointIndependent' });
    host.in(tcpPacket({ src: INSIDE, sourcePort: 5000, dst: PEER_A, flags: 'S' }));
    const syn = tcpPacket({ src: PEER_B, sourcePort: 9, dst: OUR, destinationPort: 5000, flags: 'S' });
    expect(host.stack.inputPacket(far, syn)).toBe(0);
    expect(nearOut()).toMatchObject([{ dst: INSIDE, flags: 'S' }]);
  });
});

describe('bounds and port maps', () => {
  test('RFC 6888 REQ-4 one host inside has a bound of its own, and past it gives up what it used least lately', () => {
    makeNat({ maxMappingsPerHost: 3 });
    for (let port = 1; port <= 5; port++) {
      out(INSIDE, 5000 + port);
      host.pass(10);
    }
    out(OTHER, 7000);
    expect(host.stack.natMappings.map(({ insidePort }) => insidePort)).toEqual([5003, 5004, 5005, 7000]);
  });

  test('RFC 6888 REQ-4 nor does one host inside have more than 8,192 peers remembered', () => {
    for (let sourcePort = 5000; sourcePort < 5017; sourcePort++) {
      for (let peer = 0; peer < 512; peer++) {
        const dst = `192.0.2.${10 + (peer & 127)}`;
        host.in(udpPacket({ src: INSIDE, sourcePort, dst, destinationPort: 1000 + (peer >> 7) }));
        host.stack.takePacket(far);
      }
    }
    expect(host.stack.natMappings.reduce((sum, { sessions }) => sum + sessions, 0)).toBe(8192);
  });

  test('nor all hosts more than there is room for: who has the most gives way, but no open connection', () => {
    const limits = { mappings: 100, perHost: 100, sessions: 10, sessionsPerHost: 8 };
    const table = new NatTable(new SeededRandom(1), limits, () => false);
    const count = (inside: number): number =>
      [...table.mappings()].reduce((sum, one) => sum + (one.inside === inside ? one.sessionCount : 0), 0);
    const talk = (inside: number, port: number, peers: number): void => {
      const mapping = table.fromInside(17, inside, port) ?? table.add(17, inside, port);
      if (mapping === null) throw new Error('no mapping');
      for (let peer = 1; peer <= peers; peer++) {
        if (table.makeSessionRoom(mapping)) mapping.open(peer, 53);
      }
    };
    for (let port = 1; port <= 4; port++) talk(1, port, 3);
    expect(count(1)).toBe(8);
    talk(2, 1, 4);
    expect([count(1), count(2)]).toEqual([5, 4]);
    const tcp = table.add(6, 3, 80);
    const session = tcp?.open(9, 80);
    session?.segment(TCP_SYN, true, 0);
    session?.segment(TCP_SYN, false, 0);
    for (let port = 1; port <= 5; port++) talk(4, port, 4);
    expect(tcp?.sessionCount).toBe(1);
    expect([1, 2, 3, 4].reduce((sum, inside) => sum + count(inside), 0)).toBeLessThanOrEqual(10);
    for (const mapping of [...table.mappings()]) table.remove(mapping);
    talk(5, 1, 8);
    expect(count(5)).toBe(8);
  });

  test('when all is full, the host with the most gives one up; an open connection is not given up', () => {
    makeNat({ maxMappings: 4 });
    for (let port = 1; port <= 4; port++) out(INSIDE, 5000 + port);
    out(OTHER, 7000);
    expect(host.stack.natMappings.map(({ insidePort }) => insidePort)).toEqual([5002, 5003, 5004, 7000]);
    makeNat({ maxMappings: 1 });
    host.in(tcpPacket({ src: INSIDE, sourcePort: 1, dst: PEER_A, flags: 'S' }));
    host.stack.inputPacket(
      far,
      tcpPacket({ src: PEER_A, sourcePort: 80, dst: OUR, destinationPort: 1, flags: 'S.' }),
    );
    expect(host.in(udpPacket({ src: OTHER, dst: PEER_A }))).toBe(DropReason.natTableFull);
    // Who fills the table with open connections can't keep the operator out; only the operator's own maps can.
    const map = { protocol: 'udp', outsidePort: 53, insideAddress: INSIDE, insidePort: 53 } as const;
    host.stack.addNatPortMap(map);
    expect(host.stack.natMappings).toMatchObject([{ outsidePort: 53, isStatic: true }]);
    expect(() => host.stack.addNatPortMap({ ...map, outsidePort: 54, insidePort: 54 })).toThrow(/no room/);
  });

  test('a port map lets everybody in, for good', () => {
    makeNat({ portMaps: [{ protocol: 'tcp', outsidePort: 8080, insideAddress: INSIDE, insidePort: 80 }] });
    host.pass(10_000_000);
    const syn = tcpPacket({ src: PEER_B, sourcePort: 999, dst: OUR, destinationPort: 8080, flags: 'S' });
    expect(host.stack.inputPacket(far, syn)).toBe(0);
    expect(nearOut()).toMatchObject([{ dst: INSIDE, destinationPort: 80, src: PEER_B, flags: 'S' }]);
    host.in(tcpPacket({ src: INSIDE, sourcePort: 80, dst: PEER_B, destinationPort: 999, flags: 'S.' }));
    expect(farOut()).toMatchObject([{ src: OUR, sourcePort: 8080, flags: 'S.' }]);
  });

  test.each([[{ outsidePort: 0 }], [{ insideAddress: '::1' }], [{ insidePort: 70_000 }]])(
    'a port map with %p is refused, and the old translator stays',
    (bad) => {
      out(INSIDE, 5000);
      const map = { protocol: 'udp', outsidePort: 1, insideAddress: INSIDE, insidePort: 1, ...bad } as const;
      expect(() => host.stack.setNat({ interfaceIndex: far, portMaps: [map] })).toThrow(RangeError);
      expect(host.stack.natMappings).toHaveLength(1);
    },
  );

  test('a port map is added and removed while others go on; what came about by traffic gives way', () => {
    out(INSIDE, 5000);
    out(INSIDE, 5001);
    const map = { protocol: 'udp', outsidePort: 53, insideAddress: INSIDE, insidePort: 5000 } as const;
    host.stack.addNatPortMap(map);
    expect(host.stack.natMappings).toMatchObject([
      { outsidePort: 5001, isStatic: false },
      { outsidePort: 53, insidePort: 5000, isStatic: true },
    ]);
    expect(back(PEER_B, 9, 53)).toBe(0);
    expect(() => host.stack.addNatPortMap(map)).toThrow(RangeError);
    expect([host.stack.removeNatPortMap('tcp', 53), host.stack.removeNatPortMap('udp', 5001)]).toEqual([
      false,
      false,
    ]);
    expect([host.stack.removeNatPortMap('udp', 53), host.stack.removeNatPortMap('udp', 53)]).toEqual([
      true,
      false,
    ]);
    expect(back(PEER_B, 9, 53)).not.toBe(0);
    expect(host.stack.nat).toEqual({ interfaceIndex: far, filtering: 'addressDependent' });
    host.stack.setNat(null);
    expect(host.stack.nat).toBeNull();
    expect(() => host.stack.addNatPortMap(map)).toThrow(RangeError);
  });

  test('a port that an application of the host has is not mapped', () => {
    const udp = host.stack.openUdp();
    udp.bind(ip(OUR), 53);
    const map = { protocol: 'udp', outsidePort: 53, insideAddress: INSIDE, insidePort: 5000 } as const;
    expect(() => host.stack.addNatPortMap(map)).toThrow(/in use/);
  });

  test('what has no port to translate does not leave', () => {
    const truncated = udpPacket({ src: INSIDE, dst: PEER_A }).slice(0, 24);
    putU16(truncated, 2, 24);
    putU16(truncated, 10, 0);
    let sum = 0;
    for (let i = 0; i < 20; i += 2) sum += u16(truncated, i);
    putU16(truncated, 10, ~fold(sum));
    expect(host.in(truncated)).toBe(DropReason.natMalformed);
    expect(farOut()).toEqual([]);
  });
});
