/**
 * All mappings, bounded in all and for each host inside (RFC 6888 REQ-4), found from both sides. Who has the most gives one up when
 * there is no room: one host inside can't take the others' places.
 */

import type { Random } from '../../base/index.ts';
import { IPPROTO_ICMP, IPPROTO_TCP } from '../../wire/index.ts';
import { Mapping, Tally } from './mapping.ts';

export interface NatLimits {
  readonly mappings: number;
  readonly perHost: number;
  /** Peers that all mappings remember together, and those of one host inside. */
  readonly sessions: number;
  readonly sessionsPerHost: number;
}

/** What a host inside has of the table. */
class Share {
  readonly mappings = new Set<Mapping>();
  readonly sessions: Tally;

  constructor(all: Tally) {
    this.sessions = new Tally(all);
  }
}

/** RFC 4787 REQ-3: ports from here on are anybody's. */
const FIRST_PORT = 1024;
const PORTS = 65_536;

export class NatTable {
  readonly #random: Random;
  readonly #limits: NatLimits;
  /** Whether an endpoint of our own has a port. */
  readonly #isOwn: (protocol: number, port: number) => boolean;
  readonly #byInside = new Map<number, Mapping>();
  readonly #byOutside = new Map<number, Mapping>();
  readonly #byHost = new Map<number, Share>();
  readonly #sessions = new Tally();

  constructor(random: Random, limits: NatLimits, isOwn: (protocol: number, port: number) => boolean) {
    this.#random = random;
    this.#limits = limits;
    this.#isOwn = isOwn;
  }

  get size(): number {
    return this.#byInside.size;
  }

  mappings(): Iterable<Mapping> {
    return this.#byInside.values();
  }

  countOf(inside: number): number {
    return this.#byHost.get(inside)?.mappings.size ?? 0;
  }

  fromInside(protocol: number, inside: number, port: number): Mapping | null {
    return this.#byInside.get(insideKey(protocol, inside, port)) ?? null;
  }

  fromOutside(protocol: number, port: number): Mapping | null {
    return this.#byOutside.get(outsideKey(protocol, port)) ?? null;
  }

  /** @returns `null` when there is no port, or no room that could be made */
  add(protocol: number, inside: number, insidePort: number): Mapping | null {
    if (this.countOf(inside) >= this.#limits.perHost && !this.#evictFrom(inside)) return null;
    if (this.size >= this.#limits.mappings && !this.#evict()) return null;
    const port = this.#choosePort(protocol, insidePort);
    return port < 0 ? null : this.#insert(protocol, inside, insidePort, port, false);
  }

  /**
   * One made by hand: those of the same ports that came about by traffic give way, and when there is no room the one that was
   * used least lately, open connections too: whoever filled the table can't keep the operator out.
   * @returns `null` when a side of it is mapped by hand already, or all there is room for is made by hand
   */
  addStatic(protocol: number, inside: number, insidePort: number, outsidePort: number): Mapping | null {
    const others = [
      this.fromInside(protocol, inside, insidePort),
      this.fromOutside(protocol, outsidePort),
    ].filter((held) => held !== null);
    if (others.some(({ isStatic }) => isStatic)) return null;
    for (const held of new Set(others)) this.remove(held);
    if (this.size >= this.#limits.mappings && !this.#evict() && !this.#evictOldest()) return null;
    return this.#insert(protocol, inside, insidePort, outsidePort, true);
  }

  remove(mapping: Mapping): void {
    this.#byInside.delete(insideKey(mapping.protocol, mapping.inside, mapping.insidePort));
    this.#byOutside.delete(outsideKey(mapping.protocol, mapping.outsidePort));
    mapping.release();
    const share = this.#byHost.get(mapping.inside);
    share?.mappings.delete(mapping);
    if (share?.mappings.size === 0) this.#byHost.delete(mapping.inside);
  }

  /**
   * Makes room for another peer of `mapping`: its host gives one up past its bound, and when all is full the host that has the most.
   * @returns whether there is room
   */
  makeSessionRoom(mapping: Mapping): boolean {
    const { sessions, sessionsPerHost } = this.#limits;
    const own = this.#byHost.get(mapping.inside)?.sessions.count ?? 0;
    if (own >= sessionsPerHost && !mapping.dropSession() && !this.#evictFrom(mapping.inside, mapping))
      return false;
    if (this.#sessions.count < sessions) return true;
    return (
      this.#evictFrom(
        this.#hostWithMost(({ sessions: held }) => held.count),
        mapping,
      ) || mapping.dropSession()
    );
  }

  /** Removes what nobody has used for its time. */
  expire(now: number): void {
    for (const mapping of this.#byInside.values()) if (!mapping.expire(now)) this.remove(mapping);
  }

  #insert(
    protocol: number,
    inside: number,
    insidePort: number,
    outsidePort: number,
    isStatic: boolean,
  ): Mapping {
    let share = this.#byHost.get(inside);
    if (share === undefined) {
      share = new Share(this.#sessions);
      this.#byHost.set(inside, share);
    }
    const mapping = new Mapping(protocol, inside, insidePort, outsidePort, isStatic, share.sessions);
    this.#byInside.set(insideKey(protocol, inside, insidePort), mapping);
    this.#byOutside.set(outsideKey(protocol, outsidePort), mapping);
    share.mappings.add(mapping);
    return mapping;
  }

  /**
   * The same port when it is free (RFC 4787 §4.2.1, REQ-3's port preservation without overloading), else one by chance, of the
   * same parity (REQ-4) and not below 1024. @returns -1 when all are taken
   */
  #choosePort(protocol: number, wanted: number): number {
    if (wanted > 0 && this.#isFree(protocol, wanted)) return wanted;
    const isEcho = protocol === IPPROTO_ICMP;
    const step = isEcho ? 1 : 2;
    const places = (PORTS - FIRST_PORT) / step;
    const start = (this.#random.next() >>> 0) % places;
    for (let i = 0; i < places; i++) {
      const port = FIRST_PORT + ((start + i) % places) * step + (isEcho ? 0 : wanted & 1);
      if (this.#isFree(protocol, port)) return port;
    }
    return -1;
  }

  #isFree(protocol: number, port: number): boolean {
    return !this.#byOutside.has(outsideKey(protocol, port)) && !this.#isOwn(protocol, port);
  }

  /** Room in all: from the host that has the most. */
  #evict(): boolean {
    return this.#evictFrom(this.#hostWithMost(({ mappings }) => mappings.size));
  }

  #hostWithMost(amount: (share: Share) => number): number {
    let most = 0;
    let host = 0;
    for (const [inside, share] of this.#byHost) {
      const has = amount(share);
      if (has <= most) continue;
      most = has;
      host = inside;
    }
    return host;
  }

  /** The mapping of a host that was used least lately, but no connection that is open, none made by hand, and not `kept`. */
  #evictFrom(inside: number, kept: Mapping | null = null): boolean {
    const held = [...(this.#byHost.get(inside)?.mappings ?? [])];
    return this.#removeOldest(held.filter((one) => !one.isStatic && !one.isEstablished && one !== kept));
  }

  /** The one of all that was used least lately, but none made by hand. */
  #evictOldest(): boolean {
    return this.#removeOldest([...this.mappings()].filter(({ isStatic }) => !isStatic));
  }

  #removeOldest(mappings: readonly Mapping[]): boolean {
    const [first, ...others] = mappings;
    if (first === undefined) return false;
    this.remove(others.reduce((oldest, one) => (one.usedAt < oldest.usedAt ? one : oldest), first));
    return true;
  }
}

/** Address, protocol and port in 50 bits: a number that is exact. */
function insideKey(protocol: number, inside: number, port: number): number {
  const kind = protocol === IPPROTO_ICMP ? 0 : protocol === IPPROTO_TCP ? 1 : 2;
  return ((inside >>> 0) * 4 + kind) * PORTS + port;
}

function outsideKey(protocol: number, port: number): number {
  return (protocol << 16) | port;
}
