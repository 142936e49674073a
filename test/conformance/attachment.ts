/**
 * Two hosts, 10.0.0.1 and 10.0.0.2, joined by a wire in memory, with a Winsock each. The same tests run over both ways to
 * the sockets: *embedded*, where calls are plain and time is virtual, and *over IPC*, where each host's sockets are behind a Unix
 * socket and time is real; *hosted*, where the layers above the sockets are on the other side of a Unix socket, too.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChainPort } from '../../src/app/hosted/chain-port.ts';
import { createLocalHost, type LocalHost } from '../../src/app/local.ts';
import { type Cancel, IpAddress, type Scheduler, SeededRandom } from '../../src/base/index.ts';
import type { CatalogKeeper } from '../../src/catalog/index.ts';
import { RealTime } from '../../src/engine/index.ts';
import { connectRemote, createIpcServer, type IpcServer, type RemotePort } from '../../src/ipc/index.ts';
import { PipeCodec, type StreamPlan, type StreamTables, streamLayer } from '../../src/layers/stream/index.ts';
import { trace } from '../../src/layers/trace/index.ts';
import { MemorySegment } from '../../src/link/index.ts';
import { HostTable } from '../../src/names/index.ts';
import type { BehaviorProfile, CatalogChange, NamePort, PeerIdentity } from '../../src/port/index.ts';
import { VirtualTime } from '../../src/sim/index.ts';
import { defineLayer, type WSPStartup } from '../../src/spi/index.ts';
import { createWinsock, type Winsock, type WinsockOptions } from '../../src/winsock/index.ts';
import {
  installationOf,
  type LayeredOptions,
  layeredOptions,
  passThrough,
  type TestLayer,
} from '../support/chains.ts';

export const ADDRESS_A = '10.0.0.1';
export const ADDRESS_B = '10.0.0.2';

/** A layer that keeps the bytes of every connection, and changes none. */
function keepingAll(): TestLayer {
  const tables: StreamTables = new WeakMap();
  const plan: StreamPlan = { limit: 60_000, open: async (pipe) => new PipeCodec(pipe) };
  const startup = defineLayer(
    (next, layer) =>
      streamLayer(next, layer, tables, { connect: () => plan, accept: () => plan, keepsAccepted: () => true })
        .table,
    { name: 'keeping', handles: 'own' },
  );
  return { startup, isIfs: false };
}

/** What both hosts know of names: a hosts file, and that host b is the name server, when a test makes it one. */
const NAMES = {
  servers: [IpAddress.parse(ADDRESS_B) ?? IpAddress.anyV4],
  searchList: ['example.test'],
  hosts: HostTable.parse(`
    10.0.0.7     printer.example.test printer lp
    2001:db8::7  printer.example.test printer
    192.0.2.9    only4.example.test
    2001:db8::9  only6.example.test
  `),
};

/** A way to reach the sockets of two hosts. */
export interface Attachment {
  /** Another process on host a, or on host b; of user 0 unless another is named. */
  processOn(
    host: 'a' | 'b',
    uid?: number,
    profile?: BehaviorProfile,
    more?: Partial<WinsockOptions>,
  ): Promise<Winsock>;
  /** What the hosts still hold; for tests that count. */
  readonly hosts: { readonly a: LocalHost; readonly b: LocalHost };
  /** How many layers stand over each protocol. */
  readonly layers: number;
  /**
   * Makes the catalog of host a a fresh one with the same layers installed in it. A process with `INSTALLED` has its layers from there,
   * as every installed one is.
   */
  freshCatalog(): CatalogKeeper;
  /** Finds the layers that `freshCatalog` installs; `null` for others. */
  loadProvider(path: string): WSPStartup | null;
  close(): Promise<void>;
}

/** How an attachment is made, with the name that tests show. */
export interface AttachmentKind {
  readonly name: string;
  /** Applications get handles of a layer's making, not those of the base provider. */
  readonly hasOwnHandles?: boolean;
  /** Layers that stand above each base entry already; absent: none. */
  readonly depth?: number;
  /** The files whose tests run this way in every run; absent: all. `CONFORMANCE=whole` runs the others, too. */
  readonly files?: RegExp;
  /** The only files whose tests can hold this way; absent: all. */
  readonly holds?: RegExp;
  /** The files whose tests cannot run this way. */
  readonly except?: RegExp;
  /** @param profile of both hosts; default 'windows' */
  open(profile?: BehaviorProfile): Promise<Attachment>;
}

/** For `processOn`: the catalog is the host's, not the test's. */
export const INSTALLED: Partial<WinsockOptions> = { catalog: undefined };

/** Each operation of a port at least once; all files take a minute and a half more. */
const HOSTED_FILES =
  /\/(accept|connect|data|datagram|stream|shutdown|poll-rules|readiness|overlapped|extensions|options|multicast|layers|lookup)\.test/;

/** What lists all entries in little room, or asks which handle comes next: of several layers with their own each gives back one. */
const ONE_LAYER_FILES = /\/(socket|handles|shutdown)\.test/;

/** Connections, datagrams, urgent data: what every chain has to carry. */
const CORE_FILES = /\/(connect|datagram|urgent)\.test/;
/** Where bytes go through a codec: there is no urgent byte among them, no duplicate of their socket, and no AcceptEx that is done at once. */
const KEPT_FILES =
  /\/(accept|completion-port|connect|datagram|events|messages|notifications|option-effects|options|overlapped|stream|waiting)\.test/;

export const ATTACHMENTS: readonly AttachmentKind[] = [
  { name: 'embedded', open: (profile) => openEmbedded(profile) },
  { name: 'over IPC', open: (profile) => openRemote(profile) },
  { name: 'through an IFS layer', depth: 1, open: (profile) => openEmbedded(profile, [passThrough()]) },
  {
    name: 'through a layer with its own handles',
    hasOwnHandles: true,
    depth: 1,
    open: (profile) => openEmbedded(profile, [passThrough({ handles: 'own' })]),
  },
  {
    name: 'kept by a stream layer',
    hasOwnHandles: true,
    files: /\/(connect|events|overlapped|stream)\.test/,
    holds: KEPT_FILES,
    open: (profile) => openEmbedded(profile, [keepingAll()]),
  },
  { name: 'hosted', files: HOSTED_FILES, open: (profile) => openRemote(profile, [passThrough()]) },
  {
    name: 'through the trace layer',
    depth: 1,
    files: CORE_FILES,
    open: (profile) => openEmbedded(profile, [{ startup: trace({ sink: () => {} }), isIfs: true }]),
  },
  ...[3, 4, 5, 6, 7].map((length) => ({
    name: `through a chain of ${length}`,
    hasOwnHandles: true,
    depth: length - 1,
    files: CORE_FILES,
    except: ONE_LAYER_FILES,
    open: (profile?: BehaviorProfile) => openEmbedded(profile, chainOf(length)),
  })),
];

/** Layers of both kinds, those of system handles below. @param length of the chain, with the base provider */
function chainOf(length: number): TestLayer[] {
  const ifs = (length - 1) >> 1;
  return Array.from({ length: length - 1 }, (_, i) => passThrough(i < ifs ? {} : { handles: 'own' }));
}

async function openEmbedded(
  ofHosts: BehaviorProfile = 'windows',
  layers: readonly TestLayer[] = [],
): Promise<Attachment> {
  const layered: Partial<LayeredOptions> = layers.length === 0 ? {} : layeredOptions(layers, ofHosts);
  const time = new PumpedTime();
  const hosts = joinedHosts(time, ofHosts);
  return {
    hosts,
    layers: layers.length,
    freshCatalog: () => freshCatalog(hosts.a, layers),
    loadProvider: (path) => layered.loadProvider?.(path) ?? null,
    processOn: async (host, uid = 0, profile, more) =>
      createWinsock({
        port: hosts[host].openSession(identityOf(uid)),
        names: hosts[host].openNames(uid === 0, uid),
        catalogPort: hosts[host].openCatalog(identityOf(uid)),
        scheduler: time,
        profile,
        ...layered,
        ...more,
      }),
    async close() {
      hosts.a.close();
      hosts.b.close();
      time.stop();
    },
  };
}

/** @param layers are on the other side, in a provider host of each process; absent: there is no such host */
async function openRemote(
  ofHosts: BehaviorProfile = 'windows',
  layers?: readonly TestLayer[],
): Promise<Attachment> {
  const hosts = joinedHosts(new RealTime(), ofHosts);
  const folder = await mkdtemp(join(tmpdir(), 'wsk-'));
  const servers: IpcServer[] = [];
  const ports: RemotePort[] = [];
  let identity = identityOf(0);
  for (const name of ['a', 'b'] as const) {
    const server = await createIpcServer({
      path: join(folder, name),
      profile: ofHosts,
      identify: () => identity,
      openSession: (peer) => hosts[name].openSession(peer),
      openNames: ({ uid }) => hosts[name].openNames(uid === 0, uid),
      openCatalog: (peer) => hosts[name].openCatalog(peer),
    });
    servers.push(server);
  }
  const hosted = async (port: RemotePort, over: readonly TestLayer[]): Promise<RemotePort> => {
    const path = join(folder, `host-${servers.length}`);
    const chain = new ChainPort({ port, pid: process.pid, ...layeredOptions(over, ofHosts) });
    const openNames = (): NamePort => port.names;
    servers.push(
      await createIpcServer({
        path,
        profile: ofHosts,
        identify: () => identity,
        openSession: () => chain,
        openNames,
      }),
    );
    const own = await connectRemote(path);
    ports.push(own);
    return own;
  };
  return {
    hosts,
    layers: 0,
    // What is on the other side of a provider host is not seen in an application's catalog.
    freshCatalog: () => freshCatalog(hosts.a, []),
    loadProvider: () => null,
    async processOn(host, uid = 0, profile, more) {
      identity = identityOf(uid);
      const daemon = await connectRemote(join(folder, host));
      ports.push(daemon);
      const port = layers === undefined ? daemon : await hosted(daemon, layers);
      return createWinsock({ port, names: port.names, catalogPort: daemon.catalog, profile, ...more });
    },
    async close() {
      for (const port of ports) port.close();
      for (const server of servers) await server.close();
      hosts.a.close();
      hosts.b.close();
      await rm(folder, { recursive: true });
    },
  };
}

function freshCatalog({ catalog }: LocalHost, layers: readonly TestLayer[]): CatalogKeeper {
  const who = { uid: 0, pid: 0, program: 'test' };
  const changes: CatalogChange[] = [{ kind: 'reset', what: 'all' }, ...installationOf(layers)];
  for (const change of changes) {
    const { error } = catalog.apply(change, who);
    if (error !== 0) throw new Error(`${change.kind}: ${error}`);
  }
  return catalog;
}

/** This process as a user's. */
function identityOf(uid: number): PeerIdentity {
  return { pid: process.pid, uid, gid: uid };
}

/** Both hosts on one wire. */
export function joinedHosts(
  scheduler: Scheduler,
  profile: BehaviorProfile = 'windows',
): { a: LocalHost; b: LocalHost } {
  const wire = new MemorySegment({ scheduler });
  const make = (hostName: string, address: string, seed: number): LocalHost =>
    createLocalHost({
      profile,
      scheduler,
      random: new SeededRandom(seed),
      links: [{ link: wire.port(), addresses: [`${address}/24`] }],
      names: { hostName, ...NAMES },
    });
  return { a: make('alpha', ADDRESS_A, 1), b: make('beta', ADDRESS_B, 2) };
}

/** Virtual time that goes on by itself whenever nothing else is left to do. */
export class PumpedTime implements Scheduler {
  readonly #time = new VirtualTime();
  #pump: NodeJS.Immediate | null = null;
  #isStopped = false;

  now(): number {
    return this.#time.now();
  }

  after(delay: number, task: () => void): Cancel {
    const cancel = this.#time.after(delay, task);
    this.#start();
    return cancel;
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#pump !== null) clearImmediate(this.#pump);
  }

  #start(): void {
    if (this.#pump !== null || this.#isStopped) return;
    this.#pump = setImmediate(() => {
      this.#pump = null;
      if (this.#time.step()) this.#start();
    });
  }
}
