/** The mDNS responder among hosts that say anything: it answers what is its own, at a bounded rate, in bounded memory, and ends. */

import { describe, expect, jest, test } from '@jest/globals';
import { randomBelow, SeededRandom } from '../../src/base/index.ts';
import { encodeMessage } from '../../src/names/codec.ts';
import { type DnsRecord, type MessageParts, RecordType } from '../../src/names/message.ts';
import { keyOf } from '../../src/names/responder/own-record.ts';
import { MdnsResponder, type RegisteredService } from '../../src/names/responder/responder.ts';
import { GROUP_V4, GROUP_V6, LinkNetwork } from '../unit/names/link-network.ts';
import { a, ip, ptr, txt } from '../unit/names/scripted-network.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20260601);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1);
const TYPE = '_http._tcp';
const TYPES = [
  RecordType.A,
  RecordType.AAAA,
  RecordType.PTR,
  RecordType.SRV,
  RecordType.TXT,
  RecordType.ANY,
  47,
  99,
];

// A busy machine is slow.
jest.setTimeout(300_000);

describe('the responder among liars', () => {
  test(`RFC 6762 §6, §9 whatever is said (seed ${SEED}), names settle, rates hold, nothing is left`, () => {
    const random = new SeededRandom(SEED);
    const pick = <T>(of: readonly T[]): T => of[randomBelow(random, of.length)] as T;
    const network = new LinkNetwork([
      { index: 1, addresses: [ip('10.0.0.1')] },
      { index: 2, addresses: [ip('10.2.0.1'), ip('fe80::1%2')] },
    ]);
    const responder = MdnsResponder.start({ network, label: 'lab' });
    if (responder === null) throw new Error('no group');
    const services: RegisteredService[] = [];

    const names = (): string[] => [
      responder.hostName,
      'lab.local',
      'lab-2.local',
      `_http._tcp.local`,
      '_services._dns-sd._udp.local',
      '1.0.0.10.in-addr.arpa',
      ...services.map(({ instance }) => `${instance}.${TYPE}.local`),
      'other.local',
      '',
    ];
    const someRecord = (): DnsRecord => {
      const name = pick(names());
      const ttl = pick([0, 1, 59, 60, 120, 4500, 0x7fff_ffff]);
      const flush = random.next() % 2 === 0;
      const made: DnsRecord = pick<() => DnsRecord>([
        () => a(name, pick(['10.0.0.1', '10.0.0.9', '255.255.255.255', 'fe80::1', '::']), ttl),
        () => ptr(name, pick(names()), ttl),
        () => ({ ...txt(name, pick(['', 'x'])), ttl }),
        () => ({
          kind: 'service',
          name,
          type: RecordType.SRV,
          ttl,
          priority: 0,
          weight: 0,
          port: 80,
          target: pick(names()),
        }),
        () => ({ kind: 'other', name, type: 47, ttl, data: Uint8Array.of(0, 0, 1, 64) }),
      ])();
      return { ...made, flush };
    };
    const someRecords = (): DnsRecord[] => Array.from({ length: pick([0, 0, 1, 3, 40]) }, someRecord);
    const someMessage = (): MessageParts => ({
      id: pick([0, 0, random.next() & 0xffff]),
      isResponse: pick([true, false, false]),
      opcode: pick([0, 0, 0, 0, 5]),
      rcode: pick([0, 0, 0, 0, 3]),
      isTruncated: pick([false, false, true]),
      questions: Array.from({ length: pick([0, 1, 1, 2, 8]) }, () => ({
        name: pick(names()),
        type: pick(TYPES),
        wantsUnicast: pick([true, false]),
      })),
      answers: someRecords(),
      authorities: pick([[], someRecords()]),
      additionals: someRecords(),
    });

    for (let step = 0; step < 3000 * ROUNDS; step++) {
      const bytes = encodeMessage(someMessage());
      for (let n = pick([0, 0, 0, 2]); n > 0; n--) bytes[randomBelow(random, bytes.length)] = random.next();
      const overIpv6 = random.next() % 4 === 0;
      const group = overIpv6 ? GROUP_V6 : GROUP_V4;
      network.hearBytes(bytes, {
        from: pick(
          overIpv6 ? [ip('fe80::9%2'), ip('fe80::1%2')] : [ip('10.0.0.9'), ip('10.2.0.9'), ip('10.0.0.1')],
        ),
        port: pick([5353, 5353, 40_000]),
        to: pick([group, group, overIpv6 ? ip('fe80::1%2') : ip('10.0.0.1')]),
        interfaceIndex: pick([1, 2, 2, 3]),
      });
      const what = randomBelow(random, 100);
      if (what === 0 && services.length < 5)
        services.push(
          responder.register({ instance: `web${step % 3}`, type: TYPE, subtypes: [], port: 80, texts: [] }),
        );
      if (what === 1) services.splice(randomBelow(random, 5), 1)[0]?.withdraw();
      if (what === 2) {
        network.interfaces = pick([
          [{ index: 1, addresses: [ip('10.0.0.1')] }],
          [
            { index: 1, addresses: [ip('10.0.0.1'), ip('10.0.0.2')] },
            { index: 2, addresses: [ip('10.2.0.1'), ip('fe80::1%2')] },
          ],
        ]);
        responder.refresh();
      }
      network.pass(pick([0, 0, 1, 20, 300]));
      expect(network.scheduler.pending).toBeLessThan(250);
      const taken = services.map(({ instance }) => instance);
      expect(new Set(taken).size).toBe(taken.length);
    }

    // What a response to the group says is told once in a second, twice as an answer and as an announcement, or in defence.
    const told = new Map<string, number[]>();
    for (const { interfaceIndex, to, message, at, bytes } of network.sent) {
      expect(bytes.length).toBeLessThanOrEqual(1400);
      if (interfaceIndex === 0 || !message.isResponse) continue;
      for (const record of message.answers) {
        if (record.ttl === 0) continue;
        const key = `${interfaceIndex} ${to} ${keyOf(record)}`;
        const times = told.get(key);
        if (times === undefined) told.set(key, [at]);
        else times.push(at);
      }
    }
    for (const times of told.values()) {
      const span = (times.at(-1) as number) - (times[0] as number);
      expect(times.length).toBeLessThanOrEqual(4 * (span / 1000) + 8);
    }

    // Left in peace, all names are ours, on all links.
    network.pass(60_000);
    expect(responder.links.every(({ isReady }) => isReady)).toBe(true);
    expect(responder.counters.conflicts).toBeGreaterThan(10);
    expect(responder.counters.malformed).toBeGreaterThan(10);
    responder.close();
    network.pass(60_000);
    expect(network.scheduler.pending).toBe(0);
    expect(network.openSockets).toBe(0);
  });
});
