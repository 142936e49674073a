/**
 * The prefixes that are on an interface's link, as routers say (RFC 4861 §6.3.4): a route without a gateway for each.
 */

import type { AdvertisedPrefix } from '../../wire/index.ts';
import type { RouteOptions } from '../api.ts';
import type { NetworkInterface } from '../interface.ts';
import type { RouteTable } from '../route/table.ts';
import { firstEnd, type Holding, type Part, removeEnded } from './lifetime.ts';

/** Most prefixes of an interface; what comes on top is ignored. */
const MAX_PREFIXES = 32;

interface OnLinkPrefix {
  readonly destination: string;
  until: number;
}

export class Prefixes implements Part, Holding {
  readonly #interface: NetworkInterface;
  readonly #table: RouteTable;
  readonly #prefixes: OnLinkPrefix[] = [];

  constructor(iface: NetworkInterface, table: RouteTable) {
    this.#interface = iface;
    this.#table = table;
  }

  advertised(option: AdvertisedPrefix, now: number): void {
    // Without L nothing is said: a prefix that is known to be on the link stays so.
    if (!option.isOnLink || option.prefix.isLinkLocal || option.prefix.isMulticast) return;
    const destination = `${option.prefix}/${option.length}`;
    const known = this.#prefixes.find((held) => held.destination === destination);
    if (known !== undefined) {
      known.until = now + option.validLifetime;
      if (option.validLifetime === 0) this.run(now);
      return;
    }
    if (option.validLifetime === 0 || this.#prefixes.length >= MAX_PREFIXES) return;
    if (!this.#table.learn(this.#routeTo(destination), this.#interface)) return;
    this.#prefixes.push({ destination, until: now + option.validLifetime });
  }

  clear(): void {
    for (const prefix of this.#prefixes) prefix.until = 0;
    this.run(0);
  }

  run(now: number): number {
    for (const { destination } of removeEnded(this.#prefixes, now)) {
      this.#table.remove(this.#routeTo(destination));
    }
    return firstEnd(this.#prefixes);
  }

  #routeTo(destination: string): RouteOptions {
    return { destination, interfaceIndex: this.#interface.index, origin: 'router' };
  }
}
