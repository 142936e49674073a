/**
 * The routing table: longest prefix first, of equal ones the lowest metric (RFC 1122 §3.3.1, RFC 1812 §5.2.4.3).
 *
 * A host has few routes, so that a lookup is a walk over a sorted list; what is looked up for every packet is cached in
 * `Path` objects, which `generation` invalidates.
 */

import { IpAddress, parsePrefix, prefixMask } from '../base/index.ts';
import type { RouteOptions, RouteView } from './api.ts';
import { contains, type NetworkInterface, wordMask } from './interface.ts';

/** A route. Its interface decides nothing until a lookup: it may be down. */
export interface Route extends RouteView {
  readonly interface: NetworkInterface;
  /** The address of the interface with which it came and goes; `null` when it was added by itself. */
  readonly connected: IpAddress | null;
}

/** The metric of a route that says none. */
const DEFAULT_METRIC = 256;

export class RouteTable {
  #routes: readonly Route[] = [];
  /** Grows with every change of routes, addresses and interfaces: what was derived from an older one is stale. */
  generation = 1;
  /** Told of each change of the routes. */
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  /**
   * Adds a route; one to the same destination over the same gateway and interface is replaced.
   * @throws {RangeError} when an address can't be read, or the gateway is of another family than the destination
   */
  add(options: RouteOptions, iface: NetworkInterface): void {
    const { destination, prefixLength, gateway } = readRoute(options);
    this.#insert({
      destination,
      prefixLength,
      gateway,
      interfaceIndex: iface.index,
      metric: options.metric ?? DEFAULT_METRIC,
      interface: iface,
      connected: null,
    });
  }

  /** Adds the route to the subnet of an interface's own address. */
  addConnected(iface: NetworkInterface, address: IpAddress, prefixLength: number): void {
    this.#insert({
      destination: networkOf(address, prefixLength),
      prefixLength,
      gateway: null,
      interfaceIndex: iface.index,
      metric: DEFAULT_METRIC,
      interface: iface,
      connected: address,
    });
  }

  /** @returns whether there was such a route. @throws {RangeError} as {@link add} */
  remove(options: RouteOptions): boolean {
    const { destination, prefixLength, gateway } = readRoute(options);
    return this.#removeWhere(
      (route) =>
        route.interfaceIndex === options.interfaceIndex &&
        route.prefixLength === prefixLength &&
        route.destination.equals(destination) &&
        isSame(route.gateway, gateway),
    );
  }

  /** Removes the route that came with an address. */
  removeConnected(iface: NetworkInterface, address: IpAddress): void {
    this.#removeWhere((route) => route.interface === iface && isSame(route.connected, address));
  }

  removeInterface(iface: NetworkInterface): void {
    this.#removeWhere((route) => route.interface === iface);
  }

  /**
   * The best route to `destination`; with `from`, only over an interface that has this address (the strong host model,
   * RFC 1122 §3.3.4.2). @returns `null` when there is none.
   */
  lookup(destination: IpAddress, from: IpAddress | null): Route | null {
    for (const route of this.#routes) {
      if (!route.interface.isUp || !contains(route.destination, route.prefixLength, destination)) continue;
      if (from === null || route.interface.addresses.some((held) => held.address.equals(from))) return route;
    }
    return null;
  }

  #insert(route: Route): void {
    const others = this.#routes.filter(
      (held) =>
        held.interface !== route.interface ||
        held.prefixLength !== route.prefixLength ||
        !held.destination.equals(route.destination) ||
        !isSame(held.gateway, route.gateway) ||
        !isSame(held.connected, route.connected),
    );
    // Array.sort is stable: of equal routes the older one stays first.
    this.#routes = [...others, route].sort((a, b) => b.prefixLength - a.prefixLength || a.metric - b.metric);
    this.generation++;
    this.#onChange();
  }

  #removeWhere(isGone: (route: Route) => boolean): boolean {
    const kept = this.#routes.filter((route) => !isGone(route));
    const removed = kept.length < this.#routes.length;
    this.#routes = kept;
    if (removed) {
      this.generation++;
      this.#onChange();
    }
    return removed;
  }
}

function isSame(a: IpAddress | null, b: IpAddress | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

function readRoute(options: RouteOptions): {
  destination: IpAddress;
  prefixLength: number;
  gateway: IpAddress | null;
} {
  const prefix = parsePrefix(options.destination);
  if (prefix === null) throw new RangeError(`route destination is no prefix: ${options.destination}`);
  const gateway = options.gateway === undefined ? null : IpAddress.parse(options.gateway);
  if (options.gateway !== undefined && gateway?.family !== prefix.address.family) {
    throw new RangeError(`gateway ${options.gateway} does not fit a route to ${options.destination}`);
  }
  const destination = networkOf(prefix.address, prefix.length);
  return { destination, prefixLength: prefix.length, gateway };
}

/** `address` with all bits past the first `length` cleared. */
function networkOf(address: IpAddress, length: number): IpAddress {
  if (address.family === 4) return IpAddress.v4(address.w3 & prefixMask(length));
  return new IpAddress(
    6,
    address.w0 & wordMask(length),
    address.w1 & wordMask(length - 32),
    address.w2 & wordMask(length - 64),
    address.w3 & wordMask(length - 96),
  );
}
