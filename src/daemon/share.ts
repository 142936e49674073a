/**
 * `winsockd up --share`: applications on the stack reach the world through the host's own sockets, without any privilege.
 *
 *     stack of the applications  ── share0 ── wire in memory ── gateway stack ── the daemon's own sockets ── the host's network
 *     10.0.2.15                                                 10.0.2.2, DNS at 10.0.2.3
 *     fd10:0:2::15                                              fd10:0:2::2, DNS at fd10:0:2::3
 *
 * The gateway is a stack of its own, whose interface takes TCP and UDP to any host (`isTransparent`). It ends each connection
 * and goes on with a socket of the machine: a SYN is answered when the machine has connected, and refused when it could not. A
 * host inside has one socket outside for each of its UDP ports, whomever it sends to, and hears only those it has sent to
 * (RFC 4787: endpoint-independent mapping, address and port-dependent filtering).
 *
 * What the host alone can reach stays closed unless `shareLoopback` opens it: its loopback addresses, which the gateway's own
 * address then stands for. Link-local, multicast and reserved addresses are never reached. Echo requests to others are
 * answered with "prohibited": that needs a right that the daemon has not.
 */

import { getServers } from 'node:dns';
import { IpAddress, OFFLOAD_CSUM, OFFLOAD_TSO4, OFFLOAD_TSO6, type Scheduler } from '../base/index.ts';
import { createHost, type RunningHost } from '../engine/index.ts';
import { type Link, MemorySegment } from '../link/index.ts';
import type { ConnectionRequest, DatagramInfo, Endpoint, Stack, UdpEndpoint } from '../stack/index.ts';
import { drainDatagrams } from './relay/datagrams.ts';
import { EndpointOwner, tellOwner } from './relay/endpoint-owner.ts';
import { countFailure, type ForwardFigures, noFigures } from './relay/figures.ts';
import { FlowTable } from './relay/flow-table.ts';
import { MAX_FLOWS, type Place } from './relay/forward.ts';
import { HostConnections } from './relay/from-stack.ts';
import { ShareFlow } from './relay/share-flow.ts';

/** The applications' side of the wire, the gateway, and the name server that it stands for. */
export const SHARE_ADDRESS = '10.0.2.15/24';
export const SHARE_GATEWAY = '10.0.2.2';
export const SHARE_DNS = '10.0.2.3';
/** Likewise in IPv6: an address of its own kind (RFC 4193), so that IPv4 is tried first where a name has both (RFC 6724 §5). */
export const SHARE_ADDRESS6 = 'fd10:0:2::15/64';
export const SHARE_GATEWAY6 = 'fd10:0:2::2';
export const SHARE_DNS6 = 'fd10:0:2::3';
const ANY = [IpAddress.anyV4, IpAddress.anyV6];
const WIRE_MTU = 1500;
const DNS_PORT = 53;
const BACKLOG = 1024;

export interface ShareOptions {
  readonly scheduler: Scheduler;
  /** Whether the gateway's address leads to the host's loopback address. */
  readonly loopback: boolean;
  /** The host's name servers, best first. Default what the machine is set to. */
  readonly nameServers?: () => readonly string[];
}

export class Share extends EndpointOwner {
  /** The end of the wire for the applications' stack, which owns it once it is attached. */
  readonly link: Link;
  readonly tcp: ForwardFigures = noFigures();
  readonly udp: ForwardFigures = noFigures();
  readonly #gateway: RunningHost;
  readonly #hasLoopback: boolean;
  readonly #nameServers: () => readonly string[];
  /** One a family. */
  readonly #connections: readonly HostConnections[];
  readonly #datagrams: readonly UdpEndpoint[];
  readonly #flows: FlowTable<ShareFlow>;

  constructor({ scheduler, loopback, nameServers = getServers }: ShareOptions) {
    super();
    this.#hasLoopback = loopback;
    this.#nameServers = nameServers;
    const offload = OFFLOAD_CSUM | OFFLOAD_TSO4 | OFFLOAD_TSO6;
    const wire = new MemorySegment({ scheduler, name: 'share', mtu: WIRE_MTU, offload });
    this.link = wire.port({ name: 'share0' });
    this.#gateway = createHost({
      scheduler,
      observer: (endpoint, events) => void tellOwner(endpoint, events),
    });
    const { stack, driver } = this.#gateway;
    // Behind the applications' stack there may be a network that it routes for.
    const index = driver.attach(wire.port({ name: 'gateway' }), {
      gateway: withoutLength(SHARE_ADDRESS),
      gateway6: withoutLength(SHARE_ADDRESS6),
      addresses: [`${SHARE_GATEWAY}/24`, `${SHARE_DNS}/24`, `${SHARE_GATEWAY6}/64`, `${SHARE_DNS6}/64`],
    });
    stack.setInterface(index, { isTransparent: true });
    this.#connections = ANY.map((any) => this.#listen(stack, any));
    this.#datagrams = ANY.map((any) => this.#openUdp(stack, any));
    this.#flows = new FlowTable(scheduler, MAX_FLOWS);
  }

  /** Makes the wire an interface of the applications' host, with the way to everywhere. @returns its index */
  attach(host: { readonly stack: Stack; readonly driver: RunningHost['driver'] }): number {
    const index = host.driver.attach(this.link, {
      addresses: [SHARE_ADDRESS, SHARE_ADDRESS6],
      gateway: SHARE_GATEWAY,
      gateway6: SHARE_GATEWAY6,
    });
    const servers = [SHARE_DNS, SHARE_DNS6].flatMap((text) => IpAddress.parse(text) ?? []);
    host.stack.setNames(index, { origin: 'manual', servers, searchList: [] });
    return index;
  }

  override happened(endpoint: Endpoint): void {
    const arrivedAt = this.#datagrams.find((one) => one === endpoint);
    if (arrivedAt !== undefined) drainDatagrams(arrivedAt, (bytes, info) => this.#arrived(bytes, info));
  }

  close(): void {
    for (const connections of this.#connections) connections.close();
    this.#flows.close();
    for (const endpoint of this.#datagrams) endpoint.context = null;
    this.#gateway.close();
  }

  #listen(stack: Stack, any: IpAddress): HostConnections {
    const listener = stack.openTcp(any.family);
    listener.bind(any, 0, { allPorts: true });
    const connections = new HostConnections(listener, this.tcp, (request) => this.#placeOf(request));
    listener.listen(BACKLOG);
    return connections;
  }

  #openUdp(stack: Stack, any: IpAddress): UdpEndpoint {
    const endpoint = stack.openUdp(any.family);
    endpoint.bind(any, 0, { allPorts: true });
    endpoint.context = this;
    return endpoint;
  }

  #arrived(bytes: Uint8Array, info: Readonly<DatagramInfo>): void {
    const { source, sourcePort, destination, destinationPort = 0 } = info;
    const place = this.#place(destination, destinationPort);
    if (typeof place === 'string') {
      countFailure(this.udp, place);
      return;
    }
    const key = `${source} ${sourcePort}`;
    let flow = this.#flows.use(key);
    if (flow === null) {
      const used = (): void => void this.#flows.use(key);
      flow = new ShareFlow(this.#gateway.stack, source, sourcePort, this.udp, used);
      this.#flows.add(key, flow);
      this.udp.total++;
    }
    this.udp.active = this.#flows.size;
    flow.first(bytes, { address: destination, port: destinationPort }, place);
  }

  #placeOf({ localAddress, localPort }: ConnectionRequest): Place | string {
    return this.#place(localAddress, localPort);
  }

  /** Where the host is to send what is for `address`; a text says why nowhere. */
  #place(address: IpAddress, port: number): Place | string {
    const text = String(address);
    if (text === SHARE_GATEWAY || text === SHARE_GATEWAY6) {
      if (this.#hasLoopback) {
        return { address: address.family === 4 ? IpAddress.loopbackV4 : IpAddress.loopbackV6, port };
      }
      return `${text}:${port}: the host's own loopback address is not shared (--share-loopback)`;
    }
    if (text === SHARE_DNS || text === SHARE_DNS6) {
      const server = port === DNS_PORT ? firstAddress(this.#nameServers()) : null;
      return server ?? `${text}:${port}: only a name server answers there, and only if the host has one`;
    }
    return isReachable(address) ? { address, port } : `${text}:${port}: such addresses are not shared`;
  }
}

/** Whether others than the host itself, or hosts on a link of its, may have `address`. */
export function isReachable(address: IpAddress): boolean {
  if (address.isAny || address.isLoopback || address.isMulticast || address.zone !== 0) return false;
  if (address.family === 6) {
    // Not IPv4 in disguise.
    return !address.isLinkLocal && !(address.w0 === 0 && address.w1 === 0);
  }
  const high = address.w3 >>> 24;
  return high !== 0 && high < 224 && address.w3 >>> 16 !== 0xa9fe;
}

function withoutLength(prefix: string): string {
  return prefix.slice(0, prefix.indexOf('/'));
}

/** The first of Node's list that is an address: `1.2.3.4`, `1.2.3.4:5353`, `::1`, `[::1]:5353`. */
function firstAddress(servers: readonly string[]): Place | null {
  for (const text of servers) {
    const whole = IpAddress.parse(text);
    if (whole !== null) return { address: whole, port: DNS_PORT };
    const [, bare, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text) ?? [];
    const address = bare === undefined ? null : IpAddress.parse(bare);
    if (address !== null) return { address, port: Number(port) };
  }
  return null;
}
