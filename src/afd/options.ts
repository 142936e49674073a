/**
 * getsockopt and setsockopt: which options each kind of socket has (section 4 of the surface reference). The tables are in
 * `socket-level-options.ts`, `ip-options.ts`, `ipv6-options.ts`, `tcp-options.ts` and `message-options.ts`; how long a value may be
 * is the layout table's business, in `option-values.ts`.
 */

import {
  AF_INET6,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV6_V6ONLY,
  SOL_SOCKET,
  WSAEINVAL,
  WSAENOPROTOOPT,
} from '../abi/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { IP_OPTIONS_TABLE } from './ip-options.ts';
import { IPV6_OPTIONS, isIpv6Only } from './ipv6-options.ts';
import { UDP_OPTIONS, udpOf } from './message-options.ts';
import type { OptionHandler } from './option-handler.ts';
import { socketLevelOption } from './socket-level-options.ts';
import { StreamEndpoint } from './stream.ts';
import { TCP_OPTIONS } from './tcp-options.ts';

/** The handler of an option on a socket, or the WSA code of why it has none (SEM-OPT-01). */
export function optionHandler(
  socket: AfdEndpoint,
  level: number,
  option: number,
): OptionHandler<AfdEndpoint> | number {
  switch (level) {
    case SOL_SOCKET:
      return forSocket(socket, socketLevelOption(socket, option));
    case IPPROTO_IP:
      // The IPv4 half of a socket of IPv6, when it has one (SEM-DS-04).
      return isIpv6Only(socket) ? WSAEINVAL : forSocket(socket, IP_OPTIONS_TABLE.get(option));
    case IPPROTO_IPV6:
      // Readable on IPv4 sockets too (SEM-DS-05); the others are not there.
      if (socket.family !== AF_INET6 && option !== IPV6_V6ONLY) return WSAENOPROTOOPT;
      return forSocket(socket, IPV6_OPTIONS.get(option));
    case IPPROTO_TCP:
      return socket instanceof StreamEndpoint ? forSocket(socket, TCP_OPTIONS.get(option)) : WSAENOPROTOOPT;
    case IPPROTO_UDP:
      return udpOf(socket) === null ? WSAENOPROTOOPT : forSocket(socket, UDP_OPTIONS.get(option));
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
      return WSAENOPROTOOPT;
    default:
      return WSAEINVAL;
  }
}

/** A handler of one kind, for a socket that was found to be of that kind. */
function forSocket(
  socket: AfdEndpoint,
  handler: OptionHandler<never> | undefined,
): OptionHandler<AfdEndpoint> | number {
  if (handler === undefined) return WSAENOPROTOOPT;
  return handler.isFor?.(socket) === false ? WSAEINVAL : (handler as OptionHandler<AfdEndpoint>);
}
