/**
 * The window that is offered to the peer (RFC 9293 §3.8.6.2.2, RFC 7323 §2).
 *
 * Its right edge never moves back (SHLD-14). It moves on only in steps worth a segment, which avoids the silly window from the
 * receiving side (MUST-39).
 */

import { seqDiff } from '../../../base/index.ts';
import type { Tcb } from '../tcb.ts';

/**
 * A window is offered in proportion to what has arrived, since one byte at its far end takes memory for all of it: a peer
 * that has sent nothing could otherwise pin the largest buffer with one packet. A sender in slow start never has more than
 * twice what was acknowledged in flight, so it isn't held up.
 */
const EARNED_FACTOR = 4;
const FIRST_CREDIT = 65_536;

/**
 * Moves the right edge as far as the receive buffer allows, for a segment that is about to be sent.
 * @returns the window field
 */
export function advertiseWindow(tcb: Tcb): number {
  const offered = tcb.rcvWnd;
  const room = receiveRoom(tcb);
  let window = offered;
  if (room > offered && room - offered >= windowStep(tcb)) window = room;
  const shift = tcb.rcvWindShift;
  const largest = 0xffff << shift;
  if (window > largest) window = largest;
  // A field that is rounded down would take back up to 2^shift − 1 bytes; rounded up it may offer as much more than there
  // is room for, which the ring has, once.
  const unit = 1 << shift;
  let field = window >> shift;
  if (field << shift < offered && window + unit <= room + 2 * unit && field < 0xffff) field++;
  const edge = (tcb.rcvNxt + (field << shift)) | 0;
  if (seqDiff(edge, tcb.rcvAdv) > 0) tcb.rcvAdv = edge;
  return field;
}

/** The window field of a SYN, which is never scaled (RFC 7323 §2.2). */
export function advertiseSynWindow(tcb: Tcb): number {
  const window = Math.min(0xffff, receiveRoom(tcb));
  tcb.rcvAdv = (tcb.rcvNxt + window) | 0;
  return window;
}

/**
 * Whether the user's reading has made the window so much larger that the peer ought to know at once: twice what it still
 * has, and at least a worthwhile step.
 */
export function isWindowUpdateDue(tcb: Tcb): boolean {
  const offered = tcb.rcvWnd;
  const room = Math.min(receiveRoom(tcb), 0xffff << tcb.rcvWindShift);
  return room >= 2 * offered && room - offered >= windowStep(tcb);
}

/** Bytes that may be offered: what the buffer could take, what the peer has earned, the stack's memory, the interface's budget. */
function receiveRoom(tcb: Tcb): number {
  const earned = EARNED_FACTOR * (tcb.bytesIn + FIRST_CREDIT);
  let room = Math.min(tcb.rx.free, earned);
  const { memory } = tcb.env;
  // What was offered stays offered; a window that has closed opens again only as far as there will be memory for all.
  if (memory.isPressed) room = Math.min(room, Math.max(2 * tcb.rmss, memory.share - tcb.rx.used));
  if (tcb.budget === null) return room;
  return Math.min(room, tcb.budget.shareOf(tcb, tcb.host.now));
}

/** RFC 9293 §3.8.6.2.2: min(Fr · RCV.BUFF, Eff.snd.MSS), Fr = ½; two segments, because one is acknowledged later. */
function windowStep(tcb: Tcb): number {
  return Math.min(tcb.rx.limit >> 1, 2 * tcb.rmss);
}
