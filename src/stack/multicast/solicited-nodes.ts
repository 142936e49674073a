/**
 * The solicited-node groups of an Ethernet interface's IPv6 addresses (RFC 4291 §2.7.1): joined as the addresses come, tentative
 * ones too, since switches that snoop would not let solicitations for them through (RFC 4862 §5.4.2).
 */

import { IpAddress } from '../../base/index.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Groups } from './groups.ts';
import { linkLocalOf } from './link-local.ts';

interface Joined {
  /** By the low 24 bits. */
  readonly groups: Map<number, IpAddress>;
  hasLinkLocal: boolean;
}

export class SolicitedNodes {
  readonly #groups: Groups;
  readonly #joined = new WeakMap<NetworkInterface, Joined>();

  constructor(groups: Groups) {
    this.#groups = groups;
  }

  /** Addresses or interfaces have changed. */
  changed(interfaces: readonly NetworkInterface[]): void {
    for (const iface of interfaces) if (iface.medium === 'ethernet') this.#update(iface);
  }

  #update(iface: NetworkInterface): void {
    const { index } = iface;
    const joined = this.#joined.get(iface) ?? { groups: new Map<number, IpAddress>(), hasLinkLocal: false };
    this.#joined.set(iface, joined);
    const wanted = new Set<number>();
    for (const { address, state } of iface.addresses) {
      if (address.family === 6 && state !== 'duplicate') wanted.add(address.w3 & 0xffffff);
    }
    for (const low of wanted) {
      if (joined.groups.has(low)) continue;
      const group = solicitedNode(low);
      joined.groups.set(low, group);
      this.#groups.joinLinkGroup(index, group);
    }
    for (const [low, group] of joined.groups) {
      if (wanted.has(low)) continue;
      joined.groups.delete(low);
      this.#groups.leaveLinkGroup(index, group);
    }
    const hasLinkLocal = linkLocalOf(iface) !== null;
    // RFC 3590 §4: reports from :: are not for routers; from now on they are.
    if (hasLinkLocal && !joined.hasLinkLocal) this.#groups.reportAll(index, 6);
    joined.hasLinkLocal = hasLinkLocal;
  }
}

/** ff02::1:ffXX:XXXX */
function solicitedNode(low: number): IpAddress {
  return new IpAddress(6, 0xff020000 | 0, 0, 1, 0xff000000 | low);
}
