/**
 * `winsockd/spi/test`: what tests of providers stand on. Two hosts in this process, joined by a wire in memory; the
 * applications of one go through the layers, installed in a catalog as an installer does it. For name spaces: `name-space-test.ts`.
 *
 *     const { own, peer, at, close } = await layeredHosts([WSPStartup]);
 *     const s = await own.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);   // through the layer
 *     await own.connect(s, at(peer.address, 80));
 *
 * or, with a server that listens at that port: `const { s, served } = await connection(80)`.
 *
 * No daemon, no rights, nothing of the machine's network or catalog.
 */

import { AF_INET, IPPROTO_TCP, SOCK_STREAM, sockaddrOf, XP1_IFS_HANDLES } from '../abi/index.ts';
import { IpAddress } from '../base/index.ts';
import { applyChange, type CatalogDefaults, type CatalogState, freshState } from '../catalog/index.ts';
import { RealTime } from '../engine/index.ts';
import { MemorySegment } from '../link/index.ts';
import {
  Catalog,
  catalogOf,
  DEFAULT_CATALOG,
  type LayerFault,
  type ProviderFailure,
  type WSPStartup,
} from '../spi/index.ts';
import { createWinsock, MAKEWORD } from '../winsock/index.ts';
import { createLocalHost } from './local.ts';
import { ownApplication } from './own-application.ts';
import { type AsyncWinsock, asyncWinsock } from './promised.ts';

export { type NamingHost, namingHost } from './name-space-test.ts';

/** A layer to be installed: its export, and whose handles it has when they are its own. */
export type TestedLayer = WSPStartup | { readonly startup: WSPStartup; readonly handles: 'system' | 'own' };

/** An application on one of the hosts: the Winsock calls in promises, started at version 2.2. */
export interface TestedApplication extends AsyncWinsock {
  /** The host's address. */
  readonly address: string;
}

export interface LayeredHosts {
  /** Through the layers. */
  readonly own: TestedApplication;
  /** Without any. */
  readonly peer: TestedApplication;
  /** What layers did that no provider may do; a test's `[]`. */
  readonly faults: readonly LayerFault[];
  /** Why layers could not be started. */
  readonly failures: readonly ProviderFailure[];
  /** A sockaddr. */
  at(address: string, port: number): Uint8Array;
  /** Connects a socket of `own` to a port of the peer. @returns it, and the socket of `peer` that serves it */
  connection(port: number): Promise<{ readonly s: number; readonly served: number }>;
  close(): Promise<void>;
}

const ADDRESSES = ['10.0.0.1', '10.0.0.2'] as const;

/**
 * @param layers lowest first
 * @throws {Error} when they cannot stand on each other: the handles of the base provider only below a layer's own (CAT-CHAIN-06)
 */
export async function layeredHosts(layers: readonly TestedLayer[]): Promise<LayeredHosts> {
  const wire = new MemorySegment({ scheduler: new RealTime() });
  const faults: LayerFault[] = [];
  const failures: ProviderFailure[] = [];
  const modules = new Map<string, WSPStartup>();
  const catalog = installed(layers, modules);
  const applications = ADDRESSES.map((address, i) => {
    const host = createLocalHost({
      links: [{ link: wire.port(), addresses: [`${address}/24`, `fd00::${i + 1}/64`] }],
    });
    const winsock = createWinsock({
      port: host.openSession(),
      names: host.openNames(),
      application: ownApplication(),
      ...(i === 0 ? { catalog, loadProvider: (path: string) => modules.get(path) ?? null } : {}),
      observer: {
        fault: (fault) => void faults.push(fault),
        failed: (failure) => void failures.push(failure),
      },
    });
    return { host, calls: { ...asyncWinsock(winsock), address } };
  });
  const [first, second] = applications;
  if (first === undefined || second === undefined) throw new Error('there are two hosts');
  const data = {
    wVersion: 0,
    wHighVersion: 0,
    iMaxSockets: 0,
    iMaxUdpDg: 0,
    szDescription: '',
    szSystemStatus: '',
  };
  for (const { calls } of applications) await calls.WSAStartup(MAKEWORD(2, 2), data);
  const [own, peer] = [first.calls, second.calls];
  const at = (address: string, port: number): Uint8Array => {
    const parsed = IpAddress.parse(address);
    if (parsed === null) throw new Error(`"${address}" is no address`);
    return sockaddrOf(parsed, port);
  };
  return {
    own,
    peer,
    faults,
    failures,
    at,
    async connection(port) {
      const name = at(peer.address, port);
      const listener = await peer.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
      await peer.bind(listener, name);
      await peer.listen(listener, 1);
      const s = await own.socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
      const [served] = await Promise.all([peer.accept(listener), own.connect(s, name)]);
      await peer.closesocket(listener);
      return { s, served };
    },
    async close() {
      for (const { calls, host } of applications) {
        await calls.WSACleanup();
        host.close();
      }
    },
  };
}

/** The default catalog with those layers over it. @param modules gets them by their paths */
function installed(layers: readonly TestedLayer[], modules: Map<string, WSPStartup>): Catalog {
  const built = new Catalog();
  const defaults: CatalogDefaults = {
    profile: 'windows',
    entries: DEFAULT_CATALOG.map((info) => ({ info, path: built.providerPath(info.ProviderId) ?? '' })),
    nameSpaces: [],
  };
  let guids = 0;
  const newGuid = (): string =>
    `A0000000-0000-0000-0000-${(++guids).toString(16).toUpperCase().padStart(12, '0')}`;
  let state: CatalogState = freshState(defaults);
  for (const [i, layer] of layers.entries()) {
    const { startup, handles } =
      typeof layer === 'function' ? { startup: layer, handles: 'system' as const } : layer;
    const path = `/layers/${i}.mjs`;
    modules.set(path, startup);
    const outcome = applyChange(
      state,
      {
        kind: 'install-chains',
        providerId: newGuid(),
        path,
        name: `layer ${i}`,
        serviceFlags: handles === 'system' ? XP1_IFS_HANDLES : 0,
        over: null,
      },
      { defaults, newGuid, earlier: () => null },
    );
    if (typeof outcome === 'number') throw new Error(`layer ${i} cannot be installed: WSA code ${outcome}`);
    state = outcome.state;
  }
  return catalogOf({ ...state, serial: layers.length, skipped: [] });
}
