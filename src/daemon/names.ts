/**
 * The names room at work in the daemon: one resolver over the stack, fed with what the configuration and the interfaces say, and
 * what the control API tells of it.
 */

import { hostname } from 'node:os';
import { IpAddress, type Random, type Scheduler } from '../base/index.ts';
import {
  type CacheEntry,
  DnsProxy,
  type DnsRecord,
  displayName,
  HostsFile,
  LlmnrResolver,
  type LookupAnswer,
  MdnsResolver,
  mergeSettings,
  NameCache,
  type NameSettings,
  ProxyServer,
  parseRecordType,
  RecordType,
  Resolver,
  readTypedName,
  recordText,
  recordTypeName,
  reverseName,
  type StaticName,
  sortAddressRecords,
  winsockErrorOf,
} from '../names/index.ts';
import type { NameRecord, NamesStatus, ResolveAnswer, ResolveRequest } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import type { DaemonConfig } from './config.ts';
import { StackNetwork } from './name-network.ts';

/** What of the daemon's configuration is about names. */
export type NameConfig = Pick<
  DaemonConfig,
  'nameServers' | 'searchList' | 'hostsFile' | 'hostName' | 'mdns' | 'llmnr' | 'dnsProxy' | 'dnsNames'
>;

/** A request about names that can't be served as it is. */
export class NameRequestError extends Error {}

export class DaemonNames {
  readonly resolver: Resolver;
  readonly cache: NameCache;
  readonly hostName: string;
  readonly #stack: Stack;
  readonly #scheduler: Scheduler;
  readonly #own: NameSettings;
  readonly #hosts: HostsFile | null;
  readonly #network: StackNetwork;
  readonly #proxy: DnsProxy | null;
  /** Where the proxy is to serve, and where it does. */
  readonly #proxyAddresses: readonly IpAddress[];
  #proxyServers: ProxyServer[] = [];

  constructor(config: NameConfig, stack: Stack, scheduler: Scheduler, random: Random) {
    this.#stack = stack;
    this.#scheduler = scheduler;
    this.#own = {
      servers: addressesOf(config.nameServers),
      searchList: config.searchList,
    };
    this.#hosts = config.hostsFile === undefined ? null : new HostsFile(config.hostsFile, scheduler);
    this.hostName = config.hostName ?? readTypedName(hostname())?.name ?? '';
    const cache = new NameCache(scheduler);
    const network = new StackNetwork(stack, scheduler, random);
    this.cache = cache;
    this.#network = network;
    this.resolver = new Resolver({
      network,
      cache,
      ...(config.mdns ? { mdns: new MdnsResolver({ network, cache }) } : {}),
      ...(config.llmnr ? { llmnr: new LlmnrResolver({ network, cache }) } : {}),
      ...(this.#hosts === null ? {} : { hosts: this.#tableOf(this.#hosts) }),
      ownHost: () => ({ name: this.hostName, addresses: this.#ownAddresses() }),
    });
    this.#proxyAddresses = addressesOf(config.dnsProxy);
    this.#proxy = this.#proxyAddresses.length === 0 ? null : this.#makeProxy(config.dnsNames);
    this.configure();
  }

  /** Reads anew what the interfaces say of name servers, and which addresses there are: called when that has changed. */
  configure(): void {
    const { servers, searchList } = mergeSettings(this.#own, this.#stack.interfaces);
    // The proxy must not ask itself.
    const isOwn = (address: IpAddress): boolean => this.#proxyAddresses.some((own) => own.equals(address));
    this.resolver.configure({ servers: servers.filter((address) => !isOwn(address)), searchList });
    if (this.#proxy !== null) this.#serve(this.#proxy);
  }

  close(): void {
    for (const server of this.#proxyServers.splice(0)) server.close();
    this.resolver.close();
  }

  #makeProxy(dnsNames: readonly string[]): DnsProxy {
    const names = dnsNames.flatMap((text): StaticName[] => {
      const [name = '', addressText = ''] = text.split('=');
      const address = IpAddress.parse(addressText);
      return address === null ? [] : [{ name, address }];
    });
    const [domain] = this.#own.searchList;
    return new DnsProxy({
      network: this.#network,
      resolver: this.resolver,
      names: () => names,
      ...(domain === undefined ? {} : { domain }),
    });
  }

  /** Opens the proxy's doors on those of its addresses that the stack has, and closes the others. */
  #serve(proxy: DnsProxy): void {
    const isThere = (address: IpAddress): boolean => this.#stack.interfaceOf(address) !== 0;
    for (const server of this.#proxyServers) if (!isThere(server.address)) server.close();
    this.#proxyServers = this.#proxyServers.filter(({ address }) => isThere(address));
    for (const address of this.#proxyAddresses) {
      const isServed = this.#proxyServers.some((server) => server.address.equals(address));
      const server = isServed || !isThere(address) ? null : ProxyServer.open(proxy, this.#network, address);
      if (server !== null) this.#proxyServers.push(server);
    }
  }

  get status(): NamesStatus {
    const { servers, searchList, counters } = this.resolver;
    const now = this.#scheduler.now();
    return {
      hostName: this.hostName,
      servers: servers.all.map((server) => ({
        address: server.address.toString(),
        port: server.port,
        queries: server.queries,
        answers: server.answers,
        timeouts: server.timeouts,
        malformed: server.malformed,
        refusals: server.refusals,
        isHeldBack: server.heldUntil > now,
        rttMs: server.rttMs,
      })),
      searchList,
      hostsFile: this.#hosts?.path ?? null,
      badHostsLines: this.#hosts?.table.badLines ?? 0,
      queries: { ...counters },
      proxy:
        this.#proxy === null
          ? null
          : {
              addresses: this.#proxyServers.map(({ address }) => address.toString()),
              counters: { ...this.#proxy.counters },
            },
      cache: { entries: this.cache.size, records: this.cache.recordCount, ...this.cache.counters },
    };
  }

  /** What the cache knows. */
  cached(): ResolveAnswer[] {
    return this.cache.list().map((entry) => this.#entryView(entry));
  }

  /** @throws {NameRequestError} that names the field */
  async resolve(request: ResolveRequest, signal?: AbortSignal): Promise<ResolveAnswer> {
    const begin = this.#scheduler.now();
    const literal = IpAddress.parse(request.name);
    const types = this.#typesOf(request, literal);
    const options = signal === undefined ? {} : { signal };
    const server = this.#serverOf(request);
    const typed =
      literal === null ? readTypedName(request.name) : { name: reverseName(literal), isAbsolute: true };
    if (typed === null)
      throw new NameRequestError(`name: ${JSON.stringify(request.name)} is no name and no address`);
    const ask = (name: string, type: number): Promise<LookupAnswer> =>
      server === null
        ? this.resolver.query(name, type, options)
        : this.resolver.queryServer(server, name, type, {
            ...options,
            ...(request.port === undefined ? {} : { port: request.port }),
            usesStreams: request.tcp === true,
          });
    const answers = await this.resolver.search(
      typed,
      (name) => Promise.all(types.map((type) => ask(name, type))),
      (all) => best(all).status,
    );
    const { status, name, canonicalName, source, isAuthoritative, server: who } = best(answers);
    const told = answers.flatMap(({ records }) => records);
    // One server's answer is shown as it came.
    const records =
      server === null
        ? sortAddressRecords(told, (addresses) => this.#stack.sortDestinations(addresses))
        : told;
    return {
      status,
      error: winsockErrorOf(status),
      name,
      types: types.map(recordTypeName),
      displayName: displayName(name),
      canonicalName,
      source,
      server: (who ?? server)?.toString() ?? null,
      isAuthoritative,
      records: distinct(records.map(recordView)),
      authority:
        answers.flatMap(({ authority }) => (authority === null ? [] : recordView(authority)))[0] ?? null,
      elapsedMs: this.#scheduler.now() - begin,
    };
  }

  #typesOf({ type }: ResolveRequest, literal: IpAddress | null): number[] {
    if (type === undefined || type === 'ADDRESS')
      return literal === null ? [RecordType.AAAA, RecordType.A] : [RecordType.PTR];
    const number = parseRecordType(type);
    // Transfers, and what has a meaning only in a message's other parts.
    if (number === null || number === 0 || number === 41 || (number >= 249 && number !== RecordType.ANY))
      throw new NameRequestError(
        `type: ${JSON.stringify(type)} is no type of record, such as A, MX or TYPE65`,
      );
    return [number];
  }

  /** Whom to ask past cache and hosts file; `null`: whoever knows. */
  #serverOf({ server }: ResolveRequest): IpAddress | null {
    if (server === undefined) return null;
    if (server === 'default') {
      const [first] = this.resolver.servers.order(this.#scheduler.now());
      if (first === undefined)
        throw new NameRequestError(
          'server: no name server is known; name one, or start with --name-servers ADDRESS',
        );
      return first.address;
    }
    const address = IpAddress.parse(server);
    if (address === null)
      throw new NameRequestError(`server: ${JSON.stringify(server)} is no internet address`);
    return address;
  }

  #tableOf(file: HostsFile): () => HostsFile['table'] {
    return () => file.table;
  }

  #ownAddresses(): IpAddress[] {
    return this.#stack.interfaces.flatMap((iface) =>
      iface.isLoopback || !iface.isUp
        ? []
        : iface.addresses.flatMap(({ address, state }) =>
            state === 'preferred' || state === 'deprecated' ? address : [],
          ),
    );
  }

  #entryView(entry: CacheEntry): ResolveAnswer {
    const { name, type, canonicalName, scope } = entry;
    const status = entry.status === 'failure' ? 'temporary' : entry.status;
    const authority = status === 'found' ? undefined : entry.records.find(({ kind }) => kind === 'authority');
    return {
      status,
      error: winsockErrorOf(status),
      name,
      types: [recordTypeName(type)],
      displayName: displayName(name),
      canonicalName,
      source: scope,
      server: null,
      isAuthoritative: false,
      records: entry.records.filter((record) => record !== authority).map(recordView),
      authority: authority === undefined ? null : recordView(authority),
      elapsedMs: 0,
    };
  }
}

function addressesOf(texts: readonly string[]): IpAddress[] {
  return texts.flatMap((text) => IpAddress.parse(text) ?? []);
}

function best(answers: readonly LookupAnswer[]): LookupAnswer {
  for (const status of ['cancelled', 'found', 'temporary', 'failed', 'noData'] as const) {
    const found = answers.find((answer) => answer.status === status);
    if (found !== undefined) return found;
  }
  return answers[0] as LookupAnswer;
}

function recordView(record: DnsRecord): NameRecord {
  const { name, type, ttl } = record;
  return { name, type: recordTypeName(type), typeNumber: type, ttl, data: recordText(record) };
}

/** Aliases come with each family's answer. */
function distinct(records: readonly NameRecord[]): NameRecord[] {
  const seen = new Set<string>();
  return records.filter(({ name, type, data }) => {
    const key = `${name} ${type} ${data}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
