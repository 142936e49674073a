/**
 * A host of ours on a TAP device that is a port of a bridge of the kernel's, in a namespace of its own. The bridge snoops, and is
 * the querier: what it knows of groups is what our reports have told it, and groups that it knows nothing of are not sent here.
 */

import { createHost, RealTime, type RunningHost } from '../../src/engine/index.ts';
import { TapLink } from '../../src/link/device/index.ts';
import { parseAddress, SimDatagramSocket } from '../../src/sim/index.ts';
import type { Endpoint, Stack } from '../../src/stack/index.ts';
import { KernelPeer } from './kernel-peer.ts';
import { KERNEL, OURS, until } from './live-host.ts';
import { createNamespace, type Namespace } from './netns.ts';

/** Addresses of IPv6: the kernel's, and ours. */
export const KERNEL6 = 'fd09::1';
export const OURS6 = 'fd09::2';
export const OURS6_LINK_LOCAL = 'fe80::9:2';
export const BRIDGE = 'br0';
export const PORT_DEVICE = 'tap0';

/** What the bridge knows of a group behind our port. */
export interface MdbEntry {
  readonly group: string;
  readonly filterMode: 'include' | 'exclude';
  readonly sources: readonly string[];
}

/** Hundredths of a second: the kernel's unit for these. */
const QUERIER = {
  mcast_query_interval: 100,
  mcast_query_response_interval: 50,
  mcast_startup_query_interval: 100,
  mcast_last_member_interval: 50,
  mcast_membership_interval: 350,
};

const listener = { settled(): void {} };

export class BridgedHost {
  readonly space: Namespace;
  readonly link: TapLink;
  readonly stack: Stack;
  /** Of the interface on the bridge. */
  readonly index: number;
  readonly #host: RunningHost;

  constructor(version: { readonly igmp: 2 | 3; readonly mld: 1 | 2 } = { igmp: 3, mld: 2 }) {
    this.space = createNamespace();
    this.link = TapLink.create({ name: PORT_DEVICE, namespace: this.space.name, mtu: 1500 });
    const settings = Object.entries(QUERIER).flatMap(([name, value]) => [name, String(value)]);
    const ip = (...args: string[]): string => this.space.exec('ip', ...args);
    const bridge = ['link', 'add', BRIDGE, 'type', 'bridge', 'mcast_snooping', '1', 'mcast_querier', '1'];
    const { igmp, mld } = version;
    ip(...bridge, 'mcast_igmp_version', String(igmp), 'mcast_mld_version', String(mld), ...settings);
    ip('link', 'set', PORT_DEVICE, 'master', BRIDGE);
    this.space.exec('bridge', 'link', 'set', 'dev', PORT_DEVICE, 'mcast_flood', 'off');
    ip('address', 'add', `${KERNEL}/24`, 'dev', BRIDGE);
    // Without it queries would wait for the bridge's address.
    this.space.exec('sysctl', '-qw', `net.ipv6.conf.${BRIDGE}.accept_dad=0`);
    ip('address', 'add', `${KERNEL6}/64`, 'dev', BRIDGE, 'nodad');
    ip('link', 'set', PORT_DEVICE, 'up');
    ip('link', 'set', BRIDGE, 'up');
    this.#host = createHost({
      scheduler: new RealTime(),
      links: [{ link: this.link, addresses: [`${OURS}/24`, `${OURS6}/64`, `${OURS6_LINK_LOCAL}/64`] }],
      observer: happened,
    });
    this.stack = this.#host.stack;
    this.index = this.stack.interfaces.find(({ isLoopback }) => !isLoopback)?.index ?? 0;
  }

  /** Waits until nobody else has our addresses (RFC 5227, RFC 4862 §5.4): before that nobody can answer for them. */
  ready(): Promise<void> {
    return until('our addresses are ours', () =>
      this.stack.interfaces.every(({ addresses }) => addresses.every(({ state }) => state === 'preferred')),
    );
  }

  /** A UDP socket on `port`. */
  udp(port = 0, address = '0.0.0.0'): SimDatagramSocket {
    const local = parseAddress(address);
    const endpoint = this.stack.openUdp(local.family);
    const result = endpoint.bind(local, port);
    if (result < 0) throw new Error(`bind: error ${result}`);
    return new SimDatagramSocket(endpoint, listener);
  }

  /** Starts group-peer.py on the bridge. */
  peer(mode: 'listen' | 'say', ...args: (string | number)[]): KernelPeer {
    return new KernelPeer(this.space, [mode, BRIDGE, ...args], 60_000, 'group-peer.py');
  }

  /** What the bridge has learned of `group` behind a port, ours or its own; `null` when nothing. */
  async mdb(group: string, port = PORT_DEVICE): Promise<MdbEntry | null> {
    const { stdout } = await this.space.run(['bridge', '-d', '-j', 'mdb', 'show', 'dev', BRIDGE]);
    const [{ mdb = [] } = {}] = JSON.parse(stdout) as { mdb?: RawEntry[] }[];
    const entry = mdb.find((each) => each.grp === group && each.port === port && each.src === undefined);
    if (entry === undefined) return null;
    return {
      group,
      filterMode: entry.filter_mode ?? 'exclude',
      sources: (entry.source_list ?? []).map(({ address }) => address).sort(),
    };
  }

  close(): void {
    this.#host.close();
    this.space.remove();
  }
}

interface RawEntry {
  readonly grp: string;
  readonly port: string;
  readonly src?: string;
  readonly filter_mode?: 'include' | 'exclude';
  readonly source_list?: readonly { readonly address: string }[];
}

function happened(endpoint: Endpoint): void {
  const { context } = endpoint;
  if (context instanceof SimDatagramSocket) context.happened();
}
