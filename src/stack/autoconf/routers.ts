/**
 * The routers of an interface and the routes that they advertise (RFC 4861 §6.3.4, RFC 4191): each is a route in the table, whose
 * metric follows from its preference, and which goes when its lifetime is over. A bounded number of each.
 */

import type { IpAddress } from '../../base/index.ts';
import type { AdvertisedRoute, RouterAdvertisement, RouterPreference } from '../../wire/index.ts';
import type { RouteOptions } from '../api.ts';
import type { NetworkInterface } from '../interface.ts';
import type { RouteTable } from '../route/table.ts';
import { firstEnd, type Holding, type Part, removeEnded } from './lifetime.ts';

/** Most routes that routers give an interface; what comes on top is ignored. */
const MAX_ROUTES = 64;
/** Most of them default routes. */
const MAX_ROUTERS = 16;

/** RFC 4191 §3.2: a preferred router goes first; 256 is the metric of routes that say nothing. */
const METRIC: Readonly<Record<RouterPreference, number>> = { high: 128, medium: 256, low: 512 };

/** A route, by destination and gateway. */
interface LearntRoute {
  readonly destination: string;
  readonly gateway: string;
  metric: number;
  until: number;
}

export class Routers implements Part, Holding {
  readonly #interface: NetworkInterface;
  readonly #table: RouteTable;
  readonly #routes: LearntRoute[] = [];

  constructor(iface: NetworkInterface, table: RouteTable) {
    this.#interface = iface;
    this.#table = table;
  }

  /** Whether there is a router for what nobody else is for. */
  get hasDefault(): boolean {
    return this.#routes.some(({ destination }) => destination === DEFAULT);
  }

  /** Whether there are such routers, and none of them answers. */
  get isSilent(): boolean {
    const { routes, gateways } = this.#table;
    const own = routes.filter(
      ({ interface: iface, origin, destination, prefixLength }) =>
        iface === this.#interface && origin === 'router' && prefixLength === 0 && destination.isAny,
    );
    return own.length > 0 && own.every((route) => gateways.rankOf(route) > 0);
  }

  /** Takes over what an advertisement says about routes. */
  advertised(ra: RouterAdvertisement, now: number): void {
    this.#learn(DEFAULT, ra.router, ra.preference, ra.lifetime, now);
    for (const route of ra.routes) this.#learnRoute(route, ra.router, now);
  }

  /** RFC 4861 §7.3.3: a neighbour that was a router says that it is none any more. */
  forget(router: IpAddress): void {
    const gateway = router.toString();
    for (const route of this.#routes) if (route.gateway === gateway) route.until = 0;
    this.run(0);
  }

  clear(): void {
    for (const route of this.#routes) route.until = 0;
    this.run(0);
  }

  run(now: number): number {
    for (const route of removeEnded(this.#routes, now)) this.#table.remove(this.#optionsOf(route));
    return firstEnd(this.#routes);
  }

  /** RFC 4191 §3.1: a route to everything replaces what the header says about the router itself. */
  #learnRoute(route: AdvertisedRoute, router: IpAddress, now: number): void {
    this.#learn(`${route.prefix}/${route.length}`, router, route.preference, route.lifetime, now);
  }

  #learn(
    destination: string,
    router: IpAddress,
    preference: RouterPreference,
    lifetime: number,
    now: number,
  ): void {
    const gateway = router.toString();
    const known = this.#routes.find((held) => held.destination === destination && held.gateway === gateway);
    const metric = METRIC[preference];
    if (known !== undefined) {
      known.until = lifetime === 0 ? 0 : now + lifetime;
      if (lifetime === 0) this.run(now);
      else if (known.metric !== metric) {
        known.metric = metric;
        this.#table.learn(this.#optionsOf(known), this.#interface);
      }
      return;
    }
    if (lifetime === 0 || !this.#hasRoom(destination)) return;
    const learnt = { destination, gateway, metric, until: now + lifetime };
    if (this.#table.learn(this.#optionsOf(learnt), this.#interface)) this.#routes.push(learnt);
  }

  #hasRoom(destination: string): boolean {
    if (this.#routes.length >= MAX_ROUTES) return false;
    const isDefault = destination === DEFAULT;
    return !isDefault || this.#routes.filter((held) => held.destination === DEFAULT).length < MAX_ROUTERS;
  }

  #optionsOf({ destination, gateway, metric }: LearntRoute): RouteOptions {
    return { destination, gateway, metric, interfaceIndex: this.#interface.index, origin: 'router' };
  }
}

const DEFAULT = '::/0';
