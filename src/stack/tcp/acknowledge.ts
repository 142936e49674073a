/**
 * When to acknowledge (RFC 9293 §3.8.6.3, RFC 5681 §4.2): at once for every second packet (or as the user says) and for whatever tells the peer of a
 * loss, else within the delayed-ACK time. A batch of packets, or a super-segment, is acknowledged once, when output is next
 * asked for.
 */

import { Cause } from '../host.ts';
import { type Tcb, TcpTimer } from './tcb.ts';

/** Duplicate ACKs owed to a peer without SACK are bounded: more than this many say nothing new. */
const MAX_DUPLICATE_ACKS = 16;

/** An ACK is due at the next turn. */
export function acknowledgeNow(tcb: Tcb, cause: number): void {
  if (tcb.acksDue === 0) tcb.acksDue = 1;
  tcb.ackCause = cause;
}

/**
 * Text arrived in order.
 * @param filledHole it was followed by early text, which the peer must hear of at once (RFC 5681 §4.2)
 */
export function acknowledgeText(tcb: Tcb, packets: number, filledHole: boolean): void {
  tcb.unackedPackets += packets;
  if (tcb.unackedPackets >= tcb.settings.ackFrequency || filledHole) {
    acknowledgeNow(tcb, Cause.ack);
  } else if (tcb.quickAcks > 0) {
    tcb.quickAcks--;
    acknowledgeNow(tcb, Cause.ack);
  } else if (tcb.acksDue === 0) {
    tcb.arm(TcpTimer.delayedAck, tcb.config.delayedAckMs);
  }
}

/** Text arrived early: one duplicate ACK each for a peer that counts them, one with SACK blocks for a peer that reads them. */
export function acknowledgeEarly(tcb: Tcb, packets: number): void {
  tcb.ackCause = Cause.duplicateAck;
  if (tcb.isSackEnabled) tcb.acksDue = Math.max(1, tcb.acksDue);
  else tcb.acksDue = Math.min(MAX_DUPLICATE_ACKS, tcb.acksDue + packets);
}

/**
 * A challenge ACK (RFC 5961 §3.2, §4.2, §5.2): an answer to a segment that an attacker may have forged. A peer that really sent
 * it and has forgotten the connection answers with an exact RST.
 */
export function challenge(tcb: Tcb): void {
  acknowledgeLimited(tcb, Cause.challengeAck);
}

/**
 * An ACK that answers a segment which holds nothing new and has no text. Two hosts that both take the other's ACKs for wrong
 * would answer each other for ever, and a forger could make us send at will: so these are limited.
 */
export function acknowledgeLimited(tcb: Tcb, cause: number): void {
  if (mayAnswer(tcb, tcb.host.now, tcb.config.challengeAcksPerSecond)) acknowledgeNow(tcb, cause);
}

/** How many limited ACKs a connection has sent, and since when they are counted. */
export interface AnswerCount {
  challengeSince: number;
  challengeCount: number;
}

/**
 * Counts one more limited ACK in `of`, unless there were `most` in this second already. The count is a connection's own: that of
 * a whole host (RFC 5961 §7) tells an attacker, who watches it through a connection of his own, what others receive.
 */
export function mayAnswer(of: AnswerCount, now: number, most: number): boolean {
  if (now - of.challengeSince >= 1000) {
    of.challengeSince = now;
    of.challengeCount = 0;
  }
  if (of.challengeCount >= most) return false;
  of.challengeCount++;
  return true;
}
