/**
 * OPEN (RFC 9293 §3.10.1), active and passive: both begin with a sequence number nobody can guess, and with the options that
 * this side would like.
 */

import { ecnStateOf } from './ecn/half-open.ts';
import { offeredFeedback } from './ecn/negotiation.ts';
import { hashTuple, initialSequence, tupleHash } from './isn.ts';
import { changeState } from './lifecycle.ts';
import type { Handshake } from './listen/handshake.ts';
import { armTimeout } from './loss/retransmission-timer.ts';
import { offerOptions } from './options.ts';
import { announcedMss, updateSmss } from './path/mss.ts';
import { beginSearch } from './path/mtu-search.ts';
import type { Tcb } from './tcb.ts';

/** Sends a SYN. `tcb` must be in the connection table. */
export function activeOpen(tcb: Tcb): void {
  const { host } = tcb;
  hashTuple(host.secret, tcb.localAddress, tcb.localPort, tcb.remoteAddress, tcb.remotePort);
  tcb.tsOffset = tupleHash.timestamp;
  startSequence(tcb, initialSequence(host.now));
  offerOptions(tcb);
  tcb.ecnOffer = offeredFeedback(tcb.settings.ecn);
  tcb.rtt.startWith(tcb.settings.initialRto > 0 ? tcb.settings.initialRto : tcb.config.initialRto);
  host.counters.tcpActiveOpens++;
  tcb.counts.isActiveOpen = true;
  changeState(tcb, 'SYN-SENT');
  tcb.requestOutput();
}

/**
 * Makes `tcb`, which must be in the connection table, the connection of a handshake that a listener has begun.
 * @param isAnswered the SYN-ACK was sent already: what is awaited is its acknowledgement
 */
export function passiveOpen(tcb: Tcb, handshake: Handshake, isAnswered: boolean): void {
  tcb.isPassive = true;
  tcb.tsOffset = handshake.tsOffset;
  startSequence(tcb, handshake.iss);
  takeHandshake(tcb, handshake);
  tcb.irs = handshake.irs;
  tcb.rcvNxt = (handshake.irs + 1) | 0;
  tcb.lastAckSent = tcb.rcvNxt;
  tcb.rcvAdv = (tcb.rcvNxt + handshake.rcvWnd) | 0;
  tcb.sndWnd = handshake.sndWnd;
  tcb.sndWl1 = handshake.irs;
  tcb.sndWl2 = handshake.iss;
  changeState(tcb, 'SYN-RECEIVED');
  if (!isAnswered) {
    tcb.requestOutput();
    return;
  }
  tcb.isSynDue = false;
  tcb.sndNxt = (handshake.iss + 1) | 0;
  tcb.retransmissions = handshake.retransmissions;
  tcb.counts.synRetrans = handshake.retransmissions;
  tcb.synSentAt = handshake.sentAt;
  // Should the segment that made it fall short of establishing it.
  armTimeout(tcb, tcb.rtt.rto);
}

function startSequence(tcb: Tcb, iss: number): void {
  tcb.iss = iss;
  tcb.sndUna = iss;
  tcb.sndNxt = iss;
  tcb.sndSml = iss;
  tcb.recoveryPoint = iss;
  tcb.txStart = (iss + 1) | 0;
  tcb.stalledSince = tcb.host.now;
  tcb.isSynDue = true;
}

/** Takes what a passive open's SYN and SYN-ACK have agreed. */
function takeHandshake(tcb: Tcb, handshake: Handshake): void {
  tcb.rmss = announcedMss(tcb.path, tcb.settings);
  tcb.peerMss = handshake.peerMss;
  tcb.isSackEnabled = handshake.isSackEnabled;
  tcb.sndWindShift = handshake.sndWindShift;
  tcb.rcvWindShift = handshake.rcvWindShift;
  tcb.isTimestamped = handshake.isTimestamped;
  tcb.tsRecent = handshake.tsRecent;
  tcb.tsRecentAt = tcb.host.now;
  tcb.ecn = ecnStateOf(handshake);
  updateSmss(tcb);
  beginSearch(tcb);
}
