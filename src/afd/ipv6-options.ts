/**
 * Options of level IPPROTO_IPV6 (section 4.4 of the surface reference): of sockets of AF_INET6.
 */

import {
  AF_INET6,
  IPV6_CHECKSUM,
  IPV6_DONTFRAG,
  IPV6_HDRINCL,
  IPV6_HOPOPTS,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_PROTECTION_LEVEL,
  IPV6_RTHDR,
  IPV6_UNICAST_HOPS,
  IPV6_USER_MTU,
  IPV6_V6ONLY,
  WSAEINVAL,
  WSAENOPROTOOPT,
} from '../abi/index.ts';
import type { DualStackOptions } from '../stack/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { IPV6_INTERFACE_OPTIONS } from './interface-options.ts';
import { HEADER_INCLUDED, NO_HEADER, PROTECTION_LEVEL } from './ip-options.ts';
import { IPV6_MESSAGE_OPTIONS } from './message-options.ts';
import { IP_MTU_DISCOVER_HANDLER, IP_MTU_HANDLER, IP_USER_MTU_HANDLER } from './mtu-options.ts';
import { IPV6_MULTICAST_OPTIONS } from './multicast-options.ts';
import { bool, endpointSwitch, type Handlers, type OptionHandler } from './option-handler.ts';
import { rawOf } from './raw.ts';
import { DEFAULT_TTL } from './socket-options.ts';

/** The stack's endpoint, if it is one that can speak both families. */
function dualOf({ endpoint }: AfdEndpoint): DualStackOptions | null {
  return 'v6Only' in endpoint ? (endpoint as unknown as DualStackOptions) : null;
}

/** Whether a socket is of AF_INET6 and has no IPv4 half. */
export function isIpv6Only(socket: AfdEndpoint): boolean {
  return socket.family === AF_INET6 && (dualOf(socket)?.v6Only ?? true);
}

const V6_ONLY: OptionHandler<AfdEndpoint> = {
  get: (socket) => bool(socket.family !== AF_INET6 || isIpv6Only(socket)),
  set: (socket, value) => {
    const dual = dualOf(socket);
    if (socket.family !== AF_INET6 || dual === null) return WSAENOPROTOOPT;
    // Before bind, or what was bound would mean another address.
    if (socket.isBound) return WSAEINVAL;
    dual.v6Only = value !== 0;
    return 0;
  },
};

/** RFC 3542 §3.1: an even offset, or -1 for none; ICMPv6's is fixed. */
const CHECKSUM: OptionHandler<AfdEndpoint> = {
  isFor: (socket) => rawOf(socket) !== null,
  get: (socket) => rawOf(socket)?.checksumOffset ?? -1,
  set: (socket, value) => {
    const raw = rawOf(socket);
    if (raw === null || value < -1 || (value !== -1 && value % 2 !== 0)) return WSAEINVAL;
    raw.checksumOffset = value;
    return raw.checksumOffset === value ? 0 : WSAEINVAL;
  },
};

export const IPV6_OPTIONS: Handlers<AfdEndpoint> = new Map<number, OptionHandler<AfdEndpoint>>([
  ...IPV6_MULTICAST_OPTIONS,
  ...IPV6_MESSAGE_OPTIONS,
  ...IPV6_INTERFACE_OPTIONS,
  [IPV6_V6ONLY, V6_ONLY],
  [IPV6_HDRINCL, HEADER_INCLUDED],
  [IPV6_CHECKSUM, CHECKSUM],
  [IPV6_HOPOPTS, NO_HEADER],
  [IPV6_RTHDR, NO_HEADER],
  [IPV6_PROTECTION_LEVEL, PROTECTION_LEVEL],
  [IPV6_DONTFRAG, endpointSwitch('dontFragment')],
  [
    IPV6_UNICAST_HOPS,
    {
      get: ({ endpoint }) => (endpoint.ttl === 0 ? DEFAULT_TTL : endpoint.ttl),
      set: ({ endpoint }, value) => {
        // RFC 3493 §5.1: -1 is the default.
        if (value < -1 || value > 255) return WSAEINVAL;
        endpoint.ttl = Math.max(0, value);
        return 0;
      },
    },
  ],
  [IPV6_MTU_DISCOVER, IP_MTU_DISCOVER_HANDLER],
  [IPV6_MTU, IP_MTU_HANDLER],
  [IPV6_USER_MTU, IP_USER_MTU_HANDLER],
]);
