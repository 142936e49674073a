/**
 * A super-segment of UDP datagrams that the link can't cut any more, or not into pieces that fit the path: the way changed while it
 * waited. Each datagram is made here, with a checksum of its own, in one piece or in fragments; one that may not be fragmented is lost.
 */

import { EMPTY, putU16, type TransmitBatch, u16 } from '../../base/index.ts';
import { IPPROTO_UDP, sealUdp, UDP_HEADER_LEN, writeUdp } from '../../wire/index.ts';
import { CAUSE_FRAGMENT } from '../cause.ts';
import type { StackCounters } from '../counters.ts';
import type { Path } from '../host.ts';
import { addRow, copyInline, setPayload, sumRing } from './frame-rows.ts';
import { copiedOptions, insertOptions } from './ipv4-options.ts';
import type { OutgoingPacket } from './outgoing-packet.ts';

/**
 * Adds frames until all datagrams are there or the batch is full; the next call goes on from there.
 * @param memory ring memory with the packet from `start` on: a UDP header, and the payload of all datagrams
 * @returns whether all of it has been added
 */
export function emitCut(
  batch: TransmitBatch,
  packet: OutgoingPacket,
  path: Path,
  limit: number,
  memory: Uint8Array,
  start: number,
  counters: StackCounters,
): boolean {
  const payloadLength = packet.length - UDP_HEADER_LEN;
  const headers = path.ipHeaderLength + packet.options.length + UDP_HEADER_LEN;
  while (packet.progress < payloadLength) {
    if (batch.count >= batch.capacity) return false;
    const within = packet.progress % packet.segmentSize;
    const datagramAt = packet.progress - within;
    const length = Math.min(packet.segmentSize, payloadLength - datagramAt);
    const from = start + UDP_HEADER_LEN + datagramAt;
    if (within === 0 && headers + length <= limit) {
      emitDatagram(batch, packet, path, memory, start, from, length);
      packet.progress += length;
    } else if (packet.dontFragment) {
      counters.ipFragFails++;
      packet.progress = datagramAt + length;
    } else emitFragment(batch, packet, path, limit, memory, start, from, length, within, counters);
  }
  return true;
}

function emitDatagram(
  batch: TransmitBatch,
  packet: OutgoingPacket,
  path: Path,
  memory: Uint8Array,
  start: number,
  from: number,
  length: number,
): void {
  const at = batch.headerEnd;
  const { headers } = batch;
  const { protocol, ttl, trafficClass, dontFragment, flowLabel, options } = packet;
  const behindIp = options.length + UDP_HEADER_LEN + length;
  let udpAt = path.writeHeader(headers, at, protocol, behindIp, ttl, trafficClass, dontFragment, flowLabel);
  if (options.length > 0) udpAt = insertOptions(headers, udpAt - path.ipHeaderLength, options);
  writeHeader(headers, udpAt, path, memory, start, from, length);
  const row = addRow(batch, at, udpAt + UDP_HEADER_LEN - at, packet.owner, packet.cause);
  setPayload(batch, row, memory, from, length);
}

/** Adds the next fragment of the datagram with `length` bytes at `from`, of which `within` have gone. */
function emitFragment(
  batch: TransmitBatch,
  packet: OutgoingPacket,
  path: Path,
  limit: number,
  memory: Uint8Array,
  start: number,
  from: number,
  length: number,
  within: number,
  counters: StackCounters,
): void {
  const { headers } = batch;
  const isFirst = within === 0;
  if (isFirst) {
    packet.identification = path.nextIdentification();
    packet.copiedOptions = packet.options.length === 0 ? EMPTY : copiedOptions(packet.options);
  }
  const options = isFirst ? packet.options : packet.copiedOptions;
  const overhead = path.ipHeaderLength + path.fragmentHeaderLength - path.headerLength + options.length;
  const offset = isFirst ? 0 : UDP_HEADER_LEN + within;
  const left = UDP_HEADER_LEN + length - offset;
  const size = Math.min(Math.max(8, (limit - overhead) & ~7), left);
  const at = batch.headerEnd;
  let payloadAt = path.writeFragment(
    headers,
    at,
    packet.protocol,
    packet.identification,
    offset,
    size,
    size === left,
    packet.ttl,
    packet.trafficClass,
    packet.flowLabel,
  );
  if (options.length > 0) {
    // The length was written without them.
    const ipAt = payloadAt - path.ipHeaderLength;
    putU16(headers, ipAt + 2, path.ipHeaderLength + options.length + size);
    payloadAt = insertOptions(headers, ipAt, options);
  }
  let bytes = size;
  if (isFirst) {
    writeHeader(headers, payloadAt, path, memory, start, from, length);
    payloadAt += UDP_HEADER_LEN;
    bytes -= UDP_HEADER_LEN;
  }
  const row = addRow(batch, at, payloadAt - at, packet.owner, packet.cause | CAUSE_FRAGMENT);
  setPayload(batch, row, memory, from + within, bytes);
  packet.progress += bytes;
  counters.ipFragCreates++;
  if (size === left) counters.ipFragOKs++;
}

/** The header of one datagram, with the ports of the super-segment's. */
function writeHeader(
  into: Uint8Array,
  at: number,
  path: Path,
  memory: Uint8Array,
  start: number,
  from: number,
  length: number,
): void {
  copyInline(memory, start, into, at, UDP_HEADER_LEN);
  const whole = UDP_HEADER_LEN + length;
  writeUdp(into, at, u16(into, at), u16(into, at + 2), whole);
  sealUdp(into, at, sumRing(memory, from, length, path.pseudoHeaderSum(IPPROTO_UDP) + whole));
}
