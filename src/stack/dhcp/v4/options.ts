/**
 * What the options of a DHCPv4 message say (RFC 2132, RFC 3442, RFC 3397). A value that can't be is as good as none: the
 * functions answer nothing for it. Lists are cut to what a host can use.
 */

import { IpAddress, i32, prefixMask, u8, u16 } from '../../../base/index.ts';
import { DhcpV4Option, isDomainName, parseDomainNames } from '../../../wire/index.ts';
import type { DhcpV4Route } from '../status.ts';

export type DhcpV4Options = ReadonlyMap<number, Uint8Array>;

/** Most of a server's lists that are used. */
const MOST_SERVERS = 8;
const MOST_ROUTES = 64;
const MOST_DOMAINS = 16;
/** The shortest mask that is believed: a larger subnet would swallow what lies beyond the router. */
const SHORTEST_PREFIX = 8;

/** A single address that a host can have; `null` when there is none. */
export function hostAddress(options: DhcpV4Options, code: number): IpAddress | null {
  const value = options.get(code);
  return value?.length === 4 && isHostWord(i32(value, 0)) ? IpAddress.v4(i32(value, 0)) : null;
}

/** A list of hosts' addresses without those that are none, and without repetitions. */
export function hostAddresses(options: DhcpV4Options, code: number): IpAddress[] {
  const value = options.get(code);
  if (value === undefined || value.length % 4 !== 0) return [];
  const words = new Set<number>();
  for (let at = 0; at < value.length && words.size < MOST_SERVERS; at += 4) {
    const word = i32(value, at);
    if (isHostWord(word)) words.add(word);
  }
  return [...words].map((word) => IpAddress.v4(word));
}

/** A 32-bit number of seconds; -1 when there is none. */
export function seconds(options: DhcpV4Options, code: number): number {
  const value = options.get(code);
  return value?.length === 4 ? i32(value, 0) >>> 0 : -1;
}

/** A 16-bit number; 0 when there is none. */
export function shortNumber(options: DhcpV4Options, code: number): number {
  const value = options.get(code);
  return value?.length === 2 ? u16(value, 0) : 0;
}

/**
 * The length of the subnet mask for `address`: its class's when the server says none (RFC 950).
 * @returns -1 when the mask has a hole, or is shorter than is believed
 */
export function maskLength(options: DhcpV4Options, address: number): number {
  const value = options.get(DhcpV4Option.subnetMask);
  if (value === undefined) return address >>> 31 === 0 ? 8 : address >>> 30 === 2 ? 16 : 24;
  if (value.length !== 4) return -1;
  const mask = i32(value, 0);
  const length = Math.clz32(~mask);
  return length >= SHORTEST_PREFIX && mask === prefixMask(length) ? length : -1;
}

/** The domain that the host is in; empty when there is none. */
export function domainName(options: DhcpV4Options): string {
  const value = options.get(DhcpV4Option.domainName);
  if (value === undefined) return '';
  // Some servers end it with a zero byte (RFC 2132 §2), some with a dot.
  const text = String.fromCharCode(...value.subarray(0, 256)).replace(/\.?\0*$/, '');
  return isDomainName(text) ? text : '';
}

/** Domains to be searched (RFC 3397). */
export function searchList(options: DhcpV4Options): string[] {
  const value = options.get(DhcpV4Option.domainSearch);
  const names = value === undefined ? [] : (parseDomainNames(value, 0, value.length, true) ?? []);
  return [...new Set(names)].slice(0, MOST_DOMAINS);
}

/**
 * Routes of any prefix length (RFC 3442). Those to loopback and multicast addresses are left out.
 * @returns `null` when there is no such option, or it is malformed: then `routers` count
 */
export function classlessRoutes(options: DhcpV4Options): DhcpV4Route[] | null {
  const value = options.get(DhcpV4Option.classlessRoutes);
  if (value === undefined || value.length === 0) return null;
  const routes: DhcpV4Route[] = [];
  let at = 0;
  while (at < value.length) {
    const prefixLength = u8(value, at++);
    const significant = (prefixLength + 7) >> 3;
    if (prefixLength > 32 || at + significant + 4 > value.length) return null;
    let word = 0;
    for (let i = 0; i < significant; i++) word |= u8(value, at + i) << (24 - 8 * i);
    const gateway = i32(value, at + significant);
    at += significant + 4;
    // Bits past the prefix are to be cleared (RFC 3442, "DHCP Client Behavior").
    word &= prefixMask(prefixLength);
    const isUsable = gateway === 0 || isHostWord(gateway);
    if (!isUsable || word >>> 24 === 127 || word >>> 28 >= 0xe || routes.length === MOST_ROUTES) continue;
    routes.push({
      destination: IpAddress.v4(word),
      prefixLength,
      gateway: gateway === 0 ? null : IpAddress.v4(gateway),
    });
  }
  return routes;
}

/** Whether the address in `word` can be a host's: RFC 1122 §3.2.1.3. */
export function isHostWord(word: number): boolean {
  const first = word >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}
