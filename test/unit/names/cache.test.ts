import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NameCache, type NewEntry } from '../../../src/names/cache.ts';
import { RecordType, recordText } from '../../../src/names/message.ts';
import { VirtualTime } from '../../../src/sim/virtual-time.ts';
import { a, cname, soa } from './scripted-network.ts';

const found = (name: string, ...records: NewEntry['records']): NewEntry => ({
  scope: 'dns',
  name,
  type: RecordType.A,
  status: 'found',
  canonicalName: name,
  records,
});

const none = (name: string, ...records: NewEntry['records']): NewEntry => ({
  ...found(name, ...records),
  status: 'noName',
});

const recordOf = (kind: 'text' | 'name' | 'mail' | 'service'): NewEntry['records'][number] => {
  const head = { name: 'kinds.example', type: 99, ttl: 60 };
  switch (kind) {
    case 'text':
      return { ...head, kind, texts: [new Uint8Array(9)] };
    case 'name':
      return { ...head, kind, target: 'a' };
    case 'mail':
      return { ...head, kind, preference: 1, exchange: 'a' };
    default:
      return { ...head, kind, priority: 1, weight: 1, port: 1, target: 'a' };
  }
};

function setUp(options = {}): { time: VirtualTime; cache: NameCache } {
  const time = new VirtualTime();
  return { time, cache: new NameCache(time, options) };
}

describe('the cache', () => {
  test('RFC 1035 §7.4 an answer holds for as long as its shortest record, and tells what is left', () => {
    const { time, cache } = setUp();
    cache.put(found('www.example', cname('www.example', 'a.example', 100), a('a.example', '10.0.0.1', 10)));
    time.skipTo(9_500);
    expect(cache.get('dns', 'WWW.example', 1)?.records.map(({ ttl }) => ttl)).toEqual([91, 1]);
    time.skipTo(10_000);
    expect(cache.get('dns', 'www.example', 1)).toBeNull();
    expect(cache.size).toBe(0);
    expect(cache.recordCount).toBe(0);
    expect(cache.counters).toMatchObject({ hits: 1, misses: 1, expirations: 1 });
  });

  test('memory is bounded in bytes too: large answers push out others, and the largest are not kept', () => {
    const { cache } = setUp({ maxBytes: 100_000 });
    const large = (name: string, length: number): NewEntry =>
      found(name, { kind: 'other', name, type: 65, ttl: 60, data: new Uint8Array(length) });
    cache.put(large('huge.example', 50_000));
    expect([cache.size, cache.byteCount]).toEqual([0, 0]);
    for (let n = 0; n < 100; n++) cache.put(large(`n${n}.example`, 5000));
    expect(cache.byteCount).toBeGreaterThan(50_000);
    expect(cache.byteCount).toBeLessThanOrEqual(100_000);
    expect(cache.size).toBeLessThan(20);
    expect(cache.get('dns', 'n99.example', 1)).not.toBeNull();
    expect(cache.get('dns', 'n0.example', 1)).toBeNull();
    for (const kind of ['text', 'name', 'mail', 'service'] as const)
      cache.put(found('kinds.example', recordOf(kind)));
    cache.flush();
    expect([cache.size, cache.recordCount, cache.byteCount]).toEqual([0, 0, 0]);
  });

  test('RFC 1035 §3.2.1 TTL 0 is not kept, and takes away what was', () => {
    const { cache } = setUp();
    cache.put(found('a', a('a', '10.0.0.1', 60)));
    cache.put(found('a', a('a', '10.0.0.2', 0)));
    expect(cache.get('dns', 'a', 1)).toBeNull();
  });

  test('RFC 2308 §5 a negative answer holds for as long as is said, fifteen minutes at most', () => {
    const { time, cache } = setUp();
    cache.put(none('a', soa('example', 10_000, 10_000)), 10_000);
    cache.put(none('b', soa('example', 10_000, 30)), 30);
    cache.put(none('c'), 0);
    expect(cache.get('dns', 'c', 1)).toBeNull();
    time.skipTo(30_000);
    expect(cache.get('dns', 'b', 1)).toBeNull();
    time.skipTo(899_999);
    expect(cache.get('dns', 'a', 1)?.status).toBe('noName');
    time.skipTo(900_000);
    expect(cache.get('dns', 'a', 1)).toBeNull();
  });

  test('RFC 2181 §8 nothing is kept for longer than a day', () => {
    const { time, cache } = setUp();
    cache.put(found('a', a('a', '10.0.0.1', 0x7fff_ffff)));
    time.skipTo(86_399_999);
    expect(cache.get('dns', 'a', 1)).not.toBeNull();
    time.skipTo(86_400_000);
    expect(cache.get('dns', 'a', 1)).toBeNull();
  });

  test('what was not used for longest goes first', () => {
    const { cache } = setUp({ maxEntries: 2 });
    cache.put(found('a', a('a', '10.0.0.1')));
    cache.put(found('b', a('b', '10.0.0.2')));
    cache.get('dns', 'a', 1);
    cache.put(found('c', a('c', '10.0.0.3')));
    expect(cache.list().map(({ name }) => name)).toEqual(['a', 'c']);
    expect(cache.counters.evictions).toBe(1);
  });

  test('scopes and types are apart, and flushed apart', () => {
    const { cache } = setUp();
    cache.put(found('a', a('a', '10.0.0.1')));
    cache.put({ ...found('a', a('a', '10.0.0.2')), scope: 'mdns' });
    expect(cache.get('dns', 'a', 28)).toBeNull();
    expect(cache.get('mdns', 'a', 1)?.records.map(recordText)).toEqual(['10.0.0.2']);
    expect(cache.flush('dns')).toBe(1);
    expect(cache.get('dns', 'a', 1)).toBeNull();
    expect(cache.get('mdns', 'a', 1)).not.toBeNull();
    expect(cache.flush()).toBe(1);
    expect(cache.recordCount).toBe(0);
  });
});

describe('RFC 6762 §10 records that come one by one', () => {
  const texts = (cache: NameCache): string[] | undefined =>
    cache.get('mdns', 'h.local', 1)?.records.map(recordText);

  test('RFC 6762 §10.2 without the flush bit they add up, with it they replace what is older than a second', () => {
    const { time, cache } = setUp();
    const put = (address: string, flush: boolean): void =>
      cache.merge('mdns', 'h.local', 1, [{ ...a('h.local', address, 120), flush }]);
    put('10.0.0.1', false);
    time.skipTo(500);
    put('10.0.0.2', false);
    expect(texts(cache)).toEqual(['10.0.0.1', '10.0.0.2']);
    time.skipTo(5_000);
    put('10.0.0.3', true);
    time.skipTo(5_900);
    expect(texts(cache)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    time.skipTo(6_000);
    expect(texts(cache)).toEqual(['10.0.0.3']);
  });

  test('RFC 6762 §10.1 a goodbye leaves a second', () => {
    const { time, cache } = setUp();
    cache.merge('mdns', 'h.local', 1, [a('h.local', '10.0.0.1', 120)]);
    cache.merge('mdns', 'h.local', 1, [a('h.local', '10.0.0.1', 0)]);
    expect(texts(cache)).toEqual(['10.0.0.1']);
    time.skipTo(1_000);
    expect(texts(cache)).toBeUndefined();
  });
});

test('whatever is put in, the cache keeps its bounds and gives nothing that has run out', () => {
  const name = fc.constantFrom(...'abcdefghij');
  const step = fc.oneof(
    fc.record({ kind: fc.constant('put' as const), name, ttls: fc.array(fc.nat(20), { maxLength: 6 }) }),
    fc.record({
      kind: fc.constant('merge' as const),
      name,
      ttls: fc.array(fc.nat(20), { minLength: 1, maxLength: 6 }),
    }),
    fc.record({ kind: fc.constant('get' as const), name }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(8_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { time, cache } = setUp({ maxEntries: 5, maxRecords: 12 });
      for (const each of steps) {
        if (each.kind === 'pass') time.skipTo(time.now() + each.ms);
        else if (each.kind === 'put')
          cache.put(found(each.name, ...each.ttls.map((ttl, i) => a(each.name, `10.0.0.${i}`, ttl))), 20);
        else if (each.kind === 'merge')
          cache.merge(
            'dns',
            each.name,
            1,
            each.ttls.map((ttl, i) => a(each.name, `10.0.0.${i}`, ttl)),
          );
        else {
          const entry = cache.get('dns', each.name, 1);
          if (entry !== null) {
            expect(entry.expiresAt).toBeGreaterThan(time.now());
            for (const { ttl } of entry.records) expect(ttl).toBeGreaterThan(0);
          }
        }
        expect(cache.size).toBeLessThanOrEqual(5);
        expect(cache.recordCount).toBeLessThanOrEqual(12);
      }
      const listed = cache.list();
      expect(listed).toHaveLength(cache.size);
      cache.flush();
      expect(cache.recordCount).toBe(0);
    }),
  );
});
