/**
 * Makes a lease the interface's configuration, and takes all of it away again.
 */

import { IpAddress } from '../../../base/index.ts';
import type { NameConfiguration, RouteOptions } from '../../api.ts';
import { contains } from '../../interface.ts';
import type { Topology } from '../../topology.ts';
import type { DhcpV4Information, DhcpV4Lease, DhcpV4Route } from '../status.ts';

/** Most routers that become default routes, the first the best. */
const MOST_ROUTERS = 4;
const FIRST_METRIC = 256;
/** Below this an MTU is not believed: IPv4 hosts take packets of 576 bytes (RFC 791 §3.1), and every header would weigh too much. */
const LEAST_MTU = 576;

const DEFAULT_ROUTE: Pick<DhcpV4Route, 'destination' | 'prefixLength'> = {
  destination: IpAddress.anyV4,
  prefixLength: 0,
};

export class V4Configuration {
  readonly #topology: Topology;
  readonly #index: number;
  #lease: DhcpV4Lease | null = null;
  #routes: readonly RouteOptions[] = [];

  constructor(topology: Topology, interfaceIndex: number) {
    this.#topology = topology;
    this.#index = interfaceIndex;
  }

  /** Puts `lease` in the place of what was applied before. What stays the same is not touched but for its lifetimes. */
  apply(lease: DhcpV4Lease): void {
    const before = this.#lease;
    if (before !== null && !isSameAddress(before, lease)) this.#removeAddress(before.address);
    this.#lease = lease;
    this.#topology.limitMtu(this.#index, lease.interfaceMtu >= LEAST_MTU ? lease.interfaceMtu : 0);
    this.#setAddress(lease);
    this.#setRoutes(routesOf(lease, this.#index));
    this.setNames(lease);
  }

  /** Servers and domains as they were told; `null`: none. */
  setNames(told: DhcpV4Information | null): void {
    const held = this.#topology.find(this.#index)?.names.find(({ origin }) => origin === 'dhcp');
    const servers = told?.dnsServers ?? [];
    const names: NameConfiguration = {
      origin: 'dhcp',
      servers,
      searchList: told === null ? [] : searchListOf(told),
    };
    if (!isSameNames(held, names)) this.#topology.setNames(this.#index, names);
  }

  /** Takes away all that was applied. Idempotent. */
  remove(): void {
    const lease = this.#lease;
    if (lease === null) return;
    this.#lease = null;
    // The interface may be gone, and everything with it.
    if (this.#topology.find(this.#index) === null) return;
    this.#setRoutes([]);
    this.setNames(null);
    this.#removeAddress(lease.address);
    this.#topology.limitMtu(this.#index, 0);
  }

  /** Others were asked before whether they have it. */
  #setAddress({ address, prefixLength, expiresAt }: DhcpV4Lease): void {
    const held = this.#topology.interface(this.#index).find(address);
    if (held?.origin === 'dhcp' && held.prefixLength === prefixLength) {
      held.validUntil = expiresAt;
      held.preferredUntil = expiresAt;
      this.#topology.addressesChanged();
      return;
    }
    const lifetimes = { validUntil: expiresAt, preferredUntil: expiresAt };
    const options = { origin: 'dhcp', ...lifetimes, detectDuplicates: false } as const;
    this.#topology.addAddress(this.#index, `${address}/${prefixLength}`, options);
  }

  #removeAddress(address: IpAddress): void {
    this.#topology.removeAddress(this.#index, address);
  }

  #setRoutes(routes: readonly RouteOptions[]): void {
    const table = this.#topology.routes;
    for (const old of this.#routes) {
      if (!routes.some((route) => isSameRoute(route, old))) table.remove(old);
    }
    const iface = this.#topology.find(this.#index);
    for (const route of routes) {
      // A table that is full stays as it is.
      if (iface !== null && !this.#routes.some((old) => isSameRoute(route, old))) table.learn(route, iface);
    }
    this.#routes = routes;
  }
}

/** The domains to be searched: the list, or else the one that the host is in. */
export function searchListOf({ searchList, domainName }: DhcpV4Information): readonly string[] {
  if (searchList.length > 0) return searchList;
  return domainName === '' ? [] : [domainName];
}

/** The routes of a lease: classless ones instead of routers when there are any (RFC 3442). */
function routesOf(lease: DhcpV4Lease, interfaceIndex: number): RouteOptions[] {
  const { address, prefixLength, classlessRoutes, routers } = lease;
  const given: readonly DhcpV4Route[] =
    classlessRoutes.length > 0
      ? classlessRoutes
      : routers.slice(0, MOST_ROUTERS).map((gateway) => ({ ...DEFAULT_ROUTE, gateway }));
  const routes: RouteOptions[] = [];
  for (const [i, route] of given.entries()) {
    const { gateway } = route;
    if (gateway?.equals(address) === true) continue;
    // A router beyond the subnet, as with a mask of 32 bits, is on the link all the same.
    if (gateway !== null && !contains(address, prefixLength, gateway)) {
      routes.push({ destination: `${gateway}/32`, interfaceIndex, metric: FIRST_METRIC, origin: 'dhcp' });
    }
    routes.push({
      destination: `${route.destination}/${route.prefixLength}`,
      interfaceIndex,
      origin: 'dhcp',
      metric: FIRST_METRIC + (classlessRoutes.length > 0 ? 0 : i),
      ...(gateway === null ? {} : { gateway: gateway.toString() }),
    });
  }
  return routes;
}

function isSameAddress(a: DhcpV4Lease, b: DhcpV4Lease): boolean {
  return a.address.equals(b.address) && a.prefixLength === b.prefixLength;
}

function isSameRoute(a: RouteOptions, b: RouteOptions): boolean {
  return a.destination === b.destination && a.gateway === b.gateway && a.metric === b.metric;
}

function isSameNames(a: NameConfiguration | undefined, b: NameConfiguration): boolean {
  if (a === undefined) return b.servers.length === 0 && b.searchList.length === 0;
  return a.servers.join() === b.servers.join() && a.searchList.join() === b.searchList.join();
}
