/**
 * Options of message sockets below SOL_SOCKET: what receives tell, and UDP's own (sections 4.3 and 4.6 of the surface reference).
 */

import {
  IP_PKTINFO,
  IP_RECEIVE_BROADCAST,
  IP_RECVDSTADDR,
  IP_RECVECN,
  IP_RECVIF,
  IP_RECVTOS,
  IP_RECVTTL,
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
import { bool, type Handlers, type OptionHandler } from './option-handler.ts';

/** The stack's endpoint behind a message socket; `null` for streams. */
export function messageOf(socket: AfdEndpoint): MessageEndpoint | null {
  return socket instanceof DatagramEndpoint ? socket.endpoint : null;
}

/** The stack's UDP endpoint behind a socket; `null` for other kinds. */
export function udpOf(socket: AfdEndpoint): UdpEndpoint | null {
  const { endpoint } = socket;
  return endpoint.kind === 'udp' ? (endpoint as UdpEndpoint) : null;
}

/** IPPROTO_IP options of UDP and raw sockets. */
export const IP_MESSAGE_OPTIONS: Handlers<DatagramEndpoint> = new Map<
  number,
  OptionHandler<DatagramEndpoint>
>([
  [IP_PKTINFO, wish(ControlWish.packetInfo)],
  [IP_RECVTTL, wish(ControlWish.ttl)],
  [IP_RECVTOS, wish(ControlWish.tos)],
  [IP_RECVECN, wish(ControlWish.ecn)],
  [IP_RECVIF, wish(ControlWish.interface)],
  [IP_RECVDSTADDR, wish(ControlWish.destination)],
  [
    IP_RECEIVE_BROADCAST,
    {
      get: ({ endpoint }) => bool(endpoint.receivesBroadcast),
      set: ({ endpoint }, value) => {
        endpoint.receivesBroadcast = value !== 0;
        return 0;
      },
    },
  ],
]);

/** IPPROTO_UDP options, of UDP sockets only. */
export const UDP_OPTIONS: Handlers<AfdEndpoint> = new Map<number, OptionHandler<AfdEndpoint>>([
  [
    UDP_NOCHECKSUM,
    ofUdp(
      (udp) => bool(udp.sendsZeroChecksum),
      (udp, value) => {
        udp.sendsZeroChecksum = value !== 0;
        return 0;
      },
    ),
  ],
  [
    UDP_SEND_MSG_SIZE,
    ofUdp(
      (udp) => udp.segmentSize,
      (udp, value) => {
        if (value < 0) return WSAEINVAL;
        udp.segmentSize = value;
        return 0;
      },
    ),
  ],
  [
    UDP_RECV_MAX_COALESCED_SIZE,
    ofUdp(
      (udp) => udp.coalescedSize,
      (udp, value) => {
        if (value < 0) return WSAEINVAL;
        udp.coalescedSize = value;
        return 0;
      },
    ),
  ],
  // That the checksum covers the payload can not be changed: UDP has no other.
  [
    UDP_CHECKSUM_COVERAGE,
    ofUdp(
      () => 1,
      (_udp, value) => (value === 0 ? WSAEINVAL : 0),
    ),
  ],
]);

function wish(bit: number): OptionHandler<DatagramEndpoint> {
  return {
    get: ({ options }) => bool((options.controlWishes & bit) !== 0),
    set: ({ options }, value) => {
      options.controlWishes = value === 0 ? options.controlWishes & ~bit : options.controlWishes | bit;
      return 0;
    },
  };
}

function ofUdp(
  get: (udp: UdpEndpoint) => number,
  set: (udp: UdpEndpoint, value: number) => number,
): OptionHandler<AfdEndpoint> {
  return {
    get: (socket) => {
      const udp = udpOf(socket);
      return udp === null ? 0 : get(udp);
    },
    set: (socket, value) => {
      const udp = udpOf(socket);
      return udp === null ? WSAEINVAL : set(udp, value);
    },
  };
}
