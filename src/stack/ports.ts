/**
 * Which ports are taken, and whether another may share one: the bind matrices of Winsock (SEM-BIND-01 … 12) as data, and
 * the choice of ephemeral ports (RFC 6056 §3.3.4). TCP and UDP each have a table.
 */

import type { IpAddress, Random } from '../base/index.ts';
import { i32le } from '../base/index.ts';
import type { BindOptions, PortReservation, PortSharing } from './api.ts';
import { StackError } from './api.ts';
import { deriveKey, sipBlock, sipFinish, sipResult, sipStart } from './tcp/siphash.ts';

/** The ephemeral range (RFC 6335 §6, SEM-BIND-22). */
export const EPHEMERAL_FIRST = 49152;
export const EPHEMERAL_LAST = 65535;
/** Counters of RFC 6056 §3.3.4, a power of 2, and the bits of a step that are left to chance. */
const COUNTERS = 256;
const NOISE = 7;
const EPHEMERAL_COUNT = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;

/** A claim on a port. Made by {@link PortTable}, ended by `release`. */
export interface PortBinding {
  readonly address: IpAddress;
  readonly port: number;
  readonly sharing: PortSharing;
  readonly owner: number;
  /** Made by a connect without a bind: shared by all connections from it to different peers. */
  readonly isImplicit: boolean;
  /** Of `::` for both families (RFC 3493 §5.3): it is IPv4's any-address too. */
  readonly isDual: boolean;
  /** How many endpoints hold it. */
  users: number;
}

/** Whether addresses and ports belong to a connection already; a `ConnectionTable` is one. */
export interface TupleLookup {
  get(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): object | null;
}

const SHARING_ROW: Readonly<Record<PortSharing, number>> = { none: 0, reuse: 1, exclusive: 2 };
const OK = 0;
const USE = StackError.addressInUse;
const ACC = StackError.accessDenied;

/**
 * The matrices of spec §3.5. Row: the socket that is bound, column: the one that wants to be; none, reuse, exclusive, each
 * with the any-address first and then with a specific one.
 */
const SAME_OWNER: readonly (readonly number[])[] = [
  [USE, OK, ACC, OK, USE, OK], // SEM-BIND-01
  [OK, USE, OK, ACC, USE, USE], // SEM-BIND-02
  [USE, OK, OK, OK, USE, OK], // SEM-BIND-03
  [OK, USE, OK, OK, USE, USE], // SEM-BIND-04
  [USE, ACC, ACC, ACC, USE, ACC], // SEM-BIND-05
  [OK, USE, OK, ACC, USE, USE], // SEM-BIND-06
];
const OTHER_OWNER: readonly (readonly number[])[] = [
  [USE, ACC, ACC, ACC, USE, ACC], // SEM-BIND-07
  [OK, USE, OK, ACC, USE, USE], // SEM-BIND-08
  [USE, ACC, OK, OK, USE, ACC], // SEM-BIND-09
  [OK, USE, OK, OK, USE, USE], // SEM-BIND-10
  [USE, ACC, ACC, ACC, USE, ACC], // SEM-BIND-11
  [OK, USE, OK, ACC, USE, USE], // SEM-BIND-12
];

export class PortTable {
  readonly #bindings = new Map<number, PortBinding[]>();
  readonly #reservations = new Set<PortReservation>();
  readonly #random: Random;
  readonly #key: Uint8Array;
  /** RFC 6056 §3.3.4's `table`: where the choices for a group of peers have got to. */
  readonly #counters = new Uint32Array(COUNTERS);

  /** @param secret at least 16 bytes. */
  constructor(random: Random, secret: Uint8Array) {
    this.#random = random;
    this.#key = deriveKey(secret, 'ports');
    for (let i = 0; i < COUNTERS; i++) this.#counters[i] = random.next();
  }

  /**
   * Keeps `count` ports in a row for who is given the answer.
   * @param first 0: wherever there are so many in the ephemeral range
   */
  reserve(first: number, count: number): PortReservation | number {
    if (count < 1 || first < 0 || first + count - 1 > EPHEMERAL_LAST) return StackError.invalid;
    if (first !== 0)
      return this.#isFree(first, count) ? this.#reserveAt(first, count) : StackError.addressInUse;
    const places = EPHEMERAL_COUNT - count + 1;
    if (places < 1) return StackError.noBuffers;
    const offset = this.#random.next() >>> 0;
    for (let i = 0; i < places; i++) {
      const candidate = EPHEMERAL_FIRST + ((offset + i) % places);
      if (this.#isFree(candidate, count)) return this.#reserveAt(candidate, count);
    }
    return StackError.noBuffers;
  }

  /** How many claims there are. */
  get size(): number {
    let count = 0;
    for (const list of this.#bindings.values()) count += list.length;
    return count;
  }

  /**
   * Claims `port`, or with 0 an unused ephemeral one. Whether `address` is one of ours is the caller's check; a v4-mapped one
   * is given as IPv4's.
   * @param isDual `::` is for both families
   * @returns the claim, or `addressInUse`, `accessDenied`, `noBuffers` (no port left).
   */
  bind(
    address: IpAddress,
    port: number,
    sharing: PortSharing = 'none',
    owner = 0,
    isDual = false,
  ): PortBinding | number {
    const isBoth = isDual && address.isAny;
    if (port === 0) return this.#bindAny(address, sharing, owner, isBoth);
    const conflict = this.#conflict(address, port, sharing, owner, isBoth);
    return conflict === 0 ? this.#add(address, port, sharing, owner, false, isBoth) : conflict;
  }

  /** As {@link bind}, with what an endpoint was given. */
  claim(address: IpAddress, port: number, options: BindOptions, isDual: boolean): PortBinding | number {
    const { sharing = 'none', owner = 0, reservation = null } = options;
    if (port !== 0) {
      const keeper = this.#keeperOf(port);
      if (keeper !== null && keeper !== reservation) return StackError.accessDenied;
    } else if (reservation !== null) {
      return this.#bindWithin(reservation, address, sharing, owner, isDual && address.isAny);
    }
    if (port === 0 && options.allPorts === true) {
      return this.#bindAll(address, sharing, owner, isDual && address.isAny);
    }
    return this.bind(address, port, sharing, owner, isDual);
  }

  /**
   * Claims a port for a connection to a peer from an endpoint that was not bound: the port may serve several connections, to
   * different peers. RFC 6056 §3.3.4, the double-hash algorithm: ports to one peer follow each other, with steps of chance, so
   * that none comes again soon; those to another are unrelated to who has no key, and how fast they move tells nothing.
   * @returns the claim, or `noBuffers` when every port is taken.
   */
  bindForConnect(
    local: IpAddress,
    remote: IpAddress,
    remotePort: number,
    owner: number,
    tuples: TupleLookup,
  ): PortBinding | number {
    const { low: offset, high } = this.#hash(local, remote, remotePort);
    const counter = high & (COUNTERS - 1);
    this.#moveOn(counter, 1 + (this.#random.next() & NOISE));
    const start = offset + (this.#counters[counter] as number);
    for (let i = 0; i < EPHEMERAL_COUNT; i++, this.#moveOn(counter, 1)) {
      const port = EPHEMERAL_FIRST + ((start + i) & (EPHEMERAL_COUNT - 1));
      const list = this.#bindings.get(port);
      // A connection in TIME-WAIT holds its addresses and ports but no claim.
      if (this.#keeperOf(port) !== null) continue;
      if (tuples.get(local, port, remote, remotePort) !== null) continue;
      if (list === undefined) return this.#add(local, port, 'none', owner, true, false);
      const shared = implicitOf(list, local, owner);
      if (shared === null) continue;
      shared.users++;
      return shared;
    }
    return StackError.noBuffers;
  }

  /**
   * The claim that an accepted connection holds besides its listener: an exclusive listener's port stays taken until its
   * connections are gone (SEM-BIND-21), another's does not.
   * @returns the claim to release later, or `null`.
   */
  inherit(listener: PortBinding): PortBinding | null {
    if (listener.sharing !== 'exclusive') return null;
    listener.users++;
    return listener;
  }

  /** Gives up one endpoint's part of a claim. */
  release(binding: PortBinding): void {
    if (--binding.users > 0) return;
    const list = this.#bindings.get(binding.port);
    const at = list?.indexOf(binding) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0) this.#bindings.delete(binding.port);
  }

  /** Whether any endpoint holds `port`. */
  isBound(port: number): boolean {
    return this.#bindings.has(port);
  }

  /** Stands in for every port that nobody has: conflicts only with another such claim. */
  #bindAll(address: IpAddress, sharing: PortSharing, owner: number, isDual: boolean): PortBinding | number {
    const conflict = this.#conflict(address, 0, sharing, owner, isDual);
    return conflict === 0 ? this.#add(address, 0, sharing, owner, false, isDual) : conflict;
  }

  #bindAny(address: IpAddress, sharing: PortSharing, owner: number, isDual: boolean): PortBinding | number {
    const offset = this.#random.next();
    for (let i = 0; i < EPHEMERAL_COUNT; i++) {
      const port = EPHEMERAL_FIRST + ((offset + i) & (EPHEMERAL_COUNT - 1));
      // Unused by anyone, even where a matrix would let two share it: port 0 asks for a port of one's own.
      if (!this.#bindings.has(port) && this.#keeperOf(port) === null)
        return this.#add(address, port, sharing, owner, false, isDual);
    }
    return StackError.noBuffers;
  }

  /** One of the ports that are kept, which nobody has. */
  #bindWithin(
    { first, count }: PortReservation,
    address: IpAddress,
    sharing: PortSharing,
    owner: number,
    isDual: boolean,
  ): PortBinding | number {
    for (let port = first; port < first + count; port++) {
      if (!this.#bindings.has(port)) return this.#add(address, port, sharing, owner, false, isDual);
    }
    return StackError.noBuffers;
  }

  /** Whether nobody has, or keeps, one of the ports. */
  #isFree(first: number, count: number): boolean {
    for (let port = first; port < first + count; port++) {
      if (this.#bindings.has(port) || this.#keeperOf(port) !== null) return false;
    }
    return true;
  }

  #reserveAt(first: number, count: number): PortReservation {
    const reservation: PortReservation = {
      first,
      count,
      release: () => this.#reservations.delete(reservation),
    };
    this.#reservations.add(reservation);
    return reservation;
  }

  /** Who keeps a port for himself. */
  #keeperOf(port: number): PortReservation | null {
    // Hardly anybody does: a connect asks for each candidate.
    if (this.#reservations.size === 0) return null;
    for (const kept of this.#reservations) {
      if (port >= kept.first && port < kept.first + kept.count) return kept;
    }
    return null;
  }

  #add(
    address: IpAddress,
    port: number,
    sharing: PortSharing,
    owner: number,
    isImplicit: boolean,
    isDual: boolean,
  ): PortBinding {
    const binding = { address, port, sharing, owner, isImplicit, isDual, users: 1 };
    const list = this.#bindings.get(port);
    if (list === undefined) this.#bindings.set(port, [binding]);
    else list.push(binding);
    return binding;
  }

  #conflict(address: IpAddress, port: number, sharing: PortSharing, owner: number, isDual: boolean): number {
    const list = this.#bindings.get(port);
    if (list === undefined) return 0;
    const column = 2 * SHARING_ROW[sharing] + (address.isAny ? 0 : 1);
    for (const bound of list) {
      const isOtherFamily = bound.address.family !== address.family;
      if (isOtherFamily && !bound.isDual && !isDual) continue;
      // SEM-BIND-18: beside `::` of both families, IPv4's any-address is a place of its own.
      if (isOtherFamily && bound.isDual && address.isAny && bound.owner === owner) {
        if (bound.sharing === 'exclusive') return ACC;
        continue;
      }
      // Different specific addresses never conflict (SEM-BIND-17).
      if (!bound.address.isAny && !address.isAny && !bound.address.equals(address)) continue;
      const row = 2 * SHARING_ROW[bound.sharing] + (bound.address.isAny ? 0 : 1);
      const matrix = bound.owner === owner ? SAME_OWNER : OTHER_OWNER;
      const verdict = matrix[row]?.[column] ?? USE;
      if (verdict !== OK) return verdict;
    }
    return 0;
  }

  #moveOn(counter: number, steps: number): void {
    this.#counters[counter] = (this.#counters[counter] as number) + steps;
  }

  /** RFC 6056 §3.3.4's F() and G(): one half of a SipHash each. */
  #hash(
    local: IpAddress,
    remote: IpAddress,
    remotePort: number,
  ): { readonly low: number; readonly high: number } {
    const key = this.#key;
    sipStart(i32le(key, 0), i32le(key, 4), i32le(key, 8), i32le(key, 12));
    sipBlock(local.w1, local.w0);
    sipBlock(local.w3, local.w2);
    sipBlock(remote.w1, remote.w0);
    sipBlock(remote.w3, remote.w2);
    // The last block carries the message's length, 34, in its top byte.
    sipBlock(34 << 24, remotePort);
    sipFinish();
    return sipResult;
  }
}

/** The claim that a further connection of `owner` from `local` may share: the port has no other user. */
function implicitOf(list: readonly PortBinding[], local: IpAddress, owner: number): PortBinding | null {
  const only = list[0];
  if (list.length !== 1 || only === undefined) return null;
  return only.isImplicit && only.owner === owner && only.address.equals(local) ? only : null;
}
