/**
 * Name servers and search domains that routers advertise (RFC 8106): each with its lifetime, the newest word of a router counting,
 * a bounded number of both. What is left is the interface's `NameConfiguration` of origin `router`.
 */

import type { IpAddress } from '../../base/index.ts';
import type { RouterAdvertisement } from '../../wire/index.ts';
import type { NameConfiguration } from '../api.ts';
import { firstEnd, type Holding, type Part, removeEnded } from './lifetime.ts';

/** RFC 8106 §5.3.1 wants at least three. */
const MAX_SERVERS = 8;
const MAX_DOMAINS = 16;

interface Entry<T> {
  readonly key: string;
  readonly value: T;
  until: number;
}

export class RouterNames implements Part, Holding {
  readonly #servers: Entry<IpAddress>[] = [];
  readonly #domains: Entry<string>[] = [];
  readonly #onChange: (names: NameConfiguration) => void;

  constructor(onChange: (names: NameConfiguration) => void) {
    this.#onChange = onChange;
  }

  advertised(ra: RouterAdvertisement, now: number): void {
    let isChanged = false;
    for (const { servers, lifetime } of ra.nameServers) {
      for (const server of servers) {
        isChanged = learn(this.#servers, server.toString(), server, lifetime, now, MAX_SERVERS) || isChanged;
      }
    }
    for (const { domains, lifetime } of ra.searchLists) {
      for (const domain of domains) {
        isChanged = learn(this.#domains, domain, domain, lifetime, now, MAX_DOMAINS) || isChanged;
      }
    }
    if (isChanged) this.#tell();
  }

  clear(): void {
    for (const entry of [...this.#servers, ...this.#domains]) entry.until = 0;
    this.run(0);
  }

  run(now: number): number {
    const ended = removeEnded(this.#servers, now).length + removeEnded(this.#domains, now).length;
    if (ended > 0) this.#tell();
    return Math.min(firstEnd(this.#servers), firstEnd(this.#domains));
  }

  #tell(): void {
    this.#onChange({
      origin: 'router',
      servers: this.#servers.map(({ value }) => value),
      searchList: this.#domains.map(({ value }) => value),
    });
  }
}

/** @returns whether something came or went */
function learn<T>(
  entries: Entry<T>[],
  key: string,
  value: T,
  lifetime: number,
  now: number,
  most: number,
): boolean {
  const known = entries.findIndex((held) => held.key === key);
  if (known >= 0) {
    (entries[known] as Entry<T>).until = now + lifetime;
    if (lifetime === 0) entries.splice(known, 1);
    return lifetime === 0;
  }
  if (lifetime === 0 || entries.length >= most) return false;
  entries.push({ key, value, until: now + lifetime });
  return true;
}
