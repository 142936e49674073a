/**
 * The DNS proxy of a shared connection, as Windows Mobile has it: hosts of the local network ask us, we answer with what we know
 * (our own name, the names of those hosts) and ask our servers for the rest, through the same cache as everybody.
 *
 * For strangers it does nothing: who is on no network of ours gets no answer (RFC 5358). What a client sends is read like
 * everything that comes from a network; what is answered is made anew of checked records, never passed on.
 */

import type { IpAddress } from '../base/index.ts';
import type { LookupAnswer } from './answer.ts';
import { decodeMessage, EDNS_UDP_SIZE, encodeMessage, PLAIN_UDP_SIZE } from './codec.ts';
import { type DnsMessage, type DnsRecord, type MessageParts, Rcode, RecordType } from './message.ts';
import { addressOfReverse, foldName, isWithin, sameName } from './name.ts';
import type { NameNetwork } from './network.ts';
import { RateLimit, type RateLimitOptions } from './rate-limit.ts';
import type { Resolver } from './resolver.ts';

/** A name that the proxy answers for by itself: a host of the local network. */
export interface StaticName {
  readonly name: string;
  readonly address: IpAddress;
}

export interface ProxyOptions {
  readonly network: NameNetwork;
  readonly resolver: Resolver;
  /** Hosts of the local network, as DHCP leases name them. */
  readonly names?: () => readonly StaticName[];
  /** The domain in which they are found too, besides their bare names. */
  readonly domain?: string;
  /** Also answers who is on no network of ours. Default false. */
  readonly servesStrangers?: boolean;
  readonly rate?: Partial<RateLimitOptions>;
}

/** What happened to what clients sent. */
export interface ProxyCounters {
  queries: number;
  answers: number;
  malformed: number;
  /** From who is on no network of ours. */
  strangers: number;
  /** Over the client's rate, or with too many questions open. */
  limited: number;
  truncated: number;
  /** Connections that were not taken. */
  refusedStreams: number;
}

/** Who asked, and how. */
export interface ProxyClient {
  readonly address: IpAddress;
  readonly isStream: boolean;
}

/** Seconds for which what we say ourselves may be kept: leases change. */
const OWN_TTL_SEC = 60;
const MAX_PENDING = 512;
const MAX_PENDING_PER_CLIENT = 32;
/** After this, the client has given up or asks again; ms. */
const PATIENCE_MS = 12_000;
const HINFO = 13;
/** IXFR, AXFR, MAILB, MAILA: meta-questions that a proxy has no answer to. */
const isTransfer = (type: number): boolean => type >= 251 && type <= 254;

export class DnsProxy {
  readonly counters: ProxyCounters = {
    queries: 0,
    answers: 0,
    malformed: 0,
    strangers: 0,
    limited: 0,
    truncated: 0,
    refusedStreams: 0,
  };
  readonly #options: ProxyOptions;
  readonly #limit: RateLimit;
  #pending = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#limit = new RateLimit(options.network.scheduler, {
      perSecond: 50,
      burst: 200,
      maxClients: 1024,
      ...options.rate,
    });
  }

  /** Whether anything of `client` is looked at. */
  isServed(client: IpAddress): boolean {
    const { network, servesStrangers = false } = this.#options;
    if (servesStrangers || client.isLoopback || network.isOnLink(client)) return true;
    this.counters.strangers++;
    return false;
  }

  /**
   * Answers a message of a client.
   * @param bytes borrowed until this returns, not until the promise is kept
   * @returns the answer; `null` when there is none
   */
  async answer(bytes: Uint8Array, client: ProxyClient): Promise<Uint8Array | null> {
    const { counters } = this;
    counters.queries++;
    const query = decodeMessage(bytes);
    if (query === null || query.isResponse) {
      counters.malformed++;
      return null;
    }
    if (!this.#limit.take(client.address) || !this.#enter(client.address)) {
      counters.limited++;
      return null;
    }
    try {
      const answer = this.#encode(query, await this.#answerTo(query), client);
      counters.answers++;
      return answer;
    } finally {
      this.#pending--;
      this.#limit.pending(client.address, -1);
    }
  }

  #enter(client: IpAddress): boolean {
    if (this.#pending >= MAX_PENDING) return false;
    if (this.#limit.pending(client, 1) > MAX_PENDING_PER_CLIENT) {
      this.#limit.pending(client, -1);
      return false;
    }
    this.#pending++;
    return true;
  }

  async #answerTo(query: DnsMessage): Promise<Partial<MessageParts>> {
    const [question] = query.questions;
    if (query.edns !== null && query.edns.version > 0) return { rcode: Rcode.badVers };
    if (query.opcode !== 0) return { rcode: Rcode.notImp };
    if (question === undefined || query.questions.length > 1) return { rcode: Rcode.formErr };
    const { name, type } = question;
    if (isTransfer(type)) return { rcode: Rcode.notImp };
    const own = this.#ownAnswer(name, type);
    if (own !== null) return { isAuthoritative: true, answers: own };
    // RFC 8482 §4.2: not everything that there is, which would be for attackers only.
    if (type === RecordType.ANY)
      return { answers: [{ kind: 'other', name, type: HINFO, ttl: 3600, data: RFC8482 }] };
    // Nobody asks a proxy for what it happens to have.
    if (!query.recursionDesired) return { rcode: Rcode.refused };
    return partsOf(await this.#resolve(name, type));
  }

  async #resolve(name: string, type: number): Promise<LookupAnswer> {
    const { network, resolver } = this.#options;
    const abort = new AbortController();
    const limit = network.scheduler.after(PATIENCE_MS, () => abort.abort());
    try {
      return await resolver.query(name, type, { signal: abort.signal });
    } finally {
      limit();
    }
  }

  /** What is known of the hosts of the local network; `null` when it is none of theirs. */
  #ownAnswer(name: string, type: number): DnsRecord[] | null {
    const { names, domain = '' } = this.#options;
    const all = names?.() ?? [];
    const reversed = addressOfReverse(name);
    if (reversed !== null) {
      const found = all.filter(({ address }) => address.equals(reversed));
      if (found.length === 0) return null;
      if (type !== RecordType.PTR && type !== RecordType.ANY) return [];
      return found.map((each): DnsRecord => {
        const target = domain === '' ? each.name : `${each.name}.${domain}`;
        return { kind: 'name', name, type: RecordType.PTR, ttl: OWN_TTL_SEC, target };
      });
    }
    const isInDomain = domain !== '' && isWithin(name, domain) && !sameName(name, domain);
    const bare = isInDomain ? foldName(name).slice(0, -domain.length - 1) : name;
    const found = all.filter((each) => sameName(each.name, bare));
    if (found.length === 0) return null;
    return found.flatMap(({ address }): DnsRecord[] => {
      const recordType = address.family === 4 ? RecordType.A : RecordType.AAAA;
      if (type !== recordType && type !== RecordType.ANY) return [];
      return [{ kind: 'address', name, type: recordType, ttl: OWN_TTL_SEC, address }];
    });
  }

  /** The bytes of an answer, cut to what the client takes. */
  #encode(query: DnsMessage, parts: Partial<MessageParts>, { isStream }: ProxyClient): Uint8Array | null {
    const whole: MessageParts = {
      id: query.id,
      isResponse: true,
      opcode: query.opcode,
      recursionDesired: query.recursionDesired,
      recursionAvailable: true,
      questions: query.questions,
      edns: query.edns === null ? null : { udpPayloadSize: EDNS_UDP_SIZE, version: 0 },
      ...parts,
    };
    const bytes = encodeOr(whole, Rcode.servFail);
    const most = Math.min(query.edns?.udpPayloadSize ?? PLAIN_UDP_SIZE, EDNS_UDP_SIZE);
    if (isStream || bytes.length <= most) return bytes;
    this.counters.truncated++;
    return encodeOr(
      { ...whole, answers: [], authorities: [], additionals: [], isTruncated: true },
      Rcode.servFail,
    );
  }
}

/** Writes a message, or one that says only that it can't be written: longer than any message may be. */
function encodeOr(parts: MessageParts, rcode: number): Uint8Array {
  try {
    return encodeMessage(parts);
  } catch {
    return encodeMessage({ ...parts, rcode, answers: [], authorities: [], additionals: [] });
  }
}

function partsOf({ status, records, source, authority }: LookupAnswer): Partial<MessageParts> {
  const isAuthoritative = source === 'local' || source === 'hosts';
  const authorities = authority === null ? [] : [authority];
  switch (status) {
    case 'found':
      return { isAuthoritative, answers: records };
    case 'noData':
      return { isAuthoritative, answers: records, authorities };
    case 'noName':
      return { isAuthoritative, answers: records, authorities, rcode: Rcode.nxDomain };
    default:
      return { rcode: Rcode.servFail };
  }
}

/** HINFO data: CPU `RFC8482`, no system. */
const RFC8482 = Uint8Array.from([7, ...new TextEncoder().encode('RFC8482'), 0]);
