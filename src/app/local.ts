/**
 * A host inside this process: a stack on links of your choice, and the sockets over it.
 *
 *     const wire = new MemorySegment({ scheduler: time });
 *     const host = createLocalHost({ scheduler: time, links: [{ link: wire.port(), addresses: ['10.0.0.1/24'] }] });
 *     const ws = host.winsock();          // a Winsock of its own; or attachTo({ local: host }) for the process's
 *
 * 127.0.0.1 is there without any link.
 */

import { hostname } from 'node:os';
import { getegid, geteuid, pid, title } from 'node:process';
import { type Afd, createAfd, EMBEDDED_POLICY, observeEndpoint } from '../afd/index.ts';
import type { Random, Scheduler } from '../base/index.ts';
import { type CatalogKeeper, catalogPort, openCatalog } from '../catalog/index.ts';
import { createHost, type HostOptions, RealTime, type RunningHost, SystemRandom } from '../engine/index.ts';
import { processExists } from '../ipc/index.ts';
import { readTypedName } from '../names/index.ts';
import { HostNames, type HostNamesOptions, takeNameEvent } from '../nameservice/index.ts';
import type { AfdPort, BehaviorProfile, CatalogPort, NamePort, PeerIdentity } from '../port/index.ts';
import { catalogDefaults } from '../spi/index.ts';
import { ConfigChange } from '../stack/index.ts';
import { createWinsock, type Winsock } from '../winsock/index.ts';
import type { LocalSockets } from './attach.ts';
import { ownApplication } from './own-application.ts';

/** What a local host is made of: see `createHost`. Its endpoints are the sockets'. */
export interface LocalHostOptions extends Omit<HostOptions, 'observer'> {
  /** Its name (default the machine's), its name servers, its hosts file, whether it asks the link. */
  readonly names?: Omit<HostNamesOptions, 'stack' | 'scheduler' | 'random'>;
  /** A folder for its provider catalog; without one it is kept in memory and ends with the host. */
  readonly catalog?: string;
  /** Whose provider catalog it has, and whose behaviour a Winsock shows that does not choose for itself; default 'windows'. */
  readonly profile?: BehaviorProfile;
}

/** A stack with its sockets. */
export interface LocalHost extends LocalSockets {
  readonly host: RunningHost;
  readonly afd: Afd;
  readonly names: HostNames;
  readonly catalog: CatalogKeeper;
  /** A session, this process's unless another identity is given. */
  openSession(identity?: PeerIdentity): AfdPort;
  /**
   * A session with its names.
   * @param mayRename it may call the host something else; default it may @param uid whose it is; default this process's user's
   */
  openNames(mayRename?: boolean, uid?: number): NamePort;
  /** The way to its catalog, which this process may change; another identity only if it is of the same user, or of root. */
  openCatalog(identity?: PeerIdentity): CatalogPort;
  /** A Winsock with a session of its own. @param profile default that of the host */
  winsock(profile?: BehaviorProfile): Winsock;
  /** Ends everything at once. */
  close(): void;
}

/** After these, other name servers may have to be asked. */
const NAME_CHANGES = ConfigChange.names | ConfigChange.interfaces | ConfigChange.addresses;

/** Makes a host of this process, and lets it live. */
export function createLocalHost(options: LocalHostOptions = {}): LocalHost {
  const scheduler: Scheduler = options.scheduler ?? new RealTime();
  const random: Random = options.random ?? new SystemRandom();
  const { profile: ownProfile = 'windows' } = options;
  let names: HostNames | null = null;
  let sockets: Afd | null = null;
  const host = createHost({
    ...options,
    scheduler,
    random,
    observer: (endpoint, events) => {
      if (!takeNameEvent(endpoint, events)) observeEndpoint(endpoint, events);
    },
    configObserver: (changes) => {
      if ((changes & NAME_CHANGES) !== 0) names?.configure();
      sockets?.configChanged(changes);
      options.configObserver?.(changes);
    },
  });
  const ownNames = new HostNames({
    hostName: readTypedName(hostname())?.name ?? 'localhost',
    ...options.names,
    stack: host.stack,
    scheduler,
    random,
  });
  names = ownNames;
  const afd = createAfd({
    stack: host.stack,
    scheduler,
    random,
    policy: { ...EMBEDDED_POLICY, processExists, profile: ownProfile },
    ...(options.allocator === undefined ? {} : { allocator: options.allocator }),
  });
  sockets = afd;
  const defaults = catalogDefaults(ownProfile);
  const keeper = openCatalog({ directory: options.catalog ?? null, defaults });
  const openCatalogOf = (identity = ownIdentity()): CatalogPort => {
    const { uid, pid: process } = identity;
    const mayWrite = uid === 0 || uid === ownIdentity().uid;
    return catalogPort(keeper, { uid, pid: process, program: title }, mayWrite);
  };
  return {
    host,
    afd,
    names: ownNames,
    openSession: (identity = ownIdentity()) => afd.openSession(identity),
    openNames: (mayRename = true, uid = ownIdentity().uid) => ownNames.openSession(mayRename, uid),
    catalog: keeper,
    openCatalog: openCatalogOf,
    winsock: (profile = ownProfile) =>
      createWinsock({
        port: afd.openSession(ownIdentity()),
        names: ownNames.openSession(true, ownIdentity().uid),
        catalogPort: openCatalogOf(),
        application: ownApplication(),
        scheduler,
        profile,
      }),
    close() {
      keeper.close();
      ownNames.close();
      afd.close();
      host.close();
    },
  };
}

/** This process; user and group are 0 where the system has none. */
function ownIdentity(): PeerIdentity {
  return { pid, uid: geteuid?.() ?? 0, gid: getegid?.() ?? 0 };
}
