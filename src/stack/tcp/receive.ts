/**
 * RECEIVE (RFC 9293 §3.10.3): bytes come out of the receive ring, and the window follows.
 */

import { seqDiff, seqGt } from '../../base/index.ts';
import { StackError } from '../api.ts';
import { Cause } from '../host.ts';
import { acknowledgeNow } from './acknowledge.ts';
import { earlyExtent } from './reassembly.ts';
import { tuneReceiveBuffer } from './receive-tuning.ts';
import { isReceiving } from './state.ts';
import type { Tcb } from './tcb.ts';
import { isWindowUpdateDue } from './window.ts';

/** Takes up to `length` bytes. @returns how many, 0 at the end of the stream, or a `StackError` */
export function receive(tcb: Tcb, into: Uint8Array, at: number, length: number): number {
  const taken = look(tcb, into, at, length, 0);
  if (taken <= 0) return taken;
  tcb.rx.discard(taken, earlyExtent(tcb));
  if (tcb.isUrgentIn && urgentMark(tcb) < 0) tcb.isUrgentIn = false;
  if (!isReceiving(tcb.state)) return taken;
  tuneReceiveBuffer(tcb);
  if (isWindowUpdateDue(tcb)) {
    acknowledgeNow(tcb, Cause.windowUpdate);
    tcb.requestOutput();
  }
  return taken;
}

/** As {@link receive}, `offset` bytes further on, and the bytes stay. */
export function look(tcb: Tcb, into: Uint8Array, at: number, length: number, offset: number): number {
  if (tcb.isReadShut) return StackError.shutDown;
  if (tcb.rx.used > offset) return tcb.rx.peek(offset, into, at, length);
  if (tcb.error !== 0) return tcb.error;
  if (tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED') return StackError.notConnected;
  if (isFinTaken(tcb)) return 0;
  return tcb.state === 'CLOSED' ? StackError.notConnected : StackError.wouldBlock;
}

/** Whether the peer's FIN is in order: all its text has arrived. */
export function isFinTaken(tcb: Tcb): boolean {
  return tcb.hasRcvFin && seqGt(tcb.rcvNxt, tcb.rcvFin);
}

/** Bytes before the last urgent byte, the one before RCV.UP; negative when there is none or it was read. */
export function urgentMark(tcb: Tcb): number {
  if (!tcb.isUrgentIn) return -1;
  const rcvText = isFinTaken(tcb) ? tcb.rcvFin : tcb.rcvNxt;
  return Math.max(-1, tcb.rx.used + seqDiff(tcb.rcvUp, rcvText) - 1);
}
