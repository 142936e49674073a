/**
 * The routing table: longest prefix first, of equal ones the lowest metric (RFC 1122 §3.3.1, RFC 1812 §5.2.4.3), which is the
 * sum of the route's and its interface's, as Windows adds them; one whose gateway does not answer comes after those (see
 * `gateways.ts`). Routes stand in numbered tables; rules say who looks into
 * which (see `policy.ts`), and all look into table 0 at last.
 *
 * A host has few routes, so that a lookup is a walk over a sorted list; what is looked up for every packet is cached in
 * `Path` objects, which `generation` invalidates.
 */

import { IpAddress, parsePrefix, prefixMask, type TimerOwner, type TimerQueue } from '../../base/index.ts';
import type { PolicyRule, RouteOptions, RouteOrigin, RouteView } from '../api.ts';
import { contains, type NetworkInterface, wordMask } from '../interface.ts';
import { Gateways } from './gateways.ts';
import { MAIN_TABLE, Policies } from './policy.ts';

/** A route. Its interface decides nothing until a lookup: it may be down. */
export interface Route extends RouteView {
  readonly interface: NetworkInterface;
  isSilent: boolean;
  /** The address of the interface with which it came and goes; `null` when it was added by itself. */
  readonly connected: IpAddress | null;
}

/** The metric of a route that says none. */
const DEFAULT_METRIC = 256;
/** Metrics are 16 bits wide in Windows' dialogues, and a sum of two is a small integer. */
const MAX_METRIC = 0xffff;
/** Most routes: what bounds a router that announces, or redirects to, all the world. */
export const MAX_ROUTES = 16_384;

export class RouteTable implements TimerOwner {
  #routes: readonly Route[] = [];
  readonly #policies = new Policies();
  /** Grows with every change of routes, addresses and interfaces: what was derived from an older one is stale. */
  generation = 1;
  /** Those that do not answer. */
  readonly gateways: Gateways;
  readonly #timers: TimerQueue;
  /** Runs for the first route to expire; -1 until there is one. */
  #timer = -1;
  /** Told of each change of the routes. */
  readonly #onChange: () => void;

  constructor(timers: TimerQueue, onChange: () => void) {
    this.#timers = timers;
    this.#onChange = onChange;
    this.gateways = new Gateways(
      timers,
      () => this.#routes,
      () => this.changed(),
    );
  }

  get routes(): readonly Route[] {
    return this.#routes;
  }

  get policies(): readonly PolicyRule[] {
    return this.#policies.rules;
  }

  /** Whether a lookup depends on more than the destination: rules are there. */
  get hasPolicies(): boolean {
    return this.#policies.rules.length > 0;
  }

  /** @throws {RangeError} when a rule can't be read; the old ones stay then */
  setPolicies(rules: readonly PolicyRule[]): void {
    this.#policies.set(rules);
    this.changed();
  }

  /**
   * Adds a route; one to the same destination over the same gateway and interface is replaced.
   * @throws {RangeError} when an address can't be read, the gateway is of another family than the destination, or there are too
   *   many routes
   */
  add(options: RouteOptions, iface: NetworkInterface): void {
    if (!this.learn(options, iface)) throw new RangeError(`there are ${MAX_ROUTES} routes already`);
  }

  /**
   * As {@link add}, for routes that somebody on the network names. @returns whether there was room
   * @throws {RangeError} when an address can't be read, or the gateway is of another family than the destination
   */
  learn(options: RouteOptions, iface: NetworkInterface): boolean {
    const { destination, prefixLength, gateway } = readRoute(options);
    const { metric = DEFAULT_METRIC, table = MAIN_TABLE } = options;
    if (!isWithin(metric, MAX_METRIC)) throw new RangeError(`a metric is 0 … ${MAX_METRIC}, not ${metric}`);
    if (!isWithin(table, MAX_METRIC)) throw new RangeError(`a table is 0 … ${MAX_METRIC}, not ${table}`);
    const route: Route = {
      destination,
      prefixLength,
      gateway,
      interfaceIndex: iface.index,
      metric,
      table,
      origin: options.origin ?? MANUAL,
      validUntil: options.validUntil ?? Number.POSITIVE_INFINITY,
      interface: iface,
      isSilent: false,
      connected: null,
    };
    if (this.#routes.length >= MAX_ROUTES && !this.#routes.some((held) => isReplaced(held, route)))
      return false;
    if (gateway !== null) this.gateways.answered(iface, gateway);
    this.#insert(route);
    return true;
  }

  /** Adds the route to the subnet of an interface's own address. */
  addConnected(iface: NetworkInterface, address: IpAddress, prefixLength: number): void {
    this.#insert({
      destination: networkOf(address, prefixLength),
      prefixLength,
      gateway: null,
      interfaceIndex: iface.index,
      metric: DEFAULT_METRIC,
      table: MAIN_TABLE,
      origin: CONNECTED,
      validUntil: Number.POSITIVE_INFINITY,
      interface: iface,
      isSilent: false,
      connected: address,
    });
  }

  /** Of any origin, unless one is named. @returns whether there was such a route. @throws {RangeError} as {@link add} */
  remove(options: RouteOptions): boolean {
    const { destination, prefixLength, gateway } = readRoute(options);
    const table = options.table ?? MAIN_TABLE;
    return this.#removeWhere(
      (route) =>
        route.interfaceIndex === options.interfaceIndex &&
        route.table === table &&
        (options.origin === undefined || route.origin === options.origin) &&
        route.prefixLength === prefixLength &&
        route.destination.equals(destination) &&
        isSame(route.gateway, gateway),
    );
  }

  /** Removes this very route. */
  removeRoute(route: Route): void {
    this.#removeWhere((held) => held === route);
  }

  /** Removes the route that came with an address. */
  removeConnected(iface: NetworkInterface, address: IpAddress): void {
    this.#removeWhere((route) => route.interface === iface && isSame(route.connected, address));
  }

  removeInterface(iface: NetworkInterface): void {
    this.#removeWhere((route) => route.interface === iface);
  }

  /** The oldest route of an origin, for who keeps a bound on them. */
  oldestOf(origin: RouteOrigin): Route | null {
    let oldest: Route | null = null;
    for (const route of this.#routes) {
      if (route.origin !== origin) continue;
      if (oldest === null || route.validUntil < oldest.validUntil) oldest = route;
    }
    return oldest;
  }

  countOf(origin: RouteOrigin): number {
    let count = 0;
    for (const route of this.#routes) if (route.origin === origin) count++;
    return count;
  }

  /**
   * The best route to `destination`.
   * @param source the packet's, for the rules; the any-address matches none of theirs
   * @param from only over an interface that has this address (the strong host model, RFC 1122 §3.3.4.2); `null`: over any
   * @param arrivedOn index of the interface that the packet came in by; 0 when it is our own
   * @returns `null` when there is none
   */
  lookup(destination: IpAddress, from: IpAddress | null, source = from, arrivedOn = 0): Route | null {
    for (const rule of this.#policies.parsed) {
      if (!rule.matches(source, arrivedOn)) continue;
      const route = this.#lookup(rule.table, destination, from);
      if (route !== null) return route;
    }
    return this.#lookup(MAIN_TABLE, destination, from);
  }

  #lookup(table: number, destination: IpAddress, from: IpAddress | null): Route | null {
    let suspect: Route | null = null;
    for (const route of this.#routes) {
      if (route.table !== table || !route.interface.isUp) continue;
      if (!contains(route.destination, route.prefixLength, destination)) continue;
      // The zone of a scoped address is the interface that it is of (RFC 4007 §6).
      if (destination.zone !== 0 && destination.zone !== route.interfaceIndex) continue;
      const { interface: iface } = route;
      if (from !== null && !iface.hasAddress(from) && !iface.isTransparent) continue;
      // RFC 4191 §3.2: of what routers advertise, that they answer counts more than how long the prefix is.
      if (route.origin !== 'router' || this.gateways.rankOf(route) === 0) return route;
      suspect ??= route;
    }
    return suspect;
  }

  /** A neighbour does not answer; what was heard by a redirect of a gateway is forgotten (RFC 4861 §7.3.3). */
  neighborFailed(iface: NetworkInterface, address: IpAddress, now: number): void {
    this.#removeWhere(
      (route) =>
        route.origin === 'redirect' &&
        route.interface === iface &&
        (route.gateway ?? route.destination).equals(address),
    );
    this.gateways.failed(iface, address, now);
  }

  /** What was derived from routes, addresses and interfaces is stale; the order too, which interfaces' metrics decide. */
  changed(): void {
    // Array.sort is stable: of equal routes the older one stays first.
    const { gateways } = this;
    for (const route of this.#routes) route.isSilent = gateways.rankOf(route) > 0;
    this.#routes = gateways.hasSuspects
      ? [...this.#routes].sort(
          (a, b) =>
            b.prefixLength - a.prefixLength || gateways.rankOf(a) - gateways.rankOf(b) || byPrecedence(a, b),
        )
      : [...this.#routes].sort(byPrecedence);
    this.#told();
  }

  #told(): void {
    this.generation++;
    this.#onChange();
  }

  /** Routes whose time is over go. */
  timeout(_kind: number, now: number): void {
    this.#removeWhere((route) => route.validUntil <= now);
    this.#arm();
  }

  #insert(route: Route): void {
    const routes = this.#routes.filter((held) => !isReplaced(held, route));
    this.#routes = routes;
    if (this.gateways.hasSuspects) {
      routes.push(route);
      this.changed();
    } else {
      // The others are in order: a router that names many routes must not have all of them sorted for each.
      routes.splice(placeOf(route, routes), 0, route);
      this.#told();
    }
    if (route.validUntil !== Number.POSITIVE_INFINITY) this.#arm();
  }

  #removeWhere(isGone: (route: Route) => boolean): boolean {
    const kept = this.#routes.filter((route) => !isGone(route));
    const removed = kept.length < this.#routes.length;
    if (!removed) return false;
    this.#routes = kept;
    this.changed();
    return true;
  }

  #arm(): void {
    let first = Number.POSITIVE_INFINITY;
    for (const { validUntil } of this.#routes) if (validUntil < first) first = validUntil;
    if (first !== Number.POSITIVE_INFINITY) {
      if (this.#timer < 0) this.#timer = this.#timers.create(this, 0);
      this.#timers.arm(this.#timer, first);
    } else if (this.#timer >= 0) {
      this.#timers.disarm(this.#timer);
    }
  }
}

const MANUAL: RouteOrigin = 'manual';
const CONNECTED: RouteOrigin = 'connected';

/** Longest prefix first, then the lowest sum of metrics. */
function byPrecedence(a: Route, b: Route): number {
  return b.prefixLength - a.prefixLength || a.metric + a.interface.metric - (b.metric + b.interface.metric);
}

/** Behind all that come first, and those that are equal. */
function placeOf(route: Route, sorted: readonly Route[]): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (byPrecedence(sorted[middle] as Route, route) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether `route` takes the place of one that is there: the same way to the same destination. */
function isReplaced(held: Route, route: Route): boolean {
  return (
    held.prefixLength === route.prefixLength &&
    held.interface === route.interface &&
    held.table === route.table &&
    held.destination.equals(route.destination) &&
    isSame(held.gateway, route.gateway) &&
    isSame(held.connected, route.connected)
  );
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
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
  const { gateway: text, interfaceIndex } = options;
  const named = text === undefined ? null : IpAddress.parse(text);
  // RFC 4007 §6: the zone of a link-local gateway is the link that it is on; it need not be said, but no other may be.
  const gateway = named?.inZone(interfaceIndex) ?? null;
  const isElsewhere = named !== null && named.zone !== 0 && named.zone !== gateway?.zone;
  if (text !== undefined && (gateway?.family !== prefix.address.family || isElsewhere)) {
    throw new RangeError(`gateway ${text} does not fit a route to ${options.destination}`);
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
