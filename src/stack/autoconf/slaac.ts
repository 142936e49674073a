/**
 * Stateless address autoconfiguration (RFC 4862 §5.5): for each prefix that a router says is autonomous one address that is stable
 * in that network (RFC 7217) and, where wanted, temporary ones (RFC 8981). The addresses' lifetimes are kept by
 * `AddressLifetimes`; here is who makes them, renews them and makes others when one turns out to be a duplicate.
 */

import { IpAddress, type Random } from '../../base/index.ts';
import type { AdvertisedPrefix } from '../../wire/index.ts';
import type { AddressOrigin } from '../api.ts';
import type { InterfaceAddress, NetworkInterface } from '../interface.ts';
import type { Topology } from '../topology.ts';
import { IDGEN_RETRIES, type IdentifierSeed, opaqueAddress } from './interface-identifier.ts';
import type { Holding, Part } from './lifetime.ts';
import { TemporaryAddresses } from './temporary.ts';

/** Interface identifiers have 64 bits (RFC 4291 §2.5.1): prefixes of another length make no address (§5.5.3 d). */
const PREFIX_LENGTH = 64;
/** Most prefixes with addresses of ours on an interface; what comes on top is ignored. */
const MAX_PREFIXES = 16;
/** §5.5.3 e: nobody shortens a valid lifetime to less by an advertisement that may be forged, ms. */
const TWO_HOURS = 7_200_000;

/** A prefix that addresses were made of. */
interface AutonomousPrefix {
  readonly prefix: IpAddress;
  stable: IpAddress;
  dadCounter: number;
  readonly temporaries: TemporaryAddresses | null;
}

export interface SlaacOptions {
  readonly seed: IdentifierSeed;
  /** Whether temporary addresses are made too. */
  readonly isTemporary: boolean;
}

export class Slaac implements Part, Holding {
  readonly #topology: Topology;
  readonly #interface: NetworkInterface;
  readonly #random: Random;
  readonly #options: SlaacOptions;
  readonly #prefixes: AutonomousPrefix[] = [];

  constructor(topology: Topology, iface: NetworkInterface, random: Random, options: SlaacOptions) {
    this.#topology = topology;
    this.#interface = iface;
    this.#random = random;
    this.#options = options;
  }

  /** §5.5.3: works off one Prefix Information option. */
  advertised(option: AdvertisedPrefix, now: number): void {
    const { prefix, length, validLifetime, preferredLifetime } = option;
    if (!option.isAutonomous || preferredLifetime > validLifetime || length !== PREFIX_LENGTH) return;
    // No router gives what the link has by itself; and no host has a group's address, or one beside :: and those of IPv4.
    if (prefix.isLinkLocal || prefix.isMulticast || (prefix.w0 === 0 && prefix.w1 === 0)) return;
    const known = this.#prefixes.find((held) => held.prefix.w0 === prefix.w0 && held.prefix.w1 === prefix.w1);
    if (known === undefined) {
      if (validLifetime > 0 && this.#prefixes.length < MAX_PREFIXES) this.#begin(option, now);
      return;
    }
    const stable = this.#interface.find(known.stable);
    if (stable !== null) renew(stable, option, now);
    known.temporaries?.renew(validLifetime, preferredLifetime, now);
    this.#topology.addressesChanged();
  }

  /**
   * An address of ours turned out to be somebody else's (§5.4.5): it goes, and another one is tried, a few times.
   * @returns whether it was one that was made here
   */
  duplicateFound(address: IpAddress, now: number): boolean {
    for (const entry of this.#prefixes) {
      if (entry.temporaries?.duplicateFound(address, now) === true) return true;
      if (!entry.stable.equals(address)) continue;
      const held = this.#interface.find(address);
      if (held === null || entry.dadCounter >= IDGEN_RETRIES) return true;
      const { validUntil, preferredUntil } = held;
      this.#topology.removeAddress(this.#interface.index, address);
      entry.stable = opaqueAddress(this.#options.seed, entry.prefix, ++entry.dadCounter);
      this.#add(entry.stable, 'router', validUntil, preferredUntil);
      return true;
    }
    return false;
  }

  clear(): void {
    for (const entry of this.#prefixes) {
      this.#topology.removeAddress(this.#interface.index, entry.stable);
      entry.temporaries?.clear();
    }
    this.#prefixes.length = 0;
  }

  run(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of [...this.#prefixes]) {
      // The address has come to its end, or the user has taken it away.
      if (this.#interface.find(entry.stable) === null)
        this.#prefixes.splice(this.#prefixes.indexOf(entry), 1);
      else if (entry.temporaries !== null) next = Math.min(next, entry.temporaries.run(now));
    }
    return next;
  }

  #begin({ prefix, validLifetime, preferredLifetime }: AdvertisedPrefix, now: number): void {
    const network = new IpAddress(6, prefix.w0, prefix.w1, 0, 0);
    const stable = opaqueAddress(this.#options.seed, network, 0);
    // The user has set this very address: it stays the user's.
    if (this.#interface.find(stable) !== null) return;
    const add = (address: IpAddress, origin: AddressOrigin, valid: number, preferred: number): void =>
      this.#add(address, origin, valid, preferred);
    const temporaries = this.#options.isTemporary
      ? new TemporaryAddresses(network, this.#topology, this.#interface, this.#random, add)
      : null;
    this.#prefixes.push({ prefix: network, stable, dadCounter: 0, temporaries });
    this.#add(stable, 'router', now + validLifetime, now + preferredLifetime);
    temporaries?.renew(validLifetime, preferredLifetime, now);
  }

  /** On-link prefixes have routes of their own (see `prefixes.ts`): none comes with an address. */
  #add(address: IpAddress, origin: AddressOrigin, validUntil: number, preferredUntil: number): void {
    const prefix = `${address}/${PREFIX_LENGTH}`;
    const options = { origin, validUntil, preferredUntil, isOnLink: false };
    this.#topology.addAddress(this.#interface.index, prefix, options);
  }
}

/** §5.5.3 e. */
function renew(held: InterfaceAddress, option: AdvertisedPrefix, now: number): void {
  const { validLifetime, preferredLifetime } = option;
  const remaining = held.validUntil - now;
  held.preferredUntil = now + preferredLifetime;
  if (validLifetime > TWO_HOURS || validLifetime > remaining) held.validUntil = now + validLifetime;
  else if (remaining > TWO_HOURS) held.validUntil = now + TWO_HOURS;
}
