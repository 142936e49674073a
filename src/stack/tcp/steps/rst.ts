/**
 * Second, check the RST bit (RFC 9293 §3.10.7.4, RFC 5961 §3.2). A sequence number outside of the window was stopped before.
 */

import { DropReason, TCP_RST } from '../../../wire/index.ts';
import { StackError } from '../../api.ts';
import { challenge } from '../acknowledge.ts';
import { fail, finish } from '../lifecycle.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function checkReset(tcb: Tcb, seg: Segment): Verdict {
  if ((seg.flags & TCP_RST) === 0) return GO_ON;
  // Only the exact number resets: a guess within the window is challenged.
  if (seg.seq !== tcb.rcvNxt) {
    challenge(tcb);
    return DropReason.tcpResetUnacceptable;
  }
  switch (tcb.state) {
    case 'SYN-RECEIVED':
      // A passive open goes back to LISTEN, which its listener never left; an active one was refused.
      fail(tcb, tcb.isPassive ? StackError.connectionReset : StackError.connectionRefused);
      break;
    case 'CLOSING':
    case 'LAST-ACK':
      // Both sides have said all: the reset only spares the last acknowledgement.
      finish(tcb);
      break;
    default:
      fail(tcb, StackError.connectionReset);
  }
  return DropReason.none;
}
