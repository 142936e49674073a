/**
 * Sixth, check the URG bit (RFC 9293 §3.10.7.4): the urgent pointer only ever moves on. It points past the last urgent byte
 * (RFC 6093 §3.1).
 */

import { seqGt } from '../../../base/index.ts';
import { TCP_URG } from '../../../wire/index.ts';
import { EndpointEvent } from '../../api.ts';
import { tell } from '../lifecycle.ts';
import type { Segment } from '../segment.ts';
import { isReceiving } from '../state.ts';
import type { Tcb } from '../tcb.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function checkUrgent(tcb: Tcb, seg: Segment): Verdict {
  if ((seg.flags & TCP_URG) === 0 || seg.urgentPointer === 0 || !isReceiving(tcb.state)) return GO_ON;
  const up = (seg.seq + seg.urgentPointer) | 0;
  const isNews = tcb.isUrgentIn ? seqGt(up, tcb.rcvUp) : seqGt(up, tcb.rcvNxt);
  if (isNews) {
    tcb.isUrgentIn = true;
    tcb.rcvUp = up;
    tell(tcb, EndpointEvent.urgent);
  }
  return GO_ON;
}
