/** An interface that configures itself, alone in virtual time; the test says what routers advertise. */

import { IpAddress, SeededRandom, TimerQueue } from '../../../../src/base/index.ts';
import { AddressLifetimes } from '../../../../src/stack/address-lifetimes.ts';
import { ConfigChange } from '../../../../src/stack/api.ts';
import { InterfaceAutoconf } from '../../../../src/stack/autoconf/interface-autoconf.ts';
import { StackCounters } from '../../../../src/stack/counters.ts';
import type { NetworkInterface } from '../../../../src/stack/interface.ts';
import type { NeighborHost } from '../../../../src/stack/neighbor/neighbor-host.ts';
import { Topology } from '../../../../src/stack/topology.ts';
import type { AdvertisedPrefix, RouterAdvertisement } from '../../../../src/wire/index.ts';

export const ip = (text: string): IpAddress => IpAddress.parse(text) as IpAddress;
export const HOUR = 3_600_000;

export class Lab implements NeighborHost {
  now = 0;
  readonly timers = new TimerQueue();
  readonly random = new SeededRandom(5);
  readonly counters = new StackCounters();
  readonly topology: Topology;
  readonly iface: NetworkInterface;
  readonly autoconf: InterfaceAutoconf;
  /** When routers were solicited, ms. */
  readonly solicited: number[] = [];
  /** M and O as they were told. */
  readonly flags: string[] = [];

  constructor(isTemporary = false) {
    const lifetimes: AddressLifetimes = new AddressLifetimes(this as never);
    this.topology = new Topology(this.random, new Uint8Array(16), this, (changes) => {
      if ((changes & ConfigChange.addresses) !== 0) lifetimes.changed();
    });
    this.iface = this.topology.addInterface({ name: 'eth', mtu: 1500 });
    const seed = { secret: new Uint8Array(16).fill(3), interfaceName: 'eth' };
    this.autoconf = new InterfaceAutoconf(
      this,
      this.topology,
      this.iface,
      { seed, isTemporary },
      {
        solicitRouters: () => void this.solicited.push(this.now),
        flags: (_index, isManaged, hasOther) => void this.flags.push(`${isManaged} ${hasOther}`),
        parameters: () => {},
      },
    );
  }

  /** Lets `ms` pass, with the timers on the way. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.timers.next <= end) {
      this.now = Math.max(this.now, this.timers.next);
      this.timers.run(this.now);
    }
    this.now = end;
  }

  requestFirst(): void {}

  undeliverable(): void {}

  neighborFailed(): void {}

  neighborAnswered(): void {}

  /** An advertisement of fe80::1 arrives. */
  hear(fields: Partial<RouterAdvertisement> = {}): boolean {
    return this.autoconf.advertised({ ...SILENT, ...fields });
  }

  /** Addresses in use, as `address/length state`. */
  get addresses(): string[] {
    return this.iface.addresses.map((held) => `${held.address}/${held.prefixLength} ${held.state}`);
  }

  /** Routes as `destination via gateway metric`. */
  get routes(): string[] {
    return this.topology.routes.routes
      .filter((route) => route.interfaceIndex === this.iface.index)
      .map((route) => `${route.destination}/${route.prefixLength} via ${route.gateway} ${route.metric}`);
  }
}

export const SILENT: RouterAdvertisement = {
  router: new IpAddress(6, 0xfe800000 | 0, 0, 0, 1, 2),
  hopLimit: 0,
  isManaged: false,
  hasOtherConfig: false,
  preference: 'medium',
  lifetime: 1_800_000,
  reachableTime: 0,
  retransTimer: 0,
  mtu: 0,
  prefixes: [],
  routes: [],
  nameServers: [],
  searchLists: [],
};

/** A /64 that is on the link and autonomous, for a day and for half of it. */
export function prefix(text: string, fields: Partial<AdvertisedPrefix> = {}): AdvertisedPrefix {
  return {
    prefix: ip(text),
    length: 64,
    isOnLink: true,
    isAutonomous: true,
    validLifetime: 24 * HOUR,
    preferredLifetime: 12 * HOUR,
    ...fields,
  };
}
