/**
 * Options of level IPPROTO_IPV6: those of every socket of AF_INET6.
 */

import {
  AF_INET6,
  IPV6_DONTFRAG,
  IPV6_MTU,
  IPV6_MTU_DISCOVER,
  IPV6_UNICAST_HOPS,
  IPV6_USER_MTU,
  IPV6_V6ONLY,
  WSAEINVAL,
  WSAENOPROTOOPT,
} from '../abi/index.ts';
import type { DualStackOptions } from '../stack/index.ts';
import type { AfdEndpoint } from './endpoint.ts';
import { IP_MTU_DISCOVER_HANDLER, IP_MTU_HANDLER, IP_USER_MTU_HANDLER } from './mtu-options.ts';
import { IPV6_MULTICAST_OPTIONS } from './multicast-options.ts';
import { bool, type Handlers, type OptionHandler } from './option-handler.ts';
import { DEFAULT_TTL } from './socket-options.ts';

/** A handler for sockets of AF_INET6 alone. */
function ofIpv6(handler: OptionHandler<AfdEndpoint>): OptionHandler<AfdEndpoint> {
  const { get, set, setBytes, check } = handler;
  const isOther = (socket: AfdEndpoint): boolean => socket.family !== AF_INET6;
  return {
    ...(get === undefined ? {} : { get }),
    check: (socket) => (isOther(socket) ? WSAENOPROTOOPT : (check?.(socket) ?? 0)),
    ...(set === undefined
      ? {}
      : {
          set: (socket: AfdEndpoint, value: number) =>
            isOther(socket) ? WSAENOPROTOOPT : set(socket, value),
        }),
    ...(setBytes === undefined
      ? {}
      : {
          setBytes: (socket: AfdEndpoint, bytes: Uint8Array) =>
            isOther(socket) ? WSAENOPROTOOPT : setBytes(socket, bytes),
        }),
  };
}

/** The stack's endpoint, if it is one that can speak both families. */
function dualOf({ endpoint }: AfdEndpoint): DualStackOptions | null {
  return 'v6Only' in endpoint ? (endpoint as unknown as DualStackOptions) : null;
}

export const IPV6_OPTIONS: Handlers<AfdEndpoint> = new Map<number, OptionHandler<AfdEndpoint>>([
  [
    IPV6_V6ONLY,
    {
      // Readable on IPv4 sockets too (SEM-DS-05).
      get: (socket) => bool(socket.family !== AF_INET6 || (dualOf(socket)?.v6Only ?? true)),
      set: (socket, value) => {
        const dual = dualOf(socket);
        if (socket.family !== AF_INET6 || dual === null) return WSAENOPROTOOPT;
        // SEM-DS: before bind, or what was bound would mean another address.
        if (socket.isBound) return WSAEINVAL;
        dual.v6Only = value !== 0;
        return 0;
      },
    },
  ],
  [
    IPV6_UNICAST_HOPS,
    ofIpv6({
      get: ({ endpoint }) => (endpoint.ttl === 0 ? DEFAULT_TTL : endpoint.ttl),
      set: ({ endpoint }, value) => {
        // RFC 3493 §5.1: -1 is the default.
        if (value < -1 || value > 255) return WSAEINVAL;
        endpoint.ttl = Math.max(0, value);
        return 0;
      },
    }),
  ],
  [
    IPV6_DONTFRAG,
    ofIpv6({
      get: ({ endpoint }) => bool(endpoint.dontFragment),
      set: ({ endpoint }, value) => {
        endpoint.dontFragment = value !== 0;
        return 0;
      },
    }),
  ],
  [IPV6_MTU_DISCOVER, ofIpv6(IP_MTU_DISCOVER_HANDLER)],
  [IPV6_MTU, ofIpv6(IP_MTU_HANDLER)],
  [IPV6_USER_MTU, ofIpv6(IP_USER_MTU_HANDLER)],
  ...IPV6_MULTICAST_OPTIONS.map(([option, handler]): [number, OptionHandler<AfdEndpoint>] => [
    option,
    ofIpv6(handler),
  ]),
]);
