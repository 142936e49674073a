/**
 * The link-local address that every IPv6 interface has (RFC 4291 §2.1, RFC 4862 §5.3): opaque (RFC 7217), or made of the hardware
 * address. One that somebody else has is replaced, a few times.
 */

import type { IpAddress } from '../../base/index.ts';
import type { Ipv6Options } from '../api.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Topology } from '../topology.ts';
import {
  hardwareAddress,
  IDGEN_RETRIES,
  type IdentifierSeed,
  linkLocalPrefix,
  opaqueAddress,
} from './interface-identifier.ts';

const PREFIX_LENGTH = 64;

interface Entry {
  address: IpAddress;
  dadCounter: number;
  readonly isOpaque: boolean;
}

export class Ipv6LinkLocal {
  readonly #topology: Topology;
  readonly #secret: Uint8Array;
  readonly #entries = new Map<number, Entry>();

  constructor(topology: Topology, secret: Uint8Array) {
    this.#topology = topology;
    this.#secret = secret;
    topology.duplicates.onDuplicate((index, address) => this.#duplicate(index, address));
  }

  /** Gives the interface its address. @throws {RangeError} when there is no such interface, or its MTU is too small */
  enable(index: number, { identifier = 'opaque' }: Ipv6Options = {}): void {
    const iface = this.#topology.interface(index);
    if (iface.isLoopback || this.#entries.has(index)) return;
    const isOpaque = identifier === 'opaque' || iface.mac === null;
    const address = this.#make(iface, isOpaque, 0);
    this.#add(index, address);
    this.#entries.set(index, { address, dadCounter: 0, isOpaque });
  }

  /** Takes it away again. */
  disable(index: number): void {
    const entry = this.#entries.get(index);
    this.#entries.delete(index);
    if (entry !== undefined && this.#topology.find(index) !== null) {
      this.#topology.removeAddress(index, entry.address);
    }
  }

  /** RFC 4862 §5.4.5: without a link-local address of its own there is no IPv6 on the interface. */
  #duplicate(index: number, address: IpAddress): void {
    const entry = this.#entries.get(index);
    const iface = this.#topology.find(index);
    if (entry === undefined || iface === null || !entry.address.equals(address)) return;
    if (!entry.isOpaque || entry.dadCounter >= IDGEN_RETRIES) return;
    this.#topology.removeAddress(index, address);
    entry.address = this.#make(iface, true, ++entry.dadCounter);
    this.#add(index, entry.address);
  }

  #add(index: number, address: IpAddress): void {
    this.#topology.addAddress(index, `${address}/${PREFIX_LENGTH}`, { origin: 'linkLocal' });
  }

  #make(iface: NetworkInterface, isOpaque: boolean, dadCounter: number): IpAddress {
    const prefix = linkLocalPrefix(iface.index);
    if (!isOpaque && iface.mac !== null) return hardwareAddress(iface.mac, prefix);
    const seed: IdentifierSeed = { secret: this.#secret, interfaceName: iface.name };
    return opaqueAddress(seed, linkLocalPrefix(0), dadCounter).inZone(iface.index);
  }
}
