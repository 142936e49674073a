/**
 * Segments without text that belong to no connection's queue: resets, and the answers of TIME-WAIT. They go through the
 * host's control packets, so they need neither a control block nor a turn.
 */

import { IPPROTO_TCP, sealTcp, TCP_ACK, TCP_HEADER_LEN, TCP_RST, writeTcp } from '../../wire/index.ts';
import { Cause, type Host, type InboundPacket, type Path } from '../host.ts';
import type { Segment } from './segment.ts';

/** Sends a bare header. Lost, as on a busy wire, when the host has no room. */
export function sendBareSegment(
  host: Host,
  path: Path,
  localPort: number,
  remotePort: number,
  seq: number,
  ack: number,
  flags: number,
  window: number,
  cause: number,
  owner: object | null,
): void {
  const packet = host.reserveControl(path, IPPROTO_TCP, TCP_HEADER_LEN, 0, 0);
  if (packet === null) return;
  writeTcp(packet.bytes, packet.at, localPort, remotePort, seq, ack, flags, window, 0, 0);
  sealTcp(packet.bytes, packet.at, TCP_HEADER_LEN, path.pseudoHeaderSum(IPPROTO_TCP) + TCP_HEADER_LEN);
  host.sendControl(packet, cause, owner);
  host.counters.tcpOutSegs++;
  if ((flags & TCP_RST) !== 0) host.counters.tcpOutRsts++;
}

/**
 * Answers a segment with the RST that RFC 9293 §3.5.2 prescribes: its own ACK as sequence number or, when it has none, an
 * ACK of all that it holds. Never answers a RST.
 */
export function refuseSegment(host: Host, packet: InboundPacket, seg: Segment): void {
  if ((seg.flags & TCP_RST) !== 0) return;
  const path = host.pathBack(packet);
  if (path === null) return;
  const { destinationPort, sourcePort } = seg;
  if ((seg.flags & TCP_ACK) !== 0) {
    sendBareSegment(host, path, destinationPort, sourcePort, seg.ack, 0, TCP_RST, 0, Cause.reset, null);
  } else {
    const ack = (seg.seq + seg.len) | 0;
    sendBareSegment(host, path, destinationPort, sourcePort, 0, ack, TCP_RST | TCP_ACK, 0, Cause.reset, null);
  }
}
