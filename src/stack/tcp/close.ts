/**
 * CLOSE and ABORT (RFC 9293 §3.10.4, §3.10.5), and the half-closes of Winsock's shutdown.
 */

import { StackError } from '../api.ts';
import { abort, changeState, fail, tellClosed } from './lifecycle.ts';
import type { Tcb } from './tcb.ts';
import { TcpTimer } from './tcb.ts';

/** Queues a FIN behind what is to be sent. Repeating it changes nothing. */
export function shutdownWrite(tcb: Tcb): void {
  if (tcb.isFinQueued) return;
  switch (tcb.state) {
    case 'SYN-RECEIVED':
      // "Queue for processing after entering ESTABLISHED state."
      tcb.isFinQueued = true;
      return;
    case 'ESTABLISHED':
      changeState(tcb, 'FIN-WAIT-1');
      break;
    case 'CLOSE-WAIT':
      changeState(tcb, 'LAST-ACK');
      break;
    default:
      return;
  }
  tcb.isFinQueued = true;
  tcb.requestOutput();
}

/** The user reads no more. What is unread, or still arrives, resets the connection (SEM-SHUT-02). */
export function shutdownRead(tcb: Tcb): void {
  tcb.isReadShut = true;
  if (tcb.rx.used > 0) abort(tcb);
}

/** The user lets go of the connection. What is queued is still sent; unread bytes reset it (RFC 9293 SHLD-3). */
export function close(tcb: Tcb): void {
  tcb.isOrphan = true;
  switch (tcb.state) {
    case 'CLOSED':
    case 'TIME-WAIT':
      tcb.rx.release();
      return;
    case 'SYN-SENT':
      fail(tcb, StackError.connectionAborted);
      return;
    default:
      break;
  }
  if (tcb.rx.used > 0) {
    abort(tcb);
    return;
  }
  if (tcb.state === 'FIN-WAIT-2') {
    tellClosed(tcb);
    tcb.arm(TcpTimer.finWait2, tcb.config.finWait2Ms);
    return;
  }
  shutdownWrite(tcb);
}
