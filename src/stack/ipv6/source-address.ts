/**
 * Which of the host's addresses a packet leaves from when nobody said so: RFC 6724 §5.
 *
 * Rule 4 is about home addresses (Mobile IP), which there are none of. Rule 5 is kept by those who ask: only addresses of the
 * interface that the packet leaves by are candidates (§4).
 */

import type { IpAddress } from '../../base/index.ts';
import type { AddressView } from '../api.ts';
import type { PolicyTable } from './policy-table.ts';
import { commonPrefixLength, scopeOf } from './scope.ts';

/** What is known of who gave an interface its prefixes. */
export interface PrefixOrigins {
  /** Whether `router` has advertised a prefix that `address` is in. */
  isFrom(address: IpAddress, router: IpAddress): boolean;
  /** Whether any router has. */
  isKnown(address: IpAddress): boolean;
}

/** What the choice among an interface's addresses depends on. */
export interface SourceCriteria {
  readonly destination: IpAddress;
  readonly policy: PolicyTable;
  /** The router that the packet goes to first; `null`: the destination is on the link. */
  readonly router: IpAddress | null;
  /** `null` where no router is listened to. */
  readonly origins: PrefixOrigins | null;
}

/** The best of an interface's addresses for packets to a destination; `null` when none may be used. */
export function selectSource(addresses: readonly AddressView[], criteria: SourceCriteria): IpAddress | null {
  let best: AddressView | null = null;
  for (const candidate of addresses) {
    if (candidate.address.family !== 6) continue;
    if (candidate.state !== 'preferred' && candidate.state !== 'deprecated') continue;
    if (best === null || isBetter(candidate, best, criteria)) best = candidate;
  }
  return best === null ? null : best.address;
}

/** Whether `a` is to be preferred to `b`, which was found earlier. */
function isBetter(a: AddressView, b: AddressView, criteria: SourceCriteria): boolean {
  const { destination, policy } = criteria;
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
  // Rule 5.5: one of a prefix that the next hop has advertised, to one that another router has.
  const gain = advertisedBy(a, criteria) - advertisedBy(b, criteria);
  if (Math.abs(gain) === 2) return gain > 0;
  // Rule 6: the label of the destination.
  const label = policy.labelOf(destination);
  const hasLabelA = policy.labelOf(a.address) === label;
  if (hasLabelA !== (policy.labelOf(b.address) === label)) return hasLabelA;
  // Rule 7: a temporary one, which tells the peer less about the host.
  const isTemporaryA = a.origin === 'temporary';
  if (isTemporaryA !== (b.origin === 'temporary')) return isTemporaryA;
  // Rule 8: the longest matching prefix, up to the source's own.
  return matching(a, destination) > matching(b, destination);
}

/** 1: by the next hop; -1: by other routers only; 0: by none, or there is no router on the way. */
function advertisedBy({ address }: AddressView, { router, origins }: SourceCriteria): number {
  if (router === null || origins === null) return 0;
  if (origins.isFrom(address, router)) return 1;
  return origins.isKnown(address) ? -1 : 0;
}

function matching({ address, prefixLength }: AddressView, destination: IpAddress): number {
  return Math.min(prefixLength, commonPrefixLength(address, destination));
}
