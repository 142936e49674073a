/** DNS messages that are broken in every way: nothing throws, nothing is believed that should not be, everything is bounded. */

import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { randomBelow, SeededRandom } from '../../src/base/index.ts';
import { NameCache } from '../../src/names/cache.ts';
import { decodeMessage, encodeMessage } from '../../src/names/codec.ts';
import { HostTable } from '../../src/names/hosts.ts';
import { LlmnrResolver } from '../../src/names/llmnr.ts';
import { MdnsResolver } from '../../src/names/mdns.ts';
import {
  type DnsMessage,
  type DnsRecord,
  type MessageParts,
  RecordType,
  recordText,
} from '../../src/names/message.ts';
import { fitsWire, isWithin, readTypedName, sameName } from '../../src/names/name.ts';
import { DnsProxy } from '../../src/names/proxy.ts';
import { ProxyServer } from '../../src/names/proxy-server.ts';
import { Resolver } from '../../src/names/resolver.ts';
import {
  type Asked,
  a,
  answerTo,
  cname,
  ip,
  ns,
  ptr,
  ScriptedNetwork,
  settled,
  soa,
  txt,
} from '../unit/names/scripted-network.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20260601);
// A busy machine is slow.
jest.setTimeout(300_000);

/** A message as text. */
const told = (read: DnsMessage | null): string =>
  JSON.stringify([
    read?.questions,
    [...(read?.answers ?? []), ...(read?.authorities ?? []), ...(read?.additionals ?? [])].map((each) => [
      each.name,
      each.ttl,
      recordText(each),
    ]),
  ]);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 1);

const label = fc.stringMatching(/^[a-z0-9_-]{1,12}$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const ttl = fc.integer({ min: 0, max: 0x7fff_ffff });
const record = fc.oneof(
  fc.tuple(name, fc.ipV4(), ttl).map(([owner, address, seconds]) => a(owner, address, seconds)),
  fc.tuple(name, name, ttl).map(([owner, target, seconds]) => cname(owner, target, seconds)),
  name.map((owner) => soa(owner)),
  fc
    .tuple(name, fc.array(fc.string({ maxLength: 60 }), { minLength: 1, maxLength: 4 }))
    .map(([owner, texts]) => txt(owner, ...texts)),
  fc
    .tuple(name, fc.uint8Array({ maxLength: 40 }))
    .map(([owner, data]): DnsRecord => ({ kind: 'other', name: owner, type: 65, ttl: 9, data })),
);
const message: fc.Arbitrary<MessageParts> = fc.record({
  id: fc.nat(0xffff),
  isResponse: fc.boolean(),
  rcode: fc.nat(15),
  isTruncated: fc.boolean(),
  questions: fc.array(fc.record({ name, type: fc.nat(0xffff) }), { maxLength: 2 }),
  answers: fc.array(record, { maxLength: 8 }),
  authorities: fc.array(record, { maxLength: 3 }),
  additionals: fc.array(record, { maxLength: 3 }),
});

/** Changes some bytes, and sometimes the length. */
function damage(bytes: Uint8Array, random: SeededRandom): Uint8Array {
  const result = bytes.slice(
    0,
    randomBelow(random, 4) === 0 ? randomBelow(random, bytes.length + 1) : bytes.length,
  );
  for (let i = randomBelow(random, 6); i > 0 && result.length > 0; i--) {
    const value = [0, 0xff, 0xc0, 0x3f, 0x40, 12, randomBelow(random, 256)][randomBelow(random, 7)] ?? 0;
    result[randomBelow(random, result.length)] = value;
  }
  return result;
}

describe('the codec', () => {
  test('what is written is read back the same', () => {
    fc.assert(
      fc.property(message, (parts) => {
        const read = decodeMessage(encodeMessage(parts));
        const recordsOf = (records: readonly DnsRecord[] = []): unknown =>
          records.map((each) => [each.name, each.type, each.ttl, recordText(each)]);
        expect(read).not.toBeNull();
        expect(recordsOf(read?.answers)).toEqual(recordsOf(parts.answers));
        expect(recordsOf(read?.authorities)).toEqual(recordsOf(parts.authorities));
        expect(recordsOf(read?.additionals)).toEqual(recordsOf(parts.additionals));
        expect(read?.questions).toEqual(parts.questions);
        expect([read?.id, read?.isResponse, read?.rcode, read?.isTruncated]).toEqual([
          parts.id,
          parts.isResponse,
          parts.rcode,
          parts.isTruncated,
        ]);
      }),
      { seed: SEED, numRuns: 300 * ROUNDS },
    );
  });

  test('bytes by chance, and messages that are damaged, are read or refused; what is read can be written again', () => {
    const random = new SeededRandom(SEED);
    const whole = fc.sample(message, { seed: SEED, numRuns: 200 }).map((parts) => encodeMessage(parts));
    let readable = 0;
    for (let i = 0; i < 8_000 * ROUNDS; i++) {
      const bytes =
        i % 4 === 0
          ? Uint8Array.from({ length: randomBelow(random, 80) }, () => randomBelow(random, 256))
          : damage(whole[randomBelow(random, whole.length)] as Uint8Array, random);
      const read = decodeMessage(bytes);
      if (read === null) continue;
      readable++;
      const records = [...read.answers, ...read.authorities, ...read.additionals];
      const isBounded = records.every(
        (each) => fitsWire(each.name) && each.ttl >= 0 && each.ttl <= 0x7fff_ffff,
      );
      const again = decodeMessage(encodeMessage(read));
      const isSame = told(again) === told(read) && records.length <= 512;
      // One call of expect a message would take longer than all the rest.
      if (!isBounded || !isSame) expect([again, isBounded]).toEqual([read, true]);
    }
    expect(readable).toBeGreaterThan(1000);
  });

  test('whatever is typed, what is taken for a name fits on the wire', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), fc.webUrl(), fc.domain()),
        (text) => {
          const typed = readTypedName(text);
          if (typed === null) return;
          expect(fitsWire(typed.name)).toBe(true);
          const read = decodeMessage(encodeMessage({ questions: [{ name: typed.name, type: 1 }] }));
          expect(sameName(read?.questions[0]?.name ?? '\0', typed.name)).toBe(true);
        },
      ),
      { seed: SEED, numRuns: 2000 * ROUNDS },
    );
  });

  test('any text is a hosts file', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.tuple(fc.ipV4(), name).map((pair) => pair.join('\t')),
          ),
        ),
        (lines) => {
          const table = HostTable.parse(lines.join('\n'));
          expect(table.badLines + table.size).toBeGreaterThanOrEqual(0);
        },
      ),
      { seed: SEED, numRuns: 500 * ROUNDS },
    );
  });
});

describe('the resolver among liars', () => {
  const VICTIM = 'bank.example';
  const ASKED = ['www.example', 'a.example', 'b.example', 'c.other', 'x.local', 'short'];
  const NAMES = [...ASKED, VICTIM];

  /** Answers by chance: true, false, late, twice, malformed, cut off, never. */
  const liar =
    (random: SeededRandom) =>
    ({ message: asked, isStream, send, refuse }: Asked): void => {
      const pick = <T>(of: readonly T[]): T => of[randomBelow(random, of.length)] as T;
      const own = asked.questions[0]?.name ?? '';
      const records = (): DnsRecord[] =>
        Array.from({ length: randomBelow(random, 6) }, () => {
          const owner = pick([own, own, ...NAMES]);
          return pick<() => DnsRecord>([
            () => a(owner, `6.6.6.${randomBelow(random, 250)}`, pick([0, 1, 60, 0x7fff_ffff])),
            () => cname(owner, pick(NAMES)),
            () => ptr(owner, pick(NAMES)),
            () => ns(owner, pick(NAMES)),
            () => soa(pick(['example', 'other', own]), pick([0, 5, 100_000]), pick([0, 5, 100_000])),
          ])();
        });
      for (let i = 1 + randomBelow(random, 3); i > 0; i--) {
        const delay = pick([1, 5, 50, 900, 1500, 4000]);
        const bytes = answerTo(asked, {
          id: pick([asked.id, asked.id, asked.id, asked.id ^ 1]),
          rcode: pick([0, 0, 0, 1, 2, 3, 4, 5, 9]),
          isTruncated: pick([false, false, !isStream]),
          recursionAvailable: pick([true, false]),
          answers: records(),
          authorities: records(),
          additionals: records(),
          ...pick([{}, {}, { questions: [] }, { questions: [{ name: VICTIM, type: 1 }] }]),
        });
        const fate = randomBelow(random, 10);
        if (fate === 0) refuse();
        else if (fate === 1) send(damage(bytes, random), delay);
        else if (fate === 2) send(bytes, delay, { address: ip('203.0.113.66'), port: 53 });
        else if (fate < 9) send(bytes, delay);
      }
    };

  test('every lookup ends, nothing leaks, and only what was asked for is remembered', async () => {
    const random = new SeededRandom(SEED);
    const network = new ScriptedNetwork(SEED);
    for (const server of ['192.0.2.1', '192.0.2.2', '224.0.0.251', '224.0.0.252', '203.0.113.66'])
      network.servers.set(server, liar(random));
    const cache = new NameCache(network.scheduler, { maxEntries: 5, maxRecords: 40 });
    const options = { network, cache };
    const resolver = new Resolver({
      ...options,
      mdns: new MdnsResolver(options),
      llmnr: new LlmnrResolver(options),
    });
    resolver.configure({ servers: [ip('192.0.2.1'), ip('192.0.2.2')], searchList: ['example'] });
    const statuses = new Set<string>();
    for (let i = 0; i < 300 * ROUNDS; i++) {
      const name = ASKED[randomBelow(random, ASKED.length)] as string;
      const type = [RecordType.A, RecordType.AAAA, RecordType.PTR, RecordType.TXT, RecordType.ANY][
        randomBelow(random, 5)
      ] as number;
      const before = network.scheduler.now();
      const abort = new AbortController();
      if (randomBelow(random, 10) === 0)
        network.scheduler.after(randomBelow(random, 3000), () => abort.abort());
      const answer = await network.run(resolver.lookup(name, type, { signal: abort.signal }));
      statuses.add(answer.status);
      expect(network.scheduler.now() - before).toBeLessThan(200_000);
      // Every record lies on the way from the name that was asked for.
      let current = answer.name;
      for (const each of answer.records) {
        expect(sameName(each.name, current)).toBe(true);
        if (each.type === RecordType.CNAME && type !== RecordType.ANY && each.kind === 'name')
          current = each.target;
      }
      for (const entry of cache.list()) {
        expect(isWithin(entry.name, VICTIM)).toBe(false);
        for (const each of entry.records) expect(each.ttl).toBeLessThanOrEqual(86_400);
      }
      expect(cache.size).toBeLessThanOrEqual(5);
      if (randomBelow(random, 5) === 0) await network.pass(randomBelow(random, 20_000));
    }
    expect(network.openSockets).toBe(0);
    expect(statuses).toEqual(new Set(['found', 'noData', 'noName', 'temporary', 'cancelled']));
    await network.pass(100_000);
    expect(network.scheduler.next).toBe(Number.POSITIVE_INFINITY);
  });

  test('a proxy that is sent anything answers what can be answered, and ends', async () => {
    const random = new SeededRandom(SEED);
    const network = new ScriptedNetwork(SEED);
    network.servers.set('192.0.2.1', liar(random));
    const resolver = new Resolver({ network });
    resolver.configure({ servers: [ip('192.0.2.1')], searchList: [] });
    const proxy = new DnsProxy({ network, resolver, rate: { burst: 100, perSecond: 100, maxClients: 8 } });
    const server = ProxyServer.open(proxy, network, ip('10.0.0.1'));
    const questions = fc
      .sample(message, { seed: SEED, numRuns: 200 })
      .map((parts) => encodeMessage({ ...parts, isResponse: false, recursionDesired: true }));
    for (let i = 0; i < 3000 * ROUNDS; i++) {
      const bytes = damage(questions[randomBelow(random, questions.length)] as Uint8Array, random);
      const client = ip(`10.0.${randomBelow(random, 20)}.1`);
      if (i % 10 === 0) {
        const stream = network.connectFrom(client, ip('10.0.0.1'), 53);
        stream?.send(Uint8Array.from([bytes.length >>> 8, bytes.length & 255, ...bytes]));
        if (randomBelow(random, 2) === 0) stream?.end();
      } else {
        network.deliver(ip('10.0.0.1'), 53, client, bytes);
      }
      if (i % 50 === 0) await network.pass(randomBelow(random, 500));
    }
    await network.pass(60_000);
    await settled();
    const { queries, answers, malformed, limited } = proxy.counters;
    expect(answers).toBe(queries - malformed - limited);
    expect(answers).toBeGreaterThan(500);
    for (const { bytes, port } of network.told)
      if (port === 40_000) expect(decodeMessage(bytes)?.isResponse).toBe(true);
    expect(server?.streams).toBe(0);
    expect(network.openSockets).toBe(1);
  });
});
