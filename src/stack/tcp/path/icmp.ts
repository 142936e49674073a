/**
 * ICMP errors about a connection's segments (RFC 9293 §3.9.2.2, RFC 1122 §4.2.3.9, RFC 5461, RFC 5927). Anyone on the way, and
 * many off it, can send one: it counts only when the segment that it quotes is in flight.
 *
 *  - *Hard* errors (protocol or port unreachable) end a connection that is not yet established, and no other.
 *  - *Soft* ones are remembered: the reason, should the connection time out.
 *  - *Too big* is path MTU discovery's: `path-mtu.ts`.
 */

import { i32, seqGeq, seqLt } from '../../../base/index.ts';
import { DropReason } from '../../../wire/index.ts';
import { StackError } from '../../api.ts';
import type { InboundPacket } from '../../host.ts';
import { fail } from '../lifecycle.ts';
import type { Tcb } from '../tcb.ts';
import { segmentTooBig } from './path-mtu.ts';

/** As `Transport.icmpError`, for the connection that sent `quoted`. */
export function icmpError(
  tcb: Tcb,
  quoted: InboundPacket,
  error: number,
  isHard: boolean,
  mtu: number,
): DropReason {
  const seq = i32(quoted.bytes, quoted.payloadAt + 4);
  // RFC 5927 §4.1: SND.UNA ≤ quoted SEG.SEQ < SND.NXT.
  if (seqLt(seq, tcb.sndUna) || seqGeq(seq, tcb.sndNxt)) return DropReason.icmpNotInFlight;
  const { source, type, code } = tcb.host.icmpErrorHead;
  tcb.icmpError = { source, type, code };
  if (error === StackError.messageTooLong) return segmentTooBig(tcb, quoted, seq, mtu);
  const isOpening = tcb.state === 'SYN-SENT' || tcb.state === 'SYN-RECEIVED';
  // RFC 5927 §5.2: a hard error ends only a connection that is not yet established. RFC 5461 §4.1: a soft one does for users
  // who would rather try another address than wait.
  if (isOpening && (isHard || tcb.settings.failsOnIcmpError)) fail(tcb, error);
  else tcb.softError = error;
  return DropReason.none;
}
