/**
 * LISTEN (RFC 9293 §3.10.7.2): a SYN makes a connection in SYN-RECEIVED, which is the listener's until it is accepted.
 */

import { DropReason, TCP_ACK, TCP_RST, TCP_SYN } from '../../../wire/index.ts';
import type { Host, InboundPacket } from '../../host.ts';
import { refuseSegment } from '../control-segment.ts';
import type { Listener } from '../listen.ts';
import type { Segment } from '../segment.ts';

/**
 * @param sequenceAfter the new connection's first sequence number lies past it; it follows one in TIME-WAIT (RFC 6191)
 */
export function listen(
  listener: Listener,
  host: Host,
  packet: InboundPacket,
  seg: Segment,
  sequenceAfter: number | null,
): DropReason {
  if ((seg.flags & TCP_RST) !== 0) return DropReason.tcpResetUnacceptable;
  if ((seg.flags & TCP_ACK) !== 0) {
    refuseSegment(host, packet, seg);
    return DropReason.tcpAckUnacceptable;
  }
  if ((seg.flags & TCP_SYN) === 0) return DropReason.tcpNoAck;
  // A connection with ourselves by a forged SYN, and peers that cannot be answered.
  if (seg.sourcePort === 0) return DropReason.tcpOutOfWindow;
  const path = host.pathBack(packet);
  if (path === null) return DropReason.noRoute;
  if (!listener.hasRoom) {
    refuseSegment(host, packet, seg);
    return DropReason.tcpBacklogFull;
  }
  listener.startChild(path, seg, sequenceAfter);
  return DropReason.none;
}
