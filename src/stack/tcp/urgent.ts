/**
 * Urgent data (RFC 9293 §3.8.5, RFC 6093) as users of Winsock know it (SEM-OOB-01 … SEM-OOB-07): the last byte of an urgent
 * send, each such byte for itself.
 *
 * On the wire there is a pointer only. By RFC 6093 §3.1 it names the byte behind the last urgent one; by RFC 1122 §4.2.2.4 that
 * byte itself; a user chooses with `pointsAtUrgent`. A pointer has room for one mark, so a segment never spans two of them: each
 * urgent byte is the last of a segment that announces it.
 *
 * On the receiving side the bytes stay in the ring, where they were sent, and a list says which they are. Out of line (as a
 * connection begins) one is taken out as soon as all before it has arrived, and skipped when the reader gets there; a read ends
 * where it was. In line it is read in its place, and by itself.
 *
 *     rx:    a b c X d e Y f          marks: ↑X ↑Y     reads out of line: abc · de · f     in line: abc · X · de · Y · f
 */

import { seqDiff, seqGeq, seqGt, seqLeq, seqLt } from '../../base/index.ts';
import { EndpointEvent, StackError } from '../api.ts';
import { earlyExtent, rcvText } from './buffers/reassembly.ts';
import { tell } from './lifecycle.ts';
import type { Segment } from './segment.ts';
import type { Tcb } from './tcb.ts';
import { NOT_HERE, TAKEN, UrgentReceiver } from './urgent-receiver.ts';

/** Most urgent bytes that a connection keeps apart; older ones go back into the stream, or are lost when it has passed them. */
const MAX_URGENT = 64;

const one = new Uint8Array(1);

/** Takes note of the urgent pointer of `seg`; ones that point before RCV.NXT say nothing new. */
export function noteUrgentPointer(tcb: Tcb, seg: Segment): void {
  const { pointsAtUrgent } = tcb.settings;
  if (!pointsAtUrgent && seg.urgentPointer === 0) return;
  const mark = (seg.seq + seg.urgentPointer - (pointsAtUrgent ? 0 : 1)) | 0;
  if (seqLt(mark, tcb.rcvNxt)) return;
  tcb.urgentIn ??= new UrgentReceiver();
  const { marks, bytes } = tcb.urgentIn;
  let index = marks.length;
  while (index > 0 && seqGeq(marks[index - 1] as number, mark)) index--;
  if (index < marks.length && marks[index] === mark) return;
  if (marks.length === MAX_URGENT) {
    const oldest = bytes.findIndex((byte) => byte !== TAKEN);
    if (oldest < 0) return;
    marks.splice(oldest, 1);
    bytes.splice(oldest, 1);
    if (oldest < index) index--;
  }
  marks.splice(index, 0, mark);
  bytes.splice(index, 0, NOT_HERE);
  // An older pointer that arrives late is not news: its byte will be, when it is there.
  if (index === marks.length - 1) tell(tcb, EndpointEvent.urgent);
}

/** Text was taken: urgent bytes in it can be read. */
export function collectUrgent(tcb: Tcb, urgent: UrgentReceiver): void {
  const { marks, bytes } = urgent;
  const end = rcvText(tcb);
  let index = bytes.indexOf(NOT_HERE);
  if (index < 0 || seqGeq(marks[index] as number, end)) return;
  for (; index < marks.length && seqLt(marks[index] as number, end); index++) {
    tcb.rx.peek(tcb.rx.used - seqDiff(end, marks[index] as number), one, 0, 1);
    bytes[index] = one[0] as number;
  }
  passUrgent(tcb, urgent);
  tell(tcb, EndpointEvent.urgent);
}

/** The reader has moved on, or reads in another way now: marks that lie behind it are done with. */
export function passUrgent(tcb: Tcb, urgent: UrgentReceiver): void {
  const { marks, bytes, passed } = urgent;
  const isInline = tcb.settings.urgentInline;
  while (marks.length > 0) {
    const ahead = seqDiff(marks[0] as number, readPosition(tcb));
    if (ahead > 0 || (ahead === 0 && (isInline || bytes[0] === NOT_HERE))) return;
    const byte = bytes[0] as number;
    if (ahead === 0) {
      tcb.rx.discard(1, earlyExtent(tcb));
      if (passed.length === MAX_URGENT) passed.shift();
      if (byte !== TAKEN) passed.push(byte);
    }
    marks.shift();
    bytes.shift();
  }
}

/** How much of `length` one read gives: it ends at a mark, or is the byte at it. */
export function untilMark(tcb: Tcb, urgent: UrgentReceiver, length: number): number {
  if (urgent.marks.length === 0) return length;
  return Math.min(length, Math.max(1, seqDiff(urgent.marks[0] as number, readPosition(tcb))));
}

/** Takes the oldest urgent byte, or only looks at it. @returns the byte, or `wouldBlock` */
export function readUrgent(tcb: Tcb, isPeek: boolean): number {
  const urgent = tcb.urgentIn;
  if (urgent === null) return StackError.wouldBlock;
  const { passed, bytes } = urgent;
  if (passed.length > 0) return (isPeek ? passed[0] : passed.shift()) as number;
  const index = bytes.findIndex((byte) => byte >= 0);
  if (index < 0) return StackError.wouldBlock;
  const byte = bytes[index] as number;
  if (!isPeek) bytes[index] = TAKEN;
  return byte;
}

/** Urgent bytes that {@link readUrgent} would give one after the other. */
export function urgentCount(tcb: Tcb): number {
  const urgent = tcb.urgentIn;
  if (urgent === null) return 0;
  let count = urgent.passed.length;
  for (const byte of urgent.bytes) if (byte >= 0) count++;
  return count;
}

/** Bytes before the next urgent one that the reader has not passed; -1: there is none. */
export function urgentMark(tcb: Tcb): number {
  const mark = tcb.urgentIn?.marks[0];
  return mark === undefined ? -1 : seqDiff(mark, readPosition(tcb));
}

/** Bytes that reads would give, those out of line not counted (SEM-OOB-07). */
export function readableBytes(tcb: Tcb): number {
  const urgent = tcb.urgentIn;
  if (urgent === null || tcb.settings.urgentInline) return tcb.rx.used;
  let bytes = tcb.rx.used;
  for (const byte of urgent.bytes) if (byte !== NOT_HERE) bytes--;
  return bytes;
}

/** Sequence number of the next byte that the user reads. */
function readPosition(tcb: Tcb): number {
  return (rcvText(tcb) - tcb.rx.used) | 0;
}

/** The byte queued last is urgent. Past a bound it takes the place of the one before: the peer learns of one only. */
export function markUrgent(tcb: Tcb): void {
  tcb.urgentOut ??= [];
  const marks = tcb.urgentOut;
  if (marks.length === MAX_URGENT) marks.pop();
  marks.push(tcb.sndFin);
}

/** Marks that are acknowledged are done with. */
export function dropUrgentMarks(tcb: Tcb, marks: number[]): void {
  while (marks.length > 0 && seqLeq(marks[0] as number, tcb.sndUna)) marks.shift();
  if (marks.length === 0) tcb.urgentOut = null;
}

/** What the urgent pointer of a segment at `seq` has to be; -1: there is nothing to announce, or it is out of reach. */
export function urgentPointerAt(tcb: Tcb, marks: readonly number[], seq: number): number {
  for (const mark of marks) {
    if (seqLeq(mark, seq)) continue;
    const pointer = seqDiff(mark, seq) - (tcb.settings.pointsAtUrgent ? 1 : 0);
    return pointer <= 0xffff ? pointer : -1;
  }
  return -1;
}

/** How much of `length` bytes at `seq` goes in one segment: up to the first mark when it holds the second too. */
export function withinOneMark(marks: readonly number[], seq: number, length: number): number {
  let first = 0;
  for (const mark of marks) {
    const ahead = seqDiff(mark, seq);
    if (ahead <= 0) continue;
    if (ahead > length) return length;
    if (first > 0) return first;
    first = ahead;
  }
  return length;
}

/** Whether text at `seq` or behind it has yet to be announced as urgent: it waits for no other (RFC 9293 §3.7.4's Nagle). */
export function isUrgentFrom(marks: readonly number[], seq: number): boolean {
  return marks.length > 0 && seqGt(marks[marks.length - 1] as number, seq);
}
