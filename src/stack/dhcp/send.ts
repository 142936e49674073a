/**
 * Sends a DHCP message: a datagram of the host itself, of no endpoint, so that nothing above the stack sees or changes it.
 */

import { IPPROTO_UDP, sealUdp, sumBytes, UDP_HEADER_LEN, writeUdp } from '../../wire/index.ts';
import { Cause, type Host, type Path } from '../host.ts';

/** Queues `message`. @returns whether there was room for it */
export function sendDhcp(
  host: Host,
  path: Path,
  sourcePort: number,
  destinationPort: number,
  message: Uint8Array,
): boolean {
  const length = UDP_HEADER_LEN + message.length;
  const packet = host.reserveControl(path, IPPROTO_UDP, length, 0, 0);
  if (packet === null) return false;
  packet.flowLabel = path.flowLabel(IPPROTO_UDP, sourcePort, destinationPort);
  const { bytes, at } = packet;
  const payloadAt = writeUdp(bytes, at, sourcePort, destinationPort, length);
  bytes.set(message, payloadAt);
  const pseudo = path.pseudoHeaderSum(IPPROTO_UDP) + length;
  sealUdp(bytes, at, sumBytes(message, 0, message.length, pseudo));
  host.sendControl(packet, Cause.dhcp, null);
  host.counters.udpOutDatagrams++;
  return true;
}
