/**
 * Timeouts (RFC 9293 §3.10.8): retransmission, zero-window probes, delayed ACK, keep-alive, and the end of an abandoned
 * FIN-WAIT-2. TIME-WAIT's is in `time-wait.ts`.
 */

import { StackError } from '../api.ts';
import { Cause } from '../host.ts';
import { acknowledgeNow } from './acknowledge.ts';
import { abort, fail, finish } from './lifecycle.ts';
import { noteIfAppLimited } from './loss/delivery-rate.ts';
import { onReorderingTimeout, onRetransmissionTimeout } from './loss/recovery.ts';
import { armTimeout, RetransmitTimer } from './loss/retransmission-timer.ts';
import { countTimeout, noteWindow } from './observe/counting.ts';
import { onMtuTimeout } from './path/path-mtu.ts';
import { noteSilence } from './path/way.ts';
import { type Tcb, TcpTimer } from './tcb.ts';

/** A timer of `tcb` is due. */
export function timerExpired(tcb: Tcb, kind: number, now: number): void {
  switch (kind) {
    case TcpTimer.retransmit:
      retransmissionTimer(tcb, now);
      break;
    case TcpTimer.persist:
      persistTimeout(tcb, now);
      break;
    case TcpTimer.delayedAck:
      if (tcb.unackedPackets > 0) acknowledgeNow(tcb, Cause.delayedAck);
      break;
    case TcpTimer.keepAlive:
      keepAliveTimeout(tcb, now);
      break;
    case TcpTimer.finWait2:
      finish(tcb);
      break;
    default:
      break;
  }
  noteWindow(tcb);
  if (tcb.state !== 'CLOSED') tcb.requestOutput();
}

/** One timer for three purposes: see `retransmission-timer.ts`. */
function retransmissionTimer(tcb: Tcb, now: number): void {
  noteIfAppLimited(tcb);
  if (tcb.retransmitTimer === RetransmitTimer.timeout) {
    retransmitTimeout(tcb, now);
    return;
  }
  if (tcb.retransmitTimer === RetransmitTimer.tailProbe) {
    // The probe puts the timeout off (RFC 8985 §7.3).
    armTimeout(tcb, tcb.rtt.rto);
    tcb.isTailProbeDue = true;
  } else onReorderingTimeout(tcb);
}

/** How often a SYN is sent again. */
function mostSyns({ settings, config, isPassive }: Tcb): number {
  const { maxSynRetransmissions: wanted } = settings;
  return wanted < 0 || isPassive ? config.maxSynRetransmissions : wanted;
}

/** RFC 6298 §5.4 to §5.7, and R2 of RFC 9293 §3.8.3. */
function retransmitTimeout(tcb: Tcb, now: number): void {
  if (tcb.flightSize === 0 && !tcb.isSynDue) return;
  const isOpening = tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED';
  const most = isOpening ? mostSyns(tcb) : tcb.config.maxRetransmissions;
  if (!isOpening && isShutOut(tcb, now)) {
    tcb.retransmissions = Math.min(1, tcb.retransmissions);
    tcb.stalledSince = now;
  }
  if (isPastR2(tcb, now, tcb.retransmissions, most)) {
    giveUp(tcb);
    return;
  }
  tcb.retransmissions++;
  countTimeout(tcb, tcb.rtt.rto, tcb.retransmissions);
  noteSilence(tcb, tcb.retransmissions);
  tcb.synSentAt = -0.5;
  tcb.isTailProbeDue = false;
  if (isOpening) tcb.isSynDue = true;
  else {
    onMtuTimeout(tcb);
    onRetransmissionTimeout(tcb);
  }
  tcb.rtt.backOff();
  let wait = tcb.rtt.rto;
  const { userTimeout } = tcb.settings;
  if (userTimeout > 0) wait = Math.min(wait, Math.max(1, tcb.stalledSince + userTimeout - now));
  armTimeout(tcb, wait);
}

/** RFC 9293 §3.8.6.1 and RFC 6429: probes go on, at a growing interval, for as long as they are answered. */
function persistTimeout(tcb: Tcb, now: number): void {
  if (tcb.flightSize > 0) return;
  if (!tcb.hasUnsent) return;
  noteIfAppLimited(tcb);
  const most = tcb.config.maxRetransmissions;
  if (tcb.unansweredProbes === 0) tcb.stalledSince = now;
  // Without a user, a peer that never opens its window must not hold the connection for ever (RFC 6429 §4).
  const isForsaken = tcb.isOrphan && tcb.persistBackoff >= most;
  if (isForsaken || isPastR2(tcb, now, tcb.unansweredProbes, most)) {
    giveUp(tcb);
    return;
  }
  tcb.unansweredProbes++;
  tcb.persistBackoff++;
  noteSilence(tcb, tcb.unansweredProbes);
  tcb.isProbeDue = true;
  tcb.arm(TcpTimer.persist, Math.min(tcb.config.maxRto, tcb.rtt.base * 2 ** tcb.persistBackoff));
}

/**
 * RFC 9293 §3.8.4: only on an idle connection, one with nothing in flight and nothing that waits for a window (MUST-26); several
 * unanswered probes, never a single one, mean that the peer is gone (MUST-29).
 */
function keepAliveTimeout(tcb: Tcb, now: number): void {
  const { settings } = tcb;
  if (!settings.keepAlive) return;
  const idle = now - tcb.lastReceivedAt;
  if (idle < settings.keepAliveTime || tcb.flightSize > 0 || tcb.isArmed(TcpTimer.persist)) {
    tcb.arm(TcpTimer.keepAlive, Math.max(settings.keepAliveTime - idle, settings.keepAliveInterval));
    return;
  }
  if (tcb.unansweredProbes >= settings.keepAliveCount) {
    abort(tcb, StackError.networkReset);
    return;
  }
  tcb.unansweredProbes++;
  tcb.isKeepAliveDue = true;
  tcb.arm(TcpTimer.keepAlive, settings.keepAliveInterval);
}

/**
 * R2 (RFC 9293 §3.8.3): `tries` in vain, or for as long as the user wants to wait, which then counts alone (MUST-21, RFC 5482).
 * For a connection that its user has closed, whichever comes first.
 */
function isPastR2(tcb: Tcb, now: number, tries: number, most: number): boolean {
  const { userTimeout } = tcb.settings;
  const isTooOften = tries >= most;
  if (userTimeout === 0) return isTooOften;
  return now - tcb.stalledSince >= userTimeout || (isTooOften && tcb.isOrphan);
}

/**
 * The peer has taken its window back with text in flight, and answers what is sent again: probes in all but name, for which
 * nobody is given up (SHLD-17, MUST-37).
 */
function isShutOut(tcb: Tcb, now: number): boolean {
  return (
    tcb.sndWnd === 0 && !tcb.isOrphan && tcb.retransmissions > 0 && now - tcb.lastReceivedAt < tcb.rtt.rto
  );
}

/** R2: the peer does not answer. What ICMP said on the way is the better reason (RFC 5461 §2.2). */
function giveUp(tcb: Tcb): void {
  const error = tcb.softError === 0 ? StackError.timedOut : tcb.softError;
  if (tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED') fail(tcb, error);
  else abort(tcb, error);
}
