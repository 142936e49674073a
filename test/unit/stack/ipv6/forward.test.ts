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
import { ethernetFrame } from '../../../support/segment.ts';
import {
  fragmentHeader,
  hopByHop,
  icmp6Packet,
  optionsHeader,
  type ReadPacket6,
  readPacket6,
  tcp6Packet,
  udp6Packet,
} from '../../../support/segment6.ts';
import { type HostUnderTest, ip, makeHost, pattern } from '../support.ts';

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

  test('RFC 8200 §4.3 hop-by-hop options are not looked at, whatever they ask for', () => {
    for (const type of [0x1e, 0x5e, 0xde]) {
      const packet = udp6Packet({ src: NEAR, dst: FAR, extensions: [hopByHop(type, 0)], payload: 'x' });
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
  ])('RFC 4007 §9, RFC 4291 §2.5.6 %s is not', (_name, fields, reason) => {
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

describe('RFC 4861 §8.2 redirects that the router sends', () => {
  const SENDER = 'fd10::1';
  const BEYOND = '2001:db8:5::5';
  let lan: number;

  beforeEach(() => {
    lan = host.stack.addInterface({
      name: 'lan',
      mtu: 1500,
      medium: 'ethernet',
      detectDuplicates: false,
      mac: fromHex('020000000002'),
      addresses: ['fe80::2/64', 'fd10::2/64'],
    });
    host.stack.addNeighbor(lan, ip(SENDER), fromHex('020000000001'));
    host.stack.addNeighbor(lan, ip(`fe80::7%${lan}`), fromHex('020000000007'));
    host.stack.addRoute({ destination: '2001:db8:5::/48', gateway: `fe80::7%${lan}`, interfaceIndex: lan });
    host.stack.setInterface(lan, { isForwarding: true });
    lanOut();
  });

  /** Frames of IPv6 on the link, but those of MLD and questions. */
  function lanOut(): ReadPacket6[] {
    const packets: ReadPacket6[] = [];
    for (let one = host.stack.takePacket(lan); one !== null; one = host.stack.takePacket(lan)) {
      const packet = readPacket6(one.slice(14));
      if (one[12] === 0x86 && ![135, 143].includes(packet.type ?? 0)) packets.push(packet);
    }
    return packets;
  }

  const send = (fields: object = {}): number =>
    host.stack.inputPacket(
      lan,
      ethernetFrame(
        udp6Packet({ src: SENDER, dst: BEYOND, ...fields }),
        '020000000002',
        '020000000001',
        0x86dd,
      ),
    );
  const redirects = (packets: readonly ReadPacket6[]): ReadPacket6[] =>
    packets.filter(({ type }) => type === 137);
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const words = (address: string): string => {
    const { w0, w1, w2, w3 } = ip(address);
    return [w0, w1, w2, w3].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  };

  test('§4.5 a host on the link hears of a better router: target, destination, its hardware address, the packet', () => {
    expect(send({ payload: pattern(100) })).toBe(0);
    const out = lanOut();
    const [redirect] = redirects(out);
    // From the link-local address by which hosts know their router, and from 255 hops away.
    expect(redirect).toMatchObject({ src: 'fe80::2', dst: SENDER, type: 137, code: 0, hops: 255 });
    const body = redirect?.payload ?? new Uint8Array();
    expect(text(body.slice(0, 16))).toBe(words('fe80::7'));
    expect(text(body.slice(16, 32))).toBe(words(BEYOND));
    expect(text(body.slice(32, 40))).toBe('0201020000000007');
    // 40 + 8 + 100 bytes, in whole units of eight.
    expect([body[40], body[41], body.length]).toEqual([4, 1 + 144 / 8, 48 + 144]);
    const sent = udp6Packet({ src: SENDER, dst: BEYOND, payload: pattern(100) });
    expect(body.slice(48)).toEqual(sent.slice(0, 144));
    // The packet goes on all the same.
    expect(out).toContainEqual(expect.objectContaining({ src: SENDER, dst: BEYOND, hops: 63 }));
    expect(host.stack.counters.icmpOutRedirects).toBe(1);
  });

  test('a destination on the link is its own target', () => {
    host.stack.addAddress(lan, 'fd20::2/64', { detectDuplicates: false });
    lanOut();
    send({ dst: 'fd20::9' });
    const [redirect] = redirects(lanOut());
    const body = redirect?.payload ?? new Uint8Array();
    expect([text(body.slice(0, 16)), text(body.slice(16, 32))]).toEqual([words('fd20::9'), words('fd20::9')]);
    // Its hardware address is not known yet.
    expect(body[32]).toBe(4);
  });

  test('§4.6.3 the message is no longer than 1280 bytes', () => {
    send({ payload: pattern(1400) });
    const [redirect] = redirects(lanOut());
    expect((redirect?.payload.length ?? 0) + 48).toBeLessThanOrEqual(1280);
    expect((redirect?.payload.length ?? 0) + 48).toBeGreaterThan(1272);
  });

  test.each([
    ['a sender behind another router', { src: '2001:db8:9::1' }],
    ['a packet that leaves by another interface', { dst: FAR }],
    ['a packet to a group', { dst: 'ff0e::5' }],
  ])('%s is not redirected', (_name, fields) => {
    send(fields);
    expect(redirects(lanOut())).toEqual([]);
  });

  test('nor is one to a router that is known by a global address only, nor any where that is switched off', () => {
    host.stack.addRoute({ destination: '2001:db8:6::/48', gateway: 'fd10::8', interfaceIndex: lan });
    send({ dst: '2001:db8:6::1' });
    host.stack.setInterface(lan, { sendsRedirects: false });
    send();
    expect(redirects(lanOut())).toEqual([]);
  });

  test('the rate is bounded', () => {
    for (let i = 0; i < 500; i++) send();
    expect(host.stack.counters.icmpOutRedirects).toBe(50);
    host.pass(100);
    for (let i = 0; i < 500; i++) send();
    expect(host.stack.counters.icmpOutRedirects).toBe(70);
  });

  test('§8.3 a host of ours believes it, and sends to the better router from then on', () => {
    send();
    const frames: Uint8Array[] = [];
    for (let one = host.stack.takePacket(lan); one !== null; one = host.stack.takePacket(lan))
      frames.push(one);
    const message = frames.find((frame) => frame[12] === 0x86 && frame[54] === 137);
    const other = makeHost({
      medium: 'ethernet',
      mac: fromHex('020000000001'),
      addresses: ['fe80::1/64', `${SENDER}/64`],
    });
    other.stack.addRoute({
      destination: '::/0',
      gateway: `fe80::2%${other.index}`,
      interfaceIndex: other.index,
    });
    other.outBytes();
    expect(other.in(message ?? new Uint8Array())).toBe(0);
    expect(other.stack.routes.find(({ origin }) => origin === 'redirect')).toMatchObject({
      prefixLength: 128,
    });
    expect(String(other.stack.routes.find(({ origin }) => origin === 'redirect')?.gateway)).toBe(
      `fe80::7%${other.index}`,
    );
  });
});
