/**
 * LISTEN (RFC 9293 §3.10.7.2): a SYN begins a handshake, which is the listener's until the connection is accepted.
 */

import { DropReason, TCP_ACK, TCP_RST, TCP_SYN } from '../../../wire/index.ts';
import type { Host, InboundPacket } from '../../host.ts';
import { refuseSegment } from '../control-segment.ts';
import type { Listener } from '../listen/listener.ts';
import type { Segment } from '../segment.ts';
import { segmentArrives } from '../segment-arrives.ts';

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
  if ((seg.flags & TCP_ACK) !== 0) return acknowledged(listener, host, packet, seg);
  if ((seg.flags & TCP_SYN) === 0) return DropReason.tcpNoAck;
  // A connection with ourselves by a forged SYN, and peers that cannot be answered.
  if (seg.sourcePort === 0) return DropReason.tcpOutOfWindow;
  const path = host.pathBack(packet);
  if (path === null) return DropReason.noRoute;
  return listener.synArrives(packet, path, seg, sequenceAfter);
}

/** "Any acknowledgment is bad if it arrives on a connection still in the LISTEN state", unless it brings a SYN cookie back. */
function acknowledged(listener: Listener, host: Host, packet: InboundPacket, seg: Segment): DropReason {
  const path = (seg.flags & TCP_SYN) === 0 ? host.pathBack(packet) : null;
  const child = path === null ? null : listener.ackArrives(path, seg);
  if (child === null) {
    refuseSegment(host, packet, seg);
    return DropReason.tcpAckUnacceptable;
  }
  packet.owner = child.endpoint;
  return segmentArrives(child, seg);
}
