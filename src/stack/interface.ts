/**
 * An interface: a link as the stack sees it, with its addresses, neighbours and the queue of those who want to send on it.
 */

import type { IpAddress, Medium } from '../base/index.ts';
import { prefixMask } from '../base/index.ts';
import type {
  AddressOptions,
  AddressOrigin,
  AddressState,
  AddressView,
  InterfaceOptions,
  InterfaceSettings,
  InterfaceView,
  NameConfiguration,
} from './api.ts';
import { EgressQueue } from './egress.ts';
import { PolicyTable } from './ipv6/policy-table.ts';
import { type PrefixOrigins, selectSource } from './ipv6/source-address.ts';
import { GroupMap } from './multicast/group-map.ts';
import type { AddressConflicts } from './neighbor/address-conflicts.ts';
import { Arp } from './neighbor/arp.ts';
import { Ndp, type RouterAdvertisementSink } from './neighbor/ndp.ts';
import type { NeighborHost } from './neighbor/neighbor-host.ts';
import { NeighborTable } from './neighbor/table.ts';

/** An address of an interface. */
export interface InterfaceAddress extends AddressView {
  state: AddressState;
  validUntil: number;
  preferredUntil: number;
  /** See `AddressOptions`. */
  readonly conflictDefense: 'once' | 'always';
  /** The subnet's broadcast address (RFC 1122 §3.2.1.3) and its old form with a zero host part; 0 when there is none. */
  readonly broadcastWord: number;
  readonly zeroHostWord: number;
}

/** The smallest MTU of an IPv4 link (RFC 791 §3.2) and the largest packet. */
const MIN_MTU = 68;
const MAX_MTU = 65535;
/** Windows' automatic metrics of a fast link and of the loopback interface. */
const DEFAULT_METRIC = 25;
const LOOPBACK_METRIC = 75;
const MAX_METRIC = 0xffff;
/** Of IPv6 packets, unless a router says otherwise. */
export const DEFAULT_HOP_LIMIT = 64;
/** RFC 8200 §5. */
const MIN_MTU_V6 = 1280;
const MANUAL: AddressOrigin = 'manual';

export class NetworkInterface implements InterfaceView {
  readonly index: number;
  readonly name: string;
  /** What is used: the link's, or less where the network says so. */
  mtu: number;
  readonly linkMtu: number;
  readonly medium: Medium;
  /** `OFFLOAD_*` bits of the link. */
  readonly offload: number;
  readonly mac: Uint8Array | null;
  readonly isLoopback: boolean;
  /** See `InterfaceOptions`. */
  readonly windowBudget: number;
  readonly egress = new EgressQueue();
  /** The groups that it listens to, beside those to which every host belongs. */
  readonly groups = new GroupMap<{ readonly address: IpAddress }>();
  addresses: readonly InterfaceAddress[] = [];
  names: readonly NameConfiguration[] = [];
  isUp = true;
  /** A DHCP client waits for an answer, which may come to an address that is not here yet (RFC 2131 §4.1). */
  isConfiguring = false;
  /** See `InterfaceOptions`. */
  readonly detectsDuplicates: boolean;
  metric: number;
  isForwarding = false;
  weakHostSend = false;
  weakHostReceive = false;
  isTransparent = false;
  /** Of IPv6 packets that ask for none, and the largest of them: routers may say so (RFC 4861 §6.3.4). */
  hopLimit = DEFAULT_HOP_LIMIT;
  mtuV6: number;
  sendsRedirects = true;
  acceptsRedirects = true;
  /** `null` on a link without hardware addresses. */
  neighbors: NeighborTable | null = null;
  arp: Arp | null = null;
  ndp: Ndp | null = null;
  /** Hears routers: autoconfiguration, where it is on. */
  routerSink: RouterAdvertisementSink | null = null;
  /** Which routers its prefixes came from; `null` unless it configures itself by them. */
  prefixOrigins: PrefixOrigins | null = null;
  inPackets = 0;
  inBytes = 0;
  outPackets = 0;
  outBytes = 0;

  readonly #policy: PolicyTable;

  /**
   * @param policy of address selection, the host's
   * @throws {RangeError} when the options make no interface.
   */
  constructor(index: number, options: InterfaceOptions, isLoopback = false, policy = new PolicyTable()) {
    const { mtu, medium = 'ip', mac } = options;
    if (!Number.isInteger(mtu) || mtu < MIN_MTU || mtu > MAX_MTU) {
      throw new RangeError(`mtu of ${options.name} is ${mtu}: use ${MIN_MTU} … ${MAX_MTU}`);
    }
    if (medium === 'ethernet' && mac?.length !== 6) {
      throw new RangeError(`${options.name} is an Ethernet interface: give it a mac of six bytes`);
    }
    this.#policy = policy;
    this.index = index;
    this.name = options.name;
    this.mtu = mtu;
    this.linkMtu = mtu;
    this.mtuV6 = mtu;
    this.medium = medium;
    this.offload = options.offload ?? 0;
    this.mac = medium === 'ethernet' && mac !== undefined ? mac.slice() : null;
    this.isLoopback = isLoopback;
    this.windowBudget = options.windowBudget ?? 0;
    this.detectsDuplicates = options.detectDuplicates ?? medium === 'ethernet';
    this.metric = isLoopback ? LOOPBACK_METRIC : DEFAULT_METRIC;
  }

  /**
   * Changes what is named. @returns whether routing follows from it
   * @throws {RangeError} when the metric is none; nothing is changed then
   */
  configure(settings: InterfaceSettings): boolean {
    const { metric = this.metric } = settings;
    if (!Number.isInteger(metric) || metric < 1 || metric > MAX_METRIC) {
      throw new RangeError(`the metric of ${this.name} is ${metric}: use 1 … ${MAX_METRIC}`);
    }
    if (this.isLoopback && settings.isUp === false)
      throw new RangeError('the loopback interface is always up');
    const before = [this.isUp, this.metric, this.isForwarding, this.weakHostSend, this.weakHostReceive];
    this.metric = metric;
    this.isUp = settings.isUp ?? this.isUp;
    this.isForwarding = settings.isForwarding ?? this.isForwarding;
    this.weakHostSend = settings.weakHostSend ?? this.weakHostSend;
    this.weakHostReceive = settings.weakHostReceive ?? this.weakHostReceive;
    this.isTransparent = settings.isTransparent ?? this.isTransparent;
    this.sendsRedirects = settings.sendsRedirects ?? this.sendsRedirects;
    this.acceptsRedirects = settings.acceptsRedirects ?? this.acceptsRedirects;
    const after = [this.isUp, this.metric, this.isForwarding, this.weakHostSend, this.weakHostReceive];
    return after.some((value, i) => value !== before[i]);
  }

  /** Packets to any address of ours are taken here (the weak host model): what is said, and what a router does. */
  get takesAllOurs(): boolean {
    return this.weakHostReceive || this.isForwarding;
  }

  /** Whether `address` is one of this interface's that may be used. */
  hasAddress(address: IpAddress): boolean {
    return this.addresses.some((held) => held.address.equals(address) && isUsable(held));
  }

  /** Begins to resolve addresses, on a link that has them. */
  startNeighbors(host: NeighborHost): void {
    if (this.mac === null) return;
    this.neighbors = new NeighborTable(host, this);
    this.arp = new Arp(host, this, this.neighbors);
    this.ndp = new Ndp(host, this, this.neighbors);
  }

  /** Who asks for conflicts about IPv4 addresses; `null` on a link without hardware addresses. */
  get conflicts(): AddressConflicts | null {
    return this.arp === null ? null : this.arp.conflicts;
  }

  /**
   * Replaces an address that is there already, so that its prefix can be changed.
   * @returns the address as it is held: one with a scope is in this interface's zone (RFC 4007)
   * @throws {RangeError} for an IPv6 address on a link that can't carry its packets
   */
  addAddress(given: IpAddress, prefixLength: number, options: AddressOptions = {}): InterfaceAddress {
    this.requireRoomFor(given);
    const address = given.inZone(this.index);
    const before = this.find(address);
    const hasBroadcast = address.family === 4 && prefixLength <= 30 && !this.isLoopback;
    const mask = prefixMask(Math.min(prefixLength, 32));
    const added: InterfaceAddress = {
      address,
      prefixLength,
      origin: options.origin ?? MANUAL,
      // One that is asked for stays so; one that is somebody else's is tried again.
      state: before === null || before.state === 'duplicate' ? 'preferred' : before.state,
      validUntil: options.validUntil ?? Number.POSITIVE_INFINITY,
      preferredUntil: options.preferredUntil ?? Number.POSITIVE_INFINITY,
      conflictDefense: options.conflictDefense ?? 'once',
      broadcastWord: hasBroadcast ? address.w3 | ~mask : 0,
      zeroHostWord: hasBroadcast ? address.w3 & mask : 0,
    };
    this.addresses = [...this.addresses.filter((held) => held !== before), added];
    return added;
  }

  /** @throws {RangeError} when the link can't carry packets of the address's family */
  requireRoomFor(address: IpAddress): void {
    if (address.family === 4 || this.linkMtu >= MIN_MTU_V6) return;
    throw new RangeError(
      `${this.name} has an mtu of ${this.linkMtu}: IPv6 needs ${MIN_MTU_V6} (RFC 8200 §5)`,
    );
  }

  /** The entry of an address; `null` when it is not here. */
  find(address: IpAddress): InterfaceAddress | null {
    return this.addresses.find((entry) => entry.address.equals(address)) ?? null;
  }

  /** @returns the address that was removed, or `null` when it was not here. */
  removeAddress(address: IpAddress): InterfaceAddress | null {
    const held = this.addresses.find((entry) => entry.address.equals(address)) ?? null;
    if (held !== null) this.addresses = this.addresses.filter((entry) => entry !== held);
    return held;
  }

  /** Whether the IPv4 address in `word` is one of this interface's that may be used. */
  hasV4(word: number): boolean {
    const { addresses } = this;
    for (let i = 0; i < addresses.length; i++) {
      const held = addresses[i] as InterfaceAddress;
      const { address } = held;
      if (address.w3 === word && address.family === 4 && isUsable(held)) return true;
    }
    return false;
  }

  /** Whether the IPv6 address in these words is one of this interface's, and may be used. */
  hasV6(w0: number, w1: number, w2: number, w3: number): boolean {
    const { addresses } = this;
    for (let i = 0; i < addresses.length; i++) {
      const { address, state } = addresses[i] as InterfaceAddress;
      if (address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0) {
        return address.family === 6 && (state === 'preferred' || state === 'deprecated');
      }
    }
    return false;
  }

  /**
   * Whether this interface has an address whose solicited-node group ends with these 24 bits (RFC 4291 §2.7.1): also of those
   * that others are still asked about.
   */
  hasSolicitedNode(low: number): boolean {
    const { addresses } = this;
    for (let i = 0; i < addresses.length; i++) {
      const { address } = addresses[i] as InterfaceAddress;
      if (address.family === 6 && (address.w3 & 0xffffff) === low) return true;
    }
    return false;
  }

  /** Whether the IPv4 address in `word` is the broadcast address of one of this interface's subnets. */
  isSubnetBroadcast(word: number): boolean {
    const { addresses } = this;
    for (let i = 0; i < addresses.length; i++) {
      const entry = addresses[i] as InterfaceAddress;
      if (entry.broadcastWord !== 0 && (entry.broadcastWord === word || entry.zeroHostWord === word))
        return true;
    }
    return false;
  }

  /** Whether the IPv4 address in `word` lies in one of this interface's subnets. */
  isOnLinkV4(word: number): boolean {
    const { addresses } = this;
    for (let i = 0; i < addresses.length; i++) {
      const { address, prefixLength } = addresses[i] as InterfaceAddress;
      if (address.family === 4 && ((address.w3 ^ word) & prefixMask(prefixLength)) === 0) return true;
    }
    return false;
  }

  /**
   * The address to send from to `nextHop`: of the same subnet when there is one, else the first of its family. Of IPv6 to the
   * destination itself, past `router` if there is one: RFC 6724 §5.
   */
  sourceFor(nextHop: IpAddress, router: IpAddress | null = null): IpAddress | null {
    if (nextHop.family === 6) {
      const origins = this.prefixOrigins;
      return selectSource(this.addresses, { destination: nextHop, policy: this.#policy, router, origins });
    }
    let first: IpAddress | null = null;
    for (const held of this.addresses) {
      const { address, prefixLength } = held;
      if (address.family !== nextHop.family || !isUsable(held)) continue;
      if (contains(address, prefixLength, nextHop)) return address;
      first ??= address;
    }
    return first;
  }

  /** Replaces what the same origin said. */
  setNames(names: NameConfiguration): void {
    const others = this.names.filter(({ origin }) => origin !== names.origin);
    const isEmpty = names.servers.length === 0 && names.searchList.length === 0;
    this.names = isEmpty ? others : [...others, names];
  }
}

/** Whether packets may come to the address and go from it: neither while it is asked for, nor when somebody else has it. */
export function isUsable({ state }: InterfaceAddress): boolean {
  return state === 'preferred' || state === 'deprecated';
}

/** Whether `candidate` has the first `length` bits of `prefix`. */
export function contains(prefix: IpAddress, length: number, candidate: IpAddress): boolean {
  if (prefix.family !== candidate.family) return false;
  if (prefix.family === 4) return ((prefix.w3 ^ candidate.w3) & prefixMask(length)) === 0;
  return (
    ((prefix.w0 ^ candidate.w0) & wordMask(length)) === 0 &&
    ((prefix.w1 ^ candidate.w1) & wordMask(length - 32)) === 0 &&
    ((prefix.w2 ^ candidate.w2) & wordMask(length - 64)) === 0 &&
    ((prefix.w3 ^ candidate.w3) & wordMask(length - 96)) === 0
  );
}

/** The mask with `length` leading ones, cut to 0 … 32: one word of a longer prefix. */
export function wordMask(length: number): number {
  return prefixMask(Math.max(0, Math.min(32, length)));
}
