/**
 * Receiving from the queue of ICMP errors: MSG_ERRQUEUE, with IP_RECVERR and IPV6_RECVERR (OPT-IP_RECVERR, OPT-IPV6_RECVERR).
 *
 * The numbers and the layout of the control message (IN_RECVERR) are those of ws2def.h and ws2ipdef.h. What Windows does with them
 * is not documented; from general knowledge of such queues it was decided:
 * - UDP sockets have a queue, by option and family. Raw sockets refuse the option, and like streams do not know the flag:
 *   WSAEOPNOTSUPP.
 * - A receive with MSG_ERRQUEUE takes the oldest error, or with MSG_PEEK looks at it: the payload of the datagram as far as ICMP
 *   quoted it, where it was sent as the name, an IN_RECVERR as the only control message, and MSG_ERRQUEUE among the flags. Who sent
 *   the ICMP message is not told: the structure has no place for it.
 * - It never waits, not even overlapped: with nothing queued, it is WSAEWOULDBLOCK.
 * - Ordinary receives are not touched: port unreachable and an expired TTL still fail the next one (SEM-IO-12, SEM-IO-13), and an
 *   error that is only in the queue does not make the socket readable.
 * - 64 errors wait at most, in 64 KB; a newer one is dropped. Switching an option off drops all that wait.
 */

import {
  IN_RECVERR_LEN,
  IP_RECVERR,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  MSG_CTRUNC,
  MSG_ERRQUEUE,
  MSG_PARTIAL,
  MSG_PEEK,
  MSG_TRUNC,
  sockaddrOf,
  WSAEMSGSIZE,
  WSAEOPNOTSUPP,
  WSAEWOULDBLOCK,
  writeControlHead,
  writeIN_RECVERR,
} from '../abi/index.ts';
import { EMPTY, putI32le } from '../base/index.ts';
import type { AfdCompletion, AfdRequest } from '../port/index.ts';
import {
  createQueuedIcmpError,
  type MessageEndpoint,
  type QueuedIcmpError,
  type UdpEndpoint,
} from '../stack/index.ts';
import { CONTROL_LENGTH_LEN } from './control-data.ts';

/** The error that was received last. */
const report: QueuedIcmpError = createQueuedIcmpError();

/**
 * Takes the oldest error. The request's room for control data has been checked.
 * @returns a WSA code; WSAEWOULDBLOCK when none waits
 */
export function receiveError(endpoint: MessageEndpoint, request: AfdRequest, reply: AfdCompletion): number {
  if (endpoint.kind !== 'udp') return WSAEOPNOTSUPP;
  const { errors } = endpoint as UdpEndpoint;
  const into = request.into ?? EMPTY;
  const { a: room, flags } = request;
  const n = errors.take(into, room, into.length - room, report, (flags & MSG_PEEK) !== 0);
  if (n < 0) return WSAEWOULDBLOCK;
  const isCut = report.length > n;
  // The name is of the socket's family: what a socket of both sent over IPv4 went to a v4-mapped address.
  const isMapped = endpoint.localAddress.family === 6;
  const destination = isMapped ? report.destination.mapped() : report.destination;
  reply.value = n;
  reply.address = sockaddrOf(destination, report.destinationPort);
  // Only a WSAMSG has a place for the flags of its own (SEM-IO-23).
  if (room === 0) reply.flags = isCut ? MSG_PARTIAL : 0;
  else reply.flags = MSG_ERRQUEUE | writeErrorControl(into, room) | (isCut ? MSG_TRUNC : 0);
  return isCut ? WSAEMSGSIZE : 0; // SEM-IO-03
}

/** Writes the length of the control data, the IN_RECVERR, then zeros up to `room`. @returns MSG_CTRUNC when it did not fit */
function writeErrorControl(into: Uint8Array, room: number): number {
  const isV4 = report.family === 4;
  into.fill(0, 0, room);
  const at = writeControlHead(
    into,
    CONTROL_LENGTH_LEN,
    room,
    isV4 ? IPPROTO_IP : IPPROTO_IPV6,
    isV4 ? IP_RECVERR : IPV6_RECVERR,
    IN_RECVERR_LEN,
  );
  if (at < 0) return MSG_CTRUNC;
  const { mtu: info, type, code } = report;
  writeIN_RECVERR(into, at, { protocol: isV4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, info, type, code });
  const aligned = (IN_RECVERR_LEN + 7) & ~7;
  putI32le(into, 0, at + aligned - CONTROL_LENGTH_LEN);
  return 0;
}
