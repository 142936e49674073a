/**
 * Which of the host's addresses a packet leaves from when nobody said so: RFC 6724 §5.
 *
 * Rule 4 is about home addresses (Mobile IP), which there are none of. Rule 5 is kept by those who ask: only addresses of the
 * interface that the packet leaves by are candidates (§4). Rule 5.5 wants to know which router announced an address's prefix;
 * that is not kept, and such a host skips the rule.
 */

import type { IpAddress } from '../../base/index.ts';
import type { AddressView } from '../api.ts';
import type { PolicyTable } from './policy-table.ts';
import { commonPrefixLength, scopeOf } from './scope.ts';

/** The best of an interface's addresses for packets to `destination`; `null` when none may be used. */
export function selectSource(
  addresses: readonly AddressView[],
  destination: IpAddress,
  policy: PolicyTable,
): IpAddress | null {
  let best: AddressView | null = null;
  for (const candidate of addresses) {
    if (candidate.address.family !== 6) continue;
    if (candidate.state !== 'preferred' && candidate.state !== 'deprecated') continue;
    if (best === null || isBetter(candidate, best, destination, policy)) best = candidate;
  }
  return best === null ? null : best.address;
}

/** Whether `a` is to be preferred to `b`, which was found earlier. */
function isBetter(a: AddressView, b: AddressView, destination: IpAddress, policy: PolicyTable): boolean {
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

function matching({ address, prefixLength }: AddressView, destination: IpAddress): number {
  return Math.min(prefixLength, commonPrefixLength(address, destination));
}
