/**
 * What an endpoint of messages has sent and the link has not taken yet: packets in a ring of bytes, in order, up to a
 * bound. Messages are copied in when they are sent; frames point into the ring, whose bytes are dropped once the link has
 * them.
 */

import { EMPTY, OFFLOAD_CSUM, OFFLOAD_USO, Ring, type TransmitBatch } from '../../base/index.ts';
import { DropReason } from '../../wire/index.ts';
import type { EgressSource, Host, Path, TransmitListener } from '../host.ts';
import { OutgoingPacket } from './outgoing-packet.ts';
import { completeInRing, emitPacket } from './output.ts';
import { largestPacketOf, NO_USER_MTU } from './packet-size.ts';

/** Most packets that wait, whatever their size: what bounds empty ones. */
export const MAX_PACKETS = 1024;
/** A helping: packets an endpoint may add before others get their turn, and bytes. */
const TURN_FRAMES = 32;
const TURN_BYTES = 65536;

export class Outbox implements EgressSource, TransmitListener {
  isQueued = false;
  /** Most bytes that wait; one message always fits into an empty outbox. */
  limit: number;
  readonly #host: Host;
  readonly #ring: Ring;
  readonly #onRoom: (() => void) | null;
  /** A ring of packets, those before `#sent` given to the link but still in its hands. */
  #packets: OutgoingPacket[] = [new OutgoingPacket()];
  #head = 0;
  #count = 0;
  #sent = 0;
  #sentBytes = 0;
  #isListening = false;
  #wasFull = false;

  /** @param onRoom called when there is room again after `hasRoom` said no */
  constructor(host: Host, limit: number, onRoom: (() => void) | null) {
    this.#host = host;
    this.limit = limit;
    // The bound is kept here, because one message may exceed it.
    this.#ring = new Ring(host.allocator, Number.MAX_SAFE_INTEGER);
    this.#onRoom = onRoom;
  }

  /** Packets not given to the link yet. */
  get waiting(): number {
    return this.#count - this.#sent;
  }

  /** Whether a message of `length` bytes in so many packets may be added now; a no is followed by `onRoom`. */
  hasRoom(length: number, packets = 1): boolean {
    const { used } = this.#ring;
    const fits = this.#count + packets <= MAX_PACKETS && (used === 0 || used + length <= this.limit);
    if (!fits) this.#wasFull = true;
    return fits;
  }

  /**
   * Starts a packet: the caller fills in what is returned, appends the bytes, and ends with {@link send}. Only after
   * `hasRoom` said yes.
   */
  begin(path: Path, protocol: number): OutgoingPacket {
    if (this.#count === this.#packets.length) this.#growPackets();
    const packet = this.#packets[(this.#head + this.#count) & (this.#packets.length - 1)] as OutgoingPacket;
    packet.path = path;
    packet.protocol = protocol;
    packet.length = 0;
    packet.ttl = 0;
    packet.trafficClass = 0;
    packet.flowLabel = 0;
    packet.dontFragment = false;
    packet.isProbe = false;
    packet.userMtu = NO_USER_MTU;
    packet.cause = 0;
    packet.owner = null;
    packet.inlineLength = 0;
    packet.hasOwnHeader = false;
    packet.options = EMPTY;
    packet.copiedOptions = EMPTY;
    packet.checksumOffset = -1;
    packet.segmentSize = 0;
    packet.isCut = false;
    packet.progress = 0;
    packet.identification = 0;
    return packet;
  }

  /** Copies bytes of the packet that was begun. @returns whether there was memory for them; if not, forget the packet. */
  append(packet: OutgoingPacket, from: Uint8Array, at: number, length: number): boolean {
    if (this.#ring.writeAt(this.#ring.used + packet.length, from, at, length) !== length) return false;
    packet.length += length;
    return true;
  }

  /** Puts the packet that was begun behind the others. */
  send(packet: OutgoingPacket): void {
    this.#ring.commit(packet.length);
    this.#count++;
    if (this.waiting === 1) this.#host.requestOutput((packet.path as Path).interfaceIndex, this);
  }

  emit(batch: TransmitBatch): boolean {
    const host = this.#host;
    if (this.waiting === 0) return false;
    const { interfaceIndex } = this.#next.path as Path;
    const lastFrame = batch.count + TURN_FRAMES;
    const lastByte = this.#sentBytes + TURN_BYTES;
    while (this.waiting > 0 && batch.count < lastFrame && this.#sentBytes < lastByte) {
      const packet = this.#next;
      const path = this.#currentPath(packet);
      if (path === null) {
        host.counters.drop(DropReason.noRoute);
        this.#advance(packet, interfaceIndex);
        continue;
      }
      if (path.interfaceIndex !== interfaceIndex) {
        // The next one leaves elsewhere: it waits in that queue, but not before what is in this batch has left, because
        // bytes are dropped in order.
        if (this.#sent === 0) host.requestOutput(path.interfaceIndex, this);
        return false;
      }
      const { memory } = this.#ring;
      const start = this.#ring.offsetOf(this.#sentBytes);
      const isDone = emitPacket(batch, packet, path, memory, start, host.counters);
      this.#listen(interfaceIndex);
      if (!isDone) return true;
      this.#advance(packet, interfaceIndex);
    }
    return this.waiting > 0;
  }

  transmitted(): void {
    this.#isListening = false;
    for (let i = 0; i < this.#sent; i++) {
      const packet = this.#packets[(this.#head + i) & (this.#packets.length - 1)] as OutgoingPacket;
      packet.path = null;
      packet.owner = null;
    }
    this.#head = (this.#head + this.#sent) & (this.#packets.length - 1);
    this.#count -= this.#sent;
    this.#sent = 0;
    const bytes = this.#sentBytes;
    this.#sentBytes = 0;
    this.#ring.discard(bytes);
    if (this.waiting > 0) this.#host.requestOutput((this.#next.path as Path).interfaceIndex, this);
    if (this.#wasFull) {
      this.#wasFull = false;
      this.#onRoom?.();
    }
  }

  get #next(): OutgoingPacket {
    return this.#packets[(this.#head + this.#sent) & (this.#packets.length - 1)] as OutgoingPacket;
  }

  /** The packet's path, renewed when routes or addresses changed meanwhile. */
  #currentPath(packet: OutgoingPacket): Path | null {
    const queued = packet.path as Path;
    if (queued.isValid) return queued;
    const { interfaceIndex, source, destination } = queued;
    // A group has no route: what was to leave by one interface, or to come back to members here, goes the same way still.
    const path = queued.isGroup
      ? this.#host.linkPath(interfaceIndex, source, destination)
      : this.#host.pathTo(source, destination);
    if (path === null) return null;
    // A link that can't complete a checksum, or would cut the packet, can't take one that counts on it.
    if (packet.checksumOffset >= 0 && !packet.isCut && !isPartialRight(path, packet)) {
      if (packet.segmentSize > 0) packet.isCut = true;
      else completeInRing(packet, this.#ring.memory, this.#ring.offsetOf(this.#sentBytes));
    }
    packet.path = path;
    return path;
  }

  #advance(packet: OutgoingPacket, interfaceIndex: number): void {
    this.#sent++;
    this.#sentBytes += packet.length;
    this.#listen(interfaceIndex);
  }

  #listen(interfaceIndex: number): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#host.afterTransmit(interfaceIndex, this);
  }

  #growPackets(): void {
    const old = this.#packets;
    const grown: OutgoingPacket[] = [];
    for (let i = 0; i < old.length * 2; i++) {
      grown.push(
        i < old.length ? (old[(this.#head + i) & (old.length - 1)] as OutgoingPacket) : new OutgoingPacket(),
      );
    }
    this.#packets = grown;
    this.#head = 0;
  }
}

/** Whether a packet of `length` bytes behind the IP header may go by `path` with a partial checksum: `limit` does not cut it. */
export function canCarryPartial(path: Path, length: number, limit: number): boolean {
  return (path.offload & OFFLOAD_CSUM) !== 0 && path.ipHeaderLength + length <= limit;
}

function isPartialRight(path: Path, packet: OutgoingPacket): boolean {
  const limit = largestPacketOf(path, packet.dontFragment, packet.isProbe, packet.userMtu);
  const { segmentSize } = packet;
  const optionsLength = packet.options.length;
  if (segmentSize === 0) return canCarryPartial(path, optionsLength + packet.length, limit);
  return canCarrySegments(path, optionsLength + packet.inlineLength + segmentSize, limit);
}

/** Whether the link of `path` cuts datagrams of `length` bytes behind the IP header out of a super-segment (USO). */
export function canCarrySegments(path: Path, length: number, limit: number): boolean {
  return (path.offload & OFFLOAD_USO) !== 0 && canCarryPartial(path, length, limit);
}
