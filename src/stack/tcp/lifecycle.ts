/**
 * The one place where a connection's state changes and where a connection ends.
 */

import { EndpointEvent, StackError } from '../api.ts';
import type { StackCounters } from '../counters.ts';
import { SendLimit } from './observe/send-limits.ts';
import { TcpEvent, trace } from './observe/trace.ts';
import { mayTransmit, TCP_STATES, type TcpState } from './state.ts';
import type { Tcb } from './tcb.ts';

/** Every change of state goes through here. */
export function changeState(tcb: Tcb, state: TcpState): void {
  const before = tcb.state;
  if (before === state) return;
  tcb.state = state;
  countTransition(tcb.host.counters, before, state);
  const { limits } = tcb;
  if (!mayTransmit(state)) limits.enter(SendLimit.none, tcb.host.now, tcb.bytesOut + tcb.bytesRetrans);
  else if (limits.current === SendLimit.none) limits.enter(SendLimit.snd, tcb.host.now, tcb.bytesOut);
  trace(tcb, TcpEvent.state, TCP_STATES.indexOf(before), TCP_STATES.indexOf(state));
}

/** RFC 4022: tcpCurrEstab is ESTABLISHED and CLOSE-WAIT; the direct ways from there, and from the handshake, to CLOSED. */
function countTransition(counters: StackCounters, before: TcpState, state: TcpState): void {
  const isFromEstab = before === 'ESTABLISHED' || before === 'CLOSE-WAIT';
  if (isFromEstab) counters.tcpCurrEstab--;
  if (state === 'ESTABLISHED' || state === 'CLOSE-WAIT') counters.tcpCurrEstab++;
  if (state !== 'CLOSED') return;
  if (isFromEstab) counters.tcpEstabResets++;
  else if (before === 'SYN-SENT' || before === 'SYN-RECEIVED') counters.tcpAttemptFails++;
}

/** Tells the user, once there is one: a connection in an accept queue belongs to nobody yet. */
export function tell(tcb: Tcb, events: number): void {
  if (tcb.opener === null) tcb.host.notify(tcb.endpoint, events);
}

/** Everything sent was acknowledged and nothing more will happen: said once. */
export function tellClosed(tcb: Tcb): void {
  if (tcb.isClosedTold) return;
  tcb.isClosedTold = true;
  tell(tcb, EndpointEvent.closed);
}

/**
 * The connection ends in good order: both FINs are acknowledged. What was received may still be read.
 */
export function finish(tcb: Tcb): void {
  const { opener } = tcb;
  opener?.abandoned(tcb);
  tellClosed(tcb);
  release(tcb);
}

/**
 * The connection fails with `error`, a `StackError`. Bytes received are lost, as Winsock has it.
 */
export function fail(tcb: Tcb, error: number): void {
  const { opener } = tcb;
  tcb.error = error;
  tcb.rx.release();
  release(tcb);
  if (opener === null) tcb.host.notify(tcb.endpoint, EndpointEvent.failed);
  else opener.abandoned(tcb);
}

/** Ends the connection at once with a RST to the peer (RFC 9293 §3.10.5). */
export function abort(tcb: Tcb, error: number = StackError.connectionAborted): void {
  if (hasPeerToReset(tcb)) tcb.env.sendReset(tcb);
  fail(tcb, error);
}

/**
 * A SYN that was not answered has nobody to reset. Once both sides have said all, there is nothing to reset (RFC 9293 §3.10.5);
 * our FIN may still wait to be sent in those states, and then the peer has to hear that it never comes.
 */
function hasPeerToReset(tcb: Tcb): boolean {
  switch (tcb.state) {
    case 'CLOSED':
    case 'SYN-SENT':
      return false;
    case 'CLOSING':
    case 'LAST-ACK':
      return !tcb.isFinSent;
    default:
      return true;
  }
}

/** TIME-WAIT: a small entry takes the connection's place in the table; only what was received stays to be read. */
export function becomeTimeWait(tcb: Tcb): void {
  changeState(tcb, 'TIME-WAIT');
  tcb.env.enterTimeWait(tcb);
  freeMemory(tcb);
  tellClosed(tcb);
}

function release(tcb: Tcb): void {
  tcb.opening?.failed(tcb);
  tcb.opening = null;
  changeState(tcb, 'CLOSED');
  tcb.env.forget(tcb);
  freeMemory(tcb);
}

/** Gives back all but bytes that may still be read. */
function freeMemory(tcb: Tcb): void {
  tcb.destroyTimers();
  tcb.tx.release();
  tcb.early.clear();
  tcb.sent.clear();
  if (tcb.isOrphan || tcb.rx.used === 0) tcb.rx.release();
  tcb.opener = null;
  tcb.isSynDue = false;
  tcb.isProbeDue = false;
  tcb.isKeepAliveDue = false;
  tcb.acksDue = 0;
}
