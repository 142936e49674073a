/**
 * Sixth, check the URG bit (RFC 9293 §3.10.7.4): where urgent data is, is known before it arrives (MUST-31, MUST-32).
 */

import { TCP_URG } from '../../../wire/index.ts';
import type { Segment } from '../segment.ts';
import { isReceiving } from '../state.ts';
import type { Tcb } from '../tcb.ts';
import { noteUrgentPointer } from '../urgent.ts';
import { GO_ON, type Verdict } from './verdict.ts';

export function checkUrgent(tcb: Tcb, seg: Segment): Verdict {
  if ((seg.flags & TCP_URG) !== 0 && isReceiving(tcb.state)) noteUrgentPointer(tcb, seg);
  return GO_ON;
}
