/**
 * Records that this host says are its own on a link (RFC 6762 §2): the unique ones, which nobody else may have, and the shared ones.
 */

import { type DnsRecord, RecordType, recordText } from '../message.ts';
import { foldName, labelsOf } from '../name.ts';
import type { NameLink } from '../network.ts';

/**
 * `probed`: unique, and nobody else may have the name; `known`: unique for another reason, as the reverse of an address is that we
 * have; `shared`: others may have such a record too.
 */
export type Ownership = 'probed' | 'known' | 'shared';

export interface OwnRecord {
  readonly record: DnsRecord;
  readonly ownership: Ownership;
  /** Equal for equal records. */
  readonly key: string;
}

/** A name of ours with all that belongs to it. */
export interface Claim {
  /** The name that is probed for. */
  readonly name: string;
  /** What is said of it on a link now. */
  records(link: NameLink): readonly OwnRecord[];
  /** Somebody else has the name: takes the next one. */
  rename(): void;
}

/** §10: records about a host live for two minutes, others for 75. */
export const HOST_TTL_SEC = 120;
export const OTHER_TTL_SEC = 4500;
const NSEC = 47;

export function ownRecord(record: DnsRecord, ownership: Ownership): OwnRecord {
  // §10.2: the flush bit is for what nobody else has.
  const told = ownership === 'shared' ? record : { ...record, flush: true };
  return { record: told, ownership, key: keyOf(record) };
}

/** Name, type and data; not TTL. */
export function keyOf(record: DnsRecord): string {
  return `${foldName(record.name)} ${record.type} ${recordText(record)}`;
}

/** What is ours on a link, each record once. */
export class OwnRecords {
  readonly #byKey = new Map<string, OwnRecord>();
  readonly #byName = new Map<string, OwnRecord[]>();

  constructor(records: readonly OwnRecord[]) {
    for (const own of records) {
      if (this.#byKey.has(own.key)) continue;
      this.#byKey.set(own.key, own);
      const name = foldName(own.record.name);
      const same = this.#byName.get(name);
      if (same === undefined) this.#byName.set(name, [own]);
      else same.push(own);
    }
  }

  get(key: string): OwnRecord | undefined {
    return this.#byKey.get(key);
  }

  /**
   * What answers a question (§6): our records of that name and type, and where the name is ours alone and has none, an NSEC record
   * that says which types there are (§6.1).
   */
  answers(name: string, type: number): readonly OwnRecord[] {
    const ofName = this.#byName.get(foldName(name));
    if (ofName === undefined) return [];
    const found = ofName.filter(({ record }) => type === RecordType.ANY || record.type === type);
    const isOurs = ofName.every(({ ownership }) => ownership !== 'shared');
    return found.length === 0 && isOurs ? [denial(name, ofName)] : found;
  }

  /**
   * What an asker is likely to ask next (§6.2, RFC 6763 §12): of a service its SRV, TXT and addresses, of an address the other
   * family's or that there is none.
   */
  additionals(answers: readonly OwnRecord[]): readonly OwnRecord[] {
    const keys = new Set(answers.map(({ key }) => key));
    const more: OwnRecord[] = [];
    const add = (name: string, type: number): void => {
      for (const own of this.answers(name, type)) {
        if (keys.has(own.key)) continue;
        keys.add(own.key);
        more.push(own);
      }
    };
    const addHost = (name: string): void => {
      add(name, RecordType.AAAA);
      add(name, RecordType.A);
    };
    for (const { record } of answers) {
      if (record.kind === 'address') addHost(record.name);
      else if (record.kind === 'service') addHost(record.target);
      else if (record.kind === 'name') {
        for (const { record: located } of this.answers(record.target, RecordType.SRV))
          if (located.kind === 'service') {
            add(record.target, RecordType.SRV);
            add(record.target, RecordType.TXT);
            addHost(located.target);
          }
      }
    }
    return more;
  }
}

function denial(name: string, ofName: readonly OwnRecord[]): OwnRecord {
  const bitmap: number[] = [];
  for (const { record } of ofName) {
    while (bitmap.length <= record.type >>> 3) bitmap.push(0);
    bitmap[record.type >>> 3] = (bitmap[record.type >>> 3] as number) | (0x80 >>> (record.type & 7));
  }
  const ttl = Math.min(...ofName.map(({ record }) => record.ttl));
  // The next name is the name itself (§6.1); types are all below 256: one window.
  const data = Uint8Array.from([...wireName(name), 0, bitmap.length, ...bitmap]);
  return ownRecord({ kind: 'other', name, type: NSEC, ttl, data }, 'known');
}

/** A name as labels (RFC 1035 §3.1). */
function wireName(name: string): number[] {
  return [...labelsOf(name).flatMap((label) => [Buffer.byteLength(label), ...Buffer.from(label)]), 0];
}
