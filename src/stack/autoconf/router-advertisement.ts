/**
 * What a router advertises (RFC 4861 §4.2), checked and in values: rare enough to be an object. Lifetimes are ms, `Infinity` for
 * the all-ones value.
 */

import type { IpAddress } from '../../base/index.ts';

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
