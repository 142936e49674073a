/**
 * Sets of source addresses, as filters and reports are computed with them (RFC 3376 §3.2, §5.1). Never changed once made, and
 * never made for a packet.
 */

import type { IpAddress } from '../../base/index.ts';

/** Addresses by their text: each is in once, in the order in which they were put in. */
export type SourceSet = ReadonlyMap<string, IpAddress>;

export const NO_SOURCES: SourceSet = new Map();

export function sourceSet(addresses: Iterable<IpAddress>): SourceSet {
  const set = new Map<string, IpAddress>();
  for (const address of addresses) set.set(keyOf(address), address);
  return set;
}

/** The key of an address; the zone does not matter: a set belongs to one interface. */
export function keyOf(address: IpAddress): string {
  return `${address.w0} ${address.w1} ${address.w2} ${address.w3}`;
}

/** A + B */
export function union(a: SourceSet, b: SourceSet): SourceSet {
  if (b.size === 0) return a;
  return a.size === 0 ? b : new Map([...a, ...b]);
}

/** A * B */
export function intersection(a: SourceSet, b: SourceSet): SourceSet {
  if (a.size === 0 || b.size === 0) return NO_SOURCES;
  return new Map([...a].filter(([key]) => b.has(key)));
}

/** A − B */
export function difference(a: SourceSet, b: SourceSet): SourceSet {
  if (a.size === 0 || b.size === 0) return a;
  return new Map([...a].filter(([key]) => !b.has(key)));
}

export function isSameSet(a: SourceSet, b: SourceSet): boolean {
  return a.size === b.size && difference(a, b).size === 0;
}
