/**
 * Puts fragmented packets together again (RFC 791 §3.2, RFC 1122 §3.3.2), within bounds.
 *
 * A packet's fragments are copied to their places in one piece of memory, behind room for the header. What is there is a
 * sorted list of ranges. Fragments that overlap condemn the packet whole (RFC 5722, RFC 8200 §4.5: nobody sends such for a
 * good reason); an exact copy of a fragment is ignored. What is condemned stays known until its time is up, so that
 * fragments still under way start nothing new.
 */

import type { BufferAllocator, TimerOwner, TimerQueue } from '../../base/index.ts';
import { EMPTY, putU16 } from '../../base/index.ts';
import { DropReason, type Ipv4Header, sealIpv4 } from '../../wire/index.ts';
import type { StackCounters } from '../counters.ts';

/** How long fragments wait for the others: RFC 1122 §3.3.2 recommends 60 … 120 s, the same for every packet. */
export const REASSEMBLY_TIMEOUT = 60_000;
/** Packets in the making at once, and memory for them: past either the oldest makes room. */
const MAX_PACKETS = 1024;
const MAX_BYTES = 4 << 20;
/** Fragments of one packet: 65,535 bytes over links of the smallest MTU (RFC 791) are 1,366. */
const MAX_FRAGMENTS = 1400;
/** Room for the longest header before the payload; a multiple of 4. */
const HEADER_ROOM = 64;
const MAX_TOTAL_LENGTH = 65535;
/** CE of the ECN field (RFC 3168 §5). */
const ECN_CE = 3;

/** A packet in the making. */
export class PartialPacket {
  src = 0;
  dst = 0;
  id = 0;
  protocol = 0;
  interfaceIndex = 0;
  deadline = 0;
  isCondemned = false;
  memory: Uint8Array = EMPTY;
  /** Starts and ends of what is there, in order: s0, e0, s1, e1 …; ranges of single fragments, never merged. */
  ranges: number[] = [];
  received = 0;
  /** Payload bytes of the whole packet; -1 until the last fragment is in. */
  total = -1;
  /** Length of the first fragment's header, which lies just before `HEADER_ROOM`; 0 until it is in. */
  headerLength = 0;
  hasCe = false;
  next: PartialPacket | null = null;
  /** In order of age. */
  older: PartialPacket | null = null;
  newer: PartialPacket | null = null;

  get headerAt(): number {
    return HEADER_ROOM - this.headerLength;
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
  add(source: Uint8Array, header: Ipv4Header, interfaceIndex: number, now: number): DropReason {
    this.#counters.ipReasmReqds++;
    const length = header.end - header.payloadAt;
    const start = header.fragmentOffset;
    if (header.moreFragments && (length === 0 || (length & 7) !== 0)) return DropReason.fragmentMisaligned;
    if (start + length + header.headerLength > MAX_TOTAL_LENGTH) return DropReason.fragmentTooBig;
    const packet = this.#find(header) ?? this.#begin(header, interfaceIndex, now);
    if (packet.isCondemned) return DropReason.fragmentOverlap;
    const reason = this.#place(packet, source, header, length);
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
  #place(packet: PartialPacket, source: Uint8Array, header: Ipv4Header, length: number): DropReason {
    const start = header.fragmentOffset;
    const end = start + length;
    const isLast = !header.moreFragments;
    const { ranges } = packet;
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
      return isEqual(packet.memory, HEADER_ROOM + start, source, header.payloadAt, length)
        ? DropReason.none
        : this.#condemn(packet);
    }
    const before = at === 0 ? 0 : (ranges[at - 1] as number);
    const after = at < ranges.length ? (ranges[at] as number) : Number.POSITIVE_INFINITY;
    if (start < before || end > after) return this.#condemn(packet);
    if (ranges.length >= 2 * MAX_FRAGMENTS || !this.#makeRoom(packet, HEADER_ROOM + end)) {
      this.#condemn(packet);
      return DropReason.fragmentTooMany;
    }
    if (isLast) packet.total = end;
    if (start === 0) this.#keepHeader(packet, source, header);
    if ((header.trafficClass & ECN_CE) === ECN_CE) packet.hasCe = true;
    packet.memory.set(source.subarray(header.payloadAt, header.end), HEADER_ROOM + start);
    if (at === ranges.length) ranges.push(start, end);
    else ranges.splice(at, 0, start, end);
    packet.received += length;
    return DropReason.none;
  }

  /** The whole packet has the header of its first fragment. */
  #keepHeader(packet: PartialPacket, source: Uint8Array, header: Ipv4Header): void {
    packet.headerLength = header.headerLength;
    packet.memory.set(source.subarray(header.headerAt, header.payloadAt), packet.headerAt);
  }

  #finish(packet: PartialPacket): void {
    const { memory, headerAt } = packet;
    const length = packet.headerLength + packet.total;
    if (length > MAX_TOTAL_LENGTH) {
      this.#condemn(packet);
      return;
    }
    putU16(memory, headerAt + 2, length);
    putU16(memory, headerAt + 6, 0);
    // RFC 3168 §5.3: congestion that one fragment met is the packet's.
    if (packet.hasCe) memory[headerAt + 1] = (memory[headerAt + 1] as number) | ECN_CE;
    sealIpv4(memory, headerAt, packet.headerLength);
    this.#counters.ipReasmOKs++;
    this.bytes = memory;
    this.headerAt = headerAt;
    this.end = headerAt + length;
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

  #begin(header: Ipv4Header, interfaceIndex: number, now: number): PartialPacket {
    if (this.#count >= MAX_PACKETS && this.#oldest !== null) this.#evict(this.#oldest);
    const packet = new PartialPacket();
    packet.src = header.src;
    packet.dst = header.dst;
    packet.id = header.id;
    packet.protocol = header.protocol;
    packet.interfaceIndex = interfaceIndex;
    packet.deadline = now + REASSEMBLY_TIMEOUT;
    const key = keyOf(header);
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

  #find(header: Ipv4Header): PartialPacket | null {
    let packet = this.#chains.get(keyOf(header)) ?? null;
    while (packet !== null) {
      if (
        packet.id === header.id &&
        packet.src === header.src &&
        packet.dst === header.dst &&
        packet.protocol === header.protocol
      ) {
        return packet;
      }
      packet = packet.next;
    }
    return null;
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
      Math.min(Math.max(size, packet.memory.length * 2), HEADER_ROOM + MAX_TOTAL_LENGTH),
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

function keyOf(packet: {
  readonly src: number;
  readonly dst: number;
  readonly id: number;
  readonly protocol: number;
}): number {
  const h = Math.imul(packet.src ^ Math.imul((packet.id << 8) | packet.protocol, 0x9e3779b1), 0x85ebca6b);
  return (h ^ (h >>> 15) ^ packet.dst) & 0x3fff_ffff;
}

function isEqual(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
