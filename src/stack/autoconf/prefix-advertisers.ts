/**
 * Which routers have advertised which prefixes on an interface: what source address selection asks (RFC 6724 §5 rule 5.5), whoever
 * made the address. Each is kept for the prefix's valid lifetime, whatever its flags say (RFC 8028 §3.1); a bounded number.
 */

import type { IpAddress } from '../../base/index.ts';
import type { AdvertisedPrefix } from '../../wire/index.ts';
import { contains } from '../interface.ts';
import type { PrefixOrigins } from '../ipv6/source-address.ts';
import { firstEnd, type Holding, type Part, removeEnded } from './lifetime.ts';

/** Most pairs of router and prefix; what comes on top is ignored. */
const MAX_PAIRS = 128;

interface Pair {
  readonly router: IpAddress;
  readonly prefix: IpAddress;
  readonly length: number;
  until: number;
}

export class PrefixAdvertisers implements PrefixOrigins, Part, Holding {
  readonly #pairs: Pair[] = [];
  /** Told when an answer may be another than before: sources that were chosen are stale. */
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  advertised({ prefix, length, validLifetime }: AdvertisedPrefix, router: IpAddress, now: number): void {
    if (prefix.isLinkLocal) return;
    const known = this.#pairs.find(
      (pair) => pair.length === length && pair.prefix.equals(prefix) && pair.router.equals(router),
    );
    if (known !== undefined) {
      known.until = now + validLifetime;
      if (validLifetime === 0) this.run(now);
      return;
    }
    if (validLifetime === 0 || this.#pairs.length >= MAX_PAIRS) return;
    this.#pairs.push({ router, prefix, length, until: now + validLifetime });
    this.#onChange();
  }

  /** The neighbour is no router any more. */
  forget(router: IpAddress): void {
    for (const pair of this.#pairs) if (pair.router.equals(router)) pair.until = 0;
    this.run(0);
  }

  isFrom(address: IpAddress, router: IpAddress): boolean {
    return this.#pairs.some((pair) => pair.router.equals(router) && covers(pair, address));
  }

  isKnown(address: IpAddress): boolean {
    return this.#pairs.some((pair) => covers(pair, address));
  }

  clear(): void {
    for (const pair of this.#pairs) pair.until = 0;
    this.run(0);
  }

  run(now: number): number {
    if (removeEnded(this.#pairs, now).length > 0) this.#onChange();
    return firstEnd(this.#pairs);
  }
}

function covers({ prefix, length }: Pair, address: IpAddress): boolean {
  return contains(prefix, length, address);
}
