/**
 * From a transport's packet to frames in a transmit batch: one when it fits the path, else fragments (RFC 791 §3.2).
 */

import {
  EMPTY,
  FRAME_NEEDS_CSUM,
  GSO_UDP_L4,
  putU16,
  type TransmitBatch,
  TX_CSUM_OFFSET,
  TX_CSUM_START,
  TX_FLAGS,
  TX_GSO_SIZE,
  TX_GSO_TYPE,
} from '../../base/index.ts';
import { fold } from '../../wire/index.ts';
import { CAUSE_FRAGMENT } from '../cause.ts';
import type { StackCounters } from '../counters.ts';
import type { Path } from '../host.ts';
import { emitCut } from './cut-segments.ts';
import { addRow, copyInline, setPayload, sumRing } from './frame-rows.ts';
import { copiedOptions, insertOptions } from './ipv4-options.ts';
import type { OutgoingPacket } from './outgoing-packet.ts';
import { largestPacketOf } from './packet-size.ts';

/** Room that one IP packet takes of the path's MTU. */
function packetLength(packet: OutgoingPacket, path: Path): number {
  return packet.hasOwnHeader ? packet.length : path.ipHeaderLength + packet.options.length + packet.length;
}

/** Largest IP packet that `packet` may be in one piece, now that it leaves. */
function limitOf(packet: OutgoingPacket, path: Path): number {
  // A header of the caller's own decides by itself whether routers may cut; here it is not touched.
  if (packet.hasOwnHeader) return path.linkMtu;
  return largestPacketOf(path, packet.dontFragment, packet.isProbe, packet.userMtu);
}

/**
 * Adds frames of `packet` to `batch` until it is all there or the batch is full; the next call goes on from there.
 *
 * @param memory ring memory (its length a power of two) with the packet's bytes from `start` on
 * @returns whether all of it has been added
 */
export function emitPacket(
  batch: TransmitBatch,
  packet: OutgoingPacket,
  path: Path,
  memory: Uint8Array,
  start: number,
  counters: StackCounters,
): boolean {
  if (batch.count >= batch.capacity) return false;
  if (packet.progress === 0) counters.ipOutRequests++;
  const whole =
    packet.segmentSize === 0
      ? packetLength(packet, path)
      : path.ipHeaderLength + packet.options.length + packet.inlineLength + packet.segmentSize;
  const limit = limitOf(packet, path);
  // The path became narrower after a packet was queued whose checksum only the link completes: a router cuts it, or, as no
  // router does with IPv6, it is completed here. A super-segment has no checksum that could be completed here.
  const isSuper = packet.segmentSize > 0;
  let isLeftToRouters = packet.checksumOffset >= 0 && !packet.dontFragment && whole <= path.linkMtu;
  if (isLeftToRouters && whole > limit && path.source.family === 6) {
    if (!isSuper) completeInRing(packet, memory, start);
    isLeftToRouters = false;
  }
  if (isSuper && !packet.isCut && whole > limit && !isLeftToRouters) packet.isCut = true;
  if (packet.isCut) return emitCut(batch, packet, path, limit, memory, start, counters);
  if (whole <= limit || isLeftToRouters) {
    emitWhole(batch, packet, path, memory, start);
    return true;
  }
  if (packet.dontFragment || packet.hasOwnHeader) {
    // The path became narrower after the packet was queued.
    counters.ipFragFails++;
    return true;
  }
  return emitFragments(batch, packet, path, limit, memory, start, counters);
}

function emitWhole(
  batch: TransmitBatch,
  packet: OutgoingPacket,
  path: Path,
  memory: Uint8Array,
  start: number,
): void {
  const at = batch.headerEnd;
  const { headers } = batch;
  const { inlineLength, hasOwnHeader } = packet;
  const behindIp = hasOwnHeader ? packet.length - path.ipHeaderLength : packet.length;
  const { protocol, ttl, trafficClass, dontFragment } = packet;
  const { options, flowLabel } = packet;
  const behindHeader = behindIp + options.length;
  let transportAt = path.writeHeader(
    headers,
    at,
    protocol,
    behindHeader,
    ttl,
    trafficClass,
    dontFragment,
    flowLabel,
  );
  if (options.length > 0) transportAt = insertOptions(headers, transportAt - path.ipHeaderLength, options);
  // A header of the caller's own takes the place of the one just written; the link's header stays.
  const inlineAt = hasOwnHeader ? transportAt - path.ipHeaderLength : transportAt;
  copyInline(memory, start, headers, inlineAt, inlineLength);
  const row = addRow(batch, at, inlineAt + inlineLength - at, packet.owner, packet.cause);
  if (packet.checksumOffset >= 0) {
    batch.table[row + TX_FLAGS] = FRAME_NEEDS_CSUM;
    batch.table[row + TX_CSUM_START] = transportAt - at;
    batch.table[row + TX_CSUM_OFFSET] = packet.checksumOffset;
  }
  if (packet.segmentSize > 0) {
    batch.table[row + TX_GSO_TYPE] = GSO_UDP_L4;
    batch.table[row + TX_GSO_SIZE] = packet.segmentSize;
    // Each datagram has the next identification: those numbers are used up (RFC 6864 §4.3).
    for (
      let at = 2 * packet.segmentSize;
      at < behindIp - inlineLength + packet.segmentSize;
      at += packet.segmentSize
    ) {
      path.nextIdentification();
    }
  }
  setPayload(batch, row, memory, start + inlineLength, packet.length - inlineLength);
}

function emitFragments(
  batch: TransmitBatch,
  packet: OutgoingPacket,
  path: Path,
  limit: number,
  memory: Uint8Array,
  start: number,
  counters: StackCounters,
): boolean {
  const overhead = path.ipHeaderLength + path.fragmentHeaderLength - path.headerLength;
  if (packet.progress === 0) {
    packet.identification = path.nextIdentification();
    packet.copiedOptions = packet.options.length === 0 ? EMPTY : copiedOptions(packet.options);
  }
  while (packet.progress < packet.length) {
    if (batch.count >= batch.capacity) return false;
    const offset = packet.progress;
    const options = offset === 0 ? packet.options : packet.copiedOptions;
    const most = Math.max(8, (limit - overhead - options.length) & ~7);
    const length = Math.min(most, packet.length - offset);
    const isLast = offset + length === packet.length;
    const at = batch.headerEnd;
    let payloadAt = path.writeFragment(
      batch.headers,
      at,
      packet.protocol,
      packet.identification,
      offset,
      length,
      isLast,
      packet.ttl,
      packet.trafficClass,
      packet.flowLabel,
    );
    if (options.length > 0) {
      // The length was written without them.
      const ipAt = payloadAt - path.ipHeaderLength;
      putU16(batch.headers, ipAt + 2, path.ipHeaderLength + options.length + length);
      payloadAt = insertOptions(batch.headers, ipAt, options);
    }
    const row = addRow(batch, at, payloadAt - at, packet.owner, packet.cause | CAUSE_FRAGMENT);
    setPayload(batch, row, memory, start + offset, length);
    packet.progress += length;
    counters.ipFragCreates++;
  }
  counters.ipFragOKs++;
  return true;
}

/** Makes a partial checksum whole where the packet waits: its field holds the pseudo-header's sum. */
export function completeInRing(packet: OutgoingPacket, memory: Uint8Array, start: number): void {
  const mask = memory.length - 1;
  const checksum = ~fold(sumRing(memory, start, packet.length, 0)) & 0xffff;
  const at = start + packet.checksumOffset;
  // UDP's zero means that there is none (RFC 8200 §8.1).
  memory[at & mask] = checksum === 0 ? 0xff : checksum >> 8;
  memory[(at + 1) & mask] = checksum === 0 ? 0xff : checksum & 0xff;
  packet.checksumOffset = -1;
}
