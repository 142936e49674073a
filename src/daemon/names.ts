/**
 * The names room at work in the daemon: one resolver over the stack, fed with what the configuration and the interfaces say, and
 * what the control API tells of it.
 */

import { hostname } from 'node:os';
import { IpAddress, type Random, type Scheduler } from '../base/index.ts';
import {
  type CacheEntry,
  DnsProxy,
  displayName,
  distinctRecords,
  type LookupAnswer,
  type NameCache,
  ProxyServer,
  parseRecordType,
  RecordType,
  type Resolver,
  readTypedName,
  recordText,
  recordTypeName,
  reverseName,
  type StaticName,
  winsockErrorOf,
} from '../names/index.ts';
import { HostNames } from '../nameservice/index.ts';
import type {
  NamePort,
  NameRecord,
  NamesStatus,
  ResolveAnswer,
  ResolveRequest,
  ResourceRecord,
} from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import type { DaemonConfig } from './config.ts';

/** What of the daemon's configuration is about names. */
export type NameConfig = Pick<
  DaemonConfig,
  | 'nameServers'
  | 'searchList'
  | 'hostsFile'
  | 'hostName'
  | 'mdns'
  | 'llmnr'
  | 'mdnsResponder'
  | 'llmnrResponder'
  | 'dnsProxy'
  | 'dnsNames'
>;

/** A request about names that can't be served as it is. */
export class NameRequestError extends Error {}

export class DaemonNames {
  readonly #host: HostNames;
  readonly #stack: Stack;
  readonly #scheduler: Scheduler;
  readonly #proxy: DnsProxy | null;
  /** Where the proxy is to serve, and where it does. */
  readonly #proxyAddresses: readonly IpAddress[];
  #proxyServers: ProxyServer[] = [];

  constructor(config: NameConfig, stack: Stack, scheduler: Scheduler, random: Random) {
    this.#stack = stack;
    this.#scheduler = scheduler;
    this.#proxyAddresses = addressesOf(config.dnsProxy);
    this.#host = new HostNames({
      stack,
      scheduler,
      random,
      servers: addressesOf(config.nameServers),
      searchList: config.searchList,
      // The proxy must not ask itself.
      isExcluded: (address) => this.#proxyAddresses.some((own) => own.equals(address)),
      ...(config.hostsFile === undefined ? {} : { hostsFile: config.hostsFile }),
      hostName: config.hostName ?? readTypedName(hostname())?.name ?? '',
      mdns: config.mdns,
      llmnr: config.llmnr,
      responder: config.mdnsResponder,
      llmnrResponder: config.llmnrResponder,
    });
    this.#proxy = this.#proxyAddresses.length === 0 ? null : this.#makeProxy(config);
    this.configure();
  }

  get resolver(): Resolver {
    return this.#host.resolver;
  }

  get cache(): NameCache {
    return this.#host.cache;
  }

  /** A session for an application. @param mayRename it may call the host something else @param uid whose it is */
  openSession(mayRename = false, uid = 0): NamePort {
    return this.#host.openSession(mayRename, uid);
  }

  /** Reads anew what the interfaces say of name servers, and which addresses there are: called when that has changed. */
  configure(): void {
    this.#host.configure();
    if (this.#proxy !== null) this.#serve(this.#proxy);
  }

  close(): void {
    for (const server of this.#proxyServers.splice(0)) server.close();
    this.#host.close();
  }

  #makeProxy({ dnsNames, searchList: [domain] }: NameConfig): DnsProxy {
    const names = dnsNames.flatMap((text): StaticName[] => {
      const [name = '', addressText = ''] = text.split('=');
      const address = IpAddress.parse(addressText);
      return address === null ? [] : [{ name, address }];
    });
    return new DnsProxy({
      network: this.#host.network,
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
      const server =
        isServed || !isThere(address) ? null : ProxyServer.open(proxy, this.#host.network, address);
      if (server !== null) this.#proxyServers.push(server);
    }
  }

  get status(): NamesStatus {
    const { servers, searchList, counters } = this.resolver;
    const { hostName, hostsFile, responder, llmnrResponder } = this.#host;
    const now = this.#scheduler.now();
    return {
      hostName,
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
      hostsFile: hostsFile?.path ?? null,
      badHostsLines: hostsFile?.table.badLines ?? 0,
      queries: { ...counters },
      proxy:
        this.#proxy === null
          ? null
          : {
              addresses: this.#proxyServers.map(({ address }) => address.toString()),
              counters: { ...this.#proxy.counters },
            },
      responder:
        responder === null
          ? null
          : { hostName: responder.hostName, links: responder.links, counters: { ...responder.counters } },
      llmnrResponder:
        llmnrResponder === null
          ? null
          : { links: llmnrResponder.links, counters: { ...llmnrResponder.counters } },
      cache: {
        entries: this.cache.size,
        records: this.cache.recordCount,
        bytes: this.cache.byteCount,
        ...this.cache.counters,
      },
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
    const looked = await this.#host.lookup({ typed, types, ask });
    const { status, name, canonicalName, source, isAuthoritative, server: who } = looked.best;
    const told = distinctRecords(looked.answers.flatMap(({ records }) => records));
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
      // One server's answer is shown as it came.
      records: (server === null ? looked.records : told).map(recordView),
      authority:
        looked.answers.flatMap(({ authority }) => (authority === null ? [] : recordView(authority)))[0] ??
        null,
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

function recordView(record: ResourceRecord): NameRecord {
  const { name, type, ttl } = record;
  return { name, type: recordTypeName(type), typeNumber: type, ttl, data: recordText(record) };
}
