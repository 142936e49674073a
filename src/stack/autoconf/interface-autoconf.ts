/**
 * Autoconfiguration of one interface by what routers say (RFC 4861 §6.3, RFC 4862): asks for routers, and hands what an
 * advertisement says to the parts: routes, on-link prefixes, addresses, names. One timer serves all of them.
 */

import type { IpAddress, Random, TimerOwner, TimerQueue } from '../../base/index.ts';
import type { RouterAdvertisement } from '../../wire/index.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Topology } from '../topology.ts';
import type { Holding, Part } from './lifetime.ts';
import { PrefixAdvertisers } from './prefix-advertisers.ts';
import { Prefixes } from './prefixes.ts';
import { RouterNames } from './router-names.ts';
import { Routers } from './routers.ts';
import { Slaac, type SlaacOptions } from './slaac.ts';
import { Solicitations } from './solicitations.ts';

/** Advertisements that are worked off in a second; more is a storm, and nothing is lost that is not said again. */
const MAX_PER_SECOND = 50;

/** What autoconfiguration needs of the host. */
export interface AutoconfHost {
  readonly now: number;
  readonly timers: TimerQueue;
  readonly random: Random;
}

/** What happens besides. */
export interface AutoconfActions {
  /** Sends a Router Solicitation (RFC 4861 §4.1). */
  solicitRouters(interfaceIndex: number): void;
  /** The M and O flags as they are now (RFC 4861 §4.2): told when they change. */
  flags(interfaceIndex: number, isManaged: boolean, hasOtherConfig: boolean): void;
  /** Link parameters: 0 where the router says nothing. */
  parameters(interfaceIndex: number, ra: RouterAdvertisement): void;
}

export class InterfaceAutoconf implements TimerOwner {
  readonly #host: AutoconfHost;
  readonly #index: number;
  readonly #actions: AutoconfActions;
  readonly #routers: Routers;
  readonly #prefixes: Prefixes;
  readonly #advertisers: PrefixAdvertisers;
  readonly #interface: NetworkInterface;
  readonly #slaac: Slaac;
  readonly #names: RouterNames;
  readonly #solicitations: Solicitations;
  readonly #parts: readonly Part[];
  /** Those of them that hold what routers gave. */
  readonly #holding: readonly Holding[];
  readonly #timer: number;
  #isManaged = false;
  #hasOtherConfig = false;
  /** The second that is counted, and how many advertisements came in it. */
  #second = 0;
  #count = 0;

  constructor(
    host: AutoconfHost,
    topology: Topology,
    iface: NetworkInterface,
    options: SlaacOptions,
    actions: AutoconfActions,
  ) {
    this.#host = host;
    this.#index = iface.index;
    this.#actions = actions;
    this.#routers = new Routers(iface, topology.routes);
    this.#prefixes = new Prefixes(iface, topology.routes);
    this.#interface = iface;
    // Paths keep the source that was chosen.
    this.#advertisers = new PrefixAdvertisers(() => topology.routes.generation++);
    iface.prefixOrigins = this.#advertisers;
    this.#slaac = new Slaac(topology, iface, host.random, options);
    this.#names = new RouterNames((names) => topology.setNames(iface.index, names));
    this.#solicitations = new Solicitations(host.random, () => actions.solicitRouters(iface.index));
    const holding = [this.#routers, this.#prefixes, this.#advertisers, this.#slaac, this.#names];
    this.#holding = holding;
    this.#parts = [...holding, this.#solicitations];
    this.#timer = host.timers.create(this, 0);
  }

  /** The link is up and there is an address to ask from, or it is to be asked anew. */
  start(): void {
    this.#solicitations.start(this.#host.now);
    this.#run();
  }

  /** Takes an advertisement that was checked (RFC 4861 §6.1.2). @returns false when it was one of too many */
  advertised(ra: RouterAdvertisement): boolean {
    const { now } = this.#host;
    if (this.#isStorm(now)) return false;
    this.#routers.advertised(ra, now);
    for (const prefix of ra.prefixes) {
      this.#prefixes.advertised(prefix, now);
      this.#advertisers.advertised(prefix, ra.router, now);
      this.#slaac.advertised(prefix, now);
    }
    this.#names.advertised(ra, now);
    this.#actions.parameters(this.#index, ra);
    // RFC 7559 §2.1: only a router for everything ends the asking.
    if (ra.lifetime > 0) this.#solicitations.stop();
    if (ra.isManaged !== this.#isManaged || ra.hasOtherConfig !== this.#hasOtherConfig) {
      this.#isManaged = ra.isManaged;
      this.#hasOtherConfig = ra.hasOtherConfig;
      this.#actions.flags(this.#index, ra.isManaged, ra.hasOtherConfig);
    }
    this.#run();
    return true;
  }

  /** A neighbour is no router any more (RFC 4861 §7.2.5). */
  routerGone(router: IpAddress): void {
    this.#routers.forget(router);
    this.#advertisers.forget(router);
    if (!this.#routers.hasDefault) this.#solicitations.start(this.#host.now);
    this.#run();
  }

  /** A neighbour does not answer: when no router is left that does, others are asked for. */
  neighborFailed(): void {
    if (!this.#routers.isSilent || this.#solicitations.isRunning) return;
    this.#solicitations.start(this.#host.now);
    this.#run();
  }

  /** See {@link Slaac.duplicateFound}. */
  duplicateFound(address: IpAddress): boolean {
    const wasOurs = this.#slaac.duplicateFound(address, this.#host.now);
    this.#run();
    return wasOurs;
  }

  /** Takes back all that routers gave, and ends. */
  stop(): void {
    for (const part of this.#holding) part.clear();
    this.#interface.prefixOrigins = null;
    this.close();
  }

  close(): void {
    this.#host.timers.destroy(this.#timer);
  }

  timeout(): void {
    const hadDefault = this.#routers.hasDefault;
    this.#run();
    if (hadDefault && !this.#routers.hasDefault) this.start();
  }

  #run(): void {
    const { now, timers } = this.#host;
    let next = Number.POSITIVE_INFINITY;
    for (const part of this.#parts) next = Math.min(next, part.run(now));
    if (next === Number.POSITIVE_INFINITY) timers.disarm(this.#timer);
    else timers.arm(this.#timer, next);
  }

  #isStorm(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) this.#count = 0;
    this.#second = second;
    return ++this.#count > MAX_PER_SECOND;
  }
}
