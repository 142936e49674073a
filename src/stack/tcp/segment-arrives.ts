/**
 * SEGMENT ARRIVES (RFC 9293 §3.10.7): the steps in the RFC's order, a file each. CLOSED and LISTEN have no control block and
 * are in `steps/closed.ts` and `steps/listen.ts`, TIME-WAIT has a small one of its own in `time-wait.ts`.
 *
 * A step answers `GO_ON`, or why the segment ends here.
 */

import { DropReason } from '../../wire/index.ts';
import { receiveEcn } from './ecn/ecn.ts';
import { countReceived, noteWindow } from './observe/counting.ts';
import { hasOutput } from './output.ts';
import type { Segment } from './segment.ts';
import { checkAck } from './steps/ack.ts';
import { processFin } from './steps/fin.ts';
import { checkReset } from './steps/rst.ts';
import { checkSecurity } from './steps/security.ts';
import { checkSequence, noteTimestamp } from './steps/sequence.ts';
import { checkSyn } from './steps/syn.ts';
import { synSent } from './steps/syn-sent.ts';
import { processText } from './steps/text.ts';
import { checkUrgent } from './steps/urg.ts';
import { GO_ON } from './steps/verdict.ts';
import type { Tcb } from './tcb.ts';

/** Works on a segment for a connection. @returns `none` when it was used, else why not */
export function segmentArrives(tcb: Tcb, seg: Segment): DropReason {
  countReceived(tcb, seg);
  const verdict = tcb.state === 'SYN-SENT' ? synSent(tcb, seg) : otherStates(tcb, seg);
  noteWindow(tcb);
  if (tcb.state !== 'CLOSED' && hasOutput(tcb)) tcb.requestOutput();
  return verdict === GO_ON ? DropReason.none : verdict;
}

/** RFC 9293 §3.10.7.4. */
function otherStates(tcb: Tcb, seg: Segment): DropReason | typeof GO_ON {
  let verdict = checkSequence(tcb, seg);
  if (verdict === GO_ON) verdict = checkReset(tcb, seg);
  if (verdict === GO_ON) verdict = checkSecurity();
  if (verdict === GO_ON) verdict = checkSyn(tcb, seg);
  if (verdict === GO_ON && tcb.ecn !== null) receiveEcn(tcb, tcb.ecn, seg);
  if (verdict === GO_ON) verdict = checkAck(tcb, seg);
  // Only now it is known not to be a stranger's: the peer lives.
  if (verdict === GO_ON) noteAlive(tcb, seg);
  if (verdict === GO_ON) verdict = checkUrgent(tcb, seg);
  if (verdict === GO_ON) verdict = processText(tcb, seg);
  if (verdict === GO_ON) verdict = processFin(tcb, seg);
  return verdict;
}

/** Probes, of keep-alive and of a closed window, start anew; and its clock is echoed. */
function noteAlive(tcb: Tcb, seg: Segment): void {
  if (tcb.isTimestamped) noteTimestamp(tcb, seg);
  tcb.lastReceivedAt = tcb.host.now;
  tcb.unansweredProbes = 0;
}
