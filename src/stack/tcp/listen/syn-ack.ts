/**
 * The SYN-ACK of a passive open, written from the facts of a handshake: no control block is needed, nor a turn of its own.
 */

import {
  ECN_MASK,
  fastOpenOptionLength,
  IPPROTO_TCP,
  sealTcp,
  TCP_ACK,
  TCP_HEADER_LEN,
  TCP_SYN,
  TCPOPT_MSS_LEN,
  TCPOPT_SACK_PERMITTED_LEN,
  TCPOPT_TIMESTAMPS_LEN,
  TCPOPT_WINDOW_SCALE_LEN,
  writeFastOpenOption,
  writeMssOption,
  writeSackPermittedOption,
  writeTcp,
  writeTimestampsOption,
  writeWindowScaleOption,
} from '../../../wire/index.ts';
import { Cause, type Host, type Path } from '../../host.ts';
import type { TcpSettings } from '../config.ts';
import { synAckEcnFlags, synAckEcnOptionLength, writeSynAckEcnOption } from '../ecn/half-open.ts';
import { announcedMss } from '../path/mss.ts';
import type { Handshake } from './handshake.ts';

/** A Fast Open cookie for the client (RFC 7413 §4.2.2), in the form in which it was asked for. */
export interface FastOpenAnswer {
  readonly bytes: Uint8Array;
  readonly isExperiment: boolean;
}

/**
 * Sends <SEQ=ISS><ACK=IRS+1><CTL=SYN,ACK>. Lost, as on a busy wire, when the host has no room for it; the
 * caller counts it.
 *
 * @param tsVal our timestamp, where timestamps are agreed
 * @param cookie a Fast Open cookie for the client
 * @param cause why, for the capture
 * @param owner the endpoint that it is about
 */
export function sendSynAck(
  host: Host,
  settings: TcpSettings,
  path: Path,
  localPort: number,
  remotePort: number,
  handshake: Handshake,
  tsVal: number,
  cookie: FastOpenAnswer | null,
  cause: number,
  owner: object,
): void {
  const cookieLength = cookie === null ? 0 : fastOpenOptionLength(cookie.bytes, cookie.isExperiment);
  const agreedLength = synAckOptionsLength(handshake) + cookieLength;
  // Not again (RFC 9768 §3.2.3.2.2): the option may be why the first was not answered.
  const isFirst = cause !== Cause.synRetransmission;
  const ecnLength = isFirst ? synAckEcnOptionLength(handshake, agreedLength) : 0;
  const optionsLength = agreedLength + ecnLength;
  const length = TCP_HEADER_LEN + optionsLength;
  // Sent as Not-ECT (RFC 3168 §6.1.1).
  const trafficClass = settings.trafficClass & ~ECN_MASK;
  const packet = host.reserveControl(path, IPPROTO_TCP, length, settings.ttl, trafficClass);
  if (packet === null) return;
  packet.flowLabel = path.flowLabel(IPPROTO_TCP, localPort, remotePort);
  const { bytes, at } = packet;
  const { iss, irs, rcvWnd } = handshake;
  const flags = TCP_SYN | TCP_ACK | synAckEcnFlags(handshake);
  const end = writeTcp(bytes, at, localPort, remotePort, iss, (irs + 1) | 0, flags, rcvWnd, 0, optionsLength);
  let next = writeSynAckOptions(handshake, announcedMss(path, settings), bytes, end, tsVal);
  if (cookie !== null) next = writeFastOpenOption(bytes, next, cookie.bytes, cookie.isExperiment);
  if (ecnLength > 0) writeSynAckEcnOption(bytes, next, ecnLength);
  sealTcp(bytes, at, length, path.pseudoHeaderSum(IPPROTO_TCP) + length);
  host.sendControl(packet, cause, owner);
}

function synAckOptionsLength(handshake: Handshake): number {
  return (
    TCPOPT_MSS_LEN +
    (handshake.rcvWindShift > 0 ? TCPOPT_WINDOW_SCALE_LEN : 0) +
    (handshake.isSackEnabled ? TCPOPT_SACK_PERMITTED_LEN : 0) +
    (handshake.isTimestamped ? TCPOPT_TIMESTAMPS_LEN : 0)
  );
}

/** @returns the end */
function writeSynAckOptions(
  handshake: Handshake,
  mss: number,
  into: Uint8Array,
  at: number,
  tsVal: number,
): number {
  let end = writeMssOption(into, at, mss);
  if (handshake.isSackEnabled) end = writeSackPermittedOption(into, end);
  if (handshake.isTimestamped) end = writeTimestampsOption(into, end, tsVal, handshake.tsRecent);
  if (handshake.rcvWindShift > 0) end = writeWindowScaleOption(into, end, handshake.rcvWindShift);
  return end;
}
