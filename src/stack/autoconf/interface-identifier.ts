/**
 * The lower half of an IPv6 address: opaque and stable in one network (RFC 7217), random (RFC 8981), or made of the hardware
 * address (RFC 4291 appendix A).
 */

import { IpAddress, i32, i32le, type Random } from '../../base/index.ts';
import { sipBlock, sipFinish, sipResult, sipStart } from '../tcp/siphash.ts';

/** RFC 7217 §7: IDGEN_RETRIES, and RFC 8981 §3.8: TEMP_IDGEN_RETRIES: addresses that are tried after one was a duplicate. */
export const IDGEN_RETRIES = 3;

/** What an opaque identifier is derived from, besides the prefix (RFC 7217 §5). */
export interface IdentifierSeed {
  /** At least 16 bytes; the identifiers are as stable as it is. */
  readonly secret: Uint8Array;
  /** Net_Iface: the name, which outlives a change of hardware. */
  readonly interfaceName: string;
}

/** RFC 7217 §5: F(Prefix, Net_Iface, DAD_Counter, secret_key). A reserved identifier counts as one more collision. */
export function opaqueAddress(seed: IdentifierSeed, prefix: IpAddress, dadCounter: number): IpAddress {
  const { secret, interfaceName } = seed;
  for (let counter = dadCounter; ; counter++) {
    sipStart(i32le(secret, 0), i32le(secret, 4), i32le(secret, 8), i32le(secret, 12));
    sipBlock(prefix.w0, prefix.w1);
    for (let i = 0; i < interfaceName.length; i++) sipBlock(i, interfaceName.charCodeAt(i));
    sipBlock(interfaceName.length << 24, counter);
    sipFinish();
    const { high, low } = sipResult;
    if (!isReserved(high, low)) return withIdentifier(prefix, high, low);
  }
}

/** RFC 8981 §3.3.1: a random identifier. */
export function randomAddress(random: Random, prefix: IpAddress): IpAddress {
  for (;;) {
    const high = random.next();
    const low = random.next();
    if (!isReserved(high, low)) return withIdentifier(prefix, high, low);
  }
}

/** RFC 4291 appendix A: the modified EUI-64 of six bytes. */
export function hardwareAddress(mac: Uint8Array, prefix: IpAddress): IpAddress {
  const high = i32(mac, 0);
  return withIdentifier(
    prefix,
    ((high & ~0xff) ^ 0x02000000) | 0xff,
    (0xfe << 24) | ((high & 0xff) << 16) | 0 | (((mac[4] as number) << 8) | (mac[5] as number)),
  );
}

/** fe80::/64 of an interface. */
export function linkLocalPrefix(zone: number): IpAddress {
  return new IpAddress(6, 0xfe800000 | 0, 0, 0, 0, zone);
}

function withIdentifier(prefix: IpAddress, high: number, low: number): IpAddress {
  return new IpAddress(6, prefix.w0, prefix.w1, high, low, prefix.zone);
}

/** RFC 5453: subnet-router anycast, the proxy mobile and ISATAP-like block of IANA, and reserved subnet anycast addresses. */
function isReserved(high: number, low: number): boolean {
  if (high === 0 && low === 0) return true;
  if (high === (0x02005eff | 0) && low >>> 24 === 0xfe) return true;
  return high === (0xfdffffff | 0) && low >>> 7 === 0x1ffffff;
}
