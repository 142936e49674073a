/**
 * Temporary addresses of one prefix (RFC 8981): random, used for a day, valid for two, and replaced in time by the next.
 */

import type { IpAddress, Random } from '../../base/index.ts';
import type { AddressOrigin } from '../api.ts';
import type { NetworkInterface } from '../interface.ts';
import type { Topology } from '../topology.ts';
import { IDGEN_RETRIES, randomAddress } from './interface-identifier.ts';
import type { Holding, Part } from './lifetime.ts';

const HOUR = 3_600_000;
/** §3.8, ms. */
const TEMP_VALID_LIFETIME = 48 * HOUR;
const TEMP_PREFERRED_LIFETIME = 24 * HOUR;
/** §3.8: MAX_DESYNC_FACTOR, so that not all hosts of a network change addresses at once. */
const MAX_DESYNC_FACTOR = 0.4 * TEMP_PREFERRED_LIFETIME;
/** §3.8: REGEN_ADVANCE = 2 s + TEMP_IDGEN_RETRIES × DupAddrDetectTransmits × RetransTimer, of the default values, ms. */
const REGEN_ADVANCE = 5000;

interface TemporaryAddress {
  readonly address: IpAddress;
  readonly createdAt: number;
  /** §3.4: how much earlier than after a day it stops to be preferred. */
  readonly desync: number;
}

/** Adds an address to the interface, with the ends of its two lifetimes. */
export type AddTemporary = (
  address: IpAddress,
  origin: AddressOrigin,
  validUntil: number,
  preferredUntil: number,
) => void;

export class TemporaryAddresses implements Part, Holding {
  readonly #prefix: IpAddress;
  readonly #topology: Topology;
  readonly #interface: NetworkInterface;
  readonly #random: Random;
  readonly #add: AddTemporary;
  #addresses: TemporaryAddress[] = [];
  /** Until when the prefix is valid and preferred. */
  #validUntil = 0;
  #preferredUntil = 0;
  #retries = 0;

  constructor(
    prefix: IpAddress,
    topology: Topology,
    iface: NetworkInterface,
    random: Random,
    add: AddTemporary,
  ) {
    this.#prefix = prefix;
    this.#topology = topology;
    this.#interface = iface;
    this.#random = random;
    this.#add = add;
  }

  /** §3.4 step 1 and 2: the prefix was advertised; the lifetimes of its addresses never grow past their own. */
  renew(validLifetime: number, preferredLifetime: number, now: number): void {
    this.#validUntil = now + validLifetime;
    this.#preferredUntil = now + preferredLifetime;
    for (const held of this.#addresses) {
      const entry = this.#interface.find(held.address);
      if (entry === null) continue;
      entry.validUntil = this.#validEnd(held);
      entry.preferredUntil = this.#preferredEnd(held);
    }
    this.run(now);
  }

  /** @returns whether it was one of these */
  duplicateFound(address: IpAddress, now: number): boolean {
    if (!this.#addresses.some((held) => held.address.equals(address))) return false;
    this.#addresses = this.#addresses.filter((held) => !held.address.equals(address));
    this.#topology.removeAddress(this.#interface.index, address);
    // §3.4 step 7: after three more it is given up.
    if (this.#retries++ < IDGEN_RETRIES) this.#create(now);
    return true;
  }

  clear(): void {
    for (const { address } of this.#addresses) this.#topology.removeAddress(this.#interface.index, address);
    this.#addresses = [];
  }

  /** §3.5: the next address is made a little before the last one stops to be preferred. */
  run(now: number): number {
    this.#addresses = this.#addresses.filter((held) => this.#interface.find(held.address) !== null);
    if (this.#retries > IDGEN_RETRIES) return Number.POSITIVE_INFINITY;
    const last = this.#addresses.at(-1);
    if (last !== undefined && this.#preferredEnd(last) - REGEN_ADVANCE > now) {
      return this.#preferredEnd(last) - REGEN_ADVANCE;
    }
    const made = this.#create(now);
    return made === null ? Number.POSITIVE_INFINITY : this.#preferredEnd(made) - REGEN_ADVANCE;
  }

  /** §3.4 steps 3 to 5. @returns `null` when it would not be preferred for long enough */
  #create(now: number): TemporaryAddress | null {
    const desync = ((this.#random.next() >>> 0) / 2 ** 32) * MAX_DESYNC_FACTOR;
    const made = { address: randomAddress(this.#random, this.#prefix), createdAt: now, desync };
    if (this.#preferredEnd(made) - now <= REGEN_ADVANCE) return null;
    this.#addresses.push(made);
    this.#add(made.address, 'temporary', this.#validEnd(made), this.#preferredEnd(made));
    return made;
  }

  #validEnd({ createdAt }: TemporaryAddress): number {
    return Math.min(this.#validUntil, createdAt + TEMP_VALID_LIFETIME);
  }

  #preferredEnd({ createdAt, desync }: TemporaryAddress): number {
    return Math.min(this.#preferredUntil, createdAt + TEMP_PREFERRED_LIFETIME - desync);
  }
}
