/**
 * The prefixes that are on an interface's link, as routers say (RFC 4861 §6.3.4): a route without a gateway for each.
 */

import type { AdvertisedPrefix } from '../../wire/index.ts';
import type { NetworkInterface } from '../interface.ts';
import type { RouteTable } from '../route/table.ts';
import { firstEnd, type Part, removeEnded } from './lifetime.ts';
import { isLinkLocalPrefix } from './link-local.ts';

/** Most prefixes of an interface; what comes on top is ignored. */
const MAX_PREFIXES = 32;

interface OnLinkPrefix {
  readonly destination: string;
  until: number;
}

export class Prefixes implements Part {
  readonly #interface: NetworkInterface;
  readonly #table: RouteTable;
  readonly #prefixes: OnLinkPrefix[] = [];

  constructor(iface: NetworkInterface, table: RouteTable) {
    this.#interface = iface;
    this.#table = table;
  }

  advertised(option: AdvertisedPrefix, now: number): void {
    // Without L nothing is said: a prefix that is known to be on the link stays so.
    if (!option.isOnLink || isLinkLocalPrefix(option.prefix)) return;
    const destination = `${option.prefix}/${option.length}`;
    const known = this.#prefixes.find((held) => held.destination === destination);
    if (known !== undefined) {
      known.until = now + option.validLifetime;
      if (option.validLifetime === 0) this.run(now);
      return;
    }
    if (option.validLifetime === 0 || this.#prefixes.length >= MAX_PREFIXES) return;
    this.#prefixes.push({ destination, until: now + option.validLifetime });
    this.#table.add({ destination, interfaceIndex: this.#interface.index }, this.#interface);
  }

  run(now: number): number {
    for (const { destination } of removeEnded(this.#prefixes, now)) {
      this.#table.remove({ destination, interfaceIndex: this.#interface.index });
    }
    return firstEnd(this.#prefixes);
  }
}
