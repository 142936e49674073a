/**
 * RECEIVE (RFC 9293 §3.10.3): bytes come out of the receive ring, and the window follows.
 */

import { StackError } from '../api.ts';
import { Cause } from '../host.ts';
import { acknowledgeNow } from './acknowledge.ts';
import { earlyExtent, isFinTaken } from './buffers/reassembly.ts';
import { tuneReceiveBuffer } from './buffers/receive-tuning.ts';
import { isWindowUpdateDue } from './buffers/window.ts';
import { isReceiving } from './state.ts';
import type { Tcb } from './tcb.ts';
import { passUrgent, untilMark } from './urgent.ts';

/** Takes up to `length` bytes. @returns how many, 0 at the end of the stream, or a `StackError` */
export function receive(tcb: Tcb, into: Uint8Array, at: number, length: number): number {
  const taken = look(tcb, into, at, length);
  if (taken <= 0) return taken;
  tcb.rx.discard(taken, earlyExtent(tcb));
  if (tcb.urgentIn !== null) passUrgent(tcb, tcb.urgentIn);
  if (!isReceiving(tcb.state)) return taken;
  tuneReceiveBuffer(tcb);
  if (isWindowUpdateDue(tcb)) {
    acknowledgeNow(tcb, Cause.windowUpdate);
    tcb.requestOutput();
  }
  return taken;
}

/** As {@link receive}, and the bytes stay. */
export function look(tcb: Tcb, into: Uint8Array, at: number, length: number): number {
  if (tcb.isReadShut) return StackError.shutDown;
  if (tcb.rx.used > 0) {
    const most = tcb.urgentIn === null ? length : untilMark(tcb, tcb.urgentIn, length);
    return tcb.rx.peek(0, into, at, most);
  }
  if (tcb.error !== 0) return tcb.error;
  if (tcb.state === 'SYN-SENT') return StackError.notConnected;
  if (isFinTaken(tcb)) return 0;
  return tcb.state === 'CLOSED' ? StackError.notConnected : StackError.wouldBlock;
}
