/**
 * Eighth, check the FIN bit (RFC 9293 §3.10.7.4). A FIN whose text has not all arrived is remembered until it has.
 */

import { seqGt } from '../../../base/index.ts';
import { TCP_FIN } from '../../../wire/index.ts';
import { EndpointEvent } from '../../api.ts';
import { Cause } from '../../host.ts';
import { acknowledgeNow } from '../acknowledge.ts';
import { becomeTimeWait, changeState, tell } from '../lifecycle.ts';
import type { Segment } from '../segment.ts';
import { isReceiving } from '../state.ts';
import type { Tcb } from '../tcb.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function processFin(tcb: Tcb, seg: Segment): Verdict {
  const end = (seg.seq + seg.payloadLength) | 0;
  // Text from behind it has been taken already: a peer that contradicts itself is not believed, and nothing waits for it.
  const isPassed = seqGt(tcb.rcvNxt, end);
  if ((seg.flags & TCP_FIN) !== 0 && isReceiving(tcb.state) && !isPassed) {
    tcb.hasRcvFin = true;
    tcb.rcvFin = end;
    // Early, it is answered as early text is.
    if (tcb.rcvFin !== tcb.rcvNxt) acknowledgeNow(tcb, Cause.duplicateAck);
  }
  if (tcb.hasRcvFin && tcb.rcvFin === tcb.rcvNxt && isReceiving(tcb.state)) takeFin(tcb);
  return GO_ON;
}

function takeFin(tcb: Tcb): void {
  tcb.rcvNxt = (tcb.rcvNxt + 1) | 0;
  // What came from behind the FIN, before it, was never part of the stream.
  if (tcb.early.count > 0) tcb.early.clear();
  acknowledgeNow(tcb, Cause.ack);
  tell(tcb, EndpointEvent.peerClosed | EndpointEvent.readable);
  if (tcb.state === 'ESTABLISHED') {
    changeState(tcb, 'CLOSE-WAIT');
  } else if (tcb.state === 'FIN-WAIT-1') {
    // Our FIN is not acknowledged, else the fifth step had moved on.
    changeState(tcb, 'CLOSING');
  } else {
    becomeTimeWait(tcb);
  }
}
