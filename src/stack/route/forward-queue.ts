/**
 * Packets of others that wait to leave by one interface: a ring of bytes and a table of numbers, in order, bounded; what
 * comes on top is dropped (RFC 1812 §5.3.6). A packet's bytes are copied in once, its IP header already as it is to leave;
 * the frames point into the ring.
 */

import {
  EMPTY,
  FRAME_NEEDS_CSUM,
  RangeViews,
  Ring,
  type TransmitBatch,
  TX_CAUSE,
  TX_COLUMNS,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
  TX_HEADER_LENGTH,
  TX_HEADER_OFFSET,
  TX_PAYLOAD1_LENGTH,
  TX_PAYLOAD1_OFFSET,
  TX_PAYLOAD2_LENGTH,
  TX_PAYLOAD2_OFFSET,
} from '../../base/index.ts';
import { DropReason } from '../../wire/index.ts';
import { Cause } from '../cause.ts';
import type { EgressSource, Host, Path, TransmitListener } from '../host.ts';

/** Most packets that wait, a power of two, and their bytes: 32 super-segments, or 1024 common packets. */
const MAX_PACKETS = 1024;
const MAX_BYTES = 2 << 20;
/** A helping: frames before others get their turn, and bytes. */
const TURN_FRAMES = 32;
const TURN_BYTES = 65_536;

/** Columns of the table. */
const LENGTH = 0;
const HEAD_LENGTH = 1;
const CSUM_START = 2;
const CSUM_OFFSET = 3;
const GSO_TYPE = 4;
const GSO_SIZE = 5;
const COLUMNS = 6;
/** Fewer bytes are copied one by one: cheaper than a view. */
const SHORT = 64;

export class ForwardQueue implements EgressSource, TransmitListener {
  isQueued = false;
  readonly #host: Host;
  readonly #interfaceIndex: number;
  readonly #ring: Ring;
  readonly #table = new Int32Array(MAX_PACKETS * COLUMNS);
  readonly #paths = new Array<Path | null>(MAX_PACKETS).fill(null);
  /** The first `#sent` of `#count` packets from `#head` on are in the link's hands. */
  #head = 0;
  #count = 0;
  #sent = 0;
  #sentBytes = 0;
  #isListening = false;
  /** Of the batches that packets come in. */
  readonly #views = new RangeViews();

  constructor(host: Host, interfaceIndex: number) {
    this.#host = host;
    this.#interfaceIndex = interfaceIndex;
    this.#ring = new Ring(host.allocator, MAX_BYTES);
  }

  get waiting(): number {
    return this.#count - this.#sent;
  }

  /**
   * Puts a packet at the end.
   * @param path to the next hop
   * @param head the IP header as it is to leave; the rest follows at `bytes[at]`
   * @param csumStart of a checksum that is partial: from where on it counts, from the IP header's start; 0 when it is whole
   * @param csumOffset and where its field is from there
   * @param gsoType of a super-segment, with the payload bytes of each packet in it; else 0
   * @returns whether there was room
   */
  add(
    path: Path,
    head: Uint8Array,
    headLength: number,
    bytes: Uint8Array,
    at: number,
    length: number,
    csumStart: number,
    csumOffset: number,
    gsoType: number,
    gsoSize: number,
  ): boolean {
    const whole = headLength + length;
    const ring = this.#ring;
    if (this.#count === MAX_PACKETS || ring.used + whole > MAX_BYTES) return false;
    if (!ring.reserve(ring.used + whole)) return false;
    this.#copyShort(head, 0, ring.used, headLength);
    if (length <= SHORT) this.#copyShort(bytes, at, ring.used + headLength, length);
    else ring.writeAt(ring.used + headLength, bytes, at, length, this.#views);
    ring.commit(whole);
    const slot = (this.#head + this.#count++) & (MAX_PACKETS - 1);
    const row = slot * COLUMNS;
    this.#table[row + LENGTH] = whole;
    this.#table[row + HEAD_LENGTH] = headLength;
    this.#table[row + CSUM_START] = csumStart;
    this.#table[row + CSUM_OFFSET] = csumOffset;
    this.#table[row + GSO_TYPE] = gsoType;
    this.#table[row + GSO_SIZE] = gsoSize;
    this.#paths[slot] = path;
    if (this.waiting === 1) this.#host.requestOutput(this.#interfaceIndex, this);
    return true;
  }

  emit(batch: TransmitBatch): boolean {
    const lastFrame = batch.count + TURN_FRAMES;
    const lastByte = this.#sentBytes + TURN_BYTES;
    while (this.waiting > 0 && batch.count < lastFrame && this.#sentBytes < lastByte) {
      if (batch.count === batch.capacity) return true;
      const slot = (this.#head + this.#sent) & (MAX_PACKETS - 1);
      const path = this.#pathOf(slot);
      if (path === null) this.#host.counters.drop(DropReason.noRoute);
      else this.#emit(batch, slot, path);
      this.#sent++;
      this.#sentBytes += this.#table[slot * COLUMNS + LENGTH] as number;
      this.#listen();
    }
    return this.waiting > 0;
  }

  transmitted(): void {
    this.#isListening = false;
    for (let i = 0; i < this.#sent; i++) this.#paths[(this.#head + i) & (MAX_PACKETS - 1)] = null;
    this.#head = (this.#head + this.#sent) & (MAX_PACKETS - 1);
    this.#count -= this.#sent;
    this.#sent = 0;
    const bytes = this.#sentBytes;
    this.#sentBytes = 0;
    this.#ring.discard(bytes);
    if (this.waiting > 0) this.#host.requestOutput(this.#interfaceIndex, this);
  }

  /** The packet's path, made anew when something changed; `null` when the interface is gone or down. */
  #pathOf(slot: number): Path | null {
    const path = this.#paths[slot] as Path;
    return path.isValid ? path : this.#host.linkPath(this.#interfaceIndex, path.source, path.destination);
  }

  #emit(batch: TransmitBatch, slot: number, path: Path): void {
    const { headers, table } = batch;
    const { memory } = this.#ring;
    const row = slot * COLUMNS;
    const length = this.#table[row + LENGTH] as number;
    const headLength = this.#table[row + HEAD_LENGTH] as number;
    const csumStart = this.#table[row + CSUM_START] as number;
    const at = batch.headerEnd;
    // The path's IP header gives way to the packet's own; the link's stays.
    const ipAt = path.writeHeader(headers, at, 0, 0, 0, 0, false, 0) - path.ipHeaderLength;
    const from = this.#ring.offsetOf(this.#sentBytes);
    for (let i = 0; i < headLength; i++)
      headers[ipAt + i] = memory[(from + i) & (memory.length - 1)] as number;
    const index = batch.count++;
    const tx = index * TX_COLUMNS;
    const payloadLength = length - headLength;
    const first = (from + headLength) & (memory.length - 1);
    const untilEnd = Math.min(payloadLength, memory.length - first);
    table[tx + TX_HEADER_OFFSET] = at;
    table[tx + TX_HEADER_LENGTH] = ipAt + headLength - at;
    table[tx + TX_PAYLOAD1_OFFSET] = first;
    table[tx + TX_PAYLOAD1_LENGTH] = untilEnd;
    table[tx + TX_PAYLOAD2_OFFSET] = 0;
    table[tx + TX_PAYLOAD2_LENGTH] = payloadLength - untilEnd;
    table[tx + TX_FLAGS] = csumStart === 0 ? 0 : FRAME_NEEDS_CSUM;
    table[tx + TX_CSUM_START] = csumStart === 0 ? 0 : ipAt + csumStart - at;
    table[tx + TX_CSUM_OFFSET] = csumStart === 0 ? 0 : (this.#table[row + CSUM_OFFSET] as number);
    table[tx + TX_GSO_TYPE] = this.#table[row + GSO_TYPE] as number;
    table[tx + TX_GSO_SIZE] = this.#table[row + GSO_SIZE] as number;
    table[tx + TX_CAUSE] = Cause.forwarded;
    batch.payloads[index] = payloadLength === 0 ? EMPTY : memory;
    batch.owners[index] = null;
    batch.headerEnd = (ipAt + headLength + 3) & ~3;
    this.#host.counters.ipOutForwDatagrams++;
  }

  /** Puts a few bytes `position` past the oldest, where there is memory for them. */
  #copyShort(from: Uint8Array, at: number, position: number, length: number): void {
    const { memory } = this.#ring;
    const start = this.#ring.offsetOf(position);
    for (let i = 0; i < length; i++) memory[(start + i) & (memory.length - 1)] = from[at + i] as number;
  }

  #listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#host.afterTransmit(this.#interfaceIndex, this);
  }
}
