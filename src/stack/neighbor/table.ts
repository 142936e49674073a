/**
 * The neighbours of one interface: a bounded cache, and the neighbour unreachability detection of RFC 4861 §7.3, which serves ARP
 * as well (RFC 1122 §2.3.2.1 asks for unicast polls).
 *
 *     none ──packet──► INCOMPLETE ──answer──► REACHABLE ──time──► STALE ──packet──► DELAY ──5 s──► PROBE
 *                          │ 3 requests           ▲  confirmation, answer │            │             │ 3 requests
 *                          ▼ unanswered           └───────────────────────┴────────────┴─────────────┤ unanswered
 *                        none: packets that waited are reported on                                   ▼ none
 */

import {
  type IpAddress,
  type IpFamily,
  putI32,
  putU16,
  type TimerOwner,
  type TransmitBatch,
  u16,
} from '../../base/index.ts';
import { DropReason, ETHERNET_HEADER_LEN, ETHERTYPE_IPV4, ETHERTYPE_IPV6 } from '../../wire/index.ts';
import { FrameQueue } from './frame-queue.ts';
import { HeldFrame } from './held-frame.ts';
import { Neighbor, NeighborState, NO_PLACE, UNRESOLVED_HIGH } from './neighbor.ts';
import type { NeighborHost, NeighborLink, Solicitor } from './neighbor-host.ts';
import { NeighborTimes } from './times.ts';

/** RFC 4861 §10: DELAY_FIRST_PROBE_TIME; ms. */
export const DELAY_FIRST_PROBE_TIME = 5000;
/** MAX_MULTICAST_SOLICIT and MAX_UNICAST_SOLICIT. */
export const MAX_SOLICIT = 3;
/** Most neighbours of an interface, those set by hand not counted. */
export const MAX_NEIGHBORS = 1024;
/** Frames and bytes that wait for one neighbour: a datagram of 65,507 bytes in fragments fits twice. And for all. */
export const MAX_HELD_FRAMES = 96;
export const MAX_HELD_BYTES = 1 << 17;
const MAX_HELD_TOTAL = 1 << 20;
/** A power of two. */
const BUCKETS = 256;

export class NeighborTable implements TimerOwner {
  readonly link: NeighborLink;
  readonly frames: FrameQueue;
  readonly #host: NeighborHost;
  readonly #solicitors: [arp: Solicitor | null, ndp: Solicitor | null] = [null, null];
  readonly #buckets = new Array<Neighbor | null>(BUCKETS).fill(null);
  /** Hash key: strangers must not be able to fill one bucket. */
  readonly #key: number;
  readonly #places: (Neighbor | null)[] = [];
  readonly #freePlaces: number[] = [];
  #size = 0;
  #dynamicCount = 0;
  #heldBytes = 0;
  readonly #times: readonly [ipv4: NeighborTimes, ipv6: NeighborTimes];
  #isClosed = false;

  constructor(host: NeighborHost, link: NeighborLink) {
    this.#host = host;
    this.link = link;
    this.frames = new FrameQueue(host, link.index);
    this.#key = host.random.next();
    this.#times = [new NeighborTimes(host.random), new NeighborTimes(host.random)];
  }

  get size(): number {
    return this.#size;
  }

  /** Who asks for the neighbours of a family. */
  setSolicitor(family: IpFamily, solicitor: Solicitor): void {
    this.#solicitors[family === 4 ? 0 : 1] = solicitor;
  }

  timesOf(family: IpFamily): NeighborTimes {
    return this.#times[family === 4 ? 0 : 1];
  }

  *[Symbol.iterator](): IterableIterator<Neighbor> {
    for (const neighbor of this.#places) if (neighbor !== null) yield neighbor;
  }

  /** The neighbour at `address`, `null` when nobody asked for it. */
  find(address: IpAddress): Neighbor | null {
    return this.findWords(address.family, address.w0, address.w1, address.w2, address.w3);
  }

  findWords(family: IpFamily, w0: number, w1: number, w2: number, w3: number): Neighbor | null {
    let found = this.#buckets[this.#bucketOf(w0, w1, w2, w3)] as Neighbor | null;
    for (; found !== null; found = found.next) {
      const { address } = found;
      if (
        address.w3 === w3 &&
        address.w2 === w2 &&
        address.w1 === w1 &&
        address.w0 === w0 &&
        address.family === family
      )
        return found;
    }
    return null;
  }

  /**
   * A packet is about to go to `held`, whose state is `stale` or later. @returns the neighbour to send it to, which is another one
   * when `held` has been given up meanwhile
   */
  use(held: Neighbor): Neighbor {
    if (this.#isClosed) return held;
    const { now } = this.#host;
    const neighbor = held.state === NeighborState.none ? this.#findOrAdd(held.address) : held;
    neighbor.usedAt = now;
    if (neighbor.state === NeighborState.stale) {
      this.#enter(neighbor, NeighborState.delay, now + DELAY_FIRST_PROBE_TIME);
    } else if (neighbor.state === NeighborState.none) {
      this.#enter(neighbor, NeighborState.incomplete, now + this.#retransTimer(neighbor));
      this.#solicit(neighbor);
    }
    return neighbor;
  }

  /** What is above has had an answer by way of `neighbor` (RFC 4861 §7.3.1). Cheap: for every acknowledgement. */
  confirm(neighbor: Neighbor, now: number): void {
    neighbor.confirmedAt = now;
    if (neighbor.state !== NeighborState.reachable) this.#becomeReachable(neighbor, now);
  }

  /**
   * What is above gets no answer by way of `neighbor` (the negative advice of RFC 1122 §3.3.1.4): it is asked now, not only when its
   * reachable time is over. One that answered a moment ago is not: it is somebody behind it who is silent.
   */
  doubt(neighbor: Neighbor, now: number): void {
    const { state } = neighbor;
    const isAsked = state === NeighborState.probe || state >= NeighborState.incomplete;
    if (isAsked || neighbor.isStatic || neighbor.place === NO_PLACE) return;
    if (now - neighbor.confirmedAt < this.#retransTimer(neighbor)) return;
    this.#enter(neighbor, NeighborState.probe, now + this.#retransTimer(neighbor));
    this.#solicit(neighbor);
  }

  /** Copies the unresolved frame `index` of a batch to the neighbour that it names. */
  hold(batch: TransmitBatch, index: number, place: number): void {
    const neighbor = this.#places[place] ?? null;
    if (neighbor === null || neighbor.isResolved) {
      this.#host.counters.drop(DropReason.noNeighbor);
      return;
    }
    this.#hold(neighbor, HeldFrame.copyOf(batch, index));
  }

  /** Sends a whole frame to a neighbour, whose hardware address is written into it; it waits while that is not known. */
  send(held: Neighbor, frame: HeldFrame): void {
    const neighbor = held.state >= NeighborState.stale ? this.use(held) : held;
    if (!neighbor.isResolved) {
      if (neighbor.place !== NO_PLACE) this.#hold(neighbor, frame);
      return;
    }
    putU16(frame.bytes, 0, neighbor.macHigh);
    putI32(frame.bytes, 2, neighbor.macLow);
    this.frames.add(frame);
  }

  #hold(neighbor: Neighbor, frame: HeldFrame): void {
    neighbor.held.push(frame);
    neighbor.heldBytes += frame.bytes.length;
    this.#heldBytes += frame.bytes.length;
    while (
      neighbor.held.length > MAX_HELD_FRAMES ||
      (neighbor.heldBytes > MAX_HELD_BYTES && neighbor.held.length > 1) ||
      (this.#heldBytes > MAX_HELD_TOTAL && neighbor.held.length > 0)
    ) {
      this.#dropOldest(neighbor, DropReason.neighborQueueFull);
    }
  }

  /**
   * An answer came (RFC 4861 §7.2.5), or for ARP what is like one.
   * @param isSolicited to a request of ours: it proves that the neighbour is reachable
   * @param isOverride it counts against what is known
   * @returns whether it was believed
   */
  advertised(
    neighbor: Neighbor,
    macHigh: number,
    macLow: number,
    isSolicited: boolean,
    isOverride: boolean,
  ): boolean {
    if (neighbor.isStatic) return false;
    const { now } = this.#host;
    const isNews = !neighbor.hasMac(macHigh, macLow);
    if (neighbor.state === NeighborState.incomplete) {
      this.#learn(neighbor, macHigh, macLow, now);
      this.#host.neighborAnswered(this.link.index, neighbor.address);
      if (isSolicited) this.#becomeReachable(neighbor, now);
      else this.#enter(neighbor, NeighborState.stale, Number.POSITIVE_INFINITY);
      this.#release(neighbor);
      return true;
    }
    if (isNews && !isOverride) {
      // Perhaps somebody else has it now: the next packet finds out.
      if (neighbor.state === NeighborState.reachable) {
        this.#enter(neighbor, NeighborState.stale, Number.POSITIVE_INFINITY);
      }
      return false;
    }
    if (isNews) this.#learn(neighbor, macHigh, macLow, now);
    if (isSolicited) this.#becomeReachable(neighbor, now);
    else if (isNews) this.#enter(neighbor, NeighborState.stale, Number.POSITIVE_INFINITY);
    return true;
  }

  /** `address` said in passing what its hardware address is. @param mayAdd whether that is reason to remember it */
  noticed(address: IpAddress, macHigh: number, macLow: number, mayAdd: boolean): Neighbor | null {
    let neighbor = this.find(address);
    if (neighbor === null && mayAdd && !this.#isClosed) {
      neighbor = this.#add(address);
      neighbor.state = NeighborState.incomplete;
    }
    if (neighbor !== null) this.advertised(neighbor, macHigh, macLow, false, true);
    return neighbor;
  }

  /** The neighbour at `address`, not asked for yet when it is new; `null` when the interface is gone. */
  findOrAdd(address: IpAddress): Neighbor | null {
    return this.#isClosed ? null : this.#findOrAdd(address);
  }

  /** Sets a neighbour by hand. */
  setStatic(address: IpAddress, macHigh: number, macLow: number): void {
    const neighbor = this.#findOrAdd(address);
    if (!neighbor.isStatic) this.#dynamicCount--;
    neighbor.isStatic = true;
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    this.#enter(neighbor, NeighborState.reachable, Number.POSITIVE_INFINITY);
    this.#host.neighborAnswered(this.link.index, address);
    this.#release(neighbor);
  }

  /** Forgets a neighbour; packets that waited for it are dropped. @returns whether it was known */
  remove(address: IpAddress): boolean {
    const neighbor = this.find(address);
    if (neighbor === null) return false;
    this.#forget(neighbor);
    return true;
  }

  /** Forgets all that was learned, of one family or of both; what was set by hand stays. */
  flush(family: IpFamily | null = null): void {
    for (const neighbor of this) {
      if (!neighbor.isStatic && (family === null || neighbor.address.family === family))
        this.#forget(neighbor);
    }
  }

  /** The interface is gone. */
  close(): void {
    for (const neighbor of this) this.#forget(neighbor);
    this.frames.clear();
    this.#isClosed = true;
  }

  /** The timer of the neighbour at `place` ran out. */
  timeout(place: number, now: number): void {
    const neighbor = this.#places[place] ?? null;
    if (neighbor === null) return;
    switch (neighbor.state) {
      case NeighborState.reachable: {
        const until = neighbor.confirmedAt + this.#reachableTime(neighbor, now);
        const isOver = until <= now;
        if (isOver) this.#enter(neighbor, NeighborState.stale, Number.POSITIVE_INFINITY);
        else this.#host.timers.arm(neighbor.timer, until);
        break;
      }
      case NeighborState.delay:
        this.#enter(neighbor, NeighborState.probe, now + this.#retransTimer(neighbor));
        this.#solicit(neighbor);
        break;
      case NeighborState.incomplete:
      case NeighborState.probe:
        if (neighbor.solicitations >= MAX_SOLICIT) {
          this.#giveUp(neighbor);
          break;
        }
        this.#host.timers.arm(neighbor.timer, now + this.#retransTimer(neighbor));
        this.#solicit(neighbor);
        break;
      default:
        break;
    }
  }

  #retransTimer({ address }: Neighbor): number {
    return this.timesOf(address.family).retransTimer;
  }

  #reachableTime({ address }: Neighbor, now: number): number {
    return this.timesOf(address.family).reachableTime(now);
  }

  #becomeReachable(neighbor: Neighbor, now: number): void {
    if (neighbor.macHigh === UNRESOLVED_HIGH || neighbor.place === NO_PLACE || neighbor.isStatic) return;
    neighbor.confirmedAt = now;
    this.#enter(neighbor, NeighborState.reachable, now + this.#reachableTime(neighbor, now));
  }

  #enter(neighbor: Neighbor, state: NeighborState, deadline: number): void {
    neighbor.state = state;
    neighbor.solicitations = 0;
    neighbor.isAsked = false;
    const { timers } = this.#host;
    if (deadline === Number.POSITIVE_INFINITY) timers.disarm(neighbor.timer);
    else timers.arm(neighbor.timer, deadline);
  }

  #solicit(neighbor: Neighbor): void {
    neighbor.solicitations++;
    neighbor.isAsked = true;
    const solicitor = this.#solicitors[neighbor.address.family === 4 ? 0 : 1];
    solicitor?.solicit(neighbor, neighbor.state === NeighborState.probe);
  }

  #learn(neighbor: Neighbor, macHigh: number, macLow: number, now: number): void {
    neighbor.macHigh = macHigh;
    neighbor.macLow = macLow;
    neighbor.learnedAt = now;
  }

  /** Sends what waited. */
  #release(neighbor: Neighbor): void {
    const { held } = neighbor;
    if (held.length === 0) return;
    neighbor.held = [];
    this.#heldBytes -= neighbor.heldBytes;
    neighbor.heldBytes = 0;
    for (const frame of held) {
      putU16(frame.bytes, 0, neighbor.macHigh);
      putI32(frame.bytes, 2, neighbor.macLow);
      this.frames.add(frame);
    }
  }

  #dropOldest(neighbor: Neighbor, reason: DropReason): void {
    const length = neighbor.held.shift()?.bytes.length ?? 0;
    neighbor.heldBytes -= length;
    this.#heldBytes -= length;
    this.#host.counters.drop(reason);
  }

  /** Nobody answers: RFC 4861 §7.2.2, §7.3.3. Those who sent are told; the next packet asks anew. */
  #giveUp(neighbor: Neighbor): void {
    const { held } = neighbor;
    neighbor.held = [];
    this.#heldBytes -= neighbor.heldBytes;
    neighbor.heldBytes = 0;
    this.#forget(neighbor);
    for (const { bytes } of held) {
      this.#host.counters.drop(DropReason.noNeighbor);
      if (isIp(bytes)) {
        this.#host.undeliverable(this.link.index, bytes, ETHERNET_HEADER_LEN, bytes.length);
      }
    }
    this.#host.neighborFailed(this.link.index, neighbor.address);
  }

  #findOrAdd(address: IpAddress): Neighbor {
    return this.find(address) ?? this.#add(address);
  }

  #add(address: IpAddress): Neighbor {
    if (this.#dynamicCount >= MAX_NEIGHBORS) this.#evict();
    const neighbor = new Neighbor(address);
    const place = this.#freePlaces.pop() ?? this.#places.length;
    neighbor.place = place;
    neighbor.macLow = place;
    neighbor.usedAt = this.#host.now;
    neighbor.timer = this.#host.timers.create(this, place);
    this.#places[place] = neighbor;
    const bucket = this.#bucketOf(address.w0, address.w1, address.w2, address.w3);
    neighbor.next = this.#buckets[bucket] as Neighbor | null;
    this.#buckets[bucket] = neighbor;
    this.#size++;
    this.#dynamicCount++;
    return neighbor;
  }

  /** Makes room: the least useful goes, those that never answered first, then those that were unused for longest. */
  #evict(): void {
    let worst: Neighbor | null = null;
    for (const neighbor of this) {
      if (neighbor.isStatic) continue;
      const isWorse =
        worst === null ||
        neighbor.state > worst.state ||
        (neighbor.state === worst.state && neighbor.usedAt < worst.usedAt);
      if (isWorse) worst = neighbor;
    }
    if (worst !== null) this.#forget(worst);
  }

  /** Takes a neighbour out. Link headers that still hold it find out when they `use` it. */
  #forget(neighbor: Neighbor): void {
    const { address, place } = neighbor;
    while (neighbor.held.length > 0) this.#dropOldest(neighbor, DropReason.noNeighbor);
    this.#host.timers.destroy(neighbor.timer);
    neighbor.timer = -1;
    this.#places[place] = null;
    this.#freePlaces.push(place);
    const bucket = this.#bucketOf(address.w0, address.w1, address.w2, address.w3);
    let before = this.#buckets[bucket] as Neighbor | null;
    if (before === neighbor) this.#buckets[bucket] = neighbor.next;
    else {
      while (before !== null && before.next !== neighbor) before = before.next;
      if (before !== null) before.next = neighbor.next;
    }
    neighbor.next = null;
    neighbor.place = NO_PLACE;
    neighbor.state = NeighborState.none;
    neighbor.macHigh = UNRESOLVED_HIGH;
    neighbor.macLow = NO_PLACE;
    this.#size--;
    if (!neighbor.isStatic) this.#dynamicCount--;
    neighbor.isStatic = false;
  }

  #bucketOf(w0: number, w1: number, w2: number, w3: number): number {
    let h = Math.imul(w3 ^ this.#key, 0x9e3779b1);
    h = Math.imul(h ^ w2 ^ (h >>> 15), 0x85ebca6b);
    h = Math.imul(h ^ w1 ^ (h >>> 13), 0xc2b2ae35);
    h = Math.imul(h ^ w0 ^ (h >>> 16), 0x9e3779b1);
    return (h ^ (h >>> 15)) & (BUCKETS - 1);
  }
}

/** Whether a frame carries an IP packet. */
function isIp(bytes: Uint8Array): boolean {
  if (bytes.length <= ETHERNET_HEADER_LEN) return false;
  const type = u16(bytes, 12);
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6;
}
