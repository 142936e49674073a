/**
 * Reads what a server offers or grants, and refuses what no host can use.
 */

import { IpAddress, prefixMask, type Random, randomFraction } from '../../../base/index.ts';
import { type DhcpV4Message, DhcpV4Option } from '../../../wire/index.ts';
import type { DhcpV4Information, DhcpV4Lease, DhcpV4Route } from '../status.ts';
import {
  classlessRoutes,
  domainName,
  hostAddress,
  hostAddresses,
  isHostWord,
  maskLength,
  searchList,
  seconds,
  shortNumber,
} from './options.ts';

/** A lease without an end. */
export const INFINITE_LEASE = 0xffffffff;
/** RFC 2131 §4.4.5. */
const T1_SHARE = 0.5;
const T2_SHARE = 0.875;
/** How much of the time to T1 and T2 is left to chance, so that hosts which began together do not renew together. */
const FUZZ_SHARE = 1 / 32;

const LINK_LOCAL_PREFIX = 0xa9fe;
const NO_ROUTES: readonly DhcpV4Route[] = [];

/**
 * The lease in a DHCPOFFER or DHCPACK.
 * @param requestedAt when the host asked for it, stack time: lifetimes count from there (RFC 2131 §4.4.1)
 * @returns `null` when it can't be used: no server, no host's address, a mask with holes, or no time
 */
export function readLease(message: DhcpV4Message, requestedAt: number, random: Random): DhcpV4Lease | null {
  const { options, yiaddr } = message;
  const server = hostAddress(options, DhcpV4Option.serverIdentifier);
  const leaseSec = seconds(options, DhcpV4Option.leaseTime);
  const prefixLength = maskLength(options, yiaddr);
  if (server === null || leaseSec <= 0 || prefixLength < 0) return null;
  if (!isLeasable(yiaddr, prefixLength) || server.w3 === yiaddr) return null;
  const routes = classlessRoutes(options);
  const times = timesOf(message, leaseSec * 1000, random);
  return {
    message: message.bytes,
    address: IpAddress.v4(yiaddr),
    prefixLength,
    ...informationOf(message, server, requestedAt),
    renewAt: requestedAt + times.t1,
    rebindAt: requestedAt + times.t2,
    expiresAt: requestedAt + times.end,
    routers: hostAddresses(options, DhcpV4Option.router).filter(({ w3 }) => w3 !== yiaddr),
    classlessRoutes: routes ?? NO_ROUTES,
    interfaceMtu: shortNumber(options, DhcpV4Option.interfaceMtu),
  };
}

/** What a DHCPACK to a DHCPINFORM tells (RFC 2131 §4.3.5): lease times in it are ignored. @returns `null` when it names no server */
export function readInformation(message: DhcpV4Message, now: number): DhcpV4Information | null {
  const server = hostAddress(message.options, DhcpV4Option.serverIdentifier);
  return server === null ? null : informationOf(message, server, now);
}

function informationOf({ options }: DhcpV4Message, server: IpAddress, obtainedAt: number): DhcpV4Information {
  return {
    server,
    obtainedAt,
    dnsServers: hostAddresses(options, DhcpV4Option.dnsServer),
    domainName: domainName(options),
    searchList: searchList(options),
    ntpServers: hostAddresses(options, DhcpV4Option.ntpServer),
  };
}

/** Whether a host may have the address: neither its subnet's own nor its broadcast address, nor one that is taken by chance. */
function isLeasable(word: number, prefixLength: number): boolean {
  if (!isHostWord(word) || word >>> 16 === LINK_LOCAL_PREFIX) return false;
  if (prefixLength >= 31) return true;
  const host = word & ~prefixMask(prefixLength);
  return host !== 0 && host !== ~prefixMask(prefixLength);
}

/** T1, T2 and the end, ms from the start. What the server says of T1 and T2 counts if it is in order. */
function timesOf(
  { options }: DhcpV4Message,
  leaseMs: number,
  random: Random,
): { readonly t1: number; readonly t2: number; readonly end: number } {
  const end = leaseMs >= INFINITE_LEASE * 1000 ? Number.POSITIVE_INFINITY : leaseMs;
  const t1 = seconds(options, DhcpV4Option.renewalTime) * 1000;
  const t2 = seconds(options, DhcpV4Option.rebindingTime) * 1000;
  if (t1 > 0 && t2 > t1 && t2 < end) return { t1, t2, end };
  if (end === Number.POSITIVE_INFINITY) return { t1: end, t2: end, end };
  const fuzz = 1 - FUZZ_SHARE * randomFraction(random);
  if (t1 > 0 && t2 < 0 && t1 < end * T2_SHARE * (1 - FUZZ_SHARE))
    return { t1, t2: end * T2_SHARE * fuzz, end };
  return { t1: end * T1_SHARE * fuzz, t2: end * T2_SHARE * fuzz, end };
}
