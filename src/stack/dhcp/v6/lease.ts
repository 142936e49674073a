/**
 * What a DHCPv6 REPLY grants, in stack time.
 */

import { EMPTY, type IpAddress } from '../../../base/index.ts';
import type { DhcpV6Address } from '../../../wire/index.ts';
import type { DhcpV6Lease, DhcpV6LeasedAddress } from '../status.ts';
import type { DhcpV6Answer } from './answer.ts';

const FOREVER = 0xffffffff;
/** RFC 8415 §21.4: what T1 and T2 are of the shortest preferred lifetime when the server leaves it to the client. */
const T1_SHARE = 0.5;
const T2_SHARE = 0.8;
/** No server makes us ask more often. */
const LEAST_T1_MS = 5000;

/** @param granted addresses that can be used, one at least */
export function leaseOf(
  answer: DhcpV6Answer,
  granted: readonly DhcpV6Address[],
  server: IpAddress,
  now: number,
): DhcpV6Lease {
  const addresses: DhcpV6LeasedAddress[] = granted.map(({ address, preferredSec, validSec }) => ({
    address,
    preferredUntil: now + duration(preferredSec),
    validUntil: now + duration(validSec),
  }));
  const shortest = Math.min(...granted.map(({ preferredSec }) => duration(preferredSec)));
  const { t1Sec = 0, t2Sec = 0 } = answer.association ?? {};
  const t1 = Math.max(LEAST_T1_MS, t1Sec === 0 ? shortest * T1_SHARE : duration(t1Sec));
  const t2 = Math.max(t1, t2Sec === 0 ? shortest * T2_SHARE : duration(t2Sec));
  return {
    message: answer.message,
    serverDuid: answer.serverDuid,
    server,
    addresses,
    obtainedAt: now,
    renewAt: now + t1,
    rebindAt: now + t2,
    expiresAt: endOf(addresses),
    dnsServers: answer.dnsServers,
    searchList: answer.searchList,
  };
}

/** The lease without an address that turned out to be somebody else's, no longer what the server said; `null` when nothing is left. */
export function leaseWithout(lease: DhcpV6Lease, address: IpAddress): DhcpV6Lease | null {
  const addresses = lease.addresses.filter((held) => !held.address.equals(address));
  return addresses.length === 0 ? null : { ...lease, message: EMPTY, addresses, expiresAt: endOf(addresses) };
}

/** When the last of them ends. */
function endOf(addresses: readonly DhcpV6LeasedAddress[]): number {
  return Math.max(...addresses.map(({ validUntil }) => validUntil));
}

function duration(seconds: number): number {
  return seconds === FOREVER ? Number.POSITIVE_INFINITY : seconds * 1000;
}
