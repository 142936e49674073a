/**
 * Puts fragmented packets of both families together again (RFC 791 §3.2, RFC 1122 §3.3.2; RFC 8200 §4.5), within bounds that
 * they share.
 *
 * A packet's fragments are copied to their places in one piece of memory, behind room for the header. What is there is a
 * sorted list of ranges. Fragments that overlap condemn the packet whole (RFC 5722, RFC 8200 §4.5: nobody sends such for a
 * good reason); an exact copy of a fragment is ignored. What is condemned stays known until its time is up, so that
 * fragments still under way start nothing new.
 */

import type { BufferAllocator, IpFamily, TimerOwner, TimerQueue } from '../../base/index.ts';
import { EMPTY, putU16 } from '../../base/index.ts';
import {
  DropReason,
  IPV6_FRAGMENT_HEADER_LEN,
  IPV6_HEADER_LEN,
  type Ipv4Header,
  type Ipv6Extensions,
  type Ipv6Header,
  MAX_EXTENSION_LENGTH,
  sealIpv4,
} from '../../wire/index.ts';
import type { StackCounters } from '../counters.ts';

/** How long fragments wait for the others: RFC 1122 §3.3.2 recommends 60 … 120 s, RFC 8200 §4.5 has 60 s. */
export const REASSEMBLY_TIMEOUT = 60_000;
/** Packets in the making at once, and memory for them: past either the oldest makes room. */
const MAX_PACKETS = 1024;
const MAX_BYTES = 4 << 20;
/** Fragments of one packet: 65,535 bytes over links of the smallest MTU (RFC 791) are 1,366. */
const MAX_FRAGMENTS = 1400;
/** Room for the longest headers before the payload; multiples of 8. */
const HEADER_ROOM_V4 = 64;
const HEADER_ROOM_V6 = IPV6_HEADER_LEN + MAX_EXTENSION_LENGTH + IPV6_FRAGMENT_HEADER_LEN;
const MAX_TOTAL_LENGTH = 65535;
/** CE of the ECN field (RFC 3168 §5). */
const ECN_CE = 3;

/** What both families' headers say of a fragment; one object, filled anew for each. */
class Fragment {
  family: IpFamily = 4;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  id = 0;
  /** IPv4: part of what names the packet (RFC 791 §3.2). IPv6: what the first fragment says follows. */
  protocol = 0;
  interfaceIndex = 0;
  trafficClass = 0;
  offset = 0;
  moreFragments = false;
  /** All that is before the fragment's bytes, IPv6's fragment header included. */
  headerAt = 0;
  payloadAt = 0;
  end = 0;
  /** IPv6: where the field is that names the fragment header, from `headerAt`. */
  namedAt = 0;

  setIpv4(header: Ipv4Header, interfaceIndex: number): void {
    this.family = 4;
    this.src0 = this.src1 = this.src2 = 0;
    this.src3 = header.src;
    this.dst0 = this.dst1 = this.dst2 = 0;
    this.dst3 = header.dst;
    this.id = header.id;
    this.protocol = header.protocol;
    this.interfaceIndex = interfaceIndex;
    this.trafficClass = header.trafficClass;
    this.offset = header.fragmentOffset;
    this.moreFragments = header.moreFragments;
    this.headerAt = header.headerAt;
    this.payloadAt = header.payloadAt;
    this.end = header.end;
    this.namedAt = 0;
  }

  setIpv6(header: Ipv6Header, chain: Ipv6Extensions, interfaceIndex: number): void {
    this.family = 6;
    this.src0 = header.src0;
    this.src1 = header.src1;
    this.src2 = header.src2;
    this.src3 = header.src3;
    this.dst0 = header.dst0;
    this.dst1 = header.dst1;
    this.dst2 = header.dst2;
    this.dst3 = header.dst3;
    this.id = chain.id;
    this.protocol = chain.protocol;
    this.interfaceIndex = interfaceIndex;
    this.trafficClass = header.trafficClass;
    this.offset = chain.fragmentOffset;
    this.moreFragments = chain.moreFragments;
    this.headerAt = header.headerAt;
    this.payloadAt = chain.payloadAt;
    this.end = header.end;
    this.namedAt = chain.fragmentNamedAt - header.headerAt;
  }
}

/** A packet in the making. */
export class PartialPacket {
  family: IpFamily = 4;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  id = 0;
  protocol = 0;
  /** IPv6: of the first fragment, see {@link Fragment}. */
  namedAt = 0;
  interfaceIndex = 0;
  deadline = 0;
  isCondemned = false;
  memory: Uint8Array = EMPTY;
  /** Starts and ends of what is there, in order: s0, e0, s1, e1 …; ranges of single fragments, never merged. */
  ranges: number[] = [];
  received = 0;
  /** Payload bytes of the whole packet; -1 until the last fragment is in. */
  total = -1;
  /** Length of the first fragment's header, which lies just before the payload; 0 until it is in. */
  headerLength = 0;
  hasCe = false;
  next: PartialPacket | null = null;
  /** In order of age. */
  older: PartialPacket | null = null;
  newer: PartialPacket | null = null;

  /** Bytes that are kept for the header. */
  get headerRoom(): number {
    return this.family === 4 ? HEADER_ROOM_V4 : HEADER_ROOM_V6;
  }

  get headerAt(): number {
    return this.headerRoom - this.headerLength;
  }

  /** Bytes from the header on that are there without a gap. */
  get leadingLength(): number {
    return this.headerLength + (this.ranges[0] === 0 ? (this.ranges[1] as number) : 0);
  }
}

/** What becomes of a fragment whose packet is not complete. */
export interface ReassemblyOwner {
  /** The time of `packet` is up; its memory is given back afterwards. */
  reassemblyExpired(packet: PartialPacket): void;
}

export class Reassembler implements TimerOwner {
  /** After {@link add} answered `none`: whether `bytes` holds a whole packet, until {@link release}. */
  isComplete = false;
  bytes: Uint8Array = EMPTY;
  headerAt = 0;
  end = 0;
  readonly #allocator: BufferAllocator;
  readonly #timers: TimerQueue;
  readonly #counters: StackCounters;
  readonly #owner: ReassemblyOwner;
  readonly #timer: number;
  readonly #fragment = new Fragment();
  readonly #chains = new Map<number, PartialPacket>();
  #oldest: PartialPacket | null = null;
  #newest: PartialPacket | null = null;
  #count = 0;
  #bytesHeld = 0;
  #finished: PartialPacket | null = null;

  constructor(
    allocator: BufferAllocator,
    timers: TimerQueue,
    counters: StackCounters,
    owner: ReassemblyOwner,
  ) {
    this.#allocator = allocator;
    this.#timers = timers;
    this.#counters = counters;
    this.#owner = owner;
    this.#timer = timers.create(this, 0);
  }

  /** Packets in the making, and the memory that they hold. */
  get count(): number {
    return this.#count;
  }

  get bytesHeld(): number {
    return this.#bytesHeld;
  }

  /**
   * Takes a fragment. Not to be called while a whole packet is held.
   * @returns `none` (then look at {@link isComplete}), or why the fragment was not used
   */
  addIpv4(source: Uint8Array, header: Ipv4Header, interfaceIndex: number, now: number): DropReason {
    this.#fragment.setIpv4(header, interfaceIndex);
    return this.#add(source, now);
  }

  /** Likewise a fragment of IPv6, up to whose fragment header `chain` has been walked. */
  addIpv6(
    source: Uint8Array,
    header: Ipv6Header,
    chain: Ipv6Extensions,
    interfaceIndex: number,
    now: number,
  ): DropReason {
    this.#fragment.setIpv6(header, chain, interfaceIndex);
    return this.#add(source, now);
  }

  #add(source: Uint8Array, now: number): DropReason {
    const fragment = this.#fragment;
    this.#counters.ipReasmReqds++;
    const length = fragment.end - fragment.payloadAt;
    if (fragment.moreFragments && (length === 0 || (length & 7) !== 0)) return DropReason.fragmentMisaligned;
    if (fragment.offset + length > payloadLimit(fragment.family, fragment.payloadAt - fragment.headerAt)) {
      return DropReason.fragmentTooBig;
    }
    const packet = this.#find(fragment) ?? this.#begin(fragment, now);
    if (packet.isCondemned) return DropReason.fragmentOverlap;
    const reason = this.#place(packet, source, fragment, length);
    if (reason !== DropReason.none) return reason;
    if (packet.total >= 0 && packet.received === packet.total && packet.headerLength > 0)
      this.#finish(packet);
    return DropReason.none;
  }

  /** Gives back the memory of the whole packet; whoever wants to keep its bytes has copied them. */
  release(): void {
    if (this.#finished === null) return;
    this.#giveBack(this.#finished);
    this.#finished = null;
    this.bytes = EMPTY;
    this.isComplete = false;
  }

  timeout(_kind: number, now: number): void {
    while (this.#oldest !== null && this.#oldest.deadline <= now) {
      const packet = this.#oldest;
      if (!packet.isCondemned) {
        this.#counters.ipReasmFails++;
        this.#counters.drop(DropReason.fragmentTimeout);
        this.#owner.reassemblyExpired(packet);
      }
      this.#remove(packet);
    }
    if (this.#oldest !== null) this.#timers.arm(this.#timer, this.#oldest.deadline);
  }

  /** Copies a fragment to its place, unless it contradicts what is there. */
  #place(packet: PartialPacket, source: Uint8Array, fragment: Fragment, length: number): DropReason {
    const start = fragment.offset;
    const end = start + length;
    const isLast = !fragment.moreFragments;
    const { ranges, headerRoom } = packet;
    const lastEnd = ranges.length === 0 ? 0 : (ranges[ranges.length - 1] as number);
    if (
      isLast
        ? (packet.total >= 0 && packet.total !== end) || lastEnd > end
        : packet.total >= 0 && end > packet.total
    ) {
      return this.#condemn(packet);
    }
    const at = placeOf(ranges, start);
    if (ranges[at] === start && ranges[at + 1] === end && length > 0) {
      // The same fragment again, if its bytes agree: not an attack but a network that duplicates.
      return isEqual(packet.memory, headerRoom + start, source, fragment.payloadAt, length)
        ? DropReason.none
        : this.#condemn(packet);
    }
    const before = at === 0 ? 0 : (ranges[at - 1] as number);
    const after = at < ranges.length ? (ranges[at] as number) : Number.POSITIVE_INFINITY;
    if (start < before || end > after) return this.#condemn(packet);
    if (ranges.length >= 2 * MAX_FRAGMENTS || !this.#makeRoom(packet, headerRoom + end)) {
      this.#condemn(packet);
      return DropReason.fragmentTooMany;
    }
    if (isLast) packet.total = end;
    if (start === 0) this.#keepHeader(packet, source, fragment);
    if ((fragment.trafficClass & ECN_CE) === ECN_CE) packet.hasCe = true;
    packet.memory.set(source.subarray(fragment.payloadAt, fragment.end), headerRoom + start);
    if (at === ranges.length) ranges.push(start, end);
    else ranges.splice(at, 0, start, end);
    packet.received += length;
    return DropReason.none;
  }

  /** The whole packet has the header of its first fragment. */
  #keepHeader(packet: PartialPacket, source: Uint8Array, fragment: Fragment): void {
    packet.headerLength = fragment.payloadAt - fragment.headerAt;
    packet.protocol = fragment.protocol;
    packet.namedAt = fragment.namedAt;
    packet.memory.set(source.subarray(fragment.headerAt, fragment.payloadAt), packet.headerAt);
  }

  #finish(packet: PartialPacket): void {
    if (packet.total > payloadLimit(packet.family, packet.headerLength)) {
      this.#condemn(packet);
      return;
    }
    this.#counters.ipReasmOKs++;
    this.bytes = packet.memory;
    this.headerAt = packet.family === 4 ? finishIpv4(packet) : finishIpv6(packet);
    this.end = packet.headerRoom + packet.total;
    this.isComplete = true;
    // The memory is the caller's until it releases it.
    this.#unlink(packet);
    this.#finished = packet;
  }

  #condemn(packet: PartialPacket): DropReason {
    packet.isCondemned = true;
    packet.ranges = [];
    this.#giveBack(packet);
    this.#counters.ipReasmFails++;
    return DropReason.fragmentOverlap;
  }

  #begin(fragment: Fragment, now: number): PartialPacket {
    if (this.#count >= MAX_PACKETS && this.#oldest !== null) this.#evict(this.#oldest);
    const packet = new PartialPacket();
    packet.family = fragment.family;
    packet.src0 = fragment.src0;
    packet.src1 = fragment.src1;
    packet.src2 = fragment.src2;
    packet.src3 = fragment.src3;
    packet.dst0 = fragment.dst0;
    packet.dst1 = fragment.dst1;
    packet.dst2 = fragment.dst2;
    packet.dst3 = fragment.dst3;
    packet.id = fragment.id;
    packet.protocol = fragment.protocol;
    packet.interfaceIndex = fragment.interfaceIndex;
    packet.deadline = now + REASSEMBLY_TIMEOUT;
    const key = keyOf(fragment);
    packet.next = this.#chains.get(key) ?? null;
    this.#chains.set(key, packet);
    packet.older = this.#newest;
    if (this.#newest !== null) this.#newest.newer = packet;
    else this.#oldest = packet;
    this.#newest = packet;
    this.#count++;
    if (!this.#timers.isArmed(this.#timer)) this.#timers.arm(this.#timer, packet.deadline);
    return packet;
  }

  #find(fragment: Fragment): PartialPacket | null {
    let packet = this.#chains.get(keyOf(fragment)) ?? null;
    while (packet !== null && !isOf(packet, fragment)) packet = packet.next;
    return packet;
  }

  /** Has `size` bytes of memory for `packet`; others that are older give way when the bound is reached. */
  #makeRoom(packet: PartialPacket, size: number): boolean {
    if (packet.memory.length >= size) return true;
    while (this.#bytesHeld + size > MAX_BYTES && this.#oldest !== null) {
      const victim = this.#oldest === packet ? packet.newer : this.#oldest;
      if (victim === null) break;
      this.#evict(victim);
    }
    const memory = this.#allocator.take(
      Math.min(Math.max(size, packet.memory.length * 2), packet.headerRoom + MAX_TOTAL_LENGTH),
    );
    if (memory === null) return false;
    const old = packet.memory;
    memory.set(old);
    this.#bytesHeld += memory.length - old.length;
    packet.memory = memory;
    if (old.length > 0) this.#allocator.give(old);
    return true;
  }

  #evict(packet: PartialPacket): void {
    if (!packet.isCondemned) {
      this.#counters.ipReasmFails++;
      this.#counters.drop(DropReason.fragmentTooMany);
    }
    this.#remove(packet);
  }

  #remove(packet: PartialPacket): void {
    this.#unlink(packet);
    this.#giveBack(packet);
  }

  #giveBack(packet: PartialPacket): void {
    if (packet.memory.length === 0) return;
    this.#bytesHeld -= packet.memory.length;
    this.#allocator.give(packet.memory);
    packet.memory = EMPTY;
  }

  #unlink(packet: PartialPacket): void {
    const key = keyOf(packet);
    let at = this.#chains.get(key) ?? null;
    if (at === packet) {
      if (packet.next === null) this.#chains.delete(key);
      else this.#chains.set(key, packet.next);
    } else {
      while (at !== null && at.next !== packet) at = at.next;
      if (at !== null) at.next = packet.next;
    }
    if (packet.older === null) this.#oldest = packet.newer;
    else packet.older.newer = packet.newer;
    if (packet.newer === null) this.#newest = packet.older;
    else packet.newer.older = packet.older;
    this.#count--;
  }
}

/** Where in `ranges` a range that starts at `start` belongs: the index of the first start that is not before it. */
function placeOf(ranges: readonly number[], start: number): number {
  let low = 0;
  let high = ranges.length >> 1;
  // Fragments mostly come in order.
  if (high > 0 && start > (ranges[2 * high - 2] as number)) return ranges.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ranges[2 * middle] as number) < start) low = middle + 1;
    else high = middle;
  }
  return 2 * low;
}

/** Most bytes behind headers of `headerLength`: IPv6 does not count the first 40, and loses the fragment header. */
function payloadLimit(family: IpFamily, headerLength: number): number {
  const counted = family === 4 ? headerLength : headerLength - IPV6_HEADER_LEN - IPV6_FRAGMENT_HEADER_LEN;
  return MAX_TOTAL_LENGTH - counted;
}

/** Makes the first fragment's header that of the whole packet. @returns where it starts */
function finishIpv4({ memory, headerAt, headerLength, total, hasCe }: PartialPacket): number {
  putU16(memory, headerAt + 2, headerLength + total);
  putU16(memory, headerAt + 6, 0);
  // RFC 3168 §5.3: congestion that one fragment met is the packet's.
  if (hasCe) memory[headerAt + 1] = (memory[headerAt + 1] as number) | ECN_CE;
  sealIpv4(memory, headerAt, headerLength);
  return headerAt;
}

/** RFC 8200 §4.5: the fragment header goes, and what named it names what it named. */
function finishIpv6({
  memory,
  headerAt,
  headerLength,
  total,
  hasCe,
  namedAt,
  protocol,
}: PartialPacket): number {
  const at = headerAt + IPV6_FRAGMENT_HEADER_LEN;
  const kept = headerLength - IPV6_FRAGMENT_HEADER_LEN;
  memory.copyWithin(at, headerAt, headerAt + kept);
  putU16(memory, at + 4, kept - IPV6_HEADER_LEN + total);
  memory[at + namedAt] = protocol;
  // The low bits of the traffic class are the high ones of the second byte's lower half.
  if (hasCe) memory[at + 1] = (memory[at + 1] as number) | (ECN_CE << 4);
  return at;
}

/** Whether a fragment is one of `packet`: RFC 791 §3.2, RFC 8200 §4.5; scoped addresses on one link. */
function isOf(packet: PartialPacket, fragment: Fragment): boolean {
  const isSame =
    packet.id === fragment.id &&
    packet.src3 === fragment.src3 &&
    packet.dst3 === fragment.dst3 &&
    packet.family === fragment.family;
  if (!isSame) return false;
  if (packet.family === 4) return packet.protocol === fragment.protocol;
  return (
    packet.src2 === fragment.src2 &&
    packet.src1 === fragment.src1 &&
    packet.src0 === fragment.src0 &&
    packet.dst2 === fragment.dst2 &&
    packet.dst1 === fragment.dst1 &&
    packet.dst0 === fragment.dst0 &&
    packet.interfaceIndex === fragment.interfaceIndex
  );
}

function keyOf(packet: Fragment | PartialPacket): number {
  const { src0, src1, src2, src3, dst3, id } = packet;
  const h = Math.imul(src3 ^ Math.imul(id ^ src2, 0x9e3779b1), 0x85ebca6b);
  return (h ^ (h >>> 15) ^ dst3 ^ src1 ^ src0) & 0x3fff_ffff;
}

function isEqual(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
