/**
 * What has been learnt from the network and until when it holds. One for the daemon: every application, the DNS proxy and the
 * multicast resolvers share it.
 *
 * An entry is what is known about one type of one name: records, or that there are none (RFC 2308). Bounded in entries, records and
 * bytes; the entry that was not used for longest goes first. Entries that have run out are dropped when they are met.
 */

import type { Clock } from '../base/index.ts';
import { type DnsRecord, recordText } from './message.ts';
import { foldName, sameName } from './name.ts';

/** Where a name is looked for. What one of them says is not taken for another's. */
export type NameScope = 'dns' | 'mdns' | 'llmnr';

/** What is known of a question. `noName`: there is no such name; `noData`: nothing of this type; `failure`: nobody could say. */
export type EntryStatus = 'found' | 'noData' | 'noName' | 'failure';

export interface CacheEntry {
  readonly scope: NameScope;
  readonly name: string;
  readonly type: number;
  readonly status: EntryStatus;
  /** The name that has the records, at the end of the aliases. */
  readonly canonicalName: string;
  /** Aliases in order, then the records; TTLs are what is left of them now. For a negative answer perhaps its SOA, in the end. */
  readonly records: readonly DnsRecord[];
  /** ms of the clock. */
  readonly expiresAt: number;
}

export interface CacheOptions {
  readonly maxEntries?: number;
  readonly maxRecords?: number;
  /** About how much memory all of it may take. */
  readonly maxBytes?: number;
  /** Longest that records are kept, seconds, whatever their TTL: as Windows' MaxCacheTtl. */
  readonly maxTtlSec?: number;
  /** Longest that "there is none" is kept, seconds: as Windows' MaxNegativeCacheTtl. */
  readonly maxNegativeTtlSec?: number;
}

export interface CacheCounters {
  hits: number;
  misses: number;
  insertions: number;
  evictions: number;
  expirations: number;
}

export type NewEntry = Omit<CacheEntry, 'expiresAt'>;

interface Stored {
  readonly entry: NewEntry;
  readonly expiresAt: number;
  /** By record: when it came. */
  readonly starts: readonly number[];
  /** By record: when its own TTL runs out. */
  readonly ends: readonly number[];
  /** About how much memory it takes. */
  readonly bytes: number;
}

export class NameCache {
  readonly counters: CacheCounters = { hits: 0, misses: 0, insertions: 0, evictions: 0, expirations: 0 };
  readonly #clock: Clock;
  readonly #options: Required<CacheOptions>;
  /** The least recently used first. */
  readonly #entries = new Map<string, Stored>();
  #recordCount = 0;
  #byteCount = 0;

  constructor(clock: Clock, options: CacheOptions = {}) {
    this.#clock = clock;
    this.#options = { ...DEFAULTS, ...options };
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Records of all entries. */
  get recordCount(): number {
    return this.#recordCount;
  }

  /** About how many bytes all entries take. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** What is known of a question; `null` when nothing is, or not any more. */
  get(scope: NameScope, name: string, type: number): CacheEntry | null {
    const key = keyOf(scope, name, type);
    const stored = this.#live(key);
    if (stored === null) {
      this.counters.misses++;
      return null;
    }
    this.counters.hits++;
    this.#entries.delete(key);
    this.#entries.set(key, stored);
    return this.#view(stored);
  }

  /**
   * Remembers an answer in place of what was known. It holds for as long as its shortest record does.
   * @param ttlSec for an answer without records; nothing is kept for 0
   */
  put(entry: NewEntry, ttlSec = Number.POSITIVE_INFINITY): void {
    const { maxTtlSec, maxNegativeTtlSec } = this.#options;
    const cap = entry.status === 'found' ? maxTtlSec : maxNegativeTtlSec;
    const shortest = entry.records.reduce((least, { ttl }) => Math.min(least, ttl), ttlSec);
    const lifetime = Math.min(shortest, cap);
    if (!(lifetime > 0) || entry.records.length > this.#options.maxRecords) {
      this.remove(entry.scope, entry.name, entry.type);
      return;
    }
    const now = this.#clock.now();
    const ends = entry.records.map(({ ttl }) => now + Math.min(ttl, cap) * 1000);
    this.#store({ entry, expiresAt: now + lifetime * 1000, starts: ends.map(() => now), ends });
  }

  /**
   * Remembers records that come one by one (RFC 6762 §10): a set with `flush` replaces what is older than a second, others are
   * added, TTL 0 is a goodbye that leaves one second (§10.1).
   */
  merge(scope: NameScope, name: string, type: number, records: readonly DnsRecord[]): void {
    const now = this.#clock.now();
    const old = this.#live(keyOf(scope, name, type));
    const isFlushed = records.some(({ flush }) => flush === true);
    const kept: { readonly record: DnsRecord; readonly end: number; readonly start: number }[] = [];
    for (const [i, record] of (old?.entry.records ?? []).entries()) {
      const end = old?.ends[i] as number;
      if (end <= now || records.some((other) => isSameRecord(other, record))) continue;
      const start = old?.starts[i] as number;
      const isOutdated = isFlushed && now - start > FLUSH_GRACE_MS;
      kept.push({ record, end: isOutdated ? Math.min(end, now + FLUSH_GRACE_MS) : end, start });
    }
    for (const record of records) {
      const ttlSec = record.ttl === 0 ? 1 : Math.min(record.ttl, this.#options.maxTtlSec);
      kept.push({ record, end: now + ttlSec * 1000, start: now });
    }
    const bounded = kept.slice(-MAX_MERGED);
    if (bounded.length === 0) return;
    this.#store({
      entry: {
        scope,
        name,
        type,
        status: 'found',
        canonicalName: name,
        records: bounded.map(({ record }) => record),
      },
      starts: bounded.map(({ start }) => start),
      expiresAt: Math.max(...bounded.map(({ end }) => end)),
      ends: bounded.map(({ end }) => end),
    });
  }

  remove(scope: NameScope, name: string, type: number): void {
    this.#drop(keyOf(scope, name, type));
  }

  /** Forgets everything, or what one scope knows. @returns how many entries that were */
  flush(scope?: NameScope): number {
    const before = this.#entries.size;
    for (const [key, { entry }] of this.#entries)
      if (scope === undefined || entry.scope === scope) this.#drop(key);
    return before - this.#entries.size;
  }

  /** All that holds now, the most recently used last. */
  list(): CacheEntry[] {
    return [...this.#entries.keys()].flatMap((key) => {
      const stored = this.#live(key);
      return stored === null ? [] : this.#view(stored);
    });
  }

  #live(key: string): Stored | null {
    const stored = this.#entries.get(key);
    if (stored === undefined) return null;
    if (stored.expiresAt > this.#clock.now()) return stored;
    this.#drop(key);
    this.counters.expirations++;
    return null;
  }

  #store(fresh: Omit<Stored, 'bytes'>): void {
    const { scope, name, type, records } = fresh.entry;
    const key = keyOf(scope, name, type);
    this.#drop(key);
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), ENTRY_BYTES + 2 * name.length);
    const { maxEntries, maxRecords, maxBytes } = this.#options;
    // One answer is not worth all the others.
    if (bytes > maxBytes / LARGEST_PART) return;
    this.#entries.set(key, { ...fresh, bytes });
    this.#recordCount += records.length;
    this.#byteCount += bytes;
    this.counters.insertions++;
    while (this.#entries.size > maxEntries || this.#recordCount > maxRecords || this.#byteCount > maxBytes) {
      this.#drop(this.#entries.keys().next().value as string);
      this.counters.evictions++;
    }
  }

  #drop(key: string): void {
    const stored = this.#entries.get(key);
    if (stored === undefined) return;
    this.#entries.delete(key);
    this.#recordCount -= stored.entry.records.length;
    this.#byteCount -= stored.bytes;
  }

  #view({ entry, expiresAt, ends }: Stored): CacheEntry {
    const now = this.#clock.now();
    const records: DnsRecord[] = [];
    for (const [i, record] of entry.records.entries()) {
      const left = (ends[i] as number) - now;
      if (left > 0) records.push({ ...record, ttl: Math.ceil(left / 1000) });
    }
    return { ...entry, records, expiresAt };
  }
}

/** Whether two records say the same, their TTLs aside. */
export function isSameRecord(a: DnsRecord, b: DnsRecord): boolean {
  return a.type === b.type && sameName(a.name, b.name) && foldName(recordText(a)) === foldName(recordText(b));
}

/** About how many bytes of memory a record takes. */
function sizeOf(record: DnsRecord): number {
  return RECORD_BYTES + 2 * record.name.length + dataSize(record);
}

function dataSize(record: DnsRecord): number {
  switch (record.kind) {
    case 'name':
      return 2 * record.target.length;
    case 'service':
      return 2 * record.target.length;
    case 'mail':
      return 2 * record.exchange.length;
    case 'text':
      return record.texts.reduce((sum, text) => sum + TEXT_BYTES + text.length, 0);
    case 'authority':
      return 2 * (record.soa.mname.length + record.soa.rname.length);
    case 'other':
      return TEXT_BYTES + record.data.length;
    default:
      return 0;
  }
}

function keyOf(scope: NameScope, name: string, type: number): string {
  return `${scope} ${type} ${foldName(name)}`;
}

const DEFAULTS: Required<CacheOptions> = {
  maxEntries: 4096,
  maxRecords: 16_384,
  maxBytes: 16 * 1024 * 1024,
  maxTtlSec: 86_400,
  maxNegativeTtlSec: 900,
};

/** What objects around them cost: of an entry, a record, an array of bytes. */
const ENTRY_BYTES = 400;
const RECORD_BYTES = 200;
const TEXT_BYTES = 120;
/** An entry takes no more than this part of all. */
const LARGEST_PART = 8;
/** RFC 6762 §10.2: records of the last second belong to the set that is being announced. */
const FLUSH_GRACE_MS = 1000;
/** Most records of one type and name that are told one by one. */
const MAX_MERGED = 128;
