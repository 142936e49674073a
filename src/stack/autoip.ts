/**
 * Link-local IPv4 addresses (RFC 3927): an interface without a routable address takes one of 169.254/16 that nobody on its link
 * has, and lets it go when a routable one arrives.
 */

import {
  IpAddress,
  i32,
  randomBelow,
  SeededRandom,
  type TimerOwner,
  type TimerQueue,
} from '../base/index.ts';
import type { DuplicateDetection } from './duplicate-detection.ts';
import type { NetworkInterface } from './interface.ts';
import type { Topology } from './topology.ts';

/** 169.254.1.0 … 169.254.254.255: the first and last 256 are reserved (§2.1). */
const FIRST = 0xa9fe0100 | 0;
const COUNT = 0xfe00;
const PREFIX_LENGTH = 16;
/** §9: MAX_CONFLICTS, and RATE_LIMIT_INTERVAL in ms. */
const MAX_CONFLICTS = 10;
const RATE_LIMIT_INTERVAL = 60_000;

/** What it needs of the host. */
export interface AutoIpHost {
  readonly now: number;
  readonly timers: TimerQueue;
}

/** One interface's. */
class InterfaceAutoIp implements TimerOwner {
  readonly #host: AutoIpHost;
  readonly #topology: Topology;
  readonly #detection: DuplicateDetection;
  readonly #interface: NetworkInterface;
  /** Seeded with the hardware address, so that a host mostly gets the address again that it had (§2.1). */
  readonly #random: SeededRandom;
  readonly #timer: number;
  #candidate: IpAddress | null = null;
  #address: IpAddress | null = null;
  #conflicts = 0;

  constructor(host: AutoIpHost, topology: Topology, detection: DuplicateDetection, iface: NetworkInterface) {
    this.#host = host;
    this.#topology = topology;
    this.#detection = detection;
    this.#interface = iface;
    this.#timer = host.timers.create(this, 0);
    const { mac } = iface;
    this.#random = new SeededRandom(mac === null ? iface.index : i32(mac, 2) ^ i32(mac, 0));
  }

  /** Addresses came or went, or it begins. */
  changed(): void {
    if (this.#hasRoutable()) {
      this.#stop();
      return;
    }
    if (this.#address !== null && this.#interface.find(this.#address) === null) this.#address = null;
    if (this.#address !== null || this.#candidate !== null || this.#host.timers.isArmed(this.#timer)) return;
    if (this.#interface.isUp) this.#try();
  }

  /** Somebody else has `address`. */
  duplicate(address: IpAddress): void {
    if (this.#address?.equals(address) !== true) return;
    this.#address = null;
    this.#topology.removeAddress(this.#interface.index, address);
    this.#conflict();
  }

  timeout(): void {
    if (!this.#hasRoutable()) this.#try();
  }

  close(): void {
    this.#stop();
    this.#host.timers.destroy(this.#timer);
  }

  #hasRoutable(): boolean {
    return this.#interface.addresses.some(
      ({ address, origin, state }) => address.family === 4 && origin !== 'linkLocal' && state !== 'duplicate',
    );
  }

  #try(): void {
    const candidate = IpAddress.v4(FIRST + randomBelow(this.#random, COUNT));
    this.#candidate = candidate;
    this.#detection.probeAddress(this.#interface.index, candidate, (isConflict) => {
      if (this.#candidate !== candidate) return;
      this.#candidate = null;
      if (isConflict) this.#conflict();
      else this.#take(candidate);
    });
  }

  #take(address: IpAddress): void {
    this.#address = address;
    this.#conflicts = 0;
    this.#topology.addAddress(this.#interface.index, `${address}/${PREFIX_LENGTH}`, {
      origin: 'linkLocal',
      detectDuplicates: false,
    });
  }

  /** §2.2.1: after ten conflicts a new address is tried once a minute only. */
  #conflict(): void {
    const isTooMany = ++this.#conflicts >= MAX_CONFLICTS;
    this.#host.timers.arm(this.#timer, this.#host.now + (isTooMany ? RATE_LIMIT_INTERVAL : 0));
  }

  #stop(): void {
    this.#host.timers.disarm(this.#timer);
    this.#conflicts = 0;
    if (this.#candidate !== null) this.#interface.conflicts?.forget(this.#candidate.w3);
    this.#candidate = null;
    const address = this.#address;
    this.#address = null;
    if (address !== null && this.#interface.find(address) !== null) {
      this.#topology.removeAddress(this.#interface.index, address);
    }
  }
}

/** Of all interfaces for which it is switched on. */
export class AutoIp {
  readonly #host: AutoIpHost;
  readonly #topology: Topology;
  readonly #enabled = new Map<number, InterfaceAutoIp>();

  constructor(host: AutoIpHost, topology: Topology) {
    this.#host = host;
    this.#topology = topology;
    topology.duplicates.onDuplicate((index, address) => this.#enabled.get(index)?.duplicate(address));
  }

  /** Sees to it that the interface has an address. @throws {RangeError} when there is no such interface */
  enableAutoIp(index: number): void {
    if (this.#enabled.has(index)) return;
    const iface = this.#topology.interface(index);
    const { duplicates } = this.#topology;
    const entry = new InterfaceAutoIp(this.#host, this.#topology, duplicates, iface);
    this.#enabled.set(index, entry);
    entry.changed();
  }

  /** Takes the address away again, if there is one. */
  disableAutoIp(index: number): void {
    const entry = this.#enabled.get(index);
    this.#enabled.delete(index);
    entry?.close();
  }

  /** Addresses or interfaces have changed. */
  changed(): void {
    for (const [index, entry] of this.#enabled) {
      if (this.#topology.find(index) === null) this.disableAutoIp(index);
      else entry.changed();
    }
  }
}
