/**
 * What a server's ADVERTISE or REPLY says (RFC 8415 §16.3, §16.10, §18.2.10), checked: values that no host can use are not there.
 */

import type { IpAddress } from '../../../base/index.ts';
import { i32, u8 } from '../../../base/index.ts';
import {
  type DhcpV6Address,
  type DhcpV6Association,
  type DhcpV6Message,
  DhcpV6Option,
  type DhcpV6OptionValue,
  DhcpV6Status,
  parseAssociation,
  parseDomainNames,
  parseV6Addresses,
  singleOption,
  statusOf,
} from '../../../wire/index.ts';
import { isDuid } from '../duid.ts';

/** Most of a server's lists that are used. */
const MOST_ADDRESSES = 8;
const MOST_SERVERS = 8;
const MOST_DOMAINS = 16;
/** SOL_MAX_RT and INF_MAX_RT that are believed, seconds (RFC 8415 §21.24). */
const LEAST_MAX_RT = 60;
const MOST_MAX_RT = 86_400;

export interface DhcpV6Answer {
  /** All of it, as it came. */
  readonly message: Uint8Array;
  readonly serverDuid: Uint8Array;
  /** 0 … 255; the server's word for how much it wants to be chosen. */
  readonly preference: number;
  readonly isRapidCommit: boolean;
  readonly status: number;
  /** Ours; `null` when the answer has none. */
  readonly association: DhcpV6Association | null;
  readonly dnsServers: readonly IpAddress[];
  readonly searchList: readonly string[];
  /** ms; 0: not said. */
  readonly solMaxRt: number;
  readonly infMaxRt: number;
  /** Seconds; -1: not said. */
  readonly refreshSec: number;
}

/**
 * Reads an answer to the client with `clientDuid`.
 * @returns `null` when it is not for that client, names no server, or has an association in which nothing makes sense
 */
export function readAnswer(
  { options, bytes }: DhcpV6Message,
  clientDuid: Uint8Array,
  iaid: number,
): DhcpV6Answer | null {
  const serverDuid = singleOption(options, DhcpV6Option.serverId);
  const clientId = singleOption(options, DhcpV6Option.clientId);
  if (!serverDuid || !isDuid(serverDuid) || !clientId || !isEqual(clientId, clientDuid)) return null;
  const association = associationOf(options, iaid);
  if (association === undefined) return null;
  const preference = singleOption(options, DhcpV6Option.preference);
  return {
    message: bytes,
    serverDuid,
    preference: preference?.length === 1 ? u8(preference, 0) : 0,
    isRapidCommit: singleOption(options, DhcpV6Option.rapidCommit)?.length === 0,
    status: statusOf(options),
    association,
    dnsServers: serversOf(singleOption(options, DhcpV6Option.dnsServers)),
    searchList: domainsOf(singleOption(options, DhcpV6Option.domainSearch)),
    solMaxRt: maxRtOf(singleOption(options, DhcpV6Option.solMaxRt)),
    infMaxRt: maxRtOf(singleOption(options, DhcpV6Option.infMaxRt)),
    refreshSec: secondsOf(singleOption(options, DhcpV6Option.informationRefreshTime)),
  };
}

/** The addresses of an association that a host can use. */
export function usableAddresses(association: DhcpV6Association | null): DhcpV6Address[] {
  if (association === null || association.status !== DhcpV6Status.success) return [];
  return association.addresses
    .filter((one) => one.status === DhcpV6Status.success && one.validSec > 0 && isUsable(one))
    .slice(0, MOST_ADDRESSES);
}

/** Whether the bytes are the same. */
export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Our IA_NA; `null` when there is none, `undefined` when it is malformed or its times are (§21.4, §21.6). */
function associationOf(
  options: readonly DhcpV6OptionValue[],
  iaid: number,
): DhcpV6Association | null | undefined {
  for (const { code, value } of options) {
    if (code !== DhcpV6Option.iaNa) continue;
    const association = parseAssociation(value);
    if (association === null) return undefined;
    if (association.iaid !== iaid) continue;
    const { t1Sec, t2Sec } = association;
    return t1Sec > t2Sec && t2Sec > 0 ? undefined : association;
  }
  return null;
}

/** Whether it is a host's, of more than the link, and its lifetimes are in order (§21.6). */
function isUsable({ address, preferredSec, validSec }: DhcpV6Address): boolean {
  const { w0, w1, w2 } = address;
  if (preferredSec > validSec || address.isMulticast || address.isLinkLocal) return false;
  // Unspecified, loopback and those that stand for IPv4 addresses.
  return !(w0 === 0 && w1 === 0 && (w2 === 0 || w2 === 0xffff));
}

function serversOf(value: Uint8Array | undefined | null): IpAddress[] {
  const found = value ? (parseV6Addresses(value) ?? []) : [];
  return found
    .filter((address) => !address.isAny && !address.isMulticast && !address.isLoopback)
    .slice(0, MOST_SERVERS);
}

function domainsOf(value: Uint8Array | undefined | null): string[] {
  const names = value ? (parseDomainNames(value, 0, value.length, false) ?? []) : [];
  return [...new Set(names)].slice(0, MOST_DOMAINS);
}

function secondsOf(value: Uint8Array | undefined | null): number {
  return value?.length === 4 ? i32(value, 0) >>> 0 : -1;
}

function maxRtOf(value: Uint8Array | undefined | null): number {
  const seconds = secondsOf(value);
  return seconds >= LEAST_MAX_RT && seconds <= MOST_MAX_RT ? seconds * 1000 : 0;
}
