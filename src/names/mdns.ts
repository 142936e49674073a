/**
 * Multicast DNS, asking (RFC 6762): names under `.local`, of both families.
 *
 * {@link MdnsResolver} asks once, from a port of its own: whoever has the name answers us by unicast (§5.1, §6.7), so that it works
 * on a stack that belongs to no group. `mdns-browser.ts` asks for as long as somebody wants to know.
 */

import { answerOf, type LookupAnswer } from './answer.ts';
import type { NameCache } from './cache.ts';
import {
  groupAddress,
  type LinkCounters,
  type LinkProtocol,
  LinkQuery,
  newLinkCounters,
  withZone,
} from './link-query.ts';
import { type DnsMessage, type DnsRecord, Rcode, RecordType } from './message.ts';
import { addressOfReverse, sameName } from './name.ts';
import type { NameNetwork } from './network.ts';
import type { LinkResolver } from './resolver.ts';

export const MDNS_PORT = 5353;
export const MDNS_GROUPS = [groupAddress('224.0.0.251'), groupAddress('ff02::fb')] as const;

/** §5.2: a second between the first two questions, then twice as long. */
const ONE_SHOT: LinkProtocol = { groups: MDNS_GROUPS, port: MDNS_PORT, sendAt: [0, 1000], limitMs: 3000 };
/** How long others are waited for where several may answer, and where only one does; ms. */
const SHARED_MS = 1000;
const UNIQUE_MS = 50;
const NSEC = 47;

export interface MdnsOptions {
  readonly network: NameNetwork;
  readonly cache: NameCache;
}

export class MdnsResolver implements LinkResolver {
  readonly counters: LinkCounters = newLinkCounters();
  readonly #options: MdnsOptions;

  constructor(options: MdnsOptions) {
    this.#options = options;
  }

  query(name: string, type: number, signal: AbortSignal): Promise<LookupAnswer> {
    const { network, cache } = this.#options;
    const records: DnsRecord[] = [];
    let isDenied = false;
    return new Promise((resolve) => {
      new LinkQuery({
        network,
        protocol: ONE_SHOT,
        name,
        type,
        counters: this.counters,
        signal,
        take: (message, { interfaceIndex }) => {
          const found = recordsAbout(message, name, type).map((record) => withZone(record, interfaceIndex));
          records.push(...found);
          isDenied ||= deniesType(message, name, type);
          if (found.length === 0 && !isDenied) return false;
          return isShared(name, type) ? SHARED_MS : UNIQUE_MS;
        },
        done: () => {
          if (signal.aborted) return resolve(answerOf(name, 'cancelled', 'mdns'));
          if (records.length === 0) return resolve(answerOf(name, isDenied ? 'noData' : 'noName', 'mdns'));
          cache.merge('mdns', name, type, records);
          const kept = cache.get('mdns', name, type)?.records ?? records;
          resolve(answerOf(name, 'found', 'mdns', { records: kept }));
        },
      });
    });
  }
}

/** What a response says about a name, wherever it stands in it (§6). */
export function recordsAbout(message: DnsMessage, name: string, type: number): DnsRecord[] {
  if (message.rcode !== Rcode.noError) return [];
  return [...message.answers, ...message.additionals].filter(
    (record) => sameName(record.name, name) && (record.type === type || type === RecordType.ANY),
  );
}

/** Whether a responder says by NSEC that a name of its own has nothing of a type (§6.1). */
export function deniesType(message: DnsMessage, name: string, type: number): boolean {
  if (type > 255 || type === RecordType.ANY) return false;
  return [...message.answers, ...message.additionals].some((record) => {
    if (record.type !== NSEC || record.kind !== 'other' || !sameName(record.name, name)) return false;
    const bitmap = firstBitmap(record.data);
    return bitmap !== null && ((bitmap[type >>> 3] ?? 0) & (0x80 >>> (type & 7))) === 0;
  });
}

/** The types below 256 in the data of NSEC: the next name, then window, length, bits (RFC 4034 §4.1). */
function firstBitmap(data: Uint8Array): Uint8Array | null {
  let at = 0;
  for (;;) {
    const size = data[at];
    if (size === undefined) return null;
    if (size >= 0xc0) {
      at += 2;
      break;
    }
    at += size + 1;
    if (size === 0) break;
  }
  const length = data[at + 1] ?? 0;
  if (data[at] !== 0 || length === 0 || at + 2 + length > data.length) return null;
  return data.subarray(at + 2, at + 2 + length);
}

/** Whether many hosts may have records of this name and type (§2): services are listed by all who have them. */
function isShared(name: string, type: number): boolean {
  return type === RecordType.ANY || (type === RecordType.PTR && addressOfReverse(name) === null);
}
