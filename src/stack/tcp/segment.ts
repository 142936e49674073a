/**
 * A segment that has arrived: its header in numbers, where its text is, and RFC 9293's SEG variables. One object is filled
 * anew for each segment; the steps of `segment-arrives.ts` trim it as they use it up.
 */

import { EMPTY } from '../../base/index.ts';
import type { DropReason } from '../../wire/index.ts';
import { ECN_MASK, parseTcp, TCP_FIN, TCP_SYN, TcpHeader } from '../../wire/index.ts';
import type { InboundPacket } from '../host.ts';

export class Segment extends TcpHeader {
  /** What `payloadAt` points into; borrowed. */
  bytes: Uint8Array = EMPTY;
  /** SEG.LEN: text, and one each for SYN and FIN. */
  len = 0;
  /** The IP header's ECN field (RFC 3168 §5). */
  ipEcn = 0;
  /** Packets on the wire that this segment stands for: more than 1 for a super-segment. */
  packets = 1;

  /** Reads the segment of `packet`. @returns `none`, or why it is malformed */
  fill(packet: InboundPacket): DropReason {
    const reason = parseTcp(packet.bytes, packet.payloadAt, packet.end, this);
    this.bytes = packet.bytes;
    this.ipEcn = packet.trafficClass & ECN_MASK;
    this.len = this.payloadLength + (this.flags & TCP_FIN) + ((this.flags & TCP_SYN) >> 1);
    this.packets =
      packet.gsoSize > 0 && this.payloadLength > packet.gsoSize
        ? Math.ceil(this.payloadLength / packet.gsoSize)
        : 1;
    return reason;
  }
}
