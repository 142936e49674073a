/** RFC 8200 §3, RFC 4443: a router between fd00::/64 and 2001:db8:1::/64. */

import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  createFrameBatch,
  FRAME_CSUM_OFFSET,
  FRAME_CSUM_START,
  FRAME_FLAGS,
  FRAME_GSO_SIZE,
  FRAME_GSO_TYPE,
  FRAME_LENGTH,
  FRAME_NEEDS_CSUM,
  FRAME_VERDICT,
  fromHex,
  GSO_TCPV6,
} from '../../../../src/base/index.ts';
import { DropReason } from '../../../../src/wire/index.ts';
import {
  fragmentHeader,
  icmp6Packet,
  optionsHeader,
  type ReadPacket6,
  readPacket6,
  tcp6Packet,
  udp6Packet,
} from '../../../support/segment6.ts';
import { type HostUnderTest, makeHost, pattern } from '../support.ts';

const NEAR = 'fd00::1';
const FAR = '2001:db8:1::9';

let host: HostUnderTest;
let far: number;

beforeEach(() => {
  host = makeHost({ addresses: ['fd00::2/64'] });
  far = host.stack.addInterface({ name: 'far', mtu: 1400, addresses: ['2001:db8:1::1/64'] });
  host.stack.setInterface(host.index, { isForwarding: true });
});

function out(index: number): ReadPacket6[] {
  const packets: ReadPacket6[] = [];
  for (let one = host.stack.takePacket(index); one !== null; one = host.stack.takePacket(index)) {
    packets.push(readPacket6(one));
  }
  return packets;
}

describe('RFC 8200 §3 what is passed on', () => {
  test('one hop less, nothing else changed, and RFC 6437 §2: neither is the flow label', () => {
    const packet = udp6Packet({ src: NEAR, dst: FAR, hops: 9, flowLabel: 0x12345, payload: pattern(300) });
    expect(host.in(packet)).toBe(0);
    const left = host.stack.takePacket(far);
    const expected = packet.slice();
    expected[7] = 8;
    expect(left).toEqual(expected);
  });

  test('RFC 8200 §4 extension headers and fragments as they are', () => {
    const options = optionsHeader(60, fromHex('1e 02 00 00'));
    for (const extensions of [[options], [fragmentHeader(64, true, 7)]]) {
      const packet = udp6Packet({ src: NEAR, dst: FAR, extensions, payload: pattern(64) });
      expect(host.in(packet)).toBe(0);
      expect(host.stack.takePacket(far)?.slice(8)).toEqual(packet.slice(8));
    }
  });

  test('not by a host, and to the router’s other address it is taken', () => {
    expect(host.in(icmp6Packet({ src: NEAR, dst: '2001:db8:1::1' }))).toBe(0);
    expect(out(host.index)).toMatchObject([{ src: '2001:db8:1::1', type: 129 }]);
    host.stack.setInterface(host.index, { isForwarding: false });
    expect(host.in(udp6Packet({ src: NEAR, dst: FAR }))).toBe(DropReason.ipNotForUs);
  });

  test.each([
    ['RFC 4291 §2.5.6 a link-local destination', { src: NEAR, dst: 'fe80::9' }, DropReason.forwardProhibited],
    ['RFC 4291 §2.5.3 the loopback address', { src: NEAR, dst: '::1' }, DropReason.forwardProhibited],
    ['a group', { src: NEAR, dst: 'ff05::2' }, DropReason.ipNotForUs],
    ['RFC 4291 §2.5.2 an unspecified source', { src: '::', dst: FAR }, DropReason.ipSourceAddress],
    ['a source that is ours', { src: 'fd00::2', dst: FAR }, DropReason.ipSourceAddress],
  ])('%s is not', (_name, fields, reason) => {
    expect(host.in(udp6Packet(fields))).toBe(reason);
    expect([...out(far), ...out(host.index)]).toEqual([]);
  });
});

describe('RFC 4443 §3 what the sender is told', () => {
  test('§3.3 with a hop limit of 1: time exceeded, from the router’s address', () => {
    expect(host.in(udp6Packet({ src: NEAR, dst: FAR, hops: 1 }))).toBe(DropReason.forwardTtlExceeded);
    expect(out(host.index)).toMatchObject([{ src: 'fd00::2', dst: NEAR, type: 3, code: 0 }]);
  });

  test('§3.2 RFC 8200 §5 too big for the next link, never fragmented', () => {
    expect(host.in(udp6Packet({ src: NEAR, dst: FAR, payload: 1400 - 48 }))).toBe(0);
    expect(out(far)).toHaveLength(1);
    expect(host.in(udp6Packet({ src: NEAR, dst: FAR, payload: 1400 - 47 }))).toBe(DropReason.forwardTooBig);
    expect(out(host.index)).toMatchObject([{ type: 2, code: 0, rest: 1400 }]);
    expect(out(far)).toEqual([]);
  });

  test('§3.1 no route', () => {
    expect(host.in(udp6Packet({ src: NEAR, dst: '2001:db8:9::1' }))).toBe(DropReason.noRoute);
    expect(out(host.index)).toMatchObject([{ type: 1, code: 0, src: 'fd00::2' }]);
  });

  test('§3.1 a link-local source: beyond its scope, told if it can be reached', () => {
    host.stack.addAddress(host.index, 'fe80::2/64', { detectDuplicates: false });
    expect(host.in(udp6Packet({ src: 'fe80::1', dst: FAR }))).toBe(DropReason.forwardProhibited);
    expect(out(host.index)).toMatchObject([{ type: 1, code: 2, dst: 'fe80::1' }]);
  });

  test('§2.4(e) nothing about an error', () => {
    const error = icmp6Packet({ src: NEAR, dst: FAR, hops: 1, type: 1, payload: udp6Packet({}) });
    expect(host.in(error)).toBe(DropReason.forwardTtlExceeded);
    expect(out(host.index)).toEqual([]);
  });
});

test('super-segments are cut for a link that does not take them, checksums complete', () => {
  const packet = tcp6Packet({ src: NEAR, dst: FAR, seq: 1000, flags: 'P.', payload: pattern(3000) });
  const batch = createFrameBatch(1, packet.length);
  batch.bytes.set(packet);
  batch.count = 1;
  batch.table[FRAME_LENGTH] = packet.length;
  batch.table[FRAME_FLAGS] = FRAME_NEEDS_CSUM;
  batch.table[FRAME_GSO_TYPE] = GSO_TCPV6;
  batch.table[FRAME_GSO_SIZE] = 1300;
  batch.table[FRAME_CSUM_START] = 40;
  batch.table[FRAME_CSUM_OFFSET] = 16;
  host.stack.input(host.index, batch);
  expect(batch.table[FRAME_VERDICT]).toBe(0);
  expect(out(far)).toMatchObject([
    { seq: 1000, hops: 63 },
    { seq: 2300, hops: 63 },
    { seq: 3600, hops: 63, flags: 'P.' },
  ]);
});
