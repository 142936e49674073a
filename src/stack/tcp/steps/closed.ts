/**
 * CLOSED (RFC 9293 §3.10.7.1): a segment for no connection and no listener is answered with a RST.
 */

import { DropReason } from '../../../wire/index.ts';
import type { Host, InboundPacket } from '../../host.ts';
import { refuseSegment } from '../control-segment.ts';
import type { Segment } from '../segment.ts';

export function closed(host: Host, packet: InboundPacket, seg: Segment): DropReason {
  refuseSegment(host, packet, seg);
  return DropReason.tcpNoListener;
}
