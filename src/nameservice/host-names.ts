/**
 * The names of one host: its resolver over its stack, fed with what was configured and what the interfaces say, and the sessions of
 * the applications that ask it.
 */

import { WSAEINVAL, WSAENOBUFS, WSAEOPNOTSUPP } from '../abi/index.ts';
import type { IpAddress, Random, Scheduler } from '../base/index.ts';
import {
  distinctRecords,
  HostsFile,
  type HostTable,
  isHostName,
  LlmnrResolver,
  LlmnrResponder,
  MdnsResolver,
  MdnsResponder,
  mergeSettings,
  NameCache,
  type NameSettings,
  type RegisteredService,
  Resolver,
  sortAddressRecords,
} from '../names/index.ts';
import type { NamePort, OfferedService, OwnAddress, OwnHost } from '../port/index.ts';
import type { Stack } from '../stack/index.ts';
import { best, type NameLookup, type NameLookupRequest } from './lookup.ts';
import { type AskedHost, NameSession } from './name-session.ts';
import { SpaceBroker } from './space-broker.ts';
import { StackNetwork } from './stack-network.ts';

export interface HostNamesOptions {
  readonly stack: Stack;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** This host's name; default none. */
  readonly hostName?: string;
  /** Name servers and suffixes before those that the interfaces tell of. */
  readonly servers?: readonly IpAddress[];
  readonly searchList?: readonly string[];
  /** Whom of the name servers never to ask, such as a proxy of our own. */
  readonly isExcluded?: (server: IpAddress) => boolean;
  /** Path of a hosts file … */
  readonly hostsFile?: string;
  /** … or a table at once. */
  readonly hosts?: HostTable;
  /** Asks by multicast for names of the link. Default false. */
  readonly mdns?: boolean;
  readonly llmnr?: boolean;
  /** Answers by multicast for this host and for services that applications offer (RFC 6762). Default false. */
  readonly responder?: boolean;
  /** Likewise for its short name (RFC 4795). Default false. */
  readonly llmnrResponder?: boolean;
}

/** Services of all applications together. */
const MAX_OFFERED = 1024;

export class HostNames implements AskedHost {
  readonly resolver: Resolver;
  readonly cache: NameCache;
  readonly network: StackNetwork;
  readonly hostsFile: HostsFile | null;
  readonly scheduler: Scheduler;
  readonly #stack: Stack;
  readonly #own: NameSettings;
  readonly #isExcluded: (server: IpAddress) => boolean;
  readonly #sessions = new Set<NameSession>();
  /** `null` where it is not wanted, the host has no name that could be told, or the stack no groups. */
  readonly responder: MdnsResponder | null;
  readonly #spaces = new SpaceBroker();
  #offered = 0;
  #hostName: string;
  #llmnrResponder: LlmnrResponder | null;

  constructor(options: HostNamesOptions) {
    const { stack, scheduler, random, servers = [], searchList = [], hostName = '' } = options;
    this.#stack = stack;
    this.scheduler = scheduler;
    this.#hostName = hostName;
    this.#own = { servers, searchList };
    this.#isExcluded = options.isExcluded ?? (() => false);
    const file = options.hostsFile === undefined ? null : new HostsFile(options.hostsFile, scheduler);
    this.hostsFile = file;
    const table = options.hosts;
    const hosts = table === undefined ? file && ((): HostTable => file.table) : (): HostTable => table;
    const cache = new NameCache(scheduler);
    const network = new StackNetwork(stack, scheduler, random);
    this.cache = cache;
    this.network = network;
    this.resolver = new Resolver({
      network,
      cache,
      ...(options.mdns === true ? { mdns: new MdnsResolver({ network, cache }) } : {}),
      ...(options.llmnr === true ? { llmnr: new LlmnrResolver({ network, cache }) } : {}),
      ...(hosts === null ? {} : { hosts }),
      ownHost: () => ({
        name: this.#hostName,
        linkName: this.responder?.hostName ?? null,
        addresses: this.#ownAddresses().map(({ address }) => address),
      }),
    });
    const [label = ''] = hostName.split('.');
    const startIf = <T>(isWanted: boolean | undefined, start: () => T | null): T | null =>
      isWanted === true && isHostName(label) ? start() : null;
    this.responder = startIf(options.responder, () => MdnsResponder.start({ network, label }));
    this.#llmnrResponder = startIf(options.llmnrResponder, () => LlmnrResponder.start({ network, label }));
    this.configure();
  }

  /** The domain that the host is in: the first that a short name is looked for in. */
  get domain(): string {
    return this.resolver.searchList[0] ?? '';
  }

  get hostName(): string {
    return this.#hostName;
  }

  /** `null` as {@link responder} is. */
  get llmnrResponder(): LlmnrResponder | null {
    return this.#llmnrResponder;
  }

  /**
   * A session for an application.
   * @param mayRename it may call the host something else @param uid whose it is
   */
  openSession(mayRename = false, uid = 0): NamePort {
    const spaces = this.#spaces.open(uid);
    const session: NameSession = new NameSession(this, mayRename, spaces, () =>
      this.#sessions.delete(session),
    );
    this.#sessions.add(session);
    return session;
  }

  /** What the host knows of itself. */
  describe(): OwnHost {
    return { name: this.hostName, domain: this.domain, addresses: this.#ownAddresses() };
  }

  /** Reads anew what the interfaces say of name servers: called when their configuration has changed. */
  configure(): void {
    const { servers, searchList } = mergeSettings(this.#own, this.#stack.interfaces);
    this.resolver.configure({
      servers: servers.filter((address) => !this.#isExcluded(address)),
      searchList,
    });
    this.responder?.refresh();
    this.#llmnrResponder?.refresh();
  }

  /** Calls the host something else. @returns 0, or WSAEINVAL for what is no name of a host */
  rename(name: string): number {
    const [label = ''] = name.split('.');
    if (!isHostName(name)) return WSAEINVAL;
    this.#hostName = name;
    this.responder?.rename(label);
    if (this.#llmnrResponder !== null) {
      this.#llmnrResponder.close();
      this.#llmnrResponder = LlmnrResponder.start({ network: this.network, label });
    }
    return 0;
  }

  /** Offers a service on the links. @returns or the code why it can't be */
  offer(service: OfferedService): RegisteredService | number {
    const { responder } = this;
    if (responder === null) return WSAEOPNOTSUPP;
    if (this.#offered >= MAX_OFFERED) return WSAENOBUFS;
    this.#offered++;
    const offered = responder.register(service);
    let isOver = false;
    return {
      get instance() {
        return offered.instance;
      },
      established: offered.established,
      withdraw: () => {
        if (!isOver) this.#offered--;
        isOver = true;
        offered.withdraw();
      },
    };
  }

  /** Asks for all types of a name at once, under each full name that it may stand for until one is there. */
  async lookup({ typed, types, origins, ask }: NameLookupRequest): Promise<NameLookup> {
    const answers = await this.resolver.search(
      typed,
      (name) => Promise.all(types.map((type) => ask(name, type))),
      (all) => best(all).status,
      origins,
    );
    const told = answers.flatMap(({ records }) => records);
    const records = sortAddressRecords(distinctRecords(told), (addresses) =>
      this.#stack.sortDestinations(addresses),
    );
    return { best: best(answers), answers, records };
  }

  close(): void {
    for (const session of [...this.#sessions]) session.close();
    this.responder?.close();
    this.#llmnrResponder?.close();
    this.resolver.close();
  }

  #ownAddresses(): OwnAddress[] {
    return this.#stack.interfaces.flatMap((iface) =>
      iface.isLoopback || !iface.isUp
        ? []
        : iface.addresses.flatMap(({ address, state }) =>
            state === 'preferred' || state === 'deprecated' ? { address, interfaceIndex: iface.index } : [],
          ),
    );
  }
}
