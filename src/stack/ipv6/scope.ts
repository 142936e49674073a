/**
 * Scopes of addresses (RFC 4291 §2.7, RFC 4007 §4, RFC 6724 §3.1), as numbers that can be compared.
 */

import type { IpAddress } from '../../base/index.ts';

/** The values of a multicast address's scope field, which unicast addresses are compared with. */
export const Scope = {
  interfaceLocal: 1,
  linkLocal: 2,
  siteLocal: 5,
  organizationLocal: 8,
  global: 14,
} as const;

/** The scope of an address of either family; RFC 6724 §3.2: IPv4's link-local and loopback addresses are link-local. */
export function scopeOf(address: IpAddress): number {
  if (address.isV4Mapped || address.family === 4) {
    const isLocal = address.w3 >>> 24 === 127 || address.w3 >>> 16 === 0xa9fe;
    return isLocal ? Scope.linkLocal : Scope.global;
  }
  if (address.isMulticast) return (address.w0 >>> 16) & 0xf;
  if (address.isLinkLocal || address.isLoopback) return Scope.linkLocal;
  // RFC 3879: fec0::/10 is no more, but RFC 6724 §3.1 keeps its scope.
  return address.w0 >>> 22 === 0x3fb ? Scope.siteLocal : Scope.global;
}

/** RFC 6724 §2.2: how many leading bits two addresses have in common. */
export function commonPrefixLength(a: IpAddress, b: IpAddress): number {
  if (a.w0 !== b.w0) return Math.clz32(a.w0 ^ b.w0);
  if (a.w1 !== b.w1) return 32 + Math.clz32(a.w1 ^ b.w1);
  if (a.w2 !== b.w2) return 64 + Math.clz32(a.w2 ^ b.w2);
  return 96 + Math.clz32(a.w3 ^ b.w3);
}
