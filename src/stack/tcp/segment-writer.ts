/**
 * Puts one segment of a connection into a transmit batch: IP header by the path, TCP header and options here, payload as up
 * to two ranges of the send ring, which is not copied.
 */

import {
  FRAME_NEEDS_CSUM,
  GSO_ECN,
  GSO_NONE,
  GSO_TCPV4,
  GSO_TCPV6,
  OFFLOAD_CSUM,
  OFFLOAD_TSO4,
  OFFLOAD_TSO6,
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
import {
  ECN_MASK,
  IPPROTO_TCP,
  sealPartial,
  sealTcp,
  sumBytesAt,
  TCP_ACK,
  TCP_CHECKSUM_OFFSET,
  TCP_CWR,
  TCP_HEADER_LEN,
  TCP_SYN,
  TCP_URG,
  TCPOPT_TIMESTAMPS_LEN,
  writeSackOption,
  writeTcp,
  writeTimestampsOption,
} from '../../wire/index.ts';
import { Cause } from '../host.ts';
import { collectSackBlocks, maxSackBlocks, sackEdges } from './buffers/reassembly.ts';
import { advertiseSynWindow, advertiseWindow } from './buffers/window.ts';
import { ecnOptionLength, writeEcnOption } from './ecn/accurate-option.ts';
import { allowsSuperSegments, ecnCodepoint, noteEcnSent, takeEcnFlags } from './ecn/ecn.ts';
import { synEcnFlags } from './ecn/negotiation.ts';
import { countSent } from './observe/counting.ts';
import { synOptionsLength, timestampNow, writeSynOptions } from './options.ts';
import { LEAST_TEXT, noteSizeSent } from './path/mss.ts';
import { type Tcb, TcpTimer } from './tcb.ts';
import { urgentPointerAt } from './urgent.ts';

/**
 * Writes the segment `seq` with `length` bytes of text from `seq` on.
 *
 * @param flags without ACK, which goes by itself
 * @param length more than `tcb.smss` only when the path segments; the text must be in the send ring
 */
export function writeSegment(
  tcb: Tcb,
  batch: TransmitBatch,
  seq: number,
  flags: number,
  length: number,
  cause: number,
): void {
  const isSyn = (flags & TCP_SYN) !== 0;
  const hasAck = tcb.state !== 'SYN-SENT';
  const sackCount = hasSackBlocks(tcb, isSyn) ? collectSackBlocks(tcb, length === 0) : 0;
  const ecnLength = isSyn ? 0 : ecnOptionLength(tcb);
  const optionsLength = isSyn ? synOptionsLength(tcb) : dataOptionsLength(tcb, sackCount) + ecnLength;
  const headerLength = TCP_HEADER_LEN + optionsLength;
  const transportLength = headerLength + length;

  const { path, settings, ecn } = tcb;
  const isNewText = length > 0 && seq === tcb.sndNxt && cause !== Cause.windowProbe;
  const { headers } = batch;
  const frameAt = batch.headerEnd;
  const at = path.writeHeader(
    headers,
    frameAt,
    IPPROTO_TCP,
    transportLength,
    settings.ttl,
    // The ECN field is the connection's, whatever the user has set.
    (settings.trafficClass & ~ECN_MASK) | (ecn === null ? 0 : ecnCodepoint(ecn, isNewText)),
    !tcb.isFragmentable,
    tcb.flowLabel,
  );
  const urgent = tcb.urgentOut === null ? -1 : urgentPointerAt(tcb, tcb.urgentOut, seq);
  let ecnFlags = 0;
  if (isSyn) ecnFlags = synEcnFlags(tcb);
  else if (ecn !== null) ecnFlags = takeEcnFlags(ecn, length, isNewText);
  const hasUrgent = urgent >= 0;
  const window = isSyn ? advertiseSynWindow(tcb) : advertiseWindow(tcb);
  const optionsAt = writeTcp(
    headers,
    at,
    tcb.localPort,
    tcb.remotePort,
    seq,
    hasAck ? tcb.rcvNxt : 0,
    flags | ecnFlags | (hasAck ? TCP_ACK : 0) | (hasUrgent ? TCP_URG : 0),
    window,
    hasUrgent ? urgent : 0,
    optionsLength,
  );
  if (isSyn) writeSynOptions(tcb, headers, optionsAt);
  else if (optionsLength > 0) writeDataOptions(tcb, headers, optionsAt, sackCount, ecnLength);

  // Text in a SYN comes after it (RFC 7413).
  const textAt = isSyn ? (seq + 1) | 0 : seq;
  const row = fillRow(tcb, batch, frameAt, at + headerLength - frameAt, textAt, length, cause);
  seal(tcb, batch, row, at, headerLength, length, ecnFlags);
  batch.count++;
  batch.headerEnd = (at + headerLength + 3) & ~3;
  const packets = length > tcb.smss ? Math.ceil(length / segmentSize(tcb)) : 1;
  countSent(tcb, seq, flags, length, packets, isSyn ? window : window << tcb.rcvWindShift, cause);
  if (length > 0) {
    tcb.lastSentAt = tcb.host.now;
    noteSizeSent(tcb, seq, Math.min(length, segmentSize(tcb)));
  }
  if (ecn !== null) noteEcnSent(tcb, ecn, seq, length, ecnLength > 0);
  if (hasAck) noteAckSent(tcb);
}

/** Most text in a segment now: SACK blocks take of what SMSS leaves (RFC 6691 §2). */
export function segmentSize(tcb: Tcb): number {
  const size = tcb.smss - ecnOptionLength(tcb);
  if (tcb.early.count === 0 || !tcb.isSackEnabled) return size;
  return size - sackOptionLength(Math.min(tcb.early.count, maxSackBlocks(tcb, LEAST_TEXT)));
}

/** `length` cut to `room` and to what one frame takes; what is cut ends on a whole segment. */
export function limitLength(tcb: Tcb, length: number, room: number, size: number): number {
  const most = Math.min(room, canSegment(tcb) ? Math.max(size, tcb.config.maxSuperSegment) : size);
  if (length <= most) return length;
  return most >= size ? most - (most % size) : most;
}

/** Whether the device cuts super-segments for this connection. */
export function canSegment(tcb: Tcb): boolean {
  const needed = tcb.path.source.family === 4 ? OFFLOAD_TSO4 : OFFLOAD_TSO6;
  // The urgent pointer of a super-segment would be copied into each of its packets.
  if ((tcb.path.offload & needed) === 0 || tcb.urgentOut !== null) return false;
  return tcb.ecn === null || allowsSuperSegments(tcb.ecn);
}

function hasSackBlocks(tcb: Tcb, isSyn: boolean): boolean {
  return !isSyn && (tcb.early.count > 0 || tcb.isDuplicateDue);
}

/** Bytes of timestamps and SACK blocks in a segment after the handshake. */
function dataOptionsLength(tcb: Tcb, sackCount: number): number {
  return (tcb.isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0) + sackOptionLength(sackCount);
}

function sackOptionLength(count: number): number {
  return count === 0 ? 0 : 4 + 8 * count;
}

function writeDataOptions(
  tcb: Tcb,
  into: Uint8Array,
  at: number,
  sackCount: number,
  ecnLength: number,
): void {
  let end = tcb.isTimestamped ? writeTimestampsOption(into, at, timestampNow(tcb), tcb.tsRecent) : at;
  if (tcb.ecn !== null && ecnLength > 0) end = writeEcnOption(tcb.ecn, into, end, ecnLength);
  writeSackOption(into, end, sackEdges, sackCount);
}

/** @returns where the frame's row starts in the batch's table */
function fillRow(
  tcb: Tcb,
  batch: TransmitBatch,
  frameAt: number,
  headerLength: number,
  seq: number,
  length: number,
  cause: number,
): number {
  const { table, count } = batch;
  const row = count * TX_COLUMNS;
  table[row + TX_HEADER_OFFSET] = frameAt;
  table[row + TX_HEADER_LENGTH] = headerLength;
  table[row + TX_PAYLOAD2_OFFSET] = 0;
  table[row + TX_CAUSE] = cause;
  batch.owners[count] = tcb.endpoint;
  let first = 0;
  let untilEnd = 0;
  if (length > 0) {
    const { tx } = tcb;
    batch.payloads[count] = tx.memory;
    first = tx.offsetOf((seq - tcb.txStart) | 0);
    untilEnd = Math.min(length, tx.memory.length - first);
  }
  table[row + TX_PAYLOAD1_OFFSET] = first;
  table[row + TX_PAYLOAD1_LENGTH] = untilEnd;
  table[row + TX_PAYLOAD2_LENGTH] = length - untilEnd;
  return row;
}

/** The checksum: partial when the device completes it, else over everything; and how the device is to cut. */
function seal(
  tcb: Tcb,
  batch: TransmitBatch,
  row: number,
  at: number,
  headerLength: number,
  length: number,
  ecnFlags: number,
): void {
  const { table, headers } = batch;
  const { path } = tcb;
  const size = segmentSize(tcb);
  const isCut = length > size;
  const kind = path.source.family === 4 ? GSO_TCPV4 : GSO_TCPV6;
  const ecnKind = (ecnFlags & TCP_CWR) === 0 ? 0 : GSO_ECN;
  table[row + TX_GSO_TYPE] = isCut ? kind | ecnKind : GSO_NONE;
  table[row + TX_GSO_SIZE] = isCut ? size : 0;
  table[row + TX_CSUM_OFFSET] = TCP_CHECKSUM_OFFSET;
  table[row + TX_CSUM_START] = at - (table[row + TX_HEADER_OFFSET] as number);
  let sum = path.pseudoHeaderSum(IPPROTO_TCP) + headerLength + length;
  if ((path.offload & OFFLOAD_CSUM) !== 0) {
    table[row + TX_FLAGS] = FRAME_NEEDS_CSUM;
    sealPartial(headers, at + TCP_CHECKSUM_OFFSET, sum);
    return;
  }
  table[row + TX_FLAGS] = 0;
  if (length > 0) {
    const { memory } = tcb.tx;
    const first = table[row + TX_PAYLOAD1_LENGTH] as number;
    sum = sumBytesAt(0, memory, table[row + TX_PAYLOAD1_OFFSET] as number, first, sum);
    if (first < length) sum = sumBytesAt(first, memory, 0, length - first, sum);
  }
  sealTcp(headers, at, headerLength, sum);
}

/** Every segment with ACK acknowledges all that has arrived. */
function noteAckSent(tcb: Tcb): void {
  tcb.lastAckSent = tcb.rcvNxt;
  if (tcb.unackedPackets > 0) {
    tcb.unackedPackets = 0;
    tcb.disarm(TcpTimer.delayedAck);
  }
  if (tcb.acksDue > 0 && !tcb.isDuplicateDue) tcb.acksDue--;
}
