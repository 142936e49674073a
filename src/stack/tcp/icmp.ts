/**
 * ICMP errors about a connection's segments (RFC 5461, RFC 5927). Anyone on the way, and many off it, can send one: it counts
 * only when the segment that it quotes is in flight.
 */

import { i32, seqGeq, seqLt } from '../../base/index.ts';
import type { InboundPacket } from '../host.ts';
import { fail } from './lifecycle.ts';
import { updateSmss } from './options.ts';
import { markAllLost } from './recovery.ts';
import type { Tcb } from './tcb.ts';

/** RFC 791: every link carries this much; less is not believed (RFC 5927 §7.2). */
const LEAST_MTU = 68;

/** As `Transport.icmpError`, for the connection that sent `quoted`. */
export function icmpError(
  tcb: Tcb,
  quoted: InboundPacket,
  error: number,
  isHard: boolean,
  mtu: number,
): void {
  const seq = i32(quoted.bytes, quoted.payloadAt + 4);
  // RFC 5927 §4.1: SND.UNA ≤ quoted SEG.SEQ < SND.NXT.
  if (seqLt(seq, tcb.sndUna) || seqGeq(seq, tcb.sndNxt)) return;
  if (mtu > 0) {
    lowerMtu(tcb, mtu);
    return;
  }
  const isOpening = tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED';
  // RFC 5927 §5.2: a hard error ends only a connection that is not yet established.
  if (isHard && isOpening) fail(tcb, error);
  else tcb.softError = error;
}

/** Fragmentation needed (RFC 1191 §6.4): smaller segments, and those in flight again; it says nothing of congestion. */
function lowerMtu(tcb: Tcb, mtu: number): void {
  const before = tcb.smss;
  tcb.pathMtu = Math.max(LEAST_MTU, tcb.pathMtu === 0 ? mtu : Math.min(tcb.pathMtu, mtu));
  updateSmss(tcb);
  if (tcb.smss >= before) return;
  tcb.isTiming = false;
  markAllLost(tcb);
  tcb.requestOutput();
}
