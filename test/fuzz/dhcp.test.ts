/**
 * Hostile DHCP: bytes that are almost messages, for the codecs, and for clients in every state. Nothing throws, nothing is read past the
 * message, and what a server can make a host hold is bounded.
 */

import { describe, expect, test } from '@jest/globals';
import { EMPTY, fromHex, randomBelow, SeededRandom } from '../../src/base/index.ts';
import {
  DhcpV4Message,
  DhcpV6Message,
  DropReason,
  encodeAssociation,
  encodeDhcpV4,
  encodeDhcpV6,
  encodeIaAddress,
  parseAssociation,
  parseDhcpV4,
  parseDhcpV6,
  parseDomainNames,
} from '../../src/wire/index.ts';
import { type Answer, encodeAnswer } from '../support/dhcp-server.ts';
import { udpPacket } from '../support/segment.ts';
import { makeClient } from '../unit/stack/dhcp/support.ts';
import { ip, V6Rig } from '../unit/stack/dhcp/v6-support.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20261123);
/** For long runs: so many times the usual number of rounds. */
const SCALE = Number(process.env['FUZZ_SCALE'] ?? 1);

const FIELDS = {
  op: 2,
  htype: 1,
  xid: 7,
  secs: 0,
  isBroadcast: true,
  ciaddr: 0,
  yiaddr: 0x0a000032,
  siaddr: 0,
  giaddr: 0,
  chaddr: fromHex('020000000002'),
};
const V4_OPTIONS: [number, Uint8Array][] = [
  [53, Uint8Array.of(2)],
  [54, fromHex('0a000001')],
  [51, fromHex('00000e10')],
  [1, fromHex('ffffff00')],
  [3, fromHex('0a0000010a000002')],
  [119, fromHex('03656e67056170706c6503636f6d00096d61726b6574696e67c004')],
  [121, fromHex('080b0a00000218c0a8050a000003000a000004')],
  [6, new Uint8Array(300).fill(10)],
];
const LEASED = { code: 5, value: encodeIaAddress(ip('2001:db8::50'), 100, 200) };
const V6_MESSAGE = encodeDhcpV6(7, 0x123456, [
  { code: 1, value: fromHex('00030001020000000002') },
  { code: 2, value: fromHex('00030001020000000001') },
  { code: 3, value: encodeAssociation(7, 50, 80, [LEASED, { code: 13, value: fromHex('0000') }]) },
  { code: 23, value: encodeIaAddress(ip('2001:db8::53'), 0, 0).slice(0, 16) },
  { code: 24, value: fromHex('036c616e0004686f6d650461727061 00') },
  { code: 7, value: Uint8Array.of(255) },
]);

/** Changes that break parsers: bits, lengths, cuts, repetitions. */
function mutate(random: SeededRandom, bytes: Uint8Array, from: number): Uint8Array {
  const at = Math.min(bytes.length - 1, from + randomBelow(random, Math.max(1, bytes.length - from)));
  switch (randomBelow(random, 6)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << randomBelow(random, 8));
      return bytes;
    case 1:
      bytes[at] = [0, 1, 4, 52, 121, 127, 254, 255][randomBelow(random, 8)] as number;
      return bytes;
    case 2:
      return bytes.slice(0, at + 1);
    case 3:
      return joined(bytes.subarray(0, at), Uint8Array.of(random.next()), bytes.subarray(at));
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(from));
    default:
      bytes[at] = random.next();
      return bytes;
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function hostile(random: SeededRandom, original: Uint8Array, from: number): Uint8Array {
  let bytes: Uint8Array = original.slice();
  for (let changes = randomBelow(random, 6); changes >= 0; changes--) bytes = mutate(random, bytes, from);
  // Now and then the fixed part too: `file` and `sname` as options.
  if (randomBelow(random, 4) === 0 && bytes.length > 243 && from === 240)
    bytes.set([52, 1, randomBelow(random, 5)], 240);
  return bytes;
}

describe('codecs', () => {
  test('a DHCPv4 message says the same wherever it lies, and has no more options than bytes', () => {
    const random = new SeededRandom(SEED);
    const whole = encodeDhcpV4(FIELDS, V4_OPTIONS);
    const here = new DhcpV4Message();
    const there = new DhcpV4Message();
    let good = 0;
    for (let round = 0; round < 20_000 * SCALE; round++) {
      const bytes = hostile(random, whole, 240);
      const shifted = new Uint8Array(bytes.length + 40);
      shifted.fill(random.next());
      shifted.set(bytes, 17);
      const verdict = parseDhcpV4(bytes, 0, bytes.length, here);
      expect(parseDhcpV4(shifted, 17, 17 + bytes.length, there)).toBe(verdict);
      if (verdict !== DropReason.none) continue;
      good++;
      let size = 0;
      let differences = there.options.size - here.options.size;
      for (const [code, value] of here.options) {
        size += value.length + 2;
        if (Buffer.compare(value, there.options.get(code) ?? EMPTY) !== 0) differences++;
      }
      expect(differences).toBe(0);
      expect(size).toBeLessThanOrEqual(bytes.length - 240 + 128 + 64);
    }
    expect(good).toBeGreaterThan(1000 * SCALE);
  });

  test('a DHCPv6 message and what is nested in it', () => {
    const random = new SeededRandom(SEED + 1);
    const here = new DhcpV6Message();
    const there = new DhcpV6Message();
    let good = 0;
    let nested = 0;
    for (let round = 0; round < 20_000 * SCALE; round++) {
      const bytes = hostile(random, V6_MESSAGE, 0);
      const shifted = new Uint8Array(bytes.length + 40).fill(0xee);
      shifted.set(bytes, 9);
      const verdict = parseDhcpV6(bytes, 0, bytes.length, here);
      expect(parseDhcpV6(shifted, 9, 9 + bytes.length, there)).toBe(verdict);
      if (verdict !== DropReason.none) continue;
      good++;
      const size = here.options.reduce((sum, { value }) => sum + value.length + 4, 4);
      expect(size).toBe(bytes.length);
      for (const { code, value } of here.options) {
        if (code !== 3) continue;
        const association = parseAssociation(value);
        if (association !== null) nested++;
        expect((association?.addresses.length ?? 0) * 28).toBeLessThanOrEqual(value.length);
      }
    }
    expect(good).toBeGreaterThan(1000 * SCALE);
    expect(nested).toBeGreaterThan(500 * SCALE);
  });

  test('domain names are never longer than what they are made of allows', () => {
    const random = new SeededRandom(SEED + 2);
    const option = fromHex('03656e67056170706c6503636f6d00096d61726b6574696e67c004 0161c000 00');
    for (let round = 0; round < 50_000 * SCALE; round++) {
      const bytes = hostile(random, option, 0);
      for (const isCompressed of [true, false]) {
        for (const name of parseDomainNames(bytes, 0, bytes.length, isCompressed) ?? []) {
          expect(name.length).toBeLessThan(254);
          expect(name).toMatch(/^[0-9a-z_.-]+$/i);
        }
      }
    }
  });
});

describe('clients', () => {
  test('a hostile DHCPv4 server: the host holds one address at most, and never one that cannot be', () => {
    const random = new SeededRandom(SEED + 3);
    const seen = new Map<string, number>();
    for (let run = 0; run < 60 * SCALE; run++) {
      const client = makeClient();
      for (let round = 0; round < 60; round++) {
        for (const request of client.sent()) {
          const answer: Answer = {
            dst: '255.255.255.255',
            routers: ['10.0.0.1'],
            leaseSec: [60, 600, 1][randomBelow(random, 3)] as number,
            type: (['offer', 'ack', 'ack', 'nak'] as const)[randomBelow(random, 4)] as 'ack',
            options: [[121, '080b0a00000218c0a8050a000003']],
          };
          const good = encodeAnswer(
            request,
            request.type === 'discover' ? { ...answer, type: 'offer' } : answer,
          );
          const payload = randomBelow(random, 3) > 0 ? hostile(random, good, 240) : good;
          client.in(
            udpPacket({
              src: '10.0.0.1',
              dst: '255.255.255.255',
              sourcePort: 67,
              destinationPort: 68,
              payload,
            }),
          );
        }
        client.pass([10, 1000, 30_000][randomBelow(random, 3)] as number);
        if (randomBelow(random, 20) === 0) client.stack.renewDhcp(client.index);
        if (randomBelow(random, 30) === 0) client.stack.releaseDhcp(client.index);
        const { state } = client.v4;
        seen.set(state, (seen.get(state) ?? 0) + 1);
        expect(client.addresses.length).toBeLessThanOrEqual(1);
        expect(client.addresses.join()).not.toMatch(/^(0|127|22[4-9]|2[3-5]\d)\./);
        expect(client.routes.length).toBeLessThanOrEqual(129);
        if (state === 'BOUND') expect(client.addresses).toHaveLength(1);
      }
      client.stack.stopDhcp(client.index);
      // A release that was under way leaves first.
      client.pass(200);
      expect([client.addresses, client.routes]).toEqual([[], []]);
    }
    for (const state of ['SELECTING', 'REQUESTING', 'BOUND', 'INIT'])
      expect(seen.get(state)).toBeGreaterThan(10);
  });

  test('a hostile DHCPv6 server: addresses are bounded, and gone after a stop', () => {
    const random = new SeededRandom(SEED + 4);
    const seen = new Map<string, number>();
    for (let run = 0; run < 60 * SCALE; run++) {
      const rig = new V6Rig(run % 4 === 0 ? 'stateless' : 'stateful', { rapidCommit: run % 2 === 0 });
      for (let round = 0; round < 60; round++) {
        for (const { type, transactionId } of rig.sent()) {
          const good = V6_MESSAGE.slice();
          good[0] = type === 'solicit' && randomBelow(random, 4) > 0 ? 2 : 7;
          const bytes = randomBelow(random, 3) > 0 ? hostile(random, good, 4) : good;
          const message = new DhcpV6Message();
          if (parseDhcpV6(bytes, 0, bytes.length, message) !== DropReason.none) continue;
          message.transactionId = transactionId;
          rig.client.receive(message, ip('fe80::1'));
        }
        rig.pass([10, 1000, 30_000][randomBelow(random, 3)] as number);
        if (randomBelow(random, 20) === 0) rig.client.renew();
        if (randomBelow(random, 30) === 0) rig.client.release();
        if (randomBelow(random, 30) === 0) rig.client.conflict(ip('2001:db8::50'));
        seen.set(rig.state, (seen.get(rig.state) ?? 0) + 1);
        expect(rig.addresses.length).toBeLessThanOrEqual(8);
      }
      rig.client.stop();
      expect([rig.addresses, rig.names]).toEqual([[], []]);
    }
    for (const state of ['SOLICIT', 'BOUND', 'INFORMED']) expect(seen.get(state)).toBeGreaterThan(10);
  });
});
