/**
 * RFC 3168's feedback: the receiver of a CE mark sets ECE on every ACK until the sender says CWR, which it does when it has
 * reduced its window. So one echo a round trip gets through however many ACKs are lost, and no more is ever known than that
 * there was congestion (§6.1.2, §6.1.3).
 *
 * A super-segment stands for packets with one codepoint: devices merge no others. Of one that leaves, only the first packet may
 * say CWR, which its kind (`GSO_ECN`) tells the device.
 */

import { ECN_CE, TCP_CWR, TCP_ECE } from '../../../wire/index.ts';
import { Cause } from '../../host.ts';
import { acknowledgeNow } from '../acknowledge.ts';
import type { Segment } from '../segment.ts';
import type { Tcb } from '../tcb.ts';
import { endReduction, reduceWindow } from './reaction.ts';
import type { EcnState } from './state.ts';

/**
 * Data receiver, of an acceptable segment: one with nothing but old text, whose mark may be forged (§6.1.5), has ended before.
 * Only text counts: ECT is never on anything else (§6.1.4).
 */
export function receiveClassic(tcb: Tcb, ecn: EcnState, seg: Segment): void {
  if (seg.payloadLength === 0) return;
  if ((seg.flags & TCP_CWR) !== 0) ecn.isEchoing = false;
  if (seg.ipEcn !== ECN_CE) return;
  ecn.ceReceived += seg.packets;
  // The first mark of an episode should not wait for a delayed ACK: the queue grows meanwhile.
  if (!ecn.isEchoing) acknowledgeNow(tcb, Cause.ack);
  ecn.isEchoing = true;
}

/**
 * Data sender, of an acknowledgement that is not old.
 * @param acked by how much it moves SND.UNA
 * @returns bytes to report as marked: all that it acknowledges, while the echo lasts
 */
export function takeClassicEcho(tcb: Tcb, ecn: EcnState, seg: Segment, acked: number): number {
  endReduction(ecn, seg.ack);
  if ((seg.flags & TCP_ECE) === 0) return 0;
  ecn.ceDelivered += Math.ceil(acked / tcb.smss);
  reduceWindow(tcb, ecn, acked);
  return acked;
}
