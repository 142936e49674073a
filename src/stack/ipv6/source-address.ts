/**
 * Which of the host's addresses a packet leaves from when nobody said so: RFC 6724 §5.
 */

import type { IpAddress } from '../../base/index.ts';
import type { AddressView } from '../api.ts';
import { commonPrefixLength, scopeOf } from './scope.ts';

/** The best of an interface's addresses for packets to `destination`; `null` when none may be used. */
export function selectSource(addresses: readonly AddressView[], destination: IpAddress): IpAddress | null {
  let best: AddressView | null = null;
  for (const candidate of addresses) {
    if (candidate.address.family !== 6) continue;
    if (candidate.state !== 'preferred' && candidate.state !== 'deprecated') continue;
    if (best === null || isBetter(candidate, best, destination)) best = candidate;
  }
  return best === null ? null : best.address;
}

/** Whether `a` is to be preferred to `b`, which was found earlier. */
function isBetter(a: AddressView, b: AddressView, destination: IpAddress): boolean {
  // Rule 1: the destination itself.
  if (a.address.equals(destination)) return true;
  if (b.address.equals(destination)) return false;
  // Rule 2: the appropriate scope.
  const scopeA = scopeOf(a.address);
  const scopeB = scopeOf(b.address);
  if (scopeA !== scopeB) {
    const wanted = scopeOf(destination);
    return scopeA < scopeB ? scopeA >= wanted : scopeB < wanted;
  }
  // Rule 3: not one that is going away.
  if (a.state !== b.state) return a.state === 'preferred';
  // Rule 8: the longest matching prefix, up to the source's own.
  return matching(a, destination) > matching(b, destination);
}

function matching({ address, prefixLength }: AddressView, destination: IpAddress): number {
  return Math.min(prefixLength, commonPrefixLength(address, destination));
}
