/**
 * Makes what a DHCPv6 server grants or tells the interface's configuration, and takes it away again.
 *
 * An address comes without a prefix: what is on the link, and where everything else goes, is for routers to say (RFC 8415 §18.2.10.1).
 */

import type { IpAddress } from '../../../base/index.ts';
import type { Topology } from '../../topology.ts';
import type { DhcpV6LeasedAddress } from '../status.ts';

const WHOLE = 128;

export class V6Configuration {
  readonly #topology: Topology;
  readonly #index: number;
  #addresses: readonly IpAddress[] = [];

  constructor(topology: Topology, interfaceIndex: number) {
    this.#topology = topology;
    this.#index = interfaceIndex;
  }

  /** These addresses in the place of those before. One that is there already only gets new lifetimes. */
  setAddresses(leased: readonly DhcpV6LeasedAddress[]): void {
    const iface = this.#topology.find(this.#index);
    // The interface may be gone, and everything with it.
    if (iface === null) return;
    for (const old of this.#addresses) {
      if (!leased.some(({ address }) => address.equals(old))) this.#topology.removeAddress(this.#index, old);
    }
    for (const { address, validUntil, preferredUntil } of leased) {
      const held = iface.find(address);
      if (held === null) {
        const options = { origin: 'dhcp', validUntil, preferredUntil, isOnLink: false } as const;
        this.#topology.addAddress(this.#index, `${address}/${WHOLE}`, options);
      } else if (held.origin === 'dhcp') {
        held.validUntil = validUntil;
        held.preferredUntil = preferredUntil;
        this.#topology.addressesChanged();
      }
    }
    this.#addresses = leased.map(({ address }) => address);
  }

  setNames(servers: readonly IpAddress[], searchList: readonly string[]): void {
    const iface = this.#topology.find(this.#index);
    const held = iface?.names.find(({ origin }) => origin === 'dhcpv6');
    const before = `${held?.servers ?? ''} ${held?.searchList ?? ''}`;
    if (iface === null || before === `${servers} ${searchList}`) return;
    this.#topology.setNames(this.#index, { origin: 'dhcpv6', servers, searchList });
  }

  remove(): void {
    this.setAddresses([]);
    this.setNames([], []);
  }
}
