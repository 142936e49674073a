/**
 * Messages that arrived and wait to be received: one ring of bytes an endpoint, each message behind a record of where it
 * came from. No object is made for a message.
 *
 *     0        4             20                 36                40         42             44    45   46       47      48         52
 *     | length | source (4w) | destination (4w) | interface index | src port | segment size | TTL | TC | family | group | dst port | arrival (8) | message …
 */

import {
  type BufferAllocator,
  EMPTY,
  IpAddress,
  type IpFamily,
  i32,
  isScopedWord,
  putI32,
  putU16,
  Ring,
  u16,
} from '../../base/index.ts';
import { IPPROTO_UDP } from '../../wire/index.ts';
import type { DatagramInfo } from '../api.ts';
import type { InboundPacket } from '../host.ts';

const RECORD_LEN = 60;
/** Messages that may wait whatever their size; more only as bytes allow. */
const MIN_MESSAGES = 64;
/** A message counts as so many bytes at least: what bounds empty ones. */
const LEAST_COST_SHIFT = 6;

/** Records are built and read here: nothing else runs in between. */
const record = new Uint8Array(RECORD_LEN);
const arrival = new DataView(record.buffer, 52, 8);

export class Inbox {
  /** Most payload bytes that wait. */
  limit: number;
  /** See `MessageEndpoint.dropsOldest` and `stampsArrivals`. */
  dropsOldest = false;
  isStamped = false;
  /** Stack time of the message that is about to be added, when they are stamped. */
  now = -0.5;
  readonly #ring: Ring;
  readonly #family: IpFamily;
  #count = 0;
  #bytes = 0;
  #nextLength = -1;
  /** Address objects of the last message, used again while its sender or destination stays the same. */
  #lastSource = IpAddress.anyV4;
  #lastDestination = IpAddress.anyV4;

  constructor(allocator: BufferAllocator, limit: number, family: IpFamily) {
    this.#family = family;
    this.limit = limit;
    // The bound is kept by `add`: it is about payload, and records come on top.
    this.#ring = new Ring(allocator, Number.MAX_SAFE_INTEGER);
  }

  /** How many messages wait, and their payload bytes. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Length of the oldest message, -1 when there is none. */
  get nextLength(): number {
    return this.#nextLength;
  }

  /**
   * Copies a message in: `length` bytes of `bytes`, which need not be the packet's own.
   * @param segmentSize of each datagram when several were merged, else 0
   * @returns false when the bound or the allocator's was reached: the newest is what is dropped (SEM-IO-16)
   */
  add(
    packet: InboundPacket,
    sourcePort: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    segmentSize: number,
  ): boolean {
    if (this.#bytes + length > this.limit) return false;
    if (this.#count >= Math.max(MIN_MESSAGES, this.limit >> LEAST_COST_SHIFT)) return false;
    writeRecord(packet, sourcePort, length, segmentSize);
    arrival.setFloat64(0, this.isStamped ? this.now : -0.5);
    const ring = this.#ring;
    const { used } = ring;
    // The message first: it needs the most memory, and nothing is readable until the commit.
    if (ring.writeAt(used + RECORD_LEN, bytes, at, length) !== length) return false;
    if (ring.writeAt(used, record, 0, RECORD_LEN) !== RECORD_LEN) return false;
    ring.commit(RECORD_LEN + length);
    this.#count++;
    this.#bytes += length;
    if (this.#count === 1) this.#nextLength = length;
    return true;
  }

  /** Drops the oldest messages that a new one of `length` bytes has no room beside, if that is wanted. @returns how many */
  makeRoom(length: number): number {
    if (!this.dropsOldest) return 0;
    let lost = 0;
    while (this.#count > 0 && this.#bytes + length > this.limit) {
      const oldest = this.#nextLength;
      this.#ring.discard(RECORD_LEN + oldest);
      this.#count--;
      this.#bytes -= oldest;
      this.#noteNext();
      lost++;
    }
    return lost;
  }

  /**
   * Takes the oldest message, or only looks at it; what does not fit into `length` bytes is lost with it.
   * @returns the bytes copied, -1 when there is none
   */
  take(into: Uint8Array, at: number, length: number, info: DatagramInfo, isPeek: boolean): number {
    if (this.#count === 0) return -1;
    const ring = this.#ring;
    ring.peek(0, record, 0, RECORD_LEN);
    const whole = i32(record, 0);
    const copied = ring.peek(RECORD_LEN, into, at, Math.min(length, whole));
    this.#readRecord(info, whole);
    if (!isPeek) {
      ring.discard(RECORD_LEN + whole);
      this.#count--;
      this.#bytes -= whole;
      this.#noteNext();
    }
    return copied;
  }

  /** Drops the messages that did not come from this address and port; the others stay in order. */
  keepFrom(address: IpAddress, port: number): void {
    const ring = this.#ring;
    const { w0, w1, w2, w3 } = address;
    let scratch = EMPTY;
    let kept = 0;
    for (let left = this.#count; left > 0; left--) {
      ring.peek(0, record, 0, RECORD_LEN);
      const length = i32(record, 0);
      const isFrom =
        u16(record, 40) === port &&
        i32(record, 16) === w3 &&
        i32(record, 12) === w2 &&
        i32(record, 8) === w1 &&
        i32(record, 4) === w0;
      if (isFrom) {
        // What stays goes round: behind the others, which all go round too.
        const whole = RECORD_LEN + length;
        if (scratch.length < whole) scratch = new Uint8Array(whole);
        ring.peek(0, scratch, 0, whole);
        ring.discard(whole);
        ring.writeAt(ring.used, scratch, 0, whole);
        ring.commit(whole);
        kept++;
      } else {
        ring.discard(RECORD_LEN + length);
        this.#bytes -= length;
      }
    }
    this.#count = kept;
    this.#noteNext();
  }

  /** Drops all messages and gives the memory back. */
  clear(): void {
    this.#ring.release();
    this.#count = 0;
    this.#bytes = 0;
    this.#nextLength = -1;
  }

  #noteNext(): void {
    this.#nextLength = -1;
    if (this.#count === 0) return;
    this.#ring.peek(0, record, 0, 4);
    this.#nextLength = i32(record, 0);
  }

  #readRecord(info: DatagramInfo, length: number): void {
    // What an endpoint of IPv6 has from IPv4 has v4-mapped addresses: the words are the same.
    const family: IpFamily = this.#family === 6 || record[46] !== 4 ? 6 : 4;
    this.#lastSource = addressAt(4, family, this.#lastSource);
    this.#lastDestination = addressAt(20, family, this.#lastDestination);
    info.source = this.#lastSource;
    info.destination = this.#lastDestination;
    info.interfaceIndex = i32(record, 36);
    info.sourcePort = u16(record, 40);
    info.destinationPort = u16(record, 48);
    info.ttl = record[44] as number;
    info.trafficClass = record[45] as number;
    info.segmentSize = u16(record, 42);
    info.isGroup = record[47] !== 0;
    info.arrivedAt = arrival.getFloat64(0);
    info.length = length;
  }
}

function writeRecord(packet: InboundPacket, sourcePort: number, length: number, segmentSize: number): void {
  putI32(record, 0, length);
  putI32(record, 4, packet.src0);
  putI32(record, 8, packet.src1);
  putI32(record, 12, packet.src2);
  putI32(record, 16, packet.src3);
  putI32(record, 20, packet.dst0);
  putI32(record, 24, packet.dst1);
  putI32(record, 28, packet.dst2);
  putI32(record, 32, packet.dst3);
  putI32(record, 36, packet.interfaceIndex);
  putU16(record, 40, sourcePort);
  putU16(record, 42, segmentSize);
  record[44] = packet.ttl;
  record[45] = packet.trafficClass;
  record[46] = packet.family;
  record[47] = packet.isGroup ? 1 : 0;
  putU16(record, 48, packet.protocol === IPPROTO_UDP ? u16(packet.bytes, packet.payloadAt + 2) : 0);
}

/** The address in the record at `at`: `last` when it is the same. */
function addressAt(at: number, family: IpFamily, last: IpAddress): IpAddress {
  const w0 = i32(record, at);
  const w1 = i32(record, at + 4);
  const w2 = i32(record, at + 8);
  const w3 = i32(record, at + 12);
  // A scoped address is of the interface by which it came (RFC 4007 §5).
  const zone = family === 6 && isScopedWord(w0) ? i32(record, 36) : 0;
  const isSame =
    last.w3 === w3 &&
    last.w2 === w2 &&
    last.w1 === w1 &&
    last.w0 === w0 &&
    last.family === family &&
    last.zone === zone;
  return isSame ? last : new IpAddress(family, w0, w1, w2, w3, zone);
}
