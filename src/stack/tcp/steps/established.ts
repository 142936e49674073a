/**
 * What both ways into ESTABLISHED have in common.
 */

import { TCP_SYN } from '../../../wire/index.ts';
import { EndpointEvent } from '../../api.ts';
import { startEcn } from '../ecn/ecn.ts';
import { abort, changeState, tell } from '../lifecycle.ts';
import { restartRetransmission } from '../loss/retransmission-timer.ts';
import { takeRttSample } from '../observe/counting.ts';
import type { Segment } from '../segment.ts';
import { type Tcb, TcpTimer } from '../tcb.ts';

/** Our SYN is acknowledged by `seg`, and the peer's has arrived. @returns whether the connection lives */
export function becomeEstablished(tcb: Tcb, seg: Segment): boolean {
  const isSynLost = tcb.retransmissions > 0;
  tcb.sndUna = (tcb.iss + 1) | 0;
  tcb.path.confirm(tcb.host.now);
  tcb.opening?.established(tcb, seg);
  tcb.opening = null;
  tcb.rttSeq = tcb.sndUna;
  tcb.sndSml = tcb.sndUna;
  if (tcb.synSentAt >= 0) takeSynRtt(tcb, tcb.host.now - tcb.synSentAt);
  else if (isSynLost) tcb.rtt.restartAfterSynLoss();
  tcb.isSynDue = false;
  tcb.retransmissions = 0;
  tcb.disarm(TcpTimer.retransmit);
  tcb.congestion.start(tcb.smss, isSynLost, tcb.rtt.srtt, tcb.host.now);
  const { initialWindow } = tcb.settings;
  if (initialWindow > 0 && !isSynLost) tcb.congestion.cwnd = initialWindow * tcb.smss;
  if (tcb.ecn !== null) startEcn(tcb, tcb.ecn, seg, tcb.state === 'SYN-RECEIVED');
  takeWindow(tcb, seg);
  if (tcb.opener !== null && !tcb.opener.established(tcb)) {
    abort(tcb);
    return false;
  }
  // The user may have closed a connection that was still being opened.
  changeState(tcb, tcb.isFinQueued ? 'FIN-WAIT-1' : 'ESTABLISHED');
  tell(tcb, EndpointEvent.connected | EndpointEvent.writable);
  // With Fast Open there may be text in flight already.
  if (tcb.flightSize > 0) restartRetransmission(tcb);
  if (tcb.settings.keepAlive) tcb.arm(TcpTimer.keepAlive, tcb.settings.keepAliveTime);
  return true;
}

/** Takes the peer's window unconditionally: the first that it says after the handshake. */
function takeWindow(tcb: Tcb, seg: Segment): void {
  tcb.sndWnd = seg.window << ((seg.flags & TCP_SYN) !== 0 ? 0 : tcb.sndWindShift);
  if (tcb.sndWnd > tcb.maxSndWnd) tcb.maxSndWnd = tcb.sndWnd;
  tcb.sndWl1 = seg.seq;
  tcb.sndWl2 = seg.ack;
}

function takeSynRtt(tcb: Tcb, rtt: number): void {
  takeRttSample(tcb, rtt);
  tcb.rack.takeRtt(rtt, tcb.host.now);
}
