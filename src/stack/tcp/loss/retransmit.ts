/**
 * Sending again: what is lost, and the copy of the last segment that a tail-loss probe is. Also the record of everything that
 * is sent, in `SentList`.
 */

import { seqDiff, seqLt, seqMax, type TransmitBatch } from '../../../base/index.ts';
import { TCP_FIN, TCP_PSH } from '../../../wire/index.ts';
import { Cause } from '../../host.ts';
import { TcpEvent, trace } from '../observe/trace.ts';
import { timestampNow } from '../options.ts';
import { limitLength, segmentSize, writeSegment } from '../segment-writer.ts';
import { Recovery, type Tcb } from '../tcb.ts';
import { withinOneMark } from '../urgent.ts';
import { stampSent } from './delivery-rate.ts';
import { bytesInNetwork } from './loss-marks.ts';
import { Frto } from './loss-state.ts';
import { NONE, SentState } from './sent-list.ts';
import { noteResent } from './spurious.ts';

/** New data was sent, from `seq` to SND.NXT. */
export function noteSent(tcb: Tcb, seq: number): void {
  const { sent } = tcb;
  const inFlight = bytesInNetwork(tcb);
  const length = seqDiff(tcb.sndNxt, seq);
  const { now } = tcb.host;
  if (!sent.extendLast(seq, tcb.sndNxt, tcb.smss, now)) {
    stampSent(tcb, sent.append(seq, tcb.sndNxt, now), length, inFlight);
  }
  if (tcb.recovery === Recovery.fast && tcb.episode !== null) tcb.episode.prr.prrOut += length;
}

/** Sends what was lost first again, as much as the windows and `budget` allow. @returns bytes of sequence space, 0 for none */
export function emitLost(tcb: Tcb, batch: TransmitBatch, budget: number): number {
  const { sent } = tcb;
  const slot = sent.firstLost;
  if (slot === NONE || isNewDataFirst(tcb)) return 0;
  const size = segmentSize(tcb);
  let room = tcb.congestion.cwnd - bytesInNetwork(tcb);
  if (tcb.isRetransmitForced && room < size) room = size;
  const seq = sent.columns.start[slot] as number;
  const untilText = seqDiff(tcb.sndFin, seq);
  let length = Math.min(lostLength(tcb, slot, budget), untilText);
  if (length > 0) {
    if (tcb.urgentOut !== null) length = withinOneMark(tcb.urgentOut, seq, length);
    if (room < Math.min(size, length)) return 0;
    length = limitLength(tcb, length, Math.min(room, budget), size);
  }
  const cause = tcb.recovery === Recovery.timeout ? Cause.retransmission : Cause.fastRetransmit;
  const isFirstCopy = sent.columns.resent[slot] === 0;
  const advance = writeAgain(tcb, batch, seq, length, untilText, cause, isFirstCopy);
  tcb.isRetransmitForced = false;
  markResent(tcb, slot, (seq + advance) | 0);
  return advance;
}

/** Sends the end of the last segment again, for an answer. @returns whether there was anything to send */
export function emitTailCopy(tcb: Tcb, batch: TransmitBatch): boolean {
  const { sent } = tcb;
  let slot = sent.last;
  if (slot === NONE || sent.columns.state[slot] !== SentState.inFlight) return false;
  const end = sent.columns.end[slot] as number;
  const hasFin = seqDiff(end, tcb.sndFin) > 0;
  const textEnd = hasFin ? tcb.sndFin : end;
  const seq = seqMax(sent.columns.start[slot] as number, (textEnd - segmentSize(tcb)) | 0);
  slot = sent.split(slot, seq);
  if (slot === NONE) return false;
  const advance = writeAgain(
    tcb,
    batch,
    seq,
    seqDiff(textEnd, seq),
    seqDiff(tcb.sndFin, seq),
    Cause.tailLossProbe,
    false,
  );
  const inFlight = bytesInNetwork(tcb) - sent.lengthOf(slot);
  stampSent(tcb, slot, advance, inFlight);
  sent.markResent(slot, tcb.host.now);
  trace(tcb, TcpEvent.tailProbe, seq, advance);
  return true;
}

/** F-RTO (RFC 5682 §2.1 step 2b): new data goes before more copies, if there is any and it may go. */
function isNewDataFirst(tcb: Tcb): boolean {
  const { episode } = tcb;
  if (episode === null || episode.check.frto !== Frto.probing) return false;
  const available = tcb.unsentBytes;
  const windowRoom = tcb.usableWindow;
  if (available > 0 && windowRoom >= Math.min(available, tcb.smss)) return true;
  episode.check.frto = Frto.off;
  return false;
}

/** Bytes from `slot` on that are lost without a gap, counted to `most` or a little past it. */
function lostLength(tcb: Tcb, slot: number, most: number): number {
  const { sent } = tcb;
  const { columns: c } = sent;
  let length = 0;
  for (let at = slot; at !== NONE && length < most; at = c.next[at] as number) {
    if (c.state[at] !== SentState.lost) break;
    length += sent.lengthOf(at);
  }
  return length;
}

/** @returns bytes of sequence space */
function writeAgain(
  tcb: Tcb,
  batch: TransmitBatch,
  seq: number,
  length: number,
  untilText: number,
  cause: number,
  isFirstCopy: boolean,
): number {
  const reachesFin = length === untilText && tcb.isFinSent;
  const flags = (reachesFin ? TCP_FIN : 0) | (length > 0 && length === untilText ? TCP_PSH : 0);
  writeSegment(tcb, batch, seq, flags, length, cause);
  const advance = length + (reachesFin ? 1 : 0);
  const { episode } = tcb;
  // A tail-loss probe belongs to no episode.
  if (episode !== null && tcb.recovery !== Recovery.open) {
    noteResent(episode.check, seq, advance, timestampNow(tcb), isFirstCopy);
    if (tcb.recovery === Recovery.fast) episode.prr.prrOut += advance;
  }
  return advance;
}

/** What was lost from `slot` up to `end` is in flight again, as one segment. */
function markResent(tcb: Tcb, slot: number, end: number): void {
  const { sent } = tcb;
  const { now } = tcb.host;
  const inFlight = bytesInNetwork(tcb);
  const first = slot;
  for (let at = slot; at !== NONE; ) {
    const { columns: c } = sent;
    if (c.state[at] !== SentState.lost || !seqLt(c.start[at] as number, end)) break;
    if (seqLt(end, c.end[at] as number)) sent.split(at, end);
    stampSent(tcb, at, sent.lengthOf(at), inFlight);
    sent.markResent(at, now);
    if (at !== first) sent.joinNext(first);
    at = sent.columns.next[first] as number;
  }
}
