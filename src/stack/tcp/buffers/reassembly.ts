/**
 * Text that arrives: in order it is copied behind what is readable, early it is copied to where it belongs in the same ring,
 * and a list of ranges remembers that it is there. Nothing is copied twice.
 *
 *     rx:  | readable (used) |  hole  | early | hole | early |  free |
 *                        rcvNxt                                  rcvAdv
 */

import { seqDiff, seqGt, seqLeq } from '../../../base/index.ts';
import { DropReason, TCP_MAX_OPTIONS_LEN, TCPOPT_TIMESTAMPS_LEN } from '../../../wire/index.ts';
import { ecnOptionLength } from '../ecn/accurate-option.ts';
import { LEAST_TEXT } from '../path/mss.ts';
import type { Tcb } from '../tcb.ts';

/** Edges of the SACK blocks that {@link collectSackBlocks} found: left and right in turn. */
export const sackEdges = new Int32Array(8);

/**
 * Takes text that lies within the window and doesn't start before RCV.NXT. In order, it may take less when memory is short.
 * @returns `none`, or `tcpNoMemory` when there was no place for it
 */
export function placeText(tcb: Tcb, seq: number, bytes: Uint8Array, at: number, most: number): DropReason {
  const { rx, early } = tcb;
  const ahead = seqDiff(seq, tcb.rcvNxt);
  const length = placeableLength(tcb, ahead, most);
  if (length <= 0) return DropReason.tcpNoMemory;
  rx.writeAt(rx.used + ahead, bytes, at, length, tcb.env.views);
  if (ahead > 0) {
    const added = early.add(seq, (seq + length) | 0);
    if (added < 0) return DropReason.tcpNoMemory;
    if (added === 0) reportDuplicate(tcb, seq, (seq + length) | 0);
    tcb.bytesReordered += added;
    tcb.latestEarly = seq;
    return DropReason.none;
  }
  let arrived = length;
  if (early.count > 0) {
    // What follows without a hole becomes readable with it.
    const end = (seq + length) | 0;
    const index = early.indexAfter(end);
    if (index < early.count && seqLeq(early.startOf(index), end)) {
      arrived += seqDiff(early.endOf(index), end);
    }
    early.dropBelow((seq + arrived) | 0);
  }
  rx.commit(arrived);
  tcb.rcvNxt = (tcb.rcvNxt + arrived) | 0;
  tcb.bytesIn += arrived;
  return DropReason.none;
}

/** How much of `most` bytes, `ahead` of RCV.NXT, there is memory for: all of it but under pressure. */
function placeableLength(tcb: Tcb, ahead: number, most: number): number {
  const { rx } = tcb;
  const reach = rx.used + ahead + most;
  if (reach <= rx.memory.length) return most;
  const { memory } = tcb.env;
  if (memory.isPressed) tcb.env.relieveMemory(tcb);
  // A hole may never be filled: no memory is taken for what lies behind it while others want some.
  if (ahead > 0) return !memory.isPressed && rx.reserve(reach) ? most : 0;
  return Math.min(most, rx.reserveMost(reach) - rx.used);
}

/** Text arrived that was here already: the peer hears of it once (RFC 2883 §4). */
export function reportDuplicate(tcb: Tcb, start: number, end: number): void {
  if (!tcb.isSackEnabled || tcb.isDuplicateDue) return;
  tcb.isDuplicateDue = true;
  tcb.duplicateStart = start;
  tcb.duplicateEnd = end;
}

/** Whether the peer's FIN is in order: all its text has arrived. */
export function isFinTaken(tcb: Tcb): boolean {
  return tcb.hasRcvFin && seqGt(tcb.rcvNxt, tcb.rcvFin);
}

/** One past the last byte of text in order: RCV.NXT, but for a FIN. */
export function rcvText(tcb: Tcb): number {
  return isFinTaken(tcb) ? tcb.rcvFin : tcb.rcvNxt;
}

/** How far early text reaches past what is readable: memory that `Ring.discard` has to keep. */
export function earlyExtent(tcb: Tcb): number {
  return tcb.early.count === 0 ? 0 : seqDiff(tcb.early.highest, tcb.rcvNxt);
}

/**
 * Most SACK blocks that fit beside the other options (RFC 2018 §3): 4, or 3 with timestamps; fewer where segments are tiny.
 * @param least bytes of text that have to fit too
 */
export function maxSackBlocks(tcb: Tcb, least: number): number {
  const ecn = ecnOptionLength(tcb);
  const most = TCP_MAX_OPTIONS_LEN - (tcb.isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0);
  return Math.max(0, Math.min(most, tcb.smss - least) - ecn - 4) >> 3;
}

/**
 * Fills {@link sackEdges}: what arrived twice (RFC 2883 §4), then the range with what arrived last and the highest others
 * (RFC 2018 §4).
 * @param isBare the segment has no text. A duplicate goes with no other: the packets of a super-segment would repeat it.
 * @returns how many blocks
 */
export function collectSackBlocks(tcb: Tcb, isBare: boolean): number {
  if (!tcb.isSackEnabled) return 0;
  const { early } = tcb;
  const fitting = maxSackBlocks(tcb, isBare ? 0 : LEAST_TEXT);
  let blocks = 0;
  if (isBare && tcb.isDuplicateDue) {
    tcb.isDuplicateDue = false;
    if (fitting === 0) return 0;
    sackEdges[0] = tcb.duplicateStart;
    sackEdges[1] = tcb.duplicateEnd;
    blocks = 1;
    // RFC 2883 §4.2: when it lies in a range of early text, that follows as the second block.
    if (early.has(tcb.duplicateStart)) tcb.latestEarly = tcb.duplicateStart;
  }
  const most = Math.min(early.count + blocks, fitting);
  if (blocks === most) return blocks;
  const latest = Math.min(early.indexAfter(tcb.latestEarly), early.count - 1);
  putBlock(tcb, blocks++, latest);
  for (let index = early.count - 1; index >= 0 && blocks < most; index--) {
    if (index !== latest) putBlock(tcb, blocks++, index);
  }
  return blocks;
}

function putBlock(tcb: Tcb, block: number, index: number): void {
  sackEdges[2 * block] = tcb.early.startOf(index);
  sackEdges[2 * block + 1] = tcb.early.endOf(index);
}
