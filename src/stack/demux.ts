/**
 * Who gets a packet: connections by both addresses and ports, listeners by the local port. TCP and UDP each have an
 * instance of either table.
 *
 * Entries are chained through fields of their own, and keys are numbers, so that a lookup allocates nothing. Addresses are
 * compared by their words alone: an IPv4 packet finds a dual-stack IPv6 endpoint that holds the mapped address.
 */

import type { IpAddress, IpFamily } from '../base/index.ts';
import { i32 } from '../base/index.ts';

/** Whose a packet is: its addresses as words; IPv4 lies in the last (see `IpAddress`). What the tables look at. */
export interface PacketAddresses {
  readonly family: IpFamily;
  readonly src0: number;
  readonly src1: number;
  readonly src2: number;
  readonly src3: number;
  readonly dst0: number;
  readonly dst1: number;
  readonly dst2: number;
  readonly dst3: number;
  /** The zone of its addresses that have one (RFC 4007), else 0. */
  readonly zone: number;
}

/** An endpoint that can be in a {@link ConnectionTable}. The four values must not change while it is. */
export interface ConnectionEntry<T> {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  readonly remoteAddress: IpAddress;
  readonly remotePort: number;
  /** The table's own; `null` at first. */
  nextConnection: T | null;
}

/** Endpoints by local and remote address and port. */
export class ConnectionTable<T extends ConnectionEntry<T>> {
  readonly #chains = new Map<number, T>();
  readonly #key0: number;
  readonly #key1: number;
  #size = 0;

  /** @param secret at least 8 bytes: who knows it not can't aim at one chain. */
  constructor(secret: Uint8Array) {
    this.#key0 = i32(secret, 0);
    this.#key1 = i32(secret, 4);
  }

  get size(): number {
    return this.#size;
  }

  /** The endpoint that an inbound packet is for: its destination is ours. */
  find(packet: PacketAddresses, localPort: number, remotePort: number): T | null {
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = packet;
    const hash = this.#hash(dst0 ^ dst1 ^ dst2 ^ dst3, src0 ^ src1 ^ src2, src3, localPort, remotePort);
    let entry = this.#chains.get(hash) ?? null;
    while (entry !== null) {
      if (
        entry.remotePort === remotePort &&
        entry.localPort === localPort &&
        isWords(entry.remoteAddress, src0, src1, src2, src3) &&
        isWords(entry.localAddress, dst0, dst1, dst2, dst3) &&
        zoneOf(entry) === packet.zone
      ) {
        return entry;
      }
      entry = entry.nextConnection;
    }
    return null;
  }

  /** The endpoint that sent a packet which an ICMP error quotes: its source is ours. */
  findSender(quoted: PacketAddresses, localPort: number, remotePort: number): T | null {
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = quoted;
    const hash = this.#hash(src0 ^ src1 ^ src2 ^ src3, dst0 ^ dst1 ^ dst2, dst3, localPort, remotePort);
    let entry = this.#chains.get(hash) ?? null;
    while (entry !== null) {
      if (
        entry.remotePort === remotePort &&
        entry.localPort === localPort &&
        isWords(entry.remoteAddress, dst0, dst1, dst2, dst3) &&
        isWords(entry.localAddress, src0, src1, src2, src3) &&
        zoneOf(entry) === quoted.zone
      ) {
        return entry;
      }
      entry = entry.nextConnection;
    }
    return null;
  }

  /** The endpoint with exactly these addresses and ports. */
  get(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): T | null {
    let entry = this.#chains.get(this.#hashOf(local, localPort, remote, remotePort)) ?? null;
    while (entry !== null) {
      if (
        entry.remotePort === remotePort &&
        entry.localPort === localPort &&
        isWords(entry.remoteAddress, remote.w0, remote.w1, remote.w2, remote.w3) &&
        isWords(entry.localAddress, local.w0, local.w1, local.w2, local.w3) &&
        zoneOf(entry) === (local.zone | remote.zone)
      ) {
        return entry;
      }
      entry = entry.nextConnection;
    }
    return null;
  }

  /** Puts `entry` in, behind others with the same addresses and ports. It must not be in yet. */
  add(entry: T): void {
    const hash = this.#hashOfEntry(entry);
    this.#size++;
    entry.nextConnection = null;
    let last = this.#chains.get(hash);
    if (last === undefined) {
      this.#chains.set(hash, entry);
      return;
    }
    while (last.nextConnection !== null) last = last.nextConnection;
    last.nextConnection = entry;
  }

  /** Takes `entry` out. @returns whether it was in. */
  remove(entry: T): boolean {
    const hash = this.#hashOfEntry(entry);
    let before: T | null = null;
    let at = this.#chains.get(hash) ?? null;
    while (at !== null && at !== entry) {
      before = at;
      at = at.nextConnection;
    }
    if (at === null) return false;
    const after = entry.nextConnection;
    if (before !== null) before.nextConnection = after;
    else if (after !== null) this.#chains.set(hash, after);
    else this.#chains.delete(hash);
    entry.nextConnection = null;
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const head of this.#chains.values()) {
      for (let entry: T | null = head; entry !== null; entry = entry.nextConnection) yield entry;
    }
  }

  #hashOfEntry(entry: T): number {
    return this.#hashOf(entry.localAddress, entry.localPort, entry.remoteAddress, entry.remotePort);
  }

  #hashOf(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    return this.#hash(
      local.w0 ^ local.w1 ^ local.w2 ^ local.w3,
      remote.w0 ^ remote.w1 ^ remote.w2,
      remote.w3,
      localPort,
      remotePort,
    );
  }

  /** Keyed and well mixed, 30 bits: a small integer to every engine. */
  #hash(local: number, remoteHigh: number, remoteLow: number, localPort: number, remotePort: number): number {
    let h = Math.imul(this.#key0 ^ local, 0x85ebca6b);
    h = Math.imul((h ^ (h >>> 15) ^ remoteLow) + this.#key1, 0xc2b2ae35);
    h = Math.imul(h ^ (h >>> 13) ^ ((localPort << 16) | remotePort), 0x27d4eb2f);
    h = Math.imul(h ^ (h >>> 16) ^ remoteHigh, 0x165667b1);
    return (h ^ (h >>> 15)) & 0x3fff_ffff;
  }
}

/** An endpoint that can be in a {@link ListenerTable}. Address and port must not change while it is. */
export interface ListenerEntry<T> {
  readonly localAddress: IpAddress;
  readonly localPort: number;
  /** Bound to `::`, and takes IPv4 packets too (RFC 3493 §5.3). */
  readonly isDual: boolean;
  /** The table's own; `null` at first. */
  nextListener: T | null;
}

/**
 * Endpoints without a fixed peer, by local port; the oldest first, so that of several that share an address the first
 * one gets what arrives (SEM-BIND-15).
 */
export class ListenerTable<T extends ListenerEntry<T>> {
  readonly #ports = new Map<number, T>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /**
   * The one for a packet to `port`: bound to its destination, else to the any-address of its family (SEM-BIND-16), else to that
   * of both, else to all ports.
   */
  find(packet: PacketAddresses, port: number): T | null {
    const found = this.#find(packet, port);
    return found === null && this.#ports.has(ALL_PORTS) ? this.#find(packet, ALL_PORTS) : found;
  }

  #find(packet: PacketAddresses, port: number): T | null {
    let wildcard: T | null = null;
    let entry = this.#ports.get(port) ?? null;
    while (entry !== null) {
      const { localAddress } = entry;
      if (
        isWords(localAddress, packet.dst0, packet.dst1, packet.dst2, packet.dst3) &&
        (localAddress.zone === 0 || localAddress.zone === packet.zone)
      ) {
        return entry;
      }
      if (localAddress.isAny) wildcard = betterWildcard(wildcard, entry, packet.family);
      entry = entry.nextListener;
    }
    return wildcard;
  }

  /** The one that sent, from `port`, a packet which an ICMP error quotes. */
  findSender(quoted: PacketAddresses, port: number): T | null {
    let wildcard: T | null = null;
    let entry = this.#ports.get(port) ?? null;
    while (entry !== null) {
      const { localAddress } = entry;
      if (
        isWords(localAddress, quoted.src0, quoted.src1, quoted.src2, quoted.src3) &&
        (localAddress.zone === 0 || localAddress.zone === quoted.zone)
      ) {
        return entry;
      }
      if (localAddress.isAny) wildcard = betterWildcard(wildcard, entry, quoted.family);
      entry = entry.nextListener;
    }
    return wildcard;
  }

  /** The oldest on `port`, whatever its address; the others follow through `nextListener`. */
  first(port: number): T | null {
    return this.#ports.get(port) ?? null;
  }

  /** Puts `entry` in as the youngest of its port. It must not be in yet. */
  add(entry: T): void {
    entry.nextListener = null;
    this.#size++;
    let last = this.#ports.get(entry.localPort);
    if (last === undefined) {
      this.#ports.set(entry.localPort, entry);
      return;
    }
    while (last.nextListener !== null) last = last.nextListener;
    last.nextListener = entry;
  }

  /** Takes `entry` out. @returns whether it was in. */
  remove(entry: T): boolean {
    let before: T | null = null;
    let at = this.#ports.get(entry.localPort) ?? null;
    while (at !== null && at !== entry) {
      before = at;
      at = at.nextListener;
    }
    if (at === null) return false;
    const after = entry.nextListener;
    if (before !== null) before.nextListener = after;
    else if (after !== null) this.#ports.set(entry.localPort, after);
    else this.#ports.delete(entry.localPort);
    entry.nextListener = null;
    this.#size--;
    return true;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const head of this.#ports.values()) {
      for (let entry: T | null = head; entry !== null; entry = entry.nextListener) yield entry;
    }
  }
}

/** Of what is bound to an any-address, the oldest of the packet's family, else the oldest of both. */
function betterWildcard<T extends ListenerEntry<T>>(held: T | null, entry: T, family: IpFamily): T | null {
  if (entry.localAddress.family === family) {
    return held === null || held.localAddress.family !== family ? entry : held;
  }
  return held === null && entry.isDual ? entry : held;
}

/** Both addresses of a connection are in one zone, if they are in any. */
function zoneOf(entry: { readonly localAddress: IpAddress; readonly remoteAddress: IpAddress }): number {
  return entry.localAddress.zone | entry.remoteAddress.zone;
}

/** The port of who has bound all of them. */
const ALL_PORTS = 0;

function isWords(address: IpAddress, w0: number, w1: number, w2: number, w3: number): boolean {
  return address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0;
}
