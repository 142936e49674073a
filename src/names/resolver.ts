/**
 * The stub resolver: names to records. In this order: what every host knows by itself, the hosts file, the cache, and then the
 * network, by multicast where a name belongs there and by name servers everywhere else.
 *
 * Equal questions under way are one. What was learnt goes into the cache for as long as it says (RFC 1035 §7.4, RFC 2308), a
 * failure for a few seconds (RFC 9520 §3.2), so that a name that nobody knows doesn't cost a round of servers each time.
 */

import { IpAddress } from '../base/index.ts';
import { NameOrigin } from '../port/index.ts';
import {
  answerOf,
  answerOfEntry,
  type LookupAnswer,
  type LookupOptions,
  type LookupStatus,
} from './answer.ts';
import { type EntryStatus, NameCache, type NameScope } from './cache.ts';
import { Flights } from './flights.ts';
import { Gate } from './gate.ts';
import type { HostTable } from './hosts.ts';
import { type DnsRecord, RecordType } from './message.ts';
import {
  addressOfReverse,
  foldName,
  isLocalhost,
  isNeverThere,
  isWithin,
  readTypedName,
  reverseName,
  sameName,
  type TypedName,
} from './name.ts';
import type { NameNetwork } from './network.ts';
import {
  addressAnswer,
  isAddressType,
  isLinkLocalReverse,
  pointerAnswer,
  sameAddress,
} from './own-answers.ts';
import { MAX_ALIASES, negativeTtl } from './read-answer.ts';
import { candidateNames, isSingleLabel } from './search.ts';
import {
  DEFAULT_TUNING,
  newQueryCounters,
  type QueryCounters,
  type QueryOutcome,
  type QueryTuning,
  ServerQuery,
} from './server-query.ts';
import { type NameSettings, newServer, ServerList, type ServerState } from './servers.ts';

/** Finds names on the link, by multicast. */
export interface LinkResolver {
  /** Asks once. An answer has `found`, `noData` (somebody has the name, but nothing of the type) or `noName`: nobody answered. */
  query(name: string, type: number, signal: AbortSignal): Promise<LookupAnswer>;
}

export interface ResolverOptions {
  readonly network: NameNetwork;
  readonly cache?: NameCache;
  /** What the hosts file says now. */
  readonly hosts?: () => HostTable;
  /** This host: its name, the one that it has on its links, its addresses, loopback aside. */
  readonly ownHost?: () => {
    readonly name: string;
    readonly linkName?: string | null;
    readonly addresses: readonly IpAddress[];
  };
  readonly mdns?: LinkResolver;
  readonly llmnr?: LinkResolver;
  readonly tuning?: Partial<QueryTuning>;
  /** See `search.ts`. Default false. */
  readonly appendsToMultiLabel?: boolean;
}

/** Seconds for which a failure of all servers is remembered. */
const FAILURE_TTL_SEC = 2;
const MAX_SERVER_CHAIN = 8;
/** Questions to the network at once, of all who ask; each may have several sockets open. */
const MAX_QUESTIONS = 1024;
/** Those who are asked over the network. */
const LINK_ORIGINS = NameOrigin.dns | NameOrigin.mdns | NameOrigin.llmnr;

export class Resolver {
  readonly cache: NameCache;
  readonly servers = new ServerList();
  readonly counters: QueryCounters = newQueryCounters();
  readonly #options: ResolverOptions;
  readonly #tuning: QueryTuning;
  readonly #flights = new Flights<LookupAnswer>((key) =>
    answerOf(key.split(' ')[2] ?? '', 'cancelled', 'dns'),
  );
  /** Questions that are on their way: each takes ports and memory. */
  readonly #gate = new Gate(MAX_QUESTIONS);
  #searchList: readonly string[] = [];

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#tuning = { ...DEFAULT_TUNING, ...options.tuning };
    this.cache = options.cache ?? new NameCache(options.network.scheduler);
  }

  get searchList(): readonly string[] {
    return this.#searchList;
  }

  /** Takes other servers and suffixes. Other servers may know other names: what was learnt from the old ones is forgotten. */
  configure(settings: NameSettings): void {
    this.#searchList = settings.searchList;
    this.servers.forgetCookies();
    if (!this.servers.set(settings.servers)) return;
    this.cache.flush('dns');
    this.#flights.clear();
  }

  /** Ends all lookups. */
  close(): void {
    this.#flights.abort();
  }

  /** Looks up a name as it was typed: IDNA, search list. */
  async lookup(text: string, type: number, options: LookupOptions = {}): Promise<LookupAnswer> {
    const typed = readTypedName(text, this.#options.mdns !== undefined);
    if (typed === null) return answerOf(text, 'failed', 'local');
    return this.search(
      typed,
      (name) => this.query(name, type, options),
      ({ status }) => status,
      options.origins,
    );
  }

  /**
   * Tries the full names that a typed one may stand for, until one is there. What is found first wins; then that there is no
   * data, which says that the name exists; then the first answer.
   * @param origins who will be asked, `NameOrigin` bits: without name servers a short name is one of the link
   */
  async search<T>(
    typed: TypedName,
    ask: (name: string) => Promise<T>,
    statusOf: (answer: T) => LookupStatus,
    origins: number = NameOrigin.all,
  ): Promise<T> {
    const names = this.#fullNames(typed, origins);
    let best: T | null = null;
    for (const name of names) {
      const answer = await ask(name);
      const status = statusOf(answer);
      if (status !== 'noName' && status !== 'noData') return answer;
      if (best === null || (status === 'noData' && statusOf(best) === 'noName')) best = answer;
    }
    // On the link a single label is a whole name.
    const asksLink =
      this.#options.llmnr !== undefined &&
      (origins & NameOrigin.llmnr) !== 0 &&
      isSingleLabel(typed.name) &&
      !names.includes(typed.name);
    if (asksLink && !typed.isAbsolute && (best === null || statusOf(best) === 'noName')) {
      const answer = await ask(typed.name);
      if (best === null || statusOf(answer) !== 'noName') return answer;
    }
    return best ?? ask(typed.name);
  }

  /** The names of an address. */
  reverse(address: IpAddress, options: LookupOptions = {}): Promise<LookupAnswer> {
    return this.query(reverseName(address), RecordType.PTR, options);
  }

  /** Asks for records of a full name. */
  query(name: string, type: number, options: LookupOptions = {}): Promise<LookupAnswer> {
    const { origins = NameOrigin.all } = options;
    const known = this.#knownHere(name, type, origins);
    if (known !== null) return Promise.resolve(known);
    const scope = this.#scopeOf(name, origins);
    if (options.bypassCache !== true && (origins & NameOrigin.cache) !== 0) {
      const cached = this.cache.get(scope, name, type);
      if (cached !== null) return Promise.resolve(answerOfEntry(cached));
    }
    if ((origins & NameOrigin[scope]) === 0) return Promise.resolve(answerOf(name, 'noName', 'local'));
    return this.#flights.join(`${scope} ${type} ${foldName(name)}`, options.signal, async (signal) => {
      if (!(await this.#gate.enter(signal))) return answerOf(name, 'cancelled', scope);
      try {
        return await this.#ask(scope, name, type, signal);
      } finally {
        this.#gate.leave();
      }
    });
  }

  /** Asks one server, whatever the configuration says, past the cache: what `nslookup NAME SERVER` does. */
  async queryServer(
    server: IpAddress,
    name: string,
    type: number,
    options: LookupOptions & { readonly port?: number; readonly usesStreams?: boolean } = {},
  ): Promise<LookupAnswer> {
    const { usesStreams = false, port } = options;
    const state = newServer(server, port);
    return this.#askServers([state], name, type, options.signal, { ...this.#tuning, usesStreams }, false);
  }

  /** What needs nobody else: RFC 6761, the host itself, the hosts file. */
  #knownHere(name: string, type: number, origins: number): LookupAnswer | null {
    const asksLocal = (origins & NameOrigin.local) !== 0;
    const local = asksLocal ? this.#localAddresses(name) : null;
    if (local !== null) return addressAnswer(name, type, local.addresses, 'local', name);
    const reversed = addressOfReverse(name);
    if (asksLocal && reversed?.isLoopback === true) return pointerAnswer(name, type, ['localhost'], 'local');
    const hosts = (origins & NameOrigin.hosts) !== 0 ? this.#options.hosts?.() : undefined;
    if (hosts !== undefined) {
      const names = reversed === null ? [] : hosts.namesOf(reversed);
      if (names.length > 0) return pointerAnswer(name, type, names, 'hosts');
      const entry = hosts.find(name);
      if (entry !== null && isAddressType(type))
        return addressAnswer(name, type, entry.addresses, 'hosts', entry.canonicalName);
    }
    const own = reversed === null || !asksLocal ? undefined : this.#options.ownHost?.();
    if (own !== undefined && own.name !== '' && own.addresses.some((each) => sameAddress(each, reversed)))
      return pointerAnswer(name, type, [own.name], 'local');
    return isNeverThere(name) ? answerOf(name, 'noName', 'local') : null;
  }

  #localAddresses(name: string): { readonly addresses: readonly IpAddress[] } | null {
    if (isLocalhost(name)) return { addresses: [IpAddress.loopbackV6, IpAddress.loopbackV4] };
    const own = this.#options.ownHost?.();
    if (own === undefined || name === '') return null;
    return sameName(own.name, name) || sameName(own.linkName ?? '', name) ? own : null;
  }

  /** Whether a typed name is one that is known without a suffix. */
  #isKnownHere({ name }: TypedName): boolean {
    return (
      this.#localAddresses(name) !== null || isNeverThere(name) || this.#options.hosts?.().find(name) != null
    );
  }

  /** The full names that a typed one may stand for. */
  #fullNames(typed: TypedName, origins: number): string[] {
    if (this.#isKnownHere(typed)) return [typed.name];
    const asksOnlyLink = (origins & LINK_ORIGINS) !== 0 && (origins & NameOrigin.dns) === 0;
    const onLink = asksOnlyLink && isSingleLabel(typed.name) && !typed.isAbsolute;
    if (onLink && this.#options.mdns !== undefined && (origins & NameOrigin.mdns) !== 0)
      return [`${typed.name}.local`];
    return candidateNames(typed, {
      searchList: onLink ? [] : this.#searchList,
      appendsToMultiLabel: this.#options.appendsToMultiLabel ?? false,
    });
  }

  /** Who is asked for a name, and whose part of the cache knows it. */
  #scopeOf(name: string, origins: number): NameScope {
    const { mdns, llmnr } = this.#options;
    // Without name servers the link is asked for whatever it may know.
    if (mdns !== undefined && (origins & LINK_ORIGINS) === NameOrigin.mdns) return 'mdns';
    if (mdns !== undefined && (isWithin(name, 'local') || isLinkLocalReverse(name))) return 'mdns';
    if (llmnr !== undefined && isSingleLabel(name)) return 'llmnr';
    return 'dns';
  }

  #ask(scope: NameScope, name: string, type: number, signal: AbortSignal): Promise<LookupAnswer> {
    const { mdns, llmnr } = this.#options;
    if (scope === 'mdns' && mdns !== undefined) return mdns.query(name, type, signal);
    if (scope === 'llmnr' && llmnr !== undefined) return llmnr.query(name, type, signal);
    const { network } = this.#options;
    return this.#askServers(
      this.servers.order(network.scheduler.now()),
      name,
      type,
      signal,
      this.#tuning,
      true,
    );
  }

  /** Asks servers, and again for as long as aliases lead on. */
  async #askServers(
    servers: readonly ServerState[],
    name: string,
    type: number,
    signal: AbortSignal | undefined,
    tuning: QueryTuning,
    isKept: boolean,
  ): Promise<LookupAnswer> {
    const generation = this.servers.all;
    const keep = (status: EntryStatus, answer: LookupAnswer, ttlSec?: number): LookupAnswer => {
      // What comes from servers that are no longer ours is not remembered.
      if (isKept && this.servers.all === generation) this.#keep(status, answer, type, ttlSec);
      return answer;
    };
    const chain: DnsRecord[] = [];
    let current = name;
    for (let step = 0; step < MAX_SERVER_CHAIN && chain.length <= MAX_ALIASES; step++) {
      if (servers.length === 0) break;
      const outcome = await this.#queryServers(servers, current, type, signal, tuning);
      if (outcome.kind === 'cancelled') return answerOf(name, 'cancelled', 'dns');
      if (outcome.kind !== 'answer') {
        const answer = answerOf(name, 'temporary', 'dns', {
          server: outcome.kind === 'failure' ? outcome.server.address : null,
        });
        return keep('failure', answer, FAILURE_TTL_SEC);
      }
      const { reading, server, message } = outcome;
      chain.push(...reading.records);
      current = reading.canonicalName;
      const parts: Partial<LookupAnswer> = {
        canonicalName: current,
        records: chain,
        server: server.address,
        isAuthoritative: message.isAuthoritative,
        authority: reading.authority,
      };
      if (reading.status === 'found') return keep('found', answerOf(name, 'found', 'dns', parts));
      if (reading.status === 'noData' || reading.status === 'noName') {
        const ttl = negativeTtl(reading.authority);
        return keep(reading.status, answerOf(name, reading.status, 'dns', parts), ttl);
      }
      if (chain.some((record) => sameName(record.name, current))) break;
    }
    return keep('failure', answerOf(name, 'temporary', 'dns'), servers.length === 0 ? 0 : FAILURE_TTL_SEC);
  }

  #queryServers(
    servers: readonly ServerState[],
    name: string,
    type: number,
    signal: AbortSignal | undefined,
    tuning: QueryTuning,
  ): Promise<QueryOutcome> {
    if (signal?.aborted === true) return Promise.resolve({ kind: 'cancelled' });
    const { network } = this.#options;
    return new Promise((resolve) => {
      const onAbort = (): void => query.cancel();
      const query = new ServerQuery(
        { network, servers, name, type, counters: this.counters, tuning },
        (outcome) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(outcome);
        },
      );
      signal?.addEventListener('abort', onAbort);
    });
  }

  #keep(status: EntryStatus, answer: LookupAnswer, type: number, ttlSec?: number): void {
    const { name, canonicalName, authority } = answer;
    const records = authority === null ? answer.records : [...answer.records, authority];
    this.cache.put({ scope: 'dns', name, type, status, canonicalName, records }, ttlSec);
  }
}
