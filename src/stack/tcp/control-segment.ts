/**
 * Segments without text that belong to no connection's queue: resets, and the answers of TIME-WAIT. They go through the
 * host's control packets, so they need neither a control block nor a turn.
 */

import {
  IPPROTO_TCP,
  sealTcp,
  TCP_ACK,
  TCP_HEADER_LEN,
  TCP_RST,
  TCPOPT_TIMESTAMPS_LEN,
  writeTcp,
  writeTimestampsOption,
} from '../../wire/index.ts';
import { Cause, type Host, type InboundPacket, type Path } from '../host.ts';
import { timestampAt } from './options.ts';
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
  packet.flowLabel = path.flowLabel(IPPROTO_TCP, localPort, remotePort);
  writeTcp(packet.bytes, packet.at, localPort, remotePort, seq, ack, flags, window, 0, 0);
  sealTcp(packet.bytes, packet.at, TCP_HEADER_LEN, path.pseudoHeaderSum(IPPROTO_TCP) + TCP_HEADER_LEN);
  host.sendControl(packet, cause, owner);
  host.counters.tcpOutSegs++;
  if ((flags & TCP_RST) !== 0) host.counters.tcpOutRsts++;
}

/** What a segment outside of a connection's queue needs of the connection: a control block has it, and an entry in TIME-WAIT. */
export interface ConnectionNumbers {
  readonly localPort: number;
  readonly remotePort: number;
  readonly sndNxt: number;
  readonly rcvNxt: number;
  readonly isTimestamped: boolean;
  readonly tsOffset: number;
  readonly tsRecent: number;
}

/**
 * Sends <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> with `flags` more, and with the timestamps that were agreed on: RFC 7323 §3.2 wants
 * them in a RST too.
 */
export function sendConnectionSegment(
  host: Host,
  path: Path,
  of: ConnectionNumbers,
  flags: number,
  window: number,
  cause: number,
  owner: object,
): void {
  const options = of.isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0;
  const length = TCP_HEADER_LEN + options;
  const packet = host.reserveControl(path, IPPROTO_TCP, length, 0, 0);
  if (packet === null) return;
  const { bytes, at } = packet;
  const { localPort, remotePort, sndNxt, rcvNxt } = of;
  packet.flowLabel = path.flowLabel(IPPROTO_TCP, localPort, remotePort);
  const end = writeTcp(bytes, at, localPort, remotePort, sndNxt, rcvNxt, TCP_ACK | flags, window, 0, options);
  if (options > 0) writeTimestampsOption(bytes, end, timestampAt(host.now, of.tsOffset), of.tsRecent);
  sealTcp(bytes, at, length, path.pseudoHeaderSum(IPPROTO_TCP) + length);
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
