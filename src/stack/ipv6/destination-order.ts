/**
 * In which order to try the addresses of a peer: RFC 6724 §6.
 *
 * Rule 4 is about home addresses (Mobile IP), which there are none of. Rule 7 is about transports that wrap packets to reach
 * IPv6, and no interface says of itself that it is one. So neither ever decides.
 */

import type { IpAddress } from '../../base/index.ts';
import type { AddressView } from '../api.ts';
import type { PolicyTable } from './policy-table.ts';
import { commonPrefixLength, scopeOf } from './scope.ts';

/** The address from which packets to a destination leave; `null` when nothing leads there. */
export type SourceOf = (
  destination: IpAddress,
) => Pick<AddressView, 'address' | 'prefixLength' | 'state'> | null;

/** A destination with all that the rules ask about it. */
interface Candidate {
  readonly address: IpAddress;
  readonly isUsable: boolean;
  readonly hasSourceScope: boolean;
  readonly isDeprecated: boolean;
  readonly hasSourceLabel: boolean;
  readonly precedence: number;
  readonly scope: number;
  readonly matching: number;
  /** IPv4, also v4-mapped. */
  readonly isV4: boolean;
}

/** The same addresses, the best to try first; equals in the order in which they came. */
export function orderDestinations(
  addresses: readonly IpAddress[],
  sourceOf: SourceOf,
  policy: PolicyTable,
): IpAddress[] {
  return addresses
    .map((address) => candidate(address, sourceOf(address), policy))
    .sort(compare)
    .map(({ address }) => address);
}

function candidate(address: IpAddress, source: ReturnType<SourceOf>, policy: PolicyTable): Candidate {
  const scope = scopeOf(address);
  return {
    address,
    isUsable: source !== null,
    hasSourceScope: source !== null && scopeOf(source.address) === scope,
    isDeprecated: source !== null && source.state === 'deprecated',
    hasSourceLabel: source !== null && policy.labelOf(source.address) === policy.labelOf(address),
    precedence: policy.precedenceOf(address),
    scope,
    matching: source === null ? 0 : matching(source, address),
    isV4: address.family === 4 || address.isV4Mapped,
  };
}

/** RFC 6724 §2.2: up to the source's own prefix, of mapped addresses. */
function matching({ address, prefixLength }: NonNullable<ReturnType<SourceOf>>, to: IpAddress): number {
  const length = address.family === 4 ? 96 + prefixLength : prefixLength;
  return Math.min(length, commonPrefixLength(address, to));
}

/** Negative when `a` is to be tried before `b`. The sort is stable, which is rule 10. */
function compare(a: Candidate, b: Candidate): number {
  // Rule 1: not one that can't be reached.
  if (a.isUsable !== b.isUsable) return a.isUsable ? -1 : 1;
  // Rule 2: one of its source's scope.
  if (a.hasSourceScope !== b.hasSourceScope) return a.hasSourceScope ? -1 : 1;
  // Rule 3: not from an address that is going away.
  if (a.isDeprecated !== b.isDeprecated) return a.isDeprecated ? 1 : -1;
  // Rule 5: one with its source's label.
  if (a.hasSourceLabel !== b.hasSourceLabel) return a.hasSourceLabel ? -1 : 1;
  // Rule 6: the higher precedence.
  if (a.precedence !== b.precedence) return b.precedence - a.precedence;
  // Rule 8: the smaller scope.
  if (a.scope !== b.scope) return a.scope - b.scope;
  // Rule 9: the longest matching prefix, within a family.
  return a.isV4 === b.isV4 ? b.matching - a.matching : 0;
}
