/**
 * When to acknowledge (RFC 9293 §3.8.6.3, RFC 5681 §4.2): at once for every second packet and for whatever tells the peer of a
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
  if (tcb.unackedPackets >= 2 || filledHole) {
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
 * A challenge ACK (RFC 5961): an answer to a segment that an attacker may have forged. Limited per connection, so that the
 * limit itself tells nothing about other connections (RFC 5961 §7 has one for the host, which became a side channel).
 */
export function challenge(tcb: Tcb): void {
  const { now } = tcb.host;
  if (now - tcb.challengeSince >= 1000) {
    tcb.challengeSince = now;
    tcb.challengeCount = 0;
  }
  if (tcb.challengeCount >= tcb.config.challengeAcksPerSecond) return;
  tcb.challengeCount++;
  acknowledgeNow(tcb, Cause.challengeAck);
}
