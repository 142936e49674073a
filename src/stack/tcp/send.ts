/**
 * SEND (RFC 9293 §3.10.2): bytes go into the send ring; when they leave is decided by `output.ts`.
 */

import { StackError } from '../api.ts';
import { Cause } from '../host.ts';
import { acknowledgeNow } from './acknowledge.ts';
import { noteIfAppLimited } from './loss/delivery-rate.ts';
import { isSending } from './state.ts';
import type { Tcb } from './tcb.ts';
import { markUrgent } from './urgent.ts';

/** Queues up to `length` bytes. @returns how many, or a `StackError` */
export function send(tcb: Tcb, from: Uint8Array, at: number, length: number): number {
  const refusal = whyNotSend(tcb);
  if (refusal !== 0) return refusal;
  if (length === 0) return 0;
  noteIfAppLimited(tcb);
  const room = tcb.tx.free;
  let taken = tcb.tx.write(from, at, length);
  if (taken < length && taken < room && tcb.env.memory.isPressed) {
    tcb.env.relieveMemory(tcb);
    taken += tcb.tx.write(from, at + taken, length - taken);
  }
  if (tcb.tx.used > tcb.counts.maxAppWQueue) tcb.counts.maxAppWQueue = tcb.tx.used;
  // A write that fills the buffer to the brim counts: whoever polls for room is told when there is some.
  if (taken < length || tcb.tx.free === 0) tcb.isWriterWaiting = true;
  // Without memory for more, what is held already will be acknowledged, and then there is some.
  if (taken === 0) return room > 0 && tcb.tx.used === 0 ? StackError.noBuffers : StackError.wouldBlock;
  tcb.requestOutput();
  return taken;
}

/** Queues bytes whose last one is urgent, if all of them fit (RFC 6093 §3). @returns as {@link send} */
export function sendUrgent(tcb: Tcb, from: Uint8Array, at: number, length: number): number {
  const taken = send(tcb, from, at, length);
  if (taken < length || length === 0) return taken;
  markUrgent(tcb);
  // A closed window takes no text, but the peer has to know that some is urgent (RFC 9293 §3.8.5).
  if (tcb.usableWindow <= 0) acknowledgeNow(tcb, Cause.urgent);
  return taken;
}

/** Its handshake is not complete, but its text is taken and sent already (RFC 7413 §4.2.2). */
export function isFastOpening(tcb: Tcb): boolean {
  return tcb.isFastOpened && tcb.state === 'SYN-RECEIVED';
}

/** 0 when the connection takes bytes from its user now. */
function whyNotSend(tcb: Tcb): number {
  if (tcb.error !== 0) return tcb.error;
  if (tcb.isFinQueued) return StackError.shutDown;
  if (isSending(tcb.state) || isFastOpening(tcb)) return 0;
  // A held SYN that was accepted (SEM-COND-04): what is to be sent waits for the handshake.
  return tcb.state === 'SYN-RECEIVED' ? StackError.wouldBlock : StackError.notConnected;
}
