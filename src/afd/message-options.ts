/**
 * Options of message sockets below SOL_SOCKET: what receives tell, at both levels, and UDP's own (sections 4.3, 4.4 and 4.6 of the
 * surface reference).
 */

import {
  IP_ORIGINAL_ARRIVAL_IF,
  IP_PKTINFO,
  IP_PKTINFO_EX,
  IP_RECEIVE_BROADCAST,
  IP_RECVDSTADDR,
  IP_RECVECN,
  IP_RECVERR,
  IP_RECVIF,
  IP_RECVRTHDR,
  IP_RECVTOS,
  IP_RECVTTL,
  IP_WFP_REDIRECT_CONTEXT,
  IP_WFP_REDIRECT_RECORDS,
  IPV6_HOPLIMIT,
  IPV6_PKTINFO,
  IPV6_PKTINFO_EX,
  IPV6_RECVDSTADDR,
  IPV6_RECVECN,
  IPV6_RECVERR,
  IPV6_RECVIF,
  IPV6_RECVRTHDR,
  IPV6_RECVTCLASS,
  IPV6_WFP_REDIRECT_CONTEXT,
  IPV6_WFP_REDIRECT_RECORDS,
  UDP_CHECKSUM_COVERAGE,
  UDP_NOCHECKSUM,
  UDP_RECV_MAX_COALESCED_SIZE,
  UDP_SEND_MSG_SIZE,
  WSAEINVAL,
} from '../abi/index.ts';
import type { MessageEndpoint, UdpEndpoint } from '../stack/index.ts';
import { ControlWish } from './control-data.ts';
import { DatagramEndpoint } from './datagram.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { bool, type Entry, endpointSwitch, type Handlers, type OptionHandler } from './option-handler.ts';

/** The stack's endpoint behind a message socket; `null` for streams. */
export function messageOf(socket: AfdEndpoint): MessageEndpoint | null {
  return socket instanceof DatagramEndpoint ? socket.endpoint : null;
}

/** The stack's UDP endpoint behind a socket; `null` for other kinds. */
export function udpOf(socket: AfdEndpoint): UdpEndpoint | null {
  const { endpoint } = socket;
  return endpoint.kind === 'udp' ? (endpoint as UdpEndpoint) : null;
}

const isMessageSocket = (socket: AfdEndpoint): boolean => socket instanceof DatagramEndpoint;

/** An option of UDP and raw sockets, which streams know and refuse. */
export function ofMessages(handler: OptionHandler<DatagramEndpoint>): OptionHandler<AfdEndpoint> {
  return { ...(handler as OptionHandler<never>), isFor: isMessageSocket } as OptionHandler<AfdEndpoint>;
}

/** An option of UDP sockets alone, which the others know and refuse. */
function ofUdp(handler: OptionHandler<AfdEndpoint>): OptionHandler<AfdEndpoint> {
  return { ...handler, isFor: (socket) => udpOf(socket) !== null };
}

/** What receives tell of IPv4 packets, by the options of IPPROTO_IP. */
const IP_WISHES: readonly (readonly [number, number])[] = [
  [IP_PKTINFO, ControlWish.packetInfo],
  [IP_RECVTTL, ControlWish.ttl],
  [IP_RECVTOS, ControlWish.tos],
  [IP_RECVECN, ControlWish.ecn],
  [IP_RECVIF, ControlWish.interface],
  [IP_RECVDSTADDR, ControlWish.destination],
  [IP_ORIGINAL_ARRIVAL_IF, ControlWish.arrivalInterface],
  [IP_PKTINFO_EX, ControlWish.packetInfoEx],
  [IP_RECVRTHDR, ControlWish.routingHeader],
  [IP_WFP_REDIRECT_RECORDS, ControlWish.redirectRecords],
  [IP_WFP_REDIRECT_CONTEXT, ControlWish.redirectContext],
];

/** And of IPv6 packets. */
const IPV6_WISHES: readonly (readonly [number, number])[] = [
  [IPV6_PKTINFO, ControlWish.packetInfo],
  [IPV6_HOPLIMIT, ControlWish.ttl],
  [IPV6_RECVTCLASS, ControlWish.tos],
  [IPV6_RECVECN, ControlWish.ecn],
  [IPV6_RECVIF, ControlWish.interface],
  [IPV6_RECVDSTADDR, ControlWish.destination],
  [IPV6_PKTINFO_EX, ControlWish.packetInfoEx],
  [IPV6_RECVRTHDR, ControlWish.routingHeader],
  [IPV6_WFP_REDIRECT_RECORDS, ControlWish.redirectRecords],
  [IPV6_WFP_REDIRECT_CONTEXT, ControlWish.redirectContext],
];

function wish(key: 'controlWishes' | 'controlWishesV6', bit: number): OptionHandler<AfdEndpoint> {
  return ofMessages({
    get: ({ options }) => bool((options[key] & bit) !== 0),
    set: ({ options }, value) => {
      options[key] = value === 0 ? options[key] & ~bit : options[key] | bit;
      return 0;
    },
  });
}

/** Whether ICMP errors about one family's packets are queued: see `error-receive.ts`. */
function errorSwitch(key: 'takesV4' | 'takesV6'): OptionHandler<AfdEndpoint> {
  return {
    get: (socket) => bool(udpOf(socket)?.errors[key] ?? false),
    set: (socket, value) => {
      const udp = udpOf(socket);
      if (udp === null) return WSAEINVAL;
      udp.errors[key] = value !== 0;
      return 0;
    },
  };
}

/** IPPROTO_IP options of UDP and raw sockets. */
export const IP_MESSAGE_OPTIONS: readonly Entry[] = [
  ...IP_WISHES.map(([option, bit]): Entry => [option, wish('controlWishes', bit)]),
  [IP_RECEIVE_BROADCAST, ofMessages(endpointSwitch<MessageEndpoint>('receivesBroadcast'))],
  [IP_RECVERR, ofUdp(errorSwitch('takesV4'))],
];

/** The same of IPPROTO_IPV6. */
export const IPV6_MESSAGE_OPTIONS: readonly Entry[] = [
  ...IPV6_WISHES.map(([option, bit]): Entry => [option, wish('controlWishesV6', bit)]),
  [IPV6_RECVERR, ofUdp(errorSwitch('takesV6'))],
];

type UdpSocket = AfdEndpoint & { readonly endpoint: UdpEndpoint };

/** A size, 0 for none. */
function size(key: 'segmentSize' | 'coalescedSize'): OptionHandler<UdpSocket> {
  return {
    get: ({ endpoint }) => endpoint[key],
    set: ({ endpoint }, value) => {
      if (value < 0) return WSAEINVAL;
      endpoint[key] = value;
      return 0;
    },
  };
}

/** IPPROTO_UDP options, of UDP sockets only. */
export const UDP_OPTIONS: Handlers<UdpSocket> = new Map<number, OptionHandler<UdpSocket>>([
  [UDP_NOCHECKSUM, endpointSwitch<UdpEndpoint>('sendsZeroChecksum')],
  [UDP_SEND_MSG_SIZE, size('segmentSize')],
  [UDP_RECV_MAX_COALESCED_SIZE, size('coalescedSize')],
  // That the checksum covers the payload can not be changed: UDP has no other.
  [UDP_CHECKSUM_COVERAGE, { get: () => 1, set: (_socket, value) => (value === 0 ? WSAEINVAL : 0) }],
]);
