/**
 * What a router advertises (RFC 4861 §4.2), with the options of RFC 4191 and RFC 8106, in values: rare enough to be an object.
 * Lifetimes are ms, `Infinity` for the all-ones value. An option whose content is not right is passed over; the others count.
 */

import { IpAddress, i32, u8, u16 } from '../base/index.ts';
import { parseDomainNames } from './domain-names.ts';
import { NdpOption, nextNdpOption, ROUTER_ADVERTISEMENT_LEN } from './ndp.ts';

/** RFC 4191 §2.1; the reserved value counts as `medium`. */
export type RouterPreference = 'low' | 'medium' | 'high';

/** Prefix Information (RFC 4861 §4.6.2). */
export interface AdvertisedPrefix {
  readonly prefix: IpAddress;
  readonly length: number;
  readonly isOnLink: boolean;
  readonly isAutonomous: boolean;
  readonly validLifetime: number;
  readonly preferredLifetime: number;
}

/** Route Information (RFC 4191 §2.3). */
export interface AdvertisedRoute {
  readonly prefix: IpAddress;
  readonly length: number;
  readonly preference: RouterPreference;
  readonly lifetime: number;
}

export interface RouterAdvertisement {
  /** The router's link-local address, its zone the interface. */
  readonly router: IpAddress;
  /** 0: not said. */
  readonly hopLimit: number;
  /** M: addresses are to be had by DHCPv6. */
  readonly isManaged: boolean;
  /** O: other configuration is. */
  readonly hasOtherConfig: boolean;
  readonly preference: RouterPreference;
  /** 0: it is no default router. */
  readonly lifetime: number;
  /** Of neighbour unreachability detection, ms; 0: not said. */
  readonly reachableTime: number;
  readonly retransTimer: number;
  /** 0: not said. */
  readonly mtu: number;
  readonly prefixes: readonly AdvertisedPrefix[];
  readonly routes: readonly AdvertisedRoute[];
  /** RFC 8106. */
  readonly nameServers: readonly { readonly servers: readonly IpAddress[]; readonly lifetime: number }[];
  readonly searchLists: readonly { readonly domains: readonly string[]; readonly lifetime: number }[];
}

/** Of the second byte behind the hop limit. */
const FLAG_MANAGED = 0x80;
const FLAG_OTHER = 0x40;
/** Of a Prefix Information option. */
const FLAG_ON_LINK = 0x80;
const FLAG_AUTONOMOUS = 0x40;

const PREFIX_OPTION_LEN = 32;
const MTU_OPTION_LEN = 8;
/** Before the servers or domains of RFC 8106's options. */
const DNS_OPTION_HEADER = 8;
const ADDRESS_LEN = 16;

/**
 * Reads the advertisement `at … end`, after `parseNdp` has found nothing wrong with it.
 * @param router whom it came from
 */
export function readRouterAdvertisement(
  bytes: Uint8Array,
  at: number,
  end: number,
  router: IpAddress,
): RouterAdvertisement {
  const flags = u8(bytes, at + 5);
  const prefixes: AdvertisedPrefix[] = [];
  const routes: AdvertisedRoute[] = [];
  const nameServers: { servers: IpAddress[]; lifetime: number }[] = [];
  const searchLists: { domains: string[]; lifetime: number }[] = [];
  let mtu = 0;
  for (let option = at + ROUTER_ADVERTISEMENT_LEN; option < end; option = nextNdpOption(bytes, option)) {
    const length = nextNdpOption(bytes, option) - option;
    switch (u8(bytes, option)) {
      case NdpOption.mtu:
        if (length === MTU_OPTION_LEN) mtu = i32(bytes, option + 4) >>> 0;
        break;
      case NdpOption.prefixInformation:
        if (length === PREFIX_OPTION_LEN) add(prefixes, readPrefix(bytes, option));
        break;
      case NdpOption.routeInformation:
        add(routes, readRoute(bytes, option, length));
        break;
      case NdpOption.recursiveDnsServer:
        add(nameServers, readServers(bytes, option, length, router.zone));
        break;
      case NdpOption.dnsSearchList:
        add(searchLists, readDomains(bytes, option, length));
        break;
      default:
        break;
    }
  }
  const lifetime = 1000 * u16(bytes, at + 6);
  return {
    router,
    hopLimit: u8(bytes, at + 4),
    isManaged: (flags & FLAG_MANAGED) !== 0,
    hasOtherConfig: (flags & FLAG_OTHER) !== 0,
    // RFC 4191 §2.2: it means nothing for who is no default router.
    preference: lifetime === 0 ? 'medium' : preferenceOf(flags),
    lifetime,
    reachableTime: i32(bytes, at + 8) >>> 0,
    retransTimer: i32(bytes, at + 12) >>> 0,
    ...{ mtu, prefixes, routes, nameServers, searchLists },
  };
}

function add<T>(to: T[], value: T | null): void {
  if (value !== null) to.push(value);
}

function readPrefix(bytes: Uint8Array, at: number): AdvertisedPrefix | null {
  const length = u8(bytes, at + 2);
  if (length > 128) return null;
  const flags = u8(bytes, at + 3);
  return {
    prefix: prefixAt(bytes, at + 16, ADDRESS_LEN, length),
    length,
    isOnLink: (flags & FLAG_ON_LINK) !== 0,
    isAutonomous: (flags & FLAG_AUTONOMOUS) !== 0,
    validLifetime: lifetimeAt(bytes, at + 4),
    preferredLifetime: lifetimeAt(bytes, at + 8),
  };
}

/** RFC 4191 §2.3: the prefix has 0, 8 or 16 bytes; one with the reserved preference is passed over. */
function readRoute(bytes: Uint8Array, at: number, size: number): AdvertisedRoute | null {
  const length = u8(bytes, at + 2);
  const flags = u8(bytes, at + 3);
  if (length > 128 || size > 24 || size < 8 + 8 * Math.ceil(length / 64)) return null;
  if ((flags & PREFERENCE_MASK) === PREFERENCE_RESERVED) return null;
  return {
    prefix: prefixAt(bytes, at + 8, size - 8, length),
    length,
    preference: preferenceOf(flags),
    lifetime: lifetimeAt(bytes, at + 4),
  };
}

/** RFC 8106 §5.1. Link-local servers are in the router's zone. */
function readServers(
  bytes: Uint8Array,
  at: number,
  size: number,
  zone: number,
): { servers: IpAddress[]; lifetime: number } | null {
  const count = (size - DNS_OPTION_HEADER) / ADDRESS_LEN;
  if (count < 1 || !Number.isInteger(count)) return null;
  const servers: IpAddress[] = [];
  for (let i = 0; i < count; i++) {
    const found = addressAt(bytes, at + DNS_OPTION_HEADER + i * ADDRESS_LEN, ADDRESS_LEN);
    if (found.isAny || found.isMulticast || found.isLoopback) continue;
    servers.push(found.isScoped ? found.inZone(zone) : found);
  }
  return { servers, lifetime: lifetimeAt(bytes, at + 4) };
}

/** RFC 8106 §5.2: names without compression, padded with zeros. */
function readDomains(
  bytes: Uint8Array,
  at: number,
  size: number,
): { domains: string[]; lifetime: number } | null {
  const domains = parseDomainNames(bytes, at + DNS_OPTION_HEADER, at + size, false);
  if (domains === null || domains.length === 0) return null;
  return { domains, lifetime: lifetimeAt(bytes, at + 4) };
}

const PREFERENCE_MASK = 0x18;
const PREFERENCE_RESERVED = 0x10;

function preferenceOf(flags: number): RouterPreference {
  const bits = flags & PREFERENCE_MASK;
  if (bits === 0x08) return 'high';
  return bits === 0x18 ? 'low' : 'medium';
}

/** Seconds in 32 bits, as ms. */
function lifetimeAt(bytes: Uint8Array, at: number): number {
  const seconds = i32(bytes, at) >>> 0;
  return seconds === 0xffffffff ? Number.POSITIVE_INFINITY : 1000 * seconds;
}

/** The address whose first `size` bytes are at `at`; the others are 0. */
function addressAt(bytes: Uint8Array, at: number, size: number): IpAddress {
  const word = (i: number): number => (4 * i + 4 <= size ? i32(bytes, at + 4 * i) : 0);
  return new IpAddress(6, word(0), word(1), word(2), word(3));
}

/** As {@link addressAt}, all bits past the first `length` cleared: routers must, but need not (RFC 4861 §4.6.2). */
function prefixAt(bytes: Uint8Array, at: number, size: number, length: number): IpAddress {
  const { w0, w1, w2, w3 } = addressAt(bytes, at, size);
  const mask = (bits: number): number => (bits <= 0 ? 0 : bits >= 32 ? -1 : -1 << (32 - bits));
  return new IpAddress(
    6,
    w0 & mask(length),
    w1 & mask(length - 32),
    w2 & mask(length - 64),
    w3 & mask(length - 96),
  );
}
